//! May the journal end as it does? A writer that dies leaves reserved space or the beginning of a
//! frame; one that ended in good order leaves nothing.

use super::records::Observed;
use crate::End;
use prove::{Finding, FindingKind, Report};
use store::{BLOCK_BYTES, FRAME_HEADER_BYTES, Folder, Tail};

/// Judges what lies behind the last frame.
pub(super) fn judge(folder: &dyn Folder, end: &End, observed: &Observed, report: &mut Report) {
    let Some((file, tail, offset)) = &end.tail else { return };
    // The last checkpoint of a writer that ends is published when the journal is cut to its length:
    // one that does not cover the last record may have been overtaken by a crash.
    let is_closed = observed.is_closed && end.next_index <= report.size;
    let mut extra = |bytes: u64| {
        let detail = format!(
            "{bytes} bytes from byte {offset} on stand behind the end of a journal that was closed in \
             good order"
        );
        report.add(Finding::of_file(FindingKind::Corrupt, file, detail));
    };
    match tail {
        Tail::Reserved { bytes } if is_closed && !is_block_filled(*offset, *bytes) => extra(*bytes),
        Tail::Torn { bytes, .. }
            if is_closed && !is_frame_begun(folder, file, *offset, end.next_index) =>
        {
            extra(*bytes);
        }
        Tail::Torn { bytes, .. } => report.note(format!(
            "{file} ends with {bytes} bytes of a write that was cut short before it was acknowledged; \
             the next start cuts them off and records it"
        )),
        Tail::Clean | Tail::Reserved { .. } | Tail::Damaged { .. } => {}
    }
}

/// Whether zeros only fill the last block: a writer that starts writes the last frame again, in
/// whole blocks, and cuts the file to its length at once; one that died in between leaves this.
fn is_block_filled(offset: u64, bytes: u64) -> bool {
    bytes < BLOCK_BYTES && (offset + bytes).is_multiple_of(BLOCK_BYTES)
}

/// Whether the bytes at `offset` can be the beginning of the next frame (format.md, "Journal
/// file"), or a hole where it was not written yet although what follows was.
fn is_frame_begun(folder: &dyn Folder, file: &str, offset: u64, next_index: u64) -> bool {
    let mut bytes = [0; FRAME_HEADER_BYTES];
    let Ok(count) = folder.read_at(file, offset, &mut bytes) else { return false };
    let agrees = |from: usize, wanted: &[u8]| {
        let found = bytes.get(from..count.max(from)).unwrap_or_default();
        found.iter().zip(wanted).all(|(found, wanted)| found == wanted)
    };
    let is_hole = bytes.iter().all(|byte| *byte == 0);
    is_hole
        || agrees(0, b"TJF1")
            && agrees(8, &next_index.to_be_bytes())
            && agrees(20, &offset.to_be_bytes())
}

//! What was kept from earlier: a signed checkpoint, receipts, or an evidence document. A log that
//! was rolled back or forked cannot agree with them.

use checkpoint::TlogProof;
use merkle::{HASH_SIZE, TILE_WIDTH, TileCoordinate};
use prove::{EVIDENCE_FORMAT, Evidence, Finding, FindingKind, Report};
use serde::Deserialize;

/// What a file of receipts, or a checkpoint, says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SinceFile {
    /// The signed checkpoint; of several receipts the one of the largest log.
    pub checkpoint: Option<String>,
    /// The receipts.
    pub receipts: Vec<ReceiptClaim>,
}

/// What one receipt says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptClaim {
    /// The record's index.
    pub index: u64,
    /// The hash of its leaf, in hexadecimal.
    pub leaf_hash: String,
}

/// A file that is neither.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SinceError {
    /// It is not text.
    #[error("it is not UTF-8 text; give a signed checkpoint, or receipts, one JSON object a line")]
    NotText,
    /// A line is no receipt.
    #[error("line {line} is no receipt: {reason}; give what `tacho append --receipts` wrote")]
    NotReceipt {
        /// The line, from 1.
        line: usize,
        /// Why.
        reason: String,
    },
    /// There is nothing in it.
    #[error("it holds neither a checkpoint nor a receipt")]
    Empty,
}

#[derive(Deserialize)]
struct Line {
    index: u64,
    leaf_hash: String,
    checkpoint: String,
}

impl SinceFile {
    /// Reads a signed checkpoint, receipts, or the evidence of a record.
    ///
    /// # Errors
    /// [`SinceError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, SinceError> {
        let text = std::str::from_utf8(bytes).map_err(|_| SinceError::NotText)?;
        if !text.trim_start().starts_with('{') {
            return match text.trim().is_empty() {
                true => Err(SinceError::Empty),
                false => Ok(Self { checkpoint: Some(text.to_owned()), receipts: Vec::new() }),
            };
        }
        // One that is neither gives the reason for which it is no receipt.
        if let Some(since) = serde_json::from_str(text).ok().and_then(Self::of_evidence) {
            return Ok(since);
        }
        let mut since = Self::default();
        let mut largest = 0;
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let line: Line = serde_json::from_str(line).map_err(|error| {
                SinceError::NotReceipt { line: number + 1, reason: error.to_string() }
            })?;
            let size = size_of(&line.checkpoint);
            if since.checkpoint.is_none() || size > largest {
                largest = size;
                since.checkpoint = Some(line.checkpoint);
            }
            since.receipts.push(ReceiptClaim { index: line.index, leaf_hash: line.leaf_hash });
        }
        Ok(since)
    }

    /// What an evidence document says of the log: its checkpoint, and the leaf that it proves.
    fn of_evidence(evidence: Evidence) -> Option<Self> {
        let Evidence { format, index, entry, proof, .. } = evidence;
        let proof: TlogProof = proof.parse().ok().filter(|_| format == EVIDENCE_FORMAT)?;
        let leaf_hash = merkle::leaf_hash(&hex::decode(entry).ok()?).to_string();
        let receipts = vec![ReceiptClaim { index, leaf_hash }];
        Some(Self { checkpoint: Some(proof.checkpoint), receipts })
    }
}

/// The size that a checkpoint claims; 0 when it does not read.
fn size_of(note: &str) -> u64 {
    note.lines().nth(1).and_then(|size| size.parse().ok()).unwrap_or(0)
}

/// Compares receipts with the log's leaves, which `read` has the tiles of by their paths. The
/// leaves themselves were checked already.
pub fn check_receipts(
    read: &dyn Fn(&str) -> Option<Vec<u8>>,
    receipts: &[ReceiptClaim],
    report: &mut Report,
) {
    let mut receipts: Vec<&ReceiptClaim> = receipts.iter().collect();
    receipts.sort_by_key(|receipt| receipt.index);
    let size = report.size;
    let mut tile: Option<(u64, Vec<u8>, String)> = None;
    for receipt in receipts.into_iter().filter(|receipt| receipt.index < size) {
        let number = receipt.index / u64::from(TILE_WIDTH);
        if tile.as_ref().is_none_or(|(of, ..)| *of != number) {
            tile = read_tile(read, number, size).map(|(path, bytes)| (number, bytes, path));
        }
        let Some((_, bytes, path)) = &tile else { continue };
        let place = usize::try_from(receipt.index % u64::from(TILE_WIDTH)).unwrap_or(0);
        let found = bytes.chunks_exact(HASH_SIZE).nth(place).map(hex::encode);
        if let Some(found) = found.filter(|found| *found != receipt.leaf_hash) {
            let detail = format!(
                "a receipt says that the leaf there is {}, and this log has {found}",
                receipt.leaf_hash
            );
            let kind = FindingKind::Forked;
            report.add(Finding::of_records(kind, receipt.index, 1, path, detail));
        }
    }
}

/// A level-0 tile, partial or full.
fn read_tile(
    read: &dyn Fn(&str) -> Option<Vec<u8>>,
    number: u64,
    size: u64,
) -> Option<(String, Vec<u8>)> {
    let width = u64::from(TILE_WIDTH);
    let wide = u16::try_from(size.checked_sub(number * width)?.min(width)).ok()?;
    [wide, TILE_WIDTH].into_iter().find_map(|wide| {
        let path = TileCoordinate::new(0, number, wide).ok()?.path();
        Some((path.clone(), read(&path)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_and_receipts_are_told_apart() {
        let note = "log.example\n3\nroot\n\nsignature\n";
        assert_eq!(SinceFile::parse(note.as_bytes()).unwrap().checkpoint.as_deref(), Some(note));
        let receipt = |index: u64, size: u64| {
            serde_json::json!({
                "index": index, "leaf_hash": "00", "checkpoint": format!("log.example\n{size}\nr\n"),
                "event_id": "x",
            })
        };
        let text = format!("{}\n{}\n\n{}\n", receipt(1, 9), receipt(2, 12), receipt(3, 12));
        let since = SinceFile::parse(text.as_bytes()).unwrap();
        assert_eq!(since.checkpoint.as_deref(), Some("log.example\n12\nr\n"));
        assert_eq!(since.receipts.len(), 3);
        assert!(matches!(
            SinceFile::parse(b"{\"index\":1}\n"),
            Err(SinceError::NotReceipt { line: 1, .. })
        ));
        assert_eq!(SinceFile::parse(b" \n"), Err(SinceError::Empty));
    }

    #[test]
    fn an_evidence_document_says_where_its_leaf_is_and_under_which_checkpoint() {
        let document = include_bytes!("../../../../testdata/vectors/example/event.evidence.json");
        let since = SinceFile::parse(document).unwrap();
        assert_eq!(size_of(since.checkpoint.as_deref().unwrap()), 4);
        let leaf_hash = "93bb4b6866be267df87e5b819faf6d6a28ba28f6f475c37a6fe27bbefa84c85d";
        let claim = ReceiptClaim { index: 2, leaf_hash: leaf_hash.to_owned() };
        assert_eq!(since.receipts, [claim]);
        // Of another version it is nothing that is known here.
        let other =
            String::from_utf8(document.to_vec()).unwrap().replace("evidence/1", "evidence/2");
        assert!(matches!(SinceFile::parse(other.as_bytes()), Err(SinceError::NotReceipt { .. })));
    }
}

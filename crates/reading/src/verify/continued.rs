//! Whether a log that was checked continues a checkpoint that somebody outside has: shown by a
//! consistency proof between the two roots. Whoever hands out the tiles cannot lie about that.

use checkpoint::Checkpoint;
use merkle::{Hash, TileCoordinate, TileReader, consistency_proof, verify_consistency};
use prove::{Finding, FindingKind};
use query::AsOf;

/// A checkpoint from outside.
pub(super) struct Outside<'o> {
    pub(super) checkpoint: &'o Checkpoint,
    /// Who has it, as the beginning of a sentence: "witnesses saw".
    pub(super) who: &'o str,
    /// The file that it is from.
    pub(super) file: &'o str,
}

impl Outside<'_> {
    /// Whether the log with this tree continues it; `read` gives its tiles.
    pub(super) fn is_continued(
        &self,
        read: &dyn Fn(&str) -> Option<Vec<u8>>,
        tree: &AsOf,
    ) -> Result<(), Box<Finding>> {
        let Self { checkpoint: earlier, who, file } = self;
        if earlier.size > tree.size {
            let detail = format!(
                "{who} {} entries, and the log has {}: it was rolled back",
                earlier.size, tree.size
            );
            let (kind, count) = (FindingKind::Truncated, earlier.size - tree.size);
            let finding = Finding::of_records(kind, tree.size, count, file, detail);
            return Err(Box::new(finding));
        }
        let finding = |kind, detail| Box::new(Finding::of_file(kind, file, detail));
        let root: Hash = tree.root_hex.parse().map_err(|_| {
            finding(FindingKind::Unassessed, "the log has no root to be compared with".to_owned())
        })?;
        let tiles = |tile: TileCoordinate| Ok::<_, std::convert::Infallible>(read(&tile.path()));
        let proof = consistency_proof(&TileReader::new(tiles, tree.size), earlier.size, tree.size);
        let proof = proof.map_err(|error| {
            let detail = format!("what {who} cannot be compared with the log: {error}");
            finding(FindingKind::Unassessed, detail)
        })?;
        verify_consistency(earlier.size, &earlier.root, tree.size, &root, &proof).map_err(|error| {
            let detail = format!(
                "the log does not continue the {} entries that {who}: {error}",
                earlier.size
            );
            finding(FindingKind::Forked, detail)
        })
    }
}

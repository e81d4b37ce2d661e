//! The evidence checker's word on a log that the simulation left: it must find nothing wrong.

use crate::model::Model;
use crate::reading::{Contents, Left};
use prove::{Found, Kept, KeptContent, Records, Trust, Verdict};
use std::collections::BTreeMap;
use store::Folder;

/// Where records lie, as far as the checker is told.
const PLACE: &str = store::JOURNAL_FOLDER;

struct Journal<'c>(&'c Contents);

impl Records for Journal<'_> {
    fn at(&mut self, index: u64) -> Found<'_> {
        let place = usize::try_from(index).unwrap_or(usize::MAX);
        let Some(sealed) = self.0.records.get(place) else { return Found::End };
        match (&sealed.left, sealed.record()) {
            (Left::Nothing, _) => Found::Missing { count: 1, file: "" },
            (Left::Metadata(row), _) => match kept(row) {
                Some(kept) => Found::Kept { file: PLACE, held: false, kept },
                None => Found::Missing { count: 1, file: PLACE },
            },
            (_, Ok(record)) => {
                Found::Record { file: PLACE, previous: sealed.follows, held: false, record }
            }
            (_, Err(detail)) => Found::Damaged { count: 1, file: PLACE, detail: detail.into() },
        }
    }
}

fn kept(row: &segment::Row) -> Option<Kept<'_>> {
    let segment::Row { kind, tier, time_ms, meta_salt, meta, content, .. } = row;
    let segment::ContentState::Erased { commitment } = content else { return None };
    let content = KeptContent::Erased { commitment: *commitment };
    let (kind, tier, time_ms, meta_salt) = (*kind, *tier, *time_ms, *meta_salt);
    Some(Kept { kind, tier, time_ms, meta_salt, meta, content })
}

/// Asks `prove` for its verdict on the public files and the records beside them.
///
/// # Errors
/// What it found, in words.
pub(crate) fn check(folder: &dyn Folder, contents: &Contents, model: &Model) -> Result<(), String> {
    let mut files = BTreeMap::new();
    for path in folder.list("").map_err(|error| error.to_string())? {
        if path == seal::CHECKPOINT_PATH
            || ["tile/", "ledger/"].iter().any(|it| path.starts_with(it))
        {
            let bytes = folder.read(&path).map_err(|error| error.to_string())?;
            files.extend(bytes.map(|bytes| (path, bytes)));
        }
    }
    // Whoever has the first keys must be led to those that signed.
    let trust = Trust { pinned: model.first_keys(), ..Trust::default() };
    let mut records = Journal(contents);
    let report = prove::verify_log(
        &mut files,
        Some(&mut records),
        model.origin(),
        &trust,
        None,
        &mut |_| {},
    );
    let epochs = u64::try_from(report.epochs.len()).unwrap_or(u64::MAX);
    let newest = model.epochs().last().number;
    if newest > 0 && epochs != newest + 1 {
        return Err(format!(
            "the checker knows {epochs} epochs of keys, and there are {}",
            newest + 1
        ));
    }
    match report.verdict() {
        Verdict::Ok => Ok(()),
        verdict => Err(format!("the checker says {verdict:?}: {:?}", report.findings().first())),
    }
}

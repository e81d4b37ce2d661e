//! Events from all over a log, to be looked for.

use event::Event;
use query::{Library, Volume};
use segment::Projection;

/// How many: each question is asked about another one.
const SAMPLES: u64 = 20;

/// An event that is there.
pub(super) struct Sample {
    pub(super) event: String,
    pub(super) trace: String,
}

/// Events at even distances, of which some may be missing.
///
/// # Errors
/// A sentence when there is none, or a segment cannot be read.
pub(super) fn of(library: &Library) -> Result<Vec<Sample>, String> {
    let size = library.as_of().size;
    let mut samples = Vec::new();
    for at in 0..SAMPLES {
        samples.extend(from(library, size * (2 * at + 1) / (2 * SAMPLES))?);
    }
    match samples.is_empty() {
        true => Err("no event of the log has an id and a trace".to_owned()),
        false => Ok(samples),
    }
}

/// The first event with ids of the segment, or the tail, that has the record at an index.
fn from(library: &Library, index: u64) -> Result<Option<Sample>, String> {
    let has =
        |volume: &&Volume| (volume.manifest().first..=volume.manifest().last).contains(&index);
    for volume in library.volumes().iter().filter(has) {
        let rows = volume.segment().and_then(|it| it.rows(index.., Projection::MetaOnly));
        for row in rows.map_err(|error| error.to_string())? {
            let row = row.map_err(|error| error.to_string())?;
            if let Some(sample) = sample(&row.meta) {
                return Ok(Some(sample));
            }
        }
    }
    let mut behind = library.tail().skip_while(|row| row.index < index);
    Ok(behind.find_map(|row| sample(&row.meta)))
}

fn sample(meta: &[u8]) -> Option<Sample> {
    let event = Event::from_stored(meta, &[]).ok()?;
    Some(Sample { event: event.event_id?.into_owned(), trace: event.trace_id?.into_owned() })
}

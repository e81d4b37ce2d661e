//! Who was active in a whole library: every record counts, so every segment is read, but only its
//! metadata, and several at a time.

use super::{FindError, search};
use crate::activity::{Activity, By};
use crate::found::Found;
use crate::library::{Library, Volume};
use event::Event;
use segment::{Projection, SegmentError};

/// Counts every record; `None` when there are so many names that their order decides which are
/// kept apart: then the records must be offered one by one.
///
/// # Errors
/// [`FindError::Segment`].
pub fn activity(library: &Library, by: By) -> Result<Option<Activity>, FindError> {
    let size = library.as_of().size;
    let count = |volume: &Volume| of_volume(volume, size, by);
    let counted = search::parallel(library.volumes(), count);
    let mut all = Activity::new(by);
    library.tail().for_each(|row| offer(&mut all, &row.into()));
    for (outcome, volume) in counted.into_iter().zip(library.volumes()) {
        let failed = |source| FindError::Segment { path: volume.manifest().path(), source };
        match all.and(outcome.map_err(failed)?) {
            Some(both) => all = both,
            None => return Ok(None),
        }
    }
    Ok(Some(all))
}

fn of_volume(volume: &Volume, size: u64, by: By) -> Result<Activity, SegmentError> {
    let mut activity = Activity::new(by);
    for row in volume.segment()?.rows(..size, Projection::MetaOnly)? {
        offer(&mut activity, &(&row?).into());
    }
    Ok(activity)
}

fn offer(activity: &mut Activity, found: &Found<'_>) {
    if let Ok(event) = Event::from_stored(&found.meta, &[]) {
        activity.offer(found, &event);
    }
}

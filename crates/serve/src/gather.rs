//! The records of one thing, gathered for an answer that is made of all of them: within bounds of
//! number, memory and time.

use crate::app::App;
use crate::problem::Problem;
use query::{Filter, Found, Scope};
use reading::View;
use reading::answer::Unreadable;
use std::borrow::Cow;
use std::ops::ControlFlow;
use std::time::Instant;

/// What a caller may see, and until when it is worth looking.
#[derive(Clone, Copy)]
pub(crate) struct Sight {
    /// Content as well.
    pub(crate) content: bool,
    /// Not the log's own records of who read what.
    pub(crate) hides_access_records: bool,
    /// When the request is given up.
    pub(crate) until: Instant,
}

/// How much may be gathered.
#[derive(Clone, Copy)]
pub(crate) struct Room {
    pub(crate) records: usize,
    /// Of metadata and content.
    pub(crate) bytes: usize,
}

/// The records of one thing.
pub(crate) struct Gathered {
    pub(crate) scope: Scope,
    pub(crate) found: Vec<Found<'static>>,
    pub(crate) unreadable: Unreadable,
}

impl Sight {
    /// Of a caller who asks now.
    pub(crate) fn new(app: &App, content: bool, hides_access_records: bool) -> Self {
        Self { content, hides_access_records, until: Instant::now() + app.limits().answer }
    }

    /// Whether somebody still waits for the answer.
    ///
    /// # Errors
    /// 503.
    pub(crate) fn check_time(self) -> Result<(), Problem> {
        match Instant::now() < self.until {
            true => Ok(()),
            false => Err(Problem::busy("too_slow", "it took too long; ask for less")),
        }
    }

    /// A filter, of what the caller may see.
    pub(crate) fn of(self, filter: Filter) -> Filter {
        Filter { without_access_records: self.hides_access_records, ..filter }
    }

    /// A record, as far as the caller may see it.
    pub(crate) fn shown<'f>(self, found: &'f Found<'_>) -> Found<'f> {
        let content: &[u8] = if self.content { &found.content } else { &[] };
        Found { meta: Cow::Borrowed(&*found.meta), content: Cow::Borrowed(content), ..*found }
    }
}

/// The records of the first of these scopes that has any; `None` when none has.
///
/// # Errors
/// 413 when there is no room for them, 503 when it takes too long, and what reading says.
pub(crate) fn gather(
    view: &View,
    scopes: Vec<Scope>,
    sight: Sight,
    room: Room,
) -> Result<Option<Gathered>, Problem> {
    for scope in scopes {
        let (mut found, mut bytes) = (Vec::new(), 0usize);
        let unreadable = view.each::<Problem>(&sight.of(scope.filter()), &(), &mut |one| {
            sight.check_time()?;
            let one = sight.shown(one);
            bytes = bytes.saturating_add(one.meta.len() + one.content.len());
            if found.len() >= room.records || bytes > room.bytes {
                return Err(too_large(room));
            }
            found.push(one.to_owned());
            Ok(ControlFlow::Continue(()))
        })?;
        if !found.is_empty() {
            return Ok(Some(Gathered { scope, found, unreadable }));
        }
    }
    Ok(None)
}

fn too_large(room: Room) -> Problem {
    let Room { records, bytes } = room;
    let mib = bytes >> 20;
    Problem::too_large(format!(
        "it has more than {records} records or {mib} MiB, which is more than a server makes one \
         answer of; ask without content (content=0), page by page (.../events?trace=ID), or where the \
         log's folder is (`tacho --data`)"
    ))
}

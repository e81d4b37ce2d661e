//! What arrives in a log, wherever that is: frames of a journal, or a server's feed.

use crate::answer::Conclude as _;
use crate::context::Context;
use crate::failure::Failure;
use crate::remote::Remote;
use crate::remote::feed::{Came, Feed};
use crate::terminal::{DIM, DOUBTFUL, plain, styled};
use keys::Kek;
use query::{AsOf, Filter, Found, Sieve};
use reading::answer::{self, Unreadable};
use reading::{Follow, LogFolder, Reading};
use std::sync::Arc;
use std::time::Duration;

/// How often to look for new frames, and how long to wait for what a server sends.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A log that is being watched.
pub(super) struct Live<'l> {
    context: &'l Context,
    kind: Kind<'l>,
}

enum Kind<'l> {
    Folder(Box<Watched<'l>>),
    Server { remote: &'l Remote, feed: Feed },
}

/// A folder that is being watched.
struct Watched<'l> {
    log: &'l LogFolder,
    kek: &'l Arc<Kek>,
    follow: Follow<'l>,
    sieve: Sieve<'l>,
}

impl<'l> Live<'l> {
    /// Watches a folder, from the record `from` on.
    pub(super) fn of_folder(
        context: &'l Context,
        (log, kek): (&'l LogFolder, &'l Arc<Kek>),
        filter: &'l Filter,
        from: u64,
    ) -> Self {
        let (follow, sieve) = (Follow::new(log, kek, from), Sieve::new(filter));
        let watched = Box::new(Watched { log, kek, follow, sieve });
        Self { context, kind: Kind::Folder(watched) }
    }

    /// Listens to a server, from the record `from` on.
    pub(super) fn of_server(
        context: &'l Context,
        remote: &'l Remote,
        filter: &Filter,
        from: u64,
    ) -> Self {
        let feed = Feed::start(remote.clone(), filter, from);
        Self { context, kind: Kind::Server { remote, feed } }
    }

    /// Hands over what arrived since the last look, and waits a little when that is nothing.
    pub(super) fn look(&mut self, each: &mut dyn FnMut(&Found<'_>)) -> Result<(), Failure> {
        match &mut self.kind {
            Kind::Folder(watched) => {
                let Watched { follow, sieve, .. } = &mut **watched;
                let (mut bad, mut count) = (Unreadable::default(), 0);
                let polled = follow.poll(&mut |index, record| {
                    let found = answer::found(index, record);
                    match sieve.accepts(&found) {
                        Ok(true) => {
                            each(&found);
                            count += 1;
                        }
                        Ok(false) => {}
                        Err(error) => bad.add(index, 1, &error.to_string()),
                    }
                    Ok(())
                });
                bad.conclude(self.context);
                polled?;
                if count == 0 {
                    std::thread::sleep(LOOK_EVERY);
                }
                Ok(())
            }
            Kind::Server { remote, feed } => {
                let mut patience = LOOK_EVERY;
                while let Some(came) = feed.next(patience) {
                    take(self.context, remote, came, each)?;
                    // Whatever else is there already is shown at once.
                    patience = Duration::ZERO;
                }
                Ok(())
            }
        }
    }

    /// The published checkpoint of now, if it can be had.
    pub(super) fn head(&self) -> Option<AsOf> {
        match &self.kind {
            Kind::Folder(watched) => {
                let reading = Reading::open(watched.log.clone(), watched.kek);
                Some(answer::as_of(&reading.ok()?))
            }
            Kind::Server { remote, .. } => remote.head().ok(),
        }
    }
}

fn take(
    context: &Context,
    remote: &Remote,
    came: Came,
    each: &mut dyn FnMut(&Found<'_>),
) -> Result<(), Failure> {
    match came {
        Came::Record(found) => each(&found),
        Came::Missed(count) => context.terminal.note(format!(
            "{}: missed {count} records, more than the server sends again; `tacho events` shows them",
            styled(DOUBTFUL, "warning")
        )),
        Came::Lost(why) => context.terminal.note(format!(
            "{}: lost the connection to {} ({}); it is made again",
            styled(DOUBTFUL, "warning"),
            remote.address(),
            plain(&why)
        )),
        Came::Back => context.terminal.note(styled(DIM, "── connected again")),
        Came::Failed(failure) => return Err(failure),
    }
    Ok(())
}

//! What a command asks: a log's folder, or a server that has the log. One kind of answer for both,
//! so that what is printed is the same.
//!
//! A server that holds the data folder is not asked: whoever reads the folder has its key and sees
//! all of it anyway, the answer is the same, and it costs the server nothing
//! (docs/decisions/0033). Not here: where events go (`destination.rs`).

use crate::answer::Bar;
use crate::context::Context;
use crate::failure::Failure;
use crate::remote::Remote;
use crate::remote::questions::{Active, Page};
use crate::terminal::Terminal;
use query::{AsOf, By, Cursor, Filter, Found};
use reading::answer::{self, Unreadable};
use reading::{ReadError, View};
use std::ops::ControlFlow;
use std::sync::OnceLock;

/// Takes records one by one until it has enough.
type Each<'e> = &'e mut dyn FnMut(&Found<'_>) -> Result<ControlFlow<()>, Failure>;

/// A log to be asked.
pub(crate) struct Source {
    terminal: Terminal,
    kind: Kind,
}

/// Where a log is.
pub(crate) enum Place<'s> {
    Folder(&'s View),
    Server(&'s Remote),
}

enum Kind {
    Folder(Box<View>),
    Server {
        remote: Remote,
        /// The checkpoint of the first question; all others are asked as of it.
        as_of: OnceLock<AsOf>,
    },
}

impl Source {
    /// The server that is named, otherwise the folder.
    pub(crate) fn open(context: &Context) -> Result<Self, Failure> {
        let kind = match Remote::named(context)? {
            Some(remote) => return Ok(Self::at(remote, context.terminal)),
            None => Kind::Folder(Box::new(View::of(context.reading()?))),
        };
        Ok(Self { terminal: context.terminal, kind })
    }

    /// A server.
    pub(crate) fn at(remote: Remote, terminal: Terminal) -> Self {
        Self { terminal, kind: Kind::Server { remote, as_of: OnceLock::new() } }
    }

    /// A folder that is open already.
    pub(crate) fn of(view: View, terminal: Terminal) -> Self {
        Self { terminal, kind: Kind::Folder(Box::new(view)) }
    }

    /// Where it is, for what only one of the two can do.
    pub(crate) fn place(&self) -> Place<'_> {
        match &self.kind {
            Kind::Folder(view) => Place::Folder(view),
            Kind::Server { remote, .. } => Place::Server(remote),
        }
    }

    /// The checkpoint that answers are as of.
    pub(crate) fn as_of(&self) -> Result<AsOf, Failure> {
        match &self.kind {
            Kind::Folder(view) => Ok(view.as_of().clone()),
            Kind::Server { remote, as_of } => match as_of.get() {
                Some(known) => Ok(known.clone()),
                None => {
                    let head = remote.head()?;
                    Ok(as_of.get_or_init(|| head).clone())
                }
            },
        }
    }

    /// The records of a question, from `cursor` on.
    pub(crate) fn page(&self, filter: &Filter, cursor: Option<&Cursor>) -> Result<Page, Failure> {
        match &self.kind {
            Kind::Folder(view) => {
                let page = view.page(filter, cursor, &Bar::new(self.terminal))?;
                let reading::search::Page { as_of, found, next, unreadable } = page;
                Ok(Page { as_of, found, next, unreadable })
            }
            Kind::Server { remote, as_of } => {
                let page = remote.page(filter, cursor)?;
                as_of.get_or_init(|| page.as_of.clone());
                Ok(page)
            }
        }
    }

    /// All records of a question, oldest first, as they are found, as of [`Source::as_of`].
    pub(crate) fn each(&self, filter: &Filter, each: Each<'_>) -> Result<Unreadable, Failure> {
        self.each_with(filter, None, each)
    }

    /// The same; whether a server is asked for content. Without saying it gives what the caller may
    /// see.
    pub(crate) fn each_with(
        &self,
        filter: &Filter,
        content: Option<bool>,
        each: Each<'_>,
    ) -> Result<Unreadable, Failure> {
        let remote = match &self.kind {
            Kind::Folder(view) => return view.each(filter, &Bar::new(self.terminal), each),
            Kind::Server { remote, .. } => remote,
        };
        let filter = Filter { newest_first: false, limit: None, ..filter.clone() };
        let mut cursor = Some(Cursor::new(self.as_of()?.size, &filter, 0));
        let mut unreadable = Unreadable::default();
        while let Some(place) = cursor {
            let page = remote.one_page(&filter, Some(&place), None, content)?;
            for found in &page.found {
                if each(found)?.is_break() {
                    return Ok(unreadable);
                }
            }
            unreadable = unreadable.and(page.unreadable);
            cursor = page.next;
        }
        Ok(unreadable)
    }

    /// Who was active.
    pub(crate) fn activity(&self, by: By) -> Result<Active, Failure> {
        match &self.kind {
            Kind::Folder(view) => {
                let (activity, unreadable) = view.activity(by)?;
                let (beyond, as_of) = (activity.beyond(), view.as_of().clone());
                Ok(Active { as_of, lines: activity.finish(), beyond, unreadable })
            }
            Kind::Server { remote, .. } => remote.activity(by),
        }
    }

    /// Shows metadata of the newest records, oldest first: at most `count`, and of a server as many
    /// as one page holds. What cannot be read is left out.
    pub(crate) fn newest(
        &self,
        count: u64,
        each: &mut dyn FnMut(&Found<'_>),
    ) -> Result<(), Failure> {
        match &self.kind {
            Kind::Folder(view) => {
                let first = view.as_of().size.saturating_sub(count);
                // It is a hint in an error: damage is for other commands to tell.
                let _ = answer::scan::<ReadError>(view.reading(), first, &mut |found| {
                    each(found);
                    Ok(ControlFlow::Continue(()))
                });
            }
            Kind::Server { remote, .. } => {
                let filter = Filter { newest_first: true, ..Filter::default() };
                let count = usize::try_from(count).ok();
                let page = remote.one_page(&filter, None, count, Some(false))?;
                page.found.iter().rev().for_each(each);
            }
        }
        Ok(())
    }
}

//! `GET .../live`: what is added to a log, as it is added, as server-sent events.
//!
//! Whoever listens reads from the journal, beside the writer, which never notices. One thread a log
//! reads for everybody; who cannot keep up is told how much was missed, and may ask for it by
//! index. What is shown is acknowledged, and not always published yet.

use crate::app::App;
use crate::ask;
use crate::gate::Granted;
use crate::open_log::OpenLog;
use crate::problem::Problem;
use crate::question::Question;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream::{self, Stream};
use query::{Found, Sieve, row};
use reading::{Follow, answer};
use serde_json::json;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::{self, error::RecvError};

/// Records kept for those who are a little slow.
const KEPT: usize = 4_096;
/// How often the journal is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// Looks without anybody listening after which the thread ends.
const IDLE_LOOKS_MAX: u32 = 50;
/// Records that are read again for somebody who comes back; more are missed, and can be asked for.
const RESUMED_MAX: u64 = 20_000;
/// Bytes of those: what a page may have.
const RESUMED_BYTES_MAX: usize = 16 << 20;
/// How often a quiet feed says that it is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What is added to one log.
pub struct Feed {
    sender: broadcast::Sender<Arc<Found<'static>>>,
    is_running: AtomicBool,
    /// The index of the record that comes next.
    next: AtomicU64,
}

impl Default for Feed {
    fn default() -> Self {
        let (sender, _) = broadcast::channel(KEPT);
        Self { sender, is_running: AtomicBool::new(false), next: AtomicU64::new(0) }
    }
}

/// One who listens.
struct Listener {
    question: Question,
    content: bool,
    records: broadcast::Receiver<Arc<Found<'static>>>,
    /// Read again, and shown first.
    resumed: VecDeque<Arc<Found<'static>>>,
    missed: u64,
    /// The index of the first record to be shown.
    next: u64,
    metrics: App,
    _turn: OwnedSemaphorePermit,
}

/// Begins a feed; goes on behind `Last-Event-ID`, or at `?from_index=`.
pub(crate) async fn live(
    State(app): State<App>,
    granted: Granted,
    headers: HeaderMap,
    RawQuery(text): RawQuery,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let mut question = Question::parse(text.as_deref(), app.logs().now_ms(), &["from_index"])?;
    question.filter.without_access_records = ask::hides_access_records(&app, &granted);
    let content = ask::content(&app, &granted, question.content)?;
    if question.filter.text.is_some() && !content {
        return Err(ask::no_content(
            "text looks into content, which your credential does not show",
        ));
    }
    let turn = Arc::clone(app.feeds()).try_acquire_owned().map_err(|_| {
        Problem::busy("overloaded", "too many feeds are open; try again later").retry_after(10)
    })?;
    let from = resume_at(&headers, &question)?;
    let log = Arc::clone(granted.log()?);
    if content {
        let size = log.published_size_aside().await;
        ask::record(&granted, "live", question.described(), 0, size).await?;
    }
    let listen = move || listen(&log, from);
    let begun = tokio::task::spawn_blocking(listen).await.map_err(|_| Problem::internal())??;
    app.metrics().feed(true);
    let (records, resumed, missed, next) = begun;
    let ends = app.feeds_end();
    let listener =
        Listener { question, content, records, resumed, missed, next, metrics: app, _turn: turn };
    let events = stream::unfold((listener, ends), |(mut listener, mut ends)| async {
        let event = tokio::select! {
            event = listener.next() => event?,
            // Whoever listens comes back when the server does.
            _ = ends.changed() => return None,
        };
        Some((Ok(event), (listener, ends)))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

fn resume_at(headers: &HeaderMap, question: &Question) -> Result<Option<u64>, Problem> {
    let bad = || Problem::malformed("bad_parameter", "a place in the log is an index: a number");
    if let Some(last) = headers.get("last-event-id") {
        let last: u64 = last.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(bad)?;
        return Ok(Some(last.saturating_add(1)));
    }
    let given = question.more.first().map(|(_, value)| value.parse());
    given.transpose().map_err(|_| bad())
}

type Begun = (broadcast::Receiver<Arc<Found<'static>>>, VecDeque<Arc<Found<'static>>>, u64, u64);

/// Joins the feed, and reads what is to be shown before it.
fn listen(log: &Arc<OpenLog>, from: Option<u64>) -> Result<Begun, Problem> {
    let feed = log.feed();
    // First the place in the feed, so that nothing falls between it and what is read again.
    let records = feed.sender.subscribe();
    let joined = feed.run(log);
    let from = from.unwrap_or(joined).min(joined);
    let first = from.max(joined.saturating_sub(RESUMED_MAX));
    let mut resumed = Resumed::new(first);
    if first < joined {
        // Not all of it need be published yet, so it is read where the feed reads.
        let (folder, kek) = (log.folder(), log.kek());
        let mut follow = Follow::new(folder, kek, first);
        let read = follow.poll(&mut |index, record| {
            if index < joined {
                resumed.push(answer::found(index, record).to_owned());
            }
            Ok(())
        });
        read.map_err(|error| ask::problem(&error))?;
    }
    let Resumed { records: resumed, first, .. } = resumed;
    Ok((records, resumed, first - from, first))
}

/// The newest of what is read again, as much as fits.
struct Resumed {
    records: VecDeque<Arc<Found<'static>>>,
    bytes: usize,
    /// The index of the first of them.
    first: u64,
}

impl Resumed {
    fn new(first: u64) -> Self {
        Self { records: VecDeque::new(), bytes: 0, first }
    }

    fn push(&mut self, found: Found<'static>) {
        let size = |found: &Found<'_>| found.meta.len() + found.content.len() + size_of::<Self>();
        self.bytes += size(&found);
        self.records.push_back(Arc::new(found));
        while self.bytes > RESUMED_BYTES_MAX
            && let Some(oldest) = self.records.pop_front()
        {
            self.bytes -= size(&oldest);
            self.first = oldest.index + 1;
        }
    }
}

impl Feed {
    /// Sees to it that the thread runs; the index at which it goes on.
    fn run(&self, log: &Arc<OpenLog>) -> u64 {
        if self.is_running.swap(true, Ordering::AcqRel) {
            return self.next.load(Ordering::Acquire);
        }
        let from = log.published_size();
        self.next.store(from, Ordering::Release);
        let log = Arc::downgrade(log);
        let run = move || follow(&log, from);
        if std::thread::Builder::new().name("tacho-live".to_owned()).spawn(run).is_err() {
            self.is_running.store(false, Ordering::Release);
        }
        from
    }
}

/// Hands on what is added, until nobody listens any more.
fn follow(log: &Weak<OpenLog>, from: u64) {
    let Some(strong) = log.upgrade() else { return };
    let (folder, kek) = (strong.folder().clone(), Arc::clone(strong.kek()));
    drop(strong);
    let mut follow = Follow::new(&folder, &kek, from);
    let mut idle = 0;
    while let Some(log) = log.upgrade() {
        let feed = log.feed();
        let polled = follow.poll(&mut |index, record| {
            let found = Arc::new(answer::found(index, record).to_owned());
            feed.next.store(index + 1, Ordering::Release);
            // Nobody may be listening just now.
            let _ = feed.sender.send(found);
            Ok(())
        });
        idle = if feed.sender.receiver_count() == 0 { idle + 1 } else { 0 };
        // What cannot be read is for the questions to tell; the feed begins anew with who comes
        // next.
        if polled.is_err() || idle > IDLE_LOOKS_MAX {
            feed.is_running.store(false, Ordering::Release);
            return;
        }
        drop(log);
        std::thread::sleep(LOOK);
    }
}

impl Listener {
    /// What is sent next; waits until there is something.
    async fn next(&mut self) -> Option<Event> {
        if self.missed > 0 {
            return Some(missed(std::mem::take(&mut self.missed)));
        }
        loop {
            let found = match self.resumed.pop_front() {
                Some(found) => found,
                None => match self.records.recv().await {
                    Ok(found) => found,
                    Err(RecvError::Lagged(count)) => return Some(missed(count)),
                    Err(RecvError::Closed) => return None,
                },
            };
            if found.index < self.next || !self.wants(&found) {
                continue;
            }
            self.next = found.index + 1;
            let mut bytes = Vec::new();
            row::write_row(&found, self.content, &mut bytes);
            let text = String::from_utf8(bytes).unwrap_or_default();
            return Some(Event::default().id(found.index.to_string()).event("record").data(text));
        }
    }

    fn wants(&self, found: &Found<'_>) -> bool {
        Sieve::new(&self.question.filter).accepts(found).unwrap_or(false)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.metrics.metrics().feed(false);
    }
}

fn missed(count: u64) -> Event {
    Event::default().event("missed").data(json!({ "records": count }).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::{Kind, Tier};

    #[test]
    fn what_is_read_again_is_bounded_by_its_bytes_and_the_oldest_is_missed() {
        let found = |index| Found {
            index,
            recorded_at_ms: 0,
            tier: Tier::Info,
            kind: Kind::Event,
            leaf_hash: None,
            state: query::State::Present,
            meta: Vec::new().into(),
            content: vec![b'x'; 1 << 20].into(),
        };
        let mut resumed = Resumed::new(100);
        (100..110).for_each(|index| resumed.push(found(index)));
        assert_eq!((resumed.first, resumed.records.len()), (100, 10));
        (110..140).for_each(|index| resumed.push(found(index)));
        assert_eq!(resumed.records.len(), 15);
        assert_eq!(resumed.records.front().map(|it| it.index), Some(resumed.first));
        assert_eq!(resumed.first, 125);
    }
}

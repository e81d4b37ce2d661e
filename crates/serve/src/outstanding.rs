//! Answers that their peers have not taken yet: what they hold, and the end of those whose peers
//! take nothing.
//!
//! An HTTP/2 peer says how much it wants to be sent, and may say nothing at all, for ever; its
//! connection is alive meanwhile and answers pings. What an answer is made of lies in memory until
//! then. So every answer leaves in pieces that tell when they are gone (`Piece`), and whoever takes
//! none of it for a while loses its stream; its connection too, when the stream's end is not
//! enough. An HTTP/1 connection is its only stream.
//!
//! Not here: a connection whose socket takes nothing (`wire.rs`), and requests (`body.rs`).

use crate::limits::Limits;
use crate::problem::Problem;
use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

/// Bytes that are handed on at a time: a frame of HTTP/2, unless a peer asks for larger ones.
const PIECE_BYTES_MAX: usize = 16 << 10;
/// When there is no room, whoever has taken nothing for this long makes some.
const STALLED_MIN: Duration = Duration::from_secs(1);
/// A stream that was ended and is still there after this long takes its connection along: what it
/// handed on lies where only the connection's end reaches.
const END_MAX: Duration = Duration::from_secs(1);

tokio::task_local! {
    /// Ends the task that answers: a stream of HTTP/2, or a connection of HTTP/1.
    static STREAM: Arc<Notify>;
}

/// Runs what answers until it is over, or until one of its answers is given up.
pub(crate) fn mortal<T>(work: impl Future<Output = T>) -> impl Future<Output = ()> {
    // In a place of its own: each future around it would have room for it once more, and an idle
    // connection is nothing but that room.
    let work = Box::pin(work);
    async move {
        let end = Arc::new(Notify::new());
        tokio::select! {
            _ = STREAM.scope(Arc::clone(&end), work) => {}
            () = end.notified() => {}
        }
    }
}

/// Starts the streams of HTTP/2, each of which may be given up.
#[derive(Clone)]
pub(crate) struct Streams;

impl<F> hyper::rt::Executor<F> for Streams
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, stream: F) {
        drop(tokio::spawn(mortal(stream)));
    }
}

/// All answers of a server that are under way; cheap to clone.
#[derive(Clone)]
pub(crate) struct Outstanding(Arc<Shared>);

struct Shared {
    limits: Limits,
    begun: Instant,
    state: Mutex<State>,
    /// Streams and connections that were ended.
    ended: AtomicU64,
    /// So far a test is ahead of the time.
    #[cfg(test)]
    ahead_ms: AtomicU64,
}

#[derive(Default)]
struct State {
    next: u64,
    bytes: usize,
    answers: HashMap<u64, Arc<Progress>>,
}

/// A connection, as its answers know it.
#[derive(Default)]
pub(crate) struct Connection {
    end: Notify,
    bytes: AtomicUsize,
}

/// How far an answer has come.
struct Progress {
    /// Bytes that it holds, all told, until its last piece is gone.
    bytes: AtomicUsize,
    /// Bytes that were handed on and are not gone.
    handed: AtomicUsize,
    /// When its peer last took something, or was offered something after that; in milliseconds.
    moved_ms: AtomicU64,
    is_ended: AtomicBool,
    /// Who asks has shown a credential.
    is_known: AtomicBool,
    stream: Arc<Notify>,
    connection: Arc<Connection>,
}

/// One request and its answer, until the last piece of that is gone.
pub(crate) struct Turn {
    all: Outstanding,
    number: u64,
    progress: Arc<Progress>,
}

impl Outstanding {
    /// Nothing under way.
    pub(crate) fn new(limits: Limits) -> Self {
        Self(Arc::new(Shared {
            limits,
            begun: Instant::now(),
            state: Mutex::default(),
            ended: AtomicU64::new(0),
            #[cfg(test)]
            ahead_ms: AtomicU64::new(0),
        }))
    }

    /// Begins to answer a request; nothing when too many are under way.
    pub(crate) fn begin(&self, connection: &Arc<Connection>) -> Option<Arc<Turn>> {
        let stream = STREAM.try_with(Arc::clone).unwrap_or_default();
        let mut state = self.state();
        if state.answers.len() >= self.0.limits.requests {
            self.make_room(&state, 0);
            return None;
        }
        let number = state.next;
        state.next += 1;
        let progress = Arc::new(Progress {
            bytes: AtomicUsize::new(0),
            handed: AtomicUsize::new(0),
            moved_ms: AtomicU64::new(self.now_ms()),
            is_ended: AtomicBool::new(false),
            is_known: AtomicBool::new(false),
            stream,
            connection: Arc::clone(connection),
        });
        state.answers.insert(number, Arc::clone(&progress));
        Some(Arc::new(Turn { all: self.clone(), number, progress }))
    }

    /// Ends whoever takes too long. To be called a few times in that span.
    pub(crate) fn tend(&self) {
        let (now_ms, write_ms) = (self.now_ms(), milliseconds(self.0.limits.write));
        for progress in self.state().answers.values() {
            let stalled_ms = progress.stalled_ms(now_ms);
            let is_over = match progress.is_ended.load(Ordering::Relaxed) {
                true => stalled_ms.is_some_and(|it| it >= milliseconds(END_MAX)),
                false => stalled_ms.is_some_and(|it| it >= write_ms),
            };
            if is_over {
                self.end(progress, now_ms);
            }
        }
    }

    /// Does that for as long as the server runs.
    pub(crate) async fn run(self) {
        let every = (self.0.limits.write / 8).clamp(Duration::from_millis(50), STALLED_MIN);
        loop {
            sleep(every).await;
            self.tend();
        }
    }

    /// Bytes that answers hold, and how many streams and connections were ended for it.
    pub(crate) fn figures(&self) -> (u64, u64) {
        (self.state().bytes as u64, self.0.ended.load(Ordering::Relaxed))
    }

    /// Ends those who have taken nothing for longest, until `bytes` are free or nobody is left who
    /// takes nothing. What they hold goes a little later.
    fn make_room(&self, state: &State, bytes: usize) {
        let now_ms = self.now_ms();
        let is_slow = |it: &u64| *it >= milliseconds(STALLED_MIN);
        let mut slow: Vec<(u64, &Progress)> = (state.answers.values())
            .filter(|it| !it.is_ended.load(Ordering::Relaxed))
            .filter_map(|it| Some((it.stalled_ms(now_ms).filter(is_slow)?, &**it)))
            .collect();
        slow.sort_by_key(|(stalled_ms, _)| std::cmp::Reverse(*stalled_ms));
        let mut free = self.0.limits.answer_bytes.saturating_sub(state.bytes);
        for (_, progress) in slow {
            self.end(progress, now_ms);
            free += progress.bytes.load(Ordering::Relaxed);
            if free > bytes {
                return;
            }
        }
    }

    fn end(&self, progress: &Progress, now_ms: u64) {
        if progress.is_ended.swap(true, Ordering::Relaxed) {
            progress.connection.end.notify_one();
        } else {
            progress.moved_ms.store(now_ms, Ordering::Relaxed);
            progress.stream.notify_one();
        }
        self.0.ended.fetch_add(1, Ordering::Relaxed);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now_ms(&self) -> u64 {
        let now_ms = milliseconds(self.0.begun.elapsed());
        #[cfg(test)]
        let now_ms = now_ms + self.0.ahead_ms.load(Ordering::Relaxed);
        now_ms
    }
}

impl Connection {
    /// Waits until the connection is to end.
    pub(crate) async fn ended(&self) {
        self.end.notified().await;
    }
}

impl Progress {
    /// For how long its peer has taken nothing of what is there for it.
    fn stalled_ms(&self, now_ms: u64) -> Option<u64> {
        let moved_ms = self.moved_ms.load(Ordering::Relaxed);
        (self.handed.load(Ordering::Relaxed) > 0).then(|| now_ms.saturating_sub(moved_ms))
    }
}

impl Turn {
    /// Whether there is room for any answer at all; to be asked before something is done, because
    /// its answer is not refused any more.
    ///
    /// # Errors
    /// 503.
    pub(crate) fn check_room(&self) -> Result<(), Problem> {
        let state = self.all.state();
        if state.bytes < self.all.0.limits.answer_bytes {
            return Ok(());
        }
        self.all.make_room(&state, 0);
        Err(no_room())
    }

    /// Notes that who asks has shown a credential.
    pub(crate) fn know(&self) {
        self.progress.is_known.store(true, Ordering::Relaxed);
    }

    /// Whether who asks has shown one.
    pub(crate) fn is_known(&self) -> bool {
        self.progress.is_known.load(Ordering::Relaxed)
    }

    /// Counts what an answer holds. One that tells of what was done (`is_done`) is never refused.
    ///
    /// # Errors
    /// 503 when answers hold too much already: all of them, or those of this connection.
    pub(crate) fn hold(&self, bytes: usize, is_done: bool) -> Result<(), Problem> {
        let limits = &self.all.0.limits;
        let mut state = self.all.state();
        let of_connection = &self.progress.connection.bytes;
        let before = of_connection.load(Ordering::Relaxed);
        // One alone may be larger than all of them together should be, and counts as much as may.
        let bytes = bytes.min(limits.connection_answer_bytes);
        if !is_done && before + bytes > limits.connection_answer_bytes {
            return Err(no_room());
        }
        if state.bytes + bytes > limits.answer_bytes {
            self.all.make_room(&state, bytes);
            if !is_done {
                return Err(no_room());
            }
        }
        state.bytes += bytes;
        of_connection.fetch_add(bytes, Ordering::Relaxed);
        self.progress.bytes.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }

    /// A piece of the answer on its way to the peer.
    fn hand_on(self: &Arc<Self>, bytes: Bytes) -> Bytes {
        if self.progress.handed.fetch_add(bytes.len(), Ordering::Relaxed) == 0 {
            self.progress.moved_ms.store(self.all.now_ms(), Ordering::Relaxed);
        }
        Bytes::from_owner(Piece { bytes, turn: Arc::clone(self) })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let bytes = self.progress.bytes.load(Ordering::Relaxed);
        self.progress.connection.bytes.fetch_sub(bytes, Ordering::Relaxed);
        let mut state = self.all.state();
        state.bytes -= bytes;
        state.answers.remove(&self.number);
    }
}

/// A part of an answer, which says when it is gone.
struct Piece {
    bytes: Bytes,
    turn: Arc<Turn>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let progress = &self.turn.progress;
        progress.handed.fetch_sub(self.bytes.len(), Ordering::Relaxed);
        // One that was ended shows by what is left of it that its end was not enough.
        if !progress.is_ended.load(Ordering::Relaxed) {
            progress.moved_ms.store(self.turn.all.now_ms(), Ordering::Relaxed);
        }
    }
}

/// An answer's body, in pieces.
pub(crate) struct Pieces {
    body: Body,
    rest: Bytes,
    turn: Arc<Turn>,
}

impl Pieces {
    /// The body of the answer of this turn.
    pub(crate) fn new(body: Body, turn: Arc<Turn>) -> Self {
        Self { body, rest: Bytes::new(), turn }
    }
}

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => frame,
                other => return Poll::Ready(other),
            };
            match frame.into_data() {
                Ok(data) => self.rest = data,
                Err(other) => return Poll::Ready(Some(Ok(other))),
            }
        }
        let length = self.rest.len().min(PIECE_BYTES_MAX);
        let piece = self.rest.split_to(length);
        Poll::Ready(Some(Ok(Frame::data(self.turn.hand_on(piece)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (of_body, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(of_body.lower().saturating_add(rest));
        if let Some(upper) = of_body.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn no_room() -> Problem {
    Problem::busy(
        "overloaded",
        "answers that nobody takes hold too much memory; take yours, or ask again in a moment",
    )
}

#[cfg(test)]
mod tests;

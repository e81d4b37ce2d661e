//! A connection that gets on, or ends: with what hyper leaves to its callers.
//!
//! hyper closes a connection whose request head does not come (`server.rs`), but only once it knows
//! which version of HTTP is spoken, for which the first bytes have to be there; and it waits for
//! ever for a peer that does not read.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// What an HTTP/2 connection begins with (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection with deadlines.
pub(crate) struct Wire<S> {
    io: S,
    /// Until it is known which version is spoken: bytes of the preface that came, and how long the
    /// rest may take.
    opening: Option<(usize, Pin<Box<Sleep>>)>,
    /// Since its peer has taken nothing.
    stalled: Option<Pin<Box<Sleep>>>,
    write_max: Duration,
}

impl<S> Wire<S> {
    /// `head_max`: how long the first bytes may take; `write_max`: how long nothing may be taken.
    pub(crate) fn new(io: S, head_max: Duration, write_max: Duration) -> Self {
        let opening = Some((0, Box::pin(sleep(head_max))));
        Self { io, opening, stalled: None, write_max }
    }

    /// Notes what came.
    fn came(&mut self, bytes: &[u8]) {
        let Some((known, _)) = &mut self.opening else { return };
        let rest = PREFACE.get(*known..).unwrap_or_default();
        let length = rest.len().min(bytes.len());
        *known += length;
        if rest.get(..length) != bytes.get(..length) || *known == PREFACE.len() {
            // HTTP/1, whose head hyper waits for; or HTTP/2, whose peer hyper pings.
            self.opening = None;
        }
    }

    /// Ends a writing that takes too long.
    fn patience<T>(
        &mut self,
        context: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.stalled = None;
            return outcome;
        }
        let write_max = self.write_max;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(write_max)));
        ready!(stalled.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.io).poll_read(context, buffer);
        if outcome.is_ready() {
            self.came(buffer.filled().get(before..).unwrap_or_default());
            return outcome;
        }
        let Some((_, deadline)) = &mut self.opening else { return Poll::Pending };
        ready!(deadline.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write(context, bytes);
        self.patience(context, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write_vectored(context, pieces);
        self.patience(context, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.io).poll_flush(context);
        self.patience(context, outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.io).poll_shutdown(context);
        self.patience(context, outcome)
    }
}

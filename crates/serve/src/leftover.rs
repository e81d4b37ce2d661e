//! What still comes of a request that is answered already: read on for a while, and thrown away.
//!
//! Over HTTP/1 a request that is refused early goes on coming. If its connection were closed at
//! once, what comes then would be answered by a reset, which takes the answer along before its peer
//! has read it (RFC 9112, section 9.6): who was to come again in a second hears of a broken
//! connection instead. So the rest is read, as far as the longest body goes, without keeping any of
//! it, while the answer is on its way. HTTP/2 ends a stream without that.
//!
//! Not here: bodies that somebody wants (`body.rs`).

use crate::body::BODY_BYTES_MAX;
use crate::limits::Limits;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

/// Bytes that are read on of one request.
const BYTES_MAX: u64 = BODY_BYTES_MAX as u64;
/// The same when nobody knows who sends it.
const STRANGER_BYTES_MAX: u64 = 256 << 10;
/// So many requests are read on at the same time: each takes what hyper reads at once, twice.
const REQUESTS_MAX: usize = 1_024;
/// The same of those of whom nobody knows who sends them, so that they cannot take the others'
/// places, or memory.
const STRANGER_REQUESTS_MAX: usize = 16;
/// When nothing comes for so long, nothing will.
const QUIET_MAX: Duration = Duration::from_secs(5);

/// How much is read on; cheap to clone.
#[derive(Clone)]
pub(crate) struct Leftovers {
    known: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
    longest: Duration,
}

/// Where a body comes to lie that was given up before its end.
pub(crate) struct GivenUp(Arc<Mutex<Option<Rest>>>);

/// A body that was given up.
struct Rest {
    body: Incoming,
    /// Its sender was told to send it, or never waited for that.
    is_wanted: bool,
}

/// A body that comes back when it is given up.
pub(crate) struct Watched {
    rest: Option<Rest>,
    given_up: Arc<Mutex<Option<Rest>>>,
}

impl Leftovers {
    /// Nothing is read on yet.
    pub(crate) fn new(limits: &Limits) -> Self {
        let (known, strangers) = (REQUESTS_MAX, STRANGER_REQUESTS_MAX);
        let room = |requests| Arc::new(Semaphore::new(requests));
        Self { known: room(known), strangers: room(strangers), longest: limits.body }
    }

    /// Sees to what was given up of the request that `response` answers.
    pub(crate) fn see_to<B>(&self, given_up: &GivenUp, is_known: bool, response: &mut Response<B>) {
        let rest = given_up.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Rest { body, is_wanted }) = rest else { return };
        let (room, most) = match is_known {
            true => (&self.known, BYTES_MAX),
            false => (&self.strangers, STRANGER_BYTES_MAX),
        };
        // Who waits to be told sends nothing; who is too slow will not be quicker now.
        let is_hopeless = !is_wanted || response.status() == StatusCode::REQUEST_TIMEOUT;
        let place = Arc::clone(room).try_acquire_owned().ok().filter(|_| !is_hopeless);
        if place.is_none() || body.size_hint().upper().is_none_or(|bytes| bytes > most) {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        let Some(place) = place else { return };
        let until = Instant::now() + self.longest;
        tokio::spawn(async move {
            let _place = place;
            discard(body, most, until).await;
        });
    }
}

/// A body, and where it comes to lie when it is given up; `headers`: those of its request.
pub(crate) fn watch(body: Incoming, headers: &HeaderMap) -> (Watched, GivenUp) {
    let given_up = Arc::<Mutex<Option<Rest>>>::default();
    let is_wanted = !headers.contains_key(header::EXPECT);
    let rest = Some(Rest { body, is_wanted });
    (Watched { rest, given_up: Arc::clone(&given_up) }, GivenUp(given_up))
}

async fn discard(mut body: Incoming, most: u64, until: Instant) {
    let mut bytes = 0;
    while bytes <= most {
        let quiet = (Instant::now() + QUIET_MAX).min(until);
        match timeout_at(quiet, body.frame()).await {
            Ok(Some(Ok(frame))) => bytes += frame.data_ref().map_or(0, |data| data.len() as u64),
            _ => return,
        }
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(rest) = &mut self.rest else { return Poll::Ready(None) };
        rest.is_wanted = true;
        let polled = Pin::new(&mut rest.body).poll_frame(context);
        if let Poll::Ready(None | Some(Err(_))) = &polled {
            self.rest = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.rest.as_ref().is_none_or(|rest| rest.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.rest.as_ref().map_or_else(|| SizeHint::with_exact(0), |rest| rest.body.size_hint())
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let Some(rest) = self.rest.take().filter(|rest| !rest.body.is_end_stream()) else { return };
        *self.given_up.lock().unwrap_or_else(PoisonError::into_inner) = Some(rest);
    }
}

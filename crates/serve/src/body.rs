//! Request bodies: read with a deadline, inflated with a cap, and never more of them in memory than
//! a budget allows.
//!
//! One place for every door that takes bodies, so that no format has a cap of its own to forget.
//! Not here: what the bytes mean.

use crate::problem::Problem;
use crate::region::Region;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use std::io::{BufRead as _, BufReader, Read};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};
use zstd::zstd_safe::zstd_sys::ZSTD_ErrorCode;
use zstd::zstd_safe::{self, DCtx};

/// Bytes of one body as sent, and inflated: what a batch may hold.
pub const BODY_BYTES_MAX: usize = event::limits::BATCH_BYTES_MAX;
/// Bytes of bodies that are not events.
pub(crate) const SMALL_BYTES_MAX: usize = 1 << 20;
/// Bytes of bodies in memory, all requests together: what a batch may hold, and what that is once
/// it is packed eight to one. So this is also what one body may have, packed and inflated.
const BUDGET_BYTES: usize = 36 << 20;
/// Bytes of a packed body as sent.
const PACKED_BYTES_MAX: usize = 8 << 20;
/// The budget is counted in pieces of this many bytes.
const UNIT_BYTES: usize = 16 << 10;
/// Of what a request says that it will send, this much gets room before any of it is read: what
/// there is no room for is refused then, and not when half of it is there.
const AHEAD_BYTES_MAX: usize = 8 << 20;
/// Room for what does not come is kept for this part of the time that it may take to come:
/// announcing costs nothing.
const AHEAD_PART: u32 = 15;
/// What zstd is given room for when a frame does not say how large it is: so many times its bytes,
/// and then four times as much, and so on.
const UNFOLDS_USUALLY: usize = 16;
/// The least of that.
const UNFOLDED_BYTES_MIN: usize = 64 << 10;
/// How long a packed body waits for its turn to be inflated.
const TURN_MAX: Duration = Duration::from_secs(5);
/// Inflating more than this many packed bytes is not done on a thread that serves connections: they
/// may become a thousand times as many.
const INLINE_BYTES_MAX: usize = 4 << 10;

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// As it is.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

/// Room for bodies in memory, and how long one may take.
#[derive(Clone)]
pub struct Budget {
    units: Arc<Semaphore>,
    /// Bodies that are inflated at the same time: what unfolds takes memory before it is known how
    /// much there will be of it.
    turns: Arc<Semaphore>,
    /// Decoders, which are used again: as many as there are turns at most.
    contexts: Arc<Mutex<Vec<DCtx<'static>>>>,
    /// A body has to arrive within this time, however slowly its sender writes.
    arrival_max: Duration,
}

/// A body, inflated, and its room.
pub struct Received {
    bytes: Bytes,
    _room: Room,
}

impl std::ops::Deref for Received {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Received {
    /// The bytes, shared; their room is taken for as long as this lives.
    #[must_use]
    pub fn bytes(&self) -> Bytes {
        self.bytes.clone()
    }

    /// The same without its first `bytes` bytes.
    #[must_use]
    pub fn part(mut self, bytes: usize) -> Self {
        let end = bytes.min(self.bytes.len());
        drop(self.bytes.split_to(end));
        self
    }
}

/// Room taken so far.
struct Room {
    budget: Budget,
    permit: Option<OwnedSemaphorePermit>,
    units: usize,
}

impl Budget {
    /// For bodies that arrive within this time.
    #[must_use]
    pub fn new(arrival_max: Duration) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            units: Arc::new(Semaphore::new(BUDGET_BYTES / UNIT_BYTES)),
            turns: Arc::new(Semaphore::new((cores / 2).clamp(1, 4))),
            contexts: Arc::default(),
            arrival_max,
        }
    }

    fn room(&self) -> Room {
        Room { budget: self.clone(), permit: None, units: 0 }
    }
}

impl Room {
    /// Takes what is missing to `bytes`.
    fn grow(&mut self, bytes: usize) -> Result<(), Problem> {
        let wanted = bytes.div_ceil(UNIT_BYTES);
        let Some(more) = wanted.checked_sub(self.units).filter(|more| *more > 0) else {
            return Ok(());
        };
        let units = u32::try_from(more).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.budget.units)
            .try_acquire_many_owned(units)
            .map_err(|_| overloaded())?;
        match &mut self.permit {
            Some(all) => all.merge(permit),
            None => self.permit = Some(permit),
        }
        self.units = wanted;
        Ok(())
    }

    /// Gives back what is more than for `bytes`.
    fn shrink(&mut self, bytes: usize) {
        let left = bytes.div_ceil(UNIT_BYTES).min(self.units);
        drop(self.permit.as_mut().and_then(|all| all.split(self.units - left)));
        self.units = left;
    }
}

impl Coding {
    /// What `Content-Encoding` says.
    ///
    /// # Errors
    /// 415 for any other coding, and for several, one inside the other.
    pub fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut all = headers.get_all(header::CONTENT_ENCODING).iter();
        let first = all.next().map(|value| value.as_bytes().trim_ascii().to_ascii_lowercase());
        match (first.as_deref(), all.next()) {
            (None | Some(b"" | b"identity"), None) => Ok(Self::Identity),
            (Some(b"gzip" | b"x-gzip"), None) => Ok(Self::Gzip),
            (Some(b"zstd"), None) => Ok(Self::Zstd),
            _ => Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_encoding",
                "the body may be plain, gzip or zstd (Content-Encoding), packed once",
            )),
        }
    }
}

/// Reads a body to its end and inflates it.
///
/// # Errors
/// 408 when it does not arrive in time, 413 when it is too long, 415 or 400 when its coding is
/// unknown or broken, 503 when there is no room.
pub async fn receive(
    budget: &Budget,
    headers: &HeaderMap,
    body: Body,
) -> Result<Received, Problem> {
    let coding = Coding::of(headers)?;
    let max = if coding == Coding::Identity { BODY_BYTES_MAX } else { PACKED_BYTES_MAX };
    let (bytes, room) = collect(budget, headers, body, max).await?;
    unpack(budget, coding, Received { bytes, _room: room }).await
}

/// The same for what is no list of events: a name, a statement, a call.
///
/// # Errors
/// As [`receive`].
pub(crate) async fn receive_small(
    budget: &Budget,
    headers: &HeaderMap,
    body: Body,
) -> Result<Received, Problem> {
    let received = receive(budget, headers, body).await?;
    match received.len() <= SMALL_BYTES_MAX {
        true => Ok(received),
        false => Err(Problem::too_large("such a request holds at most 1 MiB")),
    }
}

/// Inflates what was received.
///
/// # Errors
/// 413 when it is too long, 400 when it is broken, 503 when there is no room.
pub async fn unpack(
    budget: &Budget,
    coding: Coding,
    packed: Received,
) -> Result<Received, Problem> {
    if coding == Coding::Identity {
        return Ok(packed);
    }
    if packed.len() <= INLINE_BYTES_MAX
        && let Ok(_turn) = budget.turns.try_acquire()
    {
        return inflate(budget, coding, &packed);
    }
    let turn = timeout(TURN_MAX, Arc::clone(&budget.turns).acquire_owned()).await;
    let Ok(Ok(turn)) = turn else { return Err(overloaded()) };
    let budget = budget.clone();
    let work = move || {
        let _turn = turn;
        inflate(&budget, coding, &packed)
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| Problem::internal())?
}

async fn collect(
    budget: &Budget,
    headers: &HeaderMap,
    mut body: Body,
    max: usize,
) -> Result<(Bytes, Room), Problem> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let announced = length.and_then(|text| text.parse::<usize>().ok());
    if announced.is_some_and(|bytes| bytes > max) {
        return Err(too_large());
    }
    let mut room = budget.room();
    room.grow(announced.unwrap_or_default().min(AHEAD_BYTES_MAX))?;
    let begun = Instant::now();
    let until = begun + budget.arrival_max;
    let mut ahead_until = Some(begun + budget.arrival_max / AHEAD_PART);
    let mut first = Bytes::new();
    let mut whole = Region::new();
    loop {
        let Ok(frame) = timeout_at(ahead_until.unwrap_or(until), body.frame()).await else {
            if ahead_until.take().is_none() {
                return Err(too_slow());
            }
            // From here on it gets room as it comes.
            room.shrink(first.len() + whole.len());
            continue;
        };
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|_| {
            Problem::malformed("broken_body", "the body broke off; send the request again")
        })?;
        let Ok(data) = frame.into_data() else { continue };
        let length = first.len() + whole.len() + data.len();
        if length > max {
            return Err(too_large());
        }
        room.grow(length)?;
        // Most bodies come in one piece, and need not be copied.
        if first.is_empty() && whole.len() == 0 {
            first = data;
            continue;
        }
        for piece in [std::mem::take(&mut first), data] {
            whole.push(&piece, BODY_BYTES_MAX).map_err(|_| overloaded())?;
        }
    }
    Ok((if whole.len() == 0 { first } else { whole.into_bytes() }, room))
}

fn inflate(budget: &Budget, coding: Coding, packed: &[u8]) -> Result<Received, Problem> {
    // What is left beside the packed one, and is there for nobody else either.
    let max = BODY_BYTES_MAX.min(BUDGET_BYTES.saturating_sub(packed.len() + UNIT_BYTES));
    let (bytes, room) = match coding {
        Coding::Identity => read_capped(budget, max, packed)?,
        Coding::Gzip => read_capped(budget, max, flate2::read::MultiGzDecoder::new(packed))?,
        Coding::Zstd => {
            let context = budget.contexts.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut context = context.unwrap_or_else(DCtx::create);
            let outcome = unfold(budget, max, &mut context, packed);
            budget.contexts.lock().unwrap_or_else(PoisonError::into_inner).push(context);
            outcome?
        }
    };
    Ok(Received { bytes, _room: room })
}

/// Decodes zstd straight into its place: what is there already is the decoder's window, which would
/// otherwise be up to 8 MiB beside it. So there must be room before it is known for how much.
fn unfold(
    budget: &Budget,
    max: usize,
    context: &mut DCtx<'_>,
    packed: &[u8],
) -> Result<(Bytes, Room), Problem> {
    let said = zstd_safe::get_frame_content_size(packed).ok().flatten();
    let said = said.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    if said.is_some_and(|bytes| bytes > max) {
        return Err(too_large());
    }
    let usual = packed.len().saturating_mul(UNFOLDS_USUALLY).max(UNFOLDED_BYTES_MIN);
    let mut capacity = said.unwrap_or(usual).min(max);
    let mut room = budget.room();
    loop {
        room.grow(capacity)?;
        let decode = |bytes: &mut [u8]| context.decompress(bytes, packed).map_err(Some);
        match Region::filled(capacity, None, decode) {
            Ok(region) => {
                room.shrink(region.len());
                return Ok((region.into_bytes(), room));
            }
            Err(Some(code)) if code == TOO_SMALL && capacity < max => {
                capacity = capacity.max(UNFOLDED_BYTES_MIN).saturating_mul(4).min(max);
            }
            Err(Some(code)) if code == TOO_SMALL => return Err(too_large()),
            Err(Some(code)) => return Err(broken(zstd_safe::get_error_name(code))),
            Err(None) => return Err(overloaded()),
        }
    }
}

/// What zstd says when there was no room for all of it.
const TOO_SMALL: usize = (ZSTD_ErrorCode::ZSTD_error_dstSize_tooSmall as usize).wrapping_neg();

/// Reads to the end, taking room as it goes, and stops at the cap.
fn read_capped(budget: &Budget, max: usize, from: impl Read) -> Result<(Bytes, Room), Problem> {
    let mut room = budget.room();
    let mut reader = BufReader::with_capacity(UNIT_BYTES, from);
    let mut bytes = Region::new();
    loop {
        let piece = reader.fill_buf().map_err(|error| broken(&error.to_string()))?;
        if piece.is_empty() {
            return Ok((bytes.into_bytes(), room));
        }
        if bytes.len() + piece.len() > max {
            return Err(too_large());
        }
        let length = piece.len();
        room.grow(bytes.len() + length)?;
        bytes.push(piece, max).map_err(|_| overloaded())?;
        reader.consume(length);
    }
}

fn broken(error: &str) -> Problem {
    Problem::malformed(
        "broken_encoding",
        format!("the body is not what Content-Encoding says: {error}"),
    )
}

fn too_slow() -> Problem {
    Problem::new(
        StatusCode::REQUEST_TIMEOUT,
        "too_slow",
        "the body did not arrive in time; send smaller batches",
    )
}

fn overloaded() -> Problem {
    Problem::busy("overloaded", "too many large requests are under way; send it again in a moment")
}

fn too_large() -> Problem {
    Problem::too_large(
        "a request holds at most 32 MiB inflated, 8 MiB packed, and 36 MiB both together; split it into \
         several batches",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use futures::{FutureExt as _, StreamExt as _};
    use std::convert::Infallible;
    use std::io::Write as _;

    fn budget() -> Budget {
        Budget::new(Duration::from_secs(30))
    }

    fn headers(coding: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::CONTENT_ENCODING, HeaderValue::from_static(coding))])
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[tokio::test]
    async fn plain_gzip_and_zstd_give_the_same_bytes() {
        let text = b"{\"event_type\":\"a\"}\n".repeat(9_000);
        let budget = budget();
        for (coding, packed) in [
            ("identity", text.clone()),
            ("gzip", gzip(&text)),
            ("zstd", zstd::encode_all(&*text, 1).unwrap()),
        ] {
            let got = receive(&budget, &headers(coding), Body::from(packed)).await;
            assert!(*got.unwrap_or_else(|problem| panic!("{coding}: {problem:?}")) == *text);
        }
        assert_eq!(budget.units.available_permits(), BUDGET_BYTES / UNIT_BYTES);
    }

    #[tokio::test]
    async fn a_bomb_is_refused_before_it_unfolds() {
        let budget = budget();
        let zeros = vec![0; BODY_BYTES_MAX + 1];
        for (coding, packed) in
            [("gzip", gzip(&zeros)), ("zstd", zstd::encode_all(&*zeros, 1).unwrap())]
        {
            assert!(packed.len() < 100_000);
            let refused = receive(&budget, &headers(coding), Body::from(packed)).await;
            assert_eq!(refused.err().unwrap().status, StatusCode::PAYLOAD_TOO_LARGE, "{coding}");
        }
        assert_eq!(budget.units.available_permits(), BUDGET_BYTES / UNIT_BYTES);
    }

    #[tokio::test]
    async fn zstd_is_unfolded_whether_or_not_it_says_how_large_it_is() {
        let budget = budget();
        let text: Vec<u8> = (0..=255).cycle().take(9_000_000).collect();
        let mut encoder = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
        encoder.write_all(&text).unwrap();
        let silent = encoder.finish().unwrap();
        let said = zstd::bulk::compress(&text, 1).unwrap();
        let small = zstd::bulk::compress(&text[..100], 1).unwrap();
        let frames = [&small[..], &silent].concat();
        let end = [&text[..100], &text].concat();
        for (packed, whole) in [(silent, &text), (said, &text), (frames, &end)] {
            let got = receive(&budget, &headers("zstd"), Body::from(packed)).await.unwrap();
            assert!(*got == **whole);
            let left = BUDGET_BYTES / UNIT_BYTES - whole.len().div_ceil(UNIT_BYTES);
            assert_eq!(budget.units.available_permits(), left, "no more room than it takes");
        }
        let nothing = zstd::bulk::compress(&[], 1).unwrap();
        assert!(receive(&budget, &headers("zstd"), Body::from(nothing)).await.unwrap().is_empty());
        assert_eq!(budget.units.available_permits(), BUDGET_BYTES / UNIT_BYTES);
    }

    #[tokio::test]
    async fn what_never_fits_is_too_large_and_not_told_to_come_again() {
        let budget = budget();
        let mut state = 1_u64;
        let mut noise = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        };
        let mut bytes: Vec<u8> = (0..6 << 20).map(|_| noise()).collect();
        for (mebibytes, status) in [(31, Some(StatusCode::PAYLOAD_TOO_LARGE)), (29, None)] {
            bytes.resize(mebibytes << 20, b' ');
            for (coding, packed) in
                [("gzip", gzip(&bytes)), ("zstd", zstd::encode_all(&*bytes, 1).unwrap())]
            {
                assert!(packed.len() < PACKED_BYTES_MAX);
                let got = receive(&budget, &headers(coding), Body::from(packed)).await;
                assert_eq!(got.err().map(|it| it.status), status, "{coding} {mebibytes}");
            }
        }
    }

    #[tokio::test]
    async fn broken_and_unknown_codings_are_told_apart() {
        let budget = budget();
        for (coding, status) in [
            ("gzip", StatusCode::BAD_REQUEST),
            ("zstd", StatusCode::BAD_REQUEST),
            ("br", StatusCode::UNSUPPORTED_MEDIA_TYPE),
            ("gzip, gzip", StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ] {
            let refused = receive(&budget, &headers(coding), Body::from("not packed")).await;
            assert_eq!(refused.err().unwrap().status, status, "{coding}");
        }
    }

    #[tokio::test]
    async fn what_is_announced_gets_room_or_is_refused_before_any_of_it_is_read() {
        let budget = budget();
        let announced = |bytes: usize| {
            HeaderMap::from_iter([(header::CONTENT_LENGTH, HeaderValue::from(bytes))])
        };
        let never = || Body::from_stream(futures::stream::pending::<Result<Bytes, Infallible>>());
        let whole = BUDGET_BYTES / UNIT_BYTES;
        let headers = announced(1 << 20);
        let mut first = Box::pin(receive(&budget, &headers, never()));
        assert!((&mut first).now_or_never().is_none());
        let left = whole - (1 << 20) / UNIT_BYTES;
        assert_eq!(budget.units.available_permits(), left);
        let _rest = budget.units.try_acquire_many(u32::try_from(left - 1).unwrap()).unwrap();
        let headers = announced(UNIT_BYTES + 1);
        let second = receive(&budget, &headers, never()).now_or_never();
        assert_eq!(second.unwrap().err().unwrap().status, StatusCode::SERVICE_UNAVAILABLE);
        let headers = announced(UNIT_BYTES);
        assert!(receive(&budget, &headers, never()).now_or_never().is_none());
    }

    #[tokio::test]
    async fn whoever_announces_much_and_sends_nothing_holds_nothing_for_long() {
        let budget = Budget::new(Duration::from_millis(600));
        let headers =
            HeaderMap::from_iter([(header::CONTENT_LENGTH, HeaderValue::from(BODY_BYTES_MAX))]);
        let begin = Bytes::from_static(&[b' '; 20_000]);
        let sends = futures::stream::iter([Ok::<_, Infallible>(begin)]);
        let body = Body::from_stream(sends.chain(futures::stream::pending()));
        let mut slow = Box::pin(receive(&budget, &headers, body));
        let whole = BUDGET_BYTES / UNIT_BYTES;
        assert!((&mut slow).now_or_never().is_none());
        let ahead = AHEAD_BYTES_MAX / UNIT_BYTES;
        assert_eq!(budget.units.available_permits(), whole - ahead, "never more than this");
        let (mut least, mut most) = (whole, 0);
        let refused = loop {
            match timeout(Duration::from_millis(10), &mut slow).await {
                Ok(outcome) => break outcome.err().unwrap(),
                Err(_) => {
                    let free = budget.units.available_permits();
                    (least, most) = (least.min(free), most.max(free));
                }
            }
        };
        assert_eq!(refused.status, StatusCode::REQUEST_TIMEOUT);
        assert_eq!((least, most), (whole - ahead, whole - 2), "then for what it has sent");
    }

    #[tokio::test]
    async fn when_there_is_no_room_it_says_so_and_when_to_come_back() {
        let budget = budget();
        let all = u32::try_from(BUDGET_BYTES / UNIT_BYTES).unwrap();
        let _held = budget.units.try_acquire_many(all).unwrap();
        let refused = receive(&budget, &HeaderMap::new(), Body::from("x")).await.err().unwrap();
        assert_eq!((refused.status.as_u16(), refused.retry_after), (503, Some(1)));
    }
}

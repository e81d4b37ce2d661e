//! Turns and pieces without a network: what is counted, who is ended, and when.

use super::*;
use http_body_util::BodyExt as _;

fn limits() -> Limits {
    Limits {
        requests: 3,
        answer_bytes: 100,
        connection_answer_bytes: 60,
        write: Duration::from_secs(500),
        ..Limits::default()
    }
}

/// Lets time pass.
fn advance(all: &Outstanding, by: Duration) {
    all.0.ahead_ms.fetch_add(milliseconds(by), Ordering::Relaxed);
}

fn held(all: &Outstanding) -> u64 {
    all.figures().0
}

#[tokio::test]
async fn a_body_leaves_in_pieces_and_is_the_same() {
    let all = Outstanding::new(Limits::default());
    let turn = all.begin(&Arc::default()).unwrap();
    let bytes: Vec<u8> = (0..=255).cycle().take(PIECE_BYTES_MAX * 2 + 5).collect();
    let mut body = Pieces::new(Body::from(bytes.clone()), turn);
    assert_eq!(body.size_hint().exact(), Some(bytes.len() as u64));
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(first.len(), PIECE_BYTES_MAX);
    assert_eq!(body.size_hint().exact(), Some((bytes.len() - PIECE_BYTES_MAX) as u64));
    let rest = body.collect().await.unwrap().to_bytes();
    assert!([&*first, &*rest].concat() == bytes);
}

#[tokio::test]
async fn an_answer_counts_until_its_last_piece_is_gone() {
    let all = Outstanding::new(limits());
    let turn = all.begin(&Arc::default()).unwrap();
    turn.hold(50, false).unwrap();
    let mut body = Pieces::new(Body::from("x".repeat(50)), turn);
    let piece = body.frame().await.unwrap().unwrap().into_data().unwrap();
    drop(body);
    assert_eq!(held(&all), 50);
    let slice = piece.slice(7..8);
    drop(piece);
    assert_eq!(held(&all), 50, "a part of it is still there");
    drop(slice);
    assert_eq!((held(&all), all.state().answers.len()), (0, 0));
}

#[tokio::test]
async fn whoever_takes_nothing_loses_the_stream_and_then_the_connection() {
    let all = Outstanding::new(limits());
    let connection = Arc::<Connection>::default();
    let (taken, is_over) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
    let (here, there, over) = (all.clone(), Arc::clone(&connection), Arc::clone(&is_over));
    let take = Arc::clone(&taken);
    let (give, given) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let work = async move {
            let turn = here.begin(&there).unwrap();
            let mut body = Pieces::new(Body::from("x".repeat(PIECE_BYTES_MAX + 1)), turn);
            let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
            take.notified().await;
            drop(first);
            let second = body.frame().await.unwrap().unwrap().into_data().unwrap();
            // As in a buffer that the stream's end does not empty.
            drop(give.send(second));
            std::future::pending::<()>().await;
        };
        mortal(work).await;
        over.store(true, Ordering::Relaxed);
    });
    tokio::task::yield_now().await;
    advance(&all, Duration::from_secs(400));
    all.tend();
    taken.notify_one();
    let second = given.await.unwrap();
    advance(&all, Duration::from_secs(400));
    all.tend();
    tokio::task::yield_now().await;
    assert!(!is_over.load(Ordering::Relaxed), "it took a piece not so long ago");
    advance(&all, Duration::from_secs(100));
    all.tend();
    tokio::task::yield_now().await;
    tokio::task::yield_now().await;
    assert!(is_over.load(Ordering::Relaxed));
    advance(&all, END_MAX);
    all.tend();
    connection.ended().await;
    drop(second);
    assert_eq!(all.state().answers.len(), 0);
}

#[tokio::test]
async fn an_answer_that_waits_for_what_comes_is_not_stalled() {
    let all = Outstanding::new(limits());
    let turn = all.begin(&Arc::default()).unwrap();
    let ended = Arc::clone(&turn.progress.stream);
    drop(turn.hand_on(Bytes::from_static(b"an event")));
    advance(&all, Duration::from_secs(3600));
    // The next event comes after an hour, and is taken within the deadline.
    let piece = turn.hand_on(Bytes::from_static(b"another"));
    all.tend();
    advance(&all, Duration::from_secs(400));
    all.tend();
    drop(piece);
    assert!(futures::FutureExt::now_or_never(ended.notified()).is_none());
}

#[tokio::test]
async fn what_answers_hold_is_bounded_and_who_takes_nothing_makes_room() {
    let all = Outstanding::new(limits());
    let (one, other) = (Arc::<Connection>::default(), Arc::<Connection>::default());
    let slow = all.begin(&one).unwrap();
    slow.hold(60, false).unwrap();
    let _piece = slow.hand_on(Bytes::from_static(b"x"));
    let second = all.begin(&one).unwrap();
    assert_eq!(second.hold(1, false).unwrap_err().status, 503, "its connection holds enough");
    drop(second);
    let second = all.begin(&other).unwrap();
    assert!(second.hold(50, false).is_err());
    let end = || futures::FutureExt::now_or_never(slow.progress.stream.notified());
    assert!(end().is_none(), "it was given no time to take anything");
    advance(&all, STALLED_MIN);
    assert_eq!(second.hold(50, false).unwrap_err().retry_after, Some(1));
    assert!(end().is_some());
    // What was done is told, whatever that holds; nothing more is done then.
    second.hold(50, true).unwrap();
    assert_eq!(held(&all), 110);
    assert!(second.check_room().is_err());
    drop((second, _piece, slow));
    assert_eq!(held(&all), 0);
    let turns: Vec<_> = (0..3).map(|_| all.begin(&one).unwrap()).collect();
    assert!(all.begin(&one).is_none(), "more requests than may be under way");
    turns[0].check_room().unwrap();
}

//! What was given a number and is not in the log, as records of the log (`producer.gap`): told by
//! this process, or counted after one that was killed.

use crate::mark::Left;
use event::{Content, Event, Json, Outcome, Part};
use keys::Kek;
use reading::{LogFolder, ReadError, Reading, answer};
use seal::{Log, SealError};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

const GAP: &str = "producer.gap";
/// Why what was in the memory of a killed process is not in the log.
pub(crate) const KILLED: &str =
    "the process ended without closing the log; these events were in its memory only";

/// Numbers that follow each other, and why their events are not in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Loss {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) reason: String,
}

/// Adds a number, to the loss before it when that goes on.
pub(crate) fn add(losses: &mut Vec<Loss>, number: u64, reason: &str) {
    match losses.last_mut() {
        Some(loss) if loss.last + 1 == number && loss.reason == reason => loss.last = number,
        _ => losses.push(Loss { first: number, last: number, reason: reason.to_owned() }),
    }
}

/// A loss as an event. Its id follows from what is lost, so that it is told once.
pub(crate) fn event(producer: &str, loss: &Loss) -> Event<'static> {
    let Loss { first, last, reason } = loss;
    let params = serde_json::json!({
        "producer": producer, "reason": reason, "first_seq": first, "last_seq": last,
        "lost": last - first + 1,
    });
    let mut content = Content::default();
    content.set(Part::Params, Json::from_value(&params));
    let parts: [&[u8]; 3] = [producer.as_bytes(), &first.to_be_bytes(), &last.to_be_bytes()];
    Event {
        event_id: Some(event::id::derive(GAP, &parts).into()),
        event_type: GAP.into(),
        action: Some(format!("gap:{producer}").into()),
        outcome: Some(Outcome::Failure),
        source: Some("system".into()),
        content,
        ..Event::default()
    }
}

/// Records what processes that are no more had in memory, and forgets them.
///
/// # Errors
/// When the log cannot be read or written.
pub(crate) fn tell(
    log: &Log,
    folder: &LogFolder,
    kek: &Arc<Kek>,
    left: Vec<Left>,
) -> Result<(), ReadError> {
    for mark in left {
        if mark.given > mark.settled {
            let sealed = sealed(log, folder, kek, &mark)?;
            let mut losses = Vec::new();
            for number in (mark.settled + 1..=mark.given).filter(|it| !sealed.contains(it)) {
                add(&mut losses, number, KILLED);
            }
            record(log, &mark.producer, &losses)?;
        }
        mark.remove();
    }
    Ok(())
}

/// The numbers of a producer behind what it knew to be settled.
fn sealed(
    log: &Log,
    folder: &LogFolder,
    kek: &Arc<Kek>,
    mark: &Left,
) -> Result<BTreeSet<u64>, ReadError> {
    log.publish()?;
    let reading = Reading::open(folder.clone(), kek)?;
    let mut numbers = BTreeSet::new();
    answer::scan::<ReadError>(&reading, mark.size, &mut |found| {
        let producer = Event::from_stored(&found.meta, &[]).ok().and_then(|it| it.producer);
        if let Some(producer) = producer
            && producer.id.as_deref() == Some(&*mark.producer)
        {
            numbers.extend(producer.seq);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(numbers)
}

fn record(log: &Log, producer: &str, losses: &[Loss]) -> Result<(), SealError> {
    if losses.is_empty() {
        return Ok(());
    }
    let redactor = log.redactor();
    let batch = log.encode(losses.iter().map(|loss| redactor.redact(event(producer, loss))))?;
    log.append(batch).map(|_| ())
}

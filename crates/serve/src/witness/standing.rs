//! How far witnesses have come with one log, and what they say of it.

use super::asking::{Head, Trouble};
use checkpoint::{Checkpoint, Note, NoteSignature, Policy, open_checkpoint};
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How far it is.
pub(crate) struct Standing {
    state: Mutex<State>,
    /// The size of the largest tree that the quorum cosigned.
    size: watch::Sender<u64>,
    /// Whether somebody waits for witnesses.
    awaited: Mutex<bool>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    cosigned: Option<(Checkpoint, Arc<str>)>,
    /// What a witness saw that this log does not have.
    alarm: Option<String>,
    witnesses: BTreeMap<String, One>,
    /// Since when there is something that the quorum has not cosigned.
    waits_since: Option<Instant>,
}

/// One witness.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct One {
    /// The size that it cosigned last, as far as is known.
    pub(crate) size: u64,
    /// Why it did not cosign when it was asked last.
    pub(crate) trouble: Option<String>,
    /// It is being asked.
    pub(crate) is_busy: bool,
}

/// What can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) size: u64,
    pub(crate) alarm: Option<String>,
    /// For so long something waits for the quorum.
    pub(crate) waits: Option<Duration>,
    pub(crate) witnesses: BTreeMap<String, One>,
}

impl Standing {
    /// At the beginning, with what was kept.
    pub(crate) fn new(
        names: impl Iterator<Item = String>,
        kept: Option<(Checkpoint, Arc<str>)>,
    ) -> Self {
        let witnesses = names.map(|name| (name, One::default())).collect();
        let state = State { cosigned: kept, witnesses, ..State::default() };
        Self {
            state: Mutex::new(state),
            // Nobody is answered by what lay in the folder.
            size: watch::Sender::new(0),
            awaited: Mutex::new(false),
            wake: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The size of the largest tree that the quorum cosigned, as it grows.
    pub(crate) fn sizes(&self) -> watch::Receiver<u64> {
        self.size.subscribe()
    }

    /// The checkpoint that the quorum cosigned last.
    pub(crate) fn cosigned(&self) -> Option<(Checkpoint, Arc<str>)> {
        self.state().cosigned.clone()
    }

    /// What can be told of it.
    pub(crate) fn told(&self) -> Told {
        let state = self.state();
        Told {
            size: state.cosigned.as_ref().map_or(0, |(checkpoint, _)| checkpoint.size),
            alarm: state.alarm.clone(),
            waits: state.waits_since.map(|since| since.elapsed()),
            witnesses: state.witnesses.clone(),
        }
    }

    /// Somebody waits: witnesses are asked at once.
    pub(crate) fn awake(&self) {
        *self.awaited.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.wake.notify_all();
    }

    /// Waits until somebody waits, or so long.
    pub(crate) fn rest(&self, most: Duration) {
        let awaited = self.awaited.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.wake.wait_timeout_while(awaited, most, |awaited| !*awaited);
        *waited.unwrap_or_else(PoisonError::into_inner).0 = false;
    }

    /// A checkpoint is there that the quorum has not cosigned.
    pub(crate) fn begins(&self) {
        self.state().waits_since.get_or_insert_with(Instant::now);
    }

    /// Begins to ask a witness, unless it is being asked; the size that it is known to have seen.
    pub(crate) fn begin(&self, name: &str) -> Option<u64> {
        let mut state = self.state();
        let one = state.witnesses.get_mut(name).filter(|one| !one.is_busy)?;
        one.is_busy = true;
        Some(one.size)
    }

    /// What became of that. Says the alarm when there is one and there was none before.
    pub(crate) fn end(
        &self,
        name: &str,
        head: &Checkpoint,
        outcome: Result<(), Trouble>,
    ) -> Option<String> {
        let mut state = self.state();
        if let Some(one) = state.witnesses.get_mut(name) {
            one.is_busy = false;
            one.trouble = match &outcome {
                Ok(()) => None,
                Err(Trouble::Other(text) | Trouble::History(text)) => Some(text.clone()),
            };
            if outcome.is_ok() {
                one.size = head.size;
            }
        }
        let Err(Trouble::History(text)) = outcome else { return None };
        if state.alarm.is_some() {
            return None;
        }
        let alarm = contradicts(name, &text);
        state.alarm = Some(alarm.clone());
        Some(alarm)
    }

    /// The quorum cosigned a checkpoint, which is kept already.
    pub(crate) fn reached(&self, checkpoint: &Checkpoint, note: Arc<str>) {
        let mut state = self.state();
        let before = state.cosigned.as_ref().map_or(0, |(before, _)| before.size);
        if checkpoint.size >= before {
            state.cosigned = Some((checkpoint.clone(), note));
            state.waits_since = None;
            drop(state);
            self.size.send_replace(checkpoint.size);
        }
    }
}

/// That a witness saw what a log does not have, in words.
pub(crate) fn contradicts(name: &str, said: &str) -> String {
    format!("the witness {name} contradicts this log: {said}")
}

/// The log's note with the lines of witnesses, and whether they are enough.
pub(crate) struct Gathered {
    note: Note,
    lines: usize,
}

impl Gathered {
    pub(crate) fn new(head: &Head) -> Self {
        Self { note: head.note.clone(), lines: 0 }
    }

    /// Adds a line that was verified.
    pub(crate) fn add(&mut self, line: NoteSignature) {
        // The policy has fewer witnesses than a note may have lines, or they do not count.
        self.lines += usize::from(self.note.add(line).is_ok());
    }

    /// How many lines were added.
    pub(crate) fn lines(&self) -> usize {
        self.lines
    }

    /// The note, if the witnesses that signed it are enough.
    pub(crate) fn met(&self, policy: &Policy, origin: &str) -> Option<Arc<str>> {
        let text = self.note.to_string();
        is_met(policy, &text, origin).map(|_| text.into())
    }
}

/// The checkpoint of a note whose witnesses are enough. Whether the log signed it is not looked at:
/// the caller knows the note, or compares it with the log.
pub(crate) fn is_met(policy: &Policy, note: &str, origin: &str) -> Option<Checkpoint> {
    let keys: Vec<_> = policy.witnesses().iter().map(|witness| witness.key.key.clone()).collect();
    let opened = open_checkpoint(note, origin, &keys).ok()?;
    policy.evaluate(&opened).quorum_met.then_some(opened.checkpoint)
}

//! Asking witnesses before a log is opened: what it published last is shown to them again, so that
//! a log which was put back is noticed before it signs anything.
//!
//! Only where a log must not go on without them. Not here: asking while it grows (`rounds.rs`).

use super::asking::{Head, Trouble};
use super::rounds::{Outcome, Witnessing, head};
use super::standing::{Gathered, contradicts};
use crate::logs::{KekOf, OpenError};
use checkpoint::Checkpoint;
use reading::{Bound, DataFolder, LogFolder, Reading, Step, Walk};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

/// A witness's name, and what became of asking it.
type Heard = (String, Outcome);

impl Witnessing {
    /// Whether the logs of a data folder may be opened. A witness that is away says nothing, and
    /// one that lies stops no log whose quorum is met.
    ///
    /// # Errors
    /// [`OpenError::Contradicted`]; [`OpenError::Read`] when the folder cannot be read.
    pub fn allow(&self, data: &DataFolder, kek_of: &KekOf) -> Result<(), OpenError> {
        if self.rules.closed_after.is_none() {
            return Ok(());
        }
        for log in data.logs()?.found {
            if !self.is_watched(&log.identity.name) {
                continue;
            }
            if let Some(alarm) = self.contradiction(&log, kek_of) {
                return Err(OpenError::Contradicted { name: log.identity.name, alarm });
            }
        }
        Ok(())
    }

    /// What a witness saw that a log does not have, unless enough others cosign it.
    fn contradiction(&self, log: &LogFolder, kek_of: &KekOf) -> Option<String> {
        // Whether there must be one is for whoever opens it.
        let newest = head(log)?;
        let (tell, outcomes) = channel();
        for witness in &self.witnesses {
            let (witness, log, kek_of) = (Arc::clone(witness), log.clone(), Arc::clone(kek_of));
            let (newest, tell) = (newest.clone(), tell.clone());
            let run = move || {
                let whole = || {
                    let size = end(&log, &kek_of)?;
                    Some(Checkpoint { size, ..newest.checkpoint.clone() })
                };
                let outcome = witness.ask(&*log.folder, &newest, 0, &whole);
                // Whoever waited may have heard enough.
                let _ = tell.send((witness.name().to_owned(), outcome));
            };
            // One that cannot be asked is one that is away.
            let _ = std::thread::Builder::new().name("tacho-witness-ask".to_owned()).spawn(run);
        }
        drop(tell);
        self.judge(&newest, &log.identity.origin, &outcomes)
    }

    fn judge(&self, newest: &Head, origin: &str, outcomes: &Receiver<Heard>) -> Option<String> {
        let until = Instant::now() + self.rules.timeout.saturating_mul(3);
        let left = || until.saturating_duration_since(Instant::now());
        let (mut gathered, mut alarm) = (Gathered::new(newest), None);
        while let Ok((name, outcome)) = outcomes.recv_timeout(left()) {
            match outcome {
                Ok(line) => gathered.add(line),
                Err(Trouble::History(said)) => {
                    alarm.get_or_insert_with(|| contradicts(&name, &said));
                }
                Err(Trouble::Other(_)) => {}
            }
            if gathered.met(&self.rules.policy, origin).is_some() {
                return None;
            }
        }
        alarm
    }
}

/// Entries that are there, with what only the journal has: a power cut may have taken the name of a
/// checkpoint that a witness was quick to cosign. `None` when records are damaged, which is for
/// whoever opens the log to say.
fn end(log: &LogFolder, kek_of: &KekOf) -> Option<u64> {
    let reading = Reading::open(log.clone(), &kek_of(log).ok()?).ok()?;
    let size = reading.checkpoint().size;
    let bound = Bound { size, suspects: false };
    let mut walk = Walk::new(reading.place().ok()?, bound, size.saturating_sub(1)).ok()?;
    let mut payload = Vec::new();
    loop {
        match walk.next(&mut payload) {
            Step::Frame { .. } | Step::Rows { .. } => {}
            Step::End => return Some(walk.into_end().next_index),
            Step::Damaged { .. } | Step::Suspect { .. } | Step::Missing { .. } => return None,
        }
    }
}

//! What came of a question, and the memory of recent answers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What a decision rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// A policy permits it and none forbids it.
    Permitted,
    /// A policy forbids it.
    Forbidden,
    /// No policy permits it.
    NothingPermits,
    /// None of the caller's grants reaches the log; no policy was asked.
    LogNotGranted,
    /// The action needs a log and none was named, or the other way round.
    WrongResource,
    /// A policy could not be evaluated. Then nothing is allowed: it may be the one that forbids.
    Failed,
}

impl Ground {
    /// The stable code, as answers and the log carry it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Permitted => "permitted",
            Self::Forbidden => "forbidden",
            Self::NothingPermits => "nothing_permits",
            Self::LogNotGranted => "log_not_granted",
            Self::WrongResource => "wrong_resource",
            Self::Failed => "policy_failed",
        }
    }
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether it may be done.
    pub allowed: bool,
    /// Why.
    pub ground: Ground,
    /// The ids of the policies that decided, in order; none when no policy did.
    pub policies: Arc<[String]>,
}

impl Decision {
    /// A refusal that no policy pronounced.
    pub(super) fn refused(ground: Ground) -> Self {
        Self { allowed: false, ground, policies: Arc::default() }
    }
}

/// Answers kept in each of two generations: a thousand callers with four actions each.
pub(super) const GENERATION: usize = 4096;

/// Recent answers by question. Bounded: when the young generation is full it becomes the old one,
/// whose answers go unless they are asked for again.
///
/// The map's hasher is the standard one with random keys, because subjects are chosen outside.
#[derive(Debug)]
pub(super) struct Memo {
    generations: Mutex<Generations>,
    room: usize,
}

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Box<[u8]>, Decision>,
    old: HashMap<Box<[u8]>, Decision>,
}

impl Memo {
    pub(super) fn new(room: usize) -> Self {
        Self { generations: Mutex::default(), room }
    }

    /// The answer from memory, or from `decide`, which runs without the lock.
    pub(super) fn get_or(&self, question: &[u8], decide: impl FnOnce() -> Decision) -> Decision {
        if let Some(known) = self.recall(question) {
            return known;
        }
        let decision = decide();
        self.generations().keep(question.into(), decision.clone(), self.room);
        decision
    }

    fn recall(&self, question: &[u8]) -> Option<Decision> {
        let mut generations = self.generations();
        if let Some(known) = generations.young.get(question) {
            return Some(known.clone());
        }
        let (question, known) = generations.old.remove_entry(question)?;
        generations.keep(question, known.clone(), self.room);
        Some(known)
    }

    fn generations(&self) -> std::sync::MutexGuard<'_, Generations> {
        self.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let generations = self.generations();
        generations.young.len() + generations.old.len()
    }
}

impl Generations {
    fn keep(&mut self, question: Box<[u8]>, decision: Decision, room: usize) {
        if self.young.len() >= room {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(question, decision);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answer_that_is_asked_for_again_is_not_forgotten() {
        let memo = Memo::new(4);
        let mut decided = 0;
        let mut ask = |question: &str| {
            memo.get_or(question.as_bytes(), || {
                decided += u32::from(question == "often");
                Decision::refused(Ground::NothingPermits)
            });
        };
        for number in 0..100 {
            ask("often");
            ask(&number.to_string());
        }
        assert_eq!(decided, 1);
    }
}

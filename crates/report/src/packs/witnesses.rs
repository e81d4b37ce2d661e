//! Did witnesses cosign the log, enough of them, and soon?
//!
//! Not here: whether cosignatures hold and the log continues what was cosigned, which whoever asks
//! examined (`reading::verify`).

use super::predicate::{End, Item, Predicate};
use super::{Assessed, Named, Parameters, Verdict};

/// A record may wait so long for witnesses, unless a pack says otherwise: a checkpoint is shown to
/// them within seconds.
const MAX_MINUTES: u64 = 15;
const MINUTE_MS: u64 = 60_000;

/// Enough witnesses, by the policy, and no record waits for them for long.
pub(super) struct Witnesses {
    max_minutes: u64,
}

impl Witnesses {
    pub(super) fn new(parameters: &Parameters) -> Self {
        Self { max_minutes: parameters.max_minutes.unwrap_or(MAX_MINUTES) }
    }
}

impl Predicate for Witnesses {
    fn offer(&mut self, _: &Item<'_>) {}

    fn finish(self: Box<Self>, end: &End<'_>) -> Assessed {
        let Some(witnessed) = &end.outside.witnessed else {
            return Assessed::nothing(
                "no witness's cosignatures were examined; add --witnesses POLICY",
            );
        };
        if !witnessed.is_enough {
            return Assessed::failed(witnessed.found.clone(), 0);
        }
        // By the log's own clock, so that the same records give the same answer at any time.
        let waited_ms = end.unseen.map_or(0, |(_, since_ms)| end.to_ms.saturating_sub(since_ms));
        let is_late = waited_ms > self.max_minutes.saturating_mul(MINUTE_MS);
        let (verdict, found) = match is_late {
            false => (Verdict::Pass, witnessed.found.clone()),
            true => {
                let minutes = waited_ms / MINUTE_MS;
                let found = format!(
                    "{}; by the time of the last record, the first of those had waited {minutes} \
                     minutes",
                    witnessed.found
                );
                (Verdict::Fail, found)
            }
        };
        let mut offending = Named::default();
        if let Some((index, _)) = end.unseen.filter(|_| is_late) {
            offending.add(index, None);
        }
        let assessed = Assessed { offending, ..Assessed::of(verdict, found, witnessed.size) };
        assessed.asking(format!(
            "enough by the policy, and no record waits longer than {} minutes",
            self.max_minutes
        ))
    }
}

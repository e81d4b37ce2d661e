//! Why a retention act did not happen, by what the caller can do.

use event::Tier;
use seal::SealError;

/// A retention act that was refused, or failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RetainError {
    /// The log could not be read or written.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A legal hold keeps records that were to go. The refusal is in the log.
    #[error(
        "{count} of the records are under the legal hold {hold}, which comes before everything; \
         release the hold first, if you are entitled to (record {refusal} of the log says that this \
         was refused)"
    )]
    Held {
        /// The hold.
        hold: String,
        /// How many of the records it keeps.
        count: u64,
        /// The index of the record that says so.
        refusal: u64,
    },
    /// Records must be kept by law or rule for longer. The refusal is in the log.
    #[error(
        "{count} of the records are of tier {}, which the profile {profile} keeps for {days} days at \
         least; wait until then, or use the profile that applies (record {refusal} of the log says \
         that this was refused)", tier.as_str()
    )]
    Minimum {
        /// The profile.
        profile: &'static str,
        /// The tier.
        tier: Tier,
        /// Its minimum in days.
        days: u32,
        /// How many records are too young.
        count: u64,
        /// The index of the record that says so.
        refusal: u64,
    },
    /// Nothing matches.
    #[error("no record matches; nothing was erased. Look for them with `tacho events` first")]
    Nothing,
    /// A selection that names nothing would mean everything.
    #[error("nothing was selected: name an event, session, trace, agent, principal or time range")]
    EmptySelection,
    /// There is no such hold, or it was released.
    #[error("there is no hold {0} in force; `tacho hold list` shows those that are")]
    UnknownHold(String),
    /// A hold was set or released while something was being looked up.
    #[error("legal holds changed while this was prepared, so nothing was done; try again")]
    HoldsChanged,
    /// The ledger does not show what the log says about holds.
    #[error(
        "the ledger does not agree with the log about holds: {0}. Nothing is removed until it does; \
         run `tacho verify`, then restore the folder from a backup"
    )]
    Ledger(String),
}

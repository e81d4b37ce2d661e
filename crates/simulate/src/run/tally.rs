//! What runs did, added up.

/// How much a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Times that the log was opened.
    pub opened: u64,
    /// Power cuts.
    pub power_cuts: u64,
    /// Deaths of the process alone.
    pub kills: u64,
    /// Storage calls that failed.
    pub faults: u64,
    /// Events acknowledged.
    pub acknowledged: u64,
    /// Journal files that became segments.
    pub rolled: u64,
    /// Segments made of several.
    pub compacted: u64,
    /// Erasures and expiries that a crash or a fault cut short.
    pub cut_removals: u64,
    /// Erasures and expiries that were done.
    pub removals: u64,
    /// Signing keys that took over from others.
    pub rotations: u64,
    /// Storage calls.
    pub calls: u64,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.opened += other.opened;
        self.power_cuts += other.power_cuts;
        self.kills += other.kills;
        self.faults += other.faults;
        self.acknowledged += other.acknowledged;
        self.rolled += other.rolled;
        self.compacted += other.compacted;
        self.cut_removals += other.cut_removals;
        self.removals += other.removals;
        self.rotations += other.rotations;
        self.calls += other.calls;
    }
}

//! Trust policy: which logs, which witnesses, and how many of them are enough.
//!
//! C2SP `tlog-policy`. Reading its text is `policy_text.rs`; signatures are checked in `open.rs`.

use crate::open::{Verified, VerifiedSignature};
use crate::policy_text::{self, PolicyError};
use crate::verifier::VerifierKey;

/// The most logs, and the most witnesses and groups together, that a policy is read with.
pub const MAX_POLICY_NAMES: usize = 256;

/// A trust policy.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) logs: Vec<PolicyKey>,
    pub(crate) witnesses: Vec<Witness>,
    /// Groups refer to witnesses and to groups before them, so one pass evaluates them all.
    pub(crate) groups: Vec<Group>,
    pub(crate) quorum: Option<Member>,
}

/// A key and where its owner is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyKey {
    /// The public key.
    pub key: VerifierKey,
    /// The address, if the policy gives one; its meaning is the application's.
    pub url: Option<String>,
}

/// A witness of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// The name within the policy.
    pub name: String,
    /// The public key, and where the witness is reached.
    pub key: PolicyKey,
}

#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) threshold: usize,
    pub(crate) members: Vec<Member>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Member {
    Witness(usize),
    Group(usize),
}

/// What a policy says about an opened checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct PolicyVerdict {
    /// A log of the policy whose key name is the checkpoint's origin signed it.
    pub log_signed: bool,
    /// The witnesses that cosigned, by their names in the policy, with the time that each stated,
    /// in seconds since the epoch (0: none).
    pub witnesses: Vec<(String, u64)>,
    /// The cosignatures satisfy the quorum.
    pub quorum_met: bool,
}

impl Policy {
    /// Reads a policy file.
    ///
    /// # Errors
    /// With the number of the first line that is wrong, and why.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        policy_text::parse(text)
    }

    /// The logs, in the order of the file.
    #[must_use]
    pub fn logs(&self) -> &[PolicyKey] {
        &self.logs
    }

    /// The witnesses, in the order of the file.
    #[must_use]
    pub fn witnesses(&self) -> &[Witness] {
        &self.witnesses
    }

    /// Whether the quorum asks for any witness at all.
    #[must_use]
    pub fn needs_witnesses(&self) -> bool {
        self.quorum.is_some()
    }

    /// Every key of the policy: what to open a checkpoint with.
    #[must_use]
    pub fn keys(&self) -> Vec<VerifierKey> {
        let logs = self.logs.iter().map(|log| log.key.clone());
        logs.chain(self.witnesses.iter().map(|witness| witness.key.key.clone())).collect()
    }

    /// Judges a checkpoint that was opened with [`Policy::keys`].
    pub fn evaluate(&self, verified: &Verified) -> PolicyVerdict {
        let origin = &verified.checkpoint.origin;
        let log_signed = self
            .logs
            .iter()
            .any(|log| log.key.name() == origin && find(&verified.signatures, &log.key).is_some());
        let cosigned: Vec<Option<u64>> = self
            .witnesses
            .iter()
            .map(|witness| find(&verified.signatures, &witness.key.key)?.timestamp_s)
            .collect();
        let witnesses = self.witnesses.iter().zip(&cosigned);
        let witnesses = witnesses.filter_map(|(it, time)| Some((it.name.clone(), (*time)?)));
        let quorum_met = self.is_quorum(&cosigned);
        PolicyVerdict { log_signed, witnesses: witnesses.collect(), quorum_met }
    }

    fn is_quorum(&self, cosigned: &[Option<u64>]) -> bool {
        let mut groups: Vec<bool> = Vec::with_capacity(self.groups.len());
        for group in &self.groups {
            let count =
                group.members.iter().filter(|it| witnessed(**it, cosigned, &groups)).count();
            groups.push(count >= group.threshold);
        }
        self.quorum.is_none_or(|member| witnessed(member, cosigned, &groups))
    }
}

impl PolicyVerdict {
    /// Whether the policy accepts the checkpoint: a log of it signed, and the quorum is met.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.log_signed && self.quorum_met
    }
}

fn witnessed(member: Member, cosigned: &[Option<u64>], groups: &[bool]) -> bool {
    match member {
        Member::Witness(place) => cosigned.get(place).is_some_and(Option::is_some),
        Member::Group(place) => groups.get(place).copied().unwrap_or(false),
    }
}

fn find<'a>(made: &'a [VerifiedSignature], key: &VerifierKey) -> Option<&'a VerifiedSignature> {
    made.iter().find(|made| {
        made.key_id == key.key_id() && made.algorithm == key.algorithm() && made.name == key.name()
    })
}

#[cfg(test)]
#[path = "policy/tests.rs"]
mod tests;

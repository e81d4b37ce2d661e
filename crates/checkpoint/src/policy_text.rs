//! Reading a policy file: C2SP `tlog-policy`, "Policy file syntax and structure".
//!
//! Stricter than the specification in one point: the file has to be UTF-8. What a policy means is
//! in `policy.rs`.

use std::collections::{HashMap, HashSet};

use crate::canonical::{decode_decimal, excerpt};
use crate::policy::{Group, MAX_POLICY_NAMES, Member, Policy, PolicyKey, Witness};
use crate::verifier::{Algorithm, KeyError, VerifierKey};

/// The longest policy file that is read, in bytes: some 300 ML-DSA-44 keys fit.
pub const MAX_POLICY_BYTES: usize = 512 * 1024;

/// Why a text is not a policy. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// It is too long to be read.
    #[error("a policy of {0} bytes is not read; at most {MAX_POLICY_BYTES} are")]
    TooLong(usize),
    /// The last line has no newline: the file may be cut.
    #[error("the policy does not end with a newline; it may be cut, add one if it is whole")]
    Unterminated,
    /// There is no quorum line.
    #[error("the policy has no quorum line; add `quorum <name>` or `quorum none`")]
    NoQuorum,
    /// A line holds a control character.
    #[error("line {line} of the policy holds a control character; only tabs are allowed")]
    Control {
        /// The line.
        line: usize,
    },
    /// A line has a wrong form.
    #[error("line {line} of the policy is wrong: {reason}, got {got:?}")]
    Line {
        /// The line.
        line: usize,
        /// What was expected.
        reason: &'static str,
        /// The beginning of the line.
        got: String,
    },
    /// A line's verifier key is not valid.
    #[error("line {line} of the policy has an invalid key: {source}")]
    Key {
        /// The line.
        line: usize,
        /// What is wrong with it.
        source: KeyError,
    },
    /// A line uses a name wrongly.
    #[error("line {line} of the policy: {name:?} {reason}")]
    Name {
        /// The line.
        line: usize,
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// The policy so far, and what is defined and used.
struct Reader {
    policy: Policy,
    has_quorum: bool,
    names: HashMap<String, Member>,
    used: HashSet<String>,
    line: usize,
}

pub(crate) fn parse(text: &str) -> Result<Policy, PolicyError> {
    if text.len() > MAX_POLICY_BYTES {
        return Err(PolicyError::TooLong(text.len()));
    }
    let lines = text.strip_suffix('\n').ok_or(PolicyError::Unterminated)?;
    let policy = Policy { logs: vec![], witnesses: vec![], groups: vec![], quorum: None };
    let mut reader =
        Reader { policy, has_quorum: false, names: HashMap::new(), used: HashSet::new(), line: 0 };
    for line in lines.split('\n') {
        reader.line += 1;
        reader.read_line(line)?;
    }
    if reader.has_quorum { Ok(reader.policy) } else { Err(PolicyError::NoQuorum) }
}

impl Reader {
    fn read_line(&mut self, line: &str) -> Result<(), PolicyError> {
        if line.bytes().any(|byte| (byte < 0x20 && byte != b'\t') || byte == 0x7f) {
            return Err(PolicyError::Control { line: self.line });
        }
        let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        match words.as_slice() {
            [] => Ok(()),
            [first, ..] if first.starts_with('#') => Ok(()),
            ["log", key] => self.log(key, None),
            ["log", key, url] => self.log(key, Some(url)),
            ["witness", name, key] => self.witness(name, key, None),
            ["witness", name, key, url] => self.witness(name, key, Some(url)),
            ["group", name, threshold, members @ ..] => self.group(name, threshold, members),
            ["quorum", name] => self.quorum(name),
            _ => Err(PolicyError::Line {
                line: self.line,
                reason: "expected log, witness, group or quorum with its items",
                got: excerpt(line),
            }),
        }
    }

    fn log(&mut self, key: &str, url: Option<&&str>) -> Result<(), PolicyError> {
        let allowed = [Algorithm::Ed25519, Algorithm::MlDsa44Cosignature];
        let key = self.key(key, url, &allowed)?;
        let public = key.key.public_bytes();
        if self.policy.logs.iter().any(|other| other.key.public_bytes() == public) {
            return Err(self.wrong_name(key.key.name(), "has the same public key as another log"));
        }
        if self.policy.logs.len() >= MAX_POLICY_NAMES {
            return Err(self.wrong_name(key.key.name(), "is one log too many"));
        }
        self.policy.logs.push(key);
        Ok(())
    }

    fn witness(&mut self, name: &str, key: &str, url: Option<&&str>) -> Result<(), PolicyError> {
        let allowed = [Algorithm::Ed25519Cosignature, Algorithm::MlDsa44Cosignature];
        let key = self.key(key, url, &allowed)?;
        let public = key.key.public_bytes();
        if self.policy.witnesses.iter().any(|other| other.key.key.public_bytes() == public) {
            return Err(self.wrong_name(name, "has the same public key as another witness"));
        }
        self.define(name, Member::Witness(self.policy.witnesses.len()))?;
        self.policy.witnesses.push(Witness { name: name.to_owned(), key });
        Ok(())
    }

    fn group(&mut self, name: &str, threshold: &str, words: &[&str]) -> Result<(), PolicyError> {
        let mut members = Vec::with_capacity(words.len());
        for word in words {
            members.push(self.lookup(word)?);
            if !self.used.insert((*word).to_owned()) {
                return Err(self.wrong_name(word, "is a member already; a name can be one once"));
            }
        }
        let threshold = match threshold {
            "all" => members.len(),
            "any" => 1,
            // A number that is none becomes 0, which the range below refuses.
            number => decode_decimal(number).and_then(|it| it.try_into().ok()).unwrap_or(0),
        };
        if !(1..=members.len()).contains(&threshold) {
            let reason = "needs members, and all, any or a number from 1 to their count";
            return Err(self.wrong_name(name, reason));
        }
        self.define(name, Member::Group(self.policy.groups.len()))?;
        self.policy.groups.push(Group { threshold, members });
        Ok(())
    }

    fn quorum(&mut self, name: &str) -> Result<(), PolicyError> {
        if self.has_quorum {
            return Err(self.wrong_name(name, "is a second quorum; a policy has exactly one"));
        }
        self.policy.quorum = if name == "none" { None } else { Some(self.lookup(name)?) };
        self.has_quorum = true;
        Ok(())
    }

    fn key(
        &self,
        text: &str,
        url: Option<&&str>,
        allowed: &[Algorithm],
    ) -> Result<PolicyKey, PolicyError> {
        let parsed = text.parse::<VerifierKey>();
        let key = parsed.map_err(|source| PolicyError::Key { line: self.line, source })?;
        if !allowed.contains(&key.algorithm()) {
            let reason = "logs sign with type 0x01 or 0x06, witnesses with 0x04 or 0x06";
            return Err(PolicyError::Line { line: self.line, reason, got: excerpt(text) });
        }
        Ok(PolicyKey { key, url: url.map(|url| (*url).to_owned()) })
    }

    fn define(&mut self, name: &str, member: Member) -> Result<(), PolicyError> {
        if name == "none" {
            return Err(self.wrong_name(name, "is reserved; choose another name"));
        }
        if self.names.len() >= MAX_POLICY_NAMES {
            return Err(self.wrong_name(name, "is one witness or group too many"));
        }
        if self.names.insert(name.to_owned(), member).is_some() {
            return Err(self.wrong_name(name, "is defined already; choose another name"));
        }
        Ok(())
    }

    fn lookup(&self, name: &str) -> Result<Member, PolicyError> {
        let known = self.names.get(name).copied();
        known.ok_or_else(|| self.wrong_name(name, "is not defined on a line before this one"))
    }

    fn wrong_name(&self, name: &str, reason: &'static str) -> PolicyError {
        PolicyError::Name { line: self.line, name: excerpt(name), reason }
    }
}

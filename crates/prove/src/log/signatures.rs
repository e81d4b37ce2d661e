//! Agents' signatures, as the walk comes by them: which keys the log knew at each record, and
//! whether what they signed is what stands there.
//!
//! The log's receiver had to refuse what does not hold, so a signature that does not is a finding.
//! What is signed, and how it stands, is `event`'s to say, the arithmetic `checkpoint`'s.

use crate::kept::{Kept, KeptContent};
use crate::report::{FindingKind, Report};
use event::{AgentKeyMark, AgentKeys, Event, Kind, Record, Standing};

/// How a signature of ours stands in stored metadata: most records have none, and are not read.
const BEGINNING: &[u8] = br#""signature":"ed25519:"#;

/// The keys of agents, as far as the walk has come.
#[derive(Debug, Default)]
pub(super) struct Signatures {
    keys: AgentKeys,
    /// Whether any registration demands a signature.
    demands: bool,
}

/// A record, as far as signatures are concerned.
pub(super) struct Signed<'r> {
    kind: Kind,
    meta: &'r [u8],
    /// `None` when it was erased.
    content: Option<&'r [u8]>,
}

impl<'r> From<&Record<'r>> for Signed<'r> {
    fn from(record: &Record<'r>) -> Self {
        Self { kind: record.kind, meta: record.meta, content: Some(record.content) }
    }
}

impl<'r> From<&Kept<'r>> for Signed<'r> {
    fn from(kept: &Kept<'r>) -> Self {
        let content = match kept.content {
            KeptContent::Erased { .. } => None,
            KeptContent::None | KeptContent::Present { .. } => Some(kept.content.bytes()),
        };
        Self { kind: kept.kind, meta: kept.meta, content }
    }
}

impl Signatures {
    /// Takes a record into account that is what its entry commits to.
    #[inline]
    pub(super) fn follow(
        &mut self,
        index: u64,
        file: &str,
        signed: &Signed<'_>,
        report: &mut Report,
    ) {
        if signed.kind == Kind::Log {
            return self.note(index, file, signed, report);
        }
        if self.demands || has(signed.meta, BEGINNING) {
            self.judge(index, file, signed, report);
        }
    }

    fn note(&mut self, index: u64, file: &str, signed: &Signed<'_>, report: &mut Report) {
        if !has(signed.meta, b"\"event_type\":\"log.agent_key_re") {
            return;
        }
        match AgentKeyMark::from_stored(signed.meta, signed.content.unwrap_or_default()) {
            Ok(Some(mark)) => {
                self.demands |= matches!(mark, AgentKeyMark::Registered { required: true, .. });
                self.keys.note(index, mark);
            }
            Ok(None) => {}
            Err(error) => {
                report.add_record(FindingKind::Corrupt, index, file, || error.to_string());
            }
        }
    }

    fn judge(&self, index: u64, file: &str, signed: &Signed<'_>, report: &mut Report) {
        let standing = self.keys.judge(index, signed.meta, signed.content, &|key, text, made| {
            checkpoint::verify_agent(key.as_bytes(), text, made)
        });
        let counts = &mut report.signatures;
        let wrong = match standing {
            Standing::Valid(_) => {
                counts.valid += 1;
                return;
            }
            Standing::ContentRedacted(_) | Standing::Redacted(_) => {
                counts.redacted += 1;
                return;
            }
            Standing::Unsigned | Standing::Unknown => {
                counts.unknown += u64::from(standing == Standing::Unknown);
                let Ok(event) = Event::from_stored(signed.meta, &[]) else { return };
                if !self.keys.requires(event.agent_name.as_deref(), index) {
                    return;
                }
                "no key of this agent signed it, and the log was to take no such event: it did not \
                 come in as the others did"
                    .to_owned()
            }
            Standing::False(key) => format!(
                "the signature does not hold by the agent's key {}: this is not what the agent signed",
                key.key.id()
            ),
            Standing::OtherAgent(key) => format!(
                "it names an agent that the key {} does not sign for: somebody signed in another's name",
                key.key.id()
            ),
            Standing::Revoked(key) => {
                format!(
                    "it is signed with the agent's key {}, which was revoked before",
                    key.key.id()
                )
            }
        };
        counts.bad += 1;
        report.add_record(FindingKind::Signature, index, file, || wrong);
    }
}

/// Whether some bytes stand in others. Metadata has some hundreds.
fn has(bytes: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(bytes, part).is_some()
}

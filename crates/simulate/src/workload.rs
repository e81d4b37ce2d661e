//! What producers send in a run: mostly new events, some sent twice, some with an id that is taken.

use crate::random::Random;
use event::{Event, Json, Part};
use std::sync::Arc;

/// One event of the workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Planned {
    /// Its id.
    pub(crate) id: String,
    /// Its session, which names its stream.
    pub(crate) session: Option<String>,
    /// Its type.
    pub(crate) kind: &'static str,
    /// Its payload.
    pub(crate) body: String,
}

/// Types of all tiers.
const KINDS: [&str; 5] =
    ["agent.tool_call", "agent.tool_result", "agent.decision", "agent.reasoning", "agent.security"];

impl Planned {
    /// A new event: tiny as a rule, up to 64 KiB now and then.
    #[must_use]
    pub(crate) fn draw(id: String, random: &mut Random) -> Self {
        let session = random.percent(80).then(|| format!("session {}", random.below(6)));
        let kind = random.one_of(&KINDS).copied().unwrap_or("agent.tool_call");
        let most = match random.below(100) {
            0 => 64 << 10,
            1..=5 => 4 << 10,
            _ => 120,
        };
        Self { id, session, kind, body: words(random.between(1, most), random) }
    }

    /// Another event under the same id.
    #[must_use]
    pub(crate) fn other_of_same_id(&self) -> Self {
        Self { body: format!("{} again, differently", self.body), ..self.clone() }
    }

    /// The event as a producer sends it.
    #[must_use]
    pub(crate) fn event(&self) -> Event<'_> {
        let mut event = Event::new(self.kind);
        event.event_id = Some(self.id.as_str().into());
        event.session_id = self.session.as_deref().map(Into::into);
        event.content.set(Part::Params, Json::string(&self.body));
        event
    }
}

/// Text of words that no redaction rule takes for a secret.
fn words(bytes: u64, random: &mut Random) -> String {
    const WORDS: [&str; 8] = ["order ", "paid ", "late ", "ship ", "ok ", "why ", "refund ", "x"];
    let bytes = usize::try_from(bytes).unwrap_or(0);
    let mut text = String::with_capacity(bytes + 8);
    while text.len() < bytes {
        text.push_str(random.one_of(&WORDS).copied().unwrap_or("x"));
    }
    text
}

/// Makes batches; it remembers nothing but the number of the next id.
#[derive(Debug, Default)]
pub(crate) struct Workload {
    next_id: u64,
}

impl Workload {
    /// A batch of 1 to 50 events. `earlier` are events that were acknowledged or sent before.
    pub(crate) fn batch(
        &mut self,
        earlier: &[Arc<Planned>],
        acknowledged: &[Arc<Planned>],
        random: &mut Random,
    ) -> Vec<Arc<Planned>> {
        let most = if random.percent(15) { 50 } else { 6 };
        let count = random.between(1, most);
        let mut batch: Vec<Arc<Planned>> = Vec::new();
        for _ in 0..count {
            let known = match random.below(100) {
                0..8 => random.one_of(earlier).cloned(),
                8..10 => {
                    random.one_of(acknowledged).map(|known| Arc::new(known.other_of_same_id()))
                }
                10..12 => random.one_of(&batch).cloned(),
                _ => None,
            };
            batch.push(known.unwrap_or_else(|| {
                self.next_id += 1;
                Arc::new(Planned::draw(format!("event-{}", self.next_id), random))
            }));
        }
        batch
    }
}

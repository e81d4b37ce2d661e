//! What must hold whatever happened: the acknowledgements given, and what they oblige the log to.

mod removal;
mod rotation;

pub(crate) use removal::{Removals, SHORT_DAYS, short_policy};

use crate::reading::{Contents, Left, Sealed};
use crate::workload::Planned;
use checkpoint::Epochs;
use event::{Assurance, Entry, Kind, Principal, Scope};
use merkle::Hash;
use redact::Redactor;
use seal::{Identity, Outcome, Receipt};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// An acknowledged event.
#[derive(Clone, Debug)]
struct Acknowledged {
    index: u64,
    leaf: [u8; 32],
    planned: Arc<Planned>,
    meta: Vec<u8>,
    content: Vec<u8>,
}

/// Everything that the outside knows about a log.
#[derive(Debug)]
pub(crate) struct Model {
    identity: Identity,
    /// The log's keys, as far as anybody was told.
    epochs: Epochs,
    /// Rotations that somebody asked for, whether they were done or not.
    rotations_asked: u64,
    /// Whom a server takes the senders for, if events went through one.
    principal: Option<Principal<'static>>,
    acknowledged: HashMap<String, Acknowledged>,
    /// Batches that were sent and never answered.
    in_doubt: Vec<Vec<Arc<Planned>>>,
    /// Ids of all events that ever were in such a batch.
    doubted: HashSet<String>,
    /// Every tree head that anybody was ever shown.
    heads: BTreeMap<u64, Hash>,
    /// Acknowledged events in order, to draw from.
    order: Vec<Arc<Planned>>,
    /// What may be gone, and what must be.
    pub(crate) removals: Removals,
}

impl Model {
    /// The model of a new log.
    #[must_use]
    pub(crate) fn new(identity: Identity, epochs: Epochs) -> Self {
        Self {
            identity,
            epochs,
            rotations_asked: 0,
            principal: None,
            acknowledged: HashMap::new(),
            in_doubt: Vec::new(),
            doubted: HashSet::new(),
            heads: BTreeMap::new(),
            order: Vec::new(),
            removals: Removals::default(),
        }
    }

    /// Events go through a server, which says on its own account who sent them.
    #[must_use]
    pub(crate) fn taken_by_a_server(mut self, principal: Principal<'static>) -> Self {
        self.principal = Some(principal);
        self
    }

    /// Acknowledged events, in the order in which they were acknowledged.
    #[must_use]
    pub(crate) fn acknowledged(&self) -> &[Arc<Planned>] {
        &self.order
    }

    /// Takes the batches that were never answered, to send them again.
    pub(crate) fn take_in_doubt(&mut self) -> Vec<Vec<Arc<Planned>>> {
        std::mem::take(&mut self.in_doubt)
    }

    /// The log's origin.
    pub(crate) fn origin(&self) -> &str {
        &self.identity.origin
    }

    /// Events of batches that were never answered.
    #[must_use]
    pub(crate) fn in_doubt(&self) -> Vec<Arc<Planned>> {
        self.in_doubt.iter().flatten().cloned().collect()
    }

    /// A batch was sent and failed: any or none of it may be in the log.
    pub(crate) fn doubt(&mut self, batch: Vec<Arc<Planned>>) {
        self.doubted.extend(batch.iter().map(|planned| planned.id.clone()));
        self.in_doubt.push(batch);
    }

    /// A signed checkpoint was shown to somebody.
    ///
    /// # Errors
    /// When it does not verify, or another of the same size has another root.
    pub(crate) fn shown(&mut self, note: &str) -> Result<u64, String> {
        let head = self.open_note(note)?;
        let known = self.heads.entry(head.size).or_insert(head.root);
        if *known != head.root {
            return Err(format!("two roots were signed for size {}", head.size));
        }
        Ok(head.size)
    }

    /// A batch was acknowledged.
    ///
    /// # Errors
    /// When the receipt contradicts an earlier one or itself.
    pub(crate) fn acknowledge(
        &mut self,
        batch: &[Arc<Planned>],
        receipt: &Receipt,
        redactor: &Redactor,
    ) -> Result<(), String> {
        self.learn_outcomes(batch, &receipt.outcomes, &receipt.checkpoint, redactor)
    }

    /// What a receipt said of a batch.
    ///
    /// # Errors
    /// As [`Model::acknowledge`].
    pub(crate) fn learn_outcomes(
        &mut self,
        batch: &[Arc<Planned>],
        outcomes: &[Outcome],
        note: &str,
        redactor: &Redactor,
    ) -> Result<(), String> {
        let size = self.shown(note)?;
        if outcomes.len() != batch.len() {
            return Err("the receipt has not one outcome for each event".to_owned());
        }
        for (planned, outcome) in batch.iter().zip(outcomes) {
            self.judge(planned, outcome, redactor)?;
            let (Outcome::Sealed { index, .. }
            | Outcome::Duplicate { index, .. }
            | Outcome::Conflict { index }) = outcome;
            if *index >= size {
                return Err(format!(
                    "{}: index {index} is beyond its checkpoint {size}",
                    planned.id
                ));
            }
        }
        Ok(())
    }

    fn judge(
        &mut self,
        planned: &Arc<Planned>,
        outcome: &Outcome,
        redactor: &Redactor,
    ) -> Result<(), String> {
        let known = self.acknowledged.get(&planned.id);
        let wrong = |wanted: &str| Err(format!("{}: {wanted}, but {outcome:?}", planned.id));
        // Of what is gone nobody knows any more what it said: another event under its id, or the
        // same one, may be new, or the one that was there.
        let is_free = known.is_some_and(|known| self.removals.may_concern(&known.planned));
        match (known, *outcome) {
            (Some(_), Outcome::Sealed { index, leaf_hash }) if is_free => {
                self.learn(planned, index, leaf_hash, redactor);
            }
            (Some(known), Outcome::Conflict { index }) if is_free && index == known.index => {}
            (Some(known), Outcome::Duplicate { index, leaf_hash }) => {
                if known.planned != *planned {
                    return wrong("another event has this id");
                }
                if (index, leaf_hash) != (known.index, known.leaf) {
                    return wrong(&format!("it is record {} already", known.index));
                }
            }
            (Some(known), Outcome::Conflict { index }) => {
                if known.planned == *planned || index != known.index {
                    return wrong(&format!("it is record {} already", known.index));
                }
            }
            (Some(known), Outcome::Sealed { .. }) => {
                return wrong(&format!("it is record {} already", known.index));
            }
            // Sealed without an answer, and its content is gone since.
            (None, Outcome::Conflict { .. })
                if self.doubted.contains(&planned.id) && self.removals.may_concern(planned) => {}
            (None, Outcome::Conflict { .. }) => return wrong("its id is new"),
            (None, Outcome::Duplicate { .. }) if !self.doubted.contains(&planned.id) => {
                return wrong("it was never sent before");
            }
            (
                None,
                Outcome::Sealed { index, leaf_hash } | Outcome::Duplicate { index, leaf_hash },
            ) => {
                self.learn(planned, index, leaf_hash, redactor);
            }
        }
        Ok(())
    }

    fn learn(&mut self, planned: &Arc<Planned>, index: u64, leaf: [u8; 32], redactor: &Redactor) {
        let mut event = planned.event();
        if let Some(principal) = &self.principal {
            event.principal = Some(principal.clone());
            event.assurance = Some(Assurance::Acknowledged);
        }
        let redacted = redactor.redact(event);
        let (mut meta, mut content) = (Vec::new(), Vec::new());
        redacted.get().write_meta(&mut meta);
        redacted.get().write_content(&mut content);
        let planned = Arc::clone(planned);
        self.order.push(Arc::clone(&planned));
        let id = planned.id.clone();
        self.acknowledged.insert(id, Acknowledged { index, leaf, planned, meta, content });
    }

    /// Compares a log with what it owes.
    ///
    /// # Errors
    /// The first obligation that it does not meet, in words.
    pub(crate) fn check(&self, contents: &Contents) -> Result<(), String> {
        for (size, root) in &self.heads {
            contents.check_head(*size, *root)?;
        }
        for (id, known) in &self.acknowledged {
            let place = usize::try_from(known.index).unwrap_or(usize::MAX);
            let lost = || format!("{id}, acknowledged as record {}, is lost", known.index);
            let sealed = contents.records.get(place).ok_or_else(lost)?;
            if sealed.id != *id && !matches!(sealed.left, Left::Nothing) {
                return Err(lost());
            }
            if sealed.leaf != known.leaf {
                return Err(format!("{id}: its leaf is another than acknowledged"));
            }
            self.check_left(known, sealed).map_err(|what| format!("{id}: {what}"))?;
        }
        let mut seen = HashSet::new();
        for (index, record) in contents.records.iter().enumerate() {
            if record.kind == Kind::Log || matches!(record.left, Left::Nothing) {
                continue;
            }
            if !seen.insert(&record.id) {
                return Err(format!("{} is there twice, again at {index}", record.id));
            }
            if !self.acknowledged.contains_key(&record.id) && !self.doubted.contains(&record.id) {
                return Err(format!("record {index}, {}, was never sent", record.id));
            }
        }
        Ok(())
    }

    /// Compares what is left of a record with what was acknowledged and what was asked for since.
    fn check_left(&self, known: &Acknowledged, sealed: &Sealed) -> Result<(), String> {
        let entry = Entry::decode(&sealed.entry).map_err(|error| error.to_string())?;
        let gone = match &sealed.left {
            Left::Whole(_) => {
                let record = sealed.record()?;
                if record.meta != known.meta || record.content != known.content {
                    return Err("its bytes are others than acknowledged".to_owned());
                }
                None
            }
            Left::Metadata(row) if row.meta != known.meta => {
                return Err("its metadata is other than acknowledged".to_owned());
            }
            Left::Metadata(_) => Some(Scope::Content),
            Left::Nothing => Some(Scope::Record),
        };
        if let Some(gone) = gone
            && !self.removals.allow(&known.planned, entry.time_ms, gone)
        {
            return Err(format!("record {} lost its {}", known.index, gone.as_str()));
        }
        match self.removals.demand(&known.planned, known.index) {
            // There was no content.
            Some(Scope::Content) if known.content.is_empty() => Ok(()),
            Some(demanded) if gone < Some(demanded) => {
                Err(format!("record {} was to lose its {}", known.index, demanded.as_str()))
            }
            _ => Ok(()),
        }
    }
}

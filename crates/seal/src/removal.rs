//! Removing records, or their content, for good: only what the log has announced, and in an order
//! that a crash anywhere leaves either undone or to be finished.
//!
//! 1. All records that are meant lie in segments. 2. One group says who wanted it and why, and
//!    which indexes go. 3. A published checkpoint covers that, and the ledger shows it. 4. Segments
//!    of which nothing is left go with their keys; the others are written anew without what goes,
//!    and announced; the old ones go with theirs. The next start goes on wherever that stopped: a
//!    segment says up to which removal it was made. Deciding what goes is `retain`'s.

use crate::error::SealError;
use crate::life;
use crate::rewrite::Rewrite;
use crate::writer::Writer;
use event::{AgentKeyMark, Event, HoldMark, Kind, Removal, RemovedClass, Scope, Tier};
use segment::{Catalogue, Manifest, Projection};

/// Removals that are announced at once, at most: all of them stand in one frame of the journal, and
/// each takes up to some 450 KB.
pub const REMOVALS_AT_ONCE_MAX: usize = 64;

/// What is to be announced together with the record that says who wanted it, and why.
pub enum Consequence {
    /// Records, or their content, go.
    Remove(Removal),
    /// A legal hold begins.
    Hold {
        /// Its name.
        hold: String,
    },
    /// A legal hold ends.
    Release {
        /// Its name.
        hold: String,
    },
    /// A key of agents is registered or revoked; its `authority` is not looked at.
    AgentKey(AgentKeyMark),
}

impl Writer {
    /// What the ledger shows: segments, removals, holds.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.holdings.catalogue
    }

    /// Moves every record that is there into segments, and carries out what was announced before.
    ///
    /// # Errors
    /// As [`Writer::roll`]; storage.
    pub fn settle_tail(&mut self) -> Result<(), SealError> {
        self.begin_life()?;
        // What an earlier life announced goes before anything is rolled.
        self.publish()?;
        self.carry_out()?;
        self.end_tail()?;
        self.publish()?;
        self.roll()?;
        Ok(())
    }

    /// Ends the journal file that is there, so that all of it can be rolled.
    pub(crate) fn end_tail(&mut self) -> Result<(), SealError> {
        self.begin_life()?;
        self.end_journal_file();
        // A journal file ends with the group after it.
        self.commit_life(life::heartbeat(self.size()))
    }

    /// Says something in the log, and publishes that.
    ///
    /// # Errors
    /// As [`Writer::commit`].
    pub fn say(&mut self, event: Event<'static>) -> Result<u64, SealError> {
        self.begin_life()?;
        let index = self.size();
        self.commit_life(event)?;
        self.publish()?;
        Ok(index)
    }

    /// Seals `intent`, which says who wants what and why, in one group with what it
    /// authorises, publishes both, and carries them out. Returns the index of the intent.
    ///
    /// # Errors
    /// As [`Writer::resolve`] and [`Writer::carry_out`]; what was announced is carried out when the
    /// log is opened again.
    pub fn decide(
        &mut self,
        intent: Event<'static>,
        consequences: Vec<Consequence>,
    ) -> Result<u64, SealError> {
        let removes = consequences.iter().any(|it| matches!(it, Consequence::Remove(_)));
        let authority = self.resolve(intent, consequences)?;
        if removes {
            self.carry_out()?;
        }
        Ok(authority)
    }

    /// The same without carrying it out: a [`crate::Log`] does that beside its appends, and
    /// [`crate::Log::settle`] waits for it.
    ///
    /// Every record that is to be removed must lie in a segment ([`Writer::settle_tail`]). Which
    /// segments are left empty is found here: `files` of a removal is not looked at.
    ///
    /// # Errors
    /// [`SealError::Corrupt`] when a removal names a record of the log's own, or one that lies in
    /// no segment, and [`SealError::Refused`] when an earlier one is not carried out yet or there
    /// are more than [`REMOVALS_AT_ONCE_MAX`]: nothing was announced then. Else as
    /// [`Writer::commit`].
    pub fn resolve(
        &mut self,
        intent: Event<'static>,
        consequences: Vec<Consequence>,
    ) -> Result<u64, SealError> {
        let is_removal = |it: &&Consequence| matches!(it, Consequence::Remove(_));
        if consequences.iter().filter(is_removal).count() > REMOVALS_AT_ONCE_MAX {
            return Err(refused(
                "this is more than a million separate stretches of records at once; choose a part of them, \
                 such as a shorter time",
            ));
        }
        self.begin_life()?;
        let authority = self.size();
        let (mut removals, mut marks) = (Vec::new(), Vec::new());
        let mut keys = Vec::new();
        for consequence in consequences {
            match consequence {
                Consequence::Remove(removal) => {
                    removals.push(Removal { authority, files: Vec::new(), ..removal });
                }
                Consequence::Hold { hold } => marks.push(HoldMark::Held { hold, authority }),
                Consequence::Release { hold } => marks.push(HoldMark::Released { hold, authority }),
                Consequence::AgentKey(mark) => keys.push(mark.under(authority)),
            }
        }
        // Which segments are left empty depends on what is there when this is carried out.
        if !removals.is_empty() && self.next_removal()?.is_some() {
            return Err(refused("an earlier removal is still being carried out; try again"));
        }
        self.check(&mut removals)?;
        let mut announcements = vec![intent];
        announcements.extend(removals.iter().map(life::removal));
        announcements.extend(marks.iter().map(life::hold));
        announcements.extend(keys.iter().map(life::agent_key));
        self.announcements.extend(announcements);
        self.commit(Vec::new())?;
        self.publish()?;
        Ok(authority)
    }

    /// Carries out what was announced: writes every segment anew in which a removal waits, and says
    /// in the log that it is done. Returns how many there were.
    ///
    /// # Errors
    /// As [`Writer::roll`].
    pub fn carry_out(&mut self) -> Result<usize, SealError> {
        let mut count = 0;
        while let Some(rewrite) = self.next_removal()? {
            let segments = rewrite.run()?;
            if segments.is_empty() {
                // Such a one is named by the removal itself: it would be looked at for ever.
                let detail = "a removal leaves nothing of a segment that it does not name";
                return Err(SealError::corrupt(segment::LEDGER_FOLDER, detail));
            }
            self.announce(segments)?;
            self.publish()?;
            count += 1;
        }
        self.report_removals()?;
        self.publish()?;
        Ok(count)
    }

    /// The next segment in which a removal waits, if any.
    pub(crate) fn next_removal(&self) -> Result<Option<Rewrite>, SealError> {
        if let Some(reason) = &self.poisoned {
            return Err(SealError::Poisoned { reason: reason.clone() });
        }
        if !self.holdings.undisclosed.is_empty() {
            return Ok(None);
        }
        let catalogue = &self.holdings.catalogue;
        let mut current = catalogue.current().into_iter();
        let Some(manifest) = current.find(|manifest| !catalogue.pending(manifest).is_empty())
        else {
            return Ok(None);
        };
        self.rewrite(vec![manifest.clone()]).map(Some)
    }

    /// Seals what is to be said before anything else, so that the next record is at
    /// [`Writer::size`].
    pub(crate) fn begin_life(&mut self) -> Result<(), SealError> {
        if !self.started {
            self.started = true;
            self.commit_life(life::started(
                self.size(),
                self.keyring.generation(),
                self.redactor.policy_id(),
            ))?;
        }
        Ok(())
    }

    /// Names the segments of which removals leave nothing. Refuses to remove what must stay:
    /// records of the log's own, and records of which no segment could be written anew.
    fn check(&self, removals: &mut [Removal]) -> Result<(), SealError> {
        let covered = self.catalogue().covered();
        let ends = |class: &RemovedClass| class.indexes.last().map_or(0, |(_, last)| *last);
        let classes = || removals.iter().flat_map(|removal| &removal.classes);
        if classes().any(|class| ends(class) >= covered) {
            return Err(refused("a record that is to be removed lies in no segment yet"));
        }
        let mut emptied = Vec::new();
        for manifest in self.catalogue().current() {
            let concerns = |(_, removal): &(usize, &Removal)| {
                let class = removal.class(manifest.tier, manifest.day);
                class.is_some_and(|class| class.overlaps(manifest.first, manifest.last))
            };
            let concerned: Vec<_> = removals.iter().enumerate().filter(concerns).collect();
            let all: Vec<&Removal> = concerned.iter().map(|(_, removal)| *removal).collect();
            let last = concerned.iter().rfind(|(_, removal)| removal.scope == Scope::Record);
            let last = last.map(|(place, _)| *place);
            if !all.is_empty() && self.is_emptied(manifest, &all)? {
                emptied.extend(last.map(|place| (place, manifest.path())));
            }
        }
        for (place, path) in emptied {
            if let Some(removal) = removals.get_mut(place) {
                removal.files.push(path);
            }
        }
        Ok(())
    }

    /// Whether removals leave nothing of a segment that they concern.
    fn is_emptied(&self, manifest: &Manifest, removals: &[&Removal]) -> Result<bool, SealError> {
        let Manifest { tier, day, first, last, .. } = *manifest;
        let whole = |removal: &&&Removal| removal.scope == Scope::Record;
        let covers = |removal: &&Removal| {
            removal.class(tier, day).is_some_and(|class| class.covers(first, last))
        };
        // Records of the log's own are all of one tier.
        if tier != Tier::Critical && removals.iter().filter(whole).any(covers) {
            return Ok(true);
        }
        let failed =
            |error: segment::SegmentError| crate::build::of_segment(&manifest.path(), &error);
        let mut is_emptied = true;
        for row in self.open_segment(manifest)?.rows(.., Projection::MetaOnly).map_err(failed)? {
            let row = row.map_err(failed)?;
            let goes = |removal: &&Removal| removal.removes(tier, day, row.index);
            if row.kind == Kind::Log && removals.iter().any(goes) {
                return Err(refused("the log's own records are never removed"));
            }
            is_emptied &= removals.iter().filter(whole).any(goes);
        }
        Ok(is_emptied)
    }
}

fn refused(detail: &str) -> SealError {
    SealError::Refused { detail: detail.to_owned() }
}

//! Which keys the log may be signed by: those that took over because somebody asked for it, and
//! never fewer than anybody was told of.

use super::Model;
use crate::reading;
use checkpoint::{Checkpoint, Epochs, Note, VerifierKey};
use store::Folder;

impl Model {
    /// Somebody asks for a rotation.
    pub(crate) fn ask_rotation(&mut self) {
        self.rotations_asked += 1;
    }

    /// The keys of the log, oldest first.
    pub(crate) fn epochs(&self) -> &Epochs {
        &self.epochs
    }

    /// The first keys of the log.
    pub(crate) fn first_keys(&self) -> Vec<VerifierKey> {
        self.epochs.iter().next().map(|epoch| epoch.keys.clone()).unwrap_or_default()
    }

    /// Takes note of the keys that the ledger shows.
    ///
    /// # Errors
    /// When keys are gone that were there, or took over although nobody asked for it.
    pub(crate) fn learn_epochs(&mut self, folder: &dyn Folder) -> Result<(), String> {
        let found = reading::epochs(folder, &self.identity)?;
        if found.last().number < self.epochs.last().number {
            return Err("keys that had taken over are not the log's any more".to_owned());
        }
        self.follow(found)
    }

    /// The same of a folder that no process has: a power cut may have taken the document of a
    /// rotation that was not synced yet, and the next start writes it again.
    ///
    /// # Errors
    /// As [`Model::learn_epochs`].
    pub(crate) fn glimpse_epochs(&mut self, folder: &dyn Folder) -> Result<(), String> {
        let found = reading::epochs(folder, &self.identity)?;
        self.follow(found)
    }

    fn follow(&mut self, found: Epochs) -> Result<(), String> {
        if !self.epochs.iter().zip(found.iter()).all(|(known, found)| known == found) {
            return Err("other keys took over than were seen before".to_owned());
        }
        if found.last().number > self.rotations_asked {
            let (count, asked) = (found.last().number, self.rotations_asked);
            return Err(format!("{count} keys took over, and {asked} were asked for"));
        }
        if found.last().number > self.epochs.last().number {
            self.epochs = found;
        }
        Ok(())
    }

    /// A rotation was acknowledged: the ledger shows it.
    pub(crate) fn rotated(&mut self, folder: &dyn Folder, epoch: u64) -> Result<(), String> {
        self.learn_epochs(folder)?;
        match self.epochs.last().number == epoch {
            true => Ok(()),
            false => {
                Err(format!("epoch {epoch} was acknowledged, and the ledger does not show it"))
            }
        }
    }

    /// Opens a checkpoint that somebody was shown. When a rotation was asked for and not answered,
    /// one that all keys that are due signed may bear the signature of the next one as well.
    pub(super) fn open_note(&self, note: &str) -> Result<Checkpoint, String> {
        let opened = reading::open_note(note, &self.epochs);
        if opened.is_ok() || self.epochs.last().number >= self.rotations_asked {
            return opened;
        }
        let due = self.epochs.due(reading::head_of(note)?.size);
        let lines = Note::parse(note).map_err(|error| error.to_string())?.signatures().len();
        match checkpoint::open_checkpoint(note, self.epochs.origin(), &due) {
            Ok(verified) if verified.signatures.len() == due.len() && lines == 2 * due.len() => {
                Ok(verified.checkpoint)
            }
            _ => opened,
        }
    }
}

//! A witness as the specification has it, and as `tacho witness` is one: what it saw of a log, and
//! whether it cosigns what it is shown.

use super::Files;
use ::witness::{AddCheckpoint, Seen};
use checkpoint::{Algorithm, Note, SigningKey, VerifierKey, cosign};
use merkle::{TileCoordinate, TileReader, consistency_proof};
use seal::CHECKPOINT_PATH;
use std::convert::Infallible;

/// What the witness says when it cosigns, in seconds.
const TIME_S: u64 = 1_767_225_600;

/// A witness of one log.
pub(super) struct Watch {
    key: SigningKey,
    log: Vec<VerifierKey>,
    origin: String,
}

/// What it answers.
pub(super) enum Answer {
    /// It cosigned: what it saw, and the note with its line.
    Cosigned(Seen, String),
    /// It did not; the status, as the protocol has it.
    Refused(u16),
}

impl Watch {
    /// A witness of the log whose keys these are.
    pub(super) fn new(name: &str, seed: u8, log: &[String]) -> Result<Self, String> {
        let key = SigningKey::from_seed(name, Algorithm::Ed25519Cosignature, &[seed; 32]);
        let log: Vec<VerifierKey> =
            log.iter().map(|key| key.parse().map_err(text)).collect::<Result<_, String>>()?;
        let origin = log.first().ok_or("the log has no key")?.name().to_owned();
        Ok(Self { key: key.map_err(text)?, log, origin })
    }

    /// Keys that took over in the log, as its operator tells the witness.
    pub(super) fn trust(&mut self, log: &[String]) -> Result<(), String> {
        for key in log {
            self.log.push(key.parse().map_err(text)?);
        }
        Ok(())
    }

    /// The policy of somebody who wants to see its cosignature.
    pub(super) fn policy(&self) -> String {
        let logs: String = self.log.iter().map(|key| format!("log {key}\n")).collect();
        format!("{logs}witness w {}\nquorum w\n", self.key.verifier_key())
    }

    /// Shows it the published checkpoint, with the best proof that these tiles give.
    pub(super) fn ask(&self, files: &Files, seen: Option<Seen>) -> Result<Answer, String> {
        let note = files.get(CHECKPOINT_PATH).ok_or("there is no checkpoint")?.clone();
        let size = crate::reading::head_of(&String::from_utf8_lossy(&note))?.size;
        let old_size = seen.map_or(0, |seen| seen.size.min(size));
        let tiles = |tile: TileCoordinate| Ok::<_, Infallible>(files.get(&tile.path()).cloned());
        let proof = match old_size {
            0 => Vec::new(),
            old => consistency_proof(&TileReader::new(tiles, size), old, size).map_err(text)?,
        };
        let asked = AddCheckpoint { old_size, proof, note };
        let verified = match asked.check(&self.origin, &self.log, seen) {
            Ok(verified) => verified,
            Err(refusal) => return Ok(Answer::Refused(refusal.status())),
        };
        let line = cosign(&verified, &self.key, TIME_S).map_err(text)?;
        let mut note = Note::parse(&asked.note).map_err(text)?;
        note.add(line).map_err(text)?;
        Ok(Answer::Cosigned(Seen::of(&verified.checkpoint), note.to_string()))
    }

    /// As [`Watch::ask`], of an honest log: it must cosign.
    pub(super) fn see(&self, files: &Files, seen: Option<Seen>) -> Result<(Seen, String), String> {
        match self.ask(files, seen)? {
            Answer::Cosigned(seen, note) => Ok((seen, note)),
            Answer::Refused(status) => Err(format!("the witness refused an honest log: {status}")),
        }
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

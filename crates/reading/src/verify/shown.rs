//! A public log that is shown by somebody: whatever is shown must be what the log signed, and
//! continue what was kept from earlier.
//!
//! Not here: how its files are asked for.

use super::{SinceFile, check_receipts};
use merkle::{TILE_WIDTH, TilePath};
use prove::{Progress, PublicLog, ReadError, Report, Since, Trust, verify_log};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

const CHECKPOINT: &str = "checkpoint";
const LEDGER: &str = "ledger";

/// Asks for a file of the public log; `None` when there is none.
pub type Ask<'a, E> = &'a dyn Fn(&str) -> Result<Option<Vec<u8>>, E>;

/// The files that are shown, as of one checkpoint.
pub struct Shown<'a, E> {
    ask: Ask<'a, E>,
    checkpoint: Vec<u8>,
    /// The names of the ledger's documents, if they are told.
    ledger: Option<Vec<String>>,
    /// Numbers of the tiles of leaves that receipts are about, and these tiles as they were
    /// checked: whoever is asked again may answer otherwise.
    wanted: BTreeSet<u64>,
    leaves: BTreeMap<String, Vec<u8>>,
}

/// Why a log is not shown.
#[derive(Debug)]
pub enum NotShown<E> {
    /// What was asked says this.
    Asked(E),
    /// An answer is none.
    Foreign(String),
}

#[derive(Deserialize)]
struct Listed {
    ledger: Vec<String>,
}

impl<'a, E: Display> Shown<'a, E> {
    /// First the ledger: a document that came later than the checkpoint would belong to nothing.
    ///
    /// # Errors
    /// [`NotShown`].
    pub fn open(ask: Ask<'a, E>) -> Result<Self, NotShown<E>> {
        let ledger = match ask(LEDGER).map_err(NotShown::Asked)? {
            Some(bytes) => {
                let listed: Listed = serde_json::from_slice(&bytes)
                    .map_err(|error| NotShown::Foreign(error.to_string()))?;
                Some(listed.ledger)
            }
            None => None,
        };
        let checkpoint = ask(CHECKPOINT).map_err(NotShown::Asked)?;
        let checkpoint = checkpoint
            .ok_or_else(|| NotShown::Foreign("it shows no checkpoint of this log".to_owned()))?;
        let (wanted, leaves) = (BTreeSet::new(), BTreeMap::new());
        Ok(Self { ask, checkpoint, ledger, wanted, leaves })
    }

    /// The origin that its checkpoint names.
    #[must_use]
    pub fn origin(&self) -> String {
        let text = String::from_utf8_lossy(&self.checkpoint);
        text.lines().next().unwrap_or_default().to_owned()
    }

    /// Checks all of it.
    pub fn check(
        &mut self,
        trust: &Trust,
        since: Option<&SinceFile>,
        progress: &mut dyn FnMut(Progress),
    ) -> Report {
        let receipts = since.into_iter().flat_map(|since| &since.receipts);
        self.wanted = receipts.map(|it| it.index / u64::from(TILE_WIDTH)).collect();
        let note = since.and_then(|since| since.checkpoint.as_deref());
        let note = note.map(|note| Since { note: note.as_bytes() });
        let origin = self.origin();
        let mut report = verify_log(self, None, &origin, trust, note, progress);
        if let Some(since) = since {
            let read = |path: &str| self.leaves.get(path).cloned();
            check_receipts(&read, &since.receipts, &mut report);
        }
        report
    }
}

impl<E: Display> PublicLog for Shown<'_, E> {
    fn read(&mut self, path: &str, limit: usize, out: &mut Vec<u8>) -> Result<bool, ReadError> {
        if path == CHECKPOINT {
            out.extend_from_slice(self.checkpoint.get(..limit).unwrap_or(&self.checkpoint));
            return Ok(true);
        }
        let asked = (self.ask)(path).map_err(|error| ReadError(error.to_string()))?;
        let Some(bytes) = asked else { return Ok(false) };
        let bytes = bytes.get(..limit).unwrap_or(&bytes);
        out.extend_from_slice(bytes);
        if let Ok(TilePath::Tile(tile)) = path.parse::<TilePath>()
            && tile.level() == 0
            && self.wanted.contains(&tile.number())
        {
            self.leaves.insert(path.to_owned(), bytes.to_vec());
        }
        Ok(true)
    }

    fn list(&mut self, each: &mut dyn FnMut(&str)) -> Result<(), ReadError> {
        for name in self.ledger.iter().flatten() {
            each(&format!("{LEDGER}/{name}"));
        }
        Err(ReadError("a server does not list its files".to_owned()))
    }
}

//! A server's public log, checked from outside: whatever the server shows must be what the log
//! signed, and continue what was kept from earlier.

use crate::configuration_folder::ConfigurationFolder;
use crate::context::Context;
use crate::failure::Failure;
use crate::remote::Remote;
use crate::remote::trouble::Trouble;
use checkpoint::{Policy, VerifierKey};
use merkle::{TILE_WIDTH, TilePath};
use prove::{PublicLog, ReadError, Report, Since, Trust, verify_log};
use reading::verify::{SinceFile, check_receipts, check_witnesses};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

const CHECKPOINT: &str = "checkpoint";
const LEDGER: &str = "ledger";

/// The files that a server shows, as of one checkpoint.
struct Shown<'r> {
    remote: &'r Remote,
    checkpoint: Vec<u8>,
    /// The names of the ledger's documents, if the server tells them.
    ledger: Option<Vec<String>>,
    /// Numbers of the tiles of leaves that receipts are about, and these tiles as they were
    /// checked: a server that is asked again may answer otherwise.
    wanted: BTreeSet<u64>,
    leaves: BTreeMap<String, Vec<u8>>,
}

#[derive(Deserialize)]
struct Listed {
    ledger: Vec<String>,
}

/// Checks all of it.
pub(super) fn check(
    context: &Context,
    remote: &Remote,
    pinned: Vec<VerifierKey>,
    since: Option<SinceFile>,
    policy: Option<&Policy>,
) -> Result<Report, Failure> {
    // Before the checkpoint, which goes on meanwhile.
    let cosigned = policy.map(|_| read_cosigned(remote)).transpose()?.flatten();
    let mut shown = Shown::open(remote)?;
    let receipts = since.iter().flat_map(|since| &since.receipts);
    shown.wanted = receipts.map(|it| it.index / u64::from(TILE_WIDTH)).collect();
    let text = String::from_utf8_lossy(&shown.checkpoint);
    let origin = text.lines().next().unwrap_or_default().to_owned();
    // What the server says of the keys vouches for nothing; it shows whether a signature is whole.
    let described = remote.describe().ok();
    let embedded = described.iter().flat_map(|it| &it.keys).filter_map(|key| key.parse().ok());
    let mut trust = Trust { pinned, embedded: embedded.collect(), ..Trust::default() };
    if trust.pinned.is_empty()
        && let Some(known) = ConfigurationFolder::locate().and_then(|it| it.known_origin(&origin))
    {
        for key in &known.vkeys {
            trust.pinned.push(key.parse()?);
        }
    }
    let note = since.as_ref().and_then(|since| since.checkpoint.as_deref());
    let note = note.map(|note| Since { note: note.as_bytes() });
    let mut progress = context.terminal.progress("entries");
    let mut report = verify_log(&mut shown, None, &origin, &trust, note, &mut |it| {
        progress.at(it.done, it.total);
    });
    progress.finish();
    if let Some(since) = &since {
        let read = |path: &str| shown.leaves.get(path).cloned();
        check_receipts(&read, &since.receipts, &mut report);
    }
    if let Some(policy) = policy {
        let read = |path: &str| remote.get(&remote.public(path)).ok().map(|answer| answer.bytes);
        check_witnesses(policy, cosigned.as_deref(), &read, &mut report);
    }
    Ok(report)
}

/// The checkpoint that enough witnesses of the server's own policy cosigned, if there is one.
pub(crate) fn read_cosigned(remote: &Remote) -> Result<Option<Vec<u8>>, Failure> {
    match remote.get(&remote.public(reading::COSIGNED_PATH)) {
        Ok(answer) => Ok(Some(answer.bytes)),
        Err(Trouble::Answered { status: 404, .. }) => Ok(None),
        Err(trouble) => Err(remote.failure(&trouble)),
    }
}

impl<'r> Shown<'r> {
    /// First the ledger: a document that came later than the checkpoint would belong to nothing.
    fn open(remote: &'r Remote) -> Result<Self, Failure> {
        let ledger = match remote.get(&remote.public(LEDGER)) {
            Ok(answer) => {
                let listed: Listed = serde_json::from_slice(&answer.bytes)
                    .map_err(|error| remote.foreign(&error))?;
                Some(listed.ledger)
            }
            Err(trouble) if trouble.status() == Some(404) => None,
            Err(trouble) => return Err(remote.failure(&trouble)),
        };
        let answer =
            remote.get(&remote.public(CHECKPOINT)).map_err(|trouble| remote.failure(&trouble))?;
        let (wanted, leaves) = (BTreeSet::new(), BTreeMap::new());
        Ok(Self { remote, checkpoint: answer.bytes, ledger, wanted, leaves })
    }
}

impl PublicLog for Shown<'_> {
    fn read(&mut self, path: &str, limit: usize, out: &mut Vec<u8>) -> Result<bool, ReadError> {
        if path == CHECKPOINT {
            out.extend_from_slice(self.checkpoint.get(..limit).unwrap_or(&self.checkpoint));
            return Ok(true);
        }
        match self.remote.get(&self.remote.public(path)) {
            Ok(answer) => {
                let bytes = answer.bytes.get(..limit).unwrap_or(&answer.bytes);
                out.extend_from_slice(bytes);
                if let Ok(TilePath::Tile(tile)) = path.parse::<TilePath>()
                    && tile.level() == 0
                    && self.wanted.contains(&tile.number())
                {
                    self.leaves.insert(path.to_owned(), bytes.to_vec());
                }
                Ok(true)
            }
            Err(Trouble::Answered { status: 404, .. }) => Ok(false),
            Err(trouble) => Err(ReadError(trouble.brief())),
        }
    }

    fn list(&mut self, each: &mut dyn FnMut(&str)) -> Result<(), ReadError> {
        for name in self.ledger.iter().flatten() {
            each(&format!("{LEDGER}/{name}"));
        }
        Err(ReadError("a server does not list its files".to_owned()))
    }
}

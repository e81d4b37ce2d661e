//! Which files the folder has, and the three that stand for themselves: `log.json`, the keyring,
//! and what the checkpoint claims before anybody believes it.

use super::records::Observed;
use crate::{COSIGNED_PATH, Shelf};
use anchor::AnchorName;
use checkpoint::{Algorithm, CheckpointText, Note, SigningKey, VerifierKey};
use keys::{Kek, Keyring, KeyringError, Purpose};
use prove::{Finding, FindingKind, Report};
use seal::{CHECKPOINT_PATH, IDENTITY_PATH, Identity, KEYRING_PATH, REDACTION_POLICY_PATH};
use sha2::{Digest, Sha256};
use store::{CACHE_FOLDER, Folder, StoreError};

/// Where the public files lie.
pub(super) const TILE_FOLDER: &str = "tile/";

/// Where the records lie that the log shows to everybody.
pub(super) const LEDGER_FOLDER: &str = "ledger/";

/// Where the segments lie.
pub(super) const SEGMENT_FOLDER: &str = "segments/";

/// Where the KEK's id stands in a keyring (`keys`, "Format, version 1").
const KEK_ID: std::ops::Range<usize> = 12..20;

/// The files of a log, and what is wrong with those that are neither public nor journal.
pub(super) struct Files {
    /// Every file.
    pub(super) listing: Vec<String>,
    /// The segments.
    pub(super) shelf: Shelf,
    /// The log's id: as the keyring says, else as `log.json` says.
    pub(super) log_id: [u8; 16],
    /// What `log.json` says, else what the checkpoint says.
    pub(super) origin: String,
    /// Keys that came with the log.
    pub(super) embedded: Vec<VerifierKey>,
    /// Signing keys in the keyring that no record names: they were about to take over.
    pub(super) pending: Vec<VerifierKey>,
    /// The size that the checkpoint claims, as far as there are files for it.
    pub(super) size: u64,
    pub(super) secrets: Secrets,
    pub(super) findings: Vec<Finding>,
    identity_sha256: Option<String>,
}

/// Whether records can be decrypted.
pub(super) enum Secrets {
    Open(Keyring),
    Closed,
}

impl Files {
    /// Lists and reads.
    pub(super) fn read(folder: &dyn Folder, kek: Option<&Kek>) -> Result<Self, StoreError> {
        let listing = folder.list("")?;
        let mut files = Self {
            size: claimed_size(folder, &listing),
            shelf: Shelf::read(folder)?,
            listing,
            log_id: [0; 16],
            origin: String::new(),
            embedded: Vec::new(),
            pending: Vec::new(),
            secrets: Secrets::Closed,
            findings: Vec::new(),
            identity_sha256: None,
        };
        files.find_strangers();
        let identity = files.read_identity(folder);
        files.read_keyring(folder, kek, identity.as_ref());
        if files.origin.is_empty() {
            files.origin = claimed_origin(folder).unwrap_or_default();
        }
        // Keys that took over name the ones before themselves.
        if identity.is_none()
            && files.shelf.catalogue.successions().next().is_none()
            && let Secrets::Open(keyring) = &files.secrets
        {
            files.embedded = keyring_keys(keyring, &files.origin);
        }
        Ok(files)
    }

    /// Compares what the log itself recorded with `log.json` and the keyring.
    pub(super) fn compare(&self, keyring: &Keyring, observed: &Observed, report: &mut Report) {
        if let (Some(recorded), Some(found)) = (&observed.identity_sha256, &self.identity_sha256)
            && recorded != found
        {
            let detail = format!(
                "its SHA-256 is {found}, and entry 0 of the log recorded {recorded}: it was altered"
            );
            report.add(Finding::of_file(FindingKind::Corrupt, IDENTITY_PATH, detail));
        }
        let (recorded, found) = (observed.keyring_generation, keyring.generation());
        if recorded > found {
            let detail = format!(
                "its generation is {found}, and the log recorded {recorded}: an older keyring was put \
                 in its place"
            );
            report.add(Finding::of_file(FindingKind::Corrupt, KEYRING_PATH, detail));
        }
    }

    /// Names files that no log has. What is below `tile/` and `ledger/` is `prove`'s to judge, what
    /// is below `segments/` is judged in `verify/segments.rs`; what is below `cache/`, temporary
    /// files among it, may be rebuilt and is not checked.
    fn find_strangers(&mut self) {
        for path in &self.listing {
            let files = [IDENTITY_PATH, KEYRING_PATH, CHECKPOINT_PATH, REDACTION_POLICY_PATH];
            let known = files.contains(&path.as_str())
                || path == COSIGNED_PATH
                // That it is one, whoever trusts its authority can tell.
                || AnchorName::at(path).is_some()
                || path.split_once('/').is_some_and(|(folder, _)| folder == CACHE_FOLDER)
                || [TILE_FOLDER, LEDGER_FOLDER, SEGMENT_FOLDER]
                    .iter()
                    .any(|it| path.starts_with(it))
                || store::parse_journal_path(path).is_some();
            if !known {
                let detail = "not a file that a log has";
                self.findings.push(Finding::of_file(FindingKind::Unannounced, path, detail));
            }
        }
    }

    fn read_identity(&mut self, folder: &dyn Folder) -> Option<Identity> {
        let bytes = self.required(folder, IDENTITY_PATH)?;
        self.identity_sha256 = Some(hex::encode(Sha256::digest(&bytes)));
        let identity = match Identity::parse(&bytes) {
            Ok(identity) => identity,
            Err(error) => {
                let detail = detail_of(IDENTITY_PATH, &error.to_string());
                self.corrupt(IDENTITY_PATH, detail);
                return None;
            }
        };
        if identity.to_bytes() != bytes {
            self.corrupt(IDENTITY_PATH, "it is not written as this program writes it".to_owned());
        }
        match identity.id() {
            Ok(id) => self.log_id = id,
            Err(error) => self.corrupt(IDENTITY_PATH, detail_of(IDENTITY_PATH, &error.to_string())),
        }
        for key in &identity.keys {
            match key.parse() {
                Ok(key) => self.embedded.push(key),
                Err(error) => {
                    let finding = FindingKind::Corrupt;
                    self.findings.push(Finding::of_file(finding, IDENTITY_PATH, error.to_string()));
                }
            }
        }
        self.origin.clone_from(&identity.origin);
        Some(identity)
    }

    fn read_keyring(
        &mut self,
        folder: &dyn Folder,
        kek: Option<&Kek>,
        identity: Option<&Identity>,
    ) {
        let Some(bytes) = self.required(folder, KEYRING_PATH) else { return };
        let Some(kek) = kek else {
            if let Err(error) = Keyring::header(&bytes) {
                self.corrupt(KEYRING_PATH, error.to_string());
            }
            let detail = "there is no key-encryption key: keyring and records were not opened; only the \
                          public log was checked";
            self.findings.push(Finding::of_file(FindingKind::Unassessed, KEYRING_PATH, detail));
            return;
        };
        let keyring = match open_keyring(&bytes, kek) {
            Ok(keyring) => keyring,
            Err((kind, detail)) => {
                self.findings.push(Finding::of_file(kind, KEYRING_PATH, detail));
                return;
            }
        };
        if self.log_id != keyring.log_id() {
            if let Some(identity) = identity {
                let detail = format!(
                    "it belongs to the log {}, and log.json says {}",
                    hex::encode(keyring.log_id()),
                    identity.log_id
                );
                self.corrupt(KEYRING_PATH, detail);
            }
            self.log_id = keyring.log_id();
        }
        if let Some(identity) = identity {
            self.compare_signers(&keyring, identity);
        }
        self.secrets = Secrets::Open(keyring);
    }

    /// The keyring must have the signing keys that are in force. One more of each kind is what a
    /// rotation leaves that was interrupted; a chain that does not hold is `prove`'s to report.
    fn compare_signers(&mut self, keyring: &Keyring, identity: &Identity) {
        let held = keyring_keys(keyring, &identity.origin);
        let Ok(epochs) = self.shelf.epochs(identity) else { return };
        // Without the whole ledger nobody knows which keys are in force; that is reported.
        let is_whole = self.shelf.torn.is_empty() && self.shelf.unread.is_empty();
        if is_whole && !epochs.last().keys.iter().all(|key| held.contains(key)) {
            let (file, detail) = match epochs.last().record {
                None => (
                    IDENTITY_PATH,
                    "its verifier keys are not those of the signing keys in the keyring".to_owned(),
                ),
                Some(record) => (
                    KEYRING_PATH,
                    format!("the signing key that took over with record {record} is not in it"),
                ),
            };
            self.corrupt(file, detail);
        }
        self.pending = held.into_iter().filter(|key| epochs.number_of(key).is_none()).collect();
    }

    /// A file that every log has.
    fn required(&mut self, folder: &dyn Folder, path: &str) -> Option<Vec<u8>> {
        let read = match self.listing.iter().any(|listed| listed == path) {
            true => folder.read(path),
            false => Ok(None),
        };
        match read {
            Ok(Some(bytes)) => return Some(bytes),
            Ok(None) => {
                let finding = Finding::of_file(FindingKind::Missing, path, "the file is gone");
                self.findings.push(finding);
            }
            Err(error) => {
                let detail = error.to_string();
                self.findings.push(Finding::of_file(FindingKind::Unreadable, path, detail));
            }
        }
        None
    }

    fn corrupt(&mut self, path: &str, detail: String) {
        self.findings.push(Finding::of_file(FindingKind::Corrupt, path, detail));
    }
}

/// Opens the keyring, or says whether it was altered or the KEK is another one.
fn open_keyring(bytes: &[u8], kek: &Kek) -> Result<Keyring, (FindingKind, String)> {
    let error = match Keyring::open(bytes, kek) {
        Ok(keyring) => return Ok(keyring),
        Err(error) => error,
    };
    let KeyringError::WrongKek { .. } = error else {
        return Err((FindingKind::Corrupt, error.to_string()));
    };
    // The id is only a hint. If everything else is by this KEK, the hint is what was altered.
    let mut restored = bytes.to_vec();
    if let Some(id) = restored.get_mut(KEK_ID) {
        id.copy_from_slice(kek.id().as_bytes());
    }
    match Keyring::open(&restored, kek) {
        Ok(_) => Err((FindingKind::Corrupt, "the id of its key-encryption key was altered".into())),
        Err(_) => Err((FindingKind::Unassessed, error.to_string())),
    }
}

/// The verifier keys of the signing keys in a keyring.
fn keyring_keys(keyring: &Keyring, origin: &str) -> Vec<VerifierKey> {
    let purposes = [
        (Purpose::LogSigning, Algorithm::Ed25519),
        (Purpose::LogSigningMlDsa, Algorithm::MlDsa44Cosignature),
    ];
    let of_purpose = |(purpose, algorithm)| {
        let seeds = keyring.by_purpose(purpose);
        seeds.filter_map(move |(_, seed)| {
            let signer = SigningKey::from_seed(origin, algorithm, seed.expose()).ok()?;
            Some(signer.verifier_key().clone())
        })
    };
    purposes.into_iter().flat_map(of_purpose).collect()
}

/// The size in the checkpoint, whoever signed it, but no more than there are entry bundles for.
fn claimed_size(folder: &dyn Folder, listing: &[String]) -> u64 {
    let bundles = listing.iter().filter(|path| path.starts_with("tile/entries/")).count() as u64;
    let most = bundles.saturating_add(1).saturating_mul(u64::from(merkle::TILE_WIDTH));
    claimed(folder).map_or(0, |checkpoint| checkpoint.size).min(most)
}

fn claimed_origin(folder: &dyn Folder) -> Option<String> {
    claimed(folder).map(|checkpoint| checkpoint.origin)
}

fn claimed(folder: &dyn Folder) -> Option<checkpoint::Checkpoint> {
    let bytes = folder.read(CHECKPOINT_PATH).ok()??;
    let note = Note::parse(&bytes).ok()?;
    Some(CheckpointText::parse(note.text()).ok()?.checkpoint)
}

/// An error's words without the file that stands beside them.
fn detail_of(file: &str, message: &str) -> String {
    let detail = message.strip_prefix(file).and_then(|rest| rest.strip_prefix(": "));
    detail.unwrap_or(message).to_owned()
}

//! Making a new log: all of its first files, or none.

use crate::batch::{Batch, Fingerprints, Salts};
use crate::error::SealError;
use crate::identity::{FORMAT_VERSION, IDENTITY_PATH, Identity};
use crate::life;
use crate::publish::{CHECKPOINT_PATH, Head, Publisher};
use crate::recover::Secrets;
use crate::sequence::Sequence;
use crate::streams::Streams;
use crate::writer::{KEYRING_PATH, Options, sign_head};
use event::{Kind, Timestamp};
use keys::{Kek, Keyring, Purpose};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::{FileJournal, Folder, FrameBuffer, Journal, JournalHeader};

/// What a new log is to be.
#[derive(Clone, Debug)]
pub struct NewLog {
    /// The name that people use.
    pub name: String,
    /// The origin of its checkpoints; by default one made from the log's id.
    pub origin: Option<String>,
    /// Whether a second, post-quantum line (ML-DSA-44) signs every checkpoint.
    pub post_quantum: bool,
}

/// Creates a log in an empty folder and returns its description. Entry 0 is `log.created`.
///
/// The caller makes the folder appear under its real name only when this has returned, so that a
/// crash in the middle leaves no half log.
///
/// # Errors
/// [`SealError::Corrupt`] when the folder holds a log already; storage and randomness.
pub fn create(
    folder: &Arc<dyn Folder>,
    new: &NewLog,
    kek: &Kek,
    id: [u8; 16],
    options: &Options,
) -> Result<Identity, SealError> {
    if folder.size(IDENTITY_PATH)?.is_some() {
        return Err(SealError::corrupt(
            IDENTITY_PATH,
            "a log is here already; it was left as it is",
        ));
    }
    let now_ms = options.clock.now_ms();
    let entropy = &*options.entropy;
    let mut keyring = Keyring::create(id, kek);
    let mut purposes = vec![
        Purpose::LogSigning,
        Purpose::StreamSecret,
        Purpose::RedactionSecret,
        Purpose::IdempotencySecret,
    ];
    if new.post_quantum {
        purposes.push(Purpose::LogSigningMlDsa);
    }
    for purpose in purposes {
        keyring.generate(purpose, now_ms, entropy)?;
    }
    let journal_key = keyring.generate(Purpose::Journal, now_ms, entropy)?;
    let log_id = hex::encode(id);
    let origin = new.origin.clone().unwrap_or_else(|| format!("tachograph.local/{log_id}"));
    let secrets = Secrets::read(&keyring, &origin, &crate::redaction_policy(&**folder)?)?;
    let identity = Identity {
        format: FORMAT_VERSION,
        log_id,
        name: new.name.clone(),
        origin,
        created: Timestamp::from_milliseconds(now_ms).to_string(),
        keys: secrets.signers.iter().map(|it| it.key.verifier_key().to_string()).collect(),
    };
    let epochs = crate::rotation::epochs(&identity, std::iter::empty())?;
    let bytes = identity.to_bytes();
    folder.replace(IDENTITY_PATH, &bytes)?;
    folder.replace(KEYRING_PATH, &keyring.to_bytes(kek, entropy)?)?;

    let fingerprints = Fingerprints::new(&secrets.idempotency);
    let mut sequence = Sequence::new(Streams::new(&secrets.stream, folder));
    let created = life::created(&identity.origin, &Sha256::digest(&bytes).into());
    let mut batch = Batch::default();
    let event = secrets.redactor.redact(created);
    batch.push(event.borrowed(), Kind::Log, &fingerprints, &mut Salts::new(entropy), now_ms)?;
    let mut frame = FrameBuffer::default();
    let group = sequence.seal(std::iter::once(&batch), now_ms, frame.payload())?;
    let header = JournalHeader { log_id: id, key_id: journal_key.to_bytes(), first_index: 0 };
    let key = crate::writer::journal_key(&keyring, journal_key)?;
    let mut journal = FileJournal::create(
        folder,
        header,
        key,
        Arc::clone(&options.entropy),
        store::Reservation::Off,
    )?;
    journal.append(group.first_index, group.count, &mut frame)?;
    journal.close()?;
    let note = sign_head(&epochs, &identity.origin, &sequence, &secrets.signers, now_ms)?;
    let head = Head { partial: sequence.partial_files()?, note: note.into() };
    Publisher::new(Arc::clone(folder), BTreeSet::new()).publish(head)?;
    debug_assert!(folder.size(CHECKPOINT_PATH)?.is_some());
    Ok(identity)
}

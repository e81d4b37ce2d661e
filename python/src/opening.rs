//! Opening a log in this process, making it when there is none, and saying what a process before
//! this one lost.

use crate::delivery::Delivery;
use crate::fault::Fault;
use crate::keeper::Keeper;
use crate::losses;
use crate::mark::{self, Mark};
use crate::queue::Queue;
use crate::signing::Signers;
use keys::{
    Entropy, Kek, KekError, KekOrigin, KekSource, Keyring, PassphraseKdf, SecretString,
    SystemEntropy,
};
use reading::{DataFolder, LogFolder, new_log};
use seal::{NewLog, SealError};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

/// Where the key-encryption key is: the kind of source, and its value.
pub(crate) struct KeyPlace {
    pub(crate) kind: String,
    pub(crate) value: String,
}

/// A log that is open for writing, and the thread that writes.
pub(crate) struct Opened {
    pub(crate) folder: LogFolder,
    pub(crate) kek: Arc<Kek>,
    pub(crate) keeper: Arc<Keeper>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) producer: Arc<str>,
    pub(crate) is_new: bool,
    pub(crate) thread: JoinHandle<Result<(), SealError>>,
}

/// A log in a data folder, and the key that reads it.
///
/// # Errors
/// When either is not there.
pub(crate) fn find(data: PathBuf, name: &str, key: KeyPlace) -> Result<(LogFolder, Kek), Fault> {
    let folder = folder(&DataFolder::new(data), name)?;
    let kek = kek_of(key, &folder)?;
    Ok((folder, kek))
}

/// A log in a data folder.
///
/// # Errors
/// When there is none.
pub(crate) fn folder(data: &DataFolder, name: &str) -> Result<LogFolder, Fault> {
    match data.find_if_any(name).map_err(|error| Fault::from(error).while_opening())? {
        Some(folder) => Ok(folder),
        None => {
            let error = data.find(name).err().map(|error| error.to_string());
            Err(Fault::not_found(error.unwrap_or_default()))
        }
    }
}

/// Opens the log called `name` in the data folder `data`.
///
/// # Errors
/// Why it cannot be opened; nothing is left behind but a log that was made.
pub(crate) fn open(
    data: PathBuf,
    name: &str,
    key: KeyPlace,
    may_create: bool,
    signers: Signers,
) -> Result<Opened, Fault> {
    try_open(data, name, key, may_create, signers).map_err(Fault::while_opening)
}

fn try_open(
    data: PathBuf,
    name: &str,
    key: KeyPlace,
    may_create: bool,
    signers: Signers,
) -> Result<Opened, Fault> {
    let data = DataFolder::new(data);
    let (folder, kek, is_new) = match folder(&data, name) {
        Ok(folder) => {
            let kek = kek_of(key, &folder)?;
            (folder, kek, false)
        }
        Err(fault) if may_create && fault.is_not_found() => make(&data, name, key)?,
        Err(fault) => return Err(fault),
    };
    let kek = Arc::new(kek);
    let keeper = Arc::new(Keeper::open(folder.clone(), Arc::clone(&kek))?);
    let marks = mark::beside(&folder.path);
    let left = mark::left(&marks);
    if !left.is_empty() {
        let log = keeper.writer()?;
        losses::tell(&log, &folder, &kek, left)?;
    }
    let producer: Arc<str> = new_producer()?.to_string().into();
    let mark = Mark::create(&marks, &producer).map_err(|error| {
        Fault::unusable(format!(
            "cannot write beside the log in {}: {error}; a log takes events only where what a \
             crash loses can be found",
            data.path().display()
        ))
    })?;
    let queue = Arc::new(Queue::new(Some(mark)));
    let delivery = Delivery {
        queue: Arc::clone(&queue),
        keeper: Arc::clone(&keeper),
        producer: Arc::clone(&producer),
        signers,
        losses: Vec::new(),
        size: 0,
    };
    let thread = std::thread::Builder::new().name("tacho-deliver".to_owned());
    let thread = thread
        .spawn(move || delivery.run())
        .map_err(|error| Fault::unusable(format!("no thread can be started: {error}")))?;
    Ok(Opened { folder, kek, keeper, queue, producer, is_new, thread })
}

/// The id of this opening of a log.
pub(crate) fn new_producer() -> Result<uuid::Uuid, Fault> {
    let mut random = [0; 10];
    SystemEntropy::new().fill(&mut random).map_err(SealError::from)?;
    let now_ms = seal::Clock::now_ms(&seal::SystemClock);
    Ok(uuid::Builder::from_unix_timestamp_millis(now_ms, &random).into_uuid())
}

fn make(data: &DataFolder, name: &str, key: KeyPlace) -> Result<(LogFolder, Kek, bool), Fault> {
    if !new_log::is_name(name) {
        return Err(Fault::usage(new_log::NAME_RULE));
    }
    let kek = kek_for_new(key).map_err(|error| Fault::key(error.to_string()))?;
    let new = NewLog { name: name.to_owned(), origin: None, post_quantum: false };
    match new_log::create(data, &new, &kek)? {
        Some(folder) => Ok((folder, kek, true)),
        // Another process was quicker.
        None => Ok((data.find(name)?, kek, false)),
    }
}

/// The key of something that is made; a file that is not there is made too.
pub(crate) fn kek_for_new(key: KeyPlace) -> Result<Kek, KekError> {
    let entropy = SystemEntropy::new();
    match key.kind.as_str() {
        "passphrase" => {
            let kdf = PassphraseKdf::generate(&entropy)?;
            KekSource::Passphrase { passphrase: SecretString::new(key.value), kdf }.load()
        }
        "file" if !PathBuf::from(&key.value).exists() => {
            KekSource::File(key.value.into()).create(&entropy)
        }
        _ => source(key).load(),
    }
}

fn kek_of(key: KeyPlace, log: &LogFolder) -> Result<Kek, Fault> {
    let bytes = log.folder.read(seal::KEYRING_PATH).map_err(SealError::from)?.unwrap_or_default();
    kek_of_keyring(key, &bytes)
}

/// The key that a keyring was wrapped with.
pub(crate) fn kek_of_keyring(key: KeyPlace, bytes: &[u8]) -> Result<Kek, Fault> {
    let fault = |error: KekError| Fault::key(error.to_string());
    if key.kind != "passphrase" {
        return source(key).load().map_err(fault);
    }
    let header = Keyring::header(bytes).map_err(SealError::from)?;
    let KekOrigin::Passphrase(kdf) = header.origin else {
        return Err(Fault::key(
            "the keyring was not made with a passphrase; give the key-encryption key \
             itself",
        ));
    };
    let passphrase = SecretString::new(key.value);
    KekSource::Passphrase { passphrase, kdf }.load().map_err(fault)
}

fn source(key: KeyPlace) -> KekSource {
    match key.kind.as_str() {
        "file" => KekSource::File(key.value.into()),
        "command" => {
            let mut words = key.value.split_whitespace().map(str::to_owned);
            let program = words.next().unwrap_or_default().into();
            KekSource::Command { program, args: words.collect() }
        }
        _ => KekSource::Environment {
            variable: "TACHO_KEK".to_owned(),
            value: SecretString::new(key.value),
        },
    }
}

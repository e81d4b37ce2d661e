//! Opening the way to a log at a server, the spool before it, and what processes before this one
//! left there.

use crate::fault::Fault;
use crate::forwarding::{Forwarding, Sender, Source};
use crate::mark::{self, Left, Mark};
use crate::opening::{self, KeyPlace};
use crate::outbox::Outbox;
use crate::queue::Queue;
use crate::signing::{KeyAt, Signers};
use crate::spooling::Spooling;
use keys::{Kek, KekOrigin, SecretKey, SystemEntropy};
use link::spool::{self, KEYRING_PATH, Spool, Writer};
use link::{Address, Link, Pace, Tls, Token, segment};
use pyo3::prelude::*;
use redact::{Policy, Redactor};
use rustix::fs::FlockOperation;
use seal::Clock as _;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use store::{DiskFolder, Folder as _, MemoryFolder};

/// What a server is told of who asks.
const PROGRAM: &str = concat!("tachograph-python/", env!("CARGO_PKG_VERSION"));
/// No pause before something is sent again is longer, unless the server wants it.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// Held while the keyring of a folder of spools is made.
const LOCK: &str = "lock";
const PRODUCERS: &str = "producers";

/// What `tachograph.connect` says.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Wanted {
    pub(crate) url: String,
    pub(crate) log: String,
    /// The token, and where it came from.
    pub(crate) token: Option<(String, String)>,
    pub(crate) ca_file: Option<PathBuf>,
    /// A certificate and its key.
    pub(crate) own: Option<(PathBuf, PathBuf)>,
    pub(crate) is_exposed_fine: bool,
    /// The folder of spools; `None` for memory.
    pub(crate) spool: Option<PathBuf>,
    pub(crate) spool_bytes: u64,
    /// The kind of source of the key-encryption key, and its value.
    pub(crate) key: Option<(String, String)>,
    /// The keys of agents.
    pub(crate) agent_keys: Vec<KeyAt>,
    /// A redaction policy in TOML.
    pub(crate) policy: Option<String>,
    /// Seconds.
    pub(crate) patience: f64,
    /// Whether what is required need only be in the spool.
    pub(crate) is_spool_enough: bool,
}

/// The way to a log that was opened.
pub(crate) struct Connected {
    pub(crate) link: Link,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) threads: Vec<JoinHandle<()>>,
}

/// What a spool is made of.
struct Place {
    spool: Arc<Spool>,
    secret: SecretKey,
    mark: Option<Mark>,
    left: Vec<Source>,
    /// What could not be taken over.
    faults: Vec<String>,
}

/// Opens the way to a log. The server is not asked yet.
///
/// # Errors
/// Why it cannot be opened.
pub(crate) fn connect(wanted: Wanted) -> Result<Connected, Fault> {
    let producer = opening::new_producer()?;
    let link = link_to(&wanted)?;
    let signers = Signers::load(wanted.agent_keys.clone())?;
    let policy = match &wanted.policy {
        Some(text) => Policy::from_toml(text)
            .map_err(|error| Fault::unusable(format!("the redaction policy: {error}")))?,
        None => Policy::default(),
    };
    let Place { spool, secret, mark, left, faults } = match wanted.spool {
        Some(ref folder) => on_disk(folder, &link, &producer, &wanted)?,
        None => in_memory(&producer, wanted.spool_bytes)?,
    };
    let redactor = Redactor::new(&policy, *secret.expose())
        .map_err(|error| Fault::unusable(format!("the redaction policy: {error}")))?;
    let producer: Arc<str> = producer.to_string().into();
    let queue = Arc::new(Queue::new(mark));
    faults.into_iter().for_each(|fault| queue.note_fault(fault));
    let on_the_way = (redactor, signers);
    let outbox = Outbox::new(queue, Arc::clone(&producer), on_the_way, Arc::clone(&spool));
    let outbox = Arc::new(outbox);
    let spooling = Spooling {
        outbox: Arc::clone(&outbox),
        writer: Writer::new(Arc::clone(&spool)),
        owed: Vec::new(),
    };
    let sender = Sender {
        outbox: Arc::clone(&outbox),
        link: link.clone(),
        path: format!("/api/v1/logs/{}/events", segment(&wanted.log)),
        pace: Pace::new(PAUSE_MAX),
    };
    let forwarding = Forwarding { sender, own: Source::own(producer, spool), left: left.into() };
    let threads = vec![
        start("tacho-spool", move || spooling.run())?,
        start("tacho-forward", move || forwarding.run())?,
    ];
    Ok(Connected { link, outbox, threads })
}

fn start(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Fault> {
    let thread = std::thread::Builder::new().name(name.to_owned());
    thread
        .spawn(work)
        .map_err(|error| Fault::unusable(format!("no thread can be started: {error}")))
}

fn link_to(wanted: &Wanted) -> Result<Link, Fault> {
    let address = Address::parse(wanted.url.trim())
        .map_err(|error| Fault::usage(format!("the url {error}")))?;
    let token = match &wanted.token {
        Some((text, place)) => {
            Some(Token::new(text.clone(), place).map_err(|error| Fault::usage(error.to_string()))?)
        }
        None => None,
    };
    if let Some(token) = &token
        && address.is_exposed()
        && !wanted.is_exposed_fine
    {
        return Err(Fault::usage(format!(
            "{} is not https: others could read the token from {} on the way there; use https, or \
             say insecure=True when the way is safe",
            address.as_str(),
            token.place()
        )));
    }
    let tls = Tls { ca_file: wanted.ca_file.clone(), own: wanted.own.clone() };
    Link::new(address, token, &tls, PROGRAM).map_err(|error| Fault::unusable(error.to_string()))
}

/// A spool that a crash leaves nothing of.
fn in_memory(producer: &uuid::Uuid, limit: u64) -> Result<Place, Fault> {
    let entropy = SystemEntropy::new();
    let random =
        || SecretKey::generate(&entropy).map_err(|error| Fault::from(seal::SealError::from(error)));
    let kek = Kek::from_secret(random()?, KekOrigin::Environment);
    let folder = Arc::new(MemoryFolder::default());
    let now_ms = seal::SystemClock.now_ms();
    let spool = Spool::create(folder, *producer.as_bytes(), &kek, now_ms, limit)?;
    Ok(Place { spool, secret: random()?, mark: None, left: Vec::new(), faults: Vec::new() })
}

/// A spool in a folder of spools: `<folder>/<server and log>/<producer id>`.
fn on_disk(
    folder: &Path,
    link: &Link,
    producer: &uuid::Uuid,
    wanted: &Wanted,
) -> Result<Place, Fault> {
    let unusable = |error: io::Error| {
        Fault::unusable(format!(
            "cannot write to the spool {}: {error}; name a folder on a local disk with spool=, or \
             spool=None for memory",
            folder.display()
        ))
    };
    let (kek, secret) = keys_of(folder, wanted.key.clone(), &unusable)?;
    // Of everybody who sends to this log of this server.
    let parts: [&[u8]; 2] = [link.address().as_str().as_bytes(), wanted.log.as_bytes()];
    let shared = folder.join(event::id::derive("spool", &parts));
    let marks = shared.join(PRODUCERS);
    let (mut sources, mut faults) = (Vec::new(), Vec::new());
    for left in mark::left(&marks) {
        match source(left, &shared, &kek) {
            Ok(source) => sources.push(source),
            Err(fault) => faults.push(format!(
                "what an earlier process left in {} cannot be sent: {}",
                shared.display(),
                fault.sentence()
            )),
        }
    }
    let name = producer.to_string();
    let mark = Mark::create(&marks, &name).map_err(unusable)?;
    let own = Arc::new(DiskFolder::new(shared.join(&name)));
    let now_ms = seal::SystemClock.now_ms();
    let spool = Spool::create(own, *producer.as_bytes(), &kek, now_ms, wanted.spool_bytes)
        .map_err(|error| Fault::from(error).while_opening())?;
    Ok(Place { spool, secret, mark: Some(mark), left: sources, faults })
}

/// The key-encryption key, and the secret behind pseudonyms; both are made when there are none.
fn keys_of(
    folder: &Path,
    key: Option<(String, String)>,
    unusable: &dyn Fn(io::Error) -> Fault,
) -> Result<(Kek, SecretKey), Fault> {
    let (kind, value) = key.unwrap_or_default();
    let key = KeyPlace { kind, value };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(unusable)?;
    let lock = OpenOptions::new().create(true).append(true).mode(0o600).open(folder.join(LOCK));
    let lock = lock.map_err(unusable)?;
    rustix::fs::flock(&lock, FlockOperation::LockExclusive)
        .map_err(|error| unusable(error.into()))?;
    let disk = DiskFolder::new(folder);
    let bytes = disk.read(KEYRING_PATH).map_err(seal::SealError::from)?;
    let kek = match bytes {
        Some(bytes) => opening::kek_of_keyring(key, &bytes)?,
        None => opening::kek_for_new(key).map_err(|error| Fault::key(error.to_string()))?,
    };
    let secret = spool::redaction_secret(&disk, &kek, seal::SystemClock.now_ms())
        .map_err(|error| Fault::from(error).while_opening())?;
    Ok((kek, secret))
}

/// What a process that is no more left.
fn source(left: Left, shared: &Path, kek: &Kek) -> Result<Source, Fault> {
    let id = uuid::Uuid::parse_str(&left.producer)
        .map_err(|error| Fault::unusable(format!("{:?} is no producer: {error}", left.producer)))?;
    let folder = shared.join(&left.producer);
    let disk = Arc::new(DiskFolder::new(&folder));
    let spool = match Spool::recover(disk, *id.as_bytes(), kek, left.settled)? {
        Some(spool) => spool,
        // It was killed before it had a key, and so before it had events.
        None => {
            let memory = Arc::new(MemoryFolder::default());
            Spool::create(memory, *id.as_bytes(), kek, 0, 0)?
        }
    };
    Ok(Source::left(left, spool, folder))
}

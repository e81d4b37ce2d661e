//! `[witness]` of the configuration, and the key that a witness signs with: what `tacho witness`
//! and `tacho serve` share.

use crate::failure::Failure;
use crate::terminal::{BAD, Terminal, plain, styled};
use crate::whole_file::WholeFile;
use checkpoint::{Algorithm, Policy, SEED_BYTES, SigningKey, VerifierKey};
use keys::{Entropy as _, SystemEntropy};
use serde::Deserialize;
use serve::witness::{Rules, Witnessing};
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use zeroize::Zeroizing;

/// The first line of a key file.
const KEY_MAGIC: &str = "tachograph-witness/1";
/// Bytes of a key file that are read.
const KEY_FILE_BYTES_MAX: u64 = 4_096;
/// The key's file in a witness's folder.
const KEY_PATH: &str = "key";

/// `[witness]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Witness {
    /// A C2SP tlog-policy: who watches this server's logs, where they are, how many are enough.
    pub(crate) policy: Option<PathBuf>,
    /// What happens to events while the quorum is not met.
    pub(crate) fail: Fail,
    /// So long the quorum may not be met before that.
    pub(crate) grace_s: u64,
    /// How long one answer of a witness may take.
    pub(crate) timeout_ms: u64,
    /// Whether witnesses may be at addresses that not everybody reaches.
    pub(crate) allow_private: bool,
    /// The logs that are watched; all of them when there is none.
    pub(crate) logs: Vec<String>,
    /// Being a witness for the logs of others.
    pub(crate) server: Option<WitnessServer>,
}

/// What happens to events while the quorum is not met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Fail {
    /// They are taken.
    Open,
    /// They are refused.
    Closed,
}

impl Default for Witness {
    fn default() -> Self {
        Self {
            policy: None,
            fail: Fail::Open,
            grace_s: 60,
            timeout_ms: 5_000,
            allow_private: false,
            logs: Vec::new(),
            server: None,
        }
    }
}

impl Witness {
    /// Whoever watches this server's logs, if somebody does.
    pub(crate) fn watching(&self, terminal: Terminal) -> Result<Option<Witnessing>, Failure> {
        let Some(path) = &self.policy else { return Ok(None) };
        let wrong = |error: &dyn std::fmt::Display| {
            Failure::new(format!("[witness] policy {}: {error}", path.display()))
        };
        let policy = read_policy(path)?;
        let tell = Box::new(move |text: &str| {
            terminal.note(format!("{}: {}", styled(BAD, "alarm"), plain(text)));
        });
        let rules = Rules {
            policy,
            closed_after: match self.fail {
                Fail::Open => None,
                Fail::Closed => Some(Duration::from_secs(self.grace_s)),
            },
            timeout: Duration::from_millis(self.timeout_ms.clamp(100, 60_000)),
            allow_private: self.allow_private,
            logs: self.logs.clone(),
            tell,
        };
        Witnessing::new(rules).map(Some).map_err(|error| wrong(&error))
    }
}

/// A policy from a file.
pub(crate) fn read_policy(path: &Path) -> Result<Policy, Failure> {
    let file = std::fs::File::open(path).map_err(Failure::io("read", path))?;
    let mut text = String::new();
    let most = checkpoint::MAX_POLICY_BYTES as u64 + 1;
    file.take(most).read_to_string(&mut text).map_err(Failure::io("read", path))?;
    Policy::parse(&text).map_err(|error| Failure::new(format!("{}: {error}", path.display())))
}

/// `[witness.server]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WitnessServer {
    /// What its keys are called; others know it by this for ever.
    pub(crate) name: String,
    /// Its key, and what it saw.
    pub(crate) folder: PathBuf,
    /// Address and port.
    #[serde(default = "usual_address")]
    pub(crate) listen: SocketAddr,
    /// The verifier keys of the logs that it watches.
    #[serde(default)]
    pub(crate) logs: Vec<String>,
    /// Whether it makes a line with ML-DSA-44 as well.
    #[serde(default)]
    pub(crate) post_quantum: bool,
}

fn usual_address() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 7412))
}

impl WitnessServer {
    /// One that is not configured, and watches nothing yet.
    pub(crate) fn new(name: String, folder: PathBuf) -> Self {
        Self { name, folder, listen: usual_address(), logs: Vec::new(), post_quantum: false }
    }

    /// The keys of the logs that it watches.
    pub(crate) fn log_keys(&self) -> Result<Vec<VerifierKey>, Failure> {
        let parse = |text: &String| {
            text.parse::<VerifierKey>().map_err(|error| {
                Failure::new(format!("[witness.server] logs: {error}; `tacho keys list` prints it"))
            })
        };
        self.logs.iter().map(parse).collect()
    }

    /// The keys that it signs with. They are made when the folder is new; a folder that has seen
    /// logs and lost its key, or has the key of another name, is refused.
    pub(crate) fn signing_keys(&self) -> Result<Vec<SigningKey>, Failure> {
        let path = self.folder.join(KEY_PATH);
        let seeds = match std::fs::File::open(&path) {
            Ok(file) => self.read_seeds(&path, file)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => self.make_seeds(&path)?,
            Err(error) => return Err(Failure::io("read", &path)(error)),
        };
        let algorithms = [Algorithm::Ed25519Cosignature, Algorithm::MlDsa44Cosignature];
        let wanted = if self.post_quantum { 2 } else { 1 };
        let key = |(algorithm, seed): (Algorithm, &Zeroizing<[u8; SEED_BYTES]>)| {
            SigningKey::from_seed(&self.name, algorithm, seed)
                .map_err(|error| Failure::new(format!("[witness.server] name: {error}")))
        };
        algorithms.into_iter().zip(&seeds).take(wanted).map(key).collect()
    }

    fn make_seeds(&self, path: &Path) -> Result<[Zeroizing<[u8; SEED_BYTES]>; 2], Failure> {
        let seen = self.folder.join("logs");
        if seen.exists() {
            return Err(Failure::new(format!(
                "{} has seen logs, and its key is missing; put back the key, or begin a new witness of \
                 another name in another folder",
                self.folder.display()
            )));
        }
        // Before anything is written: a name that cannot be is no reason to leave a key behind.
        SigningKey::from_seed(&self.name, Algorithm::Ed25519Cosignature, &[0; SEED_BYTES])
            .map_err(|error| Failure::new(format!("[witness.server] name: {error}")))?;
        std::fs::create_dir_all(&self.folder).map_err(Failure::io("create", &self.folder))?;
        let mut seeds = [Zeroizing::new([0; SEED_BYTES]), Zeroizing::new([0; SEED_BYTES])];
        for seed in &mut seeds {
            SystemEntropy::new().fill(&mut **seed)?;
        }
        let [one, other] = &seeds;
        let text = Zeroizing::new(format!(
            "{KEY_MAGIC}\nname {}\ned25519 {}\nml-dsa-44 {}\n",
            self.name,
            *Zeroizing::new(hex::encode(one.as_slice())),
            *Zeroizing::new(hex::encode(other.as_slice()))
        ));
        let mut file = WholeFile::begin(path)?;
        file.write(text.as_bytes())?;
        file.sync()?;
        file.place()?;
        Ok(seeds)
    }

    fn read_seeds(
        &self,
        path: &Path,
        file: std::fs::File,
    ) -> Result<[Zeroizing<[u8; SEED_BYTES]>; 2], Failure> {
        let mut text = Zeroizing::new(String::new());
        file.take(KEY_FILE_BYTES_MAX)
            .read_to_string(&mut text)
            .map_err(Failure::io("read", path))?;
        let wrong = |what: &str| Failure::new(format!("{}: {what}", path.display()));
        let mut lines = text.lines();
        if lines.next() != Some(KEY_MAGIC) {
            return Err(wrong("not the key of a witness; name another folder"));
        }
        let name = lines.next().and_then(|line| line.strip_prefix("name "));
        if name != Some(self.name.as_str()) {
            return Err(wrong(&format!(
                "the key is of the witness {:?}, not of {:?}; a witness never changes its name",
                name.unwrap_or_default(),
                self.name
            )));
        }
        let mut seed = |label: &str| {
            let digits = lines.next().and_then(|line| line.strip_prefix(label));
            let mut seed = Zeroizing::new([0; SEED_BYTES]);
            let decoded = digits.is_some_and(|it| hex::decode_to_slice(it, &mut *seed).is_ok());
            decoded.then_some(seed).ok_or_else(|| wrong("a line of it does not read"))
        };
        Ok([seed("ed25519 ")?, seed("ml-dsa-44 ")?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn witness(folder: &Path, name: &str, post_quantum: bool) -> WitnessServer {
        WitnessServer { post_quantum, ..WitnessServer::new(name.to_owned(), folder.to_owned()) }
    }

    fn keys(witness: &WitnessServer) -> Vec<String> {
        let keys = witness.signing_keys().unwrap();
        keys.iter().map(|key| key.verifier_key().to_string()).collect()
    }

    #[test]
    fn a_witness_has_one_key_for_ever_which_its_owner_alone_reads() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("w");
        let first = keys(&witness(&home, "w.example", false));
        assert_eq!(keys(&witness(&home, "w.example", false)), first);
        let both = keys(&witness(&home, "w.example", true));
        assert_eq!((both.len(), &both[..1]), (2, &first[..]));
        let mode = std::fs::metadata(home.join(KEY_PATH)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_ne!(keys(&witness(&folder.path().join("v"), "w.example", false)), first);
    }

    #[test]
    fn a_key_of_another_name_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        keys(&witness(folder.path(), "w.example", false));
        let other = witness(folder.path(), "v.example", false).signing_keys();
        assert!(other.unwrap_err().to_string().contains("never changes its name"));
        let spaced = folder.path().join("x");
        assert!(witness(&spaced, "not a name", false).signing_keys().is_err());
        assert!(!spaced.exists());
    }

    #[test]
    fn a_witness_without_its_key_is_not_given_a_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let witness = witness(folder.path(), "w.example", false);
        keys(&witness);
        std::fs::create_dir(folder.path().join("logs")).unwrap();
        let path = folder.path().join(KEY_PATH);
        let text = std::fs::read_to_string(&path).unwrap();
        for broken in [String::new(), text.replacen("ed25519 ", "ed25519 0", 1)] {
            std::fs::write(&path, broken).unwrap();
            assert!(witness.signing_keys().is_err());
        }
        std::fs::remove_file(&path).unwrap();
        assert!(witness.signing_keys().unwrap_err().to_string().contains("its key is missing"));
    }
}

//! `[anchor]` of the configuration, and the files of authorities and anchors: what `tacho anchor`,
//! `tacho serve` and `tacho verify` share.

use crate::failure::Failure;
use crate::remote::Remote;
use crate::terminal::{DOUBTFUL, Terminal, plain, styled};
use crate::whole_file::WholeFile;
use anchor::{AnchorName, Authorities, Label};
use reading::verify::Anchor as Kept;
use serde::Deserialize;
use serve::anchor::{Anchoring, Authority, Place, Rules};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::{DiskFolder, Folder, MemoryFolder};

/// Bytes of a file of authorities that are read.
const AUTHORITIES_BYTES_MAX: u64 = 4 << 20;
/// What an authority is called when nobody says.
const USUAL_NAME: &str = "tsa";
/// Less than this between two stamps is nothing that an authority takes for long.
const INTERVAL_S_MIN: u64 = 10;

/// `[anchor]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Anchor {
    /// Where a time-stamping authority (RFC 3161) is asked about this server's logs.
    pub(crate) url: Option<String>,
    /// Certificates in PEM: whose stamps count.
    pub(crate) authorities: Option<PathBuf>,
    /// What it is called in the names of files.
    pub(crate) name: String,
    /// How long after a stamp the next one is asked for.
    pub(crate) interval_s: u64,
    /// How long one answer may take.
    pub(crate) timeout_ms: u64,
    /// Whether it may be at an address that not everybody reaches, and without TLS.
    pub(crate) allow_private: bool,
    /// The logs that are stamped; all of them when there is none.
    pub(crate) logs: Vec<String>,
}

impl Default for Anchor {
    fn default() -> Self {
        Self {
            url: None,
            authorities: None,
            name: USUAL_NAME.to_owned(),
            interval_s: 3_600,
            timeout_ms: 10_000,
            allow_private: false,
            logs: Vec::new(),
        }
    }
}

impl Anchor {
    /// Who is asked.
    pub(crate) fn authority(&self) -> Result<Authority, Failure> {
        let missing = |what: &str| {
            Failure::usage(format!(
                "a time-stamping authority needs `{what}` in the section [anchor], or as an option; see \
                 docs/anchors.md"
            ))
        };
        let url = self.url.as_deref().ok_or_else(|| missing("url"))?;
        let path = self.authorities.as_deref().ok_or_else(|| missing("authorities"))?;
        let label = self.name.parse::<Label>();
        let label = label.map_err(|error| Failure::usage(format!("[anchor] name: {error}")))?;
        let timeout = Duration::from_millis(self.timeout_ms.clamp(100, 60_000));
        let authorities = read_authorities(path)?;
        Authority::new(label, url, authorities, timeout, self.allow_private)
            .map_err(|error| Failure::new(format!("[anchor] {error}")))
    }

    /// Whoever has this server's logs stamped, if somebody does.
    pub(crate) fn anchoring(&self, terminal: Terminal) -> Result<Option<Anchoring>, Failure> {
        if self.url.is_none() {
            return Ok(None);
        }
        let tell = Box::new(move |text: &str| {
            terminal.note(format!("{}: {}", styled(DOUBTFUL, "anchor"), plain(text)));
        });
        let interval = Duration::from_secs(self.interval_s.max(INTERVAL_S_MIN));
        let (authority, logs) = (self.authority()?, self.logs.clone());
        Ok(Some(Anchoring::new(Rules { authority, interval, logs, tell })))
    }
}

/// A folder that is no log's, in which somebody keeps anchors.
pub(crate) struct Elsewhere {
    folder: PathBuf,
}

impl Elsewhere {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn at(&self, name: &AnchorName) -> PathBuf {
        self.folder.join(name.to_string())
    }
}

impl Place for Elsewhere {
    fn path(&self, name: &AnchorName) -> String {
        self.at(name).display().to_string()
    }

    fn read(&self, name: &AnchorName) -> Result<Option<Vec<u8>>, String> {
        let path = self.at(name);
        match std::fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::io("read", &path)(error).to_string()),
        }
    }

    fn write(&self, name: &AnchorName, bytes: &[u8]) -> Result<(), String> {
        let write = || {
            std::fs::create_dir_all(&self.folder).map_err(Failure::io("create", &self.folder))?;
            let mut file = WholeFile::begin(&self.at(name))?;
            file.write(bytes)?;
            file.sync()?;
            file.place()
        };
        write().map_err(|failure| failure.to_string())
    }
}

/// Certificates of authorities from a file.
pub(crate) fn read_authorities(path: &Path) -> Result<Authorities, Failure> {
    let bytes = std::fs::metadata(path).map_err(Failure::io("read", path))?.len();
    if bytes > AUTHORITIES_BYTES_MAX {
        let what = format!("{}: {bytes} bytes are too many for certificates", path.display());
        return Err(Failure::new(what));
    }
    let pem = std::fs::read(path).map_err(Failure::io("read", path))?;
    Authorities::from_pem(&pem)
        .map_err(|error| Failure::new(format!("{}: {error}", path.display())))
}

/// The anchors in a folder of their own.
pub(crate) fn read_kept(path: &Path) -> Result<Vec<Kept>, Failure> {
    if !path.is_dir() {
        return Err(Failure::new(format!("{} is no folder of anchors", path.display())));
    }
    Ok(Kept::read_all(&DiskFolder::new(path), "")?)
}

/// The anchors that a server shows of a log.
pub(crate) fn read_shown(remote: &Remote) -> Result<Vec<Kept>, Failure> {
    let get = |path: &str| remote.get(&remote.public(path)).map(|answer| answer.bytes);
    let listed = match get(anchor::ANCHOR_FOLDER) {
        Err(trouble) if trouble.status() == Some(404) => return Ok(Vec::new()),
        listed => listed.map_err(|trouble| remote.failure(&trouble))?,
    };
    let Names { anchors } = serde_json::from_slice(&listed)
        .map_err(|_| remote.foreign(&"it lists anchors as no server does"))?;
    let copy = MemoryFolder::default();
    for name in anchors.iter().filter_map(|name| name.parse::<AnchorName>().ok()) {
        let bytes = get(&name.path()).map_err(|trouble| remote.failure(&trouble))?;
        copy.write(&name.path(), &bytes)?;
    }
    read_beside(&copy)
}

/// The list of a server.
#[derive(Deserialize)]
struct Names {
    anchors: Vec<String>,
}

/// The anchors that lie with a log.
pub(crate) fn read_beside(folder: &dyn Folder) -> Result<Vec<Kept>, Failure> {
    Ok(Kept::read_all(folder, anchor::ANCHOR_FOLDER)?)
}

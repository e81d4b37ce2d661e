//! The server that is measured: this program as a process of its own, in a folder of its own.

use crate::environment;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The log that a server makes by itself.
pub(super) const LOG: &str = "main";
/// Ticks of a second in `/proc/PID/stat` (`proc(5)`): `USER_HZ`, 100 on every Linux in use.
const TICKS_PER_SECOND: u32 = 100;

/// A server, which ends with this value.
pub(crate) struct ServerProcess {
    child: Child,
    data: PathBuf,
    address: String,
    token: String,
}

/// What the system says about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Figures {
    /// CPU time of all its threads.
    pub(super) cpu: Duration,
    /// Memory that is resident now.
    pub(super) rss_mib: f64,
    /// The most that ever was.
    pub(super) peak_rss_mib: f64,
}

impl ServerProcess {
    /// Starts one whose every file is below `scratch`; with detection, if that is wanted.
    ///
    /// # Errors
    /// A sentence, with what it said last.
    pub(crate) fn start(scratch: &Path, detect: bool) -> Result<Self, String> {
        let program = std::env::current_exe()
            .map_err(|error| format!("this program cannot be found: {error}"))?;
        // A relative path in XDG_CONFIG_HOME counts as none.
        let scratch =
            scratch.canonicalize().map_err(|error| format!("{}: {error}", scratch.display()))?;
        let (data, config) = (scratch.join("data"), scratch.join("config"));
        let mut command = Command::new(program);
        command.arg("serve").arg("--data").arg(&data).args(["--listen", "127.0.0.1:0"]);
        // Nothing of the user's own: neither keys nor policies nor redaction rules.
        command.env_clear().env("XDG_CONFIG_HOME", &config).env("HOME", &scratch);
        if let Some(path) = environment::path("PATH") {
            command.env("PATH", path);
        }
        if detect {
            command.env("TACHO_DETECT__ENABLED", "true");
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("no server starts: {error}"))?;
        let mut said = BufReader::new(child.stderr.take().ok_or("the server is mute")?);
        let mut last = String::new();
        let address = loop {
            let mut line = String::new();
            if said.read_line(&mut line).unwrap_or(0) == 0 {
                let _ = child.wait();
                return Err(format!("the server ended by itself: {}", last.trim()));
            }
            if let Some((_, address)) = line.split_once("http://") {
                break address.trim().to_owned();
            }
            last = line;
        };
        // It must not wait because nobody reads what it says.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        let token = std::fs::read_to_string(config.join("tachograph/admin-token"));
        let token = token.map(|token| token.trim().to_owned());
        let mut server = Self { child, data, address, token: String::new() };
        server.token = token.map_err(|error| format!("the server has no token: {error}"))?;
        Ok(server)
    }

    /// Host and port.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// The token of whoever administers it.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// Its data folder.
    pub(super) fn data(&self) -> &Path {
        &self.data
    }

    /// Its CPU time and memory.
    pub(super) fn figures(&self) -> Result<Figures, String> {
        let folder = PathBuf::from(format!("/proc/{}", self.child.id()));
        let read = |name| {
            let path = folder.join(name);
            std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
        };
        let (stat, status) = (read("stat")?, read("status")?);
        // Behind the program's name, which may hold anything: utime and stime are the 14th and 15th
        // field of all.
        let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ').skip(11).take(2);
        let ticks: u32 = fields.filter_map(|field| field.parse::<u32>().ok()).sum();
        let mib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            let kib = line.split_whitespace().next().and_then(|kib| kib.parse::<f64>().ok());
            kib.unwrap_or(0.0) / 1024.0
        };
        let cpu = Duration::from_secs(1) * ticks / TICKS_PER_SECOND;
        Ok(Figures { cpu, rss_mib: mib("VmRSS:"), peak_rss_mib: mib("VmHWM:") })
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

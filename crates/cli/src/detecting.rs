//! Rules and sinks from files: what `tacho detect`, `tacho alerts` and `tacho serve` share.

use crate::environment;
use crate::failure::Failure;
use crate::secret_file;
use crate::terminal::plain;
use ::detect::{FILE_BYTES_MAX, Level, RuleSet, SHIPPED};
use serde::Deserialize;
use serve::alerts::{Detecting, Login, Mail, Security, Sink};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Files of rules of one folder.
const FILES_MAX: usize = 1_000;

/// `[detect]`: what a server looks for. Without the section it looks for nothing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Detect {
    /// Whether it looks at all.
    pub(crate) enabled: bool,
    /// Whether the shipped rules are among those that it looks by.
    pub(crate) shipped: bool,
    /// Files of rules, and folders of such files.
    pub(crate) rules: Vec<PathBuf>,
    /// Names of rules to be left out.
    pub(crate) without: Vec<String>,
    /// Who is told.
    pub(crate) sinks: Vec<SinkSection>,
}

impl Default for Detect {
    fn default() -> Self {
        Self {
            enabled: true,
            shipped: true,
            rules: Vec::new(),
            without: Vec::new(),
            sinks: Vec::new(),
        }
    }
}

/// `[[detect.sinks]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SinkSection {
    /// What it is called in records and messages.
    name: String,
    kind: SinkKind,
    /// A webhook's address; PagerDuty has one of its own.
    url: Option<String>,
    /// `HOST:PORT` of a receiver of syslog, or of a mail server.
    address: Option<String>,
    /// Without it syslog goes to private addresses only, and e-mail to this machine.
    #[serde(default = "yes")]
    tls: bool,
    /// E-mail: whether TLS begins by STARTTLS.
    #[serde(default)]
    starttls: bool,
    /// E-mail: whom it comes from, and whom it goes to.
    from: Option<String>,
    #[serde(default)]
    to: Vec<String>,
    /// E-mail: who signs in at the mail server.
    user: Option<String>,
    /// The secret that signs webhooks, PagerDuty's integration key, or a password.
    secret_file: Option<PathBuf>,
    /// The variable that holds it instead.
    secret_env: Option<String>,
    /// Whether it may be at an address that not everybody reaches.
    #[serde(default)]
    allow_private: bool,
    /// Told of alerts of this level and above.
    level: Option<Level>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SinkKind {
    Webhook,
    PagerDuty,
    Syslog,
    Email,
}

fn yes() -> bool {
    true
}

impl Detect {
    /// What the server is to do; nothing when it is turned off.
    pub(crate) fn prepare(&self) -> Result<Option<Detecting>, Failure> {
        if !self.enabled {
            return Ok(None);
        }
        let rules = rules(self.shipped, &self.rules, &self.without)?;
        Ok(Some(Detecting::new(Arc::new(rules), self.sinks()?)))
    }

    /// Everybody who is told.
    pub(crate) fn sinks(&self) -> Result<Vec<Sink>, Failure> {
        let mut sinks: Vec<Sink> = Vec::new();
        for section in &self.sinks {
            let sink = section.sink()?;
            if sinks.iter().any(|known| known.name() == sink.name()) {
                return Err(section.wrong("another sink has the same name"));
            }
            sinks.push(sink);
        }
        Ok(sinks)
    }
}

impl SinkSection {
    fn wrong(&self, what: &str) -> Failure {
        Failure::new(format!("[[detect.sinks]] {:?}: {what}", self.name))
    }

    fn sink(&self) -> Result<Sink, Failure> {
        let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if self.name.is_empty() || self.name.len() > 64 || !self.name.bytes().all(is_fine) {
            return Err(self.wrong("a name has 1 to 64 letters, digits, `-`, `_`, `.`"));
        }
        let need = |what: &str| self.wrong(&format!("`{what}` is missing"));
        let secret = self.secret()?;
        let sink = match self.kind {
            SinkKind::Webhook => {
                let url = self.url.as_deref().ok_or_else(|| need("url"))?;
                Sink::webhook(&self.name, url, secret, self.allow_private)
            }
            SinkKind::PagerDuty => {
                let key = secret.ok_or_else(|| need("secret_file"))?;
                Sink::pagerduty(&self.name, self.url.as_deref(), key, self.allow_private)
            }
            SinkKind::Syslog => {
                let address = self.address.as_deref().ok_or_else(|| need("address"))?;
                Sink::syslog(&self.name, address, self.tls, self.allow_private)
            }
            SinkKind::Email => Sink::email(&self.name, self.mail(secret)?, self.allow_private),
        };
        let sink = sink.map_err(|error| self.wrong(&error.to_string()))?;
        Ok(match self.level {
            Some(level) => sink.from_level(level),
            None => sink,
        })
    }

    /// What only whoever talks to the sink may know.
    fn secret(&self) -> Result<Option<Zeroizing<String>>, Failure> {
        match (&self.secret_file, &self.secret_env) {
            (None, None) => Ok(None),
            (Some(path), None) => secret_file::read(path).map(Some),
            (None, Some(name)) => match environment::text(name).map(Zeroizing::new) {
                Some(text) => Ok(Some(Zeroizing::new(text.trim().to_owned()))),
                None => {
                    Err(self.wrong(&format!("the variable {name:?} of `secret_env` is not set")))
                }
            },
            (Some(_), Some(_)) => Err(self.wrong("give `secret_file` or `secret_env`, not both")),
        }
    }

    fn mail(&self, secret: Option<Zeroizing<String>>) -> Result<Mail, Failure> {
        let need = |what: &str| self.wrong(&format!("`{what}` is missing"));
        let login = match (self.user.clone(), secret) {
            (None, None) => None,
            (Some(user), Some(password)) => Some(Login { user, password }),
            (None, Some(_)) => return Err(need("user")),
            (Some(_), None) => return Err(need("secret_file")),
        };
        Ok(Mail {
            address: self.address.clone().ok_or_else(|| need("address"))?,
            security: match (self.tls, self.starttls) {
                (true, false) => Security::Tls,
                (true, true) => Security::StartTls,
                (false, false) => Security::Clear,
                (false, true) => return Err(self.wrong("`starttls` is TLS; leave `tls` out")),
            },
            from: self.from.clone().ok_or_else(|| need("from"))?,
            to: self.to.clone(),
            login,
        })
    }
}

/// The shipped rules, if they are wanted, and those of files and folders.
pub(crate) fn rules(
    with_shipped: bool,
    paths: &[PathBuf],
    without: &[String],
) -> Result<RuleSet, Failure> {
    let mut own = Vec::new();
    for path in paths {
        match path.is_dir() {
            true => {
                for path in files(path)? {
                    own.push(read(&path)?);
                }
            }
            false => own.push(read(path)?),
        }
    }
    let own = own.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let all: Vec<(&str, &str)> = match with_shipped {
        true => SHIPPED.iter().copied().chain(own).collect(),
        false => own.collect(),
    };
    let wrong = |error: &dyn std::fmt::Display| {
        Failure::usage(format!(
            "{}; docs/detection.md says how rules are written",
            plain(&error.to_string())
        ))
    };
    let set = RuleSet::of(&all).map_err(|error| wrong(&error))?;
    set.without(without).map_err(|error| wrong(&error))
}

/// The files of rules in a folder, by name; not those of folders within it.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = std::fs::read_dir(folder).map_err(Failure::io("read", folder))?;
    let is_rule = |path: &PathBuf| {
        path.extension().is_some_and(|end| end == "yml" || end == "yaml") && path.is_file()
    };
    let mut found: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(is_rule).collect();
    found.sort();
    if found.is_empty() || found.len() > FILES_MAX {
        let count = found.len();
        return Err(Failure::usage(format!(
            "{} has {count} files of rules (*.yml); there must be 1 to {FILES_MAX}",
            folder.display()
        )));
    }
    Ok(found)
}

fn read(path: &Path) -> Result<(String, String), Failure> {
    let file = std::fs::File::open(path).map_err(Failure::io("read", path))?;
    let mut text = String::new();
    let mut file = file.take(FILE_BYTES_MAX as u64 + 1);
    file.read_to_string(&mut text).map_err(Failure::io("read", path))?;
    Ok((path.display().to_string(), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_whole_or_refused() {
        let prepare = |text: &str| {
            let section: Result<Detect, _> = toml::from_str(text);
            section.map_err(|error| error.to_string()).and_then(|section| {
                section.prepare().map(|it| it.is_some()).map_err(|error| error.to_string())
            })
        };
        assert_eq!(prepare(""), Ok(true));
        assert_eq!(prepare("enabled = false"), Ok(false));
        assert_eq!(prepare("without = [\"error-burst\"]"), Ok(true));
        let sink = |more: &str| prepare(&format!("[[sinks]]\nname = \"ops\"\n{more}"));
        assert_eq!(
            sink("kind = \"webhook\"\nurl = \"https://example.org/x\"\nlevel = \"high\""),
            Ok(true)
        );
        assert_eq!(
            sink("kind = \"syslog\"\naddress = \"127.0.0.1:5\"\ntls = false\nallow_private = true"),
            Ok(true)
        );
        let mail = "kind = \"email\"\naddress = \"mail.example.org:465\"\n\
                    from = \"t@example.org\"\nto = [\"o@example.org\"]\n";
        assert_eq!(sink(mail), Ok(true));
        assert_eq!(sink(&format!("{mail}starttls = true")), Ok(true));
        for (more, why) in [
            ("user = \"u\"", "`secret_file`"),
            ("secret_file = \"/nowhere\"", "/nowhere"),
            ("secret_env = \"NOBODY_SETS_THIS\"", "NOBODY_SETS_THIS"),
            ("secret_env = \"PATH\"", "`user`"),
            ("secret_env = \"PATH\"\nsecret_file = \"/nowhere\"", "not both"),
            ("tls = false", "this machine"),
            ("tls = false\nstarttls = true\nallow_private = true", "`starttls`"),
        ] {
            let error = sink(&format!("{mail}{more}")).unwrap_err();
            assert!(error.contains(why), "{more}: {error}");
        }
        for (bad, why) in [
            ("kind = \"email\"\naddress = \"mail.example.org:465\"", "`from`"),
            ("kind = \"webhook\"", "`url`"),
            ("kind = \"webhook\"\nurl = \"http://example.org\"", "https"),
            ("kind = \"pagerduty\"", "`secret_file`"),
            ("kind = \"syslog\"\naddress = \"x\"", "HOST:PORT"),
            ("kind = \"pigeon\"", "pigeon"),
            ("kind = \"webhook\"\nurl = \"https://x\"\nsecret = \"whsec_\"", "secret"),
            ("kind = \"webhook\"\nurl = \"https://x\"\nsecret_file = \"/nowhere\"", "/nowhere"),
        ] {
            let error = sink(bad).unwrap_err();
            assert!(error.contains(why), "{bad}: {error}");
        }
        assert!(prepare("without = [\"nobody\"]").unwrap_err().contains("nobody"));
        assert!(prepare("sink = []").is_err());
    }
}

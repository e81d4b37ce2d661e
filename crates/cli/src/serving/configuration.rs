//! `tachograph.toml` as the server reads it, with what the environment says in place of it
//! (`TACHO_SECTION__KEY`). `docs/configuration.md` describes every key.

use crate::configuration_folder::ConfigurationFolder;
use crate::detecting::Detect;
use crate::environment;
use crate::failure::Failure;
use crate::telemetry::Telling;
use crate::witnessing::Witness;
use retain::{Policy, PolicyError, Profile};
use serde::Deserialize;
use serve::access::Role;
use serve::access::certificate::CertificateConfig;
use serve::access::oidc::IssuerConfig;
use serve::{Rate, Rates};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

/// The whole file; a name that is not known is refused.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Configuration {
    #[serde(default)]
    pub(crate) server: Server,
    #[serde(default)]
    pub(crate) access: Access,
    pub(crate) tls: Option<TlsFiles>,
    #[serde(default)]
    pub(crate) limits: Limits,
    /// What is looked for, and who is told: nothing without the section.
    pub(crate) detect: Option<Detect>,
    /// Who watches the logs, and whose logs are watched: nobody without the section.
    pub(crate) witness: Option<Witness>,
    /// Whom the server tells of the requests that it answers: nobody without the section.
    pub(crate) telemetry: Option<Telling>,
    /// How long records stay: `[retention]`, when it is there.
    #[serde(skip)]
    pub(crate) retention: Option<Policy>,
    /// `Policy` reads it.
    #[serde(default, rename = "retention")]
    retention_section: Option<toml::Value>,
}

/// `[server]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Server {
    /// Address and port.
    pub(crate) listen: SocketAddr,
    /// Whether an address that others reach is served without TLS.
    pub(crate) insecure: bool,
    /// The log that is meant where a request names none.
    pub(crate) default_log: String,
    /// Logs whose tree anybody may read: checkpoints, tiles, entry bundles; never records.
    pub(crate) public_logs: Vec<String>,
    /// Names that others reach it by, without ports: `/mcp` answers to no other.
    pub(crate) hosts: Vec<String>,
    /// So much of the disk is left free, in MiB.
    pub(crate) disk_reserve_mib: u64,
}

/// `[limits]`: what one caller may send. Nothing is limited that is not said.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Limits {
    /// Requests in a second.
    pub(crate) requests_per_second: Option<NonZeroU32>,
    /// Requests at once; without it ten times as many as in a second.
    pub(crate) requests_burst: Option<NonZeroU32>,
    /// Events in a second.
    pub(crate) events_per_second: Option<NonZeroU32>,
    /// Events at once; without it ten times as many as in a second, and one whole request at least.
    pub(crate) events_burst: Option<NonZeroU32>,
}

/// Events of one request: fewer could not be sent at once.
const EVENTS_BURST_MIN: NonZeroU32 = match NonZeroU32::new(10_000) {
    Some(number) => number,
    None => NonZeroU32::MIN,
};

impl Limits {
    /// The same with the bursts that follow from it.
    pub(crate) fn rates(&self) -> Rates {
        let rate =
            |per_second: Option<NonZeroU32>, burst: Option<NonZeroU32>, least: NonZeroU32| {
                per_second.map(|per_second| {
                    let ten = NonZeroU32::new(10)
                        .map_or(per_second, |ten| per_second.saturating_mul(ten));
                    Rate { per_second, burst: burst.unwrap_or_else(|| ten.max(least)) }
                })
            };
        Rates {
            requests: rate(self.requests_per_second, self.requests_burst, NonZeroU32::MIN),
            events: rate(self.events_per_second, self.events_burst, EVENTS_BURST_MIN),
        }
    }
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7411)),
            insecure: false,
            default_log: "main".to_owned(),
            public_logs: Vec::new(),
            hosts: Vec::new(),
            disk_reserve_mib: 256,
        }
    }
}

/// `[access]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Access {
    /// A file of Cedar policies beside the built-in ones.
    pub(crate) policies: Option<PathBuf>,
    /// Roles that those policies speak of.
    pub(crate) roles: Vec<Role>,
    /// The list of API tokens.
    pub(crate) tokens: Option<PathBuf>,
    /// The secret that the list is keyed with.
    pub(crate) secret: Option<PathBuf>,
    /// Issuers of OpenID Connect tokens.
    pub(crate) issuers: Vec<IssuerConfig>,
    /// Who client certificates are.
    pub(crate) certificates: Option<CertificateConfig>,
}

/// `[tls]`: files in PEM.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TlsFiles {
    /// The certificate and those that vouch for it.
    pub(crate) certificate: PathBuf,
    /// Its private key.
    pub(crate) key: PathBuf,
    /// Whoever vouches for client certificates.
    pub(crate) client_ca: Option<PathBuf>,
    /// Lists of client certificates that were revoked, one of each authority.
    pub(crate) client_crl: Option<PathBuf>,
}

impl Configuration {
    /// From `path`, or from the user's configuration folder if there is a file; then from the
    /// environment.
    pub(crate) fn read(path: Option<&Path>) -> Result<Self, Failure> {
        let usual = || Some(ConfigurationFolder::locate()?.configuration_path());
        let path = match path {
            Some(path) => Some(path.to_owned()),
            None => usual().filter(|path| path.exists()),
        };
        let mut configuration = match &path {
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(Failure::io("read", path))?;
                let wrong = |error: &dyn std::fmt::Display| {
                    Failure::new(format!("{}: {error}", path.display()))
                };
                let parsed = Self::parse(&text)
                    .map_err(|error| wrong(&format!("{error}{}", hint(&error))))?;
                parsed.with_retention(&text).map_err(|error| wrong(&error))?
            }
            None => Self::default(),
        };
        configuration.take_environment(&environment::text)?;
        Ok(configuration)
    }

    fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// The same with what the section `retention` says, if there is one.
    fn with_retention(mut self, text: &str) -> Result<Self, PolicyError> {
        if self.retention_section.is_some() {
            self.retention = Some(Policy::from_toml(text)?);
        }
        Ok(self)
    }

    fn take_environment(&mut self, value: &dyn Fn(&str) -> Option<String>) -> Result<(), Failure> {
        let wrong = |name: &str, what: &str| Failure::usage(format!("{name}: {what}"));
        let Server { listen, insecure, default_log, public_logs, hosts, disk_reserve_mib } =
            &mut self.server;
        if let Some(text) = value("TACHO_SERVER__LISTEN") {
            let parsed = text.parse();
            *listen = parsed.map_err(|_| wrong("TACHO_SERVER__LISTEN", "write 127.0.0.1:7411"))?;
        }
        if let Some(text) = value("TACHO_SERVER__INSECURE") {
            let parsed = text.parse();
            *insecure =
                parsed.map_err(|_| wrong("TACHO_SERVER__INSECURE", "write true or false"))?;
        }
        if let Some(text) = value("TACHO_SERVER__DISK_RESERVE_MIB") {
            let parsed = text.parse();
            *disk_reserve_mib =
                parsed.map_err(|_| wrong("TACHO_SERVER__DISK_RESERVE_MIB", "write a number"))?;
        }
        if let Some(text) = value("TACHO_RETENTION__PROFILE") {
            let profile = Profile::from_name(&text)
                .ok_or_else(|| Failure::usage(PolicyError::Profile(text).to_string()))?;
            self.retention = Some(Policy::of(profile));
        }
        if let Some(text) = value("TACHO_DETECT__ENABLED") {
            let parsed = text.parse();
            let enabled =
                parsed.map_err(|_| wrong("TACHO_DETECT__ENABLED", "write true or false"))?;
            self.detect.get_or_insert_default().enabled = enabled;
        }
        let limits = &mut self.limits;
        for (name, limit) in [
            ("TACHO_LIMITS__REQUESTS_PER_SECOND", &mut limits.requests_per_second),
            ("TACHO_LIMITS__REQUESTS_BURST", &mut limits.requests_burst),
            ("TACHO_LIMITS__EVENTS_PER_SECOND", &mut limits.events_per_second),
            ("TACHO_LIMITS__EVENTS_BURST", &mut limits.events_burst),
        ] {
            if let Some(text) = value(name) {
                let parsed = text.parse().map_err(|_| wrong(name, "write a number above 0"))?;
                *limit = Some(parsed);
            }
        }
        *default_log = value("TACHO_SERVER__DEFAULT_LOG").unwrap_or_else(|| default_log.clone());
        let names = |text: String| text.split(',').map(|name| name.trim().to_owned()).collect();
        if let Some(text) = value("TACHO_SERVER__PUBLIC_LOGS") {
            *public_logs = names(text);
        }
        if let Some(text) = value("TACHO_SERVER__HOSTS") {
            *hosts = names(text);
        }
        if let (Some(certificate), Some(key)) =
            (value("TACHO_TLS__CERTIFICATE"), value("TACHO_TLS__KEY"))
        {
            let (certificate, key) = (certificate.into(), key.into());
            let client_ca = value("TACHO_TLS__CLIENT_CA").map(PathBuf::from);
            let client_crl = value("TACHO_TLS__CLIENT_CRL").map(PathBuf::from);
            self.tls = Some(TlsFiles { certificate, key, client_ca, client_crl });
        }
        Ok(())
    }

    /// Whether others could read along.
    pub(crate) fn check_exposure(&self) -> Result<(), Failure> {
        let Server { listen, insecure, .. } = &self.server;
        if listen.ip().is_loopback() || self.tls.is_some() || *insecure {
            return Ok(());
        }
        Err(Failure::refused(format!(
            "{listen} can be reached from other machines, and without TLS they could read tokens and \
             events on the way; give [tls] certificate and key, listen on 127.0.0.1, or say --insecure \
             when something in front of it does TLS"
        )))
    }
}

/// Of all names that stand where one is not known, the nearest; nothing when none is near.
fn hint(error: &toml::de::Error) -> String {
    let message = error.message();
    let mut names = message.split('`').skip(1).step_by(2);
    let Some(unknown) = names.next().filter(|_| message.starts_with("unknown field")) else {
        return String::new();
    };
    let distance = |name: &&str| strsim::damerau_levenshtein(unknown, name);
    match names.min_by_key(distance) {
        Some(nearest) if distance(&nearest) <= nearest.len() / 2 => {
            format!("did you mean `{nearest}`?")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of docs/configuration.md.
    fn example() -> String {
        let page = include_str!("../../../../docs/configuration.md");
        let (_, rest) = page.split_once("```toml\n").unwrap();
        rest.split_once("```").unwrap().0.to_owned()
    }

    /// Every name that may stand in a section, as the refusal of another one lists them.
    fn names(section: &str) -> Vec<String> {
        let text = example().replacen(section, &format!("{section}\nzzz = 1"), 1);
        let refusal = match Configuration::parse(&text) {
            Err(error) => error.message().to_owned(),
            Ok(parsed) => parsed.with_retention(&text).unwrap_err().to_string(),
        };
        assert!(refusal.contains("unknown field `zzz`"), "{section}: {refusal}");
        let (_, list) = refusal.split_once("`zzz`").unwrap();
        list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }

    #[test]
    fn the_page_shows_every_key_and_no_other() {
        let text = example();
        let parsed = Configuration::parse(&text).unwrap().with_retention(&text).unwrap();
        assert_eq!(parsed.retention, Some(Policy::default()));
        let usual = Server::default();
        assert_eq!(format!("{:?}", parsed.server), format!("{usual:?}"));
        let sections: Vec<&str> = text.lines().filter(|line| line.starts_with('[')).collect();
        assert_eq!(sections.len(), 14);
        for section in sections {
            let section = section.split(' ').next().unwrap();
            let begin = text.find(section).unwrap() + section.len();
            let body = text[begin..].split("\n[").next().unwrap();
            let own = section.trim_matches(['[', ']']);
            for name in names(section) {
                let key = body.lines().any(|line| line.starts_with(&format!("{name} = ")));
                assert!(key || text.contains(&format!("[{own}.{name}]")), "{section} {name}");
            }
        }
    }

    #[test]
    fn the_page_names_every_variable_of_the_environment_and_no_other() {
        let asked = std::cell::RefCell::new(std::collections::BTreeSet::new());
        let value = |name: &str| {
            asked.borrow_mut().insert(name.to_owned());
            // Those of TLS are asked for together.
            name.starts_with("TACHO_TLS__").then(|| "file".to_owned())
        };
        Configuration::default().take_environment(&value).unwrap();
        let page = include_str!("../../../../docs/configuration.md");
        let words = page.split(|it: char| !it.is_ascii_uppercase() && it != '_');
        let named = words.filter(|it| it.starts_with("TACHO_") && *it != "TACHO_SECTION__KEY");
        assert_eq!(asked.into_inner(), named.map(str::to_owned).collect());
    }

    #[test]
    fn a_name_that_is_not_known_is_refused_with_the_nearest() {
        let hint_of = |text: &str| hint(&Configuration::parse(text).unwrap_err());
        assert_eq!(hint_of("[server]\nlisen = 1"), "did you mean `listen`?");
        assert_eq!(
            hint_of("[limits]\nevents_per_seconds = 1"),
            "did you mean `events_per_second`?"
        );
        assert_eq!(hint_of("[server]\nzzz = 1"), "");
        assert_eq!(hint_of("[server]\nlisten = 1"), "");
    }

    #[test]
    fn what_is_not_said_is_safe_and_what_is_not_known_is_refused() {
        let none = Configuration::parse("").unwrap();
        assert!(none.server.listen.ip().is_loopback() && none.check_exposure().is_ok());
        let open = Configuration::parse("[server]\nlisten = \"0.0.0.0:7411\"").unwrap();
        assert!(open.check_exposure().is_err());
        let insecure = "[server]\nlisten = \"0.0.0.0:7411\"\ninsecure = true\n[retention]\nx = 1";
        assert!(Configuration::parse(insecure).unwrap().check_exposure().is_ok());
        for bad in
            ["[servers]", "[server]\nlisten = 7411", "[server]\nport = 1", "[tls]\nkey = \"k\""]
        {
            assert!(Configuration::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_server_has_a_retention_policy_only_when_somebody_said_one() {
        let read = |text: &str| Configuration::parse(text).unwrap().with_retention(text);
        assert_eq!(read("").unwrap().retention, None);
        let policy = read("[retention]\nprofile = \"hipaa\"").unwrap().retention;
        assert_eq!(policy, Some(Policy::of(Profile::Hipaa)));
        assert!(read("[retention]\ninfos = 3").is_err());
        let mut configuration = read("[retention]").unwrap();
        assert_eq!(configuration.retention, Some(Policy::default()));
        let value = |name: &str| (name == "TACHO_RETENTION__PROFILE").then(|| "pci-dss".to_owned());
        configuration.take_environment(&value).unwrap();
        assert_eq!(configuration.retention, Some(Policy::of(Profile::PciDss)));
    }

    #[test]
    fn nothing_is_limited_that_is_not_said_and_a_whole_request_fits_a_burst() {
        let rates = |text: &str| Configuration::parse(text).unwrap().limits.rates();
        assert_eq!(rates(""), Rates::default());
        let both = rates("[limits]\nrequests_per_second = 50\nevents_per_second = 20");
        let burst = |rate: Option<Rate>| rate.unwrap().burst.get();
        assert_eq!((burst(both.requests), burst(both.events)), (500, 10_000));
        assert_eq!(burst(rates("[limits]\nevents_per_second = 1\nevents_burst = 5").events), 5);
        assert!(Configuration::parse("[limits]\nevents_per_second = 0").is_err());
    }

    #[test]
    fn the_environment_comes_after_the_file() {
        let mut configuration = Configuration::parse("[server]\ndefault_log = \"a\"").unwrap();
        let value = |name: &str| match name {
            "TACHO_SERVER__LISTEN" => Some("127.0.0.1:1".to_owned()),
            "TACHO_SERVER__PUBLIC_LOGS" => Some("a, b".to_owned()),
            _ => None,
        };
        configuration.take_environment(&value).unwrap();
        assert_eq!(configuration.server.listen.port(), 1);
        assert_eq!(configuration.server.public_logs, ["a", "b"]);
        assert_eq!(configuration.server.default_log, "a");
        assert!(configuration.take_environment(&|_| Some("?".to_owned())).is_err());
    }
}

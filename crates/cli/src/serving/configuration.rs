//! `tachograph.toml` as the server reads it, with what the environment says in place of it
//! (`variables.rs`). `docs/configuration.md` describes every key.

use super::variables;
use crate::anchoring::Anchor;
use crate::configuration_folder::ConfigurationFolder;
use crate::detecting::Detect;
use crate::environment;
use crate::failure::Failure;
use crate::telemetry::Telling;
use crate::witnessing::Witness;
use retain::{Policy, PolicyError};
use serde::Deserialize;
use serve::access::Role;
use serve::access::certificate::CertificateConfig;
use serve::access::oidc::IssuerConfig;
use serve::{Rate, Rates};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use toml::Table;

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
    /// Who stamps the logs: nobody without the section.
    pub(crate) anchor: Option<Anchor>,
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
        let variables = environment::beginning_with(variables::PREFIX);
        let Some(path) = path else { return Self::laid_over("", variables) };
        let text = std::fs::read_to_string(&path).map_err(Failure::io("read", &path))?;
        let wrong = |error: String| Failure::new(format!("{}: {error}", path.display()));
        // What only a variable completes is not wrong yet; anything else is, and stands in a line.
        text.parse::<Table>().map_err(|error| wrong(error.to_string()))?;
        let read = Self::laid_over(&text, variables);
        match Self::whole(&text) {
            Err(Wrong { told, .. }) if read.is_err() => Err(wrong(told)),
            _ => read,
        }
    }

    /// What a file says, with what variables say in its place.
    fn laid_over(
        file: &str,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Failure> {
        let mut table: Table = file.parse().unwrap_or_default();
        let given = variables::lay_over(&mut table, variables)?;
        let text = table.to_string();
        Self::whole(&text).map_err(|Wrong { message, place, .. }| {
            let names = variables::names_at(&given, &text, place);
            Failure::usage(format!("{names}: {message}"))
        })
    }

    /// All of it, in TOML.
    fn whole(text: &str) -> Result<Self, Wrong> {
        let parsed = Self::parse(text).map_err(|error| Wrong {
            told: format!("{error}{}", hint(&error)),
            message: format!("{}{}", error.message(), hint(&error)),
            place: error.span().map_or(0, |span| span.start),
        })?;
        parsed.with_retention(text).map_err(|error| Wrong {
            told: error.to_string(),
            message: error.to_string(),
            place: text.find("[retention]").unwrap_or(0),
        })
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

/// Why a text is no configuration.
struct Wrong {
    /// For whoever has the text before them.
    told: String,
    /// The same without its lines.
    message: String,
    /// Where in the text.
    place: usize,
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
    use retain::Profile;

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
        assert_eq!(sections.len(), 16);
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

    /// A file, and variables.
    fn laid(file: &str, variables: &[(&str, &str)]) -> Result<Configuration, Failure> {
        let variables = variables.iter().map(|(name, text)| ((*name).into(), (*text).into()));
        Configuration::laid_over(file, variables.collect::<Vec<_>>())
    }

    #[test]
    fn every_variable_that_a_page_names_is_one() {
        let pages = [
            include_str!("../../../../docs/configuration.md"),
            include_str!("../../../../docs/detection.md"),
        ];
        let words =
            |page: &'static str| page.split(|it: char| !it.is_ascii_uppercase() && it != '_');
        let is_ours = |word: &&str| word.starts_with("TACHO_") && word.contains("__");
        let named: Vec<_> = pages.into_iter().flat_map(words).filter(is_ours).collect();
        assert!(named.len() > 15, "{named:?}");
        for name in named.iter().filter(|name| **name != "TACHO_SECTION__KEY") {
            let told = laid("", &[(*name, "?")]).err().map(|failure| failure.to_string());
            assert!(!told.is_some_and(|told| told.contains("no such key")), "{name}");
        }
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
        assert_eq!(read("[retention]").unwrap().retention, Some(Policy::default()));
        for file in ["", "[retention]\nprofile = \"hipaa\""] {
            let laid = laid(file, &[("TACHO_RETENTION__PROFILE", "pci-dss")]).unwrap();
            assert_eq!(laid.retention, Some(Policy::of(Profile::PciDss)));
        }
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
        let file =
            "[server]\ndefault_log = \"a\"\nlisten = \"127.0.0.1:7\"\n[tls]\ncertificate = \"c\"";
        let variables = [
            ("TACHO_SERVER__LISTEN", "127.0.0.1:1"),
            ("TACHO_SERVER__PUBLIC_LOGS", "a, b"),
            ("TACHO_TLS__KEY", "k"),
            ("TACHO_DETECT__ENABLED", "false"),
            ("TACHO_DETECT__SINKS", r#"[{ name = "ops", kind = "pagerduty" }]"#),
        ];
        let configuration = laid(file, &variables).unwrap();
        assert_eq!(configuration.server.listen.port(), 1);
        assert_eq!(configuration.server.public_logs, ["a", "b"]);
        assert_eq!(configuration.server.default_log, "a");
        assert_eq!(configuration.tls.unwrap().key, Path::new("k"));
        let detect = configuration.detect.unwrap();
        assert_eq!((detect.enabled, detect.shipped, detect.sinks.len()), (false, true, 1));
    }

    #[test]
    fn what_a_variable_says_wrongly_is_told_by_its_name() {
        for (variable, text, why) in [
            ("TACHO_SERVER__LISTEN", "?", "socket address"),
            ("TACHO_LIMITS__EVENTS_PER_SECOND", "0", "nonzero"),
            ("TACHO_TELEMETRY__SERVICE", "a", "missing field `traces`"),
            ("TACHO_WITNESS__FAIL", "ajar", "unknown variant"),
            ("TACHO_RETENTION__PROFILE", "none", "none"),
            ("TACHO_ACCESS__ISSUERS", "[{ isuer = 1 }]", "unknown field"),
        ] {
            let told = laid("[server]\ndefault_log = \"a\"", &[(variable, text)]).unwrap_err();
            let told = told.to_string();
            assert!(told.starts_with(variable) && told.contains(why), "{told}");
        }
    }
}

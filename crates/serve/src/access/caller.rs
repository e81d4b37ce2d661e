//! Who is calling: the same type whatever the credential was.
//!
//! Not a session and not a user: nothing here outlives the request. How a credential becomes a
//! caller stands in [`tokens`](super::tokens), [`oidc`](super::oidc) and
//! [`certificate`](super::certificate).

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A role's name in bytes; the longest of ours has eight.
const ROLE_BYTES_MAX: usize = 64;

/// How a caller proved who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// An API token of this server.
    Token,
    /// A token of an OpenID Connect issuer.
    Oidc,
    /// A TLS client certificate.
    Mtls,
    /// A process on the same machine that could open the server's own socket.
    Local,
}

impl Method {
    /// The name, as events record it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Oidc => "oidc",
            Self::Mtls => "mtls",
            Self::Local => "local",
        }
    }
}

/// A role: what policies speak of. Six are built in; configuration may declare more.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Role(Cow<'static, str>);

/// Text that is no role's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no role: a role is 1 to 64 lower-case letters, digits and hyphens; \
     built in are producer, reader, analyst, auditor, operator and admin"
)]
pub struct BadRole(String);

impl Role {
    /// Appends events, and nothing else.
    pub const PRODUCER: Self = Self(Cow::Borrowed("producer"));
    /// Reads metadata and proofs, verifies; never content.
    pub const READER: Self = Self(Cow::Borrowed("reader"));
    /// A reader who sees content, too, asks in SQL and exports.
    pub const ANALYST: Self = Self(Cow::Borrowed("analyst"));
    /// Reads everything, the records of access as well; changes nothing.
    pub const AUDITOR: Self = Self(Cow::Borrowed("auditor"));
    /// Runs the server: metrics, retention, holds, keys, logs; sees no events.
    pub const OPERATOR: Self = Self(Cow::Borrowed("operator"));
    /// Everything.
    pub const ADMIN: Self = Self(Cow::Borrowed("admin"));

    /// The roles that are built in.
    pub const BUILT_IN: [Self; 6] =
        [Self::PRODUCER, Self::READER, Self::ANALYST, Self::AUDITOR, Self::OPERATOR, Self::ADMIN];

    /// The role of this name. Whether any policy speaks of it, [`Policy`](super::policy::Policy)
    /// knows.
    ///
    /// # Errors
    ///
    /// [`BadRole`] for what cannot be a role's name.
    pub fn new(name: impl Into<String>) -> Result<Self, BadRole> {
        let name = name.into();
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.is_empty() || name.len() > ROLE_BYTES_MAX || !name.bytes().all(plain) {
            return Err(BadRole(name.chars().take(ROLE_BYTES_MAX).collect()));
        }
        Ok(Self(Cow::Owned(name)))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Role {
    type Error = BadRole;

    fn try_from(name: String) -> Result<Self, BadRole> {
        Self::new(name)
    }
}

impl From<Role> for String {
    fn from(role: Role) -> Self {
        role.0.into_owned()
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Which logs a grant reaches. As text: `"all"`, or a list of names.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "LogsText", into = "LogsText")]
pub enum Logs {
    /// Every log, those to come as well.
    All,
    /// These, by name. None means none.
    Only(BTreeSet<String>),
}

/// [`Logs`] as configuration and the file of tokens spell them.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum LogsText {
    Word(String),
    Names(BTreeSet<String>),
}

impl Logs {
    /// These logs and no others.
    pub fn only<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        Self::Only(names.into_iter().map(Into::into).collect())
    }

    /// Whether `log` is among them.
    #[must_use]
    pub fn reaches(&self, log: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.contains(log),
        }
    }
}

impl TryFrom<LogsText> for Logs {
    type Error = String;

    fn try_from(text: LogsText) -> Result<Self, String> {
        match text {
            LogsText::Word(word) if word == "all" => Ok(Self::All),
            LogsText::Word(word) => {
                Err(format!("logs = {word:?} is neither \"all\" nor a list; write [{word:?}]"))
            }
            LogsText::Names(names) => Ok(Self::Only(names)),
        }
    }
}

impl From<Logs> for LogsText {
    fn from(logs: Logs) -> Self {
        match logs {
            Logs::All => Self::Word("all".to_owned()),
            Logs::Only(names) => Self::Names(names),
        }
    }
}

/// One role, and the logs that it holds for.
///
/// Role and logs stay together: a caller who analyses one log and produces into all of them must
/// not end up analysing all of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Grant {
    /// What the caller may do there.
    pub role: Role,
    /// Where.
    pub logs: Logs,
}

/// An authenticated caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Who vouches for it: an issuer's URL, a certificate's issuer, or this server.
    pub issuer: String,
    /// Who it is there.
    pub subject: String,
    /// How it proved that.
    pub method: Method,
    /// What it was given. Empty means: known, and allowed nothing.
    pub grants: Vec<Grant>,
}

impl Caller {
    /// Its roles, wherever they hold.
    pub fn roles(&self) -> impl Iterator<Item = &Role> {
        self.grants.iter().map(|grant| &grant.role).collect::<BTreeSet<_>>().into_iter()
    }

    /// Whether any grant reaches `log`. What it may do there is the policies' to say.
    #[must_use]
    pub fn reaches(&self, log: &str) -> bool {
        self.grants.iter().any(|grant| grant.logs.reaches(log))
    }

    /// The caller as events record it.
    #[must_use]
    pub fn principal(&self) -> event::Principal<'static> {
        event::Principal {
            issuer: Some(self.issuer.clone().into()),
            subject: Some(self.subject.clone().into()),
            method: Some(self.method.as_str().into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_takes_names_and_nothing_else() {
        for role in Role::BUILT_IN {
            assert_eq!(Role::new(role.as_str()).unwrap(), role);
        }
        assert!(Role::new("night-shift-2").is_ok());
        for bad in ["", "Admin", "a b", "a\"b", "rôle", "a\n", &"a".repeat(65)] {
            assert!(Role::new(bad).is_err(), "{bad:?}");
        }
        assert!(Role::new("a".repeat(1 << 20)).unwrap_err().to_string().len() < 400);
    }

    #[test]
    fn logs_are_all_or_a_list_and_a_bare_name_is_refused() {
        let read = |text: &str| serde_json::from_str::<Logs>(text);
        assert_eq!(read("\"all\"").unwrap(), Logs::All);
        assert_eq!(read("[\"b\",\"a\"]").unwrap(), Logs::only(["a", "b"]));
        assert!(read("\"main\"").unwrap_err().to_string().contains("[\"main\"]"));
        for logs in [Logs::All, Logs::only(["a"]), Logs::Only(BTreeSet::new())] {
            assert_eq!(read(&serde_json::to_string(&logs).unwrap()).unwrap(), logs);
        }
        assert!(!Logs::Only(BTreeSet::new()).reaches("main"));
        // A log whose name is the word must be named in a list.
        assert!(!Logs::only(["all"]).reaches("main"));
    }

    #[test]
    fn principal_is_what_events_carry() {
        let caller = Caller {
            issuer: "https://issuer.example".into(),
            subject: "a".into(),
            method: Method::Oidc,
            grants: Vec::new(),
        };
        let principal = caller.principal();
        assert_eq!(principal.issuer.as_deref(), Some("https://issuer.example"));
        assert_eq!(principal.subject.as_deref(), Some("a"));
        assert_eq!(principal.method.as_deref(), Some("oidc"));
    }
}

//! Somebody who is told of alerts.

use super::alert::Alert;
use super::email::{Email, Mail};
use super::http::{PAGERDUTY, PagerDuty, Webhook};
use super::syslog::Syslog;
use ::detect::Level;
use zeroize::Zeroizing;

/// A sink, ready to be told.
#[derive(Debug)]
pub struct Sink {
    name: String,
    level: Level,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Webhook(Box<Webhook>),
    PagerDuty(PagerDuty),
    Syslog(Syslog),
    Email(Box<Email>),
}

/// Why a sink cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SinkError(pub(crate) String);

/// Why a sink did not take an alert.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Trouble(pub(super) String);

/// What became of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// The sink took it.
    Taken,
    /// It did not, and may the next time.
    Failed(Trouble),
    /// It did not, and will not.
    Refused(Trouble),
}

impl Sink {
    /// A webhook; `secret` signs what is sent.
    ///
    /// # Errors
    /// [`SinkError`]: a URL that is not https, a secret of another form.
    pub fn webhook(
        name: &str,
        url: &str,
        secret: Option<Zeroizing<String>>,
        allow_private: bool,
    ) -> Result<Self, SinkError> {
        let webhook = Webhook::new(url, secret.as_ref(), allow_private)?;
        Ok(Self::of(name, Kind::Webhook(Box::new(webhook))))
    }

    /// PagerDuty; `url` instead of its own.
    ///
    /// # Errors
    /// [`SinkError`].
    pub fn pagerduty(
        name: &str,
        url: Option<&str>,
        routing_key: Zeroizing<String>,
        allow_private: bool,
    ) -> Result<Self, SinkError> {
        let sink = PagerDuty::new(url.unwrap_or(PAGERDUTY), routing_key, allow_private)?;
        Ok(Self::of(name, Kind::PagerDuty(sink)))
    }

    /// Syslog at `HOST:PORT`.
    ///
    /// # Errors
    /// [`SinkError`].
    pub fn syslog(
        name: &str,
        address: &str,
        tls: bool,
        allow_private: bool,
    ) -> Result<Self, SinkError> {
        Ok(Self::of(name, Kind::Syslog(Syslog::new(address, tls, allow_private)?)))
    }

    /// E-mail, by way of a mail server.
    ///
    /// # Errors
    /// [`SinkError`]: an address that is none, a password without TLS.
    pub fn email(name: &str, mail: Mail, allow_private: bool) -> Result<Self, SinkError> {
        Ok(Self::of(name, Kind::Email(Box::new(Email::new(mail, allow_private)?))))
    }

    fn of(name: &str, kind: Kind) -> Self {
        Self { name: name.to_owned(), level: Level::Informational, kind }
    }

    /// The same, told only of what is at least so bad.
    #[must_use]
    pub fn from_level(self, level: Level) -> Self {
        Self { level, ..self }
    }

    /// Its name in the configuration.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn level(&self) -> Level {
        self.level
    }

    /// Tells it once, and waits for its answer: ten seconds or so at most, and a mail
    /// server's thirty.
    #[must_use]
    pub fn tell(&self, alert: &Alert, now_ms: u64) -> Told {
        match &self.kind {
            Kind::Webhook(webhook) => webhook.tell(alert, now_ms),
            Kind::PagerDuty(pagerduty) => pagerduty.tell(alert),
            Kind::Syslog(syslog) => syslog.tell(alert, now_ms),
            Kind::Email(email) => email.tell(alert, now_ms),
        }
    }
}

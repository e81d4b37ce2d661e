//! Alerts over HTTP: webhooks signed as Standard Webhooks has it, and PagerDuty's events.
//!
//! An address is looked up and checked once for each connection, and that very address is connected
//! to: a name that means something else a moment later leads nowhere. No redirects, no proxy.

use super::addresses;
use super::alert::Alert;
use super::sink::{SinkError, Told, Trouble};
use ::detect::Level;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

/// One delivery may take so long.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of an answer that are looked at when it says no.
const ANSWER_BYTES_MAX: u64 = 4_096;
/// Where PagerDuty takes events.
pub(super) const PAGERDUTY: &str = "https://events.pagerduty.com/v2/enqueue";

/// A webhook.
pub(super) struct Webhook {
    url: String,
    key: Option<hmac::Key>,
    agent: ureq::Agent,
}

/// PagerDuty's Events API v2.
pub(super) struct PagerDuty {
    url: String,
    routing_key: zeroize::Zeroizing<String>,
    agent: ureq::Agent,
}

/// Resolves names to addresses that may be used.
#[derive(Debug)]
struct Checked {
    inner: DefaultResolver,
    allow_private: bool,
}

impl Resolver for Checked {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        addresses::check(&found, self.allow_private)?;
        Ok(found)
    }
}

/// A client that connects to no address that it may not, waits at most so long for an answer, and
/// keeps so many connections open.
pub(crate) fn agent(
    allow_private: bool,
    timeout: Duration,
    idle: usize,
) -> Result<ureq::Agent, SinkError> {
    let roots: Vec<Certificate<'static>> = rustls_native_certs::load_native_certs()
        .certs
        .iter()
        .map(|root| Certificate::from_der(root.as_ref()).to_owned())
        .collect();
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::from(roots))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .build();
    let config = ureq::Agent::config_builder()
        .tls_config(tls)
        .timeout_global(Some(timeout))
        .max_redirects(0)
        .max_idle_connections(idle)
        .http_status_as_error(false)
        // Otherwise it is taken from the environment.
        .proxy(None)
        .user_agent("tachograph")
        .build();
    let resolver = Checked { inner: DefaultResolver::default(), allow_private };
    Ok(ureq::Agent::with_parts(config, DefaultConnector::default(), resolver))
}

/// Whether a URL may be used at all.
pub(crate) fn check_url(url: &str, allow_private: bool) -> Result<(), SinkError> {
    let refuse = |what: &'static str| {
        Err(SinkError(format!("the url {:?} cannot be used: {what}", short(url))))
    };
    if url.len() > 2_048 || !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return refuse("too long, or not printable ASCII");
    }
    let Ok(uri) = url.parse::<Uri>() else { return refuse("it is no URL") };
    let Some(authority) = uri.authority() else { return refuse("it has no host") };
    if authority.as_str().contains('@') {
        return refuse("it has a user; give a secret by `secret_file`");
    }
    match uri.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if allow_private => Ok(()),
        Some("http") => refuse("it must be https; http is for private addresses (`allow_private`)"),
        _ => refuse("it must begin with https://"),
    }
}

/// A URL without what may be a secret in it.
fn short(url: &str) -> String {
    url.split('?').next().unwrap_or_default().chars().take(80).collect()
}

impl Webhook {
    /// `secret`: as Standard Webhooks spells it, `whsec_` and base64.
    pub(super) fn new(
        url: &str,
        secret: Option<&SecretKeyText>,
        allow_private: bool,
    ) -> Result<Self, SinkError> {
        check_url(url, allow_private)?;
        let key = secret.map(signing_key).transpose()?;
        Ok(Self { url: url.to_owned(), key, agent: agent(allow_private, TIMEOUT, 0)? })
    }

    pub(super) fn tell(&self, alert: &Alert, now_ms: u64) -> Told {
        let body = json!({ "type": "tachograph.alert", "timestamp": alert.time, "data": alert });
        let (body, seconds) = (body.to_string(), (now_ms / 1_000).to_string());
        let mut request = self
            .agent
            .post(&self.url)
            .header("content-type", "application/json")
            .header("webhook-id", &alert.incident)
            .header("webhook-timestamp", &seconds);
        if let Some(key) = &self.key {
            let signed = format!("{}.{seconds}.{body}", alert.incident);
            let tag = hmac::sign(key, signed.as_bytes());
            let signature = format!("v1,{}", BASE64_STANDARD.encode(tag.as_ref()));
            request = request.header("webhook-signature", signature);
        }
        outcome(request.send(body))
    }
}

/// The text of a secret.
pub(super) type SecretKeyText = zeroize::Zeroizing<String>;

/// The key in a secret of Standard Webhooks.
fn signing_key(secret: &SecretKeyText) -> Result<hmac::Key, SinkError> {
    let wrong = || {
        let what = "the secret must be `whsec_` and 24 to 64 bytes in base64; make one with \
                    `echo whsec_$(head -c 32 /dev/urandom | base64)`";
        SinkError(what.to_owned())
    };
    let text = secret.trim().strip_prefix("whsec_").ok_or_else(wrong)?;
    let bytes = zeroize::Zeroizing::new(BASE64_STANDARD.decode(text).map_err(|_| wrong())?);
    match (24..=64).contains(&bytes.len()) {
        true => Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes)),
        false => Err(wrong()),
    }
}

impl PagerDuty {
    pub(super) fn new(
        url: &str,
        routing_key: SecretKeyText,
        allow_private: bool,
    ) -> Result<Self, SinkError> {
        check_url(url, allow_private)?;
        let routing_key = zeroize::Zeroizing::new(routing_key.trim().to_owned());
        let is_fine = |byte: u8| byte.is_ascii_alphanumeric();
        if routing_key.is_empty() || !routing_key.bytes().all(is_fine) {
            let what = "the secret of a pagerduty sink is its integration key: letters and digits";
            return Err(SinkError(what.to_owned()));
        }
        Ok(Self { url: url.to_owned(), routing_key, agent: agent(allow_private, TIMEOUT, 0)? })
    }

    pub(super) fn tell(&self, alert: &Alert) -> Told {
        let severity = match alert.level() {
            Level::Critical => "critical",
            Level::High => "error",
            Level::Medium => "warning",
            Level::Low | Level::Informational => "info",
        };
        let body = json!({
            "routing_key": *self.routing_key,
            "event_action": "trigger",
            // The same incident again is the same alert there.
            "dedup_key": alert.incident,
            "payload": {
                "summary": format!("{} ({})", alert.title, alert.why).chars().take(1_000).collect::<String>(),
                "source": alert.log,
                "severity": severity,
                "timestamp": alert.time,
                "class": alert.rule,
                "custom_details": alert,
            },
        });
        let request = self.agent.post(&self.url).header("content-type", "application/json");
        outcome(request.send(body.to_string()))
    }
}

/// What an answer means.
fn outcome(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Told {
    let mut answer = match answer {
        Ok(answer) => answer,
        Err(ureq::Error::Io(error)) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            return Told::Refused(Trouble(error.to_string()));
        }
        Err(error) => return Told::Failed(Trouble(error.to_string())),
    };
    let status = answer.status().as_u16();
    // Read, so that whoever sends it need not wait; its words are another's, and short here.
    let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string();
    let said: String =
        body.unwrap_or_default().chars().filter(|it| !it.is_control()).take(200).collect();
    match status {
        200..=299 => Told::Taken,
        // It is gone, and it says so: Standard Webhooks asks to stop then.
        410 => Told::Refused(Trouble(format!("status 410: {said}"))),
        300..=399 => Told::Failed(Trouble(format!("status {status}; redirects are not followed"))),
        _ => Told::Failed(Trouble(format!("status {status}: {said}"))),
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("url", &short(&self.url)).finish_non_exhaustive()
    }
}

impl fmt::Debug for PagerDuty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PagerDuty").field("url", &short(&self.url)).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_standard_webhooks() {
        // The example of the specification's reference implementations.
        let secret = format!("whsec_{}", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let key = signing_key(&zeroize::Zeroizing::new(secret)).unwrap();
        let signed = "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}";
        let tag = hmac::sign(&key, signed.as_bytes());
        assert_eq!(
            BASE64_STANDARD.encode(tag.as_ref()),
            "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
        for bad in ["", "whsec_", "whsec_AAAA", "abc", "whsec_!!"] {
            assert!(signing_key(&zeroize::Zeroizing::new(bad.to_owned())).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_https_is_told_unless_private_addresses_are_allowed() {
        for bad in [
            "http://example.org/",
            "ftp://x/",
            "https://u:p@x/",
            "x",
            "https://x/ä",
            "file:///etc/passwd",
        ] {
            assert!(check_url(bad, false).is_err(), "{bad}");
        }
        assert!(check_url("https://example.org/hook?a=b", false).is_ok());
        assert!(check_url("http://127.0.0.1:9/", true).is_ok());
        assert!(!check_url("http://x/?token=abc", false).unwrap_err().to_string().contains("abc"));
    }
}

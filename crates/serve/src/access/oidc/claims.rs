//! What a token says, checked against the configuration and the time.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::ClaimRule;
use crate::access::certificate::is_printable;
use crate::access::{Grant, Refused};

/// Bytes of a subject (OpenID Connect Core 1.0, section 2).
const SUBJECT_BYTES_MAX: usize = 255;

/// Seconds beyond which a time is none: the year 9999.
const TIME_MAX_S: i64 = 253_402_300_799;

/// The claims of a token.
#[derive(Debug)]
pub(super) struct Claims(Map<String, Value>);

impl Claims {
    pub(super) fn new(claims: Map<String, Value>) -> Self {
        Self(claims)
    }

    /// A claim that is text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// Who claims to have issued it.
    pub(super) fn issuer(&self) -> Result<&str, Refused> {
        self.text("iss").ok_or(Refused::MissingIssuer)
    }

    /// Everything but the issuer, which picked the configuration. Returns the subject.
    pub(super) fn check(
        &self,
        audiences: &[String],
        leeway_s: u32,
        now_ms: i64,
    ) -> Result<String, Refused> {
        self.check_audience(audiences)?;
        self.check_times(i64::from(leeway_s), now_ms.div_euclid(1000))?;
        // Such a token is worth something only together with a proof that its holder has a key
        // (RFC 7800, RFC 8705, RFC 9449). Taken as a bearer token it would be worth more than that.
        if self.0.contains_key("cnf") {
            return Err(Refused::BoundToken);
        }
        let subject = match self.0.get("sub") {
            None => return Err(Refused::MissingSubject),
            Some(Value::String(subject)) => subject,
            Some(_) => return Err(Refused::BadSubject),
        };
        if subject.is_empty() || subject.len() > SUBJECT_BYTES_MAX || !is_printable(subject) {
            return Err(Refused::BadSubject);
        }
        Ok(subject.clone())
    }

    /// Whether it answers this very sign-in, of this client (OpenID Connect Core 1.0, section
    /// 3.1.3.7, points 4, 5 and 11). Returns when it ends, in seconds.
    pub(super) fn check_sign_in(&self, client: &str, nonce: &str) -> Result<i64, Refused> {
        let is_of_several = matches!(self.0.get("aud"), Some(Value::Array(all)) if all.len() > 1);
        match self.0.get("azp") {
            None if is_of_several => return Err(Refused::WrongAudience),
            Some(party) if party.as_str() != Some(client) => return Err(Refused::WrongAudience),
            _ => {}
        }
        if self.text("nonce") != Some(nonce) {
            return Err(Refused::WrongNonce);
        }
        self.time("exp")?.ok_or(Refused::MissingExpiry)
    }

    fn check_audience(&self, wanted: &[String]) -> Result<(), Refused> {
        let is_wanted = |one: &str| wanted.iter().any(|wanted| wanted == one);
        let named = match self.0.get("aud") {
            None => return Err(Refused::MissingAudience),
            Some(Value::String(one)) => is_wanted(one),
            Some(Value::Array(several)) => {
                several.iter().any(|one| one.as_str().is_some_and(is_wanted))
            }
            Some(_) => false,
        };
        if named { Ok(()) } else { Err(Refused::WrongAudience) }
    }

    fn check_times(&self, leeway_s: i64, now_s: i64) -> Result<(), Refused> {
        let now_s = now_s.clamp(0, TIME_MAX_S);
        let expiry_s = self.time("exp")?.ok_or(Refused::MissingExpiry)?;
        if now_s - leeway_s >= expiry_s {
            return Err(Refused::Expired);
        }
        if self.time("nbf")?.is_some_and(|start_s| start_s > now_s + leeway_s) {
            return Err(Refused::NotYetValid);
        }
        if self.time("iat")?.is_some_and(|issued_s| issued_s > now_s + leeway_s) {
            return Err(Refused::IssuedInFuture);
        }
        Ok(())
    }

    /// A time in seconds. Fractions are allowed (RFC 7519, section 2) and cut.
    fn time(&self, name: &str) -> Result<Option<i64>, Refused> {
        let number = match self.0.get(name) {
            None => return Ok(None),
            Some(Value::Number(number)) => number,
            Some(_) => return Err(Refused::BadTime),
        };
        let seconds = match (number.as_i64(), number.as_f64()) {
            (Some(seconds), _) => seconds,
            #[expect(clippy::cast_possible_truncation, reason = "compared with the range before")]
            (None, Some(seconds)) if (0.0..=TIME_MAX_S as f64).contains(&seconds) => seconds as i64,
            _ => return Err(Refused::BadTime),
        };
        let fine = (0..=TIME_MAX_S).contains(&seconds);
        if fine { Ok(Some(seconds)) } else { Err(Refused::BadTime) }
    }

    /// What the rules give for these claims.
    pub(super) fn grants(&self, rules: &[ClaimRule]) -> Vec<Grant> {
        let fitting = rules.iter().filter(|rule| self.fits(rule));
        let grants = fitting.flat_map(|rule| {
            rule.roles.iter().map(|role| Grant { role: role.clone(), logs: rule.logs.clone() })
        });
        grants.collect::<BTreeSet<Grant>>().into_iter().collect()
    }

    fn fits(&self, rule: &ClaimRule) -> bool {
        let found = match self.0.get(&rule.claim) {
            Some(value) => Some(value),
            None => self.at(&rule.claim),
        };
        match found {
            Some(Value::String(text)) => *text == rule.value,
            Some(Value::Array(several)) => {
                several.iter().any(|one| one.as_str() == Some(rule.value.as_str()))
            }
            _ => false,
        }
    }

    /// Where a JSON pointer leads (RFC 6901).
    fn at(&self, pointer: &str) -> Option<&Value> {
        let mut steps = pointer.strip_prefix('/')?.split('/');
        let unescape = |step: &str| step.replace("~1", "/").replace("~0", "~");
        let first = self.0.get(&unescape(steps.next()?))?;
        steps.try_fold(first, |value, step| value.as_object()?.get(&unescape(step)))
    }
}

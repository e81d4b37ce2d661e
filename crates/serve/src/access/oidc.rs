//! Tokens of OpenID Connect issuers: JSON Web Tokens (RFC 7519, RFC 8725) become callers.
//!
//! Only configured issuers count, and for each of them one audience, a short list of algorithms and
//! the keys that it publishes itself. Nothing in a token says how it is to be verified: its header
//! picks among what the configuration allows. Signatures are checked by `jsonwebtoken` with AWS-LC;
//! what is checked around them stands here, because time is an argument in this house and every
//! refusal has a reason of its own.
//!
//! Blocking: when keys are due, a check fetches them, two documents of [`fetch::TIMEOUT_S`] each at
//! worst. Call it where that may be.

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;

use super::{Caller, Logs, Method, Refused, Role};

mod cache;
mod claims;
mod discovery;
pub mod fetch;
mod jwks;
pub mod sign_in;
mod strict;
mod token;

pub use fetch::{Fetch, FetchError, HttpsFetch};
pub use jwks::Algorithm;
pub use sign_in::SignInConfig;

use cache::KeyCache;
use claims::Claims;
use token::Token;

/// Bytes of a token. Those with hundreds of groups have 10 KiB.
pub const TOKEN_BYTES_MAX: usize = 16 << 10;

/// One issuer whose tokens count.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// Its URL, exactly as its tokens spell it.
    pub issuer: String,
    /// Whom its tokens must be meant for.
    pub audience: String,
    /// The algorithms that it may sign with.
    #[serde(default = "default_algorithms")]
    pub algorithms: Vec<Algorithm>,
    /// How far its clock and ours may be apart, in seconds.
    #[serde(default = "default_leeway_s")]
    pub leeway_s: u32,
    /// The types (`typ`) that its tokens may have. A token without a type passes, unless
    /// `type_required`.
    #[serde(default = "default_types")]
    pub types: Vec<String>,
    /// Whether a token must say its type.
    #[serde(default)]
    pub type_required: bool,
    /// Where its keys are; found by discovery when absent.
    #[serde(default)]
    pub jwks_uri: Option<String>,
    /// Whom tokens of end users, sent beside events, are meant for: the agents' applications. None
    /// means that this issuer vouches for no end users. Such a token lets nobody in.
    #[serde(default)]
    pub on_behalf_of_audiences: Vec<String>,
    /// Whether its tokens let in. An issuer of end users need not.
    #[serde(default = "default_log_in")]
    pub log_in: bool,
    /// How people sign in to the console with it; without this they do not.
    #[serde(default)]
    pub sign_in: Option<SignInConfig>,
    /// What its tokens are given: every rule that fits counts.
    #[serde(default)]
    pub rules: Vec<ClaimRule>,
}

/// Roles for the tokens with a certain claim.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimRule {
    /// The claim's name, or a JSON pointer (`/realm_access/roles`) to it.
    pub claim: String,
    /// What it must be, or hold if it is a list.
    pub value: String,
    /// What its bearer may do.
    pub roles: Vec<Role>,
    /// Where.
    pub logs: Logs,
}

fn default_algorithms() -> Vec<Algorithm> {
    vec![Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA]
}

fn default_leeway_s() -> u32 {
    30
}

fn default_types() -> Vec<String> {
    ["JWT", "at+jwt"].map(str::to_owned).into()
}

fn default_log_in() -> bool {
    true
}

/// More leeway than this is no leeway: tokens live for minutes.
const LEEWAY_MAX_S: u32 = 300;

/// A configuration of issuers that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OidcError {
    /// Not an address that keys may come from.
    #[error("{what} {url:?} of an issuer: {source}; write an https address")]
    Url {
        /// Which setting.
        what: &'static str,
        /// Its value.
        url: String,
        /// What is wrong.
        source: FetchError,
    },
    /// Whoever is meant must be said.
    #[error(
        "issuer {issuer} has no audience, or an empty one; name what its tokens are issued for, such as this server's client id"
    )]
    NoAudience {
        /// Which.
        issuer: String,
    },
    /// No algorithm.
    #[error(
        "issuer {issuer} may sign with no algorithm; leave `algorithms` out for the usual ones"
    )]
    NoAlgorithm {
        /// Which.
        issuer: String,
    },
    /// Twice the same.
    #[error("issuer {issuer} is configured twice; give it one section with all its rules")]
    Twice {
        /// Which.
        issuer: String,
    },
    /// Nobody could sign in so.
    #[error("people cannot sign in with issuer {issuer}: {what}")]
    SignIn {
        /// Which.
        issuer: String,
        /// What is wrong, and what to write.
        what: String,
    },
    /// Too much leeway.
    #[error(
        "issuer {issuer}: a leeway of {leeway_s} s is more than {LEEWAY_MAX_S} s; set the clocks instead"
    )]
    Leeway {
        /// Which.
        issuer: String,
        /// How much.
        leeway_s: u32,
    },
}

/// Who an end user is: the issuer that vouches, and the subject there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndUser {
    /// The issuer's URL.
    pub issuer: String,
    /// The subject.
    pub subject: String,
}

/// The configured issuers, and their keys.
pub struct Oidc {
    issuers: Vec<Issuer>,
    fetch: Arc<dyn Fetch>,
}

impl fmt::Debug for Oidc {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Oidc").field(&self.issuers).finish()
    }
}

#[derive(Debug)]
struct Issuer {
    config: IssuerConfig,
    keys: KeyCache,
    about: discovery::Kept,
}

impl Oidc {
    /// Takes the configuration. Nothing is fetched yet.
    ///
    /// # Errors
    ///
    /// [`OidcError`] for what would let in nobody, or anybody.
    pub fn new(configs: Vec<IssuerConfig>, fetch: Arc<dyn Fetch>) -> Result<Self, OidcError> {
        let mut issuers: Vec<Issuer> = Vec::with_capacity(configs.len());
        for config in configs {
            check(&config)?;
            if issuers.iter().any(|known| known.config.issuer == config.issuer) {
                return Err(OidcError::Twice { issuer: config.issuer });
            }
            let keys =
                KeyCache::new(config.issuer.clone(), config.jwks_uri.clone(), Arc::clone(&fetch));
            issuers.push(Issuer { config, keys, about: discovery::Kept::default() });
        }
        Ok(Self { issuers, fetch })
    }

    /// Who presents this token, if it counts at `now_ms`.
    ///
    /// # Errors
    ///
    /// [`Refused`], by reason.
    pub fn verify(&self, text: &str, now_ms: i64) -> Result<Caller, Refused> {
        let token = Token::parse(text)?;
        let issuer = self.issuer(&token)?;
        if !issuer.config.log_in {
            return Err(Refused::UnknownIssuer);
        }
        let audience = std::slice::from_ref(&issuer.config.audience);
        let (claims, subject) = issuer.verify(&token, audience, now_ms)?;
        Ok(Caller {
            issuer: issuer.config.issuer.clone(),
            subject,
            method: Method::Oidc,
            grants: claims.grants(&issuer.config.rules),
        })
    }

    /// Which end user this token stands for: it was sent beside events, by a caller who has
    /// credentials of its own. Gives nobody a right.
    ///
    /// # Errors
    ///
    /// [`Refused`], by reason.
    pub fn verify_on_behalf_of(&self, text: &str, now_ms: i64) -> Result<EndUser, Refused> {
        let token = Token::parse(text)?;
        let issuer = self.issuer(&token)?;
        let audiences = &issuer.config.on_behalf_of_audiences;
        if audiences.is_empty() {
            return Err(Refused::NotForOthers);
        }
        let (_, subject) = issuer.verify(&token, audiences, now_ms)?;
        Ok(EndUser { issuer: issuer.config.issuer.clone(), subject })
    }

    /// Fetches what keys are due, so that no request waits for it. The server calls this when it
    /// starts and every minute.
    ///
    /// Returns the issuers whose keys cannot be had, with the reason.
    pub fn refresh(&self, now_ms: i64) -> Vec<(String, FetchError)> {
        let failed = |issuer: &Issuer| {
            let error = issuer.keys.refresh(now_ms)?;
            Some((issuer.config.issuer.clone(), error))
        };
        self.issuers.iter().filter_map(failed).collect()
    }

    fn issuer(&self, token: &Token<'_>) -> Result<&Issuer, Refused> {
        let claimed = token.claims.issuer()?;
        let issuer = self.issuers.iter().find(|issuer| issuer.config.issuer == claimed);
        issuer.ok_or(Refused::UnknownIssuer)
    }
}

impl Issuer {
    /// Everything that holds for any token of this issuer.
    fn verify<'t>(
        &self,
        token: &'t Token<'_>,
        audiences: &[String],
        now_ms: i64,
    ) -> Result<(&'t Claims, String), Refused> {
        let algorithm = token.header.algorithm;
        if !self.config.algorithms.contains(&algorithm) {
            return Err(Refused::AlgorithmNotAllowed);
        }
        let kind = token.header.kind.as_deref();
        let accepted = match kind {
            Some(kind) => self.config.types.iter().any(|known| same_type(known, kind)),
            None => !self.config.type_required,
        };
        if !accepted {
            return Err(Refused::WrongType);
        }
        let keys = self.keys.holding(token.header.key_id.as_deref(), now_ms)?;
        let key = keys.pick(token.header.key_id.as_deref(), algorithm)?;
        let genuine =
            jsonwebtoken::crypto::verify(token.signature, token.signed, key, algorithm.into());
        if !genuine.is_ok_and(|genuine| genuine) {
            return Err(Refused::BadSignature);
        }
        // Only now do the claims mean anything.
        let subject = token.claims.check(audiences, self.config.leeway_s, now_ms)?;
        Ok((&token.claims, subject))
    }
}

/// Media types: capitals do not count, and `application/` may be left out (RFC 7515, 4.1.9).
fn same_type(known: &str, kind: &str) -> bool {
    let bare = |kind: &str| {
        let kind = kind.to_ascii_lowercase();
        kind.strip_prefix("application/").map_or(kind.clone(), str::to_owned)
    };
    bare(known) == bare(kind)
}

fn check(config: &IssuerConfig) -> Result<(), OidcError> {
    let url = |what, url: &str| {
        fetch::allowed(url).map_err(|source| OidcError::Url { what, url: url.to_owned(), source })
    };
    url("the URL", &config.issuer)?;
    if let Some(jwks_uri) = &config.jwks_uri {
        url("the address of the keys", jwks_uri)?;
    }
    let issuer = config.issuer.clone();
    if config.audience.is_empty() || config.on_behalf_of_audiences.iter().any(String::is_empty) {
        return Err(OidcError::NoAudience { issuer });
    }
    if config.algorithms.is_empty() {
        return Err(OidcError::NoAlgorithm { issuer });
    }
    if config.leeway_s > LEEWAY_MAX_S {
        return Err(OidcError::Leeway { issuer, leeway_s: config.leeway_s });
    }
    if let Some(sign_in) = &config.sign_in {
        let checked = match config.log_in {
            true => sign_in.check(),
            false => Err("its tokens let nobody in; take `log_in = false` away".to_owned()),
        };
        checked.map_err(|what| OidcError::SignIn { issuer, what })?;
    }
    Ok(())
}

/// Whose token this claims to be, for the record of a refusal: issuer and subject, unproven and
/// shortened, and nothing of the signature.
#[must_use]
pub fn claimed(text: &str) -> String {
    let Ok(token) = Token::parse(text) else { return "(malformed)".to_owned() };
    let short = |text: Option<&str>| {
        let text = text.unwrap_or("(none)");
        text[..text.floor_char_boundary(60)].to_owned()
    };
    let issuer = token.claims.issuer().ok();
    format!("{} {}", short(issuer), short(token.claims.text("sub")))
}

#[cfg(test)]
mod tests;

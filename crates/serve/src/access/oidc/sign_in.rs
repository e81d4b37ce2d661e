//! Signing in of people: the authorization code flow of OpenID Connect (Core 1.0, section 3.1) with
//! a proof key for the code (PKCE, RFC 7636), as RFC 9700 asks for it.
//!
//! A browser is sent to the issuer and comes back with a code, which this server exchanges for a
//! token about the person. Three values that only this server can make tie the answers to the
//! browser that asked ([`Ties`]); where they come from is the caller's affair.
//!
//! Blocking, as checking tokens is.

use super::fetch::{self, FetchError};
use super::token::Token;
use super::{Issuer, Oidc};
use crate::access::{Caller, Method, Refused};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use keys::SecretString;
use serde::Deserialize;
use std::path::PathBuf;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Where an issuer sends browsers back to, on this server.
pub const RETURN_PATH: &str = "/sign-in/return";

/// Bytes of a code; those of issuers that put the whole grant into it have 2 KiB.
const CODE_BYTES_MAX: usize = 4 << 10;

/// How people sign in with an issuer. The client's id is the issuer's `audience`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignInConfig {
    /// This server's address for answers, as the issuer knows it: ends with [`RETURN_PATH`].
    pub redirect: String,
    /// What the console calls the issuer; without it the issuer's host.
    #[serde(default)]
    pub name: Option<String>,
    /// What is asked for: `openid`, and what the rules' claims need.
    #[serde(default = "default_scopes")]
    pub scopes: Vec<String>,
    /// A file with the client's secret; none for a public client.
    #[serde(default)]
    pub secret_file: Option<PathBuf>,
    /// What stands in that file: whoever reads the configuration reads it, too.
    #[serde(skip)]
    pub secret: Option<Arc<SecretString>>,
}

fn default_scopes() -> Vec<String> {
    vec!["openid".to_owned()]
}

impl SignInConfig {
    /// What is wrong with it, and what to write.
    pub(super) fn check(&self) -> Result<(), String> {
        fetch::allowed(&self.redirect).map_err(|error| format!("`redirect`: {error}"))?;
        if !self.redirect.ends_with(RETURN_PATH) {
            return Err(format!("`redirect` must end with {RETURN_PATH}"));
        }
        // RFC 6749, section 3.3.
        let is_scope = |scope: &String| {
            let fits = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
            !scope.is_empty() && scope.bytes().all(fits)
        };
        if !self.scopes.iter().all(is_scope) || !self.scopes.iter().any(|scope| scope == "openid") {
            return Err("`scopes` must name `openid`, and each scope on its own".to_owned());
        }
        let is_name = |name: &String| {
            (1..=64).contains(&name.chars().count()) && !name.chars().any(char::is_control)
        };
        if !self.name.iter().all(is_name) {
            return Err("`name` must have 1 to 64 characters in one line".to_owned());
        }
        if self.secret_file.is_some() != self.secret.is_some() {
            return Err("the file with the client's secret was not read".to_owned());
        }
        Ok(())
    }
}

/// What ties an issuer's answers to the browser that asked. Nobody else can know them beforehand.
pub struct Ties {
    /// Comes back with the code (RFC 6749, section 10.12).
    pub state: String,
    /// Comes back in the token (OpenID Connect Core 1.0, section 3.1.2.1).
    pub nonce: String,
    /// Shows that whoever brings the code asked for it: 43 to 128 characters (RFC 7636).
    pub verifier: SecretString,
}

/// Somebody who has signed in.
pub struct SignedIn {
    /// Who it is.
    pub caller: Caller,
    /// What proves that.
    pub token: SecretString,
    /// When that ends, in milliseconds since 1970.
    pub ends_ms: i64,
}

/// Why somebody is not signed in.
#[derive(Debug)]
pub enum SignInError {
    /// No issuer of this number lets people sign in.
    NoSuchIssuer,
    /// The issuer does not do its part.
    Unavailable(FetchError),
    /// The token is worth nothing. With whose it claims to be.
    Refused(Refused, String),
}

impl From<FetchError> for SignInError {
    fn from(error: FetchError) -> Self {
        Self::Unavailable(error)
    }
}

/// What an issuer answers a code with (Core 1.0, section 3.1.3.3).
#[derive(Deserialize)]
struct Exchanged {
    id_token: String,
}

impl Oidc {
    /// The issuers with which people sign in: number and name.
    pub fn sign_ins(&self) -> impl Iterator<Item = (usize, String)> {
        let named = |(number, issuer): (usize, &'_ Issuer)| {
            let sign_in = issuer.config.sign_in.as_ref()?;
            let host = || host(&issuer.config.issuer);
            Some((number, sign_in.name.as_deref().map_or_else(host, str::to_owned)))
        };
        self.issuers.iter().enumerate().filter_map(named)
    }

    /// The URL of an issuer whose sign-in this is.
    #[must_use]
    pub fn sign_in_issuer(&self, number: usize) -> Option<&str> {
        self.signing(number).ok().map(|(issuer, _)| &*issuer.config.issuer)
    }

    /// Where a browser is sent, so that a person signs in.
    ///
    /// # Errors
    /// [`SignInError`] when the issuer does not say where that is.
    pub fn sign_in_address(
        &self,
        number: usize,
        ties: &Ties,
        now_ms: i64,
    ) -> Result<String, SignInError> {
        let (issuer, sign_in) = self.signing(number)?;
        let about = issuer.about.document(&issuer.config.issuer, &*self.fetch, now_ms)?;
        let address = endpoint(about.authorization_endpoint.as_deref(), "authorization_endpoint")?;
        // It may have a query of its own (RFC 6749, section 3.1).
        let (bare, query) = address.split_once('?').unwrap_or((address, ""));
        fetch::allowed(bare)?;
        let challenge = digest(&SHA256, ties.verifier.expose().as_bytes());
        let mut query = form_urlencoded::Serializer::new(query.to_owned());
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &issuer.config.audience)
            .append_pair("redirect_uri", &sign_in.redirect)
            .append_pair("scope", &sign_in.scopes.join(" "))
            .append_pair("state", &ties.state)
            .append_pair("nonce", &ties.nonce)
            .append_pair("code_challenge", &URL_SAFE_NO_PAD.encode(challenge.as_ref()))
            .append_pair("code_challenge_method", "S256");
        Ok(format!("{bare}?{}", query.finish()))
    }

    /// Exchanges the code that a browser came back with, and checks whom it is about.
    ///
    /// # Errors
    /// [`SignInError`], by reason.
    pub fn sign_in_with(
        &self,
        number: usize,
        code: &str,
        ties: &Ties,
        now_ms: i64,
    ) -> Result<SignedIn, SignInError> {
        let (issuer, _) = self.signing(number)?;
        let text = SecretString::new(self.exchange(number, code, ties, now_ms)?);
        let refused =
            |refused: Refused| SignInError::Refused(refused, super::claimed(text.expose()));
        let token = Token::parse(text.expose()).map_err(refused)?;
        if token.claims.issuer().map_err(refused)? != issuer.config.issuer {
            return Err(refused(Refused::UnknownIssuer));
        }
        let client = &issuer.config.audience;
        let (claims, subject) =
            issuer.verify(&token, std::slice::from_ref(client), now_ms).map_err(refused)?;
        let ends_s = claims.check_sign_in(client, &ties.nonce).map_err(refused)?;
        let caller = Caller {
            issuer: issuer.config.issuer.clone(),
            subject,
            method: Method::Oidc,
            grants: claims.grants(&issuer.config.rules),
        };
        Ok(SignedIn { caller, token: text, ends_ms: ends_s.saturating_mul(1000) })
    }

    fn exchange(
        &self,
        number: usize,
        code: &str,
        ties: &Ties,
        now_ms: i64,
    ) -> Result<String, SignInError> {
        let (issuer, sign_in) = self.signing(number)?;
        if code.is_empty() || code.len() > CODE_BYTES_MAX {
            let what = "a code of no usual length".to_owned();
            return Err(FetchError::BadDocument { what }.into());
        }
        let about = issuer.about.document(&issuer.config.issuer, &*self.fetch, now_ms)?;
        let address = endpoint(about.token_endpoint.as_deref(), "token_endpoint")?;
        let client = &*issuer.config.audience;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &*sign_in.redirect),
            ("code_verifier", ties.verifier.expose()),
        ];
        let authorization = sign_in.secret.as_deref().map(|secret| basic(client, secret));
        if authorization.is_none() {
            form.push(("client_id", client));
        }
        let answer = Zeroizing::new(self.fetch.post(address, &form, authorization.as_ref())?);
        let read: Exchanged = serde_json::from_slice(&answer).map_err(|error| {
            // Nothing of the document: there is a token in it.
            let what = format!("no token about the person: line {}", error.line());
            FetchError::BadDocument { what }
        })?;
        Ok(read.id_token)
    }

    fn signing(&self, number: usize) -> Result<(&Issuer, &SignInConfig), SignInError> {
        let issuer = self.issuers.get(number).ok_or(SignInError::NoSuchIssuer)?;
        let sign_in = issuer.config.sign_in.as_ref().ok_or(SignInError::NoSuchIssuer)?;
        Ok((issuer, sign_in))
    }
}

fn endpoint<'d>(found: Option<&'d str>, name: &str) -> Result<&'d str, FetchError> {
    let missing = || FetchError::BadDocument { what: format!("a document without {name}") };
    found.ok_or_else(missing)
}

/// `client_secret_basic`: both parts are encoded as in forms before they are joined (RFC 6749,
/// section 2.3.1).
fn basic(client: &str, secret: &SecretString) -> SecretString {
    let part = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = SecretString::new(format!("{}:{}", part(client), part(secret.expose())));
    SecretString::new(format!("Basic {}", STANDARD.encode(pair.expose())))
}

/// The host of a URL that was checked.
fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest).to_owned()
}

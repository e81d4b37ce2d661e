//! Fetching an issuer's documents: small, over TLS, from where the configuration says.
//!
//! No redirects, no proxy, no cookies, no compression. What keys an issuer has decides who gets in,
//! so an answer that took any detour does not count.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use keys::SecretString;
use thiserror::Error;
use ureq::http::Uri;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// Bytes of a document. Discovery has 2 to 5 KiB, key sets with certificates 20.
pub const DOCUMENT_BYTES_MAX: u64 = 256 << 10;

/// Seconds that one document may take, all told.
pub const TIMEOUT_S: u64 = 5;

/// Bytes of an answer's header.
const HEADER_BYTES_MAX: usize = 32 << 10;

/// Bytes of a URL.
const URL_BYTES_MAX: usize = 2048;

/// Fetches documents. Tests bring their own; the server has [`HttpsFetch`].
pub trait Fetch: Send + Sync {
    /// The document at `url`, which [`allowed`] has let pass. Blocks.
    ///
    /// # Errors
    ///
    /// [`FetchError`] for whatever is not a whole document of bounded size.
    fn get(&self, url: &str) -> Result<Vec<u8>, FetchError>;

    /// The document that a form is answered with, under the same conditions. `authorization`: what
    /// the header of that name says.
    ///
    /// # Errors
    ///
    /// [`FetchError`] for whatever is not a whole document of bounded size.
    fn post(
        &self,
        url: &str,
        form: &[(&str, &str)],
        authorization: Option<&SecretString>,
    ) -> Result<Vec<u8>, FetchError>;
}

/// Why a document could not be had.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum FetchError {
    /// An address that nothing is fetched from.
    #[error(
        "{url:?} is no address that keys may come from ({what}); it must be https, without user, query or fragment"
    )]
    NotAllowed {
        /// The address, shortened.
        url: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The network, TLS or the other side failed.
    #[error(
        "cannot fetch {url}: {what}; check the address, the network and the issuer's certificate"
    )]
    Failed {
        /// From where.
        url: String,
        /// What happened.
        what: String,
    },
    /// The answer is not what it must be.
    #[error("the issuer answered with {what}; check its address")]
    BadDocument {
        /// What is wrong with it.
        what: String,
    },
    /// No certificates of authorities.
    #[error(
        "this machine has no certificates of authorities to check issuers with; install ca-certificates, or name a file of them"
    )]
    NoRoots,
}

/// Whether anything may be fetched from `url`: https, or http to this machine.
///
/// # Errors
///
/// [`FetchError::NotAllowed`], with what is wrong.
pub fn allowed(url: &str) -> Result<(), FetchError> {
    let refuse = |what| {
        let url = url.chars().take(200).collect();
        Err(FetchError::NotAllowed { url, what })
    };
    if url.len() > URL_BYTES_MAX || !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return refuse("too long, or not printable ASCII");
    }
    // The parser drops fragments, so they are looked for first.
    if url.contains(['?', '#', '\\', '|']) {
        return refuse("a query, a fragment, a backslash or a bar");
    }
    let Ok(uri) = url.parse::<Uri>() else { return refuse("not a URL") };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return refuse("without scheme and host");
    };
    if authority.as_str().contains('@') {
        return refuse("with a user");
    }
    if authority.host().is_empty() {
        return refuse("without a host");
    }
    match scheme {
        "https" => Ok(()),
        "http" if is_loopback(authority.host()) => Ok(()),
        _ => refuse("neither https nor http to this machine"),
    }
}

/// Whether a host is this machine, by what its name says: `localhost` is never asked of a resolver
/// that follows RFC 6761.
fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Fetches over the network.
pub struct HttpsFetch {
    agent: ureq::Agent,
}

impl HttpsFetch {
    /// Trusts the certificate authorities of this machine, and those of `more` (DER).
    ///
    /// # Errors
    ///
    /// [`FetchError::NoRoots`] when there are none at all.
    pub fn new(more: &[Vec<u8>]) -> Result<Self, FetchError> {
        let system = rustls_native_certs::load_native_certs().certs;
        let roots: Vec<Certificate<'static>> = system
            .iter()
            .map(|root| Certificate::from_der(root.as_ref()).to_owned())
            .chain(more.iter().map(|root| Certificate::from_der(root).to_owned()))
            .collect();
        if roots.is_empty() {
            return Err(FetchError::NoRoots);
        }
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::from(roots))
            .unversioned_rustls_crypto_provider(Arc::new(
                rustls::crypto::aws_lc_rs::default_provider(),
            ))
            .build();
        let config = ureq::Agent::config_builder()
            .tls_config(tls)
            .timeout_global(Some(Duration::from_secs(TIMEOUT_S)))
            .max_redirects(0)
            .max_response_header_size(HEADER_BYTES_MAX)
            .http_status_as_error(false)
            // Otherwise it is taken from the environment.
            .proxy(None)
            .user_agent("tachograph")
            .accept("application/json")
            .build();
        Ok(Self { agent: config.into() })
    }
}

impl Fetch for HttpsFetch {
    fn get(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        allowed(url)?;
        whole(url, self.agent.get(url).call())
    }

    fn post(
        &self,
        url: &str,
        form: &[(&str, &str)],
        authorization: Option<&SecretString>,
    ) -> Result<Vec<u8>, FetchError> {
        allowed(url)?;
        let mut request = self.agent.post(url);
        if let Some(text) = authorization {
            request = request.header("authorization", text.expose());
        }
        whole(url, request.send_form(form.iter().copied()))
    }
}

/// All of an answer.
fn whole(
    url: &str,
    answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> Result<Vec<u8>, FetchError> {
    let failed = |what: String| FetchError::Failed { url: url.to_owned(), what };
    let mut answer = answer.map_err(|error| failed(error.to_string()))?;
    // A redirection is not followed: it is an answer like any other that is not 200.
    if answer.status() != 200 {
        return Err(failed(format!("status {}", answer.status())));
    }
    let body = answer.body_mut().with_config().limit(DOCUMENT_BYTES_MAX);
    body.read_to_vec().map_err(|error| failed(error.to_string()))
}

impl fmt::Debug for HttpsFetch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("HttpsFetch")
    }
}

#[cfg(test)]
mod tests;

//! Where a server is: an address that a person wrote, in the one form that requests are made of.
//!
//! Not here: which address is meant, which is said by whoever opens a connection.

use std::net::IpAddr;
use ureq::http::Uri;

/// Bytes of an address: more is none that anybody wrote.
const BYTES_MAX: usize = 2048;

/// The base address of a server, without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    base: String,
    is_tls: bool,
    is_loopback: bool,
}

/// What is wrong with a text that was to be an address: what follows the name of who said it. Never
/// the text itself, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}; write it like http://127.0.0.1:7411 or https://log.example.org")]
pub struct AddressError(&'static str);

impl Address {
    /// Whether a text is an address rather than a path.
    #[must_use]
    pub fn looks_like_one(text: &str) -> bool {
        text.starts_with("http://") || text.starts_with("https://")
    }

    /// Reads what a person wrote.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let wrong = |what| Err(AddressError(what));
        if text.len() > BYTES_MAX || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return wrong("is too long, or holds spaces or what is not ASCII");
        }
        if text.contains(['?', '#', '\\']) {
            return wrong("has a query, a fragment or a backslash");
        }
        let Ok(uri) = text.parse::<Uri>() else { return wrong("is not an address") };
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return wrong("has no http:// or https://, or no host");
        };
        if authority.as_str().contains('@') {
            return wrong("holds a user; a token is never part of an address");
        }
        if authority.host().is_empty() {
            return wrong("has no host");
        }
        let is_tls = match scheme {
            "https" => true,
            "http" => false,
            _ => return wrong("begins with neither http:// nor https://"),
        };
        let base = text.trim_end_matches('/').to_owned();
        Ok(Self { base, is_tls, is_loopback: is_loopback(authority.host()) })
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.base
    }

    /// Whether it is this machine, by what its name says.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.is_loopback
    }

    /// Whether it is https.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// Whether others could read along on the way there.
    #[must_use]
    pub fn is_exposed(&self) -> bool {
        !self.is_tls && !self.is_loopback
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_http_or_https_with_a_host_and_nothing_more() {
        for (text, base, exposed) in [
            ("http://127.0.0.1:7411", "http://127.0.0.1:7411", false),
            ("http://localhost/", "http://localhost", false),
            ("http://[::1]:1/", "http://[::1]:1", false),
            ("https://log.example.org/tacho/", "https://log.example.org/tacho", false),
            ("http://log.example.org", "http://log.example.org", true),
            ("http://localhost.example.org", "http://localhost.example.org", true),
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!((address.as_str(), address.is_exposed()), (base, exposed), "{text}");
        }
        for bad in [
            "",
            "log.example.org",
            "ftp://x",
            "http://",
            "http://user:secret@host",
            "http://host?x",
            "http://host#x",
            "http://ho st",
        ] {
            let failure = Address::parse(bad).unwrap_err().to_string();
            assert!(!failure.contains("secret"), "{failure}");
        }
    }
}

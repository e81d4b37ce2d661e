//! Why a server did not do what it was asked, and whether asking again may help.
//!
//! Nothing here ever holds a token: the text of an error is what the server or the system said.

use serde::Deserialize;
use std::io;
use std::time::Duration;

/// Characters of what a server says that are shown.
const DETAIL_CHARACTERS_MAX: usize = 1_000;

/// What went wrong with one request.
#[derive(Debug)]
pub enum Trouble {
    /// Nobody is there, or nobody whom the name leads to.
    Unreachable(String),
    /// The connection broke, or nothing came in time: it may or may not have been done.
    Lost(String),
    /// TLS: whoever is there is not who the address names, as far as certificates say.
    Certificate(String),
    /// Who is there does not speak as a server of ours does.
    Foreign(String),
    /// A problem document, or a status without one.
    Answered {
        /// The HTTP status.
        status: u16,
        /// The stable code; empty without a document.
        code: String,
        /// What the server says, fit to be shown.
        detail: String,
        /// When to come again.
        retry_after: Option<Duration>,
    },
}

/// RFC 9457, as far as it is of use here.
#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    code: String,
    #[serde(default)]
    detail: String,
}

impl Trouble {
    /// What a status and a body say that are not the answer that was asked for.
    #[must_use]
    pub fn answered(status: u16, is_problem: bool, retry_after: Option<&str>, body: &[u8]) -> Self {
        let document = is_problem.then(|| serde_json::from_slice::<Document>(body).ok()).flatten();
        let Document { code, detail } =
            document.unwrap_or(Document { code: String::new(), detail: String::new() });
        // The other form of Retry-After is a date; a wrong clock would make nonsense of it.
        let seconds = retry_after.and_then(|text| text.trim().parse().ok());
        let retry_after = seconds.map(Duration::from_secs);
        let detail = detail.chars().take(DETAIL_CHARACTERS_MAX).map(shown).collect();
        Self::Answered { status, code, detail, retry_after }
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Lost(_) => true,
            Self::Certificate(_) | Self::Foreign(_) => false,
            Self::Answered { status, .. } => {
                matches!(status, 408 | 425 | 429 | 502 | 503 | 504 | 507)
            }
        }
    }

    /// When the server wants to be asked again.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Answered { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The status, if anybody answered.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Answered { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// In a few words, for a note while it is tried again.
    #[must_use]
    pub fn brief(&self) -> String {
        match self {
            Self::Unreachable(what) | Self::Lost(what) => what.clone(),
            Self::Certificate(what) | Self::Foreign(what) => what.clone(),
            Self::Answered { status, detail, .. } if detail.is_empty() => {
                format!("status {status}")
            }
            Self::Answered { status, detail, .. } => format!("{detail} ({status})"),
        }
    }
}

/// What a server says reaches a terminal, where some characters act and others hide.
fn shown(character: char) -> char {
    let is_plain = character == ' ' || character.is_ascii_graphic() || character.is_alphanumeric();
    if is_plain { character } else { '\u{fffd}' }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.brief())
    }
}

impl From<ureq::Error> for Trouble {
    fn from(error: ureq::Error) -> Self {
        match error {
            ureq::Error::Io(error) => of_io(&error),
            ureq::Error::Rustls(error) => of_tls(&error),
            ureq::Error::HostNotFound => Self::Unreachable("there is no such host".to_owned()),
            ureq::Error::ConnectionFailed => Self::Unreachable("no connection".to_owned()),
            ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
                Self::Unreachable("no connection came about in time".to_owned())
            }
            ureq::Error::Timeout(_) => Self::Lost("nothing came in time".to_owned()),
            ureq::Error::Protocol(error) => Self::Lost(error.to_string()),
            other => Self::Foreign(other.to_string()),
        }
    }
}

/// What the system says about a connection.
#[must_use]
pub fn of_io(error: &io::Error) -> Trouble {
    let inner = error.get_ref();
    if let Some(tls) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return of_tls(tls);
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::AddrNotAvailable => Trouble::Unreachable(error.to_string()),
        _ => Trouble::Lost(error.to_string()),
    }
}

fn of_tls(error: &rustls::Error) -> Trouble {
    match error {
        rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => {
            Trouble::Certificate(error.to_string())
        }
        rustls::Error::InvalidMessage(_) => {
            Trouble::Foreign(format!("it does not speak TLS ({error}); http:// may be meant"))
        }
        rustls::Error::AlertReceived(_) => Trouble::Foreign(format!(
            "it ended the TLS handshake ({error}); it may want a certificate (--client-cert)"
        )),
        _ => Trouble::Lost(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_told_from_what_does_not() {
        for status in [429, 502, 503, 504, 507] {
            assert!(Trouble::answered(status, false, None, b"").may_pass(), "{status}");
        }
        for status in [400, 401, 403, 404, 413, 500] {
            assert!(!Trouble::answered(status, false, None, b"").may_pass(), "{status}");
        }
        let busy = Trouble::answered(503, true, Some("7"), br#"{"code":"a","detail":"busy"}"#);
        assert_eq!(busy.retry_after(), Some(Duration::from_secs(7)));
        assert_eq!(busy.brief(), "busy (503)");
        assert_eq!(Trouble::answered(503, false, Some("Mon, 01"), b"").retry_after(), None);
    }

    #[test]
    fn what_a_server_says_reaches_no_terminal_as_it_is() {
        let body = b"{\"code\":\"c\",\"detail\":\"\\u001b[31mred \\u202e\"}";
        let brief = Trouble::answered(404, true, None, body).brief();
        assert!(!brief.contains(['\u{1b}', '\u{202e}']), "{brief}");
    }
}

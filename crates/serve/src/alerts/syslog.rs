//! Alerts as syslog: RFC 5424, over TCP with octet counting, with TLS unless it is turned off (RFC
//! 5425).
//!
//! Syslog has no acknowledgement: what was written to the connection counts as delivered.

use super::alert::Alert;
use super::peer::{self, Peer, Tls};
use super::sink::{SinkError, Told, Trouble};
use ::detect::Level;
use event::Timestamp;
use std::fmt::Write as _;
use std::io::{self, Read as _, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// Connecting, and every write.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait for a receiver to end a connection whose message it has.
const END_MAX: Duration = Duration::from_secs(1);
/// The facility: log audit.
const FACILITY: u8 = 13;
/// The number that examples may use for private members (RFC 5612); Tachograph has none of its own.
const ENTERPRISE: &str = "32473";

/// A receiver.
#[derive(Debug)]
pub(super) struct Syslog {
    peer: Peer,
    tls: Option<Tls>,
}

impl Syslog {
    pub(super) fn new(address: &str, tls: bool, allow_private: bool) -> Result<Self, SinkError> {
        let peer = Peer::new(address, allow_private)?;
        if !tls && !allow_private {
            return Err(peer.wrong("without TLS it must be a private one (`allow_private = true`)"));
        }
        let tls = tls.then(|| peer.tls()).transpose()?;
        Ok(Self { peer, tls })
    }

    pub(super) fn tell(&self, alert: &Alert, now_ms: u64) -> Told {
        let message = message(alert, now_ms);
        // One connection for each: alerts are rare, and a connection that died meanwhile would
        // swallow one.
        match self.send(format!("{} {message}", message.len()).as_bytes()) {
            Ok(()) => Told::Taken,
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Told::Refused(Trouble(error.to_string()))
            }
            Err(error) => Told::Failed(Trouble(error.to_string())),
        }
    }

    fn send(&self, bytes: &[u8]) -> io::Result<()> {
        let mut stream = peer::connect(&self.peer.find()?, TIMEOUT)?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        let Some(tls) = &self.tls else {
            stream.write_all(bytes)?;
            return end(stream);
        };
        let mut stream = tls.over(stream)?;
        stream.write_all(bytes)?;
        stream.conn.send_close_notify();
        stream.flush()?;
        end(stream.sock)
    }
}

/// Ends a connection so that what was written arrives: where something that came is not read, the
/// session tickets of TLS 1.3 for one, closing resets the connection, and a reset takes from the
/// receiver what it has not read yet.
fn end(mut stream: TcpStream) -> io::Result<()> {
    stream.shutdown(Shutdown::Write)?;
    stream.set_read_timeout(Some(END_MAX))?;
    let (begun, mut rest) = (Instant::now(), [0; 1_024]);
    // How the receiver ends it is its own affair: it was told.
    while begun.elapsed() < END_MAX && stream.read(&mut rest).is_ok_and(|count| count > 0) {}
    Ok(())
}

/// The message, without its length.
fn message(alert: &Alert, now_ms: u64) -> String {
    let severity = match alert.level() {
        Level::Critical => 2,
        Level::High => 3,
        Level::Medium => 4,
        Level::Low => 5,
        Level::Informational => 6,
    };
    let priority = FACILITY * 8 + severity;
    // Syslog knows six digits of a second at most.
    let time = Timestamp::from_milliseconds(now_ms).to_string();
    let time = time.get(..23).unwrap_or_default();
    let mut text = format!("<{priority}>1 {time}Z - tachograph - alert [tachograph@{ENTERPRISE}");
    for (name, value) in [
        ("incident", alert.incident.as_str()),
        ("log", &alert.log),
        ("rule", &alert.rule),
        ("level", &alert.level),
        ("index", &alert.index.to_string()),
        ("eventId", &alert.event_id),
        ("tags", &alert.tags.join(",")),
        ("why", &alert.why),
    ] {
        // Writing to a text cannot fail.
        let _ = write!(text, " {name}=\"{}\"", escaped(value));
    }
    let _ = write!(text, "] {}", plain(&alert.title));
    text
}

/// As a parameter's value is written; what would end the line is shown.
fn escaped(value: &str) -> String {
    let value: String = value.chars().take(1_000).collect();
    plain(&value).replace('\\', "\\\\").replace('"', "\\\"").replace(']', "\\]")
}

fn plain(text: &str) -> String {
    query::escape::escape(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_and_nothing_in_it_ends_a_parameter() {
        let mut alert = Alert::of_a_test(0, "i-1");
        alert.why = "tool is \"x]\\\" <0>1 \n forged".to_owned();
        alert.level = "high".to_owned();
        let text = message(&alert, 1_793_696_400_000);
        assert!(text.starts_with("<107>1 2026-11-03T09:00:00.000Z - tachograph - alert [tachograph@32473 incident=\"i-1\""), "{text}");
        assert!(!text.contains('\n'), "{text}");
        let value = text.split("why=\"").nth(1).unwrap();
        let (mut end, mut is_escaped) = (0, false);
        for (at, letter) in value.char_indices() {
            if letter == '"' && !is_escaped {
                end = at;
                break;
            }
            is_escaped = letter == '\\' && !is_escaped;
        }
        assert_eq!(&value[end..], "\"] A test of Tachograph's alerts", "{text}");
    }

    #[test]
    fn without_tls_only_private_addresses_are_told() {
        assert!(Syslog::new("log.example.org:514", false, false).is_err());
        assert!(Syslog::new("127.0.0.1:514", false, true).is_ok());
        assert!(Syslog::new("log.example.org", true, false).is_err());
        let told = Syslog::new("127.0.0.1:514", true, false).unwrap();
        assert!(matches!(told.tell(&Alert::of_a_test(0, "i"), 0), Told::Refused(_)));
    }
}

//! Alerts by e-mail: handed to one mail server, over TLS from the beginning or by STARTTLS, and in
//! the clear to this machine only.
//!
//! Every receiver is told once of an incident: who has it is remembered while the others are tried
//! again. Not here: what is said to a mail server (`email/talk.rs`), and the form of a message
//! (`email/message.rs`). Why this is done without a library: docs/decisions/0050.

mod message;
mod talk;

use super::alert::Alert;
use super::peer::{self, Peer, Tls};
use super::sink::{SinkError, Told, Trouble};
use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use talk::{Halt, Talk};
use zeroize::Zeroizing;

/// Connecting to one address.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// One delivery, from connecting to the mail server's last word: some look into a message first.
const DELIVERY_MAX: Duration = Duration::from_secs(30);
/// Whom one sink writes to at most.
const RECEIVERS_MAX: usize = 20;
/// Bytes of an address, of what is before its `@`, and of a part of the name behind it (RFC 5321).
const ADDRESS_BYTES_MAX: usize = 254;
const LOCAL_BYTES_MAX: usize = 64;
const LABEL_BYTES_MAX: usize = 63;

/// How the way to the mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte: port 465.
    Tls,
    /// TLS before anything is said that matters: port 587. Where it is not offered nothing is said.
    StartTls,
    /// Nothing: to this machine only, and without a password.
    Clear,
}

/// User and password at a mail server.
#[derive(Clone)]
pub struct Login {
    /// Who signs in.
    pub user: String,
    /// The password.
    pub password: Zeroizing<String>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

/// What e-mail goes by, from whom, and to whom.
#[derive(Clone, Debug)]
pub struct Mail {
    /// `HOST:PORT` of the mail server.
    pub address: String,
    /// How the way there is protected.
    pub security: Security,
    /// Whom it comes from: `NAME@DOMAIN`.
    pub from: String,
    /// Whom it goes to.
    pub to: Vec<String>,
    /// Where the mail server asks for it.
    pub login: Option<Login>,
}

/// A mail server, ready to be told.
#[derive(Debug)]
pub(super) struct Email {
    peer: Peer,
    way: Way,
    from: String,
    to: Vec<String>,
    login: Option<Login>,
    reached: Mutex<Reached>,
}

/// [`Security`], with what it takes.
#[derive(Debug)]
enum Way {
    Clear,
    Tls(Tls),
    StartTls(Tls),
}

/// Who has been told of the newest incident.
#[derive(Debug, Default)]
struct Reached {
    incident: String,
    /// Positions in `to`.
    receivers: BTreeSet<usize>,
}

impl Email {
    pub(super) fn new(mail: Mail, allow_private: bool) -> Result<Self, SinkError> {
        let Mail { address, security, from, to, login } = mail;
        let peer = Peer::new(&address, allow_private)?;
        let way = match security {
            Security::Tls => Way::Tls(peer.tls()?),
            Security::StartTls => Way::StartTls(peer.tls()?),
            Security::Clear if login.is_some() => {
                return Err(peer.wrong("a password goes over TLS only"));
            }
            Security::Clear if !peer.allows_private() || is_surely_elsewhere(&address) => {
                return Err(
                    peer.wrong("without TLS it must be this machine (and `allow_private = true`)")
                );
            }
            Security::Clear => Way::Clear,
        };
        check_address(&from)?;
        to.iter().try_for_each(|receiver| check_address(receiver))?;
        let distinct: BTreeSet<String> = to.iter().map(|it| it.to_ascii_lowercase()).collect();
        if to.is_empty() || to.len() > RECEIVERS_MAX || distinct.len() < to.len() {
            let what = format!("`to` names 1 to {RECEIVERS_MAX} receivers, each once");
            return Err(SinkError(what));
        }
        if login.as_ref().is_some_and(|login| !login.is_plain()) {
            let what = "user and password are one line each, without control characters";
            return Err(SinkError(what.to_owned()));
        }
        Ok(Self { peer, way, from, to, login, reached: Mutex::default() })
    }

    pub(super) fn tell(&self, alert: &Alert, now_ms: u64) -> Told {
        let mut reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        if reached.incident != alert.incident {
            let incident = alert.incident.clone();
            *reached = Reached { incident, ..Reached::default() };
        }
        let message = message::message(&self.from, &self.to, alert, now_ms);
        match self.hand_over(&message, &mut reached.receivers) {
            Ok(()) => Told::Taken,
            Err(Halt::Final(why)) => Told::Refused(Trouble(why)),
            Err(Halt::ForNow(why)) => Told::Failed(Trouble(why)),
        }
    }

    /// Hands a message to whoever is not reached yet.
    fn hand_over(&self, message: &str, reached: &mut BTreeSet<usize>) -> Result<(), Halt> {
        let until = Instant::now() + DELIVERY_MAX;
        let socket = peer::connect(&self.find()?, CONNECT_MAX)?;
        let mut talk = Talk::begin(socket, &self.way, until)?;
        if let Some(login) = &self.login {
            talk.sign_in(login)?;
        }
        talk.sender(&self.from)?;
        let (mut taken, mut troubles) = (Vec::new(), Vec::new());
        for (number, receiver) in self.to.iter().enumerate() {
            if reached.contains(&number) {
                continue;
            }
            match talk.receiver(receiver)? {
                Ok(()) => taken.push(number),
                Err(halt) => troubles.push(halt.about(receiver)),
            }
        }
        if !taken.is_empty() {
            talk.message(message)?;
            reached.extend(taken);
        }
        talk.end();
        match Halt::all(troubles) {
            Some(halt) => Err(halt),
            None => Ok(()),
        }
    }

    /// The mail server's addresses, if they may be used.
    fn find(&self) -> Result<Vec<SocketAddr>, Halt> {
        let found = self.peer.find().map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => Halt::Final(error.to_string()),
            _ => Halt::from(error),
        })?;
        match self.way {
            Way::Clear => only_here(&found).map(|()| found),
            Way::Tls(_) | Way::StartTls(_) => Ok(found),
        }
    }
}

/// Whether an address is a number, and not one of this machine's own.
fn is_surely_elsewhere(address: &str) -> bool {
    address.parse::<SocketAddr>().is_ok_and(|address| only_here(&[address]).is_err())
}

/// Refuses addresses that others read along on the way to.
fn only_here(found: &[SocketAddr]) -> Result<(), Halt> {
    match found.iter().find(|address| !address.ip().to_canonical().is_loopback()) {
        None => Ok(()),
        Some(address) => Err(Halt::Final(format!(
            "{} is another machine, and without TLS nothing is said to another",
            address.ip()
        ))),
    }
}

impl Login {
    fn is_plain(&self) -> bool {
        let is_plain = |text: &str| !text.is_empty() && !text.chars().any(char::is_control);
        is_plain(&self.user) && is_plain(&self.password)
    }
}

/// Whether a text is an address that every mail server takes, and nothing else: it goes into
/// commands and headers as it is.
fn check_address(text: &str) -> Result<(), SinkError> {
    let is_atom = |part: &str| {
        let fits =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
        !part.is_empty() && part.bytes().all(fits)
    };
    let is_label = |part: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let has_room = (1..=LABEL_BYTES_MAX).contains(&part.len());
        has_room && part.bytes().all(fits) && !part.starts_with('-') && !part.ends_with('-')
    };
    let (local, domain) = text.rsplit_once('@').unwrap_or_default();
    let is_short = text.len() <= ADDRESS_BYTES_MAX && local.len() <= LOCAL_BYTES_MAX;
    if is_short && local.split('.').all(is_atom) && domain.split('.').all(is_label) {
        return Ok(());
    }
    let shown: String = text.chars().take(80).collect();
    Err(SinkError(format!(
        "{shown:?} is no address of e-mail; write NAME@DOMAIN in ASCII and nothing around it (of a \
         name in other letters the form that begins with xn--)"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Change = fn(&mut Mail);

    fn mail() -> Mail {
        Mail {
            address: "mail.example.org:465".to_owned(),
            security: Security::Tls,
            from: "tacho@example.org".to_owned(),
            to: vec!["ops@example.org".to_owned()],
            login: None,
        }
    }

    fn login(password: &str) -> Option<Login> {
        Some(Login { user: "u".to_owned(), password: Zeroizing::new(password.to_owned()) })
    }

    #[test]
    fn what_cannot_be_used_is_refused_at_the_start_and_says_why() {
        let tried = |change: Change, allow_private| {
            let mut mail = mail();
            change(&mut mail);
            Email::new(mail, allow_private).map(drop).map_err(|error| error.to_string())
        };
        assert_eq!(tried(|_| {}, false), Ok(()));
        assert_eq!(tried(|mail| mail.security = Security::StartTls, false), Ok(()));
        assert_eq!(tried(|mail| mail.security = Security::Clear, true), Ok(()));
        let refused = tried(|mail| mail.security = Security::Clear, false).unwrap_err();
        assert!(refused.contains("this machine"), "{refused}");
        let bad: [(Change, &str); 8] = [
            (|mail| mail.address = "mail.example.org".to_owned(), "HOST:PORT"),
            (|mail| mail.address = "mail.example.org:smtp".to_owned(), "HOST:PORT"),
            (|mail| mail.address = "no name:465".to_owned(), "no certificate"),
            (|mail| mail.to = vec![], "1 to 20 receivers"),
            (|mail| mail.to = vec!["a@b".to_owned(), "A@b".to_owned()], "each once"),
            (|mail| mail.to = (0..21).map(|n| format!("n{n}@b")).collect(), "1 to 20"),
            (
                |mail| {
                    mail.security = Security::Clear;
                    mail.login = login("p");
                },
                "over TLS only",
            ),
            (|mail| mail.login = login("a\nb"), "one line each"),
        ];
        for (change, why) in bad {
            let error = tried(change, true).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn an_address_is_one_address_and_nothing_else() {
        for good in ["a@b", "first.last+tag@mail.example.org", "o'neill@xn--bcher-kva.example"] {
            assert_eq!(check_address(good), Ok(()), "{good}");
        }
        let long = format!("{}@example.org", "a".repeat(65));
        let far = format!("a@{}.org", "b".repeat(64));
        for bad in [
            "",
            "@",
            "a",
            "a@",
            "@b",
            "a@b@c",
            "a b@c",
            "a@b c",
            "a@b\r\nBcc: x@y",
            "a@b>\r\nRCPT TO:<x@y",
            "<a@b>",
            "Ops <ops@example.org>",
            "a@b,c@d",
            "a..b@c",
            ".a@b",
            "a@b..c",
            "a@-b",
            "a@[127.0.0.1]",
            "\"a\"@b",
            "ä@b",
            "a@bücher.example",
            "a@b\0",
            &long,
            &far,
        ] {
            assert!(check_address(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn nothing_that_is_shown_of_it_holds_the_password() {
        let mail = Mail { login: login("hush-hush"), ..mail() };
        let shown = format!("{mail:?} {:?}", Email::new(mail.clone(), false).unwrap());
        assert!(shown.contains("mail.example.org") && !shown.contains("hush"), "{shown}");
    }

    #[test]
    fn in_the_clear_nothing_is_said_to_another_machine() {
        for far in ["10.0.0.1:25", "[::ffff:10.0.0.1]:25", "1.1.1.1:25", "[2606:4700::1111]:25"] {
            let mail = Mail { address: far.to_owned(), security: Security::Clear, ..mail() };
            let error = Email::new(mail, true).unwrap_err().to_string();
            assert!(error.contains("this machine"), "{error}");
            let both = ["127.0.0.1:25", far].map(|text| text.parse().unwrap());
            let Err(Halt::Final(why)) = only_here(&both) else { panic!("{far}") };
            assert!(why.contains("without TLS"), "{why}");
        }
        assert!(only_here(&["127.0.0.9:25", "[::1]:25"].map(|it| it.parse().unwrap())).is_ok());
    }

    #[test]
    fn private_addresses_are_told_only_where_they_are_allowed() {
        let mail = Mail { address: "127.0.0.1:25".to_owned(), ..mail() };
        let told = Email::new(mail, false).unwrap().tell(&Alert::of_a_test(0, "i"), 0);
        assert!(matches!(told, Told::Refused(_)), "{told:?}");
    }
}

//! What is said to a mail server, and what it answers (RFC 5321, 3207, 4954): as much of it as
//! handing a message over takes.
//!
//! The other side is not trusted with more than the message. How long it may take, and how much it
//! may say, is bounded; and what it said before TLS began is forgotten, or whoever sits in between
//! could answer in its place (RFC 3207, section 6).

use super::{Login, Way};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use query::escape::escape;
use rustls::{ClientConnection, StreamOwned};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, TcpStream};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// Bytes of a line of an answer, and lines of one.
const LINE_BYTES_MAX: u64 = 2_048;
const LINES_MAX: usize = 100;
/// Characters of its words that are repeated.
const WORDS_MAX: usize = 200;

/// Why a mail server was not told.
#[derive(Debug)]
pub(super) enum Halt {
    /// It may take it the next time.
    ForNow(String),
    /// It will not.
    Final(String),
}

impl Halt {
    /// The same, of one receiver.
    pub(super) fn about(self, receiver: &str) -> Self {
        match self {
            Self::ForNow(why) => Self::ForNow(format!("{receiver}: {why}")),
            Self::Final(why) => Self::Final(format!("{receiver}: {why}")),
        }
    }

    /// All of them as one, if there is any: for good only when every one is.
    pub(super) fn all(halts: Vec<Self>) -> Option<Self> {
        let is_final = halts.iter().all(|halt| matches!(halt, Self::Final(_)));
        let whys: Vec<String> =
            halts.into_iter().map(|(Self::ForNow(why) | Self::Final(why))| why).collect();
        match (whys.is_empty(), is_final) {
            (true, _) => None,
            (false, true) => Some(Self::Final(whys.join("; "))),
            (false, false) => Some(Self::ForNow(whys.join("; "))),
        }
    }
}

impl From<io::Error> for Halt {
    fn from(error: io::Error) -> Self {
        Self::ForNow(error.to_string())
    }
}

/// A connection that ends at a time, however slowly the other side goes on.
#[derive(Debug)]
struct Timed {
    socket: TcpStream,
    until: Instant,
}

impl Timed {
    fn left(&self) -> io::Result<Duration> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(late()) } else { Ok(left) }
    }
}

fn late() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the mail server took too long")
}

/// A wait that ended is spelled in two ways.
fn told_late(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => late(),
        _ => error,
    }
}

impl Read for Timed {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(Some(self.left()?))?;
        self.socket.read(bytes).map_err(told_late)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(Some(self.left()?))?;
        self.socket.write(bytes).map_err(told_late)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

enum Stream {
    Clear(Timed),
    Tls(Box<StreamOwned<ClientConnection, Timed>>),
}

impl Read for Stream {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Clear(stream) => stream.read(bytes),
            Self::Tls(stream) => stream.read(bytes),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Clear(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Clear(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

/// An answer: its number, and its words line by line.
struct Answer {
    code: u16,
    lines: Vec<String>,
}

impl Answer {
    /// The next one, whole.
    fn read(stream: &mut impl BufRead) -> Result<Self, Halt> {
        let not_smtp = || Halt::ForNow("what answers there does not speak SMTP".to_owned());
        let mut lines = Vec::new();
        while lines.len() < LINES_MAX {
            let line = read_line(stream)?;
            let (code, rest) = line.split_at_checked(3).ok_or_else(not_smtp)?;
            let is_number = code.bytes().all(|byte| byte.is_ascii_digit());
            let code: u16 = code.parse().ok().filter(|_| is_number).ok_or_else(not_smtp)?;
            let is_last = !rest.starts_with('-');
            // What is between number and words is one character of any length.
            let words = rest.char_indices().nth(1).and_then(|(at, _)| rest.get(at..));
            lines.push(words.unwrap_or_default().to_owned());
            if is_last {
                return Ok(Self { code, lines });
            }
        }
        Err(Halt::ForNow("the mail server's answer has no end".to_owned()))
    }

    fn is_fine(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// As a reason not to go on: 5xx is for good.
    fn halt(&self) -> Halt {
        let words: String = self.lines.join(" ").chars().take(WORDS_MAX).collect();
        self.halt_as(format!("{} {}", self.code, escape(words.trim())))
    }

    fn halt_as(&self, why: String) -> Halt {
        if self.code >= 500 { Halt::Final(why) } else { Halt::ForNow(why) }
    }
}

/// One conversation.
pub(super) struct Talk {
    stream: BufReader<Stream>,
    /// What the mail server can do, as it said last.
    offers: Vec<String>,
}

impl Talk {
    /// Greets a mail server, with TLS where that is asked for; all of it must be over at a time.
    pub(super) fn begin(socket: TcpStream, way: &Way, until: Instant) -> Result<Self, Halt> {
        let name = own_name(&socket)?;
        let stream = Timed { socket, until };
        let stream = match way {
            Way::Tls(tls) => Stream::Tls(Box::new(tls.over(stream)?)),
            Way::Clear | Way::StartTls(_) => Stream::Clear(stream),
        };
        let mut talk = Self { stream: BufReader::new(stream), offers: Vec::new() };
        let greeting = talk.answer()?;
        if greeting.code != 220 {
            return Err(for_now(greeting.halt()));
        }
        talk.hello(&name)?;
        if let Way::StartTls(tls) = way {
            let Stream::Clear(stream) = talk.leave_the_clear()? else {
                return Err(Halt::ForNow("TLS began twice".to_owned()));
            };
            let stream = Stream::Tls(Box::new(tls.over(stream)?));
            talk = Self { stream: BufReader::new(stream), offers: Vec::new() };
            talk.hello(&name)?;
        }
        Ok(talk)
    }

    fn hello(&mut self, name: &str) -> Result<(), Halt> {
        let answer = self.ask(&format!("EHLO {name}"))?;
        if !answer.is_fine() {
            return Err(for_now(answer.halt()));
        }
        self.offers = answer.lines;
        Ok(())
    }

    /// What is left of a conversation once the mail server is ready for TLS.
    fn leave_the_clear(mut self) -> Result<Stream, Halt> {
        if self.words_of("STARTTLS").is_none() {
            let why = "the mail server offers no STARTTLS, and without TLS it is told nothing";
            return Err(Halt::ForNow(why.to_owned()));
        }
        let answer = self.ask("STARTTLS")?;
        if answer.code != 220 {
            return Err(for_now(answer.halt()));
        }
        // It has nothing to say before TLS begins; whoever does is somebody else.
        if !self.stream.buffer().is_empty() {
            let why = "somebody went on in the clear after the mail server was ready for TLS";
            return Err(Halt::ForNow(why.to_owned()));
        }
        Ok(self.stream.into_inner())
    }

    /// The words behind one that the mail server offers, in capitals.
    fn words_of(&self, offer: &str) -> Option<Vec<String>> {
        self.offers.iter().find_map(|line| {
            let mut words = line.split_ascii_whitespace().map(str::to_ascii_uppercase);
            (words.next()? == offer).then(|| words.collect())
        })
    }

    /// Signs in.
    pub(super) fn sign_in(&mut self, login: &Login) -> Result<(), Halt> {
        let Login { user, password } = login;
        let ways = self.words_of("AUTH").unwrap_or_default();
        let answer = if ways.iter().any(|way| way == "PLAIN") {
            let both = Zeroizing::new(format!("\0{user}\0{}", **password));
            self.ask(&Zeroizing::new(format!("AUTH PLAIN {}", *encoded(&both))))?
        } else if ways.iter().any(|way| way == "LOGIN") {
            let mut answer = self.ask("AUTH LOGIN")?;
            for word in [user, &**password] {
                if answer.code == 334 {
                    answer = self.ask(&encoded(word))?;
                }
            }
            answer
        } else {
            let why = "the mail server offers no way to sign in that is known here: PLAIN or LOGIN";
            return Err(Halt::ForNow(why.to_owned()));
        };
        match answer.is_fine() {
            true => Ok(()),
            // Its words may repeat what it was told.
            false => Err(answer.halt_as(format!(
                "the mail server does not let {} in: {}",
                escape(user),
                answer.code
            ))),
        }
    }

    /// Begins a message from somebody.
    pub(super) fn sender(&mut self, from: &str) -> Result<(), Halt> {
        let answer = self.ask(&format!("MAIL FROM:<{from}>"))?;
        if answer.is_fine() { Ok(()) } else { Err(answer.halt().about(from)) }
    }

    /// Names a receiver; whether the mail server takes the message for them.
    pub(super) fn receiver(&mut self, to: &str) -> Result<Result<(), Halt>, Halt> {
        let answer = self.ask(&format!("RCPT TO:<{to}>"))?;
        Ok(if answer.is_fine() { Ok(()) } else { Err(answer.halt()) })
    }

    /// Hands the message over: it ends with a line, and none of its lines begins with a dot.
    pub(super) fn message(&mut self, message: &str) -> Result<(), Halt> {
        let answer = self.ask("DATA")?;
        if answer.code != 354 {
            return Err(answer.halt());
        }
        let answer = self.ask(&format!("{message}."))?;
        if answer.is_fine() { Ok(()) } else { Err(answer.halt()) }
    }

    /// Takes leave; how the mail server takes that is its own affair.
    pub(super) fn end(mut self) {
        let _ = self.ask("QUIT");
    }

    fn ask(&mut self, line: &str) -> Result<Answer, Halt> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(line.len() + 2));
        bytes.extend_from_slice(line.as_bytes());
        bytes.extend_from_slice(b"\r\n");
        let stream = self.stream.get_mut();
        stream.write_all(&bytes)?;
        stream.flush()?;
        self.answer()
    }

    fn answer(&mut self) -> Result<Answer, Halt> {
        Answer::read(&mut self.stream)
    }
}

fn read_line(stream: &mut impl BufRead) -> Result<String, Halt> {
    let mut bytes = Vec::new();
    stream.take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes)?;
    match bytes.strip_suffix(b"\n") {
        Some(line) => Ok(String::from_utf8_lossy(line).trim_end().to_owned()),
        None if bytes.is_empty() => {
            Err(Halt::ForNow("the mail server ended the connection".to_owned()))
        }
        None => Err(Halt::ForNow("the mail server's answer is cut or too long".to_owned())),
    }
}

/// Not for good, whatever the mail server's number says: no message was spoken of yet.
fn for_now(halt: Halt) -> Halt {
    let (Halt::ForNow(why) | Halt::Final(why)) = halt;
    Halt::ForNow(why)
}

fn encoded(text: &str) -> Zeroizing<String> {
    Zeroizing::new(BASE64_STANDARD.encode(text))
}

/// What this machine is called there: the address that it speaks from, because its name may be
/// none that anybody knows.
fn own_name(socket: &TcpStream) -> io::Result<String> {
    Ok(match socket.local_addr()?.ip().to_canonical() {
        IpAddr::V4(address) => format!("[{address}]"),
        IpAddr::V6(address) => format!("[IPv6:{address}]"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::TcpListener;

    fn read(bytes: &[u8]) -> Result<Answer, String> {
        let mut stream = bytes;
        Answer::read(&mut stream).map_err(|(Halt::ForNow(why) | Halt::Final(why))| why)
    }

    #[test]
    fn an_answer_is_read_to_its_last_line_and_no_further() {
        let mut stream = &b"250-mail.example\r\n250-SIZE 1\n250 AUTH PLAIN\r\n354 go on\r\n"[..];
        let answer = Answer::read(&mut stream).unwrap();
        assert_eq!((answer.code, stream), (250, &b"354 go on\r\n"[..]));
        assert_eq!(answer.lines, ["mail.example", "SIZE 1", "AUTH PLAIN"]);
        assert_eq!(read(b"220\r\n").unwrap().code, 220);
        for (bad, why) in [
            (&b""[..], "ended the connection"),
            (b"250 fine", "cut or too long"),
            (b"250-fine\r\n", "ended the connection"),
            (b"\r\n", "does not speak SMTP"),
            (b"+50 x\r\n", "does not speak SMTP"),
            (b"SSH-2.0-x\r\n", "does not speak SMTP"),
            (&[b'2'; 10_000], "cut or too long"),
            (&b"250-x\r\n".repeat(1_000), "has no end"),
        ] {
            let told = read(bad).err().unwrap();
            assert!(told.contains(why), "{told}");
        }
    }

    #[test]
    fn what_a_mail_server_says_is_repeated_as_short_and_plain_text() {
        let answer =
            read(format!("550-\u{1b}[2J\u{202e}\r\n550 {}\r\n", "x".repeat(900)).as_bytes());
        let Halt::Final(why) = answer.unwrap().halt() else { panic!() };
        assert!(why.starts_with("550 \\u{1b}[2J\\u{202e} xx") && why.len() < 230, "{why}");
        assert!(matches!(read(b"450 later\r\n").unwrap().halt(), Halt::ForNow(_)));
    }

    #[test]
    fn of_several_troubles_one_that_may_pass_keeps_all_of_them_alive() {
        let (once, never) = (|| Halt::ForNow("a".to_owned()), || Halt::Final("b".to_owned()));
        assert!(Halt::all(vec![]).is_none());
        assert!(
            matches!(Halt::all(vec![never(), never()]), Some(Halt::Final(why)) if why == "b; b")
        );
        let both = Halt::all(vec![never(), once()]);
        assert!(matches!(both, Some(Halt::ForNow(why)) if why == "b; a"));
    }

    #[test]
    fn a_mail_server_that_says_little_by_little_is_left_when_the_time_is_over() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let slow = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            while stream.write_all(b"2").is_ok() {
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let socket = TcpStream::connect(address).unwrap();
        let until = Instant::now() + Duration::from_millis(200);
        let told = Talk::begin(socket, &Way::Clear, until).map(drop);
        assert!(
            matches!(&told, Err(Halt::ForNow(why)) if why.contains("took too long")),
            "{told:?}"
        );
        slow.join().unwrap();
    }

    proptest! {
        #[test]
        fn whatever_answers_is_an_answer_or_a_reason(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let _ = read(&bytes);
            let _ = read(&[b"250", &bytes[..], b"\r\n250 x\r\n"].concat());
        }
    }
}

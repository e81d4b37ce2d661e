//! Alerts by e-mail against a mail server that is made here: each receiver is told once of an
//! incident, whatever is killed, down or refused, and nothing that an event holds is more than
//! text. Over TLS: `sinks.rs`.

use crate::detecting::{QUIET, alerts, append, denied_then_done, post_index, wait_until_told};
use crate::hostile::ask;
use crate::program::Home;
use crate::served::{PATIENCE, Served};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// What somebody said to a mail server in one connection.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    pub(crate) commands: Vec<String>,
    pub(crate) messages: Vec<Message>,
}

/// A message as it was handed over.
#[derive(Debug)]
pub(crate) struct Message {
    head: String,
    body: String,
}

impl Message {
    /// Reads one to its end.
    fn read(stream: &mut BufReader<impl Read + Write>) -> Self {
        let mut text = String::new();
        while !text.ends_with("\r\n.\r\n") {
            assert!(stream.read_line(&mut text).unwrap() > 0, "{text}");
        }
        let text = text.strip_suffix(".\r\n").unwrap().replace("\r\n..", "\r\n.");
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let joined = body.replace("=\r\n", "").replace("\r\n", "\n");
        let mut parts = joined.split('=');
        let mut bytes = parts.next().unwrap().as_bytes().to_vec();
        for part in parts {
            bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
            bytes.extend_from_slice(&part.as_bytes()[2..]);
        }
        Self { head: head.to_owned(), body: String::from_utf8(bytes).unwrap() }
    }

    /// The value of a header that is there once.
    pub(crate) fn header(&self, name: &str) -> &str {
        let begins = format!("{name}: ");
        let mut values = self.head.split("\r\n").filter_map(|line| line.strip_prefix(&begins));
        let value = values.next().unwrap_or_else(|| panic!("{name}: {}", self.head));
        assert_eq!(values.next(), None, "{}", self.head);
        value
    }

    /// The text below the headers.
    pub(crate) fn body(&self) -> &str {
        &self.body
    }
}

/// Says a line, if there is one; whether somebody hears it.
fn answer(stream: &mut BufReader<impl Read + Write>, text: &str) -> bool {
    let (out, line) = (stream.get_mut(), format!("{text}\r\n"));
    !text.is_empty() && out.write_all(line.as_bytes()).and_then(|()| out.flush()).is_ok()
}

/// Greets somebody, and speaks with them until one of both has enough. What `script` says to a
/// command is said in place of the usual answer, and nothing ends the connection. The greeting
/// answers to nothing, and a message's end is a dot.
pub(crate) fn converse(
    stream: &mut BufReader<impl Read + Write>,
    script: &dyn Fn(&str) -> Option<&'static str>,
) -> Heard {
    let mut heard = Heard::default();
    if answer(stream, script("").unwrap_or("220 mail.example ready")) {
        hear(stream, &mut heard, script);
    }
    heard
}

/// The same without a greeting. It returns before TLS begins, too.
pub(crate) fn hear(
    stream: &mut BufReader<impl Read + Write>,
    heard: &mut Heard,
    script: &dyn Fn(&str) -> Option<&'static str>,
) {
    let mut line = String::new();
    while stream.read_line(&mut line).is_ok_and(|count| count > 0) {
        let said = std::mem::take(&mut line).trim_end().to_owned();
        let verb = said.split(' ').next().unwrap();
        let usual = match verb {
            "EHLO" => "250-mail.example\r\n250-STARTTLS\r\n250 AUTH PLAIN",
            "STARTTLS" => "220 go on",
            "AUTH" => "235 welcome",
            "DATA" => "354 go on",
            "QUIT" => "221 bye",
            _ => "250 fine",
        };
        let reply = script(&said).unwrap_or(usual);
        let is_over = !answer(stream, reply) || matches!(verb, "QUIT" | "STARTTLS");
        heard.commands.push(said);
        if is_over {
            return;
        }
        if reply.starts_with("354") {
            heard.messages.push(Message::read(stream));
            if !answer(stream, script(".").unwrap_or("250 taken")) {
                return;
            }
        }
    }
}

/// A mail server without TLS; its script is told the number of the connection, too.
fn serve(
    listener: TcpListener,
    script: fn(usize, &str) -> Option<&'static str>,
) -> Receiver<Heard> {
    let (sender, heard) = channel();
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().map_while(Result::ok).enumerate() {
            let said = converse(&mut BufReader::new(stream), &|said| script(number, said));
            if sender.send(said).is_err() {
                return;
            }
        }
    });
    heard
}

fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

fn configure(home: &Home, port: u16, to: &[&str]) -> String {
    let text = format!(
        "[detect]\n[[detect.sinks]]\nname = \"ops\"\nkind = \"email\"\ntls = false\n\
         address = \"127.0.0.1:{port}\"\nallow_private = true\n\
         from = \"tacho@example.org\"\nto = {to:?}\n"
    );
    home.write("tachograph.toml", text).to_str().unwrap().to_owned()
}

/// The number behind a name in the server's metrics.
fn metric(home: &Home, served: &Served, name: &str) -> u64 {
    let token = std::fs::read_to_string(home.path("config/tachograph/admin-token")).unwrap();
    let metrics = ask(served.port(), "GET", "/metrics", token.trim(), "");
    let begins = format!("{name} ");
    let value = metrics.lines().find_map(|line| line.strip_prefix(&begins));
    value.unwrap_or_else(|| panic!("{name}: {metrics}")).trim().parse().unwrap()
}

#[track_caller]
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn an_alert_arrives_by_mail_once_whatever_is_killed_and_nothing_in_it_is_obeyed() {
    let (listener, port) = listener();
    let mails = serve(listener, |_, _| None);
    let home = Home::new();
    let config = configure(&home, port, &["ops@example.org", "night@example.org"]);
    let options = ["--listen", "127.0.0.1:0", "--config", &config];
    let served = Served::with(&home, &options);
    append(&home, &denied_then_done("run-a"));
    let first = mails.recv_timeout(PATIENCE).unwrap();
    let commands = [
        "EHLO [127.0.0.1]",
        "MAIL FROM:<tacho@example.org>",
        "RCPT TO:<ops@example.org>",
        "RCPT TO:<night@example.org>",
        "DATA",
        "QUIT",
    ];
    assert_eq!(first.commands, commands);
    let [message] = first.messages.as_slice() else { panic!("{first:?}") };
    assert_eq!(message.header("From"), "Tachograph <tacho@example.org>");
    let body = message.body();
    for fact in ["\nLevel: critical\n", "In common: run run-a, tool refund\n", " run-a-2\n"] {
        assert!(body.contains(fact), "{fact}: {body}");
    }
    assert!(!body.contains("between us"), "content stays in the log: {body}");
    // A kill between an answer and its note is told again by the same id, so the note comes first.
    wait_until_told(&home, post_index(&home));
    served.kill();

    let served = Served::with(&home, &options);
    append(&home, &denied_then_done("run-a"));
    let tool = json!("x\r\nBcc: evil\r\n\r\n.\r\nQUIT\r\n\u{202e}\u{1b}[2J=?utf-8?q?=0a?=");
    append(&home, &denied_then_done("run-b").replace("\"refund\"", &tool.to_string()));
    let second = mails.recv_timeout(PATIENCE).unwrap();
    assert_eq!(second.commands, commands);
    let [other] = second.messages.as_slice() else { panic!("{second:?}") };
    let said = r"tool x\r\nBcc: evil\r\n\r\n.\r\nQUIT\r\n\u{202e}\u{1b}[2J=?utf-8?q?=0a?=";
    assert!(other.body().contains(said), "{}", other.body());
    assert!(!other.head.contains("evil"), "{}", other.head);
    served.stop();
    let served = Served::with(&home, &options);
    assert!(mails.recv_timeout(QUIET).is_err(), "nothing is told twice");
    served.stop();
    let alerts = alerts(&home);
    let names =
        alerts.iter().map(|it| format!("<{}@example.org>", it["event_id"].as_str().unwrap()));
    let told = [message, other].map(|message| message.header("Message-ID").to_owned());
    assert_eq!(names.collect::<Vec<_>>(), told);
}

#[test]
fn a_mail_server_that_is_down_or_falters_is_told_the_same_message_when_it_is_back() {
    let (nobody, port) = listener();
    drop(nobody);
    let home = Home::new();
    let config = configure(&home, port, &["ops@example.org"]);
    let served = Served::with(&home, &["--listen", "127.0.0.1:0", "--config", &config]);
    append(&home, &denied_then_done("run-a"));
    wait_until("a failure is counted", || metric(&home, &served, "tacho_alerts_failed_total") > 0);
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let mails = serve(listener, |number, said| match (number, said) {
        (0, ".") => Some("451 later"),
        (1, ".") => Some(""),
        _ => None,
    });
    let names: Vec<String> = (0..3)
        .map(|_| mails.recv_timeout(PATIENCE).unwrap())
        .map(|mail| mail.messages[0].header("Message-ID").to_owned())
        .collect();
    assert!(names.iter().all(|name| *name == names[0]), "{names:?}");
    assert!(mails.recv_timeout(QUIET).is_err());
    wait_until("it is counted", || metric(&home, &served, "tacho_alerts_delivered_total") == 1);
    assert!(metric(&home, &served, "tacho_alerts_failed_total") >= 3);
    assert_eq!(metric(&home, &served, "tacho_alerts_given_up_total"), 0);
    served.stop();
}

#[test]
fn who_is_refused_keeps_nobody_else_from_being_told_once() {
    let (listener, port) = listener();
    let mails = serve(listener, |number, said| match (number, said) {
        (_, "RCPT TO:<gone@example.org>") => Some("550 nobody of this name"),
        (0 | 2, "RCPT TO:<busy@example.org>") => Some("450 later"),
        _ => None,
    });
    let home = Home::new();
    let to = ["gone@example.org", "ops@example.org", "busy@example.org"];
    let config = configure(&home, port, &to);
    let served = Served::with(&home, &["--listen", "127.0.0.1:0", "--config", &config]);
    append(&home, &denied_then_done("run-a"));
    let of = |mail: &Heard| {
        let receivers = mail.commands.iter().filter_map(|line| line.strip_prefix("RCPT TO:"));
        receivers.map(str::to_owned).collect::<Vec<_>>()
    };
    let both = [(); 2].map(|()| mails.recv_timeout(PATIENCE).unwrap());
    assert_eq!(of(&both[0]), ["<gone@example.org>", "<ops@example.org>", "<busy@example.org>"]);
    assert_eq!(of(&both[1]), ["<gone@example.org>", "<busy@example.org>"]);
    let names = both.each_ref().map(|mail| mail.messages[0].header("Message-ID").to_owned());
    assert_eq!(names[0], names[1]);
    assert!(mails.recv_timeout(QUIET).is_err());
    wait_until("it is recorded", || {
        let alerts = alerts(&home);
        alerts.iter().filter(|it| it["action"] == "alert:undelivered").count() == 1
    });
    assert_eq!(metric(&home, &served, "tacho_alerts_given_up_total"), 1);
    served.stop();
    let ran = home.run(&["alerts", "test", "--config", &config, "--format", "json"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let results: Value = serde_json::from_str(&ran.out).unwrap();
    let why = "gone@example.org: 550 nobody of this name; busy@example.org: 450 later";
    assert_eq!(results[0]["why"], why);
    assert_eq!(mails.recv_timeout(PATIENCE).unwrap().messages.len(), 1);
}

#[test]
fn a_mail_server_that_says_what_it_should_not_is_not_believed() {
    let (listener, port) = listener();
    let _mails = serve(listener, |number, said| match (number, said) {
        (0, "") => Some("554 not today"),
        (1, "") => Some("HTTP/1.1 400 Bad Request"),
        (2, "EHLO [127.0.0.1]") => Some("502 what?"),
        (3, "DATA") => Some("250 taken"),
        (4, ".") => Some("354 go on"),
        (5, "MAIL FROM:<tacho@example.org>") => Some("550 \u{1b}[2Jnot\u{202e} you"),
        _ => None,
    });
    let home = Home::new();
    let config = configure(&home, port, &["ops@example.org"]);
    for why in [
        "554 not today",
        "what answers there does not speak SMTP",
        "502 what?",
        "250 taken",
        "354 go on",
        r"tacho@example.org: 550 \\u{1b}[2Jnot\\u{202e} you",
    ] {
        let ran = home.run(&["alerts", "test", "--config", &config, "--format", "json"]);
        assert!(ran.code == 1 && ran.out.contains(why), "{why}: {}{}", ran.out, ran.err);
    }
}

//! Sinks over TLS, against receivers that are made here: who shows a certificate that somebody
//! vouches for, and for the right name, is told; nobody else hears a word.

use crate::mail::{Heard, converse, hear};
use crate::program::Home;
use crate::served::PATIENCE;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;
use std::io::{BufReader, Read as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

/// Somebody with a certificate for a name, which is its own authority.
struct Named {
    configuration: Arc<ServerConfig>,
    /// The file with the certificate.
    certificate: PathBuf,
}

impl Named {
    fn new(home: &Home, name: &str) -> Self {
        let parameters = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = parameters.self_signed(&key).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let secret = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let configuration = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], secret)
            .unwrap();
        let text = BASE64_STANDARD.encode(certificate.der());
        let pem = format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
        let certificate = home.write(&format!("{name}.pem"), pem);
        Self { configuration: Arc::new(configuration), certificate }
    }

    /// Listens, and hands what `hear` makes of each connection over.
    fn listen<T: Send + 'static>(
        &self,
        hear: impl Fn(Guarded) -> T + Send + 'static,
    ) -> (u16, Receiver<T>) {
        let configuration = Arc::clone(&self.configuration);
        listen(move |stream| hear(guarded(&configuration, stream)))
    }

    /// A mail server under TLS.
    fn serve_mail(&self, script: Script) -> (u16, Receiver<Heard>) {
        self.listen(move |stream| converse(&mut BufReader::new(stream), &script))
    }

    /// A mail server that begins TLS when it is asked to. What it hears before that, and after.
    fn serve_mail_by_starttls(&self, script: Script) -> (u16, Receiver<[Heard; 2]>) {
        let configuration = Arc::clone(&self.configuration);
        listen(move |stream| {
            let (mut stream, mut heard) = (BufReader::new(stream), Heard::default());
            let before = converse(&mut stream, &script);
            if before.commands.last().is_some_and(|last| last == "STARTTLS") {
                let stream = guarded(&configuration, stream.into_inner());
                hear(&mut BufReader::new(stream), &mut heard, &script);
            }
            [before, heard]
        })
    }
}

/// What is said in place of the usual answer to a command.
type Script = fn(&str) -> Option<&'static str>;

/// A connection under TLS.
type Guarded = StreamOwned<ServerConnection, TcpStream>;

fn guarded(configuration: &Arc<ServerConfig>, stream: TcpStream) -> Guarded {
    StreamOwned::new(ServerConnection::new(Arc::clone(configuration)).unwrap(), stream)
}

/// Listens, and hands what `hear` makes of each connection over.
fn listen<T: Send + 'static>(hear: impl Fn(TcpStream) -> T + Send + 'static) -> (u16, Receiver<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            if sender.send(hear(stream)).is_err() {
                return;
            }
        }
    });
    (port, receiver)
}

/// What stands in the variable `MAIL_PASSWORD`.
const PASSWORD: &str = "open sesame";

/// Sends a test alert to the only sink, while the machine trusts one authority. Whether it was
/// taken, and why not.
fn told(home: &Home, sink: &str, trusted: &Named) -> (bool, String) {
    let text = format!("[[detect.sinks]]\nname = \"it\"\nallow_private = true\n{sink}\n");
    let config = home.write("tachograph.toml", text);
    let words = ["alerts", "test", "--format", "json", "--config", config.to_str().unwrap()];
    let mut command = home.command(&words);
    command.env("SSL_CERT_FILE", &trusted.certificate).env("MAIL_PASSWORD", PASSWORD);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!format!("{output:?}").contains(PASSWORD), "{output:?}");
    let results: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"));
    let taken = results[0]["taken"].as_bool().unwrap();
    assert_eq!(output.status.code(), Some(i32::from(!taken)), "{said}");
    (taken, results[0]["why"].as_str().unwrap_or_default().to_owned())
}

/// All that somebody says, if it is said to whom it should be.
fn all(mut stream: Guarded) -> Option<String> {
    let mut text = String::new();
    stream.read_to_string(&mut text).ok().map(|_| text)
}

fn syslog(port: u16) -> String {
    format!("kind = \"syslog\"\naddress = \"localhost:{port}\"")
}

#[test]
fn syslog_over_tls_tells_whoever_shows_the_right_certificate_one_whole_message() {
    let home = Home::new();
    let named = Named::new(&home, "localhost");
    let (port, heard) = named.listen(all);
    let (taken, why) = told(&home, &syslog(port), &named);
    assert!(taken, "{why}");
    let text = heard.recv_timeout(PATIENCE).unwrap().expect("ended in good order");
    let (length, message) = text.split_once(' ').unwrap();
    assert_eq!(length.parse::<usize>().unwrap(), message.len());
    assert!(message.starts_with("<110>1 ") && message.contains("rule=\"test\""), "{message}");
}

#[test]
fn syslog_over_tls_tells_nobody_whose_certificate_is_not_trusted_or_for_another_name() {
    let home = Home::new();
    let (named, other) = (Named::new(&home, "localhost"), Named::new(&home, "other.example"));
    let (port, heard) = named.listen(all);
    let (taken, why) = told(&home, &syslog(port), &other);
    assert!(!taken && why.contains("certificate"), "{why}");
    assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), None);
    let (port, heard) = other.listen(all);
    let (taken, why) = told(&home, &syslog(port), &other);
    assert!(!taken && why.contains("certificate"), "{why}");
    assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), None);
    // Somebody who speaks no TLS hears a greeting of TLS and nothing else.
    let (port, heard) = listen(|mut stream| {
        let mut bytes = [0; 2_048];
        let count = stream.read(&mut bytes).unwrap_or(0);
        String::from_utf8_lossy(&bytes[..count]).into_owned()
    });
    let (taken, _) = told(&home, &syslog(port), &named);
    assert!(!taken);
    let said = heard.recv_timeout(PATIENCE).unwrap();
    assert!(!said.contains("tachograph"), "{said}");
}

fn email(port: u16, more: &str) -> String {
    format!(
        "kind = \"email\"\naddress = \"localhost:{port}\"\nfrom = \"tacho@example.org\"\n\
         to = [\"ops@example.org\"]\nuser = \"tacho\"\n{more}"
    )
}

const FROM_VARIABLE: &str = "secret_env = \"MAIL_PASSWORD\"";

/// Panics unless somebody was told as it should be.
fn assert_told(heard: &Heard) {
    let login = BASE64_STANDARD.encode(format!("\0tacho\0{PASSWORD}"));
    let commands = [
        "EHLO [127.0.0.1]",
        &format!("AUTH PLAIN {login}"),
        "MAIL FROM:<tacho@example.org>",
        "RCPT TO:<ops@example.org>",
        "DATA",
        "QUIT",
    ];
    assert_eq!(heard.commands, commands);
    let [message] = heard.messages.as_slice() else { panic!("{heard:?}") };
    let subject = "[informational] A test of Tachograph's alerts (test)";
    assert_eq!(message.header("Subject"), subject);
    assert!(message.body().contains("\nLevel: informational\n"), "{}", message.body());
}

#[test]
fn email_over_tls_signs_in_and_hands_one_message_over() {
    let home = Home::new();
    let named = Named::new(&home, "localhost");
    let secret = home.write("password", format!("{PASSWORD}\n"));
    let (port, heard) = named.serve_mail(|_| None);
    for more in [format!("secret_file = {secret:?}"), FROM_VARIABLE.to_owned()] {
        let (taken, why) = told(&home, &email(port, &more), &named);
        assert!(taken, "{why}");
        assert_told(&heard.recv_timeout(PATIENCE).unwrap());
    }
    let (port, heard) = named.serve_mail_by_starttls(|_| None);
    let starttls = format!("starttls = true\n{FROM_VARIABLE}");
    let (taken, why) = told(&home, &email(port, &starttls), &named);
    assert!(taken, "{why}");
    let [before, after] = heard.recv_timeout(PATIENCE).unwrap();
    assert_eq!(before.commands, ["EHLO [127.0.0.1]", "STARTTLS"]);
    assert_told(&after);
}

#[test]
fn who_does_not_let_the_sink_in_is_told_nothing_and_repeats_no_password() {
    let home = Home::new();
    let named = Named::new(&home, "localhost");
    let (port, heard) = named.serve_mail(|said| match said {
        "EHLO [127.0.0.1]" => Some("250-mail.example\r\n250 AUTH LOGIN"),
        "AUTH LOGIN" => Some("334 VXNlcm5hbWU6"),
        "dGFjaG8=" => Some("334 UGFzc3dvcmQ6"),
        "b3BlbiBzZXNhbWU=" => Some("235 welcome"),
        _ => None,
    });
    let (taken, why) = told(&home, &email(port, FROM_VARIABLE), &named);
    assert!(taken, "{why}");
    assert_eq!(heard.recv_timeout(PATIENCE).unwrap().messages.len(), 1);
    let without: Script = |said| said.starts_with("EHLO").then_some("250 mail.example");
    let refusing: Script = |said| said.starts_with("AUTH").then_some("535 not by open sesame");
    for (script, expected) in [
        (without, "no way to sign in that is known here"),
        (refusing, "the mail server does not let tacho in: 535"),
    ] {
        let (port, heard) = named.serve_mail(script);
        let (taken, why) = told(&home, &email(port, FROM_VARIABLE), &named);
        assert!(!taken && why.starts_with("the mail server") && why.contains(expected), "{why}");
        let heard = heard.recv_timeout(PATIENCE).unwrap();
        assert!(!heard.commands.iter().any(|line| line.starts_with("MAIL")), "{heard:?}");
    }
}

#[test]
fn email_is_not_sent_to_whom_nobody_vouches_for_nor_in_the_clear() {
    let home = Home::new();
    let (named, other) = (Named::new(&home, "localhost"), Named::new(&home, "other.example"));
    let (port, heard) = named.serve_mail(|_| None);
    let (taken, why) = told(&home, &email(port, FROM_VARIABLE), &other);
    assert!(!taken && why.contains("certificate"), "{why}");
    assert!(heard.recv_timeout(PATIENCE).unwrap().commands.is_empty());
    let usual: Script = |_| None;
    let without: Script =
        |said| said.starts_with("EHLO").then_some("250-mail.example\r\n250 AUTH PLAIN");
    let busy: Script = |said| (said == "STARTTLS").then_some("454 not now");
    // Whoever sits in between answers for the mail server before TLS begins.
    let between: Script =
        |said| (said == "STARTTLS").then_some("220 go on\r\n250-mail.example\r\n250 AUTH PLAIN");
    for (server, script, expected) in [
        (&other, usual, "certificate"),
        (&named, without, "no STARTTLS"),
        (&named, busy, "454 not now"),
        (&named, between, "in the clear"),
    ] {
        let (port, heard) = server.serve_mail_by_starttls(script);
        let starttls = format!("starttls = true\n{FROM_VARIABLE}");
        let (taken, why) = told(&home, &email(port, &starttls), &named);
        assert!(!taken && why.contains(expected), "{why}");
        let [before, after] = heard.recv_timeout(PATIENCE).unwrap();
        let is_harmless = |line: &String| line.starts_with("EHLO") || line == "STARTTLS";
        assert!(before.commands.iter().all(is_harmless), "{before:?}");
        assert!(after.commands.is_empty(), "{after:?}");
    }
}

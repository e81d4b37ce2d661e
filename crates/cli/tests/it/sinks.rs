//! Sinks over TLS, against receivers that are made here: who shows a certificate that somebody
//! vouches for, and for the right name, is told; nobody else hears a word.

use crate::program::Home;
use crate::served::PATIENCE;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;
use std::io::Read as _;
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
        hear: fn(StreamOwned<ServerConnection, TcpStream>) -> T,
    ) -> (u16, Receiver<T>) {
        let configuration = Arc::clone(&self.configuration);
        listen(move |stream| {
            let connection = ServerConnection::new(Arc::clone(&configuration)).unwrap();
            hear(StreamOwned::new(connection, stream))
        })
    }
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

/// Sends a test alert to the only sink, while the machine trusts one authority. Whether it was
/// taken, and why not.
fn told(home: &Home, sink: &str, trusted: &Named) -> (bool, String) {
    let text = format!("[[detect.sinks]]\nname = \"it\"\nallow_private = true\n{sink}\n");
    let config = home.write("tachograph.toml", text);
    let words = ["alerts", "test", "--format", "json", "--config", config.to_str().unwrap()];
    let mut command = home.command(&words);
    let output = command.env("SSL_CERT_FILE", &trusted.certificate).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let results: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"));
    let taken = results[0]["taken"].as_bool().unwrap();
    assert_eq!(output.status.code(), Some(i32::from(!taken)), "{said}");
    (taken, results[0]["why"].as_str().unwrap_or_default().to_owned())
}

/// All that somebody says, if it is said to whom it should be.
fn all(mut stream: StreamOwned<ServerConnection, TcpStream>) -> Option<String> {
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

//! A server on this machine that answers what each test needs.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Instant;

use super::*;

/// Answers one request with `answer`, and then closes; returns the address.
fn serving(answer: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 2048];
        let _ = stream.read(&mut request);
        let _ = stream.write_all(&answer);
    });
    format!("http://{address}/keys")
}

fn answer(status: &str, more: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{more}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// A certificate that lets the client be made where the machine has none.
fn client() -> HttpsFetch {
    let parameters = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let root = parameters.self_signed(&key).unwrap();
    HttpsFetch::new(&[root.der().to_vec()]).unwrap()
}

#[test]
fn only_https_and_this_machine_are_allowed() {
    for fine in [
        "https://issuer.example",
        "https://issuer.example:8443/realms/a/",
        "http://127.0.0.1:9/a",
        "http://localhost:9",
        "http://[::1]:9/a",
    ] {
        assert_eq!(allowed(fine), Ok(()), "{fine}");
    }
    for bad in [
        "http://issuer.example",
        "http://127.0.0.1.evil.test/",
        "http://localhost.evil.test/",
        "http://169.254.169.254/latest",
        "https://user@issuer.example/",
        "https://issuer.example/?a",
        "https://issuer.example/#a",
        "https://issuer.example\\@evil.test/",
        "ftp://issuer.example/",
        "file:///etc/passwd",
        "/keys",
        "issuer.example",
        "",
        "https://",
        "https://issuer.example/\n",
        "https://issuér.example/",
        &format!("https://issuer.example/{}", "a".repeat(URL_BYTES_MAX)),
    ] {
        assert!(allowed(bad).is_err(), "{bad}");
    }
}

#[test]
fn document_is_fetched_whole_and_bounded() {
    let body = vec![b'x'; usize::try_from(DOCUMENT_BYTES_MAX).unwrap()];
    assert_eq!(client().get(&serving(answer("200 OK", "", &body))).unwrap(), body);
    let longer = [&body[..], b"x"].concat();
    assert!(client().get(&serving(answer("200 OK", "", &longer))).is_err());
    let cut = answer("200 OK", "", &body);
    assert!(client().get(&serving(cut[..2000].to_vec())).is_err());
}

/// Answers one request over TLS; returns the address and the certificate.
fn serving_tls(answer: Vec<u8>) -> (String, Vec<u8>) {
    let parameters = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = parameters.self_signed(&key).unwrap().der().clone();
    let der = certificate.to_vec();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let private = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], private)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let connection = rustls::ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = rustls::StreamOwned::new(connection, stream);
        let mut request = [0; 2048];
        let _ = stream.read(&mut request);
        let _ = stream.write_all(&answer);
        let _ = stream.flush();
    });
    (format!("https://localhost:{port}/keys"), der)
}

#[test]
fn certificate_of_the_issuer_is_checked() {
    let (url, root) = serving_tls(answer("200 OK", "", b"{}"));
    assert_eq!(HttpsFetch::new(&[root]).unwrap().get(&url).unwrap(), b"{}");
    let (url, _) = serving_tls(answer("200 OK", "", b"{}"));
    let Err(FetchError::Failed { what, .. }) = client().get(&url) else { panic!("it was trusted") };
    assert!(what.contains("certificate"), "{what}");
    // The right certificate for another name.
    let (url, root) = serving_tls(answer("200 OK", "", b"{}"));
    let other = url.replace("localhost", "127.0.0.1");
    assert!(HttpsFetch::new(&[root]).unwrap().get(&other).is_err());
}

#[test]
fn redirections_and_errors_are_no_documents() {
    let there = serving(answer("200 OK", "", b"{}"));
    for status in ["301 Moved", "302 Found", "307 Moved", "204 None", "404 No", "500 No"] {
        let url = serving(answer(status, &format!("location: {there}\r\n"), b"{}"));
        let error = client().get(&url).unwrap_err().to_string();
        assert!(error.contains(&status[..3]), "{status}: {error}");
    }
}

#[test]
fn compressed_answer_is_not_inflated() {
    let body = [0x1f, 0x8b, 8, 0];
    let url = serving(answer("200 OK", "content-encoding: gzip\r\n", &body));
    assert_ne!(client().get(&url).ok(), Some(Vec::new()));
}

#[test]
fn silent_server_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    let started = Instant::now();
    assert!(client().get(&url).is_err());
    assert!(started.elapsed().as_secs() < TIMEOUT_S + 3);
}

#[test]
fn addresses_that_are_not_allowed_are_never_asked() {
    let error = client().get("http://issuer.example/keys").unwrap_err();
    assert!(matches!(error, FetchError::NotAllowed { .. }), "{error}");
}

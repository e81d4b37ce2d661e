//! TLS from files, which are looked at again while the server runs: a renewed certificate counts
//! within seconds, and one that cannot be used leaves the old one in force.

use super::configuration::{Access, TlsFiles};
use crate::failure::Failure;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{RootCertStore, ServerConfig};
use serve::Tls;
use serve::handshake::client_verifier;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// How often the files are looked at, at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What is in force, and what it was made of.
struct Current {
    config: Arc<ServerConfig>,
    changed: Vec<Option<SystemTime>>,
    looked: Instant,
}

/// Reads the files.
///
/// # Errors
/// When they cannot be used; then nothing is served.
pub(super) fn load(files: &TlsFiles, access: &Access) -> Result<Tls, Failure> {
    let current = Current { config: read(files)?, changed: changed(files), looked: Instant::now() };
    let (current, files) = (Mutex::new(current), files.clone());
    // Without a rule whoever has a certificate is known, and may do nothing.
    let rules = access.certificates.clone().unwrap_or_default();
    let caller = Arc::new(move |der: &[u8], now_ms: i64| rules.caller(der, now_ms));
    let current = move || {
        let mut current = current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.looked.elapsed() >= LOOK_EVERY {
            current.looked = Instant::now();
            let now = changed(&files);
            if now != current.changed
                && let Ok(config) = read(&files)
            {
                (current.config, current.changed) = (config, now);
            }
        }
        Arc::clone(&current.config)
    };
    Ok(Tls { current: Arc::new(current), caller })
}

fn changed(files: &TlsFiles) -> Vec<Option<SystemTime>> {
    let TlsFiles { certificate, key, client_ca, client_crl } = files;
    let paths = [Some(certificate), Some(key), client_ca.as_ref(), client_crl.as_ref()];
    let time = |path: &std::path::PathBuf| std::fs::metadata(path).ok()?.modified().ok();
    paths.into_iter().flatten().map(time).collect()
}

fn read(files: &TlsFiles) -> Result<Arc<ServerConfig>, Failure> {
    let wrong = |path: &Path, error: &dyn std::fmt::Display| {
        Failure::new(format!("[tls]: {}: {error}; it must be PEM", path.display()))
    };
    let chain = certificates(&files.certificate)?;
    let key =
        PrivateKeyDer::from_pem_file(&files.key).map_err(|error| wrong(&files.key, &error))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| wrong(&files.certificate, &error))?;
    let builder = match (&files.client_ca, &files.client_crl) {
        (None, None) => builder.with_no_client_auth(),
        (None, Some(_)) => {
            return Err(Failure::usage(
                "[tls]: client_crl revokes certificates of client_ca, which is not there",
            ));
        }
        (Some(path), revoked) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|error| wrong(path, &error))?;
            }
            let none = "there is no list of revocations in it";
            let revoked = revoked.as_deref().map(|path| all(path, none)).transpose()?;
            let revoked = revoked.unwrap_or_default();
            let verifier = client_verifier(roots, revoked);
            builder.with_client_cert_verifier(verifier.map_err(|error| wrong(path, &error))?)
        }
    };
    let config = builder.with_single_cert(chain, key);
    let mut config = config.map_err(|error| wrong(&files.certificate, &error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    all(path, "there is no certificate in it")
}

/// Everything of a kind that a file has.
fn all<T: PemObject>(path: &Path, none: &str) -> Result<Vec<T>, Failure> {
    let wrong = |error: &dyn std::fmt::Display| {
        Failure::new(format!("[tls]: {}: {error}; it must be PEM", path.display()))
    };
    let found = T::pem_file_iter(path).map_err(|error| wrong(&error))?;
    let found: Vec<_> = found.collect::<Result<_, _>>().map_err(|error| wrong(&error))?;
    if found.is_empty() { Err(wrong(&none)) } else { Ok(found) }
}

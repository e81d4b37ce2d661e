//! TLS from files, which are looked at again while the server runs: a renewed certificate counts
//! within seconds, and one that cannot be used leaves the old one in force.

use super::configuration::{Access, TlsFiles};
use crate::failure::Failure;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serve::Tls;
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
    let certificates = access.certificates.clone();
    let caller = Arc::new(move |der: &[u8]| {
        certificates.as_ref().and_then(|rules| rules.caller(der, super::now_ms()).ok())
    });
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
    let paths = [Some(&files.certificate), Some(&files.key), files.client_ca.as_ref()];
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
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| wrong(&files.certificate, &error))?;
    let builder = match &files.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|error| wrong(path, &error))?;
            }
            // Tokens stay possible beside certificates.
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .allow_unauthenticated()
                .build();
            builder.with_client_cert_verifier(verifier.map_err(|error| wrong(path, &error))?)
        }
    };
    let config = builder.with_single_cert(chain, key);
    let mut config = config.map_err(|error| wrong(&files.certificate, &error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let wrong = |error: &dyn std::fmt::Display| {
        Failure::new(format!("[tls]: {}: {error}; it must be PEM", path.display()))
    };
    let all = CertificateDer::pem_file_iter(path).map_err(|error| wrong(&error))?;
    let all: Vec<_> = all.collect::<Result<_, _>>().map_err(|error| wrong(&error))?;
    if all.is_empty() { Err(wrong(&"there is no certificate in it")) } else { Ok(all) }
}

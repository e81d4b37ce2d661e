//! Whom a connection trusts, and which certificate it shows.

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig};

/// Files of certificates (PEM).
#[derive(Clone, Debug, Default)]
pub struct Tls {
    /// Authorities beside the system's.
    pub ca_file: Option<PathBuf>,
    /// Our own certificate, and its private key.
    pub own: Option<(PathBuf, PathBuf)>,
}

/// Why no connection by TLS can be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The machine trusts nobody.
    #[error(
        "this machine has no certificates of authorities to check the server with; install \
         ca-certificates, or name a file of them (--ca-file, ca_file)"
    )]
    NoAuthorities,
    /// A file is not what it should be.
    #[error("{0}")]
    File(String),
}

impl Tls {
    pub(crate) fn config(&self) -> Result<TlsConfig, TlsError> {
        let system = rustls_native_certs::load_native_certs().certs;
        let mut roots: Vec<Certificate<'static>> =
            system.iter().map(|root| Certificate::from_der(root.as_ref()).to_owned()).collect();
        if let Some(path) = &self.ca_file {
            roots.extend(certificates(path)?);
        }
        if roots.is_empty() {
            return Err(TlsError::NoAuthorities);
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let own = match &self.own {
            Some((certificate, key)) => Some(own(certificate, key, &provider)?),
            None => None,
        };
        Ok(TlsConfig::builder()
            .root_certs(RootCerts::from(roots))
            .client_cert(own)
            .unversioned_rustls_crypto_provider(provider)
            .build())
    }
}

/// Our own certificate.
fn own(
    certificate: &Path,
    key: &Path,
    provider: &Arc<CryptoProvider>,
) -> Result<ClientCert, TlsError> {
    let bytes = read(key)?;
    let no_key = |what: String| {
        let (key, certificate) = (key.display(), certificate.display());
        TlsError::File(format!("{key} is no key for {certificate}: {what}"))
    };
    let private = PrivateKey::from_pem(&bytes)
        .map_err(|_| no_key("it holds no private key in PEM".to_owned()))?;
    let chain = certificates(certificate)?;
    // The connection takes them for granted, so whether they fit is found out here.
    let der = PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| no_key(error.to_string()))?;
    let parts = chain.iter().map(|part| CertificateDer::from(part.der().to_vec())).collect();
    ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()
        .and_then(|config| {
            let roots = RootCertStore::empty();
            config.with_root_certificates(roots).with_client_auth_cert(parts, der)
        })
        .map_err(|error| no_key(error.to_string()))?;
    Ok(ClientCert::new_with_certs(&chain, private))
}

/// The certificates in a file.
fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>, TlsError> {
    let bytes = read(path)?;
    let found: Vec<Certificate<'static>> = ureq::tls::parse_pem(&bytes)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if found.is_empty() {
        return Err(TlsError::File(format!("{} holds no certificate in PEM", path.display())));
    }
    Ok(found)
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path)
        .map_err(|error| TlsError::File(format!("cannot read {}: {error}", path.display())))
}

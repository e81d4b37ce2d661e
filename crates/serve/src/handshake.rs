//! TLS handshakes: whose certificates count, and what is told of those that do not.
//!
//! A certificate that TLS refuses never becomes a request, so nobody would hear of it but its
//! bearer, who hears of an alert. The reason is kept here, with the name that the certificate
//! claims, and goes to the log as that of every other refused credential does. What is wrong with
//! TLS itself (a scanner, HTTP on the port of HTTPS) is nobody's credential and is not told.
//!
//! Not here: what the names of a certificate allow (`access/certificate.rs`), and files (`cli`).

use crate::access::certificate::claimed;
use crate::access::{Caller, Refused};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig,
    SignatureScheme,
};
use std::cell::RefCell;
use std::fmt;
use std::io;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// What a connection's certificate makes of its caller at a time, in Unix milliseconds.
pub type CertificateCaller = Arc<dyn Fn(&[u8], i64) -> Result<Caller, Refused> + Send + Sync>;

tokio::task_local! {
    /// The name that the certificate of the handshake under way claims.
    static CLAIMED: RefCell<Option<String>>;
}

/// A certificate that a handshake has verified.
#[derive(Clone)]
pub struct Shown {
    der: Arc<[u8]>,
    caller: CertificateCaller,
}

impl Shown {
    /// Who it is at this time: a connection may outlive its certificate.
    ///
    /// # Errors
    /// As [`CertificateConfig::caller`](crate::access::certificate::CertificateConfig::caller).
    pub(crate) fn caller(&self, now_ms: i64) -> Result<Caller, Refused> {
        (self.caller)(&self.der, now_ms)
    }

    /// Whose it claims to be.
    pub(crate) fn claimed(&self) -> String {
        claimed(&self.der)
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Shown({:?})", self.claimed())
    }
}

/// A handshake that failed.
#[derive(Debug)]
pub(crate) struct Failed {
    /// The certificate's reason, if it was that, and whose it claims to be.
    pub(crate) refused: Option<(Refused, String)>,
}

/// Checks client certificates: those that one of `roots` vouches for, and, when there are lists of
/// revocations, that no list names. Then there must be a list of each authority in the chain that
/// is still current: one that is missing or too old refuses. Who shows no certificate is let
/// through, and needs another credential.
///
/// # Errors
/// When there is no root, or a list cannot be read.
pub fn client_verifier(
    roots: RootCertStore,
    revoked: Vec<CertificateRevocationListDer<'static>>,
) -> Result<Arc<dyn ClientCertVerifier>, VerifierBuilderError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let builder = match revoked.is_empty() {
        true => builder,
        false => builder.with_crls(revoked).enforce_revocation_expiration(),
    };
    Ok(Arc::new(Telling(builder.allow_unauthenticated().build()?)))
}

/// Shakes hands with a client; its stream, and its certificate if it has shown one.
///
/// # Errors
/// [`Failed`].
pub(crate) async fn accept(
    config: Arc<ServerConfig>,
    caller: &CertificateCaller,
    stream: TcpStream,
) -> Result<(TlsStream<TcpStream>, Option<Shown>), Failed> {
    let shake = async {
        let outcome = TlsAcceptor::from(config).accept(stream).await;
        outcome.map_err(|error| {
            let name = CLAIMED.with(RefCell::take).unwrap_or_default();
            Failed { refused: reason(&error).map(|reason| (reason, name)) }
        })
    };
    let stream = CLAIMED.scope(RefCell::default(), shake).await?;
    let certificates = stream.get_ref().1.peer_certificates();
    let shown = certificates.and_then(<[_]>::first);
    let shown = shown.map(|der| Shown { der: (**der).into(), caller: Arc::clone(caller) });
    Ok((stream, shown))
}

/// What was wrong with a certificate, if it was that.
fn reason(error: &io::Error) -> Option<Refused> {
    match error.get_ref()?.downcast_ref::<Error>()? {
        Error::InvalidCertificate(error) => Some(of_certificate(error)),
        Error::InvalidCertRevocationList(_) => Some(Refused::RevocationUnknown),
        _ => None,
    }
}

fn of_certificate(error: &CertificateError) -> Refused {
    use CertificateError as E;
    match error {
        E::Expired | E::ExpiredContext { .. } => Refused::Expired,
        E::NotValidYet | E::NotValidYetContext { .. } => Refused::NotYetValid,
        E::Revoked => Refused::Revoked,
        E::UnknownRevocationStatus
        | E::ExpiredRevocationList
        | E::ExpiredRevocationListContext { .. } => Refused::RevocationUnknown,
        E::UnknownIssuer => Refused::UntrustedIssuer,
        E::BadSignature => Refused::BadSignature,
        E::InvalidPurpose | E::InvalidPurposeContext { .. } => Refused::WrongPurpose,
        E::BadEncoding => Refused::BadCertificate,
        // Rules about whole chains have no names of their own there.
        _ => Refused::BadChain,
    }
}

/// Another verifier, which notes first whose certificate it is given.
#[derive(Debug)]
struct Telling(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for Telling {
    fn offer_client_auth(&self) -> bool {
        self.0.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.0.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        // Nobody listens outside of a handshake of ours.
        let _ = CLAIMED.try_with(|name| name.replace(Some(claimed(end_entity))));
        self.0.verify_client_cert(end_entity, intermediates, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.0.requires_raw_public_keys()
    }
}

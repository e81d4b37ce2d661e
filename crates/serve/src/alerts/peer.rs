//! The way to a receiver that is named by `HOST:PORT`: its addresses looked up and checked, a
//! connection to one of those, and TLS by the authorities that the machine trusts.
//!
//! Not here: what is said then (`syslog.rs`, `email/`). Who is named by a URL: `http.rs`.

use super::addresses;
use super::sink::SinkError;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// A receiver's name and port, and where it may be.
#[derive(Debug)]
pub(super) struct Peer {
    /// `host:port`.
    address: String,
    host: String,
    allow_private: bool,
}

/// TLS with whoever shows a certificate for a name.
#[derive(Clone, Debug)]
pub(super) struct Tls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl Peer {
    pub(super) fn new(address: &str, allow_private: bool) -> Result<Self, SinkError> {
        let (host, port) = address.rsplit_once(':').unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let peer = Self { address: address.to_owned(), host, allow_private };
        match peer.host.is_empty() || port.parse::<u16>().is_err() {
            true => Err(peer.wrong("write HOST:PORT")),
            false => Ok(peer),
        }
    }

    /// Why it cannot be used.
    pub(super) fn wrong(&self, what: &str) -> SinkError {
        SinkError(format!("the address {:?} cannot be used: {what}", self.address))
    }

    /// Whether private addresses are allowed.
    pub(super) fn allows_private(&self) -> bool {
        self.allow_private
    }

    /// Its addresses, if they may be used.
    ///
    /// # Errors
    /// `PermissionDenied` when one of them may not.
    pub(super) fn find(&self) -> io::Result<Vec<SocketAddr>> {
        addresses::resolve(&self.address, self.allow_private)
    }

    /// TLS for its name.
    pub(super) fn tls(&self) -> Result<Tls, SinkError> {
        let name = ServerName::try_from(self.host.clone())
            .map_err(|_| self.wrong("no certificate can be for this name"))?;
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| SinkError(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Tls { config: Arc::new(config), name })
    }
}

impl Tls {
    /// A connection, from here on under TLS; the first that is said begins it.
    pub(super) fn over<S: Read + Write>(
        &self,
        stream: S,
    ) -> io::Result<StreamOwned<ClientConnection, S>> {
        let connection = ClientConnection::new(Arc::clone(&self.config), self.name.clone())
            .map_err(io::Error::other)?;
        Ok(StreamOwned::new(connection, stream))
    }
}

/// Connects to the first of these that can be connected to.
pub(super) fn connect(found: &[SocketAddr], timeout: Duration) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in found {
        match TcpStream::connect_timeout(address, timeout) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

//! Authorities that are made for a test, what they vouch for, and clients that show it whether or
//! not it is any good.

use super::Shown;
use rcgen::{BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType};
use rcgen::{DistinguishedName, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair};
use rcgen::{KeyUsagePurpose, RevokedCertParams, SanType, SerialNumber};
use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, SignatureScheme};
use std::sync::Arc;

/// An authority, and those that vouch for it.
pub(super) struct Authority {
    parameters: CertificateParams,
    key: KeyPair,
    pub(super) certificate: rcgen::Certificate,
    /// Its own certificate and those above it, without the root's.
    above: Vec<CertificateDer<'static>>,
}

pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

pub(super) fn secret(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivateKeyDer::try_from(key.serialize_der()).unwrap()
}

pub(super) fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

pub(super) fn uri(name: &str) -> SanType {
    SanType::URI(name.try_into().unwrap())
}

/// What a good agent's certificate says.
pub(super) fn agent(_: &mut CertificateParams) {}

fn named(name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.use_authority_key_identifier_extension = true;
    parameters
}

/// An agent that vouches for itself.
pub(super) fn alone(name: &str) -> Shown {
    let (mut parameters, key) = (named(name), KeyPair::generate().unwrap());
    parameters.subject_alt_names = vec![dns("a.agents.example")];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let chain = vec![parameters.self_signed(&key).unwrap().der().clone()];
    Shown { chain, key }
}

fn authority(name: &str) -> CertificateParams {
    let mut parameters = named(name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters
}

impl Authority {
    pub(super) fn root(name: &str) -> Self {
        let (parameters, key) = (authority(name), KeyPair::generate().unwrap());
        let certificate = parameters.self_signed(&key).unwrap();
        Self { parameters, key, certificate, above: Vec::new() }
    }

    fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_params(&self.parameters, &self.key)
    }

    /// An authority below this one.
    pub(super) fn below(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let (mut parameters, key) = (authority(name), KeyPair::generate().unwrap());
        change(&mut parameters);
        let certificate = parameters.signed_by(&key, &self.issuer()).unwrap();
        let above = [vec![certificate.der().clone()], self.above.clone()].concat();
        Self { parameters, key, certificate, above }
    }

    /// Somebody who is no authority, and vouches for others all the same.
    pub(super) fn forged(of: Shown) -> Self {
        let parameters = authority("forger");
        let certificate = parameters.self_signed(&of.key).unwrap();
        Self { parameters, key: of.key, certificate, above: of.chain }
    }

    /// A certificate of an agent, and those that vouch for it.
    pub(super) fn leaf(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Shown {
        let (mut parameters, key) = (named(name), KeyPair::generate().unwrap());
        parameters.subject_alt_names = vec![dns("a.agents.example")];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        change(&mut parameters);
        let certificate = parameters.signed_by(&key, &self.issuer()).unwrap();
        let chain = [vec![certificate.der().clone()], self.above.clone()].concat();
        Shown { chain, key }
    }

    /// The authority's own certificate, as if it were a client's.
    pub(super) fn shown(self) -> Shown {
        Shown { chain: vec![self.certificate.der().clone()], key: self.key }
    }
}

/// What an authority says that it has revoked, by serial numbers.
pub(super) fn list(of: &Authority, numbers: &[u8]) -> CertificateRevocationListDer<'static> {
    let revoked = numbers.iter().map(|number| RevokedCertParams {
        serial_number: SerialNumber::from(vec![*number]),
        revocation_time: rcgen::date_time_ymd(2020, 1, 1),
        reason_code: None,
        invalidity_date: None,
    });
    let parameters = CertificateRevocationListParams {
        this_update: rcgen::date_time_ymd(2020, 1, 1),
        next_update: rcgen::date_time_ymd(2090, 1, 1),
        crl_number: SerialNumber::from(vec![1]),
        issuing_distribution_point: None,
        revoked_certs: revoked.collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    parameters.signed_by(&of.issuer()).unwrap().der().clone()
}

/// A client that trusts an authority and shows what it is given, without looking whether it fits.
pub(super) fn client(
    trusts: &Authority,
    shows: Option<(Vec<CertificateDer<'static>>, KeyPair)>,
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(trusts.certificate.der().clone()).unwrap();
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let Some((chain, key)) = shows else { return builder.with_no_client_auth() };
    let key = provider().key_provider.load_private_key(secret(&key)).unwrap();
    builder.with_client_cert_resolver(Arc::new(Blind(Arc::new(CertifiedKey::new(chain, key)))))
}

#[derive(Debug)]
struct Blind(Arc<CertifiedKey>);

impl ResolvesClientCert for Blind {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

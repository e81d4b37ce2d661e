//! Which authorities count: certificates that the caller trusts, and the way from theirs to a
//! signer's.

use crate::error::StampError;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use std::time::Duration;
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::ext::pkix::ExtendedKeyUsage;

/// `id-kp-timeStamping`, as it stands in DER and as a name.
const TIME_STAMPING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08];
const TIME_STAMPING_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8");
const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");

/// Certificates that a file of authorities may have.
const AUTHORITIES_MAX: usize = 1_000;

/// Certificates of authorities that the caller trusts.
#[derive(Clone, Debug)]
pub struct Authorities {
    certificates: Vec<CertificateDer<'static>>,
}

impl Authorities {
    /// The certificates in a file of PEM.
    ///
    /// # Errors
    /// [`StampError::Authorities`]: one does not read, or there is none.
    pub fn from_pem(pem: &[u8]) -> Result<Self, StampError> {
        let wrong = |what: &dyn std::fmt::Display| StampError::Authorities(what.to_string());
        let mut certificates = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| wrong(&error))?;
            anchor_from_trusted_cert(&certificate)
                .map_err(|error| wrong(&format!("a certificate does not read: {error}")))?;
            certificates.push(certificate.into_owned());
            if certificates.len() > AUTHORITIES_MAX {
                return Err(wrong(&format!("it has more than {AUTHORITIES_MAX} certificates")));
            }
        }
        match certificates.is_empty() {
            true => Err(wrong(&"there is no certificate in it")),
            false => Ok(Self { certificates }),
        }
    }

    /// The certificates themselves.
    pub(crate) fn certificates(&self) -> impl Iterator<Item = &[u8]> {
        self.certificates.iter().map(AsRef::as_ref)
    }

    /// Whether a certificate leads to one of them, as it was at that time.
    pub(crate) fn issued(
        &self,
        signer: &EndEntityCert<'_>,
        between: &[&[u8]],
        time_ms: u64,
    ) -> Result<(), StampError> {
        let anchors: Vec<TrustAnchor<'_>> =
            self.certificates.iter().filter_map(|it| anchor_from_trusted_cert(it).ok()).collect();
        let between: Vec<CertificateDer<'_>> =
            between.iter().map(|der| CertificateDer::from(*der)).collect();
        let path = signer.verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &anchors,
            &between,
            UnixTime::since_unix_epoch(Duration::from_millis(time_ms)),
            // Those above it need not say what they are for; the signer's own is looked at by
            // `for_time_stamping`, which is stricter.
            KeyUsage::required_if_present(TIME_STAMPING),
            None,
            None,
        );
        path.map(drop).map_err(|error| StampError::Chain(error.to_string()))
    }
}

/// Whether a certificate is for time stamping and for nothing else (RFC 3161, section 2.3); the
/// name of its holder.
pub(crate) fn for_time_stamping(der: &[u8]) -> Result<String, StampError> {
    let wrong = StampError::Purpose;
    let certificate = Certificate::from_der(der).map_err(|_| wrong("it does not read"))?;
    let certificate = certificate.tbs_certificate();
    let mut usages = certificate
        .extensions()
        .into_iter()
        .flatten()
        .filter(|extension| extension.extn_id == EXTENDED_KEY_USAGE);
    let usage = usages.next().ok_or(wrong("it does not say what its key is for"))?;
    if usages.next().is_some() {
        return Err(wrong("it says twice what its key is for"));
    }
    let purposes = ExtendedKeyUsage::from_der(usage.extn_value.as_bytes())
        .map_err(|_| wrong("what its key is for does not read"))?;
    match (purposes.0.as_slice(), usage.critical) {
        ([only], true) if *only == TIME_STAMPING_NAME => {}
        ([only], false) if *only == TIME_STAMPING_NAME => {
            return Err(wrong("what its key is for is not marked critical"));
        }
        _ => return Err(wrong("its key is for other things")),
    }
    Ok(crate::response::printable(&certificate.subject().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_also_for_other_things_is_not_for_time_stamping() {
        for (pem, said) in [
            (&include_bytes!("../../../testdata/anchor/purpose-lax.pem")[..], "critical"),
            (include_bytes!("../../../testdata/anchor/purpose-both.pem"), "other things"),
            (include_bytes!("../../../testdata/anchor/purpose-signing.pem"), "other things"),
            (include_bytes!("../../../testdata/anchor/authority.pem"), "does not say"),
        ] {
            let authorities = Authorities::from_pem(pem).unwrap();
            let der = authorities.certificates().next().unwrap();
            let told = for_time_stamping(der).unwrap_err().to_string();
            assert!(told.contains(said), "{told}");
        }
    }
}

//! Is it a stamp of these bytes, by an authority that counts? In the order of RFC 3161, section
//! 2.4.2, and RFC 5652, section 5.6.

use crate::authorities::{Authorities, for_time_stamping};
use crate::der::Item;
use crate::digest::Digest;
use crate::error::StampError;
use crate::request::Request;
use crate::response::token_in;
use crate::token::{Signer, SignerId, TST_INFO, Token};
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm};
use webpki::EndEntityCert;
use webpki::aws_lc_rs as known;
use x509_cert::der::Tag;

/// Attributes, as their names stand in DER: content type, hash of the content, and the signer's
/// certificate (RFC 2634, RFC 5035).
const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04];
const CERTIFICATE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x02, 0x0c];
const CERTIFICATE_V2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x02, 0x2f];

/// `rsaEncryption`: many authorities name their key here, and the hash elsewhere.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// What an authority vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// When the bytes existed, in milliseconds since 1970 (UTC), by the authority's clock.
    pub time_ms: u64,
    /// How far the true time may be from that, in milliseconds, where the authority says so.
    pub accuracy_ms: Option<u64>,
    /// The holder of the certificate that signed (RFC 4514), printable.
    pub authority: String,
    /// The number that the authority gave the stamp, hexadecimal.
    pub serial: String,
}

impl Stamp {
    /// The time by which the bytes certainly existed.
    #[must_use]
    pub fn latest_ms(&self) -> u64 {
        self.time_ms.saturating_add(self.accuracy_ms.unwrap_or(0))
    }
}

/// Whether an answer (`TimeStampResp`, or the token in one) is a stamp of `message` by one of the
/// `authorities`. Certificates are judged as of the time that they stamped; whether one was revoked
/// is not asked.
///
/// # Errors
/// [`StampError`]: why it does not count.
pub fn verify(
    answer: &[u8],
    message: &[u8],
    authorities: &Authorities,
) -> Result<Stamp, StampError> {
    let token = Token::read(token_in(answer)?)?;
    check(&token, message, authorities)
}

/// As [`verify`], of the answer to a request that was just sent.
///
/// # Errors
/// As [`verify`]; also [`StampError::OtherNonce`].
pub fn accept(
    answer: &[u8],
    request: &Request,
    message: &[u8],
    authorities: &Authorities,
) -> Result<Stamp, StampError> {
    let token = Token::read(token_in(answer)?)?;
    if token.info.nonce != Some(&request.nonce().to_be_bytes()) {
        return Err(StampError::OtherNonce);
    }
    check(&token, message, authorities)
}

fn check(
    token: &Token<'_>,
    message: &[u8],
    authorities: &Authorities,
) -> Result<Stamp, StampError> {
    let Token { info, signer, .. } = token;
    if info.digest.of(message).as_ref() != info.hash {
        return Err(StampError::OtherMessage);
    }
    let der = certificate(token, authorities)?;
    let holder = for_time_stamping(der)?;
    let encoded = CertificateDer::from(der);
    let certificate = EndEntityCert::try_from(&encoded)
        .map_err(|error| StampError::Chain(format!("its certificate does not read: {error}")))?;
    check_attributes(token, der)?;
    check_signature(signer, &certificate)?;
    authorities.issued(&certificate, &token.certificates, info.time_ms)?;
    let serial = info.serial.iter().map(|byte| format!("{byte:02x}")).collect();
    let (time_ms, accuracy_ms) = (info.time_ms, info.accuracy_ms);
    Ok(Stamp { time_ms, accuracy_ms, authority: holder, serial })
}

/// The certificate that the signer says is its own, in the token or among the trusted ones.
fn certificate<'a>(
    token: &Token<'a>,
    authorities: &'a Authorities,
) -> Result<&'a [u8], StampError> {
    let is_meant = |der: &&[u8]| match &token.signer.id {
        SignerId::Key => is_named(&token.signer, der).unwrap_or(false),
        SignerId::Issued { issuer, serial } => EndEntityCert::try_from(&CertificateDer::from(*der))
            .is_ok_and(|certificate| {
                certificate.issuer() == *issuer && certificate.serial() == *serial
            }),
    };
    let mut all = token.certificates.iter().copied().chain(authorities.certificates());
    all.find(is_meant).ok_or(StampError::NoCertificate)
}

/// What is signed besides the content must say that it belongs to it.
fn check_attributes(token: &Token<'_>, certificate: &[u8]) -> Result<(), StampError> {
    let wrong = StampError::Signature;
    let Token { signer, content, .. } = token;
    let kind = signer.attribute(CONTENT_TYPE)?;
    if !kind.is_some_and(|it| it.tag == Tag::ObjectIdentifier && it.value == TST_INFO) {
        return Err(wrong("it is one of something else"));
    }
    let hash = signer.attribute(MESSAGE_DIGEST)?;
    let expected = signer.digest.of(content);
    if !hash.is_some_and(|it| it.tag == Tag::OctetString && it.value == expected.as_ref()) {
        return Err(wrong("what is stamped was altered"));
    }
    match is_named(signer, certificate)? {
        true => Ok(()),
        false => Err(wrong("it names another certificate")),
    }
}

/// Whether the signed attributes name this certificate, by its hash.
fn is_named(signer: &Signer<'_>, certificate: &[u8]) -> Result<bool, StampError> {
    let newer = signer.attribute(CERTIFICATE_V2)?;
    let older = signer.attribute(CERTIFICATE)?;
    if newer.is_none() && older.is_none() {
        return Err(StampError::Malformed("the attribute that names the certificate"));
    }
    let fits = |named: &Option<Item<'_>>| match named {
        Some(named) => first_named(named, certificate),
        None => Ok(true),
    };
    Ok(fits(&newer)? && fits(&older)?)
}

/// Whether the first certificate that an attribute names is this one: that is the signer's.
fn first_named(named: &Item<'_>, certificate: &[u8]) -> Result<bool, StampError> {
    let of = "the attribute that names the certificate";
    let mut list = named.items(of)?.expect(Tag::Sequence)?.items(of)?;
    let mut first = list.expect(Tag::Sequence)?.items(of)?;
    let digest = match first.optional(Tag::Sequence)? {
        Some(identifier) => Digest::named(&identifier)?,
        None => Digest::Sha256,
    };
    let hash = first.expect(Tag::OctetString)?.value;
    // Before RFC 5816 there was only SHA-1, and no name for it. It does not vouch for anything: the
    // signature is by the certificate's key in any case.
    let digest = if hash.len() == 20 { Digest::Sha1 } else { digest };
    Ok(digest.of(certificate).as_ref() == hash)
}

fn check_signature(signer: &Signer<'_>, certificate: &EndEntityCert<'_>) -> Result<(), StampError> {
    let mut signed = signer.attributes.whole.to_vec();
    // The signature is over a SET, not over the tag that stands in its place (RFC 5652, 5.4).
    if let Some(tag) = signed.first_mut() {
        *tag = 0x31;
    }
    let mut outcome = Err(StampError::Algorithm("signature"));
    for algorithm in algorithms(signer)? {
        match certificate.verify_signature(algorithm, &signed, signer.signature) {
            Ok(()) => return Ok(()),
            Err(webpki::Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_)) => {}
            Err(_) => outcome = Err(StampError::Signature("somebody else made it")),
        }
    }
    outcome
}

/// What the signature may have been made with.
fn algorithms(
    signer: &Signer<'_>,
) -> Result<Vec<&'static dyn SignatureVerificationAlgorithm>, StampError> {
    let mut name = signer.algorithm.items("the signature's algorithm")?;
    if name.expect(Tag::ObjectIdentifier)?.value == RSA {
        return Ok(match signer.digest {
            Digest::Sha256 => vec![known::RSA_PKCS1_2048_8192_SHA256],
            Digest::Sha384 => vec![known::RSA_PKCS1_2048_8192_SHA384],
            Digest::Sha512 => vec![known::RSA_PKCS1_2048_8192_SHA512],
            Digest::Sha1 => Vec::new(),
        });
    }
    let is_meant = |it: &&&dyn SignatureVerificationAlgorithm| {
        it.signature_alg_id().as_ref() == signer.algorithm.value
    };
    Ok(webpki::ALL_VERIFICATION_ALGS.iter().filter(is_meant).copied().collect())
}

//! A token, read and not yet believed: CMS `SignedData` (RFC 5652) with a `TSTInfo` (RFC 3161) in
//! it.

use crate::der::{Item, Items, context, context_plain};
use crate::digest::Digest;
use crate::error::StampError;
use crate::time::milliseconds;
use x509_cert::der::Tag;

/// `id-signedData`, `id-ct-TSTInfo`, and the attributes, as they stand in DER.
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
pub(crate) const TST_INFO: &[u8] =
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];

/// Certificates that a token may bring: an authority's, and a few above it.
const CERTIFICATES_MAX: usize = 16;

/// A token.
pub(crate) struct Token<'a> {
    pub(crate) info: Info<'a>,
    /// The bytes of `info`, which the signature covers.
    pub(crate) content: &'a [u8],
    /// The certificates in it, as DER.
    pub(crate) certificates: Vec<&'a [u8]>,
    pub(crate) signer: Signer<'a>,
}

/// What the authority says.
pub(crate) struct Info<'a> {
    pub(crate) digest: Digest,
    pub(crate) hash: &'a [u8],
    pub(crate) serial: &'a [u8],
    pub(crate) time_ms: u64,
    /// How far the true time may be from it.
    pub(crate) accuracy_ms: Option<u64>,
    pub(crate) nonce: Option<&'a [u8]>,
}

/// Who signed, and how.
pub(crate) struct Signer<'a> {
    pub(crate) id: SignerId<'a>,
    pub(crate) digest: Digest,
    /// What is signed: the attributes, with the tag that they have in the token.
    pub(crate) attributes: Item<'a>,
    /// The `AlgorithmIdentifier`.
    pub(crate) algorithm: Item<'a>,
    pub(crate) signature: &'a [u8],
}

/// Which certificate is meant.
pub(crate) enum SignerId<'a> {
    /// The name of the issuer and the number, as they stand in DER without their outermost tags.
    Issued { issuer: &'a [u8], serial: &'a [u8] },
    /// By its key, which the attribute with the hash of the certificate names as well.
    Key,
}

impl<'a> Token<'a> {
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, StampError> {
        let of = "the token";
        let mut items = Items::one(bytes, of)?.items(of)?;
        if items.expect(Tag::ObjectIdentifier)?.value != SIGNED_DATA {
            return Err(StampError::Malformed("the kind of the token"));
        }
        let data = Items::one(items.expect(context(0))?.value, of)?;
        items.end()?;
        if data.tag != Tag::Sequence {
            return Err(StampError::Malformed(of));
        }
        let of = "the signed data";
        let mut items = data.items(of)?;
        items.expect(Tag::Integer)?;
        items.expect(Tag::Set)?;
        let content = content(&items.expect(Tag::Sequence)?)?;
        let certificates = match items.optional(context(0))? {
            Some(set) => certificates(&set)?,
            None => Vec::new(),
        };
        // Lists of revoked certificates say what was so when it was stamped; they are not asked.
        items.optional(context(1))?;
        let mut signers = items.expect(Tag::Set)?.items("the signers")?;
        items.end()?;
        // An authority signs alone (RFC 3161, section 2.4.2).
        let signer = Signer::read(&signers.expect(Tag::Sequence)?)?;
        signers.end()?;
        Ok(Self { info: Info::read(content)?, content, certificates, signer })
    }
}

/// The bytes of the `TSTInfo`.
fn content<'a>(encapsulated: &Item<'a>) -> Result<&'a [u8], StampError> {
    let of = "the stamped content";
    let mut items = encapsulated.items(of)?;
    if items.expect(Tag::ObjectIdentifier)?.value != TST_INFO {
        return Err(StampError::Malformed(of));
    }
    let octets = Items::one(items.expect(context(0))?.value, of)?;
    items.end()?;
    match octets.tag {
        Tag::OctetString => Ok(octets.value),
        _ => Err(StampError::Malformed(of)),
    }
}

/// The X.509 certificates of a set; kinds that nobody uses any more are passed over.
fn certificates<'a>(set: &Item<'a>) -> Result<Vec<&'a [u8]>, StampError> {
    let of = "the certificates";
    let (mut items, mut found) = (set.items(of)?, Vec::new());
    while let Some(item) = items.next()? {
        if item.tag == Tag::Sequence {
            found.push(item.whole);
        }
        if found.len() > CERTIFICATES_MAX {
            return Err(StampError::Malformed(of));
        }
    }
    Ok(found)
}

impl<'a> Info<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, StampError> {
        let of = "the stamped information";
        let mut items = Items::one(bytes, of)?.items(of)?;
        if items.expect(Tag::Integer)?.number(of)? != 1 {
            return Err(StampError::Malformed("the version of the stamped information"));
        }
        items.expect(Tag::ObjectIdentifier)?;
        let mut imprint = items.expect(Tag::Sequence)?.items(of)?;
        let digest = Digest::named(&imprint.expect(Tag::Sequence)?)?;
        let hash = imprint.expect(Tag::OctetString)?.value;
        imprint.end()?;
        let serial = items.expect(Tag::Integer)?.value;
        let time_ms = milliseconds(items.expect(Tag::GeneralizedTime)?.value)?;
        let accuracy = items.optional(Tag::Sequence)?;
        items.optional(Tag::Boolean)?;
        let nonce = items.optional(Tag::Integer)?.map(|nonce| nonce.value);
        // The name of the authority, which its certificate says better, and extensions.
        items.optional(context(0))?;
        items.optional(context(1))?;
        items.end()?;
        let accuracy_ms = accuracy.as_ref().map(accuracy_ms).transpose()?;
        Ok(Self { digest, hash, serial, time_ms, accuracy_ms, nonce })
    }
}

/// Seconds, thousandths, millionths; rounded up.
fn accuracy_ms(accuracy: &Item<'_>) -> Result<u64, StampError> {
    let of = "the accuracy";
    let mut items = accuracy.items(of)?;
    let mut part = |tag: Tag| match items.optional(tag)? {
        Some(item) => item.number(of),
        None => Ok(0),
    };
    let (seconds, millis) = (part(Tag::Integer)?, part(context_plain(0))?);
    let micros = part(context_plain(1))?;
    items.end()?;
    let thousandths = seconds.saturating_mul(1_000).saturating_add(millis);
    Ok(thousandths.saturating_add(micros.div_ceil(1_000)))
}

impl<'a> Signer<'a> {
    fn read(info: &Item<'a>) -> Result<Self, StampError> {
        let of = "the signer";
        let mut items = info.items(of)?;
        items.expect(Tag::Integer)?;
        let id = match items.optional(context_plain(0))? {
            Some(_) => SignerId::Key,
            None => {
                let mut parts = items.expect(Tag::Sequence)?.items(of)?;
                let issuer = parts.expect(Tag::Sequence)?.value;
                let serial = parts.expect(Tag::Integer)?.value;
                parts.end()?;
                SignerId::Issued { issuer, serial }
            }
        };
        let digest = Digest::named(&items.expect(Tag::Sequence)?)?;
        let attributes = items.expect(context(0))?;
        let algorithm = items.expect(Tag::Sequence)?;
        let signature = items.expect(Tag::OctetString)?.value;
        items.optional(context(1))?;
        items.end()?;
        Ok(Self { id, digest, attributes, algorithm, signature })
    }

    /// The only value of the attribute of this name; `None` when there is no such attribute.
    pub(crate) fn attribute(&self, name: &[u8]) -> Result<Option<Item<'a>>, StampError> {
        let of = "a signed attribute";
        let (mut items, mut found) = (self.attributes.items(of)?, None);
        while let Some(attribute) = items.next()? {
            let mut parts = attribute.items(of)?;
            if parts.expect(Tag::ObjectIdentifier)?.value != name {
                continue;
            }
            let value = Items::one(parts.expect(Tag::Set)?.value, of)?;
            parts.end()?;
            if found.replace(value).is_some() {
                return Err(StampError::Malformed(of));
            }
        }
        Ok(found)
    }
}

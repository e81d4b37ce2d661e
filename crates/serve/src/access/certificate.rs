//! A verified client certificate becomes a caller.
//!
//! rustls has checked the chain, the signature and the purpose during the handshake. Here its names
//! are read: the principal is a *subject alternative name*, because the common name is free text
//! that no rule for certificate authorities covers. Validity is looked at again on every request: a
//! connection may outlive its certificate.

use serde::Deserialize;
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::der::asn1::{Ia5String, PrintableStringRef, Utf8StringRef};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use super::{Caller, Grant, Logs, Method, Refused, Role};

mod pattern;

pub use pattern::{BadPattern, Kind, Pattern};

/// Bytes of a certificate. Those of clients have one or two thousand.
pub const CERTIFICATE_BYTES_MAX: usize = 64 << 10;

/// Bytes of a name: the longest SPIFFE id has 2048.
pub const NAME_BYTES_MAX: usize = 2048;

/// Bytes of the issuer's name, as events record it.
const ISSUER_BYTES_MAX: usize = 1024;

/// The attribute `commonName` (RFC 4519).
const COMMON_NAME: &str = "2.5.4.3";

/// Bytes of each name that the record of a refusal shows.
const CLAIMED_BYTES_MAX: usize = 60;

/// Which certificates may do what.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CertificateConfig {
    /// Whether the common name counts when there is no alternative name. Old authorities need it.
    pub common_name: bool,
    /// What each certificate is given: every rule that fits counts.
    pub rules: Vec<CertificateRule>,
}

/// Roles for the names that fit.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateRule {
    /// Which names.
    pub name: Pattern,
    /// What they may do.
    pub roles: Vec<Role>,
    /// Where.
    pub logs: Logs,
}

impl CertificateConfig {
    /// Who holds the certificate, which rustls has verified.
    ///
    /// The principal is its only URI, else its first DNS name, else its first address, else its
    /// common name if that is allowed; what no rule fits is known and may do nothing.
    ///
    /// # Errors
    ///
    /// [`Refused`], by reason.
    pub fn caller(&self, der: &[u8], now_ms: i64) -> Result<Caller, Refused> {
        if der.len() > CERTIFICATE_BYTES_MAX {
            return Err(Refused::TooLong);
        }
        let certificate = Certificate::from_der(der).map_err(|_| Refused::BadCertificate)?;
        let certificate = certificate.tbs_certificate();
        let validity = certificate.validity();
        let now_s = now_ms.div_euclid(1000);
        let seconds = |time: &x509_cert::time::Time| {
            i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX)
        };
        if now_s < seconds(&validity.not_before) {
            return Err(Refused::NotYetValid);
        }
        if now_s > seconds(&validity.not_after) {
            return Err(Refused::Expired);
        }
        let issuer = certificate.issuer().to_string();
        if issuer.is_empty() || issuer.len() > ISSUER_BYTES_MAX || !is_printable(&issuer) {
            return Err(Refused::BadName);
        }
        let (kind, name) = match alternative_name(certificate)? {
            Some(found) => found,
            None if self.common_name => (Kind::CommonName, common_name(certificate)?),
            None => return Err(Refused::NoName),
        };
        let grants = self.rules.iter().filter(|rule| rule.name.fits(kind, &name));
        let grants = grants.flat_map(|rule| {
            rule.roles.iter().map(|role| Grant { role: role.clone(), logs: rule.logs.clone() })
        });
        Ok(Caller {
            issuer,
            subject: format!("{}:{name}", kind.as_str()),
            method: Method::Mtls,
            grants: grants.collect(),
        })
    }
}

/// Whose certificate this claims to be, for the record of a refusal: its alternative name and its
/// subject, unproven and shortened.
#[must_use]
pub fn claimed(der: &[u8]) -> String {
    let certificate = match der.len() <= CERTIFICATE_BYTES_MAX {
        true => Certificate::from_der(der).ok(),
        false => None,
    };
    let Some(certificate) = certificate else { return "(malformed)".to_owned() };
    let certificate = certificate.tbs_certificate();
    let short = |text: String| match is_printable(&text) {
        true => text[..text.floor_char_boundary(CLAIMED_BYTES_MAX)].to_owned(),
        false => "(not printable)".to_owned(),
    };
    let name = match alternative_name(certificate) {
        Ok(Some((kind, name))) => format!("{}:{name}", kind.as_str()),
        Ok(None) => "(none)".to_owned(),
        Err(refused) => format!("({})", refused.code()),
    };
    format!("{} {}", short(name), short(certificate.subject().to_string()))
}

/// The alternative name that counts.
fn alternative_name(
    certificate: &x509_cert::TbsCertificate,
) -> Result<Option<(Kind, String)>, Refused> {
    let names =
        certificate.get_extension::<SubjectAltName>().map_err(|_| Refused::BadCertificate)?;
    let names = names.map(|(_, names)| names.0).unwrap_or_default();
    let of = |kind: Kind| {
        names.iter().filter_map(move |name| match (kind, name) {
            (Kind::Uri, GeneralName::UniformResourceIdentifier(text))
            | (Kind::Dns, GeneralName::DnsName(text))
            | (Kind::Email, GeneralName::Rfc822Name(text)) => Some(text),
            _ => None,
        })
    };
    if of(Kind::Uri).count() > 1 {
        return Err(Refused::SeveralNames);
    }
    for kind in [Kind::Uri, Kind::Dns, Kind::Email] {
        if let Some(text) = of(kind).next() {
            return Ok(Some((kind, name(kind, text)?)));
        }
    }
    Ok(None)
}

/// A name in the one spelling that is compared.
fn name(kind: Kind, text: &Ia5String) -> Result<String, Refused> {
    let text: &str = text.as_ref();
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    if text.is_empty() || text.len() > NAME_BYTES_MAX || !plain {
        return Err(Refused::BadName);
    }
    // A wildcard stands for machines that nobody has named.
    if kind == Kind::Dns && text.contains('*') {
        return Err(Refused::BadName);
    }
    Ok(kind.spelled(text))
}

/// The only common name.
fn common_name(certificate: &x509_cert::TbsCertificate) -> Result<String, Refused> {
    let attributes = certificate.subject().as_ref().iter().flat_map(|part| part.iter());
    let mut found = attributes.filter(|attribute| attribute.oid.to_string() == COMMON_NAME);
    let attribute = found.next().ok_or(Refused::NoName)?;
    if found.next().is_some() {
        return Err(Refused::SeveralNames);
    }
    let value = &attribute.value;
    let text = value
        .decode_as::<Utf8StringRef<'_>>()
        .map(|text| text.as_str().to_owned())
        .or_else(|_| {
            value.decode_as::<PrintableStringRef<'_>>().map(|text| text.as_str().to_owned())
        })
        .map_err(|_: x509_cert::der::Error| Refused::BadName)?;
    if text.is_empty() || text.len() > NAME_BYTES_MAX || !is_printable(&text) {
        return Err(Refused::BadName);
    }
    Ok(text)
}

/// Neither control characters nor the invisible ones that turn text around.
pub(super) fn is_printable(text: &str) -> bool {
    !text.chars().any(|char| {
        let invisible = matches!(
            char,
            '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{e0000}'..='\u{e007f}'
        );
        char.is_control() || invisible
    })
}

#[cfg(test)]
mod tests;

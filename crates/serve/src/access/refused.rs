//! Why a credential was refused: one list for every kind of credential, so that a code means one
//! thing wherever it is read.
//!
//! The codes are a contract: they stand in answers and in the log. Never rename one. What was
//! presented is not in here: it goes to [`refusals`](super::refusals), shortened and without
//! secrets.

use std::fmt;

/// Declares the reasons once: variant, stable code, explanation with what to do.
macro_rules! reasons {
    ($($variant:ident, $code:literal, $text:literal;)*) => {
        /// Why a credential was refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Refused {
            $(#[doc = $text] $variant,)*
        }

        impl Refused {
            /// Every reason there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable code, as answers and the log carry it.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// What is wrong and what to do about it.
            #[must_use]
            pub fn explanation(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

reasons! {
    Malformed, "malformed", "the credential is not in a form that is known here; copy it again, whole";
    UnknownToken, "unknown_token", "no such token, or its secret is wrong; make one with `tacho token create`";
    Expired, "expired", "the credential has expired; get a new one";
    Revoked, "revoked", "the credential was revoked; ask for a new one";
    TokensUnusable, "tokens_unusable", "the server cannot read its list of tokens, so it lets nobody in by token; see its log";
    TooLong, "too_long", "the token is longer than any that is accepted; ask the issuer for fewer claims";
    NotThreeParts, "not_three_parts", "not a signed token: it has not three parts joined by dots";
    BadBase64, "bad_base64", "a part of the token is not base64url without padding";
    BadHeader, "bad_header", "the token's header is not the JSON object that it must be";
    BadClaims, "bad_claims", "the token's claims are not the JSON object that they must be";
    DuplicateName, "duplicate_name", "a name stands twice in the token, so two readers may see two tokens";
    AlgorithmNone, "algorithm_none", "the token is not signed";
    AlgorithmSymmetric, "algorithm_symmetric", "tokens with a shared secret are never accepted; use RS256, ES256 or EdDSA";
    AlgorithmUnknown, "algorithm_unknown", "the token names an algorithm that is not known here";
    AlgorithmNotAllowed, "algorithm_not_allowed", "the configuration does not allow this algorithm for this issuer";
    CriticalHeader, "critical_header", "the token demands an extension that is not known here";
    KeyInHeader, "key_in_header", "the token brings its own key or says where to fetch one; only configured keys count";
    WrongType, "wrong_type", "the token is of a type that this issuer's configuration does not accept";
    BadKeyId, "bad_key_id", "the key id in the token is no short printable text";
    MissingIssuer, "missing_issuer", "the token does not say who issued it";
    UnknownIssuer, "unknown_issuer", "no such issuer is configured; check the spelling, to the last slash";
    NotForOthers, "not_for_others", "this issuer may not vouch for end users; the configuration must allow it";
    KeysUnavailable, "keys_unavailable", "the issuer's keys could not be fetched; try again shortly";
    UnknownKey, "unknown_key", "the issuer publishes no key with the token's key id";
    AmbiguousKey, "ambiguous_key", "the token has no key id and the issuer publishes more than one key that fits";
    WrongKeyAlgorithm, "wrong_key_algorithm", "the key with the token's key id is for another algorithm";
    KeyNotForSigning, "key_not_for_signing", "the key with the token's key id is not for signatures";
    WeakKey, "weak_key", "the key with the token's key id is too short or malformed";
    BadSignature, "bad_signature", "the signature is not one over this credential by the key that it names";
    MissingAudience, "missing_audience", "the token does not say whom it is meant for";
    WrongAudience, "wrong_audience", "the token is meant for another audience";
    MissingExpiry, "missing_expiry", "the token has no expiry, so it would be valid for ever";
    NotYetValid, "not_yet_valid", "the credential is not valid yet; check both clocks";
    IssuedInFuture, "issued_in_future", "the token was issued in the future; check both clocks";
    BadTime, "bad_time", "a time in the token is no number of seconds";
    MissingSubject, "missing_subject", "the token does not say whom it is about";
    BadSubject, "bad_subject", "the token's subject is empty, too long or not printable";
    BoundToken, "bound_token", "the token is bound to a key of its holder, which is not checked here; ask for a bearer token";
    WrongNonce, "wrong_nonce", "the token answers another sign-in than the one that this browser began; begin again";
    IssuerUnavailable, "issuer_unavailable", "the issuer did not answer a sign-in as it must; check its address, the client's secret and the redirect address that it knows";
    BadCertificate, "bad_certificate", "the client certificate cannot be read";
    NoName, "no_name", "the client certificate has no alternative name that could be a principal";
    SeveralNames, "several_names", "the client certificate has several URIs, so whose it is stays open";
    BadName, "bad_name", "a name in the client certificate is empty, too long or not printable";
    UntrustedIssuer, "untrusted_issuer", "no authority that this server trusts vouches for the client certificate; send those between, too";
    WrongPurpose, "wrong_purpose", "the client certificate is not for clients (extended key usage)";
    BadChain, "bad_chain", "a rule for chains of certificates is broken: by an authority's own certificate in a client's place, by a chain that is too long, or by a name or an extension that is not allowed";
    RevocationUnknown, "revocation_unknown", "no current list says whether the client certificate was revoked; renew the authority's list";
}

impl Refused {
    /// Whether the fault is the server's and not the caller's: worth another attempt (503, not
    /// 401).
    #[must_use]
    pub fn is_ours(self) -> bool {
        matches!(self, Self::TokensUnusable | Self::KeysUnavailable | Self::IssuerUnavailable)
    }

    /// Whether only a handshake gives this reason: there is no answer to give it in.
    #[must_use]
    pub fn ends_handshake(self) -> bool {
        use Refused::{BadChain, RevocationUnknown, UntrustedIssuer, WrongPurpose};
        matches!(self, UntrustedIssuer | WrongPurpose | BadChain | RevocationUnknown)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.explanation())
    }
}

impl std::error::Error for Refused {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_reason_has_a_code_of_its_own() {
        let codes: BTreeSet<_> = Refused::ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(codes.len(), Refused::ALL.len());
        for code in codes {
            assert!(
                code.bytes()
                    .all(|byte| byte.is_ascii_lowercase() || b"_0123456789".contains(&byte))
            );
        }
    }
}

//! Bad tokens, each refused for its own reason.

use proptest::prelude::*;

use super::issuer::{encode, es_key, raw};
use super::*;

/// What is wrong with a token, the token, and the reason that must be given.
type Case = (String, String, Refused);

fn claim(name: &str, value: Value, reason: Refused) -> Case {
    let text = token(Signer::Es256, &header(Signer::Es256), &with(&claims(), name, value.clone()));
    (format!("claim {name} = {:.40}", value.to_string()), text, reason)
}

fn head(name: &str, value: Value, reason: Refused) -> Case {
    let text = token(Signer::Es256, &with(&header(Signer::Es256), name, value.clone()), &claims());
    (format!("header {name} = {:.40}", value.to_string()), text, reason)
}

fn bad_headers() -> Vec<Case> {
    use Refused::*;
    let mut cases = vec![
        head("alg", Value::Null, BadHeader),
        head("alg", json!(["ES256"]), BadHeader),
        head("alg", json!("none"), AlgorithmNone),
        head("alg", json!("nOnE"), AlgorithmNone),
        head("alg", json!("HS256"), AlgorithmSymmetric),
        head("alg", json!("HS512"), AlgorithmSymmetric),
        head("alg", json!("ES256K"), AlgorithmUnknown),
        head("alg", json!("es256"), AlgorithmUnknown),
        head("alg", json!(""), AlgorithmUnknown),
        head("alg", json!("ES384"), AlgorithmNotAllowed),
        head("alg", json!("PS256"), AlgorithmNotAllowed),
        head("alg", json!("EdDSA"), WrongKeyAlgorithm),
        head("alg", json!("RS256"), WrongKeyAlgorithm),
        head("crit", json!(["exp"]), CriticalHeader),
        head("crit", json!([]), CriticalHeader),
        head("jku", json!("https://evil.test/keys"), KeyInHeader),
        head("x5u", json!("https://evil.test/certificate"), KeyInHeader),
        head("x5c", json!(["AAAA"]), KeyInHeader),
        head("jwk", es_key("es"), KeyInHeader),
        head("typ", json!("logout+jwt"), WrongType),
        head("typ", json!("application/"), WrongType),
        head("typ", json!(1), WrongType),
        head("typ", json!("J".repeat(65)), WrongType),
        head("kid", json!(""), BadKeyId),
        head("kid", json!(7), BadKeyId),
        head("kid", json!(["es"]), BadKeyId),
        head("kid", json!("es\u{0}"), BadKeyId),
        head("kid", json!("e\u{202e}s"), BadKeyId),
        head("kid", json!("k".repeat(257)), BadKeyId),
    ];
    for id in ["other", "ES", "es ", "../../es", "es' OR '1'='1", "https://evil.test/keys", "*"] {
        cases.push(head("kid", json!(id), UnknownKey));
    }
    for (id, reason) in [
        ("enc", KeyNotForSigning),
        ("ops", KeyNotForSigning),
        ("ed", WrongKeyAlgorithm),
        ("shared", WrongKeyAlgorithm),
        ("future", WrongKeyAlgorithm),
        ("no kind", UnknownKey),
        ("off", BadSignature),
    ] {
        cases.push(head("kid", json!(id), reason));
    }
    for (signer, id, reason) in [
        (Signer::Rs256, "rs512", WrongKeyAlgorithm),
        (Signer::Rs256, "short", WeakKey),
        (Signer::EdDsa, "short-ed", WeakKey),
    ] {
        let text = token(signer, &with(&header(signer), "kid", json!(id)), &claims());
        cases.push((format!("key {id}"), text, reason));
    }
    cases
}

fn bad_claims() -> Vec<Case> {
    use Refused::*;
    vec![
        claim("iss", Value::Null, MissingIssuer),
        claim("iss", json!([ISSUER]), MissingIssuer),
        claim("iss", json!("https://evil.test"), UnknownIssuer),
        claim("iss", json!(format!("{ISSUER}/")), UnknownIssuer),
        claim("iss", json!(ISSUER.to_uppercase()), UnknownIssuer),
        claim("aud", Value::Null, MissingAudience),
        claim("aud", json!("other"), WrongAudience),
        claim("aud", json!("Tachograph"), WrongAudience),
        claim("aud", json!(["other", "tachograph2"]), WrongAudience),
        claim("aud", json!([[AUDIENCE]]), WrongAudience),
        claim("aud", json!({"tachograph": 1}), WrongAudience),
        claim("aud", json!([]), WrongAudience),
        claim("exp", Value::Null, MissingExpiry),
        claim("exp", json!(NOW_S - 30), Expired),
        claim("exp", json!(0), Expired),
        claim("exp", json!("2100-01-01"), BadTime),
        claim("exp", json!(NOW_MS), BadTime),
        claim("exp", json!(-1), BadTime),
        claim("exp", json!(1e300), BadTime),
        claim("exp", json!(u64::MAX), BadTime),
        claim("nbf", json!(NOW_S + 31), NotYetValid),
        claim("nbf", json!(true), BadTime),
        claim("iat", json!(NOW_S + 31), IssuedInFuture),
        claim("iat", json!(null_like()), BadTime),
        claim("sub", Value::Null, MissingSubject),
        claim("sub", json!(""), BadSubject),
        claim("sub", json!(7), BadSubject),
        claim("sub", json!("s".repeat(256)), BadSubject),
        claim("sub", json!("a\nb"), BadSubject),
        claim("sub", json!("a\u{202e}b"), BadSubject),
        claim("cnf", json!({"jkt": "x"}), BoundToken),
        claim("deep", deep(200), BadClaims),
        claim("long", json!("x".repeat(TOKEN_BYTES_MAX)), TooLong),
    ]
}

fn null_like() -> Value {
    json!([])
}

fn deep(levels: usize) -> Value {
    (0..levels).fold(json!(1), |inner, _| json!([inner]))
}

fn bad_texts() -> Vec<Case> {
    use Refused::*;
    let good = token(Signer::Es256, &header(Signer::Es256), &claims());
    let parts: Vec<&str> = good.split('.').collect();
    let (head, body, signature) = (parts[0], parts[1], parts[2]);
    let own =
        |signer, header: &str, claims: &str| raw(signer, header.as_bytes(), claims.as_bytes());
    let es = header(Signer::Es256).to_string();
    let other = encode(with(&claims(), "sub", json!("admin")).to_string().as_bytes());
    let twice = format!("{},\"sub\":\"admin\"}}", claims().to_string().trim_end_matches('}'));
    let raw_signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut flipped = raw_signature.clone();
    flipped[40] ^= 1;
    let cases = [
        ("nothing", String::new(), NotThreeParts),
        ("one part", head.to_owned(), NotThreeParts),
        ("two parts", format!("{head}.{body}"), NotThreeParts),
        ("four parts", format!("{good}.{signature}"), NotThreeParts),
        ("five parts, as encrypted", format!("{good}.a.b"), NotThreeParts),
        ("only dots", "..".to_owned(), BadHeader),
        ("padding", format!("{good}="), BadBase64),
        ("line end", format!("{good}\n"), BadBase64),
        ("space before", format!(" {good}"), BadBase64),
        ("other alphabet", format!("{head}.{body}.{}", "+/".repeat(43)), BadBase64),
        ("bits left over", format!("{head}.{body}.{}", "B".repeat(87)), BadBase64),
        ("one byte more", format!("{good}A"), BadSignature),
        ("one byte less", format!("{head}.{body}.{}", encode(&raw_signature[..63])), BadSignature),
        ("flipped bit", format!("{head}.{body}.{}", encode(&flipped)), BadSignature),
        ("zero signature", format!("{head}.{body}.{}", encode(&[0; 64])), BadSignature),
        ("no signature", format!("{head}.{body}."), BadSignature),
        ("other claims", format!("{head}.{other}.{signature}"), BadSignature),
        ("huge", "a".repeat(TOKEN_BYTES_MAX + 1), TooLong),
        ("header no JSON", own(Signer::Es256, "alg", "{}"), BadHeader),
        ("header a list", own(Signer::Es256, "[]", "{}"), BadHeader),
        ("more after the header", own(Signer::Es256, &format!("{es}{es}"), "{}"), BadHeader),
        ("claims a list", own(Signer::Es256, &es, "[]"), BadClaims),
        ("claims no JSON", own(Signer::Es256, &es, "{\"iss\":"), BadClaims),
        ("claims no UTF-8", raw(Signer::Es256, es.as_bytes(), b"{\"iss\":\"\xff\"}"), BadClaims),
        ("two subjects", own(Signer::Es256, &es, &twice), DuplicateName),
        (
            "two algorithms",
            own(Signer::Es256, r#"{"alg":"ES256","alg":"none"}"#, "{}"),
            DuplicateName,
        ),
        ("no algorithm", token(Signer::None, &header(Signer::None), &claims()), AlgorithmNone),
        (
            "public key as shared secret",
            token(Signer::Hs256, &header(Signer::Hs256), &claims()),
            AlgorithmSymmetric,
        ),
        (
            "public key as shared secret, named EdDSA",
            token(Signer::Hs256, &header(Signer::EdDsa), &claims()),
            BadSignature,
        ),
        (
            "a stranger's key",
            token(Signer::Stranger, &header(Signer::Es256), &claims()),
            BadSignature,
        ),
        (
            "no key id, several keys",
            token(Signer::Es256, &json!({"alg": "RS256"}), &claims()),
            BadSignature,
        ),
        (
            "no key id, one key that could be it",
            token(Signer::Stranger, &json!({"alg": "ES256"}), &claims()),
            AmbiguousKey,
        ),
    ];
    cases.into_iter().map(|(what, text, reason)| (what.to_owned(), text, reason)).collect()
}

#[test]
fn bad_tokens_are_refused_each_for_its_reason() {
    let oidc = oidc();
    let cases = [bad_headers(), bad_claims(), bad_texts()].concat();
    assert!(cases.len() > 90, "{}", cases.len());
    for (what, text, reason) in &cases {
        assert_eq!(oidc.verify(text, NOW_MS).map(|_| ()), Err(*reason), "{what}");
        let other = oidc.verify_on_behalf_of(text, NOW_MS).map(|_| ());
        assert_eq!(other, Err(*reason), "{what}, on behalf of");
        assert!(claimed(text).len() <= 128, "{what}");
    }
    // Every reason that a token can give is among them, but for those that are about the server.
    let given: BTreeSet<Refused> = cases.iter().map(|(_, _, reason)| *reason).collect();
    let mut wanted: BTreeSet<Refused> = Refused::ALL.iter().copied().collect();
    for elsewhere in [
        Refused::Malformed,
        Refused::UnknownToken,
        Refused::Revoked,
        Refused::TokensUnusable,
        Refused::NotForOthers,
        Refused::KeysUnavailable,
        Refused::WrongNonce,
        Refused::IssuerUnavailable,
        Refused::BadCertificate,
        Refused::NoName,
        Refused::SeveralNames,
        Refused::BadName,
        Refused::UntrustedIssuer,
        Refused::WrongPurpose,
        Refused::BadChain,
        Refused::RevocationUnknown,
    ] {
        wanted.remove(&elsewhere);
    }
    assert_eq!(given, wanted);
}

#[test]
fn type_can_be_required() {
    let strict = IssuerConfig { type_required: true, types: vec!["at+jwt".into()], ..config() };
    let oidc = Oidc::new(vec![strict], fetching()).unwrap();
    let of = |kind: Value| {
        let text = token(Signer::Es256, &with(&header(Signer::Es256), "typ", kind), &claims());
        oidc.verify(&text, NOW_MS).map(|_| ())
    };
    assert_eq!(of(Value::Null), Err(Refused::WrongType));
    assert_eq!(of(json!("JWT")), Err(Refused::WrongType));
    assert_eq!(of(json!("at+jwt")), Ok(()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever bytes of a good token change, it is refused.
    #[test]
    fn changed_token_is_never_let_in(
        changes in prop::collection::vec((any::<u16>(), 0x21_u8..0x7f), 1..4)
    ) {
        let good = token(Signer::EdDsa, &header(Signer::EdDsa), &claims());
        let mut bytes = good.clone().into_bytes();
        for (position, byte) in changes {
            let position = usize::from(position) % bytes.len();
            bytes[position] = byte;
        }
        let text = String::from_utf8(bytes).unwrap();
        let let_in = oidc().verify(&text, NOW_MS).is_ok();
        prop_assert_eq!(let_in, text == good);
    }

    /// Any text is refused without a panic.
    #[test]
    fn any_text_is_refused(text in ".{0,60}", header in ".{0,40}", claims in ".{0,40}") {
        let oidc = oidc();
        prop_assert!(oidc.verify(&text, NOW_MS).is_err());
        let text = raw(Signer::EdDsa, header.as_bytes(), claims.as_bytes());
        prop_assert!(oidc.verify(&text, NOW_MS).is_err());
        let _ = claimed(&text);
    }
}

//! HMAC-SHA-256 (RFC 2104, FIPS 180-4) over parts, so that callers never join buffers first.
//!
//! Parts are concatenated as they are: callers whose parts vary in length must separate them.

use std::fmt;

use aws_lc_rs::hmac;

/// An HMAC-SHA-256 key that was set up once and is used many times.
#[derive(Clone)]
pub struct HmacKey(hmac::Key);

impl HmacKey {
    /// Sets the key up. Any length is valid; 32 random bytes are what it should be.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The 32-byte code of the concatenated parts.
    #[must_use]
    pub fn sign(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(part);
        }
        let mut code = [0; 32];
        code.copy_from_slice(context.sign().as_ref());
        code
    }

    /// Whether `code` is the code of the concatenated parts; compared in constant time.
    #[must_use]
    pub fn verify(&self, parts: &[&[u8]], code: &[u8]) -> bool {
        subtle::ConstantTimeEq::ct_eq(self.sign(parts).as_slice(), code).into()
    }
}

impl fmt::Debug for HmacKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("HmacKey(..)")
    }
}

/// One HMAC-SHA-256. To use a key more than once, keep an [`HmacKey`].
#[must_use]
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    HmacKey::new(key).sign(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test cases 2 and 6 (a key longer than the block).
    #[test]
    fn matches_rfc_4231() {
        let code = hmac_sha256(b"Jefe", &[b"what do ya want ", b"", b"for nothing?"]);
        assert_eq!(
            hex::encode(code),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        let code =
            hmac_sha256(&[0xaa; 131], &[b"Test Using Larger Than Block-Size Key - Hash Key First"]);
        assert_eq!(
            hex::encode(code),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

    #[test]
    fn key_is_reusable_and_verify_refuses_changes() {
        let key = HmacKey::new(&[3; 32]);
        let code = key.sign(&[b"a", b"b"]);
        assert_eq!(code, key.sign(&[b"ab"]));
        assert!(key.verify(&[b"ab"], &code));
        assert!(!key.verify(&[b"ac"], &code));
        assert!(!key.verify(&[b"ab"], &code[..31]));
        assert!(!HmacKey::new(&[4; 32]).verify(&[b"ab"], &code));
        assert_eq!(format!("{key:?}"), "HmacKey(..)");
    }
}

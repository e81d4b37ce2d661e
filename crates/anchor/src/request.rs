//! What an authority is asked: `TimeStampReq`, always of the same shape.

use crate::digest::Digest;

/// The request up to the hash: version 1, SHA-256, 32 bytes to come. Then the nonce, and `certReq`.
const HEAD: [u8; 24] = [
    0x30, 0x43, 0x02, 0x01, 0x01, 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65,
    0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20,
];
const NONCE: [u8; 2] = [0x02, 0x08];
const CERTIFICATE_WANTED: [u8; 3] = [0x01, 0x01, 0xff];

/// What an authority is asked about some bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    hash: Vec<u8>,
    nonce: u64,
}

impl Request {
    /// The media type that it is sent as.
    pub const MEDIA_TYPE: &'static str = "application/timestamp-query";
    /// The media type of the answer.
    pub const ANSWER_TYPE: &'static str = "application/timestamp-reply";

    /// For these bytes. `random`: fresh for each request, so that an old answer is not taken for a
    /// new one.
    #[must_use]
    pub fn new(message: &[u8], random: u64) -> Self {
        // Eight bytes in DER, whatever comes: not negative, and no zero in front.
        let nonce = random & (u64::MAX >> 1) | 1 << 62;
        Self { hash: Digest::Sha256.of(message).as_ref().to_vec(), nonce }
    }

    /// What is sent.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let nonce = self.nonce.to_be_bytes();
        [&HEAD[..], &self.hash, &NONCE, &nonce, &CERTIFICATE_WANTED].concat()
    }

    pub(crate) fn nonce(&self) -> u64 {
        self.nonce
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_request_has_one_length_whatever_is_asked(message: Vec<u8>, random: u64) {
            let request = Request::new(&message, random);
            let bytes = request.to_der();
            prop_assert_eq!(bytes.len(), usize::from(bytes[1]) + 2);
            prop_assert!(request.nonce().leading_zeros() == 1);
        }
    }

    #[test]
    fn requests_of_other_bytes_or_other_nonces_differ() {
        let one = Request::new(b"a", 1).to_der();
        assert_ne!(one, Request::new(b"b", 1).to_der());
        assert_ne!(one, Request::new(b"a", 2).to_der());
    }
}

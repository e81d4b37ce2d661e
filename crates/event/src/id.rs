//! Event ids that a second delivery of the same foreign record gets again.

use sha2::{Digest, Sha256};

/// A UUID (version 8, RFC 9562 section 5.8) from the SHA-256 of a format's name and the parts that
/// identify the record there. Parts are length-prefixed, so no two lists collide by concatenation.
#[must_use]
pub fn derive(format: &str, parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    hash.update(b"tachograph/event-id/v1\0");
    for part in std::iter::once(&format.as_bytes()).chain(parts) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest: [u8; 32] = hash.finalize().into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

#[cfg(test)]
mod tests {
    use super::derive;

    #[test]
    fn ids_depend_on_every_part_and_on_where_parts_end() {
        let id = derive("a", &[b"bc", b"d"]);
        assert_eq!(id, derive("a", &[b"bc", b"d"]));
        assert_ne!(id, derive("a", &[b"b", b"cd"]));
        assert_ne!(id, derive("ab", &[b"c", b"d"]));
        assert_eq!(id.len(), 36);
    }
}

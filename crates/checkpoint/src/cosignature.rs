//! The bytes that a cosigner signs: C2SP `tlog-cosignature` v1.1.
//!
//! Only the encoding; keys are in `verifier.rs` and `signer.rs`.

use crate::head::CheckpointText;

/// The latest time that a cosignature can state, in seconds since the epoch.
pub const MAX_TIMESTAMP_S: u64 = i64::MAX as u64;

/// What a cosigner states: at this time, this was the largest consistent tree that it knew.
pub(crate) struct Statement<'a> {
    text: &'a str,
    checkpoint: CheckpointText,
    timestamp_s: u64,
}

impl<'a> Statement<'a> {
    /// `None`: the text is not a checkpoint, or the time is past [`MAX_TIMESTAMP_S`].
    pub(crate) fn new(text: &'a str, timestamp_s: u64) -> Option<Self> {
        let checkpoint = CheckpointText::parse(text).ok()?;
        (timestamp_s <= MAX_TIMESTAMP_S).then_some(Statement { text, checkpoint, timestamp_s })
    }

    /// Whether the text has lines that [`Statement::ml_dsa_message`] does not cover.
    pub(crate) fn has_extensions(&self) -> bool {
        !self.checkpoint.extensions.is_empty()
    }

    /// The Ed25519 message: two lines, then the whole text of the note.
    pub(crate) fn ed25519_message(&self) -> Vec<u8> {
        format!("cosignature/v1\ntime {}\n{}", self.timestamp_s, self.text).into_bytes()
    }

    /// The ML-DSA-44 message: a `cosigned_message` structure in TLS encoding (RFC 8446 section 3).
    ///
    /// It does not cover extension lines. `None`: a name is empty or longer than 255 bytes.
    pub(crate) fn ml_dsa_message(&self, cosigner: &str) -> Option<Vec<u8>> {
        let head = &self.checkpoint.checkpoint;
        let mut message = Vec::with_capacity(78 + cosigner.len() + head.origin.len());
        message.extend_from_slice(b"subtree/v1\n\0");
        push_short(&mut message, cosigner)?;
        message.extend_from_slice(&self.timestamp_s.to_be_bytes());
        push_short(&mut message, &head.origin)?;
        message.extend_from_slice(&0_u64.to_be_bytes());
        message.extend_from_slice(&head.size.to_be_bytes());
        message.extend_from_slice(head.root.as_bytes());
        Some(message)
    }
}

/// Splits a `timestamped_signature` structure into its time and its signature.
pub(crate) fn split(signature: &[u8]) -> Option<(u64, &[u8])> {
    let (timestamp, signature) = signature.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*timestamp), signature))
}

/// A text of 1 to 255 bytes behind one length byte.
fn push_short(message: &mut Vec<u8>, text: &str) -> Option<()> {
    let length = u8::try_from(text.len()).ok().filter(|length| *length > 0)?;
    message.push(length);
    message.extend_from_slice(text.as_bytes());
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "example.com/behind-the-sofa\n20852163\n\
                        CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    #[test]
    fn the_ed25519_message_is_that_of_the_specification() {
        let statement = Statement::new(TEXT, 1_679_315_147).unwrap();
        let expected = format!("cosignature/v1\ntime 1679315147\n{TEXT}");
        assert_eq!(statement.ed25519_message(), expected.as_bytes());
    }

    #[test]
    fn the_ml_dsa_message_has_every_field_at_its_place() {
        let statement = Statement::new(TEXT, 5).unwrap();
        let message = statement.ml_dsa_message("w1").unwrap();
        let mut expected = b"subtree/v1\n\0\x02w1\0\0\0\0\0\0\0\x05\x1b".to_vec();
        expected.extend_from_slice(b"example.com/behind-the-sofa\0\0\0\0\0\0\0\0");
        expected.extend_from_slice(&[0, 0, 0, 0, 1, 0x3e, 0x2d, 0xc3]);
        assert_eq!(message[..expected.len()], expected);
        assert_eq!(message[expected.len()..], statement.checkpoint.checkpoint.root.0);
    }

    #[test]
    fn what_cannot_be_stated_is_refused() {
        assert!(Statement::new("not a checkpoint\n", 1).is_none());
        assert!(Statement::new(TEXT, MAX_TIMESTAMP_S + 1).is_none());
        let extended = format!("{TEXT}extension\n");
        assert!(Statement::new(&extended, 1).unwrap().has_extensions());
        assert!(Statement::new(TEXT, 1).unwrap().ml_dsa_message("").is_none());
        assert!(Statement::new(TEXT, 1).unwrap().ml_dsa_message(&"w".repeat(256)).is_none());
    }
}

//! What an authority answered: `TimeStampResp`, with a token in it or a reason why not. A bare
//! token, as some tools keep it, is read as well.

use crate::der::Items;
use crate::error::StampError;
use x509_cert::der::Tag;

/// Bytes of an answer that are read: with the certificates of an authority they are 3 to 8 KiB.
pub const RESPONSE_BYTES_MAX: usize = 64 << 10;

/// Characters of an authority's words that are kept.
const TEXT_MAX: usize = 200;

/// The token in an answer: its `ContentInfo`.
pub(crate) fn token_in(bytes: &[u8]) -> Result<&[u8], StampError> {
    if bytes.len() > RESPONSE_BYTES_MAX {
        return Err(StampError::TooLong { bytes: bytes.len(), most: RESPONSE_BYTES_MAX });
    }
    let of = "the answer";
    let mut items = Items::one(bytes, of)?.items(of)?;
    // A bare token begins with the name of its kind.
    if items.optional(Tag::ObjectIdentifier)?.is_some() {
        return Ok(bytes);
    }
    let of = "the status";
    let mut status = items.expect(Tag::Sequence)?.items(of)?;
    let code = status.expect(Tag::Integer)?.number(of)?;
    // 0 is granted, 1 is granted with modifications.
    if code > 1 {
        let text = status.optional(Tag::Sequence)?.map(|texts| said(texts.value));
        return Err(StampError::Refused { status: code, text: text.unwrap_or_default() });
    }
    let token = items.expect(Tag::Sequence)?;
    items.end()?;
    Ok(token.whole)
}

/// The words of an authority, as far as they can be shown.
fn said(texts: &[u8]) -> String {
    let mut words = Vec::new();
    if let Ok(mut items) = Items::new(texts, "the status") {
        while let Ok(Some(item)) = items.next() {
            words.push(String::from_utf8_lossy(item.value).into_owned());
        }
    }
    printable(&words.join(" "))
}

/// Somebody else's words, short and without what moves a cursor.
pub(crate) fn printable(text: &str) -> String {
    let shown = |it: char| if it.is_control() { '\u{fffd}' } else { it };
    text.chars().map(shown).take(TEXT_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_in_the_words_of_the_authority() {
        let mut refused = vec![0x30, 13, 0x30, 11, 2, 1, 2, 0x30, 6, 0x0c, 4];
        refused.extend(b"no\x1b!");
        let told = token_in(&refused).unwrap_err();
        assert_eq!(told, StampError::Refused { status: 2, text: "no\u{fffd}!".to_owned() });
        assert_eq!(told.to_string(), "the authority refused it with status 2: no\u{fffd}!");
        let bare = token_in(&[0x30, 5, 0x30, 3, 2, 1, 4]).unwrap_err();
        assert_eq!(bare.to_string(), "the authority refused it with status 4");
    }

    #[test]
    fn what_is_too_long_is_not_read() {
        let long = vec![0x30; RESPONSE_BYTES_MAX + 1];
        assert!(matches!(token_in(&long), Err(StampError::TooLong { .. })));
    }
}

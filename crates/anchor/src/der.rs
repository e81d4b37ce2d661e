//! DER as far as stamps need it: values one after the other, as slices of what was read. The
//! lengths are read by the crate `der`, which takes no other than the shortest spelling.
//!
//! By hand, because what is signed must stay the bytes that came: structures that are decoded and
//! encoded again may differ from them.

use crate::error::StampError;
use x509_cert::der::asn1::AnyRef;
use x509_cert::der::{Decode, Reader, SliceReader, Tag, TagNumber, Tagged};

/// One value.
#[derive(Clone, Copy)]
pub(crate) struct Item<'a> {
    pub(crate) tag: Tag,
    /// What is in it.
    pub(crate) value: &'a [u8],
    /// With tag and length.
    pub(crate) whole: &'a [u8],
}

/// Values, one after the other.
pub(crate) struct Items<'a> {
    reader: SliceReader<'a>,
    /// What they belong to, for errors.
    of: &'static str,
}

/// A constructed tag of the context: `[0]`, `[1]`.
pub(crate) fn context(number: u32) -> Tag {
    Tag::ContextSpecific { constructed: true, number: TagNumber(number) }
}

/// The same of something that has no parts.
pub(crate) fn context_plain(number: u32) -> Tag {
    Tag::ContextSpecific { constructed: false, number: TagNumber(number) }
}

impl<'a> Items<'a> {
    /// Those in these bytes.
    pub(crate) fn new(bytes: &'a [u8], of: &'static str) -> Result<Self, StampError> {
        let reader = SliceReader::new(bytes).map_err(|_| StampError::Malformed(of))?;
        Ok(Self { reader, of })
    }

    /// The only value in these bytes.
    pub(crate) fn one(bytes: &'a [u8], of: &'static str) -> Result<Item<'a>, StampError> {
        let mut items = Self::new(bytes, of)?;
        let item = items.next()?.ok_or(StampError::Malformed(of))?;
        items.end()?;
        Ok(item)
    }

    /// The next one, if there is one.
    pub(crate) fn next(&mut self) -> Result<Option<Item<'a>>, StampError> {
        if self.reader.is_finished() {
            return Ok(None);
        }
        let wrong = |_| StampError::Malformed(self.of);
        let whole = self.reader.tlv_bytes().map_err(wrong)?;
        let any = AnyRef::from_der(whole).map_err(wrong)?;
        Ok(Some(Item { tag: any.tag(), value: any.value(), whole }))
    }

    /// The next one, which must have this tag.
    pub(crate) fn expect(&mut self, tag: Tag) -> Result<Item<'a>, StampError> {
        self.next()?.filter(|item| item.tag == tag).ok_or(StampError::Malformed(self.of))
    }

    /// The next one, if it has this tag.
    pub(crate) fn optional(&mut self, tag: Tag) -> Result<Option<Item<'a>>, StampError> {
        let here = self.reader.clone();
        match self.next()? {
            Some(item) if item.tag == tag => Ok(Some(item)),
            _ => {
                self.reader = here;
                Ok(None)
            }
        }
    }

    /// There must be no more.
    pub(crate) fn end(&self) -> Result<(), StampError> {
        match self.reader.is_finished() {
            true => Ok(()),
            false => Err(StampError::Malformed(self.of)),
        }
    }
}

impl<'a> Item<'a> {
    /// What is in it, one after the other.
    pub(crate) fn items(&self, of: &'static str) -> Result<Items<'a>, StampError> {
        Items::new(self.value, of)
    }

    /// A number that is not negative and fits.
    pub(crate) fn number(&self, of: &'static str) -> Result<u64, StampError> {
        let digits = match self.value {
            [0, rest @ ..] if !rest.is_empty() => rest,
            [first, ..] if *first < 0x80 => self.value,
            _ => return Err(StampError::Malformed(of)),
        };
        if digits.len() > 8 {
            return Err(StampError::Malformed(of));
        }
        Ok(digits.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_given_as_it_came_and_nothing_may_follow_it() {
        let item = Items::one(&[0x30, 3, 2, 1, 5], "it").unwrap();
        assert_eq!((item.tag, item.value, item.whole.len()), (Tag::Sequence, &[2, 1, 5][..], 5));
        let mut items = item.items("it").unwrap();
        assert!(items.optional(Tag::Boolean).unwrap().is_none());
        assert_eq!(items.expect(Tag::Integer).unwrap().number("it").unwrap(), 5);
        assert!(items.end().is_ok() && items.expect(Tag::Integer).is_err());
        for bad in [&[0x30, 3, 2, 1][..], &[0x30, 0, 0], &[0x30, 0x81, 0], &[0x30, 0x80, 0, 0], &[]]
        {
            assert!(Items::one(bad, "it").is_err(), "{bad:?}");
        }
    }

    #[test]
    fn numbers_are_not_negative_and_have_at_most_eight_bytes() {
        let number =
            |value: &[u8]| Item { tag: Tag::Integer, value, whole: value }.number("it").ok();
        assert_eq!(number(&[0, 0x80]), Some(128));
        assert_eq!(number(&[0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), Some(u64::MAX));
        assert_eq!(number(&[0]), Some(0));
        assert_eq!((number(&[0x80]), number(&[]), number(&[1; 9])), (None, None, None));
    }
}

//! The protobuf frame around records, walked without building it: records are decoded one at a
//! time, so a bad one costs only itself, and no count in the bytes decides how much memory is
//! taken.

use crate::CaptureError;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

/// The length-delimited fields of one message, as (tag, bytes); others are skipped.
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
    length: usize,
    broken: bool,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(message: &'a [u8]) -> Self {
        Self { rest: message, length: message.len(), broken: false }
    }

    fn next_field(&mut self) -> Result<Option<(u32, &'a [u8])>, &'static str> {
        while !self.rest.is_empty() {
            let (tag, wire_type) = decode_key(&mut self.rest).map_err(|_| "not a field key")?;
            if wire_type != WireType::LengthDelimited {
                skip_field(wire_type, tag, &mut self.rest, DecodeContext::default())
                    .map_err(|_| "not a field value")?;
                continue;
            }
            let length = decode_varint(&mut self.rest).map_err(|_| "not a length")?;
            let length = usize::try_from(length).map_err(|_| "a length past the end")?;
            let (field, rest) =
                self.rest.split_at_checked(length).ok_or("a length past the end")?;
            self.rest = rest;
            return Ok(Some((tag, field)));
        }
        Ok(None)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, &'a [u8]), CaptureError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.broken {
            return None;
        }
        let position = self.length.saturating_sub(self.rest.len());
        self.next_field()
            .map_err(|reason| {
                self.broken = true;
                CaptureError::BrokenProtobuf { position, reason }
            })
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_and_breaks_are_placed() {
        let bytes = [0x08, 0x01, 0x12, 0x02, 7, 8, 0x12, 0x00, 0x1a, 0x7f];
        let mut fields = Fields::new(&bytes);
        assert_eq!(fields.next(), Some(Ok((2, &[7, 8][..]))));
        assert_eq!(fields.next(), Some(Ok((2, &[][..]))));
        let broken = CaptureError::BrokenProtobuf { position: 8, reason: "a length past the end" };
        assert_eq!(fields.next(), Some(Err(broken)));
        assert_eq!(fields.next(), None);
    }
}

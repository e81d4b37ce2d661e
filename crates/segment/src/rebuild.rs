//! A record's text put together from its shape and the values of its columns.
//!
//! This is the whole of what a second reader must do, in any language: copy the shape, and at each
//! placeholder write the canonical text of the column that it names (`cell`).

use crate::column::{COLUMNS, PLACEHOLDER, Part, by_code};

/// Why a shape could not be filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RebuildError {
    #[error("its shape ends inside a placeholder")]
    CutShort,
    #[error("its shape names column code {0:#04x}, which it does not have")]
    UnknownCode(u8),
    #[error("its shape names column `{0}` twice")]
    Twice(&'static str),
    #[error("its shape names column `{0}`, which is empty")]
    Empty(&'static str),
}

/// Appends the text. `write` appends the canonical text of the column at a position and says
/// whether there is one.
///
/// Each column is taken once at most, so the text is never longer than all that was stored.
pub(crate) fn rebuild(
    part: Part,
    shape: &[u8],
    mut write: impl FnMut(usize, &mut Vec<u8>) -> bool,
    out: &mut Vec<u8>,
) -> Result<(), RebuildError> {
    let mut used = [false; COLUMNS.len()];
    let mut rest = shape;
    while let Some(at) = memchr::memchr(PLACEHOLDER, rest) {
        let (before, behind) = rest.split_at(at);
        out.extend_from_slice(before);
        let code = *behind.get(1).ok_or(RebuildError::CutShort)?;
        rest = behind.get(2..).unwrap_or_default();
        if code == PLACEHOLDER {
            out.push(PLACEHOLDER);
            continue;
        }
        let at = by_code(code, part).ok_or(RebuildError::UnknownCode(code))?;
        if std::mem::replace(&mut used[at], true) {
            return Err(RebuildError::Twice(COLUMNS[at].name));
        }
        if !write(at, out) {
            return Err(RebuildError::Empty(COLUMNS[at].name));
        }
    }
    out.extend_from_slice(rest);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(shape: &[u8]) -> Result<Vec<u8>, RebuildError> {
        let mut out = Vec::new();
        let write = |at: usize, out: &mut Vec<u8>| {
            out.extend_from_slice(b"<>");
            COLUMNS[at].name != "tool"
        };
        rebuild(Part::Meta, shape, write, &mut out).map(|()| out)
    }

    #[test]
    fn placeholders_are_filled_and_doubled_ones_undone() {
        assert_eq!(filled(b"x\x1aay\x1a\x1az\x1ab").unwrap(), b"x<>y\x1az<>");
        assert_eq!(filled(b"").unwrap(), b"");
    }

    #[test]
    fn shapes_that_no_writer_makes_are_refused() {
        assert_eq!(filled(b"x\x1a"), Err(RebuildError::CutShort));
        assert_eq!(filled(b"\x1a1"), Err(RebuildError::UnknownCode(b'1')));
        // A column of the content.
        assert_eq!(filled(b"\x1aS"), Err(RebuildError::UnknownCode(b'S')));
        assert_eq!(filled(b"\x1aa\x1aa"), Err(RebuildError::Twice("event_id")));
        assert_eq!(filled(b"\x1am"), Err(RebuildError::Empty("tool")));
    }
}

//! Whole documents on standard output: reports and examinations, made here or by a server.
//!
//! Not here: what they say and how they are written (`report`).

use crate::arguments::Format;
use crate::context::Context;
use crate::failure::Failure;
use std::io::{IsTerminal as _, Write as _};

/// Prints a document.
pub(crate) fn print(context: &Context, bytes: &[u8], format: Format) -> Result<(), Failure> {
    if format == Format::Pdf && std::io::stdout().is_terminal() {
        return Err(Failure::usage("a PDF is no text for a terminal; add `> FILE.pdf`"));
    }
    if format == Format::Text {
        let mut out = context.terminal.people();
        out.write_all(bytes)?;
        return Ok(out.flush()?);
    }
    let mut out = context.terminal.programs();
    out.write_all(bytes)?;
    Ok(out.flush()?)
}

/// What a server wrote, to be shown: what moves a terminal's cursor is no part of a text.
pub(crate) fn harmless(bytes: Vec<u8>, format: Format) -> Vec<u8> {
    if format != Format::Text {
        return bytes;
    }
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    text.retain(|it| it == '\n' || !it.is_control());
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_for_people_moves_no_cursor() {
        let text = "a\u{1b}[2Jb\r\nc\u{9b}".as_bytes().to_vec();
        assert_eq!(harmless(text.clone(), Format::Text), b"a[2Jb\nc");
        assert_eq!(harmless(text.clone(), Format::Html), text);
    }
}

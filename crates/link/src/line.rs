//! An event as a producer sends it: one line, and many lines packed.

use event::Event;
use std::io;

/// Packing: faster than most networks, and events repeat themselves.
const ZSTD_LEVEL: i32 = 3;

/// An event as a producer sends it, with a line break behind it.
pub fn write_line(mut event: Event<'_>, out: &mut Vec<u8>) {
    // Only a receiver vouches for it, and a producer's claim would be kept beside that.
    event.assurance = None;
    let at = out.len();
    event.write_meta(out);
    let mut content = Vec::new();
    event.write_content(&mut content);
    if let Some(members) = content.get(1..).filter(|members| members.len() > 1)
        && out.len() > at
    {
        out.pop();
        out.push(b',');
        out.extend_from_slice(members);
    }
    out.push(b'\n');
}

/// Lines as a body of a request.
///
/// # Errors
/// What the packer says.
pub fn pack(lines: &[u8]) -> io::Result<Vec<u8>> {
    zstd::bulk::compress(lines, ZSTD_LEVEL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_sent_as_it_would_be_sealed() {
        let text =
            br#"{"event_type":"a.b","event_id":"e","params":{"n":1.50},"own":[1],"tags":["x"]}"#;
        for text in [&text[..], br#"{"event_type":"a.b"}"#] {
            let mut event = Event::from_json(text).unwrap();
            event.assurance = Some(event::Assurance::Imported);
            let mut line = Vec::new();
            write_line(event.clone(), &mut line);
            let read = Event::from_json(line.trim_ascii_end()).unwrap();
            assert_eq!(read, Event { assurance: None, ..event });
        }
    }
}

//! The shape of notes: what is read is exactly what the specification allows.

use proptest::prelude::*;

use super::*;

/// The example of C2SP `signed-note`.
const EXAMPLE: &str = "This is an example message.\n\n\u{2014} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv\
                       1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

#[test]
fn the_example_of_the_specification_is_read() {
    let note = Note::parse(EXAMPLE).unwrap();
    assert_eq!(note.text(), "This is an example message.\n");
    let [line] = note.signatures() else { panic!("one signature line") };
    assert_eq!(line.name(), "example.com/foo");
    assert_eq!(line.key_id(), [0x53, 0x0d, 0x90, 0x3a]);
    assert_eq!(line.signature().len(), 64);
    assert_eq!(note.to_string(), EXAMPLE);
}

#[test]
fn a_text_may_hold_empty_lines_and_is_split_at_the_last() {
    let note = Note::parse("\n\na\n\n\n\nb\n\n\u{2014} n AAAAAAA=\n").unwrap();
    assert_eq!(note.text(), "\n\na\n\n\n\nb\n");
    let note = Note::parse("a\n\n\n\u{2014} n AAAAAAA=\n").unwrap();
    assert_eq!(note.text(), "a\n\n");
}

#[test]
fn every_deviation_is_refused() {
    for note in [
        "",
        "\n",
        "\n\n",
        "a",
        "a\n",
        "a\n\n",
        "a\n\n\n",
        "a\n\u{2014} n AAAAAAA=\n",
        "\n\u{2014} n AAAAAAA=\n",
        "\u{2014} n AAAAAAA=\n",
        "a\n\n\u{2014} n AAAAAAA=",
        "a\n\n\u{2014} n AAAAAAA=\n\n",
        "a\n\n\u{2014} n AAAAAAA=\n\u{2014} n AAAAAAA=",
        "a\n\n\u{2014} n AAAAAAA=\nb\n",
        "a\n\n\u{2014} n AAAAAAA=\n\n\u{2014} n AAAAAAA=\n\n",
        "a\r\n\r\n\u{2014} n AAAAAAA=\r\n",
        "a\tb\n\n\u{2014} n AAAAAAA=\n",
        "a\0b\n\n\u{2014} n AAAAAAA=\n",
        "a\n\n- n AAAAAAA=\n",
        "a\n\n\u{2013} n AAAAAAA=\n",
        "a\n\n \u{2014} n AAAAAAA=\n",
        "a\n\n\u{2014}  n AAAAAAA=\n",
        "a\n\n\u{2014}\u{a0}n AAAAAAA=\n",
        "a\n\n\u{2014} n  AAAAAAA=\n",
        "a\n\n\u{2014} n AAAAAAA= \n",
        "a\n\n\u{2014} n AAAAAAA= x\n",
        "a\n\n\u{2014}  AAAAAAA=\n",
        "a\n\n\u{2014} AAAAAAA=\n",
        "a\n\n\u{2014} n+m AAAAAAA=\n",
        "a\n\n\u{2014} n\u{2003}m AAAAAAA=\n",
        "a\n\n\u{2014} n AAAAAAB=\n",
        "a\n\n\u{2014} n AAAAAAA\n",
        "a\n\n\u{2014} n AAAAAA==\n",
        "a\n\n\u{2014} n AAAA\n",
        "a\n\n\u{2014} n \n",
        "a\n\n\u{2014} n\n",
    ] {
        assert!(Note::parse(note).is_err(), "{note:?}");
    }
    assert_eq!(Note::parse(b"a\xff\n\n\xe2\x80\x94 n AAAAAAA=\n"), Err(NoteError::Encoding));
}

#[test]
fn sixteen_signatures_are_read_and_more_than_the_limit_are_not() {
    let of = |count: usize| format!("a\n\n{}", "\u{2014} n AAAAAAA=\n".repeat(count));
    assert_eq!(Note::parse(of(16)).unwrap().signatures().len(), 16);
    assert_eq!(Note::parse(of(MAX_SIGNATURES)).unwrap().signatures().len(), MAX_SIGNATURES);
    let refused = Note::parse(of(MAX_SIGNATURES + 1));
    assert_eq!(refused, Err(NoteError::TooManySignatures(MAX_SIGNATURES + 1)));
    let mut full = Note::parse(of(MAX_SIGNATURES)).unwrap();
    let line = full.signatures()[0].clone();
    assert!(full.add(line).is_err());
}

#[test]
fn limits_on_bytes_hold() {
    let line = "\n\u{2014} n AAAAAAA=\n";
    let fits = format!("{}\n{line}", "a".repeat(MAX_NOTE_BYTES - 1 - line.len()));
    assert_eq!(fits.len(), MAX_NOTE_BYTES);
    assert!(Note::parse(&fits).is_ok());
    assert_eq!(Note::parse(format!("a{fits}")), Err(NoteError::TooLong(MAX_NOTE_BYTES + 1)));
    let signed = |length| NoteSignature::new("n", [0; 4], vec![7; length]);
    let longest = signed(MAX_SIGNATURE_BYTES).unwrap();
    assert_eq!(NoteSignature::parse(&longest.to_string()), Ok(longest));
    assert!(signed(MAX_SIGNATURE_BYTES + 1).is_err());
    assert!(signed(0).is_err());
}

#[test]
fn a_text_that_is_no_note_text_is_not_taken() {
    assert_eq!(Note::new("no newline"), Err(NoteError::Shape));
    assert_eq!(Note::new("tab\t\n"), Err(NoteError::Control(b'\t')));
}

proptest! {
    #[test]
    fn every_note_survives_its_text(
        text in "([a-z +é\u{2014}]{0,9}\n){1,5}",
        lines in prop::collection::vec(
            ("[a-z./é]{1,12}", any::<[u8; 4]>(), prop::collection::vec(any::<u8>(), 1..99)), 1..20),
    ) {
        let mut note = Note::new(text).unwrap();
        for (name, key_id, signature) in lines {
            note.add(NoteSignature::new(name, key_id, signature).unwrap()).unwrap();
        }
        prop_assert_eq!(Note::parse(note.to_string()), Ok(note));
    }

    #[test]
    fn whatever_is_read_is_written_back_the_same(place in 0..EXAMPLE.len(), byte: u8) {
        let mut bytes = EXAMPLE.as_bytes().to_vec();
        bytes[place] = byte;
        if let Ok(note) = Note::parse(&bytes) {
            prop_assert_eq!(note.to_string().into_bytes(), bytes);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>, text: String) {
        let _ = Note::parse(bytes);
        let _ = Note::parse(format!("a\n\n\u{2014} {text}\n"));
        let _ = NoteSignature::parse(&text);
    }
}

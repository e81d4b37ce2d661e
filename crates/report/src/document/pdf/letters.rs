//! Letters of the fonts that every reader of PDF has: their codes, and how wide they are.
//!
//! Helvetica and Courier with the encoding of Windows (ISO 32000-1, annex D). Text out of events
//! may hold any other letter; those are spelled as `\u{...}`, and the document says so.

/// One of the fonts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Font {
    /// For text.
    Plain,
    /// To be seen first.
    Strong,
    /// For names and values out of events.
    Code,
}

impl Font {
    pub(super) const ALL: [Self; 3] = [Self::Plain, Self::Strong, Self::Code];

    /// The name that every reader knows.
    pub(super) fn base(self) -> &'static [u8] {
        match self {
            Self::Plain => b"Helvetica",
            Self::Strong => b"Helvetica-Bold",
            Self::Code => b"Courier",
        }
    }

    /// The name in a page.
    pub(super) fn name(self) -> &'static [u8] {
        match self {
            Self::Plain => b"F0",
            Self::Strong => b"F1",
            Self::Code => b"F2",
        }
    }

    /// How wide a code is, in thousandths of the size.
    pub(super) fn width_of(self, code: u8) -> u16 {
        let widths = match self {
            Self::Plain => &PLAIN,
            Self::Strong => &STRONG,
            Self::Code => return 600,
        };
        let plain = |code: u8| widths.get(usize::from(code).wrapping_sub(32)).copied();
        plain(code).unwrap_or_else(|| match code {
            0x80 | 0x86 | 0x87 | 0xa2..=0xa5 | 0xa7 | 0xb5 => 556,
            0x82 | 0x91 | 0x92 => 222,
            0x95 => 350,
            0x85 | 0x89 | 0x97 | 0x99 | 0xc6 => 1000,
            0xa9 | 0xae => 737,
            // A letter with an accent is as wide as without.
            _ => plain(bare(code)).unwrap_or(611),
        })
    }
}

/// The letter below the accent.
fn bare(code: u8) -> u8 {
    match code {
        0xc0..=0xc5 => b'A',
        0xc7 => b'C',
        0xc8..=0xcb => b'E',
        0xcc..=0xcf => b'I',
        0xd0 => b'D',
        0xd1 => b'N',
        0xd2..=0xd6 | 0xd8 => b'O',
        0xd9..=0xdc => b'U',
        0xdd | 0x9f => b'Y',
        0xe0..=0xe5 => b'a',
        0xe7 => b'c',
        0xe8..=0xeb => b'e',
        0xec..=0xef => b'i',
        0xf1 => b'n',
        0xf2..=0xf6 => b'o',
        0xf9..=0xfc => b'u',
        0xfd | 0xff => b'y',
        0xa0 | 0xb7 | 0xb8 => b' ',
        0xd7 | 0xf7 | 0xb1 => b'+',
        0x93 | 0x94 => b'"',
        _ => b'n',
    }
}

/// The code of a letter; `None` when the fonts have none.
fn code_of(letter: char) -> Option<u8> {
    Some(match letter {
        ' '..='~' | '\u{a0}'..='\u{ff}' => u8::try_from(u32::from(letter)).ok()?,
        '€' => 0x80,
        '‚' => 0x82,
        '„' => 0x84,
        '…' => 0x85,
        '†' => 0x86,
        '‰' => 0x89,
        '‘' => 0x91,
        '’' => 0x92,
        '“' => 0x93,
        '”' => 0x94,
        '•' => 0x95,
        '–' => 0x96,
        '—' => 0x97,
        '™' => 0x99,
        _ => return None,
    })
}

/// What stands for a letter that the fonts do not have.
fn instead(letter: char) -> Option<&'static str> {
    Some(match letter {
        '→' => "->",
        '←' => "<-",
        '≥' => ">=",
        '≤' => "<=",
        '≠' => "!=",
        '−' => "-",
        '≈' => "~",
        '✓' => "ok",
        '✗' => "x",
        _ => return None,
    })
}

/// Text as codes, and whether every letter has one. What is hidden in it is made visible first.
pub(super) fn encoded(text: &str) -> (Vec<u8>, bool) {
    let text = query::escape::escape(text);
    let (mut codes, mut is_whole) = (Vec::with_capacity(text.len()), true);
    for letter in text.chars() {
        match (code_of(letter), instead(letter)) {
            (Some(code), _) => codes.push(code),
            (None, Some(other)) => codes.extend_from_slice(other.as_bytes()),
            (None, None) => {
                codes.extend_from_slice(format!("\\u{{{:x}}}", u32::from(letter)).as_bytes());
                is_whole = false;
            }
        }
    }
    (codes, is_whole)
}

/// From the space to the tilde.
const PLAIN: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];

const STRONG: [u16; 95] = [
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667,
    611, 778, 722, 278, 556, 722, 611, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 333, 278, 333, 584, 556, 333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556,
    278, 889, 611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_the_fonts_have_are_codes_and_others_are_spelled() {
        assert_eq!(encoded("a→b – Zürich"), (b"a->b \x96 Z\xfcrich".to_vec(), true));
        assert_eq!(encoded("中"), (b"\\u{4e2d}".to_vec(), false));
        // What no reader would see is seen.
        let (codes, _) = encoded("a\u{202e}b\n");
        assert!(codes.len() > 4 && codes.iter().all(|code| *code >= 32), "{codes:?}");
        for code in 32..=255 {
            assert!(Font::ALL.iter().all(|font| font.width_of(code) > 150), "{code}");
        }
    }
}

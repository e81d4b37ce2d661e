//! Text broken into lines of a width.

use super::letters::{Font, encoded};
use super::sheet::{BAD, Colour, GOOD, INK, Sheets, WARNING, width_of};
use crate::document::{Span, Text, Tone};

/// A piece of a line that looks alike.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Piece {
    pub(super) codes: Vec<u8>,
    pub(super) font: Font,
    pub(super) size: f32,
}

/// One line.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Line {
    pub(super) pieces: Vec<Piece>,
    pub(super) width: f32,
}

/// Lines, and whether every letter of the text is in them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Lines {
    pub(super) lines: Vec<Line>,
    pub(super) is_whole: bool,
}

/// Courier looks larger than Helvetica of the same size.
const CODE_SIZE: f32 = 0.9;

impl Lines {
    /// Breaks a text; `strong` makes all of it so.
    pub(super) fn of(text: &Text, size: f32, width: f32, strong: bool) -> Self {
        let mut lines = Self { lines: vec![Line::default()], is_whole: true };
        for span in &text.0 {
            let (words, font) = match span {
                Span::Plain(text) if !strong => (text.clone(), Font::Plain),
                Span::Plain(text) | Span::Strong(text) => (text.clone(), Font::Strong),
                Span::Code(text) => (text.clone(), Font::Code),
                Span::Evidence(evidence) => (format!("#{}", evidence.index), Font::Code),
            };
            let size = if font == Font::Code { size * CODE_SIZE } else { size };
            let (codes, is_whole) = encoded(&words);
            lines.is_whole &= is_whole;
            for word in codes.split_inclusive(|code| *code == b' ') {
                lines.push(word, font, size, width);
            }
        }
        lines
    }

    /// Adds a word, on another line if it does not fit; one that fits on no line is broken.
    fn push(&mut self, word: &[u8], font: Font, size: f32, width: f32) {
        let bare = word.strip_suffix(b" ").unwrap_or(word);
        let fits = |line: &Line, codes: &[u8]| line.width + width_of(codes, font, size) <= width;
        if self.lines.last().is_some_and(|line| !fits(line, bare) && !line.pieces.is_empty()) {
            self.lines.push(Line::default());
        }
        let mut rest = word;
        while !rest.is_empty() {
            let Some(line) = self.lines.last_mut() else { return };
            let mut count = rest.len();
            if !fits(line, rest.strip_suffix(b" ").unwrap_or(rest)) {
                let mut room = width - line.width;
                let fitting = rest.iter().take_while(|code| {
                    room -= width_of(&[**code], font, size);
                    room >= 0.0
                });
                // At least one, or it would never end.
                count = fitting.count().max(1);
            }
            let (codes, after) = rest.split_at(count);
            line.add(codes, font, size);
            rest = after;
            if !rest.is_empty() {
                self.lines.push(Line::default());
            }
        }
    }

    /// How wide the widest is.
    pub(super) fn width(&self) -> f32 {
        self.lines.iter().map(|line| line.width).fold(0.0, f32::max)
    }
}

impl Line {
    fn add(&mut self, codes: &[u8], font: Font, size: f32) {
        self.width += width_of(codes, font, size);
        match self.pieces.last_mut().filter(|it| it.font == font && it.size == size) {
            Some(piece) => piece.codes.extend_from_slice(codes),
            None => self.pieces.push(Piece { codes: codes.to_vec(), font, size }),
        }
    }

    /// Writes it with its foot at `y`.
    pub(super) fn write(&self, sheets: &mut Sheets, (x, y): (f32, f32), colour: Colour) {
        let mut x = x;
        for piece in &self.pieces {
            sheets.write((x, y), (piece.font, piece.size, colour), &piece.codes);
            x += width_of(&piece.codes, piece.font, piece.size);
        }
    }
}

/// The colour of a tone.
pub(super) fn colour(tone: Tone) -> Colour {
    match tone {
        Tone::Plain => INK,
        Tone::Good => GOOD,
        Tone::Warning => WARNING,
        Tone::Bad => BAD,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_line_is_wider_than_asked_and_nothing_is_lost(
            words in prop::collection::vec("[a-zA-Zé中 ]{0,40}", 0..6), width in 12.0f32..300.0
        ) {
            let text = Text(words.iter().map(|word| Span::Plain(word.clone())).collect());
            let lines = Lines::of(&text, 9.0, width, false);
            let all: Vec<u8> = lines.lines.iter().flat_map(|line| &line.pieces)
                .flat_map(|piece| piece.codes.clone()).collect();
            let wanted: Vec<u8> = words.iter().flat_map(|word| encoded(word).0).collect();
            prop_assert_eq!(all, wanted);
            // A blank at the end of a line is not seen.
            let blank = width_of(b" ", Font::Plain, 9.0);
            prop_assert!(lines.width() <= width + blank + 0.01, "{} of {width}", lines.width());
        }
    }
}

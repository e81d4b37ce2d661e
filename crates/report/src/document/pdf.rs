//! A document as PDF: pages of A4 with the fonts that every reader has, and nothing that a reader
//! obeys: no script, no link, no form, no file within.
//!
//! Text out of events is shown and never interpreted: it only ever stands in strings of a page
//! (docs/decisions/0053). Letters that the fonts do not have are spelled as `\u{...}`, which the
//! document then says.
//!
//! | question | file |
//! |---|---|
//! | which letters are there, and how wide are they? | `pdf/letters.rs` |
//! | how is text broken into lines? | `pdf/lines.rs` |
//! | tables, charts | `pdf/table.rs`, `pdf/picture.rs` |
//! | pages, and the bytes of the file | `pdf/sheet.rs` |

mod letters;
mod lines;
mod picture;
mod sheet;
mod table;

use super::{Block, Document, Fact, KeyFigure, SIGNED, Text, Tone};
use letters::{Font, encoded};
use lines::{Lines, colour};
use sheet::{Colour, INK, MARGIN, PALE, ROOM, SOFT, Sheets};

const BODY: f32 = 9.5;
const SPELLED: &str = "Letters that this format has no shapes for are spelled as \\u{...}; the other \
                       formats have them.";
const MADE: &str = "Made by tacho from a tamper-evident log. Whoever has the log makes the same bytes \
                    again as of the same checkpoint.";

/// Writes a document as PDF.
#[must_use]
pub fn pdf(document: &Document) -> Vec<u8> {
    let mut it = Writer { sheets: Sheets::new(), is_whole: true };
    it.text(&document.title.as_str().into(), 17.0, INK, 0.0, true);
    it.sheets.y += 6.0;
    document.facts.iter().for_each(|fact| it.fact(fact));
    it.sheets.y += 8.0;
    document.blocks.iter().for_each(|block| it.block(block));
    if !it.is_whole {
        it.sheets.y += 6.0;
        it.text(&SPELLED.into(), 8.0, SOFT, 0.0, false);
    }
    let head = table::cut(&document.title, Font::Plain, 7.5, ROOM);
    let (foot, _) = encoded(MADE);
    it.sheets.finish(&document.title, &head, &foot)
}

struct Writer {
    sheets: Sheets,
    /// Whether every letter is there.
    is_whole: bool,
}

impl Writer {
    fn block(&mut self, block: &Block) {
        match block {
            Block::Heading(text) => self.heading(text, 13.0),
            Block::Subheading(text) => self.heading(text, 10.5),
            Block::Paragraph(text) => {
                self.text(text, BODY, INK, 0.0, false);
                self.sheets.y += 5.0;
            }
            Block::List { is_numbered, items } => self.list(*is_numbered, items),
            Block::Callout { tone, text } => self.callout(*tone, text),
            Block::Figures(figures) => self.figures(figures),
            Block::Table(it) => self.is_whole &= table::draw(&mut self.sheets, it),
            Block::Chart(chart) => self.is_whole &= picture::draw(&mut self.sheets, chart),
            Block::SignOff(roles) => self.sign_off(roles),
        }
    }

    /// Writes a text over as many lines and pages as it takes, so far from the left.
    fn text(&mut self, text: &Text, size: f32, colour: Colour, indent: f32, strong: bool) {
        let lines = Lines::of(text, size, ROOM - indent, strong);
        self.is_whole &= lines.is_whole;
        for line in &lines.lines {
            self.sheets.need(size * 1.35);
            let y = self.sheets.y + size;
            line.write(&mut self.sheets, (MARGIN + indent, y), colour);
            self.sheets.y += size * 1.35;
        }
    }

    fn heading(&mut self, text: &str, size: f32) {
        // It is not left alone at the end of a page.
        self.sheets.need(size * 2.0 + 44.0);
        self.sheets.y += size * 0.7;
        self.text(&text.into(), size, INK, 0.0, true);
        self.sheets.y += 3.0;
    }

    fn fact(&mut self, fact: &Fact) {
        self.sheets.need(13.0);
        let (name, _) = encoded(fact.name);
        let y = self.sheets.y + 8.5;
        self.sheets.write((MARGIN, y), (Font::Plain, 8.5, SOFT), &name);
        self.text(&fact.text, 8.5, INK, 82.0, false);
        self.sheets.y += 1.5;
    }

    fn list(&mut self, is_numbered: bool, items: &[Text]) {
        for (number, item) in items.iter().enumerate() {
            self.sheets.need(BODY * 1.35);
            let mark = match is_numbered {
                true => format!("{}.", number + 1),
                false => "•".to_owned(),
            };
            let (mark, _) = encoded(&mark);
            let y = self.sheets.y + BODY;
            self.sheets.write((MARGIN + 4.0, y), (Font::Plain, BODY, SOFT), &mark);
            self.text(item, BODY, INK, 22.0, false);
            self.sheets.y += 2.0;
        }
        self.sheets.y += 4.0;
    }

    fn callout(&mut self, tone: Tone, text: &Text) {
        self.sheets.need(BODY * 1.35);
        mark(&mut self.sheets, tone);
        self.text(text, BODY, INK, 18.0, false);
        self.sheets.y += 3.0;
    }

    /// Key figures, four beside each other.
    fn figures(&mut self, figures: &[KeyFigure]) {
        let (gap, height) = (8.0, 50.0);
        let width = (ROOM - 3.0 * gap) / 4.0;
        for row in figures.chunks(4) {
            self.sheets.need(height + gap);
            for (at, figure) in row.iter().enumerate() {
                let (x, y) = (MARGIN + (width + gap) * at as f32, self.sheets.y);
                self.sheets.fill((x, y), (width, height), PALE);
                let inner = width - 14.0;
                let ink = colour(figure.tone);
                for (text, look, foot) in [
                    (&figure.label, (Font::Plain, 7.5, SOFT), 13.0),
                    (&figure.value, (Font::Strong, 14.0, ink), 30.0),
                    (&figure.note, (Font::Plain, 7.0, SOFT), 42.0),
                ] {
                    let codes = table::cut(text, look.0, look.1, inner);
                    self.is_whole &= encoded(text).1;
                    self.sheets.write((x + 7.0, y + foot), look, &codes);
                }
            }
            self.sheets.y += height + gap;
        }
        self.sheets.y += 4.0;
    }
}

impl Writer {
    /// Lines with room for a pen above them, and below each what belongs there.
    fn sign_off(&mut self, roles: &[&str]) {
        let (height, gap, first) = (46.0, 14.0, 92.0);
        let parts = [0.36, 0.22, 0.42];
        // Signatures on another page than each other would be easy to mix up.
        self.sheets.need(height * roles.len() as f32);
        for role in roles {
            self.sheets.need(height);
            let y = self.sheets.y + height - 16.0;
            let (codes, _) = encoded(role);
            self.sheets.write((MARGIN, y), (Font::Strong, BODY, INK), &codes);
            let room = ROOM - first - gap * 2.0;
            let mut x = MARGIN + first;
            for (title, part) in SIGNED.iter().zip(parts) {
                let width = room * part;
                self.sheets.line(&[(x, y + 1.5), (x + width, y + 1.5)], 0.6, SOFT);
                let (codes, _) = encoded(title);
                self.sheets.write((x, y + 10.0), (Font::Plain, 7.0, SOFT), &codes);
                x += width + gap;
            }
            self.sheets.y += height;
        }
    }
}

/// The sign of a tone, drawn: the fonts have none.
fn mark(sheets: &mut Sheets, tone: Tone) {
    let (x, y, ink) = (MARGIN + 2.0, sheets.y + 2.5, colour(tone));
    let at = |dx: f32, dy: f32| (x + dx, y + dy);
    match tone {
        Tone::Plain => sheets.fill(at(2.0, 2.5), (3.0, 3.0), SOFT),
        Tone::Good => sheets.line(&[at(0.0, 4.0), at(2.8, 7.0), at(8.0, 0.5)], 1.5, ink),
        Tone::Warning => {
            sheets.fill(at(3.0, 0.0), (1.8, 5.0), ink);
            sheets.fill(at(3.0, 6.2), (1.8, 1.8), ink);
        }
        Tone::Bad => {
            sheets.line(&[at(0.5, 0.5), at(7.5, 7.5)], 1.5, ink);
            sheets.line(&[at(7.5, 0.5), at(0.5, 7.5)], 1.5, ink);
        }
    }
}

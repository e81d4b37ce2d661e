//! Pages, and what is drawn on them: text, rectangles and lines, from the top of a page down.
//!
//! Not here: what goes where (`pdf.rs`, `table.rs`, `picture.rs`).

use super::letters::Font;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, Str, TextStr};
use std::io::Write as _;

/// A4, in points.
pub(super) const WIDTH: f32 = 595.0;
pub(super) const HEIGHT: f32 = 842.0;
/// What is left free at the sides.
pub(super) const MARGIN: f32 = 50.0;
/// Between the margins.
pub(super) const ROOM: f32 = WIDTH - 2.0 * MARGIN;
/// Where text begins and ends, from the top.
pub(super) const TOP: f32 = 56.0;
pub(super) const BOTTOM: f32 = HEIGHT - 62.0;

/// A colour, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Colour(pub(super) f32, pub(super) f32, pub(super) f32);

pub(super) const INK: Colour = Colour(0.11, 0.13, 0.16);
pub(super) const SOFT: Colour = Colour(0.42, 0.45, 0.5);
pub(super) const RULE: Colour = Colour(0.85, 0.86, 0.88);
pub(super) const PALE: Colour = Colour(0.955, 0.96, 0.97);
pub(super) const BAR: Colour = Colour(0.22, 0.42, 0.72);
pub(super) const GOOD: Colour = Colour(0.1, 0.48, 0.25);
pub(super) const WARNING: Colour = Colour(0.66, 0.42, 0.0);
pub(super) const BAD: Colour = Colour(0.74, 0.15, 0.13);

/// The pages of a document, of which the last one is drawn on.
pub(super) struct Sheets {
    pages: Vec<Content>,
    /// How far down the last one is full.
    pub(super) y: f32,
}

impl Sheets {
    pub(super) fn new() -> Self {
        Self { pages: vec![Content::new()], y: TOP }
    }

    /// Sees to it that so much is free below; whether it took another page.
    pub(super) fn need(&mut self, height: f32) -> bool {
        let is_due = self.y + height > BOTTOM && self.y > TOP;
        if is_due {
            self.turn();
        }
        is_due
    }

    /// Begins another page.
    pub(super) fn turn(&mut self) {
        self.pages.push(Content::new());
        self.y = TOP;
    }

    fn page(&mut self) -> Option<&mut Content> {
        self.pages.last_mut()
    }

    /// Writes codes with their foot at `y` from the top.
    pub(super) fn write(&mut self, at: (f32, f32), look: (Font, f32, Colour), codes: &[u8]) {
        if let Some(page) = self.page() {
            write(page, at, look, codes);
        }
    }

    /// Fills a rectangle whose upper left corner is at `x`, `y`.
    pub(super) fn fill(&mut self, (x, y): (f32, f32), (width, height): (f32, f32), it: Colour) {
        if let Some(page) = self.page().filter(|_| width > 0.0 && height > 0.0) {
            page.set_fill_rgb(it.0, it.1, it.2);
            page.rect(x, HEIGHT - y - height, width, height).fill_nonzero();
        }
    }

    /// Draws a line through points.
    pub(super) fn line(&mut self, points: &[(f32, f32)], width: f32, it: Colour) {
        let Some(page) = self.page() else { return };
        page.set_stroke_rgb(it.0, it.1, it.2).set_line_width(width);
        for (number, (x, y)) in points.iter().enumerate() {
            match number {
                0 => page.move_to(*x, HEIGHT - y),
                _ => page.line_to(*x, HEIGHT - y),
            };
        }
        page.stroke();
    }

    /// The file; `head` and `foot` stand on every page, with its number.
    pub(super) fn finish(self, title: &str, head: &[u8], foot: &[u8]) -> Vec<u8> {
        let count = self.pages.len();
        let mut next = 0;
        let mut new = || {
            next += 1;
            Ref::new(next)
        };
        let (catalog, tree, info) = (new(), new(), new());
        let fonts = Font::ALL.map(|font| (font, new()));
        let ids: Vec<(Ref, Ref)> = (0..count).map(|_| (new(), new())).collect();
        let mut pdf = Pdf::new();
        pdf.catalog(catalog).pages(tree).lang(TextStr("en"));
        pdf.document_info(info).title(TextStr(title)).producer(TextStr("tacho"));
        pdf.pages(tree).kids(ids.iter().map(|(page, _)| *page)).count(whole(count));
        for (font, id) in fonts {
            let mut type1 = pdf.type1_font(id);
            type1.base_font(Name(font.base()));
            type1.encoding_predefined(Name(b"WinAnsiEncoding"));
        }
        for (number, (mut content, (page, stream))) in self.pages.into_iter().zip(ids).enumerate() {
            frame(&mut content, head, foot, &format!("{} of {count}", number + 1));
            let mut it = pdf.page(page);
            it.parent(tree).contents(stream).media_box(Rect::new(0.0, 0.0, WIDTH, HEIGHT));
            let mut resources = it.resources();
            let mut named = resources.fonts();
            for (font, id) in fonts {
                named.pair(Name(font.name()), id);
            }
            named.finish();
            resources.finish();
            it.finish();
            let packed = packed(&content.finish());
            pdf.stream(stream, &packed).filter(Filter::FlateDecode);
        }
        pdf.finish()
    }
}

/// What stands on every page.
fn frame(page: &mut Content, head: &[u8], foot: &[u8], number: &str) {
    let look = (Font::Plain, 7.5, SOFT);
    write(page, (MARGIN, 34.0), look, head);
    write(page, (MARGIN, HEIGHT - 32.0), look, foot);
    let width = width_of(number.as_bytes(), Font::Plain, 7.5);
    write(page, (WIDTH - MARGIN - width, HEIGHT - 32.0), look, number.as_bytes());
    page.set_stroke_rgb(RULE.0, RULE.1, RULE.2).set_line_width(0.5);
    page.move_to(MARGIN, 44.0).line_to(WIDTH - MARGIN, 44.0).stroke();
}

fn write(page: &mut Content, at: (f32, f32), look: (Font, f32, Colour), codes: &[u8]) {
    let (font, size, Colour(red, green, blue)) = look;
    page.begin_text().set_font(Name(font.name()), size).set_fill_rgb(red, green, blue);
    page.next_line(at.0, HEIGHT - at.1).show(Str(codes)).end_text();
}

/// How wide codes are, in points.
pub(super) fn width_of(codes: &[u8], font: Font, size: f32) -> f32 {
    let width: u32 = codes.iter().map(|code| u32::from(font.width_of(*code))).sum();
    width as f32 * size / 1000.0
}

fn whole(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::new(6));
    // Writing to memory cannot fail.
    let _ = packer.write_all(bytes);
    packer.finish().unwrap_or_default()
}

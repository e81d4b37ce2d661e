//! What strangers write, in every place of a document and in every format: nothing of it is obeyed.

use super::chart::{Chart, Kind, Point};
use super::*;
use pulldown_cmark::{Event, Options, Parser, Tag};
use query::render::{Style, View};
use std::io::Read as _;

/// The texts, and a few that only documents care for.
fn payloads() -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/hostile/payloads.json");
    let text = std::fs::read(path).unwrap();
    let mut texts: Vec<String> = serde_json::from_slice(&text).unwrap();
    texts.extend(
        [
            "```\n# x",
            "`a``b```",
            "a|b\\|c",
            "\\|x",
            "|",
            "1. x",
            "# x",
            "> x",
            "- [ ] x",
            "---",
            "===",
            "![x](https://x.invalid/y.png)",
            "[x]: https://x.invalid",
            "www.x.invalid",
            "<https://x>",
            "<style>*{}</style>",
            "</svg><script>alert(1)</script>",
            "\" onload=\"x",
            "' x='",
            "&lt;",
            "",
            "    code",
            "=HYPERLINK(\"x\")",
            "a;=1+1",
        ]
        .map(str::to_owned),
    );
    texts
}

fn as_of(text: &str) -> AsOf {
    AsOf { origin: text.to_owned(), size: 1, root_hex: "00".to_owned() }
}

/// A document that says `text` wherever a document says anything.
fn everywhere(said: &str) -> Document {
    let mut document = Document::new(said, &as_of(said));
    let text = || {
        let evidence = Evidence { index: 7, event_id: Some(said.to_owned()) };
        let text = Text::from(said).plain(" ").code(said).plain(" ").strong(said);
        text.plain(" ").evidence(&evidence)
    };
    document.fact("Period", text());
    document.figures(vec![KeyFigure {
        label: said.into(),
        value: said.into(),
        note: said.into(),
        tone: Tone::Good,
    }]);
    document.heading(said);
    document.subheading(said);
    document.paragraph(text());
    document.list(false, vec![text()]);
    document.list(true, vec![text()]);
    document.callout(Tone::Warning, text());
    document.table(Table {
        name: "names",
        columns: vec![Column::text("name", "Name"), Column::number("count", "Count")],
        rows: vec![
            vec![Cell::text(text()).in_tone(Tone::Bad), Cell::count(1)],
            vec![Cell::code(said), Cell::text(said)],
        ],
        otherwise: "Nothing.",
    });
    for kind in [Kind::Bars, Kind::Columns] {
        document.chart(Chart {
            title: said.to_owned(),
            kind,
            points: [2.0, 3.0]
                .map(|value| Point { label: said.into(), value, bad: 1.0, shown: said.into() })
                .into(),
            unit: "calls",
            bad: Some("errors"),
        });
    }
    document.sign_off(vec!["Reviewed by"]);
    document
}

/// Elements of a page that has an innocent text.
fn elements(page: &str) -> Vec<String> {
    let name = |part: &str| {
        part.chars().take_while(|c| c.is_alphanumeric() || "/!".contains(*c)).collect()
    };
    page.split('<').skip(1).map(name).collect()
}

#[test]
fn a_page_has_the_same_elements_whatever_a_text_says() {
    let innocent = elements(&html(&everywhere("x")));
    for said in payloads().into_iter().filter(|said| !said.is_empty()) {
        let page = html(&everywhere(&said));
        assert_eq!(elements(&page), innocent, "{said:?}");
        assert!(!page.chars().any(|c| c != '\n' && query::escape::is_hidden(c)), "{said:?}");
        for part in page.split('<').skip(1) {
            let tag = part.split('>').next().unwrap();
            assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        }
    }
}

#[test]
fn a_value_that_is_not_there_is_no_empty_box_on_a_page() {
    let page = html(&everywhere(""));
    assert!(!page.contains("<code></code>"), "{page}");
    assert!(page.contains("<td></td>"), "{page}");
    assert!(html(&everywhere("x")).contains("<td><code>x</code></td>"));
}

/// The parts of a file that a reader of PDF looks at, without what streams hold, and what those
/// draw: operators without their operands.
fn operators(file: &[u8]) -> (Vec<String>, Vec<String>) {
    let (mut parts, mut drawn, mut rest) = (Vec::new(), Vec::new(), file);
    let find = |bytes: &[u8], mark: &[u8]| bytes.windows(mark.len()).position(|it| it == mark);
    while let Some(begin) = find(rest, b"stream\n") {
        parts.extend(tokens(&rest[..begin]).into_iter().filter(|it| it.starts_with('/')));
        rest = &rest[begin + 7..];
        let end = find(rest, b"\nendstream").unwrap();
        let mut page = Vec::new();
        flate2::read::ZlibDecoder::new(&rest[..end]).read_to_end(&mut page).unwrap();
        drawn.extend(tokens(&page));
        rest = &rest[end + b"\nendstream".len()..];
    }
    (parts, drawn)
}

/// The words of a file or a page: whatever stands in a string is none.
fn tokens(page: &[u8]) -> Vec<String> {
    let (mut out, mut depth, mut at) = (vec![String::new()], 0, 0);
    while let Some(byte) = page.get(at) {
        match byte {
            b'\\' if depth > 0 => at += 1,
            b'(' => depth += 1,
            b')' => depth -= 1,
            b'<' | b'>' if depth == 0 && page.get(at + 1) == Some(byte) => {
                out.push(String::new());
                at += 1;
            }
            b'<' if depth == 0 => at += page[at..].iter().position(|it| *it == b'>').unwrap(),
            _ if depth > 0 => {}
            byte if byte.is_ascii_whitespace() => out.push(String::new()),
            byte => out.last_mut().unwrap().push(char::from(*byte)),
        }
        at += 1;
    }
    assert_eq!(depth, 0);
    out.retain(|it| it.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/'));
    out
}

#[test]
fn a_pdf_draws_text_and_shapes_whatever_a_text_says() {
    let known = [
        "/F0", "/F1", "/F2", "BT", "ET", "Tf", "Td", "Tj", "rg", "RG", "re", "f", "m", "l", "S",
        "w",
    ];
    let (parts, _) = operators(&pdf(&everywhere("x")));
    assert!(parts.len() > 20, "{parts:?}");
    for said in payloads() {
        let file = pdf(&everywhere(&said));
        assert!(file.starts_with(b"%PDF-1.7") && file == pdf(&everywhere(&said)), "{said:?}");
        let (found, drawn) = operators(&file);
        let new: Vec<_> = found.iter().filter(|it| !parts.contains(it)).collect();
        assert!(new.is_empty(), "{said:?}: {new:?}");
        let other = drawn.iter().find(|it| !known.contains(&it.as_str()));
        assert!(drawn.len() > 100 && other.is_none(), "{said:?}: {other:?}");
    }
}

/// What a Markdown reader makes of a text: its structure without the words.
fn structure(text: &str) -> Vec<String> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_MATH;
    let mut out = Vec::new();
    for event in Parser::new_ext(text, options) {
        match event {
            Event::Start(Tag::Link { .. } | Tag::Image { .. }) => out.push("link".to_owned()),
            Event::Start(tag) => out.push(format!("{tag:?}")),
            Event::Html(_) | Event::InlineHtml(_) => out.push("html".to_owned()),
            Event::Rule | Event::TaskListMarker(_) | Event::HardBreak | Event::SoftBreak => {
                out.push("other".to_owned());
            }
            Event::InlineMath(_) | Event::DisplayMath(_) => out.push("math".to_owned()),
            _ => {}
        }
    }
    out
}

#[test]
fn markdown_has_the_same_structure_whatever_a_text_says() {
    let innocent = structure(&markdown(&everywhere("x")));
    assert!(innocent.len() > 35, "{innocent:?}");
    for said in payloads().into_iter().filter(|said| !said.trim().is_empty()) {
        let text = markdown(&everywhere(&said));
        assert_eq!(structure(&text), innocent, "{said:?}\n{text}");
        assert!(!text.chars().any(|c| c != '\n' && query::escape::is_hidden(c)), "{said:?}");
    }
}

#[test]
fn a_table_begins_no_formula_whatever_a_text_says() {
    for said in payloads() {
        let table = csv(&everywhere(&said), None).unwrap();
        let mut reader = ::csv::Reader::from_reader(table.as_bytes());
        assert_eq!(reader.headers().unwrap(), vec!["name", "count"]);
        let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 2);
        for cell in rows.iter().flatten() {
            let first = cell.chars().next().unwrap_or('x');
            assert!(cell.parse::<f64>().is_ok() || !"=+-@\t\r".contains(first), "{cell}");
        }
    }
}

#[test]
fn a_terminal_obeys_nothing_whatever_a_text_says() {
    let innocent = text(&everywhere("x"), View { width: 80, style: Style::Plain });
    for said in payloads() {
        let shown = text(&everywhere(&said), View { width: 80, style: Style::Plain });
        assert!(!shown.chars().any(|c| c != '\n' && query::escape::is_hidden(c)), "{said:?}");
        if (1..10).contains(&said.len()) && !said.contains(' ') {
            assert_eq!(shown.lines().count(), innocent.lines().count(), "{said:?}\n{shown}");
        }
    }
}

#[test]
fn a_page_allows_itself_nothing_but_its_style() {
    let page = html(&everywhere("x"));
    assert!(page.contains("default-src 'none'; style-src 'sha256-"), "{page}");
    assert!(!page.contains(" style=") && !page.contains("src=") && !page.contains("href="));
    assert!(page.contains("prefers-color-scheme: dark"));
}

#[test]
fn an_unknown_table_is_refused_and_the_known_ones_named() {
    let error = csv(&everywhere("x"), Some("nothing")).unwrap_err().to_string();
    assert_eq!(error, "there is no table `nothing` here; there are: names");
    assert!(csv(&Document::new("x", &as_of("x")), None).is_err());
}

#[test]
fn an_empty_table_says_so_and_a_chart_of_one_point_is_left_out() {
    let mut document = Document::new("x", &as_of("o"));
    document.table(Table {
        name: "t",
        columns: vec![Column::text("a", "A")],
        rows: Vec::new(),
        otherwise: "No calls.",
    });
    document.chart(Chart {
        title: "c".into(),
        kind: Kind::Bars,
        points: vec![Point { label: "x".into(), value: 1.0, bad: 0.0, shown: "1".into() }],
        unit: "calls",
        bad: None,
    });
    assert_eq!(document.blocks.len(), 1);
    assert!(markdown(&document).contains("No calls."));
    assert!(html(&document).contains("No calls."));
}

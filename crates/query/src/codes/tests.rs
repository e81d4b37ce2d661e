//! Words with digits lead to their pages, and no page with a match is ever left out.

use super::*;
use crate::{Filter, Found, Sieve, State};
use event::{Kind, Tier};
use proptest::prelude::*;

fn collected(sheets: &[Vec<String>]) -> Codes {
    let mut collector = Collector::default();
    for (sheet, texts) in sheets.iter().enumerate() {
        for (at, text) in texts.iter().enumerate() {
            let page = sheet * SHEET_PAGES as usize + (at * SHEET_PAGES as usize / texts.len());
            collector.add(page as u32, text.as_bytes());
        }
    }
    collector.finish(sheets.len() as u32 * SHEET_PAGES)
}

/// The sheets that may hold what is asked for.
fn sheets_of(codes: &Codes, question: &str) -> Option<Vec<u32>> {
    let words = Words::parse(question);
    assert_eq!(codes.may_hold(&words).is_some(), decides(&words), "{question}");
    let pages = codes.may_hold(&words)?;
    let sheets = 0..codes.0.len() as u32;
    Some(sheets.filter(|sheet| pages.has(sheet * SHEET_PAGES + SHEET_PAGES - 1)).collect())
}

fn one(text: &str) -> Vec<String> {
    vec![format!(r#"{{"note":"{text}"}}"#)]
}

#[test]
fn words_with_digits_lead_to_their_pages_by_any_part_of_them() {
    let codes = collected(&[
        one("order R000042 of ORD-12345, Z\\u00fcrich4711"),
        one("3f2a9c1b-7d3e-4a1f-a2b4-0123456789ab"),
        one("ann.smith42@example.com at 2026-01-02T03:04:05.123456000Z"),
        one("12345 00042 R00004 x3f2a-9c1b ORD-54321 000042"),
    ]);
    let codes = Codes::from_bytes(4 * SHEET_PAGES, &codes.to_bytes()).unwrap();
    for (question, expected) in [
        ("R000042", vec![0]),
        ("r00004", vec![0, 3]),
        ("ORD-12345", vec![0]),
        ("rd-123", vec![0]),
        ("ord-54321", vec![3]),
        ("ord-99999", vec![]),
        ("zürich4711", vec![0]),
        ("3f2a9c1b", vec![1]),
        ("9d8e7f6a", vec![]),
        ("3f2a9c1b-7d3e-4a1f-a2b4-0123456789ab", vec![1]),
        ("-0123456789a", vec![1]),
        ("smith42@exam", vec![2]),
        ("smith43@exam", vec![]),
        ("R000042 ORD-54321", vec![]),
        // The precision says that it may be, or that it may not.
        ("23456000", vec![2]),
        ("5000z", vec![2]),
        ("99999000", vec![2]),
        ("98765430", vec![]),
        ("5001z", vec![]),
    ] {
        assert_eq!(sheets_of(&codes, question), Some(expected), "{question}");
    }
    for question in ["1042", "r042", "ord-12", "deadbeef", "3f2a9c1", "order", "", "12345"] {
        assert_eq!(sheets_of(&codes, question), None, "{question}");
    }
}

#[test]
fn fractions_of_a_second_take_no_pieces() {
    let times: Vec<String> = (0..500)
        .map(|n| format!(r#"{{"timestamp":"2026-01-02T03:04:05.{:06}000Z"}}"#, n * 1_717))
        .collect();
    let codes = collected(&[times]);
    assert!(codes.to_bytes().len() < 100, "{}", codes.to_bytes().len());
}

#[test]
fn pages_full_of_noise_are_open_and_the_others_are_not() {
    let noise: Vec<String> = (0..1000_u64)
        .map(|n| {
            let words = (0..40).map(|m| format!("{:016x}", scattered(n * 40 + m + 1)));
            format!(r#"{{"note":"{}"}}"#, words.collect::<Vec<_>>().join(" "))
        })
        .collect();
    let codes = collected(&[one("before17"), noise, one("behind17")]);
    assert_eq!(sheets_of(&codes, "before17"), Some(vec![0, 1]));
    assert_eq!(sheets_of(&codes, "behind17"), Some(vec![1, 2]));
    assert_eq!(sheets_of(&codes, "nowhere17"), Some(vec![1]));
    assert!(codes.to_bytes().len() < 200);
}

#[test]
fn a_unique_reference_and_a_unique_id_take_few_bytes() {
    let rows: Vec<String> = (0..2048_u64)
        .map(|n| {
            let (a, b) = (scattered(2 * n + 1), scattered(2 * n + 2));
            let id = format!(
                "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
                a >> 32,
                a & 0xffff,
                b >> 52,
                b & 0xfff,
                a.rotate_left(13) ^ b & 0xffff_ffff_ffff
            );
            format!(r#"{{"event_id":"{}","ref":"R{:06}"}}"#, &id[..36], a % 1_000_000)
        })
        .collect();
    let bytes = collected(&[rows]).to_bytes().len() as f64 / 2048.0;
    assert!(bytes < 9.0, "{bytes} bytes a row");
}

fn found(meta: &str, content: &str) -> Found<'static> {
    Found {
        index: 0,
        recorded_at_ms: 0,
        tier: Tier::Info,
        kind: Kind::Event,
        leaf_hash: None,
        state: State::Present,
        meta: meta.as_bytes().to_vec().into(),
        content: content.as_bytes().to_vec().into(),
    }
}

fn texts() -> impl Strategy<Value = String> {
    let pieces = vec![
        "ORD",
        "R0000",
        "42",
        "-",
        "_",
        " ",
        "3f2a9c1b",
        "de",
        "7",
        "1000",
        "Z",
        "z",
        "ü",
        "Ü",
        "İ",
        "\u{212a}",
        "ΑΣ",
        "\\n",
        "\\u00fc",
        "\\\"",
        "日本",
        "000000000Z",
        "123456000Z",
        ".",
        "x",
        "a",
    ];
    proptest::collection::vec(proptest::sample::select(pieces), 0..30).prop_map(|it| it.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn no_page_with_a_match_is_left_out(
        text in texts(),
        number in 0_u64..20_000_000_000,
        from in 0_usize..40,
        length in 1_usize..40,
    ) {
        let time = format!("2026-01-02T03:04:05.{:09}Z", number % 1_000_000_000);
        let meta = format!(r#"{{"event_type":"agent.tool_call","timestamp":"{time}"}}"#);
        let content = format!(r#"{{"params":{{"q":"{text}","n":{number}}},"result":null}}"#);
        let Ok(json) = serde_json::from_str::<serde_json::Value>(&content) else { return Ok(()) };
        let codes = collected(&[vec![meta.clone(), content.clone()], one("nothing here")]);
        let numbers = number.to_string();
        for value in [json["params"]["q"].as_str().unwrap(), &time, &numbers] {
            let part: String = value.chars().skip(from % 30).take(length).collect();
            for question in [part.clone(), part.to_uppercase(), format!("\"{part}\"")] {
                let filter = Filter { text: Some(question.clone()), ..Filter::default() };
                if Sieve::new(&filter).accepts(&found(&meta, &content)) == Ok(true)
                    && let Some(sheets) = sheets_of(&codes, &question)
                {
                    prop_assert!(sheets.contains(&0), "{:?} in {} {}", question, meta, content);
                }
            }
        }
    }

    #[test]
    fn changed_bytes_are_refused_or_harmless(
        place in 0_usize..400,
        byte: u8,
        cut in 0_usize..500,
        question in "[a-z0-9]{5,20}",
    ) {
        let sheets: Vec<Vec<String>> = (0..4).map(|n| one(&format!("R00{n}42 ORD-1234{n}"))).collect();
        let mut bytes = collected(&sheets).to_bytes();
        let length = bytes.len();
        bytes[place % length] = byte;
        bytes.truncate(cut.max(1));
        if let Some(codes) = Codes::from_bytes(4 * SHEET_PAGES, &bytes) {
            let pages = codes.may_hold(&Words::parse(&question));
            prop_assert!(pages.is_none_or(|pages| !pages.has(4 * SHEET_PAGES)));
        }
    }
}

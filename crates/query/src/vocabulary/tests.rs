//! Words lead to their pages, and no page with a match is ever left out.

use super::*;
use crate::{Filter, Found, Sieve, State};
use event::{Kind, Tier};
use proptest::prelude::*;

fn collected(pages: &[Vec<String>]) -> Vocabulary {
    let mut collector = Collector::new();
    for (page, texts) in pages.iter().enumerate() {
        texts.iter().for_each(|text| collector.add(page as u32, text.as_bytes()));
    }
    collector.finish(pages.len() as u32)
}

fn pages_of(vocabulary: &Vocabulary, question: &str) -> Option<Vec<u32>> {
    let pages = vocabulary.may_hold(&Words::parse(question))?;
    Some((0..vocabulary.pages).filter(|page| pages.has(*page)).collect())
}

fn one(text: &str) -> Vec<String> {
    vec![format!(r#"{{"note":"{text}"}}"#)]
}

#[test]
fn words_lead_to_their_pages_by_any_part_of_them() {
    let pages = [
        one("The Quokka of Zanzibar"),
        one("Gr\\u00fc\\u00dfe aus Z\u{fc}rich\\nmorgen"),
        one(&"x".repeat(100)),
        one("order-1042 cafe 東京都は日本の首都であり人口が多い都市である"),
    ];
    let vocabulary = collected(&pages);
    let vocabulary = Vocabulary::from_bytes(&vocabulary.to_bytes()).unwrap();
    for (question, expected) in [
        ("quokka", vec![0]),
        ("OKK", vec![0]),
        ("\"quokka of zan\"", vec![0]),
        ("zanzibarx", vec![]),
        ("grüße", vec![1]),
        ("RICH", vec![1]),
        ("morgen", vec![1]),
        ("quokka grüße", vec![]),
        (&"x".repeat(30), vec![2]),
        ("order-1042", vec![3]),
        ("日本の首都であり人口", vec![3]),
    ] {
        assert_eq!(pages_of(&vocabulary, question), Some(expected), "{question}");
    }
    // Neither numbers nor what looks like part of an id is decided, nor is what is too short.
    for question in ["1042", "cafe", "deadbeef 17", "of", "", "x-1"] {
        assert_eq!(pages_of(&vocabulary, question), None, "{question}");
    }
}

#[test]
fn a_page_full_of_noise_is_open_and_the_others_are_not() {
    let word = |n: usize| -> String {
        (0..8).map(|digit| char::from(b'g' + (n >> (2 * digit) & 3) as u8)).collect()
    };
    let noise: Vec<String> = (0..PAGE_WORDS_MAX + 2).map(word).collect();
    let vocabulary = collected(&[one("before"), one(&noise.join(" ")), one("behind")]);
    assert_eq!(pages_of(&vocabulary, "before"), Some(vec![0, 1]));
    assert_eq!(pages_of(&vocabulary, "behind"), Some(vec![1, 2]));
    assert_eq!(pages_of(&vocabulary, "nowhere"), Some(vec![1]));
}

#[test]
fn words_of_most_pages_take_a_bit_each() {
    let pages: Vec<Vec<String>> = (0..800)
        .map(|n| one(if n % 3 == 0 { "common seldom" } else { "common" }))
        .chain([one("single")])
        .collect();
    let vocabulary = collected(&pages);
    assert_eq!(pages_of(&vocabulary, "common").unwrap().len(), 800);
    assert_eq!(pages_of(&vocabulary, "seldom").unwrap().len(), 267);
    assert_eq!(pages_of(&vocabulary, "single"), Some(vec![800]));
    assert!(vocabulary.places.len() < 4 * 105, "{}", vocabulary.places.len());
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
        "quo", "kka", "Zan", "ZI", "bar", " ", "-", "ü", "Ü", "İ", "\u{212a}", "Σ", "ΑΣ", "ß", "é",
        "\\n", "\\u00fc", "\\u0130", "\\\"", "1042", "deadbeef", "日本", "aa", "x",
    ];
    proptest::collection::vec(proptest::sample::select(pieces), 0..30).prop_map(|it| it.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_page_with_a_match_is_left_out(
        text in texts(),
        number in 0_u32..2000,
        from in 0_usize..20,
        length in 1_usize..40,
    ) {
        let meta = format!(r#"{{"event_type":"agent.tool_call","duration_ms":{number}.5}}"#);
        let content = format!(r#"{{"params":{{"q":"{text}","n":{number}}},"result":null}}"#);
        let Ok(json) = serde_json::from_str::<serde_json::Value>(&content) else { return Ok(()) };
        let value = json["params"]["q"].as_str().unwrap();
        let part: String = value.chars().skip(from % 20).take(length).collect();
        let vocabulary = collected(&[vec![meta.clone(), content.clone()], one("nothing here")]);
        for question in [part.clone(), part.to_uppercase(), format!("\"{part}\"")] {
            let filter = Filter { text: Some(question.clone()), ..Filter::default() };
            if Sieve::new(&filter).accepts(&found(&meta, &content)) == Ok(true)
                && let Some(pages) = pages_of(&vocabulary, &question)
            {
                prop_assert!(pages.contains(&0), "{:?} in {}", question, content);
            }
        }
    }

    #[test]
    fn changed_bytes_are_refused_or_harmless(
        place in 0_usize..200,
        byte: u8,
        cut in 0_usize..300,
        question in "[a-z]{3,20}",
    ) {
        let pages: Vec<Vec<String>> =
            (0..40).map(|n| one(if n % 2 == 0 { "quokka zanzibar" } else { "quokka" })).collect();
        let mut bytes = collected(&pages).to_bytes();
        let length = bytes.len();
        bytes[place % length] = byte;
        bytes.truncate(cut.max(1));
        if let Some(vocabulary) = Vocabulary::from_bytes(&bytes) {
            for question in [question.as_str(), "quokka", "zanzibar"] {
                let _ = vocabulary.may_hold(&Words::parse(question));
            }
        }
    }
}

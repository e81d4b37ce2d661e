//! Made-up secrets that are more than characters of a class: passwords, key blocks, tokens with
//! structure, and some ordinary things (times, ids) that text is full of.
//!
//! Nothing here is real: every byte comes from the seed.

use super::spec::{capital, of_class};
use crate::Random;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// What is called `name`; `None` when nothing is.
pub(super) fn make(
    name: &str,
    kind: Option<&str>,
    words: &[&str],
    random: &mut Random,
) -> Option<String> {
    Some(match name {
        "pw" => password(words, random),
        "pw-url" => format!(
            "{}%{}{}",
            of_class('x', random.between(5, 9), random),
            of_class('H', 2, random),
            of_class('x', 5, random)
        ),
        "strong" => of_class('p', random.between(16, 28), random),
        "pem" => key_block(kind.unwrap_or_default(), "\n", random),
        "pem-escaped" => key_block(kind.unwrap_or_default(), "\\n", random),
        "public-pem" => block(kind.unwrap_or("PUBLIC KEY"), "\n", random),
        "jwt" => web_token(words, random),
        "basic" => {
            let user = random.one_of(words).copied().unwrap_or("user");
            STANDARD.encode(format!("{user}:{}", password(words, random)))
        }
        "discord" => {
            let id = random.between(200_000_000_000_000_000, 1_399_999_999_999_999_999);
            let first = URL_SAFE_NO_PAD.encode(id.to_string());
            format!("{first}.{}.{}", of_class('r', 6, random), of_class('r', 27, random))
        }
        "uuid" => uuid(random),
        "time" => time(random),
        "date" => time(random).get(..10).unwrap_or_default().to_owned(),
        "birthday" => {
            let (year, month) = (random.between(1950, 2004), random.between(1, 12));
            let day = random.between(1, 28);
            match kind {
                Some("dots") => format!("{day:02}.{month:02}.{year}"),
                Some("slashes") => format!("{day:02}/{month:02}/{year}"),
                Some("cjk") => format!("{year}年{month}月{day}日"),
                _ => format!("{year}-{month:02}-{day:02}"),
            }
        }
        "email" => {
            let word = |random: &mut Random| {
                let plain = ["ada", "jonas", "mei", "lucia", "omar", "ines", "tom", "anna", "paul"];
                random.one_of(&plain).copied().unwrap_or("ada")
            };
            let host = ["example.com", "example.org", "mail.example.net", "example.de"];
            let host = random.one_of(&host).copied().unwrap_or("example.com");
            let (first, second) = (word(random), word(random));
            match random.below(4) {
                0 => format!("{first}.{second}@{host}"),
                1 => format!("{first}{}@{host}", random.between(1, 99)),
                2 => format!("{first}+{second}@{host}"),
                _ => format!("{first}_{second}@{host}"),
            }
        }
        "public-ip" => {
            // Not private, loopback, link-local or a mask.
            let first = [5, 23, 45, 62, 81, 93, 104, 139, 151, 185, 203];
            let first = random.one_of(&first).copied().unwrap_or(5);
            let part = |random: &mut Random| random.between(1, 254);
            format!("{first}.{}.{}.{}", part(random), part(random), part(random))
        }
        "image" => image(random),
        _ => return None,
    })
}

/// As people choose them, and as managers make them.
fn password(words: &[&str], random: &mut Random) -> String {
    let word = |random: &mut Random| {
        let fit: Vec<&&str> =
            words.iter().filter(|word| word.is_ascii() && word.len() > 3).collect();
        random.one_of(&fit).map_or("harbour", |word| **word).to_owned()
    };
    let mark = |random: &mut Random| random.one_of(&["!", "?", "#", "*"]).copied().unwrap_or("!");
    match random.below(6) {
        0 => format!("{}{}{}", capital(&word(random)), random.between(10, 2026), mark(random)),
        1 => format!("{}-{}-{}", word(random), word(random), random.between(10, 99)),
        2 => format!("{}{}{}", word(random), mark(random), random.between(100, 9_999)),
        3 => of_class('x', random.between(12, 20), random),
        4 => of_class('p', random.between(12, 24), random),
        _ => format!(
            "{}_{}{}",
            capital(&word(random)),
            capital(&word(random)),
            random.between(1, 99)
        ),
    }
}

fn key_block(kind: &str, line_end: &str, random: &mut Random) -> String {
    let words = if kind == "PGP" {
        "PGP PRIVATE KEY BLOCK".to_owned()
    } else {
        format!("{kind} PRIVATE KEY")
    };
    block(words.trim_start(), line_end, random)
}

/// RFC 7468; put together here, so that no file holds what looks like a key.
fn block(label: &str, line_end: &str, random: &mut Random) -> String {
    let lines = random.between(3, 14);
    let mut body: Vec<String> = (0..lines).map(|_| of_class('b', 64, random)).collect();
    let last = random.between(8, 40) / 4 * 4;
    body.push(of_class('b', last, random) + "==");
    let rule = "-".repeat(5);
    format!(
        "{rule}BEGIN {label}{rule}{line_end}{}{line_end}{rule}END {label}{rule}",
        body.join(line_end)
    )
}

/// RFC 7519.
fn web_token(words: &[&str], random: &mut Random) -> String {
    let word = random.one_of(words).copied().unwrap_or("user");
    let (algorithm, signature) = match random.below(3) {
        0 => ("HS256", 43),
        1 => ("ES256", 86),
        _ => ("RS256", 342),
    };
    let header = format!("{{\"alg\":\"{algorithm}\",\"typ\":\"JWT\"}}");
    let payload = format!(
        "{{\"sub\":\"{word}-{}\",\"iat\":{}}}",
        random.below(10_000),
        1_700_000_000 + random.below(90_000_000)
    );
    format!(
        "{}.{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(payload),
        of_class('r', signature, random)
    )
}

fn uuid(random: &mut Random) -> String {
    let (high, low) = (random.bits(), random.bits());
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 52,
        low & 0xffff_ffff_ffff
    )
}

fn time(random: &mut Random) -> String {
    format!(
        "20{}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        random.between(21, 27),
        random.between(1, 12),
        random.between(1, 28),
        random.below(24),
        random.below(60),
        random.below(60),
        random.below(1000)
    )
}

/// The beginning of a picture, and noise, as a data URL.
fn image(random: &mut Random) -> String {
    let mut bytes = vec![0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13];
    bytes.extend_from_slice(b"IHDR");
    for _ in 0..random.between(20, 120) {
        bytes.extend_from_slice(&random.bits().to_le_bytes());
    }
    format!("data:image/png;base64,{}", STANDARD.encode(bytes))
}

//! An alert as a message: plain text, what every sink is told and no content, in lines that a mail
//! server passes on as they are.
//!
//! Rules, agents and whoever talks to those have written what stands in it. So nothing of it begins
//! a line, a header or an encoded word of its own, and no line begins with a dot.

use crate::alerts::alert::Alert;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use query::escape::escape;
use std::fmt::Write as _;

/// Characters of a subject, of a line below it, and of an id.
const SUBJECT_MAX: usize = 200;
const LINE_MAX: usize = 2_000;
const ID_MAX: usize = 100;
/// A subject of so many bytes stays on one line as it is.
const PLAIN_BYTES_MAX: usize = 60;
/// Bytes of one encoded word: with all that is around it they make a line of at most 76 (RFC 2047).
const WORD_BYTES_MAX: usize = 39;
/// Columns of a line of the body (RFC 2045), without the mark that it goes on.
const COLUMNS_MAX: usize = 75;

const ENDING: &str = "
No content is in this message; whoever may see it finds the event by its index.
What stands behind Why and In common came from events: agents, and whoever talks to them, chose \
those words.
";

/// The whole message; it ends with a line, and none of its lines begins with a dot.
pub(super) fn message(from: &str, to: &[String], alert: &Alert, now_ms: u64) -> String {
    let subject = format!("[{}] {} ({})", alert.level, alert.title, alert.log);
    let (_, domain) = from.rsplit_once('@').unwrap_or_default();
    let mut text = String::new();
    for (name, value) in [
        ("From", format!("Tachograph <{from}>")),
        ("To", to.join(",\r\n ")),
        ("Subject", words(&shown(&subject, SUBJECT_MAX))),
        ("Date", date(now_ms)),
        // The incident's, whenever it is told again: by this receivers know it.
        ("Message-ID", format!("<{}@{domain}>", id(&alert.incident))),
        // Nobody's absence is answered to a program (RFC 3834).
        ("Auto-Submitted", "auto-generated".to_owned()),
        ("MIME-Version", "1.0".to_owned()),
        ("Content-Type", "text/plain; charset=utf-8".to_owned()),
        ("Content-Transfer-Encoding", "quoted-printable".to_owned()),
    ] {
        // Writing to a text cannot fail.
        let _ = write!(text, "{name}: {value}\r\n");
    }
    text.push_str("\r\n");
    text.push_str(&quoted(&body(alert)));
    text
}

fn body(alert: &Alert) -> String {
    let numbers: Vec<String> = alert.events.iter().map(u64::to_string).collect();
    let group: Vec<String> =
        alert.group.iter().map(|(name, value)| format!("{name} {value}")).collect();
    let mut text = format!("{}\n\n", shown(&alert.title, LINE_MAX));
    for (name, value) in [
        ("Level", &alert.level),
        ("Why", &alert.why),
        ("In common", &group.join(", ")),
        ("Log", &alert.log),
        ("Time", &alert.time),
        ("Event", &format!("{} {}", alert.index, alert.event_id)),
        ("Events", &numbers.join(", ")),
        ("Rule", &format!("{} {}", alert.rule, alert.rule_id)),
        ("Tags", &alert.tags.join(", ")),
        ("Incident", &alert.incident),
    ] {
        if !value.trim().is_empty() {
            let _ = writeln!(text, "{name}: {}", shown(value.trim(), LINE_MAX));
        }
    }
    text.push_str(ENDING);
    text
}

/// One line in which nothing is obeyed and nothing hides; what is cut says so.
fn shown(text: &str, max: usize) -> String {
    let escaped = escape(&text.chars().take(max).collect::<String>());
    match escaped.char_indices().nth(max) {
        None if text.chars().nth(max).is_none() => escaped,
        None => escaped + " [cut]",
        Some((at, _)) => format!("{} [cut]", escaped.get(..at).unwrap_or_default()),
    }
}

/// An id as a header takes it.
fn id(id: &str) -> String {
    let fits = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_');
    id.chars().take(ID_MAX).map(|it| if fits(it) { it } else { '-' }).collect()
}

fn date(now_ms: u64) -> String {
    let now = i64::try_from(now_ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    let now = now.unwrap_or_default().to_zoned(jiff::tz::TimeZone::UTC);
    jiff::fmt::rfc2822::to_string(&now).unwrap_or_default()
}

/// A header's value: as it is when that is short and cannot be taken for something else, and as
/// encoded words otherwise.
fn words(text: &str) -> String {
    let is_plain = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    if is_plain && text.len() <= PLAIN_BYTES_MAX && !text.contains("=?") {
        return text.to_owned();
    }
    let mut words = vec![String::new()];
    for letter in text.chars() {
        match words.last_mut() {
            Some(word) if word.len() + letter.len_utf8() <= WORD_BYTES_MAX => word.push(letter),
            _ => words.push(letter.to_string()),
        }
    }
    let encoded = |word: &String| format!("=?utf-8?b?{}?=", BASE64_STANDARD.encode(word));
    words.iter().map(encoded).collect::<Vec<_>>().join("\r\n ")
}

/// Text as quoted-printable (RFC 2045).
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for line in text.lines() {
        let (mut column, mut rest) = (0, line.bytes().peekable());
        while let Some(byte) = rest.next() {
            if column + 3 > COLUMNS_MAX {
                out.push_str("=\r\n");
                column = 0;
            }
            let stands = match byte {
                // Blanks at the end of a line get lost.
                b' ' => rest.peek().is_some(),
                b'.' => column > 0,
                b'=' => false,
                _ => byte.is_ascii_graphic(),
            };
            if stands {
                out.push(char::from(byte));
                column += 1;
            } else {
                let _ = write!(out, "={byte:02X}");
                column += 3;
            }
        }
        out.push_str("\r\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW_MS: u64 = 1_793_696_400_000;

    /// Quoted-printable back to text, as RFC 2045 says.
    fn unquoted(body: &str) -> String {
        let joined = body.replace("=\r\n", "").replace("\r\n", "\n");
        let (mut bytes, mut rest) = (Vec::new(), joined.as_bytes());
        while let [byte, more @ ..] = rest {
            if *byte != b'=' {
                bytes.push(*byte);
                rest = more;
                continue;
            }
            let digits = std::str::from_utf8(&more[..2]).unwrap();
            bytes.push(u8::from_str_radix(digits, 16).unwrap());
            rest = &more[2..];
        }
        String::from_utf8(bytes).unwrap()
    }

    /// What a reader makes of a header.
    fn unworded(value: &str) -> String {
        let word = |word: &str| {
            let text = word.strip_prefix("=?utf-8?b?").and_then(|it| it.strip_suffix("?="));
            text.map(|text| String::from_utf8(BASE64_STANDARD.decode(text).unwrap()).unwrap())
        };
        let words: Option<Vec<String>> = value.split("\r\n ").map(word).collect();
        words.map_or_else(|| value.to_owned(), |words| words.concat())
    }

    fn of(said: &str) -> Alert {
        let mut alert = Alert::of_a_test(0, said);
        for field in [
            &mut alert.log,
            &mut alert.rule,
            &mut alert.rule_id,
            &mut alert.title,
            &mut alert.level,
            &mut alert.why,
            &mut alert.time,
            &mut alert.event_id,
        ] {
            said.clone_into(field);
        }
        alert.tags = vec![said.to_owned()];
        alert.group = vec![(said.to_owned(), said.to_owned())];
        alert
    }

    /// A message whose every text says this; panics when any of it is more than text.
    fn checked(said: &str) -> (String, String) {
        let to = ["a@example.org", "b@example.org"].map(str::to_owned);
        let message = message("tacho@example.org", &to, &of(said), NOW_MS);
        let lines: Vec<&str> = message.split("\r\n").collect();
        for line in &lines {
            assert!(line.len() <= 76 || line.starts_with("Message-ID: "), "{line}");
            assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{line:?}");
            assert!(!line.starts_with('.'), "{line}");
        }
        let (head, body) = message.split_once("\r\n\r\n").unwrap();
        let names: Vec<&str> = head
            .split("\r\n")
            .filter(|line| !line.starts_with(' '))
            .map(|line| line.split(": ").next().unwrap())
            .collect();
        let all = "From To Subject Date Message-ID Auto-Submitted MIME-Version Content-Type \
                   Content-Transfer-Encoding";
        assert_eq!(names.join(" "), all, "{head}");
        let subject = head.split("Subject: ").nth(1).unwrap().split("\r\nDate: ").next().unwrap();
        let (subject, body) = (unworded(subject), unquoted(body));
        for text in [&subject, &body] {
            let fault = text.chars().find(|it| query::escape::is_hidden(*it) && *it != '\n');
            assert_eq!(fault, None, "{text}");
        }
        assert!(!subject.contains('\n'), "{subject}");
        let known =
            ["Level", "Why", "In common", "Log", "Time", "Event", "Rule", "Tags", "Incident"];
        let facts: Vec<&str> = body.lines().skip(2).take_while(|line| !line.is_empty()).collect();
        let is_known = |line: &&str| known.contains(&line.split(": ").next().unwrap());
        assert!(facts.iter().all(is_known) && facts.len() <= known.len(), "{body}");
        assert_eq!(body.lines().count(), 2 + facts.len() + ENDING.lines().count(), "{body}");
        (subject, body)
    }

    #[test]
    fn a_message_says_what_every_sink_is_told() {
        let mut alert = Alert::of_a_test(1_000, "i-1");
        (alert.index, alert.event_id) = (7, "e-7".to_owned());
        (alert.events, alert.tags) = (vec![3, 7], vec!["owasp.asi01".to_owned()]);
        alert.group = vec![("run".to_owned(), "r-1".to_owned())];
        let to = ["ops@example.org".to_owned(), "night@example.org".to_owned()];
        let message = message("tacho@example.org", &to, &alert, NOW_MS);
        let (head, body) = message.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with(
                "From: Tachograph <tacho@example.org>\r\n\
                 To: ops@example.org,\r\n night@example.org\r\n\
                 Subject: [informational] A test of Tachograph's alerts (test)\r\n\
                 Date: Tue, 3 Nov 2026 09:00:00 +0000\r\n\
                 Message-ID: <i-1@example.org>\r\n"
            ),
            "{head}"
        );
        assert!(
            unquoted(body).starts_with(
                "A test of Tachograph's alerts\n\n\
                 Level: informational\n\
                 Why: somebody ran `tacho alerts test`\n\
                 In common: run r-1\n\
                 Log: test\n\
                 Time: 1970-01-01T00:00:01.000000000Z\n\
                 Event: 7 e-7\n\
                 Events: 3, 7\n\
                 Rule: test test\n\
                 Tags: owasp.asi01\n\
                 Incident: i-1\n\n"
            ),
            "{}",
            unquoted(body)
        );
    }

    #[test]
    fn whatever_strangers_wrote_is_text_in_the_lines_that_are_there() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/hostile/payloads.json");
        let mut all: Vec<String> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        assert!(all.len() >= 300, "{}", all.len());
        all.extend(
            [
                "x\r\nBcc: evil@example.org\r\n\r\nbody",
                "x\n.\r\nMAIL FROM:<x>",
                ".",
                "=?utf-8?q?=0d=0a.?=",
                "=\r\n=41",
                "  ",
                "",
            ]
            .map(str::to_owned),
        );
        all.extend(["A".repeat(70_000), "\u{202e}".repeat(20_000), "é".repeat(20_000)]);
        for said in &all {
            checked(said);
        }
        let (subject, body) = checked("=?utf-8?q?=0d=0a?=");
        assert!(subject.contains("=?utf-8?q?=0d=0a?="), "{subject}");
        assert!(body.contains("Why: =?utf-8?q?=0d=0a?=\n"), "{body}");
        let (subject, body) = checked(&"é".repeat(3_000));
        assert!(subject.ends_with("é [cut]") && body.contains("é [cut]\n"), "{subject}");
    }

    #[test]
    fn what_is_long_is_cut_and_says_so_even_when_escapes_make_it_long() {
        assert_eq!(shown("abc", 3), "abc");
        assert_eq!(shown("abcd", 3), "abc [cut]");
        assert_eq!(shown("\0\0", 2), "\\u [cut]");
        assert_eq!(id(&format!("a.b\r\n@{}", "c".repeat(200))).len(), ID_MAX);
    }

    proptest! {
        #[test]
        fn any_text_makes_a_message(said in "\\PC*|(?s).{0,300}") {
            checked(&said);
        }

        #[test]
        fn quoted_text_reads_back(lines in proptest::collection::vec("[^\r\n]{0,200}", 0..5)) {
            let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
            prop_assert_eq!(unquoted(&quoted(&text)), text);
        }

        #[test]
        fn words_read_back(text in "[^\r\n]{0,200}") {
            prop_assert_eq!(unworded(&words(&text)), text);
        }
    }
}

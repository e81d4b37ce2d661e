//! Patterns over names: `dns:*.agents.example`, `uri:spiffe://example/ns/*/sa/agent`.
//!
//! A star stands for any characters within one part of a name, and never reaches into the next:
//! parts are what dots separate in DNS names, slashes in URIs, and the `@` in addresses.

use serde::Deserialize;

/// What kind of name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `uri:`, such as a SPIFFE id.
    Uri,
    /// `dns:`, a host's name.
    Dns,
    /// `email:`, an address.
    Email,
    /// `cn:`, the subject's common name.
    CommonName,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Uri, Self::Dns, Self::Email, Self::CommonName];

    /// The name, as it stands before a principal's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Uri => "uri",
            Self::Dns => "dns",
            Self::Email => "email",
            Self::CommonName => "cn",
        }
    }

    fn separator(self) -> Option<char> {
        match self {
            Self::Uri => Some('/'),
            Self::Dns => Some('.'),
            Self::Email => Some('@'),
            Self::CommonName => None,
        }
    }

    /// The one spelling that is compared: host names do not tell capitals from small letters.
    pub(super) fn spelled(self, text: &str) -> String {
        match self {
            Self::Dns => text.to_ascii_lowercase(),
            Self::Email => match text.rsplit_once('@') {
                Some((who, host)) => format!("{who}@{}", host.to_ascii_lowercase()),
                None => text.to_owned(),
            },
            Self::Uri | Self::CommonName => text.to_owned(),
        }
    }

    fn parts(self, text: &str) -> Vec<&str> {
        match self.separator() {
            Some(separator) => text.split(separator).collect(),
            None => vec![text],
        }
    }
}

/// Which names a rule is for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern {
    kind: Kind,
    text: String,
}

/// Text that is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no pattern for names: write uri:, dns:, email: or cn: and the name, \
     with * for any characters within one part of it"
)]
pub struct BadPattern(String);

impl TryFrom<String> for Pattern {
    type Error = BadPattern;

    fn try_from(text: String) -> Result<Self, BadPattern> {
        let read = text.split_once(':').and_then(|(kind, name)| {
            let kind = Kind::ALL.into_iter().find(|known| known.as_str() == kind)?;
            let fine = !name.is_empty() && name.len() <= super::NAME_BYTES_MAX;
            fine.then(|| Self { kind, text: kind.spelled(name) })
        });
        read.ok_or(BadPattern(text))
    }
}

impl Pattern {
    /// Whether a name of this kind fits, all of it.
    #[must_use]
    pub fn fits(&self, kind: Kind, name: &str) -> bool {
        if self.kind != kind {
            return false;
        }
        let (patterns, parts) = (kind.parts(&self.text), kind.parts(name));
        patterns.len() == parts.len()
            && patterns.iter().zip(&parts).all(|(pattern, part)| part_fits(pattern, part))
    }
}

/// Whether one part fits. A star stands for one character at least: `*` is not the empty part.
fn part_fits(pattern: &str, part: &str) -> bool {
    let mut pieces = pattern.split('*');
    // `split` yields at least one piece.
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = part.strip_prefix(first) else { return false };
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    for piece in pieces {
        // The earliest place leaves the most for what follows; the star before takes one at least.
        let Some(after) = skip_one(rest) else { return false };
        let Some(at) = after.find(piece) else { return false };
        rest = &after[at + piece.len()..];
    }
    skip_one(rest).is_some_and(|after| after.ends_with(last))
}

/// What follows the first character.
fn skip_one(text: &str) -> Option<&str> {
    let mut chars = text.chars();
    chars.next().map(|_| chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn star_stays_within_its_part() {
        let fits = |text: &str, kind, name: &str| pattern(text).fits(kind, name);
        assert!(fits("dns:*.agents.example", Kind::Dns, "a1.agents.example"));
        assert!(!fits("dns:*.agents.example", Kind::Dns, "a.b.agents.example"));
        assert!(!fits("dns:*.agents.example", Kind::Dns, ".agents.example"));
        assert!(!fits("dns:*.agents.example", Kind::Dns, "agents.example"));
        assert!(!fits("dns:*.agents.example", Kind::Dns, "a.agents.example.evil.test"));
        assert!(fits("DNS:a".to_lowercase().as_str(), Kind::Dns, "a"));
        assert!(fits("dns:A.Example", Kind::Dns, "a.example"));
        assert!(fits(
            "uri:spiffe://example/ns/*/sa/agent-*",
            Kind::Uri,
            "spiffe://example/ns/x/sa/agent-1"
        ));
        assert!(!fits(
            "uri:spiffe://example/ns/*/sa/agent-*",
            Kind::Uri,
            "spiffe://example/ns/x/y/sa/agent-1"
        ));
        assert!(!fits("uri:spiffe://example/*", Kind::Uri, "spiffe://example.evil/a"));
        assert!(fits("email:*@example.org", Kind::Email, "a.b@example.org"));
        assert!(!fits("email:*@example.org", Kind::Email, "a@evil@example.org"));
        assert!(fits("cn:team *", Kind::CommonName, "team a/b.c"));
        assert!(!fits("cn:a", Kind::Dns, "a"), "kinds never mix");
        assert!(fits("dns:a*b*c", Kind::Dns, "a1bbb2c"));
        assert!(!fits("dns:a*b*c", Kind::Dns, "abc"));
        assert!(!fits("dns:**", Kind::Dns, "a"));
        assert!(fits("dns:**", Kind::Dns, "ab"));
    }

    #[test]
    fn text_that_is_no_pattern_is_refused() {
        for bad in ["", "a", "dns:", "host:a", ":a", "DNS:a"] {
            assert!(Pattern::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
    }

    /// The meaning, spelled out slowly.
    fn slow(pattern: &[u8], part: &[u8]) -> bool {
        match (pattern.split_first(), part.split_first()) {
            (None, None) => true,
            (Some((b'*', after)), Some((_, rest))) => slow(after, rest) || slow(pattern, rest),
            (Some((wanted, after)), Some((found, rest))) => wanted == found && slow(after, rest),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn quick_matching_agrees_with_slow(pattern in "[ab*]{0,6}", part in "[ab]{0,8}") {
            prop_assert_eq!(
                part_fits(&pattern, &part), slow(pattern.as_bytes(), part.as_bytes()));
        }
    }
}

//! C-PRIV-1: no card numbers or addresses in content, and erasures that were done in time.

use super::predicate::{End, Item, Predicate};
use super::{Assessed, Named, Parameters};
use event::{Removal, types};
use std::collections::BTreeMap;

const DAY_MS: u64 = 86_400_000;

/// Requests that are followed.
const REQUESTS_MAX: usize = 100_000;

/// Digits of a card number.
const PAN_DIGITS: std::ops::RangeInclusive<usize> = 13..=19;

pub(super) struct Privacy {
    pan: bool,
    email: bool,
    max_days: u64,
    looked_at: u64,
    offending: Named,
    /// Requests without an end: when they were made.
    requests: BTreeMap<u64, u64>,
    late: Named,
}

impl Privacy {
    pub(super) fn new(parameters: &Parameters) -> Self {
        let detects = |name: &str| {
            let detect = parameters.detect.as_ref();
            detect.is_none_or(|all| all.iter().any(|it| it == name))
        };
        Self {
            pan: detects("pan"),
            email: detects("email"),
            max_days: parameters.max_days.unwrap_or(30),
            looked_at: 0,
            offending: Named::default(),
            requests: BTreeMap::new(),
            late: Named::default(),
        }
    }

    fn request(&mut self, item: &Item<'_>) {
        let now_ms = item.found.recorded_at_ms;
        if item.is("log.erasure") && self.requests.len() < REQUESTS_MAX {
            self.requests.insert(item.index(), now_ms);
        } else if item.is(types::LOG_ERASED)
            && let Ok(Some(removal)) = Removal::from_stored(&item.found.meta, &item.found.content)
            && let Some(asked_ms) = self.requests.remove(&removal.authority)
            && now_ms.saturating_sub(asked_ms) > self.max_days * DAY_MS
        {
            self.late.note(item);
        }
    }
}

impl Predicate for Privacy {
    fn offer(&mut self, item: &Item<'_>) {
        if item.is_log {
            return self.request(item);
        }
        if item.found.content.is_empty() {
            return;
        }
        self.looked_at += 1;
        let content = &item.found.content;
        if (self.pan && has_pan(content)) || (self.email && has_email(content)) {
            self.offending.note(item);
        }
    }

    fn finish(mut self: Box<Self>, end: &End<'_>) -> Assessed {
        let limit_ms = self.max_days * DAY_MS;
        for (index, asked_ms) in &self.requests {
            if end.to_ms.saturating_sub(*asked_ms) > limit_ms {
                self.late.add(*index, None);
            }
        }
        let asked = format!("nothing detected; erasures done in {} days", self.max_days);
        if self.looked_at == 0 && self.late.count == 0 {
            return Assessed::nothing("no record with content was seen");
        }
        if self.late.count > 0 {
            let count = self.late.count;
            return Assessed::by(self.late, count, "erasures came late, or not yet").asking(asked);
        }
        let what = "hold what looks like a card number or an address";
        Assessed::by(self.offending, self.looked_at, what).asking(asked)
    }
}

/// Whether a run of digits, with single blanks or hyphens between, is a number that a card can
/// have.
fn has_pan(bytes: &[u8]) -> bool {
    let mut digits: Vec<u8> = Vec::new();
    let (mut gap, mut before) = (0, b' ');
    for byte in bytes.iter().copied().chain([b'.']) {
        match byte {
            b'0'..=b'9' => {
                if digits.is_empty() && (before.is_ascii_alphanumeric() || before == b'.') {
                    // The end of an id or a fraction.
                    digits.push(0);
                }
                digits.push(byte - b'0');
                gap = 0;
            }
            b' ' | b'-' if gap == 0 && !digits.is_empty() => gap = 1,
            _ => {
                let ends_well = !byte.is_ascii_alphabetic() && byte != b'_';
                if ends_well && is_pan(&digits) {
                    return true;
                }
                digits.clear();
                gap = 0;
            }
        }
        before = byte;
    }
    false
}

/// Luhn's sum, the length, and a first digit that cards have.
fn is_pan(digits: &[u8]) -> bool {
    if !PAN_DIGITS.contains(&digits.len()) || !matches!(digits.first(), Some(3..=6)) {
        return false;
    }
    let doubled = |(place, digit): (usize, &u8)| match place % 2 {
        0 => u32::from(*digit),
        _ => match u32::from(*digit) * 2 {
            many @ 10.. => many - 9,
            few => few,
        },
    };
    digits.iter().rev().enumerate().map(doubled).sum::<u32>().is_multiple_of(10)
}

/// Whether something stands around an at sign as in an address.
fn has_email(bytes: &[u8]) -> bool {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"._%+-".contains(byte);
    let is_host = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-' || *byte == b'.';
    bytes.iter().enumerate().filter(|(_, byte)| **byte == b'@').any(|(at, _)| {
        let (name, host) = bytes.split_at(at);
        let host = host.get(1..).unwrap_or_default();
        let host: Vec<u8> =
            host.iter().copied().take_while(|byte| is_host(byte)).take(254).collect();
        let labels: Vec<&[u8]> = host.split(|byte| *byte == b'.').collect();
        name.last().is_some_and(is_name)
            && labels.len() > 1
            && labels.iter().take(labels.len() - 1).all(|label| !label.is_empty())
            && labels
                .iter()
                .rev()
                .find(|label| !label.is_empty())
                .is_some_and(|label| label.len() > 1 && label.iter().all(u8::is_ascii_alphabetic))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn card_numbers_are_recognised_and_other_numbers_are_not() {
        for yes in ["4111 1111 1111 1111", "card:5500-0000-0000-0004", "\"378282246310005\""] {
            assert!(has_pan(yes.as_bytes()), "{yes}");
        }
        for no in [
            "4111 1111 1111 1112",
            "1793696400000",
            "0.4111111111111111",
            "x4111111111111111",
            "41111111111111111111111",
            "[REDACTED:card]",
        ] {
            assert!(!has_pan(no.as_bytes()), "{no}");
        }
    }

    #[test]
    fn addresses_are_recognised_and_other_at_signs_are_not() {
        assert!(has_email(b"write to maria.keller@example.com."));
        for no in ["a@b", "@example.com", "price @ 3.50", "[email]"] {
            assert!(!has_email(no.as_bytes()), "{no}");
        }
    }
}

//! Addresses of machines, which lead to people: IPv4, IPv6, MAC.

use super::letters::{self, ANY_HEX};
use super::{Examples, Finding};
use crate::rule::Rule;
use core::net::{Ipv4Addr, Ipv6Addr};

/// Characters of the longest IPv6 address, with an IPv4 address at its end.
const IPV6_BYTES_MAX: usize = 45;

/// Characters of the shortest address (`1.2.3.4`; an IPv6 address has six digits or more).
const ADDRESS_BYTES_MIN: usize = 7;

pub(super) fn find(text: &str, found: &mut Vec<Finding>) {
    let bytes = text.as_bytes();
    let class = letters::ANY_HEX | letters::COLON | letters::DOT | letters::HYPHEN;
    let mut at = 0;
    while let Some((start, end)) = letters::next_run(bytes, at, class, ADDRESS_BYTES_MIN) {
        at = end + 1;
        if end - start <= IPV6_BYTES_MAX + 6 {
            found.extend(address(text, start, end));
        }
    }
}

/// The address that the run of digits and joints from `start` to `end` is.
fn address(text: &str, start: usize, end: usize) -> Option<Finding> {
    let outside = |at: Option<usize>| {
        let byte = at.and_then(|at| text.as_bytes().get(at));
        byte.is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_'))
    };
    let lead = text.get(start..end)?.bytes().take_while(|b| matches!(b, b'.' | b'-')).count();
    let start = start + lead;
    let run = text.get(start..end)?.trim_end_matches(['.', '-']);
    if outside(start.checked_sub(1)) || outside(Some(start + run.len())) {
        return None;
    }
    let finding = |length: usize, rule| Some(Finding { start, end: start + length, rule });
    // Words of the first six letters have no joints.
    if run.bytes().filter(|b| !b.is_ascii_alphanumeric()).count() < 2 {
        return None;
    }
    let colons = run.bytes().filter(|b| *b == b':').count();
    if is_mac(run) {
        return finding(run.len(), Rule::MacAddress);
    }
    if colons <= 1 {
        // A port may follow.
        let (host, port) = run.split_once(':').unwrap_or((run, ""));
        let known = port.bytes().all(|b| b.is_ascii_digit()) && is_ipv4(text, start, host);
        return known.then(|| finding(host.len(), Rule::IpAddress))?;
    }
    let run = if run.ends_with("::") { run } else { run.trim_end_matches(':') };
    let digits = run.bytes().filter(u8::is_ascii_hexdigit).count();
    let parsed =
        run.parse::<Ipv6Addr>().ok().filter(|ip| !ip.is_loopback() && !ip.is_unspecified());
    // `a::b` is a path in a program as well.
    let sure = digits >= 6 && run.bytes().any(|b| b.is_ascii_digit());
    (parsed.is_some() && sure).then(|| finding(run.len(), Rule::IpAddress))?
}

fn is_ipv4(text: &str, start: usize, host: &str) -> bool {
    let Ok(address) = host.parse::<Ipv4Addr>() else { return false };
    let [first, .., last] = address.octets();
    let masks = first == 255 || (last == 0 && first <= 9);
    // `version 1.2.3.4`, `v1.2.3.4`, `Chrome/120.0.0.0`.
    let before = text.get(..start).unwrap_or_default();
    let word = before.trim_end_matches([' ', ':', '=', '"', '\'']);
    let word = word.get(word.len().saturating_sub(8)..).unwrap_or_default().to_ascii_lowercase();
    let version = word.ends_with("version") || word.ends_with(" ver") || word.ends_with("release");
    let product = before.ends_with('/') && before.bytes().rev().nth(1).is_some_and(|b| b != b'/');
    !masks && !version && !product && !address.is_loopback() && !address.is_unspecified()
}

fn is_mac(run: &str) -> bool {
    let bytes = run.as_bytes();
    let joint = bytes.get(2).copied().unwrap_or_default();
    let pairs = bytes.len() == 17
        && matches!(joint, b':' | b'-')
        && bytes.iter().enumerate().all(|(at, byte)| {
            if at % 3 == 2 { *byte == joint } else { letters::is(*byte, ANY_HEX) }
        });
    let same = bytes.iter().filter(|b| **b == bytes.first().copied().unwrap_or_default()).count();
    pairs && same < 12
}

pub(super) const EXAMPLES: &[Examples] = &[
    Examples {
        rule: Rule::IpAddress,
        takes: &[
            "from «203.0.113.7»:8080",
            "«192.168.1.20».",
            "http://«203.0.113.7»/x",
            "«2001:0db8:85a3:0000:0000:8a2e:0370:7334»",
            "[«2001:db8::8a2e:370:7334»]",
        ],
        leaves: &[
            "version 1.2.3.4",
            "Chrome/120.0.0.0",
            "255.255.255.0",
            "127.0.0.1",
            "0.0.0.0",
            "1.2.3.4.5",
            "300.1.2.3",
            "std::net::a::b",
            "::1",
            "12:34:56",
        ],
    },
    Examples {
        rule: Rule::MacAddress,
        takes: &["«00:1B:44:11:3A:B7»", "eth0 «00-1b-44-11-3a-b7»,"],
        leaves: &[
            "ff:ff:ff:ff:ff:ff",
            "00:1B:44:11:3A",
            "00:1B:44:11:3A:B7:00",
            "12:34:56:78:90:GG",
        ],
    },
];

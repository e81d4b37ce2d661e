//! The time in a stamp: `GeneralizedTime` in UTC, with a fraction of a second where there is one.

use crate::error::StampError;
use x509_cert::der::DateTime;

/// Milliseconds since 1970 of what stands in a `GeneralizedTime`.
pub(crate) fn milliseconds(value: &[u8]) -> Result<u64, StampError> {
    parse(value).ok_or(StampError::Malformed("the time"))
}

fn parse(value: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(value).ok()?.strip_suffix('Z')?;
    let (whole, fraction) = match text.split_once('.') {
        // A fraction that ends with a zero has a shorter spelling.
        Some((_, fraction)) if fraction.is_empty() || fraction.ends_with('0') => return None,
        Some((whole, fraction)) => (whole, fraction),
        None => (text, ""),
    };
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() != 14 || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let number = |from: usize, to: usize| whole.get(from..to)?.parse::<u8>().ok();
    let date = DateTime::new(
        whole.get(..4)?.parse().ok()?,
        number(4, 6)?,
        number(6, 8)?,
        number(8, 10)?,
        number(10, 12)?,
        number(12, 14)?,
    );
    let seconds = date.ok()?.unix_duration().as_secs();
    let thousandths = format!("{fraction:0<3}").get(..3)?.parse::<u64>().ok()?;
    seconds.checked_mul(1_000)?.checked_add(thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_seconds_and_may_have_fractions() {
        let read = |text: &str| milliseconds(text.as_bytes()).ok();
        assert_eq!(read("19700101000001Z"), Some(1_000));
        assert_eq!(read("20260102030405Z"), Some(1_767_323_045_000));
        assert_eq!(read("20260102030405.25Z"), Some(1_767_323_045_250));
        assert_eq!(read("20260102030405.1234567Z"), Some(1_767_323_045_123));
        for bad in [
            "20260102030405",
            "20260102030405.Z",
            "20260102030405.10Z",
            "202601020304Z",
            "20261302030405Z",
            "20260102030405+0100",
            "2026010203040xZ",
            "Z",
            "",
            "20260102030405.1,2Z",
            "+0260102030405Z",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}

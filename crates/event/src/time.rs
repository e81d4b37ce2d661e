//! Times of events: nanoseconds since the Unix epoch, read from RFC 3339 or from seconds as a
//! number.
//!
//! No clock here: what "now" is arrives from outside.

use std::fmt::{self, Write as _};

/// A point in time in nanoseconds since 1970-01-01T00:00:00Z (up to the year 2554).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub u64);

const NANOSECONDS_PER_SECOND: u64 = 1_000_000_000;

impl Timestamp {
    /// From milliseconds since the epoch.
    #[must_use]
    pub fn from_milliseconds(milliseconds: u64) -> Self {
        Self(milliseconds.saturating_mul(1_000_000))
    }

    /// Reads RFC 3339 (any offset, any precision up to nanoseconds; a missing offset means UTC,
    /// which is what Python's `utcnow().isoformat()` writes).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let stamp = text.parse::<jiff::Timestamp>().ok().or_else(|| {
            let civil = text.parse::<jiff::civil::DateTime>().ok()?;
            text.contains(['T', 't', ' ']).then_some(())?;
            jiff::tz::Offset::UTC.to_timestamp(civil).ok()
        })?;
        u64::try_from(stamp.as_nanosecond()).ok().map(Self)
    }

    /// Reads the decimal text of seconds since the epoch (`1767225600.123456`) without going
    /// through a double where it can: digits beyond nanoseconds are cut.
    #[must_use]
    pub fn parse_seconds(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) {
            let seconds =
                text.parse::<f64>().ok().filter(|s| *s >= 0.0 && *s < 18_446_744_073.0)?;
            return Some(Self((seconds * 1e9) as u64));
        }
        let seconds: u64 = whole.parse().ok()?;
        let mut nanoseconds = 0;
        for position in 0..9 {
            let digit = fraction.as_bytes().get(position).map_or(0, |b| u64::from(b - b'0'));
            nanoseconds = nanoseconds * 10 + digit;
        }
        seconds.checked_mul(NANOSECONDS_PER_SECOND)?.checked_add(nanoseconds).map(Self)
    }

    /// Milliseconds since the epoch, cut.
    #[must_use]
    pub fn milliseconds(self) -> u64 {
        self.0 / 1_000_000
    }

    /// Days since the epoch (UTC).
    #[must_use]
    pub fn day(self) -> u64 {
        self.0 / (86_400 * NANOSECONDS_PER_SECOND)
    }

    /// Year, month and day (UTC), by Howard Hinnant's `civil_from_days`
    /// (howardhinnant.github.io/date_algorithms.html).
    fn civil(self) -> (u64, u64, u64) {
        let days = self.day() + 719_468;
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        (year_of_era + era * 400 + u64::from(month <= 2), month, day)
    }

    /// Writes RFC 3339 in UTC with nine digits of fraction: the stored form, which loses nothing.
    pub fn write_rfc3339(self, out: &mut Vec<u8>) {
        let (year, month, day) = self.civil();
        let seconds = self.0 / NANOSECONDS_PER_SECOND % 86_400;
        let mut text = *b"0000-00-00T00:00:00.000000000Z";
        let mut put = |at: usize, width: usize, mut value: u64| {
            for place in text[at..at + width].iter_mut().rev() {
                *place = b'0' + (value % 10) as u8;
                value /= 10;
            }
        };
        put(0, 4, year);
        put(5, 2, month);
        put(8, 2, day);
        put(11, 2, seconds / 3_600);
        put(14, 2, seconds / 60 % 60);
        put(17, 2, seconds % 60);
        put(20, 9, self.0 % NANOSECONDS_PER_SECOND);
        out.extend_from_slice(&text);
    }

    /// The UTC date, `2026-11-20`.
    #[must_use]
    pub fn date(self) -> String {
        self.to_string().chars().take(10).collect()
    }

    /// The date of a day counted from 1970-01-01.
    #[must_use]
    pub fn date_of_day(day: u64) -> String {
        Self(day.saturating_mul(86_400 * NANOSECONDS_PER_SECOND)).date()
    }

    /// The day of a date, counted from 1970-01-01; `None` when it is not written as
    /// [`Timestamp::date_of_day`] writes it.
    #[must_use]
    pub fn day_of_date(date: &str) -> Option<u64> {
        let day = Self::parse(&format!("{date}T00:00:00Z"))?.day();
        (Self::date_of_day(day) == date).then_some(day)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = Vec::with_capacity(30);
        self.write_rfc3339(&mut bytes);
        bytes.iter().try_for_each(|b| f.write_char(char::from(*b)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_form_reads_back_to_the_same_nanosecond() {
        for ns in [0, 1, 951_782_400_000_000_000, 1_767_225_600_123_456_789, u64::MAX / 2, u64::MAX]
        {
            let text = Timestamp(ns).to_string();
            assert_eq!(Timestamp::parse(&text), Some(Timestamp(ns)), "{text}");
        }
        assert_eq!(
            Timestamp(951_782_400_000_000_000).to_string(),
            "2000-02-29T00:00:00.000000000Z"
        );
    }

    #[test]
    fn offsets_and_missing_offsets_are_understood() {
        let utc = Timestamp::parse("2026-11-20T16:06:56.692536Z");
        assert_eq!(Timestamp::parse("2026-11-20T16:06:56.692536+00:00"), utc);
        assert_eq!(Timestamp::parse("2026-11-20T18:06:56.692536+02:00"), utc);
        assert_eq!(Timestamp::parse("2026-11-20T16:06:56.692536"), utc);
        for bad in ["", "yesterday", "2026-13-01T00:00:00Z", "1969-12-31T23:59:59Z", "2026-11-20"] {
            assert_eq!(Timestamp::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn seconds_are_read_by_their_digits() {
        let read = |t| Timestamp::parse_seconds(t).map(|t| t.0);
        assert_eq!(read("1767225600.123456"), Some(1_767_225_600_123_456_000));
        assert_eq!(read("1767225600"), Some(1_767_225_600_000_000_000));
        assert_eq!(read("1.7672256e9"), Some(1_767_225_600_000_000_000));
        assert_eq!(read("0.0000000019"), Some(1));
        for bad in ["-1", "1e30", "99999999999999999999", "NaN"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}

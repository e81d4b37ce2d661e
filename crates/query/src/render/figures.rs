//! Numbers and times as people read them.

use event::Timestamp;

/// `2,052`.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 error`, `2 errors`.
#[must_use]
pub fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// A duration in at most six columns where it is under 100 days: `0 ms`, `350 µs`, `12.3 s`,
/// `2m05s`.
#[must_use]
pub fn duration(milliseconds: f64) -> String {
    let seconds = milliseconds / 1000.0;
    if milliseconds < 0.000_5 {
        return "0 ms".to_owned();
    }
    if milliseconds < 0.999_5 {
        return format!("{:.0} µs", milliseconds * 1000.0);
    }
    if milliseconds < 999.5 {
        return format!("{milliseconds:.0} ms");
    }
    if seconds < 59.95 {
        return format!("{seconds:.1} s");
    }
    // A float beyond the range becomes the largest integer.
    let seconds = seconds.round() as u64;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match (hours, days) {
        (0, _) => format!("{minutes}m{:02}s", seconds % 60),
        (_, 0) => format!("{hours}h{:02}m", minutes % 60),
        (_, 0..100) => format!("{days}d{:02}h", hours % 24),
        _ => format!("{}d", count(days)),
    }
}

/// Time since the start of a trace: `+5.0 s`, `0` at the start.
pub(super) fn offset(nanoseconds: u64) -> String {
    if nanoseconds == 0 { "0".to_owned() } else { format!("+{}", duration_ns(nanoseconds)) }
}

/// The same for nanoseconds.
pub(super) fn duration_ns(nanoseconds: u64) -> String {
    duration(nanoseconds as f64 / 1e6)
}

/// Part of the RFC 3339 text of a time, by its columns.
fn part(time: Timestamp, from: usize, to: usize) -> String {
    time.to_string().get(from..to).unwrap_or_default().to_owned()
}

/// `14:23:01`.
#[must_use]
pub fn clock(time: Timestamp) -> String {
    part(time, 11, 19)
}

/// `2026-11-02 14:23:01`.
#[must_use]
pub fn date_and_clock(time: Timestamp) -> String {
    format!("{} {}", part(time, 0, 10), clock(time))
}

/// `11-02 14:23`.
pub(super) fn day_and_minute(time: Timestamp) -> String {
    format!("{} {}", part(time, 5, 10), part(time, 11, 16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short_at_every_scale() {
        for (milliseconds, text) in [
            (0.0, "0 ms"),
            (0.35, "350 µs"),
            (0.999_9, "1 ms"),
            (999.4, "999 ms"),
            (999.9, "1.0 s"),
            (12_300.0, "12.3 s"),
            (59_960.0, "1m00s"),
            (125_000.0, "2m05s"),
            (11_520_000.0, "3h12m"),
            (356_400_000.0, "4d03h"),
            (1e300, "213,503,982,334,601d"),
        ] {
            assert_eq!(duration(milliseconds), text);
        }
    }

    #[test]
    fn counts_have_separators() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1,234,567");
    }
}

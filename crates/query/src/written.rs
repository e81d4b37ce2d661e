//! How people write the values of a question, whichever door they come to.

use event::{Kind, Timestamp};

/// A time: RFC 3339, a date, or how long before `now_ms` (`90s`, `15m`, `24h`, `7d`).
#[must_use]
pub fn time(text: &str, now_ms: u64) -> Option<Timestamp> {
    let date = || Timestamp::parse(&format!("{text}T00:00:00Z"));
    let ago = || {
        let unit = text.char_indices().last()?;
        let unit_ms: u64 = match unit.1 {
            's' => 1_000,
            'm' => 60_000,
            'h' => 3_600_000,
            'd' => 86_400_000,
            _ => return None,
        };
        let number: u64 = text.get(..unit.0)?.parse().ok()?;
        let before = now_ms.saturating_sub(number.checked_mul(unit_ms)?);
        Some(Timestamp::from_milliseconds(before))
    };
    Timestamp::parse(text).or_else(date).or_else(ago)
}

/// A type of events: whole (`agent.tool_call`, `hub.*`), or an agent's by its last word
/// (`tool_call`).
#[must_use]
pub fn event_type(name: &str) -> String {
    match name.contains(['.', '*']) {
        true => name.to_owned(),
        false => format!("agent.{name}"),
    }
}

/// Whose records are meant: `event` for those of producers, `log` for the log's own.
#[must_use]
pub fn kind(name: &str) -> Option<Kind> {
    [Kind::Event, Kind::Log].into_iter().find(|kind| kind_name(*kind) == name)
}

/// The name of a kind, as rows have it too.
#[must_use]
pub fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Event => "event",
        Kind::Log => "log",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_form_that_the_help_names() {
        let now = 1_793_629_381_000;
        let ms = |text| time(text, now).map(Timestamp::milliseconds);
        assert_eq!(ms("2026-11-02T14:23:01Z"), Some(now));
        assert_eq!(ms("2026-11-02T15:23:01+01:00"), Some(now));
        assert_eq!(ms("2026-11-02"), Some(1_793_577_600_000));
        assert_eq!(ms("90s"), Some(now - 90_000));
        assert_eq!(ms("7d"), Some(now - 7 * 86_400_000));
        for bad in ["", "d", "7", "7w", "-1h", "99999999999999999999d", "yesterday", "1é"] {
            assert_eq!(ms(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_short_type_is_an_agents() {
        let types = ["tool_call", "hub.*", "log.start", "*"].map(event_type);
        assert_eq!(types, ["agent.tool_call", "hub.*", "log.start", "*"]);
    }
}

//! Exact decimal sums: money is added in the producers' own digits, never through binary fractions.

use std::cmp::Ordering;
use std::fmt;

/// A decimal number: `mantissa / 10^scale`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    mantissa: i128,
    scale: u32,
}

/// Digits after the point that are still added exactly: more than any price list needs.
const SCALE_MAX: u32 = 18;

impl Amount {
    /// Reads a JSON number. `None` when it needs more than 18 digits after the point or does not
    /// fit in 128 bits: such an amount is reported as not summed rather than rounded.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (digits, exponent) = match text.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let negative = whole.starts_with('-');
        let mut mantissa: i128 = 0;
        let mut seen = false;
        for byte in whole.trim_start_matches('-').bytes().chain(fraction.bytes()) {
            let digit = byte.is_ascii_digit().then(|| i128::from(byte - b'0'))?;
            mantissa = mantissa.checked_mul(10)?.checked_add(digit)?;
            seen = true;
        }
        if !seen {
            return None;
        }
        let mut scale = i64::try_from(fraction.len()).ok()? - i64::from(exponent);
        if mantissa == 0 {
            return Some(Self::default());
        }
        while scale > 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            scale -= 1;
        }
        while scale < 0 {
            mantissa = mantissa.checked_mul(10)?;
            scale += 1;
        }
        let scale = u32::try_from(scale).ok().filter(|scale| *scale <= SCALE_MAX)?;
        Some(Self { mantissa: if negative { -mantissa } else { mantissa }, scale })
    }

    /// The exact sum; `None` when it does not fit.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let sum = self.raised(scale)?.checked_add(other.raised(scale)?)?;
        Some(Self { mantissa: sum, scale })
    }

    /// The digits with so many behind the point.
    fn raised(self, scale: u32) -> Option<i128> {
        self.mantissa.checked_mul(10_i128.checked_pow(scale.checked_sub(self.scale)?)?)
    }

    /// Which is more. What is too large to be told exactly is told by its beginning.
    #[must_use]
    pub fn compare(self, other: Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        match (self.raised(scale), other.raised(scale)) {
            (Some(one), Some(other)) => one.cmp(&other),
            _ => self.to_f64().total_cmp(&other.to_f64()),
        }
    }

    /// What so many tokens cost at this price for a million of them, exactly; `None` when it does
    /// not fit.
    #[must_use]
    pub fn for_tokens(self, tokens: u64) -> Option<Self> {
        let mantissa = self.mantissa.checked_mul(tokens.into())?;
        Some(Self { mantissa, scale: self.scale + 6 }.trimmed())
    }

    /// The nearest double: for drawing and comparing, never for adding.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.mantissa as f64 / 10_f64.powf(f64::from(self.scale))
    }

    /// The same number without zeros at its end.
    #[must_use]
    pub fn trimmed(mut self) -> Self {
        while self.scale > 0 && self.mantissa % 10 == 0 {
            self = Self { mantissa: self.mantissa / 10, scale: self.scale - 1 };
        }
        self
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.mantissa.unsigned_abs().to_string();
        let scale = self.scale as usize;
        let digits = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        if self.mantissa < 0 {
            f.write_str("-")?;
        }
        f.write_str(whole)?;
        if scale > 0 { write!(f, ".{fraction}") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::Amount;
    use proptest::prelude::*;

    fn read(text: &str) -> Option<String> {
        Amount::parse(text).map(|a| a.to_string())
    }

    #[test]
    fn json_numbers_keep_their_value() {
        assert_eq!(read("0.0067").as_deref(), Some("0.0067"));
        assert_eq!(read("-1.50").as_deref(), Some("-1.5"));
        assert_eq!(read("1e-3").as_deref(), Some("0.001"));
        assert_eq!(read("2.5E3").as_deref(), Some("2500"));
        assert_eq!(read("0e999999999").as_deref(), Some("0"));
        for bad in ["", "-", "x", "1e99", "1e-99", "1e99999999999", "1.0.0"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn ten_times_a_tenth_is_one() {
        let tenth = Amount::parse("0.1").unwrap();
        let sum = (0..10).try_fold(Amount::default(), |sum, _| sum.checked_add(tenth)).unwrap();
        assert_eq!(sum.to_string(), "1.0");
    }

    #[test]
    fn prices_are_for_a_million_tokens_and_amounts_compare_by_value() {
        let read = |text| Amount::parse(text).unwrap();
        let cost = |price, tokens| read(price).for_tokens(tokens).unwrap().to_string();
        assert_eq!(cost("2.5", 1840), "0.0046");
        assert_eq!(cost("10", 1_000_000), "10");
        assert_eq!(cost("0.075", 1), "0.000000075");
        assert_eq!(cost("3", 0), "0");
        assert!(read("0.1").compare(read("0.09")).is_gt());
        assert!(read("1").compare(read("1.0")).is_eq());
        assert!(read("-2").compare(read("1e-9")).is_lt());
        assert_eq!(read("0.0067").to_f64(), 0.0067);
    }

    proptest! {
        #[test]
        fn sums_agree_with_whole_cents(
            a in -1_000_000_i64..1_000_000,
            b in -1_000_000_i64..1_000_000,
        ) {
            let amount = |n: i64| Amount::parse(&format!("{n}e-2")).unwrap();
            let sum = amount(a).checked_add(amount(b)).unwrap();
            prop_assert_eq!(Amount::parse(&sum.to_string()), Some(amount(a + b)));
        }

        #[test]
        fn no_text_panics(text in "[-0-9.eE+]{0,60}") {
            if let Some(amount) = Amount::parse(&text) {
                let _ = amount.checked_add(amount).map(|sum| sum.to_string());
            }
        }
    }
}

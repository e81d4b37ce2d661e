//! Quantiles of many numbers without sorting them: count by the upper bits, then look only into the
//! one bucket that holds the wanted place.

/// Bits that make a bucket.
const BITS: u32 = 16;

/// The value at each of these places of the sorted numbers, between two neighbours in proportion,
/// as `percentile_cont` and DuckDB's `quantile_cont` say it. `parts` are the numbers in pieces.
pub(super) fn quantiles<const N: usize>(parts: &[Vec<f64>], shares: [f64; N]) -> [Option<f64>; N] {
    let count: usize = parts.iter().map(Vec::len).sum();
    if count == 0 {
        return [None; N];
    }
    let mut buckets = vec![0_u32; 1 << BITS];
    for number in parts.iter().flatten() {
        if let Some(bucket) = buckets.get_mut(bucket_of(*number)) {
            *bucket += 1;
        }
    }
    shares.map(|share| {
        let place = share * (count - 1) as f64;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place")]
        let low = (place.floor() as usize).min(count - 1);
        let high = (low + 1).min(count - 1);
        let (low_value, high_value) = (at(parts, &buckets, low)?, at(parts, &buckets, high)?);
        Some(low_value + (high_value - low_value) * (place - low as f64))
    })
}

/// A number that sorts as the double does.
fn ordered(number: f64) -> u64 {
    let bits = number.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn bucket_of(number: f64) -> usize {
    (ordered(number) >> (64 - BITS)) as usize
}

/// The value at a place of the sorted numbers.
fn at(parts: &[Vec<f64>], buckets: &[u32], place: usize) -> Option<f64> {
    let mut before = 0;
    let wanted = buckets.iter().position(|count| {
        let reaches = before + *count as usize > place;
        if !reaches {
            before += *count as usize;
        }
        reaches
    })?;
    let mut inside: Vec<f64> =
        parts.iter().flatten().copied().filter(|number| bucket_of(*number) == wanted).collect();
    let place = place - before;
    (place < inside.len()).then(|| *inside.select_nth_unstable_by(place, f64::total_cmp).1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sorted(numbers: &[f64], share: f64) -> f64 {
        let mut numbers = numbers.to_vec();
        numbers.sort_by(f64::total_cmp);
        let place = share * (numbers.len() - 1) as f64;
        let low = place.floor() as usize;
        let high = (low + 1).min(numbers.len() - 1);
        numbers[low] + (numbers[high] - numbers[low]) * (place - low as f64)
    }

    proptest! {
        #[test]
        fn quantiles_are_those_of_the_sorted_numbers(
            numbers in proptest::collection::vec(-1e9_f64..1e9, 1..200),
            share in 0.0_f64..=1.0,
            cut in 0_usize..200,
        ) {
            let (one, other) = numbers.split_at(cut.min(numbers.len()));
            let found = quantiles(&[one.to_vec(), other.to_vec()], [share]);
            prop_assert_eq!(found, [Some(sorted(&numbers, share))]);
        }
    }

    #[test]
    fn nothing_has_no_quantiles() {
        assert_eq!(quantiles(&[Vec::new()], [0.5]), [None]);
    }
}

//! Quantiles of many numbers without sorting them: count by the upper bits, then look only into the
//! buckets that hold the wanted places.

/// Bits that make a bucket.
const BITS: u32 = 16;

/// Marks a bucket that nobody looks into.
const UNWANTED: u8 = u8::MAX;

/// A bucket that holds a wanted place: how many numbers are in lower ones, and what is in it.
struct Bucket {
    before: usize,
    inside: Vec<f64>,
}

/// The value at each of these places of the sorted numbers, between two neighbours in proportion,
/// as `percentile_cont` and DuckDB's `quantile_cont` say it. `parts` are the numbers in pieces.
pub(super) fn quantiles<const N: usize>(parts: &[Vec<f64>], shares: [f64; N]) -> [Option<f64>; N] {
    let count: usize = parts.iter().map(Vec::len).sum();
    if count == 0 {
        return [None; N];
    }
    let places = shares.map(|share| {
        let place = share * (count - 1) as f64;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place")]
        let low = (place.floor() as usize).min(count - 1);
        (low, (low + 1).min(count - 1), place - low as f64)
    });
    let wanted: Vec<usize> = places.iter().flat_map(|(low, high, _)| [*low, *high]).collect();
    let mut buckets = buckets(parts, &wanted);
    places.map(|(low, high, rest)| {
        let (low, high) = (at(&mut buckets, low)?, at(&mut buckets, high)?);
        Some(low + (high - low) * rest)
    })
}

/// The buckets that hold these places of the sorted numbers, lowest first.
fn buckets(parts: &[Vec<f64>], places: &[usize]) -> Vec<Bucket> {
    let mut counts = vec![0_u32; 1 << BITS];
    for number in parts.iter().flatten() {
        if let Some(count) = counts.get_mut(bucket_of(*number)) {
            *count += 1;
        }
    }
    let (mut buckets, mut slots, mut before) = (Vec::new(), vec![UNWANTED; 1 << BITS], 0);
    for (count, slot) in counts.into_iter().zip(&mut slots) {
        let behind = before + count as usize;
        if places.iter().any(|place| (before..behind).contains(place)) {
            *slot = u8::try_from(buckets.len()).unwrap_or(UNWANTED);
            buckets.push(Bucket { before, inside: Vec::with_capacity(count as usize) });
        }
        before = behind;
    }
    for number in parts.iter().flatten() {
        let slot = slots.get(bucket_of(*number)).copied().unwrap_or(UNWANTED);
        if let Some(bucket) = buckets.get_mut(usize::from(slot)) {
            bucket.inside.push(*number);
        }
    }
    buckets
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
fn at(buckets: &mut [Bucket], place: usize) -> Option<f64> {
    let behind = buckets.partition_point(|bucket| bucket.before <= place);
    let bucket = buckets.get_mut(behind.checked_sub(1)?)?;
    let place = place - bucket.before;
    let inside = &mut bucket.inside;
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
            shares in [0.0_f64..=1.0, 0.0_f64..=1.0, 0.9_f64..=1.0],
            cut in 0_usize..200,
        ) {
            let (one, other) = numbers.split_at(cut.min(numbers.len()));
            let found = quantiles(&[one.to_vec(), other.to_vec()], shares);
            prop_assert_eq!(found, shares.map(|share| Some(sorted(&numbers, share))));
        }
    }

    #[test]
    fn nothing_has_no_quantiles() {
        assert_eq!(quantiles(&[Vec::new()], [0.5]), [None]);
    }
}

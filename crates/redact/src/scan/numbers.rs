//! Digits that may be a card or an identity number: nine at least, one joint apart.

/// The fewest digits, and the fewest of a number with several full stops (`1.234.567-5`).
const DIGITS_MIN: usize = 9;
const DOTTED_DIGITS_MIN: usize = 8;

/// The longest number that is looked at in one piece.
const NUMBER_BYTES_MAX: usize = 48;

fn is_joint(byte: u8) -> bool {
    matches!(byte, b' ' | b'-' | b'.' | b'/')
}

/// True when a number touches the `length` bytes from `start` on. What stands before `seen` was
/// looked at already.
pub(super) fn has_number(bytes: &[u8], start: usize, length: usize, seen: &mut usize) -> bool {
    let numeric = |byte: &&u8| byte.is_ascii_digit() || is_joint(**byte);
    let before = bytes.get(*seen..start).unwrap_or_default();
    let lead = before.iter().rev().take(NUMBER_BYTES_MAX).take_while(numeric).count();
    let mut at = start.max(*seen) - lead;
    let end = bytes.len().min(start + length);
    while at < end {
        if !bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
            continue;
        }
        let run = run(bytes.get(at..).unwrap_or_default());
        if is_number(bytes, at, bytes.get(at..at + run).unwrap_or_default()) {
            return true;
        }
        at += run + 1;
    }
    *seen = at;
    false
}

/// How many bytes at the beginning are digits, one joint apart at most.
fn run(bytes: &[u8]) -> usize {
    let mut end = 0;
    while end < NUMBER_BYTES_MAX {
        match (bytes.get(end), bytes.get(end + 1)) {
            (Some(b'0'..=b'9'), _) => end += 1,
            (Some(joint), Some(b'0'..=b'9')) if is_joint(*joint) => end += 1,
            _ => break,
        }
    }
    end
}

fn is_number(bytes: &[u8], start: usize, run: &[u8]) -> bool {
    let joints = run.iter().filter(|b| !b.is_ascii_digit()).count();
    let dots = run.iter().filter(|b| **b == b'.').count();
    let digits = run.len() - joints;
    match (digits, joints) {
        // The letter of an escape (`\n`) does not belong to the word.
        (DIGITS_MIN.., 0) => {
            let lead = bytes.get(..start).unwrap_or_default();
            match lead {
                [.., b'\\', letter] if letter.is_ascii_alphabetic() => true,
                [.., b] => !b.is_ascii_alphanumeric() && *b != b'_',
                [] => true,
            }
        }
        // A fraction.
        (_, 1) if dots == 1 => false,
        (DIGITS_MIN.., _) => match run {
            // A date, and what follows it.
            [y @ .., b'-', _, _, b'-', _, _] if run.len() == 10 && y.len() == 4 => false,
            [_, _, _, _, b'-', _, _, b'-', _, _, _, rest @ ..] if run.len() > 11 => {
                rest.iter().filter(|b| b.is_ascii_digit()).count() >= DIGITS_MIN
            }
            _ => true,
        },
        (DOTTED_DIGITS_MIN.., _) => dots >= 2,
        _ => false,
    }
}

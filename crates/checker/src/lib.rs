//! The door of `prove` in a browser: three functions that take and give whole numbers.
//!
//! The module imports nothing and shares no pointer: text goes in and comes out four bytes at a
//! time. So there is nothing that it could do but compute, and no glue that must fit its version
//! (docs/decisions/0043). What is checked is `prove::check_page`; the page that calls this is
//! `report::bundle`.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes in a word.
const WORD_BYTES: usize = 4;

/// What was given, and the last answer.
struct State {
    given: Vec<u8>,
    answer: Vec<u8>,
}

static STATE: Mutex<State> = Mutex::new(State { given: Vec::new(), answer: Vec::new() });

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives the next `count` bytes, at most four: the lowest byte of `word` first.
#[cfg_attr(target_arch = "wasm32", expect(unsafe_code, reason = "no other symbol has this name"))]
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn tacho_give(word: u32, count: u32) {
    let bytes = word.to_le_bytes();
    let count = usize::try_from(count).unwrap_or(WORD_BYTES).min(WORD_BYTES);
    state().given.extend(bytes.iter().take(count));
}

/// Checks what was given: `key_bytes` bytes of the key that the reader expects, perhaps none, then
/// the text of a bundle. Returns how many bytes the answer has.
#[cfg_attr(target_arch = "wasm32", expect(unsafe_code, reason = "no other symbol has this name"))]
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn tacho_check(key_bytes: u32) -> u32 {
    let mut state = state();
    let given = std::mem::take(&mut state.given);
    let middle = usize::try_from(key_bytes).unwrap_or(usize::MAX).min(given.len());
    let (key, bundle) = given.split_at(middle);
    state.answer = prove::check_page(bundle, &String::from_utf8_lossy(key)).into_bytes();
    u32::try_from(state.answer.len()).unwrap_or(u32::MAX)
}

/// The bytes of the answer from `at` on, at most four, the first one lowest; 0 beyond the end.
#[cfg_attr(target_arch = "wasm32", expect(unsafe_code, reason = "no other symbol has this name"))]
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn tacho_answer(at: u32) -> u32 {
    let state = state();
    let from = usize::try_from(at).unwrap_or(usize::MAX);
    let mut bytes = [0; WORD_BYTES];
    let rest = state.answer.get(from..).unwrap_or_default();
    bytes.iter_mut().zip(rest).for_each(|(byte, given)| *byte = *given);
    u32::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_word_by_word_is_checked_and_comes_out_word_by_word() {
        let (key, bundle) = ("log.example+no", "{}");
        for chunk in format!("{key}{bundle}").as_bytes().chunks(WORD_BYTES) {
            let mut word = [0; WORD_BYTES];
            word[..chunk.len()].copy_from_slice(chunk);
            tacho_give(u32::from_le_bytes(word), chunk.len() as u32);
        }
        let length = tacho_check(key.len() as u32);
        let words = (0..length).step_by(WORD_BYTES).flat_map(|at| tacho_answer(at).to_le_bytes());
        let answer: Vec<u8> = words.take(length as usize).collect();
        assert_eq!(String::from_utf8(answer).unwrap(), prove::check_page(bundle.as_bytes(), key));
        assert_eq!(tacho_answer(u32::MAX), 0);
    }
}

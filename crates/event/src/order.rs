//! The order in which a producer writes the members of its events, learned from those before.
//!
//! Producers write every event in one order, so after one member nearly always comes the one that
//! came after it last time. Asking only whether it did takes a comparison of fixed length; finding
//! out which one it is takes several branches that a processor cannot foresee. A guess that is
//! wrong costs that comparison and changes nothing.

use crate::field::Field;
use wide::u8x16;

/// Bytes of a block.
const BLOCK_BYTES: usize = 16;

/// Bytes of `"name":` that are compared at most: the longest name has fifteen.
const GUESS_BYTES: usize = 2 * BLOCK_BYTES;

/// What comes after a member, as it is written: `"name":`.
#[derive(Clone, Copy)]
struct Guess {
    bytes: [[u8; BLOCK_BYTES]; 2],
    /// How many of these bytes there are.
    length: usize,
    field: Field,
}

/// Which member came after which. Keep one for the events of one request or file.
#[derive(Default)]
pub struct Order {
    /// An event was read before this one: it pays to remember something for the next.
    has_begun: bool,
    learns: bool,
    /// By the member before: none, or the field of a number one less.
    next: Vec<Option<Guess>>,
}

impl Guess {
    #[inline]
    fn begins(&self, bytes: &[u8; GUESS_BYTES]) -> bool {
        let (blocks, _) = bytes.as_chunks::<BLOCK_BYTES>();
        let marks = blocks
            .iter()
            .zip(&self.bytes)
            .map(|(block, own)| u8x16::new(*block).simd_eq(u8x16::new(*own)).to_bitmask());
        let same = marks.rev().fold(0, |all, marks| all << BLOCK_BYTES | marks);
        // The first byte that differs comes after those that count.
        (!same).trailing_zeros() as usize >= self.length
    }

    /// The same close to the end of an event.
    fn is_short(&self, bytes: &[u8]) -> bool {
        bytes.get(..self.length) == self.bytes.as_flattened().get(..self.length)
    }
}

impl Order {
    /// The member that begins with the first of `bytes`, if it is the one that came after `before`
    /// last time, and how many bytes its name takes with quotes and colon.
    #[inline]
    pub(crate) fn guess(&self, before: Option<Field>, bytes: &[u8]) -> Option<(Field, usize)> {
        let guess = self.next.get(place(before))?.as_ref()?;
        let is_it = match bytes.first_chunk::<GUESS_BYTES>() {
            Some(bytes) => guess.begins(bytes),
            None => guess.is_short(bytes),
        };
        is_it.then_some((guess.field, guess.length))
    }

    /// Another event begins. Of a single one nothing is learned: nobody would ask.
    pub(crate) fn begin(&mut self) {
        self.learns = std::mem::replace(&mut self.has_begun, true);
    }

    /// Remembers what came after `before`.
    #[inline]
    pub(crate) fn learn(&mut self, before: Option<Field>, field: Field) {
        if self.learns {
            self.keep(before, field);
        }
    }

    #[cold]
    fn keep(&mut self, before: Option<Field>, field: Field) {
        if self.next.is_empty() {
            self.next = vec![None; Field::COUNT + 1];
        }
        let name = field.name().as_bytes();
        let length = name.len() + 3;
        let mut bytes = [0; GUESS_BYTES];
        for (place, byte) in bytes.iter_mut().zip([b"\"", name, b"\":"].concat()) {
            *place = byte;
        }
        if let (Some(next), ([first, last], _), true) =
            (self.next.get_mut(place(before)), bytes.as_chunks(), length <= GUESS_BYTES)
        {
            *next = Some(Guess { bytes: [*first, *last], length, field });
        }
    }
}

/// Where the list has what comes after a member.
#[inline]
fn place(before: Option<Field>) -> usize {
    before.map_or(0, |field| field as usize + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_next_last_time_is_known_at_once_and_nothing_else_is() {
        let mut order = Order::default();
        let text = format!("\"parent_event_id\":null{}", " ".repeat(32));
        let place = (Some(Field::Source), Field::ParentEventId);
        for _ in 0..2 {
            order.begin();
            assert_eq!(order.guess(place.0, text.as_bytes()), None);
            order.learn(place.0, place.1);
        }
        assert_eq!(order.guess(place.0, text.as_bytes()), Some((Field::ParentEventId, 18)));
        assert_eq!(order.guess(None, text.as_bytes()), None);
        for (changed, with) in [(0, ' '), (1, 'P'), (15, 'x'), (16, ' '), (17, ' ')] {
            let mut other = text.clone();
            other.replace_range(changed..=changed, &with.to_string());
            assert_eq!(order.guess(place.0, other.as_bytes()), None, "{other}");
        }
        for length in 0..32 {
            let known = order.guess(place.0, &text.as_bytes()[..length]);
            assert_eq!(known.is_some(), length >= 18, "{length}");
        }
    }
}

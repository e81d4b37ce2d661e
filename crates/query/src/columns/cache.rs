//! Decoded columns that stay in memory, up to a budget of bytes.
//!
//! The one that was used longest ago goes first. A question that reads more than the budget does
//! not push out what it has just read itself: the next such question then finds a part of it,
//! instead of nothing.

use super::column::Column;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Chunk and position of the column.
type Key = (usize, usize);

/// When a column was used last: the question, and a number that rises.
type Used = (u64, u64);

pub(super) struct Cache(Mutex<Inner>);

struct Inner {
    budget: usize,
    bytes: usize,
    questions: u64,
    clock: u64,
    held: HashMap<Key, (Arc<Column>, Used)>,
    order: BTreeMap<Used, Key>,
}

impl Cache {
    pub(super) fn new(budget: usize) -> Self {
        let (held, order) = (HashMap::new(), BTreeMap::new());
        Self(Mutex::new(Inner { budget, bytes: 0, questions: 0, clock: 0, held, order }))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of a new question.
    pub(super) fn begin(&self) -> u64 {
        let mut inner = self.lock();
        inner.questions += 1;
        inner.questions
    }

    pub(super) fn get(&self, question: u64, key: Key) -> Option<Arc<Column>> {
        let inner = &mut *self.lock();
        inner.clock += 1;
        let now = (question, inner.clock);
        let (column, used) = inner.held.get_mut(&key)?;
        inner.order.remove(used);
        inner.order.insert(now, key);
        *used = now;
        Some(Arc::clone(column))
    }

    /// Keeps a column, if there is room or others that no current question uses.
    pub(super) fn put(&self, question: u64, key: Key, column: &Arc<Column>) {
        let bytes = column.bytes();
        let inner = &mut *self.lock();
        if inner.held.contains_key(&key) {
            return;
        }
        while inner.bytes + bytes > inner.budget {
            let Some((used, oldest)) = inner.order.first_key_value().map(|(u, k)| (*u, *k)) else {
                return;
            };
            if used.0 >= question {
                return;
            }
            inner.order.remove(&used);
            if let Some((gone, _)) = inner.held.remove(&oldest) {
                inner.bytes -= gone.bytes();
            }
        }
        inner.clock += 1;
        let now = (question, inner.clock);
        inner.bytes += bytes;
        inner.order.insert(now, key);
        inner.held.insert(key, (Arc::clone(column), now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::Int64Array;

    fn column() -> Arc<Column> {
        Arc::new(Column::Values(Arc::new(Int64Array::from(vec![1; 100]))))
    }

    #[test]
    fn the_one_used_longest_ago_goes_first_and_none_of_the_question_itself() {
        let one = column().bytes();
        let cache = Cache::new(one * 2);
        let first = cache.begin();
        cache.put(first, (0, 0), &column());
        cache.put(first, (1, 0), &column());
        cache.put(first, (2, 0), &column());
        assert!(cache.get(first, (2, 0)).is_none(), "the question's own columns stay");
        assert!(cache.get(first, (0, 0)).is_some());
        let second = cache.begin();
        cache.put(second, (2, 0), &column());
        assert!(cache.get(second, (1, 0)).is_none(), "used longest ago");
        assert!(cache.get(second, (0, 0)).is_some());
        assert!(cache.get(second, (2, 0)).is_some());
        assert_eq!(cache.lock().bytes, one * 2);
    }
}

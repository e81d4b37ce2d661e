//! Causal order: parents and causes before their effects, otherwise by time and index.
//!
//! Clocks of agents disagree; what caused what does not. All walks use explicit stacks and heaps.

use event::Timestamp;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Where an event stands by its own account: time, index, position among those handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(pub(super) Timestamp, pub(super) u64, pub(super) usize);

/// Who points to whom, by position.
#[derive(Default)]
pub(super) struct Links {
    /// The parent of each.
    pub(super) parents: Vec<Option<usize>>,
    /// The other causes of each; none twice, never the parent.
    pub(super) causes: Vec<Vec<usize>>,
    /// Those whose parent is not here, and its id.
    pub(super) orphans: Vec<(usize, String)>,
}

/// Cuts every circle of parents at its earliest member, which becomes a root. Returns the circles,
/// that member first.
pub(super) fn cut_circles(parents: &mut [Option<usize>], keys: &[Key]) -> Vec<Vec<usize>> {
    // The walk that visited each: a walk that meets itself went in a circle.
    let mut visited_by: Vec<Option<usize>> = vec![None; parents.len()];
    let mut circles = Vec::new();
    for start in 0..parents.len() {
        let mut at = Some(start);
        while let Some(here) = at {
            match visited_by.get(here).copied().flatten() {
                None => {
                    if let Some(slot) = visited_by.get_mut(here) {
                        *slot = Some(start);
                    }
                    at = parents.get(here).copied().flatten();
                }
                Some(walk) => {
                    if walk == start {
                        circles.push(cut(here, parents, keys));
                    }
                    break;
                }
            }
        }
    }
    circles
}

/// Cuts the circle through `member`.
fn cut(member: usize, parents: &mut [Option<usize>], keys: &[Key]) -> Vec<usize> {
    let mut circle = vec![member];
    let mut at = parents.get(member).copied().flatten();
    while let Some(here) = at.filter(|here| *here != member) {
        circle.push(here);
        at = parents.get(here).copied().flatten();
    }
    // From child to parent so far; told from parent to child.
    circle.reverse();
    let first = (0..circle.len()).min_by_key(|i| circle.get(*i).and_then(|at| keys.get(*at)));
    circle.rotate_left(first.unwrap_or(0));
    if let Some(parent) = circle.first().and_then(|first| parents.get_mut(*first)) {
        *parent = None;
    }
    circle
}

/// All positions in causal order, and those that had to be placed before one of their causes
/// because the causes go in a circle. Parents must be free of circles; a parent always stands
/// before its child.
pub(super) fn causal(links: &Links, keys: &[Key]) -> (Vec<usize>, Vec<usize>) {
    let count = keys.len();
    let mut waits = vec![0_usize; count];
    let mut effects: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); count];
    // Everything whose causes are placed, and everything whose parent is.
    let (mut ready, mut open) = (BinaryHeap::new(), BinaryHeap::new());
    for (at, key) in keys.iter().enumerate() {
        let parent = links.parents.get(at).copied().flatten();
        let causes = links.causes.get(at).map(Vec::as_slice).unwrap_or_default();
        if let Some(list) = parent.and_then(|parent| children.get_mut(parent)) {
            list.push(at);
        }
        for cause in parent.iter().chain(causes) {
            if let (Some(list), Some(wait)) = (effects.get_mut(*cause), waits.get_mut(at)) {
                list.push(at);
                *wait += 1;
            }
        }
        if waits.get(at) == Some(&0) {
            ready.push(Reverse((*key, at)));
        } else if parent.is_none() {
            open.push(Reverse((*key, at)));
        }
    }
    let mut placed = vec![false; count];
    let (mut sequence, mut forced) = (Vec::with_capacity(count), Vec::new());
    while let Some(Reverse((_, at))) = ready.pop().or_else(|| open.pop()) {
        match placed.get_mut(at) {
            Some(placed) if !*placed => *placed = true,
            _ => continue,
        }
        if waits.get(at).is_some_and(|wait| *wait > 0) {
            forced.push(at);
        }
        sequence.push(at);
        for effect in effects.get(at).map(Vec::as_slice).unwrap_or_default() {
            let (Some(wait), Some(key)) = (waits.get_mut(*effect), keys.get(*effect)) else {
                continue;
            };
            *wait = wait.saturating_sub(1);
            if *wait == 0 {
                ready.push(Reverse((*key, *effect)));
            }
        }
        for child in children.get(at).map(Vec::as_slice).unwrap_or_default() {
            if let Some(key) = keys.get(*child).filter(|_| waits.get(*child) != Some(&0)) {
                open.push(Reverse((*key, *child)));
            }
        }
    }
    (sequence, forced)
}

//! Numbers of people: groups of digits whose lengths, joints and check digits are those of a
//! country's identity number, and those where a letter belongs to it.
//!
//! The numbers themselves stand in `ids_europe` and `ids_world`; cards in `cards`. A group is
//! looked at once as the beginning of each known shape, so the search is linear in the text.

use super::context::{Spoken, Subjects};
use super::kinds::Kinds;
use super::{Finding, ids_europe, ids_world};
use crate::rule::Rule;

/// One unbroken run of digits, and what joins it to the group before (0: nothing does).
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) joint: u8,
}

/// Most digits in one number.
const DIGITS_MAX: usize = 18;

/// How the digits of an identity number are written, and when they are one.
pub(super) struct Shape {
    pub(super) rule: Rule,
    /// Digits in each group.
    pub(super) groups: &'static [usize],
    /// For each joint between two groups, what may stand there; the last counts for the rest.
    pub(super) joints: &'static [&'static [u8]],
    pub(super) is_valid: fn(&[u8]) -> bool,
    /// What must be spoken of before it; the empty set asks for nothing.
    pub(super) needs: Subjects,
}

/// Every shape that a number may have, by the digits of its first group and of the one behind it,
/// which has none where nothing is.
pub(crate) struct Shapes([[Vec<&'static Shape>; DIGITS_MAX + 1]; DIGITS_MAX + 1]);

impl Shapes {
    pub(super) fn new() -> Self {
        let mut all = [const { [const { Vec::new() }; DIGITS_MAX + 1] }; DIGITS_MAX + 1];
        for shape in ids_world::SHAPES.iter().chain(ids_europe::SHAPES) {
            let first = shape.groups.first().and_then(|digits| all.get_mut(*digits));
            for (digits, shapes) in first.into_iter().flatten().enumerate() {
                // Whatever stands behind a number of one group.
                if shape.groups.get(1).is_none_or(|second| *second == digits) {
                    shapes.push(shape);
                }
            }
        }
        Self(all)
    }
}

/// What a number is searched in.
pub(super) struct Place<'t> {
    pub(super) text: &'t str,
    pub(super) spoken: &'t Spoken<'t>,
    /// Every run of digits.
    pub(super) groups: &'t [Group],
}

impl Place<'_> {
    pub(super) fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    pub(super) fn byte_before(&self, at: usize, steps: usize) -> Option<u8> {
        at.checked_sub(steps).and_then(|at| self.byte(at))
    }

    pub(super) fn speaks_of(&self, subjects: Subjects, at: usize) -> bool {
        self.spoken.speaks_of(subjects, at)
    }
}

pub(super) fn find(place: &Place<'_>, shapes: &Shapes, found: &mut Vec<Finding>) {
    let mut next = 0;
    for (number, group) in place.groups.iter().enumerate() {
        if number < next || group.len() > DIGITS_MAX {
            continue;
        }
        let rest = place.groups.get(number..).unwrap_or_default();
        if let Some((taken, finding)) = shaped(place, shapes, rest) {
            next = number + taken;
            found.push(finding);
        } else if let Some(finding) =
            ids_europe::lettered(place, rest).or_else(|| ids_world::lettered(place, *group))
        {
            next = number + rest.iter().take_while(|group| group.start < finding.end).count();
            found.push(finding);
        }
    }
}

impl Group {
    /// How many digits it has.
    pub(super) fn len(self) -> usize {
        self.end - self.start
    }
}

/// Every run of digits, with what joins it to the one before: one space, hyphen, full stop or
/// slash.
pub(super) fn groups(bytes: &[u8], kinds: &Kinds) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut last_end = usize::MAX;
    let mut edges = kinds.digit_edges();
    while let (Some(start), Some(end)) = (edges.next(), edges.next()) {
        let joined = usize::checked_sub(start, 1).filter(|before| *before == last_end);
        let joint = joined.and_then(|before| bytes.get(before)).copied().unwrap_or_default();
        let joint = if matches!(joint, b' ' | b'-' | b'.' | b'/') { joint } else { 0 };
        groups.push(Group { start, end, joint });
        last_end = end;
    }
    groups
}

/// The first shape that the groups begin with.
fn shaped(place: &Place<'_>, shapes: &Shapes, groups: &[Group]) -> Option<(usize, Finding)> {
    let first = groups.first()?;
    // Longer ones are the second group of none.
    let second = groups.get(1).map_or(0, |group| group.len()).min(DIGITS_MAX);
    let known = shapes.0.get(first.len())?.get(second).filter(|shapes| !shapes.is_empty())?;
    // Part of a longer row, whatever follows.
    if matches!(first.joint, b'-' | b'.') || !is_free_before(place, first.start) {
        return None;
    }
    let mut spoken: Option<Subjects> = None;
    known.iter().find_map(|shape| {
        let own = shape.fits(place, groups)?;
        // What is spoken of is asked once for all shapes, and before any check digit.
        let asked = shape.needs == Subjects::NONE
            || spoken.get_or_insert_with(|| place.spoken.before(first.start)).has(shape.needs);
        let valid = asked && (shape.is_valid)(digits(place.text, own).as_slice());
        let finding = Finding { start: first.start, end: own.last()?.end, rule: shape.rule };
        valid.then_some((own.len(), finding))
    })
}

impl Shape {
    /// The groups that have the lengths and joints of this shape.
    fn fits<'g>(&self, place: &Place<'_>, groups: &'g [Group]) -> Option<&'g [Group]> {
        let own = groups.get(..self.groups.len())?;
        let lengths = own.iter().zip(self.groups).all(|(group, length)| group.len() == *length);
        let joints = own.iter().skip(1).enumerate().all(|(number, group)| {
            let known = self.joints.get(number).or_else(|| self.joints.last());
            known.is_some_and(|known| known.contains(&group.joint))
        });
        if !lengths || !joints || !is_free(place, own, groups.get(self.groups.len())) {
            return None;
        }
        // All joints alike, where one of several may stand.
        let alike = self.joints.len() > 1
            || own.iter().skip(2).all(|g| own.get(1).is_some_and(|one| one.joint == g.joint));
        alike.then_some(own)
    }
}

/// The digits of some groups, as numbers.
pub(super) struct Digits {
    digits: [u8; DIGITS_MAX],
    count: usize,
}

impl Digits {
    pub(super) fn as_slice(&self) -> &[u8] {
        self.digits.get(..self.count).unwrap_or_default()
    }
}

pub(super) fn digits(text: &str, groups: &[Group]) -> Digits {
    let mut all = Digits { digits: [0; DIGITS_MAX], count: 0 };
    for group in groups {
        for byte in text.as_bytes().get(group.start..group.end).unwrap_or_default() {
            if let Some(slot) = all.digits.get_mut(all.count) {
                *slot = byte.wrapping_sub(b'0');
                all.count += 1;
            }
        }
    }
    all
}

/// Not part of a longer number, a fraction, or a row of groups of the same kind.
fn is_free(place: &Place<'_>, own: &[Group], next: Option<&Group>) -> bool {
    let (Some(first), Some(last)) = (own.first(), own.last()) else { return false };
    let spaced = own.get(1).is_some_and(|group| group.joint == b' ');
    let joins = |joint: u8| matches!(joint, b'-' | b'.') || (spaced && joint == b' ');
    !joins(first.joint)
        && !next.is_some_and(|next| next.start == last.end + 1 && joins(next.joint))
        && is_free_after(place, last.end)
}

pub(super) fn is_free_before(place: &Place<'_>, start: usize) -> bool {
    match place.byte_before(start, 1) {
        Some(b) if b.is_ascii_alphanumeric() || matches!(b, b'_' | b'+') => false,
        Some(b'-') => !place.byte_before(start, 2).is_some_and(|b| b.is_ascii_alphanumeric()),
        _ => true,
    }
}

pub(super) fn is_free_after(place: &Place<'_>, end: usize) -> bool {
    match place.byte(end) {
        Some(b) if b.is_ascii_alphanumeric() || b == b'_' => false,
        Some(b'-') => !place.byte(end + 1).is_some_and(|b| b.is_ascii_alphanumeric()),
        _ => true,
    }
}

/// The sum of the digits, each times its weight.
pub(super) fn weighted(digits: &[u8], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| u32::from(*digit) * weight).sum()
}

/// The number that the digits write.
pub(super) fn value(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |value, digit| value * 10 + u64::from(*digit))
}

/// The digit at a place, 0 where there is none.
pub(super) fn digit(digits: &[u8], at: usize) -> u32 {
    digits.get(at).map_or(0, |digit| u32::from(*digit))
}

/// The number that two digits write.
pub(super) fn two(digits: &[u8], at: usize) -> u32 {
    digit(digits, at) * 10 + digit(digits, at + 1)
}

/// True for a month and a day of that month, the leap day included.
pub(super) fn is_day(month: u32, day: u32) -> bool {
    let days = match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
}

/// The check digit of ISO/IEC 7812-1, annex B.
pub(super) fn passes_luhn(digits: &[u8]) -> bool {
    let doubled = |(place, digit): (usize, &u8)| match (place % 2, u32::from(*digit)) {
        (0, digit) => digit,
        (_, digit @ 0..=4) => digit * 2,
        (_, digit) => digit * 2 - 9,
    };
    digits.iter().rev().enumerate().map(doubled).sum::<u32>().is_multiple_of(10)
}

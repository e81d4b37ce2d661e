//! The attacks: what somebody does who is root on the log's host and has every key.
//!
//! | question | file |
//! |---|---|
//! | another history, signed anew | `scripts/history.rs` |
//! | older states, other branches, the real writer in wrong hands | `scripts/branches.rs` |
//! | files that do not fit each other, and what stands beside the log | `scripts/pieces.rs` |
//! | stamps of an authority | `scripts/stamps.rs` |

mod branches;
mod history;
mod pieces;
mod stamps;

use super::court::{By, Case};
use super::forge::{Altered, rebuild};
use super::program::Tacho;
use super::stamper::Stamper;
use super::victim::Victim;
use std::path::PathBuf;

/// The victims, and what the attacker works with.
pub(super) struct Scene<'s> {
    pub(super) tacho: &'s Tacho,
    /// A log whose records lie in its journal.
    pub(super) open: Victim,
    /// A log whose records lie in segments.
    pub(super) rolled: Victim,
    /// An authority that stamps, where there can be one.
    pub(super) stamper: Option<&'s Stamper>,
    /// Where the attacker may work.
    pub(super) at: PathBuf,
}

/// One attack.
pub(super) struct Attack {
    /// In a few words.
    pub(super) name: &'static str,
    pub(super) run: for<'s> fn(&'s Scene<'s>) -> Result<Case<'s>, String>,
}

/// Every attack, in the order of the table; those on stamps where somebody stamps.
pub(super) fn all(is_stamped: bool) -> Vec<Attack> {
    let stamps: &[Script] = if is_stamped { stamps::ATTACKS } else { &[] };
    let all = [history::ATTACKS, branches::ATTACKS, pieces::ATTACKS, stamps];
    all.into_iter().flatten().map(of).collect()
}

type Script = (&'static str, for<'s> fn(&'s Scene<'s>) -> Result<Case<'s>, String>);

fn of((name, run): &Script) -> Attack {
    Attack { name, run: *run }
}

/// A log of the same keys with another history, which agrees with itself.
fn rewrite(
    victim: &Victim,
    change: impl FnOnce(&mut Vec<Altered>) -> Result<(), String>,
) -> Result<Case<'_>, String> {
    let mut records = victim.history.clone();
    change(&mut records)?;
    let same = victim.history.iter().zip(&records).take_while(|(was, is)| was == is).count();
    let files = rebuild(&victim.now.files, &records)?;
    Ok(Case { victim, files, by: By::Facts(same as u64) })
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

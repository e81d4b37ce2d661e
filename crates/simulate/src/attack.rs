//! Somebody who is root on the log's host and has every key rewrites the log, so that it agrees
//! with itself and is signed as it should be. Who finds out, by what, and what is named?
//!
//! The victims are made by the real binary. What judges is `tacho verify` as anybody runs it, first
//! by itself, then with one fact from outside: a receipt, a checkpoint, what a witness cosigned,
//! what an authority stamped.
//! The control asks the same of honest logs, which must never be accused.
//!
//! | question | file |
//! |---|---|
//! | what can be done with the keys? | `forge.rs` |
//! | the attacks | `scripts.rs` |
//! | who finds out? | `court.rs` |
//! | what was there before, and what did people keep? | `victim.rs`, `watch.rs`, `stamper.rs` |
//! | honest logs | `honest.rs` |
//!
//! Not here: single altered bytes of every file (`cli/tests/it/tamper.rs`), crashes (`run.rs`).

mod court;
mod forge;
mod honest;
mod program;
mod scripts;
mod stamper;
mod victim;
mod watch;

pub use court::{Cell, Row};
pub use honest::{HonestTally, honest_logs};

use court::Court;
use program::Tacho;
use scripts::Scene;
use stamper::Stamper;
use std::collections::BTreeMap;
use std::path::Path;
use victim::Victim;

/// A log's folder: bytes by path.
type Files = BTreeMap<String, Vec<u8>>;

/// Where the newest checkpoint lies that witnesses cosigned.
const COSIGNED: &str = "cosigned";

/// Runs the attacks whose names have `only` in them, against logs of `tacho`, in `folder`.
///
/// # Errors
/// When an attack could not be carried out, or was found in another way than it should be: the
/// attack, and what happened.
pub fn attacks(tacho: &Path, folder: &Path, only: &str) -> Result<Vec<Row>, String> {
    let (home, attacker) = (folder.join("home"), folder.join("attacker"));
    let (tacho, attacker) = (Tacho::new(tacho, &home), Tacho::new(tacho, &attacker));
    tacho.forget()?;
    attacker.forget()?;
    let stamper = Stamper::make(&folder.join("authority"))?;
    let stamper = stamper.as_ref();
    let scene = Scene {
        open: Victim::make(&tacho, &folder.join("open"), false, stamper)?,
        rolled: Victim::make(&tacho, &folder.join("rolled"), true, stamper)?,
        tacho: &attacker,
        stamper,
        at: folder.join("work"),
    };
    std::fs::create_dir_all(&scene.at).map_err(|error| error.to_string())?;
    let court = Court { tacho: &tacho, at: folder.join("court"), stamper };
    court.acquit(&scene)?;
    let mut rows = Vec::new();
    for attack in scripts::all(stamper.is_some()).iter().filter(|it| it.name.contains(only)) {
        let outcome = (attack.run)(&scene).and_then(|case| court.hear(attack.name, &case));
        rows.push(outcome.map_err(|what| format!("{}: {what}", attack.name))?);
    }
    Ok(rows)
}

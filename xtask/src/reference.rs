//! `cargo xtask reference`: the Go reference implementation of transparency logs reads a log of
//! ours.
//!
//! What it is: builds testdata/reference/check.go, makes a log with the real binary, has it
//! checked, then damages copies and requires every one to be rejected for the right reason. What it
//! is not: a checker; that is the Go program, which shares no line with ours.

use std::path::{Path, PathBuf};

use crate::Command;
use crate::arguments::Arguments;
use crate::demo;
use crate::failure::Failure;
use crate::job::Job;
use crate::need::{GO, GO_PATH, Need, need};
use crate::place::{self, Temporary};
use crate::steps::Outcome;

/// Entries before the snapshot that later plays the rolled-back log.
const COUNT_OLDER: u32 = 60_000;
/// Entries after it. 70,000 in all: two full levels of tiles and partial ones on three.
const COUNT_NEWER: u32 = 10_000;

pub(crate) const COMMAND: Command = Command {
    name: "reference",
    summary: "has the Go reference implementation check a log of ours",
    help: "\
Makes a log of 70,000 events with `tacho`, has golang.org/x/mod/sumdb check it (signature, leaves, tiles,
root, proofs), then requires damaged copies to be rejected: changed bytes in bundles, tiles and the
checkpoint, missing and cut-off files, a log rolled back behind a newer checkpoint.

  --log DIR    check this log folder instead of making one
  --key VKEY   its verifier key (with --log)
  --old DIR    an older copy of the same log, to check consistency and rollback (with --log)

Examples:
  cargo xtask reference
  cargo xtask reference --log tachograph-data/0f3a --key example.com/log+530d903a+AekyeRrm...",
    run,
};

/// The log to check: its folder, its key, and a copy from an earlier time.
struct Sample {
    log: PathBuf,
    key: String,
    older: Option<PathBuf>,
}

fn run(mut arguments: Arguments) -> Result<(), Failure> {
    let log = arguments.value("--log")?;
    let key = arguments.value("--key")?;
    let old = arguments.value("--old")?;
    arguments.nothing_left()?;
    need(&Need::Go)?;
    let checker = build_checker()?;
    match (log, key) {
        (Some(log), Some(key)) => {
            let older = old.map(|folder| absolute(&folder)).transpose()?;
            check(&checker, &Sample { log: absolute(&log)?, key, older })
        }
        (None, None) if old.is_none() => step().map(|_| ()),
        _ => Err(Failure::Usage("--log and --key go together; --old needs both".to_owned())),
    }
}

fn absolute(folder: &str) -> Result<PathBuf, Failure> {
    let path = Path::new(folder);
    path.canonicalize().map_err(|e| Failure::file("open", path, &e))
}

/// The step of `cargo xtask test`.
pub(crate) fn step() -> Result<Outcome, Failure> {
    demo::build()?;
    let checker = build_checker()?;
    let data = Temporary::new("reference")?;
    let sample = make_log(data.path())?;
    check(&checker, &sample)?;
    Ok(Outcome::Passed)
}

/// The one place that knows which commands make a log.
fn make_log(folder: &Path) -> Result<Sample, Failure> {
    let data = folder.join("data");
    // A configuration folder of its own, so that the user's stays as it is.
    let configuration = folder.join("configuration");
    let tacho = |words: &[&str]| {
        let job = Job::new(place::tacho("demo")).env("XDG_CONFIG_HOME", &configuration);
        job.arg("--data").arg(&data).args(words.iter().copied())
    };
    let append = |count: u32| {
        tacho(&["bench", "append", "--keep", "--batch", "1000", "--producers", "1", "--count"])
            .arg(count.to_string())
            .run()
    };
    tacho(&["init"]).run()?;
    append(COUNT_OLDER)?;
    let log = find_log(&data)?;
    let older = folder.join("older");
    copy_public(&log, &older)?;
    append(COUNT_NEWER)?;
    let keys = tacho(&["keys", "list", "--format", "json"]).read()?;
    let key = log_key(&keys).ok_or_else(|| {
        Failure::Failed("`tacho keys list --format json` has no text at .log.vkey".to_owned())
    })?;
    Ok(Sample { log, key, older: Some(older) })
}

fn log_key(keys: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(keys).ok()?;
    Some(value.get("log")?.get("vkey")?.as_str()?.to_owned())
}

/// The only folder in the data folder that holds a checkpoint.
fn find_log(data: &Path) -> Result<PathBuf, Failure> {
    let listed = std::fs::read_dir(data).map_err(|e| Failure::file("list", data, &e))?;
    let mut logs: Vec<PathBuf> = listed
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join("checkpoint").is_file())
        .collect();
    match (logs.pop(), logs.len()) {
        (Some(log), 0) => Ok(log),
        (_, others) => Err(Failure::Failed(format!(
            "expected one log with a checkpoint in {}, found {}",
            data.display(),
            if others == 0 { 0 } else { others + 1 }
        ))),
    }
}

/// Copies what a log shows to the world: the checkpoint and the tiles.
fn copy_public(log: &Path, to: &Path) -> Result<(), Failure> {
    place::copy(&log.join("tile"), &to.join("tile"))?;
    let checkpoint = log.join("checkpoint");
    std::fs::copy(&checkpoint, to.join("checkpoint"))
        .map_err(|e| Failure::file("copy", &checkpoint, &e))?;
    Ok(())
}

fn build_checker() -> Result<PathBuf, Failure> {
    let folder = place::target().join("reference");
    std::fs::create_dir_all(&folder).map_err(|e| Failure::file("create", &folder, &e))?;
    let checker = folder.join("check");
    Job::new(GO)
        .env("GO111MODULE", "off")
        .env("GOPATH", GO_PATH)
        .args(["build", "-o"])
        .arg(&checker)
        .arg("testdata/reference/check.go")
        .run()?;
    Ok(checker)
}

/// A way to damage a log, and a word of the reason with which the checker must reject it.
struct Damage {
    what: &'static str,
    reason: &'static str,
    apply: fn(&Path) -> Result<(), Failure>,
}

const DAMAGES: &[Damage] = &[
    Damage {
        what: "one changed byte in a bundle",
        reason: "the entries give",
        apply: |log| flip(&middle(&log.join("tile/entries"))?),
    },
    Damage {
        what: "one changed byte in a level-0 tile",
        reason: "level-0 tile",
        apply: |log| flip(&middle(&log.join("tile/0"))?),
    },
    Damage {
        what: "one changed byte in a level-1 tile",
        reason: "level-1 tile",
        apply: |log| flip(&middle(&log.join("tile/1"))?),
    },
    Damage {
        what: "one changed byte in the checkpoint",
        reason: "checkpoint",
        apply: |log| flip(&log.join("checkpoint")),
    },
    Damage {
        what: "a missing bundle",
        reason: "is missing",
        apply: |log| remove(&middle(&log.join("tile/entries"))?),
    },
    Damage {
        what: "a missing level-0 tile",
        reason: "is missing",
        apply: |log| remove(&middle(&log.join("tile/0"))?),
    },
    Damage {
        what: "a bundle cut off",
        reason: "cut off",
        apply: |log| cut(&middle(&log.join("tile/entries"))?),
    },
    Damage { what: "two bundles swapped", reason: "the entries give", apply: swap_bundles },
];

fn check(checker: &Path, sample: &Sample) -> Result<(), Failure> {
    let run = |log: &Path| Job::new(checker).arg(log).arg(&sample.key);
    run(&sample.log).args(["-chain", "-all"]).run()?;
    if let Some(older) = &sample.older {
        run(older).arg("-chain").run()?;
        run(&sample.log).arg("-old").arg(older.join("checkpoint")).run()?;
    }
    let copies = Temporary::new("damaged")?;
    for damage in DAMAGES {
        let copied = copies.path().join("log");
        if copied.exists() {
            std::fs::remove_dir_all(&copied).map_err(|e| Failure::file("remove", &copied, &e))?;
        }
        copy_public(&sample.log, &copied)?;
        (damage.apply)(&copied)?;
        rejected(damage.what, damage.reason, run(&copied))?;
    }
    let Some(older) = &sample.older else { return Ok(()) };
    let newer = sample.log.join("checkpoint");
    rejected(
        "a log rolled back behind a checkpoint",
        "rolled back",
        run(older).arg("-old").arg(newer),
    )
}

/// Requires exit code 1 and the expected word; anything else means that the damage went unnoticed.
fn rejected(what: &str, reason: &str, job: Job) -> Result<(), Failure> {
    let (code, _, said) = job.look()?;
    let said = said.trim();
    if code == 1 && said.contains(reason) {
        println!("{what}: rejected, as it must be\n    {said}");
        return Ok(());
    }
    Err(Failure::Failed(format!(
        "{what}: expected exit code 1 with `{reason}`, got {code} with `{said}`; \
         mend testdata/reference/check.go"
    )))
}

/// The middle one of the full files in a folder of tiles; of the partial ones where none is full.
fn middle(folder: &Path) -> Result<PathBuf, Failure> {
    let (partial, full): (Vec<PathBuf>, Vec<PathBuf>) =
        files(folder)?.into_iter().partition(|path| path.to_string_lossy().contains(".p/"));
    let chosen = if full.is_empty() { partial } else { full };
    chosen.get(chosen.len() / 2).cloned().ok_or_else(|| {
        Failure::Failed(format!("no file in {}: the log is too small for this", folder.display()))
    })
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| Failure::file("list", folder, &e))? {
        let path = entry.map_err(|e| Failure::file("list", folder, &e))?.path();
        if path.is_dir() { found.extend(files(&path)?) } else { found.push(path) }
    }
    found.sort();
    Ok(found)
}

fn flip(path: &Path) -> Result<(), Failure> {
    change(path, |bytes| {
        // Past the middle: there a bundle of 256 equal entries has a length, and that is another
        // damage.
        let place = (bytes.len() / 2 + 40).min(bytes.len().saturating_sub(1));
        if let Some(byte) = bytes.get_mut(place) {
            *byte ^= 1;
        }
    })
}

fn cut(path: &Path) -> Result<(), Failure> {
    change(path, |bytes| bytes.truncate(bytes.len().saturating_sub(10)))
}

fn change(path: &Path, how: impl FnOnce(&mut Vec<u8>)) -> Result<(), Failure> {
    let mut bytes = std::fs::read(path).map_err(|e| Failure::file("read", path, &e))?;
    how(&mut bytes);
    std::fs::write(path, bytes).map_err(|e| Failure::file("write", path, &e))
}

fn remove(path: &Path) -> Result<(), Failure> {
    std::fs::remove_file(path).map_err(|e| Failure::file("remove", path, &e))
}

fn swap_bundles(log: &Path) -> Result<(), Failure> {
    let (first, second) = (log.join("tile/entries/000"), middle(&log.join("tile/entries"))?);
    let spare = log.join("spare");
    for (from, to) in [(&first, &spare), (&second, &first), (&spare, &second)] {
        std::fs::rename(from, to).map_err(|e| Failure::file("rename", from, &e))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_is_found_only_where_it_belongs() {
        let found = log_key(r#"{"log": {"vkey": "a+00+b"}}"#);
        assert_eq!(found.as_deref(), Some("a+00+b"));
        assert_eq!(log_key(r#"{"vkey": "a+00+b"}"#), None);
        assert_eq!(log_key("no JSON"), None);
    }

    #[test]
    fn damage_is_applied_to_the_middle_full_file() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("003.p")).unwrap();
        for (name, bytes) in [("000", "aaaa"), ("001", "bbbb"), ("002", "cccc"), ("003.p/7", "d")] {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        let path = middle(folder.path()).unwrap();
        assert_eq!(path.file_name().unwrap(), "001");
        flip(&path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"bbbc");
        cut(&path).unwrap();
        assert!(std::fs::read(&path).unwrap().is_empty());
    }
}

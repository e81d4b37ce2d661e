//! The log: its key, its lock, its checkpoint, the end of its journal, and the clock beside it.

use super::Check;
use crate::context::Context;
use crate::failure::Failure;
use crate::key_source;
use event::{Record, Timestamp};
use reading::{Bound, Reading, Remembered, Step, Walk};
use seal::{Clock as _, SystemClock};
use std::sync::Arc;
use store::{StoreError, Tail};

/// 2025-01-01 in Unix milliseconds: a clock before it was never set.
const EARLIEST_MS: u64 = 1_735_689_600_000;
/// A record may be this far ahead of the clock before it is worth a word, in milliseconds.
const SKEW_MS: u64 = 1_000;

/// Every check of the log that is meant.
pub(super) fn checks(context: &Context) -> Vec<Check> {
    let log = match context.log_folder() {
        Ok(log) => log,
        Err(failure) => return vec![failed("log", failure), clock(0)],
    };
    let mut checks = vec![Check::ok(
        "log",
        format!("{} ({}) in {}", log.identity.name, log.identity.origin, log.path.display()),
    )];
    checks.push(match log.folder.lock(seal::IDENTITY_PATH) {
        Ok(_) => Check::ok("lock", "nobody is writing"),
        Err(StoreError::Locked { .. }) => Check::ok("lock", "a writer has the log"),
        Err(error) => Check::fail("lock", error.to_string()),
    });
    let kek = match key_source::kek_of(&context.global.key, &*log.folder) {
        Ok(Some(kek)) => kek,
        Ok(None) => {
            checks.push(failed("key", key_source::none()));
            checks.push(clock(0));
            return checks;
        }
        Err(failure) => {
            checks.push(failed("key", failure));
            checks.push(clock(0));
            return checks;
        }
    };
    let kek = Arc::new(kek);
    // Before the log is looked at, which goes on meanwhile.
    let remembered = context.memory.as_ref().map(|memory| memory.of(&log.path));
    match Reading::open(log, &kek) {
        Ok(reading) => {
            let detail = format!("KEK {} ({}) opens the keyring", kek.id(), kek.origin());
            checks.push(Check::ok("key", detail));
            let size = reading.checkpoint().size;
            let by = match reading.epochs().in_force(size).record {
                None => "signed by the log".to_owned(),
                Some(record) => format!("signed by the key that took over with record {record}"),
            };
            checks.push(Check::ok("checkpoint", format!("{size} entries, {by}")));
            let (journal, end, last_ms) = journal(&reading);
            checks.push(memory(remembered, end));
            checks.push(journal);
            checks.push(clock(last_ms));
        }
        Err(failure) => {
            checks.push(failed("key", failure.into()));
            checks.push(clock(0));
        }
    }
    checks
}

/// Whether the log has what is remembered of it outside its folder. Whether it continues that is
/// `tacho verify`'s to say.
fn memory(remembered: Option<Option<Remembered>>, end: u64) -> Check {
    let Some(remembered) = remembered else {
        return Check::warn(
            "memory",
            "nothing is remembered outside its folder, so nobody notices when that is put back",
            "set HOME or XDG_CONFIG_HOME for whoever writes to the log",
        );
    };
    let Some(known) = remembered.map(|it| it.head.size) else {
        return Check::ok("memory", "nothing is remembered of it in this place yet");
    };
    // What is in the journal only was published before a power cut, perhaps.
    if known > end {
        return Check::fail(
            "memory",
            format!(
                "it had {known} entries in this place: its folder was put back; see `tacho recover --help`"
            ),
        );
    }
    Check::ok("memory", format!("{known} entries are remembered outside its folder"))
}

/// The end of the journal, the records that are there, and the time of the last one.
fn journal(reading: &Reading) -> (Check, u64, u64) {
    let size = reading.checkpoint().size;
    let fail = |detail: String| (Check::fail("journal", detail), size, 0);
    let bound = Bound { size, suspects: false };
    let Ok(place) = reading.place() else { return fail("log.json has no log id".to_owned()) };
    let mut walk = match Walk::new(place, bound, size.saturating_sub(1)) {
        Ok(walk) => walk,
        Err(error) => return fail(error.to_string()),
    };
    let (mut payload, mut last_ms) = (Vec::new(), 0);
    loop {
        match walk.next(&mut payload) {
            Step::Frame { .. } => last_ms = last_time(&payload).max(last_ms),
            Step::Rows { rows } => {
                let times = rows.iter().map(|placed| placed.row.time_ms);
                last_ms = times.max().unwrap_or(0).max(last_ms);
            }
            Step::End => break,
            Step::Damaged { .. } | Step::Suspect { .. } | Step::Missing { .. } => {
                return fail("its end is damaged or missing; run `tacho verify`".to_owned());
            }
        }
    }
    let end = walk.into_end();
    let records =
        format!("{} records, {} not yet published", end.next_index, end.next_index - size);
    let check = match end.tail.map(|(_, tail, _)| tail) {
        Some(Tail::Torn { bytes, .. }) => Check::warn(
            "journal",
            format!("{records}; {bytes} bytes of a write that was cut short"),
            "nothing acknowledged is lost; the next start cuts them off and records it",
        ),
        Some(Tail::Reserved { .. }) => {
            Check::ok("journal", format!("{records}; being written, or the writer died"))
        }
        _ => Check::ok("journal", format!("{records}, ends in good order")),
    };
    (check, end.next_index, last_ms)
}

fn last_time(payload: &[u8]) -> u64 {
    let mut rest = payload.get(reading::PREVIOUS_BYTES..).unwrap_or_default();
    let mut last_ms = 0;
    while let Ok((record, after)) = Record::decode(rest) {
        (last_ms, rest) = (record.time_ms, after);
    }
    last_ms
}

/// The clock, beside the last record.
fn clock(last_ms: u64) -> Check {
    let now_ms = SystemClock.now_ms();
    let now = Timestamp::from_milliseconds(now_ms);
    if now_ms < EARLIEST_MS {
        return Check::fail("clock", format!("it says {now}: it was never set; set it"));
    }
    if last_ms > now_ms.saturating_add(SKEW_MS) {
        let last = Timestamp::from_milliseconds(last_ms);
        let advice =
            "records keep the later time until the clock has caught up; check the time service";
        return Check::warn("clock", format!("{now} is before the last record, {last}"), advice);
    }
    Check::ok("clock", now.to_string())
}

fn failed(name: &'static str, failure: Failure) -> Check {
    match failure {
        Failure::Sentence { sentence, .. } => Check::fail(name, sentence),
        Failure::NobodyReads => Check::fail(name, "standard output is closed"),
    }
}

//! The bare path, with none of the product's code: parse, SHA-256, AES-GCM, write, fdatasync.
//!
//! As good as a few lines can be: producers parse, hash and encrypt in parallel; one committer
//! writes whatever waits and syncs once for all of it.

use super::measure::{Acknowledgements, Case};
use super::source::Pool;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::digest;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Condvar, Mutex, PoisonError};

/// The fields that any consumer of such an event needs, borrowed where they can be.
#[derive(serde::Deserialize)]
struct Parsed<'a> {
    #[serde(borrow)]
    event_id: Cow<'a, str>,
    #[serde(borrow)]
    event_type: Cow<'a, str>,
    #[serde(borrow)]
    agent_name: Cow<'a, str>,
    #[serde(borrow)]
    session_id: Cow<'a, str>,
    #[serde(borrow)]
    trace_id: Cow<'a, str>,
    #[serde(borrow)]
    action: Cow<'a, str>,
    timestamp: f64,
    #[serde(borrow)]
    params: &'a RawValue,
    #[serde(borrow)]
    result: &'a RawValue,
}

struct Request {
    bytes: Vec<u8>,
    done: SyncSender<Vec<u8>>,
}

/// Batches in memory at once, so that 32 producers of large batches stay within memory, as the
/// product's own admission has it.
struct Gate {
    free: Mutex<usize>,
    freed: Condvar,
}

impl Gate {
    fn new(case: Case) -> Self {
        Self { free: Mutex::new((30_000 / case.batch).max(3)), freed: Condvar::new() }
    }

    fn enter(&self) -> Pass<'_> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free =
            self.freed.wait_while(free, |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        Pass(self)
    }
}

/// One batch's place in memory.
struct Pass<'g>(&'g Gate);

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}

/// Runs one case into a new file at `path`.
///
/// # Errors
/// The first error of the file.
pub(super) fn run(pool: &Pool, case: Case, path: &Path) -> io::Result<Acknowledgements> {
    let file = File::create_new(path)?;
    let (inbox, requests) = sync_channel::<Request>(1024);
    let gate = Gate::new(case);
    std::thread::scope(|scope| {
        let committer = scope.spawn(move || commit(file, &requests));
        let producers: Vec<_> = (0..case.producers)
            .map(|number| {
                let (inbox, gate) = (inbox.clone(), &gate);
                scope.spawn(move || produce(pool, case, number, &inbox, gate))
            })
            .collect();
        drop(inbox);
        let mut all = Acknowledgements::default();
        for producer in producers {
            all.join(producer.join().unwrap_or_default());
        }
        committer.join().unwrap_or_else(|_| Err(io::Error::other("the committer panicked")))?;
        Ok(all)
    })
}

fn commit(mut file: File, requests: &Receiver<Request>) -> io::Result<()> {
    while let Ok(first) = requests.recv() {
        let mut group = vec![first];
        group.extend(requests.try_iter().take(255));
        for request in &group {
            file.write_all(&request.bytes)?;
        }
        file.sync_data()?;
        for request in group {
            let _ = request.done.send(request.bytes);
        }
    }
    Ok(())
}

fn produce(
    pool: &Pool,
    case: Case,
    number: usize,
    inbox: &SyncSender<Request>,
    gate: &Gate,
) -> Acknowledgements {
    let mut acknowledgements = Acknowledgements::default();
    let Ok(key) = UnboundKey::new(&AES_256_GCM, &[7; 32]) else { return acknowledgements };
    let key = LessSafeKey::new(key);
    let mut source = pool.source(case.run + number as u64);
    let (done, answer) = sync_channel(1);
    let mut sum = 0_u64;
    for round in 0..case.batches_per_producer() {
        let _pass = gate.enter();
        let (mut lines, mut bytes) = (pool.buffer(), pool.buffer());
        source.fill(case.batch, &mut lines);
        acknowledgements.begin();
        bytes.clear();
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            sum = sum.wrapping_add(work(line));
            bytes.extend_from_slice(line);
        }
        pool.give_back(lines);
        let mut nonce = [0; 12];
        nonce[..8].copy_from_slice(&round.to_be_bytes());
        nonce[8..].copy_from_slice(&u32::try_from(number).unwrap_or(0).to_be_bytes());
        let nonce = Nonce::assume_unique_for_key(nonce);
        let Ok(tag) = key.seal_in_place_separate_tag(nonce, Aad::empty(), &mut bytes) else {
            break;
        };
        bytes.extend_from_slice(tag.as_ref());
        if inbox.send(Request { bytes, done: done.clone() }).is_err() {
            break;
        }
        let Ok(returned) = answer.recv() else { break };
        bytes = returned;
        acknowledgements.end(case.batch);
        pool.give_back(bytes);
    }
    std::hint::black_box(sum);
    acknowledgements
}

/// Parses and hashes one line; returns something that depends on both.
fn work(line: &[u8]) -> u64 {
    let Ok(parsed) = serde_json::from_slice::<Parsed<'_>>(line) else { return 0 };
    let lengths = [
        parsed.event_id.len(),
        parsed.event_type.len(),
        parsed.agent_name.len(),
        parsed.session_id.len(),
        parsed.trace_id.len(),
        parsed.action.len(),
        parsed.params.get().len(),
        parsed.result.get().len(),
    ];
    let hash = digest::digest(&digest::SHA256, line);
    let first = hash.as_ref().first().copied().unwrap_or(0);
    lengths.iter().sum::<usize>() as u64 + u64::from(first) + parsed.timestamp.to_bits()
}

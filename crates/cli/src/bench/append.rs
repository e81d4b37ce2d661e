//! The product's side: the very path that `tacho append` takes, in process.

use super::measure::{Acknowledgements, Case};
use super::source::Pool;
use seal::{Log, Outcome, SealError};
use serve::intake::{self, Origin};

/// Runs one case on an open log.
///
/// # Errors
/// The log's first refusal.
pub(super) fn run(log: &Log, pool: &Pool, case: Case) -> Result<Acknowledgements, SealError> {
    std::thread::scope(|scope| {
        let producers: Vec<_> = (0..case.producers)
            .map(|number| scope.spawn(move || produce(log, pool, case, number)))
            .collect();
        let mut all = Acknowledgements::default();
        for producer in producers {
            all.join(producer.join().unwrap_or(Err(SealError::Closed))?);
        }
        Ok(all)
    })
}

fn produce(
    log: &Log,
    pool: &Pool,
    case: Case,
    number: usize,
) -> Result<Acknowledgements, SealError> {
    let mut acknowledgements = Acknowledgements::default();
    let mut source = pool.source(case.run + number as u64);
    for _ in 0..case.batches_per_producer() {
        // Room in memory is asked for first: 32 producers with 10,000 events each would not fit
        // otherwise.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a size in bytes"
        )]
        let permit = log.admit((pool.mean_bytes() * case.batch as f64 * 2.0) as usize);
        let mut lines = pool.buffer();
        source.fill(case.batch, &mut lines);
        acknowledgements.begin();
        let batch = intake::lines(log, &lines, 1, &Origin::local())?.batch;
        acknowledgements.bytes += lines.len() as u64;
        // What was read is not needed any more; nor is it in the baseline.
        pool.give_back(lines);
        let receipt = log.submit(batch, permit)?.wait()?;
        let sealed =
            receipt.outcomes.iter().filter(|o| matches!(o, Outcome::Sealed { .. })).count();
        acknowledgements.end(sealed);
    }
    Ok(acknowledgements)
}

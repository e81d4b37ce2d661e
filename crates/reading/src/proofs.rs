//! Proofs of single records, put together from a log's own files.
//!
//! Nothing leaves here that was not checked: a proof that does not hold is an error, not an answer.
//! Not here: what a proof is (`prove`).

use crate::{Item, ReadError, Reading, public_file};
use checkpoint::{TlogProof, VerifierKey};
use event::{Disclosed, Entry};
use merkle::{TilePath, TileReader};
use prove::{Evidence, Kept, Trust};

/// The C2SP tlog-proof of a record, under the checkpoint of the reading.
///
/// # Errors
/// When the tree or the entry is damaged.
pub fn tlog_proof(reading: &Reading, index: u64) -> Result<TlogProof, ReadError> {
    let (entry, proof) = (entry(reading, index)?, path(reading, index)?);
    let embedded = reading.epochs().due(reading.checkpoint().size);
    let trust = Trust { embedded, ..Trust::default() };
    prove::check_entry(&entry.encode(), &proof, &reading.log().identity.origin, &trust)
        .map_err(|error| wrong(&error.to_string()))?;
    Ok(proof)
}

/// A record with everything that proves it, which anybody can check without the log.
///
/// # Errors
/// When the record, the tree or the entry is damaged.
pub fn evidence(reading: &Reading, index: u64, with_content: bool) -> Result<Evidence, ReadError> {
    let (entry, proof) = (entry(reading, index)?, path(reading, index)?);
    let identity = &reading.log().identity;
    let keys = identity.keys.iter().map(|key| key.parse());
    let keys: Vec<VerifierKey> = keys
        .collect::<Result<_, _>>()
        .map_err(|error: checkpoint::KeyError| wrong(&error.to_string()))?;
    let evidence = with_record(reading, index, &mut |record| {
        Evidence::new(&identity.origin, &entry, *record, &proof, &keys)
    })?;
    let evidence = evidence.map_err(|error| wrong(&error.to_string()))?;
    let evidence = with_successions(evidence, reading)?;
    let evidence = if with_content { Ok(evidence) } else { evidence.without_content() };
    let evidence = evidence.map_err(|error| ReadError::new(error.to_string()))?;
    evidence.check(&Trust::default()).map_err(|error| wrong(&error.to_string()))?;
    Ok(evidence)
}

fn wrong(reason: &str) -> ReadError {
    ReadError::new(format!("the proof does not hold: {reason}; run `tacho verify`"))
}

/// The public entry at an index.
fn entry(reading: &Reading, index: u64) -> Result<Entry, ReadError> {
    let missing = || wrong("its entry is missing or damaged in the public log");
    reading.entries().at(index).ok_or_else(missing)
}

/// The proof that the entry is under the checkpoint.
pub(crate) fn path(reading: &Reading, index: u64) -> Result<TlogProof, ReadError> {
    let folder = &*reading.log().folder;
    let tiles = |tile| public_file(folder, TilePath::Tile(tile));
    let reader = TileReader::new(tiles, reading.checkpoint().size);
    prove::prove_entry(&reader, index, reading.note()).map_err(|error| wrong(&error.to_string()))
}

/// Adds the records that show how later keys took over, so that the first key is enough to check.
fn with_successions(mut evidence: Evidence, reading: &Reading) -> Result<Evidence, ReadError> {
    let size = reading.checkpoint().size;
    let records = reading.epochs().iter().filter_map(|epoch| epoch.record);
    for record in records.filter(|record| *record < size) {
        let file = segment::ledger_path(record);
        let bytes = reading.log().folder.read(&file)?.unwrap_or_default();
        let disclosed =
            Disclosed::parse(&bytes).map_err(|error| wrong(&format!("{file}: {error}")))?;
        let (entry, proof) = (entry(reading, record)?, path(reading, record)?);
        evidence = evidence.with_succession(&entry, &disclosed, &proof);
    }
    Ok(evidence)
}

/// Shows one record to `each`.
fn with_record<T>(
    reading: &Reading,
    index: u64,
    each: &mut dyn FnMut(&Kept<'_>) -> T,
) -> Result<T, ReadError> {
    match reading.records(index)?.next() {
        Some(Item::Record { index: found, record }) if found == index => Ok(each(&record)),
        _ => Err(ReadError::new(format!("record {index} cannot be read; run `tacho verify`"))),
    }
}

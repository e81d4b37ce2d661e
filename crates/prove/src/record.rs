//! Does a record match its entry? Whole, as it is kept in a segment, or its metadata alone.
//!
//! Not here: whether the entry is in the log (`proof.rs`, `log.rs`).

use crate::kept::Kept;
use event::record::{SALT_BYTES, commitment, meta_commitment};
use event::{Entry, Kind, Record, Tier};

/// What about a record disagrees with its entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordMismatch {
    /// Who made it.
    #[error("the record's kind is {record:?}, its entry says {entry:?}; the record was altered")]
    Kind {
        /// What the record says.
        record: Kind,
        /// What the entry says.
        entry: Kind,
    },
    /// How long it must be kept.
    #[error("the record's tier is {record:?}, its entry says {entry:?}; the record was altered")]
    Tier {
        /// What the record says.
        record: Tier,
        /// What the entry says.
        entry: Tier,
    },
    /// When it was recorded.
    #[error("the record's time is {record} ms, its entry says {entry}; the record was altered")]
    Time {
        /// What the record says.
        record: u64,
        /// What the entry says.
        entry: u64,
    },
    /// Which stream it belongs to.
    #[error("the record names another stream than its entry; the record was altered")]
    Stream,
    /// Its position in the stream.
    #[error("the record is number {record} of its stream, its entry says {entry}; it was altered")]
    Sequence {
        /// What the record says.
        record: u64,
        /// What the entry says.
        entry: u64,
    },
    /// Its metadata, content or salts.
    #[error(
        "the record's bytes do not give the commitment of its entry; metadata, content or a salt \
         was altered"
    )]
    Commitment,
}

/// Checks that a record is exactly what an entry commits to.
///
/// # Errors
/// [`RecordMismatch`] with the first field that disagrees.
#[inline]
pub fn check_record(entry: &Entry, record: &Record<'_>) -> Result<(), RecordMismatch> {
    if record.kind != entry.kind {
        return Err(RecordMismatch::Kind { record: record.kind, entry: entry.kind });
    }
    if record.tier != entry.tier {
        return Err(RecordMismatch::Tier { record: record.tier, entry: entry.tier });
    }
    if record.time_ms != entry.time_ms {
        return Err(RecordMismatch::Time { record: record.time_ms, entry: entry.time_ms });
    }
    if record.stream != entry.stream {
        return Err(RecordMismatch::Stream);
    }
    if record.sequence != entry.sequence {
        return Err(RecordMismatch::Sequence { record: record.sequence, entry: entry.sequence });
    }
    if record.commitment() != entry.commitment {
        return Err(RecordMismatch::Commitment);
    }
    Ok(())
}

/// Checks that a kept record, with its content or without, is what an entry commits to. Its place
/// in a stream is the entry's alone to say.
///
/// # Errors
/// [`RecordMismatch`] with the first field that disagrees.
#[inline]
pub fn check_kept(entry: &Entry, kept: &Kept<'_>) -> Result<(), RecordMismatch> {
    if kept.kind != entry.kind {
        return Err(RecordMismatch::Kind { record: kept.kind, entry: entry.kind });
    }
    if kept.tier != entry.tier {
        return Err(RecordMismatch::Tier { record: kept.tier, entry: entry.tier });
    }
    if kept.time_ms != entry.time_ms {
        return Err(RecordMismatch::Time { record: kept.time_ms, entry: entry.time_ms });
    }
    if kept.commitment() != entry.commitment {
        return Err(RecordMismatch::Commitment);
    }
    Ok(())
}

/// Checks metadata against an entry when the content is withheld or erased: all that is needed of
/// the content is its commitment.
///
/// # Errors
/// [`RecordMismatch::Commitment`].
pub fn check_metadata(
    entry: &Entry,
    meta: &[u8],
    meta_salt: &[u8; SALT_BYTES],
    content_commitment: &[u8; 32],
) -> Result<(), RecordMismatch> {
    if commitment(&meta_commitment(meta_salt, meta), content_commitment) != entry.commitment {
        return Err(RecordMismatch::Commitment);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kept::KeptContent;

    fn record() -> Record<'static> {
        Record {
            kind: Kind::Event,
            tier: Tier::Info,
            time_ms: 5,
            stream: [1; 16],
            sequence: 2,
            meta_salt: [3; 16],
            content_salt: [4; 16],
            meta: b"{\"a\":1}",
            content: b"{}",
        }
    }

    #[test]
    fn every_altered_field_of_a_record_is_named() {
        let entry = record().entry([9; 32]);
        check_record(&entry, &record()).unwrap();
        let check = |record: Record<'_>| check_record(&entry, &record).unwrap_err();
        let kind = RecordMismatch::Kind { record: Kind::Log, entry: Kind::Event };
        assert_eq!(check(Record { kind: Kind::Log, ..record() }), kind);
        let tier = RecordMismatch::Tier { record: Tier::Debug, entry: Tier::Info };
        assert_eq!(check(Record { tier: Tier::Debug, ..record() }), tier);
        let time = RecordMismatch::Time { record: 6, entry: 5 };
        assert_eq!(check(Record { time_ms: 6, ..record() }), time);
        assert_eq!(check(Record { stream: [2; 16], ..record() }), RecordMismatch::Stream);
        let sequence = RecordMismatch::Sequence { record: 3, entry: 2 };
        assert_eq!(check(Record { sequence: 3, ..record() }), sequence);
        for altered in [
            Record { meta: b"{\"a\":2}", ..record() },
            Record { content: b"", ..record() },
            Record { meta_salt: [5; 16], ..record() },
            Record { content_salt: [5; 16], ..record() },
        ] {
            assert_eq!(check(altered), RecordMismatch::Commitment);
        }
    }

    #[test]
    fn every_altered_field_of_a_kept_record_is_named() {
        let (entry, kept) = (record().entry([9; 32]), Kept::from(&record()));
        check_kept(&entry, &kept).unwrap();
        let check = |kept: Kept<'_>| check_kept(&entry, &kept).unwrap_err();
        let kind = RecordMismatch::Kind { record: Kind::Log, entry: Kind::Event };
        assert_eq!(check(Kept { kind: Kind::Log, ..kept }), kind);
        let tier = RecordMismatch::Tier { record: Tier::Debug, entry: Tier::Info };
        assert_eq!(check(Kept { tier: Tier::Debug, ..kept }), tier);
        let time = RecordMismatch::Time { record: 6, entry: 5 };
        assert_eq!(check(Kept { time_ms: 6, ..kept }), time);
        for altered in [
            Kept { meta: b"{\"a\":2}", ..kept },
            Kept { content: KeptContent::None, ..kept },
            Kept { content: KeptContent::Erased { commitment: [0; 32] }, ..kept },
            Kept { meta_salt: [5; 16], ..kept },
        ] {
            assert_eq!(check(altered), RecordMismatch::Commitment);
        }
        let erased = KeptContent::Erased { commitment: record().content_commitment() };
        check_kept(&entry, &Kept { content: erased, ..kept }).unwrap();
    }

    #[test]
    fn metadata_proves_without_its_content_and_nothing_else_does() {
        let (entry, r) = (record().entry([9; 32]), record());
        let content = r.content_commitment();
        check_metadata(&entry, r.meta, &r.meta_salt, &content).unwrap();
        assert!(check_metadata(&entry, b"{\"a\":2}", &r.meta_salt, &content).is_err());
        assert!(check_metadata(&entry, r.meta, &[0; 16], &content).is_err());
        assert!(check_metadata(&entry, r.meta, &r.meta_salt, &[0; 32]).is_err());
    }
}

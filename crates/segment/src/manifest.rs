//! What the log says about one of its segments: the content of a `log.segment` record.
//!
//! A segment holds every record of one tier and one day (UTC, record time) within a span of
//! indexes. Tier and time stand in the public entries, so anybody can tell which indexes those are,
//! and nobody needs a list of them.

use event::{Tier, Timestamp};
use keys::KeyId;
use serde::{Deserialize, Serialize};

/// The folder of the segments.
pub const SEGMENT_FOLDER: &str = "segments";

/// One segment, as announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The first index of the span.
    pub first: u64,
    /// The last index of the span, itself included.
    pub last: u64,
    /// The tier of its records.
    pub tier: Tier,
    /// The day of its records, counted from 1970-01-01.
    pub day: u64,
    /// The key that it is encrypted with; no other segment is.
    pub key_id: KeyId,
    /// The SHA-256 of the file.
    pub sha256: [u8; 32],
    /// The length of the file in bytes.
    pub bytes: u64,
    /// How many records it holds.
    pub rows: u64,
    /// Paths of the files (segments, or one journal file) whose records it took over.
    pub replaces: Vec<String>,
    /// The index of the last removal (`event::Removal`) that it was made by; removals after it are
    /// still to be carried out in it.
    pub applied: Option<u64>,
}

/// Why a manifest is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a manifest of a segment: {0}")]
pub struct ManifestError(pub(crate) String);

/// The members of `params`, in this order.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Params {
    path: String,
    sha256: String,
    bytes: u64,
    rows: u64,
    first: u64,
    last: u64,
    tier: String,
    date: String,
    key_id: String,
    replaces: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    applied: Option<u64>,
}

/// Content as stored.
#[derive(Deserialize)]
struct Content {
    params: Params,
}

impl Manifest {
    /// The path of the segment in the log's folder.
    #[must_use]
    pub fn path(&self) -> String {
        let (tier, date) = (self.tier.as_str(), Timestamp::date_of_day(self.day));
        let Self { first, last, key_id, .. } = self;
        format!("{SEGMENT_FOLDER}/tier={tier}/date={date}/{first:020}-{last:020}-{key_id}.parquet")
    }

    /// The `params` of the record that announces it.
    #[must_use]
    pub fn to_params(&self) -> serde_json::Value {
        let params = Params {
            path: self.path(),
            sha256: hex::encode(self.sha256),
            bytes: self.bytes,
            rows: self.rows,
            first: self.first,
            last: self.last,
            tier: self.tier.as_str().to_owned(),
            date: Timestamp::date_of_day(self.day),
            key_id: self.key_id.to_string(),
            replaces: self.replaces.clone(),
            applied: self.applied,
        };
        // Texts and numbers: this cannot fail.
        serde_json::to_value(params).unwrap_or_default()
    }

    /// Reads the content of a `log.segment` record.
    ///
    /// # Errors
    /// [`ManifestError`] with what does not fit.
    pub fn from_content(content: &[u8]) -> Result<Self, ManifestError> {
        let wrong = |what: &str| ManifestError(what.to_owned());
        let Content { params } = serde_json::from_slice(content)
            .map_err(|error| ManifestError(format!("column {}", error.column())))?;
        let mut sha256 = [0; 32];
        hex::decode_to_slice(&params.sha256, &mut sha256).map_err(|_| wrong("its SHA-256"))?;
        let manifest = Self {
            first: params.first,
            last: params.last,
            tier: Tier::from_name(&params.tier).ok_or_else(|| wrong("its tier"))?,
            day: Timestamp::day_of_date(&params.date).ok_or_else(|| wrong("its date"))?,
            key_id: params.key_id.parse().map_err(|_| wrong("its key id"))?,
            sha256,
            bytes: params.bytes,
            rows: params.rows,
            replaces: params.replaces,
            applied: params.applied,
        };
        if manifest.first > manifest.last {
            return Err(wrong("its span"));
        }
        if manifest.path() != params.path {
            return Err(wrong("its path"));
        }
        Ok(manifest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        Manifest {
            first: 10,
            last: 99,
            tier: Tier::Info,
            day: 20_454,
            key_id: KeyId::from_bytes([7; 16]),
            sha256: [1; 32],
            bytes: 5,
            rows: 3,
            replaces: vec!["journal/00000000000000000010.journal".to_owned()],
            applied: None,
        }
    }

    fn content(manifest: &Manifest) -> String {
        format!("{{\"params\":{}}}", manifest.to_params())
    }

    #[test]
    fn a_manifest_reads_back_from_the_content_that_announces_it() {
        assert_eq!(
            manifest().path(),
            "segments/tier=info/date=2026-01-01/00000000000000000010-00000000000000000099-\
             07070707070707070707070707070707.parquet"
        );
        let rewritten = Manifest { applied: Some(7), ..manifest() };
        for manifest in [manifest(), rewritten] {
            assert_eq!(Manifest::from_content(content(&manifest).as_bytes()), Ok(manifest));
        }
    }

    #[test]
    fn a_manifest_that_contradicts_itself_is_refused() {
        let good = content(&manifest());
        for (from, to) in [
            ("\"first\":10", "\"first\":11"),
            ("\"first\":10", "\"first\":100"),
            ("\"tier\":\"info\"", "\"tier\":\"debug\""),
            ("\"tier\":\"info\"", "\"tier\":\"none\""),
            ("\"date\":\"2026-01-01\"", "\"date\":\"2026-13-01\""),
            ("\"rows\":3", "\"rows\":-3"),
            ("\"rows\":3", "\"rows\":3,\"more\":1"),
            ("0707\"", "0708\""),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good, "{from}");
            assert!(Manifest::from_content(bad.as_bytes()).is_err(), "{to}");
        }
    }
}

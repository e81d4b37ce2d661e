//! Where detection has come to in a log, kept over a restart: in `cache/`, because the log does not
//! need it, and losing it costs a second look at most.

use super::deliver::Positions;
use crate::open_log::OpenLog;
use ::detect::Open;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::StoreError;

/// The file.
const PATH: &str = "cache/detect.json";

/// What is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Place {
    /// The index that is looked at next.
    pub(super) next: u64,
    /// Incidents that were told and go on.
    #[serde(default)]
    pub(super) open: Vec<Open>,
    /// For each sink the index behind the newest alert that it was told.
    #[serde(default)]
    pub(super) sinks: BTreeMap<String, u64>,
}

impl Place {
    /// What was kept, if something was and it reads.
    pub(super) fn read(log: &OpenLog) -> Option<Self> {
        let bytes = log.folder().folder.read(PATH).ok()??;
        serde_json::from_slice(&bytes).ok()
    }

    pub(super) fn keep(&self, log: &OpenLog) -> Result<(), StoreError> {
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        log.folder().folder.replace(PATH, &bytes)
    }
}

/// Brings what sinks were told up to date, and leaves the rest as it is.
pub(super) fn keep_positions(log: &OpenLog, positions: &Positions) -> Result<(), StoreError> {
    let Some(mut place) = Place::read(log) else { return Ok(()) };
    let sinks = positions.of(log.name());
    if place.sinks == sinks {
        return Ok(());
    }
    place.sinks = sinks;
    place.keep(log)
}

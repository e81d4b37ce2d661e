//! `[telemetry]`: whom a server tells of the requests that it answers. What is told is `serve`'s to
//! say.

use crate::failure::Failure;
use crate::secret_file;
use serde::Deserialize;
use serve::telemetry::{Receiving, Telemetry};
use std::num::NonZeroU32;
use std::path::PathBuf;

/// `[telemetry]`. Without the section nothing is told.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Telling {
    /// The receiver's address for traces, OTLP over HTTP.
    traces: String,
    /// A file with what is sent as `Authorization`.
    authorization_file: Option<PathBuf>,
    /// What the server is called there.
    #[serde(default = "service")]
    service: String,
    /// Of so many requests that belong to no trace yet, one is told of.
    #[serde(default = "every")]
    one_in: NonZeroU32,
    /// Whether the receiver may be at an address that not everybody reaches, and without TLS.
    #[serde(default)]
    allow_private: bool,
}

fn service() -> String {
    "tachograph".to_owned()
}

fn every() -> NonZeroU32 {
    NonZeroU32::MIN
}

impl Telling {
    /// What tells the receiver.
    pub(crate) fn prepare(&self) -> Result<Telemetry, Failure> {
        let authorization =
            self.authorization_file.as_deref().map(secret_file::read).transpose()?;
        if authorization.as_ref().is_some_and(|text| text.bytes().any(|it| it.is_ascii_control())) {
            let what = "it holds one line, which is sent as `Authorization`";
            return Err(Failure::new(format!("[telemetry] authorization_file: {what}")));
        }
        let receiving = Receiving {
            url: self.traces.clone(),
            authorization,
            service: self.service.clone(),
            one_in: self.one_in,
            allow_private: self.allow_private,
        };
        Telemetry::new(receiving)
            .map_err(|error| Failure::new(format!("[telemetry] traces: {error}")))
    }
}

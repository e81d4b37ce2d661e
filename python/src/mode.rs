//! When `record` returns.

use crate::fault::Fault;

/// When `record` returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// At once: what is in memory when the process is killed is lost, and counted.
    Buffered,
    /// When the event is on disk.
    Durable,
    /// When the event is in the log; what it announces must not be done before, nor without it.
    Required,
}

impl Mode {
    pub(crate) fn parse(name: &str) -> Result<Self, Fault> {
        match name {
            "buffered" => Ok(Self::Buffered),
            "durable" => Ok(Self::Durable),
            "required" => Ok(Self::Required),
            _ => Err(Fault::usage(format!(
                "{name:?} is no mode; choose 'buffered', 'durable' or 'required'"
            ))),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Buffered => "buffered",
            Self::Durable => "durable",
            Self::Required => "required",
        }
    }
}

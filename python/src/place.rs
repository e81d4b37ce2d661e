//! Where a log is: in a folder that this process has open, or at a server.

use crate::fault::Fault;
use crate::mode::Mode;
use crate::outbox::Outbox;
use crate::queue::Queue;
use crate::receipt::Until;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// What a log says of itself.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) name: String,
    /// `None` at a server, which tells it to nobody.
    pub(crate) log_id: Option<String>,
    pub(crate) origin: String,
    /// The verifier keys that it began with.
    pub(crate) keys: Vec<String>,
}

/// What differs between the two. Whoever asks has waited until everything recorded is in the log,
/// and holds no lock of Python.
pub(crate) trait Place: Send + Sync {
    /// What an event of this mode waits for; `None` when for nothing.
    fn until(&self, mode: Mode) -> Option<Until>;

    /// How long it may take until something is in the log; `None` for as long as it takes.
    fn patience(&self) -> Option<Duration>;

    /// What events wait in, when that is not the log itself.
    fn outbox(&self) -> Option<&Arc<Outbox>>;

    /// A checkpoint that covers everything recorded so far.
    fn publish(&self) -> Result<String, Fault>;

    fn events(&self, question: &str) -> Result<(String, u64), Fault>;

    fn trace(&self, id: &str) -> Result<Option<String>, Fault>;

    fn proof(&self, index: u64) -> Result<String, Fault>;

    fn check(
        &self,
        keys: &[String],
        origin: Option<String>,
        since: Option<&str>,
    ) -> Result<String, Fault>;

    fn identity(&self) -> Result<Identity, Fault>;

    fn folder(&self) -> Option<&Path>;

    fn url(&self) -> Option<&str>;

    /// Delivers what is in the queue, which takes no more, for so long at most (by default as long
    /// as its patience). How many events wait in a spool.
    fn close(&self, queue: &Queue, patience: Option<Duration>) -> Result<u64, Fault>;
}

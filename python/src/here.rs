//! A log in a folder that this process has open.

use crate::fault::Fault;
use crate::keeper::Keeper;
use crate::mode::Mode;
use crate::outbox::Outbox;
use crate::place::{Identity, Place};
use crate::questions;
use crate::queue::Queue;
use crate::receipt::Until;
use keys::Kek;
use reading::{LogFolder, Lookout};
use seal::SealError;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// A log in a folder.
pub(crate) struct Here {
    pub(crate) folder: LogFolder,
    pub(crate) kek: Arc<Kek>,
    pub(crate) keeper: Arc<Keeper>,
    pub(crate) lookout: Lookout,
    pub(crate) thread: Mutex<Option<JoinHandle<Result<(), SealError>>>>,
}

impl Place for Here {
    /// Who has the log open writes into it at once, so that on disk is in the log.
    fn until(&self, mode: Mode) -> Option<Until> {
        (mode != Mode::Buffered).then_some(Until::Sealed)
    }

    fn patience(&self) -> Option<Duration> {
        None
    }

    fn outbox(&self) -> Option<&Arc<Outbox>> {
        None
    }

    fn publish(&self) -> Result<String, Fault> {
        let note = self.keeper.writer().and_then(|log| log.publish())?;
        Ok(note.to_string())
    }

    fn events(&self, question: &str) -> Result<(String, u64), Fault> {
        self.publish()?;
        questions::events(&self.lookout, question)
    }

    fn trace(&self, id: &str) -> Result<Option<String>, Fault> {
        self.publish()?;
        questions::trace(&self.lookout, id)
    }

    fn proof(&self, index: u64) -> Result<String, Fault> {
        self.publish()?;
        questions::proof(&self.lookout, index)
    }

    fn check(
        &self,
        keys: &[String],
        origin: Option<String>,
        since: Option<&str>,
    ) -> Result<String, Fault> {
        self.publish()?;
        questions::check(&self.folder, &self.kek, keys, origin, since)
    }

    fn identity(&self) -> Result<Identity, Fault> {
        let it = &self.folder.identity;
        Ok(Identity {
            name: it.name.clone(),
            log_id: Some(it.log_id.clone()),
            origin: it.origin.clone(),
            keys: it.keys.clone(),
        })
    }

    fn folder(&self) -> Option<&Path> {
        Some(&self.folder.path)
    }

    fn url(&self) -> Option<&str> {
        None
    }

    fn close(&self, queue: &Queue, _: Option<Duration>) -> Result<u64, Fault> {
        queue.close();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        thread.map_or(Ok(()), |it| it.join().unwrap_or(Err(SealError::Closed)))?;
        Ok(0)
    }
}

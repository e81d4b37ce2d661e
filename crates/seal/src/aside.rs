//! Writing to the journal aside: while one group is encrypted, written and synced here, the next
//! one is ordered.
//!
//! The journal goes back and forth between the committer and this thread, so only one of them can
//! have it, and at most one group is on its way. Whoever waits for a group is answered from here,
//! as soon as it is durable.

use crate::admission::Permit;
use crate::error::SealError;
use crate::log::WhenDone;
use crate::receipt::Receipt;
use crate::writer::{Prepared, Writer};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use store::{FileJournal, FrameBuffer, Journal as _, StoreError};

/// Who is told what became of a batch, and its room in memory.
pub(crate) type Reply = (WhenDone, Permit);

/// A frame to be appended, and whom to tell.
struct Job {
    journal: FileJournal,
    frame: FrameBuffer,
    first_index: u64,
    count: u32,
    replies: Vec<Reply>,
    receipts: Vec<Receipt>,
}

/// What comes back: the journal, or why there is none any more.
type Done = (Result<FileJournal, StoreError>, FrameBuffer);

/// The thread, and whether it has the journal.
pub(crate) struct Aside {
    jobs: Option<SyncSender<Job>>,
    done: Receiver<Done>,
    thread: Option<JoinHandle<()>>,
    spare: FrameBuffer,
    busy: bool,
}

impl Aside {
    /// Starts the thread.
    pub(crate) fn start() -> Self {
        let (jobs, inbox) = sync_channel::<Job>(1);
        let (outbox, done) = sync_channel(1);
        let run = move || {
            for job in inbox {
                if outbox.send(append(job)).is_err() {
                    break;
                }
            }
        };
        let thread = std::thread::Builder::new().name("tacho-write".to_owned()).spawn(run).ok();
        let jobs = thread.is_some().then_some(jobs);
        Self { jobs, done, thread, spare: FrameBuffer::default(), busy: false }
    }

    /// Whether a group is on its way.
    pub(crate) fn is_busy(&self) -> bool {
        self.busy
    }

    /// Hands over the frame that the writer has just prepared; the journal must be back.
    pub(crate) fn append(&mut self, writer: &mut Writer, prepared: Prepared, replies: Vec<Reply>) {
        let Prepared { receipts, first_index, count } = prepared;
        let (Some(jobs), Some(journal)) = (&self.jobs, writer.lend_journal()) else {
            writer.poison("there is no journal to write to".to_owned());
            return refuse(replies, &SealError::Closed);
        };
        let frame = std::mem::replace(&mut writer.frame, std::mem::take(&mut self.spare));
        self.busy = true;
        if jobs.send(Job { journal, frame, first_index, count, replies, receipts }).is_err() {
            self.busy = false;
            writer.poison("the thread that writes the journal stopped".to_owned());
        }
    }

    /// Waits for the group that is on its way, if one is, and gives the journal back.
    pub(crate) fn join(&mut self, writer: &mut Writer) {
        if !std::mem::take(&mut self.busy) {
            return;
        }
        match self.done.recv() {
            Ok((Ok(journal), frame)) => {
                self.spare = frame;
                writer.journal_is_back(journal);
            }
            Ok((Err(error), _)) => writer.poison(error.to_string()),
            Err(_) => writer.poison("the thread that writes the journal stopped".to_owned()),
        }
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn append(job: Job) -> Done {
    let Job { mut journal, mut frame, first_index, count, replies, receipts } = job;
    // A crash before this returns may leave the frame whole, torn or absent; nobody was told, and
    // recovery keeps it or cuts it.
    match journal.append(first_index, count, &mut frame) {
        // The acknowledgement. From here on a crash must lose nothing of the group.
        Ok(()) => {
            give(replies, receipts);
            (Ok(journal), frame)
        }
        Err(error) => {
            refuse(replies, &SealError::Poisoned { reason: error.to_string() });
            (Err(error), frame)
        }
    }
}

/// Tells everybody that their batch is durable. Its room is free before they know: whoever is told
/// and asks for room for the next batch need not wait for this one's.
pub(crate) fn give(replies: Vec<Reply>, receipts: Vec<Receipt>) {
    for ((reply, permit), receipt) in replies.into_iter().zip(receipts) {
        drop(permit);
        reply(Ok(receipt));
    }
}

/// Tells everybody that it is not.
pub(crate) fn refuse(replies: Vec<Reply>, error: &SealError) {
    for (reply, permit) in replies {
        drop(permit);
        reply(Err(error.clone()));
    }
}

//! Events on their way to a server: in order, packed, and sent again until the server says what
//! became of them. Nothing is lost while it is away, and nothing gets there twice: an event with an
//! id is sealed once, and one without gets an id from the key of its batch.

use crate::failure::Failure;
use crate::remote::Remote;
use crate::terminal::{DOUBTFUL, Terminal, styled};
use keys::{Entropy as _, SystemEntropy};
use link::{Landed, Pace, Parcel, Trouble};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Batches that are packed ahead of the one on its way.
const AHEAD: usize = 2;
/// No pause before a batch is sent again is longer, unless the server wants it.
const PAUSE_MAX: Duration = Duration::from_secs(15);

/// How a batch is to be taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Manner {
    /// All of it, or nothing.
    pub(crate) atomic: bool,
    /// It was read from another program's log.
    pub(crate) imported: bool,
}

/// A server that events are sent to.
pub(crate) struct Sending {
    jobs: Option<SyncSender<Job>>,
    worker: Option<JoinHandle<()>>,
    /// Makes the keys of this run different from those of any other.
    run: String,
    number: u64,
    manner: Manner,
}

/// One batch.
struct Job {
    packed: Vec<u8>,
    key: String,
    path: String,
    reply: SyncSender<Result<Landed, Failure>>,
}

/// What carries the batches.
struct Carrier {
    remote: Remote,
    terminal: Terminal,
    /// So long a batch is sent again before it is given up.
    patience: Duration,
    /// Whether the server ever took anything: until then a wrong address is more likely than a
    /// server that went away.
    met: bool,
}

impl Sending {
    /// Begins. Nothing is sent yet.
    pub(crate) fn start(
        remote: Remote,
        terminal: Terminal,
        patience: Duration,
        manner: Manner,
    ) -> Result<Self, Failure> {
        let mut run = [0; 16];
        SystemEntropy::new().fill(&mut run)?;
        let (jobs, inbox) = sync_channel::<Job>(AHEAD);
        let mut carrier = Carrier { remote, terminal, patience, met: false };
        let worker = std::thread::spawn(move || {
            while let Ok(job) = inbox.recv() {
                let outcome = carrier.carry(&job);
                let failed = outcome.is_err();
                // Whoever does not wait any more has ended for another reason.
                let _ = job.reply.send(outcome);
                if failed {
                    // What follows must not get there before what failed.
                    return;
                }
            }
        });
        let run = hex::encode(run);
        Ok(Self { jobs: Some(jobs), worker: Some(worker), run, number: 0, manner })
    }

    /// Sends lines behind those before them; the answer comes later. The name of the log stands in
    /// `path`.
    pub(crate) fn send(
        &mut self,
        path: &str,
        lines: &[u8],
    ) -> Result<Receiver<Result<Landed, Failure>>, Failure> {
        let packed = link::pack(lines)
            .map_err(|error| Failure::new(format!("cannot pack the events: {error}")))?;
        self.number += 1;
        let key = format!("{}-{}", self.run, self.number);
        let Manner { atomic, imported } = self.manner;
        let flags = [("atomic=1", atomic), ("imported=1", imported)];
        let flags: Vec<&str> = flags.iter().filter(|it| it.1).map(|it| it.0).collect();
        let path = match flags.is_empty() {
            true => path.to_owned(),
            false => format!("{path}?{}", flags.join("&")),
        };
        let (reply, answer) = sync_channel(1);
        if let Some(jobs) = &self.jobs {
            // When nobody carries any more, the answer before says why, and this one never comes.
            let _ = jobs.send(Job { packed, key, path, reply });
        }
        Ok(answer)
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(worker) = self.worker.take() {
            let _ = worker.join();
        }
    }
}

impl Carrier {
    /// Sends a batch until it is known what became of it.
    fn carry(&mut self, job: &Job) -> Result<Landed, Failure> {
        let parcel = Parcel { packed: &job.packed, key: Some(&job.key) };
        let (begun, mut pace, mut tries) = (Instant::now(), Pace::new(PAUSE_MAX), 1_u32);
        loop {
            let trouble = match self.send(&job.path, &parcel) {
                Ok(landed) => {
                    if tries > 1 {
                        self.terminal.note(format!("It takes events again (try {tries})."));
                    }
                    self.met = true;
                    return Ok(landed);
                }
                Err(trouble) => trouble,
            };
            // Whoever answered at all may come back, though nobody is there for a moment.
            self.met |= !matches!(trouble, Trouble::Unreachable(_) | Trouble::Certificate(_));
            let wait = pace.next(&trouble);
            if !self.is_worth_a_retry(&trouble) || begun.elapsed() + wait > self.patience {
                return Err(self.given_up(&trouble, tries));
            }
            if tries == 1 {
                self.terminal.note(format!(
                    "{}: {} takes no events just now: {}; they are sent again until it does",
                    styled(DOUBTFUL, "warning"),
                    self.remote.address(),
                    trouble.brief()
                ));
            }
            std::thread::sleep(Pace::spread(wait));
            tries += 1;
        }
    }

    fn send(&self, path: &str, parcel: &Parcel<'_>) -> Result<Landed, Trouble> {
        let answer = self.remote.post(path, parcel)?;
        serde_json::from_slice(&answer.bytes).map_err(|error| {
            Trouble::Foreign(format!("its answer to events is not what it should be ({error})"))
        })
    }

    fn is_worth_a_retry(&self, trouble: &Trouble) -> bool {
        trouble.may_pass() && (self.met || !matches!(trouble, Trouble::Unreachable(_)))
    }

    fn given_up(&self, trouble: &Trouble, tries: u32) -> Failure {
        let failure = self.remote.failure(trouble);
        match failure {
            Failure::Sentence { exit, sentence } if tries > 1 => Failure::Sentence {
                exit,
                sentence: format!(
                    "{sentence}; given up after {tries} tries: what was answered is sealed, append \
                     the rest again (an event with an id is sealed once)"
                ),
            },
            other => other,
        }
    }
}

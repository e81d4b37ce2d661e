//! What a command does to a log from outside, recorded in the log before it takes effect: exports,
//! keys that are handed out, restores.
//!
//! Who did it is the user that this process runs as: on one's own machine nobody else vouches.

use crate::context::Context;
use crate::failure::Failure;
use crate::terminal::{DOUBTFUL, styled};
use clap::Args;
use event::Principal;
use keys::Kek;
use reading::{LogFolder, Memory};
use seal::{Act, Options, SealError, Writer};
use std::sync::Arc;
use store::Reservation;

/// What to do when the log cannot be told.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct RecordingArguments {
    /// Go on even when the log cannot record it (another process is writing to it, or the folder is
    /// read-only). It is recorded whenever it can be.
    #[arg(long)]
    unrecorded: bool,
}

impl RecordingArguments {
    /// Whether nothing may be done without a record.
    pub(crate) fn is_required(self) -> bool {
        !self.unrecorded
    }

    /// Records an act durably. `Ok` says that it may be done now.
    ///
    /// # Errors
    /// Refused, when it cannot be recorded and nobody allowed that.
    pub(crate) fn record(
        self,
        context: &Context,
        log: &LogFolder,
        act: Act,
    ) -> Result<(), Failure> {
        let kek = context.kek(log)?;
        let recorded = try_to_record(context.memory.as_ref(), log, kek, act);
        let Err(reason) = recorded else { return Ok(()) };
        if !self.unrecorded {
            let advice = match reason.is_put_back() {
                true => "",
                false => "; stop the other writer or make the folder writable",
            };
            return Err(Failure::refused(format!(
                "the log cannot record this, so it was not done: {reason}{advice}, or give \
                 --unrecorded to do it without a record"
            )));
        }
        context.terminal.note(format!(
            "{}: the log has no record of this: {reason}",
            styled(DOUBTFUL, "warning")
        ));
        Ok(())
    }

    /// The same where nothing can be printed and others may wait for the log: why it may not be
    /// done, if it may not.
    ///
    /// # Errors
    /// When it cannot be recorded and nobody allowed that.
    pub(crate) fn try_record(
        self,
        memory: Option<&Memory>,
        log: &LogFolder,
        kek: &Arc<Kek>,
        act: Act,
    ) -> Result<(), SealError> {
        match try_to_record(memory, log, Arc::clone(kek), act) {
            Err(error) if !self.unrecorded => Err(error),
            _ => Ok(()),
        }
    }
}

/// Opens the log, records the act, publishes and closes.
fn try_to_record(
    memory: Option<&Memory>,
    log: &LogFolder,
    kek: Arc<Kek>,
    act: Act,
) -> Result<(), SealError> {
    let mut writer = open_with(memory, log, kek, few())?;
    writer.record(act, &local_principal())?;
    writer.close()?;
    remember(memory, log);
    Ok(())
}

/// Opens a log for a few records. It must continue what is remembered of it.
///
/// # Errors
/// As [`seal::open_continuing`].
pub(crate) fn open(context: &Context, log: &LogFolder, kek: Arc<Kek>) -> Result<Writer, SealError> {
    open_with(context.memory.as_ref(), log, kek, few())
}

/// The same with other options.
///
/// # Errors
/// As [`seal::open_continuing`].
pub(crate) fn open_with(
    memory: Option<&Memory>,
    log: &LogFolder,
    kek: Arc<Kek>,
    options: Options,
) -> Result<Writer, SealError> {
    let kept = memory.and_then(|memory| memory.of(&log.path)).map(|it| it.head);
    seal::open_continuing(&log.folder, kek, options, kept.as_ref())
}

/// Options for a few records.
pub(crate) fn few() -> Options {
    Options { reservation: Reservation::Off, ..Options::system() }
}

/// Closes a log in good order, and remembers how far it came.
///
/// # Errors
/// As [`Writer::close`].
pub(crate) fn close(context: &Context, log: &LogFolder, writer: Writer) -> Result<(), SealError> {
    writer.close()?;
    remember(context.memory.as_ref(), log);
    Ok(())
}

/// Remembers how far a log came. What cannot be remembered is missed only when the folder is put
/// back, so it is no failure.
pub(crate) fn remember(memory: Option<&Memory>, log: &LogFolder) {
    if let Some(memory) = memory {
        let _ = memory.keep(log);
    }
}

/// The user that this process runs as.
pub(crate) fn local_principal() -> Principal<'static> {
    Principal {
        issuer: Some("os".into()),
        subject: Some(format!("uid:{}", rustix::process::getuid().as_raw()).into()),
        method: Some("process".into()),
    }
}

//! What `tacho hold`, `erase` and `retention` share: which records are meant, the policy, and the
//! log opened for it.

use crate::commands::events::time;
use crate::context::Context;
use crate::failure::Failure;
use crate::recording;
use crate::serving::configuration::Configuration;
use crate::terminal::{DOUBTFUL, styled};
use clap::Args;
use event::Timestamp;
use reading::{LogFolder, View};
use retain::{Policy, Profile, RetainError, Selector};
use seal::{Settled, Writer};
use segment::Row;
use std::path::PathBuf;

/// How often a log is looked at again when a writer took away what was being looked at.
const LOOKS_MAX: usize = 5;

/// What a server that holds the folder does instead of this process.
pub(crate) const DOES: &str = "it is done by";
/// And what it answers.
pub(crate) const ANSWERS: &str = "the answer is that of";

/// Which records.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Which records (every option that is given must match)")]
pub(crate) struct SelectorArguments {
    /// One event, by its id
    #[arg(long, value_name = "ID")]
    event: Option<String>,
    /// A session
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// A trace
    #[arg(long, value_name = "ID")]
    trace: Option<String>,
    /// An agent, by name or id
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// A principal, by subject, or the one on whose behalf it happened
    #[arg(long, value_name = "SUBJECT")]
    principal: Option<String>,
    /// Recorded not before: RFC 3339, a date (UTC), or how long ago: 90s, 15m, 24h, 7d
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Option<Timestamp>,
    /// Recorded before: as --from
    #[arg(long, value_name = "TIME", value_parser = time)]
    to: Option<Timestamp>,
}

impl SelectorArguments {
    /// The selection.
    pub(crate) fn selector(&self) -> Selector {
        Selector {
            event: self.event.clone(),
            session: self.session.clone(),
            trace: self.trace.clone(),
            agent: self.agent.clone(),
            principal: self.principal.clone(),
            from_ms: self.from.map(Timestamp::milliseconds),
            to_ms: self.to.map(Timestamp::milliseconds),
        }
    }
}

/// How long records stay.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Retention policy")]
pub(crate) struct PolicyArguments {
    /// Configuration file with a section `[retention]`; without one `tachograph.toml` in the user's
    /// configuration folder, if it is there
    #[arg(long, value_name = "FILE", env = "TACHO_CONFIG")]
    config: Option<PathBuf>,
    /// default, eu-ai-act, pci-dss, hipaa or sec-17a-4, instead of what the configuration says
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
}

impl PolicyArguments {
    /// The policy.
    pub(crate) fn policy(&self) -> Result<Policy, Failure> {
        if let Some(name) = &self.profile {
            let profile = Profile::from_name(name).ok_or_else(|| {
                Failure::usage(retain::PolicyError::Profile(name.clone()).to_string())
            })?;
            return Ok(Policy::of(profile));
        }
        Ok(Configuration::read(self.config.as_deref())?.retention.unwrap_or_default())
    }
}

impl PolicyArguments {
    /// Says that a server goes by its own policy, where another one was named.
    pub(crate) fn is_the_servers(&self, context: &Context) {
        if self.profile.is_some() || self.config.is_some() {
            context.terminal.note(format!(
                "{}: the server goes by its own retention policy, not by the one named here",
                styled(DOUBTFUL, "warning")
            ));
        }
    }
}

/// Looks at the log that is meant, which may be written to meanwhile: at what lies in segments, and
/// at the records that no segment has yet. Nothing is written.
pub(crate) fn look<T>(
    context: &Context,
    ask: impl Fn(&Settled, &[&Row]) -> Result<T, RetainError>,
) -> Result<T, Failure> {
    let mut reading = context.reading()?;
    let mut looks = 1;
    loop {
        let view = View::of(reading);
        let outcome = look_once(&view, &ask)?;
        match outcome {
            Some(Ok(found)) => return Ok(found),
            // What was there may have been replaced before it was opened.
            None | Some(Err(RetainError::Seal(_))) if looks < LOOKS_MAX => looks += 1,
            Some(Err(error)) => return Err(error.into()),
            None => return Err(Failure::new(NOT_WHOLE)),
        }
        reading = view.reading().again()?;
    }
}

/// The same once; `None` when records are missing or damaged.
fn look_once<T>(
    view: &View,
    ask: &impl Fn(&Settled, &[&Row]) -> Result<T, RetainError>,
) -> Result<Option<Result<T, RetainError>>, Failure> {
    let Some(library) = view.library()? else { return Ok(None) };
    let tail: Vec<&Row> = library.tail().collect();
    Ok(Some(ask(&view.settled(), &tail)))
}

const NOT_WHOLE: &str = "what is held and what would go is told of a log that is whole, and records of this one are \
     missing or damaged; `tacho verify` names them, and nothing is removed meanwhile";

/// The log that is meant, opened for administration.
pub(crate) fn open(context: &Context) -> Result<(LogFolder, Writer), Failure> {
    let log = context.log_folder()?;
    let kek = context.kek(&log)?;
    let writer = recording::open(context, &log, kek)?;
    Ok((log, writer))
}

impl From<RetainError> for Failure {
    fn from(error: RetainError) -> Self {
        match error {
            RetainError::Seal(error) => error.into(),
            RetainError::Held { .. } | RetainError::Minimum { .. } => {
                Self::refused(error.to_string())
            }
            RetainError::EmptySelection => Self::usage(error.to_string()),
            RetainError::Nothing
            | RetainError::UnknownHold(_)
            | RetainError::HoldsChanged
            | RetainError::Ledger(_) => Self::new(error.to_string()),
        }
    }
}

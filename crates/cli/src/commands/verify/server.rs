//! A server's public log, checked from outside: whatever the server shows must be what the log
//! signed, and continue what was kept from earlier.

use crate::configuration_folder::ConfigurationFolder;
use crate::context::Context;
use crate::failure::Failure;
use crate::remote::Remote;
use checkpoint::{Policy, VerifierKey};
use link::Trouble;
use prove::{Report, Trust};
use reading::verify::{NotShown, Shown, SinceFile, check_witnesses};

const CHECKPOINT: &str = "checkpoint";

/// Checks all of it.
pub(super) fn check(
    context: &Context,
    remote: &Remote,
    pinned: Vec<VerifierKey>,
    since: Option<SinceFile>,
    policy: Option<&Policy>,
) -> Result<Report, Failure> {
    // Before the checkpoint, which goes on meanwhile.
    let cosigned = policy.map(|_| read_cosigned(remote)).transpose()?.flatten();
    let ask = |path: &str| match remote.get(&remote.public(path)) {
        Ok(answer) => Ok(Some(answer.bytes)),
        Err(trouble) if trouble.status() == Some(404) && path != CHECKPOINT => Ok(None),
        Err(trouble) => Err(trouble),
    };
    let mut shown = Shown::open(&ask).map_err(|error| match error {
        NotShown::Asked(trouble) => remote.failure(&trouble),
        NotShown::Foreign(what) => remote.foreign(&what),
    })?;
    let origin = shown.origin();
    // What the server says of the keys vouches for nothing; it shows whether a signature is whole.
    let described = remote.describe().ok();
    let embedded = described.iter().flat_map(|it| &it.keys).filter_map(|key| key.parse().ok());
    let mut trust = Trust { pinned, embedded: embedded.collect(), ..Trust::default() };
    if trust.pinned.is_empty()
        && let Some(known) = ConfigurationFolder::locate().and_then(|it| it.known_origin(&origin))
    {
        for key in &known.vkeys {
            trust.pinned.push(key.parse()?);
        }
    }
    let mut progress = context.terminal.progress("entries");
    let mut report = shown.check(&trust, since.as_ref(), &mut |it| {
        progress.at(it.done, it.total);
    });
    progress.finish();
    if let Some(policy) = policy {
        let read = |path: &str| remote.get(&remote.public(path)).ok().map(|answer| answer.bytes);
        check_witnesses(policy, cosigned.as_deref(), &read, &mut report);
    }
    Ok(report)
}

/// The checkpoint that enough witnesses of the server's own policy cosigned, if there is one.
pub(crate) fn read_cosigned(remote: &Remote) -> Result<Option<Vec<u8>>, Failure> {
    match remote.get(&remote.public(reading::COSIGNED_PATH)) {
        Ok(answer) => Ok(Some(answer.bytes)),
        Err(Trouble::Answered { status: 404, .. }) => Ok(None),
        Err(trouble) => Err(remote.failure(&trouble)),
    }
}

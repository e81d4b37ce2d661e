//! A KEK from a command: run directly, bounded in time and output, nothing secret in its arguments.
//!
//! Standard input is empty, so that a program that asks for something fails instead of waiting.
//! Not a general process runner.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::{KekError, text};
use crate::SecretKey;

/// How often to look whether the command has exited.
const POLL: Duration = Duration::from_millis(5);

/// How long a command that has ended may leave its standard error open.
const STDERR_GRACE: Duration = Duration::from_millis(200);

/// Most characters of standard error that are shown.
const STDERR_MAX_CHARS: usize = 300;

type Output = std::io::Result<Zeroizing<Vec<u8>>>;

/// Runs `program` and parses the line that it prints.
pub(super) fn run(
    program: &Path,
    args: &[String],
    timeout: Duration,
) -> Result<SecretKey, KekError> {
    let deadline = Instant::now() + timeout;
    let not_run = |source| KekError::CommandNotRun { program: program.to_owned(), source };
    let mut running = Running(
        Command::new(program)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(not_run)?,
    );
    let stdout = collect(running.0.stdout.take()).map_err(not_run)?;
    let stderr = collect(running.0.stderr.take()).map_err(not_run)?;
    let timed_out = || KekError::CommandTimedOut {
        program: program.to_owned(),
        timeout_ms: u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX),
    };
    let printed = stdout.recv_timeout(remaining(deadline)).map_err(|_| timed_out())?;
    let status = running.wait_until(deadline).map_err(not_run)?.ok_or_else(timed_out)?;
    if !status.success() {
        let complaint = stderr.recv_timeout(STDERR_GRACE).ok().and_then(Result::ok);
        return Err(KekError::CommandFailed {
            program: program.to_owned(),
            status: status.to_string(),
            stderr: complaint.map(|bytes| trim(&bytes)).unwrap_or_default(),
        });
    }
    let place = format!("the output of the key command {}", program.display());
    text::parse(&printed.map_err(not_run)?, &place)
}

/// A child that never outlives this function's interest in it.
struct Running(Child);

impl Running {
    /// Its exit status, or nothing when the deadline passed first.
    fn wait_until(&mut self, deadline: Instant) -> std::io::Result<Option<ExitStatus>> {
        loop {
            if let Some(status) = self.0.try_wait()? {
                return Ok(Some(status));
            }
            if remaining(deadline).is_zero() {
                return Ok(None);
            }
            thread::sleep(POLL);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only when it has ended already, which is what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn remaining(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// Reads a pipe on a thread of its own, so that neither pipe can block the other, and a grandchild
/// that keeps one open cannot block us. Past the bound the pipe is drained and forgotten.
fn collect(pipe: Option<impl Read + Send + 'static>) -> std::io::Result<Receiver<Output>> {
    let (sender, receiver) = sync_channel(1);
    thread::Builder::new().name("kek-command".into()).spawn(move || {
        let Some(mut pipe) = pipe else { return };
        let _ = sender.send(text::read_bounded(&mut pipe));
        let mut rest = Zeroizing::new([0_u8; 1024]);
        while pipe.read(rest.as_mut_slice()).is_ok_and(|count| count > 0) {}
    })?;
    Ok(receiver)
}

/// The beginning of a complaint, fit for one line of a message. A command that prints the key on
/// the wrong pipe must not have it repeated into a log.
fn trim(stderr: &[u8]) -> String {
    let complaint = Zeroizing::new(String::from_utf8_lossy(stderr).into_owned());
    if complaint.contains("tachograph-kek-") {
        return "(not shown: it holds a key)".into();
    }
    let printable = |character: char| if character.is_control() { ' ' } else { character };
    complaint.trim().chars().take(STDERR_MAX_CHARS).map(printable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    const LINE: &str = "tachograph-kek-v1:BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU=";

    fn shell(script: &str, timeout_ms: u64) -> Result<SecretKey, KekError> {
        let args = ["-c".to_owned(), script.to_owned()];
        run(&PathBuf::from("/bin/sh"), &args, Duration::from_millis(timeout_ms))
    }

    #[test]
    fn printed_line_is_the_key() {
        let printf = run(Path::new("printf"), &[LINE.to_owned()], Duration::from_secs(10));
        assert_eq!(printf.unwrap(), SecretKey::new([5; 32]));
        let noisy = shell(&format!("echo warning >&2; echo {LINE}"), 10_000);
        assert_eq!(noisy.unwrap(), SecretKey::new([5; 32]));
    }

    #[test]
    fn arguments_are_not_interpreted_by_a_shell() {
        let args = ["$(echo tachograph-kek-v1:)".to_owned()];
        let output = run(Path::new("printf"), &args, Duration::from_secs(10));
        assert!(matches!(output, Err(KekError::Malformed { .. })), "{output:?}");
    }

    #[test]
    fn failure_shows_trimmed_stderr_and_never_a_key() {
        let error = shell("echo '  vault is sealed ' >&2; exit 3", 10_000).unwrap_err();
        let KekError::CommandFailed { stderr, status, .. } = &error else { panic!("{error}") };
        assert_eq!(stderr, "vault is sealed");
        assert!(status.contains('3'), "{status}");
        let error = shell(&format!("echo {LINE} >&2; echo {LINE}; exit 1"), 10_000).unwrap_err();
        assert!(!error.to_string().contains("BQUF"), "{error}");
        assert!(!format!("{error:?}").contains("BQUF"));
        let error = shell("yes x | head -c 100000 >&2; exit 1", 10_000).unwrap_err();
        assert!(error.to_string().len() < 600, "{error}");
    }

    #[test]
    fn key_from_a_failing_command_is_refused() {
        let error = shell(&format!("echo {LINE}; exit 1"), 10_000).unwrap_err();
        assert!(matches!(error, KekError::CommandFailed { .. }), "{error}");
    }

    #[test]
    fn hanging_command_is_stopped() {
        let begun = Instant::now();
        for script in ["exec sleep 30", "sleep 30 & exit 0", "exec >&-; exec sleep 30"] {
            let error = shell(script, 300).unwrap_err();
            assert!(matches!(error, KekError::CommandTimedOut { timeout_ms: 300, .. }), "{error}");
        }
        assert!(begun.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn flood_garbage_and_missing_program_are_refused() {
        let flood = shell("yes x | head -c 1000000", 10_000).unwrap_err();
        assert!(matches!(flood, KekError::Malformed { .. }), "{flood}");
        let garbage = shell("echo hunter2", 10_000).unwrap_err();
        assert!(!garbage.to_string().contains("hunter2"), "{garbage}");
        let missing = run(Path::new("/nowhere/kek"), &[], Duration::from_secs(1)).unwrap_err();
        assert!(matches!(missing, KekError::CommandNotRun { .. }), "{missing}");
        let asks = shell("read line && echo \"$line\"", 10_000).unwrap_err();
        assert!(matches!(asks, KekError::CommandFailed { .. }), "{asks}");
    }
}

//! Running a program: shown before it starts, its failure in one sentence. Runs in the root of the
//! repository.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::failure::Failure;
use crate::place;

/// The variables in which cargo describes the package that it runs.
const OWN_PACKAGE: &[&str] = &["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];

/// What asks programs for output that reads well in a log file.
const PLAIN_VARIABLES: &[(&str, &str)] =
    &[("CARGO_TERM_COLOR", "never"), ("CARGO_TERM_PROGRESS_WHEN", "never"), ("NO_COLOR", "1")];

static PLAIN: AtomicBool = AtomicBool::new(false);

/// From here on every program is asked for plain output.
pub(crate) fn make_plain() {
    PLAIN.store(true, Ordering::Relaxed);
}

/// Whether that was asked for.
pub(crate) fn is_plain() -> bool {
    PLAIN.load(Ordering::Relaxed)
}

/// A program about to be run.
pub(crate) struct Job {
    command: Command,
    shown: String,
}

impl Job {
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program.as_ref());
        command.current_dir(place::root());
        // What cargo tells this program about its own package is wrong for any other.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if OWN_PACKAGE.iter().any(|own| name.starts_with(own)) {
                command.env_remove(&*name);
            }
        }
        if is_plain() {
            command.envs(PLAIN_VARIABLES.iter().copied());
        }
        Self { command, shown: short(program.as_ref()) }
    }

    /// A job of the cargo that runs this program.
    pub(crate) fn cargo() -> Self {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut job = Self::new(cargo);
        job.shown = "cargo".to_owned();
        job
    }

    pub(crate) fn arg(mut self, word: impl AsRef<OsStr>) -> Self {
        self.shown.push(' ');
        self.shown.push_str(&short(word.as_ref()));
        self.command.arg(word);
        self
    }

    pub(crate) fn args<W: AsRef<OsStr>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        for word in words {
            self = self.arg(word);
        }
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.shown = format!("{name}={} {}", short(value.as_ref()), self.shown);
        self.command.env(name, value);
        self
    }

    /// Runs it with this terminal; an exit code other than 0 is a failure that carries it.
    pub(crate) fn run(mut self) -> Result<(), Failure> {
        println!("$ {}", self.shown);
        let status = self.command.status().map_err(|error| self.cannot_start(&error))?;
        self.judge(status)
    }

    /// Runs it silently; the exit code and both outputs, whatever they are.
    pub(crate) fn look(mut self) -> Result<(i32, String, String), Failure> {
        let output = self
            .command
            .stdin(Stdio::null())
            .output()
            .map_err(|error| self.cannot_start(&error))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok((output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr)))
    }

    /// Runs it for its standard output; the rest goes to this terminal.
    pub(crate) fn read(mut self) -> Result<String, Failure> {
        println!("$ {}", self.shown);
        let output = self
            .command
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| self.cannot_start(&error))?;
        self.judge(output.status)?;
        String::from_utf8(output.stdout).map_err(|_| {
            Failure::Failed(format!("`{}` printed bytes that are not UTF-8", self.shown))
        })
    }

    fn judge(&self, status: ExitStatus) -> Result<(), Failure> {
        if status.success() {
            return Ok(());
        }
        let (message, code) = match status.code() {
            Some(code) => (format!("`{}` ended with exit code {code}", self.shown), code),
            None => (format!("`{}` was ended by a signal ({status})", self.shown), 1),
        };
        Err(Failure::Program { message, code: u8::try_from(code).unwrap_or(1) })
    }

    fn cannot_start(&self, error: &std::io::Error) -> Failure {
        Failure::Failed(format!("cannot start `{}`: {error}; is it installed?", self.shown))
    }
}

/// Paths inside the repository are shown as one would type them there.
fn short(word: &OsStr) -> String {
    let path = Path::new(word);
    path.strip_prefix(place::root()).unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_code_of_the_program_is_carried() {
        let failure = Job::new("sh").args(["-c", "exit 10"]).run().unwrap_err();
        assert!(matches!(failure, Failure::Program { code: 10, .. }), "{failure}");
        assert!(failure.to_string().contains("exit code 10"));
    }

    #[test]
    fn programs_do_not_see_this_package() {
        let script = "echo \"[$CARGO_MANIFEST_DIR$CARGO_PKG_NAME]\"";
        let printed = Job::new("sh").args(["-c", script]).read().unwrap();
        assert_eq!(printed, "[]\n");
    }

    #[test]
    fn a_missing_program_is_named() {
        let failure = Job::new("no-such-program-here").run().unwrap_err();
        assert!(failure.to_string().contains("no-such-program-here"), "{failure}");
    }

    #[test]
    fn paths_in_the_repository_are_shown_short() {
        assert_eq!(short(place::root().join("fuzz/corpus").as_os_str()), "fuzz/corpus");
        assert_eq!(short(OsStr::new("-D")), "-D");
    }
}

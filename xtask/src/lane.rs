//! The second half of a whole `cargo xtask test`: a child of this program that runs the steps of
//! the other lane at the same time, and whose output is shown when this lane is done.
//!
//! Steps of one lane mostly compile, those of the other mostly run, wait and sleep: side by side
//! they leave no processor idle. Each lane has a build profile of its own, so that neither waits
//! for the other's lock.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use crate::failure::Failure;
use crate::job::{self, Job};
use crate::place;
use crate::test::Line;

/// Where a step runs when all of them do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// In this process: what needs no binary, built with the profile of development.
    Code,
    /// Beside it: what runs the optimised binary.
    Product,
}

/// Tells the child that it ends with whoever started it. Not for people, so not in the help.
pub(crate) const ATTACHED: &str = "--attached";

/// How the child marks the lines that say how a step ended.
pub(crate) const MARK: &str = "=== ";

/// The other lane, under way.
pub(crate) struct Beside {
    child: Child,
    reader: JoinHandle<String>,
}

impl Beside {
    /// Starts this program again for these steps.
    pub(crate) fn start(names: &[&str]) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe().map_err(|it| cannot_start(&it))?);
        command.args([if job::is_plain() { "ci" } else { "test" }, ATTACHED, "--only"]);
        command.arg(names.join(","));
        Self::of(command).map_err(|error| cannot_start(&error))
    }

    fn of(mut command: Command) -> std::io::Result<Self> {
        // A group of its own can be ended with everything that it started. Its standard input is
        // the only thing that tells it of our end, however that comes.
        command.process_group(0).stdin(Stdio::piped());
        let (output, writer) = std::io::pipe()?;
        command.stderr(writer.try_clone()?).stdout(writer);
        let child = command.current_dir(place::root()).spawn()?;
        // It holds the writing end, and the output would never end.
        drop(command);
        let reader = std::thread::spawn(move || follow(output));
        Ok(Self { child, reader })
    }

    /// Waits for it, shows what it printed, and adds how its steps ended.
    pub(crate) fn finish(mut self, lines: &mut Vec<Line>) -> Result<(), Failure> {
        // Waiting would close it, which tells the other lane that nobody waits.
        let held = self.child.stdin.take();
        let ended = self.child.wait();
        drop(held);
        let text = self.reader.join().unwrap_or_default();
        println!("\n{MARK}what ran beside\n\n{text}");
        lines.extend(lines_of(&text));
        match ended {
            Ok(status) if status.success() => Ok(()),
            // What went wrong, and what to do about it, are its last words.
            Ok(_) => {
                Err(Failure::Failed("a step that ran beside the others: see above".to_owned()))
            }
            Err(error) => {
                Err(Failure::Failed(format!("lost the other half of the steps: {error}")))
            }
        }
    }

    /// Ends it with everything that it started.
    pub(crate) fn stop(mut self) {
        drop(self.child.stdin.take());
        drop(self.child.wait());
    }
}

fn cannot_start(error: &std::io::Error) -> Failure {
    Failure::Failed(format!("cannot start the other half of the steps: {error}"))
}

/// Reads to the end; says meanwhile which steps are done.
fn follow(output: impl Read) -> String {
    let mut text = String::new();
    let mut lines = BufReader::new(output);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let words = String::from_utf8_lossy(&line);
        if words.starts_with(MARK) {
            println!("    beside: {}", words.trim_start_matches(MARK).trim_end());
        }
        text.push_str(&words);
        line.clear();
    }
    text
}

/// The lines of the closing table that a lane's output has, found by how each step's end is told.
fn lines_of(text: &str) -> Vec<Line> {
    text.lines().filter_map(|line| Line::told(line.strip_prefix(MARK)?)).collect()
}

/// Ends this program, and all that it started, when whoever started it is gone.
pub(crate) fn end_with_parent() {
    std::thread::spawn(|| {
        drop(std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
        let all = format!("kill -s TERM -- -{}", std::process::id());
        drop(Job::new("sh").args(["-c", &all]).look());
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_lane_is_waited_for_and_not_ended_meanwhile() {
        let mut command = Command::new("sh");
        // What it waits for comes only when nobody waits for it.
        let script = "timeout 1 cat; test $? = 124 && echo '=== held: passed in 1.0 s'";
        command.args(["-c", script]);
        let mut lines = Vec::new();
        Beside::of(command).unwrap().finish(&mut lines).unwrap();
        assert_eq!(lines.iter().map(|line| &*line.name).collect::<Vec<_>>(), ["held"]);
    }

    #[test]
    fn a_lane_is_followed_to_its_last_line_and_its_verdicts_are_read() {
        let told = "=== 1 of 2: kill (what it does)\nbytes \n=== kill: passed in 12.5 s\n\
                    === python: skipped: there is no x in 0.0 s\n\nkill 12.5 s  passed\nlast";
        let text = follow(told.as_bytes());
        assert_eq!(text, told);
        let lines = lines_of(&text);
        let verdicts: Vec<_> = lines.iter().map(|line| (&*line.name, &*line.verdict)).collect();
        assert_eq!(verdicts, [("kill", "passed"), ("python", "skipped: there is no x")]);
        assert_eq!(lines[0].took.as_millis(), 12_500);
    }
}

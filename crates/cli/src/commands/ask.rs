//! `tacho ask`: questions in plain English, answered by the command that does it, which is named.
//!
//! No model and no guessing: a few words decide, and names are taken as they stand. Whatever is
//! understood is a command line, so what the words can do is what that command does.

use crate::arguments;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::{DIM, plain, styled};
use clap::{Args, CommandFactory as _};
use query::Found;
use seal::{Clock as _, SystemClock};
use std::ffi::OsString;

const AFTER_HELP: &str = "\
What is understood, among others:
  Show me the audit log                    tacho events
  Trace task task-42                       tacho trace task-42
  Generate compliance report               tacho report compliance-check
  What did the agent do?                   the newest session; or: What did agent Billing do?
  Show error summary                       tacho report error-analysis
  Audit agent Billing                      tacho agent Billing
  Run forensic analysis of trace 5f2c      tacho forensics 5f2c
  Incident report of task task-42          tacho report incident task-42
  Export audit data                        tacho export
Also: tool usage, cost (\"Why did we spend this today?\"), agents, daily summary, verify. Of time: today, yesterday,
last hour, last 24 hours, last 7 days.

Examples:
  tacho ask \"Show error summary of the last 7 days\"
  tacho ask \"Audit agent Billing\" --format json
  tacho ask Why did we spend this today?";

/// Ask in plain English; says which command answers
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// The question
    #[arg(value_name = "PHRASE", required = true)]
    phrase: Vec<String>,
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let phrase = self.phrase.join(" ");
        let is_known = |name: &str| arguments::Arguments::command().find_subcommand(name).is_some();
        let asked = Asked::of(&phrase);
        let mut words = asked.understood(&is_known).ok_or_else(|| {
            let asked = plain(&phrase);
            Failure::usage(format!(
                "\"{asked}\" is not understood; `tacho ask --help` shows what is, and `tacho \
                 --help` every command"
            ))
        })?;
        if words == ["session"] {
            words.extend(newest_session(context)?);
        }
        let shown: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        context.terminal.note(styled(DIM, format!("tacho {}", shown.join(" "))));
        let line = std::iter::once("tacho").chain(words.iter().map(String::as_str));
        let read = arguments::Arguments::read(line.map(OsString::from)).map_err(|_| {
            Failure::usage(format!(
                "that would be `tacho {}`, which needs more; `tacho {} --help`",
                shown.join(" "),
                words.first().map_or("", String::as_str)
            ))
        })?;
        read.command.run(context)
    }
}

/// The session of the newest event that has one.
fn newest_session(context: &Context) -> Result<Option<String>, Failure> {
    const LOOKED_AT: u64 = 1_000;
    let mut session = None;
    context.source()?.newest(LOOKED_AT, &mut |found: &Found<'_>| {
        if let Some(id) = found.event().ok().and_then(|event| event.session_id.map(String::from)) {
            session = Some(id);
        }
    })?;
    Ok(session)
}

/// A word as a shell would need it, visible whatever it holds.
fn quoted(word: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || "-_.:/".contains(c);
    let shown = plain(word);
    match !shown.is_empty() && shown.chars().all(is_bare) {
        true => shown,
        false => format!("'{}'", shown.replace('\'', "'\\''")),
    }
}

/// What would be an option of the command is no name.
fn is_option(word: &str) -> bool {
    word.starts_with('-')
}

/// A question, cut into words.
struct Asked<'p> {
    /// As they were written, without marks around them.
    words: Vec<&'p str>,
    /// In lower case.
    lower: Vec<String>,
}

const DAY_MS: u64 = 86_400_000;

impl<'p> Asked<'p> {
    fn of(phrase: &'p str) -> Self {
        let marks: &[char] = &['?', '!', ',', ';', '"', '\'', '“', '”', '[', ']', '(', ')'];
        let words: Vec<&str> = phrase
            .split_whitespace()
            .map(|word| word.trim_matches(marks).trim_end_matches(['.', ':']))
            .filter(|word| !word.is_empty())
            .collect();
        let lower = words.iter().map(|word| word.to_lowercase()).collect();
        Self { words, lower }
    }

    fn has(&self, any: &[&str]) -> bool {
        self.lower.iter().any(|word| any.contains(&word.as_str()))
    }

    /// The word behind one of these, if it is a name and no part of the sentence.
    fn behind(&self, any: &[&str]) -> Option<&'p str> {
        const FILLERS: [&str; 20] = [
            "id", "named", "called", "with", "of", "the", "do", "does", "did", "a", "an", "is",
            "for", "on", "in", "this", "that", "has", "was", "today",
        ];
        let mut at = self.lower.iter().position(|word| any.contains(&word.as_str()))? + 1;
        const LEADS: [&str; 7] = ["id", "named", "called", "task", "trace", "incident", "of"];
        while LEADS.contains(&self.lower.get(at)?.as_str()) {
            at += 1;
        }
        let word = self.words.get(at)?;
        let is_name = !FILLERS.contains(&self.lower.get(at)?.as_str()) && !is_option(word);
        is_name.then_some(word)
    }

    /// Everything behind "agent", up to what is no name any more: names may have blanks.
    fn agent(&self) -> Option<String> {
        const ENDS: [&str; 17] = [
            "do",
            "does",
            "did",
            "done",
            "doing",
            "today",
            "yesterday",
            "last",
            "since",
            "in",
            "this",
            "for",
            "during",
            "from",
            "are",
            "were",
            "is",
        ];
        let at = self.lower.iter().position(|word| word == "agent" || word == "agents")? + 1;
        let mut at = at;
        while matches!(self.lower.get(at).map(String::as_str), Some("named" | "called" | "id")) {
            at += 1;
        }
        let is_name =
            |(word, lower): &(&&str, &String)| !ENDS.contains(&lower.as_str()) && !is_option(word);
        let rest = self.words.iter().zip(&self.lower).skip(at);
        let name: Vec<&str> = rest.take_while(is_name).map(|(word, _)| *word).collect();
        (!name.is_empty()).then(|| name.join(" "))
    }

    /// The command line that answers; nothing where no word decides.
    fn understood(&self, is_known: &dyn Fn(&str) -> bool) -> Option<Vec<String>> {
        let line = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let reported = |name: &str| {
            let mut words: Vec<String> = line(&["report", name]);
            words.extend(self.period());
            words
        };
        let traced = self.behind(&["trace", "task", "incident"]);
        let session = self.behind(&["session"]);
        if self.has(&["incident"]) && self.has(&["report"]) {
            let id = self.behind(&["trace", "task"]).or(session);
            let words = ["report", "incident"].into_iter().chain(id);
            return Some(line(&words.collect::<Vec<&str>>()));
        }
        if self.has(&["forensic", "forensics", "investigate", "incident"]) {
            let command = if is_known("forensics") { "forensics" } else { "trace" };
            return Some(match traced.or(session) {
                Some(id) => line(&[command, id]),
                None => line(&[command]),
            });
        }
        if self.has(&["export"]) {
            let mut words: Vec<String> = line(&["export"]);
            words.extend(self.period());
            return Some(words);
        }
        if self.has(&["verify", "tampered", "intact", "tampering"]) {
            return Some(line(&["verify"]));
        }
        if self.has(&["trace", "task"]) {
            return Some(match traced {
                Some(id) => line(&["trace", id]),
                None => line(&["trace"]),
            });
        }
        if let Some(id) = session {
            return Some(line(&["session", id]));
        }
        if self.has(&["compliance", "compliant"]) {
            return Some(reported("compliance-check"));
        }
        if self.has(&["daily"]) {
            return Some(reported("daily"));
        }
        if self.has(&["error", "errors", "failures", "failed", "fail"]) {
            return Some(reported("error-analysis"));
        }
        if self.has(&["cost", "costs", "spend", "spent", "tokens", "token", "money", "bill"]) {
            return Some(reported("cost"));
        }
        if self.has(&["tool", "tools"]) {
            return Some(reported("tool-usage"));
        }
        if self.has(&["inventory", "models", "versions"]) {
            return Some(reported("agents"));
        }
        self.understood_of_agents(&line).or_else(|| {
            if self.has(&["summary", "summarize", "summarise", "overview"]) {
                return Some(reported("summary"));
            }
            self.has(&["log", "logs", "audit", "events", "recent", "happened"]).then(|| {
                let mut words: Vec<String> = line(&["events"]);
                words.extend(self.period());
                words
            })
        })
    }

    fn understood_of_agents(&self, line: &dyn Fn(&[&str]) -> Vec<String>) -> Option<Vec<String>> {
        if !self.has(&["agent", "agents"]) {
            return None;
        }
        if let Some(name) = self.agent() {
            return Some(line(&["agent", &name]));
        }
        let is_about_doing = self.has(&["do", "did", "done", "doing", "happened"]);
        Some(line(&[if is_about_doing { "session" } else { "agent" }]))
    }

    /// Of which time is spoken.
    fn period(&self) -> Vec<String> {
        let date = |ago: u64| {
            let day = SystemClock.now_ms() / DAY_MS - ago;
            let text = event::Timestamp::from_milliseconds(day * DAY_MS).to_string();
            text.get(..10).unwrap_or_default().to_owned()
        };
        let from = |time: String| vec!["--from".to_owned(), time];
        if self.has(&["today", "today's"]) {
            return from(date(0));
        }
        if self.has(&["yesterday", "yesterday's"]) {
            return [from(date(1)), vec!["--to".to_owned(), date(0)]].concat();
        }
        let Some(at) = self.lower.iter().position(|word| word == "last" || word == "past") else {
            return Vec::new();
        };
        let word = |at: usize| self.lower.get(at).map(String::as_str).unwrap_or_default();
        let (number, unit) = match word(at + 1).parse::<u64>() {
            Ok(number) => (number, word(at + 2)),
            Err(_) => (1, word(at + 1)),
        };
        let (factor, unit) = match unit {
            "minute" | "minutes" => (1, 'm'),
            "hour" | "hours" => (1, 'h'),
            "day" | "days" => (1, 'd'),
            "week" | "weeks" => (7, 'd'),
            "month" | "months" => (30, 'd'),
            _ => return Vec::new(),
        };
        from(format!("{}{unit}", number.saturating_mul(factor)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn understood(phrase: &str) -> Option<String> {
        Asked::of(phrase).understood(&|_| true).map(|words| words.join(" "))
    }

    #[test]
    fn the_trigger_phrases_are_understood() {
        for (phrase, command) in [
            ("Show me the audit log", "events"),
            ("Trace task task-42", "trace task-42"),
            ("Trace task [id-7]", "trace id-7"),
            ("Generate compliance report", "report compliance-check"),
            ("What did the agent do?", "session"),
            ("Show error summary", "report error-analysis"),
            ("Audit agent Billing", "agent Billing"),
            ("Run forensic analysis", "forensics"),
            ("Export audit data", "export"),
        ] {
            assert_eq!(understood(phrase).as_deref(), Some(command), "{phrase}");
        }
    }

    #[test]
    fn names_and_times_are_taken_out_of_the_sentence() {
        for (phrase, command) in [
            ("show me the trace 5f2c8e1b", "trace 5f2c8e1b"),
            ("What did agent Billing do?", "agent Billing"),
            ("what did agent \"Support Agent\" do yesterday?", "agent Support Agent"),
            ("Run forensic analysis of trace 5f2c", "forensics 5f2c"),
            ("Incident report of task task-42", "report incident task-42"),
            ("write an incident report for session s-1", "report incident s-1"),
            ("incident report of trace --url=x", "report incident"),
            ("what happened in session s-1", "session s-1"),
            ("error summary of the last 7 days", "report error-analysis --from 7d"),
            ("tool usage of the last hour", "report tool-usage --from 1h"),
            ("summary of last week", "report summary --from 7d"),
            ("which agents are there", "agent"),
            ("has the log been tampered with?", "verify"),
        ] {
            assert_eq!(understood(phrase).as_deref(), Some(command), "{phrase}");
        }
        let today = understood("Why did we spend this today?").unwrap();
        assert!(today.starts_with("report cost --from 2"), "{today}");
    }

    #[test]
    fn what_is_not_understood_is_not_guessed() {
        for phrase in ["", "hello", "rm -rf /", "make me a sandwich"] {
            assert_eq!(understood(phrase), None, "{phrase}");
        }
        assert_eq!(understood("trace task --url=http://x").as_deref(), Some("trace"));
        assert_eq!(understood("audit agent --data x").as_deref(), Some("agent"));
        let known = |_: &str| false;
        let words = Asked::of("run forensic analysis of trace x").understood(&known);
        assert_eq!(words.unwrap().join(" "), "trace x");
    }

    #[test]
    fn the_command_is_shown_as_a_shell_takes_it() {
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("\u{1b}[2J"), "'\u{fffd}[2J'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
    }
}

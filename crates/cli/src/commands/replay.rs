//! `tacho replay`: a trace step by step, with what the agent knew at each.

use super::trace;
use crate::answer::Conclude as _;
use crate::arguments::Format;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::keyboard::{Key, Keyboard};
use clap::Args;
use query::render::{self, View};
use query::{AsOf, Found, Replay, Trace};
use std::io::Write as _;

const AFTER_HELP: &str = "\
Each step shows what the agent knew when it decided, as far as the log says: what it was asked, what it
retrieved or got back from tools, what it thought; then the decision, how sure it was, and what came of it.
An agent is taken to know what it did before, and what led to the step.

Keys: n, space, enter next; p previous; g first; G last; a number and enter to go there; q quit.
Where nobody sits in front of a terminal all steps are printed.

Examples:
  tacho replay 5f2c8e1b9a7d4c03b6e1f0a2d3c4b5a6
  tacho replay task-refund-order-1042 --every
  tacho replay session-refund-7731 --by session > steps.txt";

/// Step through the decisions of a trace
///
/// TRACE is a trace id; when no event has it, a task id or a session id.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// The id
    #[arg(value_name = "TRACE")]
    id: String,
    /// What the id is of
    #[arg(long, value_enum)]
    by: Option<trace::By>,
    /// Stop at every event, not only at decisions
    #[arg(long)]
    every: bool,
}

/// A replay, and where it is.
struct Show<'s> {
    replay: &'s Replay,
    trace: &'s Trace,
    found: &'s [Found<'static>],
    as_of: &'s AsOf,
    view: View,
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        context.format(&[Format::Text])?;
        let source = context.source()?;
        let (scope, found, unreadable) = trace::find(&source, &self.id, self.by)?;
        if found.is_empty() {
            return Err(trace::unknown(context, &source, &self.id, self.by, &unreadable)?);
        }
        let (trace, as_of) = (Trace::assemble(scope, &found), source.as_of()?);
        let replay = Replay::new(&trace, self.every);
        if !replay.is_of_decisions && !self.every {
            context
                .terminal
                .note("The trace has no decision (agent.decision): every event is a step.");
        }
        let view = context.terminal.view();
        let show = Show { replay: &replay, trace: &trace, found: &found, as_of: &as_of, view };
        let shown = match Keyboard::open() {
            Some(keyboard) => show.step_through(&keyboard),
            None => show.print(context),
        };
        unreadable.conclude_after(shown, context)
    }
}

impl Show<'_> {
    fn drawn(&self, number: usize) -> String {
        let step = self.replay.step(self.trace, self.found, number);
        step.map(|step| render::step(self.replay, self.trace, &step, number, self.view))
            .unwrap_or_default()
    }

    /// All steps, one after the other.
    fn print(&self, context: &Context) -> Result<(), Failure> {
        let mut out = context.terminal.people();
        for number in 0..self.replay.steps.len() {
            writeln!(out, "{}", self.drawn(number))?;
        }
        write!(out, "{}", render::replay_foot(self.as_of, self.view))?;
        Ok(out.flush()?)
    }

    fn step_through(&self, keyboard: &Keyboard) -> Result<(), Failure> {
        let mut place = Place { at: 0, count: self.replay.steps.len(), typed: 0 };
        let mut shown = None;
        loop {
            if shown != Some((place.at, place.typed)) {
                let foot = render::replay_foot(self.as_of, self.view);
                let keys = match place.typed {
                    0 => "n next  p previous  g first  G last  q quit".to_owned(),
                    number => format!("go to {number} (enter)"),
                };
                keyboard.show(&format!("{}\n{foot}\n{keys}", self.drawn(place.at)))?;
                shown = Some((place.at, place.typed));
            }
            if !place.press(keyboard.key()) {
                return Ok(());
            }
        }
    }
}

/// Where a replay is, and the number that is being typed (0 for none).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    at: usize,
    count: usize,
    typed: usize,
}

impl Place {
    /// Follows a key; false when it says that this is the end.
    fn press(&mut self, key: Key) -> bool {
        let last = self.count.saturating_sub(1);
        let typed = std::mem::take(&mut self.typed);
        self.at = match key {
            Key::Quit => return false,
            Key::Enter if typed > 0 => (typed - 1).min(last),
            Key::Next | Key::Enter => (self.at + 1).min(last),
            Key::Previous => self.at.saturating_sub(1),
            Key::First => 0,
            Key::Last => last,
            Key::Digit(digit) => {
                self.typed = typed.saturating_mul(10).saturating_add(digit.into());
                self.at
            }
            Key::Other => self.at,
        };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_lead_where_the_help_says_and_never_beyond_the_ends() {
        let mut place = Place { at: 0, count: 12, typed: 0 };
        let mut go = |keys: &[Key]| {
            assert!(keys.iter().all(|key| place.press(*key)));
            place.at
        };
        assert_eq!(go(&[Key::Previous]), 0);
        assert_eq!(go(&[Key::Next, Key::Enter, Key::Other]), 2);
        assert_eq!(go(&[Key::Digit(1), Key::Digit(1), Key::Enter]), 10);
        assert_eq!(go(&[Key::Last, Key::Next]), 11);
        assert_eq!(go(&[Key::Digit(9), Key::Digit(9), Key::Enter]), 11);
        assert_eq!(go(&[Key::First]), 0);
        assert_eq!(go(&[Key::Digit(5), Key::Next]), 1, "a number without enter is forgotten");
        assert!(!place.press(Key::Quit));
    }
}

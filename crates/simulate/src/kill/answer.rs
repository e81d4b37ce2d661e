//! An acknowledgement as a line of text, written only after it was received: what the dead process
//! leaves.

use seal::{Outcome, Receipt};

/// What one line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) thread: u64,
    pub(crate) number: u64,
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) note: String,
}

impl Answer {
    pub(crate) fn new(thread: u64, number: u64, receipt: Receipt) -> Self {
        Self { thread, number, outcomes: receipt.outcomes, note: receipt.checkpoint.to_string() }
    }

    /// The line, with its end.
    pub(crate) fn to_line(&self) -> String {
        let outcomes: Vec<String> = self.outcomes.iter().map(outcome_to_text).collect();
        let note = self.note.replace('\n', "|");
        format!("{} {} {} {note}\n", self.thread, self.number, outcomes.join(","))
    }

    /// Reads a line without its end; `None` when it was cut short.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let mut parts = line.splitn(4, ' ');
        let thread = parts.next()?.parse().ok()?;
        let number = parts.next()?.parse().ok()?;
        let outcomes = parts.next()?.split(',').map(outcome_from_text).collect::<Option<_>>()?;
        let note = parts.next()?.strip_suffix('|')?.replace('|', "\n") + "\n";
        Some(Self { thread, number, outcomes, note })
    }
}

fn outcome_to_text(outcome: &Outcome) -> String {
    let hex = |hash: &[u8; 32]| hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    match outcome {
        Outcome::Sealed { index, leaf_hash } => format!("s:{index}:{}", hex(leaf_hash)),
        Outcome::Duplicate { index, leaf_hash } => format!("d:{index}:{}", hex(leaf_hash)),
        Outcome::Conflict { index } => format!("c:{index}:"),
    }
}

fn outcome_from_text(text: &str) -> Option<Outcome> {
    let mut parts = text.splitn(3, ':');
    let kind = parts.next()?;
    let index = parts.next()?.parse().ok()?;
    let hex = parts.next()?;
    let mut leaf_hash = [0; 32];
    if kind != "c" {
        for (place, byte) in leaf_hash.iter_mut().enumerate() {
            *byte = u8::from_str_radix(hex.get(2 * place..2 * place + 2)?, 16).ok()?;
        }
    }
    match kind {
        "s" => Some(Outcome::Sealed { index, leaf_hash }),
        "d" => Some(Outcome::Duplicate { index, leaf_hash }),
        "c" => Some(Outcome::Conflict { index }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_survives_its_line_and_a_cut_line_is_none() {
        let answer = Answer {
            thread: 3,
            number: 41,
            outcomes: vec![
                Outcome::Sealed { index: 7, leaf_hash: [0xAB; 32] },
                Outcome::Duplicate { index: 2, leaf_hash: [1; 32] },
                Outcome::Conflict { index: 1 },
            ],
            note: "log.example/a b\n8\nroot\n\n— log.example sig\n".to_owned(),
        };
        let line = answer.to_line();
        let line = line.strip_suffix('\n').unwrap();
        assert_eq!(Answer::parse(line), Some(answer));
        let cuts = line.char_indices().map(|(at, _)| at);
        assert!(
            cuts.filter(|at| !line[..*at].ends_with('|'))
                .all(|at| Answer::parse(&line[..at]).is_none())
        );
    }
}

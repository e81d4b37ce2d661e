//! Tokens and money spent in a period, by whom and for what, no usage counted twice.
//!
//! Frameworks tell one usage up to three times: in the act itself (a model's answer, a decision),
//! in a usage event beside it, and summed up in the invocation above. So within each trace (else
//! session, else task, else the event alone) the three are added apart, and the greatest counts:
//! for tokens, and for money in each currency. Where two are equal the act counts before the usage
//! event, and that before the invocation.
//!
//! Not here: what one chunk tells (`usage/part.rs`), and prices for what names no cost (`report`).

mod part;

use super::pass::{Figure, in_one_pass};
use super::period::{Period, Sheet};
use crate::columns::Columns;
use event::Amount;
use foldhash::fast::FixedState;
use part::{Apart, Part};
use segment::SegmentError;
use std::collections::{BTreeMap, HashMap};

/// Tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenSums {
    /// Events that tell them.
    pub events: u64,
    /// Read by the model.
    pub input: u64,
    /// Written by it.
    pub output: u64,
    /// Of those read, what came from a cache.
    pub cache_read: u64,
    /// Of those read, what went into one.
    pub cache_write: u64,
    /// Of those written, what was thought and not said.
    pub reasoning: u64,
    /// All: as told, else input and output.
    pub total: u64,
}

impl TokenSums {
    /// Both together.
    pub fn add(&mut self, other: &Self) {
        self.events += other.events;
        for (sum, more) in [
            (&mut self.input, other.input),
            (&mut self.output, other.output),
            (&mut self.cache_read, other.cache_read),
            (&mut self.cache_write, other.cache_write),
            (&mut self.reasoning, other.reasoning),
            (&mut self.total, other.total),
        ] {
            *sum = sum.saturating_add(more);
        }
    }
}

/// What was spent by one of those who spend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsageLine {
    /// For which task.
    pub task: Option<String>,
    /// By which agent: its name, else its id.
    pub agent: Option<String>,
    /// On which model: what answered, else what was asked.
    pub model: Option<String>,
    /// With whose credential.
    pub principal: Option<String>,
    /// For whom.
    pub on_behalf_of: Option<String>,
    /// Tokens that count.
    pub tokens: TokenSums,
    /// Money that counts, by currency; `?` for one that is not told.
    pub costs: BTreeMap<String, Amount>,
    /// Of the tokens, those of events that name no cost, where no other event names it for them.
    pub without_cost: TokenSums,
}

/// What was spent in a period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Who spent what, in the order of the names.
    pub lines: Vec<UsageLine>,
    /// Events whose tokens or money others tell as well, and which do not count.
    pub repeated: u64,
    /// Amounts that cannot be added exactly, and are in no sum.
    pub not_summed: u64,
}

/// The same in one line at most: whoever asks for the sums alone pays for no names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spending(pub Usage);

/// In what kind of event a usage is told.
const ACT: usize = 0;
const USAGE: usize = 1;
const INVOCATION: usize = 2;

/// The names of [`UsageLine`] as numbers, 0 for none.
type Who = [u32; 5];

/// A trace (or whatever stands for it), a kind of event, who spent, and the number of a currency.
type Key = (u32, usize, Who, u32);

#[derive(Clone, Copy, Default)]
struct Spent {
    tokens: TokenSums,
    amount: Amount,
    not_summed: u64,
}

impl Spent {
    fn add(&mut self, other: &Self) {
        self.tokens.add(&other.tokens);
        self.not_summed += other.not_summed;
        match self.amount.checked_add(other.amount) {
            Some(sum) => self.amount = sum,
            None => self.not_summed += 1,
        }
    }
}

/// Sums by whom they belong to. Whatever is added up in the order of these is the same each time.
type Sums = hashbrown::HashMap<Key, Spent, FixedState>;

/// Tokens and money of a period.
///
/// # Errors
/// [`SegmentError`] when a segment does not read.
pub fn usage(columns: &Columns, period: &Period) -> Result<Usage, SegmentError> {
    in_one_pass(columns, period)
}

impl Figure for Usage {
    type Part = Part;

    fn columns() -> Vec<&'static str> {
        part::columns()
    }

    fn part(sheet: &mut Sheet<'_>) -> Result<Part, SegmentError> {
        part::part(sheet, Apart::ByName)
    }

    fn sum(parts: Vec<Part>) -> Self {
        sum(parts)
    }
}

impl Figure for Spending {
    type Part = Part;

    fn columns() -> Vec<&'static str> {
        part::columns()
    }

    fn part(sheet: &mut Sheet<'_>) -> Result<Part, SegmentError> {
        part::part(sheet, Apart::NotAtAll)
    }

    fn sum(parts: Vec<Part>) -> Self {
        Self(sum(parts))
    }
}

fn sum(parts: Vec<Part>) -> Usage {
    // Where acts alone tell, nothing is told again, and the traces need not be told apart.
    let is_of_act = |((_, kind, ..), _): &(Key, Spent)| *kind == ACT;
    let acts_alone = parts.iter().all(|part| part.spent.iter().all(is_of_act));
    let mut numbers: HashMap<String, u32> = HashMap::new();
    let mut sums = Sums::default();
    for part in parts {
        let mut texts: Vec<(String, u32)> = part.texts.into_iter().map(|text| (text, 0)).collect();
        let mut again = |number: u32| {
            let place = number.checked_sub(1).and_then(|place| texts.get_mut(place as usize));
            let Some((text, known)) = place else { return 0 };
            if *known == 0 {
                let next = u32::try_from(numbers.len() + 1).unwrap_or(u32::MAX);
                *known = *numbers.entry(std::mem::take(text)).or_insert(next);
            }
            *known
        };
        for ((scope, kind, who, currency), spent) in part.spent {
            let scope = if acts_alone { 0 } else { again(scope) };
            let key = (scope, kind, who.map(&mut again), again(currency));
            sums.entry(key).or_default().add(&spent);
        }
    }
    let mut texts = vec![""; numbers.len()];
    for (text, number) in &numbers {
        if let Some(place) = texts.get_mut(*number as usize - 1) {
            *place = text;
        }
    }
    settle(&sums, &texts)
}

/// What counts of a trace: a kind of event for tokens, and one for each currency.
#[derive(Default)]
struct Scope {
    tokens: [u64; 3],
    money: HashMap<u32, [Option<Amount>; 3]>,
}

impl Scope {
    fn of_tokens(&self) -> usize {
        (ACT..=INVOCATION).rev().max_by_key(|kind| self.tokens.get(*kind).copied()).unwrap_or(ACT)
    }

    fn of_money(&self, currency: u32) -> Option<usize> {
        let sums = self.money.get(&currency)?;
        let mut best: Option<(usize, Amount)> = None;
        for (kind, sum) in sums.iter().enumerate() {
            let Some(sum) = sum else { continue };
            if best.is_none_or(|(_, most)| sum.compare(most).is_gt()) {
                best = Some((kind, *sum));
            }
        }
        best.map(|(kind, _)| kind)
    }

    /// Whether tokens of this kind without a cost are paid by nothing else.
    fn lacks_cost(&self, kind: usize) -> bool {
        let mut kinds = self.money.keys().filter_map(|currency| self.of_money(*currency));
        self.money.is_empty() || kinds.any(|of| of == kind)
    }
}

fn settle(sums: &Sums, texts: &[&str]) -> Usage {
    let text = |number: u32| {
        let place = usize::try_from(number).ok()?.checked_sub(1)?;
        texts.get(place).copied()
    };
    let scopes = scopes(sums);
    let mut out = Usage::default();
    let mut lines: HashMap<Who, UsageLine> = HashMap::new();
    for ((scope, kind, who, currency), spent) in sums {
        let Some(scope) = scopes.get(scope) else { continue };
        let tokens_count = scope.of_tokens() == *kind;
        let money_counts = *currency != 0 && scope.of_money(*currency) == Some(*kind);
        if !tokens_count && !money_counts {
            out.repeated += spent.tokens.events;
            continue;
        }
        let line = lines.entry(*who).or_default();
        if tokens_count {
            line.tokens.add(&spent.tokens);
            if *currency == 0 && scope.lacks_cost(*kind) {
                line.without_cost.add(&spent.tokens);
            }
        }
        if money_counts {
            out.not_summed += spent.not_summed;
            let name = text(*currency).unwrap_or("?").to_owned();
            let sum = line.costs.entry(name).or_default();
            match sum.checked_add(spent.amount) {
                Some(more) => *sum = more,
                None => out.not_summed += 1,
            }
        }
    }
    let named = |(who, line): (Who, UsageLine)| {
        let [task, agent, model, principal, on_behalf_of] =
            who.map(|number| text(number).map(str::to_owned));
        UsageLine { task, agent, model, principal, on_behalf_of, ..line }
    };
    out.lines = lines.into_iter().map(named).collect();
    out.lines.sort_by(|one, other| one.names().cmp(&other.names()));
    out
}

fn scopes(sums: &Sums) -> HashMap<u32, Scope> {
    let mut scopes: HashMap<u32, Scope> = HashMap::new();
    for ((scope, kind, _, currency), spent) in sums {
        let scope = scopes.entry(*scope).or_default();
        if let Some(sum) = scope.tokens.get_mut(*kind) {
            *sum = sum.saturating_add(spent.tokens.total);
        }
        if *currency != 0 {
            let sums = scope.money.entry(*currency).or_default();
            if let Some(sum) = sums.get_mut(*kind) {
                let before = sum.unwrap_or_default();
                *sum = Some(before.checked_add(spent.amount).unwrap_or(before));
            }
        }
    }
    scopes
}

impl UsageLine {
    fn names(&self) -> [Option<&str>; 5] {
        let Self { task, agent, model, principal, on_behalf_of, .. } = self;
        [task, agent, model, principal, on_behalf_of].map(Option::as_deref)
    }
}

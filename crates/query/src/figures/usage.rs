//! Tokens and money spent in a period, by whom and for what, no usage counted twice.
//!
//! Frameworks tell one usage up to three times: in the act itself (a model's answer, a decision),
//! in a usage event beside it, and summed up in the invocation above. So within each trace (else
//! session, else task, else the event alone) the three are added apart, and the greatest counts:
//! for tokens, and for money in each currency. Where two are equal the act counts before the usage
//! event, and that before the invocation.
//!
//! Not here: prices for what names no cost (`report`).

use super::period::{AGENT, Agents, Counts, Period, Sheet};
use crate::columns::{Columns, Question};
use arrow_array::Array;
use event::Amount;
use event::types;
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

/// Texts as numbers from 1 on.
#[derive(Default)]
struct Texts {
    numbers: HashMap<String, u32>,
    texts: Vec<String>,
}

impl Texts {
    fn number(&mut self, text: Option<&str>) -> u32 {
        let Some(text) = text else { return 0 };
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        self.texts.push(text.to_owned());
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.numbers.insert(text.to_owned(), number);
        number
    }

    fn text(&self, number: u32) -> Option<&str> {
        let place = usize::try_from(number).ok()?.checked_sub(1)?;
        self.texts.get(place).map(String::as_str)
    }
}

/// What a chunk has.
#[derive(Default)]
struct Part {
    texts: Texts,
    spent: BTreeMap<Key, Spent>,
}

/// Tokens and money of a period.
///
/// # Errors
/// [`SegmentError`] when a segment does not read.
pub fn usage(columns: &Columns, period: &Period) -> Result<Usage, SegmentError> {
    let question = columns.begin();
    let parts = columns.each(|chunk| part(columns, question, chunk, period))?;
    let mut all = Part::default();
    for part in parts {
        let numbers: Vec<u32> =
            part.texts.texts.iter().map(|text| all.texts.number(Some(text))).collect();
        let again = |number: u32| match number.checked_sub(1) {
            Some(place) => numbers.get(place as usize).copied().unwrap_or(0),
            None => 0,
        };
        for ((scope, kind, who, currency), spent) in part.spent {
            let key = (again(scope), kind, who.map(again), again(currency));
            all.spent.entry(key).or_default().add(&spent);
        }
    }
    Ok(settle(&all))
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

fn settle(all: &Part) -> Usage {
    let mut scopes: HashMap<u32, Scope> = HashMap::new();
    for ((scope, kind, _, currency), spent) in &all.spent {
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
    let mut out = Usage::default();
    let mut lines: BTreeMap<Vec<Option<&str>>, UsageLine> = BTreeMap::new();
    for ((scope, kind, who, currency), spent) in &all.spent {
        let Some(scope) = scopes.get(scope) else { continue };
        let tokens_count = scope.of_tokens() == *kind;
        let money_counts = *currency != 0 && scope.of_money(*currency) == Some(*kind);
        if !tokens_count && !money_counts {
            out.repeated += spent.tokens.events;
            continue;
        }
        let names: Vec<Option<&str>> = who.iter().map(|n| all.texts.text(*n)).collect();
        let line = lines.entry(names).or_default();
        if tokens_count {
            line.tokens.add(&spent.tokens);
            if *currency == 0 && scope.lacks_cost(*kind) {
                line.without_cost.add(&spent.tokens);
            }
        }
        if money_counts {
            out.not_summed += spent.not_summed;
            let name = all.texts.text(*currency).unwrap_or("?").to_owned();
            let sum = line.costs.entry(name).or_default();
            match sum.checked_add(spent.amount) {
                Some(more) => *sum = more,
                None => out.not_summed += 1,
            }
        }
    }
    let named = |(names, line): (Vec<Option<&str>>, UsageLine)| {
        let mut names = names.into_iter().map(|name| name.map(str::to_owned));
        let mut next = || names.next().flatten();
        UsageLine {
            task: next(),
            agent: next(),
            model: next(),
            principal: next(),
            on_behalf_of: next(),
            ..line
        }
    };
    out.lines = lines.into_iter().map(named).collect();
    out
}

const TOKENS: [&str; 6] = [
    "tokens_input",
    "tokens_output",
    "tokens_cache_read",
    "tokens_cache_write",
    "tokens_reasoning",
    "tokens_total",
];

const NAMES: [&str; 12] = [
    "event_type",
    "index",
    "trace_id",
    "session_id",
    "task_id",
    "model",
    "model_responded",
    "model_requested",
    "principal_subject",
    "on_behalf_of",
    "cost_amount",
    "cost_currency",
];

fn part(
    columns: &Columns,
    question: Question,
    chunk: usize,
    period: &Period,
) -> Result<Part, SegmentError> {
    let mut sheet = Sheet::open(columns, question, chunk, period, &TOKENS)?;
    let mut part = Part::default();
    if sheet.is_empty() {
        return Ok(part);
    }
    sheet.also("cost_amount")?;
    let counts: Vec<Counts> =
        TOKENS.iter().map(|name| sheet.counts(name)).collect::<Result<_, _>>()?;
    let amounts = sheet.floats("cost_amount")?;
    let tells = |row: usize| counts.iter().any(|it| it.is_valid(row)) || amounts.is_valid(row);
    if !sheet.picked.iter().any(|picked| tells(picked.row)) {
        return Ok(part);
    }
    for name in NAMES.iter().chain(&AGENT) {
        sheet.also(name)?;
    }
    let (agents, indexes) = (Agents::of(&sheet)?, sheet.counts("index")?);
    for picked in sheet.picked.iter().filter(|picked| tells(picked.row)) {
        let row = picked.row;
        let text = |name: &str| sheet.text(name, row);
        let kind = match text("event_type") {
            Some(types::TOKEN_USAGE) => USAGE,
            Some(types::INVOCATION) => INVOCATION,
            _ => ACT,
        };
        let scope = match (text("trace_id"), text("session_id"), text("task_id")) {
            (Some(id), ..) => format!("trace {id}"),
            (_, Some(id), _) => format!("session {id}"),
            (.., Some(id)) => format!("task {id}"),
            _ => format!("event {}", indexes.value(row)),
        };
        let model =
            text("model_responded").or_else(|| text("model_requested")).or_else(|| text("model"));
        let texts = &mut part.texts;
        let who = [
            texts.number(text("task_id")),
            texts.number(agents.name(agents.code(row))),
            texts.number(model),
            texts.number(text("principal_subject")),
            texts.number(text("on_behalf_of")),
        ];
        let cost = amounts.is_valid(row).then(|| amounts.value(row));
        let currency = cost.map(|_| text("cost_currency").unwrap_or("?"));
        let key = (texts.number(Some(&scope)), kind, who, texts.number(currency));
        let amount = cost.map(|cost| Amount::parse(&cost.to_string()));
        let spent = Spent {
            tokens: tokens(&counts, row),
            amount: amount.flatten().unwrap_or_default(),
            not_summed: u64::from(amount == Some(None)),
        };
        part.spent.entry(key).or_default().add(&spent);
    }
    Ok(part)
}

/// The tokens that a row tells.
fn tokens(counts: &[Counts], row: usize) -> TokenSums {
    let told = |place: usize| {
        let counts = counts.get(place).filter(|counts| counts.is_valid(row))?;
        u64::try_from(counts.value(row)).ok()
    };
    let [input, output, cache_read, cache_write, reasoning] =
        std::array::from_fn(|place| told(place).unwrap_or(0));
    let total = told(5).unwrap_or_else(|| input.saturating_add(output));
    TokenSums { events: 1, input, output, cache_read, cache_write, reasoning, total }
}

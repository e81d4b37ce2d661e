//! What one chunk tells of tokens and money: sums by the numbers of its own texts.

use super::{ACT, INVOCATION, Key, Spent, Sums, TokenSums, USAGE, Who};
use crate::columns::NO_WORD;
use crate::figures::names::Codes;
use crate::figures::period::{AGENT, Agents, Counts, Sheet};
use arrow_array::Array;
use event::{Amount, types};
use segment::SegmentError;

/// What a chunk has.
#[derive(Default)]
pub struct Part {
    /// The texts of the numbers, which begin with 1; one may have several.
    pub(super) texts: Vec<String>,
    pub(super) spent: Vec<(Key, Spent)>,
}

/// Whether it is told who spent what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Apart {
    ByName,
    NotAtAll,
}

const TOKENS: [&str; 6] = [
    "tokens_input",
    "tokens_output",
    "tokens_cache_read",
    "tokens_cache_write",
    "tokens_reasoning",
    "tokens_total",
];

/// What a usage belongs to, and what stands before its name: the first of these that an event has.
const SCOPES: [(&str, &str); 3] =
    [("trace_id", "trace "), ("session_id", "session "), ("task_id", "task ")];

/// Which model it was: the first of these that an event has.
const MODELS: [&str; 3] = ["model_responded", "model_requested", "model"];

/// Who spends, beside agent and model.
const OTHERS: [&str; 3] = ["task_id", "principal_subject", "on_behalf_of"];

/// The columns that show whether a chunk tells anything.
pub(super) fn columns() -> Vec<&'static str> {
    [TOKENS.as_slice(), &["cost_amount"]].concat()
}

pub(super) fn part(sheet: &mut Sheet<'_>, apart: Apart) -> Result<Part, SegmentError> {
    if sheet.is_empty() {
        return Ok(Part::default());
    }
    let (tokens, amounts) = (Tokens::of(sheet)?, sheet.floats("cost_amount")?);
    let tells = |row: &usize| tokens.are_told(*row) || amounts.is_valid(*row);
    let rows: Vec<usize> = sheet.picked.iter().map(|picked| picked.row).filter(tells).collect();
    if rows.is_empty() {
        return Ok(Part::default());
    }
    sheet.also(&["event_type", "cost_currency", "trace_id"])?;
    if apart == Apart::ByName {
        sheet.also(&[&MODELS[..], &OTHERS, &AGENT].concat())?;
    }
    Scopes::load(sheet, &rows)?;
    let mut texts = Vec::new();
    let mut scopes = Scopes::of(sheet)?;
    let mut names = match apart {
        Apart::ByName => Some(Names::of(sheet)?),
        Apart::NotAtAll => None,
    };
    let (mut currencies, unknown) =
        (Numbered::of(sheet, "cost_currency", "")?, add(&mut texts, "?".to_owned()));
    let kinds = sheet.codes("event_type")?;
    let [usage, invocation] = [types::TOKEN_USAGE, types::INVOCATION].map(|name| kinds.find(name));
    let mut spent = Sums::default();
    for row in rows {
        let kind = match Some(kinds.code(row)) {
            code if code == usage => USAGE,
            code if code == invocation => INVOCATION,
            _ => ACT,
        };
        let cost = amounts.is_valid(row).then(|| amounts.value(row));
        let currency = match (cost, currencies.number(row, &mut texts)) {
            (None, _) => 0,
            (Some(_), 0) => unknown,
            (Some(_), currency) => currency,
        };
        let who = names.as_mut().map(|names| names.who(row, &mut texts)).unwrap_or_default();
        let amount = cost.map(|cost| Amount::parse(&cost.to_string()));
        let one = Spent {
            tokens: tokens.of_row(row),
            amount: amount.flatten().unwrap_or_default(),
            not_summed: u64::from(amount == Some(None)),
        };
        let key = (scopes.number(row, &mut texts), kind, who, currency);
        spent.entry(key).or_default().add(&one);
    }
    Ok(Part { texts, spent: spent.into_iter().collect() })
}

/// The number of a further text.
fn add(texts: &mut Vec<String>, text: String) -> u32 {
    texts.push(text);
    u32::try_from(texts.len()).unwrap_or(u32::MAX)
}

/// The texts of a column as numbers; each is written down when the first row has it.
struct Numbered<'s> {
    codes: Codes<'s>,
    before: &'static str,
    /// By code; 0 where no row had it.
    numbers: Vec<u32>,
}

impl<'s> Numbered<'s> {
    fn of(sheet: &'s Sheet<'_>, name: &str, before: &'static str) -> Result<Self, SegmentError> {
        let codes = sheet.codes(name)?;
        let numbers = vec![0; codes.count()];
        Ok(Self { codes, before, numbers })
    }

    /// The number of a row's text; 0 when it has none.
    fn number(&mut self, row: usize, texts: &mut Vec<String>) -> u32 {
        let code = usize::from(self.codes.code(row));
        let Some(number) = self.numbers.get_mut(code) else { return 0 };
        if *number == 0 {
            let name = self.codes.name(code).unwrap_or_default();
            *number = add(texts, [self.before, name].concat());
        }
        *number
    }
}

/// What each row belongs to.
struct Scopes<'s> {
    named: Vec<Numbered<'s>>,
    /// For events that belong to nothing else.
    indexes: Option<Counts>,
}

impl<'s> Scopes<'s> {
    /// Loads what is needed where not all of these rows have a trace.
    fn load(sheet: &mut Sheet<'_>, rows: &[usize]) -> Result<(), SegmentError> {
        let traces = sheet.codes("trace_id")?;
        let are_traced = rows.iter().all(|row| traces.code(*row) != NO_WORD);
        drop(traces);
        if are_traced { Ok(()) } else { sheet.also(&["session_id", "task_id", "index"]) }
    }

    fn of(sheet: &'s Sheet<'_>) -> Result<Self, SegmentError> {
        let loaded = SCOPES.iter().filter(|(name, _)| sheet.has(name));
        let named = loaded.map(|(name, before)| Numbered::of(sheet, name, before));
        let indexes = sheet.has("index").then(|| sheet.counts("index")).transpose()?;
        Ok(Self { named: named.collect::<Result<_, _>>()?, indexes })
    }

    fn number(&mut self, row: usize, texts: &mut Vec<String>) -> u32 {
        for named in &mut self.named {
            match named.number(row, texts) {
                0 => {}
                number => return number,
            }
        }
        let index = self.indexes.as_ref().map_or(0, |indexes| indexes.value(row));
        add(texts, format!("event {index}"))
    }
}

/// Who spends.
struct Names<'s> {
    agents: Agents<'s>,
    /// By the agent's code; 0 where no row had it.
    agent_numbers: Vec<u32>,
    models: [Numbered<'s>; 3],
    others: [Numbered<'s>; 3],
}

impl<'s> Names<'s> {
    fn of(sheet: &'s Sheet<'_>) -> Result<Self, SegmentError> {
        let agents = Agents::of(sheet)?;
        let agent_numbers = vec![0; agents.count()];
        let numbered = |name: &str| Numbered::of(sheet, name, "");
        let [one, two, three] = MODELS.map(numbered);
        let models = [one?, two?, three?];
        let [one, two, three] = OTHERS.map(numbered);
        Ok(Self { agents, agent_numbers, models, others: [one?, two?, three?] })
    }

    fn who(&mut self, row: usize, texts: &mut Vec<String>) -> Who {
        let model = self.models.iter_mut().map(|it| it.number(row, texts)).find(|it| *it != 0);
        let agent = self.agent(row, texts);
        let [task, principal, on_behalf_of] =
            self.others.each_mut().map(|it| it.number(row, texts));
        [task, agent, model.unwrap_or(0), principal, on_behalf_of]
    }

    fn agent(&mut self, row: usize, texts: &mut Vec<String>) -> u32 {
        let code = self.agents.code(row);
        let (Some(number), Some(name)) = (self.agent_numbers.get_mut(code), self.agents.name(code))
        else {
            return 0;
        };
        if *number == 0 {
            *number = add(texts, name.to_owned());
        }
        *number
    }
}

/// The columns of tokens, in the order of [`TOKENS`]; none for one that no row has.
struct Tokens([Option<Counts>; 6]);

impl Tokens {
    fn of(sheet: &Sheet<'_>) -> Result<Self, SegmentError> {
        let mut columns = [const { None }; 6];
        for (column, name) in columns.iter_mut().zip(TOKENS) {
            *column = Some(sheet.counts(name)?).filter(|it| it.null_count() < it.len());
        }
        Ok(Self(columns))
    }

    fn are_told(&self, row: usize) -> bool {
        self.0.iter().flatten().any(|column| column.is_valid(row))
    }

    /// The tokens that a row tells.
    fn of_row(&self, row: usize) -> TokenSums {
        let [input, output, cache_read, cache_write, reasoning, total] =
            self.0.each_ref().map(|column| {
                let column = column.as_ref().filter(|column| column.is_valid(row))?;
                u64::try_from(column.value(row)).ok()
            });
        let [input, output, cache_read, cache_write, reasoning] =
            [input, output, cache_read, cache_write, reasoning].map(Option::unwrap_or_default);
        let total = total.unwrap_or_else(|| input.saturating_add(output));
        TokenSums { events: 1, input, output, cache_read, cache_write, reasoning, total }
    }
}

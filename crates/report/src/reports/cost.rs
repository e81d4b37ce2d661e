//! What was spent in a period: tokens and money by task, agent, model, principal, and for whom.
//!
//! Money is added exactly, in each currency apart. What events name is *reported*; what the price
//! table says of tokens without a cost is *estimated*, and never mixed with it unseen.

use super::settings::{Price, Prices, fits};
use super::summary::figure;
use super::{Head, NOT_NAMED, Name, Report, ReportError, Settings, Subject, percent, share};
use crate::document::chart::{Chart, Kind, Point};
use crate::document::{Cell, Column, Document, Table, Tone};
use query::Amount;
use query::figures::{Overview, TokenSums, Usage, UsageLine, in_one_pass};
use query::render::{count, counted};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// Names of a table that are told; the others are one line.
const TOLD: usize = 50;

#[derive(Serialize)]
struct Cost {
    #[serde(flatten)]
    head: Head,
    total_cost: Vec<Money>,
    total_tokens: Tokens,
    unpriced_tokens: u64,
    usage_told_again: u64,
    amounts_not_added: u64,
    by_agent: Vec<Line>,
    by_model: Vec<Line>,
    by_task: Vec<Line>,
    by_principal: Vec<Line>,
    by_on_behalf_of: Vec<Line>,
}

/// Money in one currency.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Money {
    currency: String,
    #[serde(serialize_with = "exact")]
    amount: Amount,
    #[serde(serialize_with = "exact")]
    reported: Amount,
    #[serde(serialize_with = "exact")]
    estimated: Amount,
}

/// Digits that a double would not keep stand in a text.
fn exact<S: Serializer>(amount: &Amount, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&amount.trimmed().to_string())
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
struct Tokens {
    events: u64,
    input: u64,
    output: u64,
    cache_read: u64,
    cache_write: u64,
    reasoning: u64,
    total: u64,
}

impl From<TokenSums> for Tokens {
    fn from(it: TokenSums) -> Self {
        let TokenSums { events, input, output, cache_read, cache_write, reasoning, total } = it;
        Self { events, input, output, cache_read, cache_write, reasoning, total }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Line {
    name: Option<String>,
    /// How many names this line stands for: the last one may stand for all that are not told.
    names: u64,
    tokens: Tokens,
    token_share: f64,
    cost: Vec<Money>,
}

/// Currencies that people are shown: their names are the producers' to invent.
const CURRENCIES: usize = 4;

/// What is added up for a name.
#[derive(Clone, Debug, Default)]
struct Sum {
    tokens: TokenSums,
    reported: BTreeMap<String, Amount>,
    estimated: BTreeMap<String, Amount>,
    unpriced: u64,
    not_added: u64,
}

impl Sum {
    fn add(&mut self, line: &UsageLine, prices: &Prices) {
        self.tokens.add(&line.tokens);
        for (currency, amount) in &line.costs {
            self.not_added += u64::from(!add(&mut self.reported, currency, *amount));
        }
        if line.without_cost.events == 0 {
            return;
        }
        let model = line.model.as_deref().unwrap_or_default();
        let price = prices.models.iter().find(|price| fits(&price.model, model));
        match price.and_then(|price| priced(price, &line.without_cost)) {
            Some(amount) => {
                self.not_added += u64::from(!add(&mut self.estimated, &prices.currency, amount));
            }
            None => self.unpriced = self.unpriced.saturating_add(line.without_cost.total),
        }
    }

    fn money(&self) -> Vec<Money> {
        let mut currencies: Vec<&String> =
            self.reported.keys().chain(self.estimated.keys()).collect();
        currencies.sort_unstable();
        currencies.dedup();
        let of = |sums: &BTreeMap<String, Amount>, name: &str| {
            sums.get(name).copied().unwrap_or_default()
        };
        let money = |currency: &String| {
            let (reported, estimated) =
                (of(&self.reported, currency), of(&self.estimated, currency));
            let amount = reported.checked_add(estimated).unwrap_or(reported);
            Money { currency: currency.clone(), amount, reported, estimated }
        };
        currencies.into_iter().map(money).collect()
    }
}

/// False when the sum does not fit, and stays as it is.
fn add(sums: &mut BTreeMap<String, Amount>, currency: &str, amount: Amount) -> bool {
    let sum = sums.entry(currency.to_owned()).or_default();
    match sum.checked_add(amount) {
        Some(more) => {
            *sum = more;
            true
        }
        None => false,
    }
}

/// What tokens cost; `None` where only their total is known, or the price is too large.
fn priced(price: &Price, tokens: &TokenSums) -> Option<Amount> {
    if tokens.input == 0 && tokens.output == 0 && tokens.total > 0 {
        return None;
    }
    // Tokens from a cache, or into one, are among those read.
    let cached = tokens.cache_read.saturating_add(tokens.cache_write);
    let parts = [
        (price.input, tokens.input.saturating_sub(cached)),
        (price.cache_read.unwrap_or(price.input), tokens.cache_read),
        (price.cache_write.unwrap_or(price.input), tokens.cache_write),
        (price.output, tokens.output),
    ];
    let mut sum = Amount::default();
    for (price, tokens) in parts {
        sum = sum.checked_add(price.for_tokens(tokens)?)?;
    }
    Some(sum.trimmed())
}

pub(super) fn make(subject: &Subject<'_>, settings: &Settings) -> Result<Report, ReportError> {
    let (seen, spent): (Overview, Usage) = in_one_pass(subject.columns, &subject.period)?;
    let head = Head::of(Name::Cost, subject, &seen);
    let mut document = head.document("Cost and tokens", subject, &seen);
    let all = total(&spent, &settings.prices);
    write_head(&mut document, &all, &spent);
    let by = |of: fn(&UsageLine) -> Option<&str>| lines(&spent, &settings.prices, of, &all);
    let cost = Cost {
        head,
        total_cost: all.money(),
        total_tokens: all.tokens.into(),
        unpriced_tokens: all.unpriced,
        usage_told_again: spent.repeated,
        amounts_not_added: spent.not_summed + all.not_added,
        by_agent: by(|it| it.agent.as_deref()),
        by_model: by(|it| it.model.as_deref()),
        by_task: by(|it| it.task.as_deref()),
        by_principal: by(|it| it.principal.as_deref()),
        by_on_behalf_of: by(|it| it.on_behalf_of.as_deref()),
    };
    for (heading, name, title, lines) in [
        ("By agent", "by_agent", "Agent", &cost.by_agent),
        ("By model", "by_model", "Model", &cost.by_model),
        ("By task", "by_task", "Task", &cost.by_task),
        ("By principal", "by_principal", "Principal", &cost.by_principal),
        ("By whom it was done for", "by_on_behalf_of", "On behalf of", &cost.by_on_behalf_of),
    ] {
        document.heading(heading);
        document.chart(chart(name, lines));
        document.table(table(name, title, lines));
    }
    write_foot(&mut document, &cost);
    Ok(Report::of(&cost, document))
}

/// All of it, for this report and for the day's.
fn total(spent: &Usage, prices: &Prices) -> Sum {
    let mut all = Sum::default();
    spent.lines.iter().for_each(|line| all.add(line, prices));
    all
}

/// What a day spent, for its page: money in words, and tokens.
pub(super) fn in_short(spent: &Usage, prices: &Prices) -> (String, TokenSums) {
    let all = total(spent, prices);
    (words(&all.money()), all.tokens)
}

fn write_head(document: &mut Document, all: &Sum, spent: &Usage) {
    let money = all.money();
    let mut figures: Vec<_> = money
        .iter()
        .take(CURRENCIES)
        .map(|it| {
            let note = match it.estimated == Amount::default() {
                true => "as reported".to_owned(),
                false => format!("{} of it estimated", it.estimated.trimmed()),
            };
            let value = format!("{} {}", it.amount.trimmed(), it.currency);
            figure("Cost", value, &note, Tone::Plain)
        })
        .collect();
    if figures.is_empty() {
        figures.push(figure("Cost", "not told".to_owned(), "no event names one", Tone::Plain));
    }
    if money.len() > CURRENCIES {
        let more = count((money.len() - CURRENCIES) as u64);
        figures.push(figure("Cost", format!("{more} more"), "in other currencies", Tone::Plain));
    }
    let tokens = &all.tokens;
    figures.extend([
        figure("Tokens", count(tokens.total), "", Tone::Plain),
        figure("Read", count(tokens.input), &from_cache(tokens), Tone::Plain),
        figure("Written", count(tokens.output), "", Tone::Plain),
        figure("Told more than once", count(spent.repeated), "events, counted once", Tone::Plain),
    ]);
    document.figures(figures);
}

fn from_cache(tokens: &TokenSums) -> String {
    match tokens.cache_read {
        0 => String::new(),
        read => format!("{} from a cache", percent(read, tokens.input.max(read))),
    }
}

fn lines(
    spent: &Usage,
    prices: &Prices,
    of: fn(&UsageLine) -> Option<&str>,
    all: &Sum,
) -> Vec<Line> {
    let mut sums: BTreeMap<Option<&str>, Sum> = BTreeMap::new();
    for line in &spent.lines {
        sums.entry(of(line)).or_default().add(line, prices);
    }
    let mut ranked: Vec<(Option<&str>, u64, Sum)> =
        sums.into_iter().map(|(name, sum)| (name, 1, sum)).collect();
    // Money of two currencies has no order.
    let is_money = all.money().len() == 1;
    let worth = |sum: &Sum| match is_money {
        true => sum.money().iter().map(|it| it.amount.to_f64()).sum(),
        false => 0.0,
    };
    ranked.sort_by(|one, other| {
        let money = worth(&other.2).total_cmp(&worth(&one.2));
        money.then(other.2.tokens.total.cmp(&one.2.tokens.total)).then(one.0.cmp(&other.0))
    });
    if ranked.len() > TOLD {
        let rest = ranked.split_off(TOLD);
        let mut sum = Sum::default();
        for (_, _, more) in &rest {
            sum.tokens.add(&more.tokens);
            for (to, from) in
                [(&mut sum.reported, &more.reported), (&mut sum.estimated, &more.estimated)]
            {
                for (currency, amount) in from {
                    sum.not_added += u64::from(!add(to, currency, *amount));
                }
            }
        }
        ranked.push((None, rest.len() as u64, sum));
    }
    let line = |(name, names, sum): (Option<&str>, u64, Sum)| Line {
        name: name.map(str::to_owned),
        names,
        tokens: sum.tokens.into(),
        token_share: share(sum.tokens.total, all.tokens.total),
        cost: sum.money(),
    };
    ranked.into_iter().map(line).collect()
}

fn words(money: &[Money]) -> String {
    let one = |it: &Money| format!("{} {}", it.amount.trimmed(), it.currency);
    let mut all: Vec<String> = money.iter().take(CURRENCIES).map(one).collect();
    if money.len() > CURRENCIES {
        all.push(format!("and in {} more currencies", money.len() - CURRENCIES));
    }
    all.join(", ")
}

fn shown_name(line: &Line) -> String {
    match (&line.name, line.names) {
        (Some(name), _) => name.clone(),
        (None, 1) => NOT_NAMED.to_owned(),
        (None, names) => format!("({} others)", count(names)),
    }
}

/// Money where there is one currency, else tokens.
fn chart(name: &str, lines: &[Line]) -> Chart {
    let mut currencies: Vec<&str> =
        lines.iter().flat_map(|it| &it.cost).map(|it| it.currency.as_str()).collect();
    currencies.sort_unstable();
    currencies.dedup();
    let is_money = currencies.len() == 1;
    let point = |it: &Line| Point {
        label: shown_name(it),
        value: match is_money {
            true => it.cost.iter().map(|it| it.amount.to_f64()).sum(),
            false => it.tokens.total as f64,
        },
        bad: 0.0,
        shown: match is_money {
            true if it.cost.is_empty() => "–".to_owned(),
            true => words(&it.cost),
            false => count(it.tokens.total),
        },
    };
    let is_split = lines.len() > 1;
    Chart {
        title: format!("{} {}", if is_money { "Cost" } else { "Tokens" }, name.replace('_', " ")),
        kind: Kind::Bars,
        points: if is_split { lines.iter().map(point).collect() } else { Vec::new() },
        unit: if is_money { "money" } else { "tokens" },
        bad: None,
    }
}

fn table(name: &'static str, title: &'static str, lines: &[Line]) -> Table {
    let row = |it: &Line| {
        let cost = match it.cost.as_slice() {
            [] => Cell::text("–"),
            [one] => {
                let number = one.amount.trimmed().to_string();
                Cell::number(words(std::slice::from_ref(one)), number)
            }
            several => Cell::text(words(several)),
        };
        vec![
            match &it.name {
                Some(name) => Cell::code(name.as_str()),
                None => Cell::text(shown_name(it)),
            },
            Cell::count(it.tokens.input),
            Cell::count(it.tokens.output),
            Cell::count(it.tokens.total),
            Cell::number(format!("{:.1}%", it.token_share * 100.0), it.token_share.to_string()),
            cost,
        ]
    };
    Table {
        name,
        columns: vec![
            Column::text("name", title),
            Column::number("tokens_input", "Read"),
            Column::number("tokens_output", "Written"),
            Column::number("tokens_total", "Tokens"),
            Column::number("token_share", "Share"),
            Column::number("cost", "Cost"),
        ],
        rows: lines.iter().map(row).collect(),
        otherwise: "No event names tokens or a cost.",
    }
}

fn write_foot(document: &mut Document, cost: &Cost) {
    document.heading("How to read this");
    document.paragraph(
        "One usage is often told several times: by the act, by a usage event beside it, and by the \
         invocation above. Within each trace the kind that tells most counts, and no other.",
    );
    if cost.unpriced_tokens > 0 {
        document.callout(
            Tone::Warning,
            format!(
                "{} have neither a cost nor a price in the settings, and are in no amount.",
                counted(cost.unpriced_tokens, "token")
            ),
        );
    }
    if cost.amounts_not_added > 0 {
        document.callout(
            Tone::Warning,
            format!("{} too long to be added exactly left out.", cost.amounts_not_added),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price() -> Price {
        serde_json::from_str(
            r#"{"model":"gpt-4o*","input":"2.50","output":"10","cache_read":"1.25"}"#,
        )
        .unwrap()
    }

    #[test]
    fn tokens_from_a_cache_are_priced_as_such_and_not_twice() {
        let tokens = TokenSums {
            events: 1,
            input: 1840,
            output: 212,
            cache_read: 1024,
            ..Default::default()
        };
        let tokens = TokenSums { total: 2052, ..tokens };
        // (816 * 2.50 + 1024 * 1.25 + 212 * 10) / 1,000,000
        assert_eq!(priced(&price(), &tokens).unwrap().to_string(), "0.00544");
        let only_total = TokenSums { events: 1, total: 9, ..Default::default() };
        assert_eq!(priced(&price(), &only_total), None);
    }

    #[test]
    fn what_no_price_fits_is_in_no_amount() {
        let prices = Prices { currency: "USD".into(), models: vec![price()] };
        let tokens = TokenSums { events: 1, input: 10, total: 10, ..Default::default() };
        let line = |model: &str| UsageLine {
            model: Some(model.into()),
            tokens,
            without_cost: tokens,
            ..UsageLine::default()
        };
        let mut sum = Sum::default();
        sum.add(&line("gpt-4o-mini"), &prices);
        sum.add(&line("other"), &prices);
        let money = sum.money();
        assert_eq!(words(&money), "0.000025 USD");
        assert_eq!((sum.unpriced, sum.tokens.total), (10, 20));
        assert_eq!(money[0].reported, Amount::default());
    }
}

//! `tacho bench soak`.

use super::{Scratch, conditions};
use crate::arguments::Format;
use crate::bench::ingest::ServerProcess;
use crate::bench::ingest::soak::{Bar, Plan, SoakRow, Told, run};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::{BAD, DIM, DOUBTFUL, GOOD, STRONG, styled};
use clap::Args;
use serde::Serialize;
use std::io::Write as _;
use std::time::Duration;

const AFTER_HELP: &str = "\
What must hold: the 99th percentile of answers is no more than 1.25 times as long in the second half as in
the first; memory that stays (the least of each minute) grows by less than 1 % an hour (least squares, without
the first fifth); nothing is refused at half load; under three times the peak nothing is answered but 200, 429
and 503, and at least 80 % of the peak is taken; five seconds later all is as before. The first two are judged
from 10 minutes on. Exit code 1 says that something did not hold. Nothing else should run on the machine meanwhile.

Examples:
  tacho bench soak
  tacho bench soak --minutes 240 --data /srv/large/here --format json
  tacho bench soak --minutes 0.5 --peak-seconds 5 --overload-seconds 10";

/// The longest run: a week.
const MINUTES_MAX: f64 = 10_080.0;

/// A server of its own for long at half of what it takes, then offered three times as much
///
/// First it is measured what the server takes when as much is sent as it answers. Then half of that
/// is sent for long, then three times as much for a while, then half again, until all is as before.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Soak {
    /// Minutes at half load
    #[arg(long, value_name = "N", default_value_t = 30.0)]
    minutes: f64,
    /// Connections and events in each request
    #[arg(long, value_name = "CONNECTIONSxEVENTS", default_value = "8x1000")]
    case: String,
    /// Seconds in which the peak is measured
    #[arg(long, value_name = "N", default_value_t = 30)]
    peak_seconds: u64,
    /// Seconds in which three times as much is offered
    #[arg(long, value_name = "N", default_value_t = 60)]
    overload_seconds: u64,
    /// Connections meanwhile
    #[arg(long, value_name = "N", default_value_t = 64)]
    overload_connections: usize,
    /// Seconds in which it is watched afterwards
    #[arg(long, value_name = "N", default_value_t = 10)]
    recovery_seconds: u64,
}

/// What programs read.
#[derive(Serialize)]
struct Report<'r> {
    rows: &'r [SoakRow],
    bars: &'r [Bar],
}

impl Soak {
    pub(super) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let format = context.format(&[Format::Text, Format::Json, Format::Ndjson])?;
        let plan = self.plan()?;
        let scratch = Scratch::new(&context.global.data, 0)?;
        let server = ServerProcess::start(&scratch.0, false).map_err(Failure::new)?;
        context.terminal.note(conditions());
        let mut out = context.terminal.people();
        if format == Format::Text {
            writeln!(out, "{}", styled(STRONG, HEADER))?;
            out.flush()?;
        }
        let mut progress = context.terminal.progress("seconds");
        let mut rows = Vec::new();
        let bars = run(&server, &plan, &mut |told| {
            let row = match told {
                Told::Seconds(done, all) => {
                    progress.at(done, all);
                    return Ok(());
                }
                Told::Note(text) => {
                    progress.beside(|| context.terminal.note(styled(DIM, text)));
                    return Ok(());
                }
                Told::Row(row) => row,
            };
            rows.push(row.clone());
            let printed = progress.beside(|| match format {
                Format::Text => writeln!(out, "{}", line(row)).and_then(|()| out.flush()),
                Format::Ndjson => writeln!(out, "{}", json(row)).and_then(|()| out.flush()),
                _ => Ok(()),
            });
            printed.map_err(|error| error.to_string())
        })
        .map_err(Failure::new)?;
        progress.finish();
        match format {
            Format::Text => {
                writeln!(out, "\n{}", styled(STRONG, BARS_HEADER))?;
                bars.iter().try_for_each(|bar| writeln!(out, "{}", verdict(bar)))?;
            }
            Format::Ndjson => bars.iter().try_for_each(|bar| writeln!(out, "{}", json(bar)))?,
            _ => writeln!(out, "{}", json(&Report { rows: &rows, bars: &bars }))?,
        }
        let is_missed = bars.iter().any(|bar| bar.is_met == Some(false));
        Ok(if is_missed { Exit::Failed } else { Exit::Fine })
    }

    fn plan(&self) -> Result<Plan, Failure> {
        if !(self.minutes > 0.0 && self.minutes <= MINUTES_MAX) {
            return Err(Failure::usage(format!("minutes are more than 0, at most {MINUTES_MAX}")));
        }
        let seconds = [self.peak_seconds, self.overload_seconds, self.recovery_seconds];
        if seconds.contains(&0) || self.overload_connections == 0 {
            return Err(Failure::usage("seconds and connections are numbers from 1 up"));
        }
        Ok(Plan {
            case: super::ingest::parse(&self.case)?,
            crowd: self.overload_connections,
            peak: Duration::from_secs(self.peak_seconds),
            half: Duration::from_secs_f64(self.minutes * 60.0),
            overload: Duration::from_secs(self.overload_seconds),
            recovery: Duration::from_secs(self.recovery_seconds),
        })
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

const HEADER: &str =
    "phase        until   offered/s      sent/s     taken/s    ack p50       p99    RSS  answers";

fn line(row: &SoakRow) -> String {
    let ms = |value: Option<f64>| {
        value.map_or_else(|| "-".to_owned(), |value| format!("{:.1} ms", value / 1e3))
    };
    let offered = row.offered_per_second.map_or_else(|| "-".to_owned(), |it| format!("{it:.0}"));
    let answers: Vec<String> =
        row.answers.iter().map(|(answer, count)| format!("{answer}: {count}")).collect();
    format!(
        "{:<9} {:>6.0} s {:>11} {:>11.0} {:>11.0} {:>10} {:>9} {:>4.0} M  {}",
        row.phase,
        row.until_s,
        offered,
        row.sent_per_second,
        row.events_per_second,
        ms(row.ack_p50_us),
        ms(row.ack_p99_us),
        row.rss_mib,
        answers.join(", "),
    )
}

const BARS_HEADER: &str =
    "what must hold                             value   bar                  verdict";

fn verdict(bar: &Bar) -> String {
    let value = bar.value.map_or_else(|| "never".to_owned(), number);
    let limit = format!("{} {}", number(bar.limit), bar.unit);
    let verdict = match bar.is_met {
        Some(true) => styled(GOOD, "met"),
        Some(false) => styled(BAD, "MISSED"),
        None => styled(DOUBTFUL, "too short to judge"),
    };
    let detail = styled(DIM, &bar.detail);
    format!("{:<36} {value:>11}   {:<20} {verdict}   {detail}", bar.bar, limit.trim())
}

/// Whole numbers as they are, others with two places.
fn number(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_says_what_was_missed_and_what_could_not_be_judged() {
        let bar = |value, is_met| Bar {
            bar: "memory",
            value,
            limit: 1.0,
            unit: "%/h",
            is_met,
            detail: "around".to_owned(),
        };
        let told = verdict(&bar(Some(2.5), Some(false)));
        assert!(told.contains("2.50") && told.contains("1 %/h") && told.contains("MISSED"));
        assert!(verdict(&bar(Some(0.0), Some(true))).contains("met"));
        let short = verdict(&bar(None, None));
        assert!(short.contains("never") && short.contains("too short to judge"));
    }

    #[test]
    fn a_plan_that_never_ends_or_never_begins_is_refused() {
        let soak = |minutes| Soak {
            minutes,
            case: "8x1000".to_owned(),
            peak_seconds: 1,
            overload_seconds: 1,
            overload_connections: 1,
            recovery_seconds: 1,
        };
        for minutes in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e9] {
            assert!(soak(minutes).plan().is_err(), "{minutes}");
        }
        assert_eq!(soak(0.1).plan().unwrap().half, Duration::from_secs(6));
        assert!(Soak { overload_connections: 0, ..soak(1.0) }.plan().is_err());
        assert!(Soak { case: "8".to_owned(), ..soak(1.0) }.plan().is_err());
    }
}

//! `tacho doctor`: is everything here as a log needs it? Changes nothing.

mod disk;
mod log;
mod server;

use crate::arguments::Format;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::remote::Remote;
use crate::terminal::{BAD, DIM, DOUBTFUL, GOOD, styled};
use clap::Args;
use serde::Serialize;
use std::io::Write as _;

const AFTER_HELP: &str = "\
Examples:
  tacho doctor
  tacho doctor --data /var/lib/tachograph --log payments --format json
  tacho doctor --url https://log.example.org      can it be reached, and what may the token do?

Exit code 1 when something fails; what to do stands beside it.";

/// Check this computer, the data folder and the log; or a server
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Ok,
    Warn,
    Fail,
}

/// One check.
#[derive(Clone, Debug, Serialize)]
struct Check {
    name: &'static str,
    status: Status,
    detail: String,
    /// What to do; nothing when all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

impl Check {
    fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, status: Status::Ok, detail: detail.into(), advice: None }
    }

    fn warn(name: &'static str, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        let advice = Some(advice.into());
        Self { name, status: Status::Warn, detail: detail.into(), advice }
    }

    /// A sentence that says what to do by itself.
    fn fail(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, status: Status::Fail, detail: detail.into(), advice: None }
    }
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let format = context.format(&[Format::Text, Format::Json, Format::Ndjson])?;
        let mut checks = vec![version()];
        match Remote::named(context)? {
            Some(remote) => checks.extend(server::checks(&remote)),
            None => {
                checks.extend(disk::checks(context.data_folder().path()));
                checks.extend(log::checks(context));
            }
        }
        Failure::unless_nobody_reads(print(context, &checks, format))?;
        let failed = checks.iter().any(|check| check.status == Status::Fail);
        Ok(if failed { Exit::Failed } else { Exit::Fine })
    }
}

fn version() -> Check {
    let detail = format!(
        "tacho {}, log format {}, {} {}",
        env!("CARGO_PKG_VERSION"),
        seal::FORMAT_VERSION,
        std::env::consts::OS,
        std::env::consts::ARCH
    );
    Check::ok("version", detail)
}

fn print(context: &Context, checks: &[Check], format: Format) -> Result<(), Failure> {
    let mut out = context.terminal.programs();
    match format {
        Format::Json => writeln!(out, "{}", serde_json::json!({ "checks": checks }))?,
        Format::Ndjson => {
            for check in checks {
                out.write_all(&query::escape::to_json(check))?;
                out.write_all(b"\n")?;
            }
        }
        _ => return print_text(context, checks),
    }
    Ok(out.flush()?)
}

fn print_text(context: &Context, checks: &[Check]) -> Result<(), Failure> {
    let mut out = context.terminal.people();
    for Check { name, status, detail, advice } in checks {
        let mark = match status {
            Status::Ok => styled(GOOD, "ok  "),
            Status::Warn => styled(DOUBTFUL, "warn"),
            Status::Fail => styled(BAD, "fail"),
        };
        writeln!(out, "{mark} {} {detail}", styled(DIM, format_args!("{name:<12}")))?;
        if let Some(advice) = advice {
            writeln!(out, "     {:<12} {advice}", "")?;
        }
    }
    Ok(out.flush()?)
}

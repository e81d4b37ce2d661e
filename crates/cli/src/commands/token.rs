//! `tacho token`: API tokens of the server.

use crate::arguments::Format;
use crate::commands::events::time_to_come;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::serving::{self, configuration::Configuration};
use crate::terminal::{DIM, styled};
use clap::{Args, Subcommand};
use event::Timestamp;
use keys::SystemEntropy;
use serde_json::{Value, json};
use serve::access::tokens::{NewToken, TokenError, TokenId, TokenRecord};
use serve::access::{Logs, Role};
use std::io::Write as _;
use std::path::PathBuf;

const AFTER_HELP: &str = "\
Roles: producer (appends), reader (metadata and proofs), analyst (content too), auditor (reads everything),
operator (runs it, sees no events), admin.

Examples:
  tacho token create checkout-agents --role producer --logs main
  tacho token create audit-2026 --role auditor --expires 90d
  tacho token list
  tacho token revoke 5f1c2a9be07d4418";

/// Make, list and revoke API tokens of the server
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    act: Act,
    /// Configuration file, as for `tacho serve`
    #[arg(long, global = true, value_name = "FILE", env = "TACHO_CONFIG")]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Make a token; it is shown this once
    Create(Create),
    /// List the tokens, without their secrets
    List,
    /// Revoke a token, for good
    Revoke {
        /// Its id
        #[arg(value_name = "ID")]
        id: String,
    },
}

#[derive(Debug, Args)]
struct Create {
    /// What people call it
    #[arg(value_name = "NAME")]
    name: String,
    /// What its holder may do; may be given several times
    #[arg(long, value_name = "ROLE", required = true, value_parser = role)]
    role: Vec<Role>,
    /// In which logs, separated by commas; all without this
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    logs: Vec<String>,
    /// When it ends: RFC 3339, a date, or in how long: 12h, 90d
    #[arg(long, value_name = "TIME", value_parser = time_to_come)]
    expires: Option<Timestamp>,
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let format = context.format(&[Format::Text, Format::Json])?;
        let configuration = Configuration::read(self.config.as_deref())?;
        let store = serving::open_tokens(&configuration)?;
        let mut out = context.terminal.programs();
        match &self.act {
            Act::Create(create) => {
                let expires_ms = create.expires.map(Timestamp::milliseconds);
                let wish = NewToken {
                    name: create.name.clone(),
                    roles: create.role.clone(),
                    logs: if create.logs.is_empty() { Logs::All } else { Logs::only(&create.logs) },
                    expires_ms: expires_ms.map(|it| i64::try_from(it).unwrap_or(i64::MAX)),
                };
                let made = store.create(wish, serving::now_ms(), &SystemEntropy::new());
                let (record, text) = made.map_err(|error| failure(&error))?;
                match format {
                    Format::Json => {
                        let mut document = describe(&record);
                        if let Some(members) = document.as_object_mut() {
                            members.insert("token".to_owned(), text.expose().into());
                        }
                        writeln!(out, "{document}")?;
                    }
                    _ => writeln!(out, "{}", text.expose())?,
                }
                out.flush()?;
                context.terminal.note(format!(
                    "The token {} is shown this once, and kept nowhere: put it where its holder reads it.",
                    record.id
                ));
            }
            Act::List => {
                let records = store.list().map_err(|error| failure(&error))?;
                list(context, &records, format)?;
            }
            Act::Revoke { id } => {
                let wrong =
                    || Failure::usage("a token's id has 16 hexadecimal digits; `tacho token list`");
                let id = TokenId::parse(id).ok_or_else(wrong)?;
                let record =
                    store.revoke(id, serving::now_ms()).map_err(|error| failure(&error))?;
                if format == Format::Json {
                    writeln!(out, "{}", describe(&record))?;
                    out.flush()?;
                }
                context.terminal.note(format!(
                    "The token {} is revoked; a running server knows within a second.",
                    record.subject()
                ));
            }
        }
        Ok(Exit::Fine)
    }
}

fn list(context: &Context, records: &[TokenRecord], format: Format) -> Result<(), Failure> {
    if format == Format::Json {
        let mut out = context.terminal.programs();
        let tokens: Vec<Value> = records.iter().map(describe).collect();
        writeln!(out, "{}", json!({ "tokens": tokens }))?;
        return Ok(out.flush()?);
    }
    let mut out = context.terminal.people();
    if records.is_empty() {
        writeln!(out, "There are no tokens yet; `tacho token create NAME --role ROLE` makes one.")?;
    }
    for record in records {
        let roles: Vec<&str> = record.roles.iter().map(Role::as_str).collect();
        let logs = match &record.logs {
            Logs::All => "all logs".to_owned(),
            Logs::Only(names) => names.iter().cloned().collect::<Vec<_>>().join(", "),
        };
        let state = match (record.revoked_ms, record.expires_ms) {
            (Some(at), _) => format!("revoked {}", time(at)),
            (None, Some(at)) if at <= serving::now_ms() => format!("expired {}", time(at)),
            (None, Some(at)) => format!("until {}", time(at)),
            (None, None) => "valid".to_owned(),
        };
        writeln!(
            out,
            "{}  {:<24} {:<20} {:<20} {}",
            styled(DIM, record.id),
            record.name,
            roles.join(", "),
            logs,
            state
        )?;
    }
    Ok(out.flush()?)
}

fn describe(record: &TokenRecord) -> Value {
    json!({
        "id": record.id.to_string(), "name": record.name, "roles": record.roles, "logs": record.logs,
        "created": time(record.created_ms), "expires": record.expires_ms.map(time),
        "revoked": record.revoked_ms.map(time),
    })
}

fn time(at_ms: i64) -> String {
    Timestamp::from_milliseconds(u64::try_from(at_ms).unwrap_or(0)).to_string()
}

fn role(text: &str) -> Result<Role, String> {
    Role::new(text).map_err(|error| error.to_string())
}

fn failure(error: &TokenError) -> Failure {
    Failure::new(error.to_string())
}

//! The server: events in from every agent, questions, the live feed, the public log; and who may do
//! what.
//!
//! | question | file |
//! |---|---|
//! | which addresses are there, and what do they need? | `routes.rs` |
//! | what does each of them say of itself? | `about/`, `openapi.rs`, `page.rs` |
//! | who is calling, and may they? | `gate.rs`, `handshake.rs`, `access/` |
//! | how do bytes become a batch? | `intake.rs` |
//! | what is a request told about its events? | `append.rs`, `answer.rs` |
//! | how do OpenTelemetry's exporters get in? | `otlp.rs` |
//! | how are questions answered? | `answers.rs`, `ask.rs`, `question.rs` |
//! | what is answered by a whole document? | `reports.rs`, `compliance.rs`, `forensics.rs`, `bundles.rs`, `gather.rs`, `paper.rs` |
//! | what is new? | `live.rs` |
//! | how is SQL asked? | `sql.rs` |
//! | what is held, erased, let go? | `life_cycle.rs`, `life_cycle_api.rs`, `schedule.rs` |
//! | what looks like an attack, and who is told? | `alerts.rs`, `alerts/`, `relay.rs` |
//! | how does a model ask? | `mcp.rs` |
//! | what does it tell of its own requests? | `metrics.rs`, `telemetry.rs`, `telemetry/` |
//! | what do witnesses see, and who is one? | `witness.rs`, `witness/` |
//! | who stamps the logs, and when? | `anchor.rs`, `anchor/` |
//! | what is open, and what if a disk fails? | `logs.rs`, `open_log.rs` |
//! | what is too much? | `limits.rs`, `rates.rs`, `body.rs`, `region.rs`, `inflow.rs`, `leftover.rs`, `outstanding.rs`, `server.rs`, `wire.rs` |
//!
//! Not here: reading configuration, environment and key files (`cli`).

mod about;
pub mod access;
mod agent_keys;
pub mod alerts;
pub mod anchor;
mod answer;
mod answers;
mod app;
mod append;
mod ask;
mod ballast;
pub mod body;
mod bundles;
mod compliance;
mod console;
mod dashboard;
mod forensics;
pub mod gate;
mod gather;
pub mod handshake;
mod inflow;
pub mod intake;
mod leftover;
mod life_cycle;
mod life_cycle_api;
mod limits;
mod live;
mod logs;
mod logs_api;
pub mod mcp;
mod metrics;
mod open_log;
pub mod openapi;
mod otlp;
mod outstanding;
mod page;
mod paper;
mod parameters;
mod problem;
mod public;
mod question;
mod rates;
mod region;
mod relay;
mod reports;
pub mod routes;
mod schedule;
mod server;
mod sessions;
mod sql;
pub mod telemetry;
mod wire;
pub mod witness;

pub use answer::{Accepted, Answer, Line, Refusal, outcome};
pub use app::App;
pub use limits::Limits;
pub use logs::{KekOf, Logs, NewKek, OpenError};
pub use open_log::{OpenLog, Settings};
pub use problem::Problem;
pub use rates::{Rate, Rates};
pub use relay::Acknowledged;
pub use server::{Tls, serve};

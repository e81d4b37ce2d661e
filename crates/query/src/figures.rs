//! Fixed figures over all records: how tools were used, which errors there were, who was busy when.
//!
//! Each is one pass over a few columns that stay in memory as small numbers (`columns`), on all
//! cores, with the parts put together in the order of the records, so that the same log gives the
//! same bytes. What each means is also told in SQL, which a test compares it with:
//!
//! | figure | in SQL |
//! |---|---|
//! | [`tool_usage`] | [`TOOL_USAGE_SQL`] |
//! | [`error_analysis`] | [`ERROR_ANALYSIS_SQL`] |
//! | [`activity_by_hour`] | [`ACTIVITY_BY_HOUR_SQL`] |
//!
//! Reports look at a [`Period`] and at what agents did, not at the log's own records:
//! [`overview`], [`timeline`], [`tool_calls`], [`failures`], [`usage`] and [`inventory`]; whoever
//! needs several has them [`in_one_pass`]. They tell errors as [`Status`](crate::Status) does,
//! which also looks into content, and so have no SQL; another program compares them with the
//! exported events (`testdata/reports`).

mod calls;
mod errors;
mod failures;
mod hours;
mod inventory;
mod latest;
mod names;
mod overview;
mod pass;
mod period;
mod quantile;
mod timeline;
mod tools;
mod usage;

pub use calls::{CallLine, Calls, tool_calls};
pub use errors::{ERROR_ANALYSIS_SQL, ErrorLine, error_analysis};
pub use failures::{FailureLine, Failures, MessageLine, failures};
pub use hours::{ACTIVITY_BY_HOUR_SQL, HourLine, activity_by_hour};
pub use inventory::{AgentSeen, Inventory, Seen, inventory};
pub use latest::last_event;
pub use overview::{AgentCount, HourCount, Overview, overview};
pub use pass::{Figure, in_one_pass};
pub use period::Period;
pub use timeline::{TimelineStep, timeline};
pub use tools::{TOOL_USAGE_SQL, ToolLine, tool_usage};
pub use usage::{Spending, TokenSums, Usage, UsageLine, usage};

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

mod errors;
mod hours;
mod names;
mod quantile;
mod tools;

pub use errors::{ERROR_ANALYSIS_SQL, ErrorLine, error_analysis};
pub use hours::{ACTIVITY_BY_HOUR_SQL, HourLine, activity_by_hour};
pub use tools::{TOOL_USAGE_SQL, ToolLine, tool_usage};

//! The functions of SQL here: a list, not whatever the engine has.
//!
//! Left out is what has another answer each time (`now`, `random`, `uuid`), what can make much out
//! of little (`repeat`, `lpad`, `to_char`), what takes more than a look at each byte
//! (`levenshtein`), and what is of no use here. What can grow and is needed is our own (`text.rs`),
//! and so is JSON (`json.rs`).

use super::{json, text};
use datafusion::execution::SessionStateDefaults;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};
use std::sync::Arc;

/// Functions of the engine: of one row.
const SCALAR: &[&str] = &[
    "abs",
    "ascii",
    "bit_length",
    "btrim",
    "ceil",
    "character_length",
    "coalesce",
    "contains",
    "date_bin",
    "date_part",
    "date_trunc",
    "ends_with",
    "exp",
    "floor",
    "from_unixtime",
    "greatest",
    "initcap",
    "isnan",
    "least",
    "left",
    "ln",
    "log",
    "log10",
    "log2",
    "lower",
    "ltrim",
    "make_date",
    "nullif",
    "nvl",
    "nvl2",
    "octet_length",
    "power",
    "regexp_count",
    "regexp_like",
    "reverse",
    "right",
    "round",
    "rtrim",
    "signum",
    "split_part",
    "sqrt",
    "starts_with",
    "strpos",
    "substr",
    "substr_index",
    "to_date",
    "to_timestamp",
    "to_timestamp_micros",
    "to_timestamp_millis",
    "to_timestamp_nanos",
    "to_timestamp_seconds",
    "to_unixtime",
    "trunc",
    "upper",
];

/// Other names for some of them.
const ALIASES: &[&str] = &[
    "char_length",
    "datetrunc",
    "datepart",
    "length",
    "position",
    "pow",
    "substring",
    "trim",
    "ifnull",
];

/// Our own.
const OWN: &[&str] = &[
    "concat",
    "replace",
    "json_contains",
    "json_get",
    "json_get_bool",
    "json_get_float",
    "json_get_int",
    "json_get_str",
    "json_length",
];

/// Functions of many rows.
const AGGREGATE: &[&str] = &[
    "any_value",
    "approx_distinct",
    "approx_median",
    "approx_percentile_cont",
    "array_agg",
    "avg",
    "bool_and",
    "bool_or",
    "corr",
    "count",
    "first_value",
    "last_value",
    "max",
    "median",
    "min",
    "percentile_cont",
    "stddev",
    "stddev_pop",
    "string_agg",
    "sum",
    "var",
    "var_pop",
];

/// Other names for some of them.
const AGGREGATE_ALIASES: &[&str] = &["mean", "quantile_cont", "stddev_samp", "var_samp"];

/// Functions of the rows around one.
const WINDOW: &[&str] = &[
    "cume_dist",
    "dense_rank",
    "lag",
    "lead",
    "nth_value",
    "ntile",
    "percent_rank",
    "rank",
    "row_number",
];

/// True for a function that may be called.
pub(super) fn is_known(name: &str) -> bool {
    let lists = [SCALAR, ALIASES, OWN, AGGREGATE, AGGREGATE_ALIASES, WINDOW];
    lists.iter().any(|list| list.contains(&name))
}

/// True when the second argument is a pattern that is made ready for use.
pub(super) fn takes_pattern(name: &str) -> bool {
    matches!(name, "regexp_like" | "regexp_count")
}

/// True for a function whose outcome may be longer than what it is given.
pub(super) fn grows(name: &str) -> bool {
    matches!(name, "concat" | "replace")
}

/// Gives an engine these functions and no others.
pub(super) fn offer(builder: SessionStateBuilder) -> SessionStateBuilder {
    let is_scalar = |function: &Arc<ScalarUDF>| SCALAR.contains(&function.name());
    let mut scalar = SessionStateDefaults::default_scalar_functions();
    // Behind the syntax `EXTRACT`, `CASE` and `x.y` stand functions too; those that are not on the
    // list are refused.
    scalar.retain(is_scalar);
    scalar.extend(text::functions());
    scalar.extend(json::functions());
    let mut aggregate = SessionStateDefaults::default_aggregate_functions();
    aggregate.retain(|f: &Arc<AggregateUDF>| AGGREGATE.contains(&f.name()));
    let mut window = SessionStateDefaults::default_window_functions();
    window.retain(|f: &Arc<WindowUDF>| {
        WINDOW.contains(&f.name()) || matches!(f.name(), "first_value" | "last_value")
    });
    let mut planners = SessionStateDefaults::default_expr_planners();
    planners.insert(0, Arc::new(text::Operators));
    builder
        .with_scalar_functions(scalar)
        .with_aggregate_functions(aggregate)
        .with_window_functions(window)
        .with_expr_planners(planners)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_on_the_list_is_a_function_of_the_engine() {
        let state = offer(SessionStateBuilder::new()).build();
        for name in SCALAR.iter().chain(ALIASES).chain(OWN) {
            // `position` and `trim` are syntax for others.
            let is_syntax = matches!(*name, "position" | "trim");
            assert!(is_syntax || state.scalar_functions().contains_key(*name), "{name}");
        }
        for name in AGGREGATE.iter().chain(AGGREGATE_ALIASES) {
            assert!(state.aggregate_functions().contains_key(*name), "{name}");
        }
        for name in WINDOW {
            assert!(state.window_functions().contains_key(*name), "{name}");
        }
        for name in ["now", "random", "uuid", "repeat", "lpad", "version", "to_char", "arrow_cast"]
        {
            assert!(!is_known(name) && !state.scalar_functions().contains_key(name), "{name}");
        }
        assert!(state.table_functions().is_empty());
    }
}

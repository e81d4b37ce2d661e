//! The rules that come with it.

use crate::problem::RuleError;
use crate::set::RuleSet;

/// The files, as they are shipped: name and text.
pub const SHIPPED: &[(&str, &str)] = &[
    ("prompt-injection.yml", include_str!("../rules/prompt-injection.yml")),
    ("secret-exfiltration.yml", include_str!("../rules/secret-exfiltration.yml")),
    ("unusual-tool.yml", include_str!("../rules/unusual-tool.yml")),
    ("runaway-loop.yml", include_str!("../rules/runaway-loop.yml")),
    ("cost-spike.yml", include_str!("../rules/cost-spike.yml")),
    ("approval-bypass.yml", include_str!("../rules/approval-bypass.yml")),
    ("error-burst.yml", include_str!("../rules/error-burst.yml")),
    ("denied-then-done.yml", include_str!("../rules/denied-then-done.yml")),
];

/// The shipped rules, and more files beside them: name and text.
///
/// # Errors
/// [`RuleError`] for the first rule of those that cannot be used.
pub fn shipped(more: &[(&str, &str)]) -> Result<RuleSet, RuleError> {
    let all: Vec<(&str, &str)> = SHIPPED.iter().chain(more).copied().collect();
    RuleSet::of(&all)
}

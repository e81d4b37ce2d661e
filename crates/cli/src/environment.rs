//! The one place that reads environment variables which are no option of the command line: secrets,
//! and where the user's folders are.

use std::ffi::OsString;

/// The value of a variable; one that is set to nothing counts as not set.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the door that the environment comes through"
)]
pub(crate) fn text(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The same for paths, which need not be UTF-8.
pub(crate) fn path(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// Every variable whose name begins with `prefix` and that is set to something. What is not UTF-8
/// comes out with a character that no name or path has.
pub(crate) fn beginning_with(prefix: &'static str) -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(move |(name, value)| {
            let name = name.into_string().ok().filter(|name| name.starts_with(prefix))?;
            Some((name, value.to_string_lossy().into_owned()))
        })
        .filter(|(_, value)| !value.is_empty())
}

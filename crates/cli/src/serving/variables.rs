//! What the environment says in place of `tachograph.toml`: `TACHO_SECTION__KEY`, for every key
//! that there is.
//!
//! A variable's name follows from its key's, so all that is written down here is what keys hold:
//! texts in a variable have no quotes. Not here: what keys mean (`configuration.rs`), which checks
//! what comes of both together.

use crate::failure::Failure;
use toml::{Table, Value};

/// What the name of every variable that is a key begins with.
pub(super) const PREFIX: &str = "TACHO_";
/// What stands between a section and what is in it: no other variable of ours has that.
const BETWEEN: &str = "__";

/// What a key holds, and so how its variable is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    Text,
    Truth,
    Number,
    /// Several, separated by commas; or as TOML has them.
    Texts,
    /// Tables in a list, as TOML writes them in a line: `[{ name = "ops", kind = "webhook" }]`.
    Tables,
}

use Holds::{Number, Tables, Text, Texts, Truth};

/// Every key, with the sections that it is in.
const KEYS: &[(&str, Holds)] = &[
    ("server.listen", Text),
    ("server.insecure", Truth),
    ("server.default_log", Text),
    ("server.public_logs", Texts),
    ("server.hosts", Texts),
    ("server.disk_reserve_mib", Number),
    ("limits.requests_per_second", Number),
    ("limits.requests_burst", Number),
    ("limits.events_per_second", Number),
    ("limits.events_burst", Number),
    ("tls.certificate", Text),
    ("tls.key", Text),
    ("tls.client_ca", Text),
    ("tls.client_crl", Text),
    ("retention.profile", Text),
    ("retention.debug-days", Number),
    ("retention.info-days", Number),
    ("retention.compliance-days", Number),
    ("retention.critical-days", Number),
    ("detect.enabled", Truth),
    ("detect.shipped", Truth),
    ("detect.rules", Texts),
    ("detect.without", Texts),
    ("detect.sinks", Tables),
    ("telemetry.traces", Text),
    ("telemetry.authorization_file", Text),
    ("telemetry.service", Text),
    ("telemetry.one_in", Number),
    ("telemetry.allow_private", Truth),
    ("witness.policy", Text),
    ("witness.fail", Text),
    ("witness.grace_s", Number),
    ("witness.timeout_ms", Number),
    ("witness.allow_private", Truth),
    ("witness.logs", Texts),
    ("witness.server.name", Text),
    ("witness.server.folder", Text),
    ("witness.server.listen", Text),
    ("witness.server.logs", Texts),
    ("witness.server.post_quantum", Truth),
    ("anchor.url", Text),
    ("anchor.authorities", Text),
    ("anchor.name", Text),
    ("anchor.interval_s", Number),
    ("anchor.timeout_ms", Number),
    ("anchor.allow_private", Truth),
    ("anchor.logs", Texts),
    ("access.policies", Text),
    ("access.roles", Texts),
    ("access.tokens", Text),
    ("access.secret", Text),
    ("access.issuers", Tables),
    ("access.certificates.common_name", Truth),
    ("access.certificates.rules", Tables),
];

/// The variable of a key.
fn name_of(key: &str) -> String {
    let name = key.replace('.', BETWEEN).replace('-', "_");
    format!("{PREFIX}{}", name.to_ascii_uppercase())
}

/// Puts what variables say in the place of what a file says; returns the keys that they gave.
///
/// # Errors
/// A variable whose key is not known, or whose value its key cannot hold.
pub(super) fn lay_over(
    table: &mut Table,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Vec<&'static str>, Failure> {
    let mut given = Vec::new();
    for (name, text) in variables {
        if !name.strip_prefix(PREFIX).is_some_and(|rest| rest.contains(BETWEEN)) {
            continue;
        }
        let known = KEYS.iter().find(|(key, _)| name_of(key) == name);
        let Some((key, holds)) = known else { return Err(unknown(&name)) };
        let value = holds.read(&text).map_err(|how| Failure::usage(format!("{name}: {how}")))?;
        put(table, key, value);
        given.push(*key);
    }
    Ok(given)
}

/// The variables of these keys, for a sentence: those in the section where `place` of the text
/// stands, and only the one of its line if that is among them; all when none of them is there.
pub(super) fn names_at(given: &[&str], text: &str, place: usize) -> String {
    let before = text.get(..place).unwrap_or_default();
    let line = text.lines().nth(before.matches('\n').count()).unwrap_or_default();
    let is_header = |line: &&str| line.starts_with('[');
    let header = before.lines().chain([line]).rfind(is_header).unwrap_or_default();
    let section = header.trim_matches(['[', ']']);
    let own = format!("{section}.{}", line.split(" = ").next().unwrap_or_default());
    let is_below = |rest: &str| rest.is_empty() || rest.starts_with('.');
    let inside = |key: &&&str| key.strip_prefix(section).is_some_and(is_below);
    let mut near: Vec<&&str> = given.iter().filter(|key| **key == own).collect();
    if near.is_empty() {
        near = given.iter().filter(inside).collect();
    }
    if near.is_empty() {
        near = given.iter().collect();
    }
    near.into_iter().map(|key| name_of(key)).collect::<Vec<_>>().join(", ")
}

fn unknown(name: &str) -> Failure {
    let names = KEYS.iter().map(|(key, _)| name_of(key));
    let nearest = names.min_by_key(|known| strsim::damerau_levenshtein(name, known));
    let nearest = nearest.unwrap_or_default();
    Failure::usage(format!("{name}: no such key of the configuration; did you mean {nearest}?"))
}

/// Puts a value where its key says; a section that is none stays, and is refused later.
fn put(table: &mut Table, key: &str, value: Value) {
    let Some((section, rest)) = key.split_once('.') else {
        table.insert(key.to_owned(), value);
        return;
    };
    let inner = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
    if let Value::Table(inner) = inner {
        put(inner, rest, value);
    }
}

impl Holds {
    /// What a variable's text means; or how it is to be written.
    fn read(self, text: &str) -> Result<Value, &'static str> {
        let as_toml = || {
            let mut alone = toml::from_str::<Table>(&format!("value = {text}")).ok()?;
            alone.remove("value").filter(|value| value.is_array() && alone.is_empty())
        };
        match self {
            Text => Ok(Value::String(text.to_owned())),
            Truth => text.parse().map(Value::Boolean).map_err(|_| "write true or false"),
            Number => text.parse().map(Value::Integer).map_err(|_| "write a number"),
            Texts if text.trim_start().starts_with('[') => {
                as_toml().ok_or("write names separated by commas, or [\"a\", \"b\"]")
            }
            Texts => {
                let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
                Ok(Value::Array(names.map(|name| Value::String(name.to_owned())).collect()))
            }
            Tables => as_toml().ok_or(
                "write tables as TOML has them in a line: [{ name = \"a\" }, { name = \"b\" }]",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laid(file: &str, variables: &[(&str, &str)]) -> Result<Table, String> {
        let mut table: Table = file.parse().unwrap();
        let variables = variables.iter().map(|(name, text)| ((*name).into(), (*text).into()));
        lay_over(&mut table, variables).map_err(|failure| failure.to_string())?;
        Ok(table)
    }

    /// Every leaf of a table: its key, and what a variable says to mean it.
    fn leaves(within: &str, table: &Table, found: &mut Vec<(String, String)>) {
        for (name, value) in table {
            let key = if within.is_empty() { name.clone() } else { format!("{within}.{name}") };
            let plain = |value: &Value| value.as_str().map(str::to_owned);
            match value {
                Value::Table(inner) => leaves(&key, inner, found),
                Value::String(text) => found.push((key, text.clone())),
                Value::Array(list) if !list.is_empty() && list.iter().all(Value::is_str) => {
                    let names: Vec<_> = list.iter().filter_map(plain).collect();
                    found.push((key, names.join(", ")));
                }
                other => found.push((key, other.to_string())),
            }
        }
    }

    #[test]
    fn every_key_of_the_page_can_be_given_by_a_variable_and_means_the_same() {
        let page = include_str!("../../../../docs/configuration.md");
        let (_, rest) = page.split_once("```toml\n").unwrap();
        let table: Table = rest.split_once("```").unwrap().0.parse().unwrap();
        let mut found = Vec::new();
        leaves("", &table, &mut found);
        let mut on_page: Vec<&str> = found.iter().map(|(key, _)| key.as_str()).collect();
        let mut known: Vec<&str> = KEYS.iter().map(|(key, _)| *key).collect();
        on_page.sort_unstable();
        known.sort_unstable();
        assert_eq!(known, on_page);
        let mut alone = Table::new();
        let variables = found.iter().map(|(key, text)| (name_of(key), text.clone()));
        assert_eq!(lay_over(&mut alone, variables).unwrap().len(), KEYS.len());
        assert_eq!(alone, table);
    }

    #[test]
    fn a_variable_replaces_its_key_and_leaves_the_others() {
        let file = "[tls]\ncertificate = \"a\"\nclient_ca = \"c\"\n[witness.server]\nname = \"w\"";
        let variables =
            [("TACHO_TLS__CERTIFICATE", "b"), ("TACHO_TLS__KEY", "k"), ("TACHO_DATA", "no key")];
        let together = laid(file, &variables).unwrap();
        let tls = "certificate = \"b\"\nclient_ca = \"c\"\nkey = \"k\"".parse().unwrap();
        assert_eq!(together["tls"], Value::Table(tls));
        assert_eq!(together["witness"]["server"]["name"].as_str(), Some("w"));
        assert_eq!(together.len(), 2);
    }

    #[test]
    fn what_a_key_cannot_hold_is_refused_with_how_to_write_it() {
        for (name, text, how) in [
            ("TACHO_SERVER__INSECURE", "yes", "write true or false"),
            ("TACHO_SERVER__DISK_RESERVE_MIB", "1 GiB", "write a number"),
            ("TACHO_SERVER__HOSTS", "[\"a\"", "separated by commas"),
            ("TACHO_DETECT__SINKS", "ops", "write tables"),
            ("TACHO_DETECT__SINKS", "[]\nother = 1", "write tables"),
            ("TACHO_SERVER__LISEN", "x", "did you mean TACHO_SERVER__LISTEN?"),
        ] {
            let told = laid("", &[(name, text)]).unwrap_err();
            assert!(told.starts_with(name) && told.contains(how), "{told}");
        }
    }

    #[test]
    fn a_refusal_names_the_variable_that_it_is_about() {
        let text = "[server]\nlisten = \"x\"\nhosts = []\n\n[tls]\nkey = \"k\"\n";
        let given = ["server.listen", "server.hosts", "tls.key"];
        let at = |what: &str| names_at(&given, text, text.find(what).unwrap());
        assert_eq!(at("\"x\""), "TACHO_SERVER__LISTEN");
        assert_eq!(at("[tls]"), "TACHO_TLS__KEY");
        assert_eq!(at("[server]"), "TACHO_SERVER__LISTEN, TACHO_SERVER__HOSTS");
        assert_eq!(names_at(&["detect.rules"], text, 0), "TACHO_DETECT__RULES");
        let text = "[[detect.sinks]]\nnme = \"a\"\n";
        let given = ["server.hosts", "detect.sinks"];
        assert_eq!(names_at(&given, text, 17), "TACHO_DETECT__SINKS");
    }
}

//! CEF, version 0: a head of seven fields between bars, then names and values.
//!
//! In the head `|` and `\` are escaped, behind it `=` and `\`. Line ends never get here: they are
//! made visible before.

use super::{PRODUCT, Seen, VENDOR, VERSION};
use query::escape::escape;
use std::fmt::Write as _;

/// Characters of a message: more than the format's dictionary allows for.
const MESSAGE_MAX: usize = 1_023;

/// The line, without its end.
pub(super) fn line(seen: &Seen<'_>) -> String {
    let mut out = format!(
        "CEF:0|{VENDOR}|{PRODUCT}|{VERSION}|{}|{}|{}|",
        head(&seen.event.event_type),
        head(seen.name()),
        seen.severity().of_ten()
    );
    let mut fields = Fields { out: &mut out, is_first: true };
    standard(seen, &mut fields);
    ours(seen, &mut fields);
    out
}

/// What the format's dictionary has a name for.
fn standard(seen: &Seen<'_>, fields: &mut Fields<'_>) {
    let event = &seen.event;
    fields.add("rt", &seen.found.recorded_at_ms.to_string());
    fields.add("start", &seen.happened_at().milliseconds().to_string());
    fields.say("externalId", event.event_id.as_deref());
    fields.add("deviceExternalId", seen.origin);
    fields.add("cat", seen.found.tier.as_str());
    fields.say("outcome", seen.outcome());
    fields.say("reason", event.error_type.as_deref());
    let message = seen.message.as_ref();
    let message = message.map(|text| text.chars().take(MESSAGE_MAX).collect::<String>());
    fields.say("msg", message.as_deref());
    fields.say("suser", seen.caller());
    fields.say("sproc", seen.agent());
    fields.say("dproc", event.tool_name());
}

/// What it has numbered fields for, each with a label that says what it is.
fn ours(seen: &Seen<'_>, fields: &mut Fields<'_>) {
    let event = &seen.event;
    fields.labelled("cs1", "traceId", event.trace_id.as_deref());
    fields.labelled("cs2", "sessionId", event.session_id.as_deref());
    fields.labelled("cs3", "taskId", event.task_id.as_deref());
    fields.labelled("cs4", "model", seen.model());
    fields.labelled("cs5", "approver", event.approver.as_deref());
    fields.labelled("cs6", "leafHash", seen.leaf_hash().as_deref());
    fields.labelled("flexString1", "onBehalfOf", event.on_behalf_of.as_deref());
    fields.labelled("flexString2", "status", Some(seen.status.as_str()));
    let tokens = event.tokens.as_ref().and_then(|tokens| tokens.all());
    // These fields hold whole numbers.
    let milliseconds = seen.duration_ms().map(|ms| ms.round() as u64);
    for (name, label, number) in [
        ("cn1", "index", Some(seen.found.index)),
        ("cn2", "tokens", tokens),
        ("cn3", "durationMs", milliseconds),
    ] {
        fields.labelled(name, label, number.map(|number| number.to_string()).as_deref());
    }
}

struct Fields<'o> {
    out: &'o mut String,
    is_first: bool,
}

impl Fields<'_> {
    fn add(&mut self, name: &str, value: &str) {
        let blank = if self.is_first { "" } else { " " };
        self.is_first = false;
        // Writing to a text cannot fail.
        let _ = write!(self.out, "{blank}{name}={}", value_of(value));
    }

    fn say(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.add(name, value);
        }
    }

    fn labelled(&mut self, name: &str, label: &str, value: Option<&str>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.add(&format!("{name}Label"), label);
            self.add(name, value);
        }
    }
}

fn head(text: &str) -> String {
    escape(text).replace('\\', "\\\\").replace('|', "\\|")
}

fn value_of(text: &str) -> String {
    escape(text).replace('\\', "\\\\").replace('=', "\\=")
}

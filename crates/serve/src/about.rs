//! What a route says about itself: what it takes, what it answers, and which problems it has.
//!
//! Every row of the table of routes has one (`routes.rs`), so a route that nobody described does
//! not compile. What follows from what a route needs (credentials, the log's name, 401, 403) is
//! added to it in one place, where the description is put together (`openapi.rs`).

pub(crate) mod appending;
pub(crate) mod asking;
pub(crate) mod documents;
pub(crate) mod keeping;
pub(crate) mod models;
pub(crate) mod opentelemetry;
pub(crate) mod papers;
pub(crate) mod public_log;
pub(crate) mod running;
pub(crate) mod signing;

use schemars::{JsonSchema, Schema, SchemaGenerator};

/// What a route says about itself.
#[derive(Clone)]
pub(crate) struct About {
    /// What it belongs to.
    pub(crate) group: Group,
    /// Its name for generators of clients; never changes.
    pub(crate) name: &'static str,
    /// What it does, in one line without a full stop.
    pub(crate) summary: &'static str,
    /// What else is to be known, in whole sentences.
    pub(crate) detail: &'static str,
    /// What its path names, beside the log.
    pub(crate) names: &'static str,
    /// What stands behind the address, and in headers.
    pub(crate) parameters: Vec<Parameter>,
    /// Kinds of body that it takes; none where it takes no body.
    pub(crate) takes: Vec<Media>,
    /// Answers that are no problem documents.
    pub(crate) answers: Vec<Answered>,
    /// Codes of problems by status, beside those that follow from what it needs.
    pub(crate) problems: Vec<(u16, &'static [&'static str])>,
}

/// What a route belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Appending,
    Asking,
    Keeping,
    Logs,
    PublicLog,
    OpenTelemetry,
    Models,
    Console,
    Running,
}

/// One answer.
#[derive(Clone)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) text: &'static str,
    pub(crate) media: Vec<Media>,
    /// Headers of its own, with what they say.
    pub(crate) headers: &'static [(&'static str, &'static str)],
}

/// A kind of body, and what stands in it.
#[derive(Clone, Copy)]
pub(crate) struct Media {
    pub(crate) kind: &'static str,
    pub(crate) schema: fn(&mut SchemaGenerator) -> Schema,
}

/// Something that stands behind the address, or in a header.
#[derive(Clone, Copy)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) is_header: bool,
    pub(crate) value: Value,
    pub(crate) repeats: bool,
    pub(crate) text: &'static str,
}

/// What a parameter may be.
#[derive(Clone, Copy)]
pub(crate) enum Value {
    /// Any text.
    Text,
    /// Text of so many bytes.
    Bytes(u64, u64),
    /// A number between these.
    Number(u64, u64),
    /// One of these.
    Choice(&'static [&'static str]),
    /// `1` or `true`, `0` or `false`.
    Flag,
    /// RFC 3339, a date, or how long ago.
    Time,
}

impl About {
    /// The least that is to be said.
    pub(crate) fn new(group: Group, name: &'static str, summary: &'static str) -> Self {
        Self {
            group,
            name,
            summary,
            detail: "",
            names: "",
            parameters: Vec::new(),
            takes: Vec::new(),
            answers: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// What else is to be known.
    pub(crate) fn detail(mut self, detail: &'static str) -> Self {
        self.detail = detail;
        self
    }

    /// What its path names, beside the log.
    pub(crate) fn names(mut self, names: &'static str) -> Self {
        self.names = names;
        self
    }

    /// It looks at these.
    pub(crate) fn reads(mut self, parameters: impl IntoIterator<Item = Parameter>) -> Self {
        self.parameters.extend(parameters);
        self
    }

    /// It takes a body of one of these kinds.
    pub(crate) fn takes(mut self, media: impl IntoIterator<Item = Media>) -> Self {
        self.takes.extend(media);
        self
    }

    /// It answers with one of these kinds of body.
    pub(crate) fn answers(
        self,
        status: u16,
        text: &'static str,
        media: impl IntoIterator<Item = Media>,
    ) -> Self {
        self.answers_with(status, text, media, &[])
    }

    /// The same with headers.
    pub(crate) fn answers_with(
        mut self,
        status: u16,
        text: &'static str,
        media: impl IntoIterator<Item = Media>,
        headers: &'static [(&'static str, &'static str)],
    ) -> Self {
        let media = media.into_iter().collect();
        self.answers.push(Answered { status, text, media, headers });
        self
    }

    /// It may refuse with these codes.
    pub(crate) fn refuses(mut self, status: u16, codes: &'static [&'static str]) -> Self {
        self.problems.push((status, codes));
        self
    }

    /// It refuses whatever reading a body refuses (`body.rs`).
    pub(crate) fn refuses_bodies(self) -> Self {
        self.refuses(400, &["broken_body", "broken_encoding"])
            .refuses(408, &["too_slow"])
            .refuses(413, &["too_large"])
            .refuses(415, &["unsupported_encoding"])
    }
}

impl Media {
    /// A JSON document of this type.
    pub(crate) fn json<T: JsonSchema>() -> Self {
        Self { kind: "application/json", schema: |generator| generator.subschema_for::<T>() }
    }

    /// One JSON document of this type a line.
    pub(crate) fn lines<T: JsonSchema>() -> Self {
        let schema = |generator: &mut SchemaGenerator| {
            let line = generator.subschema_for::<T>();
            schemars::json_schema!({ "type": "string", "x-tachograph-line": line })
        };
        Self { kind: "application/x-ndjson", schema }
    }

    /// Text.
    pub(crate) const fn text(kind: &'static str) -> Self {
        Self { kind, schema: |_| schemars::json_schema!({ "type": "string" }) }
    }

    /// Bytes.
    pub(crate) const fn bytes(kind: &'static str) -> Self {
        Self { kind, schema: |_| schemars::json_schema!({ "type": "string", "format": "binary" }) }
    }
}

impl Parameter {
    /// Behind the address.
    pub(crate) const fn query(name: &'static str, value: Value, text: &'static str) -> Self {
        Self { name, is_header: false, value, repeats: false, text }
    }

    /// In a header.
    pub(crate) const fn header(name: &'static str, value: Value, text: &'static str) -> Self {
        Self { name, is_header: true, value, repeats: false, text }
    }

    /// The same, which may stand there several times: any of them will do.
    pub(crate) const fn repeats(mut self) -> Self {
        self.repeats = true;
        self
    }
}

impl Group {
    pub(crate) const ALL: [Self; 9] = [
        Self::Appending,
        Self::Asking,
        Self::Keeping,
        Self::Logs,
        Self::PublicLog,
        Self::OpenTelemetry,
        Self::Models,
        Self::Console,
        Self::Running,
    ];

    /// Its name.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Appending => "Appending",
            Self::Asking => "Asking",
            Self::Keeping => "Holding, erasing, letting go",
            Self::Logs => "Logs",
            Self::PublicLog => "The public log",
            Self::OpenTelemetry => "OpenTelemetry",
            Self::Models => "Models",
            Self::Console => "The console",
            Self::Running => "The server",
        }
    }

    /// What it is.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Appending => "Events in. What is answered is durable.",
            Self::Asking => {
                "Every answer names the checkpoint that it is as of, and the next page is of the same one. Every look \
                 at content is a record of the log, durable before the answer leaves."
            }
            Self::Keeping => {
                "What is held, erased and let go, each of it recorded in the log first. Every proof stays valid."
            }
            Self::Logs => "One server holds any number of logs.",
            Self::PublicLog => {
                "A log's tree as C2SP tlog-tiles has it: commitments, never records. Open to everybody for the logs \
                 that the configuration names in `public_logs`."
            }
            Self::OpenTelemetry => {
                "Any exporter works by its endpoint. 429 and 503 (over gRPC: RESOURCE_EXHAUSTED with RetryInfo, and \
                 UNAVAILABLE) mean that sending it again is right."
            }
            Self::Models => "The Model Context Protocol, with tools that only read.",
            Self::Console => "What people look at, and how they sign in to it.",
            Self::Running => "Whether it is well, and what it can do.",
        }
    }
}

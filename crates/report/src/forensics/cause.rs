//! The rules that say what kind of failure an event shows. One table, read from the top: the first
//! row that fits wins, because a 503 that came too late is an outage and not a slow answer
//! (docs/forensics.md has the same table in words).

use super::facts::{Facts, Human, has};
use event::types;
use query::{Status, Summary};
use serde::Serialize;

/// Why something failed, as far as a log can show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A tool, or what it calls, could not be reached or was broken.
    ToolOutage,
    /// A tool answered too late, or not at all.
    ToolTimeout,
    /// A model could not be reached or was broken.
    ModelOutage,
    /// A model answered too late, or not at all.
    ModelTimeout,
    /// More was asked than is allowed in a time.
    RateLimit,
    /// Credentials were missing, wrong or expired, or did not suffice.
    AuthenticationFailure,
    /// What came in could not be worked with.
    BadInput,
    /// A tool was called in a way that it refuses.
    WrongToolArguments,
    /// What was asked for does not exist.
    DataNotFound,
    /// The model, or a filter around it, refused.
    ModelRefusal,
    /// More text than the model takes or gives.
    ContextOverflow,
    /// The model's answer could not be read.
    UnreadableAnswer,
    /// A person refused what had to be approved.
    ApprovalDenied,
    /// A policy or a guardrail refused.
    PolicyDenied,
    /// A person stopped or took over.
    HumanOverride,
    /// An act was announced and no outcome of it is in the log.
    MissingResult,
    /// Another agent failed, and the log does not say why.
    SubAgentFailure,
    /// A limit of steps, turns or money was reached.
    LimitReached,
    /// Code raised an error.
    CodeFailure,
    /// Something failed, and no rule says why.
    Unclassified,
}

/// What a classification rests on, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Something that is not there.
    Absence,
    /// How it ended, and nothing else.
    Outcome,
    /// Words in a message or an answer.
    Words,
    /// The class of the error, or a field that says it.
    Field,
    /// A status code.
    Code,
}

/// How certain it is, by rule: see [`Confidence::of`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Words, an outcome or an absence alone.
    Low,
    /// A code or a class; or words, an outcome or an absence that another event confirms.
    Medium,
    /// A code or a class, and another event or a second basis confirms it.
    High,
}

impl Confidence {
    /// The confidence of a basis; `is_confirmed` when another event, or another basis, says the
    /// same.
    #[must_use]
    pub fn of(basis: Basis, is_confirmed: bool) -> Self {
        match (basis >= Basis::Field, is_confirmed) {
            (true, true) => Self::High,
            (true, false) | (false, true) => Self::Medium,
            (false, false) => Self::Low,
        }
    }
}

/// What an event shows: the cause, what says so, and whether two things say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) cause: Cause,
    pub(super) basis: Basis,
    pub(super) is_confirmed: bool,
}

impl Shown {
    fn new(cause: Cause, basis: Basis) -> Self {
        Self { cause, basis, is_confirmed: false }
    }
}

/// A kind of error before it is known what failed with it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Overflow,
    Refusal,
    Limited,
    Credentials,
    Down,
    Late,
    Invalid,
    Gone,
    Exhausted,
}

/// One row: parts of error classes without punctuation, and words of messages.
struct Row {
    kind: Kind,
    classes: &'static [&'static str],
    words: &'static [&'static str],
}

const ROWS: &[Row] = &[
    Row {
        kind: Kind::Overflow,
        classes: &["contextlength", "contextwindow", "contextoverflow", "tokenlimit"],
        words: &[
            "context_length_exceeded",
            "maximum context length",
            "context window",
            "too many tokens",
            "prompt is too long",
            "input is too long",
            "reduce the length",
        ],
    },
    Row {
        kind: Kind::Refusal,
        classes: &["contentfilter", "contentpolicy", "refusal", "safety"],
        words: &["content_filter", "content policy", "content management policy"],
    },
    Row {
        kind: Kind::Limited,
        classes: &["ratelimit", "throttl", "toomanyrequests", "resourceexhausted", "quota"],
        words: &[
            "rate limit",
            "rate_limit",
            "ratelimit",
            "too many requests",
            "throttl",
            "quota",
            "rate exceeded",
            "requests per minute",
            "resource_exhausted",
        ],
    },
    Row {
        kind: Kind::Credentials,
        classes: &[
            "authentication",
            "unauthorized",
            "unauthenticated",
            "accessdenied",
            "forbidden",
            "permission",
            "invalidtoken",
            "expiredtoken",
            "tokenexpired",
            "credential",
        ],
        words: &[
            "unauthorized",
            "unauthenticated",
            "api key",
            "access denied",
            "forbidden",
            "permission denied",
            "not authorized",
            "invalid credentials",
            "invalid_grant",
            "authentication",
            "token has expired",
            "token expired",
            "expired token",
        ],
    },
    Row {
        kind: Kind::Down,
        classes: &[
            "connectionrefused",
            "connectionerror",
            "connecterror",
            "connectionreset",
            "unavailable",
            "apiconnection",
            "badgateway",
            "internalserver",
            "brokenpipe",
            "networkerror",
            "gaierror",
            "unknownhost",
        ],
        words: &[
            "unavailable",
            "bad gateway",
            "connection refused",
            "econnrefused",
            "econnreset",
            "enotfound",
            "getaddrinfo",
            "name or service not known",
            "no route to host",
            "connection reset",
            "failed to connect",
            "is down",
            "overloaded",
            "internal server error",
            "host is unreachable",
            "service down",
            " 503",
        ],
    },
    Row {
        kind: Kind::Late,
        classes: &["timeout", "timedout", "deadlineexceeded"],
        words: &[
            "timed out",
            "timeout",
            "deadline exceeded",
            "took longer than",
            "no answer within",
        ],
    },
    Row {
        kind: Kind::Gone,
        classes: &["notfound", "nosuch", "doesnotexist"],
        words: &["not found", "no such", "does not exist", "no rows", "no results", "no matching"],
    },
    Row {
        kind: Kind::Exhausted,
        classes: &["budget", "maxiterations", "maxturns", "recursion", "maxsteps"],
        words: &["budget", "maximum number of turns", "max iterations", "recursion limit"],
    },
    Row {
        kind: Kind::Invalid,
        classes: &[
            "validation",
            "typeerror",
            "valueerror",
            "invalid",
            "badrequest",
            "schema",
            "parse",
            "parsing",
            "jsondecode",
            "unsupported",
            "malformed",
            "zoderror",
            "unprocessable",
        ],
        words: &[
            "unexpected keyword",
            "missing required",
            "required positional",
            "invalid argument",
            "field required",
            "is required",
            "unprocessable",
            "could not be parsed",
            "could not parse",
            "malformed",
            "schema",
        ],
    },
];

/// What a failed event shows. `is_first` when no tool was called before it.
pub(super) fn of_error(summary: &Summary, facts: &Facts, is_first: bool) -> Shown {
    let class: String = facts.class.chars().filter(char::is_ascii_alphanumeric).collect();
    if has(&facts.message, &["approval"]) && has(&facts.message, &["denied", "reject", "refus"]) {
        return Shown::new(Cause::ApprovalDenied, Basis::Words);
    }
    let by_code = facts.code.and_then(of_code);
    let of_row = |row: &Row| {
        let (by_class, by_words) = (has(&class, row.classes), has(&facts.message, row.words));
        let basis = if by_class { Basis::Field } else { Basis::Words };
        (by_class || by_words).then_some((row.kind, basis, by_class && by_words))
    };
    let by_row = ROWS.iter().find_map(of_row);
    let (kind, basis, is_confirmed) = match (by_code, by_row) {
        // What a code alone leaves open: too long a prompt is a 400, and so is an expired grant.
        (_, Some(row @ (Kind::Overflow | Kind::Refusal, _, _))) => row,
        (Some((_, false)), Some(row)) => row,
        (Some((kind, _)), row) => (kind, Basis::Code, row.is_some_and(|row| row.0 == kind)),
        (None, Some(row)) => row,
        (None, None) if summary.status == Status::Timeout => (Kind::Late, Basis::Field, false),
        (None, None) => {
            // A model's answer that failed may still say why it stopped.
            if let Some(shown) = of_success(summary, facts) {
                return shown;
            }
            let is_code = summary.event_type == types::CODE_EXECUTION;
            let cause = if is_code { Cause::CodeFailure } else { Cause::Unclassified };
            return Shown::new(cause, Basis::Outcome);
        }
    };
    Shown { cause: cause_of(kind, summary, facts, is_first), basis, is_confirmed }
}

/// The kind of a status code, and whether it leaves nothing open.
fn of_code(code: u64) -> Option<(Kind, bool)> {
    Some(match code {
        401 => (Kind::Credentials, true),
        403 => (Kind::Credentials, false),
        404 | 410 => (Kind::Gone, true),
        408 | 504 => (Kind::Late, false),
        413 => (Kind::Overflow, false),
        429 => (Kind::Limited, true),
        400 | 422 => (Kind::Invalid, false),
        500 => (Kind::Down, false),
        501..600 => (Kind::Down, true),
        _ => return None,
    })
}

fn cause_of(kind: Kind, summary: &Summary, facts: &Facts, is_first: bool) -> Cause {
    let event_type = summary.event_type.as_str();
    let is_model = event_type == types::LLM_RESPONSE
        || (summary.tool.is_none() && facts.model.is_some() && event_type == types::ERROR);
    match kind {
        Kind::Overflow => Cause::ContextOverflow,
        Kind::Refusal => Cause::ModelRefusal,
        Kind::Limited => Cause::RateLimit,
        Kind::Credentials => Cause::AuthenticationFailure,
        Kind::Gone => Cause::DataNotFound,
        Kind::Exhausted => Cause::LimitReached,
        Kind::Down if is_model => Cause::ModelOutage,
        Kind::Down => Cause::ToolOutage,
        Kind::Late if is_model => Cause::ModelTimeout,
        Kind::Late => Cause::ToolTimeout,
        Kind::Invalid => match event_type {
            types::INVOCATION => Cause::BadInput,
            types::TOOL_CALL | types::TOOL_RESULT => Cause::WrongToolArguments,
            types::CODE_EXECUTION => Cause::CodeFailure,
            _ if summary.tool.is_some() => Cause::WrongToolArguments,
            _ if is_first && event_type == types::ERROR => Cause::BadInput,
            _ => Cause::UnreadableAnswer,
        },
    }
}

/// What a refusal or a stop shows; `None` when it is neither.
pub(super) fn of_refusal(summary: &Summary, facts: &Facts, was_denied: bool) -> Option<Shown> {
    let field = |cause| Some(Shown { cause, basis: Basis::Field, is_confirmed: false });
    match (facts.human, summary.status) {
        (Some(Human::Denied), _) => field(Cause::ApprovalDenied),
        (Some(Human::Stopped), _) => field(Cause::HumanOverride),
        (_, Status::Denied) if facts.is_breaker => None,
        (_, Status::Denied) if was_denied => field(Cause::ApprovalDenied),
        (_, Status::Denied) if summary.event_type == types::LLM_RESPONSE => {
            field(Cause::ModelRefusal)
        }
        (_, Status::Denied) => field(Cause::PolicyDenied),
        _ => None,
    }
}

/// What an event that reports no failure may show, if something fails after it.
pub(super) fn of_success(summary: &Summary, facts: &Facts) -> Option<Shown> {
    if summary.event_type == types::LLM_RESPONSE {
        if has(&facts.finish, &["content_filter", "refusal", "safety"]) {
            return Some(Shown::new(Cause::ModelRefusal, Basis::Field));
        }
        if has(&facts.finish, &["length", "max_tokens"]) {
            return Some(Shown::new(Cause::ContextOverflow, Basis::Field));
        }
        if facts.is_sorry {
            return Some(Shown::new(Cause::ModelRefusal, Basis::Words));
        }
    }
    facts.is_empty_search.then(|| Shown::new(Cause::DataNotFound, Basis::Field))
}

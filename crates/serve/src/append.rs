//! `POST /api/v1/logs/{log}/events`: events in, and for each of them what became of it.

use crate::answer::Answer;
use crate::app::App;
use crate::ask::{self, ask};
use crate::body;
use crate::gate::Granted;
use crate::inflow::Place;
use crate::intake::{self, Intake, IntakeError, Shape};
use crate::open_log::{OpenLog, overloaded};
use crate::problem::Problem;
use crate::relay::Acknowledged;
use crate::witness;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use event::{Assurance, EventError};
use seal::{Log, Permit, Receipt};
use serde::Deserialize;
use std::ops::Deref;
use std::sync::Arc;

/// Bodies up to this many bytes are parsed where they arrive: handing them to another thread takes
/// longer. It is some ten usual events.
const INLINE_BYTES_MAX: usize = 8 << 10;

/// Events of a request that asks for proofs: each takes some reads of tiles.
const PROOFS_MAX: usize = 1_000;

/// When an answer is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Ack {
    /// When the events are durable.
    #[default]
    Durable,
    /// When a published checkpoint covers them.
    Published,
    /// When witnesses have signed that checkpoint.
    Witnessed,
}

/// What may stand behind the address.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Parameters {
    /// When to answer.
    #[serde(default)]
    pub ack: Ack,
    /// `1`: with the proof of each; the answer then waits for a published checkpoint.
    #[serde(default, deserialize_with = "crate::parameters::flag")]
    pub proof: bool,
    /// `1`: all of the events are sealed, or none of them.
    #[serde(default, deserialize_with = "crate::parameters::flag")]
    pub atomic: bool,
    /// `1`: the events were read from another program's log. They say so (`assurance`), as those
    /// do that `tacho import` reads.
    #[serde(default, deserialize_with = "crate::parameters::flag")]
    pub imported: bool,
}

/// Takes events.
pub(crate) async fn append(
    State(app): State<App>,
    granted: Granted,
    parameters: Result<Query<Parameters>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let Query(parameters) = parameters.map_err(|error| {
        Problem::malformed("bad_parameter", format!("{}; GET /docs lists them", error.body_text()))
    })?;
    let shape = shape(&headers)?;
    let log = granted.log()?;
    let witnesses = match parameters.ack {
        Ack::Witnessed => Some(witness::witnesses(&app, log)?),
        Ack::Durable | Ack::Published => None,
    };
    let writer = log.writer()?;
    let received = body::receive(app.budget(), &headers, body).await?;
    let origin = granted.origin(match parameters.imported {
        true => Assurance::Imported,
        false => Assurance::Acknowledged,
    });
    let key = idempotency_key(&headers)?;
    let take = move |writer: &Log, bytes: &[u8]| {
        intake::body(writer, bytes, &origin, key.as_deref(), shape)
    };
    let (intake, way) = take_in(log, &writer, received, take).await?;
    let refused = intake.lines.iter().filter(|(_, error)| error.is_some()).count();
    if parameters.atomic && refused > 0 {
        let answer = Answer::new(
            intake.lines.into_iter().filter(|(_, error)| error.is_some()).collect(),
            None,
        )?;
        return Ok(respond(answer.status(), &answer));
    }
    if parameters.proof && intake.batch.len() > PROOFS_MAX {
        return Err(Problem::too_large(
            "a request with proof=1 holds at most 1,000 events, and nothing was sealed; split it, or \
             ask .../events/{id}/proof for those that you want",
        ));
    }
    granted.take_events(&app, intake.batch.len())?;
    let receipt = seal(log, &writer, &mut { intake.batch }, way).await?;
    if (parameters.ack != Ack::Durable || parameters.proof)
        && let Some(receipt) = &receipt
        && let Some(last) = receipt.outcomes.iter().filter_map(index_of).max()
    {
        let mut note = log.published(last + 1).await?;
        if let Some(witnesses) = witnesses {
            note = witnesses.witnessed(log, last + 1).await?;
        }
        let receipt = Receipt { checkpoint: note, ..Receipt::clone(receipt) };
        if parameters.proof {
            return proved(&app, &granted, intake.lines, receipt).await;
        }
        let answer = Answer::new(intake.lines, Some(&receipt))?;
        return Ok(respond(answer.status(), &answer));
    }
    let answer = Answer::new(intake.lines, receipt.as_deref())?;
    Ok(respond(answer.status(), &answer))
}

/// The answer with the proof of each event, all of them under the checkpoint that it names.
async fn proved(
    app: &App,
    granted: &Granted,
    lines: Vec<(u64, Option<Box<EventError>>)>,
    receipt: Receipt,
) -> Result<Response<Body>, Problem> {
    ask(app, granted, move |view| {
        let reading = view.reading();
        // Newer than the receipt's, perhaps: what is published goes on meanwhile.
        let receipt = Receipt { checkpoint: reading.note().into(), ..receipt };
        let mut answer = Answer::new(lines, Some(&receipt))?;
        answer.prove(|index| {
            let proof = reading::proofs::tlog_proof(reading, index);
            proof.map(|proof| proof.to_string()).map_err(|error| ask::problem(&error))
        })?;
        Ok(respond(answer.status(), &answer))
    })
    .await
}

fn index_of(outcome: &seal::Outcome) -> Option<u64> {
    match outcome {
        seal::Outcome::Sealed { index, .. } | seal::Outcome::Duplicate { index, .. } => {
            Some(*index)
        }
        seal::Outcome::Conflict { .. } => None,
    }
}

/// Room for a batch on its way into the log, until it is sealed.
pub(crate) struct Way {
    permit: Permit,
    _place: Place,
}

/// Turns bytes into a batch when it is their turn, on another thread when there are many of them.
///
/// # Errors
/// 400 when the body is not what it should be, 503 when there is no room for long.
pub(crate) async fn take_in<B, F>(
    log: &OpenLog,
    writer: &Arc<Log>,
    bytes: B,
    take: F,
) -> Result<(Intake, Way), Problem>
where
    B: Deref<Target = [u8]> + Send + 'static,
    F: FnOnce(&Log, &[u8]) -> Result<Intake, IntakeError> + Send + 'static,
{
    let place = log.inflow().place(bytes.len()).await?;
    let permit = writer.try_admit(bytes.len()).ok_or_else(overloaded)?;
    let outcome = if bytes.len() <= INLINE_BYTES_MAX {
        take(writer, &bytes)
    } else {
        let (writer, turn) = (Arc::clone(writer), log.inflow().turn(bytes.len()).await?);
        let work = move || {
            let _turn = turn;
            take(&writer, &bytes)
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| Problem::internal())?
    };
    let intake = outcome.map_err(|error| match error {
        IntakeError::Capture(error) => Problem::malformed("not_json", error.to_string()),
        IntakeError::TooManyEvents | IntakeError::TooManyValues => {
            Problem::too_large(error.to_string())
        }
        IntakeError::Seal(_) => Problem::internal(),
    })?;
    if intake.lines.len() > event::limits::BATCH_EVENTS_MAX {
        return Err(Problem::too_large(IntakeError::TooManyEvents.to_string()));
    }
    Ok((intake, Way { permit, _place: place }))
}

/// Seals a batch, if there is anything in it.
pub(crate) async fn seal(
    log: &OpenLog,
    writer: &Arc<Log>,
    batch: &mut seal::Batch,
    way: Way,
) -> Result<Option<Acknowledged>, Problem> {
    if batch.is_empty() {
        return Ok(None);
    }
    log.seal(writer, std::mem::take(batch), way.permit).await.map(Some)
}

/// What events may be called in a request, and what they are then.
fn shape(headers: &HeaderMap) -> Result<Shape, Problem> {
    let Some(kind) = headers.get(header::CONTENT_TYPE) else { return Ok(Shape::Any) };
    let name = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let is = |known: &&str| name.eq_ignore_ascii_case(known);
    if ["application/x-ndjson", "application/ndjson", "application/jsonl"].iter().any(&is) {
        return Ok(Shape::Lines);
    }
    let known = ["application/json", "text/plain", "application/x-www-form-urlencoded"];
    if known.iter().any(is) {
        return Ok(Shape::Any);
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        "events are application/json (an object or an array) or application/x-ndjson (one a line)",
    ))
}

/// What events without an id are told by when the same request comes again.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    match key.to_str() {
        Ok(key) if !key.is_empty() && key.len() <= 255 => Ok(Some(key.to_owned())),
        _ => Err(Problem::malformed(
            "bad_idempotency_key",
            "Idempotency-Key has 1 to 255 visible ASCII characters",
        )),
    }
}

/// An answer in JSON.
pub(crate) fn respond(status: StatusCode, answer: &impl serde::Serialize) -> Response<Body> {
    let bytes = query::escape::to_json(answer);
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

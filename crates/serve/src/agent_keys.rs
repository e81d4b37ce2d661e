//! `.../agent-keys`: the keys with which agents sign their events, and those who may change that.
//!
//! What a registration means is `event`'s to say; how it comes into the log, `seal`'s.

use crate::app::App;
use crate::ask::ask;
use crate::gate::Granted;
use crate::life_cycle::Turn;
use crate::life_cycle_api::{answered, checked, in_turn, read};
use crate::open_log::OpenLog;
use crate::problem::Problem;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response, StatusCode};
use event::{AgentKey, Registration};
use retain::RetainError;
use schemars::JsonSchema;
use seal::{AgentKeyError, NewAgentKey, Writer};
use serde::Deserialize;
use serde_json::{Value, json};

/// A key to be registered.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewAgentKey")]
pub(crate) struct Register {
    /// The public key: `ed25519:` and 32 bytes in base64.
    key: String,
    /// Names of agents (`agent_name` of their events), or `*` for all.
    agents: Vec<String>,
    /// Whether events that name these agents are refused without a signature from here on.
    #[serde(default)]
    required: bool,
    /// Why; it is recorded.
    #[serde(default)]
    reason: Option<String>,
}

/// The end of a key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AgentKeyRevocation")]
pub(crate) struct Revoke {
    /// Why; it is recorded.
    #[serde(default)]
    reason: Option<String>,
}

/// `GET .../agent-keys`: every key that was ever registered. The ledger shows them as well, so who
/// asks is not recorded.
pub(crate) async fn list(
    State(app): State<App>,
    granted: Granted,
) -> Result<Response<Body>, Problem> {
    let keys = ask(&app, &granted, |view| {
        let keys = view.reading().catalogue().agent_keys().iter();
        Ok(keys.map(Registration::to_json).collect::<Vec<Value>>())
    })
    .await?;
    Ok(answered(StatusCode::OK, json!({ "agent_keys": keys })))
}

/// `POST .../agent-keys`.
pub(crate) async fn register(
    State(app): State<App>,
    granted: Granted,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let Register { key, agents, required, reason } = read(&app, &headers, body).await?;
    let key = AgentKey::parse(&key).ok_or_else(|| {
        let detail = "key: write `ed25519:` and 32 bytes in base64, as `tacho agent-key generate` \
                      prints it";
        Problem::malformed("bad_parameter", detail)
    })?;
    let (reason, by) = (reason.map(checked).transpose()?, granted.principal());
    let new = NewAgentKey { key, agents, required };
    let act = move |writer: &mut Writer| writer.register_agent_key(new, reason.as_deref(), &by);
    let registered = in_turn(&granted, move |log, turn| log.change_keys(turn, act)).await?;
    Ok(answered(StatusCode::CREATED, registered.to_json()))
}

/// `POST .../agent-keys/{id}/revoke`.
pub(crate) async fn revoke(
    State(app): State<App>,
    granted: Granted,
    Path((_, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let Revoke { reason } = read(&app, &headers, body).await?;
    let (reason, by) = (reason.map(checked).transpose()?, granted.principal());
    let act = move |writer: &mut Writer| writer.revoke_agent_key(&id, reason.as_deref(), &by);
    let revoked = in_turn(&granted, move |log, turn| log.change_keys(turn, act)).await?;
    Ok(answered(StatusCode::OK, revoked.to_json()))
}

impl OpenLog {
    /// Registers or revokes a key. Batches that were held to the keys before are sent again.
    fn change_keys(
        &self,
        _turn: &Turn,
        act: impl FnOnce(&mut Writer) -> Result<Registration, AgentKeyError> + Send + 'static,
    ) -> Result<Registration, Problem> {
        let log = self.writer_for_acts()?;
        self.lent(&log, act)?.map_err(|error| {
            let detail = error.to_string();
            match error {
                AgentKeyError::Refused(_) => {
                    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_agent_key", detail)
                }
                AgentKeyError::Unknown(_) => {
                    Problem::new(StatusCode::NOT_FOUND, "unknown_key", detail)
                }
                AgentKeyError::Seal(error) => self.not_done(&log, &RetainError::Seal(error)),
            }
        })
    }
}

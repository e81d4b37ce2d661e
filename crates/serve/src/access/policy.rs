//! May they: Cedar policies over callers, actions and logs.
//!
//! Two walls. The first is code: a log that no grant of the caller reaches is refused before any
//! policy is asked, so no policy can open it. The second is Cedar: the built-in policies
//! (`default.cedar`) and an operator's own, checked against `schema.cedarschema` when they are
//! loaded. Whatever no policy permits is refused, and so is everything when a policy fails.
//!
//! A [`Policy`] never changes. Another configuration is another `Policy`, with a memory of its own.

use std::collections::{BTreeSet, HashMap, HashSet};

use cedar_policy::{
    Authorizer, Context, Decision as Answer, Entities, Entity, EntityId, EntityTypeName, EntityUid,
    PolicySet, Request, RestrictedExpression, Schema, ValidationMode, Validator,
};

use super::{Caller, Logs, Role};

mod action;
mod decision;

pub use action::{Action, Scope};
pub use decision::{Decision, Ground};

use decision::{GENERATION, Memo};

/// What policies may speak of.
const SCHEMA: &str = include_str!("schema.cedarschema");

/// The policies of the built-in roles.
const DEFAULT: &str = include_str!("default.cedar");

/// Bytes of an operator's policies: thousands of them.
pub const POLICY_BYTES_MAX: usize = 1 << 20;

/// The one entity of type `System`.
const SYSTEM: &str = "tachograph";

/// Policies that cannot be used. The text names the place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// More text than is read.
    #[error(
        "the policies have {0} bytes, more than the {POLICY_BYTES_MAX} that are read; make them fewer"
    )]
    TooLong(usize),
    /// Not Cedar.
    #[error(
        "the policies cannot be read: {0}; mend the place, the server keeps to the old ones until then"
    )]
    Syntax(String),
    /// They speak of what does not exist.
    #[error(
        "the policies do not fit the schema: {0}; see schema.cedarschema for roles, actions and attributes"
    )]
    Schema(String),
    /// Two policies with one id.
    #[error("two policies have the id {0:?}, so a decision could not name one; rename yours")]
    DuplicateId(String),
    /// Templates are never linked here, so one would silently do nothing.
    #[error(
        "the policies hold a template (?principal or ?resource), which is never filled in here; write it out"
    )]
    Template,
}

/// The policies in force, and the memory of what they said.
#[derive(Debug)]
pub struct Policy {
    authorizer: Authorizer,
    policies: PolicySet,
    actions: Entities,
    roles: BTreeSet<Role>,
    types: Types,
    memo: Memo,
}

/// The schema's entity types, read once.
#[derive(Debug)]
struct Types {
    principal: EntityTypeName,
    role: EntityTypeName,
    log: EntityTypeName,
    system: EntityTypeName,
    action: EntityTypeName,
}

impl Policy {
    /// The built-in policies alone.
    ///
    /// # Errors
    ///
    /// [`PolicyError`], which a test rules out.
    pub fn built_in() -> Result<Self, PolicyError> {
        Self::load("", &[])
    }

    /// The built-in policies and an operator's own, in Cedar's text form. `roles` are declared
    /// beside the built-in ones; no other may be named.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] for text that is not Cedar or does not fit the schema, with the place.
    pub fn load(own: &str, roles: &[Role]) -> Result<Self, PolicyError> {
        if own.len() > POLICY_BYTES_MAX {
            return Err(PolicyError::TooLong(own.len()));
        }
        let roles: BTreeSet<Role> = Role::BUILT_IN.iter().chain(roles).cloned().collect();
        let (schema, _) = Schema::from_cedarschema_str(&schema_with(&roles))
            .map_err(|error| PolicyError::Schema(chain(&error)))?;
        let mut policies = PolicySet::new();
        add(&mut policies, DEFAULT, "built-in")?;
        add(&mut policies, own, "own")?;
        let actions =
            schema.action_entities().map_err(|error| PolicyError::Schema(chain(&error)))?;
        let checked = Validator::new(schema).validate(&policies, ValidationMode::Strict);
        let faults: Vec<String> = checked.validation_errors().map(ToString::to_string).collect();
        if !faults.is_empty() {
            return Err(PolicyError::Schema(faults.join("; ")));
        }
        let types = Types::new()?;
        let memo = Memo::new(GENERATION);
        Ok(Self { authorizer: Authorizer::new(), policies, actions, roles, types, memo })
    }

    /// Whether `role` is declared, so that a grant of it can mean something.
    #[must_use]
    pub fn knows(&self, role: &Role) -> bool {
        self.roles.contains(role)
    }

    /// Whether `caller` may do `action`: to the log of this name, or to the server when there is
    /// none. Never fails: what cannot be decided is refused.
    ///
    /// A system action counts the roles that hold for all logs, because it reaches beyond any one;
    /// listing counts every role, because it shows only what the caller reaches.
    #[must_use]
    pub fn decide(&self, caller: &Caller, action: Action, log: Option<&str>) -> Decision {
        if (action.scope() == Scope::Log) != log.is_some() {
            return Decision::refused(Ground::WrongResource);
        }
        let holds = |logs: &Logs| match log {
            Some(log) => logs.reaches(log),
            None => action == Action::ListLogs || *logs == Logs::All,
        };
        let grants = caller.grants.iter().filter(|grant| holds(&grant.logs));
        let roles: BTreeSet<&Role> = grants.map(|grant| &grant.role).collect();
        if roles.is_empty() {
            return Decision::refused(match log {
                Some(_) => Ground::LogNotGranted,
                None => Ground::NothingPermits,
            });
        }
        let question = question(caller, &roles, action, log);
        self.memo.get_or(&question, || self.ask(caller, &roles, action, log))
    }

    /// Everything that `caller` may do to the log of this name, or to the server, by name.
    #[must_use]
    pub fn allowed(&self, caller: &Caller, log: Option<&str>) -> Vec<&'static str> {
        let scope = if log.is_some() { Scope::Log } else { Scope::System };
        let fitting = Action::ALL.iter().copied().filter(|action| action.scope() == scope);
        let allowed = fitting.filter(|action| self.decide(caller, *action, log).allowed);
        allowed.map(Action::as_str).collect()
    }

    /// Asks Cedar.
    fn ask(
        &self,
        caller: &Caller,
        roles: &BTreeSet<&Role>,
        action: Action,
        log: Option<&str>,
    ) -> Decision {
        let asked = self.question(caller, roles, action, log);
        let Some((request, entities)) = asked else {
            return Decision::refused(Ground::Failed);
        };
        let response = self.authorizer.is_authorized(&request, &self.policies, &entities);
        if response.diagnostics().errors().next().is_some() {
            return Decision::refused(Ground::Failed);
        }
        let mut policies: Vec<String> =
            response.diagnostics().reason().map(ToString::to_string).collect();
        policies.sort();
        let ground = match response.decision() {
            Answer::Allow => Ground::Permitted,
            Answer::Deny if policies.is_empty() => Ground::NothingPermits,
            Answer::Deny => Ground::Forbidden,
        };
        Decision { allowed: ground == Ground::Permitted, ground, policies: policies.into() }
    }

    /// The question as Cedar takes it. Names become ids as they are: no text is parsed.
    fn question(
        &self,
        caller: &Caller,
        roles: &BTreeSet<&Role>,
        action: Action,
        log: Option<&str>,
    ) -> Option<(Request, Entities)> {
        let uid = |kind: &EntityTypeName, id: &str| {
            EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
        };
        let text = |name: &str, value: &str| {
            (name.to_owned(), RestrictedExpression::new_string(value.to_owned()))
        };
        let principal =
            uid(&self.types.principal, &format!("{}|{}", caller.issuer, caller.subject));
        let parents: HashSet<EntityUid> =
            roles.iter().map(|role| uid(&self.types.role, role.as_str())).collect();
        let attributes = HashMap::from([
            text("issuer", &caller.issuer),
            text("subject", &caller.subject),
            text("method", caller.method.as_str()),
        ]);
        let mut entities: Vec<Entity> =
            vec![Entity::new(principal.clone(), attributes, parents).ok()?];
        let resource = match log {
            Some(log) => {
                let resource = uid(&self.types.log, log);
                let attributes = HashMap::from([text("name", log)]);
                entities.push(Entity::new(resource.clone(), attributes, HashSet::new()).ok()?);
                resource
            }
            None => uid(&self.types.system, SYSTEM),
        };
        let entities = self.actions.clone().add_entities(entities, None).ok()?;
        let action = uid(&self.types.action, action.as_str());
        let request = Request::new(principal, action, resource, Context::empty(), None).ok()?;
        Some((request, entities))
    }
}

impl Types {
    fn new() -> Result<Self, PolicyError> {
        let kind = |name: &str| {
            name.parse::<EntityTypeName>().map_err(|error| PolicyError::Schema(chain(&error)))
        };
        Ok(Self {
            principal: kind("Principal")?,
            role: kind("Role")?,
            log: kind("Log")?,
            system: kind("System")?,
            action: kind("Action")?,
        })
    }
}

/// Adds the policies of `text`. Each gets the id that it gives itself with `@id`, or `KIND-N`.
fn add(policies: &mut PolicySet, text: &str, kind: &str) -> Result<(), PolicyError> {
    let read: PolicySet = text
        .parse()
        .map_err(|error: cedar_policy::ParseErrors| PolicyError::Syntax(places(&error, text)))?;
    if read.templates().next().is_some() {
        return Err(PolicyError::Template);
    }
    for policy in read.policies() {
        let id = match policy.annotation("id") {
            Some(id) => id.to_owned(),
            None => format!("{kind}-{}", policy.id()),
        };
        let named = policy.new_id(cedar_policy::PolicyId::new(&id));
        policies.add(named).map_err(|_| PolicyError::DuplicateId(id))?;
    }
    Ok(())
}

/// The schema, with the line that lists roles as they are now. A role's name needs no escaping.
fn schema_with(roles: &BTreeSet<Role>) -> String {
    let names: Vec<String> = roles.iter().map(|role| format!("\"{role}\"")).collect();
    let line = format!("entity Role enum [{}];", names.join(", "));
    let lines = SCHEMA.lines().map(|old| match old.starts_with("entity Role enum") {
        true => line.as_str(),
        false => old,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// An error and what lies beneath it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(beneath) = source {
        text.push_str(": ");
        text.push_str(&beneath.to_string());
        source = beneath.source();
    }
    text
}

/// Every syntax error with its line.
fn places(errors: &cedar_policy::ParseErrors, text: &str) -> String {
    let place = |error: &cedar_policy::ParseError| {
        use miette::Diagnostic;
        let offset =
            error.labels().and_then(|mut labels| labels.next()).map(|label| label.offset());
        let before = offset.and_then(|offset| text.get(..offset));
        match before {
            Some(before) => format!("line {}: {error}", before.matches('\n').count() + 1),
            None => error.to_string(),
        }
    };
    errors.iter().map(place).collect::<Vec<_>>().join("; ")
}

/// The question as bytes for the memory: every part with its length before it, so that no two
/// questions are spelled alike.
fn question(
    caller: &Caller,
    roles: &BTreeSet<&Role>,
    action: Action,
    log: Option<&str>,
) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(160);
    let mut part = |text: &str| {
        bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
    };
    part(action.as_str());
    part(caller.method.as_str());
    part(&caller.issuer);
    part(&caller.subject);
    part(if log.is_some() { "log" } else { "system" });
    part(log.unwrap_or_default());
    for role in roles {
        part(role.as_str());
    }
    bytes
}

#[cfg(test)]
mod tests;

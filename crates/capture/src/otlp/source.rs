//! Who sent a group of spans or log records: the resource and the instrumentation scope.

use crate::attributes::{Attributes, json};
use event::{Event, Json, Producer};
use serde_json::Value;

/// One resource and scope, read once for all records under them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Source {
    producer: Option<Producer<'static>>,
    resource: Option<Json<'static>>,
    scope: Option<Json<'static>>,
}

/// The scope as sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) attributes: Vec<(String, Value)>,
}

impl Source {
    /// The producer's id is the instance of the service, else the service; its SDK is the scope.
    pub(crate) fn new(resource: Vec<(String, Value)>, scope: Scope) -> Self {
        let mut resource = Attributes::new(resource);
        let instance = resource.take_text("service.instance.id");
        let id = match instance {
            Some(instance) => Some(instance),
            None => resource.take_text("service.name"),
        };
        let sdk = match (scope.name.is_empty(), scope.version.is_empty()) {
            (true, _) => None,
            (false, true) => Some(scope.name),
            (false, false) => Some(format!("{}/{}", scope.name, scope.version)),
        };
        let object =
            |list: Vec<(String, Value)>| (!list.is_empty()).then(|| json(&super::key_values(list)));
        let producer = Producer { id: id.map(Into::into), seq: None, sdk: sdk.map(Into::into) };
        Self {
            producer: Some(producer).filter(|producer| *producer != Producer::default()),
            resource: object(resource.into_list()),
            scope: object(scope.attributes),
        }
    }

    /// Says on an event who sent it.
    pub(crate) fn sign(&self, event: &mut Event<'_>) {
        event.producer.clone_from(&self.producer);
    }

    /// Puts the rest of resource and scope on an event: once a span is enough.
    pub(crate) fn describe(&self, event: &mut Event<'_>) {
        for (key, json) in [("otel.resource", &self.resource), ("otel.scope", &self.scope)] {
            if let Some(json) = json {
                event.content.set_attribute(key, json.clone());
            }
        }
    }

    /// Text that two different sources do not share.
    pub(crate) fn fingerprint(&self) -> String {
        format!("{:?}", (&self.producer, &self.resource))
    }
}

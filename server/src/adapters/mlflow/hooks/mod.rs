//! Webhooks in the form that receivers of `MLflow` know. They are receivers of the registry's events like all others: posted to
//! after the commit, tried again, never inside the network of the server; only what is posted has another form.

pub mod api;
pub mod operations;
pub mod store;

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use imbl::OrdMap;
use licit_schemas::events::CloudEvent;
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;

use super::fact::{ModelChange, ModelChanged, VersionChange, VersionChanged, WebhookChange, WebhookChanged};
use super::state::millis;
use crate::adapters::openlineage::names;
use crate::db::At;
use crate::error::{Error, Result};
use crate::events::deliver::{Form, Told};
use crate::facts::World;

/// Begins the secrets of these receivers where they are kept: what follows may be empty.
pub const SECRET: &str = "mlflow:";

/// Events that one may ask for.
pub const EVENTS: [&str; 6] = [
    "REGISTERED_MODEL.CREATED",
    "MODEL_VERSION.CREATED",
    "MODEL_VERSION_TAG.SET",
    "MODEL_VERSION_TAG.DELETED",
    "MODEL_VERSION_ALIAS.CREATED",
    "MODEL_VERSION_ALIAS.DELETED",
];

/// A webhook.
#[derive(Clone, Debug)]
pub struct Hook {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// In words.
    pub description: String,
    /// Events it is told.
    pub events: Vec<String>,
    /// Whether it is told any.
    pub active: bool,
    /// The receiver.
    pub receiver: Uuid,
    /// When it was made, and last changed, in milliseconds.
    pub times: (i64, i64),
}

/// All of them.
#[derive(Clone, Default)]
pub struct Hooks(OrdMap<Uuid, Arc<Hook>>);

impl Hooks {
    /// One.
    pub fn get(&self, id: Uuid) -> Option<&Arc<Hook>> {
        self.0.get(&id)
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Hook>> {
        self.0.values()
    }

    /// Fold in what was said of one.
    pub fn changed(&mut self, fact: &WebhookChanged, at: &At) {
        let now = millis(at.time);
        match &fact.change {
            WebhookChange::Stated { name, description, events, active, receiver } => {
                let since = self.0.get(&fact.webhook).map_or(now, |known| known.times.0);
                let hook = Hook {
                    id: fact.webhook,
                    name: name.clone(),
                    description: description.clone(),
                    events: events.clone(),
                    active: *active,
                    receiver: *receiver,
                    times: (since, now),
                };
                self.0.insert(fact.webhook, Arc::new(hook));
            }
            WebhookChange::Deleted => {
                self.0.remove(&fact.webhook);
            }
        }
    }
}

/// What is posted to a receiver of these.
pub const FORM: Form = told;

/// An event, its entity and action, and what it is of; none that these receivers are told.
fn meant(event: &CloudEvent) -> Option<(&'static str, Value)> {
    match event.r#type.strip_prefix("eu.licit.")? {
        "mlflow_model.changed" => {
            let fact: ModelChanged = serde_json::from_value(event.data.clone()).ok()?;
            let name = &fact.name;
            match &fact.change {
                ModelChange::Created { description, tags } => {
                    Some(("REGISTERED_MODEL.CREATED", json!({"name": name, "tags": tags, "description": description})))
                }
                ModelChange::Aliased { alias, version, .. } => Some((
                    "MODEL_VERSION_ALIAS.CREATED",
                    json!({"name": name, "alias": alias, "version": version.to_string()}),
                )),
                ModelChange::Unaliased { alias } => {
                    Some(("MODEL_VERSION_ALIAS.DELETED", json!({"name": name, "alias": alias})))
                }
                _ => None,
            }
        }
        "mlflow_version.changed" => {
            let fact: VersionChanged = serde_json::from_value(event.data.clone()).ok()?;
            let (name, version) = (&fact.name, fact.version.to_string());
            match &fact.change {
                VersionChange::Created(made) => {
                    let (source, run, tags, description) = (&made.source, &made.run, &made.tags, &made.description);
                    Some((
                        "MODEL_VERSION.CREATED",
                        json!({
                            "name": name, "version": version, "source": source, "run_id": run, "tags": tags, "description": description,
                        }),
                    ))
                }
                VersionChange::Tagged { key, value } => Some((
                    "MODEL_VERSION_TAG.SET",
                    json!({"name": name, "version": version, "key": key, "value": value}),
                )),
                VersionChange::Untagged { key } => {
                    Some(("MODEL_VERSION_TAG.DELETED", json!({"name": name, "version": version, "key": key})))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// What a receiver gets of an event: `Some(None)` where it asked for others.
fn told(world: &World, receiver: &str, secret: &str, event: &CloudEvent, time: i64) -> Result<Option<Option<Told>>> {
    let Some(secret) = secret.strip_prefix(SECRET) else { return Ok(None) };
    let id: Option<Uuid> = receiver.parse().ok();
    let Some(hook) = world.mlflow.hooks.iter().find(|hook| Some(hook.receiver) == id) else { return Ok(Some(None)) };
    let Some((wanted, data)) =
        meant(event).filter(|(name, _)| hook.active && hook.events.iter().any(|own| own == name))
    else {
        return Ok(Some(None));
    };
    // The same event has the same id when it is posted again.
    let delivery = names::id(&["mlflow_delivery", receiver, &event.id]);
    let moment = event.time.to_string().replace('Z', "+00:00");
    signed(secret, wanted, &data, &moment, delivery, time).map(|told| Some(Some(told)))
}

/// An event with its headers, signed as `MLflow` signs.
pub fn signed(secret: &str, event: &str, data: &Value, moment: &str, delivery: Uuid, time: i64) -> Result<Told> {
    let (entity, action) = event.split_once('.').unwrap_or((event, ""));
    let body = json!({
        "entity": entity.to_lowercase(), "action": action.to_lowercase(), "timestamp": moment, "data": data,
    })
    .to_string();
    let mut headers = vec![
        ("content-type", "application/json".to_owned()),
        ("x-mlflow-delivery-id", delivery.to_string()),
        ("x-mlflow-timestamp", time.to_string()),
    ];
    if !secret.is_empty() {
        headers.push(("x-mlflow-signature", signature(secret, &delivery.to_string(), time, &body)?));
    }
    Ok(Told { headers, body: body.into_bytes() })
}

fn signature(secret: &str, delivery: &str, time: i64, body: &str) -> Result<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())
        .map_err(|_| Error::Internal("a stored webhook secret is unsound".to_owned()))?;
    mac.update(format!("{delivery}.{time}.{body}").as_bytes());
    Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

/// What an event looks like, for whoever tries a receiver.
pub fn example(event: &str) -> Value {
    match event {
        "REGISTERED_MODEL.CREATED" => {
            json!({"name": "example_model", "tags": {"example_key": "example_value"}, "description": "An example registered model"})
        }
        "MODEL_VERSION_TAG.SET" => {
            json!({"name": "example_model", "version": "1", "key": "example_key", "value": "example_value"})
        }
        "MODEL_VERSION_TAG.DELETED" => json!({"name": "example_model", "version": "1", "key": "example_key"}),
        "MODEL_VERSION_ALIAS.CREATED" => json!({"name": "example_model", "alias": "example_alias", "version": "1"}),
        "MODEL_VERSION_ALIAS.DELETED" => json!({"name": "example_model", "alias": "example_alias"}),
        _ => json!({
            "name": "example_model", "version": "1", "source": "models:/123", "run_id": "abcd1234abcd5678",
            "tags": {"example_key": "example_value"}, "description": "An example model version",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_protocol() {
        // HMAC-SHA-256 under `s3cr3t` of `id.1795457525.{}`, by the Python of the standard library.
        let wanted = "v1,eaPvp6lmvzKMWlgGVrrc6FeowkIy0kWpKahKygnK+4w=";
        assert_eq!(signature("s3cr3t", "id", 1_795_457_525, "{}").unwrap(), wanted);
    }
}

//! What happens, told to others: facts as `CloudEvents`, to receivers that subscribed and to whoever listens.

pub mod address;
pub mod api;
pub mod deliver;
pub mod operations;
pub mod sign;
pub mod store;
pub mod stream;

use std::sync::Arc;

use globset::{GlobBuilder, GlobMatcher};
use imbl::OrdMap;
use licit_schemas::digest::Digest;
use licit_schemas::events::{CloudEvent, WebhookSpec};
use licit_schemas::ledger::Entry;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::catalogue::Stated;
use crate::db::{At, NewRow, Rows};
use crate::error::{Error, Result};
use crate::facts::{KINDS, text};

/// Patterns of kinds that one may ask for: each is compiled.
const MOST_PATTERNS: usize = 50;

/// A receiver is told no more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unsubscribed {
    /// The subscription.
    pub id: Uuid,
}

/// Subscriptions.
#[derive(Clone, Default)]
pub struct State {
    subscribed: OrdMap<Uuid, Arc<WebhookSpec>>,
}

impl State {
    /// Subscriptions, oldest first.
    pub fn subscribed(&self) -> impl Iterator<Item = (&Uuid, &Arc<WebhookSpec>)> {
        self.subscribed.iter()
    }

    /// One subscription.
    pub fn get(&self, id: Uuid) -> Option<&Arc<WebhookSpec>> {
        self.subscribed.get(&id)
    }

    /// Fold a subscription in.
    pub fn subscribe(&mut self, fact: &Stated<WebhookSpec>, digest: Digest, at: &At, rows: &mut Rows) {
        self.subscribed.insert(fact.id, Arc::new(fact.spec.clone()));
        rows.put(at, || NewRow {
            kind: "webhook",
            id: fact.id.to_string(),
            reference: format!("webhook:{}", fact.id),
            state: "subscribed".to_owned(),
            name: fact.spec.host.clone(),
            digest: Some(digest),
            doc: text(&fact.spec),
            ..NewRow::default()
        });
    }

    /// Fold its end in.
    pub fn unsubscribe(&mut self, fact: &Unsubscribed, at: &At, rows: &mut Rows) {
        if self.subscribed.remove(&fact.id).is_some() {
            rows.restate(at, "webhook", fact.id, "unsubscribed");
        }
    }
}

/// The kinds of facts that patterns name, each once.
///
/// # Errors
/// Names the first pattern, by its place, that means none.
pub fn kinds<S: AsRef<str>>(patterns: &[S]) -> std::result::Result<Vec<&'static str>, (usize, String)> {
    let mut wanted: Vec<GlobMatcher> = Vec::new();
    for (place, pattern) in patterns.iter().map(AsRef::as_ref).enumerate() {
        let glob = GlobBuilder::new(pattern).build().ok().map(|glob| glob.compile_matcher());
        match glob.filter(|glob| KINDS.iter().any(|(kind, _)| glob.is_match(kind))) {
            Some(glob) => wanted.push(glob),
            None => {
                return Err((
                    place,
                    format!("`{pattern}` means no kind of fact: write it like `gap.*` or `decision.made`"),
                ));
            }
        }
    }
    Ok(KINDS.iter().map(|(kind, _)| *kind).filter(|kind| wanted.iter().any(|glob| glob.is_match(kind))).collect())
}

/// A fact as an event.
pub fn event(source: &str, entry: &Entry, data: Value) -> CloudEvent {
    CloudEvent {
        specversion: "1.0".to_owned(),
        id: entry.seq.to_string(),
        source: source.to_owned(),
        r#type: format!("eu.licit.{}", entry.kind),
        subject: subject(&entry.kind, &data),
        time: entry.at,
        datacontenttype: "application/json".to_owned(),
        actor: entry.actor,
        data: public(data),
    }
}

/// Hashes of secrets are for who reads the ledger.
fn public(mut data: Value) -> Value {
    if let Some(spec) = data.get_mut("spec").and_then(Value::as_object_mut) {
        spec.remove("secret_hash");
    }
    data
}

/// What a fact is about: the reference people know where it has one, else its kind and id.
fn subject(kind: &str, data: &Value) -> String {
    let text = |pointer: &str| data.pointer(pointer).and_then(Value::as_str);
    let noun = kind.split('.').next().unwrap_or_default();
    let rev = data.get("rev").and_then(Value::as_u64).unwrap_or(1);
    let known = match noun {
        "purpose" | "basis" | "assessment" | "system" | "baseline" | "notice" => {
            text("/spec/key").map(|key| format!("{noun}:{key}@{rev}"))
        }
        "party" | "environment" => text("/spec/key").map(|key| format!("{noun}:{key}")),
        "policy" => Some(format!("policy:organisation@{rev}")),
        "break_glass" => text("/spec/incident").map(|incident| format!("break-glass:{incident}@{rev}")),
        "dataset_version" => text("/spec/dataset").zip(text("/spec/version")).map(|(of, v)| format!("{of}@{v}")),
        "model_version" => text("/spec/model").zip(text("/spec/version")).map(|(of, v)| format!("{of}@{v}")),
        "deployment" => text("/spec/name").map(|name| format!("deployment:{}", escaped(name))),
        "model" => text("/spec/name").map(|name| format!("model:{}", escaped(name))),
        "dataset" => text("/spec/namespace")
            .zip(text("/spec/name"))
            .map(|(namespace, name)| format!("dataset:{}/{}", escaped(namespace), escaped(name))),
        "release" => text("/spec/deployment").map(|of| format!("{}@{rev}", of.replacen("deployment:", "release:", 1))),
        "edge" => text("/from").map(str::to_owned),
        "lineage_event" => text("/event/run").map(|id| format!("run:{id}")),
        "lineage_run" | "mlflow_run" => text("/run").map(|id| format!("run:{id}")),
        "mlflow_experiment" => data.get("experiment").map(|id| format!("mlflow_experiment:{id}")),
        "mlflow_logged_model" => text("/model").map(|id| format!("mlflow_logged_model:{id}")),
        "mlflow_model" | "mlflow_version" => text("/name").map(|name| format!("mlflow_model:{}", escaped(name))),
        "mlflow_webhook" => text("/webhook").map(|id| format!("mlflow_webhook:{id}")),
        "mlflow_artifact" => text("/path").map(|path| format!("mlflow_artifact:{path}")),
        "members" => text("/spec/dataset_version").map(str::to_owned),
        "consent" => text("/id").map(|id| format!("consent:{id}")),
        "subject" => text("/id").map(|id| format!("erasure:{id}")),
        "withdrawal" => text("/spec/notice").map(str::to_owned),
        "remedy" => text("/spec/of").map(str::to_owned),
        "use" => text("/spec/deployment").map(str::to_owned),
        "passport" => text("/spec/model").map(str::to_owned),
        "subject_key" => text("/spec/kid").map(|kid| format!("subject-key:{kid}")),
        "ledger" => text("/origin").map(|origin| format!("ledger:{origin}")),
        "signing_key" => text("/key").map(|key| format!("signing-key:{key}")),
        "gap" => text("/spec/cause").map(str::to_owned),
        _ => None,
    };
    known
        .or_else(|| text("/reference").map(str::to_owned))
        .or_else(|| text("/spec/ref").map(str::to_owned))
        .or_else(|| text("/spec/subject/ref").map(str::to_owned))
        .or_else(|| text("/id").map(|id| format!("{noun}:{id}")))
        .unwrap_or_else(|| noun.to_owned())
}

/// As references write names.
fn escaped(name: &str) -> String {
    name.replace('%', "%25").replace('/', "%2F").replace('@', "%40")
}

/// How events are told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The registry, as events name it.
    pub source: String,
    /// Whether receivers may be on this machine or in private networks.
    pub allow_private: bool,
    /// Seconds to wait after each failed attempt but the last.
    pub retry: Vec<u64>,
}

/// A faulty parameter.
fn parameter(name: &str, detail: impl Into<String>) -> Error {
    Error::invalid(&format!("/{name}"), detail)
}

/// The kinds that a parameter names, all where it is left out.
///
/// # Errors
/// A pattern that means none.
pub fn wanted(parameter_kinds: Option<&str>) -> Result<Vec<&'static str>> {
    let patterns: Vec<&str> = parameter_kinds.unwrap_or("*").split(',').map(str::trim).collect();
    if patterns.len() > MOST_PATTERNS {
        return Err(parameter(
            "kinds",
            format!("{} patterns are too many: give {MOST_PATTERNS} at most", patterns.len()),
        ));
    }
    kinds(&patterns).map_err(|(_, detail)| parameter("kinds", detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn patterns_name_kinds_or_are_refused() {
        assert_eq!(kinds(&["gap.*"]).unwrap(), ["gap.opened", "gap.changed", "gap.closed"]);
        assert_eq!(kinds(&["decision.made", "decision.*"]).unwrap(), ["decision.made"]);
        assert_eq!(kinds(&["*"]).unwrap().len(), KINDS.len());
        assert_eq!(kinds(&["gap.*", "gaps.*"]).unwrap_err().0, 1);
        assert!(wanted(Some(&"*,".repeat(50))).is_err());
        assert!(wanted(Some("gap.opened, vote.cast")).is_ok_and(|kinds| kinds.len() == 2));
    }

    #[test]
    fn an_event_says_what_it_is_about() {
        let about = |kind: &str, data: Value| subject(kind, &data);
        let id = "01939f00-0000-7000-8000-000000000000";
        for (kind, data, wanted) in [
            ("basis.revised", json!({"id": id, "rev": 3, "spec": {"key": "k"}}), "basis:k@3"),
            ("dataset.registered", json!({"spec": {"namespace": "s3://b", "name": "a@b"}}), "dataset:s3:%2F%2Fb/a%40b"),
            (
                "dataset_version.registered",
                json!({"spec": {"dataset": "dataset:a/b", "version": "1"}}),
                "dataset:a/b@1",
            ),
            ("dataset_version.life_changed", json!({"id": id, "reference": "dataset:a/b@1"}), "dataset:a/b@1"),
            ("release.proposed", json!({"rev": 2, "spec": {"deployment": "deployment:d"}}), "release:d@2"),
            ("release.moved", json!({"id": id, "reference": "release:d@2"}), "release:d@2"),
            ("approval.granted", json!({"id": id, "spec": {"subject": {"ref": "basis:k@3"}}}), "basis:k@3"),
            ("approval.revoked", json!({"id": id, "spec": {"ref": "basis:k@3"}}), "basis:k@3"),
            ("gap.opened", json!({"id": id, "spec": {"cause": "basis:k@3"}}), "basis:k@3"),
            ("decision.made", json!({"id": id, "spec": {"id": id}}), "decision:01939f00-0000-7000-8000-000000000000"),
        ] {
            assert_eq!(about(kind, data), wanted);
        }
    }

    #[test]
    fn hashes_of_secrets_are_not_told() {
        assert_eq!(public(json!({"spec": {"label": "x", "secret_hash": "sha256:0"}})), json!({"spec": {"label": "x"}}));
    }
}

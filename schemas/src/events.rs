//! What happens, told to others: subscriptions of receivers, deliveries, and the events themselves (`CloudEvents` 1.0).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::registry::uuid_text::Uuid;
use crate::text::{KindPattern, Sentence, SigningSecret, Uri};
use crate::time::Timestamp;

/// Tell a receiver what happens, from now on.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookCreate {
    /// Where events are posted: `https`, or `http` where nothing stands between.
    pub url: Uri,
    /// Which kinds of facts, as globs: `gap.*`, `decision.made`. Absent, all.
    #[serde(default = "every")]
    #[schemars(length(min = 1, max = 50))]
    pub kinds: Vec<KindPattern>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Sentence>,
    /// The secret that signs; absent, a random one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SigningSecret>,
}

fn every() -> Vec<KindPattern> {
    "*".parse().into_iter().collect()
}

/// A subscription as recorded: what is told, and to which host. Address and secret stay outside the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookSpec {
    /// Which kinds of facts, as globs.
    pub kinds: Vec<KindPattern>,
    /// Host of the receiver.
    pub host: String,
}

/// Answer to [`WebhookCreate`]: the only time the secret is seen.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookCreated {
    /// Id of the subscription.
    pub id: Uuid,
    /// The secret that signs: `whsec_` and base64, as Standard Webhooks writes it.
    pub secret: SigningSecret,
}

/// A subscription as listed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookView {
    /// Id of the subscription.
    pub id: Uuid,
    /// Where events are posted.
    pub url: String,
    /// Which kinds of facts.
    pub kinds: Vec<KindPattern>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who subscribed.
    pub actor: String,
    /// Since when.
    pub created_at: Timestamp,
    /// Ledger position up to which events were posted once.
    pub position: u64,
    /// Deliveries that failed and are tried again.
    pub waiting: u64,
    /// Deliveries given up.
    pub dead: u64,
}

/// Where a delivery that failed stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It is tried again.
    Waiting,
    /// It was given up.
    Dead,
}

/// A delivery that failed. What was received is not kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Delivery {
    /// Ledger position of the event.
    pub seq: u64,
    /// Where it stands.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next; of a dead one, when it was given up.
    pub next_at: Timestamp,
    /// HTTP status of the last answer, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What went wrong.
    pub error: String,
}

/// Query of the deliveries.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeliveriesQuery {
    /// Only those that stand so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<DeliveryState>,
    /// Only events after this ledger position.
    #[serde(default)]
    pub after: u64,
    /// Deliveries a page, 1 to 1000.
    #[serde(default = "hundred")]
    #[schemars(range(min = 1, max = 1000))]
    pub limit: u16,
}

fn hundred() -> u16 {
    100
}

/// Deliver again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Redelivery {
    /// Ledger position of one event, received or not; absent, everything given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
}

/// An event: a fact, in the form of `CloudEvents` 1.0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CloudEvent {
    /// `1.0`.
    pub specversion: String,
    /// Ledger position; with `source` it is unique.
    pub id: String,
    /// The registry.
    pub source: String,
    /// `eu.licit.` and the kind of fact.
    pub r#type: String,
    /// What it is about.
    pub subject: String,
    /// When it was recorded.
    pub time: Timestamp,
    /// `application/json`.
    pub datacontenttype: String,
    /// Opaque id of who did it.
    pub actor: Uuid,
    /// The fact's data, without hashes of secrets.
    pub data: serde_json::Value,
}

/// Query of the stream of events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventsQuery {
    /// Only events after this ledger position. The header `Last-Event-ID` says the same. Absent, from the first; with `follow`,
    /// from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// Which kinds of facts, as globs with commas between: `gap.*,decision.made`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kinds: Option<String>,
    /// Go on with what is recorded from now on; else the stream ends with what there is.
    #[serde(default)]
    pub follow: bool,
    /// Events after which it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

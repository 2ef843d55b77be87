//! Receivers are subscribed, changed and let go, as those of the registry are.

use licit_schemas::events::WebhookSpec;
use uuid::Uuid;

use super::SECRET;
use crate::adapters::mlflow::fact::{WebhookChange, WebhookChanged};
use crate::adapters::mlflow::fault;
use crate::catalogue::Stated;
use crate::db::Projection;
use crate::db::outbox::{Outbox, Receiver};
use crate::error::{Error, Result};
use crate::events::operations::unsubscribe;
use crate::facts::{Fact, Tx};

/// Receivers at most, those of the registry counted.
const MOST: usize = 100;
/// What they are told of.
const KINDS: [&str; 2] = ["mlflow_model.changed", "mlflow_version.changed"];

/// What a client states of a webhook; what is left out stays as it was.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the members are the protocol's own words")]
pub struct Wanted {
    pub name: Option<String>,
    pub description: Option<String>,
    pub url: Option<String>,
    /// The host of the address, which was looked up.
    pub host: String,
    pub events: Option<Vec<String>>,
    pub secret: Option<String>,
    pub active: Option<bool>,
}

/// There is no such webhook.
pub fn none(id: &str) -> Error {
    let shown: String = id.chars().filter(|c| !c.is_control()).take(100).collect();
    fault::none(format!("Webhook with ID {shown} not found."))
}

fn subscribe(tx: &mut Tx<'_>, url: &str, host: &str, secret: &str) -> Result<Uuid> {
    if tx.world().events.subscribed().count() >= MOST {
        return Err(fault::state(format!("{MOST} receivers are subscribed: delete one first.")));
    }
    let id = tx.new_id();
    let kinds = KINDS.iter().filter_map(|kind| kind.parse().ok()).collect();
    tx.record(Fact::WebhookSubscribed(Stated { id, rev: 1, spec: WebhookSpec { kinds, host: host.to_owned() } }))?;
    let position = tx.world().position();
    tx.outbox(Outbox::Subscribe(Box::new(Receiver {
        id: id.to_string(),
        url: url.to_owned(),
        secret: format!("{SECRET}{secret}"),
        description: String::new(),
        actor: tx.actor().to_string(),
        created_at: tx.now().naive(),
        position: i64::try_from(position).unwrap_or(i64::MAX),
        claimed_until: tx.now().naive(),
    })));
    Ok(id)
}

fn record(tx: &mut Tx<'_>, webhook: Uuid, change: WebhookChange) -> Result<()> {
    tx.record(Fact::MlflowWebhookChanged(WebhookChanged { webhook, change }))?;
    Ok(())
}

/// A new one; its id.
///
/// # Errors
/// Too many.
pub fn create(tx: &mut Tx<'_>, wanted: &Wanted) -> Result<Uuid> {
    let url = wanted.url.as_deref().ok_or_else(|| fault::missing("url"))?;
    let receiver = subscribe(tx, url, &wanted.host, wanted.secret.as_deref().unwrap_or_default())?;
    let id = tx.new_id();
    let change = WebhookChange::Stated {
        name: wanted.name.clone().unwrap_or_default(),
        description: wanted.description.clone().unwrap_or_default(),
        events: wanted.events.clone().unwrap_or_default(),
        active: wanted.active.unwrap_or(true),
        receiver,
    };
    record(tx, id, change)?;
    Ok(id)
}

/// Change one. At another address, or under another secret, it is another receiver.
///
/// # Errors
/// There is none.
pub fn update(tx: &mut Tx<'_>, id: Uuid, wanted: &Wanted) -> Result<()> {
    let hook = tx.world().mlflow.hooks.get(id).cloned().ok_or_else(|| none(&id.to_string()))?;
    let mut receiver = hook.receiver;
    if wanted.url.is_some() || wanted.secret.is_some() {
        let known = tx.receiver(hook.receiver)?.ok_or_else(|| none(&id.to_string()))?;
        let before = tx.world().events.get(hook.receiver).map(|spec| spec.host.clone()).unwrap_or_default();
        let own = known.secret.strip_prefix(SECRET).unwrap_or_default();
        let url = wanted.url.clone().unwrap_or_else(|| known.url.clone());
        let host = if wanted.url.is_some() { wanted.host.clone() } else { before };
        let secret = wanted.secret.clone().unwrap_or_else(|| own.to_owned());
        unsubscribe(tx, hook.receiver)?;
        receiver = subscribe(tx, &url, &host, &secret)?;
    }
    let change = WebhookChange::Stated {
        name: wanted.name.clone().unwrap_or_else(|| hook.name.clone()),
        description: wanted.description.clone().unwrap_or_else(|| hook.description.clone()),
        events: wanted.events.clone().unwrap_or_else(|| hook.events.clone()),
        active: wanted.active.unwrap_or(hook.active),
        receiver,
    };
    record(tx, id, change)
}

/// Let one go, with its address and its secret.
///
/// # Errors
/// There is none.
pub fn delete(tx: &mut Tx<'_>, id: Uuid) -> Result<()> {
    let hook = tx.world().mlflow.hooks.get(id).cloned().ok_or_else(|| none(&id.to_string()))?;
    if tx.world().events.get(hook.receiver).is_some() {
        unsubscribe(tx, hook.receiver)?;
    }
    record(tx, id, WebhookChange::Deleted)
}

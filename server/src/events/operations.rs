//! Subscribing receivers, ending that, and asking for deliveries again.

use licit_schemas::events::{WebhookCreate, WebhookSpec};
use licit_schemas::text::SigningSecret;
use licit_schemas::time::Timestamp;
use uuid::Uuid;

use super::{Unsubscribed, kinds};
use crate::catalogue::Stated;
use crate::db::Projection;
use crate::db::outbox::{Outbox, Receiver};
use crate::error::{Error, Result};
use crate::facts::{Fact, Tx};

/// Receivers at most: each is posted to by itself.
const MOST: usize = 100;

/// Subscribe a receiver to what is recorded from now on. The ledger holds whom and what; address and secret stand beside it.
///
/// # Errors
/// A pattern that means no kind; too many receivers.
pub fn subscribe(tx: &mut Tx<'_>, create: &WebhookCreate, secret: &SigningSecret, host: &str) -> Result<Uuid> {
    kinds(&create.kinds).map_err(|(place, detail)| Error::invalid(&format!("/kinds/{place}"), detail))?;
    if tx.world().events.subscribed().count() >= MOST {
        return Err(Error::conflict(format!("{MOST} receivers are subscribed: delete one first")));
    }
    let id = tx.new_id();
    let spec = WebhookSpec { kinds: create.kinds.clone(), host: host.to_owned() };
    let seq = tx.record(Fact::WebhookSubscribed(Stated { id, rev: 1, spec }))?;
    tx.outbox(Outbox::Subscribe(Box::new(Receiver {
        id: id.to_string(),
        url: create.url.to_string(),
        secret: secret.to_string(),
        description: create.description.as_ref().map(ToString::to_string).unwrap_or_default(),
        actor: tx.actor().to_string(),
        created_at: tx.now().naive(),
        position: i64::try_from(seq).unwrap_or(i64::MAX),
        claimed_until: tx.now().naive(),
    })));
    Ok(id)
}

fn known(tx: &Tx<'_>, id: Uuid) -> Result<()> {
    match tx.world().events.get(id) {
        Some(_) => Ok(()),
        None => Err(Error::NotFound(format!("there is no webhook `{id}`"))),
    }
}

/// Tell a receiver no more, and forget its address, its secret and what failed.
///
/// # Errors
/// An unknown receiver.
pub fn unsubscribe(tx: &mut Tx<'_>, id: Uuid) -> Result<()> {
    known(tx, id)?;
    tx.record(Fact::WebhookUnsubscribed(Unsubscribed { id }))?;
    tx.outbox(Outbox::Unsubscribe(id));
    Ok(())
}

/// Deliver again: one event, or everything given up.
///
/// # Errors
/// An unknown receiver, a position the ledger has not reached.
pub fn again(tx: &mut Tx<'_>, id: Uuid, seq: Option<u64>) -> Result<()> {
    known(tx, id)?;
    let head = tx.world().position();
    if let Some(seq) = seq.filter(|seq| *seq == 0 || *seq > head) {
        return Err(Error::invalid("/seq", format!("`{seq}` is no ledger position between 1 and {head}")));
    }
    let now = tx.now();
    tx.outbox(Outbox::Again { webhook: id, seq: seq.map(|seq| i64::try_from(seq).unwrap_or(i64::MAX)), now });
    Ok(())
}

/// Take a receiver for this server alone until a moment; none if another has it, or it is gone.
///
/// # Errors
/// What the database said.
pub fn claim(tx: &mut Tx<'_>, id: Uuid, until: Timestamp) -> Result<Option<Receiver>> {
    let now = tx.now().naive();
    let free = tx.receiver(id)?.filter(|receiver| receiver.claimed_until <= now);
    if free.is_some() {
        tx.outbox(Outbox::Claim(id, until));
    }
    Ok(free)
}

//! Uses over HTTP, and the proof that there was a right at a moment.

use licit_schemas::known::KnownAt;
use licit_schemas::proof::in_force::{FORM, InForceProof, MOST_BETWEEN, MOST_USES, UseSaid};
use licit_schemas::resource::{ListQuery, Outcome, Page};
use licit_schemas::time::Timestamp;
use licit_schemas::uses::{UseCreate, UseFigures, UseFiguresQuery, UseTaken, UsesQuery};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{record, right_at, state};
use crate::api;
use crate::db::{Projection, listing};
use crate::error::{Error, Result};
use crate::gate::api::{asked, off, receipt_of};
use crate::gate::in_force;
use crate::http::{Body, Ctx, Reply};
use crate::ledger::attest;

/// Record uses.
pub async fn create_use(ctx: Ctx, body: Body) -> Result<Reply> {
    let create: UseCreate = body.read()?;
    let key = ctx.key(&body.0)?;
    let answer: UseTaken = ctx.write_once(key, move |tx| record(tx, create.clone())).await?;
    match answer.registered.outcome {
        Outcome::Created => Reply::created(&answer),
        Outcome::Unchanged => Reply::ok(&answer),
    }
}

/// A deployment as people name it.
fn deployment(named: String) -> String {
    if named.starts_with("deployment:") { named } else { format!("deployment:{named}") }
}

/// Uses recorded, newest first.
pub async fn list_uses(ctx: Ctx) -> Result<Reply> {
    let query: UsesQuery = ctx.query()?;
    let query = ListQuery {
        parent: query.deployment.map(deployment),
        state: query.right.map(|right| state(right).to_owned()),
        valid_at: query.valid_at,
        known_at: query.known_at,
        limit: query.limit,
        cursor: query.cursor,
        ..ListQuery::default()
    };
    api::list_of(ctx, "use", query).await
}

/// By deployment, how often it was used, and how often without a right.
pub async fn figures(ctx: Ctx) -> Result<Reply> {
    let query: UseFiguresQuery = ctx.query()?;
    let wanted = query.deployment.map(deployment);
    let world = ctx.app.db.known(query.known_at).await?;
    let all = world.gate.uses.figures().filter(|one| wanted.as_ref().is_none_or(|wanted| one.deployment == *wanted));
    Reply::ok(&Page::<UseFigures> { items: all.cloned().collect(), next: None })
}

/// Query of a proof.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProofQuery {
    /// The moment.
    pub at: Timestamp,
}

/// That a deployment ran at a moment under a decision that allowed it.
pub async fn proof(ctx: Ctx) -> Result<Reply> {
    let id = ctx.id()?;
    let at = ctx.query::<ProofQuery>()?.at;
    if at > ctx.now {
        return Err(Error::invalid("/at", "has not come yet: what was in force is proven afterwards"));
    }
    let (db, signing) = (&ctx.app.db, &ctx.app.signing);
    attest::undisputed(signing)?;
    let row = db.look_up(move |conn| listing::by_id(conn, "deployment", &id.to_string())).await?;
    let row = row.ok_or_else(|| Error::NotFound(format!("there is no deployment `{id}`")))?;
    let then = db.known(Some(KnownAt::Time(at))).await?;
    let position = then.position();
    let name = row.reference.clone();
    let (world, ran) = (then.clone(), off(move || right_at(&then, &name, at)).await??);
    let (recorded, _) = asked(&ctx, ran.decision).await?;
    let turns = world.gate.uses.activation(&row.reference, &ran);
    let Some((activation, moves)) = turns else {
        return Err(Error::Internal(format!("`{}` was active and never made so", ran.release)));
    };
    let parent = row.reference.clone();
    let covering = ListQuery {
        parent: Some(parent),
        valid_at: Some(at),
        limit: u16::try_from(MOST_USES).unwrap_or(100),
        ..ListQuery::default()
    };
    let page = db.read(move |conn| listing::list(conn, "use", &covering)).await?;
    let mut used: Vec<u64> = page.items.iter().filter_map(|row| u64::try_from(row.since_seq).ok()).collect();
    used.sort_unstable();
    let uses = used.clone();
    let said = db.read(move |conn| {
        let said = uses.iter().map(|seq| attest::committed(conn, *seq));
        let said = said.map(|one| one.map(|(entry, data)| UseSaid { entry, data }));
        said.collect::<Result<Vec<_>>>()
    });
    let said = (said.await?, page.next.is_some());
    let present = db.fresh().await?;
    let origin = signing.in_force(&present)?.1.name().clone();
    let entry = recorded.entry;
    let statement = off(move || in_force::statement(&world, &recorded, (at, activation), said, &origin)).await??;
    let sealed = attest::seal(signing, &present, &statement).await?;
    // The entry after the moment is shown, where there is one: the tree must have it.
    let newest = used.last().copied().unwrap_or(0).max(position);
    let signed = attest::covering(db, signing, &sealed.by, newest.max(present.position())).await?;
    let head = signed.checkpoint.head;
    let first = entry.min(activation);
    let moves: Vec<u64> = moves.into_iter().filter(|seq| *seq >= first).collect();
    // A decision has a receipt, or says why not: the proof holds without.
    let receipt = receipt_of(&ctx, ran.decision).await.ok().map(|(receipt, _)| receipt.envelope);
    let checkpoint = signed.note.to_string();
    let proof = db.read(move |conn| {
        let many = position.saturating_sub(first) >= MOST_BETWEEN;
        let next = (position < head.size).then(|| attest::proven(conn, position + 1, &head, false)).transpose()?;
        Ok(InForceProof {
            form: FORM.to_owned(),
            envelope: sealed.envelope,
            decision: attest::proven(conn, entry, &head, true)?,
            moves: moves.iter().map(|seq| attest::proven(conn, *seq, &head, true)).collect::<Result<_>>()?,
            last: attest::proven(conn, position, &head, false)?,
            next,
            between: (!many).then(|| attest::between(conn, first, position, &head)).transpose()?,
            uses: used.iter().map(|seq| attest::proven(conn, *seq, &head, true)).collect::<Result<_>>()?,
            receipt,
            checkpoint,
        })
    });
    Reply::ok(&proof.await?)
}

//! The gate over HTTP.

use licit_schemas::gate::{Activation, Decision, Gap, GateRequest, Intent};
use licit_schemas::registration::PlanRequest;
use licit_schemas::resource::Page;
use serde::Deserialize;

use super::operations;
use crate::error::{Error, Result};
use crate::facts::word;
use crate::http::{Body, Ctx, Reply};
use crate::ledger::store::kept_evidence;

/// Ask the gate. Allow and deny are both answers.
pub async fn ask(ctx: Ctx, body: Body) -> Result<Reply> {
    let request: GateRequest = body.read()?;
    let ask = operations::ask(&request, ctx.now)?;
    let decision = if request.dry_run {
        operations::dry(&*ctx.app.db.fresh().await?, ask)?
    } else {
        if request.valid_at.is_some() {
            return Err(Error::invalid("/valid_at", "only a dry run may ask for another moment"));
        }
        let key = ctx.key(&body.0)?;
        ctx.app
            .db
            .write_once(ctx.caller.actor, ctx.now, key, move |tx| {
                let mut ask = ask.clone();
                ask.valid_at = tx.now();
                operations::decide(tx, ask)
            })
            .await?
    };
    ctx.app.metrics.decision(&word(&decision.verdict), !request.dry_run);
    Reply::ok(&decision)
}

fn answer(ctx: &Ctx, decision: Decision) -> Result<Reply> {
    ctx.app.metrics.decision(&word(&decision.verdict), true);
    if operations::refused(&decision) {
        return Err(Error::Refused(Box::new(decision)));
    }
    Reply::ok(&decision)
}

/// Activate a release.
pub async fn activate(ctx: Ctx, body: Body) -> Result<Reply> {
    let id = ctx.id()?;
    let activation: Activation = body.read()?;
    let key = ctx.key(&body.0)?;
    let decision = ctx
        .app
        .db
        .write_once(ctx.caller.actor, ctx.now, key, move |tx| operations::activate(tx, id, &activation, Intent::Start))
        .await?;
    answer(&ctx, decision)
}

/// Roll back to the release that ran before.
pub async fn rollback(ctx: Ctx, body: Body) -> Result<Reply> {
    let id = ctx.id()?;
    let activation: Activation = body.read()?;
    let key = ctx.key(&body.0)?;
    let decision = ctx
        .app
        .db
        .write_once(ctx.caller.actor, ctx.now, key, move |tx| operations::rollback(tx, id, &activation))
        .await?;
    answer(&ctx, decision)
}

/// What a registration and releases would lead to.
pub async fn plan(ctx: Ctx, body: Body) -> Result<Reply> {
    let request: PlanRequest = body.read()?;
    let plan = ctx.app.db.try_out(ctx.caller.actor, ctx.now, move |tx| operations::plan(tx, request)).await?;
    Reply::ok(&plan)
}

/// Query of the gaps.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GapQuery {
    /// One deployment, with or without `deployment:` before it.
    #[serde(default)]
    pub deployment: Option<String>,
}

/// Gaps as they are now; what opened or closed since somebody last looked is recorded.
pub async fn gaps(ctx: Ctx) -> Result<Reply> {
    let query: GapQuery = ctx.query()?;
    let wanted = query.deployment.map(|d| if d.starts_with("deployment:") { d } else { format!("deployment:{d}") });
    let world = ctx.app.db.fresh().await?;
    let now = ctx.now;
    let mut open = operations::gaps_now(&world, None, now);
    if operations::changed(&world, &open) {
        ctx.app
            .db
            .write(ctx.caller.actor, now, move |tx| {
                // Judged again inside the write: another server may have noticed meanwhile.
                let open = operations::gaps_now(tx.world(), None, tx.now());
                operations::notice(tx, &open)
            })
            .await?;
    }
    let world = ctx.app.db.world();
    for gap in &mut open {
        if let Some((_, known)) = world.gate.gap(&super::gap_key(gap)) {
            gap.opened_at = known.opened_at;
            if gap.finding.since.is_none() {
                gap.finding.due = known.finding.due;
            }
        }
    }
    open.retain(|gap| wanted.as_ref().is_none_or(|w| *w == gap.deployment));
    Reply::ok(&Page::<Gap> { items: open, next: None })
}

/// The canonical evidence of a decision.
pub async fn evidence(ctx: Ctx) -> Result<Reply> {
    let id = ctx.id()?.to_string();
    let text = ctx
        .app
        .db
        .read(move |conn| {
            let row = crate::db::listing::by_id(conn, "decision", &id)?
                .ok_or_else(|| Error::NotFound(format!("there is no decision `{id}`")))?;
            let decision: Decision =
                serde_json::from_str(&row.doc).map_err(|e| Error::Internal(format!("decision {id}: {e}")))?;
            kept_evidence(conn, &decision.evidence_digest)
        })
        .await?;
    Ok(Reply::text("application/json", text))
}

/// Open a review, with this gate's policy and envelopes.
pub async fn create_review(ctx: Ctx, body: Body) -> Result<Reply> {
    crate::review::api::create_review(ctx, body, operations::terms, super::envelope::under_review).await
}

/// Propose a policy.
pub async fn create_policy(ctx: Ctx, body: Body) -> Result<Reply> {
    crate::api::create(ctx, body, "policies", operations::policy).await
}

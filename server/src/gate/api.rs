//! The gate over HTTP.

use std::sync::Arc;

use licit_schemas::adoption::{
    BaselineCreate, BreakGlassCreate, ContestCreate, LooseningSpec, RuleContests, SettlementCreate,
};
use licit_schemas::gate::{Activation, Decision, Gap, GapQuery, GateAnswer, GateRequest, Intent, Rollback};
use licit_schemas::ledger::EntryView;
use licit_schemas::proof::bundle::bundle;
use licit_schemas::proof::dsse::DsseFault;
use licit_schemas::proof::receipt::{FORM, Receipt, refused};
use licit_schemas::registration::PlanRequest;
use licit_schemas::reports::ReplayQuery;
use licit_schemas::resource::{GetQuery, MomentQuery, Page};
use licit_schemas::time::Timestamp;
use uuid::Uuid;

use super::gaps::{Judged, Watch};
use super::receipt::Recorded;
use super::{baseline, contest, emergency, gaps, modes, operations, receipt, replay};
use crate::api;
use crate::db::rows::Row;
use crate::db::{Conn, Projection};
use crate::error::{Error, Result};
use crate::facts::{Db, Tx, word};
use crate::http::{Body, Ctx, Reply};
use crate::ledger::attest;
use crate::ledger::store::{entry, kept_evidence};

/// Ask the gate. Allow and deny are both answers.
pub async fn ask(ctx: Ctx, body: Body) -> Result<Reply> {
    let request: GateRequest = body.read()?;
    let ask = operations::ask(&request, ctx.now)?;
    let decision = if request.dry_run {
        operations::dry(&*ctx.app.db.known(request.known_at).await?, ask)?
    } else {
        if request.valid_at.is_some() {
            return Err(Error::invalid("/valid_at", "only a dry run may ask for another moment"));
        }
        if request.known_at.is_some() {
            return Err(Error::invalid("/known_at", "only a dry run may know less than all there is"));
        }
        ctx.write(move |tx| {
            let mut ask = ask.clone();
            ask.valid_at = tx.now();
            operations::decide(tx, ask)
        })
        .await?
    };
    ctx.app.metrics.decision(&word(&decision.verdict), !request.dry_run);
    if !request.receipt {
        return Reply::ok(&decision);
    }
    let receipt = match refused(&decision) {
        Some(why) => Err(Error::conflict(why)),
        None => receipt_of(&ctx, decision.id.0).await,
    };
    // What was decided is recorded, and said, whether it can be signed just now or not.
    let (receipt, no_receipt) = match receipt {
        Ok((receipt, _)) => (Some(Box::new(receipt)), None),
        Err(error) => {
            if let Error::Internal(why) = &error {
                tracing::error!(decision = %decision.id.0, %why, "no receipt");
            }
            let problem = error.problem(None);
            (None, Some(problem.detail.unwrap_or(problem.title)))
        }
    };
    Reply::ok(&GateAnswer { decision, receipt, no_receipt })
}

/// A recorded decision with the question it answered; its entry and its data.
pub(super) async fn asked(ctx: &Ctx, id: Uuid) -> Result<(Recorded, EntryView)> {
    let id = id.to_string();
    ctx.app
        .db
        .read(move |conn| {
            let row = row(conn, &id)?;
            let (decision, _, evidence) = recorded(conn, &id)?;
            let view = entry(conn, u64::try_from(row.since_seq).unwrap_or(0))?;
            let ask = replay::question(&decision, &evidence)?;
            Ok((Recorded { decision, ask, entry: view.entry.seq, data: view.entry.data }, view))
        })
        .await
}

/// The receipt of a decision, and the name of the key that signed it.
pub(super) async fn receipt_of(ctx: &Ctx, id: Uuid) -> Result<(Receipt, String)> {
    let (db, signing) = (&ctx.app.db, &ctx.app.signing);
    let (recorded, view) = asked(ctx, id).await?;
    attest::undisputed(signing)?;
    let then = db.at(recorded.decision.position).await?;
    let world = db.fresh().await?;
    let (_, vkey) = signing.in_force(&world)?;
    let seq = recorded.entry;
    let origin = vkey.name().clone();
    let statement = off(move || receipt::statement(&then, &recorded, &origin)).await??;
    let sealed = attest::seal(signing, &world, &statement).await?;
    let hint = sealed.hint();
    let signed = attest::covering(db, signing, &sealed.by, seq).await?;
    let head = signed.checkpoint.head;
    let proven = db.read(move |conn| attest::proven(conn, seq, &head, false)).await?;
    let receipt = Receipt {
        form: FORM.to_owned(),
        envelope: sealed.envelope,
        entry: view.entry,
        data: view.data,
        inclusion: proven.inclusion,
        checkpoint: signed.note.to_string(),
    };
    Ok((receipt, hint))
}

/// The receipt of a decision that allowed.
pub async fn receipt(ctx: Ctx) -> Result<Reply> {
    Reply::ok(&receipt_of(&ctx, ctx.id()?).await?.0)
}

/// Its signed statement as a bundle.
pub async fn receipt_bundle(ctx: Ctx) -> Result<Reply> {
    let (receipt, hint) = receipt_of(&ctx, ctx.id()?).await?;
    let broken = |e: DsseFault| Error::Internal(format!("receipt: {e}"));
    let envelope = receipt.envelope.open().map_err(broken)?;
    Reply::ok(&bundle(&envelope, &hint).map_err(broken)?)
}

/// What became of a decision since: what no receipt can say.
pub async fn status(ctx: Ctx) -> Result<Reply> {
    let (recorded, _) = asked(&ctx, ctx.id()?).await?;
    let (world, now) = (ctx.app.db.fresh().await?, ctx.now);
    let status = off(move || receipt::status(&world, &recorded, now)).await??;
    Ok(Reply::ok(&status)?.cached("private, max-age=5"))
}

fn answer(ctx: &Ctx, decision: Decision) -> Result<Reply> {
    ctx.app.metrics.decision(&word(&decision.verdict), true);
    if operations::refused(&decision) {
        return Err(Error::Refused(Box::new(decision)));
    }
    Reply::ok(&decision)
}

/// A retry of what was let through finds it done, and moves nothing again; a retry of what was refused is judged anew.
fn settles(decision: &Decision) -> bool {
    !operations::refused(decision)
}

/// Activate a release.
pub async fn activate(ctx: Ctx, body: Body) -> Result<Reply> {
    let id = ctx.id()?;
    let activation: Activation = body.read()?;
    let key = ctx.key(&body.0)?;
    let decision =
        ctx.write_until(key, settles, move |tx| operations::activate(tx, id, &activation, Intent::Start)).await?;
    answer(&ctx, decision)
}

/// Let a denied release through in an emergency.
pub async fn break_glass(ctx: Ctx, body: Body) -> Result<Reply> {
    let id = ctx.id()?;
    let create: BreakGlassCreate = body.read()?;
    let key = ctx.key(&body.0)?;
    let decision = ctx.write_until(key, settles, move |tx| emergency::break_glass(tx, id, &create)).await?;
    answer(&ctx, decision)
}

/// Say that a finding is wrong.
pub async fn create_contest(ctx: Ctx, body: Body) -> Result<Reply> {
    api::create::<ContestCreate>(ctx, body, "contests", |tx, create| contest::contest(tx, &create)).await
}

/// Settle a contest.
pub async fn settle_contest(ctx: Ctx, body: Body) -> Result<Reply> {
    let id = ctx.id()?;
    api::create::<SettlementCreate>(ctx, body, "", move |tx, create| contest::settle(tx, id, &create)).await
}

/// By rule, how often findings were contested, and rightly.
pub async fn contest_figures(ctx: Ctx) -> Result<Reply> {
    let query: GetQuery = ctx.query()?;
    let items = ctx.app.db.known(query.known_at).await?.gate.contests.figures();
    Reply::ok(&Page::<RuleContests> { items, next: None })
}

/// Propose that an environment enforces less for a while.
pub async fn create_loosening(ctx: Ctx, body: Body) -> Result<Reply> {
    api::create::<LooseningSpec>(ctx, body, "loosenings", modes::propose).await
}

/// Roll back to a release that ran before.
pub async fn rollback(ctx: Ctx, body: Body) -> Result<Reply> {
    let id = ctx.id()?;
    let rollback: Rollback = body.read()?;
    let key = ctx.key(&body.0)?;
    let decision = ctx.write_until(key, settles, move |tx| operations::rollback(tx, id, &rollback)).await?;
    answer(&ctx, decision)
}

/// What a registration and releases would lead to.
pub async fn plan(ctx: Ctx, body: Body) -> Result<Reply> {
    let request: PlanRequest = body.read()?;
    let known_at = request.known_at;
    let work = move |tx: &mut Tx<'_>| operations::plan(tx, request);
    let plan = ctx.app.db.try_out(ctx.caller.actor, ctx.now, known_at, work).await?;
    Reply::ok(&plan)
}

/// What is open now, off the async threads; what opened, changed or closed since somebody last looked is recorded, by nobody in
/// particular.
///
/// # Errors
/// Those of writing.
pub async fn look(db: &Db, watch: &Watch, now: Timestamp) -> Result<Arc<Judged>> {
    let world = db.fresh().await?;
    if let Some(judged) = watch.last(world.position(), now) {
        return Ok(judged);
    }
    let judging = move || {
        let judged = Judged::now(&world, now);
        let news = gaps::news(&world, &judged.open);
        (judged, news)
    };
    let (mut judged, news) = off(judging).await?;
    if !news.is_empty() {
        let facts = db.write(Uuid::nil(), now, move |tx| gaps::notice(tx, &news)).await?;
        judged = judged.recorded(&db.world(), facts);
    }
    Ok(watch.keep(judged))
}

pub(super) async fn off<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    actix_web::web::block(work).await.map_err(|e| Error::Busy(format!("the server is stopping: {e}")))
}

/// Gaps as they are, or as they were known or would be.
pub async fn list_gaps(ctx: Ctx) -> Result<Reply> {
    let query: GapQuery = ctx.query()?;
    let wanted = query.deployment.map(|d| if d.starts_with("deployment:") { d } else { format!("deployment:{d}") });
    let open: Vec<Gap> = if query.known_at.is_some() || query.valid_at.is_some() {
        let (world, at) = (ctx.app.db.known(query.known_at).await?, query.valid_at.unwrap_or(ctx.now));
        off(move || gaps::open(&world, None, at)).await?.into_values().collect()
    } else {
        look(&ctx.app.db, &ctx.app.gaps, ctx.now).await?.open.values().cloned().collect()
    };
    let items = open
        .into_iter()
        .filter(|gap| query.owner.as_ref().is_none_or(|owner| *owner == gap.owner))
        .filter(|gap| wanted.as_ref().is_none_or(|w| gap.affected.iter().any(|a| a.deployment == *w)))
        .collect();
    Reply::ok(&Page::<Gap> { items, next: None })
}

/// Take over today's findings of what runs.
pub async fn create_baseline(ctx: Ctx, body: Body) -> Result<Reply> {
    api::create::<BaselineCreate>(ctx, body, "baselines", baseline::create).await
}

/// How far a baseline is worked off.
pub async fn baseline_progress(ctx: Ctx) -> Result<Reply> {
    let id = ctx.id()?;
    let query: MomentQuery = ctx.query()?;
    let world = ctx.app.db.known(query.known_at).await?;
    let found = world.review.baselines.every().find(|b| b.id == id);
    let found = found.ok_or_else(|| Error::NotFound(format!("there is no baseline `{id}`")))?;
    Reply::ok(&baseline::progress(&world, &found.spec, query.valid_at.unwrap_or(ctx.now)))
}

fn row(conn: &mut Conn, id: &str) -> Result<Row> {
    crate::db::listing::by_id(conn, "decision", id)?
        .ok_or_else(|| Error::NotFound(format!("there is no decision `{id}`")))
}

/// A recorded decision, its canonical form, and its kept evidence.
fn recorded(conn: &mut Conn, id: &str) -> Result<(Decision, String, String)> {
    let row = row(conn, id)?;
    let decision: Decision =
        serde_json::from_str(&row.doc).map_err(|e| Error::Internal(format!("decision {id}: {e}")))?;
    let evidence = kept_evidence(conn, &decision.evidence_digest)?;
    Ok((decision, row.doc, evidence))
}

/// The canonical evidence of a decision.
pub async fn evidence(ctx: Ctx) -> Result<Reply> {
    let id = ctx.id()?.to_string();
    let (_, _, text) = ctx.app.db.read(move |conn| recorded(conn, &id)).await?;
    Ok(Reply::text("application/json", text))
}

/// A decision computed again from the ledger.
pub async fn replay_decision(ctx: Ctx) -> Result<Reply> {
    let id = ctx.id()?.to_string();
    let query: ReplayQuery = ctx.query()?;
    let db = &ctx.app.db;
    let (decision, text, evidence) = db.read(move |conn| recorded(conn, &id)).await?;
    let then = db.at(decision.position).await?;
    let known = match query.known_at {
        Some(known_at) => Some(db.known(Some(known_at)).await?),
        None => None,
    };
    Reply::ok(&replay::replay(decision, &text, &evidence, (&then, &db.world()), known.as_deref())?)
}

/// Open a review, with this gate's policy and envelopes.
pub async fn create_review(ctx: Ctx, body: Body) -> Result<Reply> {
    crate::review::api::create_review(ctx, body, operations::terms, super::envelope::under_review).await
}

/// Propose a policy.
pub async fn create_policy(ctx: Ctx, body: Body) -> Result<Reply> {
    crate::api::create(ctx, body, "policies", operations::policy).await
}

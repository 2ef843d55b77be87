//! Reports over HTTP.

use licit_schemas::known::KnownAt;
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::reports::{CalendarQuery, Diff, DiffQuery, ImpactQuery, RecipientsQuery, Standpoint, WhatIfRequest};
use licit_schemas::time::Timestamp;

use super::diff::{Seen, because, rests_on};
use super::{calendar, impact, operations, recipients, stand, store};
use crate::db::{position, recorded_at};
use crate::error::{Error, Result};
use crate::gate::replay::changed;
use crate::http::{Body, Ctx, Reply};

/// What would be.
pub async fn whatif(ctx: Ctx, body: Body) -> Result<Reply> {
    let request: WhatIfRequest = body.read()?;
    let answer = ctx.app.db.try_out(ctx.caller.actor, ctx.now, move |tx| operations::whatif(tx, &request)).await?;
    Reply::ok(&answer)
}

/// Everything downstream of something.
pub async fn impact(ctx: Ctx) -> Result<Reply> {
    let query: ImpactQuery = ctx.query()?;
    let reference: Ref =
        query.r#ref.parse().map_err(|e: licit_schemas::reference::RefFault| Error::invalid("/ref", e.to_string()))?;
    if matches!(reference.kind(), Kind::Decision | Kind::Review) {
        return Err(Error::invalid("/ref", format!("nothing is downstream of a {}", reference.kind())));
    }
    let world = ctx.app.db.known(query.known_at).await?;
    let found = impact::impact(&world, &reference, ctx.now);
    Reply::ok(
        &found.ok_or_else(|| Error::NotFound(format!("there is no `{reference}`, or nothing registered names it")))?,
    )
}

/// Who received what came of something.
pub async fn recipients(ctx: Ctx) -> Result<Reply> {
    let query: RecipientsQuery = ctx.query()?;
    let reference: Ref =
        query.r#ref.parse().map_err(|e: licit_schemas::reference::RefFault| Error::invalid("/ref", e.to_string()))?;
    crate::resolve::expect(&reference, &[Kind::Dataset, Kind::Model, Kind::Run], "/ref")?;
    let world = ctx.app.db.known(query.known_at).await?;
    let found = recipients::recipients(&world, &reference);
    Reply::ok(
        &found.ok_or_else(|| Error::NotFound(format!("there is no `{reference}`, or nothing registered names it")))?,
    )
}

/// What ends when.
pub async fn calendar(ctx: Ctx) -> Result<Reply> {
    let query: CalendarQuery = ctx.query()?;
    let until = query.until.unwrap_or(ctx.now.plus(chrono::Duration::days(90)));
    if until <= ctx.now {
        return Err(Error::invalid("/until", "lies in the past: a calendar shows what is to come"));
    }
    let world = ctx.app.db.fresh().await?;
    Reply::ok(&calendar::calendar(&world, ctx.now, until))
}

/// Where a moment stands: the position known, and the time judged.
async fn moment(ctx: &Ctx, at: KnownAt) -> Result<(u64, Timestamp)> {
    let now = ctx.now;
    ctx.app
        .db
        .read(move |conn| {
            let position = position(conn, at)?;
            let time = match at {
                KnownAt::Now => now,
                KnownAt::Position(_) => recorded_at(conn, position)?,
                KnownAt::Time(time) => time,
            };
            Ok((position, time))
        })
        .await
}

/// What changed for a deployment between two moments, and why.
pub async fn diff(ctx: Ctx) -> Result<Reply> {
    let id = ctx.id()?.to_string();
    let query: DiffQuery = ctx.query()?;
    let db = &ctx.app.db;
    let row = db.read(move |conn| crate::db::listing::by_id(conn, "deployment", &id)).await?;
    let deployment = row.ok_or_else(|| Error::NotFound("there is no such deployment".to_owned()))?.reference;
    let (from, earlier) = moment(&ctx, query.from).await?;
    let (to, later) = moment(&ctx, query.to).await?;
    if from > to || earlier > later {
        return Err(Error::invalid("/to", "lies before `from`"));
    }
    let (then, now) = (db.at(from).await?, db.at(to).await?);
    let (first, last) = (stand(&then, &deployment, earlier), stand(&now, &deployment, later));
    let mut names = rests_on(&then, &deployment, earlier);
    names.extend(rests_on(&now, &deployment, later));
    let facts = db.read(move |conn| store::facts(conn, from, to, &names)).await?;
    // What the passing of time alone would have done, then fact by fact, judged at the later moment.
    let mut seen = vec![Seen { after: None, findings: stand(&then, &deployment, later).findings }];
    for fact in &facts {
        let world = db.at(fact.seq).await?;
        seen.push(Seen { after: Some(fact.clone()), findings: stand(&world, &deployment, later).findings });
    }
    let (came, went) = changed(&first.findings, &last.findings);
    let standpoint =
        |position, at, stand: super::Stand| Standpoint { position, at, release: stand.release, verdict: stand.verdict };
    Reply::ok(&Diff {
        deployment,
        came: because(came, &seen, true),
        went: because(went, &seen, false),
        from: standpoint(from, earlier, first),
        to: standpoint(to, later, last),
        facts,
    })
}

//! Reports over HTTP.

use std::cell::RefCell;
use std::collections::BTreeSet;

use licit_schemas::access::Role;
use licit_schemas::lineage::ExposureQuery;
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::reports::{
    AffectedQuery, CalendarQuery, Diff, DiffQuery, DriftQuery, ImpactQuery, RecipientsQuery, RenewalsQuery, Standpoint,
    SubjectsQuery, SuggestQuery, WhatIfRequest,
};
use licit_schemas::resource::{GetQuery, MomentQuery, Page};

use super::diff::{Seen, because, rests_on};
use super::people::subjects::subjects;
use super::{
    affected, calendar, debt, drift, impact, notices, operations, question, recipients, renewals, stand, store, suggest,
};
use crate::db::Projection;
use crate::error::{Error, Result};
use crate::facts::{Tx, World};
use crate::gate::evidence::anonymous;
use crate::gate::operations as gate;
use crate::gate::replay::changed;
use crate::http::{Body, Ctx, Reply};
use crate::lineage::views;
use crate::resolve::{expect, node};

/// What would be.
pub async fn whatif(ctx: Ctx, body: Body) -> Result<Reply> {
    let request: WhatIfRequest = body.read_quietly()?;
    if !ctx.caller.roles.contains(&Role::Dpo)
        && request.withdraw_consent.iter().any(|withdrawal| !withdrawal.subjects.is_empty())
    {
        let sentence = "the data protection officer supposes what people of a list do: name how many, or which share";
        return Err(Error::Forbidden(sentence.to_owned()));
    }
    let known_at = request.known_at;
    let work = move |tx: &mut Tx<'_>| operations::whatif(tx, &request);
    let answer = ctx.app.db.try_out(ctx.caller.actor, ctx.now, known_at, work).await?;
    Reply::ok(&answer)
}

/// Where some people are, and what would follow if they withdrew.
pub async fn subjects_impact(ctx: Ctx, body: Body) -> Result<Reply> {
    let query: SubjectsQuery = body.read_quietly()?;
    let known_at = query.known_at;
    let work = move |tx: &mut Tx<'_>| subjects(tx, &query);
    Reply::ok(&ctx.app.db.try_out(ctx.caller.actor, ctx.now, known_at, work).await?)
}

/// What would clear a refusal.
pub async fn suggest(ctx: Ctx) -> Result<Reply> {
    let query: SuggestQuery = ctx.query()?;
    let named = query.deployment;
    let text = if named.starts_with("deployment:") { named } else { format!("deployment:{named}") };
    let deployment: Ref =
        text.parse().map_err(|e: licit_schemas::reference::RefFault| Error::invalid("/deployment", e.to_string()))?;
    let work = move |tx: &mut Tx<'_>| suggest::suggest(tx, &deployment, query.valid_at);
    let answer = ctx.app.db.try_out(ctx.caller.actor, ctx.now, query.known_at, work).await?;
    Reply::ok(&answer)
}

/// Per source, purposes agreed and purposes of use.
pub async fn drift(ctx: Ctx) -> Result<Reply> {
    let query: DriftQuery = ctx.query()?;
    let of: Option<Ref> = query
        .reference
        .map(|text| text.parse())
        .transpose()
        .map_err(|e: licit_schemas::reference::RefFault| Error::invalid("/ref", e.to_string()))?;
    if let Some(of) = of.as_ref().filter(|of| of.kind() != Kind::Dataset) {
        return Err(Error::invalid("/ref", format!("is a {}: purposes are agreed for datasets", of.kind())));
    }
    let world = ctx.app.db.known(query.known_at).await?;
    let at = query.valid_at.unwrap_or(ctx.now);
    // Every dataset is followed downstream: not on a thread that answers others.
    let found = ctx.app.db.read(move |_| Ok(drift::drift(&world, of.as_ref(), at))).await?;
    let missing =
        || Error::NotFound("nothing registered under this reference holds data collected from people".to_owned());
    Reply::ok(&found.ok_or_else(missing)?)
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
    let found = impact::impact(&world, &reference, query.valid_at.unwrap_or(ctx.now));
    Reply::ok(
        &found.ok_or_else(|| Error::NotFound(format!("there is no `{reference}`, or nothing registered names it")))?,
    )
}

/// Personal data that reach a node; cut where assessments of the holder named hold at the moment asked.
pub async fn exposure(ctx: Ctx) -> Result<Reply> {
    let query: ExposureQuery = ctx.query()?;
    let world = ctx.app.db.known(query.known_at).await?;
    let root = node(&world, &query.r#ref, "/ref")?;
    let holder = query.holder.map(|text| holder(&world, &text)).transpose()?;
    if holder.is_none() && query.valid_at.is_some() {
        return Err(Error::invalid("/valid_at", "name a `holder`: only assessments have a validity here"));
    }
    let at = query.valid_at.unwrap_or(ctx.now);
    let cuts = RefCell::new(BTreeSet::new());
    let cut = |node| {
        let holds = |holder| anonymous(&world, &world.lineage.name(node), holder, at);
        let cut = holder.as_ref().is_some_and(holds);
        if cut {
            cuts.borrow_mut().insert(world.lineage.name(node).to_string());
        }
        cut
    };
    let mut view = views::exposure(&world.lineage, world.position(), root, &cut, at);
    view.cuts = cuts.into_inner().into_iter().collect();
    view.valid_at = holder.as_ref().map(|_| at);
    view.holder = holder.map(|holder| holder.to_string());
    Reply::ok(&view)
}

/// Whose assessments are asked for: a party, or the controller of a deployment.
fn holder(world: &World, text: &str) -> Result<Ref> {
    let reference: Ref =
        text.parse().map_err(|e: licit_schemas::reference::RefFault| Error::invalid("/holder", e.to_string()))?;
    let missing = || Error::invalid("/holder", format!("there is no `{reference}`"));
    match reference.kind() {
        Kind::Party => world.registry.parties.latest(text).map(|_| reference.clone()).ok_or_else(missing),
        Kind::Deployment => {
            let deployment = world.registry.deployments.latest(&reference.to_string());
            deployment.map(|d| d.spec.controller.clone()).ok_or_else(missing)
        }
        kind => {
            Err(Error::invalid("/holder", format!("is a {kind}: name a party, or a deployment for its controller")))
        }
    }
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
    let from = query.valid_at.unwrap_or(ctx.now);
    let until = query.until.unwrap_or(from.plus(chrono::Duration::days(90)));
    if until <= from {
        return Err(Error::invalid("/until", "lies in the past: a calendar shows what is to come"));
    }
    let world = ctx.app.db.known(query.known_at).await?;
    Reply::ok(&calendar::calendar(&world, from, until))
}

/// Which deployments datasets and models are behind.
pub async fn affected(ctx: Ctx, body: Body) -> Result<Reply> {
    let query: AffectedQuery = body.read()?;
    for (place, reference) in query.refs.iter().enumerate() {
        expect(reference, &[Kind::Dataset, Kind::Model], &format!("/refs/{place}"))?;
    }
    let world = ctx.app.db.known(query.known_at).await?;
    Reply::ok(&affected::affected(&world, &query.refs))
}

/// Approvals that end soon.
pub async fn renewals(ctx: Ctx) -> Result<Reply> {
    let query: RenewalsQuery = ctx.query()?;
    let now = query.valid_at.unwrap_or(ctx.now);
    let until = query.until.unwrap_or(now.plus(chrono::Duration::days(60)));
    if until <= now {
        return Err(Error::invalid("/until", "lies in the past: what ended is not renewed but asked for anew"));
    }
    let world = ctx.app.db.known(query.known_at).await?;
    Reply::ok(&renewals::renewals(&world, now, until))
}

/// By rule and addressee, how long refusals stayed.
pub async fn clearing(ctx: Ctx) -> Result<Reply> {
    let query: GetQuery = ctx.query()?;
    let items = ctx.app.db.known(query.known_at).await?.gate.clearing.figures();
    Reply::ok(&Page { items, next: None })
}

/// What default classes answer for, and what runs on it.
pub async fn debt(ctx: Ctx) -> Result<Reply> {
    let query: MomentQuery = ctx.query()?;
    let world = ctx.app.db.known(query.known_at).await?;
    Reply::ok(&debt::debt(&world, query.valid_at.unwrap_or(ctx.now)))
}

/// A notice drafted from what is registered of a deployment.
pub async fn draft_notice(ctx: Ctx) -> Result<Reply> {
    let id = ctx.id()?.to_string();
    let query: MomentQuery = ctx.query()?;
    let row = ctx.app.db.look_up(move |conn| crate::db::listing::by_id(conn, "deployment", &id)).await?;
    let deployment = row.ok_or_else(|| Error::NotFound("there is no such deployment".to_owned()))?.reference;
    let world = ctx.app.db.known(query.known_at).await?;
    let at = query.valid_at.unwrap_or(ctx.now);
    // Everything behind it is looked through: not on a thread that answers others.
    let drafted = ctx.app.db.read(move |_| notices::draft(&world, &deployment, at)).await?;
    Reply::ok(&drafted)
}

/// What changed for a deployment between two moments, and why.
pub async fn diff(ctx: Ctx) -> Result<Reply> {
    let id = ctx.id()?.to_string();
    let query: DiffQuery = ctx.query()?;
    let db = &ctx.app.db;
    let row = db.look_up(move |conn| crate::db::listing::by_id(conn, "deployment", &id)).await?;
    let deployment = row.ok_or_else(|| Error::NotFound("there is no such deployment".to_owned()))?.reference;
    let (from, earlier) = db.moment(query.from, ctx.now).await?;
    let (to, later) = db.moment(query.to, ctx.now).await?;
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
    let standpoint = |position, world: &World, at, stand: super::Stand| {
        let passes = gate::dry(world, question(world, &deployment, at))?.passes;
        Ok::<_, Error>(Standpoint { position, at, release: stand.release, verdict: stand.verdict, passes })
    };
    let (earlier, later) = (standpoint(from, &then, earlier, first)?, standpoint(to, &now, later, last)?);
    Reply::ok(&Diff {
        came: because(came, &seen, true),
        went: because(went, &seen, false),
        from: earlier,
        to: later,
        facts,
        deployment,
    })
}

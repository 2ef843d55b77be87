//! What would be: hypothetical facts folded into a copy of the world, by the same operations that would record them.

use std::collections::{BTreeSet, HashSet};

use chrono::Duration;
use licit_schemas::access::Role;
use licit_schemas::lineage::{EdgeCreate, EdgeName, EdgeOrigin};
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::registry::{DatasetVersionSpec, Life, LifeChange, RunSpec};
use licit_schemas::reports::{Move, Turn, WhatIf, WhatIfRequest};
use licit_schemas::review::{ApprovalSpec, ReviewCreate, ReviewSubject, RevocationCreate};
use licit_schemas::text::{Country, Name, Sentence};
use licit_schemas::time::Timestamp;

use super::people::supposed;
use super::{owner, stand};
use crate::catalogue::Stated;
use crate::db::Projection;
use crate::error::{Error, Result};
use crate::facts::{Fact, Tx, World};
use crate::gate::replay::changed;
use crate::gate::{envelope, operations as gate};
use crate::lawfulness::operations as lawfulness;
use crate::lineage::graph::EdgeKind;
use crate::registry::life;
use crate::registry::operations::{self as registry, Existing};
use crate::registry::vocabulary::vocabulary;
use crate::registry::{DatasetFacts, What};
use crate::resolve::{expect, parse, pin};
use crate::review::{Standing, operations as review};

const APPROVED: &[Kind] = &[Kind::Purpose, Kind::Basis, Kind::System, Kind::Assessment];

/// Suppose all of it, and judge every running deployment before and after. For a run that records nothing.
///
/// # Errors
/// Nothing supposed; something that could not be done either, its pointer within the request.
pub fn whatif(tx: &mut Tx<'_>, request: &WhatIfRequest) -> Result<WhatIf> {
    let (now, position) = (tx.now(), tx.world().position());
    let deployments = wanted(tx.world(), &request.deployments)?;
    let (mut valid_at, mut supposed) = (now, Vec::new());
    let turned = turned(tx, &deployments, |tx| {
        let (said, ends) = suppose(tx, request)?;
        let last = ends.last().copied();
        valid_at = request.valid_at.or(last).map_or(now, |at| last.map_or(at, |last| last.max(at)));
        supposed = said;
        if valid_at != now {
            supposed.push(format!("it is {valid_at}"));
        }
        if supposed.is_empty() {
            return Err(Error::invalid(
                "",
                "nothing is supposed: name something to revoke, withdraw, drop, move, narrow, approve or wait for",
            ));
        }
        // Whoever names a moment supposes all that ends by then. Else what ends is held against the instant before: what else ends
        // on the way is not its doing.
        Ok(match request.valid_at {
            None if valid_at != now => {
                ends.into_iter().map(|end| (end.plus(Duration::microseconds(-1)), end)).collect()
            }
            _ => vec![(now, valid_at)],
        })
    })?;
    Ok(WhatIf { position, valid_at, supposed, judged: deployments.len() as u64, turned })
}

/// Judge deployments now, do something, and judge them again at the moment that gives. For a run that records nothing.
///
/// # Errors
/// Those of what is done.
pub fn turns(
    tx: &mut Tx<'_>,
    deployments: &[String],
    act: impl FnOnce(&mut Tx<'_>) -> Result<Timestamp>,
) -> Result<Vec<Turn>> {
    let now = tx.now();
    turned(tx, deployments, |tx| act(tx).map(|at| vec![(now, at)]))
}

/// Do something, and judge deployments between the moments of each pair that gives, in order: at the first moment of all as if nothing
/// had been done. What turns within a pair is told, what turns between two is not.
fn turned(
    tx: &mut Tx<'_>,
    deployments: &[String],
    act: impl FnOnce(&mut Tx<'_>) -> Result<Vec<(Timestamp, Timestamp)>>,
) -> Result<Vec<Turn>> {
    let as_it_is = tx.world().clone();
    let pairs = act(tx)?;
    let mut turned = Vec::new();
    for deployment in deployments {
        let (mut came, mut went) = (Vec::new(), Vec::new());
        let (mut first, mut last, mut turns) = (None, None, false);
        for (earlier, later) in &pairs {
            let world = if first.is_none() { &as_it_is } else { tx.world() };
            let (before, after) = (stand(world, deployment, *earlier), stand(tx.world(), deployment, *later));
            let (new, gone) = changed(&before.findings, &after.findings);
            turns |= before.verdict != after.verdict;
            came.extend(new);
            went.extend(gone);
            first.get_or_insert(before);
            last = Some(after);
        }
        let (Some(before), Some(after)) = (first, last) else { continue };
        let gone = before.runs && !after.runs;
        if gone {
            (came, went) = (Vec::new(), Vec::new());
        }
        if gone || turns || !came.is_empty() || !went.is_empty() {
            turned.push(Turn {
                owner: owner(tx.world(), deployment),
                deployment: deployment.clone(),
                release: before.release,
                before: before.verdict,
                after: (!gone).then_some(after.verdict),
                came,
                went,
            });
        }
    }
    Ok(turned)
}

/// The deployments named, else all that run.
fn wanted(world: &World, named: &[Ref]) -> Result<Vec<String>> {
    if named.is_empty() {
        return Ok(world.registry.running().iter().map(ToString::to_string).collect());
    }
    let mut list = Vec::new();
    for (place, deployment) in named.iter().enumerate() {
        let at = format!("/deployments/{place}");
        expect(deployment, &[Kind::Deployment], &at)?;
        if world.registry.deployments.latest(&deployment.to_string()).is_none() {
            return Err(Error::invalid(&at, format!("there is no `{deployment}`")));
        }
        list.push(deployment.to_string());
    }
    list.sort();
    list.dedup();
    Ok(list)
}

/// Do all that is supposed; what was done in words, and the ends that are waited for, in order.
fn suppose(tx: &mut Tx<'_>, request: &WhatIfRequest) -> Result<(Vec<String>, BTreeSet<Timestamp>)> {
    let mut said = Vec::new();
    // What is waited for holds until then: it is looked up before anything else is supposed.
    let mut ends = BTreeSet::new();
    for (place, reference) in request.let_expire.iter().enumerate() {
        let (reference, end) = expiry(tx, reference, &format!("/let_expire/{place}"))?;
        said.push(format!("`{reference}` ends on {end} and nobody renews it"));
        ends.insert(end);
    }
    for (place, reference) in request.revoke.iter().enumerate() {
        let revoked = revoke(tx, reference, &format!("/revoke/{place}"))?;
        said.push(format!("the approval of `{revoked}` is revoked now"));
    }
    for (place, reference) in request.withdraw.iter().enumerate() {
        said.push(withdraw(tx, reference, &format!("/withdraw/{place}"))?);
    }
    for (place, withdrawal) in request.withdraw_consent.iter().enumerate() {
        said.push(supposed::suppose(tx, withdrawal, &format!("/withdraw_consent/{place}"))?);
    }
    for (place, reference) in request.drop.iter().enumerate() {
        said.push(drop_data(tx, reference, &format!("/drop/{place}"))?);
    }
    for (place, step) in request.move_region.iter().enumerate() {
        said.push(move_region(tx, step, &format!("/move_region/{place}"))?);
    }
    for (place, spec) in request.narrow.iter().enumerate() {
        let at = format!("/narrow/{place}");
        let revised = lawfulness::basis(tx, spec.clone()).map_err(|e| e.under(&at))?.r#ref;
        approve(tx, &revised, &at)?;
        said.push(format!("`{revised}` is as stated, and approved"));
    }
    for (place, reference) in request.approve.iter().enumerate() {
        let approved = approve(tx, reference, &format!("/approve/{place}"))?;
        said.push(format!("`{approved}` is approved"));
    }
    if let Some(spec) = &request.policy {
        let revised = gate::policy(tx, spec.clone()).map_err(|e| e.under("/policy"))?.r#ref;
        approve(tx, &revised, "/policy")?;
        said.push(format!("`{revised}` is as stated, and approved"));
    }
    Ok((said, ends))
}

/// Think something approved: a review is opened as always, so that what would be bound is bound, and its votes are left out. Only
/// for what records nothing.
///
/// # Errors
/// What could not be put to the board.
pub fn approve(tx: &mut Tx<'_>, reference: &Ref, at: &str) -> Result<Ref> {
    let subject = ReviewSubject { r#ref: reference.clone(), include_narrower: false };
    let title: Name = "supposed".parse().map_err(|e| Error::Internal(format!("{e}")))?;
    let create = ReviewCreate { title, subjects: vec![subject], valid_to: None, comment: None };
    let review = review::open(tx, &create, gate::terms, envelope::under_review);
    // One thing is under review: what is the matter with it is said of where it stands here.
    let review = review.map_err(|e| match e {
        Error::Invalid(faults) => {
            Error::invalid(at, faults.into_iter().map(|f| f.detail).collect::<Vec<_>>().join("; "))
        }
        other => other,
    })?;
    let review = review.id;
    let opened = tx.world().review.review(review.0).cloned();
    let opened = opened.ok_or_else(|| Error::Internal("a review just opened is gone".to_owned()))?;
    let mut approved = reference.clone();
    for subject in &opened.spec.subjects {
        approved = subject.r#ref.clone();
        let spec = ApprovalSpec {
            review,
            subject: subject.clone(),
            valid_from: tx.now(),
            valid_to: opened.spec.valid_to,
            voters: Vec::new(),
            conditions: Vec::new(),
        };
        let id = tx.new_id();
        tx.record(Fact::ApprovalGranted(Stated { id, rev: 1, spec }))?;
    }
    Ok(approved)
}

fn revoke(tx: &mut Tx<'_>, reference: &Ref, at: &str) -> Result<Ref> {
    let reason: Sentence = "supposed".parse().map_err(|e| Error::Internal(format!("{e}")))?;
    let create = RevocationCreate { r#ref: reference.clone(), effective_at: None, grace_days: 0, reason };
    review::revoke(tx, &create).map(|done| done.r#ref).map_err(|e| e.under(at))
}

fn withdraw(tx: &mut Tx<'_>, reference: &Ref, at: &str) -> Result<String> {
    let world = tx.world();
    let id = match reference.kind() {
        Kind::Release => world.registry.release(reference).map(|release| release.id),
        Kind::Deployment => world.registry.active(&reference.to_string()).map(|release| release.id),
        _ => {
            expect(reference, APPROVED, at)?;
            let base = reference.base().to_owned();
            let now = tx.now();
            let mut holding: Vec<Ref> = Vec::new();
            for (name, approvals) in world.review.every() {
                let own = crate::gate::coverage::base(name) == base;
                if own && approvals.iter().any(|approval| approval.holds(now)) {
                    holding.push(parse(name)?);
                }
            }
            if holding.is_empty() {
                return Err(Error::invalid(at, format!("`{base}` has no approval that holds")));
            }
            holding.sort_by_key(Ref::rev);
            for revision in &holding {
                revoke(tx, revision, at)?;
            }
            return Ok(format!("`{base}` is withdrawn: no revision of it is approved any more"));
        }
    };
    let id = id.ok_or_else(|| Error::invalid(at, format!("there is no release `{reference}`, or none runs there")))?;
    registry::withdraw(tx, id).map(|done| format!("`{}` is withdrawn", done.r#ref)).map_err(|e| e.under(at))
}

fn drop_data(tx: &mut Tx<'_>, reference: &Ref, at: &str) -> Result<String> {
    expect(reference, &[Kind::Dataset], at)?;
    let name = reference.to_string();
    let versions = match reference.is_pinned() {
        true => tx.world().registry.held(&name).cloned().into_iter().collect(),
        false => tx.world().registry.versions(&name),
    };
    if versions.is_empty() {
        return Err(Error::invalid(at, format!("no version of `{name}` is registered")));
    }
    for version in &versions {
        life::change_life(
            tx,
            version.id,
            &LifeChange { life: Life::Erased, valid_from: None, reason: None },
            &[Role::Registrar],
        )
        .map_err(|e| e.under(at))?;
    }
    Ok(match versions.len() {
        1 => format!("the data of `{}` are erased", versions[0].reference),
        many => format!("the data of all {many} versions of `{name}` are erased"),
    })
}

/// When an approved thing stops to hold unless somebody renews it.
fn expiry(tx: &Tx<'_>, reference: &Ref, at: &str) -> Result<(Ref, Timestamp)> {
    expect(reference, &[APPROVED, &[Kind::Deployment]].concat(), at)?;
    let (world, now) = (tx.world(), tx.now());
    let reference = pin(world, reference, now, at)?;
    let name = reference.to_string();
    if !matches!(world.review.standing(&name, now), Standing::Holds(_)) {
        return Err(Error::invalid(at, format!("`{reference}` has no approval that holds: nothing is left to end")));
    }
    let approved = world.review.approvals(&name).iter().map(|approval| approval.end()).max();
    let (base, rev) = (reference.base().to_owned(), reference.rev().unwrap_or(0));
    let law = &world.lawfulness;
    let valid_to = match reference.kind() {
        Kind::Purpose => law.purposes.revision(&base, rev).and_then(|r| r.spec.valid_to),
        Kind::Basis => law.bases.revision(&base, rev).and_then(|r| r.spec.valid_to),
        Kind::Assessment => law.assessments.revision(&base, rev).map(|r| r.spec.valid_to),
        _ => None,
    };
    let end = [approved, valid_to].into_iter().flatten().min().unwrap_or(now);
    Ok((reference, end.max(now)))
}

fn move_region(tx: &mut Tx<'_>, step: &Move, at: &str) -> Result<String> {
    let at = format!("{at}/ref");
    expect(&step.r#ref, &[Kind::Dataset, Kind::Deployment], &at)?;
    let to = &step.region;
    if step.r#ref.kind() == Kind::Deployment {
        let present = tx.world().registry.deployment_at(&step.r#ref.to_string(), tx.now()).cloned();
        let present = present.ok_or_else(|| Error::invalid(&at, format!("there is no `{}`", step.r#ref)))?;
        let mut spec = present.spec.clone();
        (spec.region, spec.valid_from) = (Some(to.clone()), None);
        registry::deployment(tx, spec, Existing::Revise).map_err(|e| e.under(&at))?;
        return Ok(format!("`{}` computes in {to}", step.r#ref));
    }
    let from = pin(tx.world(), &step.r#ref, tx.now(), &at)?;
    let moved = copy_in(tx, &from, to, &at)?;
    Ok(format!("`{from}` lies in {to}, as `{moved}`"))
}

/// A version of the same content in another region, made by the same runs.
fn copy_in(tx: &mut Tx<'_>, from: &Ref, to: &Country, at: &str) -> Result<Ref> {
    let held = tx.world().registry.held(&from.to_string()).cloned();
    let held = held.ok_or_else(|| Error::invalid(at, format!("`{from}` is not registered")))?;
    let row = tx.row("dataset_version", held.id)?;
    let mut spec: DatasetVersionSpec = row
        .and_then(|row| serde_json::from_str(&row.doc).ok())
        .ok_or_else(|| Error::invalid(at, format!("`{from}` is not a dataset version")))?;
    // What was classified after it was registered is known of the copy, too.
    if let What::Dataset(DatasetFacts { classified: Some(classified), .. }) = &held.what {
        for field in &mut spec.fields {
            if let Some((categories, identifiability)) = classified.get(&field.name) {
                field.categories = categories.iter().filter_map(|term| vocabulary().iri(*term)).collect();
                field.identifiability = Some(*identifiability);
            }
        }
    }
    let version = format!("{} in {to}", spec.version);
    spec.version = version.parse().map_err(|e| Error::invalid(at, format!("{e}")))?;
    spec.region = Some(to.clone());
    let moved = registry::dataset_version(tx, spec).map_err(|e| e.under(at))?.r#ref;
    let lineage = &tx.world().lineage;
    let runs: Vec<Ref> = lineage
        .find(&from.to_string())
        .into_iter()
        .flat_map(|node| lineage.graph().upstream(node))
        .filter(|half| half.kind == EdgeKind::Generated)
        .filter_map(|half| lineage.name(half.node).parse().ok())
        .collect();
    for run in runs {
        made_by(tx, &run, (from, &moved)).map_err(|e| e.under(at))?;
    }
    Ok(moved)
}

/// The copy was made by a run as what it is a copy of. What the run says of its columns it says of the copy, too: then it is supposed
/// to have run once more.
fn made_by(tx: &mut Tx<'_>, run: &Ref, (from, copy): (&Ref, &Ref)) -> Result<()> {
    let edge = |kind, from: &Ref, to: &Ref| EdgeCreate {
        kind,
        from: from.clone(),
        to: to.clone(),
        role: None,
        origin: EdgeOrigin::Declared,
        valid_from: None,
    };
    let held = tx.world().registry.held(&run.to_string()).cloned();
    let speaks = |what: &What| matches!(what, What::Run(facts) if facts.columns.is_some());
    let row = match held.filter(|held| speaks(&held.what)) {
        Some(held) => tx.row("run", held.id)?,
        None => None,
    };
    let Some(mut spec) = row.and_then(|row| serde_json::from_str::<RunSpec>(&row.doc).ok()) else {
        crate::lineage::operations::edge(tx, edge(EdgeName::Generated, copy, run))?;
        return Ok(());
    };
    (spec.id, spec.outputs) = (None, vec![copy.clone()]);
    spec.columns.retain(|column| column.output == *from);
    for column in &mut spec.columns {
        column.output = copy.clone();
    }
    let stated: HashSet<String> = spec.inputs.iter().map(|input| input.r#ref.to_string()).collect();
    let again = crate::lineage::operations::run(tx, spec)?.r#ref;
    // What it was seen reading besides flows whole, here as there.
    let lineage = &tx.world().lineage;
    let read = lineage.find(&run.to_string()).into_iter().flat_map(|node| lineage.graph().upstream(node));
    let seen: Vec<Ref> = read
        .filter(|half| half.kind == EdgeKind::Used)
        .map(|half| lineage.name(half.node).to_string())
        .filter(|name| !stated.contains(name))
        .filter_map(|name| name.parse().ok())
        .collect();
    for input in seen {
        crate::lineage::operations::edge(tx, edge(EdgeName::Used, &again, &input))?;
    }
    Ok(())
}

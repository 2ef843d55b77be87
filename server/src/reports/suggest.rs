//! What would clear a refusal: each change is tried over a copy of the world, and told only if the gate then says so.

use std::collections::BTreeSet;

use licit_schemas::gate::Finding;
use licit_schemas::lawfulness::LegalBasis;
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::registry::DeploymentSpec;
use licit_schemas::reports::{Suggestion, SuggestionKind, Suggestions};
use licit_schemas::time::Timestamp;

use super::operations::approve;
use super::{diff, stand};
use crate::db::Projection;
use crate::error::{Error, Result};
use crate::facts::{Tx, World};
use crate::gate::coverage::{base, deciding};
use crate::registry::operations::{self as registry, Existing};
use crate::resolve::parse;
use crate::review::Standing;

/// Changes tried at most of each kind: each is a whole judgement.
const MOST: usize = 40;

/// One thing to try.
#[derive(Clone)]
struct Try {
    kind: SuggestionKind,
    refs: Vec<Ref>,
}

/// What would clear the refusal of a deployment. For a run that records nothing.
///
/// # Errors
/// No such deployment.
pub fn suggest(tx: &mut Tx<'_>, deployment: &Ref, valid_at: Option<Timestamp>) -> Result<Suggestions> {
    let name = deployment.to_string();
    let at = valid_at.unwrap_or(tx.now());
    let Some(stated) = tx.world().registry.deployment_at(&name, at).map(|d| d.spec.clone()) else {
        return Err(Error::NotFound(format!("there is no `{name}`")));
    };
    let before = stand(tx.world(), &name, at);
    let refusing: Vec<Finding> = before.findings.iter().filter(|f| f.blocking).cloned().collect();
    let mut answer = Suggestions {
        deployment: name.clone(),
        release: before.release,
        position: tx.world().position(),
        valid_at: at,
        verdict: before.verdict,
        refusing: refusing.len() as u64,
        tried: 0,
        items: Vec::new(),
        unanswered: Vec::new(),
    };
    if refusing.is_empty() {
        return Ok(answer);
    }
    let approvals = to_approve(tx.world(), &name, at);
    let mut tries: Vec<Try> =
        approvals.iter().map(|r| Try { kind: SuggestionKind::Approve, refs: vec![r.clone()] }).collect();
    tries.extend(others(tx.world(), &stated, at));
    for one in &tries {
        answer.tried += 1;
        answer.items.extend(tried(tx, &stated, one, &refusing, at));
    }
    answer.items.extend(dossier(tx, &stated, &approvals, &answer.items, &refusing, at, &mut answer.tried));
    answer.items.sort_by_key(|s| {
        (std::cmp::Reverse(s.clears.len()), s.remains.len(), s.vote, s.refs.len(), s.kind, s.refs.clone())
    });
    let cleared = |f: &&Finding| answer.items.iter().any(|s| s.clears.iter().any(|c| same(c, f)));
    answer.unanswered = refusing.iter().filter(|f| !cleared(f)).cloned().collect();
    Ok(answer)
}

/// What the deployment rests on that waits for the board, or whose approval ended: the latest revision of each.
fn to_approve(world: &World, deployment: &str, at: Timestamp) -> Vec<Ref> {
    let mut found: BTreeSet<Ref> = BTreeSet::new();
    for name in diff::rests_on(world, deployment, at) {
        let Ok(reference) = name.parse::<Ref>() else { continue };
        let own = base(&name);
        let (law, registry) = (&world.lawfulness, &world.registry);
        let latest = match reference.kind() {
            Kind::Purpose => law.purposes.latest(own).map(|r| &r.reference),
            Kind::Basis => law.bases.latest(own).map(|r| &r.reference),
            Kind::Assessment => law.assessments.latest(own).map(|r| &r.reference),
            Kind::System => registry.systems.latest(own).map(|r| &r.reference),
            Kind::Policy => law.policies.latest(own).map(|r| &r.reference),
            Kind::BreakGlass => world.review.broken.latest(own).map(|r| &r.reference),
            Kind::Deployment if own == deployment => {
                found.insert(reference);
                None
            }
            _ => None,
        };
        let open = |r: &str| !matches!(world.review.standing(r, at), Standing::Holds(_));
        found.extend(latest.filter(|r| open(r)).and_then(|r| r.parse().ok()));
    }
    found.into_iter().take(MOST).collect()
}

/// Approved purposes and bases that the deployment does not name.
fn others(world: &World, stated: &DeploymentSpec, at: Timestamp) -> Vec<Try> {
    let law = &world.lawfulness;
    let holds = |r: &str| matches!(world.review.standing(r, at), Standing::Holds(_));
    let own = stated.purpose.base().to_owned();
    let mut tries = Vec::new();
    let mut purposes: Vec<&str> =
        law.purposes.iter().map(|p| base(&p.reference)).filter(|purpose| *purpose != own).collect();
    purposes.sort_unstable();
    for purpose in purposes {
        let all = law.purposes.all(purpose);
        let Some(decides) = deciding(world, all, |p| p.valid_from, at).filter(|p| holds(&p.reference)) else {
            continue;
        };
        // A purpose no basis in force names clears nothing.
        let bases: Vec<Ref> = bases(world, purpose, at);
        if let (Ok(reference), false) = (decides.reference.parse::<Ref>(), bases.is_empty()) {
            tries.push(Try { kind: SuggestionKind::Purpose, refs: std::iter::once(reference).chain(bases).collect() });
        }
    }
    tries.truncate(MOST);
    let named: Vec<String> = stated.bases.iter().map(|b| b.base().to_owned()).collect();
    let mut unnamed = bases(world, &own, at);
    unnamed.retain(|basis| !named.iter().any(|own| own == basis.base()));
    tries.extend(unnamed.into_iter().take(MOST).map(|basis| Try { kind: SuggestionKind::Basis, refs: vec![basis] }));
    tries
}

/// Bases in force that name a purpose, pinned.
fn bases(world: &World, purpose: &str, at: Timestamp) -> Vec<Ref> {
    let law = &world.lawfulness;
    let in_force = |key: &std::sync::Arc<str>| {
        let decides = deciding(world, law.bases.all(key), |b| b.valid_from, at)?;
        let names = decides.spec.covers.purposes.iter().any(|p| p.base() == purpose);
        let ended = decides.spec.valid_to.is_some_and(|end| end <= at);
        let holds = matches!(world.review.standing(&decides.reference, at), Standing::Holds(_));
        let personal = decides.spec.legal_basis != LegalBasis::NoPersonalData;
        (names && holds && personal && !ended).then(|| decides.reference.parse().ok()).flatten()
    };
    law.bases_for(purpose).iter().filter_map(in_force).collect()
}

/// Try a change: none when it cannot be done, or clears nothing.
fn tried(
    tx: &mut Tx<'_>,
    stated: &DeploymentSpec,
    one: &Try,
    refusing: &[Finding],
    at: Timestamp,
) -> Option<Suggestion> {
    let name = Ref::deployment(&stated.name).to_string();
    let after = tx.aside(|tx| {
        change(tx, stated, one, at)?;
        Ok(stand(tx.world(), &name, at))
    });
    let after = after.ok()?;
    let remains: Vec<Finding> = after.findings.into_iter().filter(|f| f.blocking).collect();
    let stays = |f: &Finding| remains.iter().any(|r| same(r, f));
    let clears: Vec<Finding> = refusing.iter().filter(|f| !stays(f)).cloned().collect();
    let came = remains.iter().filter(|r| !refusing.iter().any(|f| same(r, f))).count();
    // What takes more than it gives is no help: but for the approval that a change of the deployment itself needs.
    let worse = remains.iter().filter(|r| r.rule != "release.approved" && !refusing.iter().any(|f| same(r, f)));
    if clears.is_empty() || worse.count() >= clears.len() {
        return None;
    }
    let votes = matches!(one.kind, SuggestionKind::Approve | SuggestionKind::Dossier);
    let asks = remains.iter().any(|f| f.rule == "release.approved") && came > 0;
    Some(Suggestion {
        kind: one.kind,
        refs: one.refs.iter().map(ToString::to_string).collect(),
        says: says(one, &name),
        commands: commands(one, &name, asks),
        vote: votes || asks,
        after: after.verdict,
        clears,
        remains,
    })
}

/// The same cause at the same thing, whatever its state.
fn same(one: &Finding, other: &Finding) -> bool {
    let names = |f: &Finding, node: &String| f.node == *node || f.also.contains(node);
    one.rule == other.rule && (names(one, &other.node) || names(other, &one.node))
}

fn change(tx: &mut Tx<'_>, stated: &DeploymentSpec, one: &Try, at: Timestamp) -> Result<()> {
    match one.kind {
        SuggestionKind::Approve | SuggestionKind::Dossier => {
            one.refs.iter().try_for_each(|reference| approve(tx, reference, "").map(drop))
        }
        SuggestionKind::Purpose => {
            let mut spec = stated.clone();
            spec.purpose = one.refs.first().cloned().unwrap_or(spec.purpose);
            spec.bases = one.refs.iter().skip(1).cloned().collect();
            registry::deployment(tx, spec, Existing::Revise).map(drop)
        }
        SuggestionKind::Basis => {
            let mut spec = stated.clone();
            let world = tx.world();
            let holds = |r: &Ref| matches!(world.review.standing(&r.to_string(), at), Standing::Holds(_));
            spec.bases.retain(holds);
            spec.bases.extend(one.refs.iter().cloned());
            registry::deployment(tx, spec, Existing::Revise).map(drop)
        }
    }
}

/// Approvals that together clear what none of them clears alone: as few as are needed.
fn dossier(
    tx: &mut Tx<'_>,
    stated: &DeploymentSpec,
    approvals: &[Ref],
    alone: &[Suggestion],
    refusing: &[Finding],
    at: Timestamp,
    count: &mut u64,
) -> Option<Suggestion> {
    if approvals.len() < 2 {
        return None;
    }
    let mut attempt = |refs: &[Ref]| {
        *count += 1;
        tried(tx, stated, &Try { kind: SuggestionKind::Dossier, refs: refs.to_vec() }, refusing, at)
    };
    // Of a deployment an envelope can be bound only where there is a release: without it the others are tried.
    let mut refs = order(approvals);
    let mut best = attempt(&refs).or_else(|| {
        refs.retain(|r| r.kind() != Kind::Deployment);
        attempt(&refs)
    })?;
    for leaving in refs.clone() {
        let fewer: Vec<Ref> = refs.iter().filter(|r| **r != leaving).cloned().collect();
        if fewer.is_empty() {
            break;
        }
        if let Some(found) = attempt(&fewer).filter(|f| f.clears.len() >= best.clears.len()) {
            (best, refs) = (found, fewer);
        }
    }
    let more = alone.iter().all(|s| s.clears.len() < best.clears.len());
    (refs.len() > 1 && more).then_some(best)
}

/// A deployment's envelope binds what is approved by then: it comes last.
fn order(refs: &[Ref]) -> Vec<Ref> {
    let mut refs = refs.to_vec();
    refs.sort_by_key(|r| (r.kind() == Kind::Deployment, r.clone()));
    refs
}

fn says(one: &Try, deployment: &str) -> String {
    let list = |refs: &[Ref]| refs.iter().map(|r| format!("`{r}`")).collect::<Vec<_>>().join(", ");
    match (one.kind, one.refs.split_first()) {
        (SuggestionKind::Approve, Some((first, _))) => {
            format!("the board approves {}", list(std::slice::from_ref(first)))
        }
        (SuggestionKind::Purpose, Some((purpose, bases))) => {
            format!("`{deployment}` serves `{purpose}`, which is approved, on {}: if that is what it does", list(bases))
        }
        (SuggestionKind::Basis, _) => {
            format!("`{deployment}` names {}, which is approved and in force", list(&one.refs))
        }
        _ => format!("the board approves {} in one dossier", list(&one.refs)),
    }
}

fn commands(one: &Try, deployment: &str, asks: bool) -> Vec<String> {
    let review = |refs: &[Ref]| {
        let refs: Vec<String> = refs.iter().map(ToString::to_string).collect();
        format!("licit review create --title \"Clear what is refused\" {}", refs.join(" "))
    };
    let short = deployment.trim_start_matches("deployment:");
    match one.kind {
        SuggestionKind::Approve | SuggestionKind::Dossier => vec![review(&one.refs)],
        SuggestionKind::Purpose | SuggestionKind::Basis => {
            let mut list = vec![
                format!("licit deployment show {short} --json"),
                "licit deployment create -f deployment.yaml".to_owned(),
            ];
            if asks && let Ok(deployment) = parse(deployment) {
                list.push(review(&[deployment]));
            }
            list
        }
    }
}

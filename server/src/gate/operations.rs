//! Asking the gate, activating and rolling back releases, noticing gaps.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use licit_schemas::digest::Digest;
use licit_schemas::gate::{Activation, Decision, GateRequest, Intent, Rollback};
use licit_schemas::policy::PolicySpec;
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::registration::{PlanRequest, PlannedRelease};
use licit_schemas::registry::{Part, PartKind, ReleaseSpec, ReleaseState};
use licit_schemas::resource::Registered;
use licit_schemas::review::BoundSubject;
use licit_schemas::time::Timestamp;
use uuid::Uuid;

use super::decide;
use super::evidence::{Ask, gather};
use super::policy::{Policy, check};
use crate::catalogue::Stated;
use crate::error::{Error, Result};
use crate::facts::{Fact, Tx, World, canonical};
use crate::registry::{Release, ReleaseMoved, deployment_of};
use crate::resolve::{expect, parse};
use crate::review::operations::Terms;

/// What is asked, from a request: the deployment, or that of the release.
///
/// # Errors
/// Neither named, or references of other kinds.
pub fn ask(request: &GateRequest, now: Timestamp) -> Result<Ask> {
    if let Some(release) = &request.release {
        expect(release, &[Kind::Release], "/release")?;
        if release.rev().is_none() {
            return Err(Error::invalid("/release", "name the release with its number, `release:<deployment>@<n>`"));
        }
    }
    let deployment = match (&request.deployment, &request.release) {
        (Some(deployment), release) => {
            expect(deployment, &[Kind::Deployment], "/deployment")?;
            let name = deployment.to_string();
            if release.as_ref().is_some_and(|r| deployment_of(r) != name) {
                return Err(Error::invalid("/release", format!("is not a release of `{name}`")));
            }
            name
        }
        (None, Some(release)) => deployment_of(release),
        (None, None) => return Err(Error::invalid("/deployment", "name the deployment, `deployment:<name>`")),
    };
    Ok(Ask {
        deployment,
        release: request.release.clone(),
        intent: request.intent,
        artifacts: request.artifacts.clone(),
        valid_at: request.valid_at.unwrap_or(now),
    })
}

/// Answer without recording.
///
/// # Errors
/// Evidence that has no canonical form.
pub fn dry(world: &World, ask: Ask) -> Result<Decision> {
    let policy = Policy::in_force(world, ask.valid_at);
    let evidence = gather(world, ask);
    let digest = Digest::of(canonical(&evidence.document(&policy))?.as_bytes());
    Ok(decide::decision(&evidence, &policy, Uuid::nil(), digest))
}

/// Decide and record the decision with its evidence, whatever the verdict.
///
/// # Errors
/// Evidence that has no canonical form.
pub fn decide(tx: &mut Tx<'_>, ask: Ask) -> Result<Decision> {
    let id = tx.new_id();
    let (decision, text, digest) = {
        let policy = Policy::in_force(tx.world(), ask.valid_at);
        let evidence = gather(tx.world(), ask);
        let text = canonical(&evidence.document(&policy))?;
        let digest = Digest::of(text.as_bytes());
        (decide::decision(&evidence, &policy, id, digest), text, digest)
    };
    tx.keep_evidence(digest, compressed(&text)?);
    tx.record(Fact::DecisionMade(Stated { id, rev: 1, spec: decision.clone() }))?;
    Ok(decision)
}

fn compressed(text: &str) -> Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder
        .write_all(text.as_bytes())
        .and_then(|()| encoder.finish())
        .map_err(|e| Error::Internal(format!("evidence cannot be compressed: {e}")))
}

/// Propose a revision of the policy.
///
/// # Errors
/// One that speaks of the hard core or of a rule there is not; a single vote for a deployment of high risk; an unknown environment.
pub fn policy(tx: &mut Tx<'_>, spec: PolicySpec) -> Result<Registered> {
    let faults = check(&spec);
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }
    crate::lawfulness::operations::policy(tx, spec)
}

/// What the policy in force asks of a review.
pub fn terms(tx: &Tx<'_>, subjects: &[BoundSubject]) -> Terms {
    Policy::in_force(tx.world(), tx.now()).terms(tx.world(), subjects)
}

/// Activate a release: the gate runs inside the write. A refusal is recorded as a decision, too; the caller sees it in the answer.
///
/// # Errors
/// An unknown or withdrawn release.
pub fn activate(tx: &mut Tx<'_>, id: Uuid, activation: &Activation, intent: Intent) -> Result<Decision> {
    let row = tx.row("release", id)?.ok_or_else(|| Error::NotFound(format!("there is no release `{id}`")))?;
    let reference = parse(&row.reference)?;
    let release = tx.world().registry.release(&reference).cloned();
    let Some(release) = release else { return Err(Error::NotFound(format!("there is no `{reference}`"))) };
    if release.state == ReleaseState::Withdrawn {
        return Err(Error::conflict(format!("`{reference}` was withdrawn: propose it anew")));
    }
    let deployment = deployment_of(&reference);
    let ask = Ask {
        deployment: deployment.clone(),
        release: Some(reference.clone()),
        intent,
        artifacts: activation.artifacts.clone(),
        valid_at: tx.now(),
    };
    let decision = decide(tx, ask)?;
    if !decision.passes {
        return Ok(decision);
    }
    if let Some(before) = tx.world().registry.active(&deployment).filter(|r| r.id != id).cloned() {
        tx.record(Fact::ReleaseMoved(moved(&before, ReleaseState::Standby, None, None)?))?;
    }
    if release.state != ReleaseState::Active {
        let reason = activation.reason.as_ref().map(ToString::to_string);
        tx.record(Fact::ReleaseMoved(moved(&release, ReleaseState::Active, Some(decision.id.0), reason)?))?;
    }
    Ok(decision)
}

fn moved(
    release: &Release,
    state: ReleaseState,
    decision: Option<Uuid>,
    reason: Option<String>,
) -> Result<ReleaseMoved> {
    Ok(ReleaseMoved { id: release.id, reference: parse(&release.reference)?, state, decision, reason })
}

/// Back to a release that ran before: *continue*, no vote.
///
/// # Errors
/// An unknown deployment; none on standby that ran before; another named than one on standby.
pub fn rollback(tx: &mut Tx<'_>, deployment: Uuid, rollback: &Rollback) -> Result<Decision> {
    let row = tx
        .row("deployment", deployment)?
        .ok_or_else(|| Error::NotFound(format!("there is no deployment `{deployment}`")))?;
    let registry = &tx.world().registry;
    let id = match &rollback.release {
        Some(named) => standby(registry, &row.reference, named)?,
        None => before(registry, &row.reference)?,
    };
    let activation = Activation { artifacts: rollback.artifacts.clone(), reason: rollback.reason.clone() };
    activate(tx, id, &activation, Intent::Continue)
}

/// The release named, if it stands by.
fn standby(registry: &crate::registry::State, deployment: &str, named: &Ref) -> Result<Uuid> {
    expect(named, &[Kind::Release], "/release")?;
    if deployment_of(named) != deployment {
        return Err(Error::invalid("/release", format!("is not a release of `{deployment}`")));
    }
    if named.rev().is_none() {
        return Err(Error::invalid("/release", "name the release with its number, `release:<deployment>@<n>`"));
    }
    let found = registry.release(named);
    let found = found.ok_or_else(|| Error::invalid("/release", format!("there is no `{named}`")))?;
    match found.state {
        ReleaseState::Standby => Ok(found.id),
        ReleaseState::Active => Err(Error::conflict(format!("`{named}` is what runs: there is nothing to roll back"))),
        ReleaseState::Proposed => Err(Error::conflict(format!("`{named}` never ran: activate it"))),
        ReleaseState::Withdrawn => Err(Error::conflict(format!("`{named}` was withdrawn: propose it anew"))),
    }
}

/// The release on standby that first ran before the present one first did, the latest of them; where nothing runs, the latest.
fn before(registry: &crate::registry::State, deployment: &str) -> Result<Uuid> {
    let present = registry.active(deployment);
    let earlier = |r: &&Release| present.is_none_or(|present| r.first_active < present.first_active);
    let standby = || registry.releases(deployment).iter().filter(|r| r.state == ReleaseState::Standby);
    if let Some(release) = standby().filter(earlier).max_by_key(|r| (r.first_active, r.n)) {
        return Ok(release.id);
    }
    Err(Error::conflict(match (present, standby().next()) {
        (Some(present), Some(_)) => format!(
            "`{deployment}` has no release on standby that ran before `{}`: name the one to go to as `release`",
            present.reference
        ),
        _ => format!("`{deployment}` has no release on standby to roll back to"),
    }))
}

/// What a planned release would get, after what would be registered. For a run that records nothing.
///
/// # Errors
/// Those of registering; an unknown deployment is a denial, not an error.
pub fn plan(tx: &mut Tx<'_>, request: PlanRequest) -> Result<licit_schemas::gate::Plan> {
    let valid_at = request.valid_at.unwrap_or(tx.now());
    let registered =
        crate::lineage::operations::register(tx, request.registration).map_err(|e| e.under("/registration"))?.items;
    let mut decisions = Vec::new();
    for PlannedRelease { deployment, models } in request.deployments {
        let mut release = None;
        if !models.is_empty() && tx.world().registry.deployments.latest(&deployment.to_string()).is_some() {
            let composition = models.into_iter().map(|model| Part { part: PartKind::Base, model }).collect();
            let spec = ReleaseSpec {
                deployment: deployment.clone(),
                composition,
                indexes: Vec::new(),
                discloses: Vec::new(),
                prompt_digest: None,
            };
            release = Some(crate::registry::operations::release(tx, spec)?.r#ref);
        }
        let request = GateRequest { deployment: Some(deployment), release, dry_run: true, ..GateRequest::default() };
        decisions.push(dry(tx.world(), ask(&request, valid_at)?)?);
    }
    Ok(licit_schemas::gate::Plan { registered, decisions })
}

/// Whether a decision let the release run.
pub fn refused(decision: &Decision) -> bool {
    !decision.passes
}

//! Registering what exists.

use std::collections::HashSet;

use licit_schemas::digest::Digest;
use licit_schemas::problem::Fault;
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::registry::{
    DatasetOrigin, DatasetSpec, DatasetVersionSpec, Declaration, DeploymentSpec, EnvironmentSpec, Identifiability,
    ModelKind, ModelSpec, ModelVersionSpec, PartySpec, ReleaseSpec, ReleaseState, SystemSpec,
};
use licit_schemas::resource::Registered;
use licit_schemas::text::Iri;
use serde::Serialize;
use uuid::Uuid;

use super::vocabulary::vocabulary;
use super::{ReleaseMoved, What, bytes};
use crate::catalogue::{Catalogue, Stated};
use crate::error::{Error, Result};
use crate::facts::{Fact, Tx, World, canonical, digest};
use crate::resolve::{about, at_version, created, differs, expect, parse, pin, pin_all, stands, unchanged};
use crate::strictness;

/// The largest figure a metric or threshold may have, 2^53 - 1.
pub(crate) const MAX_FIGURE: f64 = 9_007_199_254_740_991.0;

/// What to do when something of that name is there with other content.
#[derive(Clone, Copy, Debug)]
pub enum Existing {
    /// Refuse, saying what differs.
    Refuse,
    /// Record the next revision.
    Revise,
    /// Record the next revision if the present state is this one (`If-Match`).
    Match(u64),
}

/// Something with revisions and the fact that states one.
pub(crate) struct Lasting<T> {
    pub(crate) reference: Ref,
    pub(crate) catalogue: fn(&World) -> &Catalogue<T>,
    pub(crate) fact: fn(Stated<T>) -> Fact,
    pub(crate) kind: &'static str,
    /// Each revision has a reference and an id of its own.
    pub(crate) pinned: bool,
}

/// State something that has revisions: the same content again is the same revision.
pub(crate) fn state<T: Clone + Serialize>(
    tx: &mut Tx<'_>,
    thing: &Lasting<T>,
    spec: T,
    existing: Existing,
) -> Result<Registered> {
    canonical(&spec)?;
    let sum = digest(&spec);
    let base = thing.reference.to_string();
    let latest = (thing.catalogue)(tx.world()).latest(&base).cloned();
    let (id, rev) = match latest {
        None => match existing {
            Existing::Match(_) => return Err(Error::NotFound(format!("there is no `{base}`"))),
            _ => (tx.new_id(), 1),
        },
        Some(latest) => {
            if let Existing::Match(seq) = existing
                && latest.seq != seq
            {
                return Err(Error::PreconditionFailed(format!(
                    "`{base}` is at {}, not at {seq}: read it again and decide anew",
                    latest.seq
                )));
            }
            if latest.digest == sum {
                return Ok(unchanged(latest.id, parse(&latest.reference)?, sum, latest.seq));
            }
            if matches!(existing, Existing::Refuse) {
                return Err(match differs(tx, thing.kind, latest.id, &thing.reference, &spec) {
                    Error::Conflict(_, faults) => Error::Conflict(
                        format!("`{base}` is registered with other content: change it with PUT and If-Match"),
                        faults,
                    ),
                    other => other,
                });
            }
            (if thing.pinned { tx.new_id() } else { latest.id }, latest.rev + 1)
        }
    };
    let reference = if thing.pinned {
        thing.reference.clone().at_rev(rev).map_err(|e| Error::invalid("/key", e.to_string()))?
    } else {
        thing.reference.clone()
    };
    let seq = tx.record((thing.fact)(Stated { id, rev, spec }))?;
    Ok(created(id, reference, sum, seq))
}

/// Register a party.
///
/// # Errors
/// Unknown parties in its arrangements; lists that no decision on adequacy names; other content under the same key.
pub fn party(tx: &mut Tx<'_>, spec: PartySpec, existing: Existing) -> Result<Registered> {
    let own = Ref::party(&spec.key);
    for (place, arrangement) in spec.arrangements.iter().enumerate() {
        let at = format!("/arrangements/{place}/with");
        expect(&arrangement.with, &[Kind::Party], &at)?;
        pin(tx.world(), &arrangement.with, tx.now(), &at)?;
    }
    for (place, entry) in spec.certifications.iter().enumerate() {
        let lists = crate::lawfulness::law::transfers::lists();
        if !lists.contains(&entry.scheme.as_str()) {
            let says = format!("there is no list `{}`; there are {}", entry.scheme, lists.join(", "));
            return Err(Error::invalid(&format!("/certifications/{place}/scheme"), says));
        }
    }
    let thing = Lasting {
        reference: own,
        catalogue: |w| &w.registry.parties,
        fact: Fact::PartyRegistered,
        kind: "party",
        pinned: false,
    };
    state(tx, &thing, spec, existing)
}

/// Register a dataset.
///
/// # Errors
/// Other content under the same name.
pub fn dataset(tx: &mut Tx<'_>, spec: DatasetSpec, existing: Existing) -> Result<Registered> {
    let thing = Lasting {
        reference: Ref::dataset(&spec.namespace, &spec.name),
        catalogue: |w| &w.registry.datasets,
        fact: Fact::DatasetRegistered,
        kind: "dataset",
        pinned: false,
    };
    state(tx, &thing, spec, existing)
}

/// Register a model.
///
/// # Errors
/// Other content under the same name.
pub fn model(tx: &mut Tx<'_>, spec: ModelSpec, existing: Existing) -> Result<Registered> {
    let thing = Lasting {
        reference: Ref::model(&spec.name),
        catalogue: |w| &w.registry.models,
        fact: Fact::ModelRegistered,
        kind: "model",
        pinned: false,
    };
    state(tx, &thing, spec, existing)
}

/// Register a system, or its next revision.
///
/// # Errors
/// Answers to questions the questionnaire does not ask; an area of high risk that no law names.
pub fn system(tx: &mut Tx<'_>, spec: SystemSpec) -> Result<Registered> {
    use crate::lawfulness::law::duties;
    if let Some(key) = &spec.high_risk_area
        && duties::area(key.as_str()).is_none()
    {
        let known: Vec<&str> = duties::areas().iter().map(|a| a.key.as_str()).collect();
        return Err(Error::invalid(
            "/high_risk_area",
            format!("there is no area `{key}`; there are {}", known.join(", ")),
        ));
    }
    if let Some(practices) = &spec.practices {
        let Some(asked) = crate::lawfulness::law::practices(practices.version.as_str()) else {
            return Err(Error::invalid(
                "/practices/version",
                format!("there is no questionnaire `{}`", practices.version),
            ));
        };
        for id in practices.answers.keys() {
            if !asked.questions.iter().any(|q| q.id == id.as_str()) {
                let at = format!("/practices/answers/{id}");
                return Err(Error::invalid(&at, format!("questionnaire `{}` does not ask `{id}`", practices.version)));
            }
        }
    }
    let thing = Lasting {
        reference: Ref::system(&spec.key),
        catalogue: |w| &w.registry.systems,
        fact: Fact::SystemRevised,
        kind: "system",
        pinned: true,
    };
    state(tx, &thing, spec, Existing::Revise)
}

/// Register an environment, or change it.
///
/// # Errors
/// A mode looser than the one in force, or one by which a deployment would be held less strictly; those of `existing`.
pub fn environment(tx: &mut Tx<'_>, spec: EnvironmentSpec, existing: Existing) -> Result<Registered> {
    if let Some(place) = spec.patterns.iter().position(|pattern| super::glob(pattern).is_none()) {
        return Err(Error::invalid(
            &format!("/patterns/{place}"),
            "is no pattern: `*` stands for any characters, `?` for one, `[ab]` for one of these, `{a,b}` for either",
        ));
    }
    let base = Ref::environment(&spec.key).to_string();
    if let Some(now) = tx.world().registry.environments.latest(&base)
        && spec.mode < now.spec.mode
    {
        return Err(Error::Conflict(
            format!(
                "`{base}` is stricter today: tightening is free, loosening is the board's to decide, for a while: `licit env loosen {}`",
                spec.key
            ),
            vec![licit_schemas::problem::Fault::new("/mode", "is looser than the mode in force")],
        ));
    }
    let thing = Lasting {
        reference: Ref::environment(&spec.key),
        catalogue: |w| &w.registry.environments,
        fact: Fact::EnvironmentRevised,
        kind: "environment",
        pinned: false,
    };
    // Looked at where it is done: an operation that fails leaves nothing.
    let before = tx.world().clone();
    let registered = state(tx, &thing, spec, existing)?;
    strictness::of_all(&before, tx.world(), tx.now())?;
    Ok(registered)
}

/// Register a deployment, or its next revision.
///
/// # Errors
/// Unknown references; a declaration that says both datasets and nobody, or neither; a disclosure to the controller itself; a move
/// to where it would be held less strictly; a move or a disclosure stated before it begins.
pub fn deployment(tx: &mut Tx<'_>, mut spec: DeploymentSpec, existing: Existing) -> Result<Registered> {
    let now = tx.now();
    for (reference, kind, at) in [
        (&mut spec.system, Kind::System, "/system"),
        (&mut spec.environment, Kind::Environment, "/environment"),
        (&mut spec.purpose, Kind::Purpose, "/purpose"),
        (&mut spec.controller, Kind::Party, "/controller"),
    ] {
        expect(reference, &[kind], at)?;
        *reference = pin(tx.world(), reference, now, at)?;
    }
    pin_all(tx.world(), &mut spec.bases, Kind::Basis, now, "/bases")?;
    pin_all(tx.world(), &mut spec.processors, Kind::Party, now, "/processors")?;
    for (declaration, at) in [(&spec.reads, "/reads"), (&spec.writes, "/writes")] {
        if let Some(declaration) = declaration {
            declared(tx, declaration, at)?;
        }
    }
    if let Some(disclosure) = &mut spec.discloses {
        pin_all(tx.world(), &mut disclosure.to, Kind::Party, now, "/discloses/to")?;
        if let Some(place) = disclosure.to.iter().position(|party| *party == spec.controller) {
            let says = format!("`{}` is the controller: it receives nothing from itself", spec.controller);
            return Err(Error::invalid(&format!("/discloses/to/{place}"), says));
        }
        for (place, item) in disclosure.what.iter().enumerate() {
            let at = format!("/discloses/what/{place}");
            expect(item, &[Kind::Dataset, Kind::Model], &at)?;
            let registry = &tx.world().registry;
            let known = |base: &str| registry.datasets.latest(base).is_some() || registry.models.latest(base).is_some();
            if !known(item.base()) {
                return Err(Error::invalid(&at, format!("there is no `{}`", item.unpinned())));
            }
        }
    }
    later(tx, &spec)?;
    let thing = Lasting {
        reference: Ref::deployment(&spec.name),
        catalogue: |w| &w.registry.deployments,
        fact: Fact::DeploymentRevised,
        kind: "deployment",
        pinned: false,
    };
    let (before, own) = (tx.world().clone(), thing.reference.to_string());
    let registered = state(tx, &thing, spec, existing)?;
    strictness::of_one(&before, tx.world(), &own, now)?;
    Ok(registered)
}

/// What begins later is a statement only: where something runs, and what is handed to others, is recorded when it is so.
fn later(tx: &Tx<'_>, spec: &DeploymentSpec) -> Result<()> {
    let Some(from) = spec.valid_from.filter(|from| *from > tx.now()) else { return Ok(()) };
    let own = Ref::deployment(&spec.name).to_string();
    let present = tx.world().registry.deployment_at(&own, tx.now());
    if present.is_some_and(|present| present.spec.environment != spec.environment) {
        let says = format!("`{own}` moves when it does: state the environment from {from} on at that time");
        return Err(Error::invalid("/environment", says));
    }
    if spec.discloses.is_some() || present.is_some_and(|present| present.spec.discloses.is_some()) {
        return Err(Error::invalid("/valid_from", "lies ahead: who receives what is recorded when it begins or ends"));
    }
    Ok(())
}

fn declared(tx: &Tx<'_>, declaration: &Declaration, at: &str) -> Result<()> {
    if declaration.datasets.is_empty() == declaration.nobody.is_none() {
        return Err(Error::invalid(
            at,
            "name the datasets, or state in `nobody` why there is no person in it: one of both",
        ));
    }
    for (place, dataset) in declaration.datasets.iter().enumerate() {
        let at = format!("{at}/datasets/{place}");
        expect(dataset, &[Kind::Dataset], &at)?;
        // A dataset that nobody registered yet stays a dangling node; one without version must at least be known by name.
        if !dataset.is_pinned() && tx.world().registry.datasets.latest(&dataset.to_string()).is_none() {
            return Err(Error::invalid(&at, format!("there is no `{dataset}`")));
        }
    }
    Ok(())
}

/// Register a dataset version.
///
/// # Errors
/// An unknown dataset, category, subject or party; doubled fields; other content under the same version.
pub fn dataset_version(tx: &mut Tx<'_>, mut spec: DatasetVersionSpec) -> Result<Registered> {
    expect(&spec.dataset, &[Kind::Dataset], "/dataset")?;
    let reference = at_version(&spec.dataset, &spec.version, "/dataset")?;
    if tx.world().registry.datasets.latest(&spec.dataset.to_string()).is_none() {
        return Err(Error::invalid("/dataset", format!("there is no `{}`: register the dataset first", spec.dataset)));
    }
    let mut names = HashSet::new();
    for (place, field) in spec.fields.iter().enumerate() {
        if !names.insert(field.name.as_str()) {
            return Err(Error::invalid(
                &format!("/fields/{place}/name"),
                format!("field `{}` stands twice", field.name),
            ));
        }
        known_terms(&field.categories, "dpv_personal_data", &format!("/fields/{place}/categories"))?;
        if let Some(text) = &field.free_text {
            known_terms(&text.measures, "dpv_measures", &format!("/fields/{place}/free_text/measures"))?;
        }
        if field.pseudonym.is_some() && field.identifiability != Some(Identifiability::Pseudonym) {
            let at = format!("/fields/{place}/pseudonym");
            return Err(Error::invalid(&at, "only a field of identifiability `pseudonym` has a scope"));
        }
    }
    known_terms(&spec.subjects, "dpv_data_subjects", "/subjects")?;
    contradicts(tx.world(), &spec, &reference)?;
    let now = tx.now();
    pin_all(tx.world(), &mut spec.controllers, Kind::Party, now, "/controllers")?;
    pin_all(tx.world(), &mut spec.processors, Kind::Party, now, "/processors")?;
    pin_all(tx.world(), &mut spec.collected_for, Kind::Purpose, now, "/collected_for")?;
    pin_all(tx.world(), &mut spec.collected_under, Kind::Basis, now, "/collected_under")?;
    pin_all(tx.world(), &mut spec.notices, Kind::Notice, now, "/notices")?;
    immutable(tx, "dataset_version", reference, None, spec, Fact::DatasetVersionRegistered)
}

/// Whether bytes that came from people are said to be made up, or about nobody, once they are registered again.
fn contradicts(world: &World, spec: &DatasetVersionSpec, reference: &Ref) -> Result<()> {
    let fiction = |origin: &DatasetOrigin| matches!(origin, DatasetOrigin::Synthetic | DatasetOrigin::Reference);
    let Some(origin) = spec.origin.filter(fiction) else { return Ok(()) };
    for held in world.registry.same_bytes(bytes::number(spec.digest), "") {
        if let What::Dataset(facts) = &held.what
            && let Some(stated) = facts.origin.filter(|stated| !fiction(stated))
            && *held.reference != *reference.to_string()
        {
            let (is, was, other) = (crate::facts::word(&origin), crate::facts::word(&stated), &held.reference);
            let says = format!(
                "is `{is}`, and the same bytes are registered as `{other}`, `{was}`: retire the one that is wrong"
            );
            return Err(Error::Conflict(
                format!("`{reference}` contradicts `{other}`"),
                vec![Fault::new("/origin", says)],
            ));
        }
    }
    Ok(())
}

/// Record something immutable: the same content again is the same thing, other content is refused.
pub(crate) fn immutable<T: Serialize>(
    tx: &mut Tx<'_>,
    kind: &'static str,
    reference: Ref,
    id: Option<Uuid>,
    spec: T,
    fact: impl Fn(Stated<T>) -> Fact,
) -> Result<Registered> {
    let sum = Digest::of(canonical(&spec)?.as_bytes());
    if let Some(held) = tx.world().registry.held(&reference.to_string()).cloned() {
        if held.digest == sum {
            return Ok(about(&held, unchanged(held.id, reference, sum, held.seq)));
        }
        // What an engine reported by name, somebody may say better.
        if !held.reported {
            return Err(differs(tx, kind, held.id, &reference, &spec));
        }
        let seq = tx.record(fact(Stated { id: held.id, rev: 1, spec }))?;
        return Ok(created(held.id, reference, sum, seq));
    }
    let id = id.unwrap_or_else(|| tx.new_id());
    let seq = tx.record(fact(Stated { id, rev: 1, spec }))?;
    Ok(created(id, reference, sum, seq))
}

pub(super) fn known_terms(iris: &[Iri], scheme: &str, at: &str) -> Result<()> {
    vocabulary().terms_of(iris, scheme).map(|_| ()).map_err(|(place, iri)| {
        let what = match scheme {
            "dpv_personal_data" => "a DPV category of personal data",
            "dpv_measures" => "a DPV measure",
            _ => "a DPV category of subjects",
        };
        Error::invalid(
            &format!("{at}/{place}"),
            format!("`{iri}` is not {what}: `licit vocabulary {scheme}` lists them"),
        )
    })
}

/// Register a model version.
///
/// # Errors
/// An unknown model or provider; files or endpoint missing for its kind; other content under the same version.
pub fn model_version(tx: &mut Tx<'_>, mut spec: ModelVersionSpec) -> Result<Registered> {
    expect(&spec.model, &[Kind::Model], "/model")?;
    let reference = at_version(&spec.model, &spec.version, "/model")?;
    if tx.world().registry.models.latest(&spec.model.to_string()).is_none() {
        return Err(Error::invalid("/model", format!("there is no `{}`: register the model first", spec.model)));
    }
    let endpoint = spec.kind == ModelKind::Endpoint;
    if endpoint != spec.endpoint.is_some() {
        return Err(Error::invalid("/endpoint", "an endpoint, and only an endpoint, states its pin here"));
    }
    if endpoint != spec.files.is_empty() {
        return Err(Error::invalid("/files", "a model of files lists them with their digests; an endpoint has none"));
    }
    match (&spec.provider, spec.kind) {
        (None, ModelKind::Acquired | ModelKind::Endpoint) => {
            return Err(Error::invalid("/provider", "a model made elsewhere names its provider, `party:<key>`"));
        }
        (Some(provider), _) => {
            expect(provider, &[Kind::Party], "/provider")?;
            spec.provider = Some(pin(tx.world(), provider, tx.now(), "/provider")?);
        }
        (None, ModelKind::Built) => {}
    }
    let mut paths = HashSet::new();
    for (place, file) in spec.files.iter().enumerate() {
        if !paths.insert(file.path.as_str()) {
            return Err(Error::invalid(&format!("/files/{place}/path"), format!("file `{}` stands twice", file.path)));
        }
    }
    for (name, figure) in &spec.metrics {
        // Canonical JSON prints it as an integer, and readers that hold integers exactly would see another number.
        if figure.abs() > MAX_FIGURE {
            let at = format!("/metrics/{}", name.as_str().replace('~', "~0").replace('/', "~1"));
            return Err(Error::invalid(&at, "is beyond 2^53 - 1: state it in a larger unit"));
        }
    }
    immutable(tx, "model_version", reference, None, spec, Fact::ModelVersionRegistered)
}

/// Propose a release. Proposing the latest composition again is the same release.
///
/// # Errors
/// An unknown deployment; models without a registered version; what is retired.
pub fn release(tx: &mut Tx<'_>, mut spec: ReleaseSpec) -> Result<Registered> {
    expect(&spec.deployment, &[Kind::Deployment], "/deployment")?;
    let now = tx.now();
    spec.deployment = pin(tx.world(), &spec.deployment, now, "/deployment")?;
    for (place, part) in spec.composition.iter_mut().enumerate() {
        let at = format!("/composition/{place}/model");
        expect(&part.model, &[Kind::Model], &at)?;
        part.model = pin(tx.world(), &part.model, now, &at)?;
        stands(tx.world(), &part.model, &at)?;
    }
    handed_over(tx, &mut spec)?;
    pin_all(tx.world(), &mut spec.indexes, Kind::Dataset, now, "/indexes")?;
    for (place, index) in spec.indexes.iter().enumerate() {
        stands(tx.world(), index, &format!("/indexes/{place}"))?;
    }
    canonical(&spec)?;
    let sum = digest(&spec);
    let deployment = spec.deployment.to_string();
    let known = tx.world().registry.releases(&deployment);
    if let Some(last) = known.last()
        && last.digest == sum
        && last.state != ReleaseState::Withdrawn
    {
        return Ok(unchanged(last.id, parse(&last.reference)?, sum, last.seq));
    }
    let n = u32::try_from(known.len() + 1).map_err(|_| Error::conflict("too many releases"))?;
    let id = tx.new_id();
    let seq = tx.record(Fact::ReleaseProposed(Stated { id, rev: n, spec }))?;
    Ok(created(id, parse(&format!("release:{}@{n}", deployment.trim_start_matches("deployment:")))?, sum, seq))
}

/// What a release hands over, pinned: what it names, else the latest of all its deployment discloses. Where nothing is disclosed,
/// a release has models.
fn handed_over(tx: &Tx<'_>, spec: &mut ReleaseSpec) -> Result<()> {
    let world = tx.world();
    let stated = world.registry.deployments.latest(&spec.deployment.to_string()).and_then(|d| d.spec.discloses.clone());
    let Some(disclosure) = stated else {
        if !spec.discloses.is_empty() {
            return Err(Error::invalid("/discloses", format!("`{}` discloses nothing", spec.deployment)));
        }
        if spec.composition.is_empty() {
            return Err(Error::invalid("/composition", "a release names at least one model"));
        }
        return Ok(());
    };
    let mut at = "/discloses";
    if spec.discloses.is_empty() {
        at = "/deployment";
        spec.discloses = disclosure.what.clone();
    }
    for (place, item) in spec.discloses.iter_mut().enumerate() {
        let at = if at == "/deployment" { at.to_owned() } else { format!("{at}/{place}") };
        if !disclosure.what.iter().any(|r| r == item || *r == item.unpinned()) {
            return Err(Error::invalid(&at, format!("`{}` does not disclose `{item}`", spec.deployment)));
        }
        *item = pin(world, item, tx.now(), &at)?;
        stands(world, item, &at)?;
    }
    Ok(())
}

/// Take a release out for good.
///
/// # Errors
/// An unknown release.
pub fn withdraw(tx: &mut Tx<'_>, id: Uuid) -> Result<Registered> {
    let row = tx.row("release", id)?.ok_or_else(|| Error::NotFound(format!("there is no release `{id}`")))?;
    let reference = parse(&row.reference)?;
    let Some(release) = tx.world().registry.release(&reference).cloned() else {
        return Err(Error::NotFound(format!("there is no `{reference}`")));
    };
    if release.state == ReleaseState::Withdrawn {
        return Ok(unchanged(id, reference, release.digest, release.seq));
    }
    let moved =
        ReleaseMoved { id, reference: reference.clone(), state: ReleaseState::Withdrawn, decision: None, reason: None };
    let seq = tx.record(Fact::ReleaseMoved(moved))?;
    Ok(created(id, reference, release.digest, seq))
}

//! Proposing purposes, bases, assessments, the policy. They count once the board approves them.

use licit_schemas::lawfulness::{AssessmentKind, AssessmentSpec, BasisSpec, LegalBasis, PurposeSpec, Recipe};
use licit_schemas::policy::PolicySpec;
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::resource::Registered;
use licit_schemas::text::Iri;
use serde::Serialize;

use super::law;
use crate::catalogue::{Catalogue, Stated};
use crate::error::{Error, Result};
use crate::facts::{Fact, Tx, World};
use crate::registry::operations::{Existing, Lasting, MAX_FIGURE, state};
use crate::registry::vocabulary::vocabulary;
use crate::resolve::{expect, pin};

/// The next revision, unless the latest says the same.
fn revise<T: Clone + Serialize>(
    tx: &mut Tx<'_>,
    reference: Ref,
    catalogue: fn(&World) -> &Catalogue<T>,
    spec: T,
    fact: fn(Stated<T>) -> Fact,
) -> Result<Registered> {
    let kind = reference.kind().as_str();
    state(tx, &Lasting { reference, catalogue, fact, kind, pinned: true }, spec, Existing::Revise)
}

fn period(from: licit_schemas::time::Timestamp, to: Option<licit_schemas::time::Timestamp>) -> Result<()> {
    match to {
        Some(to) if to <= from => Err(Error::invalid("/valid_to", "must lie after `valid_from`")),
        _ => Ok(()),
    }
}

fn known(iris: &[Iri], scheme: &str, at: &str, what: &str) -> Result<()> {
    vocabulary()
        .terms_of(iris, scheme)
        .map(|_| ())
        .map_err(|(place, iri)| Error::invalid(&format!("{at}/{place}"), format!("`{iri}` is not {what}")))
}

/// Propose a purpose. Warns where its models are trained too seldom to act on withdrawals in time.
///
/// # Errors
/// An IRI that is no DPV purpose, an unknown parent or regulated activity, a cycle of parents.
pub fn purpose(tx: &mut Tx<'_>, spec: PurposeSpec) -> Result<Registered> {
    known(std::slice::from_ref(&spec.iri), "dpv_purposes", "", "a DPV purpose").map_err(|_| {
        Error::invalid(
            "/iri",
            format!("`{}` is not a DPV purpose: `licit vocabulary dpv_purposes` lists them", spec.iri),
        )
    })?;
    let own = Ref::purpose(&spec.key);
    if let Some(parent) = &spec.parent {
        expect(parent, &[Kind::Purpose], "/parent")?;
        pin(tx.world(), parent, tx.now(), "/parent")?;
        if tx.world().lawfulness.broader(parent.base()).iter().any(|p| **p == *own.to_string()) {
            return Err(Error::invalid("/parent", format!("`{own}` would be broader than itself")));
        }
    }
    let activities = law::regulated_activities();
    for (place, word) in spec.regulated_as.iter().enumerate() {
        if !activities.contains(&word.as_str()) {
            let at = format!("/regulated_as/{place}");
            return Err(Error::invalid(
                &at,
                format!("`{word}` is not in the table of laws: {}", activities.join(", ")),
            ));
        }
    }
    known(&spec.forbids.categories, "dpv_personal_data", "/forbids/categories", "a DPV category of personal data")?;
    let needs = spec.needs.as_deref().unwrap_or_default();
    known(needs, "dpv_personal_data", "/needs", "a DPV category of personal data")?;
    for (place, source) in spec.forbids.sources.iter().enumerate() {
        let at = format!("/forbids/sources/{place}");
        expect(source, &[Kind::Dataset], &at)?;
        if source.is_pinned() {
            return Err(Error::invalid(&at, "a purpose excludes a dataset, all its versions: leave the version out"));
        }
    }
    if let Some(policy) = &spec.withdrawal
        && !policy.allows(policy.remedy())
    {
        let sentence =
            format!("`{}` is not among `remedies`: the remedy to take must be one that suffices", policy.remedy());
        return Err(Error::invalid("/withdrawal/default_remedy", sentence));
    }
    period(spec.valid_from, spec.valid_to)?;
    // Said when it is written, not when it is late.
    let warnings = spec.withdrawal.as_ref().and_then(|policy| policy.too_late()).into_iter().collect();
    let registered = revise(tx, own, |w| &w.lawfulness.purposes, spec, Fact::PurposeRevised)?;
    Ok(Registered { warnings, ..registered })
}

/// Propose a legal basis.
///
/// # Errors
/// Unknown purposes, datasets, controllers, terms; a basis that covers nothing.
pub fn basis(tx: &mut Tx<'_>, spec: BasisSpec) -> Result<Registered> {
    let now = tx.now();
    let covers = &spec.covers;
    for (list, kind, at) in [
        (&covers.purposes, Kind::Purpose, "/covers/purposes"),
        (&covers.controllers, Kind::Party, "/covers/controllers"),
        (&covers.recipients, Kind::Party, "/covers/recipients"),
        (&spec.replaces, Kind::Basis, "/replaces"),
    ] {
        for (place, reference) in list.iter().enumerate() {
            let at = format!("{at}/{place}");
            expect(reference, &[kind], &at)?;
            pin(tx.world(), reference, now, &at)?;
        }
    }
    for (place, dataset) in covers.datasets.iter().enumerate() {
        let at = format!("/covers/datasets/{place}");
        expect(dataset, &[Kind::Dataset], &at)?;
        if dataset.is_pinned() {
            return Err(Error::invalid(&at, "a basis covers a dataset, all its versions: leave the version out"));
        }
        if tx.world().registry.datasets.latest(&dataset.to_string()).is_none() {
            return Err(Error::invalid(&at, format!("there is no `{dataset}`")));
        }
    }
    known(&covers.categories, "dpv_personal_data", "/covers/categories", "a DPV category of personal data")?;
    known(&covers.subjects, "dpv_data_subjects", "/covers/subjects", "a DPV category of subjects")?;
    if spec.legal_basis != LegalBasis::NoPersonalData {
        for (empty, at, what) in [
            (covers.datasets.is_empty(), "/covers/datasets", "datasets"),
            (covers.categories.is_empty(), "/covers/categories", "data categories"),
            (covers.subjects.is_empty(), "/covers/subjects", "subject categories"),
            (covers.controllers.is_empty(), "/covers/controllers", "controllers"),
            (covers.stages.is_empty(), "/covers/stages", "stages"),
        ] {
            if empty {
                return Err(Error::invalid(at, format!("name the {what} it covers: what is not named is not covered")));
            }
        }
    } else if spec.exception.is_some() {
        return Err(Error::invalid("/exception", "without personal data there is nothing to except"));
    }
    period(spec.valid_from, spec.valid_to)?;
    let own = Ref::basis(&spec.key);
    revise(tx, own, |w| &w.lawfulness.bases, spec, Fact::BasisRevised)
}

/// Propose an assessment.
///
/// # Errors
/// A thing that does not fit its kind, an unknown holder, an end before the start.
pub fn assessment(tx: &mut Tx<'_>, mut spec: AssessmentSpec) -> Result<Registered> {
    match (&mut spec.of, &mut spec.recipe) {
        (Some(of), None) => *of = thing(tx, spec.kind, of)?,
        (None, Some(recipe)) => self::recipe(tx, spec.kind, recipe)?,
        _ => return Err(Error::invalid("/of", "name what it is of, or the recipe: one of both")),
    }
    let of_run = spec.of.as_ref().is_some_and(|of| of.kind() == Kind::Run);
    if spec.kind == AssessmentKind::Regularisation && of_run && spec.bases_then.is_empty() {
        return Err(Error::invalid(
            "/bases_then",
            "name the bases that held when it ran: they are what makes it regular",
        ));
    }
    if spec.kind == AssessmentKind::Compatibility {
        further_purpose(tx, &mut spec)?;
    } else {
        if spec.purpose.is_some() {
            return Err(Error::invalid("/purpose", "only an assessment of compatibility is of one purpose"));
        }
        if spec.compatibility.is_some() {
            return Err(Error::invalid("/compatibility", "these questions belong to an assessment of compatibility"));
        }
        if spec.kind == AssessmentKind::Anonymity && spec.attack_model.is_none() {
            return Err(Error::invalid("/attack_model", "say against which attacks anonymity was assessed"));
        }
    }
    expect(&spec.holder, &[Kind::Party], "/holder")?;
    pin(tx.world(), &spec.holder, tx.now(), "/holder")?;
    for (place, basis) in spec.bases_then.iter_mut().enumerate() {
        let at = format!("/bases_then/{place}");
        expect(basis, &[Kind::Basis], &at)?;
        *basis = pin(tx.world(), basis, tx.now(), &at)?;
    }
    period(spec.valid_from, Some(spec.valid_to))?;
    let own = Ref::assessment(&spec.key);
    revise(tx, own, |w| &w.lawfulness.assessments, spec, Fact::AssessmentRevised)
}

/// What an assessment of a kind is of, pinned unless it stands for all versions.
fn thing(tx: &Tx<'_>, kind: AssessmentKind, of: &Ref) -> Result<Ref> {
    let kinds: &[Kind] = match kind {
        AssessmentKind::Provider => &[Kind::Model],
        AssessmentKind::Regularisation => &[Kind::Dataset, Kind::Model, Kind::Run],
        AssessmentKind::Compatibility => &[Kind::Dataset],
        AssessmentKind::Anonymity => &[Kind::Dataset, Kind::Model],
        AssessmentKind::Combination => &[Kind::Dataset, Kind::Run],
        AssessmentKind::Balancing => &[Kind::Basis],
        AssessmentKind::CompellingGrounds => &[Kind::Purpose],
    };
    expect(of, kinds, "/of")?;
    if kind == AssessmentKind::CompellingGrounds && of.is_pinned() {
        return Err(Error::invalid("/of", "grounds are of a purpose, in all its revisions: leave the revision out"));
    }
    let lasting = matches!(
        kind,
        AssessmentKind::Compatibility
            | AssessmentKind::Combination
            | AssessmentKind::Balancing
            | AssessmentKind::CompellingGrounds
    );
    if !lasting || of.kind() == Kind::Run || of.is_pinned() {
        return pin(tx.world(), of, tx.now(), "/of");
    }
    let (base, world) = (of.to_string(), tx.world());
    let known = match of.kind() {
        Kind::Basis => world.lawfulness.bases.latest(&base).is_some(),
        Kind::Purpose => world.lawfulness.purposes.latest(&base).is_some(),
        _ => world.registry.datasets.latest(&base).is_some(),
    };
    if known { Ok(of.clone()) } else { Err(Error::invalid("/of", format!("there is no `{of}`"))) }
}

/// A recipe names families that exist, and thresholds that can be met.
fn recipe(tx: &Tx<'_>, kind: AssessmentKind, recipe: &Recipe) -> Result<()> {
    if !matches!(kind, AssessmentKind::Anonymity | AssessmentKind::Combination) {
        return Err(Error::invalid("/recipe", "only anonymity and combinations are assessed by recipe"));
    }
    for (place, family) in recipe.families.iter().enumerate() {
        let at = format!("/recipe/families/{place}");
        expect(
            family,
            if kind == AssessmentKind::Anonymity { &[Kind::Dataset, Kind::Model] } else { &[Kind::Dataset] },
            &at,
        )?;
        if family.is_pinned() {
            return Err(Error::invalid(&at, "a recipe covers versions to come: leave the version out"));
        }
        let (base, registry) = (family.to_string(), &tx.world().registry);
        if registry.datasets.latest(&base).is_none() && registry.models.latest(&base).is_none() {
            return Err(Error::invalid(&at, format!("there is no `{family}`")));
        }
    }
    for (place, threshold) in recipe.thresholds.iter().enumerate() {
        let at = format!("/recipe/thresholds/{place}");
        let bounds = [(threshold.at_least, "at_least"), (threshold.at_most, "at_most")];
        for (bound, side) in bounds {
            // Canonical JSON prints it as an integer, and readers that hold integers exactly would see another number.
            if bound.is_some_and(|bound| bound.abs() > MAX_FIGURE) {
                return Err(Error::invalid(&format!("{at}/{side}"), "is beyond 2^53 - 1: state it in a larger unit"));
            }
        }
        match bounds.map(|(bound, _)| bound) {
            [None, None] => return Err(Error::invalid(&at, "say `at_least`, `at_most` or both")),
            [Some(least), Some(most)] if least > most => {
                return Err(Error::invalid(&format!("{at}/at_most"), "lies below `at_least`: nothing could meet it"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Propose a policy. What it may not touch is known to the gate, and checked there.
///
/// # Errors
/// An environment that is not registered: a misspelt one would never be meant.
pub fn policy(tx: &mut Tx<'_>, spec: PolicySpec) -> Result<Registered> {
    let terms = spec.review.overrides.iter().enumerate();
    let terms = terms.map(|(place, o)| (format!("/review/overrides/{place}"), &o.environments));
    let levels = spec.levels.iter().enumerate().flat_map(|(rule, level)| {
        let overrides = level.overrides.iter().enumerate();
        overrides.map(move |(place, o)| (format!("/levels/{rule}/overrides/{place}"), &o.environments))
    });
    for (at, environments) in terms.chain(levels) {
        for (place, key) in environments.iter().enumerate() {
            let at = format!("{at}/environments/{place}");
            pin(tx.world(), &Ref::environment(key), tx.now(), &at)?;
        }
    }
    revise(tx, Ref::policy(), |w| &w.lawfulness.policies, spec, Fact::PolicyRevised)
}

/// What an assessment of compatibility must say (GDPR Art. 6(4)). Of a dataset it holds for all versions, of a purpose for all
/// revisions: what widens is outside the envelope of the deployment, and voted on there.
fn further_purpose(tx: &Tx<'_>, spec: &mut AssessmentSpec) -> Result<()> {
    let Some(purpose) = &mut spec.purpose else {
        return Err(Error::invalid("/purpose", "name the further purpose whose compatibility was assessed"));
    };
    expect(purpose, &[Kind::Purpose], "/purpose")?;
    pin(tx.world(), purpose, tx.now(), "/purpose")?;
    *purpose = purpose.unpinned();
    if spec.compatibility.is_none() {
        return Err(Error::invalid("/compatibility", "answer the five questions of GDPR Art. 6(4)(a) to (e)"));
    }
    Ok(())
}

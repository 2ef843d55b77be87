//! Saying what nobody said: default classes, and classifications of fields by pattern.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use chrono::Duration;
use licit_schemas::classes::{
    ClassificationCreate, ClassificationItem, ClassificationResult, ClassificationSpec, ClassifiedField,
    DefaultClassSpec,
};
use licit_schemas::problem::Fault;
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::registry::{DatasetOrigin, DatasetVersionSpec, Identifiability};
use licit_schemas::resource::Registered;
use licit_schemas::text::Name;

use super::classes::any_of;
use super::held::terms;
use super::operations::{Existing, Lasting, known_terms, state};
use super::vocabulary::TermId;
use super::{DatasetFacts, Held, What, glob};
use crate::catalogue::Stated;
use crate::error::{Error, Result};
use crate::facts::{Fact, Tx, digest};
use crate::resolve::{created, expect, parse};

/// Days for which a default may answer.
const LONGEST: i64 = 730;
/// Versions classified at once.
const MOST: usize = 1_000;

fn patterns(list: &[Name], at: &str) -> Result<()> {
    match list.iter().position(|pattern| glob(pattern).is_none()) {
        None => Ok(()),
        Some(place) => Err(Error::invalid(
            &format!("{at}/{place}"),
            "is no pattern: `*` stands for any characters, `?` for one, `[ab]` for one of these, `{a,b}` for either",
        )),
    }
}

/// State the default class of some namespaces, or its next revision. Nobody votes: whoever registers could classify each version
/// so, and a default can only say that people are in there.
///
/// # Errors
/// One that says nobody is in there; unknown terms, patterns that are none, an end that is over or too far.
pub fn class(tx: &mut Tx<'_>, spec: DefaultClassSpec) -> Result<Registered> {
    let now = tx.now();
    patterns(&spec.namespaces, "/namespaces")?;
    patterns(&spec.fields, "/fields")?;
    known_terms(&spec.categories, "dpv_personal_data", "/categories")?;
    known_terms(&spec.subjects, "dpv_data_subjects", "/subjects")?;
    if spec.identifiability == Identifiability::None {
        return Err(Error::invalid(
            "/identifiability",
            "a default is pessimistic: at least `quasi`; that nobody is in there is said of each version, by who knows it",
        ));
    }
    if matches!(spec.origin, Some(DatasetOrigin::Synthetic | DatasetOrigin::Reference)) {
        return Err(Error::invalid(
            "/origin",
            "a default is pessimistic: that data describe nobody is said of each version, by who knows it",
        ));
    }
    if spec.valid_to <= now || spec.valid_to > now.plus(Duration::days(LONGEST)) {
        return Err(Error::invalid("/valid_to", format!("must lie in the future, within {LONGEST} days")));
    }
    let thing = Lasting {
        reference: Ref::class(&spec.key),
        catalogue: |w| &w.registry.classes.catalogue,
        fact: Fact::ClassStated,
        kind: "class",
        pinned: true,
    };
    state(tx, &thing, spec, Existing::Revise)
}

/// Classify fields of versions, or say which would be.
///
/// # Errors
/// Nothing named, nothing found, too much at once; a class weaker than the one in force.
pub fn classify(tx: &mut Tx<'_>, create: &ClassificationCreate) -> Result<ClassificationResult> {
    patterns(&create.datasets, "/datasets")?;
    patterns(&create.fields, "/fields")?;
    known_terms(&create.categories, "dpv_personal_data", "/categories")?;
    if create.datasets.is_empty() && create.versions.is_empty() {
        return Err(Error::invalid("/datasets", "name datasets by pattern, or versions"));
    }
    if create.corrects && !create.datasets.is_empty() {
        return Err(Error::invalid(
            "/corrects",
            "what is classified already is corrected version by version: `versions`",
        ));
    }
    if create.valid_from.is_some_and(|from| from > tx.now()) {
        return Err(Error::invalid("/valid_from", "lies in the future: what is classified holds now"));
    }
    let mut found: Vec<(Arc<Held>, Vec<Name>)> = Vec::new();
    for held in chosen(tx, create)? {
        let What::Dataset(facts) = &held.what else { continue };
        let fields = concerned(tx, create, &held, facts)?;
        if !fields.is_empty() {
            found.push((held, fields));
        }
    }
    if found.len() > MOST {
        return Err(Error::invalid(
            "/datasets",
            format!("{} versions are concerned, and at most {MOST} are classified at once: name fewer", found.len()),
        ));
    }
    let items = found
        .iter()
        .map(|(held, fields)| ClassificationItem {
            version: held.reference.to_string(),
            fields: fields.iter().map(ToString::to_string).collect(),
        })
        .collect();
    let mut registered = Vec::new();
    if !create.dry_run && !found.is_empty() {
        let reason_digest = create.reason.as_ref().map(|reason| tx.note(reason.as_str())).transpose()?;
        for (held, fields) in found {
            let classified = |name| ClassifiedField {
                name,
                categories: create.categories.clone(),
                identifiability: create.identifiability,
            };
            let spec = ClassificationSpec {
                version: parse(&held.reference)?,
                fields: fields.into_iter().map(classified).collect(),
                valid_from: create.valid_from,
                reason_digest,
            };
            let (id, sum, version) = (tx.new_id(), digest(&spec), spec.version.clone());
            let seq = tx.record(Fact::DatasetVersionClassified(Stated { id, rev: 1, spec }))?;
            registered.push(created(id, version, sum, seq));
        }
    }
    Ok(ClassificationResult { items, registered })
}

/// The versions meant, by reference.
fn chosen(tx: &Tx<'_>, create: &ClassificationCreate) -> Result<Vec<Arc<Held>>> {
    let registry = &tx.world().registry;
    let mut chosen: BTreeMap<Arc<str>, Arc<Held>> = BTreeMap::new();
    for (place, version) in create.versions.iter().enumerate() {
        let at = format!("/versions/{place}");
        expect(version, &[Kind::Dataset], &at)?;
        let held = registry.held(&version.to_string()).filter(|held| held.retired.is_none());
        let held = held.ok_or_else(|| {
            Error::invalid(
                &at,
                format!("there is no version `{version}` that stands: name it as `<dataset>@<version>`"),
            )
        })?;
        chosen.insert(held.reference.clone(), held.clone());
    }
    if !create.datasets.is_empty() {
        let set = any_of(&create.datasets);
        let fits =
            |spec: &licit_schemas::registry::DatasetSpec| set.is_match(format!("{}/{}", spec.namespace, spec.name));
        let datasets: HashSet<&str> =
            registry.datasets.iter().filter(|d| fits(&d.spec)).map(|d| &*d.reference).collect();
        for held in registry.all_held().filter(|held| held.retired.is_none()) {
            if let What::Dataset(facts) = &held.what
                && datasets.contains(&*facts.dataset)
            {
                chosen.insert(held.reference.clone(), held.clone());
            }
        }
    }
    Ok(chosen.into_values().collect())
}

/// Fields of a version this is about: those nobody classified; for a correction also those it makes stronger.
fn concerned(tx: &mut Tx<'_>, create: &ClassificationCreate, held: &Held, facts: &DatasetFacts) -> Result<Vec<Name>> {
    let set = any_of(&create.fields);
    // That no field is listed is answered by a version that lists them, not here.
    let open = facts.unclassified.iter().filter(|name| *name != "*" && set.is_match(name));
    let mut fields: Vec<Name> = open.filter_map(|name| name.parse().ok()).collect();
    if !create.corrects {
        return Ok(fields);
    }
    let row = tx.row("dataset_version", held.id)?;
    let spec = row.and_then(|row| serde_json::from_str::<DatasetVersionSpec>(&row.doc).ok());
    let spec = spec.ok_or_else(|| Error::Internal(format!("`{}` has no document", held.reference)))?;
    let new = (terms(create.categories.iter()), create.identifiability);
    let mut weaker = Vec::new();
    for field in spec.fields.iter().filter(|field| set.is_match(field.name.as_str())) {
        let later = facts.classified.as_ref().and_then(|known| known.get(&field.name)).cloned();
        let stated = || Some((terms(field.categories.iter()), field.identifiability?));
        let Some(before) = later.or_else(stated) else { continue };
        if before == new {
            continue;
        }
        if !covers(&new, &before) {
            weaker.push(Fault::new(
                "/fields",
                format!("`{}` of `{}` is classified more strongly", field.name, held.reference),
            ));
            continue;
        }
        fields.push(field.name.clone());
    }
    if weaker.is_empty() {
        return Ok(fields);
    }
    Err(Error::Conflict(
        "a classification is only made stronger: what was said too much is said right in a new version".to_owned(),
        weaker,
    ))
}

fn covers(new: &(Vec<TermId>, Identifiability), before: &(Vec<TermId>, Identifiability)) -> bool {
    new.1 >= before.1 && before.0.iter().all(|category| new.0.contains(category))
}

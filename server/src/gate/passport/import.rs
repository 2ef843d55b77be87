//! Taking a model in with its passport: what it says becomes things of this registry, and nothing rests on them before the board agreed.

use std::collections::BTreeMap;

use licit_schemas::digest::Digest;
use licit_schemas::lawfulness::{AssessmentKind, AssessmentSpec};
use licit_schemas::problem::Fault;
use licit_schemas::proof::checkpoint::SignedCheckpoint;
use licit_schemas::proof::passport::verify::{Asked, verify_file};
use licit_schemas::proof::passport::{Exposed, Passport, PassportImport, PassportSpec, PassportTaken, Reach};
use licit_schemas::proof::statement::PAYLOAD;
use licit_schemas::proof::trust::{Outcome, Trusted};
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::registry::{
    DatasetOrigin, DatasetSpec, DatasetVersionSpec, Evidence, Field, ModelKind, ModelSpec, ModelVersionSpec, Retention,
};
use licit_schemas::text::{Key, Name, Namespace, VersionId};

use crate::catalogue::Stated;
use crate::error::{Error, Result};
use crate::facts::{Fact, Tx, digest};
use crate::lawfulness;
use crate::registry::operations::{self as registry, Existing};
use crate::resolve::{created, expect, pin, unchanged};

/// The namespace of datasets that stand for people behind models of others.
const NAMESPACE: &str = "passport";

/// The groups of people that count here, with their places: those who only validated the model are in nothing that runs.
pub(super) fn counted(says: &Passport) -> impl Iterator<Item = (usize, &Exposed)> {
    says.exposure.iter().enumerate().filter(|(_, group)| group.reach != Reach::Validation)
}

/// A text that the passport made, as one of ours.
fn made<T: std::str::FromStr>(text: &str, what: &str) -> Result<T>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|e: T::Err| Error::invalid("/passport", format!("{what}: {e}")))
}

/// Take a model in with its passport.
///
/// # Errors
/// A passport that nobody trusted signed, that does not hold or has ended: the fault begins with the name of the question it did not
/// pass; files that are others; words that no vocabulary here has; what is registered with other content.
pub(super) fn import(tx: &mut Tx<'_>, import: &PassportImport) -> Result<PassportTaken> {
    let now = tx.now();
    let mut keys: Vec<Trusted> = Vec::new();
    for (place, key) in import.keys.iter().enumerate() {
        let key = key.parse().map_err(|e| Error::invalid(&format!("/keys/{place}"), format!("{e}")))?;
        keys.push(key);
    }
    let files = (!import.artifacts.is_empty()).then_some(import.artifacts.as_slice());
    let verified = verify_file(&import.passport, &Asked { keys: &keys, at: now, max_age: None, files });
    let failed = verified.checks.iter().filter(|check| check.outcome != Outcome::Holds);
    let faults: Vec<Fault> =
        failed.map(|check| Fault::new("/passport", format!("{}: {}", check.check, check.says))).collect();
    let Some(statement) = verified.statement.filter(|_| faults.is_empty()) else {
        return Err(Error::Invalid(faults));
    };
    let says = statement.predicate;
    let (provider, holder) = (party(tx, &import.provider, "/provider")?, party(tx, &import.holder, "/holder")?);
    let envelope = import.passport.envelope.open().map_err(|e| Error::invalid("/passport", e.to_string()))?;
    let signed = SignedCheckpoint::parse(import.passport.checkpoint.as_bytes())
        .map_err(|e| Error::invalid("/passport", e.to_string()))?;
    // The bytes that were signed, whatever stands around them.
    let sum = Digest::of(&envelope.pae());
    let foreign: Ref = made(&says.model, "model")?;
    if let Some(known) =
        tx.world().gate.passports.last(&foreign.to_string()).filter(|known| known.spec.statement == sum)
    {
        let (spec, seq) = (known.spec.clone(), known.seq);
        let registered = unchanged(known.id, spec.model.clone(), known.digest, seq);
        return Ok(taken(registered, &spec));
    }
    let mut named = keys.iter().filter_map(|key| key.of(&signed.checkpoint.origin));
    let by = named.find(|key| envelope.verify(&[*key.key()], 1, &[PAYLOAD]).is_ok());
    let by = by.map(|key| key.to_string()).unwrap_or_default();
    if let Some(last) = tx.world().gate.passports.last(&foreign.to_string()) {
        // The board agreed to the one before, and to who signed it: nobody else says what takes its place.
        let of = &last.spec;
        let why = match () {
            () if of.key != by || of.says.registry != says.registry => {
                "another key, or another registry, signed the last one"
            }
            () if of.says.issued >= says.issued => "a later one was taken in before",
            () if (&of.provider, &of.holder) != (&provider, &holder) => "the last one is of another provider or holder",
            () => "",
        };
        if !why.is_empty() {
            return Err(Error::conflict(format!(
                "this passport does not take the place of that of `{foreign}`: {why}"
            )));
        }
    }
    let model = model(tx, &says, &foreign, &provider, import.owner.as_ref())?;
    let datasets = people(tx, &says, &foreign, &holder, import.owner.as_ref())?;
    let assessment = assessment(tx, &says, &model, &holder, sum)?;
    let spec = PassportSpec {
        model: model.clone(),
        provider,
        holder,
        statement: sum,
        key: by,
        checkpoint: signed.checkpoint.head.size,
        datasets,
        assessment,
        says,
    };
    let (id, sum) = (tx.new_id(), digest(&spec));
    let seq = tx.record(Fact::PassportImported(Stated { id, rev: 1, spec: spec.clone() }))?;
    Ok(taken(created(id, model, sum, seq), &spec))
}

fn taken(registered: licit_schemas::resource::Registered, spec: &PassportSpec) -> PassportTaken {
    PassportTaken {
        registered,
        model: spec.model.clone(),
        datasets: spec.datasets.clone(),
        assessment: spec.assessment.clone(),
        valid_until: spec.says.valid_until,
    }
}

fn party(tx: &Tx<'_>, reference: &Ref, pointer: &str) -> Result<Ref> {
    expect(reference, &[Kind::Party], pointer)?;
    pin(tx.world(), reference, tx.now(), pointer)
}

/// The model and its version: acquired, with the files of the passport.
fn model(tx: &mut Tx<'_>, says: &Passport, foreign: &Ref, provider: &Ref, owner: Option<&Key>) -> Result<Ref> {
    let name: Name = made(foreign.name(), "model")?;
    let version: VersionId = made(foreign.version().unwrap_or_default(), "version")?;
    if tx.world().registry.models.latest(&Ref::model(&name).to_string()).is_none() {
        let spec = ModelSpec { name: name.clone(), description: None, owner: owner.cloned(), tags: BTreeMap::new() };
        registry::model(tx, spec, Existing::Refuse)?;
    }
    let spec = ModelVersionSpec {
        model: Ref::model(&name),
        version,
        kind: ModelKind::Acquired,
        files: says.files.clone(),
        endpoint: None,
        provider: Some(provider.clone()),
        framework: None,
        metrics: BTreeMap::new(),
        tags: BTreeMap::new(),
    };
    Ok(registry::model_version(tx, spec).map_err(|e| e.under("/passport/model"))?.r#ref)
}

/// Which dataset each group of people is, by number: one that an earlier passport of the model told of is that again, another gets the
/// next number. What its maker corrected stands beside what it said before, so that no correction takes people out of the lineage.
fn numbered(tx: &Tx<'_>, says: &Passport, foreign: &Ref) -> Vec<usize> {
    let bare = |group: &Exposed| Exposed {
        reach: Reach::Contained,
        promises_known: true,
        promises: Vec::new(),
        sources: 0,
        ..group.clone()
    };
    let prefix = format!("{}-", foreign.name());
    let mut known: Vec<(usize, Exposed)> = Vec::new();
    for taken in tx.world().gate.passports.all(&foreign.to_string()) {
        for (dataset, (_, group)) in taken.spec.datasets.iter().zip(counted(&taken.spec.says)) {
            let number = dataset.name().strip_prefix(&prefix).and_then(|number| number.parse().ok());
            known.extend(number.map(|number| (number, bare(group))));
        }
    }
    let mut next = known.iter().map(|(number, _)| *number).max().unwrap_or(0);
    let mut used: Vec<usize> = Vec::new();
    for (_, group) in counted(says) {
        let group = bare(group);
        let same = known.iter().find(|(number, known)| *known == group && !used.contains(number));
        used.push(same.map_or_else(
            || {
                next += 1;
                next
            },
            |(number, _)| *number,
        ));
    }
    used
}

/// A dataset version for each group of people: a source of this registry, which bases of this registry cover or nothing does. That its
/// maker had the model assessed as anonymous holds for its maker: here they are contained in it, until an assessment of this registry
/// says otherwise.
fn people(tx: &mut Tx<'_>, says: &Passport, foreign: &Ref, holder: &Ref, owner: Option<&Key>) -> Result<Vec<Ref>> {
    let namespace: Namespace = made(NAMESPACE, "namespace")?;
    let version: VersionId = made(foreign.version().unwrap_or_default(), "version")?;
    let mut list = Vec::new();
    let numbers = numbered(tx, says, foreign);
    for (number, (_, group)) in numbers.into_iter().zip(counted(says)) {
        let name: Name = made(&format!("{}-{number}", foreign.name()), "name")?;
        let dataset = Ref::dataset(&namespace, &name);
        if tx.world().registry.datasets.latest(&dataset.to_string()).is_none() {
            let words = format!("People behind `{}` of `{}`, by its passport.", foreign.unpinned(), says.registry);
            let spec = DatasetSpec {
                namespace: namespace.clone(),
                name,
                description: words.parse().ok(),
                owner: owner.cloned(),
                tags: BTreeMap::new(),
            };
            registry::dataset(tx, spec, Existing::Refuse)?;
        }
        let field = |(place, categories): (usize, Vec<licit_schemas::text::Iri>)| -> Result<Field> {
            Ok(Field {
                name: made(&format!("category-{}", place + 1), "field")?,
                data_type: None,
                categories,
                identifiability: Some(group.identifiability),
                pseudonym: None,
                free_text: None,
            })
        };
        let mut categories: Vec<Vec<licit_schemas::text::Iri>> =
            group.categories.iter().map(|category| vec![category.clone()]).collect();
        if categories.is_empty() {
            categories.push(Vec::new());
        }
        let spec = DatasetVersionSpec {
            dataset: dataset.clone(),
            version: version.clone(),
            digest: None,
            fields: categories.into_iter().enumerate().map(field).collect::<Result<_>>()?,
            subjects: group.subjects.clone(),
            origin: Some(DatasetOrigin::Acquired),
            region: None,
            retention: group.kept_until.map(|until| Retention { until, rule: None }),
            controllers: vec![holder.clone()],
            processors: Vec::new(),
            // What they were collected for the passport says by IRI, and the gate asks it there.
            collected_for: Vec::new(),
            collected_under: Vec::new(),
            notices: Vec::new(),
            rows: None,
            measured: None,
            tags: BTreeMap::new(),
        };
        list.push(registry::dataset_version(tx, spec).map_err(|e| e.under("/passport/exposure"))?.r#ref);
    }
    Ok(list)
}

/// The provider assessment that closes the lineage of the model once the board approves it, and no longer than the passport stands. The
/// next passport of the same model is its next revision.
fn assessment(tx: &mut Tx<'_>, says: &Passport, model: &Ref, holder: &Ref, statement: Digest) -> Result<Ref> {
    let of = Digest::of(model.to_string().as_bytes()).hex();
    let key: Key = made(&format!("passport-{}", of.get(..16).unwrap_or_default()), "key")?;
    let kinds: Vec<String> = says.bases.iter().map(|basis| crate::facts::word(&basis.legal_basis)).collect();
    let bases = if kinds.is_empty() { "none".to_owned() } else { kinds.join(", ") };
    let words = format!(
        "`{}` says by its signature what is behind `{}`: `{}` there, recorded as entry {}; legal bases {bases}. Valid until {}: {}.",
        says.registry, says.model, says.decision, says.entry, says.valid_until, says.valid_until_for
    );
    let spec = AssessmentSpec {
        key,
        kind: AssessmentKind::Provider,
        of: Some(model.clone()),
        recipe: None,
        purpose: None,
        compatibility: None,
        holder: holder.clone(),
        statement: made(&words, "statement")?,
        attack_model: None,
        bases_then: Vec::new(),
        evidence: vec![Evidence { uri: made(&format!("{}/passport", says.registry), "registry")?, digest: statement }],
        valid_from: says.issued,
        valid_to: says.valid_until,
    };
    Ok(lawfulness::operations::assessment(tx, spec)?.r#ref)
}

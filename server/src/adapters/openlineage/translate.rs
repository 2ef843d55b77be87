//! From an event as it came to what it says in our words. A pure function of the event: nothing is looked up, so that the same
//! event says the same whenever it comes.

use std::collections::{BTreeMap, HashSet};

use licit_schemas::openlineage::{MOST_ASSESSMENTS, RunFacet};
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::registry::{Code, Column, ColumnInput, ColumnKind, Field, Identifiability};
use licit_schemas::text::{Iri, Key, Name};
use licit_schemas::time::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use super::event::{Event, Flow, Open, Progress, Table};
use super::names;
use super::wire::{self, Wire};
use crate::registry::vocabulary::vocabulary;

/// Datasets an event may name, on each side.
const MOST_TABLES: usize = 1000;
/// Columns an event may list of a dataset, and in its lineage; the same bound as for runs.
const MOST_COLUMNS: usize = 5000;
/// Other names a dataset may have in an event.
const MOST_ALIASES: usize = 50;
/// Tags a dataset may have in an event, and those of them that are about all of its columns.
const MOST_TAGS: usize = 20_000;
const MOST_OF_ALL: usize = 50;
/// Categories of a column.
const MOST_CATEGORIES: usize = 50;

/// Why an event cannot be read.
type Read<T> = Result<T, String>;

/// What an event says.
///
/// # Errors
/// Why it cannot be read, in a sentence.
pub fn translate(value: &Value) -> Read<Event> {
    if !value.is_object() {
        return Err("is no event of OpenLineage: it is no object".to_owned());
    }
    let wire: Wire = serde_json::from_value(value.clone()).map_err(|e| format!("is no event of OpenLineage: {e}"))?;
    let at = moment(wire.event_time.as_deref().ok_or("states no `eventTime`")?)?;
    let facets = || wire.run.as_ref().and_then(|run| run.facets.as_ref());
    let job = wire.job.as_ref();
    let job_facets = || job.and_then(|job| job.facets.as_ref());
    let (run, progress, of_run) = match (&wire.run, job, &wire.dataset) {
        (Some(run), _, _) => {
            let id = run.run_id.parse().map_err(|_| "`run.runId` is no UUID".to_owned())?;
            (id, progress(wire.event_type.as_deref())?, true)
        }
        (None, Some(job), _) => (names::id(&["job", &job.namespace, &job.name]), Progress::Complete, false),
        (None, None, Some(set)) => (names::id(&["dataset", &set.namespace, &set.name]), Progress::Complete, false),
        (None, None, None) => return Err("names neither a run, nor a job, nor a dataset".to_owned()),
    };
    let mut reading =
        Reading { run, of_run, tables: BTreeMap::new(), models: HashSet::new(), read: BTreeMap::new(), columns: 0 };
    let (inputs, outputs) = (wire.inputs.as_deref().unwrap_or(&[]), wire.outputs.as_deref().unwrap_or(&[]));
    if inputs.len() > MOST_TABLES || outputs.len() > MOST_TABLES {
        return Err(format!("names more than {MOST_TABLES} datasets"));
    }
    let mut flow = Flow::default();
    for set in inputs {
        flow.inputs.push(reading.input(set)?);
    }
    let mut explicit = Vec::new();
    let mut plain: Vec<(Vec<Ref>, &wire::Dataset)> = Vec::new();
    for set in outputs.iter().chain(&wire.dataset) {
        let refs = reading.output(set)?;
        match set.facets.as_ref().and_then(|facets| facets.lineage.as_ref()) {
            Some(sources) => {
                room(explicit.len())?;
                explicit.push(reading.explicit(refs, sources)?);
            }
            // Of a dataset alone nobody says what it was made of.
            None if wire.dataset.is_some() => {}
            None => plain.push((refs, set)),
        }
    }
    let of_run_or_job = [facets().and_then(|f| f.lineage.as_ref()), job_facets().and_then(|f| f.lineage.as_ref())];
    for target in of_run_or_job.into_iter().flatten().filter_map(|lineage| lineage.lineage.as_ref()).flatten() {
        if target.r#type.as_deref() == Some("JOB") {
            // A job that only reads.
            for source in target.sources.inputs.iter().flatten() {
                flow.inputs.extend(reading.source(source)?);
            }
            continue;
        }
        room(explicit.len())?;
        let base = reading.base(&target.namespace, &target.name)?;
        let refs = match plain.iter().find(|(refs, _)| refs.iter().any(|r| r.unpinned() == base)) {
            Some((refs, _)) => refs.clone(),
            None => reading.written(&base, None)?,
        };
        for reference in &refs {
            reading.mention(reference)?;
        }
        explicit.push(reading.explicit(refs, &target.sources)?);
    }
    let said = |refs: &Vec<Ref>| explicit.iter().any(|flow| flow.outputs.iter().any(|r| refs.contains(r)));
    plain.retain(|(refs, _)| !said(refs));
    if plain.is_empty() && !explicit.is_empty() {
        // What the engine said of all it wrote takes the place of inputs × outputs.
        flow.inputs.clear();
    }
    for (refs, set) in plain {
        if let Some(lineage) = set.facets.as_ref().and_then(|facets| facets.column_lineage.as_ref()) {
            reading.columns(&mut flow, &refs, lineage)?;
        }
        flow.outputs.extend(refs);
    }
    for flow in std::iter::once(&mut flow).chain(&mut explicit) {
        flow.inputs.sort();
        flow.inputs.dedup();
        flow.outputs.sort();
        flow.outputs.dedup();
    }
    let parent = facets().and_then(|f| f.parent.as_ref()?.run.as_ref()?.run_id.as_ref()?.parse().ok());
    let stated = facets().and_then(|f| f.licit.clone()).or_else(|| job_facets().and_then(|f| f.licit.clone()));
    let facet = stated.map(checked).transpose()?;
    Ok(Event {
        progress,
        at,
        run,
        job: job.and_then(|job| names::name(&format!("{} {}", job.namespace, job.name))),
        parent: parent.filter(|parent: &Uuid| *parent != run),
        facet,
        code: job_facets().and_then(|f| code(f.source_code_location.as_ref()?)),
        tables: reading.tables.into_values().collect(),
        flow,
        explicit,
    })
}

/// Whether one more dataset may be spoken of: asked before it is read.
fn room(known: usize) -> Read<()> {
    if known < MOST_TABLES { Ok(()) } else { Err(format!("names more than {MOST_TABLES} datasets")) }
}

/// A time; producers leave the zone out, and mean UTC.
fn moment(text: &str) -> Read<Timestamp> {
    let zoned = || format!("{text}Z").parse::<Timestamp>();
    text.parse::<Timestamp>().or_else(|_| zoned()).map_err(|_| "`eventTime` is no time".to_owned())
}

fn progress(word: Option<&str>) -> Read<Progress> {
    Ok(match word {
        Some("START") => Progress::Start,
        Some("RUNNING") => Progress::Running,
        Some("COMPLETE") => Progress::Complete,
        Some("FAIL" | "ABORT") => Progress::Fail,
        None | Some("OTHER") => Progress::Other,
        Some(_) => return Err("`eventType` is none of START, RUNNING, COMPLETE, FAIL, ABORT, OTHER".to_owned()),
    })
}

fn code(location: &wire::Location) -> Option<Code> {
    let revision = location.version.as_deref().and_then(|version| version.parse().ok());
    Some(Code { uri: location.url.as_deref()?.parse().ok()?, revision })
}

/// What is stated in our own facet is a reference of the right kind: a slip there is said, not passed over.
fn checked(facet: RunFacet) -> Read<RunFacet> {
    kind(facet.purpose.as_ref(), Kind::Purpose)?;
    kind(facet.basis.as_ref(), Kind::Basis)?;
    kind(facet.controller.as_ref(), Kind::Party)?;
    assessments(&facet.assessments)?;
    Ok(facet)
}

fn assessments(list: &[Ref]) -> Read<()> {
    if list.len() > MOST_ASSESSMENTS {
        return Err(format!("the facet `licit` names more than {MOST_ASSESSMENTS} assessments"));
    }
    list.iter().try_for_each(|one| kind(Some(one), Kind::Assessment))
}

fn kind(reference: Option<&Ref>, wanted: Kind) -> Read<()> {
    match reference {
        Some(reference) if reference.kind() != wanted => {
            Err(format!("the facet `licit` names `{reference}` where `{wanted}:…` belongs"))
        }
        _ => Ok(()),
    }
}

fn none() -> String {
    "names something that no reference can hold".to_owned()
}

/// What was found in an event so far.
struct Reading {
    run: Uuid,
    of_run: bool,
    /// By version.
    tables: BTreeMap<Ref, Table>,
    /// Names of models among them.
    models: HashSet<Ref>,
    /// Under which version each name was read.
    read: BTreeMap<Ref, Ref>,
    columns: usize,
}

impl Reading {
    /// Whether this is a model, as far as the event says.
    fn base(&self, namespace: &str, name: &str) -> Read<Ref> {
        let model = names::model(namespace, name).ok_or_else(none)?;
        if self.models.contains(&model) {
            return Ok(model);
        }
        names::dataset(namespace, name).ok_or_else(none)
    }

    fn named(set: &wire::Dataset) -> Read<Ref> {
        let of = set.facets.as_ref().and_then(|f| f.dataset_type.as_ref()?.dataset_type.as_deref());
        let make = if of == Some("MODEL") { names::model } else { names::dataset };
        make(&set.namespace, &set.name).ok_or_else(none)
    }

    fn version(set: &wire::Dataset) -> Option<&str> {
        let stated = set.facets.as_ref()?.version.as_ref()?.dataset_version.as_deref();
        stated.filter(|version| !version.is_empty())
    }

    fn input(&mut self, set: &wire::Dataset) -> Read<Ref> {
        let base = Self::named(set)?;
        let pinned = match Self::version(set) {
            Some(version) => names::at(&base, version),
            None => names::reported(&base),
        };
        let pinned = pinned.ok_or_else(none)?;
        self.describe(&pinned, set)?;
        self.read.insert(base, pinned.clone());
        Ok(pinned)
    }

    fn output(&mut self, set: &wire::Dataset) -> Read<Vec<Ref>> {
        let refs = self.written(&Self::named(set)?, Self::version(set))?;
        for reference in &refs {
            self.describe(reference, set)?;
        }
        Ok(refs)
    }

    /// What writing a name makes: what can be read by name alone, and a version, the run's own where none is stated.
    fn written(&self, base: &Ref, version: Option<&str>) -> Read<Vec<Ref>> {
        let own = match version {
            Some(version) => Some(names::at(base, version).ok_or_else(none)?),
            None if self.of_run => Some(names::minted(base, self.run).ok_or_else(none)?),
            None => None,
        };
        Ok(names::reported(base).into_iter().chain(own).collect())
    }

    fn mention(&mut self, reference: &Ref) -> Read<&mut Table> {
        if !self.tables.contains_key(reference) {
            room(self.tables.len().div_ceil(4))?;
            if reference.kind() == Kind::Model {
                self.models.insert(reference.unpinned());
            }
        }
        Ok(self.tables.entry(reference.clone()).or_insert_with(|| Table::named(reference.clone())))
    }

    fn describe(&mut self, reference: &Ref, set: &wire::Dataset) -> Read<()> {
        let table = self.mention(reference)?;
        let Some(facets) = &set.facets else { return Ok(()) };
        let mut fields = BTreeMap::new();
        if let Some(list) = facets.schema.as_ref().and_then(|schema| schema.fields.as_deref()) {
            flatten(list, "", &mut fields)?;
        }
        let mut subjects = table.subjects.clone();
        let tags = || facets.tags.iter().filter_map(|tags| tags.tags.as_ref()).flatten();
        if tags().take(MOST_TAGS + 1).count() > MOST_TAGS {
            return Err(format!("gives a dataset more than {MOST_TAGS} tags"));
        }
        let mut of_all = 0;
        for tag in tags() {
            tagged(tag, &mut fields, &mut subjects, &mut of_all)?;
        }
        for field in fields.into_values() {
            match table.fields.iter_mut().find(|known| known.name == field.name) {
                Some(known) => *known = field,
                None => table.fields.push(field),
            }
        }
        if let Some(stated) = &facets.licit {
            kind(stated.controller.as_ref(), Kind::Party)?;
            kind(stated.purpose.as_ref(), Kind::Purpose)?;
            kind(stated.basis.as_ref(), Kind::Basis)?;
            assessments(&stated.assessments)?;
            table.assessments.clone_from(&stated.assessments);
            if vocabulary().terms_of(&stated.subjects, "dpv_data_subjects").is_err() || stated.subjects.len() > 50 {
                return Err("the facet `licit` names subjects that are no DPV category of subjects".to_owned());
            }
            subjects.extend(stated.subjects.iter().cloned());
            table.origin = stated.origin.or(table.origin);
            table.controller = stated.controller.clone().or(table.controller.take());
            table.purpose = stated.purpose.clone().or(table.purpose.take());
            table.basis = stated.basis.clone().or(table.basis.take());
        }
        subjects.sort();
        subjects.dedup();
        table.subjects = subjects;
        let owners = facets.ownership.iter().filter_map(|o| o.owners.as_ref()).flatten();
        table.owner = owners.filter_map(|owner| team(owner.name.as_deref()?)).min().or(table.owner.take());
        let change = facets.lifecycle_state_change.as_ref().and_then(|c| c.lifecycle_state_change.as_deref());
        table.change = change.and_then(names::name).or(table.change.take());
        let identifiers = || facets.symlinks.iter().filter_map(|links| links.identifiers.as_ref()).flatten();
        if identifiers().count() > MOST_ALIASES {
            return Err(format!("gives a dataset more than {MOST_ALIASES} other names"));
        }
        if reference.kind() == Kind::Dataset && reference.version() == Some(names::REPORTED) {
            let other = |one: &wire::Identifier| names::reported(&names::dataset(&one.namespace, &one.name)?);
            table.aliases.extend(identifiers().filter_map(other).filter(|other| other != reference));
            table.aliases.sort();
            table.aliases.dedup();
        }
        Ok(())
    }

    /// What was read, by a name that stands in lineage only; none where a job is the source.
    fn source(&mut self, source: &wire::Source) -> Read<Option<Ref>> {
        if source.r#type.as_deref() == Some("JOB") {
            return Ok(None);
        }
        let namespace = source.namespace.as_deref().ok_or("names a source without its namespace")?;
        let base = self.base(namespace, &source.name)?;
        let pinned = match self.read.get(&base) {
            Some(pinned) => pinned.clone(),
            None => names::reported(&base).ok_or_else(none)?,
        };
        self.mention(&pinned)?;
        Ok(Some(pinned))
    }

    fn column(&mut self, source: &wire::Source, masked: bool) -> Read<(Option<Ref>, Option<ColumnInput>)> {
        let Some(input) = self.source(source)? else { return Ok((None, None)) };
        self.columns += 1;
        if self.columns > MOST_COLUMNS {
            return Err(format!("lists more than {MOST_COLUMNS} columns in its lineage"));
        }
        if input.kind() != Kind::Dataset {
            return Ok((Some(input), None));
        }
        let done = source.transformations.as_deref().unwrap_or(&[]);
        // Of several ways into a column one that is not masked is enough.
        let masking = masked || !done.is_empty() && done.iter().all(|one| one.masking == Some(true));
        let indirect = !done.is_empty() && done.iter().all(|one| one.r#type.as_deref() == Some("INDIRECT"));
        let kind = if indirect { ColumnKind::Indirect } else { ColumnKind::Direct };
        // Of which column nobody says: then it is all of them.
        let field = names::name(source.field.as_deref().unwrap_or(ColumnInput::WHOLE)).ok_or_else(none)?;
        Ok((Some(input.clone()), Some(ColumnInput { input, field, masking, kind })))
    }

    fn columns(&mut self, flow: &mut Flow, refs: &[Ref], lineage: &wire::Columns) -> Read<()> {
        // What came from nobody knows where cannot be narrowed: it is as if nobody had spoken of that column. What it names was read.
        let known = |sources: &[wire::Source]| sources.iter().all(|source| source.namespace.is_some());
        let named = |source: &&wire::Source| source.namespace.is_some();
        let output = refs.first().filter(|output| output.kind() == Kind::Dataset);
        if !known(lineage.dataset.as_deref().unwrap_or(&[])) {
            flow.open.extend(output.map(|output| Open { output: output.clone(), field: None }));
        }
        let mut everywhere = Vec::new();
        for source in lineage.dataset.iter().flatten().filter(named) {
            let (input, column) = self.column(source, false)?;
            flow.inputs.extend(input);
            everywhere.extend(column.map(|column| ColumnInput { kind: ColumnKind::Indirect, ..column }));
        }
        for (name, entry) in lineage.fields.iter().flatten() {
            let masked = entry.transformation_type.as_deref() == Some("MASKED");
            let sources = entry.input_fields.as_deref().unwrap_or(&[]);
            let mut from = self.spread(&everywhere)?;
            for source in sources.iter().filter(named) {
                let (input, column) = self.column(source, masked)?;
                flow.inputs.extend(input);
                from.extend(column);
            }
            if known(sources) {
                flow.columns.extend(made(refs, name, from));
            } else if let (Some(output), Some(field)) = (output, names::name(name)) {
                flow.open.push(Open { output: output.clone(), field: Some(field) });
            }
        }
        Ok(())
    }

    /// What goes into every column, for one more of them: counted before it is copied.
    fn spread(&mut self, everywhere: &[ColumnInput]) -> Read<Vec<ColumnInput>> {
        self.columns += everywhere.len().max(1);
        match self.columns > MOST_COLUMNS {
            true => Err(format!("lists more than {MOST_COLUMNS} columns in its lineage")),
            false => Ok(everywhere.to_vec()),
        }
    }

    fn explicit(&mut self, outputs: Vec<Ref>, sources: &wire::Sources) -> Read<Flow> {
        let mut flow = Flow { outputs, ..Flow::default() };
        let mut everywhere = Vec::new();
        for source in sources.inputs.iter().flatten() {
            let (input, column) = self.column(source, false)?;
            flow.inputs.extend(input);
            let Some(column) = column else { continue };
            match source.field {
                Some(_) => everywhere.push(ColumnInput { kind: ColumnKind::Indirect, ..column }),
                None => flow.whole.push(column.input),
            }
        }
        for (name, entry) in sources.fields.iter().flatten() {
            let mut from = self.spread(&everywhere)?;
            for source in entry.inputs.iter().flatten() {
                let (input, column) = self.column(source, false)?;
                flow.inputs.extend(input);
                from.extend(column);
            }
            flow.columns.extend(made(&flow.outputs, name, from));
        }
        Ok(flow)
    }
}

/// A column that was made, of the dataset by name alone.
fn made(refs: &[Ref], name: &str, from: Vec<ColumnInput>) -> Option<Column> {
    let output = refs.first().filter(|output| output.kind() == Kind::Dataset)?;
    Some(Column { output: output.clone(), field: Some(names::name(name)?), from })
}

/// The leaves of a schema, nested ones with dots between their names.
fn flatten(list: &[wire::SchemaField], above: &str, found: &mut BTreeMap<Name, Field>) -> Read<()> {
    for field in list {
        let path = if above.is_empty() { field.name.clone() } else { format!("{above}.{}", field.name) };
        match field.fields.as_deref().filter(|below| !below.is_empty()) {
            Some(below) => flatten(below, &path, found)?,
            None => {
                let name = names::name(&path).ok_or_else(none)?;
                let data_type = field.r#type.as_deref().and_then(|text| text.parse().ok());
                found.insert(name.clone(), Field { data_type, ..unclassified(name) });
            }
        }
        if found.len() > MOST_COLUMNS {
            return Err(wide());
        }
    }
    Ok(())
}

fn wide() -> String {
    format!("lists more than {MOST_COLUMNS} columns of a dataset")
}

fn unclassified(name: Name) -> Field {
    let (categories, data_type) = (Vec::new(), None);
    Field { name, data_type, categories, identifiability: None, pseudonym: None, free_text: None }
}

/// A tag counts where it is a term of the vocabulary, as its key or its value, or says how far something identifies. Without a
/// field it is about all of them.
fn tagged(
    tag: &wire::Tag,
    fields: &mut BTreeMap<Name, Field>,
    subjects: &mut Vec<Iri>,
    of_all: &mut usize,
) -> Read<()> {
    let words = || [Some(tag.key.as_str()), tag.value.as_deref()].into_iter().flatten();
    let term = |scheme: &str| {
        let mut iris = words().filter_map(|word| word.parse::<Iri>().ok());
        iris.find(|iri| vocabulary().terms_of(std::slice::from_ref(iri), scheme).is_ok())
    };
    subjects.extend(term("dpv_data_subjects"));
    let level = match (tag.key.as_str(), tag.value.as_deref()) {
        ("identifiability" | "licit.identifiability", Some(word)) => Some(match word {
            "none" => Identifiability::None,
            "quasi" => Identifiability::Quasi,
            "pseudonym" => Identifiability::Pseudonym,
            "direct" => Identifiability::Direct,
            _ => return Err("a tag `identifiability` is none of none, quasi, pseudonym, direct".to_owned()),
        }),
        _ => None,
    };
    let category = term("dpv_personal_data");
    if level.is_none() && category.is_none() {
        return Ok(());
    }
    let classify = |field: &mut Field| {
        field.identifiability = field.identifiability.max(level);
        let new = category.as_ref().filter(|category| !field.categories.contains(category));
        if new.is_some() && field.categories.len() >= MOST_CATEGORIES {
            return Err(format!("a column has more than {MOST_CATEGORIES} categories"));
        }
        if let Some(category) = new {
            let place = field.categories.partition_point(|known| known < category);
            field.categories.insert(place, category.clone());
        }
        Ok(())
    };
    let Some(name) = tag.field.as_deref() else {
        *of_all += 1;
        if *of_all > MOST_OF_ALL {
            return Err(format!("gives a dataset more than {MOST_OF_ALL} tags that classify all of its columns"));
        }
        return fields.values_mut().try_for_each(classify);
    };
    let name = names::name(name).ok_or_else(none)?;
    if !fields.contains_key(&name) && fields.len() >= MOST_COLUMNS {
        return Err(wide());
    }
    classify(fields.entry(name.clone()).or_insert_with(|| unclassified(name)))
}

/// A team that owns a dataset: `team:crm` is `crm`. The ledger holds no names of people, so other owners stay with the event.
fn team(owner: &str) -> Option<Key> {
    owner.strip_prefix("team:")?.parse().ok()
}

//! Events of OpenLineage that our own door takes: one of each dataset and model that is registered, and of each run what it read and
//! wrote. What has no words there (deployments, roles, purposes but by our facet) is not said.

use std::collections::BTreeMap;

use licit_schemas::openlineage::{DatasetFacet, FACET_PATH, RunFacet};
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::registry::{Column, ColumnInput, ColumnKind, Field, Operation, RunSpec, Tags};
use licit_schemas::time::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Identifies, Item, Section, Selection, Write, present, word};
use crate::lineage::graph::{EdgeKind, NodeKind};

/// Datasets before runs: a reader that keeps the order knows what it reads of.
pub(super) const SECTIONS: &[Section] =
    &[Section { open: "", close: "", write: Write::Whole(events), keyed: false, repeats: false }];

/// Who says it.
const PRODUCER: &str = "urn:licit:export";
/// The edition of the specification.
const SPECIFICATION: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json";
/// The namespace in which names of models are ours.
const OURS: &str = "licit";
/// The version of what is known by name alone.
const REPORTED: &str = "reported";

fn events(selection: &Selection, item: &Item) -> Vec<(String, Value)> {
    let events = match item.kind {
        NodeKind::DatasetVersion | NodeKind::ModelVersion => version(selection, item).into_iter().collect(),
        NodeKind::Run => run(selection, item),
        _ => Vec::new(),
    };
    events.into_iter().map(|event| (String::new(), present(event))).collect()
}

fn facet(name: &str, content: Value) -> Value {
    let mut facet = content;
    facet["_producer"] = json!(PRODUCER);
    facet["_schemaURL"] = match name {
        "licit" => json!(format!("urn:licit:{FACET_PATH}")),
        _ => json!(format!("https://openlineage.io/spec/facets/1-0-0/{name}.json")),
    };
    facet
}

fn ours(content: &impl Serialize) -> Option<Value> {
    let content = serde_json::to_value(content).ok()?;
    content.as_object().is_some_and(|members| !members.is_empty()).then(|| facet("licit", content))
}

/// Namespace and name, as OpenLineage has them.
fn names(reference: &Ref) -> (String, String) {
    match reference.namespace() {
        Some(namespace) => (namespace.to_owned(), reference.name().to_owned()),
        None => (OURS.to_owned(), reference.name().to_owned()),
    }
}

/// A version that a run made where none was stated: who writes by name alone makes it again.
fn is_minted(reference: &Ref) -> bool {
    reference.version().and_then(|version| version.strip_prefix("run-")).is_some_and(|run| run.parse::<Uuid>().is_ok())
}

fn version_facet(reference: &Ref) -> Option<Value> {
    let version = reference.version().filter(|version| *version != REPORTED)?;
    Some(facet("DatasetVersionDatasetFacet", json!({"datasetVersion": version})))
}

fn type_facet(reference: &Ref) -> Option<Value> {
    let model = reference.kind() == Kind::Model;
    model.then(|| facet("DatasetTypeDatasetFacet", json!({"datasetType": "MODEL"})))
}

/// A dataset as it stands in an event of a run.
fn set(reference: &Ref, columns: Option<&Value>) -> Value {
    let (namespace, name) = names(reference);
    json!({
        "namespace": namespace, "name": name,
        "facets": {"version": version_facet(reference), "datasetType": type_facet(reference), "columnLineage": columns},
    })
}

/// A dataset or model by itself: its columns, what they hold, whose it is, its other names.
fn version(selection: &Selection, item: &Item) -> Option<Value> {
    let reference = item.reference()?;
    let row = item.row.as_ref().filter(|_| !is_minted(&reference))?;
    let (namespace, name) = names(&reference);
    let mut facets = Map::new();
    let mut put = |name: &str, facet: Option<Value>| facets.extend(facet.map(|facet| (name.to_owned(), facet)));
    put("version", version_facet(&reference));
    put("datasetType", type_facet(&reference));
    let base = reference.base().to_owned();
    let registry = &selection.world.registry;
    let owner = match reference.kind() {
        Kind::Model => registry.models.latest(&base).and_then(|model| model.spec.owner.clone()),
        _ => registry.datasets.latest(&base).and_then(|dataset| dataset.spec.owner.clone()),
    };
    put(
        "ownership",
        owner.map(|owner| {
            facet("OwnershipDatasetFacet", json!({"owners": [{"name": format!("team:{owner}"), "type": "OWNER"}]}))
        }),
    );
    put("symlinks", symlinks(selection, item));
    if let Some(spec) = item.dataset().filter(|_| item.kind == NodeKind::DatasetVersion) {
        put("schema", schema(&spec.fields));
        put("tags", tags(&spec.fields, &Identifies::of(selection, item, &spec)));
        let own = DatasetFacet {
            origin: spec.origin,
            subjects: spec.subjects,
            controller: spec.controllers.into_iter().next(),
            purpose: spec.collected_for.into_iter().next(),
            basis: spec.collected_under.into_iter().next(),
            assessments: believed(&spec.tags),
        };
        put("licit", ours(&own));
    }
    put("lineage", behind(selection, item));
    Some(json!({
        "eventTime": row.recorded(), "producer": PRODUCER, "schemaURL": format!("{SPECIFICATION}#/$defs/DatasetEvent"),
        "dataset": {"namespace": namespace, "name": name, "facets": facets},
    }))
}

fn schema(fields: &[Field]) -> Option<Value> {
    let field = |field: &Field| json!({"name": field.name, "type": field.data_type});
    let fields: Vec<Value> = fields.iter().map(field).collect();
    (!fields.is_empty()).then(|| facet("SchemaDatasetFacet", json!({"fields": fields})))
}

/// Classes of columns as tags, as they are stated. Where the whole was made of more than they state, a tag of its own says so; who reads
/// these events finds that out of the same lineage.
fn tags(fields: &[Field], level: &Identifies) -> Option<Value> {
    let mut tags = Vec::new();
    if let Some(holds) = level.holds.as_ref().filter(|_| level.is_understated()) {
        tags.push(json!({"key": "licit.identifiability.holds", "value": word(holds), "source": OURS}));
    }
    for field in fields {
        let mut put = |key: &str, value: String| {
            tags.push(json!({"key": key, "value": value, "source": OURS, "field": field.name}))
        };
        field.categories.iter().for_each(|iri| put("category", iri.to_string()));
        if let Some(level) = &field.identifiability {
            put("identifiability", word(level));
        }
    }
    (!tags.is_empty()).then(|| facet("TagsDatasetFacet", json!({"tags": tags})))
}

/// Other names of what is known by name alone.
fn symlinks(selection: &Selection, item: &Item) -> Option<Value> {
    if item.kind != NodeKind::DatasetVersion {
        return None;
    }
    let same = selection.causes(item.node).into_iter().filter(|half| half.kind == EdgeKind::ComposedOf);
    let others = same.filter_map(|half| selection.name(half.node).parse::<Ref>().ok()).map(|other| {
        let (namespace, name) = names(&other);
        json!({"namespace": namespace, "name": name, "type": "TABLE"})
    });
    let identifiers: Vec<Value> = others.collect();
    (!identifiers.is_empty()).then(|| facet("SymlinksDatasetFacet", json!({"identifiers": identifiers})))
}

/// What is behind a model without a run: what its passport said.
fn behind(selection: &Selection, item: &Item) -> Option<Value> {
    let causes = selection.causes(item.node).into_iter().filter(|half| half.kind == EdgeKind::Used);
    let inputs = causes.filter_map(|half| selection.name(half.node).parse::<Ref>().ok()).map(|cause| {
        let (namespace, name) = names(&cause);
        json!({"namespace": namespace, "name": name, "type": "DATASET"})
    });
    let inputs: Vec<Value> = inputs.collect();
    (!inputs.is_empty()).then(|| facet("LineageDatasetFacet", json!({"inputs": inputs})))
}

/// A run: when it began, where that is not all that is known, and what it read and wrote by then.
fn run(selection: &Selection, item: &Item) -> Vec<Value> {
    let Some(run) = item.reference().and_then(|reference| reference.uuid()) else { return Vec::new() };
    let spec = item.run();
    let refs = |halves: Vec<crate::lineage::graph::Half>, kind: EdgeKind| {
        let own = halves.into_iter().filter(move |half| half.kind == kind);
        let mut refs: Vec<Ref> = own.filter_map(|half| selection.name(half.node).parse().ok()).collect();
        refs.sort();
        refs.dedup();
        refs
    };
    let inputs = refs(selection.causes(item.node), EdgeKind::Used);
    let outputs = refs(selection.effects(item.node), EdgeKind::Generated);
    let at = spec.as_ref().map_or(selection.world.lineage.record(item.node).at, |spec| spec.started_at);
    let mut events = Vec::new();
    let mut event = |kind: &str, at: Timestamp, inputs: Vec<Value>, outputs: Vec<Value>| {
        events.push(json!({
            "eventType": kind, "eventTime": at, "producer": PRODUCER, "schemaURL": format!("{SPECIFICATION}#/$defs/RunEvent"),
            "run": {"runId": run, "facets": spec.as_ref().map(|spec| json!({"parent": parent(spec), "licit": ours(&stated(spec))}))},
            "job": job(spec.as_ref()), "inputs": inputs, "outputs": outputs,
        }));
    };
    let ended_at = spec.as_ref().and_then(|spec| spec.ended_at);
    if ended_at.is_some() {
        event("START", at, Vec::new(), Vec::new());
    }
    let inputs = inputs.iter().map(|input| set(input, None)).collect();
    let columns = spec.as_ref().map(|spec| by_output(&spec.columns)).unwrap_or_default();
    event("COMPLETE", ended_at.unwrap_or(at), inputs, written(run, &outputs, &columns));
    events
}

/// What was written: by name alone where the engine stated no version, since that makes both versions again.
fn written(run: Uuid, outputs: &[Ref], columns: &BTreeMap<String, Vec<&Column>>) -> Vec<Value> {
    let own = format!("run-{run}");
    let mut sets = Vec::new();
    for output in outputs {
        let base = output.unpinned();
        let version = output.version().unwrap_or_default();
        let minted = outputs.iter().any(|other| other.version() == Some(&own) && other.unpinned() == base);
        let stated = outputs.iter().any(|other| {
            other.unpinned() == base && other.version().is_some_and(|version| version != REPORTED && version != own)
        });
        // Whatever is written goes into what is known by name alone, too: said once.
        if version == own || version == REPORTED && stated && !minted {
            continue;
        }
        let lineage =
            columns.get(&output.to_string()).map(|columns| facet("ColumnLineageDatasetFacet", column_lineage(columns)));
        sets.push(set(output, lineage.as_ref()));
    }
    sets
}

/// What the facet of ours says of a run.
fn stated(spec: &RunSpec) -> RunFacet {
    let basis = tag(&spec.tags, "licit.basis").and_then(|basis| basis.parse().ok());
    let unstated = spec.purpose.name() == "unstated";
    RunFacet {
        purpose: (!unstated).then(|| spec.purpose.clone()),
        basis,
        operation: (spec.operation != Operation::Derive).then_some(spec.operation),
        controller: spec.controller.clone(),
        assessments: believed(&spec.tags),
    }
}

/// Assessments that whoever reported it believes to hold.
fn believed(tags: &Tags) -> Vec<Ref> {
    let told = tag(tags, "licit.assessments").unwrap_or_default();
    told.split(", ").filter_map(|one| one.parse().ok()).collect()
}

fn tag<'t>(tags: &'t Tags, key: &str) -> Option<&'t str> {
    tags.iter().find(|(name, _)| name.as_str() == key).map(|(_, value)| value.as_str())
}

/// The job: as it was reported, else what was done.
fn job(spec: Option<&RunSpec>) -> Value {
    let reported = spec.and_then(|spec| tag(&spec.tags, "openlineage.job")).and_then(|job| job.split_once(' '));
    let (namespace, name) = match (reported, spec) {
        (Some((namespace, name)), _) => (namespace.to_owned(), name.to_owned()),
        (None, Some(spec)) => (OURS.to_owned(), word(&spec.operation)),
        (None, None) => (OURS.to_owned(), "unknown".to_owned()),
    };
    let code = spec.and_then(|spec| spec.code.as_ref());
    let location = code.map(|code| {
        facet("SourceCodeLocationJobFacet", json!({"type": "git", "url": code.uri, "version": code.revision}))
    });
    json!({"namespace": namespace, "name": name, "facets": {"sourceCodeLocation": location}})
}

fn parent(spec: &RunSpec) -> Option<Value> {
    let run = tag(&spec.tags, "openlineage.parent")?.parse::<Ref>().ok()?.uuid()?;
    Some(facet("ParentRunFacet", json!({"run": {"runId": run}, "job": {"namespace": OURS, "name": "unknown"}})))
}

/// Columns of a run by the output they are of; what is read for a model has no columns there.
fn by_output(columns: &[Column]) -> BTreeMap<String, Vec<&Column>> {
    let mut found: BTreeMap<String, Vec<&Column>> = BTreeMap::new();
    for column in columns.iter().filter(|column| column.field.is_some()) {
        found.entry(column.output.to_string()).or_default().push(column);
    }
    found
}

fn column_lineage(columns: &[&Column]) -> Value {
    let input = |from: &ColumnInput| {
        let (namespace, name) = names(&from.input);
        let kind = if from.kind == ColumnKind::Indirect { "INDIRECT" } else { "DIRECT" };
        let mut input =
            json!({"namespace": namespace, "name": name, "transformations": [{"type": kind, "masking": from.masking}]});
        if from.field.as_str() != ColumnInput::WHOLE {
            input["field"] = json!(from.field);
        }
        input
    };
    let mut fields = Map::new();
    for column in columns {
        if let Some(field) = &column.field {
            let inputs: Vec<Value> = column.from.iter().map(input).collect();
            fields.insert(field.to_string(), json!({"inputFields": inputs}));
        }
    }
    json!({"fields": fields})
}

//! CycloneDX 1.7: a bill of materials of models, data and deployments. Runs and releases are no components: what went into them
//! are dependencies of what came out.

use std::collections::BTreeSet;
use std::sync::Arc;

use licit_schemas::reference::Ref;
use licit_schemas::registry::{DatasetVersionSpec, Evidence, ModelVersionSpec, ReleaseState};
use serde_json::{Value, json};

use super::{Identifies, Item, Section, Selection, Write, filled, id, node, position, word};
use crate::lineage::exposure::NO_CUTS;
use crate::lineage::graph::{EdgeKind, Flags, NodeId, NodeKind};
use crate::lineage::views;

/// Components, and what each is made of.
pub(super) const SECTIONS: &[Section] = &[
    Section { open: "\"components\":[", close: "],\n", write: Write::Whole(components), keyed: false, repeats: false },
    Section { open: "\"dependencies\":[", close: "]", write: Write::Whole(dependencies), keyed: false, repeats: false },
];

/// What stands before the components: which registry, at which position, about what.
pub(super) fn head(selection: &Selection, root: Option<&Item>) -> String {
    let of = root.map(|root| root.name.to_string()).unwrap_or_default();
    let place = position(selection).to_string();
    let serial = id(&["cyclonedx", &selection.moment.to_string(), &place, &of]);
    let metadata = filled(json!({
        "timestamp": selection.moment,
        "tools": {"components": [{"type": "application", "name": "licit-server", "version": env!("CARGO_PKG_VERSION")}]},
        "component": root.and_then(|root| component(selection, root)),
        "properties": [property("licit:position", &place)],
    }));
    format!(
        "{{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.7\",\"version\":1,\"serialNumber\":\"urn:uuid:{serial}\",\n\"metadata\":{metadata},\n"
    )
}

fn components(selection: &Selection, item: &Item) -> Vec<(String, Value)> {
    // What the whole is about stands in the metadata.
    if selection.root == Some(item.node) {
        return Vec::new();
    }
    component(selection, item).map(|component| (String::new(), component)).into_iter().collect()
}

/// Whether a node is a component: a release is one only where it is what is asked about.
fn is_component(selection: &Selection, node: NodeId) -> bool {
    match selection.kind(node) {
        NodeKind::DatasetVersion | NodeKind::ModelVersion | NodeKind::Deployment => true,
        NodeKind::Release | NodeKind::Run => selection.root == Some(node),
        NodeKind::Party => false,
    }
}

fn property(name: &str, value: &(impl ToString + ?Sized)) -> Value {
    json!({"name": name, "value": value.to_string()})
}

fn hash(digest: &licit_schemas::digest::Digest) -> Value {
    json!({"alg": "SHA-256", "content": digest.hex()})
}

fn component(selection: &Selection, item: &Item) -> Option<Value> {
    if !is_component(selection, item.node) {
        return None;
    }
    let mut value = match item.kind {
        NodeKind::DatasetVersion => dataset(selection, item),
        NodeKind::ModelVersion => model(selection, item),
        NodeKind::Deployment => deployment(selection, item),
        _ => execution(selection, item),
    };
    value["bom-ref"] = json!(&*item.name);
    let properties = value["properties"].as_array_mut();
    if let Some(properties) = properties {
        match item.state() {
            Some(state) => properties.push(property("licit:state", state)),
            None if node(selection, item).flags.has(Flags::DANGLING) => {
                properties.push(property("licit:registered", &false));
            }
            None => {}
        }
    }
    Some(filled(value))
}

/// Name and version of what a reference names.
fn named(item: &Item) -> (String, Option<String>) {
    let Some(reference) = item.reference() else { return (item.name.to_string(), None) };
    let name = match reference.namespace() {
        Some(namespace) => format!("{namespace}/{}", reference.name()),
        None => reference.name().to_owned(),
    };
    (name, reference.version().map(str::to_owned))
}

/// The party or team behind a key, as an organisation.
fn organisation(selection: &Selection, party: &Ref) -> Value {
    let known = selection.world.registry.parties.latest(&party.to_string());
    let name = known.map_or_else(|| party.to_string(), |party| party.spec.name.to_string());
    json!({"organization": {"name": name}})
}

fn dataset(selection: &Selection, item: &Item) -> Value {
    let (name, version) = named(item);
    let lasting = item.reference().map(|reference| reference.base().to_owned());
    let lasting = lasting.and_then(|base| selection.world.registry.datasets.latest(&base).cloned());
    let spec = item.dataset();
    let mut value = json!({
        "type": "data", "name": name, "version": version,
        "description": lasting.as_ref().and_then(|lasting| lasting.spec.description.clone()),
        "properties": [],
    });
    let Some(spec) = spec else { return value };
    let level = Identifies::of(selection, item, &spec);
    let categories: BTreeSet<&str> =
        spec.fields.iter().flat_map(|field| &field.categories).map(licit_schemas::text::Iri::as_str).collect();
    let owner = lasting.as_ref().and_then(|lasting| lasting.spec.owner.as_ref());
    let parties = |list: &[Ref]| list.iter().map(|party| organisation(selection, party)).collect::<Vec<_>>();
    value["hashes"] = spec.digest.iter().map(hash).collect();
    value["data"] = json!([{
        "type": "dataset", "name": name,
        "classification": match (level.open, &level.holds) {
            (true, _) => "unknown".to_owned(),
            (false, level) => level.as_ref().map(word).unwrap_or_default(),
        },
        "sensitiveData": categories,
        "governance": {
            "owners": parties(&spec.controllers),
            "custodians": parties(&spec.processors),
            "stewards": owner.map(|owner| json!([{"organization": {"name": owner.as_str()}}])),
        },
    }]);
    let mut properties = dataset_properties(&spec);
    if level.is_understated() {
        // It was made of more than it states.
        properties.extend(level.holds.map(|level| property("licit:identifiability", &word(&level))));
        let stated = level.stated.as_ref().map_or_else(|| "unknown".to_owned(), word);
        properties.push(property("licit:identifiability:stated", &stated));
    }
    value["properties"] = json!(properties);
    value
}

fn dataset_properties(spec: &DatasetVersionSpec) -> Vec<Value> {
    let mut properties = Vec::new();
    let mut put = |name: &str, value: Option<String>| properties.extend(value.map(|value| property(name, &value)));
    put("licit:origin", spec.origin.as_ref().map(word));
    put("licit:region", spec.region.as_ref().map(ToString::to_string));
    put("licit:retention", spec.retention.as_ref().map(|retention| retention.until.to_string()));
    put("licit:rows", spec.rows.map(|rows| rows.to_string()));
    spec.subjects.iter().for_each(|subject| put("licit:subjects", Some(subject.to_string())));
    for (name, list) in [
        ("licit:collected_for", &spec.collected_for),
        ("licit:collected_under", &spec.collected_under),
        ("licit:notice", &spec.notices),
    ] {
        list.iter().for_each(|reference| put(name, Some(reference.to_string())));
    }
    for (name, value) in &spec.tags {
        put(&format!("licit:tag:{name}"), Some(value.to_string()));
    }
    properties
}

fn model(selection: &Selection, item: &Item) -> Value {
    let (name, version) = named(item);
    let lasting = item.reference().map(|reference| reference.base().to_owned());
    let lasting = lasting.and_then(|base| selection.world.registry.models.latest(&base).cloned());
    let description = lasting.and_then(|lasting| lasting.spec.description.clone());
    let mut value = json!({
        "type": "machine-learning-model", "name": name, "version": version, "description": description,
        "modelCard": card(selection, item), "properties": [],
    });
    let Some(spec) = item.model() else { return value };
    if let [file] = &spec.files[..] {
        value["hashes"] = json!([hash(&file.digest)]);
    }
    value["components"] = files(&spec);
    if let Some(provider) = &spec.provider {
        value["supplier"] = organisation(selection, provider)["organization"].clone();
    }
    value["externalReferences"] =
        json!(spec.endpoint.iter().map(|endpoint| contract(&endpoint.contract)).collect::<Vec<_>>());
    value["properties"] = json!(model_properties(&spec));
    value
}

fn contract(evidence: &Evidence) -> Value {
    json!({"type": "other", "comment": "contract", "url": evidence.uri, "hashes": [hash(&evidence.digest)]})
}

fn files(spec: &ModelVersionSpec) -> Value {
    let file = |file: &licit_schemas::registry::ModelFile| {
        let size = file.size.map(|size| property("licit:size", &size));
        json!({"type": "file", "name": file.path, "hashes": [hash(&file.digest)], "properties": size.into_iter().collect::<Vec<_>>()})
    };
    spec.files.iter().map(file).collect()
}

fn model_properties(spec: &ModelVersionSpec) -> Vec<Value> {
    let mut properties = vec![property("licit:kind", &word(&spec.kind))];
    properties.extend(spec.framework.iter().map(|framework| property("licit:framework", framework)));
    if let Some(endpoint) = &spec.endpoint {
        properties.push(property("licit:endpoint:model", &endpoint.model_id));
        properties.push(property("licit:endpoint:snapshot", &endpoint.snapshot));
        properties.push(property("licit:endpoint:region", &endpoint.region));
    }
    properties.extend(spec.tags.iter().map(|(name, value)| property(&format!("licit:tag:{name}"), value)));
    properties
}

/// The card of a model: what it was made of, how it was measured, what it is used for, whose data are in it.
fn card(selection: &Selection, item: &Item) -> Value {
    let metrics = item.model().map(|spec| spec.metrics).unwrap_or_default();
    let figure = |(name, value): (_, f64)| json!({"type": name, "value": value.to_string()});
    let made_of = sources(selection, item.node);
    let datasets = made_of.iter().filter(|cause| selection.kind(**cause) == NodeKind::DatasetVersion);
    let exposure = views::exposure(&selection.world.lineage, position(selection), item.node, NO_CUTS, selection.moment);
    let mut properties = Vec::new();
    if exposure.identifiability > licit_schemas::registry::Identifiability::None || !exposure.categories.is_empty() {
        properties.push(property("licit:exposure:identifiability", &word(&exposure.identifiability)));
    }
    properties.extend(exposure.categories.iter().map(|iri| property("licit:exposure:category", iri)));
    properties.extend(exposure.subjects.iter().map(|iri| property("licit:exposure:subjects", iri)));
    properties.extend(exposure.contained.iter().map(|source| property("licit:exposure:contained", &source.r#ref)));
    properties.extend(exposure.shaped.iter().map(|source| property("licit:exposure:shaped", &source.r#ref)));
    properties.extend(exposure.unknown.iter().map(|name| property("licit:exposure:unknown", name)));
    let special = exposure.special_categories.iter();
    let ethical = special.map(|iri| json!({"name": format!("special category of personal data (GDPR Art. 9): {iri}")}));
    let datasets: Vec<Value> = datasets.map(|cause| json!({"ref": &*selection.name(*cause)})).collect();
    json!({
        "modelParameters": {"datasets": datasets},
        "quantitativeAnalysis": {"performanceMetrics": metrics.into_iter().map(figure).collect::<Vec<_>>()},
        "considerations": {"useCases": uses(selection, item.node), "ethicalConsiderations": ethical.collect::<Vec<_>>()},
        "properties": properties,
    })
}

/// What deployments in which it is active are for.
fn uses(selection: &Selection, model: NodeId) -> BTreeSet<String> {
    let world = &selection.world;
    let releases = selection.effects(model).into_iter().filter(|half| half.kind == EdgeKind::ComposedOf);
    let names = releases.filter_map(|half| selection.name(half.node).parse::<Ref>().ok());
    let active =
        names.filter_map(|name| world.registry.release(&name)).filter(|release| release.state == ReleaseState::Active);
    let used = active.filter_map(|release| {
        let deployment = world.registry.deployments.latest(&release.spec.deployment.to_string())?;
        let purpose = &deployment.spec.purpose;
        let known = world.lawfulness.purposes.revision(purpose.base(), purpose.rev()?);
        let name = known.map(|purpose| format!(": {}", purpose.spec.name)).unwrap_or_default();
        Some(format!("{} by {}{name}", purpose, release.spec.deployment))
    });
    used.collect()
}

fn deployment(selection: &Selection, item: &Item) -> Value {
    let known = selection.world.registry.deployments.latest(&item.name);
    let active = selection.world.registry.active(&item.name).map(|release| release.n.to_string());
    let Some(known) = known else {
        return json!({"type": "application", "name": named(item).0, "properties": []});
    };
    let spec = &known.spec;
    let mut properties = vec![
        property("licit:system", &spec.system),
        property("licit:environment", &spec.environment),
        property("licit:purpose", &spec.purpose),
        property("licit:controller", &spec.controller),
    ];
    properties.extend(spec.bases.iter().map(|basis| property("licit:basis", basis)));
    properties.extend(spec.region.iter().map(|region| property("licit:region", region)));
    json!({"type": "application", "name": spec.name, "version": active, "properties": properties})
}

/// A release or run that is asked about.
fn execution(selection: &Selection, item: &Item) -> Value {
    let (name, version) = match item.reference() {
        Some(reference) => (reference.name().to_owned(), reference.rev().map(|rev| rev.to_string())),
        None => (item.name.to_string(), None),
    };
    let name = if name.is_empty() { item.name.to_string() } else { name };
    let mut properties = Vec::new();
    if let Some(run) = item.run() {
        properties.push(property("licit:operation", &word(&run.operation)));
        properties.push(property("licit:purpose", &run.purpose));
    }
    if let Some(release) = item.reference().and_then(|name| selection.world.registry.release(&name).cloned()) {
        properties.push(property("licit:release", &word(&release.state)));
    }
    json!({"type": "application", "name": name, "version": version, "properties": properties})
}

/// The components something is made of: over runs and releases, which are none.
fn sources(selection: &Selection, of: NodeId) -> Vec<NodeId> {
    let mut found: BTreeSet<(Arc<str>, NodeId)> = BTreeSet::new();
    let (mut seen, mut next) = (BTreeSet::from([of]), vec![of]);
    while let Some(node) = next.pop() {
        for half in selection.causes(node) {
            // A release that is no longer active is not what a deployment is made of.
            let stale = half.kind == EdgeKind::Runs && !is_active(selection, half.node);
            if stale || !seen.insert(half.node) {
                continue;
            }
            if is_component(selection, half.node) {
                found.insert((selection.name(half.node), half.node));
            } else {
                next.push(half.node);
            }
        }
    }
    found.into_iter().map(|(_, node)| node).collect()
}

fn is_active(selection: &Selection, release: NodeId) -> bool {
    let name = selection.name(release).parse::<Ref>().ok();
    let known = name.and_then(|name| selection.world.registry.release(&name).map(|release| release.state));
    known == Some(ReleaseState::Active)
}

fn dependencies(selection: &Selection, item: &Item) -> Vec<(String, Value)> {
    if !is_component(selection, item.node) {
        return Vec::new();
    }
    let causes: Vec<Value> = sources(selection, item.node).iter().map(|node| json!(&*selection.name(*node))).collect();
    vec![(String::new(), filled(json!({"ref": &*item.name, "dependsOn": causes})))]
}

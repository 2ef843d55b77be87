//! PROV-JSON (W3C): versions and releases are entities, runs and deployments activities, parties agents.

use std::collections::HashSet;
use std::fmt::Write as _;

use licit_schemas::reference::Ref;
use licit_schemas::time::Timestamp;
use serde_json::{Map, Value, json};

use super::{Identifies, Item, Section, Selection, Write, node, word};
use crate::lineage::graph::{EdgeKind, Flags, Half, NodeId, NodeKind, Role};

/// What stands before the sections. Names are URNs of their references.
pub(super) const HEAD: &str = "{\n\"prefix\":{\"licit\":\"urn:licit:\",\"dpv\":\"https://w3id.org/dpv#\"},\n";

/// The sections of PROV-JSON, as far as there is something to say in them.
pub(super) const SECTIONS: &[Section] = &[
    Section { open: "\"entity\":{", close: "},\n", write: Write::Whole(entities), keyed: true, repeats: false },
    Section { open: "\"activity\":{", close: "},\n", write: Write::Whole(activities), keyed: true, repeats: false },
    Section { open: "\"agent\":{", close: "},\n", write: Write::Whole(agents), keyed: true, repeats: true },
    Section { open: "\"used\":{", close: "},\n", write: Write::Whole(used), keyed: true, repeats: false },
    Section {
        open: "\"wasGeneratedBy\":{",
        close: "},\n",
        write: Write::Whole(generated),
        keyed: true,
        repeats: false,
    },
    Section {
        open: "\"wasDerivedFrom\":{",
        close: "},\n",
        write: Write::Parts(derivations, derived),
        keyed: true,
        repeats: false,
    },
    Section { open: "\"alternateOf\":{", close: "},\n", write: Write::Whole(alternates), keyed: true, repeats: false },
    Section {
        open: "\"wasAttributedTo\":{",
        close: "},\n",
        write: Write::Whole(attributed),
        keyed: true,
        repeats: false,
    },
    Section {
        open: "\"wasAssociatedWith\":{",
        close: "}",
        write: Write::Whole(associated),
        keyed: true,
        repeats: false,
    },
];

/// A reference as a name in our namespace: what no IRI may hold is percent-encoded; in references `%` stands for nothing else.
fn name(reference: &str) -> String {
    let mut name = String::from("licit:");
    for c in reference.chars() {
        if c.is_whitespace() || c.is_control() || "<>\"{}|\\^`".contains(c) {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                // Writing to a String cannot fail.
                let _ = write!(name, "%{byte:02X}");
            }
        } else {
            name.push(c);
        }
    }
    name
}

fn named(selection: &Selection, node: NodeId) -> String {
    name(&selection.name(node))
}

fn is_entity(kind: NodeKind) -> bool {
    matches!(kind, NodeKind::DatasetVersion | NodeKind::ModelVersion | NodeKind::Release)
}

fn is_activity(kind: NodeKind) -> bool {
    matches!(kind, NodeKind::Run | NodeKind::Deployment)
}

fn typed(kind: &str) -> Value {
    json!({"$": format!("licit:{kind}"), "type": "prov:QUALIFIED_NAME"})
}

fn moment(at: Timestamp) -> Value {
    json!({"$": at, "type": "xsd:dateTime"})
}

/// What is put beside every thing.
fn about(selection: &Selection, item: &Item, kind: &str) -> Map<String, Value> {
    let mut members =
        Map::from_iter([("prov:type".to_owned(), typed(kind)), ("prov:label".to_owned(), json!(&*item.name))]);
    if let Some(state) = item.state() {
        members.insert("licit:state".to_owned(), json!(state));
    }
    if node(selection, item).flags.has(Flags::DANGLING) {
        members.insert("licit:registered".to_owned(), json!(false));
    }
    members
}

/// Several values, or the one.
fn put(members: &mut Map<String, Value>, name: &str, mut values: Vec<Value>) {
    match values.len() {
        0 => {}
        1 => _ = members.insert(name.to_owned(), values.remove(0)),
        _ => _ = members.insert(name.to_owned(), Value::Array(values)),
    }
}

fn texts(values: impl IntoIterator<Item = impl ToString>) -> Vec<Value> {
    let mut texts: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
    texts.sort();
    texts.dedup();
    texts.into_iter().map(Value::from).collect()
}

fn entities(selection: &Selection, item: &Item) -> Vec<(String, Value)> {
    if !is_entity(item.kind) {
        return Vec::new();
    }
    let mut members = match item.kind {
        NodeKind::DatasetVersion => about(selection, item, "DatasetVersion"),
        NodeKind::ModelVersion => about(selection, item, "ModelVersion"),
        _ => about(selection, item, "Release"),
    };
    if let Some(spec) = item.dataset().filter(|_| item.kind == NodeKind::DatasetVersion) {
        put(&mut members, "licit:digest", texts(spec.digest));
        put(&mut members, "licit:origin", spec.origin.iter().map(word).map(Value::from).collect());
        put(&mut members, "licit:category", texts(spec.fields.iter().flat_map(|field| &field.categories)));
        put(&mut members, "licit:subjects", texts(&spec.subjects));
        let level = Identifies::of(selection, item, &spec);
        let words = |level: &Option<_>| level.iter().map(word).map(Value::from).collect();
        put(&mut members, "licit:identifiability", words(&level.holds));
        if level.is_understated() {
            put(&mut members, "licit:statedIdentifiability", words(&level.stated));
        }
        if level.open {
            // What nobody said is not nothing.
            put(&mut members, "licit:classified", vec![Value::from(false)]);
            put(&mut members, "licit:unknownField", texts(&level.unknown));
        }
        put(&mut members, "licit:collectedFor", texts(&spec.collected_for));
    }
    if item.kind == NodeKind::Release
        && let Some(release) = item.reference().and_then(|name| selection.world.registry.release(&name))
    {
        put(&mut members, "licit:state", vec![Value::from(word(&release.state))]);
    }
    if let Some(spec) = item.model().filter(|_| item.kind == NodeKind::ModelVersion) {
        put(&mut members, "licit:kind", vec![Value::from(word(&spec.kind))]);
        put(&mut members, "licit:framework", texts(&spec.framework));
        put(&mut members, "licit:digest", texts(spec.files.iter().map(|file| file.digest)));
    }
    vec![(name(&item.name), Value::Object(members))]
}

fn activities(selection: &Selection, item: &Item) -> Vec<(String, Value)> {
    if !is_activity(item.kind) {
        return Vec::new();
    }
    let mut members = about(selection, item, if item.kind == NodeKind::Run { "Run" } else { "Deployment" });
    if let Some(run) = item.run().filter(|_| item.kind == NodeKind::Run) {
        members.insert("prov:startTime".to_owned(), json!(run.started_at));
        members.extend(run.ended_at.map(|end| ("prov:endTime".to_owned(), json!(end))));
        put(&mut members, "licit:operation", vec![Value::from(word(&run.operation))]);
        put(&mut members, "licit:purpose", texts([run.purpose]));
        put(&mut members, "licit:code", texts(run.code.map(|code| code.uri)));
    }
    if let Some(known) = selection.world.registry.deployments.latest(&item.name) {
        put(&mut members, "licit:purpose", texts([&known.spec.purpose]));
        put(&mut members, "licit:basis", texts(&known.spec.bases));
        put(&mut members, "licit:system", texts([&known.spec.system]));
        put(&mut members, "licit:environment", texts([&known.spec.environment]));
    }
    vec![(name(&item.name), Value::Object(members))]
}

/// Parties that something is attributed to or associated with, each with what they are in it.
fn parties(selection: &Selection, item: &Item) -> Vec<(Ref, &'static str)> {
    let with = |list: &[Ref], role| list.iter().map(|party| (party.clone(), role)).collect::<Vec<_>>();
    match item.kind {
        NodeKind::DatasetVersion => item.dataset().map_or_else(Vec::new, |spec| {
            [with(&spec.controllers, "controller"), with(&spec.processors, "processor")].concat()
        }),
        NodeKind::ModelVersion => {
            item.model().and_then(|spec| spec.provider).map(|party| (party, "provider")).into_iter().collect()
        }
        NodeKind::Run => item.run().map_or_else(Vec::new, |spec| {
            [with(spec.controller.as_slice(), "controller"), with(&spec.processors, "processor")].concat()
        }),
        NodeKind::Deployment => {
            selection.world.registry.deployments.latest(&item.name).map_or_else(Vec::new, |known| {
                let controller = vec![(known.spec.controller.clone(), "controller")];
                [controller, with(&known.spec.processors, "processor")].concat()
            })
        }
        NodeKind::Release | NodeKind::Party => Vec::new(),
    }
}

fn agents(selection: &Selection, item: &Item) -> Vec<(String, Value)> {
    let mut found: Vec<Ref> = parties(selection, item).into_iter().map(|(party, _)| party).collect();
    if item.kind == NodeKind::Party {
        found.extend(item.reference());
    }
    found.extend(recipients(selection, item).into_iter().filter_map(|party| selection.name(party).parse::<Ref>().ok()));
    let agent = |party: Ref| {
        let known = selection.world.registry.parties.latest(&party.to_string());
        let label = known.map_or_else(|| party.to_string(), |known| known.spec.name.to_string());
        (
            name(&party.to_string()),
            json!({"prov:type": {"$": "prov:Organization", "type": "prov:QUALIFIED_NAME"}, "prov:label": label}),
        )
    };
    found.into_iter().map(agent).collect()
}

/// The id of a relation: of what it is between, and which of several.
fn blank(kind: &str, item: &Item, half: &Half, place: usize) -> String {
    format!("_:{kind}-{}-{}-{place}", item.node.0, half.node.0)
}

fn used(selection: &Selection, item: &Item) -> Vec<(String, Value)> {
    if !is_activity(item.kind) {
        return Vec::new();
    }
    let causes = selection.causes(item.node).into_iter().enumerate();
    let reads = |kind| matches!(kind, EdgeKind::Used | EdgeKind::ServesOn | EdgeKind::Runs);
    let relation = |(place, half): (usize, Half)| {
        let mut members = json!({"prov:activity": name(&item.name), "prov:entity": named(selection, half.node)});
        if half.role != Role::None {
            members["prov:role"] = json!(half.role.as_str());
        }
        if let Some(from) = selection.world.lineage.began(half.seq) {
            members["licit:validFrom"] = moment(from);
        }
        members["licit:origin"] = json!(half.origin.as_str());
        (blank("used", item, &half, place), members)
    };
    causes.filter(|(_, half)| reads(half.kind) && is_entity(selection.kind(half.node))).map(relation).collect()
}

fn generated(selection: &Selection, item: &Item) -> Vec<(String, Value)> {
    if !is_entity(item.kind) {
        return Vec::new();
    }
    let causes = selection.causes(item.node).into_iter().enumerate();
    let made = |half: &Half| {
        matches!(half.kind, EdgeKind::Generated | EdgeKind::Emits) && is_activity(selection.kind(half.node))
    };
    let relation = |(place, half): (usize, Half)| {
        let members = json!({
            "prov:entity": name(&item.name), "prov:activity": named(selection, half.node), "licit:origin": half.origin.as_str(),
        });
        (blank("generated", item, &half, place), members)
    };
    causes.filter(|(_, half)| made(half)).map(relation).collect()
}

/// What came of what is told by these: the runs that made a thing, and what it came of by itself. Of several edges to one cause the first
/// says it.
fn derivations(selection: &Selection, item: &Item) -> Vec<Half> {
    if !is_entity(item.kind) {
        return Vec::new();
    }
    let mut seen: HashSet<(NodeId, bool)> = HashSet::new();
    let counts = |half: &Half| match half.kind {
        EdgeKind::Generated => true,
        EdgeKind::Used => !half.role.measures(),
        EdgeKind::ComposedOf => item.kind == NodeKind::Release,
        _ => false,
    };
    let mut causes = selection.causes(item.node);
    causes.retain(|half| counts(half) && seen.insert((half.node, half.kind == EdgeKind::Generated)));
    causes
}

/// What came of what: over the run that made it, or by itself.
fn derived(selection: &Selection, item: &Item, causes: &[Half]) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    let mut put = |cause: &Half, run: Option<NodeId>| {
        let run_of = run.map(|run| run.0.to_string()).unwrap_or_default();
        let key = format!("_:derived-{}-{}-{run_of}", item.node.0, cause.node.0);
        let mut members = json!({
            "prov:generatedEntity": name(&item.name), "prov:usedEntity": named(selection, cause.node),
            "licit:origin": cause.origin.as_str(),
        });
        if cause.role != Role::None {
            members["licit:role"] = json!(cause.role.as_str());
        }
        if let Some(run) = run {
            members["prov:activity"] = json!(named(selection, run));
        }
        found.push((key, members));
    };
    for half in causes {
        if half.kind != EdgeKind::Generated {
            put(half, None);
            continue;
        }
        let mut read = HashSet::new();
        for cause in selection.causes(half.node) {
            if cause.kind == EdgeKind::Used && !cause.role.measures() && read.insert(cause.node) {
                put(&cause, Some(half.node));
            }
        }
    }
    found
}

/// Two names of one dataset.
fn alternates(selection: &Selection, item: &Item) -> Vec<(String, Value)> {
    if item.kind != NodeKind::DatasetVersion {
        return Vec::new();
    }
    let causes = selection.causes(item.node).into_iter().enumerate();
    let same = |half: &Half| half.kind == EdgeKind::ComposedOf && half.node > item.node;
    let relation = |(place, half): (usize, Half)| {
        let members = json!({"prov:alternate1": name(&item.name), "prov:alternate2": named(selection, half.node)});
        (blank("alternate", item, &half, place), members)
    };
    causes.filter(|(_, half)| same(half)).map(relation).collect()
}

fn attributed(selection: &Selection, item: &Item) -> Vec<(String, Value)> {
    if !is_entity(item.kind) {
        return Vec::new();
    }
    let relation = |(place, (party, role)): (usize, (Ref, &str))| {
        let members =
            json!({"prov:entity": name(&item.name), "prov:agent": name(&party.to_string()), "licit:role": role});
        (format!("_:attributed-{}-{place}", item.node.0), members)
    };
    parties(selection, item).into_iter().enumerate().map(relation).collect()
}

fn associated(selection: &Selection, item: &Item) -> Vec<(String, Value)> {
    if !is_activity(item.kind) {
        return Vec::new();
    }
    let relation = |(place, (party, role)): (usize, (Ref, &str))| {
        let members =
            json!({"prov:activity": name(&item.name), "prov:agent": name(&party.to_string()), "prov:role": role});
        (format!("_:associated-{}-{place}", item.node.0), members)
    };
    let received = |party: NodeId| {
        let members =
            json!({"prov:activity": name(&item.name), "prov:agent": named(selection, party), "prov:role": "recipient"});
        (format!("_:received-{}-{}", item.node.0, party.0), members)
    };
    let stated = parties(selection, item).into_iter().enumerate().map(relation);
    stated.chain(recipients(selection, item).into_iter().map(received)).collect()
}

/// Who received what a deployment handed over.
fn recipients(selection: &Selection, item: &Item) -> Vec<NodeId> {
    if item.kind != NodeKind::Deployment {
        return Vec::new();
    }
    let releases = selection.causes(item.node).into_iter().filter(|half| half.kind == EdgeKind::Runs);
    let received =
        releases.flat_map(|release| selection.effects(release.node)).filter(|half| half.kind == EdgeKind::DisclosedTo);
    let mut parties: Vec<NodeId> = received.map(|half| half.node).collect();
    parties.sort_unstable();
    parties.dedup();
    parties
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn names_are_iris_and_never_meet() {
        assert_eq!(name("dataset:s3:%2F%2Fb/k@1"), "licit:dataset:s3:%2F%2Fb/k@1");
        assert_eq!(name("dataset:a/b c@1"), "licit:dataset:a/b%20c@1");
        assert_ne!(name("dataset:a/b c@1"), name("dataset:a/b%2520c@1"));
    }
}

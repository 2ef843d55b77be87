//! Bytes told of twice: a model of the release that is registered again, whole or in the file that holds what it learned, as made
//! of other people.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Evidence, Gap, Missing};
use crate::lineage::PERSONAL;
use crate::lineage::exposure::{self, CONTAINED, Exposure};
use crate::lineage::graph::{Flags, NodeId};
use crate::registry::{Held, ModelFacts};

/// Models of the release whose bytes are registered a second time, as made of people's data that are not behind the release: which
/// of the two is true is unknown.
pub(super) fn contradicted(evidence: &mut Evidence<'_>) {
    let mut found = Vec::new();
    let mut closure: Option<HashSet<NodeId>> = None;
    for model in &evidence.models {
        let Some(facts) = model.facts() else { continue };
        let twins = twins(evidence, &model.reference, facts);
        if twins.is_empty() {
            continue;
        }
        let Some(node) = evidence.world.lineage.find(&model.reference) else { continue };
        let closure = closure.get_or_insert_with(|| evidence.closure.iter().map(|(id, _)| *id).collect());
        found
            .extend(twins.iter().filter_map(|twin| told(evidence, closure, twin)).map(|missing| Gap { node, missing }));
    }
    evidence.gaps.append(&mut found);
}

/// Another version of some bytes.
struct Twin<'a> {
    other: &'a Arc<Held>,
    /// The file they share, where it is not all files.
    file: Option<&'a (String, licit_schemas::digest::Digest)>,
}

/// Versions that share all bytes with a model, or else a file that holds what they learned; each once.
fn twins<'a>(evidence: &Evidence<'a>, own: &'a str, facts: &'a ModelFacts) -> Vec<Twin<'a>> {
    let registry = &evidence.world.registry;
    let whole = registry.same_bytes(facts.bytes, own);
    let mut twins: Vec<Twin<'_>> = whole.map(|other| Twin { other, file: None }).collect();
    for file in facts.weights() {
        for other in registry.sharing(file.1, own) {
            if !twins.iter().any(|twin| twin.other.reference == other.reference) {
                twins.push(Twin { other, file: Some(file) });
            }
        }
    }
    twins
}

/// How the story of a twin contradicts that of the release, if it does.
fn told(evidence: &Evidence<'_>, closure: &HashSet<NodeId>, twin: &Twin<'_>) -> Option<Missing> {
    let (lineage, graph) = (&evidence.world.lineage, evidence.world.lineage.graph());
    let node = lineage.find(&twin.other.reference)?;
    let mut behind = Exposure::default();
    exposure::expose_into(graph, &[(node, CONTAINED)], &|id| evidence.cuts(id), &mut behind);
    let of_people = |id: &NodeId| graph.node(*id).flags.0 & (PERSONAL.0 | Flags::SOURCE.0) != 0;
    let source = behind.nodes.iter().map(|(id, _)| *id).filter(of_people).find(|id| !closure.contains(id))?;
    let (other, source) = (twin.other.reference.clone(), lineage.name(source).as_ref().into());
    let Some((path, digest)) = twin.file else { return Some(Missing::Contradicted(other, source)) };
    // A file that both took over from one model they were made of has that model's story; what each learned since is elsewhere.
    let theirs: HashSet<NodeId> = behind.nodes.iter().map(|(id, _)| *id).chain([node]).collect();
    let mut holders = evidence.world.registry.sharing(*digest, "").filter_map(|held| lineage.find(&held.reference));
    let common = holders.any(|holder| closure.contains(&holder) && theirs.contains(&holder));
    (!common).then(|| Missing::Shared(other, source, path.as_str().into()))
}

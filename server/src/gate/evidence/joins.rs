//! Joins: what several tables say together that none said alone.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock, OnceLock};

use licit_schemas::registry::{Identifiability, Operation};
use licit_schemas::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::Evidence;
use crate::lineage::columns::Read;
use crate::lineage::graph::{EdgeKind, Flags, Graph, Half, NodeId, NodeKind};
use crate::lineage::{ASSESSED, Class, JOINS, PERSONAL, State, columns, levels};
use crate::registry::vocabulary::{TermId, vocabulary};
use crate::registry::{Scopes, What};

/// Categories that identify nobody alone and most people together.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentifyingSet {
    /// Stable id.
    pub id: String,
    /// In words.
    pub name: String,
    /// DPV categories, each or a narrower one.
    pub needs: Vec<String>,
    /// What the literature found.
    pub figure: String,
    #[serde(skip)]
    bits: OnceLock<Parts>,
}

/// Which of the categories that sets are made of somebody holds, a bit each.
type Parts = u64;

static SETS: LazyLock<Vec<IdentifyingSet>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../data/identification/sets.json"))
        .unwrap_or_else(|e| unreachable!("an embedded table parses; a test reads it: {e}"))
});

/// The categories that sets are made of, each once.
static PARTS: LazyLock<Vec<TermId>> = LazyLock::new(|| {
    let mut terms: Vec<TermId> = Vec::new();
    for term in SETS.iter().flat_map(|set| &set.needs).filter_map(|iri| vocabulary().find(iri)) {
        if !terms.contains(&term) {
            terms.push(term);
        }
    }
    terms
});

/// What of the sets is in these categories.
fn parts(categories: &[TermId]) -> Parts {
    let held = |part: &TermId| categories.iter().any(|own| vocabulary().is_a(*own, *part));
    PARTS.iter().enumerate().filter(|(_, part)| held(part)).fold(0, |bits, (bit, _)| bits | 1 << bit)
}

impl IdentifyingSet {
    fn within(&self, held: Parts) -> bool {
        let needs = self.bits.get_or_init(|| {
            let terms: Vec<TermId> = self.needs.iter().filter_map(|iri| vocabulary().find(iri)).collect();
            PARTS.iter().enumerate().filter(|(_, p)| terms.contains(p)).fold(0, |bits, (bit, _)| bits | 1 << bit)
        });
        held & needs == *needs
    }
}

/// Why a join may make people identifiable.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Together its inputs hold a set that identifies people, and none holds it alone.
    Set(#[serde(serialize_with = "id_of")] &'static IdentifyingSet),
    /// The first input is pseudonymised, the second names its people: whether they share a scope nobody can exclude.
    Reidentified(#[serde(skip)] NodeId, #[serde(skip)] NodeId),
    /// The two inputs are pseudonymised apart, and their people put together.
    Scopes(#[serde(skip)] NodeId, #[serde(skip)] NodeId),
    /// The two inputs have no controller in common.
    Controllers(#[serde(skip)] NodeId, #[serde(skip)] NodeId),
    /// Nobody said what this input holds.
    Unclear(#[serde(skip)] NodeId),
}

fn id_of<S: serde::Serializer>(set: &&IdentifyingSet, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&set.id)
}

/// A join that needs an assessment.
#[derive(Clone, Copy, Debug)]
pub struct Join {
    /// The run.
    pub run: NodeId,
    /// Why.
    pub risk: Risk,
}

/// Whether nobody said what a node holds, and no default class answers at a moment.
fn is_unclear(lineage: &State, id: NodeId, flags: Flags, now: Timestamp) -> bool {
    let answered = || match lineage.record(id).held.as_deref().map(|held| &held.what) {
        Some(What::Dataset(facts)) => facts.unanswered(now).is_empty(),
        _ => false,
    };
    flags.has(Flags::DANGLING) || (flags.has(Flags::UNCLASSIFIED) && !answered())
}

/// An input with personal data.
struct Input<'w> {
    node: NodeId,
    dataset: u32,
    /// What the run read of it.
    class: Cow<'w, Class>,
    /// How far it identifies by what it was made of, where that is more than it states; *none* of others.
    raised: Identifiability,
}

impl Input<'_> {
    /// A table that states less than what it was made of counts as both.
    fn is(&self, level: Identifiability) -> bool {
        self.class.identifiability == level || self.raised == level
    }

    /// Whether it says and implies what another does.
    fn is_like(&self, other: &Self) -> bool {
        self.raised == other.raised && (std::ptr::eq(&*self.class, &*other.class) || self.class == other.class)
    }
}

/// What the runs that bring tables together make of them, where that needs an assessment. `understated`: classes of tables of the
/// closure that state less than what they were made of, with the levels noted of them.
pub(super) fn joins(evidence: &Evidence<'_>, understated: &[(u32, u8)]) -> Vec<Join> {
    let lineage = &evidence.world.lineage;
    let mut found = Vec::new();
    // Nearly always the tables behind a release hold too little to make anything of: then only runs that say to combine are
    // looked at, for inputs of which nobody said what they hold.
    let personal =
        evidence.classes.iter().filter(|c| c.identifiability > Identifiability::None || !c.categories.is_empty());
    let together = personal.clone().fold(0, |held, class| held | parts(&class.categories));
    let sets = SETS.iter().any(|set| set.within(together));
    let apart = || {
        let mut kinds: Vec<&Class> = Vec::new();
        for &class in personal.clone() {
            let is_like = |known: &&Class| {
                known.identifiability == class.identifiability
                    && known.scopes == class.scopes
                    && known.controllers == class.controllers
            };
            if !kinds.iter().any(is_like) {
                kinds.push(class);
            }
        }
        kinds.iter().all(|one| kinds.iter().all(|other| !links(one, other)))
    };
    // What the classes of whole tables say is no bound of what columns make of them.
    let quiet = !sets && evidence.narrowed.is_none() && apart() && unmoved(evidence, understated);
    if quiet && !evidence.classes.iter().any(|class| class.traits.operation == Some(Operation::Combine)) {
        return found;
    }
    let mut carried = HashMap::new();
    for &run in joining(evidence) {
        let combines = lineage.class(run).traits.operation == Some(Operation::Combine);
        if quiet && !combines {
            continue;
        }
        let (inputs, unclear) = inputs(evidence, run);
        let risk = match unclear {
            Some(node) if combines => Some(Risk::Unclear(node)),
            _ if !brings_together(&inputs) => None,
            _ => pair(&inputs, reidentifies, Risk::Reidentified)
                .or_else(|| {
                    let apart = if combines { unshared } else { foreign };
                    pair(&inputs, |one, other| apart(&one.class, &other.class), Risk::Controllers)
                })
                .or_else(|| pair(&inputs, separated, Risk::Scopes).filter(|_| combines))
                .or_else(|| if sets { set(evidence, &inputs, &mut carried) } else { None }),
        };
        found.extend(risk.map(|risk| Join { run, risk }));
    }
    found
}

/// Whether tables that state less than what they were made of link nobody whom what is stated does not: nobody is pseudonymous to
/// somebody who is named, and whose they are is nobody else's. Levels noted are the highest there can be.
fn unmoved(evidence: &Evidence<'_>, understated: &[(u32, u8)]) -> bool {
    if understated.is_empty() {
        return true;
    }
    let lineage = &evidence.world.lineage;
    let stated = evidence.classes.iter().map(|class| class.identifiability);
    let noted = understated.iter().map(|(_, implied)| levels::level(*implied));
    let (mut pseudonymous, mut named) = (false, false);
    for level in stated.chain(noted) {
        pseudonymous |= level == Identifiability::Pseudonym;
        named |= level == Identifiability::Direct;
    }
    // A table that states nothing about people keeps only who its parties are.
    let whose = |class: &'_ Class| match class.categories.is_empty() && class.identifiability == Identifiability::None {
        true => class.traits.parties.clone(),
        false => class.controllers.clone(),
    };
    let parties: Vec<Vec<Arc<str>>> =
        understated.iter().map(|(class, _)| whose(lineage.class_at(*class))).filter(|p| !p.is_empty()).collect();
    let alike =
        |others: &[Arc<str>]| others.is_empty() || parties.iter().all(|own| own.iter().all(|p| others.contains(p)));
    !(pseudonymous && named)
        && parties.iter().all(|others| alike(others))
        && (parties.is_empty() || evidence.classes.iter().all(|class| alike(&class.controllers)))
}

/// Runs of the closure that may bring tables together, looked for once and only where somebody asks.
fn joining<'e>(evidence: &'e Evidence<'_>) -> &'e [NodeId] {
    evidence.joining.get_or_init(|| {
        let graph = evidence.world.lineage.graph();
        evidence.closure.iter().map(|(node, _)| *node).filter(|node| graph.node(*node).flags.has(JOINS)).collect()
    })
}

/// Runs of the closure that bring tables with people together, whatever comes of it.
pub fn bringing_together<'e>(evidence: &'e Evidence<'_>) -> impl Iterator<Item = NodeId> + 'e {
    joining(evidence).iter().copied().filter(|run| brings_together(&inputs(evidence, *run).0))
}

/// Rows on rows of one table are no join.
fn brings_together(inputs: &[Input<'_>]) -> bool {
    inputs.iter().any(|input| input.dataset != inputs[0].dataset)
}

/// What a run read as data: tables with people, and the first of which nobody said what it holds.
fn inputs<'w>(evidence: &Evidence<'w>, run: NodeId) -> (Vec<Input<'w>>, Option<NodeId>) {
    let now = evidence.ask.valid_at;
    let lineage = &evidence.world.lineage;
    let graph = lineage.graph();
    let mut inputs = Vec::new();
    let mut unclear = None;
    let says = evidence.narrowed.is_some() && columns::is_mapped(graph.node(run));
    let columns = says.then(|| Read::of(lineage, run)).flatten();
    for half in read(graph, run) {
        let node = graph.node(half.node);
        if is_unclear(lineage, half.node, node.flags, now) {
            unclear = unclear.or(Some(half.node));
        } else if !(node.flags.has(ASSESSED) && evidence.cuts(half.node)) {
            inputs.extend(input(evidence, (run, columns.as_ref()), half.node));
        }
    }
    (inputs, unclear)
}

/// A table with people that a run read: those of its columns that flow on, where the run says which.
fn input<'w>(evidence: &Evidence<'w>, (run, columns): (NodeId, Option<&Read<'_>>), table: NodeId) -> Option<Input<'w>> {
    let lineage = &evidence.world.lineage;
    let node = lineage.graph().node(table);
    // Where nobody assessed anything, what was noted stands.
    let raised = if evidence.assessed.is_empty() { levels::raised(node) } else { evidence.raised(table) };
    if !node.flags.has(PERSONAL) && raised == Identifiability::None {
        return None;
    }
    let whole = &**lineage.class_at(node.class);
    let read = match &evidence.narrowed {
        Some(narrowed) if !narrowed.carries(lineage, run, table) => return None,
        Some(_) => columns.and_then(|columns| columns.fields(table)),
        None => None,
    };
    if read.as_ref().is_some_and(Vec::is_empty) {
        return None;
    }
    let personal = match read {
        _ if !node.flags.has(PERSONAL) => None,
        Some(read) => columns::class(whole, &read).map(Cow::Owned),
        None => Some(Cow::Borrowed(whole)),
    };
    let class = match (personal, lineage.record(table).held.as_deref().map(|held| &held.what)) {
        (Some(class), _) => class,
        (None, _) if raised == Identifiability::None => return None,
        // It was made of people, and states nothing of them: whose it is it says all the same.
        (None, Some(What::Dataset(facts))) => {
            let (controllers, scopes) = (facts.controllers.clone(), facts.scopes.clone());
            Cow::Owned(Class { controllers, scopes, ..Class::default() })
        }
        (None, _) => Cow::Owned(Class::default()),
    };
    Some(Input { node: table, dataset: node.dataset, class, raised })
}

/// Tables a run read as data, not to be measured on.
fn read(graph: &Graph, run: NodeId) -> impl Iterator<Item = Half> + '_ {
    graph
        .upstream(run)
        .filter(|half| half.kind == EdgeKind::Used && !half.role.measures())
        .filter(|half| graph.node(half.node).kind == NodeKind::DatasetVersion)
}

/// Whether two kinds of tables may newly link people, whatever they hold.
fn links(one: &Class, other: &Class) -> bool {
    foreign(one, other) || identifies(one, other)
}

/// No controller in common, stated or not: what a run says to combine is a link unless somebody shows that it is none.
fn unshared(one: &Class, other: &Class) -> bool {
    !other.controllers.iter().any(|c| one.controllers.contains(c))
}

/// Controllers are stated, and none in common. A derived table may leave them out, which another rule says where it matters.
fn foreign(one: &Class, other: &Class) -> bool {
    !one.controllers.is_empty() && !other.controllers.is_empty() && unshared(one, other)
}

/// Whether people of a table that is pseudonymised may be found in one that names them.
fn identifies(pseudonymised: &Class, named: &Class) -> bool {
    pseudonymised.identifiability == Identifiability::Pseudonym
        && named.identifiability == Identifiability::Direct
        && finds(pseudonymised, named)
}

/// The same of what a run read, where a table may state less than what it was made of.
fn reidentifies(pseudonymised: &Input<'_>, named: &Input<'_>) -> bool {
    pseudonymised.is(Identifiability::Pseudonym)
        && named.is(Identifiability::Direct)
        && (finds(&pseudonymised.class, &named.class)
            // Whatever pseudonyms it states, it was made of what names them.
            || named.raised == Identifiability::Direct && pseudonymised.class.scopes.remade)
}

/// Whether people of the one may be found in the other: by the same pseudonym, or by making it again.
fn finds(pseudonymised: &Class, named: &Class) -> bool {
    let (own, theirs) = (&pseudonymised.scopes, &named.scopes);
    // Pseudonyms nobody stated, as those of a table that states to hold none, may be of any scope.
    let unstated = own.unstated || own.names.is_empty();
    unstated || theirs.unstated || own.shares(theirs) || (theirs.names.is_empty() && own.remade)
}

/// Whether two pseudonymised tables are so in different scopes.
fn separated(one: &Input<'_>, other: &Input<'_>) -> bool {
    let stated = |input: &Input<'_>| {
        let Scopes { names, unstated, .. } = &input.class.scopes;
        input.is(Identifiability::Pseudonym) && !unstated && !names.is_empty()
    };
    stated(one) && stated(other) && !one.class.scopes.shares(&other.class.scopes)
}

fn pair(
    inputs: &[Input<'_>],
    which: impl Fn(&Input<'_>, &Input<'_>) -> bool,
    risk: fn(NodeId, NodeId) -> Risk,
) -> Option<Risk> {
    // Inputs of one kind are alike: of whatever table another input is, one of two tables is not the same.
    let mut kinds: Vec<&Input<'_>> = Vec::new();
    for input in inputs {
        let mut alike = kinds.iter().filter(|known| known.is_like(input));
        let enough = match (alike.next(), alike.next()) {
            (Some(known), None) => known.dataset == input.dataset,
            (known, _) => known.is_some(),
        };
        if !enough {
            kinds.push(input);
        }
    }
    kinds.iter().find_map(|one| {
        let found = kinds.iter().find(|other| other.dataset != one.dataset && which(one, other));
        found.map(|other| risk(one.node, other.node))
    })
}

/// A table holds what it was made of, too: that nobody states a category any more takes nobody's quasi-identifier away.
fn set(evidence: &Evidence<'_>, inputs: &[Input<'_>], carried: &mut HashMap<NodeId, Parts>) -> Option<Risk> {
    if inputs.iter().any(|input| input.class.identifiability == Identifiability::Direct) {
        return None; // Its people are named already, and the basis of that input covers it.
    }
    let each: Vec<Parts> = inputs.iter().map(|input| carries(evidence, input.node, carried)).collect();
    let together = each.iter().fold(0, |held, parts| held | parts);
    let news = |set: &&IdentifyingSet| set.within(together) && !each.iter().any(|alone| set.within(*alone));
    SETS.iter().find(news).map(Risk::Set)
}

/// What of the sets a table carries: its own, and that of the tables it was made of, up to where nobody is identifiable.
/// `carried` holds what was looked through before.
fn carries(evidence: &Evidence<'_>, table: NodeId, carried: &mut HashMap<NodeId, Parts>) -> Parts {
    let lineage = &evidence.world.lineage;
    let graph = lineage.graph();
    let behind = |table: NodeId| {
        let made = graph.upstream(table).filter(|half| half.kind == EdgeKind::Generated);
        made.flat_map(|half| read(graph, half.node)).map(|half| half.node)
    };
    // Each table is met twice: before what stands behind it, and after. Where names stand for versions, tables may come from one
    // another in a circle.
    let mut next = vec![(table, false)];
    let mut met = HashSet::new();
    while let Some((at, known)) = next.pop() {
        if carried.contains_key(&at) || !known && !met.insert(at) {
            continue;
        }
        let node = graph.node(at);
        if node.flags.has(ASSESSED) && evidence.cuts(at) {
            carried.insert(at, 0);
        } else if known {
            let own = |table| if graph.node(table).flags.has(PERSONAL) { own(evidence, table) } else { 0 };
            let mut all = own(at);
            if behind(at).all(|table| carried.contains_key(&table)) {
                all = behind(at).fold(all, |held, table| held | carried.get(&table).copied().unwrap_or(0));
            } else {
                // On a circle: everything behind it is looked through.
                let (mut around, mut round) = (HashSet::from([at]), vec![at]);
                while let Some(one) = round.pop() {
                    let cut = graph.node(one).flags.has(ASSESSED) && evidence.cuts(one);
                    all |= if cut { 0 } else { own(one) };
                    round.extend(behind(one).filter(|table| !cut && around.insert(*table)));
                }
            }
            carried.insert(at, all);
        } else {
            next.push((at, true));
            next.extend(behind(at).map(|table| (table, false)));
        }
    }
    carried.get(&table).copied().unwrap_or(0)
}

/// What of the sets flows of a table itself.
fn own(evidence: &Evidence<'_>, table: NodeId) -> Parts {
    let lineage = &evidence.world.lineage;
    match evidence.narrowed.as_ref().and_then(|narrowed| narrowed.flowing(lineage, table)) {
        Some(flowing) => flowing.iter().fold(0, |held, (field, _)| held | parts(&field.categories)),
        None => parts(&lineage.class(table).categories),
    }
}

/// Tables with people a run wrote, with the k measured on each.
pub fn measured(evidence: &Evidence<'_>, run: NodeId) -> Vec<(NodeId, Option<u32>)> {
    let lineage = &evidence.world.lineage;
    let personal = outputs(lineage, run).filter(|table| {
        lineage.graph().node(*table).flags.has(PERSONAL) || evidence.raised(*table) > Identifiability::None
    });
    let k = |table: NodeId| match lineage.record(table).held.as_deref().map(|held| &held.what) {
        Some(What::Dataset(facts)) => facts.measured.k,
        _ => None,
    };
    personal.map(|table| (table, k(table))).collect()
}

/// Datasets a run wrote.
pub fn outputs(lineage: &State, run: NodeId) -> impl Iterator<Item = NodeId> + '_ {
    let graph = lineage.graph();
    graph
        .downstream(run)
        .filter(|half| half.kind == EdgeKind::Generated)
        .map(|half| half.node)
        .filter(|node| graph.node(*node).kind == NodeKind::DatasetVersion)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_name_known_terms() {
        assert!(PARTS.len() <= 64);
        for set in SETS.iter() {
            assert!(set.needs.len() > 1 && set.needs.iter().all(|iri| vocabulary().find(iri).is_some()), "{}", set.id);
            assert!(set.within(Parts::MAX) && !set.within(0), "{}", set.id);
        }
    }
}

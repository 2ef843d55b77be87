//! What is registered in the words of others, at one position of the ledger: the same position gives the same bytes. Nodes of the graph
//! are written page by page, in the order in which they became known; what they are made of follows from the graph alone.

pub mod api;
mod cyclonedx;
mod openlineage;
mod prov;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use licit_schemas::digest::Digest;
use licit_schemas::exports::ExportFormat;
use licit_schemas::reference::Ref;
use licit_schemas::registry::{DatasetVersionSpec, Identifiability, ModelVersionSpec, RunSpec};
use licit_schemas::time::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use crate::db::{Projection, Row};
use crate::error::{Error, Result};
use crate::facts::World;
use crate::lineage::graph::{Direction, Half, Node, NodeId, NodeKind};
use crate::lineage::{levels, walk};

/// Nodes of a page.
pub const PAGE: usize = 500;

/// What is exported: of which world, at which moment, and what of it.
pub struct Selection {
    /// The registry as it was.
    pub world: Arc<World>,
    /// When its last entry was recorded.
    pub moment: Timestamp,
    /// The one thing, where not all of it is exported.
    pub root: Option<NodeId>,
    within: Option<HashSet<NodeId>>,
}

impl Selection {
    /// Everything, or one thing with all that is behind it.
    pub fn new(world: Arc<World>, moment: Timestamp, root: Option<NodeId>) -> Self {
        let behind = |root| walk::closure(world.lineage.graph(), &[root], Direction::Upstream);
        let within = root.map(|root| behind(root).into_iter().map(|reached| reached.node).collect());
        Self { world, moment, root, within }
    }

    /// A page of nodes from this number on, and where the next one begins.
    fn page(&self, from: u32) -> (Vec<NodeId>, Option<u32>) {
        let end = u32::try_from(self.world.lineage.graph().node_count()).unwrap_or(u32::MAX);
        let mut page = Vec::new();
        for number in from..end {
            let node = NodeId(number);
            if self.within.as_ref().is_some_and(|within| !within.contains(&node)) {
                continue;
            }
            if page.len() == PAGE {
                return (page, Some(number));
            }
            page.push(node);
        }
        (page, None)
    }

    /// The reference of a node.
    fn name(&self, node: NodeId) -> Arc<str> {
        self.world.lineage.name(node)
    }

    fn kind(&self, node: NodeId) -> NodeKind {
        self.world.lineage.graph().node(node).kind
    }

    /// Its causes, each once for each way it is one.
    fn causes(&self, node: NodeId) -> Vec<Half> {
        self.world.lineage.graph().upstream(node).collect()
    }

    /// What came of it.
    fn effects(&self, node: NodeId) -> Vec<Half> {
        self.world.lineage.graph().downstream(node).collect()
    }
}

/// A node that is written, with what was stated of it.
pub struct Item {
    node: NodeId,
    kind: NodeKind,
    name: Arc<str>,
    row: Option<Row>,
}

impl Item {
    fn spec<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(&self.row.as_ref()?.doc).ok()
    }

    fn dataset(&self) -> Option<DatasetVersionSpec> {
        self.spec()
    }

    fn model(&self) -> Option<ModelVersionSpec> {
        self.spec()
    }

    fn run(&self) -> Option<RunSpec> {
        self.spec()
    }

    fn reference(&self) -> Option<Ref> {
        self.name.parse().ok()
    }

    /// Its state, where anything was registered.
    fn state(&self) -> Option<&str> {
        self.row.as_ref().map(|row| row.state.as_str())
    }
}

/// A member of a document: what stands around a list of things, and how each of them is written.
pub struct Section {
    /// Before the first.
    open: &'static str,
    /// After the last.
    close: &'static str,
    /// What a thing gives to it: by key, where the section is an object.
    write: Write,
    /// Whether it is an object.
    keyed: bool,
    /// Whether several things may give the same key.
    repeats: bool,
}

/// How a thing is written.
#[derive(Clone, Copy)]
enum Write {
    /// At once.
    Whole(fn(&Selection, &Item) -> Vec<(String, Value)>),
    /// A few of its causes at a time: what follows of all of them together would fill the memory. The causes are gathered once.
    Parts(fn(&Selection, &Item) -> Vec<Half>, fn(&Selection, &Item, &[Half]) -> Vec<(String, Value)>),
}

/// Causes of a thing that are looked at together: a run may have read thousands of tables for each.
const CAUSES: usize = 16;

impl Write {
    /// A part of what a thing gives; none beyond the last.
    fn part(
        self,
        selection: &Selection,
        item: &Item,
        part: usize,
        so_far: &mut Written,
    ) -> Option<Vec<(String, Value)>> {
        match self {
            Self::Whole(write) => (part == 0).then(|| write(selection, item)),
            Self::Parts(gather, write) => {
                let causes = match so_far.causes.take() {
                    Some((of, causes)) if of == item.node => causes,
                    _ => gather(selection, item),
                };
                let values = causes.chunks(CAUSES).nth(part).map(|some| write(selection, item, some));
                so_far.causes = Some((item.node, causes));
                values
            }
        }
    }
}

/// Exports that are being written at once: each walks all there is.
const AT_ONCE: usize = 4;

/// How many exports are being written.
#[derive(Default)]
pub struct Turns(AtomicUsize);

/// One of them: over when it is dropped.
pub struct Turn(Arc<Turns>);

impl Turns {
    /// Take a turn.
    ///
    /// # Errors
    /// Too many have one.
    pub fn take(self: &Arc<Self>) -> Result<Turn> {
        let turn = Turn(self.clone());
        if self.0.fetch_add(1, Ordering::Relaxed) < AT_ONCE {
            return Ok(turn);
        }
        Err(Error::Busy(format!("{AT_ONCE} exports are being written: try again when one has ended")))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Sections of a format.
pub fn sections(format: ExportFormat) -> &'static [Section] {
    match format {
        ExportFormat::Cyclonedx => cyclonedx::SECTIONS,
        ExportFormat::Prov => prov::SECTIONS,
        ExportFormat::Openlineage => openlineage::SECTIONS,
    }
}

/// What stands before the sections.
pub fn head(format: ExportFormat, selection: &Selection, root: Option<&Item>) -> String {
    match format {
        ExportFormat::Cyclonedx => cyclonedx::head(selection, root),
        ExportFormat::Prov => prov::HEAD.to_owned(),
        ExportFormat::Openlineage => "[\n".to_owned(),
    }
}

/// What stands after them: a line of its own, so that what broke off is seen.
pub fn tail(format: ExportFormat) -> &'static str {
    match format {
        ExportFormat::Openlineage => "\n]\n",
        _ => "\n}\n",
    }
}

/// What was written of a section so far.
#[derive(Default)]
pub struct Written {
    begun: bool,
    keys: HashSet<String>,
    /// Causes of the thing that is being written in parts.
    causes: Option<(NodeId, Vec<Half>)>,
}

/// Where the writing of a page stands: the thing, and which part of it is next.
#[derive(Clone, Copy, Default)]
pub struct Place {
    item: usize,
    part: usize,
}

/// Bytes of text after which what there is goes out.
const CHUNK: usize = 256 << 10;

/// The text of things in a section, one a line, from a place on; where it goes on, while there are more.
pub fn written(
    section: &Section,
    selection: &Selection,
    items: &[Item],
    mut place: Place,
    so_far: &mut Written,
) -> (String, Option<Place>) {
    let mut text = String::new();
    while let Some(item) = items.get(place.item) {
        if text.len() >= CHUNK {
            return (text, Some(place));
        }
        let Some(values) = section.write.part(selection, item, place.part, so_far) else {
            place = Place { item: place.item + 1, part: 0 };
            continue;
        };
        for (key, value) in values {
            if section.repeats && !so_far.keys.insert(key.clone()) {
                continue;
            }
            if so_far.begun {
                text.push_str(",\n");
            }
            so_far.begun = true;
            if section.keyed {
                text.push_str(&Value::from(key).to_string());
                text.push(':');
            }
            text.push_str(&value.to_string());
        }
        place.part += 1;
    }
    (text, None)
}

/// Things of a page, by what was read of them.
pub fn items(selection: &Selection, page: &[NodeId], mut rows: HashMap<String, Row>) -> Vec<Item> {
    let item = |node: &NodeId| {
        let name = selection.name(*node);
        Item { node: *node, kind: selection.kind(*node), row: rows.remove(&*name), name }
    };
    page.iter().map(item).collect()
}

/// Names of a page of which something is stated in a document.
pub fn stated(selection: &Selection, page: &[NodeId]) -> Vec<String> {
    let held = |node: &&NodeId| selection.world.lineage.record(**node).held.is_some();
    page.iter().filter(held).map(|node| selection.name(*node).to_string()).collect()
}

/// An id that follows from what it is of.
fn id(of: &[&str]) -> Uuid {
    let digest = Digest::of(of.join("\n").as_bytes());
    let mut bytes = [0u8; 16];
    bytes.copy_from_slice(&digest.as_bytes()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// A node as the graph has it.
fn node(selection: &Selection, item: &Item) -> Node {
    selection.world.lineage.graph().node(item.node)
}

/// The position that is exported.
fn position(selection: &Selection) -> u64 {
    selection.world.position()
}

/// Leave out what is not there.
fn present(value: Value) -> Value {
    without(value, |value| value.is_null())
}

/// Leave out what is empty, too.
fn filled(value: Value) -> Value {
    without(value, |value| match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    })
}

fn without(value: Value, unwanted: fn(&Value) -> bool) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| (name, without(value, unwanted)));
            Value::Object(members.filter(|(_, value)| !unwanted(value)).collect())
        }
        Value::Array(list) => Value::Array(list.into_iter().map(|value| without(value, unwanted)).collect()),
        other => other,
    }
}

/// How far a dataset identifies: by what is stated of its columns, and as it holds, where it was made of more than it states.
struct Identifies {
    /// The strongest level stated; none where nothing is.
    stated: Option<Identifiability>,
    /// The level that holds; none where nothing says so.
    holds: Option<Identifiability>,
    /// Columns of which nobody said it.
    unknown: Vec<String>,
    /// Whether nobody said it of some column, or lists none.
    open: bool,
}

impl Identifies {
    fn of(selection: &Selection, item: &Item, spec: &DatasetVersionSpec) -> Self {
        let stated = spec.fields.iter().filter_map(|field| field.identifiability).max();
        let raised = levels::raised(node(selection, item));
        let silent = spec.fields.iter().filter(|field| field.identifiability.is_none());
        let unknown: Vec<String> = silent.map(|field| field.name.to_string()).collect();
        Self {
            stated,
            holds: stated.max((raised > Identifiability::None).then_some(raised)),
            open: spec.fields.is_empty() || !unknown.is_empty(),
            unknown,
        }
    }

    /// Whether it holds more than it states.
    fn is_understated(&self) -> bool {
        self.holds > self.stated
    }
}

/// A word of the wire.
fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lineage::graph::{EdgeKind, Origin, Role};

    #[test]
    fn causes_are_gathered_once_for_all_parts_of_a_thing() {
        static GATHERED: AtomicUsize = AtomicUsize::new(0);
        fn gather(_: &Selection, _: &Item) -> Vec<Half> {
            GATHERED.fetch_add(1, Ordering::Relaxed);
            let half =
                Half { node: NodeId(0), kind: EdgeKind::Generated, role: Role::None, origin: Origin::Inferred, seq: 1 };
            vec![half; 100 * CAUSES]
        }
        fn write(_: &Selection, _: &Item, some: &[Half]) -> Vec<(String, Value)> {
            some.iter().map(|_| ("key".to_owned(), Value::from("x".repeat(1000)))).collect()
        }
        let section = Section { open: "", close: "", write: Write::Parts(gather, write), keyed: true, repeats: false };
        let selection = Selection::new(Arc::default(), Timestamp::EPOCH, None);
        let items = [Item { node: NodeId(7), kind: NodeKind::DatasetVersion, name: "dataset:a/b@1".into(), row: None }];
        let (mut so_far, mut place, mut length) = (Written::default(), Some(Place::default()), 0);
        while let Some(at) = place {
            let (text, next) = written(&section, &selection, &items, at, &mut so_far);
            (length, place) = (length + text.len(), next);
        }
        assert!(length > 100 * CAUSES * 1000);
        assert_eq!(GATHERED.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn only_so_many_are_written_at_once() {
        let turns = Arc::new(Turns::default());
        let mut taken: Vec<Turn> = (0..AT_ONCE).map(|_| turns.take().unwrap()).collect();
        assert!(turns.take().is_err_and(|e| e.status() == 503));
        assert!(turns.take().is_err(), "who was refused takes nobody's turn");
        taken.pop();
        assert!(turns.take().is_ok());
    }
}

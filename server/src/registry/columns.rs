//! Fields of dataset versions, and of which of them a run made what it wrote.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use licit_schemas::reference::Kind;
use licit_schemas::registry::{Column, ColumnInput, DatasetVersionSpec, Identifiability, RunSpec};

use super::held::terms;
use super::vocabulary::TermId;

/// A field of a dataset version.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FieldFacts {
    /// Column name.
    pub name: Arc<str>,
    /// Data categories, sorted.
    pub categories: Box<[TermId]>,
    /// How far it identifies; absent while nobody classified it.
    pub identifiability: Option<Identifiability>,
    /// People wrote in it what they liked, and nothing was done against special categories in that.
    pub free_text: bool,
}

impl FieldFacts {
    /// Whether it holds personal data: it identifies people, or says something of them.
    pub fn personal(&self) -> bool {
        self.identifiability.is_some_and(|level| level > Identifiability::None) || !self.categories.is_empty()
    }
}

/// All fields of a version, sorted by name. Versions of one dataset mostly share theirs.
pub type Fields = Arc<[FieldFacts]>;

/// The place of a field.
pub fn place(fields: &[FieldFacts], name: &str) -> Option<usize> {
    fields.binary_search_by(|field| (*field.name).cmp(name)).ok()
}

/// The place of a field that went into another; none where all of its table did, or the table lacks it.
pub fn place_read(fields: &[FieldFacts], name: &str) -> Option<usize> {
    (name != ColumnInput::WHOLE).then(|| place(fields, name)).flatten()
}

pub(super) fn fields(spec: &DatasetVersionSpec) -> Fields {
    let mut list: Vec<FieldFacts> = spec
        .fields
        .iter()
        .map(|field| FieldFacts {
            name: field.name.as_str().into(),
            categories: terms(field.categories.iter()).into(),
            identifiability: field.identifiability,
            free_text: field.free_text.as_ref().is_some_and(|text| text.measures.is_empty()),
        })
        .collect();
    list.sort_by(|a, b| a.name.cmp(&b.name));
    list.into()
}

/// A field that went into an output.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Place of the input in [`Mapping::inputs`].
    pub input: usize,
    /// Its column.
    pub field: Arc<str>,
    /// Whether it was pseudonymised on the way.
    pub masked: bool,
}

/// What an output was made of.
#[derive(Clone, Debug)]
pub enum Made {
    /// Each field of a dataset that the run lists.
    Fields(BTreeMap<Arc<str>, Vec<Origin>>),
    /// All that was read for a model.
    Model(Vec<Origin>),
}

/// What a run says of its columns.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// Datasets it said to have read, pinned.
    pub inputs: Vec<Arc<str>>,
    /// Outputs of which it says something, pinned.
    pub outputs: BTreeMap<Arc<str>, Made>,
}

impl Mapping {
    /// None where the run says nothing.
    pub(super) fn of(spec: &RunSpec) -> Option<Arc<Self>> {
        if spec.columns.is_empty() {
            return None;
        }
        let read = spec.inputs.iter().filter(|input| input.r#ref.kind() == Kind::Dataset);
        let inputs: Vec<Arc<str>> = read.map(|input| input.r#ref.to_string().into()).collect();
        let places: HashMap<&str, usize> = inputs.iter().enumerate().map(|(place, input)| (&**input, place)).collect();
        let mut outputs = BTreeMap::new();
        for column in &spec.columns {
            let origins = origins(column, &places);
            let output: Arc<str> = column.output.to_string().into();
            match &column.field {
                None => _ = outputs.insert(output, Made::Model(origins)),
                Some(field) => {
                    let made = outputs.entry(output).or_insert_with(|| Made::Fields(BTreeMap::new()));
                    if let Made::Fields(fields) = made {
                        fields.insert(field.as_str().into(), origins);
                    }
                }
            }
        }
        Some(Arc::new(Self { inputs, outputs }))
    }
}

fn origins(column: &Column, places: &HashMap<&str, usize>) -> Vec<Origin> {
    let from = column.from.iter().filter_map(|from| {
        let input = *places.get(from.input.to_string().as_str())?;
        Some(Origin { input, field: from.field.as_str().into(), masked: from.masking })
    });
    from.collect()
}

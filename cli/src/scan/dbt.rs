//! `manifest.json` of dbt: the tables of a project, what is written of their columns in `meta` and `tags`, and what is made of what. The
//! events that dbt reports carry none of the first.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use licit_schemas::registry::Identifiability;
use serde::Deserialize;
use serde_json::Value;

use super::propose::{self, Guess};
use super::tables::MOST_COLUMNS;
use super::values::{self, Tally};
use super::{Dataset, Options, ProposedColumn, Run, Scan, UNREGISTRABLE, listed, names, registrable};
use crate::error::{Failure, Result};
use crate::scan::{shown, unreadable};

/// Bytes of a manifest.
const MOST: u64 = 512 << 20;
/// The version under which engines report what they read and wrote by name alone.
const REPORTED: &str = "reported";
/// Ephemeral models through which a dependency is followed.
const DEEPEST: usize = 100;

#[derive(Deserialize)]
struct Manifest {
    metadata: Metadata,
    #[serde(default)]
    nodes: BTreeMap<String, Node>,
    #[serde(default)]
    sources: BTreeMap<String, Node>,
}

#[derive(Deserialize)]
struct Metadata {
    dbt_schema_version: String,
    #[serde(default)]
    generated_at: Option<String>,
    #[serde(default)]
    adapter_type: Option<String>,
}

#[derive(Deserialize)]
struct Node {
    resource_type: String,
    name: String,
    #[serde(default)]
    database: Option<String>,
    #[serde(default)]
    schema: Option<String>,
    #[serde(default)]
    alias: Option<String>,
    #[serde(default)]
    identifier: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    columns: BTreeMap<String, Written>,
    #[serde(flatten)]
    said: Said,
    #[serde(default)]
    depends_on: DependsOn,
}

#[derive(Deserialize)]
struct Written {
    name: String,
    #[serde(default)]
    data_type: Option<String>,
    #[serde(flatten)]
    said: Said,
}

/// `meta` and `tags`, beside the node or, in later editions, in its `config`.
#[derive(Default, Deserialize)]
struct Said {
    #[serde(default)]
    meta: Value,
    #[serde(default)]
    tags: Value,
    #[serde(default)]
    config: Option<Config>,
}

#[derive(Default, Deserialize)]
struct Config {
    #[serde(default)]
    materialized: Option<String>,
    #[serde(default)]
    meta: Value,
    #[serde(default)]
    tags: Value,
}

#[derive(Default, Deserialize)]
struct DependsOn {
    #[serde(default)]
    nodes: Vec<String>,
}

/// Read it into the scan.
pub(super) fn read(path: &Path, options: &Options, scan: &mut Scan) -> Result<()> {
    let file = File::open(path).map_err(|e| unreadable(path, &e))?;
    let manifest: Manifest = serde_json::from_reader(BufReader::new(file.take(MOST))).map_err(|e| {
        Failure::plain(format!(
            "`{}:{}` is no manifest.json of dbt (JSON lines end in .jsonl, and have one object a line)",
            shown(path),
            e.line()
        ))
    })?;
    if !manifest.metadata.dbt_schema_version.contains("manifest") {
        return Err(Failure::plain(format!("`{}` is a file of dbt, but not its manifest.json", shown(path))));
    }
    let namespace = options
        .namespace
        .clone()
        .unwrap_or_else(|| manifest.metadata.adapter_type.clone().unwrap_or_else(|| "dbt".to_owned()));
    if options.namespace.is_none() {
        scan.warnings.push(format!(
            "datasets are in the namespace `{namespace}`: say --namespace as dbt-ol names the warehouse, such as postgres://host:5432"
        ));
    }
    let all: BTreeMap<&str, &Node> =
        manifest.nodes.iter().chain(&manifest.sources).map(|(id, node)| (id.as_str(), node)).collect();
    let written: BTreeSet<&str> = all
        .iter()
        .filter(|(_, node)| node.is_made() && !sources_of(&all, node).is_empty())
        .map(|(id, _)| *id)
        .collect();
    if all.values().any(|node| node.is_table() && values::addresses(&node.place())) {
        return Err(Failure::plain(format!("a name of a table in `{}` looks like somebody's data", shown(path))));
    }
    for (id, node) in &all {
        if node.is_table() {
            scan.datasets.push(node.dataset(&namespace, written.contains(id), &mut scan.warnings));
        }
    }
    let started_at = manifest.metadata.generated_at.filter(|at| at.parse::<licit_schemas::time::Timestamp>().is_ok());
    let Some(started_at) = started_at else { return Ok(()) };
    for id in written {
        let Some(node) = all.get(id) else { continue };
        if let Some(unknown) = unknown_to(&all, node) {
            // A run that leaves out what it read would be taken for the whole of it.
            let place = node.place();
            let unknown = if values::holds(unknown) { "…" } else { unknown };
            scan.warnings
                .push(format!("`{place}` is made of `{unknown}`, which this file does not hold: no run is proposed"));
            continue;
        }
        let inputs =
            sources_of(&all, node).into_iter().filter_map(|id| Some(format!("{namespace}/{}", all.get(id)?.place())));
        let (inputs, output) = (inputs.collect(), format!("{namespace}/{}", node.place()));
        scan.runs.push(Run { inputs, output, started_at: started_at.clone() });
    }
    Ok(())
}

/// What a node is made of and the file does not hold, through ephemeral models; nothing where it holds all of it.
fn unknown_to<'a>(all: &BTreeMap<&'a str, &'a Node>, node: &'a Node) -> Option<&'a str> {
    let mut seen = BTreeSet::new();
    let mut next: Vec<(&str, usize)> = node.depends_on.nodes.iter().map(|id| (id.as_str(), 0)).collect();
    while let Some((id, depth)) = next.pop() {
        match all.get(id) {
            None => return Some(id),
            Some(_) if depth >= DEEPEST => return Some(id),
            Some(source) if !source.is_table() && source.resource_type == "model" && seen.insert(id) => {
                next.extend(source.depends_on.nodes.iter().map(|id| (id.as_str(), depth + 1)));
            }
            Some(_) => {}
        }
    }
    None
}

/// The tables a node is made of: through ephemeral models, which are none.
fn sources_of<'a>(all: &BTreeMap<&'a str, &'a Node>, node: &'a Node) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut next: Vec<(&str, usize)> = node.depends_on.nodes.iter().map(|id| (id.as_str(), 0)).collect();
    while let Some((id, depth)) = next.pop() {
        let Some((id, source)) = all.get_key_value(id).filter(|_| seen.insert(id)) else { continue };
        if source.is_table() {
            found.insert(*id);
        } else if source.resource_type == "model" && depth < DEEPEST {
            next.extend(source.depends_on.nodes.iter().map(|id| (id.as_str(), depth + 1)));
        }
    }
    found
}

impl Node {
    fn is_ephemeral(&self) -> bool {
        self.said.config.as_ref().is_some_and(|config| config.materialized.as_deref() == Some("ephemeral"))
    }

    fn is_table(&self) -> bool {
        matches!(self.resource_type.as_str(), "model" | "seed" | "snapshot" | "source") && !self.is_ephemeral()
    }

    fn is_made(&self) -> bool {
        matches!(self.resource_type.as_str(), "model" | "snapshot") && !self.is_ephemeral()
    }

    /// The name of its table, as dbt-ol reports it.
    fn place(&self) -> String {
        let table = self.identifier.as_ref().or(self.alias.as_ref()).unwrap_or(&self.name);
        let parts = [self.database.as_deref(), self.schema.as_deref(), Some(table)];
        parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".")
    }

    fn dataset(&self, namespace: &str, output: bool, warnings: &mut Vec<String>) -> Dataset {
        let name = self.place();
        let (mut columns, mut cut) = (Vec::new(), None);
        if self.columns.len() > MOST_COLUMNS {
            cut = Some(format!("dbt documents more than the {MOST_COLUMNS} columns that a dataset may list"));
        }
        for column in self.columns.values() {
            if !registrable(&column.name) {
                warnings.push(format!("`{name}`: {UNREGISTRABLE}: it was left out, and no columns are proposed"));
                cut = Some(UNREGISTRABLE.to_owned());
                continue;
            }
            let mut guess = propose::guess(&column.name, &Tally::default());
            column.said.add_to(&mut guess);
            columns.push(ProposedColumn { name: column.name.clone(), data_type: column.data_type.clone(), guess });
        }
        let (columns, mut notes) = listed(columns, cut);
        if self.columns.is_empty() {
            notes.push("dbt documents no column of it: list them, or everything in it is unknown".to_owned());
        }
        let words = self.said.marks();
        if !words.is_empty() {
            notes.push(format!("dbt says of it: {}", words.join(", ")));
        }
        let subjects = names::subjects(&self.name)
            .map(|(term, word)| (propose::iri(&format!("#{term}")), format!("the name says `{word}`")));
        let owner = self
            .said
            .metas()
            .find_map(|meta| meta["owner"].as_str())
            .filter(|owner| owner.parse::<licit_schemas::text::Key>().is_ok() && !values::holds(owner));
        let description = self.description.clone().filter(|text| text.parse::<licit_schemas::text::Text>().is_ok());
        let silent = description.as_deref().is_some_and(values::holds);
        if silent {
            warnings
                .push(format!("the description of `{name}` has somebody's address or number in it: it was left out"));
        }
        Dataset {
            namespace: namespace.to_owned(),
            name,
            version: Some(REPORTED.to_owned()),
            output,
            description: description.filter(|_| !silent),
            owner: owner.map(str::to_owned),
            subjects: subjects.into_iter().collect(),
            columns,
            notes,
            ..Dataset::default()
        }
    }
}

impl Said {
    fn metas(&self) -> impl Iterator<Item = &Value> {
        std::iter::once(&self.meta).chain(self.config.iter().map(|config| &config.meta))
    }

    fn tags(&self) -> Vec<&str> {
        let lists = std::iter::once(&self.tags).chain(self.config.iter().map(|config| &config.tags));
        let mut found: Vec<&str> = Vec::new();
        for list in lists {
            let one = list.as_str().into_iter();
            let tags = one.chain(list.as_array().into_iter().flatten().filter_map(Value::as_str));
            for tag in tags {
                if !found.contains(&tag) {
                    found.push(tag);
                }
            }
        }
        found
    }

    /// Keys and tags by which people mark personal data, with what they say of them.
    fn marks(&self) -> Vec<String> {
        let mut found = Vec::new();
        for meta in self.metas() {
            for (key, value) in meta.as_object().into_iter().flatten() {
                let said = match value {
                    Value::Bool(true) => key.clone(),
                    Value::String(text) if text.len() <= 60 && !values::is_value(text) && !values::holds(text) => {
                        format!("{key}: {text}")
                    }
                    _ => continue,
                };
                if is_mark(key) && !values::holds(key) && !found.contains(&said) {
                    found.push(said);
                }
            }
        }
        found.extend(
            self.tags()
                .into_iter()
                .filter(|tag| is_mark(tag) && tag.len() <= 60 && !values::holds(tag))
                .map(|tag| format!("tag {tag}")),
        );
        found
    }

    /// What is stated of a column in our words, and how it is marked in others.
    fn add_to(&self, guess: &mut Guess) {
        let own: Vec<&Value> = self.metas().map(|meta| &meta["licit"]).filter(|own| own.is_object()).collect();
        let words =
            own.iter().flat_map(|own| own["categories"].as_array().into_iter().flatten()).filter_map(Value::as_str);
        let terms = words.chain(self.tags()).filter(|word| word.starts_with("https://w3id.org/dpv"));
        for iri in terms.filter(|iri| iri.parse::<licit_schemas::text::Iri>().is_ok()) {
            if !guess.categories.iter().any(|known| known == iri) {
                guess.categories.push(iri.to_owned());
                guess.because.push("dbt states its category".to_owned());
            }
        }
        let metas = self.metas().filter_map(|meta| meta["identifiability"].as_str());
        let stated = own.iter().filter_map(|own| own["identifiability"].as_str()).chain(metas);
        let tagged = self.tags().into_iter().filter_map(|tag| tag.strip_prefix("identifiability:"));
        for word in stated.chain(tagged) {
            if let Ok(level) = serde_json::from_value::<Identifiability>(Value::from(word.trim())) {
                guess.identifiability = guess.identifiability.max(Some(level));
                guess.because.push(format!("dbt states `{}`", word.trim()));
            }
        }
        for mark in self.marks() {
            let meaning = mark.split_once(": ").and_then(|(_, word)| names::meaning(word));
            if let Some(meaning) = meaning {
                let new = meaning.categories.iter().map(|term| propose::iri(term));
                let new: Vec<String> = new.filter(|iri| !guess.categories.contains(iri)).collect();
                guess.categories.extend(new);
                guess.identifiability = guess.identifiability.max(Some(meaning.identifiability));
            }
            guess.because.push(format!("dbt says `{mark}`"));
        }
    }
}

/// Whether a key or tag is one by which people mark personal data.
fn is_mark(word: &str) -> bool {
    const MARKS: &[&str] = &[
        "pii",
        "personal",
        "gdpr",
        "rgpd",
        "sensitive",
        "sensible",
        "privacy",
        "confidential",
        "classification",
        "consent",
    ];
    let word = word.to_lowercase();
    MARKS.iter().any(|mark| word.contains(mark))
}

//! A scan as a `licit.yaml` with the reasons beside what is proposed, and as JSON. Both are what `licit register` reads: the text is
//! held against the schema of the manifest before anybody sees it.

use std::fmt::Write;
use std::path::Path;

use licit_schemas::registry::Identifiability;
use licit_schemas::text::Name;
use serde_json::{Value, json};

use super::propose::Guess;
use super::{Dataset, Model, ProposedColumn, Run, Scan};
use crate::error::{Failure, Result};
use crate::manifest::{Manifest, schema};
use crate::yaml;

/// Characters of a description that are taken over.
const DESCRIPTION: usize = 2_000;

/// The manifest as text: paths as they stand from `folder`; runs only where their purpose is known, else as comments.
pub(crate) fn yaml(scan: &Scan, folder: &Path, purpose: Option<&str>) -> Result<String> {
    let mut text = format!("# yaml-language-server: $schema={}\n", schema::SCHEMA_FILE);
    text.push_str(
        "# Proposed by `licit scan` from names, and from sampled values that stayed on this machine: confirm every line, then\n\
         # `licit register --dry-run`. What is wrong here is wrong in every decision that rests on it.\n\
         # A column without `identifiability` is unknown, and the gate refuses what rests on it: none quasi pseudonym direct.\n",
    );
    if !scan.datasets.is_empty() {
        text.push_str("\ndatasets:\n");
    }
    for dataset in &scan.datasets {
        put_dataset(&mut text, dataset, folder);
    }
    if !scan.runs.is_empty() {
        put_runs(&mut text, &scan.runs, purpose);
    }
    if let Some(model) = &scan.model {
        put_model(&mut text, model, folder);
    }
    check(&text)?;
    Ok(text)
}

/// What was written is read again: a proposal that `licit register` would not read is none.
fn check(text: &str) -> Result<Value> {
    let parsed = yaml::parse(text).map_err(|fault| {
        Failure::plain(format!("what was found cannot be written as a licit.yaml: {}", fault.problem))
    })?;
    licit_schemas::document::from_value::<Manifest>(parsed.value.clone()).map_err(|faults| {
        let faults: Vec<String> =
            faults.iter().map(|fault| format!("{}: {}", fault.pointer.trim_start_matches('#'), fault.detail)).collect();
        Failure::plain(format!("what was found cannot be registered as it is: {}", faults.join("; ")))
    })?;
    Ok(parsed.value)
}

/// The same for machines: the manifest, why each guess was made, and the warnings.
pub(crate) fn answer(scan: &Scan, text: &str) -> Result<Value> {
    let mut guesses = Vec::new();
    for dataset in &scan.datasets {
        for column in &dataset.columns {
            guesses.push(json!({
                "dataset": format!("{}/{}", dataset.namespace, dataset.name), "column": column.name, "guess": column.guess,
            }));
        }
    }
    Ok(json!({"manifest": check(text)?, "guesses": guesses, "warnings": scan.warnings}))
}

/// A line of a comment: one line, whatever stands in it.
fn comment(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().filter(|c| !c.is_control()).collect()
}

/// A scalar: plain where that can only be this text, else in quotes.
fn scalar(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:#%@".contains(c);
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic());
    let ends = !text.ends_with([':', '#']);
    let word = matches!(
        text.to_ascii_lowercase().as_str(),
        "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n" | "inf" | "nan"
    );
    if begins && ends && !word && text.chars().all(plain) && !text.contains(": ") {
        return text.to_owned();
    }
    Value::from(text).to_string()
}

fn put(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = text.write_fmt(line);
    text.push('\n');
}

/// A path as it stands from the folder of the manifest.
fn from(folder: &Path, path: &Path) -> String {
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (folder, path) = (whole(folder), whole(path));
    let shown = path.strip_prefix(&folder).unwrap_or(&path);
    if shown.as_os_str().is_empty() { ".".to_owned() } else { shown.display().to_string() }
}

fn put_dataset(text: &mut String, dataset: &Dataset, folder: &Path) {
    put(text, format_args!("  - namespace: {}", scalar(&dataset.namespace)));
    put(text, format_args!("    name: {}", scalar(&dataset.name)));
    for note in &dataset.notes {
        put(text, format_args!("    # {}", comment(note)));
    }
    if let Some(version) = &dataset.version {
        put(text, format_args!("    version: {}  # what engines report of it by name alone", scalar(version)));
    }
    if let Some(path) = &dataset.path {
        put(text, format_args!("    path: {}", scalar(&from(folder, path))));
    }
    if let Some(digest) = &dataset.hashed {
        put(text, format_args!("    # {digest}, {} file(s), when it was scanned", dataset.files));
    }
    if dataset.output {
        put(text, format_args!("    output: true"));
    } else {
        put(
            text,
            format_args!(
                "    # origin: collected  # collected received acquired public synthetic reference; none stated is unknown"
            ),
        );
    }
    if let Some(description) = &dataset.description {
        let short: String = description.chars().take(DESCRIPTION).collect();
        put(text, format_args!("    description: {}", Value::from(short.trim_end())));
    }
    match &dataset.owner {
        Some(owner) => put(text, format_args!("    owner: {}", scalar(owner))),
        None => put(text, format_args!("    # owner: the team that answers for it")),
    }
    for (iri, because) in &dataset.subjects {
        put(text, format_args!("    subjects: [{}]  # guessed: {}", scalar(iri), comment(because)));
    }
    if dataset.subjects.is_empty()
        && dataset.columns.iter().any(|column| column.guess.identifiability > Some(Identifiability::None))
    {
        put(text, format_args!("    # subjects: [https://w3id.org/dpv#Customer]  # whom it is about: nobody said"));
    }
    put(text, format_args!("    # controllers: [party:…]  # who determines purposes and means"));
    if let Some(rows) = dataset.rows {
        match u32::try_from(rows) {
            Ok(rows) => put(text, format_args!("    rows: {rows}")),
            Err(_) => put(text, format_args!("    # {rows} rows")),
        }
    }
    if !dataset.columns.is_empty() {
        put(text, format_args!("    fields:"));
    }
    for column in &dataset.columns {
        put_column(text, column);
    }
}

fn put_column(text: &mut String, column: &ProposedColumn) {
    let Guess { categories, identifiability, free_text, because } = &column.guess;
    put(text, format_args!("      - name: {}", scalar(&column.name)));
    if let Some(kind) = column.data_type.as_ref().filter(|kind| kind.parse::<Name>().is_ok()) {
        put(text, format_args!("        data_type: {}", scalar(kind)));
    }
    for reason in because {
        put(text, format_args!("        # guessed: {}", comment(reason)));
    }
    if !categories.is_empty() {
        let list: Vec<String> = categories.iter().map(|iri| scalar(iri)).collect();
        put(text, format_args!("        categories: [{}]", list.join(", ")));
    }
    match identifiability {
        Some(level) => put(text, format_args!("        identifiability: {}", word(*level))),
        None if because.is_empty() => {
            put(text, format_args!("        # identifiability: unknown, nothing speaks for anything"));
        }
        None => put(text, format_args!("        # identifiability: unknown, nobody says how far it identifies")),
    }
    if *free_text {
        put(
            text,
            format_args!("        free_text: {{}}  # people may have written anything: name what was done against it"),
        );
    }
}

fn word(level: Identifiability) -> &'static str {
    match level {
        Identifiability::None => "none",
        Identifiability::Quasi => "quasi",
        Identifiability::Pseudonym => "pseudonym",
        Identifiability::Direct => "direct",
    }
}

fn put_runs(text: &mut String, runs: &[Run], purpose: Option<&str>) {
    let mut lines = vec!["runs:".to_owned()];
    for run in runs {
        lines.push("  - operation: derive".to_owned());
        lines.push(format!("    purpose: {}", purpose.map_or_else(|| "purpose:…".to_owned(), scalar)));
        lines.push(format!("    started_at: {}", scalar_moment(&run.started_at)));
        let list = |names: &[String]| {
            names
                .iter()
                .map(|name| format!("{{dataset: {}}}", Value::from(name.as_str())))
                .collect::<Vec<_>>()
                .join(", ")
        };
        lines.push(format!("    inputs: [{}]", list(&run.inputs)));
        lines.push(format!("    outputs: [{}]", list(std::slice::from_ref(&run.output))));
    }
    text.push('\n');
    match purpose {
        Some(_) => put(
            text,
            format_args!("# What dbt makes of what. Its events report the same with columns, where dbt-ol is used."),
        ),
        None => put(
            text,
            format_args!(
                "# What dbt makes of what. A run has a purpose, which dbt does not know: say --purpose, or let dbt-ol report the runs."
            ),
        ),
    }
    for line in lines {
        match purpose {
            Some(_) => put(text, format_args!("{line}")),
            None => put(text, format_args!("# {line}")),
        }
    }
}

/// A moment is a text that begins with a digit.
fn scalar_moment(moment: &str) -> String {
    Value::from(moment).to_string()
}

fn put_model(text: &mut String, model: &Model, folder: &Path) {
    text.push_str("\nmodel:\n");
    put(text, format_args!("  name: {}", scalar(&model.name)));
    put(text, format_args!("  path: {}", scalar(&from(folder, &model.path))));
    put(text, format_args!("  # {}, {} file(s), when it was scanned", model.hashed, model.files));
    put(
        text,
        format_args!(
            "  # kind: built  # by the run that reads its training data; acquired, where these are a provider's files"
        ),
    );
    put(text, format_args!("  # provider: party:…  # who made it, where it was acquired"));
    put(text, format_args!("  # owner: the team that answers for it"));
    if let Some(framework) = model.facts.framework.as_ref().filter(|name| name.parse::<Name>().is_ok()) {
        put(text, format_args!("  framework: {}", scalar(framework)));
    }
    let holds = |part: &str| part.parse::<Name>().is_ok();
    let tags: Vec<&(String, String)> =
        model.facts.tags.iter().filter(|(name, value)| holds(name) && holds(value)).take(100).collect();
    if !tags.is_empty() {
        put(text, format_args!("  tags:  # what the files say of themselves"));
    }
    for (name, value) in tags {
        put(text, format_args!("    {}: {}", Value::from(name.as_str()), Value::from(value.as_str())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_read_otherwise_stands_in_quotes() {
        for plain in ["crm", "s3://bucket/k", "https://w3id.org/dpv/pd#Age", "a.b_c-d"] {
            assert_eq!(scalar(plain), plain);
        }
        for quoted in [
            "",
            "1",
            "true",
            "Null",
            "no",
            "a b",
            "- a",
            "é",
            "a: b",
            "#a",
            "a#",
            "{a}",
            "2026-01-01",
            "*a",
            "a\"b",
            "@a",
        ] {
            let written = scalar(quoted);
            assert!(written.starts_with('"'), "{written}");
        }
        for text in ["a: b # c", "\u{feff}x", "\u{1f600}", "a\\b\"c", "a:", "x:y", "[a", "a%20b"] {
            let parsed = yaml::parse(&format!("k: {}\n", scalar(text))).unwrap();
            assert_eq!(parsed.value["k"], text);
        }
    }

    #[test]
    fn comments_stay_on_their_line() {
        assert_eq!(comment("a\nb: c\r\n\u{1b}[31m d"), "a b: c [31m d");
    }
}

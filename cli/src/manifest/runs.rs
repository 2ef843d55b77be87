//! Runs of a manifest as the registry takes them: references resolved, the moment and the id derived from what was made.

use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use licit_schemas::digest::Digest;
use licit_schemas::json;
use licit_schemas::problem::Fault;
use licit_schemas::reference::Ref;
use licit_schemas::registry::uuid_text::Uuid;
use licit_schemas::registry::{Code, Column, ColumnInput, RunInput, RunSpec};
use licit_schemas::text::{Name, Uri};
use licit_schemas::time::Timestamp;

use super::{ColumnEntry, Item, RunEntry};

/// One thing of the manifest that runs may name.
pub(crate) struct Named {
    /// `<name>` and `<namespace>/<name>` of a dataset, `<name>` of the model.
    pub(crate) names: Vec<String>,
    /// Whether it is the model.
    pub(crate) model: bool,
    /// Its pinned reference.
    pub(crate) reference: Ref,
    /// Written by the run that does not list its outputs.
    pub(crate) output: bool,
    /// When its files were written.
    pub(crate) newest: Option<SystemTime>,
}

/// The run whose entry stands at `pointer`.
pub(crate) fn run(
    entry: &RunEntry,
    pointer: &str,
    things: &[Named],
    code: Option<&Code>,
) -> Result<RunSpec, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut inputs = Vec::new();
    for (index, item) in entry.inputs.iter().enumerate() {
        match resolve(item, &format!("{pointer}/inputs/{index}"), things) {
            Ok(reference) => inputs.push(RunInput { r#ref: reference, role: item.role }),
            Err(fault) => faults.push(fault),
        }
    }
    let mut outputs = Vec::new();
    match &entry.outputs {
        None => outputs.extend(things.iter().filter(|thing| thing.output).map(|thing| thing.reference.clone())),
        Some(items) => {
            for (index, item) in items.iter().enumerate() {
                let at = format!("{pointer}/outputs/{index}");
                if item.role.is_some() {
                    faults.push(Fault::new(&format!("{at}/role"), "a role belongs to what was read, not to an output"));
                }
                match resolve(item, &at, things) {
                    Ok(reference) => outputs.push(reference),
                    Err(fault) => faults.push(fault),
                }
            }
        }
    }
    let mut columns = Vec::new();
    for (index, column) in entry.columns.iter().enumerate() {
        match self::column(column, &format!("{pointer}/columns/{index}"), things) {
            Ok(column) => columns.push(column),
            Err(fault) => faults.push(fault),
        }
    }
    let Some(started_at) = entry.started_at.or_else(|| newest(&outputs, things)) else {
        faults.push(Fault::new(pointer, "no output of this run has a file that tells when it ran; state `started_at`"));
        return Err(faults);
    };
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut run = RunSpec {
        id: None,
        operation: entry.operation,
        purpose: entry.purpose.clone(),
        inputs,
        outputs,
        columns,
        started_at,
        ended_at: entry.ended_at,
        code: entry.code.clone().or_else(|| code.cloned()),
        controller: entry.controller.clone(),
        processors: entry.processors.clone(),
        member_sets: entry.member_sets.clone(),
        tags: entry.tags.clone(),
    };
    run.id = Some(id(&run).map_err(|e| vec![Fault::new(pointer, e)])?);
    Ok(run)
}

/// What an output, or a column of it, was made of.
fn column(entry: &ColumnEntry, at: &str, things: &[Named]) -> Result<Column, Fault> {
    let item = |r#ref: &Option<Ref>, dataset: &Option<String>, model: &Option<Name>| Item {
        r#ref: r#ref.clone(),
        dataset: dataset.clone(),
        model: model.clone(),
        role: None,
    };
    let output = resolve(&item(&entry.r#ref, &entry.dataset, &entry.model), at, things)?;
    let mut from = Vec::new();
    for (index, source) in entry.from.iter().enumerate() {
        let at = format!("{at}/from/{index}");
        let input = resolve(&item(&source.r#ref, &source.dataset, &None), &at, things)?;
        from.extend(source.fields.iter().map(|field| ColumnInput {
            input: input.clone(),
            field: field.clone(),
            masking: source.masking,
            kind: source.kind,
        }));
    }
    Ok(Column { output, field: entry.field.clone(), from })
}

fn resolve(item: &Item, at: &str, things: &[Named]) -> Result<Ref, Fault> {
    let by_name = |name: &str, model: bool| {
        let mut found = things.iter().filter(|thing| thing.model == model && thing.names.iter().any(|n| n == name));
        let what = if model { "model" } else { "dataset" };
        match (found.next(), found.next()) {
            (Some(thing), None) => Ok(thing.reference.clone()),
            (Some(_), Some(_)) => Err(Fault::new(
                at,
                format!("two datasets of this file are called `{name}`; write `<namespace>/{name}`"),
            )),
            (None, _) => {
                Err(Fault::new(at, format!("this file has no {what} `{name}`; name a registered one by `ref`")))
            }
        }
    };
    match (&item.r#ref, &item.dataset, &item.model) {
        (Some(reference), None, None) => Ok(reference.clone()),
        (None, Some(name), None) => by_name(name, false),
        (None, None, Some(name)) => by_name(name.as_str(), true),
        _ => Err(Fault::new(at, "expected exactly one of `ref`, `dataset`, `model`")),
    }
}

/// When the newest output was written: stable, so that registering again registers nothing new.
fn newest(outputs: &[Ref], things: &[Named]) -> Option<Timestamp> {
    let written = things.iter().filter(|thing| outputs.contains(&thing.reference)).filter_map(|thing| thing.newest);
    written.max().map(|moment| Timestamp::from_chrono(DateTime::<Utc>::from(moment)))
}

/// An id made of the content: the same run sent twice is one run. Version 8 of RFC 9562 (custom), from SHA-256.
fn id(run: &RunSpec) -> Result<Uuid, String> {
    let canonical = json::canonical(run).map_err(|e| e.to_string())?;
    let digest = Digest::of(format!("licit run\n{canonical}").as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.as_bytes()[..16]);
    bytes[6] = 0x80 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    Ok(Uuid(uuid::Uuid::from_bytes(bytes)))
}

/// The commit a folder stands at, when it is in a git repository.
pub(crate) fn code(folder: &Path) -> Option<Code> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let git = |arguments: &[&str]| {
        let output = Command::new("git").arg("-C").arg(folder).args(arguments).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
        (output.status.success() && !text.is_empty()).then_some(text)
    };
    let revision = git(&["rev-parse", "HEAD"])?.parse().ok()?;
    let remote = git(&["config", "--get", "remote.origin.url"]).as_deref().and_then(address);
    let root = || git(&["rev-parse", "--show-toplevel"])?.rsplit('/').next().map(|name| format!("git:{name}"));
    let uri: Uri = remote.or_else(root)?.parse().ok()?;
    Some(Code { uri, revision: Some(revision) })
}

/// A remote as a URI, without the user and password that some keep in it.
fn address(remote: &str) -> Option<String> {
    match remote.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = host.rsplit('@').next()?;
            Some(format!("{scheme}://{host}/{path}"))
        }
        // git@host:path
        None => {
            remote.split_once(':').and_then(|(host, path)| Some(format!("ssh://{}/{path}", host.rsplit('@').next()?)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_name_things_of_the_file() {
        let thing = |name: &str, model: bool, reference: &str| Named {
            names: vec![name.to_owned()],
            model,
            reference: reference.parse().unwrap(),
            output: model,
            newest: None,
        };
        let things = [thing("people", false, "dataset:crm/people@1"), thing("score", true, "model:score@2")];
        let run = |columns: serde_json::Value| {
            let entry = serde_json::json!({
                "operation": "train", "purpose": "purpose:scoring", "started_at": "2026-01-01T00:00:00Z",
                "inputs": [{"dataset": "people", "role": "training"}], "columns": columns,
            });
            self::run(&serde_json::from_value(entry).unwrap(), "/run", &things, None)
        };
        let said =
            serde_json::json!([{"model": "score", "from": [{"dataset": "people", "fields": ["age", "income"]}]}]);
        let columns = serde_json::to_value(run(said).unwrap().columns).unwrap();
        let from = |field: &str| serde_json::json!({"input": "dataset:crm/people@1", "field": field});
        assert_eq!(columns, serde_json::json!([{"output": "model:score@2", "from": [from("age"), from("income")]}]));
        let wrong = serde_json::json!([{"model": "score", "from": [{"dataset": "people", "fields": ["age"]}, {"dataset": "x", "fields": ["a"]}]}]);
        assert_eq!(run(wrong).unwrap_err()[0].pointer, "#/run/columns/0/from/1");
    }

    #[test]
    fn a_remote_never_carries_a_password() {
        for (remote, uri) in [
            ("https://ana:secret@git.example/team/repo.git", "https://git.example/team/repo.git"),
            ("git@git.example:team/repo.git", "ssh://git.example/team/repo.git"),
            ("ssh://git@git.example:22/repo", "ssh://git.example:22/repo"),
        ] {
            assert_eq!(address(remote).unwrap(), uri);
        }
    }
}

//! `licit gate --affected-by A..B`: of a monorepo, only the deployments that a change reaches.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use licit_schemas::gate::{Decision, GateRequest, Intent};
use licit_schemas::reference::Ref;
use licit_schemas::reports::{AffectedDeployments, AffectedQuery};
use serde_json::{Value, json};

use crate::client::{Client, typed};
use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Failure, Result};
use crate::manifest;
use crate::output::{decision, style};

/// The name of a manifest.
const MANIFEST: &str = "licit.yaml";
/// References the server is asked about at once.
const AT_ONCE: usize = 500;

/// Gate every deployment that the changes between two commits reach.
pub(crate) fn gate(context: &Context, range: &str, intent: Intent, dry_run: bool) -> Result<Exit> {
    let files = changed(range)?;
    let manifests: BTreeSet<PathBuf> = files.iter().filter_map(|file| nearest(file)).collect();
    let mut because: BTreeMap<String, String> = BTreeMap::new();
    let mut references: BTreeSet<Ref> = BTreeSet::new();
    for path in &manifests {
        let read = manifest::read(path)?.manifest;
        references.extend(read.datasets.iter().map(|dataset| Ref::dataset(&dataset.namespace, &dataset.name)));
        references.extend(read.model.iter().map(|model| Ref::model(&model.name)));
        for name in &read.plan {
            because.insert(Ref::deployment(name).to_string(), format!("`{}` plans it", path.display()));
        }
    }
    let client = context.client()?;
    let references: Vec<Ref> = references.into_iter().collect();
    for chunk in references.chunks(AT_ONCE) {
        let answer = client.post("/affected", &AffectedQuery { refs: chunk.to_vec() })?;
        let found: AffectedDeployments = typed(&answer)?;
        for item in found.items {
            because.entry(item.deployment).or_insert_with(|| format!("`{}` is behind it", item.by));
        }
    }
    let answers = ask(&client, because.keys(), intent, dry_run)?;
    let decisions: Vec<Decision> = answers.iter().map(typed).collect::<Result<_>>()?;
    let affected = because.iter().map(|(deployment, why)| json!({"deployment": deployment, "because": why}));
    let whole = json!({
        "range": range, "changed": files.len(), "manifests": manifests, "affected": affected.collect::<Vec<_>>(),
        "decisions": answers,
    });
    let teams = context.teams(&client);
    context.answer(&whole, || {
        let counted = format!("{} changed files, {} manifests", files.len(), manifests.len());
        if decisions.is_empty() {
            return format!("{}  {counted}: no deployment is affected", style::green("nothing to ask"));
        }
        let refused = decisions.iter().filter(|decided| !decided.passes).count();
        let mut out = format!("{counted}: {} deployments are affected, {refused} refused\n", decisions.len());
        for (decided, why) in decisions.iter().zip(because.values()) {
            out.push_str(&format!("\n{}  {}\n", style::bold(&decided.deployment), style::dim(why)));
            out.push_str(&decision::text(decided, &teams));
        }
        out
    });
    Ok(if decisions.iter().all(|decided| decided.passes) { Exit::Done } else { Exit::Refused })
}

fn ask<'a>(
    client: &Client,
    deployments: impl Iterator<Item = &'a String>,
    intent: Intent,
    dry_run: bool,
) -> Result<Vec<Value>> {
    deployments
        .map(|deployment| {
            let deployment = Some(c::DEPLOYMENTS.reference(deployment)?);
            client.post("/gate", &GateRequest { deployment, intent, dry_run, ..GateRequest::default() })
        })
        .collect()
}

/// Files that differ between two commits, old and new names of what was moved.
fn changed(range: &str) -> Result<Vec<PathBuf>> {
    if range.starts_with('-') || !range.contains("..") {
        return Err(Failure::Usage(format!("`{range}` is no range of commits: write it as `A..B`")));
    }
    let root = git(&["rev-parse", "--show-toplevel"])?;
    let root = PathBuf::from(String::from_utf8_lossy(&root).trim_end_matches(['\r', '\n']));
    let names = git(&["diff", "--name-only", "--no-renames", "-z", range, "--"])?;
    let names = names.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    Ok(names.map(|name| root.join(&*String::from_utf8_lossy(name))).collect())
}

fn git(arguments: &[&str]) -> Result<Vec<u8>> {
    let output = Command::new("git").args(arguments).output();
    let output = output.map_err(|e| Failure::plain(format!("cannot run `git`: {e}")))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let first = said.lines().next().unwrap_or("it failed").trim_start_matches("fatal: ").to_owned();
    Err(Failure::plain(format!("git {}: {first}", arguments.first().unwrap_or(&""))))
}

/// The manifest that stands nearest above a changed file; what is deleted counts where it stood.
fn nearest(file: &Path) -> Option<PathBuf> {
    let mut folder = file.parent();
    while let Some(here) = folder {
        let manifest = here.join(MANIFEST);
        if manifest.is_file() {
            return Some(manifest);
        }
        // The repository ends here.
        if here.join(".git").exists() {
            return None;
        }
        folder = here.parent();
    }
    None
}

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
    let (from, to) = ends(range)?;
    let root = git(&["rev-parse", "--show-toplevel"])?;
    let root = PathBuf::from(String::from_utf8_lossy(&root).trim_end_matches(['\r', '\n']));
    let files = changed(range)?;
    let mut manifests: BTreeSet<PathBuf> = BTreeSet::new();
    let mut because: BTreeMap<String, String> = BTreeMap::new();
    let mut references: BTreeSet<Ref> = BTreeSet::new();
    // What a commit takes out of a manifest, or a manifest that it takes away, names deployments all the same: as it was before.
    for (commit, before) in [(&from, true), (&to, false)] {
        let known = listed(commit)?;
        let nearest: BTreeSet<&str> = files.iter().filter_map(|file| nearest(file, &known)).collect();
        for name in nearest {
            let path = root.join(name);
            let read = match manifest::parse(&path, &shown(commit, name)?) {
                Ok(read) => read.manifest,
                // Nothing was registered of what could not be read, and the commit that mends it must pass.
                Err(_) if before => continue,
                Err(failure) => return Err(failure),
            };
            references.extend(read.datasets.iter().map(|dataset| Ref::dataset(&dataset.namespace, &dataset.name)));
            references.extend(read.model.iter().map(|model| Ref::model(&model.name)));
            let plans = if before { "planned" } else { "plans" };
            for name in &read.plan {
                because.insert(Ref::deployment(name).to_string(), format!("`{}` {plans} it", path.display()));
            }
            manifests.insert(path);
        }
    }
    let client = context.client()?;
    let references: Vec<Ref> = references.into_iter().collect();
    for chunk in references.chunks(AT_ONCE) {
        let answer = client.post("/affected", &AffectedQuery { refs: chunk.to_vec(), known_at: None })?;
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

/// The commits that a range stands between: of `A...B`, where the two parted.
fn ends(range: &str) -> Result<(String, String)> {
    let written = || Failure::Usage(format!("`{range}` is no range of commits: write it as `A..B`"));
    if range.starts_with('-') {
        return Err(written());
    }
    let (apart, (from, to)) = match range.split_once("...") {
        Some(ends) => (true, ends),
        None => (false, range.split_once("..").ok_or_else(written)?),
    };
    let named = |name: &str| {
        let name = if name.is_empty() { "HEAD" } else { name };
        commit(&["rev-parse", "--verify", "--end-of-options", &format!("{name}^{{commit}}")])
    };
    let (from, to) = (named(from)?, named(to)?);
    Ok(if apart { (commit(&["merge-base", &from, &to])?, to) } else { (from, to) })
}

fn commit(arguments: &[&str]) -> Result<String> {
    Ok(String::from_utf8_lossy(&git(arguments)?).trim().to_owned())
}

/// Files that differ between two commits, old and new names of what was moved, from the top of the repository.
fn changed(range: &str) -> Result<Vec<String>> {
    names(&["diff", "--name-only", "--no-renames", "-z", range, "--"])
}

/// The manifests of a commit, from the top of the repository.
fn listed(commit: &str) -> Result<BTreeSet<String>> {
    let all = names(&["ls-tree", "-r", "--name-only", "--full-tree", "-z", commit])?;
    Ok(all.into_iter().filter(|name| name.rsplit('/').next() == Some(MANIFEST)).collect())
}

fn names(arguments: &[&str]) -> Result<Vec<String>> {
    let names = git(arguments)?;
    let names = names.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    Ok(names.map(|name| String::from_utf8_lossy(name).into_owned()).collect())
}

/// A file as it is in a commit.
fn shown(commit: &str, name: &str) -> Result<Vec<u8>> {
    git(&["show", &format!("{commit}:{name}")])
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

/// The manifest of a commit that stands nearest above a file; what is deleted counts where it stood.
fn nearest<'m>(file: &str, manifests: &'m BTreeSet<String>) -> Option<&'m str> {
    let mut folder = Path::new(file).parent();
    while let Some(here) = folder {
        if let Some(manifest) = here.join(MANIFEST).to_str().and_then(|name| manifests.get(name)) {
            return Some(manifest);
        }
        folder = here.parent();
    }
    None
}

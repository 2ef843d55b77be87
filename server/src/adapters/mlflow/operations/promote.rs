//! Promotion: a governed alias, or the stage `Production`, stands for deployments. Setting it proposes a release of each and asks
//! the gate to start it; what the gate refuses is recorded as its decision, and nothing moves.

use licit_schemas::gate::{Activation, Decision, Finding, Intent};
use licit_schemas::reference::Ref;
use licit_schemas::registry::{ModelFile, Part, PartKind, ReleaseSpec, ReleaseState};
use licit_schemas::text::Sentence;
use uuid::Uuid;

use super::standing::{self, standing};
use crate::adapters::mlflow::fact::Stage;
use crate::adapters::mlflow::registered::{Model, Version};
use crate::adapters::mlflow::{Rules, fault, names};
use crate::error::{Error, Result};
use crate::facts::{Tx, World};
use crate::gate::operations::{activate, refused};
use crate::registry::leads::{ALIAS, MODEL};
use crate::registry::operations::{release, withdraw as withdrawn};
use crate::registry::{Release, What};

/// Findings that a refusal tells; the decision has all.
const TOLD: usize = 8;

/// What is to stand for a version.
#[derive(Clone, Copy)]
pub enum Place<'a> {
    /// A governed alias.
    Alias(&'a str),
    /// The stage `Production`; whether it is taken from the version that has it.
    Stage {
        /// Whether it is.
        archive: bool,
    },
}

impl Place<'_> {
    /// The alias that deployments name: the stage is the alias of its name.
    fn alias(self) -> String {
        match self {
            Self::Alias(alias) => alias.to_lowercase(),
            Self::Stage { .. } => Stage::Production.as_str().to_lowercase(),
        }
    }

    fn shown(self) -> String {
        match self {
            Self::Alias(alias) => format!("the alias '{alias}'"),
            Self::Stage { .. } => "the stage 'Production'".to_owned(),
        }
    }
}

/// A deployment that a governed name led to, and that was let.
#[derive(Clone, Debug)]
pub struct Led {
    /// The deployment.
    pub deployment: String,
    /// The revision whose tags say that the name leads to it.
    pub revision: u32,
    /// Who stated that.
    pub stated_by: Uuid,
    /// The gate's decision.
    pub decision: Uuid,
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum Promoted {
    /// The gate let it, for these deployments.
    Let(Vec<Led>),
    /// It did not: why, along which path, who can clear it.
    Refused(String),
}

/// What is told to who may not move what runs.
pub fn no_role(alias: &str) -> String {
    format!("'{alias}' stands for what runs: to set or take it away needs a token with the role `releaser`.")
}

/// The release that a deployment would have: what it has, with this version in the place of the others of its model.
fn composed(world: &World, deployment: &str, native: &Ref) -> Result<ReleaseSpec> {
    let releases = world.registry.releases(deployment);
    let before = world.registry.active(deployment).or_else(|| releases.last());
    let reference: Ref = deployment.parse().map_err(|e| Error::Internal(format!("stored reference: {e}")))?;
    let part = Part { part: PartKind::Base, model: native.clone() };
    let Some(before) = before else {
        let (indexes, discloses) = (Vec::new(), Vec::new());
        return Ok(ReleaseSpec {
            deployment: reference,
            composition: vec![part],
            indexes,
            discloses,
            prompt_digest: None,
        });
    };
    let mut spec = before.spec.clone();
    match spec.composition.iter_mut().find(|part| part.model.base() == native.base()) {
        Some(own) => own.model = native.clone(),
        None => {
            spec.composition.retain(|part| part.part != PartKind::Base);
            spec.composition.insert(0, part);
        }
    }
    Ok(spec)
}

/// The files of a version, as they were registered: what is kept under it does not change since.
fn found(world: &World, native: &Ref) -> Vec<ModelFile> {
    match world.registry.held(&native.to_string()).map(|held| &held.what) {
        Some(What::Model(facts)) => facts
            .files
            .iter()
            .filter_map(|(path, digest)| Some(ModelFile { path: path.parse().ok()?, digest: *digest, size: None }))
            .collect(),
        _ => Vec::new(),
    }
}

/// Ask the gate for each deployment that the place stands for.
///
/// # Errors
/// Only those of the database: what is refused is an answer.
pub fn promote(
    tx: &mut Tx<'_>,
    rules: &Rules,
    may: bool,
    model: &Model,
    version: &Version,
    place: Place<'_>,
) -> Result<Promoted> {
    let (alias, native) = (place.alias(), &version.made.native);
    let deployments = standing(tx.world(), &model.name, &alias);
    if deployments.is_empty() {
        return Ok(Promoted::Refused(format!(
            "{} of '{}' is governed, and no deployment says that it runs by it. Register the deployment with the tags `{MODEL}: {}` and `{ALIAS}: {alias}` \
             (`licit deployment create -f deployment.yaml`), have the board approve it, and set the alias again; or use another alias for what does not run in production.",
            place.shown(),
            model.name,
            model.name
        )));
    }
    if !may {
        return Ok(Promoted::Refused(no_role(&alias)));
    }
    if let Some((other, deployment)) = elsewhere(tx.world(), rules, model, version, place, &deployments) {
        return Ok(Promoted::Refused(format!(
            "{other} of '{}' leads to another version that runs, and to `{deployment}`, too, which runs one at a time: what that name leads to would run \
             unwatched. Take it away first, or give each its own deployment with the tag `{ALIAS}`.",
            model.name
        )));
    }
    let files = found(tx.world(), native);
    if files.is_empty() {
        return Ok(Promoted::Refused(format!(
            "Which bytes `{native}` has is unknown: its files ('{}') are not kept here. Log the model to this server, and register a version of what \
             was logged.",
            version.made.source
        )));
    }
    let several = deployments.len() > 1;
    if several {
        // All of them, or none: tried first, and forgotten.
        let tried = deployments.clone();
        let all = tx.aside(|tx| {
            for deployment in &tried {
                if start(tx, deployment, native, &files, &model.name)?.is_err() {
                    return Ok(false);
                }
            }
            Ok(true)
        })?;
        if !all {
            return refuse(tx, rules, &deployments, native, &files, model, place);
        }
    }
    let mut led = Vec::new();
    for deployment in &deployments {
        match start(tx, deployment, native, &files, &model.name)? {
            Ok(decision) => {
                let word = standing::word(tx.world(), &model.name, &alias, deployment);
                let (revision, stated_by) = word.unwrap_or_default();
                led.push(Led { deployment: deployment.clone(), revision, stated_by, decision: decision.id.0 });
            }
            Err(why) => {
                let said = said(tx.world(), &model.name, &alias, deployment);
                return Ok(Promoted::Refused(told(rules, model, place, (deployment, &said), &why)));
            }
        }
    }
    Ok(Promoted::Let(led))
}

/// Another governed name of the model that leads to something that runs another version, and to one of these deployments. What it was
/// set to does not count, nor what it is shown as: where its deployments run different versions, that is nothing. Where nothing runs
/// by it, it will stand for what is started now.
fn elsewhere(
    world: &World,
    rules: &Rules,
    model: &Model,
    version: &Version,
    place: Place<'_>,
    deployments: &[String],
) -> Option<(String, String)> {
    let said = world.mlflow.registered.get(&model.name)?;
    let own = |alias: &str| matches!(place, Place::Alias(own) if own == alias);
    let aliases =
        said.aliases.keys().filter(|alias| rules.governs(alias) && !own(alias)).map(|alias| Place::Alias(alias));
    let staged = rules.governs(Stage::Production.as_str())
        && said.versions.values().any(|version| version.stage == Stage::Production);
    // What is in production already makes room where that is said; else two would be.
    let stage = (staged && !matches!(place, Place::Stage { archive: true })).then_some(Place::Stage { archive: false });
    let another = |deployment: &String| {
        let active = world.registry.active(deployment);
        active.is_some_and(|active| active.spec.composition.iter().all(|part| part.model != version.made.native))
    };
    aliases.chain(stage).find_map(|other| {
        let stands = standing(world, &model.name, &other.alias());
        let both = stands.iter().find(|deployment| deployments.contains(deployment))?;
        stands.iter().any(another).then(|| (other.shown(), both.clone()))
    })
}

/// Of several, record the decision of the first that is refused.
fn refuse(
    tx: &mut Tx<'_>,
    rules: &Rules,
    deployments: &[String],
    native: &Ref,
    files: &[ModelFile],
    model: &Model,
    place: Place<'_>,
) -> Result<Promoted> {
    for deployment in deployments {
        let passes = tx.aside(|tx| Ok(start(tx, deployment, native, files, &model.name)?.is_ok()))?;
        if !passes && let Err(why) = start(tx, deployment, native, files, &model.name)? {
            let said = said(tx.world(), &model.name, &place.alias(), deployment);
            return Ok(Promoted::Refused(told(rules, model, place, (deployment, &said), &why)));
        }
    }
    // Each alone would start, and all together do not: one reads what another writes.
    let words = format!("they do not start together; set {} for one deployment after the other", place.shown());
    Ok(Promoted::Refused(told(rules, model, place, (&deployments.join("`, `"), ""), &Why::Words(words))))
}

/// Why something was not started.
enum Why {
    /// The gate decided so.
    Decision(Box<Decision>),
    /// It could not even be proposed.
    Words(String),
}

/// Propose a release of one deployment and ask the gate to start it; what ran before and stands by goes on.
fn start(
    tx: &mut Tx<'_>,
    deployment: &str,
    native: &Ref,
    files: &[ModelFile],
    model: &str,
) -> Result<std::result::Result<Decision, Why>> {
    let spec = composed(tx.world(), deployment, native)?;
    let known = |release: &&Release| {
        release.spec == spec && matches!(release.state, ReleaseState::Active | ReleaseState::Standby)
    };
    let before = tx.world().registry.releases(deployment).iter().rev().find(known).map(|release| release.id);
    let (id, intent) = match before {
        Some(id) => (id, Intent::Continue),
        None => match release(tx, spec) {
            Ok(proposed) => (proposed.id.0, Intent::Start),
            Err(error @ (Error::Invalid(_) | Error::Conflict(..) | Error::NotFound(_))) => {
                return Ok(Err(Why::Words(error.to_string())));
            }
            Err(error) => return Err(error),
        },
    };
    let reason: Option<Sentence> = format!("set through MLflow for {model}").parse().ok();
    // Files of other parts are not here: then what was admitted is for who deploys them to show.
    let alone = tx
        .world()
        .registry
        .releases(deployment)
        .iter()
        .find(|r| r.id == id)
        .is_some_and(|r| r.spec.composition.len() == 1);
    let artifacts = if alone { files.to_vec() } else { Vec::new() };
    let decision = activate(tx, id, &Activation { artifacts, reason }, intent)?;
    Ok(if refused(&decision) { Err(Why::Decision(Box::new(decision))) } else { Ok(decision) })
}

/// By whose word a name leads to a deployment, for people.
fn said(world: &World, model: &str, alias: &str, deployment: &str) -> String {
    standing::word(world, model, alias, deployment).map_or_else(String::new, |(revision, author)| {
        format!(" (so say the tags of its revision {revision}, which `actor:{author}` stated)")
    })
}

/// A refusal in words: what is missing, along which path, who can clear it, where to go on.
fn told(rules: &Rules, model: &Model, place: Place<'_>, (deployment, said): (&str, &str), why: &Why) -> String {
    let decision = match why {
        Why::Words(words) => {
            return format!(
                "{} of '{}' stands for `{deployment}`{said}, of which no release can be proposed: {words}.",
                place.shown(),
                model.name
            );
        }
        Why::Decision(decision) => decision,
    };
    let blocking: Vec<&Finding> = decision.findings.iter().filter(|finding| finding.blocking).collect();
    let mut text = format!(
        "{} of '{}' stands for `{deployment}`{said}, and the gate refuses to start `{}`: {} finding(s).",
        place.shown(),
        model.name,
        decision.release.as_deref().unwrap_or(deployment),
        blocking.len()
    );
    for (place, finding) in blocking.iter().take(TOLD).enumerate() {
        text.push_str(&format!(
            "\n({}) {} [{}{}{}]\n    path: {}\n    who can clear it: {}; how: {}",
            place + 1,
            finding.sentence,
            finding.rule,
            if finding.article.is_empty() { "" } else { ", " },
            finding.article,
            path(finding),
            finding.addressee,
            finding.remedy.text
        ));
        if let Some(command) = &finding.remedy.command {
            text.push_str(&format!(" (`{command}`)"));
        }
    }
    if blocking.len() > TOLD {
        text.push_str(&format!("\nand {} more.", blocking.len() - TOLD));
    }
    text.push_str(&format!(
        "\nAll of it: {}/api/v1/decisions/{} (`licit decision show {}`). The version is registered: once this is cleared, set the alias again.",
        rules.address,
        decision.id.0,
        decision.id.0
    ));
    text
}

fn path(finding: &Finding) -> String {
    if finding.path.is_empty() { finding.node.clone() } else { finding.path.join(" -> ") }
}

/// What ran by a governed name is withdrawn: whatever version of the model each of its deployments runs, where no other such name of
/// the model still leads to it.
///
/// # Errors
/// Those of the database.
pub fn withdraw(tx: &mut Tx<'_>, rules: &Rules, name: &str, place: Place<'_>) -> Result<()> {
    let world = tx.world();
    let Some(model) = world.mlflow.registered.get(name) else { return Ok(()) };
    let production = Stage::Production.as_str().to_lowercase();
    let mut left: Vec<String> =
        model.aliases.keys().filter(|alias| rules.governs(alias)).map(|alias| alias.to_lowercase()).collect();
    if rules.governs(&production) && model.versions.values().any(|version| version.stage == Stage::Production) {
        left.push(production);
    }
    let kept: Vec<String> = left.iter().flat_map(|alias| standing(world, name, alias)).collect();
    let base = names::model(name);
    let own = |part: &Part| {
        base.as_ref().is_some_and(|base| part.model.base() == base.base())
            || model.versions.values().any(|version| version.made.native == part.model)
    };
    let running: Vec<Uuid> = standing(world, name, &place.alias())
        .iter()
        .filter(|deployment| !kept.contains(deployment))
        .filter_map(|deployment| world.registry.active(deployment))
        .filter(|active| active.spec.composition.iter().any(own))
        .map(|active| active.id)
        .collect();
    for id in running {
        withdrawn(tx, id)?;
    }
    Ok(())
}

/// A refusal as an error.
pub fn error(message: String) -> Error {
    fault::denied(message)
}

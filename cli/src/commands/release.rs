//! `licit release`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use licit_schemas::adoption::BreakGlassCreate;
use licit_schemas::gate::{Activation, Decision};
use licit_schemas::reference::Ref;
use licit_schemas::registry::{ModelFile, PartKind};
use serde_json::{Value, json};

use super::things::{self, CreateArgs, ListArgs, ShowArgs};
use crate::client::{Client, typed};
use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Failure, Result};
use crate::hashing;
use crate::output::decision::{self, Teams};
use crate::output::style;

/// Releases.
#[derive(Debug, Subcommand)]
pub(crate) enum Release {
    /// Propose models for a deployment
    Create(ReleaseCreate),
    /// List, newest first
    List(ListArgs),
    /// Show everything that was stated
    Show(ShowArgs),
    /// Run the gate, and if it allows make this release the active one
    #[command(after_help = "Example:\n  licit release activate vote-forecast@2 --artifact vote-model/")]
    Activate {
        /// Release, such as `vote-forecast@2`
        #[arg(value_name = "REF")]
        reference: String,
        #[command(flatten)]
        activation: ActivationArgs,
    },
    /// Let a denied release through in an emergency: for hours, loudly, ratified by the board afterwards
    #[command(
        after_help = "Only persons the policy names may. It runs for at most 24 hours; everybody is told; the board ratifies it within \
three working days, or it is a gap of its own. Wrong bytes and prohibited practices are never let through.

Example:
  licit release break-glass vote-forecast@2 --incident inc-2041 \\
      --reason \"The old model calls the wrong district\"
  licit review create --title \"Ratify inc-2041\" break-glass:inc-2041
  licit break-glass show inc-2041"
    )]
    BreakGlass {
        /// Release, such as `vote-forecast@2`
        #[arg(value_name = "REF")]
        reference: String,
        /// The incident, such as `inc-2041`
        #[arg(long, value_name = "KEY")]
        incident: String,
        /// Why it cannot wait; kept erasable
        #[arg(long)]
        reason: String,
        /// File or directory as found where it will run, its files under the names they were registered with; may be repeated
        #[arg(long = "artifact", value_name = "PATH")]
        artifacts: Vec<PathBuf>,
    },
    /// Take a release out for good
    #[command(after_help = "Example:\n  licit release withdraw vote-forecast@2")]
    Withdraw {
        /// Release, such as `vote-forecast@2`
        #[arg(value_name = "REF")]
        reference: String,
    },
}

/// A new release.
#[derive(Debug, Args)]
#[command(after_help = "Parts: base, adapter, embedder, reranker, guard. `--model` is `--part base=`.

Examples:
  licit release create vote-forecast --model vote-model@2
  licit release create helpdesk --model assistant@3 --part adapter=tuning@7 \\
      --part guard=toxicity@2
  licit release create helpdesk --model assistant@3 --part embedder=e5@1 \\
      --index kb/articles@2026-11
  licit release create ward-data-to-research --disclosure
  licit release create -f release.yaml")]
pub(crate) struct ReleaseCreate {
    /// Deployment, such as `vote-forecast`
    #[arg(required_unless_present = "file")]
    deployment: Option<String>,
    /// Model version as part `base`, such as `vote-model@2`; without `@` the latest; may be repeated
    #[arg(long = "model", value_name = "REF", required_unless_present_any = ["file", "parts", "disclosure"])]
    models: Vec<String>,
    /// No model: it hands over the latest of what the deployment discloses
    #[arg(long)]
    disclosure: bool,
    /// Model version as another part, such as `adapter=tuning@7`; may be repeated
    #[arg(long = "part", value_name = "NAME=MODEL", value_parser = part)]
    parts: Vec<(PartKind, String)>,
    /// Dataset version served with it as an index, such as `kb/articles@3`; may be repeated
    #[arg(long = "index", value_name = "DATASET@V")]
    indexes: Vec<String>,
    /// YAML or JSON file instead; `-` is stdin
    #[arg(short, long, conflicts_with_all = ["deployment", "models", "parts", "indexes", "disclosure"])]
    file: Vec<PathBuf>,
}

/// A part with its model, `NAME=MODEL`.
fn part(text: &str) -> std::result::Result<(PartKind, String), String> {
    let (name, model) = text.split_once('=').filter(|(_, model)| !model.is_empty()).ok_or("write it as NAME=MODEL")?;
    let kind = serde_json::from_value(name.into())
        .map_err(|_| format!("there is no part `{name}`: base, adapter, embedder, reranker or guard"))?;
    Ok((kind, model.to_owned()))
}

impl ReleaseCreate {
    /// What the flags describe; the models first, in the order given.
    fn spec(&self) -> Result<Value> {
        let deployment = c::DEPLOYMENTS.reference(self.deployment.as_deref().unwrap_or_default())?;
        let bases = self.models.iter().map(|model| (PartKind::Base, model));
        let parts = bases.chain(self.parts.iter().map(|(part, model)| (*part, model)));
        let composition = parts
            .map(|(part, model)| Ok(json!({"part": part, "model": c::MODEL_VERSIONS.reference(model)?})))
            .collect::<Result<Vec<Value>>>()?;
        let indexes =
            self.indexes.iter().map(|index| c::DATASET_VERSIONS.reference(index)).collect::<Result<Vec<Ref>>>()?;
        Ok(json!({"deployment": deployment, "composition": composition, "indexes": indexes}))
    }
}

/// What goes with an activation.
#[derive(Debug, Args)]
pub(crate) struct ActivationArgs {
    /// File or directory as found where it will run, its files under the names they were registered with; may be repeated
    #[arg(long = "artifact", value_name = "PATH")]
    artifacts: Vec<PathBuf>,
    /// Why, for the record
    #[arg(long)]
    reason: Option<String>,
}

impl ActivationArgs {
    /// The body of the request, files hashed.
    pub(crate) fn body(&self) -> Result<Activation> {
        let reason = self.reason.as_ref().map(|reason| reason.parse()).transpose();
        let reason = reason.map_err(|e| Failure::Usage(format!("--reason: {e}")))?;
        c::within_bounds(Activation { artifacts: artifacts(&self.artifacts)?, reason })
    }
}

/// The files at these paths, as the gate wants them.
pub(crate) fn artifacts(paths: &[PathBuf]) -> Result<Vec<ModelFile>> {
    Ok(hashing::hash(paths)?.into_iter().flat_map(|hashed| hashed.files).collect())
}

/// Run a command on releases.
pub(crate) fn run(context: &Context, command: Release) -> Result<Exit> {
    match command {
        Release::Create(args) if !args.file.is_empty() => {
            things::create(context, &c::RELEASES, &CreateArgs { file: args.file, replace: false })
        }
        Release::Create(args) => things::create_value(context, &c::RELEASES, args.spec()?, false),
        Release::List(args) => things::list(context, &c::RELEASES, &args),
        Release::Show(args) => things::show(context, &c::RELEASES, &args),
        Release::Activate { reference, activation } => {
            let body = activation.body()?;
            let client = context.client()?;
            let id = c::RELEASES.id(&client, &reference)?;
            decided(context, &client, &client.post(&format!("/releases/{id}/activate"), &body)?)
        }
        Release::BreakGlass { reference, incident, reason, artifacts: found } => {
            let body = json!({"incident": incident, "reason": reason, "artifacts": artifacts(&found)?});
            let body: BreakGlassCreate = c::from_flags(body)?;
            let client = context.client()?;
            let id = c::RELEASES.id(&client, &reference)?;
            decided(context, &client, &client.post(&format!("/releases/{id}/break-glass"), &body)?)
        }
        Release::Withdraw { reference } => {
            let client = context.client()?;
            let id = c::RELEASES.id(&client, &reference)?;
            let answer = client.post(&format!("/releases/{id}/withdraw"), &json!({}))?;
            context.answer(&answer, || format!("{}  {reference} is withdrawn", style::green("done")));
            Ok(Exit::Done)
        }
    }
}

/// Show a decision, and end as it says.
pub(crate) fn decided(context: &Context, client: &Client, answer: &Value) -> Result<Exit> {
    let decided: Decision = typed(answer)?;
    let silent = decided.findings.is_empty() && decided.actions_due.is_empty();
    let teams = if silent { Teams::default() } else { context.teams(client) };
    context.answer(answer, || decision::text(&decided, &teams));
    Ok(if decided.passes { Exit::Done } else { Exit::Refused })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_a_name_and_a_model() {
        assert_eq!(part("adapter=tuning@7"), Ok((PartKind::Adapter, "tuning@7".to_owned())));
        assert_eq!(part("guard=a=b"), Ok((PartKind::Guard, "a=b".to_owned())));
        for wrong in ["adapter", "adapter=", "=tuning", "Base=x", "tokenizer=x", ""] {
            assert!(part(wrong).is_err(), "{wrong}");
        }
    }
}

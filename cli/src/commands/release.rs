//! `licit release`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use licit_schemas::gate::{Activation, Decision};
use licit_schemas::registry::ModelFile;
use serde_json::{Value, json};

use super::things::{self, CreateArgs, ListArgs, ShowArgs};
use crate::client::typed;
use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Failure, Result};
use crate::hashing;
use crate::output::{decision, style};

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
    /// Take a release out for good
    Withdraw {
        /// Release, such as `vote-forecast@2`
        #[arg(value_name = "REF")]
        reference: String,
    },
}

/// A new release.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  licit release create vote-forecast --model vote-model@2
  licit release create -f release.yaml")]
pub(crate) struct ReleaseCreate {
    /// Deployment, such as `vote-forecast`
    #[arg(required_unless_present = "file")]
    deployment: Option<String>,
    /// Model version, such as `vote-model@2`; without `@` the latest; several become base and adapters by a file
    #[arg(long = "model", value_name = "REF", required_unless_present = "file")]
    models: Vec<String>,
    /// YAML or JSON file instead; `-` is stdin
    #[arg(short, long, conflicts_with_all = ["deployment", "models"])]
    file: Vec<PathBuf>,
}

/// What goes with an activation.
#[derive(Debug, Args)]
pub(crate) struct ActivationArgs {
    /// File or directory as found where it will run; may be repeated
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
        Ok(Activation { artifacts: artifacts(&self.artifacts)?, reason })
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
        Release::Create(args) => {
            let deployment = c::DEPLOYMENTS.reference(&args.deployment.unwrap_or_default())?;
            let models: Vec<_> =
                args.models.iter().map(|model| c::MODEL_VERSIONS.reference(model)).collect::<Result<_>>()?;
            let parts: Vec<Value> = models.iter().map(|model| json!({"part": "base", "model": model})).collect();
            things::create_value(context, &c::RELEASES, json!({"deployment": deployment, "composition": parts}), false)
        }
        Release::List(args) => things::list(context, &c::RELEASES, &args),
        Release::Show(args) => things::show(context, &c::RELEASES, &args),
        Release::Activate { reference, activation } => {
            let body = activation.body()?;
            let client = context.client()?;
            let id = c::RELEASES.id(&client, &reference)?;
            decided(context, &client.post(&format!("/releases/{id}/activate"), &body)?)
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
pub(crate) fn decided(context: &Context, answer: &Value) -> Result<Exit> {
    let decided: Decision = typed(answer)?;
    context.answer(answer, || decision::text(&decided));
    Ok(if decided.passes { Exit::Done } else { Exit::Refused })
}

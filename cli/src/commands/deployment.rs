//! `licit deployment`.

use clap::Subcommand;
use licit_schemas::gate::{Activation, Rollback};

use super::release;
use super::things::{self, Things};
use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Result};

/// Deployments.
#[derive(Debug, Subcommand)]
pub(crate) enum Deployment {
    #[command(flatten)]
    Things(Things),
    /// Back to the release that ran before the present one, in one call; again, to the one before that
    #[command(
        after_help = "Examples:\n  licit deployment rollback vote-forecast --reason \"scores drifted\"\n  licit deployment rollback vote-forecast --to vote-forecast@3"
    )]
    Rollback {
        /// Deployment, such as `vote-forecast`
        name: String,
        /// Go to this release on standby instead, such as `vote-forecast@3`
        #[arg(long, value_name = "RELEASE")]
        to: Option<String>,
        #[command(flatten)]
        activation: release::ActivationArgs,
    },
}

/// Run a command on deployments.
pub(crate) fn run(context: &Context, command: Deployment) -> Result<Exit> {
    match command {
        Deployment::Things(command) => things::run(context, &c::DEPLOYMENTS, command),
        Deployment::Rollback { name, to, activation } => {
            let Activation { artifacts, reason } = activation.body()?;
            let release = to.map(|to| c::RELEASES.reference(&to)).transpose()?;
            let body = Rollback { release, artifacts, reason };
            let client = context.client()?;
            let id = c::DEPLOYMENTS.id(&client, &name)?;
            let answer = client.post(&format!("/deployments/{id}/rollback"), &body)?;
            release::decided(context, &client, &answer)
        }
    }
}

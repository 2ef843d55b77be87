//! `licit deployment`.

use clap::Subcommand;

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
    /// Back to the standby release, in one call
    #[command(after_help = "Example:\n  licit deployment rollback vote-forecast --reason \"scores drifted\"")]
    Rollback {
        /// Deployment, such as `vote-forecast`
        name: String,
        #[command(flatten)]
        activation: release::ActivationArgs,
    },
}

/// Run a command on deployments.
pub(crate) fn run(context: &Context, command: Deployment) -> Result<Exit> {
    match command {
        Deployment::Things(command) => things::run(context, &c::DEPLOYMENTS, command),
        Deployment::Rollback { name, activation } => {
            let client = context.client()?;
            let id = c::DEPLOYMENTS.id(&client, &name)?;
            let answer = client.post(&format!("/deployments/{id}/rollback"), &activation.body()?)?;
            release::decided(context, &client, &answer)
        }
    }
}

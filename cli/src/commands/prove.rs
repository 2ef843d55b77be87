//! `licit prove`: that a deployment ran at a moment under a decision that allowed it, in one file.

use std::path::{Path, PathBuf};

use clap::Args;
use licit_schemas::time::Timestamp;

use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Failure, Result};
use crate::output::{self, style};

/// What to prove.
#[derive(Debug, Args)]
#[command(
    after_help = "One file: the decision in force at the moment with the digest of its evidence, the moves of the releases, the last entry \
recorded by then and the one after it, every entry in between, uses whose time holds the moment, the receipt, and the signed \
checkpoint. `licit verify` checks it without a server, and says what of it is proven and what is the registry's word.

Where there was no right at that moment there is nothing to prove, and the answer says why.

Examples:
  licit prove --deployment vote-forecast --at 2026-11-30T09:30:00Z -o vote.proof
  licit verify vote.proof --key licit.pub --at 2026-11-30T09:30:00Z"
)]
pub(crate) struct ProveArgs {
    /// Deployment, such as `vote-forecast`
    #[arg(long, value_name = "NAME")]
    deployment: String,
    /// The moment
    #[arg(long, value_name = "TIME")]
    at: Timestamp,
    /// File to write; default: stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Fetch a proof.
pub(crate) fn run(context: &Context, args: &ProveArgs) -> Result<Exit> {
    let client = context.client()?;
    let found = c::DEPLOYMENTS.find(&client, &c::DEPLOYMENTS.reference(&args.deployment)?.to_string())?;
    let id = found["id"].as_str().unwrap_or_default();
    // Passed on as it came: whoever parses and prints it again may print it otherwise.
    let text = client.get_text(&format!("/deployments/{id}/proof"), &[("at", Some(&args.at.to_string()))])?;
    keep(context, args.output.as_deref(), &text)
}

/// Put what is signed where it is wanted.
pub(crate) fn keep(context: &Context, path: Option<&Path>, text: &str) -> Result<Exit> {
    let Some(path) = path else {
        output::print(text);
        return Ok(Exit::Done);
    };
    std::fs::write(path, format!("{text}\n")).map_err(|e| Failure::file("write", path, &e))?;
    context.answer(&serde_json::json!({"file": path}), || format!("{}  {}", style::green("written"), path.display()));
    Ok(Exit::Done)
}

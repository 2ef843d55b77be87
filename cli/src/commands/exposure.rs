//! `licit exposure`.

use clap::Args;
use licit_schemas::known::KnownAt;
use licit_schemas::lineage::ExposureView;

use crate::client::typed;
use crate::collection::any_reference;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::exposure;

/// Of what.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  licit exposure model:vote-model@1\n  licit exposure model:vote-model@1 --known-at 2026-06-01"
)]
pub(crate) struct ExposureArgs {
    /// A dataset or model version, a release, a deployment
    #[arg(value_name = "REF")]
    reference: String,
    /// As known at a ledger position or a time; default: now
    #[arg(long, value_name = "WHEN")]
    known_at: Option<KnownAt>,
}

/// Show the exposure.
pub(crate) fn run(context: &Context, args: &ExposureArgs) -> Result<Exit> {
    let reference = any_reference(&args.reference)?.to_string();
    let known_at = args.known_at.map(|at| at.to_string());
    let answer = context.client()?.get("/exposure", &[("ref", Some(&reference)), ("known_at", known_at.as_deref())])?;
    let view: ExposureView = typed(&answer)?;
    context.answer(&answer, || exposure::text(&view));
    Ok(Exit::Done)
}

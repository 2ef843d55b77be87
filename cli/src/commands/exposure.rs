//! `licit exposure`.

use clap::Args;
use licit_schemas::known::KnownAt;
use licit_schemas::lineage::ExposureView;
use licit_schemas::time::Timestamp;

use crate::client::typed;
use crate::collection::any_reference;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::exposure;

/// Of what.
#[derive(Debug, Args)]
#[command(
    after_help = "Assessments of anonymity cut nothing here unless --for says whose: they hold for one controller.

Examples:
  licit exposure model:vote-model@1
  licit exposure model:vote-model@1 --for deployment:vote-forecast
  licit exposure model:vote-model@1 --for party:acme --valid-at 2026-06-01"
)]
pub(crate) struct ExposureArgs {
    /// A dataset or model version, a release, a deployment
    #[arg(value_name = "REF")]
    reference: String,
    /// As known at a ledger position or a time; default: now
    #[arg(long, value_name = "WHEN")]
    known_at: Option<KnownAt>,
    /// Apply the assessments of anonymity of a party, or of a deployment's controller
    #[arg(long = "for", value_name = "REF")]
    holder: Option<String>,
    /// Those that hold at this moment; default: now
    #[arg(long, value_name = "TIME", requires = "holder")]
    valid_at: Option<Timestamp>,
}

/// Show the exposure.
pub(crate) fn run(context: &Context, args: &ExposureArgs) -> Result<Exit> {
    let reference = any_reference(&args.reference)?.to_string();
    let known_at = args.known_at.map(|at| at.to_string());
    let holder = args.holder.as_deref().map(any_reference).transpose()?.map(|holder| holder.to_string());
    let valid_at = args.valid_at.map(|at| at.to_string());
    let query = [
        ("ref", Some(reference.as_str())),
        ("holder", holder.as_deref()),
        ("known_at", known_at.as_deref()),
        ("valid_at", valid_at.as_deref()),
    ];
    let answer = context.client()?.get("/exposure", &query)?;
    let view: ExposureView = typed(&answer)?;
    context.answer(&answer, || exposure::text(&view));
    Ok(Exit::Done)
}

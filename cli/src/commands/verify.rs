//! `licit verify`: a receipt, a proof or a passport, without server and without network.

use std::path::PathBuf;

use clap::Args;
use licit_schemas::time::Timestamp;

use super::release;
use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Failure, Result};
use crate::receipts::{self, Question, Trust};

/// What to verify, against what.
#[derive(Debug, Args)]
#[command(
    after_help = "Checks, each in a line: a key you trust signed the statement and the ledger's checkpoint; the ledger's tree holds the \
decision; the statement says what the decision says; it is valid now; and what you ask beyond that. Neither server nor network is \
needed. What became of the decision since, no receipt says: ask `licit decision status`.

Of a proof (`licit prove`), `--at` asks whether it is of that moment, and the line `unbroken` says what the ledger proves of it and \
what is the registry's word.

Exit codes: 0 valid, 3 sound but not valid for this, 4 broken or signed by nobody you trust.

Examples:
  licit verify vote.receipt --key licit.pub --artifact vote-model/
  licit verify vote.receipt --key licit.pub --max-age 24h
  licit verify vote.receipt --key licit.pub --at 2026-06-01T10:00:00Z
  licit verify vote.passport --key vendor.pub --artifact vote-model/
  licit verify vote.proof --key licit.pub --at 2026-06-01T10:00:00Z"
)]
pub(crate) struct VerifyArgs {
    /// File of the receipt, proof or passport; `-` is stdin
    receipt: PathBuf,
    #[command(flatten)]
    trust: Trust,
    /// File or directory as found where it will run: every file must be admitted and none missing; may be repeated
    #[arg(long = "artifact", value_name = "PATH")]
    artifacts: Vec<PathBuf>,
    /// Deployment it must be of, such as `vote-forecast`
    #[arg(long, value_name = "NAME")]
    deployment: Option<String>,
    /// Release it must be of, such as `vote-forecast@2`
    #[arg(long, value_name = "REF")]
    release: Option<String>,
    /// Another moment than now, for auditors; of a proof, the moment it must be of
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

/// Verify a receipt.
pub(crate) fn run(context: &Context, args: &VerifyArgs) -> Result<Exit> {
    if args.trust.keys.is_empty() {
        return Err(Failure::Usage(
            "name a key you trust with --key: a receipt vouches for nothing by itself".to_owned(),
        ));
    }
    let verified = receipts::ask(
        &args.receipt,
        &Question {
            keys: args.trust.keys.clone(),
            deployment: args.deployment.as_ref().map(|name| c::DEPLOYMENTS.reference(name)).transpose()?,
            release: args.release.as_ref().map(|name| c::RELEASES.reference(name)).transpose()?,
            intent: None,
            files: (!args.artifacts.is_empty()).then(|| release::artifacts(&args.artifacts)).transpose()?,
            max_age: args.trust.max_age,
            at: args.at,
        },
    )?;
    context.answer(&receipts::answer(&verified), || receipts::text(&verified));
    Ok(receipts::exit(&verified))
}

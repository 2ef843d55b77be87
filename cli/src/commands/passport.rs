//! `licit export --passport` and `licit import`: models that go to others, and those that come from them.

use std::path::{Path, PathBuf};

use clap::Args;
use licit_schemas::proof::passport::verify::read;
use licit_schemas::proof::passport::{MOST, PassportImport, PassportTaken};
use licit_schemas::text::Key;

use super::prove::keep;
use super::{release, things};
use crate::client::typed;
use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Failure, Result};
use crate::output::{self, style};
use crate::receipts::{self, Question};
use crate::source;

/// What to take in.
#[derive(Debug, Args)]
#[command(
    after_help = "Verifies the passport here and again on the server, by the keys you name: they must have come to you by other means than \
the passport. The model becomes an acquired one; whoever is behind it becomes a dataset of this registry, which your bases cover or \
nothing does; and a provider assessment is proposed: nothing rests on the passport before the board approves it.

Exit codes: 0 taken in, 3 sound but not valid for this, 4 broken or signed by nobody you trust.

Examples:
  licit import vote.passport --key vendor.pub --provider vendor --holder acme
  licit import vote.passport --key vendor.pub --provider vendor --holder acme \\
      --artifact vote-model/ --owner ml-team"
)]
pub(crate) struct ImportArgs {
    /// File of the passport; `-` is stdin
    passport: PathBuf,
    /// Key of the other registry that you trust, or a file of such; may be repeated
    #[arg(long = "key", value_name = "KEY", required = true)]
    keys: Vec<String>,
    /// Who made the model, a party of this registry
    #[arg(long, value_name = "PARTY")]
    provider: String,
    /// For whom it is taken in, a party of this registry
    #[arg(long, value_name = "PARTY")]
    holder: String,
    /// Team that answers for it here
    #[arg(long, value_name = "TEAM")]
    owner: Option<Key>,
    /// File or directory of the model: its files must be those of the passport; may be repeated
    #[arg(long = "artifact", value_name = "PATH")]
    artifacts: Vec<PathBuf>,
}

/// Fetch a passport.
pub(crate) fn export(context: &Context, model: &str, output: Option<&Path>) -> Result<Exit> {
    let client = context.client()?;
    let found = c::MODEL_VERSIONS.find(&client, model)?;
    let id = found["id"].as_str().unwrap_or_default();
    let text = client.get_text(&format!("/model-versions/{id}/passport"), &[])?;
    keep(context, output, &text)
}

/// Take a model in.
pub(crate) fn import(context: &Context, args: &ImportArgs) -> Result<Exit> {
    let bytes = source::bytes(&args.passport, MOST)?;
    let artifacts = release::artifacts(&args.artifacts)?;
    let question = Question {
        keys: args.keys.clone(),
        files: (!args.artifacts.is_empty()).then(|| artifacts.clone()),
        ..Question::default()
    };
    let verified = receipts::ask_bytes(&bytes, &question)?;
    let exit = receipts::exit(&verified);
    if exit != Exit::Done {
        context.answer(&receipts::answer(&verified), || receipts::text(&verified));
        return Ok(exit);
    }
    let mut keys = Vec::new();
    for key in &args.keys {
        keys.extend(receipts::written(key)?);
    }
    let create = c::within_bounds(PassportImport {
        passport: read(&bytes).map_err(Failure::plain)?,
        keys,
        provider: c::PARTIES.reference(&args.provider)?,
        holder: c::PARTIES.reference(&args.holder)?,
        owner: args.owner.clone(),
        artifacts,
    })?;
    let answer = context.client()?.post_persistently("/passports", &create)?;
    let taken: PassportTaken = typed(&answer)?;
    context.answer(&answer, || {
        let mut out = format!("{}\n", things::registered(&answer));
        for dataset in &taken.datasets {
            out.push_str(&format!("  people behind it  {dataset}\n"));
        }
        out.push_str(&format!("  valid until       {}\n", taken.valid_until));
        let key = taken.assessment.to_string();
        out.push_str(&format!(
            "{} ask the board: licit review create --title \"Take in {}\" {key}",
            style::dim("next:"),
            taken.model
        ));
        out
    });
    if args.artifacts.is_empty() {
        output::warn("no file was held against it: name the model with --artifact");
    }
    Ok(Exit::Done)
}

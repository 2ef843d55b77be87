//! `licit consent act`: a remedy was taken in a model for those who withdrew or object.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use licit_schemas::consent::ModelRemedy;
use licit_schemas::digest::Digest;
use licit_schemas::text::Uri;
use serde_json::json;

use super::asked::purpose;
use crate::collection as c;
use crate::commands::things;
use crate::context::Context;
use crate::error::{Exit, Result};

/// What was done, and for what.
#[derive(Debug, Args)]
#[command(
    after_help = "It closes the action for everybody who had withdrawn or objected by then, and for nobody who does later. The \
purpose says which remedies suffice. `retrain`, `adapter_removal`, `remove_from_index` and `suppress` are held against what is \
registered. The others are claims: the data protection officer records them, with evidence and a reason. After `output_filter` and \
`suppress` the model still holds what it learned.

Examples:
  licit consent act score@3 --purpose ads --remedy suppress
  licit consent act score@3 --purpose ads --remedy unlearn_certified \\
    --evidence-uri https://docs.example/unlearned.pdf \\
    --evidence-digest sha256:… --reason \"Audited in October\""
)]
pub(crate) struct ActArgs {
    /// Model version; for `remove_from_index` the version of the index without them
    #[arg(value_name = "MODEL@VERSION")]
    of: String,
    /// Key of the purpose
    #[arg(long, value_name = "KEY")]
    purpose: String,
    /// What was done
    #[arg(long, value_parser = remedy())]
    remedy: ModelRemedy,
    /// Ledger position up to which they had withdrawn; default: now, for `suppress` the oldest list acknowledged
    #[arg(long, value_name = "POSITION")]
    position: Option<u64>,
    /// Where a document that shows it can be read
    #[arg(long, value_name = "URI", requires = "evidence_digest")]
    evidence_uri: Option<Uri>,
    /// SHA-256 of the document
    #[arg(long, value_name = "sha256:…", requires = "evidence_uri")]
    evidence_digest: Option<Digest>,
    /// Why it suffices; kept erasable
    #[arg(long)]
    reason: Option<String>,
}

fn remedy() -> impl TypedValueParser<Value = ModelRemedy> {
    let words = ModelRemedy::ALL.map(ModelRemedy::as_str);
    PossibleValuesParser::new(words)
        .try_map(|word| serde_json::from_value::<ModelRemedy>(serde_json::Value::String(word)))
}

/// Run the command.
pub(crate) fn run(context: &Context, args: &ActArgs) -> Result<Exit> {
    let of = match args.remedy {
        ModelRemedy::RemoveFromIndex => c::DATASET_VERSIONS.reference(&args.of)?,
        _ => c::MODEL_VERSIONS.reference(&args.of)?,
    };
    let mut remedy = json!({"of": of, "purpose": purpose(&args.purpose)?, "remedy": args.remedy});
    if let Some(position) = args.position {
        remedy["position"] = json!(position);
    }
    if let (Some(uri), Some(digest)) = (&args.evidence_uri, &args.evidence_digest) {
        remedy["evidence"] = json!([{"uri": uri, "digest": digest}]);
    }
    if let Some(reason) = &args.reason {
        remedy["reason"] = json!(reason);
    }
    things::create_value(context, &c::REMEDIES, remedy, false)
}

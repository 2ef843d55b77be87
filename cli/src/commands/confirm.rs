//! `licit dataset confirm`: classify by pattern what was left unclassified.

use clap::{Args, ValueEnum};
use licit_schemas::classes::{ClassificationCreate, ClassificationResult};
use licit_schemas::document;
use licit_schemas::time::Timestamp;
use serde_json::{Value, json};

use crate::client::typed;
use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Failure, Result};
use crate::output::{style, table};

/// What to classify.
#[derive(Debug, Args)]
#[command(
    after_help = "Lists what would be classified; `--yes` records it, one fact per version. Versions stay as registered.
Patterns: `*` stands for any characters, `?` for one. Data about no person have no category and identify `none`.

Examples:
  licit dataset confirm 'crm/*' --fields '*_id' --identifiability pseudonym
  licit dataset confirm 'crm/*' --fields 'birth*' --identifiability quasi \\
      --category https://w3id.org/dpv/pd#BirthDate --yes
  licit dataset confirm crm/people@3 --fields note --identifiability direct \\
      --correct --category https://w3id.org/dpv/pd#HealthRecord --reason \"Free text holds diagnoses\" --yes"
)]
pub(crate) struct ConfirmArgs {
    /// Datasets by pattern, such as `crm/*`, or versions, such as `crm/people@3`
    #[arg(required = true, value_name = "DATASET")]
    datasets: Vec<String>,
    /// Fields by pattern; may be repeated
    #[arg(long, required = true, value_name = "PATTERN")]
    fields: Vec<String>,
    /// Category of personal data, a DPV IRI; may be repeated
    #[arg(long = "category", value_name = "IRI")]
    categories: Vec<String>,
    /// How far the fields identify
    #[arg(long)]
    identifiability: Identifies,
    /// Also fields classified already, where this is stronger; of versions only
    #[arg(long)]
    correct: bool,
    /// Since when it holds, where that lies in the past
    #[arg(long, value_name = "TIME")]
    valid_from: Option<Timestamp>,
    /// Why; kept erasable
    #[arg(long)]
    reason: Option<String>,
    /// Record it
    #[arg(long)]
    yes: bool,
}

/// How far a field identifies.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Identifies {
    /// Nobody
    None,
    /// Together with others
    Quasi,
    /// By a pseudonym
    Pseudonym,
    /// By itself
    Direct,
}

/// Classify.
pub(crate) fn run(context: &Context, args: &ConfirmArgs) -> Result<Exit> {
    let (versions, patterns): (Vec<&String>, Vec<&String>) = args.datasets.iter().partition(|name| name.contains('@'));
    let versions: Vec<String> =
        versions.into_iter().map(|name| Ok(c::DATASET_VERSIONS.reference(name)?.to_string())).collect::<Result<_>>()?;
    let mut body = json!({
        "datasets": patterns, "versions": versions, "fields": args.fields, "categories": args.categories,
        "identifiability": args.identifiability.to_possible_value().map(|value| value.get_name().to_owned()),
        "corrects": args.correct, "dry_run": !args.yes,
    });
    if let Some(from) = args.valid_from {
        body["valid_from"] = json!(from);
    }
    if let Some(reason) = &args.reason {
        body["reason"] = json!(reason);
    }
    let answer = context.client()?.post("/classifications", &checked(body)?)?;
    let result: ClassificationResult = typed(&answer)?;
    context.answer(&answer, || text(&result, args.yes));
    Ok(Exit::Done)
}

fn checked(body: Value) -> Result<ClassificationCreate> {
    document::from_value(body).map_err(|faults| {
        let lines = faults.into_iter().map(|f| format!("{}: {}", f.pointer.trim_start_matches("#/"), f.detail));
        Failure::Faults(lines.collect())
    })
}

fn text(result: &ClassificationResult, recorded: bool) -> String {
    if result.items.is_empty() {
        return style::dim("no field of that name is unclassified there");
    }
    let rows = result.items.iter().map(|item| vec![item.version.clone(), item.fields.join(", ")]).collect();
    let fields: usize = result.items.iter().map(|item| item.fields.len()).sum();
    let (versions, list) = (result.items.len(), table::table(&["version", "fields"], rows));
    let end = if recorded {
        style::green(&format!("classified  {fields} fields of {versions} versions"))
    } else {
        style::yellow(&format!("would classify {fields} fields of {versions} versions: `--yes` records it"))
    };
    format!("{list}\n{end}")
}

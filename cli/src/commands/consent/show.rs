//! `licit consent show`: what one person said, with proofs.

use clap::{Args, ValueEnum};
use licit_schemas::consent::{SubjectQuery, SubjectRecord, SubjectRecords, dpv};
use serde_json::json;

use super::proof;
use super::who::Who;
use crate::client::typed;
use crate::context::Context;
use crate::error::{Exit, Failure, Result};
use crate::output::{self, resource, style, table};

/// Whose records, and how to show them.
#[derive(Debug, Args)]
#[command(
    after_help = "With --verify, each record is hashed here with its salt, and its path led to the root of its batch; exit code 4 \
where one does not hold. That root is what the ledger entry commits to: `licit ledger entries` shows it, and \
`licit ledger verify` holds the whole ledger.

Examples:
  licit consent show --subject p1.k1.… --verify
  licit consent show --key crm.key --type phone --region FR < number
  licit consent show --subject p1.k1.… --format dpv > record.jsonld
  licit consent show --subject p1.k1.… --format receipt > receipt.jsonld"
)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    who: Who,
    /// Check each record's proof on this machine
    #[arg(long, conflicts_with = "format")]
    verify: bool,
    /// Another form
    #[arg(long, value_enum)]
    format: Option<Form>,
}

/// Forms of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Consent records of ISO/IEC TS 27560 as JSON-LD of the Data Privacy Vocabulary
    Dpv,
    /// The same as receipts, for the person to keep
    Receipt,
}

/// Run the command.
pub(crate) fn run(context: &Context, args: &ShowArgs) -> Result<Exit> {
    let subject = args.who.pseudonym()?;
    let client = context.client()?;
    if let Some(form) = args.format {
        let receipts = client.post("/subjects/receipts", &SubjectQuery { subject })?;
        let document = if form == Form::Dpv { dpv::records_of(&receipts) } else { receipts };
        output::print(&serde_json::to_string_pretty(&document).map_err(|e| Failure::plain(e.to_string()))?);
        return Ok(Exit::Done);
    }
    let mut answer = client.post("/subjects/records", &SubjectQuery { subject })?;
    let told: SubjectRecords = typed(&answer)?;
    let broken: Vec<&SubjectRecord> = match args.verify {
        true => told.records.iter().filter(|kept| !proof::holds(kept)).collect(),
        false => Vec::new(),
    };
    if args.verify {
        let ids: Vec<String> = broken.iter().map(|kept| kept.record.record_id.0.to_string()).collect();
        answer["verified"] = json!({"hold": told.records.len() - broken.len(), "broken": ids});
    }
    context.answer(&answer, || {
        let mut text = shown(&told.records);
        if args.verify {
            let hold = told.records.len() - broken.len();
            let sentence = format!("{hold} of {} records hold", told.records.len());
            let sentence = if broken.is_empty() { style::green(&sentence) } else { style::red(&sentence) };
            text.push_str(&format!("\n\n{sentence}"));
            for kept in &broken {
                text.push_str(&format!("\n  broken: record {}, entry {}", kept.record.record_id.0, kept.seq));
            }
        }
        text
    });
    Ok(if broken.is_empty() { Exit::Done } else { Exit::LedgerBroken })
}

/// Records as a table.
pub(crate) fn shown(records: &[SubjectRecord]) -> String {
    let rows = records.iter().map(row).collect();
    table::table(&["said at", "what", "purpose", "channel", "until", "entry"], rows)
}

fn row(kept: &SubjectRecord) -> Vec<String> {
    let record = &kept.record;
    let value = serde_json::to_value(record).unwrap_or_default();
    let text = |name: &str| value.get(name).map(resource::text).unwrap_or_default();
    let explicit = if text("expression") == "explicit" { ", explicit" } else { "" };
    let purpose = text("purpose");
    vec![
        resource::minute(&record.at.to_string()),
        format!("{}{explicit}", text("said").replace('_', " ")),
        purpose.strip_prefix("purpose:").unwrap_or(&purpose).to_owned(),
        text("channel"),
        record.until.map(|until| resource::minute(&until.to_string())).unwrap_or_default(),
        kept.seq.to_string(),
    ]
}

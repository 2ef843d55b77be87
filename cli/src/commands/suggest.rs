//! `licit suggest`.

use clap::Args;
use licit_schemas::gate::{Finding, Verdict};
use licit_schemas::known::KnownAt;
use licit_schemas::reports::{Suggestion, Suggestions};
use licit_schemas::time::Timestamp;

use crate::client::typed;
use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::{decision, style, wrap};

/// Of which deployment.
#[derive(Debug, Args)]
#[command(
    after_help = "Each change was tried over a copy of the registry; what is shown is what the gate said then. Nothing is recorded.
Exit code 3 when it is refused and nothing known clears any of it.

Examples:
  licit suggest vote-forecast
  licit suggest vote-forecast --valid-at 2027-08-02"
)]
pub(crate) struct SuggestArgs {
    /// Deployment, such as `vote-forecast`
    deployment: String,
    /// As if this were now: a ledger position or a time
    #[arg(long, value_name = "WHEN")]
    known_at: Option<KnownAt>,
    /// Judge at this moment; default: now
    #[arg(long, value_name = "TIME")]
    valid_at: Option<Timestamp>,
}

/// Show what would clear a refusal.
pub(crate) fn run(context: &Context, args: &SuggestArgs) -> Result<Exit> {
    let deployment = c::DEPLOYMENTS.reference(&args.deployment)?.to_string();
    let (known_at, valid_at) = (args.known_at.map(|at| at.to_string()), args.valid_at.map(|at| at.to_string()));
    let query = [
        ("deployment", Some(deployment.as_str())),
        ("known_at", known_at.as_deref()),
        ("valid_at", valid_at.as_deref()),
    ];
    let answer = context.client()?.get("/reports/suggest", &query)?;
    let found: Suggestions = typed(&answer)?;
    context.answer(&answer, || text(&found));
    let helpless = found.verdict == Verdict::Deny && found.items.is_empty();
    Ok(if helpless { Exit::Refused } else { Exit::Done })
}

fn text(found: &Suggestions) -> String {
    let subject = found.release.as_deref().unwrap_or(&found.deployment);
    if found.refusing == 0 {
        return format!("{}  {subject}: there is nothing to clear", style::green("allowed"));
    }
    let mut out = format!("{}  {subject}: {} finding(s) refuse\n", style::red("refused"), found.refusing);
    for item in &found.items {
        out.push_str(&format!("\n{}", one(item)));
    }
    if !found.unanswered.is_empty() {
        out.push_str(&format!("\n{}\n", style::bold("nothing that is registered clears")));
        found.unanswered.iter().for_each(|finding| out.push_str(&decision::one(finding)));
    }
    out.push_str(&style::dim(&format!("\n{} change(s) tried; nothing was recorded\n", found.tried)));
    out
}

fn one(item: &Suggestion) -> String {
    let after = match item.after {
        Verdict::Allow => style::green("then it is allowed"),
        Verdict::Deny => style::yellow("then it is still refused"),
    };
    let mut out = wrap::wrapped(&format!("{} ", style::green("→")), &item.says);
    out.push_str(&wrap::wrapped("  clears  ", &named(&item.clears)));
    if !item.remains.is_empty() {
        out.push_str(&wrap::wrapped("  remains ", &named(&item.remains)));
    }
    out.push_str(&format!("  {after}{}\n", if item.vote { ", once the board has voted" } else { "" }));
    for command in &item.commands {
        // Whole on one line, however long: it is there to be copied.
        out.push_str(&format!("        {}\n", style::bold(&format!("$ {command}"))));
    }
    out
}

fn named(findings: &[Finding]) -> String {
    findings.iter().map(|f| format!("{} at {}", f.rule, f.node)).collect::<Vec<_>>().join("; ")
}

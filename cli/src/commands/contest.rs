//! `licit contest`: a finding is wrong.

use clap::{Subcommand, ValueEnum};
use licit_schemas::adoption::{RuleContests, SettlementCreate};
use licit_schemas::known::KnownAt;
use licit_schemas::resource::Page;
use serde_json::json;

use super::things;
use crate::client::typed;
use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::{style, table};

/// What to do with contests.
#[derive(Debug, Subcommand)]
pub(crate) enum Contest {
    /// Say that a finding of a recorded decision is wrong
    #[command(
        after_help = "The verdict stays: it follows from what is registered. Contests that are upheld count against the rule.

Example:
  licit contest create decision:ID special.category dataset:crm/notes@3 \\
      --reason \"The column holds product names\""
    )]
    Create {
        /// Decision, `decision:<id>`
        decision: String,
        /// Rule code, such as `special.category`
        rule: String,
        /// The offending thing the finding names
        node: String,
        /// Why it is wrong; kept erasable
        #[arg(long)]
        reason: String,
    },
    /// List, newest first
    List(things::ListArgs),
    /// Show everything that was recorded
    Show(things::ShowArgs),
    /// Settle a contest that another person raised
    #[command(after_help = "Example:\n  licit contest settle ID upheld --reason \"The rule read the wrong field\"")]
    Settle {
        /// Id or reference of the contest
        id: String,
        /// What became of it
        outcome: Outcome,
        /// Why; kept erasable
        #[arg(long)]
        reason: String,
    },
    /// By rule, how often findings were contested, and rightly
    #[command(after_help = "Example:\n  licit contest figures")]
    Figures {
        /// As known at a ledger position or a time; default: now
        #[arg(long, value_name = "WHEN")]
        known_at: Option<KnownAt>,
    },
}

/// What became of a contest.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Outcome {
    /// The finding was wrong
    Upheld,
    /// The finding was right
    Dismissed,
}

/// Above this, of a thousand refusals, a rule refuses too much.
const TOO_MUCH: u64 = 50;

/// Run the command.
pub(crate) fn run(context: &Context, command: Contest) -> Result<Exit> {
    match command {
        Contest::Create { decision, rule, node, reason } => {
            let decision = c::DECISIONS.reference(&decision)?;
            let contest = json!({"decision": decision, "rule": rule, "node": node, "reason": reason});
            things::create_value(context, &c::CONTESTS, contest, false)
        }
        Contest::List(args) => things::list(context, &c::CONTESTS, &args),
        Contest::Show(args) => things::show(context, &c::CONTESTS, &args),
        Contest::Settle { id, outcome, reason } => {
            let id = c::CONTESTS.reference(&id)?.name().to_owned();
            let outcome = match outcome {
                Outcome::Upheld => "upheld",
                Outcome::Dismissed => "dismissed",
            };
            let body: SettlementCreate = c::from_flags(json!({"outcome": outcome, "reason": reason}))?;
            let answer = context.client()?.post(&format!("/contests/{id}/settlement"), &body)?;
            context.answer(&answer, || format!("{}  contest {id} is {outcome}", style::green("recorded")));
            Ok(Exit::Done)
        }
        Contest::Figures { known_at } => {
            let known_at = known_at.map(|at| at.to_string());
            let answer = context.client()?.get("/reports/contests", &[("known_at", known_at.as_deref())])?;
            let page: Page<RuleContests> = typed(&answer)?;
            context.answer(&answer, || table::table(&HEAD, page.items.iter().map(row).collect()));
            Ok(Exit::Done)
        }
    }
}

const HEAD: [&str; 6] = ["rule", "refusals", "open", "upheld", "dismissed", "upheld of refusals"];

fn row(figure: &RuleContests) -> Vec<String> {
    let share = figure.of_refusals_per_mille.map_or(String::new(), |share| {
        let text = format!("{}.{} %", share / 10, share % 10);
        if share > TOO_MUCH { style::red(&text) } else { text }
    });
    vec![
        figure.rule.clone(),
        figure.refusals.to_string(),
        figure.open.to_string(),
        figure.upheld.to_string(),
        figure.dismissed.to_string(),
        share,
    ]
}

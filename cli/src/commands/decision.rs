//! `licit decision`: what the gate answered, and the same computed again.

use clap::{Args, Subcommand};
use licit_schemas::digest::Digest;
use licit_schemas::known::KnownAt;
use licit_schemas::reports::Replay;

use super::things::{self, ListArgs, ShowArgs};
use crate::client::typed;
use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Failure, Result};
use crate::output::decision::{self, Teams};
use crate::output::{self, style, wrap};

/// Decisions.
#[derive(Debug, Subcommand)]
pub(crate) enum Decision {
    /// List, newest first
    List(ListArgs),
    /// Show everything that was decided
    Show(ShowArgs),
    /// Print the canonical evidence it rests on, byte for byte what its digest is of
    #[command(
        after_help = "Its digest stands in the decision, and is recomputed here: exit code 4 where it is another.

Example:
  licit decision evidence ID | jq .view"
    )]
    Evidence {
        /// Decision, its id
        #[arg(value_name = "ID")]
        reference: String,
    },
    /// Compute it again from the ledger, as known then or later
    Replay(ReplayArgs),
}

/// What to replay.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 it is the same, or rules or vocabularies changed since; 4 it is not, and should be.

Examples:
  licit decision replay ID
  licit decision replay ID --known-at now
  licit decision replay ID --known-at 2026-06-01"
)]
pub(crate) struct ReplayArgs {
    /// Decision, its id
    #[arg(value_name = "ID")]
    reference: String,
    /// Judge the same moment with the knowledge of another: `now`, a ledger position or a time
    #[arg(long, value_name = "WHEN")]
    known_at: Option<KnownAt>,
}

/// Run a command on decisions.
pub(crate) fn run(context: &Context, command: Decision) -> Result<Exit> {
    match command {
        Decision::List(args) => things::list(context, &c::DECISIONS, &args),
        Decision::Show(args) => things::show(context, &c::DECISIONS, &args),
        Decision::Evidence { reference } => evidence(context, &reference),
        Decision::Replay(args) => replay(context, &args),
    }
}

fn evidence(context: &Context, reference: &str) -> Result<Exit> {
    let client = context.client()?;
    let found = c::DECISIONS.find(&client, reference)?;
    let id = found["id"].as_str().unwrap_or_default();
    let text = client.get_text(&format!("/decisions/{id}/evidence"), &[])?;
    let (digest, stated) = (Digest::of(text.as_bytes()).to_string(), &found["spec"]["evidence_digest"]);
    if stated.as_str() != Some(&digest) {
        let stated = stated.as_str().unwrap_or("none");
        return Err(Failure::LedgerBroken(format!(
            "the evidence has the digest {digest}, the decision names {stated}"
        )));
    }
    output::print(&text);
    Ok(Exit::Done)
}

fn replay(context: &Context, args: &ReplayArgs) -> Result<Exit> {
    let client = context.client()?;
    let id = c::DECISIONS.id(&client, &args.reference)?;
    let known_at = args.known_at.map(|at| at.to_string());
    let answer = client.get(&format!("/decisions/{id}/replay"), &[("known_at", known_at.as_deref())])?;
    let replay: Replay = typed(&answer)?;
    context.answer(&answer, || text(&replay));
    let broken = !(replay.same && replay.same_evidence) && replay.otherwise.is_none();
    Ok(if broken { Exit::LedgerBroken } else { Exit::Done })
}

fn text(replay: &Replay) -> String {
    let mut out = match (replay.same && replay.same_evidence, &replay.otherwise) {
        (true, _) => {
            format!(
                "{}  byte for byte, decision and evidence\n\n{}",
                style::green("SAME"),
                decision::text(&replay.recorded, &Teams::default())
            )
        }
        (false, Some(why)) => both(replay, &style::yellow("OTHER RULES"), why),
        (false, None) => {
            let what = if replay.same_evidence { "its evidence is the same" } else { "its evidence differs" };
            let why = format!("neither rules nor vocabularies changed; {what}: run `licit ledger verify`");
            both(replay, &style::red("NOT THE SAME"), &why)
        }
    };
    if let Some(known) = &replay.known {
        let head = format!("\nwith what is known at ledger position {}", known.decision.position);
        out.push_str(&format!("{}\n\n{}", style::bold(&head), decision::text(&known.decision, &Teams::default())));
        out.push_str(&decision::changes(&known.came, &known.went));
    }
    out
}

fn both(replay: &Replay, word: &str, why: &str) -> String {
    format!(
        "{word}\n{}\n{}\n\n{}\n{}\n\n{}",
        wrap::wrapped("", why).trim_end(),
        style::bold("\nas recorded"),
        decision::text(&replay.recorded, &Teams::default()),
        style::bold("as replayed"),
        decision::text(&replay.replayed, &Teams::default())
    )
}

//! `licit decision`: what the gate answered, and the same computed again.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use licit_schemas::digest::Digest;
use licit_schemas::known::KnownAt;
use licit_schemas::proof::receipt::status::DecisionStatus;
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
    /// Write its receipt: signed, with the proof that the ledger holds it
    Receipt(ReceiptArgs),
    /// What became of it since, as no receipt can say it
    #[command(after_help = "Exit codes: 0 it is what the registry says now, 3 it is not.

Example:
  licit decision status ID")]
    Status {
        /// Decision, its id
        #[arg(value_name = "ID")]
        reference: String,
    },
}

/// Which receipt, and where to.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  licit decision receipt ID -o vote.receipt
  licit decision receipt ID --bundle -o vote.sigstore.json")]
pub(crate) struct ReceiptArgs {
    /// Decision, its id
    #[arg(value_name = "ID")]
    reference: String,
    /// File to write, instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// As a Sigstore bundle: the signed statement alone, for tools that read no other form
    #[arg(long)]
    bundle: bool,
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
        Decision::Receipt(args) => receipt(context, &args),
        Decision::Status { reference } => status(context, &reference),
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

fn receipt(context: &Context, args: &ReceiptArgs) -> Result<Exit> {
    let client = context.client()?;
    let id = c::DECISIONS.id(&client, &args.reference)?;
    let what = if args.bundle { "bundle" } else { "receipt" };
    let text = serde_json::to_string_pretty(&client.get(&format!("/decisions/{id}/{what}"), &[])?).unwrap_or_default();
    match &args.output {
        Some(path) => std::fs::write(path, text + "\n").map_err(|e| Failure::file("write", path, &e))?,
        None => output::print(&text),
    }
    Ok(Exit::Done)
}

fn status(context: &Context, reference: &str) -> Result<Exit> {
    let client = context.client()?;
    let id = c::DECISIONS.id(&client, reference)?;
    let answer = client.get(&format!("/decisions/{id}/status"), &[])?;
    let status: DecisionStatus = typed(&answer)?;
    context.answer(&answer, || {
        let word = if status.stands { style::green("STANDS") } else { style::red("STANDS NO MORE") };
        let mut out = format!("{word}  {}\n", status.release.as_deref().unwrap_or(&status.deployment));
        status.why.iter().for_each(|why| out.push_str(&wrap::wrapped("  ", why)));
        out.push_str(&style::dim(&format!("decision:{}, at ledger position {}\n", status.id.0, status.position)));
        out
    });
    Ok(if status.stands { Exit::Done } else { Exit::Refused })
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

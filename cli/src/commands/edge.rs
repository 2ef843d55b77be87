//! `licit edge`: lineage that became known late.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use licit_schemas::document;
use licit_schemas::lineage::EdgeCreate;
use serde_json::{Value, json};

use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::style;
use crate::source;

/// Edges.
#[derive(Debug, Subcommand)]
pub(crate) enum Edge {
    /// Record an edge between things that are registered
    Create(EdgeArgs),
}

/// A new edge.
#[derive(Debug, Args)]
#[command(after_help = "An edge goes from the effect to its cause. One that would close a cycle is refused.

Examples:
  licit edge create used run:ID dataset:crm/notes@3 --role training
  licit edge create emits dataset:scores/monthly@7 deployment:vote-forecast \\
      --origin observed
  licit edge create -f edge.yaml")]
pub(crate) struct EdgeArgs {
    /// What kind of edge
    #[arg(required_unless_present = "file")]
    kind: Option<EdgeKind>,
    /// The effect: a run, what was written, a deployment
    #[arg(required_unless_present = "file", value_name = "EFFECT")]
    from: Option<String>,
    /// Its cause
    #[arg(required_unless_present = "file", value_name = "CAUSE")]
    to: Option<String>,
    /// Of an edge `used`: training, validation, test, bias-check or reference
    #[arg(long)]
    role: Option<String>,
    /// How it is known
    #[arg(long, value_enum, default_value_t = Origin::Declared)]
    origin: Origin,
    /// YAML or JSON file instead; `-` is stdin
    #[arg(short, long, conflicts_with_all = ["kind", "from", "to", "role", "origin"])]
    file: Option<PathBuf>,
}

/// Kinds of edges.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum EdgeKind {
    /// Run → what it read
    Used,
    /// What was written → run
    Generated,
    /// Deployment → dataset it reads about people
    ServesOn,
    /// Dataset → deployment that wrote it
    Emits,
}

/// How an edge is known.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Origin {
    /// Somebody states it
    Declared,
    /// An engine reported it
    Observed,
    /// Concluded from inputs and outputs
    Inferred,
}

/// Run a command on edges.
pub(crate) fn run(context: &Context, command: Edge) -> Result<Exit> {
    let Edge::Create(args) = command;
    let edge: EdgeCreate = match &args.file {
        Some(path) => {
            let (value, source) = source::read(path)?;
            document::from_value(value).map_err(|faults| source.faults(faults))?
        }
        None => c::from_flags(flags(&args))?,
    };
    let answer = context.client()?.post("/edges", &edge)?;
    context.answer(&answer, || {
        let entry = answer["seq"].as_u64().map(|seq| style::dim(&format!("ledger entry {seq}"))).unwrap_or_default();
        format!("{}  {} → {}  {entry}", style::green("recorded"), edge.from, edge.to)
    });
    Ok(Exit::Done)
}

fn flags(args: &EdgeArgs) -> Value {
    let word = |value: Option<clap::builder::PossibleValue>| value.map(|value| value.get_name().to_owned());
    let mut edge = json!({
        "kind": args.kind.and_then(|kind| word(kind.to_possible_value())), "from": args.from, "to": args.to,
        "origin": word(args.origin.to_possible_value()),
    });
    if let Some(role) = &args.role {
        edge["role"] = role.replace('-', "_").into();
    }
    edge
}

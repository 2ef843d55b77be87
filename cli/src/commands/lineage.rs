//! `licit lineage`.

use clap::{Args, Subcommand, ValueEnum};
use licit_schemas::known::KnownAt;
use licit_schemas::lineage::PathView;
use licit_schemas::time::Timestamp;

use super::quarantine::{self, Quarantine};
use crate::client::typed;
use crate::collection::any_reference;
use crate::context::Context;
use crate::error::{Exit, Failure, Result};
use crate::output::{self, style};

/// Steps of a path that are indented further than the one before.
const INDENTED: usize = 32;

/// What to walk.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = "Examples:
  licit lineage model:vote-model@1
  licit lineage dataset:anes/survey@1 --downstream
  licit lineage release:vote-forecast@1 --format dot | dot -Tsvg > out.svg
  licit lineage path release:vote-forecast@1 dataset:anes/survey@1
  licit lineage quarantine")]
pub(crate) struct LineageArgs {
    #[command(subcommand)]
    command: Option<Lineage>,
    /// Where to begin
    #[arg(value_name = "REF", required = true)]
    reference: Option<String>,
    /// Towards what was made of it, instead of towards its sources
    #[arg(long)]
    downstream: bool,
    /// Form of the answer
    #[arg(long, default_value = "tree")]
    format: Format,
    /// As known at a ledger position or a time; default: now
    #[arg(long, value_name = "WHEN", global = true)]
    known_at: Option<KnownAt>,
    /// As it was at a moment: without runs that began later, and without edges that hold since later
    #[arg(long, value_name = "WHEN", global = true)]
    valid_at: Option<Timestamp>,
}

/// Commands below `lineage`.
#[derive(Debug, Subcommand)]
pub(crate) enum Lineage {
    /// The shortest path from an effect to its cause
    #[command(after_help = "Exit code 1 where there is none.

Example:
  licit lineage path release:vote-forecast@1 dataset:anes/survey@1")]
    Path {
        /// The effect
        from: String,
        /// Its supposed cause
        to: String,
    },
    /// Events of OpenLineage that could not be read
    #[command(after_help = "Examples:
  licit lineage quarantine
  licit lineage quarantine show 01939f00-0000-7000-8000-000000000000
  licit lineage quarantine replay")]
    Quarantine {
        #[command(subcommand)]
        command: Option<Quarantine>,
    },
}

/// Form of the answer.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub(crate) enum Format {
    /// Indented text
    Tree,
    /// Graphviz
    Dot,
    /// JSON
    Json,
}

/// Walk.
pub(crate) fn run(context: &Context, args: &LineageArgs) -> Result<Exit> {
    if let Some(Lineage::Quarantine { command }) = &args.command {
        return quarantine::run(context, command.as_ref());
    }
    let client = context.client()?;
    let (known_at, valid_at) = (args.known_at.map(|at| at.to_string()), args.valid_at.map(|at| at.to_string()));
    if let Some(Lineage::Path { from, to }) = &args.command {
        let (from, to) = (any_reference(from)?.to_string(), any_reference(to)?.to_string());
        let answer = client.get(
            "/lineage/path",
            &[
                ("from", Some(&from)),
                ("to", Some(&to)),
                ("known_at", known_at.as_deref()),
                ("valid_at", valid_at.as_deref()),
            ],
        )?;
        let view: PathView = typed(&answer)?;
        context.answer(&answer, || path(&view));
        return Ok(if view.path.is_empty() { Exit::Failure } else { Exit::Done });
    }
    let reference = args.reference.as_deref().ok_or_else(|| Failure::Usage("a reference is missing".to_owned()))?;
    let reference = any_reference(reference)?.to_string();
    let format = if context.json() { Format::Json } else { args.format };
    let direction = if args.downstream { "downstream" } else { "upstream" };
    let name = format.to_possible_value().map(|value| value.get_name().to_owned());
    let text = client.get_text(
        "/lineage",
        &[
            ("ref", Some(&reference)),
            ("direction", Some(direction)),
            ("format", name.as_deref()),
            ("known_at", known_at.as_deref()),
            ("valid_at", valid_at.as_deref()),
        ],
    )?;
    output::print(&text);
    Ok(Exit::Done)
}

fn path(view: &PathView) -> String {
    if view.path.is_empty() {
        return style::yellow("there is no path between them");
    }
    // A long path goes straight down from somewhere on: it would be mostly room.
    let lines = view.path.iter().enumerate().map(|(depth, step)| match depth {
        0 => step.clone(),
        _ => format!("{}└ {step}", "  ".repeat((depth - 1).min(INDENTED))),
    });
    lines.collect::<Vec<_>>().join("\n")
}

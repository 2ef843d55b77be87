//! `licit suppression`: whom a deployment leaves out, for what serves.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use licit_schemas::consent::{AcknowledgementCreate, AcknowledgementView, SuppressionList};
use serde_json::{Value, json};

use crate::client::{Client, persistently, typed};
use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Failure, Result};
use crate::output::private::Lines;
use crate::output::{self, resource, style};

/// Suppression lists.
#[derive(Debug, Subcommand)]
#[command(
    after_help = "A serving system fetches the list, leaves these people out from then on, and says so: the gate asks whether \
what was said has reached it.

Examples:
  licit suppression pull deployment:score-prod -o left-out.txt --acknowledge
  licit suppression pull deployment:score-prod --since 4711"
)]
pub(crate) enum Suppression {
    /// Fetch the list, or what changed since one
    #[command(
        after_help = "The whole list is one pseudonym a line. With --since, `+` before a pseudonym means: leave out from now on; `-`: \
leave out no more. The position is printed: the next --since. After somebody was erased, changes are refused: take the whole list \
once more. Without -o, the list goes to standard output and the \
position to standard error.

Examples:
  licit suppression pull deployment:score-prod -o left-out.txt --acknowledge
  licit suppression pull deployment:score-prod --since 4711 -o changes.txt"
    )]
    Pull(PullArgs),
    /// Say that the serving system has the list of a position, and leaves out whom it names
    #[command(after_help = "Example:\n  licit suppression acknowledge deployment:score-prod 4711")]
    Acknowledge {
        /// Deployment, or its id
        #[arg(value_name = "DEPLOYMENT")]
        deployment: String,
        /// Position of the list, as `pull` printed it
        position: u64,
    },
}

/// What to fetch.
#[derive(Debug, Args)]
pub(crate) struct PullArgs {
    /// Deployment, or its id
    #[arg(value_name = "DEPLOYMENT")]
    deployment: String,
    /// Only what changed since the list of this position
    #[arg(long, value_name = "POSITION")]
    since: Option<u64>,
    /// File to write, readable by you alone; default: standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Acknowledge the list once it is written
    #[arg(long)]
    acknowledge: bool,
}

/// Run the command.
pub(crate) fn run(context: &Context, command: Suppression) -> Result<Exit> {
    let client = context.client()?;
    match command {
        Suppression::Pull(args) => pull(context, &client, &args),
        Suppression::Acknowledge { deployment, position } => {
            let id = c::DEPLOYMENTS.id(&client, &deployment)?;
            let answer = acknowledge(&client, &id, position)?;
            let view: AcknowledgementView = typed(&answer)?;
            context.answer(&answer, || acknowledged(&view));
            Ok(Exit::Done)
        }
    }
}

fn acknowledge(client: &Client, id: &str, position: u64) -> Result<Value> {
    let path = format!("/deployments/{id}/suppressions/acknowledgements");
    persistently(|| client.post(&path, &AcknowledgementCreate { position }))
}

fn acknowledged(view: &AcknowledgementView) -> String {
    let at = resource::minute(&view.at.to_string());
    format!("{}  {} has the list of {} since {at}", style::green("acknowledged"), view.deployment, view.position)
}

fn pull(context: &Context, client: &Client, args: &PullArgs) -> Result<Exit> {
    let id = c::DEPLOYMENTS.id(client, &args.deployment)?;
    match &args.output {
        Some(path) => {
            let mut file = Lines::begin(path)?;
            let (position, added, removed) =
                pages(client, &id, args.since, |list| lines(list).try_for_each(|line| file.line(&line)))?;
            file.finish()?;
            let acknowledgement = if args.acknowledge { Some(acknowledge(client, &id, position)?) } else { None };
            let mut answer = json!({
                "position": position, "whole": args.since.is_none(), "added": added, "removed": removed,
                "file": path.display().to_string(),
            });
            if let Some(acknowledgement) = &acknowledgement {
                answer["acknowledged"] = acknowledgement.clone();
            }
            let view = acknowledgement.as_ref().map(typed::<AcknowledgementView>).transpose()?;
            context.answer(&answer, || {
                let what = match args.since {
                    None => format!("{added} people"),
                    Some(since) => format!("since {since}: {added} more people, {removed} no more"),
                };
                let told =
                    format!("{}  {what}, in `{}`\nposition  {position}", style::green("written"), path.display());
                view.iter().fold(told, |told, view| format!("{told}\n{}", acknowledged(view)))
            });
        }
        None => {
            // Nothing is acknowledged that did not arrive: a closed pipe ends it here.
            let mut out = std::io::stdout().lock();
            let mut whole = SuppressionList {
                position: 0,
                whole: args.since.is_none(),
                add: Vec::new(),
                remove: Vec::new(),
                next: None,
            };
            let (position, ..) = pages(client, &id, args.since, |list| {
                if context.json() {
                    whole.add.extend_from_slice(&list.add);
                    whole.remove.extend_from_slice(&list.remove);
                    return Ok(());
                }
                lines(list).try_for_each(|line| writeln!(out, "{line}").map_err(closed))
            })?;
            whole.position = position;
            if context.json() {
                let text = serde_json::to_string_pretty(&whole).map_err(|e| Failure::plain(e.to_string()))?;
                writeln!(out, "{text}").map_err(closed)?;
            }
            out.flush().map_err(closed)?;
            drop(out);
            output::warn(&format!("position  {position}"));
            if args.acknowledge {
                output::warn(&acknowledged(&typed(&acknowledge(client, &id, position)?)?));
            }
        }
    }
    Ok(Exit::Done)
}

#[expect(clippy::needless_pass_by_value, reason = "what `map_err` gives")]
fn closed(error: std::io::Error) -> Failure {
    Failure::plain(format!("standard output cannot be written, and nothing is acknowledged: {error}"))
}

/// Every page of one list: its position, and how many it adds and removes.
fn pages(
    client: &Client,
    id: &str,
    since: Option<u64>,
    mut each: impl FnMut(&SuppressionList) -> Result<()>,
) -> Result<(u64, u64, u64)> {
    let path = format!("/deployments/{id}/suppressions");
    let since = since.map(|since| since.to_string());
    let (mut position, mut after): (Option<u64>, Option<u32>) = (None, None);
    let (mut added, mut removed) = (0, 0);
    loop {
        let (at, from) = (position.map(|at| at.to_string()), after.map(|place| place.to_string()));
        let query = [("since", since.as_deref()), ("position", at.as_deref()), ("after", from.as_deref())];
        let list: SuppressionList = persistently(|| client.get_as(&path, &query))?;
        if position.is_some_and(|position| position != list.position) {
            return Err(Failure::plain("the server gives pages of another list than that asked for"));
        }
        each(&list)?;
        added += list.add.len() as u64;
        removed += list.remove.len() as u64;
        position = Some(list.position);
        match list.next {
            None => return Ok((list.position, added, removed)),
            Some(next) if Some(next) > after => after = Some(next),
            Some(_) => return Err(Failure::plain("the server gives the same page again and again")),
        }
    }
}

/// The lines of a page.
fn lines(list: &SuppressionList) -> impl Iterator<Item = String> {
    let (more, less) = if list.whole { ("", "-") } else { ("+", "-") };
    let add = list.add.iter().map(move |one| format!("{more}{one}"));
    add.chain(list.remove.iter().map(move |one| format!("{less}{one}")))
}

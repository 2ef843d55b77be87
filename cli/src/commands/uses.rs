//! `licit use`: what ran how often, and whether it had a right to.

use clap::{Args, Subcommand};
use licit_schemas::known::KnownAt;
use licit_schemas::text::Name;
use licit_schemas::time::Timestamp;
use licit_schemas::uses::{UseCreate, UseFigures, UseTaken};
use serde_json::{Value, json};

use super::things::registered;
use crate::client::{Client, typed};
use crate::clock;
use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Failure, Result};
use crate::output::{resource, style, table};

/// What to do with uses.
#[derive(Debug, Subcommand)]
pub(crate) enum Use {
    /// Record uses of a deployment by batch
    Record(RecordArgs),
    /// List batches, newest first
    List(ListArgs),
    /// By deployment, how often it was used, and how often without a right
    Figures(FiguresArgs),
}

/// What to record.
#[derive(Debug, Args)]
#[command(
    after_help = "A use is a thing that happened: it is recorded whether there was a right to it or not, and the answer says which. The \
registry finds the decision in force; nobody claims one.

Exit codes: 0 recorded, with or without a right; 3 with --strict, where there was none.

Examples:
  licit use record vote-forecast --count 1280 --from 2026-11-30T09:00:00Z
  licit use record vote-forecast --count 52 --from 2026-11-30T09:00:00Z \\
      --to 2026-11-30T10:00:00Z --batch node-3-0900 --strict"
)]
pub(crate) struct RecordArgs {
    /// Deployment, such as `vote-forecast`
    deployment: String,
    /// How many
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    count: u64,
    /// From this moment on
    #[arg(long, value_name = "TIME")]
    from: Timestamp,
    /// Up to this moment; default: now
    #[arg(long, value_name = "TIME")]
    to: Option<Timestamp>,
    /// Id of the batch: sent again, it is the same batch
    #[arg(long, value_name = "ID")]
    batch: Option<Name>,
    /// End with 3 where there was no right
    #[arg(long)]
    strict: bool,
}

/// What to list.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  licit use list vote-forecast --without-right
  licit use list --at 2026-11-30T09:30:00Z")]
pub(crate) struct ListArgs {
    /// Deployment; default: all
    deployment: Option<String>,
    /// Only those to which there was no right over their whole time
    #[arg(long)]
    without_right: bool,
    /// Only those whose time holds this moment
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// As known at a ledger position or a time; default: now
    #[arg(long, value_name = "WHEN")]
    known_at: Option<KnownAt>,
    /// Items a page
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,
    /// Every page, not only the first
    #[arg(long)]
    all: bool,
}

/// Of what.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  licit use figures vote-forecast")]
pub(crate) struct FiguresArgs {
    /// Deployment; default: all
    deployment: Option<String>,
    /// As known at a ledger position or a time; default: now
    #[arg(long, value_name = "WHEN")]
    known_at: Option<KnownAt>,
}

/// Run the command.
pub(crate) fn run(context: &Context, command: Use) -> Result<Exit> {
    match command {
        Use::Record(args) => record(context, &args),
        Use::List(args) => list(context, &args),
        Use::Figures(args) => figures(context, &args),
    }
}

fn record(context: &Context, args: &RecordArgs) -> Result<Exit> {
    let create = c::within_bounds(UseCreate {
        deployment: c::DEPLOYMENTS.reference(&args.deployment)?,
        count: args.count,
        from: args.from,
        to: args.to.unwrap_or_else(clock::now),
        batch: args.batch.clone(),
    })?;
    let answer = context.client()?.post_persistently("/uses", &create)?;
    let taken: UseTaken = typed(&answer)?;
    context.answer(&answer, || {
        let mut out = format!("{}\n", registered(&answer));
        for part in &taken.under {
            let under = part.decision.as_ref().map_or_else(|| "no decision".to_owned(), ToString::to_string);
            let release = part.release.as_ref().map(|release| format!(" on {release}")).unwrap_or_default();
            out.push_str(&format!("  {} to {}  under {under}{release}\n", part.from, part.to));
        }
        for why in &taken.without {
            out.push_str(&format!("{} {}: {}\n", style::red("no right"), why.code, why.sentence));
        }
        if taken.right {
            out.push_str(&format!("{}\n", style::green("with a right over the whole time")));
        }
        out.trim_end().to_owned()
    });
    Ok(if taken.right || !args.strict { Exit::Done } else { Exit::Refused })
}

fn pages(client: &Client, args: &ListArgs) -> Result<Value> {
    let deployment = args.deployment.as_ref().map(|name| c::DEPLOYMENTS.reference(name)).transpose()?;
    let deployment = deployment.map(|deployment| deployment.to_string());
    let (at, known_at) = (args.at.map(|at| at.to_string()), args.known_at.map(|at| at.to_string()));
    let limit = if args.all { "500".to_owned() } else { args.limit.to_string() };
    let (mut items, mut cursor): (Vec<Value>, Option<String>) = (Vec::new(), None);
    loop {
        let page = client.get(
            "/uses",
            &[
                ("deployment", deployment.as_deref()),
                ("right", args.without_right.then_some("false")),
                ("valid_at", at.as_deref()),
                ("known_at", known_at.as_deref()),
                ("limit", Some(&limit)),
                ("cursor", cursor.as_deref()),
            ],
        )?;
        if !args.all {
            return Ok(page);
        }
        items.extend(page["items"].as_array().cloned().unwrap_or_default());
        let next = page["next"].as_str().map(str::to_owned);
        if next.is_some() && next == cursor {
            return Err(Failure::plain("the server gives the same page again and again"));
        }
        match next {
            Some(next) => cursor = Some(next),
            None => return Ok(json!({ "items": items })),
        }
    }
}

fn list(context: &Context, args: &ListArgs) -> Result<Exit> {
    let page = pages(&context.client()?, args)?;
    context.answer(&page, || {
        let row = |item: &Value| {
            let spec = &item["spec"];
            let right = if spec["right"] == true { style::green("yes") } else { style::red("no") };
            let why = spec["without"][0]["code"].as_str().unwrap_or_default().to_owned();
            let shown = |name: &str| resource::text(&spec[name]);
            vec![shown("deployment"), shown("from"), shown("to"), shown("count"), right, why]
        };
        let items = page["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        let more = if page["next"].is_string() { style::dim("\nthere is more: --all") } else { String::new() };
        let head = ["deployment", "from", "to", "uses", "right", "why not"];
        format!("{}{more}", table::table(&head, items.iter().map(row).collect()))
    });
    Ok(Exit::Done)
}

fn figures(context: &Context, args: &FiguresArgs) -> Result<Exit> {
    let deployment = args.deployment.as_ref().map(|name| c::DEPLOYMENTS.reference(name)).transpose()?;
    let deployment = deployment.map(|deployment| deployment.to_string());
    let known_at = args.known_at.map(|at| at.to_string());
    let query = [("deployment", deployment.as_deref()), ("known_at", known_at.as_deref())];
    let page = context.client()?.get("/reports/uses", &query)?;
    let all: Vec<UseFigures> = typed(&page["items"])?;
    context.answer(&page, || {
        let row = |one: &UseFigures| {
            let (count, without) = (one.count.to_string(), one.without_right.to_string());
            vec![
                one.deployment.clone(),
                one.batches.to_string(),
                count,
                without,
                one.from.to_string(),
                one.to.to_string(),
            ]
        };
        let head = ["deployment", "batches", "uses", "without right", "from", "to"];
        table::table(&head, all.iter().map(row).collect())
    });
    Ok(Exit::Done)
}

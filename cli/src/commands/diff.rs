//! `licit diff`.

use clap::Args;
use licit_schemas::gate::Verdict;
use licit_schemas::known::KnownAt;
use licit_schemas::reports::{Change, Diff, Standpoint};

use crate::client::typed;
use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::{decision, resource, style, table, wrap};

/// Between which moments.
#[derive(Debug, Args)]
#[command(after_help = "Each moment is judged with the knowledge of then.

Examples:
  licit diff vote-forecast --from 2026-06-01
  licit diff vote-forecast --from 1200 --to 1350")]
pub(crate) struct DiffArgs {
    /// Deployment, such as `vote-forecast`
    deployment: String,
    /// The earlier moment: a ledger position or a time
    #[arg(long, value_name = "WHEN")]
    from: KnownAt,
    /// The later one
    #[arg(long, value_name = "WHEN", default_value = "now")]
    to: KnownAt,
}

/// Show what changed.
pub(crate) fn run(context: &Context, args: &DiffArgs) -> Result<Exit> {
    let client = context.client()?;
    let id = c::DEPLOYMENTS.id(&client, &args.deployment)?;
    let (from, to) = (args.from.to_string(), args.to.to_string());
    let answer = client.get(&format!("/deployments/{id}/diff"), &[("from", Some(&from)), ("to", Some(&to))])?;
    let diff: Diff = typed(&answer)?;
    context.answer(&answer, || text(&diff));
    Ok(Exit::Done)
}

fn text(diff: &Diff) -> String {
    let mut out = format!("{}\n{}{}", style::bold(&diff.deployment), stood("then", &diff.from), stood("now", &diff.to));
    for (word, list) in [(style::red("came"), &diff.came), (style::green("went"), &diff.went)] {
        for change in list {
            out.push_str(&format!("\n{word}  {}", one(change)));
        }
    }
    if diff.came.is_empty() && diff.went.is_empty() {
        out.push_str(&style::dim("\nno finding came or went\n"));
    }
    let rows = diff.facts.iter().map(|fact| {
        vec![fact.seq.to_string(), fact.kind.clone(), fact.about.clone(), resource::minute(&fact.at.to_string())]
    });
    out.push_str(&format!("\n{}", table::table(&["entry", "fact", "about", "recorded"], rows.collect())));
    out
}

fn stood(when: &str, at: &Standpoint) -> String {
    let verdict = match at.verdict {
        Verdict::Allow => style::green("allowed"),
        Verdict::Deny if at.passes => format!("{}, runs all the same", style::red("refused")),
        Verdict::Deny => style::red("refused"),
    };
    let release = at.release.as_deref().unwrap_or("no release");
    format!(
        "{when:5} {}  {verdict}  {release}, known up to entry {}\n",
        resource::minute(&at.at.to_string()),
        at.position
    )
}

fn one(change: &Change) -> String {
    let why = match &change.after {
        Some(fact) => format!("after entry {}, {} of {}", fact.seq, fact.kind, fact.about),
        None => "by the passing of time".to_owned(),
    };
    format!("{}{}", wrap::wrapped("", &why), decision::one(&change.finding))
}

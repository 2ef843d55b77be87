//! `licit gaps`.

use clap::Args;
use licit_schemas::gate::{Affected, Gap};
use licit_schemas::resource::Page;

use crate::client::typed;
use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::{decision, resource, style};

/// Which gaps.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  licit gaps
  licit gaps vote-forecast
  licit gaps --owner \"governance board\"
  licit gaps --known-at 2026-11-01")]
pub(crate) struct GapsArgs {
    /// Deployment, such as `vote-forecast`; default: all
    deployment: Option<String>,
    /// Who can clear them: a team, `dpo` or `governance board`
    #[arg(long)]
    owner: Option<String>,
    /// As known at a ledger position or time
    #[arg(long, value_name = "POSITION|TIME")]
    known_at: Option<String>,
    /// As it is at another moment
    #[arg(long, value_name = "TIME")]
    valid_at: Option<String>,
}

/// Show the gaps.
pub(crate) fn run(context: &Context, args: &GapsArgs) -> Result<Exit> {
    let name = match &args.deployment {
        Some(deployment) => Some(c::DEPLOYMENTS.reference(deployment)?.name().to_owned()),
        None => None,
    };
    let query = [
        ("deployment", name.as_deref()),
        ("owner", args.owner.as_deref()),
        ("known_at", args.known_at.as_deref()),
        ("valid_at", args.valid_at.as_deref()),
    ];
    let answer = context.client()?.get("/gaps", &query)?;
    let page: Page<Gap> = typed(&answer)?;
    context.answer(&answer, || {
        if page.items.is_empty() {
            return style::green("no gaps");
        }
        page.items.iter().map(shown).collect::<Vec<_>>().join("\n")
    });
    Ok(Exit::Done)
}

fn shown(gap: &Gap) -> String {
    let minute = |moment: &licit_schemas::time::Timestamp| resource::minute(&moment.to_string());
    let due = gap.due.as_ref().map(|due| format!(", due {}", minute(due))).unwrap_or_default();
    let mut text =
        format!("{} {}, for {}{due}, noticed {}\n", style::red("GAP"), gap.cause, gap.owner, minute(&gap.opened_at));
    for affected in &gap.affected {
        let Affected { deployment, release, baseline, findings } = affected;
        let taken = baseline.as_ref().map(|b| format!(", taken over by {b}")).unwrap_or_default();
        text.push_str(&format!("{release} runs as {deployment}{taken}\n"));
        text.extend(findings.iter().map(decision::one));
    }
    text
}

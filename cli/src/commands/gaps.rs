//! `licit gaps`.

use clap::Args;
use licit_schemas::gate::Gap;
use licit_schemas::resource::Page;

use crate::client::typed;
use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::{decision, resource, style};

/// Of which deployment.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  licit gaps\n  licit gaps vote-forecast")]
pub(crate) struct GapsArgs {
    /// Deployment, such as `vote-forecast`; default: all
    deployment: Option<String>,
}

/// Show the gaps.
pub(crate) fn run(context: &Context, args: &GapsArgs) -> Result<Exit> {
    let name = match &args.deployment {
        Some(deployment) => Some(c::DEPLOYMENTS.reference(deployment)?.name().to_owned()),
        None => None,
    };
    let answer = context.client()?.get("/gaps", &[("deployment", name.as_deref())])?;
    let page: Page<Gap> = typed(&answer)?;
    context.answer(&answer, || {
        if page.items.is_empty() {
            return style::green("no gaps");
        }
        let one = |gap: &Gap| {
            let since = resource::minute(&gap.opened_at.to_string());
            let taken = gap.baseline.as_ref().map(|b| format!(", taken over by {b}")).unwrap_or_default();
            format!(
                "{} {} runs, noticed {since}{taken}\n{}",
                style::red("GAP"),
                gap.release,
                decision::one(&gap.finding)
            )
        };
        page.items.iter().map(one).collect::<Vec<_>>().join("\n")
    });
    Ok(Exit::Done)
}

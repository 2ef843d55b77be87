//! `licit consent actions`: what is to be done in models for those who withdrew, or object.

use clap::Args;
use licit_schemas::consent::ConsentAction;
use licit_schemas::known::KnownAt;
use licit_schemas::resource::Page;
use licit_schemas::time::Timestamp;

use crate::client::typed;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::{resource, style, table};

/// Of which moment.
#[derive(Debug, Args)]
#[command(
    after_help = "One for each model that runs and purpose, with everybody counted once; `--json` names the deployments and sources. It rolls: the first \
withdrawal or objection that nothing was done about says when it is due. It closes once a release runs whose training names a \
corrected member set, as `licit subjects exclude` makes it, or once another remedy that the purpose lets suffice was taken: \
`licit consent act`.

Examples:
  licit consent actions
  licit consent actions --valid-at 2027-01-01"
)]
pub(crate) struct ActionsArgs {
    /// The moment asked for; default: now
    #[arg(long, value_name = "TIME")]
    valid_at: Option<Timestamp>,
    /// As known at a ledger position or a time; default: now
    #[arg(long, value_name = "WHEN")]
    known_at: Option<KnownAt>,
}

/// Run the command.
pub(crate) fn run(context: &Context, args: &ActionsArgs) -> Result<Exit> {
    let (valid_at, known_at) = (args.valid_at.map(|at| at.to_string()), args.known_at.map(|at| at.to_string()));
    let query = [("valid_at", valid_at.as_deref()), ("known_at", known_at.as_deref())];
    let answer = context.client()?.get("/consent-actions", &query)?;
    let page: Page<ConsentAction> = typed(&answer)?;
    context.answer(&answer, || text(&page.items));
    Ok(Exit::Done)
}

fn text(items: &[ConsentAction]) -> String {
    if items.is_empty() {
        return style::green("nothing is to be done");
    }
    let row = |one: &ConsentAction| {
        let due = one.due.map(|due| resource::minute(&due.to_string())).unwrap_or_default();
        let people = format!("{} of {}", one.people, one.members);
        let overdue = if one.overdue > 0 { style::red(&one.overdue.to_string()) } else { "0".to_owned() };
        vec![one.model.clone(), one.purpose.clone(), people, overdue, due]
    };
    table::table(&["model", "purpose", "people", "overdue", "due"], items.iter().map(row).collect())
}

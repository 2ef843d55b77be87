//! `licit erase`: what is kept about people beside the ledger.

use clap::Subcommand;

use crate::client::percent;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::style;

/// What to erase.
#[derive(Debug, Subcommand)]
#[command(after_help = "The ledger holds ids and salted digests only: every proof stays valid.

Examples:
  licit erase name 01939f00-0000-7000-8000-000000000000
  licit erase comment DIGEST
  licit erase event DIGEST
  licit erase quarantined 01939f00-0000-7000-8000-000000000000")]
pub(crate) enum Erase {
    /// The display name of a person or service
    #[command(after_help = "Example:\n  licit erase name 01939f00-0000-7000-8000-000000000000")]
    Name {
        /// Id of the actor
        actor: String,
    },
    /// A comment of a review, vote or opinion, or a reason
    #[command(after_help = "The digest stands beside the comment in `--json`, as `comment_digest` or `reason_digest`.

Example:
  licit erase comment DIGEST")]
    Comment {
        /// Salted digest of the comment
        digest: String,
    },
    /// An event of OpenLineage as it came; its digest stays, and what was derived of it
    #[command(after_help = "Example:\n  licit erase event DIGEST")]
    Event {
        /// Digest of the event, as `GET /api/v1/lineage/events` lists it
        digest: String,
    },
    /// An event of OpenLineage that could not be read
    #[command(after_help = "Example:\n  licit erase quarantined 01939f00-0000-7000-8000-000000000000")]
    Quarantined {
        /// Its id, as `licit lineage quarantine` lists it
        id: String,
    },
}

/// Run the command.
pub(crate) fn run(context: &Context, command: &Erase) -> Result<Exit> {
    let client = context.client()?;
    let (path, what) = match command {
        Erase::Name { actor } => (format!("/actors/{}/name", percent(actor)), format!("the name of {actor}")),
        Erase::Event { digest } => (format!("/lineage/events/{}", percent(digest)), format!("the event {digest}")),
        Erase::Quarantined { id } => (format!("/lineage/quarantine/{}", percent(id)), format!("the event {id}")),
        Erase::Comment { digest } => (format!("/comments/{}", percent(digest)), format!("the comment {digest}")),
    };
    let answer = client.delete(&path)?;
    context.answer(&answer, || format!("{}  {what} is erased", style::green("done")));
    Ok(Exit::Done)
}

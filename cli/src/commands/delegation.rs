//! `licit delegation`: another person sits in one's seat on the board for a while.

use clap::Subcommand;
use licit_schemas::time::Timestamp;
use serde_json::json;

use super::things;
use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Failure, Result};
use crate::output::style;

/// What to do with delegations.
#[derive(Debug, Subcommand)]
pub(crate) enum Delegation {
    /// Let another person sit in your seat; what is delegated is not passed on
    #[command(
        after_help = "They vote with `licit review vote … --for YOUR-ID`. Whoever may not vote cannot be sat in for, either.

Example:
  licit delegation create ID --from 2026-12-20 --until 2027-01-05"
    )]
    Create {
        /// The person, by the id of their actor
        to: String,
        /// From when; default: now
        #[arg(long, value_name = "DATE")]
        from: Option<Timestamp>,
        /// Until when, at most 90 days after
        #[arg(long, value_name = "DATE")]
        until: Timestamp,
    },
    /// List, newest first
    List(things::ListArgs),
    /// Show everything that was recorded
    #[command(after_help = "Example:\n  licit delegation show ID")]
    Show(things::ShowArgs),
    /// End one before its time
    #[command(after_help = "Example:\n  licit delegation end ID")]
    End {
        /// Id or reference of the delegation
        id: String,
    },
}

/// Run the command.
pub(crate) fn run(context: &Context, command: Delegation) -> Result<Exit> {
    match command {
        Delegation::Create { to, from, until } => {
            let mut delegation = json!({"to": to, "valid_to": until});
            if let Some(from) = from {
                delegation["valid_from"] = serde_json::to_value(from).map_err(|e| Failure::plain(e.to_string()))?;
            }
            things::create_value(context, &c::DELEGATIONS, delegation, false)
        }
        Delegation::List(args) => things::list(context, &c::DELEGATIONS, &args),
        Delegation::Show(args) => things::show(context, &c::DELEGATIONS, &args),
        Delegation::End { id } => {
            let id = c::DELEGATIONS.reference(&id)?.name().to_owned();
            let answer = context.client()?.delete(&format!("/delegations/{id}"))?;
            context.answer(&answer, || format!("{}  delegation {id} is over", style::green("done")));
            Ok(Exit::Done)
        }
    }
}

//! `licit lineage quarantine`: events of OpenLineage that could not be read.

use clap::Subcommand;
use licit_schemas::openlineage::{EventOutcome, EventTaken, QuarantinedEvent};
use licit_schemas::resource::Page;
use serde_json::{Value, json};

use crate::client::{Client, percent, typed};
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::{style, table};

/// What to do with them.
#[derive(Debug, Subcommand)]
pub(crate) enum Quarantine {
    /// List, oldest first, with the reasons
    #[command(after_help = "Example:\n  licit lineage quarantine list")]
    List,
    /// One event as it came
    #[command(after_help = "Example:\n  licit lineage quarantine show 01939f00-0000-7000-8000-000000000000")]
    Show {
        /// Its id
        id: String,
    },
    /// Read one again, or all
    #[command(after_help = "Exit code 1 where some still cannot be read.

Examples:
  licit lineage quarantine replay
  licit lineage quarantine replay 01939f00-0000-7000-8000-000000000000")]
    Replay {
        /// Its id; default: all
        id: Option<String>,
    },
}

/// Run the command.
pub(crate) fn run(context: &Context, command: Option<&Quarantine>) -> Result<Exit> {
    let client = context.client()?;
    match command {
        None | Some(Quarantine::List) => {
            let events = all(&client)?;
            context.answer(&json!({"items": events}), || match events.is_empty() {
                true => style::green("nothing waits in quarantine"),
                false => {
                    let row = |e: &QuarantinedEvent| vec![e.id.clone(), e.received_at.to_string(), e.reason.clone()];
                    table::table(&["ID", "RECEIVED", "REASON"], events.iter().map(row).collect())
                }
            });
            Ok(Exit::Done)
        }
        Some(Quarantine::Show { id }) => {
            let answer = client.get(&format!("/lineage/quarantine/{}", percent(id)), &[])?;
            let one: QuarantinedEvent = typed(&answer)?;
            context.answer(&answer, || {
                let event = serde_json::to_string_pretty(&one.event).unwrap_or_default();
                let facts = [("id", one.id), ("received", one.received_at.to_string()), ("reason", one.reason)];
                table::facts(&facts) + &event
            });
            Ok(Exit::Done)
        }
        Some(Quarantine::Replay { id }) => {
            let ids = match id {
                Some(id) => vec![id.clone()],
                None => all(&client)?.into_iter().map(|event| event.id).collect(),
            };
            let (mut rows, mut items, mut left) = (Vec::new(), Vec::new(), false);
            for id in ids {
                let answer = client.post(&format!("/lineage/quarantine/{}/replay", percent(&id)), &json!({}))?;
                let taken: EventTaken = typed(&answer)?;
                left |= taken.outcome == EventOutcome::Quarantined;
                let said = taken.reason.unwrap_or_else(|| "recorded".to_owned());
                rows.push(vec![id.clone(), said]);
                items.push(json!({"id": id, "answer": answer}));
            }
            context.answer(&json!({"items": items}), || match rows.is_empty() {
                true => style::green("nothing waits in quarantine"),
                false => table::table(&["ID", "OUTCOME"], rows),
            });
            Ok(if left { Exit::Failure } else { Exit::Done })
        }
    }
}

fn all(client: &Client) -> Result<Vec<QuarantinedEvent>> {
    let (mut found, mut after): (Vec<QuarantinedEvent>, Option<String>) = (Vec::new(), None);
    loop {
        let answer: Value = client.get("/lineage/quarantine", &[("after", after.as_deref())])?;
        let page: Page<QuarantinedEvent> = typed(&answer)?;
        found.extend(page.items);
        after = page.next;
        if after.is_none() {
            return Ok(found);
        }
    }
}

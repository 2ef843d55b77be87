//! `licit webhook`: receivers that are told what happens.

use clap::{Subcommand, ValueEnum};
use licit_schemas::events::{Delivery, WebhookCreated, WebhookView};
use licit_schemas::resource::Page;
use serde_json::{Value, json};

use crate::client::{percent, typed};
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::{resource, style, table};

/// What to do with receivers.
#[derive(Debug, Subcommand)]
pub(crate) enum Webhook {
    /// Tell a receiver what happens from now on; the secret that signs is shown once
    #[command(after_help = "Events are CloudEvents 1.0, signed as Standard Webhooks has it.

Examples:
  licit webhook create https://alerts.example/licit --kind \"gap.*\"
  licit webhook create https://siem.example/in --description \"the archive\"")]
    Create {
        /// Where events are posted
        #[arg(value_name = "URL")]
        address: String,
        /// Which kinds of facts, as a glob; may be repeated; default: all
        #[arg(long = "kind", value_name = "GLOB")]
        kinds: Vec<String>,
        /// What it is for
        #[arg(long)]
        description: Option<String>,
    },
    /// List, oldest first; never the secrets
    #[command(after_help = "Example:\n  licit webhook list")]
    List,
    /// One receiver, and how far it is
    #[command(after_help = "Example:\n  licit webhook show ID")]
    Show {
        /// Id of the receiver
        id: String,
    },
    /// Tell a receiver no more
    #[command(after_help = "Example:\n  licit webhook delete ID")]
    Delete {
        /// Id of the receiver
        id: String,
    },
    /// Deliveries that failed
    #[command(after_help = "Example:\n  licit webhook deliveries 01939f00-0000-7000-8000-000000000000 --state dead")]
    Deliveries {
        /// Id of the receiver
        id: String,
        /// Only those tried again, or only those given up
        #[arg(long)]
        state: Option<State>,
        /// Only events after this ledger position
        #[arg(long, value_name = "SEQ")]
        after: Option<u64>,
    },
    /// Deliver again: everything given up, or one event
    #[command(after_help = "Examples:
  licit webhook redeliver 01939f00-0000-7000-8000-000000000000
  licit webhook redeliver 01939f00-0000-7000-8000-000000000000 --seq 1200")]
    Redeliver {
        /// Id of the receiver
        id: String,
        /// Ledger position of one event, received or not
        #[arg(long)]
        seq: Option<u64>,
    },
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum State {
    /// Tried again
    Waiting,
    /// Given up
    Dead,
}

/// Run the command.
pub(crate) fn run(context: &Context, command: Webhook) -> Result<Exit> {
    let client = context.client()?;
    let one = |id: &str| format!("/webhooks/{}", percent(id));
    match command {
        Webhook::Create { address, kinds, description } => {
            let mut webhook = json!({"url": address});
            if !kinds.is_empty() {
                webhook["kinds"] = kinds.into();
            }
            if let Some(description) = description {
                webhook["description"] = description.into();
            }
            let answer = client.post("/webhooks", &webhook)?;
            let created: WebhookCreated = typed(&answer)?;
            context.answer(&answer, || {
                let rows = [("id", created.id.0.to_string()), ("secret", created.secret.to_string())];
                table::facts(&rows) + &style::dim("this secret is not shown again")
            });
        }
        Webhook::List => {
            let answer = client.get("/webhooks", &[])?;
            let page: Page<WebhookView> = typed(&answer)?;
            context.answer(&answer, || listed(&page));
        }
        Webhook::Show { id } => {
            let answer = client.get(&one(&id), &[])?;
            let view: WebhookView = typed(&answer)?;
            context.answer(&answer, || shown(&view));
        }
        Webhook::Delete { id } => {
            let answer = client.delete(&one(&id))?;
            context.answer(&answer, || format!("{}  webhook {id} is told no more", style::green("done")));
        }
        Webhook::Deliveries { id, state, after } => {
            let state = state.and_then(|state| state.to_possible_value()).map(|value| value.get_name().to_owned());
            let after = after.map(|after| after.to_string());
            let query = [("state", state.as_deref()), ("after", after.as_deref()), ("limit", Some("1000"))];
            let answer = client.get(&format!("{}/deliveries", one(&id)), &query)?;
            let page: Page<Delivery> = typed(&answer)?;
            context.answer(&answer, || failed(&page));
        }
        Webhook::Redeliver { id, seq } => {
            let body = seq.map_or_else(|| json!({}), |seq| json!({ "seq": seq }));
            let answer: Value = client.post(&format!("{}/redeliveries", one(&id)), &body)?;
            let what = seq.map_or("everything given up".to_owned(), |seq| format!("event {seq}"));
            context.answer(&answer, || format!("{}  {what} is delivered again", style::green("done")));
        }
    }
    Ok(Exit::Done)
}

fn kinds(view: &WebhookView) -> String {
    view.kinds.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn listed(page: &Page<WebhookView>) -> String {
    let row = |view: &WebhookView| {
        vec![
            view.id.0.to_string(),
            view.url.clone(),
            kinds(view),
            view.position.to_string(),
            view.waiting.to_string(),
            view.dead.to_string(),
        ]
    };
    table::table(&["id", "url", "kinds", "position", "waiting", "dead"], page.items.iter().map(row).collect())
}

fn shown(view: &WebhookView) -> String {
    let mut rows = vec![("id", view.id.0.to_string()), ("url", view.url.clone()), ("kinds", kinds(view))];
    rows.extend(view.description.clone().map(|text| ("for", text)));
    rows.extend([
        ("since", resource::minute(&view.created_at.to_string())),
        ("position", view.position.to_string()),
        ("waiting", view.waiting.to_string()),
        ("dead", view.dead.to_string()),
    ]);
    table::facts(&rows)
}

fn failed(page: &Page<Delivery>) -> String {
    let row = |delivery: &Delivery| {
        vec![
            delivery.seq.to_string(),
            serde_json::to_value(delivery.state).map(|state| resource::text(&state)).unwrap_or_default(),
            delivery.attempts.to_string(),
            resource::minute(&delivery.next_at.to_string()),
            delivery.error.clone(),
        ]
    };
    table::table(&["event", "state", "attempts", "next", "error"], page.items.iter().map(row).collect())
}

//! `licit actor`, `licit token`, `licit whoami`.

use clap::{Args, Subcommand, ValueEnum};
use licit_schemas::access::{self, TokenCreated, WhoAmI};
use serde_json::{Value, json};

use super::things::{self, ListArgs};
use crate::client::{percent, typed};
use crate::collection::from_flags;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::{resource, style, table};

/// People and services.
#[derive(Debug, Subcommand)]
pub(crate) enum Actor {
    /// Make a person or a service known
    Create(ActorCreate),
    /// List, newest first
    List(ListArgs),
}

/// A new actor.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  licit actor create person \"Ana Martin\"
  licit actor create service \"CI of team forecast\" --responsible ID")]
pub(crate) struct ActorCreate {
    /// Person or service
    kind: ActorKind,
    /// Display name, kept erasable
    name: String,
    /// For a service: id of the person who answers for it
    #[arg(long, value_name = "ID")]
    responsible: Option<String>,
}

/// Person or service.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ActorKind {
    /// Somebody who can vote
    Person,
    /// A pipeline
    Service,
}

/// API tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Issue a token; its secret is shown once
    Create(TokenCreate),
    /// List, newest first; never the secrets; whose they are stands in --json
    #[command(after_help = "Examples:\n  licit token list\n  licit token list --json | jq '.items[].actor'")]
    List(ListArgs),
    /// Take a token back
    #[command(after_help = "Example:\n  licit token revoke ID")]
    Revoke {
        /// Id of the token
        id: String,
    },
}

/// A new token.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  licit token create ID --role releaser --label ci")]
pub(crate) struct TokenCreate {
    /// Id of the person or service
    actor: String,
    /// What it allows: `viewer`, `registrar`, `reviewer`, `dpo`, `works_council`, `releaser`, `auditor` or `admin`; may be repeated
    #[arg(long = "role", value_name = "ROLE", required = true)]
    roles: Vec<String>,
    /// What it is for, a short key; kept in the ledger for good: name the machine or job, not a person
    #[arg(long)]
    label: String,
    /// Until when, a day or a moment; default: 90 days
    #[arg(long, value_name = "TIME")]
    expires_at: Option<String>,
}

/// Run a command on actors.
pub(crate) fn actor(context: &Context, command: Actor) -> Result<Exit> {
    match command {
        Actor::Create(args) => {
            let kind = args.kind.to_possible_value().map(|value| value.get_name().to_owned());
            let mut actor = json!({"kind": kind, "name": args.name});
            if let Some(responsible) = args.responsible {
                actor["responsible"] = responsible.into();
            }
            let actor: access::ActorCreate = from_flags(actor)?;
            let answer = context.client()?.post("/actors", &actor)?;
            context.answer(&answer, || format!("{}  actor {}", style::green("created"), resource::text(&answer["id"])));
        }
        Actor::List(args) => {
            let page = things::pages(&context.client()?, "/actors", &args)?;
            context.answer(&page, || columns(&page, &["id", "kind", "name"]));
        }
    }
    Ok(Exit::Done)
}

/// Run a command on tokens.
pub(crate) fn token(context: &Context, command: Token) -> Result<Exit> {
    match command {
        Token::Create(args) => {
            let mut token = json!({"actor": args.actor, "roles": args.roles, "label": args.label});
            if let Some(expires_at) = args.expires_at {
                token["expires_at"] = expires_at.into();
            }
            let token: access::TokenCreate = from_flags(token)?;
            let answer = context.client()?.post("/tokens", &token)?;
            let created: TokenCreated = typed(&answer)?;
            context.answer(&answer, || {
                let until = resource::minute(&created.expires_at.to_string());
                let once = style::dim("this secret is not shown again");
                table::facts(&[("token", created.token.clone()), ("id", created.id.0.to_string()), ("until", until)])
                    + &once
            });
        }
        Token::List(args) => {
            let page = things::pages(&context.client()?, "/tokens", &args)?;
            context.answer(&page, || columns(&page, &["id", "label", "roles", "expires_at", "revoked"]));
        }
        Token::Revoke { id } => {
            let answer = context.client()?.delete(&format!("/tokens/{}", percent(&id)))?;
            context.answer(&answer, || format!("{}  token {id} is revoked", style::green("done")));
        }
    }
    Ok(Exit::Done)
}

/// Who the caller is.
pub(crate) fn whoami(context: &Context) -> Result<Exit> {
    let answer = context.client()?.get("/whoami", &[])?;
    let who: WhoAmI = typed(&answer)?;
    context.answer(&answer, || {
        table::facts(&[
            ("actor", who.actor.0.to_string()),
            ("name", who.name.clone().unwrap_or_else(|| "erased".to_owned())),
            ("kind", resource::text(&answer["kind"])),
            ("roles", cell(&answer["roles"])),
            ("until", resource::minute(&who.expires_at.to_string())),
        ])
    });
    Ok(Exit::Done)
}

/// Items by these members, which stand in the item or in its `spec`.
fn columns(page: &Value, names: &[&str]) -> String {
    let items = page["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    let member = |item: &Value, name: &str| match item.get(name) {
        Some(value) => cell(value),
        None => cell(&item["spec"][name]),
    };
    let rows = items.iter().map(|item| names.iter().map(|name| member(item, name)).collect()).collect();
    let header: Vec<&str> = names.iter().map(|name| name.trim_end_matches("_at")).collect();
    table::table(&header, rows)
}

fn cell(value: &Value) -> String {
    match value {
        Value::Array(items) => items.iter().map(resource::text).collect::<Vec<_>>().join(" "),
        Value::String(text) if text.ends_with('Z') && text.len() == 27 => text[..10].to_owned(),
        other => resource::text(other),
    }
}

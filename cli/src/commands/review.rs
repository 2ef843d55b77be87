//! `licit review`: open, vote, give an opinion, revoke.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use licit_schemas::known::KnownAt;
use licit_schemas::registry::uuid_text::Uuid;
use licit_schemas::review::{OpinionCreate, ReviewView, RevocationCreate, VoteCreate};
use serde::Serialize;
use serde_json::{Value, json};

use super::gate::approved;
use super::things::{self, CreateArgs, ListArgs};
use crate::client::{Client, typed};
use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::{self, resource, style, table, wrap};

/// Reviews.
#[derive(Debug, Subcommand)]
pub(crate) enum Review {
    /// Open a review; several things make a dossier, and one vote binds them all
    Create(ReviewCreate),
    /// List, newest first
    List(ListArgs),
    /// Show a review with its votes and opinions
    #[command(after_help = "Example:\n  licit review show ID")]
    Show {
        /// Id or reference of the review
        id: String,
        /// As known at a ledger position or a time; default: now
        #[arg(long, value_name = "WHEN")]
        known_at: Option<KnownAt>,
    },
    /// Vote, on the digest of what is shown
    #[command(after_help = "Example:\n  licit review vote ID approve --condition \"yearly audit\"")]
    Vote {
        /// Id or reference of the review
        id: String,
        /// The vote
        choice: Choice,
        /// Condition attached to an approval; may be repeated
        #[arg(long = "condition", value_name = "SENTENCE")]
        conditions: Vec<String>,
        /// Board member in whose seat you sit, by the id of their actor
        #[arg(long = "for", value_name = "ACTOR")]
        on_behalf_of: Option<String>,
        /// Why, kept erasable
        #[arg(long)]
        comment: Option<String>,
    },
    /// Give an opinion; it advises, it is no vote
    #[command(after_help = "Example:\n  licit review opinion ID favourable --role dpo")]
    Opinion {
        /// Id or reference of the review
        id: String,
        /// The conclusion
        outcome: Outcome,
        /// In which office; your token has its role
        #[arg(long)]
        role: Office,
        /// Its text, kept erasable
        #[arg(long)]
        comment: Option<String>,
    },
    /// Approvals that the votes made, newest first
    #[command(after_help = "Examples:\n  licit review approvals\n  licit review approvals --state granted --json")]
    Approvals(ListArgs),
    /// Approvals taken back, newest first
    #[command(after_help = "Example:\n  licit review revocations --all")]
    Revocations(ListArgs),
    /// Take an approval back, from now or later; what was done before stays lawful
    #[command(after_help = "Example:\n  licit review revoke basis:research@1 --reason \"it ended\" --grace-days 14")]
    Revoke {
        /// What loses its approval
        #[arg(value_name = "REF")]
        reference: String,
        /// Why
        #[arg(long)]
        reason: String,
        /// From when; default: now
        #[arg(long, value_name = "TIME")]
        effective_at: Option<String>,
        /// Days for which what already runs may go on
        #[arg(long, default_value_t = 0)]
        grace_days: u16,
    },
}

/// A new review.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  licit review create --title \"Election research\" \\
      purpose:election-research basis:research deployment:vote-forecast
  licit review create -f review.yaml")]
pub(crate) struct ReviewCreate {
    /// Title for people
    #[arg(long, required_unless_present = "file")]
    title: Option<String>,
    /// Purposes, bases, systems, assessments, deployments, the policy, baselines, loosenings; emergencies to ratify
    #[arg(value_name = "REF", required_unless_present = "file")]
    references: Vec<String>,
    /// The approval of its purposes shall cover narrower purposes too
    #[arg(long)]
    include_narrower: bool,
    /// Until when the approval shall hold; default: a year
    #[arg(long, value_name = "TIME")]
    valid_to: Option<String>,
    /// Why, for those who vote; kept erasable
    #[arg(long)]
    comment: Option<String>,
    /// YAML or JSON file instead; `-` is stdin
    #[arg(short, long, conflicts_with_all = ["title", "references"])]
    file: Vec<PathBuf>,
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident),* })*) => {
        $($(#[$doc])*
        #[derive(Clone, Copy, Debug, ValueEnum)]
        pub(crate) enum $name { $($(#[$word_doc])* $word),* })*
    };
}

words! {
    /// A vote.
    Choice { Approve, Reject, Abstain }
    /// A conclusion.
    Outcome { Favourable, Reserved, Unfavourable }
    /// An office.
    Office {
        /// Data protection officer
        Dpo,
        /// Works council
        WorksCouncil
    }
}

/// The API's word: clap writes hyphens.
fn word(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().replace('-', "_")).unwrap_or_default()
}

/// Run a command on reviews.
pub(crate) fn run(context: &Context, command: Review) -> Result<Exit> {
    match command {
        Review::Create(args) => create(context, args),
        Review::List(args) => things::list(context, &c::REVIEWS, &args),
        Review::Approvals(args) => listed(context, "/approvals", &args, approved),
        Review::Revocations(args) => listed(context, "/revocations", &args, revoked),
        Review::Show { id, known_at } => {
            let client = context.client()?;
            let (_, answer) = read(&client, &id, known_at)?;
            let view: ReviewView = typed(&answer)?;
            let names = if context.json() { Names::new() } else { names(&client) };
            context.answer(&answer, || text(&view, &names));
            Ok(Exit::Done)
        }
        Review::Vote { id, choice, conditions, on_behalf_of, comment } => {
            let client = context.client()?;
            let (id, answer) = read(&client, &id, None)?;
            let view: ReviewView = typed(&answer)?;
            if !context.json() {
                output::print(&bound(&view));
            }
            // The digest read here is the one voted on: had anything changed in between, the server would refuse.
            let vote = json!({"choice": word(&choice), "digest": view.review.spec.digest, "conditions": conditions});
            let vote: VoteCreate = c::from_flags(with(with(vote, "comment", comment), "on_behalf_of", on_behalf_of))?;
            let answer = client.post(&format!("/reviews/{id}/votes"), &vote)?;
            // Whether this vote completed the quorum.
            let state = client.get(&format!("/reviews/{id}"), &[])?["review"]["state"].clone();
            context.answer(&answer, || {
                format!("{}  the review is now {}", style::green("recorded"), style::bold(&resource::text(&state)))
            });
            Ok(Exit::Done)
        }
        Review::Opinion { id, outcome, role, comment } => {
            let id = c::REVIEWS.reference(&id)?.name().to_owned();
            let opinion = with(json!({"role": word(&role), "outcome": word(&outcome)}), "comment", comment);
            let opinion: OpinionCreate = c::from_flags(opinion)?;
            said(context, &format!("/reviews/{id}/opinions"), &opinion)
        }
        Review::Revoke { reference, reason, effective_at, grace_days } => {
            let reference = c::any_reference(&reference)?;
            let body = json!({"ref": reference, "reason": reason, "grace_days": grace_days});
            let body: RevocationCreate = c::from_flags(with(body, "effective_at", effective_at))?;
            said(context, "/revocations", &body)
        }
    }
}

/// A list whose things have no names of their own: what they are about is shown instead.
fn listed(context: &Context, path: &str, args: &ListArgs, text: fn(&[Value]) -> String) -> Result<Exit> {
    let page = things::pages(&context.client()?, path, args)?;
    context.answer(&page, || {
        let more = if page["next"].is_string() { "\nthere is more: --all, or a narrower search" } else { "" };
        format!("{}{}", text(page["items"].as_array().map(Vec::as_slice).unwrap_or_default()), style::dim(more))
    });
    Ok(Exit::Done)
}

fn revoked(items: &[Value]) -> String {
    let row = |item: &Value| {
        let text = |name: &str| resource::text(&item["spec"][name]);
        vec![text("ref"), resource::day(&item["spec"]["effective_at"]), text("grace_days"), text("reason")]
    };
    table::table(&["revoked", "from", "days of grace", "why"], items.iter().map(row).collect())
}

fn create(context: &Context, args: ReviewCreate) -> Result<Exit> {
    if !args.file.is_empty() {
        return things::create(context, &c::REVIEWS, &CreateArgs { file: args.file, replace: false });
    }
    let mut subjects = Vec::new();
    for reference in &args.references {
        let reference = c::any_reference(reference)?;
        let narrower = args.include_narrower && reference.kind() == licit_schemas::reference::Kind::Purpose;
        subjects.push(json!({"ref": reference, "include_narrower": narrower}));
    }
    let review = with(json!({"title": args.title, "subjects": subjects}), "comment", args.comment);
    things::create_value(context, &c::REVIEWS, with(review, "valid_to", args.valid_to), false)
}

fn with(mut body: Value, name: &str, value: Option<String>) -> Value {
    if let Some(value) = value {
        body[name] = value.into();
    }
    body
}

fn read(client: &Client, id: &str, known_at: Option<KnownAt>) -> Result<(String, Value)> {
    let id = c::REVIEWS.reference(id)?.name().to_owned();
    let known_at = known_at.map(|at| at.to_string());
    let answer = client.get(&format!("/reviews/{id}"), &[("known_at", known_at.as_deref())])?;
    Ok((id, answer))
}

fn said(context: &Context, path: &str, body: &impl Serialize) -> Result<Exit> {
    let answer = context.client()?.post(path, body)?;
    context.answer(&answer, || format!("{}  {}", style::green("recorded"), resource::text(&answer["ref"])));
    Ok(Exit::Done)
}

/// What a vote binds.
fn bound(view: &ReviewView) -> String {
    let review = &view.review.spec;
    let mut out = format!("{}\n", style::bold(review.title.as_str()));
    for subject in &review.subjects {
        let narrower = if subject.include_narrower { ", narrower purposes too" } else { "" };
        out.push_str(&format!("  {}{narrower}\n    {}\n", subject.r#ref, style::dim(&subject.digest.to_string())));
    }
    out.push_str(&format!("  all together\n    {}", review.digest));
    out
}

/// Names of people by id, as far as they are known and not erased.
type Names = BTreeMap<String, String>;

/// Ids alone are right, names are what people know: where they cannot be had, ids are shown.
fn names(client: &Client) -> Names {
    let page = things::pages(client, "/actors", &ListArgs { all: true, ..ListArgs::default() }).unwrap_or_default();
    let items = page["items"].as_array().map(Vec::as_slice).unwrap_or_default().iter();
    items.filter_map(|item| Some((item["id"].as_str()?.to_owned(), item["name"].as_str()?.to_owned()))).collect()
}

fn text(view: &ReviewView, names: &Names) -> String {
    let person = |id: &Uuid| names.get(&id.0.to_string()).cloned().unwrap_or_else(|| id.0.to_string());
    let commented =
        |comment: String| if comment.is_empty() { comment } else { format!("\n{}", wrap::wrapped("  ", &comment)) };
    let review = &view.review;
    let comment = |digest: Option<licit_schemas::digest::Digest>| {
        digest.and_then(|digest| view.comments.get(&digest.to_string())).cloned().unwrap_or_default()
    };
    let mut out = bound(view);
    out.push('\n');
    out.push_str(&table::facts(&[
        ("reference", review.r#ref.to_string()),
        ("state", review.state.clone()),
        ("quorum", review.spec.quorum.to_string()),
        ("until", resource::minute(&review.spec.valid_to.to_string())),
        ("excluded", review.spec.excluded.iter().map(&person).collect::<Vec<_>>().join(", ")),
        ("comment", comment(review.spec.comment_digest)),
    ]));
    for subject in &review.spec.subjects {
        if let Some(envelope) = &subject.envelope {
            let value = serde_json::to_value(envelope).unwrap_or_default();
            out.push_str(&format!("\n{} {}\n{}", style::bold("envelope of"), subject.r#ref, resource::block(&value)));
        }
    }
    for vote in &view.votes {
        let choice = serde_json::to_value(vote.spec.choice).unwrap_or_default();
        out.push_str(&format!(
            "\n{}  {}",
            style::bold(&format!("vote {}", resource::text(&choice))),
            person(&vote.spec.person)
        ));
        if let Some(member) = &vote.spec.on_behalf_of {
            out.push_str(&format!(" for {}", person(member)));
        }
        vote.spec
            .conditions
            .iter()
            .for_each(|c| out.push_str(&format!("\n{}", wrap::wrapped("  on condition: ", c.as_str()))));
        out.push_str(&commented(comment(vote.spec.comment_digest)));
    }
    for opinion in &view.opinions {
        let value = serde_json::to_value(&opinion.spec).unwrap_or_default();
        let (role, outcome) = (resource::text(&value["role"]), resource::text(&value["outcome"]));
        out.push_str(&format!(
            "\n{}  {}",
            style::bold(&format!("opinion ({role}): {outcome}")),
            person(&opinion.spec.person)
        ));
        out.push_str(&commented(comment(opinion.spec.comment_digest)));
    }
    out
}

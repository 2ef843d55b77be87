//! `create`, `list` and `show`, the same for every collection.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use licit_schemas::known::KnownAt;
use licit_schemas::reference::Kind;
use licit_schemas::time::Timestamp;
use serde_json::{Value, json};

use crate::client::Client;
use crate::collection::{Collection, DEPLOYMENTS, named};
use crate::context::Context;
use crate::error::{Exit, Failure, Result};
use crate::output::{self, resource, style};
use crate::source;

/// Create, list, show.
#[derive(Debug, Subcommand)]
pub(crate) enum Things {
    /// Create from a YAML or JSON file
    Create(CreateArgs),
    /// List, newest first
    List(ListArgs),
    /// Show everything that was stated
    Show(ShowArgs),
}

/// A document to create from.
#[derive(Debug, Args)]
#[command(after_help = "Faults of the document are named by line and column before anything is sent.

Examples:
  licit purpose create -f purpose.yaml
  licit basis create -f research.yaml -f contract.yaml
  jq .spec old.json | licit system create -f -")]
pub(crate) struct CreateArgs {
    /// YAML or JSON file; `-` is stdin; may be repeated
    #[arg(short, long, value_name = "FILE", required = true)]
    pub(crate) file: Vec<PathBuf>,
    /// Where other content stands under the same key, replace it: parties, datasets, models, environments
    #[arg(long)]
    pub(crate) replace: bool,
}

/// What to list.
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = "Examples:
  licit dataset list --q survey
  licit release list --parent deployment:vote-forecast --state active
  licit purpose list --known-at 2026-06-01
  licit basis list --valid-at 2026-06-01
  licit model list --tag team=forecast --all --json
  licit decision list --sort oldest --limit 10")]
pub(crate) struct ListArgs {
    /// Words in name, reference, owner, description or tags
    #[arg(long, value_name = "WORDS")]
    pub(crate) q: Option<String>,
    /// Exact name
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Exact owner
    #[arg(long)]
    pub(crate) owner: Option<String>,
    /// A tag, `key` or `key=value`
    #[arg(long)]
    pub(crate) tag: Option<String>,
    /// State, such as `active`
    #[arg(long)]
    pub(crate) state: Option<String>,
    /// Reference of what it belongs to, such as `deployment:vote-forecast`
    #[arg(long, value_name = "REF")]
    pub(crate) parent: Option<String>,
    /// Exact reference, such as `purpose:election-research@1`
    #[arg(long = "ref", value_name = "REF")]
    pub(crate) exact: Option<String>,
    /// Newest first, oldest first, or by name
    #[arg(long, value_enum, default_value_t = Order::Newest)]
    pub(crate) sort: Order,
    /// As known at a ledger position or a time; default: now
    #[arg(long, value_name = "WHEN")]
    pub(crate) known_at: Option<KnownAt>,
    /// Only what is valid at this moment: purposes, bases, assessments, approvals and the like
    #[arg(long, value_name = "TIME")]
    pub(crate) valid_at: Option<Timestamp>,
    /// Items a page
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    pub(crate) limit: u16,
    /// Every page, not only the first
    #[arg(long)]
    pub(crate) all: bool,
}

/// Order of a list. Its words need no help of their own, which would spread the help of every list over two screens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Order {
    #[default]
    Newest,
    Oldest,
    Name,
}

impl Order {
    /// The API's word; what it does by itself needs none.
    fn word(self) -> Option<&'static str> {
        match self {
            Self::Newest => None,
            Self::Oldest => Some("recorded"),
            Self::Name => Some("name"),
        }
    }
}

/// What to show.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  licit purpose show election-research
  licit dataset show dataset:anes/survey@1
  licit deployment show ID --json")]
pub(crate) struct ShowArgs {
    /// Reference, its part after the colon, or id
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    /// As known at a ledger position or a time; default: now
    #[arg(long, value_name = "WHEN")]
    pub(crate) known_at: Option<KnownAt>,
    /// Of a thing with revisions, the one approved at this moment; default: now
    #[arg(long, value_name = "TIME")]
    pub(crate) valid_at: Option<Timestamp>,
}

/// Run one of them on a collection.
pub(crate) fn run(context: &Context, collection: &Collection, command: Things) -> Result<Exit> {
    match command {
        Things::Create(args) => create(context, collection, &args),
        Things::List(args) => list(context, collection, &args),
        Things::Show(args) => show(context, collection, &args),
    }
}

/// Create from files: all are checked before the first is sent. For machines, the answers to several are one array; where one is
/// refused, it ends with what was answered to that.
pub(crate) fn create(context: &Context, collection: &Collection, args: &CreateArgs) -> Result<Exit> {
    let mut documents = Vec::with_capacity(args.file.len());
    for path in &args.file {
        let (value, source) = source::read(path)?;
        documents.push((collection.check)(value).map_err(|faults| source.faults(faults))?);
    }
    let client = context.client()?;
    let together = documents.len() > 1 && context.json();
    let mut answers = Vec::new();
    for document in &documents {
        match send(&client, collection, document, args.replace) {
            Ok((answer, _)) if together => answers.push(answer),
            Ok((answer, said)) => context.answer(&answer, || said),
            Err(failure) if together => {
                let exit = failure.exit();
                match failure {
                    Failure::Problem(problem) => answers.push(json!(problem)),
                    // What no document tells is said where people read it.
                    failure => context.report(&failure),
                }
                context.answer(&answers, String::new);
                return Ok(exit);
            }
            Err(failure) => return Err(failure),
        }
    }
    if together {
        context.answer(&answers, String::new);
    }
    Ok(Exit::Done)
}

/// Create what flags describe.
pub(crate) fn create_value(context: &Context, collection: &Collection, value: Value, replace: bool) -> Result<Exit> {
    let document = (collection.check)(value).map_err(|faults| named(&faults))?;
    let (answer, said) = send(&context.client()?, collection, &document, replace)?;
    context.answer(&answer, || said);
    Ok(Exit::Done)
}

/// What the server answered, and one line on what became of it.
type Sent = (Value, String);

fn send(client: &Client, collection: &Collection, document: &Value, replaces: bool) -> Result<Sent> {
    match client.post(collection.path, document) {
        Err(Failure::Problem(problem)) if replaces && problem.status == 409 => replace(client, collection, document),
        answer => {
            let answer = answer?;
            warn_of(&answer);
            let said = registered(&answer);
            Ok((answer, said))
        }
    }
}

/// What the server warns of, though it is registered.
fn warn_of(answer: &Value) {
    let warnings = answer["warnings"].as_array().into_iter().flatten();
    warnings.filter_map(Value::as_str).for_each(output::warn);
}

/// Put the document over what stands under its reference now, unless that changes in between.
fn replace(client: &Client, collection: &Collection, document: &Value) -> Result<Sent> {
    let reference = collection.stated(document)?.to_string();
    let page = client.get(collection.path, &[("ref", Some(&reference))])?;
    let (id, seq) = (page["items"][0]["id"].as_str(), page["items"][0]["seq"].as_u64());
    let (Some(id), Some(seq)) = (id, seq) else {
        return Err(Failure::plain(format!("the server shows no `{reference}` to replace")));
    };
    let answer = client.put(&format!("{}/{id}", collection.path), document, seq)?;
    Ok((answer, format!("{}  {reference}", style::green("replaced"))))
}

/// One line on what became of a registration.
pub(crate) fn registered(answer: &Value) -> String {
    let outcome = match answer["outcome"].as_str() {
        Some("created") => style::green("created"),
        Some(outcome) => style::dim(outcome),
        None => style::green("done"),
    };
    let reference = resource::text(&answer["ref"]);
    let state = answer["state"].as_str().map(|state| format!("{}  ", style::yellow(state))).unwrap_or_default();
    let entry = answer["seq"].as_u64().map(|seq| style::dim(&format!("ledger entry {seq}"))).unwrap_or_default();
    format!("{outcome}  {reference}  {state}{entry}")
}

/// List a collection.
pub(crate) fn list(context: &Context, collection: &Collection, args: &ListArgs) -> Result<Exit> {
    list_as(context, collection, args, resource::list)
}

/// [`list`], shown to people in a form of its own.
pub(crate) fn list_as(
    context: &Context,
    collection: &Collection,
    args: &ListArgs,
    shown: fn(&[Value]) -> String,
) -> Result<Exit> {
    let mut args = args.clone();
    if collection.kind == Kind::Release {
        // `--parent vote-forecast`: a release belongs to a deployment, and to nothing else.
        let parent = args.parent.map(|parent| DEPLOYMENTS.reference(&parent)).transpose()?;
        args.parent = parent.map(|parent| parent.to_string());
    }
    // Shortened as people do; what names its kind is sent as it is.
    if let Some(short) = args.exact.take_if(|text| !text.contains(':')) {
        args.exact = Some(collection.reference(&short)?.to_string());
    }
    let page = pages(&context.client()?, collection.path, &args)?;
    context.answer(&page, || {
        let items = page["items"].as_array().cloned().unwrap_or_default();
        let more = if page["next"].is_string() {
            style::dim("\nthere is more: --all, or a narrower search")
        } else {
            String::new()
        };
        format!("{}{more}", shown(&items))
    });
    Ok(Exit::Done)
}

/// The first page, or with `--all` every page as one.
pub(crate) fn pages(client: &Client, path: &str, args: &ListArgs) -> Result<Value> {
    let limit = if args.all { "500".to_owned() } else { args.limit.to_string() };
    let known_at = args.known_at.map(|at| at.to_string());
    let valid_at = args.valid_at.map(|at| at.to_string());
    let (mut items, mut cursor): (Vec<Value>, Option<String>) = (Vec::new(), None);
    loop {
        let page = client.get(
            path,
            &[
                ("q", args.q.as_deref()),
                ("name", args.name.as_deref()),
                ("owner", args.owner.as_deref()),
                ("tag", args.tag.as_deref()),
                ("state", args.state.as_deref()),
                ("parent", args.parent.as_deref()),
                ("ref", args.exact.as_deref()),
                ("sort", args.sort.word()),
                ("known_at", known_at.as_deref()),
                ("valid_at", valid_at.as_deref()),
                ("limit", Some(&limit)),
                ("cursor", cursor.as_deref()),
            ],
        )?;
        if !args.all {
            return Ok(page);
        }
        items.extend(page["items"].as_array().cloned().unwrap_or_default());
        let next = page["next"].as_str().map(str::to_owned);
        if next.is_some() && next == cursor {
            return Err(Failure::plain("the server gives the same page again and again"));
        }
        match next {
            Some(next) => cursor = Some(next),
            None => return Ok(json!({ "items": items })),
        }
    }
}

/// Show one resource.
pub(crate) fn show(context: &Context, collection: &Collection, args: &ShowArgs) -> Result<Exit> {
    let found = collection.find_at(&context.client()?, &args.reference, args.known_at, args.valid_at)?;
    context.answer(&found, || resource::show(&found));
    Ok(Exit::Done)
}

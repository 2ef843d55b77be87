//! `licit history`: every state a thing had.

use clap::Args;
use licit_schemas::reference::{Kind, Ref};
use serde_json::Value;

use crate::collection::{self as c, Collection};
use crate::context::Context;
use crate::error::{Exit, Failure, Result};
use crate::output::{resource, table};

/// Of what.
#[derive(Debug, Args)]
#[command(
    after_help = "Nothing registered is overwritten: a state ends, and the next begins. What was stated then stands in --json.

Examples:
  licit history deployment:vote-forecast
  licit history dataset:anes/survey@1996 --json"
)]
pub(crate) struct HistoryArgs {
    /// Party, dataset, run, model, system, environment, deployment, release, purpose, basis, assessment or policy
    #[arg(value_name = "REF")]
    reference: String,
}

/// Show it.
pub(crate) fn run(context: &Context, args: &HistoryArgs) -> Result<Exit> {
    let reference = c::any_reference(&args.reference)?;
    let collection = of(&reference)?;
    let client = context.client()?;
    let id = collection.id(&client, &args.reference)?;
    let page = client.get(&format!("{}/{id}/history", collection.path), &[])?;
    context.answer(&page, || {
        let items = page["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        let row = |item: &Value| {
            let text = |name: &str| resource::text(&item[name]);
            let digest = text("digest").chars().take("sha256:".len() + 12).collect::<String>();
            vec![text("ref"), text("state"), digest, text("seq"), resource::minute(&text("recorded_at"))]
        };
        table::table(&["reference", "state", "digest", "entry", "recorded"], items.iter().map(row).collect())
    });
    Ok(Exit::Done)
}

/// The collection that keeps states of this kind.
fn of(reference: &Ref) -> Result<&'static Collection> {
    Ok(match (reference.kind(), reference.is_pinned()) {
        (Kind::Dataset, false) => &c::DATASETS,
        (Kind::Dataset, true) => &c::DATASET_VERSIONS,
        (Kind::Model, false) => &c::MODELS,
        (Kind::Model, true) => &c::MODEL_VERSIONS,
        (Kind::Run, _) => &c::RUNS,
        (Kind::System, _) => &c::SYSTEMS,
        (Kind::Party, _) => &c::PARTIES,
        (Kind::Environment, _) => &c::ENVIRONMENTS,
        (Kind::Deployment, _) => &c::DEPLOYMENTS,
        (Kind::Release, _) => &c::RELEASES,
        (Kind::Purpose, _) => &c::PURPOSES,
        (Kind::Basis, _) => &c::BASES,
        (Kind::Assessment, _) => &c::ASSESSMENTS,
        (Kind::Policy, _) => &c::POLICIES,
        (kind, _) => {
            let why = format!("a {kind} has one state, which never changes: show it, or read the ledger");
            return Err(Failure::Usage(why));
        }
    })
}

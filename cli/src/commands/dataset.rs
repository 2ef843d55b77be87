//! `licit dataset`.

use clap::{Subcommand, ValueEnum};
use licit_schemas::registry::LifeChange;
use licit_schemas::time::Timestamp;
use serde_json::json;

use super::confirm::{self, ConfirmArgs};
use super::retire::{self, RetireArgs};
use super::simple;
use super::things::{self, CreateArgs, ListArgs, Things};
use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::style;

/// Datasets.
#[derive(Debug, Subcommand)]
pub(crate) enum Dataset {
    #[command(flatten)]
    Things(Things),
    /// The versions of a dataset
    #[command(after_help = "Example:\n  licit dataset versions anes/survey")]
    Versions {
        /// Dataset, such as `anes/survey`
        #[arg(value_name = "REF")]
        reference: String,
        #[command(flatten)]
        list: ListArgs,
    },
    /// Register a version from a file
    #[command(after_help = "Example:\n  licit dataset create-version -f survey-2.yaml")]
    CreateVersion(CreateArgs),
    /// Classify fields that nobody classified, of many versions at once
    Confirm(ConfirmArgs),
    /// Say that a version is held, restricted or erased; never back from erased
    #[command(after_help = "Examples:
  licit dataset life anes/survey@1 erased
  licit dataset life anes/survey@1 restricted --valid-from 2026-11-02
  licit dataset life anes/survey@1 held --reason \"The dispute is settled\"")]
    Life {
        /// Version, such as `anes/survey@1`
        #[arg(value_name = "REF")]
        reference: String,
        /// Its life from now on
        life: Life,
        /// Since when already: it is recorded later than it happened
        #[arg(long, value_name = "TIME")]
        valid_from: Option<Timestamp>,
        /// Why; needed to lift a restriction, which DPO or board do; kept erasable
        #[arg(long)]
        reason: Option<String>,
    },
    /// Retire a version that was registered by mistake
    Retire(RetireArgs),
}

/// Life of a version.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Life {
    /// Kept and usable
    Held,
    /// Stored only (GDPR Art. 18)
    Restricted,
    /// Gone (GDPR Art. 17); digest and lineage stay
    Erased,
}

/// Run a command on datasets.
pub(crate) fn run(context: &Context, command: Dataset) -> Result<Exit> {
    match command {
        Dataset::Things(command) => things::run(context, &c::DATASETS, command),
        Dataset::Versions { reference, list } => {
            simple::versions(context, &c::DATASETS, &c::DATASET_VERSIONS, &reference, list)
        }
        Dataset::CreateVersion(args) => things::create(context, &c::DATASET_VERSIONS, &args),
        Dataset::Confirm(args) => confirm::run(context, &args),
        Dataset::Retire(args) => retire::retire(context, &c::DATASET_VERSIONS, &args),
        Dataset::Life { reference, life, valid_from, reason } => {
            let life = life.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
            let mut change = json!({ "life": life });
            if let Some(valid_from) = valid_from {
                change["valid_from"] = json!(valid_from);
            }
            if let Some(reason) = reason {
                change["reason"] = json!(reason);
            }
            let change: LifeChange = c::from_flags(change)?;
            let client = context.client()?;
            let id = c::DATASET_VERSIONS.id(&client, &reference)?;
            let answer = client.post(&format!("/dataset-versions/{id}/life"), &change)?;
            context.answer(&answer, || format!("{}  {reference} is {life}", style::green("done")));
            Ok(Exit::Done)
        }
    }
}

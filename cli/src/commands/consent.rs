//! `licit consent`: what people say, under pseudonyms made on this machine.

use clap::Subcommand;

use crate::collection as c;
use crate::commands::things::{self, ListArgs};
use crate::context::Context;
use crate::error::{Exit, Result};

mod act;
mod actions;
pub(crate) mod asked;
mod coverage;
mod import;
pub(crate) mod proof;
mod say;
pub(crate) mod show;
pub(crate) mod who;

/// What people say.
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Withdrawing asks for no more than giving (GDPR Art. 7(3)). Records are added and never edited: what somebody \
wants is what they said last. Identifiers are read from standard input and hashed here; they are never sent.

Examples:
  licit consent withdraw --purpose ads --key crm.key --type email < address
  licit consent import said.ndjson
  licit consent coverage crm/people@3 --purpose ads"
)]
pub(crate) enum Consent {
    /// Somebody gives consent
    #[command(after_help = "Examples:
  licit consent give --subject p1.k1.… --purpose ads --notice sha256:…
  licit consent give --purpose health-research --explicit --notice sha256:… \\
    --key crm.key --type email < address")]
    Give(say::GiveArgs),
    /// Somebody renews consent that stands
    #[command(after_help = "Example:
  licit consent renew --subject p1.k1.… --purpose ads --notice sha256:… \\
    --until 2028-01-01T00:00:00Z")]
    Renew(say::GiveArgs),
    /// Somebody refuses
    #[command(after_help = "Example:\n  licit consent refuse --subject p1.k1.… --purpose ads --channel email")]
    Refuse(say::SayArgs),
    /// Somebody withdraws consent: nothing is needed but who and what for
    #[command(after_help = "Examples:
  licit consent withdraw --subject p1.k1.… --purpose ads
  licit consent withdraw --purpose ads --key crm.key --type email < address
  licit consent withdraw --purpose ads --key 2025.key --key 2026.key < address")]
    Withdraw(say::SayArgs),
    /// Somebody objects (GDPR Art. 21); without --purpose, to everything
    #[command(after_help = "Example:\n  licit consent object --subject p1.k1.… --purpose ads")]
    Object(say::ObjectArgs),
    /// Record anything said, from a YAML or JSON file
    Record(say::RecordArgs),
    /// Record many, from a file with one JSON document a line
    Import(import::ImportArgs),
    /// How many members of a dataset version consent covers; never whose
    Coverage(coverage::CoverageArgs),
    /// Everything one person said
    Show(show::ShowArgs),
    /// What is to be done in models for those who withdrew, or object
    Actions(actions::ActionsArgs),
    /// Record that a remedy was taken in a model for them
    Act(act::ActArgs),
    /// Remedies taken, newest first
    #[command(after_help = "Example:\n  licit consent acts --parent model:score@3")]
    Acts(ListArgs),
}

/// Run the command.
pub(crate) fn run(context: &Context, command: Consent) -> Result<Exit> {
    match command {
        Consent::Give(args) => say::give(context, "given", &args),
        Consent::Renew(args) => say::give(context, "renewed", &args),
        Consent::Refuse(args) => say::say(context, "refused", &args),
        Consent::Withdraw(args) => say::say(context, "withdrawn", &args),
        Consent::Object(args) => say::object(context, &args),
        Consent::Record(args) => say::record(context, &args),
        Consent::Import(args) => import::run(context, &args),
        Consent::Coverage(args) => coverage::run(context, &args),
        Consent::Show(args) => show::run(context, &args),
        Consent::Actions(args) => actions::run(context, &args),
        Consent::Act(args) => act::run(context, &args),
        Consent::Acts(args) => things::list(context, &c::REMEDIES, &args),
    }
}

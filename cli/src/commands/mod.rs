//! The commands: one file each; here only who is called.

use clap::CommandFactory;

use crate::args::{Cli, Command};
use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Failure, Result};

pub(crate) mod access;
pub(crate) mod affected;
pub(crate) mod baseline;
pub(crate) mod break_glass;
pub(crate) mod calendar;
pub(crate) mod ci;
pub(crate) mod clearing;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod confirm;
pub(crate) mod consent;
pub(crate) mod contest;
pub(crate) mod dataset;
pub(crate) mod debt;
pub(crate) mod decision;
pub(crate) mod delegation;
pub(crate) mod deployment;
pub(crate) mod diff;
pub(crate) mod drift;
pub(crate) mod edge;
pub(crate) mod erase;
pub(crate) mod events;
pub(crate) mod export;
pub(crate) mod exposure;
pub(crate) mod gaps;
pub(crate) mod gate;
pub(crate) mod history;
pub(crate) mod impact;
pub(crate) mod init;
pub(crate) mod ledger;
pub(crate) mod lineage;
pub(crate) mod notice;
pub(crate) mod passport;
pub(crate) mod policy;
pub(crate) mod prove;
pub(crate) mod quarantine;
pub(crate) mod recipients;
pub(crate) mod register;
pub(crate) mod release;
pub(crate) mod renewals;
pub(crate) mod retire;
pub(crate) mod review;
pub(crate) mod scan;
pub(crate) mod simple;
pub(crate) mod subjects;
pub(crate) mod suggest;
pub(crate) mod suppression;
pub(crate) mod things;
pub(crate) mod uses;
pub(crate) mod verify;
pub(crate) mod vocabulary;
pub(crate) mod webhook;
pub(crate) mod whatif;

/// Run a command.
pub(crate) fn run(context: &Context, command: Command) -> Result<Exit> {
    match command {
        Command::Init(args) => init::run(context, &args),
        Command::Scan(args) => scan::run(context, &args),
        Command::Schema => init::print_schema(),
        Command::Register(args) => register::register(context, &args),
        Command::Plan(args) => register::plan(context, &args),
        Command::Gate(args) => gate::gate(context, &args),
        Command::Verify(args) => verify::run(context, &args),
        Command::Prove(args) => prove::run(context, &args),
        Command::Export(args) => export::run(context, &args),
        Command::Import(args) => passport::import(context, &args),
        Command::Use { command } => uses::run(context, command),
        Command::Ci { command } => ci::run(context, command),
        Command::Explain(args) => gate::explain(context, &args),
        Command::Lineage(args) => lineage::run(context, &args),
        Command::Edge { command } => edge::run(context, command),
        Command::History(args) => history::run(context, &args),
        Command::Exposure(args) => exposure::run(context, &args),
        Command::Whatif(args) => whatif::run(context, &args),
        Command::Subjects { command } => subjects::run(context, command),
        Command::Consent { command } => consent::run(context, command),
        Command::Suppression { command } => suppression::run(context, command),
        Command::Suggest(args) => suggest::run(context, &args),
        Command::Drift(args) => drift::run(context, &args),
        Command::Impact(args) => impact::run(context, &args),
        Command::Recipients(args) => recipients::run(context, &args),
        Command::Calendar(args) => calendar::run(context, &args),
        Command::Diff(args) => diff::run(context, &args),
        Command::Gaps(args) => gaps::run(context, &args),
        Command::Events(args) => events::run(context, &args),
        Command::Webhook { command } => webhook::run(context, command),
        Command::BreakGlass { command } => break_glass::run(context, command),
        Command::Baseline { command } => baseline::run(context, command),
        Command::Contest { command } => contest::run(context, command),
        Command::Delegation { command } => delegation::run(context, command),
        Command::Erase { command } => erase::run(context, &command),
        Command::Party { command } => simple::party(context, command),
        Command::Dataset { command } => dataset::run(context, command),
        Command::Class { command } => things::run(context, &c::CLASSES, command),
        Command::Renewals(args) => renewals::run(context, &args),
        Command::Clearing(args) => clearing::run(context, &args),
        Command::Debt(args) => debt::run(context, &args),
        Command::Run { command } => retire::run(context, command),
        Command::Model { command } => simple::model(context, command),
        Command::Purpose { command } => things::run(context, &c::PURPOSES, command),
        Command::Basis { command } => things::run(context, &c::BASES, command),
        Command::Assessment { command } => things::run(context, &c::ASSESSMENTS, command),
        Command::Notice { command } => notice::run(context, command),
        Command::Policy { command } => policy::run(context, command),
        Command::System { command } => things::run(context, &c::SYSTEMS, command),
        Command::Env { command } => simple::environment(context, command),
        Command::Deployment { command } => deployment::run(context, command),
        Command::Decision { command } => decision::run(context, command),
        Command::Release { command } => release::run(context, command),
        Command::Review { command } => review::run(context, command),
        Command::Ledger { command } => ledger::run(context, command),
        Command::Actor { command } => access::actor(context, command),
        Command::Token { command } => access::token(context, command),
        Command::Vocabulary(args) => vocabulary::run(context, &args),
        Command::Whoami => access::whoami(context),
        Command::Config { command } => config::run(context, &command),
        Command::Completions(args) => Ok(completions::run(&args, &mut Cli::command())),
        Command::Demo(_) if context.json() => {
            Err(Failure::Usage("`demo` tells a story to people: it has no answer in JSON".to_owned()))
        }
        Command::Demo(args) => crate::demo::run(&args),
    }
}

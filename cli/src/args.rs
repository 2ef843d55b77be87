//! The command line. Doc comments are the help; each command's own arguments stand in its file.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::commands::{
    access, baseline, break_glass, calendar, ci, clearing, completions, config, consent, contest, dataset, debt,
    decision, delegation, deployment, diff, drift, edge, erase, events, export, exposure, gaps, gate, history, impact,
    init, ledger, lineage, notice, passport, policy, prove, recipients, register, release, renewals, retire, review,
    scan, simple, subjects, suggest, suppression, things, uses, verify, vocabulary, webhook, whatif,
};
use crate::demo;

/// Licit, the model registry that answers: are we allowed to use these people's data, in this system, for this purpose?
#[derive(Debug, Parser)]
#[command(
    name = "licit",
    bin_name = "licit",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    max_term_width = 110
)]
#[command(after_help = "Exit codes:
  0  allowed, or done
  1  failure
  2  wrong usage
  3  refused by the gate, or a receipt is not valid for this
  4  the ledger or a receipt does not verify, or a decision computed again differs
  5  the server was not reached; a pipeline treats this as refused

Examples:
  licit demo                                see the whole story on real data
  licit init && licit register              register what a pipeline made
  licit gate vote-forecast --artifact model/  may it run?
  licit ci init github vote-forecast          ask that in every pipeline")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags of every command.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Globals {
    /// Server; else the configuration file's, else port 8700 of this machine
    #[arg(long, global = true, env = "LICIT_URL", value_name = "URL", help_heading = "Server")]
    pub(crate) url: Option<String>,
    /// API token; better set in the environment or the configuration file, other users can read a command line
    #[arg(
        long,
        global = true,
        env = "LICIT_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN",
        help_heading = "Server"
    )]
    pub(crate) token: Option<String>,
    /// Configuration file, mode 0600 [default: ~/.config/licit/config.json]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Server")]
    pub(crate) config: Option<PathBuf>,
    /// Seconds to wait for an answer
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    #[arg(help_heading = "Server")]
    pub(crate) timeout: u64,
    /// Your team: findings addressed to it are shown as yours; several, separated by commas
    #[arg(long, global = true, env = "LICIT_TEAM", value_name = "TEAM", value_delimiter = ',')]
    pub(crate) team: Vec<String>,
    /// Answer with the API's JSON on stdout, and nothing else there
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// Commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a commented licit.yaml
    Init(init::InitArgs),
    /// Propose a licit.yaml from what files hold; nothing leaves this machine
    Scan(scan::ScanArgs),
    /// Print the JSON Schema of licit.yaml, for editors
    #[command(after_help = "Example:\n  licit schema > licit-yaml.schema.json")]
    Schema,
    /// Register what licit.yaml describes, all or nothing
    Register(register::RegisterArgs),
    /// Say what `register` and a release would lead to, writing nothing
    Plan(register::PlanArgs),
    /// May this deployment run? Records the decision
    Gate(gate::GateArgs),
    /// Does a receipt, a proof or a passport hold, and for this? Needs no server
    Verify(verify::VerifyArgs),
    /// At the moment of use, we had the right: in one file
    Prove(prove::ProveArgs),
    /// The registry, or a part of it, in the words of others; the passport of a model
    Export(export::ExportArgs),
    /// A model of another registry, with its passport
    Import(passport::ImportArgs),
    /// Uses of what runs, and whether there was a right to them
    Use {
        #[command(subcommand)]
        command: uses::Use,
    },
    /// The gate in pipelines
    Ci {
        #[command(subcommand)]
        command: ci::Ci,
    },
    /// Everything about a deployment: what holds, what does not, and why
    Explain(gate::ExplainArgs),
    /// What came from what
    Lineage(lineage::LineageArgs),
    /// Lineage that became known late
    Edge {
        #[command(subcommand)]
        command: edge::Edge,
    },
    /// Every state that a thing had
    History(history::HistoryArgs),
    /// The personal data that reach a thing
    Exposure(exposure::ExposureArgs),
    /// Terms of the vocabularies: purposes, data categories, subjects
    Vocabulary(vocabulary::VocabularyArgs),
    /// What would be if: which deployments turn, by which rule, along which path
    Whatif(whatif::WhatIfArgs),
    /// What would clear a refusal: each change tried, and what the gate said then
    Suggest(suggest::SuggestArgs),
    /// Per dataset, purposes agreed and purposes of use, as figures
    Drift(drift::DriftArgs),
    /// Everything downstream of a thing, with its state
    Impact(impact::ImpactArgs),
    /// Everybody who received what came of a thing
    Recipients(recipients::RecipientsArgs),
    /// What ends when, and what runs on it
    Calendar(calendar::CalendarArgs),
    /// What changed for a deployment between two moments, and why
    Diff(diff::DiffArgs),
    /// Active releases that would not be allowed today
    Gaps(gaps::GapsArgs),
    /// What happens, as it happens
    Events(events::EventsArgs),
    /// Receivers that are told what happens
    Webhook {
        #[command(subcommand)]
        command: webhook::Webhook,
    },
    /// What ran before the gate stood, taken over with an owner and an end
    Baseline {
        #[command(subcommand)]
        command: baseline::Baseline,
    },
    /// Denied releases let through in emergencies: state and deadlines
    BreakGlass {
        #[command(subcommand)]
        command: break_glass::BreakGlass,
    },
    /// Findings said to be wrong, and whether they were
    Contest {
        #[command(subcommand)]
        command: contest::Contest,
    },
    /// Seats of the board in which others sit for a while
    Delegation {
        #[command(subcommand)]
        command: delegation::Delegation,
    },
    /// Names and comments kept beside the ledger
    Erase {
        #[command(subcommand)]
        command: erase::Erase,
    },
    /// Legal entities
    Party {
        #[command(subcommand)]
        command: simple::Party,
    },
    /// Datasets and their versions
    Dataset {
        #[command(subcommand)]
        command: dataset::Dataset,
    },
    /// Approvals that end soon: those without change in one list, those that changed apart
    Renewals(renewals::RenewalsArgs),
    /// By rule and addressee, how long refusals stay
    Clearing(clearing::ClearingArgs),
    /// Default classes: what owners say of data nobody classified yet, until an end
    Class {
        #[command(subcommand)]
        command: things::Things,
    },
    /// What default classes answer for, who has to classify it, and what runs on it
    Debt(debt::DebtArgs),
    /// People, by pseudonyms made on this machine
    Subjects {
        #[command(subcommand)]
        command: subjects::Subjects,
    },
    /// What people say: consent and its withdrawal, objection
    Consent {
        #[command(subcommand)]
        command: consent::Consent,
    },
    /// Whom a deployment leaves out
    Suppression {
        #[command(subcommand)]
        command: suppression::Suppression,
    },
    /// Runs
    Run {
        #[command(subcommand)]
        command: retire::Run,
    },
    /// Models and their versions
    Model {
        #[command(subcommand)]
        command: simple::Model,
    },
    /// Purposes
    Purpose {
        #[command(subcommand)]
        command: things::Things,
    },
    /// Legal bases
    Basis {
        #[command(subcommand)]
        command: things::Things,
    },
    /// What people are told, and what was promised to them
    Notice {
        #[command(subcommand)]
        command: notice::Notice,
    },
    /// Assessments that close lineage where no run can
    Assessment {
        #[command(subcommand)]
        command: things::Things,
    },
    /// The organisation's policy on reviews and the gate, `policy:organisation`
    Policy {
        #[command(subcommand)]
        command: policy::Policy,
    },
    /// Systems: the use cases a board knows
    System {
        #[command(subcommand)]
        command: things::Things,
    },
    /// Environments, and how they enforce
    Env {
        #[command(subcommand)]
        command: simple::Environment,
    },
    /// Deployments; rollback
    Deployment {
        #[command(subcommand)]
        command: deployment::Deployment,
    },
    /// Releases: propose, activate, withdraw
    Release {
        #[command(subcommand)]
        command: release::Release,
    },
    /// Decisions of the gate: list, show, compute again
    Decision {
        #[command(subcommand)]
        command: decision::Decision,
    },
    /// Reviews: open, vote, give an opinion, revoke
    Review {
        #[command(subcommand)]
        command: review::Review,
    },
    /// The ledger: head, entries, verification
    Ledger {
        #[command(subcommand)]
        command: ledger::Ledger,
    },
    /// People and services
    Actor {
        #[command(subcommand)]
        command: access::Actor,
    },
    /// API tokens
    Token {
        #[command(subcommand)]
        command: access::Token,
    },
    /// Who this token belongs to, and what it allows
    #[command(after_help = "Example:\n  licit whoami")]
    Whoami,
    /// The configuration file
    Config {
        #[command(subcommand)]
        command: config::Config,
    },
    /// Shell completions, on stdout
    Completions(completions::CompletionsArgs),
    /// Start a server on a fresh database and tell the whole story on real data
    Demo(demo::DemoArgs),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    /// Every command below, by what one types for it.
    fn walk<'a>(command: &'a clap::Command, typed: &str, see: &mut impl FnMut(&'a clap::Command, &str)) {
        for sub in command.get_subcommands() {
            let typed = format!("{typed} {}", sub.get_name());
            see(sub, &typed);
            walk(sub, &typed, see);
        }
    }

    #[test]
    fn every_command_says_what_it_does_and_shows_an_example() {
        let whole = Cli::command();
        let (mut lacking, mut wide) = (Vec::new(), Vec::new());
        walk(&whole, "licit", &mut |command, typed| {
            assert!(command.get_about().is_some(), "`{typed}` has no help");
            let shown = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            // A broken line is not what people copy.
            let long = |line: &&str| line.chars().count() > 80 && line.trim_start().starts_with("licit ");
            wide.extend(shown.lines().filter(long).map(str::to_owned));
            // A group of commands does nothing by itself; its commands have the examples.
            let group = command.is_subcommand_required_set();
            // What many collections share, such as `list`, is shown on one of them.
            let shows = |line: &str| line.contains("licit ") && line.split(' ').any(|word| word == command.get_name());
            let example = shown.split_once("Example").is_some_and(|(_, example)| example.lines().any(shows));
            if !group && !example {
                lacking.push(typed.to_owned());
            }
        });
        assert!(lacking.is_empty(), "no example: {lacking:#?}");
        assert!(wide.is_empty(), "examples that 80 columns do not hold: {wide:#?}");
    }
}

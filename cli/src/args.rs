//! The command line. Doc comments are the help; each command's own arguments stand in its file.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::commands::{
    access, baseline, calendar, completions, config, contest, dataset, decision, delegation, deployment, diff, events,
    exposure, gaps, gate, impact, init, ledger, lineage, policy, register, release, retire, review, simple, things,
    vocabulary, webhook, whatif,
};
use crate::demo;

/// Licit, the model registry that answers: are we allowed to use these people's data, in this system, for this purpose?
#[derive(Debug, Parser)]
#[command(name = "licit", version, propagate_version = true, arg_required_else_help = true, max_term_width = 110)]
#[command(after_help = "Exit codes:
  0  allowed, or done
  1  failure
  2  wrong usage
  3  refused by the gate
  4  the ledger does not verify
  5  the server was not reached; a pipeline treats this as refused

Examples:
  licit demo                                see the whole story on real data
  licit init && licit register              register what a pipeline made
  licit gate vote-forecast --artifact model/  may it run?")]
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
    /// Answer with the API's JSON on stdout, and nothing else there
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// Commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a commented licit.yaml
    Init(init::InitArgs),
    /// Print the JSON Schema of licit.yaml, for editors
    Schema,
    /// Register what licit.yaml describes, all or nothing
    Register(register::RegisterArgs),
    /// Say what `register` and a release would lead to, writing nothing
    Plan(register::PlanArgs),
    /// May this deployment run? Records the decision
    Gate(gate::GateArgs),
    /// Everything about a deployment: what holds, what does not, and why
    Explain(gate::ExplainArgs),
    /// What came from what
    Lineage(lineage::LineageArgs),
    /// The personal data that reach a thing
    Exposure(exposure::ExposureArgs),
    /// Terms of the vocabularies: purposes, data categories, subjects
    Vocabulary(vocabulary::VocabularyArgs),
    /// What would be if: which deployments turn, by which rule, along which path
    Whatif(whatif::WhatIfArgs),
    /// Everything downstream of a thing, with its state
    Impact(impact::ImpactArgs),
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

    #[test]
    fn every_command_has_help_that_fits() {
        fn walk(command: &clap::Command) {
            for sub in command.get_subcommands() {
                assert!(sub.get_about().is_some(), "{} has no help", sub.get_name());
                walk(sub);
            }
        }
        walk(&Cli::command());
    }
}

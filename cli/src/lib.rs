//! `licit`, the command line of the Licit registry.
//!
//! One file per command in `commands/`; what they share stands beside them: the HTTP [`client`], the [`config`] file, documents
//! read from YAML with the place of every fault ([`source`], [`yaml`]), the [`manifest`] of a pipeline, what files hold ([`mod@scan`]),
//! [`hashing`], pseudonyms of [`subjects`], and what people see ([`output`]). Every command writes either text for people or, with `--json`, what the API answered.

use std::process::ExitCode;

use clap::Parser;

mod args;
mod client;
mod clock;
mod collection;
mod commands;
mod config;
mod context;
mod demo;
mod error;
mod hashing;
mod manifest;
mod output;
mod receipts;
mod scan;
mod source;
mod subjects;
mod yaml;

/// Whether these words (the program's name first) are a command with its arguments: what the gate tells people to type must be one.
///
/// # Errors
/// What is wrong with them, as a person would read it.
pub fn understood(words: &[String]) -> Result<(), String> {
    args::Cli::try_parse_from(words).map(drop).map_err(|e| e.to_string())
}

/// Read the arguments, run the command, say what went wrong, and end with its exit code.
pub fn main() -> ExitCode {
    let cli = args::Cli::parse();
    let context = context::Context::new(cli.globals);
    let exit = commands::run(&context, cli.command).unwrap_or_else(|failure| {
        context.report(&failure);
        failure.exit()
    });
    exit.into()
}

//! `licit completions`.

use clap::Args;
use clap_complete::Shell;

use crate::error::Exit;
use crate::output;

/// For which shell.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  licit completions bash > /etc/bash_completion.d/licit")]
pub(crate) struct CompletionsArgs {
    /// Shell
    shell: Shell,
}

/// Write them to stdout.
pub(crate) fn run(args: &CompletionsArgs, command: &mut clap::Command) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, command, "licit", &mut script);
    output::print(&String::from_utf8_lossy(&script));
    Exit::Done
}

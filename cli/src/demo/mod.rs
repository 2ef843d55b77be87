//! `licit demo`: a server on a fresh database, and the whole story on real data.
//!
//! Every step is the command a person would type, run as a program of its own with that person's token; [`story`] runs and
//! checks them, [`script`] says what is told, [`server`] starts and stops the registry, [`files`] are what it is about,
//! [`interrupt`] clears up where somebody stops it.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;

use crate::error::{Exit, Result};
use crate::output::{self, style};

mod files;
mod interrupt;
mod script;
mod server;
mod story;

/// How to tell it.
#[derive(Debug, Args)]
#[command(after_help = "Exit code 1 names the step that came out otherwise than told.

Examples:
  licit demo
  licit demo --keep       # then look around with the tokens it prints")]
pub(crate) struct DemoArgs {
    /// Leave the server running, and print its address and tokens
    #[arg(long)]
    keep: bool,
    /// The server's program; default: `licit-server` beside this one, else on the PATH
    #[arg(long, value_name = "PATH")]
    server: Option<PathBuf>,
}

/// Tell the story.
pub(crate) fn run(args: &DemoArgs) -> Result<Exit> {
    let began = Instant::now();
    let home = files::unpack()?;
    let watch = interrupt::Watch::over(home.clone());
    let lives = if args.keep { server::Lives::Longer } else { server::Lives::WithDemo };
    let told = server::start(args.server.as_deref(), &home, lives, &watch).and_then(|running| {
        let mut story = story::Story::new(&home, &running)?;
        let told = script::tell(&mut story);
        match told {
            Ok(()) if args.keep => story.leave_running(running),
            told => running.stop().and(told).map(|()| story.steps()),
        }
    });
    if !args.keep || told.is_err() {
        // The database of a demo is nobody's record.
        let _ = std::fs::remove_dir_all(&home);
    }
    let steps = told?;
    let seconds = began.elapsed().as_secs_f32();
    output::print(&format!("\n{} in {steps} steps and {seconds:.1} s", style::green("the story came out as told")));
    Ok(Exit::Done)
}

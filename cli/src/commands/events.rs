//! `licit events`: what happens, as it happens.

use std::thread::sleep;
use std::time::Duration;

use clap::Args;
use licit_schemas::events::CloudEvent;

use crate::context::Context;
use crate::error::{Exit, Failure, Result};
use crate::output::{self, resource};

/// How often a stream that broke is taken up again, and after which pause.
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::from_secs(2);

/// Which events.
#[derive(Debug, Args)]
#[command(after_help = "With --json each event is one line: CloudEvents 1.0.

Examples:
  licit events --kind \"gap.*\"
  licit events --follow --kind decision.made --json
  licit events --follow --after 1200")]
pub(crate) struct EventsArgs {
    /// Go on with what is recorded from now on
    #[arg(long)]
    follow: bool,
    /// Which kinds of facts, as a glob; may be repeated; default: all
    #[arg(long = "kind", visible_alias = "kinds", value_name = "GLOB")]
    kinds: Vec<String>,
    /// Only events after this ledger position; default: from the first, with --follow from now on
    #[arg(long, value_name = "SEQ")]
    after: Option<u64>,
    /// Events after which it ends
    #[arg(long)]
    limit: Option<u64>,
}

/// Show the events.
pub(crate) fn run(context: &Context, args: &EventsArgs) -> Result<Exit> {
    let client = context.client()?;
    let kinds = (!args.kinds.is_empty()).then(|| args.kinds.join(","));
    let (mut after, mut left, mut broke) = (args.after, args.limit, 0);
    loop {
        let (place, limit) = (after.map(|seq| seq.to_string()), left.map(|n| n.to_string()));
        let query = [
            ("after", place.as_deref()),
            ("kinds", kinds.as_deref()),
            ("follow", args.follow.then_some("true")),
            ("limit", limit.as_deref()),
        ];
        let mut faulty = None;
        let outcome = client.lines("/events", &query, |line| {
            if let Some(id) = line.strip_prefix("id: ").and_then(|id| id.trim().parse().ok()) {
                after = Some(id);
                broke = 0;
            } else if let Some(data) = line.strip_prefix("data: ") {
                match shown(context, data) {
                    Ok(text) => output::print(&text),
                    Err(failure) => faulty = Some(failure),
                }
                left = left.map(|n| n.saturating_sub(1));
            }
        });
        if let Some(failure) = faulty {
            return Err(failure);
        }
        match outcome {
            Ok(()) | Err(Failure::NotReached(_)) if args.follow && left != Some(0) && broke < ATTEMPTS => {
                // The first time, a server that is not there is an error; later it may be starting again.
                if after.is_none() && broke == 0 {
                    outcome?;
                }
                broke += 1;
                sleep(PAUSE);
            }
            outcome => return outcome.map(|()| Exit::Done),
        }
    }
}

fn shown(context: &Context, data: &str) -> Result<String> {
    if context.json() {
        return Ok(data.to_owned());
    }
    let event: CloudEvent = serde_json::from_str(data)
        .map_err(|e| Failure::plain(format!("the server sent an event this version of licit does not expect: {e}")))?;
    let kind = event.r#type.strip_prefix("eu.licit.").unwrap_or(&event.r#type);
    Ok(format!("{:>6}  {}  {kind:<24}  {}", event.id, resource::minute(&event.time.to_string()), event.subject))
}

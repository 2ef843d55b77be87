//! `licit break-glass`: what was let through in emergencies, and until when the board has to say something.

use clap::Subcommand;
use licit_schemas::adoption::BreakGlassSpec;
use licit_schemas::time::Timestamp;
use serde_json::Value;

use super::things::{self, ListArgs, ShowArgs};
use crate::client::typed;
use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::{resource, style, table};

/// What to do with uses of break-glass.
#[derive(Debug, Subcommand)]
pub(crate) enum BreakGlass {
    /// List, newest first, with both deadlines
    #[command(
        after_help = "`licit release break-glass` lets one through.\n\nExample:\n  licit break-glass list --parent deployment:vote-forecast"
    )]
    List(ListArgs),
    /// One use: what it let through, until when it runs, until when the board ratifies it
    #[command(after_help = "Example:\n  licit break-glass show inc-2041")]
    Show(ShowArgs),
}

/// Run the command.
pub(crate) fn run(context: &Context, command: BreakGlass) -> Result<Exit> {
    match command {
        BreakGlass::List(args) => things::list_as(context, &c::BREAK_GLASSES, &args, list),
        BreakGlass::Show(args) => {
            let client = context.client()?;
            let found = c::BREAK_GLASSES.find_at(&client, &args.reference, args.known_at, args.valid_at)?;
            let spec: BreakGlassSpec = typed(&found["spec"])?;
            let now = Timestamp::from_chrono(std::time::SystemTime::now().into());
            context.answer(&found, || show(&found, &spec, now));
            Ok(Exit::Done)
        }
    }
}

fn list(items: &[Value]) -> String {
    let row = |item: &Value| {
        let minute = |name: &str| resource::minute(&resource::text(&item["spec"][name]));
        vec![
            resource::text(&item["ref"]),
            resource::text(&item["state"]),
            resource::text(&item["spec"]["release"]),
            minute("valid_to"),
            minute("ratify_by"),
        ]
    };
    table::table(&["reference", "state", "release", "runs until", "ratify by"], items.iter().map(row).collect())
}

/// What holds of a use at a moment, by what the board said of it.
fn standing(state: &str, spec: &BreakGlassSpec, now: Timestamp) -> String {
    match state {
        "approved" => style::green("ratified by the board"),
        "revoked" => style::red("ratified, and taken back"),
        _ if now < spec.ratify_by => style::yellow("waits for the board"),
        _ => style::red("not ratified in time: `licit gaps` shows it until the board does"),
    }
}

fn show(found: &Value, spec: &BreakGlassSpec, now: Timestamp) -> String {
    let until = |end: Timestamp| {
        let minute = resource::minute(&end.to_string());
        if now < end { minute } else { format!("{minute}, which is over") }
    };
    let head = table::facts(&[
        ("reference", resource::text(&found["ref"])),
        ("state", standing(found["state"].as_str().unwrap_or_default(), spec, now)),
        ("release", spec.release.clone()),
        ("person", spec.person.0.to_string()),
        ("let through", resource::minute(&spec.valid_from.to_string())),
        ("runs until", until(spec.valid_to)),
        ("ratify by", until(spec.ratify_by)),
        ("ledger", format!("entry {}", found["seq"])),
    ]);
    let findings = spec.findings.iter().map(|item| vec![item.rule.clone(), item.nodes.join(", ")]).collect();
    format!("{head}\n{}", table::table(&["despite", "of"], findings))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_shows_what_is_still_to_come() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let spec: BreakGlassSpec = serde_json::from_value(serde_json::json!({
            "incident": "inc-1", "deployment": "deployment:a", "release": "release:a@1",
            "person": "01a212d4-0c03-7ad9-91c4-0604d6dfdfbd",
            "reason_digest": format!("sha256:{}", "0".repeat(64)), "valid_from": "2026-11-20T18:00:00Z",
            "valid_to": "2026-11-21T06:00:00Z", "ratify_by": "2026-11-26T00:00:00Z", "findings": [],
        }))
        .unwrap();
        let shown = |state: &str, now: &str| {
            let found = serde_json::json!({"ref": "break-glass:inc-1@1", "state": state, "seq": 7});
            anstream::adapter::strip_str(&show(&found, &spec, at(now))).to_string()
        };
        let early = shown("used", "2026-11-20T20:00:00Z");
        assert!(early.contains("waits for the board") && !early.contains("which is over"), "{early}");
        let later = shown("used", "2026-11-22T00:00:00Z");
        assert!(later.contains("waits") && later.contains("2026-11-21 06:00, which is over"), "{later}");
        assert!(shown("used", "2026-11-26T00:00:00Z").contains("not ratified in time"));
        assert!(shown("approved", "2026-12-01T00:00:00Z").contains("ratified by the board"));
    }
}

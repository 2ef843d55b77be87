//! `licit calendar`.

use clap::Args;
use licit_schemas::known::KnownAt;
use licit_schemas::reports::Calendar;
use licit_schemas::time::Timestamp;

use crate::client::typed;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::{style, table};

/// How far to look.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  licit calendar\n  licit calendar --days 30\n  licit calendar --until 2027-06-30 --json"
)]
pub(crate) struct CalendarArgs {
    /// Days from now, or from --valid-at
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=36500))]
    days: u16,
    /// Until this moment instead
    #[arg(long, value_name = "TIME", conflicts_with = "days")]
    until: Option<Timestamp>,
    /// As known at a ledger position or a time; default: now
    #[arg(long, value_name = "WHEN")]
    known_at: Option<KnownAt>,
    /// Look from this moment on; default: now
    #[arg(long, value_name = "TIME")]
    valid_at: Option<Timestamp>,
}

/// Show what ends when.
pub(crate) fn run(context: &Context, args: &CalendarArgs) -> Result<Exit> {
    let now = || Timestamp::from_chrono(std::time::SystemTime::now().into());
    let later = || args.valid_at.unwrap_or_else(now).plus(chrono::Duration::days(i64::from(args.days)));
    let until = args.until.unwrap_or_else(later).to_string();
    let known_at = args.known_at.map(|at| at.to_string());
    let valid_at = args.valid_at.map(|at| at.to_string());
    let query = [("until", Some(until.as_str())), ("known_at", known_at.as_deref()), ("valid_at", valid_at.as_deref())];
    let answer = context.client()?.get("/calendar", &query)?;
    let calendar: Calendar = typed(&answer)?;
    context.answer(&answer, || {
        let day = |at: &str| at.get(..10).unwrap_or(at).to_owned();
        if calendar.items.is_empty() {
            return style::green(&format!("nothing ends until {}", day(&calendar.until.to_string())));
        }
        let rows = calendar.items.iter().map(|item| {
            let hit: Vec<&str> = item.deployments.iter().map(|d| d.trim_start_matches("deployment:")).collect();
            let within = match item.warn {
                Some(days @ ..=7) => style::red(&format!("{days} d")),
                Some(days) => style::yellow(&format!("{days} d")),
                None => String::new(),
            };
            vec![day(&item.on.to_string()), within, item.says.replace('`', ""), hit.join(", ")]
        });
        table::table(&["on", "within", "what", "runs on it"], rows.collect())
    });
    Ok(Exit::Done)
}

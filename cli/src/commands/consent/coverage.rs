//! `licit consent coverage`: how many members' consent holds.

use clap::Args;
use licit_schemas::consent::{Coverage, Sample, SampleQuery};
use licit_schemas::known::KnownAt;
use licit_schemas::time::Timestamp;

use super::asked::Asked;
use crate::client::typed;
use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::{resource, style, table};

/// Whose consent to what.
#[derive(Debug, Args)]
#[command(
    after_help = "Broader purposes count where their approval includes narrower. With --sample, some of those without consent are \
named by pseudonym, for the data protection officer.

Examples:
  licit consent coverage crm/people@3 --purpose ads --channel email
  licit consent coverage crm/people@3 --purpose ads --valid-at 2026-01-01
  licit consent coverage crm/people@3 --purpose ads --sample 10"
)]
pub(crate) struct CoverageArgs {
    /// Dataset version, or its id
    #[arg(value_name = "DATASET@VERSION")]
    of: String,
    #[command(flatten)]
    asked: Asked,
    /// The moment asked for; default: now
    #[arg(long, value_name = "TIME")]
    valid_at: Option<Timestamp>,
    /// As known at a ledger position or a time; default: now
    #[arg(long, value_name = "WHEN")]
    known_at: Option<KnownAt>,
    /// Name so many of those without consent; only as known now
    #[arg(long, value_name = "N", conflicts_with = "known_at", value_parser = clap::value_parser!(u32).range(1..=1000))]
    sample: Option<u32>,
}

/// Run the command.
pub(crate) fn run(context: &Context, args: &CoverageArgs) -> Result<Exit> {
    let purpose = args.asked.purpose()?;
    let client = context.client()?;
    let path = format!("/dataset-versions/{}/coverage", c::DATASET_VERSIONS.id(&client, &args.of)?);
    let word = serde_json::to_value(args.asked.channel).unwrap_or_default();
    let (of, valid_at) = (purpose.to_string(), args.valid_at.map(|at| at.to_string()));
    let known_at = args.known_at.map(|at| at.to_string());
    let query = [
        ("purpose", Some(of.as_str())),
        ("channel", word.as_str()),
        ("explicit", args.asked.explicit.then_some("true")),
        ("parental", args.asked.parental.then_some("true")),
        ("valid_at", valid_at.as_deref()),
        ("known_at", known_at.as_deref()),
    ];
    let mut answer = client.get(&path, &query)?;
    let coverage: Coverage = typed(&answer)?;
    let sample = match args.sample {
        Some(limit) => {
            let wanted = c::within_bounds(SampleQuery {
                purpose,
                channel: args.asked.channel,
                explicit: args.asked.explicit,
                parental: args.asked.parental,
                // The moment just counted, not one a little later.
                valid_at: Some(coverage.valid_at),
                limit,
            })?;
            let named = client.post(&format!("{path}/sample"), &wanted)?;
            answer["sample"] = named.clone();
            Some(typed::<Sample>(&named)?)
        }
        None => None,
    };
    context.answer(&answer, || text(&coverage, sample.as_ref()));
    Ok(Exit::Done)
}

fn text(coverage: &Coverage, sample: Option<&Sample>) -> String {
    let word = |channel| serde_json::to_value(channel).map(|word| resource::text(&word)).unwrap_or_default();
    let by = coverage.channel.map(|channel| format!(" by {}", word(channel))).unwrap_or_default();
    let explicit = if coverage.explicit { ", only explicit consent" } else { "" };
    let only = if coverage.parental { format!("{explicit}, only given by parents") } else { explicit.to_owned() };
    let missing = match coverage.missing {
        0 => style::green("0"),
        missing => style::red(&missing.to_string()),
    };
    let mut text = table::facts(&[
        ("members of", coverage.dataset_version.to_string()),
        ("consent to", format!("{}{by}{only}", coverage.purpose)),
        ("at", resource::minute(&coverage.valid_at.to_string())),
        ("known at", format!("ledger entry {}", coverage.position)),
        ("members", coverage.members.to_string()),
        ("covered", format!("{}{}", coverage.covered, share(coverage))),
        ("missing", missing),
    ]);
    if let Some(sample) = sample {
        let named = sample.subjects.len();
        text.push_str(&format!("\n{named} of {} without consent:\n", sample.missing));
        sample.subjects.iter().for_each(|one| text.push_str(&format!("  {one}\n")));
    }
    text
}

/// The covered in percent, rounded down: all but one of a million are not 100 %.
fn share(coverage: &Coverage) -> String {
    let tenths = coverage.covered.saturating_mul(1000).checked_div(coverage.members);
    tenths.map(|tenths| format!(" ({}.{} %)", tenths / 10, tenths % 10)).unwrap_or_default()
}

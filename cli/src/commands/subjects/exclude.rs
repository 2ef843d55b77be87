//! `licit subjects exclude`: the member set without those who have no valid consent, or who object, or whose data are restricted.

use std::path::PathBuf;

use clap::Args;
use licit_schemas::subjects::{CorrectedView, ExcludeCreate, Excluded};
use serde_json::json;

use crate::client::{Client, typed};
use crate::collection as c;
use crate::commands::consent::asked::Asked;
use crate::context::Context;
use crate::error::{Exit, Failure, Result};
use crate::output::private::Lines;
use crate::output::{style, table};

/// Whom to leave out.
#[derive(Debug, Args)]
#[command(
    after_help = "Nothing is taken out of the dataset: leave these people out where you read it, and name the set in the run. Whoever's data \
are restricted is left out whatever is asked; to direct marketing, so is whoever objects.

Examples:
  licit subjects exclude crm/people@3 --purpose scoring -o left-out.txt
  licit subjects exclude crm/people@3 --purpose health-research --explicit"
)]
pub(crate) struct ExcludeArgs {
    /// Dataset version whose members are asked
    #[arg(value_name = "DATASET@VERSION")]
    of: String,
    #[command(flatten)]
    asked: Asked,
    /// Leave out those who object, instead of those without consent (GDPR Art. 21(1))
    #[arg(long, conflicts_with_all = ["channel", "explicit"])]
    objecting: bool,
    /// Leave out those alone whose data are restricted, consent or not (GDPR Art. 18(1))
    #[arg(long, conflicts_with_all = ["channel", "explicit", "objecting"])]
    restricted: bool,
    /// File for the pseudonyms left out, one a line, readable by you alone
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Run the command.
pub(crate) fn run(context: &Context, args: &ExcludeArgs) -> Result<Exit> {
    let create = c::within_bounds(ExcludeCreate {
        dataset_version: c::DATASET_VERSIONS.reference(&args.of)?,
        purpose: args.asked.purpose()?,
        channel: args.asked.channel,
        explicit: args.asked.explicit,
        parental: args.asked.parental,
        objecting: args.objecting,
        restricted: args.restricted,
    })?;
    let client = context.client()?;
    // Where the file cannot be written, nothing is made.
    let mut file = args.output.as_deref().map(Lines::begin).transpose()?;
    let mut answer = client.post_persistently("/member-sets", &create)?;
    let made: CorrectedView = typed(&answer)?;
    if let Some(mut lines) = file.take() {
        let written = write(&client, &made, &mut lines)?;
        lines.finish()?;
        answer["written"] = json!(written);
    }
    context.answer(&answer, || text(&made, args));
    Ok(Exit::Done)
}

/// Those left out, page by page.
fn write(client: &Client, made: &CorrectedView, lines: &mut Lines) -> Result<u64> {
    let (mut after, mut written): (Option<u32>, u64) = (None, 0);
    loop {
        let from = after.map(|place| place.to_string());
        let path = format!("/member-sets/{}/excluded", made.id.0);
        let page: Excluded = client.get_as(&path, &[("after", from.as_deref())])?;
        for subject in &page.subjects {
            lines.line(&subject.to_string())?;
        }
        written += page.subjects.len() as u64;
        match page.next {
            Some(next) if Some(next) > after => after = Some(next),
            Some(_) => return Err(Failure::plain("the server gives the same page again and again")),
            None if written == made.spec.excluded => return Ok(written),
            None => {
                let sentence = format!(
                    "{} people are left out and the server names {written} of them: nothing was written; ask again with \
                     the same command",
                    made.spec.excluded
                );
                return Err(Failure::plain(sentence));
            }
        }
    }
}

fn text(made: &CorrectedView, args: &ExcludeArgs) -> String {
    let mut text = table::facts(&[
        ("member set", made.id.0.to_string()),
        ("of", made.spec.dataset_version.to_string()),
        ("purpose", made.spec.purpose.to_string()),
        ("stay", made.spec.count.to_string()),
        ("left out", made.spec.excluded.to_string()),
        ("entry", made.seq.to_string()),
    ]);
    if let Some(path) = &args.output {
        text.push_str(&format!("who is left out stands in `{}`\n", path.display()));
    }
    let next = format!("next, under `run:` in licit.yaml:\n  member_sets: [{}]", made.id.0);
    text + &style::dim(&next)
}

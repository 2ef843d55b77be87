//! `licit impact`.

use clap::Args;
use licit_schemas::consent::Channel;
use licit_schemas::gate::Verdict;
use licit_schemas::known::KnownAt;
use licit_schemas::reference::Ref;
use licit_schemas::reports::{Impact, SubjectsImpact, SubjectsIn, SubjectsQuery};
use licit_schemas::subjects::Pseudonym;
use licit_schemas::time::Timestamp;

use super::consent::asked::{channel, purpose};
use crate::client::typed;
use crate::collection::{any_reference, within_bounds};
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::{resource, style, table};
use crate::subjects::file::SubjectFile;

/// Of what.
#[derive(Debug, Args)]
#[command(
    after_help = "With a file of people: where they are, and what would follow if they all withdrew now; how many, never who.

Examples:
  licit impact dataset:crm/customers
  licit impact basis:research
  licit impact model:vote-model@1 --known-at 2026-06-01
  licit impact --subject-file pseudonyms.txt --purpose ads
  licit impact --subject-file people.csv --column email --key crm.key \\
      --purpose ads"
)]
pub(crate) struct ImpactArgs {
    /// Anything that has a reference; a dataset or model without version stands for all of them
    #[arg(value_name = "REF", required_unless_present = "subject_file", conflicts_with = "subject_file")]
    reference: Option<String>,
    #[command(flatten)]
    people: SubjectFile,
    /// Key of the purpose from which the people of the file would withdraw
    #[arg(long, value_name = "KEY", requires = "subject_file", required_unless_present = "reference")]
    purpose: Option<String>,
    /// They would withdraw from being contacted this way, not from the purpose itself
    #[arg(long, value_parser = channel(), requires = "subject_file")]
    channel: Option<Channel>,
    /// As known at a ledger position or a time; default: now
    #[arg(long, value_name = "WHEN")]
    known_at: Option<KnownAt>,
    /// With the assessments that hold at this moment; default: now
    #[arg(long, value_name = "TIME", conflicts_with = "subject_file")]
    valid_at: Option<Timestamp>,
}

/// Show what lies downstream.
pub(crate) fn run(context: &Context, args: &ImpactArgs) -> Result<Exit> {
    if let (Some(people), Some(of)) = (args.people.pseudonyms()?, &args.purpose) {
        return of_people(context, people, purpose(of)?, args);
    }
    let reference = any_reference(args.reference.as_deref().unwrap_or_default())?.to_string();
    let known_at = args.known_at.map(|at| at.to_string());
    let valid_at = args.valid_at.map(|at| at.to_string());
    let query =
        [("ref", Some(reference.as_str())), ("known_at", known_at.as_deref()), ("valid_at", valid_at.as_deref())];
    let answer = context.client()?.get("/impact", &query)?;
    let impact: Impact = typed(&answer)?;
    context.answer(&answer, || {
        if impact.items.is_empty() {
            return style::green(&format!("nothing is downstream of {}", impact.r#ref));
        }
        let rows = impact.items.iter().map(|item| {
            vec![item.r#ref.clone(), item.state.clone(), item.how.join(", "), item.owner.clone().unwrap_or_default()]
        });
        table::table(&["downstream", "state", "how", "owner"], rows.collect())
    });
    Ok(Exit::Done)
}

/// Where people are, and what would follow if they withdrew.
fn of_people(context: &Context, subjects: Vec<Pseudonym>, purpose: Ref, args: &ImpactArgs) -> Result<Exit> {
    let (channel, known_at) = (args.channel, args.known_at);
    let query = within_bounds(SubjectsQuery { subjects, purpose, channel, known_at })?;
    let answer = context.client()?.post("/impact/subjects", &query)?;
    let impact: SubjectsImpact = typed(&answer)?;
    context.answer(&answer, || people(&impact));
    Ok(Exit::Done)
}

fn people(impact: &SubjectsImpact) -> String {
    let SubjectsImpact { asked, known, consenting, purpose, .. } = impact;
    let mut text = format!("{known} of {asked} people are known; consent to {purpose} stands for {consenting}\n");
    let rows: Vec<Vec<String>> = [&impact.datasets, &impact.models, &impact.deployments]
        .into_iter()
        .flatten()
        .map(|SubjectsIn { r#ref, people, how }| vec![r#ref.clone(), people.to_string(), how.join(", ")])
        .collect();
    text.push_str(&table::table(&["in", "people", "how"], rows));
    text.push_str("\nif they all withdrew now:\n");
    for turn in &impact.turned {
        let verdict = match turn.after {
            Some(Verdict::Allow) => style::green("allowed"),
            Some(Verdict::Deny) => style::red("refused"),
            None => style::yellow("nothing runs there"),
        };
        let rules: Vec<&str> = turn.came.iter().map(|finding| finding.rule.as_str()).collect();
        text.push_str(&format!("{}  {verdict}  {}\n", turn.deployment, rules.join(", ")));
    }
    if impact.actions.is_empty() {
        return text + "nothing is to be done in models";
    }
    let rows = impact.actions.iter().map(|action| {
        let due = action.due.map(|due| resource::minute(&due.to_string())).unwrap_or_default();
        vec![action.model.clone(), action.purpose.clone(), action.people.to_string(), due, action.remedy.to_string()]
    });
    text + &table::table(&["to be done in", "purpose", "people", "due", "remedy"], rows.collect())
}

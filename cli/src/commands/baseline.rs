//! `licit baseline`: take over what ran before the gate stood.

use clap::{Args, Subcommand};
use licit_schemas::adoption::{BaselineItem, BaselineOwner, BaselineProgress};
use licit_schemas::time::Timestamp;
use serde_json::json;

use super::things;
use crate::client::typed;
use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::{resource, style, table};

/// What to do with baselines.
#[derive(Debug, Subcommand)]
pub(crate) enum Baseline {
    /// Take over today's findings of what runs, for the board to vote on
    Create(CreateArgs),
    /// List, newest first
    List(things::ListArgs),
    /// Show everything that was recorded
    Show(things::ShowArgs),
    /// What of a baseline stands today, and what is cleared
    #[command(after_help = "Example:\n  licit baseline progress before-licit")]
    Progress(things::ShowArgs),
}

/// What to take over.
#[derive(Debug, Args)]
#[command(after_help = "The verdict stays what it is: what a baseline in force took over runs on, though denied. \
Worse findings, other releases, wrong bytes and prohibited practices are not covered.

Examples:
  licit baseline create before-licit --owner ml-team --until 2027-06-30 \\
      --reason \"What ran before the registry stood\" --share retention=crm-team:2027-03-31
  licit review create --title \"Take over what runs\" baseline:before-licit
  licit baseline progress before-licit")]
pub(crate) struct CreateArgs {
    /// Short key, such as `before-licit`
    key: String,
    /// Team that clears what is taken over
    #[arg(long)]
    owner: String,
    /// Until when: a date or a moment, at most two years ahead
    #[arg(long, value_name = "DATE")]
    until: Timestamp,
    /// Why it is bearable until then
    #[arg(long)]
    reason: String,
    /// Only what runs in this deployment; may be repeated; default: all
    #[arg(long, value_name = "DEPLOYMENT")]
    deployment: Vec<String>,
    /// Findings of this rule are another team's, with an end of their own where one is given; may be repeated
    #[arg(long = "share", value_name = "RULE=TEAM[:DATE]", value_parser = share)]
    shares: Vec<Share>,
}

/// Findings of a rule with an owner and perhaps an end of their own.
#[derive(Clone, Debug, PartialEq)]
struct Share {
    rule: String,
    team: String,
    until: Option<String>,
}

fn share(text: &str) -> std::result::Result<Share, String> {
    let (rule, rest) = text.split_once('=').ok_or("write it as RULE=TEAM, or RULE=TEAM:DATE")?;
    let (team, until) = rest.split_once(':').map_or((rest, None), |(team, until)| (team, Some(until.to_owned())));
    if rule.is_empty() || team.is_empty() || until.as_ref().is_some_and(String::is_empty) {
        return Err("write it as RULE=TEAM, or RULE=TEAM:DATE".to_owned());
    }
    Ok(Share { rule: rule.to_owned(), team: team.to_owned(), until })
}

/// Run the command.
pub(crate) fn run(context: &Context, command: Baseline) -> Result<Exit> {
    match command {
        Baseline::Create(args) => create(context, &args),
        Baseline::List(args) => things::list(context, &c::BASELINES, &args),
        Baseline::Show(args) => things::show(context, &c::BASELINES, &args),
        Baseline::Progress(args) => progress(context, &args),
    }
}

fn create(context: &Context, args: &CreateArgs) -> Result<Exit> {
    let named = args.deployment.iter().map(|name| Ok(c::DEPLOYMENTS.reference(name)?.to_string()));
    let deployments: Vec<String> = named.collect::<Result<_>>()?;
    let shares = args.shares.iter().map(|share| match &share.until {
        Some(until) => json!({"rule": share.rule, "owner": share.team, "valid_to": until}),
        None => json!({"rule": share.rule, "owner": share.team}),
    });
    let document = json!({
        "key": args.key, "owner": args.owner, "reason": args.reason, "valid_to": args.until, "deployments": deployments,
        "shares": shares.collect::<Vec<_>>(),
    });
    things::create_value(context, &c::BASELINES, document, false)
}

fn progress(context: &Context, args: &things::ShowArgs) -> Result<Exit> {
    let client = context.client()?;
    let id = c::BASELINES.id(&client, &args.reference)?;
    let (known_at, valid_at) = (args.known_at.map(|at| at.to_string()), args.valid_at.map(|at| at.to_string()));
    let clocks = [("known_at", known_at.as_deref()), ("valid_at", valid_at.as_deref())];
    let answer = client.get(&format!("/baselines/{id}/progress"), &clocks)?;
    let progress: BaselineProgress = typed(&answer)?;
    context.answer(&answer, || {
        let until = resource::minute(&progress.valid_to.to_string());
        let head = format!("{} of {} cleared, until {until}", progress.cleared, progress.total);
        if progress.open.is_empty() {
            return style::green(&head);
        }
        let owner = |one: &BaselineOwner| {
            let late = if one.past_due == 0 { String::new() } else { style::red(&one.past_due.to_string()) };
            vec![one.owner.clone(), format!("{} of {}", one.open, one.total), late]
        };
        let owners = table::table(&["who clears", "open", "past due"], progress.owners.iter().map(owner).collect());
        let days: Vec<String> = progress.burn_down.iter().map(|day| format!("{} {}", day.day, day.open)).collect();
        let day = |end: Timestamp| end.to_string().get(..10).unwrap_or_default().to_owned();
        let row = |item: &BaselineItem| {
            let until = item.valid_to.map(day).unwrap_or_default();
            vec![item.deployment.clone(), item.rule.clone(), item.nodes.join(", "), until]
        };
        let rows = progress.open.iter().map(row).collect();
        let open = table::table(&["deployment", "rule", "about", "ends earlier"], rows);
        format!("{head}\nopen by day: {}\n\n{owners}\n{open}", days.join(", "))
    });
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_rule_a_team_and_perhaps_a_date() {
        let of = |until: Option<&str>| Share {
            rule: "retention".to_owned(),
            team: "crm-team".to_owned(),
            until: until.map(str::to_owned),
        };
        assert_eq!(share("retention=crm-team"), Ok(of(None)));
        assert_eq!(share("retention=crm-team:2027-03-31"), Ok(of(Some("2027-03-31"))));
        for wrong in ["retention", "=crm-team", "retention=", "retention=crm-team:", ""] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
    }
}

//! `licit gate` and `licit explain`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use licit_schemas::adoption::BaselineSpec;
use licit_schemas::gate::{Decision, GateRequest, Intent};
use licit_schemas::known::KnownAt;
use licit_schemas::lineage::ExposureView;
use licit_schemas::proof::receipt::verify::Outcome;
use licit_schemas::time::Timestamp;
use serde_json::{Value, json};

use super::affected;
use super::release;
use super::things::{self, ListArgs};
use crate::client::{Client, typed};
use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Failure, Result};
use crate::output::report::{End, Report};
use crate::output::{self, decision, exposure, junit, resource, sarif, style, table};
use crate::receipts::{self, Question, Trust};

/// Form of the answer.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub(crate) enum Format {
    /// For people: what, why, the path, who, and what to do
    Text,
    /// The API's answer
    Json,
    /// SARIF 2.1.0, for code scanning; findings that a baseline took over are `unchanged`
    Sarif,
    /// JUnit XML, for test reports
    Junit,
}

/// What to ask.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 it may run, 3 it may not, 5 nobody could be asked in time (--timeout): treat as refused.

What begins is refused when nobody answers. What goes on passes then by a receipt that is valid: --continue --receipt. With --offline \
nobody is asked: what begins needs a receipt of a decision to begin, no older than --max-age.

Examples:
  licit gate vote-forecast --artifact vote-model/
  licit gate vote-forecast --continue        # restart, scale, tonight's batch
  licit gate vote-forecast --write-receipt vote.receipt --format sarif
  licit gate vote-forecast --continue --receipt vote.receipt --key licit.pub
  licit gate vote-forecast --release vote-forecast@3 --dry-run
  licit gate vote-forecast --dry-run --known-at 1200 --valid-at 2026-06-01
  licit gate --affected-by origin/main..HEAD --dry-run"
)]
pub(crate) struct GateArgs {
    /// Deployment, such as `vote-forecast`
    #[arg(required_unless_present = "affected_by")]
    deployment: Option<String>,
    /// Instead of one deployment, all that the changes between two commits reach: those planned by the `licit.yaml` nearest above
    /// a changed file, and those that its datasets and model are behind
    #[arg(long, value_name = "A..B", conflicts_with_all = ["deployment", "release", "artifacts", "valid_at", "known_at"])]
    affected_by: Option<String>,
    /// Release; default: the active one to go on, the latest proposed to start
    #[arg(long, value_name = "REF")]
    release: Option<String>,
    /// File or directory as found where it will run, its files under the names they were registered with; may be repeated
    #[arg(long = "artifact", value_name = "PATH")]
    artifacts: Vec<PathBuf>,
    /// Go on with what was allowed: passes while a grace runs
    #[arg(long = "continue")]
    go_on: bool,
    /// Answer without recording a decision
    #[arg(long)]
    dry_run: bool,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Format::Text, conflicts_with = "affected_by")]
    format: Format,
    /// File to write the receipt to; where there is none, no file stays there
    #[arg(long, value_name = "FILE", conflicts_with_all = ["dry_run", "affected_by", "receipt"])]
    write_receipt: Option<PathBuf>,
    /// Receipt by which it goes on when nobody answers, or with --offline runs without asking
    #[arg(long, value_name = "FILE", requires = "keys", conflicts_with_all = ["affected_by", "dry_run"])]
    receipt: Option<PathBuf>,
    /// Ask nobody: verify the receipt; to begin, with --max-age
    #[arg(long, requires = "receipt")]
    offline: bool,
    #[command(flatten)]
    trust: Trust,
    /// Judge another moment than now; with --dry-run
    #[arg(long, value_name = "TIME", requires = "dry_run")]
    valid_at: Option<Timestamp>,
    /// With what was known then: a ledger position or a time; with --dry-run
    #[arg(long, value_name = "WHEN", requires = "dry_run")]
    known_at: Option<KnownAt>,
}

/// What to explain.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  licit explain vote-forecast")]
pub(crate) struct ExplainArgs {
    /// Deployment, such as `vote-forecast`
    deployment: String,
    /// Release; default: the latest proposed, else the active one
    #[arg(long, value_name = "REF")]
    release: Option<String>,
}

/// Ask the gate.
pub(crate) fn gate(context: &Context, args: &GateArgs) -> Result<Exit> {
    let intent = if args.go_on { Intent::Continue } else { Intent::Start };
    if let Some(range) = &args.affected_by {
        return affected::gate(context, range, intent, args.dry_run);
    }
    // Whatever goes wrong from here on, the receipt of another day does not stand where a new one is wanted.
    if let Some(path) = args.write_receipt.as_ref().filter(|path| args.receipt.as_ref() != Some(*path)) {
        absent(path)?;
    }
    let deployment = args.deployment.as_deref().unwrap_or_default();
    let format = if context.json() { Format::Json } else { args.format };
    let request = c::within_bounds(GateRequest {
        deployment: Some(c::DEPLOYMENTS.reference(deployment)?),
        release: args.release.as_ref().map(|release| c::RELEASES.reference(release)).transpose()?,
        intent,
        artifacts: release::artifacts(&args.artifacts)?,
        dry_run: args.dry_run,
        receipt: args.write_receipt.is_some(),
        valid_at: args.valid_at,
        known_at: args.known_at,
    })?;
    if args.offline {
        // What begins is refused where nobody answers: who asks nobody says at least how old an answer may be.
        if !args.go_on && args.trust.max_age.is_none() {
            return Err(Failure::Usage(
                "to begin by a receipt without asking, say with --max-age how old the decision may be; --continue goes on by any that is valid"
                    .to_owned(),
            ));
        }
        return by_receipt(args, &request, format, None);
    }
    let answered = context.client().and_then(|client| Ok((client.post("/gate", &request)?, client)));
    match answered {
        Ok((answer, client)) => {
            if let Some(path) = &args.write_receipt {
                keep(path, &answer)?;
            }
            shown(context, &client, &answer, format)
        }
        Err(failure) if failure.exit() == Exit::NotReached && args.go_on && args.receipt.is_some() => {
            by_receipt(args, &request, format, Some(&failure))
        }
        Err(failure) => {
            if let Some(path) = &args.write_receipt {
                absent(path)?;
            }
            let named = request.deployment.as_ref().map(ToString::to_string).unwrap_or_default();
            print(&Report::without(&named, End::NotAsked, failure.to_string()), format);
            Err(failure)
        }
    }
}

/// A report in the format of a machine; people and `--json` are told otherwise.
fn print(report: &Report, format: Format) {
    match format {
        Format::Sarif => output::print(&serde_json::to_string_pretty(&sarif::log(report)).unwrap_or_default()),
        Format::Junit => output::print(&junit::suite(report)),
        Format::Text | Format::Json => {}
    }
}

fn shown(context: &Context, client: &Client, answer: &Value, format: Format) -> Result<Exit> {
    match format {
        Format::Text => release::decided(context, client, answer),
        Format::Json => {
            let decided: Decision = typed(answer)?;
            output::print(&serde_json::to_string_pretty(answer).unwrap_or_default());
            Ok(if decided.passes { Exit::Done } else { Exit::Refused })
        }
        Format::Sarif | Format::Junit => {
            let decided: Decision = typed(answer)?;
            let silent = decided.findings.is_empty() && decided.actions_due.is_empty();
            let taken = if silent { Vec::new() } else { baselines(client, decided.valid_at)? };
            print(&Report::of(&decided, &taken, decided.valid_at), format);
            Ok(if decided.passes { Exit::Done } else { Exit::Refused })
        }
    }
}

/// Baselines the board approved that have not ended, by reference.
fn baselines(client: &Client, now: Timestamp) -> Result<Vec<(String, BaselineSpec)>> {
    let all = |path: &str| -> Result<Vec<Value>> {
        let page = or_none(things::pages(client, path, &ListArgs { all: true, ..ListArgs::default() }))?;
        Ok(page.and_then(|page| page["items"].as_array().cloned()).unwrap_or_default())
    };
    let stated = all("/baselines")?;
    if stated.is_empty() {
        return Ok(Vec::new());
    }
    let approvals = all("/approvals")?;
    let holds = |reference: &str| {
        approvals.iter().any(|one| {
            let ends: Option<Timestamp> = typed(&one["spec"]["valid_to"]).ok();
            one["state"] == "granted" && one["spec"]["subject"]["ref"] == reference && ends.is_some_and(|end| now < end)
        })
    };
    let each = stated.into_iter().filter_map(|item| {
        let (reference, spec) = (item["ref"].as_str()?.to_owned(), typed::<BaselineSpec>(&item["spec"]).ok()?);
        (now < spec.valid_to && holds(&reference)).then_some((reference, spec))
    });
    Ok(each.collect())
}

/// Put the receipt where it is wanted. An old one must not be taken for it: where there is none, nothing stays there.
fn keep(path: &Path, answer: &Value) -> Result<()> {
    match answer.get("receipt") {
        Some(receipt) => {
            let text = serde_json::to_string_pretty(receipt).unwrap_or_default();
            std::fs::write(path, text + "\n").map_err(|e| Failure::file("write", path, &e))
        }
        None => {
            absent(path)?;
            let why = answer["no_receipt"].as_str().unwrap_or("this server gives none");
            output::warn(&format!("no receipt is written: {why}"));
            Ok(())
        }
    }
}

fn absent(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Failure::file("remove", path, &e)),
        _ => Ok(()),
    }
}

/// By a receipt in place of the gate, because nobody was to be asked, or nobody answered.
fn by_receipt(args: &GateArgs, request: &GateRequest, format: Format, failure: Option<&Failure>) -> Result<Exit> {
    let Some(path) = &args.receipt else { return Err(Failure::Usage("name the receipt with --receipt".to_owned())) };
    let verified = receipts::ask(
        path,
        &Question {
            keys: args.trust.keys.clone(),
            deployment: request.deployment.clone(),
            release: request.release.clone(),
            intent: Some(request.intent),
            files: (!args.artifacts.is_empty()).then(|| request.artifacts.clone()),
            max_age: args.trust.max_age,
            at: None,
        },
    )?;
    if let Some(failure) = failure {
        output::warn(&format!("{failure}\nit goes on by its receipt, if that is valid"));
    }
    let exit = receipts::exit(&verified);
    let named = request.deployment.as_ref().map(ToString::to_string).unwrap_or_default();
    let bad = verified.checks.iter().find(|check| check.outcome != Outcome::Holds);
    let (end, sentence) = match bad {
        None => (End::Passes, format!("{named} may run, by the receipt `{}`", path.display())),
        Some(check) => (End::Refused, format!("the receipt `{}` does not do: {}", path.display(), check.says)),
    };
    match format {
        Format::Text => output::print(&receipts::text(&verified)),
        Format::Json => {
            output::print(&serde_json::to_string_pretty(&receipts::answer(&verified)).unwrap_or_default());
        }
        Format::Sarif | Format::Junit => print(&Report::without(&named, end, sentence), format),
    }
    // Whoever could not be asked stays unasked, if the receipt does not stand in.
    Ok(if failure.is_some() && exit != Exit::Done { Exit::NotReached } else { exit })
}

/// A dry run with everything around it.
pub(crate) fn explain(context: &Context, args: &ExplainArgs) -> Result<Exit> {
    let deployment = c::DEPLOYMENTS.reference(&args.deployment)?;
    let client = context.client()?;
    let request = GateRequest {
        deployment: Some(deployment.clone()),
        release: args.release.as_ref().map(|release| c::RELEASES.reference(release)).transpose()?,
        dry_run: true,
        ..GateRequest::default()
    };
    let answer = client.post("/gate", &request)?;
    let decided: Decision = typed(&answer)?;
    let stated = or_none(c::DEPLOYMENTS.find(&client, &deployment.to_string()))?;
    let of = decided.release.clone().unwrap_or_else(|| deployment.to_string());
    // As the gate sees it: with the assessments that hold for the deployment's controller.
    let holder = stated.as_ref().map(|_| deployment.to_string());
    let exposure = or_none(client.get("/exposure", &[("ref", Some(&of)), ("holder", holder.as_deref())]))?;
    let approvals = approvals(&client, stated.as_ref())?;
    let whole = json!({"decision": answer, "deployment": stated, "exposure": exposure, "approvals": approvals});
    let view: Option<ExposureView> = exposure.as_ref().map(typed).transpose()?;
    let teams = context.teams(&client);
    context.answer(&whole, || {
        let mut out = decision::text(&decided, &teams);
        if let Some(stated) = &stated {
            out.push_str(&format!("\n{}\n{}", style::bold("the deployment"), relied_on(&stated["spec"])));
        }
        if let Some(view) = &view {
            out.push_str(&format!("\n{}", exposure::text(view)));
        }
        out.push_str(&format!("\n{}\n{}", style::bold("approvals"), approved(&approvals)));
        out
    });
    Ok(if decided.passes { Exit::Done } else { Exit::Refused })
}

/// What is not there, or not for this token, is left out: the decision itself says what is missing.
fn or_none(found: Result<Value>) -> Result<Option<Value>> {
    match found {
        Ok(value) => Ok(Some(value)),
        Err(Failure::Problem(problem)) if matches!(problem.status, 403 | 404) => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn relied_on(spec: &Value) -> String {
    let mut rows = Vec::new();
    for name in ["system", "purpose", "environment", "controller"] {
        rows.push((name, resource::text(&spec[name])));
    }
    let bases = spec["bases"].as_array().map(Vec::as_slice).unwrap_or_default();
    rows.push(("bases", bases.iter().map(resource::text).collect::<Vec<_>>().join(", ")));
    table::facts(&rows)
}

/// Approvals of the deployment and of what it relies on.
fn approvals(client: &Client, stated: Option<&Value>) -> Result<Vec<Value>> {
    let Some(stated) = stated else { return Ok(Vec::new()) };
    let spec = &stated["spec"];
    let single = [&stated["ref"], &spec["purpose"], &spec["system"]].into_iter();
    let bases = spec["bases"].as_array().map(Vec::as_slice).unwrap_or_default();
    let relevant: Vec<&str> = single.chain(bases).filter_map(Value::as_str).collect();
    let page = or_none(things::pages(client, "/approvals", &ListArgs { all: true, ..ListArgs::default() }))?;
    let items = page.and_then(|page| page["items"].as_array().cloned()).unwrap_or_default();
    let of = |item: &Value| item["spec"]["subject"]["ref"].as_str().is_some_and(|of| relevant.contains(&of));
    Ok(items.into_iter().filter(of).collect())
}

/// What is approved, and for how long.
pub(crate) fn approved(approvals: &[Value]) -> String {
    let row = |item: &Value| {
        let spec = &item["spec"];
        vec![
            resource::text(&spec["subject"]["ref"]),
            resource::text(&item["state"]),
            resource::day(&spec["valid_from"]),
            resource::day(&spec["valid_to"]),
        ]
    };
    table::table(&["approved", "state", "from", "until"], approvals.iter().map(row).collect())
}

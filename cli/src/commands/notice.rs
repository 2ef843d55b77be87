//! `licit notice`: what people are told.

use clap::{ArgGroup, Args, Subcommand};
use licit_schemas::document;
use licit_schemas::known::KnownAt;
use licit_schemas::notices::{Measure, Measured, NoticeSpec};
use licit_schemas::text::Uri;
use licit_schemas::time::Timestamp;
use serde_json::{Value, json};

use super::things::{self, CreateArgs, ListArgs, ShowArgs};
use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Failure, Result};
use crate::output::resource;

/// Notices.
#[derive(Debug, Subcommand)]
pub(crate) enum Notice {
    /// State a notice from a YAML or JSON file; another content makes the next revision
    #[command(after_help = "Example:\n  licit notice create -f notice.yaml")]
    Create(CreateArgs),
    /// List, newest first
    #[command(after_help = "Examples:
  licit notice list --parent notice:customers
  licit notice list --valid-at 2026-06-01")]
    List(ListArgs),
    /// Show everything that was stated, how long and how readable it is, and the last test of the way out
    #[command(after_help = "Examples:
  licit notice show customers
  licit notice show notice:customers@2 --json")]
    Show(ShowArgs),
    /// Draft a notice from what is registered of a deployment
    Draft(DraftArgs),
    /// Record that somebody went the way a notice names to withdraw or refuse
    TestWithdrawal(TestArgs),
    /// Tests of the way out, newest first
    #[command(after_help = "Example:\n  licit notice tests --parent notice:customers@2")]
    Tests(ListArgs),
}

/// What to draft.
#[derive(Debug, Args)]
#[command(
    after_help = "The draft has the three sentences of the purpose, the categories that reach the deployment (inferred ones too), who
receives them, whether machines decide, how to refuse, and what was promised before. Read it, have it read, add promises,
then state it. Nothing is written.

Example:
  licit notice draft --deployment vote-forecast > notice.yaml
  licit notice create -f notice.yaml"
)]
pub(crate) struct DraftArgs {
    /// Deployment, such as `vote-forecast`
    #[arg(long, value_name = "REF")]
    deployment: String,
    /// As known at a ledger position or a time; default: now
    #[arg(long, value_name = "WHEN")]
    known_at: Option<KnownAt>,
    /// At this moment; default: now
    #[arg(long, value_name = "TIME")]
    valid_at: Option<Timestamp>,
}

/// A test of the way out.
#[derive(Debug, Args)]
#[command(
    group(ArgGroup::new("outcome").required(true).args(["passed", "failed"])),
    after_help = "Go the way yourself, as a person would, and record what came of it (GDPR Art. 7(3)). It counts for the days of the policy,
and for as long as the notice names the same place.

Example:
  licit notice test-withdrawal customers --passed
  licit notice test-withdrawal customers@2 --failed --at 2026-11-01"
)]
pub(crate) struct TestArgs {
    /// Notice, such as `customers`: the revision in force
    #[arg(value_name = "REF")]
    reference: String,
    /// It worked
    #[arg(long)]
    passed: bool,
    /// It did not
    #[arg(long)]
    failed: bool,
    /// When; default: now
    #[arg(long, value_name = "WHEN")]
    at: Option<Timestamp>,
    /// Where the record of the test is
    #[arg(long, value_name = "URI", requires = "evidence_digest")]
    evidence_uri: Option<Uri>,
    /// Digest of the record
    #[arg(long, value_name = "DIGEST", requires = "evidence_uri")]
    evidence_digest: Option<String>,
}

/// Run a command on notices.
pub(crate) fn run(context: &Context, command: Notice) -> Result<Exit> {
    match command {
        Notice::Create(args) => things::create(context, &c::NOTICES, &args),
        Notice::List(args) => things::list(context, &c::NOTICES, &args),
        Notice::Show(args) => show(context, &args),
        Notice::Draft(args) => draft(context, &args),
        Notice::TestWithdrawal(args) => {
            let outcome = if args.passed && !args.failed { "passed" } else { "failed" };
            let mut value = json!({"notice": c::NOTICES.reference(&args.reference)?, "outcome": outcome});
            if let Some(at) = args.at {
                value["at"] = json!(at);
            }
            if let (Some(uri), Some(digest)) = (args.evidence_uri, args.evidence_digest) {
                value["evidence"] = json!({"uri": uri, "digest": digest});
            }
            things::create_value(context, &c::WITHDRAWAL_TESTS, value, false)
        }
        Notice::Tests(args) => things::list(context, &c::WITHDRAWAL_TESTS, &args),
    }
}

fn show(context: &Context, args: &ShowArgs) -> Result<Exit> {
    let client = context.client()?;
    let found = c::NOTICES.find_at(&client, &args.reference, args.known_at, args.valid_at)?;
    let known_at = args.known_at.map(|at| at.to_string());
    let query = [("parent", found["ref"].as_str()), ("limit", Some("1")), ("known_at", known_at.as_deref())];
    let tests = client.get(c::WITHDRAWAL_TESTS.path, &query)?;
    context.answer(&found, || {
        let mut shown = resource::show(&found);
        if let Ok(spec) = document::from_value::<NoticeSpec>(found["spec"].clone()) {
            let Measured { en, fr } = Measured::of(&spec);
            let says = |measure: Measure| format!("{} words, LIX {}", measure.words, measure.lix);
            shown.push_str(&format!("measured: en {}; fr {}\n", says(en), says(fr)));
        }
        let test = &tests["items"][0];
        let says = match test["state"].as_str() {
            Some(outcome) => format!("{outcome} on {}", resource::day(&test["valid_from"])),
            None => "never".to_owned(),
        };
        shown.push_str(&format!("way out tested: {says}"));
        shown
    });
    Ok(Exit::Done)
}

fn draft(context: &Context, args: &DraftArgs) -> Result<Exit> {
    let client = context.client()?;
    let id = c::DEPLOYMENTS.id(&client, &args.deployment)?;
    let (known_at, valid_at) = (args.known_at.map(|at| at.to_string()), args.valid_at.map(|at| at.to_string()));
    let query = [("known_at", known_at.as_deref()), ("valid_at", valid_at.as_deref())];
    let drafted = client.get(&format!("/deployments/{id}/notice-draft"), &query)?;
    if !drafted.is_object() {
        return Err(Failure::plain("the server drafted nothing"));
    }
    context.answer(&drafted, || {
        format!(
            "# Drafted from what is registered of `{}`. Have people read it before it is stated.\n{}",
            args.deployment,
            document_of(&drafted)
        )
    });
    Ok(Exit::Done)
}

/// Members of a notice in the order in which people read them.
const ORDER: [&str; 11] = [
    "key",
    "controller",
    "purposes",
    "valid_from",
    "valid_to",
    "wording",
    "categories",
    "recipients",
    "automated_decisions",
    "refusal",
    "promises",
];

/// A document as YAML that `create -f` reads.
fn document_of(value: &Value) -> String {
    let mut out = String::new();
    let members = value.as_object().into_iter().flatten();
    let place = |name: &str| ORDER.iter().position(|known| *known == name).unwrap_or(ORDER.len());
    let mut members: Vec<_> = members.collect();
    members.sort_by_key(|(name, _)| place(name));
    for (name, member) in members {
        out.push_str(&format!("{name}:"));
        write(&mut out, member, 2);
    }
    out.trim_end().to_owned()
}

/// What follows a name or a dash.
fn write(out: &mut String, value: &Value, indent: usize) {
    let space = " ".repeat(indent);
    match value {
        Value::Object(members) if !members.is_empty() => {
            out.push('\n');
            for (name, member) in members {
                out.push_str(&format!("{space}{name}:"));
                write(out, member, indent + 2);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('\n');
            for item in items {
                let mut inside = String::new();
                write(&mut inside, item, indent + 2);
                // The dash takes the place of the first line's indent.
                out.push_str(&format!("{space}- {}", inside.trim_start()));
            }
        }
        Value::String(text) if is_block(text) => {
            out.push_str(" |-\n");
            for line in text.lines() {
                out.push_str(format!("{space}{line}").trim_end());
                out.push('\n');
            }
        }
        // JSON in one line is YAML, too.
        other => out.push_str(&format!(" {other}\n")),
    }
}

/// Whether a text is the same in a block of lines: white space at its ends would be lost.
fn is_block(text: &str) -> bool {
    let plain = |line: &str| !line.starts_with([' ', '\t']) && !line.ends_with([' ', '\t']);
    text.contains('\n')
        && !text.starts_with('\n')
        && !text.ends_with('\n')
        && !text.contains('\r')
        && text.lines().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml;

    #[test]
    fn what_is_drafted_reads_back() {
        let value = json!({
            "key": "a", "purposes": ["purpose:a"], "valid_from": "2026-01-01",
            "wording": {"en": {"text": "One.\n\n## Two\n- x: y\n- # z", "title": "It's \"here\": now"}, "fr": {"text": " a\nb ", "title": "é"}},
            "categories": [{"iri": "https://x.example#A", "inferred": true}, {"iri": "https://x.example#B"}],
            "promises": [],
        });
        let text = document_of(&value);
        assert!(text.starts_with("key: \"a\"\npurposes:\n  - \"purpose:a\"\nvalid_from:"), "{text}");
        assert_eq!(yaml::parse(&text).unwrap().value, value, "{text}");
    }
}

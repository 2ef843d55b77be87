//! One thing said: from flags, or from a file.

use std::path::PathBuf;

use clap::Args;
use licit_schemas::consent::{Channel, ConsentRecord, Method, Recorded};
use licit_schemas::digest::Digest;
use licit_schemas::document;
use licit_schemas::subjects::Pseudonym;
use licit_schemas::time::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::asked::{channel, method, purpose};
use super::who::Who;
use crate::client::{persistently, typed};
use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Failure, Result};
use crate::output::{self, resource, style};
use crate::source;

/// Who says something of a purpose, how and when.
#[derive(Debug, Args)]
pub(crate) struct SayArgs {
    /// Key of the purpose
    #[arg(long, value_name = "KEY")]
    purpose: String,
    #[command(flatten)]
    circumstances: Circumstances,
}

/// Who objects to what.
#[derive(Debug, Args)]
pub(crate) struct ObjectArgs {
    /// Key of the purpose; default: everything
    #[arg(long, value_name = "KEY")]
    purpose: Option<String>,
    #[command(flatten)]
    circumstances: Circumstances,
}

/// Who gives consent, to what, and what they were shown.
#[derive(Debug, Args)]
pub(crate) struct GiveArgs {
    #[command(flatten)]
    say: SayArgs,
    /// Digest of the notice that was shown: consent is informed
    #[arg(long, value_name = "sha256:…")]
    notice: Digest,
    /// Until when it holds; default: until something else is said
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// It was given in words that say so: special categories need it
    #[arg(long)]
    explicit: bool,
    /// Whoever holds parental responsibility gives it, for a child (GDPR Art. 8)
    #[arg(long)]
    parental: bool,
}

/// What every record states besides.
#[derive(Debug, Args)]
struct Circumstances {
    #[command(flatten)]
    who: Who,
    /// Being contacted this way is meant, not the purpose itself
    #[arg(long, value_parser = channel())]
    channel: Option<Channel>,
    /// When it was said; default: now
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// By what means it was said
    #[arg(long, value_parser = method())]
    method: Option<Method>,
    /// Id of the record: sent again, it is the same record; default: a new one
    #[arg(long, value_name = "UUID")]
    record_id: Option<Uuid>,
}

/// Files to record.
#[derive(Debug, Args)]
#[command(after_help = "Where a file names no `record_id`, one is made; without `at`, it was said now.

Examples:
  licit consent record -f revoked.yaml
  licit consent record -f - < objection.json")]
pub(crate) struct RecordArgs {
    /// YAML or JSON file; `-` is stdin; may be repeated
    #[arg(short, long, value_name = "FILE", required = true)]
    file: Vec<PathBuf>,
}

/// Consent is given or renewed.
pub(crate) fn give(context: &Context, said: &str, args: &GiveArgs) -> Result<Exit> {
    let mut bodies = args.say.circumstances.bodies(said, Some(&args.say.purpose))?;
    for body in &mut bodies {
        body["notice"] = json!(args.notice);
        if let Some(until) = args.until {
            body["until"] = json!(until);
        }
        if args.explicit {
            body["expression"] = json!("explicit");
        }
        if args.parental {
            body["indicated_by"] = json!("parental_holder");
        }
    }
    send_all(context, bodies)
}

/// Something else is said of a purpose.
pub(crate) fn say(context: &Context, said: &str, args: &SayArgs) -> Result<Exit> {
    send_all(context, args.circumstances.bodies(said, Some(&args.purpose))?)
}

/// Somebody objects.
pub(crate) fn object(context: &Context, args: &ObjectArgs) -> Result<Exit> {
    send_all(context, args.circumstances.bodies("objected", args.purpose.as_deref())?)
}

/// Record what files hold; all are checked before the first is sent.
pub(crate) fn record(context: &Context, args: &RecordArgs) -> Result<Exit> {
    let mut records = Vec::with_capacity(args.file.len());
    for path in &args.file {
        let (mut value, source) = source::read(path)?;
        if let Some(members) = value.as_object_mut() {
            members.entry("record_id").or_insert_with(|| json!(Uuid::now_v7()));
            members.entry("at").or_insert_with(|| json!(now()));
        }
        records.push(read(value).map_err(|faults| source.faults(faults))?);
    }
    records.iter().try_for_each(|record| send(context, record).map(drop))?;
    Ok(Exit::Done)
}

impl Circumstances {
    /// A record for each pseudonym of the person, without what only consent that is given has.
    fn bodies(&self, said: &str, of: Option<&str>) -> Result<Vec<Value>> {
        let of = of.map(purpose).transpose()?;
        let people = self.who.pseudonyms()?;
        if self.record_id.is_some() && people.len() > 1 {
            return Err(Failure::Usage(
                "each record has an id of its own: give one `--key` with `--record-id`".to_owned(),
            ));
        }
        let at = self.at.unwrap_or_else(now);
        let body = |subject: Pseudonym| {
            let record_id = self.record_id.unwrap_or_else(Uuid::now_v7);
            let mut body = json!({"record_id": record_id, "subject": subject, "said": said, "at": at});
            let optional = [("purpose", json!(of)), ("channel", json!(self.channel)), ("method", json!(self.method))];
            for (name, value) in optional.into_iter().filter(|(_, value)| !value.is_null()) {
                body[name] = value;
            }
            body
        };
        Ok(people.into_iter().map(body).collect())
    }
}

fn now() -> Timestamp {
    Timestamp::from_chrono(std::time::SystemTime::now().into())
}

/// A record, and whether it fits together. Whether it lies ahead is for the server's clock to say.
fn read(value: Value) -> std::result::Result<ConsentRecord, Vec<licit_schemas::problem::Fault>> {
    let record = document::from_value::<ConsentRecord>(value)?;
    let faults = record.faults(record.at);
    if faults.is_empty() { Ok(record) } else { Err(faults) }
}

fn flags(body: Value) -> Result<ConsentRecord> {
    read(body).map_err(|faults| c::named(&faults))
}

/// Record what was said under each pseudonym; all are checked before the first is sent.
fn send_all(context: &Context, bodies: Vec<Value>) -> Result<Exit> {
    let records = bodies.into_iter().map(flags).collect::<Result<Vec<_>>>()?;
    for record in &records {
        send(context, record).inspect_err(|_| {
            if records.len() > 1 {
                output::warn(&format!(
                    "not recorded under the key `{}`, nor under those named after it",
                    record.subject.kid()
                ));
            }
        })?;
    }
    Ok(Exit::Done)
}

/// Record it. The id was drawn before: asked again after a broken connection, it is the same record.
fn send(context: &Context, record: &ConsentRecord) -> Result<Exit> {
    let client = context.client()?;
    let answer = persistently(|| client.post("/consent-records", record))?;
    let recorded: Recorded = typed(&answer)?;
    context.answer(&answer, || {
        let outcome = match answer["outcome"].as_str() {
            Some("created") => style::green("recorded"),
            outcome => style::dim(outcome.unwrap_or_default()),
        };
        let said = serde_json::to_value(record.said).map(|said| resource::text(&said)).unwrap_or_default();
        let of = record.purpose.as_ref().map(|of| format!(" {of}")).unwrap_or_default();
        let entry = style::dim(&format!("ledger entry {}", recorded.seq));
        let key = record.subject.kid();
        format!(
            "{outcome}  {}{of}  {entry}\nrecord    {}\nkey       {key}",
            said.replace('_', " "),
            recorded.record_id.0
        )
    });
    Ok(Exit::Done)
}

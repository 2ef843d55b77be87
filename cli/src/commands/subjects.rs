//! `licit subjects`: people, by pseudonyms made on this machine.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use licit_schemas::reference::Ref;
use licit_schemas::resource::{Outcome, Page};
use licit_schemas::subjects::{IdentifierType, KeyId, MembersView, Pseudonym, SubjectKeyView};
use licit_schemas::text::Key as Scope;
use phonenumber::country::Id as Region;
use serde_json::json;

use crate::client::{percent, typed};
use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Failure, Result};
use crate::output::progress::progress;
use crate::output::{self, resource, style, table};
use crate::subjects::Unreadable;
use crate::subjects::column::{self, Column, Value};
use crate::subjects::hashing::{Hashed, Hasher, batches};
use crate::subjects::key::{self, SubjectKey};
use crate::subjects::load::Load;

pub(crate) mod exclude;
mod person;

/// Unreadable values told one by one.
const MOST_TOLD: usize = 20;

/// What to do with people.
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Identifiers are hashed here, under a key that never leaves this machine: the registry knows people by
pseudonyms only, and cannot tell who they are.

Examples:
  licit subjects keygen --scope crm -o crm.key
  licit subjects register-key crm.key
  licit subjects add crm/people@3 --from people.csv --column email --key crm.key"
)]
pub(crate) enum Subjects {
    /// Draw a key into a file of yours alone; it is never sent
    #[command(
        after_help = "Who has the key can tell whom a pseudonym means; who destroys it makes them unlinkable for good.

Example:
  licit subjects keygen --scope crm -o crm.key"
    )]
    Keygen {
        /// Whose pseudonyms may be linked: pseudonyms of two scopes cannot
        #[arg(long)]
        scope: Scope,
        /// Id of the key, in every pseudonym; default: a random one
        #[arg(long)]
        kid: Option<KeyId>,
        /// File to write; it must not be there yet
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Make a key known by its fingerprint, never the key
    #[command(after_help = "Example:\n  licit subjects register-key crm.key")]
    RegisterKey {
        /// File of the key
        #[arg(value_name = "FILE")]
        key: PathBuf,
    },
    /// Keys that are known, oldest first
    #[command(after_help = "Example:\n  licit subjects keys")]
    Keys,
    /// Load nothing under a key any more; what was loaded stays
    #[command(after_help = "Example:\n  licit subjects retire-key 01939f00-0000-7000-8000-000000000000")]
    RetireKey {
        /// Opaque id of the key
        id: String,
    },
    /// Print pseudonyms, one a line, for scripts; nothing is sent
    #[command(
        after_help = "A value that is none makes an empty line, and is told by its number. Others can read a command line:
better give values on standard input, one a line.

Examples:
  licit subjects hash --key crm.key --type email < addresses.txt
  licit subjects hash --key crm.key --from people.csv --column email"
    )]
    Hash(HashArgs),
    /// Load the members of a dataset version: all of them, or nobody counts
    #[command(
        after_help = "What broke off goes on where it was when the command is run again. Two lines of one person are one member.

Examples:
  licit subjects add crm/people@3 --from people.csv --column email --key crm.key
  licit subjects add crm/calls@7 --from calls.parquet --column phone \\
    --type phone --region FR --key crm.key"
    )]
    Add(AddArgs),
    /// What the registry knows of one person's data, for the person (GDPR Art. 15)
    #[command(after_help = "The letter names no person: whoever sends it knows whom it is for.

Examples:
  licit subjects view --subject p1.k1.…
  licit subjects view --key crm.key --type email --letter fr < address")]
    View(person::ViewArgs),
    /// Take one person out of everything the registry holds (GDPR Art. 17)
    #[command(
        after_help = "Pseudonym, salts, memberships and records go for good; every proof stays as it is. Erase the data where they lie first,
and pull suppression lists: afterwards nobody here can tell who it was.

Examples:
  licit subjects erase --subject p1.k1.… --yes
  licit subjects erase --key crm.key --type email --yes < address"
    )]
    Erase(person::EraseArgs),
    /// What is kept, restricted, to show that an erased person had consented
    #[command(
        after_help = "Policy says for how long (`proof_of_consent`), if at all; it goes by itself then. Each reading is recorded.
Each record is hashed here with its salt; exit code 4 where one does not hold.

Example:
  licit subjects proof --subject p1.k1.… --reason \"claim 12 K 34/29\""
    )]
    Proof(person::ProofArgs),
    /// How many members a dataset version has; never who
    #[command(after_help = "Example:\n  licit subjects members crm/people@3")]
    Members {
        /// Dataset version, or its id
        #[arg(value_name = "DATASET@VERSION")]
        of: String,
    },
    /// Leave out whoever has no valid consent now, or objects, and make the set of those who stay
    Exclude(exclude::ExcludeArgs),
}

/// Under which key, and what values are.
#[derive(Debug, Args)]
pub(crate) struct Making {
    /// File of the key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// What the values are
    #[arg(long = "type", value_name = "TYPE", default_value = "email")]
    kind: Kind,
    /// Country of telephone numbers that do not name theirs, as `FR`
    #[arg(long)]
    region: Option<String>,
    /// What stands between columns of a CSV file
    #[arg(long, value_name = "CHARACTER", default_value = ",")]
    delimiter: char,
}

/// What to hash.
#[derive(Debug, Args)]
pub(crate) struct HashArgs {
    #[command(flatten)]
    making: Making,
    /// Values; default: lines of standard input
    #[arg(value_name = "VALUE", conflicts_with = "from")]
    values: Vec<String>,
    /// CSV or Parquet file
    #[arg(long, value_name = "FILE", requires = "column")]
    from: Option<PathBuf>,
    /// Column of it
    #[arg(long, requires = "from")]
    column: Option<String>,
}

/// What to load.
#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// Dataset version whose members they are
    #[arg(value_name = "DATASET@VERSION")]
    of: String,
    #[command(flatten)]
    making: Making,
    /// CSV file with a header, or Parquet file
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Column that identifies people
    #[arg(long)]
    column: String,
    /// Leave out values that are none, instead of loading nobody
    #[arg(long)]
    skip_unreadable: bool,
    /// Give up what broke off before, and begin anew
    #[arg(long)]
    afresh: bool,
}

/// What values are.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Kind {
    /// E-mail addresses
    Email,
    /// Telephone numbers
    Phone,
    /// Ids that mean something to their maker only
    Opaque,
}

/// Run the command.
pub(crate) fn run(context: &Context, command: Subjects) -> Result<Exit> {
    match command {
        Subjects::Keygen { scope, kid, output } => {
            let made = key::generate(&output, scope, kid)?.spec();
            context.answer(&made, || {
                let rows = [("scope", made.scope.to_string()), ("key", made.kid.to_string())];
                let next = format!("keep it safe, then: licit subjects register-key {}", output.display());
                table::facts(&rows) + &style::dim(&next)
            });
            Ok(Exit::Done)
        }
        Subjects::RegisterKey { key } => {
            let spec = key::read(&key)?.spec();
            let answer = context.client()?.post("/subject-keys", &spec)?;
            let view: SubjectKeyView = typed(&answer)?;
            context.answer(&answer, || {
                format!("{}  key {} of scope {}", style::green("known"), spec.kid, view.spec.scope)
            });
            Ok(Exit::Done)
        }
        Subjects::Keys => {
            let answer = context.client()?.get("/subject-keys", &[])?;
            let page: Page<SubjectKeyView> = typed(&answer)?;
            context.answer(&answer, || keys(&page));
            Ok(Exit::Done)
        }
        Subjects::RetireKey { id } => {
            let answer = context.client()?.delete(&format!("/subject-keys/{}", percent(&id)))?;
            context.answer(&answer, || format!("{}  nothing is loaded under key {id} any more", style::green("done")));
            Ok(Exit::Done)
        }
        Subjects::Hash(args) => hash(context, &args),
        Subjects::Add(args) => add(context, &args),
        Subjects::View(args) => person::view(context, &args),
        Subjects::Erase(args) => person::erase(context, &args),
        Subjects::Proof(args) => person::proof(context, &args),
        Subjects::Members { of } => {
            let client = context.client()?;
            let id = c::DATASET_VERSIONS.id(&client, &of)?;
            let answer = client.get(&format!("/dataset-versions/{id}/members"), &[])?;
            let view: MembersView = typed(&answer)?;
            context.answer(&answer, || members(&view));
            Ok(Exit::Done)
        }
        Subjects::Exclude(args) => exclude::run(context, &args),
    }
}

impl Making {
    fn key(&self) -> Result<SubjectKey> {
        key::read(&self.key)
    }

    fn hasher<'a>(&self, key: &'a SubjectKey) -> Result<Hasher<'a>> {
        hasher(key, self.kind, self.region.as_deref())
    }

    fn delimiter(&self) -> Result<u8> {
        let byte = u8::try_from(self.delimiter).ok().filter(u8::is_ascii);
        byte.ok_or_else(|| Failure::Usage("--delimiter takes one ASCII character".to_owned()))
    }
}

/// What hashes values of a kind under a key.
pub(crate) fn hasher<'a>(key: &'a SubjectKey, kind: Kind, region: Option<&str>) -> Result<Hasher<'a>> {
    let kind = match kind {
        Kind::Email => IdentifierType::Email,
        Kind::Phone => IdentifierType::Phone,
        Kind::Opaque => IdentifierType::Opaque,
    };
    let known = |text: &str| {
        text.parse::<Region>().map_err(|_| Failure::Usage("--region takes a country like `FR`".to_owned()))
    };
    Ok(Hasher { key, kind, region: region.map(known).transpose()? })
}

fn hash(context: &Context, args: &HashArgs) -> Result<Exit> {
    let key = args.making.key()?;
    let hasher = args.making.hasher(&key)?;
    let column = match (&args.from, &args.column) {
        (Some(from), Some(column)) => column::open(from, column, args.making.delimiter()?)?,
        _ if args.values.is_empty() => column::lines(std::io::stdin()),
        _ => {
            let values = args.values.clone().into_iter().zip(1..);
            let values = values.map(|(text, line)| Ok((line, Value { line, text: Some(text) })));
            Column { whole: 0, values: Box::new(values) }
        }
    };
    let (mut unreadable, mut all) = (Told::default(), Vec::new());
    let mut out = std::io::stdout().lock();
    batches(column, &hasher, |hashed| {
        for value in hashed.values {
            let text = value.map(|made| made.to_string()).map_err(|one| unreadable.add(one)).unwrap_or_default();
            if context.json() {
                all.push(text);
            } else if writeln!(out, "{text}").is_err() {
                return Err(Failure::plain("standard output is closed"));
            }
        }
        Ok(())
    })?;
    drop(out);
    if context.json() {
        context.answer(&all, String::new);
    }
    unreadable.tell();
    Ok(if unreadable.count == 0 { Exit::Done } else { Exit::Failure })
}

fn add(context: &Context, args: &AddArgs) -> Result<Exit> {
    let version: Ref = c::DATASET_VERSIONS.reference(&args.of)?;
    let key = args.making.key()?;
    let hasher = args.making.hasher(&key)?;
    let column = column::open(&args.from, &args.column, args.making.delimiter()?)?;
    let client = context.client()?;
    let mut load = Load::begin(&client, &version, &key.spec())?;
    if args.afresh {
        load.abandon()?;
        load = Load::begin(&client, &version, &key.spec())?;
    }
    let bar = progress(column.whole);
    let mut unreadable = Told::default();
    let sent = batches(column, &hasher, |hashed: Hashed| {
        let mut members: Vec<Pseudonym> = Vec::with_capacity(hashed.values.len());
        for value in hashed.values {
            match value {
                Ok(made) => members.push(made),
                Err(one) => unreadable.add(one),
            }
        }
        bar.set_position(hashed.position);
        // Where nobody will count, the rest is only read for what else is wrong.
        if members.is_empty() || (unreadable.count > 0 && !args.skip_unreadable) {
            return Ok(());
        }
        load.send(&members.iter().collect::<Vec<_>>())
    });
    bar.finish_and_clear();
    sent?;
    unreadable.tell();
    if unreadable.count > 0 && !args.skip_unreadable {
        load.abandon()?;
        let sentence = format!(
            "{} values make no pseudonym, and nobody is loaded; `--skip-unreadable` leaves them out",
            unreadable.count
        );
        return Err(Failure::plain(sentence));
    }
    let (resumed, skipped) = (load.resumed, unreadable.count);
    let (mut answer, loaded) = load.finish()?;
    answer["skipped"] = json!(skipped);
    answer["resumed_batches"] = json!(resumed);
    context.answer(&answer, || {
        let word = if loaded.outcome == Outcome::Created { "loaded" } else { "unchanged" };
        let mut text = format!("{}  {} members of {version}", style::green(word), loaded.members.spec.count);
        if resumed > 0 {
            text.push_str(&format!("\n{resumed} batches had come before"));
        }
        if skipped > 0 {
            text.push_str(&format!("\n{skipped} values were left out"));
        }
        text
    });
    Ok(Exit::Done)
}

/// Values that make no pseudonym: all are counted, the first are told, by line and never by what they are.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) count: u64,
    first: Vec<Unreadable>,
}

impl Told {
    pub(crate) fn add(&mut self, one: Unreadable) {
        self.count += 1;
        if self.first.len() < MOST_TOLD {
            self.first.push(one);
        }
    }

    pub(crate) fn tell(&self) {
        for one in &self.first {
            output::warn(&format!("line {}: {}", one.line, one.why));
        }
        let rest = self.count.saturating_sub(self.first.len() as u64);
        if rest > 0 {
            output::warn(&format!("and {rest} more"));
        }
    }
}

fn keys(page: &Page<SubjectKeyView>) -> String {
    let row = |view: &SubjectKeyView| {
        let state = serde_json::to_value(view.state).map(|state| resource::text(&state)).unwrap_or_default();
        let since = resource::minute(&view.registered_at.to_string());
        vec![view.id.0.to_string(), view.spec.scope.to_string(), view.spec.kid.to_string(), state, since]
    };
    table::table(&["id", "scope", "key", "state", "since"], page.items.iter().map(row).collect())
}

fn members(view: &MembersView) -> String {
    table::facts(&[
        ("version", view.spec.dataset_version.to_string()),
        ("members", view.spec.count.to_string()),
        ("scope", view.spec.scope.to_string()),
        ("key", view.spec.kid.to_string()),
        ("loaded", resource::minute(&view.loaded_at.to_string())),
        ("root", view.spec.root.to_string()),
        ("entry", view.seq.to_string()),
    ])
}

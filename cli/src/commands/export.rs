//! `licit export`: what is registered, in the words of others.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use licit_schemas::exports::ExportFormat;
use licit_schemas::known::KnownAt;

use super::passport;
use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Failure, Result};
use crate::output::style;

/// What to export.
#[derive(Debug, Args)]
#[command(
    after_help = "A passport says whose data are behind a model version (in kind: categories, subjects, how far they identify, how they \
reach it), for which purposes, on which legal bases, promised what, by which decision; signed, with proofs. No person is in it, no \
pseudonym, no row and no name of a dataset. It stands for 90 days at most.

The other formats say what is registered, whole or one thing with everything behind it, as it was at one position of the \
ledger: the same position gives the same bytes. No person is in them either.
  cyclonedx    bill of materials with model cards, CycloneDX 1.7
  prov         provenance, PROV-JSON of the W3C
  openlineage  events that an OpenLineage server takes, such as another Licit

Examples:
  licit export --passport model:vote-model@1 -o vote.passport
  licit verify vote.passport --key licit.pub --artifact vote-model/
  licit export --format cyclonedx model:vote-model@1 -o vote.cdx.json
  licit export --format prov --known-at 2026-01-01 -o registry.prov.json
  licit export --format openlineage -o events.json"
)]
pub(crate) struct ExportArgs {
    /// The passport of a model version, such as `model:vote-model@1`
    #[arg(long, value_name = "MODEL@VERSION", conflicts_with = "format", required_unless_present = "format")]
    passport: Option<String>,
    /// In which words
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// One thing with everything behind it: dataset, model, run, release or deployment; default: the whole registry
    #[arg(value_name = "REF", requires = "format")]
    of: Option<String>,
    /// As it was known then: a ledger position or a time
    #[arg(long, value_name = "WHEN", requires = "format")]
    known_at: Option<KnownAt>,
    /// File to write; default: stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A bill of materials with model cards
    Cyclonedx,
    /// Provenance of the W3C
    Prov,
    /// Events
    Openlineage,
}

impl From<Format> for ExportFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Cyclonedx => Self::Cyclonedx,
            Format::Prov => Self::Prov,
            Format::Openlineage => Self::Openlineage,
        }
    }
}

/// Export.
pub(crate) fn run(context: &Context, args: &ExportArgs) -> Result<Exit> {
    if let Some(model) = &args.passport {
        return passport::export(context, model, args.output.as_deref());
    }
    let format = args.format.map(ExportFormat::from);
    let format = format.ok_or_else(|| Failure::Usage("say --format, or --passport".to_owned()))?;
    let of = args.of.as_deref().map(c::any_reference).transpose()?.map(|of| of.to_string());
    let known_at = args.known_at.map(|at| at.to_string());
    let query = [("format", Some(format.as_str())), ("of", of.as_deref()), ("known_at", known_at.as_deref())];
    let Some(path) = &args.output else {
        fetch(context, &query, &mut std::io::stdout().lock(), Path::new("-"))?;
        return Ok(Exit::Done);
    };
    // What broke off does not take the place of what was whole.
    let part = path.with_file_name(format!("{}.part", path.file_name().unwrap_or_default().to_string_lossy()));
    let file = File::create(&part).map_err(|e| Failure::file("write", &part, &e))?;
    let fetched = fetch(context, &query, &mut BufWriter::new(file), &part)
        .and_then(|()| std::fs::rename(&part, path).map_err(|e| Failure::file("write", path, &e)));
    if let Err(failure) = fetched {
        let _ = std::fs::remove_file(&part);
        return Err(failure);
    }
    context.answer(&serde_json::json!({"file": path}), || format!("{}  {}", style::green("written"), path.display()));
    Ok(Exit::Done)
}

/// Write an export as it comes. It ends with a line of its own: one that ends otherwise broke off.
fn fetch(context: &Context, query: &[(&str, Option<&str>)], to: &mut dyn Write, path: &Path) -> Result<()> {
    let (mut written, mut last) = (Ok(()), String::new());
    context.client()?.lines("/exports", query, |line| {
        if written.is_ok() {
            written = writeln!(to, "{line}");
        }
        line.clone_into(&mut last);
    })?;
    match written.and_then(|()| to.flush()) {
        // A closed pipe (`| head`) is the reader's choice, not our failure.
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
        written => written.map_err(|e| Failure::file("write", path, &e))?,
    }
    match last.as_str() {
        "]" | "}" => Ok(()),
        _ => Err(Failure::NotReached("the export broke off: the server's log says why".to_owned())),
    }
}

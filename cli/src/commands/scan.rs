//! `licit scan`.

use std::path::{Path, PathBuf};

use clap::Args;
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::text::Namespace;

use crate::context::Context;
use crate::error::{Exit, Failure, Result};
use crate::output::{self, style};
use crate::scan::{self, Options, Taken, render};

/// What to look at.
#[derive(Debug, Args)]
#[command(
    after_help = "Needs no server and sends nothing: files are hashed and looked at here, values are counted and forgotten. What is \
written is a proposal for people to confirm: each guess says why it was made, and what nothing speaks for stays unknown.

Tables: CSV, Parquet, JSON lines, Arrow IPC; a folder of them is one dataset. Models: safetensors, ONNX, GGUF, \
folders with an MLmodel; pickles are named and never opened. Projects of dbt: target/manifest.json.

Examples:
  licit scan data/customers.csv --output licit.yaml && licit register --dry-run
  licit scan data/customers.csv model/ --namespace crm -o licit.yaml
  licit scan target/manifest.json --namespace postgres://db:5432 --purpose care
  licit scan data/customers.parquet --json"
)]
pub(crate) struct ScanArgs {
    /// Files or folders; one model at most
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// File to write; default: stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long, requires = "output")]
    force: bool,
    /// Rows of which values are looked at, spread over the file
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    sample: u64,
    /// Where the names of datasets live, such as `crm` or `s3://bucket`
    #[arg(long, value_name = "NAMESPACE")]
    namespace: Option<Namespace>,
    /// Purpose of the runs of dbt; without it they are written as comments
    #[arg(long, value_name = "PURPOSE")]
    purpose: Option<String>,
    /// What PATH is, where its files do not tell
    #[arg(long = "as", value_name = "WHAT")]
    taken: Option<Taken>,
}

/// Scan.
pub(crate) fn run(context: &Context, args: &ScanArgs) -> Result<Exit> {
    if let Some(file) = args.output.as_ref().filter(|file| file.exists() && !args.force) {
        return Err(Failure::plain(format!("`{}` is there already; --force writes over it", file.display())));
    }
    let purpose = args.purpose.as_deref().map(purpose).transpose()?;
    let options =
        Options { sample: args.sample, namespace: args.namespace.as_ref().map(ToString::to_string), taken: args.taken };
    let found = scan::scan(&args.paths, &options)?;
    let folder = args.output.as_deref().and_then(Path::parent).filter(|folder| !folder.as_os_str().is_empty());
    let text =
        render::yaml(&found, folder.unwrap_or(Path::new(".")), purpose.as_ref().map(ToString::to_string).as_deref())?;
    if !context.json() {
        found.warnings.iter().for_each(|warning| output::warn(&format!("{}: {warning}", style::yellow("warning"))));
    }
    if let Some(file) = &args.output {
        std::fs::write(file, &text).map_err(|e| Failure::file("write", file, &e))?;
    }
    let answer = render::answer(&found, &text)?;
    context.answer(&answer, || match &args.output {
        Some(file) => {
            let file = file.display();
            format!("{}  {file}; confirm it, then `licit register --file {file} --dry-run`", style::green("written"))
        }
        None => text.clone(),
    });
    Ok(Exit::Done)
}

fn purpose(text: &str) -> Result<Ref> {
    let whole = if text.starts_with("purpose:") { text.to_owned() } else { format!("purpose:{text}") };
    let reference: Ref = whole.parse().map_err(|e| Failure::Usage(format!("{e}")))?;
    match reference.kind() {
        Kind::Purpose => Ok(reference),
        kind => Err(Failure::Usage(format!("`{text}` is a {kind}, not a purpose"))),
    }
}

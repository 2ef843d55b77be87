//! `licit ledger export`: the whole ledger in one file.

use std::io::{self, Read};
use std::path::PathBuf;

use clap::Args;
use licit_schemas::proof::export::read::Wanted;
use serde_json::Value;

use super::served::Served;
use super::verify;
use crate::client::Client;
use crate::context::Context;
use crate::error::{Failure, Result};
use crate::output::private::Lines;
use crate::output::style;

/// Into which file, up to where.
#[derive(Debug, Args)]
#[command(
    after_help = "The file is a tar: entries, their data, tiles, checkpoints, keys, and a README that says how to check it by hand. It is \
verified while it is written; a ledger that does not hold leaves no file, exit code 4. Comments, names and pseudonyms are not in it.

Examples:
  licit ledger export ledger.tar
  licit ledger export ledger.tar --until 1200"
)]
pub(crate) struct ExportArgs {
    /// File to write
    file: PathBuf,
    /// Up to this entry, or the last before it that was signed; default: the present end
    #[arg(long, value_name = "ENTRIES")]
    until: Option<u64>,
}

/// Export.
pub(super) fn run(context: &Context, client: Client, args: &ExportArgs) -> Result<()> {
    let served = match args.until {
        Some(size) => Served::until(client, size)?,
        None => Served::newest(client)?,
    };
    let mut copy = Copy { served, file: Lines::begin(&args.file)?, failure: None };
    let wanted = Wanted::default();
    let verified = verify::copied(&mut copy, &wanted)?;
    copy.file.finish()?;
    let mut answer = verify::summary(&verified, &wanted);
    answer["file"] = Value::String(args.file.display().to_string());
    context.answer(&answer, || {
        let written = style::green(&format!("{} entries are in `{}`", verified.head.size, args.file.display()));
        format!("{written}\n{}", verify::lines(&verified, &wanted))
    });
    Ok(())
}

/// What a server answers, written down as it is checked.
pub(super) struct Copy {
    served: Served,
    file: Lines,
    failure: Option<Failure>,
}

impl Copy {
    /// What kept it from being copied.
    pub(super) fn take_failure(&mut self) -> Option<Failure> {
        self.failure.take().or_else(|| self.served.take_failure())
    }
}

impl Read for Copy {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = self.served.read(into)?;
        if let Err(failure) = self.file.bytes(into.get(..length).unwrap_or_default()) {
            self.failure = Some(failure);
            return Err(io::Error::other("the file cannot be written"));
        }
        Ok(length)
    }
}

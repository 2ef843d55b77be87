//! `licit subjects view` and `erase`: one person.

use clap::{Args, ValueEnum};
use licit_schemas::consent::{Erased, Language, PersonView, SubjectQuery, letter};

use crate::client::typed;
use crate::commands::consent::who::Who;
use crate::context::Context;
use crate::error::{Exit, Failure, Result};
use crate::output::style;

/// Whose data, and how to show them.
#[derive(Debug, Args)]
pub(crate) struct ViewArgs {
    #[command(flatten)]
    who: Who,
    /// Language of the letter
    #[arg(long, value_enum, default_value = "en")]
    letter: Letter,
}

/// Languages of letters.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Letter {
    /// English
    En,
    /// French
    Fr,
}

/// Whom to erase.
#[derive(Debug, Args)]
pub(crate) struct EraseArgs {
    #[command(flatten)]
    who: Who,
    /// It cannot be undone: say so
    #[arg(long)]
    yes: bool,
}

/// What the registry knows, as a letter; with `--json` as it is.
pub(crate) fn view(context: &Context, args: &ViewArgs) -> Result<Exit> {
    let query = SubjectQuery { subject: args.who.pseudonym()? };
    let answer = context.client()?.post("/subjects/view", &query)?;
    let view: PersonView = typed(&answer)?;
    let language = match args.letter {
        Letter::En => Language::English,
        Letter::Fr => Language::French,
    };
    context.answer(&answer, || letter(&view, language));
    Ok(Exit::Done)
}

/// Take somebody out of everything.
pub(crate) fn erase(context: &Context, args: &EraseArgs) -> Result<Exit> {
    if !args.yes {
        return Err(Failure::Usage("erasing cannot be undone: repeat the command with `--yes`".to_owned()));
    }
    let query = SubjectQuery { subject: args.who.pseudonym()? };
    let answer = context.client()?.post("/subjects/erasures", &query)?;
    let erased: Erased = typed(&answer)?;
    context.answer(&answer, || {
        let mut text = format!("{}  {} records, ledger entry {}", style::green("erased"), erased.records, erased.seq);
        for dataset in &erased.datasets {
            text.push_str(&format!("\nwas in {dataset}: erase it there, too"));
        }
        text
    });
    Ok(Exit::Done)
}

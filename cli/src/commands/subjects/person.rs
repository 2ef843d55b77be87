//! `licit subjects view`, `erase` and `proof`: one person.

use clap::{Args, ValueEnum};
use licit_schemas::consent::{Erased, KeptProofs, Language, PersonView, ProofQuery, SubjectQuery, letter};

use crate::client::typed;
use crate::commands::consent::who::Who;
use crate::commands::consent::{proof, show};
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

/// Whose proof of consent, and why.
#[derive(Debug, Args)]
pub(crate) struct ProofArgs {
    #[command(flatten)]
    who: Who,
    /// For which claim it is read: it is recorded
    #[arg(long)]
    reason: String,
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
        if let Some(until) = erased.proof_until {
            text.push_str(&format!("\nproof of their consent is kept, restricted, until {until}"));
        }
        for dataset in &erased.datasets {
            text.push_str(&format!("\nwas in {dataset}: erase it there, too"));
        }
        for (what, uses) in [
            ("made of it", &erased.derived),
            ("learned from it", &erased.models),
            ("reached by it, and runs", &erased.deployments),
        ] {
            for one in uses {
                text.push_str(&format!("\n{what}: {} ({})", one.r#ref, one.how.join(", ")));
            }
        }
        for one in &erased.recipients {
            text.push_str(&format!(
                "\nto be told: {} ({}), which received it for {}",
                one.party, one.name, one.purpose
            ));
        }
        text
    });
    Ok(Exit::Done)
}

/// Read what is kept of an erased person's consent.
pub(crate) fn proof(context: &Context, args: &ProofArgs) -> Result<Exit> {
    let reason = args.reason.parse().map_err(|e| Failure::Usage(format!("--reason: {e}")))?;
    let query = ProofQuery { subject: args.who.pseudonym()?, reason };
    let answer = context.client()?.post("/subjects/proofs", &query)?;
    let kept: KeptProofs = typed(&answer)?;
    let broken = kept.items.iter().flat_map(|one| &one.records).filter(|record| !proof::holds(record)).count();
    context.answer(&answer, || {
        let each = kept.items.iter().map(|one| format!("{}\nkept until {}", show::shown(&one.records), one.until));
        let text = each.collect::<Vec<_>>().join("\n\n");
        match broken {
            0 => format!("{text}\n{}", style::green("every record holds")),
            _ => format!("{text}\n{}", style::red(&format!("{broken} records do not hold"))),
        }
    });
    Ok(if broken == 0 { Exit::Done } else { Exit::LedgerBroken })
}

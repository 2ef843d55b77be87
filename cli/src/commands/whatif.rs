//! `licit whatif`.

use std::path::{Path, PathBuf};

use clap::Args;
use licit_schemas::gate::Verdict;
use licit_schemas::known::KnownAt;
use licit_schemas::reports::{Move, Turn, WhatIf, WhatIfRequest, Withdrawal};
use licit_schemas::time::Timestamp;
use serde::de::DeserializeOwned;

use super::consent::asked::purpose;
use crate::client::typed;
use crate::collection::{self as c, any_reference};
use crate::context::Context;
use crate::error::{Exit, Failure, Result};
use crate::output::{decision, style, wrap};
use crate::source;
use crate::subjects::file::SubjectFile;

/// What to suppose.
#[derive(Debug, Args)]
#[command(
    after_help = "Nothing is recorded. Exit codes: 0 no running deployment would be refused that is allowed now, 3 some would.

Examples:
  licit whatif --revoke basis:research
  licit whatif --drop crm/customers --deployment vote-forecast
  licit whatif --let-expire assessment:mistral-7b
  licit whatif --approve basis:research --approve deployment:vote-forecast
  licit whatif --narrow narrower-basis.yaml --policy stricter.yaml
  licit whatif --move-region crm/customers=US --withdraw purpose:marketing \\
      --valid-at 2027-01-01
  licit whatif --withdraw-consent ads=500 --valid-at 2027-02-01
  licit whatif --withdraw-consent ads=2%
  licit whatif --subject-file people.csv --column email --key crm.key \\
      --purpose ads"
)]
pub(crate) struct WhatIfArgs {
    /// Take the approval of a purpose, basis, system, assessment or deployment back; may be repeated
    #[arg(long, value_name = "REF")]
    revoke: Vec<String>,
    /// Take out a release or what runs in a deployment, or every approved revision of a purpose, basis …
    #[arg(long, value_name = "REF")]
    withdraw: Vec<String>,
    /// So many people, or so many of a hundred, withdraw consent to a purpose; may be repeated
    #[arg(long, value_name = "PURPOSE=PEOPLE|SHARE%")]
    withdraw_consent: Vec<String>,
    #[command(flatten)]
    people: SubjectFile,
    /// Key of the purpose to which the people of the file withdraw consent
    #[arg(long, value_name = "KEY", requires = "subject_file")]
    purpose: Option<String>,
    /// Erase the data of a version, or of every version of a dataset
    #[arg(long, value_name = "DATASET")]
    drop: Vec<String>,
    /// Let an approval end, nobody renewing it
    #[arg(long, value_name = "REF")]
    let_expire: Vec<String>,
    /// Move a dataset, or where a deployment computes, to another region
    #[arg(long, value_name = "REF=REGION")]
    move_region: Vec<String>,
    /// Suppose these bases as narrow as the file states them, and approved; may be repeated
    #[arg(long, value_name = "FILE")]
    narrow: Vec<PathBuf>,
    /// Suppose what waits for the board approved: a purpose, a basis, a deployment with its proposed release …; may be repeated
    #[arg(long, value_name = "REF")]
    approve: Vec<String>,
    /// Suppose the policy of the file approved
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// As if this were now: a ledger position or a time
    #[arg(long, value_name = "WHEN")]
    known_at: Option<KnownAt>,
    /// Judge at this moment
    #[arg(long, value_name = "TIME")]
    valid_at: Option<Timestamp>,
    /// Only this deployment; may be repeated [default: all that run]
    #[arg(long, value_name = "NAME")]
    deployment: Vec<String>,
}

/// Ask what would be.
pub(crate) fn run(context: &Context, args: &WhatIfArgs) -> Result<Exit> {
    let list = |texts: &[String]| texts.iter().map(|text| any_reference(text)).collect::<Result<Vec<_>>>();
    let request = c::within_bounds(WhatIfRequest {
        revoke: list(&args.revoke)?,
        withdraw: list(&args.withdraw)?,
        withdraw_consent: withdrawals(args)?,
        drop: args.drop.iter().map(|text| c::DATASETS.reference(text)).collect::<Result<_>>()?,
        let_expire: list(&args.let_expire)?,
        move_region: args.move_region.iter().map(|text| step(text)).collect::<Result<_>>()?,
        narrow: args.narrow.iter().map(|path| document(&c::BASES, path)).collect::<Result<_>>()?,
        approve: list(&args.approve)?,
        policy: args.policy.as_deref().map(|path| document(&c::POLICIES, path)).transpose()?,
        known_at: args.known_at,
        valid_at: args.valid_at,
        deployments: args.deployment.iter().map(|text| c::DEPLOYMENTS.reference(text)).collect::<Result<_>>()?,
    })?;
    let answer = context.client()?.post("/whatif", &request)?;
    let whatif: WhatIf = typed(&answer)?;
    context.answer(&answer, || text(&whatif));
    let refused = whatif.turned.iter().any(|t| t.before == Verdict::Allow && t.after == Some(Verdict::Deny));
    Ok(if refused { Exit::Refused } else { Exit::Done })
}

/// A document of a collection, held against its schema.
fn document<T: DeserializeOwned>(collection: &c::Collection, path: &Path) -> Result<T> {
    let (value, source) = source::read(path)?;
    let value = (collection.check)(value).map_err(|faults| source.faults(faults))?;
    serde_json::from_value(value).map_err(|e| Failure::plain(e.to_string()))
}

/// Who withdraws consent to what.
fn withdrawals(args: &WhatIfArgs) -> Result<Vec<Withdrawal>> {
    let mut all = args.withdraw_consent.iter().map(|text| share(text)).collect::<Result<Vec<_>>>()?;
    if let Some(subjects) = args.people.pseudonyms()? {
        let named = args.purpose.as_deref();
        let named =
            named.ok_or_else(|| Failure::Usage("--subject-file: name what they withdraw from by --purpose".to_owned()));
        all.push(Withdrawal { purpose: purpose(named?)?, channel: None, subjects, people: None, per_mille: None });
    }
    Ok(all)
}

/// A share of people, `PURPOSE=500` or `PURPOSE=2.5%`.
fn share(text: &str) -> Result<Withdrawal> {
    let wrong = || {
        let sentence =
            format!("--withdraw-consent: write `{text}` as PURPOSE=PEOPLE or PURPOSE=SHARE%, such as ads=2.5%");
        Failure::Usage(sentence)
    };
    let (named, amount) = text.rsplit_once('=').ok_or_else(wrong)?;
    let (people, per_mille) = match amount.strip_suffix('%') {
        None => (Some(amount.parse().map_err(|_| wrong())?), None),
        Some(share) => {
            let (whole, tenths) = share.split_once('.').unwrap_or((share, "0"));
            let tenths: u16 = tenths.parse().ok().filter(|_| tenths.len() == 1).ok_or_else(wrong)?;
            let whole: u16 = whole.parse().map_err(|_| wrong())?;
            (None, Some(whole.checked_mul(10).and_then(|all| all.checked_add(tenths)).ok_or_else(wrong)?))
        }
    };
    Ok(Withdrawal { purpose: purpose(named)?, channel: None, subjects: Vec::new(), people, per_mille })
}

/// A move, `REF=REGION`.
fn step(text: &str) -> Result<Move> {
    let wrong = || Failure::Usage(format!("--move-region: write `{text}` as DATASET=REGION, such as crm/customers=FR"));
    let (reference, region) = text.rsplit_once('=').ok_or_else(wrong)?;
    let r#ref = if reference.starts_with("deployment:") {
        c::DEPLOYMENTS.reference(reference)?
    } else {
        c::DATASETS.reference(reference)?
    };
    Ok(Move { r#ref, region: region.parse().map_err(|_| wrong())? })
}

fn text(whatif: &WhatIf) -> String {
    let mut out = whatif.supposed.iter().map(|line| wrap::wrapped("suppose  ", line)).collect::<String>();
    let judged = format!("{} of {} deployment(s) judged would change", whatif.turned.len(), whatif.judged);
    out.push_str(&style::dim(&format!("{judged}; nothing was recorded\n")));
    for turn in &whatif.turned {
        out.push_str(&format!("\n{}", one(turn)));
    }
    out
}

fn one(turn: &Turn) -> String {
    let word = |verdict| match verdict {
        Verdict::Allow => style::green("allowed"),
        Verdict::Deny => style::red("refused"),
    };
    let after = turn.after.map_or_else(|| style::yellow("nothing runs there"), word);
    let subject = turn.release.as_deref().unwrap_or(&turn.deployment);
    let mut out = format!("{}  {} → {after}  ({})\n", style::bold(subject), word(turn.before), turn.owner);
    turn.came.iter().for_each(|finding| out.push_str(&decision::one(finding)));
    out.push_str(&if turn.went.is_empty() { String::new() } else { decision::changes(&[], &turn.went) });
    out
}

//! `licit vocabulary`.

use clap::Args;
use serde_json::Value;

use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::style;

/// Which terms.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  licit vocabulary dpv_purposes --q research\n  licit vocabulary dpv_personal_data --q health"
)]
pub(crate) struct VocabularyArgs {
    /// One vocabulary, such as `dpv_purposes`, `dpv_personal_data` or `dpv_data_subjects`
    scheme: Option<String>,
    /// Words the label or the IRI contains
    #[arg(long)]
    q: Option<String>,
}

/// List terms.
pub(crate) fn run(context: &Context, args: &VocabularyArgs) -> Result<Exit> {
    let query = [("scheme", args.scheme.as_deref()), ("q", args.q.as_deref())];
    let answer = context.client()?.get("/vocabulary", &query)?;
    context.answer(&answer, || {
        let word = |term: &Value, name: &str| term[name].as_str().unwrap_or_default().to_owned();
        let terms = answer["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        if terms.is_empty() {
            return style::dim("nothing found");
        }
        // No table: a label and an IRI seldom fit beside each other, and IRIs are copied whole.
        terms.iter().map(|t| format!("{}\n  {}\n", word(t, "label"), word(t, "iri"))).collect()
    });
    Ok(Exit::Done)
}

//! Consent for what: the flags that several commands share.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use licit_schemas::consent::{Channel, Method};
use licit_schemas::reference::Ref;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::collection as c;
use crate::error::{Failure, Result};

/// Consent for what.
#[derive(Debug, Args)]
pub(crate) struct Asked {
    /// Key of the purpose
    #[arg(long, value_name = "KEY")]
    purpose: String,
    /// Whether being contacted this way is asked for, too
    #[arg(long, value_parser = channel())]
    pub(crate) channel: Option<Channel>,
    /// Only explicit consent counts (GDPR Art. 9(2)(a))
    #[arg(long)]
    pub(crate) explicit: bool,
    /// Only consent of whoever holds parental responsibility counts (GDPR Art. 8)
    #[arg(long)]
    pub(crate) parental: bool,
}

impl Asked {
    /// The purpose, without a revision.
    pub(crate) fn purpose(&self) -> Result<Ref> {
        purpose(&self.purpose)
    }
}

/// A purpose as people shorten it, with or without `purpose:`.
pub(crate) fn purpose(text: &str) -> Result<Ref> {
    let purpose = c::PURPOSES.reference(text)?;
    if purpose.is_pinned() {
        return Err(Failure::Usage("name the purpose without a revision: what is said is said of all".to_owned()));
    }
    Ok(purpose)
}

/// Reads a way of being reached.
pub(crate) fn channel() -> impl TypedValueParser<Value = Channel> {
    word(&["email", "phone", "sms", "post", "app"])
}

/// Reads by what means something was said.
pub(crate) fn method() -> impl TypedValueParser<Value = Method> {
    word(&["web_form", "app", "email", "phone_call", "post", "paper", "in_person", "imported"])
}

/// One of these words, as the type that documents read it as.
fn word<T: DeserializeOwned + Clone + Send + Sync + 'static>(
    words: &'static [&'static str],
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(words).try_map(|word| serde_json::from_value::<T>(Value::String(word)))
}

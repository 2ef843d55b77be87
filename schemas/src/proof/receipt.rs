//! The receipt of a decision that allowed: what was decided, signed, with the proof that the ledger holds it.
//!
//! Whoever has it, a key and this crate needs neither network nor server: [`verify`](verify::verify).

pub mod status;
pub mod verify;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::dsse::{DsseFault, Envelope};
use crate::gate::{Decision, Intent, Verdict};
use crate::ledger::{Entry, InclusionProof};

/// The form of a receipt, by its version.
pub const FORM: &str = "licit.receipt.v1";
/// Bytes a receipt may have: its evidence is not in it.
pub const MOST: usize = 32 << 20;

/// A receipt. The same decision has the same envelope, always; only the checkpoint, with the proof to it, grows with the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// `licit.receipt.v1`.
    pub form: String,
    /// The statement, signed (DSSE v1.0).
    pub envelope: Sealed,
    /// The ledger entry that records the decision: its canonical form is the leaf.
    pub entry: Entry,
    /// The data that the entry commits to: the decision.
    pub data: Value,
    /// That the entry is in the tree of the checkpoint.
    pub inclusion: InclusionProof,
    /// The signed checkpoint (C2SP tlog-checkpoint).
    pub checkpoint: String,
}

/// A DSSE envelope as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sealed {
    /// The payload in base64.
    pub payload: String,
    /// Its type.
    pub payload_type: String,
    /// Who signed.
    pub signatures: Vec<SealedBy>,
}

/// A signature of an envelope as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SealedBy {
    /// Name and id of the key, as a hint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyid: Option<String>,
    /// The signature in base64.
    pub sig: String,
}

impl Sealed {
    /// The envelope, nothing of it verified.
    ///
    /// # Errors
    /// It is none.
    pub fn open(&self) -> Result<Envelope, DsseFault> {
        let bytes = serde_json::to_vec(self).map_err(|e| DsseFault::Form(e.to_string()))?;
        Envelope::parse(&bytes)
    }

    /// An envelope as it is written.
    ///
    /// # Errors
    /// None, of an envelope that was made here.
    pub fn of(envelope: &Envelope) -> Result<Self, DsseFault> {
        serde_json::from_value(envelope.to_json()).map_err(|e| DsseFault::Form(e.to_string()))
    }
}

/// Why a decision has no receipt, by what it says itself; nothing where it may have one.
pub fn refused(decision: &Decision) -> Option<String> {
    if decision.id.0.is_nil() {
        return Some("a dry run is not recorded: there is nothing to prove".to_owned());
    }
    if decision.verdict == Verdict::Deny {
        let passes = match (&decision.break_glass, decision.passes, decision.baselines.is_empty()) {
            (Some(used), true, _) => format!(": it passes by `{used}` only, and a receipt never says so"),
            (None, true, false) => {
                format!(": it passes by `{}` only, and a receipt never says so", decision.baselines.join("`, `"))
            }
            (None, true, true) => ": it passes by the mode of its environment only, and a receipt never says so".into(),
            _ => String::new(),
        };
        return Some(format!("the gate denied it{passes}"));
    }
    if !decision.passes {
        return Some("the time to live of its environment was over".to_owned());
    }
    match &decision.release {
        Some(_) => None,
        None => Some("it is of no release".to_owned()),
    }
}

/// Whether a receipt given for one intent does for another: what may begin may go on, and not the other way round.
pub fn suffices(given: Intent, asked: Intent) -> bool {
    given == Intent::Start || asked == Intent::Continue
}

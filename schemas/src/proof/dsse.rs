//! DSSE envelopes (DSSE v1.0, secure-systems-lab): a payload, its type, and who signed both.
//!
//! The key that signs checkpoints signs these, too: what is signed here begins with `DSSEv1 `, and a checkpoint with an origin, which
//! has no space, so that neither can pass for the other.

use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, Engine as _};
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use super::key::{PublicKey, SIGNATURE};

/// Bytes an envelope may have.
pub const MOST: usize = 16 << 20;
/// Signatures an envelope may have.
const MOST_SIGNATURES: usize = 100;

const LOOSE: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LOOSE);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LOOSE);

/// Why bytes are no envelope, or one is not to be relied on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DsseFault {
    /// Not an envelope.
    #[error("it is not a DSSE envelope: {0}")]
    Form(String),
    /// A type nobody here reads.
    #[error("its payload is of the type `{0}`, which is not read here")]
    Type(String),
    /// Too few trusted keys signed.
    #[error("{found} of the trusted keys signed it, {wanted} must have")]
    Signatures {
        /// Distinct trusted keys that signed.
        found: usize,
        /// How many must have.
        wanted: usize,
    },
}

/// A signature of an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvelopeSignature {
    /// Which key, as a hint; nothing is decided by it.
    pub keyid: Option<String>,
    /// The signature.
    pub sig: Vec<u8>,
}

/// An envelope, nothing of it verified by being here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    payload_type: String,
    payload: Vec<u8>,
    signatures: Vec<EnvelopeSignature>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    payload: String,
    payload_type: String,
    signatures: Vec<WrittenSignature>,
}

#[derive(Serialize, Deserialize)]
struct WrittenSignature {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keyid: Option<String>,
    sig: String,
}

/// What is signed: `DSSEv1 LEN(type) type LEN(body) body`, lengths in bytes.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    bytes.extend(payload);
    bytes
}

impl Envelope {
    /// An envelope that nobody signed yet.
    pub fn unsigned(payload_type: &str, payload: Vec<u8>) -> Self {
        Self { payload_type: payload_type.to_owned(), payload, signatures: Vec::new() }
    }

    /// Read an envelope. Members it does not know are passed over, as the specification asks.
    ///
    /// # Errors
    /// Not one; longer than [`MOST`] bytes; base64 of neither alphabet.
    pub fn parse(bytes: &[u8]) -> Result<Self, DsseFault> {
        let form = |why: &dyn std::fmt::Display| DsseFault::Form(why.to_string());
        if bytes.len() > MOST {
            return Err(form(&format_args!("it has more than {MOST} bytes")));
        }
        let value: Value = crate::json::parse(bytes).map_err(|e| form(&e))?;
        let written = Written::deserialize(value).map_err(|e| form(&e))?;
        if written.signatures.len() > MOST_SIGNATURES {
            return Err(form(&format_args!("it has more than {MOST_SIGNATURES} signatures")));
        }
        let decode = |what: &str, text: &str| {
            let engine = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
            engine.decode(text).map_err(|_| form(&format_args!("`{what}` is not base64")))
        };
        let signatures = written
            .signatures
            .into_iter()
            .map(|one| Ok(EnvelopeSignature { sig: decode("sig", &one.sig)?, keyid: one.keyid }));
        Ok(Self {
            payload: decode("payload", &written.payload)?,
            payload_type: written.payload_type,
            signatures: signatures.collect::<Result<_, DsseFault>>()?,
        })
    }

    /// The envelope as JSON, in standard base64.
    pub fn to_json(&self) -> Value {
        let signatures = self.signatures.iter().map(|one| {
            let mut written = serde_json::json!({"sig": BASE64_STANDARD.encode(&one.sig)});
            if let Some(keyid) = &one.keyid {
                written["keyid"] = keyid.as_str().into();
            }
            written
        });
        serde_json::json!({
            "payload": BASE64_STANDARD.encode(&self.payload),
            "payloadType": self.payload_type,
            "signatures": signatures.collect::<Vec<_>>(),
        })
    }

    /// The bytes to sign.
    pub fn pae(&self) -> Vec<u8> {
        pae(&self.payload_type, &self.payload)
    }

    /// Add a signature over [`Self::pae`].
    ///
    /// # Errors
    /// It is not that key's: what is wrong must not be handed out.
    pub fn signed(
        mut self,
        by: &PublicKey,
        keyid: Option<String>,
        signature: &[u8; SIGNATURE],
    ) -> Result<Self, DsseFault> {
        if !by.signed(&self.pae(), signature) {
            return Err(DsseFault::Signatures { found: 0, wanted: 1 });
        }
        self.signatures.push(EnvelopeSignature { keyid, sig: signature.to_vec() });
        Ok(self)
    }

    /// The payload, once it is verified: its type is one of those supported, and at least `threshold` distinct trusted keys signed
    /// it. Who looks at the payload before, looks at nobody's word.
    ///
    /// # Errors
    /// Another type, too few signatures, or a threshold of 0, which would ask for nothing.
    pub fn verify(&self, trusted: &[PublicKey], threshold: usize, supported: &[&str]) -> Result<&[u8], DsseFault> {
        if self.payload_type.is_empty() || !supported.contains(&self.payload_type.as_str()) {
            return Err(DsseFault::Type(self.payload_type.chars().take(200).collect()));
        }
        let signed = self.pae();
        let mut found: Vec<&PublicKey> = Vec::new();
        for one in &self.signatures {
            // By each key, whatever the hint says: it is not authenticated.
            let by = trusted.iter().find(|key| !found.contains(key) && key.signed(&signed, &one.sig));
            found.extend(by);
        }
        if threshold > 0 && found.len() >= threshold {
            Ok(&self.payload)
        } else {
            Err(DsseFault::Signatures { found: found.len(), wanted: threshold.max(1) })
        }
    }
}

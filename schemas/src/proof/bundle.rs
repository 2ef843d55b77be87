//! The Sigstore bundle (v0.3) around an envelope with one signature: what `cosign verify-blob-attestation --bundle` reads.

use serde_json::{Value, json};

use super::dsse::{DsseFault, Envelope};

/// Media type of a bundle.
pub const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// The bundle of an envelope that one key signed: the key is named by a hint, and must be known by other means. There are no entries
/// of a public log in it: the proof that the decision is in the ledger stands in the receipt.
///
/// # Errors
/// Another number of signatures than one, which a bundle cannot hold.
pub fn bundle(envelope: &Envelope, hint: &str) -> Result<Value, DsseFault> {
    let written = envelope.to_json();
    let signatures = written["signatures"].as_array().map_or(0, Vec::len);
    if signatures != 1 {
        return Err(DsseFault::Form(format!("a bundle holds one signature, not {signatures}")));
    }
    Ok(json!({
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": {"publicKey": {"hint": hint}, "tlogEntries": []},
        "dsseEnvelope": written,
    }))
}

/// The envelope in a bundle. Nothing of it is verified by being here.
///
/// # Errors
/// Not a bundle, or one without exactly one signature.
pub fn envelope(bytes: &[u8]) -> Result<Envelope, DsseFault> {
    let form = |why: &str| DsseFault::Form(why.to_owned());
    let value = crate::json::parse(bytes).map_err(|e| form(&e.to_string()))?;
    if value["mediaType"] != MEDIA_TYPE {
        return Err(form("it is not a Sigstore bundle of version 0.3"));
    }
    let material = &value["verificationMaterial"];
    let named = ["publicKey", "x509CertificateChain", "certificate"].iter().filter(|by| material[**by].is_object());
    if named.count() != 1 || !material["tlogEntries"].is_array() {
        return Err(form("the bundle names no key, or more than one, or has no list of log entries"));
    }
    if value["dsseEnvelope"]["signatures"].as_array().map(Vec::len) != Some(1) {
        return Err(form("a bundle holds one signature"));
    }
    Envelope::parse(value["dsseEnvelope"].to_string().as_bytes())
}

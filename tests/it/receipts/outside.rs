//! Other people's programs read what we write.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use harness::Client;
use licit_schemas::proof::key::SecretKey;

use super::command::{Filed, filed};
use crate::ledger::ring;
use crate::support::{installed, licit, root};

/// What is installed of Python packages, and nothing else is asked of it.
const PACKAGES: [&str; 9] = [
    "securesystemslib==1.6.0",
    "in-toto-attestation==0.9.3",
    "model-signing==1.1.1",
    "pyOpenSSL==26.4.0",
    "cryptography==50.0.2",
    "protobuf==7.36.2",
    "xmlschema==4.3.2",
    "openlineage-python==1.54.0",
    "prov==3.2.3",
];

/// A Python with those packages, made once for a source tree.
pub(crate) fn python() -> &'static PathBuf {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| installed("outside", &PACKAGES))
}

#[test]
fn other_peoples_verifiers_agree() {
    let Filed { s, folder } = filed();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let gate = |client: &Client, more: &[&str]| licit(client, &[&["gate", "score-prod"], more].concat());
    let (code, _, said) = gate(&s.ci, &["--artifact", &at("model"), "--write-receipt", &at("receipt.json")]);
    assert_eq!(code, 0, "{said}");
    let receipt: serde_json::Value = serde_json::from_slice(&std::fs::read(at("receipt.json")).unwrap()).unwrap();
    let decision = receipt["data"]["id"].as_str().unwrap();
    let (code, _, said) = licit(&s.ci, &["decision", "receipt", decision, "--bundle", "-o", &at("bundle.json")]);
    assert_eq!(code, 0, "{said}");
    std::fs::write(at("key.pem"), ring(&s.audit).keys[0].key.key().pem()).unwrap();
    std::fs::write(at("stranger.pem"), SecretKey::from_seed(&[7; 32]).public().pem()).unwrap();
    let report = |name: &str, client: &Client, wanted: i32| {
        let (code, out, said) = gate(client, &["--format", "junit"]);
        assert_eq!(code, wanted, "{out}{said}");
        std::fs::write(at(name), out).unwrap();
    };
    report("allowed.xml", &s.ci, 0);
    s.revoke("basis:scoring-contract", 0);
    report("refused.xml", &s.ci, 3);
    report("unreached.xml", &Client::new("http://127.0.0.1:9", s.ci.token.as_deref()), 5);
    let script = root().join("tests/outside/verify.py");
    let out = Command::new(python()).arg(script).arg(folder.path()).arg(root().join("tests/schemas")).output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{}{said}", String::from_utf8_lossy(&out.stdout));
}

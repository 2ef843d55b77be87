//! `licit verify`, `licit gate` with receipts, and what pipelines read.

use harness::scenario::in_days;
use harness::{Client, Scenario};
use licit_schemas::digest::Digest;
use serde_json::{Value, json};

use crate::gate::baseline::{before, take_over};
use crate::gate::parts::world;
use crate::ledger::ring;
use crate::support::{licit, root};

/// Files of the model: names that sort otherwise by their folders, and one that is not ASCII.
const FILES: [(&str, &str); 4] = [("a.txt", "1"), ("a/weights.bin", "2"), ("é.json", "3"), ("z", "")];

/// A scenario whose model lies in `model/` of a folder.
pub(super) struct Filed {
    pub(super) s: Scenario,
    pub(super) folder: tempfile::TempDir,
}

pub(super) fn filed() -> Filed {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("model/a")).unwrap();
    for (name, text) in FILES {
        std::fs::write(folder.path().join("model").join(name), text).unwrap();
    }
    let s = world(|p| {
        let file =
            |(name, text): (&str, &str)| json!({"path": name, "digest": Digest::of(text.as_bytes()).to_string()});
        p.model_versions[0]["files"] = FILES.map(file).to_vec().into();
    });
    s.activate("release:score-prod@1").good();
    Filed { s, folder }
}

impl Filed {
    pub(super) fn at(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// The receipt of a decision to start, written by the gate.
    #[track_caller]
    fn receipt(&self) -> String {
        let path = self.at("score.receipt");
        let (code, out, said) =
            licit(&self.s.ci, &["gate", "score-prod", "--artifact", &self.at("model"), "--write-receipt", &path]);
        assert_eq!(code, 0, "{out}{said}");
        path
    }

    fn key(&self) -> String {
        let path = self.at("licit.pub");
        std::fs::write(&path, format!("# our registry\n{}\n", ring(&self.s.audit).keys[0].key)).unwrap();
        path
    }
}

/// Nobody answers there.
fn nowhere() -> Client {
    Client::new("http://127.0.0.1:9", Some("none"))
}

#[test]
fn a_receipt_is_verified_without_a_server() {
    let f = filed();
    let (receipt, key, model) = (f.receipt(), f.key(), f.at("model"));
    let vkey = ring(&f.s.audit).keys[0].key.to_string();
    let pem = f.at("key.pem");
    std::fs::write(&pem, ring(&f.s.audit).keys[0].key.key().pem()).unwrap();
    drop(f.s);
    let verify = |more: &[&str]| licit(&nowhere(), &[&["verify", &receipt], more].concat());
    for key in [&key, &vkey, &pem] {
        let (code, out, said) =
            verify(&["--key", key, "--artifact", &model, "--deployment", "score-prod", "--max-age", "1h"]);
        assert_eq!(code, 0, "{out}{said}");
        assert!(out.contains("VALID  release:score-prod@1") && out.contains("4 file(s) are there"), "{out}");
    }
    let (code, out, _) = verify(&["--key", &key, "--json"]);
    let answer: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &answer["outcome"], answer["checks"].as_array().unwrap().len()), (0, &json!("holds"), 6));
    // Sound, and not for this.
    let later = in_days(2);
    for (more, words) in [
        (&["--deployment", "other"][..], "not `deployment:other`"),
        (&["--release", "score-prod@9"], "not `release:score-prod@9`"),
        (&["--max-age", "0s"], "too long ago"),
        (&["--at", &later], "it ended"),
        (&["--artifact", f.folder.path().join("model/a").to_str().unwrap()], "not admitted, such as `weights.bin`"),
    ] {
        let (code, out, said) = verify(&[&["--key", &key], more].concat());
        assert_eq!(code, 3, "{more:?}: {out}{said}");
        assert!(out.contains("NOT VALID") && out.contains(words), "{words}: {out}");
    }
    std::fs::write(f.folder.path().join("model/more"), "x").unwrap();
    let (code, out, _) = verify(&["--key", &key, "--artifact", &model]);
    assert_eq!((code, out.contains("such as `more`")), (3, true), "{out}");
    // Broken, or signed by nobody one trusts.
    let stranger = ring(&Scenario::empty().audit).keys[0].key.to_string();
    let (code, out, _) = verify(&["--key", &stranger]);
    assert_eq!((code, out.contains("BROKEN")), (4, true), "{out}");
    let text = std::fs::read_to_string(&receipt).unwrap();
    std::fs::write(&receipt, text.replace("\"verdict\": \"allow\"", "\"verdict\": \"deny\"")).unwrap();
    assert_eq!(verify(&["--key", &key]).0, 4);
    std::fs::write(&receipt, "{}").unwrap();
    assert_eq!(verify(&["--key", &key]).0, 4);
    // No verdict about a receipt.
    assert_eq!(verify(&[]).0, 2);
    assert_eq!(verify(&["--key", "nonsense"]).0, 2);
    std::fs::remove_file(&receipt).unwrap();
    assert_eq!(verify(&["--key", &key]).0, 1);
}

#[test]
fn what_begins_is_refused_when_nobody_answers_and_what_goes_on_passes_by_its_receipt() {
    let f = filed();
    let (receipt, key, model) = (f.receipt(), f.key(), f.at("model"));
    let gate = |client: &Client, more: &[&str]| licit(client, &[&["gate", "score-prod"], more].concat());
    let with = ["--receipt", &receipt, "--key", &key];
    assert_eq!(gate(&nowhere(), &[]).0, 5);
    assert_eq!(gate(&nowhere(), &["--continue"]).0, 5);
    assert_eq!(gate(&nowhere(), &with).0, 5, "a start");
    let (code, out, said) = gate(&nowhere(), &[&["--continue", "--artifact", &model], &with[..]].concat());
    assert_eq!(code, 0, "{out}{said}");
    assert!(out.contains("VALID") && said.contains("it goes on by its receipt"), "{out}{said}");
    let (code, out, _) = gate(&nowhere(), &[&["--continue", "--max-age", "0s"], &with[..]].concat());
    assert_eq!((code, out.contains("NOT VALID")), (5, true), "{out}");
    let other = ["gate", "other", "--continue", "--receipt", &receipt, "--key", &key];
    assert_eq!(licit(&nowhere(), &other).0, 5, "a receipt of another deployment");
    // The server's word goes before the receipt's.
    f.s.revoke("basis:scoring-contract", 0);
    assert_eq!(gate(&f.s.ci, &[&["--continue"], &with[..]].concat()).0, 3);
    // Offline nobody is asked, and that is said: 3 and 4 as of `licit verify`.
    // What begins without asking says how old the answer may be.
    let (code, _, said) = gate(&f.s.ci, &[&["--offline"], &with[..]].concat());
    assert!(code == 2 && said.contains("--max-age"), "{code} {said}");
    assert_eq!(gate(&f.s.ci, &[&["--offline", "--max-age", "1h"], &with[..]].concat()).0, 0);
    assert_eq!(gate(&f.s.ci, &[&["--offline", "--max-age", "0s"], &with[..]].concat()).0, 3);
    let stranger = ring(&Scenario::empty().audit).keys[0].key.to_string();
    assert_eq!(gate(&nowhere(), &["--offline", "--max-age", "1h", "--receipt", &receipt, "--key", &stranger]).0, 4);
    assert_eq!(gate(&nowhere(), &["--offline"]).0, 2);
    // A receipt of what went on lets nothing begin.
    let f = filed();
    let on = f.at("on.receipt");
    let (code, _, said) = gate(&f.s.ci, &["--continue", "--write-receipt", &on]);
    assert_eq!(code, 0, "{said}");
    let key = f.key();
    assert_eq!(gate(&nowhere(), &["--offline", "--max-age", "1h", "--receipt", &on, "--key", &key]).0, 3);
    assert_eq!(gate(&nowhere(), &["--offline", "--continue", "--receipt", &on, "--key", &key]).0, 0);
    // An old receipt does not stay where a new one was wanted.
    f.s.revoke("basis:scoring-contract", 0);
    let (code, _, said) = gate(&f.s.ci, &["--continue", "--write-receipt", &on]);
    assert_eq!((code, std::path::Path::new(&on).exists()), (3, false), "{said}");
    assert!(said.contains("no receipt is written: the gate denied it"), "{said}");
    std::fs::write(&on, "old").unwrap();
    let nobody = Client::new(&f.s.server.url, Some("none"));
    let (code, out, _) = gate(&nobody, &["--write-receipt", &on, "--format", "junit"]);
    assert_eq!((code, std::path::Path::new(&on).exists(), out.contains("errors=\"1\"")), (1, false, true), "{out}");
}

#[test]
fn a_decision_is_followed_from_the_command_line() {
    let f = filed();
    let receipt = f.receipt();
    let value: Value = serde_json::from_slice(&std::fs::read(&receipt).unwrap()).unwrap();
    let id = value["data"]["id"].as_str().unwrap();
    let (code, out, _) = licit(&f.s.ci, &["decision", "status", id]);
    assert_eq!((code, out.starts_with("STANDS  release:score-prod@1")), (0, true), "{out}");
    let (code, out, _) = licit(&f.s.ci, &["decision", "receipt", id]);
    let again: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &again["envelope"]), (0, &value["envelope"]));
    f.s.revoke("basis:scoring-contract", 0);
    let (code, out, _) = licit(&f.s.ci, &["decision", "status", id]);
    assert_eq!((code, out.contains("STANDS NO MORE")), (3, true), "{out}");
}

/// Held against the schema of the format.
#[track_caller]
fn sarif(client: &Client, wanted: i32, more: &[&str]) -> Value {
    let (code, out, said) = licit(client, &[&["gate", "score-prod", "--format", "sarif"], more].concat());
    assert_eq!(code, wanted, "{out}{said}");
    let log: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}"));
    let schema = std::fs::read_to_string(root().join("tests/schemas/sarif-2.1.0.json")).unwrap();
    // The pattern of a language there, of which we state none, has a bracket too many.
    let schema: Value = serde_json::from_str(&schema.replace("{2}]?$", "{2}$")).unwrap();
    let faults: Vec<String> =
        jsonschema::validator_for(&schema).unwrap().iter_errors(&log).map(|e| e.to_string()).collect();
    assert!(faults.is_empty(), "{faults:#?} in {log:#}");
    log["runs"][0].clone()
}

#[test]
fn code_scanning_reads_what_was_found_and_what_a_baseline_took_over() {
    let s = before();
    let run = sarif(&s.ci, 3, &["--continue"]);
    let results = run["results"].as_array().unwrap();
    assert!(!results.is_empty());
    for result in results {
        assert_eq!((&result["baselineState"], &result["level"]), (&json!("new"), &json!("error")), "{result:#}");
        let text = result["message"]["text"].as_str().unwrap();
        for word in ["Why: ", "Path: ", "Who: ", "Do: "] {
            assert!(text.contains(word), "{word}: {text}");
        }
    }
    let print = |run: &Value| run["results"][0]["partialFingerprints"].clone();
    let first = print(&run);
    take_over(&s);
    assert_eq!(sarif(&s.ci, 3, &["--continue"])["results"][0]["baselineState"], "new", "nobody voted");
    s.approve(&["baseline:before-licit"]);
    let run = sarif(&s.ci, 0, &["--continue"]);
    let result = &run["results"][0];
    assert_eq!((&result["baselineState"], print(&run)), (&json!("unchanged"), first));
    assert_eq!(result["suppressions"][0]["justification"], "baseline:before-licit@1");
    s.revoke("baseline:before-licit", 0);
    assert_eq!(sarif(&s.ci, 3, &["--continue"])["results"][0]["baselineState"], "new", "taken back");
    let run = sarif(&nowhere(), 5, &[]);
    assert_eq!((&run["invocations"][0]["executionSuccessful"], &run["results"]), (&json!(false), &json!([])));
    let run = sarif(&Scenario::running().ci, 0, &["--dry-run"]);
    assert_eq!((&run["results"], &run["properties"]["passes"]), (&json!([]), &json!(true)));
}

#[test]
fn json_is_the_answer_of_the_api() {
    let s = Scenario::running();
    for flag in [&["--format", "json"][..], &["--json"]] {
        let (code, out, _) = licit(&s.ci, &[&["gate", "score-prod", "--continue"], flag].concat());
        let answer: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((code, &answer["verdict"]), (0, &json!("allow")));
    }
}

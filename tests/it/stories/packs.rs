//! The packs for sectors: their policies pass their own tests, and a server takes every document as it stands.

use std::path::PathBuf;

use harness::Scenario;
use serde_json::json;

use crate::support::{licit, root};

/// Files of a folder, in order of their names.
fn files(folder: PathBuf) -> Vec<PathBuf> {
    let mut list: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    list.sort();
    list
}

#[test]
fn every_pack_holds() {
    let packs: Vec<PathBuf> = files(root().join("demo/packs")).into_iter().filter(|path| path.is_dir()).collect();
    let named: Vec<&str> = packs.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(named, ["bank", "energy", "health", "retail"]);
    for pack in packs {
        let s = Scenario::empty();
        for key in ["review", "control-room", "production"] {
            s.add("environments", json!({"key": key, "mode": "enforce", "class": "test"}));
        }
        s.add("parties", harness::scenario::party(pack.file_name().unwrap().to_str().unwrap()));
        let (mut policies, mut purposes) = (0, 0);
        let (notices, others): (Vec<PathBuf>, Vec<PathBuf>) =
            files(pack).into_iter().partition(|file| file.to_str().unwrap().contains("/notice-"));
        for file in others {
            let path = file.to_str().unwrap();
            if !path.ends_with("policy.yaml") {
                let (code, out, err) = licit(&s.ana, &["purpose", "create", "-f", path]);
                assert_eq!(code, 0, "{path}: {out}{err}");
                purposes += 1;
                continue;
            }
            policies += 1;
            let (code, out, err) = licit(&s.ana, &["policy", "test", path, "--json"]);
            assert_eq!(code, 0, "{path}: {out}{err}");
            let outcomes: serde_json::Value = serde_json::from_str(&out).unwrap();
            let found = outcomes.to_string();
            // Each rule is found at least once, and something passes all of them.
            let text = std::fs::read_to_string(&file).unwrap();
            let codes = text.lines().filter_map(|line| line.trim().strip_prefix("- code: "));
            for code in codes {
                assert!(found.contains(&format!("\"{code}\"")), "{path}: no test finds {code}");
            }
            assert!(outcomes.as_array().unwrap().iter().any(|o| o["found"] == json!([])), "{path}");
            let (code, out, err) = licit(&s.server.admin(), &["policy", "create", "-f", path]);
            assert_eq!(code, 0, "{path}: {out}{err}");
        }
        assert_eq!((policies, purposes), (1, 3));
        // What people are told names every purpose, makes promises, and is no longer or harder to read than policy asks.
        assert_eq!(notices.len(), 1);
        let path = notices[0].to_str().unwrap();
        let (code, out, err) = licit(&s.ana, &["notice", "create", "-f", path, "--json"]);
        assert_eq!(code, 0, "{path}: {out}{err}");
        let made: serde_json::Value = serde_json::from_str(&out).unwrap();
        let stated = s.ana.resolve(made["ref"].as_str().unwrap());
        let many = |member: &str| stated["spec"][member].as_array().unwrap().len();
        assert!(many("purposes") == 3 && many("promises") >= 2, "{path}: {stated:#}");
    }
}

//! Many kinds of sources and many bases: each source is judged as if it were the only one.

use harness::scenario;
use serde_json::{Value, json};

use super::parts::{of_rule, only, world};

/// Data of each region are a class of their own.
const REGIONS: [&str; 8] = ["FR", "DE", "IT", "ES", "PT", "NL", "BE", "AT"];

/// Datasets no basis covers where they are contained.
fn uncovered(decision: &Value) -> Vec<String> {
    let mut list: Vec<String> = of_rule(decision, "source.covered")
        .into_iter()
        .filter(|f| f["sentence"].as_str().unwrap().contains("to be used in this deployment"))
        .flat_map(|f| std::iter::once(&f["node"]).chain(f["also"].as_array().into_iter().flatten()))
        .map(|n| n.as_str().unwrap().to_owned())
        .collect();
    list.sort();
    list
}

#[test]
fn many_cohorts_and_more_bases_than_bits_change_no_answer() {
    // In each region two datasets that a basis names and two that none does: sixteen cohorts of two, and the people.
    let names: Vec<String> = (0..4 * REGIONS.len()).map(|n| format!("t{n:02}")).collect();
    let full = |n: usize| format!("dataset:crm/{}", names[n]);
    let s = world(|p| {
        for (n, name) in names.iter().enumerate() {
            p.datasets.push(name.clone().leak());
            let mut version = scenario::people("1");
            version["dataset"] = json!(full(n));
            version["region"] = json!(REGIONS[n / 4]);
            p.versions.push(version);
            p.runs[0]["inputs"]
                .as_array_mut()
                .unwrap()
                .push(json!({"ref": format!("{}@1", full(n)), "role": "training"}));
            if n % 2 == 0 {
                p.bases[0]["covers"]["datasets"].as_array_mut().unwrap().push(json!(full(n)));
            }
        }
    });
    let wanted: Vec<String> = (1..names.len()).step_by(2).map(|n| format!("{}@1", full(n))).collect();
    let few = s.dry("start");
    assert_eq!(uncovered(&few), wanted, "{few:#}");
    // Proposals nobody voted on, which name datasets and no category of theirs: they are asked, and settle nothing.
    let bases = (0..70).map(|n| {
        let mut basis = scenario::basis(&format!("z{n:02}"), "scoring");
        basis["covers"]["datasets"] = json!([full(n % names.len())]);
        basis["covers"]["categories"] = json!([scenario::RELIGION]);
        basis
    });
    for basis in bases {
        s.add("bases", basis);
    }
    assert_eq!(s.dry("start")["findings"], few["findings"]);
    // One is approved that covers one of them, and none beside it.
    let mut last = scenario::basis("z69", "scoring");
    last["covers"]["datasets"] = json!([full(29)]);
    let last = s.add("bases", last)["ref"].as_str().unwrap().to_owned();
    s.approve(&[&last]);
    let after = s.dry("start");
    let left: Vec<String> = wanted.into_iter().filter(|name| *name != format!("{}@1", full(29))).collect();
    assert_eq!(uncovered(&after), left, "{after:#}");
    assert_eq!(only(&after, "basis.approved")["node"], last);
}

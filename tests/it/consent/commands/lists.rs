//! Whom trainings and services leave out.

use harness::scenario::{finding, findings};
use licit_schemas::subjects::Pseudonym;
use serde_json::{Value, json};

use super::super::covered::consenting;
use super::super::{pseudonym, said};
use super::{Desk, private};

/// Ten people agreed; these take it back.
fn without(desk: &Desk, who: &[u32]) {
    let now = licit_server::clock::now().to_string();
    let records: Vec<Value> = who.iter().map(|n| said(*n, 5_000 + *n, "withdrawn", &now)).collect();
    super::super::said::batch(&desk.s.ana, &records).good();
}

/// People of a file, each line with what stands before them.
fn lines(path: &str) -> Vec<String> {
    let mut lines: Vec<String> = std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn people(mark: &str, who: &[u32]) -> Vec<String> {
    let mut all: Vec<String> = who.iter().map(|n| format!("{mark}{}", pseudonym("k1", *n))).collect();
    all.sort();
    all
}

#[test]
fn a_corrected_member_set_is_made_and_those_left_out_are_named() {
    let desk = Desk::new(consenting());
    without(&desk, &[2, 7]);
    let file = desk.at("left-out.txt");
    // As the gate writes it.
    let exclude = ["subjects", "exclude", "dataset:crm/people@1", "--purpose", "purpose:scoring"];
    let (out, _) = desk.ran(&desk.s.ana, &[&exclude[..], &["-o", &file]].concat(), 0);
    assert!(out.contains("stay        8") && out.contains("left out    2") && out.contains("member_sets: ["), "{out}");
    assert_eq!(lines(&file), people("", &[2, 7]));
    private(&file);
    assert!(lines(&file).iter().all(|line| line.parse::<Pseudonym>().is_ok()));
    let id = out.split_once("member_sets: [").unwrap().1.split(']').next().unwrap();
    assert_eq!(
        desk.s.ana.get(&format!("/api/v1/member-sets/{id}/excluded")).good()["subjects"].as_array().unwrap().len(),
        2
    );
    // Explicit consent nobody gave; without a file, only counts.
    let made = desk.json(&desk.s.ana, &[&exclude[..], &["--explicit"]].concat(), 0);
    assert_eq!((made["count"].as_u64(), made["excluded"].as_u64()), (Some(0), Some(10)));
    assert!(made["id"].is_string() && made.get("written").is_none(), "{made}");
    // Nothing is made where it cannot be written, or where nobody is known.
    let size = desk.s.audit.get("/api/v1/ledger/head").good()["size"].clone();
    desk.ran(&desk.s.ana, &[&exclude[..], &["-o", &desk.at("nowhere/out.txt")]].concat(), 1);
    desk.ran(&desk.s.ana, &["subjects", "exclude", "crm/people@9", "--purpose", "scoring", "-o", &desk.at("x")], 1);
    desk.ran(&desk.s.audit, &[&exclude[..], &["-o", &desk.at("x")]].concat(), 1);
    assert_eq!(desk.s.audit.get("/api/v1/ledger/head").good()["size"], size);
    let left: Vec<_> = std::fs::read_dir(desk.folder.path()).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert_eq!(left, ["left-out.txt"], "nothing half done is left");
}

#[test]
fn a_service_fetches_whom_to_leave_out_and_says_so() {
    let desk = Desk::new(consenting());
    desk.s.activate("release:score-prod@1").good();
    without(&desk, &[2, 7]);
    // What the gate tells people to type.
    let refused = finding(&desk.s.dry("start"), "suppression.fresh").expect("nobody has the list");
    let command = refused["remedy"]["command"].as_str().unwrap().to_owned();
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    let file = desk.at("list.txt");
    let (out, _) = desk.ran(&desk.s.ci, &[&words[..], &["-o", &file]].concat(), 0);
    assert!(out.contains("2 people") && out.contains("acknowledged"), "{out}");
    assert_eq!(lines(&file), people("", &[2, 7]));
    private(&file);
    assert_eq!(findings(&desk.s.dry("continue")), []);
    let position = out.split_once("position  ").unwrap().1.lines().next().unwrap().to_owned();

    without(&desk, &[4]);
    let now = licit_server::clock::now().to_string();
    super::super::said::batch(&desk.s.ana, &[said(7, 9_000, "given", &now)]).good();
    let since = ["suppression", "pull", "deployment:score-prod", "--since", &position];
    let (out, told) = desk.ran(&desk.s.ci, &since, 0);
    let mut changes: Vec<String> = out.lines().map(str::to_owned).collect();
    changes.sort();
    assert_eq!(changes, [people("+", &[4]), people("-", &[7])].concat());
    assert!(told.contains("position  "), "{told}");
    let next: u64 = told.split_once("position  ").unwrap().1.trim().parse().unwrap();
    let document = desk.json(&desk.s.ci, &since, 0);
    assert_eq!((&document["add"], &document["remove"]), (&json!(people("", &[4])), &json!(people("", &[7]))));
    assert_eq!((document["position"].as_u64(), &document["whole"]), (Some(next), &json!(false)));
    let document = desk.json(&desk.s.ci, &[&since[..], &["-o", &file]].concat(), 0);
    assert_eq!((&document["added"], &document["removed"], document.get("acknowledged")), (&json!(1), &json!(1), None));
    assert_eq!(lines(&file), [people("+", &[4]), people("-", &[7])].concat());
    let (out, _) = desk.ran(&desk.s.ci, &["suppression", "acknowledge", "score-prod", &next.to_string()], 0);
    assert!(out.contains("acknowledged") && out.contains(&next.to_string()), "{out}");
    assert_eq!(findings(&desk.s.dry("start")), []);
    // What cannot be written is not acknowledged; what is no list cannot be.
    without(&desk, &[5]);
    let size = desk.s.audit.get("/api/v1/ledger/head").good()["size"].clone();
    let pull = ["suppression", "pull", "score-prod", "--acknowledge", "-o"];
    desk.ran(&desk.s.ci, &[&pull[..], &[&desk.at("nowhere/list.txt")]].concat(), 1);
    assert_eq!(desk.s.audit.get("/api/v1/ledger/head").good()["size"], size);
    desk.ran(&desk.s.ci, &["suppression", "acknowledge", "score-prod", "999999"], 1);
    desk.ran(&desk.s.ci, &["suppression", "pull", "score-prod", "--since", "999999"], 1);
    desk.ran(&desk.s.ci, &["suppression", "pull", "nothing"], 1);
    desk.ran(&desk.s.audit, &["suppression", "pull", "score-prod"], 1);
    assert_eq!(desk.s.audit.get("/api/v1/ledger/head").good()["size"], size);
    // Without a file, the list is all of standard output, and is acknowledged once it was written.
    let (out, told) = desk.ran(&desk.s.ci, &["suppression", "pull", "score-prod", "--acknowledge"], 0);
    let mut listed: Vec<String> = out.lines().map(str::to_owned).collect();
    listed.sort();
    assert_eq!(listed, people("", &[2, 4, 5]));
    assert!(told.contains("acknowledged"), "{told}");
    assert_ne!(desk.s.audit.get("/api/v1/ledger/head").good()["size"], size);
}

#[test]
fn a_list_of_many_pages_is_whole() {
    let desk = Desk::new(consenting());
    desk.s.add("dataset-versions", harness::scenario::people("2"));
    let load = super::super::begin(&desk.s.ana, "2");
    for number in 0..3 {
        let from = 10 + number * 8_000;
        super::super::put(&desk.s.ana, &load, number + 1, &super::super::lines("k1", from..from + 8_000)).good();
    }
    super::super::finish(&desk.s.ana, &load, 3, 24_000).good();
    let file = desk.at("list.txt");
    desk.ran(&desk.s.ci, &["suppression", "pull", "score-prod", "-o", &file], 0);
    let mut listed = lines(&file);
    assert_eq!(listed.len(), 24_000);
    listed.dedup();
    assert_eq!(listed.len(), 24_000, "each once");
    let exclude = ["subjects", "exclude", "crm/people@2", "--purpose", "scoring", "-o", &file];
    let made = desk.json(&desk.s.ana, &exclude, 0);
    assert_eq!((made["written"].as_u64(), lines(&file)), (Some(24_000), listed));
}

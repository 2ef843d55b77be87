//! Many records from a file.

use harness::scenario::ZEROS;
use serde_json::{Value, json};

use super::super::{pseudonym, said};
use super::Desk;

fn line(n: u32) -> Value {
    said(n, n, if n.is_multiple_of(3) { "refused" } else { "given" }, "2026-01-01T00:00:00Z")
}

#[test]
fn a_long_file_is_taken_in_batches_and_its_bad_lines_are_told_by_number() {
    let desk = Desk::new(crate::consent::with_key());
    let mut lines: Vec<String> = (1..=25_000).map(|n| line(n).to_string()).collect();
    // Here somebody's address, no purpose there is, what only the server knows to be wrong, and what breaks off.
    lines[4] = lines[4].replace(&pseudonym("k1", 5), "jane.doe@example.com");
    lines[9_999] = "jane.doe@example.com".to_owned();
    lines[10_000] = lines[10_000].replace("purpose:scoring", "purpose:jane");
    lines[15_000].truncate(40);
    lines[22_222] = said(22_223, 22_223, "renewed", "2026-01-01T00:00:00Z").to_string();
    lines[24_998] = format!("{{\"jane\": \"{}\"}}", "x".repeat(100_000));
    lines[24_999] = lines[24_999].replace("\"said\"", "\"jane\":1,\"said\"");
    let wrong = [5, 10_000, 10_001, 15_001, 22_223, 24_999, 25_000];
    let text = format!("\u{feff}{}\r\n\r\n", lines.join("\r\n"));
    let file = desk.write("said.ndjson", &text);

    let first = desk.json(&desk.s.ana, &["consent", "import", &file], 1);
    let count = |of: &Value, name: &str| of[name].as_u64().unwrap();
    assert_eq!((count(&first, "lines"), count(&first, "created"), count(&first, "unchanged")), (25_000, 24_993, 0));
    let refused = first["refused"].as_array().unwrap();
    assert_eq!(refused.iter().map(|one| one["line"].as_u64().unwrap()).collect::<Vec<_>>(), wrong);
    let pointers: Vec<&str> = refused.iter().map(|one| one["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/subject", "", "/purpose", "/notice", "/said", "", ""]);
    assert!(!first.to_string().contains("jane"), "{first}");
    assert_eq!(desk.s.server.db.sql("SELECT count(*) FROM consent_record").trim(), "24993");

    // Given again, all of it had come before.
    let (out, told) = desk.ran(&desk.s.ana, &["consent", "import", &file], 1);
    assert!(out.contains("0 new, 24993 unchanged, 7 refused"), "{out}");
    assert!(told.contains("line 5: /subject: this looks like an e-mail address"), "{told}");
    assert!(told.contains("line 22223: /said: ") && told.lines().count() == 7 && !told.contains("jane"), "{told}");
    crate::support::rebuilds(&desk.s.server.db);
}

#[test]
fn what_comes_by_a_pipe_is_taken_and_nothing_is_nothing() {
    let desk = Desk::new(crate::consent::with_key());
    let import = ["consent", "import", "-"];
    let (code, out, said) = desk.typed(&desk.s.ana, &import, &format!("{}\n{}", line(1), line(2)));
    assert!(code == 0 && out.contains("recorded  2 new, 0 unchanged, 0 refused") && said.is_empty(), "{out}{said}");
    let (code, out, _) = desk.typed(&desk.s.ana, &import, "\n\n");
    assert!(code == 0 && out.contains("0 new"), "{out}");
    desk.ran(&desk.s.ana, &["consent", "import", &desk.at("nowhere")], 1);
    // Who may not record anything is told so.
    let (code, _, said) = desk.typed(&desk.s.audit, &import, &line(3).to_string());
    assert!(code == 1 && said.contains("the rest was not"), "{said}");
    let (code, out, _) = desk.typed(&desk.s.ana, &[&import[..], &["--json"]].concat(), &line(3).to_string());
    let document: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &document["refused"], &document["created"]), (0, &json!([]), &json!(1)));
}

#[test]
fn a_batch_that_found_nobody_is_sent_again() {
    let desk = Desk::new(crate::consent::with_key());
    let lines: Vec<String> = (1..=12_000).map(|n| line(n).to_string()).collect();
    assert!(lines[0].contains(ZEROS), "given with a notice");
    let file = desk.write("said.ndjson", &lines.join("\n"));
    let cut = super::super::command::Proxy::before(&desk.s.server.url, "POST ", 2);
    let through = harness::Client::new(&cut.url, desk.s.ana.token.as_deref());
    let imported = desk.json(&through, &["consent", "import", &file], 0);
    assert!(cut.cuts.load(std::sync::atomic::Ordering::SeqCst) > 0, "the connection was never cut");
    assert_eq!(imported["created"].as_u64().unwrap() + imported["unchanged"].as_u64().unwrap(), 12_000);
    assert_eq!(desk.s.server.db.sql("SELECT count(*) FROM consent_record").trim(), "12000");
}

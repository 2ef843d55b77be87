//! One thing said: giving, and taking back as easily.

use harness::scenario::ZEROS;
use serde_json::json;

use super::super::pseudonym;
use super::Desk;

#[test]
fn giving_and_taking_back() {
    let desk = Desk::new(crate::consent::with_key());
    let who = pseudonym("k1", 1);
    let say = |what: &str, more: &[&str], code| {
        desk.json(
            &desk.s.ana,
            &[&["consent", what, "--subject", &who, "--purpose", "scoring"][..], more].concat(),
            code,
        )
    };
    let given = say("give", &["--notice", ZEROS, "--explicit", "--method", "web_form", "--at", "2026-01-01"], 0);
    assert_eq!(given["outcome"], "created");
    // Withdrawing takes who and what for, with or without the kind of the reference.
    let (out, _) =
        desk.ran(&desk.s.ana, &["consent", "withdraw", "--subject", &who, "--purpose", "purpose:scoring"], 0);
    assert!(out.contains("recorded  withdrawn purpose:scoring"), "{out}");
    say("give", &["--notice", ZEROS, "--at", "2026-02-01", "--until", "2027-02-01"], 0);
    let id = "00000000-0000-4000-8000-000000000009";
    let renew = ["--notice", ZEROS, "--at", "2026-03-01", "--record-id", id];
    assert_eq!(say("renew", &renew, 0)["outcome"], "created");
    let again = say("renew", &renew, 0);
    assert_eq!((&again["outcome"], &again["record_id"]), (&json!("unchanged"), &json!(id)), "the same record");
    say("refuse", &["--channel", "email"], 0);
    desk.ran(&desk.s.ana, &["consent", "object", "--subject", &who], 0);
    let told = desk.json(&desk.s.dora, &["consent", "show", "--subject", &who], 0);
    let records: Vec<_> = told["records"].as_array().unwrap().iter().map(|kept| &kept["record"]).collect();
    let said: Vec<&str> = records.iter().map(|record| record["said"].as_str().unwrap()).collect();
    assert_eq!(said, ["given", "withdrawn", "given", "renewed", "refused", "objected"]);
    assert_eq!(
        (&records[0]["expression"], &records[0]["method"], &records[0]["notice"]),
        (&json!("explicit"), &json!("web_form"), &json!(ZEROS))
    );
    assert_eq!(records[2]["until"], "2027-02-01T00:00:00.000000Z");
    assert_eq!(records[4]["channel"], "email");
    assert_eq!(records[5].get("purpose"), None, "it is about everything");
}

#[test]
fn while_keys_change_what_somebody_says_is_recorded_under_each() {
    let desk = Desk::with_key();
    let (old, new) = (desk.at("crm.key"), desk.at("new.key"));
    desk.ran(&desk.s.ana, &["subjects", "keygen", "--scope", "crm", "--kid", "crm-2", "-o", &new], 0);
    desk.ran(&desk.s.ana, &["subjects", "register-key", &new], 0);
    let both = ["--key", old.as_str(), "--key", new.as_str()];
    let withdraw = [&["consent", "withdraw", "--purpose", "scoring"][..], &both].concat();
    let (code, out, said) = desk.typed(&desk.s.ana, &withdraw, "jane.doe@example.com\n");
    assert_eq!((code, out.matches("recorded  withdrawn purpose:scoring").count()), (0, 2), "{out}{said}");
    for key in [&old, &new] {
        let show = ["consent", "show", "--json", "--key", key];
        let (code, out, _) = desk.typed(&desk.s.dora, &show, "jane.doe@example.com\n");
        let told: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!((code, &told["records"][0]["record"]["said"]), (0, &json!("withdrawn")), "{out}");
    }
    // One record has one id, and what is shown is of one pseudonym.
    let one_id = [&withdraw[..], &["--record-id", "00000000-0000-4000-8000-000000000009"]].concat();
    assert_eq!(desk.typed(&desk.s.ana, &one_id, "jane.doe@example.com\n").0, 2);
    let show = [&["consent", "show"][..], &both].concat();
    assert_eq!(desk.typed(&desk.s.dora, &show, "jane.doe@example.com\n").0, 2);
}

#[test]
fn an_identifier_is_hashed_here_and_never_sent_or_shown() {
    let desk = Desk::with_key();
    let key = desk.at("crm.key");
    let with_key = ["--key", key.as_str(), "--type", "email"];
    let give = [&["consent", "give", "--purpose", "scoring", "--notice", ZEROS][..], &with_key].concat();
    let (code, out, said) = desk.typed(&desk.s.ana, &give, "Jane.Doe@example.com\n");
    assert_eq!(code, 0, "{out}{said}");
    let withdraw = [&["consent", "withdraw", "--purpose", "scoring"][..], &with_key].concat();
    let (code, out, _) = desk.typed(&desk.s.ana, &withdraw, " jane.doe@EXAMPLE.com");
    assert!(code == 0 && out.contains("withdrawn") && !out.contains("jane"), "{out}");
    let show = [&["consent", "show", "--json"][..], &with_key].concat();
    let (code, out, _) = desk.typed(&desk.s.dora, &show, "jane.doe@example.com\n");
    let told: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, told["records"].as_array().unwrap().len()), (0, 2), "one person, however spelled");
    let (_, hashed, _) = desk.typed(&desk.s.ana, &["subjects", "hash", "--key", &key], "jane.doe@example.com\n");
    assert!(told["subject"] == hashed.trim() && hashed.starts_with("p1.crm-1."), "{told}: {hashed}");
    let phone = ["consent", "object", "--key", &key, "--type", "phone", "--region", "IE"];
    let (code, _, said) = desk.typed(&desk.s.ana, &phone, "01 555 0142");
    assert_eq!(code, 0, "{said}");
    let hash = ["subjects", "hash", "--key", &key, "--type", "phone"];
    let (_, hashed, _) = desk.typed(&desk.s.ana, &hash, "+353 1 555 0142");
    let told = desk.json(&desk.s.dora, &["consent", "show", "--subject", hashed.trim()], 0);
    assert_eq!(told["records"][0]["record"]["said"], "objected");
    // What is no address, none, or several: nothing is sent, nothing repeated.
    for (input, code, told) in [
        ("jane\n", 1, "no e-mail address"),
        ("", 2, "give the identifier"),
        ("\n\n", 2, "give the identifier"),
        ("jane@example.com\njohn@example.com\n", 2, "more than one"),
        (&format!("jane@{}", "x".repeat(5_000)), 2, "more than one"),
    ] {
        let (ended, out, said) = desk.typed(&desk.s.ana, &withdraw, input);
        assert_eq!(ended, code, "{input:.20}: {out}{said}");
        assert!(said.contains(told) && !said.contains("jane") && out.is_empty(), "{out}{said}");
    }
    let (_, said) =
        desk.ran(&desk.s.ana, &["consent", "withdraw", "--purpose", "scoring", "--subject", "jane@example.com"], 2);
    assert!(said.contains("e-mail address") && !said.contains("jane"), "{said}");
}

#[test]
fn what_does_not_fit_together_is_said() {
    let desk = Desk::new(crate::consent::with_key());
    let who = pseudonym("k1", 1);
    let ran = |args: &[&str], code| desk.ran(&desk.s.ana, &[&["consent"], args].concat(), code).1;
    assert!(ran(&["give", "--subject", &who, "--purpose", "scoring"], 2).contains("--notice"));
    assert!(ran(&["withdraw", "--purpose", "scoring"], 2).contains("--subject"));
    assert!(ran(&["withdraw", "--subject", &who, "--key", "x", "--purpose", "scoring"], 2).contains("cannot be used"));
    assert!(ran(&["withdraw", "--subject", &who], 2).contains("--purpose"));
    assert!(ran(&["withdraw", "--subject", &who, "--purpose", "scoring@1"], 2).contains("without a revision"));
    assert!(ran(&["withdraw", "--subject", &who, "--purpose", "nothing"], 1).contains("purpose"));
    let give = ["give", "--subject", &who, "--purpose", "scoring", "--notice", ZEROS, "--at", "2026-02-01"];
    let told = ran(&[&give[..], &["--until", "2026-01-01"]].concat(), 1);
    assert!(told.contains("until: lies before it was given"), "{told}");
    assert!(ran(&["renew", "--subject", &who, "--purpose", "scoring", "--notice", ZEROS], 1).contains("given"));
    assert!(ran(&["refuse", "--subject", &who, "--purpose", "scoring", "--channel", "fax"], 2).contains("sms"));
    desk.ran(&desk.s.audit, &["consent", "withdraw", "--subject", &who, "--purpose", "scoring"], 1);
}

#[test]
fn anything_said_is_recorded_from_a_file() {
    let desk = Desk::new(crate::consent::with_key());
    let who = pseudonym("k1", 1);
    let body = format!("subject: {who}\npurpose: purpose:scoring\nsaid: restricted\nindicated_by: authority\n");
    let file = desk.write("restriction.yaml", &body);
    let recorded = desk.json(&desk.s.ana, &["consent", "record", "-f", &file], 0);
    assert!(recorded["outcome"] == "created" && recorded["record_id"].is_string(), "{recorded}");
    let wrong = desk.write("wrong.yaml", &body.replace("restricted", "given"));
    // All files are read before the first is sent.
    let (_, told) = desk.ran(&desk.s.ana, &["consent", "record", "-f", &file, "-f", &wrong], 1);
    assert!(told.contains("wrong.yaml") && told.contains("/notice"), "{told}");
    let told = desk.json(&desk.s.dora, &["consent", "show", "--subject", &who], 0);
    assert_eq!(told["records"].as_array().unwrap().len(), 1);
    let lifted = body.replace("restricted", "restriction_lifted");
    let (code, _, said) = desk.typed(&desk.s.ana, &["consent", "record", "-f", "-"], &lifted);
    assert!(code == 1 && said.contains("indicated_by"), "{said}");
    let (code, _, said) = desk.typed(&desk.s.dora, &["consent", "record", "-f", "-"], &lifted);
    assert_eq!(code, 0, "{said}");
}

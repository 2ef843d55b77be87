//! The pages that anybody reads, without a token.

use harness::Scenario;
use harness::scenario::notice;
use serde_json::{Value, json};

use super::promising;
use crate::gate::parts::days;

fn page(s: &Scenario, path: &str, headers: &[(&str, &str)]) -> harness::Answer {
    s.server.nobody().send("GET", path, headers, None)
}

#[test]
fn anybody_reads_the_notice_in_force_in_both_languages() {
    let s = Scenario::empty();
    s.register();
    s.inform(promising("customers", &["never_sold"]));
    let english = page(&s, "/notices/customers", &[]);
    assert_eq!(english.status, 200, "{}", english.text);
    assert_eq!(english.header("content-type"), Some("text/html; charset=utf-8"));
    for part in [
        "<html lang=\"en\">",
        "<h1>Your data</h1>",
        "<li>We make you an offer.</li>",
        "We promise never_sold.",
        "You can say no at any time. <a href=\"https://acme.example/no\"",
        "A machine scores you.",
        "(inferred, not asked)",
        "ACME",
        "notice:customers@2",
    ] {
        assert!(english.text.contains(part), "`{part}` is not in {}", english.text);
    }
    let french = page(&s, "/notices/customers?lang=fr", &[("accept-language", "en")]);
    for part in ["<html lang=\"fr\">", "<h1>Vos données</h1>", "Nous promettons never_sold.", "(déduite, non demandée)"]
    {
        assert!(french.text.contains(part), "`{part}` is not in {}", french.text);
    }
    assert_eq!(page(&s, "/notices/customers", &[("accept-language", "fr-FR,en;q=0.5")]).text, french.text);
    // Nothing is loaded from anywhere, and no script runs.
    assert!(!english.text.contains("<script") && !english.text.contains(" src="), "{}", english.text);
}

#[test]
fn a_program_gets_the_notice_and_nothing_else() {
    let s = Scenario::running();
    let json = [("accept", "application/json")];
    let view: Value = page(&s, "/notices/customers", &json).good();
    let members: Vec<&str> = view.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["digest", "in_force", "measured", "notice", "ref"]);
    let told = s.ana.resolve("notice:customers");
    assert_eq!((&view["notice"], &view["digest"], &view["in_force"]), (&told["spec"], &told["digest"], &json!(true)));
    assert!(
        view["measured"]["en"]["words"].as_u64().unwrap() > 10 && view["measured"]["fr"]["lix"].as_u64().unwrap() > 10
    );
    // Neither who wrote it, nor when it was recorded, nor what else there is.
    let text = view.to_string() + &page(&s, "/notices/customers", &[]).text;
    for hidden in ["deployment:", "dataset:", "basis:", "recorded", "seq", "author"] {
        assert!(!text.contains(hidden), "`{hidden}` in {text}");
    }
}

#[test]
fn what_a_person_saw_stays_under_its_digest() {
    let s = Scenario::empty();
    s.register();
    let first = s.ana.resolve("notice:customers@1");
    let path = format!("/notices/by-digest/{}", first["digest"].as_str().unwrap());
    assert!(!page(&s, &path, &[]).text.contains("not the one in force"));
    let mut second = notice("customers", &["scoring"]);
    second["wording"]["en"]["title"] = json!("Your data, anew");
    second["wording"]["fr"]["title"] = json!("Vos données, à nouveau");
    s.inform(second);
    let then = page(&s, &path, &[]);
    assert!(then.text.contains("<h1>Your data</h1>") && then.text.contains("not the one in force"), "{}", then.text);
    assert!(page(&s, &format!("{path}?lang=fr"), &[]).text.contains("pas celle en vigueur"));
    assert!(page(&s, "/notices/customers", &[]).text.contains("<h1>Your data, anew</h1>"));
    let view = page(&s, &path, &[("accept", "application/json")]).good();
    assert_eq!((&view["ref"], &view["in_force"]), (&json!("notice:customers@1"), &json!(false)));
}

#[test]
fn what_is_not_shown_yet_is_not_shown_and_what_is_over_says_so() {
    let s = Scenario::empty();
    s.register();
    let mut later = notice("later", &["scoring"]);
    later["valid_from"] = json!(days(3));
    s.add("notices", later);
    let mut over = notice("over", &["scoring"]);
    over["valid_to"] = json!("2026-01-01");
    s.add("notices", over);
    page(&s, "/notices/later", &[]).problem(404);
    assert!(page(&s, "/notices/over", &[]).text.contains("not the one in force"));
    for path in ["/notices/nothing", "/notices/No%20Key", "/notices/by-digest/nothing", "/notices/by-digest/sha256:00"]
    {
        page(&s, path, &[]).problem(404);
    }
    let faulty = page(&s, "/notices/customers?lang=de", &[]);
    assert_eq!(faulty.status, 422, "{}", faulty.text);
    page(&s, "/notices/customers?known_at=1", &[]).problem(422);
}

#[test]
fn markup_in_a_notice_is_text() {
    let s = Scenario::empty();
    s.register();
    let mut hostile = promising("hostile", &["never_sold"]);
    let attack = "<script>alert('x')</script>";
    hostile["wording"]["en"] = json!({"title": attack, "text": format!("{attack}\n\n## {attack}\n- {attack}")});
    hostile["promises"][0]["words"]["en"] = json!(attack);
    hostile["automated_decisions"]["en"] = json!(attack);
    hostile["refusal"] = json!({"url": "javascript:alert(1)", "words": {"en": attack, "fr": attack}});
    s.add("notices", hostile);
    let shown = page(&s, "/notices/hostile", &[]);
    assert!(!shown.text.contains("<script") && shown.text.matches("&lt;script&gt;").count() >= 7, "{}", shown.text);
    assert!(!shown.text.contains("href=\"javascript"), "{}", shown.text);
}

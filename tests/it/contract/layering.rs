//! The dependency rule, read from the source text: folders are stations, file names are layers.
//!
//! Exceptions stand here by name, so that each new one is seen.

use std::path::{Path, PathBuf};

use crate::support::root;

/// A file's path below its source folder, and its code: comments cut, the unit tests at its end left out.
struct Source {
    path: String,
    code: String,
    lines: usize,
}

fn sources(folder: &str) -> Vec<Source> {
    let base = root().join(folder);
    let mut found = Vec::new();
    walk(&base, &mut |file| {
        let text = std::fs::read_to_string(file).unwrap();
        let path = file.strip_prefix(&base).unwrap().to_str().unwrap().to_owned();
        found.push(Source { path, code: code(&text), lines: text.lines().count() });
    });
    assert!(!found.is_empty(), "{folder} holds no source");
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn walk(folder: &Path, visit: &mut impl FnMut(&PathBuf)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, visit);
        } else if path.extension().is_some_and(|e| e == "rs") {
            visit(&path);
        }
    }
}

fn code(text: &str) -> String {
    let body = match text.find("#[cfg(test)]\nmod tests {") {
        Some(tests) => &text[..tests],
        None => text,
    };
    body.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Whether a word stands in code by itself.
fn names(code: &str, word: &str) -> bool {
    let inner = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| !code[..at].ends_with(inner) && !code[at + word.len()..].starts_with(inner))
}

/// Files of the server that name one of the words although `may` does not let them.
fn outside(words: &[&str], may: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources("server/src") {
        for word in words {
            if !may(&source.path) && names(&source.code, word) {
                found.push(format!("{} names {word}", source.path));
            }
        }
    }
    found
}

const NONE: Vec<String> = Vec::new();

#[test]
fn only_the_stores_speak_to_the_database() {
    // The ledger's check reads raw tables by purpose; the error table turns Diesel's error into ours.
    let named = ["error.rs", "ledger/verify.rs", "ledger/rebuild.rs"];
    let may = |path: &str| path.starts_with("db/") || path.ends_with("/store.rs") || named.contains(&path);
    assert_eq!(outside(&["diesel", "diesel_migrations"], may), NONE);
}

#[test]
fn only_the_edge_speaks_http() {
    // `db/mod.rs` leaves the async threads with `web::block`; `cli.rs` starts the runtime.
    let named = ["app.rs", "api.rs", "routes.rs", "cli.rs", "db/mod.rs"];
    let may = |path: &str| path.starts_with("http/") || path.ends_with("/api.rs") || named.contains(&path);
    assert_eq!(outside(&["actix_web", "actix_http", "utoipa_swagger_ui"], may), NONE);
}

#[test]
fn only_the_clock_tells_the_time() {
    assert_eq!(outside(&["Utc::now", "SystemTime", "Local::now"], |path| path == "clock.rs"), NONE);
    for source in sources("schemas/src") {
        assert!(!names(&source.code, "Utc::now"), "schemas/src/{}", source.path);
    }
}

/// What a station knows by itself, and all the gate judges with: functions of their arguments.
fn is_pure(path: &str) -> bool {
    const STATIONS: [&str; 9] =
        ["access", "consent", "gate", "lawfulness", "ledger", "lineage", "notices", "registry", "review"];
    const PARTS: [&str; 56] = [
        "adapters/mlflow/artifacts/mod",
        "adapters/mlflow/fact",
        "adapters/mlflow/fault",
        "adapters/mlflow/filter",
        "adapters/mlflow/names",
        "adapters/mlflow/params",
        "adapters/mlflow/project",
        "adapters/mlflow/registered",
        "adapters/mlflow/search",
        "adapters/mlflow/state",
        "adapters/openlineage/event",
        "adapters/openlineage/names",
        "adapters/openlineage/project",
        "adapters/openlineage/state",
        "adapters/openlineage/translate",
        "adapters/openlineage/wire",
        "catalogue.rs",
        "consent/lines",
        "db/dictionary",
        "facts.rs",
        "resource.rs",
        "strictness.rs",
        "gate/rules",
        "gate/clearing",
        "gate/coverage",
        "gate/decide",
        "events/mod",
        "gate/envelope",
        "gate/evidence",
        "gate/instants",
        "gate/policy",
        "gate/replay",
        "lawfulness/law",
        "notices/french",
        "notices/page",
        "reports/notices",
        "reports/mod",
        "reports/calendar",
        "reports/diff",
        "reports/affected",
        "reports/debt",
        "reports/exports/cyclonedx",
        "reports/exports/mod",
        "reports/exports/openlineage",
        "reports/exports/prov",
        "reports/impact",
        "reports/renewals",
        "registry/classes",
        "registry/held",
        "registry/vocabulary",
        "lineage/class",
        "lineage/graph",
        "lineage/walk",
        "lineage/exposure",
        "lineage/pages",
        "lineage/views",
    ];
    PARTS.iter().any(|part| path.starts_with(part))
        || STATIONS.iter().any(|station| path == format!("{station}/mod.rs"))
}

#[test]
fn pure_files_do_no_io() {
    let io = [
        "diesel",
        "actix_web",
        "tokio",
        "clock::now",
        "std::fs",
        "std::net",
        "std::process",
        "std::env",
        "getrandom",
        "Conn",
        "Instant",
        "now_v7",
    ];
    assert_eq!(outside(&io, |path| !is_pure(path)), NONE);
    assert!(
        sources("server/src").iter().filter(|s| is_pure(&s.path)).count() > 25,
        "the list of pure files names nothing"
    );
}

#[test]
fn operations_answer_by_their_arguments() {
    let io = ["actix_web", "clock::now", "std::fs", "std::net", "std::env"];
    assert_eq!(outside(&io, |path| !path.ends_with("/operations.rs")), NONE);
}

/// Stations from the ground up: an import never goes up, nor sideways past another's operations.
const FLOORS: [(&str, usize); 13] = [
    ("db", 0),
    ("ledger", 1),
    ("access", 2),
    ("registry", 2),
    ("lineage", 3),
    ("lawfulness", 3),
    ("notices", 4),
    ("review", 4),
    ("consent", 4),
    ("gate", 5),
    ("reports", 6),
    ("events", 6),
    // What is above all stations: foreign protocols.
    ("adapters", 7),
];

#[test]
fn imports_go_down() {
    // The questionnaire a system answers is dated law.
    let known = ["registry/operations.rs → lawfulness"];
    let mut found = Vec::new();
    for source in sources("server/src") {
        let Some((_, own)) = FLOORS.iter().find(|(station, _)| source.path.starts_with(&format!("{station}/"))) else {
            continue;
        };
        for (station, floor) in FLOORS.iter().filter(|(_, floor)| floor > own) {
            if names(&source.code, &format!("crate::{station}")) {
                found.push(format!("{} → {station} (floor {floor} from {own})", source.path));
            }
        }
    }
    found.retain(|f| !known.iter().any(|k| f.starts_with(k)));
    assert_eq!(found, NONE);
}

#[test]
fn no_station_reaches_into_anothers_store_or_api() {
    // Evidence lies in the ledger's store, comments in the erasable table of access; the gate opens reviews with its envelopes.
    let known = ["gate/api.rs → ledger::store", "gate/api.rs → review::api", "review/store.rs → access::store"];
    let mut found = Vec::new();
    for source in sources("server/src") {
        let Some((own, _)) = source.path.split_once('/') else { continue };
        for (station, _) in FLOORS.iter().filter(|(station, _)| *station != own && *station != "db") {
            for layer in ["store", "api"] {
                if names(&source.code, &format!("{station}::{layer}")) {
                    found.push(format!("{} → {station}::{layer}", source.path));
                }
            }
        }
    }
    found.retain(|f| !known.contains(&f.as_str()));
    assert_eq!(found, NONE);
}

#[test]
fn what_a_caller_changes_goes_through_the_door_that_asks_for_the_token() {
    // Gaps are noticed by nobody in particular.
    let known = [("gate/api.rs", 1)];
    for source in sources("server/src").iter().filter(|s| s.path.ends_with("api.rs")) {
        let code: String = source.code.split_whitespace().collect();
        let doors = code.matches("db.write").count();
        let may = known.iter().find(|(path, _)| *path == source.path).map_or(0, |(_, times)| *times);
        assert_eq!(doors, may, "{} writes past `Ctx::write`", source.path);
    }
}

#[test]
fn the_words_both_sides_speak_need_no_server() {
    for source in sources("schemas/src") {
        for word in ["diesel", "actix_web", "tokio", "ureq", "std::fs", "std::net"] {
            assert!(!names(&source.code, word), "schemas/src/{} names {word}", source.path);
        }
    }
    for source in sources("cli/src") {
        for word in ["licit_server", "diesel"] {
            assert!(!names(&source.code, word), "cli/src/{} names {word}", source.path);
        }
    }
}

#[test]
fn no_file_is_longer_than_600_lines() {
    for folder in ["server/src", "cli/src", "schemas/src", "schemas/tests", "tests/it", "tests/harness", "benches"] {
        for source in sources(folder) {
            assert!(source.lines <= 600, "{folder}/{} has {} lines: split it", source.path, source.lines);
        }
    }
}

#[test]
fn json_keeps_its_plain_behaviour() {
    // Another crate could switch `preserve_order` or `arbitrary_precision` on for everybody: canonical forms would change.
    let text = serde_json::from_str::<serde_json::Value>(r#"{"b":1.0000000000000000001,"a":1e2}"#).unwrap().to_string();
    assert_eq!(text, r#"{"a":100.0,"b":1.0}"#);
}

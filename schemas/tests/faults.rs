//! A fault is told with its place and in words people can act on, also where a member is optional.

use licit_schemas::document::{self, Document, Form};
use licit_schemas::registration::Registration;
use licit_schemas::registry::{DatasetSpec, DatasetVersionSpec, ModelVersionSpec, PartySpec, RunSpec};
use serde_json::{Map, Value, json};

#[track_caller]
fn told<T: Document>(value: Value, faults: &[(&str, &str)]) {
    let found = document::from_value::<T>(value).err().unwrap_or_default();
    let found: Vec<(&str, &str)> = found.iter().map(|f| (f.pointer.as_str(), f.detail.as_str())).collect();
    assert_eq!(found, faults);
}

#[test]
fn an_optional_text_or_number() {
    told::<DatasetSpec>(
        json!({"namespace": "crm", "name": "x", "owner": 7}),
        &[("#/owner", "expected a string, got `7`")],
    );
    told::<DatasetSpec>(
        json!({"namespace": "crm", "name": "x", "owner": "Ana B"}),
        &[(
            "#/owner",
            "expected a key of 1 to 100 characters `a-z`, `0-9`, `.`, `_`, `-`, beginning with a letter or digit, got `Ana B`",
        )],
    );
    let rows = |rows: Value| json!({"dataset": "dataset:crm/x", "version": "1", "rows": rows});
    told::<DatasetVersionSpec>(rows(json!("7")), &[("#/rows", "expected an integer, got the string `7`")]);
    told::<DatasetVersionSpec>(rows(json!([7])), &[("#/rows", "expected an integer, got an array")]);
    told::<DatasetVersionSpec>(rows(json!(-7)), &[("#/rows", "expected at least 0, got `-7`")]);
    told::<DatasetVersionSpec>(
        rows(json!(1_u64 << 32)),
        &[("#/rows", "expected at most 4294967295, got `4294967296`")],
    );
    told::<DatasetVersionSpec>(
        rows(json!(1.0)),
        &[("#/rows", "expected an integer, written without a point, got `1.0`")],
    );
    told::<RunSpec>(
        json!({"operation": "copy", "purpose": "purpose:p", "started_at": "2026-01-01", "id": "x"}),
        &[("#/id", "expected a UUID, got `x`")],
    );
}

#[test]
fn an_optional_word() {
    let origin = |origin: Value| json!({"dataset": "dataset:crm/x", "version": "1", "origin": origin});
    let words = "expected one of `collected`, `received`, `acquired`, `public`, `synthetic`, `reference`, got";
    told::<DatasetVersionSpec>(origin(json!("stolen")), &[("#/origin", &format!("{words} `stolen`"))]);
    told::<DatasetVersionSpec>(origin(json!(7)), &[("#/origin", &format!("{words} `7`"))]);
    told::<DatasetVersionSpec>(origin(json!({"collected": {}})), &[("#/origin", &format!("{words} an object"))]);
}

#[test]
fn a_word_each_described() {
    told::<PartySpec>(
        json!({"key": "k", "name": "n", "arrangements": [{
            "kind": "marriage", "with": "party:b", "valid_from": "2026-01-01",
            "evidence": {"uri": "a:b", "digest": format!("sha256:{}", "0".repeat(64))},
        }]}),
        &[(
            "#/arrangements/0/kind",
            "expected one of `joint_controllers`, `processing_contract`, `standard_clauses`, `binding_rules`, `derogation`, got `marriage`",
        )],
    );
    let role = json!({"operation": "copy", "purpose": "purpose:p", "started_at": "2026-01-01",
        "inputs": [{"ref": "dataset:crm/x@1", "role": "fun"}]});
    told::<RunSpec>(
        role,
        &[(
            "#/inputs/0/role",
            "expected one of `training`, `validation`, `test`, `bias_check`, `reference`, got `fun`",
        )],
    );
}

#[test]
fn within_an_optional_object_in_a_list() {
    let run = |code: Value| {
        json!({"runs": [{"operation": "copy", "purpose": "purpose:p", "started_at": "2026-01-01", "code": {"uri": "a:b"}},
            {"operation": "copy", "purpose": "purpose:p", "started_at": "2026-01-01", "code": code}]})
    };
    told::<Registration>(
        run(json!({"revision": 7})),
        &[("#/runs/1/code/revision", "expected a string, got `7`"), ("#/runs/1/code/uri", "missing field `uri`")],
    );
    told::<Registration>(
        run(json!({"uri": "a:b", "colour": 1})),
        &[("#/runs/1/code/colour", "unknown field `colour`")],
    );
    told::<Registration>(run(json!("a:b")), &[("#/runs/1/code", "expected an object, got the string `a:b`")]);
}

#[test]
fn too_many_and_badly_named() {
    let model = |member: &str, value: Value| {
        let mut model = json!({"model": "model:m", "version": "1", "kind": "built"});
        model[member] = value;
        model
    };
    let tags: Map<String, Value> = (0..101).map(|n| (n.to_string(), json!("x"))).collect();
    told::<ModelVersionSpec>(model("tags", tags.into()), &[("#/tags", "expected at most 100 members, got 101")]);
    told::<ModelVersionSpec>(
        model("metrics", json!({" auc": 1})),
        &[(
            "#/metrics/ auc",
            "expected a name of 1 to 200 characters, without control characters, without white space at its ends, got ` auc`",
        )],
    );
}

#[test]
fn null_is_nothing_said_where_a_member_is_optional() {
    told::<DatasetVersionSpec>(
        json!({"dataset": "dataset:crm/x", "version": "1", "rows": null, "origin": null, "retention": null, "region": null}),
        &[],
    );
    told::<DatasetSpec>(json!({"namespace": "crm", "name": null}), &[("#/name", "expected a string, got null")]);
}

/// A value a schema takes, with every optional member.
fn sample(schema: &Value, definitions: &Value) -> Value {
    let inner = |schema: &Value| sample(schema, definitions);
    let first = |list: &Value| list.as_array().and_then(|all| all.first()).cloned();
    if let Some(name) = schema["$ref"].as_str().and_then(|to| to.strip_prefix("#/$defs/")) {
        return match name {
            "Timestamp" | "KnownAt" => "2026-01-01".into(),
            "Digest" => format!("sha256:{}", "0".repeat(64)).into(),
            "Iri" | "Uri" => "https://example.com".into(),
            "Ref" => "dataset:crm/people@1".into(),
            "Country" => "FR".into(),
            "Commitment" => "never_sold".into(),
            "Period" => "P3Y".into(),
            "Pseudonym" if definitions[name]["pattern"].is_string() => {
                "p1.k1.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8".into()
            }
            "SigningSecret" => format!("whsec_{}", "A".repeat(32)).into(),
            name => inner(&definitions[name]),
        };
    }
    if let Some(one) = first(&schema["anyOf"]).or_else(|| first(&schema["oneOf"])) {
        return inner(&one);
    }
    if let Some(word) = schema.get("const").cloned().or_else(|| first(&schema["enum"])) {
        return word;
    }
    match first(&schema["type"]).unwrap_or_else(|| schema["type"].clone()).as_str() {
        Some("object") => match schema["patternProperties"].as_object().and_then(|all| all.values().next()) {
            Some(one) => json!({ "en": inner(one) }),
            None => {
                let members = schema["properties"].as_object().into_iter().flatten();
                members.map(|(name, one)| (name.clone(), inner(one))).collect::<Map<_, _>>().into()
            }
        },
        Some("array") => vec![inner(&schema["items"]); 1].into(),
        Some("string") if schema["pattern"].as_str().is_some_and(|p| p.contains("{8}")) => {
            "01939f00-0000-7000-8000-000000000000".into()
        }
        Some("string") => "x".into(),
        Some("boolean") => true.into(),
        Some("integer" | "number") => schema["minimum"].as_i64().unwrap_or(1).max(1).into(),
        // Whatever the data of an entry are.
        None if schema.get("type").is_none() => "x".into(),
        _ => panic!("{schema}"),
    }
}

fn places(value: &Value, at: &str, list: &mut Vec<String>) {
    list.push(at.to_owned());
    match value {
        Value::Object(members) => members.iter().for_each(|(name, one)| places(one, &format!("{at}/{name}"), list)),
        Value::Array(items) => items.iter().enumerate().for_each(|(n, one)| places(one, &format!("{at}/{n}"), list)),
        _ => {}
    }
}

/// Each place of each document holds each wrong value once. The form takes what the published schema takes, and no sentence
/// leaves it at that something is wrong.
#[test]
fn the_form_is_as_strict_as_the_schema_and_says_more() {
    let wrong = [
        json!(null),
        json!(7),
        json!(-1),
        json!(1.5),
        json!(1e12),
        json!(true),
        json!(""),
        json!("No word "),
        json!([]),
        json!([{}]),
        json!([null]),
        json!({}),
        json!({"zzz": 1}),
        json!({" ": 1}),
    ];
    for (name, schema) in document::all() {
        let form = Form::new(schema.clone());
        let published = jsonschema::draft202012::new(&schema).unwrap();
        let good = sample(&schema, &schema["$defs"]);
        assert_eq!(form.faults(&good), [], "{name}: {good:#}");
        assert!(published.is_valid(&good), "{name}");
        let mut list = Vec::new();
        places(&good, "", &mut list);
        for (place, wrong) in list.iter().flat_map(|place| wrong.iter().map(move |wrong| (place, wrong))) {
            let mut document = good.clone();
            *document.pointer_mut(place).unwrap() = wrong.clone();
            let faults = form.faults(&document);
            assert_eq!(faults.is_empty(), published.is_valid(&document), "{name}{place} = {wrong}: {faults:?}");
            for fault in faults {
                let told = ["expected ", "missing field ", "unknown field ", "reference "];
                assert!(told.iter().any(|start| fault.detail.starts_with(start)), "{name}{place} = {wrong}: {fault:?}");
                assert!(!fault.detail.contains(['^', '\n']), "{name}{place} = {wrong}: {fault:?}");
                assert!(fault.pointer.starts_with(&format!("#{place}")), "{name}{place} = {wrong}: {fault:?}");
            }
        }
    }
}

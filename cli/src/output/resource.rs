//! Resources of any kind, for people: a row of a list, and everything that was stated.

use serde_json::Value;

use super::{style, table};

/// A list of resources as a table.
pub(crate) fn list(items: &[Value]) -> String {
    let rows = items.iter().map(row).collect();
    table::table(&["reference", "state", "what", "recorded"], rows)
}

fn row(item: &Value) -> Vec<String> {
    let spec = &item["spec"];
    let what = ["title", "name", "operation", "kind", "mode", "intended_purpose", "release", "rule"]
        .iter()
        .find_map(|key| spec[key].as_str());
    let reference = text(&item["ref"]);
    // A name that reference or state say already tells nothing new.
    let state = text(&item["state"]);
    let what = what.filter(|what| !reference.contains(what) && **what != state).unwrap_or_default();
    let owner = spec["owner"].as_str().map(|owner| format!(" ({owner})")).unwrap_or_default();
    vec![reference, state, format!("{what}{owner}").trim().to_owned(), minute(&text(&item["recorded_at"]))]
}

/// Everything about one resource.
pub(crate) fn show(item: &Value) -> String {
    let mut head = vec![("reference", text(&item["ref"]))];
    for (name, key) in [
        ("kind", "kind"),
        ("state", "state"),
        ("reason", "reason"),
        ("id", "id"),
        ("digest", "digest"),
        ("recorded", "recorded_at"),
        ("valid from", "valid_from"),
        ("valid to", "valid_to"),
    ] {
        if let Some(value) = item[key].as_str() {
            head.push((name, value.to_owned()));
        }
    }
    if let Some(seq) = item["seq"].as_u64() {
        head.push(("ledger", format!("entry {seq}")));
    }
    format!("{}\n{}", table::facts(&head), block(&item["spec"]))
}

/// A value in block style: YAML for the eye.
pub(crate) fn block(value: &Value) -> String {
    let mut out = String::new();
    write_block(&mut out, value, 0);
    out
}

fn write_block(out: &mut String, value: &Value, indent: usize) {
    let space = " ".repeat(indent);
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                out.push_str(&format!("{space}{}:", style::dim(name)));
                inner(out, member, indent + 2);
            }
        }
        Value::Array(items) => {
            for item in items {
                let mut inside = String::new();
                write_block(&mut inside, item, indent + 2);
                // The dash takes the place of the first line's indent.
                out.push_str(&format!("{space}- {}", inside.trim_start()));
            }
        }
        scalar => out.push_str(&format!("{space}{}\n", text(scalar))),
    }
}

fn inner(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            out.push('\n');
            write_block(out, value, indent);
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('\n');
            write_block(out, value, indent);
        }
        Value::Object(_) | Value::Array(_) => out.push_str(" none\n"),
        scalar => out.push_str(&format!(" {}\n", text(scalar).replace('\n', &format!("\n{}", " ".repeat(indent))))),
    }
}

/// A scalar as people read it.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// The day of a moment.
pub(crate) fn day(moment: &Value) -> String {
    moment.as_str().and_then(|moment| moment.get(..10)).unwrap_or_default().to_owned()
}

/// A moment to the minute, UTC.
pub(crate) fn minute(moment: &str) -> String {
    moment.get(..16).map_or_else(|| moment.to_owned(), |minute| minute.replace('T', " "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_is_shown_in_block_style() {
        let shown =
            anstream::adapter::strip_str(&block(&json!({"a": [{"b": 1, "c": "x"}, "y"], "e": [], "t": "one\ntwo"})))
                .to_string();
        assert_eq!(shown, "a:\n  - b: 1\n    c: x\n  - y\ne: none\nt: one\n  two\n");
    }
}

//! Sources of `MLflow` as datasets of the registry, under the names that `OpenLineage` has for them.

use licit_schemas::digest::Digest;
use licit_schemas::reference::Ref;
use serde_json::Value;

use crate::adapters::openlineage::names;

/// A dataset that was read, without version, and the version where the source states one.
#[derive(Debug, PartialEq)]
pub struct Source {
    /// `dataset:<namespace>/<name>`.
    pub base: Ref,
    /// The version that the store itself keeps: of a Delta table, of a data set of a hub.
    pub version: Option<String>,
}

/// What a source is. None where it is the program itself: that says nothing of the data.
pub fn source(kind: &str, text: &str) -> Option<Source> {
    if kind == "code" {
        return None;
    }
    let value: Value = serde_json::from_str(text).unwrap_or(Value::Null);
    let member = |name: &str| value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let stated = |name: &str| match value.get(name) {
        Some(Value::Number(number)) => Some(number.to_string()),
        Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
        _ => None,
    };
    let plain = |base: Option<Ref>| Some(Source { base: base?, version: None });
    match kind {
        "delta_table" | "databricks-uc-table" | "spark" => {
            let table = member("delta_table_name").or_else(|| member("table_name"));
            let version = stated("delta_table_version");
            let base = match (table, member("path")) {
                (Some(table), _) => names::dataset("delta", table)?,
                (None, Some(path)) => located(path)?,
                (None, None) => opaque(kind, text)?,
            };
            Some(Source { base, version })
        }
        "hugging_face" => match member("path") {
            Some(path) => Some(Source { base: names::dataset("hf://datasets", path)?, version: stated("revision") }),
            None => plain(opaque(kind, text)),
        },
        "uc_volume" => {
            plain(member("path").map_or_else(|| opaque(kind, text), |path| names::dataset("uc-volume", path)))
        }
        _ => plain(match member("uri").or_else(|| member("url")).or_else(|| member("path")) {
            Some(place) => located(place),
            None => opaque(kind, text),
        }),
    }
}

/// A source that says nothing of where it is: a name of its own, which nobody registered yet.
fn opaque(kind: &str, text: &str) -> Option<Ref> {
    // The words themselves may be a query with somebody in it: they are kept as a note.
    names::dataset(&format!("mlflow:{kind}"), &Digest::of(text.as_bytes()).to_string())
}

/// An address as it may stand in the ledger for good: without user names and passwords, without what follows `?` or `#`, and without
/// the options of a database's driver, which say who may read it and not what it is.
pub fn address(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        // `jdbc:oracle:thin:user/password@host`.
        let host = text.strip_prefix("jdbc:").and_then(|rest| rest.rsplit_once('@'));
        return host.map_or_else(|| text.to_owned(), |(_, host)| format!("jdbc:{host}"));
    };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let rest = match rest.find(';') {
        Some(at) if !rest[..at].contains('/') => &rest[..at],
        _ => rest,
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    // A container of Azure stands before the `@`; elsewhere a user name does.
    let azure = matches!(scheme.to_ascii_lowercase().as_str(), "abfs" | "abfss" | "wasb" | "wasbs");
    let host = match authority.rsplit_once('@') {
        Some((_, host)) if !azure => host,
        _ => authority,
    };
    format!("{scheme}://{host}{path}")
}

/// What lies at an address: of a bucket, an account, a host the authority is the namespace and the path the name; on a machine the
/// namespace is `file`.
fn located(place: &str) -> Option<Ref> {
    let place = address(place);
    let Some((scheme, rest)) = place.split_once("://") else {
        return match place.split_once(':') {
            // `dbfs:/x`, `file:/x`; `C:\x` is a path.
            Some((scheme, path)) if path.starts_with('/') && scheme.len() > 1 => {
                names::dataset(&scheme.to_ascii_lowercase(), path.trim_end_matches('/'))
            }
            _ => names::dataset("file", &place),
        };
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "file" => return names::dataset("file", &format!("/{path}")),
        "s3a" | "s3n" => "s3".to_owned(),
        other => other.to_owned(),
    };
    let path = path.trim_end_matches('/');
    let name = match scheme.as_str() {
        "s3" | "gs" | "http" | "https" => path.to_owned(),
        _ => format!("/{path}"),
    };
    names::dataset(&format!("{scheme}://{authority}"), if name.is_empty() { "/" } else { &name })
}

/// A source as it may be kept: without user names, passwords and signatures in addresses.
pub fn kept(text: &str) -> String {
    let Ok(Value::Object(mut map)) = serde_json::from_str::<Value>(text) else { return text.to_owned() };
    let mut cut = false;
    for name in ["uri", "url", "path"] {
        let Some(Value::String(place)) = map.get_mut(name) else { continue };
        let kept = address(place);
        cut |= kept != *place;
        *place = kept;
    }
    // As it was sent, where nothing had to go.
    if cut { Value::Object(map).to_string() } else { text.to_owned() }
}

/// A logged model in the registry: a model version that nobody named yet.
pub fn logged(name: &str, id: &str) -> Option<Ref> {
    names::at(&names::model("mlflow", name)?, id)
}

/// A registered model in the registry: names of registered models are ours.
pub fn model(name: &str) -> Option<Ref> {
    names::model("licit", name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: &str, text: &str) -> String {
        source(kind, text).map_or_else(String::new, |found| match found.version {
            Some(version) => format!("{}@{version}", found.base),
            None => found.base.to_string(),
        })
    }

    #[test]
    fn names_meet_those_of_openlineage() {
        for (kind, text, wanted) in [
            (
                "s3",
                r#"{"uri": "s3://acme-raw/customers/2026-11.parquet"}"#,
                "dataset:s3:%2F%2Facme-raw/customers%2F2026-11.parquet",
            ),
            ("s3", r#"{"uri": "s3a://b/k/"}"#, "dataset:s3:%2F%2Fb/k"),
            ("gs", r#"{"uri": "gs://b/z.parquet"}"#, "dataset:gs:%2F%2Fb/z.parquet"),
            ("local", r#"{"uri": "/home/ana/x.csv"}"#, "dataset:file/%2Fhome%2Fana%2Fx.csv"),
            ("local", r#"{"uri": "file:///data/x.csv"}"#, "dataset:file/%2Fdata%2Fx.csv"),
            ("http", r#"{"url": "https://u:p@example.com/d.npy?sig=1"}"#, "dataset:https:%2F%2Fexample.com/d.npy"),
            ("http", r#"{"url": "https://example.com"}"#, "dataset:https:%2F%2Fexample.com/%2F"),
            (
                "custom",
                r#"{"uri": "abfss://c@a.dfs.core.windows.net/t"}"#,
                "dataset:abfss:%2F%2Fc%40a.dfs.core.windows.net/%2Ft",
            ),
            (
                "delta_table",
                r#"{"delta_table_name": "main.crm.customers", "delta_table_version": 3}"#,
                "dataset:delta/main.crm.customers@3",
            ),
            ("hugging_face", r#"{"path": "imdb", "revision": null}"#, "dataset:hf:%2F%2Fdatasets/imdb"),
            ("code", r#"{"tags": {"mlflow.source.name": "train.py"}}"#, ""),
        ] {
            assert_eq!(of(kind, text), wanted, "{text}");
        }
        assert!(of("weird", "no json at all").starts_with("dataset:mlflow:weird/"));
    }

    #[test]
    fn secrets_in_addresses_are_not_kept() {
        assert_eq!(kept(r#"{"url":"https://u:p@h/x?sig=s"}"#), r#"{"url":"https://h/x"}"#);
        assert_eq!(kept(r#"{"uri":"/a/b"}"#), r#"{"uri":"/a/b"}"#);
        assert_eq!(kept("plain"), "plain");
        for (sent, wanted) in [
            ("https://oauth2:TOKEN@gitlab.example/x.git", "https://gitlab.example/x.git"),
            ("https://ana:s3cr3t@host/m?X-Amz-Signature=1", "https://host/m"),
            ("abfss://c@a.dfs.core.windows.net/t", "abfss://c@a.dfs.core.windows.net/t"),
            ("models:/score/1", "models:/score/1"),
            ("https://TOKEN@host/x", "https://host/x"),
            ("jdbc:oracle:thin:scott/tiger@host:1521:x", "jdbc:host:1521:x"),
        ] {
            assert_eq!(address(sent), wanted);
        }
        let password = r#"{"uri": "jdbc:sqlserver://h:1433;user=sa;password=p/q"}"#;
        assert_eq!(of("custom", password), "dataset:jdbc:sqlserver:%2F%2Fh:1433/%2F");
        assert_eq!(kept(password), r#"{"uri":"jdbc:sqlserver://h:1433"}"#);
        assert!(!of("spark", r#"{"sql": "SELECT * FROM c WHERE email='ana@acme.fr'"}"#).contains("acme"));
    }
}

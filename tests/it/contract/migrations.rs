//! Both databases have the same tables, and the code knows them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use harness::{TestDatabase, TestServer};

use crate::support::{rebuilds, root};

fn versions(tree: &str) -> Vec<String> {
    let mut list: Vec<String> = fs::read_dir(root().join("migrations").join(tree))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    list.sort();
    list
}

fn read(tree: &str, version: &str, file: &str) -> String {
    fs::read_to_string(root().join("migrations").join(tree).join(version).join(file)).unwrap()
}

#[test]
fn both_trees_have_the_same_versions_and_each_can_be_undone() {
    assert_eq!(versions("sqlite"), versions("postgres"));
    assert!(!versions("sqlite").is_empty());
    for tree in ["sqlite", "postgres"] {
        for version in versions(tree) {
            for file in ["up.sql", "down.sql"] {
                assert!(!read(tree, &version, file).trim().is_empty(), "{tree}/{version}/{file} is empty");
            }
        }
    }
}

/// The tables and indexes of a tree in the words of PostgreSQL, without the collation SQLite has anyway.
fn statements(tree: &str) -> BTreeSet<String> {
    versions(tree)
        .iter()
        .flat_map(|version| {
            let text = read(tree, version, "up.sql").replace(" COLLATE \"C\"", "").replace(" BLOB ", " BYTEA ");
            let wanted = |s: &&str| s.contains("CREATE TABLE") || s.contains("INDEX");
            text.split(";\n")
                .filter(wanted)
                .map(|s| s.split_whitespace().collect::<Vec<_>>().join(" "))
                .collect::<Vec<_>>()
        })
        .map(|s| s[s.find("CREATE").unwrap()..].to_owned())
        .collect()
}

#[test]
fn both_trees_make_the_same_tables_and_indexes() {
    assert_eq!(statements("sqlite"), statements("postgres"));
}

/// Column: type in Diesel's words and whether it may be null; and the primary key.
type Table = (BTreeMap<String, (String, bool)>, BTreeSet<String>);

/// What `db/schema.rs` says.
fn declared() -> BTreeMap<String, Table> {
    let text = fs::read_to_string(root().join("server/src/db/schema.rs")).unwrap();
    let mut tables = BTreeMap::new();
    for block in text.split("diesel::table! {").skip(1) {
        let lines: Vec<&str> = block.lines().map(str::trim).filter(|l| !l.starts_with("///")).collect();
        let head = lines.iter().find(|l| l.ends_with(") {")).unwrap();
        let (name, keys) = head.trim_end_matches(") {").split_once(" (").unwrap();
        let columns = lines
            .iter()
            .filter_map(|line| line.trim_end_matches(',').split_once(" -> "))
            .map(|(column, kind)| match kind.strip_prefix("Nullable<") {
                Some(inner) => (column.to_owned(), (inner.trim_end_matches('>').to_owned(), true)),
                None => (column.to_owned(), (kind.to_owned(), false)),
            })
            .collect();
        tables.insert(name.to_owned(), (columns, keys.split(", ").map(str::to_owned).collect()));
    }
    tables
}

/// What the migrated database says.
fn found(db: &TestDatabase) -> BTreeMap<String, Table> {
    let query = if db.is_postgres() {
        "SELECT c.table_name, c.column_name, upper(c.data_type), CASE c.is_nullable WHEN 'YES' THEN 1 ELSE 0 END, \
         CASE WHEN k.column_name IS NULL THEN 0 ELSE 1 END FROM information_schema.columns c \
         LEFT JOIN (SELECT u.table_name, u.column_name FROM information_schema.key_column_usage u \
         JOIN information_schema.table_constraints t ON t.constraint_name = u.constraint_name AND t.table_schema = u.table_schema \
         WHERE t.constraint_type = 'PRIMARY KEY' AND t.table_schema = current_schema()) k \
         ON k.table_name = c.table_name AND k.column_name = c.column_name WHERE c.table_schema = current_schema()"
    } else {
        "SELECT m.name, p.name, upper(p.type), 1 - p.\"notnull\", p.pk > 0 FROM sqlite_master m, pragma_table_info(m.name) p \
         WHERE m.type = 'table'"
    };
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    for line in db.sql(query).lines() {
        let [table, column, kind, null, key] = line.split('|').collect::<Vec<_>>()[..] else { panic!("{line}") };
        if table.starts_with("__diesel") || table.starts_with("sqlite_") {
            continue;
        }
        let kind = match kind {
            "TEXT" => "Text",
            "BIGINT" => "BigInt",
            "INTEGER" => "Integer",
            "SMALLINT" => "SmallInt",
            "BOOLEAN" => "Bool",
            "TIMESTAMP" | "TIMESTAMP WITHOUT TIME ZONE" => "Timestamp",
            "BLOB" | "BYTEA" => "Binary",
            other => other,
        };
        let entry = tables.entry(table.to_owned()).or_default();
        entry.0.insert(column.to_owned(), (kind.to_owned(), null == "1"));
        if key == "1" {
            entry.1.insert(column.to_owned());
        }
    }
    tables
}

fn migrated() -> TestDatabase {
    let db = TestDatabase::new();
    let (code, stdout, stderr) = TestServer::run(&db, &["migrate"]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    db
}

#[test]
fn the_migrated_database_is_the_one_the_code_knows() {
    assert_eq!(found(&migrated()), declared());
}

#[test]
fn down_and_up_again_is_the_same_database() {
    let db = migrated();
    let tree = if db.is_postgres() { "postgres" } else { "sqlite" };
    for version in versions(tree).iter().rev() {
        let down = read(tree, version, "down.sql");
        db.sql(&format!("{down}; DELETE FROM __diesel_schema_migrations;"));
    }
    assert_eq!(found(&db), BTreeMap::new());
    let (code, stdout, stderr) = TestServer::run(&db, &["migrate"]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert_eq!(stdout.matches("2026").count(), versions(tree).len(), "{stdout}");
    assert_eq!(found(&db), declared());
    rebuilds(&db);
}

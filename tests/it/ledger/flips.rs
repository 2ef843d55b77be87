//! Any bit of any row of the ledger's tables is turned: the check finds it, and names the row.

use diesel::connection::SimpleConnection;
use harness::{Scenario, TestServer};
use licit_server::db::Manager;
use licit_server::ledger::verify;

use super::{checkpoint, unlock};
use crate::support::rebuilds;

/// A cheap source of places (xorshift), the same in every run.
fn places() -> impl FnMut(usize) -> usize {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    }
}

/// A value of a row: where it is, and its bytes or its number.
struct Cell {
    table: &'static str,
    key: &'static str,
    row: i64,
    column: &'static str,
    value: Value,
}

enum Value {
    Number(i64),
    /// Microseconds since 1970, where the database holds a moment as such.
    Moment(i64),
    Bytes(Vec<u8>, &'static str),
}

impl Value {
    /// The value with one bit turned, as the database takes it. PostgreSQL takes no text that is none: there a bit is turned that leaves it
    /// one.
    fn turned(&self, next: &mut impl FnMut(usize) -> usize, postgres: bool) -> String {
        match self {
            Self::Number(number) => (number ^ (1 << next(40))).to_string(),
            Self::Moment(micros) => {
                format!("timestamp 'epoch' + {} * interval '1 microsecond'", micros ^ (1 << next(40)))
            }
            Self::Bytes(bytes, kind) => loop {
                let mut bytes = bytes.clone();
                let place = next(bytes.len());
                bytes[place] ^= 1 << next(8);
                let hex: String = bytes.iter().map(|b| format!("{b:02X}")).collect();
                match (postgres, *kind) {
                    (false, kind) => return format!("CAST(X'{hex}' AS {kind})"),
                    (true, "BLOB") => return format!("decode('{hex}', 'hex')"),
                    (true, _) if std::str::from_utf8(&bytes).is_ok_and(|text| !text.contains('\0')) => {
                        return format!("convert_from(decode('{hex}', 'hex'), 'UTF8')");
                    }
                    (true, _) => {}
                }
            },
        }
    }
}

/// Every value of the ledger's tables.
fn cells(db: &harness::TestDatabase) -> Vec<Cell> {
    let tables: [(&str, &str, &[(&str, &str)]); 4] = [
        (
            "ledger_entry",
            "seq",
            &[
                ("seq", "I"),
                ("kind", "TEXT"),
                ("version", "I"),
                ("at", "AT"),
                ("actor", "TEXT"),
                ("entry", "TEXT"),
                ("data", "TEXT"),
            ],
        ),
        ("ledger_hash", "idx", &[("idx", "I"), ("hash", "BLOB")]),
        ("ledger_head", "id", &[("size", "I"), ("root", "BLOB")]),
        ("ledger_checkpoint", "size", &[("size", "I"), ("root", "BLOB"), ("note", "TEXT")]),
    ];
    let mut cells = Vec::new();
    for (table, key, columns) in tables {
        for (column, kind) in columns {
            let postgres = db.is_postgres();
            let shown = match (*kind, postgres) {
                ("I", _) => (*column).to_owned(),
                (_, false) => format!("hex(CAST({column} AS BLOB))"),
                ("AT", true) => format!("CAST(extract(epoch FROM {column}) * 1000000 AS BIGINT)"),
                ("BLOB", true) => format!("encode({column}, 'hex')"),
                (_, true) => format!("encode(convert_to({column}, 'UTF8'), 'hex')"),
            };
            let rows = db.sql(&format!("SELECT {key}, {shown} FROM {table} WHERE {column} IS NOT NULL ORDER BY {key}"));
            for line in rows.lines().filter(|line| !line.is_empty()) {
                let (row, value) = line.split_once('|').unwrap();
                let value = match *kind {
                    "I" => Value::Number(value.parse().unwrap()),
                    "AT" if postgres => Value::Moment(value.parse().unwrap()),
                    "AT" => Value::Bytes(hex(value), "TEXT"),
                    kind => Value::Bytes(hex(value), kind),
                };
                cells.push(Cell { table, key, row: row.parse().unwrap(), column, value });
            }
        }
    }
    cells
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn any_bit_of_any_row_that_is_turned_is_found_and_named() {
    let s = Scenario::running();
    checkpoint(&s.audit);
    assert_eq!(TestServer::run(&s.server.db, &["key", "rotate"]).0, 0);
    s.add("parties", harness::scenario::party("other"));
    checkpoint(&s.audit);
    let db = s.server.kill();
    rebuilds(&db);
    let postgres = db.is_postgres();
    unlock(&db);
    let cells = cells(&db);
    let manager = Manager::new(&db.url).unwrap();
    let mut conn = manager.open().unwrap();
    assert!(verify::ledger(&mut conn).unwrap().faults.is_empty());
    let (mut next, mut found, mut refused) = (places(), std::collections::BTreeMap::<String, usize>::new(), 0);
    // Tables by turns, so that the small ones get their share.
    let tables = ["ledger_entry", "ledger_hash", "ledger_checkpoint", "ledger_head"];
    for turn in 0..2400 {
        let of: Vec<&Cell> = cells.iter().filter(|cell| cell.table == tables[turn % 4]).collect();
        let cell = of[next(of.len())];
        let value = cell.value.turned(&mut next, postgres);
        let Cell { table, key, row, column, .. } = cell;
        let changed = format!("BEGIN; UPDATE {table} SET {column} = {value} WHERE {key} = {row}");
        if conn.batch_execute(&changed).is_err() {
            // Two rows of one key: the database refuses that by itself.
            conn.batch_execute("ROLLBACK").unwrap();
            refused += 1;
            continue;
        }
        let report = verify::ledger(&mut conn);
        conn.batch_execute("ROLLBACK").unwrap();
        let faults = report.unwrap_or_else(|e| panic!("{changed}: {e}")).faults;
        let named = match *table {
            "ledger_entry" => format!("entry {row}"),
            "ledger_hash" => format!("Merkle node {row}"),
            "ledger_checkpoint" => "the checkpoint of".to_owned(),
            _ => "head".to_owned(),
        };
        assert!(faults.iter().any(|fault| fault.contains(&named)), "{changed}: {faults:?}");
        *found.entry(format!("{table}.{column}")).or_default() += 1;
    }
    assert_eq!(found.len(), 14, "{found:?}");
    assert!(found.values().sum::<usize>() > 2000, "{refused} were refused: {found:?}");
    assert!(verify::ledger(&mut conn).unwrap().faults.is_empty());
}

#[test]
fn rows_that_are_gone_or_too_many_are_found() {
    let s = Scenario::empty();
    checkpoint(&s.audit);
    let db = s.server.kill();
    unlock(&db);
    let manager = Manager::new(&db.url).unwrap();
    let mut conn = manager.open().unwrap();
    for (statement, words) in [
        ("DELETE FROM ledger_entry WHERE seq = 3", "entry 3 is missing"),
        ("DELETE FROM ledger_entry WHERE seq = (SELECT max(seq) FROM ledger_entry)", "the head says"),
        ("DELETE FROM ledger_hash WHERE idx = 2", "Merkle node 2"),
        (
            "INSERT INTO ledger_hash SELECT idx + 1000, hash FROM ledger_hash WHERE idx = 1",
            "Merkle node 1001 is of no entry",
        ),
        (
            "INSERT INTO ledger_checkpoint SELECT 100000, root, note FROM ledger_checkpoint ORDER BY size LIMIT 1",
            "the checkpoint of 100000 entries",
        ),
    ] {
        conn.batch_execute("BEGIN").unwrap();
        conn.batch_execute(statement).unwrap();
        let report = verify::ledger(&mut conn);
        conn.batch_execute("ROLLBACK").unwrap();
        let faults = report.unwrap().faults;
        assert!(faults.iter().any(|fault| fault.contains(words)), "{statement}: {faults:?}");
    }
}

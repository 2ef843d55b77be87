//! A database per test.

use std::process::Command;

use tempfile::TempDir;

/// A fresh, empty database, gone when dropped.
pub struct TestDatabase {
    pub url: String,
    schema: Option<(String, String)>,
    apart: Option<(String, String)>,
    dir: TempDir,
}

impl TestDatabase {
    pub fn new() -> Self {
        let dir = TempDir::new().unwrap();
        match std::env::var("TEST_DATABASE_URL") {
            Ok(base) => {
                let schema = format!("test_{}", uuid::Uuid::now_v7().simple());
                psql(&base, &format!("CREATE SCHEMA {schema}"));
                let joint = if base.contains('?') { '&' } else { '?' };
                let url = format!("{base}{joint}options=-csearch_path%3D{schema}");
                Self { url, schema: Some((base, schema)), apart: None, dir }
            }
            Err(_) => Self {
                url: format!("sqlite://{}", dir.path().join("licit.db").display()),
                schema: None,
                apart: None,
                dir,
            },
        }
    }

    /// A PostgreSQL database that no other test shares, so that its connections can be cut; `None` on SQLite.
    pub fn apart() -> Option<Self> {
        let base = std::env::var("TEST_DATABASE_URL").ok()?;
        let name = format!("apart_{}", uuid::Uuid::now_v7().simple());
        psql(&base, &format!("CREATE DATABASE {name}"));
        let (server, _) = base.rsplit_once('/').expect("the URL names a database");
        Some(Self {
            url: format!("{server}/{name}"),
            apart: Some((base, name)),
            schema: None,
            dir: TempDir::new().unwrap(),
        })
    }

    /// End every connection to a database that stands apart; with `refuse`, let nobody in again until [`Self::admit`].
    pub fn cut(&self, refuse: bool) {
        let (base, name) = self.apart.as_ref().expect("a database apart");
        if refuse {
            psql(base, &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"));
        }
        psql(base, &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"));
    }

    /// Let connections in again.
    pub fn admit(&self) {
        let (base, name) = self.apart.as_ref().expect("a database apart");
        psql(base, &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"));
    }

    /// The file of the key that signs, of every server on this database: what the server chooses by itself on SQLite.
    pub fn key(&self) -> std::path::PathBuf {
        self.dir.path().join("licit.db.key")
    }

    pub fn is_postgres(&self) -> bool {
        self.schema.is_some() || self.apart.is_some()
    }

    /// Run SQL behind the server's back, as somebody who tampers would.
    pub fn sql(&self, statement: &str) -> String {
        match &self.schema {
            None if self.apart.is_some() => psql(&self.url, statement),
            Some((base, schema)) => psql(base, &format!("SET search_path TO {schema}; {statement}")),
            None => {
                let path = self.url.trim_start_matches("sqlite://");
                let script = "import sqlite3,sys\nc=sqlite3.connect(sys.argv[1],timeout=10)\nr=c.executescript(sys.argv[2]) if ';' in sys.argv[2].strip().rstrip(';') else c.execute(sys.argv[2])\nprint('\\n'.join('|'.join(str(x) for x in row) for row in r.fetchall()))\nc.commit()";
                run(Command::new("python3").args(["-c", script, path, statement]))
            }
        }
    }
}

impl Default for TestDatabase {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Some((base, schema)) = &self.schema {
            psql(base, &format!("DROP SCHEMA IF EXISTS {schema} CASCADE"));
        }
        if let Some((base, name)) = &self.apart {
            psql(base, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
    }
}

fn psql(url: &str, sql: &str) -> String {
    run(Command::new("psql").args([url, "-qAt", "-v", "ON_ERROR_STOP=1", "-c", sql]))
}

fn run(command: &mut Command) -> String {
    let out = command.output().expect("the tool is installed by tests/run");
    assert!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

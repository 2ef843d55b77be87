//! One connection type for both databases, and the pool that hands it out.

use diesel::connection::SimpleConnection;
use diesel::r2d2::{ManageConnection, R2D2Connection};
use diesel::{Connection, PgConnection, SqliteConnection};

/// A connection to either database. (`Conn`, because Diesel's prelude has a trait `Connection`.)
#[derive(diesel::MultiConnection)]
pub enum Conn {
    /// PostgreSQL.
    Postgres(PgConnection),
    /// SQLite.
    Sqlite(SqliteConnection),
}

/// Busy timeout first (it guards the others); FULL because an audit ledger may not lose its last commits, and with group commit
/// it costs nothing.
const SQLITE_PRAGMAS: &str = "PRAGMA busy_timeout = 5000; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";

/// Kilobytes of the database that one SQLite connection keeps in memory.
pub(super) const CACHE: u32 = 8000;
/// And while it reads the ledger through once, of which nothing is asked for again.
pub(super) const PASSING: u32 = 500;

/// Changes how much of the database a connection keeps.
pub(super) fn keep(conn: &mut Conn, kilobytes: u32) -> diesel::QueryResult<()> {
    match conn {
        Conn::Sqlite(lite) => lite.batch_execute(&format!("PRAGMA cache_size = -{kilobytes}")),
        Conn::Postgres(_) => Ok(()),
    }
}

/// What libpq is told unless the URL says otherwise, in seconds and milliseconds: a host that answers nothing is given up soon,
/// not after the hours TCP would wait. One thread writes, and it waits for nobody.
const POSTGRES_LIMITS: [(&str, &str); 5] = [
    ("connect_timeout", "5"),
    ("keepalives_idle", "10"),
    ("keepalives_interval", "5"),
    ("keepalives_count", "3"),
    ("tcp_user_timeout", "25000"),
];

/// The URL with the limits it does not set itself.
fn limited(url: &str) -> String {
    let mut limited = url.to_owned();
    for (name, value) in POSTGRES_LIMITS.iter().filter(|(name, _)| !url.contains(&format!("{name}="))) {
        let joint = if limited.contains('?') { '&' } else { '?' };
        limited.push_str(&format!("{joint}{name}={value}"));
    }
    limited
}

/// Opens connections by the scheme of the URL.
///
/// Not Diesel's derived `establish`: it tries the arms in turn, hides the reason, and lets any string fall through to SQLite as a
/// file name.
#[derive(Clone, Debug)]
pub struct Manager {
    url: String,
    read_only: bool,
}

impl Manager {
    /// For a `sqlite://PATH` or `postgres://…` URL.
    ///
    /// # Errors
    /// The sentence to show when the scheme is neither.
    pub fn new(url: &str) -> Result<Self, String> {
        match url.split_once("://") {
            Some(("sqlite" | "postgres" | "postgresql", rest)) if !rest.is_empty() => {
                Ok(Self { url: url.to_owned(), read_only: false })
            }
            _ => Err(format!(
                "database URL `{}` is not understood: use sqlite://PATH or postgres://USER@HOST/DATABASE",
                redact(url)
            )),
        }
    }

    /// The same database, for connections that must not write.
    #[must_use]
    pub fn read_only(&self) -> Self {
        Self { read_only: true, ..self.clone() }
    }

    /// Whether this is SQLite.
    pub fn is_sqlite(&self) -> bool {
        self.url.starts_with("sqlite://")
    }

    /// The URL without its password.
    pub fn shown(&self) -> String {
        redact(&self.url)
    }

    /// The URL, for tools that open their own connection.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Open one connection.
    ///
    /// # Errors
    /// What the database said.
    pub fn open(&self) -> Result<Conn, diesel::r2d2::Error> {
        use diesel::r2d2::Error::{ConnectionError, QueryError};
        match self.url.strip_prefix("sqlite://") {
            Some(path) => {
                private(path);
                let mut conn = SqliteConnection::establish(path).map_err(ConnectionError)?;
                conn.batch_execute(SQLITE_PRAGMAS).map_err(QueryError)?;
                if self.read_only {
                    conn.batch_execute("PRAGMA query_only = ON").map_err(QueryError)?;
                }
                let mut conn = Conn::Sqlite(conn);
                keep(&mut conn, CACHE).map_err(QueryError)?;
                Ok(conn)
            }
            None => {
                let mut conn = PgConnection::establish(&limited(&self.url)).map_err(ConnectionError)?;
                conn.batch_execute(
                    "SET client_min_messages = warning; SET TIME ZONE 'UTC'; SET synchronous_commit = on;",
                )
                .map_err(QueryError)?;
                if self.read_only {
                    // Said once, not by each transaction: a read sees one state, as it does on SQLite.
                    conn.batch_execute(
                        "SET default_transaction_read_only = on; SET default_transaction_isolation = 'repeatable read';",
                    )
                    .map_err(QueryError)?;
                }
                Ok(Conn::Postgres(conn))
            }
        }
    }
}

/// Create the file so that only its owner may read it: names and comments stand in it. SQLite gives the files beside it the
/// same mode. One that is there keeps the mode its owner gave it; what cannot be created, SQLite says.
fn private(path: &str) {
    #[cfg(unix)]
    if !path.starts_with("file:") && path != ":memory:" {
        use std::os::unix::fs::OpenOptionsExt;
        let _ = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    }
    #[cfg(not(unix))]
    let _ = path;
}

fn redact(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => match url[scheme + 3..at].find(':') {
            Some(colon) => format!("{}:***{}", &url[..scheme + 3 + colon], &url[at..]),
            None => url.to_owned(),
        },
        _ => url.to_owned(),
    }
}

impl ManageConnection for Manager {
    type Connection = Conn;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<Conn, Self::Error> {
        self.open()
    }

    fn is_valid(&self, conn: &mut Conn) -> Result<(), Self::Error> {
        conn.ping().map_err(diesel::r2d2::Error::QueryError)
    }

    fn has_broken(&self, conn: &mut Conn) -> bool {
        std::thread::panicking() || conn.is_broken()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_told_apart_and_passwords_hidden() {
        assert!(Manager::new("sqlite://licit.db").is_ok());
        assert!(Manager::new("postgres://u:p@h/d").is_ok());
        for bad in ["licit.db", "postgress://h/d", "sqlite://", "mysql://h/d", ""] {
            assert!(Manager::new(bad).is_err(), "{bad}");
        }
        assert_eq!(redact("postgres://u:secret@h/d"), "postgres://u:***@h/d");
        assert_eq!(redact("postgres://u@h/d"), "postgres://u@h/d");
    }

    #[test]
    fn limits_are_added_where_the_url_sets_none() {
        let own = limited("postgres://u@h/d?connect_timeout=60");
        assert!(own.starts_with("postgres://u@h/d?connect_timeout=60&keepalives_idle=10&"), "{own}");
        assert!(limited("postgres://u@h/d").starts_with("postgres://u@h/d?connect_timeout=5&"));
    }
}

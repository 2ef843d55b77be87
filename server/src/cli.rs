//! What the program does from the command line.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use licit_schemas::text::Key;

use crate::config::{Cli, Command, Config, KeyCommand, LogFormat, Rotate, TokenCommand};
use crate::db::Manager;
use crate::facts::World;
use crate::ledger::rotation;
use crate::ledger::signing::Signing;
use crate::{access, app, clock, ledger};

/// The ledger or a table is not what it should be.
const BROKEN: u8 = 4;

/// Parse, run, report.
pub fn main() -> ExitCode {
    let Cli { command, config } = Cli::parse();
    log(&config);
    let outcome = match command.unwrap_or(Command::Serve) {
        Command::Serve => serve(&config),
        Command::Migrate => migrate(&config),
        Command::Rebuild { check } => return rebuild(&config, check),
        Command::Token(TokenCommand::Create { label }) => token(&config, &label),
        Command::Key(KeyCommand::List) => list_keys(&config),
        Command::Key(KeyCommand::Rotate(rotate)) => rotate_key(&config, &rotate),
        Command::Openapi => {
            print!("{}", app::openapi_text());
            Ok(())
        }
        Command::Health => health(config.listen),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("licit-server: {sentence}");
            ExitCode::FAILURE
        }
    }
}

fn log(config: &Config) {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_new(&config.log).unwrap_or_else(|_| EnvFilter::new("warn"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second subscriber in one process is refused: the first stays.
    let _ = match config.log_format {
        LogFormat::Json => builder.json().try_init(),
        LogFormat::Text => builder.try_init(),
    };
}

fn serve(config: &Config) -> Result<(), String> {
    app::may_listen(config)?;
    let db = app::open(config)?;
    if let Some(created) = app::bootstrap(&db, config)?
        && config.bootstrap_token.is_none()
        && config.bootstrap_token_file.is_none()
    {
        eprintln!("administrator token, shown this once (expires {}): {}", created.expires_at, created.token);
    }
    let signing = Arc::new(Signing::open(&db, config.signing()?, config.ledger_origin.clone())?);
    actix_web::rt::System::new().block_on(app::serve(db, signing, config, |address| {
        // The tests and `licit demo` read this line: do not change it.
        println!("listening on http://{address}");
        let _ = std::io::stdout().flush();
    }))
}

fn migrate(config: &Config) -> Result<(), String> {
    let manager = Manager::new(&config.database_url)?;
    let mut conn = manager.open().map_err(|e| format!("cannot open {}: {e}", manager.shown()))?;
    let done = crate::db::migrate::run(&mut conn)?;
    match done.len() {
        0 => println!("nothing to migrate"),
        _ => println!("migrated: {}", done.join(", ")),
    }
    Ok(())
}

fn rebuild(config: &Config, check: bool) -> ExitCode {
    let (work, done): (fn(&Manager) -> _, _) = if check {
        (ledger::rebuild::check::<World>, "folding it anew gives the same tables")
    } else {
        (ledger::rebuild::refill::<World>, "the tables were made anew from it")
    };
    let report = Manager::new(&config.database_url).and_then(|manager| work(&manager).map_err(|e| e.to_string()));
    match report {
        Ok(report) if report.faults.is_empty() => {
            println!("{} entries: the ledger holds, and {done}", report.entries);
            ExitCode::SUCCESS
        }
        Ok(report) => {
            for fault in &report.faults {
                eprintln!("licit-server: {fault}");
            }
            ExitCode::from(BROKEN)
        }
        Err(sentence) => {
            eprintln!("licit-server: {sentence}");
            ExitCode::FAILURE
        }
    }
}

fn token(config: &Config, label: &str) -> Result<(), String> {
    let label: Key = label.parse().map_err(|e| format!("--label: {e}"))?;
    let db = app::open(config)?;
    let secret = access::operations::new_secret().map_err(|e| e.to_string())?;
    let created = db
        .write_blocking(uuid::Uuid::nil(), clock::now(), move |tx| access::operations::admin(tx, &secret, &label))
        .map_err(|e| e.to_string())?;
    db.close();
    eprintln!("administrator token, shown this once (expires {}):", created.expires_at);
    println!("{}", created.token);
    Ok(())
}

fn list_keys(config: &Config) -> Result<(), String> {
    let db = app::open(config)?;
    let ring = db.world().ledger.ring().clone();
    db.close();
    for known in ring.keys {
        match known.retired {
            None => println!("{} since entry {}", known.key, known.introduced),
            Some(retired) => println!("{} from entry {} to {retired}", known.key, known.introduced),
        }
    }
    Ok(())
}

fn rotate_key(config: &Config, rotate: &Rotate) -> Result<(), String> {
    let (old, new) = (config.signing()?, rotate.source()?);
    let db = app::open(config)?;
    let rotated = rotation::rotate(&db, &old, new.as_ref(), rotate.old_key_lost);
    db.close();
    let rotated = rotated?;
    if let Some(path) = &rotated.kept {
        eprintln!("the old key is in {} and may be destroyed", path.display());
    }
    eprintln!("the ledger is signed from now on by:");
    println!("{}", rotated.key);
    Ok(())
}

/// Ask `/ready` on this machine, without an HTTP client.
fn health(listen: SocketAddr) -> Result<(), String> {
    let port = listen.port();
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), Duration::from_secs(3))
        .map_err(|e| format!("nothing answers on port {port}: {e}"))?;
    stream.set_read_timeout(Some(Duration::from_secs(3))).map_err(|e| e.to_string())?;
    stream
        .write_all(b"GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .map_err(|e| e.to_string())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(|e| e.to_string())?;
    let line = answer.lines().next().unwrap_or_default();
    if line.contains(" 200 ") { Ok(()) } else { Err(format!("not ready: {line}")) }
}

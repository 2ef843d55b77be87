use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use harness::scenario::people;
use harness::{Client, Scenario};
use serde_json::{Value, json};

use super::{begin_with, members, put, with_key};
use crate::support::{licit, rebuilds};

/// The first values of a column of addresses; with `fault`, a line that names none.
fn csv(path: &Path, people: u32, fault: Option<u32>) {
    let mut text = "\u{feff}name,email\r\n".to_owned();
    for n in 0..people {
        match fault {
            Some(at) if at == n => text.push_str("\"Smith, J.\",not-an-address\r\n"),
            // Every second line spells it otherwise.
            _ if n % 2 == 0 => text.push_str(&format!("P{n}, person{n}@example.com \r\n")),
            _ => text.push_str(&format!("P{n},Person{n}@EXAMPLE.com\r\n")),
        }
    }
    std::fs::write(path, text).unwrap();
}

struct Desk {
    s: Scenario,
    folder: tempfile::TempDir,
}

impl Desk {
    /// A registry, and a key that it knows.
    fn new() -> Self {
        let desk = Self { s: with_key(), folder: tempfile::tempdir().unwrap() };
        let key = desk.at("crm.key");
        desk.ran(&desk.s.ana, &["subjects", "keygen", "--scope", "crm", "--kid", "crm-1", "-o", &key], 0);
        desk.ran(&desk.s.ana, &["subjects", "register-key", &key], 0);
        desk
    }

    fn at(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    #[track_caller]
    fn ran(&self, client: &Client, args: &[&str], code: i32) -> (String, String) {
        let (ended, out, said) = licit(client, args);
        assert_eq!(ended, code, "licit {args:?}: {out}{said}");
        (out, said)
    }

    /// `licit subjects add` of a file.
    #[track_caller]
    fn add(&self, client: &Client, file: &str, more: &[&str], code: i32) -> (Value, String) {
        let (from, key) = (self.at(file), self.at("crm.key"));
        let args = ["subjects", "add", "crm/people@1", "--from", &from, "--column", "email", "--key", &key, "--json"];
        let (out, said) = self.ran(client, &[&args[..], more].concat(), code);
        (serde_json::from_str(&out).unwrap_or_default(), said)
    }
}

#[test]
fn a_file_becomes_members_and_the_same_people_are_the_same_load() {
    let desk = Desk::new();
    csv(&desk.folder.path().join("people.csv"), 12_000, None);
    let (loaded, _) = desk.add(&desk.s.ana, "people.csv", &[], 0);
    assert_eq!((&loaded["outcome"], loaded["members"]["count"].as_u64()), (&json!("created"), Some(12_000)));
    assert_eq!(loaded["members"]["kid"], "crm-1");
    let (again, _) = desk.add(&desk.s.ana, "people.csv", &[], 0);
    assert_eq!((&again["outcome"], &again["members"]), (&json!("unchanged"), &loaded["members"]));
    csv(&desk.folder.path().join("more.csv"), 12_001, None);
    let (refused, _) = desk.add(&desk.s.ana, "more.csv", &[], 1);
    assert_eq!(refused["status"], 409, "{refused}");
    let (shown, _) = desk.ran(&desk.s.dora, &["subjects", "members", "crm/people@1"], 0);
    assert!(shown.contains("12000") && shown.contains("crm-1"), "{shown}");
    let (keys, _) = desk.ran(&desk.s.audit, &["subjects", "keys"], 0);
    assert!(keys.contains("crm-1") && keys.contains("active"), "{keys}");
    rebuilds(&desk.s.server.db);
}

#[test]
fn an_unreadable_line_is_named_and_nobody_is_loaded() {
    let desk = Desk::new();
    csv(&desk.folder.path().join("people.csv"), 6_000, Some(5_500));
    let (_, said) = desk.add(&desk.s.ana, "people.csv", &[], 1);
    assert!(said.contains("line 5502: no e-mail address") && said.contains("--skip-unreadable"), "{said}");
    assert!(!said.contains("not-an-address") && !said.contains("Smith"), "{said}");
    members(&desk.s, &desk.s.ana, "1").problem(404);
    assert_eq!(desk.s.server.db.sql("SELECT count(*) FROM member_load").trim(), "0", "nothing half done");
    let (loaded, _) = desk.add(&desk.s.ana, "people.csv", &["--skip-unreadable"], 0);
    assert_eq!((loaded["members"]["count"].as_u64(), loaded["skipped"].as_u64()), (Some(5_999), Some(1)));
}

#[test]
fn a_load_goes_on_after_the_connection_broke() {
    let desk = Desk::new();
    csv(&desk.folder.path().join("people.csv"), 22_000, None);
    let cut = Proxy::before(&desk.s.server.url, "PUT ", 3);
    let through = Client::new(&cut.url, desk.s.ana.token.as_deref());
    let (loaded, _) = desk.add(&through, "people.csv", &[], 0);
    assert_eq!(loaded["members"]["count"].as_u64(), Some(22_000));
    assert!(cut.cuts.load(Ordering::SeqCst) > 0, "the connection was never cut");
    rebuilds(&desk.s.server.db);
}

#[test]
fn a_command_that_died_goes_on_where_it_was() {
    let desk = Desk::new();
    csv(&desk.folder.path().join("people.csv"), 12_000, None);
    let (from, key) = (desk.at("people.csv"), desk.at("crm.key"));
    let hash = ["subjects", "hash", "--key", &key, "--from", &from, "--column", "email"];
    let (pseudonyms, _) = desk.ran(&desk.s.ana, &hash, 0);
    let first: String = pseudonyms.lines().take(5_000).map(|line| format!("\"{line}\"\n")).collect();
    // The first batch came; then the machine went down.
    let keys = desk.s.ana.get("/api/v1/subject-keys").good();
    let load = begin_with(&desk.s.ana, "1", &keys["items"][1]);
    put(&desk.s.ana, &load, 1, &first).good();
    csv(&desk.folder.path().join("other.csv"), 11_000, Some(7));
    let (_, said) = desk.add(&desk.s.ana, "other.csv", &["--skip-unreadable"], 1);
    assert!(said.contains("--afresh"), "another file is not its end: {said}");
    let (loaded, _) = desk.add(&desk.s.ana, "people.csv", &[], 0);
    assert_eq!((loaded["members"]["count"].as_u64(), loaded["resumed_batches"].as_u64()), (Some(12_000), Some(1)));
    desk.s.add("dataset-versions", people("2"));
    put(&desk.s.ana, &begin_with(&desk.s.ana, "2", &keys["items"][1]), 1, &first).good();
    let args =
        ["subjects", "add", "crm/people@2", "--from", &from, "--column", "name", "--type", "opaque", "--key", &key];
    desk.ran(&desk.s.ana, &args, 1);
    let (out, _) = desk.ran(&desk.s.ana, &[&args[..], &["--afresh"]].concat(), 0);
    assert!(out.contains("12000 members"), "{out}");
    rebuilds(&desk.s.server.db);
}

#[test]
fn pseudonyms_are_printed_one_a_line_and_identifiers_never() {
    let desk = Desk::new();
    let key = desk.at("crm.key");
    let hash = |kind: &str, stdin: &str| {
        let mut command = crate::cli::bare();
        command.args(["subjects", "hash", "--key", &key, "--type", kind, "--region", "IE"]);
        crate::cli::typed(&mut command, stdin)
    };
    let (code, out, said) =
        hash("email", " Jane.Doe@EXAMPLE.com \njane.doe@example.com\nnobody\n\njane.doe+x@example.com\n");
    let made: Vec<&str> = out.lines().collect();
    assert_eq!((code, made.len()), (1, 5), "{out}{said}");
    assert!(made[0].starts_with("p1.crm-1.") && made[0] == made[1] && made[0] != made[4], "{out}");
    assert_eq!((made[2], made[3]), ("", ""), "what is none keeps its place");
    assert!(said.contains("line 3") && said.contains("line 4") && !said.contains("nobody"), "{said}");
    let (_, phones, _) = hash("phone", "+353 (0)1 555 0142\n01 555 0142\n");
    let phones: Vec<&str> = phones.lines().collect();
    assert_eq!(phones[0], phones[1]);
    // A file without a header: its first line is somebody.
    std::fs::write(desk.at("bare.csv"), "jane.doe@example.com,1\njohn@example.com,2\n").unwrap();
    let (_, said) = desk.add(&desk.s.ana, "bare.csv", &[], 2);
    assert!(said.contains("no column `email`") && !said.contains("jane"), "{said}");
    std::fs::write(desk.at("bytes.csv"), b"email\n\xff\xfe@example.com\n\"open\n").unwrap();
    let (_, said) = desk.add(&desk.s.ana, "bytes.csv", &[], 1);
    assert!(said.contains("line 2: no text in UTF-8") && said.contains("line 3") && !said.contains("open"), "{said}");
    let (_, said) = desk.ran(&desk.s.ana, &["subjects", "keygen", "--scope", "crm", "-o", &key], 1);
    assert!(said.contains("cannot write"), "a key is not overwritten: {said}");
    #[cfg(unix)]
    {
        std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
        let (_, said) = desk.add(&desk.s.ana, "bare.csv", &[], 1);
        assert!(said.contains("chmod 600"), "{said}");
    }
}

/// Stands between client and server, and cuts the connection at every so many batches, known by their method: half before the server has seen the
/// batch, half before the client has seen the answer.
pub(super) struct Proxy {
    pub(super) url: String,
    pub(super) cuts: Arc<AtomicUsize>,
}

impl Proxy {
    pub(super) fn before(server: &str, method: &'static str, every: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (server, cuts) = (server.trim_start_matches("http://").to_owned(), Arc::new(AtomicUsize::new(0)));
        let seen = Arc::new(AtomicUsize::new(0));
        let counted = cuts.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (server, cuts, seen) = (server.clone(), counted.clone(), seen.clone());
                std::thread::spawn(move || {
                    let Ok(there) = TcpStream::connect(&server) else { return };
                    let (mut answers, here) = (there.try_clone().unwrap(), client.try_clone().unwrap());
                    let silent = Arc::new(AtomicUsize::new(0));
                    let mute = silent.clone();
                    std::thread::spawn(move || {
                        let mut here = here;
                        let mut bytes = [0; 1 << 14];
                        while let Ok(n @ 1..) = answers.read(&mut bytes) {
                            // The server did it; the client never learns.
                            if mute.load(Ordering::SeqCst) == 1 || here.write_all(&bytes[..n]).is_err() {
                                let _ = here.shutdown(std::net::Shutdown::Both);
                                break;
                            }
                        }
                        let _ = here.shutdown(std::net::Shutdown::Both);
                    });
                    let (mut client, mut there, mut bytes) = (client, there, [0; 1 << 14]);
                    while let Ok(n @ 1..) = client.read(&mut bytes) {
                        if bytes[..n].starts_with(method.as_bytes())
                            && seen.fetch_add(1, Ordering::SeqCst) % every == every - 1
                        {
                            if cuts.fetch_add(1, Ordering::SeqCst) % 2 == 0 {
                                let _ = client.shutdown(std::net::Shutdown::Both);
                                break;
                            }
                            silent.store(1, Ordering::SeqCst);
                        }
                        if there.write_all(&bytes[..n]).is_err() {
                            break;
                        }
                    }
                    let _ = there.shutdown(std::net::Shutdown::Write);
                });
            }
        });
        Self { url, cuts }
    }
}

#[test]
fn columns_divided_otherwise_are_said_to_be() {
    let desk = Desk::new();
    let key = desk.at("crm.key");
    for (header, typed) in [
        ("name;email", "--delimiter ';'"),
        ("\"name\";\"email\"", "--delimiter ';'"),
        ("name\temail", "--delimiter $'\\t'"),
        ("name|e-mail", "--delimiter '|'"),
        ("name;city, of birth;email", "--delimiter ';'"),
    ] {
        let file = desk.at("export.csv");
        std::fs::write(&file, format!("{header}\nAnn;ann@example.com\n")).unwrap();
        let args = ["subjects", "hash", "--key", &key, "--from", &file, "--column", "email"];
        let (_, said) = desk.ran(&desk.s.ana, &args, 2);
        assert!(said.contains(typed), "{header}: {said}");
        assert!(!said.contains("ann@"), "{said}");
    }
    let file = desk.at("export.csv");
    std::fs::write(&file, "name;email\nAnn;ann@example.com\n").unwrap();
    let args = ["subjects", "hash", "--key", &key, "--from", &file, "--column", "email", "--delimiter", ";"];
    desk.ran(&desk.s.ana, &args, 0);
    // Another column is simply not there.
    let (_, said) = desk.ran(&desk.s.ana, &[&args[..7], &["e-mail", "--delimiter", ";"]].concat(), 2);
    assert!(said.contains("names no column"), "{said}");
}

//! `licit scan`: what files hold, proposed and never sent.

mod dbt;
mod pipeline;

use std::path::{Path, PathBuf};
use std::process::Command;

use harness::Scenario;
use serde_json::{Value, json};

use crate::cli::{bare, typed};
use crate::support::{licit_in, root};

/// A folder with these files.
fn desk(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let desk = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = desk.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    desk
}

/// A fixture of another's making.
fn fixture(name: &str) -> PathBuf {
    root().join("tests/fixtures/scan").join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(fixture(name)).unwrap()
}

fn scan(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command: Command = bare();
    typed(command.current_dir(folder).arg("scan").args(args), "")
}

/// The proposal as JSON.
#[track_caller]
fn proposed(folder: &Path, args: &[&str]) -> Value {
    let (code, out, said) = scan(folder, &[args, &["--json"]].concat());
    assert_eq!(code, 0, "{out}{said}");
    serde_json::from_str(&out).unwrap()
}

/// What a column of the first dataset is proposed to be.
fn column<'p>(proposal: &'p Value, name: &str) -> &'p Value {
    let fields = proposal["manifest"]["datasets"][0]["fields"].as_array().unwrap();
    fields.iter().find(|field| field["name"] == name).unwrap_or_else(|| panic!("no {name} in {proposal:#}"))
}

/// Why.
fn because(proposal: &Value, name: &str) -> String {
    let guess = proposal["guesses"].as_array().unwrap().iter().find(|guess| guess["column"] == name);
    guess.unwrap()["guess"]["because"].to_string()
}

const NOBODYS: [[&str; 7]; 6] = [
    [
        "Camille Martin",
        "camille@example.com",
        "+33 6 12 34 56 78",
        "FR1420041010050500013M02606",
        "255081416802538",
        "1984-02-29",
        "69003",
    ],
    [
        "Jane Doe",
        "jane@example.org",
        "06 12 34 56 79",
        "GB82WEST12345698765432",
        "151024610204325",
        "1971-12-01",
        "44000",
    ],
    [
        "Louis Petit",
        "louis@example.net",
        "0612345670",
        "DE89370400440532013000",
        "255081416802538",
        "1990-05-17",
        "59000",
    ],
    ["Julie Blanc", "", "+33612345671", "FR1420041010050500013M02606", "", "2001-01-31", "75011"],
    [
        "Paul Noir",
        "paul@example.com",
        "+44 20 7946 0018",
        "GB82WEST12345698765432",
        "151024610204325",
        "1965-07-09",
        "13001",
    ],
    [
        "Emma Roux",
        "emma@example.com",
        "01 23 45 67 89",
        "DE89370400440532013000",
        "255081416802538",
        "1999-10-10",
        "06000",
    ],
];

/// People in CSV: some columns say what they are, some only look like it, some say nothing.
fn people() -> String {
    let mut text = "nom complet;c2;telephone;c4;c5;date_naissance;cp;x1;remarques\n".to_owned();
    for (n, row) in NOBODYS.iter().enumerate() {
        text.push_str(&format!("{};{n};she said that the heating had been out since May\n", row.join(";")));
    }
    text
}

#[test]
fn columns_are_proposed_with_reasons_and_without_values() {
    let desk = desk(&[("customers.csv", people().as_bytes())]);
    let (code, yaml, said) = scan(desk.path(), &["customers.csv", "--namespace", "crm"]);
    assert_eq!(code, 0, "{said}");
    let proposal = proposed(desk.path(), &["customers.csv", "--namespace", "crm"]);
    let set = &proposal["manifest"]["datasets"][0];
    assert_eq!((&set["namespace"], &set["name"], &set["rows"]), (&json!("crm"), &json!("customers"), &json!(6)));
    assert_eq!(set["subjects"], json!(["https://w3id.org/dpv#Customer"]));
    for (name, category, level) in [
        ("nom complet", "Name", "direct"),
        ("c2", "EmailAddress", "direct"),
        ("telephone", "TelephoneNumber", "direct"),
        ("c4", "BankAccount", "direct"),
        ("c5", "OfficialID", "direct"),
        ("date_naissance", "BirthDate", "quasi"),
        ("cp", "PostalCode", "quasi"),
    ] {
        let field = column(&proposal, name);
        assert_eq!(field["categories"], json!([format!("https://w3id.org/dpv/pd#{category}")]), "{name}: {field:#}");
        assert_eq!(field["identifiability"], level, "{name}");
    }
    assert!(because(&proposal, "c2").contains("5 of 5 sampled values are e-mail addresses"), "{proposal:#}");
    assert!(because(&proposal, "telephone").contains("the name looks like a telephone number"), "{proposal:#}");
    assert!(yaml.contains("# guessed: 5 of 5 sampled values are e-mail addresses"), "{yaml}");
    // What nothing speaks for stays unknown; in prose may stand anything.
    assert_eq!(column(&proposal, "x1"), &json!({"name": "x1"}));
    assert_eq!(column(&proposal, "remarques")["free_text"], json!({}));
    // Not one value, in whole or by its words, stands anywhere.
    let told = format!("{yaml}{said}{proposal}");
    for row in NOBODYS {
        for value in row.iter().filter(|value| value.len() > 4) {
            assert!(!told.contains(value), "{value} in {told}");
        }
    }
    for word in ["Camille", "heating", "@example"] {
        assert!(!told.contains(word), "{word} in {told}");
    }
}

#[test]
fn what_is_proposed_registers_and_what_is_unknown_stays_so() {
    let s = Scenario::registered();
    let desk = desk(&[("data/customers.csv", people().as_bytes())]);
    let run = |args: &[&str]| licit_in(&s.ana, Some(desk.path()), args);
    let scanned = ["scan", "data/customers.csv", "--namespace", "crm", "-o", "licit.yaml"];
    let (code, out, said) = run(&scanned);
    assert_eq!(code, 0, "{out}{said}");
    let (code, out, said) = run(&["register"]);
    assert_eq!(code, 0, "{out}{said}");
    assert!(out.contains("created") && said.contains("nobody classified"), "{out}{said}");
    let version = s.ana.get("/api/v1/dataset-versions?parent=dataset:crm/customers").good()["items"][0].clone();
    assert_eq!(version["spec"]["fields"].as_array().unwrap().len(), 9, "{version:#}");
    let exposure = s
        .ana
        .get(&format!("/api/v1/exposure?ref={}", harness::client::encode(version["ref"].as_str().unwrap())))
        .good();
    assert_eq!(exposure["identifiability"], "direct", "{exposure:#}");
    assert_eq!(exposure["unknown"].as_array().unwrap().len(), 1, "{exposure:#}");
    // Nothing is written over unless that is said; nothing of the same content is registered twice.
    let (code, _, said) = run(&scanned);
    assert_eq!(code, 1);
    assert!(said.contains("--force"), "{said}");
    assert_eq!(run(&[&scanned[..], &["--force"]].concat()).0, 0);
    assert!(run(&["register"]).1.contains("unchanged"));
}

#[test]
fn nothing_is_sent() {
    let desk = desk(&[("customers.csv", people().as_bytes())]);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut command = bare();
    command.current_dir(desk.path()).env("LICIT_URL", url).env("LICIT_TOKEN", "licit_x");
    let (code, _, said) = typed(command.args(["scan", "customers.csv"]), "");
    assert_eq!(code, 0, "{said}");
    assert!(listener.accept().is_err(), "somebody was asked");
}

#[test]
fn every_form_of_a_table_tells_the_same() {
    for name in ["people.parquet", "people.arrow", "people.arrows"] {
        let desk = desk(&[(name, &bytes(name))]);
        let proposal = proposed(desk.path(), &[name]);
        assert_eq!(proposal["manifest"]["datasets"][0]["rows"], 12, "{name}: {proposal:#}");
        assert_eq!(proposal["warnings"], json!([]), "{name}");
        let names: Vec<&str> = proposal["manifest"]["datasets"][0]["fields"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| f["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["email", "born", "account", "town", "x1", "home.phone", "home.floor"], "{name}");
        for (column_name, level, figure) in [
            ("email", "direct", "11 of 11"),
            ("account", "direct", "12 of 12"),
            ("born", "quasi", "12 of 12"),
            ("home.phone", "direct", "12 of 12"),
        ] {
            assert_eq!(column(&proposal, column_name)["identifiability"], level, "{name} {column_name}: {proposal:#}");
            assert!(because(&proposal, column_name).contains(figure), "{name} {column_name}: {proposal:#}");
        }
        assert_eq!(column(&proposal, "x1")["identifiability"], Value::Null);
    }
    // What cannot be unfolded is told, and columns are known by their names all the same.
    for name in ["people.zstd.parquet", "people.lz4.feather"] {
        let desk = desk(&[(name, &bytes(name))]);
        let proposal = proposed(desk.path(), &[name]);
        assert!(proposal["warnings"].to_string().contains("were not looked at"), "{name}: {proposal:#}");
        assert_eq!(proposal["manifest"]["datasets"][0]["rows"], 12, "{name}");
        assert_eq!(column(&proposal, "email")["identifiability"], "direct");
        assert_eq!(column(&proposal, "account")["identifiability"], Value::Null, "{name}: by its values alone");
    }
}

#[test]
fn json_lines_are_taken_apart() {
    let lines = "{\"id\": 1, \"who\": {\"mail\": \"a@example.com\"}, \"tags\": [\"x\"]}\n\n{\"id\": 2, \"late\": null, \"who\": {\"mail\": \"b@example.com\"}, \"by\": {\"a@example.com\": 1}}\n";
    let desk = desk(&[("events.jsonl", lines.as_bytes())]);
    let proposal = proposed(desk.path(), &["events.jsonl"]);
    let names: Vec<&str> = proposal["manifest"]["datasets"][0]["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["id", "tags", "who.mail", "by", "late"]);
    assert_eq!(proposal["manifest"]["datasets"][0]["rows"], 2);
    assert_eq!(column(&proposal, "who.mail")["identifiability"], "direct");
    // A member named by somebody is no column, and its name is repeated nowhere.
    assert_eq!(column(&proposal, "by")["identifiability"], Value::Null);
    assert!(!proposal.to_string().contains("example.com"), "{proposal:#}");
}

#[test]
fn a_folder_of_parts_is_one_dataset() {
    let desk = desk(&[
        ("visits/country=FR/a.csv", b"email,n,more\na@example.com,1,x\n"),
        ("visits/country=DE/b.csv", b"email,n\nb@example.com,2\n"),
        ("visits/_SUCCESS", b""),
    ]);
    let proposal = proposed(desk.path(), &["visits"]);
    let set = &proposal["manifest"]["datasets"][0];
    assert_eq!((&set["name"], &set["rows"], &set["path"]), (&json!("visits"), &json!(2), &json!("visits")));
    assert_eq!(column(&proposal, "country")["categories"], json!(["https://w3id.org/dpv/pd#Country"]));
    assert!(because(&proposal, "email").contains("2 of 2"), "{proposal:#}");
    assert!(proposal["warnings"].to_string().contains("1 columns that files before it have not"), "{proposal:#}");
}

#[test]
fn models_say_what_their_headers_say() {
    for (name, framework, tag, value) in [
        ("model.safetensors", "safetensors", "safetensors.parameters", "10"),
        ("model.onnx", "ONNX", "onnx.inputs", "x"),
        ("model.gguf", "GGUF 3", "gguf.general.architecture", "llama"),
    ] {
        let desk = desk(&[(name, &bytes(name))]);
        let proposal = proposed(desk.path(), &[name]);
        let model = &proposal["manifest"]["model"];
        assert_eq!((&model["name"], &model["framework"]), (&json!("model"), &json!(framework)));
        assert_eq!(model["tags"][tag], value, "{model:#}");
    }
}

#[test]
fn a_pickle_is_named_and_never_opened() {
    let mlmodel = "flavors:\n  python_function: {loader_module: mlflow.sklearn}\n  sklearn: {pickled_model: model.pkl, sklearn_version: 1.7.2}\nsaved_input_example_info: {artifact_path: input_example.json}\n";
    // Who opened this would make a file.
    let touched = tempfile::tempdir().unwrap();
    let made = touched.path().join("made");
    let pickle = format!("cposix\nsystem\n(S'touch {}'\ntR.", made.display());
    let desk = desk(&[
        ("model/MLmodel", mlmodel.as_bytes()),
        ("model/model.pkl", pickle.as_bytes()),
        ("model/train.csv", b"email\na@example.com\n"),
        ("plain.bin", &bytes("model.pkl")),
    ]);
    let proposal = proposed(desk.path(), &["model"]);
    let warnings = proposal["warnings"].to_string();
    assert!(warnings.contains("`model.pkl` is a pickle: who opens it runs whatever it says"), "{warnings}");
    assert!(warnings.contains("input_example.json") && warnings.contains("train.csv"), "{warnings}");
    assert_eq!(proposal["manifest"]["model"]["framework"], "scikit-learn 1.7.2");
    assert!(proposed(desk.path(), &["plain.bin"])["warnings"].to_string().contains("is a pickle"));
    assert!(!made.exists());
}

#[test]
fn hostile_files_are_told_in_a_sentence() {
    let huge = (1_u64 << 60).to_le_bytes();
    let gguf = [&b"GGUF\x03\0\0\0"[..], &huge, &huge].concat();
    let deep = format!("{{\"a\": {}1{}}}\n", "[".repeat(100_000), "]".repeat(100_000));
    let endless = format!("a,b\n1,\"{}\n", "x".repeat(9 << 20));
    let dbt = format!("{{\"metadata\": {}", "{\"a\":".repeat(100_000));
    let files: &[(&str, &[u8])] = &[
        ("huge.gguf", &gguf),
        ("huge.safetensors", &huge),
        ("cut.onnx", &bytes("model.onnx")[..100]),
        ("cut.parquet", &bytes("people.parquet")[..2_000]),
        ("cut.arrow", &bytes("people.arrow")[..2_000]),
        ("empty.parquet", b""),
        ("empty.csv", b""),
        ("deep.jsonl", deep.as_bytes()),
        ("list.jsonl", b"[1, 2]\n"),
        ("half.jsonl", b"{\"a\": 1}\n{\"b\": \n"),
        ("endless.csv", endless.as_bytes()),
        ("headless.csv", b"jane@example.com,44\njohn@example.com,45\n"),
        ("figures.csv", b"18.2,44.1\n18.3,44.2\n"),
        ("unnamed.csv", b",b\n1,2\n"),
        ("twice.csv", b"a,a\n1,2\n"),
        ("other.json", b"{\"a\": 1}"),
        ("deep.json", dbt.as_bytes()),
        ("notes.txt", b"hello"),
        ("broken/MLmodel", b"flavors: [\n"),
    ];
    let desk = desk(files);
    for (name, _) in files {
        let path = name.split('/').next().unwrap();
        let (code, out, said) = scan(desk.path(), &[path]);
        assert_eq!((code, out.as_str()), (1, ""), "{name}: {said}");
        assert!(said.contains(name.split('/').next().unwrap()) && !said.contains("panicked"), "{name}: {said}");
        assert!(!said.contains("jane@") && !said.contains("18.2"), "{said}");
    }
    let (_, _, said) = scan(desk.path(), &["half.jsonl"]);
    assert!(said.contains("half.jsonl:2"), "{said}");
    assert_eq!(scan(desk.path(), &["nothing.csv"]).0, 1);
    assert_eq!(scan(desk.path(), &[]).0, 2);
    // An archive is named, not unpacked.
    let zip = [&b"PK\x03\x04"[..], &[0; 60]].concat();
    std::fs::write(desk.path().join("bomb.pt"), zip).unwrap();
    assert!(proposed(desk.path(), &["bomb.pt"])["warnings"].to_string().contains("not looked into"));
}

#[test]
fn a_file_and_a_model_stand_in_one_manifest() {
    let desk =
        desk(&[("people.parquet", &bytes("people.parquet")), ("m/model.safetensors", &bytes("model.safetensors"))]);
    let (code, out, said) = scan(desk.path(), &["people.parquet", "m", "-o", "out/licit.yaml"]);
    assert_eq!(code, 1, "{out}{said}");
    std::fs::create_dir(desk.path().join("out")).unwrap();
    let (code, out, said) = scan(desk.path(), &["people.parquet", "m", "-o", "out/licit.yaml"]);
    assert_eq!(code, 0, "{out}{said}");
    // Paths hold from where the manifest stands.
    let dry = |file: &str| {
        typed(bare().current_dir(desk.path()).args(["register", "--dry-run", "--json", "--file", file]), "")
    };
    let (code, out, said) = dry("out/licit.yaml");
    assert_eq!(code, 0, "{out}{said}");
    let registration: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(registration["model_versions"][0]["files"].as_array().unwrap().len(), 1, "{registration:#}");
    assert!(scan(desk.path(), &["m", "m/model.safetensors"]).2.contains("second model"));
}

#[test]
fn a_first_line_of_somebodys_data_is_no_header() {
    for (line, why) in [
        ("Jean,Dupont,42,Paris", "first line looks like somebody's data"),
        ("Marie,Paul,x,y", "first line looks like somebody's data"),
        ("jane.doe@example.com,42", "name of column 1 looks like somebody's data"),
        ("x,06 12 34 56 78", "name of column 2 looks like somebody's data"),
        ("a,18.25", "name of column 2 looks like somebody's data"),
    ] {
        let folder = desk(&[("people.csv", format!("{line}\nLuc,Martin,31,Lyon\n").as_bytes())]);
        let (code, out, said) = scan(folder.path(), &["people.csv"]);
        assert!(code == 1 && said.contains(why), "{line}: {code} {out} {said}");
        for word in ["Jean", "Dupont", "Marie", "jane", "06 12", "18.25", "Luc"] {
            assert!(!out.contains(word) && !said.contains(word), "{line}: {out} {said}");
        }
    }
}

#[test]
fn a_dataset_of_which_not_all_columns_can_be_listed_lists_none() {
    let header = |from: usize, to: usize| (from..to).map(|n| format!("c{n}")).collect::<Vec<_>>().join(",");
    let part = |from: usize, to: usize| format!("{}\n{}\n", header(from, to), vec!["1"; to - from].join(","));
    let wide = [part(0, 3_000), part(3_000, 5_000), part(5_000, 5_002)];
    for (files, why) in [
        (
            vec![
                ("set/a.csv", wide[0].as_bytes()),
                ("set/b.csv", wide[1].as_bytes()),
                ("set/c.csv", wide[2].as_bytes()),
            ],
            "more than the 5000 columns",
        ),
        (vec![("set/jane@example.com=1/a.csv", &b"n\n1\n"[..])], "a column whose name cannot be registered"),
    ] {
        let folder = desk(&files);
        let (code, out, said) = scan(folder.path(), &["set"]);
        assert_eq!(code, 0, "{said}");
        // The file that people confirm says so, and not only who ran it was told.
        let told = out.lines().find(|line| line.trim_start().starts_with('#') && line.contains(why));
        assert!(told.is_some_and(|line| line.contains("unknown")) && said.contains(why), "{out} {said}");
        assert!(!out.contains("fields:") && !format!("{out}{said}").contains("jane"), "{out} {said}");
    }
    let folder = desk(&[("set/a.csv", wide[0].as_bytes()), ("set/b.csv", wide[1].as_bytes())]);
    assert!(scan(folder.path(), &["set"]).1.contains("- name: c4999"), "as many as there may be");
}

#[test]
fn what_stands_in_names_of_folders_is_repeated_nowhere() {
    let folder = desk(&[
        ("sales/email=jane.doe@example.com/a.csv", b"n,m\n1,2\n"),
        ("sales/email=john.roe@example.com/b.csv", b"n,k\n1,2,3\n"),
        ("sales/email=jim.poe@example.com/c.csv", b"\xff\n"),
    ]);
    let (code, out, said) = scan(folder.path(), &["sales"]);
    assert_eq!(code, 1, "the third file is broken: {out} {said}");
    assert!(said.contains("email=…") && !said.contains("poe") && !out.contains("poe"), "{out} {said}");
    std::fs::remove_dir_all(folder.path().join("sales/email=jim.poe@example.com")).unwrap();
    let (code, out, said) = scan(folder.path(), &["sales"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("email=…") && said.contains("columns that files before it have not"), "{said}");
    assert!(!format!("{out}{said}").contains("@example.com"), "{out} {said}");
    assert!(out.contains("pd#EmailAddress"), "what they are is told: {out}");
    // Nor is it by what is told while files are hashed or opened: whichever comes first.
    #[cfg(unix)]
    for (kind, broken) in [("lost", "a.csv"), ("loop", "a"), ("name", "a\nb.csv"), ("byte", "")] {
        let folder = desk(&[("sales/email=jane.doe@example.com/n.csv", b"n\n1\n")]);
        let below = folder.path().join("sales/email=jane.doe@example.com");
        match kind {
            "lost" => std::os::unix::fs::symlink("nowhere", below.join(broken)).unwrap(),
            "loop" => std::os::unix::fs::symlink(&below, below.join(broken)).unwrap(),
            "name" => std::fs::write(below.join(broken), "n\n1\n").unwrap(),
            _ => {
                let name = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"\xff.csv");
                std::fs::write(below.join(name), "n\n1\n").unwrap();
            }
        }
        let (code, out, said) = scan(folder.path(), &["sales"]);
        assert_eq!(code, 1, "{kind}: {out} {said}");
        assert!(said.contains("email=…") && !said.contains("jane"), "{kind}: {said}");
    }
}

//! Whether a passport holds. Pure: the moment, the keys and the files are given.

use chrono::Duration;

use super::{FORM, MOST, MOST_GROUPS, PREDICATE, Passport, PassportFile};
use crate::admitted;
use crate::digest::Digest;
use crate::proof::in_force::Proven;
use crate::proof::oms;
use crate::proof::receipt::verify::is_decision;
use crate::proof::statement::{STATEMENT, Statement};
use crate::proof::trust::{self, Outcome, Trusted, Verified, included};
use crate::reference::{Kind, Ref};
use crate::registry::ModelFile;
use crate::time::Timestamp;

/// How far the clock of who verifies may lag behind that of the registry.
const LAG: Duration = Duration::minutes(1);
/// The fact that registers a model version.
const REGISTERED: (&str, u16) = ("model_version.registered", 1);

/// What is asked of a passport.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Keys trusted: one of them must have signed, both the statement and the checkpoint.
    pub keys: &'a [Trusted],
    /// The moment at which it must be valid.
    pub at: Timestamp,
    /// How long ago it may have been made out.
    pub max_age: Option<Duration>,
    /// Files found.
    pub files: Option<&'a [ModelFile]>,
}

/// Read a passport, nothing of it verified.
///
/// # Errors
/// It is none, in words.
pub fn read(bytes: &[u8]) -> Result<PassportFile, String> {
    trust::read(bytes, (FORM, MOST), "passport")
}

/// Ask everything of a passport. Takes any bytes.
pub fn verify(bytes: &[u8], asked: &Asked<'_>) -> Verified<Statement<Passport>> {
    match read(bytes) {
        Ok(file) => verify_file(&file, asked),
        Err(why) => {
            let mut verified = Verified::default();
            verified.say("form", Err(why), Outcome::Broken);
            verified
        }
    }
}

/// [`verify`] of one that was read.
pub fn verify_file(file: &PassportFile, asked: &Asked<'_>) -> Verified<Statement<Passport>> {
    let mut verified = Verified::default();
    if file.form != FORM {
        verified.say("form", Err(format!("it is no passport of the form `{FORM}`")), Outcome::Broken);
        return verified;
    }
    let statement: Statement<Passport> = match trust::open(&file.envelope, &file.checkpoint, asked.keys) {
        Ok(statement) => statement,
        Err(why) => {
            verified.say("signature", Err(why), Outcome::Broken);
            return verified;
        }
    };
    let said = &statement.predicate;
    verified.say("signature", Ok("a key you trust signed the statement".to_owned()), Outcome::Broken);
    verified.say("statement", form(&statement), Outcome::Broken);
    let checkpoint = trust::checkpoint(&file.checkpoint, &said.registry, asked.keys);
    let head = checkpoint.as_ref().map(|(head, _)| *head).ok();
    verified.say("checkpoint", checkpoint.map(|(_, says)| says), Outcome::Broken);
    let Some(head) = head else { return verified };
    let entries = [
        ("decision", &file.decision, (said.entry, said.data)),
        ("model", &file.model, (said.registered, said.registered_data)),
    ];
    for (check, shown, named) in entries {
        let found = included(&shown.entry, &shown.inclusion, &head).and_then(|says| names(check, shown, named, &says));
        verified.say(check, found, Outcome::Broken);
    }
    if verified.outcome() == Outcome::Broken {
        return verified;
    }
    verified.say("validity", valid(said, asked.at), Outcome::NotValid);
    if let Some(age) = asked.max_age {
        let found = match asked.at <= said.issued.plus(age) {
            true => Ok(format!("made out on {}", said.issued)),
            false => Err(format!("it was made out on {}, which is too long ago", said.issued)),
        };
        verified.say("age", found, Outcome::NotValid);
    }
    if let Some(files) = asked.files {
        verified.say("artifact", matches(said, files), Outcome::NotValid);
    }
    verified.statement = Some(statement);
    verified
}

/// That the statement is one of ours, of one model version, and its subjects are the files it lists.
fn form(statement: &Statement<Passport>) -> Result<String, String> {
    let said = &statement.predicate;
    if statement.r#type != STATEMENT || statement.predicate_type != PREDICATE {
        return Err(format!("it is no in-toto Statement v1 with the predicate `{PREDICATE}`"));
    }
    let model: Ref = said.model.parse().map_err(|_| format!("`{}` is no model version", said.model))?;
    if model.kind() != Kind::Model || !model.is_pinned() {
        return Err(format!("`{}` is no model version", said.model));
    }
    if said.files.is_empty() {
        return Err("it lists no file".to_owned());
    }
    if said.exposure.len() > MOST_GROUPS {
        return Err(format!("it tells more than {MOST_GROUPS} groups of people apart"));
    }
    let files: Vec<(String, Digest)> = said.files.iter().map(|file| (file.path.to_string(), file.digest)).collect();
    let subjects = statement.files().ok_or("a subject has no SHA-256 digest")?;
    let own = subjects.get(said.model.as_str()).map(Vec::as_slice).unwrap_or_default();
    let roots = oms::roots(files.iter().map(|(path, digest)| (path.as_str(), digest)));
    let root = |root: &Digest| {
        let whole = statement.subject.iter().filter(|s| s.annotations.is_empty() && s.name == said.model);
        whole.into_iter().any(|s| s.digest.digest() == Some(*root))
    };
    if subjects.len() != 1 || own != files || !roots.iter().all(root) {
        return Err("its subjects are not the files it lists".to_owned());
    }
    if said.valid_until <= said.issued {
        return Err("it ends before it begins".to_owned());
    }
    let people = match said.exposure.len() {
        0 => "of nobody".to_owned(),
        groups => format!("of {groups} group(s) of people"),
    };
    Ok(format!("`{}` says of `{}`: {} file(s), with data {people}", said.registry, said.model, said.files.len()))
}

fn names(check: &str, shown: &Proven, named: (u64, Digest), says: &str) -> Result<String, String> {
    let entry = &shown.entry;
    if (entry.seq, entry.data) != named {
        return Err(format!("entry {} is not the one the statement names", entry.seq));
    }
    match check {
        "decision" => is_decision(entry)?,
        _ if (entry.kind.as_str(), entry.v) == REGISTERED => {}
        _ => return Err(format!("entry {} registers no model version", entry.seq)),
    }
    Ok(format!("{says}, recorded on {}", entry.at))
}

fn valid(said: &Passport, at: Timestamp) -> Result<String, String> {
    if at.plus(LAG) < said.issued {
        return Err(format!("it is of {}, which is yet to come", said.issued));
    }
    match at < said.valid_until {
        true => Ok(format!("valid until {}: {}", said.valid_until, said.valid_until_for)),
        false => Err(format!("it ended {}: {}; ask its maker for another", said.valid_until, said.valid_until_for)),
    }
}

/// That files found are those of the passport, all of them and no other.
///
/// # Errors
/// What differs, in words.
pub fn matches(said: &Passport, found: &[ModelFile]) -> Result<String, String> {
    let listed: Vec<(String, Digest)> = said.files.iter().map(|file| (file.path.to_string(), file.digest)).collect();
    if let Some(first) = admitted::strange([(said.model.to_string().as_str(), listed.as_slice())], found).first() {
        return Err(format!("`{first}` is no file of `{}`", said.model));
    }
    match admitted::missing(&listed, found).first() {
        Some(first) => Err(format!("`{first}` of `{}` is not there as it was made", said.model)),
        None if found.is_empty() => Err("there are no files to hold against it".to_owned()),
        None => Ok(format!("{} file(s) are there as they were made, and no other", found.len())),
    }
}

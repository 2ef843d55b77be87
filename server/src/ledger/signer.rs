//! The key that signs: from a file, from the environment, or behind a command that asks a device which never hands it out.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use licit_schemas::proof::key::{PublicKey, SIGNATURE, SecretKey};

/// How long a command may take to sign.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is asked whether it is done.
const PAUSE: Duration = Duration::from_millis(5);
/// How long, once it ended, a next piece of what it printed is waited for.
const LEFT_OVER: Duration = Duration::from_millis(250);
/// Bytes a command may answer: a signature in base64 has 88.
const MOST_ANSWER: u64 = 1024;
/// Bytes a key file may have.
const MOST_FILE: u64 = 4096;

/// A text that nobody may see in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl std::str::FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

/// Where the key comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file of the owner's alone, in PEM.
    File(PathBuf),
    /// The key itself, out of the environment.
    Text(Secret),
    /// A program that gets the bytes on standard input and prints the signature, with the public key it signs by.
    Command(Vec<String>, PublicKey),
    /// Nowhere.
    None,
}

enum How {
    Key(SecretKey),
    Command(Vec<String>),
}

/// Somebody who can sign.
pub struct Signer {
    how: How,
    public: PublicKey,
}

/// Why there is nobody to sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoSigner {
    /// There is no key: nothing was said, or the file is not there.
    Absent(String),
    /// There is one that must not be used.
    Unusable(String),
}

impl NoSigner {
    /// The sentence.
    pub fn sentence(&self) -> &str {
        match self {
            Self::Absent(text) | Self::Unusable(text) => text,
        }
    }
}

impl Signer {
    /// The signer of a source.
    ///
    /// # Errors
    /// No key there, or one that others can read, or that is none.
    pub fn load(source: &Source) -> Result<Self, NoSigner> {
        match source {
            Source::File(path) => read(path).map(Self::with),
            Source::Text(Secret(text)) => text
                .parse()
                .map(Self::with)
                .map_err(|e| NoSigner::Unusable(format!("the signing key in the environment cannot be used: {e}"))),
            Source::Command(words, public) => Ok(Self { how: How::Command(words.clone()), public: *public }),
            Source::None => {
                Err(NoSigner::Absent("no signing key was given: say --signing-key or --signing-command".to_owned()))
            }
        }
    }

    /// By a key at hand.
    pub fn with(key: SecretKey) -> Self {
        Self { public: key.public(), how: How::Key(key) }
    }

    /// The public key.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Whether signing may take a while.
    pub fn is_slow(&self) -> bool {
        matches!(self.how, How::Command(_))
    }

    /// The signature of these bytes, held against the public key before it is given away.
    ///
    /// # Errors
    /// The command failed, took too long, or signed something else.
    pub fn sign(&self, message: &[u8]) -> Result<[u8; SIGNATURE], String> {
        let signature = match &self.how {
            How::Key(key) => key.sign(message),
            How::Command(words) => ask(words, message)?,
        };
        if self.public.signed(message, &signature) {
            Ok(signature)
        } else {
            Err("what the signing command printed is not the signature of the public key stated".to_owned())
        }
    }
}

/// A new key.
///
/// # Errors
/// No random bytes to be had.
pub fn new_key() -> Result<SecretKey, String> {
    let mut seed = [0u8; 32];
    getrandom::fill(&mut seed).map_err(|e| format!("no random bytes: {e}"))?;
    Ok(SecretKey::from_seed(&seed))
}

/// Write a new key into a file that only its owner may read. If somebody else was faster, theirs stays, and is read.
///
/// # Errors
/// The file cannot be written.
pub fn create(path: &Path) -> Result<Signer, String> {
    let failed = |e: std::io::Error| format!("cannot write the signing key to {}: {e}", path.display());
    let key = new_key()?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let fresh = path.with_file_name(name);
    // A crash may have left it: half a key, which nobody knows.
    let _ = fs::remove_file(&fresh);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&fresh).map_err(failed)?;
    let written = file.write_all(key.pem().as_bytes()).and_then(|()| file.sync_all());
    // A link, not a renaming: it never takes the place of a key that is there.
    let placed = written.and_then(|()| fs::hard_link(&fresh, path));
    let _ = fs::remove_file(&fresh);
    match placed {
        Ok(()) => Ok(Signer::with(key)),
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
            read(path).map(Signer::with).map_err(|e| e.sentence().to_owned())
        }
        Err(e) => Err(failed(e)),
    }
}

fn read(path: &Path) -> Result<SecretKey, NoSigner> {
    let shown = path.display();
    let mut file = fs::File::open(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => NoSigner::Absent(format!("there is no signing key in {shown}")),
        _ => NoSigner::Unusable(format!("cannot read the signing key in {shown}: {e}")),
    })?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let meta = file.metadata().map_err(|e| NoSigner::Unusable(format!("cannot look at {shown}: {e}")))?;
        if meta.permissions().mode() & 0o077 != 0 {
            return Err(NoSigner::Unusable(format!(
                "the signing key in {shown} can be read or written by others: `chmod 600 {shown}`, and rotate it if they did"
            )));
        }
    }
    let mut text = String::new();
    (&mut file)
        .take(MOST_FILE)
        .read_to_string(&mut text)
        .map_err(|e| NoSigner::Unusable(format!("cannot read the signing key in {shown}: {e}")))?;
    text.parse().map_err(|e| NoSigner::Unusable(format!("{shown} holds no signing key: {e}")))
}

/// Let a command sign: the bytes on its standard input, the signature in base64 (or as its 64 bytes) on its standard output.
fn ask(words: &[String], message: &[u8]) -> Result<[u8; SIGNATURE], String> {
    let (program, arguments) = words.split_first().ok_or("the signing command is empty")?;
    let mut command = Command::new(program);
    // The secrets of this server are none of its business.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("LICIT_")) {
        command.env_remove(name);
    }
    let failed = |e: std::io::Error| format!("the signing command `{program}` cannot be run: {e}");
    let mut child = command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    // Threads, so that a command which neither reads nor answers holds nobody up. What it started may hold its pipes open for good: nobody
    // waits for that, and the threads end with it.
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let message = message.to_vec();
    std::thread::spawn(move || stdin.map(|mut pipe| pipe.write_all(&message)));
    let (sender, pieces) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let Some(pipe) = stdout else { return };
        let mut pipe = pipe.take(MOST_ANSWER);
        let mut piece = [0; 256];
        while let Ok(length @ 1..) = pipe.read(&mut piece) {
            if sender.send(piece[..length].to_vec()).is_err() {
                return;
            }
        }
    });
    let status = wait(&mut child, program)?;
    // All that it printed itself lies in the pipe by now.
    let mut answer = Vec::new();
    while let Ok(piece) = pieces.recv_timeout(LEFT_OVER) {
        answer.extend(piece);
    }
    if !status.success() {
        return Err(format!("the signing command `{program}` failed: {status}"));
    }
    let bare = std::str::from_utf8(&answer).ok().and_then(|text| STANDARD.decode(text.trim()).ok());
    let printed = bare.unwrap_or(answer);
    printed.try_into().map_err(|_| format!("the signing command `{program}` printed no signature of 64 bytes"))
}

fn wait(child: &mut Child, program: &str) -> Result<std::process::ExitStatus, String> {
    let begun = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if begun.elapsed() < PATIENCE => std::thread::sleep(PAUSE),
            outcome => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(match outcome {
                    Err(e) => format!("the signing command `{program}` cannot be waited for: {e}"),
                    _ => format!("the signing command `{program}` took more than {} seconds", PATIENCE.as_secs()),
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> PathBuf {
        let path = std::env::temp_dir().join(format!("licit-signer-{}", uuid::Uuid::now_v7()));
        fs::create_dir(&path).unwrap();
        path
    }

    #[cfg(unix)]
    #[test]
    fn a_key_file_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = folder();
        let path = folder.join("licit.key");
        assert!(matches!(Signer::load(&Source::File(path.clone())), Err(NoSigner::Absent(_))));
        let made = create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let read = Signer::load(&Source::File(path.clone())).ok().unwrap();
        assert_eq!(read.public(), made.public());
        // Made again, the first stays.
        assert_eq!(create(&path).unwrap().public(), made.public());
        for mode in [0o640, 0o604, 0o660, 0o622] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let refused = Signer::load(&Source::File(path.clone())).err().unwrap();
            assert!(matches!(&refused, NoSigner::Unusable(why) if why.contains("chmod 600")), "{mode:o}: {refused:?}");
        }
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing else is left there");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_command_signs_or_is_told_apart() {
        let key = SecretKey::from_seed(&[1; 32]);
        let signature = STANDARD.encode(key.sign(b"message"));
        let signer = |line: &str, by: &SecretKey| {
            let words = ["sh", "-c", line].map(str::to_owned).to_vec();
            Signer::load(&Source::Command(words, by.public())).ok().unwrap()
        };
        let good = format!("test \"$(cat)\" = message && echo {signature}");
        assert_eq!(signer(&good, &key).sign(b"message").unwrap(), key.sign(b"message"));
        for (line, words) in [
            ("exit 3", "failed"),
            ("echo nothing", "no signature"),
            // What is too long is not read to its end, and the pipe breaks.
            ("yes | head -c 100000", "failed"),
            (&format!("echo {signature}"), "not the signature"),
        ] {
            let refused = signer(line, &SecretKey::from_seed(&[2; 32])).sign(b"message").unwrap_err();
            assert!(refused.contains(words), "{line}: {refused}");
        }
        // What it left running holds its output open, and nobody up; nor does one that reads nothing of a long message.
        let begun = Instant::now();
        let lingering = format!("cat > /dev/null; (sleep 30 &) ; echo {signature}");
        assert_eq!(signer(&lingering, &key).sign(b"message").unwrap(), key.sign(b"message"));
        let long = vec![b'x'; 1 << 20];
        let deaf = format!("(sleep 30 <&0 &) ; echo {}", STANDARD.encode(key.sign(&long)));
        assert_eq!(signer(&deaf, &key).sign(&long).unwrap(), key.sign(&long));
        assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
        let absent = Source::Command(vec!["/nowhere/at/all".to_owned()], key.public());
        assert!(Signer::load(&absent).ok().unwrap().sign(b"message").unwrap_err().contains("cannot be run"));
    }

    #[test]
    fn a_secret_is_not_shown() {
        let source = Source::Text(Secret("hidden".to_owned()));
        assert!(!format!("{source:?}").contains("hidden"));
        let refused = Signer::load(&source).err().unwrap();
        assert!(!refused.sentence().contains("hidden"), "{refused:?}");
    }
}

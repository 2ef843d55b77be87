//! The configuration file: where the server is, and the token. It holds a secret, so it must be the user's alone.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Failure, Result};

/// What the file holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    /// The secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<String>,
    /// Teams of the user: findings addressed to them are shown as theirs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) team: Vec<String>,
}

/// `$XDG_CONFIG_HOME/licit/config.json`, or `~/.config/licit/config.json`.
pub(crate) fn default_path() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = set("XDG_CONFIG_HOME").or_else(|| Some(set("HOME")?.join(".config")))?;
    Some(base.join("licit").join("config.json"))
}

/// The file's content; none when it does not exist.
pub(crate) fn read(path: &Path) -> Result<Option<Config>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Failure::file("read", path, &e)),
    };
    private(path, "a token", "replace the token")?;
    let config = serde_json::from_str(&text)
        .map_err(|e| Failure::plain(format!("`{}` is not a configuration: {e}", path.display())))?;
    Ok(Some(config))
}

/// Write the file, readable by its owner only. The new content takes the place of the old at once.
pub(crate) fn write(path: &Path, config: &Config) -> Result<()> {
    let failed = |e: &std::io::Error| Failure::file("write", path, e);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|e| failed(&e))?;
    }
    let text = serde_json::to_string_pretty(config).map_err(|e| Failure::plain(e.to_string()))?;
    let fresh = path.with_extension(format!("json.{}", std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written =
        options.open(&fresh).and_then(|mut file| writeln!(file, "{text}")).and_then(|()| fs::rename(&fresh, path));
    written.map_err(|e| {
        // What is left behind would hold the token.
        let _ = fs::remove_file(&fresh);
        failed(&e)
    })
}

/// Refuse a file with a secret that others may read, and say what to do then.
#[cfg(unix)]
pub(crate) fn private(path: &Path, secret: &str, then: &str) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).map_err(|e| Failure::file("read", path, &e))?.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(Failure::plain(format!(
        "`{0}` holds {secret} and has mode {mode:04o}, so that others may read it; run `chmod 600 {0}`, and {then}",
        path.display()
    )))
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "there is no mode to look at")]
pub(crate) fn private(_: &Path, _: &str, _: &str) -> Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_is_written_is_private_and_reads_back() {
        let folder = std::env::temp_dir().join(format!("licit-config-{}", uuid::Uuid::now_v7()));
        let path = folder.join("config.json");
        assert_eq!(read(&path).unwrap(), None);
        let config = Config {
            url: Some("http://127.0.0.1:1".to_owned()),
            token: Some("secret".to_owned()),
            team: vec!["ml-team".to_owned()],
        };
        write(&path, &config).unwrap();
        write(&path, &config).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(read(&path).unwrap(), Some(config));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let refused = read(&path).unwrap_err().to_string();
        assert!(
            refused.contains("mode 0644") && refused.contains("chmod 600") && !refused.contains("secret"),
            "{refused}"
        );
        fs::remove_dir_all(&folder).unwrap();
    }
}

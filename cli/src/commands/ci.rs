//! `licit ci`: workflows that ask the gate, written down once.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Failure, Result};
use crate::output::style;

/// The workflow of GitHub Actions.
const GITHUB: &str = include_str!("../ci/github.yml");
/// The jobs of GitLab CI.
const GITLAB: &str = include_str!("../ci/gitlab.yml");

/// The gate in pipelines.
#[derive(Debug, Subcommand)]
pub(crate) enum Ci {
    /// Write a commented workflow that asks the gate, keeps the receipt and shows what was found
    Init(InitArgs),
}

/// For which pipelines, about what.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  licit ci init github vote-forecast --artifact vote-model/
  licit ci init gitlab vote-forecast -f ci/licit.yml")]
pub(crate) struct InitArgs {
    /// Whose pipelines
    #[arg(value_enum)]
    forge: Forge,
    /// Deployment to ask about, such as `vote-forecast`
    deployment: String,
    /// File or directory that is deployed, held against what was registered
    #[arg(long, value_name = "PATH")]
    artifact: Option<String>,
    /// File to write [default: .github/workflows/licit.yml, or .gitlab-ci.yml]
    #[arg(short, long)]
    file: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
}

/// Whose pipelines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Forge {
    /// GitHub Actions
    Github,
    /// GitLab CI
    Gitlab,
}

/// Run a command on pipelines.
pub(crate) fn run(context: &Context, command: Ci) -> Result<Exit> {
    let Ci::Init(args) = command;
    let file = args.file.clone().unwrap_or_else(|| match args.forge {
        Forge::Github => PathBuf::from(".github/workflows/licit.yml"),
        Forge::Gitlab => PathBuf::from(".gitlab-ci.yml"),
    });
    if file.exists() && !args.force {
        return Err(Failure::plain(format!("`{}` is there already; --force writes over it", file.display())));
    }
    let text = written(args.forge, &args.deployment, args.artifact.as_deref(), &file)?;
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|e| Failure::file("write", folder, &e))?;
    }
    std::fs::write(&file, text).map_err(|e| Failure::file("write", &file, &e))?;
    let shown = file.display().to_string();
    context.answer(&json!({ "file": shown }), || {
        format!("{}  {shown}; the variables it names are to be set once", style::green("written"))
    });
    Ok(Exit::Done)
}

fn written(forge: Forge, deployment: &str, artifact: Option<&str>, file: &Path) -> Result<String> {
    let name = c::DEPLOYMENTS.reference(deployment)?.name().to_owned();
    let template = match forge {
        Forge::Github => GITHUB,
        Forge::Gitlab => GITLAB,
    };
    let artifact = match artifact {
        Some(path) => format!(" --artifact {}", word(path)?),
        None => String::new(),
    };
    // The file's own comment names it; a name with a line feed would be more than a comment.
    let file = file.display().to_string().replace('\n', " ");
    Ok(template.replace("__FILE__", &file).replace("__ARTIFACT__", &artifact).replace("__NAME__", &word(&name)?))
}

/// A word of the shell, in quotes where it needs them. What would end the line, or begin something else in YAML, is refused.
fn word(text: &str) -> Result<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._/@".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return Ok(text.to_owned());
    }
    if text.is_empty() || text.chars().any(|c| c.is_control() || "'\"\\#:$`{}".contains(c)) {
        return Err(Failure::Usage(format!(
            "`{text}` cannot stand in a workflow: rename it, or write the file by hand"
        )));
    }
    Ok(format!("'{text}'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_to_fill_in_and_no_name_is_more_than_a_word() {
        for forge in [Forge::Github, Forge::Gitlab] {
            let text = written(forge, "vote-forecast", Some("my model/"), Path::new("x.yml")).unwrap();
            assert!(!text.contains("__"), "{text}");
            assert!(text.contains("gate vote-forecast --artifact 'my model/' --format"), "{text}");
            let bare = written(forge, "vote-forecast", None, Path::new("x.yml")).unwrap();
            assert!(bare.contains("gate vote-forecast --format") && !bare.contains("--artifact"), "{bare}");
            for bad in ["a'; rm -rf x", "a\nb", "$(x)", "a # b", ""] {
                assert!(written(forge, "vote-forecast", Some(bad), Path::new("x.yml")).is_err(), "{bad}");
            }
        }
    }
}

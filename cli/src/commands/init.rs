//! `licit init` and `licit schema`.

use std::path::PathBuf;

use clap::Args;

use crate::context::Context;
use crate::error::{Exit, Failure, Result};
use crate::manifest::schema;
use crate::output::{self, style};

/// What is written: every field with its meaning.
const TEMPLATE: &str = include_str!("../manifest/template.yaml");

/// Where to write.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  licit init && licit schema > licit-yaml.schema.json   # for editors")]
pub(crate) struct InitArgs {
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
    /// File to write
    #[arg(short, long, default_value = "licit.yaml")]
    file: PathBuf,
}

/// Write the template.
pub(crate) fn run(context: &Context, args: &InitArgs) -> Result<Exit> {
    if args.file.exists() && !args.force {
        return Err(Failure::plain(format!("`{}` is there already; --force writes over it", args.file.display())));
    }
    std::fs::write(&args.file, TEMPLATE).map_err(|e| Failure::file("write", &args.file, &e))?;
    let file = args.file.display().to_string();
    context.answer(&serde_json::json!({ "file": file }), || {
        format!("{}  {file}; adapt it, then `licit register --dry-run`", style::green("written"))
    });
    Ok(Exit::Done)
}

/// Print the JSON Schema.
pub(crate) fn print_schema() -> Result<Exit> {
    output::print(&serde_json::to_string_pretty(&schema::published()).map_err(|e| Failure::plain(e.to_string()))?);
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest;

    #[test]
    fn the_template_is_a_manifest_and_names_the_schema() {
        assert!(TEMPLATE.starts_with(&format!("# yaml-language-server: $schema={}\n", schema::SCHEMA_FILE)));
        let folder = std::env::temp_dir().join(format!("licit-init-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&folder).unwrap();
        let path = folder.join("licit.yaml");
        std::fs::write(&path, TEMPLATE).unwrap();
        let read = manifest::read(&path).unwrap();
        assert_eq!((read.manifest.datasets.len(), read.manifest.plan.len()), (2, 1));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

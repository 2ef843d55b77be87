//! What files hold: tables with their columns and what these may be, models by their headers, projects of dbt by their manifest. All of
//! it is looked at on this machine; values are counted and forgotten, never kept, sent or written.

use std::path::{Path, PathBuf};

use licit_schemas::digest::Digest;
use walkdir::WalkDir;

use self::models::Facts;
use self::propose::Guess;
use self::tables::Table;
use self::values::Tally;
use crate::error::{Failure, Result};
use crate::hashing::{self, Hashed};

mod bytes;
mod dbt;
mod ids;
pub(crate) mod models;
mod names;
mod propose;
pub(crate) mod render;
pub(crate) mod tables;
#[cfg(test)]
pub(crate) mod tests;
mod values;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// Datasets.
    pub(crate) datasets: Vec<Dataset>,
    /// The model.
    pub(crate) model: Option<Model>,
    /// What a project of dbt makes of what.
    pub(crate) runs: Vec<Run>,
    /// What people should know.
    pub(crate) warnings: Vec<String>,
}

/// A dataset, as it is proposed.
#[derive(Debug, Default)]
pub(crate) struct Dataset {
    /// Where its name lives.
    pub(crate) namespace: String,
    /// Its name.
    pub(crate) name: String,
    /// The version, where it is not that of the files.
    pub(crate) version: Option<String>,
    /// Its files.
    pub(crate) path: Option<PathBuf>,
    /// What was hashed.
    pub(crate) hashed: Option<Digest>,
    /// How many files these are.
    pub(crate) files: usize,
    /// Whether a run of the manifest writes it.
    pub(crate) output: bool,
    /// What it holds, in somebody's words.
    pub(crate) description: Option<String>,
    /// Team that answers for it.
    pub(crate) owner: Option<String>,
    /// Whom it may be about: a DPV IRI, and why.
    pub(crate) subjects: Vec<(String, String)>,
    /// How many rows it has.
    pub(crate) rows: Option<u64>,
    /// Its columns.
    pub(crate) columns: Vec<ProposedColumn>,
    /// What is said of it in comments.
    pub(crate) notes: Vec<String>,
}

/// A column, as it is proposed.
#[derive(Debug)]
pub(crate) struct ProposedColumn {
    /// Its name.
    pub(crate) name: String,
    /// Its type.
    pub(crate) data_type: Option<String>,
    /// What it may hold.
    pub(crate) guess: Guess,
}

/// A model, as it is proposed.
#[derive(Debug)]
pub(crate) struct Model {
    /// Its name.
    pub(crate) name: String,
    /// Its files.
    pub(crate) path: PathBuf,
    /// What was hashed.
    pub(crate) hashed: Digest,
    /// How many files these are.
    pub(crate) files: usize,
    /// What its files say.
    pub(crate) facts: Facts,
}

/// A run, as it is proposed.
#[derive(Debug)]
pub(crate) struct Run {
    /// Datasets it reads, as `<namespace>/<name>`.
    pub(crate) inputs: Vec<String>,
    /// The dataset it writes.
    pub(crate) output: String,
    /// When it was.
    pub(crate) started_at: String,
}

/// What a folder or file is to be taken for, where it does not say so itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Taken {
    /// A dataset.
    Dataset,
    /// A model.
    Model,
}

/// How to scan.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Rows of which values are looked at.
    pub(crate) sample: u64,
    /// Where names live.
    pub(crate) namespace: Option<String>,
    /// What it is, where it does not say so.
    pub(crate) taken: Option<Taken>,
}

/// A path for people: what stands in names of folders as data (`email=…`), and what looks like somebody's data, is not repeated.
pub(crate) fn shown(path: &Path) -> String {
    let part = |part: std::path::Component<'_>| {
        let text = part.as_os_str().to_string_lossy().into_owned();
        match (text.split_once('='), part) {
            (Some((name, _)), std::path::Component::Normal(_)) if !values::holds(name) => {
                PathBuf::from(format!("{name}=…"))
            }
            (_, std::path::Component::Normal(_)) if values::holds(&text) => PathBuf::from("…"),
            _ => PathBuf::from(text),
        }
    };
    path.components().map(part).collect::<PathBuf>().display().to_string()
}

/// A file that cannot be read.
fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::plain(format!("cannot read `{}`: {error}", shown(path)))
}

/// Where names of files live, unless told otherwise.
const FILES: &str = "files";

/// Look at all of them.
pub(crate) fn scan(paths: &[PathBuf], options: &Options) -> Result<Scan> {
    let mut scan = Scan::default();
    for path in paths {
        let metadata = std::fs::metadata(path).map_err(|e| unreadable(path, &e))?;
        if metadata.is_file() && path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json")) {
            dbt::read(path, options, &mut scan)?;
            continue;
        }
        if !metadata.is_dir() && !metadata.is_file() {
            return Err(Failure::plain(format!("`{}` is neither a file nor a folder", shown(path))));
        }
        let files = files(path, metadata.is_dir())?;
        match kind(path, &files, options.taken)? {
            Taken::Dataset => dataset(path, &files, options, &mut scan)?,
            Taken::Model => model(path, &files, &mut scan)?,
        }
    }
    distinct(&scan.datasets)?;
    Ok(scan)
}

/// The files in a folder that hold something, in the order of their names; a file is itself.
fn files(path: &Path, folder: bool) -> Result<Vec<PathBuf>> {
    if !folder {
        return Ok(vec![path.to_owned()]);
    }
    let hidden = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with(['.', '_']);
    let mut found = Vec::new();
    for entry in WalkDir::new(path).follow_links(true).sort_by_file_name() {
        let entry = entry.map_err(|e| hashing::unwalkable(path, &e, shown))?;
        if entry.file_type().is_file() && !hidden(entry.file_name()) {
            found.push(entry.into_path());
        }
    }
    Ok(found)
}

/// Whether it is a dataset or a model.
fn kind(path: &Path, files: &[PathBuf], taken: Option<Taken>) -> Result<Taken> {
    if let Some(taken) = taken {
        return Ok(taken);
    }
    let model = files.iter().any(|file| models::form(file).is_some());
    let table = files.iter().any(|file| tables::Form::of(file).is_some());
    match (model, table) {
        (true, _) => Ok(Taken::Model),
        (false, true) => Ok(Taken::Dataset),
        (false, false) => Err(Failure::plain(format!(
            "`{}` holds nothing that is known here: say what it is with --as dataset or --as model",
            shown(path)
        ))),
    }
}

/// The name of a file or folder without its ending.
fn stem(path: &Path) -> Result<String> {
    let whole = path.canonicalize().map_err(|e| unreadable(path, &e))?;
    let name = if whole.is_dir() { whole.file_name() } else { whole.file_stem() };
    let name = name.and_then(|name| name.to_str()).map(str::to_owned);
    name.ok_or_else(|| Failure::plain(format!("`{}` has no name that can be registered", shown(path))))
}

fn hashed(path: &Path) -> Result<Hashed> {
    let hashed = hashing::hash_telling(&[path.to_owned()], shown)?;
    hashed.into_iter().next().ok_or_else(|| Failure::plain(format!("`{}` was not hashed", shown(path))))
}

fn dataset(path: &Path, files: &[PathBuf], options: &Options, scan: &mut Scan) -> Result<()> {
    let hashed = hashed(path)?;
    let name = stem(path)?;
    if values::holds(&name) {
        return Err(Failure::plain(format!(
            "the name of `{}` looks like somebody's data: give it another",
            shown(path)
        )));
    }
    let tables: Vec<(&PathBuf, tables::Form)> =
        files.iter().filter_map(|file| Some((file, tables::Form::of(file)?))).collect();
    let each = (options.sample / u64::try_from(tables.len().max(1)).unwrap_or(u64::MAX)).max(1);
    let mut whole = Table::default();
    for (file, form) in &tables {
        let mut table = tables::read(file, *form, each)?;
        partitions(path, file, &mut table);
        join(&mut whole, table, file, &mut scan.warnings);
    }
    if tables.len() < files.len() {
        let others = files.len() - tables.len();
        scan.warnings
            .push(format!("`{}`: {others} files are no tables that are read here; they were hashed", shown(path)));
    }
    let (listed, notes) = listed(whole.columns, whole.cut);
    scan.warnings.extend(notes.iter().map(|note| format!("`{}`: {note}", shown(path))));
    let columns = listed
        .iter()
        .map(|column| ProposedColumn {
            guess: propose::guess(&column.name, &column.tally),
            name: column.name.clone(),
            data_type: column.data_type.clone(),
        })
        .collect();
    let subjects = names::subjects(&name)
        .map(|(term, word)| (propose::iri(&format!("#{term}")), format!("the name says `{word}`")));
    scan.datasets.push(Dataset {
        namespace: options.namespace.clone().unwrap_or_else(|| FILES.to_owned()),
        name,
        path: Some(path.to_owned()),
        hashed: Some(hashed.digest),
        files: hashed.files.len(),
        subjects: subjects.into_iter().collect(),
        rows: (!tables.is_empty() && !whole.claimed).then_some(whole.rows),
        columns,
        notes,
        ..Dataset::default()
    });
    Ok(())
}

/// The columns that a proposal lists, and what it says of those it does not: all or none. A list that leaves some out would be taken for
/// the whole once it is classified, and nobody would ask what is in the others.
fn listed<T>(columns: Vec<T>, cut: Option<String>) -> (Vec<T>, Vec<String>) {
    match cut {
        None => (columns, Vec::new()),
        Some(why) => {
            let note = format!(
                "{why}: no `fields` are proposed, and everything in it stays unknown until all of them are listed"
            );
            (Vec::new(), vec![note])
        }
    }
}

/// Columns that stand in names of folders, as `country=FR`.
fn partitions(root: &Path, file: &Path, table: &mut Table) {
    let between = file.strip_prefix(root).unwrap_or(file).parent();
    for part in between.into_iter().flat_map(Path::iter).filter_map(|part| part.to_str()) {
        let Some((name, value)) = part.split_once('=') else { continue };
        if table.columns.iter().any(|column| column.name == name) {
            continue;
        }
        if !registrable(name) {
            table.cut = Some(UNREGISTRABLE.to_owned());
            continue;
        }
        let mut tally = Tally::default();
        tally.add(value);
        table.columns.push(tables::Column { name: name.to_owned(), data_type: Some("partition".to_owned()), tally });
    }
}

/// What is said of a column that cannot be listed.
const UNREGISTRABLE: &str = "it has a column whose name cannot be registered";

/// Whether a name can be that of a column, and is not somebody's data.
fn registrable(name: &str) -> bool {
    name.parse::<licit_schemas::text::Name>().is_ok() && !values::is_value(name) && !values::holds(name)
}

/// A table with another file of it.
fn join(whole: &mut Table, table: Table, file: &Path, warnings: &mut Vec<String>) {
    warnings.extend(table.warnings.into_iter().map(|warning| format!("`{}`: {warning}", shown(file))));
    let first = whole.columns.is_empty();
    let (mut new, mut beyond) = (0, 0);
    for column in table.columns {
        let full = whole.columns.len() >= tables::MOST_COLUMNS;
        match whole.columns.iter_mut().find(|known| known.name == column.name) {
            Some(known) => known.tally.join(&column.tally),
            None if full => beyond += 1,
            None => {
                new += 1;
                whole.columns.push(column);
            }
        }
    }
    whole.cut = whole.cut.take().or(table.cut);
    if beyond > 0 {
        let most = tables::MOST_COLUMNS;
        warnings.push(format!("`{}` has {beyond} columns more than the {most} that a dataset may list", shown(file)));
        whole.cut.get_or_insert_with(|| format!("its files have more than the {most} columns that a dataset may list"));
    }
    if !first && new > 0 {
        warnings.push(format!("`{}` has {new} columns that files before it have not", shown(file)));
    }
    whole.rows = whole.rows.saturating_add(table.rows);
    whole.claimed |= table.claimed;
}

fn model(path: &Path, files: &[PathBuf], scan: &mut Scan) -> Result<()> {
    if scan.model.is_some() {
        return Err(Failure::plain(format!("`{}` is a second model: a licit.yaml describes one", shown(path))));
    }
    let hashed = hashed(path)?;
    let mut facts = Facts::default();
    // What MLflow wrote names the framework; the other files only their format.
    let mut found: Vec<(&PathBuf, models::Form)> =
        files.iter().filter_map(|file| Some((file, models::form(file)?))).collect();
    found.sort_by_key(|(_, form)| *form != models::Form::MlModel);
    for (file, form) in &found {
        facts.join(models::read(file, *form)?);
    }
    let rows = files.iter().filter(|file| tables::Form::of(file).is_some());
    for file in rows.take(10) {
        facts.warnings.push(format!("`{}` lies with the model and is a table: scan it by itself", shown(file)));
    }
    for warning in std::mem::take(&mut facts.warnings) {
        scan.warnings.push(warning);
    }
    scan.model = Some(Model {
        name: stem(path)?,
        path: path.to_owned(),
        hashed: hashed.digest,
        files: hashed.files.len(),
        facts,
    });
    Ok(())
}

/// Names within a manifest are of one dataset each.
fn distinct(datasets: &[Dataset]) -> Result<()> {
    let mut seen = std::collections::HashSet::new();
    match datasets.iter().find(|dataset| !seen.insert((&dataset.namespace, &dataset.name))) {
        Some(twice) => {
            Err(Failure::plain(format!("two datasets would be called `{}`: scan them one by one", twice.name)))
        }
        None => Ok(()),
    }
}

/// Run a decoder of others: what it does with a broken file is not known for all of them, and a file must not end the program.
#[cfg(any(feature = "parquet", feature = "arrow"))]
fn guarded<T>(path: &Path, work: impl FnOnce() -> Result<T>) -> Result<T> {
    // The hook would print where in the decoder it was; tests keep theirs, which belongs to all of them.
    let hook = (!cfg!(test)).then(std::panic::take_hook);
    if hook.is_some() {
        std::panic::set_hook(Box::new(|_| {}));
    }
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    if let Some(hook) = hook {
        std::panic::set_hook(hook);
    }
    done.unwrap_or_else(|_| Err(Failure::plain(format!("`{}` is broken: it cannot be decoded", shown(path)))))
}

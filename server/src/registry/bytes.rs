//! Which versions are the same bytes: what is told of bytes twice must not contradict itself.

use std::sync::Arc;

use imbl::OrdSet;
use licit_schemas::digest::Digest;
use licit_schemas::registry::ModelFile;

/// From this size on a file of a model is taken to hold what was learned.
const LEARNED: u64 = 1 << 20;
/// Up to this size a file may be what its name says it is.
const BOILERPLATE: u64 = 64 << 20;
/// How names begin of files that models share without having learned anything together: vocabularies, settings, papers.
const BEGIN: [&str; 14] = [
    "tokenizer",
    "tokeniser",
    "vocab",
    "merges",
    "special_tokens",
    "added_tokens",
    "chat_template",
    "readme",
    "licen",
    "notice",
    "requirements",
    "conda",
    "python_env",
    "mlmodel",
];
/// How such names end.
const END: [&str; 11] = [
    ".md",
    ".txt",
    ".yaml",
    ".yml",
    ".toml",
    ".py",
    ".jinja",
    ".index.json",
    ".gitattributes",
    ".gitignore",
    "spiece.model",
];

/// References of versions, by a number of their bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Bytes(OrdSet<(u64, Arc<str>)>);

impl Bytes {
    /// Note a version.
    pub(super) fn note(&mut self, number: Option<u64>, reference: &Arc<str>) {
        if let Some(number) = number {
            self.0.insert((number, reference.clone()));
        }
    }

    /// All versions of these bytes.
    pub(super) fn alike(&self, number: u64) -> impl Iterator<Item = &Arc<str>> {
        let from = (number, Arc::<str>::default());
        self.0.range(from..).take_while(move |(own, _)| *own == number).map(|(_, reference)| reference)
    }
}

/// The number of some bytes: the first eight of the digest over the digests of all files, whatever their names; none for no bytes.
pub(super) fn number(digests: impl IntoIterator<Item = Digest>) -> Option<u64> {
    let mut all: Vec<String> = digests.into_iter().map(|digest| digest.to_string()).collect();
    all.sort_unstable();
    let whole = (!all.is_empty()).then(|| Digest::of(all.join("\n").as_bytes()))?;
    of_one(&whole)
}

/// The number of one file.
pub(super) fn of_one(digest: &Digest) -> Option<u64> {
    digest.as_bytes().first_chunk().map(|first| u64::from_be_bytes(*first))
}

/// Places of the files that hold what a model learned: the largest, and each that is large, or whose size nobody said. A file that
/// models share without having learned together is none, unless it is larger than such files are.
pub(super) fn weights(files: &[ModelFile]) -> Vec<usize> {
    let others = files.iter().enumerate().filter(|(_, file)| !boilerplate(file));
    let largest =
        others.clone().max_by_key(|(place, file)| (file.size, std::cmp::Reverse(*place))).map(|(place, _)| place);
    let large = |place: usize, file: &ModelFile| Some(place) == largest || file.size.is_none_or(|size| size >= LEARNED);
    others.filter(|(place, file)| large(*place, file)).map(|(place, _)| place).collect()
}

fn boilerplate(file: &ModelFile) -> bool {
    let path = file.path.as_str().to_lowercase();
    let name = path.rsplit('/').next().unwrap_or_default();
    let settings = name.ends_with(".json") && (name.contains("config") || name == "modules.json");
    (settings || BEGIN.iter().any(|begin| name.starts_with(begin)) || END.iter().any(|end| name.ends_with(end)))
        && file.size.is_none_or(|size| size <= BOILERPLATE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(files: &[(&str, Option<u64>)]) -> Vec<String> {
        let file = |(path, size): &(&str, Option<u64>)| ModelFile {
            path: path.parse().unwrap(),
            digest: Digest::of(path.as_bytes()),
            size: *size,
        };
        let files: Vec<ModelFile> = files.iter().map(file).collect();
        weights(&files).into_iter().map(|place| files[place].path.to_string()).collect()
    }

    #[test]
    fn weights_are_told_from_what_all_models_share() {
        let repository = [
            ("config.json", Some(900)),
            ("tokenizer.json", Some(17 << 20)),
            ("model-00001.safetensors", Some(4 << 30)),
            ("model-00002.safetensors", Some(3 << 30)),
            ("model.safetensors.index.json", Some(70_000)),
            ("LICENSE", Some(9_000)),
        ];
        assert_eq!(held(&repository), ["model-00001.safetensors", "model-00002.safetensors"]);
        assert_eq!(held(&[("model.json", Some(10)), ("scaler.json", Some(3))]), ["model.json"]);
        assert_eq!(held(&[("a.bin", None), ("b.bin", None), ("Config.JSON", None)]), ["a.bin", "b.bin"]);
        // A name does not hide what is larger than its kind.
        assert_eq!(held(&[("readme.md", Some(2 << 30)), ("stub.bin", Some(1))]), ["readme.md"]);
        assert!(held(&[("config.json", Some(5))]).is_empty());
    }
}

//! Files of models: what their headers say. Nothing is unpickled, unpacked or run.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::bytes::line;
use super::values;
use crate::error::{Failure, Result};
use crate::scan::{shown, unreadable};

mod gguf;
mod mlmodel;
mod onnx;
mod safetensors;

/// What the files of a model say of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Framework or format, with its version where that is told.
    pub(crate) framework: Option<String>,
    /// What else is told, by name.
    pub(crate) tags: Vec<(String, String)>,
    /// What people should know.
    pub(crate) warnings: Vec<String>,
}

/// Keys of notes that are facts of a model.
const NOTES: &[&str] = &[
    "format",
    "framework",
    "framework_version",
    "version",
    "producer",
    "producer_version",
    "license",
    "library_name",
    "architecture",
    "implementation",
    "model_type",
    "task",
    "dtype",
    "total_size",
    "total_parameters",
];

impl Facts {
    fn tag(&mut self, name: &str, value: &(impl ToString + ?Sized)) {
        self.tags.push((name.to_owned(), value.to_string()));
    }

    /// Notes somebody left in a header: those are told that are facts of a model, by their keys. Of the others, which may be anything and
    /// about anybody, only how many there are.
    fn notes<'n>(&mut self, format: &str, notes: impl Iterator<Item = (&'n str, &'n str)>) {
        let mut left = 0;
        for (name, value) in notes {
            let key = name.to_lowercase();
            let known = NOTES.contains(&key.rsplit('.').next().unwrap_or_default());
            match line(value).filter(|value| known && line(name).as_deref() == Some(name) && !values::holds(value)) {
                Some(value) if !values::is_value(&value) => self.tag(&format!("{format}.metadata.{name}"), &value),
                _ => left += 1,
            }
        }
        if left > 0 {
            self.warnings.push(format!(
                "{left} notes in the {format} header are not told: they are no facts of the model that are known here, and may be about people"
            ));
        }
    }

    /// Names that a file gives to what is in it, but for those that look like somebody's data.
    fn names(&mut self, tag: &str, names: &[&str]) {
        let (sound, hidden): (Vec<&str>, Vec<&str>) =
            names.iter().partition(|name| !values::is_value(name) && !values::holds(name));
        if let Some(names) = line(&sound.join(", ")) {
            self.tag(tag, &names);
        }
        if !hidden.is_empty() {
            self.warnings
                .push(format!("{} names in `{tag}` look like somebody's data, and are repeated nowhere", hidden.len()));
        }
    }

    /// With what another file says.
    pub(crate) fn join(&mut self, other: Self) {
        self.framework = self.framework.take().or(other.framework);
        for (name, value) in other.tags {
            if !self.tags.iter().any(|(known, _)| *known == name) {
                self.tags.push((name, value));
            }
        }
        self.warnings.extend(other.warnings);
    }
}

/// Forms of files of models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Tensors with a header in JSON.
    Safetensors,
    /// A graph as a protocol buffer.
    Onnx,
    /// Tensors and metadata of llama.cpp.
    Gguf,
    /// What MLflow writes beside a model.
    MlModel,
    /// What cannot be looked into without running or unpacking it, by name.
    Opaque(&'static str),
}

/// The form of a file: by its ending, else by its first bytes.
pub(crate) fn form(path: &Path) -> Option<Form> {
    if path.file_name().is_some_and(|name| name == "MLmodel") {
        return Some(Form::MlModel);
    }
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    match ending.as_str() {
        "safetensors" => return Some(Form::Safetensors),
        "onnx" => return Some(Form::Onnx),
        "gguf" => return Some(Form::Gguf),
        "pkl" | "pickle" | "cloudpickle" | "dill" => return Some(Form::Opaque("a pickle")),
        "joblib" => return Some(Form::Opaque("a pickle of joblib")),
        "pt" | "pth" | "ckpt" => return Some(Form::Opaque("a file of PyTorch, which holds a pickle")),
        "h5" | "hdf5" => return Some(Form::Opaque("HDF5")),
        "keras" => return Some(Form::Opaque("an archive of Keras")),
        "pb" => return Some(Form::Opaque("a graph of TensorFlow")),
        "tflite" => return Some(Form::Opaque("a model of TensorFlow Lite")),
        "npz" | "npy" => return Some(Form::Opaque("arrays of NumPy, which may hold a pickle")),
        "ubj" | "xgb" | "cbm" | "lgb" | "mar" | "skops" => return Some(Form::Opaque("a model in a format of its own")),
        _ => {}
    }
    let mut first = [0; 8];
    let read = File::open(path).and_then(|mut file| file.read(&mut first)).unwrap_or(0);
    match &first[..read] {
        [b'G', b'G', b'U', b'F', ..] => Some(Form::Gguf),
        [0x80, 2..=5, ..] => Some(Form::Opaque("a pickle")),
        // `pytorch_model.bin` is an archive with a pickle in it.
        [b'P', b'K', 3, 4, ..] if ending == "bin" => Some(Form::Opaque("a file of PyTorch, which holds a pickle")),
        [0x89, b'H', b'D', b'F', ..] => Some(Form::Opaque("HDF5")),
        _ => None,
    }
}

/// What a file says.
pub(crate) fn read(path: &Path, form: Form) -> Result<Facts> {
    let failed = |what: String| Failure::plain(format!("`{}`: {what}", shown(path)));
    let file = || File::open(path).map_err(|e| unreadable(path, &e));
    match form {
        Form::Safetensors => safetensors::read(file()?).map_err(failed),
        Form::Onnx => onnx::read(file()?).map_err(failed),
        Form::Gguf => gguf::read(file()?).map_err(failed),
        Form::MlModel => mlmodel::read(path),
        Form::Opaque(what) => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let pickle = if what.contains("pickle") { ": who opens it runs whatever it says" } else { "" };
            let warning = format!("`{name}` is {what}{pickle}; it was hashed and not looked into");
            Ok(Facts { warnings: vec![warning], ..Facts::default() })
        }
    }
}

//! Files of models: what their headers say. Nothing is unpickled, unpacked or run.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::bytes::line;
use super::values;
use crate::error::{Failure, Result};

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

impl Facts {
    fn tag(&mut self, name: &str, value: &(impl ToString + ?Sized)) {
        self.tags.push((name.to_owned(), value.to_string()));
    }

    /// A note somebody left in a header, but for whose it is: a registry keeps no names and addresses of people.
    fn note(&mut self, name: &str, value: &str) {
        let people = ["author", "creator", "contact", "maintainer", "owner", "mail", "user", "name_of"];
        let key = name.to_lowercase();
        if let (Some(_), Some(value)) = (line(name), line(value))
            && !people.iter().any(|word| key.contains(word))
            && !values::is_value(&value)
        {
            self.tag(name, &value);
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
    let failed = |what: String| Failure::plain(format!("`{}`: {what}", path.display()));
    let file = || File::open(path).map_err(|e| Failure::file("read", path, &e));
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

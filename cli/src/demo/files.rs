//! The files of the story, carried in the program: `licit demo` needs nothing beside it.

use std::fs;
use std::path::PathBuf;

use crate::error::{Failure, Result};

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        /// Every file with its path.
        const FILES: &[(&str, &[u8])] = &[$(($name, include_bytes!(concat!("../../../demo/", $name)))),*];
    };
}

files! {
    "README.md", "anes96.csv",
    "survey.csv", "features.csv", "households.csv", "scores.csv", "survey-religion.csv", "features-religion.csv",
    "vote-model/model.json", "vote-model/metrics.json",
    "vote-model-2/model.json", "vote-model-2/metrics.json",
    "vote-model-3/model.json", "vote-model-3/metrics.json",
    "party.yaml", "environment.yaml", "purpose-targeting.yaml", "purpose-research.yaml", "basis-research.yaml",
    "notice-survey.yaml",
    "system-targeting.yaml", "system-study.yaml", "deployment-targeting.yaml", "deployment-study.yaml",
    "licit.yaml", "licit-2.yaml", "licit-3.yaml",
}

/// Write them into a new directory that only its owner may enter: the database and tokens will stand there too.
pub(super) fn unpack() -> Result<PathBuf> {
    let home = std::env::temp_dir().join(format!("licit-demo-{}", uuid::Uuid::now_v7()));
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&home).map_err(|e| Failure::file("create", &home, &e))?;
    for (name, bytes) in FILES {
        let path = home.join(name);
        let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
        folder.and_then(|()| fs::write(&path, bytes)).map_err(|e| Failure::file("write", &path, &e))?;
    }
    Ok(home)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{self, assemble};
    use crate::{collection as c, source};

    #[test]
    fn every_document_of_the_demo_holds() {
        let home = unpack().unwrap();
        for (file, collection) in [
            ("party.yaml", &c::PARTIES),
            ("environment.yaml", &c::ENVIRONMENTS),
            ("purpose-targeting.yaml", &c::PURPOSES),
            ("purpose-research.yaml", &c::PURPOSES),
            ("notice-survey.yaml", &c::NOTICES),
            ("basis-research.yaml", &c::BASES),
            ("system-targeting.yaml", &c::SYSTEMS),
            ("system-study.yaml", &c::SYSTEMS),
            ("deployment-targeting.yaml", &c::DEPLOYMENTS),
            ("deployment-study.yaml", &c::DEPLOYMENTS),
        ] {
            let (value, source) = source::read(&home.join(file)).unwrap();
            (collection.check)(value).map_err(|faults| source.faults(faults)).unwrap();
        }
        for (file, counts) in [("licit.yaml", (4, 4)), ("licit-2.yaml", (0, 1)), ("licit-3.yaml", (2, 2))] {
            let assembled = assemble::assemble(&manifest::read(&home.join(file)).unwrap()).unwrap();
            let registration = &assembled.registration;
            assert_eq!((registration.dataset_versions.len(), registration.runs.len()), counts, "{file}");
            assert_eq!(assembled.warnings, Vec::<String>::new(), "{file}");
            // The same files again are the same runs.
            let again = assemble::assemble(&manifest::read(&home.join(file)).unwrap()).unwrap();
            assert_eq!(registration, &again.registration, "{file}");
        }
        fs::remove_dir_all(&home).unwrap();
    }
}

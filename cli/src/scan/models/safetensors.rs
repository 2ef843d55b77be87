//! Safetensors: eight bytes of length, a header in JSON, tensors. The crate of that name wants the whole file in memory; the header is
//! all that is read here.

use std::collections::BTreeMap;
use std::io::{BufReader, Read, Seek};

use serde::Deserialize;

use super::Facts;
use crate::scan::bytes::{Bytes, Told};

/// Bytes a header may have: those of the largest models published have less than two million.
const HEADER: u64 = 32 << 20;

#[derive(Deserialize)]
struct Tensor {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: [u64; 2],
}

#[derive(Deserialize)]
struct Header {
    #[serde(default, rename = "__metadata__")]
    metadata: BTreeMap<String, String>,
    #[serde(flatten)]
    tensors: BTreeMap<String, Tensor>,
}

/// Read it.
pub(super) fn read(file: impl Read + Seek) -> Told<Facts> {
    let mut bytes = Bytes::new(BufReader::new(file))?;
    let length = bytes.u64()?;
    if length > HEADER {
        return Err(format!("its header claims to have {length} bytes: {HEADER} are read at most"));
    }
    let header = bytes.take(length, HEADER)?;
    let header: Header =
        serde_json::from_slice(&header).map_err(|_| "its header is no JSON of this format".to_owned())?;
    let mut types: BTreeMap<&str, u64> = BTreeMap::new();
    let mut parameters: u64 = 0;
    for tensor in header.tensors.values() {
        let [begin, end] = tensor.data_offsets;
        if begin > end || end > bytes.left() {
            return Err("a tensor lies outside the file".to_owned());
        }
        parameters = parameters.saturating_add(tensor.shape.iter().fold(1_u64, |all, one| all.saturating_mul(*one)));
        *types.entry(&tensor.dtype).or_default() += 1;
    }
    let mut facts = Facts { framework: Some("safetensors".to_owned()), ..Facts::default() };
    facts.tag("safetensors.tensors", &header.tensors.len());
    facts.tag("safetensors.parameters", &parameters);
    facts.names("safetensors.types", &types.keys().copied().collect::<Vec<_>>());
    facts.notes("safetensors", header.metadata.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    Ok(facts)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn file(header: &str, data: usize) -> Vec<u8> {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend(std::iter::repeat_n(0, data));
        bytes
    }

    const GOOD: &str = r#"{"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b":{"dtype":"BF16","shape":[4],"data_offsets":[24,32]}}"#;

    #[test]
    fn the_header_is_told() {
        let facts = read(Cursor::new(file(GOOD, 32))).unwrap();
        let tag = |name: &str| facts.tags.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
        assert_eq!((tag("safetensors.tensors"), tag("safetensors.parameters")), (Some("2"), Some("10")));
        assert_eq!((tag("safetensors.types"), tag("safetensors.metadata.format")), (Some("BF16, F32"), Some("pt")));
    }

    #[test]
    fn notes_about_people_are_counted_and_not_told() {
        let notes = r#"{"__metadata__":{"format":"pt","license":"mit","modelspec.architecture":"bert","comment":"for Jane Doe","dataset":"patients of ward 3","version":"jane@example.com"}}"#;
        let facts = read(Cursor::new(file(notes, 0))).unwrap();
        let told: Vec<&str> =
            facts.tags.iter().map(|(name, _)| name.as_str()).filter(|name| name.contains("metadata")).collect();
        let kept = ["format", "license", "modelspec.architecture"].map(|key| format!("safetensors.metadata.{key}"));
        assert_eq!(told, kept);
        let all = format!("{facts:?}");
        assert!(!all.contains("Jane") && !all.contains("ward") && !all.contains("example.com"), "{all}");
        assert!(facts.warnings[0].starts_with("3 notes in the safetensors header"), "{all}");
    }

    #[test]
    fn claims_are_not_believed() {
        let told = |bytes: Vec<u8>| read(Cursor::new(bytes)).unwrap_err();
        assert!(told((100_u64 << 20).to_le_bytes().to_vec()).contains("header claims"));
        assert!(told((1_u64 << 60).to_le_bytes().to_vec()).contains("header claims"));
        assert!(told(1000_u64.to_le_bytes().to_vec()).contains("ends before"));
        assert!(told(file(GOOD, 31)).contains("outside"));
        assert!(told(file(&"[".repeat(100_000), 0)).contains("no JSON"));
        crate::scan::tests::flipped(&file(GOOD, 32), |bytes| drop(read(Cursor::new(bytes))));
    }
}

//! GGUF: a magic word, key and value pairs, what the tensors are. Every length in it is a claim of 64 bits.

use std::collections::BTreeMap;
use std::io::{BufReader, Read, Seek};

use super::Facts;
use crate::scan::bytes::{Bytes, Told};

/// Pairs, and tensors, that are read.
const MOST: u64 = 100_000;
/// Bytes of a key or a name of a tensor.
const KEY: u64 = 1 << 16;
/// Bytes of a text that is told; longer ones are passed over.
const TEXT: u64 = 1 << 12;
/// Elements of lists that are passed over in all: vocabularies have a few hundred thousand.
const ELEMENTS: u64 = 20_000_000;
/// Lists within lists.
const DEEPEST: usize = 4;

/// Keys worth telling, by their ends.
const TOLD: &[&str] = &[
    "general.architecture",
    "general.name",
    "general.basename",
    "general.size_label",
    "general.version",
    "general.license",
    "general.file_type",
    "general.quantization_version",
    "general.finetune",
    "general.base_model.0.name",
    ".context_length",
    ".embedding_length",
    ".block_count",
];

struct Reading<R> {
    bytes: Bytes<R>,
    elements: u64,
}

/// Read it.
pub(super) fn read(file: impl Read + Seek) -> Told<Facts> {
    let mut bytes = Bytes::new(BufReader::with_capacity(1 << 16, file))?;
    if bytes.array::<4>()? != *b"GGUF" {
        return Err("it does not begin as a GGUF file does".to_owned());
    }
    let version = bytes.u32()?;
    if !(2..=3).contains(&version) {
        return Err("its version of GGUF is neither 2 nor 3".to_owned());
    }
    let (tensors, pairs) = (bytes.u64()?, bytes.u64()?);
    if tensors > MOST || pairs > MOST {
        return Err(format!("it claims to have {tensors} tensors and {pairs} pairs: {MOST} are read at most"));
    }
    let mut reading = Reading { bytes, elements: ELEMENTS };
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    for _ in 0..pairs {
        let key = reading.text(KEY)?.ok_or("a key is too long")?;
        let kind = reading.bytes.u32()?;
        let value = reading.value(kind, 0)?;
        if let Some(value) =
            value.filter(|_| TOLD.iter().any(|told| key == *told || told.starts_with('.') && key.ends_with(told)))
        {
            known.insert(key, value);
        }
    }
    let mut parameters: u64 = 0;
    for _ in 0..tensors {
        reading.text(KEY)?;
        let dimensions = reading.bytes.u32()?;
        if dimensions > 8 {
            return Err("a tensor has more than 8 dimensions".to_owned());
        }
        let mut all: u64 = 1;
        for _ in 0..dimensions {
            all = all.saturating_mul(reading.bytes.u64()?);
        }
        parameters = parameters.saturating_add(all);
        reading.bytes.skip(12)?;
    }
    let mut facts = Facts { framework: Some(format!("GGUF {version}")), ..Facts::default() };
    facts.tag("gguf.tensors", &tensors);
    facts.tag("gguf.parameters", &parameters);
    for (key, value) in known {
        facts.names(&format!("gguf.{key}"), &[&value]);
    }
    Ok(facts)
}

impl<R: Read + Seek> Reading<R> {
    /// A text; none where it is longer than what is told.
    fn text(&mut self, most: u64) -> Told<Option<String>> {
        let length = self.bytes.u64()?;
        if length > most {
            self.bytes.skip(length)?;
            return Ok(None);
        }
        let bytes = self.bytes.take(length, most)?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// A value, where it is one that can be told; what cannot is passed over.
    fn value(&mut self, kind: u32, depth: usize) -> Told<Option<String>> {
        let told = match kind {
            0 => Some(self.bytes.array::<1>()?[0].to_string()),
            1 => Some(i8::from_le_bytes(self.bytes.array()?).to_string()),
            2 => Some(u16::from_le_bytes(self.bytes.array()?).to_string()),
            3 => Some(i16::from_le_bytes(self.bytes.array()?).to_string()),
            4 => Some(self.bytes.u32()?.to_string()),
            5 => Some(i32::from_le_bytes(self.bytes.array()?).to_string()),
            6 => Some(f32::from_le_bytes(self.bytes.array()?).to_string()),
            7 => Some((self.bytes.array::<1>()?[0] != 0).to_string()),
            8 => self.text(TEXT)?,
            9 => {
                self.list(depth)?;
                None
            }
            10 => Some(self.bytes.u64()?.to_string()),
            11 => Some(i64::from_le_bytes(self.bytes.array()?).to_string()),
            12 => Some(f64::from_le_bytes(self.bytes.array()?).to_string()),
            _ => return Err("a value has a type that GGUF does not know".to_owned()),
        };
        Ok(told)
    }

    /// Pass over a list.
    fn list(&mut self, depth: usize) -> Told<()> {
        let (kind, count) = (self.bytes.u32()?, self.bytes.u64()?);
        let each: Option<u64> = match kind {
            0 | 1 | 7 => Some(1),
            2 | 3 => Some(2),
            4..=6 => Some(4),
            10..=12 => Some(8),
            _ => None,
        };
        if let Some(each) = each {
            let all = count.checked_mul(each).ok_or("a list claims more elements than any file has")?;
            return self.bytes.skip(all);
        }
        if depth >= DEEPEST {
            return Err("lists lie too deep within one another".to_owned());
        }
        self.elements = self.elements.checked_sub(count).ok_or("its lists claim more elements than are read")?;
        for _ in 0..count {
            match kind {
                8 => {
                    let length = self.bytes.u64()?;
                    self.bytes.skip(length)?;
                }
                9 => self.list(depth + 1)?,
                _ => return Err("a list is of a type that GGUF does not know".to_owned()),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn text(text: &str) -> Vec<u8> {
        let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(text.as_bytes());
        bytes
    }

    fn good() -> Vec<u8> {
        let mut bytes = b"GGUF".to_vec();
        bytes.extend(3_u32.to_le_bytes());
        bytes.extend(1_u64.to_le_bytes());
        bytes.extend(4_u64.to_le_bytes());
        for (key, value) in [("general.architecture", "llama"), ("tokenizer.model", "bpe")] {
            bytes.extend(text(key));
            bytes.extend(8_u32.to_le_bytes());
            bytes.extend(text(value));
        }
        bytes.extend(text("llama.context_length"));
        bytes.extend(4_u32.to_le_bytes());
        bytes.extend(4096_u32.to_le_bytes());
        bytes.extend(text("tokenizer.tokens"));
        bytes.extend(9_u32.to_le_bytes());
        bytes.extend(8_u32.to_le_bytes());
        bytes.extend(2_u64.to_le_bytes());
        bytes.extend(text("a"));
        bytes.extend(text("b"));
        bytes.extend(text("token_embd.weight"));
        bytes.extend(2_u32.to_le_bytes());
        bytes.extend(8_u64.to_le_bytes());
        bytes.extend(4_u64.to_le_bytes());
        bytes.extend(0_u32.to_le_bytes());
        bytes.extend(0_u64.to_le_bytes());
        bytes
    }

    #[test]
    fn the_header_is_told() {
        let facts = read(Cursor::new(good())).unwrap();
        assert_eq!(facts.framework.as_deref(), Some("GGUF 3"));
        let tags: Vec<(&str, &str)> = facts.tags.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            tags,
            [
                ("gguf.tensors", "1"),
                ("gguf.parameters", "32"),
                ("gguf.general.architecture", "llama"),
                ("gguf.llama.context_length", "4096"),
            ]
        );
    }

    #[test]
    fn claims_are_not_believed() {
        let told = |change: fn(&mut Vec<u8>)| {
            let mut bytes = good();
            change(&mut bytes);
            read(Cursor::new(bytes)).unwrap_err()
        };
        // Tensors, pairs, the length of a key, each of 2^60.
        assert!(told(|bytes| bytes[8..16].copy_from_slice(&(1_u64 << 60).to_le_bytes())).contains("claims"));
        assert!(told(|bytes| bytes[16..24].copy_from_slice(&(1_u64 << 60).to_le_bytes())).contains("claims"));
        assert!(told(|bytes| bytes[24..32].copy_from_slice(&(1_u64 << 60).to_le_bytes())).contains("ends before"));
        assert!(told(|bytes| bytes[4] = 9).contains("version"));
        crate::scan::tests::flipped(&good(), |bytes| drop(read(Cursor::new(bytes))));
    }
}

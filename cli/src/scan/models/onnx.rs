//! ONNX: a protocol buffer, read field by field. The weights in it are passed over; no message is ever held whole.

use std::io::{BufReader, Read, Seek};

use super::Facts;
use crate::scan::bytes::{Bytes, Told, line};

/// Bytes of a text.
const TEXT: u64 = 1 << 14;
/// Fields that are read in all.
const FIELDS: u64 = 20_000_000;
/// Inputs, outputs, sets of operators, properties that are kept.
const MOST: usize = 200;

/// A field: its number, and what follows.
enum Field {
    Varint(u64),
    Bytes(u64),
    Fixed,
}

#[derive(Default)]
struct Model {
    producer: String,
    producer_version: String,
    domain: String,
    version: u64,
    ir: u64,
    graph: String,
    opsets: Vec<String>,
    properties: Vec<(String, String)>,
    inputs: Vec<String>,
    outputs: Vec<String>,
    initialisers: Vec<String>,
    nodes: u64,
    parameters: u64,
}

struct Reading<R> {
    bytes: Bytes<R>,
    fields: u64,
}

/// Read it.
pub(super) fn read(file: impl Read + Seek) -> Told<Facts> {
    let mut reading = Reading { bytes: Bytes::new(BufReader::with_capacity(1 << 16, file))?, fields: FIELDS };
    let mut model = Model::default();
    reading.model(&mut model)?;
    if model.ir == 0 {
        return Err("it is no model of ONNX: it says no version of the format".to_owned());
    }
    let producer = line(&format!("{} {}", model.producer, model.producer_version));
    let mut facts = Facts { framework: Some("ONNX".to_owned()), ..Facts::default() };
    facts.tag("onnx.ir_version", &model.ir);
    let texts =
        |all: &[&str]| all.iter().filter(|text| !text.is_empty()).copied().map(str::to_owned).collect::<Vec<_>>();
    for (tag, names) in [
        ("onnx.producer", producer.into_iter().collect()),
        ("onnx.domain", texts(&[&model.domain])),
        ("onnx.graph", texts(&[&model.graph])),
        ("onnx.opsets", model.opsets.clone()),
        // Before version 4 of the format, weights stood among the inputs.
        ("onnx.inputs", named(&model.inputs, &model.initialisers)),
        ("onnx.outputs", named(&model.outputs, &[])),
    ] {
        facts.names(tag, &names.iter().map(String::as_str).collect::<Vec<_>>());
    }
    if model.version > 0 {
        facts.tag("onnx.model_version", &model.version);
    }
    facts.tag("onnx.nodes", &model.nodes);
    facts.tag("onnx.parameters", &model.parameters);
    facts.notes("onnx", model.properties.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    Ok(facts)
}

fn named(all: &[String], but: &[String]) -> Vec<String> {
    all.iter().filter(|name| !but.contains(name)).cloned().collect()
}

fn push<T>(list: &mut Vec<T>, item: T) {
    if list.len() < MOST {
        list.push(item);
    }
}

impl<R: Read + Seek> Reading<R> {
    fn varint(&mut self) -> Told<u64> {
        let mut value: u64 = 0;
        for place in 0..10 {
            let [byte] = self.bytes.array::<1>()?;
            value |= u64::from(byte & 0x7f).checked_shl(7 * place).unwrap_or(0);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("a number has no end".to_owned())
    }

    /// The next field of a message that ends where so much is left.
    fn field(&mut self, end: u64) -> Told<Option<(u64, Field)>> {
        if self.bytes.left() == end {
            return Ok(None);
        }
        if self.bytes.left() < end {
            return Err("a part of it is longer than what it lies in".to_owned());
        }
        self.fields = self.fields.checked_sub(1).ok_or("it has more parts than are read")?;
        let tag = self.varint()?;
        let field = match tag & 7 {
            0 => Field::Varint(self.varint()?),
            1 => {
                self.bytes.skip(8)?;
                Field::Fixed
            }
            2 => {
                let length = self.varint()?;
                if length > self.bytes.left().saturating_sub(end) {
                    return Err("a part of it is longer than what it lies in".to_owned());
                }
                Field::Bytes(length)
            }
            5 => {
                self.bytes.skip(4)?;
                Field::Fixed
            }
            _ => return Err("it is no protocol buffer".to_owned()),
        };
        Ok(Some((tag >> 3, field)))
    }

    /// Every field of a message of so many bytes; what the function does not read is passed over.
    fn each(&mut self, length: u64, mut see: impl FnMut(&mut Self, u64, &Field) -> Told<()>) -> Told<()> {
        let end = self.bytes.left().saturating_sub(length);
        while let Some((number, field)) = self.field(end)? {
            let before = self.bytes.left();
            see(self, number, &field)?;
            if let Field::Bytes(length) = field {
                let read = before - self.bytes.left();
                self.bytes.skip(length.checked_sub(read).ok_or("a part of it is longer than what it lies in")?)?;
            }
        }
        Ok(())
    }

    fn text(&mut self, field: &Field) -> Told<String> {
        match field {
            Field::Bytes(length) => {
                let bytes = self.bytes.take((*length).min(TEXT), TEXT)?;
                Ok(String::from_utf8_lossy(&bytes).into_owned())
            }
            _ => Ok(String::new()),
        }
    }

    fn model(&mut self, model: &mut Model) -> Told<()> {
        let all = self.bytes.left();
        self.each(all, |reading, number, field| {
            match (number, field) {
                (1, Field::Varint(version)) => model.ir = *version,
                (2, _) => model.producer = reading.text(field)?,
                (3, _) => model.producer_version = reading.text(field)?,
                (4, _) => model.domain = reading.text(field)?,
                (5, Field::Varint(version)) => model.version = *version,
                (7, Field::Bytes(length)) => reading.graph(*length, model)?,
                (8, Field::Bytes(length)) => {
                    let (mut domain, mut version) = (String::new(), 0);
                    reading.each(*length, |reading, number, field| {
                        match (number, field) {
                            (1, _) => domain = reading.text(field)?,
                            (2, Field::Varint(stated)) => version = *stated,
                            _ => {}
                        }
                        Ok(())
                    })?;
                    let domain = if domain.is_empty() { "ai.onnx".to_owned() } else { domain };
                    push(&mut model.opsets, format!("{domain} {version}"));
                }
                (14, Field::Bytes(length)) => {
                    let (mut key, mut value) = (String::new(), String::new());
                    reading.each(*length, |reading, number, field| {
                        match number {
                            1 => key = reading.text(field)?,
                            2 => value = reading.text(field)?,
                            _ => {}
                        }
                        Ok(())
                    })?;
                    push(&mut model.properties, (key, value));
                }
                _ => {}
            }
            Ok(())
        })
    }

    fn graph(&mut self, length: u64, model: &mut Model) -> Told<()> {
        self.each(length, |reading, number, field| {
            match (number, field) {
                (1, _) => model.nodes += 1,
                (2, _) => model.graph = reading.text(field)?,
                (5, Field::Bytes(length)) => {
                    let (name, size) = reading.tensor(*length)?;
                    push(&mut model.initialisers, name);
                    model.parameters = model.parameters.saturating_add(size);
                }
                (11, Field::Bytes(length)) => push(&mut model.inputs, reading.name(*length)?),
                (12, Field::Bytes(length)) => push(&mut model.outputs, reading.name(*length)?),
                _ => {}
            }
            Ok(())
        })
    }

    /// The name of an input or output.
    fn name(&mut self, length: u64) -> Told<String> {
        let mut name = String::new();
        self.each(length, |reading, number, field| {
            if number == 1 {
                name = reading.text(field)?;
            }
            Ok(())
        })?;
        Ok(name)
    }

    /// Name and size of a tensor.
    fn tensor(&mut self, length: u64) -> Told<(String, u64)> {
        let (mut name, mut size) = (String::new(), 1_u64);
        self.each(length, |reading, number, field| {
            match (number, field) {
                (1, Field::Varint(dimension)) => size = size.saturating_mul(*dimension),
                (1, Field::Bytes(length)) => {
                    let end = reading.bytes.left().saturating_sub(*length);
                    while reading.bytes.left() > end {
                        size = size.saturating_mul(reading.varint()?);
                    }
                }
                (8, _) => name = reading.text(field)?,
                _ => {}
            }
            Ok(())
        })?;
        Ok((name, size))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn part(number: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![number << 3 | 2];
        let mut length = content.len();
        while length > 127 {
            bytes.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
            length >>= 7;
        }
        bytes.push(u8::try_from(length).unwrap());
        bytes.extend_from_slice(content);
        bytes
    }

    fn good() -> Vec<u8> {
        let tensor = [vec![0x08, 4, 0x08, 3], part(8, b"w"), part(9, &[0; 48])].concat();
        let graph = [
            part(1, b""),
            part(2, b"main"),
            part(5, &tensor),
            part(11, &part(1, b"x")),
            part(11, &part(1, b"w")),
            part(11, &part(1, b"jane@example.com")),
            part(12, &part(1, b"y")),
        ];
        let opset = [0x10, 17];
        let property = [part(1, b"task"), part(2, b"scoring")].concat();
        let author = [part(1, b"author"), part(2, b"Jane Doe")].concat();
        [
            vec![0x08, 8],
            part(2, b"skl2onnx"),
            part(3, b"1.17"),
            part(7, &graph.concat()),
            part(8, &opset),
            part(14, &property),
            part(14, &author),
        ]
        .concat()
    }

    #[test]
    fn the_graph_is_told() {
        let facts = read(Cursor::new(good())).unwrap();
        let tag = |name: &str| facts.tags.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
        for (name, value) in [
            ("onnx.ir_version", "8"),
            ("onnx.producer", "skl2onnx 1.17"),
            ("onnx.graph", "main"),
            ("onnx.opsets", "ai.onnx 17"),
            ("onnx.inputs", "x"),
            ("onnx.outputs", "y"),
            ("onnx.nodes", "1"),
            ("onnx.parameters", "12"),
            ("onnx.metadata.task", "scoring"),
        ] {
            assert_eq!(tag(name), Some(value), "{name}: {:?}", facts.tags);
        }
        assert!(!format!("{facts:?}").contains("Jane") && !format!("{facts:?}").contains("jane"), "{facts:?}");
        assert!(facts.warnings[0].contains("1 names in `onnx.inputs` look like somebody's data"), "{facts:?}");
        assert!(facts.warnings[1].contains("1 notes in the onnx header"), "{facts:?}");
    }

    #[test]
    fn claims_are_not_believed() {
        let told = |bytes: &[u8]| read(Cursor::new(bytes.to_vec())).unwrap_err();
        assert!(told(b"").contains("no model"));
        assert!(told(&[0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]).contains("longer"));
        assert!(told(&[0xff; 32]).contains("no end"));
        crate::scan::tests::flipped(&good(), |bytes| drop(read(Cursor::new(bytes))));
    }
}

//! YAML as JSON with places: what people write by hand, read strictly.
//!
//! The subset that means the same everywhere: one document, string keys, no anchors, aliases or tags (an alias can make a small
//! file a huge one), no key twice, scalars by the core schema of YAML 1.2 (`yes` is a text, `2026-11-23` too).

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput};
use serde_json::{Map, Number, Value};

/// Nodes of a document at most.
const MAX_NODES: usize = 200_000;
/// Lists and mappings inside one another at most.
const MAX_DEPTH: usize = 64;

/// Line and column, both from 1.
pub(crate) type Place = (usize, usize);

/// A document and where everything in it stands, by JSON pointer.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// The content.
    pub(crate) value: Value,
    /// Place of each node: for a member of a mapping, of its key.
    pub(crate) places: BTreeMap<String, Place>,
}

/// What is wrong with a text, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct YamlFault {
    /// Where.
    pub(crate) place: Place,
    /// The sentence.
    pub(crate) problem: String,
}

type Read<T> = Result<T, YamlFault>;

/// Read a document. The first fault of the syntax ends it.
pub(crate) fn parse(text: &str) -> Read<Parsed> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader { parser: Parser::new_from_str(text), nodes: 0, places: BTreeMap::new() };
    let mut value = None;
    loop {
        let (event, span) = reader.next()?;
        match event {
            Event::StreamEnd => break,
            Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
            _ if value.is_some() => return Err(fault(&span, "a second document; put it into a file of its own")),
            event => {
                reader.places.insert(String::new(), place(&span));
                value = Some(reader.node(event, &span, "", 0)?);
            }
        }
    }
    Ok(Parsed { value: value.unwrap_or(Value::Null), places: reader.places })
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    nodes: usize,
    places: BTreeMap<String, Place>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Read<(Event<'a>, Span)> {
        match self.parser.next_event() {
            Some(Ok(next)) => Ok(next),
            Some(Err(e)) => {
                let place = (e.marker().line(), e.marker().col() + 1);
                Err(YamlFault { place, problem: format!("not YAML: {}", e.info()) })
            }
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn node(&mut self, event: Event<'a>, span: &Span, pointer: &str, depth: usize) -> Read<Value> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(fault(span, format!("more than {MAX_NODES} values in one document")));
        }
        if depth > MAX_DEPTH {
            return Err(fault(span, format!("lists and mappings nested deeper than {MAX_DEPTH}")));
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                plain_node(span, anchor, tag.is_some())?;
                scalar(&text, style).map_err(|problem| fault(span, problem))
            }
            Event::SequenceStart(anchor, tag) => {
                plain_node(span, anchor, tag.is_some())?;
                self.sequence(pointer, depth)
            }
            Event::MappingStart(anchor, tag) => {
                plain_node(span, anchor, tag.is_some())?;
                self.mapping(pointer, depth)
            }
            Event::Alias(_) => Err(fault(span, "an alias (`*`); write the value out")),
            _ => Err(fault(span, "a value is missing")),
        }
    }

    fn sequence(&mut self, pointer: &str, depth: usize) -> Read<Value> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                return Ok(Value::Array(items));
            }
            let at = format!("{pointer}/{}", items.len());
            self.places.insert(at.clone(), place(&span));
            items.push(self.node(event, &span, &at, depth + 1)?);
        }
    }

    fn mapping(&mut self, pointer: &str, depth: usize) -> Read<Value> {
        let mut members = Map::new();
        loop {
            let (event, span) = self.next()?;
            let key = match event {
                Event::MappingEnd => return Ok(Value::Object(members)),
                Event::Scalar(key, _, anchor, tag) => {
                    plain_node(&span, anchor, tag.is_some())?;
                    key.into_owned()
                }
                _ => return Err(fault(&span, "a key that is not a text")),
            };
            nul(&key).map_err(|problem| fault(&span, problem))?;
            let at = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
            if members.contains_key(&key) {
                return Err(fault(&span, format!("the key `{key}` stands here twice")));
            }
            self.places.insert(at.clone(), place(&span));
            let (event, span) = self.next()?;
            let value = self.node(event, &span, &at, depth + 1)?;
            members.insert(key, value);
        }
    }
}

fn place(span: &Span) -> Place {
    (span.start.line(), span.start.col() + 1)
}

fn fault(span: &Span, problem: impl Into<String>) -> YamlFault {
    YamlFault { place: place(span), problem: problem.into() }
}

fn plain_node(span: &Span, anchor: usize, tagged: bool) -> Read<()> {
    if anchor > 0 {
        return Err(fault(span, "an anchor (`&`); anchors and aliases are not read here"));
    }
    if tagged {
        return Err(fault(span, "a tag (`!`); put a text into quotes instead"));
    }
    Ok(())
}

fn nul(text: &str) -> Result<(), &'static str> {
    if text.contains('\0') { Err("a NUL character, which no database can hold") } else { Ok(()) }
}

/// A scalar by the core schema; what is quoted is a text.
fn scalar(text: &str, style: ScalarStyle) -> Result<Value, String> {
    nul(text)?;
    if style != ScalarStyle::Plain {
        return Ok(Value::String(text.to_owned()));
    }
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text)?.map_or_else(|| Value::String(text.to_owned()), Value::Number),
    })
}

fn number(text: &str) -> Result<Option<Number>, String> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if digits(unsigned) {
        let whole = text.strip_prefix('+').unwrap_or(text).parse::<i64>();
        let whole = whole.map_err(|_| format!("the number `{text}` is too large; a text stands in quotes"))?;
        return Ok(Some(whole.into()));
    }
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).map_or((unsigned, None), |(m, e)| (m, Some(e)));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mantissa_holds =
        !(whole.is_empty() && fraction.is_empty()) && whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit());
    let exponent_holds = exponent.is_none_or(|e| digits(e.strip_prefix(['-', '+']).unwrap_or(e)));
    if mantissa_holds && exponent_holds {
        let value = text.parse::<f64>().ok().and_then(Number::from_f64);
        return value.map(Some).ok_or_else(|| format!("the number `{text}` is too large"));
    }
    match unsigned {
        ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN" => Err(format!("`{text}` is not a number JSON can hold")),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_document_reads_as_json_with_places() {
        let text = "# note\ndatasets:\n  - name: a/b\n    version: \"1.10\"\n    rows: 12\n  - {x~y: [1.5, yes, ~, 2026-11-23]}\n";
        let parsed = parse(text).unwrap();
        assert_eq!(
            parsed.value,
            json!({"datasets": [{"name": "a/b", "version": "1.10", "rows": 12}, {"x~y": [1.5, "yes", null, "2026-11-23"]}]})
        );
        assert_eq!(parsed.places["/datasets"], (2, 1));
        assert_eq!(parsed.places["/datasets/0"], (3, 5));
        assert_eq!(parsed.places["/datasets/0/rows"], (5, 5));
        assert_eq!(parsed.places["/datasets/1/x~0y/1"], (6, 17));
        assert_eq!(parse("").unwrap().value, Value::Null);
        assert_eq!(parse("\u{feff}{\"a\": [1, -2]}").unwrap().value, json!({"a": [1, -2]}));
    }

    #[test]
    fn what_is_not_read_is_named_with_its_place() {
        for (text, place, problem) in [
            ("a: 1\nb: 2\na: 3\n", (3, 1), "the key `a` stands here twice"),
            ("a: &x 1\nb: *x\n", (1, 7), "an anchor"),
            ("a: !!str 1\n", (1, 10), "a tag"),
            ("a: 1\n---\nb: 2\n", (3, 1), "a second document"),
            ("a: \"x\\0y\"\n", (1, 4), "a NUL character"),
            ("? [1]\n: 2\n", (1, 3), "a key that is not a text"),
            ("a: 99999999999999999999\n", (1, 4), "too large"),
            ("a: .nan\n", (1, 4), "not a number JSON can hold"),
            ("a: [1,\nb: }\n", (2, 1), "not YAML"),
        ] {
            let fault = parse(text).unwrap_err();
            assert!(fault.problem.contains(problem), "{text}: {fault:?}");
            assert_eq!(fault.place.0, place.0, "{text}: {fault:?}");
        }
        let deep = format!("{}1{}", "[".repeat(80), "]".repeat(80));
        assert!(parse(&deep).unwrap_err().problem.contains("nested deeper"));
        let many = format!("[{}]", "1,".repeat(MAX_NODES + 1));
        assert!(parse(&many).unwrap_err().problem.contains("more than"));
    }
}

//! The search grammar: comparisons joined by `AND`, nothing else. What can be asked of differs by what is searched.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use licit_schemas::text::VersionId;

use super::fault;
use super::pattern::{LONGEST as PATTERN, like};
use crate::error::Result;

/// Characters of a filter.
const LONGEST: usize = 20_000;
/// Comparisons in it.
const MOST: usize = 100;
/// The greatest offset that a page begins at: what lies beyond was never given out.
const FARTHEST: u64 = 1 << 53;
/// What is told of a text without quotes.
const UNQUOTED: &str = "Parameter value is either not quoted or unidentified quote types used for string value. Use either single or double quotes.";

/// What a comparison is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Of {
    /// Something that each thing has.
    Attribute(String),
    /// A tag.
    Tag(String),
    /// A parameter.
    Param(String),
    /// A figure.
    Metric(String),
}

/// How it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of SQL")]
pub enum By {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
    Like,
    Ilike,
    In,
    NotIn,
    IsNull,
    IsNotNull,
}

impl By {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
            Self::Like => "LIKE",
            Self::Ilike => "ILIKE",
            Self::In => "IN",
            Self::NotIn => "NOT IN",
            Self::IsNull => "IS NULL",
            Self::IsNotNull => "IS NOT NULL",
        }
    }

    /// Whether it compares figures.
    pub fn is_numeric(self) -> bool {
        matches!(self, Self::Equal | Self::Unequal | Self::Less | Self::AtMost | Self::Greater | Self::AtLeast)
    }

    fn is_textual(self) -> bool {
        matches!(self, Self::Equal | Self::Unequal | Self::Like | Self::Ilike)
    }
}

/// With what.
#[derive(Clone, Debug, PartialEq)]
pub enum With {
    /// A text in quotes.
    Text(String),
    /// A figure.
    Figure(f64),
    /// One of several texts.
    Any(Vec<String>),
    /// Nothing.
    Nothing,
}

/// A comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// What is compared.
    pub of: Of,
    /// How.
    pub by: By,
    /// With what.
    pub with: With,
}

impl Comparison {
    /// Whether a text passes; what there is none of is unequal to all.
    pub fn text(&self, own: Option<&str>) -> bool {
        match (self.by, &self.with, own) {
            (By::IsNull, _, own) => own.is_none(),
            (By::IsNotNull, _, own) => own.is_some(),
            (By::Unequal, With::Text(text), own) => own != Some(text),
            (By::NotIn, With::Any(list), own) => own.is_none_or(|own| !list.iter().any(|text| text == own)),
            (_, _, None) => false,
            (By::Equal, With::Text(text), Some(own)) => own == text,
            (By::In, With::Any(list), Some(own)) => list.iter().any(|text| text == own),
            (By::Like, With::Text(text), Some(own)) => like(text, own),
            (By::Ilike, With::Text(text), Some(own)) => like(&text.to_lowercase(), &own.to_lowercase()),
            _ => false,
        }
    }

    /// Whether a figure passes.
    pub fn figure(&self, own: Option<f64>) -> bool {
        match (self.by, &self.with, own) {
            (By::IsNull, _, own) => own.is_none(),
            (By::IsNotNull, _, own) => own.is_some(),
            (by, With::Figure(figure), Some(own)) => match by {
                By::Equal => own == *figure,
                By::Unequal => own != *figure,
                By::Less => own < *figure,
                By::AtMost => own <= *figure,
                By::Greater => own > *figure,
                By::AtLeast => own >= *figure,
                _ => false,
            },
            _ => false,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    /// In backticks or double quotes after a dot: part of a key.
    Quoted(String),
    Text(String),
    Figure(f64),
    Sign(&'static str),
}

fn syntax(filter: &str) -> crate::error::Error {
    let shown: String = filter.chars().filter(|c| !c.is_control()).take(200).collect();
    fault::parameter(format!("Invalid clause(s) in filter string: '{shown}'"))
}

fn tokens(filter: &str) -> Result<Vec<Token>> {
    let text: Vec<char> = filter.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(&c) = text.get(at) {
        match c {
            c if c.is_whitespace() => at += 1,
            '\'' | '"' | '`' => {
                let end = text[at + 1..].iter().position(|other| *other == c).ok_or_else(|| syntax(filter))? + at + 1;
                let inner: String = text[at + 1..end].iter().collect();
                let key = c == '`' || (c == '"' && matches!(found.last(), Some(Token::Sign("."))));
                found.push(if key { Token::Quoted(inner) } else { Token::Text(inner) });
                at = end + 1;
            }
            '.' | ',' | '(' | ')' | '=' | ';' => {
                let sign = match c {
                    '.' => ".",
                    ',' => ",",
                    '(' => "(",
                    ')' => ")",
                    ';' => ";",
                    _ => "=",
                };
                at += 1;
                if c == '=' && text.get(at) == Some(&'=') {
                    return Err(syntax(filter));
                }
                found.push(Token::Sign(sign));
            }
            '!' | '<' | '>' => {
                let next = text.get(at + 1).copied();
                let (sign, length) = match (c, next) {
                    ('!', Some('=')) | ('<', Some('>')) => ("!=", 2),
                    ('<', Some('=')) => ("<=", 2),
                    ('>', Some('=')) => (">=", 2),
                    ('<', _) => ("<", 1),
                    ('>', _) => (">", 1),
                    _ => return Err(syntax(filter)),
                };
                found.push(Token::Sign(sign));
                at += length;
            }
            c if c.is_ascii_digit()
                || (matches!(c, '-' | '+') && text.get(at + 1).is_some_and(char::is_ascii_digit)) =>
            {
                let inside = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+' | '_');
                let length = text[at + 1..].iter().take_while(|c| inside(c)).count() + 1;
                let word: String = text[at..at + length].iter().collect();
                found.push(match word.parse() {
                    Ok(figure) => Token::Figure(figure),
                    Err(_) => Token::Word(word),
                });
                at += length;
            }
            c if c.is_alphanumeric() || c == '_' => {
                let inside = |c: &char| c.is_alphanumeric() || matches!(c, '_' | '-' | '/');
                let length = text[at..].iter().take_while(|c| inside(c)).count();
                found.push(Token::Word(text[at..at + length].iter().collect()));
                at += length;
            }
            _ => return Err(syntax(filter)),
        }
    }
    Ok(found)
}

/// The comparisons of a filter, all of which must hold.
///
/// # Errors
/// Anything that is no such filter.
pub fn parse(filter: &str) -> Result<Vec<Comparison>> {
    if filter.len() > LONGEST {
        return Err(fault::parameter(format!("The filter string may have {LONGEST} characters")));
    }
    let mut rest = tokens(filter)?.into_iter().peekable();
    let mut found = Vec::new();
    while rest.peek().is_some() {
        if !found.is_empty() {
            match rest.next() {
                Some(Token::Word(word)) if word.eq_ignore_ascii_case("and") => {}
                _ => return Err(syntax(filter)),
            }
        }
        let one = comparison(filter, &mut rest)?;
        if let (By::Like | By::Ilike, With::Text(pattern)) = (one.by, &one.with)
            && pattern.chars().count() > PATTERN
        {
            let by = one.by.as_str();
            return Err(fault::parameter(format!(
                "A pattern of {by} in a filter string may have {PATTERN} characters"
            )));
        }
        found.push(one);
        if found.len() > MOST {
            return Err(fault::parameter(format!("A filter string may have {MOST} comparisons")));
        }
    }
    Ok(found)
}

type Rest = std::iter::Peekable<std::vec::IntoIter<Token>>;

fn comparison(filter: &str, rest: &mut Rest) -> Result<Comparison> {
    let wrong = || syntax(filter);
    let first = match rest.next() {
        Some(Token::Word(word) | Token::Quoted(word)) => word,
        _ => return Err(wrong()),
    };
    let mut key: Option<String> = None;
    while rest.peek() == Some(&Token::Sign(".")) {
        rest.next();
        let part = match rest.next() {
            Some(Token::Word(word) | Token::Quoted(word)) => word,
            Some(Token::Figure(figure)) => figure.to_string(),
            _ => return Err(wrong()),
        };
        key = Some(key.map_or(part.clone(), |before| format!("{before}.{part}")));
    }
    let of = match (first.to_lowercase().as_str(), key) {
        (_, None) => Of::Attribute(first),
        ("tag" | "tags", Some(key)) => Of::Tag(key),
        ("param" | "params" | "parameter" | "parameters", Some(key)) => Of::Param(key),
        ("metric" | "metrics", Some(key)) => Of::Metric(key),
        ("attribute" | "attributes" | "attr" | "run", Some(key)) => Of::Attribute(key),
        _ => {
            let shown: String = first.chars().take(100).collect();
            return Err(fault::parameter(format!(
                "Invalid entity type '{shown}'. Valid values are ['attribute', 'tag', 'metric', 'parameter']"
            )));
        }
    };
    let by = by(rest).ok_or_else(wrong)?;
    let with = match by {
        By::IsNull | By::IsNotNull => With::Nothing,
        By::In | By::NotIn => With::Any(several(rest).ok_or_else(wrong)?),
        _ => match rest.next() {
            Some(Token::Text(text)) => With::Text(text),
            Some(Token::Figure(figure)) => With::Figure(figure),
            Some(Token::Word(_) | Token::Quoted(_)) => {
                return Err(fault::parameter(UNQUOTED));
            }
            _ => return Err(wrong()),
        },
    };
    Ok(Comparison { of, by, with })
}

fn by(rest: &mut Rest) -> Option<By> {
    let word = match rest.next()? {
        Token::Sign(sign) => {
            return Some(match sign {
                "=" => By::Equal,
                "!=" => By::Unequal,
                "<" => By::Less,
                "<=" => By::AtMost,
                ">" => By::Greater,
                ">=" => By::AtLeast,
                _ => return None,
            });
        }
        Token::Word(word) => word.to_lowercase(),
        _ => return None,
    };
    let mut next = || match rest.next() {
        Some(Token::Word(word)) => Some(word.to_lowercase()),
        _ => None,
    };
    match word.as_str() {
        "like" => Some(By::Like),
        "ilike" => Some(By::Ilike),
        "in" => Some(By::In),
        "not" => (next()? == "in").then_some(By::NotIn),
        "is" => match next()?.as_str() {
            "null" => Some(By::IsNull),
            "not" => (next()? == "null").then_some(By::IsNotNull),
            _ => None,
        },
        _ => None,
    }
}

fn several(rest: &mut Rest) -> Option<Vec<String>> {
    if rest.next()? != Token::Sign("(") {
        return None;
    }
    let mut list = Vec::new();
    loop {
        match rest.next()? {
            Token::Text(text) => list.push(text),
            _ => return None,
        }
        match rest.next()? {
            Token::Sign(",") => {}
            Token::Sign(")") => return Some(list),
            _ => return None,
        }
    }
}

/// Hold the comparisons of a search against what can be asked there.
///
/// # Errors
/// An attribute there is none of, a comparison it does not take.
pub fn checked(filter: &str, texts: &[&str], sets: &[&str], figures: &[&str]) -> Result<Vec<Comparison>> {
    let found = parse(filter)?;
    for comparison in &found {
        let by = comparison.by;
        match &comparison.of {
            Of::Attribute(key) => {
                let within = |list: &[&str]| list.contains(&key.as_str());
                if !within(texts) && !within(figures) {
                    return Err(attribute(key, &[texts, figures].concat()));
                }
                let fits = match within(figures) {
                    true => by.is_numeric() && matches!(comparison.with, With::Figure(_)),
                    false if within(sets) && by == By::In => true,
                    false => by.is_textual() && matches!(comparison.with, With::Text(_)),
                };
                if !fits {
                    return Err(comparator("attribute", by, &comparison.with));
                }
            }
            Of::Tag(_) => {
                let null = matches!(by, By::IsNull | By::IsNotNull);
                if !null && (!by.is_textual() || !matches!(comparison.with, With::Text(_))) {
                    return Err(comparator("tag", by, &comparison.with));
                }
            }
            Of::Param(key) | Of::Metric(key) => {
                let shown: String = key.chars().take(100).collect();
                return Err(attribute(&shown, &[texts, figures].concat()));
            }
        }
    }
    Ok(found)
}

fn comparator(what: &str, by: By, with: &With) -> crate::error::Error {
    if matches!(by, By::Equal | By::Unequal) && matches!(with, With::Figure(_)) {
        return fault::parameter(UNQUOTED);
    }
    fault::parameter(format!("Invalid comparator for {what}: {}", by.as_str()))
}

fn attribute(key: &str, known: &[&str]) -> crate::error::Error {
    let known: Vec<String> = known.iter().map(|name| format!("'{name}'")).collect();
    let key: String = key.chars().take(100).collect();
    fault::parameter(format!("Invalid attribute key '{key}' specified. Valid keys are '{{{}}}'", known.join(", ")))
}

/// An order: a key, and whether it goes up.
pub type Order = (String, bool);

/// What a search is ordered by.
///
/// # Errors
/// A key there is none of, or a clause that is none.
pub fn orders(clauses: &[String], known: &[&str]) -> Result<Vec<Order>> {
    clauses
        .iter()
        .map(|clause| {
            let words: Vec<&str> = clause.split_whitespace().collect();
            let (key, up) = match words[..] {
                [key] => (key, true),
                [key, way] if way.eq_ignore_ascii_case("asc") => (key, true),
                [key, way] if way.eq_ignore_ascii_case("desc") => (key, false),
                _ => {
                    let shown: String = clause.chars().filter(|c| !c.is_control()).take(100).collect();
                    return Err(fault::parameter(format!("Invalid order_by clause '{shown}'.")));
                }
            };
            let key = key.trim_matches(['`', '"']);
            let key = key.strip_prefix("attribute.").or_else(|| key.strip_prefix("attributes.")).unwrap_or(key);
            if known.contains(&key) || key.contains('.') && known.contains(&"*") {
                return Ok((key.to_owned(), up));
            }
            let shown: String = key.chars().filter(|c| !c.is_control()).take(100).collect();
            let known: Vec<String> =
                known.iter().filter(|name| **name != "*").map(|name| format!("'{name}'")).collect();
            Err(fault::parameter(format!(
                "Invalid order by key '{shown}' specified. Valid keys are {{{}}}",
                known.join(", ")
            )))
        })
        .collect()
}

/// Where a figure stands among all that a run brought: the position in the ledger of what brought it, and its place therein.
pub type Place = (i64, u32);

/// What a token of ours says.
fn told(token: Option<&str>) -> Result<Option<serde_json::Value>> {
    let Some(token) = token.filter(|token| !token.is_empty()) else { return Ok(None) };
    let bytes = STANDARD.decode(token).ok();
    let read = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    read.map(Some).ok_or_else(foreign)
}

/// A token that nobody got from here.
fn foreign() -> crate::error::Error {
    fault::parameter("Invalid page token, could not base64-decode: send the one that the page before gave")
}

/// Where a page begins: after so many.
///
/// # Errors
/// A token that is none of ours.
pub fn offset(token: Option<&str>) -> Result<usize> {
    let Some(value) = told(token)? else { return Ok(0) };
    let read = value.get("offset").and_then(serde_json::Value::as_u64).filter(|offset| *offset <= FARTHEST);
    read.and_then(|offset| usize::try_from(offset).ok()).ok_or_else(foreign)
}

/// The token of the page after so many.
pub fn token(offset: usize) -> String {
    STANDARD.encode(format!("{{\"offset\": {offset}}}"))
}

/// Where a page of figures begins: with this one.
///
/// # Errors
/// A token that is none of ours.
pub fn place(token: Option<&str>) -> Result<Option<Place>> {
    let Some(value) = told(token)? else { return Ok(None) };
    let from = value.get("from").cloned().ok_or_else(foreign)?;
    serde_json::from_value(from).map(Some).map_err(|_| foreign())
}

/// The token of the page that begins with this figure.
pub fn token_from(place: Place) -> String {
    STANDARD.encode(serde_json::json!({"from": place}).to_string())
}

/// A version as the protocol numbers them.
///
/// # Errors
/// No number.
pub fn number(text: &str) -> Result<u32> {
    let shown: String = text.chars().filter(|c| !c.is_control()).take(100).collect();
    let read = text
        .parse::<i64>()
        .map_err(|_| fault::parameter(format!("Parameter 'version' must be an integer, got '{shown}'.")))?;
    // What no version can have, none has.
    Ok(u32::try_from(read).unwrap_or(0))
}

/// A number as the registry's version.
pub fn version(number: u32) -> Option<VersionId> {
    number.to_string().parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_filters_of_real_clients_are_read() {
        let read = parse("name LIKE 'reg-%' AND tag.`mlflow.prompt.is_prompt` != 'true'").unwrap();
        assert_eq!(read[1].of, Of::Tag("mlflow.prompt.is_prompt".to_owned()));
        assert!(read[1].text(None) && !read[1].text(Some("true")) && read[0].text(Some("reg-1")));
        assert!(parse("tags.owner = 'risk' and name ilike \"REG%\"").unwrap()[1].text(Some("register")));
        assert_eq!(parse("run_id IN ('a','b')").unwrap()[0].with, With::Any(vec!["a".into(), "b".into()]));
        assert!(parse("version_number >= 1").unwrap()[0].figure(Some(1.0)));
        assert!(parse("metrics.a/b > -0.5e1 AND params.C = '1.0'").unwrap()[0].figure(Some(0.0)));
        assert!(parse("").unwrap().is_empty());
        for bad in [
            "name",
            "name =",
            "name = 'a' OR name = 'b'",
            "= 'a'",
            "name = 'a",
            "(name = 'a')",
            "name = 'a' AND",
            "a.b.c = 'x'",
            "name == 'a'",
            "run_id IN ()",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        let told = |e: crate::error::Error| e.to_string();
        assert_eq!(
            told(checked("bogus = 'x'", &["name"], &[], &[]).unwrap_err()),
            "Invalid attribute key 'bogus' specified. Valid keys are '{'name'}'"
        );
        assert_eq!(
            told(checked("name > 'x'", &["name"], &[], &[]).unwrap_err()),
            "Invalid comparator for attribute: >"
        );
    }

    #[test]
    fn pages_go_on_where_they_ended() {
        assert_eq!(token(1), "eyJvZmZzZXQiOiAxfQ==");
        assert_eq!(offset(Some(&token(17))).unwrap(), 17);
        let other = |text: &str| offset(Some(&STANDARD.encode(text)));
        assert!(other("{\"offset\": 18446744073709551615}").is_err() && other("{\"offset\": -1}").is_err());
        assert_eq!(other("{\"offset\": 9007199254740992}").unwrap(), 1 << 53);
        assert!(offset(Some("!")).is_err() && offset(Some("e30=")).is_err() && offset(None).unwrap() == 0);
        let one = (1_700_000_000_000, 3);
        assert_eq!(place(Some(&token_from(one))).unwrap(), Some(one));
        assert!(place(Some(&token(1))).is_err() && place(Some("!")).is_err() && place(None).unwrap().is_none());
    }

    #[test]
    fn a_pattern_is_bounded() {
        let long = |length: usize| parse(&format!("name LIKE '{}'", "a".repeat(length)));
        assert!(long(PATTERN).is_ok());
        assert!(long(PATTERN + 1).unwrap_err().to_string().contains("may have 500 characters"));
        assert!(parse(&format!("name = '{}'", "a".repeat(5000))).is_ok(), "only patterns cost more than their length");
    }

    proptest! {
        #[test]
        fn no_filter_breaks_anything(filter in any::<String>()) {
            let _ = parse(&filter);
        }

        #[test]
        fn what_is_written_is_read(key in "[a-z]{1,8}", text in "[^']{0,12}") {
            let read = parse(&format!("tag.`{key}` = '{text}'")).unwrap();
            prop_assert!(read[0].text(Some(&text)));
        }
    }
}

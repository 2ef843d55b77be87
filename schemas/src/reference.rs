//! References: how people and programs name a thing of the registry in one word, `model:fraud@3`.
//!
//! The only parser of the grammar. `Display` writes the one canonical text of a reference; parsing accepts every
//! spelling of it, so that equal references always have equal texts.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

use crate::text::{Key, Name, Namespace, VersionId, as_text, quoted};

/// Characters in a reference, at most: a namespace and a name of 200 and a version of 100, all written `%XX`, fit.
pub const MAX_CHARS: usize = 1600;

/// The highest revision.
pub const MAX_REV: u32 = 1_000_000;

/// What kind of thing a reference names.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the field's own words")]
pub enum Kind {
    Dataset,
    Model,
    Run,
    System,
    Purpose,
    Basis,
    Party,
    Deployment,
    Release,
    Decision,
    Environment,
    Assessment,
    Baseline,
    Review,
    Policy,
    #[serde(rename = "break-glass")]
    BreakGlass,
    Loosening,
    Delegation,
    Contest,
    Attestation,
    Class,
    Notice,
    Remedy,
    Use,
}

/// What stands between the `:` and the `@`.
enum Body {
    Dataset,
    Name,
    Key,
    Uuid,
}

/// What stands after the `@`.
enum Version {
    Free,
    Rev,
    None,
}

impl Kind {
    /// Every kind.
    #[rustfmt::skip]
    pub const ALL: [Self; 24] = [
        Self::Dataset, Self::Model, Self::Run, Self::System, Self::Purpose, Self::Basis, Self::Party,
        Self::Deployment, Self::Release, Self::Decision, Self::Environment, Self::Assessment, Self::Baseline,
        Self::Review, Self::Policy, Self::BreakGlass, Self::Loosening, Self::Delegation, Self::Contest,
        Self::Attestation, Self::Class, Self::Notice, Self::Remedy, Self::Use,
    ];

    /// The word before the `:`.
    pub const fn as_str(self) -> &'static str {
        // The example begins with it; one table is enough.
        let example = self.example();
        let mut at = 0;
        while example.as_bytes()[at] != b':' {
            at += 1;
        }
        example.split_at(at).0
    }

    /// A reference of this kind, for error sentences and help.
    pub const fn example(self) -> &'static str {
        match self {
            Self::Dataset => "dataset:s3:%2F%2Fbucket/customers@2026-11-23",
            Self::Model => "model:fraud@3",
            Self::Run => "run:01939f00-0000-7000-8000-000000000000",
            Self::System => "system:fraud-alerts@2",
            Self::Purpose => "purpose:fraud-prevention@1",
            Self::Basis => "basis:fraud-interest@1",
            Self::Party => "party:acme-bank",
            Self::Deployment => "deployment:fraud-eu",
            Self::Release => "release:fraud-eu@4",
            Self::Decision => "decision:01939f00-0000-7000-8000-000000000000",
            Self::Environment => "environment:production",
            Self::Assessment => "assessment:fraud-anonymity@1",
            Self::Baseline => "baseline:before-licit@1",
            Self::Review => "review:01939f00-0000-7000-8000-000000000000",
            Self::Policy => "policy:organisation@1",
            Self::BreakGlass => "break-glass:inc-2041@1",
            Self::Loosening => "loosening:production@1",
            Self::Delegation => "delegation:01939f00-0000-7000-8000-000000000000",
            Self::Contest => "contest:01939f00-0000-7000-8000-000000000000",
            Self::Class => "class:crm-unsorted@1",
            Self::Notice => "notice:customers@2",
            Self::Attestation => "attestation:01939f00-0000-7000-8000-000000000000",
            Self::Remedy => "remedy:01939f00-0000-7000-8000-000000000000",
            Self::Use => "use:01939f00-0000-7000-8000-000000000000",
        }
    }

    fn grammar(self) -> (Body, Version) {
        match self {
            Self::Dataset => (Body::Dataset, Version::Free),
            Self::Model => (Body::Name, Version::Free),
            Self::Deployment => (Body::Name, Version::None),
            Self::Release => (Body::Name, Version::Rev),
            Self::System
            | Self::Purpose
            | Self::Basis
            | Self::Assessment
            | Self::Baseline
            | Self::Policy
            | Self::BreakGlass
            | Self::Loosening
            | Self::Class
            | Self::Notice => (Body::Key, Version::Rev),
            Self::Party | Self::Environment => (Body::Key, Version::None),
            Self::Run
            | Self::Decision
            | Self::Review
            | Self::Delegation
            | Self::Contest
            | Self::Attestation
            | Self::Remedy
            | Self::Use => (Body::Uuid, Version::None),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A reference: kind, namespace (datasets only), name, and the version when it is pinned to one.
///
/// It is kept as its text: that is asked for far more often than any of its parts, on every decision many times.
#[derive(Clone, Debug)]
pub struct Ref {
    kind: Kind,
    /// The canonical text.
    text: Box<str>,
    /// Where in it the name begins.
    name: usize,
    /// Where it ends: there stands `@` and the version, or nothing more.
    end: usize,
    /// The parts, where the text writes one of them otherwise.
    parts: Option<Box<Parts>>,
}

/// What a reference is made of, decoded.
#[derive(Clone, Debug)]
struct Parts {
    namespace: Option<String>,
    name: String,
    version: Option<String>,
}

/// Why a text is not a [`Ref`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("reference {got}: {problem}; write it like `{example}`")]
pub struct RefFault {
    got: String,
    problem: String,
    example: &'static str,
}

macro_rules! constructors {
    ($($name:ident: $part:ty => $kind:ident, $doc:literal;)*) => {
        $(#[doc = $doc]
        pub fn $name(name: $part) -> Self {
            Self::new(Kind::$kind, name.to_string())
        })*
    };
}

impl Ref {
    fn new(kind: Kind, name: String) -> Self {
        Self::of(kind, Parts { namespace: None, name, version: None })
    }

    fn of(kind: Kind, parts: Parts) -> Self {
        let Parts { namespace, name, version } = &parts;
        let mut text = format!("{kind}:");
        let mut encoded = false;
        if let Some(namespace) = namespace {
            encoded |= encode(&mut text, namespace);
            text.push('/');
        }
        let begin = text.len();
        encoded |= encode(&mut text, name);
        let end = text.len();
        if let Some(version) = version {
            text.push('@');
            encoded |= encode(&mut text, version);
        }
        Self { kind, text: text.into(), name: begin, end, parts: encoded.then(|| Box::new(parts)) }
    }

    /// The same thing at what may stand after its `@`.
    fn with(&self, version: &str) -> Self {
        let parts = Parts {
            namespace: self.namespace().map(str::to_owned),
            name: self.name().to_owned(),
            version: Some(version.to_owned()),
        };
        Self::of(self.kind, parts)
    }

    /// A dataset, unpinned.
    pub fn dataset(namespace: &Namespace, name: &Name) -> Self {
        let parts = Parts { namespace: Some(namespace.to_string()), name: name.to_string(), version: None };
        Self::of(Kind::Dataset, parts)
    }

    constructors! {
        model: &Name => Model, "A model, unpinned.";
        deployment: &Name => Deployment, "A deployment.";
        release: &Name => Release, "A release of the deployment of this name, unpinned.";
        system: &Key => System, "A system, unpinned.";
        purpose: &Key => Purpose, "A purpose, unpinned.";
        basis: &Key => Basis, "A legal basis, unpinned.";
        assessment: &Key => Assessment, "An assessment, unpinned.";
        baseline: &Key => Baseline, "A baseline, unpinned.";
        break_glass: &Key => BreakGlass, "What was let through under an incident, unpinned.";
        loosening: &Key => Loosening, "A looser mode of the environment of this key, unpinned.";
        class: &Key => Class, "A default class, unpinned.";
        notice: &Key => Notice, "A notice, unpinned.";
        party: &Key => Party, "A party.";
        environment: &Key => Environment, "An environment.";
        run: Uuid => Run, "A run.";
        decision: Uuid => Decision, "A decision.";
        review: Uuid => Review, "A review.";
        delegation: Uuid => Delegation, "A delegation.";
        contest: Uuid => Contest, "A contest.";
        attestation: Uuid => Attestation, "What was observed of an endpoint.";
        remedy: Uuid => Remedy, "A remedy taken for those who withdrew or object.";
        use_of: Uuid => Use, "Uses of a deployment, recorded together.";
    }

    /// The organisation's policy, unpinned.
    pub fn policy() -> Self {
        Self::new(Kind::Policy, crate::policy::KEY.to_owned())
    }

    /// The same thing at this version.
    ///
    /// # Errors
    /// The kind has no versions, or has revisions (1, 2, …) and this is none.
    pub fn at(self, version: &VersionId) -> Result<Self, RefFault> {
        let problem = match self.kind.grammar().1 {
            Version::Free => None,
            Version::Rev => read_rev(version.as_str()).err(),
            Version::None => Some(format!("a {} has no versions", self.kind)),
        };
        match problem {
            None => Ok(self.with(version.as_str())),
            Some(problem) => Err(RefFault { got: quoted(&self.to_string()), problem, example: self.kind.example() }),
        }
    }

    /// The same thing at this revision.
    ///
    /// # Errors
    /// The kind has no revisions, or this one is not in 1 to [`MAX_REV`].
    pub fn at_rev(self, rev: u32) -> Result<Self, RefFault> {
        let version = rev.to_string();
        let problem = match self.kind.grammar().1 {
            Version::Rev => read_rev(&version).err(),
            Version::Free | Version::None => Some(format!("a {} has no revisions", self.kind)),
        };
        match problem {
            None => Ok(self.with(&version)),
            Some(problem) => Err(RefFault { got: quoted(&self.to_string()), problem, example: self.kind.example() }),
        }
    }

    /// What kind of thing it names.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its text, in the one spelling it has.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The text of the same thing without its version.
    pub fn base(&self) -> &str {
        &self.text[..self.end]
    }

    /// A dataset's namespace, decoded.
    pub fn namespace(&self) -> Option<&str> {
        match &self.parts {
            Some(parts) => parts.namespace.as_deref(),
            None => self.text[..self.name].strip_suffix('/')?.split_once(':').map(|(_, namespace)| namespace),
        }
    }

    /// The name, key or UUID, decoded.
    pub fn name(&self) -> &str {
        self.parts.as_ref().map_or(&self.text[self.name..self.end], |parts| &parts.name)
    }

    /// The UUID of a run, decision or review.
    pub fn uuid(&self) -> Option<Uuid> {
        matches!(self.kind.grammar().0, Body::Uuid).then(|| Uuid::try_parse(self.name()).ok()).flatten()
    }

    /// The version or revision, decoded.
    pub fn version(&self) -> Option<&str> {
        match &self.parts {
            Some(parts) => parts.version.as_deref(),
            None => self.text[self.end..].strip_prefix('@'),
        }
    }

    /// The revision, 1 to [`MAX_REV`], of a kind that has revisions.
    pub fn rev(&self) -> Option<u32> {
        matches!(self.kind.grammar().1, Version::Rev).then(|| self.version()?.parse().ok()).flatten()
    }

    /// Whether it names the same thing for ever: it has its version, or its kind has none.
    pub fn is_pinned(&self) -> bool {
        self.end < self.text.len() || matches!(self.kind.grammar().1, Version::None)
    }

    /// The same thing without its version.
    #[must_use]
    pub fn unpinned(&self) -> Self {
        let parts = self.parts.as_deref().map(|parts| Box::new(Parts { version: None, ..parts.clone() }));
        Self { text: self.base().into(), parts, ..*self }
    }

    /// What orders references: by kind, then by each part as it is meant.
    fn order(&self) -> (Kind, Option<&str>, &str, Option<&str>) {
        (self.kind, self.namespace(), self.name(), self.version())
    }
}

impl PartialEq for Ref {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Ref {}

impl std::hash::Hash for Ref {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl PartialOrd for Ref {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ref {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.order().cmp(&other.order())
    }
}

impl fmt::Display for Ref {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Writes only what would be read otherwise as `%XX`: other characters stay, so that people can read `model:modèle`. True if there
/// was any.
fn encode(text: &mut String, part: &str) -> bool {
    let mut rest = part;
    while let Some((before, special, after)) = next_special(rest) {
        text.push_str(before);
        text.push_str(&format!("%{special:02X}"));
        rest = after;
    }
    text.push_str(rest);
    rest.len() < part.len()
}

/// What stands before the next character that would be read otherwise, that one, and the rest. All of them have one byte.
fn next_special(text: &str) -> Option<(&str, u8, &str)> {
    let at = text.bytes().position(|byte| matches!(byte, b' ' | b'%' | b'/' | b'@'))?;
    Some((&text[..at], text.as_bytes()[at], &text[at + 1..]))
}

impl FromStr for Ref {
    type Err = RefFault;

    fn from_str(text: &str) -> Result<Self, RefFault> {
        let fault = |kind: Kind, problem: String| RefFault { got: quoted(text), problem, example: kind.example() };
        if text.len() > 4 * MAX_CHARS || text.chars().count() > MAX_CHARS {
            return Err(fault(Kind::Model, format!("longer than {MAX_CHARS} characters")));
        }
        let (word, rest) = text.split_once(':').unwrap_or((text, ""));
        let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.as_str() == word) else {
            let kinds = Kind::ALL.map(|kind| format!("`{kind}:`")).join(", ");
            return Err(fault(Kind::Model, format!("does not begin with one of {kinds}")));
        };
        read(kind, rest).map_err(|problem| fault(kind, problem))
    }
}

fn read(kind: Kind, rest: &str) -> Result<Ref, String> {
    let (body, version) = rest.rsplit_once('@').map_or((rest, None), |(body, version)| (body, Some(version)));
    let reference = match kind.grammar().0 {
        Body::Dataset => {
            let (namespace, name) =
                body.split_once('/').ok_or("there is no `/` between namespace and name".to_owned())?;
            Ref::dataset(&decode("namespace", namespace)?, &decode("name", name)?)
        }
        Body::Name => Ref::new(kind, decode::<Name>("name", body)?.into_string()),
        Body::Key => Ref::new(kind, body.parse::<Key>().map_err(|e| e.to_string())?.into_string()),
        Body::Uuid => {
            // `uuid` also reads braces, `urn:uuid:` and bare digits.
            let uuid = Uuid::try_parse(body).ok().filter(|_| body.len() == 36);
            Ref::new(kind, uuid.ok_or_else(|| format!("{} is not a UUID", quoted(body)))?.to_string())
        }
    };
    Ok(match (kind.grammar().1, version) {
        (_, None) => reference,
        (Version::None, Some(version)) => {
            return Err(format!("a {kind} has no versions, but got `@` and {}", quoted(version)));
        }
        (Version::Rev, Some(version)) => reference.with(&read_rev(version)?),
        (Version::Free, Some(version)) => reference.with(decode::<VersionId>("version", version)?.as_str()),
    })
}

fn read_rev(text: &str) -> Result<String, String> {
    let digits = (1..=7).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    match text.parse::<u32>() {
        Ok(rev) if digits && (1..=MAX_REV).contains(&rev) => Ok(rev.to_string()),
        _ => Err(format!("the revision after `@` is a number from 1 to {MAX_REV}, got {}", quoted(text))),
    }
}

fn decode<T: FromStr<Err: fmt::Display>>(what: &str, part: &str) -> Result<T, String> {
    for (raw, written) in [('/', "%2F"), ('@', "%40"), (' ', "%20")] {
        if part.contains(raw) {
            return Err(format!("in the {what}, `{raw}` is written `{written}`"));
        }
    }
    let hex = |after: &str| after.len() >= 2 && after.bytes().take(2).all(|b| b.is_ascii_hexdigit());
    if !part.split('%').skip(1).all(hex) {
        return Err(format!("in the {what}, `%` has no two hex digits after it; `%` itself is written `%25`"));
    }
    let text = percent_encoding::percent_decode_str(part).decode_utf8();
    text.map_err(|_| format!("the {what} is not UTF-8 once its `%` are decoded"))?
        .parse()
        .map_err(|e| format!("the {what}: {e}"))
}

as_text!(Ref, "Ref", {
    "description": "reference: a kind, `:`, a name with `/`, `@`, `%` and space percent-encoded, and a version after `@`",
    "maxLength": MAX_CHARS,
    "pattern": concat!(
        "^(dataset|model|run|system|purpose|basis|party|deployment|release|decision|environment|assessment|baseline|review|policy|break-glass|loosening|delegation|contest|attestation|class|notice|remedy|use):",
        r"[^\u0000-\u0020\u007F-\u009F]+$",
    ),
});

#[cfg(test)]
#[path = "reference_tests.rs"]
mod tests;

//! What people are told (GDPR Art. 12 to 14): notices in French and English, what was promised in them, and whether the way out was
//! tested.

mod commitment;
mod readability;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::commitment::{Commitment, CommitmentFault, Period, Unit};
pub use self::readability::{Measure, measure};
use crate::digest::Digest;
use crate::reference::Ref;
use crate::registry::Evidence;
use crate::text::{Iri, Key, Name, Sentence, Text, Uri};
use crate::time::Timestamp;

/// A language notices are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    En,
    /// French.
    Fr,
}

impl Language {
    /// Both.
    pub const ALL: [Self; 2] = [Self::En, Self::Fr];

    /// The code of ISO 639-1.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Fr => "fr",
        }
    }
}

/// The same in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bilingual<T> {
    /// English.
    pub en: T,
    /// French.
    pub fr: T,
}

impl<T> Bilingual<T> {
    /// In one of them.
    pub fn of(&self, language: Language) -> &T {
        match language {
            Language::En => &self.en,
            Language::Fr => &self.fr,
        }
    }
}

/// What people read, in one language. In the text an empty line ends a paragraph, `## ` begins a heading and `- ` a point of a list;
/// everything else is shown as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wording {
    /// Title.
    pub title: Name,
    /// The text.
    pub text: Text,
}

/// A category of personal data that the notice names (GDPR Art. 14(1)(d)).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedCategory {
    /// DPV IRI; a broader term names narrower ones, but only a special category names special ones.
    pub iri: Iri,
    /// It is not asked of people but inferred about them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inferred: bool,
}

/// How people withdraw, object or refuse, as easily as they agreed (GDPR Art. 7(3), 13(2)(b), (c), 21).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// Where.
    pub url: Uri,
    /// In the words people read.
    pub words: Bilingual<Sentence>,
}

/// A commitment, and the sentence in which people read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Promise {
    /// What the gate holds releases against.
    pub commitment: Commitment,
    /// What people read.
    pub words: Bilingual<Sentence>,
}

/// A notice. Each change is a new revision, and what people were shown stays by its digest for ever. It needs no approval of the
/// board: it is a statement to people, which can only be true or not, and the gate holds it against what is registered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoticeSpec {
    /// Short key, as in `notice:customers`.
    pub key: Key,
    /// Who tells them, `party:<key>` (Art. 13(1)(a)).
    pub controller: Ref,
    /// What for, `purpose:<key>` for all revisions, `purpose:<key>@<rev>` for one (Art. 13(1)(c)).
    #[schemars(length(min = 1, max = 200))]
    pub purposes: Vec<Ref>,
    /// The wording in both languages.
    pub wording: Bilingual<Wording>,
    /// Categories of personal data, those inferred too.
    #[schemars(length(min = 1, max = 300))]
    pub categories: Vec<NamedCategory>,
    /// Who receives the data, `party:<key>` (Art. 13(1)(e)).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200))]
    pub recipients: Vec<Ref>,
    /// That machines decide, by what logic and with what consequence (Art. 13(2)(f)); absent, the notice speaks of no such decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub automated_decisions: Option<Bilingual<Sentence>>,
    /// How to refuse; absent, the notice does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
    /// What is promised. A promise binds the data collected under this revision, whatever a later one says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub promises: Vec<Promise>,
    /// From when it is shown.
    pub valid_from: Timestamp,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Timestamp>,
}

impl NoticeSpec {
    /// How long and how readable it is in a language: the text, and the sentences shown beside it.
    pub fn measure(&self, language: Language) -> Measure {
        let wording = self.wording.of(language);
        let mut text = format!("{}\n{}\n", wording.title, wording.text);
        let refusal = self.refusal.iter().map(|refusal| &refusal.words);
        let promises = self.promises.iter().map(|promise| &promise.words);
        for words in self.automated_decisions.iter().chain(refusal).chain(promises) {
            text.push_str(words.of(language).as_str());
            text.push('\n');
        }
        measure(&text)
    }
}

/// Whether the way out worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the field's own words")]
pub enum TestOutcome {
    Passed,
    Failed,
}

/// Somebody went the way a notice names to withdraw or refuse. Who, is the author of the fact. It holds for the days of the policy, and
/// for as long as the notice names the same place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawalTestSpec {
    /// The notice; without revision the one in force, stored pinned.
    pub notice: Ref,
    /// When; absent, now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// What came of it.
    pub outcome: TestOutcome,
    /// The record of the test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
}

/// Length and readability in each language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Measured {
    /// English.
    pub en: Measure,
    /// French.
    pub fr: Measure,
}

impl Measured {
    /// Of a notice.
    pub fn of(notice: &NoticeSpec) -> Self {
        Self { en: notice.measure(Language::En), fr: notice.measure(Language::Fr) }
    }
}

/// A notice as anybody may read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NoticeView {
    /// Reference, pinned.
    pub r#ref: Ref,
    /// Digest of the canonical form of `notice`: what is kept of what a person saw.
    pub digest: Digest,
    /// Whether it is the one in force.
    pub in_force: bool,
    /// How long and how readable it is.
    pub measured: Measured,
    /// The notice.
    pub notice: NoticeSpec,
}

/// How a notice is shown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoticePageQuery {
    /// Language of the page; absent, as `Accept-Language` prefers, else English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<Language>,
}

//! How long and how readable a text is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Length and readability of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Measure {
    /// Words.
    pub words: u32,
    /// LIX: words per sentence, and long words in a hundred (Björnsson 1968). Below 40 easy, 40 to 50 middling, 50 to 60 as officials
    /// write, above 60 hard.
    pub lix: u32,
}

/// Letters of the longest word that is not long.
const SHORT: usize = 6;

/// Count the words of a text, and compute LIX (C. H. Björnsson, *Läsbarhet*, Stockholm 1968). It looks at the length of words and
/// sentences and needs no syllables, so that one measure serves both languages. A line ends a sentence, too: points of a list and
/// headings have no full stop.
pub fn measure(text: &str) -> Measure {
    let (mut words, mut long, mut sentences) = (0u64, 0u64, 0u64);
    for line in text.lines() {
        let mut open = false;
        for token in line.split_whitespace() {
            if token.contains(char::is_alphanumeric) {
                words += 1;
                long += u64::from(token.chars().filter(|c| c.is_alphabetic()).count() > SHORT);
                open = true;
            }
            // In French the mark stands apart: `Pourquoi ?`.
            if open && ends_sentence(token) {
                sentences += 1;
                open = false;
            }
        }
        sentences += u64::from(open);
    }
    let lix = match words * sentences {
        0 => 0,
        both => (words * words + 100 * long * sentences + both / 2) / both,
    };
    let figure = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    Measure { words: figure(words), lix: figure(lix) }
}

fn ends_sentence(token: &str) -> bool {
    token.trim_end_matches(['"', '\'', '»', '”', '’', ')']).ends_with(['.', '!', '?', ':', '…'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_sentences_and_long_words_are_counted_as_bjornsson_does() {
        // 10 words in 2 sentences, 2 of them long: 10 / 2 + 100 · 2 / 10.
        let text = "We keep your address for one year. We never publish.";
        assert_eq!(measure(text), Measure { words: 10, lix: 5 + 20 });
        // The mark stands apart in French, and is no word.
        assert_eq!(measure("Pourquoi ? Parce que."), Measure { words: 3, lix: 2 + 33 });
        // Each point of a list is a sentence: 4 words, 3 sentences.
        assert_eq!(measure("## We use\n- age\n- name"), Measure { words: 4, lix: 1 });
        assert_eq!(measure(" \n — \n"), Measure::default());
    }

    #[test]
    fn what_officials_write_is_harder_than_what_people_say() {
        let plain = measure("We look at what you buy. We show you offers. You can say no.");
        let official = measure(
            "The aforementioned undertaking processes transactional particulars concerning subscribers in accordance with \
             contractually stipulated obligations and applicable regulatory requirements.",
        );
        assert!(plain.lix < 30 && official.lix > 60, "{plain:?} {official:?}");
    }

    proptest! {
        #[test]
        fn any_text_is_measured(text in "\\PC{0,200}(\n\\PC{0,50})?") {
            let Measure { words, lix } = measure(&text);
            // At most every word is long, in one sentence.
            prop_assert!(u64::from(lix) <= u64::from(words) + 100);
            prop_assert_eq!(words == 0, lix == 0 && !text.contains(char::is_alphanumeric));
        }
    }
}

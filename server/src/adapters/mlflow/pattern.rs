//! Patterns of `LIKE`.

/// Characters of a pattern: a search holds each against every text it comes across.
pub const LONGEST: usize = 500;

/// `%` stands for any characters, `_` for one. In time that grows with the text; where `_` stands, with the product of both at most,
/// of which the pattern is bounded.
pub fn like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('%');
    let (Some(first), last) = (parts.next(), parts.next_back()) else { return text.is_empty() };
    let Some(mut rest) = begun(first, text) else { return false };
    let Some(last) = last else { return rest.is_empty() };
    for part in parts {
        match beyond(part, rest) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    let Some(before) = last.chars().count().checked_sub(1) else { return true };
    let Some((begin, _)) = rest.char_indices().rev().nth(before) else { return false };
    begun(last, &rest[begin..]).is_some()
}

/// What every text begins with that a pattern fits.
pub fn beginning(pattern: &str) -> &str {
    pattern.split(['%', '_']).next().unwrap_or_default()
}

/// What follows a part of a pattern that a text begins with.
fn begun<'t>(part: &str, text: &'t str) -> Option<&'t str> {
    let mut rest = text.chars();
    part.chars().all(|wanted| rest.next().is_some_and(|c| wanted == '_' || wanted == c)).then_some(rest.as_str())
}

/// What follows the first place where a part of a pattern stands in a text.
fn beyond<'t>(part: &str, text: &'t str) -> Option<&'t str> {
    if !part.contains('_') {
        return text.find(part).map(|at| &text[at + part.len()..]);
    }
    text.char_indices().find_map(|(at, _)| begun(part, &text[at..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns_stand_for_what_they_say() {
        for (pattern, text, wanted) in [
            ("%", "", true),
            ("a%c", "abbc", true),
            ("a_c", "abc", true),
            ("a_c", "ac", false),
            ("a%", "ba", false),
            ("%b%", "abc", true),
            ("%", "abc", true),
            ("", "", true),
            ("", "a", false),
            ("a%a", "a", false),
            ("%ab%b", "xab", false),
            ("%_b%_", "éabc", true),
            ("a%b%c", "abxbcyc", true),
            ("%é_", "aéx", true),
            ("%ab", "abab", true),
            ("ab%ab", "aba", false),
        ] {
            assert_eq!(like(pattern, text), wanted, "{pattern} {text}");
        }
    }

    #[test]
    fn the_time_of_a_match_is_that_of_the_text() {
        // As many steps as the product of both would take minutes without the optimiser.
        let (text, began) = ("a".repeat(2_000_000), std::time::Instant::now());
        assert!(!like(&format!("%{}b%", "a".repeat(LONGEST - 3)), &text));
        assert!(began.elapsed() < std::time::Duration::from_secs(5), "{:?}", began.elapsed());
    }

    proptest! {
        #[test]
        fn patterns_match_as_the_plain_way_does(pattern in "[ab_%]{0,7}", text in "[abé]{0,9}") {
            fn plain(p: &[char], t: &[char]) -> bool {
                match (p, t) {
                    ([], t) => t.is_empty(),
                    (['%', rest @ ..], _) => (0..=t.len()).any(|at| plain(rest, &t[at..])),
                    ([one, p @ ..], [c, t @ ..]) => (*one == '_' || one == c) && plain(p, t),
                    _ => false,
                }
            }
            let chars = |text: &str| text.chars().collect::<Vec<char>>();
            prop_assert_eq!(like(&pattern, &text), plain(&chars(&pattern), &chars(&text)));
        }
    }
}

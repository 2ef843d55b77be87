//! Text broken into lines that fit.

/// Columns of the terminal, or 80 where there is none; never so wide that lines become hard to read.
pub(crate) fn width() -> usize {
    comfy_table::Table::new().width().map_or(80, |columns| usize::from(columns).clamp(40, 110))
}

/// The text in lines of at most [`width`] columns: the first begins with `first`, the others with as many spaces.
pub(crate) fn wrapped(first: &str, text: &str) -> String {
    wrapped_to(width(), first, text)
}

fn wrapped_to(width: usize, first: &str, text: &str) -> String {
    let indent = first.chars().count();
    let room = width.saturating_sub(indent).max(20);
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            // A word longer than a line stays whole: references and digests are copied by people.
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > room {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    let mut out = String::new();
    for (index, line) in lines.iter().enumerate() {
        let before = if index == 0 { first.to_owned() } else { " ".repeat(indent) };
        out.push_str(format!("{before}{line}").trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_and_long_words_stay_whole() {
        let text =
            wrapped_to(30, "  why  ", "political opinions reach the model and dataset:anes/survey@0123456789abcdef");
        assert_eq!(
            text,
            "  why  political opinions\n       reach the model and\n       dataset:anes/survey@0123456789abcdef\n"
        );
        assert_eq!(wrapped_to(80, "a ", ""), "");
    }
}

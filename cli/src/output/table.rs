//! Tables without borders that fit the terminal, or 80 columns.

use comfy_table::{Attribute, Cell, Color, ColumnConstraint, ContentArrangement, Table, Width};

use super::{style, wrap};

/// Columns between two columns of a table.
const GAP: u16 = 2;

/// Rows under a header. Nothing but a sentence when there are none.
pub(crate) fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    table_to(wrap::width(), header, rows)
}

fn table_to(width: usize, header: &[&str], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return style::dim("nothing found");
    }
    let width = u16::try_from(width).unwrap_or(80);
    let mut table = Table::new();
    table.load_preset(comfy_table::presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(width).enforce_styling();
    table.set_header(header.iter().map(|h| h.to_uppercase()));
    let words = longest_words(header, &rows);
    let first = rows.iter().filter_map(|row| row.first()).map(|text| columns(text)).max().unwrap_or_default();
    table.add_rows(rows.into_iter().map(|row| row.into_iter().map(|text| cell(&text))));
    let whole = words.iter().copied().map(usize::from).sum::<usize>() <= usize::from(width);
    for (column, word) in table.column_iter_mut().zip(words) {
        column.set_padding((0, GAP));
        // Words are broken only where there is no room for all of them.
        if whole {
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(word)));
        }
    }
    // The first column is what people copy: other columns are broken first, as long as something is left for them.
    if first <= width / 3 * 2
        && let Some(column) = table.column_mut(0)
    {
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
    table.trim_fmt()
}

/// The text as a cell. Its colour is given apart: escape codes would count as columns, and move the header off the figures.
fn cell(text: &str) -> Cell {
    let cell = Cell::new(plain(text));
    match style::code(text) {
        Some(style::BOLD) => cell.add_attribute(Attribute::Bold),
        Some(style::DIM) => cell.add_attribute(Attribute::Dim),
        Some(style::RED) => cell.fg(Color::DarkRed).add_attribute(Attribute::Bold),
        Some(style::GREEN) => cell.fg(Color::DarkGreen).add_attribute(Attribute::Bold),
        Some(style::YELLOW) => cell.fg(Color::DarkYellow),
        _ => cell,
    }
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

fn columns(text: &str) -> u16 {
    u16::try_from(plain(text).chars().count()).unwrap_or(u16::MAX)
}

/// Of each column, the room its longest word takes with the gap after it.
fn longest_words(header: &[&str], rows: &[Vec<String>]) -> Vec<u16> {
    let longest = |text: &str| plain(text).split_whitespace().map(columns).max().unwrap_or_default();
    let of = |(place, name): (usize, &&str)| {
        let cells = rows.iter().filter_map(|row| row.get(place)).map(|text| longest(text));
        cells.chain([longest(name)]).max().unwrap_or_default().saturating_add(GAP)
    };
    header.iter().enumerate().map(of).collect()
}

/// Names and values, one per line, the values in one column.
pub(crate) fn facts(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default() + 2;
    rows.iter().map(|(name, value)| wrap::wrapped(&format!("{name:width$}"), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(header: &[&str], rows: &[&[String]]) -> String {
        plain(&table_to(80, header, rows.iter().map(|row| row.to_vec()).collect()))
    }

    #[test]
    fn a_colour_takes_no_room_from_figures_and_headers() {
        let row = ["ads".to_owned(), style::red("by nobody"), "2".to_owned(), "1".to_owned()];
        let text = shown(&["for", "agreed", "trainings", "deployments"], &[&row]);
        assert_eq!(text, "FOR  AGREED     TRAININGS  DEPLOYMENTS\nads  by nobody  2          1");
        // And it is still there.
        let row = vec![style::red("by nobody")];
        assert!(table_to(80, &["agreed"], vec![row]).contains("\u{1b}["));
    }

    #[test]
    fn headers_stand_over_their_cells_where_lines_are_broken() {
        let says =
            "the legal basis basis:scoring-contract, on which three deployments rest, ends and nothing follows it";
        let row =
            ["2026-11-30".to_owned(), style::yellow("30 d"), says.to_owned(), "score-prod, score-test".to_owned()];
        let text = shown(&["on", "within", "what", "runs on it"], &[&row]);
        let lines: Vec<&str> = text.lines().collect();
        let at = |line: usize, word: &str| lines[line].find(word).expect(&text);
        assert_eq!((at(0, "WITHIN"), at(0, "WHAT"), at(0, "RUNS")), (at(1, "30 d"), at(1, "the"), at(1, "score-")));
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{text}");
        assert!(text.contains("basis:scoring-contract,"), "a word is broken in\n{text}");
    }

    #[test]
    fn a_wide_first_column_leaves_room_for_the_others() {
        let row = ["long words ".repeat(8), "https://w3id.org/dpv#Purpose".to_owned()];
        let text = shown(&["label", "iri"], &[&row]);
        assert!(text.contains("https://w3id.org/dpv#Purpose"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }
}

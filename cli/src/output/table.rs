//! Tables without borders that fit the terminal, or 80 columns.

use comfy_table::{ColumnConstraint, ContentArrangement, Table};

use super::{style, wrap};

/// Rows under a header. Nothing but a sentence when there are none.
pub(crate) fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return style::dim("nothing found");
    }
    let mut table = Table::new();
    table.load_preset(comfy_table::presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(wrap::width()).unwrap_or(80));
    table.set_header(header.iter().map(|h| h.to_uppercase()));
    table.add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    // The first column is what people copy: other columns are broken first.
    if let Some(column) = table.column_mut(0) {
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
    table.trim_fmt()
}

/// Names and values, one per line, the values in one column.
pub(crate) fn facts(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default() + 2;
    rows.iter().map(|(name, value)| wrap::wrapped(&format!("{name:width$}"), value)).collect()
}

//! What personal data reach a thing, for people.

use licit_schemas::lineage::{ExposureColumn, ExposureSource, ExposureView};
use licit_schemas::text::Iri;

use super::{style, wrap};

/// The whole view.
pub(crate) fn text(view: &ExposureView) -> String {
    let mut out = format!("{} {}\n", style::bold("personal data behind"), view.r#ref);
    let reaches = [
        ("contained", "their data can be in here", &view.contained),
        ("shaped", "their data only formed it", &view.shaped),
        ("validation", "their data only tested it", &view.validation),
    ];
    for (name, meaning, sources) in reaches {
        if !sources.is_empty() {
            out.push_str(&format!("{name}: {meaning}\n"));
            sources.iter().for_each(|source| out.push_str(&one(source)));
        }
    }
    if view.contained.is_empty() && view.shaped.is_empty() && view.validation.is_empty() && view.unknown.is_empty() {
        out.push_str("none is known to reach it\n");
    }
    for cut in &view.cuts {
        let holder = view.holder.as_deref().unwrap_or_default();
        out.push_str(&wrap::wrapped("cut  ", &format!("{cut}: anonymous, as assessed for {holder}")));
    }
    if !view.special_categories.is_empty() {
        out.push_str(&wrap::wrapped("special categories  ", &style::yellow(&names(&view.special_categories))));
    }
    for assumption in &view.assumed {
        let says = format!("{}, by {}", assumption.r#ref, assumption.classes.join(", "));
        out.push_str(&wrap::wrapped(&format!("{} ", style::yellow("assumed")), &says));
    }
    for table in &view.understated {
        let word = |level| {
            serde_json::to_value(level).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
        };
        let says = format!("{} states {}, and was made of {}", table.r#ref, word(table.stated), word(table.implied));
        out.push_str(&wrap::wrapped(&format!("{} ", style::yellow("understated")), &says));
    }
    for unknown in &view.unknown {
        out.push_str(&wrap::wrapped(&format!("{} ", style::yellow("unknown")), unknown));
    }
    out
}

fn one(source: &ExposureSource) -> String {
    let mut out = format!("  {}\n", style::bold(&source.r#ref));
    out.push_str(&wrap::wrapped("    categories  ", &names(&source.categories)));
    out.push_str(&wrap::wrapped("    about       ", &names(&source.subjects)));
    if let Some(columns) = &source.columns {
        let masked = |column: &ExposureColumn| if column.masked { " (pseudonymised)" } else { "" };
        let fields: Vec<String> = columns.iter().map(|column| format!("{}{}", column.field, masked(column))).collect();
        out.push_str(&wrap::wrapped("    columns     ", &fields.join(", ")));
    }
    if source.path.len() > 1 {
        out.push_str(&wrap::wrapped("    path        ", &source.path.join(" ← ")));
    }
    out
}

/// IRIs by their last part: `PoliticalOpinion`.
pub(crate) fn names(iris: &[Iri]) -> String {
    let short: Vec<&str> = iris.iter().map(|iri| iri.as_str().rsplit(['#', '/']).next().unwrap_or_default()).collect();
    if short.is_empty() { "none stated".to_owned() } else { short.join(", ") }
}

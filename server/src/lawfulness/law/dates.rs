//! Days on which laws of the tables begin to apply.

use std::collections::BTreeSet;

use licit_schemas::time::Timestamp;

use super::{FORBIDDEN, PRACTICES, duties};

/// Days after one moment up to another on which something of the tables begins to apply, with what does, each once.
pub fn begins(after: Timestamp, upto: Timestamp) -> BTreeSet<(Timestamp, String)> {
    let forbidden = FORBIDDEN.iter().map(|f| (f.applies_from, format!("{} {}", f.law, f.article)));
    let practices = PRACTICES.iter().map(|p| {
        (p.applies_from, format!("Regulation (EU) 2024/1689 Article 5(1), its questionnaire of {}", p.version))
    });
    let areas =
        duties::areas().iter().map(|a| (a.applies_from, format!("{} {}, areas of high risk", a.law, a.article)));
    let documents = duties::all().iter().flat_map(|d| {
        let older = d.older.as_ref().map(|older| (older.applies_from, format!("{}, for older systems", d.cited())));
        std::iter::once((d.applies_from, d.cited())).chain(older)
    });
    let all = forbidden.chain(practices).chain(areas).chain(documents);
    all.filter(|(on, _)| after < *on && *on <= upto).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_day_is_told_once() {
        let found = begins("2027-12-01".parse().unwrap(), "2027-12-02".parse().unwrap());
        assert!(found.iter().any(|(_, what)| what.contains("27")), "{found:?}");
        assert!(found.iter().all(|(on, _)| on.to_string().starts_with("2027-12-02")));
        assert!(
            begins("2027-12-02".parse().unwrap(), "2027-12-03".parse().unwrap()).is_empty(),
            "the day itself is over"
        );
    }
}

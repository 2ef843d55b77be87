//! From a refusal to its clearing: how long what was refused stayed so, by rule and by who can clear it. Folded from recorded
//! decisions, whatever made them.

use std::collections::BTreeMap;
use std::sync::Arc;

use imbl::OrdMap;
use licit_schemas::gate::{Decision, Finding, Verdict};
use licit_schemas::reports::RuleClearing;
use licit_schemas::time::Timestamp;

use crate::maps::HashMap;

/// A finding of a deployment that refused, and was not seen cleared.
#[derive(Clone, Debug)]
struct Open {
    measure: Arc<Measure>,
    since: Timestamp,
}

/// What is measured together.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Measure {
    rule: String,
    addressee: String,
}

/// What is open, and how long what is cleared took.
#[derive(Clone, Default)]
pub struct Clearing {
    /// By deployment, then by rule and offending thing.
    open: HashMap<Arc<str>, OrdMap<Arc<str>, Open>>,
    /// How many took so many hours, begun ones counted whole: few numbers differ, however many refusals there were.
    cleared: OrdMap<Arc<Measure>, OrdMap<u32, u32>>,
}

fn key(finding: &Finding) -> Arc<str> {
    format!("{} {}", finding.rule, finding.node).into()
}

impl Clearing {
    /// Fold a recorded decision in. An allowing one costs a look where nothing is open.
    pub fn decided(&mut self, decision: &Decision, at: Timestamp) {
        let refuses = decision.verdict == Verdict::Deny;
        let before = self.open.get(decision.deployment.as_str());
        if !refuses && before.is_none() {
            return;
        }
        let before = before.cloned().unwrap_or_default();
        // What is due later is not cleared; it refuses no one yet either.
        let present = decision.findings.iter().filter(|f| f.blocking).chain(&decision.actions_due);
        let blocking = decision.findings.iter().filter(|f| f.blocking).count();
        let mut after = OrdMap::new();
        for (place, finding) in present.enumerate() {
            let key = key(finding);
            let known = before.get(&key).cloned();
            let opens = || {
                let measure = Measure { rule: finding.rule.clone(), addressee: finding.addressee.clone() };
                (refuses && place < blocking).then(|| Open { measure: Arc::new(measure), since: at })
            };
            if let Some(open) = known.or_else(opens) {
                after.insert(key, open);
            }
        }
        for (key, open) in &before {
            if !after.contains_key(key) {
                let took = self.cleared.entry(open.measure.clone()).or_default();
                *took.entry(hours(open.since, at)).or_insert(0) += 1;
            }
        }
        if after.is_empty() {
            self.open.remove(decision.deployment.as_str());
        } else {
            self.open.insert(decision.deployment.as_str().into(), after);
        }
    }

    /// By rule and addressee, what is open, and how long what is cleared took.
    pub fn figures(&self) -> Vec<RuleClearing> {
        let mut open: BTreeMap<&Measure, u64> = BTreeMap::new();
        for one in self.open.values().flat_map(OrdMap::values) {
            *open.entry(&one.measure).or_default() += 1;
        }
        let measured = self.cleared.keys().map(|measure| &**measure);
        let mut measures: Vec<&Measure> = open.keys().copied().chain(measured).collect();
        measures.sort_unstable();
        measures.dedup();
        let none = OrdMap::new();
        measures
            .into_iter()
            .map(|measure| {
                let took = self.cleared.get(measure).unwrap_or(&none);
                RuleClearing {
                    rule: measure.rule.clone(),
                    addressee: measure.addressee.clone(),
                    open: open.get(measure).copied().unwrap_or(0),
                    cleared: took.values().map(|count| u64::from(*count)).sum(),
                    median_hours: at_rank(took, 50),
                    p90_hours: at_rank(took, 90),
                }
            })
            .collect()
    }
}

/// Hours between two moments, one begun counted whole.
fn hours(since: Timestamp, at: Timestamp) -> u32 {
    let seconds = at.chrono().signed_duration_since(since.chrono()).num_seconds().max(0);
    u32::try_from(seconds.saturating_add(3_599) / 3_600).unwrap_or(u32::MAX)
}

/// The hours within which so many of a hundred were cleared (nearest rank); none while nothing was.
fn at_rank(took: &OrdMap<u32, u32>, percent: u64) -> Option<u64> {
    let all: u64 = took.values().map(|count| u64::from(*count)).sum();
    let rank = (all * percent).div_ceil(100);
    let mut seen = 0;
    took.iter().find_map(|(hours, count)| {
        seen += u64::from(*count);
        (seen >= rank && all > 0).then_some(u64::from(*hours))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_of_those_cleared() {
        let took: OrdMap<u32, u32> = [(1u32, 5u32), (10, 4), (100, 1)].into_iter().collect();
        assert_eq!((at_rank(&took, 50), at_rank(&took, 90), at_rank(&took, 100)), (Some(1), Some(10), Some(100)));
        assert_eq!(at_rank(&OrdMap::new(), 50), None);
    }

    #[test]
    fn a_begun_hour_counts_whole() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let since = at("2026-01-01T00:00:00Z");
        for (end, expected) in [("2026-01-01T00:00:00Z", 0), ("2026-01-01T00:00:01Z", 1), ("2026-01-02T00:00:00Z", 24)]
        {
            assert_eq!(hours(since, at(end)), expected, "{end}");
        }
    }
}

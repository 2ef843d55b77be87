//! Rules of the organisation's own, as its policy states them. They add findings; no other rule asks what they say.

use licit_schemas::condition::judge;
use licit_schemas::gate::{Finding, Level, Status};

use super::{BOARD, finding};
use crate::gate::evidence::Evidence;
use crate::gate::policy::Policy;

/// A finding for each condition that is true, and for each of which nobody can tell.
pub fn findings(evidence: &Evidence<'_>, policy: &Policy) -> Vec<Finding> {
    let rules = policy.rules(evidence.world);
    let readable: Vec<_> = rules.iter().filter_map(|(_, condition)| condition.as_ref().ok()).collect();
    let mut answers = judge(&readable, &evidence.document(policy)).into_iter();
    let own = &evidence.ask.deployment;
    let path: Vec<String> =
        std::iter::once(own.clone()).chain(evidence.release.as_ref().map(|r| r.reference.to_string())).collect();
    let node = path.last().cloned().unwrap_or_default();
    let mut found = Vec::new();
    for (rule, condition) in rules {
        let answer = match condition {
            Ok(_) => answers.next().unwrap_or_else(|| Err("cannot be evaluated".to_owned())),
            Err(why) => Err(why.clone()),
        };
        if rule.level == Level::Silent {
            continue;
        }
        let begin = |status| finding(rule.code.as_str(), status, rule.article.as_str(), &node).path(path.clone());
        let mut finding = match answer {
            Ok(false) => continue,
            Ok(true) => begin(rule.status)
                .says(rule.sentence.to_string())
                .to(rule.addressee.to_string())
                .remedy(rule.remedy.to_string(), None),
            Err(why) => begin(Status::Unknown)
                .says(format!("whether `{}` holds is unknown: its condition {why}", rule.code))
                .to(BOARD)
                .remedy(
                    "revise the rule in the policy, and ask the board",
                    Some("licit policy create -f policy.yaml".to_owned()),
                ),
        };
        finding.blocking = rule.level == Level::Block;
        found.push(finding);
    }
    found
}

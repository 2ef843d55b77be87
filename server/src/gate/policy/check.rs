//! What a policy may not say: nothing about the hard core, no single vote for a deployment of high risk, no rule of its own that
//! could not be judged safely.

use chrono::Duration;
use licit_schemas::condition;
use licit_schemas::policy::{PolicySpec, Reviewed};
use licit_schemas::problem::Fault;
use licit_schemas::registry::RiskClass;
use licit_schemas::time::Timestamp;

use super::{Fit, Scope, fits, terms};
use crate::gate::rules::RULES;

/// Days for which proof of consent is kept at most: ten years, the longest limitation period of civil claims that the member states
/// commonly have. Longer would be no restriction any more (GDPR Art. 5(1)(e)).
const LONGEST_PROOF: i64 = 3653;

/// Board members that must agree to a deployment of high risk, at least.
const HIGH_RISK: u16 = 2;

/// What is wrong with a policy, beyond its schema.
pub fn check(spec: &PolicySpec) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (place, level) in spec.levels.iter().enumerate() {
        let at = format!("/levels/{place}/rule");
        let rule = level.rule.as_str();
        match RULES.iter().find(|r| r.code == rule) {
            Some(known) if known.core => {
                faults.push(Fault::new(
                    &at,
                    format!("`{rule}` belongs to the hard core: no policy can switch it off or soften it"),
                ));
            }
            Some(_) if spec.levels[..place].iter().any(|other| other.rule == level.rule) => {
                faults.push(Fault::new(&at, format!("`{rule}` stands twice")));
            }
            Some(_) => {}
            None => {
                let optional: Vec<&str> = RULES.iter().filter(|r| !r.core).map(|r| r.code).collect();
                let known = optional.join("`, `");
                faults.push(Fault::new(&at, format!("there is no rule `{rule}`: a policy may speak of `{known}`")));
            }
        }
    }
    faults.extend(quorum(spec));
    let begin = Timestamp::from_micros(0);
    if let (Some(begin), Some(proof)) = (begin, spec.proof_of_consent)
        && proof.keep.after(begin) > begin.plus(Duration::days(LONGEST_PROOF))
    {
        let why = "proof of consent is kept for ten years at most: name the limitation period of the claims it is for";
        faults.push(Fault::new("/proof_of_consent/keep", why));
    }
    let texts: Vec<&str> = spec.rules.iter().map(|rule| rule.when.as_str()).collect();
    for (place, (rule, readable)) in spec.rules.iter().zip(condition::read(&texts)).enumerate() {
        let at = format!("/rules/{place}/code");
        let code = rule.code.as_str();
        if code.strip_prefix("org.").is_none_or(str::is_empty) {
            faults.push(Fault::new(&at, format!("`{code}` is no code of your own: begin it with `org.`")));
        } else if spec.rules[..place].iter().any(|other| other.code == rule.code) {
            faults.push(Fault::new(&at, format!("`{code}` stands twice")));
        }
        if let Err(why) = readable {
            faults.push(Fault::new(&format!("/rules/{place}/when"), why));
        }
    }
    faults
}

/// In every environment, named or not, a deployment of high risk needs two votes.
fn quorum(spec: &PolicySpec) -> Option<Fault> {
    let overrides = &spec.review.overrides;
    let named = overrides.iter().flat_map(|o| &o.environments).map(|e| e.as_str());
    // No environment has an empty key: it stands for those that are not named.
    for environment in named.chain([""]) {
        for risk_class in [RiskClass::High, RiskClass::Prohibited] {
            let scope = Scope { environment: Some(environment), risk_class: Some(risk_class) };
            if terms(&spec.review, Reviewed::Deployment, scope).quorum >= HIGH_RISK {
                continue;
            }
            let guilty = overrides.iter().position(|o| {
                (o.kinds.is_empty() || o.kinds.contains(&Reviewed::Deployment))
                    && fits(&o.environments, &o.risk_classes, scope) == Fit::Yes
                    && o.quorum.is_some()
            });
            let at = guilty.map_or("/review/quorum".to_owned(), |place| format!("/review/overrides/{place}/quorum"));
            let why =
                format!("a deployment of high risk needs at least {HIGH_RISK} votes: say so in an override, or here");
            return Some(Fault::new(&at, why));
        }
    }
    None
}

//! The release: byte for byte what was admitted, and inside what the board approved.

use licit_schemas::admitted;
use licit_schemas::gate::{Finding, Intent, Status};
use licit_schemas::registry::{Endpoint, ReleaseState};

use super::{BOARD, GDPR_LOWER, ask_board, environment, finding, revocation_due};
use crate::gate::envelope::{self, Widened};
use crate::gate::evidence::{Evidence, Model};
use crate::gate::policy::Policy;
use crate::review::Standing;

/// `artifact.digest`: files found are byte for byte those registered, under the same names; what answers for an endpoint was attested, not long ago, to
/// be what is pinned (GDPR Art. 32).
pub(super) fn artifact(evidence: &Evidence<'_>, policy: &Policy) -> Vec<Finding> {
    let mut findings = Vec::new();
    let found = &evidence.ask.artifacts;
    for model in &evidence.models {
        let begin = |status| {
            let release = evidence.release.as_ref().map_or_else(String::new, |r| r.reference.to_string());
            let path = vec![release, model.reference.to_string()];
            finding("artifact.digest", status, "GDPR Art. 32", &*model.reference).fine(GDPR_LOWER).path(path)
        };
        let Some(facts) = model.facts() else {
            findings.push(
                begin(Status::Unknown)
                    .says(format!("nobody registered `{}`: which bytes it has is unknown", model.reference))
                    .to(evidence.owner(&model.reference))
                    .remedy("register the model version", Some("licit register".to_owned())),
            );
            continue;
        };
        if let Some(pinned) = &facts.endpoint {
            findings.extend(pin(evidence, policy, model, pinned, begin));
            continue;
        }
        if found.is_empty() {
            continue;
        }
        let missing = admitted::missing(&facts.files, found);
        if !missing.is_empty() {
            findings.push(
                begin(Status::Unmet)
                    .also(missing.iter().map(|p| (*p).to_owned()).collect())
                    .says(format!(
                        "{} of {} file(s) of `{}` are not there as registered: {}",
                        missing.len(),
                        facts.files.len(),
                        model.reference,
                        some(&missing)
                    ))
                    .to(evidence.deployment_owner())
                    .remedy(
                        "deploy the registered files, or register these as a new version",
                        Some("licit register".to_owned()),
                    ),
            );
        }
    }
    let registered =
        evidence.models.iter().filter_map(|model| Some((&*model.reference, model.facts()?.files.as_slice())));
    let strange = admitted::strange(registered, found);
    if !strange.is_empty() {
        let node =
            evidence.release.as_ref().map_or_else(|| evidence.ask.deployment.clone(), |r| r.reference.to_string());
        findings.push(
            finding("artifact.digest", Status::Unmet, "GDPR Art. 32", &node)
                .fine(GDPR_LOWER)
                .path(vec![node.clone()])
                .also(strange.iter().map(|p| (*p).to_owned()).collect())
                .says(format!("{} file(s) found belong to no model of the release: {}", strange.len(), some(&strange)))
                .to(evidence.deployment_owner())
                .remedy("remove them, or register them as a model version", Some("licit register".to_owned())),
        );
    }
    findings
}

/// An endpoint has no bytes to hash: somebody must have seen, not long ago, that what answers is what is pinned.
fn pin(
    evidence: &Evidence<'_>,
    policy: &Policy,
    model: &Model,
    pinned: &Endpoint,
    begin: impl Fn(Status) -> super::Build,
) -> Option<Finding> {
    let (name, now) = (&*model.reference, evidence.ask.valid_at);
    let owner = evidence.deployment_owner();
    let attest = || {
        let Endpoint { snapshot, region, configuration_digest, .. } = pinned;
        Some(format!(
            "licit model attest {} --snapshot '{snapshot}' --region {region} --configuration-digest {configuration_digest}",
            name.trim_start_matches("model:")
        ))
    };
    let Some(seen) = evidence.attestation(name) else {
        return Some(
            begin(Status::Unknown)
                .says(format!("nobody attested what answers for `{name}`"))
                .to(owner)
                .remedy("call it and attest what answered", attest()),
        );
    };
    let differs = seen.differs(pinned);
    if !differs.is_empty() {
        let differs = differs.into_iter().map(|(what, own, seen)| format!("{what} `{seen}` instead of `{own}`"));
        return Some(
            begin(Status::Unmet)
                .since(Some(seen.at))
                .says(format!("`{name}` answered with {} on {}", differs.collect::<Vec<_>>().join(" and "), seen.at))
                .to(owner)
                .remedy(
                    "call what is pinned and attest that it answered, or register what answers as a new version",
                    attest(),
                ),
        );
    }
    let end = seen.at.plus(policy.attestation());
    (now >= end).then(|| {
        begin(Status::Expired)
            .since(Some(end))
            .says(format!("what answers for `{name}` was attested on {}, which counted until {end}", seen.at))
            .to(owner)
            .remedy("call it and attest what answered", attest())
    })
}

fn some(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(3).map(|n| format!("`{n}`")).collect();
    let more = names.len().saturating_sub(3);
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

/// `release.approved`: an approval in force whose envelope holds this release; else exactly what widened.
pub(super) fn approved(evidence: &Evidence<'_>, policy: &Policy) -> Vec<Finding> {
    let own = &evidence.ask.deployment;
    let begin = |status, node: &str| {
        finding("release.approved", status, "AI Act Art. 14, GDPR Art. 5(2)", node).path(vec![own.clone()]).to(BOARD)
    };
    if evidence.deployment.is_none() {
        let later = evidence.world.registry.deployments.latest(own).and_then(|stated| stated.spec.valid_from);
        if let Some(from) = later {
            return vec![
                begin(Status::Unmet, own)
                    .says(format!("`{own}` holds from {from} on, not before"))
                    .to("registrar")
                    .remedy(
                        "wait, or state the deployment as it is until then",
                        Some("licit deployment create -f deployment.yaml".to_owned()),
                    ),
            ];
        }
        return vec![
            begin(Status::Unknown, own)
                .says(format!("there is no `{own}`"))
                .to("registrar")
                .remedy("register the deployment", Some("licit deployment create -f deployment.yaml".to_owned())),
        ];
    }
    let Some(release) = &evidence.release else {
        let says = match (&evidence.ask.release, evidence.ask.intent) {
            (Some(release), _) => format!("there is no `{release}`"),
            (None, Intent::Continue) => format!("`{own}` has no active release that could go on"),
            (None, Intent::Start) => format!("`{own}` has no release, neither proposed nor active"),
        };
        return vec![begin(Status::Unknown, own).says(says).to(evidence.deployment_owner()).remedy(
            "propose a release",
            Some(format!("licit release create {} --model MODEL", own.trim_start_matches("deployment:"))),
        )];
    };
    let now = evidence.ask.valid_at;
    let ask = || ask_board(&format!("Approve {own}"), &[own]);
    let node = release.reference.as_ref();
    let path = || vec![own.clone(), node.to_owned()];
    if release.state == ReleaseState::Withdrawn {
        return vec![
            begin(Status::Unmet, node)
                .path(path())
                .says(format!("`{node}` was taken out for good"))
                .to(evidence.deployment_owner())
                .remedy(
                    "propose the composition anew",
                    Some(format!("licit release create {}", own.trim_start_matches("deployment:"))),
                ),
        ];
    }
    // What the board decided once for all such environments, it is not asked for each.
    if policy.synthetic_without_vote() && environment::only_synthetic(evidence, policy) {
        return Vec::new();
    }
    let spared = || {
        let key = environment::synthetic(evidence).filter(|_| policy.synthetic_without_vote());
        key.map_or_else(String::new, |key| {
            format!("; without a vote only made-up or anonymous data run in `environment:{key}`, for a limited time")
        })
    };
    match evidence.world.review.standing(own, now) {
        Standing::Never => vec![
            begin(Status::Unmet, node)
                .path(path())
                .says(format!("the board has not approved `{own}`{}", spared()))
                .remedy("ask the board to approve the deployment", ask()),
        ],
        Standing::Ended(approval) => vec![
            begin(Status::Expired, node)
                .path(path())
                .since(Some(approval.end()))
                .due(revocation_due(approval))
                .says(format!("the approval of `{own}` ended on {}", approval.end()))
                .remedy("ask the board to approve the deployment again", ask()),
        ],
        Standing::Holds(_) => {
            let mut approvals = evidence.world.review.approvals(own).iter().filter(|a| a.holds(now));
            if approvals.any(|approval| {
                let (Some(approved), Some(within)) = (&approval.spec.subject.envelope, &approval.within) else {
                    return false;
                };
                let inside = envelope::inside(evidence, approved, within);
                debug_assert_eq!(inside, envelope::widened(evidence, approved, &envelope::of(evidence)).is_empty());
                inside
            }) {
                return Vec::new();
            }
            let actual = envelope::of(evidence);
            // Several approvals may hold: one that covers is enough; else the nearest says what widened. None without envelope
            // covers anything.
            let nearest = evidence
                .world
                .review
                .approvals(own)
                .iter()
                .filter(|a| a.holds(now))
                .filter_map(|a| a.spec.subject.envelope.as_ref())
                .map(|approved| envelope::widened(evidence, approved, &actual))
                .min_by_key(Vec::len)
                .unwrap_or_else(|| vec![Widened { says: "the approval names no envelope".to_owned(), path: None }]);
            if nearest.is_empty() {
                return Vec::new();
            }
            let path = nearest.iter().find_map(|w| w.path.clone()).unwrap_or_else(path);
            let node = path.last().cloned().unwrap_or_else(|| node.to_owned());
            let said: Vec<String> = nearest.into_iter().map(|w| w.says).collect();
            vec![
                begin(Status::Unmet, &node)
                    .path(path)
                    .also(said.clone())
                    .says(format!("outside what the board approved: {}", said.join("; ")))
                    .remedy("ask the board to approve the wider deployment, or take what widened out", ask()),
            ]
        }
    }
}

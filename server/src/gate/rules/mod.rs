//! The rules: one pure function each, `fn(&Evidence, &Policy) -> Vec<Finding>`. None stops another.

mod asked;
mod assessment;
mod automated;
mod basis;
mod combination;
mod compatibility;
mod conditions;
mod consent;
mod controller;
mod covered;
mod emergency;
mod environment;
mod filed;
mod life;
mod lineage;
mod minimisation;
mod notice;
pub mod own;
mod promise;
mod purpose;
mod release;
mod retention;
mod special;
mod suppression;
mod system;
mod techniques;
mod transfer;

pub(super) use emergency::awaiting;

use licit_schemas::gate::{Finding, Remedy, Status};
use licit_schemas::time::Timestamp;

pub use self::environment::SYNTHETIC;
use super::evidence::Evidence;
use super::policy::Policy;

/// Version of the rules: replaying a decision with the same version gives the same bytes.
pub const VERSION: &str = "2026-11-30.5";

/// A rule.
pub struct Rule {
    /// Its code, as findings carry it.
    pub code: &'static str,
    /// Whether it belongs to the hard core, which no policy can switch off or soften.
    pub core: bool,
    /// What does not hold.
    pub check: fn(&Evidence<'_>, &Policy) -> Vec<Finding>,
}

const fn core(code: &'static str, check: fn(&Evidence<'_>, &Policy) -> Vec<Finding>) -> Rule {
    Rule { code, core: true, check }
}

const fn optional(code: &'static str, check: fn(&Evidence<'_>, &Policy) -> Vec<Finding>) -> Rule {
    Rule { code, core: false, check }
}

/// All rules, in the order of the documentation.
pub const RULES: &[Rule] = &[
    core("purpose.approved", purpose::approved),
    core("purpose.forbids", purpose::forbids),
    core("prohibited.practice", purpose::practices),
    core("basis.approved", basis::approved),
    core("basis.governing", covered::governing),
    optional("basis.holds", basis::holds),
    core("source.covered", covered::covered),
    optional("consent.coverage", consent::coverage),
    optional("suppression.fresh", suppression::fresh),
    optional("objection", suppression::objection),
    optional("combination", combination::combination),
    optional("assessment.in_force", assessment::in_force),
    optional("compatibility", compatibility::compatible),
    core("serving.declared", lineage::serving),
    core("controller", controller::controller),
    core("special.category", special::special),
    optional("criminal", conditions::criminal),
    optional("minors", conditions::minors),
    optional("retention", retention::retention),
    optional("transfer", transfer::transfer),
    optional("environment.class", environment::class),
    optional("minimisation", minimisation::minimisation),
    optional("risk.documents", system::documents),
    optional("workers", system::workers),
    optional("transparency.ai", system::transparency),
    optional("automated.decision", automated::decision),
    optional("notice", notice::notice),
    optional("withdrawal.means", notice::withdrawal),
    optional("promise", promise::promise),
    core("lineage.complete", lineage::complete),
    core("artifact.digest", release::artifact),
    optional("release.approved", release::approved),
    core("break.glass", emergency::ratified),
];

/// Whether a rule belongs to the hard core.
pub fn is_core(code: &str) -> bool {
    RULES.iter().any(|rule| rule.core && rule.code == code)
}

/// Tier of GDPR Art. 83(5): principles, lawfulness, special categories.
pub(super) const GDPR_UPPER: &str = "up to EUR 20 million or 4 % of turnover (GDPR Art. 83(5))";
/// Tier of GDPR Art. 83(4): obligations of controllers and processors.
pub(super) const GDPR_LOWER: &str = "up to EUR 10 million or 2 % of turnover (GDPR Art. 83(4))";
/// Tier of AI Act Art. 99(3): prohibited practices.
pub(super) const AI_ACT_UPPER: &str = "up to EUR 35 million or 7 % of turnover (AI Act Art. 99(3))";

/// Who approves.
pub(super) const BOARD: &str = "governance board";
/// Who advises on what people are told.
pub(super) const DPO: &str = "dpo";

/// A finding under construction; what is not set does not apply.
pub(super) struct Build(Finding);

/// Begin a finding.
pub(super) fn finding(rule: &str, status: Status, article: &str, node: impl Into<String>) -> Build {
    Build(Finding {
        rule: rule.to_owned(),
        status,
        blocking: true,
        article: article.to_owned(),
        fine: None,
        node: node.into(),
        cause: None,
        path: Vec::new(),
        also: Vec::new(),
        sentence: String::new(),
        addressee: String::new(),
        remedy: Remedy { text: String::new(), command: None },
        since: None,
        due: None,
    })
}

impl Build {
    pub(super) fn fine(mut self, tier: &str) -> Self {
        self.0.fine = Some(tier.to_owned());
        self
    }

    pub(super) fn path(mut self, path: Vec<String>) -> Self {
        self.0.path = path;
        self
    }

    pub(super) fn also(mut self, others: Vec<String>) -> Self {
        self.0.also = others;
        self
    }

    /// What fell, where that is another thing than the offending one, or where others fall with it: gaps are grouped by it.
    pub(super) fn because(mut self, cause: &str) -> Self {
        self.0.cause = Some(cause.to_owned());
        self
    }

    pub(super) fn says(mut self, sentence: impl Into<String>) -> Self {
        self.0.sentence = sentence.into();
        self
    }

    pub(super) fn to(mut self, addressee: impl Into<String>) -> Self {
        self.0.addressee = addressee.into();
        self
    }

    pub(super) fn since(mut self, since: Option<Timestamp>) -> Self {
        self.0.since = since;
        self
    }

    pub(super) fn due(mut self, due: Option<Timestamp>) -> Self {
        self.0.due = due;
        self
    }

    pub(super) fn remedy(mut self, text: impl Into<String>, command: Option<String>) -> Finding {
        self.0.remedy = Remedy { text: text.into(), command };
        self.0
    }
}

/// The command that asks the board.
pub(super) fn ask_board(title: &str, references: &[&str]) -> Option<String> {
    Some(format!("licit review create --title \"{title}\" {}", references.join(" ")))
}

/// When a revoked approval may no longer be relied on even for what runs, as its revocation says.
pub(in crate::gate) fn revocation_due(approval: &crate::review::Approval) -> Option<Timestamp> {
    approval.revoked.as_ref().map(|r| r.effective_at.plus(chrono::Duration::days(i64::from(r.grace_days))))
}

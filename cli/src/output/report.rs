//! What the gate answered, or why it did not, for the formats that pipelines read.

use licit_schemas::adoption::BaselineSpec;
use licit_schemas::gate::{Decision, Finding};
use licit_schemas::time::Timestamp;

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It may run.
    Passes,
    /// It may not.
    Refused,
    /// Nobody could be asked.
    NotAsked,
}

/// One thing said.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    /// The finding.
    pub(crate) finding: Finding,
    /// It refuses nothing now, and is due.
    pub(crate) due: bool,
    /// The baseline that took it over.
    pub(crate) baseline: Option<String>,
}

impl Said {
    /// Whether it refuses.
    pub(crate) fn refuses(&self) -> bool {
        self.finding.blocking && !self.due
    }
}

/// A report.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// The deployment asked about.
    pub(crate) deployment: String,
    /// How it ended.
    pub(crate) end: End,
    /// That in a sentence.
    pub(crate) sentence: String,
    /// What was found.
    pub(crate) said: Vec<Said>,
}

impl Report {
    /// Of a decision; `baselines` are those in force, with their references.
    pub(crate) fn of(decision: &Decision, baselines: &[(String, BaselineSpec)], now: Timestamp) -> Self {
        let release = decision.release.as_deref().unwrap_or(&decision.deployment);
        let taken = |finding: &Finding| {
            let holds = |spec: &BaselineSpec| {
                spec.items.iter().any(|item| {
                    let nodes = std::iter::once(&finding.node).chain(&finding.also);
                    (item.release.as_str(), &item.rule, item.status) == (release, &finding.rule, finding.status)
                        && item.valid_to.is_none_or(|end| now < end)
                        && nodes.into_iter().all(|node| item.nodes.contains(node))
                })
            };
            baselines.iter().find(|(_, spec)| holds(spec)).map(|(reference, _)| reference.clone())
        };
        let said = |due: bool| move |finding: &Finding| Said { finding: finding.clone(), due, baseline: None };
        let mut all: Vec<Said> = decision.findings.iter().map(said(false)).collect();
        all.extend(decision.actions_due.iter().map(said(true)));
        all.iter_mut().for_each(|said| said.baseline = taken(&said.finding));
        let refusing = all.iter().filter(|said| said.refuses()).count();
        let (end, sentence) = match (decision.passes, refusing) {
            (true, 0) => (End::Passes, format!("{release} may run")),
            (true, _) => {
                (End::Passes, format!("{release} is denied by {refusing} finding(s), and passes all the same"))
            }
            (false, _) => (End::Refused, format!("{release} may not run: {refusing} finding(s) refuse")),
        };
        Self { deployment: decision.deployment.clone(), end, sentence, said: all }
    }

    /// Without a decision: by a receipt, or because nobody answered.
    pub(crate) fn without(deployment: &str, end: End, sentence: String) -> Self {
        Self { deployment: deployment.to_owned(), end, sentence, said: Vec::new() }
    }
}

/// A finding in a text of its own: what, why, the path, who, and what to do.
pub(crate) fn text(said: &Said) -> String {
    let finding = &said.finding;
    let mut lines = vec![finding.sentence.clone(), format!("Why: {}", finding.article)];
    if finding.path.len() > 1 {
        lines.push(format!("Path: {}", finding.path.join(" > ")));
    }
    if !finding.also.is_empty() {
        lines.push(format!("Also: {}", finding.also.join(", ")));
    }
    if let Some(due) = finding.due {
        lines.push(format!("Due: {due}"));
    }
    lines.push(format!("Who: {}", finding.addressee));
    lines.push(format!("Do: {}", finding.remedy.text));
    lines.extend(finding.remedy.command.iter().map(|command| format!("Run: {command}")));
    lines.extend(said.baseline.iter().map(|baseline| format!("Taken over by {baseline}")));
    lines.join("\n")
}

//! What is told: a survey, a model that guesses votes, a campaign that may not use it, and research that may.

use super::story::Story;
use crate::error::{Exit, Result};

/// Tell it. The first step that comes out otherwise ends it.
pub(super) fn tell(story: &mut Story) -> Result<()> {
    people(story)?;
    registered(story)?;
    targeting(story)?;
    let review = research(story)?;
    approved(story, &review)?;
    retrained(story)?;
    widened(story)?;
    rolled_back(story)?;
    revoked(story)?;
    verified(story)
}

fn people(story: &mut Story) -> Result<()> {
    story.chapter(
        "Who is who",
        "Ana registers and proposes. Bea and Carl sit on the board, so does Ana. Dora is the data protection officer. CI is a \
         service Ana answers for. Each has a token of their own.",
    );
    let ana = story.joins("ana", "person \"Ana\"", &["registrar", "reviewer", "viewer"])?;
    story.joins("bea", "person \"Bea\"", &["reviewer", "viewer"])?;
    story.joins("carl", "person \"Carl\"", &["reviewer", "viewer"])?;
    story.joins("dora", "person \"Dora\"", &["dpo", "viewer", "auditor"])?;
    story.joins("ci", &format!("service \"CI\" --responsible {ana}"), &["releaser", "viewer"])?;
    story.does("ana", "whoami", Exit::Done)?.names("registrar")?;
    Ok(())
}

fn registered(story: &mut Story) -> Result<()> {
    story.chapter(
        "What exists",
        "A survey of 944 people, collected. A feature table derived from it. A model trained on that. A table of 200 households \
         a campaign bought, their politics guessed from the survey. One call registers it all, or nothing.",
    );
    story.does("ana", "party create -f party.yaml", Exit::Done)?.names("party:opinion-institute")?;
    story.does("admin", "env create -f environment.yaml", Exit::Done)?.names("environment:production")?;
    story.does("ana", "purpose create -f purpose-targeting.yaml -f purpose-research.yaml", Exit::Done)?;
    story.chapter(
        "What people were told",
        "The respondents read a notice, in French or in English. It says what is done with their answers, and it promises. A \
         promise binds the data collected under it, whatever a later notice says.",
    );
    story.does("dora", "notice create -f notice-survey.yaml", Exit::Done)?.names("notice:election-survey@1")?;
    story.does("ana", "register -f licit.yaml", Exit::Done)?.names("model:vote-model@1")?.names("created")?;
    story.chapter("Again", "The pipeline is run a second time on the same files: nothing new is registered.");
    story.does("ana", "register -f licit.yaml", Exit::Done)?.names("unchanged")?.lacks("created")?;
    story.chapter("Where the model comes from", "Nobody has to remember: the lineage does, and so does the exposure.");
    story.does("ana", "lineage model:vote-model@1", Exit::Done)?.names("dataset:anes/survey@1996")?;
    story.does("ana", "exposure model:vote-model@1", Exit::Done)?.names("PoliticalOpinion")?;
    Ok(())
}

fn targeting(story: &mut Story) -> Result<()> {
    story.chapter(
        "Targeted political advertising",
        "The campaign wants to score the households and choose the advertisement each of them sees. Political opinions reach \
         the model; Regulation (EU) 2024/900 Art. 18 forbids that for political advertising, with consent or without. And the \
         people behind the model read that their answers are never used for a campaign: the gate quotes it.",
    );
    story.does("ana", "system create -f system-targeting.yaml", Exit::Done)?;
    story.does("ana", "deployment create -f deployment-targeting.yaml", Exit::Done)?;
    story
        .does("ana", "release create ad-targeting --model vote-model@1", Exit::Done)?
        .names("release:ad-targeting@1")?;
    let refused = story.does("ci", "gate ad-targeting --artifact vote-model", Exit::Refused)?;
    refused.names("purpose.forbids")?.names("2024/900")?.names("dataset:anes/survey@1996")?.names("path")?;
    // And what the people were promised, in the words they read.
    refused.names("promise")?.names("We never use your answers for a campaign.")?.names("jamais vos réponses")?;
    Ok(())
}

fn research(story: &mut Story) -> Result<String> {
    story.chapter(
        "Election research",
        "The same data and the same model, for another purpose: figures about groups. The basis is the public interest, with the \
         exception for research. Nothing is approved yet, so the gate refuses.",
    );
    story.does("ana", "basis create -f basis-research.yaml", Exit::Done)?.names("basis:research@1")?;
    story.does("ana", "system create -f system-study.yaml", Exit::Done)?;
    story.does("ana", "deployment create -f deployment-study.yaml", Exit::Done)?;
    story.does("ana", "release create vote-study --model vote-model@1", Exit::Done)?.names("release:vote-study@1")?;
    let refused = story.does("ci", "gate vote-study --artifact vote-model", Exit::Refused)?;
    refused.names("purpose.approved")?.names("basis.approved")?.names("release.approved")?.lacks("purpose.forbids")?;
    let opened = story.does(
        "ana",
        "review create --title \"Election research\" purpose:election-research basis:research system:vote-study \
         deployment:vote-study",
        Exit::Done,
    )?;
    opened.word("review:")
}

fn approved(story: &mut Story, review: &str) -> Result<()> {
    story.chapter(
        "The board",
        "One dossier, one vote that binds every digest in it. Ana asked for it, so her own vote is refused. The data protection \
         officer advises. Two members of the board agree.",
    );
    let own = story.does("ana", &format!("review vote {review} approve"), Exit::Failure)?;
    own.names("does not vote")?;
    story.does(
        "dora",
        &format!("review opinion {review} favourable --role dpo --comment \"figures about groups only\""),
        Exit::Done,
    )?;
    story.does("bea", &format!("review vote {review} approve --condition \"results are published\""), Exit::Done)?;
    story.does("carl", &format!("review vote {review} approve"), Exit::Done)?.names("approved")?;
    story.does("ana", &format!("review show {review}"), Exit::Done)?.names("figures about groups only")?;
    let allowed = story.does("ci", "release activate vote-study@1 --artifact vote-model", Exit::Done)?;
    allowed.names("ALLOWED")?;
    Ok(())
}

fn retrained(story: &mut Story) -> Result<()> {
    story.chapter(
        "The yearly retraining",
        "The same data, the same recipe, other bytes. It lies inside what was approved: a decision, no vote.",
    );
    story.does("ana", "register -f licit-2.yaml", Exit::Done)?.names("model:vote-model@2")?;
    story.does("ana", "release create vote-study --model vote-model@2", Exit::Done)?.names("release:vote-study@2")?;
    story.does("ci", "release activate vote-study@2 --artifact vote-model-2", Exit::Done)?.names("ALLOWED")?;
    story.chapter("The wrong bytes", "Somebody hands the gate the files of another training: refused.");
    let wrong = story.does("ci", "gate vote-study --artifact vote-model-3 --dry-run", Exit::Refused)?;
    wrong.names("artifact.digest")?;
    Ok(())
}

fn widened(story: &mut Story) -> Result<()> {
    story.chapter(
        "A new column",
        "Upstream, a column with religion appeared, and the recipe took it in. `licit plan` says before anything is written what \
         the gate says after: outside of what was approved, and why.",
    );
    let planned = story.does("ana", "plan -f licit-3.yaml", Exit::Refused)?;
    planned.names("release.approved")?.names("Religion")?;
    story.does("ana", "register -f licit-3.yaml", Exit::Done)?.names("model:vote-model@3")?;
    story.does("ana", "release create vote-study --model vote-model@3", Exit::Done)?.names("release:vote-study@3")?;
    let refused = story.does("ci", "release activate vote-study@3 --artifact vote-model-3", Exit::Refused)?;
    refused.names("release.approved")?.names("Religion")?.names("dataset:anes/survey")?;
    // Nor were they told that anybody looks at their religion.
    refused.names("notice:election-survey@1")?;
    Ok(())
}

fn rolled_back(story: &mut Story) -> Result<()> {
    story.chapter("Rollback", "The retrained model misbehaves. Back to the release before it, in one call.");
    story
        .does("ci", "deployment rollback vote-study --reason \"scores drifted\"", Exit::Done)?
        .names("release:vote-study@1")?;
    let active = story.does("ci", "release list --parent deployment:vote-study --state active", Exit::Done)?;
    active.names("release:vote-study@1")?.lacks("release:vote-study@2")?;
    story.does("ci", "gaps vote-study", Exit::Done)?.names("no gaps")?;
    Ok(())
}

fn revoked(story: &mut Story) -> Result<()> {
    story.chapter(
        "The basis falls",
        "The research programme ends and the board takes the basis back. What runs has a gap at once; nothing new may start.",
    );
    story.does("bea", "review revoke basis:research@1 --reason \"the programme ended\" --grace-days 14", Exit::Done)?;
    story.does("ci", "gaps vote-study", Exit::Done)?.names("GAP")?.names("basis:research@1")?;
    let refused = story.does("ci", "gate vote-study --release vote-study@1 --artifact vote-model", Exit::Refused)?;
    refused.names("basis.approved")?;
    Ok(())
}

fn verified(story: &mut Story) -> Result<()> {
    story.chapter(
        "The ledger",
        "Every step stands in it. Dora recomputes each hash from the data, and believes nobody.",
    );
    story.does("dora", "ledger verify", Exit::Done)?.names("the ledger holds")?;
    Ok(())
}

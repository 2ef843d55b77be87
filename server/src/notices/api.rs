//! Notices over HTTP: stating them with a token, reading them without.

use licit_schemas::digest::Digest;
use licit_schemas::notices::{Language, NoticePageQuery, NoticeView};
use licit_schemas::text::Key;

use super::page::{Page, page};
use super::{Notice, operations};
use crate::api;
use crate::error::{Error, Result};
use crate::facts::World;
use crate::http::{Body, Ctx, Reply};
use crate::resolve::parse;

/// State a notice.
pub async fn create_notice(ctx: Ctx, body: Body) -> Result<Reply> {
    api::create(ctx, body, "notices", operations::notice).await
}

/// Record a test of the way out.
pub async fn create_withdrawal_test(ctx: Ctx, body: Body) -> Result<Reply> {
    api::create(ctx, body, "withdrawal-tests", operations::test).await
}

/// The notice of a key in force; where none is, the last that was, marked as over. One that is not shown yet is nobody's business.
pub async fn show_notice(ctx: Ctx) -> Result<Reply> {
    let world = ctx.app.db.fresh().await?;
    let base = ctx.text("key").parse::<Key>().map(|key| format!("notice:{key}")).unwrap_or_default();
    let found = world.notices.deciding(&base, ctx.now);
    let notice = found.ok_or_else(|| Error::NotFound("there is no such notice".to_owned()))?;
    show(&ctx, &world, notice)
}

/// What a person saw, by its digest, for ever.
pub async fn show_notice_by_digest(ctx: Ctx) -> Result<Reply> {
    let world = ctx.app.db.fresh().await?;
    let digest: Option<Digest> = ctx.text("digest").parse().ok();
    let found = digest.and_then(|digest| world.notices.by_digest(digest));
    let notice = found.ok_or_else(|| Error::NotFound("there is no notice of this digest".to_owned()))?;
    show(&ctx, &world, notice)
}

fn show(ctx: &Ctx, world: &World, notice: &Notice) -> Result<Reply> {
    let query: NoticePageQuery = ctx.query()?;
    let in_force = world.notices.in_force(&notice.base, ctx.now);
    let in_force = in_force.is_some_and(|now| now.revision.digest == notice.revision.digest);
    if prefers_json(ctx.header("accept")) {
        let view = NoticeView {
            r#ref: parse(notice.reference())?,
            digest: notice.revision.digest,
            in_force,
            measured: notice.measured,
            notice: notice.revision.spec.clone(),
        };
        return Reply::ok(&view);
    }
    let language = query.lang.unwrap_or_else(|| preferred(ctx.header("accept-language")));
    let name = |party: &str| {
        world.registry.parties.latest(party).map_or_else(|| party.to_owned(), |p| p.spec.name.to_string())
    };
    Ok(Reply::text("text/html; charset=utf-8", page(&Page { notice, language, in_force, name: &name })))
}

/// Whether a program asks: whoever takes HTML is shown the page.
fn prefers_json(accept: &str) -> bool {
    accept.contains("json") && !accept.contains("text/html")
}

/// The language a browser prefers among those there are; the one named first where it weighs them alike.
fn preferred(accepted: &str) -> Language {
    let mut best = (Language::En, 0.0);
    for part in accepted.split(',') {
        let (tag, rest) = part.split_once(';').unwrap_or((part, ""));
        let weight: f32 = rest.trim().strip_prefix("q=").map_or(1.0, |q| q.trim().parse().unwrap_or(0.0));
        let primary = tag.trim().split('-').next().unwrap_or_default();
        let known = Language::ALL.into_iter().find(|language| primary.eq_ignore_ascii_case(language.as_str()));
        if let Some(language) = known.filter(|_| weight > best.1) {
            best = (language, weight);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_the_one_preferred_among_two() {
        for (header, language) in [
            ("", Language::En),
            ("fr", Language::Fr),
            ("fr-FR,fr;q=0.9,en;q=0.8", Language::Fr),
            ("de, en;q=0.3, fr;q=0.7", Language::Fr),
            ("en-GB,fr", Language::En),
            ("FR;q=nonsense, en;q=0.1", Language::En),
            ("fr;q=0", Language::En),
        ] {
            assert_eq!(preferred(header), language, "{header}");
        }
    }

    #[test]
    fn only_who_asks_for_json_and_not_for_a_page_gets_json() {
        assert!(prefers_json("application/json") && prefers_json("application/problem+json, */*"));
        assert!(!prefers_json("") && !prefers_json("*/*") && !prefers_json("text/html,application/json"));
    }
}

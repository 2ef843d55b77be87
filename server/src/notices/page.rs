//! A notice as a page: plain HTML, nothing loaded from anywhere, everything that was stated escaped. Pure.

use std::fmt::Write as _;

use licit_schemas::notices::Language;

use super::Notice;
use crate::registry::vocabulary::vocabulary;

/// What is shown.
pub struct Page<'a> {
    /// The notice.
    pub notice: &'a Notice,
    /// In which language.
    pub language: Language,
    /// Whether it is the one in force.
    pub in_force: bool,
    /// Names of parties, by `party:<key>`.
    pub name: &'a dyn Fn(&str) -> String,
}

/// Words around what was stated.
struct Words {
    other: &'static str,
    over: &'static str,
    promises: &'static str,
    categories: &'static str,
    inferred: &'static str,
    recipients: &'static str,
    nobody: &'static str,
    decisions: &'static str,
    refusal: &'static str,
    controller: &'static str,
    since: &'static str,
    figures: [&'static str; 2],
}

const ENGLISH: Words = Words {
    other: "Lire en français",
    over: "This notice is not the one in force.",
    promises: "What we promise",
    categories: "What data",
    inferred: "inferred, not asked",
    recipients: "Who receives them",
    nobody: "Nobody else.",
    decisions: "Decisions by machine",
    refusal: "How to refuse",
    controller: "Controller",
    since: "Shown since",
    figures: ["words", "readability (LIX)"],
};

const FRENCH: Words = Words {
    other: "Read in English",
    over: "Cette notice n’est pas celle en vigueur.",
    promises: "Nos engagements",
    categories: "Quelles données",
    inferred: "déduite, non demandée",
    recipients: "Qui les reçoit",
    nobody: "Personne d’autre.",
    decisions: "Décisions prises par une machine",
    refusal: "Comment refuser",
    controller: "Responsable",
    since: "Publiée depuis le",
    figures: ["mots", "lisibilité (LIX)"],
};

const STYLE: &str = "body{max-width:42rem;margin:2rem auto;padding:0 1rem;font:1.05rem/1.6 system-ui,sans-serif}\
                     footer{margin-top:2rem;font-size:.85rem;overflow-wrap:anywhere}";

/// The page.
pub fn page(of: &Page<'_>) -> String {
    let Page { notice, language, .. } = of;
    let (spec, wording) = (&notice.revision.spec, notice.revision.spec.wording.of(*language));
    let (words, other) = match language {
        Language::En => (&ENGLISH, Language::Fr),
        Language::Fr => (&FRENCH, Language::En),
    };
    let title = escaped(wording.title.as_str());
    let mut html = format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <p><a href=\"?lang={}\" lang=\"{}\" hreflang=\"{}\">{}</a></p>\n<main>\n<h1>{title}</h1>\n",
        language.as_str(),
        other.as_str(),
        other.as_str(),
        other.as_str(),
        words.other,
    );
    if !of.in_force {
        line(&mut html, "p", &format!("<strong>{}</strong>", words.over));
    }
    prose(&mut html, wording.text.as_str());
    if !spec.promises.is_empty() {
        let promises = spec.promises.iter().map(|promise| escaped(promise.words.of(*language).as_str()));
        list(&mut html, words.promises, promises);
    }
    let categories = spec.categories.iter().map(|category| {
        let label = label(category.iri.as_str(), *language);
        if category.inferred { format!("{} ({})", escaped(&label), words.inferred) } else { escaped(&label) }
    });
    list(&mut html, words.categories, categories);
    if spec.recipients.is_empty() {
        section(&mut html, words.recipients, words.nobody);
    } else {
        list(&mut html, words.recipients, spec.recipients.iter().map(|party| escaped(&(of.name)(&party.to_string()))));
    }
    if let Some(decisions) = &spec.automated_decisions {
        section(&mut html, words.decisions, &escaped(decisions.of(*language).as_str()));
    }
    if let Some(refusal) = &spec.refusal {
        let url = escaped(refusal.url.as_str());
        // Any scheme may be stated; only these are safe to follow.
        let safe = ["https:", "http:", "mailto:"].iter().any(|scheme| refusal.url.as_str().starts_with(scheme));
        let place = if safe { format!("<a href=\"{url}\" rel=\"noreferrer\">{url}</a>") } else { url };
        section(&mut html, words.refusal, &format!("{} {place}", escaped(refusal.words.of(*language).as_str())));
    }
    let measured = match language {
        Language::En => notice.measured.en,
        Language::Fr => notice.measured.fr,
    };
    let since = spec.valid_from.to_string();
    let _ = write!(
        html,
        "</main>\n<footer>\n<p>{}: {}. {} {}.</p>\n<p>{} {}, {} {}</p>\n<p>{} · {}</p>\n</footer>\n</body>\n</html>\n",
        words.controller,
        escaped(&(of.name)(&notice.controller)),
        words.since,
        since.get(..10).unwrap_or(&since),
        measured.words,
        words.figures[0],
        words.figures[1],
        measured.lix,
        escaped(notice.reference()),
        notice.revision.digest,
    );
    html
}

/// The name of a category. DPV names them in English only; in French the usual ones have a name of ours.
pub fn label(iri: &str, language: Language) -> String {
    let english = || {
        let v = vocabulary();
        v.find(iri).map_or_else(|| iri.to_owned(), |term| v.term(term).label.clone())
    };
    match language {
        Language::Fr => super::french::label(iri).map_or_else(english, str::to_owned),
        Language::En => english(),
    }
}

/// Text that holds no markup any more, in an element or in an attribute.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

fn line(html: &mut String, element: &str, inner: &str) {
    let _ = writeln!(html, "<{element}>{inner}</{element}>");
}

fn section(html: &mut String, title: &str, inner: &str) {
    line(html, "h2", title);
    line(html, "p", inner);
}

fn list(html: &mut String, title: &str, items: impl Iterator<Item = String>) {
    line(html, "h2", title);
    html.push_str("<ul>\n");
    items.for_each(|item| line(html, "li", &item));
    html.push_str("</ul>\n");
}

/// Paragraphs, headings and lists, as [`licit_schemas::notices::Wording`] says.
fn prose(html: &mut String, text: &str) {
    let mut paragraph: Vec<String> = Vec::new();
    let mut points: Vec<String> = Vec::new();
    let flush = |html: &mut String, paragraph: &mut Vec<String>, points: &mut Vec<String>| {
        if !paragraph.is_empty() {
            line(html, "p", &std::mem::take(paragraph).join("<br>\n"));
        }
        if !points.is_empty() {
            html.push_str("<ul>\n");
            std::mem::take(points).iter().for_each(|point| line(html, "li", point));
            html.push_str("</ul>\n");
        }
    };
    for row in text.lines().map(str::trim).chain([""]) {
        if let Some(point) = row.strip_prefix("- ") {
            if !paragraph.is_empty() {
                flush(html, &mut paragraph, &mut points);
            }
            points.push(escaped(point));
            continue;
        }
        if row.is_empty() || row.starts_with("## ") || !points.is_empty() {
            flush(html, &mut paragraph, &mut points);
        }
        match row.strip_prefix("## ") {
            Some(heading) => line(html, "h2", &escaped(heading)),
            None if !row.is_empty() => paragraph.push(escaped(row)),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_paragraphs_headings_and_lists_and_nothing_else() {
        let mut html = String::new();
        prose(&mut html, "One\ntwo\n\n## A <b>\n- x\n- y & z\nthen\n- w");
        assert_eq!(
            html,
            "<p>One<br>\ntwo</p>\n<h2>A &lt;b&gt;</h2>\n<ul>\n<li>x</li>\n<li>y &amp; z</li>\n</ul>\n<p>then</p>\n<ul>\n<li>w</li>\n</ul>\n"
        );
    }
}

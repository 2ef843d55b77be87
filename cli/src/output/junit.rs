//! JUnit XML, as test reports of pipelines read it: the answer is one test, each finding another.

use super::report::{End, Report, Said, text};

/// A report as one suite.
pub(crate) fn suite(report: &Report) -> String {
    let class = attribute(&format!("licit.{}", report.deployment));
    let answer = match report.end {
        End::Passes => String::new(),
        End::Refused => problem("failure", "refused", &report.sentence, &report.sentence),
        End::NotAsked => problem("error", "not asked", &report.sentence, &report.sentence),
    };
    let mut cases = vec![case(&class, "it may run", &answer)];
    cases.extend(report.said.iter().map(|said| case(&class, &name(said), &outcome(said))));
    let failures = report.said.iter().filter(|said| fails(said)).count() + usize::from(report.end == End::Refused);
    let errors = usize::from(report.end == End::NotAsked);
    let skipped = report.said.iter().filter(|said| !fails(said)).count();
    let suite = attribute(&report.deployment);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"{suite}\" tests=\"{}\" failures=\"{failures}\" \
         errors=\"{errors}\" skipped=\"{skipped}\" time=\"0\">\n{}  </testsuite>\n</testsuites>\n",
        cases.len(),
        cases.concat()
    )
}

/// What a baseline took over, what only warns and what is due fails no test.
fn fails(said: &Said) -> bool {
    said.refuses() && said.baseline.is_none()
}

fn name(said: &Said) -> String {
    format!("{} {}", said.finding.rule, said.finding.node)
}

fn outcome(said: &Said) -> String {
    match fails(said) {
        true => problem("failure", &said.finding.rule, &said.finding.sentence, &text(said)),
        false => format!("      <skipped message=\"{}\"/>\n", attribute(&text(said))),
    }
}

fn problem(element: &str, kind: &str, message: &str, text: &str) -> String {
    format!(
        "      <{element} type=\"{}\" message=\"{}\">{}</{element}>\n",
        attribute(kind),
        attribute(message),
        escaped(text)
    )
}

fn case(class: &str, name: &str, inside: &str) -> String {
    let name = attribute(name);
    format!("    <testcase classname=\"{class}\" name=\"{name}\" time=\"0\">\n{inside}    </testcase>\n")
}

fn attribute(text: &str) -> String {
    escaped(text).replace('\n', "&#10;")
}

/// What XML 1.0 can hold: the rest is left out, names of things may have it.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_left_out() {
        assert_eq!(attribute("a<b>&\"c\u{1}\u{fffe}\nd é"), "a&lt;b&gt;&amp;&quot;c&#10;d é");
    }
}

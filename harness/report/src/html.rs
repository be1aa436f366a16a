//! The HTML report (first form).
use crate::Run;
use crate::console::{
    diagnostic::{Context, diagnostic},
    style::Paint,
};
use crate::text::xml;
use judge::Catalogue;

/// Renders a run as one self-contained page.
pub fn render(run: &Run, catalogue: &Catalogue) -> String {
    let mut out = String::from(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"><title>Parlance report</title><style>body{font:16px sans-serif;max-width:70rem;margin:auto}pre{overflow:auto;background:#eee;padding:.5rem}</style><h1>Parlance report</h1>",
    );
    let s = run.summary();
    out.push_str(&format!(
        "<p>{} passed, {} failed, {} warned, {} inconclusive, {} skipped, {} errors</p>",
        s.pass, s.fail, s.warn, s.inconclusive, s.skip, s.error
    ));
    let context = Context {
        catalogue,
        paint: Paint(false),
        width: 120,
        sources: None,
    };
    for scenario in &run.scenarios {
        out.push_str(&format!(
            "<details id=\"scenario={0}\"><summary>{1} {0}</summary>",
            xml(&scenario.info.id),
            scenario.outcome_word()
        ));
        for finding in scenario.violations() {
            out.push_str(&format!(
                "<pre>{}</pre>",
                xml(&diagnostic(&context, &scenario.last, finding))
            ));
        }
        for event in &scenario.last.events {
            out.push_str(&format!(
                "<h4>{}</h4>",
                xml(&crate::label::label(event).line())
            ));
            if let Some(bytes) = crate::evidence::bytes_of(event) {
                out.push_str(&format!(
                    "<pre>{}</pre>",
                    xml(&crate::text::visible_lines(&crate::text::lossless(bytes)))
                ));
            }
        }
        out.push_str("</details>");
    }
    out
}

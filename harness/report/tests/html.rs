//! The page: safe, self-contained, within its budget.

mod sample;

use report::{Run, html};

fn render(events: &[judge::RunEvent]) -> String {
    html::render(&Run::fold(events), &sample::catalogue())
}

/// Where to leave pages for people to look at: `PARLANCE_KEEP_PAGES=dir`.
fn keep(name: &str, page: &str) {
    if let Ok(dir) = std::env::var("PARLANCE_KEEP_PAGES") {
        std::fs::write(std::path::Path::new(&dir).join(name), page).unwrap();
    }
}

const ELEMENTS: &[&str] = &[
    "html",
    "head",
    "meta",
    "title",
    "link",
    "style",
    "body",
    "a",
    "header",
    "div",
    "p",
    "svg",
    "path",
    "span",
    "nav",
    "button",
    "main",
    "section",
    "h1",
    "h2",
    "h4",
    "dl",
    "dt",
    "dd",
    "b",
    "i",
    "ul",
    "li",
    "ol",
    "label",
    "input",
    "output",
    "noscript",
    "details",
    "summary",
    "article",
    "aside",
    "pre",
    "mark",
    "blockquote",
    "code",
    "g",
    "line",
    "circle",
    "text",
    "tspan",
    "rect",
    "footer",
    "kbd",
    "script",
];

const ATTRIBUTES: &[&str] = &[
    "lang",
    "charset",
    "http-equiv",
    "content",
    "name",
    "rel",
    "href",
    "class",
    "viewbox",
    "width",
    "height",
    "aria-hidden",
    "d",
    "aria-label",
    "aria-labelledby",
    "aria-describedby",
    "aria-pressed",
    "type",
    "id",
    "title",
    "hidden",
    "role",
    "for",
    "autocomplete",
    "spellcheck",
    "placeholder",
    "open",
    "tabindex",
    "x",
    "y",
    "x1",
    "x2",
    "y1",
    "y2",
    "cx",
    "cy",
    "r",
    "overflow",
    "data-verdict",
    "data-i",
    "data-v",
    "data-t",
    "data-s",
    "data-flaky",
    "data-waived",
    "data-changed",
    "data-sec",
    "data-r",
    "data-st",
];

/// Every start tag with its attributes, read as a browser does.
fn tags(page: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut tags = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if !rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            continue;
        }
        let end = rest
            .find(|c: char| c.is_whitespace() || c == '>' || c == '/')
            .unwrap();
        let name = rest[..end].to_lowercase();
        rest = &rest[end..];
        let mut attributes = Vec::new();
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
            if let Some(after) = rest.strip_prefix('>') {
                rest = after;
                break;
            }
            let end = rest
                .find(|c: char| c.is_whitespace() || "=>/".contains(c))
                .unwrap();
            let attribute = rest[..end].to_lowercase();
            rest = &rest[end..];
            let mut value = String::new();
            if let Some(quoted) = rest.strip_prefix("=\"") {
                let end = quoted.find('"').unwrap();
                value = quoted[..end].to_owned();
                rest = &quoted[end + 1..];
            } else {
                assert!(
                    !rest.starts_with('='),
                    "an attribute without quotes in <{name}>"
                );
            }
            attributes.push((attribute, value));
        }
        if name == "script" || name == "style" {
            rest = &rest[rest.find(&format!("</{name}")).unwrap()..];
        }
        tags.push((name, attributes));
    }
    tags
}

#[test]
fn no_payload_gets_out_of_its_quotes() {
    for (name, events) in [
        ("variety.html", sample::variety()),
        ("interrupted.html", sample::interrupted()),
    ] {
        let page = render(&events);
        keep(name, &page);
        assert!(!page.contains("<script>window.pwned"), "a script got out");
        assert!(!page.contains("<img"), "an element got out");
        assert!(!page.contains('\u{202e}') && !page.contains('\u{1b}'));
        assert_eq!(page.matches("</script>").count(), 2, "ours only");
        assert_eq!(page.matches("</svg>").count(), page.matches("<svg").count());
        // Nothing but our own elements and attributes, whatever the payloads say.
        for (name, attributes) in tags(&page) {
            assert!(ELEMENTS.contains(&name.as_str()), "<{name}>");
            for (attribute, value) in attributes {
                assert!(
                    ATTRIBUTES.contains(&attribute.as_str()),
                    "<{name} {attribute}=…>"
                );
                if attribute == "href" {
                    assert!(
                        value.starts_with('#') || value.starts_with("data:image/svg+xml,"),
                        "{value}"
                    );
                }
            }
        }
        assert!(page.contains("default-src 'none'"));
    }
}

#[test]
fn the_page_says_what_matters() {
    let page = render(&sample::variety());
    for text in [
        "Not conformant.",
        "id=\"scenario=server/join/bjoin-two-rooms\"",
        "id=\"req=XCCOSIP-3.2.3.5-06\"",
        "id=\"message=server/join/bjoin-two-rooms:4\"",
        "the reply is rpl:bjoin, the command was cmd:join",
        "The reply to a join names the same envelope and sequence number as the command it answers.",
        "<mark class=\"a\">id</mark>",
        "parlance run --target &#39;my target.yaml&#39; server/join/bjoin-two-rooms --seed 7",
        "the target declares cmd:getpref unsupported",
        "is stale: the requirement was checked",
        "section 3.2.3.5",
        "blame: target",
        "under test",
    ] {
        assert!(page.contains(text), "{text}");
    }
    let page = render(&sample::interrupted());
    assert!(page.contains("Interrupted: the run stopped before its end"));
    assert!(render(&[]).contains("Interrupted"));
}

#[test]
fn a_large_run_stays_within_its_budget() {
    let events = sample::large(200);
    let stored = report::ndjson::to_string(&events).len();
    let page = render(&events);
    keep("large.html", &page);
    println!("stream {stored} bytes, page {} bytes", page.len());
    assert!(page.len() <= html::BUDGET, "{} bytes", page.len());
    // And when the budget is far too small, what failed survives longest.
    let run = Run::fold(&sample::large(60));
    let small = html::render_within(&run, &sample::catalogue(), 400_000);
    assert!(small.len() <= 400_000, "{} bytes", small.len());
    assert!(small.contains("shown without their payloads"));
    assert!(small.contains("the reply is rpl:join, the command was cmd:bjoin"));
}

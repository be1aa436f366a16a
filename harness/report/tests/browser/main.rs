//! The page in a real browser: opens, filters, unfolds, follows addresses, and lets nothing in.
//!
//! Needs Chromium; without one it says so and passes, unless `PARLANCE_BROWSER=required`.

mod cdp;
#[path = "../sample/mod.rs"]
mod sample;

use cdp::Browser;
use report::{Run, html};
use serde_json::json;

fn page(dir: &std::path::Path, name: &str, events: &[judge::RunEvent]) -> String {
    let text = html::render(&Run::fold(events), &sample::catalogue());
    let file = dir.join(name);
    std::fs::write(&file, text).unwrap();
    format!("file://{}", file.display())
}

const SHOWN: &str = "[...document.querySelectorAll('.item')].filter(i => !i.hidden).length";

#[test]
fn the_page_works_in_chromium() {
    let Some(mut browser) = Browser::start() else {
        assert!(
            std::env::var("PARLANCE_BROWSER").as_deref() != Ok("required"),
            "Chromium is required and not installed"
        );
        println!("not checked: no Chromium here");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let variety = page(dir.path(), "variety.html", &sample::variety());
    let large = page(dir.path(), "large.html", &sample::large(200));

    opens_and_fits(&mut browser, &variety);
    filters(&mut browser, &variety);
    unfolds(&mut browser, &variety);
    addresses(&mut browser, &variety);
    keyboard(&mut browser, &variety);
    lets_nothing_in(&mut browser, &variety);
    names_everything(&mut browser, &variety);
    without_scripts(&mut browser, &variety);
    large_is_quick(&mut browser, &large);
    prints(&mut browser, &variety);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

fn opens_and_fits(b: &mut Browser, url: &str) {
    for (width, height, name) in [(1280, 900, "desktop"), (390, 844, "phone")] {
        b.open(url, width, height);
        assert_eq!(
            b.eval("document.querySelector('h1').textContent"),
            json!("Not conformant.")
        );
        assert_eq!(b.eval(SHOWN), json!(10));
        b.picture(&format!("{name}-top.png"));
        b.eval("document.getElementById('unfold').click()");
        b.until("[...document.querySelectorAll('.item .body')].every(e => e.firstElementChild)");
        b.eval("document.querySelectorAll('details').forEach(d => { d.open = true; })");
        assert_eq!(
            b.eval(&format!("document.documentElement.scrollWidth <= {width}")),
            json!(true),
            "the page is wider than a window of {width}: {}",
            b.eval(&format!("document.documentElement.scrollWidth + ': ' + [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > {width} && !e.closest('.rungs,.diff,.code')).slice(0,5).map(e => e.outerHTML.slice(0, 80)).join(', ')"))
        );
        b.eval("document.getElementById('message=server/join/bjoin-two-rooms:4').scrollIntoView({behavior:'instant',block:'start'})");
        b.picture(&format!("{name}-message.png"));
    }
    b.call(
        "Emulation.setEmulatedMedia",
        json!({"features": [{"name": "prefers-color-scheme", "value": "dark"}]}),
    );
    b.open(
        &format!("{url}#scenario=server/join/bjoin-two-rooms"),
        1280,
        900,
    );
    b.picture("desktop-dark.png");
    b.call("Emulation.setEmulatedMedia", json!({"features": []}));
}

fn filters(b: &mut Browser, url: &str) {
    b.open(url, 1280, 900);
    let mut expect = |text: &str, shown: usize| {
        b.eval(
            "document.getElementById('filter').focus(); document.getElementById('filter').select()",
        );
        b.type_text(text);
        assert_eq!(b.eval(SHOWN), json!(shown), "{text}");
    };
    expect("verdict:fail", 3);
    expect("verdict:skip,error", 2);
    expect("join", 3);
    expect("is:flaky", 1);
    expect("is:waived", 1);
    expect("is:changed", 2);
    expect("tag:chat", 10);
    expect("tag:other", 0);
    expect("req:XCCOSIP-3.2.3.5-06", 2);
    expect("req:XCCOSIP-3.2.3.*", 2);
    expect("section:3.2.3 verdict:fail", 1);
    expect("section:3.2.30", 0);
    expect("section:9", 0);
    expect("\"the reply is rpl:bjoin\"", 1);
    expect("status:violated", 10);
    assert_eq!(
        b.eval("[...document.querySelectorAll('.sect')].filter(s => !s.hidden).map(s => s.dataset.sec).join()"),
        json!("3.2.3.5")
    );
    b.press("Escape", "");
    assert_eq!(b.eval(SHOWN), json!(10));
    b.click("document.querySelector('.tile.fail')");
    assert_eq!(b.eval(SHOWN), json!(3));
    assert_eq!(
        b.eval("document.querySelector('.tile.fail').getAttribute('aria-pressed')"),
        json!("true")
    );
    b.click("document.querySelector('.tile.fail')");
    assert_eq!(b.eval(SHOWN), json!(10));
}

fn unfolds(b: &mut Browser, url: &str) {
    b.open(url, 1280, 900);
    let details = "document.getElementById('scenario=server/search/none')";
    assert_eq!(
        b.eval(&format!(
            "{details}.querySelector('.body').childElementCount"
        )),
        json!(0)
    );
    b.click(&format!("{details}.firstElementChild"));
    b.until(&format!(
        "{details}.open && {details}.querySelectorAll('.ladder svg.strip').length === 9"
    ));
    // The violating message is marked, and opens to its head and its payload with the place marked.
    let message = "document.getElementById('message=server/join/bjoin-two-rooms:4')";
    assert_eq!(
        b.eval(&format!("{message}.className")),
        json!("msg request fail")
    );
    b.click(&format!("{message}.firstElementChild"));
    b.until(&format!("{message}.open"));
    assert_eq!(
        b.eval(&format!(
            "[...{message}.querySelectorAll('mark')].map(m => m.textContent).join('')"
        )),
        json!("id=\"rpl:bjoin\"<chanib")
    );
    assert_eq!(
        b.eval(&format!(
            "{message}.querySelectorAll('pre.code')[1].textContent.split('\\n')[1]"
        )),
        json!("  <rpl id=\"rpl:bjoin\" seqid=\"1\">")
    );
    b.picture("desktop-open.png");
    b.click(&format!("{details}.querySelector('.copy')"));
    b.until(&format!(
        "/Copied|Selected/.test({details}.querySelector('.copy').textContent)"
    ));
}

fn addresses(b: &mut Browser, url: &str) {
    b.open(&format!("{url}#scenario=server/search/none"), 1280, 900);
    b.until("document.getElementById('scenario=server/search/none').open && document.querySelectorAll('.ladder').length === 4 || document.getElementById('scenario=server/search/none').querySelector('.ladder')");
    b.until("document.getElementById('scenario=server/search/none').getBoundingClientRect().top < innerHeight");
    b.open(&format!("{url}#req=XCCOSIP-3.1.7-02"), 390, 844);
    b.until("document.getElementById('section=3.1.7').open && document.getElementById('req=XCCOSIP-3.1.7-02').classList.contains('hit')");
    b.until("(() => { const r = document.getElementById('req=XCCOSIP-3.1.7-02').getBoundingClientRect(); return r.top >= 0 && r.bottom <= innerHeight; })()");
    b.picture("phone-requirement.png");
    b.open(&format!("{url}#message=server/chat/unjoined:4"), 1280, 900);
    b.until("document.getElementById('message=server/chat/unjoined:4').open");
    b.open(&format!("{url}#filter=verdict%3Afail"), 1280, 900);
    assert_eq!(b.eval(SHOWN), json!(3));
    // From inside the page, also when the filter hides the target.
    b.eval("location.hash = '#scenario=server/prefs/get'");
    b.until("document.getElementById('scenario=server/prefs/get').open && !document.getElementById('scenario=server/prefs/get').closest('.item').hidden");
    b.eval("location.hash = '#req=%'");
    b.eval("location.hash = '#no-such-thing'");
}

fn keyboard(b: &mut Browser, url: &str) {
    b.open(url, 1280, 900);
    b.press("/", "/");
    assert_eq!(b.eval("document.activeElement.id"), json!("filter"));
    b.type_text("verdict:skip");
    b.eval("document.activeElement.blur()");
    b.press("j", "j");
    assert_eq!(
        b.eval("document.activeElement.parentElement.id"),
        json!("scenario=server/prefs/get")
    );
    b.press("Enter", "\r");
    b.until("document.getElementById('scenario=server/prefs/get').open");
}

fn lets_nothing_in(b: &mut Browser, url: &str) {
    b.open(url, 1280, 900);
    b.eval("document.getElementById('unfold').click()");
    b.until("[...document.querySelectorAll('.item .body')].every(e => e.firstElementChild)");
    b.eval("document.querySelectorAll('details').forEach(d => { d.open = true; })");
    assert_eq!(b.eval("typeof window.pwned"), json!("undefined"));
    assert_eq!(
        b.eval("document.querySelectorAll('img, iframe, object, embed, form, main script').length"),
        json!(0)
    );
    assert_eq!(
        b.eval("[...document.querySelectorAll('*')].filter(e => [...e.attributes].some(a => /^on/.test(a.name))).length"),
        json!(0)
    );
    assert_eq!(b.complaints(), Vec::<String>::new());
    // Even markup that got in could not run: the policy stops it, loudly.
    b.eval("document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.pwned=1\">'); const s = document.createElement('script'); s.textContent = 'window.pwned=2'; document.body.append(s); 0");
    assert_eq!(
        b.eval("new Promise(r => setTimeout(() => r(typeof window.pwned), 50))"),
        json!("undefined")
    );
    assert!(!b.complaints().is_empty(), "the policy did not complain");
}

/// Whatever can be operated has a name that a screen reader can say.
fn names_everything(b: &mut Browser, url: &str) {
    b.open(url, 1280, 900);
    b.eval("document.querySelectorAll('details').forEach(d => { d.open = true; })");
    let tree = b.call("Accessibility.getFullAXTree", json!({}));
    let mut seen = 0;
    for node in tree["nodes"].as_array().unwrap() {
        let role = node["role"]["value"].as_str().unwrap_or("");
        if !node["ignored"].as_bool().unwrap_or(false)
            && matches!(
                role,
                "button" | "link" | "searchbox" | "textbox" | "DisclosureTriangle" | "region"
            )
        {
            seen += 1;
            assert_ne!(node["name"]["value"].as_str().unwrap_or(""), "", "{node}");
        }
    }
    assert!(seen > 50, "{seen}");
    for (scheme, least) in [("light", 4.5), ("dark", 4.5)] {
        b.call(
            "Emulation.setEmulatedMedia",
            json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]}),
        );
        let poor = b.eval(&CONTRAST.replace("LEAST", &least.to_string()));
        assert_eq!(poor, json!([]), "poor contrast in {scheme}");
    }
    b.call("Emulation.setEmulatedMedia", json!({"features": []}));
}

/// Texts whose contrast with what is behind them is below WCAG AA.
const CONTRAST: &str = r"(() => {
  const rgb = (c) => (c.match(/[\d.]+/g) || []).map(Number);
  const lum = ([r, g, b]) => [r, g, b].map(v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }).reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length === 3 || c[3] === 1) return c; } return [255, 255, 255]; };
  const poor = new Set();
  const walk = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !e.checkVisibility() || e.closest('svg, .none, .sr, noscript')) continue;
    const a = lum(rgb(getComputedStyle(e).color)), b = lum(behind(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < LEAST) poor.add(e.tagName + '.' + e.className + ' ' + ratio.toFixed(2) + ' ' + getComputedStyle(e).color + ' on ' + behind(e));
  }
  return [...poor];
})()";

fn without_scripts(b: &mut Browser, url: &str) {
    b.call(
        "Emulation.setScriptExecutionDisabled",
        json!({"value": true}),
    );
    b.go("about:blank");
    b.go(url);
    let root = b.call("DOM.getDocument", json!({"depth": 0}))["root"]["nodeId"].clone();
    let ladders = b.call(
        "DOM.querySelectorAll",
        json!({"nodeId": root, "selector": ".item.fail .ladder svg"}),
    );
    let ladders = ladders["nodeIds"].as_array().map_or(0, Vec::len);
    assert!(ladders > 0, "no failing exchange without scripts");
    b.call(
        "Emulation.setScriptExecutionDisabled",
        json!({"value": false}),
    );
}

fn large_is_quick(b: &mut Browser, url: &str) {
    b.open(url, 1280, 900);
    let ms = b.eval("performance.timing.loadEventEnd - performance.timing.navigationStart");
    println!("200 scenarios load in {ms} ms");
    assert!(ms.as_f64().unwrap() < 10_000.0, "{ms}");
    let ms = b.eval(
        "(() => { const f = document.getElementById('filter'); const t = performance.now(); f.value = 'section:3.2 verdict:fail case'; f.dispatchEvent(new Event('input')); return performance.now() - t; })()",
    );
    println!("filtering 200 scenarios takes {ms} ms");
    assert_eq!(b.eval(SHOWN), json!(20));
}

fn prints(b: &mut Browser, url: &str) {
    b.open(url, 1280, 900);
    let pdf = b.call("Page.printToPDF", json!({"printBackground": true}));
    let data = pdf["data"].as_str().unwrap();
    assert!(data.len() > 20_000, "{} characters of PDF", data.len());
    if let Ok(dir) = std::env::var("PARLANCE_KEEP_PAGES") {
        let bytes =
            base64::Engine::decode(&base64::engine::general_purpose::STANDARD, data).unwrap();
        std::fs::write(std::path::Path::new(&dir).join("print.pdf"), bytes).unwrap();
    }
}

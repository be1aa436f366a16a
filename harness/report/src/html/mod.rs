/*! `index.html`: the run as one self-contained page.

One file that opens from anywhere, loads nothing, and keeps its size: what
failed stands in the page as it is, everything else is packed (gzip, base64)
and unfolded by the page's script when it is opened; when that is still too
much, payloads of passing scenarios go first, those of failing ones last.
Every byte of a peer is escaped, and the policy of the page allows exactly the
one script and the one style sheet that belong to it, by hash.
*/

mod code;
mod filters;
mod ladder;
mod matrix;
mod pack;
mod scenario;

use askama::Template;
use judge::{Catalogue, Outcome, Status, Verdict, coverage};

use crate::run::Run;
use crate::text::{self, visible};
use matrix::{COLUMNS, Section};
use scenario::Body;

const SCRIPT: &str = include_str!("../../assets/report.js");
const STYLE: &str = include_str!("../../assets/report.css");

/// What the page is allowed to weigh, in bytes.
pub const BUDGET: usize = 5_000_000;

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    title: String,
    script: &'static str,
    style: &'static str,
    script_hash: String,
    style_hash: String,
    run: &'a Run,
    verdict: Banner,
    facts: Vec<(&'static str, String)>,
    tiles: Vec<Tile>,
    blame: [usize; 3],
    flaky: usize,
    waived: usize,
    problems: Vec<String>,
    broken: Vec<Broken>,
    items: Vec<Item>,
    sections: Vec<Section>,
    columns: Vec<&'static str>,
    totals: [usize; 5],
    covered: Option<String>,
    data: String,
    thinned: usize,
}

struct Banner {
    class: &'static str,
    words: String,
}

struct Tile {
    word: &'static str,
    label: &'static str,
    count: u32,
}

/// A requirement that was broken, with the scenarios that show it.
struct Broken {
    id: String,
    level: String,
    section: String,
    statement: String,
    scenarios: Vec<String>,
    more: usize,
}

struct Item {
    index: usize,
    id: String,
    title: String,
    word: &'static str,
    flaky: bool,
    waived: usize,
    changed: bool,
    new_snapshot: bool,
    reason: String,
    duration: String,
    requirements: Vec<String>,
    tags: Vec<String>,
    /// Lower-case text the filter looks into.
    search: String,
    /// The body in the page, when it is not packed.
    plain: Option<String>,
    open: bool,
}

/// Renders a run as one page within [`BUDGET`].
pub fn render(run: &Run, catalogue: &Catalogue) -> String {
    render_within(run, catalogue, BUDGET)
}

/// Renders a run as one page of at most `budget` bytes, as far as dropping payloads can achieve that.
pub fn render_within(run: &Run, catalogue: &Catalogue, budget: usize) -> String {
    let mut page = page(run, catalogue);
    page.data = data(run, catalogue, &[]);
    // What the packed bodies' keys and quotes take is small and known.
    let base = page.render().map_or(0, |text| text.len()) + 16 * run.scenarios.len() + 200;
    let room = budget.saturating_sub(base);
    let packed = pack::fit(run, room, |scenario, depth| {
        Body::new(run, scenario, catalogue, depth)
            .render()
            .unwrap_or_default()
    });
    page.thinned = packed.thinned;
    page.data = data(run, catalogue, &packed.bodies);
    for (item, body) in page.items.iter_mut().zip(packed.bodies) {
        if let pack::Packed::Plain(text) = body {
            item.plain = Some(text);
        }
    }
    // Writing to a string cannot fail, and the templates call nothing else that can.
    page.render().unwrap_or_default()
}

fn page<'a>(run: &'a Run, catalogue: &Catalogue) -> Page<'a> {
    let summary = run.summary();
    let target = run
        .info
        .as_ref()
        .map_or(String::new(), |i| visible(&i.target).into_owned());
    let sections = matrix::sections(run, catalogue);
    let mut totals = [0; 5];
    for section in &sections {
        for (total, n) in totals.iter_mut().zip(section.counts) {
            *total += n;
        }
    }
    let first_bad = run.scenarios.iter().position(is_bad);
    Page {
        title: if target.is_empty() {
            "Parlance report".to_owned()
        } else {
            format!("{target} · Parlance report")
        },
        script: SCRIPT,
        style: STYLE,
        script_hash: pack::hash(SCRIPT),
        style_hash: pack::hash(STYLE),
        run,
        verdict: banner(run),
        facts: facts(run),
        tiles: [
            ("pass", "passed", summary.pass),
            ("fail", "failed", summary.fail),
            ("warn", "warned", summary.warn),
            ("inconclusive", "inconclusive", summary.inconclusive),
            ("error", "errors", summary.error),
            ("skip", "skipped", summary.skip),
            ("unfinished", "unfinished", run.unfinished() as u32),
        ]
        .into_iter()
        .filter(|(word, _, count)| *count > 0 || *word != "unfinished")
        .map(|(word, label, count)| Tile { word, label, count })
        .collect(),
        blame: run.blame(),
        flaky: run.scenarios.iter().filter(|s| s.flaky()).count(),
        waived: run.scenarios.iter().map(|s| s.waived().count()).sum(),
        problems: run.end.as_ref().map_or(Vec::new(), |e| {
            e.problems.iter().map(|p| visible(p).into_owned()).collect()
        }),
        broken: broken(run, catalogue),
        items: run
            .scenarios
            .iter()
            .enumerate()
            .map(|(i, s)| item(i, s, first_bad == Some(i)))
            .collect(),
        covered: covered(run, catalogue),
        sections,
        columns: COLUMNS.iter().map(|s| column_word(*s)).collect(),
        totals,
        data: String::new(),
        thinned: 0,
    }
}

impl Page<'_> {
    fn total_bar(&self) -> Vec<(&'static str, String, String)> {
        matrix::bar(&self.totals)
    }

    fn cells(&self) -> Vec<(usize, &'static str)> {
        self.totals
            .iter()
            .copied()
            .zip(self.columns.iter().copied())
            .collect()
    }

    /// How many scenarios ended, of how many.
    fn counted(&self) -> String {
        let ended = self.run.scenarios.len() - self.run.unfinished();
        if self.run.selected as usize > ended {
            format!("{ended} of {} scenarios ended", self.run.selected)
        } else {
            text::count(ended, "scenario")
        }
    }
}

fn column_word(status: Status) -> &'static str {
    match status {
        Status::Violated => "violated",
        Status::Waived => "waived",
        Status::Satisfied => "satisfied",
        Status::NotExercised => "not exercised",
        Status::NotObservable => "not observable",
    }
}

fn is_bad(scenario: &crate::run::Scenario) -> bool {
    matches!(
        scenario.outcome(),
        Some(Outcome::Fail | Outcome::Error) | None
    )
}

fn banner(run: &Run) -> Banner {
    let of = |class, words: &str| Banner {
        class,
        words: words.to_owned(),
    };
    let Some(end) = &run.end else {
        return of(
            "error",
            "Interrupted: the run stopped before its end. This is what was known until then.",
        );
    };
    match end.exit_code {
        judge::exit::CONFORMANT if run.summary().warn > 0 => of(
            "warn",
            "Conformant: every MUST that was exercised held; some SHOULD did not.",
        ),
        judge::exit::CONFORMANT => of("pass", "Conformant: everything that ran passed."),
        judge::exit::VIOLATION => of("fail", "Not conformant."),
        judge::exit::ENVIRONMENT => of("error", "The environment failed: nothing is proven."),
        judge::exit::NOTHING_RAN => of("error", "Nothing ran: nothing is proven."),
        judge::exit::GATE => of("warn", "It ran, but a gate was not met."),
        judge::exit::HARNESS_BUG => of("error", "A fault of the harness itself; please report it."),
        judge::exit::INTERRUPTED => of("error", "Interrupted: this is what was known until then."),
        _ => of("error", "Ended."),
    }
}

fn facts(run: &Run) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    if let Some(info) = &run.info {
        let seat = match info.seat {
            trace::Seat::Client => "client",
            trace::Seat::Server => "server",
        };
        facts.push(("target", visible(&info.target).into_owned()));
        facts.push(("harness seat", seat.to_owned()));
        facts.push(("schema profile", visible(&info.profile).into_owned()));
        facts.push(("seed", info.seed.to_string()));
        if info.strict {
            facts.push(("strict", "a broken SHOULD counts".to_owned()));
        }
        facts.push(("started", visible(&info.started).into_owned()));
    }
    facts.push(("took", format!("{} s", text::seconds(run.duration_ms()))));
    if let Some(end) = &run.end {
        facts.push(("exit code", end.exit_code.to_string()));
    }
    if let Some(info) = &run.info {
        facts.push(("parlance", visible(&info.version).into_owned()));
    }
    facts
}

fn covered(run: &Run, catalogue: &Catalogue) -> Option<String> {
    let end = run.end.as_ref()?;
    let seat = run.info.as_ref().map(|info| info.seat.other());
    let reached = coverage::coverage(catalogue, &end.requirements, seat, |l| l.is_binding());
    (reached.observable > 0).then(|| {
        format!(
            "{} of the {} observable MUST and MUST NOT of the target were exercised ({:.1} %)",
            reached.exercised,
            reached.observable,
            reached.percent()
        )
    })
}

fn broken(run: &Run, catalogue: &Catalogue) -> Vec<Broken> {
    let mut by_id: indexmap::IndexMap<&str, (&judge::Finding, Vec<&str>)> =
        indexmap::IndexMap::new();
    for scenario in &run.scenarios {
        for finding in scenario.violations() {
            if finding.verdict != Verdict::Fail {
                continue;
            }
            let (_, scenarios) = by_id
                .entry(&finding.requirement)
                .or_insert((finding, Vec::new()));
            if scenarios.last() != Some(&scenario.info.id.as_str()) {
                scenarios.push(&scenario.info.id);
            }
        }
    }
    by_id
        .into_iter()
        .map(|(id, (first, scenarios))| {
            let requirement = catalogue.get(id);
            Broken {
                id: visible(id).into_owned(),
                level: first.level.to_string(),
                section: requirement.map_or(String::new(), |r| r.section.clone()),
                // `SCHEMA` and `SIP` state nothing by themselves; what was found first does.
                statement: match requirement {
                    Some(r) => r.statement.clone(),
                    None => visible(&text::cut(&first.message, 300)).into_owned(),
                },
                more: scenarios.len().saturating_sub(8),
                scenarios: scenarios
                    .into_iter()
                    .take(8)
                    .map(|s| visible(s).into_owned())
                    .collect(),
            }
        })
        .collect()
}

fn item(index: usize, scenario: &crate::run::Scenario, open: bool) -> Item {
    let mut requirements: Vec<String> = Vec::new();
    for finding in scenario.violations() {
        let id = visible(&finding.requirement);
        if !requirements.iter().any(|r| *r == id) {
            requirements.push(id.into_owned());
        }
    }
    let info = &scenario.info;
    let reason = scenario
        .reason()
        .map_or(String::new(), |r| visible(r).into_owned());
    let mut search = format!("{} {} {} {reason}", info.id, info.title, info.file);
    for finding in scenario.violations().take(20) {
        search.push_str(&format!(" {} {}", finding.requirement, finding.message));
    }
    let end = scenario.last.end.as_ref();
    let state = end.map_or(judge::SnapshotState::None, |e| e.snapshot);
    Item {
        index,
        id: visible(&info.id).into_owned(),
        title: visible(&info.title).into_owned(),
        word: scenario.outcome_word(),
        flaky: scenario.flaky(),
        waived: scenario.waived().count(),
        changed: state == judge::SnapshotState::Changed,
        new_snapshot: state == judge::SnapshotState::New,
        reason,
        duration: format!("{} s", text::seconds(scenario.duration_ms())),
        requirements,
        tags: info.tags.iter().map(|t| visible(t).into_owned()).collect(),
        search: visible(&text::cut(&search, 4_000).to_lowercase()).into_owned(),
        plain: None,
        open,
    }
}

/// The data the script works with, as JSON that cannot end its element.
fn data(run: &Run, catalogue: &Catalogue, bodies: &[pack::Packed]) -> String {
    let index: std::collections::HashMap<&str, usize> = run
        .scenarios
        .iter()
        .enumerate()
        .map(|(i, s)| (s.info.id.as_str(), i))
        .collect();
    let mut requirements = serde_json::Map::new();
    let digits = run.scenarios.len().div_ceil(4);
    let mut bits = |id: &str, scenarios: &mut dyn Iterator<Item = usize>| {
        let mut nibbles = vec![0u8; digits];
        for i in scenarios {
            nibbles[i / 4] |= 1 << (i % 4);
        }
        let hex: String = nibbles
            .iter()
            .map(|n| char::from_digit(u32::from(*n), 16).unwrap_or('0'))
            .collect();
        let section = catalogue.get(id).map_or("", |r| r.section.as_str());
        requirements.insert(
            visible(id).into_owned(),
            serde_json::json!([section, hex.trim_end_matches('0')]),
        );
    };
    for result in run.requirements() {
        if !result.scenarios.is_empty() {
            let mut which = result
                .scenarios
                .iter()
                .filter_map(|s| index.get(s.as_str()).copied());
            bits(&result.id, &mut which);
        }
    }
    if run.end.is_none() {
        // Without an end, what was found so far.
        let mut by_id: indexmap::IndexMap<&str, Vec<usize>> = indexmap::IndexMap::new();
        for (i, scenario) in run.scenarios.iter().enumerate() {
            for found in &scenario.last.findings {
                by_id.entry(&found.finding.requirement).or_default().push(i);
            }
        }
        for (id, which) in by_id {
            bits(id, &mut which.into_iter());
        }
    }
    let packed: serde_json::Map<String, serde_json::Value> = bodies
        .iter()
        .enumerate()
        .filter_map(|(i, body)| match body {
            pack::Packed::Gzip(text) => Some((i.to_string(), text.clone().into())),
            _ => None,
        })
        .collect();
    serde_json::json!({ "requirements": requirements, "packed": packed })
        .to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

/*! The kill matrix: does the suite find a peer that is wrong?

Takes the defect library and the scenarios; plays them, in memory and on a
paused clock, against our own peers with one defect at a time; gives for each
defect whether a finding named the requirement it breaks, another one, or
nothing. Scenarios that are known to look at that requirement go first, and a
defect is done with as soon as it is found; only survivors meet them all.
*/

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use judge::{Blame, RunEvent, RunInfo, Verdict};
use serde::Serialize;
use trace::Seat;
use xccos::defect::{Defect, Defects, How};

use crate::engine::{Options, Site, run};
use crate::lang::diag::Source;
use crate::lang::yaml;
use crate::library::Library;
use crate::plan::Scenario;
use crate::site::{ClientInMemory, EPOCH, ServerInMemory, server_world, world};

/// Why defects survive, by id.
const REASONS: &str = include_str!("survivors.yaml");

/// What became of a defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// A finding named the requirement it breaks.
    KilledRight,
    /// Findings named others only.
    KilledOther,
    /// Nothing was found.
    Survived,
}

/// One row of the matrix.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The defect.
    pub defect: String,
    /// Whose.
    pub seat: Seat,
    /// What the peer does.
    pub title: String,
    /// What it breaks.
    pub requirement: String,
    /// What became of it.
    pub fate: Fate,
    /// The scenario that found it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
    /// What that said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Other requirements that were named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<String>,
    /// Why it survives, when that is understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The whole of it.
#[derive(Debug, Clone, Serialize)]
pub struct Matrix {
    /// Rows, in the order of the library.
    pub rows: Vec<Row>,
    /// Milliseconds it took.
    pub duration_ms: u64,
}

impl Matrix {
    /// How many ended so.
    pub fn count(&self, fate: Fate) -> usize {
        self.count_of(None, Some(fate))
    }

    /// How many of one seat (none: of both) ended so (none: however they ended).
    pub fn count_of(&self, seat: Option<Seat>, fate: Option<Fate>) -> usize {
        self.rows
            .iter()
            .filter(|r| seat.is_none_or(|seat| r.seat == seat))
            .filter(|r| fate.is_none_or(|fate| r.fate == fate))
            .count()
    }

    /// Percentage found under the right requirement.
    pub fn percent(&self) -> f64 {
        self.percent_of(None)
    }

    /// Percentage of one seat's defects (none: of both seats') found under the right requirement.
    pub fn percent_of(&self, seat: Option<Seat>) -> f64 {
        match self.count_of(seat, None) {
            0 => 100.0,
            all => self.count_of(seat, Some(Fate::KilledRight)) as f64 * 100.0 / all as f64,
        }
    }

    /// Rows that are not found under their requirement, for no reason that was written down.
    pub fn unexplained(&self) -> impl Iterator<Item = &Row> {
        self.rows
            .iter()
            .filter(|r| r.fate != Fate::KilledRight && r.reason.is_none())
    }

    /// `kill-matrix.json`.
    pub fn json(&self) -> String {
        let summary = serde_json::json!({
            "defects": self.rows.len(),
            "killed_right": self.count(Fate::KilledRight),
            "killed_other": self.count(Fate::KilledOther),
            "survived": self.count(Fate::Survived),
            "percent_right": (self.percent() * 10.0).round() / 10.0,
            "duration_ms": self.duration_ms,
        });
        let whole =
            serde_json::json!({ "schema_version": 1, "summary": summary, "rows": self.rows });
        let mut text = serde_json::to_string_pretty(&whole).unwrap_or_default();
        text.push('\n');
        text
    }

    /// `kill-matrix.html`: one page, no script.
    pub fn html(&self) -> String {
        let mut out = String::from(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\">\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
             <title>Kill matrix</title><style>\
             :root{color-scheme:light dark}body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:76rem;padding:0 1rem}\
             table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid #8884}\
             code{font-size:.92em}.killed-right{color:#1a7f37}.killed-other{color:#9a6700}.survived{color:#cf222e;font-weight:600}\
             @media(prefers-color-scheme:dark){.killed-right{color:#3fb950}.killed-other{color:#d29922}.survived{color:#f85149}}\
             </style></head><body><h1>Kill matrix</h1>",
        );
        out.push_str(&format!(
            "<p>{} defects: {} found under the right requirement ({:.1} %), {} under another, {} not found. {} ms.</p>",
            self.rows.len(),
            self.count(Fate::KilledRight),
            self.percent(),
            self.count(Fate::KilledOther),
            self.count(Fate::Survived),
            self.duration_ms,
        ));
        out.push_str("<table><thead><tr><th>Defect</th><th>Breaks</th><th>Fate</th><th>Found by</th></tr></thead><tbody>");
        let mut rows: Vec<&Row> = self.rows.iter().collect();
        rows.sort_by_key(|r| match r.fate {
            Fate::Survived => 0,
            Fate::KilledOther => 1,
            Fate::KilledRight => 2,
        });
        for row in rows {
            let (class, fate) = match row.fate {
                Fate::KilledRight => ("killed-right", "right"),
                Fate::KilledOther => ("killed-other", "another"),
                Fate::Survived => ("survived", "survived"),
            };
            let mut by = escape(row.scenario.as_deref().unwrap_or(""));
            if let Some(message) = &row.message {
                by.push_str(&format!("<br>{}", escape(message)));
            }
            if !row.others.is_empty() && row.fate != Fate::KilledRight {
                by.push_str(&format!("<br>named: {}", escape(&row.others.join(", "))));
            }
            if let Some(reason) = &row.reason {
                by.push_str(&format!("<br><em>{}</em>", escape(reason)));
            }
            out.push_str(&format!(
                "<tr id=\"{id}\"><td><code>{id}</code><br>{}</td><td><code>{}</code></td><td class=\"{class}\">{fate}</td><td>{by}</td></tr>",
                escape(&row.title),
                escape(&row.requirement),
                id = escape(&row.defect),
            ));
        }
        out.push_str("</tbody></table></body></html>\n");
        out
    }

    /// Writes `kill-matrix.json` and `kill-matrix.html` into a folder.
    pub fn write(&self, folder: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        std::fs::write(folder.join("kill-matrix.json"), self.json())?;
        std::fs::write(folder.join("kill-matrix.html"), self.html())
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// Which defects to try.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    /// Every so many (0 and 1: all).
    pub every: usize,
    /// Only ids that hold this text.
    pub containing: Option<String>,
    /// Threads; 0: as many as the machine has.
    pub threads: usize,
}

/// Plays the suites against every defect of the sample.
pub fn matrix(library: &Library, sample: &Sample) -> Matrix {
    let began = Instant::now();
    let every = sample.every.max(1);
    let defects: Vec<Defect> = xccos::defect::defects()
        .filter(|d| {
            sample
                .containing
                .as_deref()
                .is_none_or(|t| d.id.contains(t))
        })
        .enumerate()
        .filter(|(i, _)| i % every == 0)
        .map(|(_, d)| d)
        .collect();
    let suites: HashMap<Seat, Suite> = [Seat::Server, Seat::Client]
        .into_iter()
        .filter_map(|seat| Some((seat, Suite::new(library, seat).ok()?)))
        .collect();
    let next = AtomicUsize::new(0);
    let rows: Mutex<Vec<(usize, Row)>> = Mutex::default();
    let threads = match sample.threads {
        0 => std::thread::available_parallelism().map_or(2, usize::from),
        n => n,
    };
    std::thread::scope(|scope| {
        for _ in 0..threads.min(defects.len()) {
            scope.spawn(|| {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    let Some(defect) = defects.get(i) else {
                        return;
                    };
                    let Some(suite) = suites.get(&defect.seat) else {
                        continue;
                    };
                    let row = suite.try_one(defect);
                    rows.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push((i, row));
                }
            });
        }
    });
    let mut rows = rows.into_inner().unwrap_or_else(PoisonError::into_inner);
    rows.sort_by_key(|(i, _)| *i);
    let reasons = reasons();
    let rows = rows
        .into_iter()
        .map(|(_, mut row)| {
            if row.fate != Fate::KilledRight {
                row.reason = reasons.get(&row.defect).cloned();
            }
            row
        })
        .collect();
    Matrix {
        rows,
        duration_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}

/// The written reasons of survivors.
fn reasons() -> HashMap<String, String> {
    let Ok(root) = yaml::parse(&Source::new("survivors.yaml", REASONS)) else {
        return HashMap::new();
    };
    root.entries()
        .filter_map(|(key, value)| Some((key.text.clone(), value.text()?.to_owned())))
        .collect()
}

/// The scenarios for one target seat, and which of them look at which requirement.
struct Suite {
    server: ServerInMemory,
    client: ClientInMemory,
    target: Seat,
    scenarios: Vec<Arc<Scenario>>,
    looks: HashMap<String, Vec<usize>>,
}

impl Suite {
    fn new(library: &Library, target: Seat) -> Result<Suite, judge::Unproven> {
        let mut suite = Suite {
            server: ServerInMemory::new(server_world())?,
            client: ClientInMemory::new(world())?,
            target,
            scenarios: library
                .scenarios
                .iter()
                .filter(|s| s.target.playable_from(target.other()))
                .cloned()
                .collect(),
            looks: HashMap::new(),
        };
        // One conformant run tells which scenario exercises what.
        let mut looks: HashMap<String, Vec<usize>> = HashMap::new();
        for (i, scenario) in suite.scenarios.iter().enumerate() {
            let found = suite.play(std::slice::from_ref(scenario), None);
            for finding in found {
                let list = looks.entry(finding.requirement).or_default();
                if list.last() != Some(&i) {
                    list.push(i);
                }
            }
            for id in &scenario.decides {
                let list = looks.entry(id.clone()).or_default();
                if !list.contains(&i) {
                    list.push(i);
                }
            }
        }
        suite.looks = looks;
        Ok(suite)
    }

    /// The order in which scenarios are likely to find it.
    fn order(&self, defect: &Defect) -> Vec<usize> {
        let mut order: Vec<usize> = std::iter::once(defect.requirement)
            .chain(defect.also.iter().copied())
            .filter_map(|id| self.looks.get(id))
            .flatten()
            .copied()
            .collect();
        order.extend(0..self.scenarios.len());
        let mut seen = vec![false; self.scenarios.len()];
        order.retain(|&i| !std::mem::replace(&mut seen[i], true));
        order
    }

    fn try_one(&self, defect: &Defect) -> Row {
        let mut row = Row {
            defect: defect.id.to_owned(),
            seat: defect.seat,
            title: defect.title.to_owned(),
            requirement: defect.requirement.to_owned(),
            fate: Fate::Survived,
            scenario: None,
            message: None,
            others: Vec::new(),
            reason: None,
        };
        let right = |id: &str| id == defect.requirement || defect.also.contains(&id);
        for i in self.order(defect) {
            let Some(scenario) = self.scenarios.get(i) else {
                continue;
            };
            let found = self.play(std::slice::from_ref(scenario), Some(defect));
            for finding in found {
                if finding.verdict < Verdict::Warn || finding.blame != Blame::Target {
                    continue;
                }
                if right(&finding.requirement) {
                    row.fate = Fate::KilledRight;
                    row.scenario = Some(scenario.id.clone());
                    row.message = Some(finding.message);
                    return row;
                }
                if row.fate == Fate::Survived {
                    row.fate = Fate::KilledOther;
                    row.scenario = Some(scenario.id.clone());
                    row.message = Some(finding.message.clone());
                }
                if !row.others.contains(&finding.requirement) {
                    row.others.push(finding.requirement);
                }
            }
        }
        row
    }

    /// Plays scenarios against our peer, with a defect or without; gives all findings.
    fn play(&self, scenarios: &[Arc<Scenario>], defect: Option<&Defect>) -> Vec<judge::Finding> {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
        else {
            return Vec::new();
        };
        let harness = self.target.other();
        let mut options = Options::new(RunInfo {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed: 1,
            seat: harness,
            profile: xccos::policy::INTEROP.to_owned(),
            target: "self".to_owned(),
            started: "2026-01-01T00:00:00Z".to_owned(),
            command: Vec::new(),
            strict: false,
        });
        options.epoch = Some(EPOCH);
        let site: Arc<dyn Site> = match self.target {
            Seat::Server => {
                let mut site = self.server.clone();
                if let Some(defect) = defect {
                    site.options.defects = Defects::named([defect.id]).unwrap_or_default();
                }
                Arc::new(site)
            }
            Seat::Client => {
                let mut site = self.client.clone();
                if let Some(How::Client(faults)) = defect.map(|d| d.how) {
                    site.options.faults = faults.to_vec();
                }
                Arc::new(site)
            }
        };
        let mut findings = Vec::new();
        runtime.block_on(async {
            run(scenarios, site, &options, &mut |event| {
                if let RunEvent::Found { finding, .. } = event {
                    findings.push(finding);
                }
            })
            .await;
        });
        findings
    }
}

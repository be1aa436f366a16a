//! The requirements: a matrix of section × status, each row opening to its requirements.

use std::collections::HashMap;

use indexmap::IndexMap;
use judge::{Catalogue, RequirementResult, Status};

use crate::run::{Run, status_word};
use crate::text::visible;

/// Scenarios that one requirement links to directly.
const LINKS: usize = 6;

/// The statuses in the order of the matrix' columns.
pub const COLUMNS: [Status; 5] = [
    Status::Violated,
    Status::Waived,
    Status::Satisfied,
    Status::NotExercised,
    Status::NotObservable,
];

/// One section of the document.
pub struct Section {
    /// Its number; `other` for ids outside the catalogue.
    pub number: String,
    /// Count per column.
    pub counts: [usize; 5],
    /// Its requirements.
    pub entries: Vec<Entry>,
}

impl Section {
    /// The counts with their words, for the eye and for screen readers.
    pub fn cells(&self) -> Vec<(usize, &'static str)> {
        COLUMNS
            .iter()
            .zip(self.counts)
            .map(|(status, n)| (n, status_word(*status)))
            .collect()
    }

    /// The bar's parts: class, start and length in percent.
    pub fn bar(&self) -> Vec<(&'static str, String, String)> {
        bar(&self.counts)
    }
}

/// One requirement.
pub struct Entry {
    /// Its id.
    pub id: String,
    /// MUST, SHOULD…
    pub level: String,
    /// Status as in `results.json`.
    pub status: &'static str,
    /// Its statement.
    pub statement: String,
    /// Who has to obey.
    pub role: String,
    /// Contradictions around it.
    pub conflicts: String,
    /// Scenarios to link to.
    pub links: Vec<String>,
    /// How many scenarios exercised it.
    pub exercised: usize,
}

/// Parts of a stacked bar: class, start and length in percent.
pub fn bar(counts: &[usize; 5]) -> Vec<(&'static str, String, String)> {
    let total = counts.iter().sum::<usize>().max(1) as f64;
    let mut start = 0.0;
    let mut parts = Vec::new();
    for (status, &n) in COLUMNS.iter().zip(counts) {
        let share = 100.0 * n as f64 / total;
        if n > 0 {
            parts.push((
                status_word(*status),
                format!("{start:.2}%"),
                format!("{share:.2}%"),
            ));
        }
        start += share;
    }
    parts
}

/// The matrix in document order.
pub fn sections(run: &Run, catalogue: &Catalogue) -> Vec<Section> {
    let results: HashMap<&str, &RequirementResult> =
        run.requirements().map(|r| (r.id.as_str(), r)).collect();
    let mut sections: IndexMap<String, Section> = IndexMap::new();
    let mut add = |number: &str, entry: Entry, status: Status| {
        let section = sections
            .entry(number.to_owned())
            .or_insert_with(|| Section {
                number: number.to_owned(),
                counts: [0; 5],
                entries: Vec::new(),
            });
        if let Some(column) = COLUMNS.iter().position(|s| *s == status) {
            section.counts[column] += 1;
        }
        section.entries.push(entry);
    };
    for requirement in catalogue.iter() {
        let result = results.get(requirement.id.as_str());
        let status = result.map_or(Status::NotExercised, |r| r.status);
        let role = match requirement.role {
            judge::Role::Client => "client",
            judge::Role::Server => "server",
            judge::Role::Both => "both",
            judge::Role::Message => "message",
        };
        let entry = Entry {
            id: requirement.id.clone(),
            level: requirement.level.to_string(),
            status: status_word(status),
            statement: requirement.statement.clone(),
            role: role.to_owned(),
            conflicts: requirement.conflicts.join(", "),
            links: links(result.copied()),
            exercised: result.map_or(0, |r| r.scenarios.len()),
        };
        add(&requirement.section, entry, status);
    }
    for result in run
        .requirements()
        .filter(|r| catalogue.get(&r.id).is_none())
    {
        let entry = Entry {
            id: visible(&result.id).into_owned(),
            level: result.level.to_string(),
            status: status_word(result.status),
            statement: match result.id.as_str() {
                "SCHEMA" => "The payload fits the schema of the chosen profile.".to_owned(),
                "SIP" => "The message follows RFC 3261.".to_owned(),
                "XML" => "The payload is well-formed XML.".to_owned(),
                _ => String::new(),
            },
            role: "both".to_owned(),
            conflicts: String::new(),
            links: links(Some(result)),
            exercised: result.scenarios.len(),
        };
        add("outside the catalogue", entry, result.status);
    }
    let mut sections: Vec<Section> = sections.into_values().collect();
    sections.sort_by_key(|s| section_key(&s.number));
    sections
}

fn links(result: Option<&RequirementResult>) -> Vec<String> {
    let Some(result) = result else {
        return Vec::new();
    };
    let decided = result.decided_by.as_ref().map(|(scenario, _)| scenario);
    let mut links: Vec<String> = decided.cloned().into_iter().collect();
    links.extend(
        result
            .scenarios
            .iter()
            .filter(|s| Some(*s) != decided)
            .cloned(),
    );
    links.truncate(LINKS);
    links
}

/// `3.2.10` after `3.2.9`; what is no number comes last.
fn section_key(number: &str) -> (bool, Vec<u32>, String) {
    let parts: Option<Vec<u32>> = number.split('.').map(|p| p.parse().ok()).collect();
    match parts {
        Some(parts) => (false, parts, String::new()),
        None => (true, Vec::new(), number.to_owned()),
    }
}

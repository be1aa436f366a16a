/*! The documents' contradictions and what the harness makes of each.

Takes `schemas/xccos/contradictions.yaml` (compiled in), gives for a schema
profile what is accepted and at which weight a requirement that stands in a
contradiction is reported. Rules don't ask; the desk through which every
finding goes does, so that the policy holds everywhere alike.
*/

use std::collections::HashMap;
use std::sync::OnceLock;

use serde::Deserialize;

const SOURCE: &str = include_str!("../../../schemas/xccos/contradictions.yaml");

/// Name of the profile that accepts what real implementations do.
pub const INTEROP: &str = "interop";
/// Name of the profile that takes the document by its letter.
pub const PUBLISHED: &str = "published";

/// How a broken requirement is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// As a failure.
    Fail,
    /// As a warning: the document is not of one mind.
    Warn,
    /// For the reader only: the other reading is as good.
    Info,
    /// Not at all.
    Off,
}

/// What one profile makes of a contradiction.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stance {
    /// What the harness takes without complaint.
    pub accepts: String,
    /// Requirements that weigh differently from their level, and how.
    #[serde(default)]
    pub reports: HashMap<String, Weight>,
}

/// A place where the documents contradict themselves, each other, or practice.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contradiction {
    /// `XC-17`.
    pub id: String,
    /// A: changes the wire; B: naming or typing; C: gap.
    pub severity: String,
    /// What stands against what.
    pub note: String,
    /// Requirements that stand in it.
    pub entries: Vec<String>,
    /// In the profile `interop`.
    pub interop: Stance,
    /// In the profile `published`.
    pub published: Stance,
    /// Why so.
    pub why: String,
}

impl Contradiction {
    /// The stance of a profile (anything but `published` is `interop`).
    pub fn stance(&self, profile: &str) -> &Stance {
        if profile == PUBLISHED {
            &self.published
        } else {
            &self.interop
        }
    }
}

/// All contradictions of MS-XCCOSIP, in order.
pub fn contradictions() -> &'static [Contradiction] {
    static LOADED: OnceLock<Vec<Contradiction>> = OnceLock::new();
    // The file is part of the program; a test reads it, so an unreadable one never ships.
    LOADED.get_or_init(|| serde_saphyr::from_str(SOURCE).unwrap_or_default())
}

/// What weight the policy gives to a broken requirement; none leaves it to its level.
pub fn weight(requirement: &str, profile: &str) -> Option<Weight> {
    static TABLES: OnceLock<[HashMap<&'static str, Weight>; 2]> = OnceLock::new();
    let tables = TABLES.get_or_init(|| {
        [INTEROP, PUBLISHED].map(|profile| {
            contradictions()
                .iter()
                .flat_map(|c| c.stance(profile).reports.iter())
                .map(|(id, weight)| (id.as_str(), *weight))
                .collect()
        })
    });
    tables[usize::from(profile == PUBLISHED)]
        .get(requirement)
        .copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_contradiction_has_a_stance_and_speaks_of_known_requirements() {
        let all: Vec<Contradiction> = serde_saphyr::from_str(SOURCE).unwrap();
        assert_eq!(all.len(), 81);
        let catalogue = crate::catalogue();
        let mut seen = HashMap::new();
        for c in &all {
            for id in c
                .entries
                .iter()
                .chain(c.interop.reports.keys())
                .chain(c.published.reports.keys())
            {
                assert!(catalogue.get(id).is_some(), "{}: unknown {id}", c.id);
            }
            for profile in [INTEROP, PUBLISHED] {
                assert!(!c.stance(profile).accepts.is_empty(), "{}", c.id);
                for id in c.stance(profile).reports.keys() {
                    let other = seen.insert((profile, id.clone()), c.id.clone());
                    assert_eq!(other, None, "{id} is weighed by two contradictions");
                }
            }
        }
        for requirement in catalogue.iter() {
            for id in &requirement.conflicts {
                assert!(
                    all.iter().any(|c| &c.id == id),
                    "{} names {id}, which is not in the ledger",
                    requirement.id
                );
            }
        }
    }
}

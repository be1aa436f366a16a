/*! The requirement catalogue of MS-XCCOSIP, as data of the product.

Takes `schemas/xccos/requirements.yaml` (compiled in), gives the judge's
[`Catalogue`] and, beside it, what each entry speaks of: `uib/@guid` and the
aspect of it (that it is there, its form, its values), from which the block
rules are built. It holds no rule and no text of its own.
*/

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use judge::{Catalogue, Level, Observable, Requirement, Role};
use serde::Deserialize;

const SOURCE: &str = include_str!("../../../schemas/xccos/requirements.yaml");

/// What an entry says about an attribute.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Aspect {
    /// It has to be there.
    Present,
    /// Its value has a lexical form (`GUID string`, `Boolean`).
    Form(String),
    /// Only listed values are allowed.
    Values,
}

/// What an entry of the catalogue speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// `uib/@guid`, `cmd:join: chanid count`, or words.
    pub text: String,
    /// The aspect, for entries about one attribute.
    pub aspect: Option<Aspect>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    section: String,
    role: Role,
    #[serde(default)]
    sender: Option<trace::Seat>,
    level: Level,
    statement: String,
    subject: String,
    #[serde(default)]
    aspect: Option<String>,
    observable: Observable,
    #[serde(default)]
    conflicts: Vec<String>,
    checked_by: Vec<String>,
}

struct Loaded {
    catalogue: Arc<Catalogue>,
    subjects: HashMap<String, Subject>,
}

fn loaded() -> &'static Loaded {
    static LOADED: OnceLock<Loaded> = OnceLock::new();
    LOADED.get_or_init(|| {
        // The file is part of the program; a test reads it, so an unreadable one never ships.
        read(SOURCE).unwrap_or_else(|_| Loaded {
            catalogue: Arc::new(Catalogue::default()),
            subjects: HashMap::new(),
        })
    })
}

fn read(source: &str) -> Result<Loaded, String> {
    let entries: Vec<Entry> = serde_saphyr::from_str(source).map_err(|e| e.to_string())?;
    let mut subjects = HashMap::with_capacity(entries.len());
    let mut requirements = Vec::with_capacity(entries.len());
    for entry in entries {
        let aspect = match entry.aspect.as_deref() {
            None => None,
            Some("present") => Some(Aspect::Present),
            Some("values") => Some(Aspect::Values),
            Some(other) => match other.strip_prefix("form ") {
                Some(form) => Some(Aspect::Form(form.to_owned())),
                None => return Err(format!("{}: unknown aspect {other}", entry.id)),
            },
        };
        subjects.insert(
            entry.id.clone(),
            Subject {
                text: entry.subject,
                aspect,
            },
        );
        requirements.push(Requirement {
            id: entry.id,
            section: entry.section,
            role: entry.role,
            sender: entry.sender,
            level: entry.level,
            statement: entry.statement,
            observable: entry.observable,
            conflicts: entry.conflicts,
            checked_by: entry.checked_by,
        });
    }
    Ok(Loaded {
        catalogue: Arc::new(Catalogue::new(requirements).map_err(|e| e.to_string())?),
        subjects,
    })
}

/// All requirements of MS-XCCOSIP, in document order.
pub fn catalogue() -> Arc<Catalogue> {
    loaded().catalogue.clone()
}

/// What a requirement speaks of.
pub fn subject(id: &str) -> Option<&'static Subject> {
    loaded().subjects.get(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_whole() {
        let loaded = read(SOURCE).unwrap();
        assert_eq!(loaded.catalogue.len(), 1107);
        for requirement in loaded.catalogue.iter() {
            assert!(
                !requirement.checked_by.is_empty(),
                "{} does not say how it is checked",
                requirement.id
            );
            let section = requirement.id["XCCOSIP-".len()..]
                .rsplit_once('-')
                .unwrap()
                .0;
            assert_eq!(section, requirement.section, "{}", requirement.id);
        }
        let guid = &loaded.subjects["XCCOSIP-2.2.2.1.4-07"];
        assert_eq!(guid.text, "uib/@guid");
        assert_eq!(guid.aspect, Some(Aspect::Form("GUID string".into())));
    }
}

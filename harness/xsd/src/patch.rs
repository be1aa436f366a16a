//! The errata ledger: numbered, machine-applied changes to a schema text.
//!
//! Takes the ledger (YAML) and a published text; gives the text of a profile, and for one erratum what stood there
//! before and what stands there after. All changes are located in the published text, so they commute; a change
//! that no longer matches exactly once, or that touches what another one touches, is an error naming the erratum.
//! It knows nothing about XSD: the text could be anything.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::lines::Lines;

/// One numbered defect of the text, with the changes that repair it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Erratum {
    /// The stable id, for example `ERR-X1`.
    pub id: String,
    /// One line: what is wrong.
    pub title: String,
    /// The sections that conflict.
    pub sections: Vec<String>,
    /// Why it was resolved this way.
    pub why: String,
    /// The profiles in which the changes apply.
    pub profiles: Vec<String>,
    /// The changes.
    pub patches: Vec<Patch>,
}

/// One exact replacement, located in the published text.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patch {
    /// Text that occurs once and after which to look; absent: from the start.
    #[serde(default)]
    pub after: Option<String>,
    /// Text before whose next occurrence to look; absent: to the end.
    #[serde(default)]
    pub before: Option<String>,
    /// What to replace; must occur exactly once in that region.
    pub find: String,
    /// What to put there.
    pub replace: String,
}

/// A list of errata, in the order of the file.
#[derive(Debug, Clone)]
pub struct Ledger {
    errata: Vec<Erratum>,
}

/// Why a ledger cannot be read or applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchError {
    /// The erratum at fault, when one is.
    pub erratum: Option<String>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for PatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.erratum {
            Some(id) => write!(f, "erratum {id}: {}", self.message),
            None => write!(f, "errata ledger: {}", self.message),
        }
    }
}

impl std::error::Error for PatchError {}

/// One change as people read it: whole lines before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The first line of the published text that it touches, from 1.
    pub line: u32,
    /// Those lines as published.
    pub before: String,
    /// The same lines with the change applied.
    pub after: String,
}

struct Edit<'l> {
    range: Range<usize>,
    erratum: &'l str,
    replace: &'l str,
}

impl Ledger {
    /// Reads a ledger.
    ///
    /// # Errors
    /// When the YAML is not a list of errata, an id occurs twice, or an erratum has no profile or no change.
    pub fn parse(yaml: &str) -> Result<Ledger, PatchError> {
        let errata: Vec<Erratum> = serde_saphyr::from_str(yaml).map_err(|error| PatchError {
            erratum: None,
            message: error.to_string(),
        })?;
        for (index, erratum) in errata.iter().enumerate() {
            let fail = |message: &str| {
                Err(PatchError {
                    erratum: Some(erratum.id.clone()),
                    message: message.to_owned(),
                })
            };
            if errata[..index].iter().any(|other| other.id == erratum.id) {
                return fail("the id occurs twice");
            }
            if erratum.profiles.is_empty() || erratum.patches.is_empty() {
                return fail("it needs at least one profile and one patch");
            }
        }
        Ok(Ledger { errata })
    }

    /// All errata, in the order of the file.
    pub fn errata(&self) -> &[Erratum] {
        &self.errata
    }

    /// The erratum with this id; case does not matter.
    pub fn erratum(&self, id: &str) -> Option<&Erratum> {
        self.errata
            .iter()
            .find(|erratum| erratum.id.eq_ignore_ascii_case(id))
    }

    /// Every profile that some erratum names, in order of first mention.
    pub fn profiles(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for name in self.errata.iter().flat_map(|erratum| &erratum.profiles) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }

    /// The text with every change of the profile applied.
    ///
    /// # Errors
    /// When the profile is unknown, a change does not match exactly once, or two changes overlap.
    pub fn apply(&self, text: &str, profile: &str) -> Result<String, PatchError> {
        if !self.profiles().contains(&profile) {
            let known = self.profiles().join(", ");
            return Err(PatchError {
                erratum: None,
                message: format!("no erratum names the profile \"{profile}\"; known: {known}"),
            });
        }
        let mut edits = Vec::new();
        for erratum in &self.errata {
            if erratum.profiles.iter().any(|name| name == profile) {
                locate(erratum, text, &mut edits)?;
            }
        }
        splice(text, edits)
    }

    /// What one erratum changes, as whole lines of the published text before and after.
    ///
    /// # Errors
    /// As [`Ledger::apply`], for this erratum alone.
    pub fn changes(&self, erratum: &Erratum, text: &str) -> Result<Vec<Change>, PatchError> {
        let mut edits = Vec::new();
        locate(erratum, text, &mut edits)?;
        edits.sort_by_key(|edit| edit.range.start);
        let lines = Lines::new(text);
        Ok(edits
            .into_iter()
            .map(|edit| {
                let start = text[..edit.range.start].rfind('\n').map_or(0, |at| at + 1);
                let end = text[edit.range.end..]
                    .find('\n')
                    .map_or(text.len(), |at| edit.range.end + at);
                Change {
                    line: lines.position(start).line,
                    before: text[start..end].to_owned(),
                    after: [
                        &text[start..edit.range.start],
                        edit.replace,
                        &text[edit.range.end..end],
                    ]
                    .concat(),
                }
            })
            .collect())
    }
}

fn locate<'l>(
    erratum: &'l Erratum,
    text: &str,
    edits: &mut Vec<Edit<'l>>,
) -> Result<(), PatchError> {
    for patch in &erratum.patches {
        let fail = |what: &str, count: usize| PatchError {
            erratum: Some(erratum.id.clone()),
            message: format!("{what} must occur exactly once, and occurs {count} times"),
        };
        let from = match &patch.after {
            None => 0,
            Some(anchor) => {
                let count = text.matches(anchor.as_str()).count();
                if count != 1 {
                    return Err(fail(&format!("the anchor {anchor:?}"), count));
                }
                text.find(anchor.as_str()).unwrap_or_default() + anchor.len()
            }
        };
        let to = match &patch.before {
            None => text.len(),
            Some(anchor) => match text[from..].find(anchor.as_str()) {
                Some(at) => from + at,
                None => return Err(fail(&format!("the end {anchor:?}"), 0)),
            },
        };
        let region = &text[from..to];
        let count = region.matches(patch.find.as_str()).count();
        match region.find(patch.find.as_str()) {
            Some(at) if count == 1 && !patch.find.is_empty() => edits.push(Edit {
                range: from + at..from + at + patch.find.len(),
                erratum: &erratum.id,
                replace: &patch.replace,
            }),
            _ => return Err(fail(&format!("the text {:?}", patch.find), count)),
        }
    }
    Ok(())
}

fn splice(text: &str, mut edits: Vec<Edit<'_>>) -> Result<String, PatchError> {
    edits.sort_by_key(|edit| edit.range.start);
    let mut out = String::with_capacity(text.len() * 2);
    let mut at = 0;
    let mut previous = "";
    for edit in edits {
        if edit.range.start < at {
            return Err(PatchError {
                erratum: Some(edit.erratum.to_owned()),
                message: format!("it changes the same text as erratum {previous}"),
            });
        }
        out.push_str(&text[at..edit.range.start]);
        out.push_str(edit.replace);
        at = edit.range.end;
        previous = edit.erratum;
    }
    out.push_str(&text[at..]);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEDGER: &str = "
- id: ERR-1
  title: one
  sections: ['1']
  why: because
  profiles: [a, b]
  patches:
    - { after: first, before: end, find: x, replace: y }
- id: ERR-2
  title: two
  sections: ['2']
  why: because
  profiles: [b]
  patches:
    - { find: second, replace: 2nd }
";

    #[test]
    fn applies_a_profile_and_shows_one_erratum() {
        let text = "x\n first x end\nsecond\n";
        let ledger = Ledger::parse(LEDGER).unwrap();
        assert_eq!(ledger.profiles(), ["a", "b"]);
        assert_eq!(
            ledger.apply(text, "a").unwrap(),
            "x\n first y end\nsecond\n"
        );
        assert_eq!(ledger.apply(text, "b").unwrap(), "x\n first y end\n2nd\n");
        let change = &ledger
            .changes(ledger.erratum("err-1").unwrap(), text)
            .unwrap()[0];
        assert_eq!(
            (change.line, change.before.as_str(), change.after.as_str()),
            (2, " first x end", " first y end")
        );
    }

    #[test]
    fn a_change_that_no_longer_matches_is_an_error_naming_the_erratum() {
        let ledger = Ledger::parse(LEDGER).unwrap();
        let error = ledger.apply("first x x end second", "a").unwrap_err();
        assert_eq!(error.erratum.as_deref(), Some("ERR-1"));
        assert!(error.message.contains("occurs 2 times"));
        assert!(ledger.apply("first z end second", "a").is_err());
        assert!(ledger.apply("x end second", "a").is_err());
        assert!(ledger.apply("x", "unknown").is_err());
    }

    #[test]
    fn overlapping_changes_and_bad_ledgers_are_errors() {
        let twice = LEDGER.replace("find: second", "find: 'st x'");
        let ledger = Ledger::parse(&twice).unwrap();
        let error = ledger.apply("first x end", "b").unwrap_err();
        assert!(error.message.contains("same text"), "{error}");
        assert!(Ledger::parse(&LEDGER.replace("ERR-2", "ERR-1")).is_err());
        assert!(Ledger::parse(&LEDGER.replace("why", "reason")).is_err());
    }
}

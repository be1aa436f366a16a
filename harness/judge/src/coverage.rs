/*! How much of a catalogue a run exercised.

Takes requirement results, gives counts; an id counts only when a check of it
really fired in that run.
*/

use serde::{Deserialize, Serialize};
use trace::Seat;

use crate::{Catalogue, Level, Observable, Requirement, RequirementResult, Role, Status};

/// Exercised against observable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Coverage {
    /// Entries a check of which fired.
    pub exercised: u32,
    /// Entries that can be seen on the wire or by the schema.
    pub observable: u32,
}

impl Coverage {
    /// In percent; all of nothing is 100.
    pub fn percent(self) -> f64 {
        if self.observable == 0 {
            return 100.0;
        }
        100.0 * f64::from(self.exercised) / f64::from(self.observable)
    }
}

/// Whether an implementation in that seat has to obey (none: whichever seat).
pub fn concerns(requirement: &Requirement, target: Option<Seat>) -> bool {
    if let (Some(sender), Some(seat)) = (requirement.sender, target) {
        return sender == seat;
    }
    match (requirement.role, target) {
        (_, None) | (Role::Both | Role::Message, _) => true,
        (Role::Client, Some(seat)) => seat == Seat::Client,
        (Role::Server, Some(seat)) => seat == Seat::Server,
    }
}

/// Coverage of the wire- and schema-observable entries that `target` has to obey and whose
/// level passes `levels`.
pub fn coverage(
    catalogue: &Catalogue,
    results: &[RequirementResult],
    target: Option<Seat>,
    levels: impl Fn(Level) -> bool,
) -> Coverage {
    let mut sum = Coverage::default();
    for result in results {
        let Some(requirement) = catalogue.get(&result.id) else {
            continue;
        };
        if !matches!(
            requirement.observable,
            Observable::Wire | Observable::Schema
        ) || !concerns(requirement, target)
            || !levels(requirement.level)
        {
            continue;
        }
        sum.observable += 1;
        if matches!(
            result.status,
            Status::Satisfied | Status::Violated | Status::Waived
        ) {
            sum.exercised += 1;
        }
    }
    sum
}

/*! The defect library of the client: each entry breaks one requirement on purpose.

Data only: an id, the requirement it is meant to break, words, and the
[`Fault`]s that make a client of section 3.1 into one that breaks it. An entry
whose break shows under another requirement as well names that in `also`.
*/

mod commands;
mod connection;
mod messages;
mod notices;
mod replies;
mod transactions;

use super::faults::Fault;
use crate::edit::{Change, Edit};

/// One deliberate defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// `client/…`.
    pub id: &'static str,
    /// The requirement it breaks.
    pub requirement: &'static str,
    /// Other requirements that the same break shows under.
    pub also: &'static [&'static str],
    /// What the client does.
    pub what: &'static str,
    /// How.
    pub faults: &'static [Fault],
}

/// Every entry, by section.
pub fn all() -> impl Iterator<Item = &'static Entry> {
    [
        connection::TABLE,
        transactions::TABLE,
        commands::TABLE,
        messages::TABLE,
        replies::TABLE,
        notices::TABLE,
    ]
    .into_iter()
    .flatten()
}

/// An entry by id.
pub fn get(id: &str) -> Option<&'static Entry> {
    all().find(|e| e.id == id)
}

/// An entry that breaks one requirement only.
const fn entry(
    id: &'static str,
    requirement: &'static str,
    what: &'static str,
    faults: &'static [Fault],
) -> Entry {
    Entry {
        id,
        requirement,
        also: &[],
        what,
        faults,
    }
}

impl Entry {
    const fn also(mut self, also: &'static [&'static str]) -> Entry {
        self.also = also;
        self
    }
}

/// Sends envelopes changed like this.
const fn out(path: &'static str, change: Change) -> Fault {
    Fault::Out(Edit::new(path, change))
}

/// Takes envelopes as if they read like this.
const fn take(path: &'static str, change: Change) -> Fault {
    Fault::In(Edit::new(path, change))
}

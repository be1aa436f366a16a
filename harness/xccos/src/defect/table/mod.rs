//! The server's defects: data only. Ids begin with `server/`; each row breaks the one requirement it names.

mod blocks;
mod carriage;
mod chats;
mod envelopes;
mod joins;
mod replies;
mod rooms;
mod searches;

use trace::Seat;

use super::{Carriage, Defect, How, Post, Slip};
use crate::edit::{Change, Edit};

/// All rows, in the order of the document.
pub(super) const SERVER: &[&[Defect]] = &[
    carriage::TABLE,
    blocks::TABLE,
    envelopes::TABLE,
    replies::TABLE,
    joins::TABLE,
    chats::TABLE,
    searches::TABLE,
    rooms::TABLE,
];

const fn d(id: &'static str, requirement: &'static str, title: &'static str, how: How) -> Defect {
    Defect {
        id,
        seat: Seat::Server,
        requirement,
        also: &[],
        title,
        how,
    }
}

impl Defect {
    const fn also(mut self, also: &'static [&'static str]) -> Defect {
        self.also = also;
        self
    }
}

const fn e(path: &'static str, change: Change) -> Edit {
    Edit::new(path, change)
}

/*! Who is in which room, as far as the wire tells (3.2.3.1).

Takes joins, parts, kicks, byes and lost connections of every endpoint, gives
for each endpoint and room whether it is in, out, or may be either. Between a
command and its reply nobody outside can know; then it may be either, and
whoever asks has to stay silent. Fan-out lies in `chats`, notices in `audience`.
*/

use std::collections::HashMap;

use trace::Micros;

use super::decode::{Decoder, DialogId};
use super::forms;
use crate::payload::Element;

/// A room's name for comparing: `domain/guid`, or the URI in lower case.
pub(crate) type Room = String;

/// A room as the wire spells it.
pub(crate) fn uri(room: &Room) -> String {
    match room.split_once('/') {
        Some((domain, guid)) if guid.len() == 32 => {
            format!("ma-chan://{domain}/{}", forms::dashed(guid))
        }
        _ => room.clone(),
    }
}

/// The room a URI names.
pub(crate) fn room(uri: &str) -> Room {
    match forms::channel(uri) {
        Some((domain, guid)) => format!("{domain}/{guid}"),
        None => uri.trim().to_ascii_lowercase(),
    }
}

/// Whether an endpoint is in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stay {
    /// Surely, since that event; its join was sent at the event before.
    In { asked: u64, since: u64 },
    /// Nobody outside can tell, since that event.
    Maybe { since: u64 },
    /// Surely not, since that event.
    Out { since: u64 },
}

/// See the module.
#[derive(Default)]
pub(crate) struct Rooms {
    stays: HashMap<(DialogId, Room), Stay>,
    by_guid: HashMap<String, Room>,
    tried: std::collections::HashSet<(DialogId, Option<Room>)>,
    /// Stays that ended: endpoint, room, event they began with, when they ended.
    past: Vec<(DialogId, Room, u64, Micros)>,
    /// The recording's clock.
    pub now: Micros,
    /// Rooms that keep their participants to themselves.
    pub silent: std::collections::HashSet<Room>,
}

impl Rooms {
    /// Remembers a room's full name behind its GUID.
    pub fn learn(&mut self, uri: &str) -> Room {
        let room = room(uri);
        if let Some((_, guid)) = forms::channel(uri) {
            self.by_guid.insert(guid, room.clone());
        }
        room
    }

    /// The room behind a GUID in a domain.
    pub fn by_guid(&self, guid: &str, domain: &str) -> Room {
        self.by_guid
            .get(guid)
            .cloned()
            .unwrap_or_else(|| format!("{}/{guid}", domain.trim().to_ascii_lowercase()))
    }

    /// Where an endpoint is with a room. Never joined is out, when the recording would show it.
    pub fn stay(&self, decoder: &Decoder, dialog: DialogId, room: &str) -> Stay {
        if let Some(stay) = self.stays.get(&(dialog, room.to_owned())) {
            return *stay;
        }
        if decoder.dialog(dialog).is_some_and(|d| d.whole) {
            Stay::Out { since: 0 }
        } else {
            Stay::Maybe { since: 0 }
        }
    }

    /// An endpoint asks to join.
    pub fn asks(&mut self, dialog: DialogId, room: &Room, seq: u64) {
        let stay = self
            .stays
            .entry((dialog, room.clone()))
            .or_insert(Stay::Out { since: 0 });
        if !matches!(stay, Stay::In { .. }) {
            *stay = Stay::Maybe { since: seq };
        }
    }

    /// An endpoint was told that it is in.
    pub fn enters(&mut self, dialog: DialogId, room: &Room, asked: u64, seq: u64) {
        let stay = self
            .stays
            .entry((dialog, room.clone()))
            .or_insert(Stay::Out { since: 0 });
        if !matches!(stay, Stay::In { .. }) {
            *stay = Stay::In { asked, since: seq };
        }
    }

    /// An endpoint was told that it is not in.
    pub fn refused(&mut self, dialog: DialogId, room: &Room, seq: u64) {
        if let Some(stay) = self.stays.get_mut(&(dialog, room.clone()))
            && matches!(stay, Stay::Maybe { .. })
        {
            *stay = Stay::Out { since: seq };
        }
    }

    /// An endpoint may be about to leave.
    pub fn shaky(&mut self, dialog: DialogId, room: &Room, seq: u64) {
        self.set(dialog, room, Stay::Maybe { since: seq });
    }

    fn set(&mut self, dialog: DialogId, room: &Room, stay: Stay) {
        if let Some(Stay::In { since, .. }) = self.stays.insert((dialog, room.clone()), stay) {
            self.past.push((dialog, room.clone(), since, self.now));
        }
    }

    /// An endpoint is out.
    pub fn leaves(&mut self, dialog: DialogId, room: &Room, seq: u64) {
        self.set(dialog, room, Stay::Out { since: seq });
    }

    /// A client says BYE: what is on its way to it meets it still in its rooms, until the BYE is answered.
    pub fn leaving(&mut self, dialog: DialogId, seq: u64) -> Vec<(Room, u64)> {
        let left = self.over(dialog, seq);
        for (room, _) in &left {
            self.set(dialog, room, Stay::Maybe { since: seq });
        }
        left
    }

    /// A dialog is over; gives the rooms the endpoint was surely in.
    pub fn over(&mut self, dialog: DialogId, seq: u64) -> Vec<(Room, u64)> {
        let mut left = Vec::new();
        for ((d, room), stay) in &mut self.stays {
            if *d == dialog {
                if let Stay::In { since, .. } = stay {
                    left.push((room.clone(), *since));
                    self.past.push((dialog, room.clone(), *since, self.now));
                }
                *stay = Stay::Out { since: seq };
            }
        }
        left.sort();
        left
    }

    /// Everything known about a room, in the order of the dialogs.
    pub fn of(&self, room: &str) -> Vec<(DialogId, Stay)> {
        let mut list: Vec<_> = self
            .stays
            .iter()
            .filter(|((_, r), _)| r == room)
            .map(|((d, _), stay)| (*d, *stay))
            .collect();
        list.sort_by_key(|(d, _)| *d);
        list
    }

    /// Every sure stay in a room, the ended ones too: endpoint, event it began with, when it ended.
    pub fn stays(&self, room: &str) -> Vec<(DialogId, u64, Option<Micros>)> {
        let past = self
            .past
            .iter()
            .filter(|(_, r, ..)| r == room)
            .map(|(d, _, since, until)| (*d, *since, Some(*until)));
        let now = self
            .of(room)
            .into_iter()
            .filter_map(|(d, stay)| match stay {
                Stay::In { since, .. } => Some((d, since, None)),
                _ => None,
            });
        past.chain(now).collect()
    }

    /// Whether an endpoint surely is in some room.
    pub fn inside(&self, dialog: DialogId) -> bool {
        self.stays
            .iter()
            .any(|((d, _), stay)| *d == dialog && matches!(stay, Stay::In { .. }))
    }

    /// A client asked to join, well or badly.
    pub fn tries(&mut self, dialog: DialogId, data: Option<&Element>) {
        let rooms = named(self, data);
        if rooms.is_empty() {
            self.tried.insert((dialog, None));
        }
        self.tried
            .extend(rooms.into_iter().map(|r| (dialog, Some(r))));
    }

    /// Whether this endpoint may ever have asked to join the room.
    pub fn tried(&self, dialog: DialogId, room: &Room) -> bool {
        self.tried.contains(&(dialog, None)) || self.tried.contains(&(dialog, Some(room.clone())))
    }

    /// Whether an endpoint ever asked for a room, or was in one.
    pub fn ever(&self, dialog: DialogId) -> bool {
        self.stays.keys().any(|(d, _)| *d == dialog)
    }

    /// An update that may throw people out of a room.
    pub fn unsettled(&mut self, room: &Room, but: DialogId, seq: u64) {
        for ((dialog, r), stay) in &mut self.stays {
            if r == room
                && *dialog != but
                && let Stay::In { since, .. } = *stay
            {
                self.past.push((*dialog, r.clone(), since, self.now));
                *stay = Stay::Maybe { since: seq };
            }
        }
    }
}

/// The rooms a join or bjoin names.
pub(crate) fn named(rooms: &Rooms, data: Option<&Element>) -> Vec<Room> {
    let mut list = Vec::new();
    for chanid in data
        .map(|d| d.all("chanid").collect::<Vec<_>>())
        .unwrap_or_default()
    {
        let domain = chanid.get("domain").unwrap_or("");
        for guid in forms::tokens(chanid.get("value").unwrap_or("")).filter_map(forms::guid) {
            list.push(rooms.by_guid(&guid, domain));
        }
    }
    list
}

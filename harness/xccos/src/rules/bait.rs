/*! Replies a client has to drop (3.1.2.1.5 – 3.1.2.1.7).

Takes every rpl a server sends, works out by the steps of 3.1.2.1.5 whether
the client may take it, and watches what the client does about the room in it.
A client that goes on as if it had joined took what it had to drop; the reason
names the requirement. Broken replies of a scenario are what this lives on.
*/

use std::collections::{HashMap, HashSet};

use trace::{Micros, Seat};

use super::decode::{Decoder, DialogId};
use super::desk::{Desk, Spot};
use super::exchange::Exchange;
use super::rooms::{Room, Rooms, Stay, room};
use super::{Doc, Limits};
use crate::payload::{Class, MsgId, Primitive};

const RULE: &str = "bait";

/// A failure: it ends its command, and what it carries is not used.
const FAILURE: &str = "XCCOSIP-3.1.2.1.5-18";

/// The ids this rule can decide.
pub(crate) const IDS: &[&str] = &[
    "XCCOSIP-3.1.2.1.1-01",
    "XCCOSIP-3.1.2.1.2-03",
    "XCCOSIP-3.1.2.1.3-06",
    "XCCOSIP-3.1.2.1.5-01",
    "XCCOSIP-3.1.2.1.5-02",
    "XCCOSIP-3.1.2.1.5-03",
    "XCCOSIP-3.1.2.1.5-04",
    "XCCOSIP-3.1.2.1.5-05",
    "XCCOSIP-3.1.2.1.5-06",
    "XCCOSIP-3.1.2.1.5-07",
    "XCCOSIP-3.1.2.1.5-08",
    "XCCOSIP-3.1.2.1.5-09",
    "XCCOSIP-3.1.2.1.5-10",
    "XCCOSIP-3.1.2.1.5-11",
    "XCCOSIP-3.1.2.1.5-12",
    "XCCOSIP-3.1.2.1.5-13",
    "XCCOSIP-3.1.2.1.5-14",
    "XCCOSIP-3.1.2.1.5-16",
    "XCCOSIP-3.1.2.1.5-17",
    "XCCOSIP-3.1.2.1.5-18",
    "XCCOSIP-3.1.2.1.6-01",
    "XCCOSIP-3.1.2.1.7-01",
];

/// A reply to drop.
struct Bait {
    entry: &'static str,
    dialog: DialogId,
    room: Room,
    event: u64,
    at: Micros,
    taken: bool,
}

/// A reply to take.
struct Good {
    dialog: DialogId,
    room: Room,
    entries: Vec<&'static str>,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Baits {
    baits: Vec<Bait>,
    good: Vec<Good>,
    /// Endpoints that ask for history after a join, so that silence means something.
    eager: HashSet<DialogId>,
    accepted: HashMap<(DialogId, Room), u64>,
    /// Commands that ended with a reply; one that had to be dropped ends nothing.
    ended: HashSet<(DialogId, MsgId)>,
}

impl Baits {
    /// A server sent a reply, before it is counted as an answer.
    pub fn reply(
        &mut self,
        doc: &Doc<'_>,
        primitive: &Primitive<'_>,
        exchange: &Exchange,
        limits: &Limits,
    ) {
        let Some(dialog) = doc.seen.dialog else {
            return;
        };
        if primitive.class != Class::Rpl {
            return;
        }
        let rooms: Vec<Room> = primitive
            .data()
            .map(|d| {
                d.all("chanib")
                    .filter_map(|c| c.get("uri"))
                    .map(room)
                    .collect()
            })
            .unwrap_or_default();
        let joins = matches!(primitive.id(), "rpl:join" | "rpl:bjoin");
        let ends = primitive.commandid().map(|id| (dialog, id));
        let over = ends.is_some_and(|id| self.ended.contains(&id));
        let reason = drop_reason(doc, primitive, exchange, limits, dialog, over);
        if let (Ok(_) | Err(Some(FAILURE)), Some(id)) = (&reason, ends) {
            self.ended.insert(id);
        }
        match reason {
            Ok(at) => {
                let Some(sent) = exchange.sent.get(at).filter(|_| joins) else {
                    return;
                };
                let mut entries = vec![
                    "XCCOSIP-3.1.2.1.5-01",
                    "XCCOSIP-3.1.2.1.5-04",
                    "XCCOSIP-3.1.2.1.5-14",
                    "XCCOSIP-3.1.2.1.5-16",
                    "XCCOSIP-3.1.2.1.5-17",
                    "XCCOSIP-3.1.2.1.3-06",
                ];
                if sent.id.is_some_and(|id| id.envid > u64::from(u32::MAX)) {
                    entries.push("XCCOSIP-3.1.2.1.1-01");
                }
                for room in rooms {
                    self.accepted.insert((dialog, room.clone()), doc.seen.seq);
                    self.good.push(Good {
                        dialog,
                        room,
                        entries: entries.clone(),
                    });
                }
            }
            Err(entry) => {
                // Only a join shows outside whether it was taken.
                let shows = joins
                    || exchange.sent.iter().any(|s| {
                        s.dialog == dialog
                            && s.row
                                .is_some_and(|r| matches!(r.id, "cmd:join" | "cmd:bjoin"))
                    });
                if let (Some(entry), true) = (entry, shows) {
                    for room in rooms {
                        self.baits.push(Bait {
                            entry,
                            dialog,
                            room,
                            event: doc.seen.seq,
                            at: doc.seen.at,
                            taken: false,
                        });
                    }
                }
            }
        }
    }

    /// A client sent something about a room.
    pub fn sent(
        &mut self,
        doc: &Doc<'_>,
        primitive: &Primitive<'_>,
        rooms: &Rooms,
        decoder: &Decoder,
        desk: &mut Desk,
    ) {
        let Some(dialog) = doc.seen.dialog else {
            return;
        };
        let data = primitive.data();
        if matches!(primitive.id(), "cmd:join" | "cmd:bjoin") {
            // What was dropped before has no part in the new attempt.
            let named = super::rooms::named(rooms, data);
            self.baits
                .retain(|b| !(b.dialog == dialog && named.contains(&b.room)) || b.taken);
            return;
        }
        if primitive.id() != "cmd:bccontext" {
            return;
        }
        let Some(name) = data
            .and_then(|d| d.first("chanib"))
            .and_then(|c| c.get("uri"))
            .map(room)
        else {
            return;
        };
        if let Some(at) = self
            .good
            .iter()
            .position(|g| g.dialog == dialog && g.room == name)
        {
            self.eager.insert(dialog);
            for entry in self.good.swap_remove(at).entries {
                desk.pass(RULE, entry, doc.seen);
            }
        }
        let joined = self.accepted.contains_key(&(dialog, name.clone()))
            || matches!(rooms.stay(decoder, dialog, &name), Stay::In { .. });
        if joined {
            return;
        }
        if let Some(bait) = self
            .baits
            .iter_mut()
            .rev()
            .find(|b| b.dialog == dialog && b.room == name && !b.taken)
        {
            bait.taken = true;
            let at = data
                .and_then(|d| d.first("chanib"))
                .unwrap_or(primitive.element);
            desk.conduct(
                RULE,
                bait.entry,
                doc.seen,
                Spot::element(&doc.tree.path_of(at), at),
                format!("the client goes on as if it had joined; the reply of event {} was to be dropped", bait.event),
            );
        }
    }

    /// What was dropped as it should be, by clients that would have shown it.
    pub fn finish(&self, limits: &Limits, decoder: &Decoder, desk: &mut Desk) {
        for bait in self
            .baits
            .iter()
            .filter(|b| !b.taken && self.eager.contains(&b.dialog))
        {
            let Some(dialog) = decoder.dialog(bait.dialog) else {
                continue;
            };
            let until = dialog.over_at.unwrap_or(decoder.now);
            // A client that takes a reply shows it at once; a second is plenty.
            if until.saturating_sub(bait.at) >= (limits.reply / 10).min(1_000_000) {
                desk.pass_for(RULE, bait.entry, Seat::Client, bait.event, false);
            }
        }
    }
}

/// What the reply answers, or the requirement by which it is dropped (none: nobody can tell).
fn drop_reason(
    doc: &Doc<'_>,
    primitive: &Primitive<'_>,
    exchange: &Exchange,
    limits: &Limits,
    dialog: DialogId,
    over: bool,
) -> Result<usize, Option<&'static str>> {
    let reference = primitive.element.first("commandid");
    if !doc.valid() {
        return Err(Some(match reference {
            Some(r) if r.get("seqid").is_none() => "XCCOSIP-3.1.2.1.5-06",
            Some(r) if r.get("envid").is_none() => "XCCOSIP-3.1.2.1.5-07",
            _ if doc.fits(primitive.element) => "XCCOSIP-3.1.2.1.5-03",
            _ if primitive
                .element
                .first("resp")
                .is_some_and(|r| r.get("code").is_none()) =>
            {
                "XCCOSIP-3.1.2.1.5-11"
            }
            _ => "XCCOSIP-3.1.2.1.5-02",
        }));
    }
    let Some(reference) = reference else {
        return Err(Some("XCCOSIP-3.1.2.1.5-05"));
    };
    let Some(id) = MsgId::read(reference) else {
        return Err(None);
    };
    let Some(at) = exchange.find(dialog, id) else {
        let sent = || {
            exchange
                .sent
                .iter()
                .filter(|s| s.dialog == dialog)
                .filter_map(|s| s.id)
        };
        return Err(if sent().any(|s| s.envid == id.envid) {
            Some("XCCOSIP-3.1.2.1.5-09")
        } else if sent().next().is_some() {
            Some("XCCOSIP-3.1.2.1.5-08")
        } else {
            None
        });
    };
    let Some(sent) = exchange.sent.get(at) else {
        return Err(None);
    };
    if sent.class != Class::Cmd {
        return Err(None);
    }
    if sent.void {
        return Err(Some("XCCOSIP-3.1.2.1.7-01"));
    }
    if over {
        return Err(Some("XCCOSIP-3.1.2.1.5-10"));
    }
    // Half a second either way: the client's clock starts before the recorder's.
    let age = doc.seen.at.saturating_sub(sent.at);
    if age > limits.reply + limits.reply / 20 {
        return Err(Some("XCCOSIP-3.1.2.1.6-01"));
    }
    if age > limits.reply - limits.reply / 20 {
        return Err(None);
    }
    let Some(code) = primitive.code() else {
        return Err(Some("XCCOSIP-3.1.2.1.5-11"));
    };
    let Some(row) = sent.row else {
        return Err(None);
    };
    if primitive.id() != row.reply {
        if row.id == "cmd:bjoin" && primitive.id() == "rpl:bccontext"
            || row.id.starts_with("cmd:requ")
        {
            return Err(None);
        }
        return Err(Some(
            if row.id == "cmd:join" && primitive.id() == "rpl:bjoin" {
                "XCCOSIP-3.1.2.1.5-13"
            } else {
                "XCCOSIP-3.1.2.1.5-12"
            },
        ));
    }
    if code != 200 {
        return Err(Some(FAILURE));
    }
    Ok(at)
}

/*! Who has to hear of a join, a part, a quit, and who must not (2.2.2.2.5, 3.2.3.1).

Takes what happened to endpoints and the notices a server sends, concludes
about the audience: everybody surely in the room hears of others once a user's
first endpoint joins or last endpoint leaves. Endpoints of the same user,
rooms without participant updates, and anything in doubt are left alone.
*/

use trace::{Micros, Seat};

use super::decode::{Decoder, Dialog, DialogId};
use super::desk::{Desk, Spot};
use super::forms;
use super::rooms::{Room, Rooms, Stay, room};
use super::{Doc, Limits};
use crate::payload::Primitive;
use crate::policy::Weight;

const RULE: &str = "audience";

/// The ids this rule can decide.
pub(crate) const IDS: &[&str] = &[
    "XCCOSIP-2.2.2.2.5-06",
    "XCCOSIP-2.2.2.2.5-10",
    "XCCOSIP-2.2.2.2.5-12",
    "XCCOSIP-2.2.2.2.5-15",
    "XCCOSIP-2.2.2.2.5-17",
    "XCCOSIP-3.2.3.1-05",
    "XCCOSIP-3.2.3.1-06",
    "XCCOSIP-3.2.4.5-10",
    "XCCOSIP-3.2.3.5-14",
    "XCCOSIP-3.2.4.5-17",
];

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Joined { many: bool },
    Parted,
    Quit,
}

/// A notice somebody is owed.
struct Due {
    what: What,
    user: String,
    room: Room,
    to: DialogId,
    /// Event and time of what happened.
    event: u64,
    at: Micros,
    heard: bool,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Audience {
    due: Vec<Due>,
    leaving: std::collections::HashSet<(DialogId, Room)>,
    /// Notices that nobody was owed yet: to whom, about whom, where, kind, event.
    ahead: Vec<(DialogId, String, Option<Room>, String, u64)>,
}

impl Audience {
    /// An endpoint that is surely in a room asks to leave it.
    pub fn leaving(&mut self, dialog: DialogId, room: &Room) {
        self.leaving.insert((dialog, room.clone()));
    }

    /// Whether an endpoint that left was surely in the room before it asked to.
    pub fn left(&mut self, dialog: DialogId, room: &Room) -> bool {
        self.leaving.remove(&(dialog, room.clone()))
    }

    /// Something happened to `dialog` in `room`: everyone else who is surely there hears of it.
    #[allow(clippy::too_many_arguments)]
    pub fn happened(
        &mut self,
        what: What,
        dialog: DialogId,
        name: &Room,
        begun: u64,
        event: u64,
        rooms: &Rooms,
        decoder: &Decoder,
    ) {
        if rooms.silent.contains(name) {
            return;
        }
        let Some(user) = decoder.dialog(dialog).map(|d| d.user.clone()) else {
            return;
        };
        let list = rooms.of(name);
        let own = |d: DialogId| decoder.dialog(d).is_some_and(|x| x.user == user);
        // Another endpoint of the same user that is, or may be, there: nothing changes for others, or nobody knows.
        if list
            .iter()
            .any(|(d, stay)| *d != dialog && own(*d) && !matches!(stay, Stay::Out { .. }))
        {
            return;
        }
        for (to, stay) in list {
            if let Stay::In { since, .. } = stay
                && since < begun
                && to != dialog
                && !own(to)
            {
                // A notice may come before the reply to the command that caused it.
                let ahead = self.ahead.iter().position(|(t, u, r, id, seq)| {
                    *t == to
                        && *u == user
                        && r.as_ref().is_none_or(|r| r == name)
                        && fits(what, id)
                        && *seq > begun
                });
                if let Some(ahead) = ahead {
                    self.ahead.remove(ahead);
                }
                self.due.push(Due {
                    what,
                    user: user.clone(),
                    room: name.clone(),
                    to,
                    event,
                    at: decoder.now,
                    heard: ahead.is_some(),
                });
            }
        }
    }

    /// A server sent a notice to an endpoint.
    pub fn notice(
        &mut self,
        doc: &Doc<'_>,
        primitive: &Primitive<'_>,
        rooms: &Rooms,
        decoder: &Decoder,
        desk: &mut Desk,
    ) {
        let (Some(to), Some(data)) = (doc.seen.dialog, primitive.data()) else {
            return;
        };
        let id = primitive.id();
        let heard: Vec<(String, Option<Room>)> = match id {
            "ntc:join" | "ntc:bjoin" => data
                .all("uib")
                .flat_map(|uib| {
                    let user = address(uib.get("uri"));
                    uib.all("aib")
                        .flat_map(|aib| {
                            let domain = aib.get("domain").unwrap_or("").to_owned();
                            forms::tokens(aib.get("value").unwrap_or(""))
                                .filter_map(forms::guid)
                                .map(|guid| rooms.by_guid(&guid, &domain))
                                .collect::<Vec<_>>()
                        })
                        .map(|room| (user.clone(), Some(room)))
                        .collect::<Vec<_>>()
                })
                .collect(),
            "ntc:part" | "ntc:quit" => {
                let beside: Vec<_> = data.all("uib").map(|u| address(u.get("uri"))).collect();
                let rooms: Vec<_> = data
                    .all("chanib")
                    .filter_map(|c| Some((room(c.get("uri")?), c)))
                    .collect();
                if rooms.is_empty() {
                    beside.into_iter().map(|u| (u, None)).collect()
                } else {
                    rooms
                        .into_iter()
                        .flat_map(|(name, c)| {
                            c.all("uib")
                                .map(|u| address(u.get("uri")))
                                .chain(beside.clone())
                                .map(|u| (u, Some(name.clone())))
                                .collect::<Vec<_>>()
                        })
                        .collect()
                }
            }
            _ => return,
        };
        for (user, name) in heard {
            self.hears(
                id,
                to,
                &user,
                name.as_ref(),
                doc,
                rooms,
                decoder,
                desk,
                primitive,
            );
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn hears(
        &mut self,
        id: &str,
        to: DialogId,
        user: &str,
        name: Option<&Room>,
        doc: &Doc<'_>,
        rooms: &Rooms,
        decoder: &Decoder,
        desk: &mut Desk,
        primitive: &Primitive<'_>,
    ) {
        let mut met = false;
        for due in self.due.iter_mut().rev() {
            // A quit without rooms speaks of all of them, other notices of one event each.
            if met && name.is_some() {
                break;
            }
            if due.to == to
                && fits(due.what, id)
                && same_user(&due.user, user)
                && name.is_none_or(|n| *n == due.room)
                && !due.heard
            {
                due.heard = true;
                met = true;
                let entries: &[&str] = match due.what {
                    What::Joined { many: true } => &["XCCOSIP-2.2.2.2.5-06"],
                    What::Joined { many: false } => &["XCCOSIP-2.2.2.2.5-10", "XCCOSIP-3.2.4.5-17"],
                    What::Parted => &["XCCOSIP-2.2.2.2.5-12", "XCCOSIP-3.2.3.1-05"],
                    What::Quit => &["XCCOSIP-2.2.2.2.5-15", "XCCOSIP-2.2.2.2.5-17"],
                };
                for entry in entries {
                    desk.pass(RULE, entry, doc.seen);
                }
            }
        }
        if !met {
            self.ahead.push((
                to,
                user.to_owned(),
                name.cloned(),
                id.to_owned(),
                doc.seen.seq,
            ));
        }
        let spot = || Spot::element(&doc.tree.path_of(primitive.element), primitive.element);
        // A user who is still there through another endpoint has not left.
        if let ("ntc:part" | "ntc:quit", Some(name)) = (id, name) {
            let still = rooms.of(name).into_iter().any(|(d, stay)| {
                matches!(stay, Stay::In { .. })
                    && decoder.dialog(d).is_some_and(|x| same_user(&x.user, user))
            });
            if still {
                desk.conduct(
                    RULE,
                    "XCCOSIP-3.2.3.1-06",
                    doc.seen,
                    spot(),
                    format!("{id} says that {user} left, who is still joined at an endpoint"),
                );
            }
        }
        // A move in a room is told to those in it; who was never there has nothing to do with it.
        if let ("ntc:join" | "ntc:bjoin" | "ntc:part", Some(name)) = (id, name)
            && !met
            && self.outside(to, name, rooms, decoder)
        {
            let entry = match id {
                "ntc:join" => "XCCOSIP-2.2.2.2.5-10",
                "ntc:bjoin" => "XCCOSIP-2.2.2.2.5-06",
                _ => "XCCOSIP-2.2.2.2.5-12",
            };
            desk.fail_as(
                RULE,
                entry,
                Weight::Warn,
                doc.seen,
                spot(),
                format!("{id} about {user} reaches an endpoint whose user never was in the room"),
            );
        }
        // A quit without rooms is of the user as a whole.
        if id == "ntc:quit" && name.is_none() && !decoder.open_end {
            let present = (0..decoder.dialogs.len()).any(|d| {
                let theirs = |x: &Dialog| x.whole && x.is_up() && same_user(&x.user, user);
                decoder.dialog(d).is_some_and(theirs) && rooms.inside(d)
            });
            if present {
                desk.conduct(
                    RULE,
                    "XCCOSIP-2.2.2.2.5-15",
                    doc.seen,
                    spot(),
                    format!("ntc:quit says that {user} disconnected, who is still there"),
                );
            }
        }
        if id == "ntc:quit" {
            let whole = decoder.dialog(to).is_some_and(|d| d.whole);
            let ours = |d: &DialogId| {
                decoder.dialog(*d).map(|x| x.user.clone())
                    == decoder.dialog(to).map(|x| x.user.clone())
            };
            let shares = (0..decoder.dialogs.len())
                .filter(ours)
                .any(|d| rooms.ever(d) || !decoder.dialog(d).is_some_and(|x| x.whole));
            if whole && !shares {
                desk.conduct(
                    RULE,
                    "XCCOSIP-2.2.2.2.5-17",
                    doc.seen,
                    spot(),
                    format!(
                        "a quit notice about {user} reaches a user who shares no room with anybody"
                    ),
                );
            }
        }
    }

    /// Whether the user at this dialog surely never was in the room, at no endpoint.
    fn outside(&self, to: DialogId, name: &Room, rooms: &Rooms, decoder: &Decoder) -> bool {
        let Some(user) = decoder.dialog(to).filter(|d| d.whole).map(|d| &d.user) else {
            return false;
        };
        let theirs = |(_, d): &(DialogId, &Dialog)| d.user == *user;
        decoder
            .dialogs
            .iter()
            .enumerate()
            .filter(theirs)
            .all(|(id, d)| d.whole && !rooms.tried(id, name))
    }

    /// What nobody was told.
    pub fn finish(&self, limits: &Limits, rooms: &Rooms, decoder: &Decoder, desk: &mut Desk) {
        for due in self.due.iter().filter(|d| !d.heard) {
            let Some(dialog) = decoder.dialog(due.to) else {
                continue;
            };
            // Who leaves the room meanwhile has no claim.
            let until = rooms
                .stays(&due.room)
                .into_iter()
                .filter(|(d, since, _)| *d == due.to && *since < due.event)
                .map(|(_, _, until)| until.or(dialog.over_at).unwrap_or(decoder.now))
                .max();
            let waited = until.is_some_and(|u| u.saturating_sub(due.at) >= limits.reply);
            if !waited || !decoder.saw_all(dialog.conn) {
                continue;
            }
            let as_part = self.ahead.iter().any(|(t, u, _, id, seq)| {
                *t == due.to && *u == due.user && id == "ntc:part" && *seq > due.event
            });
            let room = super::rooms::uri(&due.room);
            let (entries, what): (&[&str], String) = match due.what {
                What::Quit if as_part => (
                    &["XCCOSIP-2.2.2.2.5-15"],
                    format!("disconnected; it was told of a part from {room} instead"),
                ),
                What::Joined { many: true } => {
                    (&["XCCOSIP-2.2.2.2.5-06"], format!("joined {room}"))
                }
                What::Joined { many: false } => (
                    &["XCCOSIP-3.2.4.5-17", "XCCOSIP-2.2.2.2.5-10"],
                    format!("joined {room}"),
                ),
                What::Parted => (&["XCCOSIP-2.2.2.2.5-12"], format!("left {room}")),
                What::Quit => (
                    &["XCCOSIP-2.2.2.2.5-17"],
                    format!("disconnected, and so left {room}"),
                ),
            };
            for entry in entries {
                desk.omission(
                    RULE,
                    entry,
                    Seat::Server,
                    due.event,
                    format!("{} was not told that {} {what}", dialog.user, due.user),
                );
            }
        }
    }
}

/// Participants a reply to join or bjoin claims, against those who are surely there.
pub(crate) fn claimed(
    doc: &Doc<'_>,
    primitive: &Primitive<'_>,
    asked: u64,
    rooms: &Rooms,
    decoder: &Decoder,
    desk: &mut Desk,
) {
    let (Some(dialog), Some(data)) = (doc.seen.dialog, primitive.data()) else {
        return;
    };
    let many = primitive.id() == "rpl:bjoin";
    let entry = if many {
        "XCCOSIP-3.2.3.5-14"
    } else {
        "XCCOSIP-3.2.4.5-10"
    };
    for chanib in data.all("chanib") {
        if chanib.get("partListOff").and_then(forms::boolean) == Some(true) {
            continue;
        }
        let name = room(chanib.get("uri").unwrap_or(""));
        let named: std::collections::HashSet<i64> = chanib
            .all("aib")
            .flat_map(|a| forms::tokens(a.get("value").unwrap_or("")))
            .filter_map(|t| t.parse().ok())
            .collect();
        if named.is_empty() {
            continue;
        }
        let ids: std::collections::HashSet<i64> = data
            .all("uib")
            .chain(chanib.all("uib"))
            .filter_map(|u| u.get("id")?.trim().parse().ok())
            .collect();
        // An index that stands for nobody is the business of the rules about joins.
        if !named.is_subset(&ids) {
            continue;
        }
        let listed: Vec<String> = data
            .all("uib")
            .chain(chanib.all("uib"))
            .filter(|u| {
                u.get("id")
                    .and_then(|i| i.trim().parse().ok())
                    .is_some_and(|i| named.contains(&i))
            })
            .map(|u| address(u.get("uri")))
            .collect();
        let mut there: Vec<String> = rooms
            .of(&name)
            .into_iter()
            .filter(|(d, stay)| {
                *d != dialog && matches!(stay, Stay::In { since, .. } if *since < asked)
            })
            .filter_map(|(d, _)| decoder.dialog(d).map(|x| x.user.clone()))
            .collect();
        there.extend(decoder.dialog(dialog).map(|d| d.user.clone()));
        let missing = there
            .iter()
            .find(|u| !u.is_empty() && !listed.iter().any(|l| same_user(l, u)));
        match missing {
            Some(user) => desk.fail(
                RULE,
                entry,
                doc.seen,
                Spot::element(&doc.tree.path_of(chanib), chanib),
                format!("{user} is joined to the room but not among its participants"),
            ),
            None => desk.pass(RULE, entry, doc.seen),
        }
    }
}

/// Whether a notice of this name tells of that.
fn fits(what: What, id: &str) -> bool {
    match what {
        What::Joined { .. } => id == "ntc:join" || id == "ntc:bjoin",
        What::Parted => id == "ntc:part",
        What::Quit => id == "ntc:quit",
    }
}

/// `user@host` of a SIP URI, in lower case.
fn address(uri: Option<&str>) -> String {
    let uri = uri.unwrap_or("").trim().to_ascii_lowercase();
    let uri = uri
        .strip_prefix("sip:")
        .or(uri.strip_prefix("sips:"))
        .unwrap_or(&uri)
        .trim();
    uri.split([';', '?']).next().unwrap_or("").to_owned()
}

fn same_user(a: &str, b: &str) -> bool {
    a == b
}

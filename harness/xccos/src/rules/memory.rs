/*! What a server said before, held against what it says now.

Takes the replies of a server and the chats that crossed the wire, concludes
about history against chats seen live, rooms against the updates made to them,
users against the directory data given earlier, invitations against those
already acknowledged, permissions against what the server let happen.
*/

use std::collections::{HashMap, HashSet};

use super::desk::Desk;
use super::forms;
use super::replies::Reply;
use super::rooms::{Room, room};
use crate::payload::Element;
use crate::policy::Weight;

const RULE: &str = "memory";

/// The ids this rule can decide.
pub(crate) const IDS: &[&str] = &[
    "XCCOSIP-2.2.2.1.4-03",
    "XCCOSIP-2.2.2.1.4-18",
    "XCCOSIP-2.2.2.1.4-19",
    "XCCOSIP-2.2.2.1.4-20",
    "XCCOSIP-2.2.2.1.4-21",
    "XCCOSIP-2.2.2.1.4-22",
    "XCCOSIP-2.2.2.1.7.1-12",
    "XCCOSIP-2.2.2.1.7.2.3-02",
    "XCCOSIP-2.2.2.1.8.1-06",
    "XCCOSIP-2.2.2.1.10-17",
    "XCCOSIP-2.2.2.1.12-02",
    "XCCOSIP-2.2.2.1.12-03",
    "XCCOSIP-2.2.2.1.12-04",
    "XCCOSIP-2.2.2.1.15-05",
    "XCCOSIP-2.2.2.1.15-06",
    "XCCOSIP-2.2.2.1.15-07",
    "XCCOSIP-2.2.2.1.17-01",
    "XCCOSIP-2.2.2.1.17-05",
    "XCCOSIP-2.2.2.1.17.1-01",
    "XCCOSIP-2.2.2.1.19-07",
    "XCCOSIP-3.2.3.1-08",
    "XCCOSIP-3.2.5.5-06",
    "XCCOSIP-3.2.5.5-09",
    "XCCOSIP-3.2.6.5-10",
    "XCCOSIP-3.2.7.5-15",
    "XCCOSIP-3.2.8.5-12",
];

/// A chat seen live.
struct Live {
    id: i64,
    event: u64,
    text: String,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Memory {
    live: HashMap<Room, Vec<Live>>,
    /// Rooms whose history was changed by somebody.
    pub rewritten: HashSet<Room>,
    logged: HashMap<Room, bool>,
    users: HashMap<String, (String, u64)>,
    updates: HashMap<Room, (Element, u64)>,
    acknowledged: HashMap<String, HashMap<String, u64>>,
    /// What the server let a user do in a room: bit, entry.
    let_do: HashMap<(String, Room), HashSet<u32>>,
}

/// Permission bits (2.2.2.1.4), counted from 0, with their entries.
const BITS: &[(u32, &str, &str)] = &[
    (2, "XCCOSIP-2.2.2.1.4-18", "manage"),
    (7, "XCCOSIP-2.2.2.1.4-19", "join"),
    (8, "XCCOSIP-2.2.2.1.4-20", "chat"),
    (10, "XCCOSIP-2.2.2.1.4-21", "read the history"),
    (11, "XCCOSIP-2.2.2.1.4-22", "see the room"),
];

impl Memory {
    /// The server let this user do something in a room.
    pub fn lets(&mut self, user: &str, room: &Room, bit: u32) {
        self.let_do
            .entry((user.to_owned(), room.clone()))
            .or_default()
            .insert(bit);
    }

    /// A chat was distributed.
    pub fn chat(&mut self, primitive: &crate::payload::Primitive<'_>, event: u64) {
        let element = primitive.element;
        let (Some(uri), Some(id)) = (
            element.get("chanUri"),
            element
                .get("chatId")
                .and_then(|c| c.trim().parse::<i64>().ok()),
        ) else {
            return;
        };
        let name = room(uri);
        let author = element
            .get("author")
            .unwrap_or("")
            .trim()
            .to_ascii_lowercase();
        self.lets(author.trim_start_matches("sip:"), &name, 8);
        let live = self.live.entry(name).or_default();
        if live.iter().rev().all(|l| l.id != id) {
            live.push(Live {
                id,
                event,
                text: element
                    .first("chat")
                    .map(|c| c.content().replace("\r\n", "\n"))
                    .unwrap_or_default(),
            });
        }
    }

    /// Any element of a server's document.
    pub fn document(&mut self, doc: &super::Doc<'_>, desk: &mut Desk) {
        for (at, item) in doc.tree.items.iter().enumerate() {
            match item.element.name.as_str() {
                "uib" => self.user(doc, at, item.element, desk),
                "chanib" => {
                    let Some(uri) = item.element.get("uri") else {
                        continue;
                    };
                    for prop in item.element.all("prop") {
                        if prop
                            .get("id")
                            .is_some_and(|i| i.trim().ends_with("prop:logged"))
                            && let Some(value) = forms::loose_boolean(&prop.content())
                        {
                            self.logged.insert(room(uri), value);
                        }
                    }
                }
                "data" | "association" => {
                    let kinds = [
                        ("chanib", "XCCOSIP-2.2.2.1.7.1-12"),
                        ("catib", "XCCOSIP-2.2.2.1.8.1-06"),
                    ];
                    for (kind, entry) in kinds {
                        unique(doc, item.element, kind, entry, desk);
                    }
                }
                _ => {}
            }
        }
    }

    /// A user's directory data do not change with the message (2.2.2.1.4).
    fn user(&mut self, doc: &super::Doc<'_>, at: usize, uib: &Element, desk: &mut Desk) {
        let (Some(uri), Some(guid)) = (uib.get("uri"), uib.get("guid").and_then(forms::guid))
        else {
            return;
        };
        let uri = uri.trim().to_ascii_lowercase();
        match self.users.get(&uri) {
            Some((known, event)) if *known != guid => desk.fail(
                RULE,
                "XCCOSIP-2.2.2.1.4-03",
                doc.seen,
                super::Spot::attribute(&doc.tree.path(at), uib, "guid"),
                format!("{uri} had another guid in event {event}"),
            ),
            Some((_, event)) if *event != doc.seen.seq => {
                desk.pass(RULE, "XCCOSIP-2.2.2.1.4-03", doc.seen)
            }
            Some(_) => {}
            None => {
                self.users.insert(uri, (guid, doc.seen.seq));
            }
        }
    }

    /// A success reply with the command it answers, sent by `user`.
    pub fn reply(&mut self, reply: &Reply<'_>, user: &str, desk: &mut Desk) {
        let id = reply.row.id;
        let asked_room = reply
            .asked
            .and_then(|d| d.first("chanib"))
            .and_then(|c| c.get("uri"))
            .map(room);
        match id {
            "cmd:bccontext" => {
                if let Some(name) = &asked_room {
                    self.lets(user, name, 10);
                    self.history(reply, name, desk);
                }
            }
            "cmd:getinv" => self.invitations(reply, user, desk),
            "cmd:getroomperms" => {
                if let Some(name) = &asked_room {
                    self.permissions(reply, user, name, desk);
                }
            }
            "cmd:updatenode" => {
                if let Some(name) = &asked_room {
                    self.lets(user, name, 2);
                    if let Some(chanib) = reply.asked.and_then(|d| d.first("chanib")) {
                        self.updates
                            .insert(name.clone(), (chanib.clone(), reply.doc.seen.seq));
                        roles(reply, chanib, desk);
                    }
                }
                return;
            }
            "cmd:getserverinfo" => {
                if let Some(sent) = reply.sent {
                    desk.pass_for(
                        RULE,
                        "XCCOSIP-2.2.2.1.10-17",
                        trace::Seat::Client,
                        sent.seq,
                        sent.deliberate,
                    );
                }
                desk.pass(RULE, "XCCOSIP-2.2.2.1.10-17", reply.doc.seen);
            }
            _ => {}
        }
        more(reply, desk);
        self.updated(reply, desk);
    }

    /// History against the chats seen live (3.2.5.5 step 5).
    fn history(&mut self, reply: &Reply<'_>, name: &Room, desk: &mut Desk) {
        let Some(bcq) = reply.asked.and_then(|d| d.first("bcq")) else {
            return;
        };
        let Some(most) = bcq
            .first("last")
            .and_then(|l| l.get("cnt"))
            .and_then(|c| c.trim().parse::<usize>().ok())
        else {
            return;
        };
        if bcq.get("get").and_then(forms::boolean) == Some(false) || self.rewritten.contains(name) {
            return;
        }
        let Some(data) = reply.data else { return };
        let msgs: Vec<&Element> = data.all("chanib").flat_map(|c| c.all("msg")).collect();
        let given: HashMap<i64, &Element> = msgs
            .iter()
            .filter_map(|m| Some((m.get("chatId")?.trim().parse().ok()?, *m)))
            .collect();
        let live = self.live.get(name).map_or(&[][..], Vec::as_slice);
        let before: Vec<&Live> = live.iter().filter(|l| l.event < reply.asked_in()).collect();
        let stored = before.iter().any(|l| given.contains_key(&l.id));
        if stored {
            desk.pass(RULE, "XCCOSIP-3.2.6.5-10", reply.doc.seen);
        }
        // Whether a server keeps what is said in a room is its own decision, unless it says logged.
        if self.logged.get(name) != Some(&true) && !stored {
            return;
        }
        let logged = self.logged.get(name) == Some(&true);
        let oldest = given.keys().min().copied();
        for chat in &before {
            match given.get(&chat.id) {
                Some(msg) => {
                    let text = msg
                        .first("chat")
                        .map(|c| c.content().replace("\r\n", "\n"))
                        .unwrap_or_default();
                    reply.expect(
                        text == chat.text,
                        "XCCOSIP-3.2.5.5-09",
                        Some(msg),
                        || {
                            format!(
                                "chat {} reads {text:?}; when it was sent it read {:?}",
                                chat.id, chat.text
                            )
                        },
                        desk,
                    );
                }
                None => {
                    let room_left = given.len() < most;
                    let newer = oldest.is_some_and(|o| chat.id > o);
                    if most > 0 && (room_left || newer) {
                        let entry = if room_left && given.is_empty() && logged {
                            "XCCOSIP-2.2.2.1.7.2.3-02"
                        } else if newer && given.len() == most {
                            "XCCOSIP-2.2.2.1.17.1-01"
                        } else {
                            "XCCOSIP-3.2.5.5-06"
                        };
                        reply.fails(
                            entry,
                            reply.data,
                            format!(
                                "chat {} is missing among the newest {most} (event {})",
                                chat.id, chat.event
                            ),
                            desk,
                        );
                        return;
                    }
                }
            }
        }
        if !before.is_empty() && most > 0 {
            for entry in [
                "XCCOSIP-2.2.2.1.17.1-01",
                "XCCOSIP-2.2.2.1.17-01",
                "XCCOSIP-2.2.2.1.17-05",
                "XCCOSIP-3.2.5.5-06",
                "XCCOSIP-3.2.3.1-08",
            ] {
                desk.pass(RULE, entry, reply.doc.seen);
            }
            if logged {
                desk.pass(RULE, "XCCOSIP-2.2.2.1.7.2.3-02", reply.doc.seen);
            }
        }
    }

    /// Invitations come back until they are acknowledged (2.2.2.1.15).
    fn invitations(&mut self, reply: &Reply<'_>, user: &str, desk: &mut Desk) {
        let Some(inv) = reply.asked.and_then(|d| d.first("inv")) else {
            return;
        };
        let value = reply
            .data
            .and_then(|d| d.first("hash"))
            .and_then(|h| h.get("value"))
            .unwrap_or("");
        let ids: Vec<String> = forms::tokens(value)
            .filter_map(|p| p.split_once('@'))
            .map(|(id, _)| id.trim().to_owned())
            .collect();
        let known = self.acknowledged.entry(user.to_owned()).or_default();
        let again = ids.iter().find(|id| known.contains_key(*id));
        match again {
            Some(id) => reply.fails(
                "XCCOSIP-2.2.2.1.15-06",
                reply.data,
                format!(
                    "invitation {id} was acknowledged by an earlier getinv (event {})",
                    known.get(id).copied().unwrap_or_default()
                ),
                desk,
            ),
            None if !known.is_empty() => {
                for entry in ["XCCOSIP-2.2.2.1.15-05", "XCCOSIP-2.2.2.1.15-06"] {
                    desk.pass(RULE, entry, reply.doc.seen);
                }
                desk.pass(RULE, "XCCOSIP-2.2.2.1.15-07", reply.doc.seen);
            }
            None => {}
        }
        if inv.get("register").and_then(forms::boolean) != Some(false) {
            known.extend(ids.into_iter().map(|id| (id, reply.doc.seen.seq)));
        }
    }

    /// The bitmap against what the server let the user do (2.2.2.1.4).
    fn permissions(&mut self, reply: &Reply<'_>, user: &str, name: &Room, desk: &mut Desk) {
        let uib = reply
            .data
            .and_then(|d| d.first("chanib"))
            .and_then(|c| c.first("uib"));
        let Some(bits) = uib
            .and_then(|u| u.get("chperms"))
            .and_then(|c| c.trim().parse::<i64>().ok())
        else {
            return;
        };
        self.lets(user, name, 11);
        let Some(done) = self.let_do.get(&(user.to_owned(), name.clone())) else {
            return;
        };
        for (bit, entry, what) in BITS {
            if !done.contains(bit) {
                continue;
            }
            if bits & (1 << bit) != 0 {
                desk.pass(RULE, entry, reply.doc.seen);
                desk.pass(RULE, "XCCOSIP-3.2.7.5-15", reply.doc.seen);
            } else {
                reply.fails_as(
                    entry,
                    Weight::Warn,
                    uib,
                    format!("chperms {bits} denies to {what} (bit {bit}), which {user} did before"),
                    desk,
                );
            }
        }
    }

    /// Later replies show a room as it was last set (3.2.8.5 step 7).
    fn updated(&self, reply: &Reply<'_>, desk: &mut Desk) {
        let blocks = reply
            .data
            .map(|d| {
                d.all("chanib")
                    .chain(d.all("association").flat_map(|a| a.all("chanib")))
                    .collect::<Vec<_>>()
            })
            .unwrap_or_default();
        for chanib in blocks {
            let Some((wanted, event)) = chanib.get("uri").and_then(|u| self.updates.get(&room(u)))
            else {
                continue;
            };
            if reply.asked_in() < *event {
                continue;
            }
            for name in ["name", "description", "behavior", "disabled"] {
                let (Some(set), Some(given)) = (wanted.get(name), chanib.get(name)) else {
                    continue;
                };
                // History replies carry no room data (2.2.2.1.7.1).
                if given == "UNSET" || name == "disabled" && reply.primitive.id() == "rpl:bccontext"
                {
                    continue;
                }
                let same = set.trim() == given.trim()
                    || name == "disabled" && forms::boolean(set) == forms::boolean(given);
                reply.expect(
                    same,
                    "XCCOSIP-3.2.8.5-12",
                    Some(chanib),
                    || {
                        let (given, set) = (short(given), short(set));
                        format!("{name} is {given:?}; the update before event {event} set {set:?}")
                    },
                    desk,
                );
            }
        }
    }
}

/// A value for a message.
fn short(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Names are unique within a domain (2.2.2.1.7.1, 2.2.2.1.8.1): two rooms of one reply never share one.
fn unique(doc: &super::Doc<'_>, data: &Element, kind: &'static str, entry: &str, desk: &mut Desk) {
    let mut names: HashMap<(String, String), String> = HashMap::new();
    for block in data.all(kind) {
        let (Some(name), Some(uri)) = (block.get("name"), block.get("uri")) else {
            continue;
        };
        let domain = uri
            .split("://")
            .nth(1)
            .and_then(|r| r.split('/').next())
            .unwrap_or("");
        let key = (domain.to_ascii_lowercase(), name.trim().to_lowercase());
        match names.insert(key, uri.trim().to_ascii_lowercase()) {
            Some(other) if other != uri.trim().to_ascii_lowercase() => desk.fail(
                RULE,
                entry,
                doc.seen,
                super::Spot::attribute(&doc.tree.path_of(block), block, "name"),
                format!("{name:?} is the name of {uri} and of {other}"),
            ),
            _ => {}
        }
    }
    if names.len() > 1 {
        desk.pass(RULE, entry, doc.seen);
    }
}

/// over says whether there is more (2.2.2.1.19): with room left under the limit there is not.
fn more(reply: &Reply<'_>, desk: &mut Desk) {
    let Some(cnt) = reply.data.and_then(|d| d.first("cnt")) else {
        return;
    };
    let Some(over) = cnt.get("over").and_then(forms::boolean) else {
        return;
    };
    let asked = reply.asked;
    let number = |block: Option<&Element>, name: &str| {
        block
            .and_then(|b| b.get(name))
            .and_then(|v| v.trim().parse::<usize>().ok())
    };
    let (limit, items) = match reply.primitive.id() {
        "rpl:chansrch" => (
            number(
                asked.and_then(|d| d.first("qib").or(d.first("filtib"))),
                "maxResults",
            ),
            reply.data.map_or(0, |d| d.all("chanib").count()),
        ),
        "rpl:bc" => (
            number(
                asked
                    .and_then(|d| d.first("bcs"))
                    .and_then(|b| b.first("limit")),
                "cnt",
            ),
            reply
                .data
                .map_or(0, |d| d.all("chanib").map(|c| c.all("msg").count()).sum()),
        ),
        _ => return,
    };
    let Some(limit) = limit.filter(|l| *l > 0 && *l < 100) else {
        return;
    };
    if items < limit {
        reply.expect(
            !over,
            "XCCOSIP-2.2.2.1.19-07",
            Some(cnt),
            || format!("over is true, although only {items} of {limit} items came"),
            desk,
        );
    } else if over {
        desk.pass(RULE, "XCCOSIP-2.2.2.1.19-07", reply.doc.seen);
    }
}

/// Role lists after an update (2.2.2.1.12).
fn roles(reply: &Reply<'_>, asked: &Element, desk: &mut Desk) {
    let Some(given) = reply.data.and_then(|d| d.first("chanib")) else {
        return;
    };
    let uri = |e: &Element| {
        e.first("uib")
            .and_then(|u| u.get("uri"))
            .map(|u| u.trim().to_ascii_lowercase())
    };
    for list in ["members", "managers", "presenters"] {
        let (Some(asked), Some(given)) = (asked.first(list), given.first(list)) else {
            continue;
        };
        let now: HashSet<String> = given
            .all("uib")
            .filter_map(|u| u.get("uri"))
            .map(|u| u.trim().to_ascii_lowercase())
            .collect();
        let mut whole: Option<HashSet<String>> = None;
        for prins in asked.all("prins") {
            let Some(user) = uri(prins) else {
                continue;
            };
            match prins.get("verb") {
                Some("A") => reply.expect(
                    now.contains(&user),
                    "XCCOSIP-2.2.2.1.12-02",
                    Some(given),
                    || format!("{user} was added to {list} and is not there"),
                    desk,
                ),
                Some("R") => reply.expect(
                    !now.contains(&user),
                    "XCCOSIP-2.2.2.1.12-03",
                    Some(given),
                    || format!("{user} was removed from {list} and is still there"),
                    desk,
                ),
                Some("X") => {
                    whole.get_or_insert_default().insert(user);
                }
                _ => {}
            }
        }
        if let Some(whole) = whole {
            reply.expect(
                whole == now,
                "XCCOSIP-2.2.2.1.12-04",
                Some(given),
                || format!("{list} was replaced as a whole and holds something else"),
                desk,
            );
        }
    }
}

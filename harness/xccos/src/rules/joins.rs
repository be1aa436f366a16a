/*! What the replies to join and bjoin have to contain (3.2.3.5, 3.2.4.5).

Takes a success reply with its command: rooms asked for against rooms given,
users listed against the indexes that stand for them. A uib may stand inside
its chanib or beside it.
*/

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::desk::Desk;
use super::forms;
use super::replies::{Reply, messages};
use crate::payload::Element;
use crate::policy::Weight;

const RULE: &str = "joins";

/// The ids this rule can decide.
pub(crate) const IDS: &[&str] = &[
    "XCCOSIP-2.2.2.1.4-02",
    "XCCOSIP-2.2.2.1.7.2.2-08",
    "XCCOSIP-2.2.2.1.22-04",
    "XCCOSIP-2.2.2.1.23-01",
    "XCCOSIP-3.2.3.5-03",
    "XCCOSIP-3.2.3.5-06",
    "XCCOSIP-3.2.3.5-07",
    "XCCOSIP-3.2.3.5-13",
    "XCCOSIP-3.2.3.5-14",
    "XCCOSIP-3.2.3.5-16",
    "XCCOSIP-3.2.3.5-17",
    "XCCOSIP-3.2.3.5-18",
    "XCCOSIP-3.2.3.5-19",
    "XCCOSIP-3.2.3.5-20",
    "XCCOSIP-3.2.3.5-21",
    "XCCOSIP-3.2.3.5-22",
    "XCCOSIP-3.2.3.5-23",
    "XCCOSIP-3.2.3.5-24",
    "XCCOSIP-2.2.2.1.22-03",
    "XCCOSIP-3.2.4.5-04",
    "XCCOSIP-3.2.4.5-09",
    "XCCOSIP-3.2.4.5-10",
    "XCCOSIP-3.2.4.5-11",
    "XCCOSIP-3.2.4.5-12",
    "XCCOSIP-3.2.4.5-13",
    "XCCOSIP-3.2.4.5-14",
    "XCCOSIP-3.2.4.5-15",
    "XCCOSIP-4.2-01",
];

/// The steps of one command.
struct Steps {
    list: &'static str,
    chanib: &'static str,
    aib: &'static str,
    key: &'static str,
    value: &'static str,
    uib: &'static str,
}

const JOIN: Steps = Steps {
    list: "XCCOSIP-3.2.4.5-10",
    chanib: "XCCOSIP-3.2.4.5-11",
    aib: "XCCOSIP-3.2.4.5-12",
    key: "XCCOSIP-3.2.4.5-13",
    value: "XCCOSIP-3.2.4.5-14",
    uib: "XCCOSIP-3.2.4.5-15",
};

const BJOIN: Steps = Steps {
    list: "XCCOSIP-3.2.3.5-14",
    chanib: "XCCOSIP-3.2.3.5-16",
    aib: "XCCOSIP-3.2.3.5-17",
    key: "XCCOSIP-3.2.3.5-18",
    value: "XCCOSIP-3.2.3.5-19",
    uib: "XCCOSIP-3.2.3.5-20",
};

/// The rooms a join or bjoin asks for: GUID → number of messages, when the key is a number.
pub(crate) fn wanted(data: Option<&Element>) -> BTreeMap<String, Option<u64>> {
    let mut rooms = BTreeMap::new();
    for chanid in data
        .map(|d| d.all("chanid").collect::<Vec<_>>())
        .unwrap_or_default()
    {
        let key = chanid.get("key").and_then(|k| k.trim().parse().ok());
        for token in forms::tokens(chanid.get("value").unwrap_or("")) {
            if let Some(guid) = forms::guid(token) {
                rooms.insert(guid, key);
            }
        }
    }
    rooms
}

fn guid_of(chanib: &Element) -> Option<String> {
    Some(forms::channel(chanib.get("uri")?)?.1)
}

/// Judges rpl:join.
pub(crate) fn join(reply: &Reply<'_>, desk: &mut Desk) {
    let chanibs: Vec<_> = reply
        .data
        .map(|d| d.all("chanib").collect())
        .unwrap_or_default();
    if !reply.has(JOIN.chanib, chanibs.first().copied(), "chanib", desk) {
        return;
    }
    let wanted = wanted(reply.asked);
    for chanib in &chanibs {
        if guid_of(chanib).is_some_and(|g| wanted.contains_key(&g)) {
            desk.pass(RULE, "XCCOSIP-3.2.4.5-04", reply.doc.seen);
        }
        if let Some(guid) = guid_of(chanib)
            && !wanted.is_empty()
            && !wanted.contains_key(&guid)
        {
            reply.fails(
                "XCCOSIP-3.2.4.5-04",
                Some(chanib),
                format!(
                    "the room joined is {}, another one was asked for",
                    chanib.get("uri").unwrap_or("")
                ),
                desk,
            );
        }
    }
    people(reply, &chanibs, &JOIN, desk);
}

/// Judges rpl:bjoin.
pub(crate) fn bjoin(reply: &Reply<'_>, desk: &mut Desk) {
    let Some(data) = reply.data else { return };
    let wanted = wanted(reply.asked);
    let chanibs: Vec<_> = data.all("chanib").collect();
    let mut failed = BTreeSet::new();
    for fib in data.all("fib") {
        let mut readable = true;
        for token in forms::tokens(fib.get("value").unwrap_or("")) {
            match forms::guid(token).or_else(|| forms::channel(token).map(|c| c.1)) {
                Some(guid) => {
                    failed.insert(guid);
                }
                None => {
                    readable = false;
                    let asked = reply.asked.is_none_or(|d| {
                        d.all("chanid")
                            .flat_map(|c| forms::tokens(c.get("value").unwrap_or("")))
                            .any(|t| t == token)
                    });
                    if !asked {
                        reply.fails(
                            "XCCOSIP-2.2.2.1.23-05",
                            Some(fib),
                            format!("{token:?} is no room GUID, and nobody asked for it"),
                            desk,
                        );
                    }
                }
            }
        }
        // What was no GUID in the command comes back as it was.
        if readable {
            desk.pass(RULE, "XCCOSIP-2.2.2.1.23-01", reply.doc.seen);
        }
    }
    let joined: BTreeSet<_> = chanibs.iter().filter_map(|c| guid_of(c)).collect();
    for chanib in &chanibs {
        let guid = guid_of(chanib);
        let known = guid.is_none_or(|g| wanted.contains_key(&g)) || wanted.is_empty();
        reply.expect(
            known,
            BJOIN.chanib,
            Some(chanib),
            || {
                format!(
                    "{} was not asked for",
                    chanib.get("uri").unwrap_or("a room")
                )
            },
            desk,
        );
    }
    for guid in wanted.keys() {
        match (joined.contains(guid), failed.contains(guid)) {
            (false, false) => {
                // Its backchat beside it shows that the room was joined and only its chanib is missing.
                let followed = reply
                    .doc
                    .envelope
                    .primitives()
                    .filter(|p| p.id() == "rpl:bccontext")
                    .filter_map(|p| p.data()?.first("chanib"))
                    .any(|c| guid_of(c).as_ref() == Some(guid));
                let id = if followed {
                    BJOIN.chanib
                } else {
                    "XCCOSIP-3.2.3.5-21"
                };
                reply.fails(
                    id,
                    Some(data),
                    format!(
                        "the room {} is neither joined (chanib) nor failed (fib)",
                        forms::dashed(guid)
                    ),
                    desk,
                );
            }
            (true, true) => reply.fails(
                "XCCOSIP-3.2.3.5-21",
                Some(data),
                format!(
                    "the room {} is joined (chanib) and failed (fib) at once",
                    forms::dashed(guid)
                ),
                desk,
            ),
            (false, true) => desk.pass(RULE, "XCCOSIP-3.2.3.5-21", reply.doc.seen),
            (true, false) => {}
        }
    }
    if wanted.len() > 1 {
        desk.pass(RULE, "XCCOSIP-3.2.3.5-06", reply.doc.seen);
    }
    people(reply, &chanibs, &BJOIN, desk);
}

/// Users and the indexes that stand for them.
fn people(reply: &Reply<'_>, chanibs: &[&Element], steps: &Steps, desk: &mut Desk) {
    let Some(data) = reply.data else { return };
    let beside = data.all("uib");
    let inside = chanibs.iter().flat_map(|c| c.all("uib"));
    let mut ids: HashMap<i64, &Element> = HashMap::new();
    let mut uris: BTreeSet<String> = BTreeSet::new();
    let mut numbered = true;
    let mut once = BTreeSet::new();
    for uib in data.all("uib") {
        let uri = uib.get("uri").unwrap_or("").trim().to_ascii_lowercase();
        if !once.insert(uri.clone()) {
            reply.fails(
                steps.list,
                Some(uib),
                format!("{uri} is listed twice; the list is of unique users"),
                desk,
            );
        }
    }
    // The same user may be repeated in several chanib, with the same number.
    for uib in beside.chain(inside) {
        let uri = uib.get("uri").unwrap_or("").trim().to_ascii_lowercase();
        let Some(id) = uib.get("id").and_then(|i| i.trim().parse::<i64>().ok()) else {
            numbered = false;
            reply.fails(
                steps.list,
                Some(uib),
                format!("{uri} has no id, so no aib can name it"),
                desk,
            );
            continue;
        };
        let other = ids.insert(id, uib).and_then(|o| o.get("uri"));
        let same_user = other.is_none_or(|o| forms::same_uri(o, &uri));
        if !same_user {
            reply.fails(
                steps.list,
                Some(uib),
                format!("id {id} stands for {uri} and for {}", other.unwrap_or("")),
                desk,
            );
        } else if !uris.insert(uri.clone()) && other.is_none() {
            reply.fails(
                steps.list,
                Some(uib),
                format!("{uri} is listed twice; the list is of unique users"),
                desk,
            );
        }
    }
    let off = |chanib: &Element| chanib.get("partListOff").and_then(forms::boolean) == Some(true);
    let mut named = BTreeSet::new();
    let mut quiet = false;
    for chanib in chanibs {
        let mut keys = BTreeSet::new();
        let mut here = BTreeSet::new();
        quiet |= off(chanib);
        if chanib.first("aib").is_none() && !off(chanib) {
            reply.fails(
                steps.aib,
                Some(chanib),
                "chanib has no aib, although the caller at least is joined".to_owned(),
                desk,
            );
        }
        for aib in chanib.all("aib") {
            let key = aib.get("key").unwrap_or("").trim().to_owned();
            let number = aib.get("key").is_none()
                || forms::is_integer(&key, i64::MIN.into(), i64::MAX.into());
            for id in [steps.key, "XCCOSIP-2.2.2.1.22-03"] {
                reply.expect(
                    number,
                    id,
                    Some(aib),
                    || format!("the key {key:?} is no role number"),
                    desk,
                );
            }
            if !keys.insert(key.clone()) {
                for id in [steps.aib, steps.key] {
                    reply.fails(
                        id,
                        Some(aib),
                        format!("two aib with the key {key}; each role has its own"),
                        desk,
                    );
                }
            } else {
                desk.pass(RULE, steps.aib, reply.doc.seen);
            }
            let value = aib.get("value").unwrap_or("");
            let indexes: Option<Vec<i64>> = forms::tokens(value).map(|t| t.parse().ok()).collect();
            let Some(indexes) = indexes else {
                reply.fails(
                    "XCCOSIP-2.2.2.1.22-04",
                    Some(aib),
                    format!("{value:?} is no comma list of user indexes"),
                    desk,
                );
                quiet = true;
                continue;
            };
            desk.pass(RULE, "XCCOSIP-2.2.2.1.22-04", reply.doc.seen);
            for index in indexes {
                here.insert(index);
                named.insert(index);
                // What follows from a dangling index is said once.
                quiet |= !ids.contains_key(&index);
                if numbered && !ids.is_empty() {
                    reply.expect(
                        ids.contains_key(&index),
                        steps.value,
                        Some(aib),
                        || format!("the index {index} is the id of no uib"),
                        desk,
                    );
                }
            }
        }
        user_count(reply, chanib, here.len(), desk);
    }
    if !named.is_empty() {
        reply.expect(
            !ids.is_empty() || !numbered,
            steps.uib,
            Some(data),
            || "aib name users by index, but no uib is there".to_owned(),
            desk,
        );
    }
    if numbered && !quiet && !chanibs.is_empty() {
        for (id, uib) in &ids {
            if !named.contains(id) && chanibs.iter().any(|c| c.first("aib").is_some()) {
                reply.fails(
                    steps.uib,
                    Some(uib),
                    format!("id {id} is named by no aib, so the user is in none of the rooms"),
                    desk,
                );
            }
        }
        if !ids.is_empty() {
            desk.pass(RULE, steps.list, reply.doc.seen);
            desk.pass(RULE, "XCCOSIP-2.2.2.1.4-02", reply.doc.seen);
        }
    }
}

/// ucnt counts the users joined (2.2.2.1.7.2.2); a server may count before or after the caller.
fn user_count(reply: &Reply<'_>, chanib: &Element, listed: usize, desk: &mut Desk) {
    let ucnt = chanib.all("info").find(|i| {
        i.get("id")
            .is_some_and(|id| id.trim().ends_with("info:ucnt"))
    });
    let Some(info) = ucnt else { return };
    let Ok(count) = info.content().trim().parse::<usize>() else {
        return;
    };
    if listed == 0 {
        return;
    }
    let id = "XCCOSIP-2.2.2.1.7.2.2-08";
    if count == listed || count + 1 == listed {
        desk.pass(RULE, id, reply.doc.seen);
    } else {
        reply.fails_as(
            id,
            Weight::Warn,
            Some(info),
            format!("ucnt says {count}, {listed} users are listed"),
            desk,
        );
    }
}

/// Judges an rpl:bccontext that follows a bjoin (3.2.3.5 step 14).
pub(crate) fn backchat(reply: &Reply<'_>, desk: &mut Desk) {
    if !reply.has("XCCOSIP-3.2.3.5-23", reply.data, "data", desk) {
        return;
    }
    desk.pass(RULE, "XCCOSIP-3.2.3.5-22", reply.doc.seen);
    let Some(data) = reply.data else { return };
    let wanted = wanted(reply.asked);
    for chanib in data.all("chanib") {
        messages(reply, chanib, desk);
        let count = chanib.all("msg").count() as u64;
        let Some(guid) = guid_of(chanib) else {
            continue;
        };
        match wanted.get(&guid) {
            None if wanted.is_empty() => {}
            None => reply.fails(
                "XCCOSIP-3.2.3.5-22",
                Some(chanib),
                format!(
                    "backchat of {}, which was not asked for",
                    chanib.get("uri").unwrap_or("")
                ),
                desk,
            ),
            Some(Some(most)) => reply.expect(
                count <= *most,
                "XCCOSIP-3.2.3.5-07",
                Some(chanib),
                || format!("{count} messages, the key asks for {most}"),
                desk,
            ),
            Some(None) => {}
        }
        if count > 0 {
            desk.pass(RULE, "XCCOSIP-3.2.3.5-24", reply.doc.seen);
        }
    }
    let together = reply
        .doc
        .envelope
        .primitives()
        .any(|p| p.id() == "rpl:bjoin");
    if together {
        desk.pass(RULE, "XCCOSIP-4.2-01", reply.doc.seen);
    }
}

/// Backchat a bjoin is owed, one reply for each room joined (3.2.3.5 step 14).
#[derive(Default)]
pub(crate) struct Backchats {
    /// Command (in the exchange), room, event and time of the rpl:bjoin.
    due: Vec<(usize, String, u64, trace::Micros)>,
    /// Backchat that came before the rpl:bjoin it belongs to.
    early: BTreeSet<(usize, String)>,
}

impl Backchats {
    /// A success reply to a command, `at` in the exchange.
    pub fn reply(&mut self, reply: &Reply<'_>, at: usize) {
        if reply.row.id != "cmd:bjoin" {
            return;
        }
        let rooms: Vec<_> = reply
            .data
            .map(|d| d.all("chanib").filter_map(guid_of).collect())
            .unwrap_or_default();
        if reply.primitive.id() == "rpl:bccontext" {
            match rooms.first() {
                Some(_) => {
                    for room in rooms {
                        self.due.retain(|(a, r, ..)| !(*a == at && *r == room));
                        self.early.insert((at, room));
                    }
                }
                // Nothing to tell about a room without history: it counts for one of them.
                None => {
                    if let Some(index) = self.due.iter().position(|(a, ..)| *a == at) {
                        self.due.remove(index);
                    }
                }
            }
            return;
        }
        let wanted = wanted(reply.asked);
        for room in rooms {
            let some = matches!(wanted.get(&room), Some(Some(1..)));
            if some && !self.early.contains(&(at, room.clone())) {
                self.due
                    .push((at, room, reply.doc.seen.seq, reply.doc.seen.at));
            }
        }
    }

    /// Backchat that never came.
    pub fn finish(
        &self,
        limits: &super::Limits,
        exchange: &super::exchange::Exchange,
        decoder: &super::decode::Decoder,
        desk: &mut Desk,
    ) {
        for (at, room, event, when) in &self.due {
            let Some(dialog) = exchange
                .sent
                .get(*at)
                .and_then(|s| decoder.dialog(s.dialog))
            else {
                continue;
            };
            let until = dialog.over_at.unwrap_or(decoder.now);
            if until.saturating_sub(*when) >= limits.reply && decoder.saw_all(dialog.conn) {
                desk.omission(
                    RULE,
                    "XCCOSIP-3.2.3.5-22",
                    trace::Seat::Server,
                    *event,
                    format!(
                        "no rpl:bccontext for the room {} of the bjoin",
                        forms::dashed(room)
                    ),
                );
            }
        }
    }
}

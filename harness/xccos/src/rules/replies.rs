/*! What each reply has to contain (3.2.2 – 3.2.8, 2.2.2.1).

Takes a success reply together with the command it answers and compares the
two. The content of joins lies in `joins`, of user preferences in
`preferences`.
*/

use trace::Seat;

use super::Doc;
use super::desk::{Desk, Spot};
use super::exchange::Sent;
use super::forms;
use super::table::{self, Command};
use super::{joins, matches, preferences};
use crate::payload::{Element, Primitive};
use crate::policy::Weight;

const RULE: &str = "replies";

/// The ids this rule can decide.
pub(crate) const IDS: &[&str] = &[
    "XCCOSIP-2.2.2.1.7.2-07",
    "XCCOSIP-2.2.2.1.7.2.4-14",
    "XCCOSIP-2.2.2.1.10-07",
    "XCCOSIP-2.2.2.1.10-08",
    "XCCOSIP-2.2.2.1.10-09",
    "XCCOSIP-2.2.2.1.10-10",
    "XCCOSIP-2.2.2.1.10-11",
    "XCCOSIP-2.2.2.1.10-12",
    "XCCOSIP-2.2.2.1.10-13",
    "XCCOSIP-2.2.2.1.10-14",
    "XCCOSIP-2.2.2.1.10-15",
    "XCCOSIP-2.2.2.1.10-16",
    "XCCOSIP-2.2.2.1.10-06",
    "XCCOSIP-2.2.2.1.10-18",
    "XCCOSIP-2.2.2.1.10-19",
    "XCCOSIP-2.2.2.1.10-23",
    "XCCOSIP-2.2.2.1.16-16",
    "XCCOSIP-2.2.2.1.16-17",
    "XCCOSIP-2.2.2.1.11.1-26",
    "XCCOSIP-2.2.2.1.11.1-15",
    "XCCOSIP-2.2.2.1.11.1-18",
    "XCCOSIP-2.2.2.1.17-04",
    "XCCOSIP-2.2.2.1.18.1-01",
    "XCCOSIP-2.2.2.1.18.6-03",
    "XCCOSIP-2.2.2.1.18.7-01",
    "XCCOSIP-2.2.2.1.18.8-01",
    "XCCOSIP-2.2.2.1.18.9-01",
    "XCCOSIP-2.2.2.1.19-06",
    "XCCOSIP-2.2.2.1.20-12",
    "XCCOSIP-2.2.2.1.20-11",
    "XCCOSIP-2.2.2.1.29-01",
    "XCCOSIP-2.2.2.2-03",
    "XCCOSIP-2.2.2.1.20-08",
    "XCCOSIP-2.2.2.1.20-09",
    "XCCOSIP-2.2.2.1.25-03",
    "XCCOSIP-3.1.10.5-04",
    "XCCOSIP-3.1.10.5-05",
    "XCCOSIP-3.1.10.5-06",
    "XCCOSIP-3.1.10.5-07",
    "XCCOSIP-3.1.10.5-08",
    "XCCOSIP-3.1.17.5-03",
    "XCCOSIP-3.1.19.5-02",
    "XCCOSIP-3.1.19.5-10",
    "XCCOSIP-3.2.2.5-02",
    "XCCOSIP-3.2.5.5-06",
    "XCCOSIP-3.2.5.5-08",
    "XCCOSIP-3.2.5.5-09",
    "XCCOSIP-3.2.7.5-11",
    "XCCOSIP-3.2.7.5-12",
    "XCCOSIP-3.2.7.5-13",
    "XCCOSIP-3.2.7.5-14",
    "XCCOSIP-3.2.8.5-14",
    "XCCOSIP-3.2.8.5-15",
    "XCCOSIP-3.2.8.5-16",
];

/// Bits of infoType (2.2.2.1.10): mask, attributes that stand for it, entry, whether every server has it.
pub(crate) const BITS: &[(u64, &[&str], &str, bool)] = &[
    (1, &["serverTime"], "XCCOSIP-2.2.2.1.10-07", true),
    (2, &["searchLimit"], "XCCOSIP-2.2.2.1.10-08", true),
    (4, &["pingInterval"], "XCCOSIP-2.2.2.1.10-09", false),
    (8, &["dbVersion", "PoolId"], "XCCOSIP-2.2.2.1.10-10", false),
    (
        16,
        &["rootUri", "RootCategoryUri"],
        "XCCOSIP-2.2.2.1.10-11",
        false,
    ),
    (32, &["messageSizeLimit"], "XCCOSIP-2.2.2.1.10-12", true),
    (64, &["storySizeLimit"], "XCCOSIP-2.2.2.1.10-13", true),
    (128, &["serverVersion"], "XCCOSIP-2.2.2.1.10-14", true),
    (512, &["displayName"], "XCCOSIP-2.2.2.1.10-15", false),
    (
        1024,
        &["roomManagementUrl", "roomManagementUri"],
        "XCCOSIP-2.2.2.1.10-16",
        false,
    ),
];

/// What replies told about the server.
#[derive(Default)]
pub(crate) struct Known {
    search_limit: Option<usize>,
    tokens: std::collections::HashMap<String, u64>,
}

/// One success reply under judgement.
pub(crate) struct Reply<'a> {
    pub doc: &'a Doc<'a>,
    pub primitive: &'a Primitive<'a>,
    /// The command it answers; by its own name alone where the command was not seen.
    pub row: &'static Command,
    /// The command as it was sent, if it was seen.
    pub sent: Option<&'a Sent>,
    pub data: Option<&'a Element>,
    pub asked: Option<&'a Element>,
}

impl<'a> Reply<'a> {
    /// A reply with the command it answers; none to a command nobody knows.
    pub fn new(
        doc: &'a Doc<'a>,
        primitive: &'a Primitive<'a>,
        sent: &'a Sent,
    ) -> Option<Reply<'a>> {
        Some(Reply {
            doc,
            primitive,
            row: sent.row?,
            sent: Some(sent),
            data: primitive.data(),
            asked: sent.element.first("data"),
        })
    }

    /// A reply whose command is not in the recording: what it says can still be judged, what was asked cannot.
    pub fn alone(doc: &'a Doc<'a>, primitive: &'a Primitive<'a>) -> Option<Reply<'a>> {
        Some(Reply {
            doc,
            primitive,
            row: table::answered_by(primitive.id())?,
            sent: None,
            data: primitive.data(),
            asked: None,
        })
    }

    /// The event that asked; 0, before everything, where it was not seen.
    pub fn asked_in(&self) -> u64 {
        self.sent.map_or(0, |s| s.seq)
    }

    /// Whether `element` is there: pass, or fail at the place it should be.
    pub fn has(&self, id: &str, element: Option<&Element>, what: &str, desk: &mut Desk) -> bool {
        if element.is_some() {
            desk.pass(RULE, id, self.doc.seen);
            return true;
        }
        self.fails(
            id,
            self.data,
            format!("{} has no {what}", self.primitive.id()),
            desk,
        );
        false
    }

    /// Fails at an element of the reply.
    pub fn fails(&self, id: &str, at: Option<&Element>, message: String, desk: &mut Desk) {
        let element = at.unwrap_or(self.primitive.element);
        let spot = Spot::element(&self.doc.tree.path_of(element), element);
        desk.fail(RULE, id, self.doc.seen, spot, message);
    }

    /// Like [`Reply::fails`], at most with this weight.
    pub fn fails_as(
        &self,
        id: &str,
        weight: Weight,
        at: Option<&Element>,
        message: String,
        desk: &mut Desk,
    ) {
        let element = at.unwrap_or(self.primitive.element);
        let spot = Spot::element(&self.doc.tree.path_of(element), element);
        desk.fail_as(RULE, id, weight, self.doc.seen, spot, message);
    }

    /// Pass when it holds, fail when not.
    pub fn expect(
        &self,
        holds: bool,
        id: &str,
        at: Option<&Element>,
        message: impl FnOnce() -> String,
        desk: &mut Desk,
    ) {
        if holds {
            desk.pass(RULE, id, self.doc.seen);
        } else {
            self.fails(id, at, message(), desk);
        }
    }
}

/// Judges a success reply.
pub(crate) fn judge(reply: &Reply<'_>, known: &mut Known, desk: &mut Desk) {
    let row = reply.row;
    if let Some(sent) = reply.sent {
        desk.pass_for(
            RULE,
            "XCCOSIP-2.2.2.2-03",
            Seat::Client,
            sent.seq,
            sent.deliberate,
        );
    }
    if row.id == "cmd:bjoin" && reply.primitive.id() == "rpl:bccontext" {
        joins::backchat(reply, desk);
        return;
    }
    if reply.primitive.id() != row.reply {
        return;
    }
    if let Some(id) = row.data
        && !reply.has(id, reply.data, "data", desk)
    {
        return;
    }
    count(reply, desk);
    match row.id {
        "cmd:getserverinfo" => server_info(reply, known, desk),
        "cmd:join" => joins::join(reply, desk),
        "cmd:bjoin" => joins::bjoin(reply, desk),
        "cmd:bccontext" => history(reply, desk),
        "cmd:bcbydate" | "cmd:bcbystate" | "cmd:bcbymsg" => {
            content_search(reply, desk);
            matches::chats(reply, desk);
        }
        "cmd:chansrch" => {
            room_search(reply, known, desk);
            matches::rooms(reply, desk);
        }
        "cmd:getassociations" => associations(reply, desk),
        "cmd:getinv" => invitations(reply, desk),
        "cmd:getroomperms" => permissions(reply, desk),
        "cmd:updatenode" => update(reply, desk),
        "cmd:getpref" => preferences::judge(reply, desk),
        "cmd:getfutok" | "cmd:getfdtok" => token(reply, known, desk),
        _ => {}
    }
}

fn children<'a>(data: Option<&'a Element>, name: &'a str) -> Vec<&'a Element> {
    data.map(|d| d.all(name).collect()).unwrap_or_default()
}

/// cnt says how many items came (2.2.2.1.19).
fn count(reply: &Reply<'_>, desk: &mut Desk) {
    let chanibs = children(reply.data, "chanib");
    if chanibs.len() > 1 {
        desk.pass(RULE, "XCCOSIP-2.2.2.1.29-01", reply.doc.seen);
    }
    let Some(cnt) = reply.data.and_then(|d| d.first("cnt")) else {
        return;
    };
    let Some(value) = cnt
        .get("value")
        .and_then(|v| v.trim().parse::<usize>().ok())
    else {
        return;
    };
    let only_count = reply
        .asked
        .and_then(|d| d.first("bcq"))
        .and_then(|q| q.get("get"))
        .and_then(forms::boolean)
        == Some(false);
    let items = match reply.primitive.id() {
        "rpl:bc" | "rpl:bccontext" => chanibs.iter().map(|c| c.all("msg").count()).sum(),
        "rpl:chansrch" => chanibs.len(),
        _ => return,
    };
    // Nobody knows whether more than the count was asked for.
    if reply.asked.is_none() && items == 0 {
        return;
    }
    if only_count {
        reply.expect(
            items == 0,
            "XCCOSIP-2.2.2.1.17-04",
            reply.data,
            || format!("get is false, yet {items} messages came"),
            desk,
        );
        return;
    }
    if items == 0 && value > 0 && reply.primitive.id() == "rpl:bccontext" {
        reply.fails(
            "XCCOSIP-3.2.5.5-09",
            reply.data,
            format!("cnt says {value}, but there is no msg"),
            desk,
        );
    }
    // An empty result has no positive count; 1 for nothing would still be wrong.
    reply.expect(
        value == items,
        "XCCOSIP-2.2.2.1.19-06",
        Some(cnt),
        || format!("cnt says {value}, the reply holds {items}"),
        desk,
    );
}

fn server_info(reply: &Reply<'_>, known: &mut Known, desk: &mut Desk) {
    let asked = reply
        .asked
        .and_then(|d| d.first("sib"))
        .and_then(|s| s.get("infoType"))
        .and_then(|t| t.trim().parse::<u64>().ok());
    let Some(sib) = reply.data.and_then(|d| d.first("sib")) else {
        if asked.is_some_and(|bits| bits & 0x6ff != 0) {
            reply.fails(
                "XCCOSIP-3.2.2.5-02",
                reply.data,
                "rpl:getserverinfo has no sib".to_owned(),
                desk,
            );
        }
        return;
    };
    known.search_limit = sib
        .get("searchLimit")
        .and_then(|v| v.trim().parse().ok())
        .or(known.search_limit);
    let Some(given) = sib
        .get("infoType")
        .and_then(|t| t.trim().parse::<u64>().ok())
    else {
        return;
    };
    // Without the request nothing can be unwanted or missing; the reply still has to fit its own bits.
    let seen = asked.is_some();
    let asked = asked.unwrap_or(given);
    let mut all_fit = true;
    for (mask, names, entry, always) in BITS {
        let present = names.iter().find(|n| sib.get(n).is_some());
        let (set, wanted) = (given & mask != 0, asked & mask != 0);
        match present {
            Some(name) if seen && !wanted => {
                all_fit = false;
                reply.fails(
                    "XCCOSIP-3.2.2.5-02",
                    Some(sib),
                    format!("sib has {name}, although the request (infoType {asked}) does not ask for it"),
                    desk,
                );
            }
            Some(name) if !set => {
                all_fit = false;
                reply.fails(
                    "XCCOSIP-2.2.2.1.10-18",
                    Some(sib),
                    format!("sib has {name}, but bit {mask} of its infoType {given} is not set"),
                    desk,
                );
            }
            Some(_) => desk.pass(RULE, entry, reply.doc.seen),
            None if set => {
                all_fit = false;
                reply.fails(
                    "XCCOSIP-2.2.2.1.10-18",
                    Some(sib),
                    format!(
                        "bit {mask} of infoType {given} is set, but sib has no {}",
                        names.join(" or ")
                    ),
                    desk,
                );
            }
            None if wanted && *always => {
                all_fit = false;
                reply.fails(
                    entry,
                    Some(sib),
                    format!(
                        "infoType {asked} asks for {}, the reply has none",
                        names.join(" or ")
                    ),
                    desk,
                );
            }
            None => {}
        }
    }
    let certain: u64 = BITS.iter().filter(|b| b.3).map(|b| b.0).sum();
    if seen && asked & certain != 0 && given & asked == 0 {
        reply.fails(
            "XCCOSIP-3.2.2.5-02",
            Some(sib),
            format!("infoType {asked} was asked for, the reply gives nothing of it"),
            desk,
        );
    }
    let undefined = given & !0x6ff;
    reply.expect(
        undefined == 0,
        "XCCOSIP-2.2.2.1.10-19",
        Some(sib),
        || format!("infoType {given} of the reply has bits ({undefined}) that stand for nothing"),
        desk,
    );
    if all_fit && seen {
        for id in ["XCCOSIP-3.2.2.5-02", "XCCOSIP-2.2.2.1.10-18"] {
            desk.pass(RULE, id, reply.doc.seen);
        }
        if asked == 0 {
            desk.pass(RULE, "XCCOSIP-2.2.2.1.10-06", reply.doc.seen);
        }
    }
}

/// Chats of a room in a reply: their room, their ids.
pub(crate) fn messages(reply: &Reply<'_>, chanib: &Element, desk: &mut Desk) {
    let room = chanib.get("uri").unwrap_or("");
    let mut seen = std::collections::HashMap::new();
    for msg in chanib.all("msg") {
        if let (Some(uri), false) = (msg.get("chanUri"), room.is_empty())
            && !forms::same_uri(uri, room)
        {
            reply.fails(
                "XCCOSIP-2.2.2.1.7.2-07",
                Some(msg),
                format!("a msg of {uri} inside the chanib of {room}"),
                desk,
            );
        }
        if let Some(id) = msg.get("chatId").map(str::trim) {
            let twice = seen.insert(id.to_owned(), ()).is_some();
            reply.expect(
                !twice,
                "XCCOSIP-2.2.2.1.7.2.4-14",
                Some(msg),
                || format!("chatId {id} stands twice in one room's messages"),
                desk,
            );
        }
        desk.pass(RULE, "XCCOSIP-2.2.2.1.7.2-07", reply.doc.seen);
    }
}

fn history(reply: &Reply<'_>, desk: &mut Desk) {
    let wanted = reply
        .asked
        .and_then(|d| d.first("chanib"))
        .and_then(|c| c.get("uri"));
    let limit = reply
        .asked
        .and_then(|d| d.first("bcq"))
        .and_then(|q| q.first("last").or(q.first("msgid")))
        .and_then(|l| l.get("cnt"))
        .and_then(|c| c.trim().parse::<usize>().ok());
    let chanibs = children(reply.data, "chanib");
    let mut total = 0;
    for chanib in &chanibs {
        if let (Some(wanted), Some(uri)) = (wanted, chanib.get("uri")) {
            reply.expect(
                forms::same_uri(wanted, uri),
                "XCCOSIP-3.2.5.5-09",
                Some(chanib),
                || format!("the history is of {uri}, asked was {wanted}"),
                desk,
            );
        }
        messages(reply, chanib, desk);
        total += chanib.all("msg").count();
    }
    if let Some(chat) = reply.data.and_then(|d| d.first("grpchat")) {
        reply.fails(
            "XCCOSIP-3.2.5.5-09",
            Some(chat),
            "history comes as msg in a chanib, not as grpchat".to_owned(),
            desk,
        );
    }
    let loose = reply.data.is_some_and(|d| d.first("msg").is_some());
    if loose {
        return;
    }
    if let Some(limit) = limit {
        reply.expect(
            total <= limit,
            "XCCOSIP-3.2.5.5-06",
            reply.data,
            || format!("{total} messages, asked were at most {limit}"),
            desk,
        );
    }
}

fn content_search(reply: &Reply<'_>, desk: &mut Desk) {
    let Some(bcs) = reply.asked.and_then(|d| d.first("bcs")) else {
        return;
    };
    let chanibs = children(reply.data, "chanib");
    let rooms: Vec<_> = bcs.all("cib").filter_map(|c| c.get("uri")).collect();
    let authors: Vec<_> = bcs.all("uib").filter_map(|u| u.get("uri")).collect();
    let limit = bcs
        .first("limit")
        .and_then(|l| l.get("cnt"))
        .and_then(|c| c.trim().parse::<usize>().ok());
    let date = bcs.first("date");
    let bound = |name| date.and_then(|d| d.get(name)).and_then(forms::seconds);
    let (from, to) = (bound("from"), bound("to"));
    let total: usize = chanibs.iter().map(|c| c.all("msg").count()).sum();
    if let Some(limit) = limit.filter(|l| *l > 0) {
        reply.expect(
            total <= limit,
            "XCCOSIP-2.2.2.1.18.1-01",
            reply.data,
            || format!("{total} messages, the limit was {limit}"),
            desk,
        );
    }
    for chanib in &chanibs {
        messages(reply, chanib, desk);
        if let (false, Some(uri)) = (rooms.is_empty(), chanib.get("uri")) {
            reply.expect(
                rooms.iter().any(|r| forms::same_uri(r, uri)),
                "XCCOSIP-2.2.2.1.18.9-01",
                Some(chanib),
                || format!("messages of {uri}, which was not searched"),
                desk,
            );
        }
        let newest_first = bcs
            .first("sortbkwds")
            .and_then(|e| forms::boolean(&e.content()));
        let ids: Vec<i64> = chanib
            .all("msg")
            .filter_map(|m| m.get("chatId")?.trim().parse().ok())
            .collect();
        if newest_first == Some(true) && ids.len() > 1 {
            reply.expect(
                ids.windows(2).all(|w| w[0] >= w[1]),
                "XCCOSIP-2.2.2.1.18.6-03",
                Some(chanib),
                || "sortbkwds is true, but the messages do not come newest first".to_owned(),
                desk,
            );
        }
        for msg in chanib.all("msg") {
            if let (false, Some(author)) = (authors.is_empty(), msg.get("author")) {
                reply.expect(
                    authors.iter().any(|a| forms::same_uri(a, author)),
                    "XCCOSIP-2.2.2.1.18.8-01",
                    Some(msg),
                    || format!("a message by {author}, who was not asked for"),
                    desk,
                );
            }
            if let Some(ts) = msg.get("ts").and_then(forms::seconds) {
                // A second of grace: bounds may be rounded on either side.
                let inside = from.is_none_or(|f| ts > f - 1.0) && to.is_none_or(|t| ts < t + 1.0);
                if date.is_some() {
                    reply.expect(
                        inside,
                        "XCCOSIP-2.2.2.1.18.7-01",
                        Some(msg),
                        || {
                            format!(
                                "a message of {}, outside of the interval asked for",
                                msg.get("ts").unwrap_or("")
                            )
                        },
                        desk,
                    );
                }
            }
        }
    }
}

fn room_search(reply: &Reply<'_>, known: &Known, desk: &mut Desk) {
    let chanibs = children(reply.data, "chanib");
    let Some(asked) = reply.asked else { return };
    if let Some(limit) = known.search_limit {
        reply.expect(
            chanibs.len() <= limit,
            "XCCOSIP-2.2.2.1.10-23",
            reply.data,
            || {
                format!(
                    "{} rooms, the server's searchLimit is {limit}",
                    chanibs.len()
                )
            },
            desk,
        );
    }
    for (block, most, category) in [
        ("qib", "XCCOSIP-2.2.2.1.16-17", "XCCOSIP-2.2.2.1.16-16"),
        (
            "filtib",
            "XCCOSIP-2.2.2.1.11.1-26",
            "XCCOSIP-2.2.2.1.11.1-15",
        ),
    ] {
        let Some(query) = asked.first(block) else {
            continue;
        };
        if let Some(max) = query
            .get("maxResults")
            .and_then(|m| m.trim().parse::<usize>().ok())
            .filter(|m| *m > 0)
        {
            reply.expect(
                chanibs.len() <= max,
                most,
                reply.data,
                || format!("{} rooms, maxResults was {max}", chanibs.len()),
                desk,
            );
        }
        if let Some(wanted) = query.get("catUri").filter(|u| !u.trim().is_empty()) {
            for chanib in &chanibs {
                if let Some(parent) = chanib.get("parent") {
                    reply.expect(
                        forms::same_uri(parent, wanted),
                        category,
                        Some(chanib),
                        || format!("a room of {parent}, asked was {wanted}"),
                        desk,
                    );
                }
            }
        }
        if block == "filtib" && query.get("disabled").and_then(forms::boolean) != Some(true) {
            for chanib in &chanibs {
                if let Some(disabled) = chanib.get("disabled").and_then(forms::boolean) {
                    reply.expect(
                        !disabled,
                        "XCCOSIP-2.2.2.1.11.1-18",
                        Some(chanib),
                        || "a disabled room, which the filter leaves out".to_owned(),
                        desk,
                    );
                }
            }
        }
    }
}

fn associations(reply: &Reply<'_>, desk: &mut Desk) {
    let Some(data) = reply.data else { return };
    let loose = data.first("chanib");
    let block = data.first("association");
    if let Some(chanib) = loose {
        reply.fails(
            "XCCOSIP-2.2.2.1.20-12",
            Some(chanib),
            "the rooms stand beside association, not inside".to_owned(),
            desk,
        );
    } else if block.is_some_and(|b| b.first("chanib").is_some()) {
        desk.pass(RULE, "XCCOSIP-2.2.2.1.20-12", reply.doc.seen);
    }
    let asked = reply.asked.and_then(|d| d.first("association"));
    let kind = |a: Option<&Element>| a.and_then(|a| a.get("type")).map(|t| t.trim().to_owned());
    if let (Some(wanted), Some(given)) = (kind(asked), kind(block)) {
        let id = match wanted.as_str() {
            "MANAGER" => "XCCOSIP-2.2.2.1.20-09",
            _ => "XCCOSIP-2.2.2.1.20-08",
        };
        if wanted != given {
            reply.fails(
                id,
                block,
                format!("{wanted} was asked for, the reply is of {given}"),
                desk,
            );
        }
    }
    let max = asked
        .and_then(|a| a.get("maxResult").or(a.get("maxResults")))
        .map_or(Some(100), |m| m.trim().parse::<usize>().ok())
        .filter(|_| asked.is_some());
    if let (Some(max), Some(block)) = (max.filter(|m| *m > 0), block) {
        let count = block.all("chanib").count();
        reply.expect(
            count <= max,
            "XCCOSIP-2.2.2.1.20-11",
            Some(block),
            || format!("{count} rooms, asked were at most {max}"),
            desk,
        );
    }
}

fn invitations(reply: &Reply<'_>, desk: &mut Desk) {
    let chanibs = children(reply.data, "chanib").len();
    let Some(hash) = reply.data.and_then(|d| d.first("hash")) else {
        if chanibs > 0 {
            reply.fails(
                "XCCOSIP-3.1.10.5-04",
                reply.data,
                "invitations without the hash inviteIds".to_owned(),
                desk,
            );
        }
        return;
    };
    let key = hash.get("key").unwrap_or("");
    reply.expect(
        key == "inviteIds",
        "XCCOSIP-3.1.10.5-04",
        Some(hash),
        || format!("the key of the hash is {key:?}, not inviteIds"),
        desk,
    );
    let value = hash.get("value").unwrap_or("");
    let pairs: Vec<_> = forms::tokens(value).collect();
    let split: Option<Vec<_>> = pairs
        .iter()
        .map(|p| p.split_once('@').filter(|(_, at)| !at.contains('@')))
        .collect();
    let Some(split) = split else {
        reply.fails(
            "XCCOSIP-3.1.10.5-05",
            Some(hash),
            format!("{value:?} is no list of id@time pairs"),
            desk,
        );
        return;
    };
    if !split.is_empty() {
        desk.pass(RULE, "XCCOSIP-3.1.10.5-05", reply.doc.seen);
        reply.expect(
            split
                .iter()
                .all(|(id, _)| forms::is_integer(id, 0, i128::MAX)),
            "XCCOSIP-3.1.10.5-06",
            Some(hash),
            || format!("an id in {value:?} is no number"),
            desk,
        );
        reply.expect(
            split
                .iter()
                .all(|(_, at)| forms::is_time(at) && forms::is_utc(at)),
            "XCCOSIP-3.1.10.5-07",
            Some(hash),
            || format!("a time in {value:?} is no UTC time"),
            desk,
        );
    }
    if split.len() != chanibs {
        reply.fails(
            "XCCOSIP-3.1.10.5-08",
            Some(hash),
            format!("{} pairs for {chanibs} rooms", split.len()),
            desk,
        );
    } else if chanibs > 0 {
        desk.pass(RULE, "XCCOSIP-3.1.10.5-08", reply.doc.seen);
    }
}

fn permissions(reply: &Reply<'_>, desk: &mut Desk) {
    let chanib = reply.data.and_then(|d| d.first("chanib"));
    if !reply.has("XCCOSIP-3.2.7.5-12", chanib, "chanib", desk) {
        return;
    }
    let wanted = reply
        .asked
        .and_then(|d| d.first("chanib"))
        .and_then(|c| c.get("uri"));
    if let (Some(wanted), Some(uri)) = (wanted, chanib.and_then(|c| c.get("uri")))
        && !forms::same_uri(wanted, uri)
    {
        reply.fails(
            "XCCOSIP-3.2.7.5-12",
            chanib,
            format!("the permissions are for {uri}, asked was {wanted}"),
            desk,
        );
    }
    let uib = chanib.and_then(|c| c.first("uib"));
    if !reply.has("XCCOSIP-3.2.7.5-13", uib, "uib inside chanib", desk) {
        return;
    }
    let chperms = uib.and_then(|u| u.get("chperms"));
    reply.expect(
        chperms.is_some(),
        "XCCOSIP-3.2.7.5-14",
        uib,
        || "uib has no chperms".to_owned(),
        desk,
    );
}

/// Attributes an update carries, which the reply has to give back (3.1.17.3, 3.1.17.5).
const UPDATED: &[&str] = &[
    "uri",
    "name",
    "parent",
    "description",
    "behavior",
    "siopid",
    "disabled",
];

fn update(reply: &Reply<'_>, desk: &mut Desk) {
    let chanib = reply.data.and_then(|d| d.first("chanib"));
    if !reply.has("XCCOSIP-3.2.8.5-15", chanib, "chanib", desk) {
        return;
    }
    let Some(chanib) = chanib else { return };
    let Some(asked) = reply.asked.and_then(|d| d.first("chanib")) else {
        for name in UPDATED.iter().filter(|n| **n != "siopid") {
            if chanib.get(name).is_none() {
                reply.fails(
                    "XCCOSIP-3.1.17.5-03",
                    Some(chanib),
                    format!("the changed room has no {name}"),
                    desk,
                );
            }
        }
        return;
    };
    for name in UPDATED {
        let (Some(wanted), given) = (asked.get(name), chanib.get(name)) else {
            continue;
        };
        match given {
            None if *name == "siopid" && wanted.trim().is_empty() => {}
            None => reply.fails(
                "XCCOSIP-3.1.17.5-03",
                Some(chanib),
                format!("the changed room has no {name}"),
                desk,
            ),
            Some(given) => {
                let same = match *name {
                    "disabled" => forms::boolean(wanted) == forms::boolean(given),
                    _ => forms::same_uri(wanted, given),
                };
                reply.expect(
                    same,
                    "XCCOSIP-3.2.8.5-16",
                    Some(chanib),
                    || format!("{name} is {given:?}, the update set {wanted:?}"),
                    desk,
                );
            }
        }
    }
    let held = |id: &str, kind: &str| {
        chanib
            .all(kind)
            .find(|e| e.get("id").is_some_and(|i| i.ends_with(id)))
            .map(Element::content)
    };
    for (kind, id) in [("info", "info:visibility"), ("prop", "prop:invite")] {
        let wanted = asked
            .all(kind)
            .find(|e| e.get("id").is_some_and(|i| i.ends_with(id)))
            .map(Element::content);
        let Some(wanted) = wanted else { continue };
        match held(id, kind) {
            None => reply.fails(
                "XCCOSIP-3.1.17.5-03",
                Some(chanib),
                format!("the changed room has no {kind} {id}"),
                desk,
            ),
            Some(given) => reply.expect(
                given.trim().eq_ignore_ascii_case(wanted.trim()),
                "XCCOSIP-3.2.8.5-16",
                Some(chanib),
                || {
                    format!(
                        "{id} is {:?}, the update set {:?}",
                        given.trim(),
                        wanted.trim()
                    )
                },
                desk,
            ),
        }
    }
    desk.pass(RULE, "XCCOSIP-3.1.17.5-03", reply.doc.seen);
}

fn token(reply: &Reply<'_>, known: &mut Known, desk: &mut Desk) {
    let token = reply.data.and_then(|d| d.first("token"));
    if !reply.has("XCCOSIP-3.1.19.5-02", token, "token", desk) {
        return;
    }
    let Some(value) = token.and_then(|t| t.get("token")) else {
        return;
    };
    if value.trim().is_empty() {
        reply.fails(
            "XCCOSIP-2.2.2.1.25-03",
            token,
            "the token of a success is empty".to_owned(),
            desk,
        );
        return;
    }
    let before = known.tokens.insert(value.to_owned(), reply.doc.seen.seq);
    match before {
        Some(event) => reply.fails(
            "XCCOSIP-3.1.19.5-10",
            token,
            format!("this token was given before (event {event})"),
            desk,
        ),
        None => desk.pass(RULE, "XCCOSIP-3.1.19.5-10", reply.doc.seen),
    }
}

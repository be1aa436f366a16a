/*! History: `bccontext` (3.2.5) and the content searches `bcbydate`, `bcbymsg` (2.2.2.1.18). */

use jiff::Timestamp;

use crate::defect::Slip;
use crate::payload::Element;
use crate::server::access::{self, bit};
use crate::server::blocks;
use crate::server::refusal::{Cause, Refusal};
use crate::server::table::Done;
use crate::server::{Ask, Server, user_key};
use crate::world::{Chat, Room};

/// The data of a history reply: the newest `count` chats, oldest first, with how many and whether more exist.
pub fn latest(room: &Room, count: usize) -> Element {
    let all = kept(room);
    let from = all.len().saturating_sub(count);
    found(room, &all[from..], from > 0, true)
}

/// What can be retrieved: everything, unless the room keeps no history (2.2.2.1.7.2.3).
fn kept(room: &Room) -> &[Chat] {
    if room.logged { &room.history } else { &[] }
}

fn found(room: &Room, chats: &[Chat], over: bool, get: bool) -> Element {
    let mut chanib = blocks::chanib_bare(room);
    if get {
        chanib = chanib.children(chats.iter().map(|chat| blocks::msg(room, chat)));
    }
    let count = match get {
        true => blocks::cnt(chats.len(), over),
        false => Some(blocks::cnt_always(chats.len(), over)),
    };
    blocks::data([chanib])
        .children(count)
        .child(Element::new("status").text(chats.len().to_string()))
}

fn number(element: &Element, name: &str) -> Option<usize> {
    element.get(name)?.trim().parse().ok()
}

fn flag(text: &str) -> bool {
    matches!(text.trim(), "true" | "1")
}

/// `cmd:bccontext`: by `last`, or around a `msgid` (XC-26).
pub fn bccontext(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    let uri = ask
        .data
        .first("chanib")
        .and_then(|c| c.get("uri"))
        .unwrap_or("");
    let bcq = ask
        .data
        .first("bcq")
        .ok_or_else(|| Refusal::new(Cause::Missing, "cmd:bccontext needs a `bcq`"))?;
    let get = bcq.get("get").is_none_or(flag) || server.options.defects.has(Slip::GetIgnored);
    let (last, msgid) = (bcq.first("last"), bcq.first("msgid"));
    let room = server.readable(uri, &ask.user)?;
    let all = kept(room);
    let data = if let Some(last) = last {
        let count = number(last, "cnt")
            .ok_or_else(|| Refusal::new(Cause::Missing, "`last` needs a `cnt` that is a number"))?;
        let count = if server.options.defects.has(Slip::HistoryCountIgnored) {
            usize::MAX
        } else {
            count
        };
        let from = all.len().saturating_sub(count);
        let mut slice = all[from..].to_vec();
        if server.options.defects.has(Slip::HistoryOldest) {
            slice = all[..all.len().min(count)].to_vec();
        }
        found(room, &slice, from > 0, get)
    } else if let Some(msgid) = msgid {
        let (mut slice, over) = around(all, msgid)?;
        if server.options.defects.has(Slip::MsgidIgnored) {
            slice = all;
        }
        found(room, slice, over, get)
    } else {
        return Err(Refusal::new(
            Cause::Missing,
            "`bcq` needs `last` or `msgid`",
        ));
    };
    Ok(Done {
        data: Some(data),
        more: Vec::new(),
    })
}

/// The chats a `msgid` element asks for (2.2.2.1.17.2): from the id on, or `pre` before and `post` after it.
fn around<'c>(all: &'c [Chat], msgid: &Element) -> Result<(&'c [Chat], bool), Refusal> {
    let bad = |text: &str| Refusal::new(Cause::Malformed, text);
    let id: i64 = msgid
        .get("id")
        .and_then(|v| v.trim().parse().ok())
        .ok_or_else(|| bad("`msgid/@id` is no message identifier"))?;
    let count = number(msgid, "cnt").ok_or_else(|| bad("`msgid/@cnt` is no number"))?;
    let pre = number(msgid, "pre");
    let post = number(msgid, "post");
    let at = all.partition_point(|chat| chat.id < id);
    if pre.is_none() && post.is_none() {
        let end = at.saturating_add(count).min(all.len());
        return Ok((&all[at..end], end < all.len()));
    }
    let (pre, post) = (pre.unwrap_or(0), post.unwrap_or(0));
    if pre.saturating_add(post) > count {
        return Err(bad("`pre` and `post` together are more than `cnt`"));
    }
    let from = at.saturating_sub(pre);
    let end = at.saturating_add(post).saturating_add(1).min(all.len());
    let from = from.max(end.saturating_sub(count));
    Ok((&all[from..end.max(from)], end < all.len()))
}

/// `cmd:bcbydate` (also printed bcbystate): by words, authors, rooms and dates.
pub fn by_date(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    search(server, ask)
}

/// `cmd:bcbymsg`: the same search, for a message identifier if one is named.
pub fn by_message(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    search(server, ask)
}

/// A parsed `bcs`.
struct Query {
    any: bool,
    words: Vec<String>,
    case: bool,
    backwards: bool,
    newest_first: bool,
    msgid: Option<i64>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    authors: Vec<String>,
    rooms: Vec<String>,
    limit: usize,
}

impl Query {
    fn read(bcs: &Element, search_limit: u32) -> Result<Query, Refusal> {
        let bad = |text: &str| Refusal::new(Cause::Malformed, text);
        let on = |name: &str| bcs.first(name).is_some_and(|e| flag(&e.content()));
        let time = |name: &str| -> Result<Option<Timestamp>, Refusal> {
            match bcs.first("date").and_then(|d| d.get(name)) {
                None => Ok(None),
                Some(text) => crate::time::parse(text)
                    .map(Some)
                    .ok_or_else(|| bad("`date` holds something that is no time")),
            }
        };
        let msgid = match bcs.first("msgid").or_else(|| bcs.first("msgId")) {
            None => None,
            Some(e) => Some(
                e.content()
                    .trim()
                    .parse()
                    .map_err(|_| bad("`msgid` is no message identifier"))?,
            ),
        };
        let limit = match bcs.first("limit") {
            None => search_limit as usize,
            Some(e) => number(e, "cnt").ok_or_else(|| bad("`limit/@cnt` is no number"))?,
        };
        Ok(Query {
            any: bcs.get("cmp").map(str::trim) == Some("OR"),
            words: bcs
                .all("text")
                .map(Element::content)
                .filter(|t| !t.trim().is_empty())
                .collect(),
            case: on("matchcase"),
            backwards: on("searchbkwds"),
            newest_first: on("sortbkwds"),
            msgid,
            from: time("from")?,
            to: time("to")?,
            authors: bcs
                .all("uib")
                .filter_map(|u| u.get("uri"))
                .map(user_key)
                .collect(),
            rooms: bcs
                .all("cib")
                .filter_map(|c| c.get("uri"))
                .map(str::to_owned)
                .collect(),
            limit: limit.min(search_limit as usize),
        })
    }

    /// Whether a chat is a hit; phrase-partial means anywhere in the text, also inside words (2.2.2.1.18.2).
    fn hits(&self, chat: &Chat) -> bool {
        let fold = |text: &str| {
            if self.case {
                text.to_owned()
            } else {
                text.to_lowercase()
            }
        };
        let text = fold(&chat.text);
        let words = self.words.is_empty()
            || match self.any {
                true => self.words.iter().any(|w| text.contains(&fold(w))),
                false => self.words.iter().all(|w| text.contains(&fold(w))),
            };
        words
            && self.msgid.is_none_or(|id| chat.id == id)
            && self.from.is_none_or(|from| chat.at >= from)
            && self.to.is_none_or(|to| chat.at <= to)
            && (self.authors.is_empty() || self.authors.contains(&user_key(&chat.author)))
    }
}

fn search(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    let bcs = ask
        .data
        .first("bcs")
        .ok_or_else(|| Refusal::new(Cause::Missing, "the search needs a `bcs`"))?;
    let unheld = server.options.defects.has(Slip::SearchLimitExceeded);
    let most = match unheld {
        true => u32::MAX,
        false => server.world.settings.search_limit,
    };
    let mut query = Query::read(bcs, most)?;
    slipped(&mut query, server);
    let mut rooms: Vec<&Room> = Vec::new();
    for uri in &query.rooms {
        rooms.push(server.readable(uri, &ask.user)?);
    }
    if query.rooms.is_empty() {
        rooms = server
            .world
            .rooms
            .values()
            .filter(|r| access::chperms(&server.world, r, &ask.user) & bit::READ != 0)
            .collect();
    }
    let mut hits: Vec<(&Room, &Chat)> = rooms
        .iter()
        .flat_map(|room| kept(room).iter().map(move |chat| (*room, chat)))
        .filter(|(_, chat)| query.hits(chat))
        .collect();
    // The direction decides which hits survive the limit, the sort order how they are shown.
    hits.sort_by_key(|(_, chat)| (chat.at, chat.id));
    if query.backwards {
        hits.reverse();
    }
    let over = hits.len() > query.limit;
    hits.truncate(query.limit);
    if query.backwards != query.newest_first {
        hits.reverse();
    }
    let chanibs: Vec<Element> = rooms
        .iter()
        .filter(|room| !query.rooms.is_empty() || hits.iter().any(|(r, _)| r.uri == room.uri))
        .map(|room| {
            let of_room = hits.iter().filter(|(r, _)| r.uri == room.uri);
            blocks::chanib_bare(room).children(of_room.map(|(_, chat)| blocks::msg(room, chat)))
        })
        .collect();
    Ok(Done {
        data: Some(blocks::data(chanibs).children(blocks::cnt(hits.len(), over))),
        more: Vec::new(),
    })
}

/// Defects of the search, all of them misreadings of the query.
fn slipped(query: &mut Query, server: &Server) {
    let defects = &server.options.defects;
    if defects.has(Slip::SearchAndIsOr) {
        query.any = true;
    }
    if defects.has(Slip::SearchIgnoresCase) {
        query.case = false;
    }
    if defects.has(Slip::SearchIgnoresDates) {
        (query.from, query.to) = (None, None);
    }
    if defects.has(Slip::SearchIgnoresAuthors) {
        query.authors.clear();
    }
    if defects.has(Slip::SearchIgnoresRooms) {
        query.rooms.clear();
    }
    if defects.has(Slip::SearchIgnoresLimit) {
        query.limit = usize::MAX;
    }
    if defects.has(Slip::SearchOldestFirst) {
        query.newest_first = false;
    }
    if defects.has(Slip::SearchWholeWords) {
        query.words = query.words.iter().map(|w| format!(" {w} ")).collect();
    }
}

impl Server {
    /// A room whose history the user may read.
    fn readable(&self, uri: &str, user: &str) -> Result<&Room, Refusal> {
        let (_, room) = self.visible_room(uri, user)?;
        if access::chperms(&self.world, room, user) & bit::READ == 0 {
            return Err(Refusal::new(
                Cause::Forbidden,
                "You may not read this room's history",
            ));
        }
        Ok(room)
    }
}

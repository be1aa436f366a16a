/*! What a client sends against what its user asked for (3.1.5.3 – 3.1.19.3).

Takes the lines of the upper tester and the commands that follow from the same
user, concludes about values only the user can have chosen. A client that acts
by itself beside that is fine: only commands of the kind asked for are looked
at, and only the latest wish of a kind counts.
*/

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::Value;

use super::Doc;
use super::decode::Decoder;
use super::desk::{Desk, Spot};
use super::forms;
use super::rooms::{Room, room};
use crate::payload::{Element, Primitive};

const RULE: &str = "driven";

/// The ids this rule can decide.
pub(crate) const IDS: &[&str] = &[
    "XCCOSIP-3.1.2.1.4-03",
    "XCCOSIP-3.1.5.3-04",
    "XCCOSIP-3.1.5.3-05",
    "XCCOSIP-3.1.6.3-04",
    "XCCOSIP-3.1.7.3-07",
    "XCCOSIP-3.1.7.3-08",
    "XCCOSIP-3.1.8.3-04",
    "XCCOSIP-3.1.8.3-05",
    "XCCOSIP-3.1.8.3-06",
    "XCCOSIP-3.1.8.3-07",
    "XCCOSIP-3.1.8.3-09",
    "XCCOSIP-3.1.8.3-10",
    "XCCOSIP-3.1.8.3-12",
    "XCCOSIP-3.1.8.3-13",
    "XCCOSIP-3.1.8.3-18",
    "XCCOSIP-3.1.8.3-19",
    "XCCOSIP-3.1.9.3-06",
    "XCCOSIP-3.1.9.3-07",
    "XCCOSIP-3.1.9.3-08",
    "XCCOSIP-3.1.19.3-01",
    "XCCOSIP-3.1.19.3-05",
];

/// See the module.
#[derive(Default)]
pub(crate) struct Driven {
    /// Address of the user an endpoint signed in.
    users: HashMap<String, String>,
    /// Latest wish of a user, by kind.
    wishes: HashMap<(String, String), Value>,
    /// Rooms a request asked to join, by user and request.
    joins: HashMap<(String, String), Vec<Room>>,
    cancelled: HashSet<(String, Room)>,
    /// Rooms a client joined by itself, by user: nobody asked for them then.
    own: HashSet<(String, Room)>,
}

fn strings(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(list)) => list
            .iter()
            .filter_map(|v| v.as_str().map(str::to_owned))
            .collect(),
        Some(Value::String(text)) => vec![text.clone()],
        _ => Vec::new(),
    }
}

fn address(uri: &str) -> String {
    let uri = uri.trim().to_ascii_lowercase();
    uri.trim_start_matches("sips:")
        .trim_start_matches("sip:")
        .to_owned()
}

impl Driven {
    /// A line of the upper tester.
    pub fn upper(&mut self, endpoint: &str, command: bool, text: &str) {
        let Ok(value) = serde_json::from_str::<Value>(text) else {
            return;
        };
        let (true, Some(action)) = (command, value.get("do").and_then(Value::as_str)) else {
            return;
        };
        if action == "sign_in"
            && let Some(uri) = value.get("uri").and_then(Value::as_str)
        {
            self.users.insert(endpoint.to_owned(), address(uri));
        }
        let Some(user) = self.users.get(endpoint).cloned() else {
            return;
        };
        let id = value.get("id").map(Value::to_string).unwrap_or_default();
        match action {
            "join" => {
                let rooms: Vec<Room> = strings(value.get("rooms"))
                    .iter()
                    .map(|u| room(u))
                    .collect();
                for room in &rooms {
                    self.cancelled.remove(&(user.clone(), room.clone()));
                }
                self.joins.insert((user.clone(), id), rooms);
            }
            "cancel" => {
                let request = value
                    .get("request")
                    .map(Value::to_string)
                    .unwrap_or_default();
                for room in self
                    .joins
                    .get(&(user.clone(), request))
                    .into_iter()
                    .flatten()
                {
                    self.cancelled.insert((user.clone(), room.clone()));
                }
            }
            _ => {}
        }
        self.wishes.insert((user, action.to_owned()), value);
    }

    /// Notes rooms that a client joins by itself: all of a join that names one nobody asked for.
    fn follow(&mut self, user: &str, data: &Element) {
        let asked: HashSet<&Room> = self
            .joins
            .iter()
            .filter(|((by, _), _)| by == user)
            .flat_map(|(_, rooms)| rooms)
            .collect();
        for chanid in data.all("chanid") {
            let domain = chanid.get("domain").unwrap_or("").trim();
            let rooms: Vec<Room> = forms::guids(chanid.get("value").unwrap_or(""))
                .into_iter()
                .flatten()
                .map(|guid| room(&format!("ma-chan://{domain}/{guid}")))
                .collect();
            if rooms.iter().any(|r| !asked.contains(r)) {
                self.own
                    .extend(rooms.into_iter().map(|r| (user.to_owned(), r)));
            }
        }
    }

    /// A client sent a command.
    pub fn sent(
        &mut self,
        doc: &Doc<'_>,
        primitive: &Primitive<'_>,
        decoder: &Decoder,
        desk: &mut Desk,
    ) {
        let Some(user) = doc
            .seen
            .dialog
            .and_then(|d| decoder.dialog(d))
            .map(|d| d.user.clone())
        else {
            return;
        };
        let Some(data) = primitive.data() else { return };
        if matches!(primitive.id(), "cmd:join" | "cmd:bjoin") {
            self.follow(&user, data);
        }
        let mut say = Say {
            doc,
            primitive,
            desk,
        };
        let wish = |kind: &str| self.wishes.get(&(user.clone(), kind.to_owned()));
        match primitive.id() {
            "cmd:chansrch" => {
                if let (Some(wish), Some(qib)) = (wish("search_rooms"), data.first("qib")) {
                    rooms(&mut say, wish, qib);
                }
            }
            "cmd:bcbydate" | "cmd:bcbystate" => {
                if let (Some(wish), Some(bcs)) = (wish("search_messages"), data.first("bcs")) {
                    messages(&mut say, wish, bcs);
                }
            }
            "cmd:join" | "cmd:bjoin" => {
                if let Some(wish) = wish("join") {
                    joins(&mut say, wish, data);
                }
            }
            "cmd:bccontext" => {
                let Some(name) = data.first("chanib").and_then(|c| c.get("uri")).map(room) else {
                    return;
                };
                if self.cancelled.contains(&(user.clone(), name.clone())) {
                    say.expect(false, "XCCOSIP-3.1.2.1.4-03", data, || {
                        "the client goes on with a join its user has cancelled".to_owned()
                    });
                }
                // Who asks for a history of a given length gets that, however the room was joined.
                let asked = wish("history")
                    .and_then(|w| w.get("room")?.as_str().map(room))
                    .is_some_and(|r| r == name);
                let own = self.own.contains(&(user.clone(), name.clone()));
                if let (Some(wish), false) = (wish("join"), asked || own) {
                    history(&mut say, wish, &name, data);
                }
            }
            id @ ("cmd:getfutok" | "cmd:getfdtok") => {
                let Some(wish) = wish("file_token") else {
                    return;
                };
                if wish.get("direction").and_then(Value::as_str) == Some("upload") {
                    say.expect(id == "cmd:getfutok", "XCCOSIP-3.1.19.3-01", data, || {
                        "a token to download, asked was for one to upload".to_owned()
                    });
                }
                if let (Some(wanted), Some(ftdb)) = (
                    wish.get("room").and_then(Value::as_str),
                    data.first("ftdb").filter(|f| f.get("channelUri").is_some()),
                ) {
                    let fits = ftdb
                        .get("channelUri")
                        .is_some_and(|u| forms::same_uri(u, wanted));
                    say.expect(fits, "XCCOSIP-3.1.19.3-05", ftdb, || {
                        format!("the token is not for {wanted}")
                    });
                }
            }
            _ => {}
        }
    }
}

struct Say<'a, 'd> {
    doc: &'a Doc<'a>,
    primitive: &'a Primitive<'a>,
    desk: &'d mut Desk,
}

impl Say<'_, '_> {
    fn expect(&mut self, holds: bool, id: &str, at: &Element, message: impl FnOnce() -> String) {
        if holds {
            self.desk.pass(RULE, id, self.doc.seen);
        } else {
            let spot = Spot::element(&self.doc.tree.path_of(at), at);
            let message = format!("{}: {}", self.primitive.id(), message());
            self.desk.conduct(RULE, id, self.doc.seen, spot, message);
        }
    }
}

fn rooms(say: &mut Say<'_, '_>, wish: &Value, qib: &Element) {
    let text = wish.get("text").and_then(Value::as_str).unwrap_or("");
    let criteria = qib.get("criteria").unwrap_or("");
    say.expect(criteria == text, "XCCOSIP-3.1.9.3-06", qib, || {
        format!("criteria is {criteria:?}, the user entered {text:?}")
    });
    let wide = wish
        .get("descriptions")
        .and_then(Value::as_bool)
        .unwrap_or(false);
    let given = qib.get("extended").and_then(forms::boolean);
    let id = if wide {
        "XCCOSIP-3.1.9.3-07"
    } else {
        "XCCOSIP-3.1.9.3-08"
    };
    say.expect(given == Some(wide), id, qib, || {
        format!(
            "extended is {:?}, descriptions were {}asked for",
            qib.get("extended").unwrap_or(""),
            if wide { "" } else { "not " }
        )
    });
}

fn messages(say: &mut Say<'_, '_>, wish: &Value, bcs: &Element) {
    let words: Vec<String> = strings(wish.get("words"))
        .iter()
        .flat_map(|w| w.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    match wish.get("match").and_then(Value::as_str) {
        Some("any") => say.expect(
            bcs.get("cmp") == Some("OR"),
            "XCCOSIP-3.1.8.3-04",
            bcs,
            || "cmp is not OR, although any word suffices".to_owned(),
        ),
        Some("all") => say.expect(
            bcs.get("cmp") == Some("AND"),
            "XCCOSIP-3.1.8.3-05",
            bcs,
            || "cmp is not AND, although all words have to match".to_owned(),
        ),
        _ => {}
    }
    let texts: Vec<String> = bcs
        .all("text")
        .map(|t| t.content().trim().to_owned())
        .collect();
    if !words.is_empty() {
        say.expect(texts == words, "XCCOSIP-3.1.8.3-07", bcs, || {
            format!("the texts are {texts:?}, the words searched for {words:?}")
        });
    }
    let lower =
        |list: Vec<String>| -> BTreeSet<String> { list.iter().map(|s| address(s)).collect() };
    let authors = lower(strings(wish.get("authors")));
    let uibs: Vec<&Element> = bcs.all("uib").collect();
    if !authors.is_empty() {
        say.expect(
            uibs.len() == authors.len(),
            "XCCOSIP-3.1.8.3-09",
            bcs,
            || format!("{} uib for {} authors", uibs.len(), authors.len()),
        );
        let given = lower(
            uibs.iter()
                .filter_map(|u| u.get("uri"))
                .map(str::to_owned)
                .collect(),
        );
        if uibs.len() == authors.len() {
            say.expect(given == authors, "XCCOSIP-3.1.8.3-10", bcs, || {
                format!("the uib name {given:?}, the authors are {authors:?}")
            });
        }
    }
    if let Some(date) = bcs.first("date") {
        let instant = |v: Option<&str>| v.and_then(forms::seconds);
        let (from, to) = (
            wish.get("from").and_then(Value::as_str),
            wish.get("to").and_then(Value::as_str),
        );
        if from.is_some() || to.is_some() {
            let near =
                |wanted: Option<&str>, given: Option<&str>| match (instant(wanted), instant(given))
                {
                    (Some(a), Some(b)) => (a - b).abs() < 1.0,
                    (Some(_), None) => false,
                    _ => true,
                };
            let fits = near(from, date.get("from")) && near(to, date.get("to"));
            say.expect(fits, "XCCOSIP-3.1.8.3-12", date, || {
                "from and to are not the range the user gave".to_owned()
            });
        } else {
            let default = date.get("from").map(str::trim) == Some("1899-12-30T00:00:00.000Z");
            say.expect(default, "XCCOSIP-3.1.8.3-13", date, || {
                "without a range, from is not 1899-12-30T00:00:00.000Z".to_owned()
            });
        }
    }
    if let Some(limit) = wish.get("limit").and_then(Value::as_u64) {
        let given = bcs
            .first("limit")
            .and_then(|l| l.get("cnt"))
            .and_then(|c| c.trim().parse::<u64>().ok());
        say.expect(given == Some(limit), "XCCOSIP-3.1.8.3-06", bcs, || {
            format!("limit is {given:?}, asked was {limit}")
        });
    }
    let wanted: HashSet<Room> = strings(wish.get("rooms")).iter().map(|u| room(u)).collect();
    if !wanted.is_empty() {
        let cib = bcs.first("cib");
        say.expect(cib.is_some(), "XCCOSIP-3.1.8.3-18", bcs, || {
            "no channel block, although a room was named".to_owned()
        });
        if let Some(cib) = cib {
            let fits = cib.get("uri").is_some_and(|u| wanted.contains(&room(u)));
            say.expect(fits, "XCCOSIP-3.1.8.3-19", cib, || {
                format!(
                    "the channel block is for {:?}",
                    cib.get("uri").unwrap_or("")
                )
            });
        }
    }
}

fn joins(say: &mut Say<'_, '_>, wish: &Value, data: &Element) {
    let wanted: Vec<(String, String)> = strings(wish.get("rooms"))
        .iter()
        .filter_map(|u| forms::channel(u))
        .collect();
    if wanted.is_empty() {
        return;
    }
    let single = say.primitive.id() == "cmd:join";
    for chanid in data.all("chanid") {
        let value = chanid.get("value").unwrap_or("");
        let Some(guids) = forms::guids(value) else {
            continue;
        };
        let is_wanted = |g: &String| wanted.iter().any(|(_, w)| w == g);
        let known = guids.iter().all(is_wanted);
        // Rooms the client follows by itself are its own business, also beside all it was asked for.
        let all = wanted.iter().all(|(_, w)| guids.contains(w));
        if !known && (all || !guids.iter().any(is_wanted)) {
            continue;
        }
        let id = if single {
            "XCCOSIP-3.1.5.3-04"
        } else {
            "XCCOSIP-3.1.6.3-04"
        };
        say.expect(known, id, chanid, || {
            format!("{value:?} names a room nobody asked for")
        });
        if single
            && let (Some(domain), Some((wanted, _))) = (
                chanid.get("domain"),
                wanted.iter().find(|(_, w)| guids.contains(w)),
            )
        {
            let fits = domain.trim().eq_ignore_ascii_case(wanted);
            say.expect(fits, "XCCOSIP-3.1.5.3-05", chanid, || {
                format!("the domain is {domain:?}, the room's is {wanted:?}")
            });
        }
    }
}

fn history(say: &mut Say<'_, '_>, wish: &Value, name: &Room, data: &Element) {
    let Some(active) = wish.get("active").and_then(Value::as_bool) else {
        return;
    };
    if !strings(wish.get("rooms")).iter().any(|u| room(u) == *name) {
        return;
    }
    let Some(last) = data.first("bcq").and_then(|q| q.first("last")) else {
        return;
    };
    let count = last.get("cnt").unwrap_or("").trim();
    let (id, wanted) = if active {
        ("XCCOSIP-3.1.7.3-07", "25")
    } else {
        ("XCCOSIP-3.1.7.3-08", "1")
    };
    say.expect(count == wanted, id, last, || {
        format!(
            "cnt is {count:?}; {wanted} is recommended for a room the user {} takes part in",
            if active {
                "actively"
            } else {
                "does not actively"
            }
        )
    });
}

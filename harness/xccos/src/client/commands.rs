/*! What the client sends, command by command.

Each function gives the `data` element of one command as its section asks. All
are valid under the interop profile; where the document contradicts itself the
reading taken stands in [`super::readings`].
*/

use super::action::{Change, Matching, Principals, Role, RoomSearch, Search};
use crate::payload::Element;

/// Bits of `infoType` the client asks for: the list of 3.1.4.3 (767) and roomManagementUrl (1024), which 3.1.4.5 uses.
pub const INFO_TYPE: u32 = 1 | 2 | 4 | 8 | 16 | 32 | 64 | 128 | 512 | 1024;
/// Start of a search without date range (3.1.8.3).
pub const BEGINNING: &str = "1899-12-30T00:00:00.000Z";
/// Label of the one preference a client retrieves (3.1.18.3).
pub const PREFERENCE_LABEL: &str = "kedzie.GroupChannels";
/// Messages of history when the user takes part (3.1.7.3).
pub const ACTIVE_COUNT: u32 = 25;
/// Messages of history when the user does not (3.1.7.3).
pub const PASSIVE_COUNT: u32 = 1;

/// Command ids and the replies that correspond to them, where it is not the same word (2.2.2.2.2, 2.2.2.2.4; XC-44, XC-49).
const REPLIES: &[(&str, &[&str])] = &[
    ("cmd:bcbydate", &["rpl:bc"]),
    ("cmd:bcbystate", &["rpl:bc"]),
    ("cmd:bcbymsg", &["rpl:bc"]),
    ("cmd:getfutok", &["rpl:getftok"]),
    ("cmd:getfdtok", &["rpl:getftok"]),
    ("cmd:requi", &["rpl:requi", "rpl:requri"]),
    ("cmd:requri", &["rpl:requri", "rpl:requi"]),
];

/// Whether a reply id corresponds to a command id (step 6 of 3.1.2.1.5).
pub fn corresponds(command: &str, reply: &str) -> bool {
    match REPLIES.iter().find(|(c, _)| *c == command) {
        Some((_, replies)) => replies.contains(&reply),
        None => match (command.strip_prefix("cmd:"), reply.strip_prefix("rpl:")) {
            (Some(c), Some(r)) => c == r,
            _ => false,
        },
    }
}

/// The reply id that corresponds to a command id.
pub fn reply_id(command: &str) -> String {
    match REPLIES.iter().find(|(c, _)| *c == command) {
        Some((_, replies)) => replies.first().copied().unwrap_or("").to_owned(),
        None => command.replacen("cmd:", "rpl:", 1),
    }
}

fn data() -> Element {
    Element::new("data")
}

fn flag(on: bool) -> &'static str {
    if on { "true" } else { "false" }
}

/// 3.1.3.3: no value.
pub fn request_uri() -> Element {
    data()
}

/// 3.1.4.3.
pub fn server_info(domain: &str, version: &str) -> Element {
    data().child(
        Element::new("sib")
            .with("domain", domain)
            .with("infoType", INFO_TYPE.to_string())
            .with("clientVersion", version),
    )
}

/// 3.1.5.3 with one GUID, 3.1.6.3 with several; `key` is the backchat wanted (3.2.3.5).
pub fn join(guids: &[&str], domain: &str, key: u32) -> Element {
    data().child(
        Element::new("chanid")
            .with("key", key.to_string())
            .with("value", guids.join(","))
            .with("domain", domain),
    )
}

/// `cmd:part`; the document has no section on it, the field names the room by `chanib`.
pub fn part(room: &str) -> Element {
    channel(room)
}

/// 3.1.12.3 and 3.1.16.3.
pub fn channel(room: &str) -> Element {
    data().child(Element::new("chanib").with("uri", room))
}

/// 3.1.7.3.
pub fn history(room: &str, count: u32) -> Element {
    channel(room).child(
        Element::new("bcq").child(Element::new("last").with("cnt", count.max(1).to_string())),
    )
}

/// 3.1.8.3 for one room, or for all without one. `now` is the current time.
pub fn search_messages(search: &Search, room: Option<&str>, limit: u32, now: &str) -> Element {
    let cmp = match search.matching {
        Matching::Any => "OR",
        Matching::All => "AND",
    };
    let mut bcs = Element::new("bcs")
        .with("cmp", cmp)
        .child(Element::new("limit").with("cnt", limit.max(1).to_string()))
        .children(
            search
                .words
                .iter()
                .map(|w| Element::new("text").with("mt", "PP").text(w.as_str())),
        );
    for name in ["matchcase", "searchbkwds", "sortbkwds"] {
        bcs.push(Element::new(name).text("false"));
    }
    bcs.push(
        Element::new("date")
            .with("from", search.from.as_deref().unwrap_or(BEGINNING))
            .with("to", search.to.as_deref().unwrap_or(now)),
    );
    for author in &search.authors {
        bcs.push(Element::new("uib").with("uri", author.as_str()));
    }
    if let Some(room) = room {
        bcs.push(Element::new("cib").with("uri", room));
    }
    data().child(bcs)
}

/// 2.2.2.1.17.2: `count` messages, half of them before this one.
pub fn around(room: &str, message: u32, count: u32) -> Element {
    let count = count.max(1);
    let before = count / 2;
    let msgid = Element::new("msgid")
        .with("id", message.to_string())
        .with("cnt", count.to_string())
        .with("pre", before.to_string())
        .with("post", (count - before).to_string())
        .with("jump", "false");
    channel(room).child(Element::new("bcq").with("get", "true").child(msgid))
}

/// 3.1.9.3; with a filter, by the block of 2.2.2.1.11.
pub fn search_rooms(search: &RoomSearch) -> Element {
    let limit = search.limit.map(|n| n.to_string());
    let common = |block: Element| {
        block
            .with_some("matchAll", search.all.map(flag))
            .with_some("matchExactPhrase", search.phrase.map(flag))
            .with_some("catUri", search.category.as_deref())
            .with_some("maxResults", limit.as_deref())
    };
    let Some(filter) = &search.filter else {
        return data().child(common(
            Element::new("qib")
                .with("qtype", "BYNAME")
                .with("criteria", search.text.as_str())
                .with("extended", flag(search.descriptions))
                .with("keywords", ""),
        ));
    };
    let code = |text: &Option<String>, codes: &[(&str, &'static str)]| {
        let text = text.as_deref()?;
        codes
            .iter()
            .find(|(t, _)| *t == text)
            .map(|(_, code)| *code)
    };
    let mut filtib = common(
        Element::new("filtib")
            .with("criteria", search.text.as_str())
            .with("includeTopic", flag(search.descriptions)),
    )
    .with_some("addinGuid", filter.addin.as_deref())
    .with_some("disabled", filter.disabled.map(flag))
    .with_some("vis", code(&filter.visibility, VISIBILITIES))
    .with_some("type", code(&filter.behavior, BEHAVIORS))
    .with_some("invites", filter.invites.as_deref())
    .with_some("searchInvites", filter.invites.is_some().then_some("true"));
    for (name, who) in [("member", &filter.member), ("manager", &filter.manager)] {
        if let Some(who) = who {
            filtib.push(Element::new(name).with("verb", "A").child(user(who)));
        }
    }
    data().child(filtib)
}

/// Numbers of `vis` (2.2.2.1.11.1).
const VISIBILITIES: &[(&str, &str)] = &[("PRIVATE", "2"), ("SCOPED", "3"), ("OPEN", "6")];
/// Numbers of `type` (2.2.2.1.11.1).
const BEHAVIORS: &[(&str, &str)] = &[("NORMAL", "4"), ("AUDITORIUM", "5")];

/// A user in an access control entry (2.2.2.1.13).
fn user(uri: &str) -> Element {
    Element::new("uib")
        .with("uri", uri)
        .with("type", "5")
        .with("disabled", "false")
}

/// 3.1.10.3; `register` false leaves the invitations unacknowledged (2.2.2.1.15).
pub fn invitations(domain: &str, register: bool) -> Element {
    let inv = Element::new("inv").with_some("register", (!register).then_some("false"));
    data().child(inv.with("inviteId", "0").with("domain", domain))
}

/// 3.1.11.3.
pub fn associations(domain: &str, role: Role, max: u32) -> Element {
    data().child(
        Element::new("association")
            .with("domain", domain)
            .with("type", role.name())
            .with("maxResults", max.to_string()),
    )
}

/// 3.1.17.3: the room as `current` shows it, with the changes; only the seven attributes, the current audit,
/// visibility, invite and what role lists change.
pub fn modify(change: &Change, current: &Element) -> Element {
    let had = |name: &str| current.get(name).unwrap_or("").to_owned();
    let take = |new: &Option<String>, name: &str| new.clone().unwrap_or_else(|| had(name));
    let behavior = match take(&change.behavior, "behavior") {
        unset if unset.is_empty() => "UNSET".to_owned(),
        set => set,
    };
    let disabled = match change.disabled {
        Some(disabled) => flag(disabled).to_owned(),
        None => match had("disabled") {
            absent if absent.is_empty() => "false".to_owned(),
            had => had,
        },
    };
    let visibility = change.visibility.clone().unwrap_or_else(|| {
        labelled(current, "info", VISIBILITY).unwrap_or_else(|| "SCOPED".to_owned())
    });
    let invite = match change.invite {
        Some(true) => "True".to_owned(),
        Some(false) => "False".to_owned(),
        None => labelled(current, "prop", INVITE).unwrap_or_else(|| "False".to_owned()),
    };
    let audit = current
        .first("audit")
        .cloned()
        .unwrap_or_else(|| Element::new("audit"));
    let mut chanib = Element::new("chanib")
        .with("uri", change.room.as_str())
        .with("name", take(&change.name, "name"))
        .with("parent", take(&change.parent, "parent"))
        .with("description", take(&change.description, "description"))
        .with("behavior", behavior)
        .with("siopid", take(&change.siopid, "siopid"))
        .with("disabled", disabled)
        .child(audit)
        .child(Element::new("info").with("id", VISIBILITY).text(visibility))
        .child(Element::new("prop").with("id", INVITE).text(invite));
    for (name, list) in [
        ("members", &change.members),
        ("managers", &change.managers),
        ("presenters", &change.presenters),
    ] {
        if let Some(list) = list {
            chanib.push(role_list(name, list));
        }
    }
    data().child(chanib)
}

/// Info id of the visibility (2.2.2.1.7.2.2).
pub const VISIBILITY: &str = "urn:parlano:ma:info:visibility";
/// Prop id of invitations (2.2.2.1.7.2.3).
pub const INVITE: &str = "urn:parlano:ma:prop:invite";

fn labelled(node: &Element, name: &str, id: &str) -> Option<String> {
    node.all(name)
        .find(|e| e.get("id") == Some(id))
        .map(|e| e.content().trim().to_owned())
}

/// 2.2.2.1.14: one `prins` for each change.
fn role_list(name: &str, list: &Principals) -> Element {
    let mut roles = Element::new(name);
    let mut add = |verb: &str, who: Option<&str>| {
        let mut prins = Element::new("prins").with("verb", verb);
        match who {
            Some(uri) if uri.get(..4).is_some_and(|s| s.eq_ignore_ascii_case("sip:")) => {
                prins.push(user(uri));
            }
            Some(path) => prins.push(Element::new("gib").with("type", "10").with("path", path)),
            None => {}
        }
        roles.push(prins);
    };
    for who in &list.add {
        add("A", Some(who));
    }
    for who in &list.remove {
        add("R", Some(who));
    }
    match list.replace.as_deref() {
        Some([]) => add("X", None),
        Some(all) => all.iter().for_each(|who| add("X", Some(who))),
        None => {}
    }
    roles
}

/// 3.1.18.3.
pub fn preferences() -> Element {
    data().child(
        Element::new("pref")
            .with("label", PREFERENCE_LABEL)
            .with("seqid", "0")
            .with("createdefault", "true"),
    )
}

/// 3.1.19.3.
pub fn file_token(room: &str, file_url: &str) -> Element {
    data().child(
        Element::new("ftdb")
            .with("channelUri", room)
            .with("fileUrl", file_url),
    )
}

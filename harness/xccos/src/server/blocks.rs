/*! The data blocks of 2.2.2.1 as the server writes them.

Takes the directory; gives elements whose children stand in the order of the
schema. Decides nothing about who may see what.
*/

use crate::payload::Element;
use crate::time::stamp;
use crate::world::{
    Audit, Behavior, Category, Chat, Group, Principal, Room, User, Visibility, World,
};

use super::access;

/// How much of a room a chanib tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// What identifies it (history, part, kick).
    Bare,
    /// What a list of rooms shows (4.4).
    Listed,
    /// What a joiner gets (2.2.2.1.7.3, second example).
    Joined,
    /// Everything with the role lists (3.1.17.5, chaneffquery).
    Full,
}

/// AuditDataBlock (2.2.2.1.1).
pub fn audit(audit: &Audit) -> Element {
    Element::new("audit")
        .with("updatedby", &audit.updated_by)
        .with("updatedon", stamp(audit.updated))
        .with("createdby", &audit.created_by)
        .with("createdon", stamp(audit.created))
}

/// InfoField of a channel (2.2.2.1.7.2.2).
pub fn info(id: &str, value: impl Into<String>) -> Element {
    Element::new("info")
        .with("id", format!("urn:parlano:ma:info:{id}"))
        .text(value)
}

/// PropertyField of a channel (2.2.2.1.7.2.3); the case of the value is that of every example.
pub fn prop(id: &str, value: bool) -> Element {
    Element::new("prop")
        .with("id", format!("urn:parlano:ma:prop:{id}"))
        .text(if value { "True" } else { "False" })
}

/// UserInformationDataBlock (2.2.2.1.4) without `perms`, so that children can be added in order.
fn uib_open(user: &User) -> Element {
    Element::new("uib")
        .with("uri", &user.uri)
        .with("guid", &user.guid)
        .with("type", "5")
        .with("uname", &user.name)
        .with_some("email", user.email.as_ref())
        .with("disabled", user.disabled.to_string())
        .with("dispname", &user.name)
        .with_some("company", user.company.as_ref())
        .with_some("path", user.path.as_ref())
}

/// The perms element whose content the document fixes (2.2.2.1.4).
fn perms() -> Element {
    Element::new("perms")
        .with("inherited", "1")
        .with("inheriting", "true")
}

/// UserInformationDataBlock (2.2.2.1.4).
pub fn uib(user: &User) -> Element {
    uib_open(user).child(perms())
}

/// UserInformationDataBlock with the rooms and roles of the user (2.2.2.1.22), as notices carry it.
pub fn uib_active(user: &User, aibs: impl IntoIterator<Item = Element>) -> Element {
    uib_open(user).children(aibs).child(perms())
}

/// UserInformationDataBlock of a role or an affiliation: `from` tells where it was defined (2.2.2.1.6).
pub fn uib_from(user: &User, from: Option<Element>) -> Element {
    uib_open(user).children(from).child(perms())
}

/// GroupInformationDataBlock (2.2.2.1.5).
pub fn gib(group: &Group) -> Element {
    gib_from(group, None)
}

/// GroupInformationDataBlock of a role (2.2.2.1.5, 2.2.2.1.6).
pub fn gib_from(group: &Group, from: Option<Element>) -> Element {
    Element::new("gib")
        .with("guid", &group.guid)
        .with("type", group.kind.to_string())
        .with("name", &group.name)
        .with_some("path", group.path.as_ref())
        .children(from)
        .child(Element::new("perms"))
}

/// Where something was defined (2.2.2.1.6): the URL of a node or principal.
pub fn from(name: &str, url: impl Into<String>) -> Element {
    Element::new("from").with("name", name).text(url)
}

/// The URL of a group, as the document's example writes it (2.2.2.1.5).
pub fn group_url(group: &Group) -> String {
    format!("ma-grp:{}@u.g", group.guid)
}

/// ActiveInformationDataBlock (2.2.2.1.22).
pub fn aib(key: u32, value: impl Into<String>, domain: Option<&str>) -> Element {
    Element::new("aib")
        .with("key", key.to_string())
        .with("value", value)
        .with_some("domain", domain)
}

/// RoleList of a room as a server returns it (2.2.2.1.14.1): users, then groups.
pub fn role_list(world: &World, room: &Room, name: &str, list: &[Principal]) -> Element {
    let here = || Some(from(&room.name, &room.uri));
    let users = list.iter().filter_map(|p| match p {
        Principal::User(key) => world.users.get(key).map(|u| uib_from(u, here())),
        Principal::Group(_) => None,
    });
    let groups = list.iter().filter_map(|p| match p {
        Principal::Group(key) => world.groups.get(key).map(|g| gib_from(g, here())),
        Principal::User(_) => None,
    });
    Element::new(name).children(users).children(groups)
}

/// The word for a behavior (2.2.2.1.7.1).
pub fn behavior(behavior: Behavior) -> &'static str {
    match behavior {
        Behavior::Normal => "NORMAL",
        Behavior::Auditorium => "AUDITORIUM",
    }
}

/// The word for a visibility (2.2.2.1.7.2.2).
pub fn visibility(visibility: Visibility) -> &'static str {
    match visibility {
        Visibility::Private => "PRIVATE",
        Visibility::Scoped => "SCOPED",
        Visibility::Open => "OPEN",
    }
}

/// ChannelInformationDataBlock that only identifies a room.
pub fn chanib_bare(room: &Room) -> Element {
    Element::new("chanib")
        .with("uri", &room.uri)
        .with("overridemembers", "false")
        .with("behavior", "UNSET")
        .with("topic", "")
        .with("disabled", room.disabled.to_string())
}

/// ChannelInformationDataBlock (2.2.2.1.7) with `uibs` and `aibs` where the schema wants them.
pub fn chanib(
    world: &World,
    room: &Room,
    detail: Detail,
    users: usize,
    aibs: impl IntoIterator<Item = Element>,
) -> Element {
    if detail == Detail::Bare {
        return chanib_bare(room).children(aibs);
    }
    let mut out = Element::new("chanib")
        .with("name", &room.name)
        .with("description", &room.description)
        .with_some(
            "parent",
            world.categories.get(&room.category).map(|c| &c.uri),
        )
        .with("uri", &room.uri)
        .with("overridemembers", "false")
        .with("behavior", behavior(room.behavior))
        .with("keywords", "")
        .with("topic", "")
        .with("filerepository", "")
        .with("disabled", room.disabled.to_string());
    if room.part_list_off {
        out.set("partListOff", "true");
    }
    for (name, value) in [
        ("siopname", &room.siopname),
        ("siopurl", &room.siopurl),
        ("siopid", &room.siopid),
    ] {
        if !value.is_empty() {
            out.set(name, value);
        }
    }
    out = out.children(aibs).child(audit(&room.audit));
    if detail == Detail::Full {
        out.push(info("path", path(world, &room.name, Some(&room.category))));
    }
    if let Some(url) = &world.settings.file_store {
        out.push(info("filestoreuri", url));
    }
    // A positive integer (2.2.2.1.7.2.2): an empty room cannot be told, so it is left out (XC-11).
    if users > 0 {
        out.push(info("ucnt", users.to_string()));
    }
    out.push(info("visibility", visibility(room.visibility)));
    out.push(prop("logged", room.logged));
    out.push(prop("invite", access::invites(world, room)));
    out.push(prop("filepost", room.filepost));
    if detail == Detail::Full {
        out.push(role_list(world, room, "members", &room.members));
        out.push(role_list(world, room, "managers", &room.managers));
        if room.behavior == Behavior::Auditorium || !room.presenters.is_empty() {
            out.push(role_list(world, room, "presenters", &room.presenters));
        }
    }
    out
}

/// CategoryInformationDataBlock (2.2.2.1.8).
pub fn catib(world: &World, category: &Category) -> Element {
    Element::new("catib")
        .with("uri", &category.uri)
        .with("name", &category.name)
        .with_some(
            "parent",
            category
                .parent
                .as_ref()
                .and_then(|p| world.categories.get(p))
                .map(|c| &c.uri),
        )
        .with("description", &category.description)
        .child(info(
            "path",
            path(world, &category.name, category.parent.as_deref()),
        ))
}

/// A path as the document's example writes it: from the node up to the root (2.2.2.1.8.3).
fn path(world: &World, name: &str, parent: Option<&str>) -> String {
    let mut out = name.to_owned();
    let mut at = parent;
    for _ in 0..64 {
        let Some(category) = at.and_then(|key| world.categories.get(key)) else {
            break;
        };
        out.push(':');
        out.push_str(&category.name);
        at = category.parent.as_deref();
    }
    out
}

fn chat_attributes(out: Element, room: &str, chat: &Chat) -> Element {
    out.with("chanUri", room)
        .with("author", &chat.author)
        .with("authdisp", &chat.authdisp)
        .with("alert", chat.alert.to_string())
        .with("chatId", chat.id.to_string())
        .with("ts", stamp(chat.at))
}

fn chat_children(out: Element, chat: &Chat) -> Element {
    let mut out = out.child(Element::new("chat").text(&chat.text));
    if let Some(rtf) = &chat.rtf {
        out.push(Element::new("rtf").text(rtf));
    }
    out
}

/// A message of the history (2.2.2.1.7.2.4).
pub fn msg(room: &Room, chat: &Chat) -> Element {
    let out = chat_attributes(Element::new("msg").with("id", "grpchat"), &room.uri, chat);
    chat_children(out, chat)
}

/// A chat as it is fanned out (2.2.2.2.9).
pub fn grpchat(room: &Room, chat: &Chat, origin: Option<crate::payload::MsgId>) -> Element {
    let mut out = chat_attributes(
        Element::new("grpchat")
            .with("id", "grpchat")
            .with("seqid", ""),
        &room.uri,
        chat,
    );
    if let Some(origin) = origin {
        out.push(origin.element("originatingMessageId"));
    }
    chat_children(out, chat)
}

/// ResultCountDataBlock (2.2.2.1.19); none for an empty result, which a positive integer cannot tell (XC-33).
pub fn cnt(value: usize, over: bool) -> Option<Element> {
    (value > 0).then(|| cnt_always(value, over))
}

/// ResultCountDataBlock even for 0: a count was all that was asked for (2.2.2.1.17).
pub fn cnt_always(value: usize, over: bool) -> Element {
    Element::new("cnt")
        .with("value", value.to_string())
        .with("over", over.to_string())
}

/// A `data` element of these children.
pub fn data(children: impl IntoIterator<Item = Element>) -> Element {
    Element::new("data").children(children)
}

/*! Rooms and categories: details, permissions (3.2.7), creation, changes (3.2.8). */

use crate::defect::Slip;
use crate::payload::Element;
use crate::server::access::{self, bit};
use crate::server::blocks::{self, Detail};
use crate::server::refusal::{Cause, Refusal};
use crate::server::table::Done;
use crate::server::{Ask, Server};
use crate::world::{Audit, Behavior, Principal, Room, Visibility};

use super::roles::LISTS;

/// What `updatenode` must carry on the chanib beside `uri` (3.1.17.3); description and siopid may be empty.
const UPDATE_ATTRIBUTES: &[&str] = &[
    "name",
    "parent",
    "description",
    "behavior",
    "siopid",
    "disabled",
];

fn uri<'a>(ask: &Ask<'a>, block: &str) -> &'a str {
    ask.data
        .first(block)
        .and_then(|b| b.get("uri"))
        .unwrap_or("")
}

/// `cmd:chaneffquery`: everything about a room; failure means it is not on this server or not for this user.
pub fn effective(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    let (key, room) = server.visible_room(uri(ask, "chanib"), &ask.user)?;
    Ok(Done::with([server.full_chanib(&key, room)]))
}

/// `cmd:chaninfo`: the room's explicit settings, without what it inherits.
pub fn explicit(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    let (key, room) = server.visible_room(uri(ask, "chanib"), &ask.user)?;
    let users = server.participants(&key).len();
    Ok(Done::with([blocks::chanib(
        &server.world,
        room,
        Detail::Listed,
        users,
        [],
    )]))
}

/// `cmd:cateffquery`.
pub fn category(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    let key = uri(ask, "catib").trim().to_lowercase();
    let category = server
        .world
        .categories
        .get(&key)
        .filter(|_| access::in_scope(&server.world, &key, &ask.user))
        .ok_or_else(|| Refusal::new(Cause::NotFound, "There is no such category"))?;
    Ok(Done::with([blocks::catib(&server.world, category)]))
}

/// `cmd:nodespermcreatechild`: the categories in which the user may create rooms.
pub fn creatable(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    let found = server
        .world
        .categories
        .values()
        .filter(|c| access::listed(&server.world, &c.creators, &ask.user))
        .map(|c| blocks::catib(&server.world, c));
    Ok(Done::with(found))
}

/// `cmd:getroomperms` (3.2.7.5).
pub fn permissions(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    let unchecked = server.options.defects.has(Slip::PermsUnchecked);
    let user = server.user(&ask.user).filter(|u| !u.disabled || unchecked);
    let user = user.ok_or_else(|| Refusal::new(Cause::UnknownUser, "You are not known here"))?;
    let uri = uri(ask, "chanib");
    if server.options.defects.has(Slip::RoomUriUnchecked)
        && server.visible_room(uri, &ask.user).is_err()
    {
        let uib = blocks::uib(user).with("chperms", "0");
        return Ok(Done::with([Element::new("chanib")
            .with("uri", uri)
            .child(uib)]));
    }
    if crate::world::room_guid(uri.trim()).is_none() {
        return Err(Refusal::new(
            Cause::Malformed,
            format!("`{uri}` is no room URI"),
        ));
    }
    let (_, room) = server.visible_room(uri, &ask.user)?;
    let mut bits = access::chperms(&server.world, room, &ask.user);
    for (slip, flip) in SLIPPED_BITS {
        if server.options.defects.has(*slip) {
            bits ^= flip;
        }
    }
    let uib = blocks::uib(user).with("chperms", bits.to_string());
    let chanib = Element::new("chanib").with("uri", &room.uri).child(uib);
    Ok(Done::with([chanib]))
}

/// Defects of single permission bits.
const SLIPPED_BITS: &[(Slip, u32)] = &[
    (Slip::ManageBitWrong, bit::MANAGE),
    (Slip::JoinBitWrong, bit::JOIN),
    (Slip::ChatBitWrong, bit::CHAT),
    (Slip::ReadBitWrong, bit::READ),
    (Slip::ViewBitWrong, bit::VIEW),
    (Slip::PresentBitWrong, bit::PRESENT),
];

/// `cmd:chancreate`: by a creator of the category; whoever creates becomes manager and member.
pub fn create(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    let chanib = chanib(ask)?;
    let lax = server.options.defects.has(Slip::CreateWithoutBehavior);
    let behavior = match chanib.get("behavior") {
        None if lax => Behavior::Normal,
        text => read_behavior(text.unwrap_or(""))?,
    };
    let category = match chanib
        .get("parent")
        .map(str::trim)
        .filter(|p| !p.is_empty())
    {
        Some(parent) => server.category_key(parent)?,
        None if server.options.defects.has(Slip::CreateWithoutParent) => server
            .world
            .root()
            .map(|c| c.uri.to_lowercase())
            .unwrap_or_default(),
        // Mandatory unless the behavior brings its category (2.2.2.1.7.1), and none does.
        None => {
            return Err(Refusal::new(
                Cause::Missing,
                "A new room needs `chanib/@parent`",
            ));
        }
    };
    let allowed = server
        .world
        .categories
        .get(&category)
        .is_some_and(|c| access::listed(&server.world, &c.creators, &ask.user));
    if !allowed {
        return Err(Refusal::new(
            Cause::Forbidden,
            "You may not create rooms in this category",
        ));
    }
    let guid = server.ids.guid().to_string();
    let who = server
        .user(&ask.user)
        .map(|u| u.name.clone())
        .unwrap_or_default();
    let me = Principal::User(ask.user.clone());
    let blank = Room {
        uri: format!("ma-chan://{}/{guid}", server.world.domain),
        guid: guid.clone(),
        name: String::new(),
        description: String::new(),
        visibility: Visibility::Scoped,
        disabled: false,
        members: vec![me.clone()],
        managers: vec![me],
        presenters: Vec::new(),
        invite: None,
        filepost: true,
        logged: true,
        siopid: String::new(),
        siopname: String::new(),
        siopurl: String::new(),
        part_list_off: false,
        audit: Audit::start(&who, ask.now.wall),
        history: Vec::new(),
        invited: Vec::new(),
        behavior,
        category,
    };
    let room = server.with_changes(chanib, &blank)?;
    server.check_name(&room.name, &guid)?;
    server.keep_room(&guid, &room)?;
    server.world.rooms.insert(guid.clone(), room);
    server.last_chat.insert(guid.clone(), 0);
    server.invite_members(ask, &guid, &[]);
    let room = server.world.rooms.get(&guid).ok_or_else(Refusal::no_room)?;
    Ok(Done::with([server.full_chanib(&guid, room)]))
}

/// `cmd:chanmodify`: whatever the chanib names is changed.
pub fn modify(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    let chanib = chanib(ask)?;
    let (key, room) = server.managed(uri(ask, "chanib"), &ask.user)?;
    let next = server.with_changes(chanib, room)?;
    server.check_name(&next.name, &key)?;
    server.replace_room(ask, &key, next)?;
    let room = server.world.rooms.get(&key).ok_or_else(Refusal::no_room)?;
    Ok(Done::with([server.full_chanib(&key, room)]))
}

/// `cmd:updatenode` (3.2.8.5): all attributes present and valid, then the whole room is replaced.
pub fn update(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    let chanib = chanib(ask)?;
    if !access::known(&server.world, &ask.user) {
        return Err(Refusal::new(Cause::UnknownUser, "You are not known here"));
    }
    let uri = uri(ask, "chanib");
    if crate::world::room_guid(uri.trim()).is_none() {
        return Err(Refusal::new(
            Cause::Malformed,
            format!("`{uri}` is no room URI"),
        ));
    }
    let (key, room) = server.managed(uri, &ask.user)?;
    if !server.options.defects.has(Slip::UpdateUnchecked) {
        check_complete(chanib)?;
    }
    let next = server.with_changes(chanib, room)?;
    server.check_name(&next.name, &key)?;
    if !server.options.defects.has(Slip::UpdateWithoutEffect) {
        server.replace_room(ask, &key, next)?;
    }
    let room = server.world.rooms.get(&key).ok_or_else(Refusal::no_room)?;
    Ok(Done::with([server.full_chanib(&key, room)]))
}

fn chanib<'a>(ask: &Ask<'a>) -> Result<&'a Element, Refusal> {
    ask.data
        .first("chanib")
        .ok_or_else(|| Refusal::new(Cause::Missing, "the command needs a `chanib`"))
}

/// 3.2.8.5 step 6: what 3.1.17.3 asks of the client is there.
fn check_complete(chanib: &Element) -> Result<(), Refusal> {
    let missing =
        |what: String| Refusal::new(Cause::Missing, format!("cmd:updatenode needs {what}"));
    for name in UPDATE_ATTRIBUTES {
        if chanib.get(name).is_none() {
            return Err(missing(format!("`chanib/@{name}`")));
        }
    }
    if chanib.first("audit").is_none() {
        return Err(missing("the room's `audit`".to_owned()));
    }
    if field(chanib, "info", "urn:parlano:ma:info:visibility").is_none() {
        return Err(missing(
            "the info `urn:parlano:ma:info:visibility`".to_owned(),
        ));
    }
    if field(chanib, "prop", "urn:parlano:ma:prop:invite").is_none() {
        return Err(missing("the prop `urn:parlano:ma:prop:invite`".to_owned()));
    }
    Ok(())
}

fn field(chanib: &Element, name: &str, id: &str) -> Option<String> {
    chanib
        .all(name)
        .find(|e| e.get("id").map(str::trim) == Some(id))
        .map(|e| e.content().trim().to_owned())
}

fn read_behavior(text: &str) -> Result<Behavior, Refusal> {
    match text.trim() {
        "NORMAL" => Ok(Behavior::Normal),
        "AUDITORIUM" => Ok(Behavior::Auditorium),
        other => {
            let text = format!("`{other}` is no behavior of a room; NORMAL and AUDITORIUM are");
            Err(Refusal::new(Cause::Malformed, text))
        }
    }
}

fn read_visibility(text: &str) -> Result<Visibility, Refusal> {
    match text {
        "PRIVATE" => Ok(Visibility::Private),
        "SCOPED" => Ok(Visibility::Scoped),
        "OPEN" => Ok(Visibility::Open),
        other => {
            let text = format!("`{other}` is no visibility; PRIVATE, SCOPED and OPEN are");
            Err(Refusal::new(Cause::Malformed, text))
        }
    }
}

/// A property's Boolean; the document prints True and False (XC-12).
fn read_flag(text: &str) -> Result<bool, Refusal> {
    match text {
        "True" | "true" | "1" => Ok(true),
        "False" | "false" | "0" => Ok(false),
        other => Err(Refusal::new(
            Cause::Malformed,
            format!("`{other}` is no Boolean"),
        )),
    }
}

impl Server {
    fn full_chanib(&self, key: &str, room: &Room) -> Element {
        let users = self.participants(key).len();
        blocks::chanib(&self.world, room, Detail::Full, users, [])
    }

    fn category_key(&self, uri: &str) -> Result<String, Refusal> {
        let key = uri.to_lowercase();
        match self.world.categories.contains_key(&key) {
            true => Ok(key),
            false => Err(Refusal::new(
                Cause::Malformed,
                "There is no such parent category",
            )),
        }
    }

    /// Names are unique in the domain (2.2.2.1.7.1).
    fn check_name(&self, name: &str, key: &str) -> Result<(), Refusal> {
        let taken = self
            .world
            .rooms
            .iter()
            .any(|(other, room)| other != key && room.name.eq_ignore_ascii_case(name));
        if taken && !self.options.defects.has(Slip::NamesRepeat) {
            return Err(Refusal::new(
                Cause::Conflict,
                format!("A room called `{name}` exists"),
            ));
        }
        if name.trim().is_empty() {
            return Err(Refusal::new(Cause::Malformed, "A room needs a name"));
        }
        Ok(())
    }

    /// A room with everything a chanib says about it.
    fn with_changes(&self, chanib: &Element, room: &Room) -> Result<Room, Refusal> {
        let mut next = room.clone();
        // Histories are long, and a change of settings leaves them alone.
        next.history = Vec::new();
        for (name, to) in [
            ("name", &mut next.name),
            ("description", &mut next.description),
            ("siopid", &mut next.siopid),
            ("siopname", &mut next.siopname),
            ("siopurl", &mut next.siopurl),
        ] {
            if let Some(value) = chanib.get(name) {
                *to = value.to_owned();
            }
        }
        if let Some(parent) = chanib
            .get("parent")
            .map(str::trim)
            .filter(|p| !p.is_empty())
        {
            next.category = self.category_key(parent)?;
        }
        if let Some(text) = chanib.get("behavior").filter(|t| t.trim() != "UNSET") {
            next.behavior = read_behavior(text)?;
        }
        if let Some(text) = chanib.get("disabled") {
            next.disabled = read_flag(text.trim())?;
        }
        if let Some(text) = chanib.get("partListOff") {
            next.part_list_off = read_flag(text.trim())?;
        }
        if let Some(text) = field(chanib, "info", "urn:parlano:ma:info:visibility") {
            next.visibility = read_visibility(&text)?;
        }
        if let Some(text) = field(chanib, "prop", "urn:parlano:ma:prop:invite") {
            let wanted = read_flag(&text)?;
            // A client sends the effective value back; only a change makes it the room's own.
            if wanted != access::invites(&self.world, &next) {
                next.invite = Some(wanted);
            }
        }
        if let Some(text) = field(chanib, "prop", "urn:parlano:ma:prop:logged") {
            next.logged = read_flag(&text)?;
        }
        if let Some(text) = field(chanib, "prop", "urn:parlano:ma:prop:filepost") {
            next.filepost = read_flag(&text)?;
        }
        for (list, name) in LISTS {
            if let Some(change) = chanib.first(name) {
                *list.of_mut(&mut next) = self.changed_list(change, list.of(room), &next)?;
            }
        }
        Ok(next)
    }

    fn keep_room(&mut self, key: &str, room: &Room) -> Result<(), Refusal> {
        match &mut self.journal {
            None => Ok(()),
            Some(journal) => journal
                .room(key, room)
                .map_err(|e| Refusal::new(Cause::Storage, e.to_string())),
        }
    }

    /// Stamps and stores a changed room and tells everybody whom the change concerns.
    pub(in crate::server) fn replace_room(
        &mut self,
        ask: &Ask<'_>,
        key: &str,
        mut next: Room,
    ) -> Result<(), Refusal> {
        let who = self
            .user(&ask.user)
            .map(|u| u.name.clone())
            .unwrap_or_default();
        next.audit.updated_by = who;
        next.audit.updated = ask.now.wall;
        self.keep_room(key, &next)?;
        let Some(room) = self.world.rooms.get_mut(key) else {
            return Err(Refusal::no_room());
        };
        next.history = std::mem::take(&mut room.history);
        let old = std::mem::replace(room, next);
        self.room_changed(key, &old);
        self.invite_members(ask, key, &old.members);
        Ok(())
    }

    /// Tells everybody in a room what became different; whoever may no longer be there is put out.
    pub(in crate::server) fn room_changed(&mut self, key: &str, old: &Room) {
        let Some(room) = self.world.rooms.get(key) else {
            return;
        };
        let participants = self.participants(key);
        let properties = properties_differ(room, old);
        let switched = (room.part_list_off != old.part_list_off).then_some(!room.part_list_off);
        let gone: Vec<String> = participants
            .iter()
            .filter(|user| access::chperms(&self.world, room, user) & bit::JOIN == 0)
            .cloned()
            .collect();
        let changed: Vec<String> = participants
            .iter()
            .filter(|user| !gone.contains(user))
            .filter(|user| {
                access::chperms(&self.world, room, user) != access::chperms(&self.world, old, user)
            })
            .cloned()
            .collect();
        if properties && !self.options.defects.has(Slip::ChangeUntold) {
            self.tell_chanmodify(key);
        }
        if !changed.is_empty() {
            self.tell_usermodify(key, &changed);
        }
        if let Some(on) = switched {
            self.tell_participant_list(key, on);
        }
        for user in gone {
            if !self.options.defects.has(Slip::KickUntold) {
                self.kick(key, &user);
            }
        }
    }

    /// Invites whoever became a member (3.1.10), without whoever did it.
    fn invite_members(&mut self, ask: &Ask<'_>, key: &str, before: &[Principal]) {
        let Some(room) = self.world.rooms.get(key) else {
            return;
        };
        let new: Vec<String> = self
            .world
            .users
            .keys()
            .filter(|user| {
                **user != ask.user
                    && access::listed(&self.world, &room.members, user)
                    && !access::listed(&self.world, before, user)
            })
            .cloned()
            .collect();
        for user in new {
            self.invite(ask.now, &user, key);
        }
    }
}

fn properties_differ(a: &Room, b: &Room) -> bool {
    let of = |r: &Room| {
        (
            (
                r.name.clone(),
                r.description.clone(),
                r.category.clone(),
                r.behavior,
                r.visibility,
            ),
            (r.disabled, r.invite, r.filepost, r.logged),
            (r.siopid.clone(), r.siopname.clone(), r.siopurl.clone()),
        )
    };
    of(a) != of(b)
}

/*! What the client keeps about rooms: 3.1.1, 3.1.5.1, 3.1.6.1.

Takes channel blocks, chats and notices; gives participant lists and the last
message number. A room is known from its first join on; after a kick or a leave
it stays known with an empty list.
*/

use std::collections::BTreeMap;

use super::action::{Message, RoomInfo};
use crate::payload::Element;

/// State of one room (3.1.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Room {
    /// URI as the server last wrote it.
    pub uri: String,
    /// Display name.
    pub name: String,
    /// Description.
    pub description: String,
    /// Whether it is closed, when the server said so.
    pub disabled: bool,
    /// Whether this client is in it.
    pub joined: bool,
    /// Whether the user takes part, so that history means 25 messages (3.1.7.3).
    pub active: bool,
    /// SIP URIs, in the order they came.
    pub participants: Vec<String>,
    /// LastReceivedMessageId.
    pub last_message_id: i64,
}

impl Room {
    /// Adds a participant once.
    pub fn add(&mut self, uri: &str) {
        if !self.participants.iter().any(|p| same(p, uri)) {
            self.participants.push(uri.to_owned());
        }
    }

    /// Takes a participant out.
    pub fn remove(&mut self, uri: &str) {
        self.participants.retain(|p| !same(p, uri));
    }

    /// Notes a chat number (3.1.7.5, 3.1.14.5): only a greater one counts.
    pub fn note(&mut self, chat_id: i64) {
        self.last_message_id = self.last_message_id.max(chat_id);
    }

    /// Takes over what a channel block says about the properties the client uses.
    pub fn update(&mut self, chanib: &Element) {
        if let Some(name) = chanib.get("name") {
            self.name = name.to_owned();
        }
        if let Some(description) = chanib.get("description") {
            self.description = description.to_owned();
        }
        if let Some(disabled) = chanib.get("disabled") {
            self.disabled = truth(disabled);
        }
    }

    /// The user is out of the room.
    pub fn leave(&mut self) {
        self.joined = false;
        self.participants.clear();
    }

    /// As results show it, with participants.
    pub fn info(&self) -> RoomInfo {
        RoomInfo {
            uri: self.uri.clone(),
            name: self.name.clone(),
            description: self.description.clone(),
            participants: Some(self.participants.clone()),
            timestamp: None,
        }
    }
}

/// All rooms the client knows, by URI without regard to case.
#[derive(Debug, Clone, Default)]
pub struct Rooms {
    rooms: BTreeMap<String, Room>,
}

impl Rooms {
    /// A room by URI.
    pub fn get(&self, uri: &str) -> Option<&Room> {
        self.rooms.get(&key(uri))
    }

    /// A room the user is in, by URI.
    pub fn joined(&mut self, uri: &str) -> Option<&mut Room> {
        self.rooms.get_mut(&key(uri)).filter(|r| r.joined)
    }

    /// A room the user is in, by the GUID part of its URI (3.1.15.5).
    pub fn joined_by_guid(&mut self, wanted: &str) -> Option<&mut Room> {
        self.rooms
            .values_mut()
            .find(|r| r.joined && guid(&r.uri).is_some_and(|g| same(g, wanted.trim())))
    }

    /// Every room the user is in.
    pub fn all_joined(&mut self) -> impl Iterator<Item = &mut Room> {
        self.rooms.values_mut().filter(|r| r.joined)
    }

    /// A room by URI, made known when it was not.
    pub fn enter(&mut self, uri: &str) -> &mut Room {
        self.rooms.entry(key(uri)).or_insert_with(|| Room {
            uri: uri.to_owned(),
            ..Room::default()
        })
    }

    /// Nobody is anywhere any more: the dialog is gone.
    pub fn clear(&mut self) {
        self.rooms.values_mut().for_each(Room::leave);
    }
}

/// UserInfoMap (3.1.5.1): user indexes to SIP URIs, for the time of one reply.
#[derive(Debug, Default)]
pub struct UserInfoMap(BTreeMap<i64, String>);

impl UserInfoMap {
    /// From the user blocks of a reply, which stand beside the channel blocks (4.2) or inside them (3.1.5.5; XC-46).
    pub fn read(data: &Element) -> UserInfoMap {
        let inside = data.all("chanib").flat_map(|c| c.all("uib"));
        let mut map = BTreeMap::new();
        for uib in data.all("uib").chain(inside) {
            if let (Some(Ok(id)), Some(uri)) =
                (uib.get("id").map(|v| v.trim().parse()), uib.get("uri"))
            {
                map.insert(id, uri.to_owned());
            }
        }
        UserInfoMap(map)
    }

    /// The ParticipantList of a channel block: the union over its role blocks (XC-64), unknown indexes left out.
    pub fn participants(&self, chanib: &Element) -> Vec<String> {
        let mut list: Vec<String> = Vec::new();
        for aib in chanib.all("aib") {
            for index in aib.get("value").unwrap_or("").split(',') {
                if let Some(uri) = index.trim().parse().ok().and_then(|i: i64| self.0.get(&i))
                    && !list.iter().any(|p| same(p, uri))
                {
                    list.push(uri.clone());
                }
            }
        }
        list
    }
}

/// What a channel block says of its room, as results show it.
pub fn room_info(chanib: &Element) -> RoomInfo {
    let text = |name: &str| chanib.get(name).unwrap_or("").to_owned();
    RoomInfo {
        uri: text("uri"),
        name: text("name"),
        description: text("description"),
        ..RoomInfo::default()
    }
}

/// A `grpchat` or `msg` as results show it.
pub fn message(chat: &Element) -> Message {
    let text = |name: &str| chat.get(name).unwrap_or("").to_owned();
    Message {
        room: text("chanUri"),
        chat_id: chat_id(chat).unwrap_or(0),
        author: text("author"),
        author_name: text("authdisp"),
        ts: text("ts"),
        alert: chat.get("alert").is_some_and(truth),
        text: chat.first("chat").map(Element::content).unwrap_or_default(),
        rtf: chat.first("rtf").map(Element::content),
    }
}

/// The number of a chat.
pub fn chat_id(chat: &Element) -> Option<i64> {
    chat.get("chatId")?.trim().parse().ok()
}

/// GUID part of a room URI: what follows its last slash.
pub fn guid(uri: &str) -> Option<&str> {
    let (_, guid) = uri.trim().rsplit_once('/')?;
    (!guid.is_empty()).then_some(guid)
}

/// Whether two URIs or GUIDs are the same, case aside.
pub fn same(a: &str, b: &str) -> bool {
    a.trim().eq_ignore_ascii_case(b.trim())
}

fn key(uri: &str) -> String {
    uri.trim().to_ascii_lowercase()
}

fn truth(text: &str) -> bool {
    matches!(text.trim(), "true" | "1" | "True")
}

/*! `join` (3.2.4), `bjoin` (3.2.3) and `part`. */

use crate::defect::Slip;
use crate::payload::Element;
use crate::server::access::{self, Role, bit, role_key};
use crate::server::blocks::{self, Detail};
use crate::server::refusal::{Cause, Refusal};
use crate::server::table::Done;
use crate::server::{Ask, EndpointId, Server};
use crate::world::{Guid, Room};

use super::history;

/// The error description of failed joins in a batch (2.2.2.1.23).
const FAILED: &str = "OPERATION_FAILED";

/// Most backchat one batch join sends per room.
const MOST_BACKCHAT: usize = 1000;

/// `cmd:join`: one room.
pub fn join(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    let chanid = ask
        .data
        .first("chanid")
        .ok_or_else(|| Refusal::new(Cause::Missing, "cmd:join needs a `chanid`"))?;
    let value = chanid.get("value").unwrap_or("").trim();
    let domain = chanid.get("domain").unwrap_or("");
    let key = server.joinable(value, domain, &ask.user)?;
    let newly = server.enter(&key, ask.endpoint);
    let data = server.join_data(std::slice::from_ref(&key), &[]);
    if newly && !server.options.defects.has(Slip::JoinUntold) {
        server.tell_joined(&ask.user, &[key], false);
    }
    Ok(Done {
        data: Some(data),
        more: Vec::new(),
    })
}

/// `cmd:bjoin`: the rooms of a hash table from backchat count to GUIDs; partial failure is no failure.
pub fn bjoin(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    let mut joined: Vec<(String, usize)> = Vec::new();
    let mut failed: Vec<String> = Vec::new();
    let mut newly: Vec<String> = Vec::new();
    for chanid in ask.data.all("chanid") {
        // A client that writes something else into the key gets no backchat (XC-17).
        let count = chanid
            .get("key")
            .and_then(|k| k.trim().parse::<usize>().ok())
            .unwrap_or(0);
        let domain = chanid.get("domain").unwrap_or("");
        let list = chanid.get("value").unwrap_or("");
        let comma = if server.options.defects.has(Slip::BjoinNoSplit) {
            ';'
        } else {
            ','
        };
        for token in list.split(comma).map(str::trim).filter(|t| !t.is_empty()) {
            match server.joinable(token, domain, &ask.user) {
                Ok(key) if joined.iter().any(|(k, _)| *k == key) => {}
                Ok(key) => {
                    if server.enter(&key, ask.endpoint) {
                        newly.push(key.clone());
                    }
                    joined.push((key, count));
                }
                Err(_) if failed.iter().any(|f| f.eq_ignore_ascii_case(token)) => {}
                Err(_) => failed.push(token.to_owned()),
            }
        }
        if server.options.defects.has(Slip::BjoinFirstChanidOnly) {
            break;
        }
    }
    if joined.is_empty() && failed.is_empty() {
        return Err(Refusal::new(Cause::Missing, "cmd:bjoin names no room"));
    }
    if server.options.defects.has(Slip::BjoinAllOrNothing) && !failed.is_empty() {
        for (key, _) in &joined {
            server.unjoin(key, ask.endpoint);
        }
        return Err(Refusal::new(
            Cause::Forbidden,
            "Not every room can be joined",
        ));
    }
    let keys: Vec<String> = joined.iter().map(|(key, _)| key.clone()).collect();
    if server.options.defects.has(Slip::BjoinFailuresUnsaid) {
        failed.clear();
    }
    let data = server.join_data(&keys, &failed);
    let forgotten = server.options.defects.has(Slip::BackchatForgotten);
    let more = joined
        .iter()
        .filter(|_| !forgotten)
        .filter_map(|(key, count)| {
            let room = server.world.rooms.get(key)?;
            let count = match server.options.defects.has(Slip::BackchatCountIgnored) {
                true => MOST_BACKCHAT,
                false => (*count).min(MOST_BACKCHAT),
            };
            let count = if server.options.defects.has(Slip::BackchatEmpty) {
                0
            } else {
                count
            };
            Some(("rpl:bccontext", history::latest(room, count)))
        })
        .collect();
    if !newly.is_empty() && !server.options.defects.has(Slip::JoinUntold) {
        server.tell_joined(&ask.user, &newly, true);
    }
    Ok(Done {
        data: Some(data),
        more,
    })
}

/// `cmd:part`: this endpoint leaves a room; the user leaves with the last one.
pub fn part(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    let uri = ask
        .data
        .first("chanib")
        .and_then(|c| c.get("uri"))
        .unwrap_or("");
    let (key, room) = server.visible_room(uri, &ask.user)?;
    let reply = Element::new("chanib").with("uri", &room.uri);
    let here = server
        .endpoints
        .get(&ask.endpoint)
        .is_some_and(|e| e.joined.contains(&key));
    if !here {
        return Err(Refusal::new(
            Cause::Conflict,
            "You have not joined this room",
        ));
    }
    let defects = &server.options.defects;
    let kept = defects.has(Slip::PartKeepsJoined);
    let untold = defects.has(Slip::PartUntold);
    let early = defects.has(Slip::PartTellsEarly);
    if !kept {
        server.unjoin(&key, ask.endpoint);
    }
    let left = !server.is_joined(&key, &ask.user) || kept || early;
    if left && !untold {
        server.tell_parted(&ask.user, &key);
    }
    Ok(Done::with([reply]))
}

impl Server {
    /// The key of a room that the user may join (3.2.4.5 step 3).
    fn joinable(&self, guid: &str, domain: &str, user: &str) -> Result<String, Refusal> {
        if Guid::parse(guid).is_none() {
            let text = format!("`{guid}` is no GUID of a room");
            return Err(Refusal::new(Cause::NotFound, text));
        }
        if !access::known(&self.world, user) {
            return Err(Refusal::new(Cause::UnknownUser, "You are not known here"));
        }
        let key = guid.to_lowercase();
        let room = self
            .world
            .rooms
            .get(&key)
            .filter(|_| domain.trim().eq_ignore_ascii_case(&self.world.domain))
            .ok_or_else(Refusal::no_room)?;
        let rights = access::chperms(&self.world, room, user);
        if rights & bit::JOIN != 0 || self.options.defects.has(Slip::AnybodyJoins) {
            Ok(key)
        } else if rights & bit::VIEW == 0 && !self.options.defects.has(Slip::PrivateRoomsShow) {
            Err(Refusal::no_room())
        } else if room.disabled {
            Err(Refusal::new(Cause::Forbidden, "The room is switched off"))
        } else {
            Err(Refusal::new(Cause::Forbidden, "You may not join this room"))
        }
    }

    /// Sets <endpoint, room> to Joined; true when the user was not in the room before.
    fn enter(&mut self, key: &str, endpoint: EndpointId) -> bool {
        let Some(known) = self.endpoints.get_mut(&endpoint) else {
            return false;
        };
        if self.options.defects.has(Slip::JoinWithoutEffect) {
            return false;
        }
        known.joined.insert(key.to_owned());
        let user = known.user.clone();
        let before = self.is_joined(key, &user);
        self.joined
            .entry(key.to_owned())
            .or_default()
            .insert(endpoint);
        !before
    }

    /// The data of a join reply: chanibs with their aibs, the numbered users beside them, and what failed.
    fn join_data(&self, keys: &[String], failed: &[String]) -> Element {
        // 3.2.3.5 step 8: unique users of all rooms that were joined, numbered.
        let mut users: Vec<String> = Vec::new();
        let mut numbers = std::collections::HashMap::new();
        for key in keys {
            for user in self.participants(key) {
                numbers.entry(user.clone()).or_insert_with(|| {
                    users.push(user);
                    users.len() - 1
                });
            }
        }
        let chanibs = keys.iter().filter_map(|key| {
            let room = self.world.rooms.get(key)?;
            Some(self.joined_chanib(key, room, |user| numbers.get(user).copied()))
        });
        let uibs = users.iter().enumerate().filter_map(|(number, user)| {
            Some(blocks::uib(self.user(user)?).with("id", number.to_string()))
        });
        let fib = (!failed.is_empty()).then(|| {
            Element::new("fib")
                .with("key", FAILED)
                .with("value", failed.join(","))
                .with("domain", &self.world.domain)
        });
        blocks::data(chanibs).children(uibs).children(fib)
    }

    /// A chanib with one aib per role type that somebody in the room has (3.2.3.5 step 11).
    pub(in crate::server) fn joined_chanib(
        &self,
        key: &str,
        room: &Room,
        number: impl Fn(&str) -> Option<usize>,
    ) -> Element {
        let present = self.participants(key);
        let aibs = [Role::Member, Role::Presenter, Role::Manager]
            .into_iter()
            .filter_map(|role| {
                let list: Vec<String> = present
                    .iter()
                    .filter(|user| access::roles(&self.world, room, user).contains(&role))
                    .filter_map(|user| number(user))
                    .map(|n| n.to_string())
                    .collect();
                let key = role_key(role, self.world.settings.role_keys);
                (!list.is_empty()).then(|| blocks::aib(key, list.join(","), None))
            });
        blocks::chanib(&self.world, room, Detail::Joined, present.len(), aibs)
    }
}

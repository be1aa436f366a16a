/*! People: `getpl`, `getscoped`, `getscopedvoice`, `getdetails`, `getuserchannels`. */

use crate::payload::Element;
use crate::server::access::{self, bit};
use crate::server::blocks::{self, Detail};
use crate::server::refusal::{Cause, Refusal};
use crate::server::table::Done;
use crate::server::{Ask, Server, user_key};

use super::search::{Matcher, check_qtype, limit};

/// Who is in a room, for pages and tests: room URI and user URIs.
pub type Participants = Vec<(String, Vec<String>)>;

impl Server {
    /// Every room with the users joined to it.
    pub fn who_is_where(&self) -> Participants {
        self.world
            .rooms
            .iter()
            .map(|(key, room)| {
                let users = self.participants(key);
                let uris = users.iter().filter_map(|u| Some(self.user(u)?.uri.clone()));
                (room.uri.clone(), uris.collect())
            })
            .collect()
    }
}

/// `cmd:getpl`: the participants of a room, in the form of a join reply.
pub fn participants(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    let uri = ask
        .data
        .first("chanib")
        .and_then(|c| c.get("uri"))
        .unwrap_or("");
    let (key, room) = server.visible_room(uri, &ask.user)?;
    if access::chperms(&server.world, room, &ask.user) & bit::JOIN == 0 {
        return Err(Refusal::new(
            Cause::Forbidden,
            "You may not see who is in this room",
        ));
    }
    let users = server.participants(&key);
    let number = |user: &str| users.iter().position(|u| u == user);
    let chanib = server.joined_chanib(&key, room, number);
    let uibs = users.iter().enumerate().filter_map(|(number, user)| {
        Some(blocks::uib(server.user(user)?).with("id", number.to_string()))
    });
    Ok(Done::with(std::iter::once(chanib).chain(uibs)))
}

/// `cmd:getscoped`: who may be given a role (other than presenter) in a room or category.
pub fn scoped(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    eligible(server, ask, false)
}

/// `cmd:getscopedvoice`: who may be made presenter; members of the room.
pub fn scoped_voice(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    eligible(server, ask, true)
}

fn eligible(server: &mut Server, ask: &Ask<'_>, voice: bool) -> Result<Done, Refusal> {
    let qib = ask.data.first("qib");
    if let Some(qib) = qib {
        check_qtype(qib)?;
    }
    let (category, room) = if let Some(chanib) = ask.data.first("chanib") {
        let (_, room) = server.visible_room(chanib.get("uri").unwrap_or(""), &ask.user)?;
        (room.category.clone(), Some(room))
    } else {
        let uri = ask
            .data
            .first("catib")
            .and_then(|c| c.get("uri"))
            .or_else(|| qib.and_then(|q| q.get("catUri")))
            .ok_or_else(|| {
                Refusal::new(
                    Cause::Missing,
                    "name a `chanib`, a `catib` or a category URI",
                )
            })?;
        let key = uri.trim().to_lowercase();
        if !server.world.categories.contains_key(&key) {
            return Err(Refusal::new(Cause::NotFound, "There is no such category"));
        }
        (key, None)
    };
    // Scoped users come from the category (2.2.2.1.6).
    let from = || {
        let category = server.world.categories.get(&category)?;
        Some(blocks::from(&category.name, &category.uri))
    };
    let matcher = qib.map(Matcher::read);
    let fits = |fields: &[&str]| matcher.as_ref().is_none_or(|m| m.fits(fields));
    let insider = |user: &str| {
        room.is_none_or(|r| {
            !voice
                || [&r.members, &r.managers, &r.presenters]
                    .iter()
                    .any(|l| access::listed(&server.world, l, user))
        })
    };
    let users = server
        .world
        .users
        .iter()
        .filter(|(key, u)| {
            !u.disabled && access::in_scope(&server.world, &category, key) && insider(key)
        })
        .filter(|(_, u)| fits(&[&u.name, u.email.as_deref().unwrap_or(""), &u.uri]))
        .map(|(_, u)| blocks::uib_from(u, from()));
    let groups = server
        .world
        .groups
        .values()
        .filter(|g| {
            !voice
                && !g.members.is_empty()
                && g.members
                    .iter()
                    .all(|m| access::in_scope(&server.world, &category, m))
        })
        .filter(|g| fits(&[&g.name]))
        .map(|g| blocks::gib_from(g, from()));
    let mut found: Vec<Element> = users.chain(groups).collect();
    let cap = limit(server, qib);
    let over = found.len() > cap;
    found.truncate(cap);
    let count = blocks::cnt(found.len(), over);
    Ok(Done::with(found.into_iter().chain(count)))
}

/// `cmd:getdetails`: what the directory says of a user or group.
pub fn details(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    if let Some(uib) = ask.data.first("uib") {
        let key = user_key(uib.get("uri").unwrap_or(""));
        let user = server.user(&key);
        let user = user.ok_or_else(|| Refusal::new(Cause::NotFound, "There is no such user"))?;
        // A principal is from the group it belongs to (2.2.2.1.6).
        let group = server
            .world
            .groups
            .values()
            .find(|g| g.members.contains(&key));
        let from = group.map(|g| blocks::from(&g.name, blocks::group_url(g)));
        return Ok(Done::with([blocks::uib_from(user, from)]));
    }
    if let Some(gib) = ask.data.first("gib") {
        let group = server
            .group_key(gib)
            .and_then(|key| server.world.groups.get(&key));
        let group = group.ok_or_else(|| Refusal::new(Cause::NotFound, "There is no such group"))?;
        return Ok(Done::with([blocks::gib(group)]));
    }
    Err(Refusal::new(
        Cause::Missing,
        "cmd:getdetails needs a `uib` or a `gib`",
    ))
}

/// `cmd:getuserchannels`: the rooms a user is joined to, as far as the asker may see them.
pub fn channels(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    let uri = ask
        .data
        .first("uib")
        .and_then(|u| u.get("uri"))
        .unwrap_or("");
    let user = user_key(uri);
    if !server.world.users.contains_key(&user) {
        return Err(Refusal::new(Cause::NotFound, "There is no such user"));
    }
    let rooms: Vec<Element> = server
        .world
        .rooms
        .iter()
        .filter(|(key, room)| {
            server.is_joined(key, &user)
                && access::chperms(&server.world, room, &ask.user) & bit::VIEW != 0
        })
        .map(|(key, room)| {
            let users = server.participants(key).len();
            blocks::chanib(&server.world, room, Detail::Listed, users, [])
        })
        .collect();
    Ok(Done::with(rooms))
}

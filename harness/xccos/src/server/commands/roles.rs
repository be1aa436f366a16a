/*! Role lists: `qeulmem qeulmgr qeulvoiced`, `sacemem sacemgr sacevoiced` (2.2.2.1.12 to 14). */

use crate::defect::Slip;
use crate::payload::Element;
use crate::server::access::{self, bit};
use crate::server::blocks;
use crate::server::refusal::{Cause, Refusal};
use crate::server::table::Done;
use crate::server::{Ask, Server, user_key};
use crate::world::{Principal, Room};

/// One of a room's three lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// Who may join.
    Members,
    /// Who may manage.
    Managers,
    /// Who may post in an auditorium.
    Presenters,
}

/// All lists with their element names (2.2.2.1.7.2); the singular names of 3.1.17.3 are not in the schema (XC-53).
pub const LISTS: &[(List, &str)] = &[
    (List::Members, "members"),
    (List::Managers, "managers"),
    (List::Presenters, "presenters"),
];

impl List {
    fn name(self) -> &'static str {
        LISTS
            .iter()
            .find(|(l, _)| *l == self)
            .map_or("", |(_, n)| *n)
    }

    /// The list in a room.
    pub fn of(self, room: &Room) -> &Vec<Principal> {
        match self {
            List::Members => &room.members,
            List::Managers => &room.managers,
            List::Presenters => &room.presenters,
        }
    }

    /// The list in a room, for changing.
    pub fn of_mut(self, room: &mut Room) -> &mut Vec<Principal> {
        match self {
            List::Members => &mut room.members,
            List::Managers => &mut room.managers,
            List::Presenters => &mut room.presenters,
        }
    }
}

/// `cmd:qeulmem`.
pub fn query_members(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    query(server, ask, List::Members)
}

/// `cmd:qeulmgr`.
pub fn query_managers(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    query(server, ask, List::Managers)
}

/// `cmd:qeulvoiced`.
pub fn query_presenters(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    query(server, ask, List::Presenters)
}

fn query(server: &mut Server, ask: &Ask<'_>, list: List) -> Result<Done, Refusal> {
    let uri = ask
        .data
        .first("chanib")
        .and_then(|c| c.get("uri"))
        .unwrap_or("");
    let (_, room) = server.visible_room(uri, &ask.user)?;
    Ok(Done::with([server.list_chanib(room, list)]))
}

/// `cmd:sacemem`.
pub fn set_members(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    set(server, ask, List::Members)
}

/// `cmd:sacemgr`.
pub fn set_managers(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    set(server, ask, List::Managers)
}

/// `cmd:sacevoiced`.
pub fn set_presenters(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    set(server, ask, List::Presenters)
}

fn set(server: &mut Server, ask: &Ask<'_>, list: List) -> Result<Done, Refusal> {
    let chanib = ask
        .data
        .first("chanib")
        .ok_or_else(|| Refusal::new(Cause::Missing, "the command needs a `chanib`"))?;
    let (key, room) = server.managed(chanib.get("uri").unwrap_or(""), &ask.user)?;
    let Some(change) = chanib.first(list.name()) else {
        let text = format!("`chanib` needs a `{}`", list.name());
        return Err(Refusal::new(Cause::Missing, text));
    };
    let mut next = room.clone();
    *list.of_mut(&mut next) = server.changed_list(change, list.of(room), room)?;
    server.replace_room(ask, &key, next)?;
    let room = server.world.rooms.get(&key).ok_or_else(Refusal::no_room)?;
    Ok(Done::with([server.list_chanib(room, list)]))
}

impl Server {
    fn list_chanib(&self, room: &Room, list: List) -> Element {
        Element::new("chanib")
            .with("uri", &room.uri)
            .child(blocks::role_list(
                &self.world,
                room,
                list.name(),
                list.of(room),
            ))
    }

    /// A room that the user may manage.
    pub(in crate::server) fn managed(
        &self,
        uri: &str,
        user: &str,
    ) -> Result<(String, &Room), Refusal> {
        let (key, room) = self.visible_room(uri, user)?;
        let rights = access::chperms(&self.world, room, user);
        if rights & bit::MANAGE == 0 && !self.options.defects.has(Slip::AnybodyManages) {
            return Err(Refusal::new(
                Cause::Forbidden,
                "You may not manage this room",
            ));
        }
        Ok((key, room))
    }

    /// A list after the verbs of a RoleList (2.2.2.1.12): A adds, R removes, X stands for a full replacement.
    pub(in crate::server) fn changed_list(
        &self,
        change: &Element,
        now: &[Principal],
        room: &Room,
    ) -> Result<Vec<Principal>, Refusal> {
        let mut list = now.to_vec();
        let replaces = change
            .all("prins")
            .any(|p| p.get("verb").map(str::trim) == Some("X"));
        if replaces && !self.options.defects.has(Slip::ReplaceAdds) {
            list.clear();
        }
        for prins in change.all("prins") {
            let principal = self.principal(prins)?;
            match (prins.get("verb").map(str::trim).unwrap_or(""), principal) {
                ("A" | "X", Some(p)) => {
                    if !list.contains(&p) && !self.options.defects.has(Slip::AddIgnored) {
                        self.check_scope(&p, room)?;
                        list.push(p);
                    }
                }
                ("R", Some(p)) => {
                    if !self.options.defects.has(Slip::RemoveIgnored) {
                        list.retain(|q| *q != p);
                    }
                }
                // X without anybody: the empty list (M22 of the errata).
                ("X", None) => {}
                (verb, None) => {
                    let text = format!("`prins` with the verb {verb} names nobody");
                    return Err(Refusal::new(Cause::Malformed, text));
                }
                (verb, Some(_)) => {
                    let text = format!("`{verb}` is no verb; A, R and X are");
                    return Err(Refusal::new(Cause::Malformed, text));
                }
            }
        }
        Ok(list)
    }

    fn principal(&self, ace: &Element) -> Result<Option<Principal>, Refusal> {
        if let Some(uib) = ace.first("uib") {
            let key = user_key(uib.get("uri").unwrap_or(""));
            return match self.world.users.contains_key(&key) {
                true => Ok(Some(Principal::User(key))),
                false => Err(Refusal::new(
                    Cause::Malformed,
                    format!("There is no user `{key}`"),
                )),
            };
        }
        if let Some(gib) = ace.first("gib") {
            return match self.group_key(gib) {
                Some(key) => Ok(Some(Principal::Group(key))),
                None => Err(Refusal::new(Cause::Malformed, "There is no such group")),
            };
        }
        Ok(None)
    }

    /// Only principals in the category's scope may be given roles.
    fn check_scope(&self, principal: &Principal, room: &Room) -> Result<(), Refusal> {
        let users: Vec<&String> = match principal {
            Principal::User(key) => vec![key],
            Principal::Group(key) => self
                .world
                .groups
                .get(key)
                .map(|g| g.members.iter().collect())
                .unwrap_or_default(),
        };
        match users
            .iter()
            .find(|u| !access::in_scope(&self.world, &room.category, u))
        {
            None => Ok(()),
            Some(user) => {
                let text = format!("`{user}` is outside the scope of the room's category");
                Err(Refusal::new(Cause::Conflict, text))
            }
        }
    }
}

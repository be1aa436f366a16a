/*! Invitations (`getinv`, 3.1.10) and associations (`getassociations`, 3.1.11). */

use crate::defect::Slip;
use crate::payload::Element;
use crate::server::access::{self, bit};
use crate::server::blocks::{self, Detail};
use crate::server::refusal::{Cause, Refusal};
use crate::server::table::Done;
use crate::server::{Ask, Server};
use crate::time::{Now, stamp};
use crate::world::{Principal, Room};

/// Most results of getassociations when the command does not say (2.2.2.1.20).
const DEFAULT_ASSOCIATIONS: usize = 100;

/// An invitation that was issued.
#[derive(Debug, Clone)]
pub struct Invitation {
    id: u64,
    user: String,
    room: String,
    at: jiff::Timestamp,
    registered: bool,
}

/// `cmd:getinv`: unregistered invitations from an id on; they count as registered unless the command says no.
pub fn pending(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    let inv = ask
        .data
        .first("inv")
        .ok_or_else(|| Refusal::new(Cause::Missing, "cmd:getinv needs an `inv`"))?;
    let from: u64 = inv
        .get("inviteId")
        .and_then(|v| v.trim().parse().ok())
        .unwrap_or(0);
    let register = inv
        .get("register")
        .is_none_or(|v| matches!(v.trim(), "true" | "1"));
    let again = server.options.defects.has(Slip::InvitationsComeAgain);
    let mut found: Vec<Invitation> = Vec::new();
    for invitation in &server.invitations {
        let room = server.world.rooms.get(&invitation.room);
        let alive = room.is_some_and(|r| {
            !r.disabled && access::chperms(&server.world, r, &ask.user) & bit::VIEW != 0
        });
        // SIPE asks from 1 on; ids start there, so 0 and 1 mean everything.
        if invitation.user == ask.user
            && invitation.id >= from
            && alive
            && (!invitation.registered || again)
        {
            found.push(invitation.clone());
        }
    }
    let data = server.invitation_data(&found);
    let register = register != server.options.defects.has(Slip::RegisterInverted);
    if register {
        for invitation in &found {
            server.register(invitation)?;
        }
    }
    Ok(Done {
        data: Some(data),
        more: Vec::new(),
    })
}

/// `cmd:getassociations`: the rooms of which the user is a member or a manager.
pub fn associations(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    let block = ask.data.first("association").ok_or_else(|| {
        Refusal::new(Cause::Missing, "cmd:getassociations needs an `association`")
    })?;
    let kind = block.get("type").unwrap_or("").trim().to_owned();
    let swapped = server.options.defects.has(Slip::AssociationsSwapped);
    let list: fn(&Room) -> &Vec<Principal> = match (kind.as_str(), swapped) {
        ("MEMBER", false) | ("MANAGER", true) => |r| &r.members,
        ("MANAGER", false) | ("MEMBER", true) => |r| &r.managers,
        _ => {
            let text = format!("`{kind}` is no association; MEMBER and MANAGER are");
            return Err(Refusal::new(Cause::Malformed, text));
        }
    };
    // The document and its schema spell the attribute differently (XC-34).
    let most = block
        .get("maxResults")
        .or_else(|| block.get("maxResult"))
        .and_then(|v| v.trim().parse().ok())
        .unwrap_or(DEFAULT_ASSOCIATIONS);
    let most = if server.options.defects.has(Slip::MaxResultIgnored) {
        usize::MAX
    } else {
        most
    };
    let rooms: Vec<Element> = server
        .world
        .rooms
        .iter()
        .filter(|(_, room)| access::listed(&server.world, list(room), &ask.user) && !room.disabled)
        .take(most)
        .map(|(key, room)| {
            let users = server.participants(key).len();
            blocks::chanib(&server.world, room, Detail::Listed, users, [])
        })
        .collect();
    let association = Element::new("association")
        .with("domain", &server.world.domain)
        .with("type", kind)
        .children(rooms);
    Ok(Done::with([association]))
}

impl Server {
    /// Issues the invitations the world begins with.
    pub(in crate::server) fn settle_invitations(&mut self) {
        let mut issued = Vec::new();
        for (key, room) in &self.world.rooms {
            for user in &room.invited {
                issued.push((user.clone(), key.clone(), room.audit.created));
            }
        }
        for (user, room, at) in issued {
            self.issue(&user, &room, at);
        }
    }

    /// Issues the invitations a changed world adds; whoever was invited before is not invited again.
    pub(in crate::server) fn settle_invitations_again(&mut self) {
        let missing: Vec<(String, String, jiff::Timestamp)> = self
            .world
            .rooms
            .iter()
            .flat_map(|(key, room)| {
                room.invited
                    .iter()
                    .map(move |user| (user.clone(), key.clone(), room.audit.created))
            })
            .filter(|(user, key, _)| {
                !self
                    .invitations
                    .iter()
                    .any(|i| i.user == *user && i.room == *key)
            })
            .collect();
        for (user, room, at) in missing {
            self.issue(&user, &room, at);
        }
    }

    fn issue(&mut self, user: &str, room: &str, at: jiff::Timestamp) -> Option<Invitation> {
        if self
            .invitations
            .iter()
            .any(|i| i.user == user && i.room == room && !i.registered)
        {
            return None;
        }
        let invitation = Invitation {
            id: self.next_invitation,
            user: user.to_owned(),
            room: room.to_owned(),
            at,
            registered: false,
        };
        self.next_invitation += 1;
        self.invitations.push(invitation.clone());
        Some(invitation)
    }

    /// Invites a user to a room whose invitations are on (3.1.10) and tells their endpoints.
    pub(in crate::server) fn invite(&mut self, now: Now, user: &str, room: &str) {
        if !self
            .world
            .rooms
            .get(room)
            .is_some_and(|r| access::invites(&self.world, r))
        {
            return;
        }
        if let Some(invitation) = self.issue(user, room, now.wall) {
            let data = self.invitation_data(&[invitation]);
            self.tell_invited(user, data);
        }
    }

    /// Chanibs and, in the same order, the hash of ids and times (3.1.10.5).
    fn invitation_data(&self, list: &[Invitation]) -> Element {
        let chanibs = list.iter().filter_map(|invitation| {
            let room = self.world.rooms.get(&invitation.room)?;
            let users = self.participants(&invitation.room).len();
            Some(blocks::chanib(&self.world, room, Detail::Listed, users, []))
        });
        let mut list = list.to_vec();
        let chanibs: Vec<Element> = chanibs.collect();
        if self.options.defects.has(Slip::InvitationOrder) {
            list.reverse();
        }
        let pairs: Vec<String> = list
            .iter()
            .map(|i| format!("{}@{}", i.id, stamp(i.at)))
            .collect();
        let hash = Element::new("hash")
            .with("key", "inviteIds")
            .with("value", pairs.join(","));
        blocks::data(chanibs).child(hash)
    }

    fn register(&mut self, invitation: &Invitation) -> Result<(), Refusal> {
        if let Some(journal) = &mut self.journal {
            journal
                .registered(&invitation.user, &invitation.room)
                .map_err(|e| Refusal::new(Cause::Storage, e.to_string()))?;
        }
        self.mark_registered(&invitation.user, &invitation.room);
        Ok(())
    }

    /// Marks what a user's client has acknowledged.
    pub(in crate::server) fn mark_registered(&mut self, user: &str, room: &str) {
        for invitation in &mut self.invitations {
            if invitation.user == user && invitation.room == room {
                invitation.registered = true;
            }
        }
    }
}

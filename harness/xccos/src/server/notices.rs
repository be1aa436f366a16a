/*! Notices (2.2.2.2.5, 3.1.15.5): what each says and who must get it.

Takes what happened; puts `ntc` and `sys` primitives for the right endpoints
into the outbox. Each notice travels in an envelope of its own, because a
widespread client reads one kind of primitive per envelope.
*/

use std::collections::BTreeMap;

use crate::defect::Slip;
use crate::payload::Element;
use crate::time::Now;

use super::access::{self, role_key};
use super::blocks::{self, Detail};
use super::outbox::Mail;
use super::{EndpointId, Output, Server};

/// Something to tell that no client caused; see [`Server::notice`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Throw a user out of a room (URIs).
    Kick {
        /// Room URI.
        room: String,
        /// User URI.
        user: String,
    },
    /// Invite a user to a room.
    Invite {
        /// Room URI.
        room: String,
        /// User URI.
        user: String,
    },
    /// Tell that a room's properties changed.
    ChanModify {
        /// Room URI.
        room: String,
    },
    /// Tell that the history of a room changed.
    ChatModify {
        /// Room URI.
        room: String,
    },
    /// Tell that a participant's rights changed.
    UserModify {
        /// Room URI.
        room: String,
        /// User URI.
        user: String,
    },
    /// Tell that participant updates of a room were switched on or off.
    ParticipantList {
        /// Room URI.
        room: String,
        /// Whether they are on now.
        on: bool,
    },
    /// Tell everybody whether the server is busy (2.2.2.2.8).
    Status {
        /// Whether it is.
        busy: bool,
    },
}

/// XccosNoticePrimitive (2.2.2.2.5); its data block is mandatory.
fn ntc(id: &str, data: Element) -> Element {
    Element::new("ntc")
        .with("id", id)
        .with("seqid", "")
        .child(data)
}

impl Server {
    /// Acts on something that no client caused and tells whom it concerns.
    pub fn notice(&mut self, now: Now, notice: &Notice) -> Vec<Output> {
        let key = |uri: &str| {
            crate::world::room_guid(uri.trim())
                .map(str::to_lowercase)
                .unwrap_or_default()
        };
        match notice {
            Notice::Kick { room, user } => self.kick(&key(room), &super::user_key(user)),
            Notice::Invite { room, user } => {
                self.invite(now, &super::user_key(user), &key(room));
            }
            Notice::ChanModify { room } => self.tell_chanmodify(&key(room)),
            Notice::ChatModify { room } => self.tell_chatmodify(&key(room)),
            Notice::UserModify { room, user } => {
                self.tell_usermodify(&key(room), &[super::user_key(user)]);
            }
            Notice::ParticipantList { room, on } => {
                let key = key(room);
                if let Some(room) = self.world.rooms.get_mut(&key) {
                    room.part_list_off = !on;
                }
                self.tell_participant_list(&key, *on);
            }
            Notice::Status { busy } => self.tell_status(*busy),
        }
        self.flush(now)
    }

    /// `sys:status` to every endpoint (2.2.2.2.7).
    pub(super) fn tell_status(&mut self, busy: bool) {
        let status = Element::new("status").with("busy", busy.to_string());
        let sys = Element::new("sys")
            .with("id", "sys:status")
            .with("seqid", "")
            .child(status);
        let everybody = self.endpoints.keys().copied().collect();
        self.outbox.post(Mail::new(everybody, vec![sys]));
    }

    /// Endpoints in the room, without those of one user.
    fn others(&self, room: &str, user: &str) -> Vec<EndpointId> {
        self.present(room)
            .filter(|e| self.endpoints.get(e).is_some_and(|e| e.user != user))
            .collect()
    }

    /// The aib of a user in a room as notices carry it: highest role, the room's GUID, the domain.
    fn notice_aib(&self, key: &str, user: &str) -> Option<Element> {
        let room = self.world.rooms.get(key)?;
        let role = access::roles(&self.world, room, user).into_iter().max()?;
        let number = role_key(role, self.world.settings.role_keys);
        Some(blocks::aib(number, &room.guid, Some(&self.world.domain)))
    }

    /// A user became Joined in these rooms (3.2.3.1): `ntc:join` for one, `ntc:bjoin` for a batch.
    pub(super) fn tell_joined(&mut self, user: &str, rooms: &[String], batch: bool) {
        let mut by_endpoint: BTreeMap<EndpointId, Vec<&String>> = BTreeMap::new();
        for key in rooms {
            if self.world.rooms.get(key).is_some_and(|r| r.part_list_off) {
                continue;
            }
            for endpoint in self.others(key, user) {
                by_endpoint.entry(endpoint).or_default().push(key);
            }
        }
        // Endpoints that share the same rooms get the same document.
        let mut by_rooms: BTreeMap<Vec<&String>, Vec<EndpointId>> = BTreeMap::new();
        for (endpoint, rooms) in by_endpoint {
            by_rooms.entry(rooms).or_default().push(endpoint);
        }
        let id = if batch { "ntc:bjoin" } else { "ntc:join" };
        let mut mails = Vec::new();
        for (rooms, to) in by_rooms {
            let Some(who) = self.user(user) else { continue };
            // One uib per room: a GUID list in one aib is legal, and not understood by a widespread client (note c16).
            let uibs = rooms
                .iter()
                .filter_map(|key| Some(blocks::uib_active(who, [self.notice_aib(key, user)?])));
            mails.push(Mail::new(to, vec![ntc(id, blocks::data(uibs))]));
        }
        self.post_all(mails);
    }

    /// A user's last endpoint left a room: `ntc:part`.
    pub(super) fn tell_parted(&mut self, user: &str, key: &str) {
        self.tell_left("ntc:part", user, key, self.others(key, user));
    }

    fn tell_left(&mut self, id: &str, user: &str, key: &str, to: Vec<EndpointId>) {
        let Some(room) = self
            .world
            .rooms
            .get(key)
            .filter(|r| id == "ntc:kick" || !r.part_list_off)
        else {
            return;
        };
        let Some(who) = self.user(user) else { return };
        let chanib = Element::new("chanib")
            .with("uri", &room.uri)
            .child(blocks::uib(who));
        self.post_all([Mail::new(to, vec![ntc(id, blocks::data([chanib]))])]);
    }

    fn post_all(&mut self, mails: impl IntoIterator<Item = Mail>) {
        for mail in mails {
            self.outbox.post(mail);
        }
    }

    /// An endpoint disconnected: `ntc:quit` when the user is gone, else `ntc:part` for the rooms that lost them.
    pub(super) fn quit(&mut self, endpoint: EndpointId) {
        let Some(gone) = self.endpoints.remove(&endpoint) else {
            return;
        };
        for key in &gone.joined {
            if let Some(present) = self.joined.get_mut(key) {
                present.remove(&endpoint);
            }
        }
        let left: Vec<String> = gone
            .joined
            .iter()
            .filter(|key| !self.is_joined(key, &gone.user))
            .cloned()
            .collect();
        if self.endpoints.values().any(|e| e.user == gone.user) {
            for key in left {
                self.tell_parted(&gone.user, &key);
            }
            return;
        }
        let mut to: Vec<EndpointId> = left
            .iter()
            .filter(|key| !self.world.rooms.get(*key).is_some_and(|r| r.part_list_off))
            .flat_map(|key| self.others(key, &gone.user))
            .collect();
        if self.options.defects.has(Slip::QuitToAll) {
            to = self.endpoints.keys().copied().collect();
        }
        to.sort_unstable();
        to.dedup();
        if let Some(user) = self.user(&gone.user) {
            let data = blocks::data([blocks::uib(user)]);
            self.post_all([Mail::new(to, vec![ntc("ntc:quit", data)])]);
        }
    }

    /// Puts a user out of a room and tells everybody in it, the user included.
    pub(super) fn kick(&mut self, key: &str, user: &str) {
        if !self.is_joined(key, user) {
            return;
        }
        let to = self.present(key).collect();
        self.tell_left("ntc:kick", user, key, to);
        let theirs: Vec<EndpointId> = self
            .present(key)
            .filter(|e| self.endpoints.get(e).is_some_and(|e| e.user == user))
            .collect();
        for endpoint in theirs {
            self.unjoin(key, endpoint);
        }
    }

    /// Takes the pair <endpoint, room> back to Not Joined (3.2.3.1).
    pub(super) fn unjoin(&mut self, key: &str, endpoint: EndpointId) {
        if let Some(present) = self.joined.get_mut(key) {
            present.remove(&endpoint);
        }
        if let Some(endpoint) = self.endpoints.get_mut(&endpoint) {
            endpoint.joined.remove(key);
        }
    }

    /// A room's settings changed.
    pub(super) fn tell_chanmodify(&mut self, key: &str) {
        if let Some(room) = self.world.rooms.get(key) {
            let users = self.participants(key).len();
            let chanib = blocks::chanib(&self.world, room, Detail::Listed, users, []);
            let notice = ntc("ntc:chanmodify", blocks::data([chanib]));
            let to = self.present(key).collect();
            self.post_all([Mail::new(to, vec![notice])]);
        }
    }

    fn tell_chatmodify(&mut self, key: &str) {
        if let Some(room) = self.world.rooms.get(key) {
            let chanib = blocks::chanib_bare(room);
            let notice = ntc("ntc:chatmodify", blocks::data([chanib]));
            let to = self.present(key).collect();
            self.post_all([Mail::new(to, vec![notice])]);
        }
    }

    /// Rights of participants changed; managers are flagged by an info (2.2.2.1.7.2.2).
    pub(super) fn tell_usermodify(&mut self, key: &str, users: &[String]) {
        let Some(room) = self.world.rooms.get(key) else {
            return;
        };
        let uibs = users.iter().filter_map(|user| {
            let aib = self.notice_aib(key, user)?;
            Some(blocks::uib_active(self.user(user)?, [aib]))
        });
        let flags = users
            .iter()
            .filter(|user| access::listed(&self.world, &room.managers, user))
            .filter_map(|user| Some(blocks::info("manager", &self.user(user)?.uri)));
        let chanib = Element::new("chanib")
            .with("uri", &room.uri)
            .children(uibs)
            .children(flags);
        let notice = ntc("ntc:usermodify", blocks::data([chanib]));
        let to = self.present(key).collect();
        self.post_all([Mail::new(to, vec![notice])]);
    }

    pub(super) fn tell_participant_list(&mut self, key: &str, on: bool) {
        if let Some(room) = self.world.rooms.get(key) {
            let id = if on { "ntc:pl" } else { "ntc:ploff" };
            let chanib = Element::new("chanib").with("uri", &room.uri);
            let notice = ntc(id, blocks::data([chanib]));
            let to = self.present(key).collect();
            self.post_all([Mail::new(to, vec![notice])]);
        }
    }

    /// New invitations reach the user at every endpoint (3.1.15.5).
    pub(super) fn tell_invited(&mut self, user: &str, data: Element) {
        let to = self
            .endpoints
            .iter()
            .filter(|(_, e)| e.user == user)
            .map(|(id, _)| *id)
            .collect();
        self.post_all([Mail::new(to, vec![ntc("ntc:invite", data)])]);
    }
}

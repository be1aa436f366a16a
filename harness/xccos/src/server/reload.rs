/*! A changed world file, and what a journal kept, meet a running server. */

use crate::time::Now;
use crate::world::{Room, World};

use super::journal::Stored;
use super::{Output, Server};

impl Server {
    /// Takes over a new world: settings, users and rooms are the new ones, history and who is joined stay.
    /// Whoever loses a room is put out of it, changed rooms are told to those in them.
    pub fn reload(&mut self, now: Now, mut world: World) -> Vec<Output> {
        let mut old: Vec<(String, Room)> = Vec::new();
        for (key, room) in &self.world.rooms {
            if let Some(next) = world.rooms.get_mut(key) {
                merge_history(next, room);
            }
            old.push((key.clone(), room.clone()));
        }
        let removed: Vec<String> = old
            .iter()
            .map(|(key, _)| key.clone())
            .filter(|key| !world.rooms.contains_key(key))
            .collect();
        for key in &removed {
            for user in self.participants(key) {
                self.kick(key, &user);
            }
            self.joined.remove(key);
        }
        let known: Vec<String> = self.world.rooms.keys().cloned().collect();
        let gone_users: Vec<String> = self
            .endpoints
            .values()
            .map(|e| e.user.clone())
            .filter(|u| !world.users.contains_key(u))
            .collect();
        for user in gone_users {
            for key in &known {
                self.kick(key, &user);
            }
        }
        self.world = world;
        for (key, room) in &self.world.rooms {
            let last = room.history.last().map_or(0, |c| c.id);
            let known = self.last_chat.entry(key.clone()).or_insert(last);
            *known = last.max(*known);
        }
        for (key, old) in &old {
            if self.world.rooms.contains_key(key) {
                self.room_changed(key, old);
            }
        }
        self.settle_invitations_again();
        self.flush(now)
    }

    /// Continues what a journal kept.
    pub(super) fn restore(&mut self, stored: Stored) {
        for (key, mut room) in stored.rooms {
            if let Some(old) = self.world.rooms.get(&key) {
                room.history = old.history.clone();
                room.invited = old.invited.clone();
            }
            self.world.rooms.insert(key, room);
        }
        for (key, chat) in stored.chats {
            let last = self.last_chat.entry(key.clone()).or_insert(0);
            if let Some(room) = self.world.rooms.get_mut(&key)
                && room.history.last().is_none_or(|c| c.id < chat.id)
            {
                *last = chat.id.max(*last);
                room.history.push(chat);
            }
        }
        for (user, label, seqid, content) in stored.preferences {
            let value = super::commands::prefs::Stored { seqid, content };
            self.prefs.insert((user, label), value);
        }
        for (user, room) in stored.registered {
            self.mark_registered(&user, &room);
        }
    }
}

/// The file's history and the one that happened since, in the order of ids.
fn merge_history(next: &mut Room, now: &Room) {
    let last = next.history.last().map_or(0, |c| c.id);
    if now.history.last().is_some_and(|c| c.id > last) || next.history.is_empty() {
        next.history = now.history.clone();
    }
}

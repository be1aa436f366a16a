/*! Who may do what in a room.

Takes the directory; gives roles, permission bits (2.2.2.1.4, table of
chperms) and visibility (2.2.2.1.7.2.2). Reads only; changes nothing.
*/

use crate::world::{Behavior, Principal, RoleKeys, Room, Visibility, World};

/// Bits of `chperms` (2.2.2.1.4), counted from 0.
pub mod bit {
    /// Can manage the channel.
    pub const MANAGE: u32 = 1 << 2;
    /// Can join the channel.
    pub const JOIN: u32 = 1 << 7;
    /// Can chat on the channel.
    pub const CHAT: u32 = 1 << 8;
    /// Can read the history.
    pub const READ: u32 = 1 << 10;
    /// Can view the channel.
    pub const VIEW: u32 = 1 << 11;
    /// Can chat in an auditorium channel.
    pub const PRESENT: u32 = 1 << 12;
}

/// A role type, and the number `aib/@key` carries for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Everybody in the room.
    Member,
    /// Managers.
    Manager,
    /// Presenters of an auditorium.
    Presenter,
}

/// Keys of the roles: (role, as in the document's examples, as OCS 2007 R2 sent them).
///
/// The first pair are the masks of the rights a role brings; bit 13 of a manager's has no name in the document.
const KEYS: &[(Role, u32, u32)] = &[
    (Role::Member, 3456, 3984),
    (Role::Manager, 11652, 12276),
    (Role::Presenter, 7552, 8080),
];

/// The number of a role.
pub fn role_key(role: Role, keys: RoleKeys) -> u32 {
    KEYS.iter()
        .find(|(r, _, _)| *r == role)
        .map_or(0, |(_, new, old)| match keys {
            RoleKeys::Lync2013 => *new,
            RoleKeys::Ocs2007R2 => *old,
        })
}

/// Whether a list names the user, directly or through a group.
pub fn listed(world: &World, list: &[Principal], user: &str) -> bool {
    list.iter().any(|principal| match principal {
        Principal::User(key) => key == user,
        Principal::Group(key) => world
            .groups
            .get(key)
            .is_some_and(|g| g.members.iter().any(|m| m == user)),
    })
}

/// Whether the directory knows the user and has not switched them off.
pub fn known(world: &World, user: &str) -> bool {
    world.users.get(user).is_some_and(|u| !u.disabled)
}

/// The user's rights in a room as the bits of `chperms`; 0 also means: must not learn that it exists.
pub fn chperms(world: &World, room: &Room, user: &str) -> u32 {
    if !known(world, user) {
        return 0;
    }
    let manager = listed(world, &room.managers, user);
    let presenter = listed(world, &room.presenters, user);
    let insider = manager || presenter || listed(world, &room.members, user);
    let mut bits = 0;
    if manager {
        bits |= bit::MANAGE;
    }
    if insider || visible_outside(world, room, user) {
        bits |= bit::VIEW;
    }
    if insider && !room.disabled {
        bits |= bit::JOIN | bit::READ;
        match room.behavior {
            Behavior::Normal => bits |= bit::CHAT,
            Behavior::Auditorium if presenter => bits |= bit::CHAT | bit::PRESENT,
            Behavior::Auditorium => {}
        }
    }
    bits
}

fn visible_outside(world: &World, room: &Room, user: &str) -> bool {
    match room.visibility {
        Visibility::Private => false,
        Visibility::Open => true,
        Visibility::Scoped => in_scope(world, &room.category, user),
    }
}

/// Whether a user is in the scope of a category; a category without one takes its parent's, and at the top everybody is.
pub fn in_scope(world: &World, category: &str, user: &str) -> bool {
    let mut at = category;
    // A world file can make categories each other's parents.
    for _ in 0..64 {
        let Some(category) = world.categories.get(at) else {
            return true;
        };
        if let Some(scope) = &category.scope {
            return listed(world, scope, user);
        }
        match &category.parent {
            Some(parent) => at = parent,
            None => return true,
        }
    }
    false
}

/// The roles of a user in a room, lowest first; whoever may be in the room is at least a member.
pub fn roles(world: &World, room: &Room, user: &str) -> Vec<Role> {
    let mut out = vec![Role::Member];
    if room.behavior == Behavior::Auditorium && listed(world, &room.presenters, user) {
        out.push(Role::Presenter);
    }
    if listed(world, &room.managers, user) {
        out.push(Role::Manager);
    }
    out
}

/// Whether becoming a member of the room invites (2.2.2.1.7.2.3).
pub fn invites(world: &World, room: &Room) -> bool {
    room.invite.unwrap_or_else(|| {
        world
            .categories
            .get(&room.category)
            .is_none_or(|c| c.invite)
    })
}

/*! The world a chat server holds: users, groups, categories, rooms, history, preferences.

Takes a `world.yaml` (contracts, `target.yaml`'s blocks and more); gives a
checked [`World`] whose references all resolve, or a [`WorldError`] with the
place and a suggestion. Holds no protocol state: who is connected or joined
is the server's business.
*/

mod error;
mod guid;
mod read;
#[cfg(test)]
mod tests;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use error::WorldError;
pub(crate) use error::nearest;
pub use guid::{Guid, derived_guid};
pub use read::{Behavior, RoleKeys, Visibility};

use read::Name;

/// The world used when none is given, as a file to start from.
pub const SAMPLE: &str = include_str!("sample.yaml");

/// Audit time of everything that the file does not date.
const EPOCH: &str = "2020-01-01T00:00:00Z";

/// Who or what an access list names, by key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Principal {
    /// A user, by key of [`World::users`].
    User(String),
    /// A group, by key of [`World::groups`].
    Group(String),
}

/// Everything a chat server knows before anybody connects.
///
/// Keys are lower case, so that lookups ignore case: users and categories by URI, rooms and groups by GUID.
#[derive(Debug, Clone, PartialEq)]
pub struct World {
    /// The server's domain.
    pub domain: String,
    /// Where the first INVITE goes.
    pub lookup_uri: String,
    /// What a lookup answers.
    pub server_uri: String,
    /// What `getserverinfo` tells, and limits.
    pub settings: Settings,
    /// Users by lower-case URI.
    pub users: IndexMap<String, User>,
    /// Groups by lower-case GUID.
    pub groups: IndexMap<String, Group>,
    /// Categories by lower-case URI; at least one.
    pub categories: IndexMap<String, Category>,
    /// Rooms by lower-case GUID.
    pub rooms: IndexMap<String, Room>,
    /// Stored legacy preferences.
    pub preferences: Vec<Preference>,
}

/// Server-wide settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// displayName.
    pub name: String,
    /// serverVersion.
    pub version: String,
    /// searchLimit: most results of a search.
    pub search_limit: u32,
    /// messageSizeLimit: most characters of a chat's plain text.
    pub message_size_limit: u32,
    /// storySizeLimit: most characters of a chat's RTF.
    pub story_size_limit: u32,
    /// dbVersion, also called PoolId.
    pub pool_id: Option<String>,
    /// pingInterval.
    pub ping_interval: Option<String>,
    /// roomManagementUrl ([MS-OCGCWEB]).
    pub room_management_url: Option<String>,
    /// The file service (info `filestoreuri`, token `serveruri`).
    pub file_store: Option<String>,
    /// How long a file token works (3.1.19.5), seconds.
    pub token_lifetime: f64,
    /// The processing timer of 3.2.1.2, seconds.
    pub processing_timeout: f64,
    /// Numbers of `aib/@key`.
    pub role_keys: RoleKeys,
    /// A command whose processing never ends in time, for whoever tries the timer (3.2.1.6).
    pub slow_command: Option<String>,
    /// Whether new endpoints are told by `sys:status` that the server is available (2.2.2.2.7).
    pub announce_status: bool,
}

/// A user of the directory (2.2.2.1.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// SIP URI as written.
    pub uri: String,
    /// Display name.
    pub name: String,
    /// GUID as written.
    pub guid: String,
    /// Mail address.
    pub email: Option<String>,
    /// Company.
    pub company: Option<String>,
    /// Distinguished name.
    pub path: Option<String>,
    /// Whether the account is switched off.
    pub disabled: bool,
}

/// A group of the directory (2.2.2.1.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Name.
    pub name: String,
    /// GUID as written.
    pub guid: String,
    /// 8 domain, 9 distribution or security group, 10 container.
    pub kind: u32,
    /// Distinguished name.
    pub path: Option<String>,
    /// Its users, by key.
    pub members: Vec<String>,
}

/// When and by whom something was made and changed (2.2.2.1.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// Who made it.
    pub created_by: String,
    /// When.
    #[serde(with = "crate::time::text")]
    pub created: Timestamp,
    /// Who changed it last.
    pub updated_by: String,
    /// When.
    #[serde(with = "crate::time::text")]
    pub updated: Timestamp,
}

/// A category (2.2.2.1.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    /// URI as written.
    pub uri: String,
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// Key of the parent.
    pub parent: Option<String>,
    /// Who may be given roles and sees SCOPED rooms below it; none means everybody.
    pub scope: Option<Vec<Principal>>,
    /// Who may create rooms in it.
    pub creators: Vec<Principal>,
    /// Whether rooms that say nothing themselves send invitations.
    pub invite: bool,
    /// History of the node.
    pub audit: Audit,
}

/// A chat room (2.2.2.1.7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// URI as written.
    pub uri: String,
    /// GUID as written in the URI.
    pub guid: String,
    /// Name, unique in the domain.
    pub name: String,
    /// Description.
    pub description: String,
    /// Who posts.
    pub behavior: Behavior,
    /// Who sees it.
    pub visibility: Visibility,
    /// Whether it is switched off.
    pub disabled: bool,
    /// Key of its category.
    pub category: String,
    /// Who may join.
    pub members: Vec<Principal>,
    /// Who may change it.
    pub managers: Vec<Principal>,
    /// Who may post when it is an auditorium.
    pub presenters: Vec<Principal>,
    /// Whether becoming a member invites; none inherits from the category.
    pub invite: Option<bool>,
    /// Whether files may be posted.
    pub filepost: bool,
    /// Whether history can be retrieved.
    pub logged: bool,
    /// Add-in GUID.
    pub siopid: String,
    /// Add-in name.
    pub siopname: String,
    /// Add-in address.
    pub siopurl: String,
    /// Whether participant updates are off.
    pub part_list_off: bool,
    /// History of the node.
    pub audit: Audit,
    /// Chats so far, oldest first, ids strictly growing.
    #[serde(skip)]
    pub history: Vec<Chat>,
    /// Users (keys) whose invitation waits from the start.
    #[serde(skip)]
    pub invited: Vec<String>,
}

/// A chat in a room's history (2.2.2.1.7.2.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chat {
    /// chatId, unique in the room.
    pub id: i64,
    /// SIP URI of the author.
    pub author: String,
    /// Display name of the author.
    pub authdisp: String,
    /// High priority.
    pub alert: bool,
    /// When the server took it.
    pub at: Timestamp,
    /// Plain text.
    pub text: String,
    /// Rich text, untouched.
    pub rtf: Option<String>,
}

/// A stored legacy preference (2.2.2.1.26).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preference {
    /// Key of its user.
    pub user: String,
    /// Which setting.
    pub label: String,
    /// Version.
    pub seqid: u64,
    /// Base64 of the archive; none when `rooms` says what to list.
    pub content: Option<String>,
    /// Keys of the rooms to list.
    pub rooms: Vec<String>,
}

impl World {
    /// Reads a world file.
    ///
    /// # Errors
    /// Unknown keys, values of the wrong kind, names that name nothing, and duplicates, each with its place.
    pub fn parse(yaml: &str) -> Result<World, WorldError> {
        let options = serde_saphyr::options! { strict_booleans: true };
        let raw: read::World = serde_saphyr::from_str_with_options(yaml, options)
            .map_err(|e| WorldError::from_yaml(&e))?;
        resolve(raw)
    }

    /// The world of [`SAMPLE`].
    pub fn sample() -> World {
        // The file is part of the program and a test reads it; an empty world stands in for an unreadable one.
        World::parse(SAMPLE).unwrap_or_else(|_| World::empty("example.com"))
    }

    /// A world with a root category and nothing else.
    pub fn empty(domain: &str) -> World {
        let mut world = World {
            domain: domain.to_owned(),
            lookup_uri: format!("sip:ocschat@{domain}"),
            server_uri: format!("sip:chat01@{domain}"),
            settings: Settings::new(domain),
            users: IndexMap::new(),
            groups: IndexMap::new(),
            categories: IndexMap::new(),
            rooms: IndexMap::new(),
            preferences: Vec::new(),
        };
        world.ensure_root();
        world
    }

    /// The root category: the first without a parent.
    pub fn root(&self) -> Option<&Category> {
        self.categories.values().find(|c| c.parent.is_none())
    }

    fn ensure_root(&mut self) {
        if self.root().is_some() {
            return;
        }
        let uri = format!("ma-cat://{}/{}", self.domain, derived_guid("root"));
        let category = Category {
            uri: uri.clone(),
            name: "Root".to_owned(),
            description: String::new(),
            parent: None,
            scope: None,
            creators: Vec::new(),
            invite: true,
            audit: Audit::start("system", epoch()),
        };
        self.categories.insert(uri.to_lowercase(), category);
    }
}

impl Settings {
    fn new(domain: &str) -> Settings {
        Settings {
            name: "Parlance persistent chat".to_owned(),
            version: "5.0.8308.0".to_owned(),
            search_limit: 999,
            message_size_limit: 8000,
            story_size_limit: 16000,
            pool_id: None,
            ping_interval: None,
            room_management_url: Some(format!("https://rooms.{domain}/PersistentChat/RM/")),
            file_store: Some(format!("https://files.{domain}/PersistentChat/")),
            token_lifetime: 60.0,
            processing_timeout: 25.0,
            role_keys: RoleKeys::default(),
            slow_command: None,
            announce_status: false,
        }
    }
}

impl Audit {
    /// Made and last changed by `who` at `at`.
    pub fn start(who: &str, at: Timestamp) -> Audit {
        Audit {
            created_by: who.to_owned(),
            created: at,
            updated_by: who.to_owned(),
            updated: at,
        }
    }
}

fn epoch() -> Timestamp {
    EPOCH.parse().unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Turns names into keys, section by section.
struct Resolver {
    world: World,
    users: IndexMap<String, String>,
    groups: IndexMap<String, String>,
    categories: IndexMap<String, String>,
}

fn resolve(raw: read::World) -> Result<World, WorldError> {
    let domain = raw.domain.value.trim().to_owned();
    if domain.is_empty() || domain.contains(['/', ' ', ':']) {
        return Err(WorldError::at(
            raw.domain.referenced,
            "`domain` is no domain name",
        ));
    }
    let mut world = World::empty(&domain);
    world.categories.clear();
    if let Some(uri) = &raw.lookup_uri {
        world.lookup_uri = sip_uri(uri)?;
    }
    if let Some(uri) = &raw.server_uri {
        world.server_uri = sip_uri(uri)?;
    }
    settings(&mut world.settings, raw.server)?;
    let mut it = Resolver {
        world,
        users: IndexMap::new(),
        groups: IndexMap::new(),
        categories: IndexMap::new(),
    };
    it.add_users(raw.users)?;
    it.add_groups(raw.groups)?;
    it.add_categories(raw.categories)?;
    let rooms = it.add_rooms(raw.rooms)?;
    it.add_preferences(raw.preferences, &rooms)?;
    Ok(it.world)
}

fn settings(out: &mut Settings, raw: read::Server) -> Result<(), WorldError> {
    fn set<T>(to: &mut T, from: Option<T>) {
        if let Some(value) = from {
            *to = value;
        }
    }
    fn limit(to: &mut u32, from: Option<serde_saphyr::Spanned<u32>>) -> Result<(), WorldError> {
        if let Some(value) = from {
            if value.value == 0 || value.value > i32::MAX as u32 {
                let message = "a limit lies between 1 and 2147483647";
                return Err(WorldError::at(value.referenced, message));
            }
            *to = value.value;
        }
        Ok(())
    }
    fn seconds(to: &mut f64, from: Option<serde_saphyr::Spanned<f64>>) -> Result<(), WorldError> {
        if let Some(value) = from {
            if !(value.value > 0.0 && value.value <= 86_400.0) {
                return Err(WorldError::at(
                    value.referenced,
                    "give seconds, more than 0 and at most a day",
                ));
            }
            *to = value.value;
        }
        Ok(())
    }
    fn url(to: &mut Option<String>, from: Option<Name>) -> Result<(), WorldError> {
        if let Some(value) = from {
            let text = value.value.trim().to_owned();
            if !text.is_empty() && !text.starts_with("https://") && !text.starts_with("http://") {
                return Err(WorldError::at(
                    value.referenced,
                    "give an https or http URL, or an empty text for none",
                ));
            }
            *to = Some(text).filter(|t| !t.is_empty());
        }
        Ok(())
    }
    set(&mut out.name, raw.name);
    set(&mut out.version, raw.version);
    set(&mut out.role_keys, raw.role_keys);
    set(&mut out.announce_status, raw.announce_status);
    out.slow_command = raw.slow_command;
    out.pool_id = raw.pool_id;
    out.ping_interval = raw.ping_interval;
    limit(&mut out.search_limit, raw.search_limit)?;
    limit(&mut out.message_size_limit, raw.message_size_limit)?;
    limit(&mut out.story_size_limit, raw.story_size_limit)?;
    seconds(&mut out.token_lifetime, raw.token_lifetime)?;
    seconds(&mut out.processing_timeout, raw.processing_timeout)?;
    url(&mut out.room_management_url, raw.room_management_url)?;
    url(&mut out.file_store, raw.file_store)
}

fn sip_uri(name: &Name) -> Result<String, WorldError> {
    let text = name.value.trim();
    let rest = text
        .strip_prefix("sip:")
        .or_else(|| text.strip_prefix("sips:"));
    match rest {
        Some(rest) if rest.contains('@') && !rest.contains(char::is_whitespace) => {
            Ok(text.to_owned())
        }
        _ => Err(WorldError::at(
            name.referenced,
            format!("`{text}` is no SIP URI like sip:alice@example.com"),
        )),
    }
}

fn guid_of(name: &Option<Name>, seed: &str) -> Result<String, WorldError> {
    match name {
        None => Ok(derived_guid(seed).to_string().to_uppercase()),
        Some(name) if Guid::parse(&name.value).is_some() => Ok(name.value.clone()),
        Some(name) => Err(WorldError::at(
            name.referenced,
            format!(
                "`{}` is no GUID like 93109AFC-D91D-45A1-96F4-6DCBBB31B640",
                name.value
            ),
        )),
    }
}

fn time(name: &Name) -> Result<Timestamp, WorldError> {
    crate::time::parse(&name.value).ok_or_else(|| {
        WorldError::at(
            name.referenced,
            format!("`{}` is no time like 2026-01-02T03:04:05Z", name.value),
        )
    })
}

impl Resolver {
    fn add_users(&mut self, raw: IndexMap<String, read::User>) -> Result<(), WorldError> {
        for (key, user) in raw {
            let uri = sip_uri(&user.uri)?;
            let id = uri.to_lowercase();
            if self.world.users.contains_key(&id) {
                return Err(WorldError::at(
                    user.uri.referenced,
                    "two users have this URI",
                ));
            }
            let guid = guid_of(&user.guid, &id)?;
            let name = user.name.unwrap_or_else(|| key.clone());
            self.world.users.insert(
                id.clone(),
                User {
                    email: user.email,
                    company: user.company,
                    path: user.path,
                    disabled: user.disabled,
                    uri,
                    name,
                    guid,
                },
            );
            self.users.insert(key, id);
        }
        Ok(())
    }

    fn user(&self, name: &Name) -> Result<String, WorldError> {
        let lower = name.value.to_lowercase();
        if self.world.users.contains_key(&lower) {
            return Ok(lower);
        }
        self.users.get(&name.value).cloned().ok_or_else(|| {
            WorldError::at(
                name.referenced,
                format!("no user is called `{}`", name.value),
            )
            .suggest(&name.value, self.users.keys().map(String::as_str))
        })
    }

    fn principal(&self, name: &Name) -> Result<Principal, WorldError> {
        if let Some(group) = self.groups.get(&name.value) {
            return Ok(Principal::Group(group.clone()));
        }
        self.user(name).map(Principal::User).map_err(|e| {
            if self.groups.is_empty() || e.hint.is_some() {
                return e;
            }
            e.suggest(&name.value, self.groups.keys().map(String::as_str))
        })
    }

    fn principals(&self, names: &[Name]) -> Result<Vec<Principal>, WorldError> {
        let mut out: Vec<Principal> = Vec::new();
        for name in names {
            let principal = self.principal(name)?;
            if !out.contains(&principal) {
                out.push(principal);
            }
        }
        Ok(out)
    }

    fn add_groups(&mut self, raw: IndexMap<String, read::Group>) -> Result<(), WorldError> {
        for (key, group) in raw {
            let guid = guid_of(&group.guid, &format!("group {key}"))?;
            let kind = match &group.kind {
                None => 9,
                Some(kind) if (8..=10).contains(&kind.value) => kind.value,
                Some(kind) => {
                    let message = "a group's type is 8 (domain), 9 (group) or 10 (container)";
                    return Err(WorldError::at(kind.referenced, message));
                }
            };
            let mut members = Vec::new();
            for name in &group.members {
                members.push(self.user(name)?);
            }
            let id = guid.to_lowercase();
            self.world.groups.insert(
                id.clone(),
                Group {
                    name: group.name.unwrap_or_else(|| key.clone()),
                    path: group.path,
                    guid,
                    kind,
                    members,
                },
            );
            self.groups.insert(key, id);
        }
        Ok(())
    }

    fn add_categories(&mut self, raw: IndexMap<String, read::Category>) -> Result<(), WorldError> {
        for (key, category) in &raw {
            let uri = category.uri.value.trim().to_owned();
            if !uri.starts_with("ma-cat://") {
                let message = format!("`{uri}` is no category URI like ma-cat://domain/GUID");
                return Err(WorldError::at(category.uri.referenced, message));
            }
            self.categories.insert(key.clone(), uri.to_lowercase());
        }
        for (key, category) in raw {
            let parent = match &category.parent {
                None => None,
                Some(name) => Some(self.category(name)?),
            };
            let scope = match &category.scope {
                None => None,
                Some(names) => Some(self.principals(names)?),
            };
            let creators = self.principals(&category.creators)?;
            let uri = category.uri.value.trim().to_owned();
            let made = Category {
                name: category.name.unwrap_or(key),
                description: category.description.unwrap_or_default(),
                invite: category.invite.unwrap_or(true),
                audit: Audit::start("system", epoch()),
                parent,
                scope,
                creators,
                uri: uri.clone(),
            };
            if self
                .world
                .categories
                .insert(uri.to_lowercase(), made)
                .is_some()
            {
                return Err(WorldError::at(
                    category.uri.referenced,
                    "two categories have this URI",
                ));
            }
        }
        self.world.ensure_root();
        Ok(())
    }

    fn category(&self, name: &Name) -> Result<String, WorldError> {
        let lower = name.value.to_lowercase();
        if self.categories.values().any(|id| *id == lower) {
            return Ok(lower);
        }
        self.categories.get(&name.value).cloned().ok_or_else(|| {
            WorldError::at(
                name.referenced,
                format!("no category is called `{}`", name.value),
            )
            .suggest(&name.value, self.categories.keys().map(String::as_str))
        })
    }

    fn add_rooms(
        &mut self,
        raw: IndexMap<String, read::Room>,
    ) -> Result<IndexMap<String, String>, WorldError> {
        let mut names = IndexMap::new();
        for (key, room) in raw {
            let place = room.uri.referenced;
            let (id, room) = self.room(&key, room)?;
            if self
                .world
                .rooms
                .values()
                .any(|r| r.name.eq_ignore_ascii_case(&room.name))
            {
                let message = format!(
                    "two rooms are called `{}`; names are unique in a domain (2.2.2.1.7.1)",
                    room.name
                );
                return Err(WorldError::at(place, message));
            }
            if self.world.rooms.insert(id.clone(), room).is_some() {
                return Err(WorldError::at(place, "two rooms have this GUID"));
            }
            names.insert(key, id);
        }
        Ok(names)
    }

    fn room(&self, key: &str, raw: read::Room) -> Result<(String, Room), WorldError> {
        let uri = raw.uri.value.trim().to_owned();
        let guid = room_guid(&uri).map(str::to_owned).ok_or_else(|| {
            let message = format!("`{uri}` is no room URI like ma-chan://domain/GUID");
            WorldError::at(raw.uri.referenced, message)
        })?;
        let category = match &raw.category {
            Some(name) => self.category(name)?,
            None => self
                .world
                .root()
                .map(|c| c.uri.to_lowercase())
                .unwrap_or_default(),
        };
        let members = self.principals(&raw.members)?;
        let managers = self.principals(&raw.managers)?;
        let presenters = self.principals(&raw.presenters)?;
        let invites = raw.invite.unwrap_or_else(|| {
            self.world
                .categories
                .get(&category)
                .is_none_or(|c| c.invite)
        });
        let invited = match &raw.invited {
            Some(names) => names
                .iter()
                .map(|n| self.user(n))
                .collect::<Result<_, _>>()?,
            None if invites => self
                .users_of(&members)
                .into_iter()
                .filter(|user| !self.users_of(&managers).contains(user))
                .collect(),
            None => Vec::new(),
        };
        let created = match &raw.created {
            Some(name) => time(name)?,
            None => epoch(),
        };
        let history = self.history(&raw.history, created)?;
        let room = Room {
            name: raw.name.unwrap_or_else(|| key.to_owned()),
            description: raw.description.unwrap_or_default(),
            behavior: raw.behavior.unwrap_or_default(),
            visibility: raw.visibility.unwrap_or_default(),
            disabled: raw.disabled,
            invite: raw.invite,
            filepost: raw.filepost.unwrap_or(true),
            logged: raw.logged.unwrap_or(true),
            siopid: raw.siopid.unwrap_or_default(),
            siopname: raw.siopname.unwrap_or_default(),
            siopurl: raw.siopurl.map(|u| u.value).unwrap_or_default(),
            part_list_off: raw.part_list_off,
            audit: Audit::start(raw.created_by.as_deref().unwrap_or("system"), created),
            uri,
            category,
            members,
            managers,
            presenters,
            history,
            invited,
            guid: guid.clone(),
        };
        Ok((guid.to_lowercase(), room))
    }

    fn users_of(&self, list: &[Principal]) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        for principal in list {
            let users = match principal {
                Principal::User(user) => std::slice::from_ref(user),
                Principal::Group(group) => self
                    .world
                    .groups
                    .get(group)
                    .map_or(&[][..], |g| g.members.as_slice()),
            };
            for user in users {
                if !out.contains(user) {
                    out.push(user.clone());
                }
            }
        }
        out
    }

    fn history(&self, raw: &[read::Chat], created: Timestamp) -> Result<Vec<Chat>, WorldError> {
        let mut out: Vec<Chat> = Vec::new();
        for (index, chat) in raw.iter().enumerate() {
            let last = out.last().map_or(0, |c| c.id);
            let id = match &chat.id {
                None => last + 1,
                Some(id) if id.value > last && id.value < i64::MAX => id.value,
                Some(id) => {
                    let message = format!("chat ids grow within a room; the one before is {last}");
                    return Err(WorldError::at(id.referenced, message));
                }
            };
            let at = match &chat.at {
                Some(name) => time(name)?,
                None => created
                    .checked_add(jiff::SignedDuration::from_secs(60 * (index as i64 + 1)))
                    .unwrap_or(created),
            };
            let author = self.user(&chat.author)?;
            let user = self.world.users.get(&author);
            out.push(Chat {
                id,
                at,
                author: user.map(|u| u.uri.clone()).unwrap_or_default(),
                authdisp: user.map(|u| u.name.clone()).unwrap_or_default(),
                alert: chat.alert,
                text: chat.text.clone(),
                rtf: chat.rtf.clone(),
            });
        }
        Ok(out)
    }

    fn add_preferences(
        &mut self,
        raw: Vec<read::Preference>,
        rooms: &IndexMap<String, String>,
    ) -> Result<(), WorldError> {
        for preference in raw {
            let user = self.user(&preference.user)?;
            let mut listed = Vec::new();
            for name in preference.rooms.iter().flatten() {
                let id = rooms.get(&name.value).cloned().ok_or_else(|| {
                    WorldError::at(
                        name.referenced,
                        format!("no room is called `{}`", name.value),
                    )
                    .suggest(&name.value, rooms.keys().map(String::as_str))
                })?;
                listed.push(id);
            }
            self.world.preferences.push(Preference {
                user,
                label: preference.label,
                seqid: preference.seqid.max(1),
                content: preference.content,
                rooms: listed,
            });
        }
        Ok(())
    }
}

/// The GUID part of a room URI, as written.
pub fn room_guid(uri: &str) -> Option<&str> {
    let rest = uri.strip_prefix("ma-chan://")?;
    let (domain, guid) = rest.split_once('/')?;
    (!domain.is_empty() && Guid::parse(guid).is_some()).then_some(guid)
}

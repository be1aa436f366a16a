use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;

/// A name with its place.
pub(super) type Name = Spanned<String>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct World {
    pub domain: Name,
    pub lookup_uri: Option<Name>,
    pub server_uri: Option<Name>,
    #[serde(default, alias = "server_info")]
    pub server: Server,
    #[serde(default)]
    pub users: IndexMap<String, User>,
    #[serde(default)]
    pub groups: IndexMap<String, Group>,
    #[serde(default)]
    pub categories: IndexMap<String, Category>,
    #[serde(default)]
    pub rooms: IndexMap<String, Room>,
    #[serde(default)]
    pub preferences: Vec<Preference>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Server {
    #[serde(alias = "display_name")]
    pub name: Option<String>,
    #[serde(alias = "server_version")]
    pub version: Option<String>,
    pub search_limit: Option<Spanned<u32>>,
    pub message_size_limit: Option<Spanned<u32>>,
    pub story_size_limit: Option<Spanned<u32>>,
    #[serde(alias = "db_version")]
    pub pool_id: Option<String>,
    pub ping_interval: Option<String>,
    pub room_management_url: Option<Name>,
    pub file_store: Option<Name>,
    pub token_lifetime: Option<Spanned<f64>>,
    pub processing_timeout: Option<Spanned<f64>>,
    pub role_keys: Option<RoleKeys>,
    pub slow_command: Option<String>,
    pub announce_status: Option<bool>,
}

/// Which numbers `aib/@key` carries; see the table in `server::access`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoleKeys {
    /// 3456 and 11652, as in every example of the document.
    #[default]
    Lync2013,
    /// 3984 and 12276, as servers of 2007 R2 were seen to send.
    Ocs2007R2,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct User {
    pub uri: Name,
    #[serde(alias = "display_name")]
    pub name: Option<String>,
    pub guid: Option<Name>,
    pub email: Option<String>,
    pub company: Option<String>,
    pub path: Option<String>,
    #[serde(default)]
    pub disabled: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    pub name: Option<String>,
    pub guid: Option<Name>,
    #[serde(rename = "type")]
    pub kind: Option<Spanned<u32>>,
    pub path: Option<String>,
    #[serde(default)]
    pub members: Vec<Name>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Category {
    pub uri: Name,
    pub name: Option<String>,
    pub description: Option<String>,
    pub parent: Option<Name>,
    /// Absent: everybody.
    pub scope: Option<Vec<Name>>,
    #[serde(default)]
    pub creators: Vec<Name>,
    pub invite: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Room {
    pub uri: Name,
    pub name: Option<String>,
    pub description: Option<String>,
    pub behavior: Option<Behavior>,
    pub visibility: Option<Visibility>,
    #[serde(default)]
    pub disabled: bool,
    #[serde(alias = "parent")]
    pub category: Option<Name>,
    #[serde(default)]
    pub members: Vec<Name>,
    #[serde(default)]
    pub managers: Vec<Name>,
    #[serde(default)]
    pub presenters: Vec<Name>,
    /// Absent: as the category says.
    pub invite: Option<bool>,
    /// Absent: every member who is no manager, when invitations are on.
    pub invited: Option<Vec<Name>>,
    pub filepost: Option<bool>,
    pub logged: Option<bool>,
    pub siopid: Option<String>,
    pub siopname: Option<String>,
    pub siopurl: Option<Name>,
    #[serde(default, alias = "partListOff")]
    pub part_list_off: bool,
    pub created: Option<Name>,
    pub created_by: Option<String>,
    #[serde(default)]
    pub history: Vec<Chat>,
}

/// The kind of a room (2.2.2.1.7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Behavior {
    /// All members post.
    #[default]
    #[serde(rename = "NORMAL", alias = "normal")]
    Normal,
    /// Presenters post, all members read.
    #[serde(rename = "AUDITORIUM", alias = "auditorium")]
    Auditorium,
}

/// Who sees a room in queries (2.2.2.1.7.2.2); says nothing about joining.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Visibility {
    /// Its members only.
    #[serde(rename = "PRIVATE", alias = "private")]
    Private,
    /// Whoever is in the category's scope.
    #[default]
    #[serde(rename = "SCOPED", alias = "scoped")]
    Scoped,
    /// Everybody.
    #[serde(rename = "OPEN", alias = "open")]
    Open,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Chat {
    pub author: Name,
    #[serde(alias = "chat")]
    pub text: String,
    pub rtf: Option<String>,
    #[serde(default)]
    pub alert: bool,
    #[serde(alias = "ts")]
    pub at: Option<Name>,
    #[serde(alias = "chat_id", alias = "chatId")]
    pub id: Option<Spanned<i64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Preference {
    pub user: Name,
    pub label: String,
    #[serde(default)]
    pub seqid: u64,
    /// Base64 of the archive, as on the wire.
    pub content: Option<String>,
    /// Or the rooms it should list.
    pub rooms: Option<Vec<Name>>,
}

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a user asks of the client: the rows of the upper-tester table, `sign_in` aside
/// (that one makes the client, see [`super::Client::sign_in`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Action {
    /// Join one room (3.1.5) or several (3.1.6).
    Join {
        /// Room URIs.
        rooms: Vec<String>,
        /// Whether the user opens the room: 25 messages of history, else 1 (3.1.7.3).
        #[serde(default = "yes")]
        active: bool,
    },
    /// Leave a room.
    Leave {
        /// Room URI.
        room: String,
    },
    /// Hang up.
    SignOut {},
    /// Post a chat (3.1.13).
    Send {
        /// Room URI.
        room: String,
        /// Plain text.
        text: String,
        /// The same as RTF.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rtf: Option<String>,
        /// High priority.
        #[serde(default)]
        alert: bool,
    },
    /// Most recent chats of a joined room (3.1.7).
    History {
        /// Room URI.
        room: String,
        /// How many; 25 when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        count: Option<u32>,
        /// Around this message instead of the most recent (2.2.2.1.17.2; an extension of the table).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        around: Option<u32>,
    },
    /// Search what was said (3.1.8).
    SearchMessages(Search),
    /// Search rooms by name (3.1.9).
    SearchRooms(Box<RoomSearch>),
    /// Retrieve invitations (3.1.10).
    Invitations {},
    /// Rooms the user is member or manager of (3.1.11).
    Associations {
        /// Which of the two.
        #[serde(rename = "type")]
        role: Role,
        /// Most results; 100 when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_results: Option<u32>,
    },
    /// Whether this server has the room (3.1.12).
    RoomDetails {
        /// Room URI.
        room: String,
    },
    /// What the user may do in the room (3.1.16).
    RoomPermissions {
        /// Room URI.
        room: String,
    },
    /// Change a room (3.1.17).
    ModifyRoom(Box<Change>),
    /// A token for a file transfer (3.1.19).
    FileToken {
        /// Room URI.
        room: String,
        /// File name or `ma-filelink` URI.
        file: String,
        /// Upload or download.
        direction: Direction,
    },
    /// Legacy preferences (3.1.18).
    Preferences {},
    /// Who is in a room, from the client's own state (3.1.1).
    Participants {
        /// Room URI.
        room: String,
    },
    /// The newest chat of a room, from the client's own state (3.1.1).
    LastMessageId {
        /// Room URI.
        room: String,
    },
    /// Address of the room management page ([MS-OCGCWEB] 3.1.5).
    RoomManagementUrl {
        /// Room to view or edit; none to create one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room: Option<String>,
        /// Language and region, `en-US` when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lang: Option<String>,
    },
    /// What was displayed since sign-in without being asked for: chats and invitations (an extension of the table).
    Received {
        /// Only this room.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room: Option<String>,
    },
    /// Give up a request that is under way (3.1.2.1.4).
    Cancel {
        /// Its id.
        request: u64,
    },
}

fn yes() -> bool {
    true
}

/// Which rooms to search for. What is not in the table of the upper tester extends it; a client may leave it out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomSearch {
    /// What to look for.
    pub text: String,
    /// Whether descriptions are searched too.
    #[serde(default)]
    pub descriptions: bool,
    /// Whether every word has to match; the server's default when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all: Option<bool>,
    /// Whether the text is one phrase; the server's default when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phrase: Option<bool>,
    /// URI of the category the rooms stand in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Most results.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// What else has to be true of the rooms (2.2.2.1.11).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<RoomFilter>,
}

/// What has to be true of rooms that are searched for (2.2.2.1.11).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RoomFilter {
    /// SIP URI of a member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// SIP URI of a manager.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manager: Option<String>,
    /// `NORMAL` or `AUDITORIUM`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub behavior: Option<String>,
    /// `PRIVATE`, `SCOPED` or `OPEN`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<String>,
    /// Whether the rooms are closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// GUID of the add-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addin: Option<String>,
    /// `inherit` or `false`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invites: Option<String>,
}

/// What to search for in the history of rooms (3.1.8.3).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search {
    /// Room URIs; one command each. None: one command for all rooms.
    #[serde(default)]
    pub rooms: Vec<String>,
    /// Words to find.
    #[serde(default)]
    pub words: Vec<String>,
    /// Whether any word suffices.
    #[serde(default, rename = "match")]
    pub matching: Matching,
    /// SIP URIs of authors.
    #[serde(default)]
    pub authors: Vec<String>,
    /// Start of the date range, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// End of the date range, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Most hits; 50 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// How search words combine (`cmp` of 2.2.2.1.18).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Matching {
    /// `OR`.
    #[default]
    Any,
    /// `AND`.
    All,
}

/// Kinds of association (2.2.2.1.20).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Role {
    /// Rooms the user is a member of.
    Member,
    /// Rooms the user manages.
    Manager,
}

impl Role {
    /// As the protocol writes it.
    pub fn name(self) -> &'static str {
        match self {
            Role::Member => "MEMBER",
            Role::Manager => "MANAGER",
        }
    }
}

/// Which way a file goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// To the server.
    Upload,
    /// From the server.
    Download,
}

/// What to change in a room; what is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Room URI.
    pub room: String,
    /// New name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// New description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// URI of the new parent category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// `NORMAL` or `AUDITORIUM`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behavior: Option<String>,
    /// Whether the room is closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// GUID of the add-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub siopid: Option<String>,
    /// `PRIVATE`, `SCOPED` or `OPEN`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<String>,
    /// Whether members get invitations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invite: Option<bool>,
    /// Changes of the member list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<Principals>,
    /// Changes of the manager list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managers: Option<Principals>,
    /// Changes of the presenter list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presenters: Option<Principals>,
}

/// Changes of an access list (2.2.2.1.12). An entry that starts with `sip:` is a user, any other the path of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principals {
    /// Verb `A`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<String>,
    /// Verb `R`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
    /// Verb `X`; an empty list empties the access list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replace: Option<Vec<String>>,
}

/// A room as results show it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RoomInfo {
    /// URI.
    pub uri: String,
    /// Display name.
    pub name: String,
    /// Description.
    pub description: String,
    /// Who is in it; only after a join.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub participants: Option<Vec<String>>,
    /// When the invitation was issued; only for invitations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<String>,
}

/// A chat as results show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// URI of its room.
    pub room: String,
    /// Number within the room.
    pub chat_id: i64,
    /// SIP URI of the author.
    pub author: String,
    /// Display name of the author.
    pub author_name: String,
    /// Server time.
    pub ts: String,
    /// High priority.
    pub alert: bool,
    /// Plain text.
    pub text: String,
    /// The same as RTF.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rtf: Option<String>,
}

/// Preferences of one room (2.2.2.1.26.1).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ChannelPreference {
    /// Room URI.
    pub uri: String,
    /// Room name.
    pub name: String,
    /// Notification switches by name.
    pub notifications: std::collections::BTreeMap<String, bool>,
}

/// What a request brought; serialises to the `result` of the upper-tester table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// Of `sign_in`.
    SignedIn {
        /// The channel server.
        server_uri: String,
        /// Its friendly name.
        display_name: Option<String>,
    },
    /// Of `join`.
    Joined {
        /// Rooms the user is in now.
        rooms: Vec<RoomInfo>,
        /// URIs of rooms that were refused.
        failed: Vec<String>,
    },
    /// Of `send`.
    Sent {
        /// Number the server gave.
        chat_id: i64,
        /// Server time.
        ts: String,
    },
    /// Of `search_messages` (`more` present) and `history`.
    Messages {
        /// Hits.
        messages: Vec<Message>,
        /// Whether the server holds back further ones.
        #[serde(skip_serializing_if = "Option::is_none")]
        more: Option<bool>,
    },
    /// Of `search_rooms` (`more` present) and `associations`.
    Rooms {
        /// Hits.
        rooms: Vec<RoomInfo>,
        /// Whether the server holds back further ones.
        #[serde(skip_serializing_if = "Option::is_none")]
        more: Option<bool>,
    },
    /// Of `invitations`.
    Invitations {
        /// Rooms with timestamps.
        invitations: Vec<RoomInfo>,
    },
    /// Of `room_details`.
    Found {
        /// Whether this server has the room.
        found: bool,
    },
    /// Of `room_permissions`.
    Permissions {
        /// Permission bits (2.2.2.1.4); none when the server sent none.
        chperms: Option<i64>,
    },
    /// Of `modify_room`.
    Modified {
        /// The room afterwards, when the server sent it.
        room: Option<RoomInfo>,
    },
    /// Of `file_token`.
    Token {
        /// To be passed to the file service.
        token: String,
        /// Where that is.
        server_uri: Option<String>,
        /// The file, as the token was asked for; what a download asks for later.
        file_url: String,
    },
    /// Of `preferences`.
    Preferences {
        /// Rooms the user follows.
        channels: Vec<ChannelPreference>,
    },
    /// Of `participants`.
    Participants {
        /// SIP URIs.
        participants: Vec<String>,
        /// Whether the client is in the room.
        joined: bool,
        /// Display name as last heard.
        name: String,
        /// Description as last heard.
        description: String,
    },
    /// Of `last_message_id`.
    LastMessageId {
        /// 0 before the first chat.
        last_message_id: i64,
    },
    /// Of `room_management_url`.
    Url {
        /// What a browser opens.
        url: String,
    },
    /// Of `received`.
    Received {
        /// Chats, oldest first.
        messages: Vec<Message>,
        /// Rooms of invitation notices.
        invitations: Vec<RoomInfo>,
    },
    /// Of `leave`, `sign_out`, `cancel`.
    Done {},
}

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Code of the upper-tester table.
    pub code: Code,
    /// Response code of a failure reply or SIP status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u32>,
    /// For people.
    #[serde(default)]
    pub message: String,
}

/// Failure codes of the upper-tester table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// A reply with another code than 200, or `err`.
    Failed,
    /// No answer within 10 s.
    Timeout,
    /// Cancelled by the user.
    Cancelled,
    /// The answer had to be dropped.
    Dropped,
    /// The SIP request failed.
    Sip,
    /// The dialog is gone.
    Disconnected,
    /// No dialog yet.
    NotSignedIn,
    /// The client is not in that room.
    NotJoined,
    /// The function is off, as room management without a base URL.
    Disabled,
    /// The client cannot do that.
    Unsupported,
}

impl Failure {
    /// With a code and words.
    pub fn new(code: Code, message: impl Into<String>) -> Failure {
        Failure {
            code,
            status: None,
            message: message.into(),
        }
    }

    /// With a status more.
    pub fn status(mut self, status: Option<u32>) -> Failure {
        self.status = status;
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(f, "{:?} ({status}): {}", self.code, self.message),
            None => write!(f, "{:?}: {}", self.code, self.message),
        }
    }
}

impl std::error::Error for Failure {}

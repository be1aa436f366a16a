/*! The seam to storage: what a server wants kept, and what it gets back.

The server calls the journal before it acknowledges anything; an error is a
refusal to the client, never a loss.
*/

use std::fmt;

use crate::world::{Chat, Room};

/// A journal that could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalError(pub String);

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for JournalError {}

/// What a journal holds when a server starts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stored {
    /// Rooms that were created or changed, by key.
    pub rooms: Vec<(String, Room)>,
    /// Chats by room key, in the order of their ids.
    pub chats: Vec<(String, Chat)>,
    /// Preferences: user, label, version, content.
    pub preferences: Vec<(String, String, u64, String)>,
    /// Invitations that were acknowledged: user, room key.
    pub registered: Vec<(String, String)>,
}

/// Storage for what a server has promised to remember.
pub trait Journal: Send {
    /// Everything kept so far.
    ///
    /// # Errors
    /// When it cannot be read.
    fn load(&mut self) -> Result<Stored, JournalError>;

    /// Keeps a chat; durable when this returns.
    ///
    /// # Errors
    /// When it cannot be written; the chat is then not acknowledged.
    fn chat(&mut self, room: &str, chat: &Chat) -> Result<(), JournalError>;

    /// Keeps a room's settings as they are now (not its history).
    ///
    /// # Errors
    /// When it cannot be written.
    fn room(&mut self, key: &str, room: &Room) -> Result<(), JournalError>;

    /// Keeps a preference.
    ///
    /// # Errors
    /// When it cannot be written.
    fn preference(
        &mut self,
        user: &str,
        label: &str,
        seqid: u64,
        content: &str,
    ) -> Result<(), JournalError>;

    /// Keeps that an invitation was acknowledged.
    ///
    /// # Errors
    /// When it cannot be written.
    fn registered(&mut self, user: &str, room: &str) -> Result<(), JournalError>;
}

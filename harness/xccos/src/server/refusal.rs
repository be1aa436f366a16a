/*! Why the server says no, and in which form.

The table of causes with their codes; the form (an `err`, or the command's own
reply with a code other than 200) is a column of the command table, because
the document decides it command by command (3.2.x) and leaves the rest to
2.2.2.2.6.
*/

/// Why something was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The primitive does not fit the schema (3.2.1.5).
    Schema,
    /// The id is in no table (3.2.1.5).
    UnknownCommand,
    /// A block or attribute that the command needs is missing (3.2.3.5 step 2 and its like).
    Missing,
    /// It is there and cannot be used.
    Malformed,
    /// The directory does not know the sender (3.2.7.5 step 3).
    UnknownUser,
    /// No such room, or one whose existence the sender must not learn.
    NotFound,
    /// The sender's roles do not allow it.
    Forbidden,
    /// It contradicts what is stored.
    Conflict,
    /// Over messageSizeLimit or storySizeLimit (2.2.2.1.10).
    TooLarge,
    /// A chat for a room in which the endpoint is not joined.
    NotJoined,
    /// Storage failed; nothing was changed.
    Storage,
}

/// (cause, code of 2.2.2.1.27, always an `err` whatever the command's column says).
const CODES: &[(Cause, u32, bool)] = &[
    (Cause::Schema, 400, true),
    (Cause::UnknownCommand, 501, true),
    (Cause::Missing, 400, true),
    (Cause::Malformed, 400, true),
    (Cause::UnknownUser, 403, false),
    (Cause::NotFound, 404, false),
    (Cause::Forbidden, 403, false),
    (Cause::Conflict, 409, false),
    (Cause::TooLarge, 413, false),
    (Cause::NotJoined, 403, false),
    (Cause::Storage, 500, false),
];

/// A refusal on its way to the peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub cause: Cause,
    /// For the reader of `resp`.
    pub text: String,
}

impl Refusal {
    /// A refusal for this cause.
    pub fn new(cause: Cause, text: impl Into<String>) -> Refusal {
        Refusal {
            cause,
            text: text.into(),
        }
    }

    /// The same words for a room that is not there and one that must not be seen.
    pub fn no_room() -> Refusal {
        Refusal::new(Cause::NotFound, "There is no such room")
    }

    /// Its code.
    pub fn code(&self) -> u32 {
        CODES
            .iter()
            .find(|(cause, _, _)| *cause == self.cause)
            .map_or(500, |(_, code, _)| *code)
    }

    /// Whether it can only be an `err`.
    pub fn is_error(&self) -> bool {
        CODES
            .iter()
            .any(|(cause, _, error)| *cause == self.cause && *error)
    }
}

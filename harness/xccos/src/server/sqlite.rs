/*! The journal in an SQLite file that a user can open with any SQLite tool.

One row per chat, readable columns, times as text. Every write is a
transaction of its own with full synchronisation, so whatever was acknowledged
survives `kill -9` and a power cut.
*/

use std::path::Path;

use rusqlite::{Connection, params};

use super::journal::{Journal, JournalError, Stored};
use crate::world::{Chat, Room};

/// Marks the file as ours (the letters PRLC), so that somebody's other database is not taken for one.
const APPLICATION_ID: i32 = 0x5052_4c43;
/// Version of the tables.
const VERSION: i32 = 1;

const TABLES: &str = "
create table if not exists chats (
    room text not null, id integer not null, author text not null, authdisp text not null,
    alert integer not null, at text not null, text text not null, rtf text,
    primary key (room, id)
) without rowid;
create table if not exists rooms (key text primary key, name text not null, settings text not null);
create table if not exists preferences (
    user text not null, label text not null, seqid integer not null, content text not null,
    primary key (user, label)
);
create table if not exists registered (user text not null, room text not null, primary key (user, room));
";

/// A journal in a file.
#[derive(Debug)]
pub struct SqliteJournal {
    connection: Connection,
}

impl SqliteJournal {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// When it cannot be opened, is another program's, or is of a later version.
    pub fn open(path: &Path) -> Result<SqliteJournal, JournalError> {
        let fail = |e: rusqlite::Error| JournalError(format!("{}: {e}", path.display()));
        let connection = Connection::open(path).map_err(fail)?;
        let number = |name: &str| -> Result<i32, JournalError> {
            connection
                .pragma_query_value(None, name, |row| row.get(0))
                .map_err(fail)
        };
        let (application, version) = (number("application_id")?, number("user_version")?);
        let tables: i64 = connection
            .query_row("select count(*) from sqlite_master", [], |row| row.get(0))
            .map_err(fail)?;
        if application != APPLICATION_ID && tables > 0 {
            let text = format!("{}: the file is another program's database", path.display());
            return Err(JournalError(text));
        }
        if version > VERSION {
            let text = format!("{}: written by a later version ({version})", path.display());
            return Err(JournalError(text));
        }
        connection
            .execute_batch(
                "pragma journal_mode = wal; pragma synchronous = full; pragma busy_timeout = 2000;",
            )
            .and_then(|()| connection.execute_batch(TABLES))
            .and_then(|()| connection.pragma_update(None, "application_id", APPLICATION_ID))
            .and_then(|()| connection.pragma_update(None, "user_version", VERSION))
            .map_err(fail)?;
        Ok(SqliteJournal { connection })
    }

    fn rows<T>(
        &self,
        sql: &str,
        read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, JournalError> {
        let mut statement = self.connection.prepare(sql)?;
        let rows = statement.query_map([], read)?;
        rows.collect::<Result<_, _>>().map_err(JournalError::from)
    }
}

impl From<rusqlite::Error> for JournalError {
    fn from(e: rusqlite::Error) -> JournalError {
        JournalError(e.to_string())
    }
}

impl Journal for SqliteJournal {
    fn load(&mut self) -> Result<Stored, JournalError> {
        let bad = |what: &str| JournalError(format!("the stored {what} cannot be read"));
        let mut stored = Stored::default();
        for (key, settings) in self.rows("select key, settings from rooms", |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })? {
            let room: Room = serde_json::from_str(&settings)
                .map_err(|e| JournalError(format!("the stored room {key}: {e}")))?;
            stored.rooms.push((key, room));
        }
        for (room, id, author, authdisp, alert, at, text, rtf) in self.rows(
            "select room, id, author, authdisp, alert, at, text, rtf from chats order by room, id",
            |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get::<_, i64>(1)?,
                    row.get::<_, String>(2)?,
                    row.get::<_, String>(3)?,
                    row.get::<_, bool>(4)?,
                    row.get::<_, String>(5)?,
                    row.get::<_, String>(6)?,
                    row.get::<_, Option<String>>(7)?,
                ))
            },
        )? {
            let at = at.parse().map_err(|_| bad("time of a chat"))?;
            let chat = Chat {
                id,
                author,
                authdisp,
                alert,
                at,
                text,
                rtf,
            };
            stored.chats.push((room, chat));
        }
        stored.preferences = self
            .rows(
                "select user, label, seqid, content from preferences",
                |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?, row.get(3)?)),
            )?
            .into_iter()
            .map(|(user, label, seqid, content)| (user, label, seqid.unsigned_abs(), content))
            .collect();
        stored.registered = self.rows("select user, room from registered", |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        Ok(stored)
    }

    fn chat(&mut self, room: &str, chat: &Chat) -> Result<(), JournalError> {
        self.connection
            .prepare_cached("insert into chats values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?
            .execute(params![
                room,
                chat.id,
                chat.author,
                chat.authdisp,
                chat.alert,
                chat.at.to_string(),
                chat.text,
                chat.rtf
            ])?;
        Ok(())
    }

    fn room(&mut self, key: &str, room: &Room) -> Result<(), JournalError> {
        let settings = serde_json::to_string(room).map_err(|e| JournalError(e.to_string()))?;
        self.connection
            .prepare_cached("insert or replace into rooms values (?1, ?2, ?3)")?
            .execute(params![key, room.name, settings])?;
        Ok(())
    }

    fn preference(
        &mut self,
        user: &str,
        label: &str,
        seqid: u64,
        content: &str,
    ) -> Result<(), JournalError> {
        let seqid = i64::try_from(seqid).unwrap_or(i64::MAX);
        self.connection
            .prepare_cached("insert or replace into preferences values (?1, ?2, ?3, ?4)")?
            .execute(params![user, label, seqid, content])?;
        Ok(())
    }

    fn registered(&mut self, user: &str, room: &str) -> Result<(), JournalError> {
        self.connection
            .prepare_cached("insert or ignore into registered values (?1, ?2)")?
            .execute(params![user, room])?;
        Ok(())
    }
}

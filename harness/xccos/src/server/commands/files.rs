/*! File tokens: `getfutok`, `getfdtok` (3.1.19), and their use by the web service. */

use std::time::Duration;

use crate::defect::Slip;
use crate::payload::Element;
use crate::server::access::{self, bit};
use crate::server::refusal::{Cause, Refusal};
use crate::server::table::Done;
use crate::server::{Ask, Server};
use crate::time::Now;

/// What a token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the server.
    Upload,
    /// From the server.
    Download,
}

/// A token that was given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileToken {
    /// What it allows.
    pub direction: Direction,
    /// Room URI.
    pub room: String,
    /// The file, as the client named it.
    pub file: String,
    /// Key of the user who asked.
    pub user: String,
    expires: Duration,
    used: bool,
}

/// Why a token is not honoured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenError {
    /// Never given out, or too long ago.
    Unknown,
    /// Its time is over (3.1.19.5).
    Expired,
    /// It worked already.
    Used,
    /// It is for another file, room or direction.
    Mismatch,
}

impl FileToken {
    /// Whether even its memory can go.
    pub(in crate::server) fn is_forgotten(&self, now: Now) -> bool {
        now.since > self.expires.saturating_add(Duration::from_secs(600))
    }
}

/// `cmd:getfutok`.
pub fn upload(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    token(server, ask, Direction::Upload)
}

/// `cmd:getfdtok`.
pub fn download(server: &mut Server, ask: &Ask<'_>) -> Result<Done, Refusal> {
    token(server, ask, Direction::Download)
}

fn token(server: &mut Server, ask: &Ask<'_>, direction: Direction) -> Result<Done, Refusal> {
    let ftdb = ask
        .data
        .first("ftdb")
        .ok_or_else(|| Refusal::new(Cause::Missing, "a file token needs an `ftdb`"))?;
    let (_, room) = server.visible_room(ftdb.get("channelUri").unwrap_or(""), &ask.user)?;
    let rights = access::chperms(&server.world, room, &ask.user);
    let allowed = match direction {
        Direction::Upload => {
            rights & bit::CHAT != 0
                && (room.filepost || server.options.defects.has(Slip::FilepostIgnored))
        }
        Direction::Download => rights & bit::READ != 0,
    };
    if !allowed || server.options.defects.has(Slip::FilepostRefused) {
        return Err(Refusal::new(
            Cause::Forbidden,
            "You may not transfer files in this room",
        ));
    }
    let entry = FileToken {
        direction,
        room: room.uri.clone(),
        file: ftdb.get("fileUrl").unwrap_or("").to_owned(),
        user: ask.user.clone(),
        expires: ask.now.since + Duration::from_secs_f64(server.world.settings.token_lifetime),
        used: false,
    };
    let value = match server.options.defects.has(Slip::SameToken) {
        true => "1391b791-d106-478b-8096-bca951f49b0f".to_owned(),
        false => server.ids.guid().to_string(),
    };
    let element = Element::new("token")
        .with("token", &value)
        .with_some("serveruri", server.world.settings.file_store.as_ref());
    server.tokens.insert(value, entry);
    Ok(Done::with([element]))
}

impl Server {
    /// Tokens that were given out and never used so far.
    pub fn unused_tokens(&self) -> Vec<FileToken> {
        let mut unused: Vec<FileToken> =
            self.tokens.values().filter(|t| !t.used).cloned().collect();
        unused.sort_by(|a, b| (&a.user, &a.file).cmp(&(&b.user, &b.file)));
        unused
    }

    /// Uses a token up, if it is good for this: once, in its time, for its file in its room (3.1.19.5).
    ///
    /// # Errors
    /// Why it is not.
    pub fn redeem(
        &mut self,
        now: Now,
        token: &str,
        direction: Direction,
        room: &str,
        file: &str,
    ) -> Result<FileToken, TokenError> {
        let lax = self.options.defects.has(Slip::TokenReusable);
        let entry = self
            .tokens
            .get_mut(&token.to_lowercase())
            .ok_or(TokenError::Unknown)?;
        if now.since > entry.expires && !self.options.defects.has(Slip::TokenNeverExpires) {
            return Err(TokenError::Expired);
        }
        if entry.used && !lax {
            return Err(TokenError::Used);
        }
        let same = entry.direction == direction
            && entry.room.eq_ignore_ascii_case(room)
            && entry.file == file;
        if !same && !self.options.defects.has(Slip::TokenForAnyFile) {
            return Err(TokenError::Mismatch);
        }
        entry.used = true;
        Ok(entry.clone())
    }
}

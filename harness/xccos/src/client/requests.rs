/*! What a user asks: each action becomes commands, or an answer at once.

Takes an action under a request id; either sends, or finishes the request with
what the client knows, or with the reason why not.
*/

use super::faults::{End, Fault, HangUp, UrlFault};
use super::{
    Action, Answer, Client, Code, Direction, Failure, Hits, Kind, Message, Phase, Search, commands,
    management, rooms,
};
use crate::payload::{Element, MsgId};
use crate::time::Now;

impl Client {
    /// A user action under a request id that is not in use.
    pub fn act(&mut self, now: Now, request: u64, action: Action) {
        if let Err(failure) = self.try_act(now, request, action) {
            self.done(request, Err(failure));
        }
    }

    pub(super) fn try_act(
        &mut self,
        now: Now,
        request: u64,
        action: Action,
    ) -> Result<(), Failure> {
        let known = |room: &str| match rooms::guid(room) {
            Some(_) => Ok(()),
            None => Err(Failure::new(
                Code::Failed,
                format!("{room:?} is no room URI"),
            )),
        };
        match &action {
            Action::Cancel { request: which } => return self.cancel(request, *which),
            Action::Participants { .. }
            | Action::LastMessageId { .. }
            | Action::Received { .. } => {}
            _ => match self.phase {
                Phase::Ready => {}
                Phase::Lost => {
                    return Err(Failure::new(Code::Disconnected, "the dialog is gone"));
                }
                _ => return Err(Failure::new(Code::NotSignedIn, "sign in first")),
            },
        }
        let some = Some(request);
        match action {
            Action::Join { rooms, active } => {
                let guids = rooms
                    .iter()
                    .map(|r| known(r).map(|()| rooms::guid(r).unwrap_or_default()))
                    .collect::<Result<Vec<&str>, Failure>>()?;
                let several = match guids.len() {
                    0 => return Err(Failure::new(Code::Failed, "no room named")),
                    n => n > 1,
                };
                let key = if several { self.config.backchat } else { 0 };
                let data = commands::join(&guids, &self.config.domain, key);
                let kind = Kind::Join {
                    rooms: rooms.clone(),
                    active,
                    backchat: key > 0,
                };
                let id = if several { "cmd:bjoin" } else { "cmd:join" };
                self.command(now, id, data, some, kind);
            }
            Action::Leave { room } => {
                self.need(&room)?;
                let data = commands::part(&room);
                self.command(now, "cmd:part", data, some, Kind::Leave { room });
            }
            Action::SignOut {} => {
                let failure = Failure::new(Code::Disconnected, "signed out");
                self.hang_up(HangUp::User);
                self.lose(failure);
                self.phase = Phase::Out;
                self.done(request, Ok(Answer::Done {}));
            }
            Action::Send {
                room,
                text,
                rtf,
                alert,
            } => {
                let uri = self.need(&room)?;
                self.send_chat(now, request, &uri, &text, rtf.as_deref(), alert);
            }
            Action::History {
                room,
                count,
                around,
            } => {
                let uri = self.need(&room)?;
                let count = count.unwrap_or(commands::ACTIVE_COUNT);
                let data = match around {
                    None => commands::history(&uri, count),
                    Some(message) => commands::around(&uri, message, count),
                };
                self.command(
                    now,
                    "cmd:bccontext",
                    data,
                    some,
                    Kind::History { room: uri },
                );
            }
            Action::SearchMessages(search) => {
                search.rooms.iter().try_for_each(|r| known(r))?;
                self.search(now, request, &search);
            }
            Action::SearchRooms(search) => {
                let data = commands::search_rooms(&search);
                self.command(now, "cmd:chansrch", data, some, Kind::SearchRooms);
            }
            Action::Invitations {} => {
                let data = commands::invitations(&self.config.domain, true);
                self.command(now, "cmd:getinv", data, some, Kind::Invitations);
            }
            Action::Associations { role, max_results } => {
                let max = max_results.unwrap_or(100);
                let data = commands::associations(&self.config.domain, role, max);
                self.command(now, "cmd:getassociations", data, some, Kind::Associations);
            }
            Action::RoomDetails { room } => {
                let data = commands::channel(&room);
                self.command(now, "cmd:chaneffquery", data, some, Kind::Details);
            }
            Action::RoomPermissions { room } => {
                let data = commands::channel(&room);
                self.command(now, "cmd:getroomperms", data, some, Kind::Permissions);
            }
            Action::ModifyRoom(change) => {
                let data = commands::channel(&change.room);
                self.command(now, "cmd:chaneffquery", data, some, Kind::Current(change));
            }
            Action::FileToken {
                room,
                file,
                direction,
            } => {
                known(&room)?;
                let (id, url) = match direction {
                    Direction::Upload => ("cmd:getfutok", self.file_url(&room, &file)),
                    Direction::Download => ("cmd:getfdtok", file),
                };
                let data = commands::file_token(&room, &url);
                self.command(now, id, data, some, Kind::Token(url));
            }
            Action::Preferences {} => {
                let data = commands::preferences();
                self.command(now, "cmd:getpref", data, some, Kind::Preferences);
            }
            Action::Participants { room } => {
                let room = self.rooms.get(&room).cloned().unwrap_or_default();
                let answer = Answer::Participants {
                    participants: room.participants,
                    joined: room.joined,
                    name: room.name,
                    description: room.description,
                };
                self.done(request, Ok(answer));
            }
            Action::LastMessageId { room } => {
                let last_message_id = self.rooms.get(&room).map_or(0, |r| r.last_message_id);
                self.done(request, Ok(Answer::LastMessageId { last_message_id }));
            }
            Action::Received { room } => {
                let here = |m: &&Message| match &room {
                    Some(room) => rooms::same(&m.room, room),
                    None => true,
                };
                let answer = Answer::Received {
                    messages: self.chats.iter().filter(here).cloned().collect(),
                    invitations: self.invitations.iter().cloned().collect(),
                };
                self.done(request, Ok(answer));
            }
            Action::RoomManagementUrl { room, lang } => {
                if let Some(room) = &room {
                    known(room)?;
                }
                let (own, provisioned) = (&self.info.management_url, &self.config.management_url);
                let base = match self.faults.has(Fault::Url(UrlFault::IgnoresServer)) {
                    true => provisioned.as_deref().or(own.as_deref()),
                    false => own.as_deref().or(provisioned.as_deref()),
                };
                let guess = self
                    .faults
                    .has(Fault::Url(UrlFault::NotDisabled))
                    .then_some("https://localhost/");
                let base = base.or(guess).ok_or_else(|| {
                    Failure::new(Code::Disabled, "no address of room management is known")
                })?;
                let lang = lang.as_deref().unwrap_or(&self.config.language);
                let url = management::url(base, room.as_deref().and_then(rooms::guid), lang)
                    .map_err(|why| Failure::new(Code::Failed, why))?;
                let url = self.faults.url(url, base, room.as_deref());
                self.done(request, Ok(Answer::Url { url }));
            }
            Action::Cancel { .. } => {}
        }
        Ok(())
    }

    /// URI of a room the user is in, or the failure that says he is not.
    pub(super) fn need(&mut self, room: &str) -> Result<String, Failure> {
        let bold = self.faults.has(Fault::PostsWhenOut);
        match self.rooms.get(room).filter(|r| r.joined || bold) {
            Some(room) => Ok(room.uri.clone()),
            None => Err(Failure::new(
                Code::NotJoined,
                format!("not in the room {room}"),
            )),
        }
    }

    /// 3.1.2.1.4, 3.1.13.4: nothing that answers the request has an effect any more.
    pub(super) fn cancel(&mut self, request: u64, which: u64) -> Result<(), Failure> {
        let cancelled = Failure::new(Code::Cancelled, "cancelled by the user");
        if self.sign_in == Some(which) {
            self.hang_up(HangUp::User);
            self.lose(cancelled);
            self.phase = Phase::Out;
        } else if self
            .pending
            .end(End::Cancelled, |_, p| p.what.request == Some(which))
            .is_empty()
        {
            return Err(Failure::new(
                Code::Failed,
                format!("no request {which} is under way"),
            ));
        } else {
            self.searches.remove(&which);
            self.done(which, Err(cancelled));
        }
        self.done(request, Ok(Answer::Done {}));
        Ok(())
    }

    pub(super) fn search(&mut self, now: Now, request: u64, search: &Search) {
        let limit = search.limit.unwrap_or(50);
        if self.faults.has(Fault::OneSearch) && search.rooms.len() > 1 {
            return self.search_at_once(now, request, search, limit);
        }
        let rooms: Vec<Option<String>> = match search.rooms.as_slice() {
            [] => vec![None],
            rooms => rooms.iter().cloned().map(Some).collect(),
        };
        let hits = Hits {
            left: rooms.len(),
            ..Hits::default()
        };
        self.searches.insert(request, hits);
        let id = self.config.search_command.clone();
        for room in rooms {
            let data = commands::search_messages(search, room.as_deref(), limit, &now.stamp());
            self.command(now, &id, data, Some(request), Kind::Search { room });
        }
    }

    /// [`Fault::OneSearch`].
    pub(super) fn search_at_once(&mut self, now: Now, request: u64, search: &Search, limit: u32) {
        let mut data = commands::search_messages(search, None, limit, &now.stamp());
        if let Some(bcs) = data.first_mut("bcs") {
            for room in &search.rooms {
                bcs.push(Element::new("cib").with("uri", room.as_str()));
            }
        }
        let hits = Hits {
            left: 1,
            ..Hits::default()
        };
        self.searches.insert(request, hits);
        let id = self.config.search_command.clone();
        let kind = Kind::Search { room: None };
        self.command(now, &id, data, Some(request), kind);
    }

    /// 3.1.13.3. `originatingMessageId` is set as example 4.6 has it (XC-57).
    pub(super) fn send_chat(
        &mut self,
        now: Now,
        request: u64,
        room: &str,
        text: &str,
        rtf: Option<&str>,
        alert: bool,
    ) {
        let id = MsgId {
            envid: self.envid,
            seqid: 1,
        };
        let mut chat = Element::new("grpchat")
            .with("id", "grpchat")
            .with("seqid", "1")
            .with("chanUri", room)
            .with("author", self.config.user.as_str())
            .with("authdisp", self.config.name.as_str())
            .with("alert", if alert { "true" } else { "false" })
            .with("chatId", "0")
            .with("ts", now.stamp())
            .child(id.element("originatingMessageId"))
            .child(Element::new("chat").text(text));
        if let Some(rtf) = rtf {
            chat.push(Element::new("rtf").text(rtf));
        }
        self.envelope(now, vec![(chat, Some(request), Kind::Chat)]);
    }

    /// A file name becomes a `ma-filelink` URI of its own (2.2.2.1.24); what is one already stays.
    pub(super) fn file_url(&mut self, room: &str, file: &str) -> String {
        if file.contains("://") {
            return file.to_owned();
        }
        self.files += 1;
        let unique = unique(self.config.first_envid, self.files);
        let base = room.replacen("ma-chan://", "ma-filelink://", 1);
        let ending = file.rsplit_once('.').map_or("", |(_, ending)| ending);
        let dot = if ending.is_empty() { "" } else { "." };
        format!("{base}/{unique}{dot}{ending}/{file}/")
    }
}

/// A GUID that a seed and a count determine.
fn unique(seed: u64, count: u64) -> String {
    let mut word = seed ^ count.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = || {
        word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = word;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    let (a, b) = (next(), next());
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        (b >> 52) & 0xfff,
        b & 0xffff_ffff_ffff
    )
}

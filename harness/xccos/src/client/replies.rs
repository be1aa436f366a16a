/*! What the client does with an answer: the processing rules of 3.1.3 to 3.1.19.

Takes the command an answer belongs to and its code; changes the client's state
and finishes the request. Code 200 is success, any other is failure, and of a
failure reply nothing is used but its code (3.1.2.1.5).
*/

use super::action::{Answer, Code, Failure, Message, Role, RoomInfo};
use super::faults::{Fault, HangUp};
use super::rooms::{UserInfoMap, chat_id, message, room_info, same};
use super::sending::cmd;
use super::{Client, Kind, Output, Phase, ServerInfo, Waiting, commands, preferences};
use crate::payload::{Element, Primitive};
use crate::time::Now;

impl Client {
    /// A reply that passed the six steps.
    pub(super) fn replied(
        &mut self,
        now: Now,
        what: Waiting,
        code: u32,
        reply: &Element,
        data: Option<&Element>,
    ) {
        let any = self.faults.has(Fault::AnySuccess) && (200..300).contains(&code);
        if code != 200 && !any {
            let text = reply.first("resp").map(Element::content);
            let failure = Failure::new(Code::Failed, text.unwrap_or_default()).status(Some(code));
            return self.failed(now, what, failure);
        }
        let empty = Element::new("data");
        let data = data.unwrap_or(&empty);
        let request = what.request;
        match what.kind {
            Kind::Lookup => self.looked_up(now, data),
            Kind::ServerInfo => self.connected(now, data),
            Kind::Join {
                rooms,
                active,
                backchat,
            } => {
                let result = self.joined(now, &rooms, active, backchat, data);
                self.finish(request, result);
            }
            Kind::Leave { room } => {
                if let Some(room) = self.rooms.joined(&room) {
                    room.leave();
                }
                self.finish(request, Ok(Answer::Done {}));
            }
            Kind::History { room } => {
                let result = match self.history(&room, data) {
                    Some(messages) => Ok(Answer::Messages {
                        messages,
                        more: None,
                    }),
                    None => Err(foreign(&room)),
                };
                self.finish(request, result);
            }
            Kind::Search { room } => {
                let found = chats(room.as_deref(), data);
                self.found(request, found, over(data));
            }
            Kind::SearchRooms => {
                let rooms = data.all("chanib").map(room_info).collect();
                let more = Some(over(data));
                self.finish(request, Ok(Answer::Rooms { rooms, more }));
            }
            Kind::Invitations => {
                let invitations = invitations(data);
                self.finish(request, Ok(Answer::Invitations { invitations }));
            }
            Kind::Associations => {
                let inside = data.all("association").flat_map(|a| a.all("chanib"));
                let rooms = inside.chain(data.all("chanib")).map(room_info).collect();
                self.finish(request, Ok(Answer::Rooms { rooms, more: None }));
            }
            Kind::Details => self.finish(request, Ok(Answer::Found { found: true })),
            Kind::Permissions => {
                let chperms = data
                    .first("chanib")
                    .and_then(|c| c.first("uib"))
                    .and_then(|u| u.get("chperms"))
                    .and_then(|v| v.trim().parse().ok());
                self.finish(request, Ok(Answer::Permissions { chperms }));
            }
            Kind::Current(change) => {
                let Some(current) = data.first("chanib") else {
                    let failure = Failure::new(Code::Failed, "the details have no channel block");
                    return self.finish(request, Err(failure));
                };
                let data = commands::modify(&change, current);
                self.command(now, "cmd:updatenode", data, request, Kind::Modify);
            }
            Kind::Modify => {
                let chanib = data.first("chanib");
                if let Some(chanib) = chanib
                    && let Some(room) = chanib.get("uri").and_then(|u| self.rooms.joined(u))
                {
                    room.update(chanib);
                }
                let room = chanib.map(room_info);
                self.finish(request, Ok(Answer::Modified { room }));
            }
            Kind::Preferences => self.finish(request, preferred(data)),
            Kind::Token(url) => self.finish(request, token(data, url)),
            Kind::Chat => {}
        }
    }

    /// A command or chat ended without success.
    pub(super) fn failed(&mut self, _now: Now, what: Waiting, failure: Failure) {
        match what.kind {
            // BYE in both cases (3.1.3.5); teardown (3.1.4.5).
            Kind::Lookup => {
                self.hang_up(HangUp::LookupFailed);
                self.lose(failure);
            }
            Kind::ServerInfo => {
                self.hang_up(HangUp::NoInfo);
                self.lose(failure);
            }
            // Another server has the room (3.1.12).
            Kind::Details if failure.code == Code::Failed => {
                self.finish(what.request, Ok(Answer::Found { found: false }));
            }
            Kind::Search { .. } => {
                if let Some(request) = what.request
                    && self.searches.remove(&request).is_some()
                {
                    self.pending.take_if(|_, p| p.what.request == Some(request));
                    self.done(request, Err(failure));
                }
            }
            _ => self.finish(what.request, Err(failure)),
        }
    }

    fn finish(&mut self, request: Option<u64>, result: Result<Answer, Failure>) {
        if let Some(request) = request {
            self.done(request, result);
        }
    }

    /// 3.1.3.5: BYE, then a new dialog with the URI.
    fn looked_up(&mut self, now: Now, data: &Element) {
        self.hang_up(HangUp::LookedUp);
        if self.faults.has(Fault::NoSecondDial) {
            return;
        }
        let uri = data
            .first("uib")
            .and_then(|u| u.get("uri"))
            .map(str::trim)
            .filter(|u| !u.is_empty());
        let wrong = match uri {
            Some(_) => Fault::RedialsLookup,
            None => Fault::DialsWithoutUri,
        };
        let again = self.faults.has(wrong).then(|| self.lookup_uri());
        match again.or_else(|| uri.map(str::to_owned)) {
            Some(uri) => self.dial(now, Phase::Connecting, uri),
            None => self.lose(Failure::new(
                Code::Failed,
                "the lookup reply names no channel server",
            )),
        }
    }

    /// 3.1.4.5, then what SHOULD be asked once the connection succeeds (3.1.10.4, 3.1.11.4).
    fn connected(&mut self, now: Now, data: &Element) {
        let sib = data.first("sib");
        let text = |name: &str| {
            let value = sib?.get(name)?.trim();
            (!value.is_empty()).then(|| value.to_owned())
        };
        let number = |name: &str| text(name)?.parse().ok();
        self.info = ServerInfo {
            display_name: text("displayName"),
            // The schema's own spelling is taken too (XC-20).
            management_url: text("roomManagementUrl").or_else(|| text("roomManagementUri")),
            search_limit: number("searchLimit"),
            message_size_limit: number("messageSizeLimit"),
        };
        self.phase = Phase::Ready;
        if let Some(request) = self.sign_in.take() {
            let answer = Answer::SignedIn {
                server_uri: self.server_uri.clone().unwrap_or_default(),
                display_name: self.info.display_name.clone(),
            };
            self.done(request, Ok(answer));
        }
        if self.config.retrieve {
            let domain = self.config.domain.clone();
            // Not registered, so that the user's own question still finds them (XC-76).
            let data = commands::invitations(&domain, false);
            self.command(now, "cmd:getinv", data, None, Kind::Invitations);
            let both = [Role::Member, Role::Manager].map(|role| {
                let data = commands::associations(&domain, role, 100);
                (cmd("cmd:getassociations", data), None, Kind::Associations)
            });
            self.envelope(now, both.into());
        }
    }

    /// 3.1.5.5 and 3.1.6.5, then 3.1.7.
    fn joined(
        &mut self,
        now: Now,
        asked: &[String],
        active: bool,
        backchat: bool,
        data: &Element,
    ) -> Result<Answer, Failure> {
        let users = UserInfoMap::read(data);
        let mut joined: Vec<String> = Vec::new();
        for chanib in data.all("chanib") {
            let named = chanib.get("uri").map(str::trim).filter(|u| !u.is_empty());
            let uri = match (named, asked) {
                (Some(uri), _) if asked.iter().any(|a| same(a, uri)) => uri,
                (None, [only]) => only.as_str(),
                _ => continue,
            };
            let room = self.rooms.enter(uri);
            room.joined = true;
            room.active = active;
            room.participants = users.participants(chanib);
            room.update(chanib);
            if !joined.iter().any(|j| same(j, uri)) {
                joined.push(room.uri.clone());
            }
        }
        if joined.is_empty() && asked.len() == 1 {
            let words = "the reply has no channel block for the room";
            return Err(Failure::new(Code::Failed, words));
        }
        let rooms = joined
            .iter()
            .filter_map(|uri| self.rooms.get(uri))
            .map(super::Room::info)
            .collect();
        let failed = asked
            .iter()
            .filter(|a| !joined.iter().any(|j| same(j, a)))
            .cloned()
            .collect();
        if !backchat {
            for room in joined {
                self.recent(now, room, active);
            }
        }
        Ok(Answer::Joined { rooms, failed })
    }

    /// 3.1.7.3 on the client's own account.
    pub(super) fn recent(&mut self, now: Now, room: String, active: bool) {
        let count = if active {
            commands::ACTIVE_COUNT
        } else {
            commands::PASSIVE_COUNT
        };
        let data = commands::history(&room, count);
        self.command(now, "cmd:bccontext", data, None, Kind::History { room });
    }

    /// 3.1.7.5: the messages of the room asked for, none when the reply is about other rooms only.
    fn history(&mut self, room: &str, data: &Element) -> Option<Vec<Message>> {
        let (messages, greatest) = chats(Some(room), data)?;
        if let (Some(room), Some(greatest)) = (self.rooms.joined(room), greatest) {
            room.note(greatest);
        }
        Some(messages)
    }

    /// One part of a search is back (3.1.8.5).
    fn found(&mut self, request: Option<u64>, found: Option<Chats>, more: bool) {
        let Some(request) = request else { return };
        let Some(hits) = self.searches.get_mut(&request) else {
            return;
        };
        hits.left = hits.left.saturating_sub(1);
        hits.more |= more;
        match found {
            Some((messages, _)) => hits.messages.extend(messages),
            None => hits.dropped = true,
        }
        if hits.left > 0 {
            return;
        }
        if let Some(hits) = self.searches.remove(&request) {
            let result = if hits.dropped && hits.messages.is_empty() {
                Err(Failure::new(
                    Code::Dropped,
                    "the results are of rooms that were not asked for",
                ))
            } else {
                Ok(Answer::Messages {
                    messages: hits.messages,
                    more: Some(hits.more),
                })
            };
            self.done(request, result);
        }
    }

    /// Backchat that a bjoin asked for carries the commandid of the bjoin (4.2, XC-45): taken although the command is over.
    pub(super) fn late_backchat(&mut self, reply: &Primitive<'_>) -> bool {
        let Some(rooms) = reply.commandid().and_then(|id| self.backchat.get(&id)) else {
            return false;
        };
        if reply.id() != "rpl:bccontext" || reply.code() != Some(200) {
            return false;
        }
        let rooms = rooms.clone();
        if let Some(data) = reply.data() {
            for room in &rooms {
                self.history(room, data);
            }
        }
        true
    }

    /// 3.1.14.5.
    pub(super) fn chat(&mut self, chat: &Primitive<'_>) {
        let message = message(chat.element);
        // Numbers are unique to their sender only: another client may well use the same. The
        // defects about echoes were written for clients that look at the numbers alone.
        let own = same(&message.author, &self.config.user) || !self.faults.is_empty();
        let sent = chat.originating().filter(|_| own).and_then(|id| {
            self.pending
                .take_if(|i, p| *i == id && matches!(p.what.kind, Kind::Chat))
                .pop()
        });
        if let Some(request) = sent.and_then(|p| p.what.request) {
            let answer = Answer::Sent {
                chat_id: message.chat_id,
                ts: message.ts.clone(),
            };
            self.out.push_back(Output::Done {
                request,
                result: Ok(answer),
            });
        }
        if let (Some(room), Some(id)) = (self.rooms.joined(&message.room), chat_id(chat.element)) {
            room.note(id);
            if self.faults.has(Fault::LowerIds) {
                room.last_message_id = id;
            }
        }
        self.chats.push_back(message);
        if self.chats.len() > super::KEPT {
            self.chats.pop_front();
        }
    }
}

/// Messages with the greatest number among them.
type Chats = (Vec<Message>, Option<i64>);

/// Chats of the channel blocks for `room` (all, without one); none when there are blocks, but only of other rooms.
fn chats(room: Option<&str>, data: &Element) -> Option<Chats> {
    let mut foreign = false;
    let mut own = false;
    let mut messages = Vec::new();
    let mut greatest = None;
    for chanib in data.all("chanib") {
        let fits = match room {
            Some(room) => chanib.get("uri").is_some_and(|uri| same(uri, room)),
            None => true,
        };
        if !fits {
            foreign = true;
            continue;
        }
        own = true;
        for msg in chanib.all("msg") {
            messages.push(message(msg));
            greatest = greatest.max(chat_id(msg));
        }
    }
    (own || !foreign).then_some((messages, greatest))
}

fn foreign(room: &str) -> Failure {
    Failure::new(
        Code::Dropped,
        format!("the reply is about another room than {room}"),
    )
}

fn over(data: &Element) -> bool {
    data.first("cnt")
        .and_then(|c| c.get("over"))
        .is_some_and(|v| matches!(v.trim(), "true" | "1"))
}

/// 3.1.10.5: the n-th pair of `inviteIds` belongs to the n-th room.
fn invitations(data: &Element) -> Vec<RoomInfo> {
    let times: Vec<&str> = data
        .all("hash")
        .find(|h| h.get("key") == Some("inviteIds"))
        .and_then(|h| h.get("value"))
        .unwrap_or("")
        .split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('@').map_or("", |(_, time)| time.trim()))
        .collect();
    data.all("chanib")
        .enumerate()
        .map(|(n, chanib)| RoomInfo {
            timestamp: times
                .get(n)
                .filter(|t| !t.is_empty())
                .map(|t| (*t).to_owned()),
            ..room_info(chanib)
        })
        .collect()
}

/// 3.1.18.5.
fn preferred(data: &Element) -> Result<Answer, Failure> {
    let pref = data
        .first("pref")
        .filter(|p| p.get("label") == Some(commands::PREFERENCE_LABEL))
        .ok_or_else(|| {
            let words = format!("the reply has no {}", commands::PREFERENCE_LABEL);
            Failure::new(Code::Dropped, words)
        })?;
    let channels = match pref.get("content").map(str::trim) {
        None | Some("") => Vec::new(),
        Some(content) => {
            preferences::read(content).map_err(|why| Failure::new(Code::Failed, why))?
        }
    };
    Ok(Answer::Preferences { channels })
}

/// 3.1.19.5.
fn token(data: &Element, file_url: String) -> Result<Answer, Failure> {
    let block = data.first("token");
    let text = |name: &str| {
        block
            .and_then(|b| b.get(name))
            .map(str::trim)
            .map(str::to_owned)
    };
    match text("token").filter(|t| !t.is_empty()) {
        Some(token) => Ok(Answer::Token {
            token,
            server_uri: text("serveruri"),
            file_url,
        }),
        None => Err(Failure::new(Code::Dropped, "the reply has no token")),
    }
}

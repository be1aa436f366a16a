/*! The client model: section 3.1, without sockets.

Takes what a user asks ([`Action`]), what the SIP side reports (a dialog came up
or went down, an INFO body arrived, an INFO failed) and clock readings; gives
[`Output`]s: dial, hang up, send this envelope, this request is done. It never
waits and never reads a clock; whoever runs it calls [`Client::tick`] when
[`Client::deadline`] has come.

What it sends is valid under the interop profile. What it receives is untrusted:
an envelope that does not fit the schema is dropped whole (3.1.2.1.5).
*/

mod action;
pub mod commands;
mod management;
mod notices;
mod preferences;
pub mod readings;
mod replies;
mod rooms;
mod transactions;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

pub use action::{
    Action, Answer, Change, ChannelPreference, Code, Direction, Failure, Matching, Message,
    Principals, Role, RoomInfo, Search,
};
pub use rooms::{Room, guid};
pub use transactions::{DropStep, TIMER};

use crate::payload::{Class, Element, Envelope, MsgId, Node};
use crate::time::Now;
use transactions::{Pending, Table};

/// Says whether a received body fits the schema; the error is for people.
pub type Check = Box<dyn Fn(&[u8]) -> Result<(), String> + Send + Sync>;

/// Most chats and invitations kept for [`Action::Received`].
const KEPT: usize = 10_000;

/// Who the user is, where the servers are, and the readings a client may choose.
#[derive(Debug, Clone)]
pub struct Config {
    /// SIP URI of the user.
    pub user: String,
    /// Display name of the user.
    pub name: String,
    /// Domain of the server.
    pub domain: String,
    /// Where to ask for the channel server (3.1.3); `sip:ocschat@` the domain when none.
    pub lookup_uri: Option<String>,
    /// The channel server, when known; saves the lookup.
    pub server_uri: Option<String>,
    /// `cmd:requri` or `cmd:requi` (XC-44).
    pub lookup_command: String,
    /// `cmd:bcbydate` or `cmd:bcbystate` (XC-27).
    pub search_command: String,
    /// Backchat asked with `cmd:bjoin` by its key; 0 retrieves history by `cmd:bccontext` (XC-17, XC-45).
    pub backchat: u32,
    /// Whether invitations and associations are retrieved after connecting (3.1.10.4, 3.1.11.4).
    pub retrieve: bool,
    /// Factor on the 10 s timers.
    pub time_scale: f64,
    /// `envid` of the first envelope.
    pub first_envid: u64,
    /// `clientVersion` (3.1.4.3).
    pub version: String,
    /// Base address of room management from provisioning ([MS-OCGCWEB] 3.1.3).
    pub management_url: Option<String>,
    /// Language when a request names none.
    pub language: String,
}

impl Config {
    /// For a user at a domain, with the readings of [`readings::TABLE`].
    pub fn new(user: impl Into<String>, domain: impl Into<String>) -> Config {
        Config {
            user: user.into(),
            name: String::new(),
            domain: domain.into(),
            lookup_uri: None,
            server_uri: None,
            lookup_command: "cmd:requri".to_owned(),
            search_command: "cmd:bcbydate".to_owned(),
            backchat: 0,
            retrieve: true,
            time_scale: 1.0,
            first_envid: 1,
            version: concat!("parlance/", env!("CARGO_PKG_VERSION")).to_owned(),
            management_url: None,
            language: "en-US".to_owned(),
        }
    }
}

/// What whoever runs the client has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Open a dialog; report [`Client::dialog_up`] or [`Client::dialog_failed`] under this number.
    Dial {
        /// Number of the dialog.
        dialog: u32,
        /// Where to.
        uri: String,
    },
    /// End a dialog with BYE.
    HangUp {
        /// Number of the dialog.
        dialog: u32,
    },
    /// Send an envelope by INFO; report [`Client::info_failed`] under this number when SIP refuses it.
    Send {
        /// Number of the dialog.
        dialog: u32,
        /// Number of the sending.
        send: u64,
        /// What to send.
        envelope: Envelope,
    },
    /// A request is done.
    Done {
        /// Its id.
        request: u64,
        /// How it ended.
        result: Result<Answer, Failure>,
    },
    /// Something that arrived was dropped.
    Dropped {
        /// At which step.
        step: DropStep,
        /// For people.
        detail: String,
    },
}

/// Facts of the server's answer to `cmd:getserverinfo` that the client uses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerInfo {
    /// Friendly name of the pool.
    pub display_name: Option<String>,
    /// Base address of room management.
    pub management_url: Option<String>,
    /// Most hits of a search.
    pub search_limit: Option<u32>,
    /// Largest chat.
    pub message_size_limit: Option<u32>,
}

/// Where the connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Before sign-in, or after sign-out.
    Out,
    /// Dialog with the lookup URI.
    Lookup,
    /// Dialog with the channel server, getserverinfo not answered yet.
    Connecting,
    /// Signed in.
    Ready,
    /// The dialog went away.
    Lost,
}

/// What a pending command or chat was sent for.
#[derive(Debug, Clone)]
struct Waiting {
    request: Option<u64>,
    send: u64,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Lookup,
    ServerInfo,
    Join {
        rooms: Vec<String>,
        active: bool,
        backchat: bool,
    },
    Leave {
        room: String,
    },
    Chat,
    History {
        room: String,
    },
    Search {
        room: Option<String>,
    },
    SearchRooms,
    Invitations,
    Associations,
    Details,
    Permissions,
    /// Details asked to fill a `cmd:updatenode`.
    Current(Box<Change>),
    Modify,
    Preferences,
    Token,
}

/// A search that takes one command for each room (3.1.8).
#[derive(Debug, Default)]
struct Hits {
    left: usize,
    messages: Vec<Message>,
    more: bool,
    dropped: bool,
}

/// One endpoint of one user.
pub struct Client {
    config: Config,
    check: Option<Check>,
    phase: Phase,
    dialogs: u32,
    sends: u64,
    envid: u64,
    sign_in: Option<u64>,
    server_uri: Option<String>,
    info: ServerInfo,
    busy: bool,
    rooms: rooms::Rooms,
    pending: Table<Waiting>,
    searches: BTreeMap<u64, Hits>,
    /// Rooms of bjoins that asked for backchat, by command.
    backchat: BTreeMap<MsgId, Vec<String>>,
    chats: VecDeque<Message>,
    invitations: VecDeque<RoomInfo>,
    files: u64,
    out: VecDeque<Output>,
}

impl Client {
    /// A client that does nothing yet. Without a check, schema compliance is not looked at: for tests of the later rules only.
    pub fn new(config: Config, check: Option<Check>) -> Client {
        Client {
            envid: config.first_envid.max(1),
            config,
            check,
            phase: Phase::Out,
            dialogs: 0,
            sends: 0,
            sign_in: None,
            server_uri: None,
            info: ServerInfo::default(),
            busy: false,
            rooms: rooms::Rooms::default(),
            pending: Table::default(),
            searches: BTreeMap::new(),
            backchat: BTreeMap::new(),
            chats: VecDeque::new(),
            invitations: VecDeque::new(),
            files: 0,
            out: VecDeque::new(),
        }
    }

    /// Starts signing in under this request id.
    pub fn sign_in(&mut self, request: u64) {
        if matches!(self.phase, Phase::Lookup | Phase::Connecting | Phase::Ready) {
            let failure = Failure::new(Code::Failed, "already signed in");
            return self.done(request, Err(failure));
        }
        self.sign_in = Some(request);
        match self.config.server_uri.clone() {
            Some(uri) => self.dial(Phase::Connecting, uri),
            None => {
                let uri = self
                    .config
                    .lookup_uri
                    .clone()
                    .unwrap_or_else(|| format!("sip:ocschat@{}", self.config.domain));
                self.dial(Phase::Lookup, uri);
            }
        }
    }

    /// A dialog is confirmed.
    pub fn dialog_up(&mut self, now: Now, dialog: u32) {
        if dialog != self.dialogs {
            return;
        }
        match self.phase {
            Phase::Lookup => {
                let id = self.config.lookup_command.clone();
                self.command(now, &id, commands::request_uri(), None, Kind::Lookup);
            }
            Phase::Connecting => {
                let data = commands::server_info(&self.config.domain, &self.config.version);
                self.command(now, "cmd:getserverinfo", data, None, Kind::ServerInfo);
            }
            Phase::Out | Phase::Ready | Phase::Lost => {}
        }
    }

    /// A dialog could not be opened; `status` is the SIP status, none when there was no answer.
    pub fn dialog_failed(&mut self, dialog: u32, status: Option<u32>, why: &str) {
        if dialog == self.dialogs && matches!(self.phase, Phase::Lookup | Phase::Connecting) {
            let code = match status {
                Some(_) => Code::Sip,
                None => Code::Disconnected,
            };
            self.lose(Failure::new(code, why).status(status));
        }
    }

    /// A dialog ended from the other side, or its connection broke.
    pub fn dialog_down(&mut self, dialog: u32, why: &str) {
        if dialog == self.dialogs
            && matches!(self.phase, Phase::Lookup | Phase::Connecting | Phase::Ready)
        {
            self.lose(Failure::new(Code::Disconnected, why));
        }
    }

    /// SIP refused the INFO of a sending, or nobody answered it (3.1.2.1.7).
    pub fn info_failed(&mut self, now: Now, send: u64, status: Option<u32>, why: &str) {
        for pending in self.pending.take_if(|_, p| p.what.send == send) {
            let failure = Failure::new(Code::Sip, why).status(status);
            self.failed(now, pending.what, failure);
        }
    }

    /// Lets timers fire that are due (3.1.2.1.6, 3.1.13.6).
    pub fn tick(&mut self, now: Now) {
        for pending in self.pending.take_if(|_, p| p.deadline <= now.since) {
            let words = format!("no answer to {} in time", pending.command);
            self.failed(now, pending.what, Failure::new(Code::Timeout, words));
        }
    }

    /// When [`Client::tick`] has work next.
    pub fn deadline(&self) -> Option<Duration> {
        self.pending.deadline()
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// A room's state, when the client has been in it.
    pub fn room(&self, uri: &str) -> Option<&Room> {
        self.rooms.get(uri)
    }

    /// Whether the client is signed in.
    pub fn is_ready(&self) -> bool {
        self.phase == Phase::Ready
    }

    /// Whether the server called itself busy (2.2.2.2.7).
    pub fn is_server_busy(&self) -> bool {
        self.busy
    }

    /// What the server said of itself.
    pub fn server_info(&self) -> &ServerInfo {
        &self.info
    }

    /// An INFO body arrived (3.1.2.1.5).
    pub fn info(&mut self, now: Now, body: &[u8]) {
        self.tick(now);
        let envelope = match Envelope::parse(body) {
            Ok(envelope) => envelope,
            Err(error) => return self.drop(DropStep::Schema, error.to_string()),
        };
        if !envelope.is_xccos() {
            return self.drop(DropStep::Schema, format!("root is {}", envelope.root.name));
        }
        if let Some(Err(why)) = self.check.as_ref().map(|check| check(body)) {
            return self.drop(DropStep::Schema, why);
        }
        for primitive in envelope.primitives() {
            match primitive.class {
                Class::Rpl => match self.pending.accept(&primitive) {
                    Ok((pending, code)) => {
                        let data = primitive.data();
                        self.replied(now, pending.what, code, primitive.element, data);
                    }
                    Err(step) => {
                        if !self.late_backchat(&primitive) {
                            let id = primitive.id();
                            self.drop(step, format!("{id} dropped"));
                        }
                    }
                },
                // The document leaves open what a client does with it (XC-50); to wait 10 s would help nobody.
                Class::Err => {
                    let pending = primitive.commandid().and_then(|id| self.pending.take(id));
                    match pending {
                        Some(pending) => {
                            let text = primitive.element.first("resp").map(Element::content);
                            let failure = Failure::new(Code::Failed, text.unwrap_or_default())
                                .status(primitive.code());
                            self.failed(now, pending.what, failure);
                        }
                        None => self.drop(DropStep::NoMatch, "err for nothing pending".to_owned()),
                    }
                }
                Class::Ntc => self.notice(now, &primitive),
                Class::Grpchat => self.chat(&primitive),
                Class::Sys => {
                    if let Some(status) = primitive.element.first("status") {
                        self.busy = matches!(status.get("busy").map(str::trim), Some("true" | "1"));
                    }
                }
                Class::Cmd => {}
            }
        }
    }

    /// A user action under a request id that is not in use.
    pub fn act(&mut self, now: Now, request: u64, action: Action) {
        if let Err(failure) = self.try_act(now, request, action) {
            self.done(request, Err(failure));
        }
    }

    fn try_act(&mut self, now: Now, request: u64, action: Action) -> Result<(), Failure> {
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
                self.out.push_back(Output::HangUp {
                    dialog: self.dialogs,
                });
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
            Action::History { room, count } => {
                let uri = self.need(&room)?;
                let data = commands::history(&uri, count.unwrap_or(commands::ACTIVE_COUNT));
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
            Action::SearchRooms { text, descriptions } => {
                let data = commands::search_rooms(&text, descriptions);
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
                self.command(now, id, data, some, Kind::Token);
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
                let base = self
                    .info
                    .management_url
                    .as_deref()
                    .or(self.config.management_url.as_deref())
                    .ok_or_else(|| {
                        Failure::new(Code::Disabled, "no address of room management is known")
                    })?;
                let lang = lang.as_deref().unwrap_or(&self.config.language);
                let url = management::url(base, room.as_deref().and_then(rooms::guid), lang)
                    .map_err(|why| Failure::new(Code::Failed, why))?;
                self.done(request, Ok(Answer::Url { url }));
            }
            Action::Cancel { .. } => {}
        }
        Ok(())
    }

    /// URI of a room the user is in, or the failure that says he is not.
    fn need(&mut self, room: &str) -> Result<String, Failure> {
        match self.rooms.joined(room) {
            Some(room) => Ok(room.uri.clone()),
            None => Err(Failure::new(
                Code::NotJoined,
                format!("not in the room {room}"),
            )),
        }
    }

    /// 3.1.2.1.4, 3.1.13.4: nothing that answers the request has an effect any more.
    fn cancel(&mut self, request: u64, which: u64) -> Result<(), Failure> {
        let cancelled = Failure::new(Code::Cancelled, "cancelled by the user");
        if self.sign_in == Some(which) {
            self.out.push_back(Output::HangUp {
                dialog: self.dialogs,
            });
            self.lose(cancelled);
            self.phase = Phase::Out;
        } else if self
            .pending
            .take_if(|_, p| p.what.request == Some(which))
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

    fn search(&mut self, now: Now, request: u64, search: &Search) {
        let limit = search.limit.unwrap_or(50);
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

    /// 3.1.13.3. `originatingMessageId` is set as example 4.6 has it (XC-57).
    fn send_chat(
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

    /// Sends one command in an envelope of its own.
    fn command(&mut self, now: Now, id: &str, data: Element, request: Option<u64>, kind: Kind) {
        self.envelope(now, vec![(cmd(id, data), request, kind)]);
    }

    /// Sends primitives in one envelope, numbered from 1 (3.1.2.1.3), and starts their timers (3.1.2.1.2, 3.1.13.2).
    fn envelope(&mut self, now: Now, primitives: Vec<(Element, Option<u64>, Kind)>) {
        if let Some(bad) = primitives.iter().find_map(|(e, ..)| unwritable(e)) {
            let words = format!("U+{:04X} cannot be written in XML", u32::from(bad));
            for (_, request, kind) in primitives {
                let what = Waiting {
                    request,
                    send: 0,
                    kind,
                };
                self.failed(now, what, Failure::new(Code::Failed, words.clone()));
            }
            return;
        }
        let envid = self.envid;
        // Beyond 64 bits there is no number left to use; a run never gets there.
        self.envid = self.envid.saturating_add(1);
        self.sends += 1;
        let send = self.sends;
        let deadline = now.since + scaled(TIMER, self.config.time_scale);
        let mut elements = Vec::with_capacity(primitives.len());
        for (seqid, (mut element, request, kind)) in (1..).zip(primitives) {
            element.set("seqid", seqid.to_string());
            let id = MsgId { envid, seqid };
            if let Kind::Join {
                rooms,
                backchat: true,
                ..
            } = &kind
            {
                self.backchat.insert(id, rooms.clone());
            }
            let pending = Pending {
                command: element.get("id").unwrap_or("").to_owned(),
                deadline,
                what: Waiting {
                    request,
                    send,
                    kind,
                },
            };
            self.pending.insert(id, pending);
            elements.push(element);
        }
        self.out.push_back(Output::Send {
            dialog: self.dialogs,
            send,
            envelope: Envelope::new(envid, elements),
        });
    }

    fn dial(&mut self, phase: Phase, uri: String) {
        self.dialogs += 1;
        self.phase = phase;
        if phase == Phase::Connecting {
            self.server_uri = Some(uri.clone());
        }
        self.out.push_back(Output::Dial {
            dialog: self.dialogs,
            uri,
        });
    }

    fn hang_up(&mut self) {
        self.out.push_back(Output::HangUp {
            dialog: self.dialogs,
        });
    }

    /// The connection is over: every request under way fails, every room is left.
    fn lose(&mut self, failure: Failure) {
        self.phase = Phase::Lost;
        self.rooms.clear();
        self.backchat.clear();
        self.info = ServerInfo::default();
        if let Some(request) = self.sign_in.take() {
            self.done(request, Err(failure.clone()));
        }
        let mut told = Vec::new();
        for pending in self.pending.take_if(|_, _| true) {
            if let Some(request) = pending.what.request
                && !told.contains(&request)
            {
                told.push(request);
                self.done(request, Err(failure.clone()));
            }
        }
        self.searches.clear();
    }

    fn done(&mut self, request: u64, result: Result<Answer, Failure>) {
        self.out.push_back(Output::Done { request, result });
    }

    fn drop(&mut self, step: DropStep, detail: String) {
        self.out.push_back(Output::Dropped { step, detail });
    }

    /// A file name becomes a `ma-filelink` URI of its own (2.2.2.1.24); what is one already stays.
    fn file_url(&mut self, room: &str, file: &str) -> String {
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

fn cmd(id: &str, data: Element) -> Element {
    Element::new("cmd").with("id", id).child(data)
}

/// A duration under a time scale; a scale that is no positive number counts as 1.
fn scaled(duration: Duration, scale: f64) -> Duration {
    let scale = if scale.is_finite() && scale > 0.0 {
        scale.min(1e6)
    } else {
        1.0
    };
    duration.mul_f64(scale)
}

/// The first character that XML 1.0 cannot carry.
fn unwritable(element: &Element) -> Option<char> {
    let bad = |text: &str| {
        text.chars().find(|&c| {
            !matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
        })
    };
    element
        .attrs
        .iter()
        .find_map(|a| bad(&a.value))
        .or_else(|| {
            element.children.iter().find_map(|node| match node {
                Node::Text(text) => bad(text),
                Node::Element(child) => unwritable(child),
            })
        })
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

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
pub mod defects;
pub mod faults;
mod management;
mod notices;
mod preferences;
pub mod readings;
mod replies;
mod requests;
mod rooms;
mod sending;
mod transactions;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

pub use action::{
    Action, Answer, Change, ChannelPreference, Code, Direction, Failure, Matching, Message,
    Principals, Role, RoomFilter, RoomInfo, RoomSearch, Search,
};
pub use rooms::{Room, guid};
pub use transactions::{DropStep, TIMER};

use crate::payload::{Class, Element, Envelope, MsgId};
use crate::time::Now;
use faults::{End, Fault, Faults, HangUp};
use transactions::Table;

/// Says whether a received body fits the schema; the error is for people.
pub type Check = Box<dyn Fn(&[u8]) -> Result<(), String> + Send + Sync>;

/// How long a dialog may take to come up when the server goes on saying "trying": as long as SIP waits for any answer.
const DIAL: Duration = Duration::from_secs(32);

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
    Token(String),
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
    /// When an unanswered dial is given up.
    dial_by: Option<Duration>,
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
    faults: Faults,
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
            dial_by: None,
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
            faults: Faults::default(),
            out: VecDeque::new(),
        }
    }

    /// The same client with these faults.
    pub fn with_faults(mut self, faults: impl IntoIterator<Item = Fault>) -> Client {
        self.faults = Faults::new(faults);
        for fault in self.faults.iter() {
            match fault {
                Fault::Honour(end) => self.pending.honour(end),
                Fault::Unchecked => self.check = None,
                Fault::NoRetrieval => self.config.retrieve = false,
                _ => {}
            }
        }
        self
    }

    /// What it gets wrong about SIP, for whoever runs it.
    pub fn sip_faults(&self) -> Vec<faults::SipFault> {
        self.faults
            .iter()
            .filter_map(|fault| match fault {
                Fault::Sip(fault) => Some(fault),
                _ => None,
            })
            .collect()
    }

    /// Starts signing in under this request id.
    pub fn sign_in(&mut self, now: Now, request: u64) {
        if matches!(self.phase, Phase::Lookup | Phase::Connecting | Phase::Ready) {
            let failure = Failure::new(Code::Failed, "already signed in");
            return self.done(request, Err(failure));
        }
        self.sign_in = Some(request);
        match self.config.server_uri.clone() {
            Some(uri) => self.dial(now, Phase::Connecting, uri),
            None => {
                let uri = self.lookup_uri();
                self.dial(now, Phase::Lookup, uri);
            }
        }
    }

    fn lookup_uri(&self) -> String {
        match &self.config.lookup_uri {
            Some(uri) => uri.clone(),
            None => format!("sip:ocschat@{}", self.config.domain),
        }
    }

    /// A dialog is confirmed.
    pub fn dialog_up(&mut self, now: Now, dialog: u32) {
        if dialog != self.dialogs {
            return;
        }
        self.dial_by = None;
        match self.phase {
            Phase::Lookup => {
                if self.faults.has(Fault::InfoAtLookup) {
                    self.ask_info(now);
                }
                let id = self.config.lookup_command.clone();
                self.command(now, &id, commands::request_uri(), None, Kind::Lookup);
                if self.faults.has(Fault::HangsUpEarly) {
                    self.hang_up(HangUp::User);
                }
            }
            Phase::Connecting => self.ask_info(now),
            Phase::Out | Phase::Ready | Phase::Lost => {}
        }
    }

    fn ask_info(&mut self, now: Now) {
        let data = commands::server_info(&self.config.domain, &self.config.version);
        self.command(now, "cmd:getserverinfo", data, None, Kind::ServerInfo);
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
        if self.faults.has(Fault::IgnoresInfoFailure) {
            return;
        }
        for pending in self
            .pending
            .end(End::InfoFailed, |_, p| p.what.send == send)
        {
            let failure = Failure::new(Code::Sip, why).status(status);
            self.failed(now, pending.what, failure);
        }
    }

    /// Lets timers fire that are due (3.1.2.1.6, 3.1.13.6).
    pub fn tick(&mut self, now: Now) {
        for pending in self
            .pending
            .end(End::TimedOut, |_, p| p.deadline <= now.since)
        {
            let words = format!("no answer to {} in time", pending.command);
            self.failed(now, pending.what, Failure::new(Code::Timeout, words));
        }
        if self.dial_by.is_some_and(|by| by <= now.since) {
            self.hang_up(HangUp::User);
            self.lose(Failure::new(
                Code::Timeout,
                "the dialog did not come up in time",
            ));
        }
    }

    /// When [`Client::tick`] has work next.
    pub fn deadline(&self) -> Option<Duration> {
        [self.pending.deadline(), self.dial_by]
            .into_iter()
            .flatten()
            .min()
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
        let mut envelope = match Envelope::parse(body) {
            Ok(envelope) => envelope,
            Err(error) => return self.drop(DropStep::Schema, error.to_string()),
        };
        if !envelope.is_xccos() {
            return self.drop(DropStep::Schema, format!("root is {}", envelope.root.name));
        }
        if let Some(Err(why)) = self.check.as_ref().map(|check| check(body)) {
            return self.drop(DropStep::Schema, why);
        }
        if !self.faults.is_empty() {
            let names = self.names(&envelope);
            self.faults.incoming(&mut envelope, &names);
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

    fn dial(&mut self, now: Now, phase: Phase, uri: String) {
        self.dialogs += 1;
        self.dial_by = Some(now.since + sending::scaled(DIAL, self.config.time_scale));
        self.phase = phase;
        if phase == Phase::Connecting {
            self.server_uri = Some(uri.clone());
        }
        self.out.push_back(Output::Dial {
            dialog: self.dialogs,
            uri,
        });
    }

    fn hang_up(&mut self, occasion: HangUp) {
        if self.faults.has(Fault::KeepsDialog(occasion)) {
            return;
        }
        self.out.push_back(Output::HangUp {
            dialog: self.dialogs,
        });
    }

    /// The connection is over: every request under way fails, every room is left.
    fn lose(&mut self, failure: Failure) {
        self.phase = Phase::Lost;
        self.dial_by = None;
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
}

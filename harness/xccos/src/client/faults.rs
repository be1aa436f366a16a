/*! What a client can get wrong on purpose, as data.

A [`Fault`] is one thing a faulty client does. Most are edits: of what the
client sends, or of what it takes itself to have received (a client that never
looks at `commandid` behaves like one that finds the right one everywhere). The
rest are switches that the model asks at the places named. A client without
faults runs through none of this.
*/

use std::collections::BTreeMap;

use super::transactions::Pending;
use super::{Client, Kind, Waiting, commands, rooms};
use crate::edit::Edit;
use crate::payload::{Class, Envelope, Node};

/// One thing a client gets wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Sends envelopes changed like this. One that has nothing left is not sent.
    Out(Edit),
    /// Takes received envelopes, after the schema check, as if they read like this. Names in braces: `envid`, `seqid`
    /// and `reply` (of the pending command that fits the reply, else the oldest), `room` (it is about), `chatenvid` and
    /// `chatseqid` (of the oldest pending chat), `joined` and `guid` (of a room the user is in), `self`.
    In(Edit),
    /// Does not check the schema (3.1.2.1.5).
    Unchecked,
    /// Runs the command timer for so many seconds (3.1.2.1.2).
    CommandTimer(u32),
    /// Runs the chat timer for so many seconds (3.1.13.2).
    ChatTimer(u32),
    /// Starts all running timers anew whenever something is sent (3.1.2.1.2).
    SharedTimer,
    /// Takes replies to commands that ended like this (3.1.2.1.5).
    Honour(End),
    /// Does not tell anybody that an INFO failed (3.1.2.1.7).
    IgnoresInfoFailure,
    /// Takes every code from 200 to 299 for success (3.1.2.1.5).
    AnySuccess,
    /// Does not hang up on this occasion.
    KeepsDialog(HangUp),
    /// Hangs up right after asking for the channel server (3.1.3.5).
    HangsUpEarly,
    /// Opens no dialog with the channel server (3.1.3.5).
    NoSecondDial,
    /// Opens the second dialog with the lookup URI again (3.1.3.5).
    RedialsLookup,
    /// Opens a second dialog, with the lookup URI, when the reply names none (3.1.3.5).
    DialsWithoutUri,
    /// Asks for server information in the lookup dialog already (3.1.4).
    InfoAtLookup,
    /// Retrieves neither invitations nor associations after connecting (3.1.10.4, 3.1.11.4).
    NoRetrieval,
    /// Lets a smaller chat number replace a greater one (3.1.14.5).
    LowerIds,
    /// Keeps the participants when kicked (3.1.15.5).
    KeepsList,
    /// Posts in rooms it was removed from (3.1.15.5).
    PostsWhenOut,
    /// Searches several rooms with one command (3.1.8).
    OneSearch,
    /// Gets the address of room management wrong ([MS-OCGCWEB]).
    Url(UrlFault),
    /// Gets SIP wrong; whoever runs the client looks at it.
    Sip(SipFault),
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Its reply came.
    Answered,
    /// Its timer fired.
    TimedOut,
    /// The user cancelled it.
    Cancelled,
    /// Its INFO failed.
    InfoFailed,
}

/// Occasions to hang up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HangUp {
    /// The lookup succeeded (3.1.3.5).
    LookedUp,
    /// The lookup failed (3.1.3.5).
    LookupFailed,
    /// The server gave no information (3.1.4.5).
    NoInfo,
    /// The user wants it.
    User,
}

/// What can be wrong with an address of room management.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UrlFault {
    /// The language in capitals.
    UpperLanguage,
    /// The region in small letters.
    LowerRegion,
    /// No language.
    NoLanguage,
    /// An id although a room is to be created.
    IdWhenCreating,
    /// No id although a room is named.
    NoId,
    /// The whole room URI as id.
    WholeUri,
    /// The id before the language.
    IdFirst,
    /// A second question mark.
    SecondQuestionMark,
    /// The base's own parameters are lost.
    LosesQuery,
    /// The provisioned base wins over the server's.
    IgnoresServer,
    /// An address although no base is known.
    NotDisabled,
}

/// What can be wrong with SIP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SipFault {
    /// Payloads travel in this method instead of INFO.
    Method(&'static str),
    /// Received INFOs are answered with this status.
    AnswersInfo(u16),
    /// Received INFOs are not answered.
    SilentOnInfo,
    /// No ACK follows the 200 to an INVITE.
    NoAck,
    /// Requests in a dialog repeat the CSeq number of the INVITE.
    FrozenCSeq,
    /// The session description is missing from INVITE.
    NoOffer,
    /// Requests in a dialog have another From tag.
    ForeignTag,
}

/// The faults of one client.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub fn new(faults: impl IntoIterator<Item = Fault>) -> Faults {
        Faults(faults.into_iter().collect())
    }

    pub fn has(&self, fault: Fault) -> bool {
        self.0.contains(&fault)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = Fault> + '_ {
        self.0.iter().copied()
    }

    /// Changes what is sent; false when nothing is left to send.
    pub fn outgoing(&self, envelope: &mut Envelope) -> bool {
        for fault in &self.0 {
            if let Fault::Out(edit) = fault {
                edit.apply(&mut envelope.root, &|_| None);
            }
        }
        self.is_empty()
            || envelope
                .root
                .children
                .iter()
                .any(|node| matches!(node, Node::Element(_)))
    }

    /// Changes what was received into what the client takes it for.
    pub fn incoming(&self, envelope: &mut Envelope, names: &BTreeMap<&'static str, String>) {
        for fault in &self.0 {
            if let Fault::In(edit) = fault {
                edit.apply(&mut envelope.root, &|name| names.get(name).cloned());
            }
        }
    }

    /// The address that a client with these faults makes of the right one.
    pub fn url(&self, right: String, base: &str, room: Option<&str>) -> String {
        let mut url = right;
        for fault in &self.0 {
            if let Fault::Url(fault) = fault {
                url = spoil(*fault, &url, base, room);
            }
        }
        url
    }
}

fn spoil(fault: UrlFault, url: &str, base: &str, room: Option<&str>) -> String {
    let lang = url
        .split_once("clientlang=")
        .and_then(|(_, rest)| rest.split(['&', '#']).next())
        .unwrap_or("");
    let id = room.and_then(super::guid).unwrap_or("");
    let both = format!("clientlang={lang}&id={id}");
    match fault {
        UrlFault::UpperLanguage => url.replace(lang, &lang.to_ascii_uppercase()),
        UrlFault::LowerRegion => url.replace(lang, &lang.to_ascii_lowercase()),
        UrlFault::NoLanguage if room.is_some() => url.replace(&both, &format!("id={id}")),
        UrlFault::NoLanguage => base.to_owned(),
        UrlFault::IdWhenCreating if room.is_none() => {
            format!("{url}&id=00000000-0000-0000-0000-000000000000")
        }
        UrlFault::NoId => url.replace(&format!("&id={id}"), ""),
        UrlFault::WholeUri => match room {
            Some(room) => url.replace(&format!("&id={id}"), &format!("&id={room}")),
            None => url.to_owned(),
        },
        UrlFault::IdFirst => url.replace(&both, &format!("id={id}&clientlang={lang}")),
        UrlFault::SecondQuestionMark => url.replace("&clientlang", "?clientlang"),
        UrlFault::LosesQuery => match (url.split_once('?'), url.find("clientlang=")) {
            (Some((address, _)), Some(at)) => {
                format!("{address}?{}", url.get(at..).unwrap_or(""))
            }
            _ => url.to_owned(),
        },
        _ => url.to_owned(),
    }
}

impl Client {
    /// What the names in [`Fault::In`] stand for, when this envelope arrives.
    pub(super) fn names(&mut self, envelope: &Envelope) -> BTreeMap<&'static str, String> {
        let mut names = BTreeMap::from([("self", self.config.user.clone())]);
        let reply = envelope.primitives().find(|p| p.class == Class::Rpl);
        let command = |p: &Pending<Waiting>| p.command.starts_with("cmd:");
        let fitting =
            |p: &Pending<Waiting>| reply.is_some_and(|r| commands::corresponds(&p.command, r.id()));
        let named = reply.and_then(|r| r.commandid());
        let pending = self
            .pending
            .find(|id, p| command(p) && Some(*id) == named)
            .or_else(|| self.pending.find(|_, p| command(p) && fitting(p)))
            .or_else(|| self.pending.find(|_, p| command(p)));
        if let Some((id, pending)) = pending {
            names.insert("envid", id.envid.to_string());
            names.insert("seqid", id.seqid.to_string());
            names.insert("reply", commands::reply_id(&pending.command));
            let room = match &pending.what.kind {
                Kind::Join { rooms, .. } => rooms.first().cloned(),
                Kind::History { room } => Some(room.clone()),
                Kind::Search { room } => room.clone(),
                _ => None,
            };
            names.extend(room.map(|room| ("room", room)));
        }
        if let Some((id, _)) = self.pending.find(|_, p| !command(p)) {
            names.insert("chatenvid", id.envid.to_string());
            names.insert("chatseqid", id.seqid.to_string());
        }
        if let Some(room) = self.rooms.all_joined().next() {
            names.insert("joined", room.uri.clone());
            names.extend(rooms::guid(&room.uri).map(|guid| ("guid", guid.to_owned())));
        }
        names
    }
}

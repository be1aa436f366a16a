/*! What a client does next (3.1.3.5, 3.1.4.5, 3.1.7, 3.1.10, 3.1.11, 3.1.15.5).

Takes what a client was told and what it sent afterwards. A duty without a
time of its own is called neglected only when the client had the time limit
of a command for it, or has visibly gone on without it.
*/

use std::collections::{HashMap, HashSet};

use trace::{Micros, Seat};

use super::decode::{Decoder, DialogId, Seen, State};
use super::desk::{Desk, Spot};
use super::exchange::{Exchange, Sent};
use super::rooms::{Room, Rooms, Stay, room};
use super::{Doc, Limits};
use crate::payload::{Class, Element, Primitive};
use crate::policy::Weight;

const RULE: &str = "client";

/// The ids this rule can decide.
pub(crate) const IDS: &[&str] = &[
    "XCCOSIP-1.3-02",
    "XCCOSIP-3.1.3.5-01",
    "XCCOSIP-3.1.3.5-02",
    "XCCOSIP-3.1.3.5-03",
    "XCCOSIP-3.1.3.5-04",
    "XCCOSIP-3.1.3.5-05",
    "XCCOSIP-3.1.3.5-06",
    "XCCOSIP-3.1.3.5-07",
    "XCCOSIP-3.1.3.5-08",
    "XCCOSIP-3.1.4-01",
    "XCCOSIP-3.1.4.5-01",
    "XCCOSIP-3.1.5.5-01",
    "XCCOSIP-3.1.5.5-02",
    "XCCOSIP-3.1.6.5-01",
    "XCCOSIP-3.1.6.5-02",
    "XCCOSIP-3.1.7-01",
    "XCCOSIP-3.1.7.4-01",
    "XCCOSIP-3.1.8.4-01",
    "XCCOSIP-3.1.9.4-01",
    "XCCOSIP-3.1.10-02",
    "XCCOSIP-3.1.10.4-01",
    "XCCOSIP-3.1.11.3-01",
    "XCCOSIP-3.1.11.4-01",
    "XCCOSIP-3.1.12.5-01",
    "XCCOSIP-3.1.15.5-52",
    "XCCOSIP-3.1.15.5-65",
    "XCCOSIP-3.1.17.3-13",
    "XCCOSIP-3.1.19.3-06",
];

/// An answered request for the channel server.
struct Lookup {
    dialog: DialogId,
    event: u64,
    at: Micros,
    success: bool,
    uri: Option<String>,
    byed: bool,
    moved: bool,
}

/// A room whose history a client should ask for.
struct Wish {
    entry: &'static str,
    dialog: DialogId,
    room: Room,
    event: u64,
    at: Micros,
    met: bool,
}

/// A failure after which a client does nothing more with a room.
struct Failure {
    entry: &'static str,
    dialog: DialogId,
    room: Room,
    event: u64,
    at: Micros,
    broken: bool,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Client {
    lookups: Vec<Lookup>,
    wishes: Vec<Wish>,
    failures: Vec<Failure>,
    torn: Vec<(DialogId, u64, Micros, bool)>,
    /// Dialogs in which the server gave its information, with event and time.
    connected: Vec<(DialogId, u64, Micros)>,
    kicked: HashMap<(DialogId, Room), u64>,
    audits: HashMap<Room, Vec<(String, String)>>,
    kinds: HashMap<DialogId, HashSet<String>>,
    files: HashSet<String>,
    driven: HashSet<String>,
    /// Server INFOs that carried only what nobody asked for.
    unasked: HashSet<u64>,
}

impl Client {
    /// A driver line.
    pub fn upper(&mut self, command: bool, text: &str) {
        if command
            && let Ok(value) = serde_json::from_str::<serde_json::Value>(text)
            && let Some(name) = value.get("do").and_then(|d| d.as_str())
        {
            self.driven.insert(name.to_owned());
        }
    }

    /// Any message, before its document is looked at.
    pub fn message(
        &mut self,
        seen: &Seen,
        exchange: &Exchange,
        limits: &Limits,
        decoder: &Decoder,
        desk: &mut Desk,
    ) {
        if let (Some(status), Some(asked), Seat::Client) =
            (seen.message.status(), &seen.answers, seen.from)
            && asked.method == "INFO"
            && status >= 200
            && self.unasked.remove(&asked.seq)
            && asked.up
        {
            match status {
                200..=299 => desk.pass(RULE, "XCCOSIP-1.3-02", seen),
                401 | 407 | 481 | 487 | 491 => {}
                _ => desk.conduct(
                    RULE,
                    "XCCOSIP-1.3-02",
                    seen,
                    Spot::default(),
                    format!("the client answers what it did not ask for with {status}"),
                ),
            }
        }
        if seen.from != Seat::Client {
            return;
        }
        if seen.is("BYE") {
            self.bye(seen, exchange, limits, desk);
        } else if seen.is("INVITE") && seen.before == Some(State::Inviting) {
            self.invite(seen, decoder, desk);
        }
    }

    fn bye(&mut self, seen: &Seen, exchange: &Exchange, limits: &Limits, desk: &mut Desk) {
        let early = exchange.sent.iter().find(|s| {
            Some(s.dialog) == seen.dialog
                && s.row.is_some_and(|r| r.id.starts_with("cmd:requ"))
                && s.answers.is_empty()
                && !s.void
                && !s.deliberate
                && seen.at.saturating_sub(s.at) < limits.reply - limits.reply / 20
        });
        if let Some(early) = early {
            desk.conduct(
                RULE,
                "XCCOSIP-3.1.3.5-06",
                seen,
                Spot::default(),
                format!(
                    "BYE before the answer to {} (event {})",
                    early.element.get("id").unwrap_or(""),
                    early.seq
                ),
            );
        }
        for lookup in self
            .lookups
            .iter_mut()
            .filter(|l| Some(l.dialog) == seen.dialog)
        {
            lookup.byed = true;
            let entry = if lookup.success {
                "XCCOSIP-3.1.3.5-04"
            } else {
                "XCCOSIP-3.1.3.5-05"
            };
            desk.pass(RULE, entry, seen);
            desk.pass(RULE, "XCCOSIP-3.1.3.5-06", seen);
        }
        for torn in self.torn.iter_mut().filter(|t| Some(t.0) == seen.dialog) {
            torn.3 = true;
            desk.pass(RULE, "XCCOSIP-3.1.4.5-01", seen);
        }
    }

    /// A new dialog, perhaps after the answer of a lookup.
    fn invite(&mut self, seen: &Seen, decoder: &Decoder, desk: &mut Desk) {
        let Some(user) = seen
            .dialog
            .and_then(|d| decoder.dialog(d))
            .map(|d| d.user.clone())
        else {
            return;
        };
        let target = |text: &str| {
            ::sip::Uri::parse(text.trim())
                .ok()
                .map(|u| u.address().to_ascii_lowercase())
        };
        let goes = seen.message.request_uri().and_then(|u| target(&u));
        let lookup = self.lookups.iter_mut().rev().find(|l| {
            !l.moved
                && decoder
                    .dialog(l.dialog)
                    .is_some_and(|d| d.user == user && d.conn == seen.conn)
        });
        let lookup = match lookup {
            Some(lookup) => lookup,
            // A client may connect anew; then only the address tells.
            None => match self.lookups.iter_mut().rev().find(|l| {
                !l.moved
                    && l.uri.as_deref().and_then(target) == goes
                    && decoder.dialog(l.dialog).is_some_and(|d| d.user == user)
            }) {
                Some(lookup) => lookup,
                None => return,
            },
        };
        let Some(old) = decoder.dialog(lookup.dialog) else {
            return;
        };
        let wanted = lookup.uri.as_deref().and_then(target);
        let again = goes.as_deref() == Some(old.server.as_str());
        let spot = Spot::default;
        match (lookup.success, wanted) {
            (true, Some(wanted)) if goes.as_deref() == Some(wanted.as_str()) => {
                lookup.moved = true;
                for entry in [
                    "XCCOSIP-3.1.3.5-02",
                    "XCCOSIP-3.1.3.5-03",
                    "XCCOSIP-3.1.3.5-07",
                ] {
                    desk.pass(RULE, entry, seen);
                }
            }
            // Somebody who starts all over some time later is another matter.
            (true, Some(wanted)) if !again || seen.at.saturating_sub(lookup.at) < 60_000_000 => {
                desk.conduct(
                    RULE,
                    "XCCOSIP-3.1.3.5-03",
                    seen,
                    spot(),
                    format!(
                        "the INVITE goes to {}, the server named {wanted}",
                        goes.unwrap_or_default()
                    ),
                )
            }
            (false, Some(wanted)) if goes.as_deref() == Some(wanted.as_str()) && !again => desk
                .conduct(
                    RULE,
                    "XCCOSIP-3.1.3.5-01",
                    seen,
                    spot(),
                    format!("an INVITE to {wanted}, which stood in a failure reply"),
                ),
            (true, None) if !again => desk.conduct(
                RULE,
                "XCCOSIP-3.1.3.5-08",
                seen,
                spot(),
                "a new dialog, although the reply named no URI".to_owned(),
            ),
            _ => {}
        }
    }

    /// A client sent a command or chat.
    pub fn sent(
        &mut self,
        doc: &Doc<'_>,
        primitive: &Primitive<'_>,
        exchange: &Exchange,
        rooms: &Rooms,
        decoder: &Decoder,
        desk: &mut Desk,
    ) {
        let Some(dialog) = doc.seen.dialog else {
            return;
        };
        let data = primitive.data();
        let at = |name: &str| {
            let element = data
                .and_then(|d| d.first(name))
                .unwrap_or(primitive.element);
            Spot::element(&doc.tree.path_of(element), element)
        };
        let named = data
            .and_then(|d| d.first("chanib"))
            .and_then(|c| c.get("uri"))
            .map(room);
        if primitive.class == Class::Grpchat {
            let name = room(primitive.element.get("chanUri").unwrap_or(""));
            if let Some(event) = self.kicked.get(&(dialog, name)) {
                desk.conduct(
                    RULE,
                    "XCCOSIP-3.1.15.5-52",
                    doc.seen,
                    Spot::element(&doc.tree.path_of(primitive.element), primitive.element),
                    format!("a chat into a room the client was removed from (event {event}), without joining anew"),
                );
            }
            return;
        }
        let whole = decoder.dialog(dialog).is_some_and(|d| d.whole);
        match primitive.id() {
            "cmd:getserverinfo" => {
                let lookup = |s: &Sent| {
                    s.dialog == dialog && s.row.is_some_and(|r| r.id.starts_with("cmd:requ"))
                };
                if exchange.sent.iter().any(lookup) {
                    desk.conduct(
                        RULE,
                        "XCCOSIP-3.1.4-01",
                        doc.seen,
                        at("data"),
                        "server information is asked for in the dialog of the URI request"
                            .to_owned(),
                    );
                } else if self.lookups.iter().any(|l| l.moved) {
                    desk.pass(RULE, "XCCOSIP-3.1.4-01", doc.seen);
                }
            }
            "cmd:getinv" => {
                for entry in ["XCCOSIP-3.1.10-02", "XCCOSIP-3.1.10.4-01"] {
                    desk.pass(RULE, entry, doc.seen);
                }
            }
            "cmd:getassociations" => {
                desk.pass(RULE, "XCCOSIP-3.1.11.4-01", doc.seen);
                let kinds = self.kinds.entry(dialog).or_default();
                kinds.extend(
                    data.and_then(|d| d.first("association"))
                        .and_then(|a| a.get("type"))
                        .map(str::to_owned),
                );
                if kinds.contains("MEMBER") && kinds.contains("MANAGER") {
                    desk.pass(RULE, "XCCOSIP-3.1.11.3-01", doc.seen);
                }
            }
            "cmd:bccontext" => {
                let Some(name) = named else { return };
                for wish in &mut self.wishes {
                    if wish.dialog == dialog && wish.room == name && !wish.met {
                        wish.met = true;
                        desk.pass(RULE, wish.entry, doc.seen);
                        if wish.entry == "XCCOSIP-3.1.7-01" {
                            for entry in [
                                "XCCOSIP-3.1.5.5-02",
                                "XCCOSIP-3.1.6.5-02",
                                "XCCOSIP-3.1.7.4-01",
                            ] {
                                desk.pass(RULE, entry, doc.seen);
                            }
                        }
                    }
                }
                self.after_failure(dialog, &name, rooms, decoder, doc, at("chanib"), desk);
            }
            "cmd:join" | "cmd:bjoin" => {
                for name in super::rooms::named(rooms, data) {
                    if self.kicked.remove(&(dialog, name.clone())).is_some() {
                        desk.pass(RULE, "XCCOSIP-3.1.15.5-52", doc.seen);
                    }
                    self.failures.retain(|f| {
                        !(f.dialog == dialog && f.room == name && f.entry != "XCCOSIP-3.1.12.5-01")
                    });
                    self.after_failure(dialog, &name, rooms, decoder, doc, at("chanid"), desk);
                }
            }
            "cmd:updatenode" => self.audit(doc, data, &at, desk),
            "cmd:getfutok" => {
                if let Some(url) = data
                    .and_then(|d| d.first("ftdb"))
                    .and_then(|f| f.get("fileUrl"))
                    && self.files.insert(url.to_owned())
                    && self.files.len() > 1
                {
                    desk.pass(RULE, "XCCOSIP-3.1.19.3-06", doc.seen);
                }
            }
            id @ ("cmd:chansrch" | "cmd:bcbydate" | "cmd:bcbystate") => {
                let (entry, action) = if id == "cmd:chansrch" {
                    ("XCCOSIP-3.1.9.4-01", "search_rooms")
                } else {
                    ("XCCOSIP-3.1.8.4-01", "search_messages")
                };
                if self.driven.contains(action) {
                    desk.pass(RULE, entry, doc.seen);
                } else if !self.driven.is_empty() && whole {
                    desk.conduct(
                        RULE,
                        entry,
                        doc.seen,
                        at("data"),
                        format!("{id} without any {action} of the user"),
                    );
                }
            }
            _ => {}
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn after_failure(
        &mut self,
        dialog: DialogId,
        name: &Room,
        rooms: &Rooms,
        decoder: &Decoder,
        doc: &Doc<'_>,
        spot: Spot,
        desk: &mut Desk,
    ) {
        let outside = matches!(rooms.stay(decoder, dialog, name), Stay::Out { .. });
        for failure in &mut self.failures {
            let query = failure.entry == "XCCOSIP-3.1.12.5-01";
            if failure.dialog == dialog
                && failure.room == *name
                && !failure.broken
                && (outside || query)
            {
                failure.broken = true;
                desk.conduct(
                    RULE,
                    failure.entry,
                    doc.seen,
                    spot.clone(),
                    format!(
                        "the client goes on with a room after the failure of event {}",
                        failure.event
                    ),
                );
            }
        }
    }

    /// The audit block of an update is the one last received (3.1.17.3).
    fn audit(
        &mut self,
        doc: &Doc<'_>,
        data: Option<&Element>,
        at: &dyn Fn(&str) -> Spot,
        desk: &mut Desk,
    ) {
        let Some(chanib) = data.and_then(|d| d.first("chanib")) else {
            return;
        };
        let name = room(chanib.get("uri").unwrap_or(""));
        if let (Some(known), Some(audit)) = (self.audits.get(&name), chanib.first("audit")) {
            let given = attrs(audit);
            if *known == given {
                desk.pass(RULE, "XCCOSIP-3.1.17.3-13", doc.seen);
            } else {
                desk.conduct(
                    RULE,
                    "XCCOSIP-3.1.17.3-13",
                    doc.seen,
                    at("chanib"),
                    "the audit block is not the one last received for this room".to_owned(),
                );
            }
        }
    }

    /// A server sent a document that a client takes.
    pub fn told(&mut self, doc: &Doc<'_>, decoder: &Decoder) {
        let Some(dialog) = doc.seen.dialog else {
            return;
        };
        let asked_for = doc
            .envelope
            .primitives()
            .any(|p| matches!(p.class, Class::Rpl | Class::Err));
        if !asked_for && !doc.seen.deliberate {
            self.unasked.insert(doc.seen.seq);
        }
        for (at, item) in doc.tree.items.iter().enumerate() {
            if item.element.name == "audit"
                && let Some(parent) = doc.tree.parent(at)
                && parent.name == "chanib"
                && let Some(uri) = parent.get("uri")
            {
                self.audits.insert(room(uri), attrs(item.element));
            }
        }
        let user = decoder
            .dialog(dialog)
            .map(|d| d.user.clone())
            .unwrap_or_default();
        for primitive in doc.envelope.primitives() {
            let Some(data) = primitive.data() else {
                continue;
            };
            match primitive.id() {
                "ntc:kick" if primitive.class == Class::Ntc => {
                    for chanib in data.all("chanib") {
                        let own = chanib
                            .all("uib")
                            .filter_map(|u| u.get("uri"))
                            .any(|u| u.trim().to_ascii_lowercase().ends_with(&user));
                        if own && !user.is_empty() {
                            let name = room(chanib.get("uri").unwrap_or(""));
                            self.kicked.insert((dialog, name), doc.seen.seq);
                        }
                    }
                }
                "ntc:chatmodify" if primitive.class == Class::Ntc && doc.valid() => {
                    for chanib in data.all("chanib") {
                        self.wish(
                            "XCCOSIP-3.1.15.5-65",
                            dialog,
                            room(chanib.get("uri").unwrap_or("")),
                            doc,
                        );
                    }
                }
                _ => {}
            }
        }
    }

    fn wish(&mut self, entry: &'static str, dialog: DialogId, room: Room, doc: &Doc<'_>) {
        self.wishes.push(Wish {
            entry,
            dialog,
            room,
            event: doc.seen.seq,
            at: doc.seen.at,
            met: false,
        });
    }

    /// A command was answered.
    pub fn answered(
        &mut self,
        sent: &Sent,
        doc: &Doc<'_>,
        primitive: &Primitive<'_>,
        rooms: &Rooms,
    ) {
        if !doc.valid() || doc.seen.deliberate || sent.class != Class::Cmd {
            return;
        }
        // A reply without a code that means something is none (3.1.2.1.5 step 5).
        if primitive.class == Class::Rpl
            && !primitive.code().is_some_and(|c| (100..700).contains(&c))
        {
            return;
        }
        let success = primitive.class == Class::Rpl && primitive.code() == Some(200);
        let (dialog, event, at) = (sent.dialog, doc.seen.seq, doc.seen.at);
        let failure = |entry, room| Failure {
            entry,
            dialog,
            room,
            event,
            at,
            broken: false,
        };
        let asked = sent.element.first("data");
        match sent.row.map_or("", |r| r.id) {
            "cmd:requi" | "cmd:requri" if primitive.class == Class::Rpl => {
                self.lookups.push(Lookup {
                    dialog,
                    event,
                    at,
                    success,
                    uri: primitive
                        .data()
                        .and_then(|d| d.first("uib"))
                        .and_then(|u| u.get("uri"))
                        .map(str::to_owned),
                    byed: false,
                    moved: false,
                })
            }
            "cmd:getserverinfo" if !success && primitive.class == Class::Rpl => {
                self.torn.push((dialog, event, at, false));
            }
            "cmd:getserverinfo" if success => self.connected.push((dialog, event, at)),
            "cmd:join" | "cmd:bjoin" if success && primitive.id() != "rpl:bccontext" => {
                for chanib in primitive
                    .data()
                    .map(|d| d.all("chanib").collect::<Vec<_>>())
                    .unwrap_or_default()
                {
                    if let Some(uri) = chanib.get("uri") {
                        self.wish("XCCOSIP-3.1.7-01", dialog, room(uri), doc);
                    }
                }
            }
            id @ ("cmd:join" | "cmd:bjoin") if !success => {
                let entry = if id == "cmd:join" {
                    "XCCOSIP-3.1.5.5-01"
                } else {
                    "XCCOSIP-3.1.6.5-01"
                };
                for name in super::rooms::named(rooms, asked) {
                    self.failures.push(failure(entry, name));
                }
            }
            "cmd:chaneffquery" if !success => {
                if let Some(uri) = asked
                    .and_then(|d| d.first("chanib"))
                    .and_then(|c| c.get("uri"))
                {
                    self.failures
                        .push(failure("XCCOSIP-3.1.12.5-01", room(uri)));
                }
            }
            _ => {}
        }
    }

    /// What a client neglected, or rightly left alone.
    pub fn finish(&self, limits: &Limits, exchange: &Exchange, decoder: &Decoder, desk: &mut Desk) {
        let waited = |dialog: DialogId, at: Micros| {
            decoder.dialog(dialog).is_some_and(|d| {
                let until = d.over_at.unwrap_or(decoder.now);
                until.saturating_sub(at) >= limits.reply && decoder.saw_all(d.conn)
            })
        };
        for lookup in self.lookups.iter().filter(|l| !l.byed) {
            let Some(dialog) = decoder.dialog(lookup.dialog) else {
                continue;
            };
            let ended = matches!(dialog.state, State::Bye(_) | State::Lost);
            // The client works in another dialog by now.
            let went_on = lookup.moved
                && exchange.sent.iter().any(|s| {
                    s.seq > lookup.event
                        && s.dialog != lookup.dialog
                        && decoder
                            .dialog(s.dialog)
                            .is_some_and(|d| d.user == dialog.user && d.conn == dialog.conn)
                });
            if !ended
                && (went_on && !decoder.open_end || waited(lookup.dialog, lookup.at))
                && decoder.saw_all(dialog.conn)
            {
                let entry = if lookup.success {
                    "XCCOSIP-3.1.3.5-04"
                } else {
                    "XCCOSIP-3.1.3.5-05"
                };
                desk.omission(
                    RULE,
                    entry,
                    Seat::Client,
                    lookup.event,
                    "the client did not end the dialog of the URI request with BYE".to_owned(),
                );
            }
        }
        for lookup in self
            .lookups
            .iter()
            .filter(|l| l.success && l.uri.is_some() && !l.moved)
        {
            let link = decoder
                .dialog(lookup.dialog)
                .and_then(|d| decoder.links.get(&d.conn));
            let until = link.map(|l| l.closed.unwrap_or(decoder.now));
            if until.is_some_and(|u| u.saturating_sub(lookup.at) >= limits.reply) {
                desk.omission_as(
                    RULE,
                    "XCCOSIP-3.1.3.5-07",
                    Weight::Warn,
                    Seat::Client,
                    lookup.event,
                    "the client opened no dialog with the URI it was given".to_owned(),
                );
            }
        }
        for (dialog, event, at) in &self.connected {
            let duties = [
                ("cmd:getinv", "XCCOSIP-3.1.10.4-01", "invitations"),
                (
                    "cmd:getassociations",
                    "XCCOSIP-3.1.11.4-01",
                    "associated channels",
                ),
            ];
            for (command, entry, what) in duties {
                let asked = exchange
                    .sent
                    .iter()
                    .any(|s| s.dialog == *dialog && s.element.get("id") == Some(command));
                let neglected = waited(*dialog, *at);
                let kinds = self.kinds.get(dialog).map_or(0, HashSet::len);
                if asked && command == "cmd:getassociations" && kinds == 1 && neglected {
                    desk.omission(
                        RULE,
                        "XCCOSIP-3.1.11.3-01",
                        Seat::Client,
                        *event,
                        "the client asked for the rooms its user is a member of or for those it manages, not for both"
                            .to_owned(),
                    );
                }
                if !asked && neglected {
                    desk.omission(
                        RULE,
                        entry,
                        Seat::Client,
                        *event,
                        format!("the client did not retrieve {what} after it connected"),
                    );
                }
            }
        }
        for lookup in self.lookups.iter().filter(|l| !l.success && !l.moved) {
            if decoder.now.saturating_sub(lookup.at) >= limits.reply {
                desk.pass_for(
                    RULE,
                    "XCCOSIP-3.1.3.5-01",
                    Seat::Client,
                    lookup.event,
                    false,
                );
            }
        }
        for (dialog, event, at, done) in &self.torn {
            if !done && waited(*dialog, *at) {
                desk.omission(
                    RULE,
                    "XCCOSIP-3.1.4.5-01",
                    Seat::Client,
                    *event,
                    "the client did not tear the dialog down after the failure of getserverinfo"
                        .to_owned(),
                );
            }
        }
        for wish in self
            .wishes
            .iter()
            .filter(|w| !w.met && waited(w.dialog, w.at))
        {
            desk.omission(
                RULE,
                wish.entry,
                Seat::Client,
                wish.event,
                format!("the client did not ask for the history of {}", wish.room),
            );
        }
        for failure in self
            .failures
            .iter()
            .filter(|f| !f.broken && waited(f.dialog, f.at))
        {
            desk.pass_for(RULE, failure.entry, Seat::Client, failure.event, false);
        }
    }
}

fn attrs(element: &Element) -> Vec<(String, String)> {
    let mut list: Vec<_> = element
        .attrs
        .iter()
        .filter(|a| a.ns.is_none())
        .map(|a| (a.name.clone(), a.value.trim().to_owned()))
        .collect();
    list.sort();
    list
}

/*! The always-on rules: what can be judged from the wire alone.

Takes a recording event by event ([`Monitor`]), gives findings. One stage
([`decode`]) turns events into messages with dialog, transaction and document;
each rule file below looks at those and concludes over one desk ([`desk`]).
Live runs, the mock, the proxy and the offline check feed the same monitor.

It refuses to guess. Replies may come batched, out of order, before the SIP
answer, or between notices; a recording may start in the middle or end before
a time limit is over. A rule that cannot know says nothing.

| file | what it judges | sections |
|--|--|--|
| `sip` | messages, transactions, dialogs | RFC 3261, 1.4, 2.1 |
| `schema` | documents against the schema profile | 6.1, 2.2.1 |
| `blocks` | attributes of data blocks, straight from the catalogue | 2.2.2.1 |
| `values` | values the schema cannot see | 2.2.2.1 |
| `envelope` | numbering, directions, names of primitives | 2.2.2.2, 3.1.2.1.3 |
| `commands` | what each command has to contain | 3.1.3 – 3.1.19 |
| `exchange` | command and reply, chat and answer, time limits | 3.1.2.1, 3.2.1 |
| `replies`, `joins`, `preferences` | what each reply has to contain | 3.2.2 – 3.2.8, 2.2.2.1.26 |
| `matches`, `memory` | searches against their words, a server against what it said before | 2.2.2.1.11 – 2.2.2.1.19, 3.2.5, 3.2.8 |
| `notices` | what each notice has to contain | 2.2.2.2.5, 3.1.15 |
| `chats` | fan-out, chat ids, the distributed chat | 3.2.6 |
| `audience` | who hears of a join, a part, a quit | 2.2.2.2.5, 3.2.3.1 |
| `driven` | what a client sends against what its user asked for | 3.1.5.3 – 3.1.19.3 |
| `client`, `bait` | what a client does next, and what it has to drop | 3.1 |

`table` holds the commands as data, `forms` the lexical forms, `rooms` who is joined, `tree` a document with places.
*/

use std::sync::Arc;

use judge::Finding;
use trace::{Event, Micros, Seat};

mod audience;
mod bait;
mod blocks;
mod chats;
mod client;
mod commands;
mod decode;
mod desk;
mod driven;
mod envelope;
mod exchange;
mod forms;
mod joins;
mod matches;
mod memory;
mod notices;
mod preferences;
mod replies;
mod rooms;
mod schema;
mod sip;
mod table;
mod tree;
mod values;

use audience::{Audience, What};
use chats::Chats;
use client::Client;
use decode::{Body, Decoder, Observed, Seen};
use desk::{Desk, Spot};
use envelope::Numbering;
use exchange::Exchange;
use replies::Reply;
use rooms::Rooms;
use tree::Tree;

use crate::payload::{Class, Element, Envelope, Primitive};
use crate::policy::Weight;

/// Who is under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The peer in this seat.
    Seat(Seat),
    /// Both peers (proxy, offline).
    Both,
    /// Nobody: both peers are ours, so whatever is wrong is the harness's fault.
    Neither,
}

impl Target {
    /// Whether the peer in this seat is under test.
    pub fn covers(self, seat: Seat) -> bool {
        match self {
            Target::Seat(target) => target == seat,
            Target::Both => true,
            Target::Neither => false,
        }
    }
}

/// What a schema check takes and gives: the name of a profile and the bytes of a document, and how it fails to fit.
pub type SchemaCheck = Arc<dyn Fn(&str, &[u8]) -> Vec<xsd::Violation> + Send + Sync>;

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A reply to a command, an echo of a chat (3.1.2.1.2, 3.1.13.2).
    pub reply: Micros,
    /// A final answer to a SIP request that is no INVITE (RFC 3261 17.1.2.2, timer F).
    pub sip: Micros,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            reply: 10_000_000,
            sip: 32_000_000,
        }
    }
}

impl Limits {
    /// The same limits on a clock that runs `factor` times as fast (`--time-scale`).
    pub fn scaled(factor: f64) -> Limits {
        let plain = Limits::default();
        let scale = |t: Micros| (t as f64 / factor.max(f64::MIN_POSITIVE)) as Micros;
        Limits {
            reply: scale(plain.reply),
            sip: scale(plain.sip),
        }
    }
}

/// What a monitor has to know.
#[derive(Clone)]
pub struct Setup {
    /// Who is under test.
    pub target: Target,
    /// Schema profile: `interop` or `published`.
    pub profile: String,
    /// Checks documents; without it the schema rule is silent.
    pub schema: Option<SchemaCheck>,
    /// Time limits.
    pub limits: Limits,
    /// Messages are missing inside the recording: only what a message shows by itself can be held against anybody.
    pub holes: bool,
    /// The recording may stop in the middle of things: what had not happened at its end may have happened after it.
    pub open_end: bool,
}

impl Setup {
    /// A live recording of a harness that tests `target`, in the profile `interop`.
    pub fn live(target: Target) -> Setup {
        Setup {
            target,
            profile: crate::policy::INTEROP.to_owned(),
            schema: None,
            limits: Limits::default(),
            holes: false,
            open_end: false,
        }
    }

    /// Somebody's log, trace or capture: both seats are judged. Each connection tells by its transport
    /// whether silence on it proves anything.
    pub fn offline() -> Setup {
        Setup {
            open_end: true,
            ..Setup::live(Target::Both)
        }
    }

    /// The same for a recording that is known to lack messages.
    pub fn with_holes(self, holes: bool) -> Setup {
        Setup { holes, ..self }
    }

    /// In this profile, documents checked against its schema.
    pub fn in_profile(self, name: &str) -> Setup {
        let check = Arc::new(|name: &str, body: &[u8]| {
            let profile = crate::schema::Profile::named(name);
            crate::schema::validate(profile.unwrap_or(crate::schema::Profile::Interop), body)
        });
        self.with_schema(name, check)
    }

    /// With this schema profile and its check.
    pub fn with_schema(mut self, profile: &str, check: SchemaCheck) -> Setup {
        self.profile = profile.to_owned();
        self.schema = Some(check);
        self
    }
}

/// A document with everything rules need to look at it.
pub(crate) struct Doc<'a> {
    pub seen: &'a Seen,
    pub envelope: &'a Envelope,
    pub tree: Tree<'a>,
    pub profile: &'a str,
    violations: &'a [xsd::Violation],
}

impl Doc<'_> {
    /// Whether it fits the schema profile.
    pub fn valid(&self) -> bool {
        self.violations.is_empty()
    }

    /// Whether this primitive, and what is around all of them, fits the schema profile.
    pub fn fits(&self, primitive: &Element) -> bool {
        if self.valid() {
            return true;
        }
        let path = self.tree.path_of(primitive);
        let inside = |v: &xsd::Violation| {
            v.path
                .strip_prefix(path.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let around = |v: &xsd::Violation| v.path == "/xccos" || v.path.starts_with("/xccos/@");
        !self.violations.iter().any(|v| inside(v) || around(v))
    }
}

/// All always-on rules over one recording.
pub struct Monitor {
    setup: Setup,
    decoder: Decoder,
    desk: Desk,
    sip: sip::Sip,
    numbering: Numbering,
    exchange: Exchange,
    rooms: Rooms,
    chats: Chats,
    audience: Audience,
    client: Client,
    known: replies::Known,
    backchats: joins::Backchats,
    baits: bait::Baits,
    memory: memory::Memory,
    driven: driven::Driven,
}

impl Monitor {
    /// A monitor for a recording that is about to begin.
    pub fn new(setup: Setup) -> Monitor {
        Monitor {
            decoder: Decoder::new(setup.holes, setup.open_end),
            desk: Desk::new(&setup),
            sip: sip::Sip::default(),
            numbering: Numbering::default(),
            exchange: Exchange::default(),
            rooms: Rooms::default(),
            chats: Chats::default(),
            audience: Audience::default(),
            client: Client::default(),
            known: replies::Known::default(),
            backchats: joins::Backchats::default(),
            baits: bait::Baits::default(),
            memory: memory::Memory::default(),
            driven: driven::Driven::default(),
            setup,
        }
    }

    fn take(&mut self, event: &Event) {
        let observed = self.decoder.take(event);
        self.rooms.now = self.decoder.now;
        match observed {
            Observed::Message(seen) => self.message(&seen),
            Observed::Noise {
                seq,
                from,
                deliberate,
                problem,
            } => sip::noise(seq, from, deliberate, &problem, &mut self.desk),
            Observed::Down { lost } => {
                for dialog in lost {
                    self.rooms.over(dialog, event.seq);
                }
            }
            Observed::Upper {
                endpoint,
                command,
                text,
            } => {
                self.client.upper(command, &text);
                self.driven.upper(&endpoint, command, &text);
            }
            Observed::Nothing => {}
        }
    }

    fn message(&mut self, seen: &Seen) {
        self.sip.message(seen, &mut self.decoder, &mut self.desk);
        self.client.message(
            seen,
            &self.exchange,
            &self.setup.limits,
            &self.decoder,
            &mut self.desk,
        );
        if let (Some(asked), Some(status @ 200..)) = (&seen.answers, seen.message.status()) {
            self.numbering.answered(asked.seq, status);
            self.exchange.info_answered(asked.seq, status);
        }
        let ended = seen.message.status().is_some_and(|s| s >= 200)
            && seen.cseq.as_ref().is_some_and(|c| c.method == "BYE");
        if let (true, Some(dialog)) = (ended, seen.dialog) {
            self.rooms.over(dialog, seen.seq);
        }
        if let (true, Some(dialog)) = (seen.is("BYE"), seen.dialog) {
            let theirs = seen.from == Seat::Client;
            let left = match theirs {
                true => self.rooms.leaving(dialog, seen.seq),
                false => self.rooms.over(dialog, seen.seq),
            };
            for (room, since) in left {
                if theirs {
                    self.audience.happened(
                        What::Quit,
                        dialog,
                        &room,
                        since.max(seen.seq),
                        seen.seq,
                        &self.rooms,
                        &self.decoder,
                    );
                }
            }
        }
        let obscure = match &seen.body {
            // An INFO without a document is one as well.
            Body::None => seen.is("INFO"),
            Body::Bad(_) => true,
            Body::Doc(envelope) => !envelope.is_xccos() || envelope.envid().is_none(),
        };
        if obscure && seen.from == Seat::Client && seen.message.is_request() {
            self.exchange.obscure(seen.dialog);
        }
        if let Body::Bad(error) = &seen.body {
            // Well-formed perhaps, but read by nobody in the field: told, not blamed.
            let (weight, message) = if error.refused {
                (Weight::Warn, format!("the payload was not judged: {error}"))
            } else {
                let message = format!("the payload is no well-formed XML: {error}");
                (Weight::Fail, message)
            };
            let spot = Spot {
                path: Some("/".to_owned()),
                span: Some((error.offset, error.offset)),
            };
            self.desk
                .fail_as("schema", "XML", weight, seen, spot, message);
            return;
        }
        let Body::Doc(envelope) = &seen.body else {
            return;
        };
        let check = self.setup.schema.clone();
        // The harness speaks as the field does; only the target is held to the letter.
        let profile = match self.setup.target.covers(seen.from) {
            true => self.setup.profile.clone(),
            false => crate::policy::INTEROP.to_owned(),
        };
        let violations = check
            .as_ref()
            .map(|check| check(&profile, seen.message.body()))
            .unwrap_or_default();
        let doc = Doc {
            seen,
            envelope,
            tree: Tree::of(&envelope.root),
            profile: &profile,
            violations: &violations,
        };
        if let Some(check) = &check {
            schema::judge(&doc, &violations, check, &mut self.desk);
        }
        if !envelope.is_xccos() || !seen.message.is_request() {
            return;
        }
        blocks::judge(&doc, &mut self.desk);
        values::judge(&doc, &mut self.desk);
        envelope::document(&doc, &mut self.desk);
        self.numbering.follow(&doc, &mut self.desk);
        match seen.from {
            Seat::Client => self.client_says(&doc),
            Seat::Server => self.server_says(&doc),
        }
    }

    fn client_says(&mut self, doc: &Doc<'_>) {
        let up = doc
            .seen
            .before
            .is_some_and(|s| matches!(s, decode::State::Answered | decode::State::Confirmed));
        for primitive in doc.envelope.primitives() {
            if !matches!(primitive.class, Class::Cmd | Class::Grpchat) {
                continue;
            }
            if primitive.class == Class::Cmd {
                commands::judge(doc, &primitive, &mut self.desk);
                self.driven
                    .sent(doc, &primitive, &self.decoder, &mut self.desk);
            }
            self.client.sent(
                doc,
                &primitive,
                &self.exchange,
                &self.rooms,
                &self.decoder,
                &mut self.desk,
            );
            self.baits
                .sent(doc, &primitive, &self.rooms, &self.decoder, &mut self.desk);
            if let (Some(dialog), "cmd:join" | "cmd:bjoin") = (doc.seen.dialog, primitive.id()) {
                self.rooms.tries(dialog, primitive.data());
            }
            let Some(at) = self.exchange.sent(doc, &primitive, up) else {
                continue;
            };
            if primitive.class == Class::Grpchat {
                self.chats.post(at, &self.exchange, &mut self.rooms);
            } else if let Some(dialog) = doc.seen.dialog {
                self.asks(doc, &primitive, dialog);
            }
        }
    }

    /// A command that may change who is in a room.
    fn asks(&mut self, doc: &Doc<'_>, primitive: &Primitive<'_>, dialog: decode::DialogId) {
        let seq = doc.seen.seq;
        let data = primitive.data();
        let chanib = data.and_then(|d| d.first("chanib"));
        let named = chanib.and_then(|c| c.get("uri"));
        match primitive.id() {
            "cmd:join" | "cmd:bjoin" => {
                for room in rooms::named(&self.rooms, data) {
                    self.rooms.asks(dialog, &room, seq);
                }
            }
            "cmd:part" => {
                let by_id = rooms::named(&self.rooms, data);
                let by_uri = named.map(|uri| self.rooms.learn(uri));
                for room in by_id.into_iter().chain(by_uri) {
                    let before = self.rooms.stay(&self.decoder, dialog, &room);
                    self.rooms.shaky(dialog, &room, seq);
                    if let rooms::Stay::In { .. } = before {
                        self.audience.leaving(dialog, &room);
                    }
                }
            }
            "cmd:updatenode" | "cmd:sacemem" | "cmd:sacemgr" | "cmd:sacevoiced"
            | "cmd:chanmodify" => {
                let takes = chanib.is_some_and(|c| {
                    ["members", "managers", "presenters"]
                        .iter()
                        .any(|n| c.first(n).is_some())
                        || c.get("disabled").and_then(forms::boolean) == Some(true)
                }) || primitive.id() != "cmd:updatenode";
                if let (true, Some(uri)) = (takes, named) {
                    let room = self.rooms.learn(uri);
                    self.rooms.unsettled(&room, dialog, seq);
                }
            }
            _ => {}
        }
    }

    fn server_says(&mut self, doc: &Doc<'_>) {
        self.client.told(doc, &self.decoder);
        if !doc.seen.deliberate {
            self.memory.document(doc, &mut self.desk);
        }
        for primitive in doc.envelope.primitives() {
            match primitive.class {
                Class::Rpl | Class::Err => self.answer(doc, &primitive),
                Class::Ntc => self.notice(doc, &primitive),
                Class::Grpchat => {
                    self.chats.copy(
                        doc,
                        &primitive,
                        &self.rooms,
                        &mut self.exchange,
                        &self.decoder,
                        &mut self.desk,
                    );
                    if !doc.seen.deliberate && doc.valid() {
                        self.memory.chat(&primitive, doc.seen.seq);
                    }
                }
                Class::Sys => {
                    let busy = primitive
                        .element
                        .first("status")
                        .and_then(|s| s.get("busy"))
                        .and_then(forms::boolean);
                    if let Some(dialog) = doc.seen.dialog {
                        self.exchange.status(dialog, busy.unwrap_or(false));
                    }
                }
                Class::Cmd => {}
            }
        }
    }

    fn answer(&mut self, doc: &Doc<'_>, primitive: &Primitive<'_>) {
        self.baits
            .reply(doc, primitive, &self.exchange, &self.setup.limits);
        let success = primitive.class == Class::Rpl && primitive.code() == Some(200);
        let Some((at, first)) = self.exchange.answer(
            doc,
            primitive,
            &self.setup.limits,
            &self.decoder,
            &mut self.desk,
        ) else {
            if success
                && !self.decoder.saw_all(doc.seen.conn)
                && let Some(reply) = Reply::alone(doc, primitive)
            {
                replies::judge(&reply, &mut self.known, &mut self.desk);
            }
            return;
        };
        let Some(sent) = self.exchange.sent.get(at).cloned() else {
            return;
        };
        if success
            && sent.wrong.is_none()
            && let Some(reply) = Reply::new(doc, primitive, &sent)
        {
            replies::judge(&reply, &mut self.known, &mut self.desk);
            self.backchats.reply(&reply, at);
            let user = self.user(sent.dialog);
            self.memory.reply(&reply, &user, &mut self.desk);
        }
        if let (Some(sib), true) = (primitive.data().and_then(|d| d.first("sib")), success)
            && let Some(time) = sib.get("serverTime")
        {
            self.chats.server_time(time, doc.seen.at);
        }
        if first {
            self.client.answered(&sent, doc, primitive, &self.rooms);
            self.moves(doc, primitive, &sent, success);
        }
    }

    /// An answer that changes who is in a room.
    fn moves(
        &mut self,
        doc: &Doc<'_>,
        primitive: &Primitive<'_>,
        sent: &exchange::Sent,
        success: bool,
    ) {
        let (dialog, seq) = (sent.dialog, doc.seen.seq);
        match sent.row.map_or("", |r| r.id) {
            "cmd:join" | "cmd:bjoin" if primitive.id() != "rpl:bccontext" => {
                let many = primitive.id() == "rpl:bjoin";
                if success {
                    audience::claimed(
                        doc,
                        primitive,
                        sent.seq,
                        &self.rooms,
                        &self.decoder,
                        &mut self.desk,
                    );
                }
                let mut entered = Vec::new();
                for chanib in primitive
                    .data()
                    .filter(|_| success)
                    .map(|d| d.all("chanib").collect::<Vec<_>>())
                    .unwrap_or_default()
                {
                    let Some(uri) = chanib.get("uri") else {
                        continue;
                    };
                    let room = self.rooms.learn(uri);
                    if chanib.get("partListOff").and_then(forms::boolean) == Some(true) {
                        self.rooms.silent.insert(room.clone());
                    }
                    entered.push(room);
                }
                for room in rooms::named(&self.rooms, sent.element.first("data")) {
                    if !entered.contains(&room) {
                        self.rooms.refused(dialog, &room, seq);
                    }
                }
                for room in entered {
                    let before = self.rooms.stay(&self.decoder, dialog, &room);
                    if doc.valid() && !doc.seen.deliberate {
                        self.rooms.enters(dialog, &room, sent.seq, seq);
                    } else {
                        self.rooms.shaky(dialog, &room, seq);
                        continue;
                    }
                    let user = self.user(dialog);
                    self.memory.lets(&user, &room, 7);
                    if !matches!(before, rooms::Stay::In { .. }) {
                        self.audience.happened(
                            What::Joined { many },
                            dialog,
                            &room,
                            sent.seq,
                            seq,
                            &self.rooms,
                            &self.decoder,
                        );
                    }
                }
            }
            "cmd:part" => {
                let data = sent.element.first("data");
                let by_id = rooms::named(&self.rooms, data);
                let by_uri = data
                    .and_then(|d| d.first("chanib"))
                    .and_then(|c| c.get("uri"))
                    .map(|uri| self.rooms.learn(uri));
                for room in by_id.into_iter().chain(by_uri) {
                    if success {
                        self.rooms.leaves(dialog, &room, seq);
                        if self.audience.left(dialog, &room) {
                            self.audience.happened(
                                What::Parted,
                                dialog,
                                &room,
                                sent.seq,
                                seq,
                                &self.rooms,
                                &self.decoder,
                            );
                        }
                    }
                }
            }
            _ => {}
        }
    }

    /// The user at the client end of a dialog.
    fn user(&self, dialog: decode::DialogId) -> String {
        self.decoder
            .dialog(dialog)
            .map(|d| d.user.clone())
            .unwrap_or_default()
    }

    fn notice(&mut self, doc: &Doc<'_>, primitive: &Primitive<'_>) {
        if let ("ntc:chatmodify", Some(data)) = (primitive.id(), primitive.data()) {
            for uri in data.all("chanib").filter_map(|c| c.get("uri")) {
                self.memory.rewritten.insert(rooms::room(uri));
            }
        }
        // Participant updates switched off or on (2.2.2.2.5).
        if let ("ntc:pl" | "ntc:ploff", Some(data)) = (primitive.id(), primitive.data()) {
            for uri in data.all("chanib").filter_map(|c| c.get("uri")) {
                let room = self.rooms.learn(uri);
                match primitive.id() {
                    "ntc:ploff" => self.rooms.silent.insert(room),
                    _ => self.rooms.silent.remove(&room),
                };
            }
        }
        notices::judge(doc, primitive, &mut self.desk);
        self.audience
            .notice(doc, primitive, &self.rooms, &self.decoder, &mut self.desk);
        // A recording may have missed how a user's connection went; the server has not.
        if let ("ntc:quit", Some(data), true) =
            (primitive.id(), primitive.data(), self.setup.open_end)
        {
            let gone: Vec<String> = data
                .all("uib")
                .filter_map(|u| u.get("uri"))
                .map(|u| u.trim().to_ascii_lowercase())
                .collect();
            let theirs = self.decoder.dialogs.iter().enumerate();
            let theirs: Vec<_> = theirs
                .filter(|(_, d)| gone.iter().any(|u| u.ends_with(&d.user)))
                .map(|(id, _)| id)
                .collect();
            for dialog in theirs {
                self.rooms.leaving(dialog, doc.seen.seq);
            }
        }
        let (Some(dialog), Some(data), "ntc:kick") =
            (doc.seen.dialog, primitive.data(), primitive.id())
        else {
            return;
        };
        let user = self
            .decoder
            .dialog(dialog)
            .map(|d| d.user.clone())
            .unwrap_or_default();
        for chanib in data.all("chanib") {
            let own = chanib
                .all("uib")
                .filter_map(|u| u.get("uri"))
                .any(|u| u.trim().to_ascii_lowercase().ends_with(&user));
            if own && let Some(uri) = chanib.get("uri") {
                let room = self.rooms.learn(uri);
                self.rooms.leaves(dialog, &room, doc.seen.seq);
            }
        }
    }
}

impl judge::Monitor for Monitor {
    fn observe(&mut self, event: &Event, out: &mut Vec<Finding>) {
        self.take(event);
        self.desk.drain(out);
    }

    fn finish(&mut self, at: Micros, out: &mut Vec<Finding>) {
        self.decoder.now = self.decoder.now.max(at);
        let (limits, decoder, desk) = (&self.setup.limits, &self.decoder, &mut self.desk);
        self.sip.finish(limits, decoder, desk);
        self.exchange.finish(limits, decoder, desk);
        self.chats
            .finish(limits, &self.rooms, &self.exchange, decoder, desk);
        self.audience.finish(limits, &self.rooms, decoder, desk);
        self.backchats.finish(limits, &self.exchange, decoder, desk);
        self.client.finish(limits, &self.exchange, decoder, desk);
        self.baits.finish(limits, decoder, desk);
        self.desk.drain(out);
    }
}

/// The requirements the always-on rules can decide, each with the rule file that does.
pub fn checks() -> Vec<(&'static str, &'static str)> {
    let lists: [(&'static str, &'static [&'static str]); 16] = [
        ("sip", sip::IDS),
        ("values", values::IDS),
        ("envelope", envelope::IDS),
        ("commands", commands::IDS),
        ("exchange", exchange::IDS),
        ("replies", replies::IDS),
        ("joins", joins::IDS),
        ("preferences", preferences::IDS),
        ("chats", chats::IDS),
        ("audience", audience::IDS),
        ("client", client::IDS),
        ("bait", bait::IDS),
        ("memory", memory::IDS),
        ("driven", driven::IDS),
        ("matches", matches::IDS),
        ("notices", &[]),
    ];
    let mut all: Vec<_> = lists
        .into_iter()
        .flat_map(|(rule, ids)| ids.iter().map(move |id| (*id, rule)))
        .collect();
    all.extend(schema::ids().map(|id| (id, "schema")));
    all.extend(blocks::ids().map(|id| (id, "blocks")));
    all.extend(table::NOTICES.iter().map(|(_, id)| (*id, "notices")));
    for row in table::COMMANDS {
        all.extend(
            [row.request, row.one_data]
                .into_iter()
                .flatten()
                .map(|id| (id, "commands")),
        );
        let server = [row.named, row.known, row.creates, row.sends, Some(row.may)];
        all.extend(server.into_iter().flatten().map(|id| (id, "exchange")));
        all.extend(
            row.no_data
                .into_iter()
                .flat_map(|(a, b)| [(a, "exchange"), (b, "exchange")]),
        );
        all.extend(row.data.map(|id| (id, "replies")));
    }
    all.sort();
    all.dedup();
    all
}

#[cfg(test)]
mod tests;

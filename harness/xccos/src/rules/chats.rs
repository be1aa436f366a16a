/*! Chats and their fan-out (3.2.6.5).

Takes posted chats and every copy a server distributes, concludes that each
joined endpoint gets the chat exactly once and nobody else does, that chat ids
are new and grow, that the copy is the server's and the same for all. Who was
in the room is asked of `rooms`; where that cannot be known, nothing is said.
*/

use std::collections::HashMap;

use trace::{Micros, Seat};

use super::decode::{Decoder, DialogId};
use super::desk::{Desk, Spot};
use super::exchange::{Answer, Exchange, Wrong, weight_of};
use super::forms;
use super::rooms::{Room, Rooms, Stay, room};
use super::{Doc, Limits};
use crate::payload::{Class, Element, MsgId, Primitive};
use crate::policy::Weight;

const RULE: &str = "chats";

/// The ids this rule can decide.
pub(crate) const IDS: &[&str] = &[
    "XCCOSIP-2.2.2.1.7.2.4-14",
    "XCCOSIP-2.2.2.1.7.1-09",
    "XCCOSIP-2.2.2.2.9-20",
    "XCCOSIP-2.2.2.2.9-23",
    "XCCOSIP-3.1.13-01",
    "XCCOSIP-3.1.13.3-01",
    "XCCOSIP-3.1.13.3-03",
    "XCCOSIP-3.2.3.1-03",
    "XCCOSIP-3.2.3.1-04",
    "XCCOSIP-3.2.3.5-11",
    "XCCOSIP-3.2.4.5-07",
    "XCCOSIP-3.2.6.1-01",
    "XCCOSIP-3.2.6.3-01",
    "XCCOSIP-3.2.6.5-01",
    "XCCOSIP-3.2.6.5-03",
    "XCCOSIP-3.2.6.5-04",
    "XCCOSIP-3.2.6.5-05",
    "XCCOSIP-3.2.6.5-06",
    "XCCOSIP-3.2.6.5-07",
    "XCCOSIP-3.2.6.5-08",
    "XCCOSIP-3.2.6.5-09",
    "XCCOSIP-3.2.6.5-11",
    "XCCOSIP-3.2.6.5-12",
];

/// A chat somebody posted.
struct Posted {
    at: usize,
    dialog: DialogId,
    seq: u64,
    when: Micros,
    id: Option<MsgId>,
    room: Room,
    text: String,
    ts: String,
    chat_id: String,
    wrong: Option<Wrong>,
    deliberate: bool,
    taken: bool,
}

/// A chat a server distributed.
struct Chat {
    room: Room,
    id: i64,
    posted: Option<usize>,
    first: (u64, Micros),
    origin: Option<MsgId>,
    face: [String; 5],
    /// How many copies each endpoint got, and the event of the first.
    got: HashMap<DialogId, (u32, u64)>,
    wrong: bool,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Chats {
    posted: Vec<Posted>,
    chats: Vec<Chat>,
    index: HashMap<(Room, i64), usize>,
    /// Newest id of a room: the id, the event and time of its first copy, what was posted.
    newest: HashMap<Room, (i64, u64, Micros, Option<usize>)>,
    /// Server clock minus recording clock, in seconds.
    clock: Option<f64>,
}

fn text(element: &Element) -> String {
    element
        .first("chat")
        .map(|c| c.content().replace("\r\n", "\n"))
        .unwrap_or_default()
}

fn face(element: &Element) -> [String; 5] {
    let get = |name: &str| element.get(name).unwrap_or("").trim().to_owned();
    [
        get("author").to_ascii_lowercase(),
        get("authdisp"),
        get("alert"),
        get("ts"),
        text(element),
    ]
}

impl Chats {
    /// A server told its time.
    pub fn server_time(&mut self, value: &str, at: Micros) {
        if let Some(seconds) = forms::seconds(value) {
            self.clock = Some(seconds - at as f64 / 1e6);
        }
    }

    /// A client posted a chat, `at` in the exchange.
    pub fn post(&mut self, at: usize, exchange: &Exchange, rooms: &mut Rooms) {
        let Some(sent) = exchange.sent.get(at) else {
            return;
        };
        let element = &sent.element;
        let get = |name: &str| element.get(name).unwrap_or("").trim().to_owned();
        self.posted.push(Posted {
            at,
            dialog: sent.dialog,
            seq: sent.seq,
            when: sent.at,
            id: sent.id,
            room: rooms.learn(&get("chanUri")),
            text: text(element),
            ts: get("ts"),
            chat_id: get("chatId"),
            wrong: sent.wrong,
            deliberate: sent.deliberate,
            taken: false,
        });
    }

    /// A server sent a grpchat to an endpoint.
    pub fn copy(
        &mut self,
        doc: &Doc<'_>,
        primitive: &Primitive<'_>,
        rooms: &Rooms,
        exchange: &mut Exchange,
        decoder: &Decoder,
        desk: &mut Desk,
    ) {
        let Some(dialog) = doc.seen.dialog else {
            return;
        };
        let element = primitive.element;
        let Some(id) = element
            .get("chatId")
            .and_then(|c| c.trim().parse::<i64>().ok())
        else {
            return;
        };
        let name = room(element.get("chanUri").unwrap_or(""));
        let path = doc.tree.path_of(element);
        let spot = |attr: &str| Spot::attribute(&path, element, attr);
        let origin = primitive.originating();
        let known = self.index.get(&(name.clone(), id)).copied();
        let now = face(element);
        // The same id with another text and another origin is another chat.
        let same = known.filter(|at| {
            self.chats
                .get(*at)
                .is_some_and(|c| c.face[4] == now[4] || (c.origin.is_some() && c.origin == origin))
        });
        let at = match same {
            Some(at) => at,
            None => {
                if let Some(other) = known.and_then(|k| self.chats.get(k)) {
                    desk.fail(
                        RULE,
                        "XCCOSIP-2.2.2.2.9-20",
                        doc.seen,
                        spot("chatId"),
                        format!(
                            "chatId {id} belongs to another chat of this room already (event {})",
                            other.first.0
                        ),
                    );
                }
                let at = self.fresh(doc, primitive, name.clone(), id, decoder, desk, &path);
                if let Some(chat) = self.chats.get_mut(at) {
                    chat.wrong |= known.is_some();
                }
                at
            }
        };
        if let Some(chat) = self.chats.get_mut(at) {
            let posted = chat.posted.and_then(|p| self.posted.get(p));
            if let Some(posted) = posted
                && posted.dialog == dialog
                && !chat.got.contains_key(&dialog)
            {
                exchange.echoed(posted.at, doc.seen.seq);
            }
        }
        self.delivered(
            at,
            Some(dialog),
            doc,
            &now,
            origin,
            &path,
            rooms,
            decoder,
            desk,
            element,
        );
    }

    /// The first copy of a chat.
    #[allow(clippy::too_many_arguments)]
    fn fresh(
        &mut self,
        doc: &Doc<'_>,
        primitive: &Primitive<'_>,
        name: Room,
        id: i64,
        decoder: &Decoder,
        desk: &mut Desk,
        path: &str,
    ) -> usize {
        let element = primitive.element;
        let origin = primitive.originating();
        let spot = |attr: &str| Spot::attribute(path, element, attr);
        let origin_spot = || Spot {
            path: Some(format!("{path}/originatingMessageId[1]")),
            span: element
                .first("originatingMessageId")
                .map(|o| (o.span.start, o.span.end)),
        };
        let words = text(element);
        let open = |p: &&Posted| p.room == name && !p.taken;
        let find =
            |test: &dyn Fn(&Posted) -> bool| self.posted.iter().position(|p| open(&p) && test(p));
        let exact = find(&|p| p.id.is_some() && p.id == origin && p.text == words);
        let by_id = exact.or_else(|| find(&|p| p.id.is_some() && p.id == origin));
        let author = element.get("author").unwrap_or("").to_ascii_lowercase();
        let mine = |p: &Posted| {
            decoder
                .dialog(p.dialog)
                .is_some_and(|d| author.ends_with(&d.user))
        };
        // Where posts may have been missed, the same words alone make no echo.
        let seen = |p: &Posted| decoder.dialog(p.dialog).is_some_and(|d| d.whole);
        let posted = by_id
            .or_else(|| find(&|p| p.text == words && seen(p) && mine(p) && !decoder.open_end))
            .or_else(|| find(&|p| p.text == words && seen(p) && !decoder.open_end));
        // Another number for a post that has one already, on its way to somebody else.
        let again = origin.is_some().then(|| {
            self.chats.iter().position(|c| {
                c.room == name
                    && c.origin == origin
                    && c.face[4] == words
                    && c.posted.is_some()
                    && doc.seen.dialog.is_some_and(|d| !c.got.contains_key(&d))
            })
        });
        if let (None, Some(Some(at))) = (posted, again)
            && let Some(chat) = self.chats.get_mut(at)
        {
            desk.fail(
                RULE,
                "XCCOSIP-3.2.6.5-12",
                doc.seen,
                spot("chatId"),
                format!("this chat has chatId {id} here and {} elsewhere", chat.id),
            );
            // Who got which is said by this.
            chat.wrong = true;
            return at;
        }
        let post = posted.and_then(|p| self.posted.get_mut(p));
        if let Some(post) = post {
            post.taken = true;
            self.compare(posted, doc, primitive, &origin_spot, &spot, desk);
        } else if origin.is_none() {
            desk.fail(
                RULE,
                "XCCOSIP-3.2.6.5-07",
                doc.seen,
                Spot::element(path, element),
                "the distributed chat has no originatingMessageId".to_owned(),
            );
        }
        self.number(&name, id, posted, doc, &spot, desk);
        let at = self.chats.len();
        self.index.entry((name.clone(), id)).or_insert(at);
        self.chats.push(Chat {
            room: name,
            id,
            posted,
            first: (doc.seen.seq, doc.seen.at),
            origin,
            face: face(element),
            got: HashMap::new(),
            wrong: false,
        });
        at
    }

    /// The copy against what was posted.
    fn compare(
        &mut self,
        posted: Option<usize>,
        doc: &Doc<'_>,
        primitive: &Primitive<'_>,
        origin_spot: &dyn Fn() -> Spot,
        spot: &dyn Fn(&str) -> Spot,
        desk: &mut Desk,
    ) {
        let Some(post) = posted.and_then(|p| self.posted.get(p)) else {
            return;
        };
        let element = primitive.element;
        match (primitive.originating(), post.id) {
            (None, _) => desk.fail(
                RULE,
                "XCCOSIP-3.2.6.5-07",
                doc.seen,
                Spot::element(&doc.tree.path_of(element), element),
                "the distributed chat has no originatingMessageId".to_owned(),
            ),
            (Some(origin), Some(id)) => {
                desk.pass(RULE, "XCCOSIP-3.2.6.5-07", doc.seen);
                let parts = [
                    (origin.seqid, id.seqid, "seqid", "XCCOSIP-3.2.6.5-08"),
                    (origin.envid, id.envid, "envid", "XCCOSIP-3.2.6.5-09"),
                ];
                for (given, wanted, what, entry) in parts {
                    if given == wanted {
                        desk.pass(RULE, entry, doc.seen);
                    } else {
                        desk.fail(
                            RULE,
                            entry,
                            doc.seen,
                            origin_spot(),
                            format!("originatingMessageId has {what} {given}, the chat was posted with {wanted}"),
                        );
                    }
                }
                desk.pass_for(
                    RULE,
                    "XCCOSIP-3.1.13.3-01",
                    Seat::Client,
                    post.seq,
                    post.deliberate,
                );
                desk.pass_for(
                    RULE,
                    "XCCOSIP-3.1.13.3-03",
                    Seat::Client,
                    post.seq,
                    post.deliberate,
                );
            }
            _ => {}
        }
        if let Some(wrong @ Wrong::Chat { .. }) = post.wrong {
            desk.conduct_as(
                RULE,
                "XCCOSIP-3.2.6.5-01",
                weight_of(wrong, desk.profile()),
                doc.seen,
                Spot::element(&doc.tree.path_of(element), element),
                format!(
                    "a chat without a mandatory attribute (event {}) is distributed",
                    post.seq
                ),
            );
        }
        let words = text(element);
        if words != post.text && !post.deliberate {
            desk.fail(
                RULE,
                "XCCOSIP-3.2.6.5-11",
                doc.seen,
                Spot::element(&doc.tree.path_of(element), element),
                format!("the text {words:?} is not what was posted, {:?}", post.text),
            );
        }
        if element.get("id") == Some("grpchat") {
            desk.pass(RULE, "XCCOSIP-3.2.6.3-01", doc.seen);
        }
        let chat_id = element.get("chatId").unwrap_or("").trim();
        if chat_id == post.chat_id && !post.chat_id.is_empty() && chat_id != "1" {
            desk.fail(
                RULE,
                "XCCOSIP-3.2.6.5-04",
                doc.seen,
                spot("chatId"),
                format!(
                    "chatId {chat_id} is the one the client sent; the server has to give a new one"
                ),
            );
        } else {
            desk.pass(RULE, "XCCOSIP-3.2.6.5-04", doc.seen);
        }
        match element.get("authdisp").map(str::trim) {
            Some("") => desk.fail(
                RULE,
                "XCCOSIP-3.2.6.5-06",
                doc.seen,
                spot("authdisp"),
                "authdisp of the distributed chat is empty".to_owned(),
            ),
            Some(_) => desk.pass(RULE, "XCCOSIP-3.2.6.5-06", doc.seen),
            None => {}
        }
        let ts = element.get("ts").unwrap_or("").trim();
        let (server, client) = (forms::seconds(ts), forms::seconds(&post.ts));
        let Some(server) = server else { return };
        let own = server - doc.seen.at as f64 / 1e6;
        let far = |a: f64, b: f64| (a - b).abs() > 60.0;
        match self.clock {
            Some(clock) if far(own, clock) => {
                let copied = client == Some(server);
                let (entry, weight) = if copied {
                    ("XCCOSIP-3.2.6.5-05", Weight::Fail)
                } else {
                    ("XCCOSIP-2.2.2.2.9-23", Weight::Warn)
                };
                desk.fail_as(
                    RULE,
                    entry,
                    weight,
                    doc.seen,
                    spot("ts"),
                    format!(
                        "ts {ts} is {:.0} s away from the server's clock{}",
                        (own - clock).abs(),
                        if copied {
                            "; it is the client's own ts"
                        } else {
                            ""
                        }
                    ),
                );
            }
            _ => {
                // A ts that the client did not send is the server's own.
                if client.is_some_and(|c| far(c, server)) {
                    desk.pass(RULE, "XCCOSIP-2.2.2.2.9-23", doc.seen);
                }
                if client != Some(server) {
                    desk.pass(RULE, "XCCOSIP-3.2.6.5-05", doc.seen);
                    self.clock = self.clock.or(Some(own));
                }
            }
        }
    }

    /// Ids of a room are new and grow.
    fn number(
        &mut self,
        name: &Room,
        id: i64,
        posted: Option<usize>,
        doc: &Doc<'_>,
        spot: &dyn Fn(&str) -> Spot,
        desk: &mut Desk,
    ) {
        let post = posted.and_then(|p| self.posted.get(p));
        match self.newest.get(name).copied() {
            Some((last, event, when, before)) if id < last => {
                // Chats under way at the same time may overtake each other, but not those of one sender.
                let in_line = posted
                    .zip(before)
                    .and_then(|(p, b)| Some((self.posted.get(p)?, self.posted.get(b)?, b < p)))
                    .is_some_and(|(p, b, later)| later && p.dialog == b.dialog);
                let after =
                    in_line || post.map_or(doc.seen.at > when + 1_000_000, |p| p.seq > event);
                if after {
                    desk.fail(
                        RULE,
                        "XCCOSIP-3.2.6.5-03",
                        doc.seen,
                        spot("chatId"),
                        format!(
                            "chatId {id} comes after {last} (event {event}); ids of a room grow"
                        ),
                    );
                }
            }
            Some((last, ..)) => {
                if id > last {
                    for entry in [
                        "XCCOSIP-3.2.6.5-03",
                        "XCCOSIP-2.2.2.2.9-20",
                        "XCCOSIP-2.2.2.1.7.2.4-14",
                    ] {
                        desk.pass(RULE, entry, doc.seen);
                    }
                }
                self.newest
                    .insert(name.clone(), (id, doc.seen.seq, doc.seen.at, posted));
            }
            None => {
                if !self.newest.is_empty() {
                    desk.pass(RULE, "XCCOSIP-3.2.6.1-01", doc.seen);
                }
                self.newest
                    .insert(name.clone(), (id, doc.seen.seq, doc.seen.at, posted));
            }
        }
    }

    /// A copy reached an endpoint.
    #[allow(clippy::too_many_arguments)]
    fn delivered(
        &mut self,
        at: usize,
        dialog: Option<DialogId>,
        doc: &Doc<'_>,
        now: &[String; 5],
        origin: Option<MsgId>,
        path: &str,
        rooms: &Rooms,
        decoder: &Decoder,
        desk: &mut Desk,
        element: &Element,
    ) {
        let (Some(dialog), Some(chat)) = (dialog, self.chats.get_mut(at)) else {
            return;
        };
        let whole = Spot::element(path, element);
        let names = ["author", "authdisp", "alert", "ts", "chat"];
        if chat.first.0 != doc.seen.seq || !chat.got.is_empty() {
            let differs = chat.face.iter().zip(now).position(|(a, b)| a != b);
            match differs.and_then(|i| names.get(i)) {
                Some(what) => desk.fail(
                    RULE,
                    "XCCOSIP-3.2.6.5-12",
                    doc.seen,
                    whole.clone(),
                    format!(
                        "{what} of chat {} differs from the copy of event {}",
                        chat.id, chat.first.0
                    ),
                ),
                None if origin != chat.origin => desk.fail(
                    RULE,
                    if origin.is_none() {
                        "XCCOSIP-3.2.6.5-07"
                    } else {
                        "XCCOSIP-3.2.6.5-12"
                    },
                    doc.seen,
                    whole.clone(),
                    format!(
                        "originatingMessageId of chat {} differs from the copy of event {}",
                        chat.id, chat.first.0
                    ),
                ),
                None if !chat.got.contains_key(&dialog) => {
                    desk.pass(RULE, "XCCOSIP-3.2.6.5-12", doc.seen)
                }
                None => {}
            }
        }
        let got = chat.got.entry(dialog).or_insert((0, doc.seen.seq));
        got.0 += 1;
        if got.0 > 1 {
            desk.conduct(
                RULE,
                "XCCOSIP-3.2.6.5-11",
                doc.seen,
                whole,
                format!(
                    "chat {} reaches this endpoint again (first at event {})",
                    chat.id, got.1
                ),
            );
            return;
        }
        let begun = chat
            .posted
            .and_then(|p| self.posted.get(p))
            .map_or(chat.first.0, |p| p.seq);
        match rooms.stay(decoder, dialog, &chat.room) {
            // Left only after the chat was under way: it may still arrive.
            Stay::Out { since } if since < begun => desk.conduct(
                RULE,
                "XCCOSIP-3.2.6.5-11",
                doc.seen,
                whole,
                format!(
                    "chat {} of {} reaches an endpoint that is not joined to the room",
                    chat.id,
                    element.get("chanUri").unwrap_or("the room")
                ),
            ),
            Stay::In { .. } => {
                desk.pass(RULE, "XCCOSIP-3.2.6.5-11", doc.seen);
                let sender = chat
                    .posted
                    .and_then(|p| self.posted.get(p))
                    .map(|p| p.dialog);
                if sender.is_some_and(|s| s != dialog) {
                    for entry in [
                        "XCCOSIP-3.2.3.1-04",
                        "XCCOSIP-2.2.2.1.7.1-09",
                        "XCCOSIP-3.2.3.5-11",
                        "XCCOSIP-3.2.4.5-07",
                    ] {
                        desk.pass(RULE, entry, doc.seen);
                    }
                    if let Some(s) = sender {
                        desk.pass_for(
                            RULE,
                            "XCCOSIP-3.1.13-01",
                            Seat::Client,
                            begun,
                            decoder.dialog(s).is_none(),
                        );
                    }
                }
                let user = decoder.dialog(dialog).map(|d| d.user.clone());
                let twin = chat
                    .got
                    .keys()
                    .any(|d| *d != dialog && decoder.dialog(*d).map(|d| d.user.clone()) == user);
                if twin {
                    desk.pass(RULE, "XCCOSIP-3.2.3.1-03", doc.seen);
                }
            }
            _ => {}
        }
    }

    /// Who should have got a chat and did not.
    pub fn finish(
        &self,
        limits: &Limits,
        rooms: &Rooms,
        exchange: &Exchange,
        decoder: &Decoder,
        desk: &mut Desk,
    ) {
        let waited = |from: Micros, dialog: DialogId, until: Option<Micros>| {
            decoder.dialog(dialog).is_some_and(|d| {
                let until = until.or(d.over_at).unwrap_or(decoder.now);
                until.saturating_sub(from) >= limits.reply && decoder.saw_all(d.conn)
            })
        };
        for chat in self.chats.iter().filter(|c| !c.wrong) {
            let begun = chat
                .posted
                .and_then(|p| self.posted.get(p))
                .map_or(chat.first.0, |p| p.seq);
            for (dialog, since, until) in rooms.stays(&chat.room) {
                if since < begun
                    && !chat.got.contains_key(&dialog)
                    && waited(chat.first.1, dialog, until)
                {
                    let user = decoder.dialog(dialog).map_or("", |d| d.user.as_str());
                    desk.omission(
                        RULE,
                        "XCCOSIP-3.2.6.5-11",
                        Seat::Server,
                        chat.first.0,
                        format!(
                            "chat {} never reached {user}, who is joined to the room",
                            chat.id
                        ),
                    );
                }
            }
        }
        for post in self
            .posted
            .iter()
            .filter(|p| !p.taken && p.wrong.is_none() && !p.deliberate)
        {
            let Some(sent) = exchange.sent.get(post.at) else {
                continue;
            };
            // rpl:grpchat says that a chat was taken, not that it was sent on.
            let only_taken = |(_, a): &(u64, Answer)| matches!(a, Answer::Reply(Some(200)));
            if sent.void || !sent.answers.iter().all(only_taken) || sent.class != Class::Grpchat {
                continue;
            }
            let joined = rooms
                .stays(&post.room)
                .into_iter()
                .find(|(d, since, _)| *d == post.dialog && *since < post.seq);
            if joined.is_some_and(|(d, _, until)| waited(post.when, d, until)) {
                desk.omission(
                    RULE,
                    "XCCOSIP-3.2.6.5-11",
                    Seat::Server,
                    post.seq,
                    format!(
                        "the chat was neither distributed nor refused within {} s",
                        limits.reply / 1_000_000
                    ),
                );
            }
        }
    }
}

/*! Who sits where: from messages of unknown direction to a trace.

Takes messages in order with whatever is known of each (addresses, whether the
logging side sent it, nothing at all); gives a trace in which every message has
a sending seat and a connection. Evidence counts, not position: who sends
INVITE or a `cmd` is a client, who sends `rpl`, `ntc` or `err` is a server, and
whoever exchanges messages with a client is a server.
*/

use std::collections::HashMap;

use sip::{Message, NameAddr};

use crate::{Conn, Intent, Kind, Micros, Seat, Trace};

/// Something found in a file.
#[derive(Debug, Clone)]
pub struct Raw {
    /// Microseconds since the first one.
    pub at: Micros,
    /// Source and destination address, as far as the file tells.
    pub link: Option<(String, String)>,
    /// Which connection of the file it belongs to, when the file tells connections apart.
    pub stream: Option<usize>,
    /// What it is.
    pub what: What,
}

/// A message, or something else worth keeping.
#[derive(Debug, Clone)]
pub enum What {
    /// The bytes of one message.
    Message(Vec<u8>),
    /// Bytes that frame no message, with the reason.
    Garbage(Vec<u8>, String),
    /// A remark for the reader at this point of the exchange.
    Note(String),
    /// The connection ended.
    Closed(String),
}

/// A finished guess.
pub struct Seated {
    /// The trace.
    pub trace: Trace,
    /// Who was taken for whom and why.
    pub seats: Vec<String>,
    /// What had to be assumed.
    pub remarks: Vec<String>,
}

#[derive(Default, Clone)]
struct Votes {
    client: u32,
    server: u32,
    why: Vec<String>,
}

impl Votes {
    fn add(&mut self, seat: Seat, weight: u32, why: &str) {
        match seat {
            Seat::Client => self.client += weight,
            Seat::Server => self.server += weight,
        }
        if self.why.len() < 4 && !self.why.iter().any(|w| w == why) {
            self.why.push(why.to_owned());
        }
    }

    fn seat(&self) -> Option<Seat> {
        match self.client.cmp(&self.server) {
            std::cmp::Ordering::Greater => Some(Seat::Client),
            std::cmp::Ordering::Less => Some(Seat::Server),
            std::cmp::Ordering::Equal => None,
        }
    }
}

/// One side of an exchange: an address, or one party of a dialog.
type Party = String;

struct Seen {
    message: Message,
    sender: Option<Party>,
    receiver: Option<Party>,
}

/// Gives every message a seat and a connection; `transport` says how a connection is recorded.
pub fn seat(raws: Vec<Raw>, transport: impl Fn(&Raw) -> &'static str) -> Seated {
    let mut seen: Vec<Option<Seen>> = raws.iter().map(look).collect();
    let (votes, claims) = vote(&seen);
    let mut resolved: HashMap<(String, String), Seat> = HashMap::new();
    let mut remarks = Vec::new();
    let mut assumed = 0usize;
    // Which side began each dialog, for messages nothing else speaks about.
    let mut first: HashMap<String, Option<Party>> = HashMap::new();
    let mut trace = Trace::default();
    let mut conns: HashMap<String, Conn> = HashMap::new();
    let mut names: HashMap<String, u32> = HashMap::new();
    let mut stream_seat: HashMap<(usize, Option<String>), Seat> = HashMap::new();
    for ((raw, seen), claim) in raws.into_iter().zip(seen.drain(..)).zip(claims) {
        let Some(seen) = seen else {
            // Noise belongs to the side that spoke before it, as far as that is known.
            let source = raw.link.as_ref().map(|(from, _)| from.clone());
            let from = source
                .as_ref()
                .and_then(|s| votes.get(s).and_then(Votes::seat))
                .or_else(|| {
                    raw.stream
                        .and_then(|s| stream_seat.get(&(s, source.clone())).copied())
                })
                .unwrap_or(Seat::Client);
            let key = connection_key(&raw, None, from);
            let conn = match conns.get(&key) {
                Some(conn) => *conn,
                None => open(
                    &mut trace,
                    &mut conns,
                    &mut names,
                    key,
                    &raw,
                    from,
                    transport(&raw),
                    None,
                ),
            };
            let kind = match raw.what {
                What::Garbage(bytes, problem) => Kind::Garbage {
                    from,
                    bytes,
                    problem,
                },
                What::Note(text) => Kind::Note { text },
                What::Closed(how) => Kind::Closed { by: None, how },
                What::Message(bytes) => Kind::Garbage {
                    from,
                    problem: "not a SIP message".to_owned(),
                    bytes,
                },
            };
            trace.record(raw.at, conn, kind);
            continue;
        };
        let by_vote = |party: &Option<Party>| {
            party
                .as_ref()
                .and_then(|p| votes.get(p))
                .and_then(Votes::seat)
        };
        let call = call_id(&seen.message);
        let from = by_vote(&seen.sender)
            .or_else(|| by_vote(&seen.receiver).map(Seat::other))
            .or(claim)
            .or_else(|| {
                let request = !seen.message.is_request();
                let asked = resolved.get(&transaction(&seen.message));
                asked.filter(|_| request).map(|seat| seat.other())
            })
            .unwrap_or_else(|| {
                assumed += 1;
                let began = first
                    .entry(call.clone())
                    .or_insert_with(|| seen.sender.clone());
                match (seen.message.is_request(), seen.sender == *began) {
                    (_, true) if seen.sender.is_some() => Seat::Client,
                    (_, false) => Seat::Server,
                    (true, _) => Seat::Client,
                    (false, _) => Seat::Server,
                }
            });
        if seen.message.is_request() {
            resolved.insert(transaction(&seen.message), from);
        }
        if let (Some(stream), Some((source, _))) = (raw.stream, raw.link.as_ref()) {
            stream_seat.insert((stream, Some(source.clone())), from);
        }
        let who = client_uri(&seen.message, from);
        let key = connection_key(&raw, who.as_deref(), from);
        let conn = match conns.get(&key) {
            Some(conn) => *conn,
            None => open(
                &mut trace,
                &mut conns,
                &mut names,
                key,
                &raw,
                from,
                transport(&raw),
                who,
            ),
        };
        trace.record(
            raw.at,
            conn,
            Kind::Message {
                from,
                bytes: seen.message.into_bytes(),
                intent: Intent::Plain,
            },
        );
    }
    if assumed > 0 {
        remarks.push(format!(
            "{assumed} message{} told nothing of the seats; whoever began the dialog was taken for the client",
            if assumed == 1 { "" } else { "s" }
        ));
    }
    let mut sides: Vec<_> = votes
        .iter()
        .filter(|(party, _)| !party.contains('\u{0}'))
        .collect();
    sides.sort_by(|a, b| a.0.cmp(b.0));
    // Many clients that differ in nothing but their port are one line.
    let mut alike: Vec<(Seat, &[String], Vec<&str>)> = Vec::new();
    for (party, votes) in sides {
        let Some(seat) = votes.seat() else { continue };
        match alike
            .iter_mut()
            .find(|(s, why, _)| *s == seat && *why == votes.why)
        {
            Some((_, _, parties)) => parties.push(party),
            None => alike.push((seat, &votes.why, vec![party])),
        }
    }
    let seats = alike
        .into_iter()
        .map(|(seat, why, parties)| {
            let seat = match seat {
                Seat::Client => "client",
                Seat::Server => "server",
            };
            let why = why.join(", ");
            match parties.as_slice() {
                [one] => format!("{one} is taken for a {seat}: {why}"),
                [one, two] => format!("{one} and {two} are taken for {seat}s: {why}"),
                [one, rest @ ..] => format!(
                    "{one} and {} others are taken for {seat}s: {why}",
                    rest.len()
                ),
                [] => String::new(),
            }
        })
        .collect();
    Seated {
        trace,
        seats,
        remarks,
    }
}

fn look(raw: &Raw) -> Option<Seen> {
    let What::Message(bytes) = &raw.what else {
        return None;
    };
    let message = Message::parse(bytes.as_slice()).ok()?;
    let (sender, receiver) = match &raw.link {
        Some((from, to)) => (
            (!from.is_empty()).then(|| from.clone()),
            (!to.is_empty()).then(|| to.clone()),
        ),
        None => {
            let call = call_id(&message);
            // NUL marks parties of dialogs, which are no names for people.
            let party = |header| Some(format!("{call}\u{0}{}", tag(&message, header)?));
            match message.is_request() {
                true => (party("From"), party("To")),
                false => (party("To"), party("From")),
            }
        }
    };
    Some(Seen {
        message,
        sender,
        receiver,
    })
}

/// Evidence for each side, and what each message says of its own sender.
fn vote(seen: &[Option<Seen>]) -> (HashMap<Party, Votes>, Vec<Option<Seat>>) {
    let mut claims = Vec::with_capacity(seen.len());
    let mut votes: HashMap<Party, Votes> = HashMap::new();
    let mut asked: HashMap<(String, String), Vec<Option<Seat>>> = HashMap::new();
    for seen in seen {
        let Some(seen) = seen else {
            claims.push(None);
            continue;
        };
        let message = &seen.message;
        let claim = match message.method() {
            Some("INVITE") if tag(message, "To").is_none() => {
                Some((Seat::Client, 3, "sends INVITE".to_owned()))
            }
            Some("REGISTER" | "SUBSCRIBE") => {
                Some((Seat::Client, 1, "sends REGISTER or SUBSCRIBE".to_owned()))
            }
            Some("INFO") => primitive(message),
            Some(_) => None,
            None => {
                let method = cseq_method(message);
                match method.as_deref() {
                    // A re-INVITE may come from either side, so only the dialog's first counts; its answer tells as much.
                    Some("INVITE") => asked
                        .get(&transaction(message))
                        .and_then(|a| a.first().copied().flatten())
                        .map(|seat| (seat.other(), 3, "answers INVITE".to_owned())),
                    _ => asked
                        .get(&transaction(message))
                        .and_then(|a| a.first().copied().flatten())
                        .map(|seat| (seat.other(), 1, "answers requests".to_owned())),
                }
            }
        };
        claims.push(claim.as_ref().map(|c| c.0));
        if message.is_request() {
            asked
                .entry(transaction(message))
                .or_default()
                .push(claim.as_ref().map(|c| c.0));
        }
        let Some((seat, weight, why)) = claim else {
            continue;
        };
        if let Some(sender) = &seen.sender {
            votes
                .entry(sender.clone())
                .or_default()
                .add(seat, weight, &why);
        }
        if let Some(receiver) = &seen.receiver {
            let verb = why.replacen("sends", "is sent", 1);
            if verb != why {
                votes
                    .entry(receiver.clone())
                    .or_default()
                    .add(seat.other(), weight, &verb);
            }
        }
    }
    (votes, claims)
}

/// What an INFO's payload says of who sent it.
fn primitive(message: &Message) -> Option<(Seat, u32, String)> {
    let text = message.body_text().ok()?;
    if text.len() > 4 << 20 {
        return None;
    }
    let options = roxmltree::ParsingOptions {
        allow_dtd: false,
        nodes_limit: 100_000,
        ..roxmltree::ParsingOptions::default()
    };
    let document = roxmltree::Document::parse_with_options(text, options).ok()?;
    document
        .root_element()
        .children()
        .filter(roxmltree::Node::is_element)
        .find_map(|child| {
            let name = child.tag_name().name();
            let seat = match name {
                "cmd" => Seat::Client,
                "rpl" | "ntc" | "err" | "sys" => Seat::Server,
                // A chat on its way out says where it came from; one on its way in has no number yet (4.6).
                "grpchat" => {
                    let origin = child
                        .children()
                        .any(|c| c.tag_name().name() == "originatingMessageId");
                    match (child.attribute("chatId").map(str::trim), origin) {
                        (Some("0") | None, false) => Seat::Client,
                        (Some(_), true) => Seat::Server,
                        _ => return None,
                    }
                }
                _ => return None,
            };
            Some((seat, 3, format!("sends {name}")))
        })
}

fn transaction(message: &Message) -> (String, String) {
    let cseq = message.value("CSeq").map_or(String::new(), |v| {
        v.split_whitespace().collect::<Vec<_>>().join(" ")
    });
    let from = tag(message, "From").unwrap_or_default();
    (format!("{}\u{0}{from}", call_id(message)), cseq)
}

fn cseq_method(message: &Message) -> Option<String> {
    message
        .value("CSeq")
        .and_then(|v| v.split_whitespace().nth(1).map(str::to_owned))
}

fn call_id(message: &Message) -> String {
    message
        .value("Call-ID")
        .map_or(String::new(), |v| v.into_owned())
}

fn name_addr(message: &Message, header: &str) -> Option<NameAddr> {
    NameAddr::parse(&message.value(header)?).ok()
}

fn tag(message: &Message, header: &str) -> Option<String> {
    name_addr(message, header)?.tag().map(str::to_owned)
}

/// The client's address of record in a message that `from` sent.
fn client_uri(message: &Message, from: Seat) -> Option<String> {
    let header = match (message.is_request(), from) {
        (true, Seat::Client) | (false, Seat::Server) => "From",
        (true, Seat::Server) | (false, Seat::Client) => "To",
    };
    let address = name_addr(message, header)?;
    let epid = address.epid().unwrap_or_default();
    Some(format!(
        "{}{}{epid}",
        address.uri.address(),
        if epid.is_empty() { "" } else { ";" }
    ))
}

/// What tells one connection from another.
fn connection_key(raw: &Raw, client: Option<&str>, from: Seat) -> String {
    if let Some(stream) = raw.stream {
        return format!("stream {stream}");
    }
    match &raw.link {
        Some((a, b)) if !a.is_empty() && !b.is_empty() => {
            let (client, server) = match from {
                Seat::Client => (a, b),
                Seat::Server => (b, a),
            };
            format!("{client} {server}")
        }
        _ => client.unwrap_or("").to_ascii_lowercase(),
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "opening touches all of the state"
)]
fn open(
    trace: &mut Trace,
    conns: &mut HashMap<String, Conn>,
    names: &mut HashMap<String, u32>,
    key: String,
    raw: &Raw,
    from: Seat,
    transport: &str,
    who: Option<String>,
) -> Conn {
    let conn = conns.len() as Conn;
    conns.insert(key, conn);
    let (client, server) = match (&raw.link, from) {
        (Some((a, b)), Seat::Client) => (a.clone(), b.clone()),
        (Some((a, b)), Seat::Server) => (b.clone(), a.clone()),
        (None, _) => (String::new(), String::new()),
    };
    let endpoint = who.map(|uri| {
        let user = uri
            .split_once(':')
            .map_or(uri.as_str(), |(_, rest)| rest)
            .split(['@', ';'])
            .next()
            .unwrap_or("")
            .to_owned();
        let user = if user.is_empty() { uri } else { user };
        let n = names.entry(user.clone()).or_insert(0);
        *n += 1;
        if *n == 1 { user } else { format!("{user}-{n}") }
    });
    trace.record(
        raw.at,
        conn,
        Kind::Opened {
            endpoint,
            transport: transport.to_owned(),
            client,
            server,
        },
    );
    conn
}

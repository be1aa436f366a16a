/*! SIP messages out of packet captures.

Takes a capture; puts its TCP streams together, frames the messages in them and
seats whoever sent them. What a capture lacks (lost packets, a beginning that
was not captured, encrypted streams) becomes a remark, never a finding: only
bytes that were captured without a gap can prove anything about a peer.
*/

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;

use sip::{Blank, Frame, Framer, Limits};

use super::packets::{self, Load};
use super::seats::{Raw, What, seat};
use super::tcp::{Piece, Stream};
use super::{Format, Reading, holes};
use crate::Micros;
use crate::event::{CAPTURE, PARTIAL_CAPTURE};

/// Most connections that are followed at once.
const CONNECTIONS: usize = 100_000;

/// One direction with what is made of it.
struct Half {
    stream: Stream,
    framer: Option<Framer>,
    /// Whether bytes have to be searched for a start line before framing.
    lost: bool,
    search: Vec<u8>,
    bytes: u64,
}

impl Half {
    fn new() -> Half {
        Half {
            stream: Stream::default(),
            framer: Some(Framer::new(Limits::default(), Blank::Pings)),
            lost: false,
            search: Vec::new(),
            bytes: 0,
        }
    }
}

struct Connection {
    number: usize,
    halves: HashMap<(SocketAddr, SocketAddr), Half>,
    encrypted: bool,
    /// Whether anything in it looked like SIP.
    sip: bool,
    /// Raws of this connection, kept until it is known to be SIP.
    raws: Vec<Raw>,
    /// When the last end was seen, and which.
    closed: Option<(Micros, &'static str)>,
    /// Bytes were missing, or could not be framed.
    torn: bool,
}

impl Connection {
    /// Whether everything both sides sent is in the capture.
    fn whole(&self) -> bool {
        !self.torn && self.halves.len() == 2 && self.halves.values().all(|h| h.stream.from_start)
    }
}

#[derive(Default)]
struct Tally {
    gaps: u64,
    missing: u64,
    middle: usize,
    encrypted: Vec<String>,
    others: usize,
    /// SIP connections of which only one side was captured.
    halves: usize,
    datagrams: usize,
    /// Whether packets were captured in part, so that ends prove nothing.
    cut: bool,
}

/// Reads a capture.
pub fn read(bytes: &[u8]) -> Result<Reading, String> {
    let packets = packets::read(bytes)?;
    let base = packets.packets.iter().map(|p| p.at).min().unwrap_or(0);
    let mut tally = Tally {
        cut: packets.cut > 0,
        ..Tally::default()
    };
    let mut open: HashMap<(SocketAddr, SocketAddr), Connection> = HashMap::new();
    let mut done: Vec<Connection> = Vec::new();
    let mut datagrams: Vec<Raw> = Vec::new();
    let mut number = 0;
    for packet in &packets.packets {
        let at = packet.at.saturating_sub(base);
        let key = if packet.from <= packet.to {
            (packet.from, packet.to)
        } else {
            (packet.to, packet.from)
        };
        match packet.load {
            Load::Udp(bytes) => {
                if sip::Message::parse(bytes).is_ok() {
                    tally.datagrams += 1;
                    datagrams.push(Raw {
                        at,
                        link: Some((packet.from.to_string(), packet.to.to_string())),
                        stream: None,
                        what: What::Message(bytes.to_vec()),
                    });
                }
            }
            Load::Tcp {
                seq,
                syn,
                ack,
                fin,
                rst,
                bytes,
            } => {
                // The same addresses again after a close, or a new handshake, are a new connection.
                let fresh = syn && !ack;
                if fresh
                    && open.get(&key).is_some_and(|c| {
                        c.closed.is_some() || c.halves.values().any(|h| h.bytes > 0)
                    })
                    && let Some(mut old) = open.remove(&key)
                {
                    close(&mut old, at, &mut tally);
                    done.push(old);
                }
                if !open.contains_key(&key) && open.len() >= CONNECTIONS {
                    continue;
                }
                let connection = open.entry(key).or_insert_with(|| {
                    number += 1;
                    Connection {
                        number,
                        halves: HashMap::new(),
                        encrypted: false,
                        sip: false,
                        raws: Vec::new(),
                        closed: None,
                        torn: false,
                    }
                });
                take(
                    connection,
                    (packet.from, packet.to),
                    at,
                    seq,
                    (syn, fin),
                    bytes,
                    &mut tally,
                );
                if fin || rst {
                    let how = if rst { "reset" } else { "end of stream" };
                    connection.closed = Some((at, how));
                }
            }
        }
    }
    let end = packets
        .packets
        .iter()
        .map(|p| p.at.saturating_sub(base))
        .max()
        .unwrap_or(0);
    let mut rest: Vec<Connection> = open.into_values().collect();
    for connection in &mut rest {
        close(connection, end, &mut tally);
    }
    done.extend(rest);
    done.sort_by_key(|c| c.number);
    let mut raws = datagrams;
    let mut whole = HashSet::new();
    for connection in done {
        if connection.encrypted {
            if let Some((from, to)) = connection.halves.keys().min() {
                tally.encrypted.push(format!("{from} and {to}"));
            }
        } else if connection.sip {
            if connection.whole() {
                whole.insert(connection.number);
            }
            tally.halves +=
                usize::from(connection.halves.values().filter(|h| h.bytes > 0).count() == 1);
            raws.extend(connection.raws);
        } else if connection.halves.values().any(|h| h.bytes > 0) {
            tally.others += 1;
        }
    }
    raws.sort_by_key(|r| r.at);
    if raws.is_empty() {
        return Err(nothing(&tally, &packets));
    }
    let mut remarks = words(&tally, &packets);
    let seated = seat(raws, |raw| {
        match raw.stream.is_some_and(|s| whole.contains(&s)) {
            true => CAPTURE,
            false => PARTIAL_CAPTURE,
        }
    });
    remarks.extend(seated.remarks);
    let missing = missing(&tally, &packets);
    let holes = missing.is_some();
    remarks.extend(missing.map(holes::remark));
    Ok(Reading {
        format: Format::Capture,
        trace: seated.trace,
        seats: seated.seats,
        remarks,
        holes,
    })
}

fn take(
    connection: &mut Connection,
    link: (SocketAddr, SocketAddr),
    at: Micros,
    seq: u32,
    (syn, fin): (bool, bool),
    bytes: &[u8],
    tally: &mut Tally,
) {
    let half = connection.halves.entry(link).or_insert_with(Half::new);
    let first = half.bytes == 0;
    let pieces = half.stream.take(seq, syn, bytes);
    if fin {
        half.stream.end(seq, bytes.len());
    }
    if first && !pieces.is_empty() && !half.stream.from_start {
        half.lost = true;
        tally.middle += 1;
    }
    digest(connection, link, at, pieces, tally);
}

/// Frames what a direction brought.
fn digest(
    connection: &mut Connection,
    link: (SocketAddr, SocketAddr),
    at: Micros,
    pieces: Vec<Piece>,
    tally: &mut Tally,
) {
    let Some(half) = connection.halves.get_mut(&link) else {
        return;
    };
    let number = connection.number;
    let mut found = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Gap(n) => {
                tally.gaps += 1;
                tally.missing += n;
                connection.torn = true;
                half.lost = true;
                half.search.clear();
                half.framer = Some(Framer::new(Limits::default(), Blank::Pings));
                found.push(What::Note(format!(
                    "the capture misses {n} bytes from {} to {} here",
                    link.0, link.1
                )));
            }
            Piece::Bytes(bytes) => {
                if half.bytes == 0 && matches!(bytes[..], [0x16, 0x03, 0..=4, ..]) {
                    connection.encrypted = true;
                }
                half.bytes += bytes.len() as u64;
                if connection.encrypted {
                    continue;
                }
                let ready = if half.lost {
                    half.search.extend_from_slice(&bytes);
                    match start_line(&half.search) {
                        Some(offset) => {
                            half.lost = false;
                            half.search.drain(..offset);
                            std::mem::take(&mut half.search)
                        }
                        None => {
                            // Only the last line can still become a start line.
                            let keep = half.search.iter().rposition(|b| *b == b'\n').unwrap_or(0);
                            half.search.drain(..keep);
                            if half.search.len() > 64 * 1024 {
                                half.search.clear();
                            }
                            continue;
                        }
                    }
                } else {
                    bytes
                };
                if let Some(framer) = &mut half.framer {
                    framer.push(&ready);
                    let mut dead = false;
                    while let Some(frame) = framer.next() {
                        match frame {
                            Frame::Message(message) => {
                                connection.sip = true;
                                found.push(What::Message(message.into_bytes()));
                            }
                            Frame::KeepAlive { .. } => {}
                            Frame::Error(error) => {
                                dead = true;
                                let what = error.to_string();
                                found.push(What::Garbage(error.bytes, what));
                            }
                        }
                    }
                    if dead {
                        half.framer = None;
                        connection.torn = true;
                    }
                }
            }
        }
    }
    for what in found {
        connection.raws.push(Raw {
            at,
            link: Some((link.0.to_string(), link.1.to_string())),
            stream: Some(number),
            what,
        });
    }
}

fn close(connection: &mut Connection, at: Micros, tally: &mut Tally) {
    let mut links: Vec<_> = connection.halves.keys().copied().collect();
    links.sort();
    for link in links {
        let pieces = match connection.halves.get_mut(&link) {
            Some(half) => half.stream.finish(),
            None => continue,
        };
        digest(connection, link, at, pieces, tally);
        let Some(half) = connection.halves.get_mut(&link) else {
            continue;
        };
        if half.lost || connection.encrypted || !connection.sip {
            continue;
        }
        // Half a message at the end proves something only when the connection really ended.
        if let Some(Frame::Error(error)) = half.framer.as_mut().and_then(Framer::finish) {
            let what = if connection.closed.is_some() && !connection.torn && !tally.cut {
                let why = error.to_string();
                What::Garbage(error.bytes, why)
            } else {
                What::Note(format!(
                    "the capture ends inside a message from {} to {}",
                    link.0, link.1
                ))
            };
            connection.raws.push(Raw {
                at,
                link: Some((link.0.to_string(), link.1.to_string())),
                stream: Some(connection.number),
                what,
            });
        }
    }
    if let (Some((at, how)), Some(link)) = (connection.closed, connection.halves.keys().min()) {
        connection.raws.push(Raw {
            at,
            link: Some((link.0.to_string(), link.1.to_string())),
            stream: Some(connection.number),
            what: What::Closed(how.to_owned()),
        });
    }
}

/// Offset of the first start line, which may stand right behind a body without line end.
fn start_line(bytes: &[u8]) -> Option<usize> {
    const VERSION: &[u8] = b"SIP/2.0";
    let mut at = 0;
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        let text = line.trim_ascii_end();
        if line.ends_with(b"\n") {
            if let Some(rest) = text.strip_suffix(b" SIP/2.0") {
                let uri = rest.iter().rposition(|b| *b == b' ').unwrap_or(0);
                let method = rest[..uri]
                    .iter()
                    .rposition(|b| !b.is_ascii_uppercase())
                    .map_or(0, |i| i + 1);
                if method < uri {
                    return Some(at + method);
                }
            }
            if let Some(found) = text.windows(12).position(|w| {
                w.starts_with(VERSION)
                    && w[7] == b' '
                    && w[8..11].iter().all(u8::is_ascii_digit)
                    && w[11] == b' '
            }) {
                return Some(at + found);
            }
        }
        at += line.len();
    }
    None
}

/// Why messages are missing inside a capture, when some are.
fn missing(tally: &Tally, packets: &packets::Packets<'_>) -> Option<&'static str> {
    if tally.gaps > 0 || packets.cut > 0 || packets.fragments > 0 {
        Some("bytes were not captured")
    } else if tally.halves > 0 {
        Some("of a connection only one side was captured")
    } else {
        None
    }
}

fn nothing(tally: &Tally, packets: &packets::Packets<'_>) -> String {
    if let Some(first) = tally.encrypted.first() {
        return format!(
            "the traffic is TLS ({} connection{}, the first between {first}), which cannot be read from a capture; run the peers over TCP, export the decrypted stream as text (Wireshark: Follow TLS Stream), use a SIP log of a peer, or put `parlance proxy` between them",
            tally.encrypted.len(),
            if tally.encrypted.len() == 1 { "" } else { "s" }
        );
    }
    if packets.packets.is_empty() {
        return format!(
            "the capture holds no TCP or UDP packet ({} of unknown link layers, {} others)",
            packets.unknown_links, packets.others
        );
    }
    format!(
        "no SIP message was found in {} packet{} ({} TCP connection{} of other protocols)",
        packets.packets.len(),
        if packets.packets.len() == 1 { "" } else { "s" },
        tally.others,
        if tally.others == 1 { "" } else { "s" },
    )
}

fn words(tally: &Tally, packets: &packets::Packets<'_>) -> Vec<String> {
    let mut words = Vec::new();
    if !tally.encrypted.is_empty() {
        words.push(format!(
            "{} TLS connection(s) could not be read, the first between {}",
            tally.encrypted.len(),
            tally.encrypted[0]
        ));
    }
    if tally.gaps > 0 {
        words.push(format!(
            "the capture misses {} bytes in {} place(s); messages there were left out",
            tally.missing, tally.gaps
        ));
    }
    if tally.halves > 0 {
        words.push(format!(
            "{} connection(s) show only one of their sides",
            tally.halves
        ));
    }
    if tally.middle > 0 {
        words.push(format!(
            "{} direction(s) were captured from the middle; bytes before their first whole message were left out",
            tally.middle
        ));
    }
    if tally.others > 0 {
        words.push(format!(
            "{} TCP connection(s) of other protocols were left out",
            tally.others
        ));
    }
    if tally.datagrams > 0 {
        words.push(format!(
            "{} message(s) came over UDP, which this protocol does not use",
            tally.datagrams
        ));
    }
    if packets.cut > 0 {
        words.push(format!(
            "{} packet(s) were captured only in part; capture with -s 0",
            packets.cut
        ));
    }
    if packets.fragments > 0 {
        words.push(format!(
            "{} IP fragment(s) were left out",
            packets.fragments
        ));
    }
    if packets.unknown_links > 0 {
        words.push(format!(
            "{} packet(s) have a link layer that is not understood",
            packets.unknown_links
        ));
    }
    if packets.truncated {
        words.push("the file ends inside a packet".to_owned());
    }
    words
}

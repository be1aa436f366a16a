use super::*;
use crate::{Kind, Seat};
use etherparse::PacketBuilder;

const CMD: &str = "<xccos envid=\"1\">\r\n<cmd id=\"cmd:join\" seqid=\"1\"/></xccos>";
const RPL: &str = "<xccos envid=\"7\"><rpl id=\"rpl:join\" seqid=\"1\"/></xccos>";
const CLIENT: &str = "10.0.0.1:50000";
const SERVER: &str = "10.0.0.2:5061";

fn sip(start: &str, cseq: &str, from_client: bool, body: &str) -> String {
    let (from, to) = if from_client {
        (
            "<sip:alice@example.com>;tag=a",
            "<sip:chat@example.com>;tag=b",
        )
    } else {
        (
            "<sip:chat@example.com>;tag=b",
            "<sip:alice@example.com>;tag=a",
        )
    };
    let to = if start.starts_with("INVITE") {
        "<sip:chat@example.com>"
    } else {
        to
    };
    format!(
        "{start}\r\nVia: SIP/2.0/TCP host;branch=z9hG4bK1\r\nFrom: {from}\r\nTo: {to}\r\nCall-ID: c1\r\nCSeq: {cseq}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A short conversation: who sent it, and the bytes.
fn conversation() -> Vec<(Seat, String)> {
    use Seat::{Client, Server};
    vec![
        (
            Client,
            sip(
                "INVITE sip:chat@example.com SIP/2.0",
                "1 INVITE",
                true,
                "v=0\r\ns=-\r\n",
            ),
        ),
        (Server, sip("SIP/2.0 200 OK", "1 INVITE", true, "")),
        (
            Client,
            sip("ACK sip:chat@example.com SIP/2.0", "1 ACK", true, ""),
        ),
        (
            Client,
            sip("INFO sip:chat@example.com SIP/2.0", "2 INFO", true, CMD),
        ),
        (Server, sip("SIP/2.0 200 OK", "2 INFO", true, "")),
        (
            Server,
            sip("INFO sip:alice@example.com SIP/2.0", "1 INFO", false, RPL),
        ),
        (Client, sip("SIP/2.0 200 OK", "1 INFO", false, "")),
    ]
}

fn messages(reading: &Reading) -> Vec<(Seat, String)> {
    reading
        .trace
        .events()
        .iter()
        .filter_map(|e| match &e.kind {
            Kind::Message { from, bytes, .. } => {
                Some((*from, String::from_utf8_lossy(bytes).into_owned()))
            }
            _ => None,
        })
        .collect()
}

fn endpoints(reading: &Reading) -> Vec<String> {
    reading
        .trace
        .events()
        .iter()
        .filter_map(|e| match &e.kind {
            Kind::Opened { endpoint, .. } => Some(endpoint.clone().unwrap_or_default()),
            _ => None,
        })
        .collect()
}

fn link(from: Seat) -> (&'static str, &'static str) {
    match from {
        Seat::Client => (CLIENT, SERVER),
        Seat::Server => (SERVER, CLIENT),
    }
}

/// The conversation as each kind of log would have it.
fn logs() -> Vec<(&'static str, String)> {
    let all = conversation();
    let render = |one: &dyn Fn(usize, Seat, &str) -> String| -> String {
        all.iter()
            .enumerate()
            .map(|(i, (from, text))| one(i, *from, text))
            .collect()
    };
    let lf = |text: &str| text.replace("\r\n", "\n");
    vec![
        ("followed stream", render(&|_, _, text| text.to_owned())),
        (
            "blank lines between",
            render(&|_, _, text| format!("{text}\r\n\r\n")),
        ),
        (
            "line ends changed",
            render(&|_, _, text| format!("{}\n\n", lf(text))),
        ),
        (
            "sipp -trace_msg",
            render(&|i, from, text| {
                format!(
                    "----------------------------------------------- 2026-11-20 10:00:0{i}.250000\nTCP message {} bytes{}:\n\n{text}\n",
                    if from == Seat::Client {
                        format!("sent ({})", text.len())
                    } else {
                        format!("received [{}]", text.len())
                    },
                    if from == Seat::Client { "" } else { " " }
                )
            }),
        ),
        (
            "ngrep -W byline",
            render(&|i, from, text| {
                let (a, b) = link(from);
                format!(
                    "#\nT 2026/11/20 10:00:0{i}.250000 {a} -> {b} [AP]\n{}\n",
                    text.replace("\r\n", ".\n")
                )
            }),
        ),
        (
            "arrows",
            render(&|i, from, text| {
                let (a, b) = link(from);
                format!("10:00:0{i},250 proto {a} --> {b}\n{}\n", lf(text))
            }),
        ),
        (
            "Lync server",
            render(&|i, from, text| {
                let (head, body) = text.split_once("\r\n\r\n").unwrap();
                let (start, headers) = head.split_once("\r\n").unwrap();
                format!(
                    "TL_INFO(TF_PROTOCOL) [0]0B1C.2A3C::11/20/2026-10:00:0{i}.250.000012ab (SIPStack,SIPAdminLog::TraceProtocolRecord:1224.idx(122))$$begin_record\r\nTrace-Correlation-Id: 12\r\nInstance-Id: 0001\r\nDirection: {}\r\nPeer: {CLIENT}\r\nMessage-Type: request\r\nStart-Line: {start}\r\n{headers}\r\n{}$$end_record\r\n\r\n",
                    if from == Seat::Client {
                        "incoming"
                    } else {
                        "outgoing"
                    },
                    if body.is_empty() {
                        String::new()
                    } else {
                        format!("Message-Body: {body}\r\n")
                    },
                )
            }),
        ),
        (
            "client log",
            render(&|i, from, text| {
                let what = if from == Seat::Client {
                    "Sending Packet"
                } else {
                    "Data Received"
                };
                let stamp = format!("11/20/2026|10:00:0{i}.250 1A2C:1B3C INFO  ::");
                format!(
                    "{stamp} {what} - {SERVER} (From Local Address: {CLIENT}) {} bytes:\r\n{stamp} {text}\r\n{stamp} End of {what} - {SERVER} (From Local Address: {CLIENT}) {} bytes\r\n",
                    text.len(),
                    text.len()
                )
            }),
        ),
    ]
}

#[test]
fn every_kind_of_log_gives_the_conversation() {
    for (name, log) in logs() {
        assert_eq!(detect(log.as_bytes()), Some(Format::Log), "{name}");
        let reading = read_bytes(name, log.as_bytes()).unwrap();
        let got = messages(&reading);
        let wanted = conversation();
        for (i, (got, wanted)) in got.iter().zip(&wanted).enumerate() {
            assert_eq!(
                got.0, wanted.0,
                "{name}, seat of message {i}: {:?}",
                reading.remarks
            );
            // The Lync records lose the line end after a body.
            assert_eq!(
                got.1.trim_end(),
                adjusted(&got.1, &wanted.1).trim_end(),
                "{name}, message {i}"
            );
        }
        assert_eq!(got.len(), wanted.len(), "{name}");
        assert_eq!(endpoints(&reading), ["alice"], "{name}");
        assert!(
            reading.remarks.iter().any(|r| r.contains("framing")),
            "{name}: {:?}",
            reading.remarks
        );
        let timed = ![
            "followed stream",
            "blank lines between",
            "line ends changed",
        ]
        .contains(&name);
        let last = reading.trace.events().last().unwrap().at;
        assert_eq!(last, if timed { 6_000_000 } else { 0 }, "{name}");
        if name == "followed stream" {
            assert!(
                !reading.remarks.iter().any(|r| r.contains("adjusted")),
                "{:?}",
                reading.remarks
            );
        }
    }
}

/// The wanted message with the length the reader had to adjust.
fn adjusted(got: &str, wanted: &str) -> String {
    let length = |text: &str| {
        text.split("Content-Length: ")
            .nth(1)
            .and_then(|t| t.split("\r\n").next())
            .unwrap_or("")
            .to_owned()
    };
    wanted.replace(
        &format!("Content-Length: {}\r\n", length(wanted)),
        &format!("Content-Length: {}\r\n", length(got)),
    )
}

#[test]
fn repairs_are_told_and_never_blame_the_peer() {
    let text = format!(
        "INFO sip:chat@example.com SIP/2.0\nCall-ID: 1\nCSeq: 1 INFO\nContent-Length: 999\n\n<xccos>\n  <cmd id=\"cmd:join\"/>\n</xccos>\n\n{}",
        "SIP/2.0 200 OK\nCall-ID: 1\nCSeq: 1 INFO\nContent-Length: 0\n\n"
    );
    let reading = read_bytes("x.log", text.as_bytes()).unwrap();
    let got = messages(&reading);
    assert_eq!(got.len(), 2);
    assert!(got[0].1.contains("Content-Length: 39\r\n"), "{}", got[0].1);
    assert!(got[0].1.ends_with("</xccos>"));
    let remarks = reading.remarks.join("\n");
    assert!(
        remarks.contains("the first in line 1: 999 said, 39 logged"),
        "{remarks}"
    );
    assert!(remarks.contains("CRLF was restored"), "{remarks}");
    assert!(remarks.contains("no message has a time"), "{remarks}");
    assert_eq!([got[0].0, got[1].0], [Seat::Client, Seat::Server]);
}

#[test]
fn a_body_may_hold_what_looks_like_a_message() {
    let body = "<xccos><grpchat><chat>quote:\r\nSIP/2.0 200 OK\r\n\r\n-------------------- x</chat></grpchat></xccos>";
    let text = sip("INFO sip:chat@example.com SIP/2.0", "2 INFO", true, body);
    let reading = read_bytes("x", text.as_bytes()).unwrap();
    assert_eq!(messages(&reading), [(Seat::Client, text)]);
}

#[test]
fn what_is_no_log_is_told() {
    for (bytes, wanted) in [
        (&b""[..], "the file is empty"),
        (b"hello\n", "no SIP message was found: expected"),
        (b"<xccos/>", "one XML document"),
        (b"{\"run-started\":{}}", "event stream of a run"),
        (b"{\"seq\":0", ""),
        (b"{\"seq\":0,\"at\":}\n{}\n", "not an event of a trace"),
    ] {
        match read_bytes("f", bytes) {
            Ok(reading) => assert!(wanted.is_empty() && !reading.remarks.is_empty()),
            Err(e) => assert!(e.to_string().contains(wanted) && !wanted.is_empty(), "{e}"),
        }
    }
    let e = read_bytes("f.ndjson", b"\n{\"seq\":0,\"at\":}\n{}\n").unwrap_err();
    assert_eq!(e.place, Some((2, 15)), "{e}");
}

/// Segments of a conversation: direction, offset in that direction, bytes.
fn segments(size: usize) -> Vec<(Seat, u32, Vec<u8>)> {
    let mut at = [1u32, 1u32];
    let mut out = Vec::new();
    for (from, text) in conversation() {
        for part in text.as_bytes().chunks(size) {
            let at = &mut at[usize::from(from == Seat::Server)];
            out.push((from, *at, part.to_vec()));
            *at += part.len() as u32;
        }
    }
    out
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Link {
    Ethernet,
    Vlan,
    V6,
    Null,
    Raw,
    Cooked,
    Cooked2,
}

fn wrap(kind: Link, from: Seat, seq: u32, flags: &str, bytes: &[u8]) -> Vec<u8> {
    let (client, server) = ([10, 0, 0, 1], [10, 0, 0, 2]);
    let (a, b, p, q) = match from {
        Seat::Client => (client, server, 50_000, 5061),
        Seat::Server => (server, client, 5061, 50_000),
    };
    let v6 = |v4: [u8; 4]| {
        let mut out = [0u8; 16];
        out[..2].copy_from_slice(&[0xfd, 0]);
        out[12..].copy_from_slice(&v4);
        out
    };
    macro_rules! finish {
        ($builder:expr) => {{
            let mut tcp = $builder.tcp(p, q, seq, 1000);
            if flags.contains('S') {
                tcp = tcp.syn();
            }
            if flags.contains('A') {
                tcp = tcp.ack(1);
            }
            if flags.contains('F') {
                tcp = tcp.fin();
            }
            let mut out = Vec::new();
            tcp.write(&mut out, bytes).unwrap();
            out
        }};
    }
    let ip = || finish!(PacketBuilder::ipv4(a, b, 64));
    match kind {
        Link::Ethernet => {
            let mut frame = finish!(PacketBuilder::ethernet2([1; 6], [2; 6]).ipv4(a, b, 64));
            // Short frames are padded to 60 bytes; the padding is no payload.
            while frame.len() < 60 {
                frame.push(0xee);
            }
            frame
        }
        Link::Vlan => finish!(
            PacketBuilder::ethernet2([1; 6], [2; 6])
                .single_vlan(7.try_into().unwrap())
                .ipv4(a, b, 64)
        ),
        Link::V6 => finish!(PacketBuilder::ethernet2([1; 6], [2; 6]).ipv6(v6(a), v6(b), 64)),
        Link::Raw => ip(),
        Link::Null => [&[2u8, 0, 0, 0][..], &ip()].concat(),
        Link::Cooked => [&[0u8; 14][..], &[8, 0], &ip()].concat(),
        Link::Cooked2 => [&[8u8, 0][..], &[0; 18], &ip()].concat(),
    }
}

fn link_number(kind: Link) -> u32 {
    match kind {
        Link::Ethernet | Link::Vlan | Link::V6 => 1,
        Link::Null => 0,
        Link::Raw => 101,
        Link::Cooked => 113,
        Link::Cooked2 => 276,
    }
}

fn pcap(link: u32, frames: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for n in [0xa1b2_c3d4u32, 0x0004_0002, 0, 0, 65535, link] {
        out.extend(n.to_le_bytes());
    }
    for (i, frame) in frames.iter().enumerate() {
        for n in [
            1_800_000_000,
            1000 * i as u32,
            frame.len() as u32,
            frame.len() as u32,
        ] {
            out.extend(n.to_le_bytes());
        }
        out.extend(frame);
    }
    out
}

fn pcapng(link: u32, frames: &[Vec<u8>]) -> Vec<u8> {
    let block = |kind: u32, mut body: Vec<u8>| {
        while !body.len().is_multiple_of(4) {
            body.push(0);
        }
        let length = body.len() as u32 + 12;
        let mut out = Vec::new();
        out.extend(kind.to_be_bytes());
        out.extend(length.to_be_bytes());
        out.extend(body);
        out.extend(length.to_be_bytes());
        out
    };
    let mut out = block(
        0x0a0d_0d0a,
        [&[0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0][..], &[0xff; 8]].concat(),
    );
    // Nanoseconds, by an option.
    out.extend(block(
        1,
        [
            &(link as u16).to_be_bytes()[..],
            &[0; 6],
            &[0, 9, 0, 1, 9, 0, 0, 0],
        ]
        .concat(),
    ));
    for (i, frame) in frames.iter().enumerate() {
        let nanos = 1_800_000_000_000_000_000u64 + 1_000_000 * i as u64;
        let mut body = Vec::new();
        for n in [
            0,
            (nanos >> 32) as u32,
            nanos as u32,
            frame.len() as u32,
            frame.len() as u32,
        ] {
            body.extend(n.to_be_bytes());
        }
        body.extend(frame);
        out.extend(block(6, body));
    }
    out
}

fn frames(kind: Link, segments: &[(Seat, u32, Vec<u8>)]) -> Vec<Vec<u8>> {
    let mut frames = vec![
        wrap(kind, Seat::Client, 0, "S", b""),
        wrap(kind, Seat::Server, 0, "SA", b""),
        wrap(kind, Seat::Client, 1, "A", b""),
    ];
    for (from, seq, bytes) in segments {
        frames.push(wrap(kind, *from, *seq, "A", bytes));
    }
    frames
}

#[test]
fn captures_of_every_link_layer_give_the_conversation() {
    for kind in [
        Link::Ethernet,
        Link::Vlan,
        Link::V6,
        Link::Null,
        Link::Raw,
        Link::Cooked,
        Link::Cooked2,
    ] {
        let frames = frames(kind, &segments(100));
        for (form, bytes) in [
            ("pcap", pcap(link_number(kind), &frames)),
            ("pcapng", pcapng(link_number(kind), &frames)),
        ] {
            let reading = read_bytes(form, &bytes).unwrap_or_else(|e| panic!("{kind:?} {e}"));
            assert_eq!(messages(&reading), conversation(), "{kind:?} {form}");
            assert_eq!(endpoints(&reading), ["alice"]);
            assert_eq!(reading.remarks, Vec::<String>::new(), "{kind:?} {form}");
            assert_eq!(
                reading.trace.events().last().unwrap().at,
                1000 * (frames.len() as u64 - 1)
            );
            assert!(
                reading.seats[0].contains("is taken for a client: sends INVITE"),
                "{:?}",
                reading.seats
            );
        }
    }
}

#[test]
fn lost_late_and_repeated_packets() {
    // Every second pair of segments of one direction swapped, and everything sent twice.
    let mut shuffled = segments(90);
    for i in (0..shuffled.len() - 1).step_by(2) {
        if shuffled[i].0 == shuffled[i + 1].0 {
            shuffled.swap(i, i + 1);
        }
    }
    let twice: Vec<_> = shuffled
        .iter()
        .flat_map(|s| [s.clone(), s.clone()])
        .collect();
    let reading = read_bytes("x", &pcap(1, &frames(Link::Ethernet, &twice))).unwrap();
    let by_seat = |seat| -> Vec<(Seat, String)> {
        conversation()
            .into_iter()
            .filter(|(s, _)| *s == seat)
            .collect()
    };
    let got = messages(&reading);
    for seat in [Seat::Client, Seat::Server] {
        let mine: Vec<_> = got.iter().filter(|(s, _)| *s == seat).cloned().collect();
        assert_eq!(mine, by_seat(seat));
    }
    // One segment of the client's INFO is missing: that message is left out, the others stay.
    let mut lossy = segments(90);
    let lost = lossy
        .iter()
        .position(|(_, _, b)| String::from_utf8_lossy(b).contains("cmd:join"))
        .unwrap();
    lossy.remove(lost);
    let reading = read_bytes("x", &pcap(1, &frames(Link::Ethernet, &lossy))).unwrap();
    assert_eq!(messages(&reading).len(), conversation().len() - 1);
    assert!(
        !reading
            .trace
            .events()
            .iter()
            .any(|e| matches!(e.kind, Kind::Garbage { .. })),
        "a lost packet is nobody's garbage"
    );
    assert!(
        reading
            .remarks
            .iter()
            .any(|r| r.contains("the capture misses 90 bytes in 1 place(s)")),
        "{:?}",
        reading.remarks
    );
    // Captured from the middle of the first message.
    let reading = read_bytes("x", &pcap(1, &frames(Link::Ethernet, &segments(90))[4..])).unwrap();
    assert_eq!(messages(&reading).len(), conversation().len() - 1);
    assert!(
        reading
            .remarks
            .iter()
            .any(|r| r.contains("from the middle")),
        "{:?}",
        reading.remarks
    );
    // A file cut in the middle of a packet.
    let whole = pcap(1, &frames(Link::Ethernet, &segments(2000)));
    let reading = read_bytes("x", &whole[..whole.len() - 30]).unwrap();
    assert!(
        reading
            .remarks
            .iter()
            .any(|r| r.contains("ends inside a packet"))
    );
}

#[test]
fn tls_is_told_and_what_to_do() {
    let hello = vec![(
        Seat::Client,
        1,
        [&[0x16, 3, 1, 0, 200][..], &[7; 200]].concat(),
    )];
    let error = read_bytes("x.pcap", &pcap(1, &frames(Link::Ethernet, &hello))).unwrap_err();
    assert!(
        error.what.starts_with(
            "the traffic is TLS (1 connection, the first between 10.0.0.1:50000 and 10.0.0.2:5061)"
        ),
        "{error}"
    );
    let other = vec![(Seat::Client, 1, b"GET / HTTP/1.1\r\n\r\n".to_vec())];
    let error = read_bytes("x.pcap", &pcap(1, &frames(Link::Ethernet, &other))).unwrap_err();
    assert!(
        error.what.contains(
            "no SIP message was found in 4 packets (1 TCP connection of other protocols)"
        ),
        "{error}"
    );
    assert!(
        read_bytes("x.pcap", &pcap(1, &[]))
            .unwrap_err()
            .what
            .contains("no TCP or UDP")
    );
}

#[test]
fn real_garbage_and_half_messages_stay_evidence() {
    let mut noisy = segments(4000);
    let at = noisy
        .iter()
        .filter(|s| s.0 == Seat::Client)
        .map(|s| s.1 + s.2.len() as u32)
        .max()
        .unwrap();
    noisy.push((Seat::Client, at, b"\x00\x01 noise\r\n\r\n".to_vec()));
    let reading = read_bytes("x", &pcap(1, &frames(Link::Ethernet, &noisy))).unwrap();
    assert!(reading.trace.events().iter().any(|e| matches!(
        &e.kind,
        Kind::Garbage {
            from: Seat::Client,
            ..
        }
    )));
}

proptest::proptest! {
    /// No bytes make a reader panic or loop.
    #[test]
    fn any_bytes_are_survived(mut bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400), magic in 0usize..5) {
        let heads: [&[u8]; 5] = [&[0xd4, 0xc3, 0xb2, 0xa1], &[0x0a, 0x0d, 0x0d, 0x0a], b"INFO sip:a@b SIP/2.0\r\n", b"SIP/2.0 200 OK.\n", b"{\"seq\":"];
        let mut whole = heads[magic].to_vec();
        whole.append(&mut bytes);
        let _ = read_bytes("x", &whole);
    }

    /// A log with a few bytes changed still gives messages or an error, never a panic.
    #[test]
    fn damaged_captures_are_survived(at in 0usize..2000, byte: u8, cut in 0usize..2000) {
        let mut bytes = pcapng(1, &frames(Link::Ethernet, &segments(100)));
        let length = bytes.len();
        bytes[at % length] = byte;
        bytes.truncate(cut.max(1) % length);
        let _ = read_bytes("x", &bytes);
        for (_, log) in logs() {
            let mut log = log.into_bytes();
            let length = log.len();
            log[at % length] = byte;
            let _ = read_bytes("x", &log);
        }
    }
}

#[test]
fn a_long_log_takes_linear_time() {
    let one: String = conversation().into_iter().map(|(_, text)| text).collect();
    let log = one.repeat(400);
    let started = std::time::Instant::now();
    let reading = read_bytes("x", log.as_bytes()).unwrap();
    assert_eq!(messages(&reading).len(), 2_800);
    println!("{} bytes in {:?}", log.len(), started.elapsed());
    assert!(started.elapsed().as_secs() < 10);
}

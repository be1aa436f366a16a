//! Messages that are legal but unusual, and messages that are wrong, written by
//! us after what RFC 4475 describes (its sections are named), plus what this
//! protocol's peers are known to send.

use std::time::Duration;

use sip::agent::{Action, Agent, Config, Event, Transport};
use sip::{Blank, Frame, FrameErrorKind, Framer, Limits, Message, NoteKind, Seeded};

/// Lines joined by CRLF, with the empty line that ends the head.
fn head(lines: &[&str]) -> Vec<u8> {
    let mut text = lines.join("\r\n");
    text.push_str("\r\n\r\n");
    text.into_bytes()
}

fn kinds(m: &Message) -> Vec<NoteKind> {
    m.notes().iter().map(|n| n.kind).collect()
}

fn violations(m: &Message) -> Vec<NoteKind> {
    kinds(m).into_iter().filter(|k| k.is_violation()).collect()
}

/// The status a server gives; none when it answers nothing.
fn answer(bytes: &[u8]) -> Option<u16> {
    let config = Config::server(Transport::Tcp, "192.0.2.1", 5060);
    let mut agent = Agent::server(config, Box::new(Seeded::new(1)));
    let mut framer = Framer::new(Limits::default(), Blank::Pings);
    framer.push(bytes);
    let mut out = Vec::new();
    while let Some(frame) = framer.next() {
        agent.receive(Duration::ZERO, frame, &mut out);
    }
    out.iter().find_map(|a| match a {
        Action::Send(bytes) => Message::parse(bytes.clone()).ok()?.status(),
        Action::Event(Event::Invited { .. }) => Some(200),
        _ => None,
    })
}

/// 3.1.1.1: every freedom of white space, folding, compact names and letter case at once.
#[test]
fn all_freedoms_at_once() {
    let m = Message::parse(head(&[
        "INVITE sip:lobby@rooms.example.net;flag SIP/2.0",
        "tO :",
        "\t sip:lobby@rooms.example.net ;  tag   =  abc77",
        "f   : \"A. \\\"Backslash\\\" \\\\\"     <sip:anna@example.net>",
        "  ;",
        "\ttag = x1y2",
        "mAX-FORWARDS:   0042",
        "i: one@192.0.2.44",
        "Content-LENGTH   : 12",
        "Cseq: 0017",
        "  INVITE",
        "Via  : SIP  /   2.0",
        "   / UDP",
        "  192.0.2.44;branch=old1",
        "s :",
        "Never-Heard-Of:   first half",
        "   second half",
        "All-Marks: ,;;,=;,",
        "c: application/sdp",
        "Route:",
        " <sip:edge.example.net;lr;more=yes;none>",
        "v:  SIP  / 2.0  / TCP     edge.example.net   ;",
        "  branch  =   z9hG4bKtwo  ,",
        " SIP  /    2.0   / UDP  198.51.100.9   ; branch=",
        " z9hG4bKthree",
        "m:\"In \\\"quotes\\\"\" <sip:anna@192.0.2.44> ; color =",
        "      blue ;",
        "  bare ; q = 0.5",
    ]))
    .unwrap();
    assert_eq!(m.to().unwrap().tag(), Some("abc77"));
    let from = m.from().unwrap();
    assert_eq!(from.display.as_deref(), Some("A. \"Backslash\" \\"));
    assert_eq!(from.tag(), Some("x1y2"));
    assert_eq!(m.max_forwards().unwrap(), Some(42));
    assert_eq!(m.cseq().unwrap().seq, 17);
    assert_eq!(m.content_length(), Some(12));
    let vias = m.vias().unwrap();
    assert_eq!(vias.len(), 3);
    assert_eq!(vias[1].branch(), Some("z9hG4bKtwo"));
    assert_eq!(vias[2].host, "198.51.100.9");
    assert_eq!(m.value("Subject").unwrap(), "");
    assert_eq!(m.value("never-heard-of").unwrap(), "first half second half");
    let contact = m.contact().unwrap().unwrap();
    assert_eq!(contact.param("color"), Some("blue"));
    assert_eq!(contact.param("q"), Some("0.5"));
    assert_eq!(m.routes().unwrap()[0].uri.param("more"), Some("yes"));
    assert_eq!(
        violations(&m),
        [NoteKind::BodyLengthDiffers],
        "only the body we left out"
    );
    assert!(kinds(&m).contains(&NoteKind::WsBeforeColon));
}

/// 3.1.1.2: every character a method, a name, a user part and a token may have.
#[test]
fn the_widest_legal_characters() {
    const METHOD: &str = "Odd-._!%*+`'~Method42";
    let m = Message::parse(head(&[
        &format!("{METHOD} sip:-_.!~*'()&=+$,;?/user:pa&=+$,ss@example.net SIP/2.0"),
        "Via: SIP/2.0/TCP h.example.net;branch=z9hG4bK-.!%*_+`'~",
        "To: \"ring\\\u{7}\\\u{0}\\\u{7f}\" <sip:b@example.net>",
        "From: word1~` word2'+_ word3*%!.- <sip:c@example.net>;odd''~+*_!.-%=\"\u{3bb}\u{43b}\";tag=_-.!%*+`'~",
        "Call-ID: w%-!.*_+'`~)(><:\\/\"][?}{@w",
        &format!("CSeq: 77 {METHOD}"),
        "Max-Forwards: 255",
        "odd-!.%*+_`'~: \u{5b57}\u{1f4ac}",
        "Content-Length: 0",
    ]))
    .unwrap();
    assert_eq!(m.method().unwrap(), METHOD);
    assert_eq!(m.cseq().unwrap().method, METHOD);
    let uri = m.uri().unwrap();
    assert_eq!(uri.user.as_deref(), Some("-_.!~*'()&=+$,;?/user"));
    assert_eq!(uri.password.as_deref(), Some("pa&=+$,ss"));
    assert_eq!(m.from().unwrap().tag(), Some("_-.!%*+`'~"));
    assert_eq!(m.to().unwrap().display.unwrap(), "ring\u{7}\u{0}\u{7f}");
    assert_eq!(answer(m.bytes()), Some(501));
}

/// 3.1.1.3 and 3.1.1.4: escapes stay as they are; an escaped NUL is a character like any other.
#[test]
fn escapes_are_kept() {
    let m = Message::parse(head(&[
        "INVITE sip:a%40b%3Ac@example.net SIP/2.0",
        "To: sip:%61nn%61@example.net",
        "From: <sip:with%20gaps@example.net>;tag=5",
        "Contact: <sip:a%00z@example.net>, <sip:%00@h>",
        "Content-Length: 0",
    ]))
    .unwrap();
    assert_eq!(m.uri().unwrap().user.as_deref(), Some("a%40b%3Ac"));
    assert!(
        m.to()
            .unwrap()
            .uri
            .equivalent(&"sip:anna@example.net".parse().unwrap())
    );
    assert_eq!(m.contacts().unwrap().len(), 2);
    // 3.1.1.5: an escape in a method is not resolved: this is no INFO.
    let m = Message::parse(head(&["IN%46O sip:example.net SIP/2.0", "l: 0"])).unwrap();
    assert_eq!(m.method(), Some("IN%46O"));
}

/// 3.1.1.6: no space between display name and bracket. 3.1.1.10: `;` in the user part is the user's.
#[test]
fn addresses_without_space() {
    let m = Message::parse(head(&[
        "OPTIONS sip:anna;room=r%40example.net@example.com SIP/2.0",
        "From: caller<sip:d@example.com>;tag=9",
        "Contact: Poe, Edgar <sip:poe@example.com>;q=0.4",
        "l: 0",
    ]))
    .unwrap();
    assert_eq!(m.from().unwrap().display.as_deref(), Some("caller"));
    let uri = m.uri().unwrap();
    assert_eq!(uri.user.as_deref(), Some("anna;room=r%40example.net"));
    assert!(uri.params.is_empty());
    // 3.1.2.15: an unquoted comma in a display name splits the list, and the first part is no address.
    assert!(m.contacts().is_err());
}

/// 3.1.1.7: long values in great number. 3.1.1.8: a second message behind the first.
#[test]
fn long_values_and_pipelining() {
    let long = "a".repeat(3000);
    let vias: Vec<String> = (0..30)
        .map(|n| format!("Via: SIP/2.0/TCP sip{n}.example.com"))
        .collect();
    let mut lines = vec![
        format!("INVITE sip:user@example.com;unknownlong{long}=1 SIP/2.0"),
        format!("F: {long} <sip:a@b;x={long}>;tag={long}"),
    ];
    lines.extend(vias);
    lines.push("l: 4".to_owned());
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let one = [head(&lines), b"body".to_vec()].concat();
    let mut framer = Framer::new(Limits::default(), Blank::Pings);
    framer.push(&[&one[..], &one].concat());
    for _ in 0..2 {
        let Some(Frame::Message(m)) = framer.next() else {
            panic!()
        };
        assert_eq!(m.vias().unwrap().len(), 30);
        assert_eq!(m.from().unwrap().tag().map(str::len), Some(3000));
        assert_eq!(m.body(), b"body");
    }
    assert_eq!(framer.pending(), 0);
}

/// 3.1.1.9, 3.1.1.13: many transports, empty and non-ASCII reason phrases.
#[test]
fn transports_and_reasons() {
    let m = Message::parse(head(&[
        "SIP/2.0 200 = 8 * 25 \u{442}\u{43e}",
        "Via: SIP/2.0/UDP t1;branch=1, SIP/2.0/SCTP t2, SIP/2.0/TLS t3, SIP/2.0/UNKNOWN t4",
        "Via: SIP/2.0/TCP t5",
        "l: 0",
    ]))
    .unwrap();
    assert_eq!(m.reason().unwrap(), "= 8 * 25 \u{442}\u{43e}".as_bytes());
    let transports: Vec<String> = m.vias().unwrap().into_iter().map(|v| v.transport).collect();
    assert_eq!(transports, ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]);
    let m = Message::parse(head(&["SIP/2.0 100 ", "l: 0"])).unwrap();
    assert_eq!((m.reason(), violations(&m).len()), (Some(&b""[..]), 0));
    let m = Message::parse(head(&["SIP/2.0 100", "l: 0"])).unwrap();
    assert_eq!(violations(&m), [NoteKind::MissingReason]);
}

/// 3.1.2: what is wrong gets a note, an error at its place, or ends the stream.
#[test]
fn wrong_values_have_places() {
    let m = Message::parse(head(&[
        "INVITE sip:d@example.com; user=phone SIP/2.0",
        "Via: SIP/2.0/TCP h;;,;,",
        "To: \"No end <sip:d@example.com>",
        "From: sip:d@example.net;tag=1?Route=%3Csip:x%3E",
        "Contact: \"D\" <sip:d@example.org>;;;",
        "CSeq: 99999999999999999999 INVITE",
        "Max-Forwards: 300",
        "Expires: 1000000000000000000000",
        "no colon here",
        ": no name",
        "bad name: x",
        "Content-Length: 0",
    ]))
    .unwrap();
    assert_eq!(
        violations(&m),
        [
            NoteKind::StartLineSpace,
            NoteKind::NoColon,
            NoteKind::BadName,
            NoteKind::BadName,
        ]
    );
    let line = |e: sip::ViewError| m.line_column(e.span.start).0;
    assert_eq!(line(m.uri().unwrap_err()), 1);
    assert_eq!(line(m.vias().unwrap_err()), 2);
    assert_eq!(line(m.to().unwrap_err()), 3);
    assert_eq!(line(m.contacts().unwrap_err()), 5);
    assert_eq!(line(m.cseq().unwrap_err()), 6);
    assert_eq!(line(m.max_forwards().unwrap_err()), 7);
    assert_eq!(line(m.expires().unwrap_err()), 8);
}

#[test]
fn lines_that_begin_no_message() {
    for text in [
        "INVITE sip:a@b",
        "INVITE  SIP/2.0",
        "INVITE sip:a@b HTTP/1.1",
        "INVITE <sip:a@b> SIP/2.x",
        "SIP/2.0 99 Low",
        "SIP/2.0 4294967496 as much as 200 in 32 bits",
        "SIP/2.0 20O OK",
        "SIP/2.0 200OK",
        "{} sip:a@b SIP/2.0",
        "",
    ] {
        assert!(Message::parse(head(&[text, "l: 0"])).is_err(), "{text:?}");
    }
    let e = Message::parse(&b"INFO sip:a@b SIP/2.0\r\nTo: <sip:a@b>\r\n"[..]).unwrap_err();
    assert_eq!((e.offset, e.line), (37, 3));
    let tolerated = [
        ("invite <sip:a@b> sip/2.0", NoteKind::LowerCaseVersion),
        ("INVITE  sip:a@b  SIP/2.0", NoteKind::StartLineSpace),
        ("INVITE sip:a b@c SIP/2.0", NoteKind::StartLineSpace),
        ("INVITE sip:a@b SIP/2.0 ", NoteKind::StartLineSpace),
        ("OPTIONS sip:a@b SIP/7.0", NoteKind::OtherVersion),
    ];
    for (text, note) in tolerated {
        let m = Message::parse(head(&[text, "l: 0"])).unwrap();
        assert_eq!(violations(&m).first(), Some(&note), "{text}");
    }
}

/// 3.1.2.1 to 3.1.2.3, 3.3.9: what Content-Length can do to a stream.
#[test]
fn lengths_that_end_a_stream() {
    let kind = |lines: &[&str]| {
        let mut framer = Framer::new(Limits::default(), Blank::Pings);
        framer.push(&head(lines));
        match framer.next() {
            Some(Frame::Error(e)) => Some(e.kind),
            None => framer.finish().map(|f| match f {
                Frame::Error(e) => e.kind,
                other => panic!("{other:?}"),
            }),
            other => panic!("{other:?}"),
        }
    };
    let start = "INVITE sip:a@b SIP/2.0";
    assert_eq!(kind(&[start, "l: 9999"]), Some(FrameErrorKind::HalfMessage));
    assert_eq!(
        kind(&[start, "Content-Length: -999"]),
        Some(FrameErrorKind::BadContentLength)
    );
    assert_eq!(
        kind(&[start, "l: 0x10"]),
        Some(FrameErrorKind::BadContentLength)
    );
    assert_eq!(kind(&[start, "l:"]), Some(FrameErrorKind::BadContentLength));
    assert_eq!(
        kind(&[start, "l: 5", "Content-Length: 7"]),
        Some(FrameErrorKind::ConflictingContentLength)
    );
    assert_eq!(
        kind(&[start, "l: 18446744073709551616"]),
        Some(FrameErrorKind::BodyTooLarge)
    );
    let m = Message::parse(head(&[start, "l: 0", "Content-Length: 0"])).unwrap();
    assert_eq!(violations(&m), [NoteKind::DupContentLength]);
}

/// 3.1.2.16, 3.1.2.17, 3.3.1, 3.3.4, 3.3.5: what a server answers to the unusual.
#[test]
fn answers_to_the_unusual() {
    let base = |start: &str, cseq: &str, more: &[&str]| {
        let mut lines = vec![
            start,
            "Via: SIP/2.0/TCP h;branch=z9hG4bKx",
            "To: <sip:a@b>",
            "From: <sip:c@d>;tag=1",
            "Call-ID: q",
            "Max-Forwards: 70",
            cseq,
        ];
        lines.extend(more);
        head(&lines)
    };
    let l = &["l: 0"];
    assert_eq!(
        answer(&base("OPTIONS sip:a@b SIP/2.0", "CSeq: 8 INVITE", l)),
        Some(400)
    );
    assert_eq!(
        answer(&base("Novel sip:a@b SIP/2.0", "CSeq: 8 Novel", l)),
        Some(501)
    );
    assert_eq!(
        answer(&base("OPTIONS sip:a@b SIP/7.0", "CSeq: 8 OPTIONS", l)),
        Some(505)
    );
    assert_eq!(
        answer(&base("OPTIONS unheard-of:x SIP/2.0", "CSeq: 8 OPTIONS", l)),
        Some(416)
    );
    assert_eq!(
        answer(&base(
            "OPTIONS http://192.0.2.10:80/ SIP/2.0",
            "CSeq: 8 OPTIONS",
            l
        )),
        Some(416)
    );
    assert_eq!(
        answer(&base(
            "INVITE sip:a@b SIP/2.0",
            "CSeq: 8 INVITE",
            &["Require: unheard-of", "l: 0"]
        )),
        Some(420)
    );
    assert_eq!(
        answer(&base(
            "INVITE sip:a@b SIP/2.0",
            "CSeq: 8 INVITE",
            &["Content-Type: application/unheard-of", "l: 0"]
        )),
        Some(200),
        "no body, so no type that matters"
    );
    assert_eq!(
        answer(&base(
            "OPTIONS sip:a@b SIP/2.0",
            "CSeq: 8 OPTIONS",
            &["Max-Forwards: 0", "l: 0"]
        )),
        Some(200),
        "3.3.11: only proxies mind"
    );
    assert_eq!(
        answer(&head(&[
            "INVITE sip:a@b SIP/2.0",
            "Via: SIP/2.0/TCP h;branch=z9hG4bKx",
            "CSeq: 5 INVITE",
            "l: 0"
        ])),
        Some(400)
    );
    assert_eq!(
        answer(&head(&["BYE sip:a@b SIP/2.0", "l: 0"])),
        None,
        "no Via, no way back"
    );
}

/// What the field's servers and clients write.
#[test]
fn the_family_s_own_style() {
    let m = Message::parse(head(&[
        "SERVICE sip:alice@contoso.com;gruu;opaque=app:conf:focusfactory SIP/2.0",
        "Via: SIP/2.0/tls 10.0.0.1:49152",
        "From: <sip:alice.smith@contoso.com>;tag=8f3;epid=01a2b3c4d5e6",
        "To: <sip:alice.smith@contoso.com;opaque=app:conf:focus:id:X1;gruu>",
        "Contact: <sip:alice.smith@contoso.com;opaque=user:epid:kdCrs0f7;gruu>;proxy=replace;+sip.instance=\"<urn:uuid:2F9A>\"",
        "Record-Route: <sip:pool.contoso.com:5061;transport=tls;ms-fe=fe1.contoso.com;opaque=state:T;lr>;tag=ABC",
        "Proxy-Authorization: TLS-DSK qop=\"auth\", realm=\"SIP Communications Service\", opaque=\"a,b\"",
        "P-Session-On-Behalf-Of: <sip:bob@contoso.com>",
        "ms-keep-alive: UAC;hop-hop=yes",
        "User-Agent: UCCAPI/15.0.4420.1017 OC/15.0.4420.1017 (Microsoft Lync)",
        "CSeq: 1 SERVICE",
        "Content-Length: 0",
    ]))
    .unwrap();
    assert!(violations(&m).is_empty(), "{:?}", m.notes());
    assert_eq!(
        m.uri().unwrap().param("opaque"),
        Some("app:conf:focusfactory")
    );
    assert_eq!(
        m.to().unwrap().uri.param("opaque"),
        Some("app:conf:focus:id:X1")
    );
    assert_eq!(m.to().unwrap().uri.user.as_deref(), Some("alice.smith"));
    assert_eq!(m.from().unwrap().epid(), Some("01a2b3c4d5e6"));
    assert_eq!(
        m.record_routes().unwrap()[0].uri.param("ms-fe"),
        Some("fe1.contoso.com")
    );
    assert_eq!(m.vias().unwrap()[0].branch(), None);
    assert_eq!(
        m.contact().unwrap().unwrap().param("+sip.instance"),
        Some("<urn:uuid:2F9A>")
    );
    let latin1 =
        [&b"INFO sip:a@b SIP/2.0\r\nFrom: \"J\xf6rg\" <sip:a@b>;tag=1\r\nl: 0\r\n\r\n"[..]]
            .concat();
    let m = Message::parse(latin1.clone()).unwrap();
    assert_eq!(m.notes()[0].kind, NoteKind::NonUtf8);
    assert_eq!(latin1[m.notes()[0].offset], 0xf6);
    assert_eq!(m.from().unwrap().tag(), Some("1"));
    assert_eq!(m.bytes(), &latin1[..]);
}

/// 1 MB byte by byte costs what it costs at once: the work is counted by time, generously.
#[test]
fn framing_is_linear() {
    let body = vec![b'x'; 1_000_000];
    let message = sip::Builder::request("INFO", "sip:a@b").body(body).build();
    let start = std::time::Instant::now();
    let mut framer = Framer::new(Limits::default(), Blank::Pings);
    let mut got = 0;
    for byte in &message {
        framer.push(std::slice::from_ref(byte));
        got += usize::from(framer.next().is_some());
    }
    assert_eq!(got, 1);
    let many = sip::Builder::request("INFO", "sip:a@b")
        .build()
        .repeat(20_000);
    framer.push(&many);
    while framer.next().is_some() {
        got += 1;
    }
    assert_eq!(got, 20_001);
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
}

//! rsip as a second opinion: on the messages both can read, both must read the same.
//!
//! rsip 0.4 knows a closed list of methods, loses a user part with a dot, cuts
//! parameter values at a colon, and ignores Content-Length; the subset leaves
//! all of that out. It is used here and nowhere else.

use proptest::prelude::*;
use rsip::prelude::*;
use sip::{Builder, Message};

fn token() -> impl Strategy<Value = String> {
    "[A-Za-z][A-Za-z0-9-]{0,10}"
}

fn host() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,8}\\.example\\.(com|org)",
        Just("192.0.2.17".to_owned())
    ]
}

prop_compose! {
    fn uri()(
        scheme in prop_oneof![Just("sip"), Just("sips")],
        user in prop::option::of("[a-z0-9_-]{1,10}"),
        host in host(),
        port in prop::option::of(1u16..),
        params in prop::collection::vec((token(), prop::option::of(token())), 0..3),
    ) -> String {
        let mut text = format!("{scheme}:");
        if let Some(user) = user { text += &format!("{user}@"); }
        text += &host;
        if let Some(port) = port { text += &format!(":{port}"); }
        // The prefix keeps clear of parameters rsip reads in its own way (transport, ttl, method …).
        for (name, value) in params {
            text += &match value { Some(v) => format!(";x-{name}={v}"), None => format!(";x-{name}") };
        }
        text
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn requests_are_read_alike(
        method in prop::sample::select(vec!["INFO", "INVITE", "ACK", "BYE", "OPTIONS", "REGISTER", "CANCEL", "MESSAGE", "UPDATE"]),
        target in uri(),
        (from, to) in (uri(), uri()),
        (from_tag, to_tag) in (token(), prop::option::of(token())),
        branch in token(),
        via_host in host(),
        call_id in "[a-z0-9]{1,20}@[a-z]{1,5}",
        seq in 0u32..1 << 31,
        display in prop::option::of("[A-Za-z0-9 ]{1,12}"),
        others in prop::collection::vec((token(), "[!-~]{1,10}( [!-~]{1,10})?"), 0..4),
        body in "[ -~\r\n]{0,80}",
    ) {
        let display = display.map(|d| format!("\"{d}\" ")).unwrap_or_default();
        let mut builder = Builder::request(method, &target)
            .header("Via", format!("SIP/2.0/TLS {via_host}:5061;branch=z9hG4bK{branch}"))
            .header("From", format!("{display}<{from}>;tag={from_tag}"))
            .header("To", match &to_tag { Some(t) => format!("<{to}>;tag={t}"), None => format!("<{to}>") })
            .header("Call-ID", &call_id)
            .header("CSeq", format!("{seq} {method}"))
            .header("Max-Forwards", "70");
        for (name, value) in &others {
            builder = builder.header(&format!("X-{name}"), value);
        }
        let bytes = builder.body(body.clone()).build();
        let ours = Message::parse(bytes.clone()).unwrap();
        let theirs = rsip::Request::try_from(bytes.clone()).unwrap();

        prop_assert_eq!(ours.method().unwrap(), theirs.method.to_string());
        let (mine, rival) = (ours.uri().unwrap(), &theirs.uri);
        prop_assert_eq!(mine.to_string(), rival.to_string());
        prop_assert_eq!(&mine.user, &rival.auth.as_ref().map(|a| a.user.clone()));
        prop_assert_eq!(&mine.host, &rival.host_with_port.host.to_string());
        prop_assert_eq!(mine.port, rival.host_with_port.port.map(u16::from));
        prop_assert_eq!(mine.params.len(), rival.params.len());

        let rival = theirs.from_header().unwrap().typed().unwrap();
        let mine = ours.from().unwrap();
        prop_assert_eq!(mine.uri.to_string(), rival.uri.to_string());
        prop_assert_eq!(mine.tag().unwrap(), rival.tag().unwrap().value());
        let rival = theirs.to_header().unwrap().typed().unwrap();
        let mine = ours.to().unwrap();
        prop_assert_eq!(mine.tag(), rival.tag().map(|t| t.value()));
        let rival = theirs.cseq_header().unwrap().typed().unwrap();
        prop_assert_eq!(ours.cseq().unwrap().seq, rival.seq);
        prop_assert_eq!(ours.cseq().unwrap().method, rival.method.to_string());
        let rival = theirs.via_header().unwrap().typed().unwrap();
        let mine = &ours.vias().unwrap()[0];
        prop_assert_eq!(mine.branch().unwrap(), rival.branch().unwrap().value());
        prop_assert_eq!(&mine.host, &rival.uri.host_with_port.host.to_string());
        prop_assert_eq!(ours.call_id().unwrap(), theirs.call_id_header().unwrap().value());
        prop_assert_eq!(ours.headers().count(), theirs.headers.iter().count());
        prop_assert_eq!(ours.body(), &theirs.body[..]);
    }

    #[test]
    fn responses_are_read_alike(
        code in prop::sample::select(vec![100u16, 180, 200, 202, 302, 400, 404, 481, 486, 500, 503, 603]),
        tag in token(),
        body in "[ -~]{0,40}",
    ) {
        let bytes = Builder::response(code)
            .header("Via", "SIP/2.0/TCP h.example.com;branch=z9hG4bK1")
            .header("From", "<sip:a@example.com>;tag=1")
            .header("To", format!("<sip:b@example.com>;tag={tag}"))
            .header("Call-ID", "c")
            .header("CSeq", "7 INVITE")
            .body(body)
            .build();
        let ours = Message::parse(bytes.clone()).unwrap();
        let theirs = rsip::Response::try_from(bytes).unwrap();
        prop_assert_eq!(ours.status().unwrap(), u16::from(theirs.status_code.clone()));
        let (mine, rival) = (ours.to().unwrap(), theirs.to_header().unwrap().typed().unwrap());
        prop_assert_eq!(mine.tag().unwrap(), rival.tag().unwrap().value());
        prop_assert_eq!(ours.body(), &theirs.body[..]);
    }
}

use super::*;

const L: &str = "93489432-b6be-4c67-932f-09e39a162072";
const H: &str = "6e43547f-9152-46e3-ad76-82197694fdb9";

/// Alice and Bob in both rooms.
fn in_both() -> Bench {
    let mut bench = Bench::ready();
    bench.act(r#"{"do":"join","rooms":["LOBBY","HALL"]}"#);
    bench.reply(200, &format!("{}{}",
        r#"<chanib uri="LOBBY" name="Lobby"><aib key="1" value="0,1"/></chanib><chanib uri="HALL" name="Hall"><aib key="1" value="0,1"/></chanib>"#,
        r#"<uib uri="sip:alice@example.com" id="0"/><uib uri="sip:bob@example.com" id="1"/>"#));
    bench.sent.clear();
    bench
}

/// 3.1.15.5: the notice, then who is in the lobby and in the hall.
#[test]
fn participant_lists_follow_the_notices() {
    let both = "sip:alice sip:bob";
    let three = "sip:alice sip:bob sip:carol";
    let carol = |aib: &str| format!(r#"<uib uri="sip:carol@example.com">{aib}</uib>"#);
    let aib = |value: &str| format!(r#"<aib key="1" value="{value}" domain="example.com"/>"#);
    let bob = r#"<uib uri="sip:bob@example.com"/>"#;
    let alice = r#"<uib uri="sip:alice@example.com"/>"#;
    let in_lobby = |uib: &str| format!(r#"<chanib uri="LOBBY">{uib}</chanib>"#);
    let rows: Vec<(&str, String, &str, &str)> = vec![
        // ntc:join
        ("ntc:join", carol(&aib(L)), three, both),
        ("ntc:join", carol(&aib(&L.to_uppercase())), three, both),
        ("ntc:join", carol(&(aib(L) + &aib(H))), three, three),
        (
            "ntc:join",
            carol(&aib("00000000-0000-0000-0000-000000000000")),
            both,
            both,
        ),
        (
            "ntc:join",
            carol(r#"<aib key="1" domain="example.com"/>"#),
            both,
            both,
        ),
        ("ntc:join", carol(""), both, both),
        ("ntc:join", format!("<uib>{}</uib>", aib(L)), both, both),
        (
            "ntc:join",
            format!("<uib>{}</uib>{}", aib(L), carol(&aib(L))),
            three,
            both,
        ),
        ("ntc:join", carol(&aib(&format!("{L},{H}"))), both, both),
        (
            "ntc:join",
            format!(r#"<uib uri="SIP:BOB@example.com">{}</uib>"#, aib(L)),
            both,
            both,
        ),
        // ntc:bjoin
        ("ntc:bjoin", carol(&aib(&format!("{L},{H}"))), three, three),
        ("ntc:bjoin", carol(&aib(&format!("{L}, {H}"))), three, three),
        (
            "ntc:bjoin",
            carol(&aib(&format!("{L},00000000-0000-0000-0000-000000000000"))),
            three,
            both,
        ),
        ("ntc:bjoin", carol(&aib("")), both, both),
        ("ntc:bjoin", format!("<uib>{}</uib>", aib(L)), both, both),
        // ntc:part
        ("ntc:part", in_lobby(bob), "sip:alice", both),
        (
            "ntc:part",
            format!(r#"<chanib uri="LOBBY">{bob}</chanib><chanib uri="HALL">{bob}</chanib>"#),
            "sip:alice",
            "sip:alice",
        ),
        (
            "ntc:part",
            format!("<chanib>{bob}</chanib>{}", in_lobby(bob)),
            "sip:alice",
            both,
        ),
        (
            "ntc:part",
            format!(r#"<chanib uri="ma-chan://example.com/x">{bob}</chanib>"#),
            both,
            both,
        ),
        (
            "ntc:part",
            in_lobby(&format!("<uib/>{bob}")),
            "sip:alice",
            both,
        ),
        (
            "ntc:part",
            format!(r#"<chanib uri="LOBBY"/>{bob}"#),
            both,
            both,
        ),
        // ntc:kick
        ("ntc:kick", in_lobby(bob), "sip:alice", both),
        ("ntc:kick", in_lobby(alice), "out", both),
        (
            "ntc:kick",
            in_lobby(&alice.replace("alice", "Alice")),
            "out",
            both,
        ),
        ("ntc:kick", format!("<chanib>{alice}</chanib>"), both, both),
        (
            "ntc:kick",
            format!(r#"<chanib uri="ma-chan://example.com/x">{alice}</chanib>"#),
            both,
            both,
        ),
        ("ntc:kick", in_lobby("<uib/>"), both, both),
        // ntc:quit
        ("ntc:quit", bob.to_owned(), "sip:alice", "sip:alice"),
        (
            "ntc:quit",
            format!(r#"<chanib uri="HALL"/>{bob}"#),
            both,
            "sip:alice",
        ),
        ("ntc:quit", format!(r#"<chanib/>{bob}"#), both, both),
        (
            "ntc:quit",
            format!(r#"<chanib uri="ma-chan://example.com/x"/>{bob}"#),
            both,
            both,
        ),
        // Not supported, hence dropped.
        ("ntc:usermodify", in_lobby(bob), both, both),
        ("ntc:pl", carol(&aib(L)), both, both),
        ("ntc:ploff", bob.to_owned(), both, both),
        ("NTC:quit", bob.to_owned(), both, both),
        ("rpl:join", carol(&aib(L)), both, both),
    ];
    for (id, data, lobby, hall) in rows {
        let mut bench = in_both();
        bench.body(&format!(
            r#"<ntc id="{id}" seqid="1"><data>{data}</data></ntc>"#
        ));
        assert_eq!(bench.participants(LOBBY), lobby, "{id} {data}");
        assert_eq!(bench.participants(HALL), hall, "{id} {data}");
        assert!(bench.sent.is_empty(), "{id} {data}");
        let supported = ["ntc:join", "ntc:bjoin", "ntc:part", "ntc:kick", "ntc:quit"].contains(&id);
        assert_eq!(bench.dropped.is_empty(), supported, "{id}");
        // The canary: the client still listens.
        bench.body(&format!(r#"<ntc id="ntc:join" seqid="1"><data><uib uri="sip:canary@example.com">{}</uib></data></ntc>"#, aib(H)));
        assert!(
            bench.participants(HALL).ends_with("sip:canary"),
            "{id} {data}"
        );
    }
}

#[test]
fn every_notice_of_an_envelope_counts() {
    let mut bench = in_both();
    bench.body(&format!(
        r#"<ntc id="ntc:pl" seqid="1"><data/></ntc><ntc id="ntc:part" seqid="2"><data><chanib uri="LOBBY"><uib uri="sip:bob@example.com"/></chanib></data></ntc><sys id="sys:status" seqid="3"><status busy="true"/></sys><ntc id="ntc:join" seqid="4"><data><uib uri="sip:dan@example.com"><aib key="1" value="{H}"/></uib></data></ntc>"#
    ));
    assert_eq!(bench.participants(LOBBY), "sip:alice");
    assert_eq!(bench.participants(HALL), "sip:alice sip:bob sip:dan");
    assert!(bench.client.is_server_busy());
}

#[test]
fn who_is_kicked_joins_again_before_posting() {
    let mut bench = in_both();
    bench.body(r#"<ntc id="ntc:kick" seqid="1"><data><chanib uri="LOBBY"><uib uri="sip:alice@example.com"/></chanib></data></ntc>"#);
    let state = bench.act(r#"{"do":"participants","room":"LOBBY"}"#);
    assert_eq!(
        bench.result(state).unwrap(),
        serde_json::json!({"participants": [], "joined": false, "name": "Lobby", "description": ""})
    );
    let chat = bench.act(r#"{"do":"send","room":"LOBBY","text":"x"}"#);
    assert_eq!(bench.result(chat).unwrap()["error"], "not_joined");
    assert!(bench.sent.is_empty());
    bench.act(r#"{"do":"join","rooms":["LOBBY"]}"#);
    assert_eq!(bench.command().get("id"), Some("cmd:join"));
    bench.reply(200, ROOM);
    assert_eq!(bench.participants(LOBBY), "sip:alice sip:bob");
}

#[test]
fn changed_chats_are_fetched_and_changed_properties_taken_over() {
    for (id, data, fetched, name) in [
        (
            "ntc:chatmodify",
            r#"<chanib uri="LOBBY" name="New"/>"#,
            1,
            "Lobby",
        ),
        (
            "ntc:chatmodify",
            r#"<chanib uri="LOBBY"/><chanib uri="HALL"/>"#,
            2,
            "Lobby",
        ),
        (
            "ntc:chatmodify",
            r#"<chanib/><chanib uri="ma-chan://example.com/x"/>"#,
            0,
            "Lobby",
        ),
        (
            "ntc:chanmodify",
            r#"<chanib uri="LOBBY" name="New" description="n"/>"#,
            0,
            "New",
        ),
        (
            "ntc:chanmodify",
            r#"<chanib uri="LOBBY" description="n"/>"#,
            0,
            "Lobby",
        ),
        (
            "ntc:chanmodify",
            r#"<chanib name="New"/><chanib uri="ma-chan://example.com/x" name="New"/>"#,
            0,
            "Lobby",
        ),
    ] {
        let mut bench = in_both();
        bench.body(&format!(
            r#"<ntc id="{id}" seqid="1"><data>{data}</data></ntc>"#
        ));
        assert_eq!(bench.sent.len(), fetched, "{id} {data}");
        assert!(
            bench
                .sent
                .iter()
                .all(|e| e.primitives().all(|p| p.id() == "cmd:bccontext"))
        );
        assert_eq!(bench.client.room(LOBBY).unwrap().name, name, "{id} {data}");
    }
}

#[test]
fn invitations_are_shown() {
    let mut bench = Bench::ready();
    bench.body(r#"<ntc id="ntc:invite" seqid="1"><data><chanib uri="LOBBY" name="Lobby" description="d"/><chanib uri="HALL"/></data></ntc>"#);
    let request = bench.act(r#"{"do":"received"}"#);
    let invitations = &bench.result(request).unwrap()["invitations"];
    assert_eq!(
        invitations[0],
        serde_json::json!({"uri": LOBBY, "name": "Lobby", "description": "d"})
    );
    assert_eq!(invitations.as_array().unwrap().len(), 2);
}

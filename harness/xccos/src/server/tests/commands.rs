use super::*;

/// One command: what is sent by whom, and the short form of the answer, for each of the five cases.
struct Row {
    id: &'static str,
    happy: (&'static str, &'static str),
    missing: (&'static str, &'static str),
    unknown: Option<(&'static str, &'static str)>,
    /// Sent by mallory, who is member of nothing.
    forbidden: Option<(&'static str, &'static str)>,
}

const LOBBY_URI: &str =
    r#"<chanib uri="ma-chan://example.com/93489432-b6be-4c67-932f-09e39a162072"/>"#;
const VAULT_URI: &str =
    r#"<chanib uri="ma-chan://example.com/2a1a367c-5c14-4215-b5ae-d04eacb3b203"/>"#;
const NOWHERE: &str =
    r#"<chanib uri="ma-chan://example.com/00000000-0000-0000-0000-000000000000"/>"#;
const UPDATE: &str = r#"<chanib uri="ma-chan://example.com/93489432-b6be-4c67-932f-09e39a162072" name="Lobby" description="new" parent="ma-cat://example.com/2642ebba-f56a-4891-9b92-3991eb865c92" behavior="NORMAL" siopid="" disabled="false"><audit updatedby="x" updatedon="2020-01-01T00:00:00Z" createdby="x" createdon="2020-01-01T00:00:00Z"/><info id="urn:parlano:ma:info:visibility">OPEN</info><prop id="urn:parlano:ma:prop:invite">True</prop></chanib>"#;

#[rustfmt::skip]
const ROWS: &[Row] = &[
    Row { id: "cmd:requri", happy: ("", "rpl:requri 200"), missing: ("", "rpl:requri 200"), unknown: None, forbidden: None },
    Row { id: "cmd:requi", happy: ("", "rpl:requi 200"), missing: ("", "rpl:requi 200"), unknown: None, forbidden: None },
    Row { id: "cmd:getserverinfo", happy: (r#"<sib domain="example.com" infoType="2047"/>"#, "rpl:getserverinfo 200"), missing: ("", "err 400"), unknown: None, forbidden: None },
    Row {
        id: "cmd:join",
        happy: (r#"<chanid key="0" domain="example.com" value="93489432-b6be-4c67-932f-09e39a162072"/>"#, "rpl:join 200"),
        missing: ("", "err 400"),
        unknown: Some((r#"<chanid key="0" domain="example.com" value="00000000-0000-0000-0000-000000000000"/>"#, "err 404")),
        forbidden: Some((r#"<chanid key="0" domain="example.com" value="93489432-b6be-4c67-932f-09e39a162072"/>"#, "err 403")),
    },
    Row {
        id: "cmd:bjoin",
        happy: (r#"<chanid key="5" domain="example.com" value="93489432-b6be-4c67-932f-09e39a162072"/>"#, "rpl:bjoin 200,rpl:bccontext 200"),
        missing: ("", "err 400"),
        unknown: Some((r#"<chanid key="0" domain="example.com" value="00000000-0000-0000-0000-000000000000"/>"#, "rpl:bjoin 200")),
        forbidden: Some((r#"<chanid key="0" domain="example.com" value="93489432-b6be-4c67-932f-09e39a162072"/>"#, "rpl:bjoin 200")),
    },
    Row {
        id: "cmd:bccontext",
        happy: (r#"<chanib uri="ma-chan://example.com/93489432-b6be-4c67-932f-09e39a162072"/><bcq><last cnt="25"/></bcq>"#, "rpl:bccontext 200"),
        missing: (LOBBY_URI, "err 400"),
        unknown: Some((r#"<chanib uri="ma-chan://example.com/00000000-0000-0000-0000-000000000000"/><bcq><last cnt="25"/></bcq>"#, "rpl:bccontext 404")),
        forbidden: Some((r#"<chanib uri="ma-chan://example.com/93489432-b6be-4c67-932f-09e39a162072"/><bcq><last cnt="25"/></bcq>"#, "rpl:bccontext 403")),
    },
    Row {
        id: "cmd:bcbydate",
        happy: (r#"<bcs cmp="OR"><limit cnt="50"/><text mt="PP">x</text><matchcase>false</matchcase><searchbkwds>false</searchbkwds><sortbkwds>false</sortbkwds></bcs>"#, "rpl:bc 200"),
        missing: ("", "err 400"),
        unknown: Some((r#"<bcs cmp="OR"><matchcase>false</matchcase><searchbkwds>false</searchbkwds><sortbkwds>false</sortbkwds><cib uri="ma-chan://example.com/00000000-0000-0000-0000-000000000000"/></bcs>"#, "rpl:bc 404")),
        forbidden: Some((r#"<bcs cmp="OR"><matchcase>false</matchcase><searchbkwds>false</searchbkwds><sortbkwds>false</sortbkwds><cib uri="ma-chan://example.com/93489432-b6be-4c67-932f-09e39a162072"/></bcs>"#, "rpl:bc 403")),
    },
    Row {
        id: "cmd:bcbymsg",
        happy: (r#"<bcs cmp="OR"><msgid>1</msgid><matchcase>false</matchcase><searchbkwds>false</searchbkwds><sortbkwds>false</sortbkwds></bcs>"#, "rpl:bc 200"),
        missing: ("", "err 400"), unknown: None, forbidden: None,
    },
    Row { id: "cmd:chansrch", happy: (r#"<qib qtype="BYNAME" criteria="" extended="false"/>"#, "rpl:chansrch 200"), missing: ("", "err 400"), unknown: None, forbidden: None },
    Row { id: "cmd:usrsrch", happy: (r#"<qib qtype="BYNAME" criteria="bo"/>"#, "rpl:usrsrch 200"), missing: ("", "err 400"), unknown: None, forbidden: None },
    Row { id: "cmd:chaneffquery", happy: (LOBBY_URI, "rpl:chaneffquery 200"), missing: ("", "err 400"), unknown: Some((NOWHERE, "rpl:chaneffquery 404")), forbidden: Some((VAULT_URI, "rpl:chaneffquery 404")) },
    Row { id: "cmd:chaninfo", happy: (LOBBY_URI, "rpl:chaninfo 200"), missing: ("", "err 400"), unknown: Some((NOWHERE, "rpl:chaninfo 404")), forbidden: Some((VAULT_URI, "rpl:chaninfo 404")) },
    Row { id: "cmd:cateffquery", happy: (r#"<catib uri="ma-cat://example.com/2642ebba-f56a-4891-9b92-3991eb865c92"/>"#, "rpl:cateffquery 200"), missing: ("", "err 400"), unknown: Some((r#"<catib uri="ma-cat://example.com/none"/>"#, "rpl:cateffquery 404")), forbidden: None },
    Row {
        id: "cmd:chancreate",
        happy: (r#"<chanib name="New" behavior="NORMAL" parent="ma-cat://example.com/2642ebba-f56a-4891-9b92-3991eb865c92"/>"#, "rpl:chancreate 200"),
        missing: (r#"<chanib name="New"/>"#, "err 400"),
        unknown: Some((r#"<chanib name="New" behavior="NORMAL" parent="ma-cat://example.com/none"/>"#, "err 400")),
        forbidden: Some((r#"<chanib name="New" behavior="NORMAL" parent="ma-cat://example.com/2642ebba-f56a-4891-9b92-3991eb865c92"/>"#, "rpl:chancreate 403")),
    },
    Row { id: "cmd:chanmodify", happy: (r#"<chanib uri="ma-chan://example.com/93489432-b6be-4c67-932f-09e39a162072" description="d"/>"#, "rpl:chanmodify 200"), missing: ("", "err 400"), unknown: Some((NOWHERE, "rpl:chanmodify 404")), forbidden: Some((LOBBY_URI, "rpl:chanmodify 403")) },
    Row { id: "cmd:updatenode", happy: (UPDATE, "rpl:updatenode 200"), missing: (LOBBY_URI, "err 400"), unknown: Some((NOWHERE, "err 404")), forbidden: Some((UPDATE, "err 403")) },
    Row { id: "cmd:getroomperms", happy: (LOBBY_URI, "rpl:getroomperms 200"), missing: ("", "err 400"), unknown: Some((NOWHERE, "err 404")), forbidden: Some((VAULT_URI, "err 404")) },
    Row { id: "cmd:qeulmem", happy: (LOBBY_URI, "rpl:qeulmem 200"), missing: ("", "err 400"), unknown: Some((NOWHERE, "rpl:qeulmem 404")), forbidden: Some((VAULT_URI, "rpl:qeulmem 404")) },
    Row { id: "cmd:qeulmgr", happy: (LOBBY_URI, "rpl:qeulmgr 200"), missing: ("", "err 400"), unknown: Some((NOWHERE, "rpl:qeulmgr 404")), forbidden: Some((VAULT_URI, "rpl:qeulmgr 404")) },
    Row { id: "cmd:qeulvoiced", happy: (LOBBY_URI, "rpl:qeulvoiced 200"), missing: ("", "err 400"), unknown: Some((NOWHERE, "rpl:qeulvoiced 404")), forbidden: Some((VAULT_URI, "rpl:qeulvoiced 404")) },
    Row { id: "cmd:sacemem", happy: (r#"<chanib uri="ma-chan://example.com/93489432-b6be-4c67-932f-09e39a162072"><members><prins verb="A"><uib uri="sip:mallory@example.com"/></prins></members></chanib>"#, "rpl:sacemem 200"), missing: (LOBBY_URI, "err 400"), unknown: Some((NOWHERE, "rpl:sacemem 404")), forbidden: Some((LOBBY_URI, "rpl:sacemem 403")) },
    Row { id: "cmd:sacemgr", happy: (r#"<chanib uri="ma-chan://example.com/93489432-b6be-4c67-932f-09e39a162072"><managers><prins verb="A"><uib uri="sip:bob@example.com"/></prins></managers></chanib>"#, "rpl:sacemgr 200"), missing: (LOBBY_URI, "err 400"), unknown: Some((NOWHERE, "rpl:sacemgr 404")), forbidden: Some((LOBBY_URI, "rpl:sacemgr 403")) },
    Row { id: "cmd:sacevoiced", happy: (r#"<chanib uri="ma-chan://example.com/93489432-b6be-4c67-932f-09e39a162072"><presenters><prins verb="X"><uib uri="sip:bob@example.com"/></prins></presenters></chanib>"#, "rpl:sacevoiced 200"), missing: (LOBBY_URI, "err 400"), unknown: Some((NOWHERE, "rpl:sacevoiced 404")), forbidden: Some((LOBBY_URI, "rpl:sacevoiced 403")) },
    Row { id: "cmd:getpl", happy: (LOBBY_URI, "rpl:getpl 200"), missing: ("", "err 400"), unknown: Some((NOWHERE, "rpl:getpl 404")), forbidden: Some((LOBBY_URI, "rpl:getpl 403")) },
    Row { id: "cmd:getscoped", happy: (LOBBY_URI, "rpl:getscoped 200"), missing: ("", "err 400"), unknown: Some((NOWHERE, "rpl:getscoped 404")), forbidden: Some((VAULT_URI, "rpl:getscoped 404")) },
    Row { id: "cmd:getscopedvoice", happy: (LOBBY_URI, "rpl:getscopedvoice 200"), missing: ("", "err 400"), unknown: Some((NOWHERE, "rpl:getscopedvoice 404")), forbidden: Some((VAULT_URI, "rpl:getscopedvoice 404")) },
    Row { id: "cmd:getdetails", happy: (r#"<uib uri="sip:bob@example.com"/>"#, "rpl:getdetails 200"), missing: ("", "err 400"), unknown: Some((r#"<uib uri="sip:nobody@example.com"/>"#, "rpl:getdetails 404")), forbidden: None },
    Row { id: "cmd:getuserchannels", happy: (r#"<uib uri="sip:bob@example.com"/>"#, "rpl:getuserchannels 200"), missing: ("", "err 400"), unknown: Some((r#"<uib uri="sip:nobody@example.com"/>"#, "rpl:getuserchannels 404")), forbidden: None },
    Row { id: "cmd:nodespermcreatechild", happy: ("", "rpl:nodespermcreatechild 200"), missing: ("", "rpl:nodespermcreatechild 200"), unknown: None, forbidden: None },
    Row { id: "cmd:getassociations", happy: (r#"<association domain="example.com" type="MEMBER"/>"#, "rpl:getassociations 200"), missing: ("", "err 400"), unknown: None, forbidden: None },
    Row { id: "cmd:getinv", happy: (r#"<inv inviteId="1" domain="example.com"/>"#, "rpl:getinv 200"), missing: ("", "err 400"), unknown: None, forbidden: None },
    Row { id: "cmd:getpref", happy: (r#"<pref label="kedzie.GroupChannels" seqid="0" createdefault="true"/>"#, "rpl:getpref 200"), missing: ("", "err 400"), unknown: Some((r#"<pref label="none" seqid="0" createdefault="true"/>"#, "rpl:getpref 404")), forbidden: None },
    Row { id: "cmd:setpref", happy: (r#"<pref label="own" seqid="1" createdefault="false" content="H4sIAAAAAAACA8tIzcnJBwCGphA2BQAAAA=="/>"#, "rpl:setpref 200"), missing: (r#"<pref label="own" seqid="1" createdefault="false"/>"#, "err 400"), unknown: None, forbidden: None },
    Row { id: "cmd:getfutok", happy: (r#"<ftdb channelUri="ma-chan://example.com/93489432-b6be-4c67-932f-09e39a162072" fileUrl="a.txt"/>"#, "rpl:getftok 200"), missing: (r#"<ftdb fileUrl="a.txt"/>"#, "err 400"), unknown: Some((r#"<ftdb channelUri="ma-chan://example.com/00000000-0000-0000-0000-000000000000" fileUrl="a.txt"/>"#, "rpl:getftok 404")), forbidden: Some((r#"<ftdb channelUri="ma-chan://example.com/93489432-b6be-4c67-932f-09e39a162072" fileUrl="a.txt"/>"#, "rpl:getftok 403")) },
    Row { id: "cmd:getfdtok", happy: (r#"<ftdb channelUri="ma-chan://example.com/93489432-b6be-4c67-932f-09e39a162072" fileUrl="a.txt"/>"#, "rpl:getftok 200"), missing: ("", "err 400"), unknown: Some((r#"<ftdb channelUri="nonsense" fileUrl="a.txt"/>"#, "rpl:getftok 404")), forbidden: Some((r#"<ftdb channelUri="ma-chan://example.com/2a1a367c-5c14-4215-b5ae-d04eacb3b203" fileUrl="a.txt"/>"#, "rpl:getftok 404")) },
];

#[test]
fn every_command_has_its_five_cases() {
    for row in COMMANDS {
        // bcbystate and part have tests of their own.
        let known =
            ROWS.iter().any(|r| r.id == row.id) || matches!(row.id, "cmd:bcbystate" | "cmd:part");
        assert!(known, "{} is not in the test table", row.id);
    }
    for row in ROWS {
        let mut bench = Bench::new();
        let alice = bench.connect(ALICE);
        let mallory = bench.connect(MALLORY);
        let mut expect = |from, (data, answer): (&str, &str), case: &str| {
            let got = bench.command(from, row.id, data);
            assert_eq!(
                got.join(","),
                answer,
                "{} {case}: {}",
                row.id,
                bench.last_data(from)
            );
        };
        expect(alice, row.missing, "missing data");
        if let Some(unknown) = row.unknown {
            expect(alice, unknown, "unknown room");
        }
        if let Some(forbidden) = row.forbidden {
            expect(mallory, forbidden, "no permission");
        }
        expect(alice, ("<nonsense/>", "err 400"), "schema-invalid");
        expect(alice, row.happy, "happy");
    }
}

#[test]
fn answers_name_the_command_they_answer() {
    let mut bench = Bench::new();
    let alice = bench.connect(ALICE);
    bench.raw(
        alice,
        br#"<x:xccos xmlns:x="urn:parlano:xml:ns:xccos" ver="1" envid="18446744073709551615"><x:cmd id="cmd:frobnicate" seqid="7"><x:data/></x:cmd><x:cmd id="cmd:getpl" seqid="9"><x:data><x:oops/></x:data></x:cmd><x:cmd id="cmd:requri" seqid="11"><x:data/></x:cmd></x:xccos>"#,
    );
    let got: Vec<(String, u64, u64)> = bench
        .primitives(alice)
        .map(|p| {
            (
                short(&p),
                p.commandid().unwrap().envid,
                p.commandid().unwrap().seqid,
            )
        })
        .collect();
    assert_eq!(
        got,
        [
            ("err 501".to_owned(), u64::MAX, 7),
            ("err 400".to_owned(), u64::MAX, 9),
            ("rpl:requri 200".to_owned(), u64::MAX, 11),
        ]
    );
}

#[test]
fn what_is_no_document_is_a_sip_error_and_nobody_else_notices() {
    let mut bench = Bench::new();
    let alice = bench.connect(ALICE);
    let deep = format!("{}{}", "<a>".repeat(5000), "</a>".repeat(5000));
    for body in [
        &b""[..],
        b"hello",
        b"<a",
        b"\xff\xfe",
        b"<a/>",
        deep.as_bytes(),
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
    ] {
        bench.raw(alice, body);
    }
    assert_eq!(bench.statuses, vec![(alice, 400); 7]);
    assert!(bench.inbox.is_empty());
    bench.raw(99, b"<a/>");
    assert_eq!(bench.statuses.last(), Some(&(99, 481)));
}

#[test]
fn an_invalid_envelope_refuses_everything_in_it() {
    let mut bench = Bench::new();
    let alice = bench.connect(ALICE);
    bench.raw(alice, br#"<xccos xmlns="urn:parlano:xml:ns:xccos" ver="1"><cmd id="cmd:requri" seqid="3"><data/></cmd></xccos>"#);
    assert_eq!(bench.got(alice), ["err 400"]);
    bench.raw(alice, br#"<xccos xmlns="urn:other" ver="1" envid="8"><cmd id="cmd:requri" seqid="3"><data/></cmd></xccos>"#);
    assert_eq!(bench.got(alice), ["err 400"; 2]);
    assert_eq!(
        bench.primitives(alice).last().unwrap().commandid(),
        Some(MsgId { envid: 8, seqid: 3 })
    );
}

#[test]
fn server_information_is_exactly_what_was_asked_for() {
    let mut bench = Bench::new();
    let alice = bench.connect(ALICE);
    for (asked, given) in [
        (507, 251),
        (0, 0),
        (1, 1),
        (1024, 1024),
        (2047, 1787),
        (-1, 1787),
        (256, 0),
    ] {
        bench.command(
            alice,
            "cmd:getserverinfo",
            &format!(r#"<sib domain="example.com" infoType="{asked}"/>"#),
        );
        let reply = bench.primitives(alice).next().unwrap();
        let sib = reply.data().unwrap().first("sib").unwrap();
        assert_eq!(
            sib.get("infoType").unwrap(),
            given.to_string(),
            "asked for {asked}"
        );
        assert_eq!(
            sib.attrs.len(),
            2 + (given as u64).count_ones() as usize,
            "asked for {asked}"
        );
    }
}

#[test]
fn a_batch_reports_what_failed_and_sends_backchat_as_asked() {
    let mut bench = Bench::new();
    let alice = bench.joined(ALICE, &[LOBBY]);
    for n in 0..5 {
        bench.chat(alice, LOBBY, ALICE, &format!("m{n}"));
    }
    let bob = bench.connect(BOB);
    let data = format!(
        r#"<chanid key="2" domain="example.com" value="{LOBBY}, {VAULT},not-a-guid"/><chanid key="0" domain="example.com" value="{HALL}"/>"#
    );
    let got = bench.command(bob, "cmd:bjoin", &data);
    assert_eq!(
        got,
        ["rpl:bjoin 200", "rpl:bccontext 200", "rpl:bccontext 200"]
    );
    let replies: Vec<&Element> = bench.primitives(bob).map(|p| p.data().unwrap()).collect();
    assert_eq!(replies[0].all("chanib").count(), 2);
    let fib = replies[0].first("fib").unwrap();
    assert_eq!(
        fib.get("value"),
        Some(format!("{VAULT},not-a-guid").as_str())
    );
    let texts: Vec<String> = replies[1]
        .first("chanib")
        .unwrap()
        .all("msg")
        .map(|m| m.first("chat").unwrap().content())
        .collect();
    assert_eq!(texts, ["m3", "m4"]);
    assert_eq!(replies[1].first("cnt").unwrap().get("over"), Some("true"));
    assert_eq!(replies[2].first("chanib").unwrap().all("msg").count(), 0);
    // Two users are in the lobby, numbered in one list.
    let ids: Vec<&str> = replies[0].all("uib").filter_map(|u| u.get("id")).collect();
    assert_eq!(ids, ["0", "1"]);
    let lobby = replies[0].first("chanib").unwrap();
    let aibs: Vec<(&str, &str)> = lobby
        .all("aib")
        .map(|a| (a.get("key").unwrap(), a.get("value").unwrap()))
        .collect();
    assert_eq!(aibs, [("3456", "0,1"), ("11652", "0")]);
}

#[test]
fn private_rooms_do_not_leak() {
    let mut bench = Bench::new();
    let bob = bench.connect(BOB);
    type Probe<'p> = (&'p str, &'p dyn Fn(&str) -> String);
    let probes: &[Probe<'_>] = &[
        ("cmd:join", &chanid),
        ("cmd:part", &chanib),
        ("cmd:getroomperms", &chanib),
        ("cmd:chaneffquery", &chanib),
        ("cmd:getpl", &chanib),
        ("cmd:updatenode", &chanib),
        ("cmd:bccontext", &|room| {
            format!(r#"{}<bcq><last cnt="1"/></bcq>"#, chanib(room))
        }),
    ];
    for (id, data) in probes {
        let mut answer = |room: &str| {
            bench.command(bob, id, &data(room));
            let text = bench.last_data(bob);
            // All but the envelope's own numbers.
            text.split_once("<resp")
                .map(|(_, rest)| rest.to_owned())
                .unwrap()
        };
        assert_eq!(
            answer(VAULT),
            answer("00000000-0000-0000-0000-000000000000"),
            "{id}"
        );
    }
    bench.chat(bob, VAULT, BOB, "x");
    assert_eq!(bench.got(bob).last().unwrap(), "err 404");
    bench.command(bob, "cmd:chansrch", r#"<qib qtype="BYNAME" criteria=""/>"#);
    assert!(!bench.last_data(bob).contains(VAULT));
    let alice = bench.joined(ALICE, &[VAULT]);
    bench.command(
        bob,
        "cmd:getuserchannels",
        &format!(r#"<uib uri="{ALICE}"/>"#),
    );
    assert!(!bench.last_data(bob).contains(VAULT));
    bench.command(
        alice,
        "cmd:getuserchannels",
        &format!(r#"<uib uri="{ALICE}"/>"#),
    );
    assert!(bench.last_data(alice).contains(VAULT));
}

#[test]
fn permissions_are_the_bits_of_the_document() {
    let mut bench = Bench::new();
    for (user, room, bits) in [
        (ALICE, LOBBY, 3460),
        (BOB, LOBBY, 3456),
        (MALLORY, LOBBY, 2048),
        (ALICE, HALL, 7552),
        (BOB, HALL, 3200),
    ] {
        let endpoint = bench.connect(user);
        bench.command(endpoint, "cmd:getroomperms", &chanib(room));
        let reply = bench.primitives(endpoint).next().unwrap();
        let uib = reply
            .data()
            .unwrap()
            .first("chanib")
            .unwrap()
            .first("uib")
            .unwrap();
        assert_eq!(
            uib.get("chperms"),
            Some(bits.to_string().as_str()),
            "{user} {room}"
        );
        assert_eq!(uib.get("uri"), Some(user));
    }
}

#[test]
fn invitations_come_once_unless_the_client_says_otherwise() {
    let mut bench = Bench::new();
    let bob = bench.connect(BOB);
    let rooms = |bench: &Bench| {
        let reply = bench.primitives(bob).next().unwrap();
        let data = reply.data().unwrap();
        let pairs = data.first("hash").unwrap().get("value").unwrap().to_owned();
        (data.all("chanib").count(), pairs)
    };
    bench.command(
        bob,
        "cmd:getinv",
        r#"<inv inviteId="0" register="false" domain="example.com"/>"#,
    );
    let first = rooms(&bench);
    assert_eq!(first.0, 2);
    assert!(
        first.1.contains("@2020-01-01T00:00:00.000Z,"),
        "{}",
        first.1
    );
    bench.command(
        bob,
        "cmd:getinv",
        r#"<inv inviteId="1" domain="example.com"/>"#,
    );
    assert_eq!(rooms(&bench), first);
    bench.command(
        bob,
        "cmd:getinv",
        r#"<inv inviteId="0" domain="example.com"/>"#,
    );
    assert_eq!(rooms(&bench), (0, String::new()));
}

#[test]
fn associations_tell_member_from_manager_and_hold_their_limit() {
    let mut bench = Bench::new();
    let alice = bench.connect(ALICE);
    for (attrs, count) in [
        (r#"type="MEMBER""#, 3),
        (r#"type="MANAGER""#, 1),
        (r#"type="MEMBER" maxResults="2""#, 2),
        (r#"type="MEMBER" maxResult="1""#, 1),
    ] {
        bench.command(
            alice,
            "cmd:getassociations",
            &format!(r#"<association domain="example.com" {attrs}/>"#),
        );
        let reply = bench.primitives(alice).next().unwrap();
        let association = reply.data().unwrap().first("association").unwrap();
        assert_eq!(association.all("chanib").count(), count, "{attrs}");
    }
}

#[test]
fn room_searches_read_every_attribute() {
    let mut bench = Bench::new();
    let alice = bench.connect(ALICE);
    for (query, names) in [
        (
            r#"<qib qtype="BYNAME" criteria=""/>"#,
            "Lobby,Town Hall,Vault",
        ),
        (r#"<qib qtype="BYNAME" criteria="LOB"/>"#, "Lobby"),
        (r#"<qib qtype="BYNAME" criteria="meets"/>"#, ""),
        (
            r#"<qib qtype="BYNAME" criteria="meets" extended="true"/>"#,
            "Lobby",
        ),
        (r#"<qib qtype="BYNAME" criteria="hall town"/>"#, ""),
        (
            r#"<qib qtype="BYNAME" criteria="hall town" matchExactPhrase="false"/>"#,
            "Town Hall",
        ),
        (
            r#"<qib qtype="BYNAME" criteria="hall lobby" matchExactPhrase="false"/>"#,
            "",
        ),
        (
            r#"<qib qtype="BYNAME" criteria="hall lobby" matchExactPhrase="false" matchAll="false"/>"#,
            "Lobby,Town Hall",
        ),
        (
            r#"<qib qtype="BYNAME" criteria="" maxResults="1"/>"#,
            "Lobby",
        ),
        (
            r#"<qib qtype="BYNAME" criteria="" catUri="ma-cat://example.com/none"/>"#,
            "",
        ),
        (r#"<filtib/>"#, "Lobby,Town Hall,Vault"),
        (
            r#"<filtib criteria="everybody" includeTopic="true"/>"#,
            "Lobby,Vault",
        ),
        (r#"<filtib vis="2"/>"#, "Vault"),
        (r#"<filtib type="5"/>"#, "Town Hall"),
        (r#"<filtib disabled="true"/>"#, ""),
        (r#"<filtib searchInvites="true"/>"#, "Lobby,Town Hall,Vault"),
        (r#"<filtib searchInvites="true" invites="false"/>"#, ""),
        (
            r#"<filtib addinGuid="93109AFC-D91D-45A1-96F4-6DCBBB31B640"/>"#,
            "",
        ),
        (
            r#"<filtib><member><uib uri="sip:bob@example.com"/></member></filtib>"#,
            "Lobby,Town Hall",
        ),
        (
            r#"<filtib><manager verb="A"><uib uri="sip:alice@example.com"/></manager></filtib>"#,
            "Lobby",
        ),
        (r#"<filtib maxResults="2"/>"#, "Lobby,Town Hall"),
    ] {
        bench.command(alice, "cmd:chansrch", query);
        let reply = bench.primitives(alice).next().unwrap();
        let found: Vec<&str> = reply
            .data()
            .unwrap()
            .all("chanib")
            .filter_map(|c| c.get("name"))
            .collect();
        assert_eq!(found.join(","), names, "{query}");
        let cnt = reply
            .data()
            .unwrap()
            .first("cnt")
            .map(|c| c.get("over").unwrap().to_owned());
        let over = query.contains("maxResults").to_string();
        assert_eq!(cnt, (!names.is_empty()).then(|| over.clone()), "{query}");
    }
}

#[test]
fn preferences_detect_conflicts() {
    let mut bench = Bench::new();
    let alice = bench.connect(ALICE);
    let pref = |seqid: u64| {
        format!(
            r#"<pref label="own" seqid="{seqid}" createdefault="false" content="H4sIAAAAAAACA8tIzcnJBwCGphA2BQAAAA=="/>"#
        )
    };
    assert_eq!(
        bench.command(alice, "cmd:setpref", &pref(1)),
        ["rpl:setpref 200"]
    );
    assert_eq!(
        bench.command(alice, "cmd:setpref", &pref(2)),
        ["rpl:setpref 200"]
    );
    assert_eq!(
        bench.command(alice, "cmd:setpref", &pref(1)),
        ["rpl:setpref 409"]
    );
    assert_eq!(
        bench.command(alice, "cmd:setpref", &pref(9)),
        ["rpl:setpref 409"]
    );
    bench.command(
        alice,
        "cmd:getpref",
        r#"<pref label="own" seqid="0" createdefault="true"/>"#,
    );
    assert!(bench.last_data(alice).contains(r#"seqid="3""#));
    let bad = r#"<pref label="own" seqid="3" createdefault="false" content="aGVsbG8="/>"#;
    assert_eq!(bench.command(alice, "cmd:setpref", bad), ["err 400"]);
}

#[test]
fn tokens_work_once_for_their_file_and_time() {
    let mut bench = Bench::new();
    let alice = bench.connect(ALICE);
    let token = |bench: &mut Bench| {
        bench.command(
            alice,
            "cmd:getfutok",
            &format!(r#"<ftdb channelUri="{}" fileUrl="a.txt"/>"#, uri(LOBBY)),
        );
        let reply = bench.primitives(alice).next().unwrap();
        reply
            .data()
            .unwrap()
            .first("token")
            .unwrap()
            .get("token")
            .unwrap()
            .to_owned()
    };
    let (a, b) = (token(&mut bench), token(&mut bench));
    assert_ne!(a, b);
    let now = bench.now();
    let lobby = uri(LOBBY);
    let mut redeem = |now, token: &str, direction, file: &str| {
        bench
            .server
            .redeem(now, token, direction, &lobby, file)
            .map(|t| t.user)
    };
    assert_eq!(
        redeem(now, "x", Direction::Upload, "a.txt"),
        Err(TokenError::Unknown)
    );
    assert_eq!(
        redeem(now, &a, Direction::Download, "a.txt"),
        Err(TokenError::Mismatch)
    );
    assert_eq!(
        redeem(now, &a, Direction::Upload, "b.txt"),
        Err(TokenError::Mismatch)
    );
    assert_eq!(
        redeem(now, &a, Direction::Upload, "a.txt"),
        Ok(ALICE.to_owned())
    );
    assert_eq!(
        redeem(now, &a, Direction::Upload, "a.txt"),
        Err(TokenError::Used)
    );
    let later = Now {
        since: now.since + Duration::from_secs(61),
        ..now
    };
    assert_eq!(
        redeem(later, &b, Direction::Upload, "a.txt"),
        Err(TokenError::Expired)
    );
}

use super::*;

#[test]
fn commands_are_what_their_sections_ask() {
    let now = "2026-01-02T03:04:05.000Z";
    for (action, id, data) in [
        (
            r#"{"do":"join","rooms":["LOBBY"]}"#,
            "cmd:join",
            r#"<chanid key="0" value="93489432-b6be-4c67-932f-09e39a162072" domain="example.com"/>"#,
        ),
        (
            r#"{"do":"join","rooms":["LOBBY","HALL"]}"#,
            "cmd:bjoin",
            r#"<chanid key="0" value="93489432-b6be-4c67-932f-09e39a162072,6e43547f-9152-46e3-ad76-82197694fdb9" domain="example.com"/>"#,
        ),
        (
            r#"{"do":"search_rooms","text":"Proj"}"#,
            "cmd:chansrch",
            r#"<qib qtype="BYNAME" criteria="Proj" extended="false" keywords=""/>"#,
        ),
        (
            r#"{"do":"search_rooms","text":"a &lt; b","descriptions":true}"#,
            "cmd:chansrch",
            r#"<qib qtype="BYNAME" criteria="a &amp;lt; b" extended="true" keywords=""/>"#,
        ),
        (
            r#"{"do":"invitations"}"#,
            "cmd:getinv",
            r#"<inv inviteId="0" domain="example.com"/>"#,
        ),
        (
            r#"{"do":"associations","type":"MANAGER","max_results":7}"#,
            "cmd:getassociations",
            r#"<association domain="example.com" type="MANAGER" maxResults="7"/>"#,
        ),
        (
            r#"{"do":"room_details","room":"LOBBY"}"#,
            "cmd:chaneffquery",
            r#"<chanib uri="LOBBY"/>"#,
        ),
        (
            r#"{"do":"room_permissions","room":"LOBBY"}"#,
            "cmd:getroomperms",
            r#"<chanib uri="LOBBY"/>"#,
        ),
        (
            r#"{"do":"modify_room","room":"LOBBY"}"#,
            "cmd:chaneffquery",
            r#"<chanib uri="LOBBY"/>"#,
        ),
        (
            r#"{"do":"preferences"}"#,
            "cmd:getpref",
            r#"<pref label="kedzie.GroupChannels" seqid="0" createdefault="true"/>"#,
        ),
        (
            r#"{"do":"file_token","room":"LOBBY","file":"ma-filelink://x/y","direction":"upload"}"#,
            "cmd:getfutok",
            r#"<ftdb channelUri="LOBBY" fileUrl="ma-filelink://x/y"/>"#,
        ),
        (
            r#"{"do":"file_token","room":"LOBBY","file":"a.txt","direction":"download"}"#,
            "cmd:getfdtok",
            r#"<ftdb channelUri="LOBBY" fileUrl="a.txt"/>"#,
        ),
        (
            r#"{"do":"history","room":"LOBBY"}"#,
            "cmd:bccontext",
            r#"<chanib uri="LOBBY"/><bcq><last cnt="25"/></bcq>"#,
        ),
        (
            r#"{"do":"history","room":"LOBBY","count":3}"#,
            "cmd:bccontext",
            r#"<chanib uri="LOBBY"/><bcq><last cnt="3"/></bcq>"#,
        ),
        (
            r#"{"do":"leave","room":"LOBBY"}"#,
            "cmd:part",
            r#"<chanib uri="LOBBY"/>"#,
        ),
        (
            r#"{"do":"search_messages","rooms":["LOBBY"],"words":["a","b c"],"match":"all","authors":["sip:bob@example.com"],"limit":5}"#,
            "cmd:bcbydate",
            &format!(
                r#"<bcs cmp="AND"><limit cnt="5"/><text mt="PP">a</text><text mt="PP">b c</text><matchcase>false</matchcase><searchbkwds>false</searchbkwds><sortbkwds>false</sortbkwds><date from="1899-12-30T00:00:00.000Z" to="{now}"/><uib uri="sip:bob@example.com"/><cib uri="LOBBY"/></bcs>"#
            ),
        ),
        (
            r#"{"do":"search_messages","words":["a"],"from":"2025-01-01T00:00:00Z","to":"2025-02-01T00:00:00Z"}"#,
            "cmd:bcbydate",
            r#"<bcs cmp="OR"><limit cnt="50"/><text mt="PP">a</text><matchcase>false</matchcase><searchbkwds>false</searchbkwds><sortbkwds>false</sortbkwds><date from="2025-01-01T00:00:00Z" to="2025-02-01T00:00:00Z"/></bcs>"#,
        ),
    ] {
        let mut bench = Bench::in_lobby();
        bench.act(action);
        assert_eq!(bench.sent.len(), 1, "{action}");
        let envid = bench.last_id().envid;
        assert_eq!(
            String::from_utf8(bench.sent[0].to_bytes()).unwrap(),
            format!(
                r#"<xccos xmlns="urn:parlano:xml:ns:xccos" ver="1" envid="{envid}"><cmd id="{id}" seqid="1"><data>{}</data></cmd></xccos>"#,
                data.replace("LOBBY", LOBBY)
            ),
            "{action}"
        );
    }
}

#[test]
fn a_modified_room_keeps_what_is_not_changed_and_sends_its_audit_back() {
    let current = r#"<chanib uri="LOBBY" name="Old" description="d" parent="ma-cat://example.com/c" behavior="NORMAL" disabled="false" topic="t" siopname="n" siopid="s"><audit updatedby="u" updatedon="2011-10-05T22:10:39.9414558Z"/><info id="urn:parlano:ma:info:ucnt">2</info><info id="urn:parlano:ma:info:visibility">OPEN</info><prop id="urn:parlano:ma:prop:logged">True</prop><prop id="urn:parlano:ma:prop:invite">True</prop></chanib>"#;
    let audit = r#"<audit updatedby="u" updatedon="2011-10-05T22:10:39.9414558Z"/>"#;
    let visibility = |v: &str| format!(r#"<info id="urn:parlano:ma:info:visibility">{v}</info>"#);
    let invite = |v: &str| format!(r#"<prop id="urn:parlano:ma:prop:invite">{v}</prop>"#);
    for (change, attributes, rest) in [
        (
            r#""name":"New""#,
            r#"name="New" parent="ma-cat://example.com/c" description="d" behavior="NORMAL" siopid="s" disabled="false""#,
            visibility("OPEN") + &invite("True"),
        ),
        (
            r#""description":"e","parent":"ma-cat://example.com/x","behavior":"AUDITORIUM","disabled":true,"siopid":"","visibility":"PRIVATE","invite":false"#,
            r#"name="Old" parent="ma-cat://example.com/x" description="e" behavior="AUDITORIUM" siopid="" disabled="true""#,
            visibility("PRIVATE") + &invite("False"),
        ),
        (
            r#""members":{"add":["sip:bob@example.com"],"remove":["DC=x"]},"presenters":{"replace":[]}"#,
            r#"name="Old" parent="ma-cat://example.com/c" description="d" behavior="NORMAL" siopid="s" disabled="false""#,
            visibility("OPEN")
                + &invite("True")
                + r#"<members><prins verb="A"><uib uri="sip:bob@example.com" type="5" disabled="false"/></prins><prins verb="R"><gib type="10" path="DC=x"/></prins></members><presenters><prins verb="X"/></presenters>"#,
        ),
    ] {
        let mut bench = Bench::ready();
        let request = bench.act(&format!(
            r#"{{"do":"modify_room","room":"LOBBY",{change}}}"#
        ));
        bench.reply(200, current);
        let body = String::from_utf8(bench.sent[1].to_bytes()).unwrap();
        let expect = format!(
            r#"<cmd id="cmd:updatenode" seqid="1"><data><chanib uri="LOBBY" {attributes}>{audit}{rest}</chanib></data></cmd></xccos>"#
        )
        .replace("LOBBY", LOBBY);
        assert!(body.ends_with(&expect), "{body}\nwanted\n{expect}");
        bench.reply(200, r#"<chanib uri="LOBBY" name="New" description="d"/>"#);
        assert_eq!(bench.result(request).unwrap()["room"]["name"], "New");
    }
}

#[test]
fn uploads_get_a_file_address_of_their_own() {
    let mut bench = Bench::ready();
    let mut urls = Vec::new();
    for file in ["a.txt", "a.txt", "b"] {
        bench.act(&format!(
            r#"{{"do":"file_token","room":"LOBBY","file":"{file}","direction":"upload"}}"#
        ));
        let ftdb = bench
            .command()
            .first("data")
            .unwrap()
            .first("ftdb")
            .unwrap();
        let url = ftdb.get("fileUrl").unwrap().to_owned();
        assert!(url.starts_with(&LOBBY.replace("ma-chan", "ma-filelink")));
        assert!(url.ends_with(&format!("/{file}/")), "{url}");
        assert!(!urls.contains(&url));
        urls.push(url);
    }
}

#[test]
fn a_chat_says_who_where_and_when() {
    let mut bench = Bench::in_lobby();
    bench.act(r#"{"do":"send","room":"LOBBY","text":"a<b","rtf":"{\\rtf}","alert":true}"#);
    let envid = bench.last_id().envid;
    assert_eq!(
        String::from_utf8(bench.sent[0].to_bytes()).unwrap(),
        format!(
            r#"<xccos xmlns="urn:parlano:xml:ns:xccos" ver="1" envid="{envid}"><grpchat id="grpchat" seqid="1" chanUri="{LOBBY}" author="sip:alice@example.com" authdisp="Alice" alert="true" chatId="0" ts="2026-01-02T03:04:05.000Z"><originatingMessageId seqid="1" envid="{envid}"/><chat>a&lt;b</chat><rtf>{{\rtf}}</rtf></grpchat></xccos>"#
        )
    );
    let request = bench.act(r#"{"do":"send","room":"LOBBY","text":"\u0001"}"#);
    assert_eq!(bench.result(request).unwrap()["error"], "failed");
    assert_eq!(bench.sent.len(), 1, "what XML cannot carry is not sent");
}

#[test]
fn envelopes_are_numbered_upwards_and_primitives_within_them() {
    let mut bench = Bench::new(Config {
        retrieve: true,
        ..Bench::config()
    });
    bench.sign_in();
    bench.reply(200, r#"<sib infoType="1"/>"#);
    bench.act(r#"{"do":"preferences"}"#);
    let numbers: Vec<_> = bench
        .sent
        .iter()
        .flat_map(|e| {
            e.primitives()
                .map(|p| (p.msg_id().unwrap(), p.id()))
                .map(|(id, name)| (id.envid, id.seqid, name.to_owned()))
                .collect::<Vec<_>>()
        })
        .collect();
    let expect = [
        (100, 1, "cmd:getserverinfo"),
        (101, 1, "cmd:getinv"),
        (102, 1, "cmd:getassociations"),
        (102, 2, "cmd:getassociations"),
        (103, 1, "cmd:getpref"),
    ];
    assert_eq!(numbers, expect.map(|(e, s, n)| (e, s, n.to_owned())));
    let inv = bench.sent[1].primitives().next().unwrap();
    let inv = inv.data().unwrap().first("inv").unwrap();
    assert_eq!(inv.get("register"), Some("false"));
}

#[test]
fn what_needs_a_dialog_or_a_room_says_so() {
    for (state, action, error) in [
        ("out", r#"{"do":"join","rooms":["LOBBY"]}"#, "not_signed_in"),
        ("out", r#"{"do":"sign_out"}"#, "not_signed_in"),
        ("lost", r#"{"do":"preferences"}"#, "disconnected"),
        (
            "ready",
            r#"{"do":"send","room":"LOBBY","text":"x"}"#,
            "not_joined",
        ),
        ("ready", r#"{"do":"history","room":"LOBBY"}"#, "not_joined"),
        ("ready", r#"{"do":"leave","room":"LOBBY"}"#, "not_joined"),
        ("ready", r#"{"do":"join","rooms":[]}"#, "failed"),
        ("ready", r#"{"do":"join","rooms":["lobby"]}"#, "failed"),
        ("ready", r#"{"do":"cancel","request":77}"#, "failed"),
        ("ready", r#"{"do":"room_management_url"}"#, "disabled"),
    ] {
        let mut bench = match state {
            "out" => Bench::new(Bench::config()),
            _ => Bench::ready(),
        };
        if state == "lost" {
            bench.client.dialog_down(1, "BYE");
            bench.drain();
        }
        let request = bench.act(action);
        assert_eq!(bench.result(request).unwrap()["error"], error, "{action}");
        assert!(bench.sent.is_empty(), "{action}");
    }
}

use super::*;

#[test]
fn a_join_fills_the_participant_list_and_asks_for_history() {
    let beside = r#"<uib uri="sip:alice@example.com" id="0"/><uib uri="sip:bob@example.com" id="1"/><uib uri="sip:carol@example.com" id="-2"/><uib uri="sip:noid@example.com"/>"#;
    for (name, data, participants) in [
        (
            "beside",
            format!(r#"<chanib uri="LOBBY" name="L"><aib key="1" value="0,1"/></chanib>{beside}"#),
            "sip:alice sip:bob",
        ),
        (
            "inside",
            format!(r#"<chanib uri="LOBBY" name="L">{beside}<aib key="1" value="0,1"/></chanib>"#),
            "sip:alice sip:bob",
        ),
        (
            "blanks, unknown and repeated keys",
            format!(
                r#"<chanib uri="LOBBY"><aib key="1" value=" 1 , 7,,x, -2,1"/></chanib>{beside}"#
            ),
            "sip:bob sip:carol",
        ),
        (
            "two roles",
            format!(
                r#"<chanib uri="LOBBY"><aib key="1" value="1,0"/><aib key="2" value="0,-2"/></chanib>{beside}"#
            ),
            "sip:bob sip:alice sip:carol",
        ),
        (
            "no role block",
            format!(r#"<chanib uri="LOBBY"/>{beside}"#),
            "",
        ),
        (
            "upper case",
            format!(
                r#"<chanib uri="{}"><aib key="1" value="0"/></chanib>{beside}"#,
                LOBBY.to_uppercase()
            ),
            "sip:alice",
        ),
        (
            "no URI in the only block",
            format!(r#"<chanib><aib key="1" value="0"/></chanib>{beside}"#),
            "sip:alice",
        ),
        (
            "another room",
            format!(r#"<chanib uri="HALL"><aib key="1" value="0"/></chanib>{beside}"#),
            "out",
        ),
        ("no room", beside.to_owned(), "out"),
    ] {
        let mut bench = Bench::ready();
        let request = bench.act(r#"{"do":"join","rooms":["LOBBY"],"active":false}"#);
        bench.reply(200, &data);
        assert_eq!(bench.participants(LOBBY), participants, "{name}");
        if participants == "out" {
            assert_eq!(bench.result(request).unwrap()["error"], "failed", "{name}");
            assert_eq!(bench.sent.len(), 1, "{name}");
        } else {
            assert_eq!(bench.command().get("id"), Some("cmd:bccontext"), "{name}");
        }
    }
}

#[test]
fn several_rooms_are_joined_at_once_and_some_fail() {
    for (active, count) in [(true, "25"), (false, "1")] {
        let mut bench = Bench::ready();
        let vault = "ma-chan://example.com/2a1a367c-5c14-4215-b5ae-d04eacb3b203";
        let request = bench.act(&format!(
            r#"{{"do":"join","rooms":["LOBBY","{vault}","HALL"],"active":{active}}}"#
        ));
        bench.reply(200, r#"<chanib uri="HALL" name="Hall" description="h"><aib key="1" value="1"/></chanib><chanib uri="LOBBY" name="Lobby" description="l"><aib key="1" value="0,1"/></chanib><uib uri="sip:alice@example.com" id="0"/><uib uri="sip:bob@example.com" id="1"/><fib key="OPERATION_FAILED" value="2a1a367c-5c14-4215-b5ae-d04eacb3b203" domain="example.com"/>"#);
        let result = bench.result(request).unwrap();
        assert_eq!(
            result,
            serde_json::json!({
                "rooms": [
                    {"uri": HALL, "name": "Hall", "description": "h", "participants": ["sip:bob@example.com"]},
                    {"uri": LOBBY, "name": "Lobby", "description": "l", "participants": [ALICE, "sip:bob@example.com"]},
                ],
                "failed": [vault],
            })
        );
        let asked: Vec<_> = bench.sent[1..]
            .iter()
            .map(|e| {
                let command = e.primitives().next().unwrap();
                let data = command.data().unwrap();
                let last = data.first("bcq").unwrap().first("last").unwrap();
                (
                    data.first("chanib").unwrap().get("uri").unwrap().to_owned(),
                    last.get("cnt").unwrap().to_owned(),
                )
            })
            .collect();
        assert_eq!(
            asked,
            [HALL, LOBBY].map(|r| (r.to_owned(), count.to_owned()))
        );
    }
}

#[test]
fn backchat_of_a_bjoin_counts_only_when_it_was_asked_for() {
    for (backchat, last) in [(0, 0), (100, 4)] {
        let mut bench = Bench::ready_with(Config {
            backchat,
            ..Bench::config()
        });
        bench.act(r#"{"do":"join","rooms":["LOBBY","HALL"]}"#);
        let bjoin = bench.last_id();
        let key = bench
            .command()
            .first("data")
            .unwrap()
            .first("chanid")
            .unwrap();
        assert_eq!(key.get("key"), Some(backchat.to_string().as_str()));
        bench.reply(200, r#"<chanib uri="LOBBY"/><chanib uri="HALL"/>"#);
        bench.reply_to(bjoin, "rpl:bccontext", 200, r#"<chanib uri="LOBBY"><msg id="grpchat" chanUri="LOBBY" chatId="4"><chat>x</chat></msg></chanib>"#);
        assert_eq!(bench.client.room(LOBBY).unwrap().last_message_id, last);
        assert_eq!(bench.sent.len(), if backchat > 0 { 1 } else { 3 });
    }
}

#[test]
fn leaving_is_over_when_the_server_says_so() {
    let mut bench = Bench::in_lobby();
    let refused = bench.act(r#"{"do":"leave","room":"LOBBY"}"#);
    bench.reply(500, "");
    assert_eq!(bench.result(refused).unwrap()["status"], 500);
    assert_eq!(bench.participants(LOBBY), "sip:alice sip:bob");
    let request = bench.act(r#"{"do":"leave","room":"LOBBY"}"#);
    bench.reply(200, "");
    assert_eq!(bench.result(request).unwrap(), serde_json::json!({}));
    assert_eq!(bench.participants(LOBBY), "out");
}

const MSG: &str = r#"<msg id="grpchat" chanUri="LOBBY" author="sip:bob@example.com" authdisp="Bob" alert="true" chatId="78" ts="2011-10-21T21:52:47.233Z"><chat>Let's meet!</chat></msg>"#;

#[test]
fn history_and_searches_keep_to_the_rooms_asked_for() {
    let message = serde_json::json!({"room": LOBBY, "chat_id": 78, "author": "sip:bob@example.com",
        "author_name": "Bob", "ts": "2011-10-21T21:52:47.233Z", "alert": true, "text": "Let's meet!"});
    let dropped = serde_json::json!({"error": "dropped", "status": null});
    for (action, data, expect, last) in [
        (
            r#"{"do":"history","room":"LOBBY"}"#,
            format!(r#"<chanib uri="LOBBY">{MSG}</chanib>"#),
            serde_json::json!({"messages": [message]}),
            78,
        ),
        (
            r#"{"do":"history","room":"LOBBY"}"#,
            format!(r#"<chanib uri="HALL">{MSG}</chanib>"#),
            dropped.clone(),
            0,
        ),
        (
            r#"{"do":"history","room":"LOBBY"}"#,
            format!("<chanib>{MSG}</chanib>"),
            dropped.clone(),
            0,
        ),
        (
            r#"{"do":"history","room":"LOBBY"}"#,
            String::new(),
            serde_json::json!({"messages": []}),
            0,
        ),
        (
            r#"{"do":"search_messages","rooms":["LOBBY"],"words":["m"]}"#,
            format!(r#"<chanib uri="LOBBY">{MSG}</chanib><cnt value="1" over="true"/>"#),
            serde_json::json!({"messages": [message], "more": true}),
            0,
        ),
        (
            r#"{"do":"search_messages","rooms":["LOBBY"],"words":["m"]}"#,
            format!(r#"<chanib uri="HALL">{MSG}</chanib>"#),
            dropped,
            0,
        ),
        (
            r#"{"do":"search_messages","words":["m"]}"#,
            format!(r#"<chanib uri="HALL">{MSG}</chanib>"#),
            serde_json::json!({"messages": [message], "more": false}),
            0,
        ),
    ] {
        let mut bench = Bench::in_lobby();
        let request = bench.act(action);
        bench.reply(200, &data);
        assert_eq!(bench.result(request).unwrap(), expect, "{action} {data}");
        assert_eq!(
            bench.client.room(LOBBY).unwrap().last_message_id,
            last,
            "{action} {data}"
        );
    }
}

#[test]
fn a_search_over_rooms_waits_for_all_and_fails_with_the_first() {
    let mut bench = Bench::ready();
    let request = bench.act(r#"{"do":"search_messages","rooms":["LOBBY","HALL"],"words":["m"]}"#);
    let ids: Vec<_> = bench
        .sent
        .iter()
        .map(|e| e.primitives().next().unwrap().msg_id().unwrap())
        .collect();
    assert_eq!(ids.len(), 2);
    bench.reply_to(
        ids[1],
        "rpl:bc",
        200,
        &format!(r#"<chanib uri="HALL">{MSG}</chanib>"#),
    );
    assert_eq!(bench.result(request), None);
    bench.reply_to(
        ids[0],
        "rpl:bc",
        200,
        r#"<chanib uri="LOBBY"/><cnt value="1" over="true"/>"#,
    );
    let result = bench.result(request).unwrap();
    assert_eq!(
        (
            result["messages"].as_array().unwrap().len(),
            &result["more"]
        ),
        (1, &serde_json::json!(true))
    );

    let request = bench.act(r#"{"do":"search_messages","rooms":["LOBBY","HALL"],"words":["m"]}"#);
    bench.reply(404, "");
    assert_eq!(bench.result(request).unwrap()["status"], 404);
    assert_eq!(bench.client.deadline(), None, "the other part is given up");
}

#[test]
fn last_received_message_id_only_grows() {
    let mut bench = Bench::in_lobby();
    for (id, expect) in [(5, 5), (3, 5), (5, 5), (6, 6)] {
        bench.body(&format!(r#"<grpchat id="grpchat" seqid="1" chanUri="LOBBY" author="sip:bob@example.com" chatId="{id}" ts="t"><chat>x</chat></grpchat>"#));
        let request = bench.act(r#"{"do":"last_message_id","room":"LOBBY"}"#);
        assert_eq!(bench.result(request).unwrap()["last_message_id"], expect);
    }
    bench.act(r#"{"do":"history","room":"LOBBY"}"#);
    bench.reply(
        200,
        r#"<chanib uri="LOBBY"><msg chanUri="LOBBY" chatId="2"><chat/></msg></chanib>"#,
    );
    assert_eq!(bench.client.room(LOBBY).unwrap().last_message_id, 6);
    let request = bench.act(r#"{"do":"received","room":"LOBBY"}"#);
    assert_eq!(
        bench.result(request).unwrap()["messages"]
            .as_array()
            .unwrap()
            .len(),
        4
    );
}

#[test]
fn lists_come_back_as_the_sections_read_them() {
    let two =
        r#"<chanib uri="LOBBY" name="Lobby" description="d"/><chanib uri="HALL" name="Hall"/>"#;
    let rooms = |a: Option<&str>, b: Option<&str>| {
        let mut rooms = serde_json::json!([{"uri": LOBBY, "name": "Lobby", "description": "d"}, {"uri": HALL, "name": "Hall", "description": ""}]);
        for (n, t) in [a, b].into_iter().enumerate() {
            if let Some(t) = t {
                rooms[n]["timestamp"] = t.into();
            }
        }
        rooms
    };
    for (action, data, key, expect) in [
        (
            r#"{"do":"search_rooms","text":"a"}"#,
            two.to_owned(),
            "rooms",
            rooms(None, None),
        ),
        (
            r#"{"do":"associations","type":"MEMBER"}"#,
            format!(r#"<association domain="d" type="MEMBER">{two}</association>"#),
            "rooms",
            rooms(None, None),
        ),
        (
            r#"{"do":"associations","type":"MEMBER"}"#,
            two.to_owned(),
            "rooms",
            rooms(None, None),
        ),
        (
            r#"{"do":"invitations"}"#,
            format!(
                r#"{two}<hash key="inviteIds" value="5@2012-04-23T23:12:39.29Z, 12@2012-04-24T23:55:45.793Z,"/>"#
            ),
            "invitations",
            rooms(
                Some("2012-04-23T23:12:39.29Z"),
                Some("2012-04-24T23:55:45.793Z"),
            ),
        ),
        (
            r#"{"do":"invitations"}"#,
            format!(r#"{two}<hash key="other" value="5@x"/><hash key="inviteIds" value="7@t"/>"#),
            "invitations",
            rooms(Some("t"), None),
        ),
        (
            r#"{"do":"invitations"}"#,
            two.to_owned(),
            "invitations",
            rooms(None, None),
        ),
        (
            r#"{"do":"room_permissions","room":"LOBBY"}"#,
            r#"<chanib/>"#.to_owned(),
            "chperms",
            serde_json::Value::Null,
        ),
        (
            r#"{"do":"room_permissions","room":"LOBBY"}"#,
            r#"<chanib><uib uri="x" chperms="0"/></chanib>"#.to_owned(),
            "chperms",
            0.into(),
        ),
        (
            r#"{"do":"file_token","room":"LOBBY","file":"f","direction":"upload"}"#,
            r#"<token token="t" serveruri="https://h/"/>"#.to_owned(),
            "server_uri",
            "https://h/".into(),
        ),
        (
            r#"{"do":"file_token","room":"LOBBY","file":"f","direction":"upload"}"#,
            r#"<token token="" serveruri="https://h/"/>"#.to_owned(),
            "error",
            "dropped".into(),
        ),
        (
            r#"{"do":"file_token","room":"LOBBY","file":"f","direction":"download"}"#,
            String::new(),
            "error",
            "dropped".into(),
        ),
        (
            r#"{"do":"preferences"}"#,
            r#"<pref label="kedzie.UserOptions" seqid="1" createdefault="true" content="eA=="/>"#
                .to_owned(),
            "error",
            "dropped".into(),
        ),
        (
            r#"{"do":"preferences"}"#,
            r#"<pref label="kedzie.GroupChannels" seqid="1" createdefault="true" content="eA=="/>"#
                .to_owned(),
            "error",
            "failed".into(),
        ),
        (
            r#"{"do":"preferences"}"#,
            r#"<pref label="kedzie.GroupChannels" seqid="1" createdefault="true"/>"#.to_owned(),
            "channels",
            serde_json::json!([]),
        ),
    ] {
        let mut bench = Bench::ready();
        let request = bench.act(action);
        bench.reply(200, &data);
        assert_eq!(
            bench.result(request).unwrap()[key],
            expect,
            "{action} {data}"
        );
    }
}

/// "MUST NOT perform further processing" on any failure reply, whatever data it carries.
#[test]
fn failure_replies_are_not_looked_into() {
    let token = r#"<chanib uri="LOBBY" name="N"><uib uri="x" chperms="1"/><msg chanUri="LOBBY" chatId="9"><chat/></msg></chanib>"#;
    for action in [
        r#"{"do":"history","room":"LOBBY"}"#,
        r#"{"do":"join","rooms":["LOBBY","HALL"]}"#,
        r#"{"do":"search_messages","rooms":["LOBBY"],"words":["a"]}"#,
        r#"{"do":"search_rooms","text":"a"}"#,
        r#"{"do":"invitations"}"#,
        r#"{"do":"associations","type":"MEMBER"}"#,
        r#"{"do":"room_permissions","room":"LOBBY"}"#,
        r#"{"do":"modify_room","room":"LOBBY"}"#,
        r#"{"do":"preferences"}"#,
        r#"{"do":"file_token","room":"LOBBY","file":"f","direction":"upload"}"#,
    ] {
        for code in [100, 201, 299, 302, 403, 500, 699] {
            let mut bench = Bench::in_lobby();
            let before = bench.client.room(LOBBY).cloned();
            let request = bench.act(action);
            bench.reply(code, token);
            assert_eq!(
                bench.result(request).unwrap(),
                serde_json::json!({"error": "failed", "status": code}),
                "{action}"
            );
            assert_eq!(bench.client.room(LOBBY).cloned(), before, "{action}");
            assert_eq!(bench.sent.len(), 1, "{action}: nothing follows");
        }
    }
    let mut bench = Bench::ready();
    let request = bench.act(r#"{"do":"room_details","room":"LOBBY"}"#);
    bench.reply(404, "");
    assert_eq!(
        bench.result(request).unwrap(),
        serde_json::json!({"found": false})
    );
}

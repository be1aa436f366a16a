use super::*;

/// 3.1.2.1.5: a reply that must be dropped, and that it neither joins nor ends the command: the right reply still does.
#[test]
fn replies_are_dropped_step_by_step() {
    for (name, id, commandid, resp, step) in [
        (
            "1: no commandid",
            "rpl:join",
            "",
            r#"<resp code="200"/>"#,
            DropStep::NoCommandId,
        ),
        (
            "2: no seqid",
            "rpl:join",
            r#"<commandid envid="ENV"/>"#,
            r#"<resp code="200"/>"#,
            DropStep::NoSeqId,
        ),
        (
            "2: seqid is no number",
            "rpl:join",
            r#"<commandid envid="ENV" seqid="x"/>"#,
            r#"<resp code="200"/>"#,
            DropStep::NoSeqId,
        ),
        (
            "3: no envid",
            "rpl:join",
            r#"<commandid seqid="1"/>"#,
            r#"<resp code="200"/>"#,
            DropStep::NoEnvId,
        ),
        (
            "3: envid beyond 64 bits",
            "rpl:join",
            r#"<commandid seqid="1" envid="18446744073709551717"/>"#,
            r#"<resp code="200"/>"#,
            DropStep::NoEnvId,
        ),
        (
            "4: foreign envid",
            "rpl:join",
            r#"<commandid seqid="1" envid="99999"/>"#,
            r#"<resp code="200"/>"#,
            DropStep::NoMatch,
        ),
        (
            "4: foreign seqid",
            "rpl:join",
            r#"<commandid seqid="2" envid="ENV"/>"#,
            r#"<resp code="200"/>"#,
            DropStep::NoMatch,
        ),
        (
            "5: no resp",
            "rpl:join",
            r#"<commandid seqid="1" envid="ENV"/>"#,
            "",
            DropStep::NoCode,
        ),
        (
            "5: no code",
            "rpl:join",
            r#"<commandid seqid="1" envid="ENV"/>"#,
            "<resp>OK</resp>",
            DropStep::NoCode,
        ),
        (
            "6: another reply",
            "rpl:bjoin",
            r#"<commandid seqid="1" envid="ENV"/>"#,
            r#"<resp code="200"/>"#,
            DropStep::WrongId,
        ),
        (
            "6: no reply id",
            "cmd:join",
            r#"<commandid seqid="1" envid="ENV"/>"#,
            r#"<resp code="200"/>"#,
            DropStep::WrongId,
        ),
        // The first step that applies is the one taken.
        ("1 before 6", "rpl:bjoin", "", "", DropStep::NoCommandId),
        (
            "4 before 5",
            "rpl:bjoin",
            r#"<commandid seqid="2" envid="ENV"/>"#,
            "",
            DropStep::NoMatch,
        ),
        (
            "5 before 6",
            "rpl:bjoin",
            r#"<commandid seqid="1" envid="ENV"/>"#,
            "",
            DropStep::NoCode,
        ),
    ] {
        let mut bench = Bench::ready();
        let request = bench.act(r#"{"do":"join","rooms":["LOBBY"]}"#);
        let join = bench.last_id();
        let commandid = commandid.replace("ENV", &join.envid.to_string());
        let data = r#"<chanib uri="LOBBY" name="Wrong"/>"#;
        bench.body(&format!(
            r#"<rpl id="{id}" seqid="1">{commandid}{resp}<data>{data}</data></rpl>"#
        ));
        assert_eq!(bench.dropped, [step], "{name}");
        assert_eq!(bench.result(request), None, "{name}");
        assert_eq!(bench.sent.len(), 1, "{name}: no history asked");
        assert!(bench.client.room(LOBBY).is_none(), "{name}");
        bench.reply_to(join, "rpl:join", 200, ROOM);
        assert_eq!(
            bench.result(request).unwrap()["rooms"][0]["name"],
            "Lobby",
            "{name}"
        );
    }
}

#[test]
fn a_reply_counts_once_and_only_in_time() {
    for (name, end) in [
        ("answered", "reply"),
        ("refused", "refuse"),
        ("timed out", "wait"),
        ("cancelled", "cancel"),
    ] {
        let mut bench = Bench::ready();
        let request = bench.act(r#"{"do":"join","rooms":["LOBBY"]}"#);
        let join = bench.last_id();
        match end {
            "reply" => bench.reply_to(
                join,
                "rpl:join",
                200,
                r#"<chanib uri="LOBBY" name="First"/>"#,
            ),
            "refuse" => bench.reply_to(join, "rpl:join", 409, ROOM),
            "wait" => bench.ms = 10_000,
            _ => {
                let cancel = bench.act(&format!(r#"{{"do":"cancel","request":{request}}}"#));
                assert_eq!(bench.result(cancel).unwrap(), serde_json::json!({}));
                assert_eq!(bench.result(request).unwrap()["error"], "cancelled");
                assert_eq!(bench.client.deadline(), None, "the timer is off");
            }
        }
        let before = (bench.sent.len(), bench.participants(LOBBY));
        bench.reply_to(join, "rpl:join", 200, ROOM);
        assert_eq!(bench.dropped, [DropStep::NoMatch], "{name}");
        assert_eq!(
            (bench.sent.len(), bench.participants(LOBBY)),
            before,
            "{name}"
        );
        let result = bench.result(request).unwrap();
        match end {
            "reply" => assert_eq!(result["rooms"][0]["name"], "First"),
            "refuse" => assert_eq!(
                result,
                serde_json::json!({"error": "failed", "status": 409})
            ),
            "wait" => assert_eq!(result["error"], "timeout"),
            _ => {}
        }
    }
}

#[test]
fn timers_run_for_ten_seconds_each_from_its_own_sending() {
    let mut bench = Bench::ready();
    bench.ms = 1_000;
    let first = bench.act(r#"{"do":"preferences"}"#);
    bench.ms = 5_000;
    let second = bench.act(r#"{"do":"invitations"}"#);
    for (ms, ended) in [
        (10_999, [false, false]),
        (11_000, [true, false]),
        (14_999, [true, false]),
        (15_000, [true, true]),
    ] {
        bench.ms = ms;
        let now = bench.now();
        bench.client.tick(now);
        bench.drain();
        let got = [first, second].map(|r| bench.result(r).is_some_and(|r| r["error"] == "timeout"));
        assert_eq!(got, ended, "{ms} ms");
    }
    // A reply just before the end counts; the scale shortens the wait.
    let mut bench = Bench::ready_with(Config {
        time_scale: 0.1,
        ..Bench::config()
    });
    let request = bench.act(r#"{"do":"room_details","room":"LOBBY"}"#);
    assert_eq!(bench.client.deadline(), Some(Duration::from_secs(1)));
    bench.ms = 999;
    bench.reply(200, "");
    assert_eq!(bench.result(request).unwrap()["found"], true);
}

/// Step 6 as a table: which replies correspond to which commands.
#[test]
fn reply_ids_that_correspond() {
    for (command, reply, fits) in [
        ("cmd:join", "rpl:join", true),
        ("cmd:join", "rpl:bjoin", false),
        ("cmd:join", "RPL:JOIN", false),
        ("cmd:bcbydate", "rpl:bc", true),
        ("cmd:bcbystate", "rpl:bc", true),
        ("cmd:bcbydate", "rpl:bcbydate", false),
        ("cmd:getfutok", "rpl:getftok", true),
        ("cmd:getfdtok", "rpl:getftok", true),
        ("cmd:getfdtok", "rpl:getfdtok", false),
        ("cmd:requri", "rpl:requri", true),
        ("cmd:requi", "rpl:requi", true),
        ("cmd:requi", "rpl:join", false),
    ] {
        assert_eq!(
            crate::client::commands::corresponds(command, reply),
            fits,
            "{command} {reply}"
        );
    }
}

/// An envelope that breaks the schema is dropped whole, the good reply in it too; the command stays pending.
#[test]
fn a_bad_envelope_is_dropped_with_everything_in_it() {
    let mut bench = Bench::new(Bench::config());
    bench.client.check = Some(Box::new(|body| {
        match body.windows(5).any(|w| w == b"<bad>") {
            true => Err("unexpected element bad".to_owned()),
            false => Ok(()),
        }
    }));
    bench.sign_in();
    bench.reply(200, r#"<sib infoType="1"/>"#);
    let request = bench.act(r#"{"do":"room_details","room":"LOBBY"}"#);
    let MsgId { envid, seqid } = bench.last_id();
    let good = format!(
        r#"<rpl id="rpl:chaneffquery" seqid="1"><commandid seqid="{seqid}" envid="{envid}"/><resp code="200"/></rpl>"#
    );
    let wrap = |inner: &str, root: &str| {
        format!(r#"<{root} xmlns="urn:parlano:xml:ns:xccos" ver="1" envid="5">{inner}</{root}>"#)
    };
    for body in [
        wrap(&format!("{good}<bad>x</bad>"), "xccos"),
        wrap(&good, "xcos"),
        wrap(&good, "xccos").replace("urn:parlano:xml:ns:xccos", "urn:parlano:xml:ns:XCCOS"),
        wrap(&good, "xccos").replace("</xccos>", ""),
        format!("<!DOCTYPE xccos>{}", wrap(&good, "xccos")),
        String::new(),
    ] {
        let now = bench.now();
        bench.client.info(now, body.as_bytes());
        bench.drain();
        assert_eq!(bench.dropped.pop(), Some(DropStep::Schema), "{body}");
        assert_eq!(bench.result(request), None, "{body}");
    }
    bench.body(&good);
    assert_eq!(bench.result(request).unwrap()["found"], true);
}

#[test]
fn replies_in_one_envelope_and_out_of_order_find_their_commands() {
    let mut bench = Bench::ready();
    let details = bench.act(r#"{"do":"room_details","room":"LOBBY"}"#);
    let first = bench.last_id();
    let permissions = bench.act(r#"{"do":"room_permissions","room":"LOBBY"}"#);
    let second = bench.last_id();
    let reply = |id: &str, to: MsgId, data: &str| {
        format!(
            r#"<rpl id="{id}" seqid="1"><commandid seqid="{}" envid="{}"/><resp code="200"/><data>{data}</data></rpl>"#,
            to.seqid, to.envid
        )
    };
    let perms = r#"<chanib><uib uri="sip:alice@example.com" chperms="3456"/></chanib>"#;
    bench.body(&format!(
        "{}{}{}",
        reply("rpl:getroomperms", second, perms),
        reply("rpl:getroomperms", first, perms),
        reply("rpl:chaneffquery", first, "")
    ));
    assert_eq!(bench.result(permissions).unwrap()["chperms"], 3456);
    assert_eq!(bench.result(details).unwrap()["found"], true);
    assert_eq!(bench.dropped, [DropStep::WrongId]);
}

/// 3.1.13 and 3.1.14: only an echo with both numbers of the chat confirms it.
#[test]
fn a_chat_is_confirmed_by_its_own_echo() {
    for (name, origin, confirmed) in [
        (
            "its own",
            r#"<originatingMessageId seqid="1" envid="ENV"/>"#,
            true,
        ),
        ("none", "", false),
        ("no seqid", r#"<originatingMessageId envid="ENV"/>"#, false),
        ("no envid", r#"<originatingMessageId seqid="1"/>"#, false),
        (
            "foreign",
            r#"<originatingMessageId seqid="1" envid="1"/>"#,
            false,
        ),
        (
            "foreign seqid",
            r#"<originatingMessageId seqid="2" envid="ENV"/>"#,
            false,
        ),
    ] {
        let mut bench = Bench::in_lobby();
        let request = bench.act(r#"{"do":"send","room":"LOBBY","text":"x"}"#);
        let origin = origin.replace("ENV", &bench.last_id().envid.to_string());
        bench.body(&format!(
            r#"<grpchat id="grpchat" seqid="1" chanUri="LOBBY" author="sip:alice@example.com" authdisp="Alice" alert="false" chatId="9" ts="2026-01-02T03:04:06Z">{origin}<chat>x</chat></grpchat>"#
        ));
        assert_eq!(
            bench.client.room(LOBBY).unwrap().last_message_id,
            9,
            "{name}: shown anyway"
        );
        match confirmed {
            true => assert_eq!(
                bench.result(request).unwrap(),
                serde_json::json!({"chat_id": 9, "ts": "2026-01-02T03:04:06Z"})
            ),
            false => {
                assert_eq!(bench.result(request), None, "{name}");
                bench.ms = 10_000;
                let now = bench.now();
                bench.client.tick(now);
                bench.drain();
                assert_eq!(bench.result(request).unwrap()["error"], "timeout", "{name}");
            }
        }
    }
}

#[test]
fn err_ends_what_it_names() {
    let mut bench = Bench::in_lobby();
    let chat = bench.act(r#"{"do":"send","room":"LOBBY","text":"x"}"#);
    let of_chat = bench.last_id();
    let command = bench.act(r#"{"do":"preferences"}"#);
    let err = |id: Option<MsgId>| {
        let id = id.map_or(String::new(), |i| {
            i.element("commandid")
                .get("envid")
                .map_or(String::new(), |e| {
                    format!(r#"<commandid seqid="{}" envid="{e}"/>"#, i.seqid)
                })
        });
        format!(r#"<err id="error" seqid="1">{id}<resp code="400">bad</resp></err>"#)
    };
    bench.body(&err(None));
    bench.body(&err(Some(MsgId { envid: 1, seqid: 1 })));
    assert_eq!((bench.result(chat), bench.result(command)), (None, None));
    bench.body(&err(Some(of_chat)));
    assert_eq!(
        bench.result(chat).unwrap(),
        serde_json::json!({"error": "failed", "status": 400})
    );
    assert_eq!(bench.result(command), None);
}

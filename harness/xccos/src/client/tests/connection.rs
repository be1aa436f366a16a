use super::*;

/// 3.1.3 and 3.1.4, step by step: what the server does, then every dial and hang-up so far, and how sign-in ended.
#[test]
fn lookup_then_bye_then_the_channel_server() {
    let uib = r#"<uib uri="sip:chat7@example.com" guid="g" type="5" disabled="false"/>"#;
    let sib = r#"<sib infoType="1" displayName="Pool 7" roomManagementUri="https://h/"/>"#;
    let ok = |data: &'static str| Some((200, data));
    for (name, lookup, info, calls, result) in [
        (
            "both succeed",
            ok(uib),
            ok(sib),
            "dial sip:look@example.com, hang up 1, dial sip:chat7@example.com",
            serde_json::json!({"server_uri": "sip:chat7@example.com", "display_name": "Pool 7"}),
        ),
        (
            "lookup refused although it names a server",
            Some((403, uib)),
            None,
            "dial sip:look@example.com, hang up 1",
            serde_json::json!({"error": "failed", "status": 403}),
        ),
        (
            "another 2xx is a failure",
            Some((202, uib)),
            None,
            "dial sip:look@example.com, hang up 1",
            serde_json::json!({"error": "failed", "status": 202}),
        ),
        (
            "lookup without URI",
            ok(""),
            None,
            "dial sip:look@example.com, hang up 1",
            serde_json::json!({"error": "failed", "status": null}),
        ),
        (
            "lookup never answered",
            None,
            None,
            "dial sip:look@example.com, hang up 1",
            serde_json::json!({"error": "timeout", "status": null}),
        ),
        (
            "server information refused",
            ok(uib),
            Some((500, sib)),
            "dial sip:look@example.com, hang up 1, dial sip:chat7@example.com, hang up 2",
            serde_json::json!({"error": "failed", "status": 500}),
        ),
    ] {
        let mut bench = Bench::new(Config {
            lookup_uri: Some("sip:look@example.com".to_owned()),
            server_uri: None,
            ..Bench::config()
        });
        bench.sign_in();
        let command = String::from_utf8(bench.sent[0].to_bytes()).unwrap();
        assert!(command.ends_with(r#"<cmd id="cmd:requri" seqid="1"><data/></cmd></xccos>"#));
        match lookup {
            Some((code, data)) => bench.reply(code, data),
            None => {
                bench.ms += 10_000;
                bench.client.tick(bench.now());
                bench.drain();
            }
        }
        if let Some((code, data)) = info {
            bench.up();
            let command = String::from_utf8(bench.sent[1].to_bytes()).unwrap();
            assert!(
                command.contains(
                    r#"<sib domain="example.com" infoType="1791" clientVersion="parlance/"#
                ),
                "{command}"
            );
            bench.reply(code, data);
        }
        assert_eq!(bench.calls.join(", "), calls, "{name}");
        assert_eq!(bench.result(0).unwrap(), result, "{name}");
        assert_eq!(bench.client.is_ready(), name == "both succeed", "{name}");
    }
}

#[test]
fn dialogs_that_fail_or_break_end_what_is_under_way() {
    // The dial fails.
    let mut bench = Bench::new(Bench::config());
    let now = bench.now();
    bench.client.sign_in(now, 0);
    bench.client.dialog_failed(1, Some(404), "Not Found");
    bench.drain();
    assert_eq!(
        bench.result(0).unwrap(),
        serde_json::json!({"error": "sip", "status": 404})
    );

    // It breaks with commands pending; rooms are left, a new sign-in is possible.
    let mut bench = Bench::in_lobby();
    let one = bench.act(r#"{"do":"search_messages","rooms":["LOBBY","HALL"],"words":["a"]}"#);
    let two = bench.act(r#"{"do":"send","room":"LOBBY","text":"x"}"#);
    bench.client.dialog_down(7, "another dialog");
    bench.drain();
    assert_eq!(bench.result(one), None);
    bench.client.dialog_down(1, "BYE");
    bench.drain();
    for request in [one, two] {
        assert_eq!(bench.result(request).unwrap()["error"], "disconnected");
    }
    assert_eq!(bench.participants(LOBBY), "out");
    let now = bench.now();
    bench.client.sign_in(now, 90);
    bench.drain();
    assert_eq!(bench.calls.last().unwrap(), "dial sip:chat01@example.com");

    // Sign-out hangs up.
    let mut bench = Bench::in_lobby();
    let request = bench.act(r#"{"do":"sign_out"}"#);
    assert_eq!(bench.result(request).unwrap(), serde_json::json!({}));
    assert_eq!(bench.calls.last().unwrap(), "hang up 1");
    assert!(!bench.client.is_ready());
}

#[test]
fn a_refused_info_ends_its_primitives_at_once() {
    let mut bench = Bench::in_lobby();
    let command = bench.act(r#"{"do":"preferences"}"#);
    let chat = bench.act(r#"{"do":"send","room":"LOBBY","text":"x"}"#);
    let to = bench.sent[0].primitives().next().unwrap().msg_id().unwrap();
    let now = bench.now();
    bench.client.info_failed(
        now,
        bench.client.sends - 1,
        Some(503),
        "Service Unavailable",
    );
    bench.drain();
    assert_eq!(
        bench.result(command).unwrap(),
        serde_json::json!({"error": "sip", "status": 503})
    );
    assert_eq!(bench.result(chat), None, "the other INFO is not concerned");
    bench.reply_to(to, "rpl:getpref", 200, "");
    assert_eq!(bench.dropped, [DropStep::NoMatch], "the command is over");
}

#[test]
fn room_management_uses_the_servers_address_before_the_provisioned_one() {
    for (sib, provisioned, expect) in [
        (
            r#"roomManagementUrl="https://s/?a=b""#,
            None,
            Some("https://s/?a=b&clientlang=en-US&id=GUID"),
        ),
        (
            r#"roomManagementUri="https://s/""#,
            Some("https://p/"),
            Some("https://s/?clientlang=en-US&id=GUID"),
        ),
        (
            "",
            Some("https://p/"),
            Some("https://p/?clientlang=en-US&id=GUID"),
        ),
        ("", None, None),
    ] {
        let mut bench = Bench::new(Config {
            management_url: provisioned.map(str::to_owned),
            ..Bench::config()
        });
        bench.sign_in();
        bench.reply(200, &format!(r#"<sib infoType="1" {sib}/>"#));
        let request = bench.act(r#"{"do":"room_management_url","room":"LOBBY"}"#);
        let result = bench.result(request).unwrap();
        let guid = guid(LOBBY).unwrap();
        assert_eq!(
            result["url"].as_str(),
            expect.map(|e| e.replace("GUID", guid)).as_deref()
        );
    }
}

#[test]
fn a_dial_that_nobody_answers_is_given_up() {
    let mut bench = Bench::new(Bench::config());
    bench.client.sign_in(bench.now(), 0);
    bench.drain();
    assert_eq!(bench.client.deadline(), Some(Duration::from_secs(32)));
    bench.ms = 32_000;
    bench.client.tick(bench.now());
    bench.drain();
    assert_eq!(bench.result(0).unwrap()["error"], "timeout");
    assert_eq!(bench.calls.last().unwrap(), "hang up 1");
    bench.up();
    assert!(bench.sent.is_empty(), "it is over");
}

use super::*;

#[test]
fn a_chat_reaches_every_joined_endpoint_once_and_nobody_else() {
    let mut bench = Bench::new();
    let alice = bench.joined(ALICE, &[LOBBY]);
    let bob = bench.joined(BOB, &[LOBBY]);
    let bob2 = bench.joined(BOB, &[LOBBY]);
    let bob3 = bench.connect(BOB);
    let hall = bench.joined(ALICE, &[HALL]);
    bench.chat(alice, LOBBY, ALICE, "hello");
    for endpoint in [alice, bob, bob2] {
        assert_eq!(bench.got(endpoint), ["grpchat 1 hello"]);
    }
    assert!(bench.got(bob3).is_empty() && bench.got(hall).is_empty());
    let chat = bench.primitives(bob).next().unwrap();
    assert_eq!(chat.originating().unwrap().seqid, 1);
    assert_eq!(chat.element.get("authdisp"), Some("Alice"));
    assert_eq!(chat.element.get("ts"), Some("2026-01-02T03:04:05.000Z"));
}

#[test]
fn chats_are_checked_and_refused_by_err() {
    let mut bench = Bench::new();
    let alice = bench.joined(ALICE, &[LOBBY]);
    let bob = bench.joined(BOB, &[HALL]);
    let whole = chat(LOBBY, ALICE, "x");
    for attr in ["chanUri", "author", "authdisp", "alert", "chatId", "ts"] {
        let start = whole.find(&format!(" {attr}=")).unwrap();
        let open = start + whole[start..].find('"').unwrap();
        let end = open + 1 + whole[open + 1..].find('"').unwrap() + 1;
        bench.inbox.clear();
        bench.send(alice, &format!("{}{}", &whole[..start], &whole[end..]));
        assert_eq!(bench.got(alice), ["err 400"], "without {attr}");
    }
    for (from, text, expect) in [
        (alice, whole.replace("<chat>x</chat>", ""), "err 400"),
        (
            alice,
            whole.replace(r#"id="grpchat""#, r#"id="grpcht""#),
            "err 400",
        ),
        (
            alice,
            whole.replace("2026-01-02T03:04:05Z", "2026-13-02T03:04:05Z"),
            "err 400",
        ),
        (alice, chat(HALL, ALICE, "x"), "err 403"),
        (
            bob,
            chat(HALL, BOB, "members of an auditorium only read"),
            "err 403",
        ),
        (bob, chat(VAULT, BOB, "x"), "err 404"),
        (alice, chat(LOBBY, ALICE, &"x".repeat(8001)), "err 413"),
    ] {
        bench.inbox.clear();
        bench.send(from, &text);
        assert_eq!(bench.got(from), [expect], "{}", &text[..100]);
    }
    // Nothing of this counts.
    bench.inbox.clear();
    bench.send(alice, &whole);
    assert_eq!(bench.got(alice), ["grpchat 1 x"]);
}

#[test]
fn the_short_chat_is_taken_unless_strictness_is_asked_for() {
    let short = format!(
        r#"<grpchat id="grpchat" seqid="1" chanUri="{}" author="{ALICE}" ts="2026-01-02T03:04:05Z"><chat>hi</chat></grpchat>"#,
        uri(LOBBY)
    );
    for (strict, expect) in [(false, "grpchat 1 hi"), (true, "err 400")] {
        let options = Options {
            strict,
            ..Options::default()
        };
        let mut bench = Bench::with(World::sample(), options);
        let alice = bench.joined(ALICE, &[LOBBY]);
        bench.send(alice, &short);
        assert_eq!(bench.got(alice), [expect]);
        bench.inbox.clear();
        // Without a time not even the short form is taken (field note c2).
        bench.send(alice, &short.replace(r#" ts="2026-01-02T03:04:05Z""#, ""));
        assert_eq!(bench.got(alice), ["err 400"]);
    }
}

#[test]
fn the_author_is_who_the_dialog_belongs_to() {
    let mut bench = Bench::new();
    let alice = bench.joined(ALICE, &[LOBBY]);
    bench.chat(alice, LOBBY, BOB, "spoof");
    let chat = bench.primitives(alice).next().unwrap();
    assert_eq!(chat.element.get("author"), Some(ALICE));
}

#[test]
fn history_is_what_was_acknowledged() {
    let mut bench = Bench::new();
    let alice = bench.joined(ALICE, &[LOBBY]);
    for n in 1..=30 {
        bench.chat(alice, LOBBY, ALICE, &format!("word{n} &lt;b&gt;&amp;"));
    }
    let ids = |bench: &Bench| -> Vec<i64> {
        let reply = bench.primitives(alice).next().unwrap();
        let list = reply.data().unwrap().first("chanib").unwrap();
        list.all("msg")
            .map(|m| m.get("chatId").unwrap().parse().unwrap())
            .collect()
    };
    for (bcq, expect, over) in [
        (r#"<last cnt="3"/>"#, vec![28, 29, 30], "true"),
        (r#"<last cnt="100"/>"#, (1..=30).collect(), "false"),
        (r#"<msgid id="7" cnt="2"/>"#, vec![7, 8], "true"),
        (
            r#"<msgid id="7" cnt="3" pre="1" post="1"/>"#,
            vec![6, 7, 8],
            "true",
        ),
        (r#"<msgid id="29" cnt="9"/>"#, vec![29, 30], "false"),
        (r#"<msgid id="99" cnt="9"/>"#, vec![], ""),
    ] {
        bench.command(
            alice,
            "cmd:bccontext",
            &format!("{}<bcq>{bcq}</bcq>", chanib(LOBBY)),
        );
        assert_eq!(ids(&bench), expect, "{bcq}");
        let reply = bench.primitives(alice).next().unwrap();
        let cnt = reply.data().unwrap().first("cnt");
        assert_eq!(
            cnt.map(|c| c.get("over").unwrap()).unwrap_or(""),
            over,
            "{bcq}"
        );
    }
    bench.command(
        alice,
        "cmd:bccontext",
        &format!(
            r#"{}<bcq get="false"><last cnt="10"/></bcq>"#,
            chanib(LOBBY)
        ),
    );
    assert_eq!(ids(&bench), Vec::<i64>::new());
    assert!(
        bench
            .last_data(alice)
            .contains(r#"<cnt value="10" over="true"/>"#)
    );
}

#[test]
fn content_searches_read_every_element() {
    let mut bench = Bench::new();
    let alice = bench.joined(ALICE, &[LOBBY, HALL]);
    let bob = bench.joined(BOB, &[LOBBY]);
    for (from, room, author, text) in [
        (alice, LOBBY, ALICE, "Mayflower and may"),
        (bob, LOBBY, BOB, "maybe not"),
        (alice, HALL, ALICE, "bringing canned goods in May"),
        (bob, LOBBY, BOB, "nothing"),
    ] {
        bench.tick(3600.0);
        bench.chat(from, room, author, text);
    }
    let flags = |case: bool, search: bool, sort: bool| {
        format!(
            "<matchcase>{case}</matchcase><searchbkwds>{search}</searchbkwds><sortbkwds>{sort}</sortbkwds>"
        )
    };
    let plain = flags(false, false, false);
    let word = |w: &str| format!(r#"<text mt="PP">{w}</text>"#);
    let lobby = format!(r#"<cib uri="{}"/>"#, uri(LOBBY));
    let hall = format!(r#"<cib uri="{}"/>"#, uri(HALL));
    for (cmp, inner, expect) in [
        ("OR", word("may") + &plain, "Lobby:1,2 Town Hall:1"),
        ("OR", word("may") + &plain + &lobby, "Lobby:1,2"),
        (
            "OR",
            word("may") + &flags(true, false, false) + &lobby,
            "Lobby:1,2",
        ),
        (
            "OR",
            word("May") + &flags(true, false, false) + &lobby,
            "Lobby:1",
        ),
        ("OR", word("ing can") + &plain, "Town Hall:1"),
        (
            "OR",
            word("nothing") + &word("not") + &plain + &lobby,
            "Lobby:2,3",
        ),
        (
            "AND",
            word("nothing") + &word("not") + &plain + &lobby,
            "Lobby:3",
        ),
        (
            "AND",
            word("maybe") + &word("nothing") + &plain + &lobby,
            "Lobby:",
        ),
        (
            "OR",
            word("may") + &flags(false, false, true) + &lobby,
            "Lobby:2,1",
        ),
        (
            "OR",
            format!(r#"<limit cnt="1"/>{}{plain}{lobby}"#, word("may")),
            "Lobby:1",
        ),
        (
            "OR",
            format!(
                r#"<limit cnt="1"/>{}{}{lobby}"#,
                word("may"),
                flags(false, true, false)
            ),
            "Lobby:2",
        ),
        (
            "OR",
            format!(r#"{plain}<uib uri="{BOB}"/>{lobby}"#),
            "Lobby:2,3",
        ),
        (
            "OR",
            format!(r#"{plain}<date from="2026-01-02T05:00:00Z" to="2026-01-02T07:00:00Z"/>"#),
            "Lobby:2 Town Hall:1",
        ),
        (
            "OR",
            format!(r#"<msgid>2</msgid>{plain}{lobby}"#),
            "Lobby:2",
        ),
        (
            "OR",
            plain.clone() + &lobby + &hall,
            "Lobby:1,2,3 Town Hall:1",
        ),
        ("OR", word("zzz") + &plain, ""),
    ] {
        for id in ["cmd:bcbydate", "cmd:bcbystate", "cmd:bcbymsg"] {
            assert_eq!(
                bench.command(alice, id, &format!(r#"<bcs cmp="{cmp}">{inner}</bcs>"#)),
                ["rpl:bc 200"]
            );
            let reply = bench.primitives(alice).next().unwrap();
            let found: Vec<String> = reply
                .data()
                .unwrap()
                .all("chanib")
                .map(|c| {
                    let ids: Vec<&str> = c.all("msg").map(|m| m.get("chatId").unwrap()).collect();
                    let name = if c.get("uri") == Some(uri(LOBBY).as_str()) {
                        "Lobby"
                    } else {
                        "Town Hall"
                    };
                    format!("{name}:{}", ids.join(","))
                })
                .collect();
            assert_eq!(found.join(" "), expect, "{id} {cmp} {inner}");
        }
    }
}

use super::*;

#[test]
fn joins_and_parts_are_told_to_the_others_in_the_room() {
    let mut bench = Bench::new();
    let alice = bench.joined(ALICE, &[LOBBY]);
    let outside = bench.connect(ALICE);
    let bob = bench.connect(BOB);
    bench.command(bob, "cmd:join", &chanid(LOBBY));
    assert_eq!(bench.got(alice), ["ntc:join"]);
    assert_eq!(bench.got(bob), ["rpl:join 200"]);
    let notice = bench.last_data(alice);
    assert!(
        notice.contains(&format!(
            r#"<aib key="3456" value="{LOBBY}" domain="example.com"/>"#
        )),
        "{notice}"
    );
    // The user stays Joined while one endpoint is (3.2.3.1).
    let bob2 = bench.connect(BOB);
    bench.command(bob2, "cmd:join", &chanid(LOBBY));
    bench.command(bob, "cmd:part", &chanib(LOBBY));
    assert_eq!(bench.got(alice), ["ntc:join"]);
    assert_eq!(
        bench.command(bob, "cmd:part", &chanib(LOBBY)),
        ["rpl:part 409"]
    );
    bench.command(bob2, "cmd:part", &chanib(LOBBY));
    assert_eq!(bench.got(alice), ["ntc:join", "ntc:part"]);
    assert!(bench.got(outside).is_empty());
}

#[test]
fn batch_joins_are_told_per_shared_room() {
    let mut bench = Bench::new();
    let both = bench.joined(ALICE, &[LOBBY, HALL]);
    let one = bench.joined(ALICE, &[HALL]);
    let bob = bench.connect(BOB);
    bench.command(bob, "cmd:bjoin", &(chanid(LOBBY) + &chanid(HALL)));
    assert_eq!(bench.got(both), ["ntc:bjoin"]);
    assert_eq!(bench.got(one), ["ntc:bjoin"]);
    let rooms = |e| {
        bench
            .primitives(e)
            .next()
            .unwrap()
            .data()
            .unwrap()
            .all("uib")
            .count()
    };
    assert_eq!((rooms(both), rooms(one)), (2, 1));
}

#[test]
fn quits_reach_whoever_shared_a_room() {
    let mut bench = Bench::new();
    let alice = bench.joined(ALICE, &[LOBBY, HALL]);
    let idle = bench.connect(MALLORY);
    let bob = bench.joined(BOB, &[LOBBY, HALL]);
    let bob2 = bench.joined(BOB, &[LOBBY]);
    bench.disconnect(bob);
    // Another endpoint is still there: only the hall lost the user.
    assert_eq!(bench.got(alice), ["ntc:part"]);
    assert!(bench.last_data(alice).contains(HALL));
    bench.disconnect(bob2);
    assert_eq!(bench.got(alice), ["ntc:part", "ntc:quit"]);
    assert!(bench.got(idle).is_empty());
    bench.disconnect(bob2);
}

#[test]
fn changes_kick_invite_and_inform() {
    let mut bench = Bench::new();
    let alice = bench.joined(ALICE, &[LOBBY]);
    let bob = bench.joined(BOB, &[LOBBY]);
    let mallory = bench.connect(MALLORY);
    let change = |list: &str, verb: &str, user: &str| {
        format!(
            r#"<chanib uri="{}"><{list}><prins verb="{verb}"><uib uri="{user}"/></prins></{list}></chanib>"#,
            uri(LOBBY)
        )
    };
    bench.command(alice, "cmd:sacemem", &change("members", "A", MALLORY));
    assert_eq!(bench.got(mallory), ["ntc:invite"]);
    assert!(bench.last_data(mallory).contains("inviteIds"));
    bench.command(alice, "cmd:sacemgr", &change("managers", "A", BOB));
    assert_eq!(bench.got(bob), ["ntc:usermodify"]);
    bench.command(
        bob,
        "cmd:chanmodify",
        &format!(r#"<chanib uri="{}" description="other"/>"#, uri(LOBBY)),
    );
    assert_eq!(bench.got(alice).last().unwrap(), "ntc:chanmodify");
    bench.command(alice, "cmd:sacemgr", &change("managers", "R", BOB));
    bench.inbox.clear();
    bench.command(alice, "cmd:sacemem", &change("members", "R", BOB));
    assert_eq!(bench.got(alice), ["rpl:sacemem 200", "ntc:kick"]);
    assert_eq!(bench.got(bob), ["ntc:kick"]);
    bench.chat(bob, LOBBY, BOB, "still here?");
    assert_eq!(bench.got(bob).last().unwrap(), "err 403");
    bench.command(alice, "cmd:sacemem", &change("members", "X", BOB));
    let members = bench.last_data(alice);
    assert!(
        members.contains(BOB) && !members.contains(MALLORY),
        "{members}"
    );
}

#[test]
fn notices_that_nobody_asked_for() {
    let mut bench = Bench::new();
    let alice = bench.joined(ALICE, &[LOBBY]);
    let bob = bench.joined(BOB, &[LOBBY]);
    let room = uri(LOBBY);
    let user = BOB.to_owned();
    for notice in [
        Notice::ChanModify { room: room.clone() },
        Notice::ChatModify { room: room.clone() },
        Notice::UserModify {
            room: room.clone(),
            user: user.clone(),
        },
        Notice::ParticipantList {
            room: room.clone(),
            on: false,
        },
        Notice::ParticipantList {
            room: room.clone(),
            on: true,
        },
        Notice::Status { busy: true },
        Notice::Kick {
            room: room.clone(),
            user: user.clone(),
        },
        Notice::Kick { room, user },
    ] {
        let outputs = bench.server.notice(bench.now(), &notice);
        bench.take(outputs);
    }
    let expect = [
        "ntc:chanmodify",
        "ntc:chatmodify",
        "ntc:usermodify",
        "ntc:ploff",
        "ntc:pl",
        "sys:status",
        "ntc:kick",
    ];
    assert_eq!(bench.got(alice), expect);
    assert_eq!(bench.got(bob), expect);
}

#[test]
fn a_new_world_keeps_history_and_puts_out_whoever_lost_a_room() {
    let mut bench = Bench::new();
    let alice = bench.joined(ALICE, &[LOBBY]);
    let bob = bench.joined(BOB, &[LOBBY, HALL]);
    bench.chat(alice, LOBBY, ALICE, "before");
    bench.inbox.clear();
    let text = crate::world::SAMPLE
        .replacen(
            "    members: [alice, bob]\n    managers: [alice]",
            "    members: [alice]\n    managers: [alice]",
            1,
        )
        .replace("Announcements", "News");
    let world = World::parse(&text).unwrap();
    let outputs = bench.server.reload(bench.now(), world);
    bench.take(outputs);
    assert_eq!(bench.got(alice), ["ntc:kick"]);
    let mut bobs = bench.got(bob);
    bobs.sort();
    assert_eq!(bobs, ["ntc:chanmodify", "ntc:kick"]);
    bench.inbox.clear();
    bench.chat(alice, LOBBY, ALICE, "after");
    assert_eq!(bench.got(alice), ["grpchat 2 after"]);
    let outputs = bench
        .server
        .reload(bench.now(), World::empty("example.com"));
    bench.take(outputs);
    bench.chat(alice, LOBBY, ALICE, "gone");
    assert_eq!(bench.got(alice).last().unwrap(), "err 404");
}

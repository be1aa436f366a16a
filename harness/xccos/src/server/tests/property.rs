use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const USERS: [&str; 3] = [ALICE, BOB, MALLORY];
const ROOMS: [&str; 3] = [LOBBY, HALL, VAULT];

#[derive(Debug, Clone)]
enum Step {
    Connect(usize),
    Drop(usize),
    Join(usize, usize),
    Batch(usize, usize, usize),
    Part(usize, usize),
    Chat(usize, usize),
    Grant(usize, usize, bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => (0..3usize).prop_map(Step::Connect),
        1 => (0..8usize).prop_map(Step::Drop),
        4 => (0..8usize, 0..3usize).prop_map(|(e, r)| Step::Join(e, r)),
        2 => (0..8usize, 0..3usize, 0..3usize).prop_map(|(e, a, b)| Step::Batch(e, a, b)),
        2 => (0..8usize, 0..3usize).prop_map(|(e, r)| Step::Part(e, r)),
        6 => (0..8usize, 0..3usize).prop_map(|(e, r)| Step::Chat(e, r)),
        1 => (0..3usize, 0..8usize, any::<bool>()).prop_map(|(u, e, on)| Step::Grant(u, e, on)),
    ]
}

/// What an outside observer knows must hold, from replies and notices alone.
#[derive(Default)]
struct Observer {
    joined: BTreeMap<EndpointId, BTreeSet<usize>>,
    acknowledged: BTreeMap<usize, Vec<(i64, String)>>,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_commands_keeps_the_invariants(steps in proptest::collection::vec(step(), 1..60)) {
        let mut bench = Bench::new();
        let mut seen = Observer::default();
        let mut endpoints: Vec<(EndpointId, usize)> = Vec::new();
        for (user, uri) in USERS.iter().enumerate() {
            endpoints.push((bench.connect(uri), user));
        }
        for (number, step) in steps.into_iter().enumerate() {
            let pick = |n: usize| endpoints.get(n % endpoints.len().max(1)).copied();
            bench.inbox.clear();
            match step {
                Step::Connect(user) if endpoints.len() < 8 => endpoints.push((bench.connect(USERS[user]), user)),
                Step::Connect(_) => {}
                Step::Drop(n) if endpoints.len() > 1 => {
                    let (endpoint, _) = endpoints.remove(n % endpoints.len());
                    bench.disconnect(endpoint);
                    seen.joined.remove(&endpoint);
                }
                Step::Drop(_) => {}
                Step::Join(n, room) => {
                    if let Some((endpoint, _)) = pick(n)
                        && bench.command(endpoint, "cmd:join", &chanid(ROOMS[room])) == ["rpl:join 200"]
                    {
                        seen.joined.entry(endpoint).or_default().insert(room);
                    }
                }
                Step::Batch(n, a, b) => {
                    if let Some((endpoint, _)) = pick(n) {
                        bench.command(endpoint, "cmd:bjoin", &(chanid(ROOMS[a]) + &chanid(ROOMS[b])));
                        let reply = bench.primitives(endpoint).next().unwrap();
                        for chanib in reply.data().unwrap().all("chanib") {
                            let room = ROOMS.iter().position(|r| chanib.get("uri") == Some(uri(r).as_str())).unwrap();
                            seen.joined.entry(endpoint).or_default().insert(room);
                        }
                    }
                }
                Step::Part(n, room) => {
                    if let Some((endpoint, _)) = pick(n) {
                        bench.command(endpoint, "cmd:part", &chanib(ROOMS[room]));
                        seen.joined.entry(endpoint).or_default().remove(&room);
                    }
                }
                Step::Chat(n, room) => {
                    if let Some((endpoint, user)) = pick(n) {
                        let text = format!("chat {number}");
                        bench.chat(endpoint, ROOMS[room], USERS[user], &text);
                        let echo = bench.primitives(endpoint).find(|p| p.class == Class::Grpchat).map(|p| p.element.get("chatId").unwrap().parse::<i64>().unwrap());
                        if let Some(id) = echo {
                            let list = seen.acknowledged.entry(room).or_default();
                            prop_assert!(list.last().is_none_or(|(last, _)| *last < id), "chat ids grow");
                            list.push((id, text));
                        }
                        for (other, _) in &endpoints {
                            let got = bench.primitives(*other).filter(|p| p.class == Class::Grpchat).count();
                            let inside = seen.joined.get(other).is_some_and(|rooms| rooms.contains(&room));
                            let expect = usize::from(echo.is_some() && inside);
                            prop_assert_eq!(got, expect, "endpoint {} in {:?}", other, seen.joined.get(other));
                        }
                    }
                }
                Step::Grant(user, n, on) => {
                    if let Some((endpoint, _)) = pick(n) {
                        let verb = if on { "A" } else { "R" };
                        let data = format!(r#"<chanib uri="{}"><members><prins verb="{verb}"><uib uri="{}"/></prins></members></chanib>"#, uri(LOBBY), USERS[user]);
                        bench.command(endpoint, "cmd:sacemem", &data);
                        for (other, _) in &endpoints {
                            for kick in bench.primitives(*other).filter(|p| p.id() == "ntc:kick") {
                                let who = kick.data().unwrap().first("chanib").unwrap().first("uib").unwrap().get("uri").unwrap().to_owned();
                                if endpoints.iter().any(|(e, u)| e == other && USERS[*u] == who) {
                                    seen.joined.entry(*other).or_default().remove(&0);
                                }
                            }
                        }
                    }
                }
            }
            // A user is in a room exactly when one of their endpoints is.
            for (room, users) in bench.server.who_is_where() {
                let index = ROOMS.iter().position(|r| uri(r) == room).unwrap();
                let expect: BTreeSet<&str> = endpoints
                    .iter()
                    .filter(|(e, _)| seen.joined.get(e).is_some_and(|rooms| rooms.contains(&index)))
                    .map(|(_, u)| USERS[*u])
                    .collect();
                let got: BTreeSet<&str> = users.iter().map(String::as_str).collect();
                prop_assert_eq!(got, expect);
            }
        }
        for (index, room) in ROOMS.iter().enumerate() {
            let kept: Vec<(i64, String)> = bench.server.world().rooms[*room].history.iter().map(|c| (c.id, c.text.clone())).collect();
            let acknowledged = seen.acknowledged.get(&index).cloned().unwrap_or_default();
            prop_assert_eq!(kept, acknowledged);
        }
    }

    #[test]
    fn hostile_bodies_never_break_it(body in proptest::collection::vec(any::<u8>(), 0..200), xml in "<xccos[^>]{0,30}>(<(cmd|grpchat|rpl) [a-z=\"0-9: ]{0,40}/?>){0,4}</xccos>") {
        let mut bench = Bench::new();
        let alice = bench.connect(ALICE);
        bench.raw(alice, &body);
        bench.raw(alice, xml.as_bytes());
        prop_assert_eq!(bench.command(alice, "cmd:requri", ""), ["rpl:requri 200"]);
    }
}

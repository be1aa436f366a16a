use std::collections::HashSet;

use super::*;
use crate::policy::{INTEROP, Weight, weight};

#[test]
fn every_row_breaks_a_known_requirement_of_the_right_role() {
    let catalogue = crate::catalogue();
    let mut ids = HashSet::new();
    let mut wrong = Vec::new();
    for defect in defects() {
        assert!(ids.insert(defect.id), "{} stands twice", defect.id);
        for id in std::iter::once(&defect.requirement).chain(defect.also) {
            if matches!(*id, "SIP" | "SCHEMA" | "XML") || !id.starts_with("XCCOSIP-") {
                continue;
            }
            let Some(requirement) = catalogue.get(id) else {
                wrong.push(format!("{}: {id} is unknown", defect.id));
                continue;
            };
            let other = match defect.seat {
                Seat::Server => judge::Role::Client,
                Seat::Client => judge::Role::Server,
            };
            if id == &defect.requirement && requirement.role == other {
                wrong.push(format!("{}: {id} binds the other seat", defect.id));
            }
        }
        let weight = weight(defect.requirement, INTEROP);
        if defect.seat == Seat::Server && matches!(weight, Some(Weight::Off | Weight::Info)) {
            wrong.push(format!(
                "{}: {} weighs {weight:?}",
                defect.id, defect.requirement
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(ids.iter().filter(|id| id.starts_with("server/")).count() >= 110);
}

#[test]
fn unknown_names_get_a_suggestion() {
    let error = Defects::named(["server/join-unanswred"]).unwrap_err();
    assert_eq!(error.suggestion, Some("server/join-unanswered"));
    assert!(!Defects::named(["join-unanswered"]).unwrap().is_empty());
    assert_eq!(defect("join-unanswered").unwrap().section(), "3.2.4.5");
}

/// A conversation in which every server defect has its occasion; gives all that the server says.
fn conversation(defects: Defects) -> Vec<String> {
    use crate::server::{Direction, Options, Output, Server, Service};
    use crate::time::Now;

    const LOBBY: &str = "ma-chan://example.com/93489432-b6be-4c67-932f-09e39a162072";
    const ROOT: &str = "ma-cat://example.com/2642ebba-f56a-4891-9b92-3991eb865c92";
    let yaml = crate::world::SAMPLE.replace("search_limit: 999", "search_limit: 6").replace(
        "rooms:\n",
        "rooms:\n  shut: { uri: ma-chan://example.com/11111111-1111-4111-8111-111111111111, name: Shut, disabled: true, members: [alice], siopid: 93109AFC-D91D-45A1-96F4-6DCBBB31B640 }\n  quiet: { uri: ma-chan://example.com/22222222-2222-4222-8222-222222222222, name: Quiet, invite: false, members: [alice] }\n",
    );
    let world = crate::world::World::parse(&yaml).unwrap();
    let options = Options {
        seed: 7,
        defects,
        ..Options::default()
    };
    let mut server = Server::new(world, options);
    let mut said = Vec::new();
    let start: jiff::Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    let mut clock = Duration::ZERO;
    let users = ["alice", "bob", "bob", "mallory", "alice"];
    let ids: Vec<u64> = users
        .iter()
        .map(|user| {
            server.connect(
                Now::after(start, clock),
                &format!("sip:{user}@example.com"),
                Service::Channel,
            )
        })
        .collect();
    let mut number = 0;
    let mut tokens: Vec<String> = Vec::new();
    let mut hear = |outputs: Vec<Output>, clock: Duration, tokens: &mut Vec<String>| {
        for output in outputs {
            if let Output::Send { envelope, .. } = &output {
                let token = envelope
                    .primitives()
                    .filter_map(|p| Some(p.data()?.first("token")?.get("token")?.to_owned()))
                    .next();
                tokens.extend(token);
            }
            said.push(format!(
                "{clock:?} {}",
                match output {
                    Output::Send { to, envelope } =>
                        format!("{to:?} {}", String::from_utf8_lossy(&envelope.to_bytes())),
                    other => format!("{other:?}"),
                }
            ));
        }
    };
    let cmd =
        |id: &str, data: &str| format!(r#"<cmd id="cmd:{id}" seqid="1"><data>{data}</data></cmd>"#);
    let chat = |room: &str, text: &str| {
        format!(
            r#"<grpchat id="grpchat" seqid="1" chanUri="{room}" author="sip:x@example.com" authdisp="" alert="false" chatId="0" ts="2026-01-02T03:04:05Z"><chat>{text}</chat></grpchat>"#
        )
    };
    let chanid = |key: u32, list: &str| {
        format!(r#"<chanid key="{key}" domain="example.com" value="{list}"/>"#)
    };
    let lobby = "93489432-b6be-4c67-932f-09e39a162072";
    let hall = "6e43547f-9152-46e3-ad76-82197694fdb9";
    let vault = "2a1a367c-5c14-4215-b5ae-d04eacb3b203";
    let chanib = |guid: &str| format!(r#"<chanib uri="ma-chan://example.com/{guid}"/>"#);
    let flags = |case: bool, sort: bool| {
        format!(
            "<matchcase>{case}</matchcase><searchbkwds>false</searchbkwds><sortbkwds>{sort}</sortbkwds>"
        )
    };
    let list = |list: &str, verb: &str, user: &str| {
        format!(
            r#"<chanib uri="{LOBBY}"><{list}><prins verb="{verb}"><uib uri="sip:{user}@example.com"/></prins></{list}></chanib>"#
        )
    };
    let pref = |seqid: u32| {
        format!(
            r#"<pref label="own" seqid="{seqid}" createdefault="false" content="H4sIAAAAAAACA8tIzcnJBwCGphA2BQAAAA=="/>"#
        )
    };
    let room = |extra: &str| {
        format!(
            r#"<chanib uri="{LOBBY}" name="Lobby" description="other" parent="{ROOT}" behavior="NORMAL" siopid="" disabled="false">{extra}</chanib>"#
        )
    };
    let whole = r#"<audit/><info id="urn:parlano:ma:info:visibility">OPEN</info><prop id="urn:parlano:ma:prop:invite">True</prop>"#;
    let mut script: Vec<(usize, String)> = Vec::new();
    let mut say = |who: usize, text: String| script.push((who, text));
    for bits in [2047, 507, 767, 1, 0] {
        say(
            0,
            cmd(
                "getserverinfo",
                &format!(r#"<sib domain="example.com" infoType="{bits}"/>"#),
            ),
        );
    }
    say(
        0,
        cmd(
            "bjoin",
            &(chanid(2, &format!("{lobby},{hall}")) + &chanid(1, vault)),
        ),
    );
    for guid in [lobby, hall, vault] {
        say(1, cmd("join", &chanid(0, guid)));
    }
    say(2, cmd("join", &chanid(0, lobby)));
    say(3, cmd("join", &chanid(0, lobby)));
    for text in ["Mayflower", "may be", "three words here", "nothing"] {
        say(0, chat(LOBBY, text));
    }
    say(1, chat(LOBBY, "a member speaks"));
    say(
        1,
        chat(
            &format!("ma-chan://example.com/{hall}"),
            "an auditorium is silent",
        ),
    );
    say(1, chat(LOBBY, &"x".repeat(9000)));
    say(
        1,
        chat(LOBBY, "a story").replace(
            "</chat>",
            &format!("</chat><rtf>{}</rtf>", "x".repeat(17000)),
        ),
    );
    say(1, chat(LOBBY, "no name").replace(r#" authdisp="""#, ""));
    say(
        4,
        cmd(
            "bjoin",
            &chanid(
                2,
                &format!("{lobby},00000000-0000-4000-8000-000000000000,{hall}"),
            ),
        ),
    );
    for bcq in [
        r#"<bcq><last cnt="1"/></bcq>"#,
        r#"<bcq><last cnt="100"/></bcq>"#,
        r#"<bcq get="false"><last cnt="3"/></bcq>"#,
        r#"<bcq><msgid id="3" cnt="1"/></bcq>"#,
    ] {
        say(0, cmd("bccontext", &format!("{}{bcq}", chanib(lobby))));
    }
    for (cmp, inner) in [
        (
            "AND",
            format!(
                r#"<text mt="PP">may</text><text mt="PP">be</text>{}"#,
                flags(false, false)
            ),
        ),
        (
            "OR",
            format!(r#"<text mt="PP">May</text>{}"#, flags(true, true)),
        ),
        (
            "OR",
            format!(r#"<text mt="PP">o</text>{}"#, flags(false, true)),
        ),
        (
            "OR",
            format!(
                r#"<limit cnt="1"/>{}<date from="2026-01-02T03:04:05Z" to="2026-01-02T03:04:40Z"/>"#,
                flags(false, false)
            ),
        ),
        (
            "OR",
            format!(
                r#"{}<date from="2026-01-02T03:04:05Z" to="2026-01-02T03:04:20Z"/>"#,
                flags(false, false)
            ),
        ),
        (
            "OR",
            format!(
                r#"{}<uib uri="sip:bob@example.com"/><cib uri="{LOBBY}"/>"#,
                flags(false, false)
            ),
        ),
        (
            "OR",
            format!(
                r#"{}<cib uri="ma-chan://example.com/{hall}"/>"#,
                flags(false, false)
            ),
        ),
    ] {
        say(
            0,
            cmd("bcbydate", &format!(r#"<bcs cmp="{cmp}">{inner}</bcs>"#)),
        );
    }
    for query in [
        r#"<qib qtype="BYNAME" criteria=""/>"#,
        r#"<qib qtype="BYNAME" criteria="" maxResults="1"/>"#,
        r#"<qib qtype="BYNAME" criteria="meets" extended="true"/>"#,
        r#"<qib qtype="BYNAME" criteria="hall town" matchExactPhrase="false"/>"#,
        r#"<qib qtype="BYNAME" criteria="lobby hall" matchExactPhrase="false" matchAll="false"/>"#,
        r#"<qib qtype="BYNAME" criteria="" catUri="ma-cat://example.com/none"/>"#,
        r#"<filtib vis="2"/>"#,
        r#"<filtib type="5"/>"#,
        r#"<filtib disabled="true"/>"#,
        r#"<filtib disabled="true" addinGuid="06C87F9C-56EA-4280-B5DF-9C4E835022BC"/>"#,
        r#"<filtib searchInvites="true" invites="false"/>"#,
        r#"<filtib criteria="meets" includeTopic="true"/>"#,
        r#"<filtib><member><uib uri="sip:bob@example.com"/></member></filtib>"#,
        r#"<filtib><manager><uib uri="sip:alice@example.com"/></manager></filtib>"#,
        r#"<filtib/>"#,
    ] {
        say(0, cmd("chansrch", query));
    }
    say(3, cmd("chansrch", r#"<qib qtype="BYNAME" criteria=""/>"#));
    say(0, cmd("usrsrch", r#"<qib qtype="BYNAME" criteria="bo"/>"#));
    for id in [
        "chaneffquery",
        "chaninfo",
        "getroomperms",
        "qeulmem",
        "qeulmgr",
        "qeulvoiced",
        "getpl",
        "getscoped",
        "getscopedvoice",
    ] {
        say(0, cmd(id, &chanib(lobby)));
    }
    say(0, cmd("getroomperms", &chanib(hall)));
    say(1, cmd("getroomperms", &chanib(vault)));
    say(0, cmd("getroomperms", r#"<chanib uri="nonsense"/>"#));
    say(0, cmd("cateffquery", &format!(r#"<catib uri="{ROOT}"/>"#)));
    say(0, cmd("nodespermcreatechild", ""));
    say(0, cmd("getdetails", r#"<uib uri="sip:bob@example.com"/>"#));
    say(
        0,
        cmd("getuserchannels", r#"<uib uri="sip:bob@example.com"/>"#),
    );
    for inv in [
        r#"<inv inviteId="0" register="false" domain="example.com"/>"#,
        r#"<inv inviteId="0" domain="example.com"/>"#,
        r#"<inv inviteId="0" domain="example.com"/>"#,
    ] {
        say(1, cmd("getinv", inv));
    }
    for attrs in [
        r#"type="MEMBER""#,
        r#"type="MANAGER""#,
        r#"type="MEMBER" maxResults="1""#,
    ] {
        say(
            0,
            cmd(
                "getassociations",
                &format!(r#"<association domain="example.com" {attrs}/>"#),
            ),
        );
    }
    for seqid in [1, 2, 1] {
        say(0, cmd("setpref", &pref(seqid)));
    }
    say(
        0,
        cmd(
            "getpref",
            r#"<pref label="own" seqid="0" createdefault="true"/>"#,
        ),
    );
    say(
        0,
        cmd(
            "getfutok",
            &format!(r#"<ftdb channelUri="{LOBBY}" fileUrl="a.txt"/>"#),
        ),
    );
    say(
        0,
        cmd(
            "getfdtok",
            &format!(r#"<ftdb channelUri="{LOBBY}" fileUrl="a.txt"/>"#),
        ),
    );
    say(
        0,
        cmd(
            "getfdtok",
            &format!(r#"<ftdb channelUri="{LOBBY}" fileUrl="a.txt"/>"#),
        ),
    );
    say(0, cmd("frobnicate", ""));
    say(
        0,
        format!(
            "{}{}{}",
            cmd("requri", ""),
            r#"<cmd id="cmd:requri" seqid="2"><data><oops/></data></cmd>"#,
            r#"<cmd id="cmd:requri" seqid="3"><data/></cmd>"#
        ),
    );
    say(2, cmd("part", &chanib(lobby)));
    say(2, cmd("join", &chanid(0, lobby)));
    say(3, cmd("updatenode", &room(whole)));
    say(0, cmd("updatenode", &room("")));
    say(0, cmd("updatenode", &room(whole)));
    say(0, cmd("sacemem", &list("members", "A", "mallory")));
    say(0, cmd("sacemgr", &list("managers", "A", "bob")));
    say(0, cmd("sacemgr", &list("managers", "R", "bob")));
    say(0, cmd("sacevoiced", &list("presenters", "X", "bob")));
    say(0, cmd("sacevoiced", &list("presenters", "X", "alice")));
    say(
        0,
        cmd(
            "chanmodify",
            &format!(r#"<chanib uri="{LOBBY}" description="third"/>"#),
        ),
    );
    say(
        0,
        cmd(
            "chancreate",
            &format!(r#"<chanib name="Lobby" behavior="NORMAL" parent="{ROOT}"/>"#),
        ),
    );
    say(
        0,
        cmd(
            "chancreate",
            &format!(r#"<chanib name="New" behavior="NORMAL" parent="{ROOT}"/>"#),
        ),
    );
    say(
        0,
        cmd(
            "chancreate",
            &format!(r#"<chanib name="New2" parent="{ROOT}"/>"#),
        ),
    );
    say(
        0,
        cmd("chancreate", r#"<chanib name="New3" behavior="NORMAL"/>"#),
    );
    say(2, cmd("part", &chanib(lobby)));
    say(1, cmd("part", &chanib(lobby)));
    say(0, chat(LOBBY, "to those who stayed"));
    say(1, cmd("join", &chanid(0, lobby)));
    say(2, cmd("join", &chanid(0, lobby)));
    say(3, cmd("join", &chanid(0, lobby)));
    say(0, cmd("sacemem", &list("members", "R", "mallory")));
    for (who, text) in script {
        number += 1;
        clock += Duration::from_secs(5);
        let now = Now::after(start, clock);
        let body = format!(
            r#"<xccos xmlns="urn:parlano:xml:ns:xccos" ver="1" envid="{number}">{text}</xccos>"#
        );
        hear(
            server.receive(now, ids[who], body.as_bytes()),
            clock,
            &mut tokens,
        );
        hear(server.tick(now), clock, &mut tokens);
    }
    let now = Now::after(start, clock);
    let uses: Vec<String> = [("a.txt", 0), ("b.txt", 1), ("a.txt", 100)]
        .iter()
        .zip(&tokens)
        .map(|((file, later), token)| {
            let now = Now {
                since: now.since + Duration::from_secs(*later),
                ..now
            };
            let direction = if *later == 0 {
                Direction::Upload
            } else {
                Direction::Download
            };
            format!("{:?}", server.redeem(now, token, direction, LOBBY, file))
        })
        .collect();
    for endpoint in [1, 2] {
        hear(server.disconnect(now, ids[endpoint]), clock, &mut tokens);
    }
    said.extend(uses);
    said
}

#[test]
fn every_server_defect_makes_a_difference() {
    let right = conversation(Defects::default());
    assert_eq!(
        right,
        conversation(Defects::default()),
        "the seed decides everything"
    );
    let idle: Vec<&str> = defects()
        .filter(|d| d.seat == Seat::Server && !matches!(d.how, How::Carriage(_)))
        .filter(|d| conversation(Defects(vec![*d])) == right)
        .map(|d| d.id)
        .collect();
    assert!(idle.is_empty(), "{idle:#?}");
}

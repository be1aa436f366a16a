use super::*;

#[test]
fn the_sample_is_the_world_of_the_contracts() {
    let world = World::parse(SAMPLE).unwrap();
    assert_eq!(world, World::sample());
    assert_eq!(world.users.len(), 3);
    let lobby = &world.rooms["93489432-b6be-4c67-932f-09e39a162072"];
    assert_eq!(lobby.name, "Lobby");
    assert_eq!(lobby.members.len(), 2);
    let vault = &world.rooms["2a1a367c-5c14-4215-b5ae-d04eacb3b203"];
    assert_eq!(vault.visibility, Visibility::Private);
    assert_eq!(world.root().unwrap().name, "Root");
}

#[test]
fn mistakes_have_a_place_and_a_suggestion() {
    for (yaml, line, column, part, hint) in [
        (
            "domain: a.b\nromms: {}\n",
            2,
            1,
            "unknown key `romms`",
            "rooms",
        ),
        (
            "domain: a.b\nusers:\n  x: { uri: \"sip:x@a.b\" }\nrooms:\n  r:\n    uri: ma-chan://a.b/93489432-b6be-4c67-932f-09e39a162072\n    membres: [x]\n",
            7,
            5,
            "unknown key `membres`",
            "members",
        ),
        (
            "domain: a.b\nusers:\n  xena: { uri: \"sip:x@a.b\" }\nrooms:\n  r:\n    uri: ma-chan://a.b/93489432-b6be-4c67-932f-09e39a162072\n    members: [xenia]\n",
            7,
            15,
            "no user is called `xenia`",
            "xena",
        ),
        (
            "domain: a.b\nrooms:\n  r:\n    uri: ma-chan://a.b/93489432-b6be-4c67-932f-09e39a162072\n    behavior: AUDITRIUM\n",
            5,
            15,
            "AUDITRIUM",
            "AUDITORIUM",
        ),
        (
            "domain: a.b\nrooms:\n  r:\n    uri: ma-chan://a.b/nonsense\n",
            4,
            10,
            "no room URI",
            "",
        ),
        (
            "domain: a.b\nusers:\n  x: { uri: alice }\n",
            3,
            13,
            "no SIP URI",
            "",
        ),
        ("domain: [", 1, 9, "", ""),
        ("users: {}\n", 1, 1, "domain", ""),
    ] {
        let error = World::parse(yaml).unwrap_err();
        assert!(error.message.contains(part), "{yaml}: {error}");
        assert_eq!(
            (error.line, error.column),
            (line, column),
            "{yaml}: {error}"
        );
        assert!(error.hint.unwrap_or_default().contains(hint), "{yaml}");
    }
}

#[test]
fn chat_ids_grow_and_invitations_follow_membership() {
    let yaml = "domain: a.b\nusers:\n  x: { uri: \"sip:x@a.b\" }\n  y: { uri: \"sip:y@a.b\", name: Ypsilon }\nrooms:\n  r:\n    uri: ma-chan://a.b/93489432-b6be-4c67-932f-09e39a162072\n    members: [x, y]\n    managers: [x]\n    history:\n      - { author: y, text: one }\n      - { author: x, text: two, id: 9, at: 2026-01-02T03:04:05Z }\n      - { author: x, text: three }\n";
    let world = World::parse(yaml).unwrap();
    let room = &world.rooms[0];
    let ids: Vec<i64> = room.history.iter().map(|c| c.id).collect();
    assert_eq!(ids, [1, 9, 10]);
    assert_eq!(room.history[0].authdisp, "Ypsilon");
    assert_eq!(room.invited, ["sip:y@a.b"]);
    assert!(World::parse(&yaml.replace("id: 9", "id: 1")).is_err());
}

use super::*;

/// A bench whose server keeps its journal in `path`.
fn bench(path: &std::path::Path) -> Bench {
    let journal = SqliteJournal::open(path).unwrap();
    let mut bench = Bench::new();
    bench.server =
        Server::with_journal(World::sample(), Options::default(), Box::new(journal)).unwrap();
    bench
}

#[test]
fn what_was_acknowledged_is_there_after_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chat.db");
    let mut first = bench(&path);
    let alice = first.joined(ALICE, &[LOBBY]);
    first.chat(alice, LOBBY, ALICE, "one");
    first.send(
        alice,
        &chat(LOBBY, ALICE, "two").replace("</chat>", "</chat><rtf>{\\rtf1}</rtf>"),
    );
    first.command(
        alice,
        "cmd:chanmodify",
        &format!(
            r#"<chanib uri="{}" name="Renamed" description="kept"/>"#,
            uri(LOBBY)
        ),
    );
    first.command(alice, "cmd:chancreate", r#"<chanib name="Made" behavior="NORMAL" parent="ma-cat://example.com/2642ebba-f56a-4891-9b92-3991eb865c92"/>"#);
    first.command(alice, "cmd:setpref", r#"<pref label="own" seqid="4" createdefault="false" content="H4sIAAAAAAACA8tIzcnJBwCGphA2BQAAAA=="/>"#);
    let bob = first.connect(BOB);
    first.command(bob, "cmd:getinv", r#"<inv domain="example.com"/>"#);
    // No shutdown of any kind: the file alone tells.
    std::mem::forget(first);

    let mut second = bench(&path);
    let alice = second.connect(ALICE);
    second.command(alice, "cmd:join", &chanid(LOBBY));
    assert!(
        second
            .last_data(alice)
            .contains(r#"name="Renamed" description="kept""#)
    );
    second.command(
        alice,
        "cmd:bccontext",
        &format!(r#"{}<bcq><last cnt="9"/></bcq>"#, chanib(LOBBY)),
    );
    let history = second.last_data(alice);
    assert!(
        history.contains("<chat>one</chat>") && history.contains("<rtf>{\\rtf1}</rtf>"),
        "{history}"
    );
    second.chat(alice, LOBBY, ALICE, "three");
    assert_eq!(second.got(alice).last().unwrap(), "grpchat 3 three");
    second.command(
        alice,
        "cmd:chansrch",
        r#"<qib qtype="BYNAME" criteria="made"/>"#,
    );
    assert!(second.last_data(alice).contains(r#"name="Made""#));
    second.command(
        alice,
        "cmd:getpref",
        r#"<pref label="own" seqid="0" createdefault="true"/>"#,
    );
    assert!(second.last_data(alice).contains(r#"seqid="5""#));
    let bob = second.connect(BOB);
    second.command(bob, "cmd:getinv", r#"<inv domain="example.com"/>"#);
    assert!(!second.last_data(bob).contains("chanib"));
}

#[test]
fn foreign_and_broken_files_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let text = dir.path().join("notes.txt");
    std::fs::write(&text, "not a database, but long enough to be looked at as one, which takes a hundred bytes or so of text.").unwrap();
    assert!(SqliteJournal::open(&text).is_err());
    let foreign = dir.path().join("other.db");
    rusqlite::Connection::open(&foreign)
        .unwrap()
        .execute_batch("create table t (x)")
        .unwrap();
    let error = SqliteJournal::open(&foreign).unwrap_err();
    assert!(error.to_string().contains("another program"), "{error}");
}

#[test]
fn a_chat_that_cannot_be_stored_is_refused_and_not_numbered() {
    struct Full;
    impl Journal for Full {
        fn load(&mut self) -> Result<journal::Stored, JournalError> {
            Ok(journal::Stored::default())
        }
        fn chat(&mut self, _: &str, _: &crate::world::Chat) -> Result<(), JournalError> {
            Err(JournalError("the disk is full".to_owned()))
        }
        fn room(&mut self, _: &str, _: &Room) -> Result<(), JournalError> {
            Err(JournalError("the disk is full".to_owned()))
        }
        fn preference(&mut self, _: &str, _: &str, _: u64, _: &str) -> Result<(), JournalError> {
            Err(JournalError("the disk is full".to_owned()))
        }
        fn registered(&mut self, _: &str, _: &str) -> Result<(), JournalError> {
            Err(JournalError("the disk is full".to_owned()))
        }
    }
    let mut bench = Bench::new();
    bench.server =
        Server::with_journal(World::sample(), Options::default(), Box::new(Full)).unwrap();
    let alice = bench.joined(ALICE, &[LOBBY]);
    bench.chat(alice, LOBBY, ALICE, "x");
    assert_eq!(bench.got(alice), ["err 500"]);
    assert_eq!(
        bench.command(
            alice,
            "cmd:chanmodify",
            &format!(r#"<chanib uri="{}" name="New"/>"#, uri(LOBBY))
        ),
        ["rpl:chanmodify 500"]
    );
    assert_eq!(bench.server.world().rooms[LOBBY].name, "Lobby");
}

use super::*;

#[test]
fn processing_that_takes_too_long_is_a_503() {
    let options = Options {
        stall: vec!["cmd:getpl".to_owned()],
        ..Options::default()
    };
    let mut bench = Bench::with(World::sample(), options);
    let alice = bench.connect(ALICE);
    bench.command(alice, "cmd:getpl", &chanib(LOBBY));
    assert_eq!(bench.server.next_deadline(), Some(Duration::from_secs(25)));
    bench.tick(24.9);
    assert!(bench.statuses.is_empty());
    bench.tick(0.2);
    assert_eq!(bench.statuses, [(alice, 503)]);
    assert_eq!(bench.server.next_deadline(), None);
    assert_eq!(bench.command(alice, "cmd:requri", ""), ["rpl:requri 200"]);
}

#[test]
fn slow_processing_holds_the_info_and_load_refuses_it() {
    let options = Options {
        processing: Duration::from_secs(2),
        max_pending: Some(1),
        ..Options::default()
    };
    let mut bench = Bench::with(World::sample(), options);
    let alice = bench.connect(ALICE);
    bench.send(alice, r#"<cmd id="cmd:requri" seqid="1"><data/></cmd>"#);
    bench.send(alice, r#"<cmd id="cmd:requri" seqid="1"><data/></cmd>"#);
    assert_eq!(bench.statuses, [(alice, 503)]);
    assert_eq!(bench.got(alice), ["sys:status"]);
    bench.tick(2.0);
    assert_eq!(bench.statuses, [(alice, 503), (alice, 200)]);
    assert_eq!(
        bench.got(alice),
        ["sys:status", "rpl:requri 200", "sys:status"]
    );
    let busy: Vec<_> = bench
        .primitives(alice)
        .filter_map(|p| Some(p.element.first("status")?.get("busy")?.to_owned()))
        .collect();
    assert_eq!(busy, ["true", "false"]);
}

//! The defect library: every entry names requirements that exist, and makes a difference somebody can see.

use super::*;
use crate::client::defects;
use crate::client::faults::Fault;

const VAULT: &str = "ma-chan://example.com/2a1a367c-5c14-4215-b5ae-d04eacb3b203";

#[test]
fn ids_are_unique_and_requirements_exist() {
    let catalogue = crate::catalogue();
    let mut ids = std::collections::BTreeSet::new();
    for entry in defects::all() {
        assert!(ids.insert(entry.id), "{} twice", entry.id);
        assert!(entry.id.starts_with("client/"), "{}", entry.id);
        for id in [entry.requirement].iter().chain(entry.also) {
            // [MS-OCGCWEB] has a catalogue of its own.
            let known = matches!(*id, "SIP" | "SCHEMA")
                || id.starts_with("OCGCWEB-")
                || catalogue.get(id).is_some();
            assert!(known, "{}: {id} is in no catalogue", entry.id);
        }
    }
    assert!(ids.len() >= 300, "{}", ids.len());
    assert!(defects::get("client/no-timer").is_some());
}

/// What the schema says about the parts that the exercises leave out.
fn check(body: &[u8]) -> Result<(), String> {
    fn walk(e: &Element) -> bool {
        let has = |names: &[&str]| names.iter().all(|n| e.get(n).is_some());
        let fits = match e.name.as_str() {
            "commandid" | "originatingMessageId" => has(&["seqid", "envid"]),
            "resp" => has(&["code"]),
            "rpl" => e.first("resp").is_some(),
            "uib" => has(&["uri"]),
            "aib" => has(&["value"]),
            _ => true,
        };
        fits && e.elements().all(walk)
    }
    let envelope = Envelope::parse(body).map_err(|e| e.to_string())?;
    walk(&envelope.root)
        .then_some(())
        .ok_or("schema".to_owned())
}

/// A client with these faults that writes down what anybody outside can see.
struct Watch {
    bench: Bench,
    log: Vec<String>,
    seen: usize,
    calls: usize,
}

impl Watch {
    fn new(config: Config, faults: &[Fault]) -> Watch {
        let client = Client::new(config, Some(Box::new(check))).with_faults(faults.iter().copied());
        let mut watch = Watch {
            bench: Bench::of(client),
            log: Vec::new(),
            seen: 0,
            calls: 0,
        };
        let now = watch.bench.now();
        watch.bench.client.sign_in(now, 0);
        watch.step();
        let now = watch.bench.now();
        watch.bench.client.dialog_up(now, 1);
        watch.step();
        watch
    }

    /// Writes down what happened.
    fn step(&mut self) {
        // A faulty client may finish a request twice; here that is something to see.
        while let Some(output) = self.bench.client.poll() {
            match output {
                Output::Send { envelope, .. } => self.bench.sent.push(envelope),
                Output::Done { request, result } => {
                    let result = result.map(|a| serde_json::to_value(a).unwrap());
                    self.log.push(format!("done {request} {result:?}"));
                }
                Output::Dial { uri, .. } => self.bench.calls.push(format!("dial {uri}")),
                Output::HangUp { dialog } => self.bench.calls.push(format!("hang up {dialog}")),
                Output::Dropped { .. } => {}
            }
        }
        for envelope in &self.bench.sent[self.seen..] {
            self.log
                .push(String::from_utf8(envelope.to_bytes()).unwrap());
        }
        self.seen = self.bench.sent.len();
        self.log
            .extend(self.bench.calls[self.calls..].iter().cloned());
        self.calls = self.bench.calls.len();
        for room in [LOBBY, HALL] {
            self.log.push(format!("{:?}", self.bench.client.room(room)));
        }
    }

    fn act(&mut self, json: &str) -> u64 {
        let json = json.replace("LOBBY", LOBBY).replace("HALL", HALL);
        self.bench.requests += 1;
        let action = serde_json::from_str(&json).unwrap();
        let now = self.bench.now();
        self.bench.client.act(now, self.bench.requests, action);
        self.step();
        self.bench.requests
    }

    fn body(&mut self, primitives: &str) {
        let primitives = primitives.replace("LOBBY", LOBBY).replace("HALL", HALL);
        self.log.push(primitives.clone());
        let body = format!(
            r#"<xccos xmlns="urn:parlano:xml:ns:xccos" ver="1" envid="1">{primitives}</xccos>"#
        );
        let now = self.bench.now();
        self.bench.client.info(now, body.as_bytes());
        self.step();
    }

    fn wait(&mut self, seconds: u64) {
        let end = self.bench.ms + seconds * 1_000;
        while let Some(at) = self.bench.client.deadline()
            && at.as_millis() as u64 <= end
        {
            self.bench.ms = at.as_millis() as u64;
            let now = self.bench.now();
            self.bench.client.tick(now);
        }
        self.bench.ms = end;
        self.step();
    }

    /// Number of the last primitive sent, whatever became of it on the wire: as the model numbers them.
    fn last(&self) -> MsgId {
        let last = self.bench.client.envid - 1;
        MsgId {
            envid: last,
            seqid: 1,
        }
    }

    fn reply(&mut self, to: MsgId, id: &str, code: u32, data: &str) {
        let MsgId { envid, seqid } = to;
        self.body(&format!(
            r#"<rpl id="{id}" seqid="1"><commandid seqid="{seqid}" envid="{envid}"/><resp code="{code}">T</resp><data>{data}</data></rpl>"#
        ));
    }

    /// Asks and answers.
    fn exchange(&mut self, action: &str, id: &str, code: u32, data: &str) {
        self.act(action);
        let to = self.last();
        self.reply(to, id, code, data);
    }
}

fn config() -> Config {
    Config {
        retrieve: true,
        ..Bench::config()
    }
}

/// Signed in, in lobby and hall with Bob.
fn in_both(faults: &[Fault]) -> Watch {
    let mut watch = Watch::new(config(), faults);
    let to = watch.last();
    watch.reply(
        to,
        "rpl:getserverinfo",
        200,
        r#"<sib infoType="1" displayName="P" roomManagementUrl="https://h/?a=b"/>"#,
    );
    watch.exchange(
        r#"{"do":"join","rooms":["LOBBY","HALL"]}"#,
        "rpl:bjoin",
        200,
        r#"<chanib uri="LOBBY" name="Lobby" description="d"><aib key="1" value="0,1"/></chanib><chanib uri="HALL" name="Hall" description="h"><aib key="1" value="0,1"/></chanib><uib uri="sip:alice@example.com" id="0"/><uib uri="sip:bob@example.com" id="1"/><uib uri="sip:carol@example.com" id="2"/>"#,
    );
    watch
}

/// A piece of life: takes faults, gives what was seen.
type Scene = Box<dyn Fn(&[Fault]) -> Vec<String>>;

/// Everything a client is put through.
fn scenes() -> Vec<Scene> {
    let mut scenes: Vec<Scene> = Vec::new();
    // Lookup: success, failure, no URI.
    let uib = r#"<uib uri="sip:chat7@example.com"/>"#;
    for (code, data) in [(200, uib), (403, uib), (202, uib), (200, "")] {
        scenes.push(Box::new(move |faults| {
            let lookup = Config {
                server_uri: None,
                ..config()
            };
            let mut watch = Watch::new(lookup, faults);
            let to = watch.last();
            watch.reply(to, "rpl:requri", code, data);
            let now = watch.bench.now();
            watch.bench.client.dialog_up(now, 2);
            watch.step();
            watch.wait(40);
            watch.log
        }));
    }
    // Server information refused.
    scenes.push(Box::new(|faults| {
        let mut watch = Watch::new(config(), faults);
        let to = watch.last();
        watch.reply(to, "rpl:getserverinfo", 500, "");
        watch.log
    }));
    // Room management without an address, and with two.
    for (sib, provisioned) in [
        ("", None),
        (r#"roomManagementUrl="https://h/?a=b""#, Some("https://p/")),
    ] {
        scenes.push(Box::new(move |faults| {
            let management_url = provisioned.map(str::to_owned);
            let config = Config {
                management_url,
                ..config()
            };
            let mut watch = Watch::new(config, faults);
            let to = watch.last();
            let data = format!(r#"<sib infoType="1" {sib}/>"#);
            watch.reply(to, "rpl:getserverinfo", 200, &data);
            watch.act(r#"{"do":"room_management_url"}"#);
            watch.act(r#"{"do":"room_management_url","room":"LOBBY","lang":"de-DE"}"#);
            watch.log
        }));
    }
    scenes.extend(commands());
    scenes.extend(drops());
    scenes.extend(notices());
    scenes
}

/// Every command, answered well, answered with a failure that has data, and answered with data of another room.
fn commands() -> Vec<Scene> {
    let mut scenes: Vec<Scene> = Vec::new();
    let room = r#"<chanib uri="LOBBY" name="N" description="dd" parent="p" behavior="NORMAL" disabled="false" siopid="s"><uib uri="sip:alice@example.com" id="0" chperms="3456"/><uib uri="sip:dan@example.com" id="1"/><uib uri="sip:eve@example.com" id="2"/><aib key="1" value="0,1"/><audit updatedby="u"/><info id="urn:parlano:ma:info:visibility">OPEN</info><prop id="urn:parlano:ma:prop:invite">True</prop><msg chanUri="LOBBY" chatId="5"><chat>a</chat></msg><msg chanUri="LOBBY" chatId="6"><chat>b</chat></msg></chanib>"#;
    let two = r#"<chanib uri="LOBBY" name="N" description="d"/><chanib uri="HALL" name="M" description="e"/>"#;
    let search = r#"{"do":"search_messages","rooms":["LOBBY"],"words":["a","b"],"match":"all","authors":["sip:bob@example.com"]}"#;
    let ranged = r#"{"do":"search_messages","rooms":["LOBBY","HALL"],"words":["a"],"from":"2025-01-01T00:00:00Z","to":"2026-01-01T00:00:00Z"}"#;
    let modify = r#"{"do":"modify_room","room":"LOBBY","name":"New","members":{"add":["sip:bob@example.com"]}}"#;
    let invitations = format!(
        r#"{two}<hash key="inviteIds" value="1@2026-01-01T00:00:00Z,2@2026-01-02T00:00:00Z"/>"#
    );
    let associations = format!(r#"<association domain="d" type="MEMBER">{two}</association>"#);
    let preference = format!(
        r#"<pref label="kedzie.GroupChannels" seqid="1" createdefault="true" content="{GZIP}"/>"#
    );
    for (action, id, data) in [
        (r#"{"do":"join","rooms":["LOBBY"]}"#, "rpl:join", room),
        (
            r#"{"do":"join","rooms":["LOBBY"],"active":false}"#,
            "rpl:join",
            "",
        ),
        (
            r#"{"do":"join","rooms":["LOBBY","HALL"]}"#,
            "rpl:bjoin",
            &format!("{}{two}", room.replace("LOBBY", VAULT)),
        ),
        (
            r#"{"do":"join","rooms":["LOBBY","HALL"]}"#,
            "rpl:bjoin",
            two,
        ),
        (r#"{"do":"history","room":"LOBBY"}"#, "rpl:bccontext", room),
        (
            r#"{"do":"history","room":"HALL","count":1}"#,
            "rpl:bccontext",
            room,
        ),
        (search, "rpl:bc", room),
        (ranged, "rpl:bc", room),
        (
            r#"{"do":"search_messages","words":["a"],"rooms":["HALL"]}"#,
            "rpl:bc",
            room,
        ),
        (r#"{"do":"search_rooms","text":"t"}"#, "rpl:chansrch", two),
        (
            r#"{"do":"search_rooms","text":"t","descriptions":true}"#,
            "rpl:chansrch",
            two,
        ),
        (r#"{"do":"invitations"}"#, "rpl:getinv", &invitations),
        (
            r#"{"do":"associations","type":"MEMBER"}"#,
            "rpl:getassociations",
            &associations,
        ),
        (
            r#"{"do":"associations","type":"MANAGER"}"#,
            "rpl:getassociations",
            &associations,
        ),
        (
            r#"{"do":"room_details","room":"LOBBY"}"#,
            "rpl:chaneffquery",
            room,
        ),
        (
            r#"{"do":"room_permissions","room":"LOBBY"}"#,
            "rpl:getroomperms",
            room,
        ),
        (modify, "rpl:chaneffquery", room),
        (r#"{"do":"preferences"}"#, "rpl:getpref", &preference),
        (
            r#"{"do":"preferences"}"#,
            "rpl:getpref",
            &preference.replace("GroupChannels", "UserOptions"),
        ),
        (
            r#"{"do":"file_token","room":"LOBBY","file":"a.txt","direction":"upload"}"#,
            "rpl:getftok",
            r#"<token token="t" serveruri="https://h/"/>"#,
        ),
        (
            r#"{"do":"file_token","room":"LOBBY","file":"a.txt","direction":"download"}"#,
            "rpl:getftok",
            r#"<token token="" serveruri="https://h/"/>"#,
        ),
    ] {
        for code in [200, 250, 403] {
            let data = data.to_owned();
            let changed = room.replace("\"N\"", "\"New\"");
            scenes.push(Box::new(move |faults| {
                let mut log = Vec::new();
                for modified in [500, 200] {
                    let mut watch = in_both(faults);
                    watch.exchange(action, id, code, &data);
                    if action == modify {
                        let to = watch.last();
                        watch.reply(to, "rpl:updatenode", modified, &changed);
                    }
                    log.extend(watch.log);
                    if action != modify {
                        break;
                    }
                }
                log
            }));
        }
    }
    scenes
}

/// Replies and chats that must not count, late ones among them.
fn drops() -> Vec<Scene> {
    let mut scenes: Vec<Scene> = Vec::new();
    let data = r#"<data><chanib uri="LOBBY" name="Again"/></data>"#;
    for reply in [
        r#"<rpl id="rpl:join" seqid="1"><resp code="200"/>DATA</rpl>"#,
        r#"<rpl id="rpl:join" seqid="1"><commandid envid="ENV"/><resp code="200"/>DATA</rpl>"#,
        r#"<rpl id="rpl:join" seqid="1"><commandid seqid="1"/><resp code="200"/>DATA</rpl>"#,
        r#"<rpl id="rpl:join" seqid="1"><commandid seqid="1" envid="5"/><resp code="200"/>DATA</rpl>"#,
        r#"<rpl id="rpl:join" seqid="1"><commandid seqid="9" envid="ENV"/><resp code="200"/>DATA</rpl>"#,
        r#"<rpl id="rpl:join" seqid="1"><commandid seqid="1" envid="ENV"/><resp/>DATA</rpl>"#,
        r#"<rpl id="rpl:join" seqid="1"><commandid seqid="1" envid="ENV"/>DATA</rpl>"#,
        r#"<rpl id="rpl:bjoin" seqid="1"><commandid seqid="1" envid="ENV"/><resp code="200"/>DATA</rpl>"#,
        r#"<rpl id="rpl:getinv" seqid="1"><commandid seqid="1" envid="ENV"/><resp code="200"/>DATA</rpl>"#,
        r#"<rpl id="rpl:getinv" seqid="1"><commandid seqid="1" envid="1"/><resp code="500"/></rpl><rpl id="rpl:join" seqid="2"><commandid seqid="1" envid="ENV"/><resp code="200"/>DATA</rpl>"#,
        // The right one twice.
        r#"<rpl id="rpl:join" seqid="1"><commandid seqid="1" envid="ENV"/><resp code="200"/>DATA</rpl><rpl id="rpl:join" seqid="2"><commandid seqid="1" envid="ENV"/><resp code="200"/>DATA</rpl>"#,
    ] {
        scenes.push(Box::new(move |faults| {
            let mut watch = in_both(faults);
            watch.act(r#"{"do":"join","rooms":["LOBBY"]}"#);
            let env = watch.last().envid.to_string();
            watch.body(&reply.replace("DATA", data).replace("ENV", &env));
            watch.wait(40);
            watch.log
        }));
    }
    // Something else sent meanwhile, then the end, then the reply that comes too late.
    for end in ["wait", "cancel", "fail"] {
        scenes.push(Box::new(move |faults| {
            let mut watch = in_both(faults);
            let request = watch.act(r#"{"do":"join","rooms":["LOBBY"]}"#);
            let (join, send) = (watch.last(), watch.bench.client.sends);
            watch.wait(6);
            watch.act(r#"{"do":"preferences"}"#);
            match end {
                "wait" => watch.wait(5),
                "cancel" => {
                    watch.act(&format!(r#"{{"do":"cancel","request":{request}}}"#));
                }
                _ => {
                    let now = watch.bench.now();
                    watch.bench.client.info_failed(now, send, Some(503), "503");
                    watch.step();
                }
            }
            watch.reply(
                join,
                "rpl:join",
                200,
                r#"<chanib uri="LOBBY" name="Late"/>"#,
            );
            watch.wait(40);
            watch.log
        }));
    }
    // Chats.
    for origin in [
        "",
        r#"<originatingMessageId envid="ENV"/>"#,
        r#"<originatingMessageId seqid="1"/>"#,
        r#"<originatingMessageId seqid="3" envid="3"/>"#,
        r#"<originatingMessageId seqid="1" envid="ENV"/>"#,
    ] {
        scenes.push(Box::new(move |faults| {
        let mut watch = in_both(faults);
        watch.act(r#"{"do":"send","room":"LOBBY","text":"x"}"#);
        let origin = origin.replace("ENV", &watch.last().envid.to_string());
        let chat = |id: u32, origin: &str| {
            format!(
                r#"<grpchat id="grpchat" seqid="1" chanUri="LOBBY" author="sip:alice@example.com" authdisp="" alert="false" chatId="{id}" ts="t">{origin}<chat>x</chat></grpchat>"#
            )
        };
        watch.body(&(chat(9, &origin) + &chat(10, "") + &chat(8, "")));
        for seconds in [7, 8, 40] {
            watch.wait(seconds);
        }
        watch.log
        }));
    }
    scenes
}

fn notices() -> Vec<Scene> {
    let mut scenes: Vec<Scene> = Vec::new();
    let (l, h) = (guid(LOBBY).unwrap(), guid(HALL).unwrap());
    let aib = |value: &str| format!(r#"<aib key="1" value="{value}"/>"#);
    let uib = |user: &str, aib: &str| format!(r#"<uib uri="sip:{user}@example.com">{aib}</uib>"#);
    let bob = uib("bob", "");
    let carol = uib("carol", &aib(l));
    let both = format!(
        r#"<chanib uri="LOBBY" name="A">{bob}</chanib><chanib uri="HALL" name="B">{bob}</chanib>"#
    );
    let foreign = format!(
        r#"<chanib uri="{VAULT}" name="V">{bob}{}</chanib>"#,
        uib("alice", "")
    );
    let nameless = format!(r#"<chanib name="V">{bob}</chanib>"#);
    let mut bodies: Vec<(&str, String)> = Vec::new();
    for id in ["ntc:join", "ntc:pl"] {
        bodies.extend([
            (id, format!("{carol}{}", uib("dan", &aib(h)))),
            (id, format!("<uib>{}</uib>", aib(l))),
            (id, uib("dan", r#"<aib key="1"/>"#)),
            (id, uib("dan", &aib("x"))),
        ]);
    }
    bodies.extend([
        (
            "ntc:bjoin",
            format!("{carol}{}", uib("dan", &aib(&format!("{l},{h}")))),
        ),
        ("ntc:bjoin", format!("<uib>{}</uib>", aib(l))),
        ("ntc:bjoin", uib("dan", r#"<aib key="1"/>"#)),
        ("ntc:bjoin", uib("dan", &aib("x,y"))),
    ]);
    for id in ["ntc:part", "ntc:kick", "ntc:usermodify"] {
        bodies.extend([
            (id, both.clone()),
            (id, foreign.clone()),
            (id, nameless.clone()),
            (
                id,
                format!(r#"<chanib uri="LOBBY">{}{bob}</chanib>"#, uib("nobody", "")),
            ),
        ]);
    }
    bodies.push((
        "ntc:kick",
        format!(r#"<chanib uri="LOBBY">{}</chanib>"#, uib("alice", "")),
    ));
    for id in ["ntc:quit", "ntc:ploff"] {
        bodies.extend([
            (id, bob.clone()),
            (id, format!(r#"<chanib uri="HALL"/>{bob}"#)),
            (id, format!("<chanib/>{bob}")),
            (id, format!(r#"<chanib uri="{VAULT}"/>{bob}"#)),
        ]);
    }
    for id in ["ntc:invite", "ntc:chatmodify", "ntc:chanmodify"] {
        bodies.extend([
            (id, both.clone()),
            (id, foreign.clone()),
            (id, nameless.clone()),
        ]);
    }
    for (id, data) in bodies {
        scenes.push(Box::new(move |faults| {
            let mut watch = in_both(faults);
            watch.body(&format!(
                r#"<ntc id="{id}" seqid="1"><data>{data}</data></ntc>"#
            ));
            watch.act(r#"{"do":"send","room":"LOBBY","text":"x"}"#);
            watch.act(r#"{"do":"received"}"#);
            watch.log
        }));
    }
    scenes.push(Box::new(move |faults| {
        let mut watch = in_both(faults);
        watch.body(&format!(r#"<ntc id="ntc:pl" seqid="1"><data/></ntc><ntc id="ntc:join" seqid="2"><data>{carol}</data></ntc>"#));
        watch.log
    }));
    scenes
}

/// Two followed rooms, packed.
const GZIP: &str = "H4sIAAAAAAACA31QywrCMBD8lZC7iV6l7UXBi0LxB8o2rFrNJiFJS/v3JrSoKHjZ1+zMLlM48BqMHUmzAX3JN7wqbHtHFVmcHJa8FntL0Bmxu4ExqMXB294tTe3xgh6NwnDsQjyBgSv6JEFILXpmgJJE88Cp4WwA3afukx+4/NrtIlLgTNnexPmbPFnA9X9lgpVKulspcQRyGoWyJK8/N3J8kc4ZlvlISvNaKmYLUvH2p3oCtVt9EiwBAAA=";

#[test]
fn every_defect_shows() {
    let scenes = scenes();
    let right: Vec<_> = scenes.iter().map(|scene| scene(&[])).collect();
    // An edit can only matter where what it names occurs.
    let concerns = |fault: &Fault, log: &[String]| match fault {
        Fault::In(edit) | Fault::Out(edit) => {
            let first = edit.path.split(['/', '[']).next().unwrap_or("");
            let named = |name: &str| name.contains(':') && log.iter().any(|l| l.contains(name));
            first
                .split('|')
                .any(|name| !name.contains(':') || named(name))
        }
        _ => true,
    };
    let shows = |faults: &[Fault]| {
        scenes.iter().zip(&right).any(|(scene, right)| {
            faults.iter().any(|f| concerns(f, right)) && scene(faults) != *right
        })
    };
    assert!(!shows(&[]), "the same every time");
    let unseen: Vec<_> = defects::all()
        .filter(|e| !e.faults.iter().any(|f| matches!(f, Fault::Sip(_))))
        .filter(|e| !shows(e.faults))
        .map(|e| e.id)
        .collect();
    assert!(unseen.is_empty(), "no difference: {unseen:?}");
}

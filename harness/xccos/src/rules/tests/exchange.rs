/*! The exchange the rule tests play, in the manner of the document's examples. */

use trace::Seat;

use super::stage::{End, Stage};

pub mod good;

const L: &str = "ma-chan://example.com/93489432-b6be-4c67-932f-09e39a162072";
const T: &str = "ma-chan://example.com/6e43547f-9152-46e3-ad76-82197694fdb9";

fn doc(envid: u64, inner: &str) -> String {
    format!("<xccos ver=\"1\" envid=\"{envid}\" xmlns=\"urn:parlano:xml:ns:xccos\">{inner}</xccos>")
}

fn cmd(envid: u64, id: &str, data: &str) -> String {
    doc(
        envid,
        &format!("<cmd id=\"cmd:{id}\" seqid=\"1\"><data>{data}</data></cmd>"),
    )
}

fn rpl(envid: u64, to: u64, id: &str, data: &str) -> String {
    doc(envid, &reply(1, to, id, data))
}

fn reply(seqid: u64, to: u64, id: &str, data: &str) -> String {
    format!(
        "<rpl id=\"rpl:{id}\" seqid=\"{seqid}\"><commandid seqid=\"1\" envid=\"{to}\"/><resp code=\"200\">SUCCESS_OK</resp><data>{data}</data></rpl>"
    )
}

fn uib(user: &str, id: u32) -> String {
    let guid = match user {
        "alice" => "93109AFC-D91D-45A1-96F4-6DCBBB31B640",
        _ => "E0F5F93A-1496-43E5-BCDB-011E6FA3189D",
    };
    format!(
        "<uib uri=\"sip:{user}@example.com\" guid=\"{guid}\" type=\"5\" uname=\"{user}\" disabled=\"false\" dispname=\"{user}\" id=\"{id}\"/>"
    )
}

fn chanib(uri: &str, aib: &str, count: usize) -> String {
    let name = if uri == T { "Secret" } else { "Lobby" };
    format!(
        "<chanib name=\"{name}\" description=\"all\" parent=\"ma-cat://example.com/2642ebba-f56a-4891-9b92-3991eb865c92\" uri=\"{uri}\" behavior=\"NORMAL\" topic=\"\" disabled=\"false\">{aib}<audit updatedby=\"A\" updatedon=\"2011-10-24T21:11:22.123Z\" createdby=\"A\" createdon=\"2011-10-24T21:11:22.123Z\"/><info id=\"urn:parlano:ma:info:ucnt\">{count}</info><info id=\"urn:parlano:ma:info:visibility\">SCOPED</info><prop id=\"urn:parlano:ma:prop:invite\">True</prop></chanib>"
    )
}

fn chat(
    id: u32,
    who: &str,
    disp: &str,
    chat_id: u32,
    ts: &str,
    origin: &str,
    text: &str,
) -> String {
    format!(
        "<grpchat id=\"grpchat\" seqid=\"{id}\" chanUri=\"{L}\" author=\"sip:{who}@example.com\" authdisp=\"{disp}\" alert=\"false\" chatId=\"{chat_id}\" ts=\"{ts}\">{origin}<chat>{text}</chat></grpchat>"
    )
}

fn notice(envid: u64, id: &str, data: &str) -> String {
    doc(
        envid,
        &format!("<ntc id=\"ntc:{id}\" seqid=\"1\"><data>{data}</data></ntc>"),
    )
}

/// Lookup, re-dial, server information.
fn enter(s: &mut Stage, end: &mut End, client: u64, server: u64) {
    s.dial(end, "ocschat@example.com");
    s.ask(
        end,
        &cmd(client, "requri", ""),
        &rpl(
            server,
            client,
            "requri",
            "<uib uri=\"sip:chat01@example.com\"/>",
        ),
    );
    s.bye(end);
    s.dial(end, "chat01@example.com");
    s.ask(
        end,
        &cmd(client + 1, "getserverinfo", "<sib domain=\"example.com\" infoType=\"507\" clientVersion=\"4.0\"/>"),
        &rpl(
            server + 1,
            client + 1,
            "getserverinfo",
            "<sib infoType=\"251\" serverTime=\"2026-01-02T03:00:00.123Z\" searchLimit=\"999\" messageSizeLimit=\"8000\" storySizeLimit=\"16000\" rootUri=\"ma-cat://example.com/2642ebba-f56a-4891-9b92-3991eb865c92\" dbVersion=\"7\" serverVersion=\"5.0\"/>",
        ),
    );
}

/// Two users, one of them with a second endpoint that never joins.
pub fn play(s: &mut Stage) {
    let mut alice = s.connect("alice");
    let mut bob = s.connect("bob");
    let mut bob2 = s.connect("bob");
    enter(s, &mut alice, 100, 500);
    enter(s, &mut bob, 100, 500);
    enter(s, &mut bob2, 100, 500);
    let guid = |uri: &str| uri.rsplit('/').next().unwrap_or("").to_owned();
    let chanid = |key: u32, value: &str| {
        format!("<chanid key=\"{key}\" value=\"{value}\" domain=\"example.com\"/>")
    };

    s.ask(
        &mut alice,
        &cmd(110, "getinv", "<inv inviteId=\"0\" domain=\"example.com\"/>"),
        &rpl(
            510,
            110,
            "getinv",
            &format!(
                "<chanib name=\"Lobby\" description=\"all\" uri=\"{L}\"/><hash key=\"inviteIds\" value=\"7@2011-10-24T21:11:22.123Z,\"/>"
            ),
        ),
    );
    for (n, kind) in [(111, "MEMBER"), (112, "MANAGER")] {
        let block = |inner: &str| {
            format!(
                "<association domain=\"example.com\" type=\"{kind}\" maxResults=\"50\">{inner}</association>"
            )
        };
        let found = block(&format!("<chanib name=\"Lobby\" uri=\"{L}\"/>"));
        s.ask(
            &mut alice,
            &cmd(n, "getassociations", &block("")),
            &rpl(n + 400, n, "getassociations", &found),
        );
    }
    s.ask(
        &mut alice,
        &cmd(113, "join", &chanid(0, &guid(L))),
        &rpl(
            513,
            113,
            "join",
            &(chanib(L, "<aib key=\"3456\" value=\"0\"/>", 1) + &uib("alice", 0)),
        ),
    );
    s.ask(
        &mut alice,
        &cmd(114, "bccontext", &format!("<chanib uri=\"{L}\"/><bcq><last cnt=\"25\"/></bcq>")),
        &rpl(
            514,
            114,
            "bccontext",
            &format!(
                "<chanib uri=\"{L}\"><msg id=\"grpchat\" chanUri=\"{L}\" author=\"sip:carol@example.com\" authdisp=\"Carol\" alert=\"false\" chatId=\"40\" ts=\"2011-10-24T21:23:33.123Z\"><chat>old</chat></msg><msg id=\"grpchat\" chanUri=\"{L}\" author=\"sip:carol@example.com\" authdisp=\"Carol\" alert=\"false\" chatId=\"38\" ts=\"2011-10-24T21:23:31.123Z\"><chat>older</chat></msg></chanib><cnt value=\"2\" over=\"false\"/><status>2</status>"
            ),
        ),
    );
    for end in [&mut bob, &mut bob2] {
        s.ask(
            end,
            &cmd(
                110,
                "getinv",
                "<inv inviteId=\"0\" domain=\"example.com\"/>",
            ),
            &rpl(510, 110, "getinv", ""),
        );
        for (n, kind) in [(111, "MEMBER"), (112, "MANAGER")] {
            let block =
                format!("<association domain=\"example.com\" type=\"{kind}\" maxResults=\"50\"/>");
            s.ask(
                end,
                &cmd(n, "getassociations", &block),
                &rpl(n + 400, n, "getassociations", &block),
            );
        }
    }
    // Bob joins two rooms at once, with one message of history each; Alice hears of it before he does.
    s.info(
        &mut bob,
        Seat::Client,
        &cmd(
            113,
            "bjoin",
            &chanid(1, &format!("{},\n {}", guid(L), guid(T))),
        ),
    );
    let joined = format!(
        "<uib uri=\"sip:bob@example.com\" guid=\"E0F5F93A-1496-43E5-BCDB-011E6FA3189D\" type=\"5\" disabled=\"false\"><aib key=\"3456\" value=\"{}\" domain=\"example.com\"/></uib>",
        guid(L)
    );
    s.info(&mut alice, Seat::Server, &notice(516, "bjoin", &joined));
    let back = |seqid: u64, uri: &str, msg: &str| {
        reply(
            seqid,
            113,
            "bccontext",
            &format!("<chanib uri=\"{uri}\">{msg}</chanib>"),
        )
    };
    s.info(
        &mut bob,
        Seat::Server,
        &doc(
            513,
            &(reply(
                1,
                113,
                "bjoin",
                &(chanib(
                    L,
                    "<aib key=\"3456\" value=\"0,1\"/><aib key=\"11652\" value=\"0\"/>",
                    2,
                ) + &chanib(T, "<aib key=\"3456\" value=\"1\"/>", 1)
                    + &uib("alice", 0)
                    + &uib("bob", 1)),
            ) + &back(2, L, "")
                + &back(3, T, "")),
        ),
    );
    for (n, uri) in [(114, L), (115, T)] {
        s.ask(
            &mut bob,
            &cmd(
                n,
                "bccontext",
                &format!("<chanib uri=\"{uri}\"/><bcq><last cnt=\"1\"/></bcq>"),
            ),
            &rpl(n + 400, n, "bccontext", &format!("<chanib uri=\"{uri}\"/>")),
        );
    }
    // Chats: two in one document, fanned out to both endpoints that are joined.
    let origin = |envid: u64, seqid: u64| {
        format!("<originatingMessageId seqid=\"{seqid}\" envid=\"{envid}\"/>")
    };
    let posts = chat(1, "alice", "", 0, "2026-01-02T02:59:00Z", "", "one")
        + &chat(2, "alice", "", 0, "2026-01-02T02:59:00Z", "", "two");
    s.info(&mut alice, Seat::Client, &doc(120, &posts));
    let copies = |n: u32| {
        chat(
            1,
            "alice",
            "Alice",
            40 + n,
            "2026-01-02T03:00:01.123Z",
            &origin(120, 1),
            "one",
        ) + &chat(
            2,
            "alice",
            "Alice",
            41 + n,
            "2026-01-02T03:00:01.223Z",
            &origin(120, 2),
            "two",
        )
    };
    s.info(&mut bob, Seat::Server, &doc(530, &copies(1)));
    s.info(&mut alice, Seat::Server, &doc(530, &copies(1)));
    // A command nobody knows, one the schema refuses, and searches.
    s.broken(&mut alice, Seat::Client, &cmd(130, "foo", ""));
    s.info(
        &mut alice,
        Seat::Server,
        &doc(
            531,
            "<err id=\"error\" seqid=\"1\"><commandid seqid=\"1\" envid=\"130\"/><resp code=\"400\">unknown</resp></err>",
        ),
    );
    s.ask(
        &mut alice,
        &cmd(
            131,
            "chansrch",
            "<qib qtype=\"BYNAME\" criteria=\"Lob\" extended=\"false\" maxResults=\"5\"/>",
        ),
        &rpl(
            532,
            131,
            "chansrch",
            &format!("<chanib name=\"Lobby\" uri=\"{L}\"/><cnt value=\"1\" over=\"false\"/>"),
        ),
    );
    s.ask(
        &mut alice,
        &cmd(
            132,
            "bcbydate",
            &format!(
                "<bcs cmp=\"OR\"><limit cnt=\"50\"/><text mt=\"PP\">one</text><matchcase>false</matchcase><searchbkwds>false</searchbkwds><sortbkwds>false</sortbkwds><date from=\"1899-12-30T00:00:00.000Z\" to=\"2026-01-02T03:00:05Z\"/><uib uri=\"sip:alice@example.com\"/><cib uri=\"{L}\"/></bcs>"
            ),
        ),
        &rpl(
            533,
            132,
            "bc",
            &format!(
                "<chanib uri=\"{L}\"><msg id=\"grpchat\" chanUri=\"{L}\" author=\"sip:alice@example.com\" authdisp=\"Alice\" alert=\"false\" chatId=\"41\" ts=\"2026-01-02T03:00:01.123Z\"><chat>one</chat></msg></chanib><cnt value=\"1\" over=\"false\"/>"
            ),
        ),
    );
    s.ask(
        &mut alice,
        &cmd(133, "getroomperms", &format!("<chanib uri=\"{L}\"/>")),
        &rpl(
            534,
            133,
            "getroomperms",
            &format!(
                "<chanib uri=\"{L}\"><uib uri=\"sip:alice@example.com\" guid=\"93109AFC-D91D-45A1-96F4-6DCBBB31B640\" type=\"5\" disabled=\"false\" chperms=\"3968\"/></chanib>"
            ),
        ),
    );
    let node = |name: &str| {
        format!(
            "<chanib name=\"{name}\" description=\"all\" parent=\"ma-cat://example.com/2642ebba-f56a-4891-9b92-3991eb865c92\" uri=\"{L}\" behavior=\"NORMAL\" disabled=\"false\" siopid=\"\"><audit updatedby=\"A\" updatedon=\"2011-10-24T21:11:22.123Z\" createdby=\"A\" createdon=\"2011-10-24T21:11:22.123Z\"/><info id=\"urn:parlano:ma:info:visibility\">OPEN</info><prop id=\"urn:parlano:ma:prop:invite\">False</prop></chanib>"
        )
    };
    s.ask(
        &mut alice,
        &cmd(134, "updatenode", &node("Hall")),
        &rpl(535, 134, "updatenode", &node("Hall")),
    );
    s.ask(
        &mut alice,
        &cmd(
            135,
            "getfutok",
            &format!("<ftdb channelUri=\"{L}\" fileUrl=\"a.txt\"/>"),
        ),
        &rpl(
            536,
            135,
            "getftok",
            "<token token=\"7\" serveruri=\"https://files.example.com/\"/>",
        ),
    );
    s.ask(
        &mut alice,
        &cmd(
            136,
            "getpref",
            "<pref label=\"kedzie.GroupChannels\" seqid=\"0\" createdefault=\"true\"/>",
        ),
        &rpl(
            537,
            136,
            "getpref",
            "<pref label=\"kedzie.GroupChannels\" seqid=\"71\" createdefault=\"true\"/>",
        ),
    );
    s.ask(
        &mut alice,
        &cmd(137, "chaneffquery", &format!("<chanib uri=\"{L}\"/>")),
        &rpl(
            538,
            137,
            "chaneffquery",
            &format!("<chanib uri=\"{L}\" name=\"Hall\"/>"),
        ),
    );
    // Bob leaves the lobby, then disconnects.
    s.ask(
        &mut bob,
        &cmd(140, "part", &format!("<chanib uri=\"{L}\"/>")),
        &rpl(540, 140, "part", &format!("<chanib uri=\"{L}\"/>")),
    );
    let left = |uri: &str| {
        format!(
            "<chanib uri=\"{uri}\"><uib uri=\"sip:bob@example.com\" guid=\"E0F5F93A-1496-43E5-BCDB-011E6FA3189D\" type=\"5\" disabled=\"false\"/></chanib>"
        )
    };
    s.info(&mut alice, Seat::Server, &notice(541, "part", &left(L)));
    s.ask(
        &mut bob,
        &cmd(141, "join", &chanid(0, &guid(L))),
        &rpl(
            542,
            141,
            "join",
            &(chanib(L, "<aib key=\"3456\" value=\"0,1\"/>", 2).replace("Lobby", "Hall")
                + &uib("alice", 0)
                + &uib("bob", 1)),
        ),
    );
    s.info(&mut alice, Seat::Server, &notice(543, "join", &joined));
    s.ask(
        &mut bob,
        &cmd(
            142,
            "bccontext",
            &format!("<chanib uri=\"{L}\"/><bcq><last cnt=\"1\"/></bcq>"),
        ),
        &rpl(544, 142, "bccontext", &format!("<chanib uri=\"{L}\"/>")),
    );
    s.wait(15.0);
    s.bye(&mut bob);
    s.close(&bob);
    s.info(
        &mut alice,
        Seat::Server,
        &notice(545, "quit", "<uib uri=\"sip:bob@example.com\" guid=\"E0F5F93A-1496-43E5-BCDB-011E6FA3189D\" type=\"5\" disabled=\"false\"/>"),
    );
    s.wait(15.0);
    s.bye(&mut alice);
}

/*! What each command of a client has to contain (the Initialization sections of 3.1).

Takes a cmd of a client, concludes about its blocks and their values. Values
that depend on what a user wanted are the business of scenarios.
*/

use super::Doc;
use super::desk::{Desk, Spot};
use super::forms;
use super::table;
use crate::payload::{Element, Primitive};
use crate::policy::Weight;

const RULE: &str = "commands";

/// The ids this rule can decide besides those of the table.
pub(crate) const IDS: &[&str] = &[
    "XCCOSIP-2.2.2.1.9-04",
    "XCCOSIP-3.1.3-01",
    "XCCOSIP-3.1.3.3-02",
    "XCCOSIP-3.1.4.3-03",
    "XCCOSIP-3.1.4.3-04",
    "XCCOSIP-3.1.4.3-05",
    "XCCOSIP-3.1.4.3-06",
    "XCCOSIP-3.1.4.3-07",
    "XCCOSIP-3.1.5.3-03",
    "XCCOSIP-3.1.5.3-04",
    "XCCOSIP-3.1.5.3-05",
    "XCCOSIP-3.1.6-01",
    "XCCOSIP-3.1.6.3-03",
    "XCCOSIP-3.1.6.3-04",
    "XCCOSIP-3.1.6.3-05",
    "XCCOSIP-3.1.7.3-03",
    "XCCOSIP-3.1.7.3-04",
    "XCCOSIP-3.1.7.3-05",
    "XCCOSIP-3.1.7.3-06",
    "XCCOSIP-3.1.8-01",
    "XCCOSIP-3.1.8.3-03",
    "XCCOSIP-3.1.8.3-06",
    "XCCOSIP-3.1.8.3-07",
    "XCCOSIP-3.1.8.3-08",
    "XCCOSIP-3.1.8.3-09",
    "XCCOSIP-3.1.8.3-10",
    "XCCOSIP-3.1.8.3-11",
    "XCCOSIP-3.1.8.3-12",
    "XCCOSIP-3.1.8.3-13",
    "XCCOSIP-3.1.8.3-15",
    "XCCOSIP-3.1.8.3-16",
    "XCCOSIP-3.1.8.3-17",
    "XCCOSIP-3.1.8.3-18",
    "XCCOSIP-3.1.8.3-19",
    "XCCOSIP-3.1.9.3-03",
    "XCCOSIP-3.1.9.3-04",
    "XCCOSIP-3.1.9.3-05",
    "XCCOSIP-3.1.10.3-03",
    "XCCOSIP-3.1.10.3-04",
    "XCCOSIP-3.1.10.3-05",
    "XCCOSIP-3.1.11.3-04",
    "XCCOSIP-3.1.11.3-05",
    "XCCOSIP-2.2.2.1.10-19",
    "XCCOSIP-3.1.11.3-06",
    "XCCOSIP-3.1.11.3-07",
    "XCCOSIP-3.1.11.3-08",
    "XCCOSIP-3.1.12.3-03",
    "XCCOSIP-3.1.12.3-04",
    "XCCOSIP-3.1.16.3-03",
    "XCCOSIP-3.1.16.3-04",
    "XCCOSIP-3.1.17.3-03",
    "XCCOSIP-3.1.17.3-04",
    "XCCOSIP-3.1.17.3-05",
    "XCCOSIP-3.1.17.3-06",
    "XCCOSIP-3.1.17.3-07",
    "XCCOSIP-3.1.17.3-08",
    "XCCOSIP-3.1.17.3-09",
    "XCCOSIP-3.1.17.3-10",
    "XCCOSIP-3.1.17.3-11",
    "XCCOSIP-3.1.17.3-12",
    "XCCOSIP-3.1.17.3-14",
    "XCCOSIP-3.1.17.3-15",
    "XCCOSIP-3.1.17.3-16",
    "XCCOSIP-3.1.18.3-03",
    "XCCOSIP-3.1.18.3-04",
    "XCCOSIP-3.1.18.3-05",
    "XCCOSIP-3.1.18.3-06",
    "XCCOSIP-3.1.19-02",
    "XCCOSIP-3.1.19.3-04",
    "XCCOSIP-3.1.19.3-05",
    "XCCOSIP-3.1.19.3-06",
];

/// The date from which a search without range starts (3.1.8.3).
const BEGINNING: &str = "1899-12-30T00:00:00.000Z";

struct Cmd<'a, 'd> {
    doc: &'a Doc<'a>,
    primitive: &'a Primitive<'a>,
    data: &'a Element,
    desk: &'d mut Desk,
}

impl<'a> Cmd<'a, '_> {
    fn expect(
        &mut self,
        holds: bool,
        id: &str,
        at: Option<&Element>,
        message: impl FnOnce() -> String,
    ) -> bool {
        self.expect_as(holds, id, Weight::Fail, at, message)
    }

    fn expect_as(
        &mut self,
        holds: bool,
        id: &str,
        weight: Weight,
        at: Option<&Element>,
        message: impl FnOnce() -> String,
    ) -> bool {
        if holds {
            self.desk.pass(RULE, id, self.doc.seen);
        } else {
            let at = at.unwrap_or(self.data);
            let spot = Spot::element(&self.doc.tree.path_of(at), at);
            let message = format!("{}: {}", self.primitive.id(), message());
            self.desk
                .fail_as(RULE, id, weight, self.doc.seen, spot, message);
        }
        holds
    }

    /// Exactly one block of that name.
    fn one(&mut self, name: &'static str, id: &str) -> Option<&'a Element> {
        let blocks: Vec<_> = self.data.all(name).collect();
        let count = blocks.len();
        self.expect(count == 1, id, None, || {
            if count == 0 {
                format!("no {name}")
            } else {
                format!("{count} {name}, one is allowed")
            }
        });
        blocks.first().copied()
    }

    /// An attribute that has to be there, with a value that fits.
    fn attr(
        &mut self,
        block: &Element,
        name: &str,
        id: &str,
        fits: impl Fn(&str) -> bool,
        what: &str,
    ) {
        let value = block.get(name).map(str::to_owned);
        let good = value.as_deref().is_some_and(fits);
        self.expect(good, id, Some(block), || match value {
            None => format!("{} has no {name}", block.name),
            Some(value) => format!("{name} is {value:?}; it has to be {what}"),
        });
    }
}

/// Judges a command.
pub(crate) fn judge(doc: &Doc<'_>, primitive: &Primitive<'_>, desk: &mut Desk) {
    let Some(row) = table::command(primitive.id()) else {
        return;
    };
    if let Some(id) = row.request {
        desk.pass(RULE, id, doc.seen);
    }
    let count = primitive.element.all("data").count();
    if let Some(id) = row.one_data {
        if count == 1 {
            desk.pass(RULE, id, doc.seen);
        } else {
            desk.fail(
                RULE,
                id,
                doc.seen,
                Spot::element(&doc.tree.path_of(primitive.element), primitive.element),
                format!("{}: {count} data blocks; it has exactly one", row.id),
            );
        }
    }
    let Some(data) = primitive.data() else { return };
    let mut cmd = Cmd {
        doc,
        primitive,
        data,
        desk,
    };
    match row.id {
        "cmd:requi" | "cmd:requri" => {
            let empty = data.elements().next().is_none();
            cmd.expect(empty, "XCCOSIP-3.1.3.3-02", None, || {
                "data is not empty".to_owned()
            });
            cmd.expect(true, "XCCOSIP-3.1.3-01", None, String::new);
        }
        "cmd:getserverinfo" => server_info(&mut cmd),
        "cmd:join" => join(&mut cmd),
        "cmd:bjoin" => bjoin(&mut cmd),
        "cmd:bccontext" => history(&mut cmd),
        "cmd:bcbydate" | "cmd:bcbystate" => search(&mut cmd),
        "cmd:chansrch" => room_search(&mut cmd),
        "cmd:getinv" => {
            if let Some(inv) = cmd.one("inv", "XCCOSIP-3.1.10.3-03") {
                let zero = inv
                    .get("inviteId")
                    .is_none_or(|i| i.trim().trim_start_matches('0').is_empty());
                cmd.expect(zero, "XCCOSIP-3.1.10.3-04", Some(inv), || {
                    format!("inviteId is {:?}, not 0", inv.get("inviteId").unwrap_or(""))
                });
                cmd.attr(
                    inv,
                    "domain",
                    "XCCOSIP-3.1.10.3-05",
                    |d| !d.trim().is_empty(),
                    "the server's domain",
                );
            }
        }
        "cmd:getassociations" => associations(&mut cmd),
        "cmd:chaneffquery" => room(&mut cmd, "XCCOSIP-3.1.12.3-03", "XCCOSIP-3.1.12.3-04"),
        "cmd:getroomperms" => room(&mut cmd, "XCCOSIP-3.1.16.3-03", "XCCOSIP-3.1.16.3-04"),
        "cmd:updatenode" => update(&mut cmd),
        "cmd:getpref" => {
            // The document's own envelope (2.2.2.2.1) asks for a preference of another kind.
            const EXAMPLE: &str = "kedzie.ShowFeature";
            if let Some(pref) = cmd.one("pref", "XCCOSIP-3.1.18.3-03")
                && pref.get("label") != Some(EXAMPLE)
            {
                cmd.attr(
                    pref,
                    "label",
                    "XCCOSIP-3.1.18.3-04",
                    |l| l == "kedzie.GroupChannels",
                    "kedzie.GroupChannels",
                );
                cmd.attr(
                    pref,
                    "seqid",
                    "XCCOSIP-3.1.18.3-05",
                    |s| forms::is_integer(s, 0, 0),
                    "0",
                );
                cmd.attr(
                    pref,
                    "createdefault",
                    "XCCOSIP-3.1.18.3-06",
                    |c| forms::boolean(c).is_some(),
                    "a Boolean",
                );
            }
        }
        "cmd:getfutok" | "cmd:getfdtok" => {
            if let Some(ftdb) = cmd.one("ftdb", "XCCOSIP-3.1.19.3-04") {
                cmd.attr(
                    ftdb,
                    "channelUri",
                    "XCCOSIP-3.1.19.3-05",
                    |u| forms::channel(u).is_some() || forms::has_scheme(u),
                    "the channel's URI",
                );
                cmd.attr(
                    ftdb,
                    "fileUrl",
                    "XCCOSIP-3.1.19.3-06",
                    |u| !u.trim().is_empty(),
                    "what identifies the file",
                );
                let named = ftdb.get("channelUri").is_some();
                cmd.expect(named, "XCCOSIP-3.1.19-02", Some(ftdb), || {
                    "the file is tied to no room".to_owned()
                });
            }
        }
        _ => {}
    }
}

fn server_info(cmd: &mut Cmd<'_, '_>) {
    let Some(sib) = cmd.one("sib", "XCCOSIP-3.1.4.3-03") else {
        return;
    };
    cmd.attr(
        sib,
        "domain",
        "XCCOSIP-3.1.4.3-04",
        |d| !d.trim().is_empty(),
        "the server's domain",
    );
    cmd.attr(
        sib,
        "infoType",
        "XCCOSIP-3.1.4.3-05",
        |t| forms::is_integer(t, i64::MIN.into(), i64::MAX.into()),
        "an integer",
    );
    cmd.attr(
        sib,
        "clientVersion",
        "XCCOSIP-3.1.4.3-07",
        |v| !v.trim().is_empty(),
        "a version",
    );
    if let Some(bits) = sib
        .get("infoType")
        .and_then(|t| t.trim().parse::<i64>().ok())
    {
        // Bit 256 stands for nothing either, but the document's own request sets it (4.1).
        let undefined = bits & !0x7ff;
        cmd.expect_as(
            undefined == 0,
            "XCCOSIP-2.2.2.1.10-19",
            Weight::Warn,
            Some(sib),
            || format!("infoType {bits} asks for bits that stand for nothing"),
        );
        // What 3.1.4.3 recommends and the document's own request sets as well.
        let useful = 1 | 2 | 32 | 64 | 128;
        let missing = useful & !bits;
        cmd.expect(missing == 0, "XCCOSIP-3.1.4.3-06", Some(sib), || {
            format!("infoType {bits} leaves out bits {missing} of the recommended ones")
        });
    }
}

fn join(cmd: &mut Cmd<'_, '_>) {
    let Some(chanid) = cmd.one("chanid", "XCCOSIP-3.1.5.3-03") else {
        return;
    };
    cmd.attr(
        chanid,
        "value",
        "XCCOSIP-3.1.5.3-04",
        forms::is_guid,
        "the GUID of the channel",
    );
    cmd.attr(
        chanid,
        "domain",
        "XCCOSIP-3.1.5.3-05",
        |d| !d.trim().is_empty(),
        "the server's domain",
    );
    if let Some(key) = chanid.get("key").map(str::to_owned) {
        cmd.expect(
            key.trim() == "0",
            "XCCOSIP-2.2.2.1.9-04",
            Some(chanid),
            || format!("the key is {key:?}; 0 is recommended"),
        );
    }
}

fn bjoin(cmd: &mut Cmd<'_, '_>) {
    cmd.expect(true, "XCCOSIP-3.1.6-01", None, String::new);
    cmd.one("chanid", "XCCOSIP-3.1.6.3-03");
    for chanid in cmd.data.all("chanid") {
        cmd.attr(
            chanid,
            "value",
            "XCCOSIP-3.1.6.3-04",
            |v| v.split(',').all(forms::is_guid),
            "a comma list of channel GUIDs",
        );
        cmd.attr(
            chanid,
            "domain",
            "XCCOSIP-3.1.6.3-05",
            |d| !d.trim().is_empty(),
            "the server's domain",
        );
    }
}

fn history(cmd: &mut Cmd<'_, '_>) {
    room(cmd, "XCCOSIP-3.1.7.3-03", "XCCOSIP-3.1.7.3-04");
    let Some(bcq) = cmd.one("bcq", "XCCOSIP-3.1.7.3-05") else {
        return;
    };
    // Asking by message identifier is in the grammar, and in no step.
    if bcq.first("msgid").is_some() {
        return;
    }
    let cnt = bcq.first("last").and_then(|l| l.get("cnt")).is_some();
    cmd.expect(cnt, "XCCOSIP-3.1.7.3-06", Some(bcq), || {
        "bcq has no last with a cnt".to_owned()
    });
}

fn room(cmd: &mut Cmd<'_, '_>, one: &str, uri: &str) {
    if let Some(chanib) = cmd.one("chanib", one) {
        cmd.attr(
            chanib,
            "uri",
            uri,
            |u| forms::channel(u).is_some(),
            "a channel's URI",
        );
    }
}

fn search(cmd: &mut Cmd<'_, '_>) {
    let Some(bcs) = cmd.one("bcs", "XCCOSIP-3.1.8.3-03") else {
        return;
    };
    let limit = bcs.first("limit").and_then(|l| l.get("cnt")).is_some();
    cmd.expect(limit, "XCCOSIP-3.1.8.3-06", Some(bcs), || {
        "bcs has no limit with a cnt".to_owned()
    });
    let texts: Vec<_> = bcs.all("text").collect();
    let phrase = texts.iter().find(|t| t.get("mt") != Some("PP"));
    if !texts.is_empty() {
        cmd.expect(
            phrase.is_none(),
            "XCCOSIP-3.1.8.3-07",
            phrase.copied(),
            || "a text without mt PP".to_owned(),
        );
    }
    let msgid = bcs.first("msgid").or(bcs.first("msgId"));
    cmd.expect(msgid.is_none(), "XCCOSIP-3.1.8.3-08", msgid, || {
        "msgid is set".to_owned()
    });
    for uib in bcs.all("uib") {
        let only = uib.attrs.iter().all(|a| a.ns.is_some() || a.name == "uri")
            && uib.elements().next().is_none();
        cmd.expect(only, "XCCOSIP-3.1.8.3-09", Some(uib), || {
            "an author's uib has more than uri".to_owned()
        });
        cmd.attr(
            uib,
            "uri",
            "XCCOSIP-3.1.8.3-10",
            forms::is_sip_uri,
            "the author's SIP URI",
        );
    }
    let date = bcs.first("date");
    cmd.expect(date.is_some(), "XCCOSIP-3.1.8.3-11", Some(bcs), || {
        "bcs has no date".to_owned()
    });
    if let Some(date) = date {
        let good = |name: &str| date.get(name).is_some_and(forms::is_time);
        cmd.expect(
            good("from") && (good("to") || date.get("to").is_none()),
            "XCCOSIP-3.1.8.3-12",
            Some(date),
            || "from and to are no ISO 8601 times".to_owned(),
        );
        let bound = |name: &str| date.get(name).and_then(forms::seconds);
        if let (Some(from), Some(to)) = (bound("from"), bound("to")) {
            cmd.expect(from <= to, "XCCOSIP-3.1.8.3-12", Some(date), || {
                "from is later than to".to_owned()
            });
        }
        // The default start in another spelling of the same year is a default got wrong.
        if let Some(from) = date.get("from").filter(|f| f.trim().starts_with("1899")) {
            let from = from.trim().to_owned();
            cmd.expect(from == BEGINNING, "XCCOSIP-3.1.8.3-13", Some(date), || {
                format!("from is {from}; without a range it is {BEGINNING}")
            });
        }
    }
    let flags = [
        ("matchcase", "XCCOSIP-3.1.8.3-15"),
        ("searchbkwds", "XCCOSIP-3.1.8.3-16"),
        ("sortbkwds", "XCCOSIP-3.1.8.3-17"),
    ];
    for (name, id) in flags {
        if let Some(flag) = bcs.first(name)
            && let Some(value) = forms::boolean(&flag.content())
        {
            cmd.expect(!value, id, Some(flag), || format!("{name} is true"));
        }
    }
    let rooms: Vec<_> = bcs.all("cib").collect();
    let count = rooms.len();
    if let Some(second) = rooms.get(1) {
        cmd.expect_as(
            false,
            "XCCOSIP-3.1.8-01",
            Weight::Warn,
            Some(second),
            || format!("{count} rooms in one search; the client asks for each by itself"),
        );
    } else if count == 1 {
        cmd.expect(true, "XCCOSIP-3.1.8-01", None, String::new);
        cmd.expect(true, "XCCOSIP-3.1.8.3-18", None, String::new);
    }
    for cib in rooms {
        cmd.attr(
            cib,
            "uri",
            "XCCOSIP-3.1.8.3-19",
            |u| forms::channel(u).is_some(),
            "the channel's URI",
        );
    }
}

fn room_search(cmd: &mut Cmd<'_, '_>) {
    // 2.2.2.1.11 gives this command another block.
    if cmd.data.first("qib").is_none() && cmd.data.first("filtib").is_some() {
        return;
    }
    let Some(qib) = cmd.one("qib", "XCCOSIP-3.1.9.3-03") else {
        return;
    };
    cmd.attr(
        qib,
        "qtype",
        "XCCOSIP-3.1.9.3-04",
        |t| t == "BYNAME",
        "BYNAME",
    );
    let keywords = qib.get("keywords").unwrap_or("").to_owned();
    cmd.expect(
        keywords.trim().is_empty(),
        "XCCOSIP-3.1.9.3-05",
        Some(qib),
        || format!("keywords is {keywords:?}, not empty"),
    );
}

fn associations(cmd: &mut Cmd<'_, '_>) {
    let Some(block) = cmd.one("association", "XCCOSIP-3.1.11.3-04") else {
        return;
    };
    cmd.attr(
        block,
        "domain",
        "XCCOSIP-3.1.11.3-05",
        |d| !d.trim().is_empty(),
        "the server's domain",
    );
    match block.get("type") {
        Some("MEMBER") => {
            cmd.expect(true, "XCCOSIP-3.1.11.3-06", None, String::new);
        }
        Some("MANAGER") => {
            cmd.expect(true, "XCCOSIP-3.1.11.3-07", None, String::new);
        }
        _ => {}
    }
    let set = block.get("maxResult").is_some() || block.get("maxResults").is_some();
    cmd.expect(set, "XCCOSIP-3.1.11.3-08", Some(block), || {
        "the number of results wanted (maxResult) is not set".to_owned()
    });
}

/// Attributes an update carries, each with its entry (3.1.17.3).
const UPDATED: &[(&str, &str)] = &[
    ("uri", "XCCOSIP-3.1.17.3-04"),
    ("name", "XCCOSIP-3.1.17.3-05"),
    ("parent", "XCCOSIP-3.1.17.3-06"),
    ("description", "XCCOSIP-3.1.17.3-07"),
    ("behavior", "XCCOSIP-3.1.17.3-08"),
    ("siopid", "XCCOSIP-3.1.17.3-09"),
    ("disabled", "XCCOSIP-3.1.17.3-10"),
];

/// Attributes of chanib that 2.2.2.1.7.1 calls not used and that Microsoft's own
/// payloads carry everywhere: they ask for no change, so an update may hold them.
const UNUSED: &[&str] = &["overridemembers", "keywords", "topic", "filerepository"];

fn update(cmd: &mut Cmd<'_, '_>) {
    let Some(chanib) = cmd.one("chanib", "XCCOSIP-3.1.17.3-03") else {
        return;
    };
    for (name, id) in UPDATED {
        let there = chanib.get(name).is_some();
        cmd.expect(there, id, Some(chanib), || format!("chanib has no {name}"));
    }
    let extra = chanib
        .attrs
        .iter()
        .find(|a| {
            let supported = UPDATED.iter().any(|(n, _)| *n == a.name);
            a.ns.is_none() && !supported && !UNUSED.contains(&a.name.as_str())
        })
        .map(|a| a.name.clone());
    cmd.expect(extra.is_none(), "XCCOSIP-3.1.17.3-11", Some(chanib), || {
        format!(
            "chanib has {}, which an update does not support",
            extra.unwrap_or_default()
        )
    });
    let audits = chanib.all("audit").count();
    cmd.expect(audits == 1, "XCCOSIP-3.1.17.3-12", Some(chanib), || {
        format!("{audits} audit blocks; it has one")
    });
    let holds = |kind: &'static str, id: &str| {
        chanib
            .all(kind)
            .any(|e| e.get("id").is_some_and(|i| i.trim() == id))
    };
    let visibility = holds("info", "urn:parlano:ma:info:visibility");
    cmd.expect(visibility, "XCCOSIP-3.1.17.3-14", Some(chanib), || {
        "chanib has no info visibility".to_owned()
    });
    let invite = holds("prop", "urn:parlano:ma:prop:invite");
    cmd.expect(invite, "XCCOSIP-3.1.17.3-15", Some(chanib), || {
        "chanib has no prop invite".to_owned()
    });
    if ["members", "managers", "presenters"]
        .iter()
        .any(|n| chanib.first(n).is_some())
    {
        cmd.expect(true, "XCCOSIP-3.1.17.3-16", None, String::new);
    }
}

/*! Values the schema cannot see (2.2.2.1).

Takes each element of a document where it stands, concludes about closed
lists, lists in attributes, numbers that depend on each other, and blocks that
belong to one command only. Passing shows in the same place.
*/

use trace::Seat;

use super::Doc;
use super::desk::{Desk, Spot};
use super::{forms, table};
use crate::payload::Element;
use crate::policy::Weight;

const RULE: &str = "values";

/// The ids this rule can decide.
pub(crate) const IDS: &[&str] = &[
    "XCCOSIP-2.2.2.1.1-06",
    "XCCOSIP-2.2.2.1.3-03",
    "XCCOSIP-2.2.2.1.5-02",
    "XCCOSIP-2.2.2.1.6-01",
    "XCCOSIP-2.2.2.1.6-04",
    "XCCOSIP-2.2.2.1.6-05",
    "XCCOSIP-2.2.2.1.6-06",
    "XCCOSIP-2.2.2.1.7.1-02",
    "XCCOSIP-2.2.2.1.7.1-05",
    "XCCOSIP-2.2.2.1.7.1-07",
    "XCCOSIP-2.2.2.1.7.1-08",
    "XCCOSIP-2.2.2.1.7.2-05",
    "XCCOSIP-2.2.2.1.7.2-06",
    "XCCOSIP-2.2.2.1.7.2.2-01",
    "XCCOSIP-2.2.2.1.7.2.2-02",
    "XCCOSIP-2.2.2.1.7.2.2-03",
    "XCCOSIP-2.2.2.1.7.2.2-04",
    "XCCOSIP-2.2.2.1.7.2.2-07",
    "XCCOSIP-2.2.2.1.7.2.2-08",
    "XCCOSIP-2.2.2.1.7.2.3-01",
    "XCCOSIP-2.2.2.1.8.2.1-01",
    "XCCOSIP-2.2.2.1.9-01",
    "XCCOSIP-2.2.2.1.10-01",
    "XCCOSIP-2.2.2.1.11-01",
    "XCCOSIP-2.2.2.1.11.1-09",
    "XCCOSIP-2.2.2.1.11.1-20",
    "XCCOSIP-2.2.2.1.11.1-22",
    "XCCOSIP-2.2.2.1.11.2-01",
    "XCCOSIP-2.2.2.1.11.2-03",
    "XCCOSIP-2.2.2.1.12-01",
    "XCCOSIP-2.2.2.1.14.1-01",
    "XCCOSIP-2.2.2.1.14.1-02",
    "XCCOSIP-2.2.2.1.14.1-03",
    "XCCOSIP-2.2.2.1.15-01",
    "XCCOSIP-2.2.2.1.16-01",
    "XCCOSIP-2.2.2.1.16-02",
    "XCCOSIP-2.2.2.1.17-01",
    "XCCOSIP-2.2.2.1.17-02",
    "XCCOSIP-2.2.2.1.17.2-09",
    "XCCOSIP-2.2.2.1.17.2-10",
    "XCCOSIP-2.2.2.1.17.2-12",
    "XCCOSIP-2.2.2.1.18-01",
    "XCCOSIP-2.2.2.1.18-02",
    "XCCOSIP-2.2.2.1.18-03",
    "XCCOSIP-2.2.2.1.20-01",
    "XCCOSIP-2.2.2.1.22-05",
    "XCCOSIP-2.2.2.1.23-01",
    "XCCOSIP-2.2.2.1.23-05",
    "XCCOSIP-2.2.2.1.24-01",
    "XCCOSIP-2.2.2.1.27-05",
    "XCCOSIP-2.2.2.2.9-14",
    "XCCOSIP-2.2.2.2.9-19",
    "XCCOSIP-4.6-01",
];

/// Info ids of a channel (2.2.2.1.7.2.2), both spellings of the file store.
const INFOS: &[&str] = &[
    "urn:parlano:ma:info:path",
    "urn:parlano:ma:info:filestoreuri",
    "urn:parlano:info:filestoreuri",
    "urn:parlano:ma:info:visibility",
    "urn:parlano:ma:info:manager",
    "urn:parlano:ma:info:ucnt",
];

/// Property ids of a channel (2.2.2.1.7.2.3).
const PROPS: &[&str] = &[
    "urn:parlano:ma:prop:logged",
    "urn:parlano:ma:prop:filepost",
    "urn:parlano:ma:prop:invite",
];

struct Here<'a, 'd> {
    doc: &'a Doc<'a>,
    at: usize,
    element: &'a Element,
    desk: &'d mut Desk,
}

impl Here<'_, '_> {
    fn spot(&self, attr: Option<&str>) -> Spot {
        let path = self.doc.tree.path(self.at);
        match attr {
            Some(attr) => Spot::attribute(&path, self.element, attr),
            None => Spot::element(&path, self.element),
        }
    }

    fn expect(
        &mut self,
        holds: bool,
        id: &str,
        attr: Option<&str>,
        message: impl FnOnce() -> String,
    ) {
        if holds {
            self.desk.pass(RULE, id, self.doc.seen);
        } else {
            let spot = self.spot(attr);
            self.desk.fail(RULE, id, self.doc.seen, spot, message());
        }
    }

    fn expect_as(
        &mut self,
        holds: bool,
        id: &str,
        weight: Weight,
        message: impl FnOnce() -> String,
    ) {
        if holds {
            self.desk.pass(RULE, id, self.doc.seen);
        } else {
            let spot = self.spot(None);
            self.desk
                .fail_as(RULE, id, weight, self.doc.seen, spot, message());
        }
    }

    /// A value out of a list, when the attribute is there.
    fn listed(&mut self, attr: &str, allowed: &[&str], id: &str) {
        let Some(value) = self.element.get(attr).map(|v| v.trim().to_owned()) else {
            return;
        };
        let name = self.element.name.clone();
        self.expect(allowed.contains(&value.as_str()), id, Some(attr), || {
            format!(
                "{name}/@{attr} is {value:?}; allowed is {}",
                allowed.join(", ")
            )
        });
    }
}

/// Judges every element of a document.
pub(crate) fn judge(doc: &Doc<'_>, desk: &mut Desk) {
    for (at, item) in doc.tree.items.iter().enumerate() {
        if !item.element.is_chat() {
            continue;
        }
        let mut here = Here {
            doc,
            at,
            element: item.element,
            desk,
        };
        one(&mut here);
    }
}

fn one(here: &mut Here<'_, '_>) {
    let (doc, at, element) = (here.doc, here.at, here.element);
    let parent = doc.tree.parent(at).map_or("", |p| p.name.as_str());
    let primitive = doc.tree.primitive(at);
    let id = primitive.and_then(|p| p.get("id")).unwrap_or("");
    if parent == "data" {
        belongs(here, id);
    }
    let from_client = doc.seen.from == Seat::Client;
    match element.name.as_str() {
        "audit" => {
            for attr in ["updatedon", "createdon"] {
                if let Some(value) = element.get(attr).filter(|v| forms::is_time(v)) {
                    let (utc, value) = (forms::is_utc(value), value.to_owned());
                    here.expect(utc, "XCCOSIP-2.2.2.1.1-06", Some(attr), || {
                        format!("{attr} is {value}, which is not in UTC")
                    });
                }
            }
        }
        "gib" if matches!(parent, "members" | "managers" | "presenters") => {
            here.expect(true, "XCCOSIP-2.2.2.1.5-02", None, String::new);
        }
        "from" => origin(here, id),
        "chanib" | "cib" => {
            node_uri(here, "uri", "ma-chan:", "XCCOSIP-2.2.2.1.7.1-02");
            node_uri(here, "parent", "ma-cat:", "XCCOSIP-2.2.2.1.7.1-05");
            here.listed(
                "behavior",
                &["UNSET", "NORMAL", "AUDITORIUM"],
                "XCCOSIP-2.2.2.1.7.1-07",
            );
            if element.get("behavior") == Some("UNSET") {
                here.expect(true, "XCCOSIP-2.2.2.1.7.1-08", None, String::new);
            }
            let unused = [
                ("ace", "XCCOSIP-2.2.2.1.7.2-05"),
                ("uset", "XCCOSIP-2.2.2.1.7.2-06"),
            ];
            for (name, entry) in unused {
                here.expect_as(element.first(name).is_none(), entry, Weight::Warn, || {
                    format!("{name} is not used in a chanib")
                });
            }
        }
        "info" if parent == "chanib" || parent == "cib" => info(here),
        "info" if parent == "catib" => {
            here.listed(
                "id",
                &["urn:parlano:ma:info:path"],
                "XCCOSIP-2.2.2.1.8.2.1-01",
            );
        }
        "prop" => {
            if parent == "chanib" || parent == "cib" {
                here.listed("id", PROPS, "XCCOSIP-2.2.2.1.7.2.3-01");
            }
            let value = element.content();
            if !value.trim().is_empty() {
                here.expect(
                    forms::loose_boolean(&value).is_some(),
                    "XCCOSIP-2.2.2.1.3-03",
                    None,
                    || format!("the value {:?} of a prop is no Boolean", value.trim()),
                );
            }
        }
        "filtib" => {
            here.expect(id == "cmd:chansrch", "XCCOSIP-2.2.2.1.11-01", None, || {
                format!("filtib in {id}; it belongs to cmd:chansrch only")
            });
            here.listed("vis", &["2", "3", "6"], "XCCOSIP-2.2.2.1.11.1-20");
            here.listed("type", &["4", "5"], "XCCOSIP-2.2.2.1.11.1-22");
            if let Some(invites) = element.get("invites").map(|i| i.trim().to_lowercase()) {
                let known = matches!(
                    invites.as_str(),
                    "" | "inherit" | "true" | "false" | "0" | "1"
                );
                here.expect_as(known, "XCCOSIP-2.2.2.1.11.1-09", Weight::Warn, || {
                    format!("invites is {invites:?}; named are inherit and false")
                });
            }
        }
        "member" | "manager" if parent == "filtib" => {
            let count = element.elements().count();
            let entry = if element.name == "member" {
                "XCCOSIP-2.2.2.1.11.2-01"
            } else {
                "XCCOSIP-2.2.2.1.11.2-03"
            };
            here.expect(count == 1, entry, None, || {
                format!("{count} principals; it is one uib or one gib")
            });
        }
        "prins" => here.listed("verb", &["A", "R", "X"], "XCCOSIP-2.2.2.1.12-01"),
        "members" | "managers" | "presenters" => role_list(here, from_client),
        "inv" => here.expect(id == "cmd:getinv", "XCCOSIP-2.2.2.1.15-01", None, || {
            format!("inv in {id}; it belongs to cmd:getinv only")
        }),
        "qib" => {
            const SEARCHES: &[&str] = &[
                "cmd:chansrch",
                "cmd:usrsrch",
                "cmd:getscoped",
                "cmd:getscopedvoice",
                "cmd:qeulmem",
                "cmd:qeulmgr",
                "cmd:qeulvoiced",
            ];
            if SEARCHES.contains(&id) {
                here.expect(true, "XCCOSIP-2.2.2.1.16-01", None, String::new);
            }
            if id == "cmd:chansrch" {
                here.listed("qtype", &["BYNAME"], "XCCOSIP-2.2.2.1.16-02");
            }
        }
        "bcq" => {
            let count = element.all("last").count() + element.all("msgid").count();
            here.expect(count == 1, "XCCOSIP-2.2.2.1.17-02", None, || {
                format!("{count} ranges; it is one of last and msgid")
            });
        }
        "resp" => {
            let code = element.get("code").unwrap_or("").to_owned();
            if forms::is_integer(&code, i128::MIN, i128::MAX) {
                let fits = forms::is_integer(&code, 100, 699);
                here.expect(fits, "XCCOSIP-2.2.2.1.27-05", Some("code"), || {
                    format!("code is {code}; codes go from 100 to 699")
                });
            }
        }
        "msgid" if parent == "bcq" => {
            let number = |name: &str| element.get(name).and_then(|v| v.trim().parse::<u64>().ok());
            let (pre, post) = (number("pre"), number("post"));
            if let Some(cnt) = number("cnt") {
                let sum = pre.unwrap_or(0).saturating_add(post.unwrap_or(0));
                let given = [
                    (pre, "pre", "XCCOSIP-2.2.2.1.17.2-09"),
                    (post, "post", "XCCOSIP-2.2.2.1.17.2-10"),
                ];
                for (value, attr, entry) in given {
                    if value.is_some() {
                        here.expect(sum <= cnt, entry, Some(attr), || {
                            format!("pre plus post is {sum}, more than cnt {cnt}")
                        });
                    }
                }
            }
            if let Some(jump) = element.get("jump").and_then(forms::boolean) {
                here.expect(!jump, "XCCOSIP-2.2.2.1.17.2-12", Some("jump"), || {
                    "jump is true".to_owned()
                });
            }
        }
        "bcs" if from_client => {
            here.expect(
                element.get("cmp").is_some(),
                "XCCOSIP-2.2.2.1.18-03",
                Some("cmp"),
                || "bcs has no cmp".to_owned(),
            );
            here.listed("cmp", &["AND", "OR"], "XCCOSIP-2.2.2.1.18-02");
        }
        "aib" if primitive.is_some_and(|p| p.name == "ntc") && parent == "uib" => {
            let value = element.get("value").unwrap_or("").to_owned();
            let good = forms::guids(&value).is_some_and(|g| !g.is_empty());
            here.expect(good, "XCCOSIP-2.2.2.1.22-05", Some("value"), || {
                format!("{value:?} is no list of room GUIDs")
            });
        }
        "fib" if id == "rpl:bjoin" => {
            let value = element.get("value").unwrap_or("").to_owned();
            here.expect(
                forms::tokens(&value).next().is_some(),
                "XCCOSIP-2.2.2.1.23-05",
                Some("value"),
                || "fib names no room".to_owned(),
            );
        }
        "grpchat" if parent == "xccos" && from_client => {
            let shown = [
                (element.get("authdisp") == Some(""), "XCCOSIP-2.2.2.2.9-14"),
                (element.get("chatId") == Some("0"), "XCCOSIP-2.2.2.2.9-19"),
                (
                    element.first("originatingMessageId").is_some(),
                    "XCCOSIP-4.6-01",
                ),
            ];
            for (holds, entry) in shown {
                if holds {
                    here.expect(true, entry, None, String::new);
                }
            }
        }
        _ => {}
    }
}

/// Data blocks that stand in some primitives only: the block, where it belongs, and the entry that says so.
const BELONGS: &[(&str, &[&str], &str)] = &[
    ("chanid", &["cmd:join", "cmd:bjoin"], "XCCOSIP-2.2.2.1.9-01"),
    (
        "sib",
        &["cmd:getserverinfo", "rpl:getserverinfo"],
        "XCCOSIP-2.2.2.1.10-01",
    ),
    ("bcq", &["cmd:bccontext"], "XCCOSIP-2.2.2.1.17-01"),
    (
        "bcs",
        &["cmd:bcbydate", "cmd:bcbystate", "cmd:bcbymsg"],
        "XCCOSIP-2.2.2.1.18-01",
    ),
    (
        "association",
        &["cmd:getassociations", "rpl:getassociations"],
        "XCCOSIP-2.2.2.1.20-01",
    ),
    ("fib", &["rpl:bjoin"], "XCCOSIP-2.2.2.1.23-01"),
    (
        "ftdb",
        &["cmd:getfutok", "cmd:getfdtok"],
        "XCCOSIP-2.2.2.1.24-01",
    ),
];

/// A data block where the document wants it.
fn belongs(here: &mut Here<'_, '_>, id: &str) {
    // What an unknown command carries shows which one was meant; that is said elsewhere.
    let known = table::command(id).is_some() || table::is_reply(id) || id.starts_with("ntc:");
    let row = BELONGS.iter().find(|(b, ..)| *b == here.element.name);
    if let (Some((block, places, entry)), true) = (row, known) {
        here.expect(places.contains(&id), entry, None, || {
            format!("{block} in {id}; it belongs to {}", places.join(", "))
        });
    }
}

/// A URI of a node of the one kind; any scheme of one's own passes, that of another kind does not.
fn node_uri(here: &mut Here<'_, '_>, attr: &str, scheme: &str, entry: &str) {
    let Some(value) = here.element.get(attr).map(|v| v.trim().to_lowercase()) else {
        return;
    };
    let other = ["ma-chan:", "ma-cat:", "ma-grp:"]
        .iter()
        .any(|s| *s != scheme && value.starts_with(s));
    if other {
        here.expect(false, entry, Some(attr), || {
            format!("{attr} is {value:?}; here stands a {scheme} URI")
        });
    }
}

/// Where a principal was defined (2.2.2.1.6).
fn origin(here: &mut Here<'_, '_>, id: &str) {
    let value = here.element.content().trim().to_owned();
    if !value.is_empty() {
        here.expect(
            forms::has_scheme(&value),
            "XCCOSIP-2.2.2.1.6-01",
            None,
            || format!("from holds {value:?}, which is no URL"),
        );
    }
    let (scheme, entry) = match id {
        "rpl:getscoped" | "rpl:getscopedvoice" | "rpl:cateffquery" => {
            ("ma-cat:", "XCCOSIP-2.2.2.1.6-04")
        }
        "rpl:qeulmem" | "rpl:qeulmgr" | "rpl:qeulvoiced" => ("ma-chan:", "XCCOSIP-2.2.2.1.6-05"),
        "rpl:getdetails" => ("ma-grp:", "XCCOSIP-2.2.2.1.6-06"),
        _ => return,
    };
    if !value.is_empty() {
        let value = value.to_ascii_lowercase();
        // The document's own list of members names each principal's URL instead (2.2.2.1.14.2).
        let own = ["sip:", "sips:", "ma-grp:"];
        let fits = value.starts_with(scheme)
            || scheme == "ma-chan:" && own.iter().any(|s| value.starts_with(s));
        // What a principal object is, and that getdetails returns one, is said nowhere.
        let weight = if id == "rpl:getdetails" {
            Weight::Info
        } else {
            Weight::Fail
        };
        here.expect_as(fits, entry, weight, || {
            format!("from holds {value:?}; in {id} it is a {scheme} URI")
        });
    }
}

fn info(here: &mut Here<'_, '_>) {
    let Some(id) = here.element.get("id").map(|i| i.trim().to_owned()) else {
        return;
    };
    here.listed("id", INFOS, "XCCOSIP-2.2.2.1.7.2.2-01");
    let value = here.element.content().trim().to_owned();
    match id.rsplit(':').next().unwrap_or("") {
        "path" if !value.is_empty() => {
            here.expect(true, "XCCOSIP-2.2.2.1.7.2.2-02", None, String::new)
        }
        "filestoreuri" if !value.is_empty() => {
            here.expect(
                forms::has_scheme(&value),
                "XCCOSIP-2.2.2.1.7.2.2-03",
                None,
                || format!("the file store is {value:?}, which is no URL"),
            );
        }
        "visibility" => {
            let fits = matches!(value.as_str(), "PRIVATE" | "SCOPED" | "OPEN");
            here.expect(fits, "XCCOSIP-2.2.2.1.7.2.2-04", None, || {
                format!("the visibility is {value:?}; allowed is PRIVATE, SCOPED, OPEN")
            });
        }
        "manager" if !value.is_empty() => {
            here.expect(
                forms::is_sip_uri(&value),
                "XCCOSIP-2.2.2.1.7.2.2-07",
                None,
                || format!("the manager is {value:?}, which is no SIP URI"),
            );
        }
        "ucnt" => {
            let fits = forms::is_integer(&value, 0, i128::MAX);
            if !fits {
                here.expect(false, "XCCOSIP-2.2.2.1.7.2.2-08", None, || {
                    format!("ucnt is {value:?}, which is no number of users")
                });
            }
        }
        _ => {}
    }
}

/// Clients send changes (prins), servers send principals (2.2.2.1.14).
fn role_list(here: &mut Here<'_, '_>, from_client: bool) {
    let element = here.element;
    let (prins, uib, gib) = (
        element.first("prins").is_some(),
        element.first("uib").is_some(),
        element.first("gib").is_some(),
    );
    if from_client {
        here.expect(!(uib || gib), "XCCOSIP-2.2.2.1.14.1-01", None, || {
            "a client's role list holds uib or gib outside of prins".to_owned()
        });
        return;
    }
    let groups = element
        .all("prins")
        .any(|p| p.first("gib").is_some() && p.first("uib").is_none());
    if uib || prins && !groups {
        here.expect(!prins, "XCCOSIP-2.2.2.1.14.1-02", None, || {
            "a server's role list holds prins".to_owned()
        });
    }
    if gib || groups {
        here.expect(!prins, "XCCOSIP-2.2.2.1.14.1-03", None, || {
            "a server's role list holds prins".to_owned()
        });
    }
}

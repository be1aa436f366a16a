/*! Documents against the schema profile.

Takes the violations the schema engine found, gives for each the requirement
about the block or attribute it breaks: "rpl:join, chanib without uri" names
the entry about chanib/@uri. Only what no entry speaks of is called `SCHEMA`.
A document that fits is evidence for the entries about elements it holds.
*/

use std::collections::HashMap;
use std::sync::OnceLock;

use trace::Seat;
use xsd::Violation;

use super::desk::{Desk, Spot};
use super::{Doc, SchemaCheck, blocks};
use crate::payload::Element;
use crate::policy;

const RULE: &str = "schema";

/// Children of each block in the order of the schema; a name that may come more than once has a star.
const CHILDREN: &[(&str, &[&str])] = &[
    (
        "xccos",
        &["cmd*", "rpl*", "ntc*", "err*", "sys*", "grpchat*"],
    ),
    ("cmd", &["data"]),
    ("rpl", &["commandid", "resp", "data"]),
    ("ntc", &["data"]),
    ("err", &["commandid", "resp"]),
    ("sys", &["status"]),
    ("grpchat", &["originatingMessageId", "chat", "rtf"]),
    ("msg", &["originatingMessageId", "chat", "rtf"]),
    (
        "cmd/data",
        &[
            "chanib",
            "catib",
            "uib",
            "gib",
            "bcq",
            "bcs",
            "qib",
            "pref",
            "ftdb",
            "chanid*",
            "sib",
            "inv",
            "association",
            "siops",
            "scope",
            "filtib",
            "delchat",
            "purgeb",
        ],
    ),
    (
        "data",
        &[
            "chanib*",
            "catib*",
            "uib*",
            "gib*",
            "fib*",
            "hash*",
            "cnt",
            "status",
            "pref",
            "token",
            "tag",
            "sib",
            "grpchat",
            "siops",
            "association",
        ],
    ),
    (
        "chanib",
        &[
            "uib*",
            "gib*",
            "aib*",
            "audit",
            "info*",
            "prop*",
            "ace*",
            "uset*",
            "msg*",
            "members",
            "managers",
            "presenters",
        ],
    ),
    (
        "cib",
        &[
            "uib*",
            "gib*",
            "aib*",
            "audit",
            "info*",
            "prop*",
            "ace*",
            "uset*",
            "msg*",
            "members",
            "managers",
            "presenters",
        ],
    ),
    (
        "catib",
        &[
            "uib*", "gib*", "aib*", "audit", "info*", "prop*", "ace*", "creators",
        ],
    ),
    (
        "uib",
        &[
            "uib*",
            "gib*",
            "aib*",
            "audit",
            "from",
            "affiliation*",
            "perms",
        ],
    ),
    ("gib", &["uib*", "gib*", "aib*", "audit", "from", "perms"]),
    ("bcq", &["last", "msgid"]),
    (
        "bcs",
        &[
            "limit",
            "text*",
            "msgid",
            "msgId",
            "matchcase",
            "searchbkwds",
            "sortbkwds",
            "date",
            "uib*",
            "cib*",
        ],
    ),
    ("members", &["prins*", "uib*", "gib*"]),
    ("managers", &["prins*", "uib*", "gib*"]),
    ("presenters", &["prins*", "uib*", "gib*"]),
    ("creators", &["prins*", "uib*", "gib*"]),
    ("prins", &["uib", "gib"]),
    ("member", &["uib", "gib"]),
    ("manager", &["uib", "gib"]),
    ("filtib", &["member", "manager"]),
    ("association", &["chanib*"]),
    ("sib", &["uib*", "gib*", "aib*"]),
    ("aib", &["uib*", "gib*", "aib*"]),
    ("fib", &["uib*", "gib*", "aib*"]),
    ("hash", &["uib*", "gib*", "aib*"]),
    ("chanid", &["uib*", "gib*", "aib*"]),
];

/// Children that have to be there, and the entry that says so.
const NEEDED: &[(&str, &str, &str)] = &[
    ("cmd", "data", "XCCOSIP-2.2.2.2.2-43"),
    ("rpl", "resp", "XCCOSIP-2.2.2.2.4-03"),
    ("ntc", "data", "XCCOSIP-2.2.2.2.5-02"),
    ("grpchat", "chat", "XCCOSIP-2.2.2.2.9-25"),
    ("msg", "chat", "XCCOSIP-2.2.2.1.7.2.4-17"),
    ("bcs", "matchcase", "XCCOSIP-2.2.2.1.18.4-02"),
    ("bcs", "searchbkwds", "XCCOSIP-2.2.2.1.18.5-02"),
    ("bcs", "sortbkwds", "XCCOSIP-2.2.2.1.18.6-02"),
];

/// Blocks that a container holds once at most, and the entry that says so.
const ONCE: &[(&str, &str, &str)] = &[
    ("cmd/data", "chanib", "XCCOSIP-2.2.2.1.28-02"),
    ("cmd/data", "uib", "XCCOSIP-2.2.2.1.28-03"),
    ("cmd/data", "gib", "XCCOSIP-2.2.2.1.28-04"),
    ("cmd/data", "bcq", "XCCOSIP-2.2.2.1.28-05"),
    ("cmd/data", "bcs", "XCCOSIP-2.2.2.1.28-06"),
    ("cmd/data", "qib", "XCCOSIP-2.2.2.1.28-07"),
    ("cmd/data", "pref", "XCCOSIP-2.2.2.1.28-08"),
    ("cmd/data", "ftdb", "XCCOSIP-2.2.2.1.28-09"),
    ("cmd/data", "sib", "XCCOSIP-2.2.2.1.28-11"),
    ("cmd/data", "inv", "XCCOSIP-2.2.2.1.28-12"),
    ("cmd/data", "association", "XCCOSIP-2.2.2.1.28-13"),
    ("cmd/data", "filtib", "XCCOSIP-2.2.2.1.28-14"),
    ("cmd", "data", "XCCOSIP-2.2.2.1.28-01"),
    ("data", "cnt", "XCCOSIP-2.2.2.1.29-09"),
    ("data", "pref", "XCCOSIP-2.2.2.1.29-10"),
    ("data", "token", "XCCOSIP-2.2.2.1.29-11"),
    ("data", "status", "XCCOSIP-2.2.2.1.29-12"),
    ("data", "sib", "XCCOSIP-2.2.2.1.29-13"),
    ("data", "grpchat", "XCCOSIP-2.2.2.1.29-14"),
    ("data", "association", "XCCOSIP-2.2.2.1.29-15"),
    ("data", "siops", "XCCOSIP-2.2.2.1.29-16"),
    ("data", "tag", "XCCOSIP-2.2.2.1.29-17"),
    ("rpl", "data", "XCCOSIP-2.2.2.1.29-02"),
    ("ntc", "data", "XCCOSIP-2.2.2.1.29-02"),
    ("prins", "uib", "XCCOSIP-2.2.2.1.13-01"),
    ("prins", "gib", "XCCOSIP-2.2.2.1.13-01"),
    ("member", "uib", "XCCOSIP-2.2.2.1.11.2-01"),
    ("member", "gib", "XCCOSIP-2.2.2.1.11.2-01"),
    ("manager", "uib", "XCCOSIP-2.2.2.1.11.2-03"),
    ("manager", "gib", "XCCOSIP-2.2.2.1.11.2-03"),
    ("bcq", "last", "XCCOSIP-2.2.2.1.17-02"),
    ("bcq", "msgid", "XCCOSIP-2.2.2.1.17-02"),
];

/// Elements whose text has a form, and the entry that says so.
const TEXTS: &[(&str, &str, &str)] = &[
    ("bcs", "matchcase", "XCCOSIP-2.2.2.1.18.4-01"),
    ("bcs", "searchbkwds", "XCCOSIP-2.2.2.1.18.5-01"),
    ("bcs", "sortbkwds", "XCCOSIP-2.2.2.1.18.6-01"),
    ("bcs", "msgid", "XCCOSIP-2.2.2.1.18.3-01"),
    ("bcs", "msgId", "XCCOSIP-2.2.2.1.18.3-01"),
    ("data", "status", "XCCOSIP-2.2.2.1.29-18"),
];

/// Entries that a valid document shows to hold just by having an element under a parent (`*`: any).
const SHOWN: &[(&str, &str, &str)] = &[
    ("*", "uib", "XCCOSIP-2.2.2.1.4-01"),
    ("uib", "audit", "XCCOSIP-2.2.2.1.4-26"),
    ("uib", "perms", "XCCOSIP-2.2.2.1.4-27"),
    ("uib", "aib", "XCCOSIP-2.2.2.1.4-28"),
    ("uib", "from", "XCCOSIP-2.2.2.1.4-29"),
    ("*", "gib", "XCCOSIP-2.2.2.1.5-01"),
    ("gib", "audit", "XCCOSIP-2.2.2.1.5-11"),
    ("gib", "perms", "XCCOSIP-2.2.2.1.5-12"),
    ("gib", "from", "XCCOSIP-2.2.2.1.5-13"),
    ("*", "from", "XCCOSIP-2.2.2.1.6-01"),
    ("*", "chanib", "XCCOSIP-2.2.2.1.7-01"),
    ("*", "chanib", "XCCOSIP-2.2.2.1.7-02"),
    ("*", "chanib", "XCCOSIP-2.2.2-01"),
    ("chanib", "aib", "XCCOSIP-2.2.2.1.7.2-01"),
    ("chanib", "audit", "XCCOSIP-2.2.2.1.7.2-02"),
    ("chanib", "audit", "XCCOSIP-2.2.2.1.7.2.1-01"),
    ("chanib", "info", "XCCOSIP-2.2.2.1.7.2-03"),
    ("chanib", "prop", "XCCOSIP-2.2.2.1.7.2-04"),
    ("chanib", "members", "XCCOSIP-2.2.2.1.7.2-08"),
    ("chanib", "managers", "XCCOSIP-2.2.2.1.7.2-09"),
    ("chanib", "presenters", "XCCOSIP-2.2.2.1.7.2-10"),
    ("*", "info", "XCCOSIP-2.2.2.1.2-03"),
    ("*", "prop", "XCCOSIP-2.2.2.1.3-03"),
    ("msg", "chat", "XCCOSIP-2.2.2.1.7.2.4-17"),
    ("msg", "rtf", "XCCOSIP-2.2.2.1.7.2.4-18"),
    ("*", "catib", "XCCOSIP-2.2.2.1.8-01"),
    ("*", "catib", "XCCOSIP-2.2.2.1.8-02"),
    ("catib", "info", "XCCOSIP-2.2.2.1.8.2-01"),
    ("cmd/data", "chanid", "XCCOSIP-2.2.2.1.9-01"),
    ("*", "sib", "XCCOSIP-2.2.2.1.10-01"),
    ("*", "prins", "XCCOSIP-2.2.2.1.13-01"),
    ("prins", "uib", "XCCOSIP-2.2.2.1.13.2-01"),
    ("prins", "gib", "XCCOSIP-2.2.2.1.13.2-02"),
    ("*", "members", "XCCOSIP-2.2.2.1.14-01"),
    ("cmd/data", "bcs", "XCCOSIP-2.2.2.1.18-01"),
    ("cmd/data", "bcs", "XCCOSIP-2.2.2.1.18-05"),
    ("bcs", "text", "XCCOSIP-2.2.2.1.18.2-01"),
    ("bcs", "msgid", "XCCOSIP-2.2.2.1.18.3-01"),
    ("bcs", "msgId", "XCCOSIP-2.2.2.1.18.3-01"),
    ("bcs", "matchcase", "XCCOSIP-2.2.2.1.18.4-01"),
    ("bcs", "matchcase", "XCCOSIP-2.2.2.1.18.4-02"),
    ("bcs", "searchbkwds", "XCCOSIP-2.2.2.1.18.5-01"),
    ("bcs", "searchbkwds", "XCCOSIP-2.2.2.1.18.5-02"),
    ("bcs", "sortbkwds", "XCCOSIP-2.2.2.1.18.6-01"),
    ("bcs", "sortbkwds", "XCCOSIP-2.2.2.1.18.6-02"),
    ("data", "cnt", "XCCOSIP-2.2.2.1.19-01"),
    ("*", "association", "XCCOSIP-2.2.2.1.20-01"),
    ("*", "hash", "XCCOSIP-2.2.2.1.21-01"),
    ("*", "aib", "XCCOSIP-2.2.2.1.22-01"),
    ("*", "ftdb", "XCCOSIP-2.2.2.1.24-01"),
    ("*", "token", "XCCOSIP-2.2.2.1.25-01"),
    ("*", "pref", "XCCOSIP-2.2.2.1.26-01"),
    ("*", "resp", "XCCOSIP-2.2.2.1.27-01"),
    ("*", "resp", "XCCOSIP-2.2.2.1.27-05"),
    ("*", "resp", "XCCOSIP-6.1-07"),
    ("cmd", "data", "XCCOSIP-2.2.2.1.28-01"),
    ("cmd", "data", "XCCOSIP-2.2.2.1.28-15"),
    ("cmd", "data", "XCCOSIP-2.2.2.2.2-43"),
    ("cmd", "data", "XCCOSIP-2.2.2.1-01"),
    ("cmd", "data", "XCCOSIP-2.2.2.2-02"),
    ("cmd/data", "chanid", "XCCOSIP-2.2.2.1.28-10"),
    ("rpl", "data", "XCCOSIP-2.2.2.1.29-02"),
    ("ntc", "data", "XCCOSIP-2.2.2.1.29-02"),
    ("rpl", "data", "XCCOSIP-2.2.2.2-02"),
    ("rpl", "data", "XCCOSIP-2.2.2.2-04"),
    ("rpl", "data", "XCCOSIP-2.2.2.1-01"),
    ("rpl", "data", "XCCOSIP-2.2.2.2.4-04"),
    ("rpl", "data", "XCCOSIP-2.2.2.2.4-46"),
    ("rpl", "commandid", "XCCOSIP-2.2.2.2.4-44"),
    ("rpl", "commandid", "XCCOSIP-2.2.2.2.3-01"),
    ("rpl", "resp", "XCCOSIP-2.2.2.2.4-45"),
    ("rpl", "resp", "XCCOSIP-2.2.2.2.4-03"),
    ("data", "chanib", "XCCOSIP-2.2.2.1.29-03"),
    ("data", "catib", "XCCOSIP-2.2.2.1.29-04"),
    ("data", "uib", "XCCOSIP-2.2.2.1.29-05"),
    ("data", "gib", "XCCOSIP-2.2.2.1.29-06"),
    ("data", "fib", "XCCOSIP-2.2.2.1.29-07"),
    ("data", "hash", "XCCOSIP-2.2.2.1.29-08"),
    ("data", "status", "XCCOSIP-2.2.2.1.29-18"),
    ("ntc", "data", "XCCOSIP-2.2.2.2.5-02"),
    ("ntc", "data", "XCCOSIP-2.2.2.2.5-21"),
    ("err", "commandid", "XCCOSIP-2.2.2.2.6-12"),
    ("err", "commandid", "XCCOSIP-2.2.2.2.3-01"),
    ("err", "resp", "XCCOSIP-2.2.2.2.6-13"),
    ("xccos", "sys", "XCCOSIP-2.2.2.2.8-01"),
    ("sys", "status", "XCCOSIP-2.2.2.2.8-07"),
    ("sys", "status", "XCCOSIP-2.2.2.2.7-01"),
    ("grpchat", "originatingMessageId", "XCCOSIP-2.2.2.2.9-24"),
    ("grpchat", "originatingMessageId", "XCCOSIP-2.2.2.2.3-01"),
    ("grpchat", "chat", "XCCOSIP-2.2.2.2.9-25"),
    ("grpchat", "chat", "XCCOSIP-2.2.2.2.9-27"),
    ("grpchat", "rtf", "XCCOSIP-2.2.2.2.9-26"),
    ("xccos", "cmd", "XCCOSIP-2.2.2.2.1-09"),
    ("xccos", "rpl", "XCCOSIP-2.2.2.2.1-11"),
    ("xccos", "ntc", "XCCOSIP-2.2.2.2.1-13"),
    ("xccos", "err", "XCCOSIP-2.2.2.2.1-15"),
    ("xccos", "sys", "XCCOSIP-2.2.2.2.1-17"),
    ("xccos", "grpchat", "XCCOSIP-2.2.2.2.1-19"),
    ("xccos", "cmd", "XCCOSIP-2.2.2.2.2-01"),
    ("bcq", "last", "XCCOSIP-6.1-08"),
    ("aib", "uib", "XCCOSIP-6.1-04"),
    ("cmd/data", "delchat", "XCCOSIP-6.1-05"),
    ("cmd/data", "purgeb", "XCCOSIP-6.1-05"),
    ("cmd/data", "scope", "XCCOSIP-6.1-05"),
    ("cmd/data", "siops", "XCCOSIP-6.1-05"),
];

/// Entries any valid document shows to hold.
const ALWAYS: &[&str] = &[
    "XCCOSIP-1.8-01",
    "XCCOSIP-2.2.1-01",
    "XCCOSIP-2.2.1-02",
    "XCCOSIP-2.2.1-03",
    "XCCOSIP-2.2.2.2-01",
    "XCCOSIP-2.2.2.2.1-01",
    "XCCOSIP-6.1-01",
    "XCCOSIP-6.1-02",
    "XCCOSIP-6.1-03",
];

/// The ids this rule can decide.
pub(crate) fn ids() -> impl Iterator<Item = &'static str> {
    let tables = [NEEDED, ONCE, TEXTS, SHOWN];
    tables
        .into_iter()
        .flatten()
        .map(|(.., id)| *id)
        .chain(ALWAYS.iter().copied())
        .chain([
            "XCCOSIP-2.2.2.1.7.2-07",
            "XCCOSIP-2.2.2.1.27-05",
            "XCCOSIP-6.1-08",
            "XCCOSIP-6.1-06",
        ])
}

/// The violations of a document, named. Gives whether the document fits.
pub(crate) fn judge(doc: &Doc<'_>, violations: &[Violation], check: &SchemaCheck, desk: &mut Desk) {
    if violations.is_empty() {
        shown(doc, desk);
        return;
    }
    let other = if doc.profile == policy::INTEROP {
        policy::PUBLISHED
    } else {
        policy::INTEROP
    };
    let elsewhere = check(other, doc.seen.message.body());
    for violation in violations {
        let (id, spot) = name(doc, violation);
        let both = elsewhere
            .iter()
            .any(|v| v.code == violation.code && v.path == violation.path);
        let mut message = violation.message.clone();
        let said = violation
            .expected
            .iter()
            .all(|e| message.contains(e.as_str()));
        if !said && !message.contains("expected") {
            message.push_str(&format!("; expected {}", some(&violation.expected)));
        }
        if let Some(hint) = &violation.hint {
            message.push_str(&format!(" ({hint})"));
        }
        message.push_str(&format!(" [{}]", violation.code));
        // Some breaks offend two entries that say the same in other words.
        let twin = match id {
            "XCCOSIP-2.2.2.1.27-05" => Some("XCCOSIP-6.1-07"),
            "XCCOSIP-2.2.2.2-01" => Some("XCCOSIP-1.8-01"),
            "XCCOSIP-6.1-03" if !violation.path.contains('@') => Some("XCCOSIP-2.2.1-01"),
            _ => None,
        };
        if let Some(twin) = twin {
            desk.schema(RULE, twin, doc.seen, spot.clone(), message.clone(), both);
        }
        desk.schema(RULE, id, doc.seen, spot, message, both);
    }
}

fn some(list: &[String]) -> String {
    match list {
        [first, .., last] if list.len() > 8 => format!("{first} … {last}"),
        _ => list.join(", "),
    }
}

/// What an element stands for where it stands.
fn kind<'a>(element: &'a Element, parent: Option<&Element>) -> &'a str {
    match (element.name.as_str(), parent.map(|p| p.name.as_str())) {
        ("data", Some("cmd")) => "cmd/data",
        (name, _) => name,
    }
}

fn lookup(table: &[(&str, &str, &'static str)], parent: &str, child: &str) -> Option<&'static str> {
    table
        .iter()
        .find(|(p, c, _)| *p == parent && *c == child)
        .map(|(.., id)| *id)
}

fn name(doc: &Doc<'_>, violation: &Violation) -> (&'static str, Spot) {
    let spot = Spot {
        path: Some(violation.path.clone()),
        span: Some((violation.span.start, violation.span.end)),
    };
    let (path, attr) = match violation.path.split_once("/@") {
        Some((path, attr)) => (path, Some(attr)),
        None => (violation.path.as_str(), None),
    };
    let Some(at) = doc.tree.find(path) else {
        return ("SCHEMA", spot);
    };
    let element = doc.tree.items[at].element;
    let from = doc.seen.from;
    let id = match attr {
        Some(attr) => attribute(element, attr, violation, from),
        None => content(doc, at, violation, from),
    };
    // The missing attribute gets the path of its own that the block rules give it.
    let spot = match (id, missing(violation)) {
        (Some(_), Some(attr)) if !violation.path.contains("/@") => Spot {
            path: Some(format!("{path}/@{attr}")),
            ..spot
        },
        _ => spot,
    };
    (id.unwrap_or("SCHEMA"), spot)
}

fn attribute(
    element: &Element,
    attr: &str,
    violation: &Violation,
    from: Seat,
) -> Option<&'static str> {
    let local = attr.rsplit(':').next().unwrap_or(attr);
    if let Some(own) = element
        .attrs
        .iter()
        .find(|a| a.name == local && a.ns.is_some())
    {
        return Some(if own.ns.as_deref() == Some(crate::payload::CHAT_NS) {
            "XCCOSIP-6.1-03"
        } else {
            "XCCOSIP-1.8-01"
        });
    }
    if violation.code.starts_with("cvc-complex-type.3") {
        return Some("XCCOSIP-1.8-01");
    }
    if element.get(local).is_none() {
        return blocks::entry(&element.name, local, true, from);
    }
    if element.name == "resp" && local == "code" && whole(element.get(local)) {
        return Some("XCCOSIP-2.2.2.1.27-05");
    }
    if element.name == "bcs" && local == "cmp" {
        return Some("XCCOSIP-2.2.2.1.18-02");
    }
    if element.name == "prins" && local == "verb" {
        return Some("XCCOSIP-2.2.2.1.12-01");
    }
    blocks::entry(&element.name, local, false, from)
}

fn whole(text: Option<&str>) -> bool {
    text.is_some_and(|t| super::forms::is_integer(t, 0, i128::MAX))
}

/// The attribute whose absence a violation reports.
fn missing(violation: &Violation) -> Option<&str> {
    if violation.code.starts_with("cvc-complex-type.4") {
        violation
            .expected
            .first()
            .map(|a| a.trim_start_matches('@'))
    } else {
        None
    }
}

fn content(doc: &Doc<'_>, at: usize, violation: &Violation, from: Seat) -> Option<&'static str> {
    let element = doc.tree.items[at].element;
    if let Some(attr) = missing(violation) {
        return blocks::entry(&element.name, attr, true, from);
    }
    let parent = doc.tree.parent(at);
    let own = kind(element, parent);
    let holder = match (parent, doc.tree.items[at].parent) {
        (Some(p), Some(index)) => Some(kind(p, doc.tree.parent(index))),
        _ => None,
    };
    if at == 0 && (element.name != "xccos" || !element.is_chat()) {
        return Some(match (element.name.as_str(), &element.ns) {
            ("xccos", None) => "XCCOSIP-6.1-03",
            ("xccos", Some(_)) => "XCCOSIP-2.2.1-01",
            _ => "XCCOSIP-2.2.2.2.1-01",
        });
    }
    if !element.is_chat() {
        return Some(if element.ns.is_none() {
            "XCCOSIP-6.1-03"
        } else {
            "XCCOSIP-2.2.1-03"
        });
    }
    let here = CHILDREN.iter().find(|(n, _)| *n == own).map(|(_, c)| *c);
    if let (Some(holder), Some(parent)) = (holder, parent) {
        let siblings = CHILDREN.iter().find(|(n, _)| *n == holder).map(|(_, c)| *c);
        if let Some(siblings) = siblings {
            let star = format!("{}*", element.name);
            if !siblings.contains(&element.name.as_str()) && !siblings.contains(&star.as_str()) {
                let of = |name: &str| {
                    CHILDREN.iter().any(|(n, c)| {
                        *n == name
                            && (c.contains(&element.name.as_str()) || c.contains(&star.as_str()))
                    })
                };
                return Some(match holder {
                    "cmd/data" if of("data") => "XCCOSIP-2.2.2.2-02",
                    "data" if of("cmd/data") => "XCCOSIP-2.2.2.2-02",
                    "cmd/data" => "XCCOSIP-2.2.2.1.28-15",
                    // A command by its id, and no command by its name.
                    "xccos" if element.get("id").is_some_and(|id| id.starts_with("cmd:")) => {
                        "XCCOSIP-2.2.2.2.2-01"
                    }
                    "xccos" => "XCCOSIP-2.2.2.2-01",
                    "rpl" | "ntc" => "XCCOSIP-2.2.2.1.29-02",
                    "cmd" => "XCCOSIP-2.2.2.1.28-01",
                    "chanib" if element.name == "grpchat" => "XCCOSIP-2.2.2.1.7.2-07",
                    "bcs" => "XCCOSIP-2.2.2.1.18-05",
                    _ => "XCCOSIP-1.8-01",
                });
            }
            let model = violation.code.starts_with("cvc-complex-type.2.4")
                || violation.code.contains("2.4");
            let same = parent.all(&element.name).count();
            if model && here.is_none_or(|_| !lacks(own, element)) {
                if siblings.contains(&element.name.as_str()) && same > 1 {
                    return lookup(ONCE, holder, &element.name).or(Some("SCHEMA"));
                }
                if holder == "bcq" {
                    return Some("XCCOSIP-2.2.2.1.17-02");
                }
                if let Some((.., id)) = NEEDED
                    .iter()
                    .find(|(p, c, _)| *p == holder && parent.first(c).is_none())
                {
                    return Some(id);
                }
                return Some(match holder {
                    "grpchat" => "XCCOSIP-2.2.2.2.9-27",
                    _ => "XCCOSIP-6.1-02",
                });
            }
        }
    }
    if let Some((.., id)) = NEEDED
        .iter()
        .find(|(p, c, _)| *p == own && element.first(c).is_none())
    {
        return Some(id);
    }
    if let Some(holder) = holder
        && let Some(id) = lookup(TEXTS, holder, &element.name)
    {
        return Some(id);
    }
    if matches!(
        element.name.as_str(),
        "last" | "limit" | "date" | "cnt" | "msgid"
    ) {
        return Some("XCCOSIP-6.1-08");
    }
    None
}

fn lacks(own: &str, element: &Element) -> bool {
    NEEDED
        .iter()
        .any(|(p, c, _)| *p == own && element.first(c).is_none())
}

/// Parents and entries by child.
type ByChild = HashMap<&'static str, Vec<(&'static str, &'static str)>>;

/// What a document that fits shows to hold.
fn shown(doc: &Doc<'_>, desk: &mut Desk) {
    static BY_CHILD: OnceLock<ByChild> = OnceLock::new();
    let by_child = BY_CHILD.get_or_init(|| {
        let mut map = ByChild::new();
        for (parent, child, id) in SHOWN.iter().chain(ONCE) {
            map.entry(child).or_default().push((parent, id));
        }
        map
    });
    for id in ALWAYS {
        desk.pass(RULE, id, doc.seen);
    }
    for (at, item) in doc.tree.items.iter().enumerate() {
        let Some(parent) = doc.tree.parent(at) else {
            continue;
        };
        let holder = item.parent.map_or("", |p| kind(parent, doc.tree.parent(p)));
        for (p, id) in by_child
            .get(item.element.name.as_str())
            .into_iter()
            .flatten()
        {
            if *p == "*" || *p == holder {
                desk.pass(RULE, id, doc.seen);
            }
        }
    }
}

/*! Attributes of data blocks, judged straight from the catalogue.

Takes each element of a document and the entries of the catalogue that speak
of its attributes (`uib/@guid`: has to be there, is a GUID string, holds only
listed values), concludes for each. The table is built from the catalogue
itself, so an entry that is added or corrected there is checked here.
*/

use std::collections::HashMap;
use std::sync::OnceLock;

use judge::Role;
use trace::Seat;

use super::Doc;
use super::desk::{Desk, Spot};
use super::forms;
use crate::catalogue::{self, Aspect};
use crate::payload::Element;
use crate::policy;

const RULE: &str = "blocks";

/// One entry about one attribute.
struct Check {
    id: String,
    role: Role,
    aspect: Aspect,
}

/// Listed values, by element and attribute (the sections list them as prose).
const VALUES: &[(&str, &str, &[&str])] = &[
    ("uib", "type", &["5"]),
    ("gib", "type", &["8", "9", "10"]),
    ("msg", "id", &["grpchat"]),
    ("text", "mt", &["PP"]),
    ("association", "type", &["MEMBER", "MANAGER"]),
    ("err", "id", &["error"]),
    ("sys", "id", &["sys:status"]),
    ("grpchat", "id", &["grpchat"]),
];

/// Attributes that may be empty although their form is more than a string: nothing is named by them.
const MAY_BE_EMPTY: &[(&str, &str)] = &[
    ("chanib", "siopid"),
    ("chanib", "siopurl"),
    ("chanib", "filerepository"),
    ("chanib", "parent"),
    ("catib", "parent"),
    ("filtib", "addinGuid"),
    ("filtib", "catUri"),
    ("qib", "catUri"),
    ("ftdb", "fileUrl"),
    ("ftdb", "channelUri"),
    ("sib", "roomManagementUrl"),
    ("token", "serveruri"),
];

type Table = HashMap<String, HashMap<String, Vec<Check>>>;

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = Table::new();
        for requirement in crate::catalogue().iter() {
            let Some(subject) = catalogue::subject(&requirement.id) else {
                continue;
            };
            let (Some(aspect), Some((element, attr))) =
                (&subject.aspect, subject.text.split_once("/@"))
            else {
                continue;
            };
            let element = if element == "Ace" { "prins" } else { element };
            table
                .entry(element.to_owned())
                .or_default()
                .entry(attr.to_owned())
                .or_default()
                .push(Check {
                    id: requirement.id.clone(),
                    role: requirement.role,
                    aspect: aspect.clone(),
                });
        }
        table
    })
}

/// The ids this rule can decide.
pub(crate) fn ids() -> impl Iterator<Item = &'static str> {
    table()
        .values()
        .flat_map(|attrs| attrs.values())
        .flatten()
        .map(|check| check.id.as_str())
}

/// The entry that a broken attribute offends, for the schema rule: by element, attribute, and
/// whether it is the attribute's absence.
pub(crate) fn entry(element: &str, attr: &str, absent: bool, from: Seat) -> Option<&'static str> {
    let checks = table().get(element)?.get(attr)?;
    checks
        .iter()
        .filter(|c| speaks_of(c.role, from))
        .find(|c| {
            if absent {
                c.aspect == Aspect::Present
            } else {
                matches!(c.aspect, Aspect::Values)
            }
        })
        .or_else(|| {
            checks
                .iter()
                .filter(|c| speaks_of(c.role, from))
                .find(|c| !absent && matches!(c.aspect, Aspect::Form(_)))
        })
        .map(|c| c.id.as_str())
}

fn speaks_of(role: Role, from: Seat) -> bool {
    match role {
        Role::Client => from == Seat::Client,
        Role::Server => from == Seat::Server,
        Role::Both | Role::Message => true,
    }
}

/// Judges every element of a document.
pub(crate) fn judge(doc: &Doc<'_>, desk: &mut Desk) {
    for (at, item) in doc.tree.items.iter().enumerate() {
        let element = item.element;
        if !element.is_chat() || !in_place(doc, at) {
            continue;
        }
        let Some(attrs) = table().get(&element.name) else {
            continue;
        };
        for (attr, checks) in attrs {
            let value = element.get(attr);
            for check in checks {
                if speaks_of(check.role, doc.seen.from) {
                    one(doc, at, element, attr, value, check, desk);
                }
            }
        }
    }
}

/// Names that stand for different blocks under different parents.
fn in_place(doc: &Doc<'_>, at: usize) -> bool {
    let element = doc.tree.items[at].element;
    let parent = doc.tree.parent(at).map_or("", |p| p.name.as_str());
    match element.name.as_str() {
        "msgid" => parent == "bcq",
        "status" => parent == "sys",
        "text" | "date" | "limit" => parent == "bcs",
        "last" => parent == "bcq",
        "err" | "sys" | "cmd" | "rpl" | "ntc" => parent == "xccos",
        _ => true,
    }
}

/// Places where a uib names somebody and no more (3.1.3.5, 3.1.8.3, 2.2.2.1.14.2).
fn names_only(doc: &Doc<'_>, at: usize) -> bool {
    doc.tree.under(at, &["bcs"])
        || doc.profile == policy::INTEROP
            && (doc.tree.under(
                at,
                &[
                    "prins",
                    "members",
                    "managers",
                    "presenters",
                    "creators",
                    "filtib",
                ],
            ) || doc.tree.primitive(at).is_some_and(|p| {
                p.name == "rpl" && p.get("id").is_some_and(|id| id.starts_with("rpl:requ"))
            }))
}

fn one(
    doc: &Doc<'_>,
    at: usize,
    element: &Element,
    attr: &str,
    value: Option<&str>,
    check: &Check,
    desk: &mut Desk,
) {
    let principal = matches!(element.name.as_str(), "uib" | "gib");
    let lists = element.name == "uib"
        && attr == "type"
        && doc
            .tree
            .primitive(at)
            .is_some_and(|p| p.get("id").is_some_and(|id| id.starts_with("rpl:requ")));
    let spot = || Spot::attribute(&doc.tree.path(at), element, attr);
    match (&check.aspect, value) {
        (Aspect::Present, Some(_)) => desk.pass(RULE, &check.id, doc.seen),
        (Aspect::Present, None) => {
            let named = principal && attr != "uri" && names_only(doc, at);
            let domain = element.name == "sib" && attr == "domain";
            // In the answer of 2.2.2.1.10 the domain is left out by the document itself; a
            // command's is the business of 3.1.4.3.
            if !(named || domain && doc.profile == policy::INTEROP) {
                desk.fail(
                    RULE,
                    &check.id,
                    doc.seen,
                    spot(),
                    format!("{} has no {attr}", element.name),
                );
            }
        }
        (_, None) => {}
        (Aspect::Form(form), Some(value)) => {
            if fits(form, &element.name, attr, value, doc) {
                desk.pass(RULE, &check.id, doc.seen);
            } else {
                desk.fail(
                    RULE,
                    &check.id,
                    doc.seen,
                    spot(),
                    format!("{}/@{attr} is {value:?}, which is no {form}", element.name),
                );
            }
        }
        (Aspect::Values, Some(value)) => {
            let Some((.., allowed)) = VALUES
                .iter()
                .find(|(e, a, _)| *e == element.name && *a == attr)
            else {
                return;
            };
            if lists {
                return;
            }
            // Numbers are compared as such: 005 is 5.
            let number = |t: &str| t.trim().parse::<i64>().ok();
            let listed = allowed.contains(&value.trim())
                || number(value).is_some() && allowed.iter().any(|a| number(a) == number(value));
            if listed {
                desk.pass(RULE, &check.id, doc.seen);
            } else {
                desk.fail(
                    RULE,
                    &check.id,
                    doc.seen,
                    spot(),
                    format!(
                        "{}/@{attr} is {value:?}; allowed is {}",
                        element.name,
                        allowed.join(", ")
                    ),
                );
            }
        }
    }
}

fn fits(form: &str, element: &str, attr: &str, value: &str, doc: &Doc<'_>) -> bool {
    if value.trim().is_empty() && MAY_BE_EMPTY.contains(&(element, attr)) {
        return true;
    }
    let whole = |min, max| forms::is_integer(value, min, max);
    match form {
        "string in ISO 8601 time format" => forms::is_time(value),
        "SIP URI string" => forms::is_sip_uri(value),
        // A list in the batch join (3.1.6.3); empty tokens are for the rule of that command.
        "GUID string" if element == "chanid" => forms::guids(value).is_some_and(|g| !g.is_empty()),
        "GUID string" => forms::is_guid(value),
        "URL string" if attr == "fileUrl" => true,
        "URI string" | "URI" | "URL string" => forms::has_scheme(value),
        "Boolean" => forms::boolean(value).is_some(),
        "AceVerbEnum" => matches!(value, "A" | "R" | "X"),
        "positive integer" if numbering(attr) && element != "pref" => {
            // What answers something without readable ids has nothing else to name (XC-43).
            let zero = element == "commandid" && doc.profile == policy::INTEROP;
            whole(i128::from(!zero), u64::MAX.into())
        }
        "positive integer" => {
            // An empty result, and the request of 3.1.18.3.
            let zero = (element == "cnt" || element == "pref") && doc.profile == policy::INTEROP;
            whole(i128::from(!zero), i128::MAX)
        }
        "integer" => whole(i128::MIN, i128::MAX),
        "long integer" => whole(i64::MIN.into(), i64::MAX.into()),
        "int" => whole(i32::MIN.into(), i32::MAX.into()),
        "unsigned long" => whole(0, u64::MAX.into()),
        "unsigned int" => whole(0, u32::MAX.into()),
        _ => true,
    }
}

/// Attributes of the numbering, which are 64-bit unsigned (3.1.2.1.1).
fn numbering(attr: &str) -> bool {
    matches!(attr, "envid" | "seqid")
}

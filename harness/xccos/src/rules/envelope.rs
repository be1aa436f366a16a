/*! Numbering, directions and names of envelopes and primitives (2.2.2.2, 3.1.2.1.3).

Takes documents in the order each side sent them in a dialog. A document whose
INFO was refused may come again with the same number; a recording that starts
in the middle only loses what lay before.
*/

use std::collections::{HashMap, HashSet};

use trace::Seat;

use super::Doc;
use super::decode::DialogId;
use super::desk::{Desk, Spot};
use super::table;
use crate::payload::{Class, MsgId};

const RULE: &str = "envelope";

/// What one side sent in one dialog.
#[derive(Default)]
struct Sender {
    last: Option<u64>,
    pairs: HashSet<MsgId>,
}

/// What an unanswered INFO carried: where, the number before it, its own, its pairs.
struct Pending {
    key: (DialogId, Seat),
    before: Option<u64>,
    envid: u64,
    ids: Vec<MsgId>,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Numbering {
    senders: HashMap<(DialogId, Seat), Sender>,
    /// INFO requests by event number, with what they carried, until they are answered.
    pending: HashMap<u64, Pending>,
}

/// The ids this rule can decide.
pub(crate) const IDS: &[&str] = &[
    "XCCOSIP-2.2.2.2.1-04",
    "XCCOSIP-2.2.2.2.1-07",
    "XCCOSIP-2.2.2.2.1-08",
    "XCCOSIP-2.2.2.2.1-10",
    "XCCOSIP-2.2.2.2.1-12",
    "XCCOSIP-2.2.2.2.1-14",
    "XCCOSIP-2.2.2.2.1-16",
    "XCCOSIP-2.2.2.2.1-18",
    "XCCOSIP-2.2.2.2.2-04",
    "XCCOSIP-2.2.2.2.2-42",
    "XCCOSIP-2.2.2.2.4-01",
    "XCCOSIP-2.2.2.2.4-07",
    "XCCOSIP-2.2.2.2.4-40",
    "XCCOSIP-2.2.2.2.4-43",
    "XCCOSIP-2.2.2.2.5-01",
    "XCCOSIP-2.2.2.2.5-05",
    "XCCOSIP-2.2.2.2.5-20",
    "XCCOSIP-2.2.2.2.9-01",
    "XCCOSIP-2.2.2.2.9-07",
    "XCCOSIP-3.1.2-01",
    "XCCOSIP-3.1.2.1.3-01",
    "XCCOSIP-3.1.2.1.3-02",
    "XCCOSIP-3.1.2.1.3-03",
    "XCCOSIP-3.1.2.1.3-04",
    "XCCOSIP-3.1.2.1.3-05",
    "XCCOSIP-3.1.13.3-02",
    "XCCOSIP-3.1.13.5-01",
    "XCCOSIP-3.1.13.5-02",
];

/// What flows one way only: the class, its sender, the entry that says so.
const DIRECTIONS: &[(Class, Seat, &str)] = &[
    (Class::Cmd, Seat::Client, "XCCOSIP-2.2.2.2.1-10"),
    (Class::Rpl, Seat::Server, "XCCOSIP-2.2.2.2.1-12"),
    (Class::Ntc, Seat::Server, "XCCOSIP-2.2.2.2.1-14"),
    (Class::Err, Seat::Server, "XCCOSIP-2.2.2.2.1-16"),
    (Class::Sys, Seat::Server, "XCCOSIP-2.2.2.2.1-18"),
];

/// Growing numbers within a document: the class and the entry that says so.
const GROWING: &[(Class, &str)] = &[
    (Class::Cmd, "XCCOSIP-2.2.2.2.2-42"),
    (Class::Rpl, "XCCOSIP-2.2.2.2.4-43"),
    (Class::Ntc, "XCCOSIP-2.2.2.2.5-20"),
    (Class::Grpchat, "XCCOSIP-2.2.2.2.9-07"),
];

/// Judges a document by itself.
pub(crate) fn document(doc: &Doc<'_>, desk: &mut Desk) {
    let root = &doc.envelope.root;
    if let Some(ver) = root.get("ver") {
        if super::forms::is_integer(ver, 1, 1) {
            desk.pass(RULE, "XCCOSIP-2.2.2.2.1-04", doc.seen);
        } else if super::forms::is_integer(ver, 0, i128::MAX) {
            desk.fail(
                RULE,
                "XCCOSIP-2.2.2.2.1-04",
                doc.seen,
                Spot::attribute("/xccos", root, "ver"),
                format!("ver is {ver}; the protocol's version is 1"),
            );
        }
    }
    let mut last: HashMap<Class, u64> = HashMap::new();
    let mut used: HashMap<u64, Class> = HashMap::new();
    for primitive in doc.envelope.primitives() {
        let path = || doc.tree.path_of(primitive.element);
        let class = primitive.class;
        direction(doc, class, &path, primitive.element, desk);
        names(doc, &primitive, &path, desk);
        let Some(seqid) = primitive.seqid() else {
            continue;
        };
        let spot = || Spot::attribute(&path(), primitive.element, "seqid");
        match used.insert(seqid, class) {
            Some(Class::Cmd) if class == Class::Cmd => desk.fail(
                RULE,
                "XCCOSIP-3.1.2.1.3-04",
                doc.seen,
                spot(),
                format!("two commands of one document have seqid {seqid}"),
            ),
            Some(other) => desk.fail(
                RULE,
                "XCCOSIP-2.2.2.2.1-08",
                doc.seen,
                spot(),
                format!(
                    "{} and {} of one document both have seqid {seqid}",
                    other.name(),
                    class.name()
                ),
            ),
            None => {
                if let Some((_, id)) = GROWING.iter().find(|(c, _)| *c == class) {
                    match last.get(&class) {
                        Some(before) if seqid < *before => desk.fail(
                            RULE,
                            id,
                            doc.seen,
                            spot(),
                            format!(
                                "seqid {seqid} of this {} follows {before}; they have to grow within a document",
                                class.name()
                            ),
                        ),
                        _ => desk.pass(RULE, id, doc.seen),
                    }
                    if class == Class::Cmd {
                        desk.pass(RULE, "XCCOSIP-3.1.2.1.3-04", doc.seen);
                        desk.pass(RULE, "XCCOSIP-3.1.2.1.3-05", doc.seen);
                    }
                }
            }
        }
        last.insert(class, seqid);
    }
}

fn direction(
    doc: &Doc<'_>,
    class: Class,
    path: &impl Fn() -> String,
    element: &crate::payload::Element,
    desk: &mut Desk,
) {
    let from = doc.seen.from;
    if class == Class::Grpchat {
        desk.pass(RULE, "XCCOSIP-2.2.2.2.9-01", doc.seen);
        if from == Seat::Client {
            desk.pass(RULE, "XCCOSIP-3.1.13.3-02", doc.seen);
            if element.first("chat").is_some() {
                desk.pass(RULE, "XCCOSIP-3.1.13.5-01", doc.seen);
            }
            if element.first("rtf").is_some() {
                desk.pass(RULE, "XCCOSIP-3.1.13.5-02", doc.seen);
            }
        }
    }
    let Some((_, by, id)) = DIRECTIONS.iter().find(|(c, ..)| *c == class) else {
        return;
    };
    if *by == from {
        desk.pass(RULE, id, doc.seen);
        match class {
            Class::Cmd => {
                for id in [
                    "XCCOSIP-3.1.2-01",
                    "XCCOSIP-3.1.2.1.3-01",
                    "XCCOSIP-3.1.2.1.3-02",
                    "XCCOSIP-3.1.2.1.3-03",
                ] {
                    if element.get("seqid").is_some() {
                        desk.pass(RULE, id, doc.seen);
                    }
                }
            }
            Class::Rpl => desk.pass(RULE, "XCCOSIP-2.2.2.2.4-01", doc.seen),
            Class::Ntc => desk.pass(RULE, "XCCOSIP-2.2.2.2.5-01", doc.seen),
            _ => {}
        }
        return;
    }
    let (id, message) = match from {
        Seat::Client => (
            "XCCOSIP-3.1.2-01",
            format!(
                "a client sends {}; clients send cmd and grpchat only",
                class.name()
            ),
        ),
        Seat::Server => (
            *id,
            "a server sends cmd; commands come from clients only".to_owned(),
        ),
    };
    desk.fail(RULE, id, doc.seen, Spot::element(&path(), element), message);
}

fn names(
    doc: &Doc<'_>,
    primitive: &crate::payload::Primitive<'_>,
    path: &impl Fn() -> String,
    desk: &mut Desk,
) {
    let id = primitive.id();
    let (entry, known) = match primitive.class {
        Class::Cmd => ("XCCOSIP-2.2.2.2.2-04", table::command(id).is_some()),
        Class::Rpl => ("XCCOSIP-2.2.2.2.4-07", table::is_reply(id)),
        Class::Ntc => (
            "XCCOSIP-2.2.2.2.5-05",
            table::NOTICES.iter().any(|(n, _)| *n == id),
        ),
        _ => return,
    };
    if known {
        desk.pass(RULE, entry, doc.seen);
        if id == "rpl:grpchat" {
            desk.pass(RULE, "XCCOSIP-2.2.2.2.4-40", doc.seen);
        }
        return;
    }
    if primitive.element.get("id").is_none() {
        return;
    }
    let spot = Spot::attribute(&path(), primitive.element, "id");
    desk.fail(
        RULE,
        entry,
        doc.seen,
        spot.clone(),
        format!("{id:?} is in no list of {} ids", primitive.class.name()),
    );
    if primitive.class == Class::Cmd
        && let Some(meant) = table::meant(primitive.element)
        && let Some(request) = meant.request
    {
        desk.fail(
            RULE,
            request,
            doc.seen,
            spot,
            format!("{id:?} carries what belongs to {}", meant.id),
        );
    }
}

impl Numbering {
    /// Judges a document in the line of those before it.
    pub fn follow(&mut self, doc: &Doc<'_>, desk: &mut Desk) {
        let (Some(dialog), Some(envid)) = (doc.seen.dialog, doc.envelope.envid()) else {
            return;
        };
        let key = (dialog, doc.seen.from);
        let sender = self.senders.entry(key).or_default();
        let ids: Vec<_> = doc
            .envelope
            .primitives()
            .filter_map(|p| p.msg_id())
            .collect();
        self.pending.insert(
            doc.seen.seq,
            Pending {
                key,
                before: sender.last,
                envid,
                ids: ids.clone(),
            },
        );
        if doc.seen.deliberate {
            // Its numbers are known to the other side all the same.
            sender.pairs.extend(ids);
            return;
        }
        let spot = || Spot::attribute("/xccos", &doc.envelope.root, "envid");
        match sender.last {
            Some(last) if envid <= last => desk.conduct(
                RULE,
                "XCCOSIP-2.2.2.2.1-07",
                doc.seen,
                spot(),
                format!("envid {envid} does not grow: the last document of this sender in the dialog had {last}"),
            ),
            Some(_) => desk.pass(RULE, "XCCOSIP-2.2.2.2.1-07", doc.seen),
            None => {}
        }
        let repeated = ids.iter().find(|id| sender.pairs.contains(id));
        match repeated {
            Some(id) => desk.conduct(
                RULE,
                "XCCOSIP-2.2.2.2.1-08",
                doc.seen,
                spot(),
                format!(
                    "envid {} with seqid {} was used before in this dialog",
                    id.envid, id.seqid
                ),
            ),
            None if !sender.pairs.is_empty() && !ids.is_empty() => {
                desk.pass(RULE, "XCCOSIP-2.2.2.2.1-08", doc.seen);
            }
            None => {}
        }
        sender.pairs.extend(ids);
        sender.last = Some(sender.last.map_or(envid, |last| last.max(envid)));
    }

    /// An INFO was answered: when it was refused, its document may come again.
    pub fn answered(&mut self, request: u64, status: u16) {
        let Some(pending) = self.pending.remove(&request) else {
            return;
        };
        if status < 300 {
            return;
        }
        if let Some(sender) = self.senders.get_mut(&pending.key) {
            for id in &pending.ids {
                sender.pairs.remove(id);
            }
            if sender.last == Some(pending.envid) {
                sender.last = pending.before;
            }
        }
    }
}

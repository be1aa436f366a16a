/*! Commands and chats with what answers them (3.1.2.1, 3.2.1, 2.2.2.2.4).

Takes each primitive in turn, keeps what waits for an answer, and concludes
about pairing, names, codes and time. Replies may come batched, out of order,
before the SIP answer, several for one command where 3.2.3.5 wants it so. What
nobody answered is judged at the end, and only when there was time enough.
*/

use std::collections::{HashMap, HashSet};

use trace::{Micros, Seat};

use super::decode::{Decoder, DialogId};
use super::desk::{Desk, Spot};
use super::table::{self, Command};
use super::{Doc, Limits};
use crate::payload::{Class, Element, MsgId, Primitive};
use crate::policy::{self, Weight};

const RULE: &str = "exchange";

/// The ids this rule decides besides those of the table.
pub(crate) const IDS: &[&str] = &[
    "XCCOSIP-1.3-01",
    "XCCOSIP-2.2.2.2.4-02",
    "XCCOSIP-2.2.2.2.4-03",
    "XCCOSIP-2.2.2.2.6-01",
    "XCCOSIP-2.2.2.2.6-02",
    "XCCOSIP-2.2.2.2.6-03",
    "XCCOSIP-2.2.2.2.6-04",
    "XCCOSIP-2.2.2.2.6-05",
    "XCCOSIP-2.2.2.2.6-06",
    "XCCOSIP-2.2.2.1.27-04",
    "XCCOSIP-3.1.2.1-01",
    "XCCOSIP-3.1.2.1.2-03",
    "XCCOSIP-3.2.1.1-01",
    "XCCOSIP-3.2.1.5-01",
    "XCCOSIP-3.2.1.5-02",
    "XCCOSIP-3.2.1.5-03",
    "XCCOSIP-3.2.1.5-04",
    "XCCOSIP-3.2.1.5-05",
    "XCCOSIP-3.2.1.5-06",
    "XCCOSIP-3.2.1.5-07",
    "XCCOSIP-3.2.1.5-08",
    "XCCOSIP-3.2.1.5-09",
    "XCCOSIP-3.2.1.5-10",
    "XCCOSIP-3.2.3.5-03",
    "XCCOSIP-3.2.4.5-03",
    "XCCOSIP-3.2.4.5-05",
    "XCCOSIP-3.2.4.5-06",
    "XCCOSIP-3.2.5.5-03",
    "XCCOSIP-3.2.5.5-04",
    "XCCOSIP-3.2.5.5-05",
    "XCCOSIP-3.2.6.5-01",
    "XCCOSIP-3.2.6.5-02",
    "XCCOSIP-3.2.7.5-03",
    "XCCOSIP-3.2.7.5-06",
    "XCCOSIP-3.2.7.5-07",
    "XCCOSIP-3.2.8.5-03",
    "XCCOSIP-3.2.8.5-06",
    "XCCOSIP-3.2.8.5-07",
    "XCCOSIP-3.2.8.5-10",
    "XCCOSIP-3.2.8.5-11",
];

/// Why only err is a right answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// Does not fit the schema.
    Schema,
    /// A command without data, of a command whose steps say so themselves.
    NoData,
    /// An id that is in no list.
    Id,
    /// Fits the schema but lacks what the command's steps look for.
    Lacks(Lack),
    /// A chat without an attribute that 3.2.6.5 step 1 asks for.
    Chat {
        /// Real servers do without it.
        lenient: bool,
    },
}

/// A part that is missing: what, the step that looks for it, and the one that answers with err.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lack {
    pub what: &'static str,
    pub checks: &'static str,
    pub errs: Option<&'static str>,
}

/// One answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Reply(Option<u32>),
    Error,
    Echo,
}

/// A command or chat that was sent.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub dialog: DialogId,
    pub seq: u64,
    pub at: Micros,
    pub id: Option<MsgId>,
    pub class: Class,
    pub row: Option<&'static Command>,
    pub element: Element,
    pub deliberate: bool,
    pub wrong: Option<Wrong>,
    /// Its INFO was refused, or it was sent where nothing can answer.
    pub void: bool,
    /// How its INFO was refused.
    pub refused: Option<u16>,
    pub answers: Vec<(u64, Answer)>,
    /// How many commands its document held.
    pub companions: usize,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Exchange {
    pub sent: Vec<Sent>,
    index: HashMap<(DialogId, MsgId), usize>,
    by_request: HashMap<u64, Vec<usize>>,
    busy: HashMap<DialogId, bool>,
    /// Dialogs in which a client sent a body that no reference can name.
    obscure: HashSet<DialogId>,
}

impl Exchange {
    /// A client sent a body that is no XCCOS document: an err for it can refer to nothing.
    pub fn obscure(&mut self, dialog: Option<DialogId>) {
        self.obscure.extend(dialog);
    }

    /// A client sent a command or a chat.
    pub fn sent(&mut self, doc: &Doc<'_>, primitive: &Primitive<'_>, up: bool) -> Option<usize> {
        let dialog = doc.seen.dialog?;
        let row = table::command(primitive.id());
        let wrong = match primitive.class {
            Class::Cmd
                if primitive.data().is_none() && row.is_some_and(|r| r.no_data.is_some()) =>
            {
                Some(Wrong::NoData)
            }
            Class::Cmd if !doc.fits(primitive.element) => Some(Wrong::Schema),
            Class::Cmd if row.is_none() => Some(Wrong::Id),
            Class::Cmd => lacks(primitive).map(Wrong::Lacks),
            Class::Grpchat => chat_fault(primitive.element),
            _ => None,
        };
        let at = self.sent.len();
        self.sent.push(Sent {
            dialog,
            seq: doc.seen.seq,
            at: doc.seen.at,
            id: primitive.msg_id(),
            class: primitive.class,
            row,
            element: primitive.element.clone(),
            deliberate: doc.seen.deliberate,
            wrong,
            void: !up || !doc.seen.is("INFO"),
            refused: None,
            answers: Vec::new(),
            companions: doc
                .envelope
                .primitives()
                .filter(|p| p.class == Class::Cmd)
                .count(),
        });
        if let Some(id) = primitive.msg_id() {
            self.index.insert((dialog, id), at);
        }
        self.by_request.entry(doc.seen.seq).or_default().push(at);
        Some(at)
    }

    /// An INFO was answered by SIP.
    pub fn info_answered(&mut self, request: u64, status: u16) {
        for at in self.by_request.remove(&request).unwrap_or_default() {
            if let Some(sent) = self.sent.get_mut(at) {
                sent.void |= status >= 300;
                sent.refused = (status >= 300).then_some(status);
            }
        }
    }

    /// A server announced whether it is busy.
    pub fn status(&mut self, dialog: DialogId, busy: bool) {
        self.busy.insert(dialog, busy);
    }

    /// What a reference of the server points at.
    pub fn find(&self, dialog: DialogId, id: MsgId) -> Option<usize> {
        self.index.get(&(dialog, id)).copied()
    }

    /// A chat came back to its author.
    pub fn echoed(&mut self, at: usize, seq: u64) {
        if let Some(sent) = self.sent.get_mut(at) {
            sent.answers.push((seq, Answer::Echo));
        }
    }

    /// A server sent rpl or err. Gives what it answers, and whether it is the first answer.
    pub fn answer(
        &mut self,
        doc: &Doc<'_>,
        primitive: &Primitive<'_>,
        limits: &Limits,
        decoder: &Decoder,
        desk: &mut Desk,
    ) -> Option<(usize, bool)> {
        let dialog = doc.seen.dialog?;
        let whole =
            decoder.dialog(dialog).is_some_and(|d| d.whole) && decoder.saw_all(doc.seen.conn);
        let path = doc.tree.path_of(primitive.element);
        let is_err = primitive.class == Class::Err;
        if !is_err && primitive.code().is_some() {
            desk.pass(RULE, "XCCOSIP-2.2.2.2.4-03", doc.seen);
            desk.pass(RULE, "XCCOSIP-2.2.2.1.27-04", doc.seen);
        }
        let Some(reference) = primitive.element.first("commandid") else {
            if !(is_err && self.unreadable(dialog)) {
                let id = if is_err {
                    "XCCOSIP-2.2.2.2.6-06"
                } else {
                    "XCCOSIP-2.2.2.2.4-02"
                };
                let spot = Spot::element(&path, primitive.element);
                let message = format!(
                    "{} has no commandid: it refers to nothing",
                    primitive.class.name()
                );
                desk.fail(RULE, id, doc.seen, spot, message);
                self.settle(dialog, primitive);
            }
            return None;
        };
        let id = MsgId::read(reference)?;
        desk.pass(
            RULE,
            if is_err {
                "XCCOSIP-2.2.2.2.6-04"
            } else {
                "XCCOSIP-2.2.2.2.4-02"
            },
            doc.seen,
        );
        let Some(at) = self.find(dialog, id) else {
            if whole && !self.unreadable(dialog) {
                self.astray(dialog, primitive, id, doc, &path, desk);
            }
            self.settle(dialog, primitive);
            return None;
        };
        if is_err {
            for id in ["XCCOSIP-2.2.2.2.6-05", "XCCOSIP-2.2.2.2.6-06"] {
                desk.pass(RULE, id, doc.seen);
            }
        }
        self.matched(at, doc, primitive, &path, limits, desk)
    }

    fn matched(
        &mut self,
        at: usize,
        doc: &Doc<'_>,
        primitive: &Primitive<'_>,
        path: &str,
        limits: &Limits,
        desk: &mut Desk,
    ) -> Option<(usize, bool)> {
        let sent = self.sent.get_mut(at)?;
        let is_err = primitive.class == Class::Err;
        let backchat = !is_err
            && sent.row.is_some_and(|r| r.id == "cmd:bjoin")
            && primitive.id() == "rpl:bccontext";
        let first = !sent.answers.iter().any(|(_, a)| *a != Answer::Echo);
        // What the harness sends to be dropped (3.1.2.1.5) leaves the command open.
        // (Only the two spellings of the lookup may answer each other.)
        let misnamed = sent
            .row
            .is_some_and(|r| r.reply != primitive.id() && !r.id.starts_with("cmd:requ"));
        if doc.seen.deliberate && !is_err && !backchat && (misnamed || !doc.valid()) {
            return None;
        }
        if backchat {
            desk.pass(RULE, "XCCOSIP-3.2.1.5-09", doc.seen);
            return Some((at, first));
        }
        if let (Some(status), Some(200), false) =
            (sent.refused, primitive.code(), doc.seen.deliberate)
        {
            desk.conduct(
                RULE,
                "SIP",
                doc.seen,
                Spot::attribute(path, primitive.element, "id"),
                format!(
                    "info-answer: the INFO of event {} was refused with {status}, and what it carried was done all the same (RFC 6086 4.2.2)",
                    sent.seq
                ),
            );
        }
        let answer = if is_err {
            Answer::Error
        } else {
            Answer::Reply(primitive.code())
        };
        let spot = || Spot::attribute(path, primitive.element, "id");
        let chat = sent.class == Class::Grpchat;
        if !chat && !first {
            desk.conduct(
                RULE,
                "XCCOSIP-3.1.2.1-01",
                doc.seen,
                spot(),
                format!(
                    "a second answer to {} (event {}), which event {} has answered",
                    sent.element.get("id").unwrap_or("a command"),
                    sent.seq,
                    sent.answers.first().map_or(0, |a| a.0)
                ),
            );
            sent.answers.push((doc.seen.seq, answer));
            return None;
        }
        sent.answers.push((doc.seen.seq, answer));
        desk.pass(RULE, "XCCOSIP-3.2.1.5-09", doc.seen);
        // Both halves are there.
        desk.pass(RULE, "XCCOSIP-1.3-01", doc.seen);
        desk.pass_for(
            RULE,
            "XCCOSIP-1.3-01",
            Seat::Client,
            sent.seq,
            sent.deliberate,
        );
        if let Some(id) = sent.id
            && id.envid > u64::from(u32::MAX)
        {
            desk.pass(RULE, "XCCOSIP-3.2.1.1-01", doc.seen);
        }
        if sent.companions > 1 {
            desk.pass(RULE, "XCCOSIP-3.2.1.5-10", doc.seen);
        }
        judge_kind(sent, answer, doc, primitive, &spot, desk);
        // The client's own clock starts a little before the recorder's.
        let late = doc.seen.at.saturating_sub(sent.at) > limits.reply + limits.reply / 100;
        if late && !chat && !sent.deliberate {
            desk.conduct(
                RULE,
                "XCCOSIP-3.1.2.1.2-03",
                doc.seen,
                spot(),
                format!(
                    "the answer to {} comes after {:.1} s; a client gives up after {} s",
                    sent.element.get("id").unwrap_or("a command"),
                    doc.seen.at.saturating_sub(sent.at) as f64 / 1e6,
                    limits.reply / 1_000_000
                ),
            );
        } else if !chat {
            desk.pass(RULE, "XCCOSIP-3.1.2.1-01", doc.seen);
        }
        Some((at, true))
    }

    /// A reference to nothing that was sent: find out what was meant.
    fn astray(
        &self,
        dialog: DialogId,
        primitive: &Primitive<'_>,
        id: MsgId,
        doc: &Doc<'_>,
        path: &str,
        desk: &mut Desk,
    ) {
        let open: Vec<_> = self
            .sent
            .iter()
            .filter(|s| s.dialog == dialog && s.answers.is_empty() && !s.void)
            .collect();
        let meant = if primitive.class == Class::Err {
            open.iter()
                .find(|s| s.wrong.is_some())
                .or(open.first())
                .copied()
        } else {
            open.iter()
                .find(|s| s.row.is_some_and(|r| r.reply == primitive.id()))
                .copied()
        };
        let entry = match meant.and_then(|s| s.wrong) {
            Some(Wrong::Schema | Wrong::NoData) => "XCCOSIP-3.2.1.5-03",
            Some(Wrong::Id) => "XCCOSIP-3.2.1.5-06",
            _ => "XCCOSIP-3.2.1.5-09",
        };
        let hint = meant
            .and_then(|s| s.id)
            .map(|m| format!("; open is envid {} seqid {}", m.envid, m.seqid))
            .unwrap_or_default();
        let spot = Spot {
            path: Some(format!("{path}/commandid[1]")),
            span: primitive
                .element
                .first("commandid")
                .map(|c| (c.span.start, c.span.end)),
        };
        let message = format!(
            "commandid names envid {} seqid {}, which nobody sent in this dialog{hint}",
            id.envid, id.seqid
        );
        // Whatever an err is for, it is stamped like any answer.
        if entry != "XCCOSIP-3.2.1.5-09" {
            desk.fail(
                RULE,
                "XCCOSIP-3.2.1.5-09",
                doc.seen,
                spot.clone(),
                message.clone(),
            );
        }
        desk.fail(RULE, entry, doc.seen, spot, message);
    }

    /// An answer whose reference is wrong was meant for something: that one is not missing any more.
    fn settle(&mut self, dialog: DialogId, primitive: &Primitive<'_>) {
        let is_err = primitive.class == Class::Err;
        let open = |s: &&mut Sent| s.dialog == dialog && s.answers.is_empty() && !s.void;
        let meant = self.sent.iter_mut().filter(open).find(|s| {
            if is_err {
                s.wrong.is_some()
            } else {
                s.row.is_some_and(|r| r.reply == primitive.id())
            }
        });
        if let Some(meant) = meant {
            meant.void = true;
        }
    }

    /// Whether something without readable ids waits for an err in this dialog.
    fn unreadable(&self, dialog: DialogId) -> bool {
        self.obscure.contains(&dialog)
            || self
                .sent
                .iter()
                .any(|s| s.dialog == dialog && s.id.is_none())
    }

    /// What nobody answered.
    pub fn finish(&self, limits: &Limits, decoder: &Decoder, desk: &mut Desk) {
        for sent in &self.sent {
            let Some(dialog) = decoder.dialog(sent.dialog) else {
                continue;
            };
            let until = dialog.over_at.unwrap_or(decoder.now);
            if sent.void
                || !sent.answers.is_empty()
                || sent.id.is_none()
                || until.saturating_sub(sent.at) < limits.reply
                || self.busy.get(&sent.dialog) == Some(&true)
                || !decoder.saw_all(dialog.conn)
            {
                continue;
            }
            let name = sent.element.get("id").unwrap_or("a primitive");
            let seconds = limits.reply / 1_000_000;
            let (id, weight) = match (sent.wrong, sent.class) {
                (Some(Wrong::Schema), _) => ("XCCOSIP-3.2.1.5-02", Weight::Fail),
                (Some(Wrong::NoData), _) => (
                    sent.row
                        .and_then(|r| r.no_data)
                        .map_or("XCCOSIP-3.2.1.5-02", |n| n.1),
                    Weight::Fail,
                ),
                (Some(Wrong::Id), _) => ("XCCOSIP-3.2.1.5-05", Weight::Fail),
                (Some(Wrong::Lacks(lack)), _) => {
                    (lack.errs.unwrap_or("XCCOSIP-3.1.2.1-01"), Weight::Fail)
                }
                (Some(Wrong::Chat { .. }), _) => ("XCCOSIP-3.2.6.5-02", Weight::Fail),
                (None, Class::Grpchat) => continue,
                (None, _) => {
                    // A message broken in a way no rule knows has no claim to an answer.
                    if sent.deliberate {
                        continue;
                    }
                    (
                        sent.row
                            .and_then(|r| r.sends)
                            .unwrap_or("XCCOSIP-3.1.2.1-01"),
                        Weight::Fail,
                    )
                }
            };
            let message = format!("no answer to {name} within {seconds} s");
            desk.omission_as(RULE, id, weight, Seat::Server, sent.seq, message);
        }
    }
}

/// The answer by its kind: rpl or err, its name, its code.
fn judge_kind(
    sent: &Sent,
    answer: Answer,
    doc: &Doc<'_>,
    primitive: &Primitive<'_>,
    spot: &impl Fn() -> Spot,
    desk: &mut Desk,
) {
    let name = sent.element.get("id").unwrap_or("");
    match (sent.wrong, answer) {
        (Some(wrong), Answer::Error) => {
            for id in ["XCCOSIP-2.2.2.2.6-01", "XCCOSIP-2.2.2.2.6-02"] {
                desk.pass(RULE, id, doc.seen);
            }
            let ids: &[&str] = match wrong {
                Wrong::Schema => &[
                    "XCCOSIP-3.2.1.5-01",
                    "XCCOSIP-3.2.1.5-02",
                    "XCCOSIP-3.2.1.5-03",
                ],
                Wrong::NoData => &[
                    "XCCOSIP-3.2.1.5-01",
                    "XCCOSIP-3.2.1.5-02",
                    "XCCOSIP-3.2.1.5-03",
                ],
                Wrong::Id => &[
                    "XCCOSIP-3.2.1.5-04",
                    "XCCOSIP-3.2.1.5-05",
                    "XCCOSIP-3.2.1.5-06",
                ],
                Wrong::Chat { .. } => &["XCCOSIP-3.2.6.5-01", "XCCOSIP-3.2.6.5-02"],
                Wrong::Lacks(_) => &[],
            };
            if let Wrong::Lacks(lack) = wrong {
                desk.pass(RULE, lack.checks, doc.seen);
                if let Some(errs) = lack.errs {
                    desk.pass(RULE, errs, doc.seen);
                }
            }
            for id in ids {
                desk.pass(RULE, id, doc.seen);
            }
            if let (Wrong::NoData, Some((checks, errs))) = (wrong, sent.row.and_then(|r| r.no_data))
            {
                desk.pass(RULE, checks, doc.seen);
                desk.pass(RULE, errs, doc.seen);
            }
        }
        (Some(wrong), Answer::Reply(code)) => {
            let weight = if code == Some(200) {
                Weight::Fail
            } else {
                Weight::Warn
            };
            let (id, what) = match wrong {
                Wrong::Schema => ("XCCOSIP-3.2.1.5-02", "does not fit the schema"),
                Wrong::NoData => (
                    sent.row
                        .and_then(|r| r.no_data)
                        .map_or("XCCOSIP-3.2.1.5-02", |n| n.1),
                    "has no data",
                ),
                Wrong::Id => ("XCCOSIP-3.2.1.5-05", "is in no list of commands"),
                Wrong::Chat { .. } => return,
                Wrong::Lacks(lack) => {
                    // A reply with a failure code is as good as err here.
                    if code != Some(200) {
                        desk.pass(RULE, lack.checks, doc.seen);
                    } else {
                        desk.conduct(
                            RULE,
                            lack.errs.unwrap_or(lack.checks),
                            doc.seen,
                            spot(),
                            format!("{name} without {} is answered with success", lack.what),
                        );
                    }
                    return;
                }
            };
            desk.conduct_as(
                RULE,
                id,
                weight,
                doc.seen,
                spot(),
                format!(
                    "{name} {what}; it is to be answered with err, not {}",
                    primitive.id()
                ),
            );
        }
        (None, Answer::Error) => {
            desk.pass(RULE, "XCCOSIP-2.2.2.2.6-01", doc.seen);
            desk.pass(RULE, "XCCOSIP-3.2.1.5-08", doc.seen);
            if name == "cmd:join" && !sent.deliberate {
                desk.pass(RULE, "XCCOSIP-3.2.4.5-05", doc.seen);
                desk.pass(RULE, "XCCOSIP-3.2.4.5-06", doc.seen);
            }
            // The one command whose steps know no failure.
            if name == "cmd:getserverinfo" && !sent.deliberate {
                desk.conduct(
                    RULE,
                    "XCCOSIP-3.2.2.5-01",
                    doc.seen,
                    spot(),
                    "cmd:getserverinfo is answered with err; the server has to send rpl:getserverinfo".to_owned(),
                );
            }
        }
        (None, Answer::Reply(code)) => {
            let Some(row) = sent.row else { return };
            if primitive.id() == row.reply {
                for id in [
                    row.named,
                    row.creates,
                    row.sends,
                    row.known,
                    Some("XCCOSIP-3.2.1.5-08"),
                ]
                .into_iter()
                .flatten()
                {
                    desk.pass(RULE, id, doc.seen);
                }
                if code == Some(200) {
                    desk.pass(RULE, "XCCOSIP-3.2.1.5-07", doc.seen);
                    desk.pass_for(RULE, row.may, Seat::Client, sent.seq, sent.deliberate);
                    if desk.tests(Seat::Server) {
                        desk.pass(RULE, row.may, doc.seen);
                    }
                    desk.pass(RULE, "XCCOSIP-3.2.1.5-01", doc.seen);
                    desk.pass(RULE, "XCCOSIP-3.2.1.5-04", doc.seen);
                } else {
                    desk.pass(RULE, "XCCOSIP-2.2.2.2.6-03", doc.seen);
                }
            } else if row.named.is_some() || !primitive.id().starts_with("rpl:requ") {
                let id = row.named.unwrap_or("XCCOSIP-3.2.1.5-09");
                desk.fail(
                    RULE,
                    id,
                    doc.seen,
                    spot(),
                    format!(
                        "{name} is answered with {}; its reply is {}",
                        primitive.id(),
                        row.reply
                    ),
                );
            } else {
                // requi answered as requri or the other way round: neither is in the list.
                desk.fail_as(
                    RULE,
                    "XCCOSIP-3.2.1.5-09",
                    Weight::Info,
                    doc.seen,
                    spot(),
                    format!(
                        "{name} is answered with {}, the other spelling",
                        primitive.id()
                    ),
                );
            }
        }
        (_, Answer::Echo) => {}
    }
}

/// Parts the steps of a command look for, in their order.
fn lacks(primitive: &Primitive<'_>) -> Option<Lack> {
    let data = primitive.data()?;
    let chanib = data.first("chanib");
    let lack = |what, checks, errs| Some(Lack { what, checks, errs });
    let no_uri = || {
        chanib
            .and_then(|c| c.get("uri"))
            .is_none_or(|u| super::forms::channel(u).is_none())
    };
    match primitive.id() {
        "cmd:join" if data.first("chanid").is_none() => lack("chanid", "XCCOSIP-3.2.4.5-03", None),
        "cmd:bjoin" if data.first("chanid").is_none() => lack("chanid", "XCCOSIP-3.2.3.5-03", None),
        "cmd:bccontext" => {
            let bcq = data.first("bcq");
            if chanib.is_none() {
                lack("chanib", "XCCOSIP-3.2.5.5-03", None)
            } else if bcq.is_none() {
                lack("bcq", "XCCOSIP-3.2.5.5-04", None)
            } else if bcq.is_some_and(|q| q.first("last").is_none() && q.first("msgid").is_none()) {
                lack("last", "XCCOSIP-3.2.5.5-05", None)
            } else {
                None
            }
        }
        "cmd:getroomperms" if chanib.is_none() => lack("chanib", "XCCOSIP-3.2.7.5-03", None),
        "cmd:getroomperms" if no_uri() => lack(
            "a channel URI",
            "XCCOSIP-3.2.7.5-06",
            Some("XCCOSIP-3.2.7.5-07"),
        ),
        "cmd:updatenode" => {
            let Some(chanib) = chanib else {
                // A category is updated by the same command.
                if data.first("catib").is_some() {
                    return None;
                }
                return lack("chanib", "XCCOSIP-3.2.8.5-03", None);
            };
            if no_uri() {
                return lack(
                    "a channel URI",
                    "XCCOSIP-3.2.8.5-06",
                    Some("XCCOSIP-3.2.8.5-07"),
                );
            }
            let what = update_lacks(chanib)?;
            lack(what, "XCCOSIP-3.2.8.5-10", Some("XCCOSIP-3.2.8.5-11"))
        }
        _ => None,
    }
}

/// What an update of a room lacks, or has with a value out of its list (3.1.17.3).
fn update_lacks(chanib: &Element) -> Option<&'static str> {
    const ATTRIBUTES: &[&str] = &[
        "name",
        "parent",
        "description",
        "behavior",
        "siopid",
        "disabled",
    ];
    if let Some(name) = ATTRIBUTES.iter().find(|n| chanib.get(n).is_none()) {
        return Some(name);
    }
    if !matches!(
        chanib.get("behavior"),
        Some("UNSET" | "NORMAL" | "AUDITORIUM")
    ) {
        return Some("a behavior of the list");
    }
    if chanib.first("audit").is_none() {
        return Some("audit");
    }
    let held = |kind: &'static str, id: &str| {
        chanib
            .all(kind)
            .find(|e| e.get("id").is_some_and(|i| i.trim() == id))
    };
    match held("info", "urn:parlano:ma:info:visibility") {
        None => return Some("the info visibility"),
        Some(info) if !matches!(info.content().trim(), "PRIVATE" | "SCOPED" | "OPEN") => {
            return Some("a visibility of the list");
        }
        Some(_) => {}
    }
    if held("prop", "urn:parlano:ma:prop:invite").is_none() {
        return Some("the prop invite");
    }
    None
}

/// What 3.2.6.5 step 1 would find missing in a chat.
fn chat_fault(element: &Element) -> Option<Wrong> {
    let lacks = |name: &&str| element.get(name).is_none();
    if ["id", "chanUri", "author", "ts"].iter().any(lacks) {
        return Some(Wrong::Chat { lenient: false });
    }
    if ["authdisp", "alert", "chatId"].iter().any(lacks) {
        return Some(Wrong::Chat { lenient: true });
    }
    None
}

/// How much a distributed chat weighs that should have been refused.
pub(crate) fn weight_of(wrong: Wrong, profile: &str) -> Weight {
    match wrong {
        Wrong::Chat { lenient: true } if profile == policy::INTEROP => Weight::Info,
        _ => Weight::Fail,
    }
}

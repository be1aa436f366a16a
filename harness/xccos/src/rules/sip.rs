/*! Rules about SIP: messages, transactions and dialogs.

Takes decoded messages, concludes about RFC 3261 (as `SIP`, with a code in
front of the message) and about how XCCOS rides on it (1.4, 2.1). It keeps no
rule about what the field is known to leave out: Via branches, contiguous CSeq
numbers, Supported, the SDP of the answer.
*/

use ::sip::{NoteKind, Uri};
use trace::Seat;

use super::Limits;
use super::decode::{Asked, Body, Decoder, Seen, State};
use super::desk::{Desk, Spot};
use crate::policy::Weight;

const RULE: &str = "sip";

/// The ids this rule can decide besides `SIP`.
pub(crate) const IDS: &[&str] = &[
    "XCCOSIP-1.4-01",
    "XCCOSIP-1.4-02",
    "XCCOSIP-1.4-03",
    "XCCOSIP-2.1-01",
    "XCCOSIP-2.1-02",
];

/// Methods that a dialog of this protocol knows; others are for 405 and 501.
const METHODS: &[&str] = &[
    "INVITE",
    "ACK",
    "BYE",
    "CANCEL",
    "INFO",
    "OPTIONS",
    "REGISTER",
    "UPDATE",
    "SUBSCRIBE",
    "NOTIFY",
    "MESSAGE",
    "SERVICE",
    "PRACK",
    "REFER",
    "PUBLISH",
    "BENOTIFY",
    "NEGOTIATE",
];

/// See the module.
#[derive(Default)]
pub(crate) struct Sip {}

/// Bytes that are no SIP message.
pub(crate) fn noise(seq: u64, from: Seat, deliberate: bool, problem: &str, desk: &mut Desk) {
    if !deliberate {
        desk.omission(RULE, "SIP", from, seq, format!("no-sip-message: {problem}"));
    }
}

impl Sip {
    /// Judges one message.
    pub fn message(&mut self, seen: &Seen, decoder: &mut Decoder, desk: &mut Desk) {
        syntax(seen, desk);
        if seen.message.is_request() {
            request(seen, decoder, desk);
        } else {
            response(seen, decoder, desk);
        }
        carriage(seen, desk, decoder);
    }

    /// Judges what the end of the recording decides: requests nobody answered.
    pub fn finish(&mut self, limits: &Limits, decoder: &Decoder, desk: &mut Desk) {
        let mut open: Vec<_> = decoder.asked.iter().collect();
        open.sort_by_key(|(_, asked)| asked.seq);
        for ((from, conn, ..), asked) in open {
            // Until when the answer could have come: the connection's end, or now.
            let until = decoder
                .links
                .get(conn)
                .and_then(|l| l.closed)
                .unwrap_or(decoder.now);
            if asked.deliberate || until.saturating_sub(asked.at) < limits.sip {
                continue;
            }
            if asked.method == "INVITE" || asked.method == "CANCEL" {
                continue;
            }
            desk.omission(
                RULE,
                "SIP",
                from.other(),
                asked.seq,
                format!(
                    "unanswered: no final answer to {} within {} s (RFC 3261 17.1.2)",
                    asked.method,
                    limits.sip / 1_000_000
                ),
            );
        }
    }
}

fn sip(desk: &mut Desk, seen: &Seen, header: &str, message: String) {
    let spot = if header.is_empty() {
        Spot::default()
    } else {
        Spot::header(header)
    };
    desk.fail(RULE, "SIP", seen, spot, message);
}

/// The message by itself.
fn syntax(seen: &Seen, desk: &mut Desk) {
    let message = &seen.message;
    for note in message.notes() {
        if !note.kind.is_violation() {
            continue;
        }
        let weight = match note.kind {
            NoteKind::StartLineSpace
            | NoteKind::MissingReason
            | NoteKind::DupContentLength
            | NoteKind::ControlChar => Weight::Warn,
            _ => Weight::Fail,
        };
        let spot = Spot {
            path: Some(note.kind.code().to_owned()),
            span: Some((note.offset, note.offset + 1)),
        };
        desk.fail_as(
            RULE,
            "SIP",
            weight,
            seen,
            spot,
            format!("{}: {}", note.kind.code(), note.kind.text()),
        );
    }
    let mut needed = vec!["Via", "From", "To", "Call-ID", "CSeq"];
    if message.is_request() {
        needed.push("Max-Forwards");
    }
    for name in needed {
        match message.header(name) {
            None => sip(
                desk,
                seen,
                "",
                format!("header-missing: {name} is missing (RFC 3261 8.1.1, 8.2.6)"),
            ),
            Some(_) => {
                let error = match name {
                    "From" => message.from().err(),
                    "To" => message.to().err(),
                    "CSeq" => message.cseq().err(),
                    "Via" => message.vias().err(),
                    "Max-Forwards" => message.max_forwards().err(),
                    _ => None,
                };
                if let Some(error) = error {
                    sip(desk, seen, name, format!("header-unreadable: {error}"));
                }
            }
        }
    }
    if let (Some(cseq), Some(method)) = (&seen.cseq, message.method())
        && cseq.method != method
    {
        sip(
            desk,
            seen,
            "CSeq",
            format!(
                "cseq-method: CSeq says {} in a {method} request (RFC 3261 8.1.1.5)",
                cseq.method
            ),
        );
    }
    if !message.body().is_empty() && message.header("Content-Type").is_none() {
        sip(
            desk,
            seen,
            "",
            "content-type-missing: there is a body without Content-Type (RFC 3261 20.15)"
                .to_owned(),
        );
    }
    if message.is_request() && message.from().is_ok_and(|from| from.tag().is_none()) {
        sip(
            desk,
            seen,
            "From",
            "from-tag-missing: From of a request has no tag (RFC 3261 8.1.1.3)".to_owned(),
        );
    }
}

fn request(seen: &Seen, decoder: &mut Decoder, desk: &mut Desk) {
    let method = seen.message.method().unwrap_or("");
    let all = decoder.saw_before(seen.conn);
    let to_tag = seen
        .message
        .to()
        .ok()
        .and_then(|to| to.tag().map(str::to_owned));
    if method == "INVITE" && seen.message.header("Contact").is_none() {
        sip(
            desk,
            seen,
            "",
            "contact-missing: an INVITE needs a Contact (RFC 3261 8.1.1.8)".to_owned(),
        );
    }
    let Some(id) = seen.dialog else {
        if all && to_tag.is_some() && matches!(method, "BYE" | "UPDATE" | "INVITE") {
            orphan(seen, desk, method);
        }
        return;
    };
    let Some(dialog) = decoder.dialogs.get_mut(id) else {
        return;
    };
    let from_tag = seen
        .message
        .from()
        .ok()
        .and_then(|from| from.tag().map(str::to_owned));
    let (own, peer) = match seen.from {
        Seat::Client => (&dialog.client_tag, &dialog.server_tag),
        Seat::Server => (&dialog.server_tag, &dialog.client_tag),
    };
    let apart = method == "CANCEL"
        || method == "INVITE" && to_tag.is_none()
        || method == "ACK" && seen.before == Some(State::Refused);
    let inside = !apart;
    if inside {
        if own.is_some() && from_tag != *own {
            sip(
                desk,
                seen,
                "From",
                format!(
                    "from-tag: the tag in From is {:?}, this end's tag in the dialog is {:?} (RFC 3261 12.2.1.1)",
                    from_tag.as_deref().unwrap_or(""),
                    own.as_deref().unwrap_or("")
                ),
            );
        }
        if peer.is_some() && to_tag != *peer {
            sip(
                desk,
                seen,
                "To",
                format!(
                    "to-tag: the tag in To is {:?}, the peer's tag in the dialog is {:?} (RFC 3261 12.2.1.1)",
                    to_tag.as_deref().unwrap_or(""),
                    peer.as_deref().unwrap_or("")
                ),
            );
        }
        target(seen, dialog, desk);
    }
    if let (Some(cseq), false) = (&seen.cseq, matches!(method, "ACK" | "CANCEL")) {
        let last = &mut dialog.cseq[seen.from as usize];
        if let Some(last) = *last
            && cseq.seq <= last
            && inside
        {
            sip(
                desk,
                seen,
                "CSeq",
                format!(
                    "cseq-order: CSeq {} does not follow {last}, the last one of this sender in the dialog (RFC 3261 12.2.1.1)",
                    cseq.seq
                ),
            );
        }
        if !seen.deliberate {
            *last = Some(last.map_or(cseq.seq, |l| l.max(cseq.seq)));
        }
    }
    match seen.before {
        Some(State::Bye(by)) if !matches!(method, "ACK" | "INVITE") => {
            let own_bye = by == seen.from;
            let known = dialog.over_at.is_some_and(|at| at < seen.at) || own_bye;
            // A BYE may cross what the other side has sent already.
            if known && (own_bye || method == "INFO") && method != "BYE" {
                desk.conduct(
                    RULE,
                    "SIP",
                    seen,
                    Spot::default(),
                    format!("after-bye: {method} in a dialog that a BYE has ended (RFC 3261 15)"),
                );
            }
        }
        Some(State::Refused | State::Inviting) if method == "INFO" && dialog.whole => {
            orphan(seen, desk, method);
        }
        _ => {}
    }
}

/// Where a request inside a dialog has to go.
fn target(seen: &Seen, dialog: &super::decode::Dialog, desk: &mut Desk) {
    if !dialog.whole {
        return;
    }
    let (contact, routes) = match seen.from {
        Seat::Client => (&dialog.server_contact, dialog.routes.as_slice()),
        Seat::Server => (&dialog.client_contact, &[][..]),
    };
    let same = |a: &str, b: &str| match (Uri::parse(a), Uri::parse(b)) {
        (Ok(a), Ok(b)) => a.equivalent(&b) || (a.same_user(&b) && a.port == b.port),
        _ => a == b,
    };
    if routes.is_empty()
        && let (Some(contact), Some(uri)) = (contact, seen.message.request_uri())
        && !same(contact, &uri)
    {
        desk.fail(
            RULE,
            "SIP",
            seen,
            Spot::default(),
            format!("request-uri: the request goes to {uri}, the peer's Contact is {contact} (RFC 3261 12.2.1.1)"),
        );
    }
    let given = seen.message.routes().unwrap_or_default();
    if !routes.is_empty() && given.is_empty() {
        desk.fail(
            RULE,
            "SIP",
            seen,
            Spot::default(),
            "route-missing: the dialog has a route set, the request has no Route (RFC 3261 12.2.1.1)"
                .to_owned(),
        );
    }
}

fn orphan(seen: &Seen, desk: &mut Desk, method: &str) {
    if matches!(seen.body, Body::None) {
        desk.conduct(
            RULE,
            "SIP",
            seen,
            Spot::default(),
            format!("no-dialog: {method} with a To tag, but no dialog was ever set up for it (RFC 3261 12.2)"),
        );
    }
}

fn response(seen: &Seen, decoder: &Decoder, desk: &mut Desk) {
    let status = seen.message.status().unwrap_or(0);
    let Some(asked) = &seen.answers else {
        if decoder.saw_before(seen.conn) && seen.cseq.is_some() && !decoder.is_repeated(seen) {
            desk.conduct(
                RULE,
                "SIP",
                seen,
                Spot::header("CSeq"),
                "stray-answer: this answers no request that was sent (RFC 3261 8.2.6.2)".to_owned(),
            );
        }
        return;
    };
    echoes(seen, asked, desk);
    if status > 100 && seen.message.to().is_ok_and(|to| to.tag().is_none()) && !asked.deliberate {
        sip(
            desk,
            seen,
            "To",
            "to-tag-missing: To of an answer has no tag (RFC 3261 8.2.6.2)".to_owned(),
        );
    }
    if asked.deliberate {
        return;
    }
    let fine = (200..300).contains(&status);
    if asked.method == "INVITE" && fine && seen.message.header("Contact").is_none() {
        sip(
            desk,
            seen,
            "",
            "contact-missing: the 2xx to an INVITE needs a Contact (RFC 3261 12.1.1)".to_owned(),
        );
    }
    if status == 405 && seen.message.header("Allow").is_none() {
        sip(
            desk,
            seen,
            "",
            "allow-missing: a 405 has to name the methods that are allowed (RFC 3261 8.2.1)"
                .to_owned(),
        );
    }
    if fine && !METHODS.contains(&asked.method.as_str()) {
        desk.conduct(
            RULE,
            "SIP",
            seen,
            Spot::default(),
            format!(
                "unknown-method: {} is no method of SIP or this protocol, yet it was answered {status} (RFC 3261 8.2.1)",
                asked.method
            ),
        );
    }
    if asked.method == "INFO" && status >= 200 && asked.up {
        info_answer(seen, asked, status, desk);
    }
}

/// A response repeats what identifies its request (RFC 3261 8.2.6.2).
fn echoes(seen: &Seen, asked: &Asked, desk: &mut Desk) {
    let tag = |text: &str| {
        ::sip::NameAddr::parse(text).ok().map(|a| {
            (
                a.uri,
                a.params
                    .iter()
                    .find(|p| p.name.eq_ignore_ascii_case("tag"))
                    .cloned(),
            )
        })
    };
    let from = seen.message.value("From").unwrap_or_default();
    let (sent, back) = (tag(&asked.from), tag(&from));
    if let (Some(sent), Some(back)) = (sent, back)
        && (sent.1.map(|p| p.value) != back.1.map(|p| p.value) || !sent.0.equivalent(&back.0))
    {
        sip(
            desk,
            seen,
            "From",
            "answer-from: From differs from the request's (RFC 3261 8.2.6.2)".to_owned(),
        );
    }
    let to = seen.message.value("To").unwrap_or_default();
    if let (Some((uri, Some(tag_sent))), Some((back, tag_back))) = (tag(&asked.to), tag(&to))
        && (tag_back.map(|p| p.value) != Some(tag_sent.value) || !uri.equivalent(&back))
    {
        sip(
            desk,
            seen,
            "To",
            "answer-to: To differs from the request's, which has a tag (RFC 3261 8.2.6.2)"
                .to_owned(),
        );
    }
    let vias: Vec<_> = seen
        .message
        .list("Via")
        .into_iter()
        .map(|v| v.text)
        .collect();
    let core = |vias: &[String]| -> Vec<_> {
        vias.iter()
            .map(|v| {
                ::sip::Via::parse(v).ok().map(|via| {
                    let branch = via.branch().map(str::to_owned);
                    (via.host.to_ascii_lowercase(), via.port, branch)
                })
            })
            .collect()
    };
    if !vias.is_empty() && core(&vias) != core(&asked.vias) {
        sip(
            desk,
            seen,
            "Via",
            "answer-via: the Via values differ from the request's (RFC 3261 8.2.6.2)".to_owned(),
        );
    }
}

/// How an INFO inside a dialog is answered (1.4).
fn info_answer(seen: &Seen, asked: &Asked, status: u16, desk: &mut Desk) {
    if let Body::Doc(_) | Body::Bad(_) = seen.body {
        desk.conduct(
            RULE,
            "XCCOSIP-1.4-02",
            seen,
            Spot::default(),
            "the SIP answer to an INFO carries XCCOS; that belongs into an INFO of its own"
                .to_owned(),
        );
        return;
    }
    match status {
        200 => desk.pass(RULE, "XCCOSIP-1.4-02", seen),
        201..=299 => desk.conduct_as(
            RULE,
            "SIP",
            Weight::Warn,
            seen,
            Spot::default(),
            format!(
                "info-answer: {status} to an INFO; 200 is what delivery looks like (RFC 6086 4.2.2)"
            ),
        ),
        // A challenge, a crossed BYE, a busy or overloaded server, and a peer's policy are no faults by themselves.
        401 | 403 | 407 | 481 | 487 | 491 | 503 | 600.. => {}
        _ => desk.conduct(
            RULE,
            "SIP",
            seen,
            Spot::default(),
            format!(
                "info-answer: {} is answered {status} inside a confirmed dialog (RFC 6086 4.2.2)",
                asked.method
            ),
        ),
    }
}

/// XCCOS rides in INFO inside a dialog, and nowhere else (1.4, 2.1).
fn carriage(seen: &Seen, desk: &mut Desk, decoder: &Decoder) {
    if matches!(seen.body, Body::None) {
        return;
    }
    if !seen.message.is_request() {
        return;
    }
    let method = seen.message.method().unwrap_or("");
    if method != "INFO" {
        desk.conduct(
            RULE,
            "XCCOSIP-1.4-01",
            seen,
            Spot::default(),
            format!("an XCCOS document in a {method} request; it has to be the body of an INFO"),
        );
        return;
    }
    let whole = seen
        .dialog
        .and_then(|id| decoder.dialog(id))
        .is_some_and(|d| d.whole);
    match (seen.dialog, seen.before) {
        (None, _) if decoder.saw_before(seen.conn) => desk.conduct(
            RULE,
            "XCCOSIP-1.4-03",
            seen,
            Spot::header("Call-ID"),
            "an XCCOS document outside of any dialog; INVITE, 200 and ACK come first".to_owned(),
        ),
        (Some(_), Some(State::Inviting | State::Refused)) if whole => desk.conduct(
            RULE,
            "XCCOSIP-1.4-03",
            seen,
            Spot::header("Call-ID"),
            "an XCCOS document before the INVITE was accepted".to_owned(),
        ),
        (Some(_), Some(State::Answered)) if whole && seen.from == Seat::Client => desk.conduct(
            RULE,
            "XCCOSIP-1.4-03",
            seen,
            Spot::header("Call-ID"),
            "an XCCOS document before the ACK that confirms the dialog".to_owned(),
        ),
        (Some(_), Some(State::Answered | State::Confirmed)) if whole => {
            for id in ["XCCOSIP-1.4-01", "XCCOSIP-2.1-01"] {
                desk.pass(RULE, id, seen);
            }
            if seen.from == Seat::Client {
                desk.pass(RULE, "XCCOSIP-1.4-03", seen);
            }
            let transport = decoder
                .links
                .get(&seen.conn)
                .map_or("", |l| l.transport.as_str());
            if transport.starts_with("tls") {
                desk.pass(RULE, "XCCOSIP-2.1-02", seen);
            }
        }
        _ => {}
    }
    if let Ok(Some(media)) = seen.message.media_type()
        && !media.is("text/plain")
    {
        desk.fail_as(
            RULE,
            "SIP",
            Weight::Info,
            seen,
            Spot::header("Content-Type"),
            format!(
                "content-type: {}/{}; every known implementation sends text/plain",
                media.main, media.sub
            ),
        );
    }
}

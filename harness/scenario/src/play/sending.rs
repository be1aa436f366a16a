/*! Sending, in either seat: envelopes, primitives, requests, bytes.

Takes what a step wants sent, gives it its numbers and what every sender adds,
and remembers what it was for steps that wait for the answer.
*/

use judge::Unproven;
use sip::agent::{Ended, Event as SipEvent};
use sip::{Message, Uri};
use trace::Intent;
use xccos::payload::{CHAT_NS, Class, Element, Envelope, MsgId, Node};

use super::player::{Flow, Named, Player, known};
use super::wire::why_ended;
use crate::lang::value::NoValue;
use crate::plan::*;

impl Player<'_, '_> {
    pub(super) async fn send(&mut self, step: &Step, send: &Send) -> Flow {
        let at = match self.connected(&send.endpoint).await {
            Ok(at) => at,
            Err(flow) => return flow,
        };
        for _ in 0..send.times.max(1) {
            if let Err(why) = self.send_once(at, send) {
                return match why {
                    Trouble::Scenario(why) => self.cannot(step, why),
                    Trouble::NoValue(why) => self.without(step, why),
                    Trouble::NoDialog => {
                        let why = self.no_dialog(at, &send.endpoint);
                        self.give_up(Unproven::Inconclusive(why))
                    }
                };
            }
            self.drain();
        }
        Flow::Next
    }

    /// Why an endpoint has no dialog, for the reader.
    pub(super) fn no_dialog(&mut self, at: usize, endpoint: &str) -> String {
        let ended = self
            .sip_events
            .iter()
            .rev()
            .find_map(|(conn, event)| match event {
                SipEvent::Ended { why, .. } if *conn == at => Some(why_ended(why)),
                _ => None,
            });
        match ended {
            Some(why) if why != why_ended(&Ended::ByUs) => {
                format!("`{endpoint}` has no dialog to send in: {why}")
            }
            _ => format!("`{endpoint}` has no dialog to send in"),
        }
    }

    pub(super) fn send_once(&mut self, at: usize, send: &Send) -> Result<(), Trouble> {
        let intent = match &send.invalid {
            Some(how) => Intent::Deliberate(how.clone()),
            None => Intent::Plain,
        };
        let mut named = Named {
            floor: self.recorder.seen.len(),
            ..Named::default()
        };
        self.tell_time();
        let fragment = self.conns.get(at).and_then(|c| c.fragment);
        if let Some(piece) = send.fragment
            && let Some(conn) = self.conns.get_mut(at)
        {
            conn.fragment = Some(piece.max(1));
        }
        let done = self.send_content(at, send, intent, &mut named);
        if let Some(conn) = self.conns.get_mut(at) {
            conn.fragment = fragment;
        }
        done?;
        if let Some(name) = &send.name {
            self.remember(name, named);
        }
        Ok(())
    }

    pub(super) fn send_content(
        &mut self,
        at: usize,
        send: &Send,
        intent: Intent,
        named: &mut Named,
    ) -> Result<(), Trouble> {
        match &send.content {
            Content::Primitives(primitives) => {
                let body = self.envelope(send, primitives, named)?;
                self.info(at, body, &send.headers, intent, named)
            }
            Content::Xml(xml) => {
                self.begin_envelope(send)?;
                let inside = self.eval(xml)?;
                let body = self.wrap(send, &inside)?;
                self.note_ids(&body, named);
                self.info(at, body.into_bytes(), &send.headers, intent, named)
            }
            Content::Body(text) => {
                self.begin_envelope(send)?;
                let body = self.eval(text)?;
                self.note_ids(&body, named);
                self.info(at, body.into_bytes(), &send.headers, intent, named)
            }
            Content::Sip {
                method,
                dialog,
                uri,
                body,
            } => {
                let uri = match uri {
                    Some(text) => Some(self.eval(text)?),
                    None => None,
                };
                let body = match body {
                    Some(text) => Some(self.eval(text)?.into_bytes()),
                    None => None,
                };
                self.request(at, method, *dialog, uri, body, &send.headers, intent, named)
            }
            Content::RawSip(text) => {
                let text = self.eval(text)?;
                let bytes = raw_sip(&text);
                if let Ok(message) = Message::parse(bytes.clone())
                    && let (Ok(call_id), Ok(cseq)) = (message.call_id(), message.cseq())
                {
                    named.requests.push((call_id, cseq.seq));
                }
                self.write(at, bytes, intent);
                Ok(())
            }
            Content::Bytes(bytes) => {
                self.write(at, bytes.clone(), intent);
                Ok(())
            }
        }
    }

    /// Keeps a named message: for `answers`, and as values.
    pub(super) fn remember(&mut self, name: &str, named: Named) {
        if let Some(id) = named.ids.first() {
            let names = &mut self.values.names;
            names.insert(format!("{name}.envid"), id.envid.to_string());
            names.insert(format!("{name}.seqid"), id.seqid.to_string());
        }
        if let Some((call_id, cseq)) = named.requests.first() {
            let names = &mut self.values.names;
            names.insert(format!("{name}.call_id"), call_id.clone());
            names.insert(format!("{name}.cseq"), cseq.to_string());
        }
        self.named.insert(name.to_owned(), named);
    }

    /// Takes the next envelope number, or the one the step gives.
    pub(super) fn begin_envelope(&mut self, send: &Send) -> Result<(), Trouble> {
        let next = match self.envids.get(&send.endpoint) {
            Some(last) => last + 1,
            None => {
                let bits = sip::Ids::bits(&mut *self.values.ids.borrow_mut());
                // 31 bits, and room to count.
                (bits & 0x3fff_ffff) + 1
            }
        };
        let envid = match &send.envid {
            Some(text) => {
                let text = self.eval(text)?;
                // What is no number is only meant as text; the counter stays.
                text.trim().parse().unwrap_or(next)
            }
            None => next,
        };
        self.values.envid.set(envid);
        self.values.seqid.set(0);
        self.envids
            .insert(send.endpoint.clone(), envid.max(next - 1));
        Ok(())
    }

    pub(super) fn envelope(
        &mut self,
        send: &Send,
        primitives: &[Primitive],
        named: &mut Named,
    ) -> Result<Vec<u8>, Trouble> {
        self.begin_envelope(send)?;
        let plain = primitives
            .iter()
            .all(|p| matches!(p.content, PrimitiveContent::Element { .. }));
        let mut inside = String::new();
        let mut elements = Vec::new();
        for primitive in primitives {
            let before = self.values.seqid.get();
            match &primitive.content {
                PrimitiveContent::Element { class, id, element } => {
                    let element = self.primitive(&send.endpoint, *class, id, element)?;
                    let msg_id = read_id(self.values.envid.get(), &element);
                    if let Some(msg_id) = msg_id {
                        named.ids.push(msg_id);
                        if let Some(name) = &primitive.name {
                            let one = Named {
                                ids: vec![msg_id],
                                requests: Vec::new(),
                                floor: named.floor,
                            };
                            self.remember(name, one);
                        }
                    }
                    if plain {
                        elements.push(element);
                    } else {
                        let one = Envelope { root: element };
                        inside.push_str(&String::from_utf8_lossy(&one.to_bytes()));
                    }
                }
                PrimitiveContent::Xml(xml) => {
                    inside.push_str(&self.eval(xml)?);
                    let seqid = self.values.seqid.get();
                    if seqid > before {
                        let msg_id = MsgId {
                            envid: self.values.envid.get(),
                            seqid,
                        };
                        named.ids.push(msg_id);
                        if let Some(name) = &primitive.name {
                            let one = Named {
                                ids: vec![msg_id],
                                requests: Vec::new(),
                                floor: named.floor,
                            };
                            self.remember(name, one);
                        }
                    }
                }
            }
        }
        if plain && send.envelope_attributes.is_empty() && send.envid.is_none() {
            return Ok(Envelope::new(self.values.envid.get(), elements).to_bytes());
        }
        for element in elements {
            inside.push_str(&String::from_utf8_lossy(
                &Envelope { root: element }.to_bytes(),
            ));
        }
        Ok(self.wrap(send, &inside)?.into_bytes())
    }

    /// An envelope around text.
    pub(super) fn wrap(&mut self, send: &Send, inside: &str) -> Result<String, Trouble> {
        let envid = match &send.envid {
            Some(text) => self.eval(text)?,
            None => self.values.envid.get().to_string(),
        };
        let mut attributes = vec![
            ("ver".to_owned(), "1".to_owned()),
            ("envid".to_owned(), envid),
        ];
        for (name, text) in &send.envelope_attributes {
            attributes.retain(|(n, _)| n != name);
            if let Some(text) = text {
                attributes.push((name.clone(), self.eval(text)?));
            }
        }
        let mut out = String::from("<xccos");
        for (name, value) in attributes {
            let value = value
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('"', "&quot;");
            out.push_str(&format!(" {name}=\"{value}\""));
        }
        if !send.envelope_attributes.iter().any(|(n, _)| n == "xmlns") {
            out.push_str(&format!(" xmlns=\"{CHAT_NS}\""));
        }
        out.push('>');
        out.push_str(inside);
        out.push_str("</xccos>");
        Ok(out)
    }

    /// The ids of the primitives a text holds, as far as it can be read.
    pub(super) fn note_ids(&mut self, body: &str, named: &mut Named) {
        match Envelope::parse(body.as_bytes()) {
            Ok(envelope) => named
                .ids
                .extend(envelope.primitives().filter_map(|p| p.msg_id())),
            Err(_) => {
                let seqid = self.values.seqid.get();
                if seqid > 0 {
                    named.ids.push(MsgId {
                        envid: self.values.envid.get(),
                        seqid,
                    });
                }
            }
        }
    }

    /// A primitive with what every sender adds: id, seqid, and for chats the required attributes.
    pub(super) fn primitive(
        &self,
        endpoint: &str,
        class: Class,
        id: &str,
        build: &Build,
    ) -> Result<Element, NoValue> {
        let given = |name: &str| build.attrs.iter().any(|(n, _)| n == name);
        let mut element = Element::new(class.name());
        if !given("id") && !id.is_empty() {
            element.set("id", id);
        }
        if !given("seqid") {
            use crate::lang::value::Scope as _;
            element.set("seqid", self.values.call("seq", "")?);
        }
        if class == Class::Grpchat {
            let user = self
                .scenario
                .endpoints
                .get(endpoint)
                .and_then(|role| self.values.user(role));
            let ours = self.harness == trace::Seat::Client;
            let defaults = [
                ("author", user.filter(|_| ours).map(|u| u.uri.clone())),
                (
                    "authdisp",
                    Some(
                        user.filter(|_| ours)
                            .map(|u| u.name.clone())
                            .unwrap_or_default(),
                    ),
                ),
                ("alert", Some("false".to_owned())),
                ("chatId", ours.then(|| "0".to_owned())),
                ("ts", Some(xccos::time::stamp(self.values.now.get()))),
            ];
            for (name, value) in defaults {
                if let (false, Some(value)) = (given(name), value) {
                    element.set(name, value);
                }
            }
        }
        self.fill(&mut element, build)?;
        if matches!(class, Class::Cmd | Class::Grpchat) {
            // The order the schema's examples have; nothing depends on it.
            element.attrs.sort_by_key(|a| match a.name.as_str() {
                "id" => 0,
                "seqid" => 1,
                _ => 2,
            });
        }
        Ok(element)
    }

    pub(super) fn fill(&self, element: &mut Element, build: &Build) -> Result<(), NoValue> {
        for (name, text) in &build.attrs {
            match text {
                Some(text) => {
                    let value = self.eval(text)?;
                    element.set(name, value);
                }
                None => {
                    element.unset(name);
                }
            }
        }
        if let Some(text) = &build.text {
            element.children.push(Node::Text(self.eval(text)?));
        }
        for (name, child) in &build.children {
            let mut inner = Element::new(name);
            self.fill(&mut inner, child)?;
            element.children.push(Node::Element(inner));
        }
        Ok(())
    }

    /// An INFO with this body in the endpoint's dialog.
    pub(super) fn info(
        &mut self,
        at: usize,
        body: Vec<u8>,
        headers: &[(String, Option<Text>)],
        intent: Intent,
        named: &mut Named,
    ) -> Result<(), Trouble> {
        self.request(at, "INFO", true, None, Some(body), headers, intent, named)
    }

    #[allow(clippy::too_many_arguments)]
    pub(super) fn request(
        &mut self,
        at: usize,
        method: &str,
        in_dialog: bool,
        uri: Option<String>,
        body: Option<Vec<u8>>,
        headers: &[(String, Option<Text>)],
        intent: Intent,
        named: &mut Named,
    ) -> Result<(), Trouble> {
        let mut changes = Vec::new();
        for (name, text) in headers {
            changes.push((
                name.clone(),
                match text {
                    Some(text) => Some(self.eval(text)?),
                    None => None,
                },
            ));
        }
        let now = self.now();
        let fallback =
            known(&self.values, "server_uri").or_else(|| known(&self.values, "lookup_uri"));
        let Some(conn) = self.conns.get_mut(at) else {
            return Err(Trouble::NoDialog);
        };
        let mut draft = if in_dialog {
            let dialog = conn.dialog.ok_or(Trouble::NoDialog)?;
            conn.agent
                .draft(dialog, method)
                .map_err(|_| Trouble::NoDialog)?
        } else {
            let to = uri.clone().or(fallback).unwrap_or_default();
            let to = Uri::parse(&to).map_err(|e| Trouble::Scenario(format!("{to}: {e}")))?;
            conn.agent.draft_outside(method, &to)
        };
        if let Some(uri) = &uri {
            draft.builder = draft
                .builder
                .set_start(format!("{method} {uri} SIP/2.0").into_bytes());
        }
        if let Some(body) = body {
            draft.builder = if method == "INFO" {
                draft.builder.content("text/plain", body)
            } else {
                draft.builder.body(body)
            };
        }
        for (name, value) in changes {
            draft.builder = match value {
                Some(value) => draft.builder.set(&name, value),
                None => draft.builder.remove(&name),
            };
        }
        if let Ok(message) = draft.builder.message()
            && let (Ok(call_id), Ok(cseq)) = (message.call_id(), message.cseq())
        {
            named.requests.push((call_id, cseq.seq));
        }
        let mut actions = Vec::new();
        conn.agent.send_draft(now, draft, &mut actions);
        self.perform(at, actions, intent);
        Ok(())
    }
}

/// Why a message could not be sent.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The scenario asks for something impossible.
    Scenario(String),
    /// A value it needs is not there.
    NoValue(NoValue),
    /// There is no dialog to send in.
    NoDialog,
}

impl From<NoValue> for Trouble {
    fn from(why: NoValue) -> Trouble {
        Trouble::NoValue(why)
    }
}

fn read_id(envid: u64, element: &Element) -> Option<MsgId> {
    Some(MsgId {
        envid,
        seqid: element.get("seqid")?.trim().parse().ok()?,
    })
}

/// A SIP message written in YAML: line ends become CRLF in the head, the body stays as it is,
/// and `Content-Length: auto` becomes its length.
fn raw_sip(text: &str) -> Vec<u8> {
    let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
    let body = if body.is_empty() {
        ""
    } else {
        body.trim_end_matches('\n')
    };
    let mut out = String::new();
    for line in head.lines() {
        let line = line.trim_end_matches('\r');
        if line.eq_ignore_ascii_case("content-length: auto") {
            out.push_str(&format!("Content-Length: {}", body.len()));
        } else {
            out.push_str(line);
        }
        out.push_str("\r\n");
    }
    out.push_str("\r\n");
    out.push_str(body);
    out.into_bytes()
}

/// The id of the reply to a command (2.2.2.2.4).
pub(super) fn reply_id(command: &str) -> String {
    match command {
        "cmd:bcbydate" | "cmd:bcbystate" | "cmd:bcbymsg" => "rpl:bc".to_owned(),
        "cmd:getfutok" | "cmd:getfdtok" => "rpl:getftok".to_owned(),
        _ => command.replacen("cmd:", "rpl:", 1),
    }
}

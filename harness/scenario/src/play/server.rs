/*! The server's seat: the harness's own chat server, and a scenario's changes to it.

Takes the connections of a client under test and serves them with the chat
server model of `xccos`. A `serve` step puts itself in front of the model for
requests that fit it: holds, delays, drops, doubles or edits what the model
answers, or answers otherwise. Every envelope gets its number when it leaves, so
that numbers grow whatever a scenario does.
*/

use std::sync::Arc;
use std::time::Duration;

use peer::driver::Driver;
use serde_json::{Map, Value};
use sip::agent::{Accept, Action as SipAction, Agent, Answer, Event as SipEvent, Policy, TxId};
use sip::{Blank, DialogId};
use trace::Intent;
use xccos::payload::{Class, Element, Envelope, MsgId, Node};
use xccos::server::{EndpointId, Output, Server, Service};
use xccos::time::Now;

use super::link::{Link, Listener};
use super::matching::Matcher;
use super::player::{Flow, Later, Named, Player, Reach};
use super::sending::Trouble;
use super::wire::{address, transport};
use crate::plan::*;

/// What the server's seat needs.
pub struct Hosting {
    /// Takes the connections of the client under test.
    pub listener: Option<Box<dyn Listener>>,
    /// Drives it.
    pub driver: Option<Arc<dyn Driver>>,
    /// What every `sign_in` carries: `server`, `transport`, `ca`…
    pub sign_in: Map<String, Value>,
    /// Endpoints that sign in and are not connected yet.
    pub expecting: Vec<String>,
    /// The chat server behind the scenario.
    pub server: Server,
    /// Sessions that are up.
    sessions: Vec<Session>,
    /// Overrides, newest last.
    rules: Vec<Rule>,
    /// Deliveries that wait for `release`.
    held: Vec<(String, usize, Delivery)>,
    /// INFOs the model answers later.
    waiting: Vec<(EndpointId, usize, TxId)>,
}

impl Hosting {
    /// A seat with a chat server; nothing is connected.
    pub fn new(server: Server) -> Hosting {
        Hosting {
            listener: None,
            driver: None,
            sign_in: Map::new(),
            expecting: Vec::new(),
            server,
            sessions: Vec::new(),
            rules: Vec::new(),
            held: Vec::new(),
            waiting: Vec::new(),
        }
    }
}

/// A dialog of a client under test.
#[derive(Debug, Clone)]
struct Session {
    at: usize,
    dialog: DialogId,
    endpoint: EndpointId,
}

/// An active override.
#[derive(Debug, Clone)]
struct Rule {
    serve: Serve,
    left: Option<u32>,
}

/// What leaves in one INFO.
#[derive(Debug, Clone)]
pub(super) enum Delivery {
    /// Primitives; envelope and seqids get their numbers now.
    Primitives(DialogId, Vec<Element>, Intent),
    /// A body as it is.
    Body(DialogId, Vec<u8>, Intent),
}

impl Player<'_, '_> {
    fn hosting(&mut self) -> Option<&mut Hosting> {
        match &mut self.reach {
            Reach::Server(hosting) => Some(hosting),
            Reach::Client(_) => None,
        }
    }

    fn clock(&self) -> Now {
        Now::after(self.epoch, self.now())
    }

    /// Takes connections from now on.
    pub(super) fn host_start(&mut self) {
        let sender = self.sender.clone();
        let Some(mut listener) = self.hosting().and_then(|h| h.listener.take()) else {
            return;
        };
        tokio::spawn(async move {
            loop {
                let input = match listener.accept().await {
                    Ok(link) => super::link::Input::Accepted(link),
                    Err(error) => super::link::Input::Refused(error.0),
                };
                let over = matches!(input, super::link::Input::Refused(_));
                if sender.send(input).is_err() {
                    return;
                }
                if over {
                    // A failed handshake says something about one connection; the next may do better.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        });
    }

    /// A client connected.
    pub(super) fn accepted(&mut self, link: Link) {
        let (host, port) = address(&link.server);
        let config = sip::Config::server(transport(&link.transport), &host, port);
        let seed = sip::Ids::bits(&mut *self.values.ids.borrow_mut());
        let mut agent = Agent::server(config, Box::new(sip::Seeded::new(seed)));
        let mut endpoint = String::new();
        if let Some(hosting) = self.hosting() {
            for rule in &hosting.rules {
                if let What::Sip(SipPattern {
                    method: Some(method),
                    ..
                }) = &rule.serve.what
                {
                    agent.set_policy(method, Policy::Ask);
                }
            }
            if hosting.expecting.len() == 1 {
                endpoint = hosting.expecting.remove(0);
            }
        }
        let at = self.add(link, &endpoint, agent, Blank::Pings);
        if !endpoint.is_empty() {
            self.announce(at);
        }
    }

    /// Finds out whose connection it is, by who speaks first on it.
    pub(super) fn recognise(&mut self, at: usize, message: &sip::Message) {
        if self.conns.get(at).is_none_or(|c| !c.endpoint.is_empty()) {
            return;
        }
        let Ok(from) = message.from() else {
            return;
        };
        let fits = |player: &Self, name: &String| {
            player
                .scenario
                .endpoints
                .get(name)
                .and_then(|role| player.values.user(role))
                .and_then(|user| sip::Uri::parse(&user.uri).ok())
                .is_some_and(|uri| uri.same_user(&from.uri))
        };
        let expecting = self
            .hosting()
            .map(|h| h.expecting.clone())
            .unwrap_or_default();
        let unconnected = |player: &Self, name: &String| player.conn_of(name).is_none();
        let found = expecting
            .iter()
            .find(|name| fits(self, name))
            .or_else(|| {
                self.scenario
                    .endpoints
                    .keys()
                    .find(|name| fits(self, name) && unconnected(self, name))
            })
            .cloned();
        if let Some(name) = found {
            if let Some(hosting) = self.hosting() {
                hosting.expecting.retain(|n| *n != name);
            }
            if let Some(conn) = self.conns.get_mut(at) {
                conn.endpoint = name;
            }
        }
    }

    /// An agent of the server told something.
    pub(super) fn host_told(&mut self, at: usize, event: &SipEvent) {
        match event {
            SipEvent::Invited {
                dialog, request, ..
            } => self.invited(at, *dialog, request),
            SipEvent::Confirmed { dialog } => self.confirmed(at, *dialog),
            SipEvent::Info {
                dialog,
                tx,
                answered,
                request,
            } => self.informed(at, *dialog, *tx, *answered, request),
            SipEvent::Request {
                tx,
                answered: None,
                request,
                ..
            } => self.asked(at, *tx, request),
            SipEvent::Ended { dialog, .. } => self.session_over(at, *dialog),
            _ => {}
        }
    }

    fn session_over(&mut self, at: usize, dialog: DialogId) {
        let now = self.clock();
        let mut out = Vec::new();
        if let Some(hosting) = self.hosting() {
            let gone: Vec<EndpointId> = hosting
                .sessions
                .iter()
                .filter(|s| s.at == at && s.dialog == dialog)
                .map(|s| s.endpoint)
                .collect();
            hosting
                .sessions
                .retain(|s| !(s.at == at && s.dialog == dialog));
            for endpoint in gone {
                out.extend(hosting.server.disconnect(now, endpoint));
            }
        }
        self.outputs(out, None);
    }

    fn invited(&mut self, at: usize, dialog: DialogId, request: &sip::Message) {
        let now = self.now();
        let mut actions = Vec::new();
        if let Some(rule) = self.rule_for_sip(at, request) {
            let headers = self.headers(&rule.effect.headers);
            let Some(conn) = self.conns.get_mut(at) else {
                return;
            };
            if rule.effect.mute {
                return;
            }
            if rule.effect.close {
                self.close(at);
                return;
            }
            let done = match rule.effect.status {
                Some(status) if status >= 300 => {
                    let answer = Answer {
                        headers,
                        ..Answer::from(status)
                    };
                    conn.agent.reject(now, dialog, answer, &mut actions)
                }
                _ => {
                    let accept = Accept {
                        headers,
                        ..Accept::default()
                    };
                    conn.agent.accept(now, dialog, accept, &mut actions)
                }
            };
            let _ = done;
            self.perform(at, actions, intent_of(&rule));
            return;
        }
        let Some(conn) = self.conns.get_mut(at) else {
            return;
        };
        let _ = conn
            .agent
            .accept(now, dialog, Accept::default(), &mut actions);
        self.perform(at, actions, Intent::Plain);
    }

    fn confirmed(&mut self, at: usize, dialog: DialogId) {
        let now = self.clock();
        let Some((user, called)) = self.conns.get(at).and_then(|c| {
            let dialog = c.agent.dialog(dialog)?;
            Some((
                dialog.remote_uri().bare().to_string(),
                dialog.local_uri().clone(),
            ))
        }) else {
            return;
        };
        let lookup = self
            .values
            .target
            .lookup_uri
            .as_deref()
            .and_then(|uri| sip::Uri::parse(uri).ok())
            .is_some_and(|uri| uri.same_user(&called));
        let channel = self
            .values
            .target
            .server_uri
            .as_deref()
            .and_then(|uri| sip::Uri::parse(uri).ok())
            .is_some_and(|uri| uri.same_user(&called));
        let service = if lookup && !channel {
            Service::Lookup
        } else {
            Service::Channel
        };
        if let Some(hosting) = self.hosting() {
            let endpoint = hosting.server.connect(now, &user, service);
            hosting.sessions.push(Session {
                at,
                dialog,
                endpoint,
            });
        }
    }

    /// Another request whose answer is ours to give.
    fn asked(&mut self, at: usize, tx: TxId, request: &sip::Message) {
        let rule = self.rule_for_sip(at, request);
        let (status, headers, intent) = match &rule {
            Some(rule) if rule.effect.mute => return,
            Some(rule) => (
                rule.effect.status.unwrap_or(200),
                self.headers(&rule.effect.headers),
                intent_of(rule),
            ),
            None => (200, Vec::new(), Intent::Plain),
        };
        let answer = Answer {
            headers,
            ..Answer::from(status)
        };
        self.reply_sip(at, tx, answer, intent);
    }

    fn reply_sip(&mut self, at: usize, tx: TxId, answer: Answer, intent: Intent) {
        let now = self.now();
        let mut actions = Vec::new();
        if let Some(conn) = self.conns.get_mut(at) {
            let _ = conn.agent.answer(now, tx, answer, &mut actions);
        }
        self.perform(at, actions, intent);
    }

    /// An INFO arrived.
    fn informed(
        &mut self,
        at: usize,
        dialog: DialogId,
        tx: TxId,
        answered: Option<u16>,
        request: &sip::Message,
    ) {
        let now = self.clock();
        let matched = self.rule_for_body(at, request);
        let endpoint = self.hosting().and_then(|h| {
            h.sessions
                .iter()
                .find(|s| s.at == at && s.dialog == dialog)
                .map(|s| s.endpoint)
        });
        if let Some((rule, _)) = &matched {
            let effect = rule.effect.clone();
            let intent = intent_of(rule);
            if effect.close {
                self.close(at);
                return;
            }
            if let Some(status) = effect.status {
                let answer = Answer {
                    headers: self.headers(&effect.headers),
                    ..Answer::from(status)
                };
                if answered.is_none() {
                    self.reply_sip(at, tx, answer, intent);
                }
                return;
            }
            if effect.bye {
                if answered.is_none() {
                    self.reply_sip(at, tx, Answer::from(200), Intent::Plain);
                }
                self.bye(at, dialog);
                return;
            }
            if effect.mute {
                return;
            }
        }
        let outputs = match (endpoint, self.hosting()) {
            (Some(endpoint), Some(hosting)) => {
                hosting.server.receive(now, endpoint, request.body())
            }
            _ => Vec::new(),
        };
        let mut status = Some(200);
        let mut rest = Vec::new();
        for output in outputs {
            match output {
                Output::InfoStatus {
                    endpoint: e,
                    status: s,
                    ..
                } if Some(e) == endpoint => status = Some(s),
                Output::Hold { endpoint: e } if Some(e) == endpoint => status = None,
                other => rest.push(other),
            }
        }
        match status {
            Some(status) if answered.is_none() => {
                self.reply_sip(at, tx, Answer::from(status), Intent::Plain);
            }
            None => {
                if let (Some(endpoint), Some(hosting)) = (endpoint, self.hosting()) {
                    hosting.waiting.push((endpoint, at, tx));
                }
            }
            Some(_) => {}
        }
        self.outputs(rest, matched.map(|(rule, id)| (at, dialog, rule, id)));
    }

    fn bye(&mut self, at: usize, dialog: DialogId) {
        let now = self.now();
        let mut actions = Vec::new();
        if let Some(conn) = self.conns.get_mut(at) {
            let _ = conn.agent.bye(now, dialog, &mut actions);
        }
        self.perform(at, actions, Intent::Plain);
    }

    /// Hands out what the model wants sent; `matched` changes the answers to one request.
    fn outputs(
        &mut self,
        outputs: Vec<Output>,
        matched: Option<(usize, DialogId, Serve, Option<MsgId>)>,
    ) {
        if let Some((at, dialog, rule, id)) = &matched {
            let (at, dialog) = (*at, *dialog);
            self.request_values(*id);
            if !rule.effect.before.is_empty() {
                let primitives = self.build_list(at, &rule.effect.before, *id);
                self.deliver(
                    at,
                    Delivery::Primitives(dialog, primitives, intent_of(rule)),
                );
            }
            if let Some(list) = &rule.effect.reply {
                let primitives = self.build_list(at, list, *id);
                let delivery = Delivery::Primitives(dialog, primitives, intent_of(rule));
                self.dispatch(at, delivery, &rule.effect);
            }
            if let Some(text) = &rule.effect.body {
                let envid = self.next_envid(at);
                self.values.envid.set(envid);
                self.values.seqid.set(0);
                if let Ok(body) = self.eval(text) {
                    let delivery = Delivery::Body(dialog, body.into_bytes(), intent_of(rule));
                    self.dispatch(at, delivery, &rule.effect);
                }
            }
        }
        for output in outputs {
            match output {
                Output::Send { to, envelope } => {
                    for endpoint in to {
                        let session = self.hosting().and_then(|h| {
                            h.sessions.iter().find(|s| s.endpoint == endpoint).cloned()
                        });
                        let Some(session) = session else {
                            continue;
                        };
                        let primitives: Vec<Element> = envelope.root.elements().cloned().collect();
                        let ours = matched.as_ref().filter(|(at, dialog, ..)| {
                            *at == session.at && *dialog == session.dialog
                        });
                        match ours {
                            Some((_, _, rule, id)) => {
                                self.changed(&session, primitives, rule, *id);
                            }
                            None => {
                                let delivery =
                                    Delivery::Primitives(session.dialog, primitives, Intent::Plain);
                                self.deliver(session.at, delivery);
                            }
                        }
                    }
                }
                Output::InfoStatus {
                    endpoint, status, ..
                } => {
                    let waiting = self.hosting().and_then(|h| {
                        let i = h.waiting.iter().position(|(e, ..)| *e == endpoint)?;
                        Some(h.waiting.remove(i))
                    });
                    if let Some((_, at, tx)) = waiting {
                        self.reply_sip(at, tx, Answer::from(status), Intent::Plain);
                    }
                }
                Output::Hold { .. } => {}
                Output::HangUp { endpoint } => {
                    let session = self
                        .hosting()
                        .and_then(|h| h.sessions.iter().find(|s| s.endpoint == endpoint).cloned());
                    if let Some(session) = session {
                        self.bye(session.at, session.dialog);
                    }
                }
            }
        }
    }

    /// The model's answers to a request that an override is about.
    fn changed(
        &mut self,
        session: &Session,
        primitives: Vec<Element>,
        rule: &Serve,
        id: Option<MsgId>,
    ) {
        let answers = |e: &Element| {
            let named = e
                .first("commandid")
                .or_else(|| e.first("originatingMessageId"))
                .and_then(MsgId::read);
            id.is_none() || named == id
        };
        let (mut theirs, others): (Vec<Element>, Vec<Element>) =
            primitives.into_iter().partition(answers);
        let effect = &rule.effect;
        if effect.drop || effect.reply.is_some() || effect.body.is_some() {
            theirs.clear();
        }
        for (path, value) in &effect.edit {
            let value = match value {
                Some(text) => self.eval(text).ok(),
                None => None,
            };
            for element in &mut theirs {
                edit(element, path, value.as_deref());
            }
        }
        if !others.is_empty() {
            let delivery = Delivery::Primitives(session.dialog, others, Intent::Plain);
            self.deliver(session.at, delivery);
        }
        if !theirs.is_empty() {
            let intent = intent_of(rule);
            let delivery = Delivery::Primitives(session.dialog, theirs, intent);
            self.dispatch(session.at, delivery, effect);
        }
    }

    /// Sends now, later, on release, or twice.
    fn dispatch(&mut self, at: usize, delivery: Delivery, effect: &Effect) {
        if let Some(name) = &effect.hold {
            let entry = (name.clone(), at, delivery);
            if let Some(hosting) = self.hosting() {
                hosting.held.push(entry);
            }
            return;
        }
        if let Some(delay) = effect.delay {
            let due = self.now() + self.scaled(delay);
            self.schedule(due, Later::Serve(at, delivery));
            return;
        }
        if effect.twice {
            self.deliver(at, delivery.clone());
        }
        self.deliver(at, delivery);
    }

    fn next_envid(&mut self, at: usize) -> u64 {
        let endpoint = self
            .conns
            .get(at)
            .map(|c| c.endpoint.clone())
            .unwrap_or_default();
        let next = match self.envids.get(&endpoint) {
            Some(last) => last + 1,
            None => (sip::Ids::bits(&mut *self.values.ids.borrow_mut()) & 0x3fff_ffff) + 1,
        };
        self.envids.insert(endpoint, next);
        next
    }

    /// Sends an envelope of the harness's server.
    pub(super) fn deliver(&mut self, at: usize, delivery: Delivery) {
        let (dialog, body, intent) = match delivery {
            Delivery::Primitives(dialog, mut primitives, intent) => {
                if primitives.is_empty() {
                    return;
                }
                let envid = self.next_envid(at);
                let several = primitives.len() > 1;
                for (i, primitive) in primitives.iter_mut().enumerate() {
                    // An edited seqid is meant; without one, or among several, they count.
                    if intent == Intent::Plain && (several || primitive.get("seqid").is_none()) {
                        primitive.set("seqid", (i + 1).to_string());
                    }
                }
                (dialog, Envelope::new(envid, primitives).to_bytes(), intent)
            }
            Delivery::Body(dialog, body, intent) => (dialog, body, intent),
        };
        let now = self.now();
        let mut actions: Vec<SipAction> = Vec::new();
        if let Some(conn) = self.conns.get_mut(at)
            && let Ok(mut draft) = conn.agent.draft(dialog, "INFO")
        {
            draft.builder = draft.builder.content("text/plain", body);
            conn.agent.send_draft(now, draft, &mut actions);
        }
        self.perform(at, actions, intent);
    }

    pub(super) fn host_closed(&mut self, at: usize) {
        let now = self.clock();
        let mut out = Vec::new();
        if let Some(hosting) = self.hosting() {
            let gone: Vec<EndpointId> = hosting
                .sessions
                .iter()
                .filter(|s| s.at == at)
                .map(|s| s.endpoint)
                .collect();
            hosting.sessions.retain(|s| s.at != at);
            for endpoint in gone {
                out.extend(hosting.server.disconnect(now, endpoint));
            }
        }
        self.outputs(out, None);
    }

    pub(super) fn host_due(&self) -> Option<Duration> {
        match &self.reach {
            Reach::Server(hosting) => hosting.server.next_deadline(),
            Reach::Client(_) => None,
        }
    }

    pub(super) fn host_tick(&mut self) {
        let now = self.clock();
        let out = match self.hosting() {
            Some(hosting)
                if hosting
                    .server
                    .next_deadline()
                    .is_some_and(|d| d <= now.since) =>
            {
                hosting.server.tick(now)
            }
            _ => return,
        };
        self.outputs(out, None);
    }

    // ---- overrides ----

    pub(super) fn serve(&mut self, step: &Step, serve: &Serve) -> Flow {
        if let What::Sip(SipPattern {
            method: Some(method),
            ..
        }) = &serve.what
        {
            for conn in &mut self.conns {
                conn.agent.set_policy(method, Policy::Ask);
            }
        }
        let rule = Rule {
            serve: serve.clone(),
            left: serve.times,
        };
        match self.hosting() {
            Some(hosting) => {
                hosting.rules.push(rule);
                Flow::Next
            }
            None => self.cannot(step, "`serve` is for the server's seat"),
        }
    }

    pub(super) fn release(&mut self, name: &str) -> Flow {
        let mut due = Vec::new();
        if let Some(hosting) = self.hosting() {
            let (mine, rest): (Vec<_>, Vec<_>) =
                hosting.held.drain(..).partition(|(n, ..)| n == name);
            hosting.held = rest;
            due = mine;
        }
        for (_, at, delivery) in due {
            self.deliver(at, delivery);
        }
        Flow::Next
    }

    /// The newest override that fits, used up by one.
    fn use_rule(&mut self, fits: impl Fn(&Serve) -> bool) -> Option<Serve> {
        let hosting = self.hosting()?;
        let at = hosting.rules.iter().rposition(|r| fits(&r.serve))?;
        let rule = hosting.rules.get_mut(at)?;
        let serve = rule.serve.clone();
        if let Some(left) = &mut rule.left {
            *left -= 1;
            if *left == 0 {
                hosting.rules.remove(at);
            }
        }
        Some(serve)
    }

    fn rules_at(&mut self, at: usize) -> Vec<Serve> {
        let endpoint = self
            .conns
            .get(at)
            .map(|c| c.endpoint.clone())
            .unwrap_or_default();
        self.hosting()
            .map(|h| {
                h.rules
                    .iter()
                    .rev()
                    .map(|r| r.serve.clone())
                    .filter(|s| s.at.contains(&endpoint))
                    .collect()
            })
            .unwrap_or_default()
    }

    fn rule_for_sip(&mut self, at: usize, request: &sip::Message) -> Option<Serve> {
        self.tell_time();
        let now = self.wall();
        let found = self
            .rules_at(at)
            .into_iter()
            .find(|serve| match &serve.what {
                What::Sip(pattern) => Matcher::new(&self.values, now)
                    .sip(request, pattern)
                    .is_ok(),
                _ => false,
            })?;
        self.use_rule(|s| same(s, &found))
    }

    /// The override for what an INFO carries, and which of its primitives fitted.
    fn rule_for_body(
        &mut self,
        at: usize,
        request: &sip::Message,
    ) -> Option<(Serve, Option<MsgId>)> {
        self.tell_time();
        let now = self.wall();
        let document = Envelope::parse(request.body()).ok();
        let mut found = None;
        let mut kind = String::new();
        'rules: for serve in self.rules_at(at) {
            match &serve.what {
                What::Anything => {
                    let id = document
                        .as_ref()
                        .and_then(|d| d.primitives().next()?.msg_id());
                    found = Some((serve, id));
                    break;
                }
                What::Sip(pattern) => {
                    if Matcher::new(&self.values, now)
                        .sip(request, pattern)
                        .is_ok()
                    {
                        let id = document
                            .as_ref()
                            .and_then(|d| d.primitives().next()?.msg_id());
                        found = Some((serve, id));
                        break;
                    }
                }
                What::Primitive(pattern, _) => {
                    for primitive in document.iter().flat_map(|d| d.primitives()) {
                        let same_id = pattern.id.as_deref().is_none_or(|id| id == primitive.id());
                        if primitive.class == pattern.class
                            && same_id
                            && Matcher::new(&self.values, now)
                                .element(primitive.element, &pattern.pattern, "")
                                .is_ok()
                        {
                            found = Some((serve, primitive.msg_id()));
                            kind = primitive.id().to_owned();
                            break 'rules;
                        }
                    }
                }
                What::Closed | What::AnyOf(_) => {}
            }
        }
        let (serve, id) = found?;
        let serve = self.use_rule(|s| same(s, &serve))?;
        if let Some(name) = &serve.name {
            let named = Named {
                ids: id.into_iter().collect(),
                requests: Vec::new(),
                floor: self.recorder.seen.len().saturating_sub(1),
            };
            let reply = super::sending::reply_id(&kind);
            self.values.names.insert(format!("{name}.id"), kind);
            self.values.names.insert(format!("{name}.reply"), reply);
            self.remember(&name.clone(), named);
        }
        Some((serve, id))
    }

    fn request_values(&mut self, id: Option<MsgId>) {
        if let Some(id) = id {
            let names = &mut self.values.names;
            names.insert("request.envid".to_owned(), id.envid.to_string());
            names.insert("request.seqid".to_owned(), id.seqid.to_string());
        }
    }

    fn headers(&mut self, headers: &[(String, Option<Text>)]) -> Vec<(String, String)> {
        headers
            .iter()
            .filter_map(|(name, text)| Some((name.clone(), self.eval(text.as_ref()?).ok()?)))
            .collect()
    }

    /// Primitives a scenario replies with; replies and errors name the request unless they say otherwise.
    fn build_list(&mut self, at: usize, list: &[Primitive], id: Option<MsgId>) -> Vec<Element> {
        let endpoint = self
            .conns
            .get(at)
            .map(|c| c.endpoint.clone())
            .unwrap_or_default();
        self.values.seqid.set(0);
        self.tell_time();
        let mut out = Vec::new();
        for primitive in list {
            match &primitive.content {
                PrimitiveContent::Element {
                    class,
                    id: name,
                    element,
                } => {
                    let Ok(mut built) = self.primitive(&endpoint, *class, name, element) else {
                        continue;
                    };
                    if matches!(class, Class::Rpl | Class::Err) {
                        if built.first("resp").is_none() {
                            let (code, text) = match class {
                                Class::Rpl => ("200", "SUCCESS_OK"),
                                _ => ("500", "OPERATION_FAILED"),
                            };
                            let resp = Element::new("resp").with("code", code).text(text);
                            built.children.insert(0, Node::Element(resp));
                        }
                        if let (None, Some(id)) = (built.first("commandid"), id) {
                            built
                                .children
                                .insert(0, Node::Element(id.element("commandid")));
                        }
                    }
                    out.push(built);
                }
                PrimitiveContent::Xml(text) => {
                    if let Ok(text) = self.eval(text)
                        && let Ok(envelope) = Envelope::parse(
                            format!(
                                "<xccos xmlns=\"{}\">{text}</xccos>",
                                xccos::payload::CHAT_NS
                            )
                            .as_bytes(),
                        )
                    {
                        out.extend(envelope.root.elements().cloned());
                    }
                }
            }
        }
        out
    }
}

/// Whether two overrides are the same step.
fn same(a: &Serve, b: &Serve) -> bool {
    a.order == b.order
}

fn intent_of(rule: &Serve) -> Intent {
    match &rule.invalid {
        Some(how) => Intent::Deliberate(how.clone()),
        None => Intent::Plain,
    }
}

/// Sets or takes away what a path names: `@id`, `data/uib/@uri`, `resp/@code`, `data/chanib`.
fn edit(element: &mut Element, path: &str, value: Option<&str>) {
    match path.split_once('/') {
        Some((step, rest)) => {
            for child in element.elements_mut().filter(|c| c.name == step) {
                edit(child, rest, value);
            }
        }
        None => match path.strip_prefix('@') {
            Some(name) => match value {
                Some(value) => element.set(name, value),
                None => {
                    element.unset(name);
                }
            },
            None => match value {
                Some(value) => {
                    for child in element.elements_mut().filter(|c| c.name == path) {
                        child.children = vec![Node::Text(value.to_owned())];
                    }
                }
                None => element
                    .children
                    .retain(|n| !matches!(n, Node::Element(e) if e.name == path)),
            },
        },
    }
}

impl From<Trouble> for String {
    fn from(trouble: Trouble) -> String {
        match trouble {
            Trouble::Scenario(why) => why,
            Trouble::NoValue(why) => why.to_string(),
            Trouble::NoDialog => "there is no dialog".to_owned(),
        }
    }
}

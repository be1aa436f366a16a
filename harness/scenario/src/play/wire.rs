/*! Connections and the clock: opening, writing, waiting, what arrives.

Takes bytes and times; gives events to the recording, the agents and the steps
that wait. It never waits without a limit and knows no step.
*/

use std::collections::HashMap;
use std::time::Duration;

use judge::Unproven;
use sip::agent::{Action as SipAction, Agent, Ended, Event as SipEvent, Policy};
use sip::net::forecast::{Fate, Forecast};
use sip::{Blank, Frame, Framer, Limits};
use trace::{Conn as ConnId, Intent, Kind, Seat};

use super::link::{Input, Link, Output, start};
use super::player::{Conn, Flow, Later, Player, Reach};
use crate::plan::Fault;

/// Longest the end of a scenario waits for the answer to a BYE.
const FAREWELL: Duration = Duration::from_secs(1);

impl Player<'_, '_> {
    pub(super) fn conn_of(&self, endpoint: &str) -> Option<usize> {
        self.conns
            .iter()
            .rposition(|c| c.endpoint == endpoint && c.output.is_some())
    }

    /// The endpoint's connection, opened when there is none.
    pub(super) async fn connected(&mut self, endpoint: &str) -> Result<usize, Flow> {
        if let Some(at) = self.conn_of(endpoint) {
            return Ok(at);
        }
        let Reach::Client(connector) = &self.reach else {
            let why = format!("the client of `{endpoint}` is not connected");
            return Err(self.give_up(Unproven::Inconclusive(why)));
        };
        let connector = connector.clone();
        match connector.connect().await {
            Ok(link) => Ok(self.open(link, endpoint)),
            Err(error) => Err(self.give_up(Unproven::Environment(error.0))),
        }
    }

    pub(super) fn open(&mut self, link: Link, endpoint: &str) -> usize {
        let user = self
            .scenario
            .endpoints
            .get(endpoint)
            .and_then(|role| self.values.user(role))
            .cloned()
            .unwrap_or_default();
        let uri = sip::Uri::parse(&user.uri)
            .unwrap_or_else(|_| sip::Uri::sip("nobody", &self.values.target.domain));
        let (host, port) = address(&link.client);
        let mut config = sip::Config::client(uri, transport(&link.transport), &host, port);
        config.display = (!user.name.is_empty()).then(|| user.name.clone());
        let seed = sip::Ids::bits(&mut *self.values.ids.borrow_mut());
        config.epid = Some(format!("{:012x}", seed >> 16));
        let agent = Agent::client(config, Box::new(sip::Seeded::new(seed)));
        let at = self.add(link, endpoint, agent, Blank::Pongs);
        self.announce(at);
        at
    }

    /// Takes a connection over; it is recorded when it is announced.
    pub(super) fn add(&mut self, link: Link, endpoint: &str, agent: Agent, blank: Blank) -> usize {
        let id = self.conns.len() as ConnId;
        let output = start(id, link.stream, link.control, self.sender.clone());
        self.conns.push(Conn {
            id,
            endpoint: endpoint.to_owned(),
            agent,
            framer: Framer::new(Limits::default(), blank),
            output: Some(output),
            dialog: None,
            announced: false,
            link: (link.transport, link.client, link.server),
            delay: None,
            fragment: None,
            hold: None,
            faults: Vec::new(),
            forecast: Forecast::default(),
            requests: HashMap::new(),
        });
        self.conns.len() - 1
    }

    /// Records that a connection is up.
    pub(super) fn announce(&mut self, at: usize) {
        let now = self.now();
        if let Some(conn) = self.conns.get_mut(at)
            && !conn.announced
        {
            conn.announced = true;
            let endpoint = (!conn.endpoint.is_empty()).then(|| conn.endpoint.clone());
            let (transport, client, server) = conn.link.clone();
            let id = conn.id;
            self.recorder.record(
                now,
                id,
                Kind::Opened {
                    endpoint,
                    transport,
                    client,
                    server,
                },
            );
        }
    }

    /// Closes a connection from our side.
    pub(super) fn close(&mut self, at: usize) {
        let now = self.now();
        let harness = self.harness;
        let Some(conn) = self.conns.get_mut(at) else {
            return;
        };
        let Some(output) = conn.output.take() else {
            return;
        };
        let _ = output.send(Output::Close);
        conn.dialog = None;
        let (id, endpoint) = (conn.id, conn.endpoint.clone());
        let mut actions = Vec::new();
        conn.agent.closed(now, &mut actions);
        self.recorder.closed(
            now,
            id,
            &endpoint,
            Some(harness),
            "end of stream".to_owned(),
        );
        self.host_closed(at);
    }

    /// Does what an agent wants.
    pub(super) fn perform(&mut self, at: usize, actions: Vec<SipAction>, mut intent: Intent) {
        for action in actions {
            match action {
                SipAction::Send(bytes) => {
                    let intent = std::mem::take(&mut intent);
                    self.write(at, bytes, intent);
                }
                SipAction::Event(event) => self.told(at, event),
                SipAction::Close(_) => self.close(at),
            }
        }
    }

    /// Sends bytes now, or later when the connection is made slow.
    pub(super) fn write(&mut self, at: usize, bytes: Vec<u8>, intent: Intent) {
        match self.conns.get(at).and_then(|c| c.delay) {
            Some(delay) => {
                let due = self.now() + delay;
                self.schedule(due, Later::Write(at, bytes, intent));
            }
            None => self.write_now(at, bytes, intent),
        }
    }

    pub(super) fn schedule(&mut self, due: Duration, later: Later) {
        self.later_count += 1;
        self.later.insert((due, self.later_count), later);
    }

    pub(super) fn write_now(&mut self, at: usize, bytes: Vec<u8>, intent: Intent) {
        let now = self.now();
        let harness = self.harness;
        let Some(conn) = self.conns.get_mut(at) else {
            return;
        };
        let (id, fragment) = (conn.id, conn.fragment);
        let Some(output) = &conn.output else {
            return;
        };
        match &mut conn.hold {
            Some(held) => held.extend_from_slice(&bytes),
            None => {
                let _ = output.send(Output::Write(bytes.clone(), fragment));
            }
        }
        let (bytes, intent) = match conn.forecast.unit() {
            Fate::Whole => (bytes, intent),
            Fate::Twice => {
                let copy = Kind::Message {
                    from: harness,
                    bytes: bytes.clone(),
                    intent: Intent::Deliberate("fault duplicate".to_owned()),
                };
                self.recorder.record(now, id, copy);
                (bytes, intent)
            }
            Fate::Cut(n, fault) => {
                let part = bytes.get(..n).unwrap_or(&bytes).to_vec();
                (part, Intent::Deliberate(format!("fault {fault}")))
            }
            Fate::Lost(fault) => {
                let text = format!("fault {fault}: a message never left");
                self.recorder.record(now, id, Kind::Note { text });
                return;
            }
        };
        // What is no SIP message is recorded as such.
        let whole = sip::Message::parse(bytes.clone()).is_ok()
            || bytes.iter().all(|b| matches!(b, b'\r' | b'\n'));
        let kind = if whole {
            Kind::Message {
                from: harness,
                bytes,
                intent,
            }
        } else {
            let mut bytes = bytes;
            bytes.truncate(64 * 1024);
            let problem = match intent {
                Intent::Deliberate(how) => format!("deliberate: {how}"),
                Intent::Plain => "not a SIP message".to_owned(),
            };
            Kind::Garbage {
                from: harness,
                bytes,
                problem,
            }
        };
        self.recorder.record(now, id, kind);
    }

    // ---- what arrives ----

    /// Waits until something happened or `until` has come; gives whether it has.
    pub(super) async fn wait(&mut self, until: Duration) -> bool {
        self.due();
        if let Ok(input) = self.inputs.try_recv() {
            self.take(input);
            return false;
        }
        let now = self.now();
        if now >= until {
            return true;
        }
        let next = self.next_due().map_or(until, |due| due.min(until));
        let deadline = self.start + next;
        tokio::select! {
            biased;
            input = self.inputs.recv() => {
                if let Some(input) = input {
                    self.take(input);
                }
            }
            () = tokio::time::sleep_until(deadline) => {}
        }
        self.due();
        false
    }

    /// Takes what is there already.
    pub(super) fn drain(&mut self) {
        while let Ok(input) = self.inputs.try_recv() {
            self.take(input);
        }
        self.due();
    }

    pub(super) fn next_due(&self) -> Option<Duration> {
        let agents = self
            .conns
            .iter()
            .filter(|c| c.output.is_some())
            .filter_map(|c| c.agent.deadline());
        let later = self.later.keys().next().map(|(due, _)| *due);
        agents.chain(later).chain(self.host_due()).min()
    }

    /// Does what the clock asks for.
    pub(super) fn due(&mut self) {
        let now = self.now();
        while let Some(entry) = self.later.first_entry() {
            if entry.key().0 > now {
                break;
            }
            match entry.remove() {
                Later::Write(at, bytes, intent) => self.write_now(at, bytes, intent),
                Later::Serve(at, delivery) => self.deliver(at, delivery),
            }
        }
        for at in 0..self.conns.len() {
            let Some(conn) = self.conns.get_mut(at) else {
                continue;
            };
            if conn.output.is_some() && conn.agent.deadline().is_some_and(|d| d <= now) {
                let mut actions = Vec::new();
                conn.agent.tick(now, &mut actions);
                self.perform(at, actions, Intent::Plain);
            }
        }
        self.host_tick();
    }

    pub(super) fn take(&mut self, input: Input) {
        match input {
            Input::Bytes(id, bytes) => {
                let at = id as usize;
                let Some(conn) = self.conns.get_mut(at) else {
                    return;
                };
                if conn.output.is_none() {
                    return;
                }
                conn.framer.push(&bytes);
                while let Some(frame) = self.conns.get_mut(at).and_then(|c| c.framer.next()) {
                    self.frame(at, frame);
                }
            }
            Input::End(id, how) => self.ended(id as usize, how),
            Input::Accepted(link) => self.accepted(link),
            Input::Refused(why) => {
                let text = format!("a connection did not come about: {why}");
                let now = self.now();
                self.recorder.record(now, 0, Kind::Note { text });
            }
            Input::Answer(name, response) => self.driver_answer(&name, *response),
        }
    }

    pub(super) fn frame(&mut self, at: usize, frame: Frame) {
        let now = self.now();
        let target = self.harness.other();
        if let Frame::Message(message) = &frame {
            self.recognise(at, message);
        }
        self.announce(at);
        let Some(conn) = self.conns.get_mut(at) else {
            return;
        };
        let (id, endpoint) = (conn.id, conn.endpoint.clone());
        match &frame {
            Frame::Message(message) => {
                self.recorder.received(now, id, &endpoint, message);
            }
            Frame::KeepAlive { bytes, .. } => {
                self.recorder.record(
                    now,
                    id,
                    Kind::Message {
                        from: target,
                        bytes: bytes.clone(),
                        intent: Intent::Plain,
                    },
                );
            }
            Frame::Error(error) => {
                self.recorder.record(
                    now,
                    id,
                    Kind::Garbage {
                        from: target,
                        bytes: error.bytes.clone(),
                        problem: error.what.clone(),
                    },
                );
            }
        }
        let mut actions = Vec::new();
        if let Some(conn) = self.conns.get_mut(at) {
            let instead = conn.status_for(&frame);
            let usual = instead.as_ref().map(|(method, status)| {
                let usual = conn.agent.policy(method);
                conn.agent.set_policy(method, Policy::Status(*status));
                usual
            });
            conn.agent.receive(now, frame, &mut actions);
            if let (Some((method, _)), Some(usual)) = (instead, usual) {
                conn.agent.set_policy(&method, usual);
            }
        }
        self.perform(at, actions, Intent::Plain);
    }

    /// A connection was closed by the target, or broke.
    pub(super) fn ended(&mut self, at: usize, how: String) {
        let now = self.now();
        let target = self.harness.other();
        let Some(conn) = self.conns.get_mut(at) else {
            return;
        };
        if conn.output.is_none() {
            return;
        }
        if let Some(frame) = conn.framer.finish() {
            self.frame(at, frame);
        }
        let Some(conn) = self.conns.get_mut(at) else {
            return;
        };
        if conn.output.take().is_none() {
            return;
        }
        conn.dialog = None;
        // What a fault of ours ended is not the target's doing.
        let (by, how) = match conn.forecast.over() {
            Some(fault) => (self.harness, format!("fault {fault}")),
            None => (target, how),
        };
        let (id, endpoint) = (conn.id, conn.endpoint.clone());
        let mut actions = Vec::new();
        conn.agent.closed(now, &mut actions);
        for action in actions {
            if let SipAction::Event(event) = action {
                self.told(at, event);
            }
        }
        self.announce(at);
        self.recorder.closed(now, id, &endpoint, Some(by), how);
        self.host_closed(at);
    }

    /// An agent tells something.
    pub(super) fn told(&mut self, at: usize, event: SipEvent) {
        match &event {
            SipEvent::Established { dialog } | SipEvent::Confirmed { dialog } => {
                let dialog = *dialog;
                if let Some(conn) = self.conns.get_mut(at) {
                    conn.dialog = Some(dialog);
                }
                self.name_dialog(at);
            }
            SipEvent::Ended { dialog, .. } => {
                let dialog = *dialog;
                if let Some(conn) = self.conns.get_mut(at)
                    && conn.dialog == Some(dialog)
                {
                    conn.dialog = None;
                }
            }
            _ => {}
        }
        if self.harness == Seat::Server {
            self.host_told(at, &event);
        }
        if self.sip_events.len() < 10_000 {
            self.sip_events.push((at, event));
        }
    }

    /// Makes the parts of an endpoint's dialog known as `${alice.call_id}`.
    pub(super) fn name_dialog(&mut self, at: usize) {
        let Some(conn) = self.conns.get(at) else {
            return;
        };
        let Some(dialog) = conn.dialog.and_then(|d| conn.agent.dialog(d)) else {
            return;
        };
        let parts = [
            ("call_id", dialog.call_id().to_owned()),
            ("local_tag", dialog.local_tag().to_owned()),
            (
                "remote_tag",
                dialog.remote_tag().unwrap_or_default().to_owned(),
            ),
            ("local_uri", dialog.local_uri().to_string()),
            ("remote_uri", dialog.remote_uri().to_string()),
            ("target", dialog.target().to_string()),
        ];
        for (key, value) in parts {
            let name = format!("{}.{key}", conn.endpoint);
            self.values.names.insert(name, value);
        }
    }

    pub(super) fn fault(&mut self, fault: &Fault) -> Flow {
        for endpoint in &fault.at {
            let Some(at) = self.conn_of(endpoint) else {
                continue;
            };
            let Some(conn) = self.conns.get_mut(at) else {
                continue;
            };
            if let Some(delay) = fault.delay {
                conn.delay = (!delay.is_zero()).then_some(delay);
            }
            if let Some(piece) = fault.fragment {
                conn.fragment = (piece > 0).then_some(piece);
            }
            if let Some(mute) = fault.mute {
                let policy = if mute { Policy::Silent } else { Policy::Auto };
                for method in ["INFO", "BYE", "OPTIONS", "UPDATE"] {
                    conn.agent.set_policy(method, policy);
                }
            }
            if let Some(faults) = &fault.network {
                if let Some(output) = &conn.output {
                    let _ = output.send(Output::Network(faults.clone()));
                }
                conn.forecast = Forecast::new(faults);
                conn.faults.clone_from(faults);
                conn.requests.clear();
            }
            match fault.hold {
                Some(true) => conn.hold = Some(conn.hold.take().unwrap_or_default()),
                Some(false) => {
                    if let (Some(held), Some(output)) = (conn.hold.take(), &conn.output) {
                        let _ = output.send(Output::Write(held, conn.fragment));
                    }
                }
                None => {}
            }
        }
        Flow::Next
    }

    /// Ends what is still up, politely, with a limit on each wait.
    pub(super) async fn farewell(&mut self) {
        self.drain();
        if self.harness == Seat::Client {
            for at in 0..self.conns.len() {
                self.part(at).await;
            }
        }
        self.drivers_end().await;
        self.drain();
        for at in 0..self.conns.len() {
            self.close(at);
        }
    }

    /// Hangs up whatever a connection still has, and waits a little for the answers.
    pub(super) async fn part(&mut self, at: usize) {
        let now = self.now();
        let Some(conn) = self.conns.get_mut(at).filter(|c| c.output.is_some()) else {
            return;
        };
        conn.delay = None;
        if let (Some(held), Some(output)) = (conn.hold.take(), &conn.output) {
            let _ = output.send(Output::Write(held, None));
        }
        let dialogs: Vec<_> = conn.agent.dialogs().map(|d| d.id()).collect();
        let mut actions = Vec::new();
        for dialog in dialogs {
            let _ = conn.agent.bye(now, dialog, &mut actions);
        }
        self.perform(at, actions, Intent::Plain);
        loop {
            let busy = self
                .conns
                .get(at)
                .is_some_and(|c| c.output.is_some() && c.agent.unanswered() > 0);
            if !busy || self.wait(now + FAREWELL).await {
                return;
            }
        }
    }

    /// Takes the first event of an agent that `pick` knows what to do with.
    pub(super) fn pick<T>(
        &mut self,
        mut pick: impl FnMut(usize, &SipEvent) -> Option<T>,
    ) -> Option<T> {
        let mut found = None;
        let at = self.sip_events.iter().position(|(at, event)| {
            found = pick(*at, event);
            found.is_some()
        })?;
        self.sip_events.remove(at);
        found
    }
}

/// Why a dialog did not come about, in words.
pub(super) fn why_ended(why: &Ended) -> String {
    match why {
        Ended::Refused(status) => format!("it was answered {status}"),
        Ended::NoAnswer => "it was never answered".to_owned(),
        Ended::Disconnected => "the connection is gone".to_owned(),
        Ended::ByPeer => "the peer hung up".to_owned(),
        other => format!("it ended ({other:?})"),
    }
}

/// Host and port of an address; memory connections get a name that cannot be mistaken.
pub(super) fn address(text: &str) -> (String, u16) {
    match text.rsplit_once(':') {
        Some((host, port)) => (
            host.trim_matches(['[', ']']).to_owned(),
            port.parse().unwrap_or(5061),
        ),
        None => ("client.invalid".to_owned(), 5061),
    }
}

pub(super) fn transport(text: &str) -> sip::agent::Transport {
    if text.starts_with("tcp") {
        sip::agent::Transport::Tcp
    } else {
        sip::agent::Transport::Tls
    }
}

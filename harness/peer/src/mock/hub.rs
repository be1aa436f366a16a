/*! The server side of every connection at once, without sockets.

Takes frames, ends of connections and clock readings; gives bytes to write and
connections to close. One SIP agent a connection, one chat model behind them
all, and the recorder that sees each message before anything follows from it.
What the model says is its own; the hub only carries it: dialogs become
sessions, payloads become INFOs, and whatever SIP alone has to answer, the
agent answers.
*/

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use sip::agent::{Action, Agent, Answer, Config, Event, Policy, TxId};
use sip::net::Info;
use sip::net::fault::{Fault, status_for};
use sip::net::forecast::{Fate, Forecast};
use sip::{DialogId, Frame, FrameErrorKind, Seeded};
use trace::{Conn, Kind, Seat};
use xccos::defect::Carriage;
use xccos::time::Now;

use super::carriage::Distorter;
use super::model::{Call, Effect, InfoId, Model, Session, Taken};
use crate::recorder::Recorder;

/// INFOs of ours that a peer may leave unanswered before it is cut off.
const MOST_UNANSWERED: usize = 20_000;

/// Something for a connection to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wire {
    /// Write one whole message, or a keep-alive.
    Send(Conn, Vec<u8>),
    /// End it, and why.
    Close(Conn, String),
}

struct Line {
    agent: Agent,
    sessions: HashMap<DialogId, Session>,
    due: Option<Duration>,
    unanswered: usize,
    /// Requests so far by method, for faults that choose.
    requests: HashMap<String, u64>,
    /// What the faults make of what leaves.
    forecast: Forecast,
    carriage: Distorter,
}

/// See the module.
pub struct Hub {
    config: Config,
    seed: u64,
    faults: Vec<Fault>,
    carriage: Vec<Carriage>,
    model: Box<dyn Model>,
    recorder: Recorder,
    lines: HashMap<Conn, Line>,
    sessions: HashMap<Session, (Conn, DialogId)>,
    infos: HashMap<InfoId, (Conn, TxId)>,
    due: BTreeSet<(Duration, Conn)>,
    next_session: Session,
    next_info: InfoId,
}

impl Hub {
    /// A hub whose agents present themselves as `config` says and draw their tags from `seed`.
    pub fn new(
        config: Config,
        seed: u64,
        faults: Vec<Fault>,
        carriage: Vec<Carriage>,
        model: Box<dyn Model>,
        recorder: Recorder,
    ) -> Hub {
        Hub {
            config,
            seed,
            faults,
            carriage,
            model,
            recorder,
            lines: HashMap::new(),
            sessions: HashMap::new(),
            infos: HashMap::new(),
            due: BTreeSet::new(),
            next_session: 1,
            next_info: 1,
        }
    }

    /// The model, for those who want to look or to change the world.
    pub fn model(&mut self) -> &mut dyn Model {
        self.model.as_mut()
    }

    /// The faults from now on.
    pub fn set_faults(&mut self, faults: Vec<Fault>) {
        self.faults = faults;
    }

    /// The faults in force.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// How agents of connections to come present themselves.
    pub fn config_mut(&mut self) -> &mut Config {
        &mut self.config
    }

    /// Connections that are up.
    pub fn connections(&self) -> usize {
        self.lines.len()
    }

    /// Writes a remark into the recording.
    pub fn note(&mut self, now: Now, conn: Conn, text: impl Into<String>) {
        self.recorder.note(now.since, conn, text);
    }

    /// A connection came up.
    pub fn opened(&mut self, now: Now, conn: Conn, info: &Info) {
        let seed = self.seed ^ u64::from(conn).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut agent = Agent::server(self.config.clone(), Box::new(Seeded::new(seed)));
        if let Some(peer) = info.peer_addr {
            agent.set_peer(peer);
        }
        self.lines.insert(
            conn,
            Line {
                agent,
                sessions: HashMap::new(),
                due: None,
                unanswered: 0,
                requests: HashMap::new(),
                forecast: Forecast::new(&self.faults),
                carriage: Distorter::new(self.carriage.clone()),
            },
        );
        self.recorder.record(
            now.since,
            conn,
            Kind::Opened {
                endpoint: None,
                transport: info.transport.clone(),
                client: info.peer.clone(),
                server: info.local.clone(),
            },
        );
    }

    /// Something arrived on a connection.
    pub fn received(&mut self, now: Now, conn: Conn, frame: Frame, out: &mut Vec<Wire>) {
        match &frame {
            Frame::Message(message) => {
                self.recorder
                    .message(now.since, conn, Seat::Client, message.bytes());
            }
            Frame::KeepAlive { bytes, .. } => {
                self.recorder.message(now.since, conn, Seat::Client, bytes);
            }
            Frame::Error(error) => self.recorder.record(
                now.since,
                conn,
                Kind::Garbage {
                    from: Seat::Client,
                    bytes: error.bytes.clone(),
                    problem: error.what.clone(),
                },
            ),
        }
        let Some(line) = self.lines.get_mut(&conn) else {
            return;
        };
        // Then the stream is over already, and whoever read it says how.
        let over = matches!(&frame, Frame::Error(e) if e.kind == FrameErrorKind::HalfMessage);
        let status = status_of(&self.faults, line, &frame);
        let before = status.as_ref().map(|(method, status)| {
            let before = line.agent.policy(method);
            line.agent.set_policy(method, Policy::Status(*status));
            before
        });
        let mut actions = Vec::new();
        line.agent.receive(now.since, frame, &mut actions);
        if let (Some((method, _)), Some(before)) = (&status, before) {
            line.agent.set_policy(method, before);
        }
        if over {
            actions.retain(|action| !matches!(action, Action::Close(_)));
        }
        self.act(now, conn, actions, out);
    }

    /// A connection went down. `by` is who ended it, when that is known.
    pub fn closed(
        &mut self,
        now: Now,
        conn: Conn,
        by: Option<Seat>,
        how: &str,
        out: &mut Vec<Wire>,
    ) {
        let Some(mut line) = self.lines.remove(&conn) else {
            return;
        };
        self.recorder.record(
            now.since,
            conn,
            Kind::Closed {
                by,
                how: how.to_owned(),
            },
        );
        if let Some(due) = line.due {
            self.due.remove(&(due, conn));
        }
        let mut actions = Vec::new();
        line.agent.closed(now.since, &mut actions);
        self.infos.retain(|_, (c, _)| *c != conn);
        let mut effects = Vec::new();
        let mut gone: Vec<Session> = line.sessions.into_values().collect();
        gone.sort_unstable();
        for session in gone {
            self.sessions.remove(&session);
            self.model.down(now, session, &mut effects);
        }
        self.apply(now, effects, out);
    }

    /// When something is due though nothing arrives; call [`Hub::tick`] then.
    pub fn deadline(&self) -> Option<Duration> {
        let agents = self.due.first().map(|(due, _)| *due);
        agents.into_iter().chain(self.model.deadline()).min()
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Now, out: &mut Vec<Wire>) {
        while let Some(&(due, conn)) = self.due.first() {
            if due > now.since {
                break;
            }
            self.due.pop_first();
            let Some(line) = self.lines.get_mut(&conn) else {
                continue;
            };
            line.due = None;
            let mut actions = Vec::new();
            line.agent.tick(now.since, &mut actions);
            self.act(now, conn, actions, out);
            // A deadline that stays in the past would spin.
            if self.lines.get(&conn).and_then(|l| l.due) == Some(due) {
                break;
            }
        }
        if self.model.deadline().is_some_and(|due| due <= now.since) {
            let mut effects = Vec::new();
            self.model.tick(now, &mut effects);
            self.apply(now, effects, out);
        }
    }

    /// Says goodbye to everybody: BYE in every dialog.
    pub fn hang_up(&mut self, now: Now, out: &mut Vec<Wire>) {
        let mut sessions: Vec<Session> = self.sessions.keys().copied().collect();
        sessions.sort_unstable();
        let effects = sessions
            .into_iter()
            .map(|session| Effect::HangUp { session })
            .collect();
        self.apply(now, effects, out);
    }

    /// Lets the model act on its own (a world that changed, a test that posts).
    pub fn with_model<T>(
        &mut self,
        now: Now,
        out: &mut Vec<Wire>,
        act: impl FnOnce(&mut dyn Model, &mut Vec<Effect>) -> T,
    ) -> T {
        let mut effects = Vec::new();
        let given = act(self.model.as_mut(), &mut effects);
        self.apply(now, effects, out);
        given
    }

    /// Ends the recording.
    pub fn finish(&mut self, now: Now) {
        self.recorder.finish(now.since);
    }

    /// Does what an agent asks, and keeps its deadline in the calendar.
    fn act(&mut self, now: Now, conn: Conn, actions: Vec<Action>, out: &mut Vec<Wire>) {
        let mut effects = Vec::new();
        for action in actions {
            match action {
                Action::Send(bytes) => self.send(now, conn, bytes, out),
                Action::Close(why) => out.push(Wire::Close(conn, why)),
                Action::Event(event) => self.event(now, conn, event, &mut effects, out),
            }
        }
        self.reschedule(conn);
        self.apply(now, effects, out);
    }

    fn send(&mut self, now: Now, conn: Conn, bytes: Vec<u8>, out: &mut Vec<Wire>) {
        let Some(line) = self.lines.get_mut(&conn) else {
            return;
        };
        for bytes in line.carriage.distort(bytes) {
            let (since, us) = (now.since, Seat::Server);
            match line.forecast.unit() {
                Fate::Whole => self.recorder.message(since, conn, us, &bytes),
                Fate::Twice => {
                    self.recorder.message(since, conn, us, &bytes);
                    self.recorder
                        .deliberate(since, conn, us, &bytes, "fault duplicate");
                }
                Fate::Lost(fault) => {
                    let text = format!("fault {fault}: `{}` never left", first_line(&bytes));
                    self.recorder.note(since, conn, text);
                }
                Fate::Cut(n, fault) => {
                    let part = bytes.get(..n).unwrap_or(&bytes);
                    self.recorder
                        .deliberate(since, conn, us, part, &format!("fault {fault}"));
                }
            }
            out.push(Wire::Send(conn, bytes));
        }
    }

    fn reschedule(&mut self, conn: Conn) {
        let Some(line) = self.lines.get_mut(&conn) else {
            return;
        };
        let due = line.agent.deadline();
        if due != line.due {
            if let Some(old) = line.due {
                self.due.remove(&(old, conn));
            }
            if let Some(new) = due {
                self.due.insert((new, conn));
            }
            line.due = due;
        }
    }

    fn event(
        &mut self,
        now: Now,
        conn: Conn,
        event: Event,
        effects: &mut Vec<Effect>,
        out: &mut Vec<Wire>,
    ) {
        match event {
            Event::Invited {
                dialog, request, ..
            } => self.invited(now, conn, dialog, &request, out),
            Event::Confirmed { dialog } => {
                if let Some(session) = self.session(conn, dialog) {
                    self.model.up(now, session, effects);
                }
            }
            Event::Info {
                dialog,
                tx,
                answered: None,
                request,
            } => self.info(now, conn, dialog, tx, request.body(), effects, out),
            Event::Ended { dialog, .. } => {
                let session = self
                    .lines
                    .get_mut(&conn)
                    .and_then(|l| l.sessions.remove(&dialog));
                if let Some(session) = session {
                    self.sessions.remove(&session);
                    self.model.down(now, session, effects);
                }
            }
            Event::Answered {
                method,
                dialog,
                response,
                ..
            } => {
                if let (Some(line), "INFO") = (self.lines.get_mut(&conn), method.as_str()) {
                    line.unanswered = line.unanswered.saturating_sub(1);
                }
                let status = response.status().unwrap_or(0);
                if status >= 300
                    && let Some(session) = dialog.and_then(|d| self.session(conn, d))
                {
                    self.model.undelivered(now, session, Some(status), effects);
                }
            }
            Event::Unanswered { method, dialog, .. } => {
                if let (Some(line), "INFO") = (self.lines.get_mut(&conn), method.as_str()) {
                    line.unanswered = line.unanswered.saturating_sub(1);
                }
                if let Some(session) = dialog.and_then(|d| self.session(conn, d)) {
                    self.model.undelivered(now, session, None, effects);
                }
            }
            _ => {}
        }
    }

    fn session(&self, conn: Conn, dialog: DialogId) -> Option<Session> {
        self.lines.get(&conn)?.sessions.get(&dialog).copied()
    }

    fn invited(
        &mut self,
        now: Now,
        conn: Conn,
        dialog: DialogId,
        request: &sip::Message,
        out: &mut Vec<Wire>,
    ) {
        let Some(line) = self.lines.get_mut(&conn) else {
            return;
        };
        let session = self.next_session;
        let verdict = match (request.from(), request.uri(), request.to()) {
            (Ok(from), Ok(uri), Ok(to)) => self.model.invited(
                now,
                session,
                &Call {
                    conn,
                    user: format!("sip:{}", from.uri.address()),
                    name: from.display.clone(),
                    epid: from.epid().map(str::to_owned),
                    request_uri: format!("sip:{}", uri.address()),
                    to: format!("sip:{}", to.uri.address()),
                },
            ),
            _ => Err(400),
        };
        let mut actions = Vec::new();
        match verdict {
            Ok(()) => {
                self.next_session += 1;
                line.sessions.insert(dialog, session);
                self.sessions.insert(session, (conn, dialog));
                // Only a dialog that went away meanwhile makes this fail, and that was told.
                let _ = line
                    .agent
                    .accept(now.since, dialog, Default::default(), &mut actions);
            }
            Err(status) => {
                let _ = line
                    .agent
                    .reject(now.since, dialog, Answer::from(status), &mut actions);
            }
        }
        self.act(now, conn, actions, out);
    }

    #[expect(clippy::too_many_arguments, reason = "one INFO, taken apart once")]
    fn info(
        &mut self,
        now: Now,
        conn: Conn,
        dialog: DialogId,
        tx: TxId,
        body: &[u8],
        effects: &mut Vec<Effect>,
        out: &mut Vec<Wire>,
    ) {
        let info = self.next_info;
        self.next_info += 1;
        let mut follow = Vec::new();
        let session = self.session(conn, dialog);
        let taken = match session {
            Some(session) => self.model.payload(now, session, info, body, &mut follow),
            None => Taken::Answered(481),
        };
        let status = match taken {
            Taken::Answered(status) => Some(status),
            Taken::Later => {
                self.infos.insert(info, (conn, tx));
                None
            }
        };
        // The answer to the INFO leaves before anything that follows from it.
        if let Some(status) = status {
            let mut answer = Answer::from(status);
            if self
                .lines
                .get(&conn)
                .is_some_and(|l| l.carriage.replies_in_answer())
            {
                answer.body = take_reply(&mut follow, session);
            }
            self.answer(now, conn, tx, answer, out);
        }
        effects.extend(follow);
    }

    fn answer(
        &mut self,
        now: Now,
        conn: Conn,
        tx: TxId,
        answer: impl Into<Answer>,
        out: &mut Vec<Wire>,
    ) {
        let Some(line) = self.lines.get_mut(&conn) else {
            return;
        };
        let mut actions = Vec::new();
        let _ = line.agent.answer(now.since, tx, answer, &mut actions);
        self.act(now, conn, actions, out);
    }

    fn apply(&mut self, now: Now, effects: Vec<Effect>, out: &mut Vec<Wire>) {
        for effect in effects {
            match effect {
                Effect::Send { session, body } => {
                    let Some(&(conn, dialog)) = self.sessions.get(&session) else {
                        continue;
                    };
                    let Some(line) = self.lines.get_mut(&conn) else {
                        continue;
                    };
                    if line.unanswered >= MOST_UNANSWERED {
                        out.push(Wire::Close(
                            conn,
                            format!("the peer left {MOST_UNANSWERED} INFOs unanswered"),
                        ));
                        continue;
                    }
                    let mut actions = Vec::new();
                    // Only a dialog that is over makes this fail, and then nobody waits for it.
                    if line
                        .agent
                        .info(now.since, dialog, "text/plain", body, &mut actions)
                        .is_ok()
                    {
                        line.unanswered += 1;
                    }
                    self.act(now, conn, actions, out);
                }
                Effect::HangUp { session } => {
                    let Some(&(conn, dialog)) = self.sessions.get(&session) else {
                        continue;
                    };
                    let Some(line) = self.lines.get_mut(&conn) else {
                        continue;
                    };
                    let mut actions = Vec::new();
                    let _ = line.agent.bye(now.since, dialog, &mut actions);
                    self.act(now, conn, actions, out);
                }
                Effect::Answer { info, status } => {
                    if let Some((conn, tx)) = self.infos.remove(&info) {
                        self.answer(now, conn, tx, status, out);
                    }
                }
            }
        }
    }
}

/// The first payload that goes back to a session, as the body of an answer (a defect of the carrier).
fn take_reply(effects: &mut Vec<Effect>, to: Option<Session>) -> Option<(String, Vec<u8>)> {
    let at = effects
        .iter()
        .position(|e| matches!(e, Effect::Send { session, .. } if Some(*session) == to))?;
    match effects.remove(at) {
        Effect::Send { body, .. } => Some(("text/plain".to_owned(), body)),
        _ => None,
    }
}

/// The status a fault wants this request answered with, and its method.
fn status_of(faults: &[Fault], line: &mut Line, frame: &Frame) -> Option<(String, u16)> {
    let Frame::Message(message) = frame else {
        return None;
    };
    let method = message.method().filter(|_| !faults.is_empty())?;
    let count = line.requests.entry(method.to_owned()).or_default();
    *count += 1;
    let status = status_for(faults, method, *count)?;
    Some((method.to_owned(), status))
}

fn first_line(bytes: &[u8]) -> String {
    let end = bytes
        .iter()
        .position(|b| *b == b'\r')
        .unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end.min(200)]).into_owned()
}

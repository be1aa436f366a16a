/*! One endpoint of the reference client: SIP agent and client model in one, without I/O.

Takes bytes from the connection, requests and clock readings; gives bytes to
write and answers. Which SIP messages a client sends is decided here (INVITE
with the session description of the field, INFO as text/plain, BYE); how they
look is the agent's business, what is in them the model's.
*/

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use sip::agent::{Action, Agent, Draft, Ended, Event, Invite, Policy, RequestId};
use sip::{Blank, DialogId, Framer, Limits, Uri};
use xccos::client::faults::SipFault;
use xccos::client::{self, Answer, Client, Failure};
use xccos::time::Now;

/// What whoever runs an endpoint has to do or may want to know.
#[derive(Debug)]
pub enum Step {
    /// Write these bytes.
    Write(Vec<u8>),
    /// A request is done.
    Done {
        /// Its id.
        request: u64,
        /// How it ended.
        result: Result<Answer, Failure>,
    },
    /// Something that arrived was dropped or tolerated; for people.
    Remark(String),
    /// Close the connection.
    Close,
}

/// One endpoint of one user on one connection.
pub struct Endpoint {
    agent: Agent,
    client: Client,
    framer: Framer,
    /// Model's number and agent's of each dialog we opened.
    dialogs: Vec<(u32, DialogId)>,
    /// INFOs under way and the model's number of what they carry.
    sends: BTreeMap<RequestId, u64>,
    faults: Vec<SipFault>,
    steps: VecDeque<Step>,
}

impl Endpoint {
    /// With an agent and a model that have done nothing yet.
    pub fn new(agent: Agent, client: Client) -> Endpoint {
        let mut agent = agent;
        let faults = client.sip_faults();
        for fault in &faults {
            match *fault {
                SipFault::AnswersInfo(status) => agent.set_policy("INFO", Policy::Status(status)),
                SipFault::SilentOnInfo => agent.set_policy("INFO", Policy::Silent),
                _ => {}
            }
        }
        Endpoint {
            agent,
            client,
            faults,
            framer: Framer::new(Limits::default(), Blank::Pongs),
            dialogs: Vec::new(),
            sends: BTreeMap::new(),
            steps: VecDeque::new(),
        }
    }

    /// The model.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Whether every request we sent has its answer.
    pub fn is_quiet(&self) -> bool {
        self.agent.unanswered() == 0
    }

    /// Registers our contact (3261 10); the answer is not waited for.
    pub fn register(&mut self, now: Now, expires: u32) {
        let mut out = Vec::new();
        self.agent.register(now.since, expires, &mut out);
        self.obey(now, out);
    }

    /// Starts signing in.
    pub fn sign_in(&mut self, now: Now, request: u64) {
        self.client.sign_in(now, request);
        self.follow(now);
    }

    /// A user action.
    pub fn act(&mut self, now: Now, request: u64, action: client::Action) {
        self.client.act(now, request, action);
        self.follow(now);
    }

    /// Bytes arrived.
    pub fn receive(&mut self, now: Now, bytes: &[u8]) {
        self.framer.push(bytes);
        while let Some(frame) = self.framer.next() {
            let mut out = Vec::new();
            self.agent.receive(now.since, frame, &mut out);
            self.obey(now, out);
        }
    }

    /// The connection is gone.
    pub fn closed(&mut self, now: Now) {
        if let Some(frame) = self.framer.finish() {
            let mut out = Vec::new();
            self.agent.receive(now.since, frame, &mut out);
            self.obey(now, out);
        }
        // Before the agent counts its unanswered requests: the reason is the connection, not SIP.
        for (number, _) in std::mem::take(&mut self.dialogs) {
            self.client
                .dialog_failed(number, None, "the connection is gone");
            self.client.dialog_down(number, "the connection is gone");
        }
        let mut out = Vec::new();
        self.agent.closed(now.since, &mut out);
        self.obey(now, out);
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Now) {
        let mut out = Vec::new();
        if self.agent.deadline().is_some_and(|d| d <= now.since) {
            self.agent.tick(now.since, &mut out);
        }
        self.client.tick(now);
        self.obey(now, out);
    }

    /// When [`Endpoint::tick`] has work next.
    pub fn deadline(&self) -> Option<Duration> {
        let deadlines = [self.agent.deadline(), self.client.deadline()];
        deadlines.into_iter().flatten().min()
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Step> {
        self.steps.pop_front()
    }

    /// Carries out what the agent wants, then what the model makes of it.
    fn obey(&mut self, now: Now, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Send(bytes) => self.write(bytes),
                Action::Close(why) => {
                    self.steps.push_back(Step::Remark(why));
                    self.steps.push_back(Step::Close);
                }
                Action::Event(event) => self.event(now, event),
            }
            // In order: the 200 to an INFO goes out before what its body sets off.
            self.follow(now);
        }
        self.follow(now);
    }

    fn event(&mut self, now: Now, event: Event) {
        match event {
            Event::Established { dialog } => {
                if let Some(number) = self.number(dialog) {
                    self.client.dialog_up(now, number);
                }
            }
            Event::Info { request, .. } => self.client.info(now, request.body()),
            Event::Answered {
                request, response, ..
            } => {
                let status = response.status().map(u32::from);
                if let Some(send) = self.sends.remove(&request)
                    && !status.is_some_and(|s| (200..300).contains(&s))
                {
                    let why = format!("the INFO was answered {}", response.start_line());
                    self.client.info_failed(now, send, status, &why);
                }
            }
            Event::Unanswered { request, after, .. } => {
                if let Some(send) = self.sends.remove(&request) {
                    let why = format!("no answer to the INFO within {after:?}");
                    self.client.info_failed(now, send, None, &why);
                }
            }
            Event::Ended { dialog, why } => {
                let Some(number) = self.number(dialog) else {
                    return;
                };
                self.dialogs.retain(|(n, _)| *n != number);
                match why {
                    Ended::Refused(status) => {
                        let words = format!("the INVITE was refused with {status}");
                        self.client
                            .dialog_failed(number, Some(status.into()), &words);
                    }
                    Ended::NoAnswer => {
                        self.client
                            .dialog_failed(number, None, "no answer to the INVITE");
                    }
                    why => {
                        let words = format!("the dialog ended: {why:?}");
                        self.client.dialog_failed(number, None, &words);
                        self.client.dialog_down(number, &words);
                    }
                }
            }
            Event::Remark(remark) => {
                let words = format!("{}: {}", remark.code, remark.text);
                self.steps.push_back(Step::Remark(words));
            }
            Event::Broken(error) => {
                self.steps.push_back(Step::Remark(error.what));
            }
            _ => {}
        }
    }

    /// Carries out what the model wants.
    fn follow(&mut self, now: Now) {
        while let Some(output) = self.client.poll() {
            let mut out = Vec::new();
            match output {
                client::Output::Dial { dialog, uri } => match Uri::parse(&uri) {
                    Ok(target) => {
                        let (id, mut draft) = self.agent.invite_draft(&target, Invite::default());
                        self.spoil(&mut draft);
                        self.agent.send_draft(now.since, draft, &mut out);
                        self.dialogs.push((dialog, id));
                    }
                    Err(error) => {
                        let words = format!("{uri:?} cannot be dialled: {}", error.what);
                        self.client.dialog_failed(dialog, None, &words);
                    }
                },
                client::Output::HangUp { dialog } => {
                    if let Some(id) = self.agent_id(dialog)
                        && self.agent.bye(now.since, id, &mut out).is_err()
                    {
                        self.steps
                            .push_back(Step::Remark("nothing to hang up".to_owned()));
                    }
                }
                client::Output::Send {
                    dialog,
                    send,
                    envelope,
                } => {
                    let sent = self.agent_id(dialog).map(|id| {
                        let mut draft = self
                            .agent
                            .draft(id, self.method())
                            .map_err(|e| e.to_string())?;
                        draft.builder = draft.builder.content("text/plain", envelope.to_bytes());
                        self.spoil(&mut draft);
                        Ok::<_, String>(self.agent.send_draft(now.since, draft, &mut out))
                    });
                    match sent {
                        Some(Ok(request)) => {
                            self.sends.insert(request, send);
                        }
                        Some(Err(why)) => self.client.info_failed(now, send, None, &why),
                        None => self
                            .client
                            .info_failed(now, send, None, "the dialog is gone"),
                    }
                }
                client::Output::Done { request, result } => {
                    self.steps.push_back(Step::Done { request, result });
                }
                client::Output::Dropped { step, detail } => {
                    let words = format!("dropped ({step:?}): {detail}");
                    self.steps.push_back(Step::Remark(words));
                }
            }
            // `out` holds what this output wrote and at most events of its own making.
            for action in out {
                match action {
                    Action::Send(bytes) => self.write(bytes),
                    Action::Close(_) => self.steps.push_back(Step::Close),
                    Action::Event(event) => self.event(now, event),
                }
            }
        }
    }

    fn write(&mut self, bytes: Vec<u8>) {
        if !(bytes.starts_with(b"ACK ") && self.faults.contains(&SipFault::NoAck)) {
            self.steps.push_back(Step::Write(bytes));
        }
    }

    /// In what payloads travel.
    fn method(&self) -> &'static str {
        self.faults
            .iter()
            .find_map(|fault| match fault {
                SipFault::Method(method) => Some(*method),
                _ => None,
            })
            .unwrap_or("INFO")
    }

    /// Makes a request what a faulty client makes of it.
    fn spoil(&self, draft: &mut Draft) {
        let invite = draft.method() == "INVITE";
        for fault in &self.faults {
            let builder = draft.builder.clone();
            draft.builder = match fault {
                SipFault::NoOffer if invite => builder.remove("Content-Type").body(Vec::new()),
                SipFault::FrozenCSeq if !invite => {
                    builder.set("CSeq", format!("1 {}", draft.method()))
                }
                SipFault::ForeignTag if !invite => {
                    let from = builder.get("From").map(String::from_utf8_lossy);
                    let from = from.unwrap_or_default().replace("tag=", "tag=x");
                    builder.set("From", from)
                }
                _ => builder,
            };
        }
    }

    fn number(&self, dialog: DialogId) -> Option<u32> {
        self.dialogs
            .iter()
            .find(|(_, id)| *id == dialog)
            .map(|(number, _)| *number)
    }

    fn agent_id(&self, number: u32) -> Option<DialogId> {
        self.dialogs
            .iter()
            .find(|(n, _)| *n == number)
            .map(|(_, id)| *id)
    }
}

/*! The chat server model behind the hub.

Takes sessions and payloads, hands them to [`Server`], and turns its outputs
into effects. A session becomes an endpoint when its dialog is confirmed. The
two addresses of the world are two services: the lookup URI and the channel
server's. Whoever calls another address gets 404, whoever is not in the world
403.
*/

use std::any::Any;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use xccos::server::{EndpointId, Output, Server, Service};
use xccos::time::Now;

use super::model::{Call, Effect, InfoId, Model, Session, Taken};

/// See the module.
pub struct Chat {
    server: Server,
    sessions: HashMap<Session, Caller>,
    endpoints: HashMap<EndpointId, Session>,
}

struct Caller {
    user: String,
    service: Service,
    endpoint: Option<EndpointId>,
    /// INFOs that are not answered yet, oldest first.
    held: VecDeque<InfoId>,
}

impl Chat {
    /// A chat server with this model.
    pub fn new(server: Server) -> Chat {
        Chat {
            server,
            sessions: HashMap::new(),
            endpoints: HashMap::new(),
        }
    }

    /// The model.
    pub fn server(&mut self) -> &mut Server {
        &mut self.server
    }

    /// Turns what the model wants into effects; gives what becomes of the INFO `info` of `session` if one is at hand.
    pub fn carry(
        &mut self,
        outputs: Vec<Output>,
        current: Option<(Session, InfoId)>,
        out: &mut Vec<Effect>,
    ) -> Taken {
        let mut taken = Taken::Answered(200);
        for output in outputs {
            match output {
                Output::Send { to, envelope } => {
                    let body = envelope.to_bytes();
                    out.extend(to.iter().filter_map(|endpoint| {
                        Some(Effect::Send {
                            session: *self.endpoints.get(endpoint)?,
                            body: body.clone(),
                        })
                    }));
                }
                Output::InfoStatus {
                    endpoint, status, ..
                } => {
                    let Some(&session) = self.endpoints.get(&endpoint) else {
                        continue;
                    };
                    if current.is_some_and(|(s, _)| s == session) {
                        taken = Taken::Answered(status);
                    } else if let Some(info) = self
                        .sessions
                        .get_mut(&session)
                        .and_then(|c| c.held.pop_front())
                    {
                        out.push(Effect::Answer { info, status });
                    }
                }
                Output::Hold { endpoint } => {
                    if let (Some((session, info)), Some(s)) =
                        (current, self.endpoints.get(&endpoint))
                        && *s == session
                        && let Some(caller) = self.sessions.get_mut(&session)
                    {
                        caller.held.push_back(info);
                        taken = Taken::Later;
                    }
                }
                Output::HangUp { endpoint } => {
                    if let Some(&session) = self.endpoints.get(&endpoint) {
                        out.push(Effect::HangUp { session });
                    }
                }
            }
        }
        taken
    }

    /// The endpoint of a session; made now if the client speaks before its ACK came.
    fn endpoint(&mut self, now: Now, session: Session) -> Option<EndpointId> {
        let caller = self.sessions.get_mut(&session)?;
        if let Some(endpoint) = caller.endpoint {
            return Some(endpoint);
        }
        let endpoint = self.server.connect(now, &caller.user, caller.service);
        caller.endpoint = Some(endpoint);
        self.endpoints.insert(endpoint, session);
        Some(endpoint)
    }
}

/// Whether two SIP URIs name the same address.
fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

impl Model for Chat {
    fn invited(&mut self, _: Now, session: Session, call: &Call) -> Result<(), u16> {
        let world = self.server.world();
        // A proxy may have retargeted the Request-URI, so To counts as well (RFC 3261 8.1.1.2).
        let called = |uri: &str| same(&call.to, uri) || same(&call.request_uri, uri);
        let service = if called(&world.server_uri) {
            Service::Channel
        } else if called(&world.lookup_uri) {
            Service::Lookup
        } else {
            return Err(404);
        };
        if !world.users.contains_key(&call.user.to_lowercase()) {
            return Err(403);
        }
        self.sessions.insert(
            session,
            Caller {
                user: call.user.clone(),
                service,
                endpoint: None,
                held: VecDeque::new(),
            },
        );
        Ok(())
    }

    fn up(&mut self, now: Now, session: Session, _: &mut Vec<Effect>) {
        self.endpoint(now, session);
    }

    fn payload(
        &mut self,
        now: Now,
        session: Session,
        info: InfoId,
        body: &[u8],
        out: &mut Vec<Effect>,
    ) -> Taken {
        let Some(endpoint) = self.endpoint(now, session) else {
            return Taken::Answered(481);
        };
        let outputs = self.server.receive(now, endpoint, body);
        self.carry(outputs, Some((session, info)), out)
    }

    fn undelivered(&mut self, _: Now, _: Session, _: Option<u16>, _: &mut Vec<Effect>) {}

    fn down(&mut self, now: Now, session: Session, out: &mut Vec<Effect>) {
        let endpoint = self
            .sessions
            .remove(&session)
            .and_then(|caller| caller.endpoint);
        if let Some(endpoint) = endpoint {
            self.endpoints.remove(&endpoint);
            let outputs = self.server.disconnect(now, endpoint);
            self.carry(outputs, None, out);
        }
    }

    fn deadline(&self) -> Option<Duration> {
        self.server.next_deadline()
    }

    fn tick(&mut self, now: Now, out: &mut Vec<Effect>) {
        let outputs = self.server.tick(now);
        self.carry(outputs, None, out);
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

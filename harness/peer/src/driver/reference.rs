/*! The reference client: our own client as a driver, in this process.

Several users sign in, each with an endpoint and a connection of its own. A
request names its user; without a name it is for the one who signed in last.
*/

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use sip::agent::{Agent, Config as AgentConfig, Transport};
use sip::{Ids, Seeded, Uri};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use xccos::client::faults::Fault;
use xccos::client::{Action, Check, Client, Config, Failure};
use xccos::schema::{self, Profile};

use super::connect::{Connect, Target};
use super::endpoint::Endpoint;
use super::follow::{follow, with_query};
use super::session::{self, Clock, Order};
use super::{Calling, Driver, Refusal, Request, Response};

/// How long `close` waits for the sessions to say good-bye.
const CLOSE: Duration = Duration::from_secs(3);

/// Parameters of `sign_in`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct SignIn {
    /// Name under which later requests find this endpoint; the URI when absent.
    pub user: Option<String>,
    /// SIP URI of the user.
    pub uri: String,
    /// Display name.
    #[serde(default)]
    pub name: String,
    /// `host:port`.
    pub server: String,
    /// `tls` (the default) or `tcp`.
    #[serde(default)]
    pub transport: Option<String>,
    /// Name in the server's certificate.
    pub server_name: Option<String>,
    /// CA file.
    pub ca: Option<PathBuf>,
    /// Certificate for mutual TLS.
    pub cert: Option<PathBuf>,
    /// Its key.
    pub key: Option<PathBuf>,
    /// No verification of the certificate.
    #[serde(default)]
    pub insecure: bool,
    /// Domain of the server; that of `uri` when absent.
    pub domain: Option<String>,
    /// Where to ask for the channel server.
    pub lookup_uri: Option<String>,
    /// The channel server, when known.
    pub server_uri: Option<String>,
    /// Factor on the client's timers.
    pub time_scale: Option<f64>,
    /// Whether to REGISTER first.
    #[serde(default)]
    pub register: bool,
    /// Base address of room management, as provisioning would give it.
    pub room_management_url: Option<String>,
}

/// What all endpoints of a driver have in common.
#[derive(Debug, Clone)]
pub struct Options {
    /// Seed of tags, branches, Call-IDs and envelope numbers.
    pub seed: u64,
    /// Calendar time at the start.
    pub wall: jiff::Timestamp,
    /// Whether invitations and associations are retrieved after connecting.
    pub retrieve: bool,
    /// What the client gets wrong on purpose.
    pub faults: Vec<Fault>,
}

impl Default for Options {
    /// Seed 1, the epoch, retrieval on, no faults: the same run every time.
    fn default() -> Options {
        Options {
            seed: 1,
            wall: jiff::Timestamp::UNIX_EPOCH,
            retrieve: true,
            faults: Vec::new(),
        }
    }
}

/// Told what endpoints tolerate and drop: the user, then words.
pub type Log = Arc<dyn Fn(&str, &str) + Send + Sync>;

/// The reference client.
pub struct Reference {
    options: Options,
    clock: Clock,
    connect: Box<dyn Connect>,
    log: Log,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    users: HashMap<String, mpsc::Sender<Order>>,
    /// The CA each user signed in with, for what follows over HTTPS.
    trust: HashMap<String, Option<PathBuf>>,
    latest: Option<String>,
    /// Who a request under way belongs to, for `cancel`.
    requests: HashMap<u64, String>,
    tasks: Vec<JoinHandle<()>>,
    endpoints: u64,
}

impl Reference {
    /// A client that opens its connections through `connect`. Must be made inside a tokio runtime.
    pub fn new(options: Options, connect: impl Connect + 'static) -> Reference {
        Reference {
            clock: Clock::start(options.wall),
            options,
            connect: Box::new(connect),
            log: Arc::new(|_, _| {}),
            state: Mutex::default(),
        }
    }

    /// Tells `log` what endpoints tolerate and drop.
    pub fn with_log(mut self, log: Log) -> Reference {
        self.log = log;
        self
    }

    async fn perform(&self, request: Request) -> Result<Value, Refusal> {
        if request.verb == "sign_in" {
            let sign_in: SignIn = read(Value::Object(request.params))?;
            return self.sign_in(request.id, sign_in).await;
        }
        let user = request.user().map(str::to_owned);
        let mut line = request.params;
        line.insert("do".to_owned(), request.verb.as_str().into());
        line.remove("user");
        if !VERBS.contains(&request.verb.as_str()) {
            let words = format!("this client does not know {:?}", request.verb);
            return Err(Refusal::new("unsupported", words));
        }
        let further = Further::take(&request.verb, &mut line);
        let action: Action = read(Value::Object(line))?;
        let (user, orders) = self.endpoint(user, &action)?;
        let (reply, answer) = oneshot::channel();
        self.lock().requests.insert(request.id, user.clone());
        let ends = matches!(action, Action::SignOut {});
        let order = Order::Act {
            request: request.id,
            action,
            reply,
        };
        let result = self.order(&orders, order, answer).await;
        let ca = {
            let mut state = self.lock();
            state.requests.remove(&request.id);
            if ends && result.is_ok() {
                state.users.remove(&user);
            }
            state.trust.get(&user).cloned().flatten()
        };
        match (result, further) {
            (Ok(result), Some(further)) => further.go(result, ca).await,
            (result, _) => result,
        }
    }

    async fn sign_in(&self, request: u64, sign_in: SignIn) -> Result<Value, Refusal> {
        let tls = match sign_in.transport.as_deref() {
            None | Some("tls") => true,
            Some("tcp") => false,
            Some(other) => {
                let words = format!("transport is tls or tcp, not {other:?}");
                return Err(Refusal::new("failed", words));
            }
        };
        let uri = Uri::parse(&sign_in.uri)
            .map_err(|e| Refusal::new("failed", format!("uri {:?}: {}", sign_in.uri, e.what)))?;
        let user = sign_in.user.clone().unwrap_or_else(|| sign_in.uri.clone());
        if let Some(orders) = self.lock().users.get(&user)
            && !orders.is_closed()
        {
            return Err(Refusal::new("failed", format!("{user} is signed in")));
        }
        let identity = match (&sign_in.cert, &sign_in.key) {
            (Some(cert), Some(key)) => Some((cert.clone(), key.clone())),
            (None, None) => None,
            _ => return Err(Refusal::new("failed", "cert and key belong together")),
        };
        let target = Target {
            server: sign_in.server.clone(),
            tls,
            server_name: sign_in.server_name.clone(),
            ca: sign_in.ca.clone(),
            identity,
            insecure: sign_in.insecure,
        };
        let opened = self.connect.connect(target).await.map_err(|why| {
            let words = format!("cannot connect to {}: {why}", sign_in.server);
            Refusal::new("disconnected", words)
        })?;
        let endpoint = self.build(&uri, &sign_in, tls, opened.info.local_addr);
        // More than a user can have under way at once; then the caller waits.
        let (orders, inbox) = mpsc::channel(64);
        let (log, name) = (self.log.clone(), user.clone());
        let task = tokio::spawn(session::run(
            endpoint,
            opened.stream,
            self.clock,
            inbox,
            move |words| log(&name, words),
        ));
        {
            let mut state = self.lock();
            state.users.insert(user.clone(), orders.clone());
            state.latest = Some(user.clone());
            state.trust.insert(user.clone(), sign_in.ca.clone());
            state.tasks.retain(|t| !t.is_finished());
            state.tasks.push(task);
            state.requests.insert(request, user.clone());
        }
        let (reply, answer) = oneshot::channel();
        let order = Order::SignIn {
            request,
            register: sign_in.register,
            reply,
        };
        let result = self.order(&orders, order, answer).await;
        let mut state = self.lock();
        state.requests.remove(&request);
        if result.is_err() {
            state.users.remove(&user);
        }
        result
    }

    fn build(&self, uri: &Uri, sign_in: &SignIn, tls: bool, local: Option<SocketAddr>) -> Endpoint {
        let number = {
            let mut state = self.lock();
            state.endpoints += 1;
            state.endpoints
        };
        let mut ids = Seeded::new(self.options.seed.wrapping_mul(0x1_0000_0001) ^ (number << 48));
        let scale = sign_in.time_scale.unwrap_or(1.0);
        let config = Config {
            name: sign_in.name.clone(),
            lookup_uri: sign_in.lookup_uri.clone(),
            server_uri: sign_in.server_uri.clone(),
            retrieve: self.options.retrieve,
            time_scale: scale,
            // Small enough that nobody's 32-bit counter overflows.
            first_envid: (ids.bits() & 0x3fff_ffff) + 1,
            management_url: sign_in.room_management_url.clone(),
            ..Config::new(
                uri.bare().to_string(),
                sign_in.domain.clone().unwrap_or_else(|| uri.host.clone()),
            )
        };
        let transport = if tls { Transport::Tls } else { Transport::Tcp };
        let (host, port) = match local {
            Some(SocketAddr::V6(a)) => (format!("[{}]", a.ip()), a.port()),
            Some(SocketAddr::V4(a)) => (a.ip().to_string(), a.port()),
            None => ("127.0.0.1".to_owned(), 5060),
        };
        let mut agent = AgentConfig::client(uri.clone(), transport, &host, port);
        agent.display = (!sign_in.name.is_empty()).then(|| sign_in.name.clone());
        agent.epid = Some(format!("{:012x}", ids.bits() & 0xffff_ffff_ffff));
        if scale.is_finite() && scale > 0.0 {
            agent.t1 = agent.t1.mul_f64(scale.clamp(0.001, 1_000.0));
        }
        let client =
            Client::new(config, Some(interop())).with_faults(self.options.faults.iter().copied());
        Endpoint::new(Agent::client(agent, Box::new(ids)), client)
    }

    /// Whose a request is.
    fn endpoint(
        &self,
        user: Option<String>,
        action: &Action,
    ) -> Result<(String, mpsc::Sender<Order>), Refusal> {
        let state = self.lock();
        let owner = match action {
            Action::Cancel { request } => state.requests.get(request).cloned(),
            _ => None,
        };
        let user = owner
            .or(user)
            .or_else(|| state.latest.clone())
            .ok_or_else(|| Refusal::new("not_signed_in", "nobody is signed in"))?;
        match state.users.get(&user) {
            Some(orders) => Ok((user, orders.clone())),
            None => Err(Refusal::new(
                "not_signed_in",
                format!("{user} is not signed in"),
            )),
        }
    }

    async fn order(
        &self,
        orders: &mpsc::Sender<Order>,
        order: Order,
        answer: oneshot::Receiver<Result<xccos::client::Answer, Failure>>,
    ) -> Result<Value, Refusal> {
        let gone = || Refusal::new("disconnected", "the connection is gone");
        orders.send(order).await.map_err(|_| gone())?;
        match answer.await {
            Ok(Ok(answer)) => Ok(serde_json::to_value(answer).unwrap_or_else(|_| json!({}))),
            Ok(Err(failure)) => Err(failure.into()),
            Err(_) => Err(gone()),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // Nothing is left half-done under the lock, so a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The check of 3.1.2.1.5 under the interop profile; under the printed schema every chat would have to be dropped.
fn interop() -> Check {
    Box::new(
        |body| match schema::validate(Profile::Interop, body).into_iter().next() {
            Some(violation) => Err(violation.to_string()),
            None => Ok(()),
        },
    )
}

/// What follows over HTTPS when it is asked for: `transfer` with a file token, `open` with an address.
struct Further {
    /// `file_token`: the room, and what to upload.
    file: Option<(String, Option<String>)>,
}

impl Further {
    /// Takes the parameters that are not the action's own.
    fn take(verb: &str, line: &mut serde_json::Map<String, Value>) -> Option<Further> {
        let text = |line: &serde_json::Map<String, Value>, name: &str| {
            Some(line.get(name)?.as_str()?.to_owned())
        };
        match verb {
            "file_token" => {
                let content = line.remove("content");
                let wanted = line.remove("transfer")? == true;
                let room = text(line, "room")?;
                let upload = text(line, "direction").as_deref() != Some("download");
                let content = content.and_then(|c| Some(c.as_str()?.to_owned()));
                let content = upload.then(|| content.unwrap_or_default());
                wanted.then_some(Further {
                    file: Some((room, content)),
                })
            }
            "room_management_url" => {
                let wanted = line.remove("open")? == true;
                wanted.then_some(Further { file: None })
            }
            _ => None,
        }
    }

    /// Makes the request; its status, and the content of a download, join the result.
    async fn go(self, mut result: Value, ca: Option<PathBuf>) -> Result<Value, Refusal> {
        let told = |name: &str| result.get(name).and_then(Value::as_str).unwrap_or_default();
        let answer = match &self.file {
            None => follow("GET", told("url"), b"", ca).await,
            Some((room, content)) => {
                let file = told("file_url");
                let parameters = [
                    ("token", told("token")),
                    ("channelUri", room),
                    ("fileUrl", file),
                ];
                let url = with_query(told("server_uri"), &parameters);
                match content {
                    Some(content) => follow("PUT", &url, content.as_bytes(), ca).await,
                    None => follow("GET", &url, b"", ca).await,
                }
            }
        };
        let answer = answer.map_err(|why| Refusal::new("failed", why))?;
        let download = self.file.is_some_and(|(_, content)| content.is_none());
        if let Some(result) = result.as_object_mut() {
            result.insert("status".to_owned(), answer.status.into());
            if download && answer.status == 200 {
                let content = String::from_utf8_lossy(&answer.body).into_owned();
                result.insert("content".to_owned(), content.into());
            }
        }
        Ok(result)
    }
}

/// The verbs of the upper-tester table, and `received`.
pub const VERBS: &[&str] = &[
    "sign_in",
    "join",
    "leave",
    "sign_out",
    "send",
    "history",
    "search_messages",
    "search_rooms",
    "invitations",
    "associations",
    "room_details",
    "room_permissions",
    "modify_room",
    "file_token",
    "preferences",
    "participants",
    "last_message_id",
    "room_management_url",
    "received",
    "cancel",
];

fn read<T: serde::de::DeserializeOwned>(params: Value) -> Result<T, Refusal> {
    serde_json::from_value(params).map_err(|e| Refusal::new("failed", e.to_string()))
}

impl Driver for Reference {
    fn call(&self, request: Request) -> Calling<'_> {
        Box::pin(async move {
            let id = request.id;
            if self.lock().requests.contains_key(&id) {
                let refusal = Refusal::new("failed", format!("request {id} is under way"));
                return Response::refused(Some(id), refusal);
            }
            match self.perform(request).await {
                Ok(result) => Response::ok(id, result),
                Err(refusal) => Response::refused(Some(id), refusal),
            }
        })
    }

    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            let tasks = {
                let mut state = self.lock();
                state.users.clear();
                std::mem::take(&mut state.tasks)
            };
            for mut task in tasks {
                if tokio::time::timeout(CLOSE, &mut task).await.is_err() {
                    task.abort();
                }
            }
        })
    }
}

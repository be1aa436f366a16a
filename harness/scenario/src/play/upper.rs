/*! The upper tester: what the user of a client under test does and is told.

Each action is a call to the driver that runs beside the player; its answer
comes back as an input like any other and is recorded.
*/

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use judge::{Place, Unproven};
use peer::driver::{Driver, Request, Response};
use serde_json::{Map, Value};
use trace::Kind;

use super::forms::span_text;
use super::link::Input;
use super::matching::{Matcher, Mismatch};
use super::player::{Flow, Player, Reach};
use super::recorder::SeenWhat;
use crate::lang::value::{Kind as Written, NoValue};
use crate::plan::*;

/// An action at a driver.
#[derive(Debug, Clone)]
pub(super) struct Act {
    /// Its number.
    pub id: u64,
    /// What it does.
    pub verb: String,
    /// Endpoint.
    pub endpoint: String,
    /// The event of the request.
    pub asked: u64,
    /// What it asks with.
    pub params: Map<String, Value>,
    /// The request, in lower case.
    pub text: String,
    /// Its answer, and the event that shows it.
    pub answer: Option<(Response, u64)>,
}

/// How long a client may take to do what a notice says, after it has answered it on the wire.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long to wait before a client is asked again.
const PAUSE: Duration = Duration::from_millis(100);

impl Player<'_, '_> {
    pub(super) async fn act(&mut self, step: &Step, act: &Do) -> Flow {
        let Reach::Server(hosting) = &self.reach else {
            return self.cannot(step, "`do` needs a client under test");
        };
        let Some(driver) = hosting.driver.clone() else {
            let why = "the target has no driver to act for its user".to_owned();
            return self.give_up(Unproven::Skip(why));
        };
        let mut params = match self.json_value(&act.arguments) {
            Ok(Value::Object(map)) => map,
            Ok(_) => Map::new(),
            Err(why) => return self.without(step, why),
        };
        params.insert("user".to_owned(), act.at.clone().into());
        if act.action == "sign_in" {
            self.sign_in(&act.at, &mut params);
        }
        if act.action == "cancel"
            && let Some(Value::String(name)) = params.get("request").cloned()
            && let Some(other) = self.acts.get(&name)
        {
            params.insert("request".to_owned(), other.id.into());
        }
        let name = act
            .name
            .clone()
            .unwrap_or_else(|| format!("#{}", self.next_act + 1));
        self.ask(&name, &act.at, &act.action, params, driver).await;
        let Some(within) = act.within else {
            return Flow::Next;
        };
        let until = self.now() + self.scaled(within);
        loop {
            if let Some(done) = self.acts.get(&name).and_then(|a| a.answer.clone()) {
                return self.after_act(&name, &done.0);
            }
            if self.unproven.is_some() {
                return Flow::Stop;
            }
            if self.wait(until).await {
                let why = format!(
                    "the client did not answer `{}` within {}",
                    act.action,
                    span_text(within)
                );
                return self.give_up(Unproven::Inconclusive(why));
            }
        }
    }

    /// Gives the driver a request, and its answer to whoever waits for `name`.
    async fn ask(
        &mut self,
        name: &str,
        endpoint: &str,
        verb: &str,
        params: Map<String, Value>,
        driver: Arc<dyn Driver>,
    ) {
        self.next_act += 1;
        let id = self.next_act;
        let request = Request {
            id,
            verb: verb.to_owned(),
            params: params.clone(),
        };
        let now = self.now();
        let text = request.to_json().to_string();
        let asked = self.recorder.record(
            now,
            0,
            Kind::Upper {
                endpoint: endpoint.to_owned(),
                command: true,
                text: text.clone(),
            },
        );
        self.acts.insert(
            name.to_owned(),
            Act {
                id,
                verb: verb.to_owned(),
                endpoint: endpoint.to_owned(),
                asked,
                text: text.to_ascii_lowercase(),
                params,
                answer: None,
            },
        );
        let sender = self.sender.clone();
        let tag = name.to_owned();
        let mut call = Box::pin(async move { driver.call(request).await });
        // Its line is written, or has its place in the queue, before the next step is played: tasks
        // of their own would run in any order.
        let begun = {
            let mut begin = std::pin::pin!(tokio::task::unconstrained(call.as_mut()));
            std::future::poll_fn(|context| Poll::Ready(begin.as_mut().poll(context))).await
        };
        match begun {
            Poll::Ready(response) => {
                let _ = sender.send(Input::Answer(tag, Box::new(response)));
            }
            Poll::Pending => {
                tokio::spawn(async move {
                    let response = call.await;
                    let _ = sender.send(Input::Answer(tag, Box::new(response)));
                });
            }
        }
    }

    /// Asks once more what the client takes to be so: it may answer a notice on the wire before it
    /// has done what the notice says.
    async fn ask_again(&mut self, name: &str) {
        let Reach::Server(hosting) = &self.reach else {
            return;
        };
        if let (Some(driver), Some(act)) = (hosting.driver.clone(), self.acts.get(name)) {
            let (endpoint, verb, params) =
                (act.endpoint.clone(), act.verb.clone(), act.params.clone());
            self.ask(name, &endpoint, &verb, params, driver).await;
        }
    }

    /// An action that was waited for has to have gone well; what cannot be done skips the scenario.
    fn after_act(&mut self, name: &str, response: &Response) -> Flow {
        let verb = self
            .acts
            .get(name)
            .map(|a| a.verb.clone())
            .unwrap_or_default();
        match &response.result {
            Ok(_) => Flow::Next,
            Err(refusal) if refusal.code == "unsupported" => {
                let capability = format!("do:{verb}");
                if self.values.target.supported.contains(&capability) {
                    let why = format!("the target declares `{capability}` and answers unsupported");
                    return self.give_up(Unproven::Inconclusive(why));
                }
                self.give_up(Unproven::Skip(format!("the client cannot `{verb}`")))
            }
            Err(refusal) => {
                let why = format!("`{verb}` went wrong: {} {}", refusal.code, refusal.message);
                if verb == "sign_in" && refusal.code == "disconnected" && self.conns.is_empty() {
                    // It died before it came to anything the harness could have caused.
                    return self.give_up(Unproven::Environment(why));
                }
                self.give_up(Unproven::Inconclusive(why))
            }
        }
    }

    /// What every `sign_in` carries besides what the step says.
    fn sign_in(&mut self, endpoint: &str, params: &mut Map<String, Value>) {
        let user = self
            .scenario
            .endpoints
            .get(endpoint)
            .and_then(|role| self.values.user(role))
            .cloned()
            .unwrap_or_default();
        let target = &self.values.target;
        let Reach::Server(hosting) = &mut self.reach else {
            return;
        };
        hosting.expecting.push(endpoint.to_owned());
        let mut add = |key: &str, value: Value| {
            params.entry(key.to_owned()).or_insert(value);
        };
        add("uri", user.uri.into());
        add("name", user.name.into());
        add("domain", target.domain.clone().into());
        if let Some(uri) = &target.lookup_uri {
            add("lookup_uri", uri.clone().into());
        }
        if let Some(uri) = &target.server_uri {
            add("server_uri", uri.clone().into());
        }
        // The driver multiplies its timers, the player divides its times.
        add("time_scale", (1.0 / self.time_scale).into());
        for (key, value) in &hosting.sign_in {
            add(key, value.clone());
        }
    }

    pub(super) fn driver_answer(&mut self, name: &str, response: Response) {
        let now = self.now();
        let endpoint = self
            .acts
            .get(name)
            .map(|a| a.endpoint.clone())
            .unwrap_or_default();
        let event = self.recorder.record(
            now,
            0,
            Kind::Upper {
                endpoint,
                command: false,
                text: response.to_json().to_string(),
            },
        );
        if let Some(act) = self.acts.get_mut(name) {
            act.answer = Some((response, event));
        }
    }

    pub(super) async fn answered(&mut self, step: &Step, wanted: &Answered) -> Flow {
        let limit = wanted.never.unwrap_or(wanted.within);
        let mut until = self.now() + self.scaled(limit);
        let mut patience = None;
        let (response, event) = loop {
            if let Some(answer) = self.acts.get(&wanted.to).and_then(|a| a.answer.clone()) {
                let state = self
                    .acts
                    .get(&wanted.to)
                    .is_some_and(|a| matches!(a.verb.as_str(), "participants" | "last_message_id"));
                let end = *patience.get_or_insert(self.now() + self.scaled(PATIENCE));
                let fits = self
                    .compare(
                        &answer.0,
                        wanted.ok,
                        wanted.result.as_ref(),
                        wanted.error.as_ref(),
                    )
                    .is_ok();
                if wanted.never.is_some() || !state || self.now() >= end || fits {
                    break answer;
                }
                let pause = self.now() + self.scaled(PAUSE);
                while !self.wait(pause).await {
                    if self.unproven.is_some() {
                        return Flow::Stop;
                    }
                }
                self.ask_again(&wanted.to).await;
                until = self.now() + self.scaled(limit);
                continue;
            }
            if self.unproven.is_some() {
                return Flow::Stop;
            }
            if self.wait(until).await {
                let last = self.recorder.last_event();
                let here = (step, step.span);
                if wanted.never.is_some() {
                    self.conclude(&wanted.decides, true, "", last, Place::default(), here);
                    return Flow::Next;
                }
                let message = format!(
                    "the client did not tell its user what became of `{}` within {}",
                    wanted.to,
                    span_text(limit)
                );
                if let Some(broken) = self.broken_request(&wanted.to) {
                    let why = format!("{message}; but the request itself broke {broken}");
                    return self.give_up(Unproven::Inconclusive(why));
                }
                self.conclude(
                    &wanted.decides,
                    false,
                    &message,
                    last,
                    Place::default(),
                    here,
                );
                if wanted.decides.is_empty() || self.sanity {
                    return self.give_up(Unproven::Inconclusive(message));
                }
                return Flow::Stop;
            }
        };
        if let Err(refusal) = &response.result
            && refusal.code == "unsupported"
        {
            return self.after_act(&wanted.to, &response);
        }
        let here = (step, step.span);
        if wanted.never.is_some() {
            let message = format!(
                "the client answered `{}`: {}",
                wanted.to,
                response.to_json()
            );
            self.conclude(
                &wanted.decides,
                false,
                &message,
                Some(event),
                Place::default(),
                here,
            );
            return Flow::Next;
        }
        let outcome = self.compare(
            &response,
            wanted.ok,
            wanted.result.as_ref(),
            wanted.error.as_ref(),
        );
        let lead = wanted
            .reason
            .as_ref()
            .map(|r| format!("{r}: "))
            .unwrap_or_default();
        match outcome {
            Ok(saved) => {
                self.values.names.extend(saved);
                self.conclude(
                    &wanted.decides,
                    true,
                    "",
                    Some(event),
                    Place::default(),
                    here,
                );
            }
            Err(mismatch) => {
                let message = format!("{lead}{} {}", mismatch.path, mismatch.message);
                if mismatch.missing {
                    return self.give_up(Unproven::Inconclusive(message));
                }
                if response.result.is_err()
                    && wanted.ok != Some(false)
                    && let Some(broken) = self.broken_request(&wanted.to)
                {
                    let why = format!("{message}; but the request itself broke {broken}");
                    return self.give_up(Unproven::Inconclusive(why));
                }
                self.conclude(
                    &wanted.decides,
                    false,
                    &message,
                    Some(event),
                    Place::default(),
                    here,
                );
                if wanted.decides.is_empty() || self.sanity {
                    return self.give_up(Unproven::Inconclusive(message));
                }
                return Flow::Stop;
            }
        }
        for check in &wanted.checks {
            let lead = check
                .reason
                .as_ref()
                .map(|r| format!("{r}: "))
                .unwrap_or_default();
            let outcome =
                self.compare(&response, None, check.result.as_ref(), check.error.as_ref());
            let (held, message) = match outcome {
                Err(mismatch) if mismatch.missing => {
                    self.doubt
                        .get_or_insert(format!("{lead}{}", mismatch.message));
                    continue;
                }
                Ok(saved) => {
                    self.values.names.extend(saved);
                    (true, String::new())
                }
                Err(mismatch) => (
                    false,
                    format!("{lead}{} {}", mismatch.path, mismatch.message),
                ),
            };
            self.conclude(
                &check.decides,
                held,
                &message,
                Some(event),
                Place::default(),
                here,
            );
        }
        Flow::Next
    }

    /// Whether an endpoint was asked to sign in and has not connected yet.
    pub(super) fn still_expected(&self, endpoint: &str) -> bool {
        let Reach::Server(hosting) = &self.reach else {
            return false;
        };
        // A connection whose user is not known yet may be this one.
        hosting.expecting.iter().any(|e| e == endpoint)
            && !self.conns.iter().any(|c| c.endpoint.is_empty())
    }

    /// Whether the driver said of an endpoint that it is gone.
    pub(super) fn driver_gone(&self, endpoint: &str) -> bool {
        self.acts.values().any(|act| {
            act.endpoint == endpoint
                && matches!(&act.answer, Some((response, _))
                    if response.result.as_ref().is_err_and(|e| e.code == "disconnected"))
        })
    }

    /// Whether a client joined rooms by itself (contracts: "is fine"): rooms of the target, before or
    /// beside what its user asked for. What it does for a later `join` is then its own business.
    pub(super) fn joins_by_itself(&self) -> bool {
        if self.harness != trace::Seat::Server {
            return false;
        }
        let guids: Vec<String> = self
            .values
            .target
            .rooms
            .values()
            .filter_map(|room| room.uri.rsplit('/').next().map(str::to_ascii_lowercase))
            .collect();
        self.recorder.seen.iter().any(|seen| {
            let SeenWhat::Message(_, Some(document)) = &seen.what else {
                return false;
            };
            let asked = |guid: &str| {
                self.acts.values().any(|act| {
                    act.verb == "join"
                        && act.endpoint == seen.endpoint
                        && act.asked < seen.event
                        && act.text.contains(guid)
                })
            };
            document
                .primitives()
                .filter(|p| matches!(p.id(), "cmd:join" | "cmd:bjoin"))
                .filter_map(|p| p.data())
                .flat_map(|data| data.all("chanid"))
                .filter_map(|chanid| chanid.get("value"))
                .flat_map(|value| value.split(','))
                .map(|guid| guid.trim().to_ascii_lowercase())
                .any(|guid| guids.contains(&guid) && !asked(&guid))
        })
    }

    /// What the rules found broken in what the client sent for an action: a request that nobody can
    /// understand has no good end, and that is one fault, not two.
    fn broken_request(&self, name: &str) -> Option<String> {
        let asked = self.acts.get(name)?.asked;
        self.recorder
            .broken_since(asked)
            .map(|f| f.requirement.clone())
    }

    fn compare(
        &self,
        response: &Response,
        ok: Option<bool>,
        result: Option<&JsonPattern>,
        error: Option<&JsonPattern>,
    ) -> Result<Vec<(String, String)>, Box<Mismatch>> {
        self.tell_time();
        let mut matcher = Matcher::new(&self.values, self.wall());
        let line = response.to_json();
        let differ = |message: String| {
            Box::new(Mismatch {
                path: "the answer".to_owned(),
                span: None,
                message,
                depth: 0,
                missing: false,
            })
        };
        if let Some(ok) = ok
            && response.result.is_ok() != ok
        {
            return Err(differ(match &response.result {
                Ok(_) => "is ok, wanted an error".to_owned(),
                Err(refusal) => format!(
                    "is the error {} ({}), wanted ok",
                    refusal.code, refusal.message
                ),
            }));
        }
        if let Some(pattern) = result {
            matcher.json(line.get("result"), pattern, "result")?;
        }
        if let Some(pattern) = error {
            matcher.json(line.get("error"), pattern, "error")?;
        }
        Ok(matcher.saved)
    }

    fn json_value(&self, json: &Json) -> Result<Value, NoValue> {
        Ok(match json {
            Json::Null => Value::Null,
            Json::Value(text) => {
                let value = self.eval(text)?;
                match text.kind {
                    Written::Bool => Value::Bool(value == "true"),
                    Written::Number => serde_json::from_str(&value).unwrap_or(Value::String(value)),
                    Written::Text => Value::String(value),
                }
            }
            Json::List(items) => Value::Array(
                items
                    .iter()
                    .map(|i| self.json_value(i))
                    .collect::<Result<_, _>>()?,
            ),
            Json::Map(entries) => {
                let mut map = Map::new();
                for (key, value) in entries {
                    map.insert(key.clone(), self.json_value(value)?);
                }
                Value::Object(map)
            }
        })
    }

    /// Ends the driver.
    pub(super) async fn drivers_end(&mut self) {
        let driver = match &mut self.reach {
            Reach::Server(hosting) => hosting.driver.take(),
            Reach::Client(_) => None,
        };
        if let Some(driver) = driver {
            let end = tokio::spawn(async move {
                let driver: Arc<dyn Driver> = driver;
                driver.close().await;
            });
            let limit = self.now() + Duration::from_secs(3);
            while !end.is_finished() {
                if self
                    .wait(limit.min(self.now() + Duration::from_millis(20)))
                    .await
                    && self.now() >= limit
                {
                    end.abort();
                    break;
                }
            }
        }
    }
}

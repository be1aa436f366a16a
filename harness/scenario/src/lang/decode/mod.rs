/*! Checked tree → plan: gives meaning to what fits the grammar.

Takes a scenario's tree with templates already put in place; gives its steps
and complains about everything the grammar cannot know: endpoints, users and
rooms that are not declared, names used before they are given, steps that a
seat cannot take. It goes on after a complaint, so that all of them come at once.
*/

mod acted;
mod expected;
mod names;
mod sent;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use xccos::payload::Class;

use super::check::{duration, is_primitive, is_test};
use super::diag::{Diagnostic, Source, Span};
use super::expand::Placed;
use super::grammar::ACTIONS;
use super::value::Text;
use super::yaml::{Node, Value};
use crate::plan::*;

/// Longest a scenario may take when it says nothing.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
/// How long an answer may take when the step says nothing: the reply timer (3.1.2.1.2).
const DEFAULT_WITHIN: Duration = Duration::from_secs(10);

/// Functions that texts may call.
const FUNCTIONS: &[&str] = &["seq", "env", "now", "guid", "repeat"];

/// Builds the plan of one scenario.
pub fn scenario(
    id: String,
    source: &Arc<Source>,
    root: &Node,
    steps: &[Placed],
    out: &mut Vec<Diagnostic>,
) -> Scenario {
    let line = root.get("title").map_or(1, |t| t.span.line);
    let target = match root.get("target").and_then(Node::text) {
        Some("client") => Target::Client,
        Some("both") => Target::Both,
        _ => Target::Server,
    };
    let needs = root.get("needs").map(needs).unwrap_or_default();
    let endpoints: IndexMap<String, String> = root
        .get("endpoints")
        .into_iter()
        .flat_map(Node::entries)
        .filter_map(|(k, v)| Some((k.text.clone(), v.get("user")?.text()?.to_owned())))
        .collect();
    if let Some(declared) = root.get("endpoints") {
        for (key, value) in declared.entries() {
            let user = value.get("user");
            if let Some(name) = user.and_then(Node::text)
                && !needs.users.iter().chain(&needs.disabled).any(|u| u == name)
            {
                let span = user.map_or(key.span, |u| u.span);
                out.push(
                    Diagnostic::error(
                        source,
                        span,
                        format!("user `{name}` is not among the users this scenario needs"),
                    )
                    .suggest(
                        name,
                        needs
                            .users
                            .iter()
                            .chain(&needs.disabled)
                            .map(String::as_str),
                    ),
                );
            }
        }
    }
    let mut decoder = Decoder {
        source: source.clone(),
        needs: &needs,
        endpoints: &endpoints,
        target,
        names: HashSet::new(),
        decides: Vec::new(),
        serves: 0,
        out,
    };
    let steps = decoder.steps(steps);
    let mut decides = decoder.decides;
    decides.sort();
    decides.dedup();
    Scenario {
        id,
        source: source.clone(),
        line,
        title: text_of(root, "title"),
        about: text_of(root, "about"),
        tags: texts(root.get("tags")),
        sections: texts(root.get("sections")),
        target,
        covers: texts(root.get("covers")),
        decides,
        needs: needs.clone(),
        endpoints: endpoints.clone(),
        timeout: root
            .get("timeout")
            .and_then(Node::text)
            .and_then(duration)
            .unwrap_or(DEFAULT_TIMEOUT),
        steps,
    }
}

fn text_of(node: &Node, key: &str) -> String {
    node.get(key)
        .and_then(Node::text)
        .unwrap_or_default()
        .to_owned()
}

fn texts(node: Option<&Node>) -> Vec<String> {
    node.map(Node::one_or_many)
        .unwrap_or_default()
        .iter()
        .filter_map(|n| n.text().map(str::to_owned))
        .collect()
}

fn needs(node: &Node) -> Needs {
    let mut rooms = IndexMap::new();
    if let Some(declared) = node.get("rooms") {
        for item in declared.items() {
            if let Some(name) = item.text() {
                rooms.insert(name.to_owned(), RoomNeed::default());
            }
        }
        for (key, need) in declared.entries() {
            let word = |k: &str| need.get(k).and_then(Node::text).map(str::to_owned);
            rooms.insert(
                key.text.clone(),
                RoomNeed {
                    members: texts(need.get("members")),
                    strangers: texts(need.get("strangers")),
                    managers: texts(need.get("managers")),
                    not_managers: texts(need.get("not_managers")),
                    presenters: texts(need.get("presenters")),
                    not_presenters: texts(need.get("not_presenters")),
                    behavior: word("behavior"),
                    visibility: word("visibility"),
                    disabled: need.get("disabled").is_some_and(Node::is_true),
                    invite: need.get("invite").is_some_and(Node::is_true),
                },
            );
        }
    }
    Needs {
        users: texts(node.get("users")),
        disabled: texts(node.get("disabled")),
        rooms,
        categories: texts(node.get("categories")),
        capabilities: texts(node.get("capabilities")),
    }
}

struct Decoder<'a> {
    source: Arc<Source>,
    needs: &'a Needs,
    endpoints: &'a IndexMap<String, String>,
    target: Target,
    /// Names given so far.
    names: HashSet<String>,
    decides: Vec<String>,
    serves: usize,
    out: &'a mut Vec<Diagnostic>,
}

impl Decoder<'_> {
    fn error(&mut self, span: Span, message: impl Into<String>) {
        let d = Diagnostic::error(&self.source, span, message);
        self.out.push(d);
    }

    /// Faults of the network, as `--fault` writes them.
    fn network(&mut self, node: &Node) -> Vec<sip::net::fault::Fault> {
        let mut faults = Vec::new();
        for item in node.one_or_many() {
            match item.text().unwrap_or_default().parse() {
                Ok(fault) => faults.push(fault),
                Err(why) => self.error(item.span, why),
            }
        }
        faults
    }

    fn steps(&mut self, steps: &[Placed]) -> Vec<Step> {
        steps.iter().filter_map(|s| self.step(s)).collect()
    }

    fn step(&mut self, placed: &Placed) -> Option<Step> {
        let outer = std::mem::replace(&mut self.source, placed.source.clone());
        let step = self.step_here(placed);
        self.source = outer;
        step
    }

    fn step_here(&mut self, placed: &Placed) -> Option<Step> {
        let node = &placed.node;
        let (key, value) = node
            .entries()
            .find(|(k, _)| !matches!(k.text.as_str(), "when" | "with"))?;
        let action = match key.text.as_str() {
            "connect" => Action::Connect(self.endpoints_of(value)),
            "drop" => Action::Drop(self.endpoints_of(value)),
            "register" => {
                let (from, record) = self.endpoints_or_record(value);
                Action::Register {
                    from,
                    expires: record
                        .and_then(|r| r.get("expires"))
                        .and_then(Node::text)
                        .and_then(|t| t.parse().ok())
                        .unwrap_or(3600),
                    status: self.status(record),
                    decides: self.decides_of(record),
                }
            }
            "hang_up" => {
                let (from, record) = self.endpoints_or_record(value);
                Action::HangUp {
                    from,
                    status: self.status(record),
                    decides: self.decides_of(record),
                }
            }
            "dial" => {
                let from = value
                    .get("from")
                    .map(|n| self.endpoints_of(n))
                    .unwrap_or_default();
                let to = match value.get("to").and_then(Node::text) {
                    Some("lookup") | None => DialTo::Lookup,
                    Some("server") => DialTo::Server,
                    Some(_) => DialTo::Uri(self.text(value.get("to")?)),
                };
                let save = value.get("save").and_then(|n| self.give(n));
                Action::Dial {
                    from,
                    to,
                    status: self.status(Some(value)),
                    within: self.within(value).unwrap_or(DEFAULT_WITHIN),
                    decides: self.decides_of(Some(value)),
                    save,
                }
            }
            "send" => Action::Send(Box::new(self.send(value)?)),
            "expect" => {
                let mut items = Vec::new();
                for item in value.one_or_many() {
                    self.expect(item, None, &mut items);
                }
                Action::Expect(items)
            }
            "never" => {
                let at = self.at(value);
                let what = self.what(value, key.span)?;
                Action::Never(Box::new(Never {
                    at,
                    window: value
                        .get("for")
                        .and_then(Node::text)
                        .and_then(duration)
                        .unwrap_or(Duration::from_millis(300)),
                    what,
                    answers: self.used(value, "answers"),
                    since: self.used(value, "since"),
                    decides: self.decides_of(Some(value)),
                    reason: self.plain(value, "reason"),
                }))
            }
            "sanity" => Action::Sanity(self.steps(&placed.inner)),
            "after" => Action::After(Arc::new(self.steps(&placed.inner))),
            "fault" => Action::Fault(Fault {
                network: value.get("network").map(|n| self.network(n)),
                at: self.at(value),
                delay: value.get("delay").and_then(Node::text).and_then(duration),
                fragment: integer(value, "fragment"),
                mute: truth(value, "mute"),
                hold: truth(value, "hold"),
            }),
            "serve" => self.serve(value, key.span)?,
            "release" => {
                let name = value.text()?.to_owned();
                if !self.names.contains(&name) {
                    self.error(
                        value.span,
                        format!("nothing is held as `{name}` before this step"),
                    );
                }
                Action::Release(name)
            }
            "do" => self.act(value, key.span)?,
            "answered" => Action::Answered(Box::new(self.answered(value)?)),
            "let" => {
                let mut pairs = Vec::new();
                for (key, value) in value.entries() {
                    pairs.push((key.text.clone(), self.text(value)));
                }
                self.names
                    .extend(pairs.iter().map(|(name, _)| name.clone()));
                Action::Let(pairs)
            }
            "note" => Action::Note(self.text(value)),
            _ => return None,
        };
        self.seat(&action, key.span);
        Some(Step {
            source: self.source.clone(),
            span: key.span,
            when: node
                .get("when")
                .map(Node::one_or_many)
                .unwrap_or_default()
                .iter()
                .filter_map(Node::text)
                .map(when)
                .collect(),
            action,
        })
    }

    /// Complains about steps that the scenario's seat cannot take.
    fn seat(&mut self, action: &Action, span: Span) {
        let wrong = match action {
            Action::Dial { .. } | Action::Register { .. } | Action::HangUp { .. }
                if self.target == Target::Client =>
            {
                "a client under test calls by itself: use `do: { sign_in }`"
            }
            Action::Serve(_) | Action::Release(_) if self.target == Target::Server => {
                "only the harness's own server can be told how to serve (target: client)"
            }
            Action::Do(_) | Action::Answered(_) if self.target == Target::Server => {
                "only a client under test has a user to act for (target: client)"
            }
            _ => return,
        };
        self.error(span, wrong);
    }
}

fn when(text: &str) -> When {
    let (text, wanted) = match text.trim().strip_prefix("not ") {
        Some(rest) => (rest.trim(), false),
        None => (text.trim(), true),
    };
    match (text, text.strip_prefix("known ")) {
        ("target client", _) => When::Target(trace::Seat::Client, wanted),
        ("target server", _) => When::Target(trace::Seat::Server, wanted),
        (_, Some(name)) => When::Known(name.trim().to_owned(), wanted),
        (_, None) => When::Capability(text.to_owned(), wanted),
    }
}

fn truth(node: &Node, key: &str) -> Option<bool> {
    match node.get(key)?.value {
        Value::Bool(b) => Some(b),
        _ => None,
    }
}

fn integer(node: &Node, key: &str) -> Option<usize> {
    node.get(key)?.text()?.parse().ok()
}

/// Class and id a key names: `cmd:join` → cmd, `cmd:join`; `rpl` → rpl, any.
fn primitive(key: &str) -> Option<(Class, Option<String>)> {
    if !is_primitive(key) {
        return None;
    }
    match key.split_once(':') {
        Some((class, _)) => Some((Class::of(class)?, Some(key.to_owned()))),
        None => Some((Class::of(key)?, None)),
    }
}

/*! Checked tree → plan: gives meaning to what fits the grammar.

Takes a scenario's tree with templates already put in place; gives its steps
and complains about everything the grammar cannot know: endpoints, users and
rooms that are not declared, names used before they are given, steps that a
seat cannot take. It goes on after a complaint, so that all of them come at once.
*/

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use xccos::payload::Class;

use super::check::{duration, is_primitive, is_test};
use super::diag::{Diagnostic, Source, Span};
use super::expand::Placed;
use super::grammar::ACTIONS;
use super::value::{Kind, Part, Text};
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
                    decides: self.decides_of(Some(value)),
                    reason: self.plain(value, "reason"),
                }))
            }
            "sanity" => Action::Sanity(self.steps(&placed.inner)),
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

    // ---- small parts ----

    fn endpoint(&mut self, node: &Node) -> Option<String> {
        let name = node.text()?;
        if !self.endpoints.contains_key(name) {
            let known: Vec<&str> = self.endpoints.keys().map(String::as_str).collect();
            let d = Diagnostic::error(
                &self.source,
                node.span,
                format!("there is no endpoint `{name}`"),
            );
            self.out.push(d.suggest(name, known));
            return None;
        }
        Some(name.to_owned())
    }

    fn endpoints_of(&mut self, node: &Node) -> Vec<String> {
        node.one_or_many()
            .iter()
            .filter_map(|n| self.endpoint(n))
            .collect()
    }

    fn at(&mut self, node: &Node) -> Vec<String> {
        node.get("at")
            .map(|n| self.endpoints_of(n))
            .unwrap_or_default()
    }

    fn endpoints_or_record<'n>(&mut self, value: &'n Node) -> (Vec<String>, Option<&'n Node>) {
        match value.get("from") {
            Some(from) => (self.endpoints_of(from), Some(value)),
            None => (self.endpoints_of(value), None),
        }
    }

    fn within(&self, node: &Node) -> Option<Duration> {
        node.get("within").and_then(Node::text).and_then(duration)
    }

    fn decides_of(&mut self, node: Option<&Node>) -> Vec<String> {
        let ids = texts(node.and_then(|n| n.get("decides")));
        self.decides.extend(ids.iter().cloned());
        ids
    }

    fn plain(&self, node: &Node, key: &str) -> Option<String> {
        node.get(key).and_then(Node::text).map(str::to_owned)
    }

    /// A name that this step gives.
    fn give(&mut self, node: &Node) -> Option<String> {
        let name = node.text()?.to_owned();
        self.names.insert(name.clone());
        Some(name)
    }

    /// A name that an earlier step gave.
    fn used(&mut self, node: &Node, key: &str) -> Option<String> {
        let node = node.get(key)?;
        let name = node.text()?.to_owned();
        if !self.names.contains(&name) {
            let d = Diagnostic::error(
                &self.source,
                node.span,
                format!("no step before this one is named `{name}`"),
            );
            let known: Vec<&str> = self.names.iter().map(String::as_str).collect();
            self.out.push(d.suggest(&name, known));
        }
        Some(name)
    }

    fn status(&mut self, node: Option<&Node>) -> Number {
        match node.and_then(|n| n.get("status")) {
            Some(node) => self.number(node),
            None => Number::Compare(Comparison::Equal, Text::literal("200")),
        }
    }

    /// A text with checked expressions.
    fn text(&mut self, node: &Node) -> Text {
        let (text, kind) = match &node.value {
            Value::Text(t) => (t.as_str(), Kind::Text),
            Value::Number(t) => (t.as_str(), Kind::Number),
            Value::Bool(true) => ("true", Kind::Bool),
            Value::Bool(false) => ("false", Kind::Bool),
            _ => ("", Kind::Text),
        };
        match Text::parse(text, node.span, kind) {
            Ok(text) => {
                for part in &text.parts {
                    self.known(part, node.span);
                }
                text
            }
            Err(message) => {
                self.error(node.span, message);
                Text::literal("")
            }
        }
    }

    /// Complains about an expression that nothing will give a value to.
    fn known(&mut self, part: &Part, span: Span) {
        let path = match part {
            Part::Literal(_) => return,
            Part::Call(name, _) => {
                if !FUNCTIONS.contains(&name.as_str()) {
                    let d = Diagnostic::error(
                        &self.source,
                        span,
                        format!("there is no function `{name}()`"),
                    );
                    self.out.push(d.suggest(name, FUNCTIONS.iter().copied()));
                }
                return;
            }
            Part::Path(path) => path,
        };
        let mut steps = path.split('.');
        let (root, second, third) = (
            steps.next().unwrap_or_default(),
            steps.next().unwrap_or_default(),
            steps.next().unwrap_or_default(),
        );
        let declared: Option<(&str, Vec<&str>)> = match root {
            "users" => Some((
                "users",
                self.needs
                    .users
                    .iter()
                    .chain(&self.needs.disabled)
                    .map(String::as_str)
                    .collect(),
            )),
            "rooms" => Some((
                "rooms",
                self.needs.rooms.keys().map(String::as_str).collect(),
            )),
            "categories" => Some((
                "categories",
                self.needs.categories.iter().map(String::as_str).collect(),
            )),
            _ => None,
        };
        if let Some((what, declared)) = declared {
            if !declared.contains(&second) {
                let d = Diagnostic::error(
                    &self.source,
                    span,
                    format!("`{second}` is not among the {what} this scenario needs"),
                );
                self.out.push(d.suggest(second, declared));
                return;
            }
            let fields: &[&str] = match what {
                "users" => &[
                    "uri", "name", "guid", "email", "company", "path", "disabled",
                ],
                "rooms" => &[
                    "uri",
                    "guid",
                    "domain",
                    "name",
                    "description",
                    "parent",
                    "behavior",
                    "visibility",
                    "invite",
                ],
                _ => &["uri", "guid", "domain", "name", "description"],
            };
            if !fields.contains(&third) {
                let d = Diagnostic::error(&self.source, span, format!("{what} have no `{third}`"));
                self.out.push(d.suggest(third, fields.iter().copied()));
            }
            return;
        }
        let ok = matches!(
            root,
            "domain" | "lookup_uri" | "server_uri" | "server_info" | "request"
        ) || root == "endpoint" && self.endpoints.contains_key(second)
            || self.names.contains(root)
            || self.endpoints.contains_key(root);
        if !ok {
            let d = Diagnostic::error(
                &self.source,
                span,
                format!("`{root}` has no value here: no step before this one gives it"),
            );
            let mut known: Vec<&str> = self.names.iter().map(String::as_str).collect();
            known.extend([
                "users",
                "rooms",
                "categories",
                "domain",
                "lookup_uri",
                "server_uri",
            ]);
            self.out.push(d.suggest(root, known));
        }
    }

    fn number(&mut self, node: &Node) -> Number {
        let Some(text) = node.text() else {
            return Number::Any;
        };
        let text = text.trim();
        if text == "any" {
            return Number::Any;
        }
        let operators = [
            (">=", Comparison::GreaterOrEqual),
            ("<=", Comparison::LessOrEqual),
            ("!=", Comparison::NotEqual),
            ("==", Comparison::Equal),
            (">", Comparison::Greater),
            ("<", Comparison::Less),
            ("=", Comparison::Equal),
        ];
        let (comparison, rest) = operators
            .iter()
            .find_map(|(sign, c)| Some((*c, text.strip_prefix(sign)?.trim())))
            .unwrap_or((Comparison::Equal, text));
        if rest.parse::<i128>().is_err() && !rest.contains("${") {
            self.error(
                node.span,
                format!("`{text}` compares with no number: write `any`, `3` or `\">= 3\"`"),
            );
        }
        let operand = Node {
            value: Value::Text(rest.to_owned()),
            span: node.span,
        };
        Number::Compare(comparison, self.text(&operand))
    }

    fn pairs(&mut self, node: Option<&Node>) -> Vec<(String, Option<Text>)> {
        let mut pairs = Vec::new();
        for (key, value) in node.into_iter().flat_map(Node::entries) {
            let text = (value.value != Value::Null).then(|| self.text(value));
            pairs.push((key.text.clone(), text));
        }
        pairs
    }

    // ---- what is sent ----

    fn build(&mut self, node: &Node) -> Build {
        let mut build = Build::default();
        if node.text().is_some() {
            build.text = Some(self.text(node));
            return build;
        }
        for (key, value) in node.entries() {
            if let Some(name) = key.text.strip_prefix('@') {
                let text = (value.value != Value::Null).then(|| self.text(value));
                build.attrs.push((name.to_owned(), text));
            } else if key.text == "text()" {
                build.text = Some(self.text(value));
            } else if value.value == Value::Null {
                build.children.push((key.text.clone(), Build::default()));
            } else {
                for item in value.one_or_many() {
                    let child = self.build(item);
                    build.children.push((key.text.clone(), child));
                }
            }
        }
        build
    }

    /// The primitives that a record names by its keys.
    fn primitives(&mut self, record: &Node) -> Vec<PrimitiveContent> {
        let mut contents = Vec::new();
        for (key, value) in record.entries() {
            if let Some((class, id)) = primitive(&key.text) {
                let element = self.build(value);
                contents.push(PrimitiveContent::Element {
                    class,
                    id: id.unwrap_or_else(|| default_id(class).to_owned()),
                    element,
                });
            }
        }
        contents
    }

    /// Primitives of a list of records with `xml` and `as`.
    fn primitive_list(&mut self, node: &Node) -> Vec<Primitive> {
        let mut list = Vec::new();
        for item in node.one_or_many() {
            let mut contents = self.primitives(item);
            if let Some(xml) = item.get("xml") {
                contents.push(PrimitiveContent::Xml(self.text(xml)));
            }
            if contents.len() != 1 {
                self.error(item.span, "a primitive is wanted here, exactly one");
            }
            let name = item.get("as").and_then(|n| self.give(n));
            if let Some(content) = contents.into_iter().next() {
                list.push(Primitive { content, name });
            }
        }
        list
    }

    fn send(&mut self, node: &Node) -> Option<Send> {
        let either = node.get("at");
        let endpoint = match (node.get("from").or(either), node.get("to")) {
            (Some(a), None) | (None, Some(a)) => self.endpoint(a).unwrap_or_default(),
            (Some(_), Some(to)) => {
                self.error(
                    to.span,
                    "a message is sent `from` an endpoint, `to` one, or `at` one: only one of these",
                );
                return None;
            }
            (None, None) => {
                self.error(
                    node.span,
                    "a message needs `from` (client seat), `to` (server seat) or `at` (either)",
                );
                return None;
            }
        };
        let invalid = self.plain(node, "invalid");
        let mut contents = Vec::new();
        let direct = self.primitives(node);
        if direct.len() > 1 {
            self.error(
                node.span,
                "several primitives of one message go into `envelope: [ … ]`",
            );
        }
        if let Some(content) = direct.into_iter().next() {
            contents.push(Content::Primitives(vec![Primitive {
                content,
                name: None,
            }]));
        }
        if let Some(envelope) = node.get("envelope") {
            contents.push(Content::Primitives(self.primitive_list(envelope)));
        }
        if let Some(xml) = node.get("xml") {
            contents.push(Content::Xml(self.text(xml)));
        }
        if let Some(body) = node.get("body") {
            contents.push(Content::Body(self.text(body)));
        }
        if let Some(sip) = node.get("sip") {
            contents.push(if sip.text().is_some() {
                Content::RawSip(self.text(sip))
            } else {
                Content::Sip {
                    method: text_of(sip, "method"),
                    dialog: truth(sip, "dialog").unwrap_or(true),
                    uri: sip.get("uri").map(|n| self.text(n)),
                    body: sip.get("body").map(|n| self.text(n)),
                }
            });
        }
        if let Some(bytes) = node.get("bytes") {
            match unescape(bytes.text().unwrap_or_default()) {
                Ok(raw) => contents.push(Content::Bytes(raw)),
                Err(message) => self.error(bytes.span, message),
            }
            let keep_alive = bytes
                .text()
                .is_some_and(|t| t.replace("\\r", "").replace("\\n", "").trim().is_empty());
            if invalid.is_none() && !keep_alive {
                let d = Diagnostic::warning(
                    &self.source,
                    bytes.span,
                    "raw bytes without `invalid` count as sent in good faith",
                );
                self.out.push(d);
            }
        }
        if contents.len() != 1 {
            self.error(
                node.span,
                "a message holds exactly one of: a primitive, envelope, xml, body, sip, bytes",
            );
        }
        let mut headers = self.pairs(node.get("headers"));
        headers.extend(self.pairs(node.get("sip").and_then(|s| s.get("headers"))));
        Some(Send {
            endpoint,
            content: contents.into_iter().next()?,
            envid: node.get("envid").map(|n| self.text(n)),
            envelope_attributes: self.pairs(node.get("envelope_attributes")),
            headers,
            fragment: integer(node, "fragment"),
            times: integer(node, "times").unwrap_or(1) as u32,
            invalid,
            name: node.get("as").and_then(|n| self.give(n)),
        })
    }

    // ---- what is expected ----

    fn test(&mut self, node: &Node) -> Test {
        let mut test = Test::default();
        if !matches!(node.value, Value::Map(_)) {
            test.conditions = vec![Condition::Equals(self.text(node))];
            return test;
        }
        for (key, value) in node.entries() {
            let holds = node.get(&key.text).is_some_and(Node::is_true);
            let negate = |c: Condition| {
                if holds {
                    c
                } else {
                    Condition::Not(Box::new(Test {
                        conditions: vec![c],
                        save: None,
                    }))
                }
            };
            let condition = match key.text.as_str() {
                "equals" => Condition::Equals(self.text(value)),
                "integer" => Condition::Integer(self.number(value)),
                "items" => Condition::Items(self.number(value)),
                "time" => Condition::Time(self.time(value)),
                "regex" => {
                    let text = value.text().unwrap_or_default();
                    match regex::Regex::new(text) {
                        Ok(regex) if !text.contains("${") => Condition::Regex(regex),
                        _ => Condition::RegexText(self.text(value)),
                    }
                }
                "one_of" => Condition::OneOf(value.items().iter().map(|i| self.test(i)).collect()),
                "not" => Condition::Not(Box::new(self.test(value))),
                "absent" => negate(Condition::Absent),
                "present" => negate(Condition::Present),
                "boolean" => Condition::Boolean(holds),
                "guid" => negate(Condition::Guid),
                "contains" => {
                    let text = self.text(value);
                    Condition::Contains(text, truth(node, "is") != Some(false))
                }
                "has_bits" => Condition::HasBits(integer(node, "has_bits").unwrap_or(0) as u32),
                "lacks_bits" => {
                    Condition::LacksBits(integer(node, "lacks_bits").unwrap_or(0) as u32)
                }
                "has" => Condition::Has(value.one_or_many().iter().map(|v| self.text(v)).collect()),
                "lacks" => {
                    Condition::Lacks(value.one_or_many().iter().map(|v| self.text(v)).collect())
                }
                "save" => {
                    test.save = self.give(value);
                    continue;
                }
                _ => continue,
            };
            test.conditions.push(condition);
        }
        test
    }

    fn time(&mut self, node: &Node) -> TimeTest {
        match node.text().unwrap_or_default().split_once(' ') {
            None if node.text() == Some("utc") => TimeTest::Utc,
            None if node.text() == Some("any") => TimeTest::Any,
            Some(("now", tolerance)) if duration(tolerance.trim()).is_some() => {
                TimeTest::Near(duration(tolerance.trim()).unwrap_or_default())
            }
            _ => {
                self.error(node.span, "a time is `any`, `utc` or `now 5m`");
                TimeTest::Any
            }
        }
    }

    fn pattern(&mut self, node: &Node) -> Pattern {
        let mut pattern = Pattern::default();
        if node.text().is_some() || is_test(node) {
            pattern.text = Some((self.test(node), node.span));
            return pattern;
        }
        for (key, value) in node.entries() {
            if let Some(name) = key.text.strip_prefix('@') {
                let test = self.test(value);
                pattern.attrs.push((name.to_owned(), test, key.span));
            } else if key.text == "text()" {
                pattern.text = Some((self.test(value), key.span));
            } else if matches!(key.text.as_str(), "absent" | "count" | "each" | "first") {
                // The parent reads these.
            } else if value.value == Value::Null {
                pattern.children.push(ChildPattern {
                    name: key.text.clone(),
                    span: key.span,
                    quantity: Quantity::Some,
                    pattern: Pattern::default(),
                });
            } else {
                for item in value.one_or_many() {
                    let quantity = match (item.get("absent"), item.get("count"), item.get("each")) {
                        _ if is_test(item) => Quantity::Some,
                        _ if truth(item, "first") == Some(true) => Quantity::First,
                        (Some(absent), _, _) if absent.is_true() => Quantity::None,
                        (_, Some(count), _) => Quantity::Count(self.number(count)),
                        (_, _, Some(each)) if each.is_true() => Quantity::Each,
                        _ => Quantity::Some,
                    };
                    let child = self.pattern(item);
                    pattern.children.push(ChildPattern {
                        name: key.text.clone(),
                        span: key.span,
                        quantity,
                        pattern: child,
                    });
                }
            }
        }
        pattern
    }

    fn primitive_patterns(&mut self, record: &Node) -> Vec<PrimitivePattern> {
        let mut patterns = Vec::new();
        for (key, value) in record.entries() {
            if let Some((class, id)) = primitive(&key.text) {
                let pattern = self.pattern(value);
                patterns.push(PrimitivePattern { class, id, pattern });
            }
        }
        patterns
    }

    fn sip_pattern(&mut self, node: Option<&Node>) -> Option<SipPattern> {
        let node = node?;
        let mut headers = Vec::new();
        for (key, value) in node.get("headers").into_iter().flat_map(Node::entries) {
            let test = self.test(value);
            headers.push((key.text.clone(), test, key.span));
        }
        Some(SipPattern {
            status: node.get("status").map(|n| self.number(n)),
            method: self.plain(node, "method"),
            headers,
            body: node.get("body").map(|n| (self.test(n), n.span)),
        })
    }

    fn what(&mut self, node: &Node, span: Span) -> Option<What> {
        let mut found = Vec::new();
        let sip = self.sip_pattern(node.get("sip"));
        for pattern in self.primitive_patterns(node) {
            found.push(What::Primitive(pattern, sip.clone()));
        }
        if found.is_empty()
            && let Some(sip) = sip
        {
            found.push(What::Sip(sip));
        }
        if truth(node, "closed") == Some(true) {
            found.push(What::Closed);
        }
        if truth(node, "anything") == Some(true) || truth(node, "any") == Some(true) {
            found.push(What::Anything);
        }
        if let Some(alternatives) = node.get("any_of") {
            let at = self.at(node);
            let mut items = Vec::new();
            for item in alternatives.items() {
                self.expect(item, at.first(), &mut items);
            }
            found.push(What::AnyOf(items));
        }
        if found.len() != 1 {
            let place = if node.span.line > 0 { node.span } else { span };
            self.error(
                place,
                "exactly one thing is looked for: a primitive, sip, closed or any_of",
            );
        }
        found.into_iter().next()
    }

    fn expect(&mut self, node: &Node, outer_at: Option<&String>, out: &mut Vec<Expect>) {
        let mut at = self.at(node);
        if at.is_empty() {
            match outer_at {
                Some(outer) => at.push(outer.clone()),
                None if node.get("any_of").is_some() => at.push(String::new()),
                None => {
                    if node.get("at").is_none() {
                        self.error(
                            node.span,
                            "this expectation does not say where: `at: endpoint`",
                        );
                    }
                    return;
                }
            }
        }
        let answers = self.used(node, "answers");
        let since = self.used(node, "since");
        let decides = self.decides_of(Some(node));
        let violates = texts(node.get("violates"));
        self.decides.extend(violates.iter().cloned());
        let Some(what) = self.what(node, node.span) else {
            return;
        };
        let mut checks = Vec::new();
        for item in node.get("check").map(Node::one_or_many).unwrap_or_default() {
            let mut forms = self.primitive_patterns(item);
            for form in item.get("any_of").map(Node::items).unwrap_or_default() {
                forms.extend(self.primitive_patterns(form));
            }
            let sip = self.sip_pattern(item.get("sip"));
            if forms.is_empty() && sip.is_none() {
                self.error(item.span, "this check looks at nothing");
            }
            checks.push(Check {
                span: item.span,
                decides: self.decides_of(Some(item)),
                forms,
                sip,
                reason: self.plain(item, "reason"),
            });
        }
        let name = node.get("as").and_then(|n| self.give(n));
        let first = at.first().cloned().unwrap_or_default();
        for at in at {
            let mut what = what.clone();
            // Alternatives without a place of their own were read for the first one; what they leave open is
            // as the expectation says.
            if let What::AnyOf(alternatives) = &mut what {
                for alternative in alternatives {
                    if alternative.at == first {
                        alternative.at.clone_from(&at);
                    }
                    if alternative.since.is_none() {
                        alternative.since.clone_from(&since);
                    }
                    if alternative.answers.is_none() {
                        alternative.answers.clone_from(&answers);
                    }
                }
            }
            out.push(Expect {
                span: node.span,
                at,
                within: self.within(node),
                what,
                answers: answers.clone(),
                optional: truth(node, "optional") == Some(true),
                since: since.clone(),
                decides: decides.clone(),
                violates: violates.clone(),
                checks: checks.clone(),
                reason: self.plain(node, "reason"),
                name: name.clone(),
            });
        }
    }

    // ---- the server seat ----

    fn serve(&mut self, node: &Node, span: Span) -> Option<Action> {
        let at = self.at(node);
        let name = node.get("as").and_then(|n| self.give(n));
        let what = self.what(node, span)?;
        let hold = node.get("hold").and_then(|n| self.give(n));
        let mut edit = Vec::new();
        for (key, value) in node.get("edit").into_iter().flat_map(Node::entries) {
            let text = (value.value != Value::Null).then(|| self.text(value));
            edit.push((key.text.clone(), text));
        }
        let effect = Effect {
            hold,
            delay: node.get("delay").and_then(Node::text).and_then(duration),
            drop: truth(node, "drop") == Some(true),
            mute: truth(node, "mute") == Some(true),
            twice: truth(node, "twice") == Some(true),
            status: integer(node, "status").and_then(|s| u16::try_from(s).ok()),
            headers: self.pairs(node.get("headers")),
            bye: truth(node, "bye") == Some(true),
            close: truth(node, "close") == Some(true),
            edit,
            reply: node.get("reply").map(|n| self.primitive_list(n)),
            body: node.get("body").map(|n| self.text(n)),
            before: node
                .get("before")
                .map(|n| self.primitive_list(n))
                .unwrap_or_default(),
        };
        self.serves += 1;
        Some(Action::Serve(Box::new(Serve {
            order: self.serves,
            at,
            what,
            times: match integer(node, "times") {
                None => Some(1),
                Some(0) => None,
                Some(n) => Some(n as u32),
            },
            effect,
            invalid: self.plain(node, "invalid"),
            name,
        })))
    }

    fn act(&mut self, node: &Node, span: Span) -> Option<Action> {
        let at = self.endpoint(node.get("at")?)?;
        let actions: Vec<_> = node
            .entries()
            .filter(|(k, _)| ACTIONS.contains(&k.text.as_str()))
            .collect();
        let [(action, arguments)] = actions.as_slice() else {
            self.error(span, "the user does exactly one thing");
            return None;
        };
        let arguments = self.build_json(arguments);
        Some(Action::Do(Do {
            at,
            action: action.text.clone(),
            arguments,
            name: node.get("as").and_then(|n| self.give(n)),
            within: self.within(node),
        }))
    }

    fn build_json(&mut self, node: &Node) -> Json {
        match &node.value {
            Value::Null => Json::Null,
            Value::List(items) => Json::List(items.iter().map(|i| self.build_json(i)).collect()),
            Value::Map(entries) => Json::Map(
                entries
                    .iter()
                    .map(|(k, v)| (k.text.clone(), self.build_json(v)))
                    .collect(),
            ),
            _ => Json::Value(self.text(node)),
        }
    }

    fn json_pattern(&mut self, node: &Node) -> JsonPattern {
        match &node.value {
            Value::Null => JsonPattern::Null,
            Value::List(items) => {
                JsonPattern::List(items.iter().map(|i| self.json_pattern(i)).collect())
            }
            Value::Map(entries) => {
                let absent = entries.len() == 1 && entries[0].0.text == "absent";
                if absent || is_test(node) {
                    return JsonPattern::Test(self.test(node));
                }
                JsonPattern::Map(
                    entries
                        .iter()
                        .map(|(k, v)| (k.text.clone(), self.json_pattern(v)))
                        .collect(),
                )
            }
            _ => JsonPattern::Test(self.test(node)),
        }
    }

    fn answered(&mut self, node: &Node) -> Option<Answered> {
        let to = self.used(node, "to")?;
        let mut checks = Vec::new();
        for item in node.get("check").map(Node::one_or_many).unwrap_or_default() {
            checks.push(AnswerCheck {
                decides: self.decides_of(Some(item)),
                result: item.get("result").map(|n| self.json_pattern(n)),
                error: item.get("error").map(|n| self.json_pattern(n)),
                reason: self.plain(item, "reason"),
            });
        }
        Some(Answered {
            to,
            within: self.within(node).unwrap_or(Duration::from_secs(15)),
            ok: truth(node, "ok"),
            error: node.get("error").map(|n| self.json_pattern(n)),
            result: node.get("result").map(|n| self.json_pattern(n)),
            never: node.get("never").and_then(Node::text).and_then(duration),
            decides: self.decides_of(Some(node)),
            checks,
            reason: self.plain(node, "reason"),
        })
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

/// The `id` a primitive is sent with when its key names none.
fn default_id(class: Class) -> &'static str {
    match class {
        Class::Grpchat => "grpchat",
        Class::Err => "error",
        Class::Sys => "sys:status",
        Class::Cmd | Class::Rpl | Class::Ntc => "",
    }
}

/// Bytes of a text with `\r \n \t \0 \\ \xNN`.
fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        match rest.next() {
            Some('r') => bytes.push(b'\r'),
            Some('n') => bytes.push(b'\n'),
            Some('t') => bytes.push(b'\t'),
            Some('0') => bytes.push(0),
            Some('\\') => bytes.push(b'\\'),
            Some('x') => {
                let hex: String = rest.by_ref().take(2).collect();
                match u8::from_str_radix(&hex, 16) {
                    Ok(byte) if hex.len() == 2 => bytes.push(byte),
                    _ => return Err(format!("`\\x{hex}` is no byte: two hexadecimal digits")),
                }
            }
            other => {
                let other = other.map(String::from).unwrap_or_default();
                return Err(format!(
                    "`\\{other}` is unknown: use \\r \\n \\t \\0 \\\\ \\xNN"
                ));
            }
        }
    }
    Ok(bytes)
}

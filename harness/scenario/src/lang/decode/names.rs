//! Names and values: endpoints, requirements, expressions, numbers.

use std::time::Duration;

use super::*;
use crate::lang::value::{Kind, Part};

impl Decoder<'_> {
    pub(super) fn endpoint(&mut self, node: &Node) -> Option<String> {
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

    pub(super) fn endpoints_of(&mut self, node: &Node) -> Vec<String> {
        node.one_or_many()
            .iter()
            .filter_map(|n| self.endpoint(n))
            .collect()
    }

    pub(super) fn at(&mut self, node: &Node) -> Vec<String> {
        node.get("at")
            .map(|n| self.endpoints_of(n))
            .unwrap_or_default()
    }

    pub(super) fn endpoints_or_record<'n>(
        &mut self,
        value: &'n Node,
    ) -> (Vec<String>, Option<&'n Node>) {
        match value.get("from") {
            Some(from) => (self.endpoints_of(from), Some(value)),
            None => (self.endpoints_of(value), None),
        }
    }

    pub(super) fn within(&self, node: &Node) -> Option<Duration> {
        node.get("within").and_then(Node::text).and_then(duration)
    }

    pub(super) fn decides_of(&mut self, node: Option<&Node>) -> Vec<String> {
        let ids = texts(node.and_then(|n| n.get("decides")));
        self.decides.extend(ids.iter().cloned());
        ids
    }

    pub(super) fn plain(&self, node: &Node, key: &str) -> Option<String> {
        node.get(key).and_then(Node::text).map(str::to_owned)
    }

    /// A name that this step gives.
    pub(super) fn give(&mut self, node: &Node) -> Option<String> {
        let name = node.text()?.to_owned();
        self.names.insert(name.clone());
        Some(name)
    }

    /// A name that an earlier step gave.
    pub(super) fn used(&mut self, node: &Node, key: &str) -> Option<String> {
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

    pub(super) fn status(&mut self, node: Option<&Node>) -> Number {
        match node.and_then(|n| n.get("status")) {
            Some(node) => self.number(node),
            None => Number::Compare(Comparison::Equal, Text::literal("200")),
        }
    }

    /// A text with checked expressions.
    pub(super) fn text(&mut self, node: &Node) -> Text {
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
    pub(super) fn known(&mut self, part: &Part, span: Span) {
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

    pub(super) fn number(&mut self, node: &Node) -> Number {
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

    pub(super) fn pairs(&mut self, node: Option<&Node>) -> Vec<(String, Option<Text>)> {
        let mut pairs = Vec::new();
        for (key, value) in node.into_iter().flat_map(Node::entries) {
            let text = (value.value != Value::Null).then(|| self.text(value));
            pairs.push((key.text.clone(), text));
        }
        pairs
    }
}

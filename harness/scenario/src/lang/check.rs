/*! Does a tree fit the grammar? All complaints at once.

Takes a node and a [`Shape`], gives diagnostics: unknown keys with the nearest
known one, missing keys, wrong kinds of values. A scalar that is one `${…}` fits
everywhere, because only the player or a template's caller knows its value.
*/

use std::sync::Arc;
use std::time::Duration;

use super::diag::{Diagnostic, Source};
use super::grammar::{ACTIONS, Open, PRIMITIVES, QUANTIFIERS, Record, Shape, TESTS};
use super::yaml::{Key, Node, Value};

/// Checks `node` against `shape`; appends complaints.
pub fn check(node: &Node, shape: &Shape, source: &Arc<Source>, out: &mut Vec<Diagnostic>) {
    Checker { source, out }.node(node, shape);
}

/// Whether a key names a primitive: `cmd`, `cmd:join`, `grpchat`.
pub fn is_primitive(key: &str) -> bool {
    match key.split_once(':') {
        Some((class, name)) => matches!(class, "cmd" | "rpl" | "ntc" | "sys") && !name.is_empty(),
        None => PRIMITIVES.contains(&key),
    }
}

/// Reads `300ms`, `10s`, `1m`.
pub fn duration(text: &str) -> Option<Duration> {
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let number: u32 = text.get(..split)?.parse().ok()?;
    let number = u64::from(number);
    Some(match text.get(split..)? {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number * 60),
        "h" => Duration::from_secs(number * 3600),
        "d" => Duration::from_secs(number * 86_400),
        _ => return None,
    })
}

struct Checker<'a> {
    source: &'a Arc<Source>,
    out: &'a mut Vec<Diagnostic>,
}

impl Checker<'_> {
    fn error(&mut self, node: &Node, message: String) -> Option<&mut Diagnostic> {
        self.out
            .push(Diagnostic::error(self.source, node.span, message));
        self.out.last_mut()
    }

    fn wanted(&mut self, node: &Node, what: &str) {
        self.error(node, format!("{what} is wanted here, not {}", node.kind()));
    }

    fn node(&mut self, node: &Node, shape: &Shape) {
        if node
            .text()
            .is_some_and(|t| t.starts_with("${") && t.ends_with('}'))
        {
            return;
        }
        match shape {
            Shape::Any | Shape::Json => {}
            Shape::Text => {
                if node.text().is_none() {
                    self.wanted(node, "text");
                }
            }
            Shape::Bool => {
                if !matches!(node.value, Value::Bool(_)) {
                    self.wanted(node, "true or false");
                }
            }
            Shape::Integer => {
                if !matches!(&node.value, Value::Number(n) if n.parse::<u32>().is_ok()) {
                    self.wanted(node, "a whole number");
                }
            }
            Shape::Duration => match node.text().map(duration) {
                Some(Some(_)) => {}
                _ => self.wanted(node, "a duration like 300ms, 10s or 1m"),
            },
            Shape::Word(words) => match node.text() {
                Some(text) if words.contains(&text) => {}
                Some(text) => {
                    let d = Diagnostic::error(
                        self.source,
                        node.span,
                        format!("`{text}` is not known here"),
                    );
                    self.out.push(d.suggest(text, words.iter().copied()));
                }
                None => self.wanted(node, "a word"),
            },
            Shape::List(item) => match &node.value {
                Value::List(items) => items.iter().for_each(|i| self.node(i, item)),
                _ => self.wanted(node, "a list"),
            },
            Shape::OneOrMany(item) => match &node.value {
                Value::List(items) => items.iter().for_each(|i| self.node(i, item)),
                _ => self.node(node, item),
            },
            Shape::MapOf(item) => match &node.value {
                Value::Map(entries) => {
                    for (_, value) in entries {
                        // `~` takes a thing away or leaves a parameter without default.
                        if value.value != Value::Null {
                            self.node(value, item);
                        }
                    }
                }
                _ => self.wanted(node, "a mapping"),
            },
            Shape::Either(a, b) => {
                let fits = |shape: &Shape| match shape {
                    Shape::Record(_) | Shape::MapOf(_) => matches!(node.value, Value::Map(_)),
                    Shape::List(_) => matches!(node.value, Value::List(_)),
                    _ => !matches!(node.value, Value::Map(_)),
                };
                self.node(node, if fits(a) { a } else { b });
            }
            Shape::Record(record) => self.record(node, record),
            Shape::Element => self.element(node),
            Shape::Pattern => self.pattern(node, true),
            Shape::Test => self.test(node),
            Shape::JsonPattern => self.json(node),
        }
    }

    fn record(&mut self, node: &Node, record: &Record) {
        let Value::Map(entries) = &node.value else {
            return self.wanted(node, &format!("a mapping ({})", record.name));
        };
        for (key, value) in entries {
            if let Some(field) = record.fields.iter().find(|f| f.key == key.text) {
                self.node(value, &field.shape);
                continue;
            }
            match record.open {
                Open::Primitives if is_primitive(&key.text) => self.node(value, &Shape::Element),
                Open::PrimitivePatterns if is_primitive(&key.text) => {
                    self.node(value, &Shape::Pattern);
                }
                Open::Actions if ACTIONS.contains(&key.text.as_str()) => {}
                // Only a template's caller knows this key; it is looked at again in its place.
                _ if key.text.starts_with("${") && record.open != Open::No => {}
                _ => self.unknown(key, record),
            }
        }
        for field in record.fields.iter().filter(|f| f.required) {
            if node.get(field.key).is_none() {
                self.error(node, format!("this {} has no `{}`", record.name, field.key));
            }
        }
        if !record.choice.is_empty() {
            let mut found = entries
                .iter()
                .filter(|(k, _)| record.choice.contains(&k.text.as_str()));
            match (found.next(), found.next()) {
                (None, _) if entries.is_empty() => {
                    self.error(node, format!("this {} does nothing", record.name));
                }
                // A slip in the name has its own complaint.
                (None, _) => {
                    let known = |k: &Key| record.fields.iter().any(|f| f.key == k.text);
                    if entries.iter().all(|(k, _)| known(k)) {
                        self.error(node, format!("this {} does nothing", record.name));
                    }
                }
                (Some((a, _)), Some((b, _))) => {
                    let d = Diagnostic::error(
                        self.source,
                        b.span,
                        format!(
                            "a {} does one thing: `{}` and `{}` are two",
                            record.name, a.text, b.text
                        ),
                    );
                    self.out.push(d);
                }
                (Some(_), None) => {}
            }
        }
    }

    fn unknown(&mut self, key: &Key, record: &Record) {
        let open: &[&str] = match record.open {
            Open::No => &[],
            Open::Primitives | Open::PrimitivePatterns => PRIMITIVES,
            Open::Actions => ACTIONS,
        };
        let known = record
            .fields
            .iter()
            .map(|f| f.key)
            .chain(open.iter().copied());
        let d = Diagnostic::error(
            self.source,
            key.span,
            format!("unknown key `{}` in a {}", key.text, record.name),
        );
        self.out.push(d.suggest(&key.text, known));
    }

    fn element(&mut self, node: &Node) {
        match &node.value {
            Value::Map(entries) => {
                for (key, value) in entries {
                    if key.text.starts_with('@') || key.text == "text()" {
                        if value.text().is_none() && value.value != Value::Null {
                            self.wanted(value, "text");
                        }
                    } else if !is_name(&key.text) {
                        self.bad_name(key);
                    } else {
                        value.one_or_many().iter().for_each(|v| self.element(v));
                    }
                }
            }
            Value::List(_) => self.wanted(node, "one element"),
            _ => {}
        }
    }

    fn bad_name(&mut self, key: &Key) {
        let d = Diagnostic::error(
            self.source,
            key.span,
            format!("`{}` names no attribute and no element", key.text),
        );
        self.out.push(
            d.help("write `@name` for an attribute, `name` for a child, `text()` for the text"),
        );
    }

    fn pattern(&mut self, node: &Node, top: bool) {
        let Value::Map(entries) = &node.value else {
            if matches!(node.value, Value::List(_)) {
                self.wanted(node, "one element");
            }
            return;
        };
        for (key, value) in entries {
            if key.text.starts_with('@') || key.text == "text()" {
                self.test(value);
            } else if let (Some((_, shape, _)), false) =
                (QUANTIFIERS.iter().find(|q| q.0 == key.text), top)
            {
                self.node(value, shape);
            } else if !is_name(&key.text) {
                self.bad_name(key);
            } else {
                value
                    .one_or_many()
                    .iter()
                    .for_each(|v| self.child_pattern(v));
            }
        }
    }

    /// A child is a pattern, or a test of its text.
    fn child_pattern(&mut self, node: &Node) {
        if is_test(node) {
            self.test(node);
        } else {
            self.pattern(node, false);
        }
    }

    fn test(&mut self, node: &Node) {
        match &node.value {
            Value::Map(entries) => {
                for (key, value) in entries {
                    match TESTS.iter().find(|t| t.0 == key.text) {
                        Some((name, shape, _)) => {
                            self.node(value, shape);
                            if let ("regex", Some(text)) = (*name, value.text())
                                && !text.contains("${")
                                && let Err(e) = regex::Regex::new(text)
                            {
                                let last = e.to_string();
                                let last = last.lines().last().unwrap_or_default().to_owned();
                                self.error(value, format!("not a regular expression: {last}"));
                            }
                        }
                        None => {
                            let d = Diagnostic::error(
                                self.source,
                                key.span,
                                format!("unknown test `{}`", key.text),
                            );
                            self.out
                                .push(d.suggest(&key.text, TESTS.iter().map(|t| t.0)));
                        }
                    }
                }
            }
            Value::List(_) => self.wanted(node, "a value or a test"),
            _ => {}
        }
    }

    fn json(&mut self, node: &Node) {
        match &node.value {
            Value::List(items) => items.iter().for_each(|i| self.json(i)),
            Value::Map(entries) if is_test(node) && !entries.is_empty() => self.test(node),
            Value::Map(entries) => entries.iter().for_each(|(_, v)| self.json(v)),
            _ => {}
        }
    }
}

/// A mapping all of whose keys are tests, and one of which cannot be a quantifier.
pub fn is_test(node: &Node) -> bool {
    let Value::Map(entries) = &node.value else {
        return false;
    };
    let test = |k: &Key| TESTS.iter().any(|t| t.0 == k.text);
    let quantifier = |k: &Key| QUANTIFIERS.iter().any(|q| q.0 == k.text);
    !entries.is_empty()
        && entries.iter().all(|(k, _)| test(k))
        && entries.iter().any(|(k, _)| !quantifier(k))
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
        && !text.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.')
}

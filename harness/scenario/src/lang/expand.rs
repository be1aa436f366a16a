/*! Templates and loops, put in place before anything has a meaning.

Takes the steps of a file, gives steps without `use` and `for_each`: each
argument `${name}` is replaced, a whole scalar by the argument's tree, inside
other text by its text. It refuses unknown templates and arguments, missing
ones, and templates that use themselves.
*/

use std::collections::HashMap;
use std::sync::Arc;

use super::diag::{Diagnostic, Source, Span};
use super::yaml::{Key, Node, Value};

/// Deepest use of templates within templates.
const MAX_DEPTH: usize = 8;
/// Most steps a scenario may grow to.
const MAX_STEPS: usize = 5_000;

/// A step and the file it comes from.
#[derive(Debug, Clone)]
pub struct Placed {
    /// Its file.
    pub source: Arc<Source>,
    /// The step.
    pub node: Node,
    /// The steps inside (`sanity`, `after`).
    pub inner: Vec<Placed>,
}

/// Templates by name (`common/open`).
pub type Templates = HashMap<String, (Arc<Source>, Node)>;

/// Puts templates and loops in place.
pub fn expand(
    steps: &[Node],
    source: &Arc<Source>,
    templates: &Templates,
    out: &mut Vec<Diagnostic>,
) -> Vec<Placed> {
    let mut expander = Expander {
        templates,
        out,
        total: 0,
    };
    expander.steps(steps, source, &HashMap::new(), 0)
}

struct Expander<'a> {
    templates: &'a Templates,
    out: &'a mut Vec<Diagnostic>,
    total: usize,
}

type Arguments = HashMap<String, Node>;

impl Expander<'_> {
    fn steps(
        &mut self,
        steps: &[Node],
        source: &Arc<Source>,
        arguments: &Arguments,
        depth: usize,
    ) -> Vec<Placed> {
        let mut placed = Vec::new();
        for step in steps {
            self.total += 1;
            if self.total > MAX_STEPS {
                if self.total == MAX_STEPS + 1 {
                    let message = format!("the scenario grows beyond {MAX_STEPS} steps");
                    self.out.push(Diagnostic::error(source, step.span, message));
                }
                return placed;
            }
            if let Some(template) = step.get("use") {
                let step = substitute(step, arguments);
                let with = step.get("with").cloned();
                self.template(
                    template,
                    with.as_ref(),
                    step.get("when"),
                    source,
                    depth,
                    &mut placed,
                );
            } else if let Some(each) = step.get("for_each") {
                let name = each.get("name").and_then(Node::text).unwrap_or_default();
                let values = each.get("in").map(|n| substitute(n, arguments));
                let values = values.as_ref().map(Node::one_or_many).unwrap_or_default();
                let inner = each.get("steps").map(Node::items).unwrap_or_default();
                for value in values {
                    let mut arguments = arguments.clone();
                    bind(&mut arguments, name, value);
                    placed.extend(self.steps(inner, source, &arguments, depth));
                }
            } else if let Some(inner) = step.get("sanity").or_else(|| step.get("after")) {
                let inner = self.steps(inner.items(), source, arguments, depth);
                placed.push(Placed {
                    source: source.clone(),
                    node: step.clone(),
                    inner,
                });
            } else {
                placed.push(Placed {
                    source: source.clone(),
                    node: substitute(step, arguments),
                    inner: Vec::new(),
                });
            }
        }
        placed
    }

    fn template(
        &mut self,
        name: &Node,
        with: Option<&Node>,
        when: Option<&Node>,
        source: &Arc<Source>,
        depth: usize,
        placed: &mut Vec<Placed>,
    ) {
        let text = name.text().unwrap_or_default();
        let Some((file, template)) = self.templates.get(text) else {
            let d = Diagnostic::error(source, name.span, format!("there is no template `{text}`"));
            let known: Vec<&str> = self.templates.keys().map(String::as_str).collect();
            self.out.push(d.suggest(text, known));
            return;
        };
        if depth >= MAX_DEPTH {
            let message = format!("templates nest deeper than {MAX_DEPTH}: `{text}` uses itself?");
            self.out.push(Diagnostic::error(source, name.span, message));
            return;
        }
        let mut arguments = Arguments::new();
        let declared = template.get("params");
        for (key, default) in declared.into_iter().flat_map(Node::entries) {
            match with.and_then(|w| w.get(&key.text)) {
                Some(given) => bind(&mut arguments, &key.text, given),
                None if default.value == Value::Null => {
                    let message = format!("template `{text}` wants `{}`", key.text);
                    self.out.push(Diagnostic::error(source, name.span, message));
                }
                None => {
                    arguments.insert(key.text.clone(), default.clone());
                }
            }
        }
        for (key, _) in with.into_iter().flat_map(Node::entries) {
            if !arguments.contains_key(&key.text) {
                let known: Vec<&str> = declared
                    .into_iter()
                    .flat_map(Node::entries)
                    .map(|(k, _)| k.text.as_str())
                    .collect();
                let message = format!("template `{text}` takes no `{}`", key.text);
                let d = Diagnostic::error(source, key.span, message);
                self.out.push(d.suggest(&key.text, known));
            }
        }
        let steps = template.get("steps").map(Node::items).unwrap_or_default();
        let file = file.clone();
        let mut inner = self.steps(steps, &file, &arguments, depth + 1);
        if let Some(when) = when {
            for step in &mut inner {
                let Value::Map(entries) = &mut step.node.value else {
                    continue;
                };
                match entries.iter_mut().find(|(k, _)| k.text == "when") {
                    Some((_, own)) => {
                        let mut all = when.one_or_many().to_vec();
                        all.extend(own.one_or_many().iter().cloned());
                        own.value = Value::List(all);
                    }
                    None => {
                        let key = Key {
                            text: "when".to_owned(),
                            span: when.span,
                        };
                        entries.push((key, when.clone()));
                    }
                }
            }
        }
        placed.extend(inner);
    }
}

/// Gives an argument its name; the entries of a mapping are `name.key` as well.
fn bind(arguments: &mut Arguments, name: &str, value: &Node) {
    for (key, inner) in value.entries() {
        arguments.insert(format!("{name}.{}", key.text), inner.clone());
    }
    arguments.insert(name.to_owned(), value.clone());
}

/// A copy with arguments in place of `${name}`.
fn substitute(node: &Node, arguments: &Arguments) -> Node {
    if arguments.is_empty() {
        return node.clone();
    }
    let value = match &node.value {
        Value::Text(text) => {
            let whole = text
                .strip_prefix("${")
                .and_then(|t| t.strip_suffix('}'))
                .and_then(|name| arguments.get(name.trim()));
            if let Some(argument) = whole {
                return at(argument.clone(), node.span);
            }
            Value::Text(fill(text, arguments))
        }
        Value::List(items) => Value::List(items.iter().map(|i| substitute(i, arguments)).collect()),
        Value::Map(entries) if entries.iter().any(|(k, _)| k.text == "for_each") => {
            return repeated(node, entries, arguments);
        }
        Value::Map(entries) => Value::Map(
            entries
                .iter()
                .map(|(k, v)| {
                    let key = Key {
                        text: fill(&k.text, arguments),
                        span: k.span,
                    };
                    (key, substitute(v, arguments))
                })
                .collect(),
        ),
        other => other.clone(),
    };
    Node {
        value,
        span: node.span,
    }
}

/// An element once for each value of `for_each`, which is `${item}` inside.
fn repeated(node: &Node, entries: &[(Key, Node)], arguments: &Arguments) -> Node {
    let rest = Node {
        value: Value::Map(
            entries
                .iter()
                .filter(|(k, _)| k.text != "for_each")
                .cloned()
                .collect(),
        ),
        span: node.span,
    };
    let values = entries
        .iter()
        .find(|(k, _)| k.text == "for_each")
        .map(|(_, v)| substitute(v, arguments));
    let items = values
        .as_ref()
        .map(Node::one_or_many)
        .unwrap_or_default()
        .iter()
        .map(|value| {
            let mut arguments = arguments.clone();
            bind(&mut arguments, "item", value);
            substitute(&rest, &arguments)
        });
    Node {
        value: Value::List(items.collect()),
        span: node.span,
    }
}

/// Gives a tree the place where it is put, so that complaints point into one file.
fn at(mut node: Node, span: Span) -> Node {
    node.span = span;
    match &mut node.value {
        Value::List(items) => {
            for item in items {
                *item = at(item.clone(), span);
            }
        }
        Value::Map(entries) => {
            for (key, value) in entries {
                key.span = span;
                *value = at(value.clone(), span);
            }
        }
        _ => {}
    }
    node
}

fn fill(text: &str, arguments: &Arguments) -> String {
    let mut text = text.to_owned();
    // Innermost first: `${rooms.${room}.uri}` becomes `${rooms.lobby.uri}`.
    for _ in 0..4 {
        let before = text.clone();
        for (name, value) in arguments {
            if let Some(value) = value.text() {
                text = text.replace(&format!("${{{name}}}"), value);
            }
        }
        if text == before {
            break;
        }
    }
    text
}

/*! Edits of payload trees, as data: what deliberate faults are made of.

An [`Edit`] names elements by a path and says what to change in them. Takes an
envelope's tree, changes it in place and tells how often it did. It knows
nothing of what the result means; most results are wrong on purpose.

A path begins at the primitives: its first step is an `id` (`cmd:join`), an
element name (`rpl`), a list of either with `|`, or `*`; further steps are
element names or `*`. Conditions in brackets may follow: `[@code=200]` has that
value, `[!@code]` lacks the attribute, `[resp]` has such a child, `[!resp]` has
none, and at the end `[2]`, the second match alone. The path `.` is the envelope
itself.
*/

use crate::payload::{Element, Envelope, Node};

/// A change of all elements that a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edit {
    /// Which elements.
    pub path: &'static str,
    /// What to do to them.
    pub change: Change,
}

/// What to do to an element. Values may hold names in braces, which whoever applies the edit fills in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Give an attribute a value.
    Set(&'static str, &'static str),
    /// Take an attribute away.
    Unset(&'static str),
    /// Rename an attribute.
    RenameAttr(&'static str, &'static str),
    /// In an attribute, write the third text for every occurrence of the second.
    Replace(&'static str, &'static str, &'static str),
    /// Replace the content with text.
    Text(&'static str),
    /// Take the element away.
    Remove,
    /// Take its children away.
    Empty,
    /// Give it another name.
    Rename(&'static str),
    /// Put it into another namespace, with all that is in it; none for the empty string.
    Namespace(&'static str),
    /// Repeat it right after itself.
    Double,
    /// Put it before its siblings.
    First,
    /// Put it after its siblings.
    Last,
    /// Add these elements at its end.
    Add(&'static str),
    /// Add these elements at its beginning.
    Prepend(&'static str),
}

impl Edit {
    /// An edit.
    pub const fn new(path: &'static str, change: Change) -> Edit {
        Edit { path, change }
    }

    /// Applies it; gives how many elements it changed. `fill` gives the value of a name in braces; a name it
    /// does not know stays as it is written.
    pub fn apply(&self, root: &mut Element, fill: &dyn Fn(&str) -> Option<String>) -> usize {
        if self.path == "." {
            return usize::from(self.inside(root, fill));
        }
        let steps: Vec<Step> = self.path.split('/').map(Step::read).collect();
        self.walk(root, &steps, fill)
    }

    fn walk(
        &self,
        parent: &mut Element,
        steps: &[Step],
        fill: &dyn Fn(&str) -> Option<String>,
    ) -> usize {
        let Some((step, rest)) = steps.split_first() else {
            return 0;
        };
        let mut matches = 0;
        let mut changed = 0;
        let mut at = 0;
        while at < parent.children.len() {
            let here = at;
            at += 1;
            let Some(Node::Element(child)) = parent.children.get_mut(here) else {
                continue;
            };
            if !step.fits(child) {
                continue;
            }
            matches += 1;
            if step.nth.is_some_and(|n| n != matches) {
                continue;
            }
            if !rest.is_empty() {
                changed += self.walk(child, rest, fill);
                continue;
            }
            changed += 1;
            match self.change {
                Change::Remove => {
                    parent.children.remove(here);
                    at = here;
                }
                Change::Double => {
                    let copy = child.clone();
                    parent.children.insert(at, Node::Element(copy));
                    at += 1;
                }
                Change::First | Change::Last => {
                    let moved = parent.children.remove(here);
                    let to = match self.change {
                        Change::First => 0,
                        _ => parent.children.len(),
                    };
                    parent.children.insert(to, moved);
                    // Moving once is enough; going on would meet the moved one again.
                    return changed;
                }
                _ => {
                    self.inside(child, fill);
                }
            }
        }
        changed
    }

    /// The changes that concern the element itself; false for those that need its parent.
    fn inside(&self, e: &mut Element, fill: &dyn Fn(&str) -> Option<String>) -> bool {
        match self.change {
            Change::Set(name, value) => e.set(name, filled(value, fill)),
            Change::Unset(name) => {
                e.unset(name);
            }
            Change::RenameAttr(from, to) => {
                if let Some(value) = e.unset(from) {
                    e.set(to, value);
                }
            }
            Change::Replace(name, from, to) => {
                if let Some(value) = e.get(name) {
                    let value = value.replace(from, &filled(to, fill));
                    e.set(name, value);
                }
            }
            Change::Text(text) => e.children = vec![Node::Text(filled(text, fill))],
            Change::Empty => e.children.clear(),
            Change::Rename(name) => e.name = name.to_owned(),
            Change::Namespace(ns) => rename_namespace(e, ns),
            Change::Add(xml) => e.children.extend(parse(&filled(xml, fill))),
            Change::Prepend(xml) => {
                e.children.splice(0..0, parse(&filled(xml, fill)));
            }
            Change::Remove | Change::Double | Change::First | Change::Last => return false,
        }
        true
    }
}

fn rename_namespace(e: &mut Element, ns: &str) {
    e.ns = (!ns.is_empty()).then(|| ns.to_owned());
    for node in &mut e.children {
        if let Node::Element(child) = node {
            rename_namespace(child, ns);
        }
    }
}

fn filled(text: &str, fill: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        match after.split_once('}') {
            Some((name, tail)) => {
                match fill(name) {
                    Some(value) => out.push_str(&value),
                    None => out.extend(["{", name, "}"]),
                }
                rest = tail;
            }
            None => {
                out.push('{');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// Elements in the XCCOS namespace; what is not well formed gives none.
fn parse(xml: &str) -> Vec<Node> {
    let wrapped = format!("<x xmlns=\"{}\">{xml}</x>", crate::payload::CHAT_NS);
    Envelope::parse(wrapped.as_bytes()).map_or_else(|_| Vec::new(), |e| e.root.children)
}

struct Step {
    names: Vec<String>,
    conditions: Vec<Condition>,
    nth: Option<usize>,
}

enum Condition {
    Attr(String, String),
    NoAttr(String),
    Child(String),
    NoChild(String),
}

impl Step {
    fn read(text: &str) -> Step {
        let mut parts = text.split('[');
        let names = parts.next().unwrap_or("").split('|').map(str::to_owned);
        let mut step = Step {
            names: names.collect(),
            conditions: Vec::new(),
            nth: None,
        };
        for part in parts {
            let part = part.trim_end_matches(']');
            let condition = match (part.strip_prefix("!@"), part.strip_prefix('@')) {
                (Some(attr), _) => Condition::NoAttr(attr.to_owned()),
                (None, Some(test)) => {
                    let (attr, value) = test.split_once('=').unwrap_or((test, ""));
                    Condition::Attr(attr.to_owned(), value.to_owned())
                }
                (None, None) => match (part.strip_prefix('!'), part.parse()) {
                    (Some(child), _) => Condition::NoChild(child.to_owned()),
                    (None, Ok(nth)) => {
                        step.nth = Some(nth);
                        continue;
                    }
                    (None, Err(_)) => Condition::Child(part.to_owned()),
                },
            };
            step.conditions.push(condition);
        }
        step
    }

    fn fits(&self, e: &Element) -> bool {
        let named = self
            .names
            .iter()
            .any(|n| n == "*" || *n == e.name || (n.contains(':') && e.get("id") == Some(n)));
        named
            && self.conditions.iter().all(|condition| match condition {
                Condition::Attr(name, value) => e.get(name) == Some(value),
                Condition::NoAttr(name) => e.get(name).is_none(),
                Condition::Child(name) => e.first(name).is_some(),
                Condition::NoChild(name) => e.first(name).is_none(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_change_what_their_path_names() {
        let source = r#"<cmd id="cmd:join"><data><chanid key="0" value="g"/></data></cmd><cmd id="cmd:part"><data><chanib uri="u"/><x/></data></cmd>"#;
        for (path, change, expect) in [
            (
                "cmd:join/data/chanid",
                Change::Set("key", "{n}{m}"),
                r#"<cmd id="cmd:join"><data><chanid key="7{m}" value="g"/></data></cmd><cmd id="cmd:part"><data><chanib uri="u"/><x/></data></cmd>"#,
            ),
            (
                "cmd/data",
                Change::Empty,
                r#"<cmd id="cmd:join"><data/></cmd><cmd id="cmd:part"><data/></cmd>"#,
            ),
            (
                "cmd[2]",
                Change::Remove,
                r#"<cmd id="cmd:join"><data><chanid key="0" value="g"/></data></cmd>"#,
            ),
            (
                "cmd:part|cmd:join/data/*[1]",
                Change::Remove,
                r#"<cmd id="cmd:join"><data/></cmd><cmd id="cmd:part"><data><x/></data></cmd>"#,
            ),
            (
                "*/data/chanib",
                Change::Last,
                r#"<cmd id="cmd:join"><data><chanid key="0" value="g"/></data></cmd><cmd id="cmd:part"><data><x/><chanib uri="u"/></data></cmd>"#,
            ),
            (
                "cmd:part/data/x",
                Change::Double,
                r#"<cmd id="cmd:join"><data><chanid key="0" value="g"/></data></cmd><cmd id="cmd:part"><data><chanib uri="u"/><x/><x/></data></cmd>"#,
            ),
            (
                "cmd:part/data",
                Change::Prepend("<y/>t"),
                r#"<cmd id="cmd:join"><data><chanid key="0" value="g"/></data></cmd><cmd id="cmd:part"><data><y/>t<chanib uri="u"/><x/></data></cmd>"#,
            ),
            (
                "cmd:join/data/chanid",
                Change::RenameAttr("value", "Value"),
                r#"<cmd id="cmd:join"><data><chanid key="0" Value="g"/></data></cmd><cmd id="cmd:part"><data><chanib uri="u"/><x/></data></cmd>"#,
            ),
            ("cmd:gone", Change::Remove, source),
            ("cmd:join/data/chanid[@key=1]", Change::Remove, source),
            (
                "cmd/data[!chanid]/chanib[@uri=u]",
                Change::Replace("uri", "u", "vv"),
                r#"<cmd id="cmd:join"><data><chanid key="0" value="g"/></data></cmd><cmd id="cmd:part"><data><chanib uri="vv"/><x/></data></cmd>"#,
            ),
            (
                "cmd/data/*[!@key][2]",
                Change::Unset("uri"),
                r#"<cmd id="cmd:join"><data><chanid key="0" value="g"/></data></cmd><cmd id="cmd:part"><data><chanib uri="u"/><x/></data></cmd>"#,
            ),
            (
                "cmd/data[x]",
                Change::Empty,
                r#"<cmd id="cmd:join"><data><chanid key="0" value="g"/></data></cmd><cmd id="cmd:part"><data/></cmd>"#,
            ),
        ] {
            let xml = |inner: &str| {
                format!(
                    r#"<xccos xmlns="{}" ver="1">{inner}</xccos>"#,
                    crate::payload::CHAT_NS
                )
            };
            let mut envelope = Envelope::parse(xml(source).as_bytes()).unwrap();
            let edit = Edit::new(path, change);
            let n = edit.apply(&mut envelope.root, &|name| {
                (name == "n").then(|| "7".to_owned())
            });
            assert!(n > 0 || expect == source, "{path}");
            assert_eq!(
                String::from_utf8(envelope.to_bytes()).unwrap(),
                xml(expect),
                "{path}"
            );
        }
        let mut envelope = Envelope::new(1, []);
        assert_eq!(
            Edit::new(".", Change::Namespace("urn:x")).apply(&mut envelope.root, &|_| None),
            1
        );
        assert!(!envelope.is_xccos());
        assert_eq!(
            Edit::new(".", Change::Remove).apply(&mut envelope.root, &|_| None),
            0
        );
    }
}

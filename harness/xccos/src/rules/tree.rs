/*! A document's elements in one list, with their places.

Takes an element tree, gives every element once, parents before children, with
the way up and the path the schema engine would write (`/xccos/rpl[1]/data[1]`).
*/

use std::collections::HashMap;

use crate::payload::{Element, Node};

/// One element.
pub(crate) struct Item<'a> {
    pub element: &'a Element,
    pub parent: Option<usize>,
    nth: u32,
}

/// All elements of a document.
pub(crate) struct Tree<'a> {
    pub items: Vec<Item<'a>>,
    /// Position by the element's address.
    places: HashMap<usize, usize>,
}

impl<'a> Tree<'a> {
    /// Lists the elements below and including `root`.
    pub fn of(root: &'a Element) -> Tree<'a> {
        let mut items = vec![Item {
            element: root,
            parent: None,
            nth: 1,
        }];
        let mut at = 0;
        while let Some(item) = items.get(at) {
            let element = item.element;
            let mut count: HashMap<&str, u32> = HashMap::new();
            for node in &element.children {
                if let Node::Element(child) = node {
                    let nth = count.entry(child.name.as_str()).or_default();
                    *nth += 1;
                    items.push(Item {
                        element: child,
                        parent: Some(at),
                        nth: *nth,
                    });
                }
            }
            at += 1;
        }
        let places = items
            .iter()
            .enumerate()
            .map(|(at, item)| (std::ptr::from_ref(item.element).addr(), at))
            .collect();
        Tree { items, places }
    }

    /// The path of an element, as the schema engine writes it.
    pub fn path(&self, at: usize) -> String {
        let mut steps = Vec::new();
        let mut next = Some(at);
        while let Some(item) = next.and_then(|i| self.items.get(i)) {
            steps.push(item);
            next = item.parent;
        }
        let mut path = String::new();
        for step in steps.iter().rev() {
            path.push('/');
            path.push_str(&step.element.name);
            if step.parent.is_some() {
                path.push_str(&format!("[{}]", step.nth));
            }
        }
        path
    }

    /// The path of this very element of the tree, or of the root when it is not in it.
    pub fn path_of(&self, element: &Element) -> String {
        let at = self.places.get(&std::ptr::from_ref(element).addr());
        self.path(at.copied().unwrap_or(0))
    }

    /// The element with that path.
    pub fn find(&self, path: &str) -> Option<usize> {
        let mut steps = path.split('/').filter(|s| !s.is_empty());
        let mut at = 0;
        if steps.next()? != self.items.first()?.element.name {
            return None;
        }
        for step in steps {
            let (name, nth) = match step.split_once('[') {
                Some((name, rest)) => (name, rest.trim_end_matches(']').parse().ok()?),
                None => (step, 1),
            };
            at = self.items.iter().position(|item| {
                item.parent == Some(at) && item.element.name == name && item.nth == nth
            })?;
        }
        Some(at)
    }

    /// Names of the ancestors, nearest first.
    pub fn up(&self, at: usize) -> impl Iterator<Item = &'a Element> + '_ {
        let mut next = self.items.get(at).and_then(|item| item.parent);
        std::iter::from_fn(move || {
            let item = self.items.get(next?)?;
            next = item.parent;
            Some(item.element)
        })
    }

    /// The parent.
    pub fn parent(&self, at: usize) -> Option<&'a Element> {
        self.up(at).next()
    }

    /// Whether an ancestor has one of these names.
    pub fn under(&self, at: usize, names: &[&str]) -> bool {
        self.up(at).any(|e| names.contains(&e.name.as_str()))
    }

    /// The primitive the element belongs to (itself, when it is one).
    pub fn primitive(&self, at: usize) -> Option<&'a Element> {
        let mut at = at;
        loop {
            let item = self.items.get(at)?;
            match item.parent {
                Some(0) => return Some(item.element),
                Some(parent) => at = parent,
                None => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_schema_engine_and_lead_back() {
        let root = Element::new("xccos")
            .child(Element::new("cmd").child(Element::new("data")))
            .child(Element::new("rpl"))
            .child(Element::new("cmd").child(Element::new("data").child(Element::new("sib"))));
        let tree = Tree::of(&root);
        assert_eq!(tree.path(0), "/xccos");
        let sib = tree.find("/xccos/cmd[2]/data[1]/sib[1]").unwrap();
        assert_eq!(tree.path(sib), "/xccos/cmd[2]/data[1]/sib[1]");
        assert_eq!(tree.primitive(sib).unwrap().name, "cmd");
        assert!(tree.under(sib, &["xccos"]) && !tree.under(sib, &["rpl"]));
        assert_eq!(tree.find("/xccos/cmd[3]"), None);
    }
}

//! Documents made from a schema: valid ones, and ones with exactly one slip (feature `generate`).
//!
//! Takes a compiled schema and proptest's numbers; gives XML. A strategy is a list of numbers that a deterministic
//! builder spends on its choices, so shrinking the list shrinks the document, and a document can be made again from
//! its numbers. Where the numbers end, the builder takes the shortest way out, so sizes are bounded.
//!
//! Not generated: values of ENTITY types (no document type declarations), and elements for wildcards.

mod slip;
mod value;

use std::fmt::Write as _;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::automaton::{Match, Next};
use crate::component::*;
use crate::name::{NameId, XSI};
use crate::schema::Schema;

pub use slip::{Broken, Slip};

/// Deepest document; types that need more by themselves have no documents.
const DEEPEST: usize = 60;
/// Most elements of one document.
const MOST_ELEMENTS: usize = 2000;

/// From this depth on, and from this many elements on, nothing optional is added.
const ENOUGH_DEPTH: usize = 10;
const ENOUGH_ELEMENTS: usize = 200;

/// Documents with the given root that fit the schema; `size` is about the number of choices made.
///
/// Rejects (filters out) attempts where a required value cannot be made up.
pub fn valid(
    schema: Arc<Schema>,
    namespace: &str,
    local: &str,
    size: usize,
) -> BoxedStrategy<String> {
    let root = (namespace.to_owned(), local.to_owned());
    vec(any::<u32>(), 0..=size)
        .prop_filter_map("no document for these choices", move |numbers| {
            document(&schema, &root.0, &root.1, &numbers)
        })
        .boxed()
}

/// Documents that fit the schema but for one slip of the given kind.
pub fn broken(
    schema: Arc<Schema>,
    namespace: &str,
    local: &str,
    size: usize,
    slip: Slip,
) -> BoxedStrategy<Broken> {
    let root = (namespace.to_owned(), local.to_owned());
    (vec(any::<u32>(), 0..=size), vec(any::<u32>(), 4))
        .prop_filter_map("no place for this slip", move |(numbers, places)| {
            let mut builder = Builder::new(&schema.all, &numbers);
            let tree = builder.root(&root.0, &root.1)?;
            slip::apply(&schema.all, tree, slip, &places)
        })
        .boxed()
}

/// The valid document that a list of numbers stands for.
pub fn document(schema: &Schema, namespace: &str, local: &str, numbers: &[u32]) -> Option<String> {
    let mut builder = Builder::new(&schema.all, numbers);
    builder.root(namespace, local).map(|tree| tree.write())
}

/// An element to be written.
#[derive(Debug, Clone)]
struct Tree {
    space: String,
    local: String,
    ty: TypeId,
    attributes: Vec<(String, String, String)>,
    nil: bool,
    text: String,
    children: Vec<Tree>,
}

/// Spends numbers on choices.
struct Builder<'c> {
    all: &'c Components,
    numbers: &'c [u32],
    at: usize,
    elements: usize,
    ids: usize,
}

impl<'c> Builder<'c> {
    fn new(all: &'c Components, numbers: &'c [u32]) -> Self {
        Builder {
            all,
            numbers,
            at: 0,
            elements: 0,
            ids: 0,
        }
    }

    /// The next number, 0 when all are spent.
    fn next(&mut self) -> u32 {
        let number = self.numbers.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        number
    }

    fn spent(&self) -> bool {
        self.at >= self.numbers.len()
    }

    /// Whether to take the shortest way out.
    fn tired(&self, depth: usize) -> bool {
        self.spent() || depth > ENOUGH_DEPTH || self.elements > ENOUGH_ELEMENTS
    }

    /// One of `count` things; the first when the numbers are spent.
    fn choose(&mut self, count: usize) -> usize {
        if count == 0 {
            0
        } else {
            self.next() as usize % count
        }
    }

    fn root(&mut self, namespace: &str, local: &str) -> Option<Tree> {
        let space = self.all.names.find_space(namespace)?;
        let name = self.all.names.find(space, local)?;
        let element = *self.all.global_elements.get(&name)?;
        self.element(element, 0)
    }

    fn element(&mut self, id: ElementId, depth: usize) -> Option<Tree> {
        self.elements += 1;
        if depth > DEEPEST || self.elements > MOST_ELEMENTS {
            return None;
        }
        let all = self.all;
        let element = all.element(id);
        if element.is_abstract {
            return None;
        }
        let (space, local) = self.name(element.name);
        let mut tree = Tree {
            space,
            local,
            ty: element.ty,
            attributes: Vec::new(),
            nil: false,
            text: String::new(),
            children: Vec::new(),
        };
        if let Some(constraint) = element.value.as_ref().filter(|value| value.fixed) {
            tree.text = constraint.text.to_string();
        }
        let complex = match &all.ty(element.ty).kind {
            Kind::Simple(_) => {
                if tree.text.is_empty() {
                    tree.text = self.text(element.ty)?;
                }
                return Some(tree);
            }
            Kind::Complex(complex) => complex,
        };
        if complex.is_abstract {
            return None;
        }
        for each in &complex.attributes {
            let name = self.name(each.name);
            if !each.required && self.choose(3) != 1 {
                continue;
            }
            let text = match &each.value {
                Some(value) if value.fixed => Some(value.text.to_string()),
                _ => self.text(all.attribute(each.declaration).ty),
            };
            match text {
                Some(text) => tree.attributes.push((name.0, name.1, text)),
                None if each.required => return None,
                None => {}
            }
        }
        if element.nillable && element.value.is_none() && self.choose(4) == 1 {
            tree.nil = true;
            return Some(tree);
        }
        match &complex.content {
            Content::Empty => {}
            Content::Simple(simple) => {
                if tree.text.is_empty() {
                    tree.text = self.text(*simple)?;
                }
            }
            Content::Elements { automaton, .. } => {
                let automaton = automaton.as_ref()?;
                let mut cursor = automaton.start();
                loop {
                    let done = automaton.accepts(&cursor);
                    if done && (self.tired(depth) || self.choose(8) == 0) {
                        break;
                    }
                    // Numbers left: any way; none left: the shortest way to the end.
                    let ways = if self.tired(depth) {
                        if done {
                            break;
                        }
                        automaton.needed(&cursor)
                    } else {
                        automaton.expected(&cursor)
                    };
                    let names: Vec<NameId> = ways
                        .into_iter()
                        .filter_map(|way| match way {
                            Next::Name(name) => Some(name),
                            Next::Wildcard(_) => None,
                        })
                        .collect();
                    if names.is_empty() {
                        if done {
                            break;
                        }
                        return None;
                    }
                    let start = self.choose(names.len());
                    let space = |name| Some(all.names.space_of(name));
                    let mut grown = None;
                    for offset in 0..names.len() {
                        let name = names[(start + offset) % names.len()];
                        let mut ahead = cursor.clone();
                        if let Some(Match::Element(child)) =
                            automaton.step(&mut ahead, Some(name), space(name))
                            && let Some(tree) = self.element(child, depth + 1)
                        {
                            grown = Some((ahead, tree));
                            break;
                        }
                    }
                    let Some((ahead, child)) = grown else {
                        if done {
                            break;
                        }
                        return None;
                    };
                    cursor = ahead;
                    tree.children.push(child);
                }
            }
        }
        Some(tree)
    }

    fn name(&self, name: NameId) -> (String, String) {
        let uri = self.all.names.uri(self.all.names.space_of(name));
        (uri.to_owned(), self.all.names.local(name).to_owned())
    }
}

impl Tree {
    fn write(&self) -> String {
        let mut out = String::new();
        self.write_into(&mut out, "");
        out
    }

    fn write_into(&self, out: &mut String, default: &str) {
        let _ = write!(out, "<{}", self.local);
        if self.space != default {
            let _ = write!(out, " xmlns=\"{}\"", escape(&self.space));
        }
        for (index, (space, local, value)) in self.attributes.iter().enumerate() {
            match space.as_str() {
                "" => {
                    let _ = write!(out, " {local}=\"{}\"", escape(value));
                }
                crate::name::XML => {
                    let _ = write!(out, " xml:{local}=\"{}\"", escape(value));
                }
                space => {
                    let _ = write!(
                        out,
                        " xmlns:a{index}=\"{}\" a{index}:{local}=\"{}\"",
                        escape(space),
                        escape(value)
                    );
                }
            }
        }
        if self.nil {
            let _ = write!(out, " xmlns:xsi=\"{XSI}\" xsi:nil=\"true\"");
        }
        out.push('>');
        out.push_str(&escape(&self.text));
        for child in &self.children {
            child.write_into(out, &self.space);
        }
        let _ = write!(out, "</{}>", self.local);
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests;

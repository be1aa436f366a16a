//! One mistake in an otherwise valid document.

use super::Tree;
use crate::automaton::Automaton;
use crate::component::*;
use crate::name::Names;
use crate::value::NoScope;

/// The kinds of mistakes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slip {
    /// A required attribute is left out.
    MissingAttribute,
    /// An attribute nobody declared.
    UndeclaredAttribute,
    /// An attribute or text outside its type.
    BadValue,
    /// A required element is left out.
    MissingElement,
    /// An element nobody declared.
    UndeclaredElement,
    /// Two elements in the wrong order.
    OutOfOrder,
    /// An element more often than allowed.
    TooMany,
    /// An element in a namespace that is not its own.
    WrongNamespace,
    /// Text where only elements may stand.
    StrayText,
}

/// A document with one mistake.
#[derive(Debug, Clone)]
pub struct Broken {
    /// The document.
    pub xml: String,
    /// The mistake in it.
    pub slip: Slip,
}

impl Slip {
    /// All kinds.
    pub const ALL: [Slip; 9] = [
        Slip::MissingAttribute,
        Slip::UndeclaredAttribute,
        Slip::BadValue,
        Slip::MissingElement,
        Slip::UndeclaredElement,
        Slip::OutOfOrder,
        Slip::TooMany,
        Slip::WrongNamespace,
        Slip::StrayText,
    ];

    /// How the codes of the violations it causes start.
    pub fn codes(self) -> &'static [&'static str] {
        match self {
            Slip::MissingAttribute => &["cvc-complex-type.4"],
            Slip::UndeclaredAttribute => &["cvc-complex-type.3.2.2", "cvc-type.3.1.1"],
            Slip::BadValue => &[
                "cvc-datatype-valid",
                "cvc-enumeration",
                "cvc-pattern",
                "cvc-length",
                "cvc-min",
                "cvc-max",
                "cvc-total",
                "cvc-fraction",
            ],
            Slip::MissingElement | Slip::OutOfOrder | Slip::TooMany => &["cvc-complex-type.2.4"],
            Slip::UndeclaredElement => &[
                "cvc-complex-type.2.4",
                "cvc-complex-type.2.1",
                "cvc-complex-type.2.2",
                "cvc-type.3.1.2",
                "cvc-elt.3.2.1",
            ],
            Slip::WrongNamespace => &["cvc-complex-type.2.4", "cvc-elt.1"],
            Slip::StrayText => &["cvc-complex-type.2.3"],
        }
    }
}

/// Puts a slip into a tree; `places` choose where. `None` when the tree has no place for it.
pub(super) fn apply(
    all: &Components,
    mut tree: Tree,
    slip: Slip,
    places: &[u32],
) -> Option<Broken> {
    let count = tree.count();
    let start = places.first().copied().unwrap_or(0) as usize;
    for offset in 0..count {
        let mut index = (start + offset) % count;
        let Some(element) = tree.nth(&mut index) else {
            continue;
        };
        if spoil(
            all,
            element,
            slip,
            places.get(1).copied().unwrap_or(0) as usize,
        ) {
            return Some(Broken {
                xml: tree.write(),
                slip,
            });
        }
    }
    None
}

fn spoil(all: &Components, tree: &mut Tree, slip: Slip, pick: usize) -> bool {
    let ty = tree.ty;
    let complex = all.complex(ty);
    let automaton = match complex.map(|complex| &complex.content) {
        Some(Content::Elements {
            automaton: Some(automaton),
            mixed,
            ..
        }) if !tree.nil => Some((automaton.as_ref(), *mixed)),
        _ => None,
    };
    match slip {
        Slip::MissingAttribute => {
            let Some(complex) = complex else { return false };
            let required: Vec<&str> = complex
                .attributes
                .iter()
                .filter(|each| each.required)
                .map(|each| all.names.local(each.name))
                .collect();
            let Some(name) = required.get(pick % required.len().max(1)) else {
                return false;
            };
            let before = tree.attributes.len();
            tree.attributes.retain(|(_, local, _)| local != name);
            tree.attributes.len() < before
        }
        Slip::UndeclaredAttribute => {
            if complex.is_some_and(|complex| complex.wildcard.is_some()) {
                return false;
            }
            tree.attributes
                .push((String::new(), "never-declared".to_owned(), String::new()));
            true
        }
        Slip::BadValue => bad_value(all, tree, pick),
        Slip::StrayText => {
            if !matches!(automaton, Some((_, false))) {
                return false;
            }
            tree.text = "stray".to_owned();
            true
        }
        Slip::UndeclaredElement => {
            if all.text_type(ty).is_none()
                && automaton.is_none_or(|(automaton, _)| has_wildcard(automaton))
                && automaton.is_some()
            {
                return false;
            }
            if all.text_type(ty).is_some() {
                tree.text.clear();
            }
            let at = pick % (tree.children.len() + 1);
            tree.children.insert(at, stranger(&tree.space));
            true
        }
        Slip::MissingElement | Slip::OutOfOrder | Slip::TooMany | Slip::WrongNamespace => {
            let Some((automaton, _)) = automaton.filter(|(automaton, _)| !has_wildcard(automaton))
            else {
                return false;
            };
            let count = tree.children.len();
            for offset in 0..count {
                let at = (pick + offset) % count;
                let before = tree.children.clone();
                match slip {
                    Slip::MissingElement => {
                        tree.children.remove(at);
                    }
                    Slip::OutOfOrder if at + 1 < count => tree.children.swap(at, at + 1),
                    Slip::OutOfOrder => {}
                    Slip::TooMany => {
                        let again = tree.children[at].clone();
                        tree.children.insert(at, again);
                    }
                    _ => tree.children[at].space = "urn:not-this-one".to_owned(),
                }
                if !fits(all, automaton, &tree.children) {
                    return true;
                }
                tree.children = before;
            }
            false
        }
    }
}

fn stranger(space: &str) -> Tree {
    Tree {
        space: space.to_owned(),
        local: "never-declared".to_owned(),
        ty: ANY_TYPE,
        attributes: Vec::new(),
        nil: false,
        text: String::new(),
        children: Vec::new(),
    }
}

fn bad_value(all: &Components, tree: &mut Tree, pick: usize) -> bool {
    const BAD: &[&str] = &[
        "?!",
        "",
        "-",
        " ",
        "99999999999999999999999999999999999999999",
        "not a value",
        "\u{1F600}",
    ];
    let bad_for = |ty: TypeId| {
        let start = pick % BAD.len();
        (0..BAD.len())
            .map(|offset| BAD[(start + offset) % BAD.len()])
            .find(|bad| all.check(ty, bad, &NoScope).is_err())
    };
    if let Some(complex) = all.complex(tree.ty) {
        for (_, local, value) in &mut tree.attributes {
            let declared = complex.attributes.iter().find(|each| {
                all.names.local(each.name) == local
                    && each.value.as_ref().is_none_or(|value| !value.fixed)
            });
            let Some(declared) = declared else { continue };
            if let Some(bad) = bad_for(all.attribute(declared.declaration).ty) {
                *value = bad.to_owned();
                return true;
            }
        }
    }
    // An empty text may be replaced by a default, so only texts with something in them are spoilt.
    match all
        .text_type(tree.ty)
        .filter(|_| !tree.nil && !tree.text.is_empty())
        .and_then(bad_for)
    {
        Some(bad) if !bad.is_empty() => {
            tree.text = bad.to_owned();
            true
        }
        _ => false,
    }
}

fn has_wildcard(automaton: &Automaton) -> bool {
    automaton.admits_wildcards()
}

/// Whether the content model takes these children.
fn fits(all: &Components, automaton: &Automaton, children: &[Tree]) -> bool {
    let mut cursor = automaton.start();
    children.iter().all(|child| {
        let space = all.names.find_space(&child.space);
        let name = space.and_then(|space| all.names.find(space, &child.local));
        let space = if child.space.is_empty() {
            Some(Names::NO_SPACE)
        } else {
            space
        };
        automaton.step(&mut cursor, name, space).is_some()
    }) && automaton.accepts(&cursor)
}

impl Tree {
    fn count(&self) -> usize {
        1 + self.children.iter().map(Tree::count).sum::<usize>()
    }

    fn nth(&mut self, index: &mut usize) -> Option<&mut Tree> {
        if *index == 0 {
            return Some(self);
        }
        *index -= 1;
        for child in &mut self.children {
            let size = child.count();
            if *index < size {
                return child.nth(index);
            }
            *index -= size;
        }
        None
    }
}

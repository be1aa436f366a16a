//! Documents against a schema (Part 1, 3.3.4 and 3.4.4): one walk over the tree.
//!
//! Takes a compiled schema and a roxmltree document; gives violations. The walk keeps its own stack, so no depth of
//! nesting can overflow anything. After an error it goes on where that makes sense: a misnamed child is taken for
//! what it was meant to be, a child out of place is checked by its own declaration, anything else is skipped.

mod attributes;
mod content;
mod hint;
mod identity;
mod report;
mod text;

use std::collections::HashMap;

use roxmltree::{Document, Node};

use crate::automaton::{Automaton, Cursor};
use crate::component::*;
use crate::name::{NameId, Names, NsId, XSI};
use crate::schema::Schema;
use crate::simple::Reference;
use crate::violation::Violation;

/// How to validate.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// Most violations listed for one document.
    pub most: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options { most: 100 }
    }
}

impl Options {
    /// Options with another cap on the number of violations.
    pub fn capped(most: usize) -> Options {
        Options { most }
    }
}

/// One validation under way.
pub(crate) struct Validator<'s, 'd, 'i> {
    all: &'s Components,
    document: &'d Document<'i>,
    options: &'s Options,
    violations: Vec<Violation>,
    /// Some element may have `xsi:type` or `xsi:nil`.
    special: bool,
    lines: Option<crate::lines::Lines<'d>>,
    /// The last namespace looked up, by address; documents use few.
    last_space: Option<(*const u8, usize, Option<NsId>)>,
    ids: HashMap<String, usize>,
    id_references: Vec<(String, Node<'d, 'i>)>,
    /// The type of each element by node number, whether it is nil, and its declaration; kept when identity constraints may ask for it.
    types: Vec<Option<(TypeId, bool, Option<ElementId>)>>,
    identities: identity::Tables<'d, 'i>,
}

/// An element whose children are being walked.
struct Frame<'s, 'd, 'i> {
    node: Node<'d, 'i>,
    next: Option<Node<'d, 'i>>,
    element: Option<ElementId>,
    model: Model<'s>,
    /// An error in the children makes a complaint about what is missing pointless.
    broken: bool,
    /// It carries identity constraints.
    scoped: bool,
}

/// What an open element's children are checked against.
enum Model<'s> {
    Elements {
        automaton: &'s Automaton,
        cursor: Cursor,
        mixed: bool,
        ty: TypeId,
    },
    /// Nothing may stand inside.
    Empty { nil: bool, ty: TypeId },
}

impl<'s, 'd, 'i> Validator<'s, 'd, 'i> {
    pub(crate) fn new(
        schema: &'s Schema,
        document: &'d Document<'i>,
        options: &'s Options,
    ) -> Self {
        let all = &schema.all;
        let text = document.input_text().as_bytes();
        let contains = |needle: &str| memchr::memmem::find(text, needle.as_bytes()).is_some();
        let keep_types = !all.identities.is_empty();
        let count = if keep_types {
            document.descendants().count() + 1
        } else {
            0
        };
        Validator {
            all,
            document,
            options,
            violations: Vec::new(),
            // Character references could spell the namespace name another way.
            special: contains(XSI) || contains("&#"),
            lines: None,
            last_space: None,
            ids: HashMap::new(),
            id_references: Vec::new(),
            types: vec![None; count],
            identities: identity::Tables::default(),
        }
    }

    /// Walks the document and lists what is wrong with it.
    pub(crate) fn run(mut self) -> Vec<Violation> {
        let root = self.document.root_element();
        let mut stack: Vec<Frame<'s, 'd, 'i>> = Vec::new();
        let name = self.name_of(root);
        let declared = name
            .and_then(|name| self.all.global_elements.get(&name))
            .copied();
        match declared {
            Some(element) => stack.extend(self.enter(root, Some(element))),
            None if self.has_type(root) => stack.extend(self.enter(root, None)),
            None => self.undeclared_root(root),
        }
        while let Some(frame) = stack.last_mut() {
            if self.violations.len() >= self.options.most {
                break;
            }
            let Some(child) = frame.next else {
                if let Some(frame) = stack.pop() {
                    self.leave(frame);
                }
                continue;
            };
            frame.next = child.next_sibling();
            if child.is_element() {
                let entered = self.child(frame, child);
                stack.extend(entered);
            } else if child.is_text() {
                self.loose_text(frame, child);
            }
        }
        self.check_id_references();
        self.violations.truncate(self.options.most);
        self.violations
    }

    /// Starts on an element. Gives a frame if its children have to be walked.
    fn enter(
        &mut self,
        node: Node<'d, 'i>,
        element: Option<ElementId>,
    ) -> Option<Frame<'s, 'd, 'i>> {
        let declaration = element.map(|element| self.all.element(element));
        if let Some(declaration) = declaration
            && declaration.is_abstract
        {
            self.abstract_element(node, declaration);
        }
        let special = if self.special {
            self.special_attributes(node)
        } else {
            attributes::Special::default()
        };
        let mut ty = declaration.map_or(ANY_TYPE, |declaration| declaration.ty);
        let before = self.violations.len();
        if let Some(text) = special.ty {
            ty = self.instance_type(node, declaration, ty, text)?;
        }
        let nil = match special.nil {
            Some(text) => self.nil(node, declaration, text),
            None => false,
        };
        if let Some(slot) = self.types.get_mut(node.id().get_usize()) {
            *slot = Some((ty, nil, element));
        }
        let scoped = declaration.is_some_and(|declaration| !declaration.identities.is_empty());
        let definition = self.all.ty(ty);
        let model = match &definition.kind {
            Kind::Simple(_) => {
                self.bare_attributes(node, ty);
                self.simple_text(node, declaration, ty, ty, nil);
                None
            }
            Kind::Complex(complex) => {
                // A wrong xsi:type has been reported; that the declared type is abstract would only repeat it.
                if complex.is_abstract && (special.ty.is_none() || self.violations.len() == before)
                {
                    self.abstract_type(node, ty);
                }
                self.attributes(node, ty, complex);
                match &complex.content {
                    Content::Simple(simple) => {
                        self.simple_text(node, declaration, ty, *simple, nil);
                        None
                    }
                    _ if nil => Some(Model::Empty { nil: true, ty }),
                    Content::Empty => Some(Model::Empty { nil: false, ty }),
                    Content::Elements {
                        mixed, automaton, ..
                    } => {
                        if *mixed {
                            self.mixed_value(node, declaration);
                        }
                        automaton.as_deref().map(|automaton| Model::Elements {
                            automaton,
                            cursor: automaton.start(),
                            mixed: *mixed,
                            ty,
                        })
                    }
                }
            }
        };
        match model {
            Some(model) => Some(Frame {
                node,
                next: node.first_child(),
                element,
                model,
                broken: false,
                scoped,
            }),
            None => {
                if scoped {
                    self.check_identities(node, element);
                }
                None
            }
        }
    }

    /// Ends an element whose children were walked.
    fn leave(&mut self, frame: Frame<'s, 'd, 'i>) {
        if let Model::Elements {
            automaton,
            cursor,
            ty,
            ..
        } = &frame.model
            && !frame.broken
            && !automaton.accepts(cursor)
        {
            self.incomplete(frame.node, automaton, cursor, *ty);
        }
        if frame.scoped {
            self.check_identities(frame.node, frame.element);
        }
    }

    /// The schema's number for an element's name, if it has one.
    fn name_of(&mut self, node: Node<'d, 'i>) -> Option<NameId> {
        let tag = node.tag_name();
        let space = self.space(tag.namespace())?;
        self.all.names.find(space, tag.name())
    }

    /// The schema's number for a namespace.
    fn space(&mut self, uri: Option<&str>) -> Option<NsId> {
        let Some(uri) = uri else {
            return Some(Names::NO_SPACE);
        };
        if let Some((at, length, space)) = self.last_space
            && at == uri.as_ptr()
            && length == uri.len()
        {
            return space;
        }
        let space = self.all.names.find_space(uri);
        self.last_space = Some((uri.as_ptr(), uri.len(), space));
        space
    }

    fn note_references(
        &mut self,
        node: Node<'d, 'i>,
        references: Vec<Reference>,
        span: std::ops::Range<usize>,
    ) {
        for reference in references {
            match reference {
                Reference::Id(id) => {
                    if let Some(first) = self.ids.insert(id.clone(), span.start) {
                        self.duplicate_id(node, &id, span.clone(), first);
                    }
                }
                Reference::IdRef(id) => self.id_references.push((id, node)),
                Reference::Entity(name) => self.undeclared_entity(node, &name, span.clone()),
            }
        }
    }
}

//! From a finding inside the walk to a [`Violation`]: path, position, schema line.

use std::ops::Range;

use roxmltree::Node;

use super::Validator;
use crate::component::{Element, Place, Spaces, TypeId, Wildcard};
use crate::lines::{Lines, Position};
use crate::load::syntax::tag;
use crate::name::{NameId, NsId};
use crate::violation::{SchemaPlace, Violation};

/// A violation before its places are worked out.
pub(super) struct Draft<'d, 'i> {
    pub(super) code: &'static str,
    /// The element at fault, or the one whose attribute or text is.
    pub(super) node: Node<'d, 'i>,
    pub(super) attribute: Option<String>,
    pub(super) span: Range<usize>,
    pub(super) message: String,
    pub(super) found: Option<String>,
    pub(super) expected: Vec<String>,
    pub(super) place: Option<Place>,
    pub(super) hint: Option<String>,
}

impl<'d, 'i> Validator<'_, 'd, 'i> {
    pub(super) fn push(&mut self, draft: Draft<'d, 'i>) {
        if self.violations.len() >= self.options.most {
            return;
        }
        let Position { line, column } = self.position(draft.span.start);
        let mut path = path(draft.node);
        if let Some(attribute) = &draft.attribute {
            path.push_str("/@");
            path.push_str(attribute.rsplit('}').next().unwrap_or(attribute));
        }
        let schema = draft.place.and_then(|place| {
            let uri = self.all.sources.get(place.source as usize)?;
            Some(SchemaPlace {
                uri: uri.clone(),
                line: place.line,
            })
        });
        self.violations.push(Violation {
            code: draft.code,
            path,
            span: draft.span,
            line,
            column,
            message: draft.message,
            found: draft.found,
            expected: draft.expected,
            schema,
            hint: draft.hint,
        });
    }

    pub(super) fn position(&mut self, offset: usize) -> Position {
        let text: &'d str = self.document.input_text();
        self.lines
            .get_or_insert_with(|| Lines::new(text))
            .position(offset)
    }

    pub(super) fn undeclared_root(&mut self, root: Node<'d, 'i>) {
        let label = self.element_label(root);
        let names: Vec<NameId> = self.all.global_elements.keys().copied().collect();
        let mut expected: Vec<String> = names
            .iter()
            .map(|name| self.all.names.show(*name))
            .collect();
        expected.sort();
        let hint = self.root_hint(root);
        self.push(Draft {
            code: "cvc-elt.1",
            node: root,
            attribute: None,
            span: tag(root),
            message: format!("no schema declares the root element {label}"),
            found: Some(label),
            expected,
            place: None,
            hint,
        });
    }

    pub(super) fn abstract_element(&mut self, node: Node<'d, 'i>, declaration: &Element) {
        let members = self
            .all
            .global_elements
            .get(&declaration.name)
            .and_then(|head| self.all.members.get(head));
        let expected = members.map_or_else(Vec::new, |members| {
            members
                .iter()
                .map(|member| {
                    self.all
                        .names
                        .local(self.all.element(*member).name)
                        .to_owned()
                })
                .collect()
        });
        self.push(Draft {
            code: "cvc-elt.2",
            node,
            attribute: None,
            span: tag(node),
            message: format!(
                "<{}> is abstract; a member of its substitution group has to stand here",
                node.tag_name().name()
            ),
            found: Some(self.element_label(node)),
            expected,
            place: Some(declaration.place),
            hint: None,
        });
    }

    pub(super) fn abstract_type(&mut self, node: Node<'d, 'i>, ty: TypeId) {
        let name = self.all.show_type(ty);
        let mut expected: Vec<String> = (0..self.all.types.len() as u32)
            .map(TypeId)
            .filter(|other| *other != ty && self.all.derives(*other, ty, Default::default()))
            .filter(|other| {
                self.all
                    .complex(*other)
                    .is_some_and(|complex| !complex.is_abstract)
            })
            .filter_map(|other| self.all.ty(other).name)
            .map(|name| self.all.names.local(name).to_owned())
            .collect();
        expected.sort();
        self.push(Draft {
            code: "cvc-type.2",
            node,
            attribute: None,
            span: tag(node),
            message: format!(
                "the type {name} of <{}> is abstract; xsi:type has to name one derived from it",
                node.tag_name().name()
            ),
            found: Some(name),
            expected,
            place: Some(self.all.ty(ty).place),
            hint: None,
        });
    }

    /// `<name>` of an element in the document, with its namespace where that differs from its parent's.
    pub(super) fn element_label(&self, node: Node<'d, 'i>) -> String {
        let own = uri(node);
        let local = node.tag_name().name();
        if node
            .parent_element()
            .is_some_and(|parent| uri(parent) == own)
        {
            return format!("<{local}>");
        }
        match own {
            "" => format!("<{local}> in no namespace"),
            own => format!("<{local}> in the namespace \"{own}\""),
        }
    }

    /// `<name>` of a name in the schema, with its namespace where that is not `home`.
    pub(super) fn name_label(&self, name: NameId, home: Option<NsId>) -> String {
        let (local, space) = (self.all.names.local(name), self.all.names.space_of(name));
        if Some(space) == home {
            return format!("<{local}>");
        }
        match self.all.names.uri(space) {
            "" => format!("<{local}> in no namespace"),
            uri => format!("<{local}> in the namespace \"{uri}\""),
        }
    }

    pub(super) fn wildcard_label(&self, wildcard: &Wildcard) -> String {
        let show = |space: &NsId| match self.all.names.uri(*space) {
            "" => "no namespace".to_owned(),
            uri => format!("\"{uri}\""),
        };
        match &wildcard.spaces {
            Spaces::Any => "any element".to_owned(),
            Spaces::Not(space) => format!("any element outside {}", show(space)),
            Spaces::Set(set) => {
                let names: Vec<String> = set.iter().map(show).collect();
                format!("any element of {}", names.join(", "))
            }
        }
    }
}

/// An element's namespace name; empty for none, however that is written.
pub(super) fn uri<'d>(node: Node<'d, '_>) -> &'d str {
    node.tag_name().namespace().unwrap_or("")
}

/// Local names from the root, with 1-based indexes among siblings of the same name below it.
pub(super) fn path(node: Node<'_, '_>) -> String {
    let mut steps = Vec::new();
    let mut at = Some(node);
    while let Some(node) = at.filter(Node::is_element) {
        let name = node.tag_name().name();
        at = node.parent_element();
        if at.is_some() {
            let mut index = 1;
            let mut before = node.prev_sibling();
            while let Some(sibling) = before {
                if sibling.is_element() && sibling.tag_name().name() == name {
                    index += 1;
                }
                before = sibling.prev_sibling();
            }
            steps.push(format!("/{name}[{index}]"));
        } else {
            steps.push(format!("/{name}"));
        }
    }
    steps.reverse();
    steps.concat()
}

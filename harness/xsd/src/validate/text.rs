//! Text content: simple types, default and fixed values, IDs (cvc-type.3.1, cvc-elt.5, cvc-id).

use std::borrow::Cow;

use roxmltree::Node;

use super::Validator;
use super::attributes::same_value;
use super::content::quote;
use super::report::Draft;
use crate::component::*;
use crate::load::syntax::tag;

impl<'s, 'd, 'i> Validator<'s, 'd, 'i> {
    /// An element whose content is a simple type.
    pub(super) fn simple_text(
        &mut self,
        node: Node<'d, 'i>,
        declaration: Option<&Element>,
        ty: TypeId,
        simple: TypeId,
        nil: bool,
    ) {
        let mut text: Cow<'d, str> = Cow::Borrowed("");
        let mut span = None;
        for child in node.children() {
            if child.is_element() {
                let code = if nil {
                    "cvc-elt.3.2.1"
                } else if simple == ty {
                    "cvc-type.3.1.2"
                } else {
                    "cvc-complex-type.2.2"
                };
                let message = format!(
                    "<{}> contains text only; <{}> is not allowed in it",
                    node.tag_name().name(),
                    child.tag_name().name()
                );
                let hint = self.elsewhere(child, ty);
                self.push(Draft {
                    code,
                    node: child,
                    attribute: None,
                    span: tag(child),
                    message,
                    found: Some(self.element_label(child)),
                    expected: Vec::new(),
                    place: Some(match (self.all.ty(ty).place, declaration) {
                        (Place::BUILT_IN, Some(declaration)) => declaration.place,
                        (place, _) => place,
                    }),
                    hint,
                });
                return;
            }
            if let (true, Some(part)) = (child.is_text(), child.text()) {
                span.get_or_insert(child.range());
                if text.is_empty() {
                    text = Cow::Borrowed(part);
                } else {
                    text.to_mut().push_str(part);
                }
            }
        }
        let span = span.unwrap_or_else(|| tag(node));
        if nil {
            if !text.is_empty() {
                self.push(Draft {
                    code: "cvc-elt.3.2.1",
                    node,
                    attribute: None,
                    span,
                    message: format!("<{}> is nil, so it has to be empty", node.tag_name().name()),
                    found: Some(quote(&text)),
                    expected: Vec::new(),
                    place: declaration.map(|declaration| declaration.place),
                    hint: None,
                });
            }
            return;
        }
        let constraint = declaration.and_then(|declaration| declaration.value.as_ref());
        let defaulted = constraint.filter(|_| text.is_empty());
        let text: &str = defaulted.map_or(&text, |constraint| &constraint.text);
        // A default was checked against the declared type when the schema was compiled.
        let checked =
            defaulted.is_some() && declaration.is_some_and(|declaration| declaration.ty == ty);
        if !checked && let Err(fault) = self.all.check(simple, text, &node) {
            let hint = self.value_hint(text, &fault);
            let place = match (fault.place, declaration) {
                (Place::BUILT_IN, Some(declaration)) => declaration.place,
                (place, _) => place,
            };
            self.push(Draft {
                code: fault.code,
                node,
                attribute: None,
                span,
                message: format!(
                    "the content {} of <{}> {}",
                    quote(text),
                    node.tag_name().name(),
                    fault.what
                ),
                found: Some(quote(text)),
                expected: fault.expected,
                place: Some(place),
                hint,
            });
            return;
        }
        if let Some(constraint) =
            constraint.filter(|constraint| constraint.fixed && defaulted.is_none())
            && !same_value(self.all.value(simple, text, &node), constraint)
        {
            self.not_fixed(node, declaration, constraint, text, span.clone());
        }
        if self.all.simple(simple).is_some_and(|simple| simple.refers) {
            let mut references = Vec::new();
            self.all.references(simple, text, &node, &mut references);
            self.note_references(node, references, span);
        }
    }

    /// The fixed value of an element with mixed content (cvc-elt.5.2.2.2.1).
    pub(super) fn mixed_value(&mut self, node: Node<'d, 'i>, declaration: Option<&Element>) {
        let Some(constraint) = declaration
            .and_then(|declaration| declaration.value.as_ref())
            .filter(|constraint| constraint.fixed && node.has_children())
        else {
            return;
        };
        if let Some(child) = node.children().find(Node::is_element) {
            self.push(Draft {
                code: "cvc-elt.5.2.2.1",
                node: child,
                attribute: None,
                span: tag(child),
                message: format!(
                    "<{}> has a fixed value, so it cannot contain elements",
                    node.tag_name().name()
                ),
                found: Some(self.element_label(child)),
                expected: vec![format!("\"{}\"", constraint.text)],
                place: declaration.map(|declaration| declaration.place),
                hint: None,
            });
            return;
        }
        let text: String = node
            .children()
            .filter(Node::is_text)
            .filter_map(|child| child.text())
            .collect();
        if text != *constraint.text {
            self.not_fixed(node, declaration, constraint, &text, tag(node));
        }
    }

    fn not_fixed(
        &mut self,
        node: Node<'d, 'i>,
        declaration: Option<&Element>,
        constraint: &Constraint,
        text: &str,
        span: std::ops::Range<usize>,
    ) {
        self.push(Draft {
            code: "cvc-elt.5.2.2.2",
            node,
            attribute: None,
            span,
            message: format!(
                "the content {} of <{}> is not the fixed value \"{}\"",
                quote(text),
                node.tag_name().name(),
                constraint.text
            ),
            found: Some(quote(text)),
            expected: vec![format!("\"{}\"", constraint.text)],
            place: declaration.map(|declaration| declaration.place),
            hint: None,
        });
    }

    pub(super) fn duplicate_id(
        &mut self,
        node: Node<'d, 'i>,
        id: &str,
        span: std::ops::Range<usize>,
        first: usize,
    ) {
        let line = self.position(first).line;
        self.push(Draft {
            code: "cvc-id.2",
            node,
            attribute: None,
            span,
            message: format!("the ID \"{id}\" was already used in line {line}"),
            found: Some(quote(id)),
            expected: Vec::new(),
            place: None,
            hint: None,
        });
    }

    pub(super) fn undeclared_entity(
        &mut self,
        node: Node<'d, 'i>,
        name: &str,
        span: std::ops::Range<usize>,
    ) {
        self.push(Draft {
            code: "cvc-entity",
            node,
            attribute: None,
            span,
            message: format!("\"{name}\" is not an unparsed entity; the document has no document type declaration"),
            found: Some(quote(name)),
            expected: Vec::new(),
            place: None,
            hint: None,
        });
    }

    pub(super) fn check_id_references(&mut self) {
        for (id, node) in std::mem::take(&mut self.id_references) {
            if self.ids.contains_key(&id) {
                continue;
            }
            self.push(Draft {
                code: "cvc-id.1",
                node,
                attribute: None,
                span: tag(node),
                message: format!("nothing in the document has the ID \"{id}\""),
                found: Some(quote(&id)),
                expected: Vec::new(),
                place: None,
                hint: None,
            });
        }
    }
}

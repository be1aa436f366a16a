//! Attributes against their uses (cvc-complex-type.3 to .5), and the four attributes of XSI.

use roxmltree::{Attribute as Node_Attribute, Node};

use super::Validator;
use super::content::quote;
use super::report::Draft;
use crate::component::*;
use crate::load::syntax::tag;
use crate::name::{Names, NsId, XSI};
use crate::value::{Value, bound};

/// What `xsi:type` and `xsi:nil` say on an element.
#[derive(Default)]
pub(super) struct Special<'d> {
    pub(super) ty: Option<&'d str>,
    pub(super) nil: Option<&'d str>,
}

/// What admits an attribute.
enum Slot<'s> {
    Use(&'s AttributeUse),
    Declaration(AttributeId),
    Skipped,
}

impl<'s, 'd, 'i> Validator<'s, 'd, 'i> {
    pub(super) fn special_attributes(&mut self, node: Node<'d, 'i>) -> Special<'d> {
        let mut special = Special::default();
        for attribute in node.attributes() {
            if attribute.namespace() == Some(XSI) {
                match attribute.name() {
                    "type" => special.ty = Some(attribute.value()),
                    "nil" => special.nil = Some(attribute.value()),
                    _ => {}
                }
            }
        }
        special
    }

    pub(super) fn has_type(&self, node: Node<'d, 'i>) -> bool {
        node.attribute((XSI, "type")).is_some()
    }

    /// The type that `xsi:type` names, if it may stand for the declared one (cvc-elt.4).
    pub(super) fn instance_type(
        &mut self,
        node: Node<'d, 'i>,
        declaration: Option<&Element>,
        declared: TypeId,
        text: &str,
    ) -> Option<TypeId> {
        let text = text.trim_matches([' ', '\t', '\n', '\r']);
        let found = crate::value::lexical::qname(text).and_then(|(prefix, local)| {
            let uri = bound(node, prefix)?;
            let space = self.all.names.find_space(uri)?;
            let name = self.all.names.find(space, local)?;
            self.all.global_types.get(&name).copied()
        });
        let place = declaration.map(|declaration| declaration.place);
        let span = node
            .attribute_node((XSI, "type"))
            .map_or_else(|| tag(node), |attribute| attribute.range_value());
        let Some(ty) = found else {
            let hint = self.type_hint(node, text);
            self.push(Draft {
                code: "cvc-elt.4.2",
                node,
                attribute: Some("xsi:type".to_owned()),
                span,
                message: format!("xsi:type names \"{text}\", which the schema does not define"),
                found: Some(quote(text)),
                expected: Vec::new(),
                place,
                hint,
            });
            return if declaration.is_some() {
                Some(declared)
            } else {
                None
            };
        };
        let blocked = match (declaration, &self.all.ty(declared).kind) {
            (Some(declaration), Kind::Complex(complex)) => declaration.block.with(complex.block),
            (Some(declaration), Kind::Simple(_)) => declaration.block,
            (None, _) => Derivations::default(),
        };
        if !self.all.derives(ty, declared, Derivations(blocked.0 & 3)) {
            let (named, wanted) = (self.all.show_type(ty), self.all.show_type(declared));
            let why = if self.all.derives(ty, declared, Derivations::default()) {
                "by a derivation that is blocked here"
            } else {
                "which it does not derive from"
            };
            self.push(Draft {
                code: "cvc-elt.4.3",
                node,
                attribute: Some("xsi:type".to_owned()),
                span,
                message: format!("xsi:type names {named}, which cannot stand for {wanted}, {why}"),
                found: Some(named),
                expected: vec![wanted],
                place,
                hint: None,
            });
            return Some(declared);
        }
        Some(ty)
    }

    /// Whether the element is nil (cvc-elt.3).
    pub(super) fn nil(
        &mut self,
        node: Node<'d, 'i>,
        declaration: Option<&Element>,
        text: &str,
    ) -> bool {
        let trimmed = text.trim_matches([' ', '\t', '\n', '\r']);
        let span = node
            .attribute_node((XSI, "nil"))
            .map_or_else(|| tag(node), |attribute| attribute.range_value());
        let nil = matches!(trimmed, "true" | "1");
        let name = node.tag_name().name();
        let (code, message, expected) = if !matches!(trimmed, "true" | "false" | "1" | "0") {
            (
                "cvc-datatype-valid.1.2.1",
                format!("xsi:nil is \"{trimmed}\", not true or false"),
                vec!["true".to_owned(), "false".to_owned()],
            )
        } else if declaration.is_some_and(|declaration| !declaration.nillable) {
            (
                "cvc-elt.3.1",
                format!("<{name}> is not nillable, so it cannot have xsi:nil"),
                Vec::new(),
            )
        } else if nil
            && declaration.is_some_and(|declaration| {
                declaration.value.as_ref().is_some_and(|value| value.fixed)
            })
        {
            (
                "cvc-elt.3.2.2",
                format!("<{name}> has a fixed value, so it cannot be nil"),
                Vec::new(),
            )
        } else {
            // Without a declaration there is nothing that nil could lift (cvc-complex-type.2).
            return nil && declaration.is_some();
        };
        self.push(Draft {
            code,
            node,
            attribute: Some("xsi:nil".to_owned()),
            span,
            message,
            found: Some(quote(text)),
            expected,
            place: declaration.map(|declaration| declaration.place),
            hint: None,
        });
        nil
    }

    /// An element of simple type has no attributes but those of XSI.
    pub(super) fn bare_attributes(&mut self, node: Node<'d, 'i>, ty: TypeId) {
        for attribute in node.attributes() {
            if attribute.namespace() == Some(XSI) && is_xsi(attribute.name()) {
                continue;
            }
            let name = label(&attribute);
            self.push(Draft {
                code: "cvc-type.3.1.1",
                node,
                attribute: Some(name.clone()),
                span: attribute.range_qname(),
                message: format!(
                    "<{}> has a simple type, so it cannot have the attribute {name}",
                    node.tag_name().name()
                ),
                found: Some(name),
                expected: Vec::new(),
                place: Some(self.all.ty(ty).place),
                hint: None,
            });
        }
    }

    pub(super) fn attributes(&mut self, node: Node<'d, 'i>, ty: TypeId, complex: &'s Complex) {
        let mut required_seen = 0;
        let mut wild_id = false;
        for attribute in node.attributes() {
            let space = match attribute.namespace() {
                None => Some(Names::NO_SPACE),
                Some(XSI) if is_xsi(attribute.name()) => continue,
                Some(uri) => self.all.names.find_space(uri),
            };
            let Some(slot) = self.slot(complex, space, &attribute) else {
                self.stray_attribute(node, ty, complex, &attribute);
                continue;
            };
            let (declaration, value) = match slot {
                Slot::Use(each) => {
                    required_seen += usize::from(each.required);
                    (each.declaration, each.value.as_ref())
                }
                Slot::Declaration(id) => {
                    let declaration = self.all.attribute(id);
                    let is_id = |ty| {
                        let simple = self.all.simple(ty);
                        simple.is_some_and(|simple| simple.lexical == Lexical::Id)
                    };
                    if is_id(declaration.ty) {
                        let another = complex
                            .attributes
                            .iter()
                            .any(|each| is_id(self.all.attribute(each.declaration).ty));
                        if std::mem::replace(&mut wild_id, true) || another {
                            self.second_id(node, &attribute);
                        }
                    }
                    (id, declaration.value.as_ref())
                }
                Slot::Skipped => continue,
            };
            self.attribute_value(node, &attribute, declaration, value);
        }
        if required_seen < complex.required {
            for each in complex.attributes.iter().filter(|each| each.required) {
                self.missing_attribute(node, each);
            }
        }
    }

    fn slot(
        &self,
        complex: &'s Complex,
        space: Option<NsId>,
        attribute: &Node_Attribute<'d, 'i>,
    ) -> Option<Slot<'s>> {
        let name = space.and_then(|space| self.all.names.find(space, attribute.name()));
        if let Some(name) = name {
            let uses = &complex.attributes;
            let found = if uses.len() <= 8 {
                uses.iter().find(|each| each.name == name)
            } else {
                uses.binary_search_by_key(&name, |each| each.name)
                    .ok()
                    .and_then(|at| uses.get(at))
            };
            if let Some(found) = found {
                return Some(Slot::Use(found));
            }
        }
        let wildcard = complex
            .wildcard
            .as_ref()
            .filter(|wildcard| wildcard.spaces.admit(space))?;
        let declared = name.and_then(|name| self.all.global_attributes.get(&name));
        match (wildcard.process, declared) {
            (Process::Skip, _) => Some(Slot::Skipped),
            (_, Some(id)) => Some(Slot::Declaration(*id)),
            (Process::Lax, None) => Some(Slot::Skipped),
            (Process::Strict, None) => None,
        }
    }

    fn attribute_value(
        &mut self,
        node: Node<'d, 'i>,
        attribute: &Node_Attribute<'d, 'i>,
        declaration: AttributeId,
        constraint: Option<&Constraint>,
    ) {
        let declaration = self.all.attribute(declaration);
        let text = attribute.value();
        if let Err(fault) = self.all.check(declaration.ty, text, &node) {
            let hint = self.value_hint(text, &fault);
            self.push(Draft {
                code: fault.code,
                node,
                attribute: Some(label(attribute)),
                span: attribute.range_value(),
                message: format!(
                    "the value {} of {} {}",
                    quote(text),
                    label(attribute),
                    fault.what
                ),
                found: Some(quote(text)),
                expected: fault.expected,
                place: Some(if fault.place == Place::BUILT_IN {
                    declaration.place
                } else {
                    fault.place
                }),
                hint,
            });
            return;
        }
        if let Some(constraint) = constraint.filter(|constraint| constraint.fixed)
            && !same_value(self.all.value(declaration.ty, text, &node), constraint)
        {
            self.push(Draft {
                code: "cvc-attribute.4",
                node,
                attribute: Some(label(attribute)),
                span: attribute.range_value(),
                message: format!(
                    "the value {} of {} is not the fixed value \"{}\"",
                    quote(text),
                    label(attribute),
                    constraint.text
                ),
                found: Some(quote(text)),
                expected: vec![format!("\"{}\"", constraint.text)],
                place: Some(declaration.place),
                hint: None,
            });
        }
        if self
            .all
            .simple(declaration.ty)
            .is_some_and(|simple| simple.refers)
        {
            let mut references = Vec::new();
            self.all
                .references(declaration.ty, text, &node, &mut references);
            self.note_references(node, references, attribute.range_value());
        }
    }

    fn stray_attribute(
        &mut self,
        node: Node<'d, 'i>,
        ty: TypeId,
        complex: &Complex,
        attribute: &Node_Attribute<'d, 'i>,
    ) {
        let name = label(attribute);
        let element = node.tag_name().name();
        let admitted = complex.wildcard.as_ref().is_some_and(|wildcard| {
            let space = attribute
                .namespace()
                .map_or(Some(Names::NO_SPACE), |uri| self.all.names.find_space(uri));
            wildcard.spaces.admit(space)
        });
        let message = if admitted {
            format!(
                "a wildcard admits the attribute {name} on <{element}>, but no schema declares it"
            )
        } else {
            format!("<{element}> has no attribute {name}")
        };
        let expected: Vec<String> = complex
            .attributes
            .iter()
            .map(|each| self.all.names.local(each.name).to_owned())
            .collect();
        let hint = self.attribute_hint(node, complex, attribute);
        self.push(Draft {
            code: "cvc-complex-type.3.2.2",
            node,
            attribute: Some(name.clone()),
            span: attribute.range_qname(),
            message,
            found: Some(name),
            expected,
            place: Some(self.all.ty(ty).place),
            hint,
        });
    }

    fn missing_attribute(&mut self, node: Node<'d, 'i>, each: &AttributeUse) {
        let local = self.all.names.local(each.name);
        let uri = self.all.names.uri(self.all.names.space_of(each.name));
        let present = match uri {
            "" => node.attribute(local).is_some(),
            uri => node.attribute((uri, local)).is_some(),
        };
        if present {
            return;
        }
        let hint = self.missing_hint(node, each);
        self.push(Draft {
            code: "cvc-complex-type.4",
            node,
            attribute: None,
            span: tag(node),
            message: format!("<{}> needs the attribute {local}", node.tag_name().name()),
            found: None,
            expected: vec![local.to_owned()],
            place: Some(each.place),
            hint,
        });
    }

    fn second_id(&mut self, node: Node<'d, 'i>, attribute: &Node_Attribute<'d, 'i>) {
        self.push(Draft {
            code: "cvc-complex-type.5.1",
            node,
            attribute: Some(label(attribute)),
            span: attribute.range_qname(),
            message: format!(
                "<{}> may have only one attribute of type xs:ID",
                node.tag_name().name()
            ),
            found: Some(label(attribute)),
            expected: Vec::new(),
            place: None,
            hint: None,
        });
    }
}

fn is_xsi(local: &str) -> bool {
    matches!(
        local,
        "type" | "nil" | "schemaLocation" | "noNamespaceSchemaLocation"
    )
}

/// An attribute's name for messages.
pub(super) fn label(attribute: &Node_Attribute<'_, '_>) -> String {
    match attribute.namespace() {
        None => attribute.name().to_owned(),
        Some(crate::name::XML) => format!("xml:{}", attribute.name()),
        Some(XSI) => format!("xsi:{}", attribute.name()),
        Some(uri) => format!("{{{uri}}}{}", attribute.name()),
    }
}

/// Whether a value is the one a declaration fixes.
pub(super) fn same_value(value: Option<Value>, constraint: &Constraint) -> bool {
    match (&value, &constraint.value) {
        (Some(value), Some(fixed)) => value == fixed,
        _ => false,
    }
}

//! Identity constraints (cvc-identity-constraint): unique, key and keyref over typed values.
//!
//! Evaluated when the element that carries them is complete, since then the types of everything below are known.

use std::collections::HashMap;

use roxmltree::{Attribute as Node_Attribute, Node, NodeId};

use super::Validator;
use super::content::quote;
use super::report::Draft;
use crate::component::*;
use crate::load::syntax::tag;
use crate::value::Value;

/// The keys of one element's constraint.
type Table<'d, 'i> = HashMap<Vec<Value>, Node<'d, 'i>>;

/// The tables of constraints that keyrefs refer to, in the order their elements ended.
#[derive(Default)]
pub(super) struct Tables<'d, 'i> {
    found: Vec<(IdentityId, NodeId, Table<'d, 'i>)>,
}

/// What one field of one selected node evaluates to.
enum Field {
    Value(Value),
    Absent,
    Nil,
}

impl<'d, 'i> Validator<'_, 'd, 'i> {
    pub(super) fn check_identities(&mut self, node: Node<'d, 'i>, element: Option<ElementId>) {
        let Some(element) = element else { return };
        let identities = &self.all.element(element).identities;
        for id in identities {
            let identity = &self.all.identities[id.at()];
            if !matches!(identity.kind, IdentityKind::KeyRef(_)) {
                let table = self.collect(node, identity, true);
                if identity.referred {
                    self.identities.found.push((*id, node.id(), table));
                }
            }
        }
        for id in identities {
            let identity = &self.all.identities[id.at()];
            if let IdentityKind::KeyRef(Some(key)) = identity.kind {
                self.check_references(node, identity, key);
            }
        }
    }

    /// The keys of a constraint; reports what is missing or, for unique and key, double.
    fn collect(&mut self, node: Node<'d, 'i>, identity: &Identity, unique: bool) -> Table<'d, 'i> {
        let mut table = Table::new();
        let name = self.all.names.local(identity.name);
        let is_key = identity.kind == IdentityKind::Key;
        for selected in select(node, &identity.selector) {
            let mut key = Vec::with_capacity(identity.fields.len());
            let mut lack = None;
            // All fields are looked at: each has to select one simple value, or none (clause 3).
            for field in &identity.fields {
                match self.field(selected, field, identity) {
                    Some(Field::Value(value)) => key.push(value),
                    Some(Field::Absent) if is_key => {
                        lack = lack.or(Some(format!("the key \"{name}\" lacks a field here")));
                    }
                    Some(Field::Nil) if is_key => {
                        lack = lack.or(Some(format!("a field of the key \"{name}\" is nil here")));
                    }
                    _ => {}
                }
            }
            if let Some(message) = lack {
                self.push(Draft {
                    code: "cvc-identity-constraint.4.2.1",
                    node: selected,
                    attribute: None,
                    span: tag(selected),
                    message,
                    found: None,
                    expected: Vec::new(),
                    place: Some(identity.place),
                    hint: None,
                });
                continue;
            }
            if key.len() < identity.fields.len() {
                continue;
            }
            if let Some(first) = table.get(&key).filter(|_| unique) {
                let line = self.position(first.range().start).line;
                let (code, kind) = match identity.kind {
                    IdentityKind::Key => ("cvc-identity-constraint.4.2.2", "key"),
                    _ => ("cvc-identity-constraint.4.1", "unique"),
                };
                let text = self.key_text(selected, identity);
                self.push(Draft {
                    code,
                    node: selected,
                    attribute: None,
                    span: tag(selected),
                    message: format!("the value {text} of the {kind} constraint \"{name}\" already occurs in line {line}"),
                    found: Some(text),
                    expected: Vec::new(),
                    place: Some(identity.place),
                    hint: None,
                });
                continue;
            }
            table.entry(key).or_insert(selected);
        }
        table
    }

    fn check_references(&mut self, node: Node<'d, 'i>, identity: &Identity, key: IdentityId) {
        let references = self.collect_all(node, identity);
        if references.is_empty() {
            return;
        }
        // The tables of this element's subtree are those noted since it began.
        let start = self.first_within(node);
        let mut missing = Vec::new();
        for (values, selected) in references {
            let tables = self.identities.found[start..]
                .iter()
                .filter(|(id, ..)| *id == key);
            let mut owners = tables.filter(|(_, _, table)| table.contains_key(&values));
            let own = owners.clone().any(|(_, at, _)| *at == node.id());
            let found = own || (owners.next().is_some() && owners.next().is_none());
            if !found {
                missing.push(selected);
            }
        }
        let (name, key_name) = (
            self.all.names.local(identity.name),
            self.all.names.local(self.all.identities[key.at()].name),
        );
        for selected in missing {
            let text = self.key_text(selected, identity);
            self.push(Draft {
                code: "cvc-identity-constraint.4.3",
                node: selected,
                attribute: None,
                span: tag(selected),
                message: format!("the keyref \"{name}\" has the value {text}, which the key \"{key_name}\" does not"),
                found: Some(text),
                expected: Vec::new(),
                place: Some(identity.place),
                hint: None,
            });
        }
    }

    /// The first table noted for an element inside `node`; tables are noted as elements end, so those of the
    /// subtree are the last ones.
    fn first_within(&self, node: Node<'d, 'i>) -> usize {
        let found = &self.identities.found;
        let outside = found
            .iter()
            .rposition(|(_, at, _)| at.get() < node.id().get());
        outside.map_or(0, |at| at + 1)
    }

    fn collect_all(
        &mut self,
        node: Node<'d, 'i>,
        identity: &Identity,
    ) -> Vec<(Vec<Value>, Node<'d, 'i>)> {
        let mut out = Vec::new();
        for selected in select(node, &identity.selector) {
            let mut key = Vec::with_capacity(identity.fields.len());
            for field in &identity.fields {
                if let Some(Field::Value(value)) = self.field(selected, field, identity) {
                    key.push(value);
                }
            }
            if key.len() == identity.fields.len() {
                out.push((key, selected));
            }
        }
        out
    }

    /// The value of a field; `None` after reporting that it selects more than one node or no simple value.
    fn field(
        &mut self,
        selected: Node<'d, 'i>,
        paths: &[Path],
        identity: &Identity,
    ) -> Option<Field> {
        let mut found: Vec<Target<'d, 'i>> = Vec::new();
        for path in paths {
            targets(selected, path, &mut found);
        }
        if found.len() > 1 {
            let name = self.all.names.local(identity.name);
            self.push(Draft {
                code: "cvc-identity-constraint.3",
                node: selected,
                attribute: None,
                span: tag(selected),
                message: format!(
                    "a field of the constraint \"{name}\" selects more than one node here"
                ),
                found: None,
                expected: Vec::new(),
                place: Some(identity.place),
                hint: None,
            });
            return None;
        }
        match found.pop() {
            None => Some(
                self.default_field(selected, paths)
                    .map_or(Field::Absent, Field::Value),
            ),
            Some(Target::Attribute(owner, attribute)) => {
                let ty = self.attribute_type(owner, &attribute);
                let value = match ty {
                    Some(ty) => self.all.value(ty, attribute.value(), &owner),
                    None => self.all.value(ANY_SIMPLE, attribute.value(), &owner),
                };
                Some(value.map_or(Field::Absent, Field::Value))
            }
            Some(Target::Element(element)) => {
                let (ty, nil, declaration) = self
                    .types
                    .get(element.id().get_usize())
                    .copied()
                    .flatten()?;
                let Some(simple) = self.all.text_type(ty) else {
                    let name = self.all.names.local(identity.name);
                    self.push(Draft {
                        code: "cvc-identity-constraint.3",
                        node: element,
                        attribute: None,
                        span: tag(element),
                        message: format!("a field of the constraint \"{name}\" has to be a simple value, and <{}> is not", element.tag_name().name()),
                        found: None,
                        expected: Vec::new(),
                        place: Some(identity.place),
                        hint: None,
                    });
                    return None;
                };
                if nil {
                    return Some(Field::Nil);
                }
                let mut text: String = element
                    .children()
                    .filter(Node::is_text)
                    .filter_map(|child| child.text())
                    .collect();
                let default = declaration
                    .and_then(|declaration| self.all.element(declaration).value.as_ref());
                if let (true, Some(default)) = (text.is_empty(), default) {
                    text = default.text.to_string();
                }
                let value = self.all.value(simple, &text, &element);
                Some(value.map_or(Field::Absent, Field::Value))
            }
        }
    }

    /// The default of an attribute that a field names and the document leaves out.
    fn default_field(&self, selected: Node<'d, 'i>, paths: &[Path]) -> Option<Value> {
        for path in paths {
            let Some(NameTest::Name(uri, local)) = &path.attribute else {
                continue;
            };
            if path.anywhere {
                continue;
            }
            let owners = walk(vec![selected], &path.steps);
            let owner = owners.first()?;
            let (ty, ..) = self.types.get(owner.id().get_usize()).copied().flatten()?;
            let space = self.all.names.find_space(uri)?;
            let name = self.all.names.find(space, local)?;
            let uses = &self.all.complex(ty)?.attributes;
            let each = uses.iter().find(|each| each.name == name)?;
            return each.value.as_ref()?.value.clone();
        }
        None
    }

    fn attribute_type(
        &self,
        owner: Node<'d, 'i>,
        attribute: &Node_Attribute<'d, 'i>,
    ) -> Option<TypeId> {
        let (ty, ..) = self.types.get(owner.id().get_usize()).copied().flatten()?;
        let space = self
            .all
            .names
            .find_space(attribute.namespace().unwrap_or(""))?;
        let name = self.all.names.find(space, attribute.name())?;
        let used = self
            .all
            .complex(ty)?
            .attributes
            .iter()
            .find(|each| each.name == name);
        let id = match used {
            Some(used) => used.declaration,
            None => *self.all.global_attributes.get(&name)?,
        };
        Some(self.all.attribute(id).ty)
    }

    /// The fields of a node as they are written, for messages.
    fn key_text(&self, selected: Node<'d, 'i>, identity: &Identity) -> String {
        let mut parts = Vec::new();
        for field in &identity.fields {
            let mut found = Vec::new();
            for path in field {
                targets(selected, path, &mut found);
            }
            if let Some(target) = found.first() {
                parts.push(match target {
                    Target::Attribute(_, attribute) => quote(attribute.value()),
                    Target::Element(element) => quote(element.text().unwrap_or("")),
                });
            }
        }
        parts.join(", ")
    }
}

/// What a path leads to.
enum Target<'d, 'i> {
    Element(Node<'d, 'i>),
    Attribute(Node<'d, 'i>, Node_Attribute<'d, 'i>),
}

/// The elements a selector selects, each once.
fn select<'d, 'i>(node: Node<'d, 'i>, paths: &[Path]) -> Vec<Node<'d, 'i>> {
    let mut out: Vec<Node<'d, 'i>> = Vec::new();
    for path in paths {
        out.extend(walk(starts(node, path), &path.steps));
    }
    out.sort_by_key(|node| node.id().get());
    out.dedup_by_key(|node| node.id());
    out
}

fn starts<'d, 'i>(node: Node<'d, 'i>, path: &Path) -> Vec<Node<'d, 'i>> {
    if path.anywhere {
        node.descendants().filter(Node::is_element).collect()
    } else {
        vec![node]
    }
}

fn walk<'d, 'i>(mut at: Vec<Node<'d, 'i>>, steps: &[NameTest]) -> Vec<Node<'d, 'i>> {
    for step in steps {
        at = at
            .iter()
            .flat_map(|node| node.children())
            .filter(|child| {
                child.is_element()
                    && step.admits(child.tag_name().namespace(), child.tag_name().name())
            })
            .collect();
    }
    at
}

fn targets<'d, 'i>(node: Node<'d, 'i>, path: &Path, out: &mut Vec<Target<'d, 'i>>) {
    let ends = walk(starts(node, path), &path.steps);
    for end in ends {
        match &path.attribute {
            None => {
                let known = out.iter().any(
                    |target| matches!(target, Target::Element(known) if known.id() == end.id()),
                );
                if !known {
                    out.push(Target::Element(end));
                }
            }
            Some(test) => {
                for attribute in end.attributes() {
                    let known = out.iter().any(|target| {
                        matches!(target, Target::Attribute(_, known) if known.range() == attribute.range())
                    });
                    if !known && test.admits(attribute.namespace(), attribute.name()) {
                        out.push(Target::Attribute(end, attribute));
                    }
                }
            }
        }
    }
}

impl NameTest {
    fn admits(&self, uri: Option<&str>, local: &str) -> bool {
        match self {
            NameTest::Any => true,
            NameTest::Space(wanted) => uri.unwrap_or("") == &**wanted,
            NameTest::Name(wanted, name) => uri.unwrap_or("") == &**wanted && local == &**name,
        }
    }
}

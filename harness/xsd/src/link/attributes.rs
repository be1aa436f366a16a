//! Attribute groups, attribute values, and the attributes in force on a complex type (Part 1, 3.4.2 and 3.6).

use std::collections::HashSet;

use super::LONGEST_CHAIN;
use crate::component::*;
use crate::load::attributes::{RawAttributes, RawUse};
use crate::load::register::Reader;
use crate::value::NoScope;

/// An attribute group or a type's own attributes, with the groups they refer to merged in.
#[derive(Clone, Default)]
pub(crate) struct Flat {
    pub(super) uses: Vec<AttributeUse>,
    pub(super) prohibited: Vec<crate::name::NameId>,
    pub(super) wildcard: Option<Wildcard>,
}

impl Reader<'_, '_, '_> {
    /// Evaluates default and fixed values of attribute declarations (a-props-correct).
    pub(super) fn link_attribute_values(&mut self) {
        for index in 0..self.all.attributes.len() {
            let Attribute {
                ty, place, name, ..
            } = self.all.attributes[index];
            if self.all.simple(ty).is_none() {
                let (attribute, ty) = (self.all.names.show(name), self.all.show_type(ty));
                let message =
                    format!("the attribute {attribute} has the type {ty}, which is not simple");
                self.errors.push(place, "src-resolve", message);
                self.all.attributes[index].ty = ANY_SIMPLE;
            }
            self.check_notation(ty, place);
        }
        for (id, fixed, node) in std::mem::take(&mut self.attribute_values) {
            let name = if fixed { "fixed" } else { "default" };
            let text = node.attribute(name).unwrap_or("");
            let Attribute { ty, place, .. } = self.all.attributes[id.at()];
            if let Err(fault) = self.all.check(ty, text, &node) {
                let message = format!("the {name} value \"{text}\" {}", fault.what);
                self.errors.push(place, "a-props-correct.2", message);
            }
            if self.is_id(ty) {
                let message = format!("an attribute of type xs:ID cannot have a {name} value");
                self.errors.push(place, "a-props-correct.3", message);
            }
            let value = self.all.value(ty, text, &node);
            self.all.attributes[id.at()].value = Some(Constraint {
                fixed,
                text: text.into(),
                value,
            });
        }
    }

    /// Whether a type is xs:ID or derives from it.
    pub(super) fn is_id(&self, ty: TypeId) -> bool {
        self.all
            .simple(ty)
            .is_some_and(|simple| simple.lexical == Lexical::Id)
    }

    /// Flattens all attribute groups, so that errors in unused ones are found, too.
    pub(super) fn link_attribute_groups(&mut self) {
        for group in 0..self.raw_attribute_groups.len() as u32 {
            let mut out = Flat::default();
            let mut open = Vec::new();
            let place = self.raw_attribute_groups[group as usize]
                .as_ref()
                .map(|raw| raw.place);
            self.flatten_group(AttributeGroupId(group), &mut open, &mut out);
            if let Some(place) = place {
                self.check_uses(&out.uses, place, "ag-props-correct.2", "ag-props-correct.3");
            }
        }
        for (new, old, place) in std::mem::take(&mut self.redefined_attribute_groups) {
            let (mut ours, mut theirs) = (Flat::default(), Flat::default());
            self.flatten_group(AttributeGroupId(new), &mut Vec::new(), &mut ours);
            self.flatten_group(AttributeGroupId(old), &mut Vec::new(), &mut theirs);
            self.check_attribute_restriction(
                &ours,
                &theirs.uses,
                theirs.wildcard.as_ref(),
                place,
                "src-redefine.7.2.2",
            );
        }
    }

    /// Merges raw attributes and the groups they refer to.
    pub(super) fn flatten(
        &mut self,
        raw: &RawAttributes,
        open: &mut Vec<AttributeGroupId>,
        out: &mut Flat,
    ) {
        for raw_use in &raw.uses {
            if raw_use.prohibited {
                out.prohibited.push(raw_use.name);
            } else {
                let finished = self.finish_use(raw_use);
                out.uses.push(finished);
            }
        }
        let mut wildcard = raw.wildcard.clone();
        for (group, place) in &raw.groups {
            let mut inner = Flat::default();
            if open.contains(group) {
                let name = self.raw_attribute_groups[group.at()]
                    .as_ref()
                    .map(|raw| raw.name);
                let name = name.map_or_else(String::new, |name| self.all.names.show(name));
                let message = format!("the attribute group {name} contains itself");
                self.errors.push(*place, "src-attribute_group.3", message);
                continue;
            }
            self.flatten_group(*group, open, &mut inner);
            if out.uses.len() + inner.uses.len() > 10_000 {
                let message = "a type has more than 10000 attributes".to_owned();
                self.errors.push(*place, "limit", message);
                return;
            }
            // A group may be reached twice; what it holds is in the set once.
            let identity = |each: &AttributeUse| (each.place, each.declaration);
            let known: HashSet<_> = out.uses.iter().map(identity).collect();
            let new = |each: &AttributeUse| !known.contains(&identity(each));
            out.uses.extend(inner.uses.into_iter().filter(new));
            // A prohibited attribute in a group has no effect (3.4.2, clause 3.2 speaks of children only).
            wildcard = match (wildcard, inner.wildcard) {
                (None, theirs) => theirs,
                (ours, None) => ours,
                (Some(ours), Some(theirs)) => match ours.spaces.intersect(&theirs.spaces) {
                    Some(spaces) => Some(Wildcard { spaces, ..ours }),
                    None => {
                        let message =
                            "the namespaces of two wildcards have no expressible intersection"
                                .to_owned();
                        self.errors.push(*place, "src-attribute_group.2", message);
                        Some(ours)
                    }
                },
            };
        }
        out.wildcard = wildcard;
    }

    fn flatten_group(
        &mut self,
        group: AttributeGroupId,
        open: &mut Vec<AttributeGroupId>,
        out: &mut Flat,
    ) {
        let Some(raw) = &self.raw_attribute_groups[group.at()] else {
            return;
        };
        if open.len() > LONGEST_CHAIN {
            let message =
                format!("more than {LONGEST_CHAIN} attribute groups are nested in each other");
            self.errors.push(raw.place, "limit", message);
            return;
        }
        if let Some(done) = self.flat_groups.get(&group) {
            *out = done.clone();
            return;
        }
        let attributes = raw.attributes.clone();
        open.push(group);
        self.flatten(&attributes, open, out);
        open.pop();
        self.flat_groups.insert(group, out.clone());
    }

    fn finish_use(&mut self, raw: &RawUse) -> AttributeUse {
        let declaration = &self.all.attributes[raw.declaration.at()];
        let ty = declaration.ty;
        let declared = declaration.value.clone();
        let value = match &raw.value {
            None => declared,
            // A local declaration's value was evaluated with the declaration, where its prefixes are known.
            Some((fixed, text)) => match &declared {
                Some(same) if same.fixed == *fixed && same.text == *text => declared,
                _ => {
                    if let Err(fault) = self.all.check(ty, text, &NoScope) {
                        let message = format!("the value \"{text}\" {}", fault.what);
                        self.errors.push(raw.place, "au-props-correct.1", message);
                    }
                    let value = self.all.value(ty, text, &NoScope);
                    if let Some(same) = declared.filter(|declared| declared.fixed)
                        && (!fixed || same.value != value)
                    {
                        let message = format!("the declaration fixes the value \"{}\"", same.text);
                        self.errors.push(raw.place, "au-props-correct.2", message);
                    }
                    if self.is_id(ty) {
                        let message =
                            "an attribute of type xs:ID cannot have a default or fixed value"
                                .to_owned();
                        self.errors.push(raw.place, "a-props-correct.3", message);
                    }
                    Some(Constraint {
                        fixed: *fixed,
                        text: text.clone(),
                        value,
                    })
                }
            },
        };
        AttributeUse {
            name: raw.name,
            declaration: raw.declaration,
            required: raw.required,
            value,
            place: raw.place,
        }
    }

    /// No name twice, no two IDs.
    pub(super) fn check_uses(
        &mut self,
        uses: &[AttributeUse],
        place: Place,
        twice: &'static str,
        ids: &'static str,
    ) {
        let mut names: Vec<_> = uses.iter().map(|each| each.name).collect();
        names.sort();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            let message = format!(
                "the attribute {} is declared twice",
                self.all.names.show(pair[0])
            );
            let place = uses
                .iter()
                .rfind(|each| each.name == pair[0])
                .map_or(place, |each| each.place);
            self.errors.push(place, twice, message);
        }
        let id_count = uses
            .iter()
            .filter(|each| self.is_id(self.all.attributes[each.declaration.at()].ty))
            .count();
        if id_count > 1 {
            let message = "two attributes have the type xs:ID".to_owned();
            self.errors.push(place, ids, message);
        }
    }

    /// Attributes of a restriction against those of the base (derivation-ok-restriction 2 to 4).
    pub(super) fn check_attribute_restriction(
        &mut self,
        ours: &Flat,
        base: &[AttributeUse],
        base_wildcard: Option<&Wildcard>,
        place: Place,
        code: &'static str,
    ) {
        for own in &ours.uses {
            let name = self.all.names.show(own.name);
            let Some(theirs) = base.iter().find(|theirs| theirs.name == own.name) else {
                let space = self.all.names.space_of(own.name);
                if !base_wildcard.is_some_and(|wildcard| wildcard.spaces.admit(Some(space))) {
                    let message = format!("the base type has no attribute {name}");
                    self.errors.push(own.place, code, message);
                }
                continue;
            };
            if theirs.required && !own.required {
                let message = format!("the attribute {name} is required in the base type");
                self.errors.push(own.place, code, message);
            }
            let (own_type, base_type) = (
                self.all.attribute(own.declaration).ty,
                self.all.attribute(theirs.declaration).ty,
            );
            if !self
                .all
                .derives(own_type, base_type, Derivations::default())
            {
                let message = format!(
                    "the type of the attribute {name} does not derive from its type in the base"
                );
                self.errors.push(own.place, code, message);
            }
            if let Some(fixed) = theirs.value.as_ref().filter(|value| value.fixed)
                && !own
                    .value
                    .as_ref()
                    .is_some_and(|value| value.fixed && value.value == fixed.value)
            {
                let message = format!(
                    "the base type fixes the attribute {name} to \"{}\"",
                    fixed.text
                );
                self.errors.push(own.place, code, message);
            }
        }
        for theirs in base.iter().filter(|theirs| theirs.required) {
            if ours.prohibited.contains(&theirs.name)
                && !ours.uses.iter().any(|own| own.name == theirs.name)
            {
                let message = format!(
                    "the attribute {} is required in the base type",
                    self.all.names.show(theirs.name)
                );
                self.errors.push(place, code, message);
            }
        }
        if let Some(own) = &ours.wildcard {
            let fits = base_wildcard
                .is_some_and(|base| own.spaces.within(&base.spaces) && own.process >= base.process);
            if !fits {
                let message =
                    "the attribute wildcard admits more than that of the base type".to_owned();
                self.errors.push(own.place, code, message);
            }
        }
    }
}

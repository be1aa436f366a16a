//! Elements once types are known: types taken from heads, substitution groups, default and fixed values
//! (Part 1, 3.3.6).

use std::collections::HashSet;

use super::LONGEST_CHAIN;
use crate::component::*;
use crate::load::register::Reader;

/// Most (head, member) pairs of all substitution groups together.
const MOST_MEMBERSHIPS: usize = 1_000_000;

impl Reader<'_, '_, '_> {
    pub(super) fn link_elements(&mut self) {
        self.cut_circular_groups();
        self.type_members();
        self.check_heads();
        self.fill_groups();
        self.check_values();
    }

    /// No element may lead back to itself by substitution groups (e-props-correct.6).
    fn cut_circular_groups(&mut self) {
        for index in 0..self.all.elements.len() {
            let start = ElementId(index as u32);
            let mut at = self.all.elements[index].head;
            let mut steps = 0;
            while let Some(head) = at {
                steps += 1;
                if head == start || steps > LONGEST_CHAIN {
                    let element = &self.all.elements[index];
                    let name = self.all.names.show(element.name);
                    let (code, message) = if head == start {
                        (
                            "e-props-correct.6",
                            format!("the element {name} is in its own substitution group"),
                        )
                    } else {
                        (
                            "limit",
                            format!("more than {LONGEST_CHAIN} substitution groups in a chain"),
                        )
                    };
                    self.errors.push(element.place, code, message);
                    self.all.elements[index].head = None;
                    break;
                }
                at = self.all.element(head).head;
            }
        }
    }

    /// An element without a type has that of its head.
    fn type_members(&mut self) {
        let members: HashSet<ElementId> = self.untyped_members.drain(..).collect();
        for member in &members {
            let mut at = *member;
            // Chains are cut, so this ends.
            while let (true, Some(head)) = (members.contains(&at), self.all.element(at).head) {
                at = head;
            }
            self.all.elements[member.at()].ty = self.all.element(at).ty;
        }
    }

    /// A member's type derives from its head's by methods the head does not forbid (e-props-correct.4).
    fn check_heads(&mut self) {
        for index in 0..self.all.elements.len() {
            let element = &self.all.elements[index];
            let Some(head) = element.head else { continue };
            let head = self.all.element(head);
            if !self.all.derives(element.ty, head.ty, head.finals) {
                let message = format!(
                    "the type {} cannot stand for {}, the type of the substitution group's head {}",
                    self.all.show_type(element.ty),
                    self.all.show_type(head.ty),
                    self.all.names.show(head.name)
                );
                self.errors
                    .push(element.place, "e-props-correct.4", message);
            }
        }
    }

    /// Lists, for each head, who may stand in its place (Substitution Group OK, Transitive).
    fn fill_groups(&mut self) {
        let mut total = 0;
        for index in 0..self.all.elements.len() {
            let member = ElementId(index as u32);
            let mut at = self.all.element(member).head;
            while let Some(head) = at {
                let element = self.all.element(head);
                let blocked = match &self.all.ty(element.ty).kind {
                    Kind::Complex(complex) => element.block.with(complex.block),
                    Kind::Simple(_) => element.block,
                };
                let methods = Derivations(blocked.0 & 3);
                let fits = !element.block.has(Derivations::SUBSTITUTION)
                    && self
                        .all
                        .derives(self.all.element(member).ty, element.ty, methods);
                if fits {
                    self.all.members.entry(head).or_default().push(member);
                    total += 1;
                }
                at = self.all.element(head).head;
            }
            if total > MOST_MEMBERSHIPS {
                let place = self.all.element(member).place;
                self.errors.push(
                    place,
                    "limit",
                    "the substitution groups are too large".to_owned(),
                );
                return;
            }
        }
    }

    /// Default and fixed values of elements (e-props-correct.2, cos-valid-default).
    fn check_values(&mut self) {
        for (id, fixed, node) in std::mem::take(&mut self.element_values) {
            let name = if fixed { "fixed" } else { "default" };
            let text = node.attribute(name).unwrap_or("");
            let Element { ty, place, .. } = *self.all.element(id);
            let mut value = None;
            match self.all.text_type(ty) {
                Some(simple) => {
                    if let Err(fault) = self.all.check(simple, text, &node) {
                        let message = format!("the {name} value \"{text}\" {}", fault.what);
                        self.errors.push(place, "e-props-correct.2", message);
                    }
                    if self.is_id(simple) {
                        let message =
                            format!("an element of type xs:ID cannot have a {name} value");
                        self.errors.push(place, "e-props-correct.5", message);
                    }
                    value = self.all.value(simple, text, &node);
                }
                None => {
                    let fits = match self.all.complex(ty).map(|complex| &complex.content) {
                        Some(Content::Elements {
                            mixed: true,
                            particle,
                            ..
                        }) => self.all.particle_emptiable(*particle),
                        _ => false,
                    };
                    if !fits {
                        let message = format!(
                            "an element whose content is neither simple nor mixed and optional cannot have a {name} value"
                        );
                        self.errors.push(place, "cos-valid-default.2.2", message);
                    }
                }
            }
            self.all.elements[id.at()].value = Some(Constraint {
                fixed,
                text: text.into(),
                value,
            });
        }
        for index in 0..self.all.elements.len() {
            let Element { ty, place, .. } = self.all.elements[index];
            self.check_notation(ty, place);
        }
    }
}

impl Components {
    /// Whether a content particle may match nothing (Particle Emptiable, cos-group-emptiable).
    pub(crate) fn particle_emptiable(&self, particle: Option<ParticleId>) -> bool {
        particle.is_none_or(|particle| self.emptiable(particle, &mut 100_000, 0))
    }

    fn emptiable(&self, particle: ParticleId, fuel: &mut u32, depth: usize) -> bool {
        let particle = self.particle(particle);
        if *fuel == 0 || depth > 4 * LONGEST_CHAIN {
            return false;
        }
        *fuel -= 1;
        particle.min == 0
            || match &particle.term {
                Term::Element(_) | Term::Wildcard(_) => false,
                Term::Group(group) => {
                    self.emptiable(self.groups[group.at()].particle, fuel, depth + 1)
                }
                Term::Model(Compositor::Choice, members) => {
                    members.is_empty()
                        || members
                            .iter()
                            .any(|member| self.emptiable(*member, fuel, depth + 1))
                }
                Term::Model(_, members) => members
                    .iter()
                    .all(|member| self.emptiable(*member, fuel, depth + 1)),
            }
    }
}

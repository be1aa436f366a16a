//! From raw components to finished ones: derivation in dependency order.
//!
//! Takes what the reader left; gives types with all facets, attributes and content in force, substitution groups,
//! and evaluated default and fixed values. Circular definitions are errors here; everything later may follow a
//! type to its base without fear.

pub(crate) mod attributes;
mod complex;
mod elements;
mod facets;
mod simple;

use crate::component::*;
use crate::load::read::{RawContent, Shape};
use crate::load::register::Reader;

/// Longest chain of derivations, references and substitutions.
pub(crate) const LONGEST_CHAIN: usize = 256;

impl Reader<'_, '_, '_> {
    /// Links everything that was read.
    pub(crate) fn link(&mut self) {
        self.resolve_keyrefs();
        let order = self.order_types();
        for ty in &order {
            self.link_simple(*ty);
        }
        self.link_attribute_values();
        self.link_attribute_groups();
        for ty in &order {
            self.link_complex(*ty);
        }
        self.check_group_cycles();
        self.link_elements();
    }

    /// The types each type is made from.
    fn sources_of(&self, ty: TypeId) -> Vec<TypeId> {
        match self.raw_types[ty.at()].as_ref().map(|raw| &raw.shape) {
            None => Vec::new(),
            Some(Shape::Restriction { base, .. }) => vec![*base],
            Some(Shape::List { item }) => vec![*item],
            Some(Shape::Union { members }) => members.clone(),
            Some(Shape::Complex(complex)) => match &complex.content {
                RawContent::Simple {
                    inline: Some(inline),
                    ..
                } => vec![complex.base, *inline],
                _ => vec![complex.base],
            },
        }
    }

    /// All types that were read, each after the types it is made from.
    fn order_types(&mut self) -> Vec<TypeId> {
        #[derive(Clone, Copy, PartialEq)]
        enum Mark {
            New,
            Open,
            Done,
        }
        let mut marks = vec![Mark::New; self.raw_types.len()];
        let mut depths = vec![0_usize; self.raw_types.len()];
        let mut order = Vec::new();
        for start in 0..self.raw_types.len() {
            let mut stack = vec![(TypeId(start as u32), false)];
            while let Some((ty, leaving)) = stack.pop() {
                if leaving {
                    let depth = self
                        .sources_of(ty)
                        .iter()
                        .map(|source| depths[source.at()] + 1)
                        .max()
                        .unwrap_or(0);
                    depths[ty.at()] = depth;
                    if depth > LONGEST_CHAIN {
                        let message = format!(
                            "more than {LONGEST_CHAIN} types derive from each other in a chain"
                        );
                        self.errors.push(self.all.ty(ty).place, "limit", message);
                        self.break_type(ty);
                        depths[ty.at()] = 0;
                    }
                    marks[ty.at()] = Mark::Done;
                    order.push(ty);
                    continue;
                }
                match marks[ty.at()] {
                    Mark::Done => {}
                    Mark::Open => self.report_cycle(ty),
                    Mark::New => {
                        marks[ty.at()] = Mark::Open;
                        stack.push((ty, true));
                        for source in self.sources_of(ty) {
                            match marks[source.at()] {
                                Mark::New => stack.push((source, false)),
                                Mark::Open => {
                                    self.report_cycle(ty);
                                    self.break_type(ty);
                                }
                                Mark::Done => {}
                            }
                        }
                    }
                }
            }
        }
        order.retain(|ty| self.raw_types[ty.at()].is_some());
        order
    }

    fn report_cycle(&mut self, ty: TypeId) {
        let code = match self.raw_types[ty.at()].as_ref().map(|raw| &raw.shape) {
            Some(Shape::Complex(_)) => "ct-props-correct.3",
            _ => "st-props-correct.2",
        };
        let message = format!("{} is defined in terms of itself", self.all.show_type(ty));
        self.errors.push(self.all.ty(ty).place, code, message);
    }

    /// Cuts a type off from what it is made of, so that the rest can go on.
    fn break_type(&mut self, ty: TypeId) {
        let is_complex = matches!(
            self.raw_types[ty.at()].as_ref().map(|raw| &raw.shape),
            Some(Shape::Complex(_))
        );
        if let Some(raw) = &mut self.raw_types[ty.at()] {
            match &mut raw.shape {
                Shape::Complex(complex) => {
                    complex.base = ANY_TYPE;
                    complex.content = RawContent::Complex { particle: None };
                }
                shape => {
                    *shape = Shape::Restriction {
                        base: ANY_SIMPLE,
                        facets: Vec::new(),
                    }
                }
            }
        }
        self.all.types[ty.at()].base = if is_complex { ANY_TYPE } else { ANY_SIMPLE };
    }

    /// Groups must not contain themselves (mg-props-correct.2).
    fn check_group_cycles(&mut self) {
        let count = self.all.groups.len();
        let mut done = vec![false; count];
        for start in 0..count {
            let mut open = Vec::new();
            self.enter_group(GroupId(start as u32), &mut open, &mut done);
        }
    }

    fn enter_group(&mut self, group: GroupId, open: &mut Vec<GroupId>, done: &mut [bool]) {
        if done[group.at()] {
            return;
        }
        let place = self.all.groups[group.at()].place;
        if open.contains(&group) || open.len() > LONGEST_CHAIN {
            let name = self.all.names.show(self.all.groups[group.at()].name);
            let (code, message) = if open.contains(&group) {
                (
                    "mg-props-correct.2",
                    format!("the group {name} contains itself"),
                )
            } else {
                (
                    "limit",
                    format!("more than {LONGEST_CHAIN} groups are nested in each other"),
                )
            };
            self.errors.push(place, code, message);
            self.all.groups[group.at()].particle = ParticleId(1);
            done[group.at()] = true;
            return;
        }
        open.push(group);
        let mut todo = vec![self.all.groups[group.at()].particle];
        while let Some(particle) = todo.pop() {
            match self.all.particle(particle).term.clone() {
                Term::Model(_, members) => todo.extend(members),
                Term::Group(inner) => self.enter_group(inner, open, done),
                Term::Element(_) | Term::Wildcard(_) => {}
            }
        }
        open.pop();
        done[group.at()] = true;
    }
}

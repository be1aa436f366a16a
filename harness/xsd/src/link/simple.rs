//! Simple types: restriction, list and union (Part 1, 3.14).

use super::facets::Restriction;
use crate::component::*;
use crate::load::read::Shape;
use crate::load::register::Reader;
use crate::value::Primitive;

/// Most checks that one value of a union may take.
const HEAVIEST: u32 = 10_000;

impl<'d> Reader<'d, '_, '_> {
    pub(super) fn link_simple(&mut self, ty: TypeId) {
        let Some(raw) = &self.raw_types[ty.at()] else {
            return;
        };
        let (node, instance) = (raw.node, raw.instance);
        let (base, simple, method) = match &raw.shape {
            Shape::Complex(_) => return,
            Shape::Restriction { base, facets } => {
                let (base, facets) = (*base, facets.clone());
                let Some(simple) = self.restrict(instance, ty, base, &facets) else {
                    return;
                };
                (base, simple, Derivations::RESTRICTION)
            }
            Shape::List { item } => {
                let item = *item;
                if !self.can_be_item(item) {
                    let message = format!(
                        "{} cannot be the item type of a list",
                        self.all.show_type(item)
                    );
                    self.report(instance, node, "cos-st-restricts.2.1", message);
                    return;
                }
                self.check_final(ty, item, Derivations::LIST, "list");
                (ANY_SIMPLE, self.list(item), Derivations::LIST)
            }
            Shape::Union { members } => {
                let members = members.clone();
                let mut flat: Vec<TypeId> = Vec::new();
                for member in members {
                    let Some(simple) = self.all.simple(member) else {
                        let message =
                            format!("{} is not a simple type", self.all.show_type(member));
                        self.report(instance, node, "cos-st-restricts.3.1", message);
                        continue;
                    };
                    let parts = match &simple.variety {
                        Variety::Union(parts) if simple.facets.plain => parts.clone(),
                        _ => vec![member],
                    };
                    for part in parts {
                        if !flat.contains(&part) {
                            flat.push(part);
                        }
                    }
                    self.check_final(ty, member, Derivations::UNION, "union");
                }
                let refers = flat
                    .iter()
                    .any(|ty| self.all.simple(*ty).is_some_and(|simple| simple.refers));
                let weights = flat.iter().filter_map(|ty| self.all.simple(*ty));
                let weight = weights.fold(1_u32, |sum, simple| sum.saturating_add(simple.weight));
                if weight > HEAVIEST {
                    let message = "the unions within this union multiply beyond reason".to_owned();
                    self.report(instance, node, "limit", message);
                    return;
                }
                let simple = Simple {
                    variety: Variety::Union(flat),
                    lexical: Lexical::None,
                    facets: Facets {
                        plain: true,
                        ..Facets::default()
                    },
                    refers,
                    weight,
                };
                (ANY_SIMPLE, simple, Derivations::UNION)
            }
        };
        let entry = &mut self.all.types[ty.at()];
        entry.base = base;
        entry.method = method;
        entry.kind = Kind::Simple(Box::new(simple));
    }

    /// A restriction of a simple type by facets; also the content of a complex type with simple content.
    pub(super) fn restrict(
        &mut self,
        instance: usize,
        ty: TypeId,
        base: TypeId,
        facets: &[roxmltree::Node<'d, 'd>],
    ) -> Option<Simple> {
        let place = self.all.ty(ty).place;
        let Some(parent) = self.all.simple(base).cloned() else {
            let message = format!("{} is not a simple type", self.all.show_type(base));
            self.errors.push(place, "st-props-correct.1", message);
            return None;
        };
        if base == ANY_SIMPLE && !self.is_broken(ty) {
            let message = "a simple type cannot restrict xs:anySimpleType".to_owned();
            self.errors.push(place, "cos-st-restricts.1.1", message);
            return None;
        }
        self.check_final(ty, base, Derivations::RESTRICTION, "restriction");
        let mut restriction = Restriction::new(base, &parent);
        for facet in facets {
            restriction.add(self, instance, *facet);
        }
        let facets = restriction.finish(self);
        Some(Simple {
            variety: parent.variety,
            lexical: parent.lexical,
            facets,
            refers: parent.refers,
            weight: parent.weight,
        })
    }

    fn is_broken(&self, ty: TypeId) -> bool {
        match self.raw_types[ty.at()].as_ref().map(|raw| &raw.shape) {
            Some(Shape::Restriction { facets, .. }) => {
                facets.is_empty() && self.all.ty(ty).base == ANY_SIMPLE
            }
            _ => false,
        }
    }

    fn list(&self, item: TypeId) -> Simple {
        let refers = self.all.simple(item).is_some_and(|simple| simple.refers);
        let white = Facet {
            value: White::Collapse,
            fixed: true,
            place: Place::BUILT_IN,
        };
        Simple {
            variety: Variety::List(item),
            lexical: Lexical::None,
            facets: Facets {
                white: Some(white),
                plain: true,
                ..Facets::default()
            },
            refers,
            weight: self.all.simple(item).map_or(1, |item| item.weight),
        }
    }

    fn can_be_item(&self, item: TypeId) -> bool {
        let is_list = |ty: TypeId| {
            matches!(
                self.all.simple(ty).map(|simple| &simple.variety),
                Some(Variety::List(_)) | None
            )
        };
        match self.all.simple(item).map(|simple| &simple.variety) {
            None | Some(Variety::List(_)) => false,
            Some(Variety::Union(members)) => !members.iter().any(|member| is_list(*member)),
            Some(Variety::Any | Variety::Atomic(_)) => true,
        }
    }

    fn check_final(&mut self, ty: TypeId, base: TypeId, method: Derivations, name: &str) {
        if self.all.ty(base).finals.has(method) {
            let message = format!("{} is final for {name}", self.all.show_type(base));
            self.errors
                .push(self.all.ty(ty).place, "st-props-correct.3", message);
        }
    }

    /// xs:NOTATION may not be used directly (enumeration-required-notation).
    pub(super) fn check_notation(&mut self, ty: TypeId, place: Place) {
        let bare = self.all.simple(ty).is_some_and(|simple| {
            simple.variety == Variety::Atomic(Primitive::Notation)
                && simple.facets.enumeration.is_none()
        });
        if bare {
            let message = "xs:NOTATION needs a restriction that enumerates notations".to_owned();
            self.errors
                .push(place, "enumeration-required-notation", message);
        }
    }
}

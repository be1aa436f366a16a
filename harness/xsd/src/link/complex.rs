//! Complex types: content and attributes in force, by extension or restriction (Part 1, 3.4).
//!
//! Whether a restricted content model really restricts its base is checked later, when all types are finished.

use super::attributes::Flat;
use crate::component::*;
use crate::load::read::{RawComplex, RawContent, Shape};
use crate::load::register::Reader;

impl<'d> Reader<'d, '_, '_> {
    pub(super) fn link_complex(&mut self, ty: TypeId) {
        if !matches!(
            self.raw_types[ty.at()].as_ref().map(|raw| &raw.shape),
            Some(Shape::Complex(_))
        ) {
            return;
        }
        let Some(raw) = self.raw_types[ty.at()].take() else {
            return;
        };
        if let Shape::Complex(complex) = &raw.shape {
            self.finish_complex(raw.instance, ty, complex);
        }
        self.raw_types[ty.at()] = Some(raw);
    }

    fn finish_complex(&mut self, instance: usize, ty: TypeId, raw: &RawComplex<'d>) {
        let place = self.all.ty(ty).place;
        let base = self.all.ty(raw.base);
        if base.finals.has(raw.method) {
            let (code, how) = if raw.method == Derivations::EXTENSION {
                ("cos-ct-extends.1.1", "extension")
            } else {
                ("derivation-ok-restriction.1", "restriction")
            };
            let message = format!("{} is final for {how}", self.all.show_type(raw.base));
            self.errors.push(place, code, message);
        }
        let content = match &raw.content {
            RawContent::Simple { inline, facets } => {
                self.simple_content(instance, ty, raw, *inline, facets)
            }
            RawContent::Complex { particle } => self.complex_content(ty, raw, *particle),
        };
        let mut own = Flat::default();
        self.flatten(&raw.attributes, &mut Vec::new(), &mut own);
        self.check_uses(&own.uses, place, "ct-props-correct.4", "ct-props-correct.5");
        let (base_uses, base_wildcard) = match self.all.complex(raw.base) {
            Some(base) => (base.attributes.clone(), base.wildcard.clone()),
            None => (Vec::new(), None),
        };
        let is_derived = raw.base != ANY_TYPE;
        let mut attributes = Vec::new();
        let mut wildcard = own.wildcard.clone();
        if raw.method == Derivations::EXTENSION {
            attributes.clone_from(&base_uses);
            for each in &own.uses {
                if base_uses.iter().any(|base| base.name == each.name) {
                    let name = self.all.names.show(each.name);
                    let message = format!("the base type already has the attribute {name}");
                    self.errors.push(each.place, "ct-props-correct.4", message);
                } else {
                    attributes.push(each.clone());
                }
            }
            let id_count = attributes
                .iter()
                .filter(|each| self.is_id(self.all.attribute(each.declaration).ty))
                .count();
            if id_count > 1 && id_count > own.uses.len() {
                let message = "two attributes have the type xs:ID".to_owned();
                self.errors.push(place, "ct-props-correct.5", message);
            }
            wildcard = match (wildcard, base_wildcard) {
                (None, theirs) => theirs,
                (ours, None) => ours,
                (Some(ours), Some(theirs)) => match ours.spaces.union(&theirs.spaces) {
                    Some(spaces) => Some(Wildcard { spaces, ..ours }),
                    None => {
                        let message = "the namespaces of this wildcard and the base's have no expressible union".to_owned();
                        self.errors.push(ours.place, "src-ct.5", message);
                        Some(ours)
                    }
                },
            };
        } else {
            if is_derived {
                self.check_attribute_restriction(
                    &own,
                    &base_uses,
                    base_wildcard.as_ref(),
                    place,
                    "derivation-ok-restriction.2",
                );
            }
            let replaced = |name| {
                own.uses.iter().any(|each| each.name == name) || own.prohibited.contains(&name)
            };
            attributes.extend(base_uses.into_iter().filter(|each| !replaced(each.name)));
            attributes.extend(own.uses.iter().cloned());
        }
        attributes.sort_by_key(|each| each.name);
        attributes.dedup_by_key(|each| each.name);
        let required = attributes.iter().filter(|each| each.required).count();
        let entry = &mut self.all.types[ty.at()];
        entry.base = raw.base;
        entry.method = raw.method;
        entry.kind = Kind::Complex(Complex {
            is_abstract: raw.is_abstract,
            block: raw.block,
            attributes,
            wildcard,
            content,
            required,
        });
    }

    fn simple_content(
        &mut self,
        instance: usize,
        ty: TypeId,
        raw: &RawComplex<'d>,
        inline: Option<TypeId>,
        facets: &[roxmltree::Node<'d, 'd>],
    ) -> Content {
        let place = self.all.ty(ty).place;
        let name = self.all.show_type(raw.base);
        let mut fail = |code, message: String| {
            self.errors.push(place, code, message);
            Content::Simple(ANY_SIMPLE)
        };
        if raw.method == Derivations::EXTENSION {
            return match self.all.text_type(raw.base) {
                Some(simple) => Content::Simple(simple),
                None => fail(
                    "src-ct.2",
                    format!("{name} has no simple content to extend"),
                ),
            };
        }
        let base_content = match self.all.complex(raw.base).map(|base| base.content.clone()) {
            None => {
                return fail(
                    "src-ct.2",
                    format!("{name} is a simple type; simple content restricts complex types only"),
                );
            }
            Some(Content::Simple(simple)) => Some(simple),
            Some(Content::Elements {
                mixed: true,
                particle,
                ..
            }) if self.all.particle_emptiable(particle) => None,
            Some(_) => {
                return fail(
                    "src-ct.2",
                    format!("{name} has no simple content to restrict"),
                );
            }
        };
        let start = match (inline, base_content) {
            (Some(inline), Some(base)) => {
                if !self.all.derives(inline, base, Derivations::default()) {
                    let message =
                        "the type inside does not derive from the content of the base type"
                            .to_owned();
                    self.errors
                        .push(place, "derivation-ok-restriction.5.1.1", message);
                }
                inline
            }
            (Some(inline), None) => inline,
            (None, Some(base)) => base,
            (None, None) => {
                return fail(
                    "src-ct.2",
                    "a restriction of mixed content to simple content needs a type inside"
                        .to_owned(),
                );
            }
        };
        if facets.is_empty() {
            return Content::Simple(start);
        }
        let id = self.new_type(None, place);
        let Some(simple) = self.restrict(instance, id, start, facets) else {
            return Content::Simple(start);
        };
        self.all.types[id.at()].base = start;
        self.all.types[id.at()].kind = Kind::Simple(Box::new(simple));
        Content::Simple(id)
    }

    fn complex_content(
        &mut self,
        ty: TypeId,
        raw: &RawComplex<'d>,
        explicit: Option<ParticleId>,
    ) -> Content {
        let place = self.all.ty(ty).place;
        let effective = match (explicit, raw.mixed) {
            (None, false) => Content::Empty,
            (particle, mixed) => Content::Elements {
                mixed,
                particle,
                automaton: None,
            },
        };
        let Some(base) = self.all.complex(raw.base) else {
            let message = format!(
                "{} is a simple type; complex content derives from complex types only",
                self.all.show_type(raw.base)
            );
            self.errors.push(place, "src-ct.1", message);
            return effective;
        };
        if raw.method == Derivations::RESTRICTION {
            return effective;
        }
        let base_content = base.content.clone();
        let (
            Content::Elements {
                mixed,
                particle: own,
                ..
            },
            base_content,
        ) = (&effective, base_content)
        else {
            // Nothing is added: the content is that of the base, simple content included (3.4.2, clause 3.2.1).
            return self
                .all
                .complex(raw.base)
                .map_or(Content::Empty, |base| base.content.clone());
        };
        match base_content {
            Content::Empty => effective,
            Content::Simple(_) => {
                let message = format!(
                    "{} has simple content, which elements cannot extend",
                    self.all.show_type(raw.base)
                );
                self.errors.push(place, "cos-ct-extends.1.4.1", message);
                effective
            }
            Content::Elements {
                mixed: base_mixed,
                particle: base_particle,
                ..
            } => {
                if *mixed != base_mixed {
                    let (ours, theirs) = if *mixed {
                        ("mixed", "element-only")
                    } else {
                        ("element-only", "mixed")
                    };
                    let message = format!("the type is {ours}, and the base type is {theirs}");
                    self.errors
                        .push(place, "cos-ct-extends.1.4.2.2.2.2.1", message);
                }
                let particle = match (base_particle, *own) {
                    (Some(base), Some(own)) => {
                        if self.is_all(base) || self.is_all(own) {
                            let message =
                                "xs:all cannot be combined with the content of a base type"
                                    .to_owned();
                            self.errors.push(place, "cos-all-limited.1.2", message);
                        }
                        Some(self.add_particle(Particle {
                            min: 1,
                            max: 1,
                            term: Term::Model(Compositor::Sequence, vec![base, own]),
                            place,
                        }))
                    }
                    (one, other) => one.or(other),
                };
                Content::Elements {
                    mixed: *mixed,
                    particle,
                    automaton: None,
                }
            }
        }
    }

    fn is_all(&self, particle: ParticleId) -> bool {
        match &self.all.particle(particle).term {
            Term::Model(Compositor::All, _) => true,
            Term::Group(group) => {
                let inner = self.all.groups[group.at()].particle;
                matches!(
                    self.all.particle(inner).term,
                    Term::Model(Compositor::All, _)
                )
            }
            _ => false,
        }
    }
}

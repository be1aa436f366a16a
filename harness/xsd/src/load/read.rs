//! Global definitions, elements and types from their XML form (Part 1, the "XML Representation" sections).
//!
//! Checks what the grammar cannot say about attributes that exclude each other, and resolves names to numbers.
//! Derivation is left to the linker: a type is kept as a [`RawType`].

use roxmltree::Node;

use super::attributes::RawAttributes;
use super::register::{Global, RawAttributeGroup, Reader, Symbol, derivations};
use super::{flag, parts, syntax, value};
use crate::component::*;
use crate::name::NameId;

/// A type as written.
pub(crate) struct RawType<'d> {
    pub(crate) instance: usize,
    pub(crate) node: Node<'d, 'd>,
    pub(crate) shape: Shape<'d>,
}

/// The ways to write a type.
pub(crate) enum Shape<'d> {
    Restriction {
        base: TypeId,
        facets: Vec<Node<'d, 'd>>,
    },
    List {
        item: TypeId,
    },
    Union {
        members: Vec<TypeId>,
    },
    Complex(RawComplex<'d>),
}

/// A complex type as written.
pub(crate) struct RawComplex<'d> {
    pub(crate) base: TypeId,
    pub(crate) method: Derivations,
    pub(crate) is_abstract: bool,
    pub(crate) block: Derivations,
    pub(crate) mixed: bool,
    pub(crate) content: RawContent<'d>,
    pub(crate) attributes: RawAttributes,
}

/// What a complex type says about its content.
pub(crate) enum RawContent<'d> {
    /// simpleContent: an inline type and facets, when it restricts.
    Simple {
        inline: Option<TypeId>,
        facets: Vec<Node<'d, 'd>>,
    },
    /// Anything else: the explicit particle, if it is not empty.
    Complex { particle: Option<ParticleId> },
}

impl<'d> Reader<'d, '_, '_> {
    pub(crate) fn report(
        &mut self,
        instance: usize,
        node: Node<'_, '_>,
        code: &'static str,
        message: String,
    ) {
        let source = self.instances[instance].source;
        self.errors.at(source, syntax::tag(node), code, message);
    }

    pub(crate) fn read_global(&mut self, global: Global<'d>) {
        let Global {
            symbol,
            number,
            instance,
            node,
            original,
        } = global;
        self.current = Some(global);
        self.self_references = 0;
        match symbol {
            Symbol::Type => {
                self.read_type(instance, node, TypeId(number));
                if let Some(original) = original {
                    self.check_type_redefinition(instance, node, TypeId(number), TypeId(original));
                }
            }
            Symbol::Element => self.read_element_into(instance, node, ElementId(number)),
            Symbol::Attribute => self.read_global_attribute(instance, node, AttributeId(number)),
            Symbol::Group => {
                self.read_group(instance, node, GroupId(number));
                if let Some(original) = original {
                    let place = self.place(instance, node);
                    match self.self_references {
                        0 => {
                            self.redefined_groups
                                .push((GroupId(number), GroupId(original), place))
                        }
                        1 => {}
                        _ => {
                            let message =
                                "a redefined group can refer to itself only once".to_owned();
                            self.errors.push(place, "src-redefine.6.1.1", message);
                        }
                    }
                }
            }
            Symbol::AttributeGroup => {
                let name = value(node, "name").unwrap_or("");
                let name = self.all.names.intern(self.instances[instance].target, name);
                let place = self.place(instance, node);
                let attributes = self.read_attributes(instance, node);
                self.raw_attribute_groups[number as usize] = Some(RawAttributeGroup {
                    name,
                    place,
                    attributes,
                });
                if let Some(original) = original {
                    match self.self_references {
                        0 => self
                            .redefined_attribute_groups
                            .push((number, original, place)),
                        1 => {}
                        _ => {
                            let message =
                                "a redefined attribute group can refer to itself only once"
                                    .to_owned();
                            self.errors.push(place, "src-redefine.7.1", message);
                        }
                    }
                }
            }
            Symbol::Notation | Symbol::Identity => {}
        }
        self.current = None;
    }

    /// A redefined type has to derive from what it redefines (src-redefine.5).
    fn check_type_redefinition(
        &mut self,
        instance: usize,
        node: Node<'d, 'd>,
        ty: TypeId,
        original: TypeId,
    ) {
        let base = match self.raw_types[ty.at()].as_ref().map(|raw| &raw.shape) {
            Some(Shape::Restriction { base, .. }) => Some(*base),
            Some(Shape::Complex(complex)) => Some(complex.base),
            _ => None,
        };
        if base != Some(original) {
            let message =
                "a redefined type has to restrict or extend the type of the same name".to_owned();
            self.report(instance, node, "src-redefine.5", message);
        }
    }

    fn read_group(&mut self, instance: usize, node: Node<'d, 'd>, group: GroupId) {
        let Some(model) = parts(node).next() else {
            return;
        };
        let members = self.read_members(instance, model);
        let place = self.place(instance, model);
        let particle = self.add_particle(Particle {
            min: 1,
            max: 1,
            term: Term::Model(compositor(model), members),
            place,
        });
        self.all.groups[group.at()].particle = particle;
    }

    pub(crate) fn read_element_into(&mut self, instance: usize, node: Node<'d, 'd>, id: ElementId) {
        let inline =
            parts(node).find(|part| matches!(part.tag_name().name(), "simpleType" | "complexType"));
        let named = value(node, "type");
        let mut ty = ANY_TYPE;
        if let Some(inline) = inline {
            if named.is_some() {
                let message =
                    "an element has either a type attribute or a type inside, not both".to_owned();
                self.report(instance, node, "src-element.3", message);
            }
            ty = self.read_local_type(instance, inline);
        } else if let Some(named) = named
            && let Some(found) = self.resolve(instance, node, Symbol::Type, named)
        {
            ty = TypeId(found);
        }
        let block = match value(node, "block") {
            Some(text) => derivations(text),
            None => self.instances[instance].block_default,
        };
        let finals = match value(node, "final") {
            Some(text) => derivations(text),
            None => self.instances[instance].final_default,
        };
        if let Some(qname) = value(node, "substitutionGroup") {
            let head = self
                .resolve(instance, node, Symbol::Element, qname)
                .map(ElementId);
            self.all.elements[id.at()].head = head;
            if inline.is_none() && named.is_none() && head.is_some() {
                self.untyped_members.push(id);
            }
        }
        if node.has_attribute("default") && node.has_attribute("fixed") {
            let message = "an element has either a default or a fixed value, not both".to_owned();
            self.report(instance, node, "src-element.1", message);
        } else if node.has_attribute("default") || node.has_attribute("fixed") {
            self.element_values
                .push((id, node.has_attribute("fixed"), node));
        }
        let identities = self.read_identities(instance, node);
        let element = &mut self.all.elements[id.at()];
        element.ty = ty;
        element.nillable = flag(node, "nillable");
        element.is_abstract = flag(node, "abstract");
        element.block = Derivations(block.0 & 7);
        element.finals = Derivations(finals.0 & 3);
        element.identities = identities;
    }

    pub(crate) fn read_local_type(&mut self, instance: usize, node: Node<'d, 'd>) -> TypeId {
        let place = self.place(instance, node);
        let id = self.new_type(None, place);
        if node.tag_name().name() == "complexType" {
            self.all.types[id.at()].kind = Kind::Complex(Complex::default());
        }
        self.read_type(instance, node, id);
        id
    }

    fn read_type(&mut self, instance: usize, node: Node<'d, 'd>, id: TypeId) {
        let shape = match node.tag_name().name() {
            "simpleType" => {
                let finals = match value(node, "final") {
                    Some(text) => derivations(text),
                    None => self.instances[instance].final_default,
                };
                self.all.types[id.at()].finals = Derivations(finals.0 & 26);
                self.read_simple(instance, node)
            }
            _ => {
                let finals = match value(node, "final") {
                    Some(text) => derivations(text),
                    None => self.instances[instance].final_default,
                };
                self.all.types[id.at()].finals = Derivations(finals.0 & 3);
                Shape::Complex(self.read_complex(instance, node))
            }
        };
        self.raw_types[id.at()] = Some(RawType {
            instance,
            node,
            shape,
        });
    }

    fn read_simple(&mut self, instance: usize, node: Node<'d, 'd>) -> Shape<'d> {
        let Some(method) = parts(node).next() else {
            return Shape::Restriction {
                base: ANY_SIMPLE,
                facets: Vec::new(),
            };
        };
        let inline: Vec<_> = parts(method)
            .filter(|part| part.tag_name().name() == "simpleType")
            .collect();
        match method.tag_name().name() {
            "restriction" => Shape::Restriction {
                base: self.one_type(
                    instance,
                    method,
                    "base",
                    inline.first().copied(),
                    "src-simple-type.2",
                ),
                facets: facets(method),
            },
            "list" => Shape::List {
                item: self.one_type(
                    instance,
                    method,
                    "itemType",
                    inline.first().copied(),
                    "src-simple-type.3",
                ),
            },
            _ => {
                let mut members = Vec::new();
                for qname in value(method, "memberTypes")
                    .unwrap_or("")
                    .split_ascii_whitespace()
                {
                    members.extend(
                        self.resolve(instance, method, Symbol::Type, qname)
                            .map(TypeId),
                    );
                }
                for part in &inline {
                    members.push(self.read_local_type(instance, *part));
                }
                if inline.is_empty() && value(method, "memberTypes").is_none_or(str::is_empty) {
                    let message = "a union needs at least one member type".to_owned();
                    self.report(
                        instance,
                        method,
                        "src-union-memberTypes-or-simpleTypes",
                        message,
                    );
                }
                Shape::Union { members }
            }
        }
    }

    /// The type named by an attribute, or the one inside; exactly one of the two.
    fn one_type(
        &mut self,
        instance: usize,
        node: Node<'d, 'd>,
        attribute: &str,
        inline: Option<Node<'d, 'd>>,
        code: &'static str,
    ) -> TypeId {
        match (value(node, attribute), inline) {
            (Some(qname), None) => {
                let found = self.resolve(instance, node, Symbol::Type, qname);
                found.map_or(ANY_SIMPLE, TypeId)
            }
            (None, Some(inline)) => self.read_local_type(instance, inline),
            _ => {
                let kind = node.tag_name().name();
                let message = format!(
                    "xs:{kind} has either \"{attribute}\" or a type inside, exactly one of them"
                );
                self.report(instance, node, code, message);
                ANY_SIMPLE
            }
        }
    }

    fn read_complex(&mut self, instance: usize, node: Node<'d, 'd>) -> RawComplex<'d> {
        let block = match value(node, "block") {
            Some(text) => derivations(text),
            None => self.instances[instance].block_default,
        };
        let mut raw = RawComplex {
            base: ANY_TYPE,
            method: Derivations::RESTRICTION,
            is_abstract: flag(node, "abstract"),
            block: Derivations(block.0 & 3),
            mixed: flag(node, "mixed"),
            content: RawContent::Complex { particle: None },
            attributes: RawAttributes::default(),
        };
        let first = parts(node).next();
        let wrapper = first
            .filter(|part| matches!(part.tag_name().name(), "simpleContent" | "complexContent"));
        let Some(wrapper) = wrapper else {
            raw.content = RawContent::Complex {
                particle: self.explicit_content(instance, node),
            };
            raw.attributes = self.read_attributes(instance, node);
            return raw;
        };
        let Some(method) = parts(wrapper).next() else {
            return raw;
        };
        if let Some(qname) = value(method, "base")
            && let Some(base) = self.resolve(instance, method, Symbol::Type, qname)
        {
            raw.base = TypeId(base);
        }
        if method.tag_name().name() == "extension" {
            raw.method = Derivations::EXTENSION;
        }
        if wrapper.tag_name().name() == "simpleContent" {
            let inline = parts(method).find(|part| part.tag_name().name() == "simpleType");
            raw.content = RawContent::Simple {
                inline: inline.map(|inline| self.read_local_type(instance, inline)),
                facets: facets(method),
            };
        } else {
            if wrapper.has_attribute("mixed") {
                raw.mixed = flag(wrapper, "mixed");
            }
            raw.content = RawContent::Complex {
                particle: self.explicit_content(instance, method),
            };
        }
        raw.attributes = self.read_attributes(instance, method);
        raw
    }

    pub(crate) fn target_name(&mut self, instance: usize, local: &str, qualified: bool) -> NameId {
        let space = if qualified {
            self.instances[instance].target
        } else {
            crate::name::Names::NO_SPACE
        };
        self.all.names.intern(space, local)
    }
}

/// The facet children of a restriction.
fn facets<'a>(node: Node<'a, 'a>) -> Vec<Node<'a, 'a>> {
    parts(node)
        .filter(|part| {
            !matches!(
                part.tag_name().name(),
                "simpleType" | "attribute" | "attributeGroup" | "anyAttribute"
            )
        })
        .collect()
}

pub(crate) fn compositor(node: Node<'_, '_>) -> Compositor {
    match node.tag_name().name() {
        "choice" => Compositor::Choice,
        "all" => Compositor::All,
        _ => Compositor::Sequence,
    }
}

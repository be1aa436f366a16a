//! The schema components of Part 1, section 2.2, as compiled: plain tables that refer to each other by number.
//!
//! Filled in by the loader and the linker, read by the checks, the automata and the validator.

use std::collections::HashMap;
use std::sync::Arc;

use crate::automaton::Automaton;
use crate::name::{NameId, Names, NsId};
use crate::pattern::Pattern;
use crate::value::{Primitive, Value};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) struct $name(pub(crate) u32);
        impl $name {
            pub(crate) fn at(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

ids! {
    /// A simple or complex type.
    TypeId
    /// An element declaration, global or local.
    ElementId
    /// An attribute declaration, global or local.
    AttributeId
    /// A named model group.
    GroupId
    /// A named attribute group.
    AttributeGroupId
    /// A particle.
    ParticleId
    /// An identity constraint.
    IdentityId
}

/// Where in the schema documents something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    /// Number of the source; `u32::MAX` for what is built in.
    pub(crate) source: u32,
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) line: u32,
}

impl Place {
    pub(crate) const BUILT_IN: Place = Place {
        source: u32::MAX,
        start: 0,
        end: 0,
        line: 0,
    };
}

/// A set of derivation methods, as in `block` and `final`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Derivations(pub(crate) u8);

impl Derivations {
    pub(crate) const EXTENSION: Derivations = Derivations(1);
    pub(crate) const RESTRICTION: Derivations = Derivations(2);
    pub(crate) const SUBSTITUTION: Derivations = Derivations(4);
    pub(crate) const LIST: Derivations = Derivations(8);
    pub(crate) const UNION: Derivations = Derivations(16);

    pub(crate) fn has(self, other: Derivations) -> bool {
        self.0 & other.0 != 0
    }

    pub(crate) fn with(self, other: Derivations) -> Derivations {
        Derivations(self.0 | other.0)
    }
}

/// A type definition.
#[derive(Debug)]
pub(crate) struct Type {
    pub(crate) name: Option<NameId>,
    pub(crate) place: Place,
    pub(crate) base: TypeId,
    /// How it comes from its base: one of extension, restriction, list, union.
    pub(crate) method: Derivations,
    pub(crate) finals: Derivations,
    pub(crate) kind: Kind,
}

/// The two sorts of types.
#[derive(Debug)]
pub(crate) enum Kind {
    Simple(Box<Simple>),
    Complex(Complex),
}

/// A simple type with all facets in force, its own and the inherited ones.
#[derive(Debug, Clone)]
pub(crate) struct Simple {
    pub(crate) variety: Variety,
    pub(crate) lexical: Lexical,
    pub(crate) facets: Facets,
    /// Values may be IDs, IDREFs or entity names, so the validator has to look at them.
    pub(crate) refers: bool,
    /// How many checks one value may take, as unions within unions multiply.
    pub(crate) weight: u32,
}

/// Atomic, list or union.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Variety {
    /// xs:anySimpleType itself.
    Any,
    Atomic(Primitive),
    List(TypeId),
    Union(Vec<TypeId>),
}

/// The further lexical demands of built-in derived types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lexical {
    None,
    Integer,
    Language,
    NmToken,
    Name,
    NcName,
    Id,
    IdRef,
    Entity,
}

/// The `whiteSpace` facet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum White {
    Preserve,
    Replace,
    Collapse,
}

/// One facet in force: its value, where it was set, whether derived types may change it.
#[derive(Debug, Clone)]
pub(crate) struct Facet<T> {
    pub(crate) value: T,
    pub(crate) fixed: bool,
    pub(crate) place: Place,
}

/// A bound with its text, for messages.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    pub(crate) value: Value,
    pub(crate) text: Arc<str>,
}

/// The allowed values.
#[derive(Debug)]
pub(crate) struct Enumeration {
    pub(crate) values: Vec<Value>,
    pub(crate) texts: Vec<Box<str>>,
    pub(crate) place: Place,
}

/// The patterns of one derivation step, any of which may match.
#[derive(Debug)]
pub(crate) struct PatternStep {
    pub(crate) any_of: Vec<Pattern>,
    /// All of them in one, where that can be had.
    pub(crate) joined: Option<Pattern>,
    pub(crate) place: Place,
}

/// All facets in force on a simple type.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facets {
    pub(crate) white: Option<Facet<White>>,
    pub(crate) length: Option<Facet<u64>>,
    pub(crate) min_length: Option<Facet<u64>>,
    pub(crate) max_length: Option<Facet<u64>>,
    pub(crate) min_inclusive: Option<Facet<Bound>>,
    pub(crate) min_exclusive: Option<Facet<Bound>>,
    pub(crate) max_inclusive: Option<Facet<Bound>>,
    pub(crate) max_exclusive: Option<Facet<Bound>>,
    pub(crate) total_digits: Option<Facet<u64>>,
    pub(crate) fraction_digits: Option<Facet<u64>>,
    pub(crate) patterns: Vec<Arc<PatternStep>>,
    pub(crate) enumeration: Option<Arc<Enumeration>>,
    /// For integers: the range the four bounds leave, when it is all that has to be checked.
    pub(crate) range: Option<(i128, i128)>,
    /// Only white space and the lexical form matter.
    pub(crate) plain: bool,
}

/// A complex type.
#[derive(Debug, Default)]
pub(crate) struct Complex {
    pub(crate) is_abstract: bool,
    pub(crate) block: Derivations,
    /// Sorted by name.
    pub(crate) attributes: Vec<AttributeUse>,
    pub(crate) wildcard: Option<Wildcard>,
    pub(crate) content: Content,
    /// The number of required attributes.
    pub(crate) required: usize,
}

/// What stands between the tags.
#[derive(Debug, Clone, Default)]
pub(crate) enum Content {
    #[default]
    Empty,
    Simple(TypeId),
    /// Elements, with text between them when mixed.
    Elements {
        mixed: bool,
        particle: Option<ParticleId>,
        automaton: Option<Arc<Automaton>>,
    },
}

/// An attribute as a type uses it.
#[derive(Debug, Clone)]
pub(crate) struct AttributeUse {
    pub(crate) name: NameId,
    pub(crate) declaration: AttributeId,
    pub(crate) required: bool,
    pub(crate) value: Option<Constraint>,
    pub(crate) place: Place,
}

/// A default or fixed value.
#[derive(Debug, Clone)]
pub(crate) struct Constraint {
    pub(crate) fixed: bool,
    pub(crate) text: Arc<str>,
    /// The value in the type it belongs to; absent when the text does not fit (which is reported).
    pub(crate) value: Option<Value>,
}

/// An attribute declaration.
#[derive(Debug)]
pub(crate) struct Attribute {
    pub(crate) name: NameId,
    pub(crate) ty: TypeId,
    pub(crate) value: Option<Constraint>,
    pub(crate) place: Place,
}

/// An element declaration.
#[derive(Debug)]
pub(crate) struct Element {
    pub(crate) name: NameId,
    pub(crate) place: Place,
    pub(crate) ty: TypeId,
    pub(crate) global: bool,
    pub(crate) nillable: bool,
    pub(crate) is_abstract: bool,
    pub(crate) value: Option<Constraint>,
    pub(crate) block: Derivations,
    pub(crate) finals: Derivations,
    pub(crate) head: Option<ElementId>,
    pub(crate) identities: Vec<IdentityId>,
}

/// A term with its number of occurrences.
#[derive(Debug, Clone)]
pub(crate) struct Particle {
    pub(crate) min: u32,
    /// `u32::MAX` is unbounded; larger numbers are treated as unbounded.
    pub(crate) max: u32,
    pub(crate) term: Term,
    pub(crate) place: Place,
}

/// No upper bound on occurrences.
pub(crate) const UNBOUNDED: u32 = u32::MAX;

/// What a particle stands for.
#[derive(Debug, Clone)]
pub(crate) enum Term {
    Element(ElementId),
    Wildcard(Arc<Wildcard>),
    Model(Compositor, Vec<ParticleId>),
    Group(GroupId),
}

/// How the members of a model group combine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compositor {
    Sequence,
    Choice,
    All,
}

/// A named model group; its particle is a model.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) name: NameId,
    pub(crate) particle: ParticleId,
    pub(crate) place: Place,
}

/// `any` or `anyAttribute`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wildcard {
    pub(crate) spaces: Spaces,
    pub(crate) process: Process,
    pub(crate) place: Place,
}

/// The namespaces a wildcard admits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Spaces {
    Any,
    /// Any but this one and none (`##other`).
    Not(NsId),
    Set(Vec<NsId>),
}

/// What is done with what a wildcard admits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Process {
    Skip,
    Lax,
    Strict,
}

/// A unique, key or keyref.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) name: NameId,
    pub(crate) kind: IdentityKind,
    pub(crate) selector: Vec<Path>,
    pub(crate) fields: Vec<Vec<Path>>,
    pub(crate) place: Place,
    /// Some keyref refers to it, so its values travel up the tree.
    pub(crate) referred: bool,
}

/// The three kinds of identity constraints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdentityKind {
    Unique,
    Key,
    /// To this constraint, once resolved.
    KeyRef(Option<IdentityId>),
}

/// One alternative of a selector's or field's XPath.
#[derive(Debug, Clone)]
pub(crate) struct Path {
    /// It starts with `.//`.
    pub(crate) anywhere: bool,
    pub(crate) steps: Vec<NameTest>,
    /// The last step of a field, on the attribute axis.
    pub(crate) attribute: Option<NameTest>,
}

/// What a step admits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NameTest {
    Any,
    Space(Box<str>),
    Name(Box<str>, Box<str>),
}

/// All components of one schema.
#[derive(Debug)]
pub(crate) struct Components {
    pub(crate) names: Names,
    pub(crate) types: Vec<Type>,
    pub(crate) elements: Vec<Element>,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) groups: Vec<Group>,
    pub(crate) particles: Vec<Particle>,
    pub(crate) identities: Vec<Identity>,
    pub(crate) global_types: HashMap<NameId, TypeId>,
    pub(crate) global_elements: HashMap<NameId, ElementId>,
    pub(crate) global_attributes: HashMap<NameId, AttributeId>,
    pub(crate) notations: HashMap<NameId, Place>,
    /// For each head element, the elements that may stand in its place, itself not included.
    pub(crate) members: HashMap<ElementId, Vec<ElementId>>,
    pub(crate) sources: Vec<String>,
    /// The target namespaces of the documents.
    pub(crate) targets: Vec<NsId>,
}

/// xs:anyType.
pub(crate) const ANY_TYPE: TypeId = TypeId(0);
/// xs:anySimpleType.
pub(crate) const ANY_SIMPLE: TypeId = TypeId(1);

impl Components {
    pub(crate) fn ty(&self, id: TypeId) -> &Type {
        &self.types[id.at()]
    }

    pub(crate) fn element(&self, id: ElementId) -> &Element {
        &self.elements[id.at()]
    }

    pub(crate) fn attribute(&self, id: AttributeId) -> &Attribute {
        &self.attributes[id.at()]
    }

    pub(crate) fn particle(&self, id: ParticleId) -> &Particle {
        &self.particles[id.at()]
    }

    pub(crate) fn simple(&self, id: TypeId) -> Option<&Simple> {
        match &self.ty(id).kind {
            Kind::Simple(simple) => Some(simple),
            Kind::Complex(_) => None,
        }
    }

    pub(crate) fn complex(&self, id: TypeId) -> Option<&Complex> {
        match &self.ty(id).kind {
            Kind::Complex(complex) => Some(complex),
            Kind::Simple(_) => None,
        }
    }

    /// The simple type of a type's text content, if it has one.
    pub(crate) fn text_type(&self, id: TypeId) -> Option<TypeId> {
        match &self.ty(id).kind {
            Kind::Simple(_) => Some(id),
            Kind::Complex(complex) => match complex.content {
                Content::Simple(simple) => Some(simple),
                _ => None,
            },
        }
    }

    /// A type's name for messages.
    pub(crate) fn show_type(&self, id: TypeId) -> String {
        match self.ty(id).name {
            Some(name) => self.names.show(name),
            None => "an anonymous type".to_owned(),
        }
    }

    /// Whether `derived` comes from `base` by methods outside `blocked` (Type Derivation OK, Part 1, 3.4.6 and
    /// 3.14.6). The methods of every step count; lists and unions count as restrictions.
    pub(crate) fn derives(&self, derived: TypeId, base: TypeId, blocked: Derivations) -> bool {
        let mut at = derived;
        loop {
            if at == base {
                return true;
            }
            if at == ANY_TYPE {
                return false;
            }
            let ty = self.ty(at);
            let method = match ty.kind {
                Kind::Simple(_) => Derivations::RESTRICTION,
                Kind::Complex(_) => ty.method,
            };
            if blocked.has(method) {
                return false;
            }
            if self.member_of_union(at, base) {
                return true;
            }
            at = ty.base;
        }
    }

    /// A union without facets admits its members in its place (cos-st-derived-ok 2.2.4).
    fn member_of_union(&self, member: TypeId, union: TypeId) -> bool {
        match self.simple(union) {
            Some(Simple {
                variety: Variety::Union(members),
                facets: Facets { plain: true, .. },
                ..
            }) => members
                .iter()
                .any(|ty| *ty == member || self.member_of_union(member, *ty)),
            _ => false,
        }
    }
}

impl PatternStep {
    pub(crate) fn matches(&self, text: &str) -> bool {
        match &self.joined {
            Some(joined) => joined.matches(text),
            None => self.any_of.iter().any(|pattern| pattern.matches(text)),
        }
    }
}

impl Spaces {
    /// Whether the wildcard admits a namespace (Wildcard allows Namespace Name, 3.10.4). Names the schema never
    /// heard of are `None`.
    pub(crate) fn admit(&self, space: Option<NsId>) -> bool {
        match self {
            Spaces::Any => true,
            Spaces::Not(not) => space.is_none_or(|space| space != *not && space != Names::NO_SPACE),
            Spaces::Set(set) => space.is_some_and(|space| set.contains(&space)),
        }
    }
}

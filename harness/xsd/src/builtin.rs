//! The built-in types of Part 2 and the attributes every document may carry, as components.

use std::collections::HashMap;

use crate::component::*;
use crate::name::{Names, XML, XSD};
use crate::value::{Primitive, Value, decimal};

/// The primitive types by name, in the order of Part 2, 3.2, with the white space they prescribe.
const PRIMITIVES: &[(&str, Primitive)] = &[
    ("string", Primitive::String),
    ("boolean", Primitive::Boolean),
    ("decimal", Primitive::Decimal),
    ("float", Primitive::Float),
    ("double", Primitive::Double),
    ("duration", Primitive::Duration),
    ("dateTime", Primitive::DateTime),
    ("time", Primitive::Time),
    ("date", Primitive::Date),
    ("gYearMonth", Primitive::GYearMonth),
    ("gYear", Primitive::GYear),
    ("gMonthDay", Primitive::GMonthDay),
    ("gDay", Primitive::GDay),
    ("gMonth", Primitive::GMonth),
    ("hexBinary", Primitive::HexBinary),
    ("base64Binary", Primitive::Base64Binary),
    ("anyURI", Primitive::AnyUri),
    ("QName", Primitive::QName),
    ("NOTATION", Primitive::Notation),
];

/// The derived strings of Part 2, 3.3: name, base, white space, further lexical demand.
const STRINGS: &[(&str, &str, White, Lexical)] = &[
    ("normalizedString", "string", White::Replace, Lexical::None),
    ("token", "normalizedString", White::Collapse, Lexical::None),
    ("language", "token", White::Collapse, Lexical::Language),
    ("NMTOKEN", "token", White::Collapse, Lexical::NmToken),
    ("Name", "token", White::Collapse, Lexical::Name),
    ("NCName", "Name", White::Collapse, Lexical::NcName),
    ("ID", "NCName", White::Collapse, Lexical::Id),
    ("IDREF", "NCName", White::Collapse, Lexical::IdRef),
    ("ENTITY", "NCName", White::Collapse, Lexical::Entity),
];

/// The derived integers: name, base, bounds.
const INTEGERS: &[(&str, &str, Option<&str>, Option<&str>)] = &[
    ("integer", "decimal", None, None),
    ("nonPositiveInteger", "integer", None, Some("0")),
    ("negativeInteger", "nonPositiveInteger", None, Some("-1")),
    (
        "long",
        "integer",
        Some("-9223372036854775808"),
        Some("9223372036854775807"),
    ),
    ("int", "long", Some("-2147483648"), Some("2147483647")),
    ("short", "int", Some("-32768"), Some("32767")),
    ("byte", "short", Some("-128"), Some("127")),
    ("nonNegativeInteger", "integer", Some("0"), None),
    (
        "unsignedLong",
        "nonNegativeInteger",
        Some("0"),
        Some("18446744073709551615"),
    ),
    ("unsignedInt", "unsignedLong", Some("0"), Some("4294967295")),
    ("unsignedShort", "unsignedInt", Some("0"), Some("65535")),
    ("unsignedByte", "unsignedShort", Some("0"), Some("255")),
    ("positiveInteger", "nonNegativeInteger", Some("1"), None),
];

const LISTS: &[(&str, &str)] = &[
    ("NMTOKENS", "NMTOKEN"),
    ("IDREFS", "IDREF"),
    ("ENTITIES", "ENTITY"),
];

/// Components with nothing but what is built in.
pub(crate) fn components() -> Components {
    let mut all = Components {
        names: Names::new(),
        types: Vec::new(),
        elements: Vec::new(),
        attributes: Vec::new(),
        groups: Vec::new(),
        particles: Vec::new(),
        identities: Vec::new(),
        global_types: HashMap::new(),
        global_elements: HashMap::new(),
        global_attributes: HashMap::new(),
        notations: HashMap::new(),
        members: HashMap::new(),
        sources: Vec::new(),
        targets: Vec::new(),
    };
    ur_types(&mut all);
    for (name, primitive) in PRIMITIVES {
        let white = match primitive {
            Primitive::String => fixed(White::Preserve, false),
            _ => fixed(White::Collapse, true),
        };
        let facets = Facets {
            white: Some(white),
            ..Facets::default()
        };
        add(
            &mut all,
            name,
            ANY_SIMPLE,
            Variety::Atomic(*primitive),
            Lexical::None,
            facets,
        );
    }
    for (name, base, white, lexical) in STRINGS {
        let base = lookup(&mut all, base);
        let facets = Facets {
            white: Some(fixed(*white, false)),
            ..Facets::default()
        };
        let variety = Variety::Atomic(Primitive::String);
        add(&mut all, name, base, variety, *lexical, facets);
    }
    for (name, base, min, max) in INTEGERS {
        integer(&mut all, name, base, *min, *max);
    }
    for (name, item) in LISTS {
        let item = lookup(&mut all, item);
        let facets = Facets {
            white: Some(fixed(White::Collapse, true)),
            min_length: Some(fixed(1, false)),
            ..Facets::default()
        };
        add(
            &mut all,
            name,
            ANY_SIMPLE,
            Variety::List(item),
            Lexical::None,
            facets,
        );
    }
    all
}

/// Declares the attributes of the `xml` namespace, for schemas that import it without a document.
pub(crate) fn declare_xml_attributes(all: &mut Components) {
    for (name, ty) in [
        ("lang", "language"),
        ("space", "NCName"),
        ("base", "anyURI"),
        ("id", "ID"),
    ] {
        let ty = lookup(all, ty);
        let name = all.names.intern_in(XML, name);
        let id = AttributeId(all.attributes.len() as u32);
        all.attributes.push(Attribute {
            name,
            ty,
            value: None,
            place: Place::BUILT_IN,
        });
        all.global_attributes.insert(name, id);
    }
}

fn fixed<T>(value: T, fixed: bool) -> Facet<T> {
    Facet {
        value,
        fixed,
        place: Place::BUILT_IN,
    }
}

fn ur_types(all: &mut Components) {
    let wildcard = Wildcard {
        spaces: Spaces::Any,
        process: Process::Lax,
        place: Place::BUILT_IN,
    };
    all.particles.push(Particle {
        min: 0,
        max: UNBOUNDED,
        term: Term::Wildcard(std::sync::Arc::new(wildcard.clone())),
        place: Place::BUILT_IN,
    });
    all.particles.push(Particle {
        min: 1,
        max: 1,
        term: Term::Model(Compositor::Sequence, vec![ParticleId(0)]),
        place: Place::BUILT_IN,
    });
    let name = all.names.intern_in(XSD, "anyType");
    all.types.push(Type {
        name: Some(name),
        place: Place::BUILT_IN,
        base: ANY_TYPE,
        method: Derivations::RESTRICTION,
        finals: Derivations::default(),
        kind: Kind::Complex(Complex {
            is_abstract: false,
            block: Derivations::default(),
            attributes: Vec::new(),
            wildcard: Some(wildcard),
            content: Content::Elements {
                mixed: true,
                particle: Some(ParticleId(1)),
                automaton: None,
            },
            required: 0,
        }),
    });
    all.global_types.insert(name, ANY_TYPE);
    let facets = Facets {
        white: Some(fixed(White::Preserve, false)),
        plain: true,
        ..Facets::default()
    };
    add(
        all,
        "anySimpleType",
        ANY_TYPE,
        Variety::Any,
        Lexical::None,
        facets,
    );
}

fn lookup(all: &mut Components, local: &str) -> TypeId {
    let name = all.names.intern_in(XSD, local);
    all.global_types.get(&name).copied().unwrap_or(ANY_SIMPLE)
}

fn add(
    all: &mut Components,
    local: &str,
    base: TypeId,
    variety: Variety,
    lexical: Lexical,
    mut facets: Facets,
) {
    let id = TypeId(all.types.len() as u32);
    let name = all.names.intern_in(XSD, local);
    let refers = match &variety {
        Variety::List(item) => all.simple(*item).is_some_and(|item| item.refers),
        _ => matches!(lexical, Lexical::Id | Lexical::IdRef | Lexical::Entity),
    };
    facets.plain = facets.min_length.is_none()
        && facets.min_inclusive.is_none()
        && facets.max_inclusive.is_none();
    all.types.push(Type {
        name: Some(name),
        place: Place::BUILT_IN,
        base,
        method: match variety {
            Variety::List(_) => Derivations::LIST,
            _ => Derivations::RESTRICTION,
        },
        finals: Derivations::default(),
        kind: Kind::Simple(Box::new(Simple {
            variety,
            lexical,
            facets,
            refers,
            weight: 1,
        })),
    });
    all.global_types.insert(name, id);
}

fn integer(all: &mut Components, name: &str, base: &str, min: Option<&str>, max: Option<&str>) {
    let bound = |text: Option<&str>| {
        let text = text?;
        let value = Value::Decimal(decimal::parts(text)?.to_owned());
        Some(fixed(
            Bound {
                value,
                text: text.into(),
            },
            false,
        ))
    };
    let base = lookup(all, base);
    let facets = Facets {
        white: Some(fixed(White::Collapse, true)),
        fraction_digits: Some(fixed(0, true)),
        min_inclusive: bound(min),
        max_inclusive: bound(max),
        ..Facets::default()
    };
    add(
        all,
        name,
        base,
        Variety::Atomic(Primitive::Decimal),
        Lexical::Integer,
        facets,
    );
    if let Some(Type {
        kind: Kind::Simple(simple),
        ..
    }) = all.types.last_mut()
    {
        simple.facets.set_range();
    }
}

impl Facets {
    /// Works out [`Facets::range`] from the four bounds.
    pub(crate) fn set_range(&mut self) {
        let small = |bound: &Option<Facet<Bound>>, step: i128, absent: i128| match bound {
            None => Some(absent),
            Some(facet) => match &facet.value.value {
                Value::Decimal(value) => value.to_small().map(|value| value + step),
                _ => None,
            },
        };
        // Numerals longer than any i128 are compared as digits instead.
        let low = small(&self.min_inclusive, 0, i128::MIN)
            .zip(small(&self.min_exclusive, 1, i128::MIN))
            .map(|(a, b)| a.max(b));
        let high = small(&self.max_inclusive, 0, i128::MAX)
            .zip(small(&self.max_exclusive, -1, i128::MAX))
            .map(|(a, b)| a.min(b));
        self.range = low.zip(high);
    }
}

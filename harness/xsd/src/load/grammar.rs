//! The grammar of schema documents as a table: attributes with their lexical forms, and content models.
//!
//! The schema for schemas (Part 1, appendix A) in the few terms it needs; [`super::syntax`] applies it.

/// The lexical forms of attribute values in schema documents.
#[derive(Clone, Copy)]
pub(super) enum Form {
    Id,
    NcName,
    QName,
    QNames,
    Boolean,
    /// nonNegativeInteger.
    Count,
    /// nonNegativeInteger or `unbounded`.
    Occurs,
    Any,
    Token(&'static [&'static str]),
    /// `#all` or a list of these.
    Set(&'static [&'static str]),
    Namespaces,
    Uri,
}

const QUALIFIED: Form = Form::Token(&["qualified", "unqualified"]);
const PROCESS: Form = Form::Token(&["skip", "lax", "strict"]);
const USE: Form = Form::Token(&["optional", "required", "prohibited"]);
const BLOCK: Form = Form::Set(&["extension", "restriction", "substitution"]);
const FINAL: Form = Form::Set(&["extension", "restriction"]);
const SIMPLE_FINAL: Form = Form::Set(&["list", "union", "restriction"]);
const ANY_FINAL: Form = Form::Set(&["extension", "restriction", "list", "union"]);

/// What one `xs:` element looks like.
pub(super) struct Rule {
    /// The element, and after a slash where it stands: `element/top` or `element`.
    pub(super) name: &'static str,
    /// Attribute names; `!` after a name means it must be there.
    pub(super) attributes: &'static [(&'static str, Form)],
    /// Steps separated by blanks, each `a|b` followed by `?`, `*`, `+` or nothing.
    pub(super) content: &'static str,
}

const FACET: &[(&str, Form)] = &[("value!", Form::Any), ("fixed", Form::Boolean)];
const FACETS: &str = "annotation? simpleType? minExclusive|minInclusive|maxExclusive|maxInclusive|totalDigits|fractionDigits|length|minLength|maxLength|enumeration|whiteSpace|pattern* ";
const GLOBALS: &str = "include|import|redefine|annotation* simpleType|complexType|group|attributeGroup|element|attribute|notation|annotation*";
const MODEL: &str = "annotation? element|group|choice|sequence|any*";
const OCCURS: &[(&str, Form)] = &[("minOccurs", Form::Count), ("maxOccurs", Form::Occurs)];

/// The grammar, one rule for each element and place.
pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "schema",
        attributes: &[
            ("targetNamespace", Form::Uri),
            ("version", Form::Any),
            ("finalDefault", ANY_FINAL),
            ("blockDefault", BLOCK),
            ("attributeFormDefault", QUALIFIED),
            ("elementFormDefault", QUALIFIED),
        ],
        content: GLOBALS,
    },
    Rule {
        name: "include",
        attributes: &[("schemaLocation!", Form::Uri)],
        content: "annotation?",
    },
    Rule {
        name: "redefine",
        attributes: &[("schemaLocation!", Form::Uri)],
        content: "annotation|simpleType|complexType|group|attributeGroup*",
    },
    Rule {
        name: "import",
        attributes: &[("namespace", Form::Uri), ("schemaLocation", Form::Uri)],
        content: "annotation?",
    },
    Rule {
        name: "notation",
        attributes: &[
            ("name!", Form::NcName),
            ("public", Form::Any),
            ("system", Form::Uri),
        ],
        content: "annotation?",
    },
    Rule {
        name: "element/top",
        attributes: &[
            ("name!", Form::NcName),
            ("type", Form::QName),
            ("substitutionGroup", Form::QName),
            ("default", Form::Any),
            ("fixed", Form::Any),
            ("nillable", Form::Boolean),
            ("abstract", Form::Boolean),
            ("final", FINAL),
            ("block", BLOCK),
        ],
        content: "annotation? simpleType|complexType? unique|key|keyref*",
    },
    Rule {
        name: "element",
        attributes: &[
            ("name", Form::NcName),
            ("ref", Form::QName),
            ("type", Form::QName),
            ("minOccurs", Form::Count),
            ("maxOccurs", Form::Occurs),
            ("default", Form::Any),
            ("fixed", Form::Any),
            ("nillable", Form::Boolean),
            ("block", BLOCK),
            ("form", QUALIFIED),
        ],
        content: "annotation? simpleType|complexType? unique|key|keyref*",
    },
    Rule {
        name: "attribute/top",
        attributes: &[
            ("name!", Form::NcName),
            ("type", Form::QName),
            ("default", Form::Any),
            ("fixed", Form::Any),
        ],
        content: "annotation? simpleType?",
    },
    Rule {
        name: "attribute",
        attributes: &[
            ("name", Form::NcName),
            ("ref", Form::QName),
            ("type", Form::QName),
            ("use", USE),
            ("default", Form::Any),
            ("fixed", Form::Any),
            ("form", QUALIFIED),
        ],
        content: "annotation? simpleType?",
    },
    Rule {
        name: "complexType/top",
        attributes: &[
            ("name!", Form::NcName),
            ("mixed", Form::Boolean),
            ("abstract", Form::Boolean),
            ("final", FINAL),
            ("block", FINAL),
        ],
        content: "",
    },
    Rule {
        name: "complexType",
        attributes: &[("mixed", Form::Boolean)],
        content: "",
    },
    Rule {
        name: "complexContent",
        attributes: &[("mixed", Form::Boolean)],
        content: "annotation? restriction|extension",
    },
    Rule {
        name: "simpleContent",
        attributes: &[],
        content: "annotation? restriction|extension",
    },
    Rule {
        name: "group/top",
        attributes: &[("name!", Form::NcName)],
        content: "annotation? all|choice|sequence",
    },
    Rule {
        name: "group",
        attributes: &[
            ("ref!", Form::QName),
            ("minOccurs", Form::Count),
            ("maxOccurs", Form::Occurs),
        ],
        content: "annotation?",
    },
    Rule {
        name: "attributeGroup/top",
        attributes: &[("name!", Form::NcName)],
        content: "annotation? attribute|attributeGroup* anyAttribute?",
    },
    Rule {
        name: "attributeGroup",
        attributes: &[("ref!", Form::QName)],
        content: "annotation?",
    },
    Rule {
        name: "all",
        attributes: OCCURS,
        content: "annotation? element*",
    },
    Rule {
        name: "choice",
        attributes: OCCURS,
        content: MODEL,
    },
    Rule {
        name: "sequence",
        attributes: OCCURS,
        content: MODEL,
    },
    Rule {
        name: "all/group",
        attributes: &[],
        content: "annotation? element*",
    },
    Rule {
        name: "choice/group",
        attributes: &[],
        content: MODEL,
    },
    Rule {
        name: "sequence/group",
        attributes: &[],
        content: MODEL,
    },
    Rule {
        name: "any",
        attributes: &[
            ("namespace", Form::Namespaces),
            ("processContents", PROCESS),
            ("minOccurs", Form::Count),
            ("maxOccurs", Form::Occurs),
        ],
        content: "annotation?",
    },
    Rule {
        name: "anyAttribute",
        attributes: &[
            ("namespace", Form::Namespaces),
            ("processContents", PROCESS),
        ],
        content: "annotation?",
    },
    Rule {
        name: "unique",
        attributes: &[("name!", Form::NcName)],
        content: "annotation? selector field+",
    },
    Rule {
        name: "key",
        attributes: &[("name!", Form::NcName)],
        content: "annotation? selector field+",
    },
    Rule {
        name: "keyref",
        attributes: &[("name!", Form::NcName), ("refer!", Form::QName)],
        content: "annotation? selector field+",
    },
    Rule {
        name: "selector",
        attributes: &[("xpath!", Form::Any)],
        content: "annotation?",
    },
    Rule {
        name: "field",
        attributes: &[("xpath!", Form::Any)],
        content: "annotation?",
    },
    Rule {
        name: "simpleType/top",
        attributes: &[("name!", Form::NcName), ("final", SIMPLE_FINAL)],
        content: "annotation? restriction|list|union",
    },
    Rule {
        name: "simpleType",
        attributes: &[],
        content: "annotation? restriction|list|union",
    },
    Rule {
        name: "list",
        attributes: &[("itemType", Form::QName)],
        content: "annotation? simpleType?",
    },
    Rule {
        name: "union",
        attributes: &[("memberTypes", Form::QNames)],
        content: "annotation? simpleType*",
    },
    Rule {
        name: "restriction/simpleType",
        attributes: &[("base", Form::QName)],
        content: FACETS,
    },
    Rule {
        name: "restriction/simpleContent",
        attributes: &[("base!", Form::QName)],
        content: "annotation? simpleType? minExclusive|minInclusive|maxExclusive|maxInclusive|totalDigits|fractionDigits|length|minLength|maxLength|enumeration|whiteSpace|pattern* attribute|attributeGroup* anyAttribute?",
    },
    Rule {
        name: "restriction/complexContent",
        attributes: &[("base!", Form::QName)],
        content: "annotation? group|all|choice|sequence? attribute|attributeGroup* anyAttribute?",
    },
    Rule {
        name: "extension/simpleContent",
        attributes: &[("base!", Form::QName)],
        content: "annotation? attribute|attributeGroup* anyAttribute?",
    },
    Rule {
        name: "extension/complexContent",
        attributes: &[("base!", Form::QName)],
        content: "annotation? group|all|choice|sequence? attribute|attributeGroup* anyAttribute?",
    },
    Rule {
        name: "minExclusive",
        attributes: FACET,
        content: "annotation?",
    },
    Rule {
        name: "minInclusive",
        attributes: FACET,
        content: "annotation?",
    },
    Rule {
        name: "maxExclusive",
        attributes: FACET,
        content: "annotation?",
    },
    Rule {
        name: "maxInclusive",
        attributes: FACET,
        content: "annotation?",
    },
    Rule {
        name: "totalDigits",
        attributes: FACET,
        content: "annotation?",
    },
    Rule {
        name: "fractionDigits",
        attributes: FACET,
        content: "annotation?",
    },
    Rule {
        name: "length",
        attributes: FACET,
        content: "annotation?",
    },
    Rule {
        name: "minLength",
        attributes: FACET,
        content: "annotation?",
    },
    Rule {
        name: "maxLength",
        attributes: FACET,
        content: "annotation?",
    },
    Rule {
        name: "whiteSpace",
        attributes: FACET,
        content: "annotation?",
    },
    Rule {
        name: "enumeration",
        attributes: &[("value!", Form::Any)],
        content: "annotation?",
    },
    Rule {
        name: "pattern",
        attributes: &[("value!", Form::Any)],
        content: "annotation?",
    },
    Rule {
        name: "annotation",
        attributes: &[],
        content: "appinfo|documentation*",
    },
];

/// The content of xs:complexType with a content wrapper, and without.
pub(super) const COMPLEX_LONG: &str = "annotation? simpleContent|complexContent";
pub(super) const COMPLEX_SHORT: &str =
    "annotation? group|all|choice|sequence? attribute|attributeGroup* anyAttribute?";

/// Elements of XSD 1.1 that 1.0 does not have.
pub(super) const XSD_1_1: &[&str] = &[
    "assert",
    "assertion",
    "alternative",
    "override",
    "openContent",
    "defaultOpenContent",
    "explicitTimezone",
];

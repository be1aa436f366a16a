//! Text against simple types (Part 1, 3.14.4 and Part 2): white space, lexical form, facets.
//!
//! Takes raw text and the scope of its prefixes; gives nothing, or the rule that is broken with what it expects.
//! The common types are checked without allocating.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::component::*;
use crate::value::{self, Primitive, Scope, Value, decimal, lexical};

/// The rule a text breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: &'static str,
    /// Reads after "the value …".
    pub(crate) what: String,
    pub(crate) expected: Vec<String>,
    pub(crate) place: Place,
}

/// What ID-like things a valid value contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reference {
    Id(String),
    IdRef(String),
    Entity(String),
}

impl Components {
    /// Checks a text against a simple type.
    pub(crate) fn check(&self, ty: TypeId, raw: &str, scope: &dyn Scope) -> Result<(), Box<Fault>> {
        let Some(simple) = self.simple(ty) else {
            return Ok(());
        };
        if matches!(
            simple.variety,
            Variety::Atomic(Primitive::String | Primitive::AnyUri)
        ) && simple.facets.plain
            && simple.lexical == Lexical::None
        {
            return Ok(());
        }
        self.check_normalized(ty, simple, &normalize(simple, raw), scope)
    }

    fn check_normalized(
        &self,
        ty: TypeId,
        simple: &Simple,
        text: &str,
        scope: &dyn Scope,
    ) -> Result<(), Box<Fault>> {
        let facets = &simple.facets;
        match &simple.variety {
            Variety::Any => return Ok(()),
            Variety::Atomic(Primitive::Decimal) if simple.lexical == Lexical::Integer => {
                if let (true, Some((low, high))) = (simple.only_range(), facets.range)
                    && let Some(value) = decimal::small(text)
                    && (low..=high).contains(&value)
                {
                    return Ok(());
                }
                if !decimal::is_integer(text) {
                    return Err(self.not_a(ty));
                }
            }
            Variety::Atomic(kind) => {
                if !simple.lexical.admits(text) || !value::fits(*kind, text, scope) {
                    return Err(self.not_a(ty));
                }
            }
            Variety::List(item) => {
                if let Some(item_type) = self.simple(*item) {
                    for part in items(text) {
                        self.check_normalized(*item, item_type, part, scope)
                            .map_err(|fault| self.item_fault(part, *fault))?;
                    }
                }
            }
            Variety::Union(members) => {
                if !members
                    .iter()
                    .any(|member| self.check(*member, text, scope).is_ok())
                {
                    let names: Vec<String> = members.iter().map(|ty| self.show_type(*ty)).collect();
                    return Err(Box::new(Fault {
                        code: "cvc-datatype-valid.1.2.3",
                        what: format!("fits none of the member types {}", names.join(", ")),
                        expected: names,
                        place: self.ty(ty).place,
                    }));
                }
            }
        }
        if facets.plain {
            return Ok(());
        }
        self.check_facets(ty, simple, text, scope)
    }

    /// The value of a text that fits its type.
    pub(crate) fn value(&self, ty: TypeId, raw: &str, scope: &dyn Scope) -> Option<Value> {
        let simple = self.simple(ty)?;
        let text = normalize(simple, raw);
        match &simple.variety {
            Variety::Any => Some(Value::Text(Primitive::String, text.into())),
            Variety::Atomic(kind) => value::parse(*kind, &text, scope),
            Variety::List(item) => items(&text)
                .map(|part| self.value(*item, part, scope))
                .collect::<Option<Vec<_>>>()
                .map(Value::List),
            Variety::Union(members) => members
                .iter()
                .find(|member| self.check(**member, &text, scope).is_ok())
                .and_then(|member| self.value(*member, &text, scope)),
        }
    }

    /// The IDs, references and entity names in a valid value.
    pub(crate) fn references(
        &self,
        ty: TypeId,
        raw: &str,
        scope: &dyn Scope,
        out: &mut Vec<Reference>,
    ) {
        let Some(simple) = self.simple(ty).filter(|simple| simple.refers) else {
            return;
        };
        let text = normalize(simple, raw);
        match &simple.variety {
            Variety::List(item) => {
                for part in items(&text) {
                    self.references(*item, part, scope, out);
                }
            }
            Variety::Union(members) => {
                let member = members
                    .iter()
                    .find(|member| self.check(**member, &text, scope).is_ok());
                if let Some(member) = member {
                    self.references(*member, &text, scope, out);
                }
            }
            _ => match simple.lexical {
                Lexical::Id => out.push(Reference::Id(text.into_owned())),
                Lexical::IdRef => out.push(Reference::IdRef(text.into_owned())),
                Lexical::Entity => out.push(Reference::Entity(text.into_owned())),
                _ => {}
            },
        }
    }

    fn check_facets(
        &self,
        ty: TypeId,
        simple: &Simple,
        text: &str,
        scope: &dyn Scope,
    ) -> Result<(), Box<Fault>> {
        let facets = &simple.facets;
        for step in &facets.patterns {
            if !step.matches(text) {
                let sources: Vec<String> = step
                    .any_of
                    .iter()
                    .map(|pattern| pattern.source().to_owned())
                    .collect();
                return fault(
                    "cvc-pattern-valid",
                    format!("does not match the pattern {}", sources.join(" or ")),
                    sources,
                    step.place,
                );
            }
        }
        if let Some(allowed) = &facets.enumeration {
            let value = self.value(ty, text, scope);
            if !value.is_some_and(|value| allowed.values.contains(&value)) {
                return fault(
                    "cvc-enumeration-valid",
                    "is not one of the allowed values".to_owned(),
                    allowed
                        .texts
                        .iter()
                        .map(|text| format!("\"{text}\""))
                        .collect(),
                    allowed.place,
                );
            }
        }
        check_length(simple, text)?;
        check_digits(facets, text)?;
        check_bounds(simple, text, scope)
    }

    /// "… is not a valid xs:int".
    fn not_a(&self, ty: TypeId) -> Box<Fault> {
        let mut named = ty;
        while self.ty(named).name.is_none() && named != ANY_TYPE {
            named = self.ty(named).base;
        }
        let name = self.show_type(named);
        Box::new(Fault {
            code: "cvc-datatype-valid.1.2.1",
            what: format!("is not a valid {name}"),
            expected: vec![name],
            place: self.ty(ty).place,
        })
    }

    fn item_fault(&self, item: &str, fault: Fault) -> Box<Fault> {
        let code = match fault.code {
            "cvc-datatype-valid.1.2.1" => "cvc-datatype-valid.1.2.2",
            other => other,
        };
        Box::new(Fault {
            code,
            what: format!("has an item \"{item}\" that {}", fault.what),
            ..fault
        })
    }
}

impl Simple {
    /// Nothing has to be checked but the integer range.
    fn only_range(&self) -> bool {
        let facets = &self.facets;
        facets.patterns.is_empty() && facets.enumeration.is_none() && facets.total_digits.is_none()
    }
}

impl Lexical {
    fn admits(self, text: &str) -> bool {
        match self {
            Lexical::None => true,
            Lexical::Integer => decimal::is_integer(text),
            Lexical::Language => lexical::is_language(text),
            Lexical::NmToken => lexical::is_nmtoken(text),
            Lexical::Name => lexical::is_name(text),
            Lexical::NcName | Lexical::Id | Lexical::IdRef | Lexical::Entity => {
                lexical::is_ncname(text)
            }
        }
    }
}

fn fault(
    code: &'static str,
    what: String,
    expected: Vec<String>,
    place: Place,
) -> Result<(), Box<Fault>> {
    Err(Box::new(Fault {
        code,
        what,
        expected,
        place,
    }))
}

fn check_length(simple: &Simple, text: &str) -> Result<(), Box<Fault>> {
    let facets = &simple.facets;
    if facets.length.is_none() && facets.min_length.is_none() && facets.max_length.is_none() {
        return Ok(());
    }
    let (length, unit) = match &simple.variety {
        Variety::List(_) => (items(text).count() as u64, "items"),
        Variety::Atomic(Primitive::HexBinary) => (text.len() as u64 / 2, "octets"),
        Variety::Atomic(Primitive::Base64Binary) => {
            let octets = lexical::base64(text).map_or(0, |octets| octets.len());
            (octets as u64, "octets")
        }
        // The errata of XSD 1.0 make the length of QName and NOTATION meaningless: every value fits.
        Variety::Atomic(Primitive::QName | Primitive::Notation) => return Ok(()),
        _ => (text.chars().count() as u64, "characters"),
    };
    if let Some(facet) = &facets.length
        && length != facet.value
    {
        let what = format!("has {length} {unit}, not {}", facet.value);
        return fault(
            "cvc-length-valid",
            what,
            vec![format!("length {}", facet.value)],
            facet.place,
        );
    }
    if let Some(facet) = &facets.min_length
        && length < facet.value
    {
        let what = format!("has {length} {unit}, fewer than {}", facet.value);
        let expected = vec![format!("minLength {}", facet.value)];
        return fault("cvc-minLength-valid", what, expected, facet.place);
    }
    if let Some(facet) = &facets.max_length
        && length > facet.value
    {
        let what = format!("has {length} {unit}, more than {}", facet.value);
        let expected = vec![format!("maxLength {}", facet.value)];
        return fault("cvc-maxLength-valid", what, expected, facet.place);
    }
    Ok(())
}

fn check_digits(facets: &Facets, text: &str) -> Result<(), Box<Fault>> {
    if facets.total_digits.is_none() && facets.fraction_digits.is_none() {
        return Ok(());
    }
    let Some(parts) = decimal::parts(text) else {
        return Ok(());
    };
    if let Some(facet) = &facets.total_digits
        && parts.total_digits() as u64 > facet.value
    {
        let what = format!(
            "has {} digits, more than {}",
            parts.total_digits(),
            facet.value
        );
        let expected = vec![format!("totalDigits {}", facet.value)];
        return fault("cvc-totalDigits-valid", what, expected, facet.place);
    }
    if let Some(facet) = &facets.fraction_digits
        && parts.fraction.len() as u64 > facet.value
    {
        let what = format!(
            "has {} fraction digits, more than {}",
            parts.fraction.len(),
            facet.value
        );
        let expected = vec![format!("fractionDigits {}", facet.value)];
        return fault("cvc-fractionDigits-valid", what, expected, facet.place);
    }
    Ok(())
}

fn check_bounds(simple: &Simple, text: &str, scope: &dyn Scope) -> Result<(), Box<Fault>> {
    use Ordering::{Equal, Greater, Less};
    let facets = &simple.facets;
    let Variety::Atomic(kind) = simple.variety else {
        return Ok(());
    };
    type Row<'f> = (
        &'f Option<Facet<Bound>>,
        &'static str,
        &'static str,
        &'static [Ordering],
    );
    let bounds: [Row<'_>; 4] = [
        (
            &facets.min_inclusive,
            "cvc-minInclusive-valid",
            "minInclusive",
            &[Equal, Greater],
        ),
        (
            &facets.min_exclusive,
            "cvc-minExclusive-valid",
            "minExclusive",
            &[Greater],
        ),
        (
            &facets.max_inclusive,
            "cvc-maxInclusive-valid",
            "maxInclusive",
            &[Equal, Less],
        ),
        (
            &facets.max_exclusive,
            "cvc-maxExclusive-valid",
            "maxExclusive",
            &[Less],
        ),
    ];
    if bounds.iter().all(|(facet, ..)| facet.is_none()) {
        return Ok(());
    }
    let Some(value) = value::parse(kind, text, scope) else {
        return Ok(());
    };
    for (facet, code, name, allowed) in bounds {
        let Some(facet) = facet else { continue };
        let fits = value
            .compare(&facet.value.value)
            .is_some_and(|order| allowed.contains(&order));
        if !fits {
            let bound = &facet.value.text;
            let what = match name {
                "minInclusive" => format!("is less than {bound}"),
                "minExclusive" => format!("is not greater than {bound}"),
                "maxInclusive" => format!("is greater than {bound}"),
                _ => format!("is not less than {bound}"),
            };
            return fault(code, what, vec![format!("{name} {bound}")], facet.place);
        }
    }
    Ok(())
}

/// The items of a list's text.
pub(crate) fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_ascii() && lexical::is_space(c as u8))
        .filter(|item| !item.is_empty())
}

/// Applies the type's white space to a raw text; borrows when nothing changes.
pub(crate) fn normalize<'t>(simple: &Simple, raw: &'t str) -> Cow<'t, str> {
    let white = match (&simple.facets.white, &simple.variety) {
        // A union leaves the text as it is; each member normalises for itself.
        (_, Variety::Union(_)) => White::Preserve,
        (Some(facet), _) => facet.value,
        (None, _) => White::Preserve,
    };
    whiten(white, raw)
}

/// Applies one `whiteSpace` value.
pub(crate) fn whiten(white: White, raw: &str) -> Cow<'_, str> {
    let bytes = raw.as_bytes();
    match white {
        White::Preserve => Cow::Borrowed(raw),
        White::Replace => {
            if bytes
                .iter()
                .any(|byte| matches!(byte, b'\t' | b'\n' | b'\r'))
            {
                Cow::Owned(raw.replace(['\t', '\n', '\r'], " "))
            } else {
                Cow::Borrowed(raw)
            }
        }
        White::Collapse => {
            if !bytes.iter().any(|byte| lexical::is_space(*byte)) {
                return Cow::Borrowed(raw);
            }
            let trimmed = raw.trim_matches([' ', '\t', '\n', '\r']);
            let inner = trimmed.as_bytes();
            let untidy = inner.windows(2).any(|pair| {
                lexical::is_space(pair[0]) && (pair[0] != b' ' || lexical::is_space(pair[1]))
            });
            if !untidy {
                return Cow::Borrowed(trimmed);
            }
            let mut out = String::with_capacity(trimmed.len());
            for item in items(trimmed) {
                if !out.is_empty() {
                    out.push(' ');
                }
                out.push_str(item);
            }
            Cow::Owned(out)
        }
    }
}

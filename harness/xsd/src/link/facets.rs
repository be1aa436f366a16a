//! Constraining facets of one restriction step (Part 2, 4.3): applicability, values, and agreement with the base.

use std::cmp::Ordering;
use std::sync::Arc;

use roxmltree::Node;

use crate::component::*;
use crate::load::register::Reader;
use crate::load::{flag, value};
use crate::pattern::{Pattern, PatternError};
use crate::value::{self as values, Primitive, Value};

/// A restriction being put together.
pub(super) struct Restriction<'p> {
    base: TypeId,
    parent: &'p Simple,
    own: Facets,
    patterns: Vec<Pattern>,
    pattern_place: Option<Place>,
    values: Vec<Value>,
    texts: Vec<Box<str>>,
    enumeration_place: Option<Place>,
    seen: Vec<String>,
}

/// Which facets a type has (cos-applicable-facets).
fn applies(variety: &Variety, facet: &str) -> bool {
    match variety {
        Variety::Any => false,
        Variety::Union(_) => matches!(facet, "pattern" | "enumeration"),
        Variety::List(_) => matches!(
            facet,
            "length" | "minLength" | "maxLength" | "pattern" | "enumeration" | "whiteSpace"
        ),
        Variety::Atomic(kind) => match facet {
            "pattern" | "whiteSpace" => true,
            "enumeration" => *kind != Primitive::Boolean,
            "length" | "minLength" | "maxLength" => kind.has_length(),
            "totalDigits" | "fractionDigits" => *kind == Primitive::Decimal,
            _ => kind.is_ordered(),
        },
    }
}

impl<'p> Restriction<'p> {
    pub(super) fn new(base: TypeId, parent: &'p Simple) -> Self {
        Restriction {
            base,
            parent,
            own: Facets::default(),
            patterns: Vec::new(),
            pattern_place: None,
            values: Vec::new(),
            texts: Vec::new(),
            enumeration_place: None,
            seen: Vec::new(),
        }
    }

    /// Takes one facet element.
    pub(super) fn add<'d>(
        &mut self,
        reader: &mut Reader<'d, '_, '_>,
        instance: usize,
        node: Node<'d, 'd>,
    ) {
        let name = node.tag_name().name();
        let place = reader.place(instance, node);
        if !applies(&self.parent.variety, name) {
            let message = format!("{} has no facet {name}", reader.all.show_type(self.base));
            reader.errors.push(place, "cos-applicable-facets", message);
            return;
        }
        if !matches!(name, "pattern" | "enumeration") {
            if self.seen.iter().any(|seen| seen == name) {
                let message = format!("the facet {name} is given twice");
                reader.errors.push(place, "src-single-facet-value", message);
                return;
            }
            self.seen.push(name.to_owned());
        }
        let raw = node.attribute("value").unwrap_or("");
        let text = value(node, "value").unwrap_or("");
        let fixed = flag(node, "fixed");
        match name {
            "pattern" => self.pattern(reader, raw, place),
            "enumeration" => self.enumeration(reader, raw, node, place),
            "whiteSpace" => match text {
                "preserve" | "replace" | "collapse" => {
                    let value = match text {
                        "preserve" => White::Preserve,
                        "replace" => White::Replace,
                        _ => White::Collapse,
                    };
                    self.own.white = Some(Facet {
                        value,
                        fixed,
                        place,
                    });
                }
                _ => bad_value(reader, place, name, text, "preserve, replace or collapse"),
            },
            "length" | "minLength" | "maxLength" | "totalDigits" | "fractionDigits" => {
                let Some(number) = count(text) else {
                    return bad_value(reader, place, name, text, "a number, 0 or more");
                };
                if name == "totalDigits" && number == 0 {
                    return bad_value(reader, place, name, text, "a number, 1 or more");
                }
                let facet = Some(Facet {
                    value: number,
                    fixed,
                    place,
                });
                match name {
                    "length" => self.own.length = facet,
                    "minLength" => self.own.min_length = facet,
                    "maxLength" => self.own.max_length = facet,
                    "totalDigits" => self.own.total_digits = facet,
                    _ => self.own.fraction_digits = facet,
                }
            }
            _ => self.bound(reader, name, raw, fixed, node, place),
        }
    }

    fn pattern(&mut self, reader: &mut Reader<'_, '_, '_>, text: &str, place: Place) {
        self.pattern_place.get_or_insert(place);
        match Pattern::new(text) {
            Ok(pattern) => self.patterns.push(pattern),
            Err(PatternError::Syntax(why)) => {
                let message =
                    format!("the pattern \"{text}\" is not a regular expression of XSD: {why}");
                reader.errors.push(place, "pattern", message);
            }
            Err(PatternError::TooBig) => {
                let message = format!("the pattern \"{text}\" would need too much memory");
                reader.errors.push(place, "limit", message);
            }
        }
    }

    fn enumeration<'d>(
        &mut self,
        reader: &mut Reader<'d, '_, '_>,
        text: &str,
        node: Node<'d, 'd>,
        place: Place,
    ) {
        self.enumeration_place.get_or_insert(place);
        if let Err(fault) = reader.all.check(self.base, text, &node) {
            let message = format!("the value \"{text}\" {}", fault.what);
            reader
                .errors
                .push(place, "enumeration-valid-restriction", message);
            return;
        }
        let Some(value) = reader.all.value(self.base, text, &node) else {
            return;
        };
        if let Value::Name(Primitive::Notation, space, local) = &value {
            let name = reader.all.names.intern_in(space, local);
            if !reader.all.notations.contains_key(&name) {
                let message = format!("there is no notation \"{text}\"");
                reader
                    .errors
                    .push(place, "enumeration-required-notation", message);
            }
        }
        self.values.push(value);
        self.texts.push(text.into());
    }

    fn bound<'d>(
        &mut self,
        reader: &mut Reader<'d, '_, '_>,
        name: &str,
        raw: &str,
        fixed: bool,
        node: Node<'d, 'd>,
        place: Place,
    ) {
        let Variety::Atomic(kind) = self.parent.variety else {
            return;
        };
        let text = crate::simple::normalize(self.parent, raw);
        let integer_only = self.parent.lexical == Lexical::Integer;
        let value = values::parse(kind, &text, &node)
            .filter(|_| !integer_only || values::decimal::is_integer(&text));
        let Some(value) = value else {
            let wanted = format!("a value of {}", reader.all.show_type(self.base));
            return bad_value(reader, place, name, raw, &wanted);
        };
        let bound = Bound {
            value,
            text: text.as_ref().into(),
        };
        let facet = Some(Facet {
            value: bound,
            fixed,
            place,
        });
        match name {
            "minInclusive" => self.own.min_inclusive = facet,
            "minExclusive" => self.own.min_exclusive = facet,
            "maxInclusive" => self.own.max_inclusive = facet,
            _ => self.own.max_exclusive = facet,
        }
    }

    /// The facets in force, after checking the step.
    pub(super) fn finish(mut self, reader: &mut Reader<'_, '_, '_>) -> Facets {
        let base = &self.parent.facets;
        check_lengths(&self.own, base, reader);
        check_digits(&self.own, base, reader);
        check_bounds(&self.own, base, reader);
        check_fixed(&self.own, base, reader);
        if let (Some(own), Some(inherited)) = (&self.own.white, &base.white)
            && own.value < inherited.value
        {
            let message =
                "white space cannot be treated more loosely than in the base type".to_owned();
            reader
                .errors
                .push(own.place, "whiteSpace-valid-restriction", message);
        }
        let own = std::mem::take(&mut self.own);
        let mut out = base.clone();
        out.white = own.white.or(out.white);
        out.length = own.length.or(out.length);
        out.min_length = own.min_length.or(out.min_length);
        out.max_length = own.max_length.or(out.max_length);
        out.total_digits = own.total_digits.or(out.total_digits);
        out.fraction_digits = own.fraction_digits.or(out.fraction_digits);
        if own.min_inclusive.is_some() || own.min_exclusive.is_some() {
            out.min_inclusive = own.min_inclusive;
            out.min_exclusive = own.min_exclusive;
        }
        if own.max_inclusive.is_some() || own.max_exclusive.is_some() {
            out.max_inclusive = own.max_inclusive;
            out.max_exclusive = own.max_exclusive;
        }
        if let Some(place) = self.pattern_place {
            out.patterns.push(Arc::new(PatternStep {
                joined: Pattern::any_of(&self.patterns),
                any_of: self.patterns,
                place,
            }));
        }
        if let Some(place) = self.enumeration_place {
            out.enumeration = Some(Arc::new(Enumeration {
                values: self.values,
                texts: self.texts,
                place,
            }));
        }
        let bounded = [
            &out.min_inclusive,
            &out.min_exclusive,
            &out.max_inclusive,
            &out.max_exclusive,
        ]
        .into_iter()
        .any(Option::is_some);
        let sized = [
            &out.length,
            &out.min_length,
            &out.max_length,
            &out.total_digits,
        ]
        .into_iter()
        .any(Option::is_some);
        let integer = self.parent.lexical == Lexical::Integer;
        out.plain = out.patterns.is_empty()
            && out.enumeration.is_none()
            && !bounded
            && !sized
            && (integer || out.fraction_digits.is_none());
        out.range = None;
        if integer {
            out.set_range();
        }
        out
    }
}

fn bad_value(reader: &mut Reader<'_, '_, '_>, place: Place, facet: &str, text: &str, wanted: &str) {
    let message = format!("the value \"{text}\" of {facet} should be {wanted}");
    let code = match facet {
        "minInclusive" => "minInclusive-valid-restriction",
        "minExclusive" => "minExclusive-valid-restriction",
        "maxInclusive" => "maxInclusive-valid-restriction",
        "maxExclusive" => "maxExclusive-valid-restriction",
        _ => "s4s-att-invalid-value",
    };
    reader.errors.push(place, code, message);
}

fn count(text: &str) -> Option<u64> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    if let Some(zeros) = text.strip_prefix('-') {
        let zero = !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0');
        return zero.then_some(0);
    }
    let fits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| digits.parse().unwrap_or(u64::MAX))
}

fn check_lengths(own: &Facets, base: &Facets, reader: &mut Reader<'_, '_, '_>) {
    let mut fail = |place, code, message: String| reader.errors.push(place, code, message);
    if let (Some(own), Some(inherited)) = (&own.length, &base.length)
        && own.value != inherited.value
    {
        let message = format!(
            "the base type has length {}, not {}",
            inherited.value, own.value
        );
        fail(own.place, "length-valid-restriction", message);
    }
    if let (Some(own), Some(inherited)) = (&own.min_length, &base.min_length)
        && own.value < inherited.value
    {
        let message = format!(
            "the base type has minLength {}, more than {}",
            inherited.value, own.value
        );
        fail(own.place, "minLength-valid-restriction", message);
    }
    if let (Some(own), Some(inherited)) = (&own.max_length, &base.max_length)
        && own.value > inherited.value
    {
        let message = format!(
            "the base type has maxLength {}, less than {}",
            inherited.value, own.value
        );
        fail(own.place, "maxLength-valid-restriction", message);
    }
    let length = own.length.as_ref().or(base.length.as_ref());
    let min = own.min_length.as_ref().or(base.min_length.as_ref());
    let max = own.max_length.as_ref().or(base.max_length.as_ref());
    if let (Some(min), Some(max)) = (min, max)
        && min.value > max.value
    {
        let message = format!(
            "minLength {} is more than maxLength {}",
            min.value, max.value
        );
        let place = own
            .min_length
            .as_ref()
            .map_or(max.place, |facet| facet.place);
        fail(place, "minLength-less-than-equal-to-maxLength", message);
    }
    let Some(length) = length else { return };
    for (limit, mine, inherited, fits) in [
        (
            min,
            &own.min_length,
            &base.min_length,
            min.is_none_or(|min| min.value <= length.value),
        ),
        (
            max,
            &own.max_length,
            &base.max_length,
            max.is_none_or(|max| max.value >= length.value),
        ),
    ] {
        let Some(limit) = limit else { continue };
        // Length and one of its limits go together only if the limit came first, in a step without length.
        let inherited_same = inherited
            .as_ref()
            .is_some_and(|facet| facet.value == limit.value);
        if !fits || (mine.is_some() && !inherited_same) {
            let place = mine.as_ref().map_or(length.place, |facet| facet.place);
            let message = "length stands beside minLength or maxLength".to_owned();
            fail(place, "length-minLength-maxLength", message);
        }
    }
}

fn check_digits(own: &Facets, base: &Facets, reader: &mut Reader<'_, '_, '_>) {
    for (own, inherited, code) in [
        (
            &own.total_digits,
            &base.total_digits,
            "totalDigits-valid-restriction",
        ),
        (
            &own.fraction_digits,
            &base.fraction_digits,
            "fractionDigits-valid-restriction",
        ),
    ] {
        if let (Some(own), Some(inherited)) = (own, inherited)
            && own.value > inherited.value
        {
            let message = format!(
                "the base type allows {} digits, fewer than {}",
                inherited.value, own.value
            );
            reader.errors.push(own.place, code, message);
        }
    }
    let total = own.total_digits.as_ref().or(base.total_digits.as_ref());
    let fraction = own
        .fraction_digits
        .as_ref()
        .or(base.fraction_digits.as_ref());
    if let (Some(total), Some(fraction)) = (total, fraction)
        && fraction.value > total.value
    {
        let place = own
            .fraction_digits
            .as_ref()
            .map_or(total.place, |facet| facet.place);
        let message = format!(
            "fractionDigits {} is more than totalDigits {}",
            fraction.value, total.value
        );
        reader
            .errors
            .push(place, "fractionDigits-totalDigits", message);
    }
}

/// The bounds of the step against each other and against those of the base.
fn check_bounds(own: &Facets, base: &Facets, reader: &mut Reader<'_, '_, '_>) {
    use Ordering::{Equal, Greater, Less};
    let mut fail = |facet: &Facet<Bound>, code, message: String| {
        reader.errors.push(facet.place, code, message)
    };
    if let (Some(_), Some(facet)) = (&own.min_inclusive, &own.min_exclusive) {
        fail(
            facet,
            "minInclusive-minExclusive",
            "minInclusive and minExclusive exclude each other".to_owned(),
        );
    }
    if let (Some(_), Some(facet)) = (&own.max_inclusive, &own.max_exclusive) {
        fail(
            facet,
            "maxInclusive-maxExclusive",
            "maxInclusive and maxExclusive exclude each other".to_owned(),
        );
    }
    // Each row: a lower bound and an upper bound of the same step, the orders that are allowed between them.
    let pairs: [(&Option<_>, &Option<_>, &[Ordering], &'static str); 4] = [
        (
            &own.min_inclusive,
            &own.max_inclusive,
            &[Less, Equal],
            "minInclusive-less-than-equal-to-maxInclusive",
        ),
        (
            &own.min_exclusive,
            &own.max_exclusive,
            &[Less, Equal],
            "minExclusive-less-than-equal-to-maxExclusive",
        ),
        (
            &own.min_inclusive,
            &own.max_exclusive,
            &[Less],
            "minInclusive-less-than-maxExclusive",
        ),
        (
            &own.min_exclusive,
            &own.max_inclusive,
            &[Less],
            "minExclusive-less-than-maxInclusive",
        ),
    ];
    for (low, high, allowed, code) in pairs {
        if let (Some(low), Some(high)) = (low, high)
            && !low
                .value
                .value
                .compare(&high.value.value)
                .is_some_and(|order| allowed.contains(&order))
        {
            fail(
                low,
                code,
                format!(
                    "the lower bound {} is above the upper bound {}",
                    low.value.text, high.value.text
                ),
            );
        }
    }
    // Each row: a bound of the step, and the orders it may have to the base's minInclusive, minExclusive,
    // maxInclusive and maxExclusive.
    type Allowed = [&'static [Ordering]; 4];
    let rows: [(&Option<Facet<Bound>>, &'static str, Allowed); 4] = [
        (
            &own.min_inclusive,
            "minInclusive-valid-restriction",
            [&[Greater, Equal], &[Greater], &[Less, Equal], &[Less]],
        ),
        (
            &own.min_exclusive,
            "minExclusive-valid-restriction",
            [
                &[Greater, Equal],
                &[Greater, Equal],
                &[Less, Equal],
                &[Less],
            ],
        ),
        (
            &own.max_inclusive,
            "maxInclusive-valid-restriction",
            [&[Greater, Equal], &[Greater], &[Less, Equal], &[Less]],
        ),
        (
            &own.max_exclusive,
            "maxExclusive-valid-restriction",
            [&[Greater], &[Greater], &[Less, Equal], &[Less, Equal]],
        ),
    ];
    let inherited = [
        (&base.min_inclusive, "minInclusive"),
        (&base.min_exclusive, "minExclusive"),
        (&base.max_inclusive, "maxInclusive"),
        (&base.max_exclusive, "maxExclusive"),
    ];
    for (own, code, allowed) in rows {
        let Some(own) = own else { continue };
        for ((bound, name), allowed) in inherited.iter().zip(allowed) {
            let Some(bound) = bound else { continue };
            if !own
                .value
                .value
                .compare(&bound.value.value)
                .is_some_and(|order| allowed.contains(&order))
            {
                let message = format!(
                    "{} leaves the base type's {name} {}",
                    own.value.text, bound.value.text
                );
                fail(own, code, message);
                break;
            }
        }
    }
}

/// A fixed facet of the base keeps its value.
fn check_fixed(own: &Facets, base: &Facets, reader: &mut Reader<'_, '_, '_>) {
    fn changed<T>(
        own: &Option<Facet<T>>,
        base: &Option<Facet<T>>,
        same: fn(&T, &T) -> bool,
    ) -> Option<Place> {
        let (own, base) = (own.as_ref()?, base.as_ref()?);
        (base.fixed && !same(&own.value, &base.value)).then_some(own.place)
    }
    let bound = |a: &Bound, b: &Bound| a.value == b.value;
    let places = [
        changed(&own.length, &base.length, |a, b| a == b),
        changed(&own.min_length, &base.min_length, |a, b| a == b),
        changed(&own.max_length, &base.max_length, |a, b| a == b),
        changed(&own.total_digits, &base.total_digits, |a, b| a == b),
        changed(&own.fraction_digits, &base.fraction_digits, |a, b| a == b),
        changed(&own.white, &base.white, |a, b| a == b),
        changed(&own.min_inclusive, &base.min_inclusive, bound),
        changed(&own.min_exclusive, &base.min_exclusive, bound),
        changed(&own.max_inclusive, &base.max_inclusive, bound),
        changed(&own.max_exclusive, &base.max_exclusive, bound),
    ];
    for place in places.into_iter().flatten() {
        let message = "the base type has this facet fixed to another value".to_owned();
        reader.errors.push(place, "st-restrict-facets", message);
    }
}

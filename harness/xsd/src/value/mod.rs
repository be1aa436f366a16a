//! Values: the nineteen primitive types of Part 2 in their value spaces.
//!
//! Takes white-space-normalised text; gives a [`Value`] or nothing. Equality is identity of values; order is the
//! partial order of each type. Derived types and facets are not known here.

use std::cmp::Ordering;

pub(crate) mod decimal;
pub(crate) mod duration;
pub(crate) mod lexical;
pub(crate) mod moment;
pub(crate) mod names;

use decimal::Decimal;
use duration::Duration;
use moment::Moment;

use crate::name::XML;

/// The primitive types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Primitive {
    String,
    Boolean,
    Decimal,
    Float,
    Double,
    Duration,
    DateTime,
    Time,
    Date,
    GYearMonth,
    GYear,
    GMonthDay,
    GDay,
    GMonth,
    HexBinary,
    Base64Binary,
    AnyUri,
    QName,
    Notation,
}

impl Primitive {
    /// Whether the bound facets apply.
    pub(crate) fn is_ordered(self) -> bool {
        use Primitive::*;
        !matches!(
            self,
            String | Boolean | HexBinary | Base64Binary | AnyUri | QName | Notation
        )
    }

    /// Whether the length facets apply.
    pub(crate) fn has_length(self) -> bool {
        use Primitive::*;
        matches!(
            self,
            String | HexBinary | Base64Binary | AnyUri | QName | Notation
        )
    }
}

/// Finds the namespace that a prefix is bound to at the place a value stands; `""` asks for the default namespace.
pub(crate) trait Scope {
    /// The namespace name; `Some("")` when an unprefixed name is in no namespace.
    fn namespace(&self, prefix: &str) -> Option<&str>;
}

/// A place where no prefixes are bound.
pub(crate) struct NoScope;

impl Scope for NoScope {
    fn namespace(&self, prefix: &str) -> Option<&str> {
        prefix.is_empty().then_some("")
    }
}

impl Scope for roxmltree::Node<'_, '_> {
    fn namespace(&self, prefix: &str) -> Option<&str> {
        bound(*self, prefix)
    }
}

/// The namespace a prefix is bound to at a node, `""` standing for the default namespace. The prefix `xml` is bound
/// everywhere, without a declaration.
pub(crate) fn bound<'a>(node: roxmltree::Node<'a, '_>, prefix: &str) -> Option<&'a str> {
    match prefix {
        "" => Some(node.lookup_namespace_uri(None).unwrap_or("")),
        "xml" => Some(XML),
        prefix => node.lookup_namespace_uri(Some(prefix)),
    }
}

/// A value of some primitive type, or a list of such.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Value {
    Text(Primitive, Box<str>),
    Boolean(bool),
    Decimal(Decimal),
    Float(u32),
    Double(u64),
    Duration(Duration),
    Moment(Moment),
    Octets(Primitive, Vec<u8>),
    Name(Primitive, Box<str>, Box<str>),
    List(Vec<Value>),
}

/// The value of a normalised text, or `None` when the text is not in the lexical space.
pub(crate) fn parse(kind: Primitive, text: &str, scope: &dyn Scope) -> Option<Value> {
    use Primitive::*;
    Some(match kind {
        String | AnyUri => Value::Text(kind, text.into()),
        Boolean => Value::Boolean(boolean(text)?),
        Decimal => Value::Decimal(decimal::parts(text)?.to_owned()),
        Float => Value::Float(float(text)?.to_bits()),
        Double => Value::Double(double(text)?.to_bits()),
        Duration => Value::Duration(duration::parse(text)?),
        DateTime | Time | Date | GYearMonth | GYear | GMonthDay | GDay | GMonth => {
            Value::Moment(moment::parse(kind, text)?)
        }
        HexBinary => Value::Octets(kind, lexical::hex(text)?),
        Base64Binary => Value::Octets(kind, lexical::base64(text)?),
        QName | Notation => {
            let (prefix, local) = lexical::qname(text)?;
            let space = scope.namespace(prefix)?;
            Value::Name(kind, space.into(), local.into())
        }
    })
}

/// Whether a normalised text is in the lexical space; allocates only for binary types.
pub(crate) fn fits(kind: Primitive, text: &str, scope: &dyn Scope) -> bool {
    use Primitive::*;
    match kind {
        String | AnyUri => true,
        Boolean => boolean(text).is_some(),
        Decimal => decimal::parts(text).is_some(),
        Float | Double => lexical::is_float_numeral(text) || matches!(text, "INF" | "-INF" | "NaN"),
        QName | Notation => {
            lexical::qname(text).is_some_and(|(prefix, _)| scope.namespace(prefix).is_some())
        }
        _ => parse(kind, text, scope).is_some(),
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// NaN and zero are brought to one bit pattern, so that equality of bits is equality of values.
fn float(text: &str) -> Option<f32> {
    match text {
        "INF" => Some(f32::INFINITY),
        "-INF" => Some(f32::NEG_INFINITY),
        "NaN" => Some(f32::NAN),
        _ if lexical::is_float_numeral(text) => text.parse::<f32>().ok().map(|value| value + 0.0),
        _ => None,
    }
}

fn double(text: &str) -> Option<f64> {
    match text {
        "INF" => Some(f64::INFINITY),
        "-INF" => Some(f64::NEG_INFINITY),
        "NaN" => Some(f64::NAN),
        _ if lexical::is_float_numeral(text) => text.parse::<f64>().ok().map(|value| value + 0.0),
        _ => None,
    }
}

impl Value {
    /// The order of two values, where there is one.
    pub(crate) fn compare(&self, other: &Value) -> Option<Ordering> {
        match (self, other) {
            (Value::Decimal(a), Value::Decimal(b)) => Some(a.parts().compare(&b.parts())),
            (Value::Float(a), Value::Float(b)) => f32::from_bits(*a)
                .partial_cmp(&f32::from_bits(*b))
                .or((a == b).then_some(Ordering::Equal)),
            (Value::Double(a), Value::Double(b)) => f64::from_bits(*a)
                .partial_cmp(&f64::from_bits(*b))
                .or((a == b).then_some(Ordering::Equal)),
            (Value::Duration(a), Value::Duration(b)) => a.compare(b),
            (Value::Moment(a), Value::Moment(b)) => a.compare(b),
            _ => (self == other).then_some(Ordering::Equal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality_is_in_the_value_space() {
        let value = |kind, text| parse(kind, text, &NoScope).unwrap();
        assert_eq!(
            value(Primitive::Decimal, "1.0"),
            value(Primitive::Decimal, "01")
        );
        assert_eq!(value(Primitive::Float, "-0"), value(Primitive::Float, "0"));
        assert_eq!(
            value(Primitive::Double, "NaN"),
            value(Primitive::Double, "NaN")
        );
        assert_eq!(
            value(Primitive::Boolean, "1"),
            value(Primitive::Boolean, "true")
        );
        assert_eq!(
            value(Primitive::HexBinary, "ff"),
            value(Primitive::HexBinary, "FF")
        );
        assert_ne!(value(Primitive::String, "a"), value(Primitive::AnyUri, "a"));
        assert!(parse(Primitive::Float, "Infinity", &NoScope).is_none());
        assert!(parse(Primitive::QName, "p:a", &NoScope).is_none());
    }
}

/*! YAML text → tree of values that remember where they stood.

The only module that knows the YAML library. It takes at most [`MAX_BYTES`] of
text and gives a [`Node`]; it refuses duplicate keys, several documents, deep
nesting and alias bombs, and it gives no meaning to any key.
*/

use std::sync::Arc;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use super::diag::{Diagnostic, Source, Span};

/// Longest scenario, target or template file that is read.
pub const MAX_BYTES: usize = 1 << 20;

/// A value with its place in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// Where it stands.
    pub span: Span,
}

/// What a node holds. Scalars keep the text they were written with.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as written.
    Number(String),
    /// Any other scalar.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order of the file.
    Map(Vec<(Key, Node)>),
}

/// A mapping key with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// The key.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

impl Node {
    /// The value of a key of a mapping.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|(_, node)| node)
    }

    /// A key of a mapping with its value.
    pub fn entry(&self, key: &str) -> Option<(&Key, &Node)> {
        self.entries().find(|(k, _)| k.text == key)
    }

    /// All entries of a mapping; none of anything else.
    pub fn entries(&self) -> impl Iterator<Item = (&Key, &Node)> {
        let entries: &[(Key, Node)] = match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        };
        entries.iter().map(|(k, v)| (k, v))
    }

    /// The items of a sequence; none of anything else.
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The node itself, or its items when it is a sequence.
    pub fn one_or_many(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            Value::Null => &[],
            _ => std::slice::from_ref(self),
        }
    }

    /// The text of a scalar as it was written.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) | Value::Number(text) => Some(text),
            Value::Bool(true) => Some("true"),
            Value::Bool(false) => Some("false"),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// Whether it is `true`.
    pub fn is_true(&self) -> bool {
        self.value == Value::Bool(true)
    }

    /// What it is, for error messages.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a truth value",
            Value::Number(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
}

/// Reads one document.
pub fn parse(source: &Arc<Source>) -> Result<Node, Diagnostic> {
    let text = source.text.as_str();
    if text.len() > MAX_BYTES {
        return Err(Diagnostic::error(
            source,
            Span::default(),
            format!("the file is longer than {MAX_BYTES} bytes"),
        ));
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 200_000,
            max_nodes: 100_000,
            max_depth: 64,
            max_aliases: 1_000,
            max_anchors: 1_000,
            flow_nesting_limit: 64,
        },
        strict_booleans: true,
        with_snippet: false,
    };
    let raw: Spanned<Raw> =
        serde_saphyr::from_str_with_options(text, options).map_err(|error| {
            let span = error
                .location()
                .map(|l| place(text, &l))
                .unwrap_or_default();
            let message = error.without_snippet().to_string();
            // The position is shown by the caret.
            let message = message.split(" at line ").next().unwrap_or(&message);
            Diagnostic::error(source, span, format!("not usable as YAML: {message}"))
        })?;
    Ok(node(raw, text))
}

/// The place of an error; the parser knows line and column of some errors only.
fn place(text: &str, location: &serde_saphyr::Location) -> Span {
    if location.span().byte_offset().is_some() {
        return span(location);
    }
    let line = location.line().max(1) as usize;
    let start: usize = text
        .split_inclusive('\n')
        .take(line - 1)
        .map(str::len)
        .sum();
    let column = location.column().max(1) as usize - 1;
    let start = text
        .get(start..)
        .and_then(|rest| rest.char_indices().nth(column))
        .map_or(text.len(), |(i, _)| start + i);
    Span::of(text, start, start + 1)
}

fn span(location: &serde_saphyr::Location) -> Span {
    let (start, length) = match (location.span().byte_offset(), location.span().byte_len()) {
        (Some(start), Some(length)) => (start as usize, length as usize),
        _ => (0, 0),
    };
    Span {
        line: location.line().max(1) as u32,
        column: location.column().max(1) as u32,
        start,
        end: start + length,
    }
}

fn node(raw: Spanned<Raw>, text: &str) -> Node {
    let mut place = span(&raw.referenced);
    let defined = span(&raw.defined);
    let written = || {
        text.get(defined.start..defined.end)
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    let value = match raw.value {
        Raw::Null => Value::Null,
        Raw::Bool(b) => Value::Bool(b),
        Raw::Number(n) => Value::Number(Some(written()).filter(|w| !w.is_empty()).unwrap_or(n)),
        Raw::Text(t) => Value::Text(t),
        Raw::List(items) => {
            // A collection is pointed at by its first line.
            place.end = place.start;
            Value::List(items.into_iter().map(|item| node(item, text)).collect())
        }
        Raw::Map(entries) => {
            place.end = place.start;
            Value::Map(
                entries
                    .into_iter()
                    .map(|(key, value)| {
                        let key = Key {
                            span: span(&key.referenced),
                            text: key.value,
                        };
                        (key, node(value, text))
                    })
                    .collect(),
            )
        }
    };
    Node { value, span: place }
}

enum Raw {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Raw, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Raw;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a YAML value")
            }
            fn visit_unit<E: de::Error>(self) -> Result<Raw, E> {
                Ok(Raw::Null)
            }
            fn visit_none<E: de::Error>(self) -> Result<Raw, E> {
                Ok(Raw::Null)
            }
            fn visit_some<D: Deserializer<'de>>(self, input: D) -> Result<Raw, D::Error> {
                Raw::deserialize(input)
            }
            fn visit_bool<E: de::Error>(self, v: bool) -> Result<Raw, E> {
                Ok(Raw::Bool(v))
            }
            fn visit_i64<E: de::Error>(self, v: i64) -> Result<Raw, E> {
                Ok(Raw::Number(v.to_string()))
            }
            fn visit_u64<E: de::Error>(self, v: u64) -> Result<Raw, E> {
                Ok(Raw::Number(v.to_string()))
            }
            fn visit_i128<E: de::Error>(self, v: i128) -> Result<Raw, E> {
                Ok(Raw::Number(v.to_string()))
            }
            fn visit_u128<E: de::Error>(self, v: u128) -> Result<Raw, E> {
                Ok(Raw::Number(v.to_string()))
            }
            fn visit_f64<E: de::Error>(self, v: f64) -> Result<Raw, E> {
                Ok(Raw::Number(v.to_string()))
            }
            fn visit_str<E: de::Error>(self, v: &str) -> Result<Raw, E> {
                Ok(Raw::Text(v.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Raw::List(items))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Raw::Map(entries))
            }
        }
        input.deserialize_any(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Node, Diagnostic> {
        parse(&Source::new("t.yaml", text))
    }

    #[test]
    fn values_and_keys_keep_their_places_and_their_text() {
        let root = read("a: 007\nb:\n  - x: true\n    ${y}: ~\n  - cmd:join: { \"@id\": 1.50 }\n")
            .unwrap();
        let (key, a) = root.entry("a").unwrap();
        assert_eq!((key.span.line, key.span.column, a.span.column), (1, 1, 4));
        assert_eq!(a.text(), Some("007"));
        let items = root.get("b").unwrap().items();
        assert!(items[0].get("x").unwrap().is_true());
        assert_eq!(items[0].get("${y}").unwrap().value, Value::Null);
        let id = items[1].get("cmd:join").unwrap().get("@id").unwrap();
        assert_eq!((id.text(), id.span.line), (Some("1.50"), 5));
    }

    #[test]
    fn what_is_no_single_sane_document_is_refused_with_its_place() {
        let error = read("a: 1\nb: 2\na: 3\n").unwrap_err();
        assert_eq!((error.span.line, error.span.column), (3, 1), "{error}");
        assert!(read("a: [1, 2\nb: }").is_err());
        assert!(read("--- 1\n--- 2\n").is_err());
        let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e]\n";
        assert!(read(bomb).is_err());
        assert!(read(&"[".repeat(10_000)).is_err());
    }
}

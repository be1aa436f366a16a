/*! Texts with `${…}` inside.

Takes the text of a scalar, gives its parts; evaluating asks a [`Scope`] for
values. It knows the form of an expression, not which names exist.

`${users.alice.uri}` is a path, `${now(-5m)}` a call, `$${` stands for `${`.
*/

use std::borrow::Cow;
use std::fmt;

use super::diag::Span;

/// A text to be evaluated when it is used.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    /// Its pieces.
    pub parts: Vec<Part>,
    /// Where it stands.
    pub span: Span,
    /// What kind of scalar it was written as.
    pub kind: Kind,
}

/// How a scalar was written; decides how it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text: compared as it is.
    Text,
    /// A number: compared by value.
    Number,
    /// `true`, `false`: compared as xs:boolean.
    Bool,
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// As it is.
    Literal(String),
    /// A value by its path: `users.alice.uri`.
    Path(String),
    /// A function with its argument, empty when it has none.
    Call(String, String),
}

/// Why a text has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoValue {
    /// What should have given this name a value did not come.
    Missing(String),
    /// The expression cannot be evaluated, whatever happens.
    Wrong(String),
}

impl fmt::Display for NoValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoValue::Missing(path) => write!(f, "`{path}` has no value"),
            NoValue::Wrong(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for NoValue {}

/// Who knows values.
pub trait Scope {
    /// The value of a path.
    fn path(&self, path: &str) -> Result<String, NoValue>;
    /// The value of a call; may count (`seq()`).
    fn call(&self, name: &str, argument: &str) -> Result<String, NoValue>;
}

impl Text {
    /// Reads a scalar; an error says what is wrong with an expression.
    pub fn parse(text: &str, span: Span, kind: Kind) -> Result<Text, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            if rest[..at].ends_with('$') {
                literal.push_str(&rest[..at - 1]);
                literal.push_str("${");
                rest = &rest[at + 2..];
                continue;
            }
            literal.push_str(&rest[..at]);
            let Some(end) = rest[at..].find('}') else {
                return Err("`${` has no `}`".to_owned());
            };
            let inside = rest[at + 2..at + end].trim();
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            parts.push(expression(inside)?);
            rest = &rest[at + end + 1..];
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Text { parts, span, kind })
    }

    /// A text without expressions.
    pub fn literal(text: impl Into<String>) -> Text {
        Text {
            parts: vec![Part::Literal(text.into())],
            span: Span::default(),
            kind: Kind::Text,
        }
    }

    /// The text when it holds no expression.
    pub fn plain(&self) -> Option<Cow<'_, str>> {
        match self.parts.as_slice() {
            [] => Some(Cow::Borrowed("")),
            [Part::Literal(text)] => Some(Cow::Borrowed(text)),
            _ => None,
        }
    }

    /// The text with every expression replaced by its value.
    pub fn eval(&self, scope: &impl Scope) -> Result<String, NoValue> {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Path(path) => out.push_str(&scope.path(path)?),
                Part::Call(name, argument) => out.push_str(&scope.call(name, argument)?),
            }
        }
        Ok(out)
    }

    /// Whether it is nothing but the name of a user, room or category of the target:
    /// such values are compared without regard to case.
    pub fn is_identity(&self) -> bool {
        matches!(self.parts.as_slice(), [Part::Path(path)] if
            ["users.", "rooms.", "categories."].iter().any(|p| path.starts_with(p))
            && [".uri", ".guid", ".domain"].iter().any(|s| path.ends_with(s)))
    }
}

fn expression(inside: &str) -> Result<Part, String> {
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    if let Some(open) = inside.find('(') {
        let name = &inside[..open];
        let Some(argument) = inside[open + 1..].strip_suffix(')') else {
            return Err(format!("`{inside}` lacks its `)`"));
        };
        if name.is_empty() || !name.chars().all(word) {
            return Err(format!("`{name}` is no name of a function"));
        }
        return Ok(Part::Call(name.to_owned(), argument.trim().to_owned()));
    }
    if inside.is_empty()
        || !inside
            .split('.')
            .all(|p| !p.is_empty() && p.chars().all(word))
    {
        return Err(format!(
            "`{inside}` is no name: write ${{users.alice.uri}} or ${{now()}}"
        ));
    }
    Ok(Part::Path(inside.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_found_between_literals() {
        let read = |t: &str| Text::parse(t, Span::default(), Kind::Text).map(|t| t.parts);
        assert_eq!(
            read("a ${users.alice.uri} $${x} ${now(-5m)}").unwrap(),
            [
                Part::Literal("a ".into()),
                Part::Path("users.alice.uri".into()),
                Part::Literal(" ${x} ".into()),
                Part::Call("now".into(), "-5m".into()),
            ]
        );
        assert!(read("${a b}").is_err());
        assert!(read("${a").is_err());
        assert!(read("${now(}").is_err());
    }
}

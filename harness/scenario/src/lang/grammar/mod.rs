/*! The words of the language, once: tables that say which keys a mapping takes.

The checker, the JSON Schema of the editors and the reference page all read
these tables, so none of them can drift. A table says nothing about meaning;
[`super::decode`] gives that.
*/

mod scenario;
mod steps;
mod target;

pub use scenario::{SCENARIO, STEP, TEMPLATE};
pub use steps::EXPECT;
pub use target::TARGET;

/// What may stand at a place.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// One scalar.
    Text,
    /// `true` or `false`.
    Bool,
    /// A non-negative integer.
    Integer,
    /// `300ms`, `10s`, `1m`.
    Duration,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A sequence of these.
    List(&'static Shape),
    /// One of these, or a sequence of them.
    OneOrMany(&'static Shape),
    /// A mapping from free names to these.
    MapOf(&'static Shape),
    /// Either.
    Either(&'static Shape, &'static Shape),
    /// A mapping with known keys.
    Record(&'static Record),
    /// An XML element to send: `@attribute`, `text()`, children by name.
    Element,
    /// An XML element to recognise: as to send, with tests for values.
    Pattern,
    /// A test of one value: a literal, or a mapping of tests.
    Test,
    /// JSON to send to the driver.
    Json,
    /// JSON to recognise, tests for values.
    JsonPattern,
    /// Anything (arguments of a template).
    Any,
}

/// A mapping with known keys.
#[derive(Debug)]
pub struct Record {
    /// What people call it.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// Its keys.
    pub fields: &'static [Field],
    /// Exactly one of these keys has to be there (none: no such demand).
    pub choice: &'static [&'static str],
    /// Which keys it takes besides.
    pub open: Open,
}

/// A key of a record.
#[derive(Debug)]
pub struct Field {
    /// The key.
    pub key: &'static str,
    /// What it takes.
    pub shape: Shape,
    /// Whether it has to be there.
    pub required: bool,
    /// What it means.
    pub about: &'static str,
}

/// Families of keys a record takes besides its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// None.
    No,
    /// `cmd:join`, `rpl:join`, `ntc:part`, `cmd`, `rpl`, `ntc`, `err`, `sys`, `grpchat`, each an element to send.
    Primitives,
    /// The same, each an element to recognise.
    PrimitivePatterns,
    /// Names of driver actions (`join`, `send`).
    Actions,
}

/// Classes of primitives that can be keys, alone or with `:name`.
pub const PRIMITIVES: &[&str] = &["cmd", "rpl", "ntc", "err", "sys", "grpchat"];

/// Actions of the upper tester (`contracts.md`): what a driver is asked for.
pub use peer::driver::VERBS as ACTIONS;

/// Keys of a mapping of tests.
pub const TESTS: &[(&str, Shape, &str)] = &[
    ("equals", Shape::Text, "is this text"),
    (
        "integer",
        Shape::Text,
        "is a whole number; `any`, or compared: `\"> 0\"`, `\">= ${x}\"`, `\"!= 3\"`",
    ),
    (
        "items",
        Shape::Text,
        "is a JSON list of so many items: `any`, `2`, `\">= ${x}\"`; `save` keeps their number",
    ),
    (
        "time",
        Shape::Text,
        "is an ISO 8601 time: `any`, `utc` (with Z), or near the present: `\"now 5m\"`",
    ),
    (
        "regex",
        Shape::Text,
        "fits this regular expression somewhere (anchor with ^ and $)",
    ),
    ("one_of", Shape::List(&Shape::Test), "fits one of these"),
    ("not", Shape::Test, "does not fit this"),
    ("absent", Shape::Bool, "is not there"),
    ("present", Shape::Bool, "is there, whatever it holds"),
    (
        "boolean",
        Shape::Bool,
        "is this xs:boolean (`1` and `0` count)",
    ),
    ("guid", Shape::Bool, "is a GUID, in any case"),
    (
        "has",
        Shape::OneOrMany(&Shape::Text),
        "is a comma-separated list that holds each of these",
    ),
    (
        "lacks",
        Shape::OneOrMany(&Shape::Text),
        "is a comma-separated list that holds none of these",
    ),
    (
        "has_bits",
        Shape::Integer,
        "is a number with all of these bits",
    ),
    (
        "contains",
        Shape::Text,
        "holds this text somewhere, in any case",
    ),
    (
        "is",
        Shape::Bool,
        "with `contains`: whether it has to (true)",
    ),
    (
        "lacks_bits",
        Shape::Integer,
        "is a number with none of these bits",
    ),
    ("save", Shape::Text, "keeps the value under this name"),
];

/// Keys of an element pattern that count elements instead of naming a child.
pub const QUANTIFIERS: &[(&str, Shape, &str)] = &[
    ("absent", Shape::Bool, "no such element fits"),
    (
        "count",
        Shape::Text,
        "so many such elements fit: `3`, `\"<= 2\"`",
    ),
    (
        "each",
        Shape::Bool,
        "every element of that name fits, and there is one",
    ),
    ("first", Shape::Bool, "the first element of that name fits"),
];

const fn field(key: &'static str, shape: Shape, about: &'static str) -> Field {
    Field {
        key,
        shape,
        required: false,
        about,
    }
}

const fn must(key: &'static str, shape: Shape, about: &'static str) -> Field {
    Field {
        key,
        shape,
        required: true,
        about,
    }
}

const NAMES: Shape = Shape::OneOrMany(&Shape::Text);
const TEXTS: Shape = Shape::List(&Shape::Text);
static STEP_ITEM: Shape = Shape::Record(&STEP);
static EXPECT_ITEM: Shape = Shape::Record(&EXPECT);

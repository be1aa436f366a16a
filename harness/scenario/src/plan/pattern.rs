//! What a step recognises: tests of values, patterns of messages, expectations.

use std::time::Duration;

use regex::Regex;
use xccos::payload::Class;

use super::Text;
use crate::lang::diag::Span;

/// An element to recognise.
#[derive(Debug, Clone, Default)]
pub struct Pattern {
    /// Tests of attributes.
    pub attrs: Vec<(String, Test, Span)>,
    /// Tests of children.
    pub children: Vec<ChildPattern>,
    /// Test of the text.
    pub text: Option<(Test, Span)>,
}

/// What has to be true of children of one name.
#[derive(Debug, Clone)]
pub struct ChildPattern {
    /// Their name.
    pub name: String,
    /// Where it stands.
    pub span: Span,
    /// How many have to fit.
    pub quantity: Quantity,
    /// What each has to look like.
    pub pattern: Pattern,
}

/// How many children have to fit.
#[derive(Debug, Clone)]
pub enum Quantity {
    /// At least one.
    Some,
    /// None.
    None,
    /// All of that name, and there is one.
    Each,
    /// The first of that name.
    First,
    /// So many.
    Count(Number),
}

/// A test of a number.
#[derive(Debug, Clone)]
pub enum Number {
    /// Any number.
    Any,
    /// Compared with another.
    Compare(Comparison, Text),
}

/// How two numbers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// =
    Equal,
    /// !=
    NotEqual,
    /// <
    Less,
    /// <=
    LessOrEqual,
    /// >
    Greater,
    /// >=
    GreaterOrEqual,
}

/// Tests of one value; all have to hold.
#[derive(Debug, Clone, Default)]
pub struct Test {
    /// The conditions.
    pub conditions: Vec<Condition>,
    /// Name under which the value is kept.
    pub save: Option<String>,
}

/// One test of one value.
#[derive(Debug, Clone)]
pub enum Condition {
    /// Is this.
    Equals(Text),
    /// Is a whole number that compares so.
    Integer(Number),
    /// Is a list of so many items (JSON only).
    Items(Number),
    /// Is a time.
    Time(TimeTest),
    /// Fits.
    Regex(Regex),
    /// Fits, after values are filled in.
    RegexText(Text),
    /// Fits one of these.
    OneOf(Vec<Test>),
    /// Does not fit.
    Not(Box<Test>),
    /// Is not there.
    Absent,
    /// Is there.
    Present,
    /// Is this xs:boolean.
    Boolean(bool),
    /// Is a GUID.
    Guid,
    /// Holds this text somewhere, in any case, or does not.
    Contains(Text, bool),
    /// A number with all of these bits.
    HasBits(u32),
    /// A number with none of these bits.
    LacksBits(u32),
    /// A comma-separated list that holds these.
    Has(Vec<Text>),
    /// A comma-separated list that holds none of these.
    Lacks(Vec<Text>),
}

/// What a time has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeTest {
    /// A time.
    Any,
    /// A time in UTC, said so with Z.
    Utc,
    /// So near to the present.
    Near(Duration),
}

/// A primitive to recognise.
#[derive(Debug, Clone)]
pub struct PrimitivePattern {
    /// Its kind.
    pub class: Class,
    /// Its `id`, when the key named one.
    pub id: Option<String>,
    /// The rest.
    pub pattern: Pattern,
}

/// A SIP message to recognise.
#[derive(Debug, Clone, Default)]
pub struct SipPattern {
    /// It is a response with such a status.
    pub status: Option<Number>,
    /// Its method.
    pub method: Option<String>,
    /// Tests of headers.
    pub headers: Vec<(String, Test, Span)>,
    /// Test of the body.
    pub body: Option<(Test, Span)>,
}

/// What to look for in a message.
#[derive(Debug, Clone)]
pub enum What {
    /// A primitive, in a message that also fits the SIP pattern.
    Primitive(PrimitivePattern, Option<SipPattern>),
    /// A SIP message.
    Sip(SipPattern),
    /// The end of the connection.
    Closed,
    /// Any message.
    Anything,
    /// One of these.
    AnyOf(Vec<Expect>),
}

/// One thing to wait for.
#[derive(Debug, Clone)]
pub struct Expect {
    /// Where it stands.
    pub span: Span,
    /// Endpoint.
    pub at: String,
    /// How long it may take.
    pub within: Option<Duration>,
    /// What it is.
    pub what: What,
    /// Named message it answers.
    pub answers: Option<String>,
    /// Fine when it does not come.
    pub optional: bool,
    /// Named message to look back to.
    pub since: Option<String>,
    /// Requirements decided by its coming.
    pub decides: Vec<String>,
    /// Requirements broken by its coming.
    pub violates: Vec<String>,
    /// Further looks.
    pub checks: Vec<Check>,
    /// Why.
    pub reason: Option<String>,
    /// Its name.
    pub name: Option<String>,
}

/// A further look at a message.
#[derive(Debug, Clone)]
pub struct Check {
    /// Where it stands.
    pub span: Span,
    /// Requirements it decides.
    pub decides: Vec<String>,
    /// One of these has to fit.
    pub forms: Vec<PrimitivePattern>,
    /// The message that carries it.
    pub sip: Option<SipPattern>,
    /// What it is about.
    pub reason: Option<String>,
}

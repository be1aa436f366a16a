//! What the engine says about documents ([`Violation`]) and about schemas ([`SchemaError`]).
//!
//! Plain data with everything a report needs: rule code, place, what was found, what was expected, and the schema
//! line that says so. How it looks on a screen is for the caller.

use std::fmt;
use std::ops::Range;

use serde::Serialize;

/// The place in a schema document that a rule comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SchemaPlace {
    /// The schema document, as it was named when it was loaded.
    pub uri: String,
    /// Line in it, from 1.
    pub line: u32,
}

impl fmt::Display for SchemaPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.uri, self.line)
    }
}

/// One way in which a document does not fit its schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The validation rule of XSD 1.0 that is broken, for example `cvc-complex-type.4`.
    pub code: &'static str,
    /// Where: local names with 1-based indexes below the root, for example `/xccos/rpl[1]/@id`.
    pub path: String,
    /// The bytes of the document at fault: a start tag's name, an attribute's value, a text.
    pub span: Range<usize>,
    /// Line of the span's start, from 1.
    pub line: u32,
    /// Column of the span's start in characters, from 1.
    pub column: u32,
    /// One sentence: what is wrong.
    pub message: String,
    /// What was found there, if something was.
    pub found: Option<String>,
    /// What would have been accepted: element names, attribute names, values, or a facet in words.
    pub expected: Vec<String>,
    /// The schema line that says so; absent for what no schema declares.
    pub schema: Option<SchemaPlace>,
    /// A guess at the slip behind it, for people.
    pub hint: Option<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: {}: {} [{}]",
            self.line, self.column, self.path, self.message, self.code
        )
    }
}

/// One reason why a schema cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SchemaError {
    /// The constraint of XSD 1.0 that is broken (`src-resolve`, `cos-nonambig`, `ct-props-correct.3`), `xml` when
    /// the document cannot be read, `unsupported` or `limit` for what this engine refuses to process.
    pub code: &'static str,
    /// The schema document at fault.
    pub uri: String,
    /// The bytes at fault.
    pub span: Range<usize>,
    /// Line of the span's start, from 1.
    pub line: u32,
    /// Column of the span's start in characters, from 1.
    pub column: u32,
    /// One sentence: what is wrong.
    pub message: String,
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}: {} [{}]",
            self.uri, self.line, self.column, self.message, self.code
        )
    }
}

impl std::error::Error for SchemaError {}

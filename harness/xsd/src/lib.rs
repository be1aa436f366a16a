//! XSD 1.0 validation of roxmltree documents, with positions.
//!
//! Takes schema documents and XML; gives [`Violation`]s with rule codes, paths, byte spans and expectations. It
//! knows nothing about any protocol, reads no files except through [`source`], and panics on nothing it is given.
//!
//! ```text
//! doc        bytes -> checked text -> roxmltree document
//! encoding   files in other encodings, harmless document types -> UTF-8
//! patch      errata ledger: published schema text -> text of a profile
//! source     where schema documents come from
//! load       documents -> raw components      (grammar, names, include, import, redefine)
//! link       raw -> finished components       (derivation, facets, attributes, substitution groups)
//! check      restriction of content models
//! automaton  content models -> automata       (and their ambiguities)
//! value      the primitive types' values      pattern: regular expressions      simple: facets at work
//! validate   document -> violations           (walk, attributes, text, identity constraints, hints)
//! tool       many files, in parallel, for a command
//! generate   documents from a schema          (feature `generate`)
//! ```
//!
//! ```
//! use xsd::doc::{self, Limits};
//! use xsd::{Schema, Source};
//!
//! let text = "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:element name='age' type='xs:unsignedByte'/></xs:schema>";
//! let schema = Schema::compile(vec![Source::new("age.xsd", text)]).unwrap();
//! let text = doc::parse(b"<age>300</age>", &Limits::default()).unwrap();
//! let violations = schema.validate(&text.document().unwrap());
//! assert_eq!(violations[0].code, "cvc-maxInclusive-valid");
//! assert_eq!((violations[0].line, violations[0].column), (1, 6));
//! ```
#![forbid(unsafe_code)]

mod automaton;
mod builtin;
mod check;
mod component;
pub mod doc;
pub mod encoding;
#[cfg(any(test, feature = "generate"))]
pub mod generate;
pub mod lines;
mod link;
mod load;
mod name;
pub mod patch;
mod pattern;
mod schema;
mod simple;
pub mod source;
pub mod tool;
mod validate;
mod value;
mod violation;
mod wildcard;

pub use schema::{Schema, location_hints};
pub use source::{Fetch, Files, GivenOnly, Source};
pub use validate::Options;
pub use violation::{SchemaError, SchemaPlace, Violation};

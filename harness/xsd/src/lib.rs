//! XSD 1.0 validation of roxmltree documents, with positions.
//!
//! Takes schema documents and XML; gives [`Violation`]s with rule codes, paths, byte spans and expectations. It
//! knows nothing about any protocol, reads no files except through [`source`], and panics on nothing it is given.
//!
//! ```text
//! doc      bytes -> checked text -> roxmltree document
//! patch    errata ledger: published schema text -> text of a profile
//! ```
#![forbid(unsafe_code)]

mod automaton;
mod builtin;
mod check;
mod component;
pub mod doc;
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

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

pub mod doc;
pub mod lines;
pub mod patch;
mod violation;

pub use violation::{SchemaError, SchemaPlace, Violation};

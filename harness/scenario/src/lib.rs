/*! Scenarios: what is played against an implementation, and who plays it.

| module | takes → gives |
|--|--|
| [`lang`] | YAML text → checked tree, complaints with carets |
| [`library`] | built-in files, folders → [`plan::Scenario`]s |
| [`plan`] | the plan: plain data |
*/

pub mod lang;
pub mod library;
pub mod plan;

pub use lang::diag::{Diagnostic, Problems, Source, Span};
pub use library::Library;
pub use plan::Scenario;

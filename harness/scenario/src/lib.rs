/*! Scenarios: what is played against an implementation, and who plays it.

| module | takes → gives |
|--|--|
| [`lang`] | YAML text → checked tree, complaints with carets |
| [`library`] | built-in files, folders → [`plan::Scenario`]s |
| [`plan`] | the plan: plain data |
| [`target`] | the target file, and what of it a scenario uses |
| [`play`] | a plan and a target → one recording, findings |
| [`skeleton`] | a recording → a scenario that repeats it |
| [`engine`] | selected scenarios and a place to play them → the run's events and its end |
| [`format`] | YAML text → the same, laid out |
| [`hurry`] | a scenario with both peers in this process → the same, in virtual time |
*/

pub mod engine;
pub mod format;
pub mod hurry;
pub mod kill;
pub mod lang;
pub mod library;
pub mod plan;
pub mod play;
pub mod select;
pub mod site;
pub mod skeleton;
pub mod target;

pub use lang::diag::{Diagnostic, Problems, Source, Span};
pub use library::Library;
pub use plan::Scenario;
pub use select::{Filter, Selection};
pub use target::Target;

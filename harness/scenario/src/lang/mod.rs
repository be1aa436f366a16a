/*! The language: files in, checked plans or complaints with carets out.

| step | module |
|--|--|
| text → tree with places | [`yaml`] |
| does the tree fit the grammar? | [`check`], by the tables of [`grammar`] |
| templates and loops put in place | [`expand`] |
| tree → [`crate::plan`] | [`decode`] |
| complaints | [`diag`] |
*/

pub mod check;
pub mod decode;
pub mod diag;
pub mod expand;
pub mod grammar;
pub mod schema;
pub mod value;
pub mod yaml;

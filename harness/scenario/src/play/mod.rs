/*! Playing: a plan, a bound target, one recording.

| module | does |
|--|--|
| [`link`] | connections as tasks that report |
| [`recorder`] | the recording, watched by the always-on rules |
| [`matching`] | does a message fit a pattern |
| `player` | walks the steps; connections, clock, ends |
| `client` | REGISTER, INVITE, BYE; sending in either seat |
| `expect` | waiting, watching, checks |
| `server` | the harness's chat server and its overrides |
| `upper` | the driver of a client under test |
*/

mod client;
mod expect;
pub mod link;
pub mod matching;
mod player;
pub mod recorder;
mod scope;
mod server;
mod upper;

pub use player::{Played, Reach, Setup, play};
pub use server::Hosting;

/*! Playing: a plan, a bound target, one recording.

| module | does |
|--|--|
| [`link`] | connections as tasks that report |
| [`recorder`] | the recording, watched by the always-on rules |
| [`matching`] | does a message fit a pattern; `answers` for JSON and SIP, `forms` for values |
| `player` | walks the steps; ends |
| `wire` | connections and the clock |
| `client` | REGISTER, INVITE, BYE |
| `sending` | messages, in either seat |
| `expect` | waiting, watching, checks |
| `nearest` | what came nearest, and whose fault the difference is |
| `server` | the harness's chat server and its overrides |
| `upper` | the driver of a client under test |
*/

mod answers;
mod client;
mod expect;
mod forms;
pub mod link;
pub mod matching;
mod nearest;
mod player;
pub mod recorder;
mod scope;
mod sending;
mod server;
mod upper;
mod wire;

pub use player::{Played, Reach, Setup, play};
pub use server::Hosting;

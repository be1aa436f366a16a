/*! MS-XCCOSIP: everything Parlance knows about persistent chat.

Payloads ([`payload`]), the schema profiles, the requirement catalogue, the
always-on rules, and the models of both peers. All of it is sans-I/O: messages
and clock readings go in, messages and timers come out.
*/

pub mod catalogue;
pub mod client;
pub mod defect;
pub mod edit;
pub mod payload;
pub mod policy;
pub mod rules;
pub mod schema;
pub mod server;
pub mod time;
pub mod world;

pub use catalogue::catalogue;

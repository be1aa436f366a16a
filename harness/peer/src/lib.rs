/*! The models on sockets: mock server, reference client, proxy.

Everything that knows both tokio and chat lives here. Takes a model of
`xccos` and connections, gives a peer that real software can talk to.
*/

pub mod driver;
pub mod mock;
pub mod proxy;
pub mod recorder;
pub mod ui;
pub mod web;

//! The models on sockets: mock server, reference client, proxy.
pub mod driver;

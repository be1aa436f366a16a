/*! The server's seat: the harness's own chat server, and a scenario's changes to it. */

use std::sync::Arc;
use std::time::Duration;

use peer::driver::Driver;
use serde_json::{Map, Value};
use sip::agent::Event as SipEvent;

use super::link::{Link, Listener};
use super::player::{Flow, Player};
use crate::plan::*;

/// What the server's seat needs.
pub struct Hosting {
    /// Takes the connections of the client under test.
    pub listener: Option<Box<dyn Listener>>,
    /// Drives it.
    pub driver: Option<Arc<dyn Driver>>,
    /// What every `sign_in` carries: `server`, `transport`, `ca`…
    pub sign_in: Map<String, Value>,
    /// Endpoints that sign in and are not connected yet.
    pub expecting: Vec<String>,
}

/// An envelope of the harness's server.
pub(super) struct Delivery {}

impl Player<'_, '_> {
    pub(super) fn host_closed(&mut self, _at: usize) {}
    pub(super) fn host_due(&self) -> Option<Duration> {
        None
    }
    pub(super) fn host_tick(&mut self) {}
    pub(super) fn host_told(&mut self, _at: usize, _event: &SipEvent) {}
    pub(super) fn accepted(&mut self, _link: Link) {}
    pub(super) fn recognise(&mut self, _at: usize, _message: &sip::Message) {}
    pub(super) fn deliver(&mut self, _at: usize, _delivery: Delivery) {}
    pub(super) fn serve(&mut self, step: &Step, _serve: &Serve) -> Flow {
        self.cannot(step, "the server's seat is not there yet")
    }
    pub(super) fn release(&mut self, _name: &str) -> Flow {
        Flow::Next
    }
}

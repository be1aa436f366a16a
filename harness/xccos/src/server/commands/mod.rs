/*! The handlers of the command table, one file per family. */

pub mod files;
pub mod history;
pub mod invites;
pub mod join;
pub mod lookup;
pub mod people;
pub mod prefs;
pub mod roles;
pub mod rooms;
pub mod search;

/*! Values of `${…}` while a scenario is played. */

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::Duration;

use sip::Ids;

use crate::lang::check::duration;
use crate::lang::value::{NoValue, Scope};
use crate::target::{Binding, Target};

/// Longest text `repeat()` makes.
const MAX_REPEAT: usize = 32 << 20;

/// What a scenario knows by name.
#[derive(Debug)]
pub struct Values {
    /// The implementation under test.
    pub target: Target,
    /// The scenario's users and rooms.
    pub binding: Binding,
    /// What steps gave.
    pub names: HashMap<String, String>,
    /// Calendar time now; set before each use.
    pub now: Cell<jiff::Timestamp>,
    /// Number of the envelope being written.
    pub envid: Cell<u64>,
    /// Last seqid given in it.
    pub seqid: Cell<u64>,
    /// Source of random values.
    pub ids: RefCell<sip::Seeded>,
}

impl Values {
    /// The target's user behind a scenario's user.
    pub fn user(&self, role: &str) -> Option<&crate::target::User> {
        self.target.users.get(self.binding.users.get(role)?)
    }

    fn next_seq(&self) -> u64 {
        self.seqid.set(self.seqid.get() + 1);
        self.seqid.get()
    }
}

impl Scope for Values {
    fn path(&self, path: &str) -> Result<String, NoValue> {
        let parts: Vec<&str> = path.split('.').collect();
        let missing = || NoValue::Missing(path.to_owned());
        let target = &self.target;
        let text = match parts.as_slice() {
            ["users", role, field] => {
                let user = self.user(role).ok_or_else(missing)?;
                match *field {
                    "uri" => user.uri.clone(),
                    "name" => user.name.clone(),
                    "guid" => user.guid.clone(),
                    "email" => user.email.clone(),
                    "company" => user.company.clone(),
                    "path" => user.path.clone(),
                    "disabled" => user.disabled.to_string(),
                    _ => return Err(missing()),
                }
            }
            ["rooms", role, field] => {
                let name = self.binding.rooms.get(*role).ok_or_else(missing)?;
                let room = target.rooms.get(name).ok_or_else(missing)?;
                match *field {
                    "uri" => room.uri.clone(),
                    "guid" => room.guid().to_owned(),
                    "domain" => room.domain().to_owned(),
                    "name" => room.name.clone(),
                    "description" => room.description.clone(),
                    "parent" => match target.categories.get(&room.parent) {
                        Some(category) => category.uri.clone(),
                        None => target
                            .categories
                            .first()
                            .map(|(_, c)| c.uri.clone())
                            .unwrap_or_else(|| room.parent.clone()),
                    },
                    "behavior" => room.behavior.clone(),
                    "visibility" => room.visibility.clone(),
                    "invite" => room.invite.to_string(),
                    _ => return Err(missing()),
                }
            }
            ["categories", name, field] => {
                let category = target.categories.get(*name).ok_or_else(missing)?;
                match *field {
                    "uri" => category.uri.clone(),
                    "guid" => category
                        .uri
                        .rsplit('/')
                        .next()
                        .unwrap_or_default()
                        .to_owned(),
                    "domain" => category
                        .uri
                        .split('/')
                        .nth(2)
                        .unwrap_or_default()
                        .to_owned(),
                    "name" => category.name.clone(),
                    "description" => category.description.clone(),
                    _ => return Err(missing()),
                }
            }
            ["domain"] => target.domain.clone(),
            ["lookup_uri"] => target.lookup_uri.clone().ok_or_else(missing)?,
            ["server_uri"] => match &target.server_uri {
                Some(uri) => uri.clone(),
                None => self.names.get("server").cloned().ok_or_else(missing)?,
            },
            ["server_info", key] => target.server_info.get(*key).cloned().ok_or_else(missing)?,
            ["endpoint", rest @ ..] => {
                let path = rest.join(".");
                self.names.get(&path).cloned().ok_or_else(missing)?
            }
            _ => self.names.get(path).cloned().ok_or_else(missing)?,
        };
        Ok(text)
    }

    fn call(&self, name: &str, argument: &str) -> Result<String, NoValue> {
        self.function(name, argument).map_err(NoValue::Wrong)
    }
}

impl Values {
    fn function(&self, name: &str, argument: &str) -> Result<String, String> {
        match name {
            "seq" => Ok(self.next_seq().to_string()),
            "env" => Ok(self.envid.get().to_string()),
            "now" => {
                let now = self.now.get();
                let (back, span) = match argument.split_at_checked(1) {
                    None => (false, Duration::ZERO),
                    Some(("-", rest)) => {
                        (true, duration(rest).ok_or("now() takes `-5m` or `+5m`")?)
                    }
                    Some(("+", rest)) => {
                        (false, duration(rest).ok_or("now() takes `-5m` or `+5m`")?)
                    }
                    Some(_) => return Err("now() takes `-5m` or `+5m`".to_owned()),
                };
                let span = jiff::SignedDuration::try_from(span).map_err(|e| e.to_string())?;
                let time = if back {
                    now.checked_sub(span)
                } else {
                    now.checked_add(span)
                };
                Ok(xccos::time::stamp(time.map_err(|e| e.to_string())?))
            }
            "guid" => {
                let mut ids = self.ids.borrow_mut();
                let (a, b) = (ids.bits(), ids.bits());
                Ok(format!(
                    "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
                    a >> 32,
                    a >> 16 & 0xffff,
                    a & 0xfff,
                    b >> 52,
                    b & 0xffff_ffff_ffff
                ))
            }
            "repeat" => {
                let (text, count) = argument
                    .rsplit_once('*')
                    .ok_or("repeat() takes `text*count`")?;
                let count = count.trim();
                let count: usize = self
                    .names
                    .get(count)
                    .map_or(count, |value| value.trim())
                    .parse()
                    .map_err(|_| "repeat() takes `text*count`, a number or a name that has one")?;
                if text.len().saturating_mul(count) > MAX_REPEAT {
                    return Err(format!("repeat() makes at most {MAX_REPEAT} bytes"));
                }
                Ok(text.repeat(count))
            }
            _ => Err(format!("there is no function `{name}()`")),
        }
    }
}

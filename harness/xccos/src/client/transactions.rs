/*! Pending commands and chats: 3.1.2.1 and the matching of 3.1.13 and 3.1.14.

Takes what was sent and the replies that come; gives the command a reply
belongs to, or the step at which the reply is dropped. It knows nothing of what
a command means.
*/

use std::collections::BTreeMap;
use std::time::Duration;

use super::commands::corresponds;
use super::faults::End;
use crate::payload::{Element, MsgId, Primitive};

/// XccosTransactionTimer (3.1.2.1.2) and GroupChatSendTimer (3.1.13.2).
pub const TIMER: Duration = Duration::from_secs(10);

/// Something sent that has no answer yet.
#[derive(Debug, Clone)]
pub struct Pending<T> {
    /// Its `id`: `cmd:join`, or `grpchat`.
    pub command: String,
    /// When its timer fires.
    pub deadline: Duration,
    /// What it was sent for.
    pub what: T,
}

/// Why a reply is dropped: the steps of 3.1.2.1.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DropStep {
    /// The envelope does not fit the schema.
    Schema,
    /// Step 1: no commandid.
    NoCommandId,
    /// Step 2: no seqid in it.
    NoSeqId,
    /// Step 3: no envid in it.
    NoEnvId,
    /// Step 4: no such pending command.
    NoMatch,
    /// Step 5: no response code.
    NoCode,
    /// Step 6: the reply's id is not that of the command.
    WrongId,
}

/// The pending table.
#[derive(Debug)]
pub struct Table<T> {
    pending: BTreeMap<MsgId, Pending<T>>,
    /// Only a faulty client keeps what is over: after these ends.
    honoured: Vec<End>,
    over: BTreeMap<MsgId, Pending<T>>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table {
            pending: BTreeMap::new(),
            honoured: Vec::new(),
            over: BTreeMap::new(),
        }
    }
}

impl<T: Clone> Table<T> {
    /// Notes something sent.
    pub fn insert(&mut self, id: MsgId, pending: Pending<T>) {
        self.pending.insert(id, pending);
    }

    /// Takes it out.
    pub fn take(&mut self, id: MsgId) -> Option<Pending<T>> {
        self.pending.remove(&id)
    }

    /// Takes out all that `pick` says.
    pub fn take_if(&mut self, pick: impl Fn(&MsgId, &Pending<T>) -> bool) -> Vec<Pending<T>> {
        let ids: Vec<MsgId> = self
            .pending
            .iter()
            .filter(|(id, p)| pick(id, p))
            .map(|(id, _)| *id)
            .collect();
        ids.iter().filter_map(|id| self.take(*id)).collect()
    }

    /// Takes out all that `pick` says, because they ended like this.
    pub fn end(&mut self, end: End, pick: impl Fn(&MsgId, &Pending<T>) -> bool) -> Vec<Pending<T>> {
        if self.honoured.contains(&end) {
            let ended = self.pending.iter().filter(|(id, p)| pick(id, p));
            self.over.extend(ended.map(|(id, p)| (*id, p.clone())));
        }
        self.take_if(pick)
    }

    /// From now on replies to commands that ended like this count (a fault).
    pub fn honour(&mut self, end: End) {
        self.honoured.push(end);
    }

    /// Lets every timer fire at `deadline` (a fault).
    pub fn restart(&mut self, deadline: Duration) {
        for pending in self.pending.values_mut() {
            pending.deadline = deadline;
        }
    }

    /// The oldest pending one that `pick` says.
    pub fn find(&self, pick: impl Fn(&MsgId, &Pending<T>) -> bool) -> Option<(MsgId, &Pending<T>)> {
        self.pending
            .iter()
            .find(|(id, p)| pick(id, p))
            .map(|(id, p)| (*id, p))
    }

    /// The next time a timer fires.
    pub fn deadline(&self) -> Option<Duration> {
        self.pending.values().map(|p| p.deadline).min()
    }

    /// The six steps of 3.1.2.1.5 on one reply. On success the command is no longer pending.
    pub fn accept(&mut self, reply: &Primitive<'_>) -> Result<(Pending<T>, u32), DropStep> {
        let commandid = reply
            .element
            .first("commandid")
            .ok_or(DropStep::NoCommandId)?;
        let seqid = number(commandid, "seqid").ok_or(DropStep::NoSeqId)?;
        let envid = number(commandid, "envid").ok_or(DropStep::NoEnvId)?;
        let id = MsgId { envid, seqid };
        let known = self.pending.get(&id).or_else(|| self.over.get(&id));
        let command = match known {
            Some(pending) if pending.command.starts_with("cmd:") => pending.command.as_str(),
            _ => return Err(DropStep::NoMatch),
        };
        let code = reply.code().ok_or(DropStep::NoCode)?;
        if !corresponds(command, reply.id()) {
            return Err(DropStep::WrongId);
        }
        if self.honoured.contains(&End::Answered)
            && let Some(pending) = self.pending.get(&id)
        {
            self.over.insert(id, pending.clone());
        }
        let pending = self
            .pending
            .remove(&id)
            .or_else(|| self.over.get(&id).cloned())
            .ok_or(DropStep::NoMatch)?;
        Ok((pending, code))
    }
}

fn number(element: &Element, attr: &str) -> Option<u64> {
    element.get(attr)?.trim().parse().ok()
}

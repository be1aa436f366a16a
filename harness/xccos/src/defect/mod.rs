/*! Deliberate defects: peers that break one requirement each, to prove that the harness finds it.

A defect is a row of a table: what it breaks, and how. Most are edits of what
leaves; the rest are slips that the server's model, the client's model or the
carrier asks for at the one place where it would take the wrong turn. A peer
without defects runs through none of this.
*/

mod slip;
mod table;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use trace::Seat;

use crate::edit::Edit;
use crate::payload::{Element, Envelope, MsgId, Node};
use crate::server::EndpointId;

pub use slip::{Carriage, Slip};

/// A peer's deliberate mistake.
#[derive(Debug, Clone, Copy)]
pub struct Defect {
    /// `server/join-without-users`.
    pub id: &'static str,
    /// Which peer makes it.
    pub seat: Seat,
    /// The requirement it breaks, or `SIP`.
    pub requirement: &'static str,
    /// Other requirements that the same break shows under.
    pub also: &'static [&'static str],
    /// What the peer does, in one sentence.
    pub title: &'static str,
    /// How.
    pub how: How,
}

/// How a defect is made.
#[derive(Debug, Clone, Copy)]
pub enum How {
    /// What the server sends is changed. Names in braces: `cmdenv` and `cmdseq` (of the commandid or
    /// originatingMessageId in the envelope), `envid`, each with `+N` or `-N`; `-envid` (falls as it grows); `guid`.
    Edit(&'static [Edit]),
    /// What happens to envelopes that hold a primitive of this id or name.
    Post(&'static str, Post),
    /// The server's model takes a wrong turn.
    Slip(Slip),
    /// Whoever carries the messages does.
    Carriage(Carriage),
    /// The client has these faults.
    Client(&'static [crate::client::faults::Fault]),
}

/// What happens to an envelope on its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Post {
    /// The primitive is left out; an empty envelope is not sent.
    Drop,
    /// It goes out twice, the second time in a new envelope.
    Twice,
    /// It goes out so many seconds late.
    Late(u64),
    /// It goes to every endpoint there is.
    ToAll,
    /// It goes to the first of its addressees only.
    FirstOnly,
    /// A failed reply becomes an `err`, without the reply's own name.
    AsErr,
    /// The dialog is ended instead.
    HangUp,
}

/// What became of an envelope.
#[derive(Debug)]
pub(crate) enum Fate {
    Send {
        to: Vec<EndpointId>,
        envelope: Envelope,
    },
    Late {
        to: Vec<EndpointId>,
        envelope: Envelope,
        by: Duration,
    },
    HangUp {
        to: Vec<EndpointId>,
    },
}

/// Every defect, the server's first, each seat in the order of the document.
pub fn defects() -> impl Iterator<Item = Defect> {
    let server = table::SERVER.iter().flat_map(|rows| rows.iter().copied());
    let client = crate::client::defects::all().map(|entry| Defect {
        id: entry.id,
        seat: Seat::Client,
        requirement: entry.requirement,
        also: entry.also,
        title: entry.what,
        how: How::Client(entry.faults),
    });
    server.chain(client)
}

/// The defect of that id; a server's may go without its prefix.
pub fn defect(id: &str) -> Option<Defect> {
    defects().find(|d| d.id == id || d.id.strip_prefix("server/") == Some(id))
}

impl Defect {
    /// The section of the requirement; empty for `SIP`.
    pub fn section(&self) -> &'static str {
        self.requirement
            .strip_prefix("XCCOSIP-")
            .or_else(|| self.requirement.strip_prefix("OCGCWEB-"))
            .and_then(|rest| rest.rsplit_once('-'))
            .map_or("", |(section, _)| section)
    }
}

/// A name that is no defect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownDefect {
    /// What was asked for.
    pub name: String,
    /// What was probably meant.
    pub suggestion: Option<&'static str>,
}

impl fmt::Display for UnknownDefect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no defect `{}`", self.name)?;
        match self.suggestion {
            Some(name) => write!(f, "; did you mean `{name}`?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for UnknownDefect {}

/// The defects of one peer.
#[derive(Debug, Clone, Default)]
pub struct Defects(Vec<Defect>);

impl Defects {
    /// Picks defects by id.
    ///
    /// # Errors
    /// The first name that is none.
    pub fn named<'n>(names: impl IntoIterator<Item = &'n str>) -> Result<Defects, UnknownDefect> {
        let mut list = Vec::new();
        for name in names {
            match defect(name) {
                Some(defect) => list.push(defect),
                None => {
                    return Err(UnknownDefect {
                        name: name.to_owned(),
                        suggestion: crate::world::nearest(name, defects().map(|d| d.id)),
                    });
                }
            }
        }
        Ok(Defects(list))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rows.
    pub fn iter(&self) -> impl Iterator<Item = &Defect> {
        self.0.iter()
    }

    /// Whether the model takes this wrong turn.
    pub fn has(&self, slip: Slip) -> bool {
        self.0
            .iter()
            .any(|d| matches!(d.how, How::Slip(s) if s == slip))
    }

    /// The slips of the carrier.
    pub fn carriage(&self) -> impl Iterator<Item = Carriage> + '_ {
        self.0.iter().filter_map(|d| match d.how {
            How::Carriage(carriage) => Some(carriage),
            _ => None,
        })
    }

    /// The faults of the client.
    pub fn client_faults(&self) -> Vec<crate::client::faults::Fault> {
        self.0
            .iter()
            .filter_map(|d| match d.how {
                How::Client(faults) => Some(faults),
                _ => None,
            })
            .flatten()
            .copied()
            .collect()
    }

    /// Changes an envelope on its way out.
    pub(crate) fn distort(
        &self,
        mut envelope: Envelope,
        mut to: Vec<EndpointId>,
        everybody: &[EndpointId],
        ids: &mut crate::server::Ids,
    ) -> Vec<Fate> {
        let guid = ids.guid().to_string();
        let own = envelope.envid().unwrap_or(0);
        let answers = envelope
            .primitives()
            .find_map(|p| p.commandid().or(p.originating()));
        let mut copies = 0;
        let mut late = None;
        for defect in &self.0 {
            let How::Post(name, post) = defect.how else {
                continue;
            };
            let here = |e: &Element| e.name == name || e.get("id") == Some(name);
            if !envelope.root.elements().any(here) {
                continue;
            }
            match post {
                Post::Drop => envelope
                    .root
                    .children
                    .retain(|n| !matches!(n, Node::Element(e) if here(e))),
                Post::Twice => copies += 1,
                Post::Late(seconds) => late = Some(Duration::from_secs(seconds)),
                Post::ToAll => to = everybody.to_vec(),
                Post::FirstOnly => to.truncate(1),
                Post::AsErr => as_errors(&mut envelope, &here),
                Post::HangUp => return vec![Fate::HangUp { to }],
            }
        }
        if envelope.root.elements().next().is_none() {
            return Vec::new();
        }
        let second = (copies > 0).then(|| {
            let mut second = envelope.clone();
            second.root.set("envid", ids.envid().to_string());
            second
        });
        let mut out = Vec::new();
        for mut envelope in std::iter::once(envelope).chain(second) {
            for defect in &self.0 {
                if let How::Edit(edits) = defect.how {
                    for edit in edits {
                        edit.apply(&mut envelope.root, &|name| fill(name, own, answers, &guid));
                    }
                }
            }
            let to = to.clone();
            out.push(match late {
                Some(by) => Fate::Late { to, envelope, by },
                None => Fate::Send { to, envelope },
            });
        }
        out
    }
}

/// The value of a name in an edit.
fn fill(name: &str, own: u64, answers: Option<MsgId>, guid: &str) -> Option<String> {
    if name == "-envid" {
        return Some((u64::MAX / 2).saturating_sub(own).max(1).to_string());
    }
    let (base, step) = match name.find(['+', '-']) {
        Some(at) => (&name[..at], name[at..].parse::<i64>().ok()?),
        None => (name, 0),
    };
    let number = match base {
        "envid" => own,
        "cmdenv" => answers?.envid,
        "cmdseq" => answers?.seqid,
        "guid" => return Some(guid.to_owned()),
        _ => return None,
    };
    Some(number.wrapping_add_signed(step).to_string())
}

fn as_errors(envelope: &mut Envelope, here: &dyn Fn(&Element) -> bool) {
    for primitive in envelope.root.elements_mut() {
        let failed = primitive
            .first("resp")
            .is_some_and(|r| r.get("code") != Some("200"));
        if here(primitive) && failed {
            primitive.name = "err".to_owned();
            primitive.set("id", "error");
        }
    }
}

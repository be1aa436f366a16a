/*! Faults on demand: what networks and bad peers do to a stream.

Takes a list of [`Fault`]s, each written as `KIND[:VALUE][@WHICH]`; gives a
stream that suffers them. A *unit* is what was written between two flushes: one
message, as [`super::Writer::send`] writes them. Units count from 1.

| spec | what happens |
|--|--|
| `delay:200ms` | each unit waits that long before it is written |
| `drop` | the unit is not written |
| `duplicate` | the unit is written twice |
| `reorder` | the unit changes places with the next one |
| `fragment:7` | the unit is written in pieces of 7 bytes, each flushed |
| `coalesce:3` | three units are written as one |
| `truncate:100` | of the unit only 100 bytes are written, then our direction ends |
| `stall:100` | of the unit only 100 bytes are written, then silence while the connection stays |
| `reset` | after the unit the TCP connection is reset |
| `close` | after the unit the TCP connection is closed, under TLS without close_notify |
| `no-notify` | whenever the stream is closed, TLS close_notify is left out |
| `slow:1000` | reads take at most 1000 bytes a second |
| `status:503`, `status:503:INFO` | requests (of this method) are answered with this status |

WHICH is `@3` (the third), `@3-5`, `@3+` (from the third on) or `@/10` (every
tenth). Without it all units are meant; for `truncate`, `stall`, `reset` and
`close` the first. `reorder` and `coalesce` hold nothing longer than 100 ms when
no further unit comes. `no-notify` and `slow` take no WHICH. `status` is SIP, so
the stream ignores it; the layer above asks [`status_for`].
*/

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use super::faulty::Faulty;

/// One fault: what, and to which units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What happens.
    pub kind: FaultKind,
    /// To which units.
    pub which: Which,
}

/// What a fault does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// Wait before writing.
    Delay(Duration),
    /// Do not write.
    Drop,
    /// Write twice.
    Duplicate,
    /// Change places with the next unit.
    Reorder,
    /// Write in pieces of this many bytes.
    Fragment(usize),
    /// Write this many units as one.
    Coalesce(usize),
    /// Write this many bytes, then end our direction in order.
    Truncate(usize),
    /// Write this many bytes, then nothing more.
    Stall(usize),
    /// Reset the connection after the unit.
    Reset,
    /// Close the connection after the unit, without TLS close_notify.
    Close,
    /// Leave out TLS close_notify when the stream is closed.
    NoNotify,
    /// Read at most this many bytes a second.
    Slow(u64),
    /// Answer requests with this status; of this method only, when given.
    Status(u16, Option<String>),
}

/// Faults that change while a stream lives; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Switch(Arc<Mutex<(u64, Vec<Fault>)>>);

impl Switch {
    /// With these faults from the beginning.
    pub fn new(faults: &[Fault]) -> Switch {
        Switch(Arc::new(Mutex::new((0, faults.to_vec()))))
    }

    /// These faults instead, units counting from 1 again.
    pub fn set(&self, faults: Vec<Fault>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 += 1;
        state.1 = faults;
    }

    /// Turn and faults, unless `turn` is the present one.
    pub(super) fn since(&self, turn: Option<u64>) -> Option<(u64, Vec<Fault>)> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (turn != Some(state.0)).then(|| state.clone())
    }
}

/// Which units a fault befalls, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// From the first to the second number, both included.
    Range(u64, u64),
    /// Every n-th.
    Every(u64),
}

impl Which {
    const ALL: Which = Which::Range(1, u64::MAX);

    /// Whether the n-th unit is meant.
    pub fn hits(self, n: u64) -> bool {
        match self {
            Which::Range(from, to) => (from..=to).contains(&n),
            Which::Every(k) => n.is_multiple_of(k),
        }
    }
}

/// The status the n-th request of `method` is to be answered with, when a `status` fault says so.
pub fn status_for(faults: &[Fault], method: &str, n: u64) -> Option<u16> {
    faults.iter().find_map(|fault| match &fault.kind {
        FaultKind::Status(status, wanted)
            if fault.which.hits(n) && wanted.as_deref().is_none_or(|w| w == method) =>
        {
            Some(*status)
        }
        _ => None,
    })
}

impl FromStr for Fault {
    type Err = String;

    /// Reads `KIND[:VALUE][@WHICH]`; errors say what was expected.
    fn from_str(text: &str) -> Result<Fault, String> {
        let (spec, which) = match text.split_once('@') {
            Some((spec, which)) => (spec, Some(which)),
            None => (text, None),
        };
        let (name, value) = match spec.split_once(':') {
            Some((name, value)) => (name, Some(value)),
            None => (spec, None),
        };
        let number = |least: u64| -> Result<u64, String> {
            let value = value.ok_or(format!("fault {name} needs a number: {name}:N"))?;
            match value.parse() {
                Ok(n) if n >= least => Ok(n),
                _ => Err(format!(
                    "fault {name}: {value:?} is no number from {least} on"
                )),
            }
        };
        let size = |least| number(least).map(|n| usize::try_from(n).unwrap_or(usize::MAX));
        let kind = match name {
            "delay" => FaultKind::Delay(duration(value.unwrap_or(""))?),
            "drop" => FaultKind::Drop,
            "duplicate" => FaultKind::Duplicate,
            "reorder" => FaultKind::Reorder,
            "fragment" => FaultKind::Fragment(size(1)?),
            "coalesce" => FaultKind::Coalesce(size(2)?),
            "truncate" => FaultKind::Truncate(size(0)?),
            "stall" => FaultKind::Stall(size(0)?),
            "reset" => FaultKind::Reset,
            "close" => FaultKind::Close,
            "no-notify" => FaultKind::NoNotify,
            "slow" => FaultKind::Slow(number(1)?),
            "status" => {
                let value = value.ok_or("fault status needs a code: status:503")?;
                let (code, method) = match value.split_once(':') {
                    Some((code, method)) => (code, Some(method.to_owned())),
                    None => (value, None),
                };
                match code.parse() {
                    Ok(code @ 300..=699) | Ok(code @ 202) => FaultKind::Status(code, method),
                    _ => {
                        return Err(format!(
                            "fault status: {code:?} is no status from 300 to 699 (or 202)"
                        ));
                    }
                }
            }
            other => {
                return Err(format!(
                    "unknown fault {other:?}; there are delay, drop, duplicate, reorder, fragment, coalesce, \
                     truncate, stall, reset, close, no-notify, slow, status"
                ));
            }
        };
        let takes_value = matches!(
            kind,
            FaultKind::Delay(_)
                | FaultKind::Fragment(_)
                | FaultKind::Coalesce(_)
                | FaultKind::Truncate(_)
                | FaultKind::Stall(_)
                | FaultKind::Slow(_)
                | FaultKind::Status(..)
        );
        if value.is_some() && !takes_value {
            return Err(format!("fault {name} takes no value"));
        }
        let once = matches!(
            kind,
            FaultKind::Truncate(_) | FaultKind::Stall(_) | FaultKind::Reset | FaultKind::Close
        );
        let which = match which {
            Some(_) if matches!(kind, FaultKind::NoNotify | FaultKind::Slow(_)) => {
                return Err(format!("fault {name} takes no @: it is always on"));
            }
            Some(which) => which.parse()?,
            None if once => Which::Range(1, 1),
            None => Which::ALL,
        };
        Ok(Fault { kind, which })
    }
}

impl FromStr for Which {
    type Err = String;

    fn from_str(text: &str) -> Result<Which, String> {
        let number = |t: &str| t.parse::<u64>().ok().filter(|n| *n > 0);
        let which = if let Some(every) = text.strip_prefix('/') {
            number(every).map(Which::Every)
        } else if let Some(from) = text.strip_suffix('+') {
            number(from).map(|from| Which::Range(from, u64::MAX))
        } else if let Some((from, to)) = text.split_once('-') {
            number(from)
                .zip(number(to))
                .filter(|(from, to)| from <= to)
                .map(|(from, to)| Which::Range(from, to))
        } else {
            number(text).map(|n| Which::Range(n, n))
        };
        which.ok_or(format!(
            "@{text} is not a choice of messages: @3, @3-5, @3+ or @/10, counted from 1"
        ))
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("fault delay: {text:?} is no time such as 200ms or 1.5s");
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 0.001),
        None => (text.strip_suffix('s').ok_or_else(wrong)?, 1.0),
    };
    let seconds: f64 = number.parse().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(seconds * unit)
        .ok()
        .filter(|d| *d <= Duration::from_secs(3600))
        .ok_or_else(wrong)
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            FaultKind::Delay(d) => write!(f, "delay:{}ms", d.as_millis())?,
            FaultKind::Drop => f.write_str("drop")?,
            FaultKind::Duplicate => f.write_str("duplicate")?,
            FaultKind::Reorder => f.write_str("reorder")?,
            FaultKind::Fragment(n) => write!(f, "fragment:{n}")?,
            FaultKind::Coalesce(n) => write!(f, "coalesce:{n}")?,
            FaultKind::Truncate(n) => write!(f, "truncate:{n}")?,
            FaultKind::Stall(n) => write!(f, "stall:{n}")?,
            FaultKind::Reset => f.write_str("reset")?,
            FaultKind::Close => f.write_str("close")?,
            FaultKind::NoNotify => f.write_str("no-notify")?,
            FaultKind::Slow(n) => write!(f, "slow:{n}")?,
            FaultKind::Status(code, None) => write!(f, "status:{code}")?,
            FaultKind::Status(code, Some(method)) => write!(f, "status:{code}:{method}")?,
        }
        match self.which {
            Which::ALL => Ok(()),
            Which::Range(from, u64::MAX) => write!(f, "@{from}+"),
            Which::Range(from, to) if from == to => write!(f, "@{from}"),
            Which::Range(from, to) => write!(f, "@{from}-{to}"),
            Which::Every(k) => write!(f, "@/{k}"),
        }
    }
}

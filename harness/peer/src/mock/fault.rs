/*! Faults on demand: how a connection misbehaves besides what is said on it.

Takes the words of `--fault` (and of scenarios), gives [`Faults`]. Message
faults (delay, drop, duplicate, reorder) and SIP faults (status, overload) act
where messages are sent and answered; byte faults (fragment, coalesce,
truncate, reset, slow, slow-reader, no-close-notify) act where bytes are
written and read. Chance comes from a seed.
*/

use std::str::FromStr;
use std::time::Duration;

/// Everything that may be wrong with a connection; the default is nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Faults {
    /// Every message leaves this much later.
    pub delay: Duration,
    /// Share of messages that never leave, 0 to 1.
    pub drop: f64,
    /// Share of messages that leave twice.
    pub duplicate: f64,
    /// Every second message leaves before the one that should precede it.
    pub reorder: bool,
    /// Bytes leave in pieces of at most this size.
    pub fragment: Option<usize>,
    /// Messages that wait together leave in one piece.
    pub coalesce: bool,
    /// The connection ends cleanly after this many bytes, wherever that is.
    pub truncate: Option<u64>,
    /// The connection ends abruptly after this many messages.
    pub reset: Option<u64>,
    /// Bytes leave at this rate a second.
    pub slow: Option<u64>,
    /// Bytes are taken at this rate a second.
    pub slow_reader: Option<u64>,
    /// TLS ends without close notify.
    pub no_close_notify: bool,
    /// INFO is answered with this status instead of 200, and not processed.
    pub status: Option<u16>,
    /// INFO beyond so many a second is answered 503.
    pub overload: Option<u32>,
    /// Processing of commands takes this long; past the processing timer the INFO is answered 503 (3.2.1.6).
    pub stall: Option<Duration>,
}

/// The words, for messages and help.
const KNOWN: &str = "delay=TIME drop=N% duplicate=N% reorder fragment=BYTES coalesce truncate=BYTES \
                     reset=MESSAGES slow=BYTES slow-reader=BYTES no-close-notify status=CODE \
                     overload=N stall=TIME";

impl Faults {
    /// Several specifications together; a later one of the same name wins.
    pub fn parse<S: AsRef<str>>(specs: impl IntoIterator<Item = S>) -> Result<Faults, String> {
        let mut faults = Faults::default();
        for spec in specs {
            faults.add(spec.as_ref())?;
        }
        Ok(faults)
    }

    /// Whether there is no fault at all.
    pub fn is_none(&self) -> bool {
        *self == Faults::default()
    }

    /// Adds one specification, like `delay=200ms` or `reorder`.
    pub fn add(&mut self, spec: &str) -> Result<(), String> {
        let (name, value) = match spec.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (spec.trim(), None),
        };
        match name {
            "delay" => self.delay = time(name, value)?,
            "drop" => self.drop = share(name, value)?,
            "duplicate" => self.duplicate = share(name, value)?,
            "reorder" => self.reorder = flag(name, value)?,
            "fragment" => self.fragment = Some(number(name, value, 1, 1 << 20)?),
            "coalesce" => self.coalesce = flag(name, value)?,
            "truncate" => self.truncate = Some(number(name, value, 0, u64::MAX)?),
            "reset" => self.reset = Some(number(name, value, 0, u64::MAX)?),
            "slow" => self.slow = Some(number(name, value, 1, u64::MAX)?),
            "slow-reader" => self.slow_reader = Some(number(name, value, 1, u64::MAX)?),
            "no-close-notify" => self.no_close_notify = flag(name, value)?,
            "status" => self.status = Some(number(name, value, 202, 699)?),
            "overload" => self.overload = Some(number(name, value, 0, u32::MAX)?),
            "stall" => self.stall = Some(time(name, value)?),
            _ => {
                return Err(format!("there is no fault `{name}`; there are: {KNOWN}"));
            }
        }
        Ok(())
    }
}

fn needed<'a>(name: &str, value: Option<&'a str>) -> Result<&'a str, String> {
    match value {
        Some(value) if !value.is_empty() => Ok(value),
        _ => Err(format!(
            "the fault `{name}` needs a value, like {}",
            example(name)
        )),
    }
}

fn example(name: &str) -> &'static str {
    match name {
        "delay" | "stall" => "delay=200ms",
        "drop" | "duplicate" => "drop=10%",
        "status" => "status=503",
        _ => "fragment=1",
    }
}

fn flag(name: &str, value: Option<&str>) -> Result<bool, String> {
    match value {
        None => Ok(true),
        Some(_) => Err(format!("the fault `{name}` takes no value")),
    }
}

fn number<T: FromStr + PartialOrd + std::fmt::Display>(
    name: &str,
    value: Option<&str>,
    least: T,
    most: T,
) -> Result<T, String> {
    let text = needed(name, value)?;
    match text.parse::<T>() {
        Ok(n) if n >= least && n <= most => Ok(n),
        _ => Err(format!(
            "`{text}` does not fit the fault `{name}`: a number from {least} to {most} is expected"
        )),
    }
}

fn share(name: &str, value: Option<&str>) -> Result<f64, String> {
    let text = needed(name, value)?;
    let wrong =
        || format!("`{text}` does not fit the fault `{name}`: a percentage like 10% is expected");
    let n: f64 = text
        .strip_suffix('%')
        .ok_or_else(wrong)?
        .parse()
        .map_err(|_| wrong())?;
    if (0.0..=100.0).contains(&n) {
        Ok(n / 100.0)
    } else {
        Err(wrong())
    }
}

fn time(name: &str, value: Option<&str>) -> Result<Duration, String> {
    let text = needed(name, value)?;
    let wrong =
        || format!("`{text}` does not fit the fault `{name}`: a time like 200ms or 2s is expected");
    let (digits, unit) = text.split_at(
        text.find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(text.len()),
    );
    let n: f64 = digits.parse().map_err(|_| wrong())?;
    let seconds = match unit {
        "ms" => n / 1000.0,
        "s" => n,
        _ => return Err(wrong()),
    };
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specifications() {
        let faults = Faults::parse(["delay=200ms", "fragment=1", "drop=10%", "reorder"]).unwrap();
        assert_eq!(faults.delay, Duration::from_millis(200));
        assert_eq!(faults.fragment, Some(1));
        assert!((faults.drop - 0.1).abs() < 1e-9 && faults.reorder);
        assert!(Faults::parse([""; 0]).unwrap().is_none());
        for bad in [
            "",
            "delay",
            "delay=",
            "delay=5",
            "delay=-1s",
            "drop=10",
            "drop=200%",
            "fragment=0",
            "reorder=1",
            "status=200",
            "status=x",
            "nonsense=1",
            "slow=0",
        ] {
            assert!(Faults::parse([bad]).is_err(), "{bad}");
        }
    }
}

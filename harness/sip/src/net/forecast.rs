//! What faults will make of each unit, told beforehand: for whoever records what leaves.

use super::fault::{Fault, FaultKind};

/// What becomes of one unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It arrives whole, however late and in whatever pieces.
    Whole,
    /// It arrives twice.
    Twice,
    /// It never leaves; the fault that swallows it.
    Lost(String),
    /// Only its first bytes leave; how many, and the fault.
    Cut(usize, String),
}

/// Follows the units that are written to a [`super::fault::Faulty`] with the same faults.
#[derive(Debug, Clone, Default)]
pub struct Forecast {
    faults: Vec<Fault>,
    units: u64,
    /// The fault that ended our direction, once one did.
    over: Option<String>,
}

impl Forecast {
    /// Nothing written so far.
    pub fn new(faults: &[Fault]) -> Forecast {
        Forecast {
            faults: faults.to_vec(),
            units: 0,
            over: None,
        }
    }

    /// What becomes of the next unit.
    pub fn unit(&mut self) -> Fate {
        if let Some(fault) = &self.over {
            return Fate::Lost(fault.clone());
        }
        self.units += 1;
        let mut fate = Fate::Whole;
        for fault in self.faults.iter().filter(|f| f.which.hits(self.units)) {
            match fault.kind {
                FaultKind::Drop => fate = Fate::Lost(fault.to_string()),
                FaultKind::Duplicate if fate == Fate::Whole => fate = Fate::Twice,
                FaultKind::Truncate(n) | FaultKind::Stall(n) => {
                    fate = Fate::Cut(n, fault.to_string());
                    self.over = Some(fault.to_string());
                }
                FaultKind::Reset | FaultKind::Close => self.over = Some(fault.to_string()),
                _ => {}
            }
        }
        fate
    }

    /// The fault that ended the connection or our direction of it, once one did.
    pub fn over(&self) -> Option<&str> {
        self.over.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_the_stream_will_do() {
        let faults: Vec<Fault> = ["drop@2", "duplicate@3", "delay:1s", "truncate:9@5"]
            .iter()
            .map(|f| f.parse().unwrap())
            .collect();
        let mut forecast = Forecast::new(&faults);
        let fates: Vec<Fate> = std::iter::repeat_with(|| forecast.unit()).take(6).collect();
        assert_eq!(
            fates,
            [
                Fate::Whole,
                Fate::Lost("drop@2".into()),
                Fate::Twice,
                Fate::Whole,
                Fate::Cut(9, "truncate:9@5".into()),
                Fate::Lost("truncate:9@5".into()),
            ]
        );
        assert_eq!(forecast.over(), Some("truncate:9@5"));
    }
}

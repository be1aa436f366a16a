//! Bodies within a budget: plain, packed, or thinned.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use judge::Outcome;

use super::ladder::Depth;
use crate::run::{Run, Scenario};

/// Share of the room that failing scenarios may take unpacked.
const PLAIN: f64 = 0.3;

/// A scenario's body as it is stored in the page.
pub enum Packed {
    /// As it is.
    Plain(String),
    /// Gzip in base64.
    Gzip(String),
    /// Left out; only the line remains.
    Dropped,
}

impl Packed {
    fn len(&self) -> usize {
        match self {
            Packed::Plain(text) | Packed::Gzip(text) => text.len(),
            Packed::Dropped => 0,
        }
    }
}

/// All bodies in the order of the scenarios.
pub struct Bodies {
    /// One for each scenario.
    pub bodies: Vec<Packed>,
    /// How many lost their payloads or more.
    pub thinned: usize,
}

/// How dearly a scenario's details are kept; the lowest go first.
fn worth(scenario: &Scenario) -> u8 {
    match scenario.outcome() {
        Some(Outcome::Skip) => 0,
        Some(Outcome::Pass) if !scenario.flaky() && scenario.waived().next().is_none() => 1,
        Some(Outcome::Pass | Outcome::Inconclusive) => 2,
        Some(Outcome::Warn) => 3,
        Some(Outcome::Fail | Outcome::Error) | None => 4,
    }
}

/// Renders every body and keeps the sum within `room` bytes.
pub fn fit(run: &Run, room: usize, render: impl Fn(&Scenario, Depth) -> String) -> Bodies {
    let mut plain_left = (room as f64 * PLAIN) as usize;
    let mut bodies: Vec<Packed> = run
        .scenarios
        .iter()
        .map(|scenario| {
            let text = render(scenario, Depth::Full);
            if worth(scenario) == 4 && text.len() <= plain_left {
                plain_left -= text.len();
                Packed::Plain(text)
            } else {
                Packed::Gzip(gzip(&text))
            }
        })
        .collect();
    let mut total: usize = bodies.iter().map(Packed::len).sum();
    let mut thinned = vec![false; bodies.len()];
    for value in 0..=4 {
        for drop in [false, true] {
            let mut order: Vec<usize> = (0..bodies.len())
                .filter(|&i| worth(&run.scenarios[i]) == value)
                .collect();
            order.sort_by_key(|&i| std::cmp::Reverse(bodies[i].len()));
            for i in order {
                if total <= room {
                    break;
                }
                let smaller = if drop {
                    Packed::Dropped
                } else {
                    Packed::Gzip(gzip(&render(&run.scenarios[i], Depth::Strips)))
                };
                total -= bodies[i].len();
                total += smaller.len();
                bodies[i] = smaller;
                thinned[i] = true;
            }
        }
    }
    Bodies {
        bodies,
        thinned: thinned.iter().filter(|t| **t).count(),
    }
}

fn gzip(text: &str) -> String {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Writing to memory cannot fail.
    let _ = encoder.write_all(text.as_bytes());
    STANDARD.encode(encoder.finish().unwrap_or_default())
}

/// The hash a content security policy names a script or style sheet by.
pub fn hash(text: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    format!("sha256-{}", STANDARD.encode(digest.as_ref()))
}

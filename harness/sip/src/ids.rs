/*! Tags, branches and Call-IDs from an injected source.

Takes a stream of numbers; gives the identifiers RFC 3261 wants. A seeded
source repeats a run byte by byte; a live peer seeds it from the clock or the
system's randomness at the edge.
*/

use std::fmt;

/// A source of identifiers.
pub trait Ids: Send + fmt::Debug {
    /// The next 64 random bits.
    fn bits(&mut self) -> u64;

    /// A From or To tag (RFC 3261 19.3).
    fn tag(&mut self) -> String {
        format!("{:016x}", self.bits())
    }

    /// A Via branch with the magic cookie (8.1.1.7).
    fn branch(&mut self) -> String {
        format!("z9hG4bK{:016x}", self.bits())
    }

    /// A Call-ID (8.1.1.4).
    fn call_id(&mut self) -> String {
        format!("{:016x}{:016x}", self.bits(), self.bits())
    }
}

/// Identifiers that follow from a seed (SplitMix64).
#[derive(Debug, Clone)]
pub struct Seeded(u64);

impl Seeded {
    /// The same seed gives the same identifiers in the same order.
    pub fn new(seed: u64) -> Seeded {
        Seeded(seed)
    }
}

impl Ids for Seeded {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

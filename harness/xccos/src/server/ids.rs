use crate::world::Guid;

/// Numbers and GUIDs from one seed, so that a run can be repeated byte for byte.
#[derive(Debug, Clone)]
pub struct Ids {
    state: u64,
    envid: u64,
}

impl Ids {
    /// A source that depends on the seed alone.
    pub fn new(seed: u64) -> Ids {
        let mut ids = Ids {
            state: seed,
            envid: 0,
        };
        // 63-bit numbers, as real servers send them; room to grow is left above.
        ids.envid = (ids.next() >> 2) | 1 << 60;
        ids
    }

    /// The next envelope number; strictly grows (2.2.2.2.1).
    pub fn envid(&mut self) -> u64 {
        self.envid += 1;
        self.envid
    }

    /// A random GUID (version 4).
    pub fn guid(&mut self) -> Guid {
        let mut bytes = [0u8; 16];
        bytes[..8].copy_from_slice(&self.next().to_be_bytes());
        bytes[8..].copy_from_slice(&self.next().to_be_bytes());
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Guid(bytes)
    }

    /// SplitMix64: small, seedable, good enough for ids that nobody guesses for gain.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

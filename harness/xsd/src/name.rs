//! Interned names: a namespace and a local name become one small number.
//!
//! Takes strings while a schema is compiled; afterwards only looks up, without allocating. The absent namespace is
//! the empty string.

use std::fmt;

/// An interned namespace name; 0 is the absent namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NsId(pub(crate) u32);

/// An interned expanded name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NameId(pub(crate) u32);

/// The namespace of XML Schema documents.
pub(crate) const XSD: &str = "http://www.w3.org/2001/XMLSchema";
/// The namespace of `xsi:type` and its siblings.
pub(crate) const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// The namespace of the prefix `xml`.
pub(crate) const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// The table of names of one schema.
pub(crate) struct Names {
    spaces: Vec<Box<str>>,
    names: Vec<(NsId, Box<str>)>,
    /// Open addressing: slots hold a name's number plus one, 0 is free.
    slots: Vec<u32>,
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Names({} in {})", self.names.len(), self.spaces.len())
    }
}

impl Names {
    pub(crate) const NO_SPACE: NsId = NsId(0);

    pub(crate) fn new() -> Self {
        Names {
            spaces: vec!["".into()],
            names: Vec::new(),
            slots: vec![0; 256],
        }
    }

    /// The number of a namespace, made if new.
    pub(crate) fn space(&mut self, uri: &str) -> NsId {
        if let Some(found) = self.find_space(uri) {
            return found;
        }
        self.spaces.push(uri.into());
        NsId(self.spaces.len() as u32 - 1)
    }

    /// The number of a namespace the schema knows.
    pub(crate) fn find_space(&self, uri: &str) -> Option<NsId> {
        let at = self.spaces.iter().position(|space| **space == *uri)?;
        Some(NsId(at as u32))
    }

    /// The number of a name, made if new.
    pub(crate) fn intern(&mut self, space: NsId, local: &str) -> NameId {
        if let Some(found) = self.find(space, local) {
            return found;
        }
        if (self.names.len() + 1) * 2 > self.slots.len() {
            self.grow();
        }
        self.names.push((space, local.into()));
        let number = self.names.len() as u32;
        let slot = self.free_slot(space, local);
        self.slots[slot] = number;
        NameId(number - 1)
    }

    /// As [`Names::intern`], by namespace name.
    pub(crate) fn intern_in(&mut self, uri: &str, local: &str) -> NameId {
        let space = self.space(uri);
        self.intern(space, local)
    }

    /// The number of a name the schema knows.
    pub(crate) fn find(&self, space: NsId, local: &str) -> Option<NameId> {
        let mask = self.slots.len() - 1;
        let mut slot = hash(space, local) & mask;
        loop {
            let number = self.slots[slot];
            if number == 0 {
                return None;
            }
            let (other_space, other_local) = &self.names[number as usize - 1];
            if *other_space == space && **other_local == *local {
                return Some(NameId(number - 1));
            }
            slot = (slot + 1) & mask;
        }
    }

    pub(crate) fn local(&self, name: NameId) -> &str {
        &self.names[name.0 as usize].1
    }

    pub(crate) fn space_of(&self, name: NameId) -> NsId {
        self.names[name.0 as usize].0
    }

    pub(crate) fn uri(&self, space: NsId) -> &str {
        &self.spaces[space.0 as usize]
    }

    /// `local` or `{namespace}local`, for messages.
    pub(crate) fn show(&self, name: NameId) -> String {
        let (space, local) = &self.names[name.0 as usize];
        match self.uri(*space) {
            "" => local.to_string(),
            XSD => format!("xs:{local}"),
            uri => format!("{{{uri}}}{local}"),
        }
    }

    fn free_slot(&self, space: NsId, local: &str) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = hash(space, local) & mask;
        while self.slots[slot] != 0 {
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn grow(&mut self) {
        self.slots = vec![0; self.slots.len() * 4];
        for index in 0..self.names.len() {
            let (space, local) = &self.names[index];
            let slot = self.free_slot(*space, local);
            self.slots[slot] = index as u32 + 1;
        }
    }
}

/// Mixes the namespace, the length, and the first and last eight bytes; longer names that agree in all of these are
/// told apart by comparison. The table is filled by the schema's author, not by a peer.
fn hash(space: NsId, local: &str) -> usize {
    const K: u64 = 0x9e37_79b9_7f4a_7c15;
    let bytes = local.as_bytes();
    let (head, tail) = match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(head), Some(tail)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
        _ => match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
            (Some(head), Some(tail)) => (
                u64::from(u32::from_le_bytes(*head)),
                u64::from(u32::from_le_bytes(*tail)),
            ),
            _ => (
                bytes
                    .iter()
                    .fold(0, |word, byte| word << 8 | u64::from(*byte)),
                0,
            ),
        },
    };
    let state = (head ^ u64::from(space.0).rotate_left(32) ^ bytes.len() as u64).wrapping_mul(K);
    let state = (state.rotate_left(29) ^ tail).wrapping_mul(K);
    (state ^ (state >> 32)) as usize
}

/*! One direction of a TCP connection, put together from its segments.

Takes segments in the order they were captured; gives bytes in the order they
were sent, once. Retransmissions and overlaps are dropped, segments that came
early wait; what never came is a gap of known size, told as such.
*/

use std::collections::BTreeMap;

/// Most bytes that may wait for a missing segment.
const WAITING: usize = 8 << 20;

/// Most bytes that may be missing between two segments that belong to one stream.
const FAR: u64 = 1 << 30;

/// What a segment brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Bytes that follow what came before.
    Bytes(Vec<u8>),
    /// So many bytes are missing here.
    Gap(u64),
}

/// The state of one direction.
#[derive(Debug, Default)]
pub struct Stream {
    /// Sequence number (unwrapped) of the next byte; none before the first segment.
    next: Option<u64>,
    /// Where the stream ends, by its FIN.
    end: Option<u64>,
    waiting: BTreeMap<u64, Vec<u8>>,
    held: usize,
    /// Whether the stream was seen from its first byte.
    pub from_start: bool,
    /// Segments that brought nothing new.
    pub repeated: usize,
}

impl Stream {
    /// Takes a segment.
    pub fn take(&mut self, seq: u32, syn: bool, bytes: &[u8]) -> Vec<Piece> {
        if syn {
            if self.next.is_none() {
                self.from_start = true;
                self.next = Some(u64::from(seq) + 1 + (1 << 32));
            }
            if bytes.is_empty() {
                return Vec::new();
            }
        }
        if bytes.is_empty() {
            return Vec::new();
        }
        let next = *self.next.get_or_insert(u64::from(seq) + (1 << 32));
        let at = unwrap(seq, next) + u64::from(syn);
        if at + bytes.len() as u64 <= next {
            self.repeated += 1;
            return Vec::new();
        }
        if at > next + FAR {
            return Vec::new();
        }
        let (at, bytes) = if at < next {
            (next, &bytes[(next - at) as usize..])
        } else {
            (at, bytes)
        };
        let slot = self.waiting.entry(at).or_default();
        if slot.len() < bytes.len() {
            self.held += bytes.len() - slot.len();
            *slot = bytes.to_vec();
        } else {
            self.repeated += 1;
        }
        let mut out = self.ready();
        // Too much waits for one lost segment: it will not come.
        while self.held > WAITING {
            out.extend(self.skip());
        }
        out
    }

    /// A segment of that length said that nothing comes after it.
    pub fn end(&mut self, seq: u32, length: usize) {
        if let Some(next) = self.next {
            self.end = Some(unwrap(seq, next) + length as u64);
        }
    }

    /// The stream is over: gives what waited, with the gaps before it.
    pub fn finish(&mut self) -> Vec<Piece> {
        let mut out = Vec::new();
        while !self.waiting.is_empty() {
            out.extend(self.skip());
        }
        if let (Some(next), Some(end)) = (self.next, self.end)
            && end > next
            && end <= next + FAR
        {
            out.push(Piece::Gap(end - next));
            self.next = Some(end);
        }
        out
    }

    /// Goes over the gap before the first waiting segment.
    fn skip(&mut self) -> Vec<Piece> {
        let mut out = Vec::new();
        if let (Some((&at, _)), Some(next)) = (self.waiting.first_key_value(), self.next)
            && at > next
        {
            out.push(Piece::Gap(at - next));
            self.next = Some(at);
        }
        out.extend(self.ready());
        out
    }

    fn ready(&mut self) -> Vec<Piece> {
        let mut joined = Vec::new();
        let Some(mut next) = self.next else {
            return Vec::new();
        };
        while let Some(entry) = self.waiting.first_entry() {
            if *entry.key() > next {
                break;
            }
            let (at, bytes) = entry.remove_entry();
            self.held -= bytes.len();
            let known = (next - at) as usize;
            if let Some(fresh) = bytes.get(known..)
                && !fresh.is_empty()
            {
                joined.extend_from_slice(fresh);
                next += fresh.len() as u64;
            }
        }
        self.next = Some(next);
        if joined.is_empty() {
            Vec::new()
        } else {
            vec![Piece::Bytes(joined)]
        }
    }
}

/// The 64-bit number nearest to `near` that a 32-bit sequence number stands for.
fn unwrap(seq: u32, near: u64) -> u64 {
    let base = near & !0xffff_ffff | u64::from(seq);
    let candidates = [base.wrapping_sub(1 << 32), base, base + (1 << 32)];
    candidates
        .into_iter()
        .min_by_key(|c| c.abs_diff(near))
        .unwrap_or(base)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(pieces: Vec<Piece>) -> Vec<u8> {
        pieces
            .into_iter()
            .flat_map(|p| match p {
                Piece::Bytes(b) => b,
                Piece::Gap(n) => format!("[{n}]").into_bytes(),
            })
            .collect()
    }

    #[test]
    fn order_repeats_overlaps_and_wrapping() {
        let start = u32::MAX - 3;
        let mut s = Stream::default();
        let mut got = Vec::new();
        got.extend(s.take(start, true, b""));
        got.extend(s.take(start.wrapping_add(4), false, b"defg"));
        got.extend(s.take(start.wrapping_add(1), false, b"abc"));
        got.extend(s.take(start.wrapping_add(1), false, b"abc"));
        got.extend(s.take(start.wrapping_add(6), false, b"fghi"));
        assert_eq!(bytes(got), b"abcdefghi");
        assert_eq!(s.repeated, 1);
        assert!(s.from_start);
    }

    #[test]
    fn what_never_came_is_a_gap() {
        let mut s = Stream::default();
        let mut got = s.take(100, false, b"ab");
        got.extend(s.take(110, false, b"cd"));
        got.extend(s.finish());
        assert_eq!(bytes(got), b"ab[8]cd");
        assert!(!s.from_start);
    }

    proptest::proptest! {
        /// However a stream is cut, shuffled and repeated, the same bytes come out.
        #[test]
        fn any_order_gives_the_same_bytes(cuts in proptest::collection::vec(1usize..9, 1..12), order in proptest::collection::vec(0usize..12, 0..40), start: u32) {
            let whole: Vec<u8> = (0..cuts.iter().sum::<usize>()).map(|i| i as u8).collect();
            let mut parts = Vec::new();
            let mut at = 0;
            for cut in &cuts {
                parts.push((start.wrapping_add(1 + at as u32), &whole[at..at + cut]));
                at += cut;
            }
            let mut s = Stream::default();
            let mut got = s.take(start, true, b"");
            for i in order {
                let (seq, part) = parts[i % parts.len()];
                got.extend(s.take(seq, false, part));
            }
            for (seq, part) in &parts {
                got.extend(s.take(*seq, false, part));
            }
            got.extend(s.finish());
            proptest::prop_assert_eq!(bytes(got), whole);
        }
    }
}

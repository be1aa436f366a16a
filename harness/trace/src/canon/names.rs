//! Named redactions: values that differ from run to run, replaced by names that keep equal equal.

use std::collections::HashMap;

/// What is replaced, and how.
#[derive(Debug, Clone)]
pub struct Redactions {
    /// XML attributes whose values are numbers of this run, with the name they get.
    pub attributes: Vec<(&'static str, &'static str)>,
    /// Values that belong to the target and stay readable (URIs and GUIDs of its rooms and users).
    pub known: Vec<String>,
}

impl Default for Redactions {
    fn default() -> Redactions {
        Redactions {
            attributes: vec![
                ("envid", "envid"),
                ("chatId", "chatId"),
                ("inviteId", "inviteId"),
                ("hash", "hash"),
                ("token", "token"),
            ],
            known: Vec::new(),
        }
    }
}

/// Hands out the names of one exchange.
#[derive(Debug, Clone, Default)]
pub struct Names {
    given: HashMap<(&'static str, String), usize>,
    counts: HashMap<&'static str, usize>,
}

impl Names {
    /// `[envid:1]` for the first value of that kind, and again for each value equal to it.
    pub fn name(&mut self, kind: &'static str, value: &str) -> String {
        // What is redacted already keeps its name, so that the canonical form of a canonical form is itself.
        if is_name(value) {
            return value.to_owned();
        }
        let key = (kind, value.to_owned());
        let n = match self.given.get(&key) {
            Some(n) => *n,
            None => {
                let count = self.counts.entry(kind).or_insert(0);
                *count += 1;
                self.given.insert(key, *count);
                *count
            }
        };
        format!("[{kind}:{n}]")
    }

    /// A value with everything volatile in it replaced, whatever it stands in: times, GUIDs, addresses.
    pub fn value(&mut self, text: &str, redactions: &Redactions) -> String {
        if is_time(text.trim()) {
            return "[ts]".to_owned();
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((start, end, kind)) = next_volatile(rest, text, redactions) {
            out.push_str(&rest[..start]);
            match kind {
                "ts" => out.push_str("[ts]"),
                _ => out.push_str(&self.name(kind, &rest[start..end].to_ascii_lowercase())),
            }
            rest = &rest[end..];
        }
        out.push_str(rest);
        out
    }
}

fn is_name(value: &str) -> bool {
    value
        .strip_prefix('[')
        .and_then(|v| v.strip_suffix(']'))
        .is_some_and(|v| {
            !v.is_empty()
                && v.bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b":-".contains(&b))
        })
}

/// Whether a text is an `xs:dateTime` of some moment; the document's first and last days, which
/// stand for "never", are none.
pub fn is_time(text: &str) -> bool {
    let b = text.as_bytes();
    let shape = b"dddd-dd-ddTdd:dd:dd";
    if b.len() < shape.len() || text.starts_with("0001-") || text.starts_with("9999-12-31") {
        return false;
    }
    let fits = shape.iter().zip(b).all(|(s, c)| match s {
        b'd' => c.is_ascii_digit(),
        s => s == c,
    });
    let Some(rest) = text.get(shape.len()..).filter(|_| fits) else {
        return false;
    };
    let rest = match rest.strip_prefix('.') {
        Some(fraction) => {
            let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
            if digits == 0 {
                return false;
            }
            &fraction[digits..]
        }
        None => rest,
    };
    match rest.as_bytes() {
        [] | [b'Z'] => true,
        [b'+' | b'-', a, b, b':', c, d] => [a, b, c, d].iter().all(|x| x.is_ascii_digit()),
        _ => false,
    }
}

/// The next GUID or IPv4 address (with its port) in a text, unless the target's file names it.
fn next_volatile(
    rest: &str,
    whole: &str,
    redactions: &Redactions,
) -> Option<(usize, usize, &'static str)> {
    let b = rest.as_bytes();
    let mut at = 0;
    while at < b.len() {
        let before = at.checked_sub(1).map(|i| b[i]);
        let boundary = before.is_none_or(|c| !c.is_ascii_alphanumeric() && c != b'.');
        // A word may have been put before a GUID: `k93489432-…`.
        let apart = before != Some(b'-');
        if (boundary || apart) && b[at].is_ascii_hexdigit() {
            if let Some(length) = time(&rest[at..]).filter(|_| boundary) {
                return Some((at, at + length, "ts"));
            }
            if let Some(length) = guid(&b[at..]).filter(|_| apart) {
                let value = &rest[at..at + length];
                if !known(value, whole, redactions) {
                    return Some((at, at + length, "guid"));
                }
                at += length;
                continue;
            }
            if let Some(length) = address(&b[at..]).filter(|_| boundary) {
                return Some((at, at + length, "addr"));
            }
        }
        at += 1;
    }
    None
}

fn known(value: &str, whole: &str, redactions: &Redactions) -> bool {
    redactions.known.iter().any(|k| {
        let k = k.to_ascii_lowercase();
        k == value.to_ascii_lowercase()
            || (k.contains(&value.to_ascii_lowercase()) && whole.to_ascii_lowercase().contains(&k))
    })
}

/// Length of a time at the beginning, in a list of them or behind a number: `8@2026-11-21T05:03:29Z,…`.
fn time(text: &str) -> Option<usize> {
    let part = |c: char| c.is_ascii_digit() || matches!(c, 'T' | 'Z' | ':' | '.' | '-' | '+');
    let length = text.find(|c| !part(c)).unwrap_or(text.len());
    is_time(text.get(..length)?).then_some(length)
}

/// Length of a GUID in its 8-4-4-4-12 form at the beginning.
fn guid(b: &[u8]) -> Option<usize> {
    let head = b.get(..36)?;
    let fits = head.iter().enumerate().all(|(i, c)| match i {
        8 | 13 | 18 | 23 => *c == b'-',
        _ => c.is_ascii_hexdigit(),
    });
    let ends = b.get(36).is_none_or(|c| !c.is_ascii_alphanumeric());
    (fits && ends).then_some(36)
}

/// Length of an IPv4 address with an optional port at the beginning.
fn address(b: &[u8]) -> Option<usize> {
    let mut at = 0;
    for part in 0..4 {
        if part > 0 {
            if b.get(at) != Some(&b'.') {
                return None;
            }
            at += 1;
        }
        let digits = b[at..].iter().take_while(|c| c.is_ascii_digit()).count();
        if !(1..=3).contains(&digits) {
            return None;
        }
        at += digits;
    }
    if b.get(at)
        .is_some_and(|c| c.is_ascii_alphanumeric() || *c == b'.')
    {
        return None;
    }
    if b.get(at) == Some(&b':') {
        let digits = b[at + 1..]
            .iter()
            .take_while(|c| c.is_ascii_digit())
            .count();
        if digits > 0 {
            at += 1 + digits;
        }
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_keep_equal_names() {
        let mut names = Names::default();
        assert_eq!(names.name("envid", "9"), "[envid:1]");
        assert_eq!(names.name("envid", "3"), "[envid:2]");
        assert_eq!(names.name("envid", "9"), "[envid:1]");
        assert_eq!(names.name("tag", "9"), "[tag:1]");
        assert_eq!(names.name("tag", "[tag:7]"), "[tag:7]");
    }

    #[test]
    fn volatile_values_inside_texts() {
        let redactions = Redactions {
            known: vec!["ma-chan://example.com/93489432-b6be-4c67-932f-09e39a162072".into()],
            ..Redactions::default()
        };
        let mut names = Names::default();
        let mut value = |text: &str| names.value(text, &redactions);
        assert_eq!(value("2026-11-21T00:00:00.1234567Z"), "[ts]");
        assert_eq!(value("0001-01-01T00:00:00Z"), "0001-01-01T00:00:00Z");
        assert_eq!(
            value("ma-chan://example.com/93489432-B6BE-4c67-932f-09e39a162072"),
            "ma-chan://example.com/93489432-B6BE-4c67-932f-09e39a162072"
        );
        assert_eq!(
            value("ma-chan://example.com/00000000-b6be-4c67-932f-09e39a162072"),
            "ma-chan://example.com/[guid:1]"
        );
        assert_eq!(
            value("k93489432-b6be-4c67-932f-09e39a162073 x"),
            "k[guid:2] x"
        );
        assert_eq!(value("sip:a@127.0.0.1:40001;x"), "sip:a@[addr:1];x");
        assert_eq!(
            value("version 1.2.3.4.5 and 1.2.3"),
            "version 1.2.3.4.5 and 1.2.3"
        );
    }
}

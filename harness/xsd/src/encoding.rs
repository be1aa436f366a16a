//! Files as they come: other encodings and harmless document types, made into what [`crate::doc`] reads.
//!
//! Takes bytes; gives UTF-8 bytes in which every character stands in its old line and column. UTF-16, ISO-8859-1 and
//! windows-1252 are turned into UTF-8, and a document type declaration that declares neither entities nor default
//! attributes is replaced by blanks: such a declaration changes nothing that a validator sees. Everything else is
//! left as it is, for `doc` to refuse. Wire payloads do not pass here; they are UTF-8 without a document type.

use std::borrow::Cow;

use memchr::memmem;

/// The bytes of a document as UTF-8, without a harmless document type.
pub fn readable(bytes: &[u8]) -> Cow<'_, [u8]> {
    let text = match utf8(bytes) {
        Some(text) => Cow::Owned(text.into_bytes()),
        None => Cow::Borrowed(bytes),
    };
    match harmless_doctype(&text) {
        Some((from, to)) => {
            let mut text = text.into_owned();
            for byte in &mut text[from..to] {
                if !matches!(byte, b'\n' | b'\r') {
                    *byte = b' ';
                }
            }
            Cow::Owned(text)
        }
        None => text,
    }
}

/// The text of a document in another encoding; `None` when it is (or has to be) UTF-8 or cannot be decoded.
fn utf8(bytes: &[u8]) -> Option<String> {
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes)?,
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes)?,
        [b'<', 0, ..] => utf16(bytes, u16::from_le_bytes)?,
        [0, b'<', ..] => utf16(bytes, u16::from_be_bytes)?,
        _ => {
            let (from, to) = encoding_name(bytes)?;
            let name = bytes[from..to].to_ascii_lowercase();
            match name.as_slice() {
                b"iso-8859-1" | b"iso8859-1" | b"iso_8859-1" | b"latin1" | b"latin-1" => {
                    bytes.iter().map(|byte| char::from(*byte)).collect()
                }
                b"windows-1252" | b"cp1252" => {
                    bytes.iter().map(|byte| windows_1252(*byte)).collect()
                }
                _ => return None,
            }
        }
    };
    Some(without_encoding(text))
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    char::decode_utf16(pairs.iter().map(|pair| unit(*pair)))
        .collect::<Result<String, _>>()
        .ok()
}

fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

/// Blanks out the pseudo-attribute `encoding`, which no longer tells the truth.
fn without_encoding(mut text: String) -> String {
    let Some((from, to)) = encoding_name(text.as_bytes()) else {
        return text;
    };
    let start = text[..from].rfind("encoding").unwrap_or(from);
    text.replace_range(start..=to, &" ".repeat(to + 1 - start));
    text
}

/// Where the value of `encoding` stands in an XML declaration.
fn encoding_name(bytes: &[u8]) -> Option<(usize, usize)> {
    if !bytes.starts_with(b"<?xml") {
        return None;
    }
    let end = memmem::find(bytes, b"?>")?;
    let at = memmem::find(&bytes[..end], b"encoding")? + "encoding".len();
    let quote = at
        + bytes[at..end]
            .iter()
            .position(|byte| matches!(byte, b'"' | b'\''))?;
    let length = bytes[quote + 1..end]
        .iter()
        .position(|byte| *byte == bytes[quote])?;
    Some((quote + 1, quote + 1 + length))
}

/// Where a document type declaration stands that declares nothing a validator would have to know.
fn harmless_doctype(bytes: &[u8]) -> Option<(usize, usize)> {
    let from = prolog_doctype(bytes)?;
    let mut at = from + "<!DOCTYPE".len();
    let mut inside = false;
    loop {
        let rest = &bytes[at..];
        match rest.first()? {
            quote @ (b'"' | b'\'') => at += memchr::memchr(*quote, &rest[1..])? + 2,
            _ if rest.starts_with(b"<!--") => at += memmem::find(&rest[4..], b"-->")? + 7,
            _ if rest.starts_with(b"<?") => at += memmem::find(rest, b"?>")? + 2,
            // Entities, and attribute lists with anything but `#IMPLIED` or `#REQUIRED`, matter; so do parameter
            // entities, which hide what they hold.
            _ if rest.starts_with(b"<!ENTITY") || *rest.first()? == b'%' => return None,
            _ if rest.starts_with(b"<!ATTLIST") => {
                let end = memchr::memchr(b'>', rest)?;
                let list = &rest[..end];
                if list.iter().any(|byte| matches!(byte, b'"' | b'\'' | b'%')) {
                    return None;
                }
                at += end + 1;
            }
            b'[' => {
                inside = true;
                at += 1;
            }
            b']' => {
                inside = false;
                at += 1;
            }
            b'>' if !inside => return Some((from, at + 1)),
            _ => at += 1,
        }
    }
}

/// Where a document type declaration starts: after the XML declaration, comments, instructions and blanks.
fn prolog_doctype(bytes: &[u8]) -> Option<usize> {
    let mut at = if bytes.starts_with(b"\xef\xbb\xbf") {
        3
    } else {
        0
    };
    loop {
        let rest = &bytes[at..];
        match rest {
            [b' ' | b'\t' | b'\r' | b'\n', ..] => at += 1,
            [b'<', b'?', ..] => at += memmem::find(rest, b"?>")? + 2,
            [b'<', b'!', b'-', b'-', ..] => at += memmem::find(&rest[4..], b"-->")? + 7,
            _ if rest.starts_with(b"<!DOCTYPE") => return Some(at),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doc::{Limits, decode};

    fn read(bytes: &[u8]) -> Option<String> {
        decode(&readable(bytes), &Limits::default())
            .ok()
            .map(str::to_owned)
    }

    #[test]
    fn other_encodings_keep_their_columns() {
        let text = "<?xml version='1.0' encoding='UTF-16'?>\n<a b='é€𝐀'/>";
        for (mark, unit) in [
            ([0xff, 0xfe], u16::to_le_bytes as fn(u16) -> [u8; 2]),
            ([0xfe, 0xff], u16::to_be_bytes),
        ] {
            let bytes: Vec<u8> = text.encode_utf16().flat_map(unit).collect();
            let marked: Vec<u8> = mark.into_iter().chain(bytes.clone()).collect();
            for bytes in [bytes, marked] {
                let read = read(&bytes).unwrap();
                assert!(read.ends_with("?>\n<a b='é€𝐀'/>"), "{read}");
                assert_eq!(read.lines().next().map(str::len), Some(39));
            }
        }
        let latin = b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xe9</a>";
        assert!(read(latin).unwrap().ends_with("<a>é</a>"));
        let windows = b"<?xml version=\"1.0\" encoding=\"windows-1252\"?><a>\x80</a>";
        assert!(read(windows).unwrap().ends_with("<a>€</a>"));
        for broken in [
            &b"\xff\xfe<\0a"[..],
            b"\xff\xfe\0\xd8",
            b"<?xml version='1.0' encoding='koi8-r'?><a/>",
        ] {
            assert_eq!(read(broken), None);
        }
    }

    #[test]
    fn document_types_that_declare_nothing_are_blanks() {
        for good in [
            "<!DOCTYPE a><a/>",
            "<?xml version='1.0'?><!-- <!DOCTYPE b> -->\n<!DOCTYPE a SYSTEM 'a>.dtd'\n><a/>",
            "<!DOCTYPE a [<!ELEMENT a (#PCDATA)><!ATTLIST a b ID #IMPLIED> <!-- <!ENTITY --> ]><a/>",
        ] {
            let read = read(good.as_bytes()).unwrap();
            assert_eq!(read.len(), good.len());
            assert_eq!(read.lines().count(), good.lines().count());
            assert!(
                read.ends_with("<a/>") && !read.contains("<!DOCTYPE a"),
                "{read}"
            );
        }
        for bad in [
            "<!DOCTYPE a [<!ENTITY e 'x'>]><a/>",
            "<!DOCTYPE a [<!ATTLIST a b CDATA 'x'>]><a/>",
            "<!DOCTYPE a [%p;]><a/>",
            "<!DOCTYPE a [",
        ] {
            assert_eq!(read(bad.as_bytes()), None, "{bad}");
        }
    }
}

//! Hardened XML reading: bytes from a stranger in, a roxmltree document or a positioned error out.
//!
//! Takes bytes (or a string) and [`Limits`]; gives a [`Text`] whose [`Text::document`] borrows from it. What a
//! parser would accept but a validator must not see is refused here, before any tree exists: text that is not
//! UTF-8, document type declarations (so no entities), and documents whose depth, node count, attribute count or
//! namespace declarations would cost more than the limits allow. It refuses to guess encodings: a declaration
//! other than UTF-8 (or its subset US-ASCII) is an error.

use std::fmt;

use memchr::{memchr, memchr_iter, memchr2, memchr3, memmem};
use serde::Serialize;

use crate::lines::{Lines, Position};

/// What one document may cost. The defaults fit chat payloads many times over and stop every known bomb.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Longest document, in bytes.
    pub bytes: usize,
    /// Deepest nesting of elements; a lone root has depth 1.
    pub depth: usize,
    /// Most nodes of any kind.
    pub nodes: u32,
    /// Most attributes and namespace declarations on one element.
    pub attributes: usize,
    /// Most (element with declarations × namespaces in scope there) entries a document may ask the parser to keep.
    pub namespace_entries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            bytes: 64 << 20,
            depth: 256,
            nodes: 4_000_000,
            attributes: 1024,
            namespace_entries: 1_000_000,
        }
    }
}

/// What kind of thing is wrong with a document that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum XmlErrorKind {
    /// The bytes are not UTF-8.
    Encoding,
    /// The document is not well-formed XML 1.0, or breaks Namespaces in XML 1.0.
    NotWellFormed,
    /// A document type declaration is present.
    Dtd,
    /// A limit of [`Limits`] is exceeded.
    Limit,
}

/// Why a document cannot be read, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct XmlError {
    /// The kind of error.
    pub kind: XmlErrorKind,
    /// Byte offset in the input.
    pub offset: usize,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// What is wrong, without the position.
    pub message: String,
}

impl fmt::Display for XmlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for XmlError {}

/// An XML text that passed the checks that need no tree. Owns the text so that documents can borrow it.
#[derive(Debug, Clone)]
pub struct Text {
    text: String,
    limits: Limits,
}

/// Checks bytes and keeps them as a [`Text`]; call [`Text::document`] for the tree.
///
/// # Errors
/// [`XmlError`] when the bytes are not UTF-8, declare a DTD or another encoding, or exceed a limit.
pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Text, XmlError> {
    let text = decode(bytes, limits)?;
    Ok(Text {
        text: text.to_owned(),
        limits: limits.clone(),
    })
}

/// As [`parse`] and [`Text::document`] together, without a copy of the text.
///
/// # Errors
/// As [`parse`], and when the text is not well-formed.
pub fn parse_str<'t>(text: &'t str, limits: &Limits) -> Result<roxmltree::Document<'t>, XmlError> {
    scan(text, limits)?;
    tree(text, limits)
}

impl Text {
    /// The text as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Parses the text.
    ///
    /// # Errors
    /// [`XmlError`] when the text is not well-formed or has more nodes than its limits allow.
    pub fn document(&self) -> Result<roxmltree::Document<'_>, XmlError> {
        tree(&self.text, &self.limits)
    }
}

/// Checks that bytes are UTF-8 text within the limits and of a form this module reads.
///
/// # Errors
/// As [`parse`].
pub fn decode<'b>(bytes: &'b [u8], limits: &Limits) -> Result<&'b str, XmlError> {
    if bytes.len() > limits.bytes {
        let message = format!(
            "the document has {} bytes, more than the {} allowed",
            bytes.len(),
            limits.bytes
        );
        return Err(at_bytes(bytes, 0, XmlErrorKind::Limit, message));
    }
    if let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, b'<', ..] | [b'<', 0, ..] = bytes {
        let message = "the document is UTF-16 or UTF-32; only UTF-8 is read".to_owned();
        return Err(at_bytes(bytes, 0, XmlErrorKind::Encoding, message));
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let offset = error.valid_up_to();
            let byte = bytes.get(offset).copied().unwrap_or_default();
            let message = format!("byte 0x{byte:02x} at offset {offset} is not UTF-8");
            return Err(at_bytes(bytes, offset, XmlErrorKind::Encoding, message));
        }
    };
    scan(text, limits)?;
    Ok(text)
}

/// Parses a text that [`decode`] has checked.
///
/// # Errors
/// [`XmlError`] when the text is not well-formed, has more nodes than allowed or is nested too deep.
pub fn tree<'t>(text: &'t str, limits: &Limits) -> Result<roxmltree::Document<'t>, XmlError> {
    let options = roxmltree::ParsingOptions {
        allow_dtd: false,
        nodes_limit: limits.nodes,
        ..Default::default()
    };
    let document = roxmltree::Document::parse_with_options(text, options)
        .map_err(|error| translate(text, &error))?;
    match too_deep(&document, limits.depth) {
        None => Ok(document),
        Some(offset) => {
            let message = format!("elements are nested deeper than {} levels", limits.depth);
            Err(at_text(text, offset, XmlErrorKind::Limit, message))
        }
    }
}

/// Where the first element below the allowed depth starts. The parser does not recurse, so this may come after it;
/// whoever walks the tree recursively is safe from here on.
fn too_deep(document: &roxmltree::Document<'_>, most: usize) -> Option<usize> {
    let mut node = document.root_element();
    let mut depth = 1;
    loop {
        if depth > most {
            return Some(node.range().start);
        }
        if let Some(child) = node.first_element_child() {
            node = child;
            depth += 1;
            continue;
        }
        loop {
            if let Some(sibling) = node.next_sibling_element() {
                node = sibling;
                break;
            }
            node = node.parent_element()?;
            depth -= 1;
        }
    }
}

fn translate(text: &str, error: &roxmltree::Error) -> XmlError {
    use roxmltree::Error;
    let (kind, offset) = match error {
        Error::NodesLimitReached
        | Error::AttributesLimitReached
        | Error::NamespacesLimitReached => (XmlErrorKind::Limit, 0),
        Error::DtdDetected => (XmlErrorKind::Dtd, 0),
        Error::NoRootNode | Error::UnclosedRootNode | Error::UnexpectedEndOfStream => {
            (XmlErrorKind::NotWellFormed, text.len())
        }
        other => {
            let pos = other.pos();
            let position = Position {
                line: pos.row,
                column: pos.col,
            };
            // roxmltree counts a byte order mark as a character of the first line.
            let offset = Lines::new(text).offset(position);
            (XmlErrorKind::NotWellFormed, offset)
        }
    };
    let mut message = error.to_string();
    let tail = format!(" at {}", error.pos());
    if let Some(head) = message.strip_suffix(&tail) {
        message.truncate(head.len());
    }
    at_text(text, offset, kind, message)
}

fn at_text(text: &str, offset: usize, kind: XmlErrorKind, message: String) -> XmlError {
    let Position { line, column } = Lines::new(text).position(offset);
    XmlError {
        kind,
        offset,
        line,
        column,
        message,
    }
}

fn at_bytes(bytes: &[u8], offset: usize, kind: XmlErrorKind, message: String) -> XmlError {
    let before = String::from_utf8_lossy(&bytes[..offset.min(bytes.len())]);
    XmlError {
        offset,
        ..at_text(&before, before.len(), kind, message)
    }
}

/// Checks of the raw text before any tree exists. Most documents show at a glance that they are harmless; the rest
/// are followed tag by tag.
fn scan(text: &str, limits: &Limits) -> Result<(), XmlError> {
    declared_encoding(text)?;
    if let Some(offset) = doctype(text) {
        let message = "document type declarations are not accepted".to_owned();
        return Err(at_text(text, offset, XmlErrorKind::Dtd, message));
    }
    if harmless(text, limits) {
        return Ok(());
    }
    follow(text, limits)
}

/// Where a document type declaration starts; it can only stand before the first element.
fn doctype(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(found) = memchr(b'<', &bytes[at..]) {
        let open = at + found;
        let rest = &bytes[open..];
        let step = match rest.get(1)? {
            b'!' if rest.starts_with(b"<!--") => skip(rest, 4, b"-->")?,
            b'!' if rest.starts_with(b"<!DOCTYPE") => return Some(open),
            b'?' => skip(rest, 2, b"?>")?,
            _ => return None,
        };
        at = open + step;
    }
    None
}

/// Whether no element can have too many attributes or declarations, judged by what is cheap to see: a tag contains
/// no `<`, so many attributes need a long way to the next one.
fn harmless(text: &str, limits: &Limits) -> bool {
    // The shortest attribute is ` a=""`.
    let longest = limits.attributes.saturating_mul(5);
    let bytes = text.as_bytes();
    let mut last = 0;
    for at in memchr_iter(b'<', bytes) {
        if at - last > longest {
            return false;
        }
        last = at;
    }
    if bytes.len() - last > longest {
        return false;
    }
    let mut declarations = 0_usize;
    for at in memmem::find_iter(bytes, b"xmlns") {
        declarations += 1;
        let rest = &bytes[at + 5..];
        let Some(quote) = memchr2(b'"', b'\'', rest) else {
            continue;
        };
        let empty = rest.get(quote + 1) == rest.get(quote);
        if empty && rest.first() == Some(&b':') {
            return false;
        }
    }
    declarations.saturating_mul(declarations) <= limits.namespace_entries
}

/// Follows every tag. It does not check well-formedness: at the first thing it cannot follow it stops and leaves
/// the verdict to the parser.
fn follow(text: &str, limits: &Limits) -> Result<(), XmlError> {
    let bytes = text.as_bytes();
    let fail = |offset, kind, message| Err(at_text(text, offset, kind, message));
    let mut scopes: Vec<usize> = Vec::new();
    let mut in_scope = 1_usize;
    let mut entries = 0_usize;
    let mut at = 0;
    while let Some(found) = memchr(b'<', &bytes[at..]) {
        let open = at + found;
        let rest = &bytes[open..];
        let step = match rest.get(1) {
            Some(b'!') if rest.starts_with(b"<!--") => skip(rest, 4, b"-->"),
            Some(b'!') if rest.starts_with(b"<![CDATA[") => skip(rest, 9, b"]]>"),
            Some(b'?') => skip(rest, 2, b"?>"),
            Some(b'/') => {
                in_scope -= scopes.pop().unwrap_or_default().min(in_scope);
                skip(rest, 2, b">")
            }
            Some(_) => {
                let Some(tag) = start_tag(rest) else { break };
                if tag.attributes > limits.attributes {
                    let message = format!(
                        "an element has more than the {} attributes allowed",
                        limits.attributes
                    );
                    return fail(open, XmlErrorKind::Limit, message);
                }
                if let Some(offset) = tag.empty_prefix {
                    let message = "a prefix cannot be bound to the empty namespace name".to_owned();
                    return fail(open + offset, XmlErrorKind::NotWellFormed, message);
                }
                if tag.declarations > 0 {
                    entries += in_scope + tag.declarations;
                    if entries > limits.namespace_entries {
                        let message = "too many namespace declarations".to_owned();
                        return fail(open, XmlErrorKind::Limit, message);
                    }
                }
                if !tag.empty {
                    scopes.push(tag.declarations);
                    in_scope += tag.declarations;
                }
                Some(tag.length)
            }
            None => None,
        };
        let Some(step) = step else { break };
        at = open + step;
    }
    Ok(())
}

fn skip(rest: &[u8], from: usize, end: &[u8]) -> Option<usize> {
    let found = memmem::find(rest.get(from..)?, end)?;
    Some(from + found + end.len())
}

struct StartTag {
    length: usize,
    empty: bool,
    attributes: usize,
    declarations: usize,
    empty_prefix: Option<usize>,
}

/// Follows one start tag from its `<` past its `>`, quotes respected.
fn start_tag(rest: &[u8]) -> Option<StartTag> {
    let mut tag = StartTag {
        length: 0,
        empty: false,
        attributes: 0,
        declarations: 0,
        empty_prefix: None,
    };
    let mut at = 1;
    loop {
        let stop = at + memchr3(b'"', b'\'', b'>', rest.get(at..)?)?;
        if rest[stop] == b'>' {
            tag.length = stop + 1;
            tag.empty = rest[stop - 1] == b'/';
            return Some(tag);
        }
        let close = stop + 1 + memchr(rest[stop], &rest[stop + 1..])?;
        tag.attributes += 1;
        let name = attribute_name(&rest[at..stop]);
        if name.starts_with(b"xmlns") {
            tag.declarations += 1;
            if close == stop + 1 && name.starts_with(b"xmlns:") {
                tag.empty_prefix.get_or_insert(stop);
            }
        }
        at = close + 1;
    }
}

/// The name before `=`, in the text between the previous value (or the tag's `<`) and the opening quote.
fn attribute_name(before: &[u8]) -> &[u8] {
    let trimmed = before.trim_ascii_end();
    let trimmed = trimmed
        .strip_suffix(b"=")
        .unwrap_or(trimmed)
        .trim_ascii_end();
    let start = trimmed
        .iter()
        .rposition(u8::is_ascii_whitespace)
        .map_or(0, |at| at + 1);
    &trimmed[start..]
}

/// Refuses an XML declaration that names an encoding other than UTF-8 or US-ASCII.
fn declared_encoding(text: &str) -> Result<(), XmlError> {
    let start = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Some(declaration) = start
        .strip_prefix("<?xml")
        .filter(|rest| rest.starts_with([' ', '\t', '\r', '\n']))
        .and_then(|rest| rest.split_once("?>"))
        .map(|(inside, _)| inside)
    else {
        return Ok(());
    };
    let Some((_, after)) = declaration.split_once("encoding") else {
        return Ok(());
    };
    let value = after.trim_start().trim_start_matches('=').trim_start();
    let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        return Ok(());
    };
    let name = value[1..].split(quote).next().unwrap_or_default();
    let known = ["utf-8", "utf8", "us-ascii", "ascii"];
    if known.iter().any(|known| name.eq_ignore_ascii_case(known)) {
        return Ok(());
    }
    let offset = value.as_ptr() as usize - text.as_ptr() as usize + 1;
    let message = format!("the document declares the encoding \"{name}\"; only UTF-8 is read");
    Err(at_text(text, offset, XmlErrorKind::Encoding, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(xml: &[u8]) -> XmlError {
        match parse(xml, &Limits::default()).and_then(|text| text.document().map(|_| ())) {
            Ok(()) => panic!("accepted {} bytes", xml.len()),
            Err(error) => error,
        }
    }

    #[test]
    fn reads_what_is_fine() {
        for xml in [
            "<a/>",
            "\u{feff}<?xml version='1.0' encoding='utf-8'?><a b='>'>x<!-- <a> --><![CDATA[<<a>]]></a>",
            "<?xml version=\"1.0\"?><a xmlns='' xmlns:p='u'/>",
        ] {
            let text = parse(xml.as_bytes(), &Limits::default()).unwrap();
            text.document().unwrap();
        }
    }

    #[test]
    fn says_where_the_bytes_stop_being_utf8() {
        let error = refused(b"<a>\n\xc3\xa4\xff</a>");
        assert_eq!(error.kind, XmlErrorKind::Encoding);
        assert_eq!((error.offset, error.line, error.column), (6, 2, 2));
        assert!(error.message.contains("0xff"));
    }

    #[test]
    fn refuses_other_encodings_and_document_types() {
        assert_eq!(refused(b"\xff\xfe<\0a\0").kind, XmlErrorKind::Encoding);
        let latin = refused(b"<?xml version='1.0' encoding='ISO-8859-1'?><a/>");
        assert_eq!((latin.kind, latin.offset), (XmlErrorKind::Encoding, 30));
        let dtd = refused(b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>");
        assert_eq!((dtd.kind, dtd.offset), (XmlErrorKind::Dtd, 0));
    }

    #[test]
    fn refuses_what_costs_too_much() {
        let deep = "<a>".repeat(100_000) + &"</a>".repeat(100_000);
        assert_eq!(refused(deep.as_bytes()).kind, XmlErrorKind::Limit);
        let attributes: String = (0..100_000).map(|n| format!(" a{n}=''")).collect();
        let wide = format!("<a{attributes}/>");
        assert_eq!(refused(wide.as_bytes()).kind, XmlErrorKind::Limit);
        let declarations: String = (0..1000).map(|n| format!(" xmlns:p{n}='u{n}'")).collect();
        let scopes = format!("<a{declarations}>{}</a>", "<b xmlns:q='v'/>".repeat(2000));
        assert_eq!(refused(scopes.as_bytes()).kind, XmlErrorKind::Limit);
        let limits = Limits {
            bytes: 3,
            ..Limits::default()
        };
        assert_eq!(
            parse(b"<a/>", &limits).unwrap_err().kind,
            XmlErrorKind::Limit
        );
    }

    #[test]
    fn refuses_what_the_parser_lets_through() {
        let error = refused(b"<a xmlns:p=''/>");
        assert_eq!(
            (error.kind, error.offset),
            (XmlErrorKind::NotWellFormed, 11)
        );
    }

    #[test]
    fn parser_errors_keep_their_place() {
        let error = refused("\u{feff}<a>\n <ä></b></a>".as_bytes());
        assert_eq!(error.kind, XmlErrorKind::NotWellFormed);
        assert_eq!((error.line, error.column), (2, 5));
        assert!(!error.message.contains(" at "), "{}", error.message);
    }
}

/*! A SIP message that keeps every byte it came with.

Takes the bytes of one whole message; gives its parts as views into those
bytes, in order, duplicates kept, with the place of each. It never rewrites
anything: what you get from [`Message::bytes`] is what crossed the wire.
*/

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use crate::name;
use crate::note::{Note, NoteKind};
use crate::parse::{self, Field, Head, Length, ParseError, Start};
use crate::view::{self, ViewError};

/// One SIP request or response with its exact bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    bytes: Vec<u8>,
    start: Start,
    fields: Vec<Field>,
    body: usize,
    notes: Vec<Note>,
    length: Length,
}

impl Message {
    /// Parses one message: the head, and everything after it as the body.
    ///
    /// Tolerates what [`NoteKind`] lists. Errors, with their place, when there
    /// is no SIP start line or the head has no end.
    pub fn parse(bytes: impl Into<Vec<u8>>) -> Result<Message, ParseError> {
        let bytes = bytes.into();
        let head = parse::head(&bytes, usize::MAX)?;
        Ok(Message::assemble(head, bytes))
    }

    /// Joins a parsed head and the bytes it was parsed from, with the body behind it.
    pub(crate) fn assemble(head: Head, bytes: Vec<u8>) -> Message {
        let mut notes = head.notes;
        let rest = (bytes.len() - head.end) as u64;
        match head.length {
            Length::Bytes(n) if n != rest => notes.push(Note {
                kind: NoteKind::BodyLengthDiffers,
                offset: head.end,
            }),
            _ => {}
        }
        Message {
            bytes,
            start: head.start,
            fields: head.fields,
            body: head.end,
            notes,
            length: head.length,
        }
    }

    /// The exact bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The exact bytes, given away.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Start line and headers with the empty line that ends them.
    pub fn head(&self) -> &[u8] {
        &self.bytes[..self.body]
    }

    /// What follows the head.
    pub fn body(&self) -> &[u8] {
        &self.bytes[self.body..]
    }

    /// Offset of the body in [`Message::bytes`], to turn a place in the body into a place in the message.
    pub fn body_offset(&self) -> usize {
        self.body
    }

    /// The body when it is UTF-8; else the offset (in the message) of the first byte that is not.
    pub fn body_text(&self) -> Result<&str, usize> {
        std::str::from_utf8(self.body()).map_err(|e| self.body + e.valid_up_to())
    }

    /// Whether this is a request.
    pub fn is_request(&self) -> bool {
        matches!(self.start, Start::Request { .. })
    }

    /// The method of a request, exactly as written (methods are case-sensitive); none for a response.
    pub fn method(&self) -> Option<&str> {
        match &self.start {
            Start::Request { method, .. } => Some(self.ascii(method)),
            Start::Response { .. } => None,
        }
    }

    /// The Request-URI as written; none for a response.
    pub fn request_uri(&self) -> Option<Cow<'_, str>> {
        match &self.start {
            Start::Request { uri, .. } => Some(String::from_utf8_lossy(&self.bytes[uri.clone()])),
            Start::Response { .. } => None,
        }
    }

    /// Where the Request-URI stands; none for a response.
    pub fn request_uri_span(&self) -> Option<Range<usize>> {
        match &self.start {
            Start::Request { uri, .. } => Some(uri.clone()),
            Start::Response { .. } => None,
        }
    }

    /// The status code of a response; none for a request.
    pub fn status(&self) -> Option<u16> {
        match &self.start {
            Start::Request { .. } => None,
            Start::Response { code, .. } => Some(*code),
        }
    }

    /// The reason phrase of a response as received; none for a request.
    pub fn reason(&self) -> Option<&[u8]> {
        match &self.start {
            Start::Request { .. } => None,
            Start::Response { reason, .. } => Some(&self.bytes[reason.clone()]),
        }
    }

    /// The version as written, normally `SIP/2.0`.
    pub fn version(&self) -> &str {
        match &self.start {
            Start::Request { version, .. } | Start::Response { version, .. } => self.ascii(version),
        }
    }

    /// The start line without its line end, for people: `INFO sip:x@y SIP/2.0`, `SIP/2.0 200 OK`.
    pub fn start_line(&self) -> Cow<'_, str> {
        let (from, to) = match &self.start {
            Start::Request {
                method, version, ..
            } => (method.start, version.end),
            Start::Response {
                version, reason, ..
            } => (version.start, reason.end),
        };
        String::from_utf8_lossy(&self.bytes[from..to])
    }

    /// All headers in the order they came.
    pub fn headers(&self) -> impl Iterator<Item = Header<'_>> + Clone {
        self.fields.iter().map(|field| Header {
            message: self,
            field,
        })
    }

    /// The headers with this name; letter case and compact forms do not matter.
    pub fn headers_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Header<'a>> + 'a {
        self.headers()
            .filter(move |h| name::same(h.name_bytes(), name.as_bytes()))
    }

    /// The first header with this name.
    pub fn header<'a>(&'a self, name: &'a str) -> Option<Header<'a>> {
        self.headers_named(name).next()
    }

    /// The unfolded value of the first header with this name.
    pub fn value<'a>(&'a self, name: &'a str) -> Option<Cow<'a, str>> {
        self.header(name).map(|h| h.value())
    }

    /// The elements of a comma list, over all headers of this name, in order.
    ///
    /// Commas inside quotes or angle brackets separate nothing. Empty elements are left out.
    pub fn list<'a>(&'a self, name: &'a str) -> Vec<Item> {
        self.headers_named(name).flat_map(|h| h.items()).collect()
    }

    /// Whether a comma list of tokens (`Supported`, `Allow`) names `token`, in any letter case.
    pub fn lists(&self, name: &str, token: &str) -> bool {
        self.list(name)
            .iter()
            .any(|item| item.text.eq_ignore_ascii_case(token))
    }

    /// What the parser tolerated, in order of place.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// What Content-Length says; none when it is missing, no number, or contradicts itself.
    pub fn content_length(&self) -> Option<u64> {
        match self.length {
            Length::Bytes(n) => Some(n),
            _ => None,
        }
    }

    /// Line and column (both from 1; the column counts characters) of a byte offset.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        view::line_column(&self.bytes, offset)
    }

    fn ascii(&self, range: &Range<usize>) -> &str {
        // The parser let only token bytes and version characters through here.
        std::str::from_utf8(&self.bytes[range.clone()]).unwrap_or("?")
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("text", &String::from_utf8_lossy(&self.bytes))
            .field("notes", &self.notes)
            .finish()
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.bytes))
    }
}

/// One header field of a message.
#[derive(Clone, Copy)]
pub struct Header<'a> {
    message: &'a Message,
    field: &'a Field,
}

impl<'a> Header<'a> {
    /// The name as written; empty for a line without colon.
    pub fn name(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.name_bytes())
    }

    /// The name's bytes as written.
    pub fn name_bytes(&self) -> &'a [u8] {
        &self.message.bytes[self.field.name.clone()]
    }

    /// Whether this header has the given name, in any letter case or compact form.
    pub fn is(&self, name: &str) -> bool {
        name::same(self.name_bytes(), name.as_bytes())
    }

    /// The value's bytes as written, without white space around it, folds included.
    pub fn raw(&self) -> &'a [u8] {
        &self.message.bytes[self.field.value.clone()]
    }

    /// The value with every fold read as one space (RFC 3261 7.3.1); bytes that are no UTF-8 become U+FFFD.
    pub fn value(&self) -> Cow<'a, str> {
        if !self.field.folded {
            return String::from_utf8_lossy(self.raw());
        }
        let mut out = Vec::with_capacity(self.raw().len());
        for line in self.raw().split(|b| *b == b'\n') {
            let line = line.trim_ascii();
            if !out.is_empty() && !line.is_empty() {
                out.push(b' ');
            }
            out.extend_from_slice(line);
        }
        Cow::Owned(String::from_utf8_lossy(&out).into_owned())
    }

    /// Where the value stands in the message.
    pub fn span(&self) -> Range<usize> {
        self.field.value.clone()
    }

    /// Where the name stands in the message.
    pub fn name_span(&self) -> Range<usize> {
        self.field.name.clone()
    }

    /// The value with line ends of folds blanked by spaces, so that offsets still fit.
    pub(crate) fn flat(&self) -> Cow<'a, [u8]> {
        if !self.field.folded {
            return Cow::Borrowed(self.raw());
        }
        Cow::Owned(
            self.raw()
                .iter()
                .map(|b| if matches!(b, b'\r' | b'\n') { b' ' } else { *b })
                .collect(),
        )
    }

    /// The elements of the value as a comma list.
    pub fn items(&self) -> Vec<Item> {
        let flat = self.flat();
        view::split(&flat, b',')
            .into_iter()
            .map(|r| parse::trim(&flat, r))
            .filter(|r| !r.is_empty())
            .map(|r| Item {
                text: String::from_utf8_lossy(&flat[r.clone()]).into_owned(),
                span: self.field.value.start + r.start..self.field.value.start + r.end,
            })
            .collect()
    }

    /// Reads the value with a typed view; errors point into the message and name the header.
    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&[u8]) -> Result<T, ViewError>,
    ) -> Result<T, ViewError> {
        read(&self.flat()).map_err(|e| e.inside(&self.name(), self.field.value.start))
    }
}

impl fmt::Debug for Header<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name(), self.value())
    }
}

/// One element of a comma list and where it stands in the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The element, trimmed.
    pub text: String,
    /// Where it stands in the message.
    pub span: Range<usize>,
}

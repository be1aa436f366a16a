/*! Typed views of header values.

Each view takes the text of one value and gives its parts, or an error with the
place where the text leaves the grammar. Views own their strings; nothing is
normalised that a peer could have meant (case, escapes and order stay).
*/

mod address;
mod fields;
mod uri;

use std::fmt;
use std::ops::Range;

pub use address::{Contact, NameAddr};
pub use fields::{CSeq, EventType, MediaType, Refresher, SessionExpires, Via};
pub use uri::{Scheme, Uri};

use crate::message::Message;
use crate::parse::excerpt;

/// A text that is not what its header should hold, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewError {
    /// The header it was found in; empty when a bare text was read.
    pub header: String,
    /// Where: in the message when read from one, else in the text.
    pub span: Range<usize>,
    /// What is wrong, as a phrase.
    pub what: String,
}

impl ViewError {
    pub(crate) fn new(span: Range<usize>, what: impl Into<String>) -> ViewError {
        ViewError {
            header: String::new(),
            span,
            what: what.into(),
        }
    }

    fn missing(header: &str) -> ViewError {
        ViewError {
            header: header.to_owned(),
            span: 0..0,
            what: "the header is missing".to_owned(),
        }
    }

    pub(crate) fn inside(mut self, header: &str, offset: usize) -> ViewError {
        if self.header.is_empty() {
            self.header = header.to_owned();
        }
        self.span = self.span.start + offset..self.span.end + offset;
        self
    }
}

impl fmt::Display for ViewError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.header.is_empty() {
            write!(f, "byte {}: {}", self.span.start, self.what)
        } else {
            write!(f, "{}: {}", self.header, self.what)
        }
    }
}

impl std::error::Error for ViewError {}

/// One parameter: `name`, `name=value` or `name="value"`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Param {
    /// The name as written.
    pub name: String,
    /// The value, without quotes and their escapes; none when there is no `=`.
    pub value: Option<String>,
    /// Whether the value was, or is to be, quoted.
    pub quoted: bool,
}

impl Param {
    /// A parameter with a plain value.
    pub fn new(name: &str, value: impl Into<String>) -> Param {
        Param {
            name: name.to_owned(),
            value: Some(value.into()),
            quoted: false,
        }
    }

    /// A parameter without value.
    pub fn flag(name: &str) -> Param {
        Param {
            name: name.to_owned(),
            value: None,
            quoted: false,
        }
    }
}

impl fmt::Display for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            None => f.write_str(&self.name),
            Some(value) if self.quoted => write!(f, "{}={}", self.name, quote(value)),
            Some(value) => write!(f, "{}={value}", self.name),
        }
    }
}

/// The first parameter of this name, in any letter case: its value, empty when it has none.
pub fn param<'a>(params: &'a [Param], name: &str) -> Option<&'a str> {
    params
        .iter()
        .find(|p| p.name.eq_ignore_ascii_case(name))
        .map(|p| p.value.as_deref().unwrap_or(""))
}

/// `text` as a quoted string.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

/// Line and column of an offset in `bytes`, both from 1; the column counts characters.
pub fn line_column(bytes: &[u8], offset: usize) -> (usize, usize) {
    let before = &bytes[..offset.min(bytes.len())];
    let line = before.iter().filter(|b| **b == b'\n').count() + 1;
    let start = before
        .iter()
        .rposition(|b| *b == b'\n')
        .map_or(0, |i| i + 1);
    let column = before[start..]
        .iter()
        .filter(|b| **b & 0xC0 != 0x80)
        .count()
        + 1;
    (line, column)
}

/// Splits at `separator`, but never inside quotes or angle brackets.
pub(crate) fn split(text: &[u8], separator: u8) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let (mut from, mut at) = (0, 0);
    let (mut quoted, mut angle) = (false, false);
    while let Some(&b) = text.get(at) {
        match b {
            b'\\' if quoted => at += 1,
            // Between angle brackets stands a URI, where a quote is no delimiter.
            b'"' if !angle => quoted = !quoted,
            b'<' if !quoted => angle = true,
            b'>' if !quoted => angle = false,
            _ if b == separator && !quoted && !angle => {
                parts.push(from..at);
                from = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    parts.push(from..text.len());
    parts
}

/// Walks a text from left to right.
pub(crate) struct Cursor<'a> {
    pub text: &'a [u8],
    pub pos: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(text: &'a [u8]) -> Cursor<'a> {
        Cursor { text, pos: 0 }
    }

    pub fn peek(&self) -> Option<u8> {
        self.text.get(self.pos).copied()
    }

    pub fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.pos += 1;
        }
    }

    pub fn eat(&mut self, b: u8) -> bool {
        let hit = self.peek() == Some(b);
        self.pos += usize::from(hit);
        hit
    }

    pub fn take(&mut self, fits: impl Fn(u8) -> bool) -> Range<usize> {
        let from = self.pos;
        while self.peek().is_some_and(&fits) {
            self.pos += 1;
        }
        from..self.pos
    }

    pub fn str(&self, range: Range<usize>) -> String {
        String::from_utf8_lossy(&self.text[range]).into_owned()
    }

    pub fn rest(&self) -> &'a [u8] {
        &self.text[self.pos..]
    }

    pub fn token(&mut self, what: &str) -> Result<String, ViewError> {
        let range = self.take(crate::name::is_token_byte);
        if range.is_empty() {
            return Err(self.unexpected(what));
        }
        Ok(self.str(range))
    }

    /// A quoted string at the cursor, without its quotes and escapes.
    pub fn quoted(&mut self) -> Result<String, ViewError> {
        let from = self.pos;
        self.pos += 1;
        let mut out = Vec::new();
        loop {
            match self.peek() {
                None => {
                    return Err(ViewError::new(
                        from..self.pos,
                        "a quoted string does not end",
                    ));
                }
                Some(b'"') => {
                    self.pos += 1;
                    return Ok(String::from_utf8_lossy(&out).into_owned());
                }
                Some(b'\\') => {
                    self.pos += 1;
                    out.extend(self.peek());
                    self.pos += 1;
                }
                Some(b) => {
                    out.push(b);
                    self.pos += 1;
                }
            }
            self.pos = self.pos.min(self.text.len());
        }
    }

    /// Parameters `;name=value` up to the end; white space around the marks is allowed.
    pub fn params(&mut self) -> Result<Vec<Param>, ViewError> {
        let mut params = Vec::new();
        loop {
            self.space();
            if self.peek().is_none() {
                return Ok(params);
            }
            if !self.eat(b';') {
                return Err(self.unexpected("\";\" or the end"));
            }
            self.space();
            if matches!(self.peek(), None | Some(b';')) {
                return Err(self.unexpected("a parameter name"));
            }
            let name = self.token("a parameter name")?;
            self.space();
            let mut param = Param::flag(&name);
            if self.eat(b'=') {
                self.space();
                if self.peek() == Some(b'"') {
                    param.value = Some(self.quoted()?);
                    param.quoted = true;
                } else {
                    let range = self
                        .take(|b| !matches!(b, b';' | b',' | b' ' | b'\t' | b'"' | b'<' | b'>'));
                    if range.is_empty() {
                        return Err(self.unexpected("a parameter value"));
                    }
                    param.value = Some(self.str(range));
                }
            }
            params.push(param);
        }
    }

    pub fn unexpected(&self, wanted: &str) -> ViewError {
        let end = (self.pos + 1).min(self.text.len());
        let found = match self.rest() {
            [] => "the end".to_owned(),
            rest => excerpt(&rest[..rest.len().min(16)]),
        };
        ViewError::new(self.pos..end, format!("expected {wanted}, found {found}"))
    }

    pub fn end(&mut self) -> Result<(), ViewError> {
        self.space();
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.unexpected("the end")),
        }
    }
}

/// Typed access. Each gives an error that names the header when it is missing or wrong.
impl Message {
    fn one<T>(
        &self,
        name: &str,
        read: impl FnOnce(&[u8]) -> Result<T, ViewError>,
    ) -> Result<T, ViewError> {
        match self.header(name) {
            Some(header) => header.read(read),
            None => Err(ViewError::missing(name)),
        }
    }

    fn optional<T>(
        &self,
        name: &str,
        read: impl FnOnce(&[u8]) -> Result<T, ViewError>,
    ) -> Result<Option<T>, ViewError> {
        self.header(name).map(|h| h.read(read)).transpose()
    }

    fn all<T>(
        &self,
        name: &str,
        read: impl Fn(&[u8]) -> Result<T, ViewError>,
    ) -> Result<Vec<T>, ViewError> {
        let mut out = Vec::new();
        for item in self.list(name) {
            let value = read(item.text.as_bytes()).map_err(|e| e.inside(name, item.span.start))?;
            out.push(value);
        }
        Ok(out)
    }

    /// The Request-URI as a URI. Errors for a response.
    pub fn uri(&self) -> Result<Uri, ViewError> {
        let (Some(text), Some(span)) = (self.request_uri(), self.request_uri_span()) else {
            return Err(ViewError::missing("Request-URI"));
        };
        Uri::parse(&text).map_err(|e| e.inside("Request-URI", span.start))
    }

    /// `From` (RFC 3261 20.20).
    pub fn from(&self) -> Result<NameAddr, ViewError> {
        self.one("From", NameAddr::parse_bytes)
    }

    /// `To` (RFC 3261 20.39).
    pub fn to(&self) -> Result<NameAddr, ViewError> {
        self.one("To", NameAddr::parse_bytes)
    }

    /// Every `Contact`, in order (RFC 3261 20.10); empty when there is none.
    pub fn contacts(&self) -> Result<Vec<Contact>, ViewError> {
        self.all("Contact", Contact::parse_bytes)
    }

    /// The address of the first `Contact`, when there is one that is not `*`.
    pub fn contact(&self) -> Result<Option<NameAddr>, ViewError> {
        Ok(self.contacts()?.into_iter().find_map(|c| match c {
            Contact::Address(a) => Some(a),
            Contact::Any => None,
        }))
    }

    /// The addresses of `Route`, top first (RFC 3261 20.34).
    pub fn routes(&self) -> Result<Vec<NameAddr>, ViewError> {
        self.all("Route", NameAddr::parse_bytes)
    }

    /// The addresses of `Record-Route`, top first (RFC 3261 20.30).
    pub fn record_routes(&self) -> Result<Vec<NameAddr>, ViewError> {
        self.all("Record-Route", NameAddr::parse_bytes)
    }

    /// Every `Via`, top first (RFC 3261 20.42).
    pub fn vias(&self) -> Result<Vec<Via>, ViewError> {
        self.all("Via", Via::parse_bytes)
    }

    /// `Call-ID` as written (RFC 3261 20.8).
    pub fn call_id(&self) -> Result<String, ViewError> {
        self.one("Call-ID", |text| {
            if text.is_empty() {
                return Err(ViewError::new(0..0, "the value is empty"));
            }
            Ok(String::from_utf8_lossy(text).into_owned())
        })
    }

    /// `CSeq` (RFC 3261 20.16).
    pub fn cseq(&self) -> Result<CSeq, ViewError> {
        self.one("CSeq", CSeq::parse_bytes)
    }

    /// `Content-Type`, when there is one (RFC 3261 20.15).
    pub fn media_type(&self) -> Result<Option<MediaType>, ViewError> {
        self.optional("Content-Type", MediaType::parse_bytes)
    }

    /// `Max-Forwards`, when there is one (RFC 3261 20.22).
    pub fn max_forwards(&self) -> Result<Option<u32>, ViewError> {
        let value = self.optional("Max-Forwards", fields::seconds)?;
        match value {
            Some(n) if n > 255 => Err(ViewError {
                header: "Max-Forwards".to_owned(),
                span: self.header("Max-Forwards").map_or(0..0, |h| h.span()),
                what: format!("{n} exceeds 255"),
            }),
            other => Ok(other),
        }
    }

    /// `Expires` in seconds, when there is one (RFC 3261 20.19).
    pub fn expires(&self) -> Result<Option<u32>, ViewError> {
        self.optional("Expires", fields::seconds)
    }

    /// `Session-Expires`, when there is one (RFC 4028 4).
    pub fn session_expires(&self) -> Result<Option<SessionExpires>, ViewError> {
        self.optional("Session-Expires", SessionExpires::parse_bytes)
    }

    /// `Event`, when there is one (RFC 6665 8.2.1).
    pub fn event(&self) -> Result<Option<EventType>, ViewError> {
        self.optional("Event", EventType::parse_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_spares_quotes_and_brackets() {
        let text = br#""a, \"b" <sip:x,y@z;p=",">, <sip:q>,"#;
        let parts: Vec<&[u8]> = split(text, b',').into_iter().map(|r| &text[r]).collect();
        assert_eq!(parts.len(), 3);
        assert_eq!(parts[1], b" <sip:q>");
        assert_eq!(parts[2], b"");
    }

    #[test]
    fn errors_point_into_the_message() {
        let m =
            Message::parse("INFO sip:a@b SIP/2.0\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b\r\n\r\n")
                .unwrap();
        let e = m.to().unwrap_err();
        assert_eq!(e.header, "To");
        assert_eq!(m.line_column(e.span.start).0, 3);
        assert_eq!(
            m.cseq().unwrap_err().to_string(),
            "CSeq: the header is missing"
        );
    }

    #[test]
    fn folded_values_keep_their_places() {
        let m = Message::parse("INFO sip:a@b SIP/2.0\r\nFrom: \"A\"\r\n  <sip:a@b>\r\n\t;tag=7\r\nCSeq: 1\r\n x INFO\r\n\r\n").unwrap();
        assert_eq!(m.value("from").unwrap(), "\"A\" <sip:a@b> ;tag=7");
        assert_eq!(m.from().unwrap().tag(), Some("7"));
        let e = m.cseq().unwrap_err();
        assert_eq!(m.line_column(e.span.start), (6, 4));
    }
}

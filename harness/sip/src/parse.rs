/*! The head of a message, as byte ranges.

Takes the bytes from the start line to the empty line; gives where everything
stands and the notes of what was tolerated. Refuses only what cannot be a SIP
head at all: a start line that is none, a head that does not end. It copies
nothing and judges nothing.
*/

use std::fmt;
use std::ops::Range;

use crate::name::{self, is_token_byte};
use crate::note::{Note, NoteKind};

/// Notes kept per message; a hostile head cannot make the list grow beyond it.
const MAX_NOTES: usize = 256;

/// Why bytes are no SIP message, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// Byte offset of the fault.
    pub offset: usize,
    /// Line of the fault, from 1.
    pub line: usize,
    /// What is wrong, as a phrase.
    pub what: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, byte {}: {}", self.line, self.offset, self.what)
    }
}

impl std::error::Error for ParseError {}

/// Where the parts of the start line stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Start {
    Request {
        method: Range<usize>,
        uri: Range<usize>,
        version: Range<usize>,
    },
    Response {
        version: Range<usize>,
        code: u16,
        reason: Range<usize>,
    },
}

/// Where one header field stands. The value is trimmed and spans its folds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub name: Range<usize>,
    pub value: Range<usize>,
    pub folded: bool,
}

/// What Content-Length says, over all its occurrences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    Missing,
    Bytes(u64),
    /// Not a number; the offset of the value.
    Bad(usize),
    /// Two numbers that differ; the offset of the second.
    Conflict(usize),
}

#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub start: Start,
    pub fields: Vec<Field>,
    pub notes: Vec<Note>,
    pub length: Length,
    /// Offset just after the empty line.
    pub end: usize,
}

/// Parses the head at the beginning of `bytes`, with at most `max_headers` header lines.
pub(crate) fn head(bytes: &[u8], max_headers: usize) -> Result<Head, ParseError> {
    let mut p = Parser {
        bytes,
        pos: 0,
        line: 1,
        notes: Vec::new(),
    };
    if blank_line(bytes, p.pos).is_some() {
        p.note(NoteKind::LeadingBlankLine, 0);
    }
    while let Some(next) = blank_line(bytes, p.pos) {
        p.pos = next;
        p.line += 1;
    }
    if p.pos >= bytes.len() {
        return Err(p.error(p.pos, "there is no start line"));
    }
    let first = p.line()?;
    let start = p.start(first)?;
    let mut fields: Vec<Field> = Vec::new();
    loop {
        if let Some(end) = blank_line(bytes, p.pos) {
            if bytes.get(p.pos) == Some(&b'\n') {
                p.note(NoteKind::BareLf, p.pos);
            }
            p.pos = end;
            break;
        }
        if p.pos >= bytes.len() {
            return Err(p.error(p.pos, "the head does not end with an empty line"));
        }
        if fields.len() >= max_headers {
            return Err(p.error(p.pos, &format!("more than {max_headers} header lines")));
        }
        let field = p.field()?;
        fields.push(field);
    }
    let end = p.pos;
    p.encoding(end);
    let length = p.length(&fields);
    let mut notes = p.notes;
    notes.sort_by_key(|n| n.offset);
    Ok(Head {
        start,
        fields,
        notes,
        length,
        end,
    })
}

/// Whether the line at the start of `line` (without its end) can begin a SIP message; else why not.
pub(crate) fn check_start_line(line: &[u8]) -> Result<(), String> {
    let mut p = Parser {
        bytes: line,
        pos: 0,
        line: 1,
        notes: Vec::new(),
    };
    p.start(0..line.len()).map(|_| ()).map_err(|e| e.what)
}

/// When an empty line stands at `pos`: the offset after it.
pub(crate) fn blank_line(bytes: &[u8], pos: usize) -> Option<usize> {
    match bytes.get(pos..)? {
        [b'\r', b'\n', ..] => Some(pos + 2),
        [b'\n', ..] => Some(pos + 1),
        _ => None,
    }
}

struct Parser<'a> {
    bytes: &'a [u8],
    pos: usize,
    line: usize,
    notes: Vec<Note>,
}

impl Parser<'_> {
    fn note(&mut self, kind: NoteKind, offset: usize) {
        if self.notes.len() < MAX_NOTES {
            self.notes.push(Note { kind, offset });
        }
    }

    fn error(&self, offset: usize, what: &str) -> ParseError {
        ParseError {
            offset,
            line: self.line,
            what: what.to_owned(),
        }
    }

    /// Takes one line; gives its content without the line end.
    fn line(&mut self) -> Result<Range<usize>, ParseError> {
        let from = self.pos;
        let rest = self.bytes.get(from..).unwrap_or_default();
        let Some(at) = rest.iter().position(|b| *b == b'\n') else {
            return Err(self.error(self.bytes.len(), "the head ends in the middle of a line"));
        };
        let lf = from + at;
        self.pos = lf + 1;
        self.line += 1;
        if at > 0 && rest[at - 1] == b'\r' {
            Ok(from..lf - 1)
        } else {
            self.note(NoteKind::BareLf, lf);
            Ok(from..lf)
        }
    }

    fn start(&mut self, line: Range<usize>) -> Result<Start, ParseError> {
        let text = &self.bytes[line.clone()];
        let line_no = self.line.saturating_sub(1).max(1);
        let fail = |offset: usize, what: String| ParseError {
            offset,
            line: line_no,
            what,
        };
        let space = |b: &u8| *b == b' ' || *b == b'\t';
        let Some(first) = text.iter().position(space) else {
            return Err(fail(
                line.start,
                format!("{} is no SIP start line", excerpt(text)),
            ));
        };
        if first == 0 {
            return Err(fail(
                line.start,
                "the start line begins with white space".to_owned(),
            ));
        }
        let head = &text[..first];
        if is_version(head) {
            return self.status_line(line, first).map_err(|(o, w)| fail(o, w));
        }
        if let Some(bad) = head.iter().position(|b| !is_token_byte(*b)) {
            return Err(fail(
                line.start + bad,
                format!("{} is no SIP start line", excerpt(text)),
            ));
        }
        let end = text.iter().rposition(|b| !space(b)).map_or(0, |i| i + 1);
        let last = text[..end].iter().rposition(space).unwrap_or(first);
        let (uri, version) = (trim(text, first..last), last + 1..end);
        if last <= first || uri.is_empty() {
            return Err(fail(
                line.start + first,
                format!(
                    "{} is no SIP start line: it needs method, URI and version",
                    excerpt(text)
                ),
            ));
        }
        if !is_version(&text[version.clone()]) {
            return Err(fail(
                line.start + version.start,
                format!("{} is no SIP version", excerpt(&text[version])),
            ));
        }
        let spaces = text.iter().filter(|b| space(b)).count();
        if spaces != 2 || text.contains(&b'\t') {
            self.note(NoteKind::StartLineSpace, line.start + first);
        }
        self.version(line.start + version.start, &text[version.clone()]);
        Ok(Start::Request {
            method: line.start..line.start + first,
            uri: line.start + uri.start..line.start + uri.end,
            version: line.start + version.start..line.start + version.end,
        })
    }

    fn status_line(&mut self, line: Range<usize>, sp: usize) -> Result<Start, (usize, String)> {
        let text = &self.bytes[line.clone()];
        let mut at = sp;
        while matches!(text.get(at), Some(b' ' | b'\t')) {
            at += 1;
        }
        if at != sp + 1 {
            self.note(NoteKind::StartLineSpace, line.start + sp);
        }
        let digits = text[at..].iter().take_while(|b| b.is_ascii_digit()).count();
        let after = at + digits;
        let code = std::str::from_utf8(&text[at..after])
            .ok()
            .and_then(|t| t.parse::<u16>().ok())
            .filter(|_| digits == 3)
            .filter(|_| matches!(text.get(after), None | Some(b' ' | b'\t')))
            .filter(|c| (100..700).contains(c));
        let Some(code) = code else {
            return Err((
                line.start + at,
                format!("{} is no status code from 100 to 699", excerpt(&text[at..])),
            ));
        };
        let reason = if after == text.len() {
            self.note(NoteKind::MissingReason, line.start + after);
            after..after
        } else {
            after + 1..text.len()
        };
        self.version(line.start, &text[..sp]);
        Ok(Start::Response {
            version: line.start..line.start + sp,
            code,
            reason: line.start + reason.start..line.start + reason.end,
        })
    }

    fn version(&mut self, offset: usize, text: &[u8]) {
        if !text.starts_with(b"SIP/") {
            self.note(NoteKind::LowerCaseVersion, offset);
        }
        if !text.ends_with(b"/2.0") {
            self.note(NoteKind::OtherVersion, offset);
        }
    }

    fn field(&mut self) -> Result<Field, ParseError> {
        let line = self.line()?;
        let mut end = line.end;
        let mut folded = false;
        while matches!(self.bytes.get(self.pos), Some(b' ' | b'\t')) {
            self.note(NoteKind::Folded, self.pos);
            folded = true;
            end = self.line()?.end;
        }
        let text = &self.bytes[line.clone()];
        let Some(colon) = text.iter().position(|b| *b == b':') else {
            self.note(NoteKind::NoColon, line.start);
            return Ok(Field {
                name: line.start..line.start,
                value: trim(self.bytes, line.start..end),
                folded,
            });
        };
        let written = &text[..colon];
        let kept = written
            .iter()
            .rposition(|b| *b != b' ' && *b != b'\t')
            .map_or(0, |i| i + 1);
        if kept != colon {
            self.note(NoteKind::WsBeforeColon, line.start + kept);
        }
        let name = line.start..line.start + kept;
        if kept == 0 || !written[..kept].iter().all(|b| is_token_byte(*b)) {
            self.note(NoteKind::BadName, line.start);
        } else if name::expand(&written[..kept]).is_some() {
            self.note(NoteKind::CompactName, line.start);
        }
        Ok(Field {
            name,
            value: trim(self.bytes, line.start + colon + 1..end),
            folded,
        })
    }

    /// Notes the first byte that is no UTF-8 and the first control character.
    fn encoding(&mut self, end: usize) {
        let head = &self.bytes[..end];
        if let Err(e) = std::str::from_utf8(head) {
            self.note(NoteKind::NonUtf8, e.valid_up_to());
        }
        let control = head.iter().enumerate().find(|(i, b)| match **b {
            b'\t' | b'\n' => false,
            b'\r' => head.get(i + 1) != Some(&b'\n'),
            b => b < 0x20 || b == 0x7f,
        });
        if let Some((at, _)) = control {
            self.note(NoteKind::ControlChar, at);
        }
    }

    fn length(&mut self, fields: &[Field]) -> Length {
        let mut seen = Length::Missing;
        for field in fields {
            if !name::same(&self.bytes[field.name.clone()], b"Content-Length") {
                continue;
            }
            let at = field.value.start;
            let value = &self.bytes[field.value.clone()];
            let number = Some(value)
                .filter(|v| !v.is_empty() && v.iter().all(u8::is_ascii_digit))
                .and_then(|v| std::str::from_utf8(v).ok())
                // A number beyond 64 bits is a number still: too large, not malformed.
                .map(|v| v.parse::<u64>().unwrap_or(u64::MAX));
            seen = match (seen, number) {
                (Length::Bad(_) | Length::Conflict(_), _) => break,
                (_, None) => {
                    self.note(NoteKind::BadContentLength, at);
                    Length::Bad(at)
                }
                (Length::Missing, Some(n)) => Length::Bytes(n),
                (Length::Bytes(before), Some(n)) if before == n => {
                    self.note(NoteKind::DupContentLength, at);
                    seen
                }
                (Length::Bytes(_), Some(_)) => {
                    self.note(NoteKind::ConflictingContentLength, at);
                    Length::Conflict(at)
                }
            };
        }
        if seen == Length::Missing {
            self.note(NoteKind::MissingContentLength, 0);
        }
        seen
    }
}

fn is_version(text: &[u8]) -> bool {
    let Some((name, number)) = text.split_at_checked(4) else {
        return false;
    };
    let digits = |t: &[u8]| !t.is_empty() && t.iter().all(u8::is_ascii_digit);
    name.eq_ignore_ascii_case(b"SIP/")
        && match number.iter().position(|b| *b == b'.') {
            Some(dot) => digits(&number[..dot]) && digits(&number[dot + 1..]),
            None => false,
        }
}

/// `range` of `bytes` without white space and line ends around it.
pub(crate) fn trim(bytes: &[u8], range: Range<usize>) -> Range<usize> {
    let space = |b: &u8| matches!(*b, b' ' | b'\t' | b'\r' | b'\n');
    let text = &bytes[range.clone()];
    let Some(first) = text.iter().position(|b| !space(b)) else {
        return range.start..range.start;
    };
    let last = text.iter().rposition(|b| !space(b)).unwrap_or(first);
    range.start + first..range.start + last + 1
}

/// A short, printable quotation of hostile bytes.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    const MOST: usize = 40;
    let cut = &bytes[..bytes.len().min(MOST)];
    let mut out = String::from("\"");
    for b in cut {
        out.extend(std::ascii::escape_default(*b).map(char::from));
    }
    out.push('"');
    if bytes.len() > MOST {
        out.push('…');
    }
    out
}

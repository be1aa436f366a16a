/*! From a finding to the place in the bytes it is about.

Takes a finding and the exchange it was concluded from; gives who sent the
message to whom, and the byte range, line and excerpt to put a caret under.
Bytes are hostile: nothing here trusts a span, a line or an encoding.
*/

use std::collections::HashMap;
use std::ops::Range;

use judge::{Finding, Place};
use trace::{Conn, Event, Kind, Seat};
use unicode_width::UnicodeWidthStr;

use crate::run::Attempt;
use crate::text;

/// Who is behind each connection of an exchange.
#[derive(Debug, Clone, Default)]
pub struct Parties {
    clients: HashMap<Conn, String>,
    order: Vec<String>,
}

impl Parties {
    /// Reads the names off the connections' opening events.
    pub fn of(events: &[Event]) -> Parties {
        let mut parties = Parties::default();
        for event in events {
            let name = match &event.kind {
                Kind::Opened {
                    endpoint, client, ..
                } => match endpoint {
                    Some(name) => text::visible(name).into_owned(),
                    None if client.is_empty() => format!("client {}", event.conn),
                    None => text::visible(client).into_owned(),
                },
                Kind::Message { .. } | Kind::Garbage { .. }
                    if !parties.clients.contains_key(&event.conn) =>
                {
                    format!("client {}", event.conn)
                }
                Kind::Upper { endpoint, .. } => {
                    parties.line_up(text::visible(endpoint).into_owned());
                    continue;
                }
                _ => continue,
            };
            parties.clients.insert(event.conn, name.clone());
            parties.line_up(name);
        }
        parties
    }

    fn line_up(&mut self, name: String) {
        if !self.order.contains(&name) {
            self.order.push(name);
        }
    }

    /// The client endpoints, in order of first appearance.
    pub fn clients(&self) -> &[String] {
        &self.order
    }

    /// The name of the client endpoint of a connection.
    pub fn client(&self, conn: Conn) -> &str {
        self.clients.get(&conn).map_or("client", String::as_str)
    }

    /// Sender and receiver of what `from` sent on `conn`.
    pub fn direction(&self, conn: Conn, from: Seat) -> (&str, &str) {
        match from {
            Seat::Client => (self.client(conn), "server"),
            Seat::Server => ("server", self.client(conn)),
        }
    }
}

/// A finding's place, resolved.
#[derive(Debug, Clone)]
pub struct Evidence<'a> {
    /// The deciding event.
    pub event: &'a Event,
    /// What it is about in the event's bytes, when it is about a part of them.
    pub range: Option<Range<usize>>,
    /// The line it stands on, ready to show.
    pub excerpt: Option<Excerpt>,
}

/// One line of a message with the part that matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// Whether line and column count within the payload; else within the whole message.
    pub in_payload: bool,
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
    /// The line before the part, made visible.
    pub before: String,
    /// The part itself; empty when it is a position between characters.
    pub part: String,
    /// The line after the part.
    pub after: String,
}

/// The bytes of an event that carries some.
pub fn bytes_of(event: &Event) -> Option<&[u8]> {
    match &event.kind {
        Kind::Message { bytes, .. } | Kind::Garbage { bytes, .. } => Some(bytes),
        _ => None,
    }
}

/// Offset of the payload in a message's bytes: behind the first empty line.
pub fn payload_offset(bytes: &[u8]) -> usize {
    sip::Message::parse(bytes).map_or(0, |m| m.body_offset())
}

/// What a finding points at, if it names an event of this attempt.
pub fn evidence<'a>(attempt: &'a Attempt, finding: &Finding) -> Option<Evidence<'a>> {
    let event = attempt.event(finding.event?)?;
    let range = bytes_of(event).and_then(|bytes| locate(bytes, &finding.place));
    let excerpt = match (&range, bytes_of(event)) {
        (Some(range), Some(bytes)) => Some(excerpt(bytes, range)),
        _ => None,
    };
    Some(Evidence {
        event,
        range,
        excerpt,
    })
}

/// The byte range a place means in these bytes, always within them.
pub fn locate(bytes: &[u8], place: &Place) -> Option<Range<usize>> {
    if let Some((start, end)) = place.span
        && start < bytes.len()
    {
        return Some(start..end.clamp(start, bytes.len()));
    }
    let in_payload = place.path.as_deref().is_none_or(|p| p.starts_with('/'));
    if let (Some(line), column) = (place.line, place.column.unwrap_or(1)) {
        let base = if in_payload { payload_offset(bytes) } else { 0 };
        let start = offset_of(&bytes[base..], line, column)? + base;
        return Some(start..start + token_length(&bytes[start..]));
    }
    let path = place.path.as_deref()?;
    if in_payload {
        let base = payload_offset(bytes);
        let body = std::str::from_utf8(&bytes[base..]).ok()?;
        let range = crate::xml::resolve(body, path)?;
        return Some(range.start + base..range.end + base);
    }
    let message = sip::Message::parse(bytes).ok()?;
    let header = message.header(path)?;
    Some(header.name_span().start..header.span().end)
}

/// Byte offset of a line and a column in characters, both from 1; the end of the line when the
/// column lies behind it.
fn offset_of(bytes: &[u8], line: u32, column: u32) -> Option<usize> {
    let mut start = 0;
    for _ in 1..line {
        start += bytes[start..].iter().position(|b| *b == b'\n')? + 1;
    }
    let rest = &bytes[start..];
    let rest = &rest[..rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len())];
    let chars = rest
        .iter()
        .enumerate()
        .filter(|(_, b)| (**b & 0xc0) != 0x80)
        .map(|(i, _)| i);
    let at = chars
        .skip(column.saturating_sub(1) as usize)
        .chain([rest.len()])
        .next()?;
    Some(start + at)
}

/// How many bytes from here look like one thing: a tag's beginning, an attribute, a word.
fn token_length(rest: &[u8]) -> usize {
    let stops = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'>' | b'/' | b'=' | b'<');
    let word = match rest.first() {
        None => return 0,
        Some(b'<') => 1 + rest[1..].iter().position(stops).unwrap_or(rest.len() - 1),
        Some(_) => rest.iter().position(stops).unwrap_or(rest.len()),
    };
    if let [b'=', quote @ (b'"' | b'\''), value @ ..] = &rest[word..]
        && let Some(end) = value.iter().take(200).position(|b| b == quote)
    {
        return word + end + 3;
    }
    word.clamp(1, 200)
}

/// Most bytes of a line before, in and after the part in question that an excerpt holds.
const WINDOW: usize = 2048;

/// The line around a range of bytes.
pub fn excerpt(bytes: &[u8], range: &Range<usize>) -> Excerpt {
    let payload = payload_offset(bytes);
    let in_payload = payload > 0 && range.start >= payload;
    let base = if in_payload { payload } else { 0 };
    let start = range.start.min(bytes.len());
    let line_start = bytes[base..start]
        .iter()
        .rposition(|b| *b == b'\n')
        .map_or(base, |i| base + i + 1);
    let line_end = bytes[start..]
        .iter()
        .position(|b| *b == b'\n')
        .map_or(bytes.len(), |i| start + i);
    let end = range.end.clamp(start, line_end);
    let trimmed = |b: &[u8]| -> String {
        let b = b.strip_suffix(b"\r").unwrap_or(b);
        text::visible(&text::lossless(b)).into_owned()
    };
    let before = &bytes[line_start..start];
    // A line may be megabytes long; nobody is shown more of it than this.
    let near = |b: &[u8]| -> String {
        let end = b.len().min(WINDOW);
        trimmed(&b[..end + continuation(&b[end..])])
    };
    let cut = before.len().saturating_sub(WINDOW);
    let cut = cut + continuation(&before[cut..]);
    Excerpt {
        in_payload,
        line: bytes[base..line_start]
            .iter()
            .filter(|b| **b == b'\n')
            .count() as u32
            + 1,
        column: before.iter().filter(|b| (**b & 0xc0) != 0x80).count() as u32 + 1,
        before: trimmed(&before[cut..]),
        part: near(&bytes[start..end]),
        after: near(&bytes[end..line_end]),
    }
}

/// How many bytes at the beginning belong to a character that began before.
fn continuation(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|b| (**b & 0xc0) == 0x80).count()
}

impl Excerpt {
    /// The line and the caret line below it, in at most `width` columns around the part.
    pub fn caret(&self, width: usize) -> (String, String) {
        let width = width.max(20);
        let part = fit(&self.part, width * 2 / 3, false);
        let part_width = part.width().max(1);
        let room = width.saturating_sub(part_width);
        let after_room = self.after.width().min(room / 2);
        let before = fit(&self.before, room - after_room, true);
        let after = fit(&self.after, room.saturating_sub(before.width()), false);
        let caret = format!("{}{}", " ".repeat(before.width()), "^".repeat(part_width));
        (format!("{before}{part}{after}"), caret)
    }
}

/// Cuts a text to a display width, at its beginning or its end.
fn fit(text: &str, room: usize, keep_end: bool) -> String {
    if text.width() <= room {
        return text.to_owned();
    }
    let room = room.saturating_sub(1);
    let mut taken = String::new();
    let mut width = 0;
    let mut take = |c: char| {
        width += unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
        (width <= room).then(|| taken.push(c)).is_some()
    };
    if keep_end {
        for c in text.chars().rev() {
            if !take(c) {
                break;
            }
        }
        return format!("…{}", taken.chars().rev().collect::<String>());
    }
    for c in text.chars() {
        if !take(c) {
            break;
        }
    }
    format!("{taken}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &[u8] = b"INFO sip:a@b SIP/2.0\r\nCSeq: 2 INFO\r\nContent-Length: 70\r\n\r\n<xccos>\n  <rpl id=\"rpl:join\"><resp code=\"200\">\xc3\xb6</resp></rpl></xccos>";

    fn place(path: Option<&str>, line: Option<u32>, column: Option<u32>) -> Place {
        Place {
            path: path.map(str::to_owned),
            line,
            column,
            span: None,
        }
    }

    fn at(place: &Place) -> &'static str {
        let range = locate(MESSAGE, place).expect("a range");
        std::str::from_utf8(&MESSAGE[range]).expect("text")
    }

    #[test]
    fn lines_columns_paths_and_headers_become_ranges() {
        assert_eq!(at(&place(Some("/xccos/rpl"), Some(2), Some(3))), "<rpl");
        assert_eq!(
            at(&place(Some("/xccos/rpl/@id"), Some(2), Some(8))),
            "id=\"rpl:join\""
        );
        assert_eq!(at(&place(Some("CSeq"), None, None)), "CSeq: 2 INFO");
        assert_eq!(
            at(&place(Some("/xccos/rpl[1]/resp/@code"), None, None)),
            "code=\"200\""
        );
        assert_eq!(at(&place(Some("To"), Some(1), Some(1))), "INFO");
        assert!(locate(MESSAGE, &place(Some("/xccos"), Some(99), Some(1))).is_none());
        assert!(locate(MESSAGE, &place(None, None, None)).is_none());
        let beyond = Place {
            span: Some((5, 99_999)),
            ..Place::default()
        };
        assert_eq!(locate(MESSAGE, &beyond), Some(5..MESSAGE.len()));
    }

    #[test]
    fn carets_stay_under_their_part() {
        let range = locate(MESSAGE, &place(Some("/xccos/rpl/resp/@code"), None, None)).unwrap();
        let excerpt = excerpt(MESSAGE, &range);
        assert_eq!((excerpt.line, excerpt.column), (2, 28));
        for width in [20, 40, 80] {
            let (line, caret) = excerpt.caret(width);
            let start = caret.find('^').unwrap();
            assert!(line.width() <= width, "{width}: {line}");
            let under: String = line.chars().skip(start).take(caret.len() - start).collect();
            assert_eq!(under, "code=\"200\"", "{line}");
        }
    }

    #[test]
    fn hostile_spans_do_not_break_an_excerpt() {
        let bytes = b"\xff\xfe\x00\n\xc3";
        for start in 0..6 {
            for end in 0..8 {
                let place = Place {
                    span: Some((start, end)),
                    ..Place::default()
                };
                if let Some(range) = locate(bytes, &place) {
                    let _ = excerpt(bytes, &range).caret(30);
                }
            }
        }
    }
}

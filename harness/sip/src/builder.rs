/*! Messages made to measure.

Takes a start line, headers in the order and spelling wanted, and a body; gives
the bytes. Computes Content-Length unless told otherwise. It does not check
that the message is right: whoever wants a wrong one can have it.
*/

use crate::message::Message;
use crate::name;
use crate::parse::ParseError;

/// A message in the making.
#[derive(Debug, Clone)]
pub struct Builder {
    start: Vec<u8>,
    lines: Vec<Line>,
    body: Vec<u8>,
    length: ContentLength,
    line_end: &'static [u8],
}

#[derive(Debug, Clone)]
enum Line {
    Header { name: String, value: Vec<u8> },
    Raw(Vec<u8>),
}

impl Line {
    fn is(&self, wanted: &str) -> bool {
        match self {
            Line::Header { name, .. } => name::same(name.as_bytes(), wanted.as_bytes()),
            Line::Raw(_) => false,
        }
    }
}

/// What a built message says about the length of its body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ContentLength {
    /// The true length, as the last header unless a `Content-Length` header was given.
    #[default]
    True,
    /// No header is added.
    None,
    /// This text, true or not.
    Text(String),
}

impl Builder {
    /// A request with this start line and nothing else.
    pub fn request(method: &str, uri: &str) -> Builder {
        Builder::start(format!("{method} {uri} SIP/2.0"))
    }

    /// A response with this start line and nothing else; the reason phrase is the usual one for the code.
    pub fn response(code: u16) -> Builder {
        Builder::response_with(code, reason(code))
    }

    /// A response with a reason phrase of one's own.
    pub fn response_with(code: u16, reason: &str) -> Builder {
        Builder::start(format!("SIP/2.0 {code} {reason}"))
    }

    /// A message with any first line, right or wrong.
    pub fn start(line: impl Into<Vec<u8>>) -> Builder {
        Builder {
            start: line.into(),
            lines: Vec::new(),
            body: Vec::new(),
            length: ContentLength::True,
            line_end: b"\r\n",
        }
    }

    /// The beginning of a message that exists: its start line, headers and body, ready to be changed.
    pub fn from_message(message: &Message) -> Builder {
        let mut builder = Builder::start(message.start_line().into_owned());
        for header in message.headers().filter(|h| !h.is("Content-Length")) {
            builder.lines.push(Line::Header {
                name: header.name().into_owned(),
                value: header.raw().to_vec(),
            });
        }
        builder.body = message.body().to_vec();
        builder
    }

    /// A response to `request` as RFC 3261 8.2.6.2 wants it: every Via, From, To,
    /// Call-ID and CSeq copied as received, Record-Route copied for 101 to 299 (12.1.1),
    /// and `tag` added to a To that has none (not for 100).
    pub fn reply(request: &Message, code: u16, tag: Option<&str>) -> Builder {
        let mut builder = Builder::response(code);
        let copied: &[&str] = if (101..300).contains(&code) {
            &["Via", "From", "To", "Call-ID", "CSeq", "Record-Route"]
        } else {
            &["Via", "From", "To", "Call-ID", "CSeq"]
        };
        for wanted in copied {
            for header in request.headers_named(wanted) {
                let mut value = header.raw().to_vec();
                if *wanted == "To"
                    && code != 100
                    && let Some(tag) = tag
                    && request.to().is_ok_and(|to| to.tag().is_none())
                {
                    value.extend_from_slice(b";tag=");
                    value.extend_from_slice(tag.as_bytes());
                }
                builder.lines.push(Line::Header {
                    name: (*wanted).to_owned(),
                    value,
                });
            }
        }
        builder
    }

    /// Replaces the start line.
    pub fn set_start(mut self, line: impl Into<Vec<u8>>) -> Builder {
        self.start = line.into();
        self
    }

    /// Adds a header at the end. Line breaks in the value become spaces, so that no value can smuggle in a header.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Builder {
        self.lines.push(Line::Header {
            name: name.to_owned(),
            value: one_line(value.as_ref()),
        });
        self
    }

    /// Adds a header when there is a value.
    pub fn header_opt(self, name: &str, value: Option<impl AsRef<[u8]>>) -> Builder {
        match value {
            Some(value) => self.header(name, value),
            None => self,
        }
    }

    /// Puts `value` in the place of the first header of this name (adds it when there is none) and drops its others.
    pub fn set(mut self, name: &str, value: impl AsRef<[u8]>) -> Builder {
        let line = Line::Header {
            name: name.to_owned(),
            value: one_line(value.as_ref()),
        };
        match self.lines.iter().position(|l| l.is(name)) {
            Some(at) => {
                self.lines[at] = line;
                let mut index = 0;
                self.lines.retain(|l| {
                    index += 1;
                    index <= at + 1 || !l.is(name)
                });
            }
            None => self.lines.push(line),
        }
        self
    }

    /// Changes the value of the first header of this name; its others stay.
    pub(crate) fn replace_first(mut self, wanted: &str, new: Vec<u8>) -> Builder {
        if let Some(Line::Header { value, .. }) = self.lines.iter_mut().find(|l| l.is(wanted)) {
            *value = new;
        }
        self
    }

    /// Drops every header of this name.
    pub fn remove(mut self, name: &str) -> Builder {
        self.lines.retain(|l| !l.is(name));
        self
    }

    /// The value of the first header of this name, as it stands now.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.lines.iter().find_map(|l| match l {
            Line::Header { value, .. } if l.is(name) => Some(value.as_slice()),
            _ => None,
        })
    }

    /// Adds a line exactly as given (a line end is added): a header in a spelling of one's own, or nonsense.
    pub fn raw(mut self, line: impl Into<Vec<u8>>) -> Builder {
        self.lines.push(Line::Raw(line.into()));
        self
    }

    /// Sets the body without touching Content-Type.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Builder {
        self.body = body.into();
        self
    }

    /// Sets Content-Type and the body.
    pub fn content(self, media_type: &str, body: impl Into<Vec<u8>>) -> Builder {
        self.set("Content-Type", media_type).body(body)
    }

    /// Decides what Content-Length says.
    pub fn content_length(mut self, length: ContentLength) -> Builder {
        self.length = length;
        self
    }

    /// Ends lines with LF alone, which is wrong.
    pub fn bare_lf(mut self) -> Builder {
        self.line_end = b"\n";
        self
    }

    /// The bytes.
    pub fn build(&self) -> Vec<u8> {
        let mut out =
            Vec::with_capacity(self.start.len() + self.body.len() + 64 * self.lines.len() + 32);
        out.extend_from_slice(&self.start);
        out.extend_from_slice(self.line_end);
        let mut length_stands = false;
        for line in &self.lines {
            match line {
                Line::Header { name, value } => {
                    length_stands |= line.is("Content-Length");
                    out.extend_from_slice(name.as_bytes());
                    out.extend_from_slice(b": ");
                    out.extend_from_slice(value);
                }
                Line::Raw(raw) => out.extend_from_slice(raw),
            }
            out.extend_from_slice(self.line_end);
        }
        let length = match &self.length {
            ContentLength::True if !length_stands => Some(self.body.len().to_string()),
            ContentLength::Text(text) => Some(text.clone()),
            ContentLength::True | ContentLength::None => None,
        };
        if let Some(length) = length {
            out.extend_from_slice(b"Content-Length: ");
            out.extend_from_slice(length.as_bytes());
            out.extend_from_slice(self.line_end);
        }
        out.extend_from_slice(self.line_end);
        out.extend_from_slice(&self.body);
        out
    }

    /// The message, when the bytes are one.
    pub fn message(&self) -> Result<Message, ParseError> {
        Message::parse(self.build())
    }
}

fn one_line(value: &[u8]) -> Vec<u8> {
    value
        .iter()
        .map(|b| if matches!(b, b'\r' | b'\n') { b' ' } else { *b })
        .collect()
}

/// The usual reason phrase of a status code (RFC 3261 21 and its extensions).
pub fn reason(code: u16) -> &'static str {
    match code {
        100 => "Trying",
        180 => "Ringing",
        181 => "Call Is Being Forwarded",
        182 => "Queued",
        183 => "Session Progress",
        200 => "OK",
        202 => "Accepted",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Moved Temporarily",
        305 => "Use Proxy",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        410 => "Gone",
        413 => "Request Entity Too Large",
        414 => "Request-URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Unsupported URI Scheme",
        420 => "Bad Extension",
        421 => "Extension Required",
        422 => "Session Interval Too Small",
        423 => "Interval Too Brief",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        483 => "Too Many Hops",
        484 => "Address Incomplete",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        489 => "Bad Event",
        491 => "Request Pending",
        493 => "Undecipherable",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Server Time-out",
        505 => "Version Not Supported",
        513 => "Message Too Large",
        600 => "Busy Everywhere",
        603 => "Decline",
        604 => "Does Not Exist Anywhere",
        606 => "Not Acceptable",
        _ => match code / 100 {
            1 => "Progress",
            2 => "Success",
            3 => "Redirection",
            4 => "Request Failure",
            5 => "Server Failure",
            _ => "Global Failure",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_cannot_smuggle_headers() {
        let m = Builder::request("INFO", "sip:a@b")
            .header("Subject", "x\r\nEvil: y")
            .message()
            .unwrap();
        assert!(m.header("Evil").is_none());
    }

    #[test]
    fn set_keeps_the_place() {
        let b = Builder::request("INFO", "sip:a@b")
            .header("A", "1")
            .header("B", "2")
            .header("a", "3")
            .set("A", "4")
            .build();
        assert_eq!(
            String::from_utf8(b).unwrap(),
            "INFO sip:a@b SIP/2.0\r\nA: 4\r\nB: 2\r\nContent-Length: 0\r\n\r\n"
        );
    }

    #[test]
    fn reply_copies_what_it_must() {
        let request = Message::parse(
            "INVITE sip:b@x SIP/2.0\r\nv: SIP/2.0/TCP one\r\nVia: SIP/2.0/TCP two\r\nRecord-Route: <sip:p;lr>\r\n\
             f: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\ni: 7\r\nCSeq: 1 INVITE\r\nl: 0\r\n\r\n",
        )
        .unwrap();
        let ok = Builder::reply(&request, 200, Some("T")).message().unwrap();
        assert_eq!(ok.list("Via").len(), 2);
        assert_eq!(ok.to().unwrap().tag(), Some("T"));
        assert!(ok.header("Record-Route").is_some());
        let trying = Builder::reply(&request, 100, Some("T")).message().unwrap();
        assert_eq!(trying.to().unwrap().tag(), None);
        assert!(trying.header("Record-Route").is_none());
    }
}

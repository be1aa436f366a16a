/*! The smaller header values: CSeq, Via, media types, numbers of seconds, session timers, event packages.
*/

use std::fmt;

use super::uri::{host, port};
use super::{Cursor, Param, ViewError, param};

/// `CSeq` (RFC 3261 20.16).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CSeq {
    /// The number, below 2^31 (8.1.1.5).
    pub seq: u32,
    /// The method as written.
    pub method: String,
}

impl CSeq {
    /// Parses the text of the value.
    pub fn parse(text: &str) -> Result<CSeq, ViewError> {
        CSeq::parse_bytes(text.as_bytes())
    }

    pub(crate) fn parse_bytes(text: &[u8]) -> Result<CSeq, ViewError> {
        let mut c = Cursor::new(text);
        c.space();
        let range = c.take(|b| b.is_ascii_digit());
        if range.is_empty() {
            return Err(c.unexpected("a number"));
        }
        let seq = match c.str(range.clone()).parse::<u32>() {
            Ok(seq) if seq < 1 << 31 => seq,
            _ => return Err(ViewError::new(range, "a sequence number is below 2^31")),
        };
        let before = c.pos;
        c.space();
        if c.pos == before {
            return Err(c.unexpected("white space"));
        }
        let method = c.token("a method")?;
        c.end()?;
        Ok(CSeq { seq, method })
    }
}

impl fmt::Display for CSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.seq, self.method)
    }
}

/// One `Via` (RFC 3261 20.42).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Via {
    /// The transport as written: `TLS`, `tcp`…
    pub transport: String,
    /// The sent-by host.
    pub host: String,
    /// The sent-by port.
    pub port: Option<u16>,
    /// The parameters in order.
    pub params: Vec<Param>,
}

impl Via {
    /// Parses the text of one element.
    pub fn parse(text: &str) -> Result<Via, ViewError> {
        Via::parse_bytes(text.as_bytes())
    }

    pub(crate) fn parse_bytes(text: &[u8]) -> Result<Via, ViewError> {
        let mut c = Cursor::new(text);
        c.space();
        let from = c.pos;
        let name = c.token("a protocol name")?;
        slash(&mut c)?;
        let version = c.token("a protocol version")?;
        if !name.eq_ignore_ascii_case("SIP") || version != "2.0" {
            return Err(ViewError::new(from..c.pos, "the protocol is not SIP/2.0"));
        }
        slash(&mut c)?;
        let transport = c.token("a transport")?;
        let before = c.pos;
        c.space();
        if c.pos == before {
            return Err(c.unexpected("white space"));
        }
        let host = host(&mut c)?;
        c.space();
        let mut via = Via {
            transport,
            host,
            port: None,
            params: Vec::new(),
        };
        if c.eat(b':') {
            c.space();
            via.port = Some(port(&mut c)?);
        }
        via.params = c.params()?;
        Ok(via)
    }

    /// The value of a parameter, empty when it has none.
    pub fn param(&self, name: &str) -> Option<&str> {
        param(&self.params, name)
    }

    /// The branch.
    pub fn branch(&self) -> Option<&str> {
        self.param("branch")
    }
}

fn slash(c: &mut Cursor<'_>) -> Result<(), ViewError> {
    c.space();
    if !c.eat(b'/') {
        return Err(c.unexpected("\"/\""));
    }
    c.space();
    Ok(())
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP/2.0/{} {}", self.transport, self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        for param in &self.params {
            write!(f, ";{param}")?;
        }
        Ok(())
    }
}

/// A media type with its parameters (RFC 3261 20.15).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaType {
    /// The part before the slash, as written.
    pub main: String,
    /// The part after the slash, as written.
    pub sub: String,
    /// The parameters in order.
    pub params: Vec<Param>,
}

impl MediaType {
    /// Parses the text of the value.
    pub fn parse(text: &str) -> Result<MediaType, ViewError> {
        MediaType::parse_bytes(text.as_bytes())
    }

    pub(crate) fn parse_bytes(text: &[u8]) -> Result<MediaType, ViewError> {
        let mut c = Cursor::new(text);
        c.space();
        let main = c.token("a media type")?;
        slash(&mut c)?;
        let sub = c.token("a media subtype")?;
        Ok(MediaType {
            main,
            sub,
            params: c.params()?,
        })
    }

    /// Whether it is `type/subtype`, in any letter case and whatever the parameters.
    pub fn is(&self, wanted: &str) -> bool {
        wanted.split_once('/').is_some_and(|(main, sub)| {
            main.eq_ignore_ascii_case(&self.main) && sub.eq_ignore_ascii_case(&self.sub)
        })
    }

    /// The value of a parameter, empty when it has none.
    pub fn param(&self, name: &str) -> Option<&str> {
        param(&self.params, name)
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.main, self.sub)?;
        for param in &self.params {
            write!(f, ";{param}")?;
        }
        Ok(())
    }
}

/// A number of seconds (`delta-seconds`), or any other plain 32-bit number.
pub(super) fn seconds(text: &[u8]) -> Result<u32, ViewError> {
    let mut c = Cursor::new(text);
    c.space();
    let n = number(&mut c)?;
    c.end()?;
    Ok(n)
}

fn number(c: &mut Cursor<'_>) -> Result<u32, ViewError> {
    let range = c.take(|b| b.is_ascii_digit());
    match c.str(range.clone()).parse() {
        Ok(n) => Ok(n),
        Err(_) if range.is_empty() => Err(c.unexpected("a number")),
        Err(_) => Err(ViewError::new(range, "a number of seconds is below 2^32")),
    }
}

/// Who has to refresh a session (RFC 4028 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refresher {
    /// The side that sent the last refresh request.
    Uac,
    /// The side that answered it.
    Uas,
}

/// `Session-Expires` (RFC 4028 4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionExpires {
    /// The interval in seconds.
    pub seconds: u32,
    /// Who refreshes, when it is said.
    pub refresher: Option<Refresher>,
}

impl SessionExpires {
    /// Parses the text of the value.
    pub fn parse(text: &str) -> Result<SessionExpires, ViewError> {
        SessionExpires::parse_bytes(text.as_bytes())
    }

    pub(crate) fn parse_bytes(text: &[u8]) -> Result<SessionExpires, ViewError> {
        let mut c = Cursor::new(text);
        c.space();
        let seconds = number(&mut c)?;
        let from = c.pos;
        let params = c.params()?;
        let refresher = match param(&params, "refresher")
            .map(str::to_ascii_lowercase)
            .as_deref()
        {
            None => None,
            Some("uac") => Some(Refresher::Uac),
            Some("uas") => Some(Refresher::Uas),
            Some(_) => {
                return Err(ViewError::new(
                    from..text.len(),
                    "the refresher is uac or uas",
                ));
            }
        };
        Ok(SessionExpires { seconds, refresher })
    }
}

impl fmt::Display for SessionExpires {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.seconds)?;
        match self.refresher {
            None => Ok(()),
            Some(Refresher::Uac) => f.write_str(";refresher=uac"),
            Some(Refresher::Uas) => f.write_str(";refresher=uas"),
        }
    }
}

/// `Event` (RFC 6665 8.2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventType {
    /// The event package as written.
    pub package: String,
    /// The parameters in order.
    pub params: Vec<Param>,
}

impl EventType {
    pub(crate) fn parse_bytes(text: &[u8]) -> Result<EventType, ViewError> {
        let mut c = Cursor::new(text);
        c.space();
        let package = c.token("an event package")?;
        Ok(EventType {
            package,
            params: c.params()?,
        })
    }

    /// The `id` parameter.
    pub fn id(&self) -> Option<&str> {
        param(&self.params, "id")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        assert_eq!(
            CSeq::parse(" 0009  INFO").unwrap(),
            CSeq {
                seq: 9,
                method: "INFO".into()
            }
        );
        for bad in [
            "",
            "INFO",
            "1INFO",
            "2147483648 INFO",
            "99999999999999999999 INFO",
            "1 INFO x",
            "-1 INFO",
        ] {
            assert!(CSeq::parse(bad).is_err(), "{bad}");
        }
        let via = Via::parse(
            "SIP / 2.0 / tls  [2001:db8::9] : 5061 ; branch=z9hG4bKx;rport;received=10.0.0.1",
        )
        .unwrap();
        assert_eq!(
            (via.branch(), via.port, via.param("rport")),
            (Some("z9hG4bKx"), Some(5061), Some(""))
        );
        assert_eq!(Via::parse(&via.to_string()).unwrap(), via);
        assert!(Via::parse("SIP/2.0/UDP").is_err());
        assert!(Via::parse("SIP/3.0/UDP a").is_err());
        let m = MediaType::parse("Multipart/Related; type=\"a/b\"; boundary=x").unwrap();
        assert!(m.is("multipart/related"));
        assert_eq!(m.param("type"), Some("a/b"));
        assert!(MediaType::parse("text").is_err());
        let s = SessionExpires::parse("1800 ; refresher=UAS").unwrap();
        assert_eq!(s.to_string(), "1800;refresher=uas");
        assert!(SessionExpires::parse("x").is_err());
        assert!(SessionExpires::parse("9;refresher=me").is_err());
        assert_eq!(seconds(b"4294967296").unwrap_err().span, 0..10);
    }
}

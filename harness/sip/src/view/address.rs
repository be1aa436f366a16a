/*! Addresses with display name and parameters: From, To, Contact, Route, Record-Route
(RFC 3261 20.10, 25.1 `name-addr` and `addr-spec`).
*/

use std::fmt;

use super::{Cursor, Param, Uri, ViewError, param, quote};

/// One address of a header, with what surrounds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameAddr {
    /// The display name, without quotes and their escapes.
    pub display: Option<String>,
    /// The address.
    pub uri: Uri,
    /// The header parameters (`tag`, `epid`, `expires`…) in order.
    pub params: Vec<Param>,
    /// Whether the URI stood in angle brackets. Without them a `;` begins header parameters (20.10).
    pub brackets: bool,
}

impl NameAddr {
    /// An address without display name and parameters.
    pub fn new(uri: Uri) -> NameAddr {
        NameAddr {
            display: None,
            uri,
            params: Vec::new(),
            brackets: true,
        }
    }

    /// Parses the text of one address.
    pub fn parse(text: &str) -> Result<NameAddr, ViewError> {
        NameAddr::parse_bytes(text.as_bytes())
    }

    pub(crate) fn parse_bytes(text: &[u8]) -> Result<NameAddr, ViewError> {
        let mut c = Cursor::new(text);
        c.space();
        let display = if c.peek() == Some(b'"') {
            let name = c.quoted()?;
            c.space();
            if c.peek() != Some(b'<') {
                return Err(c.unexpected("\"<\" after the display name"));
            }
            Some(name)
        } else {
            match c.rest().iter().position(|b| *b == b'<') {
                Some(0) | None => None,
                Some(at) => {
                    let range = crate::parse::trim(text, c.pos..c.pos + at);
                    if let Some(bad) = text[range.clone()].iter().position(|b| {
                        !(crate::name::is_token_byte(*b) || matches!(b, b' ' | b'\t') || *b >= 0x80)
                    }) {
                        let bad = range.start + bad;
                        return Err(ViewError::new(
                            bad..bad + 1,
                            "a display name with this character must be quoted",
                        ));
                    }
                    c.pos += at;
                    Some(c.str(range))
                }
            }
        };
        let brackets = c.eat(b'<');
        let from = c.pos;
        let range = if brackets {
            let range = c.take(|b| b != b'>');
            if !c.eat(b'>') {
                return Err(ViewError::new(
                    from.saturating_sub(1)..c.pos,
                    "an angle bracket is not closed",
                ));
            }
            range
        } else {
            let range = c.take(|b| !matches!(b, b';' | b' ' | b'\t'));
            if let Some(bad) = text[range.clone()]
                .iter()
                .position(|b| matches!(b, b'?' | b','))
            {
                let bad = from + bad;
                return Err(ViewError::new(
                    bad..bad + 1,
                    "a URI with \"?\" or \",\" must stand in angle brackets",
                ));
            }
            range
        };
        let uri = Uri::parse_bytes(&text[range.clone()]).map_err(|e| e.inside("", range.start))?;
        Ok(NameAddr {
            display,
            uri,
            params: c.params()?,
            brackets,
        })
    }

    /// The value of a header parameter, empty when it has none.
    pub fn param(&self, name: &str) -> Option<&str> {
        param(&self.params, name)
    }

    /// The tag.
    pub fn tag(&self) -> Option<&str> {
        self.param("tag")
    }

    /// The endpoint identifier some clients add to From.
    pub fn epid(&self) -> Option<&str> {
        self.param("epid")
    }

    /// The same address with this tag.
    pub fn with_tag(mut self, tag: &str) -> NameAddr {
        self.params.retain(|p| !p.name.eq_ignore_ascii_case("tag"));
        self.params.push(Param::new("tag", tag));
        self
    }
}

impl fmt::Display for NameAddr {
    /// Writes the address so that it can be read back; always with angle brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(display) = &self.display {
            write!(f, "{} ", quote(display))?;
        }
        write!(f, "<{}>", self.uri)?;
        for param in &self.params {
            write!(f, ";{param}")?;
        }
        Ok(())
    }
}

impl std::str::FromStr for NameAddr {
    type Err = ViewError;

    fn from_str(text: &str) -> Result<NameAddr, ViewError> {
        NameAddr::parse(text)
    }
}

/// One element of a Contact header.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every contact is an address, and few live at a time"
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contact {
    /// `*`, which stands for all registrations (RFC 3261 10.2.2).
    Any,
    /// An address.
    Address(NameAddr),
}

impl Contact {
    pub(crate) fn parse_bytes(text: &[u8]) -> Result<Contact, ViewError> {
        match text.trim_ascii() {
            b"*" => Ok(Contact::Any),
            _ => NameAddr::parse_bytes(text).map(Contact::Address),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let a = NameAddr::parse(r#" "A. \"B\" <c>" <sip:a.b@x;lr>;tag=1;epid="e;f""#).unwrap();
        assert_eq!(a.display.as_deref(), Some(r#"A. "B" <c>"#));
        assert_eq!(a.uri.param("lr"), Some(""));
        assert_eq!((a.tag(), a.epid()), (Some("1"), Some("e;f")));
        assert_eq!(NameAddr::parse(&a.to_string()).unwrap(), a);
        let plain = NameAddr::parse("sip:a@x;tag=2 ; epid = 9").unwrap();
        assert_eq!((plain.tag(), plain.epid()), (Some("2"), Some("9")));
        assert!(plain.uri.params.is_empty());
        let words = NameAddr::parse("Ärger im Büro <sip:a@x>").unwrap();
        assert_eq!(words.display.as_deref(), Some("Ärger im Büro"));
        let gruu =
            NameAddr::parse("<sip:a@x;opaque=user:epid:Ab-cD;gruu>;+sip.instance=\"<urn:uuid:1>\"")
                .unwrap();
        assert_eq!(gruu.uri.param("opaque"), Some("user:epid:Ab-cD"));
        assert_eq!(gruu.param("+sip.instance"), Some("<urn:uuid:1>"));
    }

    #[test]
    fn refusals() {
        for text in [
            "",
            "\"open <sip:a@b>",
            "<sip:a@b",
            "A, B <sip:a@b>",
            "sip:a@b?x=y",
            "<sip:a@b>;",
            "<sip:a@b> x",
            "\"A\" sip:a@b",
            "<sip:a@b>;tag=",
        ] {
            assert!(NameAddr::parse(text).is_err(), "{text}");
        }
    }
}

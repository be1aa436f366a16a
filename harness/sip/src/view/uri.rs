/*! SIP, SIPS and tel URIs (RFC 3261 19.1, RFC 3966).

Takes the text of one URI; gives its parts as written. Parameter values may be
any `paramchar`, as in `opaque=app:conf:focus:id:X`.
*/

use std::fmt;

use super::{Cursor, Param, ViewError, param};

/// The scheme of a URI.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `sip`
    Sip,
    /// `sips`
    Sips,
    /// `tel`
    Tel,
    /// Any other; the rest of the URI is kept in [`Uri::host`] unparsed.
    Other(String),
}

/// A URI as it may stand in a Request-URI, From, To, Contact or Route.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Uri {
    /// The scheme.
    pub scheme: Scheme,
    /// The user part as written, escapes included; the number of a `tel` URI.
    pub user: Option<String>,
    /// The password as written.
    pub password: Option<String>,
    /// The host as written: a name, an IPv4 address, or an IPv6 address in brackets.
    pub host: String,
    /// The port.
    pub port: Option<u16>,
    /// The parameters in order.
    pub params: Vec<Param>,
    /// The header fields after `?`, in order, as written.
    pub headers: Vec<(String, String)>,
}

/// URI parameters that must match whenever one of two URIs has them (RFC 3261 19.1.4).
const DECISIVE: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];

impl Uri {
    /// A `sip:` URI of a user at a host.
    pub fn sip(user: &str, host: &str) -> Uri {
        Uri {
            scheme: Scheme::Sip,
            user: Some(user.to_owned()),
            password: None,
            host: host.to_owned(),
            port: None,
            params: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// Parses a whole text as a URI.
    pub fn parse(text: &str) -> Result<Uri, ViewError> {
        Uri::parse_bytes(text.as_bytes())
    }

    pub(crate) fn parse_bytes(text: &[u8]) -> Result<Uri, ViewError> {
        if let Some(bad) = text
            .iter()
            .position(|b| *b <= b' ' || *b == 0x7f || matches!(b, b'<' | b'>' | b'"'))
        {
            return Err(ViewError::new(
                bad..bad + 1,
                "a URI cannot contain white space, quotes, angle brackets or control characters",
            ));
        }
        let mut c = Cursor::new(text);
        let range = c.take(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
        if range.is_empty() || !text[0].is_ascii_alphabetic() || c.peek() != Some(b':') {
            return Err(ViewError::new(
                0..range.end.max(1).min(text.len()),
                "a URI begins with a scheme and a colon",
            ));
        }
        let scheme = match c.str(range).to_ascii_lowercase().as_str() {
            "sip" => Scheme::Sip,
            "sips" => Scheme::Sips,
            "tel" => Scheme::Tel,
            _ => Scheme::Other(c.str(0..c.pos)),
        };
        c.pos += 1;
        let mut uri = Uri {
            scheme,
            user: None,
            password: None,
            host: String::new(),
            port: None,
            params: Vec::new(),
            headers: Vec::new(),
        };
        match uri.scheme {
            Scheme::Other(_) => uri.host = c.str(c.pos..text.len()),
            Scheme::Tel => {
                let number = c.take(|b| b != b';');
                if number.is_empty() {
                    return Err(c.unexpected("a number"));
                }
                uri.user = Some(c.str(number));
                uri.params = uri_params(&mut c)?;
                c.end()?;
            }
            Scheme::Sip | Scheme::Sips => {
                user_part(&mut c, &mut uri)?;
                host_part(&mut c, &mut uri)?;
                uri.params = uri_params(&mut c)?;
                uri.headers = uri_headers(&mut c)?;
                c.end()?;
            }
        }
        Ok(uri)
    }

    /// The value of a parameter, empty when it has none.
    pub fn param(&self, name: &str) -> Option<&str> {
        param(&self.params, name)
    }

    /// The same URI without parameters and headers.
    pub fn bare(&self) -> Uri {
        Uri {
            params: Vec::new(),
            headers: Vec::new(),
            ..self.clone()
        }
    }

    /// `user@host`, or the host alone, as written.
    pub fn address(&self) -> String {
        match &self.user {
            Some(user) if self.host.is_empty() => user.clone(),
            Some(user) => format!("{user}@{}", self.host),
            None => self.host.clone(),
        }
    }

    /// Whether both are equal by RFC 3261 19.1.4: user case-sensitive, host not,
    /// parameters compared by the rules of that section.
    pub fn equivalent(&self, other: &Uri) -> bool {
        let value = |p: &Param| unescape(p.value.as_deref().unwrap_or("")).to_ascii_lowercase();
        let parameters_fit = |a: &Uri, b: &Uri| {
            a.params.iter().all(|p| {
                let mut named = b
                    .params
                    .iter()
                    .filter(|q| q.name.eq_ignore_ascii_case(&p.name))
                    .peekable();
                match named.peek() {
                    Some(_) => named.any(|q| value(q) == value(p)),
                    None => !DECISIVE.contains(&p.name.to_ascii_lowercase().as_str()),
                }
            })
        };
        let header_list = |u: &Uri| {
            let mut list: Vec<_> = u
                .headers
                .iter()
                .map(|(n, v)| (unescape(n).to_ascii_lowercase(), unescape(v)))
                .collect();
            list.sort();
            list
        };
        self.scheme == other.scheme
            && self.user.as_deref().map(unescape) == other.user.as_deref().map(unescape)
            && self.password.as_deref().map(unescape) == other.password.as_deref().map(unescape)
            && self.host.eq_ignore_ascii_case(&other.host)
            && self.port == other.port
            && parameters_fit(self, other)
            && parameters_fit(other, self)
            && header_list(self) == header_list(other)
    }

    /// Whether both name the same user at the same host, in any letter case; scheme, port and parameters do not count.
    pub fn same_user(&self, other: &Uri) -> bool {
        let user = |u: &Uri| u.user.as_deref().map(|t| unescape(t).to_lowercase());
        user(self) == user(other) && self.host.eq_ignore_ascii_case(&other.host)
    }
}

fn user_part(c: &mut Cursor<'_>, uri: &mut Uri) -> Result<(), ViewError> {
    // A user part may contain ";", "?" and "/" itself, so the "@" decides where it ends.
    let Some(at) = c.rest().iter().position(|b| *b == b'@') else {
        return Ok(());
    };
    let from = c.pos;
    let part = &c.text[from..from + at];
    let (user, password) = match part.iter().position(|b| *b == b':') {
        Some(colon) => (from..from + colon, Some(from + colon + 1..from + at)),
        None => (from..from + at, None),
    };
    if user.is_empty() {
        return Err(c.unexpected("a user before \"@\""));
    }
    uri.user = Some(c.str(user));
    uri.password = password.map(|range| c.str(range));
    c.pos = from + at + 1;
    Ok(())
}

fn host_part(c: &mut Cursor<'_>, uri: &mut Uri) -> Result<(), ViewError> {
    uri.host = host(c)?;
    if c.eat(b':') {
        uri.port = Some(port(c)?);
    }
    match c.peek() {
        None | Some(b';' | b'?') => Ok(()),
        Some(_) => Err(c.unexpected("\";\", \"?\" or the end after the host")),
    }
}

/// A host name or address at the cursor.
pub(super) fn host(c: &mut Cursor<'_>) -> Result<String, ViewError> {
    let range = if c.peek() == Some(b'[') {
        let from = c.pos;
        c.take(|b| b != b']');
        if !c.eat(b']') {
            return Err(ViewError::new(
                from..c.pos,
                "an IPv6 address has no closing bracket",
            ));
        }
        let inner = std::str::from_utf8(&c.text[from + 1..c.pos - 1]).unwrap_or_default();
        if inner.parse::<std::net::Ipv6Addr>().is_err() {
            return Err(ViewError::new(from..c.pos, "not an IPv6 address"));
        }
        from..c.pos
    } else {
        c.take(|b| b.is_ascii_alphanumeric() || b"-._%".contains(&b) || b >= 0x80)
    };
    if range.is_empty() {
        return Err(c.unexpected("a host"));
    }
    Ok(c.str(range))
}

/// A port number at the cursor.
pub(super) fn port(c: &mut Cursor<'_>) -> Result<u16, ViewError> {
    let range = c.take(|b| b.is_ascii_digit());
    match c.str(range.clone()).parse() {
        Ok(port) => Ok(port),
        Err(_) if range.is_empty() => Err(c.unexpected("a port")),
        Err(_) => Err(ViewError::new(range, "a port is at most 65535")),
    }
}

fn uri_params(c: &mut Cursor<'_>) -> Result<Vec<Param>, ViewError> {
    let mut params = Vec::new();
    while c.eat(b';') {
        let name = c.take(|b| !matches!(b, b';' | b'=' | b'?'));
        if name.is_empty() {
            return Err(c.unexpected("a parameter name"));
        }
        let mut param = Param::flag(&c.str(name));
        if c.eat(b'=') {
            let value = c.take(|b| !matches!(b, b';' | b'?'));
            param.value = Some(c.str(value));
        }
        params.push(param);
    }
    Ok(params)
}

fn uri_headers(c: &mut Cursor<'_>) -> Result<Vec<(String, String)>, ViewError> {
    let mut headers = Vec::new();
    if !c.eat(b'?') {
        return Ok(headers);
    }
    loop {
        let name = c.take(|b| !matches!(b, b'=' | b'&'));
        if name.is_empty() || !c.eat(b'=') {
            return Err(c.unexpected("a header name with \"=\""));
        }
        let value = c.take(|b| b != b'&');
        headers.push((c.str(name), c.str(value)));
        if !c.eat(b'&') {
            return Ok(headers);
        }
    }
}

/// The text with `%HH` escapes resolved; malformed ones stay as they are.
pub(super) fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&b) = bytes.get(at) {
        let hex = (b == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .filter(|h| h.iter().all(u8::is_ascii_hexdigit))
            .and_then(|h| std::str::from_utf8(h).ok())
            .and_then(|h| u8::from_str_radix(h, 16).ok());
        match hex {
            Some(value) => {
                out.push(value);
                at += 3;
            }
            None => {
                out.push(b);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Scheme::Sip => "sip",
            Scheme::Sips => "sips",
            Scheme::Tel => "tel",
            Scheme::Other(name) => name,
        })
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.scheme)?;
        if let Some(user) = &self.user {
            f.write_str(user)?;
            if let Some(password) = &self.password {
                write!(f, ":{password}")?;
            }
            if self.scheme != Scheme::Tel {
                f.write_str("@")?;
            }
        }
        f.write_str(&self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        for param in &self.params {
            write!(f, ";{param}")?;
        }
        for (i, (name, value)) in self.headers.iter().enumerate() {
            write!(f, "{}{name}={value}", if i == 0 { '?' } else { '&' })?;
        }
        Ok(())
    }
}

impl std::str::FromStr for Uri {
    type Err = ViewError;

    fn from_str(text: &str) -> Result<Uri, ViewError> {
        Uri::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts() {
        let u = Uri::parse("sips:alice.smith:pw@[2001:db8::1]:5061;gruu;opaque=app:conf:focus:id:X?subject=a%20b&to=c").unwrap();
        assert_eq!(u.user.as_deref(), Some("alice.smith"));
        assert_eq!(u.password.as_deref(), Some("pw"));
        assert_eq!(u.host, "[2001:db8::1]");
        assert_eq!(u.port, Some(5061));
        assert_eq!(u.param("opaque"), Some("app:conf:focus:id:X"));
        assert_eq!(u.param("GRUU"), Some(""));
        assert_eq!(u.headers.len(), 2);
        let odd = Uri::parse("sip:user;par=u%40example.net@example.com").unwrap();
        assert_eq!(odd.user.as_deref(), Some("user;par=u%40example.net"));
        assert_eq!(
            Uri::parse("tel:+1-201;phone-context=x")
                .unwrap()
                .user
                .as_deref(),
            Some("+1-201")
        );
        assert_eq!(Uri::parse("sip:host_name").unwrap().host, "host_name");
    }

    #[test]
    fn text_comes_back() {
        for text in [
            "sip:a@b",
            "sip:b;transport=tcp;lr",
            "sips:a:@b:1;x=y?h=v&i=",
            "tel:+1;x",
            "urn:service:sos",
            "sip:a%40b@[::1]:5060",
        ] {
            assert_eq!(Uri::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn refusals_have_places() {
        for (text, at) in [
            ("", 0),
            ("alice@x", 0),
            ("sip:", 4),
            ("sip:@x", 4),
            ("sip:a@x:99999", 8),
            ("sip:a@x y", 7),
            ("sip:a@[::1", 6),
            ("sip:a@x/path", 7),
            ("sip:a@x;;b", 8),
        ] {
            assert_eq!(Uri::parse(text).unwrap_err().span.start, at, "{text}");
        }
    }

    #[test]
    fn equality_of_the_rfc() {
        let eq = |a: &str, b: &str| Uri::parse(a).unwrap().equivalent(&Uri::parse(b).unwrap());
        // Pairs made after the rules of RFC 3261 19.1.4.
        assert!(eq(
            "sip:%61lice@example.org;transport=TCP",
            "sip:alice@EXAMPLE.ORG;Transport=tcp"
        ));
        assert!(eq(
            "sip:carol@example.org",
            "sip:carol@example.org;newparam=5"
        ));
        assert!(eq("sip:b@x;a=1;c=2?p=1&s=2", "sip:b@x;c=2;a=1?s=2&P=1"));
        assert!(!eq("sip:ALICE@example.org", "sip:alice@example.org"));
        assert!(!eq("sip:bob@example.org", "sip:bob@example.org:5060"));
        assert!(!eq(
            "sip:bob@example.org",
            "sip:bob@example.org;transport=udp"
        ));
        assert!(!eq("sip:c@x;p=1", "sip:c@x;p=2"));
        assert!(!eq("sip:c@x", "sip:c@x?subject=n"));
        assert!(!eq("sip:c@x", "sips:c@x"));
    }

    #[test]
    fn same_user_is_looser() {
        let u = |t: &str| Uri::parse(t).unwrap();
        assert!(u("sip:Alice@X.org").same_user(&u("sips:alice@x.org:5061;gruu")));
        assert!(!u("sip:alice@x.org").same_user(&u("sip:alice@y.org")));
    }
}

/*! Header field names: the compact forms and how names compare.

Takes names as written; gives their long form and equality (RFC 3261 7.3.1, 7.3.3).
*/

/// Compact forms in use: RFC 3261 20, and the RFCs that registered more of them.
const COMPACT: [(u8, &str); 20] = [
    (b'a', "Accept-Contact"),
    (b'b', "Referred-By"),
    (b'c', "Content-Type"),
    (b'd', "Request-Disposition"),
    (b'e', "Content-Encoding"),
    (b'f', "From"),
    (b'i', "Call-ID"),
    (b'j', "Reject-Contact"),
    (b'k', "Supported"),
    (b'l', "Content-Length"),
    (b'm', "Contact"),
    (b'n', "Identity-Info"),
    (b'o', "Event"),
    (b'r', "Refer-To"),
    (b's', "Subject"),
    (b't', "To"),
    (b'u', "Allow-Events"),
    (b'v', "Via"),
    (b'x', "Session-Expires"),
    (b'y', "Identity"),
];

/// The long form of a compact name; none when `name` is not a compact form.
pub fn expand(name: &[u8]) -> Option<&'static str> {
    let [letter] = name else { return None };
    let letter = letter.to_ascii_lowercase();
    COMPACT
        .iter()
        .find(|(short, _)| *short == letter)
        .map(|(_, long)| *long)
}

/// Whether two header names mean the same header: letter case and compact form do not count.
pub fn same(one: &[u8], other: &[u8]) -> bool {
    long(one).eq_ignore_ascii_case(long(other))
}

fn long(name: &[u8]) -> &[u8] {
    expand(name).map_or(name, str::as_bytes)
}

/// A character of a `token` (RFC 3261 25.1).
pub fn is_token_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_and_case() {
        assert!(same(b"v", b"Via"));
        assert!(same(b"VIA", b"V"));
        assert!(same(b"call-id", b"I"));
        assert!(!same(b"z", b"Via"));
        assert!(same(b"X-Own", b"x-own"));
        assert_eq!(expand(b"L"), Some("Content-Length"));
    }
}

//! Lexical forms that are sets of strings: names, languages, numerals of floats, binary encodings.

use super::names::{continues_name, starts_name};

/// XML 1.0 white space.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

pub(crate) fn is_nmtoken(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c == ':' || continues_name(c))
}

pub(crate) fn is_name(text: &str) -> bool {
    is_nmtoken(text) && text.starts_with(|c| c == ':' || starts_name(c))
}

pub(crate) fn is_ncname(text: &str) -> bool {
    text.starts_with(starts_name) && text.chars().all(continues_name)
}

/// The prefix (or "") and local part of a QName.
pub(crate) fn qname(text: &str) -> Option<(&str, &str)> {
    let (prefix, local) = text.split_once(':').unwrap_or(("", text));
    let prefix_fits = prefix.is_empty() && !text.starts_with(':') || is_ncname(prefix);
    (prefix_fits && is_ncname(local)).then_some((prefix, local))
}

pub(crate) fn is_language(text: &str) -> bool {
    text.split('-').enumerate().all(|(index, part)| {
        let letters = |byte: u8| byte.is_ascii_alphabetic() || (index > 0 && byte.is_ascii_digit());
        (1..=8).contains(&part.len()) && part.bytes().all(letters)
    })
}

/// Whether a text is a numeral of xs:float or xs:double, the special values apart.
pub(crate) fn is_float_numeral(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let exponent_fits = exponent.is_none_or(super::decimal::is_integer);
    exponent_fits && super::decimal::parts(mantissa).is_some()
}

/// The octets of an xs:hexBinary.
pub(crate) fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| (byte as char).to_digit(16);
    let bytes = text.as_bytes();
    if !bytes.len().is_multiple_of(2) {
        return None;
    }
    bytes
        .chunks_exact(2)
        .map(|pair| Some((digit(pair[0])? * 16 + digit(pair[1])?) as u8))
        .collect()
}

/// The octets of an xs:base64Binary; single blanks may stand between any two characters.
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count, mut padding, mut total) = (0_u32, 0, 0, 0_usize);
    for byte in text.bytes().filter(|byte| *byte != b' ') {
        total += 1;
        if byte == b'=' {
            padding += 1;
            continue;
        }
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        if padding > 0 {
            return None;
        }
        bits = (bits << 6 | u32::from(value)) & 0xff_ffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            octets.push((bits >> count) as u8);
        }
    }
    let leftover = bits & ((1 << count) - 1);
    let padded = matches!((padding, count), (0, 0) | (1, 2) | (2, 4));
    (total.is_multiple_of(4) && padded && leftover == 0).then_some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert!(is_ncname("a-1.é") && !is_ncname("1a") && !is_ncname("a:b") && !is_ncname(""));
        assert!(is_name(":a") && !is_name("-a") && is_nmtoken("-a:1") && !is_nmtoken("a b"));
        assert_eq!(qname("p:l"), Some(("p", "l")));
        assert_eq!(qname("l"), Some(("", "l")));
        assert!(qname(":l").is_none() && qname("p:").is_none() && qname("a:b:c").is_none());
        assert!(
            is_language("en-US")
                && is_language("x-1")
                && !is_language("1")
                && !is_language("en_US")
        );
    }

    #[test]
    fn binary_and_floats() {
        assert_eq!(base64("AQ ID").unwrap(), [1, 2, 3]);
        assert_eq!(base64("AQ==").unwrap(), [1]);
        assert_eq!(base64("").unwrap(), [0; 0]);
        for bad in ["A", "AQ=", "AR==", "AQ==AQ==", "A===", "*"] {
            assert!(base64(bad).is_none(), "{bad}");
        }
        assert_eq!(hex("0aF0").unwrap(), [10, 240]);
        assert!(hex("0").is_none() && hex("0g").is_none());
        assert!(is_float_numeral("-1.5E+3") && is_float_numeral(".5") && is_float_numeral("5."));
        assert!(!is_float_numeral("1e") && !is_float_numeral("inf") && !is_float_numeral("e1"));
    }
}

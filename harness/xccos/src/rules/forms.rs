/*! Lexical forms and list formats the prose names and the schema does not check.

Pure functions of a text. White space around a value is no part of it.
*/

/// Whether a text is an ISO 8601 time, basic or extended, with a date and a time that exist.
pub(crate) fn is_time(text: &str) -> bool {
    parts(text).is_some()
}

/// Whether a time is in UTC: `Z`, no zone, or an offset of nothing.
pub(crate) fn is_utc(text: &str) -> bool {
    match parts(text) {
        Some(time) => matches!(time.zone, "" | "Z" | "+00:00" | "-00:00"),
        None => true,
    }
}

/// Seconds since the epoch, with fraction, of a time (without zone: UTC).
pub(crate) fn seconds(text: &str) -> Option<f64> {
    let time = parts(text)?;
    let zone = match time.zone {
        "" | "Z" => 0,
        offset => {
            let sign = if offset.starts_with('-') { -1 } else { 1 };
            let h: i64 = offset.get(1..3)?.parse().ok()?;
            let m: i64 = offset.get(4..6)?.parse().ok()?;
            sign * (h * 3600 + m * 60)
        }
    };
    let date = jiff::civil::date(time.year, time.month, time.day);
    let stamp = date
        .at(time.hour, time.minute, time.second.min(59), 0)
        .to_zoned(jiff::tz::TimeZone::UTC)
        .ok()?
        .timestamp()
        .as_second();
    Some((stamp - zone) as f64 + time.fraction)
}

struct Parts<'a> {
    year: i16,
    month: i8,
    day: i8,
    hour: i8,
    minute: i8,
    second: i8,
    fraction: f64,
    zone: &'a str,
}

fn parts(text: &str) -> Option<Parts<'_>> {
    let text = text.trim();
    let b = text.as_bytes();
    let extended = b.get(4) == Some(&b'-');
    let (date, time, rest) = if extended {
        (text.get(..10)?, text.get(11..19)?, text.get(19..)?)
    } else {
        (text.get(..8)?, text.get(9..15)?, text.get(15..)?)
    };
    let mark = if extended { 10 } else { 8 };
    if b.get(mark) != Some(&b'T') {
        return None;
    }
    let digits = |text: &str, separator: char, widths: [usize; 3]| -> Option<[i32; 3]> {
        let mut out = [0; 3];
        let mut at = 0;
        for (i, width) in widths.into_iter().enumerate() {
            if extended && i > 0 {
                if !text.get(at..)?.starts_with(separator) {
                    return None;
                }
                at += 1;
            }
            let part = text.get(at..at + width)?;
            if !part.bytes().all(|c| c.is_ascii_digit()) {
                return None;
            }
            out[i] = part.parse().ok()?;
            at += width;
        }
        (at == text.len()).then_some(out)
    };
    let [year, month, day] = digits(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = digits(time, ':', [2, 2, 2])?;
    let (fraction, zone) = match rest.strip_prefix('.') {
        Some(rest) if extended => {
            let end = rest
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(rest.len());
            let digits = rest.get(..end)?;
            if digits.is_empty() {
                return None;
            }
            (format!("0.{digits}").parse().ok()?, rest.get(end..)?)
        }
        _ => (0.0, rest),
    };
    let zoned = match zone.as_bytes() {
        [] | [b'Z'] => true,
        [b'+' | b'-', a, b, b':', c, d] if extended => {
            [a, b, c, d].iter().all(|x| x.is_ascii_digit())
        }
        _ => false,
    };
    if !zoned {
        return None;
    }
    let (year, month, day) = (
        i16::try_from(year).ok()?,
        i8::try_from(month).ok()?,
        i8::try_from(day).ok()?,
    );
    // 24:00:00 and leap seconds exist in ISO 8601.
    let whole_day = hour == 24 && minute == 0 && second == 0;
    if jiff::civil::Date::new(year, month, day).is_err()
        || !(hour < 24 || whole_day)
        || minute > 59
        || second > 60
    {
        return None;
    }
    Some(Parts {
        year,
        month,
        day,
        hour: (hour % 24) as i8,
        minute: minute as i8,
        second: second as i8,
        fraction,
        zone,
    })
}

/// Whether a text is a GUID: five groups of hexadecimal digits, or 32 of them, perhaps in braces.
pub(crate) fn is_guid(text: &str) -> bool {
    guid(text).is_some()
}

/// The digits of a GUID in lower case, for comparing.
pub(crate) fn guid(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text
        .strip_prefix('{')
        .and_then(|t| t.strip_suffix('}'))
        .or_else(|| text.strip_prefix('(').and_then(|t| t.strip_suffix(')')))
        .unwrap_or(text);
    let groups: Vec<_> = text.split('-').collect();
    let widths: Vec<_> = groups.iter().map(|g| g.len()).collect();
    if widths != [8, 4, 4, 4, 12] && widths != [32] {
        return None;
    }
    if !groups
        .iter()
        .all(|g| g.bytes().all(|c| c.is_ascii_hexdigit()))
    {
        return None;
    }
    Some(groups.concat().to_ascii_lowercase())
}

/// The GUIDs of a comma list; white space and empty tokens are no GUIDs and no errors.
pub(crate) fn guids(text: &str) -> Option<Vec<String>> {
    tokens(text).map(guid).collect()
}

/// A GUID of 32 digits with its dashes.
pub(crate) fn dashed(guid: &str) -> String {
    let part = |a, b| guid.get(a..b).unwrap_or("");
    [
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32),
    ]
    .join("-")
}

/// The tokens of a comma list, trimmed, without empty ones.
pub(crate) fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|t| !t.is_empty())
}

/// Whether a text is a SIP or SIPS URI, as loosely as the document's examples are.
pub(crate) fn is_sip_uri(text: &str) -> bool {
    let text = text.trim();
    let lower = text.get(..5).unwrap_or(text).to_ascii_lowercase();
    let rest = if lower.starts_with("sips:") {
        text.get(5..)
    } else if lower.starts_with("sip:") {
        text.get(4..)
    } else {
        None
    };
    rest.is_some_and(|rest| {
        let rest = rest.trim_start();
        !rest.is_empty() && !rest.contains(char::is_whitespace)
    })
}

/// Whether a text begins with a URI scheme and goes on.
pub(crate) fn has_scheme(text: &str) -> bool {
    let Some((scheme, rest)) = text.trim().split_once(':') else {
        return false;
    };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || b"+-.".contains(&c))
        && !rest.trim_matches('/').is_empty()
}

/// An xs:boolean.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text.trim() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// A Boolean of a prop, in which the examples write `True` and `False`.
pub(crate) fn loose_boolean(text: &str) -> Option<bool> {
    boolean(&text.trim().to_ascii_lowercase())
}

/// Whether a text is an integer in `range`; a sign and leading zeros are allowed.
pub(crate) fn is_integer(text: &str, min: i128, max: i128) -> bool {
    let text = text.trim();
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|c| c.is_ascii_digit()) {
        return false;
    }
    // Wider numbers than i128 cannot lie in any range asked for.
    let trimmed = digits.trim_start_matches('0');
    if trimmed.len() > 30 {
        return min == i128::MIN || max == i128::MAX;
    }
    let value: i128 = if trimmed.is_empty() {
        0
    } else {
        trimmed.parse().unwrap_or(0)
    };
    let value = if text.starts_with('-') { -value } else { value };
    (min..=max).contains(&value)
}

/// A channel URI's domain and GUID (`ma-chan://domain/guid`), in lower case.
pub(crate) fn channel(uri: &str) -> Option<(String, String)> {
    let uri = uri.trim();
    let rest = uri
        .get(..10)
        .filter(|s| s.eq_ignore_ascii_case("ma-chan://"))
        .and_then(|_| uri.get(10..))?;
    let (domain, id) = rest.split_once('/')?;
    Some((domain.to_ascii_lowercase(), guid(id)?))
}

/// Two URIs of rooms or users, as far as letter case of scheme, host and GUID matters to no one.
pub(crate) fn same_uri(a: &str, b: &str) -> bool {
    a.trim().eq_ignore_ascii_case(b.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for good in [
            "2011-04-06T19:23:28.8842419Z",
            "2011-04-06T19:23:28Z",
            "2011-04-06T19:23:28",
            "20110406T192328Z",
            "20110406T192328",
            " 2011-04-06T19:23:28.1+02:00 ",
            "1899-12-30T00:00:00.000Z",
            "2024-02-29T23:59:60Z",
        ] {
            assert!(is_time(good), "{good}");
        }
        for bad in [
            "",
            "2011-13-06T19:23:28Z",
            "2011-02-29T19:23:28Z",
            "2011-04-06 19:23:28Z",
            "2011-04-06T19:23:28.Z",
            "2011-04-06T25:00:00Z",
            "20110406T192328.5Z",
            "2011-04-06T19:23:28ZZ",
            "yesterday",
            "2011-04-06T19:23é:28Z",
        ] {
            assert!(!is_time(bad), "{bad}");
        }
        assert!(is_utc("2011-04-06T19:23:28Z") && !is_utc("2011-04-06T19:23:28+02:00"));
        assert_eq!(seconds("1970-01-02T00:00:00.5Z"), Some(86_400.5));
        assert_eq!(seconds("1970-01-01T02:00:00+02:00"), Some(0.0));
    }

    #[test]
    fn lists_and_numbers() {
        assert_eq!(
            guids("93489432-b6be-4c67-932f-09e39a162072,\n 6E43547F-9152-46e3-ad76-82197694fdb9 ,")
                .unwrap()
                .len(),
            2
        );
        assert!(guids("93489432-b6be-4c67-932f-09e39a162072,x").is_none());
        assert!(is_guid("{93109AFC-D91D-45A1-96F4-6DCBBB31B640}"));
        assert!(!is_guid("6e43547f-9152-46e3-ad76-82197694fdbg"));
        assert!(is_sip_uri("sip:alice@example.com") && is_sip_uri("SIPS:x"));
        assert!(!is_sip_uri("alice@example.com") && !is_sip_uri("sip:") && !is_sip_uri("sip:a b"));
        assert!(is_integer("18446744073709551615", 0, u64::MAX.into()));
        assert!(!is_integer("18446744073709551616", 0, u64::MAX.into()));
        assert!(!is_integer("1.0", 0, 9) && !is_integer("", 0, 9) && is_integer("+007", 0, 9));
        assert_eq!(
            channel("MA-CHAN://Example.com/93489432-B6BE-4c67-932f-09e39a162072"),
            Some((
                "example.com".into(),
                "93489432b6be4c67932f09e39a162072".into()
            ))
        );
        assert!(channel("ma-cat://example.com/93489432-b6be-4c67-932f-09e39a162072").is_none());
    }
}

/*! Values as text: how two are compared, which forms they have, how they are shown. */

use std::time::Duration;

use crate::lang::value::{Kind, Text};

/// Longest value shown in a message.
const SHOWN: usize = 120;

/// Compares by how the wanted value was written.
pub(super) fn equal(have: &str, want: &str, text: &Text) -> bool {
    if have == want {
        return true;
    }
    match text.kind {
        Kind::Bool => boolean(have).is_some() && boolean(have) == boolean(want),
        Kind::Number => match (have.trim().parse::<i128>(), want.trim().parse::<i128>()) {
            (Ok(a), Ok(b)) => a == b,
            _ => false,
        },
        Kind::Text if text.is_identity() => have.trim().eq_ignore_ascii_case(want),
        Kind::Text => {
            // A captured number compares as a number.
            text.plain().is_none()
                && matches!((have.trim().parse::<i128>(), want.parse::<i128>()), (Ok(a), Ok(b)) if a == b)
        }
    }
}

pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.trim() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

pub(super) fn items_of(text: &str) -> Vec<&str> {
    text.split(',')
        .map(str::trim)
        .filter(|i| !i.is_empty())
        .collect()
}

/// Whether a text is a GUID, braces allowed.
pub(super) fn is_guid(text: &str) -> bool {
    let text = text.trim();
    let text = text
        .strip_prefix('{')
        .and_then(|t| t.strip_suffix('}'))
        .unwrap_or(text);
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

/// A time in either form of the schema, and whether it says Z. Without a zone it counts as UTC.
pub fn parse_time(text: &str) -> Option<(jiff::Timestamp, bool)> {
    let text = text.trim();
    let utc = text.ends_with('Z');
    let mut text = text.to_owned();
    let date = text.split('T').next()?;
    if date.len() == 8 && date.bytes().all(|b| b.is_ascii_digit()) {
        // Basic form: 20110406T192328.
        let (d, t) = text.split_once('T')?;
        let digits = t.get(..6)?;
        let rest = t.get(6..)?;
        text = format!(
            "{}-{}-{}T{}:{}:{}{rest}",
            d.get(..4)?,
            d.get(4..6)?,
            d.get(6..8)?,
            digits.get(..2)?,
            digits.get(2..4)?,
            digits.get(4..6)?
        );
    }
    let zoned = utc || text.get(19..).is_some_and(|rest| rest.contains(['+', '-']));
    if !zoned {
        text.push('Z');
    }
    text.parse().ok().map(|time| (time, utc))
}

/// A value short enough for one line.
pub fn clip(text: &str) -> String {
    let mut out: String = text
        .chars()
        .take(SHOWN)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().count() > SHOWN {
        out.push('…');
    }
    out
}

/// A duration in words.
pub fn span_text(duration: Duration) -> String {
    if duration.subsec_millis() == 0 {
        format!("{} s", duration.as_secs())
    } else {
        format!("{} ms", duration.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_every_form_are_read() {
        for text in [
            "2011-04-06T19:23:28.8842419Z",
            "2011-04-06T19:23:28Z",
            "2011-04-06T19:23:28",
            "2011-04-06T21:23:28+02:00",
            "20110406T192328Z",
            "20110406T192328",
        ] {
            let (time, utc) = parse_time(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(time.as_second(), 1_302_117_808, "{text}");
            assert_eq!(utc, text.ends_with('Z'));
        }
        for text in ["", "yesterday", "2011-13-06T19:23:28Z", "2011-04-06"] {
            assert!(parse_time(text).is_none(), "{text}");
        }
    }
}

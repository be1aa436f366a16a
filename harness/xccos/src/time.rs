/*! The clock as both models see it.

Takes readings from whoever owns the clock; gives them to the models and writes
them as XCCOS times. Nothing in this crate reads a clock of its own.
*/

use std::time::Duration;

/// One clock reading: a monotonic one for timers, a calendar one for what is written into messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Time since the run began; never goes back.
    pub since: Duration,
    /// Calendar time.
    pub wall: jiff::Timestamp,
}

impl Now {
    /// A reading `since` after `start`.
    pub fn after(start: jiff::Timestamp, since: Duration) -> Now {
        let wall = jiff::SignedDuration::try_from(since)
            .ok()
            .and_then(|d| start.checked_add(d).ok())
            .unwrap_or(start);
        Now { since, wall }
    }

    /// The calendar time in the form of every example of the document: extended, UTC, milliseconds, `Z` (2.2.2.2.9).
    pub fn stamp(&self) -> String {
        stamp(self.wall)
    }
}

/// A calendar time in the extended form with milliseconds and `Z`.
pub fn stamp(time: jiff::Timestamp) -> String {
    format!("{time:.3}")
}

/// Reads an XCCOS time: extended or basic ISO 8601, any fraction, `Z`, an offset, or nothing for UTC.
pub fn parse(text: &str) -> Option<jiff::Timestamp> {
    let text = text.trim();
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    let plain = text.strip_suffix('Z').unwrap_or(text);
    let civil: jiff::civil::DateTime = plain.parse().ok()?;
    let zoned = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(zoned.timestamp())
}

/// Times as text in stored settings, with all their digits.
pub(crate) mod text {
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(time: &jiff::Timestamp, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(time)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<jiff::Timestamp, D::Error> {
        let text = String::deserialize(input)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_extended_utc_with_milliseconds() {
        let start: jiff::Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        assert_eq!(
            Now::after(start, Duration::from_millis(1_500)).stamp(),
            "2026-01-02T03:04:06.500Z"
        );
        assert_eq!(stamp(start), "2026-01-02T03:04:05.000Z");
    }

    #[test]
    fn times_of_every_seen_form_are_read() {
        for text in [
            "2011-10-27T21:09:50.25Z",
            "2011-10-27T21:09:50.2500000Z",
            "2011-10-27T21:09:50.25",
            "2011-10-27T23:09:50.25+02:00",
            "20111027T210950.25Z",
            " 2011-10-27T21:09:50.25Z ",
        ] {
            assert_eq!(
                stamp(parse(text).expect(text)),
                "2011-10-27T21:09:50.250Z",
                "{text}"
            );
        }
        assert_eq!(
            stamp(parse("20111027T210950Z").unwrap()),
            "2011-10-27T21:09:50.000Z"
        );
        assert_eq!(parse("2011-13-27T21:09:50Z"), None);
        assert_eq!(parse("yesterday"), None);
    }
}

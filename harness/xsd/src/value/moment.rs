//! The nine date and time types: lexical forms with time zones, points on the time line, and their partial order.

use std::cmp::Ordering;

use super::Primitive;

/// A value of a date or time type as the instant it starts at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Moment {
    kind: Primitive,
    /// Seconds from 0001-01-01T00:00:00, in UTC when there is a zone, else local.
    seconds: i128,
    /// Billionths of a billionth of a second.
    atto: u64,
    zoned: bool,
}

/// Reads the lexical form of one of the nine types.
pub(crate) fn parse(kind: Primitive, text: &str) -> Option<Moment> {
    let mut scan = Scan { rest: text };
    let mut fields = Fields::default();
    match kind {
        Primitive::DateTime => {
            scan.year(&mut fields)?;
            scan.dash_month(&mut fields)?;
            scan.dash_day(&mut fields)?;
            scan.exact("T")?;
            scan.time(&mut fields)?;
        }
        Primitive::Date => {
            scan.year(&mut fields)?;
            scan.dash_month(&mut fields)?;
            scan.dash_day(&mut fields)?;
        }
        Primitive::Time => scan.time(&mut fields)?,
        Primitive::GYearMonth => {
            scan.year(&mut fields)?;
            scan.dash_month(&mut fields)?;
        }
        Primitive::GYear => scan.year(&mut fields)?,
        Primitive::GMonthDay => {
            scan.exact("-")?;
            scan.dash_month(&mut fields)?;
            scan.dash_day(&mut fields)?;
        }
        Primitive::GDay => {
            scan.exact("--")?;
            scan.dash_day(&mut fields)?;
        }
        Primitive::GMonth => {
            scan.exact("-")?;
            scan.dash_month(&mut fields)?;
        }
        _ => return None,
    }
    let zone = scan.zone()?;
    if !scan.rest.is_empty() || fields.day > days_in(fields.year, fields.month) {
        return None;
    }
    if kind == Primitive::Time && fields.hour == 24 {
        fields.hour = 0;
    }
    let days = days_before(fields.year, fields.month).saturating_add(i128::from(fields.day) - 1);
    let seconds = (days.saturating_mul(86_400))
        .saturating_add(i128::from(
            fields.hour * 3600 + fields.minute * 60 + fields.second,
        ))
        .saturating_sub(i128::from(zone.unwrap_or(0)) * 60);
    Some(Moment {
        kind,
        seconds,
        atto: fields.atto,
        zoned: zone.is_some(),
    })
}

impl Moment {
    /// The partial order of Part 2, 3.2.7.4: values with and without a zone compare only when 14 hours either way
    /// cannot change the answer.
    pub(crate) fn compare(&self, other: &Moment) -> Option<Ordering> {
        if self.kind != other.kind {
            return None;
        }
        let ours = (self.seconds, self.atto);
        let theirs = (other.seconds, other.atto);
        const DAY_PART: i128 = 14 * 3600;
        match (self.zoned, other.zoned) {
            (true, true) | (false, false) => Some(ours.cmp(&theirs)),
            (true, false) => apart(ours, theirs, DAY_PART),
            (false, true) => apart(theirs, ours, DAY_PART).map(Ordering::reverse),
        }
    }
}

fn apart(zoned: (i128, u64), local: (i128, u64), margin: i128) -> Option<Ordering> {
    if zoned < (local.0 - margin, local.1) {
        Some(Ordering::Less)
    } else if zoned > (local.0 + margin, local.1) {
        Some(Ordering::Greater)
    } else {
        None
    }
}

struct Fields {
    year: i128,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    atto: u64,
}

impl Default for Fields {
    /// The reference date for types that leave parts out: a leap year, so that --02-29 exists.
    fn default() -> Self {
        Fields {
            year: 1972,
            month: 1,
            day: 1,
            hour: 0,
            minute: 0,
            second: 0,
            atto: 0,
        }
    }
}

struct Scan<'t> {
    rest: &'t str,
}

impl Scan<'_> {
    fn exact(&mut self, text: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(text)?;
        Some(())
    }

    fn two(&mut self) -> Option<u32> {
        let bytes = self.rest.as_bytes();
        let (a, b) = (*bytes.first()?, *bytes.get(1)?);
        if !a.is_ascii_digit() || !b.is_ascii_digit() {
            return None;
        }
        self.rest = &self.rest[2..];
        Some(u32::from(a - b'0') * 10 + u32::from(b - b'0'))
    }

    fn year(&mut self, fields: &mut Fields) -> Option<()> {
        let negative = self.rest.starts_with('-');
        if negative {
            self.rest = &self.rest[1..];
        }
        let length = digits(self.rest);
        let text = &self.rest[..length];
        if length < 4 || (length > 4 && text.starts_with('0')) {
            return None;
        }
        let year = number(text);
        if year == 0 {
            return None;
        }
        self.rest = &self.rest[length..];
        // There is no year 0000 in XSD 1.0. Part 2, appendix E, reckons with years as they are written, so that
        // -0004 is a leap year; the gap this leaves changes no order.
        fields.year = if negative { -year } else { year };
        Some(())
    }

    fn dash_month(&mut self, fields: &mut Fields) -> Option<()> {
        self.exact("-")?;
        fields.month = self.two()?;
        (1..=12).contains(&fields.month).then_some(())
    }

    fn dash_day(&mut self, fields: &mut Fields) -> Option<()> {
        self.exact("-")?;
        fields.day = self.two()?;
        (1..=31).contains(&fields.day).then_some(())
    }

    fn time(&mut self, fields: &mut Fields) -> Option<()> {
        fields.hour = self.two()?;
        self.exact(":")?;
        fields.minute = self.two()?;
        self.exact(":")?;
        fields.second = self.two()?;
        if let Some(rest) = self.rest.strip_prefix('.') {
            let length = digits(rest);
            if length == 0 {
                return None;
            }
            fields.atto = fraction(&rest[..length]);
            self.rest = &rest[length..];
        }
        let midnight =
            fields.hour == 24 && fields.minute == 0 && fields.second == 0 && fields.atto == 0;
        (midnight || (fields.hour < 24 && fields.minute < 60 && fields.second < 60)).then_some(())
    }

    /// Minutes east of UTC, if a zone is given; `None` outside when it is malformed.
    fn zone(&mut self) -> Option<Option<i32>> {
        if self.rest.is_empty() {
            return Some(None);
        }
        if self.exact("Z").is_some() {
            return Some(Some(0));
        }
        let sign = match self.rest.as_bytes().first()? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        self.rest = &self.rest[1..];
        let hours = self.two()?;
        self.exact(":")?;
        let minutes = self.two()?;
        let total = hours * 60 + minutes;
        (minutes < 60 && total <= 14 * 60).then_some(Some(sign * total as i32))
    }
}

/// How many ASCII digits a text starts with.
pub(super) fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// The value of digits; numbers beyond 30 digits stay at a value larger than any calendar needs.
pub(super) fn number(text: &str) -> i128 {
    const CEILING: i128 = 10_i128.pow(30);
    text.bytes().fold(0, |value: i128, byte| {
        (value * 10 + i128::from(byte - b'0')).min(CEILING)
    })
}

/// The first 18 digits after the point.
pub(super) fn fraction(text: &str) -> u64 {
    let kept = text.get(..18).unwrap_or(text);
    let value = kept
        .bytes()
        .fold(0, |value: u64, byte| value * 10 + u64::from(byte - b'0'));
    value * 10_u64.pow(18 - kept.len() as u32)
}

fn leap(year: i128) -> bool {
    year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0)
}

fn days_in(year: i128, month: u32) -> u32 {
    match month {
        2 if leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 0001-01-01 to the first of a month, in the proleptic Gregorian calendar.
pub(super) fn days_before(year: i128, month: u32) -> i128 {
    let whole = year - 1;
    let leaps = whole.div_euclid(4) - whole.div_euclid(100) + whole.div_euclid(400);
    let months: u32 = (1..month).map(|month| days_in(year, month)).sum();
    whole.saturating_mul(365) + leaps + i128::from(months)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Primitive::*;

    fn order(kind: Primitive, a: &str, b: &str) -> Option<Ordering> {
        parse(kind, a).unwrap().compare(&parse(kind, b).unwrap())
    }

    #[test]
    fn lexical_forms() {
        for (kind, good, bad) in [
            (DateTime, "2004-02-29T24:00:00Z", "2003-02-29T00:00:00"),
            (
                DateTime,
                "-0001-01-01T00:00:00.1234567-14:00",
                "0000-01-01T00:00:00",
            ),
            (DateTime, "12004-01-01T23:59:59", "02004-01-01T23:59:59"),
            (DateTime, "2004-01-01T23:59:59", "2004-01-01T23:59:60"),
            (Date, "2004-12-31+14:00", "2004-12-31+14:01"),
            (Date, "-0004-02-29", "-0005-02-29"),
            (Time, "00:00:00.5", "24:00:01"),
            (GYearMonth, "2004-12Z", "2004-13"),
            (GYear, "1999", "199"),
            (GMonthDay, "--02-29", "--02-30"),
            (GDay, "---31", "---32"),
            (GMonth, "--12", "--12--"),
        ] {
            assert!(parse(kind, good).is_some(), "{good}");
            assert!(parse(kind, bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn order_is_partial_between_zoned_and_local() {
        let a = "2000-01-15T00:00:00";
        assert_eq!(
            order(DateTime, a, "2000-02-15T00:00:00"),
            Some(Ordering::Less)
        );
        assert_eq!(order(DateTime, a, "2000-01-15T12:00:00Z"), None);
        assert_eq!(
            order(DateTime, a, "2000-01-16T12:00:00Z"),
            Some(Ordering::Less)
        );
        assert_eq!(
            order(
                DateTime,
                "2000-01-01T01:00:00+01:00",
                "2000-01-01T00:00:00Z"
            ),
            Some(Ordering::Equal)
        );
        assert_eq!(
            order(Date, "2002-10-10+13:00", "2002-10-09-11:00"),
            Some(Ordering::Equal)
        );
        assert_eq!(
            order(DateTime, "2000-12-31T24:00:00Z", "2001-01-01T00:00:00Z"),
            Some(Ordering::Equal)
        );
    }
}

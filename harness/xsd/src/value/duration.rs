//! xs:duration: months and seconds, ordered by four reference dates.

use std::cmp::Ordering;

use super::moment::{days_before, digits, fraction, number};

/// A duration as whole months, whole seconds and a fraction, all of one sign.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Duration {
    months: i128,
    seconds: i128,
    atto: i64,
}

/// Reads `-PnYnMnDTnHnMnS` (Part 2, 3.2.6.1).
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let text = text.strip_prefix('P')?;
    let (date, time) = match text.split_once('T') {
        Some((date, time)) if !time.is_empty() => (date, time),
        Some(_) => return None,
        None => (text, ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let (mut rest, mut months, mut seconds, mut atto) = (date, 0_i128, 0_i128, 0);
    for (letter, unit, is_month) in [('Y', 12, true), ('M', 1, true), ('D', 86_400, false)] {
        if let Some((value, after)) = field(rest, letter) {
            let total = if is_month { &mut months } else { &mut seconds };
            *total = total.saturating_add(value.saturating_mul(unit));
            rest = after;
        }
    }
    if !rest.is_empty() {
        return None;
    }
    rest = time;
    for (letter, unit) in [('H', 3600), ('M', 60), ('S', 1)] {
        if let Some((value, after)) = field(rest, letter) {
            seconds = seconds.saturating_add(value.saturating_mul(unit));
            rest = after;
        }
    }
    if !rest.is_empty() {
        let whole = digits(rest);
        let decimals = rest[whole..].strip_prefix('.')?.strip_suffix('S')?;
        if whole == 0 || decimals.is_empty() || digits(decimals) != decimals.len() {
            return None;
        }
        seconds = seconds.saturating_add(number(&rest[..whole]));
        atto = fraction(decimals) as i64;
    }
    Some(Duration {
        months: months * sign,
        seconds: seconds * sign,
        atto: atto * sign as i64,
    })
}

fn field(text: &str, letter: char) -> Option<(i128, &str)> {
    let length = digits(text);
    let rest = text[length..].strip_prefix(letter)?;
    (length > 0).then(|| (number(&text[..length]), rest))
}

impl Duration {
    /// The partial order of Part 2, 3.2.6.2: an answer only if all four reference dates give the same.
    pub(crate) fn compare(&self, other: &Duration) -> Option<Ordering> {
        let mut orders = [(1696, 9), (1697, 2), (1903, 3), (1903, 7)]
            .map(|(year, month)| self.after(year, month).cmp(&other.after(year, month)))
            .into_iter();
        let first = orders.next()?;
        orders.all(|order| order == first).then_some(first)
    }

    fn after(&self, year: i128, month: i128) -> (i128, i64) {
        let months = (year * 12 + month - 1).saturating_add(self.months);
        let year = months.div_euclid(12);
        let month = months.rem_euclid(12) as u32 + 1;
        let seconds = days_before(year, month)
            .saturating_mul(86_400)
            .saturating_add(self.seconds);
        if self.atto < 0 {
            (seconds - 1, self.atto + 1_000_000_000_000_000_000)
        } else {
            (seconds, self.atto)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_and_order() {
        let cmp = |a, b| parse(a).unwrap().compare(&parse(b).unwrap());
        assert_eq!(cmp("P1Y", "P12M"), Some(Ordering::Equal));
        assert_eq!(cmp("P1M", "P30D"), None);
        assert_eq!(cmp("P1M", "P27D"), Some(Ordering::Greater));
        assert_eq!(cmp("PT36H", "P1DT12H"), Some(Ordering::Equal));
        assert_eq!(cmp("-PT1.5S", "-PT1.4S"), Some(Ordering::Less));
        assert_eq!(cmp("-PT0.5S", "PT0S"), Some(Ordering::Less));
        for bad in [
            "P", "PT", "P1YT", "P1S", "PT1.S", "PT.5S", "1Y", "P-1Y", "P1D1Y", "+P1D",
        ] {
            assert!(parse(bad).is_none(), "{bad}");
        }
    }
}

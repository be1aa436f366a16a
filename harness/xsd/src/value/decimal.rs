//! xs:decimal and xs:integer of any length, compared digit by digit without arithmetic.

use std::cmp::Ordering;

/// The digits of a decimal numeral without leading zeros, trailing fraction zeros or a sign on zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parts<'t> {
    pub(crate) negative: bool,
    pub(crate) whole: &'t str,
    pub(crate) fraction: &'t str,
}

/// An owned decimal value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Decimal {
    negative: bool,
    whole: Box<str>,
    fraction: Box<str>,
}

/// Splits the lexical form of an xs:decimal (Part 2, 3.2.3.1).
pub(crate) fn parts(text: &str) -> Option<Parts<'_>> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || whole.len() + fraction.len() == 0 {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    Some(Parts {
        negative: negative && (!whole.is_empty() || !fraction.is_empty()),
        whole,
        fraction,
    })
}

/// Whether a text is an optional sign and digits.
pub(crate) fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The value of an integer numeral when it fits.
pub(crate) fn small(text: &str) -> Option<i128> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.is_empty() || digits.len() > 38 {
        return None;
    }
    if digits.len() <= 18 {
        let mut value = 0_i64;
        for byte in digits.bytes() {
            if !byte.is_ascii_digit() {
                return None;
            }
            value = value * 10 + i64::from(byte - b'0');
        }
        return Some(i128::from(if negative { -value } else { value }));
    }
    let mut value = 0_i128;
    for byte in digits.bytes() {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value
            .checked_mul(10)?
            .checked_add(i128::from(byte - b'0'))?;
    }
    Some(if negative { -value } else { value })
}

impl Parts<'_> {
    /// Digits that count for `totalDigits`.
    pub(crate) fn total_digits(&self) -> usize {
        (self.whole.len() + self.fraction.len()).max(1)
    }

    pub(crate) fn compare(&self, other: &Parts<'_>) -> Ordering {
        match (self.negative, other.negative) {
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => self.magnitude(other),
            (true, true) => other.magnitude(self),
        }
    }

    fn magnitude(&self, other: &Parts<'_>) -> Ordering {
        (self.whole.len().cmp(&other.whole.len()))
            .then_with(|| self.whole.cmp(other.whole))
            .then_with(|| self.fraction.cmp(other.fraction))
    }

    pub(crate) fn to_owned(self) -> Decimal {
        Decimal {
            negative: self.negative,
            whole: self.whole.into(),
            fraction: self.fraction.into(),
        }
    }
}

impl Decimal {
    pub(crate) fn parts(&self) -> Parts<'_> {
        Parts {
            negative: self.negative,
            whole: &self.whole,
            fraction: &self.fraction,
        }
    }

    /// The value when it is an integer that fits.
    pub(crate) fn to_small(&self) -> Option<i128> {
        if !self.fraction.is_empty() {
            return None;
        }
        if self.whole.is_empty() {
            return Some(0);
        }
        let value = small(&self.whole)?;
        Some(if self.negative { -value } else { value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_compare_across_spellings() {
        let cmp = |a, b| parts(a).unwrap().compare(&parts(b).unwrap());
        assert_eq!(cmp("+01.50", "1.5"), Ordering::Equal);
        assert_eq!(cmp("-0", "0.0"), Ordering::Equal);
        assert_eq!(cmp("-2", "-1.9"), Ordering::Less);
        assert_eq!(
            cmp("1000000000000000000000000000000000000000001", "999"),
            Ordering::Greater
        );
        assert_eq!(cmp(".05", ".5"), Ordering::Less);
        for bad in ["", "+", ".", "1e3", "1,0", "--1", "١"] {
            assert!(parts(bad).is_none(), "{bad}");
        }
    }
}

/*! Does a message fit a pattern, and where does it differ?

Takes patterns of the plan and elements, SIP messages or JSON as they arrived;
gives nothing (it fits) or the [`Mismatch`] that came farthest. Values a
pattern saves are collected and only kept by the caller when everything fits.
*/

use std::time::Duration;

use regex::Regex;
use xccos::payload::Element;

use crate::lang::value::{Kind, NoValue, Scope, Text};
use crate::plan::*;

/// Longest value shown in a message.
const SHOWN: usize = 120;

/// The first thing that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Where: `/xccos/rpl[1]/resp/@code`.
    pub path: String,
    /// Byte range in the payload, when there is something to point at.
    pub span: Option<(usize, usize)>,
    /// What is there and what was wanted.
    pub message: String,
    /// How much fitted before it; the nearest candidate is the one with the most.
    pub depth: u32,
    /// Nobody can tell whether it differs: a value to compare with was never given.
    pub missing: bool,
}

impl Mismatch {
    /// Keeps the one that says more: what cannot be compared at all, else what came farthest.
    pub fn keep(nearest: &mut Option<Box<Mismatch>>, other: Box<Mismatch>) {
        let better = match nearest {
            None => true,
            Some(n) if n.missing || other.missing => !n.missing,
            Some(n) => n.depth < other.depth,
        };
        if better {
            *nearest = Some(other);
        }
    }
}

/// What matching needs to know and what it collects.
pub struct Matcher<'a, S: Scope> {
    /// Values of expressions.
    pub scope: &'a S,
    /// The present, for times.
    pub now: jiff::Timestamp,
    /// Values saved so far.
    pub saved: Vec<(String, String)>,
    /// How many conditions held.
    pub depth: u32,
}

type Outcome = Result<(), Box<Mismatch>>;

/// Names and values that a pattern keeps.
type Saved = Vec<(String, String)>;

impl<'a, S: Scope> Matcher<'a, S> {
    /// A matcher with nothing collected.
    pub fn new(scope: &'a S, now: jiff::Timestamp) -> Matcher<'a, S> {
        Matcher {
            scope,
            now,
            saved: Vec::new(),
            depth: 0,
        }
    }

    fn differ(&self, path: &str, span: Option<(usize, usize)>, message: String) -> Outcome {
        Err(Box::new(Mismatch {
            path: path.to_owned(),
            span,
            message,
            depth: self.depth,
            missing: false,
        }))
    }

    /// Whether an element fits.
    pub fn element(&mut self, element: &Element, pattern: &Pattern, path: &str) -> Outcome {
        let whole = Some((element.span.start, element.span.end));
        for (name, test, _) in &pattern.attrs {
            let attr = element.attr(name);
            let span = attr.map_or(whole, |a| Some((a.span.start, a.span.end)));
            let path = format!("{path}/@{name}");
            self.value(attr.map(|a| a.value.as_str()), test, &path, span)?;
        }
        if let Some((test, _)) = &pattern.text {
            let content = element.content();
            // White space around text is no difference between implementations.
            let content = if test
                .conditions
                .iter()
                .any(|c| matches!(c, Condition::Equals(_)))
            {
                content
            } else {
                content.trim().to_owned()
            };
            self.value(Some(&content), test, path, whole)?;
        }
        // Siblings with one name are matched to distinct children.
        let mut taken: Vec<(usize, String)> = Vec::new();
        for child in &pattern.children {
            self.child(element, child, path, &mut taken)?;
        }
        Ok(())
    }

    fn child(
        &mut self,
        parent: &Element,
        wanted: &ChildPattern,
        path: &str,
        taken: &mut Vec<(usize, String)>,
    ) -> Outcome {
        let whole = Some((parent.span.start, parent.span.end));
        let name = wanted.name.as_str();
        let mut nearest: Option<Box<Mismatch>> = None;
        let mut fitting = 0;
        let mut total = 0;
        let before = (self.depth, self.saved.len());
        let mut best: Option<(usize, u32, Saved)> = None;
        let considered = match wanted.quantity {
            Quantity::First => 1,
            _ => usize::MAX,
        };
        for (index, child) in parent.all(name).take(considered).enumerate() {
            total += 1;
            let child_path = format!("{path}/{name}[{}]", index + 1);
            self.depth = before.0 + 1;
            self.saved.truncate(before.1);
            match self.element(child, &wanted.pattern, &child_path) {
                Ok(()) => {
                    fitting += 1;
                    let free = !taken.iter().any(|(i, n)| *i == index && n == name);
                    if free && best.is_none() {
                        best = Some((index, self.depth, self.saved.split_off(before.1)));
                    }
                }
                Err(mismatch) => Mismatch::keep(&mut nearest, mismatch),
            }
        }
        self.depth = before.0;
        self.saved.truncate(before.1);
        if best.is_none() && nearest.as_ref().is_some_and(|n| n.missing) {
            return nearest.map_or(Ok(()), Err);
        }
        match &wanted.quantity {
            Quantity::None if fitting > 0 => self.differ(
                path,
                whole,
                format!("there is a `{name}` that should not be there"),
            ),
            Quantity::None => Ok(()),
            Quantity::Each if total == 0 => {
                self.differ(path, whole, format!("there is no `{name}`"))
            }
            Quantity::Each if fitting < total => match nearest {
                Some(mismatch) => Err(mismatch),
                None => Ok(()),
            },
            Quantity::Count(number) => {
                let count = fitting.to_string();
                if self.number(&count, number)? {
                    Ok(())
                } else {
                    let wanted = self.wanted(number);
                    self.differ(
                        path,
                        whole,
                        format!("{count} times `{name}`, wanted {wanted}"),
                    )
                }
            }
            Quantity::Some | Quantity::Each | Quantity::First => match best {
                Some((index, depth, saved)) => {
                    taken.push((index, name.to_owned()));
                    self.depth = depth;
                    self.saved.extend(saved);
                    Ok(())
                }
                None => match nearest {
                    Some(mismatch) => Err(mismatch),
                    None if fitting > 0 => self.differ(
                        path,
                        whole,
                        format!("too few `{name}`: another pattern took the one that fits"),
                    ),
                    None => self.differ(path, whole, format!("there is no `{name}`")),
                },
            },
        }
    }

    fn text(&self, text: &Text) -> Result<String, Box<Mismatch>> {
        text.eval(self.scope).map_err(|why| {
            Box::new(Mismatch {
                path: String::new(),
                span: None,
                message: why.to_string(),
                depth: self.depth,
                missing: matches!(why, NoValue::Missing(_)),
            })
        })
    }

    /// Whether a number that arrived fits.
    pub fn number(&self, value: &str, number: &Number) -> Result<bool, Box<Mismatch>> {
        let Ok(have) = value.trim().parse::<i128>() else {
            return Ok(false);
        };
        let Number::Compare(comparison, text) = number else {
            return Ok(true);
        };
        let text = self.text(text)?;
        let Ok(want) = text.trim().parse::<i128>() else {
            return Ok(false);
        };
        Ok(match comparison {
            Comparison::Equal => have == want,
            Comparison::NotEqual => have != want,
            Comparison::Less => have < want,
            Comparison::LessOrEqual => have <= want,
            Comparison::Greater => have > want,
            Comparison::GreaterOrEqual => have >= want,
        })
    }

    /// A number test in words.
    pub fn wanted(&self, number: &Number) -> String {
        match number {
            Number::Any => "a whole number".to_owned(),
            Number::Compare(comparison, text) => {
                let text = text.eval(self.scope).unwrap_or_default();
                let sign = match comparison {
                    Comparison::Equal => return text,
                    Comparison::NotEqual => "not",
                    Comparison::Less => "less than",
                    Comparison::LessOrEqual => "at most",
                    Comparison::Greater => "more than",
                    Comparison::GreaterOrEqual => "at least",
                };
                format!("{sign} {text}")
            }
        }
    }

    /// Whether a value fits; none is a value that is not there.
    pub fn value(
        &mut self,
        value: Option<&str>,
        test: &Test,
        path: &str,
        span: Option<(usize, usize)>,
    ) -> Outcome {
        for condition in &test.conditions {
            self.condition(value, condition, path, span)?;
            self.depth += 1;
        }
        if let (Some(name), Some(value)) = (&test.save, value) {
            self.saved.push((name.clone(), value.to_owned()));
        } else if test.save.is_some() && test.conditions.is_empty() {
            return self.differ(path, span, "is not there".to_owned());
        }
        Ok(())
    }

    fn condition(
        &mut self,
        value: Option<&str>,
        condition: &Condition,
        path: &str,
        span: Option<(usize, usize)>,
    ) -> Outcome {
        let Some(have) = value else {
            return match condition {
                Condition::Absent => Ok(()),
                Condition::OneOf(tests) => {
                    for test in tests {
                        if self.value(None, test, path, span).is_ok() {
                            return Ok(());
                        }
                    }
                    self.differ(path, span, "is not there".to_owned())
                }
                Condition::Not(test)
                    if !test
                        .conditions
                        .iter()
                        .any(|c| matches!(c, Condition::Absent)) =>
                {
                    Ok(())
                }
                _ => self.differ(path, span, "is not there".to_owned()),
            };
        };
        let shown = clip(have);
        let wanted = match condition {
            Condition::Absent => "nothing there".to_owned(),
            Condition::Present => return Ok(()),
            Condition::Equals(text) => {
                let want = self.text(text)?;
                if equal(have, &want, text) {
                    return Ok(());
                }
                format!("\"{}\"", clip(&want))
            }
            Condition::Integer(number) => {
                if self.number(have, number)? {
                    return Ok(());
                }
                self.wanted(number)
            }
            Condition::Items(number) => {
                if self.number(have, number)? {
                    return Ok(());
                }
                format!("{} items", self.wanted(number))
            }
            Condition::Time(test) => {
                if self.time(have, *test) {
                    return Ok(());
                }
                match test {
                    TimeTest::Any => "an ISO 8601 time".to_owned(),
                    TimeTest::Utc => "an ISO 8601 time in UTC with Z".to_owned(),
                    TimeTest::Near(tolerance) => {
                        format!("a time within {} s of {}", tolerance.as_secs(), self.now)
                    }
                }
            }
            Condition::Regex(regex) => {
                if regex.is_match(have) {
                    return Ok(());
                }
                format!("something like /{regex}/")
            }
            Condition::RegexText(text) => {
                let pattern = self.text(text)?;
                match Regex::new(&pattern) {
                    Ok(regex) if regex.is_match(have) => return Ok(()),
                    _ => format!("something like /{}/", clip(&pattern)),
                }
            }
            Condition::OneOf(tests) => {
                let mut last = None;
                for test in tests {
                    match self.value(value, test, path, span) {
                        Ok(()) => return Ok(()),
                        Err(mismatch) if mismatch.missing => return Err(mismatch),
                        Err(mismatch) => last = Some(mismatch),
                    }
                }
                let all: Vec<String> = tests
                    .iter()
                    .filter_map(|t| match t.conditions.as_slice() {
                        [Condition::Equals(text)] => text.eval(self.scope).ok(),
                        _ => None,
                    })
                    .collect();
                match last {
                    Some(mismatch) if all.is_empty() => return Err(mismatch),
                    _ => format!("one of {}", all.join(", ")),
                }
            }
            Condition::Not(test) => {
                match self.value(value, test, path, span) {
                    Ok(()) => {}
                    Err(mismatch) if mismatch.missing => return Err(mismatch),
                    Err(_) => return Ok(()),
                }
                "something else".to_owned()
            }
            Condition::Boolean(want) => {
                if boolean(have) == Some(*want) {
                    return Ok(());
                }
                want.to_string()
            }
            Condition::Guid => {
                if is_guid(have) {
                    return Ok(());
                }
                "a GUID".to_owned()
            }
            Condition::Contains(text, wanted) => {
                let want = self.text(text)?;
                if have.to_lowercase().contains(&want.to_lowercase()) == *wanted {
                    return Ok(());
                }
                let with = if *wanted { "with" } else { "without" };
                format!("something {with} \"{}\"", clip(&want))
            }
            Condition::HasBits(bits) => {
                if have
                    .trim()
                    .parse::<i64>()
                    .is_ok_and(|n| n & i64::from(*bits) == i64::from(*bits))
                {
                    return Ok(());
                }
                format!("a number with all bits of {bits}")
            }
            Condition::LacksBits(bits) => {
                if have
                    .trim()
                    .parse::<i64>()
                    .is_ok_and(|n| n & i64::from(*bits) == 0)
                {
                    return Ok(());
                }
                format!("a number without the bits of {bits}")
            }
            Condition::Has(items) => {
                let list = items_of(have);
                let mut missing = Vec::new();
                for item in items {
                    let want = self.text(item)?;
                    if !list.iter().any(|i| equal(i, &want, item)) {
                        missing.push(want);
                    }
                }
                if missing.is_empty() {
                    return Ok(());
                }
                format!("a list with {}", missing.join(", "))
            }
            Condition::Lacks(items) => {
                let list = items_of(have);
                let mut there = Vec::new();
                for item in items {
                    let want = self.text(item)?;
                    if list.iter().any(|i| equal(i, &want, item)) {
                        there.push(want);
                    }
                }
                if there.is_empty() {
                    return Ok(());
                }
                format!("a list without {}", there.join(", "))
            }
        };
        self.differ(path, span, format!("is \"{shown}\", wanted {wanted}"))
    }

    fn time(&self, text: &str, test: TimeTest) -> bool {
        let Some((time, utc)) = parse_time(text) else {
            return false;
        };
        match test {
            TimeTest::Any => true,
            TimeTest::Utc => utc,
            TimeTest::Near(tolerance) => {
                let apart = time.duration_since(self.now).unsigned_abs();
                apart <= tolerance
            }
        }
    }

    /// Whether JSON fits.
    pub fn json(
        &mut self,
        value: Option<&serde_json::Value>,
        pattern: &JsonPattern,
        path: &str,
    ) -> Outcome {
        use serde_json::Value as V;
        match pattern {
            JsonPattern::Null => match value {
                None | Some(V::Null) => Ok(()),
                Some(other) => self.differ(
                    path,
                    None,
                    format!("is {}, wanted null", clip(&other.to_string())),
                ),
            },
            JsonPattern::Test(test) => {
                let counts = test
                    .conditions
                    .iter()
                    .any(|c| matches!(c, Condition::Items(_)));
                let text = match value {
                    None | Some(V::Null) => None,
                    Some(V::Array(list)) if counts => Some(list.len().to_string()),
                    Some(V::String(s)) => Some(s.clone()),
                    Some(other) => Some(other.to_string()),
                };
                self.value(text.as_deref(), test, path, None)
            }
            JsonPattern::Map(entries) => {
                let Some(V::Object(map)) = value else {
                    return self.differ(path, None, "is no object".to_owned());
                };
                for (key, pattern) in entries {
                    self.json(map.get(key), pattern, &format!("{path}/{key}"))?;
                    self.depth += 1;
                }
                Ok(())
            }
            JsonPattern::List(items) => {
                let Some(V::Array(list)) = value else {
                    return self.differ(path, None, "is no list".to_owned());
                };
                if items.is_empty() && !list.is_empty() {
                    return self.differ(
                        path,
                        None,
                        format!("has {} items, wanted none", list.len()),
                    );
                }
                let mut taken = vec![false; list.len()];
                for pattern in items {
                    let mut nearest: Option<Box<Mismatch>> = None;
                    let mut found = false;
                    let depth = self.depth;
                    for (i, item) in list.iter().enumerate() {
                        if taken[i] {
                            continue;
                        }
                        self.depth = depth;
                        let saved = self.saved.len();
                        match self.json(Some(item), pattern, &format!("{path}/{i}")) {
                            Ok(()) => {
                                taken[i] = true;
                                found = true;
                                break;
                            }
                            Err(mismatch) => {
                                self.saved.truncate(saved);
                                Mismatch::keep(&mut nearest, mismatch);
                            }
                        }
                    }
                    if !found {
                        return match nearest {
                            Some(mismatch) => Err(mismatch),
                            None => self.differ(path, None, "has too few items".to_owned()),
                        };
                    }
                }
                Ok(())
            }
        }
    }

    /// Whether a SIP message fits.
    pub fn sip(&mut self, message: &sip::Message, pattern: &SipPattern) -> Outcome {
        if let Some(number) = &pattern.status {
            let Some(status) = message.status() else {
                return self.differ("", None, "is a request, wanted a response".to_owned());
            };
            if !self.number(&status.to_string(), number)? {
                let wanted = self.wanted(number);
                return self.differ("", None, format!("has status {status}, wanted {wanted}"));
            }
            self.depth += 1;
        }
        if let Some(method) = &pattern.method {
            let have = match message.method() {
                Some(method) if pattern.status.is_none() => method.to_owned(),
                Some(_) => String::new(),
                None if pattern.status.is_some() => {
                    message.cseq().map(|c| c.method).unwrap_or_default()
                }
                None => return self.differ("", None, "is a response, wanted a request".to_owned()),
            };
            if !have.eq_ignore_ascii_case(method) {
                return self.differ("", None, format!("has method {have}, wanted {method}"));
            }
            self.depth += 1;
        }
        for (name, test, _) in &pattern.headers {
            let value = message.value(name);
            self.value(value.as_deref(), test, name, None)?;
        }
        if let Some((test, _)) = &pattern.body {
            let body = String::from_utf8_lossy(message.body());
            self.value(Some(&body), test, "body", None)?;
        }
        Ok(())
    }
}

/// Compares by how the wanted value was written.
fn equal(have: &str, want: &str, text: &Text) -> bool {
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

fn boolean(text: &str) -> Option<bool> {
    match text.trim() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

fn items_of(text: &str) -> Vec<&str> {
    text.split(',')
        .map(str::trim)
        .filter(|i| !i.is_empty())
        .collect()
}

/// Whether a text is a GUID, braces allowed.
fn is_guid(text: &str) -> bool {
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

/*! Does a message fit a pattern, and where does it differ?

Takes patterns of the plan and elements, SIP messages or JSON as they arrived;
gives nothing (it fits) or the [`Mismatch`] that came farthest. Values a
pattern saves are collected and only kept by the caller when everything fits.
*/

use regex::Regex;
use xccos::payload::Element;

use super::forms::{boolean, clip, equal, is_guid, items_of, parse_time};
use crate::lang::value::{NoValue, Scope, Text};
use crate::plan::*;

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

pub(super) type Outcome = Result<(), Box<Mismatch>>;

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

    pub(super) fn differ(
        &self,
        path: &str,
        span: Option<(usize, usize)>,
        message: String,
    ) -> Outcome {
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
}

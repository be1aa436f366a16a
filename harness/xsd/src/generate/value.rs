//! Values of simple types, made up from their facets.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::Builder;
use crate::component::*;
use crate::value::{NoScope, Primitive};

impl Builder<'_> {
    /// A text that fits a simple type, or `None` when none could be made up.
    pub(super) fn text(&mut self, ty: TypeId) -> Option<String> {
        // Some guesses miss a facet; a few numbers are worth spending.
        (0..12).find_map(|round| {
            let text = self.guess(ty, round, 0)?;
            self.all.check(ty, &text, &NoScope).is_ok().then_some(text)
        })
    }

    fn guess(&mut self, ty: TypeId, round: usize, depth: usize) -> Option<String> {
        let all = self.all;
        let simple = all.simple(ty)?;
        if depth > 8 {
            return None;
        }
        if let Some(enumeration) = &simple.facets.enumeration {
            let at = self.choose(enumeration.texts.len());
            return enumeration.texts.get(at).map(ToString::to_string);
        }
        if let Some(step) = simple.facets.patterns.last() {
            let at = self.choose(step.any_of.len());
            let hir = regex_syntax::parse(step.any_of.get(at)?.translated()).ok()?;
            let mut out = String::new();
            self.sample(&hir, &mut out);
            return Some(out);
        }
        let facets = &simple.facets;
        let least = facets
            .length
            .as_ref()
            .or(facets.min_length.as_ref())
            .map_or(0, |facet| facet.value);
        let most = facets
            .length
            .as_ref()
            .or(facets.max_length.as_ref())
            .map_or(least + 8, |facet| facet.value);
        let span = (most.saturating_sub(least)).min(8) as usize + 1;
        let length = least.min(10_000) as usize + self.choose(span);
        let number = self.next();
        Some(match &simple.variety {
            Variety::Any => format!("any{number}"),
            Variety::List(item) => {
                let count = length.max(usize::from(least > 0));
                let items: Option<Vec<String>> = (0..count)
                    .map(|_| self.guess(*item, round, depth + 1))
                    .collect();
                items?.join(" ")
            }
            Variety::Union(members) => {
                let at = (self.choose(members.len()) + round) % members.len().max(1);
                self.guess(*members.get(at)?, round, depth + 1)?
            }
            Variety::Atomic(kind) => self.atom(simple, *kind, length, number, round)?,
        })
    }

    fn atom(
        &mut self,
        simple: &Simple,
        kind: Primitive,
        length: usize,
        number: u32,
        round: usize,
    ) -> Option<String> {
        let facets = &simple.facets;
        let bounds = [&facets.min_inclusive, &facets.max_inclusive];
        if let (Some(bound), true) = (bounds[round % 2], round > 6) {
            return Some(bound.value.text.to_string());
        }
        let day = number % 28 + 1;
        Some(match kind {
            Primitive::String => match simple.lexical {
                Lexical::None => (0..length).map(|_| self.letter()).collect(),
                Lexical::Language => ["en", "de-AT", "x-klingon"][number as usize % 3].to_owned(),
                Lexical::Id => {
                    self.ids += 1;
                    format!("id{}", self.ids)
                }
                Lexical::IdRef if self.ids > 0 => format!("id{}", number as usize % self.ids + 1),
                Lexical::IdRef | Lexical::Entity => return None,
                _ => format!("n{}", "x".repeat(length.saturating_sub(1))),
            },
            Primitive::AnyUri => format!("urn:x:{}", "u".repeat(length.saturating_sub(6))),
            Primitive::Boolean => ["false", "true", "0", "1"][number as usize % 4].to_owned(),
            Primitive::Decimal if simple.lexical == Lexical::Integer => {
                let (low, high) = facets.range.unwrap_or((i128::MIN, i128::MAX));
                let near = low.max(-1000).min(high);
                let span = high.saturating_sub(near).clamp(0, 2_000);
                (near + i128::from(number) % (span + 1)).to_string()
            }
            Primitive::Decimal | Primitive::Float | Primitive::Double => {
                let sign = if round.is_multiple_of(2) { "" } else { "-" };
                match round % 3 {
                    0 => format!("{sign}{}", number % 10),
                    1 => format!("{sign}{}.5", number % 100),
                    _ => format!("{sign}{}", number % 100_000),
                }
            }
            Primitive::Duration => format!("P{}DT1H", number % 30),
            Primitive::DateTime => format!("2026-01-{day:02}T12:00:00Z"),
            Primitive::Time => format!("{:02}:30:00", number % 24),
            Primitive::Date => format!("2026-02-{day:02}"),
            Primitive::GYearMonth => format!("2026-{:02}", number % 12 + 1),
            Primitive::GYear => format!("{}", 1900 + number % 200),
            Primitive::GMonthDay => format!("--12-{day:02}"),
            Primitive::GDay => format!("---{day:02}"),
            Primitive::GMonth => format!("--{:02}", number % 12 + 1),
            Primitive::HexBinary => "A7".repeat(length),
            Primitive::Base64Binary => {
                let whole = "QUJD".repeat(length / 3);
                whole + ["", "QQ==", "QUI="][length % 3]
            }
            Primitive::QName => "name".to_owned(),
            Primitive::Notation => return None,
        })
    }

    fn letter(&mut self) -> char {
        const LETTERS: &[char] = &[
            'a',
            'b',
            'Z',
            '0',
            ' ',
            '<',
            '&',
            '"',
            'ä',
            '語',
            '\u{1F600}',
        ];
        LETTERS[self.choose(LETTERS.len())]
    }

    /// A text that an expression matches.
    fn sample(&mut self, hir: &Hir, out: &mut String) {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => out.push_str(&String::from_utf8_lossy(&literal.0)),
            HirKind::Class(Class::Unicode(class)) => {
                let ranges = class.ranges();
                let at = self.choose(ranges.len());
                if let Some(range) = ranges.get(at) {
                    let span = u32::from(range.end()) - u32::from(range.start());
                    let code = u32::from(range.start()) + self.next() % (span + 1);
                    // Not every character may stand in XML.
                    let c = char::from_u32(code)
                        .filter(|c| *c >= ' ' && !matches!(*c, '\u{FFFE}' | '\u{FFFF}'));
                    out.push(c.unwrap_or(range.end()));
                }
            }
            HirKind::Class(Class::Bytes(_)) => {}
            HirKind::Repetition(repetition) => {
                let most = repetition
                    .max
                    .unwrap_or(repetition.min + 3)
                    .min(repetition.min + 3);
                let count = repetition.min + self.next() % (most - repetition.min + 1);
                for _ in 0..count.min(200) {
                    self.sample(&repetition.sub, out);
                }
            }
            HirKind::Capture(capture) => self.sample(&capture.sub, out),
            HirKind::Concat(parts) => {
                for part in parts {
                    self.sample(part, out);
                }
            }
            HirKind::Alternation(ways) => {
                let at = self.choose(ways.len());
                if let Some(way) = ways.get(at) {
                    self.sample(way, out);
                }
            }
        }
    }
}

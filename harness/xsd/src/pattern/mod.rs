//! Regular expressions of XSD (Part 2, appendix F), matched in linear time.
//!
//! Takes the text of a `pattern` facet; gives a matcher for whole values, or says what is wrong with the text. The
//! expression is translated to the `regex` crate's language, whose automata never backtrack; an expression whose
//! automaton would exceed [`SIZE_LIMIT`] is refused.

mod blocks;
mod translate;

use std::fmt;

/// Most bytes one compiled expression may take.
const SIZE_LIMIT: usize = 10 << 20;

/// A compiled pattern facet.
#[derive(Clone)]
pub(crate) struct Pattern {
    source: Box<str>,
    regex: regex::Regex,
}

/// Why a pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PatternError {
    /// It is not a regular expression of XSD; the text says why.
    Syntax(String),
    /// It is one, but would cost too much.
    TooBig,
}

impl Pattern {
    pub(crate) fn new(source: &str) -> Result<Pattern, PatternError> {
        let translated = translate::translate(source).map_err(PatternError::Syntax)?;
        let regex = regex::RegexBuilder::new(&format!(r"\A(?:{translated})\z"))
            .size_limit(SIZE_LIMIT)
            .dfa_size_limit(SIZE_LIMIT / 4)
            .build()
            .map_err(|error| match error {
                regex::Error::CompiledTooBig(_) => PatternError::TooBig,
                other => PatternError::Syntax(other.to_string()),
            })?;
        Ok(Pattern {
            source: source.into(),
            regex,
        })
    }

    /// One matcher for "any of these"; `None` when it would be too big, or there is only one.
    pub(crate) fn any_of(patterns: &[Pattern]) -> Option<Pattern> {
        if patterns.len() < 2 {
            return None;
        }
        let parts: Vec<String> = patterns
            .iter()
            .map(|pattern| format!("(?:{})", pattern.regex.as_str()))
            .collect();
        let regex = regex::RegexBuilder::new(&parts.join("|"))
            .size_limit(SIZE_LIMIT)
            .dfa_size_limit(SIZE_LIMIT / 4)
            .build()
            .ok()?;
        Some(Pattern {
            source: "".into(),
            regex,
        })
    }

    /// Whether the whole value matches.
    pub(crate) fn matches(&self, value: &str) -> bool {
        self.regex.is_match(value)
    }

    /// The expression in the syntax of the `regex` crate.
    #[cfg(any(test, feature = "generate"))]
    pub(crate) fn translated(&self) -> &str {
        self.regex.as_str()
    }

    /// The expression as the schema has it.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({})", self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, value: &str) -> bool {
        Pattern::new(pattern).unwrap().matches(value)
    }

    #[test]
    fn means_what_the_specification_says() {
        for (pattern, yes, no) in [
            ("a", "a", "ab"),
            ("a|bc", "bc", "abc"),
            ("", "", "a"),
            ("^a$", "^a$", "a"),
            (".", "x", "\n"),
            (".", "\u{2028}", "\r"),
            (r"[a-z-[aeiou]]+", "xyz", "xaz"),
            (r"[^a-c-[x]]", "d", "x"),
            (r"[\w-[\d]]", "a", "1"),
            (r"\i\c*", "a-1:b", "1a"),
            (r"\I", "1", "a"),
            (r"\C", " ", "a"),
            (r"\d{2,3}", "12", "1"),
            (r"\d", "٣", "x"),
            (r"\D", "x", "3"),
            (r"\s\S", " x", "x "),
            (r"\w\W", "a ", "aa"),
            (r"\p{Lu}\P{Lu}", "Aa", "AA"),
            (r"\p{IsBasicLatin}\P{IsBasicLatin}", "aé", "éa"),
            (r"[\p{IsGreek}-[α]]", "β", "α"),
            (r"[a\-z]", "-", "b"),
            (r"[-a]", "-", "b"),
            (r"[a-]", "-", "b"),
            (r"[\n\t]", "\t", "t"),
            (r"\(\)\[\]\{\}\.\\\?\*\+\|\^\-", r"()[]{}.\?*+|^-", "x"),
            (r"(a|b)?c{0}", "a", "ac"),
            (r"a{2,}", "aaa", "a"),
            (r"[&&a]~~", "&~~", "b~~"),
            (r"(?#)".strip_prefix("(?#)").unwrap(), "", "x"),
        ] {
            assert!(matches(pattern, yes), "{pattern} should match {yes:?}");
            assert!(!matches(pattern, no), "{pattern} should not match {no:?}");
        }
    }

    #[test]
    fn refuses_what_is_not_an_expression_of_xsd() {
        for pattern in [
            "*",
            "a**",
            "a*?",
            "(",
            ")",
            "(a",
            "a)",
            "[",
            "]",
            "[]",
            "[^]",
            "[a",
            "[b-a]",
            "a{2,1}",
            "a{,2}",
            "a{",
            "a{x}",
            r"\",
            r"\b",
            r"\q",
            r"\p{Foo}",
            r"\p{IsFoo}",
            r"\pL",
            "(?:a)",
            "[a-b-c]",
            "[a-[b]",
            "[[a]]",
            r"\1",
            r"\u0041",
            "[a-[b]c]",
        ] {
            let result = Pattern::new(pattern);
            assert!(
                matches!(result, Err(PatternError::Syntax(_))),
                "{pattern} gave {result:?}"
            );
        }
    }

    #[test]
    fn explosions_are_errors() {
        for pattern in [
            r"((\c{1000}){1000}){1000}",
            r"\p{L}{100000}",
            "a{4294967296}",
        ] {
            assert!(Pattern::new(pattern).is_err(), "{pattern}");
        }
        let deep = "(".repeat(10_000) + &")".repeat(10_000);
        assert!(Pattern::new(&deep).is_err());
    }
}

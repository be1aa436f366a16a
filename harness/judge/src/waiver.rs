/*! Waivers: violations that are known and accepted for a while.

Takes the `waivers:` of a target file or a baseline file; says which findings
they cover. It refuses to be forgotten: a waiver whose date has passed, or
whose violation no longer shows, is a problem of the run.
*/

use serde::{Deserialize, Serialize};

use crate::Finding;

/// One accepted violation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// Requirement id, or a glob over ids.
    pub requirement: String,
    /// Why it is accepted; a ticket, usually.
    pub reason: String,
    /// Last day it holds, `YYYY-MM-DD`; without one it holds until it is stale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Only findings whose message contains this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Only scenarios whose id fits this glob.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
}

impl Waiver {
    /// What is wrong with the waiver itself, if anything (an empty reason, a date that is none).
    pub fn problem(&self) -> Option<String> {
        if self.reason.trim().is_empty() {
            return Some(format!(
                "the waiver of {} gives no reason",
                self.requirement
            ));
        }
        match &self.until {
            Some(day) if !is_day(day) => Some(format!(
                "the waiver of {} has until: {day}, which is no date like 2027-01-31",
                self.requirement
            )),
            _ => None,
        }
    }

    /// Whether its last day lies before `today` (`YYYY-MM-DD`).
    pub fn is_expired(&self, today: &str) -> bool {
        self.until.as_deref().is_some_and(|day| day < today)
    }

    /// Whether it speaks about this requirement in this scenario.
    pub fn applies(&self, scenario: &str, requirement: &str) -> bool {
        glob(&self.requirement, requirement)
            && self
                .scenario
                .as_deref()
                .is_none_or(|pattern| glob(pattern, scenario))
    }

    /// Whether it covers this finding of this scenario.
    pub fn covers(&self, scenario: &str, finding: &Finding) -> bool {
        self.applies(scenario, &finding.requirement)
            && self
                .message
                .as_deref()
                .is_none_or(|pin| finding.message.contains(pin))
    }
}

fn is_day(text: &str) -> bool {
    let b = text.as_bytes();
    let digits = |r: std::ops::Range<usize>| -> Option<u32> { text.get(r)?.parse().ok() };
    b.len() == 10
        && b.iter().enumerate().all(|(i, c)| match i {
            4 | 7 => *c == b'-',
            _ => c.is_ascii_digit(),
        })
        && digits(5..7).is_some_and(|m| (1..=12).contains(&m))
        && digits(8..10).is_some_and(|d| (1..=31).contains(&d))
}

/// Whether `text` fits `pattern`, in which `*` stands for any run of characters and `?` for one.
pub fn glob(pattern: &str, text: &str) -> bool {
    let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut i, mut j, mut star) = (0, 0, None);
    while j < t.len() {
        match p.get(i) {
            Some('*') => {
                star = Some((i, j));
                i += 1;
            }
            Some(&c) if c == '?' || c == t[j] => {
                i += 1;
                j += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    i = at + 1;
                    j = from + 1;
                    star = Some((at, from + 1));
                }
                None => return false,
            },
        }
    }
    p[i..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        assert!(glob("server/*", "server/join/bjoin"));
        assert!(glob("*bjoin*", "server/join/bjoin"));
        assert!(glob("XCCOSIP-3.2.6.5-0?", "XCCOSIP-3.2.6.5-06"));
        assert!(!glob("server/join", "server/join/bjoin"));
        assert!(!glob("a*b*c", "a-b-d"));
        assert!(glob("", ""));
    }

    #[test]
    fn a_waiver_has_a_reason_and_a_real_date() {
        let waiver = |reason: &str, until: &str| Waiver {
            requirement: "X".into(),
            reason: reason.into(),
            until: Some(until.into()),
            message: None,
            scenario: None,
        };
        assert_eq!(waiver("bug 42", "2027-01-31").problem(), None);
        assert!(waiver(" ", "2027-01-31").problem().is_some());
        assert!(waiver("bug 42", "31.1.2027").problem().is_some());
        assert!(waiver("bug 42", "2027-13-01").problem().is_some());
        assert!(waiver("b", "2027-01-31").is_expired("2027-02-01"));
        assert!(!waiver("b", "2027-01-31").is_expired("2027-01-31"));
    }
}

use serde::{Deserialize, Serialize};

use crate::Level;

/// What one look at one requirement gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The requirement was exercised and held.
    Pass,
    /// Worth knowing, breaks nothing.
    Info,
    /// A SHOULD was broken.
    Warn,
    /// A MUST was broken.
    Fail,
}

/// Whose fault a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Blame {
    /// The implementation under test.
    Target,
    /// Parlance itself or the scenario.
    Harness,
    /// Network, certificates, the machine.
    Environment,
}

/// Where in a message a finding points.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Place {
    /// Path into the payload, like `/xccos/rpl[1]/@id`, or a header name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Line, from 1, within the payload (`path` starts with `/`) or the whole message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Column in characters, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// Byte range in the whole message (head and body) the finding is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<(usize, usize)>,
}

/// One conclusion with its evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Requirement id, or `SCHEMA`, `SIP`, `XML` where no single requirement is to blame.
    pub requirement: String,
    /// How binding the requirement is.
    pub level: Level,
    /// The conclusion.
    pub verdict: Verdict,
    /// Whose fault (meaningful unless the verdict is pass).
    pub blame: Blame,
    /// One line for people: what was found and what was expected.
    pub message: String,
    /// Name of the rule (or `scenario`) that concluded it.
    pub rule: String,
    /// Sequence number of the deciding event in the scenario's trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<u64>,
    /// Where in that event's message.
    #[serde(default)]
    pub place: Place,
    /// Schema profiles under which it holds; empty means under all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<String>,
    /// File and line of the scenario step that decided it, when one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<(String, u32)>,
}

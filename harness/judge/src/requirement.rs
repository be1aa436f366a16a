use std::fmt;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// RFC 2119 level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Level {
    /// Optional.
    May,
    /// Recommended.
    Should,
    /// Advised against.
    ShouldNot,
    /// Absolute.
    Must,
    /// Absolutely forbidden.
    MustNot,
}

impl Level {
    /// Whether breaking it is a failure (MUST, MUST NOT).
    pub fn is_binding(self) -> bool {
        matches!(self, Level::Must | Level::MustNot)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Level::May => "MAY",
            Level::Should => "SHOULD",
            Level::ShouldNot => "SHOULD NOT",
            Level::Must => "MUST",
            Level::MustNot => "MUST NOT",
        })
    }
}

/// Who has to obey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The chat client.
    Client,
    /// The chat server.
    Server,
    /// Both peers.
    Both,
    /// Whoever writes the message.
    Message,
}

/// Where an observer can see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Observable {
    /// In the exchange.
    Wire,
    /// In one payload, by the schema.
    Schema,
    /// Only through the client's user interface or upper tester.
    Ui,
    /// Nowhere from outside.
    Internal,
}

/// One normative statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requirement {
    /// Stable id, `XCCOSIP-3.2.3.5-06`.
    pub id: String,
    /// Section of the document, `3.2.3.5`.
    pub section: String,
    /// Who has to obey.
    pub role: Role,
    /// The only seat that writes the message it is about, in the exchanges the document describes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<trace::Seat>,
    /// How binding.
    pub level: Level,
    /// The paraphrased statement; stands here and nowhere else.
    pub statement: String,
    /// Where it can be observed.
    pub observable: Observable,
    /// Ids of the contradictions it stands in (`XC-17`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<String>,
    /// How it is checked, in the catalogue's words (`schema`, `rule:envelope`, `scenario`, `upper`, or `none: why`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checked_by: Vec<String>,
}

/// All requirements of a protocol, by id, in document order.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    entries: IndexMap<String, Requirement>,
}

/// A catalogue that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueError(pub String);

impl fmt::Display for CatalogueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CatalogueError {}

impl Catalogue {
    /// Collects requirements; two with one id are an error.
    pub fn new(
        entries: impl IntoIterator<Item = Requirement>,
    ) -> Result<Catalogue, CatalogueError> {
        let mut catalogue = Catalogue::default();
        for requirement in entries {
            let id = requirement.id.clone();
            if catalogue.entries.insert(id.clone(), requirement).is_some() {
                return Err(CatalogueError(format!("requirement {id} is defined twice")));
            }
        }
        Ok(catalogue)
    }

    /// The requirement with this id.
    pub fn get(&self, id: &str) -> Option<&Requirement> {
        self.entries.get(id)
    }

    /// All of them, in document order.
    pub fn iter(&self) -> impl Iterator<Item = &Requirement> {
        self.entries.values()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

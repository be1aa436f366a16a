use std::fmt;

/// Why a world file cannot be used, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorldError {
    /// Line, from 1; 0 when the place is not known.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// Characters at fault, for a caret; at least 1.
    pub width: u32,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What was probably meant.
    pub hint: Option<String>,
}

impl fmt::Display for WorldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "{}:{}: ", self.line, self.column)?;
        }
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for WorldError {}

impl WorldError {
    /// An error about a value of the file.
    pub(super) fn at(place: serde_saphyr::Location, message: impl Into<String>) -> WorldError {
        let small = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        WorldError {
            line: small(place.line()),
            column: small(place.column()),
            width: small(place.span().len()).clamp(1, 120),
            message: message.into(),
            hint: None,
        }
    }

    /// With a guess among the names that would have been right.
    pub(super) fn suggest<'n>(
        mut self,
        given: &str,
        known: impl IntoIterator<Item = &'n str>,
    ) -> WorldError {
        self.hint = nearest(given, known).map(|name| format!("did you mean `{name}`?"));
        self
    }

    /// The reader's own complaint, in our form.
    pub(super) fn from_yaml(error: &serde_saphyr::Error) -> WorldError {
        let error = error.without_snippet();
        let place = error.location().unwrap_or(serde_saphyr::Location::UNKNOWN);
        match error {
            serde_saphyr::Error::SerdeUnknownField {
                field, expected, ..
            } => {
                let mut out = WorldError::at(place, format!("unknown key `{field}`"))
                    .suggest(field, expected.iter().copied());
                if out.hint.is_none() {
                    out.hint = Some(format!("known here: {}", expected.join(", ")));
                }
                out.width = u32::try_from(field.chars().count()).unwrap_or(1).max(1);
                out
            }
            serde_saphyr::Error::SerdeUnknownVariant {
                variant, expected, ..
            } => {
                let mut out =
                    WorldError::at(place, format!("`{variant}` is no value for this key"))
                        .suggest(variant, expected.iter().copied());
                if out.hint.is_none() {
                    out.hint = Some(format!("one of {}", expected.join(", ")));
                }
                out
            }
            other => WorldError::at(place, message_of(other)),
        }
    }
}

/// The error's text without its position, which travels separately.
fn message_of(error: &serde_saphyr::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or("the file cannot be read");
    let line = line.strip_prefix("error: ").unwrap_or(line);
    match line.rfind(" at line ") {
        Some(at) => line[..at].to_owned(),
        None => line.to_owned(),
    }
}

/// The known name closest to what was written, when it is close at all.
pub(crate) fn nearest<'n>(
    given: &str,
    known: impl IntoIterator<Item = &'n str>,
) -> Option<&'n str> {
    known
        .into_iter()
        .map(|name| (distance(given, name), name))
        .filter(|(d, name)| *d <= 1 + name.chars().count().min(given.chars().count()) / 3)
        .min_by_key(|(d, _)| *d)
        .map(|(_, name)| name)
}

/// Edit distance, ignoring case.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.to_lowercase().chars().take(64).collect();
    let b: Vec<char> = b.to_lowercase().chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let next = (diagonal + usize::from(x != y)).min(row[j].min(row[j + 1]) + 1);
            diagonal = row[j + 1];
            row[j + 1] = next;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions_are_near_or_none() {
        assert_eq!(nearest("membres", ["members", "managers"]), Some("members"));
        assert_eq!(nearest("zzz", ["members", "managers"]), None);
    }
}

/*! Complaints about a file, with a caret.

The only module that knows the renderer. A [`Diagnostic`] names the file, the
place, what is wrong and how to mend it; many of them make a [`Problems`].
*/

use std::fmt;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// A text that complaints can point into: a file, or an expression of the command line.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// What the reader calls it: a path, or `--filter`.
    pub name: String,
    /// All of it.
    pub text: String,
}

impl Source {
    /// A named text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Source> {
        Arc::new(Source {
            name: name.into(),
            text: text.into(),
        })
    }
}

/// A place in a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// Line, from 1 (0: none).
    pub line: u32,
    /// Column in characters, from 1 (0: none).
    pub column: u32,
    /// First byte.
    pub start: usize,
    /// Byte behind the last one; equal to `start` for a point.
    pub end: usize,
}

impl Span {
    /// The place of a byte range, counted in `text`.
    pub fn of(text: &str, start: usize, end: usize) -> Span {
        let before = text.get(..start).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |p| p + 1);
        Span {
            line: before.matches('\n').count() as u32 + 1,
            column: before[line_start..].chars().count() as u32 + 1,
            start,
            end,
        }
    }
}

/// One complaint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The text it is about.
    pub source: Arc<Source>,
    /// Where.
    pub span: Span,
    /// What is wrong, one line.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
    /// False for a hint that does not stop anything.
    pub fatal: bool,
}

impl Diagnostic {
    /// Something that makes the file unusable.
    pub fn error(source: &Arc<Source>, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            source: source.clone(),
            span,
            message: message.into(),
            help: None,
            fatal: true,
        }
    }

    /// Something worth mending.
    pub fn warning(source: &Arc<Source>, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            fatal: false,
            ..Diagnostic::error(source, span, message)
        }
    }

    /// Adds how to mend it.
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    /// Adds a "did you mean", when a known word is near.
    pub fn suggest<'a>(self, word: &str, known: impl IntoIterator<Item = &'a str>) -> Diagnostic {
        let known: Vec<&str> = known.into_iter().collect();
        match nearest(word, known.iter().copied()) {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None if known.is_empty() || known.len() > 24 => self,
            None => self.help(format!("known here: {}", known.join(", "))),
        }
    }

    /// For a terminal: message, source lines, caret, help; with colours when asked.
    pub fn render(&self, color: bool) -> String {
        let renderer = if color {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let level = if self.fatal {
            Level::ERROR
        } else {
            Level::WARNING
        };
        let text = self.source.text.as_str();
        let mut group = level.primary_title(self.message.as_str()).element(
            Snippet::source(text)
                .path(self.source.name.as_str())
                .annotation(AnnotationKind::Primary.span(self.range())),
        );
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        renderer.render(&[group])
    }

    /// The span clamped to the text's characters, never wider than its first line.
    fn range(&self) -> std::ops::Range<usize> {
        let text = self.source.text.as_str();
        let floor = |mut at: usize| {
            at = at.min(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let start = floor(self.span.start);
        let mut end = floor(self.span.end.max(start));
        if let Some(newline) = text[start..end].find('\n') {
            end = start + newline;
        }
        if start == end {
            end = text[start..]
                .chars()
                .next()
                .filter(|c| *c != '\n')
                .map_or(end, |c| start + c.len_utf8());
        }
        start..end
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Span { line, column, .. } = self.span;
        write!(f, "{}", self.source.name)?;
        if line > 0 {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

/// Everything wrong with one or more files: exit code 2.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Problems(pub Vec<Diagnostic>);

impl Problems {
    /// All complaints for a terminal, a blank line between them.
    pub fn render(&self, color: bool) -> String {
        let parts: Vec<String> = self.0.iter().map(|d| d.render(color)).collect();
        parts.join("\n\n")
    }

    /// Whether one of them is an error.
    pub fn is_fatal(&self) -> bool {
        self.0.iter().any(|d| d.fatal)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl From<Diagnostic> for Problems {
    fn from(problem: Diagnostic) -> Problems {
        Problems(vec![problem])
    }
}

/// The known word that `word` is probably a slip of.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).clamp(1, 3);
    known
        .into_iter()
        .map(|k| (distance(word, k), k))
        .filter(|(d, _)| *d <= limit)
        .min_by_key(|(d, _)| *d)
        .map(|(_, k)| k)
}

/// Edit distance with transpositions, over lower-cased characters.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.to_lowercase().chars().take(64).collect();
    let b: Vec<char> = b.to_lowercase().chars().take(64).collect();
    let mut rows = [vec![0; b.len() + 1], (0..=b.len()).collect(), Vec::new()];
    for (i, &x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &y) in b.iter().enumerate() {
            let mut d = (rows[1][j] + usize::from(x != y))
                .min(rows[1][j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && x == b[j - 1] && a[i - 1] == y {
                d = d.min(rows[0][j - 1] + 1);
            }
            row.push(d);
        }
        rows = [std::mem::take(&mut rows[1]), row, Vec::new()];
    }
    rows[1].last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_strangers_are_not() {
        let known = ["expect", "endpoints", "send", "steps"];
        assert_eq!(nearest("exepct", known), Some("expect"));
        assert_eq!(nearest("endpoint", known), Some("endpoints"));
        assert_eq!(nearest("banana", known), None);
    }

    #[test]
    fn a_caret_points_into_the_text() {
        let source = Source::new("a.yaml", "title: x\nexepct: 1\n");
        let span = Span::of(&source.text, 9, 15);
        let d =
            Diagnostic::error(&source, span, "unknown key `exepct`").suggest("exepct", ["expect"]);
        insta::assert_snapshot!(d.render(false), @r"
        error: unknown key `exepct`
         --> a.yaml:2:1
          |
        2 | exepct: 1
          | ^^^^^^
          |
          = help: did you mean `expect`?
        ");
        assert_eq!(
            d.to_string(),
            "a.yaml:2:1: unknown key `exepct` (did you mean `expect`?)"
        );
    }
}

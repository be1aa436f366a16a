/*! Which scenarios: ids, prefixes, globs, places in files, expressions, tags, requirements.

Takes what the user wrote, gives the chosen scenarios in library order. A word
that selects nothing that exists is an error with a suggestion; an expression
that cannot be read is one with a caret. The expression's grammar is nextest's
in small:

```text
expr    = and { ("or" | "|" | "+") and }
and     = not { ("and" | "&") not }
not     = ["not" | "!"] ( "(" expr ")" | name "(" pattern ")" )
name    = id | tag | req | section | seat
pattern = text with * and ?
```
*/

use std::path::Path;
use std::sync::Arc;

use judge::glob;
use trace::Seat;

use crate::lang::diag::{Diagnostic, Problems, Source, Span, nearest};
use crate::plan::{Scenario, Target};

/// Deepest nesting of an expression.
const MAX_DEPTH: usize = 64;

/// What the user wants.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Ids, prefixes, globs, `file.yaml`, `file.yaml:LINE`; any of them.
    pub words: Vec<String>,
    /// `--filter`.
    pub filter: Option<Filter>,
    /// Has one of these tags (globs).
    pub tags: Vec<String>,
    /// Has none of these.
    pub skip_tags: Vec<String>,
    /// Covers or decides one of these requirements (globs).
    pub requirements: Vec<String>,
    /// Only those the harness can play from this seat.
    pub seat: Option<Seat>,
    /// Only these ids (`--last-failed`).
    pub only: Option<Vec<String>>,
}

impl Selection {
    /// The chosen ones. An error when a word means nothing.
    pub fn choose(&self, scenarios: &[Arc<Scenario>]) -> Result<Vec<Arc<Scenario>>, Problems> {
        let mut problems = Vec::new();
        for word in &self.words {
            if !scenarios.iter().any(|s| word_fits(word, s)) {
                problems.push(unknown(word, scenarios));
            }
        }
        // A word that is an id means that one, also when other ids begin with it.
        let fits = |word: &String, s: &Scenario| match scenarios.iter().any(|s| s.id == *word) {
            true => s.id == *word,
            false => word_fits(word, s),
        };
        if !problems.is_empty() {
            return Err(Problems(problems));
        }
        let chosen = scenarios.iter().filter(|s| {
            (self.words.is_empty() || self.words.iter().any(|w| fits(w, s)))
                && self.filter.as_ref().is_none_or(|f| f.fits(s))
                && (self.tags.is_empty() || self.tags.iter().any(|t| has_tag(s, t)))
                && !self.skip_tags.iter().any(|t| has_tag(s, t))
                && (self.requirements.is_empty()
                    || self.requirements.iter().any(|r| has_requirement(s, r)))
                && self.seat.is_none_or(|seat| s.target.playable_from(seat))
                && self.only.as_ref().is_none_or(|ids| ids.contains(&s.id))
        });
        Ok(chosen.cloned().collect())
    }

    /// What in this selection fits no scenario at all, one sentence each, with suggestions.
    pub fn dead_ends(&self, scenarios: &[Arc<Scenario>]) -> Vec<String> {
        let mut conditions: Vec<(Field, &str)> = Vec::new();
        if let Some(filter) = &self.filter {
            filter.conditions(&mut conditions);
        }
        conditions.extend(self.tags.iter().map(|t| (Field::Tag, t.as_str())));
        conditions.extend(self.requirements.iter().map(|r| (Field::Req, r.as_str())));
        let nobody = |field: Field, pattern: &str| {
            let filter = Filter::Is(field, pattern.to_owned());
            !scenarios.iter().any(|s| filter.fits(s))
        };
        let mut told = Vec::new();
        for (field, pattern) in conditions {
            if !nobody(field, pattern) {
                continue;
            }
            let (what, known): (_, Vec<&str>) = match field {
                Field::Id => ("id", scenarios.iter().map(|s| s.id.as_str()).collect()),
                Field::Tag => ("tag", list(scenarios, |s| &s.tags)),
                Field::Req => ("requirement", list(scenarios, |s| &s.decides)),
                Field::Section => ("section", list(scenarios, |s| &s.sections)),
                Field::Seat => continue,
            };
            let near = nearest(pattern, known);
            let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            told.push(format!("no scenario has the {what} `{pattern}`{near}"));
        }
        told
    }
}

fn list(scenarios: &[Arc<Scenario>], of: fn(&Scenario) -> &Vec<String>) -> Vec<&str> {
    scenarios
        .iter()
        .flat_map(|s| of(s))
        .map(String::as_str)
        .collect()
}

fn word_fits(word: &str, scenario: &Scenario) -> bool {
    let id = scenario.id.as_str();
    if let Some((file, line)) = place(word) {
        let same = scenario.source.name == file
            || scenario.source.name.ends_with(&format!("/{file}"))
            || Path::new(file)
                .canonicalize()
                .ok()
                .zip(Path::new(&scenario.source.name).canonicalize().ok())
                .is_some_and(|(a, b)| a == b);
        // A file holds one scenario: any line of it means that one.
        let lines = scenario.source.text.lines().count() as u32 + 1;
        return same && line.is_none_or(|l| l >= 1 && l <= lines);
    }
    let word = word.trim_end_matches('/');
    if word.contains(['*', '?']) {
        return glob(word, id);
    }
    id == word
        || id
            .strip_prefix(word)
            .is_some_and(|rest| rest.starts_with('/') || !word.contains('/') && rest.is_empty())
        // `server/join` also means `server/join-refused`.
        || word.contains('/') && id.starts_with(word)
}

/// `file.yaml` or `file.yaml:LINE`.
fn place(word: &str) -> Option<(&str, Option<u32>)> {
    let yaml = |file: &str| file.ends_with(".yaml") || file.ends_with(".yml");
    if yaml(word) {
        return Some((word, None));
    }
    let (file, line) = word.rsplit_once(':')?;
    yaml(file).then_some((file, line.parse().ok()))
}

fn unknown(word: &str, scenarios: &[Arc<Scenario>]) -> Diagnostic {
    let source = Source::new("selection", word);
    let span = Span::of(word, 0, word.len());
    let d = Diagnostic::error(&source, span, format!("no scenario is called `{word}`"));
    let ids = scenarios.iter().map(|s| s.id.as_str());
    let folders = scenarios
        .iter()
        .filter_map(|s| Some(s.id.rsplit_once('/')?.0));
    match nearest(word, ids.chain(folders)) {
        Some(near) => d.help(format!("did you mean `{near}`?")),
        None => d.help("`parlance list scenarios` shows all of them"),
    }
}

fn has_tag(scenario: &Scenario, pattern: &str) -> bool {
    scenario.tags.iter().any(|t| glob(pattern, t))
}

fn has_requirement(scenario: &Scenario, pattern: &str) -> bool {
    scenario
        .covers
        .iter()
        .chain(&scenario.decides)
        .any(|r| glob(pattern, r) || glob(r, pattern))
}

/// A filter expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// Both.
    And(Box<Filter>, Box<Filter>),
    /// Either.
    Or(Box<Filter>, Box<Filter>),
    /// The other ones.
    Not(Box<Filter>),
    /// One condition.
    Is(Field, String),
}

/// What a condition looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The id.
    Id,
    /// A tag.
    Tag,
    /// A requirement it covers or decides.
    Req,
    /// A section it is about.
    Section,
    /// The harness's seat.
    Seat,
}

const FIELDS: &[(&str, Field)] = &[
    ("id", Field::Id),
    ("tag", Field::Tag),
    ("req", Field::Req),
    ("section", Field::Section),
    ("seat", Field::Seat),
];

impl Filter {
    /// Reads an expression; `name` is what an error calls it (`--filter`).
    pub fn parse(name: &str, text: &str) -> Result<Filter, Problems> {
        let source = Source::new(name, text);
        let mut parser = Parser {
            source: &source,
            text,
            at: 0,
        };
        let filter = parser.or(0)?;
        parser.space();
        if parser.at < text.len() {
            let start = parser.at;
            let word = parser.peek_word().len().max(1);
            return Err(parser.error(
                start,
                start + word,
                "an `and`, an `or` or the end is wanted here",
            ));
        }
        Ok(filter)
    }

    fn conditions<'a>(&'a self, out: &mut Vec<(Field, &'a str)>) {
        match self {
            Filter::And(a, b) | Filter::Or(a, b) => {
                a.conditions(out);
                b.conditions(out);
            }
            // What nobody has may well be left out.
            Filter::Not(_) => {}
            Filter::Is(field, pattern) => out.push((*field, pattern)),
        }
    }

    /// Whether a scenario fits.
    pub fn fits(&self, scenario: &Scenario) -> bool {
        match self {
            Filter::And(a, b) => a.fits(scenario) && b.fits(scenario),
            Filter::Or(a, b) => a.fits(scenario) || b.fits(scenario),
            Filter::Not(a) => !a.fits(scenario),
            Filter::Is(field, pattern) => match field {
                Field::Id => {
                    glob(pattern, &scenario.id)
                        || !pattern.contains(['*', '?']) && word_fits(pattern, scenario)
                }
                Field::Tag => has_tag(scenario, pattern),
                Field::Req => has_requirement(scenario, pattern),
                Field::Section => scenario
                    .sections
                    .iter()
                    .any(|s| glob(pattern, s) || s.starts_with(&format!("{pattern}."))),
                Field::Seat => {
                    let seat = match scenario.target {
                        Target::Both => return true,
                        Target::Server => "client",
                        Target::Client => "server",
                    };
                    pattern == seat
                }
            },
        }
    }
}

struct Parser<'a> {
    source: &'a Arc<Source>,
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn error(&self, start: usize, end: usize, message: impl Into<String>) -> Problems {
        let span = Span::of(
            self.text,
            start.min(self.text.len()),
            end.min(self.text.len()),
        );
        Problems::from(
            Diagnostic::error(self.source, span, message).help(
                "like `tag(join) and not id(server/chat/*)`; id() tag() req() section() seat()",
            ),
        )
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn peek_word(&self) -> &'a str {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }

    fn eat(&mut self, words: &[&str]) -> bool {
        self.space();
        let word = self.peek_word();
        for wanted in words {
            let symbol = !wanted.starts_with(|c: char| c.is_ascii_alphabetic());
            if symbol && self.rest().starts_with(wanted) || !symbol && word == *wanted {
                self.at += wanted.len();
                return true;
            }
        }
        false
    }

    fn or(&mut self, depth: usize) -> Result<Filter, Problems> {
        let mut left = self.and(depth)?;
        while self.eat(&["or", "||", "|", "+"]) {
            left = Filter::Or(Box::new(left), Box::new(self.and(depth)?));
        }
        Ok(left)
    }

    fn and(&mut self, depth: usize) -> Result<Filter, Problems> {
        let mut left = self.not(depth)?;
        while self.eat(&["and", "&&", "&"]) {
            left = Filter::And(Box::new(left), Box::new(self.not(depth)?));
        }
        Ok(left)
    }

    fn not(&mut self, depth: usize) -> Result<Filter, Problems> {
        if depth > MAX_DEPTH {
            return Err(self.error(self.at, self.at + 1, "the expression nests too deeply"));
        }
        if self.eat(&["not", "!"]) {
            return Ok(Filter::Not(Box::new(self.not(depth + 1)?)));
        }
        self.space();
        let start = self.at;
        if self.eat(&["("]) {
            let inner = self.or(depth + 1)?;
            if !self.eat(&[")"]) {
                return Err(self.error(start, start + 1, "this `(` has no `)`"));
            }
            return Ok(inner);
        }
        let word = self.peek_word();
        let end = start + word.len();
        let Some((_, field)) = FIELDS.iter().find(|(name, _)| *name == word) else {
            if word.is_empty() {
                return Err(self.error(start, start + 1, "a condition is wanted here"));
            }
            let mut problems = self.error(start, end, format!("`{word}` is no condition"));
            if let (Some(near), Some(first)) = (
                nearest(word, FIELDS.iter().map(|(name, _)| *name)),
                problems.0.first_mut(),
            ) {
                first.help = Some(format!("did you mean `{near}()`?"));
            }
            return Err(problems);
        };
        self.at = end;
        self.space();
        if !self.rest().starts_with('(') {
            return Err(self.error(start, end, format!("`{word}` wants a pattern: {word}(…)")));
        }
        let open = self.at;
        let Some(close) = self.rest().find(')') else {
            return Err(self.error(open, open + 1, "this `(` has no `)`"));
        };
        let pattern = self.rest().get(1..close).unwrap_or_default();
        if pattern.contains('(') {
            return Err(self.error(open, open + 1, "this `(` has no `)`"));
        }
        let pattern = pattern.trim();
        if pattern.is_empty() {
            return Err(self.error(open, open + close + 1, format!("{word}() needs a pattern")));
        }
        if *field == Field::Seat && !matches!(pattern, "client" | "server") {
            return Err(self.error(
                open + 1,
                open + close,
                format!("`{pattern}` is no seat: client or server"),
            ));
        }
        self.at = open + close + 1;
        Ok(Filter::Is(*field, pattern.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::Library;

    fn ids(selection: &Selection) -> Vec<String> {
        let library = Library::built_in();
        let chosen = selection.choose(&library.scenarios).unwrap();
        chosen.iter().map(|s| s.id.clone()).collect()
    }

    fn words(words: &[&str]) -> Selection {
        Selection {
            words: words.iter().map(|w| (*w).to_owned()).collect(),
            ..Selection::default()
        }
    }

    #[test]
    fn words_select_by_id_prefix_glob_and_place() {
        for word in [
            "server/chat/fan-out",
            "server/chat",
            "server/*/fan-out",
            "fan-out.yaml:7",
            "scenarios/server/chat/fan-out.yaml",
        ] {
            let chosen = ids(&words(&[word]));
            assert!(chosen.contains(&"server/chat/fan-out".to_owned()), "{word}");
            assert!(
                chosen.iter().all(|id| id.starts_with("server/chat")),
                "{word}"
            );
        }
        let library = Library::built_in();
        let problems = words(&["server/chat/fan-otu"])
            .choose(&library.scenarios)
            .unwrap_err();
        assert_eq!(
            problems.to_string(),
            "selection:1:1: no scenario is called `server/chat/fan-otu` (did you mean `server/chat/fan-out`?)"
        );
    }

    #[test]
    fn expressions_combine_conditions() {
        let filter = |text| Selection {
            filter: Some(Filter::parse("--filter", text).unwrap()),
            ..Selection::default()
        };
        let fan_out = "server/chat/fan-out".to_owned();
        assert!(ids(&filter("tag(fan-out) and section(3.2.6)")).contains(&fan_out));
        assert!(ids(&filter("req(XCCOSIP-3.2.6.5-*) & !seat(server)")).contains(&fan_out));
        assert!(!ids(&filter("not (id(server/chat/*) or tag(none))")).contains(&fan_out));
    }

    #[test]
    fn bad_expressions_get_a_caret() {
        let told = |text| Filter::parse("--filter", text).unwrap_err().to_string();
        let messages = [
            "tagg(x)",
            "tag(x",
            "tag(x and not tag(y)",
            "tag(x) tag(y)",
            "(tag(x)",
            "tag()",
            "seat(left)",
            "and",
            "",
            "tag",
        ]
        .map(told)
        .join("\n");
        let messages = messages.replace(
            " (like `tag(join) and not id(server/chat/*)`; id() tag() req() section() seat())",
            " …",
        );
        insta::assert_snapshot!(messages, @r"
        --filter:1:1: `tagg` is no condition (did you mean `tag()`?)
        --filter:1:4: this `(` has no `)` …
        --filter:1:4: this `(` has no `)` …
        --filter:1:8: an `and`, an `or` or the end is wanted here …
        --filter:1:1: this `(` has no `)` …
        --filter:1:4: tag() needs a pattern …
        --filter:1:6: `left` is no seat: client or server …
        --filter:1:1: `and` is no condition …
        --filter:1:1: a condition is wanted here …
        --filter:1:1: `tag` wants a pattern: tag(…) …
        ");
    }
}

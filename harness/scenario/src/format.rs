/*! Scenario, target and world files in one layout.

Takes YAML text; gives the same document with two blanks a level, list items
set in below their key, one blank inside braces and after commas, no trailing
blanks, at most one empty line in a row and one line end at the end. Comments
stay where they are, keys keep their order, scalars keep their spelling.

It refuses to be clever: text is moved, never rewritten, and the result is read
again. When it would not say exactly the same, or would be laid out differently
the next time, there is no result.
*/

use std::fmt;
use std::sync::Arc;

use crate::lang::diag::{Diagnostic, Source};
use crate::lang::yaml::{self, Node, Value};

/// Why a file was not laid out.
#[derive(Debug)]
pub enum Refusal {
    /// It is no YAML.
    Broken(Box<Diagnostic>),
    /// It uses something this layout cannot move without risk.
    Risky,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Broken(diagnostic) => f.write_str(&diagnostic.message),
            Refusal::Risky => {
                f.write_str("its layout cannot be changed safely; it is left as it is")
            }
        }
    }
}

/// Lays a file out.
pub fn format(source: &Arc<Source>) -> Result<String, Refusal> {
    let before = yaml::parse(source).map_err(|d| Refusal::Broken(Box::new(d)))?;
    let text = layout(&source.text);
    let again = Source::new(source.name.as_str(), text.as_str());
    let after = yaml::parse(&again).map_err(|_| Refusal::Risky)?;
    let stable = layout(&text) == text;
    if !stable || !same(&before, &after) || comments(&source.text) != comments(&text) {
        return Err(Refusal::Risky);
    }
    Ok(text)
}

/// Whether two trees say the same, wherever it stands.
fn same(a: &Node, b: &Node) -> bool {
    match (&a.value, &b.value) {
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b)
                    .all(|((ka, va), (kb, vb))| ka.text == kb.text && same(va, vb))
        }
        (a, b) => a == b,
    }
}

/// Everything behind a `#`, so that none is lost.
fn comments(text: &str) -> Vec<&str> {
    text.lines()
        .filter_map(|line| Some(line.split_once('#')?.1.trim_end()))
        .collect()
}

/// One level of the block structure.
#[derive(Clone, Copy)]
struct Level {
    /// Columns its lines are set in, as written and as laid out.
    old: usize,
    new: usize,
    list: bool,
}

/// What reaches from one line into the next.
enum Open {
    Nothing,
    /// A block scalar below a parent set in this far; its own columns as written, once known, and as laid out.
    Scalar {
        parent: usize,
        old: Option<usize>,
        new: usize,
    },
    /// Brackets or quotes that are not closed, with what their first line was moved by.
    Rest {
        state: Inline,
        by: isize,
    },
}

/// Where a scan inside of a line is.
#[derive(Clone, Copy, Default)]
struct Inline {
    depth: usize,
    quote: Option<char>,
}

impl Inline {
    fn is_open(self) -> bool {
        self.depth > 0 || self.quote.is_some()
    }
}

fn layout(text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut out = Lines::default();
    let mut levels: Vec<Level> = Vec::new();
    let mut open = Open::Nothing;
    let mut waiting: Vec<(usize, &str)> = Vec::new();
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let body = line.trim_start_matches(' ');
        let indent = line.len() - body.len();
        match &mut open {
            Open::Scalar { parent, old, new } if body.is_empty() || indent > *parent => {
                if body.is_empty() {
                    // Blanks deeper than the text are part of it.
                    let more = old.map_or(0, |old| indent.saturating_sub(old));
                    let text = if more > 0 {
                        " ".repeat(*new + more)
                    } else {
                        String::new()
                    };
                    out.raw(text);
                } else {
                    let base = *old.get_or_insert(indent);
                    let at = (*new + indent).saturating_sub(base);
                    out.raw(format!("{}{body}", " ".repeat(at)));
                }
                continue;
            }
            Open::Rest { state, by } => {
                let at = indent.saturating_add_signed(*by);
                let (text, next) = inline(body, *state);
                let text = if next.quote.is_some() {
                    text
                } else {
                    text.trim_end().to_owned()
                };
                let by = *by;
                out.raw(format!(
                    "{}{text}",
                    if text.is_empty() {
                        String::new()
                    } else {
                        " ".repeat(at)
                    }
                ));
                open = match next.is_open() {
                    true => Open::Rest { state: next, by },
                    false => Open::Nothing,
                };
                continue;
            }
            _ => {}
        }
        open = Open::Nothing;
        let body = body.trim_end();
        if body.is_empty() {
            waiting.push((0, ""));
            continue;
        }
        if body.starts_with('#') {
            waiting.push((indent, body));
            continue;
        }
        let before = levels.clone();
        let at = enter(&mut levels, indent, is_item(body));
        for (column, comment) in waiting.drain(..) {
            // A comment belongs to the line below it, or stays with what it was set in under.
            let moved = if column == indent {
                at
            } else {
                before
                    .iter()
                    .rev()
                    .find(|l| l.old <= column)
                    .map_or(column, |l| l.new + column - l.old)
            };
            out.put(moved, comment);
        }
        let (text, next) = block(body, indent, at, &mut levels);
        out.put(at, &text);
        open = next;
    }
    for (column, comment) in waiting {
        let moved = levels
            .iter()
            .rev()
            .find(|l| l.old <= column)
            .map_or(column, |l| l.new + column - l.old);
        out.put(moved, comment);
    }
    out.end()
}

/// Finds the level of a line set in by `indent`; gives the columns it gets.
fn enter(levels: &mut Vec<Level>, indent: usize, item: bool) -> usize {
    while levels.last().is_some_and(|l| {
        // A list that stands in the column of its key ends with the first line that is no item.
        l.old > indent || l.old == indent && l.list && !item && levels_below(levels, indent)
    }) {
        levels.pop();
    }
    match levels.last().copied() {
        None => levels.push(Level {
            old: indent,
            new: 0,
            list: item,
        }),
        Some(top) if top.old < indent || top.list != item && item => levels.push(Level {
            old: indent,
            new: top.new + 2,
            list: item,
        }),
        Some(_) => {}
    }
    levels.last().map_or(0, |l| l.new)
}

fn levels_below(levels: &[Level], indent: usize) -> bool {
    levels.len() > 1 && levels[levels.len() - 2].old == indent
}

fn is_item(body: &str) -> bool {
    body == "-" || body.starts_with("- ")
}

/// Lays out one line of the block structure: items, a key, a value.
fn block(body: &str, mut column: usize, mut new: usize, levels: &mut Vec<Level>) -> (String, Open) {
    let mut out = String::new();
    let mut rest = body;
    while is_item(rest) {
        let inner = rest[1..].trim_start_matches(' ');
        if inner.is_empty() || inner.starts_with('#') {
            break;
        }
        column += rest.len() - inner.len();
        new += 2;
        out.push_str("- ");
        rest = inner;
        levels.push(Level {
            old: column,
            new,
            list: is_item(inner),
        });
    }
    let by = new as isize - column as isize;
    // The parent of a block scalar's lines is the level that holds its key, or its item.
    let level = levels.last().copied().unwrap_or(Level {
        old: 0,
        new: 0,
        list: false,
    });
    let (key, value) = split(rest);
    out.push_str(key);
    // A comment right behind its key may stand in line with others.
    let value = if key.is_empty() || value.trim_start().starts_with('#') || value.is_empty() {
        value
    } else {
        out.push(' ');
        value.trim_start()
    };
    match value.chars().next() {
        Some('|' | '>') => {
            out.push_str(value);
            let bare = value.split_whitespace().next().unwrap_or("");
            let fixed = bare.chars().any(|c| c.is_ascii_digit());
            // Inside of an item without a key the item is the parent.
            let (parent, up) = if key.is_empty() && !out.is_empty() && levels.len() > 1 {
                let item = levels[levels.len() - 2];
                (item.old, item.new)
            } else {
                (level.old, level.new)
            };
            let open = Open::Scalar {
                parent,
                old: fixed.then_some(parent),
                new: if fixed { up } else { up + 2 },
            };
            (out, open)
        }
        Some('{' | '[' | '"' | '\'') => {
            let (text, state) = inline(value, Inline::default());
            out.push_str(&text);
            match state.is_open() {
                true => (out, Open::Rest { state, by }),
                false => (out.trim_end().to_owned(), Open::Nothing),
            }
        }
        _ => {
            out.push_str(value);
            (out, Open::Nothing)
        }
    }
}

/// A line's key with its colon, and what comes behind it; no key when there is none.
fn split(text: &str) -> (&str, &str) {
    let end = match text.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            let mut escaped = false;
            let close = text.char_indices().skip(1).find(|(_, c)| {
                let found = *c == quote && !escaped;
                escaped = quote == '"' && *c == '\\' && !escaped;
                found
            });
            close.map(|(at, _)| at + 1)
        }
        Some('{' | '[' | '#' | '|' | '>' | '&' | '*' | '!') | None => None,
        Some(_) => text
            .char_indices()
            .find(|(at, c)| {
                let rest = &text[at + 1.min(c.len_utf8())..];
                *c == ':' && (rest.is_empty() || rest.starts_with(' '))
                    || *c == '#' && text[..*at].ends_with(' ')
            })
            .map(|(at, _)| at),
    };
    match end {
        Some(end) if text[end..].starts_with(':') => {
            let (key, value) = text.split_at(end + 1);
            if value.is_empty() || value.starts_with(' ') {
                (key, value)
            } else {
                ("", text)
            }
        }
        _ => ("", text),
    }
}

/// Lays out brackets, commas and blanks of a flow value, or of what follows of one.
fn inline(text: &str, mut state: Inline) -> (String, Inline) {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    // Whether a new scalar may begin: only there do quotes quote.
    let mut fresh = true;
    while let Some(c) = chars.next() {
        if let Some(quote) = state.quote {
            out.push(c);
            if c == '\\' && quote == '"' {
                out.extend(chars.next());
            } else if c == quote {
                if quote == '\'' && chars.peek() == Some(&'\'') {
                    out.extend(chars.next());
                } else {
                    state.quote = None;
                }
            }
            continue;
        }
        match c {
            '#' if out.ends_with(' ') || out.is_empty() => {
                out.push('#');
                out.extend(chars);
                return (out, state);
            }
            '"' | '\'' if fresh => {
                state.quote = Some(c);
                out.push(c);
                fresh = false;
            }
            '{' | '[' if state.depth > 0 || fresh => {
                state.depth += 1;
                out.push(c);
                while chars.next_if_eq(&' ').is_some() {}
                let empty = matches!(chars.peek(), Some('}' | ']') | None);
                if c == '{' && !empty {
                    out.push(' ');
                }
                fresh = true;
            }
            '}' | ']' if state.depth > 0 => {
                state.depth -= 1;
                let bare = out.trim_end().len();
                let after = out[..bare].ends_with(['{', '[']);
                out.truncate(bare);
                if c == '}' && !after && !out.is_empty() {
                    out.push(' ');
                }
                out.push(c);
                fresh = false;
            }
            ',' if state.depth > 0 => {
                out.truncate(out.trim_end().len());
                out.push(',');
                if chars.peek().is_some_and(|c| *c != ' ') {
                    out.push(' ');
                }
                fresh = true;
            }
            ':' if state.depth > 0 => {
                out.push(c);
                fresh |= chars.peek() == Some(&' ');
            }
            ' ' => out.push(' '),
            _ => {
                out.push(c);
                fresh = false;
            }
        }
    }
    (out, state)
}

/// The result, with its empty lines.
#[derive(Default)]
struct Lines {
    text: String,
    empty: bool,
}

impl Lines {
    fn put(&mut self, column: usize, line: &str) {
        if line.is_empty() {
            self.empty = true;
            return;
        }
        if std::mem::take(&mut self.empty) && !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(&" ".repeat(column));
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// A line of a scalar or of brackets, as it is.
    fn raw(&mut self, line: String) {
        self.text.push_str(&line);
        self.text.push('\n');
    }

    fn end(mut self) -> String {
        let bare = self.text.trim_end_matches('\n').len();
        self.text.truncate(bare);
        self.text.push('\n');
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laid(text: &str) -> String {
        format(&Source::new("x.yaml", text)).unwrap_or_else(|e| panic!("{e}: {text}"))
    }

    #[test]
    fn levels_lists_and_braces() {
        let given = "title:   one  \r\nsteps:\n# first\n- send:\n      from: alice   # who\n      grpchat: {room: lobby,chat: \"a, {b}\"}\n- expect:\n  -  at: alice\n     check: [  {a: 1}, b ]\n  # last\n\n\n\nneeds: {}\n";
        let wanted = "title: one\nsteps:\n  # first\n  - send:\n      from: alice   # who\n      grpchat: { room: lobby, chat: \"a, {b}\" }\n  - expect:\n      - at: alice\n        check: [{ a: 1 }, b]\n      # last\n\nneeds: {}\n";
        assert_eq!(laid(given), wanted);
        assert_eq!(laid(wanted), wanted);
    }

    #[test]
    fn block_scalars_and_text_over_lines_keep_what_they_say() {
        let given = "steps:\n- send:\n    xml: |\n        <a>  \n\n          # no comment\n        </a>\n    body: >-\n     folded\n      {text}\n- note: a plain text\n    over two lines\n- note: \"quoted {x\n    , y}\"\n- with: { a: 1,\n    b: [x,\n        y] }\n";
        let text = laid(given);
        assert!(
            text.contains("      xml: |\n        <a>  \n\n          # no comment\n        </a>\n"),
            "{text}"
        );
        assert!(text.contains("  - with: { a: 1,\n"), "{text}");
        assert_eq!(laid(&text), text);
    }

    #[test]
    fn what_is_no_yaml_is_told_and_nothing_is_lost() {
        let broken = format(&Source::new("x.yaml", "a: [1,\nb: 2\n"));
        assert!(matches!(broken, Err(Refusal::Broken(_))));
        for name in [
            "a: 'it''s {x}'  # c\n",
            "a: b:c\nd: http://x/#y\n",
            "'k': {a: b}\n\"q\\\"\": - x\n",
        ] {
            if let Ok(text) = format(&Source::new("x.yaml", name)) {
                assert_eq!(comments(&text), comments(name));
            }
        }
    }

    #[test]
    fn our_own_files_can_be_laid_out() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios");
        let mut open = vec![std::path::PathBuf::from(root)];
        let mut seen = 0;
        while let Some(dir) = open.pop() {
            for entry in std::fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else if path.extension().is_some_and(|e| e == "yaml") {
                    let text = std::fs::read_to_string(&path).unwrap();
                    let name = path.display().to_string();
                    let laid = format(&Source::new(name.as_str(), text.as_str()));
                    laid.unwrap_or_else(|e| panic!("{name}: {e}"));
                    seen += 1;
                }
            }
        }
        assert!(seen > 50, "{seen}");
    }

    proptest::proptest! {
        /// Whatever is laid out says the same, and is laid out for good.
        #[test]
        fn never_changes_what_a_file_says(lines in proptest::collection::vec((0usize..6, "(- |- - |)(a|b|c|'d'|\"e\")(: |:|)(\\{x: 1,y: \\[2\\]\\}|\\||>-|text # c|'q, \\{'|\\[1,2|\\]|)"), 0..12)) {
            let text: String = lines.iter().map(|(n, l)| format!("{}{l}\n", " ".repeat(*n))).collect();
            let source = Source::new("x.yaml", text.as_str());
            if let Ok(laid) = format(&source) {
                let again = Source::new("x.yaml", laid.as_str());
                proptest::prop_assert!(same(&yaml::parse(&source).unwrap(), &yaml::parse(&again).unwrap()));
                proptest::prop_assert_eq!(format(&again).unwrap(), laid);
            }
        }
    }
}

/*! Payloads as people read them: indented, with the places that matter marked.

Takes the text of an XML document and byte ranges in it; gives lines of pieces
that keep the author's own characters (attribute order, prefixes, entities)
and only add or drop white space between elements. Mixed content stays as it
is. What is not well-formed is refused: the caller shows it raw.
*/

use std::ops::Range;

/// Most elements a payload may have to be looked into.
const NODES: u32 = 200_000;

/// Deepest indentation; below, elements stay on their parent's level.
const DEPTH: usize = 40;

/// Columns after which attributes go on lines of their own.
const WIDTH: usize = 110;

/// Parses a payload the careful way: no DTD, bounded nodes.
pub fn parse(text: &str) -> Result<roxmltree::Document<'_>, roxmltree::Error> {
    let options = roxmltree::ParsingOptions {
        allow_dtd: false,
        nodes_limit: NODES,
        ..roxmltree::ParsingOptions::default()
    };
    roxmltree::Document::parse_with_options(text, options)
}

/// The byte range of what a path like `/xccos/rpl[1]/@id` names: an attribute, or the start tag's
/// name of an element. Names are local names; the nearest existing ancestor stands in for what is
/// not there.
pub fn resolve(text: &str, path: &str) -> Option<Range<usize>> {
    let document = parse(text).ok()?;
    let mut node = document.root();
    for step in path.split('/').filter(|s| !s.is_empty()) {
        if let Some(attribute) = step.strip_prefix('@') {
            let local = attribute.rsplit(':').next().unwrap_or(attribute);
            if let Some(found) = node.attributes().find(|a| a.name() == local) {
                return Some(found.range());
            }
            break;
        }
        let (name, nth) = match step.split_once('[') {
            Some((name, rest)) => (name, rest.trim_end_matches(']').parse().unwrap_or(1)),
            None => (step, 1usize),
        };
        let local = name.rsplit(':').next().unwrap_or(name);
        let next = node
            .children()
            .filter(|n| n.is_element() && n.tag_name().name() == local)
            .nth(nth.saturating_sub(1));
        match next {
            Some(next) => node = next,
            None => break,
        }
    }
    if !node.is_element() {
        return None;
    }
    let start = node.range().start;
    let rest = &text[start..];
    let end = rest
        .find(|c: char| c.is_whitespace() || c == '>' || c == '/')
        .unwrap_or(rest.len());
    Some(start..start + end)
}

/// What a piece of XML text is, for colouring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// `<`, `>`, `=`, quotes.
    Markup,
    /// An element's name.
    Name,
    /// An attribute's name.
    Attribute,
    /// An attribute's value with its quotes.
    Value,
    /// Character data.
    Text,
    /// Comments, processing instructions, CDATA marks.
    Aside,
}

/// A run of characters of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// What it is.
    pub ink: Ink,
    /// Where it stands in the source; a slice of it, never anything else.
    pub range: Range<usize>,
}

/// One line of the pretty form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    /// Blanks before it.
    pub indent: usize,
    /// Its pieces in order, separated by nothing.
    pub pieces: Vec<Piece>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Start,
    Empty,
    End,
    Text,
    Aside,
    Data,
}

/// Lays a well-formed document out in lines; none when it is not well-formed.
pub fn pretty(text: &str) -> Option<Vec<Line>> {
    parse(text).ok()?;
    let tokens = lex(text);
    let mixed = mixed(text, &tokens);
    let mut lines: Vec<Line> = Vec::new();
    let mut depth = 0usize;
    // How many elements are open inside (and including) the outermost mixed one.
    let mut verbatim = 0usize;
    // The last line holds a start tag its end tag may join.
    let mut joinable = false;
    for (i, (token, range)) in tokens.iter().enumerate() {
        let indent = 2 * depth.min(DEPTH);
        let inside = verbatim > 0;
        match token {
            Token::Text if !inside => continue,
            Token::End => {
                depth = depth.saturating_sub(1);
                if inside {
                    verbatim -= 1;
                }
                let pieces = tag(text, range.clone());
                if inside || joinable {
                    if let Some(last) = lines.last_mut() {
                        last.pieces.extend(pieces);
                    }
                } else {
                    lines.push(Line {
                        indent: 2 * depth.min(DEPTH),
                        pieces,
                    });
                }
                joinable = false;
                continue;
            }
            _ => {}
        }
        let pieces = match token {
            Token::Start | Token::Empty => tag(text, range.clone()),
            Token::Text => vec![Piece {
                ink: Ink::Text,
                range: range.clone(),
            }],
            _ => vec![Piece {
                ink: Ink::Aside,
                range: range.clone(),
            }],
        };
        if inside {
            if let Some(last) = lines.last_mut() {
                last.pieces.extend(pieces);
            }
        } else {
            lay(text, indent, pieces, range, &mut lines);
        }
        joinable = *token == Token::Start;
        if *token == Token::Start {
            depth += 1;
            if inside || mixed[i] {
                verbatim += 1;
            }
        }
    }
    Some(lines)
}

/// Puts a tag on one line, or each attribute on its own when it is long.
fn lay(text: &str, indent: usize, pieces: Vec<Piece>, range: &Range<usize>, lines: &mut Vec<Line>) {
    let attributes = pieces.iter().filter(|p| p.ink == Ink::Attribute).count();
    if attributes < 2 || indent + text[range.clone()].chars().count() <= WIDTH {
        lines.push(Line { indent, pieces });
        return;
    }
    let mut line = Line {
        indent,
        pieces: Vec::new(),
    };
    for piece in pieces {
        if piece.ink == Ink::Attribute {
            // The blank before the attribute stays at the end of the line above, where it is not seen.
            lines.push(std::mem::replace(
                &mut line,
                Line {
                    indent: indent + 4,
                    pieces: Vec::new(),
                },
            ));
        }
        line.pieces.push(piece);
    }
    lines.push(line);
}

/// Cuts a well-formed document into tags and what lies between.
fn lex(text: &str) -> Vec<(Token, Range<usize>)> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        let until = |mark: &str| rest.find(mark).map_or(text.len(), |i| at + i + mark.len());
        let (token, end) = if rest.starts_with("<!--") {
            (Token::Aside, until("-->"))
        } else if rest.starts_with("<![CDATA[") {
            (Token::Data, until("]]>"))
        } else if rest.starts_with("<?") {
            (Token::Aside, until("?>"))
        } else if rest.starts_with("</") {
            (Token::End, until(">"))
        } else if rest.starts_with('<') {
            let end = tag_end(bytes, at);
            let empty = bytes[..end].ends_with(b"/>");
            (if empty { Token::Empty } else { Token::Start }, end)
        } else {
            (Token::Text, rest.find('<').map_or(text.len(), |i| at + i))
        };
        tokens.push((token, at..end));
        at = end;
    }
    tokens
}

/// Where a start tag ends; `>` in quotes does not end it.
fn tag_end(bytes: &[u8], start: usize) -> usize {
    let mut quote = None;
    for (i, &b) in bytes.iter().enumerate().skip(start) {
        match (quote, b) {
            (None, b'"' | b'\'') => quote = Some(b),
            (Some(q), b) if q == b => quote = None,
            (None, b'>') => return i + 1,
            _ => {}
        }
    }
    bytes.len()
}

/// For each token, whether it starts an element that has character data of its own.
fn mixed(text: &str, tokens: &[(Token, Range<usize>)]) -> Vec<bool> {
    let mut mixed = vec![false; tokens.len()];
    let mut open = Vec::new();
    for (i, (token, range)) in tokens.iter().enumerate() {
        match token {
            Token::Start => open.push(i),
            Token::End => {
                open.pop();
            }
            Token::Text if text[range.clone()].trim_ascii().is_empty() => {}
            Token::Text | Token::Data => {
                if let Some(&top) = open.last() {
                    mixed[top] = true;
                }
            }
            _ => {}
        }
    }
    mixed
}

/// The pieces of one tag; white space between attributes goes with the markup before it.
fn tag(text: &str, range: Range<usize>) -> Vec<Piece> {
    let bytes = text.as_bytes();
    let mut pieces = Vec::new();
    let mut push = |ink, from: usize, to: usize| {
        if from < to {
            pieces.push(Piece {
                ink,
                range: from..to,
            });
        }
    };
    let is_name = |b: u8| !b.is_ascii_whitespace() && !matches!(b, b'<' | b'>' | b'/' | b'=');
    let skip = |mut at: usize, test: &dyn Fn(u8) -> bool| {
        while at < range.end && test(bytes[at]) {
            at += 1;
        }
        at
    };
    let mut at = skip(range.start, &|b| matches!(b, b'<' | b'/'));
    push(Ink::Markup, range.start, at);
    let end = skip(at, &is_name);
    push(Ink::Name, at, end);
    at = end;
    while at < range.end {
        let start = skip(at, &|b| !is_name(b));
        push(Ink::Markup, at, start);
        if start >= range.end {
            break;
        }
        let end = skip(start, &is_name);
        push(Ink::Attribute, start, end);
        let quote = skip(end, &|b| b.is_ascii_whitespace() || b == b'=');
        push(Ink::Markup, end, quote);
        let Some(&mark) = bytes.get(quote).filter(|_| quote < range.end) else {
            break;
        };
        let close = skip(quote + 1, &|b| b != mark);
        let close = (close + 1).min(range.end);
        push(Ink::Value, quote, close);
        at = close;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        pretty(text)
            .expect("well-formed")
            .iter()
            .map(|line| {
                let text: String = line.pieces.iter().map(|p| &text[p.range.clone()]).collect();
                format!("{}{}\n", " ".repeat(line.indent), text.trim_end())
            })
            .collect()
    }

    #[test]
    fn elements_are_indented_and_mixed_content_is_not() {
        let text = "<?xml version='1.0'?><a x='1>2'><b/><c>one <i>two</i>\n three</c><!--n--><d></d> <e>\n</e></a>";
        assert_eq!(
            shown(text),
            "<?xml version='1.0'?>\n<a x='1>2'>\n  <b/>\n  <c>one <i>two</i>\n three</c>\n  <!--n-->\n  <d></d>\n  <e></e>\n</a>\n"
        );
    }

    #[test]
    fn long_tags_are_broken_between_attributes() {
        let text = format!(
            "<a first='{}' second='{}'/>",
            "x".repeat(70),
            "y".repeat(70)
        );
        let lines = pretty(&text).unwrap();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[1].indent, 4);
    }

    #[test]
    fn broken_documents_are_refused() {
        for text in ["", "<a>", "<a></b>", "<!DOCTYPE a []><a/>", "text"] {
            assert_eq!(pretty(text), None, "{text}");
        }
        assert!(pretty(&format!("{}{}", "<a>".repeat(5000), "</a>".repeat(5000))).is_some());
    }

    proptest::proptest! {
        /// Nothing but white space is ever added, lost or moved.
        #[test]
        fn only_white_space_changes(text in "(<a( b='[^<&\u{0}-\u{1f}']{0,3}')?>|</a>|<b/>|x|ü| |\n|<!--c-->|<!\\[CDATA\\[<]]>){0,12}") {
            let text = format!("<r>{text}</r>");
            if let Some(lines) = pretty(&text) {
                let shown: String = lines
                    .iter()
                    .flat_map(|l| &l.pieces)
                    .map(|p| &text[p.range.clone()])
                    .collect();
                let bare = |t: &str| t.chars().filter(|c| !c.is_whitespace()).collect::<String>();
                proptest::prop_assert_eq!(bare(&shown), bare(&text));
            }
        }
    }
}

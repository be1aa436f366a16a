//! Paths into XML payloads, resolved to byte ranges.

use std::ops::Range;

/// Most elements a payload may have to be looked into.
pub const NODES: u32 = 200_000;

/// Parses a payload the careful way: no DTD, bounded nodes.
pub fn parse(text: &str) -> Option<roxmltree::Document<'_>> {
    let options = roxmltree::ParsingOptions {
        allow_dtd: false,
        nodes_limit: NODES,
        ..roxmltree::ParsingOptions::default()
    };
    roxmltree::Document::parse_with_options(text, options).ok()
}

/// The byte range of what a path like `/xccos/rpl[1]/@id` names: an attribute, or the start tag's
/// name of an element. Names are local names; the nearest existing ancestor stands in for what is
/// not there.
pub fn resolve(text: &str, path: &str) -> Option<Range<usize>> {
    let document = parse(text)?;
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

/*! XML in one form, whoever wrote it.

Takes a well-formed document; gives lines: one element a line, attributes
sorted and on lines of their own where they are many, prefixes by order of
appearance, comments kept, mixed content verbatim. White space between elements
does not count. The form of the form is the form itself.
*/

use std::fmt::Write as _;

use roxmltree::{Document, Node, NodeType};

/// Deepest nesting that is laid out.
const DEPTH: usize = 256;

/// Most nodes that are laid out.
const NODES: u32 = 200_000;

/// Columns a start tag may fill before its attributes get lines of their own.
const WIDTH: usize = 90;

/// Replaces values while they are written: element name, attribute name (none for text), value.
pub type Redact<'a> = &'a mut dyn FnMut(&str, Option<&str>, &str) -> String;

/// Lays a document out in its canonical form; the reason when it is not well-formed or too deep.
pub fn canonical(text: &str, redact: Redact<'_>) -> Result<String, String> {
    let options = roxmltree::ParsingOptions {
        allow_dtd: false,
        nodes_limit: NODES,
        ..roxmltree::ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options).map_err(|e| e.to_string())?;
    let prefixes = Prefixes::of(&document);
    let mut writer = Writer {
        out: String::new(),
        prefixes,
        redact,
    };
    writer.document(&document)?;
    Ok(writer.out)
}

/// Prefix of each namespace; empty for the default one.
struct Prefixes {
    given: Vec<(String, String)>,
}

impl Prefixes {
    fn of(document: &Document<'_>) -> Prefixes {
        let mut seen: Vec<String> = Vec::new();
        let mut add = |uri: Option<&str>| {
            if let Some(uri) = uri
                && uri != roxmltree::NS_XML_URI
                && !seen.iter().any(|s| s == uri)
            {
                seen.push(uri.to_owned());
            }
        };
        let mut bare = false;
        let mut on_attributes = Vec::new();
        for node in document.descendants().filter(Node::is_element) {
            bare |= node.tag_name().namespace().is_none_or(str::is_empty);
            add(node.tag_name().namespace().filter(|n| !n.is_empty()));
            for attribute in node.attributes() {
                add(attribute.namespace());
                on_attributes.extend(attribute.namespace().map(str::to_owned));
            }
        }
        let root = document.root_element();
        let mut given = Vec::new();
        let mut n = 0;
        for uri in seen {
            // The root's namespace needs no prefix, unless a name without namespace or an attribute stands in the way.
            let default = !bare
                && root.tag_name().namespace() == Some(uri.as_str())
                && !on_attributes.contains(&uri);
            let prefix = if default {
                String::new()
            } else {
                n += 1;
                format!("n{n}")
            };
            given.push((uri, prefix));
        }
        Prefixes { given }
    }

    fn name(&self, namespace: Option<&str>, local: &str) -> String {
        match namespace {
            None | Some("") => local.to_owned(),
            Some(roxmltree::NS_XML_URI) => format!("xml:{local}"),
            Some(uri) => match self.given.iter().find(|(u, _)| u == uri) {
                Some((_, prefix)) if !prefix.is_empty() => format!("{prefix}:{local}"),
                _ => local.to_owned(),
            },
        }
    }
}

struct Writer<'a> {
    out: String,
    prefixes: Prefixes,
    redact: Redact<'a>,
}

impl Writer<'_> {
    /// Walks without recursion: payloads may nest as deep as they are long.
    fn document(&mut self, document: &Document<'_>) -> Result<(), String> {
        let mut depth = 0usize;
        // Depth of the outermost element with mixed content we are in.
        let mut mixed_at: Option<usize> = None;
        let mut node = document.root();
        let mut opening = true;
        loop {
            if opening {
                self.open(&node, &mut depth, &mut mixed_at)?;
                match node.first_child() {
                    Some(child) => node = child,
                    None => opening = false,
                }
                continue;
            }
            self.close(&node, &mut depth, &mut mixed_at);
            match (node.next_sibling(), node.parent()) {
                (Some(next), _) => {
                    node = next;
                    opening = true;
                }
                (None, Some(parent)) => node = parent,
                (None, None) => break,
            }
        }
        Ok(())
    }

    fn open(
        &mut self,
        node: &Node<'_, '_>,
        depth: &mut usize,
        mixed_at: &mut Option<usize>,
    ) -> Result<(), String> {
        match node.node_type() {
            NodeType::Root => {}
            NodeType::Element => {
                if *depth >= DEPTH {
                    return Err(format!("nested deeper than {DEPTH} elements"));
                }
                let inside = mixed_at.is_some();
                let mixed = is_mixed(node);
                if !inside {
                    self.indent(*depth);
                }
                let empty = !has_content(node, inside || mixed);
                self.start_tag(node, *depth, inside, empty);
                if !inside {
                    if mixed {
                        *mixed_at = Some(*depth);
                    } else {
                        self.out.push('\n');
                    }
                }
                *depth += 1;
            }
            NodeType::Text => {
                if mixed_at.is_some() {
                    self.text(node);
                }
            }
            NodeType::Comment | NodeType::PI => {
                if mixed_at.is_none() {
                    self.indent(*depth);
                }
                self.aside(node);
                if mixed_at.is_none() {
                    self.out.push('\n');
                }
            }
        }
        Ok(())
    }

    fn close(&mut self, node: &Node<'_, '_>, depth: &mut usize, mixed_at: &mut Option<usize>) {
        if !node.is_element() {
            return;
        }
        *depth -= 1;
        let inside = mixed_at.is_some();
        let ends_mixed = *mixed_at == Some(*depth);
        if has_content(node, inside) {
            if !inside {
                self.indent(*depth);
            }
            let name = self
                .prefixes
                .name(node.tag_name().namespace(), node.tag_name().name());
            let _ = write!(self.out, "</{name}>");
            if !inside || ends_mixed {
                self.out.push('\n');
            }
        } else if ends_mixed {
            self.out.push('\n');
        }
        if ends_mixed {
            *mixed_at = None;
        }
    }

    fn indent(&mut self, depth: usize) {
        self.out.extend(std::iter::repeat_n("  ", depth));
    }

    fn start_tag(&mut self, node: &Node<'_, '_>, depth: usize, inline: bool, empty: bool) {
        let element = node.tag_name().name();
        let name = self.prefixes.name(node.tag_name().namespace(), element);
        let mut attributes: Vec<String> = Vec::new();
        if node.parent().is_none_or(|p| p.is_root()) {
            for (uri, prefix) in &self.prefixes.given {
                let key = if prefix.is_empty() {
                    "xmlns".to_owned()
                } else {
                    format!("xmlns:{prefix}")
                };
                attributes.push(format!("{key}=\"{}\"", escape(uri, true)));
            }
        }
        let mut own: Vec<(String, String)> = node
            .attributes()
            .map(|a| {
                let key = self.prefixes.name(a.namespace(), a.name());
                let value = (self.redact)(element, Some(a.name()), a.value());
                (key, escape(&value, true))
            })
            .collect();
        own.sort();
        attributes.extend(own.into_iter().map(|(k, v)| format!("{k}=\"{v}\"")));
        let length: usize = attributes.iter().map(|a| a.chars().count() + 1).sum();
        let end = if empty { "/>" } else { ">" };
        if inline || attributes.len() < 2 || 2 * depth + name.len() + length < WIDTH {
            let _ = write!(self.out, "<{name}");
            for attribute in &attributes {
                let _ = write!(self.out, " {attribute}");
            }
        } else {
            let _ = write!(self.out, "<{name}");
            for attribute in &attributes {
                self.out.push('\n');
                self.indent(depth + 2);
                self.out.push_str(attribute);
            }
        }
        self.out.push_str(end);
    }

    fn text(&mut self, node: &Node<'_, '_>) {
        let text = node.text().unwrap_or("");
        let element = node.parent().map_or("", |p| p.tag_name().name());
        let shown = (self.redact)(element, None, text);
        self.out.push_str(&escape(&shown, false));
    }

    fn aside(&mut self, node: &Node<'_, '_>) {
        match node.pi() {
            Some(pi) => {
                let _ = write!(self.out, "<?{}", pi.target);
                if let Some(value) = pi.value {
                    let _ = write!(self.out, " {value}");
                }
                self.out.push_str("?>");
            }
            None => {
                let _ = write!(self.out, "<!--{}-->", node.text().unwrap_or(""));
            }
        }
    }
}

/// Whether an element has character data of its own besides white space.
fn is_mixed(node: &Node<'_, '_>) -> bool {
    node.children()
        .any(|c| c.is_text() && !c.text().unwrap_or("").trim_ascii().is_empty())
}

/// Whether an element has anything between its tags that counts; white space does only inside
/// mixed content.
fn has_content(node: &Node<'_, '_>, mixed: bool) -> bool {
    node.children()
        .any(|c| !c.is_text() || mixed && !c.text().unwrap_or("").is_empty())
}

fn escape(text: &str, attribute: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' if attribute => out.push_str("&quot;"),
            '\n' if attribute => out.push_str("&#10;"),
            '\t' if attribute => out.push_str("&#9;"),
            '\r' => out.push_str("&#13;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Result<String, String> {
        canonical(text, &mut |_, _, value| value.to_owned())
    }

    #[test]
    fn writers_habits_do_not_show() {
        let one = plain("<x:a xmlns:x='u' xmlns:y='v' z='1' b='2'><x:c/> <y:d y:e='f'>t &amp;<![CDATA[<]]></y:d></x:a>").unwrap();
        let two = plain("<?xml version=\"1.0\"?>\n<a b=\"2\" z=\"1\" xmlns=\"u\">\n<c></c>\n<d xmlns=\"v\" xmlns:q=\"v\" q:e=\"f\">t &#38;&lt;</d></a>\n").unwrap();
        assert_eq!(one, two);
        assert_eq!(
            one,
            "<a xmlns=\"u\" xmlns:n1=\"v\" b=\"2\" z=\"1\">\n  <c/>\n  <n1:d n1:e=\"f\">t &amp;&lt;</n1:d>\n</a>\n"
        );
    }

    #[test]
    fn names_without_namespace_stay_without() {
        let text = plain("<a xmlns='u'><b xmlns=''/></a>").unwrap();
        assert_eq!(text, "<n1:a xmlns:n1=\"u\">\n  <b/>\n</n1:a>\n");
    }

    #[test]
    fn depth_is_bounded_and_faults_are_told() {
        assert!(plain("<a><b></a>").is_err());
        assert!(plain("<!DOCTYPE a><a/>").is_err());
        let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
        assert!(plain(&deep).unwrap_err().contains("deeper"), "too deep");
    }

    proptest::proptest! {
        /// The form of the form is the form itself, whatever the document.
        #[test]
        fn canonical_is_idempotent(text in "(<(a|p:a)( (b|p:b|c)='([^<&'\u{0}-\u{8}]|&#10;|&quot;){0,4}')?>|</a>|</p:a>|<b xmlns=''/>|<b/>|<b></b>|x|ü|]]&gt;| |\n|\t|<!--c-->|<\\?p i\\?>|<!\\[CDATA\\[<]]>){0,14}") {
            for document in [format!("<r xmlns:p='u'>{text}</r>"), format!("<r xmlns='d' xmlns:p='u'>{text}</r>")] {
                if let Ok(once) = plain(&document) {
                    proptest::prop_assert_eq!(plain(&once), Ok(once));
                }
            }
        }
    }
}

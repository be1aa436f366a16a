//! From schema documents to raw components.
//!
//! Takes [`Source`]s; follows include, import and redefine; checks each document's grammar ([`syntax`]); registers
//! every global name, then reads every definition ([`read`], [`content`], [`attributes`], [`identity`]). What it
//! gives refers to other components by number and leaves derivation to the linker. Nothing is skipped silently:
//! what cannot be found or is not supported becomes an error, or a warning where the Recommendation forbids an error.

pub(crate) mod attributes;
pub(crate) mod content;
mod grammar;
pub(crate) mod identity;
pub(crate) mod read;
pub(crate) mod register;
mod resolve;
pub(crate) mod syntax;

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use roxmltree::{Document, Node};

use crate::component::Place;
use crate::doc::{self, Limits};
use crate::encoding::readable;
use crate::lines::Lines;
use crate::name::{XML, XSD};
use crate::source::{Fetch, Source, resolve, same};
use crate::violation::SchemaError;

/// Most errors reported for one schema.
const MOST_ERRORS: usize = 100;
/// Most documents in one schema.
const MOST_SOURCES: usize = 1000;
/// Most bytes of all documents together.
const MOST_BYTES: usize = 64 << 20;

/// The documents of one schema and how they refer to each other.
pub(crate) struct Library {
    pub(crate) sources: Vec<Source>,
    /// For a document and a `schemaLocation` in it, the document found there.
    links: HashMap<(u32, String), Option<u32>>,
    included: HashSet<u32>,
    /// How many of the sources were given rather than found.
    pub(crate) roots: usize,
}

impl Library {
    pub(crate) fn link(&self, source: u32, location: &str) -> Option<u32> {
        self.links
            .get(&(source, location.to_owned()))
            .copied()
            .flatten()
    }

    /// The documents that another document includes or redefines.
    pub(crate) fn included(&self) -> HashSet<u32> {
        self.included.clone()
    }
}

/// Collects errors with their places, up to a cap.
pub(crate) struct Errors<'l> {
    sources: &'l [Source],
    lines: HashMap<u32, Lines<'l>>,
    pub(crate) list: Vec<SchemaError>,
    pub(crate) warnings: Vec<SchemaError>,
}

impl<'l> Errors<'l> {
    pub(crate) fn new(sources: &'l [Source]) -> Self {
        Errors {
            sources,
            lines: HashMap::new(),
            list: Vec::new(),
            warnings: Vec::new(),
        }
    }

    pub(crate) fn at(
        &mut self,
        source: u32,
        span: Range<usize>,
        code: &'static str,
        message: String,
    ) {
        if self.list.len() < MOST_ERRORS {
            let error = self.make(source, span, code, message);
            self.list.push(error);
        }
    }

    pub(crate) fn push(&mut self, place: Place, code: &'static str, message: String) {
        self.at(
            place.source,
            place.start as usize..place.end as usize,
            code,
            message,
        );
    }

    pub(crate) fn warn(
        &mut self,
        source: u32,
        span: Range<usize>,
        code: &'static str,
        message: String,
    ) {
        if self.warnings.len() < MOST_ERRORS {
            let warning = self.make(source, span, code, message);
            self.warnings.push(warning);
        }
    }

    pub(crate) fn line(&mut self, source: u32, offset: usize) -> u32 {
        self.lines(source).map_or(0, |lines| lines.line(offset))
    }

    fn lines(&mut self, source: u32) -> Option<&Lines<'l>> {
        let document = self.sources.get(source as usize)?;
        Some(
            self.lines
                .entry(source)
                .or_insert_with(|| Lines::new(&document.text)),
        )
    }

    fn position(&mut self, source: u32, offset: usize) -> (u32, u32) {
        let position = self.lines(source).map(|lines| lines.position(offset));
        position.map_or((0, 0), |position| (position.line, position.column))
    }

    fn make(
        &mut self,
        source: u32,
        span: Range<usize>,
        code: &'static str,
        message: String,
    ) -> SchemaError {
        let (line, column) = self.position(source, span.start);
        SchemaError {
            code,
            uri: self
                .sources
                .get(source as usize)
                .map_or_else(String::new, |source| source.uri.clone()),
            span,
            line,
            column,
            message,
        }
    }
}

/// Limits for schema documents: deeper nesting than any author writes is refused before anything recurses.
pub(crate) fn limits() -> Limits {
    Limits {
        depth: 200,
        ..Limits::default()
    }
}

/// Reads the given documents and every document they lead to.
pub(crate) fn discover(given: Vec<Source>, fetch: &dyn Fetch) -> Result<Library, Vec<SchemaError>> {
    let mut library = Library {
        roots: given.len(),
        sources: given,
        links: HashMap::new(),
        included: HashSet::new(),
    };
    let mut bytes = library
        .sources
        .iter()
        .map(|source| source.text.len())
        .sum::<usize>();
    let mut at = 0;
    while at < library.sources.len() {
        if library.sources.len() > MOST_SOURCES || bytes > MOST_BYTES {
            let message =
                format!("the schema has more than {MOST_SOURCES} documents or {MOST_BYTES} bytes");
            return Err(vec![plain(&library.sources[at].uri, "limit", message)]);
        }
        for (includes, location) in locations(&library.sources[at])? {
            let uri = resolve(&library.sources[at].uri, &location);
            let known = library
                .sources
                .iter()
                .position(|source| same(&source.uri, &uri));
            let found = match known {
                Some(index) => Some(index),
                None => match fetch.fetch(&uri) {
                    Ok(None) => None,
                    Ok(Some(content)) => {
                        let content = readable(&content);
                        let text = doc::decode(&content, &limits())
                            .map_err(|error| vec![unreadable(&uri, error)])?;
                        bytes += text.len();
                        library.sources.push(Source::new(uri, text));
                        Some(library.sources.len() - 1)
                    }
                    Err(message) => return Err(vec![plain(&uri, "xml", message)]),
                },
            };
            let found = found.map(|index| index as u32);
            if let (true, Some(found)) = (includes, found.filter(|found| *found != at as u32)) {
                library.included.insert(found);
            }
            library.links.insert((at as u32, location), found);
        }
        at += 1;
    }
    Ok(library)
}

/// The `schemaLocation`s of a document's include, import and redefine elements; true for those that are no import.
fn locations(source: &Source) -> Result<Vec<(bool, String)>, Vec<SchemaError>> {
    let document = doc::parse_str(&source.text, &limits())
        .map_err(|error| vec![unreadable(&source.uri, error)])?;
    Ok(document
        .root_element()
        .children()
        .filter(|node| {
            is_xsd(*node, "include") || is_xsd(*node, "import") || is_xsd(*node, "redefine")
        })
        .filter_map(|node| {
            let location = node.attribute("schemaLocation")?.trim();
            Some((!is_xsd(node, "import"), location.to_owned()))
        })
        .collect())
}

/// Parses every document of a library.
pub(crate) fn parse(library: &Library) -> Result<Vec<Document<'_>>, Vec<SchemaError>> {
    let mut errors = Errors::new(&library.sources);
    let mut documents = Vec::new();
    for (index, source) in library.sources.iter().enumerate() {
        let document = doc::parse_str(&source.text, &limits())
            .map_err(|error| vec![unreadable(&source.uri, error)])?;
        let root = document.root_element();
        if is_xsd(root, "schema") {
            syntax::check(root, index as u32, &mut errors);
        } else {
            let message = match root.tag_name().namespace() {
                Some(XSD) => format!(
                    "the root element is xs:{}, not xs:schema",
                    root.tag_name().name()
                ),
                _ => format!(
                    "the root element \"{}\" is not xs:schema of {XSD}",
                    root.tag_name().name()
                ),
            };
            errors.at(index as u32, syntax::tag(root), "sch-root", message);
        }
        documents.push(document);
    }
    if errors.list.is_empty() {
        Ok(documents)
    } else {
        Err(errors.list)
    }
}

fn plain(uri: &str, code: &'static str, message: String) -> SchemaError {
    SchemaError {
        code,
        uri: uri.to_owned(),
        span: 0..0,
        line: 1,
        column: 1,
        message,
    }
}

fn unreadable(uri: &str, error: doc::XmlError) -> SchemaError {
    SchemaError {
        code: "xml",
        uri: uri.to_owned(),
        span: error.offset..error.offset,
        line: error.line,
        column: error.column,
        message: error.message,
    }
}

/// Whether a node is the XSD element with this local name.
pub(crate) fn is_xsd(node: Node<'_, '_>, local: &str) -> bool {
    node.is_element() && node.tag_name().name() == local && node.tag_name().namespace() == Some(XSD)
}

/// The XSD child elements of a node, annotations left out.
pub(crate) fn parts<'a, 'i>(node: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children()
        .filter(|child| child.is_element() && child.tag_name().namespace() == Some(XSD))
        .filter(|child| child.tag_name().name() != "annotation")
}

/// A collapsed attribute value.
pub(crate) fn value<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    node.attribute(name)
        .map(|value| value.trim_matches([' ', '\t', '\n', '\r']))
}

/// Whether a boolean attribute is true.
pub(crate) fn flag(node: Node<'_, '_>, name: &str) -> bool {
    matches!(value(node, name), Some("true" | "1"))
}

/// Whether references into a namespace need no import.
pub(crate) fn always_visible(uri: &str) -> bool {
    matches!(uri, XSD | XML)
}

//! A compiled schema: the door to everything else in this crate.

use std::collections::HashMap;
use std::sync::Arc;

use roxmltree::Document;

use crate::automaton::build;
use crate::component::*;
use crate::load::register::Reader;
use crate::load::{self, Errors};
use crate::source::{Fetch, GivenOnly, Source};
use crate::validate::{Options, Validator};
use crate::violation::{SchemaError, Violation};

/// Stack for compiling: recursion is bounded by counted limits that need this much at most.
const STACK: usize = 256 << 20;

/// A compiled XSD 1.0 schema. Immutable; share it between threads freely.
#[derive(Debug)]
pub struct Schema {
    pub(crate) all: Components,
    pub(crate) warnings: Vec<SchemaError>,
}

/// One schema serves all threads.
const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    shared::<Schema>();
};

impl Schema {
    /// Compiles a schema from documents that refer to nothing but each other.
    ///
    /// # Errors
    /// Every reason found why the documents are not a schema, each with its constraint and place.
    pub fn compile(sources: Vec<Source>) -> Result<Schema, Vec<SchemaError>> {
        Schema::compile_with(sources, &GivenOnly)
    }

    /// Compiles a schema, looking up what its documents include, import and redefine.
    ///
    /// # Errors
    /// As [`Schema::compile`], and when a document that is found cannot be read.
    pub fn compile_with(
        sources: Vec<Source>,
        fetch: &(dyn Fetch + Sync),
    ) -> Result<Schema, Vec<SchemaError>> {
        std::thread::scope(|scope| {
            std::thread::Builder::new()
                .name("xsd-compile".to_owned())
                .stack_size(STACK)
                .spawn_scoped(scope, || compile(sources, fetch))
                .map_err(|error| vec![internal(format!("cannot start a thread: {error}"))])?
                .join()
                .unwrap_or_else(|_| Err(vec![internal("the schema compiler failed".to_owned())]))
        })
    }

    /// What was noticed and is no error, such as an import without a document.
    pub fn warnings(&self) -> &[SchemaError] {
        &self.warnings
    }

    /// Validates a document; an empty list means it is valid. At most 100 violations are listed.
    pub fn validate(&self, document: &Document<'_>) -> Vec<Violation> {
        self.validate_with(document, &Options::default())
    }

    /// As [`Schema::validate`], with options.
    pub fn validate_with(&self, document: &Document<'_>, options: &Options) -> Vec<Violation> {
        Validator::new(self, document, options).run()
    }

    /// Whether one of the schema's documents has this target namespace (empty for none).
    pub fn covers(&self, namespace: &str) -> bool {
        let space = self.all.names.find_space(namespace);
        space.is_some_and(|space| self.all.targets.contains(&space))
    }

    /// Whether the schema declares a global element with this name.
    pub fn declares(&self, namespace: Option<&str>, local: &str) -> bool {
        self.all
            .names
            .find_space(namespace.unwrap_or(""))
            .and_then(|space| self.all.names.find(space, local))
            .is_some_and(|name| self.all.global_elements.contains_key(&name))
    }
}

fn internal(message: String) -> SchemaError {
    SchemaError {
        code: "internal",
        uri: String::new(),
        span: 0..0,
        line: 1,
        column: 1,
        message,
    }
}

fn compile(sources: Vec<Source>, fetch: &dyn Fetch) -> Result<Schema, Vec<SchemaError>> {
    let library = load::discover(sources, fetch)?;
    let documents = load::parse(&library)?;
    let mut errors = Errors::new(&library.sources);
    let mut reader = Reader::new(&library, &documents, &mut errors);
    reader.run();
    if reader.errors.list.is_empty() {
        reader.link();
    }
    if reader.errors.list.is_empty() {
        reader.check_derivations();
    }
    let mut all = reader.all;
    if errors.list.is_empty() {
        automata(&mut all, &mut errors);
    }
    if !errors.list.is_empty() {
        return Err(errors.list);
    }
    Ok(Schema {
        all,
        warnings: errors.warnings,
    })
}

/// Gives every complex type its automaton; types with the same particle share one.
fn automata(all: &mut Components, errors: &mut Errors<'_>) {
    let mut built: HashMap<Option<ParticleId>, Arc<crate::automaton::Automaton>> = HashMap::new();
    for index in 0..all.types.len() {
        let Kind::Complex(Complex {
            content: Content::Elements { particle, .. },
            ..
        }) = &all.types[index].kind
        else {
            continue;
        };
        let particle = *particle;
        let automaton = match built.get(&particle) {
            Some(automaton) => automaton.clone(),
            None => match build::build(all, particle) {
                Ok(automaton) => {
                    let automaton = Arc::new(automaton);
                    built.insert(particle, automaton.clone());
                    automaton
                }
                Err(error) => {
                    let name = all.show_type(TypeId(index as u32));
                    let (place, code, message) = match error {
                        build::BuildError::Ambiguous { what, place } => (
                            place,
                            "cos-nonambig",
                            format!("in the content of {name}, {what}"),
                        ),
                        build::BuildError::Inconsistent {
                            name: element,
                            place,
                        } => {
                            let element = all.names.show(element);
                            let message = format!(
                                "in the content of {name}, {element} has two different types"
                            );
                            (place, "cos-element-consistent", message)
                        }
                        build::BuildError::Limit => {
                            let message = format!("the content model of {name} is too large");
                            (all.types[index].place, "limit", message)
                        }
                    };
                    errors.push(place, code, message);
                    continue;
                }
            },
        };
        if let Kind::Complex(Complex {
            content: Content::Elements {
                automaton: slot, ..
            },
            ..
        }) = &mut all.types[index].kind
        {
            *slot = Some(automaton);
        }
    }
}

/// The documents that an instance's `xsi:schemaLocation` and `xsi:noNamespaceSchemaLocation` point to, in order,
/// as pairs of a namespace name (empty for none) and a location. Nothing follows them unless it is asked to.
pub fn location_hints<'d>(document: &'d Document<'_>) -> Vec<(&'d str, &'d str)> {
    let mut hints = Vec::new();
    for attribute in document.descendants().flat_map(|node| node.attributes()) {
        if attribute.namespace() != Some(crate::name::XSI) {
            continue;
        }
        let words: Vec<&str> = attribute.value().split_ascii_whitespace().collect();
        match attribute.name() {
            "schemaLocation" => {
                hints.extend(words.chunks_exact(2).map(|pair| (pair[0], pair[1])));
            }
            "noNamespaceSchemaLocation" => hints.extend(words.first().map(|word| ("", *word))),
            _ => {}
        }
    }
    hints
}

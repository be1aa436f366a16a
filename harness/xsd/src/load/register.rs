//! Documents to instances, and their global names to numbers.
//!
//! A document included into two namespaces (chameleon include) has an instance for each. A redefinition takes the
//! place of the original under its name; the original stays reachable from the redefinition alone.

use std::collections::{HashMap, HashSet};

use roxmltree::{Document, Node};

use super::{Errors, Library, parts, syntax, value};
use crate::builtin;
use crate::component::*;
use crate::link::attributes::Flat;
use crate::load::attributes::RawAttributes;
use crate::load::read::RawType;
use crate::name::{NameId, NsId, XML, XSI};

/// A schema document as seen under one target namespace.
pub(crate) struct Instance {
    pub(crate) source: u32,
    pub(crate) target: NsId,
    /// Its unprefixed references mean the including document's namespace.
    pub(crate) chameleon: bool,
    pub(crate) elements_qualified: bool,
    pub(crate) attributes_qualified: bool,
    pub(crate) block_default: Derivations,
    pub(crate) final_default: Derivations,
    pub(super) imports: HashSet<NsId>,
}

/// The symbol spaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Symbol {
    Type,
    Element,
    Attribute,
    Group,
    AttributeGroup,
    Notation,
    Identity,
}

/// A named attribute group before it is flattened.
pub(crate) struct RawAttributeGroup {
    pub(crate) name: NameId,
    pub(crate) place: Place,
    pub(crate) attributes: RawAttributes,
}

/// A global definition waiting to be read.
#[derive(Clone, Copy)]
pub(crate) struct Global<'d> {
    pub(crate) symbol: Symbol,
    pub(crate) number: u32,
    pub(crate) instance: usize,
    pub(crate) node: Node<'d, 'd>,
    /// The number of what this redefines.
    pub(crate) original: Option<u32>,
}

/// Everything known while documents are read.
pub(crate) struct Reader<'d, 'e, 'l> {
    pub(crate) all: Components,
    pub(crate) errors: &'e mut Errors<'l>,
    pub(crate) instances: Vec<Instance>,
    pub(crate) symbols: HashMap<(Symbol, NameId), Global<'d>>,
    /// Raw forms of the types, by number; built-in types have none.
    pub(crate) raw_types: Vec<Option<RawType<'d>>>,
    pub(crate) raw_attribute_groups: Vec<Option<RawAttributeGroup>>,
    /// Text and place of value constraints, evaluated once types are linked.
    pub(crate) element_values: Vec<(ElementId, bool, Node<'d, 'd>)>,
    pub(crate) attribute_values: Vec<(AttributeId, bool, Node<'d, 'd>)>,
    /// Elements whose type is that of their head, for lack of their own.
    pub(crate) untyped_members: Vec<ElementId>,
    /// Keyrefs and what they refer to.
    pub(crate) keyrefs: Vec<(IdentityId, Option<NameId>)>,
    pub(crate) redefined_groups: Vec<(GroupId, GroupId, Place)>,
    pub(crate) redefined_attribute_groups: Vec<(u32, u32, Place)>,
    /// Attribute groups with the groups they refer to merged in.
    pub(crate) flat_groups: HashMap<AttributeGroupId, Flat>,
    /// The definition being read, when it is a redefinition.
    pub(crate) current: Option<Global<'d>>,
    /// How often a group definition referred to what it redefines.
    pub(crate) self_references: usize,
    queue: Vec<Global<'d>>,
    documents: &'d [Document<'d>],
    library: &'d Library,
    visited: HashSet<(u32, NsId)>,
}

impl<'d, 'e, 'l> Reader<'d, 'e, 'l> {
    pub(crate) fn new(
        library: &'d Library,
        documents: &'d [Document<'d>],
        errors: &'e mut Errors<'l>,
    ) -> Self {
        let mut all = builtin::components();
        all.sources = library
            .sources
            .iter()
            .map(|source| source.uri.clone())
            .collect();
        let raw_types = all.types.iter().map(|_| None).collect();
        Reader {
            all,
            errors,
            instances: Vec::new(),
            symbols: HashMap::new(),
            raw_types,
            raw_attribute_groups: Vec::new(),
            element_values: Vec::new(),
            attribute_values: Vec::new(),
            untyped_members: Vec::new(),
            keyrefs: Vec::new(),
            redefined_groups: Vec::new(),
            redefined_attribute_groups: Vec::new(),
            flat_groups: HashMap::new(),
            current: None,
            self_references: 0,
            queue: Vec::new(),
            documents,
            library,
            visited: HashSet::new(),
        }
    }

    /// Registers all documents, then reads all definitions.
    pub(crate) fn run(&mut self) {
        // A given document that another one includes is seen through that one only: alone, a document without
        // target namespace could mean something else.
        let roots = self.library.roots as u32;
        let included = self.library.included();
        let (inner, outer): (Vec<u32>, Vec<u32>) =
            (0..roots).partition(|source| included.contains(source));
        for source in outer.into_iter().chain(inner) {
            if !self.visited.iter().any(|(visited, _)| *visited == source) {
                self.visit(source, None);
            }
        }
        for global in std::mem::take(&mut self.queue) {
            self.read_global(global);
        }
        self.finish_tables();
    }

    /// Takes a document in, under its own target namespace or that of the document that includes it.
    fn visit(&mut self, source: u32, adopted: Option<NsId>) {
        let Some(document) = self.documents.get(source as usize) else {
            return;
        };
        let root = document.root_element();
        let own = value(root, "targetNamespace");
        if own == Some("") {
            let message = "the target namespace cannot be the empty string".to_owned();
            self.errors
                .at(source, syntax::tag(root), "s4s-att-invalid-value", message);
        }
        let own = own.map(|uri| self.all.names.space(uri));
        let target = own.or(adopted).unwrap_or(NsId(0));
        if !self.visited.insert((source, target)) {
            return;
        }
        let set = |name| derivations(value(root, name).unwrap_or(""));
        let instance = self.instances.len();
        self.instances.push(Instance {
            source,
            target,
            chameleon: own.is_none() && target != NsId(0),
            elements_qualified: value(root, "elementFormDefault") == Some("qualified"),
            attributes_qualified: value(root, "attributeFormDefault") == Some("qualified"),
            block_default: set("blockDefault"),
            final_default: set("finalDefault"),
            imports: HashSet::new(),
        });
        for node in parts(root) {
            match node.tag_name().name() {
                "include" => {
                    self.include(instance, node);
                }
                "import" => self.import(instance, node),
                "redefine" => self.redefine(instance, node),
                _ => self.register(instance, node),
            }
        }
    }

    fn include(&mut self, instance: usize, node: Node<'d, 'd>) -> Option<u32> {
        let Instance { source, target, .. } = self.instances[instance];
        let location = value(node, "schemaLocation").unwrap_or("");
        let kind = node.tag_name().name();
        let Some(found) = self.library.link(source, location) else {
            let message = format!("the document \"{location}\" of xs:{kind} was not found");
            let definitions = parts(node).next().is_some();
            if kind == "redefine" && definitions {
                self.errors
                    .at(source, syntax::tag(node), "src-redefine", message);
            } else {
                self.errors
                    .warn(source, syntax::tag(node), "src-include", message);
            }
            return None;
        };
        let other = self.documents.get(found as usize)?.root_element();
        let theirs = value(other, "targetNamespace").unwrap_or("").to_owned();
        if !theirs.is_empty() && self.all.names.space(&theirs) != target {
            let ours = self.all.names.uri(target);
            let message = format!(
                "the included document has the target namespace \"{theirs}\", the including one \"{ours}\""
            );
            let code = if kind == "redefine" {
                "src-redefine.3.1"
            } else {
                "src-include.2.1"
            };
            self.errors.at(source, syntax::tag(node), code, message);
            return None;
        }
        self.visit(found, Some(target));
        Some(found)
    }

    fn import(&mut self, instance: usize, node: Node<'d, 'd>) {
        let Instance { source, target, .. } = self.instances[instance];
        let uri = value(node, "namespace").unwrap_or("");
        if value(node, "namespace") == Some("") {
            let message = "the namespace of an import cannot be the empty string".to_owned();
            self.errors
                .at(source, syntax::tag(node), "src-import.1", message);
            return;
        }
        let space = self.all.names.space(uri);
        if space == target {
            let message = match uri {
                "" => {
                    "a document without target namespace cannot import without namespace".to_owned()
                }
                uri => format!("a document cannot import its own target namespace \"{uri}\""),
            };
            self.errors
                .at(source, syntax::tag(node), "src-import.1", message);
            return;
        }
        self.instances[instance].imports.insert(space);
        let found =
            value(node, "schemaLocation").and_then(|location| self.library.link(source, location));
        let Some(found) = found else {
            if uri == XML {
                builtin::declare_xml_attributes(&mut self.all);
            } else if let Some(location) = value(node, "schemaLocation") {
                let message = format!("the document \"{location}\" of xs:import was not found");
                self.errors
                    .warn(source, syntax::tag(node), "src-import", message);
            }
            return;
        };
        let Some(document) = self.documents.get(found as usize) else {
            return;
        };
        let theirs = value(document.root_element(), "targetNamespace").unwrap_or("");
        if theirs != uri {
            let message = format!(
                "the imported document has the target namespace \"{theirs}\", not \"{uri}\""
            );
            self.errors
                .at(source, syntax::tag(node), "src-import.3.1", message);
            return;
        }
        self.visit(found, None);
    }

    fn redefine(&mut self, instance: usize, node: Node<'d, 'd>) {
        if self.include(instance, node).is_none() {
            return;
        }
        let mut redefined = HashSet::new();
        for child in parts(node) {
            let Some(symbol) = symbol_of(child) else {
                continue;
            };
            let Some(name) = self.global_name(instance, child) else {
                continue;
            };
            if !redefined.insert((symbol, name)) {
                let message = format!("{} is redefined twice", self.all.names.show(name));
                let source = self.instances[instance].source;
                self.errors
                    .at(source, syntax::tag(child), "sch-props-correct.2", message);
                continue;
            }
            let Some(original) = self.symbols.remove(&(symbol, name)) else {
                let message = format!("there is no {} to redefine", self.all.names.show(name));
                let source = self.instances[instance].source;
                self.errors
                    .at(source, syntax::tag(child), "src-redefine", message);
                continue;
            };
            self.add(instance, child, symbol, name, Some(original.number));
        }
    }

    fn register(&mut self, instance: usize, node: Node<'d, 'd>) {
        if node.tag_name().name() == "notation"
            && !node.has_attribute("public")
            && !node.has_attribute("system")
        {
            let message = "a notation needs a public or a system identifier".to_owned();
            let source = self.instances[instance].source;
            self.errors
                .at(source, syntax::tag(node), "n-props-correct", message);
        }
        let (Some(symbol), Some(name)) = (symbol_of(node), self.global_name(instance, node)) else {
            return;
        };
        if symbol == Symbol::Attribute && self.all.names.uri(self.instances[instance].target) == XSI
        {
            let message = "attributes cannot be declared in the namespace of xsi:type".to_owned();
            let source = self.instances[instance].source;
            self.errors.at(source, syntax::tag(node), "no-xsi", message);
        }
        if self.is_built_in(symbol, name) {
            // The schema for schemas describes the built-in types; they stay what they are.
            return;
        }
        if self.symbols.contains_key(&(symbol, name)) {
            let message = format!("{} is defined twice", self.all.names.show(name));
            let source = self.instances[instance].source;
            self.errors
                .at(source, syntax::tag(node), "sch-props-correct.2", message);
            return;
        }
        self.add(instance, node, symbol, name, None);
    }

    fn is_built_in(&self, symbol: Symbol, name: NameId) -> bool {
        symbol == Symbol::Type && self.all.global_types.contains_key(&name)
    }

    fn add(
        &mut self,
        instance: usize,
        node: Node<'d, 'd>,
        symbol: Symbol,
        name: NameId,
        original: Option<u32>,
    ) {
        let place = self.place(instance, node);
        let number = match symbol {
            Symbol::Type => {
                let id = self.new_type(Some(name), place);
                if node.tag_name().name() == "complexType" {
                    // Known as complex from here on; the linker fills it in.
                    self.all.types[id.at()].kind = Kind::Complex(Complex::default());
                }
                id.0
            }
            Symbol::Element => self.new_element(name, place, true).0,
            Symbol::Attribute => {
                self.all.attributes.push(Attribute {
                    name,
                    ty: ANY_SIMPLE,
                    value: None,
                    place,
                });
                self.all.attributes.len() as u32 - 1
            }
            Symbol::Group => {
                self.all.groups.push(Group {
                    name,
                    particle: ParticleId(1),
                    place,
                });
                self.all.groups.len() as u32 - 1
            }
            Symbol::AttributeGroup => {
                self.raw_attribute_groups.push(None);
                self.raw_attribute_groups.len() as u32 - 1
            }
            Symbol::Notation => {
                self.all.notations.insert(name, place);
                0
            }
            Symbol::Identity => 0,
        };
        let global = Global {
            symbol,
            number,
            instance,
            node,
            original,
        };
        self.symbols.insert((symbol, name), global);
        self.queue.push(global);
    }

    fn global_name(&mut self, instance: usize, node: Node<'d, 'd>) -> Option<NameId> {
        let local = value(node, "name")?;
        Some(
            self.all
                .names
                .intern(self.instances[instance].target, local),
        )
    }

    fn finish_tables(&mut self) {
        self.all.targets = self
            .instances
            .iter()
            .map(|instance| instance.target)
            .collect();
        for ((symbol, name), global) in &self.symbols {
            match symbol {
                Symbol::Type => {
                    self.all.global_types.insert(*name, TypeId(global.number));
                }
                Symbol::Element => {
                    self.all
                        .global_elements
                        .insert(*name, ElementId(global.number));
                }
                Symbol::Attribute => {
                    self.all
                        .global_attributes
                        .insert(*name, AttributeId(global.number));
                }
                _ => {}
            }
        }
    }

    /// The place of an element's start tag.
    pub(crate) fn place(&mut self, instance: usize, node: Node<'_, '_>) -> Place {
        let source = self.instances[instance].source;
        let span = syntax::tag(node);
        Place {
            source,
            start: span.start as u32,
            end: span.end as u32,
            line: self.errors.line(source, span.start),
        }
    }

    pub(crate) fn new_type(&mut self, name: Option<NameId>, place: Place) -> TypeId {
        self.all.types.push(Type {
            name,
            place,
            base: ANY_TYPE,
            method: Derivations::RESTRICTION,
            finals: Derivations::default(),
            kind: Kind::Simple(Box::new(Simple {
                variety: Variety::Any,
                lexical: Lexical::None,
                facets: Facets::default(),
                refers: false,
                weight: 1,
            })),
        });
        self.raw_types.push(None);
        TypeId(self.all.types.len() as u32 - 1)
    }

    pub(crate) fn new_element(&mut self, name: NameId, place: Place, global: bool) -> ElementId {
        self.all.elements.push(Element {
            name,
            place,
            ty: ANY_TYPE,
            global,
            nillable: false,
            is_abstract: false,
            value: None,
            block: Derivations::default(),
            finals: Derivations::default(),
            head: None,
            identities: Vec::new(),
        });
        ElementId(self.all.elements.len() as u32 - 1)
    }
}

fn symbol_of(node: Node<'_, '_>) -> Option<Symbol> {
    Some(match node.tag_name().name() {
        "simpleType" | "complexType" => Symbol::Type,
        "element" => Symbol::Element,
        "attribute" => Symbol::Attribute,
        "group" => Symbol::Group,
        "attributeGroup" => Symbol::AttributeGroup,
        "notation" => Symbol::Notation,
        _ => return None,
    })
}

/// A set of derivation methods as it is written.
pub(crate) fn derivations(text: &str) -> Derivations {
    let mut set = Derivations::default();
    for word in text.split_ascii_whitespace() {
        set = set.with(match word {
            "#all" => Derivations(31),
            "extension" => Derivations::EXTENSION,
            "restriction" => Derivations::RESTRICTION,
            "substitution" => Derivations::SUBSTITUTION,
            "list" => Derivations::LIST,
            "union" => Derivations::UNION,
            _ => Derivations::default(),
        });
    }
    set
}

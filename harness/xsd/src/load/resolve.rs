//! Names in schema documents to components (Part 1, src-qname and src-resolve).

use roxmltree::Node;

use super::register::{Instance, Reader, Symbol};
use super::{syntax, value};
use crate::name::NameId;
use crate::value::bound;

impl<'d> Reader<'d, '_, '_> {
    /// The expanded name of a QName in a schema document (src-qname, src-resolve).
    pub(crate) fn expand(
        &mut self,
        instance: usize,
        node: Node<'d, 'd>,
        qname: &str,
    ) -> Option<NameId> {
        let (prefix, local) = qname.split_once(':').unwrap_or(("", qname));
        let Instance {
            source,
            target,
            chameleon,
            ..
        } = self.instances[instance];
        let Some(uri) = bound(node, prefix) else {
            let message = format!("the prefix of \"{qname}\" is not bound to a namespace");
            self.errors
                .at(source, syntax::tag(node), "src-qname", message);
            return None;
        };
        let space = match uri {
            "" if chameleon => target,
            uri => self.all.names.space(uri),
        };
        let visible = space == target
            || super::always_visible(uri)
            || self.instances[instance].imports.contains(&space);
        if !visible {
            let message = match uri {
                "" => format!(
                    "\"{qname}\" is in no namespace, and there is no xs:import without namespace"
                ),
                uri => format!(
                    "\"{qname}\" is in the namespace \"{uri}\", which this document does not import"
                ),
            };
            self.errors
                .at(source, syntax::tag(node), "src-resolve.4", message);
            return None;
        }
        Some(self.all.names.intern(space, local))
    }

    /// The number of a component that a QName refers to.
    pub(crate) fn resolve(
        &mut self,
        instance: usize,
        node: Node<'d, 'd>,
        symbol: Symbol,
        qname: &str,
    ) -> Option<u32> {
        let name = self.expand(instance, node, qname)?;
        if let Some(current) = self.current
            && current.symbol == symbol
            && let (Some(original), true) = (current.original, self.names_current(name))
        {
            self.self_references += 1;
            return Some(original);
        }
        if let Some(global) = self.symbols.get(&(symbol, name)) {
            return Some(global.number);
        }
        match symbol {
            Symbol::Type => {
                if let Some(ty) = self.all.global_types.get(&name) {
                    return Some(ty.0);
                }
            }
            Symbol::Attribute => {
                if let Some(attribute) = self.all.global_attributes.get(&name) {
                    return Some(attribute.0);
                }
            }
            _ => {}
        }
        let what = match symbol {
            Symbol::Type => "type",
            Symbol::Element => "element",
            Symbol::Attribute => "attribute",
            Symbol::Group => "group",
            Symbol::AttributeGroup => "attribute group",
            Symbol::Notation => "notation",
            Symbol::Identity => "key",
        };
        let message = format!("there is no {what} {}", self.all.names.show(name));
        let source = self.instances[instance].source;
        self.errors
            .at(source, syntax::tag(node), "src-resolve", message);
        None
    }

    fn names_current(&self, name: NameId) -> bool {
        self.current.is_some_and(|current| {
            value(current.node, "name") == Some(self.all.names.local(name))
                && self.instances[current.instance].target == self.all.names.space_of(name)
        })
    }
}

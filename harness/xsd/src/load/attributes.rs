//! Attribute declarations and uses from their XML form (Part 1, 3.2 and 3.6).

use roxmltree::Node;

use super::register::{Reader, Symbol};
use super::{parts, value};
use crate::component::*;
use crate::name::{NameId, XSI};

/// The attributes a type or an attribute group lists itself.
#[derive(Clone, Default)]
pub(crate) struct RawAttributes {
    pub(crate) uses: Vec<RawUse>,
    pub(crate) groups: Vec<(AttributeGroupId, Place)>,
    pub(crate) wildcard: Option<Wildcard>,
}

/// One attribute use as written.
#[derive(Clone)]
pub(crate) struct RawUse {
    pub(crate) name: NameId,
    pub(crate) declaration: AttributeId,
    pub(crate) required: bool,
    pub(crate) prohibited: bool,
    /// Fixed or default, and its text.
    pub(crate) value: Option<(bool, std::sync::Arc<str>)>,
    pub(crate) place: Place,
}

impl<'d> Reader<'d, '_, '_> {
    pub(crate) fn read_global_attribute(
        &mut self,
        instance: usize,
        node: Node<'d, 'd>,
        id: AttributeId,
    ) {
        if value(node, "name") == Some("xmlns") {
            let message = "an attribute cannot be named xmlns".to_owned();
            self.report(instance, node, "no-xmlns", message);
        }
        let ty = self.attribute_type(instance, node);
        self.all.attributes[id.at()].ty = ty;
        self.attribute_value(instance, node, id);
    }

    fn attribute_type(&mut self, instance: usize, node: Node<'d, 'd>) -> TypeId {
        let inline = parts(node).next();
        match (value(node, "type"), inline) {
            (Some(_), Some(_)) => {
                let message = "an attribute has either a type attribute or a type inside, not both"
                    .to_owned();
                self.report(instance, node, "src-attribute.4", message);
                ANY_SIMPLE
            }
            (Some(qname), None) => {
                let found = self.resolve(instance, node, Symbol::Type, qname);
                found.map_or(ANY_SIMPLE, TypeId)
            }
            (None, Some(inline)) => self.read_local_type(instance, inline),
            (None, None) => ANY_SIMPLE,
        }
    }

    /// Notes a default or fixed value of a declaration, to be evaluated once its type is known.
    fn attribute_value(&mut self, instance: usize, node: Node<'d, 'd>, id: AttributeId) {
        if node.has_attribute("default") && node.has_attribute("fixed") {
            let message = "an attribute has either a default or a fixed value, not both".to_owned();
            self.report(instance, node, "src-attribute.1", message);
        } else if node.has_attribute("default") || node.has_attribute("fixed") {
            self.attribute_values
                .push((id, node.has_attribute("fixed"), node));
        }
    }

    /// The attributes among a node's children.
    pub(crate) fn read_attributes(&mut self, instance: usize, node: Node<'d, 'd>) -> RawAttributes {
        let mut raw = RawAttributes::default();
        for part in parts(node) {
            match part.tag_name().name() {
                "attribute" => raw.uses.extend(self.read_use(instance, part)),
                "attributeGroup" => {
                    let qname = value(part, "ref").unwrap_or("");
                    if let Some(group) = self.resolve(instance, part, Symbol::AttributeGroup, qname)
                    {
                        let place = self.place(instance, part);
                        raw.groups.push((AttributeGroupId(group), place));
                    }
                }
                "anyAttribute" => raw.wildcard = Some(self.read_wildcard(instance, part)),
                _ => {}
            }
        }
        raw
    }

    fn read_use(&mut self, instance: usize, node: Node<'d, 'd>) -> Option<RawUse> {
        let usage = value(node, "use").unwrap_or("optional");
        if node.has_attribute("default") && usage != "optional" {
            let message = "an attribute with a default has to be optional".to_owned();
            self.report(instance, node, "src-attribute.2", message);
        }
        let place = self.place(instance, node);
        let declaration = match (value(node, "name"), value(node, "ref")) {
            (Some(_), Some(_)) | (None, None) => {
                let message =
                    "an attribute has either a name or a ref, exactly one of them".to_owned();
                self.report(instance, node, "src-attribute.3.1", message);
                return None;
            }
            (None, Some(qname)) => {
                let extra = ["type", "form"]
                    .into_iter()
                    .any(|name| node.has_attribute(name));
                if extra || parts(node).next().is_some() {
                    let message = "an attribute reference cannot have a type or a form".to_owned();
                    self.report(instance, node, "src-attribute.3.2", message);
                }
                AttributeId(self.resolve(instance, node, Symbol::Attribute, qname)?)
            }
            (Some(local), None) => {
                let qualified = match value(node, "form") {
                    Some(form) => form == "qualified",
                    None => self.instances[instance].attributes_qualified,
                };
                let name = self.target_name(instance, local, qualified);
                if local == "xmlns" {
                    let message = "an attribute cannot be named xmlns".to_owned();
                    self.report(instance, node, "no-xmlns", message);
                }
                let target = self.instances[instance].target;
                if qualified && self.all.names.uri(target) == XSI {
                    let message =
                        "attributes cannot be declared in the namespace of xsi:type".to_owned();
                    self.report(instance, node, "no-xsi", message);
                }
                let ty = self.attribute_type(instance, node);
                let id = AttributeId(self.all.attributes.len() as u32);
                self.all.attributes.push(Attribute {
                    name,
                    ty,
                    value: None,
                    place,
                });
                self.attribute_value(instance, node, id);
                id
            }
        };
        if node.has_attribute("default") && node.has_attribute("fixed") && node.has_attribute("ref")
        {
            let message = "an attribute has either a default or a fixed value, not both".to_owned();
            self.report(instance, node, "src-attribute.1", message);
        }
        let constraint = match (node.attribute("fixed"), node.attribute("default")) {
            (Some(fixed), _) => Some((true, fixed.into())),
            (None, Some(default)) => Some((false, default.into())),
            (None, None) => None,
        };
        Some(RawUse {
            name: self.all.attributes[declaration.at()].name,
            declaration,
            required: usage == "required",
            prohibited: usage == "prohibited",
            value: constraint,
            place,
        })
    }
}

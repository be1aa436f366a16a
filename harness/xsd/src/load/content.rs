//! Particles, model groups and wildcards from their XML form (Part 1, 3.7 to 3.10).

use std::sync::Arc;

use roxmltree::Node;

use super::read::compositor;
use super::register::{Reader, Symbol};
use super::{parts, value};
use crate::component::*;
use crate::name::Names;

impl<'d> Reader<'d, '_, '_> {
    pub(crate) fn add_particle(&mut self, particle: Particle) -> ParticleId {
        self.all.particles.push(particle);
        ParticleId(self.all.particles.len() as u32 - 1)
    }

    /// The particle of a complex type or its derivation, `None` when its content is empty (3.4.2, clause 2.1).
    pub(crate) fn explicit_content(
        &mut self,
        instance: usize,
        node: Node<'d, 'd>,
    ) -> Option<ParticleId> {
        let model = parts(node).find(|part| is_model(*part))?;
        let empty = parts(model).next().is_none();
        let particle = self.read_particle(instance, model, true)?;
        match model.tag_name().name() {
            "sequence" | "all" if empty => None,
            "choice" if empty && self.all.particle(particle).min == 0 => None,
            _ => Some(particle),
        }
    }

    /// The particles of a model's children.
    pub(crate) fn read_members(&mut self, instance: usize, model: Node<'d, 'd>) -> Vec<ParticleId> {
        let in_all = model.tag_name().name() == "all";
        parts(model)
            .filter_map(|part| {
                let particle = self.read_particle(instance, part, false)?;
                if in_all && self.all.particle(particle).max > 1 {
                    let message = "an element in xs:all occurs at most once".to_owned();
                    self.report(instance, part, "cos-all-limited.2", message);
                }
                Some(particle)
            })
            .collect()
    }

    /// One particle; `top` when it is the whole content of a type. `None` when it cannot occur or is broken.
    fn read_particle(
        &mut self,
        instance: usize,
        node: Node<'d, 'd>,
        top: bool,
    ) -> Option<ParticleId> {
        let min = occurs(value(node, "minOccurs").unwrap_or("1"));
        let max = occurs(value(node, "maxOccurs").unwrap_or("1"));
        if min > max {
            let message = "minOccurs is greater than maxOccurs".to_owned();
            self.report(instance, node, "p-props-correct.2.1", message);
        }
        let place = self.place(instance, node);
        let term = match node.tag_name().name() {
            "element" => Term::Element(self.read_local_element(instance, node)?),
            "any" => Term::Wildcard(Arc::new(self.read_wildcard(instance, node))),
            "group" => {
                let qname = value(node, "ref")?;
                let group = self.resolve(instance, node, Symbol::Group, qname)?;
                self.check_group_reference(instance, node, top, GroupId(group), max);
                let renewed = self.current.is_some_and(|current| {
                    current.symbol == Symbol::Group && current.original == Some(group)
                });
                if renewed && (min, max) != (1, 1) {
                    let message =
                        "a redefined group refers to itself with minOccurs and maxOccurs 1"
                            .to_owned();
                    self.report(instance, node, "src-redefine.6.1.2", message);
                }
                Term::Group(GroupId(group))
            }
            "all" => {
                if max != 1 {
                    let message = "xs:all occurs at most once".to_owned();
                    self.report(instance, node, "cos-all-limited.1.2", message);
                }
                Term::Model(Compositor::All, self.read_members(instance, node))
            }
            _ => Term::Model(compositor(node), self.read_members(instance, node)),
        };
        if max == 0 {
            return None;
        }
        Some(self.add_particle(Particle {
            min,
            max,
            term,
            place,
        }))
    }

    /// A group that is an xs:all may only be the whole content of a type (cos-all-limited.1). The definition may
    /// not have been read yet, so its XML form is asked.
    fn check_group_reference(
        &mut self,
        instance: usize,
        node: Node<'d, 'd>,
        top: bool,
        group: GroupId,
        max: u32,
    ) {
        let definition = self
            .symbols
            .values()
            .find(|global| global.symbol == Symbol::Group && global.number == group.0)
            .map(|global| global.node);
        let is_all = definition
            .and_then(|node| parts(node).next())
            .is_some_and(|model| model.tag_name().name() == "all");
        if is_all && (!top || max != 1) {
            let message =
                "a group with xs:all has to be the whole content of a type, once".to_owned();
            self.report(instance, node, "cos-all-limited.1.2", message);
        }
    }

    fn read_local_element(&mut self, instance: usize, node: Node<'d, 'd>) -> Option<ElementId> {
        if let Some(qname) = value(node, "ref") {
            let extra = [
                "name", "nillable", "default", "fixed", "form", "block", "type",
            ]
            .into_iter()
            .find(|name| node.has_attribute(*name));
            if let Some(extra) = extra {
                let message = format!("an element reference cannot have \"{extra}\"");
                self.report(instance, node, "src-element.2.2", message);
            }
            if let Some(part) = parts(node).next() {
                let message = format!(
                    "an element reference cannot contain xs:{}",
                    part.tag_name().name()
                );
                self.report(instance, node, "src-element.2.2", message);
            }
            return self
                .resolve(instance, node, Symbol::Element, qname)
                .map(ElementId);
        }
        let Some(local) = value(node, "name") else {
            let message = "a local element needs a name or a ref".to_owned();
            self.report(instance, node, "src-element.2.1", message);
            return None;
        };
        let qualified = match value(node, "form") {
            Some(form) => form == "qualified",
            None => self.instances[instance].elements_qualified,
        };
        let name = self.target_name(instance, local, qualified);
        let place = self.place(instance, node);
        let id = self.new_element(name, place, false);
        self.read_element_into(instance, node, id);
        Some(id)
    }

    pub(crate) fn read_wildcard(&mut self, instance: usize, node: Node<'d, 'd>) -> Wildcard {
        let target = self.instances[instance].target;
        let spaces = match value(node, "namespace").unwrap_or("##any") {
            "##any" => Spaces::Any,
            "##other" => Spaces::Not(target),
            list => {
                let mut set = Vec::new();
                for word in list.split_ascii_whitespace() {
                    let space = match word {
                        "##targetNamespace" => target,
                        "##local" => Names::NO_SPACE,
                        uri => self.all.names.space(uri),
                    };
                    if !set.contains(&space) {
                        set.push(space);
                    }
                }
                set.sort();
                Spaces::Set(set)
            }
        };
        let process = match value(node, "processContents") {
            Some("lax") => Process::Lax,
            Some("skip") => Process::Skip,
            _ => Process::Strict,
        };
        let place = self.place(instance, node);
        Wildcard {
            spaces,
            process,
            place,
        }
    }
}

fn is_model(node: Node<'_, '_>) -> bool {
    matches!(
        node.tag_name().name(),
        "group" | "all" | "choice" | "sequence"
    )
}

/// An occurrence bound; what does not fit counts as unbounded.
fn occurs(text: &str) -> u32 {
    match text {
        "unbounded" => UNBOUNDED,
        text if text.starts_with('-') => 0,
        text => text
            .trim_start_matches('+')
            .parse()
            .unwrap_or(UNBOUNDED - 1),
    }
}

//! Guesses at the slip behind a violation: wrong namespace, wrong place, wrong capitals, near names.
//!
//! Only run when there is something to report, so these may search.

use roxmltree::{Attribute as Node_Attribute, Node};

use super::Validator;
use super::attributes::label;
use super::report::uri;
use crate::automaton::{Automaton, Next};
use crate::component::*;
use crate::name::NameId;
use crate::simple::Fault;

impl<'d, 'i> Validator<'_, 'd, 'i> {
    /// Which of the names a child was probably meant to have.
    pub(super) fn meant(&self, child: Node<'d, 'i>, names: &[NameId]) -> Option<NameId> {
        let local = child.tag_name().name();
        let by = |fits: &dyn Fn(&str) -> bool| {
            names
                .iter()
                .copied()
                .find(|name| fits(self.all.names.local(*name)))
        };
        by(&|other| other == local)
            .or_else(|| by(&|other| other.eq_ignore_ascii_case(local)))
            .or_else(|| by(&|other| near(other, local)))
    }

    pub(super) fn child_hint(
        &mut self,
        child: Node<'d, 'i>,
        automaton: &Automaton,
        next: &[Next],
        name: Option<NameId>,
        ty: TypeId,
    ) -> Option<String> {
        let expected: Vec<NameId> = next
            .iter()
            .filter_map(|next| match next {
                Next::Name(name) => Some(*name),
                Next::Wildcard(_) => None,
            })
            .collect();
        let local = child.tag_name().name();
        if let Some(name) = name.filter(|name| automaton.mention(*name).is_some()) {
            return Some(self.order_hint(child, name, automaton));
        }
        let known = automaton.names();
        if let Some(meant) = self
            .meant(child, &expected)
            .or_else(|| self.meant(child, &known))
        {
            let wanted = self.all.names.local(meant);
            if wanted == local {
                return Some(self.space_hint(child, meant));
            }
            return Some(if wanted.eq_ignore_ascii_case(local) {
                format!("did you mean <{wanted}>? capitals matter")
            } else {
                format!("did you mean <{wanted}>?")
            });
        }
        self.elsewhere(child, ty)
    }

    /// The right name in the wrong namespace.
    fn space_hint(&self, child: Node<'d, 'i>, meant: NameId) -> String {
        let local = child.tag_name().name();
        let wanted = self.all.names.uri(self.all.names.space_of(meant));
        let show = |uri: &str| match uri {
            "" => "in no namespace".to_owned(),
            uri => format!("in \"{uri}\""),
        };
        let (given, wanted) = (show(uri(child)), show(wanted));
        format!(
            "the name is right and the namespace is not: <{local}> is expected {wanted} and stands {given}"
        )
    }

    /// The right name too late, too early, once too often, or beside what it stands instead of: found by playing
    /// the children so far again with this one put in earlier.
    fn order_hint(&mut self, child: Node<'d, 'i>, name: NameId, automaton: &Automaton) -> String {
        const MOST: usize = 200;
        let local = self.all.names.local(name);
        let mut before: Vec<Node<'d, 'i>> = Vec::new();
        let mut at = child.prev_sibling_element();
        while let Some(sibling) = at.filter(|_| before.len() < MOST) {
            before.push(sibling);
            at = sibling.prev_sibling_element();
        }
        before.reverse();
        let Some(previous) = before.last().map(|sibling| sibling.tag_name().name()) else {
            return format!(
                "<{local}> is right, but something that has to come before it is missing"
            );
        };
        if previous == local {
            return format!("<{local}> may not occur that often here");
        }
        let mut cursor = automaton.start();
        let mut instead = None;
        for sibling in &before {
            let mut earlier = cursor.clone();
            let space = Some(self.all.names.space_of(name));
            let next = self.name_of(*sibling);
            let next_space = self.space(sibling.tag_name().namespace());
            let other = sibling.tag_name().name();
            if automaton.step(&mut earlier, Some(name), space).is_some() {
                if automaton.step(&mut earlier, next, next_space).is_some() {
                    return format!(
                        "<{local}> belongs before <{other}>; the order of elements matters"
                    );
                }
                instead = Some(other);
            }
            if automaton.step(&mut cursor, next, next_space).is_none() {
                break;
            }
        }
        match instead {
            Some(other) if other != local => {
                format!("<{local}> may stand instead of <{other}>, not beside it")
            }
            _ => format!(
                "<{local}> does not belong after <{previous}>; the order of elements matters"
            ),
        }
    }

    /// Where else an element of this name is allowed.
    pub(super) fn elsewhere(&mut self, child: Node<'d, 'i>, not_in: TypeId) -> Option<String> {
        let space = self.space(child.tag_name().namespace())?;
        let name = self.all.names.find(space, child.tag_name().name())?;
        let mut owners: Vec<String> = Vec::new();
        for element in &self.all.elements {
            if element.ty == not_in {
                continue;
            }
            let allows = match self.all.complex(element.ty).map(|complex| &complex.content) {
                Some(Content::Elements {
                    automaton: Some(automaton),
                    ..
                }) => automaton.mention(name).is_some(),
                _ => false,
            };
            let owner = format!("<{}>", self.all.names.local(element.name));
            if allows && !owners.contains(&owner) {
                owners.push(owner);
            }
        }
        const MOST: usize = 4;
        let local = self.all.names.local(name);
        match owners.len() {
            0 => None,
            1..=MOST => Some(format!("<{local}> is allowed in {}", owners.join(", "))),
            _ => Some(format!(
                "<{local}> is allowed in {} and elsewhere",
                owners[..MOST].join(", ")
            )),
        }
    }

    pub(super) fn root_hint(&mut self, root: Node<'d, 'i>) -> Option<String> {
        let names: Vec<NameId> = self.all.global_elements.keys().copied().collect();
        let meant = self.meant(root, &names)?;
        let wanted = self.all.names.local(meant);
        let local = root.tag_name().name();
        Some(if wanted == local {
            self.space_hint(root, meant)
        } else if wanted.eq_ignore_ascii_case(local) {
            format!("did you mean <{wanted}>? capitals matter")
        } else {
            format!("did you mean <{wanted}>?")
        })
    }

    pub(super) fn type_hint(&self, node: Node<'d, 'i>, text: &str) -> Option<String> {
        let local = text.rsplit(':').next().unwrap_or(text);
        let known = self
            .all
            .global_types
            .keys()
            .find(|name| self.all.names.local(**name) == local);
        if let Some(name) = known {
            let uri = self.all.names.uri(self.all.names.space_of(*name));
            let prefix = node.lookup_prefix(uri).filter(|prefix| !prefix.is_empty());
            return Some(match prefix {
                Some(prefix) => format!("the type is in \"{uri}\": write {prefix}:{local}"),
                None => format!("the type is in \"{uri}\", which the prefix does not stand for"),
            });
        }
        let mut names: Vec<&str> = self
            .all
            .global_types
            .keys()
            .map(|name| self.all.names.local(*name))
            .collect();
        names.sort_unstable();
        let close = names
            .into_iter()
            .find(|name| name.eq_ignore_ascii_case(local) || near(name, local))?;
        Some(format!("did you mean {close}?"))
    }

    pub(super) fn attribute_hint(
        &self,
        node: Node<'d, 'i>,
        complex: &Complex,
        attribute: &Node_Attribute<'d, 'i>,
    ) -> Option<String> {
        let local = attribute.name();
        let name_of = |each: &AttributeUse| self.all.names.local(each.name).to_owned();
        let uri_of = |each: &AttributeUse| {
            self.all
                .names
                .uri(self.all.names.space_of(each.name))
                .to_owned()
        };
        let free = |each: &&AttributeUse| node.attribute(name_of(each).as_str()).is_none();
        if let Some(same) = complex
            .attributes
            .iter()
            .find(|each| name_of(each) == local)
        {
            return Some(match uri_of(same).as_str() {
                "" => format!(
                    "the name is right and the namespace is not: {local} has to stand without a prefix"
                ),
                uri => format!(
                    "the name is right and the namespace is not: {local} belongs to \"{uri}\""
                ),
            });
        }
        if let Some(same) = complex
            .attributes
            .iter()
            .find(|each| name_of(each).eq_ignore_ascii_case(local))
        {
            return Some(format!("did you mean {}? capitals matter", name_of(same)));
        }
        if let Some(close) = complex
            .attributes
            .iter()
            .filter(free)
            .find(|each| near(&name_of(each), local))
        {
            return Some(format!("did you mean {}?", name_of(close)));
        }
        let child = self
            .content_names(complex)
            .into_iter()
            .find(|name| self.all.names.local(*name) == local);
        if child.is_some() {
            return Some(format!("{local} is an element here: <{local}>"));
        }
        None
    }

    fn content_names(&self, complex: &Complex) -> Vec<NameId> {
        match &complex.content {
            Content::Elements {
                automaton: Some(automaton),
                ..
            } => automaton.names(),
            _ => Vec::new(),
        }
    }

    pub(super) fn missing_hint(&self, node: Node<'d, 'i>, each: &AttributeUse) -> Option<String> {
        let wanted = self.all.names.local(each.name);
        if let Some(other) = node
            .attributes()
            .find(|attribute| attribute.name() == wanted)
        {
            return Some(format!(
                "there is {}, which is another attribute: its namespace differs",
                label(&other)
            ));
        }
        let similar = |attribute: &Node_Attribute<'_, '_>| {
            let name = attribute.name();
            name.eq_ignore_ascii_case(wanted) || near(name, wanted)
        };
        if let Some(other) = node.attributes().find(similar) {
            // A near name that is declared itself is no slip.
            let declared = self.all.types.iter().any(|ty| match &ty.kind {
                Kind::Complex(complex) => complex.attributes.iter().any(|other_use| {
                    self.all.names.local(other_use.name) == other.name()
                        && complex
                            .attributes
                            .iter()
                            .any(|same| same.place == each.place)
                }),
                Kind::Simple(_) => false,
            });
            if !declared {
                return Some(format!("there is {}; did you mean {wanted}?", other.name()));
            }
        }
        let child = node
            .children()
            .find(|child| child.is_element() && child.tag_name().name() == wanted);
        child.map(|_| format!("{wanted} is an attribute, and stands here as an element"))
    }

    pub(super) fn value_hint(&self, text: &str, fault: &Fault) -> Option<String> {
        let trimmed = text.trim();
        match fault.code {
            "cvc-enumeration-valid" => {
                let bare = |expected: &String| expected.trim_matches('"').to_owned();
                let values: Vec<String> = fault.expected.iter().map(bare).collect();
                if let Some(value) = values.iter().find(|value| **value == trimmed) {
                    return Some(match value.as_str() {
                        "" => "blanks count; the value has to be empty".to_owned(),
                        value => format!("write \"{value}\" without blanks around it"),
                    });
                }
                if let Some(value) = values
                    .iter()
                    .find(|value| value.eq_ignore_ascii_case(trimmed))
                {
                    return Some(format!("did you mean \"{value}\"? capitals matter"));
                }
                let close = values.iter().find(|value| near(value, trimmed))?;
                Some(format!("did you mean \"{close}\"?"))
            }
            "cvc-datatype-valid.1.2.1" => match fault.expected.first().map(String::as_str) {
                Some("xs:boolean") => match trimmed.to_ascii_lowercase().as_str() {
                    "true" | "yes" | "on" => Some("write true or 1".to_owned()),
                    "false" | "no" | "off" => Some("write false or 0".to_owned()),
                    _ => None,
                },
                Some(_) if trimmed.is_empty() => Some("the value is empty".to_owned()),
                Some("xs:dateTime") if trimmed.contains(' ') => {
                    Some("date and time are separated by T".to_owned())
                }
                Some("xs:dateTime") if trimmed.len() <= 10 => {
                    Some("a dateTime has a time: 2026-01-31T12:00:00Z".to_owned())
                }
                Some("xs:decimal" | "xs:double" | "xs:float") if trimmed.contains(',') => {
                    Some("the decimal separator is a point".to_owned())
                }
                _ => None,
            },
            _ => None,
        }
    }
}

/// Whether two names differ by one or two small slips.
fn near(a: &str, b: &str) -> bool {
    let (a, b) = (a.to_ascii_lowercase(), b.to_ascii_lowercase());
    let longest = a.chars().count().max(b.chars().count());
    let allowed = match longest {
        0..=3 => return false,
        4..=5 => 1,
        6..=64 => 2,
        _ => return false,
    };
    distance(&a, &b) <= allowed
}

/// Edits between two short texts.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let cost = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

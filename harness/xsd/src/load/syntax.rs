//! Schema documents against the grammar of XSD 1.0: which children and attributes each `xs:` element has.
//!
//! Takes the tree of one schema document; reports what does not fit under the codes that schema processors use for
//! it (`s4s-…`). Works from tables, so what remains for the reader is what a grammar cannot say. Elements that
//! XSD 1.1 added are named as such.

use std::collections::HashSet;

use roxmltree::Node;

use super::Errors;
use super::grammar::{COMPLEX_LONG, COMPLEX_SHORT, Form, RULES, Rule, XSD_1_1};
use crate::name::XSD;
use crate::value::lexical;

/// Checks a whole schema document; `source` is its number.
pub(super) fn check(root: Node<'_, '_>, source: u32, errors: &mut Errors<'_>) {
    let mut ids = HashSet::new();
    for node in root.descendants().filter(Node::is_element) {
        if node.tag_name().namespace() != Some(XSD) || inside_annotation(node) {
            continue;
        }
        element(node, source, &mut ids, errors);
    }
}

/// Inside appinfo or documentation anything goes.
fn inside_annotation(node: Node<'_, '_>) -> bool {
    node.ancestors().skip(1).any(|ancestor| {
        ancestor.tag_name().namespace() == Some(XSD)
            && matches!(ancestor.tag_name().name(), "appinfo" | "documentation")
    })
}

fn element(node: Node<'_, '_>, source: u32, ids: &mut HashSet<String>, errors: &mut Errors<'_>) {
    let name = node.tag_name().name();
    let parent = node.parent_element();
    let parent_name = parent.map_or("", |parent| parent.tag_name().name());
    let place = match parent_name {
        "schema" | "redefine" => "top",
        other => other,
    };
    let rule = RULES
        .iter()
        .find(|rule| rule.name.split_once('/') == Some((name, place)))
        .or_else(|| RULES.iter().find(|rule| rule.name == name));
    let Some(rule) = rule else {
        // Whatever is not in the table was reported where it stands as a child.
        return;
    };
    attributes(node, rule, source, ids, errors);
    let content = match name {
        "complexType"
            if children(node).any(|child| {
                matches!(child.tag_name().name(), "simpleContent" | "complexContent")
            }) =>
        {
            COMPLEX_LONG
        }
        "complexType" => COMPLEX_SHORT,
        _ => rule.content,
    };
    content_model(node, content, source, errors);
    if name != "appinfo" && name != "documentation" {
        let text = node.children().find(|child| {
            child.is_text() && !child.text().unwrap_or("").bytes().all(lexical::is_space)
        });
        if let Some(text) = text {
            errors.at(
                source,
                text.range(),
                "s4s-elt-character",
                format!("text is not allowed in xs:{name}"),
            );
        }
    }
}

fn children<'a, 'i>(node: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(Node::is_element)
}

fn content_model(node: Node<'_, '_>, content: &str, source: u32, errors: &mut Errors<'_>) {
    let parent = node.tag_name().name();
    let mut steps = content.split_ascii_whitespace().map(|step| {
        let (names, occurs) = match step.as_bytes().last() {
            Some(b'?' | b'*' | b'+') => step.split_at(step.len() - 1),
            _ => (step, ""),
        };
        (names, occurs)
    });
    let mut step = steps.next();
    let mut seen = false;
    for child in children(node) {
        let name = child.tag_name().name();
        let known = child.tag_name().namespace() == Some(XSD);
        let fits = loop {
            let Some((names, occurs)) = step else {
                break false;
            };
            if known
                && names.split('|').any(|wanted| wanted == name)
                && (!seen || matches!(occurs, "*" | "+"))
            {
                seen = true;
                break true;
            }
            if !seen && matches!(occurs, "" | "+") {
                break false;
            }
            step = steps.next();
            seen = false;
        };
        if !fits {
            let message = if known && XSD_1_1.contains(&name) {
                format!("xs:{name} belongs to XSD 1.1; this engine implements XSD 1.0")
            } else if known {
                format!("xs:{name} is not allowed here in xs:{parent}")
            } else {
                format!("the element \"{name}\" is not one of XML Schema's")
            };
            errors.at(source, tag(child), "s4s-elt-invalid-content", message);
            return;
        }
    }
    let mut missing = None;
    while let Some((names, occurs)) = step {
        if !seen && matches!(occurs, "" | "+") {
            missing = Some(names);
            break;
        }
        step = steps.next();
        seen = false;
    }
    if let Some(names) = missing {
        let wanted: Vec<String> = names.split('|').map(|name| format!("xs:{name}")).collect();
        let message = format!("xs:{parent} needs {}", wanted.join(" or "));
        errors.at(source, tag(node), "s4s-elt-must-match", message);
    }
}

fn attributes(
    node: Node<'_, '_>,
    rule: &Rule,
    source: u32,
    ids: &mut HashSet<String>,
    errors: &mut Errors<'_>,
) {
    let element = node.tag_name().name();
    for attribute in node.attributes() {
        let name = attribute.name();
        match attribute.namespace() {
            None => {}
            Some(XSD) => {
                let message = format!("xs:{element} has no attribute xs:{name}");
                errors.at(source, attribute.range(), "s4s-att-not-allowed", message);
                continue;
            }
            Some(_) => continue,
        }
        let known = rule
            .attributes
            .iter()
            .find(|(known, _)| known.trim_end_matches('!') == name)
            .map(|(_, form)| *form)
            .or((name == "id").then_some(Form::Id));
        let Some(form) = known else {
            let message = format!("xs:{element} has no attribute \"{name}\" here");
            errors.at(source, attribute.range(), "s4s-att-not-allowed", message);
            continue;
        };
        let value = attribute.value();
        if let Err(wanted) = fits(form, value) {
            let message = format!("the value \"{value}\" of \"{name}\" should be {wanted}");
            errors.at(
                source,
                attribute.range_value(),
                "s4s-att-invalid-value",
                message,
            );
        } else if matches!(form, Form::Id) && !ids.insert(value.trim().to_owned()) {
            let message = format!("the id \"{}\" occurs twice in this document", value.trim());
            errors.at(
                source,
                attribute.range_value(),
                "s4s-att-invalid-value",
                message,
            );
        }
    }
    for (name, _) in rule.attributes {
        if let Some(name) = name.strip_suffix('!')
            && node.attribute(name).is_none()
        {
            let message = format!("xs:{element} needs the attribute \"{name}\"");
            errors.at(source, tag(node), "s4s-att-must-appear", message);
        }
    }
}

fn fits(form: Form, raw: &str) -> Result<(), String> {
    let value = raw.trim_matches([' ', '\t', '\n', '\r']);
    let words = || value.split_ascii_whitespace();
    let is = |fits: bool, wanted: &str| fits.then_some(()).ok_or_else(|| wanted.to_owned());
    match form {
        Form::Any | Form::Uri => Ok(()),
        Form::Id | Form::NcName => is(lexical::is_ncname(value), "a name without a colon"),
        Form::QName => is(lexical::qname(value).is_some(), "a name"),
        Form::QNames => is(
            words().all(|word| lexical::qname(word).is_some()),
            "a list of names",
        ),
        Form::Boolean => is(
            matches!(value, "true" | "false" | "0" | "1"),
            "true or false",
        ),
        Form::Count => is(is_count(value), "a number, 0 or more"),
        Form::Occurs => is(
            value == "unbounded" || is_count(value),
            "a number, 0 or more, or unbounded",
        ),
        Form::Token(words) => is(words.contains(&value), &words.join(" or ")),
        Form::Set(known) => is(
            value == "#all" || words().all(|word| known.contains(&word)),
            &format!("#all or a list of {}", known.join(", ")),
        ),
        Form::Namespaces => is(
            matches!(value, "##any" | "##other")
                || words().all(|word| {
                    !word.starts_with("##") || matches!(word, "##targetNamespace" | "##local")
                }),
            "##any, ##other, or a list of namespace names, ##targetNamespace and ##local",
        ),
    }
}

fn is_count(value: &str) -> bool {
    let digits = value.strip_prefix('+').unwrap_or(value);
    let zero = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte == b'0');
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
        || value.strip_prefix('-').is_some_and(zero)
}

/// The bytes of `<name` of an element.
pub(crate) fn tag(node: Node<'_, '_>) -> std::ops::Range<usize> {
    let range = node.range();
    let text = &node.document().input_text()[range.clone()];
    let length = text
        .find(|c: char| c.is_ascii_whitespace() || matches!(c, '>' | '/'))
        .unwrap_or(text.len());
    range.start..range.start + length
}

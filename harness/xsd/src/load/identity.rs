//! Identity constraints from their XML form, with their subset of XPath (Part 1, 3.11).

use roxmltree::Node;

use super::register::{Global, Reader, Symbol};
use super::{parts, value};
use crate::component::*;
use crate::value::{bound, lexical};

impl<'d> Reader<'d, '_, '_> {
    pub(crate) fn read_identities(
        &mut self,
        instance: usize,
        node: Node<'d, 'd>,
    ) -> Vec<IdentityId> {
        let mut ids = Vec::new();
        for part in parts(node) {
            let kind = match part.tag_name().name() {
                "unique" => IdentityKind::Unique,
                "key" => IdentityKind::Key,
                "keyref" => IdentityKind::KeyRef(None),
                _ => continue,
            };
            let place = self.place(instance, part);
            let local = value(part, "name").unwrap_or("");
            let name = self
                .all
                .names
                .intern(self.instances[instance].target, local);
            let id = IdentityId(self.all.identities.len() as u32);
            let global = Global {
                symbol: Symbol::Identity,
                number: id.0,
                instance,
                node: part,
                original: None,
            };
            if self
                .symbols
                .insert((Symbol::Identity, name), global)
                .is_some()
            {
                let message = format!("the identity constraint {local} is defined twice");
                self.errors.push(place, "sch-props-correct.2", message);
            }
            let (mut selector, mut fields) = (Vec::new(), Vec::new());
            for child in parts(part) {
                let is_field = child.tag_name().name() == "field";
                let text = value(child, "xpath").unwrap_or("");
                match paths(child, text, is_field) {
                    Ok(paths) if is_field => fields.push(paths),
                    Ok(paths) => selector = paths,
                    Err(why) => {
                        let code = if is_field {
                            "c-fields-xpaths"
                        } else {
                            "c-selector-xpath"
                        };
                        self.report(instance, child, code, format!("the path \"{text}\" {why}"));
                    }
                }
            }
            if matches!(kind, IdentityKind::KeyRef(_)) {
                let refer = value(part, "refer").unwrap_or("");
                let refer = self.expand(instance, part, refer);
                self.keyrefs.push((id, refer));
            }
            self.all.identities.push(Identity {
                name,
                kind,
                selector,
                fields,
                place,
                referred: false,
            });
            ids.push(id);
        }
        ids
    }

    /// Connects keyrefs with their keys, now that all constraints are known.
    pub(crate) fn resolve_keyrefs(&mut self) {
        for (id, refer) in std::mem::take(&mut self.keyrefs) {
            let Some(name) = refer else { continue };
            let place = self.all.identities[id.at()].place;
            let Some(key) = self
                .symbols
                .get(&(Symbol::Identity, name))
                .map(|global| IdentityId(global.number))
            else {
                let message = format!(
                    "there is no key or unique named {}",
                    self.all.names.show(name)
                );
                self.errors.push(place, "src-resolve", message);
                continue;
            };
            let (wanted, given) = (
                self.all.identities[key.at()].fields.len(),
                self.all.identities[id.at()].fields.len(),
            );
            if matches!(self.all.identities[key.at()].kind, IdentityKind::KeyRef(_)) {
                let message = "a keyref cannot refer to a keyref".to_owned();
                self.errors.push(place, "c-props-correct.1", message);
            } else if wanted != given {
                let message =
                    format!("the keyref has {given} fields, and what it refers to has {wanted}");
                self.errors.push(place, "c-props-correct.2", message);
            } else {
                self.all.identities[key.at()].referred = true;
                self.all.identities[id.at()].kind = IdentityKind::KeyRef(Some(key));
            }
        }
    }
}

/// The alternatives of a selector or field.
fn paths(node: Node<'_, '_>, text: &str, is_field: bool) -> Result<Vec<Path>, String> {
    text.split('|')
        .map(|part| path(node, part, is_field))
        .collect()
}

fn path(node: Node<'_, '_>, text: &str, is_field: bool) -> Result<Path, String> {
    let tokens = tokens(text)?;
    let mut rest = tokens.as_slice();
    let anywhere = matches!(rest, [".", "//", ..]);
    if anywhere {
        rest = &rest[2..];
    }
    let mut path = Path {
        anywhere,
        steps: Vec::new(),
        attribute: None,
    };
    loop {
        let (axis, after) = match rest {
            ["@", after @ ..] => ("@", after),
            ["attribute", "::", after @ ..] => ("@", after),
            ["child", "::", after @ ..] => ("/", after),
            other => ("/", other),
        };
        let (test, after) = match after {
            [".", after @ ..] if rest.len() == after.len() + 1 => (None, after),
            [name, after @ ..] if is_test(name) => (Some(name_test(node, name)?), after),
            _ => return Err("is not in the subset of XPath that XSD allows".to_owned()),
        };
        rest = after;
        match (axis, test) {
            ("@", Some(test)) => {
                if !is_field || !rest.is_empty() {
                    return Err("has an attribute where only elements are allowed".to_owned());
                }
                path.attribute = Some(test);
            }
            (_, Some(test)) => path.steps.push(test),
            (_, None) => {}
        }
        match rest {
            [] => return Ok(path),
            ["/", after @ ..] if !after.is_empty() => rest = after,
            _ => return Err("is not in the subset of XPath that XSD allows".to_owned()),
        }
    }
}

fn is_test(token: &str) -> bool {
    token == "*"
        || token.strip_suffix(":*").is_some_and(lexical::is_ncname)
        || lexical::qname(token).is_some()
}

fn name_test(node: Node<'_, '_>, token: &str) -> Result<NameTest, String> {
    if token == "*" {
        return Ok(NameTest::Any);
    }
    let (prefix, local) = token.split_once(':').unwrap_or(("", token));
    let uri = match prefix {
        // Unprefixed names in these paths are in no namespace, whatever the default is.
        "" => "",
        prefix => bound(node, prefix)
            .ok_or_else(|| format!("uses the prefix \"{prefix}\", which is not bound"))?,
    };
    Ok(match local {
        "*" => NameTest::Space(uri.into()),
        local => NameTest::Name(uri.into(), local.into()),
    })
}

/// Splits a path; blanks may stand between tokens.
fn tokens(text: &str) -> Result<Vec<&str>, String> {
    let mut out = Vec::new();
    let mut rest = text.trim_ascii();
    while !rest.is_empty() {
        let length = if rest.starts_with("//") || rest.starts_with("::") {
            2
        } else if rest.starts_with(['/', '@', '*', '.']) {
            1
        } else {
            let end = rest
                .char_indices()
                .find(|(at, c)| {
                    matches!(c, '/' | '@' | ' ' | '\t' | '\n' | '\r')
                        || (*c == ':' && rest[*at..].starts_with("::"))
                        || (*c == '*' && !rest[..*at].ends_with(':'))
                })
                .map_or(rest.len(), |(at, _)| at);
            if end == 0 {
                return Err("is not in the subset of XPath that XSD allows".to_owned());
            }
            end
        };
        out.push(&rest[..length]);
        rest = rest[length..].trim_ascii_start();
    }
    if out.is_empty() {
        return Err("is empty".to_owned());
    }
    Ok(out)
}

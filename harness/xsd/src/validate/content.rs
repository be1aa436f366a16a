//! Children against the content model of their parent (cvc-complex-type.2), with recovery.

use roxmltree::Node;

use super::report::Draft;
use super::{Frame, Model, Validator};
use crate::automaton::{Automaton, Cursor, Match, Next};
use crate::component::*;
use crate::load::syntax::tag;
use crate::name::NameId;
use crate::value::lexical::is_space;

impl<'s, 'd, 'i> Validator<'s, 'd, 'i> {
    /// Takes one child element. Gives a frame if it has to be walked in turn.
    pub(super) fn child(
        &mut self,
        frame: &mut Frame<'s, 'd, 'i>,
        child: Node<'d, 'i>,
    ) -> Option<Frame<'s, 'd, 'i>> {
        let space = self.space(child.tag_name().namespace());
        let name = space.and_then(|space| self.all.names.find(space, child.tag_name().name()));
        let (automaton, cursor, ty) = match &mut frame.model {
            Model::Empty { nil, ty } => {
                if !frame.broken {
                    frame.broken = true;
                    let (nil, ty) = (*nil, *ty);
                    self.unwanted_child(frame.node, child, nil, ty);
                }
                return None;
            }
            Model::Elements {
                automaton,
                cursor,
                ty,
                ..
            } => (*automaton, cursor, *ty),
        };
        match automaton.step(cursor, name, space) {
            Some(Match::Element(element)) => self.enter(child, Some(element)),
            Some(Match::Wildcard(process)) => self.wild_child(child, name, process, ty),
            None => {
                let before = cursor.clone();
                let (element, repaired) = self.recover(automaton, cursor, child, name);
                self.unexpected(frame.node, child, automaton, &before, name, ty);
                frame.broken |= !repaired;
                element.and_then(|element| self.enter(child, Some(element)))
            }
        }
    }

    fn wild_child(
        &mut self,
        child: Node<'d, 'i>,
        name: Option<NameId>,
        process: Process,
        ty: TypeId,
    ) -> Option<Frame<'s, 'd, 'i>> {
        let declared = name
            .and_then(|name| self.all.global_elements.get(&name))
            .copied();
        match (process, declared) {
            (Process::Skip, _) => None,
            (_, Some(element)) => self.enter(child, Some(element)),
            (Process::Lax, None) => self.enter(child, None),
            (Process::Strict, None) if self.has_type(child) => self.enter(child, None),
            (Process::Strict, None) => {
                let message = format!(
                    "a wildcard admits <{}> here, but no schema declares it",
                    child.tag_name().name()
                );
                let hint = self.root_hint(child);
                self.push(Draft {
                    code: "cvc-complex-type.2.4.c",
                    node: child,
                    attribute: None,
                    span: tag(child),
                    message,
                    found: Some(self.element_label(child)),
                    expected: Vec::new(),
                    place: Some(self.all.ty(ty).place),
                    hint,
                });
                None
            }
        }
    }

    /// Finds out what an unexpected child was meant to be. Gives the declaration to check it by, and whether the
    /// cursor now stands where the content can go on as if nothing had happened.
    fn recover(
        &mut self,
        automaton: &Automaton,
        cursor: &mut Cursor,
        child: Node<'d, 'i>,
        name: Option<NameId>,
    ) -> (Option<ElementId>, bool) {
        if let Some(name) = name {
            if let Some(element) = automaton.jump(cursor, name) {
                return (Some(element), true);
            }
            if let Some(element) = automaton.mention(name) {
                // The child stands too late, or once too often; the rest can go on from here.
                return (Some(element), true);
            }
        }
        let expected: Vec<NameId> = automaton
            .expected(cursor)
            .into_iter()
            .filter_map(|next| match next {
                Next::Name(name) => Some(name),
                Next::Wildcard(_) => None,
            })
            .collect();
        let Some(meant) = self.meant(child, &expected) else {
            return (None, false);
        };
        let space = Some(self.all.names.space_of(meant));
        match automaton.step(cursor, Some(meant), space) {
            Some(Match::Element(element)) => (Some(element), true),
            _ => (None, false),
        }
    }

    /// Text between the children of an element.
    pub(super) fn loose_text(&mut self, frame: &mut Frame<'s, 'd, 'i>, text: Node<'d, 'i>) {
        let content = text.text().unwrap_or("");
        let (code, message, ty) = match &frame.model {
            Model::Elements { mixed: true, .. } => return,
            Model::Elements {
                mixed: false, ty, ..
            } => {
                if content.bytes().all(is_space) {
                    return;
                }
                let message = format!(
                    "<{}> contains elements only; text is not allowed",
                    frame.node.tag_name().name()
                );
                ("cvc-complex-type.2.3", message, *ty)
            }
            Model::Empty { nil: true, ty } => {
                if content.is_empty() || frame.broken {
                    return;
                }
                frame.broken = true;
                let message = format!(
                    "<{}> is nil, so it has to be empty",
                    frame.node.tag_name().name()
                );
                ("cvc-elt.3.2.1", message, *ty)
            }
            Model::Empty { nil: false, ty } => {
                if content.is_empty() || frame.broken {
                    return;
                }
                frame.broken = true;
                let message = format!(
                    "<{}> has to be empty, and contains text",
                    frame.node.tag_name().name()
                );
                ("cvc-complex-type.2.1", message, *ty)
            }
        };
        let blanks = content.bytes().all(is_space);
        self.push(Draft {
            code,
            node: frame.node,
            attribute: None,
            span: text.range(),
            message,
            found: Some(quote(content)),
            expected: Vec::new(),
            place: Some(self.all.ty(ty).place),
            hint: blanks.then(|| {
                "blanks count as text here; write the element without anything inside".to_owned()
            }),
        });
    }

    fn unwanted_child(&mut self, parent: Node<'d, 'i>, child: Node<'d, 'i>, nil: bool, ty: TypeId) {
        let (parent_name, child_name) = (parent.tag_name().name(), child.tag_name().name());
        let (code, message) = if nil {
            (
                "cvc-elt.3.2.1",
                format!("<{parent_name}> is nil, so it cannot contain <{child_name}>"),
            )
        } else {
            (
                "cvc-complex-type.2.1",
                format!("<{parent_name}> has to be empty, and contains <{child_name}>"),
            )
        };
        let hint = self.elsewhere(child, ty);
        self.push(Draft {
            code,
            node: child,
            attribute: None,
            span: tag(child),
            message,
            found: Some(self.element_label(child)),
            expected: Vec::new(),
            place: Some(self.all.ty(ty).place),
            hint,
        });
    }

    fn unexpected(
        &mut self,
        parent: Node<'d, 'i>,
        child: Node<'d, 'i>,
        automaton: &Automaton,
        cursor: &Cursor,
        name: Option<NameId>,
        ty: TypeId,
    ) {
        let next = automaton.expected(cursor);
        let expected = self.labels(&next, parent);
        let (parent_name, label) = (parent.tag_name().name(), self.element_label(child));
        let message = if expected.is_empty() {
            format!("{label} is not allowed here; <{parent_name}> is complete")
        } else {
            let end = if automaton.accepts(cursor) {
                " or the end"
            } else {
                ""
            };
            format!(
                "{label} is not allowed here in <{parent_name}>; expected {}{end}",
                list(&expected)
            )
        };
        let hint = self.child_hint(child, automaton, &next, name, ty);
        self.push(Draft {
            code: "cvc-complex-type.2.4.a",
            node: child,
            attribute: None,
            span: tag(child),
            message,
            found: Some(label),
            expected,
            place: Some(self.content_place(automaton, name, ty)),
            hint,
        });
    }

    pub(super) fn incomplete(
        &mut self,
        node: Node<'d, 'i>,
        automaton: &Automaton,
        cursor: &Cursor,
        ty: TypeId,
    ) {
        let next = automaton.needed(cursor);
        let expected = self.labels(&next, node);
        let message = format!(
            "<{}> ends too early; it still needs {}",
            node.tag_name().name(),
            list(&expected)
        );
        let place = next.iter().find_map(|next| match next {
            Next::Name(name) => automaton
                .mention(*name)
                .map(|element| self.all.element(element).place),
            Next::Wildcard(wildcard) => Some(wildcard.place),
        });
        self.push(Draft {
            code: "cvc-complex-type.2.4.b",
            node,
            attribute: None,
            span: tag(node),
            message,
            found: None,
            expected,
            place: place.or(Some(self.all.ty(ty).place)),
            hint: None,
        });
    }

    /// The schema line that speaks about a name in a content model: its declaration there, else the type.
    fn content_place(&self, automaton: &Automaton, name: Option<NameId>, ty: TypeId) -> Place {
        name.and_then(|name| automaton.mention(name))
            .map_or(self.all.ty(ty).place, |element| {
                self.all.element(element).place
            })
    }

    /// Names as they would be written inside `parent`.
    fn labels(&mut self, next: &[Next], parent: Node<'d, 'i>) -> Vec<String> {
        let home = self.space(parent.tag_name().namespace());
        let mut labels: Vec<String> = Vec::new();
        for next in next {
            let label = match next {
                Next::Name(name) => {
                    let abstract_only = self
                        .all
                        .global_elements
                        .get(name)
                        .is_some_and(|element| self.all.element(*element).is_abstract);
                    if abstract_only {
                        continue;
                    }
                    self.name_label(*name, home)
                }
                Next::Wildcard(wildcard) => self.wildcard_label(wildcard),
            };
            if !labels.contains(&label) {
                labels.push(label);
            }
        }
        labels
    }
}

/// "a, b or c".
pub(super) fn list(items: &[String]) -> String {
    const MOST: usize = 12;
    match items {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [start @ .., last] if items.len() <= MOST => format!("{} or {last}", start.join(", ")),
        many => format!(
            "{} and {} others",
            many[..MOST].join(", "),
            many.len() - MOST
        ),
    }
}

/// A text in quotes, cut short when it is long.
pub(super) fn quote(text: &str) -> String {
    const MOST: usize = 60;
    let cut: String = text.chars().take(MOST).collect();
    if cut.len() < text.len() {
        format!("{cut:?}…")
    } else {
        format!("{cut:?}")
    }
}

/*! What came nearest to an expectation, and whose fault the difference is.

Takes a message and where it differs; gives words, a place, and whether an
always-on rule already named the break.
*/

use judge::{Place, Verdict};
use xccos::payload::{Element, Envelope};

use super::expect::Near;
use super::forms::clip;
use super::matching::Mismatch;
use super::player::Player;
use super::recorder::SeenWhat;
use crate::plan::*;

impl Player<'_, '_> {
    /// Another answer to what this one was to answer.
    pub(super) fn came_instead(&self, item: &Expect) -> Option<(u64, String)> {
        let named = self.named.get(item.answers.as_ref()?)?;
        for seen in self.recorder.seen.iter().skip(named.floor) {
            let SeenWhat::Message(_, Some(document)) = &seen.what else {
                continue;
            };
            for primitive in document.primitives() {
                let answers = primitive
                    .commandid()
                    .is_some_and(|id| named.ids.contains(&id));
                if seen.endpoint == item.at && answers {
                    let name = match primitive.id() {
                        "" => primitive.class.name(),
                        id => id,
                    };
                    return Some((seen.event, clip(name)));
                }
            }
        }
        None
    }

    /// The requirement that a rule already found broken in the very message that was waited for: what
    /// came, but not in a form that can be recognised, is one fault and has its name already.
    pub(super) fn told_already(&self, item: &Expect, near: &Near) -> Option<String> {
        if let What::AnyOf(alternatives) = &item.what {
            return alternatives.iter().find_map(|a| self.told_already(a, near));
        }
        let What::Primitive(pattern, _) = &item.what else {
            return None;
        };
        let floor = match &item.since {
            Some(name) => self.named.get(name).map_or(self.floor, |n| n.floor),
            None => self.floor,
        };
        for seen in self.recorder.seen.iter().skip(floor) {
            let SeenWhat::Message(message, document) = &seen.what else {
                continue;
            };
            if seen.endpoint != item.at || message.method() != Some("INFO") {
                continue;
            }
            for finding in self.recorder.broken(seen.event) {
                let there = finding.place.path.as_deref().unwrap_or_default();
                let about = match (document, near.event, &near.mismatch) {
                    // It is known where it differs: the finding has to be about that place.
                    (_, Some(event), Some(mismatch)) if event == seen.event => {
                        same_place(there, &mismatch.path)
                    }
                    // Nobody can read it, or not as what it should be.
                    (None, ..) => finding.verdict == Verdict::Fail,
                    (Some(document), ..) => {
                        finding.verdict == Verdict::Fail
                            && could_be(document, &seen.taken, pattern, there)
                    }
                };
                if about {
                    return Some(finding.requirement.clone());
                }
            }
        }
        None
    }
}

/// Whether a finding is about the place where a message differs from what was wanted.
pub(super) fn same_place(found: &str, differs: &str) -> bool {
    let element = |path: &str| path.split("/@").next().unwrap_or_default().to_owned();
    let (found, differs) = (element(found), element(differs));
    !found.is_empty()
        && !differs.is_empty()
        && (differs.starts_with(&found) || found.starts_with(&differs))
}

/// Whether a primitive that a finding is about could have been meant as what was wanted.
pub(super) fn could_be(
    document: &Envelope,
    taken: &[usize],
    pattern: &PrimitivePattern,
    found: &str,
) -> bool {
    let about_all =
        found.is_empty() || found.matches('/').count() <= 1 || found.starts_with("/xccos/@");
    if document.primitives().next().is_none() {
        return true;
    }
    document.primitives().enumerate().any(|(i, primitive)| {
        !taken.contains(&i)
            && primitive.class == pattern.class
            && (about_all || found.starts_with(&path_of(document, primitive.element, i)))
    })
}

/// `/xccos/rpl[2]`: the position among primitives of its class.
pub(super) fn path_of(document: &Envelope, element: &Element, index: usize) -> String {
    let position = document
        .primitives()
        .take(index + 1)
        .filter(|p| p.element.name == element.name)
        .count();
    format!("/xccos/{}[{position}]", element.name)
}

/// Text and place of a mismatch.
pub(super) fn told(
    message: &sip::Message,
    mismatch: Option<&Mismatch>,
    reason: Option<&str>,
) -> (String, Place) {
    let lead = reason.map(|r| format!("{r}: ")).unwrap_or_default();
    match mismatch {
        Some(mismatch) => {
            let path = if mismatch.path.is_empty() {
                "the message"
            } else {
                mismatch.path.as_str()
            };
            (
                format!("{lead}{path} {}", mismatch.message),
                place_of(message, mismatch),
            )
        }
        None => (
            format!("{lead}the message is of another kind"),
            Place::default(),
        ),
    }
}

/// Where in a message a mismatch is.
pub(super) fn place_of(message: &sip::Message, mismatch: &Mismatch) -> Place {
    let offset = message.body_offset();
    let (line, column) = match mismatch.span {
        Some((start, _)) => {
            let (line, column) = sip::view::line_column(message.body(), start);
            (u32::try_from(line).ok(), u32::try_from(column).ok())
        }
        None => (None, None),
    };
    Place {
        path: (!mismatch.path.is_empty()).then(|| mismatch.path.clone()),
        line,
        column,
        span: mismatch.span.map(|(a, b)| (a + offset, b + offset)),
    }
}

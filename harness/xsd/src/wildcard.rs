//! The algebra of wildcard namespaces (Part 1, 3.10.6): subset, union, intersection.

use crate::component::Spaces;
use crate::name::Names;

impl Spaces {
    /// Wildcard Subset (cos-ns-subset).
    pub(crate) fn within(&self, other: &Spaces) -> bool {
        match (self, other) {
            (_, Spaces::Any) => true,
            (Spaces::Not(a), Spaces::Not(b)) => a == b,
            (Spaces::Set(set), Spaces::Set(superset)) => {
                set.iter().all(|space| superset.contains(space))
            }
            (Spaces::Set(set), Spaces::Not(not)) => {
                !set.contains(not) && !set.contains(&Names::NO_SPACE)
            }
            _ => false,
        }
    }

    /// Attribute Wildcard Union (cos-aw-union); `None` when it cannot be expressed.
    pub(crate) fn union(&self, other: &Spaces) -> Option<Spaces> {
        Some(match (self, other) {
            (a, b) if a == b => a.clone(),
            (Spaces::Any, _) | (_, Spaces::Any) => Spaces::Any,
            (Spaces::Set(a), Spaces::Set(b)) => {
                let mut set = a.clone();
                set.extend(b.iter().filter(|space| !a.contains(space)));
                set.sort();
                Spaces::Set(set)
            }
            // Not absent: everything but no namespace.
            (Spaces::Not(_), Spaces::Not(_)) => Spaces::Not(Names::NO_SPACE),
            (Spaces::Not(not), Spaces::Set(set)) | (Spaces::Set(set), Spaces::Not(not)) => {
                let absent = set.contains(&Names::NO_SPACE);
                if *not == Names::NO_SPACE {
                    if absent {
                        Spaces::Any
                    } else {
                        Spaces::Not(*not)
                    }
                } else {
                    match (set.contains(not), absent) {
                        (true, true) => Spaces::Any,
                        (true, false) => Spaces::Not(Names::NO_SPACE),
                        (false, true) => return None,
                        (false, false) => Spaces::Not(*not),
                    }
                }
            }
        })
    }

    /// Attribute Wildcard Intersection (cos-aw-intersect); `None` when it cannot be expressed.
    pub(crate) fn intersect(&self, other: &Spaces) -> Option<Spaces> {
        Some(match (self, other) {
            (a, b) if a == b => a.clone(),
            (Spaces::Any, x) | (x, Spaces::Any) => x.clone(),
            (Spaces::Set(a), Spaces::Set(b)) => Spaces::Set(
                a.iter()
                    .filter(|space| b.contains(space))
                    .copied()
                    .collect(),
            ),
            (Spaces::Not(not), Spaces::Set(set)) | (Spaces::Set(set), Spaces::Not(not)) => {
                Spaces::Set(
                    set.iter()
                        .filter(|space| **space != *not && **space != Names::NO_SPACE)
                        .copied()
                        .collect(),
                )
            }
            (Spaces::Not(a), Spaces::Not(b)) => {
                match (*a == Names::NO_SPACE, *b == Names::NO_SPACE) {
                    (true, _) => Spaces::Not(*b),
                    (_, true) => Spaces::Not(*a),
                    _ => return None,
                }
            }
        })
    }

    /// Whether some namespace is in both.
    pub(crate) fn overlaps(&self, other: &Spaces) -> bool {
        !matches!(self.intersect(other), Some(Spaces::Set(set)) if set.is_empty())
    }
}

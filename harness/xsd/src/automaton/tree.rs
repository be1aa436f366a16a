//! Content particles with their groups written out, and what can be seen on them before any automaton exists.

use std::collections::HashMap;
use std::sync::Arc;

use super::AllModel;
use super::build::BuildError;
use crate::component::*;
use crate::name::NameId;

/// Most particles of one content model, groups written out.
const MOST_PARTICLES: usize = 20_000;
/// Deepest nesting of particles.
const DEEPEST: usize = 2000;

/// A particle with its groups written out.
pub(super) struct Tree {
    pub(super) min: u32,
    pub(super) max: u32,
    pub(super) place: Place,
    pub(super) node: TreeNode,
}

impl Tree {
    /// A group around a single particle dissolves when the numbers of occurrences multiply without gaps.
    fn flatten(self) -> Tree {
        let Tree {
            min,
            max,
            place,
            node,
        } = self;
        let TreeNode::Model(compositor, mut members) = node else {
            return Tree {
                min,
                max,
                place,
                node,
            };
        };
        let joined = match members.as_slice() {
            [only] if compositor != Compositor::All => product((min, max), (only.min, only.max)),
            _ => None,
        };
        match (joined, members.pop()) {
            (Some((min, max)), Some(only))
                if !matches!(only.node, TreeNode::Model(Compositor::All, _)) =>
            {
                Tree { min, max, ..only }
            }
            (_, only) => {
                members.extend(only);
                Tree {
                    min,
                    max,
                    place,
                    node: TreeNode::Model(compositor, members),
                }
            }
        }
    }
}

/// The bounds of "outer times inner", when every number between them is possible.
fn product(outer: (u32, u32), inner: (u32, u32)) -> Option<(u32, u32)> {
    let (first, next) = (u64::from(outer.0.max(1)), u64::from(outer.0) + 1);
    let (low, high) = (u64::from(inner.0), u64::from(inner.1));
    let gapless = outer.1 <= 1 && outer.0 == outer.1
        || (inner.1 == UNBOUNDED || next * low <= first * high + 1 || outer.0 == outer.1)
            && (outer.0 > 0 || low <= 1);
    if !gapless {
        return None;
    }
    let min = u32::try_from(u64::from(outer.0) * low).ok()?;
    let max = match (outer.1, inner.1) {
        (0, _) | (_, 0) => 0,
        (UNBOUNDED, _) | (_, UNBOUNDED) => UNBOUNDED,
        (outer, inner) => u32::try_from(u64::from(outer) * u64::from(inner)).unwrap_or(UNBOUNDED),
    };
    Some((min, max))
}

/// What a tree's root stands for.
pub(super) enum TreeNode {
    Element(ElementId),
    Wild(Arc<Wildcard>),
    Model(Compositor, Vec<Tree>),
}

/// Writes out the groups of a particle.
pub(super) fn plant(all: &Components, particle: ParticleId) -> Result<Tree, BuildError> {
    fn grow(
        all: &Components,
        id: ParticleId,
        count: &mut usize,
        depth: usize,
    ) -> Result<Tree, BuildError> {
        *count += 1;
        if *count > MOST_PARTICLES || depth > DEEPEST {
            return Err(BuildError::Limit);
        }
        let particle = all.particle(id);
        // A reference stands for the model of its group.
        let term = match &particle.term {
            Term::Group(group) => &all.particle(all.groups[group.at()].particle).term,
            term => term,
        };
        let node = match term {
            Term::Element(element) => TreeNode::Element(*element),
            Term::Wildcard(wildcard) => TreeNode::Wild(wildcard.clone()),
            Term::Model(compositor, members) => {
                let mut trees = Vec::with_capacity(members.len());
                for member in members {
                    trees.push(grow(all, *member, count, depth + 1)?);
                }
                TreeNode::Model(*compositor, trees)
            }
            // The particle of a group is a model, never another reference.
            Term::Group(_) => TreeNode::Model(Compositor::Sequence, Vec::new()),
        };
        Ok(Tree {
            min: particle.min,
            max: particle.max,
            place: particle.place,
            node,
        }
        .flatten())
    }
    grow(all, particle, &mut 0, 0)
}

/// The names an element particle admits, itself and its substitution group.
pub(super) fn names_of(all: &Components, element: ElementId) -> Vec<(NameId, ElementId)> {
    let members = all.members.get(&element).map_or(&[][..], Vec::as_slice);
    let mut names: Vec<_> = std::iter::once(&element)
        .chain(members)
        .map(|each| (all.element(*each).name, *each))
        .collect();
    names.sort();
    names.dedup_by_key(|entry| entry.0);
    names
}

/// Elements of one name in one content model have one type (cos-element-consistent).
pub(super) fn consistent(all: &Components, tree: &Tree) -> Result<(), BuildError> {
    let mut types: HashMap<NameId, TypeId> = HashMap::new();
    let mut todo = vec![tree];
    while let Some(tree) = todo.pop() {
        match &tree.node {
            TreeNode::Element(element) => {
                for (name, element) in names_of(all, *element) {
                    let ty = all.element(element).ty;
                    if *types.entry(name).or_insert(ty) != ty {
                        return Err(BuildError::Inconsistent {
                            name,
                            place: tree.place,
                        });
                    }
                }
            }
            TreeNode::Wild(_) => {}
            TreeNode::Model(_, members) => todo.extend(members),
        }
    }
    Ok(())
}

/// The model of a particle that is an xs:all and nothing else.
pub(super) fn all_model(all: &Components, tree: &Tree) -> Result<Option<AllModel>, BuildError> {
    let mut tree = tree;
    let mut optional = tree.min == 0;
    // An extension of an empty base may wrap the group once more.
    while let TreeNode::Model(Compositor::Sequence | Compositor::Choice, members) = &tree.node
        && let [only] = members.as_slice()
        && tree.max == 1
    {
        tree = only;
        optional |= tree.min == 0;
    }
    let TreeNode::Model(Compositor::All, members) = &tree.node else {
        return Ok(None);
    };
    let mut model = AllModel {
        names: Vec::new(),
        members: Vec::new(),
        optional,
    };
    for member in members {
        let TreeNode::Element(element) = member.node else {
            continue;
        };
        let number = model.members.len() as u32;
        model
            .members
            .push((all.element(element).name, member.min > 0));
        for (name, element) in names_of(all, element) {
            if model.names.iter().any(|entry| entry.0 == name) {
                let what = format!("two members of xs:all admit {}", all.names.show(name));
                return Err(BuildError::Ambiguous {
                    what,
                    place: member.place,
                });
            }
            model.names.push((name, element, number));
        }
    }
    model.names.sort();
    Ok(Some(model))
}

//! From particles to automata: positions and what may follow them, then sets of positions as states.
//!
//! Occurrence bounds are written out while that stays small. Each position remembers which particle of the model it
//! is a copy of, so that a state from which one name leads to two particles shows an ambiguous model (cos-nonambig).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::counted::Instruction;
use super::tree::{Tree, TreeNode, all_model, consistent, names_of, plant};
use super::{Automaton, Dfa, Edge, Program, State, WildEdge};
use crate::component::*;
use crate::name::NameId;

/// Most positions of a written-out model.
const MOST_POSITIONS: usize = 2000;
/// Most pairs of positions that follow each other.
const MOST_FOLLOWS: usize = 400_000;
/// Most states of an automaton.
const MOST_STATES: usize = 4000;

/// Why a content model has no automaton.
#[derive(Debug)]
pub(crate) enum BuildError {
    /// Two particles compete for a name; the texts describe it.
    Ambiguous { what: String, place: Place },
    /// One name with two types (cos-element-consistent).
    Inconsistent { name: NameId, place: Place },
    /// Too large.
    Limit,
}

/// Builds the automaton of a content particle.
pub(crate) fn build(
    all: &Components,
    particle: Option<ParticleId>,
) -> Result<Automaton, BuildError> {
    let Some(particle) = particle else {
        return Ok(Automaton::Dfa(Dfa {
            states: vec![State {
                edges: (0, 0),
                wild: (0, 0),
                accepts: true,
            }],
            ..Dfa::default()
        }));
    };
    let tree = plant(all, particle)?;
    consistent(all, &tree)?;
    if let Some(model) = all_model(all, &tree)? {
        return Ok(Automaton::All(model));
    }
    let mut exact = Glushkov::new(all, false);
    if let Some(fragment) = exact.fragment(&tree)
        && let Some(result) = exact.determine(fragment)
    {
        return result.map(Automaton::Dfa);
    }
    let mut reduced = Glushkov::new(all, true);
    if let Some(fragment) = reduced.fragment(&tree)
        && let Some(result) = reduced.determine(fragment)
    {
        result?;
    } else {
        return Err(BuildError::Limit);
    }
    let mut program = Program::default();
    assemble(all, &tree, &mut program);
    program.code.push(Instruction::Accept);
    Ok(Automaton::Counted(program))
}

/// One written-out occurrence of an element or a wildcard.
struct Position<'t> {
    node: &'t TreeNode,
    place: Place,
    /// Which particle of the model it is a copy of.
    origin: u32,
}

/// What a part of the model can start and end with.
struct Fragment {
    nullable: bool,
    first: Vec<u32>,
    last: Vec<u32>,
}

struct Glushkov<'t> {
    all: &'t Components,
    positions: Vec<Position<'t>>,
    follow: Vec<Vec<u32>>,
    follows: usize,
    origin: u32,
    /// Bounds are cut down to what matters for ambiguity.
    reduced: bool,
}

impl<'t> Glushkov<'t> {
    fn new(all: &'t Components, reduced: bool) -> Self {
        Glushkov {
            all,
            positions: Vec::new(),
            follow: Vec::new(),
            follows: 0,
            origin: 0,
            reduced,
        }
    }

    /// The fragment of a particle, `None` when it grows too large.
    fn fragment(&mut self, tree: &'t Tree) -> Option<Fragment> {
        let (mut min, mut max) = (tree.min, tree.max);
        if self.reduced {
            let exact = min == max;
            min = min.min(2);
            max = match max {
                UNBOUNDED => UNBOUNDED,
                _ if exact => min,
                max => max.min(min + 1),
            };
        }
        let origin = self.origin;
        let first = self.term(tree)?;
        let after = self.origin;
        if max == 1 {
            return Some(Fragment {
                nullable: first.nullable || min == 0,
                ..first
            });
        }
        // Copies: `min` that must occur, then either a last one that repeats, or optional ones.
        let mut copies = vec![first];
        let count = match max {
            UNBOUNDED => min.max(1),
            max => max,
        };
        if count as usize > MOST_POSITIONS {
            return None;
        }
        for _ in 1..count {
            self.origin = origin;
            copies.push(self.term(tree)?);
        }
        self.origin = after;
        if max == UNBOUNDED
            && let Some(copy) = copies.pop()
        {
            self.connect(&copy.last, &copy.first)?;
            copies.push(copy);
        }
        let mut whole = Fragment {
            nullable: true,
            first: Vec::new(),
            last: Vec::new(),
        };
        for (index, copy) in copies.into_iter().enumerate().rev() {
            let optional = copy.nullable || index as u32 >= min;
            // The rest is reachable only through this copy when this copy is one of the optional ones.
            self.connect(&copy.last, &whole.first)?;
            let rest_may_lack = whole.nullable;
            let mut first = copy.first;
            if copy.nullable {
                first.extend(&whole.first);
            }
            let mut last = whole.last;
            if rest_may_lack {
                last.extend(&copy.last);
            }
            whole = Fragment {
                nullable: optional && (index as u32 >= min || rest_may_lack),
                first,
                last,
            };
        }
        Some(whole)
    }

    fn term(&mut self, tree: &'t Tree) -> Option<Fragment> {
        match &tree.node {
            TreeNode::Element(_) | TreeNode::Wild(_) => {
                let number = self.positions.len() as u32;
                if self.positions.len() >= MOST_POSITIONS {
                    return None;
                }
                self.positions.push(Position {
                    node: &tree.node,
                    place: tree.place,
                    origin: self.origin,
                });
                self.follow.push(Vec::new());
                self.origin += 1;
                Some(Fragment {
                    nullable: false,
                    first: vec![number],
                    last: vec![number],
                })
            }
            TreeNode::Model(Compositor::Choice, members) => {
                let mut whole = Fragment {
                    nullable: members.is_empty(),
                    first: Vec::new(),
                    last: Vec::new(),
                };
                for member in members {
                    let part = self.fragment(member)?;
                    whole.nullable |= part.nullable;
                    whole.first.extend(part.first);
                    whole.last.extend(part.last);
                }
                Some(whole)
            }
            TreeNode::Model(_, members) => {
                let mut whole = Fragment {
                    nullable: true,
                    first: Vec::new(),
                    last: Vec::new(),
                };
                for member in members {
                    let part = self.fragment(member)?;
                    self.connect(&whole.last, &part.first)?;
                    if whole.nullable {
                        whole.first.extend(&part.first);
                    }
                    if part.nullable {
                        whole.last.extend(part.last);
                    } else {
                        whole.last = part.last;
                    }
                    whole.nullable &= part.nullable;
                }
                Some(whole)
            }
        }
    }

    fn connect(&mut self, from: &[u32], to: &[u32]) -> Option<()> {
        self.follows += from.len() * to.len();
        if self.follows > MOST_FOLLOWS {
            return None;
        }
        for position in from {
            self.follow[*position as usize].extend(to);
        }
        Some(())
    }

    /// Sets of positions as states. `None` when there are too many.
    fn determine(&self, start: Fragment) -> Option<Result<Dfa, BuildError>> {
        let mut lasts = vec![false; self.positions.len()];
        for position in &start.last {
            lasts[*position as usize] = true;
        }
        let mut numbers: HashMap<Vec<u32>, u32> = HashMap::new();
        let mut sets: Vec<Vec<u32>> = vec![Vec::new()];
        let mut dfa = Dfa::default();
        let mut at = 0;
        while at < sets.len() {
            let set = std::mem::take(&mut sets[at]);
            let mut next: Vec<u32> = if at == 0 {
                start.first.clone()
            } else {
                set.iter()
                    .flat_map(|position| self.follow[*position as usize].iter().copied())
                    .collect()
            };
            next.sort_unstable();
            next.dedup();
            let accepts = if at == 0 {
                start.nullable
            } else {
                set.iter().any(|position| lasts[*position as usize])
            };
            let (names, wilds) = match self.moves(&next) {
                Ok(moves) => moves,
                Err(error) => return Some(Err(error)),
            };
            let mut number = |set: Vec<u32>| -> u32 {
                *numbers.entry(set.clone()).or_insert_with(|| {
                    sets.push(set);
                    sets.len() as u32 - 1
                })
            };
            let (edges_from, wild_from) = (dfa.edges.len() as u32, dfa.wild.len() as u32);
            for (name, (element, targets)) in names {
                dfa.edges.push(Edge {
                    name,
                    element,
                    target: number(targets),
                });
            }
            for (wildcard, targets) in wilds {
                dfa.wild.push(WildEdge {
                    wildcard,
                    target: number(targets),
                });
            }
            dfa.states.push(State {
                edges: (edges_from, dfa.edges.len() as u32),
                wild: (wild_from, dfa.wild.len() as u32),
                accepts,
            });
            if sets.len() > MOST_STATES || dfa.edges.len() > MOST_FOLLOWS {
                return None;
            }
            at += 1;
        }
        Some(Ok(dfa))
    }

    /// Where each name and each wildcard leads from a set of possible next positions.
    #[allow(clippy::type_complexity)]
    fn moves(
        &self,
        next: &[u32],
    ) -> Result<
        (
            BTreeMap<NameId, (ElementId, Vec<u32>)>,
            Vec<(Arc<Wildcard>, Vec<u32>)>,
        ),
        BuildError,
    > {
        let mut names: BTreeMap<NameId, (ElementId, Vec<u32>)> = BTreeMap::new();
        let mut wilds: Vec<(Arc<Wildcard>, Vec<u32>)> = Vec::new();
        let ambiguous = |what: String, place: Place| BuildError::Ambiguous { what, place };
        for number in next {
            let position = &self.positions[*number as usize];
            match position.node {
                TreeNode::Element(element) => {
                    for (name, element) in names_of(self.all, *element) {
                        let entry = names.entry(name).or_insert_with(|| (element, Vec::new()));
                        if let Some(other) = entry.1.first()
                            && self.positions[*other as usize].origin != position.origin
                        {
                            let what = format!(
                                "{} could belong to two particles",
                                self.all.names.show(name)
                            );
                            return Err(ambiguous(what, position.place));
                        }
                        entry.1.push(*number);
                    }
                }
                TreeNode::Wild(wildcard) => {
                    let mut placed = false;
                    for (other, targets) in &mut wilds {
                        let same = targets.first().is_some_and(|target| {
                            self.positions[*target as usize].origin == position.origin
                        });
                        if same {
                            targets.push(*number);
                            placed = true;
                        } else if other.spaces.overlaps(&wildcard.spaces) {
                            let what = "an element could belong to two wildcards".to_owned();
                            return Err(ambiguous(what, position.place));
                        }
                    }
                    if !placed {
                        wilds.push((wildcard.clone(), vec![*number]));
                    }
                }
                TreeNode::Model(..) => {}
            }
        }
        for (wildcard, targets) in &wilds {
            for name in names.keys() {
                if wildcard.spaces.admit(Some(self.all.names.space_of(*name))) {
                    let what = format!(
                        "{} could belong to an element particle and to a wildcard",
                        self.all.names.show(*name)
                    );
                    let place = targets.first().map_or(Place::BUILT_IN, |target| {
                        self.positions[*target as usize].place
                    });
                    return Err(ambiguous(what, place));
                }
            }
        }
        Ok((names, wilds))
    }
}

/// Writes a particle as instructions.
fn assemble(all: &Components, tree: &Tree, program: &mut Program) {
    let nullable = can_be_empty(tree);
    let (min, max) = if nullable {
        (0, tree.max)
    } else {
        (tree.min, tree.max)
    };
    if (min, max) == (1, 1) {
        return assemble_term(all, tree, program);
    }
    let counter = program.minima.len();
    program.minima.push(min);
    program.code.push(Instruction::Zero(counter));
    let start = program.code.len();
    program.code.push(Instruction::Loop {
        counter,
        min,
        max,
        exit: 0,
    });
    assemble_term(all, tree, program);
    program.code.push(Instruction::Again { counter, start });
    let end = program.code.len();
    if let Some(Instruction::Loop { exit, .. }) = program.code.get_mut(start) {
        *exit = end;
    }
}

fn assemble_term(all: &Components, tree: &Tree, program: &mut Program) {
    match &tree.node {
        TreeNode::Element(element) => program
            .code
            .push(Instruction::Names(names_of(all, *element).into())),
        TreeNode::Wild(wildcard) => program.code.push(Instruction::Wild(wildcard.clone())),
        TreeNode::Model(Compositor::Choice, members) if !members.is_empty() => {
            let split = program.code.len();
            program.code.push(Instruction::Split(Vec::new()));
            let (mut ways, mut jumps) = (Vec::new(), Vec::new());
            for member in members {
                ways.push(program.code.len());
                assemble(all, member, program);
                jumps.push(program.code.len());
                program.code.push(Instruction::Jump(0));
            }
            let end = program.code.len();
            program.code[split] = Instruction::Split(ways);
            for jump in jumps {
                program.code[jump] = Instruction::Jump(end);
            }
        }
        TreeNode::Model(_, members) => {
            for member in members {
                assemble(all, member, program);
            }
        }
    }
}

fn can_be_empty(tree: &Tree) -> bool {
    tree.min == 0
        || match &tree.node {
            TreeNode::Element(_) | TreeNode::Wild(_) => false,
            TreeNode::Model(Compositor::Choice, members) => {
                members.is_empty() || members.iter().any(can_be_empty)
            }
            TreeNode::Model(_, members) => members.iter().all(can_be_empty),
        }
}

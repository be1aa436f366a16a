//! Content models as automata: one step per child element, without backtracking.
//!
//! Takes a finished particle; gives a deterministic automaton in flat tables ([`Dfa`]). A model with occurrence
//! bounds too large to write out becomes a machine with counters ([`counted`]); an `xs:all` a set of members to
//! tick off. Whether a model is ambiguous (unique particle attribution) is found while it is built.

pub(crate) mod build;
mod counted;
mod tree;

use std::collections::VecDeque;
use std::sync::Arc;

use crate::component::{ElementId, Process, Wildcard};
use crate::name::{NameId, NsId};

pub(crate) use counted::Program;

/// The automaton of one content model.
#[derive(Debug)]
pub(crate) enum Automaton {
    Dfa(Dfa),
    All(AllModel),
    Counted(Program),
}

/// A deterministic automaton; state 0 is the start.
#[derive(Debug, Default)]
pub(crate) struct Dfa {
    states: Vec<State>,
    /// The edges of all states, each state's sorted by name.
    edges: Vec<Edge>,
    wild: Vec<WildEdge>,
}

#[derive(Debug)]
struct State {
    edges: (u32, u32),
    wild: (u32, u32),
    accepts: bool,
}

#[derive(Debug, Clone, Copy)]
struct Edge {
    name: NameId,
    target: u32,
    element: ElementId,
}

#[derive(Debug, Clone)]
struct WildEdge {
    wildcard: Arc<Wildcard>,
    target: u32,
}

/// The members of an `xs:all`.
#[derive(Debug)]
pub(crate) struct AllModel {
    /// Name, declaration, and which member it ticks off; sorted by name.
    names: Vec<(NameId, ElementId, u32)>,
    /// The names of the members themselves, and whether they are required.
    members: Vec<(NameId, bool)>,
    /// The whole group may be absent.
    optional: bool,
}

/// Where in a content model a document is.
#[derive(Debug, Clone)]
pub(crate) enum Cursor {
    Dfa(u32),
    /// Ticked members.
    All(Box<[bool]>),
    Counted(Box<counted::Threads>),
}

/// What a child element matched.
#[derive(Debug, Clone)]
pub(crate) enum Match {
    Element(ElementId),
    Wildcard(Process),
}

/// What may come next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    Name(NameId),
    Wildcard(Arc<Wildcard>),
}

impl Automaton {
    pub(crate) fn start(&self) -> Cursor {
        match self {
            Automaton::Dfa(_) => Cursor::Dfa(0),
            Automaton::All(all) => Cursor::All(vec![false; all.members.len()].into()),
            Automaton::Counted(program) => Cursor::Counted(Box::new(program.start())),
        }
    }

    /// Takes one child. Names the schema does not know are `None`, as are their namespaces.
    pub(crate) fn step(
        &self,
        cursor: &mut Cursor,
        name: Option<NameId>,
        space: Option<NsId>,
    ) -> Option<Match> {
        match (self, cursor) {
            (Automaton::Dfa(dfa), Cursor::Dfa(state)) => {
                let at = dfa.states.get(*state as usize)?;
                if let Some(name) = name
                    && let Some(edge) = find(dfa.edges(at), name)
                {
                    *state = edge.target;
                    return Some(Match::Element(edge.element));
                }
                let edge = dfa
                    .wild(at)
                    .iter()
                    .find(|edge| edge.wildcard.spaces.admit(space))?;
                *state = edge.target;
                Some(Match::Wildcard(edge.wildcard.process))
            }
            (Automaton::All(all), Cursor::All(ticked)) => {
                let name = name?;
                let at = all
                    .names
                    .binary_search_by_key(&name, |entry| entry.0)
                    .ok()?;
                let (_, element, member) = all.names[at];
                let tick = ticked.get_mut(member as usize)?;
                if *tick {
                    return None;
                }
                *tick = true;
                Some(Match::Element(element))
            }
            (Automaton::Counted(program), Cursor::Counted(threads)) => {
                program.step(threads, name, space)
            }
            _ => None,
        }
    }

    /// Whether the content may end here.
    pub(crate) fn accepts(&self, cursor: &Cursor) -> bool {
        match (self, cursor) {
            (Automaton::Dfa(dfa), Cursor::Dfa(state)) => dfa
                .states
                .get(*state as usize)
                .is_some_and(|state| state.accepts),
            (Automaton::All(all), Cursor::All(ticked)) => {
                (all.optional && !ticked.contains(&true))
                    || all
                        .members
                        .iter()
                        .zip(ticked)
                        .all(|((_, required), ticked)| *ticked || !required)
            }
            (Automaton::Counted(program), Cursor::Counted(threads)) => program.accepts(threads),
            _ => false,
        }
    }

    /// What may come next, in the order of names.
    pub(crate) fn expected(&self, cursor: &Cursor) -> Vec<Next> {
        match (self, cursor) {
            (Automaton::Dfa(dfa), Cursor::Dfa(state)) => match dfa.states.get(*state as usize) {
                Some(at) => {
                    let names = dfa.edges(at).iter().map(|edge| Next::Name(edge.name));
                    let wild = dfa
                        .wild(at)
                        .iter()
                        .map(|edge| Next::Wildcard(edge.wildcard.clone()));
                    names.chain(wild).collect()
                }
                None => Vec::new(),
            },
            (Automaton::All(all), Cursor::All(ticked)) => all
                .names
                .iter()
                .filter(|(_, _, member)| !ticked.get(*member as usize).copied().unwrap_or(true))
                .map(|(name, ..)| Next::Name(*name))
                .collect(),
            (Automaton::Counted(program), Cursor::Counted(threads)) => program.expected(threads),
            _ => Vec::new(),
        }
    }

    /// After an unexpected child: moves on to where this name is possible later in the content, if anywhere, as if
    /// what was missing had been there. Gives the declaration.
    pub(crate) fn jump(&self, cursor: &mut Cursor, name: NameId) -> Option<ElementId> {
        match (self, cursor) {
            (Automaton::Dfa(dfa), Cursor::Dfa(state)) => {
                let mut seen = vec![false; dfa.states.len()];
                let mut queue = VecDeque::from([*state]);
                while let Some(at) = queue.pop_front() {
                    if std::mem::replace(seen.get_mut(at as usize)?, true) {
                        continue;
                    }
                    let here = &dfa.states[at as usize];
                    if let Some(edge) = find(dfa.edges(here), name) {
                        *state = edge.target;
                        return Some(edge.element);
                    }
                    queue.extend(dfa.edges(here).iter().map(|edge| edge.target));
                    queue.extend(dfa.wild(here).iter().map(|edge| edge.target));
                }
                None
            }
            (Automaton::Counted(program), Cursor::Counted(threads)) => program.jump(threads, name),
            _ => None,
        }
    }

    /// The declaration of a name anywhere in the model, reachable or not.
    pub(crate) fn mention(&self, name: NameId) -> Option<ElementId> {
        match self {
            Automaton::Dfa(dfa) => dfa
                .edges
                .iter()
                .find(|edge| edge.name == name)
                .map(|edge| edge.element),
            Automaton::All(all) => all
                .names
                .iter()
                .find(|entry| entry.0 == name)
                .map(|entry| entry.1),
            Automaton::Counted(program) => program.mention(name),
        }
    }

    /// Whether any wildcard is in the model.
    #[cfg(any(test, feature = "generate"))]
    pub(crate) fn admits_wildcards(&self) -> bool {
        match self {
            Automaton::Dfa(dfa) => !dfa.wild.is_empty(),
            Automaton::All(_) => false,
            Automaton::Counted(program) => program.admits_wildcards(),
        }
    }

    /// Every name in the model.
    pub(crate) fn names(&self) -> Vec<NameId> {
        let mut names: Vec<NameId> = match self {
            Automaton::Dfa(dfa) => dfa.edges.iter().map(|edge| edge.name).collect(),
            Automaton::All(all) => all.names.iter().map(|entry| entry.0).collect(),
            Automaton::Counted(program) => program.names(),
        };
        names.sort();
        names.dedup();
        names
    }

    /// Of what may come next, what leads to the end by the fewest further children; for an `xs:all`, the required
    /// members that have not come.
    pub(crate) fn needed(&self, cursor: &Cursor) -> Vec<Next> {
        match (self, cursor) {
            (Automaton::All(all), Cursor::All(ticked)) => all
                .members
                .iter()
                .zip(ticked)
                .filter(|((_, required), ticked)| *required && !**ticked)
                .map(|((name, _), _)| Next::Name(*name))
                .collect(),
            (Automaton::Dfa(dfa), Cursor::Dfa(state)) => dfa.shortest(*state as usize),
            _ => self.expected(cursor),
        }
    }
}

impl Dfa {
    /// The steps from a state that begin a shortest way to an accepting one.
    fn shortest(&self, from: usize) -> Vec<Next> {
        let mut distance: Vec<Option<u32>> = self
            .states
            .iter()
            .map(|state| state.accepts.then_some(0))
            .collect();
        // Distances settle after at most as many rounds as there are states.
        loop {
            let mut changed = false;
            for (index, state) in self.states.iter().enumerate() {
                let targets = self.edges(state).iter().map(|edge| edge.target);
                let targets = targets.chain(self.wild(state).iter().map(|edge| edge.target));
                let best = targets
                    .filter_map(|target| distance[target as usize])
                    .min()
                    .map(|best| best + 1);
                if let Some(best) = best
                    && distance[index].is_none_or(|known| best < known)
                {
                    distance[index] = Some(best);
                    changed = true;
                }
            }
            if !changed {
                break;
            }
        }
        let Some(state) = self.states.get(from) else {
            return Vec::new();
        };
        let near = |target: u32| distance[target as usize].map(|steps| steps + 1) == distance[from];
        let names = self.edges(state).iter().filter(|edge| near(edge.target));
        let wild = self.wild(state).iter().filter(|edge| near(edge.target));
        names
            .map(|edge| Next::Name(edge.name))
            .chain(wild.map(|edge| Next::Wildcard(edge.wildcard.clone())))
            .collect()
    }

    fn edges(&self, state: &State) -> &[Edge] {
        self.edges
            .get(state.edges.0 as usize..state.edges.1 as usize)
            .unwrap_or_default()
    }

    fn wild(&self, state: &State) -> &[WildEdge] {
        self.wild
            .get(state.wild.0 as usize..state.wild.1 as usize)
            .unwrap_or_default()
    }
}

fn find(edges: &[Edge], name: NameId) -> Option<&Edge> {
    if edges.len() <= 8 {
        return edges.iter().find(|edge| edge.name == name);
    }
    let at = edges.binary_search_by_key(&name, |edge| edge.name).ok()?;
    edges.get(at)
}

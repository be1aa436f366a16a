//! Content models whose occurrence bounds are too large to write out: a program with counters.
//!
//! Each thread is a place in the program and the values of its counters. Since content models are unambiguous, the
//! threads differ only in counters, and few live at a time; more than [`MOST_THREADS`] make the content invalid.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Match, Next};
use crate::component::{ElementId, UNBOUNDED, Wildcard};
use crate::name::{NameId, NsId};

/// Most threads at one time.
const MOST_THREADS: usize = 4096;

/// A content model as instructions.
#[derive(Debug, Default)]
pub(crate) struct Program {
    pub(super) code: Vec<Instruction>,
    /// The minimum of each counter's loop.
    pub(super) minima: Vec<u32>,
}

/// One instruction; every field that names a place is an index into the program.
#[derive(Debug, Clone)]
pub(super) enum Instruction {
    /// Consumes one child with one of these names, sorted.
    Names(Arc<[(NameId, ElementId)]>),
    Wild(Arc<Wildcard>),
    Split(Vec<usize>),
    Jump(usize),
    /// Sets a counter to zero.
    Zero(usize),
    /// Decides between another round of the body (the next instruction) and the exit.
    Loop {
        counter: usize,
        min: u32,
        max: u32,
        exit: usize,
    },
    /// Counts a round and goes back to its loop.
    Again {
        counter: usize,
        start: usize,
    },
    Accept,
}

/// Threads that wait for the next child.
#[derive(Debug, Clone)]
pub(crate) struct Threads {
    waiting: Vec<Thread>,
    accepts: bool,
}

/// The counters hold rounds, and for each the number of children seen when the round began.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Thread {
    at: usize,
    rounds: Vec<u32>,
    /// Whether a child was consumed since the counter's round began.
    fresh: Vec<bool>,
}

impl Program {
    pub(crate) fn start(&self) -> Threads {
        let thread = Thread {
            at: 0,
            rounds: vec![0; self.minima.len()],
            fresh: vec![false; self.minima.len()],
        };
        self.close(vec![thread])
    }

    pub(crate) fn step(
        &self,
        threads: &mut Threads,
        name: Option<NameId>,
        space: Option<NsId>,
    ) -> Option<Match> {
        let mut next = Vec::new();
        let mut found = None;
        for thread in &threads.waiting {
            let matched = match &self.code[thread.at] {
                Instruction::Names(names) => name
                    .and_then(|name| names.iter().find(|entry| entry.0 == name))
                    .map(|entry| Match::Element(entry.1)),
                Instruction::Wild(wildcard) if wildcard.spaces.admit(space) => {
                    Some(Match::Wildcard(wildcard.process))
                }
                _ => None,
            };
            if let Some(matched) = matched {
                found.get_or_insert(matched);
                let mut thread = thread.clone();
                thread.at += 1;
                thread.fresh.fill(true);
                next.push(thread);
            }
        }
        let found = found?;
        *threads = self.close(next);
        Some(found)
    }

    pub(crate) fn accepts(&self, threads: &Threads) -> bool {
        threads.accepts
    }

    pub(crate) fn expected(&self, threads: &Threads) -> Vec<Next> {
        let mut out = Vec::new();
        for thread in &threads.waiting {
            match &self.code[thread.at] {
                Instruction::Names(names) => {
                    out.extend(names.iter().map(|entry| Next::Name(entry.0)))
                }
                Instruction::Wild(wildcard) => out.push(Next::Wildcard(wildcard.clone())),
                _ => {}
            }
        }
        let mut seen = Vec::new();
        out.retain(|next| {
            let new = !seen.contains(next);
            if new {
                seen.push(next.clone());
            }
            new
        });
        out
    }

    /// After an unexpected child: goes on where this name stands later in the model, as if every round that was still
    /// missing had been there. The order of the program is the order of the model.
    pub(crate) fn jump(&self, threads: &mut Threads, name: NameId) -> Option<ElementId> {
        let from = threads.waiting.iter().map(|thread| thread.at).min()?;
        let later = self.code.iter().enumerate().skip(from + 1);
        let (at, element) = later
            .filter_map(|(at, instruction)| match instruction {
                Instruction::Names(names) => Some((at, names)),
                _ => None,
            })
            .find_map(|(at, names)| {
                let entry = names.iter().find(|entry| entry.0 == name)?;
                Some((at, entry.1))
            })?;
        // The round that this child is part of is the last that its loops need.
        let rounds = self.minima.iter().map(|min| min.saturating_sub(1));
        *threads = self.close(vec![Thread {
            at: at + 1,
            rounds: rounds.collect(),
            fresh: vec![true; self.minima.len()],
        }]);
        Some(element)
    }

    pub(crate) fn mention(&self, name: NameId) -> Option<ElementId> {
        self.entries()
            .find(|entry| entry.0 == name)
            .map(|entry| entry.1)
    }

    pub(crate) fn names(&self) -> Vec<NameId> {
        self.entries().map(|entry| entry.0).collect()
    }

    #[cfg(any(test, feature = "generate"))]
    pub(crate) fn admits_wildcards(&self) -> bool {
        let wild = |instruction: &Instruction| matches!(instruction, Instruction::Wild(_));
        self.code.iter().any(wild)
    }

    fn entries(&self) -> impl Iterator<Item = &(NameId, ElementId)> {
        self.code.iter().flat_map(|instruction| match instruction {
            Instruction::Names(names) => names.iter(),
            _ => [].iter(),
        })
    }

    /// Runs threads up to where they wait for a child.
    fn close(&self, mut todo: Vec<Thread>) -> Threads {
        let mut seen: HashMap<usize, Vec<Thread>> = HashMap::new();
        let mut threads = Threads {
            waiting: Vec::new(),
            accepts: false,
        };
        let mut steps = 0;
        while let Some(mut thread) = todo.pop() {
            steps += 1;
            if steps > MOST_THREADS * 8 || threads.waiting.len() > MOST_THREADS {
                return Threads {
                    waiting: Vec::new(),
                    accepts: false,
                };
            }
            let here = seen.entry(thread.at).or_default();
            if here.iter().any(|other| self.covers(other, &thread)) {
                continue;
            }
            here.push(thread.clone());
            match &self.code[thread.at] {
                Instruction::Names(_) | Instruction::Wild(_) => threads.waiting.push(thread),
                Instruction::Accept => threads.accepts = true,
                Instruction::Jump(to) => {
                    thread.at = *to;
                    todo.push(thread);
                }
                Instruction::Split(ways) => {
                    for way in ways {
                        todo.push(Thread {
                            at: *way,
                            ..thread.clone()
                        });
                    }
                }
                Instruction::Zero(counter) => {
                    thread.rounds[*counter] = 0;
                    thread.fresh[*counter] = true;
                    thread.at += 1;
                    todo.push(thread);
                }
                Instruction::Loop {
                    counter,
                    min,
                    max,
                    exit,
                } => {
                    let rounds = thread.rounds[*counter];
                    if rounds >= *min {
                        let mut out = thread.clone();
                        out.at = *exit;
                        // Values of finished counters must not keep threads apart.
                        out.rounds[*counter] = 0;
                        out.fresh[*counter] = false;
                        todo.push(out);
                    }
                    // A round that consumed nothing is not repeated: its loop has a minimum of 0 then.
                    if rounds < *max && thread.fresh[*counter] {
                        thread.fresh[*counter] = false;
                        thread.at += 1;
                        todo.push(thread);
                    }
                }
                Instruction::Again { counter, start } => {
                    let ceiling = match &self.code[*start] {
                        Instruction::Loop {
                            min,
                            max: UNBOUNDED,
                            ..
                        } => *min,
                        _ => UNBOUNDED,
                    };
                    let rounds = &mut thread.rounds[*counter];
                    *rounds = rounds.saturating_add(1).min(ceiling);
                    thread.at = *start;
                    todo.push(thread);
                }
            }
        }
        threads
    }

    /// Whether one thread can do all that another at the same place can: once a loop has its minimum, fewer rounds
    /// leave more room.
    fn covers(&self, one: &Thread, other: &Thread) -> bool {
        let rounds = one.rounds.iter().zip(&other.rounds).zip(&self.minima);
        rounds
            .into_iter()
            .all(|((one, other), min)| one == other || (one >= min && one <= other))
            && one
                .fresh
                .iter()
                .zip(&other.fresh)
                .all(|(one, other)| *one || !*other)
    }
}

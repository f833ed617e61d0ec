//! Breadth first through everything that can happen: exhaustive, and a counterexample is among the shortest.
//!
//! A state is known by a fingerprint of 64 bits; where it came from is kept as the number of its parent and the place of the
//! step among the parent's, so that a path can be gone again from the beginning. States themselves are kept one level long.

mod table;

use std::time::{Duration, Instant};

use crate::invariants::{Invariant, broken};
use crate::state::{State, World};
use crate::words::Step;
use crate::{Guards, Scope, fingerprint, steps};
use table::Table;

/// States expanded before their followers are entered: bounds what is in memory beside the levels.
const BLOCK: usize = 1 << 15;

/// What to look for.
pub struct Search {
    pub scope: Scope,
    pub guards: Guards,
    /// Only this promise; all of them without.
    pub only: Option<Invariant>,
    /// Give up beyond so many states.
    pub states_most: usize,
    pub threads: usize,
}

/// What was found.
pub struct Found {
    pub states: usize,
    pub transitions: usize,
    /// Steps of the longest shortest path.
    pub depth: usize,
    /// States that were cut off, because the model has no room for what follows.
    pub cut: usize,
    pub took: Duration,
    /// All states of the scope were seen.
    pub is_exhausted: bool,
    pub violation: Option<Violation>,
}

/// A promise that does not hold, and the steps that lead there.
pub struct Violation {
    pub invariant: Invariant,
    pub path: Vec<String>,
}

/// Where a state came from: its parent, and the place of the step among the parent's.
#[derive(Clone, Copy)]
struct Origin {
    parent: u32,
    place: u32,
}

/// A state that may be new.
struct Candidate {
    fingerprint: u64,
    origin: Origin,
    state: State,
    broken: Option<Invariant>,
}

/// What the expansion of a block answers.
#[derive(Default)]
struct Expanded {
    candidates: Vec<Candidate>,
    transitions: usize,
    cut: usize,
}

impl Search {
    /// All promises, all guards.
    #[must_use]
    pub fn of(scope: Scope, guards: Guards) -> Self {
        Self { scope, guards, only: None, states_most: 200_000_000, threads: 2 }
    }

    /// Goes through everything, or as far as the first promise that does not hold.
    #[must_use]
    pub fn run(&self) -> Found {
        let started = Instant::now();
        let begin = State::begin(&self.scope);
        let mut table = Table::default();
        let mut origins = vec![Origin { parent: 0, place: 0 }];
        table.insert(fingerprint::of(&begin));
        let mut level = vec![(0_u32, begin)];
        let mut found = Found {
            states: 1,
            transitions: 0,
            depth: 0,
            cut: 0,
            took: Duration::ZERO,
            is_exhausted: false,
            violation: None,
        };
        'levels: while !level.is_empty() {
            let mut next_level = Vec::new();
            for block in level.chunks(BLOCK) {
                for expanded in self.expand(block, &table) {
                    found.transitions += expanded.transitions;
                    found.cut += expanded.cut;
                    for candidate in expanded.candidates {
                        if !table.insert(candidate.fingerprint) {
                            continue;
                        }
                        let number = u32::try_from(origins.len()).unwrap_or(u32::MAX);
                        origins.push(candidate.origin);
                        if let Some(invariant) = candidate.broken {
                            let path = self.path(&origins, number);
                            found.violation = Some(Violation { invariant, path });
                            break 'levels;
                        }
                        next_level.push((number, candidate.state));
                    }
                }
                if origins.len() > self.states_most {
                    break 'levels;
                }
            }
            found.depth += usize::from(!next_level.is_empty());
            level = next_level;
        }
        found.states = origins.len();
        found.is_exhausted = found.violation.is_none() && found.states <= self.states_most;
        found.took = started.elapsed();
        found
    }

    /// What follows on each state of a block, in the order of the block whatever the number of threads.
    fn expand(&self, block: &[(u32, State)], table: &Table) -> Vec<Expanded> {
        let share = block.len().div_ceil(self.threads.max(1)).max(64);
        std::thread::scope(|threads| {
            let work: Vec<_> =
                block.chunks(share).map(|part| threads.spawn(move || self.expand_part(part, table))).collect();
            work.into_iter().map(|thread| thread.join().expect("an expansion does not panic")).collect()
        })
    }

    fn expand_part(&self, part: &[(u32, State)], table: &Table) -> Expanded {
        let world = World { scope: &self.scope, guards: self.guards };
        let (mut expanded, mut nexts) = (Expanded::default(), Vec::new());
        for (number, state) in part {
            nexts.clear();
            steps::all(state, &world, &mut nexts);
            expanded.transitions += nexts.len();
            for (place, (_, next)) in (0_u32..).zip(&mut nexts) {
                if next.full {
                    expanded.cut += 1;
                    continue;
                }
                self.overlook(next);
                let fingerprint = fingerprint::of(next);
                if !table.contains(fingerprint) {
                    let broken = broken(next, &world).filter(|invariant| self.watches(*invariant));
                    let origin = Origin { parent: *number, place };
                    expanded.candidates.push(Candidate { fingerprint, origin, state: *next, broken });
                }
            }
        }
        expanded
    }

    fn watches(&self, invariant: Invariant) -> bool {
        self.only.is_none_or(|only| only == invariant)
    }

    /// A promise that is not watched may break, and what comes after it is looked at, too.
    fn overlook(&self, state: &mut State) {
        state.broken = state.broken.filter(|invariant| self.watches(*invariant));
    }

    /// The steps to a state, gone again from the beginning.
    fn path(&self, origins: &[Origin], number: u32) -> Vec<String> {
        let mut places = Vec::new();
        let mut at = number;
        while at != 0 {
            let origin = origins[at as usize];
            places.push(origin.place);
            at = origin.parent;
        }
        let world = World { scope: &self.scope, guards: self.guards };
        let (mut state, mut nexts, mut path) = (State::begin(&self.scope), Vec::new(), Vec::new());
        for place in places.into_iter().rev() {
            nexts.clear();
            steps::all(&state, &world, &mut nexts);
            let (step, next): (Step, State) = nexts[place as usize];
            path.push(step.to_string());
            state = next;
            self.overlook(&mut state);
        }
        path
    }
}

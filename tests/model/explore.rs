//! Every sequence of inputs up to a length, and every state that can be reached at all.

use std::collections::{HashSet, VecDeque};
use std::fmt;

use super::machine::{Machine, Setup};
use super::spec::{Input, Position, Seen, Spec};

/// An endpoint and the tables, side by side.
pub struct Pair {
    setup: Setup,
    machine: Machine,
    spec: Spec,
    expected: Seen,
    seen: Seen,
}

/// How a sequence comes to be run that has the beginning of one that was run before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replay {
    /// Each from a new connection.
    Always,
    /// The same while the connection lives; what comes behind its end is tried on one that has ended the same way. That
    /// an ended connection stays as it is, is what [`reach`] finds out.
    UntilTheEnd,
}

/// When two states are taken for the same, so that what follows is tried in one of them. In both cases it is presumed
/// that it makes no difference how often more than once something was: limits are far, and have their own tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Same {
    /// The tables say so. This presumes that the connection, too, has no more states than they have.
    AsTheTablesSay,
    /// The tables say so, and all that the types show of what they hold is the same, but for numbers above 1. This
    /// presumes that nothing is hidden from `Debug` but what has no say in what happens: the source of keys, and the
    /// places in the read buffer.
    AsFarAsIsShown,
}

impl Pair {
    pub fn new(setup: &Setup) -> Self {
        Self {
            setup: setup.clone(),
            machine: Machine::new(setup),
            spec: Spec::new(setup.role, setup.delivery),
            expected: Seen::new(),
            seen: Seen::new(),
        }
    }

    /// Brings a new connection to where these inputs lead, which was checked before.
    fn replay(&mut self, inputs: &[Input], at: &Position) {
        self.machine.restart();
        for input in inputs {
            self.machine.step(*input, &mut self.seen);
        }
        self.spec.at.clone_from(at);
    }

    /// Takes one step with both, and sees to it that they agree.
    fn check(&mut self, input: Input, before: &[Input]) {
        self.machine.step(input, &mut self.seen);
        self.machine.look(input, &mut self.seen);
        self.spec.step(input, &mut self.expected);
        if self.seen != self.expected {
            let Self { setup, seen, expected, spec, .. } = self;
            let because = spec.because();
            panic!(
                "{setup:?}\nafter {before:?}\nfor {input:?}\nsaw   {seen:?}\nnot   {expected:?}\nby §{because}, at {:?}",
                spec.at
            );
        }
    }

    /// Runs all sequences up to a length, and returns how many that are.
    pub fn run_all(&mut self, alphabet: &[Input], longest: usize, replay: Replay) -> u64 {
        let mut run = Run { alphabet, longest, replay, prefix: Vec::new(), sequences: 0 };
        self.replay(&[], &Position::start());
        run.branch(self, &Position::start());
        run.sequences
    }

    /// Visits every state that can be reached by these inputs, however many there are of them, and tries all inputs in
    /// it; returns how many that are by the tables, and how many there are in fact.
    pub fn reach(&mut self, alphabet: &[Input], same: Same) -> (usize, usize) {
        let mut waiting = VecDeque::from([(Vec::new(), Position::start())]);
        self.replay(&[], &Position::start());
        let mut known = HashSet::from([self.here(same)]);
        while let Some((mut path, at)) = waiting.pop_front() {
            for input in alphabet {
                self.replay(&path, &at);
                self.check(*input, &path);
                if known.insert(self.here(same)) {
                    path.push(*input);
                    waiting.push_back((path.clone(), self.spec.at.clone()));
                    path.pop();
                }
            }
        }
        let positions: HashSet<_> = known.iter().map(|(position, _)| position).collect();
        (positions.len(), known.len())
    }

    /// The state that both are in.
    fn here(&self, same: Same) -> (Position, [u64; 2]) {
        let mut shown = WithoutNumbers::default();
        if same == Same::AsFarAsIsShown {
            self.machine.show(&mut shown).expect("it takes all");
            shown.end_number();
        }
        (self.spec.at.bounded(), shown.sums)
    }

    /// The rows of the tables that nothing has led to.
    pub fn unused_rows(&self) -> Vec<String> {
        self.spec.unused_rows()
    }
}

/// The walk through all sequences.
struct Run<'a> {
    alphabet: &'a [Input],
    longest: usize,
    replay: Replay,
    prefix: Vec<Input>,
    sequences: u64,
}

impl Run<'_> {
    /// All sequences that begin with the prefix, which has led the pair to `at`.
    fn branch(&mut self, pair: &mut Pair, at: &Position) {
        for (nth, input) in self.alphabet.iter().enumerate() {
            if nth > 0 {
                pair.replay(&self.prefix, at);
            } // or it is there
            self.go_on(pair, *input);
        }
    }

    /// The same, where the prefix has ended the connection that the pair is at.
    fn branch_behind_the_end(&mut self, pair: &mut Pair) {
        let (at, time) = (pair.spec.at.clone(), pair.machine.time());
        for input in self.alphabet {
            pair.spec.at.clone_from(&at);
            pair.machine.set_time(&time);
            self.go_on(pair, *input);
        }
    }

    fn go_on(&mut self, pair: &mut Pair, input: Input) {
        pair.check(input, &self.prefix);
        self.sequences += 1;
        if self.prefix.len() + 1 < self.longest {
            self.prefix.push(input);
            if self.replay == Replay::UntilTheEnd && pair.spec.has_ended() {
                self.branch_behind_the_end(pair);
            } else {
                let at = pair.spec.at.clone();
                self.branch(pair, &at);
            }
            self.prefix.pop();
        }
    }
}

/// What is left of a text that is written here: two checksums of it, with each number above 1 replaced, but for the
/// largest, which stands for never.
#[derive(Default)]
struct WithoutNumbers {
    sums: [u64; 2],
    number: u64,
    is_number: bool,
}

impl WithoutNumbers {
    fn put(&mut self, octet: u8) {
        for (sum, prime) in self.sums.iter_mut().zip([0x0000_0100_0000_01b3, 0x9e37_79b9_7f4a_7c15]) {
            *sum = (sum.rotate_left(5) ^ u64::from(octet)).wrapping_mul(prime);
        }
    }

    fn end_number(&mut self) {
        if self.is_number {
            self.put(match self.number {
                0 => b'0',
                1 => b'1',
                u64::MAX => b'-',
                _ => b'#',
            });
            (self.number, self.is_number) = (0, false);
        }
    }
}

impl fmt::Write for WithoutNumbers {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for octet in text.bytes() {
            if octet.is_ascii_digit() {
                self.number = self.number.wrapping_mul(10).wrapping_add(u64::from(octet - b'0'));
                self.is_number = true;
            } else {
                self.end_number();
                self.put(octet);
            }
        }
        Ok(())
    }
}

//! The one word that a breaker publishes, so that a healthy call takes no lock.
//!
//! A healthy call needs to know two things: may it go, and will its success change anything. Both
//! fit beside the generation in one `AtomicU64`, so one load answers them *for that generation*. The
//! same word then tells on settling whether the generation that admitted the call still lasts.
//!
//! The word is written under the machine's lock with release ordering, after the deadline and the
//! cause; a reader loads it with acquire ordering first. So whoever sees `Shut` sees a deadline that
//! is at least as new.

use crate::state::State;

/// What a call has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Directive {
    /// Go; a success changes nothing.
    Pristine,
    /// Go; tell the machine how it ended.
    Counting,
    /// Stay, until the deadline.
    Shut,
    /// Ask the machine.
    Ask,
}

/// Generation, state and directive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word(u64);

const DIRECTIVE: u64 = 0b0011;
const STATE: u64 = 0b1100;
const GENERATION: u32 = 4;

impl Word {
    pub(crate) fn new(generation: u64, state: State, directive: Directive) -> Self {
        let directive = match directive {
            Directive::Pristine => 0,
            Directive::Counting => 1,
            Directive::Shut => 2,
            Directive::Ask => 3,
        };
        let state = match state {
            State::Closed => 0,
            State::Open => 1 << 2,
            State::HalfOpen => 2 << 2,
        };
        Self((generation << GENERATION) | state | directive)
    }

    /// The word of a healthy breaker: a success changes nothing for whoever was admitted by it.
    pub(crate) fn pristine(generation: u64) -> Self {
        Self(generation << GENERATION)
    }

    /// The word of a closed breaker that counts successes.
    pub(crate) fn counting(generation: u64) -> Self {
        Self((generation << GENERATION) | 1)
    }

    pub(crate) fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub(crate) fn bits(self) -> u64 {
        self.0
    }

    pub(crate) fn generation(self) -> u64 {
        self.0 >> GENERATION
    }

    /// Whether a call goes without asking.
    pub(crate) fn admits(self) -> bool {
        self.0 & 0b10 == 0
    }

    pub(crate) fn directive(self) -> Directive {
        match self.0 & DIRECTIVE {
            0 => Directive::Pristine,
            1 => Directive::Counting,
            2 => Directive::Shut,
            _ => Directive::Ask,
        }
    }

    pub(crate) fn state(self) -> State {
        match self.0 & STATE {
            0 => State::Closed,
            0b0100 => State::Open,
            _ => State::HalfOpen,
        }
    }
}

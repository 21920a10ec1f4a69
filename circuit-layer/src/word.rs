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

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [State; 3] = [State::Closed, State::Open, State::HalfOpen];
    const DIRECTIVES: [Directive; 4] =
        [Directive::Pristine, Directive::Counting, Directive::Shut, Directive::Ask];
    const GENERATIONS: [u64; 3] = [0, 1, u64::MAX >> GENERATION];

    #[test]
    fn a_word_tells_what_went_into_it() {
        for generation in GENERATIONS {
            for state in STATES {
                for directive in DIRECTIVES {
                    let word = Word::from_bits(Word::new(generation, state, directive).bits());
                    let told = (word.generation(), word.state(), word.directive());
                    assert_eq!(told, (generation, state, directive));
                }
            }
        }
    }

    #[test]
    fn only_pristine_and_counting_admit_without_asking() {
        for state in STATES {
            let admits = DIRECTIVES.map(|directive| Word::new(3, state, directive).admits());
            assert_eq!(admits, [true, true, false, false]);
        }
    }

    #[test]
    fn the_two_words_that_callers_compare_with_are_those_of_a_closed_breaker() {
        for generation in GENERATIONS {
            let closed = |directive| Word::new(generation, State::Closed, directive);
            assert_eq!(Word::pristine(generation), closed(Directive::Pristine));
            assert_eq!(Word::counting(generation), closed(Directive::Counting));
        }
    }
}

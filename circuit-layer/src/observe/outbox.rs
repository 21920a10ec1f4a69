//! Transitions on their way out.

use std::collections::VecDeque;

use super::{Event, Transition};

/// How many transitions may wait for delivery before further ones are dropped and counted.
const BACKLOG: usize = 1024;

#[derive(Default)]
pub(crate) struct Outbox {
    waiting: VecDeque<Transition>,
    delivering: bool,
    pub(crate) dropped: u64,
}

impl Outbox {
    /// Puts a transition at the end of the queue. When the queue is full it takes the place of the last
    /// one there, and goes on from where that one began: so what is delivered still hangs together and
    /// ends in the state that the breaker is in.
    pub(crate) fn push(&mut self, moved: Transition) {
        let full = self.waiting.len() >= BACKLOG;
        match self.waiting.back_mut().filter(|_| full) {
            Some(last) => {
                *last = Transition { from: last.from, ..moved };
                self.dropped += 1;
            }
            None => self.waiting.push_back(moved),
        }
    }

    /// True for the one caller that must now deliver, until [`next`](Self::next) yields none.
    pub(crate) fn claim(&mut self) -> bool {
        let claimed = !self.delivering && !self.waiting.is_empty();
        self.delivering |= claimed;
        claimed
    }

    pub(crate) fn next(&mut self) -> Option<Event> {
        let moved = self.waiting.pop_front();
        self.delivering = moved.is_some();
        moved.map(Event::Transition)
    }
}

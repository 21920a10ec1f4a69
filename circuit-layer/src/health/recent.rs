//! The last hundred operations, for whoever asks "what just happened?".

use std::time::Duration;

use super::Status;
use crate::clock::Moment;

pub(super) const KEPT: usize = 100;

/// One operation as it was recorded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operation {
    pub(super) at: Moment,
    pub(super) name: &'static str,
    pub(super) status: Status,
    pub(super) latency: Duration,
}

/// A ring that allocates once.
#[derive(Debug)]
pub(super) struct Recent {
    ring: Vec<Operation>,
    /// Where the next one goes once the ring is full: on the oldest.
    next: usize,
}

impl Recent {
    pub(super) fn new() -> Self {
        Self { ring: Vec::with_capacity(KEPT), next: 0 }
    }

    pub(super) fn push(&mut self, operation: Operation) {
        match self.ring.get_mut(self.next) {
            Some(oldest) => *oldest = operation,
            None => self.ring.push(operation),
        }
        self.next = if self.next + 1 == KEPT { 0 } else { self.next + 1 };
    }

    /// The newest first.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = &Operation> {
        let (newer, older) = self.ring.split_at_checked(self.next).unwrap_or((&self.ring, &[]));
        newer.iter().rev().chain(older.iter().rev())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(pushed: u64) -> Vec<u64> {
        let mut recent = Recent::new();
        for n in 0..pushed {
            let (at, latency) = (Moment::from_nanos(n), Duration::ZERO);
            recent.push(Operation { at, name: "get", status: Status::Success, latency });
        }
        recent.newest_first().map(|operation| operation.at.as_nanos()).collect()
    }

    #[test]
    fn the_ring_keeps_the_last_hundred_newest_first() {
        for pushed in [0, 1, 2, 99, 100, 101, 150, 199, 200, 201, 1_000] {
            let expected: Vec<u64> = (pushed.max(100) - 100..pushed).rev().collect();
            assert_eq!(ring(pushed), expected, "{pushed} pushed");
        }
    }
}

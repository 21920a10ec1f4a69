//! What a breaker publishes beside the word, so that most calls need no lock.

use std::time::Duration;

use crate::cause::{Cause, CauseWord};
use crate::clock::{Kind, Moment, nanos};
use crate::error::Reason;
use crate::machine::{Machine, Refusal};
use crate::state::State;
use crate::sync::{AtomicBool, AtomicU64, Ordering};
use crate::word::{Directive, Word};

/// What everybody reads and only the holder of the lock writes. It has a cache line pair of its own:
/// the closed path must not share it with counters or the lock.
#[repr(align(128))]
#[derive(Debug)]
pub(super) struct Published {
    word: AtomicU64,
    deadline: AtomicU64,
    cause: AtomicU64,
    abandoned_after: AtomicU64,
    /// From when on a rejected call starts the active probe.
    probe_due: AtomicU64,
    clock: AtomicU64,
    noisy: AtomicBool,
}

impl Published {
    pub(super) fn new() -> Self {
        Self {
            word: AtomicU64::new(Word::new(0, State::Closed, Directive::Ask).bits()),
            deadline: AtomicU64::new(0),
            cause: AtomicU64::new(0),
            abandoned_after: AtomicU64::new(0),
            probe_due: AtomicU64::new(Moment::NEVER.as_nanos()),
            clock: AtomicU64::new(0),
            noisy: AtomicBool::new(false),
        }
    }

    #[inline]
    pub(super) fn word(&self) -> Word {
        Word::from_bits(self.word.load(Ordering::Acquire))
    }

    pub(super) fn set_abandoned_after(&self, after: Option<Duration>) {
        self.abandoned_after.store(after.map_or(u64::MAX, nanos), Ordering::Relaxed);
    }

    pub(super) fn set_clock(&self, kind: Kind) {
        let kind = match kind {
            Kind::Tokio => 0,
            Kind::Coarse => 1,
            Kind::Manual => 2,
        };
        self.clock.store(kind, Ordering::Relaxed);
    }

    /// The deadline and the cause first, the word last.
    pub(super) fn publish(&self, machine: &Machine) {
        if let Some((until, cause)) = machine.tripped() {
            let until = until.unwrap_or_default();
            self.deadline.store(until.as_nanos(), Ordering::Relaxed);
            self.cause.store(CauseWord::from(cause).bits(), Ordering::Relaxed);
        }
        let word = Word::new(machine.generation(), machine.state(), machine.directive());
        self.word.store(word.bits(), Ordering::Release);
    }

    /// Whatever is out has to ask from now on, and finds nobody.
    pub(super) fn end_generation(&self) {
        let over = Word::new(self.word().generation(), State::Closed, Directive::Ask);
        self.word.store(over.bits(), Ordering::Release);
    }

    /// The rejection while shut, without the lock. None once the wait is over.
    #[inline]
    pub(super) fn shut_until(&self, now: Moment) -> Option<Refusal> {
        let deadline = self.deadline();
        (now < deadline).then(|| {
            let cause = CauseWord::from_bits(self.cause.load(Ordering::Relaxed));
            let timed = deadline < Moment::NEVER;
            let forced = cause == Cause::Manual.into();
            Refusal {
                state: State::Open,
                reason: if forced { Reason::ForcedOpen } else { Reason::Open },
                until: timed.then_some(deadline),
                cause,
            }
        })
    }

    pub(super) fn deadline(&self) -> Moment {
        Moment::from_nanos(self.deadline.load(Ordering::Relaxed))
    }

    pub(super) fn is_abandoned(&self, out_for: Duration) -> bool {
        nanos(out_for) >= self.abandoned_after.load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn is_probe_due(&self, now: Moment) -> bool {
        now.as_nanos() >= self.probe_due.load(Ordering::Relaxed)
    }

    pub(super) fn set_probe_due(&self, due: Moment) {
        self.probe_due.store(due.as_nanos(), Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn clock(&self) -> Kind {
        match self.clock.load(Ordering::Relaxed) {
            0 => Kind::Tokio,
            1 => Kind::Coarse,
            _ => Kind::Manual,
        }
    }

    /// Whether somebody wants to hear of each rejection.
    pub(super) fn is_noisy(&self) -> bool {
        self.noisy.load(Ordering::Relaxed)
    }

    pub(super) fn set_noisy(&self, noisy: bool) {
        self.noisy.store(noisy, Ordering::Relaxed);
    }
}

//! The task that empties the spool while the breaker lets it.
//!
//! | the breaker is | entries on their way |
//! | --- | --- |
//! | closed, disabled or observing | one at first, one more for each success, up to the limit |
//! | open, its wait not over | none; the task asks again each second, and is rejected |
//! | open, its wait over | one: the probe |
//! | half-open | one: a probe |
//!
//! So the backlog itself finds out that S3 is back, without waiting for somebody's call: by a probe at
//! the end of the wait, or within seconds where the breaker has an [active probe](circuit_layer::ActiveProbe),
//! which only a rejection starts.

use std::sync::Arc;
use std::time::Duration;

use circuit_layer::{CircuitBreaker, Control, Moment, State};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::claim::{Attempt, Claim, Uplink};
use super::pace::{self, Fate, Pace};
use super::store::Store;

/// How long to wait after a rejection that no change of the breaker ends, as others are probing, and
/// after an answer that everyone would get.
const HOLD: Duration = Duration::from_secs(1);

/// The longest sleep while the breaker is open: its deadline may be moved without a change of state.
const LOOK: Duration = Duration::from_secs(1);

/// The running task, ended when this is dropped. What was on its way stays queued.
#[derive(Debug)]
pub(crate) struct Drain(JoinHandle<()>);

impl Drain {
    pub(super) fn spawn<U: Uplink + Clone + 'static>(
        store: Arc<Store>,
        breaker: CircuitBreaker,
        uplink: U,
        limit: usize,
    ) -> Self {
        let run = Run { store, breaker, uplink, pace: Pace::new(limit), hold: None };
        Self(tokio::spawn(run.run()))
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[derive(Debug)]
struct Run<U> {
    store: Arc<Store>,
    breaker: CircuitBreaker,
    uplink: U,
    pace: Pace,
    /// No entry before this moment, unless the breaker changes.
    hold: Option<Moment>,
}

/// What one entry has told of S3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Landing {
    Succeeded,
    Failed,
    /// That the next need not follow at once.
    Barred,
    /// Nothing: it was the entry that was at fault.
    Silent,
}

impl<U: Uplink + Clone + 'static> Run<U> {
    async fn run(mut self) {
        let mut breaker = self.breaker.subscribe();
        let mut flights = JoinSet::new();
        while !self.store.state().closed {
            let (allowed, wait) = self.gate();
            while flights.len() < allowed
                && let Some(claim) = Claim::next(&self.store)
            {
                flights.spawn(fly(claim, self.uplink.clone()));
            }
            // Whoever may not begin has nothing to wait for but a landing: a rest that is over by
            // then would end every wait at once.
            let may_begin = flights.len() < allowed;
            let due = if may_begin { self.store.state().index.next_due() } else { None };
            let look = due.or(wait).unwrap_or(Moment::NEVER);
            tokio::select! {
                Some(landed) = flights.join_next() => {
                    // A join error is a panic within the SDK: the entry has gone back.
                    self.land(landed.unwrap_or(Landing::Barred));
                }
                () = self.store.woken.notified() => {}
                () = changed(&mut breaker) => self.turn(*breaker.borrow_and_update()),
                () = self.breaker.clock().sleep_until(look) => {}
            }
        }
        // The close waits for what is on its way; dropped, it would be cut off.
        while flights.join_next().await.is_some() {}
    }

    /// How many entries may be on their way, and when to look again.
    fn gate(&self) -> (usize, Option<Moment>) {
        let now = self.breaker.now();
        if let Some(hold) = self.hold.filter(|hold| now < *hold) {
            return (0, Some(hold));
        }
        let breaker = self.breaker.snapshot();
        match (breaker.control, breaker.state) {
            (Control::ObserveOnly | Control::Disabled, _) | (_, State::Closed) => {
                (self.pace.allowed(), None)
            }
            (_, State::HalfOpen) => (1, None),
            (_, State::Open) => match breaker.retry_after {
                Some(Duration::ZERO) => (1, None),
                wait => {
                    self.ask();
                    (0, Some(now + wait.unwrap_or(LOOK).min(LOOK)))
                }
            },
        }
    }

    /// Asks for the admission of what waits, to be rejected like any other caller.
    fn ask(&self) {
        if self.store.state().index.depth() > 0 {
            // Should the wait be over by now, the breaker is half-open: the next pass begins an entry.
            drop(self.breaker.try_acquire());
        }
    }

    fn land(&mut self, landing: Landing) {
        match landing {
            Landing::Succeeded => self.pace.succeeded(),
            Landing::Failed => self.pace.failed(),
            Landing::Barred => {
                self.pace.failed();
                self.hold = Some(self.breaker.now() + HOLD);
            }
            Landing::Silent => {}
        }
    }

    /// The breaker has entered a state.
    fn turn(&mut self, state: State) {
        self.hold = None;
        if state == State::Closed {
            // What they rested from is over.
            self.store.state().index.rouse();
        }
    }
}

/// The next change of the breaker, which this task keeps alive.
async fn changed(breaker: &mut watch::Receiver<State>) {
    if breaker.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Sends one entry, and sees to what becomes of it.
pub(super) async fn fly<U: Uplink>(claim: Claim, uplink: U) -> Landing {
    let (claim, error) = match claim.attempt(&uplink).await {
        Attempt::Done(_) => return Landing::Succeeded,
        Attempt::Unreadable(_) => return Landing::Silent,
        Attempt::NotTaken(claim, error) => (claim, error),
    };
    match pace::fate(&error, claim.item.refusals) {
        Fate::Rejected => {
            drop(claim);
            Landing::Barred
        }
        Fate::Barred => {
            claim.rests(false);
            Landing::Barred
        }
        Fate::Failed => {
            claim.rests(false);
            Landing::Failed
        }
        Fate::Refused => {
            claim.rests(true);
            Landing::Silent
        }
        Fate::Dead => {
            claim.bury(error.to_string()).await;
            Landing::Silent
        }
    }
}

#[cfg(test)]
#[path = "drain_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "idle_tests.rs"]
mod idle_tests;

#[cfg(test)]
#[path = "alone_tests.rs"]
mod alone_tests;

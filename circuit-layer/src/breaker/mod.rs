//! The handle that everybody holds.

mod listeners;
mod orders;

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use tokio::sync::watch;

pub(crate) use self::listeners::LONGEST_CHANNEL;
use crate::arena;
use crate::builder::CircuitBreakerBuilder;
use crate::cause::CauseWord;
use crate::cell::{Cell, Seed};
use crate::classify::{Classify, ErrorsAsFailures};
use crate::clock::{Clock, Moment};
use crate::error::{Error, Reason, Rejected};
use crate::future::{Admitted, ResponseFuture};
use crate::machine::{Refusal, Ticket};
use crate::name::intern;
use crate::permit::Permit;
use crate::settle::AtOnce;
use crate::snapshot::Snapshot;
use crate::state::{Control, State};
use crate::word::Directive;

/// A circuit breaker.
///
/// # Clone
///
/// Clones are handles of one breaker. When the last one is dropped, layers and services included,
/// the breaker is gone: its data is freed, and permits that are still out settle nothing.
#[derive(Clone)]
pub struct CircuitBreaker(Arc<Owner>);

struct Owner {
    cell: &'static Cell,
    name: &'static str,
    clock: Clock,
}

impl Drop for Owner {
    fn drop(&mut self) {
        arena::give_back(self.cell);
    }
}

impl CircuitBreaker {
    /// A breaker with the defaults: it trips after 5 consecutive failures, stays open for 60 s and
    /// closes after 3 successful probes.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self::from_seed(CircuitBreakerBuilder::new(name).into_seed())
    }

    /// A breaker to your measure.
    ///
    /// Names are interned for the life of the process: take them from configuration, not from
    /// requests.
    pub fn builder(name: &str) -> CircuitBreakerBuilder {
        CircuitBreakerBuilder::new(name)
    }

    pub(crate) fn from_seed(seed: Seed) -> Self {
        let cell = arena::take();
        let (name, clock) = (intern(&seed.name), seed.clock.clone());
        cell.settle_in(name, seed);
        Self(Arc::new(Owner { cell, name, clock }))
    }

    /// The breaker's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.0.name
    }

    /// The state as of the last admission, settlement or order. It takes no lock.
    ///
    /// A wait that is over shows only once a call has been admitted as a probe; until then the
    /// breaker is open, and its [`snapshot`](Self::snapshot) tells that nothing is left to wait for.
    #[must_use]
    pub fn state(&self) -> State {
        self.0.cell.word().state()
    }

    /// The breaker's clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The time by the breaker's clock.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.0.clock.now()
    }

    /// Everything there is to know at this moment. Takes the lock, and ends leases and orders whose
    /// time is up.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::take(self.0.cell, self.0.name)
    }

    /// For tests and models of what no caller can call.
    #[cfg(test)]
    pub(crate) fn cell(&self) -> &'static Cell {
        self.0.cell
    }

    /// Whether nobody else holds this handle and a new breaker would be as good.
    pub(crate) fn is_spare(&self) -> bool {
        // It only looks: nothing may move here, because whoever asks holds a lock of his own and
        // observers must not run under it.
        let clean = self.0.cell.look(|machine, _, at| {
            machine.state() == State::Closed
                && machine.control() == Control::Automatic
                && machine.counts(at.now).failed_or_slow == 0
                && machine.level() == 0
        });
        Arc::strong_count(&self.0) == 1 && clean == Some(true)
    }

    /// Asks for the admission of one call, timed from now.
    ///
    /// # Errors
    ///
    /// [`Rejected`] when the breaker does not admit it.
    pub fn try_acquire(&self) -> Result<Permit, Rejected> {
        let now = self.now();
        let mut permit = self.admit(now)?;
        permit.start(now);
        Ok(permit)
    }

    /// Runs a future under the breaker, for code that has no tower stack. Errors are failures,
    /// unless another breaker's rejection is found in them.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] without polling `future`, or [`Error::Inner`] with its error.
    ///
    /// # Cancellation
    ///
    /// Dropping the returned future drops `future` and the permit; see [`Permit`].
    ///
    /// # Panics
    ///
    /// A panic of `future` counts as a failure and is resumed.
    pub async fn call<F, T, E>(&self, future: F) -> Result<T, Error<E>>
    where
        F: Future<Output = Result<T, E>>,
        E: std::error::Error + 'static,
    {
        self.call_with(ErrorsAsFailures, future).await
    }

    /// Runs a future under the breaker and judges its result by `classify`.
    ///
    /// # Errors
    ///
    /// As for [`call`](Self::call).
    pub async fn call_with<C, F, T, E>(&self, classify: C, future: F) -> Result<T, Error<E>>
    where
        C: Classify<T, E>,
        F: Future<Output = Result<T, E>>,
    {
        let permit = self.try_acquire()?;
        ResponseFuture::admitted(Admitted::new(future, classify, AtOnce, permit)).await
    }

    /// The generation that admits a call, if the published word alone does.
    #[inline]
    pub(crate) fn admits_by_word(&self) -> Option<u64> {
        let word = self.0.cell.word();
        word.admits().then(|| word.generation())
    }

    /// A permit for a call that [`admits_by_word`](Self::admits_by_word) has admitted.
    #[inline]
    pub(crate) fn permit(&self, generation: u64) -> Permit {
        Permit::new(self.0.cell, Ticket { generation, probe: 0, watch: 0 })
    }

    pub(crate) fn admit(&self, now: Moment) -> Result<Permit, Rejected> {
        if let Some(generation) = self.admits_by_word() {
            return Ok(self.permit(generation));
        }
        let cell = self.0.cell;
        let shut = cell.word().directive() == Directive::Shut;
        let refusal = match shut.then(|| cell.shut_until(now)).flatten() {
            Some(refusal) => refusal,
            None => match cell.admit(now) {
                Ok(ticket) => return Ok(Permit::timed(cell, ticket, now)),
                Err(refusal) => refusal,
            },
        };
        Err(cell.reject(self.0.name, refusal, now))
    }

    /// Whether a call at this moment would be rejected. Reserves nothing; takes no lock while closed
    /// or open.
    pub(crate) fn rejects(&self, now: Moment) -> bool {
        let word = self.0.cell.word();
        match word.directive() {
            Directive::Pristine | Directive::Counting => false,
            Directive::Shut => self.0.cell.is_shut(now),
            Directive::Ask => self.0.cell.forecast(now).is_some(),
        }
    }

    /// Why a call at this moment would be rejected, as [`rejects`](Self::rejects).
    #[inline]
    fn forecast(&self, now: Moment) -> Option<Refusal> {
        let word = self.0.cell.word();
        match word.directive() {
            Directive::Pristine | Directive::Counting => None,
            Directive::Shut => self.0.cell.shut_until(now),
            Directive::Ask => self.0.cell.forecast(now),
        }
    }

    /// What a waiting caller has to wait for; None if a call could be admitted already.
    pub(crate) fn wait_for_room(&self, now: Moment) -> Option<(watch::Receiver<()>, Moment)> {
        self.0.cell.wait_for_room(now)
    }

    /// Rejects a call for which no readied inner service is at hand.
    #[inline]
    pub(crate) fn reject_unready(&self, now: Moment) -> Rejected {
        let refusal = self.forecast(now).unwrap_or_else(|| Refusal {
            state: self.state(),
            reason: Reason::NotReady,
            until: Some(now),
            cause: CauseWord::NONE,
        });
        self.0.cell.reject(self.0.name, refusal, now)
    }
}

impl fmt::Debug for CircuitBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreaker")
            .field("name", &self.0.name)
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

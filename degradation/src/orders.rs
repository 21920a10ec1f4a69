//! What operators may order, and what becomes of it.
//!
//! The numbers are sometimes wrong, and sometimes somebody knows what is coming: a migration at
//! nine, a rehearsal at ten. So everything that is decided here by itself can be ordered instead.
//! Each order has a reason, which everybody sees, and can have a limit, because a forgotten order is
//! the next outage. Each is an entry of the [log](DegradationManager::log).
//!
//! | order | does | ends |
//! | --- | --- | --- |
//! | [`force_level`](DegradationManager::force_level), [`force_mode`](DegradationManager::force_mode) | enforces it, whatever the score or the set | `release`, `reset`, its limit |
//! | [`drill`](DegradationManager::drill) | acts as if a dependency were down; its calls go on | `end_drill`, `reset`, its limit |
//! | [`order_breaker`](DegradationManager::order_breaker) | forces the breaker of a dependency | its own `Release`, `reset`, its limit |

use std::sync::Arc;
use std::time::Duration;

use circuit_layer::Control;
use thiserror::Error;

use crate::board::{Note, lasting};
use crate::level::Level;
use crate::manager::DegradationManager;
use crate::mode::Mode;
use crate::queue::QueueError;

/// What to do with the breaker of a dependency. A limit of None stands until released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BreakerOrder {
    /// Reject every call; after the limit, half-open.
    ForceOpen(Option<Duration>),
    /// Admit every call and count; after the limit, closed and empty.
    ForceClosed(Option<Duration>),
    /// Admit every call and record nothing; after the limit, closed and empty.
    Disable(Option<Duration>),
    /// Record and report, and reject nothing; after the limit, closed and empty.
    ObserveOnly(Option<Duration>),
    /// End such an order: from forced open to half-open, else closed and empty.
    Release,
    /// Close it, and forget orders, counts and relapses.
    Reset,
}

/// Why an order was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ControlError {
    /// There is no dependency of this name.
    #[error("no dependency is named `{name}`")]
    UnknownDependency {
        /// The name that was asked for.
        name: Arc<str>,
    },
    /// The dependency's source tells of no breaker.
    #[error("`{name}` has no breaker")]
    NoBreaker {
        /// The dependency.
        name: Arc<str>,
    },
    /// There is no queue of this name.
    #[error("no queue is named `{name}`")]
    UnknownQueue {
        /// The name that was asked for.
        name: Arc<str>,
    },
    /// The queue did not do it.
    #[error(transparent)]
    Queue(#[from] QueueError),
}

impl DegradationManager {
    /// Enforces this level, whatever the score, until [`release`](Self::release) or the limit.
    /// Forcing again replaces the order.
    pub fn force_level(&self, level: Level, reason: &str, limit: Option<Duration>) {
        self.shared().apply(None, |board, at| board.force_level(level, reason, limit, at));
    }

    /// Enforces this mode, whatever is down, until [`release`](Self::release) or the limit. The
    /// flags stay those of what is down. Forcing again replaces the order.
    pub fn force_mode(&self, mode: Mode, reason: &str, limit: Option<Duration>) {
        self.shared().apply(None, |board, at| board.force_mode(mode, reason, limit, at));
    }

    /// Ends a forced level and a forced mode. Without one it does nothing.
    pub fn release(&self, reason: &str) {
        let why = format!("released: {reason}");
        self.shared().apply(Some(&why), |board, at| board.release(reason, at));
    }

    /// Ends every order: a forced level, a forced mode, all drills, and whatever any dependency's
    /// breaker was forced to. Without one it does nothing.
    pub fn reset(&self, reason: &str) {
        let why = format!("reset: {reason}");
        self.shared().apply(Some(&why), |board, at| board.reset(reason, at));
        for (index, dependency) in self.snapshot().dependencies.iter().enumerate() {
            let Some(breaker) = self.shared().sources.breaker(index) else { continue };
            if breaker.snapshot().control != Control::Automatic {
                self.note(&Note::order(&dependency.name, "breaker released", reason));
                breaker.release(reason);
            }
        }
    }

    /// Acts as if a dependency were down, for so long. Score, level, mode and flags follow as in an
    /// outage. Its breaker is left alone: to have calls rejected too, force that open as well.
    ///
    /// # Errors
    ///
    /// [`ControlError::UnknownDependency`].
    pub fn drill(
        &self,
        dependency: &str,
        reason: &str,
        limit: Duration,
    ) -> Result<(), ControlError> {
        let known =
            self.shared().apply(None, |board, at| board.drill(dependency, reason, limit, at));
        if known { Ok(()) } else { Err(unknown(dependency)) }
    }

    /// Ends a drill before its time. Without one it does nothing.
    ///
    /// # Errors
    ///
    /// [`ControlError::UnknownDependency`].
    pub fn end_drill(&self, dependency: &str, reason: &str) -> Result<(), ControlError> {
        let why = format!("drill ended: {reason}");
        let known =
            self.shared().apply(Some(&why), |board, at| board.end_drill(dependency, reason, at));
        if known { Ok(()) } else { Err(unknown(dependency)) }
    }

    /// Forces, releases or resets the breaker of a dependency.
    ///
    /// # Errors
    ///
    /// [`ControlError::UnknownDependency`], or [`ControlError::NoBreaker`] if its source is no
    /// breaker and does not know one.
    pub fn order_breaker(
        &self,
        dependency: &str,
        order: BreakerOrder,
        reason: &str,
    ) -> Result<(), ControlError> {
        let snapshot = self.snapshot();
        let index = snapshot.dependencies.iter().position(|own| &*own.name == dependency);
        let index = index.ok_or_else(|| unknown(dependency))?;
        let breaker = self.shared().sources.breaker(index);
        let breaker = breaker.ok_or_else(|| ControlError::NoBreaker { name: dependency.into() })?;
        let what = match order {
            BreakerOrder::ForceOpen(limit) => lasting("breaker forced open", limit),
            BreakerOrder::ForceClosed(limit) => lasting("breaker forced closed", limit),
            BreakerOrder::Disable(limit) => lasting("breaker disabled", limit),
            BreakerOrder::ObserveOnly(limit) => lasting("breaker only observes", limit),
            BreakerOrder::Release => "breaker released".to_owned(),
            BreakerOrder::Reset => "breaker reset".to_owned(),
        };
        // First the order and then what follows from it, so that the log reads as it happened.
        self.note(&Note::order(dependency, &what, reason));
        match order {
            BreakerOrder::ForceOpen(limit) => breaker.force_open(reason, limit),
            BreakerOrder::ForceClosed(limit) => breaker.force_closed(reason, limit),
            BreakerOrder::Disable(limit) => breaker.disable(reason, limit),
            BreakerOrder::ObserveOnly(limit) => breaker.observe_only(reason, limit),
            BreakerOrder::Release => breaker.release(reason),
            BreakerOrder::Reset => breaker.reset(reason),
        }
        Ok(())
    }

    pub(crate) fn note(&self, note: &Note<'_>) {
        tracing::info!(subject = note.subject, reason = note.reason, "{}", note.what);
        self.shared().apply(None, |board, at| board.note(note, at));
    }
}

fn unknown(dependency: &str) -> ControlError {
    ControlError::UnknownDependency { name: dependency.into() }
}

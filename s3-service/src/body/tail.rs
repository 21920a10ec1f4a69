//! Where the end of a call and the end of its answer's body meet, whichever comes first.
//!
//! The SDK's hooks know that a call has been answered; its body knows when that answer is over. What
//! hangs on the whole answer, the permit and the span, is left here by the one and taken by the other.

use std::sync::{Mutex, MutexGuard, PoisonError};

use circuit_layer::{Outcome, Permit};
use tracing::Span;

use crate::classify::ErrorType;

/// How a body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Whole,
    Broken,
    Stalled,
    Dropped,
}

impl Ending {
    fn outcome(self) -> Outcome {
        self.error_type().map_or_else(
            || if self == Self::Whole { Outcome::Success } else { Outcome::Ignored },
            |error_type| Outcome::failure(error_type.as_str()),
        )
    }

    const fn error_type(self) -> Option<ErrorType> {
        match self {
            Self::Whole | Self::Dropped => None,
            Self::Broken => Some(ErrorType::Body),
            Self::Stalled => Some(ErrorType::Timeout),
        }
    }

    fn close(self, span: &Span) {
        if let Some(error_type) = self.error_type() {
            fail(span, error_type.as_str());
        }
    }
}

/// Says in a span that its call failed.
pub(crate) fn fail(span: &Span, error_type: &str) {
    span.record("error.type", error_type);
    span.record("otel.status_code", "ERROR");
}

/// The place where they meet.
#[derive(Debug, Default)]
pub(crate) struct Tail(Mutex<Meeting>);

#[derive(Debug)]
enum Meeting {
    Open { permit: Option<Permit>, span: Span },
    Over(Ending),
}

impl Default for Meeting {
    fn default() -> Self {
        Self::Open { permit: None, span: Span::none() }
    }
}

impl Tail {
    /// Hands the permit over. In half-open the probe settles now, or a slow reader would hold the
    /// slot; what travels on is a permit of which only a failure counts.
    pub(crate) fn carry(&self, permit: Permit) {
        if let Some(ending) = self.ending() {
            permit.record(ending.outcome());
            return;
        }
        // Settling runs observers: never under the lock.
        let early = permit.settle_early();
        let late = {
            let mut meeting = self.lock();
            match &mut *meeting {
                Meeting::Over(ending) => Some((early, *ending)),
                Meeting::Open { permit, .. } => {
                    *permit = Some(early);
                    None
                }
            }
        };
        if let Some((permit, ending)) = late {
            permit.record(ending.outcome());
        }
    }

    /// Hands the span over: it ends with the body.
    pub(crate) fn watch(&self, span: Span) {
        let late = {
            let mut meeting = self.lock();
            match &mut *meeting {
                Meeting::Over(ending) => Some((span, *ending)),
                Meeting::Open { span: place, .. } => {
                    *place = span;
                    None
                }
            }
        };
        if let Some((span, ending)) = late {
            ending.close(&span);
        }
    }

    /// The body is over.
    pub(crate) fn end(&self, ending: Ending) {
        let before = {
            let mut meeting = self.lock();
            match &*meeting {
                Meeting::Over(_) => return,
                Meeting::Open { .. } => std::mem::replace(&mut *meeting, Meeting::Over(ending)),
            }
        };
        if let Meeting::Open { permit, span } = before {
            if let Some(permit) = permit {
                span.in_scope(|| permit.record(ending.outcome()));
            }
            ending.close(&span);
        }
    }

    fn ending(&self) -> Option<Ending> {
        match &*self.lock() {
            Meeting::Over(ending) => Some(*ending),
            Meeting::Open { .. } => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Meeting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

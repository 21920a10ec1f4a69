//! What can go wrong, and for how many requests.

use std::sync::{Mutex, PoisonError};

/// What a request meets in place of a healthy server.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 503 `SlowDown`.
    SlowDown,
    /// 500 `InternalError`.
    InternalError,
    /// Any status with any error code.
    Answer {
        /// The status.
        status: u16,
        /// The error code in the document.
        code: &'static str,
    },
    /// No answer, until the connection is cut.
    Stall,
    /// The server's own answer, with its connection cut after so many bytes of the body.
    CutBody {
        /// Bytes of the body that still arrive.
        after: u64,
    },
    /// The server's own answer, of whose body nothing comes after so many bytes, until the
    /// connection is cut.
    StallBody {
        /// Bytes of the body that still arrive.
        after: u64,
    },
}

#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<Option<Plan>>);

#[derive(Clone, Copy, Debug)]
struct Plan {
    fault: Fault,
    /// `None` is without end.
    times: Option<u32>,
}

impl Faults {
    pub(super) fn set(&self, fault: Fault, times: Option<u32>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Plan { fault, times });
    }

    pub(super) fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What the request that has just arrived meets.
    pub(super) fn next(&self) -> Option<Fault> {
        let mut plan = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Plan { fault, times } = (*plan)?;
        let left = times.map(|times| times.checked_sub(1));
        *plan = match left {
            None => Some(Plan { fault, times: None }),
            Some(Some(times)) => Some(Plan { fault, times: Some(times) }),
            Some(None) => None,
        };
        drop(plan);
        (left != Some(None)).then_some(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, Faults};

    #[test]
    fn a_fault_strikes_as_often_as_it_was_asked_to() {
        let faults = Faults::default();
        faults.set(Fault::Stall, Some(2));
        let met: Vec<_> = (0..3).map(|_| faults.next()).collect();
        assert_eq!(met, [Some(Fault::Stall), Some(Fault::Stall), None]);
    }
}

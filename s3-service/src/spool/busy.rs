//! What a close waits for beside the uploads: whoever works in the folder.
//!
//! From the unlock on the folder is another process's. So each write and each move by an operator
//! holds one of these until its last touch of a file, and of the index, is over.

use std::sync::Arc;

use super::error::SpoolError;
use super::store::Store;

#[must_use = "a close does not wait for what is no longer held"]
#[derive(Debug)]
pub(super) struct Busy(Arc<Store>);

impl Busy {
    /// Not in a spool that has been closed.
    pub(super) fn begin(store: &Arc<Store>) -> Result<Self, SpoolError> {
        let mut state = store.state();
        if state.closed {
            return Err(SpoolError::Closed);
        }
        state.busy += 1;
        drop(state);
        Ok(Self(Arc::clone(store)))
    }
}

impl Drop for Busy {
    /// Takes the lock of the store.
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.busy = state.busy.saturating_sub(1);
        drop(state);
        self.0.ended.notify_waiters();
    }
}

//! One façade for the primitives that the loom models replace.

#[cfg(circuit_loom)]
pub(crate) use loom::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU64, Ordering},
};
#[cfg(circuit_loom)]
pub(crate) use loom::thread_local;
pub(crate) use std::sync::PoisonError;
#[cfg(not(circuit_loom))]
pub(crate) use std::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU64, Ordering},
};
#[cfg(not(circuit_loom))]
pub(crate) use std::thread_local;

/// Locks, whatever happened to the last holder.
///
/// The only foreign code that runs under a lock of this crate is a trip policy's, and it runs
/// before the machine changes anything: a panic there leaves the state as it was.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! A service that keeps no law. If it passes a check, the check proves nothing.

use std::future::Future;
use std::io;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use tower::Service;
use tower::limit::ConcurrencyLimit;

use crate::inner::{Call, Inner};
use crate::laws::broken;
use crate::leaf;

/// Each mistake has been made in a published breaker or balancer.
#[derive(Clone)]
struct Wrong {
    /// Never dropped: what a readied instance has reserved is reserved for ever.
    inner: ManuallyDrop<Inner<u64>>,
    calls: u32,
}

impl Service<u64> for Wrong {
    type Response = u64;
    type Error = io::Error;
    type Future = WrongCall;

    /// Hides errors, and leaves no waker.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut nobody = Context::from_waker(Waker::noop());
        match Service::<u64>::poll_ready(&mut *self.inner, &mut nobody) {
            Poll::Ready(_) => Poll::Ready(Ok(())),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Calls a clone, which nobody readied.
    fn call(&mut self, request: u64) -> Self::Future {
        self.calls += 1;
        let mut clone = self.inner.clone();
        WrongCall { call: ManuallyDrop::new(Box::pin(clone.call(request))) }
    }
}

/// Swallows panics, leaves no waker and is never given back.
struct WrongCall {
    call: ManuallyDrop<Pin<Box<Call<u64>>>>,
}

impl Future for WrongCall {
    type Output = io::Result<u64>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let mut nobody = Context::from_waker(Waker::noop());
        let polled = catch_unwind(AssertUnwindSafe(|| self.call.as_mut().poll(&mut nobody)));
        polled.unwrap_or(Poll::Ready(Ok(0)))
    }
}

#[test]
fn a_service_that_keeps_no_law_fails_every_check() {
    let stack = |inner| Wrong { inner: ManuallyDrop::new(inner), calls: 0 };
    assert_eq!(
        broken(|| 7, stack, || 1),
        [
            "calls the instance that it readied",
            "a clone inherits no readiness",
            "one readiness is used for one call",
            "waits while inner is busy, and is woken",
            "passes on that inner is broken",
            "gives back a readiness that is not used",
            "a call dropped before its first poll leaves nothing behind",
            "a call dropped while it waits leaves nothing behind",
            "a call is woken when inner's is",
            "a panic reaches the caller, and later calls work",
            "calls of two clones wait side by side",
        ]
    );
}

#[test]
fn a_concurrency_limit_of_tower_keeps_every_law() {
    assert_eq!(broken(|| 7, |inner| ConcurrencyLimit::new(inner, 4), || 1_u64), [""; 0]);
}

/// Works before it is polled, wakes nobody, and holds the only slot of whoever is dropped.
#[derive(Clone, Default)]
struct WrongLeaf(Arc<AtomicBool>);

impl Service<u64> for WrongLeaf {
    type Response = ();
    type Error = io::Error;
    type Future = std::future::Pending<io::Result<()>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: u64) -> Self::Future {
        self.0.store(true, Ordering::SeqCst);
        std::future::pending()
    }
}

#[tokio::test(start_paused = true)]
async fn a_leaf_that_keeps_no_law_fails_every_check() {
    let service = WrongLeaf::default();
    let changed = async || service.0.load(Ordering::SeqCst);
    assert_eq!(
        leaf::broken(service.clone(), || 1, changed).await,
        [
            "a call that is not polled does nothing",
            "a call is woken when its answer is there",
            "a call may be dropped at any point",
            "calls of clones go side by side",
        ]
    );
}

//! Waiting for an admission instead of being rejected.
//!
//! A balancer sends requests to whichever service is ready. A breaker that is ready in order to
//! reject looks like the fastest of them all and draws the traffic to the one dead endpoint. Under a
//! balancer it has to be *not* ready while it would reject, and ready again in time for its probes,
//! or the endpoint never comes back.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::watch;

use crate::breaker::CircuitBreaker;
use crate::clock::Moment;

/// The wait for one change of one breaker.
pub(crate) struct Wait(Pin<Box<dyn Future<Output = ()> + Send + Sync>>);

impl Wait {
    /// None if a call could be admitted.
    pub(crate) fn new(breaker: &CircuitBreaker, now: Moment) -> Option<Self> {
        let (room, deadline) = breaker.wait_for_room(now)?;
        let sleep = breaker.clock().sleep_until(deadline);
        Some(Self(Box::pin(either(word(room), sleep))))
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wait")
    }
}

/// A word from the breaker, or its end.
async fn word(mut room: watch::Receiver<()>) {
    // An error means that the breaker is gone, which is worth another look too.
    let _gone = room.changed().await;
}

async fn either(a: impl Future<Output = ()>, b: impl Future<Output = ()>) {
    let mut a = std::pin::pin!(a);
    let mut b = std::pin::pin!(b);
    std::future::poll_fn(|cx| {
        if a.as_mut().poll(cx).is_ready() { Poll::Ready(()) } else { b.as_mut().poll(cx) }
    })
    .await;
}

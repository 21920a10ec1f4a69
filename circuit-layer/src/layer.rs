//! A breaker around any service.

use tower_layer::Layer;

use crate::breaker::CircuitBreaker;
use crate::classify::ErrorsAsFailures;
use crate::service::CircuitBreakerService;
use crate::settle::AtOnce;

/// Puts services behind a [`CircuitBreaker`].
///
/// One value is one breaker. Applying it twice, cloning it or cloning the service all share it:
/// frameworks apply a layer again for each route or connection, and state that starts anew each time
/// protects nothing. For separate breakers make separate layers.
///
/// # Order
///
/// * **A timeout belongs inside the breaker.** Outside of it, it drops the call; the breaker then
///   learns of a hang only by [`abandoned_after`], which must be shorter than that timeout.
/// * **A retry belongs outside.** Inside, one bad call counts once but hits the dependency many
///   times.
/// * **A concurrency limit belongs inside**, so that waiting for one's own limit is not taken for a
///   slow dependency.
///
/// # Examples
///
/// With the defaults: five consecutive errors open it for a minute.
///
/// ```
/// use circuit_layer::{CircuitBreaker, CircuitBreakerLayer};
/// use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut service = ServiceBuilder::new()
///     .layer(CircuitBreakerLayer::new(CircuitBreaker::new("greeter")))
///     .service(service_fn(|name: &'static str| async move {
///         Ok::<_, std::io::Error>(format!("hello {name}"))
///     }));
/// assert_eq!(service.ready().await?.call("you").await?, "hello you");
/// # Ok(())
/// # }
/// ```
///
/// To measure: a quick trip, and answers that count as failures although they are no errors.
///
/// ```
/// use std::time::Duration;
/// use circuit_layer::{Backoff, CircuitBreaker, CircuitBreakerLayer, Outcome, State};
/// use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let breaker = CircuitBreaker::builder("inventory")
///     .fail_max(2)
///     .reset_timeout(Duration::from_secs(10))
///     .backoff(Backoff::exponential(2.0))
///     .abandoned_after(Duration::from_millis(250))
///     .build()?;
/// let layer = CircuitBreakerLayer::new(breaker.clone()).classify(
///     |result: &Result<u16, std::io::Error>| match result {
///         Ok(status) if *status >= 500 => Outcome::failure("server"),
///         Ok(_) => Outcome::Success,
///         Err(_) => Outcome::failure("transport"),
///     },
/// );
/// let mut service = ServiceBuilder::new()
///     .layer(layer)
///     .service(service_fn(|()| async { Ok::<u16, std::io::Error>(503) }));
/// for _ in 0..2 {
///     assert_eq!(service.ready().await?.call(()).await?, 503);
/// }
/// assert_eq!(breaker.state(), State::Open);
/// assert!(service.ready().await?.call(()).await.is_err(), "rejected");
/// # Ok(())
/// # }
/// ```
///
/// [`abandoned_after`]: crate::CircuitBreakerBuilder::abandoned_after
#[derive(Clone, Debug)]
pub struct CircuitBreakerLayer<C = ErrorsAsFailures, P = AtOnce> {
    breaker: CircuitBreaker,
    classify: C,
    settle: P,
    backpressure: bool,
}

impl CircuitBreakerLayer {
    /// Judges errors as failures.
    #[must_use]
    pub const fn new(breaker: CircuitBreaker) -> Self {
        Self { breaker, classify: ErrorsAsFailures, settle: AtOnce, backpressure: false }
    }
}

impl<C, P> CircuitBreakerLayer<C, P> {
    /// Judges results by `classify` instead, which is cloned for each call.
    #[must_use]
    pub fn classify<C2>(self, classify: C2) -> CircuitBreakerLayer<C2, P> {
        let Self { breaker, settle, backpressure, .. } = self;
        CircuitBreakerLayer { breaker, classify, settle, backpressure }
    }

    /// Lets `settle` decide when a call that got a response is over; it is cloned for each call. For
    /// responses that are streams.
    #[must_use]
    pub fn settle<P2>(self, settle: P2) -> CircuitBreakerLayer<C, P2> {
        let Self { breaker, classify, backpressure, .. } = self;
        CircuitBreakerLayer { breaker, classify, settle, backpressure }
    }

    /// Is *not ready* while the breaker would reject, instead of ready to reject: for use under a
    /// balancer, which would otherwise take a breaker that rejects for the quickest of its services.
    ///
    /// `poll_ready` is pending until the wait is over, a probe's slot is free, or the breaker closes,
    /// and wakes its task then. It reserves nothing, so `call` may still reject with
    /// [`Reason::ProbesBusy`](crate::Reason::ProbesBusy). It needs a tokio runtime with a timer.
    #[must_use]
    pub fn backpressure(self) -> Self {
        Self { backpressure: true, ..self }
    }

    /// The breaker.
    #[must_use]
    pub const fn breaker(&self) -> &CircuitBreaker {
        &self.breaker
    }
}

impl From<CircuitBreaker> for CircuitBreakerLayer {
    fn from(breaker: CircuitBreaker) -> Self {
        Self::new(breaker)
    }
}

impl<S, C: Clone, P: Clone> Layer<S> for CircuitBreakerLayer<C, P> {
    type Service = CircuitBreakerService<S, C, P>;

    fn layer(&self, inner: S) -> Self::Service {
        let (classify, settle) = (self.classify.clone(), self.settle.clone());
        CircuitBreakerService::new(inner, self.breaker.clone(), classify, settle)
            .with_backpressure(self.backpressure)
    }
}

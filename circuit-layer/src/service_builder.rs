//! A breaker as one more line of a `ServiceBuilder`.

use tower::ServiceBuilder;
use tower::layer::util::Stack;

use crate::layer::CircuitBreakerLayer;

/// Adds breakers to tower's [`ServiceBuilder`].
///
/// # Examples
///
/// With the defaults: five consecutive errors open it for a minute.
///
/// ```
/// use circuit_layer::{CircuitBreaker, ServiceBuilderExt};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let service = ServiceBuilder::new()
///     .circuit_breaker(CircuitBreaker::new("greeter"))
///     .service(service_fn(|name: &'static str| async move {
///         Ok::<_, std::io::Error>(format!("hello {name}"))
///     }));
/// assert_eq!(service.oneshot("you").await?, "hello you");
/// # Ok(())
/// # }
/// ```
///
/// To measure, around a timeout, whose errors are boxed:
///
/// ```
/// use std::time::Duration;
/// use circuit_layer::{BoxErrorsAsFailures, CircuitBreaker, CircuitBreakerLayer, FailureRate};
/// use circuit_layer::{ServiceBuilderExt, State, Window};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let breaker = CircuitBreaker::builder("replica")
///     .policy(FailureRate::new(0.5, Window::calls(20)).min_calls(2))
///     .reset_timeout(Duration::from_secs(5))
///     .build()?;
/// let service = ServiceBuilder::new()
///      .circuit_breaker(
///         CircuitBreakerLayer::new(breaker.clone()).classify(BoxErrorsAsFailures),
///     )
///     .timeout(Duration::from_millis(500))
///     .service(service_fn(|()| async { Err::<(), _>(std::io::Error::other("down")) }));
/// for _ in 0..2 {
///     assert!(service.clone().oneshot(()).await.is_err());
/// }
/// assert_eq!(breaker.state(), State::Open);
/// # Ok(())
/// # }
/// ```
pub trait ServiceBuilderExt<L>: sealed::Sealed {
    /// Puts everything below behind a [`CircuitBreaker`](crate::CircuitBreaker), with errors as
    /// failures, or behind a [`CircuitBreakerLayer`], with whatever else there is to say.
    fn circuit_breaker<C, P>(
        self,
        breaker: impl Into<CircuitBreakerLayer<C, P>>,
    ) -> ServiceBuilder<Stack<CircuitBreakerLayer<C, P>, L>>;
}

impl<L> ServiceBuilderExt<L> for ServiceBuilder<L> {
    fn circuit_breaker<C, P>(
        self,
        breaker: impl Into<CircuitBreakerLayer<C, P>>,
    ) -> ServiceBuilder<Stack<CircuitBreakerLayer<C, P>, L>> {
        self.layer(breaker.into())
    }
}

mod sealed {
    #[expect(unnameable_types, reason = "sealed")]
    pub trait Sealed {}
    impl<L> Sealed for tower::ServiceBuilder<L> {}
}

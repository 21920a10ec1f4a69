//! When a call that succeeded is over.
//!
//! Most results are all there is: the permit settles at once. The response of a stream is only a
//! beginning; its permit has to travel on inside of it, which makes another response of it.

use crate::outcome::Outcome;
use crate::permit::Permit;

/// Takes the permit of a call that got a response.
///
/// When: once for each such call, on the task that polls it, after the result has been classified. It
/// must not block. What becomes of the permit is the call's outcome: settle it, or let the response
/// carry it; a permit that is dropped counts as nothing. One that is carried should
/// [settle early](Permit::settle_early). If the result was no success by its classifier, the permit
/// has been settled so already, and whatever else it is told is ignored.
///
/// ```
/// use circuit_layer::{CircuitBreaker, CircuitBreakerLayer, Permit, Settle};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// /// Lines that are still to come.
/// struct Lines<I>(I, Option<Permit>);
///
/// impl<I: Iterator<Item = String>> Lines<I> {
///     fn read(&mut self) -> Option<String> {
///         let line = self.0.next();
///         if line.is_none() {
///             self.1.take().map(Permit::success);
///         }
///         line
///     }
/// }
///
/// #[derive(Clone)]
/// struct AtTheLastLine;
///
/// impl<I> Settle<I> for AtTheLastLine {
///     type Response = Lines<I>;
///
///     fn settle(&self, lines: I, permit: Permit) -> Lines<I> {
///         Lines(lines, Some(permit.settle_early()))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let service = ServiceBuilder::new()
///     .layer(CircuitBreakerLayer::new(CircuitBreaker::new("tail")).settle(AtTheLastLine))
///     .service(service_fn(async |()| Ok::<_, std::io::Error>([String::from("a")].into_iter())));
/// let mut lines = service.oneshot(()).await?;
/// assert_eq!(lines.read().as_deref(), Some("a"));
/// assert_eq!(lines.read(), None);
/// # Ok(())
/// # }
/// ```
pub trait Settle<T> {
    /// What becomes of the response.
    type Response;

    /// Settles `permit`, or sends it along with the response.
    fn settle(&self, response: T, permit: Permit) -> Self::Response;

    /// The same with the permit where it lies: a move of it costs more than a healthy call.
    #[doc(hidden)]
    #[inline]
    fn settle_in_place(&self, response: T, permit: &mut Permit) -> Self::Response {
        self.settle(response, permit.hand_over())
    }
}

/// A response is a success as soon as it is there. The default.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "it is a name for a rule")]
pub struct AtOnce;

impl<T> Settle<T> for AtOnce {
    type Response = T;

    #[inline]
    fn settle(&self, response: T, permit: Permit) -> T {
        permit.success();
        response
    }

    #[inline]
    fn settle_in_place(&self, response: T, permit: &mut Permit) -> T {
        permit.settle(Outcome::Success);
        response
    }
}

//! How a service and its fallback are put together.

use std::fmt;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tower_layer::Layer;

use super::choice::{Cloned, Rejections};
use super::counters::FallbackCounters;
use super::service::FallbackService;

/// How many calls a fallback may have at once. Ours: a replacement that needs more than this is a
/// service, and wants its bound chosen.
const CONCURRENCY: usize = 64;

/// Asks a second service when the first rejects. See the [module](super) for the rules.
///
/// ```
/// use circuit_layer::{CircuitBreaker, CircuitBreakerLayer, Error};
/// use degradation::fallback::{FallbackError, FallbackLayer, ServedBy};
/// use std::{convert::Infallible, io};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let breaker = CircuitBreaker::new("prices");
/// let prices = service_fn(|item: &'static str| async move {
///     if item == "unicorn" { Err(io::Error::other("no such item")) } else { Ok(12) }
/// });
/// let yesterday = service_fn(|_: &'static str| async { Ok::<_, Infallible>(11) });
///
/// // The defaults: rejections are answered, by at most 64 calls at once.
/// let service = ServiceBuilder::new()
///     .layer(FallbackLayer::new(yesterday))
///     .layer(CircuitBreakerLayer::new(breaker.clone()))
///     .service(prices);
/// assert_eq!(service.clone().oneshot("apple").await?.by, ServedBy::Service);
/// breaker.force_open("maintenance", None);
/// let served = service.oneshot("apple").await?;
/// assert_eq!((served.response, served.by), (11, ServedBy::Fallback));
///
/// // Customised: failures too, but not every one; one call at a time; only some requests.
/// let layer = FallbackLayer::new(yesterday)
///     .on(|error: &Error<io::Error>| !matches!(error, Error::Inner(e) if e.kind() == io::ErrorKind::NotFound))
///     .keep(|item: &&'static str| item.is_ascii().then_some(*item))
///     .concurrency(1);
/// let counters = layer.counters();
/// let service = ServiceBuilder::new()
///     .layer(layer)
///     .layer(CircuitBreakerLayer::new(CircuitBreaker::new("prices")))
///     .service(prices);
/// assert_eq!(service.oneshot("unicorn").await?.response, 11);
/// assert_eq!(counters.served(), 1);
/// # Ok(())
/// # }
/// ```
///
/// # Clone
///
/// Clones, and all services made from them, share the slots and the counters; each has a clone of
/// the fallback.
#[derive(Clone)]
pub struct FallbackLayer<F, C = Rejections, K = Cloned> {
    fallback: F,
    choose: C,
    keep: K,
    slots: Arc<Semaphore>,
    counters: FallbackCounters,
}

impl<F> FallbackLayer<F> {
    /// `fallback` answers what is rejected, at most 64 calls at once.
    #[must_use]
    pub fn new(fallback: F) -> Self {
        let slots = Arc::new(Semaphore::new(CONCURRENCY));
        let counters = FallbackCounters::default();
        Self { fallback, choose: Rejections, keep: Cloned, slots, counters }
    }
}

impl<F, C, K> FallbackLayer<F, C, K> {
    /// Answers these errors ([`Rejections`]).
    #[must_use]
    pub fn on<D>(self, choose: D) -> FallbackLayer<F, D, K> {
        let Self { fallback, keep, slots, counters, .. } = self;
        FallbackLayer { fallback, choose, keep, slots, counters }
    }

    /// Keeps requests for the fallback so ([`Cloned`]).
    #[must_use]
    pub fn keep<L>(self, keep: L) -> FallbackLayer<F, C, L> {
        let Self { fallback, choose, slots, counters, .. } = self;
        FallbackLayer { fallback, choose, keep, slots, counters }
    }

    /// How many calls the fallback may have at once (64); further ones are
    /// [`FallbackError::Busy`](super::FallbackError::Busy). With 0 it is never asked; more than
    /// 2^61 − 1 are as many. Services that were made before keep the bound they have.
    #[must_use]
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.slots = Arc::new(Semaphore::new(calls.min(Semaphore::MAX_PERMITS)));
        self
    }

    /// The counters of all services that this layer makes.
    #[must_use]
    pub fn counters(&self) -> FallbackCounters {
        self.counters.clone()
    }
}

impl<S, F: Clone, C: Clone, K: Clone> Layer<S> for FallbackLayer<F, C, K> {
    type Service = FallbackService<S, F, C, K>;

    fn layer(&self, inner: S) -> Self::Service {
        FallbackService::new(inner, self.clone())
    }
}

impl<F, C, K> FallbackLayer<F, C, K> {
    pub(super) const fn fallback(&self) -> &F {
        &self.fallback
    }

    pub(super) const fn choose(&self) -> &C {
        &self.choose
    }

    pub(super) const fn keeper(&self) -> &K {
        &self.keep
    }

    pub(super) const fn slots(&self) -> &Arc<Semaphore> {
        &self.slots
    }
}

impl<F, C, K> fmt::Debug for FallbackLayer<F, C, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FallbackLayer")
            .field("free_slots", &self.slots.available_permits())
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

//! A source that has to ask the dependency.

use super::{HealthFuture, HealthSource};
use crate::health::Health;

/// A source that has to ask: a PING, a query. See [`asked`].
#[derive(Clone, Copy, Debug)]
pub struct Asked<F>(F);

/// Makes an asynchronous check a source. The manager's timeout bounds it.
///
/// ```
/// use degradation::{Health, asked};
///
/// # async fn ping() -> Result<(), std::io::Error> { Ok(()) }
/// let source = asked(|| async {
///     match ping().await {
///         Ok(()) => Health::up(100),
///         Err(error) => Health::down().detail(error.to_string()),
///     }
/// });
/// # fn is_source(_: &impl degradation::HealthSource) {}
/// # is_source(&source);
/// ```
pub const fn asked<F, Fut>(check: F) -> Asked<F>
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Health> + Send,
{
    Asked(check)
}

impl<F, Fut> HealthSource for Asked<F>
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Health> + Send + 'static,
{
    fn health(&self) -> HealthFuture<'_> {
        Box::pin((self.0)())
    }
}

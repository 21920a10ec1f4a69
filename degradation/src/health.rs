//! Where the health of one dependency comes from.
//!
//! The manager must not know what a dependency is: a breaker, a breaker with latency figures, a
//! closure of yours, a PING. So it asks a [`HealthSource`], every second and whenever the source
//! says that something has changed. A source that panics, hangs or is gone is reported as
//! [`Status::Unknown`]; it can never take the manager down.
//!
//! | source | tells |
//! | --- | --- |
//! | `CircuitBreaker` | closed 100; half-open 50, but down before its first success; open 0 and down |
//! | `(CircuitBreaker, Arc<HealthMetrics>)` | the same, with the score of the figures |
//! | `Fn() -> Health` | what the closure says; it must not block |
//! | [`asked`]`(async …)` | what an asynchronous check says, within the manager's timeout |
//! | `Weak<T>` | what `T` says, or unknown once it is gone |

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Notify;

use crate::score::FULL_SCORE;

/// Whether a dependency is there.
///
/// Exhaustive: there is no fourth answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "see above")]
pub enum Status {
    /// It answers, well or badly; the score tells how well.
    Up,
    /// It is not asked any more: its breaker rejects.
    Down,
    /// Nobody knows: never seen, or the last question had no answer. What was known last counts on
    /// (at first: well), because a lack of evidence must not shed requests.
    #[default]
    Unknown,
}

/// The health of one dependency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    pub(crate) score: u8,
    pub(crate) status: Status,
    pub(crate) detail: Option<Arc<str>>,
    pub(crate) retry_after: Option<Duration>,
}

impl Health {
    /// It answers, with a score of 0–100 (what is above counts as 100).
    #[must_use]
    pub fn up(score: u8) -> Self {
        Self { score: score.min(FULL_SCORE), status: Status::Up, ..Self::default() }
    }

    /// It is gone: the score is 0, and the modes that name it apply.
    #[must_use]
    pub fn down() -> Self {
        Self { status: Status::Down, ..Self::default() }
    }

    /// Nobody knows.
    #[must_use]
    pub fn unknown() -> Self {
        Self::default()
    }

    /// Says why, for operators. Endpoints show it, so it must hold no secret.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<Arc<str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// How long until it will be tried again.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// The score, 0–100. It means nothing while the status is unknown.
    #[must_use]
    pub const fn score(&self) -> u8 {
        self.score
    }

    /// The status.
    #[must_use]
    pub const fn status(&self) -> Status {
        self.status
    }
}

/// The future of [`HealthSource::health`].
pub type HealthFuture<'a> = Pin<Box<dyn Future<Output = Health> + Send + 'a>>;

/// Tells the health of one dependency.
pub trait HealthSource: Send + Sync + 'static {
    /// The health now.
    ///
    /// When: once while the manager is built, then in a task of its own, after each
    /// [wake](Wake::wake) and at least every second. A panic is caught and reported.
    ///
    /// # Cancellation
    ///
    /// The future is dropped when it takes longer than the manager's timeout, and, while the
    /// manager is built, when it does not answer at its first poll.
    fn health(&self) -> HealthFuture<'_>;

    /// Hands over the means to say that the health may have changed.
    ///
    /// When: once, while the manager is built, before the first question. A source that can not
    /// tell ignores it and is asked every second. A panic fails nothing.
    fn watch(&self, wake: Wake) {
        drop(wake);
    }
}

/// Wakes the manager to ask a source again. Clones wake the same manager; once that is gone, waking
/// does nothing.
#[derive(Clone)]
pub struct Wake(Weak<Notify>);

impl Wake {
    pub(crate) fn new(notify: &Arc<Notify>) -> Self {
        Self(Arc::downgrade(notify))
    }

    /// The health may have changed: ask again now. Never blocks; many wakes may cause one question.
    pub fn wake(&self) {
        if let Some(notify) = self.0.upgrade() {
            notify.notify_one();
        }
    }
}

impl fmt::Debug for Wake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wake")
    }
}

impl<F: Fn() -> Health + Send + Sync + 'static> HealthSource for F {
    fn health(&self) -> HealthFuture<'_> {
        Box::pin(std::future::ready(self()))
    }
}

impl<T: HealthSource + ?Sized> HealthSource for Arc<T> {
    fn health(&self) -> HealthFuture<'_> {
        T::health(self)
    }

    fn watch(&self, wake: Wake) {
        T::watch(self, wake);
    }
}

impl<T: HealthSource> HealthSource for Weak<T> {
    fn health(&self) -> HealthFuture<'_> {
        match self.upgrade() {
            Some(source) => Box::pin(async move { source.health().await }),
            None => Box::pin(std::future::ready(Health::unknown().detail("its source is gone"))),
        }
    }

    fn watch(&self, wake: Wake) {
        if let Some(source) = self.upgrade() {
            source.watch(wake);
        }
    }
}

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

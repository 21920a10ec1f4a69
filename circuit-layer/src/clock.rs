//! Where time comes from, and the only file that reads it.
//!
//! A breaker is a rule about time: how long to stay open, when a probe has hung, which calls
//! belong to the last ten seconds. If each part asked the machine for the time by itself, no test
//! could steer it, and two parts of one decision could disagree about *now*. So time is read here
//! and handed on as a [`Moment`].
//!
//! | clock | reads | can be paused | for |
//! | --- | --- | --- | --- |
//! | [`Clock::default`] | tokio's clock | yes, by `tokio::time::pause` | production and async tests |
//! | [`Clock::coarse`] | the time of the kernel's last tick | no | time windows under heavy traffic |
//! | `Clock::manual` (feature `test-util`) | what the test says | yes | tests without a runtime |

use std::fmt;
use std::future::Future;
use std::ops::{Add, Sub};
use std::pin::Pin;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

#[cfg(feature = "test-util")]
use std::sync::Arc;
#[cfg(feature = "test-util")]
use tokio::sync::watch;

const DAY: Duration = Duration::from_secs(86_400);

/// A point on a breaker's clock, in nanoseconds since the origin of that clock.
///
/// Arithmetic saturates: a sum past the end of time is the end of time, and an earlier moment is
/// no time at all after a later one. A clock that steps backward can therefore neither panic nor
/// make anything older than it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Moment(u64);

impl Moment {
    /// The end of time: a deadline that never comes.
    pub const NEVER: Self = Self(u64::MAX);

    /// The moment this many nanoseconds after the clock's origin.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    pub(crate) const fn is_never(self) -> bool {
        self.0 == u64::MAX
    }

    /// Nanoseconds since the clock's origin.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(nanos(wait)))
    }
}

impl Sub<Duration> for Moment {
    type Output = Self;

    fn sub(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(nanos(by)))
    }
}

impl Sub for Moment {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// Nanoseconds in a duration; 584 years and more are one and the same.
pub(crate) fn nanos(duration: Duration) -> u64 {
    // In 64 bits: `as_nanos` counts in 128, which costs whoever reads the time.
    let seconds = duration.as_secs().saturating_mul(1_000_000_000);
    seconds.saturating_add(u64::from(duration.subsec_nanos()))
}

/// A source of time. Clones tell the same time.
#[derive(Clone, Default)]
pub struct Clock(Source);

#[derive(Clone, Default)]
enum Source {
    #[default]
    Tokio,
    Coarse,
    #[cfg(feature = "test-util")]
    Manual(Arc<watch::Sender<Moment>>),
}

/// Every tokio clock of the process counts from here.
///
/// A paused runtime keeps a clock of its own that stands still from the pause on, possibly before
/// anybody asked for the time; a day of margin keeps such a clock from reading zero.
#[expect(clippy::disallowed_methods, reason = "this file is where time is read")]
static ORIGIN: LazyLock<tokio::time::Instant> = LazyLock::new(|| {
    let now = tokio::time::Instant::now();
    now.checked_sub(DAY).unwrap_or(now)
});

/// Which clock it is, for those who have no room for the clock itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Tokio,
    Coarse,
    /// Only whoever holds the clock can read it.
    Manual,
}

impl Clock {
    /// A clock that is read in 3 ns instead of 21, and is up to one tick of the kernel late: 1 to 10 ms.
    ///
    /// For a time window under heavy traffic, where reading the time is most of what a call costs, and
    /// for an open breaker that rejects a flood. Waits end up to a tick late, never early. It can not be
    /// paused: in a test use `Clock::manual`. Waiting by it takes a tokio runtime whose clock runs.
    #[must_use]
    pub const fn coarse() -> Self {
        Self(Source::Coarse)
    }

    /// A clock that moves only when the returned [`ManualClock`] says so.
    #[cfg(feature = "test-util")]
    #[must_use]
    pub fn manual() -> (Self, ManualClock) {
        let hand = Arc::new(watch::Sender::new(Moment(nanos(DAY))));
        (Self(Source::Manual(Arc::clone(&hand))), ManualClock(hand))
    }

    /// The time now.
    #[expect(clippy::disallowed_methods, reason = "this file is where time is read")]
    #[must_use]
    pub fn now(&self) -> Moment {
        match &self.0 {
            Source::Tokio => {
                Moment(nanos(tokio::time::Instant::now().saturating_duration_since(*ORIGIN)))
            }
            // Reading it any other way would also store the time for all threads to fight over.
            Source::Coarse => {
                let since_zero = coarsetime::Instant::now_without_cache_update()
                    .duration_since(coarsetime::Instant::from_ticks(0));
                Moment(since_zero.as_nanos()) + DAY
            }
            #[cfg(feature = "test-util")]
            Source::Manual(hand) => *hand.borrow(),
        }
    }

    pub(crate) const fn kind(&self) -> Kind {
        match &self.0 {
            Source::Tokio => Kind::Tokio,
            Source::Coarse => Kind::Coarse,
            #[cfg(feature = "test-util")]
            Source::Manual(_) => Kind::Manual,
        }
    }

    /// Completes once [`now`](Self::now) has reached `deadline`; at once if it already has.
    ///
    /// Dropping the future leaves nothing behind. On any clock but a manual one it must be polled within a
    /// tokio runtime whose timer is enabled.
    #[expect(clippy::disallowed_methods, reason = "this file is where time is read")]
    pub fn sleep_until(&self, deadline: Moment) -> Sleep {
        Sleep(match &self.0 {
            Source::Tokio => {
                let wait = Duration::from_nanos(deadline.0);
                match ORIGIN.checked_add(wait) {
                    Some(at) => Box::pin(tokio::time::sleep_until(at)),
                    None => Box::pin(std::future::pending()),
                }
            }
            Source::Coarse => {
                let clock = self.clone();
                Box::pin(async move {
                    // The timer keeps the precise time, and may be up to a tick ahead.
                    loop {
                        let left = deadline - clock.now();
                        if left.is_zero() {
                            break;
                        }
                        tokio::time::sleep(left).await;
                    }
                })
            }
            #[cfg(feature = "test-util")]
            Source::Manual(hand) => {
                let mut hand = hand.subscribe();
                Box::pin(async move {
                    let reached = hand.wait_for(|now| *now >= deadline).await.is_ok();
                    if !reached {
                        std::future::pending::<()>().await;
                    }
                })
            }
        })
    }

    /// Wall time since 1970, for reports that a person reads. It may step; never compute with it.
    #[expect(clippy::disallowed_methods, reason = "for reports only, and from this file only")]
    #[must_use]
    pub fn unix_time() -> Duration {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Source::Tokio => "Clock::Tokio",
            Source::Coarse => "Clock::Coarse",
            #[cfg(feature = "test-util")]
            Source::Manual(_) => "Clock::Manual",
        })
    }
}

/// The future of [`Clock::sleep_until`].
#[must_use = "a sleep does nothing unless polled"]
pub struct Sleep(Pin<Box<dyn Future<Output = ()> + Send + Sync>>);

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sleep")
    }
}

/// The hand of a [`Clock::manual`]. Clones move the same clock.
#[cfg(feature = "test-util")]
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<watch::Sender<Moment>>);

#[cfg(feature = "test-util")]
impl ManualClock {
    /// Moves the clock forward and wakes every sleep that has become due.
    pub fn advance(&self, by: Duration) {
        self.0.send_modify(|now| *now = *now + by);
    }

    /// Moves the clock backward, as no monotonic clock should and some do.
    pub fn step_back(&self, by: Duration) {
        self.0.send_modify(|now| *now = *now - by);
    }

    /// What the clock reads.
    #[must_use]
    pub fn now(&self) -> Moment {
        *self.0.borrow()
    }
}

//! Hearing of calls that nobody waited for.
//!
//! A call that is dropped comes to no result, so whoever counts results misses it. Its breaker does not:
//! dropped [`abandoned_after`] it began, or later, it is a failure, because an outer timeout would hide
//! every hang otherwise. Metrics that know nothing of the failures by which a breaker opened are of little
//! use. But only the permit knows, and it is somewhere inside of the future that is dropped. So a permit
//! that counts as abandoned leaves a mark on its thread, where dropping ends before it returns, and
//! [`if_abandoned`] looks whether there is a new one:
//!
//! | the call is dropped | its breaker | the note |
//! | --- | --- | --- |
//! | before it was admitted, or before its first poll | hears nothing | is not made |
//! | before `abandoned_after` | ignores it | is not made |
//! | later | counts a failure | is made |
//! | after its end | has its outcome | is not made |
//!
//! [`abandoned_after`]: crate::CircuitBreakerBuilder::abandoned_after

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

thread_local! {
    /// How many calls have been abandoned on this thread.
    static MARKS: Cell<u64> = const { Cell::new(0) };
}

pub(crate) fn leave_mark() {
    MARKS.with(|marks| marks.set(marks.get().wrapping_add(1)));
}

/// Whether `release` drops a call that its breaker counts as abandoned.
///
/// For a future of your own that holds a call, as [`if_abandoned`] does. A call that is dropped in another
/// thread or later, by a task that `release` aborts say, is not seen. A panic of `release` goes on.
#[must_use = "it releases, and tells whether somebody should hear of it"]
pub fn abandons(release: impl FnOnce()) -> bool {
    let before = MARKS.get();
    release();
    MARKS.get() != before
}

/// The same future; if it is dropped before its end and a breaker in it counts that as a failure, `note`
/// is called.
///
/// When: in the drop, once, after `future` is gone. It must neither block nor panic.
///
/// ```
/// use std::cell::Cell;
/// use std::time::Duration;
/// use circuit_layer::{CircuitBreaker, if_abandoned};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let breaker = CircuitBreaker::builder("search").abandoned_after(Duration::from_millis(5)).build()?;
/// let timeouts = Cell::new(0);
/// let hung = breaker.call(std::future::pending::<std::io::Result<()>>());
/// let counted = if_abandoned(hung, || timeouts.set(timeouts.get() + 1));
/// tokio::time::timeout(Duration::from_millis(10), counted).await.unwrap_err();
/// assert_eq!(timeouts.get(), 1);
/// # Ok(())
/// # }
/// ```
pub const fn if_abandoned<F, N: FnOnce()>(future: F, note: N) -> IfAbandoned<F, N> {
    IfAbandoned { future: Some(future), note: Some(note) }
}

pin_project! {
    /// The future of [`if_abandoned`].
    ///
    /// # Cancellation
    ///
    /// Dropping it drops the future inside, and calls the note if a breaker counts that.
    ///
    /// # Panics
    ///
    /// A panic of the future inside goes on; its breaker has counted it, and the note is not called.
    #[must_use = "futures do nothing unless polled"]
    pub struct IfAbandoned<F, N>
    where
        N: FnOnce(),
    {
        // None once it was dropped.
        #[pin]
        future: Option<F>,
        // None once the call has ended.
        note: Option<N>,
    }

    impl<F, N> PinnedDrop for IfAbandoned<F, N>
    where
        N: FnOnce(),
    {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(note) = this.note.take()
                && abandons(|| this.future.set(None))
            {
                note();
            }
        }
    }
}

impl<F: Future, N: FnOnce()> Future for IfAbandoned<F, N> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Some(future) = this.future.as_pin_mut() else { return Poll::Pending };
        let output = ready!(future.poll(cx));
        *this.note = None;
        Poll::Ready(output)
    }
}

impl<F, N: FnOnce()> fmt::Debug for IfAbandoned<F, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IfAbandoned").field("ended", &self.note.is_none()).finish_non_exhaustive()
    }
}

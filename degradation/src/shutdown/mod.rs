//! Ends a service so that nobody notices and nothing is lost.
//!
//! A process that just ends cuts its callers off, is sent new ones for as long as the balancer has
//! not noticed, and leaves what it has not written. The order matters, and each step must end, or
//! the process is killed in the middle of one: Kubernetes gives 30 seconds by default.
//!
//! ```text
//!  /readyz says no ─▶ the notice passes ─▶ no new connection ─▶ requests in flight end ─▶ step, step, …
//!                     (balancers look)                         (within the drain)         (each within its bound)
//! ```
//!
//! The steps are yours: the queue synced first, as it holds what was acknowledged, then the clients
//! closed. What goes wrong is reported at the end, and keeps no later step from its turn. A request that
//! outlasts the drain is cut off, if it went through the layer [`cut_off`](Shutdown::cut_off): a server
//! that is told to end leaves its connections to themselves.
//!
//! ```
//! use std::time::Duration;
//! use degradation::{Readiness, Shutdown};
//! # async fn sync_the_spool() -> Result<(), std::io::Error> { Ok(()) }
//! # async fn close_redis() -> Result<(), std::io::Error> { Ok(()) }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let readiness = Readiness::starting();
//! let shutdown = Shutdown::new(&readiness)
//!     .notice(Duration::from_millis(5))
//!     .drain_within(Duration::from_secs(10))
//!     .step("spool", sync_the_spool())
//!     .step("redis", close_redis());
//!
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let router = axum::Router::new().layer(shutdown.cut_off());
//! let serve = axum::serve(listener, router);
//! let serving = tokio::spawn(serve.with_graceful_shutdown(shutdown.signal()).into_future());
//! readiness.ready();
//! // … until SIGTERM comes, and then:
//! shutdown.run(serving).await?;
//! assert_eq!(readiness.reason().as_deref(), Some("draining"));
//! # Ok(())
//! # }
//! ```

mod cut_off;
mod error;
#[cfg(test)]
#[cfg(feature = "endpoints")]
mod server_tests;
mod steps;
#[cfg(test)]
mod tests;

use std::fmt;
use std::future::Future;
use std::time::Duration;

use circuit_layer::Clock;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use self::cut_off::Cut;
pub use self::cut_off::{CutOff, CutOffBody, CutOffLayer};
pub use self::error::{ShutdownError, ShutdownFailure, ShutdownProblem};
use self::steps::{Step, within};
use crate::readiness::Readiness;

/// The drain that fits into Kubernetes' 30 seconds, with room for the steps.
const DRAIN: Duration = Duration::from_secs(20);

/// A step writes what is in memory or says goodbye; neither takes long, or it hangs.
const STEP: Duration = Duration::from_secs(5);

/// To be dropped takes no time. Who is there still after so long is an answer that nobody reads.
const GOING: Duration = Duration::from_secs(1);

/// What the drain is called in reports.
const DRAINING: &str = "drain";

/// Ends a service in good order. See the [module](self).
#[must_use = "a shutdown does nothing until run"]
pub struct Shutdown {
    readiness: Readiness,
    notice: Duration,
    drain: Duration,
    step: Duration,
    steps: Vec<Step>,
    clock: Clock,
    stop: watch::Sender<bool>,
    cut: Cut,
}

impl Shutdown {
    /// Ends the service of this readiness: no notice, 20 s to drain, 5 s for each step.
    pub fn new(readiness: &Readiness) -> Self {
        Self {
            readiness: readiness.clone(),
            notice: Duration::ZERO,
            drain: DRAIN,
            step: STEP,
            steps: Vec::new(),
            clock: Clock::default(),
            stop: watch::Sender::new(false),
            cut: Cut::new(),
        }
    }

    /// How long to go on serving while `/readyz` says no, so that balancers look elsewhere first
    /// (0). Where they look every 10 s, that is the figure.
    pub const fn notice(mut self, pause: Duration) -> Self {
        self.notice = pause;
        self
    }

    /// How long requests in flight may take to end (20 s). What is left then is cut off: the task that
    /// serves, and each request that went through [`cut_off`](Self::cut_off). Others go on while the
    /// steps run.
    pub const fn drain_within(mut self, limit: Duration) -> Self {
        self.drain = limit;
        self
    }

    /// How long each of the steps may take (5 s).
    pub const fn step_within(mut self, limit: Duration) -> Self {
        self.step = limit;
        self
    }

    /// The clock (tokio's).
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Adds a step, after those that are there. It begins once everything before has ended, well or
    /// not; until then nothing of it runs.
    pub fn step<E: fmt::Display>(
        mut self,
        name: &'static str,
        step: impl Future<Output = Result<(), E>> + Send + 'static,
    ) -> Self {
        self.steps.push(Step::new(name, step));
        self
    }

    /// Completes when the service is to take no new connection: for axum's and tonic's graceful
    /// shutdown. It also completes when the shutdown is dropped without having been run.
    pub fn signal(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut stop = self.stop.subscribe();
        async move {
            // An error says that the sender is gone, which ends the wait as well.
            drop(stop.wait_for(|stop| *stop).await);
        }
    }

    /// A layer to put around everything else, whose requests are dropped when the drain has ended, before
    /// the first step begins. It costs two allocations for each request.
    ///
    /// An answer that its reader does not take can not be ended; the steps wait a second for it.
    #[must_use]
    pub fn cut_off(&self) -> CutOffLayer {
        CutOffLayer(self.cut.clone())
    }

    /// Ends the service. `serving` is the task that serves until [`signal`](Self::signal).
    ///
    /// # Errors
    ///
    /// [`ShutdownError`] lists what did not end well. Everything else did, in order.
    ///
    /// # Cancellation
    ///
    /// Dropping it cuts off what is under way, serving with its requests or a step, and begins nothing
    /// more.
    ///
    /// # Panics
    ///
    /// It does not; a step that panics is one that failed. Outside a tokio runtime, the steps do.
    pub async fn run<T, E>(self, serving: JoinHandle<Result<T, E>>) -> Result<(), ShutdownError>
    where
        T: Send + 'static,
        E: fmt::Display + Send + 'static,
    {
        let Self { readiness, notice, drain, step: limit, steps, clock, stop, cut } = self;
        let cut = CutOnDrop(cut);
        readiness.not_ready("draining");
        if !notice.is_zero() {
            clock.sleep_until(clock.now() + notice).await;
        }
        stop.send_replace(true);
        let drained = within(&clock, drain, serving).await;
        cut.0.now();
        tokio::select! {
            () = cut.0.done() => {}
            () = clock.sleep_until(clock.now() + GOING) => {}
        }
        let mut failures: Vec<ShutdownFailure> = drained
            .err()
            .map(|problem| ShutdownFailure::new(DRAINING, problem))
            .into_iter()
            .collect();
        for Step { name, run } in steps {
            if let Err(problem) = within(&clock, limit, tokio::spawn(run)).await {
                failures.push(ShutdownFailure::new(name, problem));
            }
        }
        for failure in &failures {
            tracing::warn!(step = failure.step, problem = %failure.problem, "shutdown went wrong");
        }
        if failures.is_empty() { Ok(()) } else { Err(ShutdownError { failures }) }
    }
}

/// Cuts off requests whose shutdown is gone.
struct CutOnDrop(Cut);

impl Drop for CutOnDrop {
    fn drop(&mut self) {
        self.0.now();
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps: Vec<_> = self.steps.iter().map(|step| step.name).collect();
        f.debug_struct("Shutdown")
            .field("notice", &self.notice)
            .field("drain", &self.drain)
            .field("steps", &steps)
            .finish_non_exhaustive()
    }
}

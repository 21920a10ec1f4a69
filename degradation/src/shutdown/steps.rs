//! One part of a shutdown, which ends within its bound, one way or another.

use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use circuit_layer::Clock;
use tokio::task::{AbortHandle, JoinHandle};

use super::error::ShutdownProblem;

pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) run: Pin<Box<dyn Future<Output = Result<(), String>> + Send>>,
}

impl Step {
    pub(super) fn new<E: Display>(
        name: &'static str,
        step: impl Future<Output = Result<(), E>> + Send + 'static,
    ) -> Self {
        Self { name, run: Box::pin(async move { step.await.map_err(|error| error.to_string()) }) }
    }
}

/// Ends a task whose waiter is gone.
struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Waits for a task, which is cut off at the limit, and when this future is dropped.
pub(super) async fn within<T, E: Display>(
    clock: &Clock,
    limit: Duration,
    mut task: JoinHandle<Result<T, E>>,
) -> Result<(), ShutdownProblem> {
    let _abort = AbortOnDrop(task.abort_handle());
    tokio::select! {
        biased;
        ended = &mut task => match ended {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(ShutdownProblem::Failed { what: error.to_string() }),
            Err(error) if error.is_panic() => Err(ShutdownProblem::Panicked),
            Err(error) => Err(ShutdownProblem::Failed { what: error.to_string() }),
        },
        () = clock.sleep_until(clock.now() + limit) => Err(ShutdownProblem::TimedOut { limit }),
    }
}

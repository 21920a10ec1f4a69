//! What operators do to a queue.

use std::sync::Arc;
use std::time::Duration;

use crate::board::Note;
use crate::manager::DegradationManager;
use crate::orders::ControlError;
use crate::queue::{QueueEntry, QueueError, QueueFuture, QueueSource};

/// How long a queue may take: whoever asked is still waiting.
const PATIENCE: Duration = Duration::from_secs(10);

impl DegradationManager {
    /// The oldest entries of a queue, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`ControlError::UnknownQueue`], or [`ControlError::Queue`] with what the queue said, also if
    /// it said nothing for ten seconds.
    pub async fn queue_entries(
        &self,
        queue: &str,
        limit: usize,
    ) -> Result<Vec<QueueEntry>, ControlError> {
        let queue = self.queue(queue)?;
        self.within(queue.list(limit)).await
    }

    /// Tries an entry of a queue again as soon as possible, a dead one too.
    ///
    /// # Errors
    ///
    /// As for [`queue_entries`](Self::queue_entries).
    pub async fn retry_entry(
        &self,
        queue: &str,
        id: &str,
        reason: &str,
    ) -> Result<(), ControlError> {
        let source = self.queue(queue)?;
        self.within(source.retry(id)).await?;
        self.note(&Note::order(queue, &format!("entry {id} is tried again"), reason));
        Ok(())
    }

    /// Gives an entry of a queue up: what it holds is lost.
    ///
    /// # Errors
    ///
    /// As for [`queue_entries`](Self::queue_entries).
    pub async fn remove_entry(
        &self,
        queue: &str,
        id: &str,
        reason: &str,
    ) -> Result<(), ControlError> {
        let source = self.queue(queue)?;
        self.within(source.remove(id)).await?;
        self.note(&Note::order(queue, &format!("entry {id} was dropped"), reason));
        Ok(())
    }

    fn queue(&self, name: &str) -> Result<Arc<dyn QueueSource>, ControlError> {
        let unknown = || ControlError::UnknownQueue { name: name.into() };
        self.shared().sources.queue(name).cloned().ok_or_else(unknown)
    }

    async fn within<T>(&self, asked: QueueFuture<'_, T>) -> Result<T, ControlError> {
        let clock = self.clock();
        tokio::select! {
            biased;
            said = asked => Ok(said?),
            () = clock.sleep_until(clock.now() + PATIENCE) => {
                Err(QueueError::failed(format!("no answer within {PATIENCE:?}")).into())
            }
        }
    }
}

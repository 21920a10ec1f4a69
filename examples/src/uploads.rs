//! The uploads that wait for S3, as the manager and its operators see them.
//!
//! The manager knows no queue of anybody's and the spool no manager; these lines are what is between
//! them. `degradectl queue list uploads` and the status page end here.

use std::time::Duration;

use circuit_layer::Clock;
use degradation::status::QueueStatus;
use degradation::{QueueEntry, QueueError, QueueFuture, QueueSource};
use s3_service::spool::{Entry, EntryState};
use s3_service::{EntryId, Spool, SpoolError};

/// What operators call the queue.
pub(crate) const QUEUE: &str = "uploads";

/// A spool as a queue to look into.
#[derive(Clone, Debug)]
pub(crate) struct Uploads(pub(crate) Spool);

impl QueueSource for Uploads {
    fn status(&self) -> QueueStatus {
        let status = self.0.status();
        let shown = QueueStatus::new(count(status.depth), status.bytes)
            .bytes_limit(status.max_bytes)
            .dead(count(status.dead))
            .refused(status.refused)
            .delivered(status.uploaded);
        match status.oldest {
            Some(age) => shown.oldest_age_ms(millis(age)),
            None => shown,
        }
    }

    fn list(&self, limit: usize) -> QueueFuture<'_, Vec<QueueEntry>> {
        let now = Clock::unix_time();
        let entries = self.0.list().into_iter().take(limit).map(|entry| shown(entry, now));
        let entries = entries.collect();
        Box::pin(std::future::ready(Ok(entries)))
    }

    fn retry<'a>(&'a self, id: &'a str) -> QueueFuture<'a, ()> {
        Box::pin(async move { self.0.retry(named(id)?).await.map_err(|error| told(id, &error)) })
    }

    fn remove<'a>(&'a self, id: &'a str) -> QueueFuture<'a, ()> {
        Box::pin(async move { self.0.discard(named(id)?).await.map_err(|error| told(id, &error)) })
    }
}

fn shown(entry: Entry, now: Duration) -> QueueEntry {
    let (id, operation) = (entry.id.to_string(), entry.operation.as_str());
    let age = millis(now.saturating_sub(entry.id.queued_at()));
    let told = QueueEntry::new(&id, operation, &entry.key, entry.size, age);
    let told = told.attempts(entry.attempts);
    if let EntryState::Dead { reason } = entry.state {
        return told.dead().last_error(reason);
    }
    told
}

fn named(id: &str) -> Result<EntryId, QueueError> {
    id.parse().map_err(|_| QueueError::not_found(id))
}

fn told(id: &str, error: &SpoolError) -> QueueError {
    if matches!(error, SpoolError::NoSuchEntry(_)) {
        return QueueError::not_found(id);
    }
    QueueError::failed(error)
}

fn count(entries: usize) -> u64 {
    u64::try_from(entries).unwrap_or(u64::MAX)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use s3_service::Upload;
    use tempfile::TempDir;

    use super::*;

    #[tokio::test]
    async fn an_operator_sees_what_waits_and_can_give_it_up() {
        let folder = TempDir::new().unwrap();
        let spool = Spool::builder(folder.path().join("uploads")).open("photos").await.unwrap();
        let queue = Uploads(spool.clone());
        assert_eq!((queue.status().depth, queue.status().oldest_age_ms), (0, None));
        for key in ["photos/1", "photos/2"] {
            spool.enqueue(Upload::new(key, vec![7; 1_000])).await.unwrap();
        }
        let status = queue.status();
        assert_eq!((status.depth, status.dead, status.refused), (2, 0, Some(0)));
        assert!(status.bytes > 2_000 && status.oldest_age_ms.is_some());

        let entries = queue.list(1).await.unwrap();
        let [first] = entries.as_slice() else { panic!("the limit is one: {entries:?}") };
        assert_eq!((&*first.key, &*first.operation, first.dead), ("photos/1", "upload", false));
        queue.retry(&first.id).await.unwrap();
        queue.remove(&first.id).await.unwrap();
        assert_eq!(queue.status().depth, 1);
        for gone in [&*first.id, "no number"] {
            assert_eq!(queue.retry(gone).await, Err(QueueError::not_found(gone)));
            assert_eq!(queue.remove(gone).await, Err(QueueError::not_found(gone)));
        }
    }
}

//! The handle that users hold.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use circuit_layer::Clock;
use tokio::sync::broadcast;

use super::busy::Busy;
use super::error::SpoolError;
use super::index::{Item, Stage};
use super::intake::{self, Write, blocking};
use super::name::{Action, EntryId};
use super::report::{Entry, EntryState, SpoolEvent, SpoolStatus};
use super::settings::SpoolBuilder;
use super::store::Store;
use crate::operation::Operation;
use crate::request::Upload;

/// A durable queue of writes to one bucket, in a folder.
///
/// A service drains it; without one it stores and shows. The folder stays locked until the spool is
/// [closed](Self::close), or the last handle, that of the service included, is gone.
///
/// # Clone
/// Clones are the same spool.
#[derive(Clone, Debug)]
pub struct Spool {
    pub(super) store: Arc<Store>,
}

impl Spool {
    /// Settings of a spool in `folder`, which is made if it is not there.
    pub fn builder(folder: impl Into<PathBuf>) -> SpoolBuilder {
        SpoolBuilder::new(folder.into())
    }

    pub(super) const fn new(store: Arc<Store>) -> Self {
        Self { store }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.store.folder.root
    }

    /// Queues an upload without asking S3 first; it is durable when this returns its id.
    ///
    /// # Errors
    /// [`SpoolError`]; nothing of the upload is left then.
    ///
    /// # Cancellation
    /// Dropped, it may have queued the upload or not.
    pub async fn enqueue(&self, upload: Upload) -> Result<EntryId, SpoolError> {
        let ticket = intake::store(&self.store, upload.into(), false).await?;
        Ok(ticket.id)
    }

    /// Queues the removal of a key without asking S3 first.
    ///
    /// # Errors
    /// [`SpoolError`]; nothing of it is left then.
    ///
    /// # Cancellation
    /// Dropped, it may have queued the removal or not.
    pub async fn enqueue_delete(&self, key: impl Into<String>) -> Result<EntryId, SpoolError> {
        let ticket = intake::store(&self.store, Write::Delete(key.into()), false).await?;
        Ok(ticket.id)
    }

    /// The figures of this moment, without touching the disk.
    #[must_use]
    pub fn status(&self) -> SpoolStatus {
        let state = self.store.state();
        let oldest = state.index.oldest();
        SpoolStatus {
            depth: state.index.depth(),
            bytes: state.index.bytes(),
            oldest: oldest.map(|id| Clock::unix_time().saturating_sub(id.queued_at())),
            uploading: state.index.claimed(),
            dead: state.graves.len(),
            damaged: state.graves.damaged,
            max_bytes: self.store.limits.bytes,
            refused: state.refused,
            uploaded: state.uploaded,
        }
    }

    /// Whether writes to `key` are queued.
    #[must_use]
    pub fn holds(&self, key: &str) -> bool {
        self.store.state().index.holds(key)
    }

    /// Every entry in the order of the ids, then the dead ones. Its cost grows with them.
    #[must_use]
    pub fn list(&self) -> Vec<Entry> {
        let state = self.store.state();
        let waiting = state.index.iter().filter(|(_, _, stage)| *stage != Stage::Arriving);
        let waiting = waiting.map(|(id, item, stage)| {
            let is_claimed = stage == Stage::Claimed;
            entry(id, item, if is_claimed { EntryState::Uploading } else { EntryState::Waiting })
        });
        let dead = state.graves.iter().map(|(id, grave)| {
            entry(id, &grave.item, EntryState::Dead { reason: grave.reason.clone() })
        });
        let entries = waiting.chain(dead).collect();
        drop(state);
        entries
    }

    /// What happens from now on. A listener that is slow loses the oldest events and is told so.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<SpoolEvent> {
        self.store.events.subscribe()
    }

    /// Brings a dead entry back under its own id, hence before all that was queued after it; a
    /// waiting one is tried without further rest. Writes to its key that S3 has taken meanwhile are
    /// overwritten.
    ///
    /// # Errors
    /// [`SpoolError::NoSuchEntry`], or what the system says of the move. If it is the sync that
    /// failed, the entry is back all the same, until a loss of power.
    ///
    /// # Cancellation
    /// Dropped, it may have brought the entry back or not.
    pub async fn retry(&self, id: EntryId) -> Result<(), SpoolError> {
        let store = Arc::clone(&self.store);
        blocking(move || {
            let _busy = Busy::begin(&store)?;
            let mut state = store.state();
            match state.index.get(id).map(|(_, stage)| *stage) {
                Some(Stage::Waiting | Stage::Resting(_)) => {
                    state.index.give_back(id, None, false);
                    drop(state);
                    store.stirred();
                    return Ok(());
                }
                Some(Stage::Arriving | Stage::Claimed) => return Ok(()),
                None => {}
            }
            let grave = state.graves.remove(id).ok_or(SpoolError::NoSuchEntry(id))?;
            drop(state);
            let revived = store.folder.revive(&grave.item.name(id));
            let mut state = store.state();
            let durable = match revived {
                Ok(durable) => durable,
                Err(error) => {
                    state.graves.insert(id, grave.item, grave.reason);
                    return Err(SpoolError::write(error));
                }
            };
            let key = Arc::clone(&grave.item.key);
            state.index.insert(id, grave.item, Stage::Waiting);
            drop(state);
            store.tell(SpoolEvent::Retried { id, key });
            store.stirred();
            durable.map_err(SpoolError::write)
        })
        .await
    }

    /// Removes an entry for good, waiting or dead.
    ///
    /// # Errors
    /// [`SpoolError::NoSuchEntry`]; [`SpoolError::Uploading`] while it is on its way; what the
    /// system says of the removal. If it is the sync that failed, the entry is gone all the same,
    /// and may be back after a loss of power.
    ///
    /// # Cancellation
    /// Dropped, it may have removed the entry or not.
    pub async fn discard(&self, id: EntryId) -> Result<(), SpoolError> {
        let store = Arc::clone(&self.store);
        blocking(move || {
            let _busy = Busy::begin(&store)?;
            let mut state = store.state();
            let (durable, key) = match state.index.hide(id) {
                Some(Ok(item)) => {
                    drop(state);
                    let removed = store.folder.remove(&item.name(id));
                    let mut state = store.state();
                    let durable = removed.map_err(|error| {
                        state.index.arrived(id, false);
                        SpoolError::write(error)
                    })?;
                    state.index.remove(id);
                    drop(state);
                    (durable, item.key)
                }
                Some(Err(())) => return Err(SpoolError::Uploading(id)),
                None => {
                    let grave = state.graves.get(id).cloned().ok_or(SpoolError::NoSuchEntry(id))?;
                    drop(state);
                    let name = grave.item.name(id);
                    let durable = store.folder.remove_dead(&name).map_err(SpoolError::write)?;
                    store.state().graves.remove(id);
                    (durable, grave.item.key)
                }
            };
            store.tell(SpoolEvent::Discarded { id, key });
            store.stirred();
            durable.map_err(SpoolError::write)
        })
        .await
    }

    /// Ends the spool: takes no more writes, waits for those under way, for every
    /// [retry](Self::retry) and [discard](Self::discard), and for the uploads under way, syncs, and
    /// unlocks the folder. What waits, waits for the next start.
    ///
    /// An upload under way ends by its own deadline; put a timeout around this for an earlier one.
    ///
    /// # Errors
    /// What the system says of the sync.
    ///
    /// # Cancellation
    /// Dropped, it takes no more writes; the folder stays locked until the last handle is gone.
    pub async fn close(&self) -> Result<(), SpoolError> {
        self.store.state().closed = true;
        self.store.stirred();
        loop {
            let mut ended = std::pin::pin!(self.store.ended.notified());
            // Registered before the look, so that no end falls in between.
            ended.as_mut().enable();
            if self.store.state().is_quiet() {
                break;
            }
            ended.await;
        }
        let store = Arc::clone(&self.store);
        blocking(move || {
            let synced = store.folder.sync().map_err(SpoolError::write);
            store.folder.unlock();
            synced
        })
        .await
    }
}

fn entry(id: EntryId, item: &Item, state: EntryState) -> Entry {
    let operation = match item.action {
        Action::Put => Operation::Upload,
        Action::Delete => Operation::Delete,
    };
    let (key, size, attempts) = (item.key.as_ref().to_owned(), item.size, item.attempts);
    Entry { id, key, operation, size, attempts, state }
}
